/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/activity/forest.h"
#include "engine/activity/tests/story.h"

/* "pid>pid" of each node that is shown, in order: whom it hangs under, and who it is. */
static void write_down(struct buf *b, const struct act_forest *f)
{
	buf_reset(b);
	for (size_t i = 0; i < f->count; i++) {
		const struct act_node *n = &f->nodes[f->order[i]];

		if (!n->shown)
			continue;
		if (b->len)
			buf_char(b, ' ');
		if (n->parent != ACT_NO_NODE)
			buf_addf(b, "%d>", (int)f->nodes[n->parent].pid);
		buf_addf(b, "%d%s", (int)n->pid, n->t ? "" : "+");
	}
}

static bool is_named(void *arg, const struct act_node *n)
{
	return sv_is(act_node_identity(n).comm, arg);
}

#define EXPECT(o, text, pid, children, ...)                                                        \
	do {                                                                                       \
		const struct act_forest_options opt = {__VA_ARGS__};                               \
		struct act_forest f = {0};                                                         \
		struct buf b = {0};                                                                \
		assert_int_equal(act_forest_build(&f, (o).st, (o).procs, &opt), 0);                \
		act_forest_choose(&f, pid, children);                                              \
		write_down(&b, &f);                                                                \
		assert_string_equal(buf_cstr(&b), text);                                           \
		buf_done(&b);                                                                      \
		act_forest_done(&f);                                                               \
	} while (0)

/* sshd runs bash, that runs sh, that runs kd and ends; curl came and went under bash. */
static struct outcome intrusion(struct story *s)
{
	story_begin(s);
	LIST(s, {.tid = 1, .comm = "init"}, {.tid = 10, .ptid = 1, .comm = "bash"});
	RUN(s, 10, .pid = 15, .comm = "curl");
	story_exit(s, 15, 0);
	RUN(s, 10, .pid = 20, .comm = "sh");
	RUN(s, 20, .pid = 30, .comm = "kd");
	story_exit(s, 20, 3 << 8);
	story_tick(s);
	return story_follow(s, NULL, NULL);
}

static void the_living_hang_under_whose_children_they_are(void **state)
{
	struct story s;
	struct outcome o = intrusion(&s);

	(void)state;
	EXPECT(o, "1 1>10 1>30", -1, false, .dead = false);
	outcome_done(&o);
	story_done(&s);
}

static void the_dead_are_there_if_wanted(void **state)
{
	struct story s;
	struct outcome o = intrusion(&s);

	(void)state;
	EXPECT(o, "1 1>10 10>15+ 10>20+ 1>30", -1, false, .dead = true);
	EXPECT(o, "1 1>10 10>15+ 10>20+ 20>30", -1, false, .dead = true, .by_origin = true);
	/* curl ended earlier. */
	EXPECT(o, "1 1>10 10>20+ 20>30", -1, false, .dead = true, .by_origin = true,
	       .dead_since = STORY_EPOCH + 35 * 1000000u);
	outcome_done(&o);
	story_done(&s);
}

static void ancestors_of_matches_are_shown_and_children_if_wanted(void **state)
{
	struct story s;
	struct outcome o = intrusion(&s);

	(void)state;
	EXPECT(o, "1 1>10 10>20+", -1, false, .dead = true, .by_origin = true, .matches = is_named,
	       .arg = (void *)"sh");
	EXPECT(o, "1 1>10 10>20+ 20>30", -1, true, .dead = true, .by_origin = true,
	       .matches = is_named, .arg = (void *)"sh");
	EXPECT(o, "1 1>10 10>20+ 20>30", 20, false, .dead = true, .by_origin = true);
	EXPECT(o, "", -1, true, .matches = is_named, .arg = (void *)"nobody");
	outcome_done(&o);
	story_done(&s);
}

static void nodes_are_found_by_key_or_number(void **state)
{
	const struct act_forest_options opt = {.dead = true};
	struct act_forest f = {0};
	struct story s;
	struct outcome o = intrusion(&s);

	(void)state;
	assert_int_equal(act_forest_build(&f, o.st, o.procs, &opt), 0);
	for (size_t i = 0; i < f.count; i++)
		assert_int_equal(act_forest_find(&f, f.nodes[i].key, f.nodes[i].pid), i);
	assert_int_equal(act_forest_find(&f, 12345, 0), ACT_NO_NODE);
	assert_int_equal(act_forest_find(&f, UINT64_MAX, 30), ACT_NO_NODE);
	assert_int_equal(act_forest_place(&f, 0, 0), 0);
	assert_int_equal(act_forest_place(&f, UINT64_MAX, 0), f.count);
	act_forest_done(&f);
	outcome_done(&o);
	story_done(&s);
}

static void a_chain_of_thousands_needs_no_stack(void **state)
{
	enum { LENGTH = 6000 };
	const struct act_forest_options opt = {0};
	struct act_forest f = {0};
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	for (int i = 1; i <= LENGTH; i++)
		LIST(&s, {.tid = i, .ptid = i - 1, .comm = "sh"});
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(act_forest_build(&f, o.st, o.procs, &opt), 0);
	assert_int_equal(f.count, LENGTH);
	for (size_t i = 0; i < LENGTH; i++)
		assert_int_equal(f.nodes[f.order[i]].depth, i);
	act_forest_done(&f);
	outcome_done(&o);
	story_done(&s);
}

static void a_loop_of_parents_begins_a_tree(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 1, .comm = "init"}, {.tid = 5, .ptid = 7, .comm = "a"},
	     {.tid = 6, .ptid = 5, .comm = "b"}, {.tid = 7, .ptid = 6, .comm = "c"});
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	EXPECT(o, "1 5 5>6 6>7", -1, false, .dead = true);
	outcome_done(&o);
	story_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_living_hang_under_whose_children_they_are),
	    cmocka_unit_test(the_dead_are_there_if_wanted),
	    cmocka_unit_test(ancestors_of_matches_are_shown_and_children_if_wanted),
	    cmocka_unit_test(nodes_are_found_by_key_or_number),
	    cmocka_unit_test(a_chain_of_thousands_needs_no_stack),
	    cmocka_unit_test(a_loop_of_parents_begins_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
