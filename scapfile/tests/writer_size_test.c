/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks at the sizes where the writer chooses another form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/internal.h"
#include "scapfile/writer.h"

static char dir[] = "/tmp/writer_size_test.XXXXXX";
static char path[128];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/a.scap.zst", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static struct sf_writer *open_writer(void)
{
	const struct sf_writer_options opt = {.replace = true};
	struct sf_writer *w = NULL;
	struct error err;

	if (sf_writer_open(path, &opt, &w, &err) < 0)
		fail_msg("%s", err.msg);
	return w;
}

/* What a reader finds; no gap may be among it. */
static struct sf_stats read_back(unsigned items[EV_ITEM_LISTS_RESET + 1], uint32_t *longest)
{
	struct sf_reader *r;
	struct sf_stats stats;
	struct ev_item item;
	struct error err;

	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0) {
		items[item.kind]++;
		if (item.kind == EV_ITEM_EVENT && ev_param(item.ev, 1).n > *longest)
			*longest = ev_param(item.ev, 1).n;
	}
	stats = *sf_reader_stats(r);
	assert_int_equal(stats.gaps, 0);
	sf_reader_close(r);
	return stats;
}

static void events_too_long_for_small_blocks_use_large_ones(void **state)
{
	static uint8_t data[8 + 65535];
	unsigned items[EV_ITEM_LISTS_RESET + 1] = {0};
	struct sf_writer *w = open_writer();
	uint32_t longest = 0;
	struct error err;

	(void)state;
	memset(data + 8, 'x', sizeof(data) - 9);
	for (unsigned n = 65535 - 100; n <= 65535; n++) {
		const uint8_t lens[] = {8, 0, (uint8_t)n, (uint8_t)(n >> 8)};
		struct ev ev = {.type = EV_STAT_X, .nparams = 2, .lens = lens, .data = data};

		ev.block_flags = n & 1;
		assert_int_equal(sf_writer_event(w, &ev, &err), 0);
	}
	assert_int_equal(sf_writer_close(w, &err), 0);
	assert_int_equal(read_back(items, &longest).events, 101);
	assert_int_equal(longest, 65535);
}

static void long_lists_are_split_between_blocks(void **state)
{
	static char text[SF_STRINGS_MAX];
	struct ev_thread_entry t = {.env = {text, sizeof(text)}};
	struct ev_fd_entry fd = {.tid = 7, .type = EV_FD_FILE, .name = {text, 1000}};
	unsigned items[EV_ITEM_LISTS_RESET + 1] = {0};
	struct sf_writer *w = open_writer();
	uint32_t longest = 0;
	struct sf_stats stats;
	struct error err;

	(void)state;
	for (t.tid = 0; t.tid < 6000; t.tid++)
		assert_int_equal(sf_writer_thread(w, &t, &err), 0);
	for (fd.fd = 0; fd.fd < 20000; fd.fd++)
		assert_int_equal(sf_writer_fd(w, &fd, &err), 0);
	assert_int_equal(sf_writer_close(w, &err), 0);
	stats = read_back(items, &longest);
	assert_int_equal(items[EV_ITEM_THREAD], 6000);
	assert_int_equal(items[EV_ITEM_FD], 20000);
	assert_int_equal(stats.blocks, 1 + 2 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_too_long_for_small_blocks_use_large_ones),
	    cmocka_unit_test(long_lists_are_split_between_blocks),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
