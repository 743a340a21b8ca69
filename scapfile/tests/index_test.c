/* SPDX-License-Identifier: Apache-2.0 */
/* The index file: what is written comes back, and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scapfile/index.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/place.h"

#define CHUNKS 5

static const struct sf_index_facts facts = {
    .of = {.size = 1000, .mtime_ns = 7, .ends = {1, 2, 3}},
    .events = 50,
    .gaps = 3,
    .first_ts = 12,
    .start_ts = 11,
    .more = {"more", 4},
};

static const struct sf_access places[] = {
    {.stored = 100, .raw = 1000},
    {.stored = 200, .raw = 3000, .bits = 3, .window = {"window", 6}},
};

/* Chunk i begins behind i * 10 events, at byte i * 1000, and lasts from 100 * i to 100 * i + 90;
 * the third goes back in time. */
static void add_chunk(struct sf_index_writer *w, unsigned i)
{
	struct sf_chunk *c;
	char checkpoint[32];
	struct error err;
	int n = i ? snprintf(checkpoint, sizeof(checkpoint), "checkpoint %u", i) : 0;

	assert_int_equal(sf_index_begin_chunk(w, 1000 * i, 10 * i, &err), 0);
	if (i)
		assert_int_equal(sf_index_add_part(w, i, checkpoint, (size_t)n, &err), 0);
	if (i == 2)
		assert_int_equal(sf_index_add_part(w, 0, "more", 4, &err), 0);
	c = sf_index_current(w);
	sf_chunk_type(c, 2 + i);
	sf_chunk_thread(c, 500 + i);
	sf_chunk_time(c, i == 3 ? 150 : 100 * i);
	sf_chunk_time(c, i == 3 ? 190 : 100 * i + 90);
	sf_chunk_time(c, UINT64_MAX);
}

static const char *written(struct place *p)
{
	const char *path = in_place(p, "a", ".scapidx");
	struct sf_index_writer *w;
	struct error err;

	(void)unlink(path);
	assert_int_equal(sf_index_create(path, &w, &err), 0);
	for (unsigned i = 0; i < CHUNKS; i++)
		add_chunk(w, i);
	assert_int_equal(sf_index_finish(w, &facts, places, COUNT_OF(places), &err), 0);
	return path;
}

static struct sf_index *opened(const char *path)
{
	struct sf_index *x = NULL;
	struct error err = {0};

	if (sf_index_open(path, &x, &err) < 0)
		fail_msg("%s", err.msg);
	return x;
}

static void what_is_written_comes_back(void **state)
{
	struct sf_index *x = opened(written(*state));
	const struct sf_chunk *chunks;
	struct buf b = {0};
	struct error err;
	size_t n;

	assert_true(sf_index_is_of(x, &facts.of));
	assert_false(sf_index_is_of(x, &(struct sf_identity){.size = 1000, .mtime_ns = 7}));
	assert_int_equal(sf_index_facts(x)->first_ts, 12);
	assert_int_equal(sf_index_facts(x)->events, 50);
	assert_int_equal(sf_index_facts(x)->gaps, 3);
	assert_int_equal(sf_index_facts(x)->start_ts, 11);
	assert_true(sv_is(sf_index_facts(x)->more, "more"));
	chunks = sf_index_chunks(x, &n);
	assert_int_equal(n, CHUNKS);
	for (unsigned i = 0; i < CHUNKS; i++) {
		assert_int_equal(chunks[i].offset, 1000 * i);
		assert_int_equal(chunks[i].events, 10 * i);
		for (unsigned t = 0; t < CHUNKS; t++)
			assert_int_equal(sf_chunk_has_type(&chunks[i], 2 + t), t == i);
		assert_true(sf_chunk_may_have(&chunks[i], 500 + i));
		assert_int_equal(sf_index_part(x, i, 0, &b, &err), 0);
		assert_int_equal(b.len, i == 2 ? 4 : 0);
		assert_int_equal(sf_index_part(x, i, i, &b, &err), 0);
		assert_int_equal(b.len, i ? 12 : 0);
		assert_true(!i || b.p[11] == (char)('0' + i));
	}
	assert_int_equal(chunks[3].first_ts, 150);
	assert_int_equal(chunks[3].last_ts, 190);
	buf_done(&b);
	sf_index_close(x);
}

static void places_are_found(void **state)
{
	struct sf_index *x = opened(written(*state));

	/* Times: the first chunk with an event as late. */
	assert_int_equal(sf_index_find_time(x, 0), 0);
	assert_int_equal(sf_index_find_time(x, 90), 0);
	assert_int_equal(sf_index_find_time(x, 91), 1);
	assert_int_equal(sf_index_find_time(x, 170), 1);
	assert_int_equal(sf_index_find_time(x, 291), 4);
	assert_int_equal(sf_index_find_time(x, 10000), 4);
	assert_int_equal(sf_index_end_of_time(x, 399), 4000);
	assert_true(sf_index_end_of_time(x, 400) == UINT64_MAX);
	assert_int_equal(sf_index_end_of_time(x, 149), 2000);
	assert_int_equal(sf_index_end_of_time(x, 150), 4000);
	/* Numbers count from 1. */
	assert_int_equal(sf_index_find_event(x, 1), 0);
	assert_int_equal(sf_index_find_event(x, 10), 0);
	assert_int_equal(sf_index_find_event(x, 11), 1);
	assert_int_equal(sf_index_find_event(x, 1000), 4);
	/* Offsets. */
	assert_int_equal(sf_index_access(x, 999)->raw, 0);
	assert_int_equal(sf_index_access(x, 1000)->stored, 100);
	assert_int_equal(sf_index_access(x, 2999)->stored, 100);
	assert_int_equal(sf_index_access(x, 5000)->bits, 3);
	assert_true(sv_is(sf_index_access(x, 5000)->window, "window"));
	sf_index_close(x);
}

