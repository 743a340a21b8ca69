/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/filter/filter.h"
#include "engine/filter/tests/groups.h"
#include "engine/filter/tests/scene.h"

#define CONDITIONS_MAX 1024
#define EVAL_FILE      SOURCE_DIR "/engine/filter/tests/eval.txt"

static int add(struct flt_program *p, struct sv text, unsigned *id, struct flt_pos *pos,
	       struct error *err)
{
	struct arena arena = {0};
	struct flt_node *n;
	int rc = flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &n, pos, err);

	if (rc == 0)
		rc = flt_program_add(p, n, NULL, NULL, id, pos, err);
	arena_done(&arena);
	return rc;
}

static unsigned must_add(struct flt_program *p, struct sv text, unsigned line)
{
	struct error err;
	unsigned id;

	if (add(p, text, &id, NULL, &err) < 0)
		fail_msg("line %u: '%.*s': %s", line, (int)text.n, text.p, err.msg);
	return id;
}

static struct flt_program *new_program(void)
{
	struct flt_program *p;

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	return p;
}

/* --- the examples --- */

static struct example {
	char event[32];
	bool expected;
	char text[160];
	unsigned line, id;
} examples[CONDITIONS_MAX];
static size_t example_count;

static void collect_group(const struct group *g)
{
	for (size_t i = 0; i < g->count && strcmp(g->name, "REFUSED") != 0; i++) {
		struct example *e = &examples[example_count++];

		assert_true(example_count < CONDITIONS_MAX && g->lines[i].n - 2 < sizeof(e->text));
		snprintf(e->event, sizeof(e->event), "%s", g->name);
		snprintf(e->text, sizeof(e->text), "%.*s", (int)g->lines[i].n - 2,
			 g->lines[i].p + 2);
		e->expected = g->lines[i].p[0] == '+';
		e->line = g->line;
	}
}

static int collect_examples(void **state)
{
	(void)state;
	example_count = 0;
	return for_each_group(EVAL_FILE, collect_group) > 10 ? 0 : -1;
}

static void check_example(struct flt_ctx *cx, const struct example *e, unsigned id,
			  const char *event)
{
	bool naive = flt_match_naive(cx, id), compiled = flt_match(cx, id);

	if (compiled != naive)
		fail_msg("on %s '%s' is %d, but naively %d", event, e->text, compiled, naive);
	if (strcmp(event, e->event) == 0 && compiled != e->expected)
		fail_msg("line %u: on %s '%s' is %d", e->line, event, e->text, compiled);
}

/* All in one program, so that tests and fields are shared. */
static void conditions_match_as_the_examples_say(void **state)
{
	struct flt_program *p = new_program();
	const char *event;
	struct flt_ctx *cx;
	struct scene sc;

	(void)state;
	for (size_t i = 0; i < example_count; i++)
		examples[i].id = must_add(p, sv_of(examples[i].text), examples[i].line);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
	while ((event = scene_next(&sc))) {
		flt_ctx_event(cx, &sc.bind);
		for (size_t i = 0; i < example_count; i++)
			check_example(cx, &examples[i], examples[i].id, event);
	}
	assert_int_equal(sc.at, COUNT_OF(scene_events));
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(p);
}

static void they_match_the_same_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < example_count; i++) {
		struct flt_program *p = new_program();
		const char *event;
		struct flt_ctx *cx;
		struct scene sc;
		unsigned id = must_add(p, sv_of(examples[i].text), examples[i].line);

		assert_int_equal(flt_program_seal(p, NULL), 0);
		scene_open(&sc);
		assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
		while ((event = scene_next(&sc))) {
			flt_ctx_event(cx, &sc.bind);
			check_example(cx, &examples[i], id, event);
		}
		flt_ctx_free(cx);
		scene_close(&sc);
		flt_program_free(p);
	}
}

/* --- batches --- */

/* All examples as the batch of each type: hits are those of the oracle, in order. */
static void check_batch(struct flt_ctx *cx, const unsigned *ids, size_t count)
{
	static unsigned expected[CONDITIONS_MAX];
	const unsigned *hits;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (flt_match_naive(cx, ids[i]))
			expected[n++] = (unsigned)i;
	assert_int_equal(flt_match_batch(cx, true, &hits), n);
	if (n)
		assert_memory_equal(hits, expected, n * sizeof(*hits));
	assert_int_equal(flt_match_batch(cx, false, &hits), n ? 1 : 0);
	if (n)
		assert_int_equal(hits[0], expected[0]);
}

static bool is_stateful(const struct example *e)
{
	return strstr(e->text, "deltatime") || strstr(e->text, "thread.cpu");
}

