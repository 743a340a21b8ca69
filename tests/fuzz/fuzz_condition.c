/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions from arbitrary text. What parses must print to something that parses to the same tree;
 * what compiles must match like the oracle on a few events, and only events of the types it says it
 * can match.
 */
#include <stdlib.h>

#include "engine/filter/tests/scene.h"

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#define FAMILY_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- printing ------------------------------------------------------------------------------------
 */

static bool is_quoted_in_print(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("\b\f\n\r\t =\\\"'", s.p[i]))
			return true;
	return false;
}

/* The canonical form cannot express all texts: some would be read back differently. */
static bool prints_well(struct sv s, bool bare_is_fine)
{
	if (is_quoted_in_print(s))
		return s.p[s.n - 1] != '\\';
	return bare_is_fine && flt_is_bare(s);
}

static bool is_digits(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n != 0;
}

static bool expr_prints_well(const struct flt_expr *e, bool inside_call)
{
	bool well = true;

	if (e->has_arg && e->arg.n && !is_digits(e->arg))
		well = is_quoted_in_print(e->arg) && e->arg.p[e->arg.n - 1] != '\\';
	if (e->kind == FLT_EXPR_VALUE)
		well = (inside_call && is_digits(e->text)) || prints_well(e->text, !inside_call);
	for (uint32_t i = 0; i < e->count && well; i++)
		well = expr_prints_well(e->items[i], inside_call || e->kind == FLT_EXPR_TRANSFORM);
	return well;
}

static bool node_prints_well(const struct flt_node *n)
{
	if (n->kind == FLT_NOT && n->kids[0]->kind == FLT_NOT)
		return false; /* reads back as no negation */
	if (n->kind == FLT_CHECK)
		return expr_prints_well(n->left, false) &&
		       (!n->right || expr_prints_well(n->right, false));
	for (uint32_t i = 0; i < n->count; i++)
		if (!node_prints_well(n->kids[i]))
			return false;
	return true;
}

static void check_printing(const struct flt_node *n)
{
	struct arena arena = {0};
	struct buf first = {0}, second = {0};
	struct flt_node *again;
	struct error err;

	flt_print(&first, n);
	if (node_prints_well(n)) {
		/* The form is always in parentheses, which may nest deeper than the text did. */
		REQUIRE(flt_parse(buf_view(&first), 10 * FLT_DEPTH_RULES, &arena, &again, NULL,
				  &err) == 0);
		REQUIRE(flt_tree_equal(n, again));
		flt_print(&second, again);
		REQUIRE(sv_eq(buf_view(&first), buf_view(&second)));
	}
	buf_done(&first);
	buf_done(&second);
	arena_done(&arena);
}

/* --- matching ------------------------------------------------------------------------------------
 */

static void ignore_warning(void *arg, enum flt_warning_kind kind, struct flt_pos pos,
			   const char *text)
{
	(void)arg;
	(void)kind;
	(void)pos;
	REQUIRE(text);
}

/* A condition and some of its parts, to be looked at together. */
struct family {
	unsigned ids[FAMILY_MAX];
	size_t count;
	bool stateful; /* the order in which they are asked matters */
};

static void note_stateful(void *arg, const struct flt_expr *field)
{
	bool *stateful = arg;

	*stateful |=
	    sv_starts(field->text, SV_LIT("util.")) || sv_starts(field->text, SV_LIT("thread.")) ||
	    sv_starts(field->text, SV_LIT("evt.delta")) || sv_is(field->text, "evt.outputtime");
}

static void check_batch(struct flt_ctx *cx, const struct family *f)
{
	const unsigned *hits;
	size_t n, k = 0;

	n = flt_match_batch(cx, true, &hits);
	for (size_t i = 0; i < f->count; i++)
		if (flt_match_naive(cx, f->ids[i]))
			REQUIRE(k < n && hits[k++] == i);
	REQUIRE(k == n);
}

static void check_events(const struct flt_program *p, const struct family *f,
			 const struct flt_types *types)
{
	struct flt_ctx *cx;
	struct scene sc;

	scene_open(&sc);
	REQUIRE(flt_ctx_new(p, sc.st, &cx, NULL) == 0);
	while (scene_next(&sc)) {
		bool matches;

		flt_ctx_event(cx, &sc.bind);
		matches = flt_match(cx, f->ids[0]);
		REQUIRE(matches == flt_match_naive(cx, f->ids[0]));
		/* One generic type stands for many system calls: "not this one" leaves all of it
		 * out. */
		REQUIRE(!matches || !types || sc.bind.ev->type == EV_GENERIC_X ||
			flt_types_has(types, sc.bind.ev->type));
		if (!f->stateful)
			check_batch(cx, f);
	}
	flt_ctx_free(cx);
	scene_close(&sc);
}

static const struct flt_node *macro_body(void *arg, const struct flt_node *macro, struct error *err)
{
	(void)macro;
	(void)err;
	return arg;
}

/* Add @n and what it consists of, down to some depth. */
static int add_family(struct flt_program *p, const struct flt_node *n, unsigned depth,
		      struct family *f, struct error *err)
{
	struct flt_pos pos;
	int rc;

	if (f->count == FAMILY_MAX)
		return 0;
	rc = flt_program_add(p, n, ignore_warning, NULL, &f->ids[f->count++], &pos, err);
	for (uint32_t i = 0; i < n->count && rc == 0 && depth; i++)
		rc = add_family(p, n->kids[i], depth - 1, f, err);
	return rc;
}

static void check_matching(const struct flt_node *n, struct arena *arena)
{
	struct flt_node *body, *resolved;
	struct family f = {.count = 0};
	struct flt_types types;
	struct flt_program *p;
	struct error err = {0};
	bool has_types;

	REQUIRE(flt_parse(SV_LIT("evt.rawres >= 0"), 100, arena, &body, NULL, NULL) == 0);
	if (flt_resolve_macros(n, macro_body, body, arena, &resolved, &err) < 0)
		return;
	REQUIRE(flt_program_new(NULL, &p, NULL) == 0);
	has_types = flt_types_of(resolved, &types, &err) == 0;
	flt_visit_fields(resolved, note_stateful, &f.stateful);
	if (add_family(p, resolved, 3, &f, &err) == 0) {
		for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
			REQUIRE(flt_program_batch(p, type, f.ids, f.count, NULL) == 0);
		REQUIRE(flt_program_seal(p, NULL) == 0);
		check_events(p, &f, has_types ? &types : NULL);
	} else {
		REQUIRE(err.code == ERR_COMPILE && err.msg[0]);
	}
	flt_program_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = sv_make(data, size);
	struct arena arena = {0};
	struct flt_node *shallow = NULL, *deep;
	struct flt_pos pos;
	struct error err;
	int rc = flt_parse(text, FLT_DEPTH_RULES, &arena, &deep, &pos, &err);

	REQUIRE(pos.index <= size);
	if (flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &shallow, NULL, &err) == 0)
		REQUIRE(rc == 0 && flt_tree_equal(shallow, deep));
	if (rc == 0) {
		check_printing(deep);
		check_matching(deep, &arena);
	} else {
		struct buf context = {0};

		flt_error_context(&context, text, pos);
		buf_done(&context);
	}
	arena_done(&arena);
	return 0;
}
