/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/filter/filter.h"

static struct flt_types types_of(const char *condition)
{
	struct arena arena = {0};
	struct flt_types t = {{0}};
	struct flt_node *n;
	struct error err;

	if (flt_parse(sv_of(condition), FLT_DEPTH_RULES, &arena, &n, NULL, &err) < 0 ||
	    flt_types_of(n, &t, &err) < 0)
		fail_msg("'%s': %s", condition, err.msg);
	arena_done(&arena);
	return t;
}

static struct flt_types named(const char *name)
{
	struct flt_types t;

	assert_true(flt_types_named(sv_of(name), &t));
	return t;
}

static bool equal(struct flt_types a, struct flt_types b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void same(const char *a, const char *b)
{
	if (!equal(types_of(a), types_of(b)))
		fail_msg("'%s' and '%s' differ", a, b);
}

static void nothing(const char *condition)
{
	struct flt_types t = types_of(condition);

	if (flt_types_count(&t))
		fail_msg("'%s' matches %u types", condition, flt_types_count(&t));
}

static void everything(const char *condition)
{
	struct flt_types t = types_of(condition);

	if (flt_types_count(&t) != EV_TYPE_COUNT)
		fail_msg("'%s' matches %u types", condition, flt_types_count(&t));
}

static void refused(const char *condition)
{
	struct arena arena = {0};
	struct flt_types t;
	struct flt_node *n;
	struct error err;

	assert_int_equal(flt_parse(sv_of(condition), 100, &arena, &n, NULL, &err), 0);
	if (flt_types_of(n, &t, &err) != ERR_COMPILE)
		fail_msg("'%s' is accepted", condition);
	arena_done(&arena);
}

static void names_select_all_versions_and_directions(void **state)
{
	struct flt_types t = named("openat");

	(void)state;
	assert_true(flt_types_has(&t, EV_OPENAT_E) && flt_types_has(&t, EV_OPENAT_X));
	assert_true(flt_types_has(&t, EV_OPENAT_2_E) && flt_types_has(&t, EV_OPENAT_2_X));
	assert_int_equal(flt_types_count(&t), 4);
	for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
		t = named(ev_table[i].name);
		assert_true(flt_types_has(&t, i));
	}
}

static void system_calls_without_events_are_generic(void **state)
{
	struct flt_types t = named("restart_syscall");

	(void)state;
	assert_int_equal(flt_types_count(&t), 2);
	assert_true(flt_types_has(&t, EV_GENERIC_E) && flt_types_has(&t, EV_GENERIC_X));
	t = named("pread64");
	assert_int_equal(flt_types_count(&t), 2);
	assert_true(flt_types_has(&t, EV_PREAD_E) && flt_types_has(&t, EV_PREAD_X));
}

static void async_names_select_the_async_event(void **state)
{
	struct flt_types t = named("container");

	(void)state;
	assert_true(flt_types_has(&t, EV_ASYNCEVENT_E));
	assert_true(flt_types_has(&t, EV_CONTAINER_JSON_2_E));
	assert_false(flt_types_named(SV_LIT("no_such_event"), &t));
	assert_int_equal(flt_types_count(&t), 0);
}

static void checks_on_the_type_select_what_they_name(void **state)
{
	(void)state;
	assert_true(equal(types_of("evt.type = openat"), named("openat")));
	assert_true(equal(types_of("syscall.type == openat"), named("openat")));
	assert_true(equal(types_of("evt.type in (openat)"), named("openat")));
	same("evt.type in (openat, close)", "evt.type = openat or evt.type = close");
	same("evt.type != openat", "not evt.type = openat");
	same("not evt.type != openat", "evt.type = openat");
	same("not evt.type in (openat, close)", "evt.type != openat and evt.type != close");
	nothing("evt.type in ()");
	nothing("evt.type = no_such_event");
	everything("not evt.type in ()");
	everything("evt.type exists");
	nothing("not evt.type exists");
}

static void other_checks_are_neutral_also_when_negated(void **state)
{
	(void)state;
	everything("proc.name = cat");
	everything("not proc.name = cat");
	everything("some_macro");
	everything("not some_macro");
	everything("evt.type contains open");
	everything("evt.type == oneof (openat)");
	everything("not evt.type != allof (openat)");
	everything("toupper(evt.type) glob OPEN*");
	same("evt.type = mmap and not proc.name = cat", "evt.type = mmap");
	everything("evt.type = mmap or not proc.name = cat");
	same("not (evt.type = mmap or proc.name = cat)", "not evt.type = mmap");
	everything("not (evt.type = mmap and proc.name = cat)");
}

