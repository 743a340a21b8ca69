/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: in the steady state events allocate nothing; when memory runs out, feeding fails and the
 * state stays whole. The allocator is wrapped by the linker (see CMakeLists.txt).
 */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"

#define ROUNDS 600

/* --- a life of processes, as a list of events --- */

#define ADD(s, ts, tid, type, ...)                                                                 \
	world_synth((s), (ts), (tid), (type), (const struct arg[]){__VA_ARGS__},                   \
		    COUNT_OF(((const struct arg[]){__VA_ARGS__})))

static void add_task(struct ev_synth *s, uint64_t ts, int64_t tid, unsigned type, int64_t ret,
		     int64_t pid)
{
	static const char args[] = "-x\0some argument", env[] = "HOME=/root\0PATH=/bin";
	static const char cgroups[] = "cpu=/a\0memory=/user.slice/user-0.slice/s.scope";

	ADD(s, ts, tid, type, I(ret), S("/bin/prog"), BYTES(args, sizeof(args)), I(tid), I(pid),
	    I(1), S(""), I(1024), I(1), I(2), I(3), I(4), I(5), S("prog"),
	    BYTES(cgroups, sizeof(cgroups)),
	    type == EV_EXECVE_19_X ? (struct arg)BYTES(env, sizeof(env)) : (struct arg)I(0), I(0),
	    I(0), I(tid), I(pid));
}

/* A process appears, execs, works with files and a socket, and exits. */
static void add_round(struct ev_synth *s, int round)
{
	struct bytes tuple = tuple4("10.0.0.1", (uint16_t)(1000 + round), "10.0.0.2", 80);
	uint64_t ts = world_ns((uint64_t)round * 3000);
	int64_t tid = 100 + round % 40;

	add_task(s, ts, 1, EV_CLONE_20_X, tid, 1);
	add_task(s, ts + 1, tid, EV_CLONE_20_X, 0, tid);
	add_task(s, ts + 2, tid, EV_EXECVE_19_X, 0, tid);
	for (int i = 3; i < 40; i++) {
		ADD(s, ts + 3, tid, EV_OPENAT_2_E, I(-100), S("../etc/some/file"), I(1), I(0));
		ADD(s, ts + 3, tid, EV_OPENAT_2_X, I(i), I(-100), S("../etc/some/file"), I(1), I(0),
		    I(1), I(2));
		ADD(s, ts + 3, tid, EV_READ_X, I(5), NONE, I(i), I(5));
	}
	ADD(s, ts + 4, tid, EV_DUP2_X, I(1), I(3), I(1));
	ADD(s, ts + 4, tid, EV_PIPE_X, I(0), I(70), I(700), I(9));
	ADD(s, ts + 4, tid, EV_SOCKET_X, I(50), I(2), I(1), I(0), I(0));
	ADD(s, ts + 4, tid, EV_CONNECT_X, I(0), RAW(tuple), I(50));
	ADD(s, ts + 4, tid, EV_CHDIR_X, I(0), S("/var/lib"));
	ADD(s, ts + 4, tid, EV_SETUID_X, I(0), I(5));
	ADD(s, ts + 5, tid, EV_CLOSE_X, I(0), I(5));
	ADD(s, ts + 6, tid, EV_PROCEXIT_1_E, I(0), I(0), I(0), I(0), I(1));
}

static struct ev_source *source_of_rounds(int rounds)
{
	struct ev_thread_entry init = world_entry(1, 1, 0);
	struct ev_synth *s = ev_synth_new();

	assert_non_null(s);
	assert_int_equal(
	    ev_synth_add(s, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = &init}), 0);
	for (int i = 0; i < rounds; i++)
		add_round(s, i);
	return ev_synth_source(s);
}

static void the_steady_state_allocates_nothing(void **arg)
{
	struct ev_source *source = source_of_rounds(ROUNDS);
	struct state_binding bind;
	struct ev_item item;
	struct state *st;

	(void)arg;
	alloc.calls = 0;
	alloc.fail_at = 0;
	assert_int_equal(state_new(NULL, &st, NULL), 0);
	while (ev_source_next(source, &item, NULL) == 1) {
		alloc.counting = state_stats(st)->events > ROUNDS / 3 * 122u;
		assert_true(state_feed(st, &item, &bind, NULL) >= 0);
		alloc.counting = false;
	}
	assert_true(state_stats(st)->events == ROUNDS * 122u);
	assert_int_equal(alloc.calls, 0);
	assert_int_equal(state_threads(st), 2);
	state_free(st);
	ev_source_close(source);
}

/* Feed everything with allocation @n failing, and all after it. Return: whether any failed. */
static bool run_short_of_memory(struct ev_source *source, unsigned n)
{
	struct state_binding bind;
	struct error err = {0};
	bool failed = false;
	struct ev_item item;
	struct state *st;

	assert_int_equal(state_new(NULL, &st, NULL), 0);
	alloc.calls = 0;
	alloc.fail_at = n;
	while (ev_source_next(source, &item, NULL) == 1) {
		int rc;

		alloc.counting = true;
		rc = state_feed(st, &item, &bind, &err);
		alloc.counting = false;
		assert_true(rc >= 0 || rc == ERR_NOMEM);
		failed |= rc < 0;
	}
	if (state_check(st, &err) < 0)
		fail_msg("after failure %u the state is broken: %s", n, err.msg);
	state_free(st);
	ev_source_close(source);
	return failed;
}

static void running_out_of_memory_is_reported_and_breaks_nothing(void **arg)
{
	unsigned n = 1;

	(void)arg;
	while (run_short_of_memory(source_of_rounds(8), n))
		n++;
	assert_true(n > 4);
}

static void a_state_that_cannot_be_made_is_an_error(void **arg)
{
	struct state *st = NULL;

	(void)arg;
	for (unsigned n = 1; n < 3; n++) {
		int rc;

		alloc.calls = 0;
		alloc.fail_at = n;
		alloc.counting = true;
		rc = state_new(NULL, &st, NULL);
		alloc.counting = false;
		assert_int_equal(rc, ERR_NOMEM);
		assert_null(st);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_steady_state_allocates_nothing),
	    cmocka_unit_test(running_out_of_memory_is_reported_and_breaks_nothing),
	    cmocka_unit_test(a_state_that_cannot_be_made_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
