/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/recording.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a process that waits, works, and ends --- */

struct worker worker_start(void (*work)(long n), long n)
{
	int go[2];
	char c;
	struct worker w;

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	w = (struct worker){.go = go[1]};
	w.pid = fork();
	assert_true(w.pid >= 0);
	if (w.pid == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) == 1)
			work(n);
		_exit(42);
	}
	close(go[0]);
	return w;
}

void worker_go(struct worker *w)
{
	assert_int_equal(write(w->go, "x", 1), 1);
}

void worker_wait(struct worker *w)
{
	int status;

	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_int_equal(WEXITSTATUS(status), 42);
	close(w->go);
}

void worker_run(struct worker *w)
{
	worker_go(w);
	worker_wait(w);
}

void work_open_and_close(long n)
{
	for (long i = 0; i < n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/nowhere/file-%ld", i);
		close(openat(AT_FDCWD, path, O_RDONLY));
	}
}

void work_ask_parent(long n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
}

void work_write_much(long n)
{
	static char data[1000];
	int fd = open("/dev/null", O_WRONLY);

	while (n-- > 0)
		if (write(fd, data, sizeof(data)) != sizeof(data))
			_exit(1);
}

void work_have_a_child(long n)
{
	pid_t pid = fork();

	if (pid == 0) {
		work_ask_parent(n);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	work_ask_parent(n);
}

/* --- a recording --- */

struct rec_options recording_options(const char *set)
{
	struct rec_options opt;
	struct error err = {0};

	rec_options_init(&opt);
	memset(&opt.set, 0, sizeof(opt.set));
	if (rec_set_parse(&opt.set, sv_of(set), &err) < 0)
		fail_msg("%s", err.msg);
	opt.exact_set = true;
	opt.first_state = false;
	opt.ring_bytes = 1 << 20;
	opt.memory_bytes = 64 << 20;
	return opt;
}

struct rec *recording_open(const struct rec_options *opt)
{
	struct error err = {0};
	struct rec *r = NULL;
	int rc = rec_open(opt, &r, &err);

	if (rc == ERR_PERMISSION || (rc == ERR_UNSUPPORTED && strstr(err.msg, "recording needs"))) {
		print_message("%s\n", err.msg);
		skip();
	}
	if (rc < 0)
		fail_msg("%d: %s", rc, err.msg);
	return r;
}

void tally_add(struct tally *t, const struct ev_item *item)
{
	if (item->kind == EV_ITEM_LOSS) {
		t->losses++;
		t->lost += item->loss->count;
		t->by_reason[item->loss->reason] += item->loss->count;
		assert_true(item->loss->from <= item->loss->to);
		for (unsigned i = 0; i < item->loss->nkinds; i++)
			t->lost_of_type[item->loss->kinds[i].type] += item->loss->kinds[i].count;
		return;
	}
	if (item->kind != EV_ITEM_EVENT)
		return;
	t->events++;
	t->disorder += item->ev->ts < t->last_ts;
	t->last_ts = item->ev->ts > t->last_ts ? item->ev->ts : t->last_ts;
	t->foreign += t->tid && item->ev->tid != t->tid;
	if (!t->tid || item->ev->tid == t->tid) {
		t->of_type[item->ev->type]++;
		t->last_type = item->ev->type;
	}
}

void tally_finish(struct rec *r, struct tally *t, struct rec_stats *stats)
{
	struct error err = {0};
	struct ev_item item;
	int rc;

	rec_stop(r);
	while ((rc = rec_next(r, &item, 2000, &err)) == 1)
		tally_add(t, &item);
	assert_int_equal(rc, 0);
	rec_stats(r, stats);
	rec_close(r);
}

struct tally record_worker(const struct rec_options *opt, struct worker *w, struct rec_stats *stats)
{
	struct tally t = {.tid = w->pid};
	struct rec *r = recording_open(opt);

	worker_run(w);
	tally_finish(r, &t, stats);
	return t;
}

void tally_check(const struct tally *t, const struct rec_stats *s)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		lost += s->lost[i];
		assert_int_equal(s->lost[i], t->by_reason[i]);
	}
	assert_int_equal(s->delivered, t->events);
	assert_int_equal(s->late, t->disorder);
	assert_int_equal(lost, t->lost);
	assert_int_equal(s->seen, s->delivered + lost);
	assert_int_equal(s->lost[EV_LOSS_INVALID], 0);
}