static void event_numbers_start_at_one(void **state)
{
	(void)state;
	nothing("evt.num = 0");
	nothing("evt.num < 0");
	nothing("evt.num < 1");
	nothing("evt.num <= 0");
	nothing("evt.num in (0, 00)");
	nothing("evt.num in ()");
	everything("evt.num != 0");
	everything("evt.num > 0");
	everything("evt.num >= 0");
	everything("evt.num >= 1");
	everything("not evt.num = 0");
	nothing("not evt.num != 0");
	nothing("not evt.num >= 1");
	everything("evt.num = 1");
	everything("not evt.num = 1");
	everything("evt.num < 2");
	everything("evt.num = 0x0");
	everything("not evt.num = 0x0");
	everything("evt.num > -5");
	everything("evt.num in (0, 1)");
	everything("evt.num = 18446744073709551616");
	everything("len(evt.num) = 0");
	same("evt.type = openat and evt.num != 0", "evt.type = openat");
	nothing("evt.type = openat and evt.num <= 0");
}

static void the_type_cannot_be_compared_with_fields_or_transformed(void **state)
{
	(void)state;
	refused("evt.type = val(proc.name)");
	refused("not evt.type != b64(proc.name)");
	refused("syscall.type in val(fd.types)");
	refused("toupper(evt.type) = OPENAT");
	refused("proc.name = cat or tolower(syscall.type) in (openat)");
	refused("toupper(evt.type) exists");
}

/* --- laws of sets over random conditions --- */

static uint32_t next_random(uint32_t *rng)
{
	*rng = *rng * 1664525 + 1013904223;
	return *rng >> 16;
}

/* Leaves whose negation is their complement. */
static void random_condition(uint32_t *rng, struct buf *b, int depth)
{
	static const char *const leaves[] = {
	    "evt.type = openat",      "evt.type != close", "evt.type in (execve, open, getcwd)",
	    "evt.type in ()",	      "evt.num = 0",	   "evt.num >= 1",
	    "syscall.type = unshare", "evt.type exists",
	};
	uint32_t kind = depth ? next_random(rng) % 4 : 3;

	if (kind == 3) {
		buf_str(b, leaves[next_random(rng) % COUNT_OF(leaves)]);
	} else if (kind == 2) {
		buf_lit(b, "not (");
		random_condition(rng, b, depth - 1);
		buf_lit(b, ")");
	} else {
		buf_lit(b, "(");
		random_condition(rng, b, depth - 1);
		buf_str(b, kind ? " and " : " or ");
		random_condition(rng, b, depth - 1);
		buf_lit(b, ")");
	}
}

static struct flt_types types_of_format(const char *format, const char *x, const char *y,
					const char *z)
{
	struct buf b = {0};
	struct flt_types t;

	for (const char *p = format; *p; p++) {
		const char *part = *p == 'X' ? x : *p == 'Y' ? y : *p == 'Z' ? z : NULL;

		if (part)
			buf_str(&b, part);
		else
			buf_char(&b, *p);
	}
	t = types_of(buf_cstr(&b));
	buf_done(&b);
	return t;
}

static void sets_of_types_obey_the_laws_of_sets(void **state)
{
	static const char *const laws[][2] = {
	    {"not (X and Y)", "not X or not Y"},
	    {"not (X or Y)", "not X and not Y"},
	    {"not (not X)", "X"},
	    {"X or not X", "evt.num >= 1"},
	    {"X and not X", "evt.num = 0"},
	    {"X and (Y or Z)", "(X and Y) or (X and Z)"},
	    {"X or (Y and Z)", "(X or Y) and (X or Z)"},
	    {"X and Y", "Y and X"},
	    {"X or (X and Y)", "X"},
	    {"(X or Y) or Z", "X or (Y or Z)"},
	};
	uint32_t rng = 3;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct buf x = {0}, y = {0}, z = {0};

		random_condition(&rng, &x, 4);
		random_condition(&rng, &y, 4);
		random_condition(&rng, &z, 4);
		for (size_t k = 0; k < COUNT_OF(laws); k++)
			if (!equal(types_of_format(laws[k][0], buf_cstr(&x), buf_cstr(&y),
						   buf_cstr(&z)),
				   types_of_format(laws[k][1], buf_cstr(&x), buf_cstr(&y),
						   buf_cstr(&z))))
				fail_msg("%s is not %s for\nX %s\nY %s\nZ %s", laws[k][0],
					 laws[k][1], buf_cstr(&x), buf_cstr(&y), buf_cstr(&z));
		buf_done(&x);
		buf_done(&y);
		buf_done(&z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_select_all_versions_and_directions),
	    cmocka_unit_test(system_calls_without_events_are_generic),
	    cmocka_unit_test(async_names_select_the_async_event),
	    cmocka_unit_test(checks_on_the_type_select_what_they_name),
	    cmocka_unit_test(other_checks_are_neutral_also_when_negated),
	    cmocka_unit_test(event_numbers_start_at_one),
	    cmocka_unit_test(the_type_cannot_be_compared_with_fields_or_transformed),
	    cmocka_unit_test(sets_of_types_obey_the_laws_of_sets),
	};

	return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
