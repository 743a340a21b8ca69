/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A condition, a NUL byte, and a capture: on its events and on those of a small machine the
 * evaluator that explains finds what the fast one and the oracle find, whether values are shown or
 * not, and its findings about the checks, joined as the condition says, are its verdict.
 */
#include <stdlib.h>

#include "engine/filter/explain.h"
#include "engine/filter/tests/scene.h"
#include "scapfile/scapfile.h"

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#define CAPTURE_MEMORY (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct subject {
	const struct flt_node *node;
	struct flt_program *program;
	unsigned id;
};

struct looking { /* both evaluators over one state */
	const struct subject *s;
	struct flt_ctx *cx;
	struct flt_explainer *x;
	unsigned events;
};

/* What the findings say: as the condition is written, where all that decides was asked. */
static bool joined(const struct flt_node *n, const struct flt_finding **f)
{
	bool is_or = n->kind == FLT_OR, result = !is_or;

	if (n->kind == FLT_CHECK)
		return (*f)++->truth == FLT_YES;
	if (n->kind == FLT_NOT)
		return !joined(n->kids[0], f);
	for (uint32_t i = 0; i < n->count; i++)
		if (joined(n->kids[i], f) == is_or)
			result = is_or;
	return result;
}

static void check_finding(const struct looking *l, const struct flt_finding *f,
			  enum flt_detail detail)
{
	REQUIRE(f->truth <= FLT_UNASKED && f->reason < FLT_REASON_COUNT);
	REQUIRE(f->truth != FLT_UNASKED || flt_explainer_has_memory(l->x));
	REQUIRE(detail == FLT_VALUES || (!f->left.p && !f->right.p));
	REQUIRE(detail >= FLT_ITEMS || f->item == -1);
	REQUIRE(f->left.n <= FLT_SHOWN_MAX && f->right.n <= FLT_SHOWN_MAX);
	if (detail == FLT_VALUES && f->truth == FLT_YES)
		REQUIRE(f->left.p && f->reason == FLT_BY_VALUE);
}

static void look(struct looking *l, const struct state_binding *b)
{
	enum flt_detail detail = (enum flt_detail)(l->events++ % 3);
	bool fast, slow;
	const struct flt_finding *f, *at;

	flt_ctx_event(l->cx, b);
	fast = flt_match(l->cx, l->s->id);
	slow = flt_explain(l->x, detail, &f);
	REQUIRE(fast == slow && fast == flt_match_naive(l->cx, l->s->id));
	at = f;
	REQUIRE(joined(l->s->node, &at) == slow || flt_explainer_has_memory(l->x));
	REQUIRE((size_t)(at - f) == flt_explainer_checks(l->x));
	for (; f < at; f++)
		check_finding(l, f, detail);
}

static void start(struct looking *l, const struct subject *s, const struct state *st)
{
	*l = (struct looking){.s = s};
	REQUIRE(flt_ctx_new(s->program, st, &l->cx, NULL) == 0);
	REQUIRE(flt_explainer_new(l->cx, s->id, &l->x, NULL) == 0);
}

static void stop(struct looking *l)
{
	flt_explainer_free(l->x);
	flt_ctx_free(l->cx);
}

static void look_at_scene(const struct subject *s)
{
	struct looking l;
	struct scene sc;

	scene_open(&sc);
	start(&l, s, sc.st);
	while (scene_next(&sc))
		look(&l, &sc.bind);
	stop(&l);
	scene_close(&sc);
}

static void look_at_capture(const struct subject *s, struct sv capture)
{
	const struct sf_options opt = {.memory_limit = CAPTURE_MEMORY};
	struct state_binding b;
	struct sf_reader *r;
	struct ev_item item;
	struct state *st;
	struct looking l;

	if (sf_reader_open_memory((const uint8_t *)capture.p, capture.n, &opt, &r, NULL) < 0)
		return;
	REQUIRE(state_new(NULL, &st, NULL) == 0);
	start(&l, s, st);
	while (ev_source_next(sf_reader_source(r), &item, NULL) > 0)
		if (state_feed(st, &item, &b, NULL) > 0)
			look(&l, &b);
	stop(&l);
	state_free(st);
	sf_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
	struct sv text = sv_make(data, end ? (size_t)(end - data) : size);
	struct arena arena = {0};
	struct subject s = {0};
	struct flt_node *node;

	if (flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &node, NULL, NULL) == 0) {
		s.node = node;
		REQUIRE(flt_program_new(NULL, &s.program, NULL) == 0);
		if (flt_program_add(s.program, node, NULL, NULL, &s.id, NULL, NULL) == 0) {
			REQUIRE(flt_program_seal(s.program, NULL) == 0);
			look_at_scene(&s);
			if (end)
				look_at_capture(&s, sv_drop(sv_make(data, size), text.n + 1));
		}
		flt_program_free(s.program);
	}
	arena_done(&arena);
	return 0;
}
