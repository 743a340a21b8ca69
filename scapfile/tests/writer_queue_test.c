/* SPDX-License-Identifier: Apache-2.0 */
/* Behind the writer: frames wait while nobody takes them, in bounded memory, and all arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scapfile/tests/place.h"
#include "scapfile/writing.h"

#define FRAME  (64u << 10)
#define PIPE   (64u << 10) /* what a pipe holds */
#define EVENTS ((4u << 20) / 56)

/* Standard output as a pipe, whose other end another process reads into a file when it is told. */
struct stall {
	int saved, go;
	pid_t reader;
};

static _Noreturn void read_later(int from, int go, const char *path)
{
	FILE *f = fopen(path, "wb");
	static char bytes[65536];
	ssize_t n;

	if (!f || read(go, bytes, 1) != 1)
		_exit(1);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (fwrite(bytes, 1, (size_t)n, f) != (size_t)n)
			_exit(1);
	_exit(fclose(f) ? 1 : 0);
}

static void begin_stall(struct stall *s, const char *path)
{
	int data[2], go[2];

	assert_int_equal(pipe(data), 0);
	assert_int_equal(pipe(go), 0);
	s->reader = fork();
	if (s->reader == 0) {
		close(data[1]);
		close(go[1]);
		read_later(data[0], go[0], path);
	}
	close(data[0]);
	close(go[0]);
	s->go = go[1];
	s->saved = dup(STDOUT_FILENO);
	dup2(data[1], STDOUT_FILENO);
	close(data[1]);
}

static void end_stall(struct stall *s)
{
	assert_int_equal(write(s->go, "g", 1), 1);
}

static void end_reading(struct stall *s)
{
	int status;

	dup2(s->saved, STDOUT_FILENO);
	close(s->saved);
	close(s->go);
	assert_int_equal(waitpid(s->reader, &status, 0), s->reader);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void check_file(const char *path, uint64_t events)
{
	struct buf file = {0};
	uint64_t gaps;

	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), events);
	assert_int_equal(gaps, 0);
	buf_done(&file);
}

static uint64_t waiting(struct sf_queue *q)
{
	uint64_t n;

	pthread_mutex_lock(&q->lock);
	n = q->waiting;
	pthread_mutex_unlock(&q->lock);
	return n;
}

/* If the writer waited, this test would never end. */
static void nobody_waits_while_the_disk_stands_still(void **state)
{
	const struct sf_writer_options opt = {
	    .frame_bytes = FRAME, .background = true, .queue_bytes = EVENTS * 57};
	const char *path = in_place(*state, "out", ".scap");
	struct sf_writer *w;
	struct stall s;

	begin_stall(&s, path);
	w = open_writer("-", &opt);
	add_stats(w, 1, EVENTS);
	assert_true(waiting(&w->queue) <= opt.queue_bytes);
	end_stall(&s);
	close_writer(w);
	end_reading(&s);
	check_file(path, EVENTS);
}

static void what_waits_is_bounded(void **state)
{
	const struct sf_writer_options opt = {
	    .frame_bytes = FRAME, .background = true, .queue_bytes = 4 * FRAME};
	const char *path = in_place(*state, "out", ".scap");
	struct sf_writer *w;
	struct stall s;
	uint64_t most = 0;

	begin_stall(&s, path);
	w = open_writer("-", &opt);
	/* No more than fits in front of the reader. */
	add_stats(w, 1, (PIPE + 2 * FRAME) / 56);
	end_stall(&s);
	for (uint64_t i = (PIPE + 2 * FRAME) / 56; i < EVENTS; i++) {
		uint64_t n = waiting(&w->queue);

		most = n > most ? n : most;
		add_stats(w, i + 1, 1);
	}
	close_writer(w);
	end_reading(&s);
	assert_in_range(most, FRAME, opt.queue_bytes);
	check_file(path, EVENTS);
}

/* Frames that are larger than the limit go one by one. */
static void a_frame_over_the_limit_may_wait_alone(void **state)
{
	const struct sf_writer_options opt = {
	    .frame_bytes = FRAME, .background = true, .queue_bytes = 1};
	const char *path = in_place(*state, "out", ".scap.zst");
	struct sf_writer *w = open_writer(path, &opt);

	for (uint64_t i = 0; i < 20000; i++) {
		add_stats(w, i + 1, 1);
		assert_true(waiting(&w->queue) < 2 * FRAME);
	}
	close_writer(w);
	check_file(path, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(nobody_waits_while_the_disk_stands_still),
	    in_a_place(what_waits_is_bounded),
	    in_a_place(a_frame_over_the_limit_may_wait_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
