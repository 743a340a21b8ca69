/* SPDX-License-Identifier: Apache-2.0 */
/* The writer without memory, and without asking for more of it per event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/tests/alloc_wrap.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/writer.h"

static char dir[] = "/tmp/writer_alloc_test.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static const struct sf_seal_options seal = {.origin = SF_SEAL_RECORDING, .tool = "test"};
static const struct sf_seal_options *sealing; /* NULL: files are not sealed */

/* The file at @path, and its seal. */
static void forget(const char *path)
{
	char name[160];

	snprintf(name, sizeof(name), "%s" SF_SEAL_SUFFIX, path);
	(void)unlink(path);
	(void)unlink(name);
}

/* A bit of everything, then @events; rotated once. Return: 0, or the first failure. */
static int write_capture(const char *end, bool background, int events, struct error *err)
{
	static const uint8_t lens[] = {8, 0, 0, 0};
	const struct sf_writer_options opt = {.frame_bytes = 4096,
					      .background = background,
					      .rotation = {.events = 1},
					      .seal = sealing};
	const struct sf_lineage lineage = {.operation = "test"};
	struct ev_machine machine = {.num_cpus = 1, .hostname = SV_LIT("box")};
	struct ev_thread_entry thread = {.tid = 1, .comm = SV_LIT("init")};
	struct ev_fd_entry fd = {.tid = 1, .type = EV_FD_FIFO, .name = SV_LIT("pipe")};
	struct ev_user user = {.name = SV_LIT("root")};
	struct ev ev = {.type = EV_STAT_X, .nparams = 2};
	struct sf_writer *w = NULL;
	struct error ignored;
	char path[128];
	int rc, closed;

	ev.lens = lens;
	ev.data = (const uint8_t *)"\1\0\0\0\0\0\0";
	snprintf(path, sizeof(path), "%s/a%s", dir, end);
	rc = sf_writer_open(path, &opt, &w, err);
	if (rc >= 0)
		rc = sf_writer_machine(w, &machine, err);
	if (rc >= 0)
		rc = sf_writer_user(w, &user, err);
	if (rc >= 0)
		rc = sf_writer_thread(w, &thread, err);
	if (rc >= 0)
		rc = sf_writer_fd(w, &fd, err);
	for (int i = 0; rc >= 0 && i < events; i++)
		rc = sf_writer_event(w, &ev, err);
	if (rc >= 0)
		rc = sf_writer_set_lineage(w, &lineage, err);
	if (rc >= 0)
		rc = sf_writer_rotate(w, err);
	if (rc >= 0)
		rc = sf_writer_event(w, &ev, err);
	closed = sf_writer_close(w, rc < 0 ? &ignored : err);
	for (unsigned i = 1; i <= 2; i++) {
		snprintf(path, sizeof(path), "%s/a.%04u%s", dir, i, end);
		forget(path);
	}
	return rc < 0 ? rc : closed;
}

/* A section with events, and one more, kept; dumped. Return: 0, or the first failure. */
static int keep_capture(const char *end, bool background, int events, struct error *err)
{
	static const uint8_t lens[] = {8, 0, 0, 0};
	const struct sf_writer_options opt = {
	    .frame_bytes = 4096, .background = background, .keep_ns = 1000000, .seal = sealing};
	const struct ev_item section = {.kind = EV_ITEM_SECTION};
	struct ev_thread_entry thread = {.tid = 1, .comm = SV_LIT("init")};
	struct ev ev = {.type = EV_STAT_X, .nparams = 2, .lens = lens};
	struct sf_writer *w = NULL;
	struct sf_dump dump;
	struct error ignored;
	char path[128];
	int rc, closed;

	ev.data = (const uint8_t *)"\1\0\0\0\0\0\0";
	snprintf(path, sizeof(path), "%s/a%s", dir, end);
	rc = sf_writer_open(path, &opt, &w, err);
	for (int k = 0; k < 2 && rc >= 0; k++) {
		rc = sf_writer_item(w, &section, err);
		if (rc >= 0)
			rc = sf_writer_thread(w, &thread, err);
		for (int i = 0; rc >= 0 && i < events; i++, ev.ts++)
			rc = sf_writer_event(w, &ev, err);
	}
	if (rc >= 0)
		rc = sf_writer_dump(w, err);
	if (rc >= 0)
		rc = sf_writer_flush(w, err);
	if (rc >= 0)
		rc = sf_writer_dumped(w, &dump, err);
	closed = sf_writer_close(w, rc < 0 ? &ignored : err);
	snprintf(path, sizeof(path), "%s/a.0001%s", dir, end);
	forget(path);
	return rc < 0 ? rc : closed;
}

static void fail_each(int (*write)(const char *end, bool background, int events, struct error *err))
{
	static const char *const ends[] = {".scap", ".scap.gz", ".scap.zst"};

	for (size_t i = 0; i < 2 * COUNT_OF(ends); i++) {
		unsigned long n = 0, failed = 0;
		struct error err;
		int rc;

		do {
			n++;
			alloc.calls = 0;
			alloc.fail_at = n;
			rc = write(ends[i / 2], i & 1, 300, &err);
			alloc.fail_at = 0;
			if (rc < 0)
				assert_int_equal(rc, ERR_NOMEM);
			failed += rc < 0;
		} while (alloc.calls >= n);
		assert_int_equal(rc, 0);
		assert_true(failed >= 2);
	}
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	fail_each(write_capture);
	sealing = &seal;
	fail_each(write_capture);
	sealing = NULL;
}

/* Nothing is left behind either: the directory is empty at the end. */
static void every_allocation_may_fail_while_frames_are_kept(void **state)
{
	(void)state;
	fail_each(keep_capture);
	sealing = &seal;
	fail_each(keep_capture);
	sealing = NULL;
}

static void more_events_take_no_more_allocations(void **state)
{
	unsigned long few, many;
	struct error err;

	(void)state;
	alloc.calls = 0;
	assert_int_equal(write_capture(".scap.gz", false, 1000, &err), 0);
	few = alloc.calls;
	alloc.calls = 0;
	assert_int_equal(write_capture(".scap.gz", false, 20000, &err), 0);
	many = alloc.calls;
	assert_int_equal(few, many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_may_fail),
	    cmocka_unit_test(every_allocation_may_fail_while_frames_are_kept),
	    cmocka_unit_test(more_events_take_no_more_allocations),
	};

	alloc.counting = alloc.once = true;
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
