/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live tests of the recorder: a function makes calls in a child process, pinned to one CPU, while
 * this host is recorded; the test then compares the events with what it knows, parameter by
 * parameter and by name. What the parameters must hold is the live capture specification's list of
 * parameters. One recorder serves all tests of a binary. Where BPF is not permitted the binary
 * ends with LIVE_SKIPPED, which ctest reports as skipped.
 *
 *	static void close_twice(void *shared)
 *	{
 *		live_call(SYS_close, -7);
 *	}
 *
 *	static void a_close_that_fails_is_told(void **state)
 *	{
 *		struct live *l = *state;
 *		struct live_event *e;
 *
 *		live_run(l, "close", close_twice);
 *		e = expect_event(l, EV_CLOSE_X);
 *		expect_i64(e, "res", -EBADF);
 *		expect_i64(e, "fd", -7);
 *		expect_end(l);
 *	}
 *
 *	LIVE_MAIN("example", "close,read", cmocka_unit_test(a_close_that_fails_is_told))
 *
 * Threads: one.
 */
#ifndef CAPTURE_TESTS_LIVE_H
#define CAPTURE_TESTS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scapfile/event.h"

#define LIVE_SKIPPED 77
#define LIVE_SHARED  (64u << 10) /* bytes a child shares with its test */

struct live;

struct live_event { /* of the last live_run(); valid until the next */
	uint64_t ts;
	int64_t tid;
	uint32_t len;
	int cpu;
	uint16_t type, nparams;
	bool taken;
	bool failed; /* by its first parameter, if that is a result */
	const uint8_t *body;
	struct live *live;
};

/* --- in the child --- */

