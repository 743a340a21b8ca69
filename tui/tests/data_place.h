/* SPDX-License-Identifier: Apache-2.0 */
/* Captures in places of their own, for tests of data: included behind cmocka.h. */
#ifndef TUI_TESTS_DATA_PLACE_H
#define TUI_TESTS_DATA_PLACE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/checkpoint.h"
#include "tui/data.h"

#ifndef SOURCE_DIR /* the build says where */
#define SOURCE_DIR "."
#endif
#define CAPTURES SOURCE_DIR "/tests/captures/"

struct place {
	char dir[64];
	char capture[128];
};

static inline void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

/* A copy of a capture in a place of its own; @chunk: with an index of such chunks. */
static inline void make_place(struct place *p, const char *name, uint64_t chunk)
{
	struct run_index_report report;
	struct error err = {0};
	char path[160];

	snprintf(p->dir, sizeof(p->dir), "/tmp/data-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->capture, sizeof(p->capture), "%s/%s", p->dir, name);
	snprintf(path, sizeof(path), CAPTURES "%s", name);
	copy_file(path, p->capture);
	assert_int_equal(setenv("XDG_CACHE_HOME", p->dir, 1), 0);
	if (!chunk)
		return;
	snprintf(path, sizeof(path), "%s%s", p->capture, SF_INDEX_SUFFIX);
	if (run_index_build(p->capture, path, &(struct run_index_options){.chunk_events = chunk},
			    &report, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(report.chunks > 2);
}

static inline void drop_place(struct place *p)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
	assert_int_equal(system(command), 0);
}

static inline struct tui_data *open_capture(const struct place *p, bool wait)
{
	const char *captures[] = {p->capture};
	const struct tui_data_options opt = {
	    .captures = captures, .capture_count = 1, .wait = wait};
	struct tui_data *d = NULL;
	struct error err = {0};

	if (tui_data_open(&opt, &d, &err) < 0)
		fail_msg("%s", err.msg);
	return d;
}

/* Whatever is made in the background is there. */
static inline struct tui_data *open_wait(const struct place *p)
{
	struct tui_data *d = open_capture(p, true);

	(void)tui_data_poll(d);
	return d;
}

/* It is not, as long as nobody polls. */
static inline struct tui_data *open_bare(const struct place *p)
{
	return open_capture(p, false);
}

#endif
