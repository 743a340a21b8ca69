/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules out conditions before they are evaluated: screens, sieves, ranges, fields that events
 * of a type never have. Whatever is asked, the hits are those of the oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter/program.h"
#include "engine/filter/tests/scene.h"

#define CONDITIONS 150 /* more than one batch */
#define EVENTS	   60
#define ROUNDS	   40

static uint32_t next_random(uint32_t *rng)
{
	*rng = *rng * 1664525 + 1013904223;
	return *rng >> 16;
}

/* A text of few different bytes, so that many begin alike. */
static size_t random_text(uint32_t *rng, const char *bytes, size_t kinds, char *out, size_t max)
{
	size_t n = next_random(rng) % (max + 1);

	for (size_t i = 0; i < n; i++)
		out[i] = bytes[next_random(rng) % kinds];
	return n;
}

/* --- conditions --- */

static void random_constant(uint32_t *rng, const char *bytes, struct buf *b)
{
	char text[12];
	size_t n = random_text(rng, bytes, strlen(bytes), text, sizeof(text));

	buf_char(b, '"');
	buf_sv(b, sv_make(text, n));
	buf_char(b, '"');
}

static void random_constants(uint32_t *rng, struct buf *b)
{
	unsigned n = 1 + next_random(rng) % 6;

	buf_char(b, '(');
	for (unsigned i = 0; i < n; i++) {
		buf_str(b, i ? "," : "");
		random_constant(rng, "/ab", b);
	}
	buf_char(b, ')');
}

static void text_check(uint32_t *rng, struct buf *b)
{
	static const char *const fields[] = {"evt.arg.name", "evt.rawarg.name", "fd.name",
					     "fd.directory", "fd.filename",	"evt.arg.path",
					     "fd.nameraw"};
	static const char *const single[] = {"=",	 "!=",	     "startswith",
					     "endswith", "contains", "icontains"};
	static const char *const many[] = {"in", "pmatch", "== anyof", "startswith anyof",
					   "!= allof"};
	unsigned how = next_random(rng) % 10;

	buf_str(b, fields[next_random(rng) % COUNT_OF(fields)]);
	buf_char(b, ' ');
	if (how == 0) {
		buf_str(b, "exists");
	} else if (how < 3) {
		buf_str(b, "glob ");
		random_constant(rng, "/ab*?", b);
	} else if (how < 6) {
		buf_str(b, many[next_random(rng) % COUNT_OF(many)]);
		buf_char(b, ' ');
		random_constants(rng, b);
	} else {
		buf_str(b, single[next_random(rng) % COUNT_OF(single)]);
		buf_char(b, ' ');
		random_constant(rng, "/ab", b);
	}
}

static void number_check(uint32_t *rng, struct buf *b)
{
	static const char *const fields[] = {"fd.num", "evt.rawres", "evt.num", "evt.rawtime",
					     "evt.is_open_read"};
	static const char *const signed_numbers[] = {"-9223372036854775808", "-2", "-1", "0", "3",
						     "9223372036854775807"};
	static const char *const numbers[] = {"0", "1", "7", "18446744073709551615"};
	static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">=", "in"};
	unsigned field = next_random(rng) % COUNT_OF(fields);
	const char *op = field == 4 ? "=" : ops[next_random(rng) % COUNT_OF(ops)];
	bool is_list = op[0] == 'i';

	buf_str(b, fields[field]);
	buf_char(b, ' ');
	buf_str(b, op);
	buf_str(b, is_list ? " (" : " ");
	buf_str(b, field < 2	? signed_numbers[next_random(rng) % COUNT_OF(signed_numbers)]
		   : field == 4 ? "true"
				: numbers[next_random(rng) % COUNT_OF(numbers)]);
	buf_str(b, is_list ? ")" : "");
}

/* As rules have it: a name, or what it is in. */
static void name_or_directory(uint32_t *rng, struct buf *b)
{
	buf_str(b, "(evt.arg.name in ");
	random_constants(rng, b);
	buf_str(b, " or fd.directory = ");
	random_constant(rng, "/ab", b);
	buf_char(b, ')');
}

