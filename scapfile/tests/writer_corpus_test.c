/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real captures through the writer and back. The captures lie beside the source tree; without them,
 * or without the programs that judge what was written, the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/strict.h"
#include "scapfile/tests/describe.h"
#include "scapfile/writer.h"

#define CORPUS SOURCE_DIR "/../shared/corpus/"

static const char *const captures[] = {
    "public/cat_write",	  "public/connect_localhost",
    "public/curl_google", "public/curl_google_comments",
    "public/ping_sendto", "public/psp_run_as_user_0_container",
    "public/sample",	  "public/single_ipv6_conn",
    "recorded/build",	  "recorded/container",
    "recorded/intrusion", "recorded/network",
    "recorded/persist",
};

static const char *const suffix[] = {".scap", ".scap.gz", ".scap.zst"};

static char dir[] = "/tmp/writer_corpus_test.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

/* Does the shell's @command, a format for a file's name, succeed? */
static bool succeeds(const char *command)
{
	return system(command) == 0;
}

static void describe_thread(struct buf *out, const struct ev_thread_entry *t)
{
	const struct sv texts[] = {t->exe, t->exepath, t->cwd, t->root};
	const int64_t ids[] = {t->pid,	t->ptid, t->sid,  t->vpgid,
			       t->pgid, t->vtid, t->vpid, t->fdlimit};
	const uint64_t rest[] = {t->flags,
				 t->uid,
				 t->gid,
				 t->loginuid,
				 t->vmsize_kb,
				 t->vmrss_kb,
				 t->vmswap_kb,
				 t->tty,
				 t->pfmajor,
				 t->pfminor,
				 t->pidns_init_start_ts,
				 t->cap_inheritable,
				 t->cap_permitted,
				 t->cap_effective,
				 t->exe_ino,
				 t->exe_ino_ctime,
				 t->exe_ino_mtime,
				 t->exe_writable,
				 t->exe_upper_layer,
				 t->exe_lower_layer,
				 t->exe_from_memfd};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		buf_sv(out, texts[i]);
		buf_char(out, '|');
	}
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		buf_i64(out, ids[i]);
		buf_char(out, ' ');
	}
	for (size_t i = 0; i < COUNT_OF(rest); i++) {
		buf_u64(out, rest[i]);
		buf_char(out, ' ');
	}
}

static struct sf_reader *open_capture(const char *path)
{
	struct sf_reader *r;
	struct error err;

	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

/* Everything of two events but where they came from. */
static bool same_event(struct ev *a, struct ev *b)
{
	size_t lens = (size_t)a->nparams * (a->wide ? 4 : 2), data = 0;

	if (a->ts != b->ts || a->tid != b->tid || a->type != b->type || a->cpu != b->cpu ||
	    a->block_flags != b->block_flags || a->nparams != b->nparams || a->wide != b->wide)
		return false;
	for (unsigned i = 0; i < a->nparams; i++)
		data += ev_param(a, i).n;
	return memcmp(a->lens, b->lens, lens) == 0 && memcmp(a->data, b->data, data) == 0;
}

static void describe_all(struct buf *out, struct ev_item *item)
{
	buf_reset(out);
	item->offset = 0;
	describe_item(out, item);
	if (item->kind == EV_ITEM_THREAD)
		describe_thread(out, item->thread);
}

static bool same_item(struct ev_item *a, struct ev_item *b, struct buf texts[2])
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == EV_ITEM_EVENT)
		return same_event(a->ev, b->ev);
	describe_all(&texts[0], a);
	describe_all(&texts[1], b);
	return texts[0].len == texts[1].len && memcmp(texts[0].p, texts[1].p, texts[0].len) == 0;
}

