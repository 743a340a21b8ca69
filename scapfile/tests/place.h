/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of files share: a directory of their own, writers and readers that end the test when
 * something fails that should not.
 */
#ifndef SCAPFILE_TESTS_PLACE_H
#define SCAPFILE_TESTS_PLACE_H

#include "base/buf.h"
#include "scapfile/writer.h"

struct place {
	char dir[64];
	char path[128]; /* what in_place() made last */
};

/* Setup and teardown of a test: *state is its struct place. */
int make_place(void **state);
int remove_place(void **state);
#define in_a_place(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

/* The path of the file @name followed by @end in the directory; valid until the next call. */
const char *in_place(struct place *p, const char *name, const char *end);

extern const char *const suffix[3]; /* plain, gzip, zstd */

/* The bytes of a file, replacing what is in @b. */
void slurp(struct buf *b, const char *path);
void describe_file(struct buf *out, const char *path);

struct sf_writer *open_writer(const char *path, const struct sf_writer_options *opt);
void close_writer(struct sf_writer *w);
/* STAT_X of @tid at @ts: a block of 56 bytes, behind a section header of 28. */
int add_stat(struct sf_writer *w, uint64_t ts, int64_t tid, struct error *err);
/* @n of them, a nanosecond apart. */
void add_stats(struct sf_writer *w, uint64_t from, uint64_t n);
/* Copy a capture in memory through a writer. */
void copy_items(struct sf_writer *w, const void *p, size_t n);

#define RECORD_TIME 1700000000000000000ull
/* A capture of a machine and one record of a type of our own, as a file of @p. Return: its path. */
const char *write_record(struct place *p, enum ev_item_kind kind, struct ev *ev);
/* Read the first item of @kind from @path; the reader keeps it alive. */
struct sf_reader *find_item(const char *path, enum ev_item_kind kind, struct ev_item *item);
/* How many events and gaps the capture in memory has. */
uint64_t events_in(const void *p, size_t n, uint64_t *gaps);

#endif