static void random_condition(uint32_t *rng, int depth, struct buf *b)
{
	static const char *const joins[] = {" and ", " or ", " and not "};
	unsigned n = depth ? 1 + next_random(rng) % 4 : 0;
	const char *join = joins[next_random(rng) % COUNT_OF(joins)];

	if (!n && next_random(rng) % 8 == 0) {
		buf_str(b, next_random(rng) % 2 ? "evt.type = openat" : "evt.type != openat");
		return;
	}
	if (!n && next_random(rng) % 3 == 0) {
		number_check(rng, b);
		return;
	}
	if (!n) {
		text_check(rng, b);
		return;
	}
	buf_char(b, '(');
	if (next_random(rng) % 3 == 0) {
		name_or_directory(rng, b);
		buf_str(b, " and ");
	}
	for (unsigned i = 0; i < n; i++) {
		buf_str(b, i ? join : "");
		random_condition(rng, depth - 1, b);
	}
	buf_char(b, ')');
}

static unsigned must_add(struct flt_program *p, struct sv text)
{
	struct arena arena = {0};
	struct flt_node *n;
	struct error err;
	unsigned id = 0;

	if (flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &n, NULL, &err) < 0 ||
	    flt_program_add(p, n, NULL, NULL, &id, NULL, &err) < 0)
		fail_msg("'%.*s': %s", (int)text.n, text.p, err.msg);
	arena_done(&arena);
	return id;
}

static struct flt_program *random_program(uint32_t *rng, unsigned ids[CONDITIONS])
{
	struct flt_program *p;
	struct buf text = {0};

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		buf_reset(&text);
		random_condition(rng, 2, &text);
		ids[i] = must_add(p, buf_view(&text));
	}
	buf_done(&text);
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		assert_int_equal(flt_program_batch(p, type, ids, CONDITIONS, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	return p;
}

/* --- events --- */

/* An openat or unlink of a name that may be empty, short, missing or contain NULs. */
static void random_event(uint32_t *rng, struct ev_synth *s, unsigned at)
{
	static const int64_t results[] = {INT64_MIN, -2, -1, 0, 3, 7, INT64_MAX};
	bool opens = next_random(rng) % 4;
	char name[13];
	size_t n = random_text(rng, "/ab\0", next_random(rng) % 8 ? 3 : 4, name, 12);

	name[n++] = '\0';
	ev_synth_begin(s, opens ? EV_OPENAT_2_X : EV_UNLINK_2_X, SCENE_START + at, 101);
	ev_synth_int(s, results[next_random(rng) % COUNT_OF(results)]);
	if (opens)
		ev_synth_int(s, EV_FD_CWD);
	ev_synth_bytes(s, name, next_random(rng) % 10 ? n : 0);
	if (opens) {
		ev_synth_int(s, 1 + next_random(rng) % 3);
		for (unsigned i = 0; i < 3; i++)
			ev_synth_int(s, 0);
	}
	if (ev_synth_end(s) < 0)
		abort();
}

static void open_random(uint32_t *rng, struct scene *sc)
{
	struct ev_synth *s = ev_synth_new();

	assert_non_null(s);
	scene_metadata(s);
	for (unsigned i = 0; i < EVENTS; i++)
		random_event(rng, s, i);
	*sc = (struct scene){.source = ev_synth_source(s)};
	assert_int_equal(state_new(NULL, &sc->st, NULL), 0);
}

static bool next_event(struct scene *sc)
{
	struct ev_item item;

	while (ev_source_next(sc->source, &item, NULL) == 1)
		if (state_feed(sc->st, &item, &sc->bind, NULL) == 1)
			return true;
	return false;
}

/* Return: how many conditions match. */
static size_t compare(struct flt_ctx *cx, const unsigned ids[CONDITIONS])
{
	unsigned expected[CONDITIONS];
	const unsigned *hits;
	size_t n = 0;

	for (unsigned i = 0; i < CONDITIONS; i++) {
		bool naive = flt_match_naive(cx, ids[i]);

		assert_int_equal(flt_match(cx, ids[i]), naive);
		if (naive)
			expected[n++] = i;
	}
	assert_int_equal(flt_match_batch(cx, true, &hits), n);
	if (n)
		assert_memory_equal(hits, expected, n * sizeof(*hits));
	assert_int_equal(flt_match_batch(cx, false, &hits), n ? 1 : 0);
	if (n)
		assert_int_equal(hits[0], expected[0]);
	return n;
}

/* Batches first, before anything is remembered of the event. */
static void hits_are_those_of_the_oracle(void **state)
{
	size_t matched = 0, asked = 0;
	uint32_t rng = 1;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned ids[CONDITIONS];
		struct flt_program *p = random_program(&rng, ids);
		const unsigned *hits;
		struct flt_ctx *cx;
		struct scene sc;
		size_t n;

		open_random(&rng, &sc);
		assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
		while (next_event(&sc)) {
			flt_ctx_event(cx, &sc.bind);
			n = flt_match_batch(cx, true, &hits);
			assert_int_equal(compare(cx, ids), n);
			matched += n;
			asked += CONDITIONS;
		}
		flt_ctx_free(cx);
		scene_close(&sc);
		flt_program_free(p);
	}
	assert_true(matched > asked / 20 && matched < asked / 2);
}