static void batches_find_what_conditions_find_one_by_one(void **state)
{
	static unsigned ids[CONDITIONS_MAX];
	struct flt_program *p = new_program();
	struct flt_ctx *cx;
	struct scene sc;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < example_count; i++) {
		unsigned id = must_add(p, sv_of(examples[i].text), examples[i].line);

		if (!strstr(examples[i].text,
			    "deltatime")) /* stateful ones are not looked at together */
			ids[n++] = id;
	}
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		assert_int_equal(flt_program_batch(p, type, ids, n, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
	while (scene_next(&sc)) {
		flt_ctx_event(cx, &sc.bind);
		check_batch(cx, ids, n);
		flt_ctx_event(cx, &sc.bind); /* again, with nothing remembered but by thread */
		check_batch(cx, ids, n);
	}
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(p);
}

static uint32_t next_random(uint32_t *rng)
{
	*rng = *rng * 1664525 + 1013904223;
	return *rng >> 16;
}

/* One of the first @choice examples, so that conditions share tests. */
static const char *random_example(uint32_t *rng, size_t choice)
{
	const struct example *e;

	do
		e = &examples[next_random(rng) % choice];
	while (is_stateful(e));
	return e->text;
}

static void random_condition(uint32_t *rng, size_t choice, int depth, struct buf *b)
{
	uint32_t kids = 2 + next_random(rng) % 3, kind = depth ? next_random(rng) % 5 : 4;

	if (kind == 4) {
		buf_str(b, random_example(rng, choice));
		return;
	}
	buf_str(b, kind == 0 ? "not (" : "(");
	for (uint32_t i = 0; i < kids; i++) {
		if (i)
			buf_str(b, kind == 1 ? " or " : " and ");
		random_condition(rng, choice, depth - 1, b);
	}
	buf_lit(b, ")");
}

static void random_conditions_agree_with_the_oracle(void **state)
{
	uint32_t rng = 11;

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct flt_program *p = new_program();
		unsigned ids[40];
		struct buf text = {0};
		struct flt_ctx *cx;
		struct scene sc;

		for (size_t i = 0; i < COUNT_OF(ids); i++) {
			buf_reset(&text);
			random_condition(&rng, round % 2 ? 12 : example_count, 3, &text);
			ids[i] = must_add(p, buf_view(&text), 0);
		}
		for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
			assert_int_equal(flt_program_batch(p, type, ids, COUNT_OF(ids), NULL), 0);
		assert_int_equal(flt_program_seal(p, NULL), 0);
		scene_open(&sc);
		assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
		while (scene_next(&sc)) {
			flt_ctx_event(cx, &sc.bind);
			check_batch(cx, ids, COUNT_OF(ids));
			for (size_t i = 0; i < COUNT_OF(ids); i++)
				assert_int_equal(flt_match(cx, ids[i]),
						 flt_match_naive(cx, ids[i]));
		}
		flt_ctx_free(cx);
		scene_close(&sc);
		flt_program_free(p);
		buf_done(&text);
	}
}