/* Does @x say what was written? Return: 0, or ERR_* of a checkpoint that cannot be had. */
static int compare(const struct sf_index *x, const struct sf_index *good)
{
	const struct sf_chunk *a, *b;
	struct buf one = {0}, two = {0};
	struct error err;
	size_t n, m;
	int rc = 0;

	a = sf_index_chunks(x, &n);
	b = sf_index_chunks(good, &m);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n * sizeof(*a));
	assert_true(sf_index_is_of(x, &facts.of));
	assert_memory_equal(sf_index_facts(x), sf_index_facts(good),
			    offsetof(struct sf_index_facts, more));
	assert_true(sv_eq(sf_index_facts(x)->more, facts.more));
	assert_int_equal(sf_index_access(x, 5000)->stored, 200);
	for (unsigned i = 0; i < n * CHUNKS && rc == 0; i++) {
		rc = sf_index_part(x, i / CHUNKS, i % CHUNKS, &one, &err);
		assert_int_equal(sf_index_part(good, i / CHUNKS, i % CHUNKS, &two, &err), 0);
		assert_true(rc < 0 || sv_eq(buf_view(&one), buf_view(&two)));
	}
	buf_done(&one);
	buf_done(&two);
	return rc;
}

/* Any bit, any length: refused, or what was written comes back all the same (frames have bits
 * without a meaning). */
static void damage_is_refused(void **state)
{
	struct place *p = *state;
	struct sf_index *good = opened(written(p)), *x;
	const char *path = in_place(p, "damaged", ".scapidx");
	unsigned refused = 0, accepted = 0;
	struct buf bytes = {0};
	struct error err;
	char from[128];

	snprintf(from, sizeof(from), "%s/a.scapidx", p->dir);
	slurp(&bytes, from);
	for (size_t at = 0; at < bytes.len * 9; at++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		unsigned bit = (unsigned)(at % 9);
		size_t i = at / 9, n = bit < 8 ? bytes.len : i;

		if (bit < 8)
			bytes.p[i] = (char)(bytes.p[i] ^ 1 << bit);
		assert_int_equal(write(fd, bytes.p, n), n);
		close(fd);
		if (bit < 8)
			bytes.p[i] = (char)(bytes.p[i] ^ 1 << bit);
		if (sf_index_open(path, &x, &err) < 0) {
			refused++;
			continue;
		}
		assert_true(bit < 8);
		if (compare(x, good) < 0)
			refused++;
		else
			accepted++;
		sf_index_close(x);
	}
	assert_true(accepted * 100 < refused);
	sf_index_close(good);
	buf_done(&bytes);
}

static void an_index_that_is_not_finished_is_none(void **state)
{
	const char *path = in_place(*state, "b", ".scapidx");
	struct sf_index_writer *w;
	struct sf_index *x;
	struct error err;

	assert_int_equal(sf_index_create(path, &w, &err), 0);
	add_chunk(w, 0);
	assert_int_equal(sf_index_open(path, &x, &err), ERR_IO);
	sf_index_abandon(w);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_capture_is_known_by_its_ends(void **state)
{
	const char *path = in_place(*state, "c", ".scap");
	static char bytes[200000];
	struct sf_identity a, b;
	struct error err;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	struct timespec times[2];
	struct stat sb;

	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(fstat(fd, &sb), 0);
	times[0] = times[1] = sb.st_mtim;
	assert_int_equal(sf_identify(path, &a, &err), 0);
	assert_int_equal(a.size, sizeof(bytes));
	for (unsigned i = 0; i < 3; i++) {
		off_t at = i == 0 ? 10 : i == 1 ? 100000 : 199999;

		assert_int_equal(pwrite(fd, "x", 1, at), 1);
		assert_int_equal(futimens(fd, times), 0);
		assert_int_equal(sf_identify(path, &b, &err), 0);
		/* What lies between is left to whoever hashes all of it. */
		assert_int_equal(memcmp(&a, &b, sizeof(a)) == 0, i == 1);
		a = b;
	}
	close(fd);
	assert_int_equal(sf_identify("/dev/null", &b, &err), ERR_UNSUPPORTED);
	assert_int_equal(sf_identify("/nowhere", &b, &err), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(what_is_written_comes_back),
	    in_a_place(places_are_found),
	    in_a_place(damage_is_refused),
	    in_a_place(an_index_that_is_not_finished_is_none),
	    in_a_place(a_capture_is_known_by_its_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