/* Else the test above would say nothing about them. */
static void screens_sieves_ranges_and_absences_are_in_use(void **state)
{
	unsigned ids[CONDITIONS], ranges = 0;
	uint32_t rng = 1;
	struct flt_program *p = random_program(&rng, ids);
	const struct flt_agenda *agenda = &p->agendas[EV_OPENAT_2_X];
	bool by_test = false, by_screens = false, by_several = false;

	(void)state;
	assert_int_equal(agenda->batch_count, (CONDITIONS + FLT_BATCH_MAX - 1) / FLT_BATCH_MAX);
	for (uint32_t i = 0; i < agenda->batch_count; i++) {
		for (uint32_t k = 0; k < agenda->batches[i].sieve_count; k++) {
			const struct flt_sieve *s = &agenda->batches[i].sieves[k];

			by_test |= !s->screened.count;
			by_screens |= s->screened.count == 1;
			by_several |= s->screened.count > 1;
		}
	}
	assert_true(by_test && by_screens && by_several);
	for (uint32_t i = 0; i < p->numbered_count; i++) {
		const struct flt_test *t = p->numbered[i];

		ranges += t->span || t->outside;
		if (sv_is(t->left->field->text, "evt.arg.path"))
			assert_true(flt_types_has(&t->decided, EV_OPENAT_2_X));
	}
	assert_true(ranges > 5);
	assert_true(p->agendas[EV_UNLINK_2_X].batches != agenda->batches);
	flt_program_free(p);
}

/* --- gates --- */

/* About a thread of the scene; mostly not true. */
static void thread_check(uint32_t *rng, struct buf *b)
{
	static const char *const checks[] = {
	    "proc.name = cat",	      "proc.name in (dd, cp)", "proc.exepath startswith /sbin",
	    "proc.name contains sys", "proc.vpid = 100",       "(proc.name = mv or proc.name = ln)",
	    "not proc.name = bash"};

	buf_str(b, checks[next_random(rng) % COUNT_OF(checks)]);
}

