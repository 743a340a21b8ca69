/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs are loaded with few of the kernel's types and by two threads. Where one of these is
 * refused, a recording is none the worse for it: the functions below stand between load.c and them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "capture/internal.h"
#include "capture/tests/recording.h"

static struct {
	int file_error, fill_error;
	const void *contents; /* of the file, instead of types */
	uint32_t size;
	int threads_refused;
	/* how often it was called, and what the last one brought */
	unsigned fills, loads, threads;
	const char *types;
	unsigned parts;
} way;

int __real_types_file(void);
int __wrap_types_file(void);
int __real_types_fill(int fd, const struct btf *ours);
int __wrap_types_fill(int fd, const struct btf *ours);
int __real_parts_load(struct parts *p, const void *data, size_t size, const char *types,
		      char text[MESSAGE_MAX]);
int __wrap_parts_load(struct parts *p, const void *data, size_t size, const char *types,
		      char text[MESSAGE_MAX]);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg);

int __wrap_types_file(void)
{
	return way.file_error ? way.file_error : __real_types_file();
}

int __wrap_types_fill(int fd, const struct btf *ours)
{
	way.fills++;
	if (way.contents)
		return write(fd, way.contents, way.size) == (ssize_t)way.size ? 0 : -EIO;
	return way.fill_error ? way.fill_error : __real_types_fill(fd, ours);
}

int __wrap_parts_load(struct parts *p, const void *data, size_t size, const char *types,
		      char text[MESSAGE_MAX])
{
	way.loads++;
	way.types = types;
	way.parts = p->n;
	return __real_parts_load(p, data, size, types, text);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg)
{
	way.threads++;
	if (way.threads_refused > 0) {
		way.threads_refused--;
		return EAGAIN;
	}
	return __real_pthread_create(t, attr, fn, arg);
}

/* What a process calls is recorded, all of it. */
static void record(const char *set)
{
	struct rec_options opt = recording_options(set);
	struct worker w = worker_start(work_open_and_close, 50);
	struct tally t = {.tid = w.pid};
	struct rec_stats stats;
	struct rec *r = recording_open(&opt);

	worker_run(&w);
	tally_finish(r, &t, &stats);
	tally_check(&t, &stats);
	assert_int_equal(t.of_type[EV_OPENAT_2_X], 50);
	assert_int_equal(t.of_type[EV_CLOSE_X], 50);
}

static void few_types_are_enough(void **state)
{
	(void)state;
	memset(&way, 0, sizeof(way));
	record("openat,close");
	assert_int_equal(way.loads, 1);
	assert_int_equal(way.fills, 1);
	assert_non_null(way.types);
	assert_int_equal(way.parts, 1);
	assert_int_equal(way.threads, 1); /* the recorder's own */
}

static void without_a_file_all_types_are_used(void **state)
{
	(void)state;
	memset(&way, 0, sizeof(way));
	way.file_error = -ENOSYS;
	record("openat,close");
	assert_int_equal(way.loads, 1);
	assert_int_equal(way.fills, 0);
}

static void without_a_reduction_all_types_are_used(void **state)
{
	(void)state;
	memset(&way, 0, sizeof(way));
	way.fill_error = -EINVAL;
	record("openat,close");
	assert_int_equal(way.fills, 1);
	assert_int_equal(way.loads, 1);
}

static void types_that_libbpf_refuses_are_not_the_end(void **state)
{
	(void)state;
	memset(&way, 0, sizeof(way));
	way.contents = "no types";
	way.size = 8;
	record("openat,close");
	assert_int_equal(way.fills, 1);
}

/* Without the fields it reads the kernel refuses a program. */
static void programs_that_miss_a_type_get_all_of_them(void **state)
{
	struct btf *nothing = btf__new_empty();

	(void)state;
	memset(&way, 0, sizeof(way));
	assert_true(btf__add_int(nothing, "int", 4, BTF_INT_SIGNED) > 0);
	way.contents = btf__raw_data(nothing, &way.size);
	record("openat,close");
	assert_int_equal(way.loads, 2);
	btf__free(nothing);
}

static void lack_of_memory_is_told_and_not_tried_again(void **state)
{
	struct rec_options opt = recording_options("openat");
	struct error err = {0};
	struct rec *r;

	(void)state;
	memset(&way, 0, sizeof(way));
	r = recording_open(&opt); /* or skip */
	rec_close(r);
	memset(&way, 0, sizeof(way));
	way.fill_error = -ENOMEM;
	assert_int_equal(rec_open(&opt, &r, &err), ERR_NOMEM);
	assert_int_equal(way.fills, 1);
	assert_int_equal(way.loads, 0);
}

static void many_programs_are_loaded_by_several_threads_or_by_one(void **state)
{
	(void)state;
	memset(&way, 0, sizeof(way));
	record("all");
	assert_int_equal(way.loads, 1);
	assert_in_range(way.parts, 1, PARTS_MAX); /* one on a machine with one CPU */
	assert_int_equal(way.threads, way.parts);
	memset(&way, 0, sizeof(way));
	way.threads_refused = PARTS_MAX - 1;
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		record("all");
}

/* The iterators are loaded in the same way, but not in parts. */
static void the_first_state_comes_from_iterators_either_way(void **state)
{
	static const int errors[] = {0, -ENOSYS, -EINVAL};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		struct rec_options opt = recording_options("procexit");
		struct rec_stats stats;
		struct tally t = {0};
		struct rec *r;

		memset(&way, 0, sizeof(way));
		way.file_error = errors[i] == -ENOSYS ? errors[i] : 0;
		way.fill_error = errors[i] == -EINVAL ? errors[i] : 0;
		opt.first_state = true;
		r = recording_open(&opt);
		tally_finish(r, &t, &stats);
		assert_true(stats.state_from_iterators);
		assert_true(stats.threads > 0);
		if (!way.file_error)
			assert_int_equal(way.fills, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(few_types_are_enough),
	    cmocka_unit_test(without_a_file_all_types_are_used),
	    cmocka_unit_test(without_a_reduction_all_types_are_used),
	    cmocka_unit_test(types_that_libbpf_refuses_are_not_the_end),
	    cmocka_unit_test(programs_that_miss_a_type_get_all_of_them),
	    cmocka_unit_test(lack_of_memory_is_told_and_not_tried_again),
	    cmocka_unit_test(many_programs_are_loaded_by_several_threads_or_by_one),
	    cmocka_unit_test(the_first_state_comes_from_iterators_either_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
