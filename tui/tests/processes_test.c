/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions over processes at T, living and dead, and what changed between two moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/diff.h"
#include "tui/state_filter.h"
#include "tui/tests/data_place.h"

#define CLASSES "proc user"

struct opened {
	struct place place;
	struct tui_data *d;
	const struct tui_moment *m; /* the end */
};

static struct opened open_end(void)
{
	struct opened o;
	const char *paths[] = {o.place.capture};
	const struct tui_data_options opt = {.captures = paths, .capture_count = 1, .wait = true};
	struct error err = {0};

	make_place(&o.place, "intrusion.scap", 0);
	assert_int_equal(tui_data_open(&opt, &o.d, &err), 0);
	(void)tui_data_poll(o.d);
	assert_int_equal(tui_data_moment(o.d, &o.m, &err), 0);
	return o;
}

static void close_all(struct opened *o)
{
	tui_data_close(o->d);
	drop_place(&o->place);
}

static unsigned count_dead(const struct opened *o, struct tui_state_filter *f)
{
	const struct act_proc *p;
	unsigned n = 0;

	for (size_t at = 0; (p = act_procs_next_dead(o->m->procs, &at));)
		n += p->end_ts && tui_state_filter_passes_dead(f, p);
	return n;
}

static struct tui_state_filter *compiled(const struct opened *o, const char *text)
{
	struct tui_state_filter *f = NULL;
	struct error err = {0};
	size_t pos;

	if (tui_state_filter_new(sv_of(text), CLASSES, &f, &pos, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_int_equal(tui_state_filter_at(f, o->m, &err), 0);
	return f;
}

static void the_dead_are_asked_what_they_were(void **state)
{
	static const struct {
		const char *yes, *no; /* of each process one of them holds */
	} cases[] = {
	    {"proc.name = cat", "not proc.name = cat"},
	    {"proc.cmdline contains /etc/shadow", "not proc.cmdline contains /etc/shadow"},
	    {"proc.exepath startswith /usr", "not proc.exepath startswith /usr"},
	    {"user.uid = 0", "user.uid != 0"},
	};
	struct opened o = open_end();
	const unsigned all = count_dead(&o, NULL);

	(void)state;
	assert_true(all > 50);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tui_state_filter *yes = compiled(&o, cases[i].yes);
		struct tui_state_filter *no = compiled(&o, cases[i].no);
		unsigned n = count_dead(&o, yes);

		if (n == 0 || n + count_dead(&o, no) != all)
			fail_msg("%s: %u of %u", cases[i].yes, n, all);
		tui_state_filter_free(yes);
		tui_state_filter_free(no);
	}
	close_all(&o);
}

static void what_is_wrong_with_a_condition_has_a_place(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
	    {"proc.name = ", ERR_SYNTAX},
	    {"proc.nothing = 1", ERR_COMPILE},
	    {"proc.name = a and evt.type = open", ERR_COMPILE},
	};
	struct tui_state_filter *f = NULL;
	size_t pos;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error err = {0};

		pos = SIZE_MAX;
		assert_int_equal(
		    tui_state_filter_new(sv_of(cases[i].text), CLASSES, &f, &pos, &err),
		    cases[i].code);
		assert_null(f);
		assert_true(pos <= strlen(cases[i].text));
		assert_true(err.msg[0]);
	}
	assert_int_equal(tui_state_filter_new(SV_NONE, CLASSES, &f, &pos, NULL), 0);
	assert_null(f);
	assert_true(tui_state_filter_passes_dead(NULL, NULL)); /* none: all pass */
}

static void each_process_changes_in_one_way_between_start_and_end(void **state)
{
	struct opened o = open_end();
	const struct tui_capture *c = tui_data_capture(o.d);
	struct tui_changes changes = {0};
	struct tui_moment *start;
	struct error err = {0};
	uint64_t last = 0;

	(void)state;
	assert_int_equal(tui_moment_at(o.d, c->first_ts, &start, &err), 0);
	assert_int_equal(tui_changes_find(&changes, start, o.m, &err), 0);
	/* Whoever has ended did so in between. */
	assert_int_equal(changes.kinds[TUI_CHANGE_RAN] + changes.kinds[TUI_CHANGE_DIED],
			 count_dead(&o, NULL));
	assert_true(changes.kinds[TUI_CHANGE_CONNECTION] > 0);
	for (size_t i = 0; i < changes.count; i++) {
		assert_true(changes.list[i].ts >= last);
		last = changes.list[i].ts;
	}
	assert_int_equal(tui_changes_find(&changes, o.m, o.m, &err), 0);
	assert_int_equal(changes.count, 0);
	tui_changes_done(&changes);
	tui_moment_free(start);
	close_all(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_dead_are_asked_what_they_were),
	    cmocka_unit_test(what_is_wrong_with_a_condition_has_a_place),
	    cmocka_unit_test(each_process_changes_in_one_way_between_start_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