static struct flt_program *gated_program(uint32_t *rng, unsigned *ids, unsigned count)
{
	struct flt_program *p;
	struct buf text = {0};

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	for (unsigned i = 0; i < count; i++) {
		buf_reset(&text);
		thread_check(rng, &text);
		if (next_random(rng) % 2) {
			buf_str(&text, " and ");
			thread_check(rng, &text);
		}
		if (next_random(rng) % 2) {
			buf_str(&text, " and ");
			text_check(rng, &text);
		}
		ids[i] = must_add(p, buf_view(&text));
	}
	buf_done(&text);
	assert_int_equal(flt_program_batch(p, EV_OPENAT_2_X, ids, count, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	return p;
}

/* Return: 1 if the gate of @p is shut for the thread of the event @sc is at. */
static unsigned check_gate(struct flt_ctx *cx, const struct scene *sc, const unsigned *ids,
			   unsigned count)
{
	bool may = flt_may_match(cx, EV_OPENAT_2_X, sc->bind.thread);

	assert_int_equal(flt_may_match(cx, EV_OPENAT_2_X, sc->bind.thread), may);
	flt_ctx_event(cx, &sc->bind);
	for (unsigned i = 0; i < count; i++)
		if (flt_match_naive(cx, ids[i]))
			assert_true(may);
	return !may;
}

static void a_gate_is_shut_only_where_nothing_matches(void **state)
{
	static const int64_t tids[] = {1, 50, 100, 101};
	unsigned gates = 0, shut = 0, asked = 0;
	uint32_t rng = 7;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		unsigned ids[3], count = 1 + round % 3;
		struct flt_program *p = gated_program(&rng, ids, count);
		struct flt_ctx *cx;
		struct scene sc;

		open_random(&rng, &sc);
		assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
		gates += flt_program_has_gate(p, EV_OPENAT_2_X);
		assert_true(flt_program_has_gate(p, EV_OPENAT_2_X) ||
			    flt_may_match(cx, EV_OPENAT_2_X, state_thread_find(sc.st, 101)));
		for (unsigned i = 0; i < 8 && next_event(&sc); i++) {
			if (sc.bind.ev->type != EV_OPENAT_2_X)
				continue;
			sc.bind.thread = state_thread_find(sc.st, tids[i % 4]);
			assert_non_null(sc.bind.thread);
			shut += check_gate(cx, &sc, ids, count);
			asked++;
		}
		flt_ctx_free(cx);
		scene_close(&sc);
		flt_program_free(p);
	}
	assert_true(gates > 50 && shut > asked / 10 && shut < asked);
}

/* What is said of all descriptor fields when a program is sealed holds for each of them. */
static void descriptor_fields_are_absent_from_events_without_descriptors(void **state)
{
	struct scene sc;
	struct ev_item item;
	size_t fields = 0;

	(void)state;
	scene_open(&sc);
	while (ev_source_next(sc.source, &item, NULL) == 1)
		assert_true(state_feed(sc.st, &item, &sc.bind, NULL) >= 0);
	sc.bind.thread = state_thread_find(sc.st, 101);
	assert_non_null(sc.bind.thread);
	sc.bind.thread->lastevent_fd = 3;
	for (size_t i = 0; i < flt_field_count; i++) {
		struct flt_expr e = {.kind = FLT_EXPR_FIELD,
				     .text = sv_of(flt_field_table[i].name)};
		const struct flt_field *f;
		struct flt_program *p;
		struct flt_types absent;
		struct flt_value v;
		struct flt_ctx *cx;

		if (strcmp(flt_field_table[i].cls, "fd") != 0)
			continue;
		fields++;
		assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
		assert_int_equal(flt_program_field(p, &e, FLT_FOR_FILTER, &f, NULL), 0);
		assert_int_equal(flt_program_seal(p, NULL), 0);
		assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
		absent = flt_field_absent(f);
		for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
			struct ev ev = {.num = 1, .tid = 101, .type = (uint16_t)type};

			sc.bind.ev = &ev;
			sc.bind.fd = state_fd_find(sc.bind.thread, 3);
			flt_ctx_event(cx, &sc.bind);
			if (flt_types_has(&absent, type) && flt_field_get(cx, f, &v))
				fail_msg("%s has a value on %s", flt_field_table[i].name,
					 ev_table[type].name);
		}
		assert_true(flt_types_has(&absent, EV_UNLINK_2_X));
		assert_false(flt_types_has(&absent, EV_OPENAT_2_X));
		flt_ctx_free(cx);
		flt_program_free(p);
	}
	assert_true(fields > 40);
	scene_close(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hits_are_those_of_the_oracle),
	    cmocka_unit_test(screens_sieves_ranges_and_absences_are_in_use),
	    cmocka_unit_test(a_gate_is_shut_only_where_nothing_matches),
	    cmocka_unit_test(descriptor_fields_are_absent_from_events_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
