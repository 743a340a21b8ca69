/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: wherever it runs out, building a program fails with ERR_NOMEM and loses nothing; once
 * warm, evaluating conditions allocates nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"
#include "engine/filter/tests/scene.h"

static const char *const conditions[] = {
    "proc.name in (a, b, c, d, e, f) and m and not (proc.name = x or proc.name = y)",
    "evt.type in (open, openat) and fd.name pmatch (/etc, /u*r) and m",
    "fd.name startswith /a or fd.name startswith /b or evt.buffer bcontains 00ff",
    "proc.name regex '[a-z]+' and join(',', (proc.name, proc.pid, fd.types)) contains cat",
    "getopt(('-n', '-t'), 'nt:') intersects (n) and tolower(proc.exepath) = /bin/cat",
    "proc.aname in (bash) and proc.name != val(proc.pname) and b64('Y2F0') = val(proc.name)",
    "fd.ip = 10.0.0.5 or fd.net in (93.0.0.0/8, ::/1) or fd.sport = 443",
    "evt.rawarg.flags exists and util.cnt > 0",
};

static const struct flt_node *body_of_macro(void *arg, const struct flt_node *macro,
					    struct error *err)
{
	(void)macro;
	(void)err;
	return arg;
}

static int add_conditions(struct flt_program *p, struct arena *arena, unsigned *ids,
			  struct error *err)
{
	struct flt_node *n, *resolved, *body;
	struct flt_pos pos;
	int rc = flt_parse(SV_LIT("evt.dir = < and proc.pid > 0"), FLT_DEPTH_RULES, arena, &body,
			   &pos, err);

	for (size_t i = 0; i < COUNT_OF(conditions) && rc == 0; i++) {
		rc = flt_parse(sv_of(conditions[i]), FLT_DEPTH_RULES, arena, &n, &pos, err);
		if (rc == 0)
			rc = flt_resolve_macros(n, body_of_macro, body, arena, &resolved, err);
		if (rc == 0)
			rc = flt_program_add(p, resolved, NULL, NULL, &ids[i], &pos, err);
	}
	return rc;
}

static int build(struct flt_program **p, unsigned *ids, struct error *err)
{
	struct arena arena = {0};
	int rc = flt_program_new(NULL, p, err);

	if (rc < 0)
		return rc;
	rc = add_conditions(*p, &arena, ids, err);
	if (rc == 0)
		rc = flt_check_operand(*p, SV_LIT("toupper(proc.name)"), err);
	/* The last condition is stateful: with it, a batch is looked at one by one. */
	if (rc == 0)
		rc = flt_program_batch(*p, EV_OPENAT_2_X, ids, COUNT_OF(conditions) - 1, err);
	if (rc == 0)
		rc = flt_program_batch(*p, EV_READ_X, ids, COUNT_OF(conditions), err);
	if (rc == 0)
		rc = flt_program_seal(*p, err);
	arena_done(&arena);
	return rc;
}

static int build_and_free(struct error *err)
{
	unsigned ids[COUNT_OF(conditions)];
	struct flt_program *p = NULL;
	struct flt_ctx *cx = NULL;
	int rc = build(&p, ids, err);

	if (rc == 0)
		rc = flt_ctx_new(p, NULL, &cx, err);
	flt_ctx_free(cx);
	flt_program_free(p);
	return rc;
}

static void building_survives_each_allocation_failing(void **state)
{
	struct error err = {0};
	unsigned long needed;

	(void)state;
	alloc = (struct alloc_wrap){.counting = true};
	assert_int_equal(build_and_free(&err), 0);
	needed = alloc.calls;
	assert_true(needed > 20);
	for (unsigned long n = 1; n <= needed; n++) {
		for (int once = 0; once < 2; once++) {
			int rc;

			alloc = (struct alloc_wrap){.counting = true, .once = once, .fail_at = n};
			rc = build_and_free(&err);
			alloc = (struct alloc_wrap){.counting = false};
			if (rc != ERR_NOMEM)
				fail_msg("allocation %lu of %lu failing: %d (%s)", n, needed, rc,
					 err.msg);
		}
	}
}

static unsigned evaluate(struct flt_ctx *cx, const struct state_binding *bind, const unsigned *ids)
{
	const unsigned *hits;
	unsigned matches = 0;

	flt_ctx_event(cx, bind);
	matches += (unsigned)flt_match_batch(cx, true, &hits);
	for (size_t i = 0; i < COUNT_OF(conditions); i++)
		matches += flt_match(cx, ids[i]);
	return matches;
}

static void evaluating_allocates_nothing_once_warm(void **state)
{
	unsigned ids[COUNT_OF(conditions)], matches = 0;
	struct flt_program *p;
	struct flt_ctx *cx;
	struct scene sc;

	(void)state;
	alloc = (struct alloc_wrap){.counting = false};
	assert_int_equal(build(&p, ids, NULL), 0);
	scene_open(&sc);
	assert_int_equal(flt_ctx_new(p, sc.st, &cx, NULL), 0);
	while (scene_next(&sc)) {
		evaluate(cx, &sc.bind, ids);
		alloc = (struct alloc_wrap){.counting = true};
		for (int i = 0; i < 10; i++)
			matches += evaluate(cx, &sc.bind, ids);
		alloc.counting = false;
		assert_int_equal(alloc.calls, 0);
	}
	assert_true(matches > 50);
	flt_ctx_free(cx);
	scene_close(&sc);
	flt_program_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(building_survives_each_allocation_failing),
	    cmocka_unit_test(evaluating_allocates_nothing_once_warm),
	};

	return cmocka_run_group_tests_name("memory of conditions", tests, NULL, NULL);
}
