/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/activity/tests/story.h"

static const struct act_proc *dead(const struct outcome *o, int64_t pid)
{
	const struct act_proc *p;

	for (size_t at = 0; (p = act_procs_next_dead(o->procs, &at));)
		if (p->pid == pid)
			return p;
	return NULL;
}

static void who_started_a_process_stays_known(void **state)
{
	const struct act_proc *p;
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 1, .comm = "init"}, {.tid = 10, .ptid = 1, .comm = "bash"});
	RUN(&s, 10, .pid = 20, .comm = "sh");
	RUN(&s, 20, .pid = 30, .comm = "kd");
	story_exit(&s, 20, 3 << 8);
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	p = act_procs_find(o.procs, 30);
	assert_non_null(p);
	assert_int_equal(p->ppid, 20);
	assert_true(sv_is(p->parent_name, "sh"));
	assert_int_equal(p->start_ts, STORY_EPOCH + 30 * 1000000u);
	/* Meanwhile it is init's. */
	assert_int_equal(state_thread_find(o.st, 30)->ptid, 1);
	assert_int_equal(p->parent_key, dead(&o, 20)->key);
	p = act_procs_find(o.procs, 10);
	assert_true(p->from_start);
	outcome_done(&o);
	story_done(&s);
}

static void the_dead_are_kept_as_they_were_at_last(void **state)
{
	const struct act_proc *p;
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 1, .comm = "init"});
	RUN(&s, 1, .pid = 20, .comm = "curl", ARGS("-s\0http://x"), .uid = AMY, .tty = PTS(1));
	story_exit(&s, 20, 9);
	story_tick(&s);
	RUN(&s, 1, .pid = 20, .comm = "again");
	o = story_follow(&s, NULL, NULL);
	p = dead(&o, 20);
	assert_non_null(p);
	assert_true(sv_is(p->comm, "curl"));
	assert_int_equal(p->arg_count, 2);
	assert_true(sv_eq(p->args, SV_LIT("-s\0http://x")));
	assert_int_equal(p->status, 9);
	assert_int_equal(p->uid, AMY);
	assert_int_equal(p->tty, PTS(1));
	assert_true(p->end_ts > p->start_ts);
	/* The number is in use again: another process, another key. */
	assert_true(act_procs_find(o.procs, 20)->key > p->key);
	outcome_done(&o);
	story_done(&s);
}

static void what_still_runs_is_not_among_the_dead(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 1, .comm = "init"});
	RUN(&s, 1, .pid = 20, .comm = "a");
	o = story_follow(&s, NULL, NULL);
	assert_null(dead(&o, 20));
	assert_false(act_procs_find(o.procs, 20)->dead);
	outcome_done(&o);
	story_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_started_a_process_stays_known),
	    cmocka_unit_test(the_dead_are_kept_as_they_were_at_last),
	    cmocka_unit_test(what_still_runs_is_not_among_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