static void stateful_batches_are_looked_at_in_order(void **state)
{
	struct flt_program *p = new_program();
	unsigned ids[3] = {must_add(p, SV_LIT("evt.type = read"), 0),
			   must_add(p, SV_LIT("util.cnt = 2"), 0),
			   must_add(p, SV_LIT("proc.pid exists"), 0)};
	size_t first_only = 0, event = 0;
	const unsigned *hits;
	struct flt_ctx *cx;
	struct scene sc;

	(void)state;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		assert_int_equal(flt_program_batch(p, type, ids, 3, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
	while (scene_next(&sc)) {
		flt_ctx_event(cx, &sc.bind);
		if (flt_match_batch(cx, false, &hits) == 1 && hits[0] == 1)
			first_only = event;
		event++;
	}
	/* After the first event come four reads, which hide the counter. */
	assert_int_equal(first_only, 5);
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(p);
}

static void check_refusal(const struct group *g)
{
	struct flt_program *p;
	struct error err;
	unsigned id;

	if (strcmp(g->name, "REFUSED") != 0)
		return;
	p = new_program();
	if (add(p, g->lines[0], &id, NULL, &err) != ERR_COMPILE || !sv_is(g->lines[1], err.msg))
		fail_msg("line %u: '%.*s' gives '%s'", g->line, (int)g->lines[0].n, g->lines[0].p,
			 err.msg);
	flt_program_free(p);
}

static void senseless_conditions_are_refused_with_a_reason(void **state)
{
	(void)state;
	for_each_group(EVAL_FILE, check_refusal);
}

/* --- sharing --- */

static void a_refused_condition_leaves_the_program_usable(void **state)
{
	struct flt_program *p = new_program();
	struct error err;
	struct flt_pos pos;
	unsigned id;

	(void)state;
	assert_int_equal(must_add(p, SV_LIT("proc.name = a"), 0), 0);
	assert_int_equal(add(p, SV_LIT("proc.name = b and\n proc.nope = c"), &id, &pos, &err),
			 ERR_COMPILE);
	assert_int_equal(pos.line, 2);
	assert_int_equal(pos.column, 2);
	assert_int_equal(add(p, SV_LIT("proc.pid in (1, x)"), &id, &pos, &err), ERR_COMPILE);
	assert_int_equal(pos.column, 17);
	assert_int_equal(must_add(p, SV_LIT("proc.name = b"), 0), 1);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	flt_program_free(p);
}

static void a_context_needs_a_sealed_program(void **state)
{
	struct flt_program *p = new_program();
	struct flt_ctx *cx;
	struct error err;

	(void)state;
	assert_int_equal(flt_ctx_new(p, NULL, &cx, &err), ERR_USAGE);
	flt_program_free(p);
}

static void operands_can_be_checked_alone(void **state)
{
	struct flt_program *p = new_program();
	struct error err;

	(void)state;
	assert_int_equal(flt_check_operand(p, SV_LIT("proc.name"), &err), 0);
	assert_int_equal(flt_check_operand(p, SV_LIT("proc.aname[2]"), &err), 0);
	assert_int_equal(flt_check_operand(p, SV_LIT("tolower(proc.name)"), &err), 0);
	assert_int_equal(flt_check_operand(p, SV_LIT("no.such"), &err), ERR_COMPILE);
	assert_non_null(strstr(err.msg, "nonexistent field no.such"));
	assert_int_equal(flt_check_operand(p, SV_LIT("proc.name x"), &err), ERR_SYNTAX);
	assert_int_equal(flt_check_operand(p, SV_LIT("len(proc.pid)"), &err), ERR_COMPILE);
	flt_program_free(p);
}

/* --- state --- */

/* Each check counts on its own, and the oracle counts apart. */
static void stateful_fields_are_not_shared(void **state)
{
	struct flt_program *p = new_program();
	unsigned all = must_add(p, SV_LIT("util.cnt = 3"), 0);
	unsigned twice = must_add(p, SV_LIT("util.cnt = 3 or util.cnt = 3"), 0);
	unsigned reads = must_add(p, SV_LIT("evt.type = read and util.cnt = 2"), 0);
	struct flt_ctx *cx;
	struct scene sc;
	int matches[3] = {0};

	(void)state;
	assert_int_equal(flt_program_seal(p, NULL), 0);
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
	for (int i = 1; scene_next(&sc); i++) {
		bool first, both, second_read;

		flt_ctx_event(cx, &sc.bind);
		first = flt_match(cx, all);
		both = flt_match(cx, twice);
		second_read = flt_match(cx, reads);
		assert_int_equal(first, flt_match_naive(cx, all));
		assert_int_equal(both, flt_match_naive(cx, twice));
		assert_int_equal(second_read, flt_match_naive(cx, reads));
		assert_int_equal(first, i == 3);
		matches[0] += first;
		matches[1] += both;
		matches[2] += second_read;
	}
	assert_int_equal(matches[0], 1);
	assert_int_equal(matches[1], 2);
	assert_int_equal(matches[2], 1);
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(p);
}

/* A stateful test counts when it is reached, even if the result is certain without it. */
static void stateful_tests_are_run_each_time_they_are_reached(void **state)
{
	struct flt_program *p = new_program();
	unsigned third = must_add(p, SV_LIT("util.cnt = 3"), 0);
	unsigned certain = must_add(p, SV_LIT("util.cnt = 3 or evt.type = read"), 0);
	struct flt_ctx *cx;
	struct scene sc;
	int matches = 0;

	(void)state;
	assert_int_equal(flt_program_seal(p, NULL), 0);
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
	for (int i = 0; scene_next(&sc); i++) {
		flt_ctx_event(cx, &sc.bind);
		assert_int_equal(flt_match(cx, third), i == 1);
		assert_int_equal(flt_match(cx, third), false); /* the second time in this event */
		matches += flt_match(cx, certain);
		assert_int_equal(flt_match(cx, certain), sc.bind.ev->type == EV_READ_X);
	}
	assert_int_equal(matches, 4); /* four reads; the third count was the first of them */
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(p);
}

/* --- what is remembered about threads --- */

static struct state_str *new_text(const char *text)
{
	struct state_str *s = calloc(1, sizeof(*s) + strlen(text) + 1);

	assert_non_null(s);
	s->refs = 1;
	s->len = (uint32_t)strlen(text);
	memcpy(s->text, text, strlen(text));
	return s;
}

static bool match_thread(struct flt_ctx *cx, struct state_thread *t, uint64_t generation,
			 struct state_str *comm)
{
	struct ev ev = {.num = 1, .tid = 1, .type = EV_KILL_X};
	struct state_binding bind = {.ev = &ev, .thread = t};

	t->generation = generation;
	t->comm = comm;
	flt_ctx_event(cx, &bind);
	return flt_match(cx, 0);
}

static void results_on_processes_hold_until_the_process_changes(void **state)
{
	struct state_str *cat = new_text("cat"), *dog = new_text("dog");
	struct flt_program *p = new_program();
	struct state_thread t = {.tid = 1, .pid = 1};
	struct flt_ctx *cx;

	(void)state;
	must_add(p, SV_LIT("proc.name = cat"), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, NULL, &cx, NULL), 0);
	assert_true(match_thread(cx, &t, 7, cat));
	assert_false(match_thread(cx, &t, 8, dog));
	assert_true(match_thread(cx, &t, 7, dog)); /* remembered: the state changes both together */
	assert_false(match_thread(cx, &t, 8, cat));
	/* Many others in between, some of which take the same place. */
	for (uint64_t g = 9; g < 20000; g++)
		assert_int_equal(match_thread(cx, &t, g, g % 3 ? dog : cat), g % 3 == 0);
	assert_false(match_thread(cx, &t, 7, dog));
	flt_ctx_free(cx);
	flt_program_free(p);
	free(cat);
	free(dog);
}

/* --- warnings --- */

struct warning {
	unsigned counts[3];
	uint32_t column;
};

static void count_warning(void *arg, enum flt_warning_kind kind, struct flt_pos pos,
			  const char *text)
{
	struct warning *w = arg;

	assert_non_null(text);
	w->counts[kind]++;
	w->column = pos.column;
}

static void expect_warning(const char *condition, int kind, uint32_t column)
{
	struct flt_program *p = new_program();
	struct arena arena = {0};
	struct warning w = {.column = 0};
	struct flt_node *n;
	struct error err;
	unsigned id;

	assert_int_equal(flt_parse(sv_of(condition), 100, &arena, &n, NULL, &err), 0);
	assert_int_equal(flt_program_add(p, n, count_warning, &w, &id, NULL, &err), 0);
	for (int k = 0; k < 3; k++)
		if (w.counts[k] != (k == kind))
			fail_msg("'%s': warning %d is given %u times", condition, k, w.counts[k]);
	assert_int_equal(w.column, column);
	arena_done(&arena);
	flt_program_free(p);
}

static void suspicious_constants_are_warned_about(void **state)
{
	(void)state;
	expect_warning("proc.name regex abc", FLT_WARN_REGEX_NOT_NEEDED, 17);
	expect_warning("proc.name regex '^abc$'", FLT_WARN_REGEX_NOT_NEEDED, 17);
	expect_warning("proc.name regex '.*yscal.+'", FLT_WARN_REGEX_NOT_NEEDED, 17);
	expect_warning("proc.name regex 'a.b'", -1, 0);
	expect_warning("proc.name regex syscall.?", FLT_WARN_REGEX_NOT_NEEDED, 17);
	expect_warning("proc.name regex syscall\\.*", -1, 0);
	expect_warning("proc.name = proc.exe", FLT_WARN_VALUE_IS_FIELD, 13);
	expect_warning("proc.name in (a, 'proc.aname [1]')", FLT_WARN_VALUE_IS_FIELD, 18);
	expect_warning("proc.name = unknown.field", -1, 0);
	expect_warning("proc.name = tolower", -1, 0);
	expect_warning("proc.name = 'tolower(proc.exe)'", FLT_WARN_VALUE_IS_TRANSFORMER, 13);
	expect_warning("proc.name = 'val (proc.exe)'", FLT_WARN_VALUE_IS_TRANSFORMER, 13);
	expect_warning("proc.name = val(proc.exe)", -1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(conditions_match_as_the_examples_say),
	    cmocka_unit_test(they_match_the_same_alone),
	    cmocka_unit_test(batches_find_what_conditions_find_one_by_one),
	    cmocka_unit_test(random_conditions_agree_with_the_oracle),
	    cmocka_unit_test(stateful_batches_are_looked_at_in_order),
	    cmocka_unit_test(senseless_conditions_are_refused_with_a_reason),
	    cmocka_unit_test(a_refused_condition_leaves_the_program_usable),
	    cmocka_unit_test(a_context_needs_a_sealed_program),
	    cmocka_unit_test(operands_can_be_checked_alone),
	    cmocka_unit_test(stateful_fields_are_not_shared),
	    cmocka_unit_test(stateful_tests_are_run_each_time_they_are_reached),
	    cmocka_unit_test(results_on_processes_hold_until_the_process_changes),
	    cmocka_unit_test(suspicious_constants_are_warned_about),
	};

	return cmocka_run_group_tests_name("eval", tests, collect_examples, NULL);
}
