/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/live.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/tests/live_internal.h"
#include "capture/wire.h"

#define SECONDS	    10
#define STATUS_DIED 99

static struct live the_live; /* a binary has one */
static const char *wanted;   /* by the child */

static uint64_t epoch_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- in the child --- */

long live_call_(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#else
	ret = syscall(nr, a, b, c, d, e, f);
	if (ret == -1)
		ret = -errno;
#endif
	return ret;
}

void live_pause(void)
{
	live_source_nothing(the_live.source);
}

void live_resume(void)
{
	live_source_want(the_live.source, wanted);
}

void live_die(const char *format, ...)
{
	va_list ap;

	live_pause();
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(STATUS_DIED);
}

/* One CPU: the events of the child come in the order of its calls. */
static void pin(void)
{
	cpu_set_t may, one;

	if (sched_getaffinity(0, sizeof(may), &may))
		live_die("sched_getaffinity: %s", strerror(errno));
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &may))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		break;
	}
	if (sched_setaffinity(0, sizeof(one), &one))
		live_die("sched_setaffinity: %s", strerror(errno));
}

static _Noreturn void child(const char *calls, void (*fn)(void *), void *shared)
{
	wanted = calls;
	pin();
	live_resume();
	fn(shared);
	if (!strstr(calls, "exit"))
		live_pause();
	live_call(SYS_exit_group, 0);
	abort();
}

/* --- in the test --- */

static void keep(void *arg, const uint8_t *body, size_t n, int cpu)
{
	struct live *l = arg;
	struct live_event *e;
	uint8_t *copy;

	if (n < WIRE_HEADER_LEN || l->n == LIVE_EVENTS_MAX)
		return;
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->events = realloc(l->events, l->room * sizeof(*l->events));
		assert_non_null(l->events);
	}
	copy = malloc(n);
	assert_non_null(copy);
	memcpy(copy, body, n);
	e = &l->events[l->n++];
	*e = (struct live_event){.live = l,
				 .body = copy,
				 .cpu = cpu,
				 .ts = load_u64(copy),
				 .tid = (int64_t)load_u64(copy + 8),
				 .len = (uint32_t)n,
				 .type = load_u16(copy + 20),
				 .nparams = (uint16_t)load_u32(copy + 22)};
}

static void forget(struct live *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free((void *)l->events[i].body);
	l->n = 0;
}

static void drop(void *arg, const uint8_t *body, size_t n, int cpu)
{
	(void)arg, (void)body, (void)n, (void)cpu;
}

static int by_time(const void *a, const void *b)
{
	const struct live_event *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->body < y->body ? -1 : x->body > y->body; /* any order, but always the same */
}

static bool fails(const struct live_event *e)
{
	const struct ev_info *info = &ev_table[e->type];
	unsigned type = info->nparams ? info->params[0].type : PT_NONE;

	if (type != PT_ERRNO && type != PT_FD && type != PT_PID && type != PT_INT64)
		return false;
	if (load_u16(e->body + WIRE_HEADER_LEN) != 8)
		return false;
	return (int64_t)load_u64(e->body + WIRE_HEADER_LEN + 2 * e->nparams) < 0;
}

/* The header, the number of parameters and the sum of their lengths. */
static void check_shape(struct live_event *e)
{
	uint32_t sum = WIRE_HEADER_LEN + 2u * e->nparams, len = load_u32(e->body + 16);

	if (e->type == EV_TYPE_URING) /* its test looks at it */
		return;
	if (e->type >= EV_TYPE_COUNT)
		fail_msg("a record of type %u", e->type);
	if (len > e->len || e->len - len > WIRE_SHORT_MAX + sizeof(uint16_t))
		live_fail_(e, NULL, __FILE__, __LINE__, "the header says %u bytes, there are %u",
			   len, e->len);
	e->len = len; /* a short event may stand in a longer record, before the number of its CPU */
	if (e->nparams != ev_table[e->type].nparams)
		live_fail_(e, NULL, __FILE__, __LINE__, "%u parameters instead of %u", e->nparams,
			   ev_table[e->type].nparams);
	for (unsigned i = 0; i < e->nparams && sum <= e->len; i++)
		sum += load_u16(e->body + WIRE_HEADER_LEN + 2 * i);
	if (sum != e->len)
		live_fail_(e, NULL, __FILE__, __LINE__, "the lengths sum up to %u of %u bytes", sum,
			   e->len);
	e->failed = fails(e);
}

/* Return: waitpid()'s status, after SECONDS that of a child that was killed. */
static int wait_for(pid_t pid, bool *late)
{
	int status = 0;

	*late = true;
	for (int i = 0; i < SECONDS * 1000; i++) {
		if (waitpid(pid, &status, WNOHANG | __WALL) == pid) {
			*late = false;
			return status;
		}
		usleep(i < 20 ? 200 : 1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
	return status;
}

void *live_run_(struct live *l, const char *calls, void (*fn)(void *shared), const void *in,
		size_t n, const char *file, int line)
{
	bool late;
	pid_t pid;

	forget(l);
	live_source_drain(l->source, drop, NULL);
	memset(l->shared, 0, LIVE_SHARED);
	if (in)
		memcpy(l->shared, in, n);
	fflush(NULL);
	l->from = epoch_ns();
	pid = fork();
	if (!pid)
		child(calls, fn, l->shared);
	l->tid = pid;
	l->status = wait_for(pid, &late);
	live_source_nothing(l->source);
	l->to = epoch_ns();
	live_source_drain(l->source, keep, l);
	if (l->n)
		qsort(l->events, l->n, sizeof(*l->events), by_time);
	for (unsigned i = 0; i < l->n; i++)
		if (l->events[i].tid == l->tid)
			check_shape(&l->events[i]);
	if (late || (WIFEXITED(l->status) && WEXITSTATUS(l->status) == STATUS_DIED)) {
		print_error(late ? "the child did not end\n" : "the child could not prepare\n");
		_fail(file, line);
	}
	return l->shared;
}

void live_settings(struct live *l, uint32_t snaplen, uint32_t shed)
{
	live_source_settings(l->source, snaplen, shed);
}

int64_t live_tid(const struct live *l)
{
	return l->tid;
}

int live_status(const struct live *l)
{
	return l->status;
}

uint64_t live_from(const struct live *l)
{
	return l->from;
}

uint64_t live_to(const struct live *l)
{
	return l->to;
}

unsigned live_events(struct live *l, struct live_event **out)
{
	*out = l->events;
	return l->n;
}

/* --- the binary --- */

static int setup(void **state)
{
	*state = &the_live;
	return 0;
}

static int teardown(void **state)
{
	struct live *l = *state;

	forget(l);
	free(l->events);
	return 0;
}

int live_main(const char *name, const char *set, int (*run)(int (*)(void **), int (*)(void **)))
{
	struct live *l = &the_live;
	const char *only = getenv("LIVE_TEST");
	char why[256] = "";
	int rc;

	l->name = name;
	rc = live_source_open(set, &l->source, why, sizeof(why));
	if (rc) {
		fprintf(stderr, "%s: %s: %s\n", name, rc > 0 ? "skipped" : "cannot record", why);
		return rc > 0 ? LIVE_SKIPPED : 1;
	}
	l->shared =
	    mmap(NULL, LIVE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED)
		return 1;
	if (only)
		cmocka_set_test_filter(only);
	rc = run(setup, teardown);
	if (!only && live_truth_missing(l))
		rc = 1;
	live_source_close(l->source);
	munmap(l->shared, LIVE_SHARED);
	return rc;
}
