/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: once tables have grown, events allocate nothing; when memory runs out, trackers count
 * what they leave out and stay whole. The allocator is wrapped by the linker (see CMakeLists.txt).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/tests/alloc_wrap.h"
#include "engine/activity/tests/story.h"

#define ROUNDS 600

/* A process appears, runs something, talks to somebody, and goes. */
static void round_of_life(struct story *s, unsigned i, uint32_t tty)
{
	const struct bytes tuple = tuple4("10.0.0.5", (uint16_t)(2000 + i), "10.9.8.7", 80);
	const struct bytes to = tuple4("10.0.0.5", 5353, "10.9.8.7", (uint16_t)(3000 + i % 8));

	RUN(s, 10, .pid = 100, .comm = "curl", ARGS("-s"), .tty = tty);
	EVENT(s, 100, EV_SOCKET_X, I(3), I(2), I(1), I(6), I(0));
	EVENT(s, 100, EV_CONNECT_X, I(0), B(tuple), I(3));
	EVENT(s, 100, EV_WRITE_X, I(10), S("x"), I(3), I(10));
	EVENT(s, 100, EV_READ_X, I(20), S("x"), I(3), I(100));
	EVENT(s, 100, EV_SOCKET_X, I(4), I(2), I(2), I(17), I(0));
	EVENT(s, 100, EV_SENDTO_X, I(5), S("x"), I(4), I(5), B(to));
	EVENT(s, 100, EV_CLOSE_X, I(0), I(3));
	story_setsid(s, 100, 100);
	story_exit(s, 100, 0);
}

static void make_story(struct story *s, unsigned rounds, uint32_t tty)
{
	story_begin(s);
	LIST(s, {.tid = 1, .sid = 1, .pgid = 1, .comm = "init"},
	     {.tid = 10, .ptid = 1, .sid = 10, .pgid = 10, .comm = "bash", .tty = tty});
	EVENT(s, 1, EV_CLOSE_E, I(3)); /* an old one: now the plans of conversion are there */
	for (unsigned i = 0; i < rounds; i++)
		round_of_life(s, i, tty);
	story_tick(s);
}

struct trackers {
	struct sf_reader *reader;
	struct state *st;
	struct act_net *net;
	struct act_procs *procs;
	struct act_sessions *sessions;
	uint64_t events;
};

static int begin(struct trackers *x, struct story *s)
{
	const struct act_net_options net = {.conns_max = 16, .drop_closed = true};
	struct error err;
	int rc;

	rc = sf_reader_open_memory(s->c.out.p, s->c.out.len, NULL, &x->reader, &err);
	if (rc == 0)
		rc = state_new(NULL, &x->st, &err);
	if (rc == 0)
		rc = act_net_new(&net, &x->net, &err);
	if (rc == 0)
		rc = act_procs_new(false, &x->procs, &err);
	if (rc == 0)
		rc = act_sessions_new(NULL, &x->sessions, &err);
	return rc;
}

/* One tracker watches at a time: the state has room for one observer. */
static void watch(struct trackers *x, bool sessions)
{
	struct state_observer obs =
	    sessions ? act_sessions_observer(x->sessions) : act_procs_observer(x->procs);

	state_observe(x->st, &obs);
}

/* Return: 1 after an event, 0 at the end, or an error. */
static int step(struct trackers *x)
{
	struct state_binding b;
	struct ev_item item;
	struct error err;
	int rc;

	rc = ev_source_next(sf_reader_source(x->reader), &item, &err);
	if (rc <= 0)
		return rc;
	rc = state_feed(x->st, &item, &b, &err);
	if (rc > 0) {
		x->events++;
		act_net_event(x->net, x->st, &b);
		act_sessions_event(x->sessions, x->st, &b);
	}
	return rc < 0 ? rc : 1;
}

static void end(struct trackers *x)
{
	act_net_free(x->net);
	act_procs_free(x->procs);
	act_sessions_free(x->sessions);
	state_free(x->st);
	sf_reader_close(x->reader);
}

static void the_steady_state_allocates_nothing(void **state)
{
	struct story s;

	(void)state;
	make_story(&s, ROUNDS, 0);
	for (int sessions = 0; sessions < 2; sessions++) {
		struct trackers x = {0};

		assert_int_equal(begin(&x, &s), 0);
		watch(&x, sessions);
		alloc = (struct alloc_wrap){0};
		while (step(&x) > 0) {
			/* The second half: by then every table has its size. */
			alloc.counting = x.events > ROUNDS * 5;
		}
		alloc.counting = false;
		assert_true(x.events > ROUNDS * 10);
		assert_int_equal(alloc.calls, 0);
		assert_int_equal(act_net_stats(x.net)->dropped, 0);
		end(&x);
	}
	story_done(&s);
}

static void running_out_of_memory_anywhere_leaves_things_whole(void **state)
{
	unsigned long fail_at;
	struct story s;

	(void)state;
	make_story(&s, 300, PTS(0));
	for (fail_at = 1;; fail_at++) {
		struct trackers x = {0};
		int rc;

		alloc =
		    (struct alloc_wrap){.counting = true, .fail_at = fail_at, .once = fail_at & 1};
		rc = begin(&x, &s);
		if (rc == 0) {
			watch(&x, fail_at & 2);
			while ((rc = step(&x)) > 0)
				;
			state_complete(x.st);
			act_net_settle(x.net, x.st);
			act_sessions_settle(x.sessions, x.st);
			state_observe(x.st, NULL);
		}
		alloc.counting = false;
		end(&x);
		if (alloc.calls < fail_at)
			break;
	}
	assert_true(fail_at > 20);
	story_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_steady_state_allocates_nothing),
	    cmocka_unit_test(running_out_of_memory_anywhere_leaves_things_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