/* A system call as the CPU makes it: all six registers known, no errno, nothing else called. */
long live_call_(long nr, long a, long b, long c, long d, long e, long f);
#define live_call(...) live_call__(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define live_call__(nr, a, b, c, d, e, f, ...)                                                     \
	live_call_((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* Calls made between the two are not recorded: preparations. */
void live_pause(void);
void live_resume(void);
/* The preparations went wrong: the test fails with this message. */
_Noreturn void live_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define LIVE_NEED(condition)                                                                       \
	do {                                                                                       \
		if (!(condition))                                                                  \
			live_die("%s:%d: %s (errno %d)", __FILE__, __LINE__, #condition, errno);   \
	} while (0)

/* --- in the test --- */

/*
 * Run @fn in a child while @calls are recorded: names of system calls and tracepoints, "enter:NAME"
 * for the copy made before the call, "ia32" for 32-bit calls without an equivalent, "all" for all
 * calls; each must be in the binary's set. Only descendants of the test are recorded. Fails if the
 * child does not end by itself in 10 seconds, or could not prepare. Return: what @fn wrote to its
 * argument, LIVE_SHARED bytes, zero before.
 */
#define live_run(l, calls, fn) live_run_(l, calls, fn, NULL, 0, __FILE__, __LINE__)
/* The same with @n bytes at @in copied into the shared bytes first. */
#define live_run_with(l, calls, fn, in, n) live_run_(l, calls, fn, in, n, __FILE__, __LINE__)
void *live_run_(struct live *l, const char *calls, void (*fn)(void *shared), const void *in,
		size_t n, const char *file, int line);
/* From now on: bytes of data kept, at first 80, and what is left out, of enum wire_shed. */
void live_settings(struct live *l, uint32_t snaplen, uint32_t shed);
int64_t live_tid(const struct live *l);	  /* of the last child */
int live_status(const struct live *l);	  /* as waitpid() told it */
uint64_t live_from(const struct live *l); /* times of the run, ns since the epoch */
uint64_t live_to(const struct live *l);
/* All events of the run, of the child and its descendants, by time. Return: how many. */
unsigned live_events(struct live *l, struct live_event **out);
void live_print(const struct live_event *e); /* to stderr */

/* The next event of the child, or of @tid, which must be of @type. */
#define expect_event(l, type)	      live_expect_(l, live_tid(l), type, __FILE__, __LINE__)
#define expect_event_of(l, tid, type) live_expect_(l, tid, type, __FILE__, __LINE__)
struct live_event *live_expect_(struct live *l, int64_t tid, unsigned type, const char *file,
				int line);
/* There is no further event of the child, or of @tid. */
#define expect_end(l)	      live_expect_end_(l, live_tid(l), __FILE__, __LINE__)
#define expect_end_of(l, tid) live_expect_end_(l, tid, __FILE__, __LINE__)
void live_expect_end_(struct live *l, int64_t tid, const char *file, int line);

/* An integer of any width: sign or zero extended as its type says. */
#define expect_i64(e, name, v) live_i64_(e, name, (int64_t)(v), (int64_t)(v), __FILE__, __LINE__)
#define expect_range(e, name, low, high)                                                           \
	live_i64_(e, name, (int64_t)(low), (int64_t)(high), __FILE__, __LINE__)
void live_i64_(struct live_event *e, const char *name, int64_t low, int64_t high, const char *file,
	       int line);
/* Exactly these flags of the parameter's set: "O_RDWR|O_CREAT", "" for none. */
#define expect_flags(e, name, flags) live_flags_(e, name, flags, __FILE__, __LINE__)
void live_flags_(struct live_event *e, const char *name, const char *flags, const char *file,
		 int line);
#define expect_bytes(e, name, p, n) live_bytes_(e, name, p, n, __FILE__, __LINE__)
#define expect_str(e, name, text)   live_str_(e, name, text, __FILE__, __LINE__)
#define expect_empty(e, name)	    live_bytes_(e, name, "", 0, __FILE__, __LINE__)
void live_bytes_(struct live_event *e, const char *name, const void *p, size_t n, const char *file,
		 int line);
void live_str_(struct live_event *e, const char *name, const char *text, const char *file,
	       int line);
/* A value that says what it is: the selector byte, then @width bytes of @v, or a string. */
#define expect_dyn(e, name, selector, v, width)                                                    \
	live_dyn_(e, name, selector, (int64_t)(v), width, __FILE__, __LINE__)
#define expect_dyn_str(e, name, selector, text)                                                    \
	live_dyn_str_(e, name, selector, text, __FILE__, __LINE__)
void live_dyn_(struct live_event *e, const char *name, unsigned selector, int64_t v, unsigned width,
	       const char *file, int line);
void live_dyn_str_(struct live_event *e, const char *name, unsigned selector, const char *text,
		   const char *file, int line);
/* The raw value, for comparisons of its own kind; counts as compared. */
struct ev_value live_value(struct live_event *e, const char *name);
int64_t live_number(struct live_event *e, const char *name);
#define live_fail(e, name, ...) live_fail_(e, name, __FILE__, __LINE__, __VA_ARGS__)
_Noreturn void live_fail_(const struct live_event *e, const char *name, const char *file, int line,
			  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Cuts a line of a table at its tabs and at its end. Return: the columns, at most @max. */
size_t live_split(char *line, char *cell[], size_t max);

/*
 * The main function of a binary: @name as in truth.tsv, @set everything its tests record,
 * "io_uring" for what rings submit, all the time, "+dynamic" for snaplens by protocol,
 * "+ports:FIRST-LAST" for ports recorded whole. At the end each event that truth.tsv gives to this
 * binary must have been seen, as success and as failure unless its row excepts one, and each of its
 * parameters compared.
 */
int live_main(const char *name, const char *set,
	      int (*run)(int (*setup)(void **), int (*teardown)(void **)));
#define LIVE_MAIN(name, set, ...)                                                                  \
	static const struct CMUnitTest live_tests[] = {__VA_ARGS__};                               \
	static int live_run_tests(int (*setup)(void **), int (*teardown)(void **))                 \
	{                                                                                          \
		return cmocka_run_group_tests_name(name, live_tests, setup, teardown);             \
	}                                                                                          \
	int main(void)                                                                             \
	{                                                                                          \
		return live_main(name, set, live_run_tests);                                       \
	}

#endif