/* The captures at @one and @two deliver the same items. */
static void assert_same(const char *one, const char *two)
{
	struct sf_reader *a = open_capture(one), *b = open_capture(two);
	struct buf texts[2] = {0};
	struct ev_item x, y;
	struct error err;
	uint64_t n = 0;
	int rc;

	while ((rc = ev_source_next(sf_reader_source(a), &x, &err)) > 0) {
		assert_int_equal(ev_source_next(sf_reader_source(b), &y, &err), 1);
		if (!same_item(&x, &y, texts))
			fail_msg("%s: item %llu of %s differs", two, (unsigned long long)n, one);
		n++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(ev_source_next(sf_reader_source(b), &y, &err), 0);
	assert_int_equal(sf_reader_stats(a)->gaps + sf_reader_stats(b)->gaps, 0);
	assert_true(n > 300);
	sf_reader_close(a);
	sf_reader_close(b);
	buf_done(&texts[0]);
	buf_done(&texts[1]);
}

/* Where capture @i is; without it, the test ends. */
static void find_capture(char path[256], size_t i)
{
	snprintf(path, 256, CORPUS "%s.scap", captures[i]);
	if (access(path, R_OK) < 0)
		skip();
}

static void written_path(char path[128], size_t i, size_t container)
{
	snprintf(path, 128, "%s/%zu%s", dir, i, suffix[container]);
}

/* Capture @i through one writer for each container. Done once. */
static void rewrite(size_t i)
{
	const struct sf_writer_options opt = {
	    .frame_bytes = 50000, .background = true, .replace = true};
	struct sf_writer *w[COUNT_OF(suffix)];
	char from[256], path[128];
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	find_capture(from, i);
	written_path(path, i, 0);
	if (access(path, R_OK) == 0)
		return;
	for (size_t k = 0; k < COUNT_OF(suffix); k++) {
		written_path(path, i, k);
		assert_int_equal(sf_writer_open(path, &opt, &w[k], &err), 0);
	}
	r = open_capture(from);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		for (size_t k = 0; k < COUNT_OF(suffix); k++)
			if (sf_writer_item(w[k], &item, &err) < 0)
				fail_msg("%s", err.msg);
	sf_reader_close(r);
	for (size_t k = 0; k < COUNT_OF(suffix); k++)
		assert_int_equal(sf_writer_close(w[k], &err), 0);
}

static void real_captures_survive_each_container(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		char from[256], path[128];

		rewrite(i);
		find_capture(from, i);
		for (size_t k = 0; k < COUNT_OF(suffix); k++) {
			written_path(path, i, k);
			assert_same(from, path);
		}
	}
}

/* Those of today's recorders; older ones wrote fewer parameters. */
static void what_was_written_is_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		if (memcmp(captures[i], "recorded", 8) != 0)
			continue;
		rewrite(i);
		for (size_t k = 0; k < COUNT_OF(suffix); k++) {
			struct sf_strict_report report;
			struct error err;
			char path[128];

			written_path(path, i, k);
			assert_int_equal(sf_strict_check(path, &report, &err), 0);
			if (report.count)
				fail_msg("%s as %s: %s", captures[i], suffix[k],
					 report.list[0].what);
			sf_strict_done(&report);
		}
	}
}

/* How many frames the seek table of the file at @path counts. */
static unsigned frames_in_table(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t footer[9];

	assert_non_null(f);
	assert_int_equal(fseek(f, -(long)sizeof(footer), SEEK_END), 0);
	assert_int_equal(fread(footer, 1, sizeof(footer), f), sizeof(footer));
	fclose(f);
	return load_u32(footer);
}

/* zstd and gzip unpack what was written to the plain capture; zstd finds the same frames. */
static void other_tools_unpack_the_plain_capture(void **state)
{
	char plain[128], packed[128], command[512];

	(void)state;
	if (!succeeds("command -v zstd gzip >/dev/null"))
		skip();
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		rewrite(i);
		written_path(plain, i, 0);
		for (size_t k = 1; k < COUNT_OF(suffix); k++) {
			written_path(packed, i, k);
			snprintf(command, sizeof(command), "%s -dc '%s' | cmp -s - '%s'",
				 k == 1 ? "gzip" : "zstd", packed, plain);
			if (!succeeds(command))
				fail_msg("%s: %s", captures[i], command);
		}
		/* The last line's columns begin with the numbers of frames and of skippable ones.
		 */
		snprintf(
		    command, sizeof(command),
		    "test \"$(zstd -l '%s' 2>/dev/null | awk 'END { print $1, $2 }')\" = '%u 1'",
		    packed, frames_in_table(packed) + 1);
		if (!succeeds(command))
			fail_msg("%s: %s", captures[i], command);
	}
}

/*
 * An independent reader makes the same lines of both containers it reads. The version at hand
 * crashes on the recorded captures as they are, so only the older ones are shown to it.
 */
static void sysdig_reads_what_was_written(void **state)
{
	char command[1024];

	(void)state;
	if (!succeeds("command -v sysdig >/dev/null"))
		skip();
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		if (memcmp(captures[i], "public", 6) != 0)
			continue;
		rewrite(i);
		snprintf(command, sizeof(command),
			 "cd '%s' && sysdig -r %zu.scap >1 2>2 && test -s 1 && ! test -s 2 && "
			 "sysdig -r %zu.scap.gz >3 2>2 && cmp -s 1 3",
			 dir, i, i);
		if (!succeeds(command))
			fail_msg("sysdig reads %s differently or not at all", captures[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_captures_survive_each_container),
	    cmocka_unit_test(what_was_written_is_clean),
	    cmocka_unit_test(other_tools_unpack_the_plain_capture),
	    cmocka_unit_test(sysdig_reads_what_was_written),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
