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

/* All items of a capture as text, without their offsets; and copied to @w unless that is NULL. */
static void describe_items(struct buf *out, const char *path, struct sf_writer *w)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	int rc;

	buf_reset(out);
	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	while ((rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0) {
		if (w && sf_writer_item(w, &item, &err) < 0)
			fail_msg("%s", err.msg);
		item.offset = 0;
		describe_item(out, &item);
		if (item.kind == EV_ITEM_THREAD)
			describe_thread(out, item.thread);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(sf_reader_stats(r)->gaps, 0);
	sf_reader_close(r);
}

/* Write capture @i to @path. Return: its items as text through @items. */
static void rewrite(size_t i, const char *path, struct buf *items)
{
	const struct sf_writer_options opt = {
	    .frame_bytes = 50000, .background = true, .replace = true};
	struct sf_writer *w;
	struct error err;
	char from[256];

	snprintf(from, sizeof(from), CORPUS "%s.scap", captures[i]);
	if (access(from, R_OK) < 0)
		skip();
	assert_int_equal(sf_writer_open(path, &opt, &w, &err), 0);
	describe_items(items, from, w);
	assert_int_equal(sf_writer_close(w, &err), 0);
}

static void real_captures_survive_each_container(void **state)
{
	struct buf before = {0}, after = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(captures) * COUNT_OF(suffix); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/a%s", dir, suffix[i % COUNT_OF(suffix)]);
		rewrite(i / COUNT_OF(suffix), path, &before);
		describe_items(&after, path, NULL);
		if (before.len != after.len || memcmp(before.p, after.p, after.len) != 0)
			fail_msg("%s changes in %s", captures[i / COUNT_OF(suffix)], path);
	}
	buf_done(&before);
	buf_done(&after);
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
	struct buf items = {0};
	char plain[128], packed[128], command[512];

	(void)state;
	if (!succeeds("command -v zstd gzip >/dev/null"))
		skip();
	snprintf(plain, sizeof(plain), "%s/a.scap", dir);
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		rewrite(i, plain, &items);
		for (size_t k = 1; k < COUNT_OF(suffix); k++) {
			snprintf(packed, sizeof(packed), "%s/a%s", dir, suffix[k]);
			rewrite(i, packed, &items);
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
	buf_done(&items);
}

/*
 * An independent reader makes the same lines of both containers it reads. The version at hand
 * crashes on the recorded captures as they are, so only the older ones are shown to it.
 */
static void sysdig_reads_what_was_written(void **state)
{
	struct buf items = {0};
	char path[128], command[1024];

	(void)state;
	if (!succeeds("command -v sysdig >/dev/null"))
		skip();
	for (size_t i = 0; i < COUNT_OF(captures); i++) {
		if (memcmp(captures[i], "public", 6) != 0)
			continue;
		for (size_t k = 0; k < 2; k++) {
			snprintf(path, sizeof(path), "%s/a%s", dir, suffix[k]);
			rewrite(i, path, &items);
		}
		snprintf(command, sizeof(command),
			 "cd '%s' && sysdig -r a.scap >1 2>2 && test -s 1 && ! test -s 2 && "
			 "sysdig -r a.scap.gz >3 2>2 && cmp -s 1 3",
			 dir);
		if (!succeeds(command))
			fail_msg("sysdig reads %s differently or not at all", captures[i]);
	}
	buf_done(&items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_captures_survive_each_container),
	    cmocka_unit_test(other_tools_unpack_the_plain_capture),
	    cmocka_unit_test(sysdig_reads_what_was_written),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
