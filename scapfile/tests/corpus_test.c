/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real captures of ten years against what the reference makes of them: every event's number, time
 * and cpu. The captures lie beside the source tree; without them the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/internal.h"

#define SHARED SOURCE_DIR "/../shared"

static const struct {
	const char *capture, *golden;

	unsigned threads, fds, stored;
	bool whole; /* the golden file covers all events */
} cases[] = {
    /* clang-format off */
	{ "public/cat_write", "cat_write", 73, 384, 38, true },
	{ "public/connect_localhost", "connect_localhost", 184, 690, 3, true },
	{ "public/curl_google", "curl_google", 54, 316, 536, true },
	{ "public/curl_google_comments", "curl_google_comments", 54, 316, 536, true },
	{ "public/ping_sendto", "ping_sendto", 136, 674, 10, true },
	{ "public/psp_run_as_user_0_container", "psp_run_as_user_0_container", 124, 693, 1155, true },
	{ "public/sample", "sample", 94, 515, 87, true },
	{ "public/single_ipv6_conn", "single_ipv6_conn", 154, 564, 10, true },
	{ "recorded/build", "build.first15000", 0, 0, 0, false },
	{ "recorded/container", "container", 0, 0, 0, true },
	{ "recorded/intrusion", "intrusion", 0, 0, 0, true },
	{ "recorded/network", "network", 0, 0, 0, true },
	{ "recorded/persist", "persist", 0, 0, 0, true },
    /* clang-format on */
};

struct golden_event {
	uint64_t num, ts, cpu;
};

/* The number behind @key on a line of @n bytes. */
static uint64_t number_after(const char *line, size_t n, const char *key)
{
	const char *p = memmem(line, n, key, strlen(key));

	if (!p)
		fail_msg("no %s in a golden line", key);
	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

/* The next line of the golden file. Return: false at its end. */
static bool next_golden(struct sf_stream *s, struct golden_event *g)
{
	struct error err;
	const char *end = NULL;
	size_t n = 0;

	while (!end) {
		size_t before = n;

		if (sf_stream_need(s, before + 1, &err) <= 0)
			return false;
		n = sf_stream_left(s);
		end = memchr(s->at + before, '\n', n - before);
	}
	n = (size_t)(end - (const char *)s->at);
	g->num = number_after((const char *)s->at, n, "\"evt.num\": ");
	g->ts = number_after((const char *)s->at, n, "\"evt.rawtime\": ");
	g->cpu = number_after((const char *)s->at, n, "\"evt.cpu\": ");
	sf_stream_skip(s, n + 1);
	return true;
}

static struct sf_reader *open_capture(const char *name)
{
	struct sf_reader *r;
	struct error err;
	char path[256];

	snprintf(path, sizeof(path), SHARED "/corpus/%s", name);
	if (access(path, R_OK) < 0)
		skip();
	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

/*
 * Read the capture beside its golden file. The reference hides a few events it counts, so not every
 * number is in the golden file; those that are must fit. Return: the last golden number.
 */
static uint64_t compare(struct sf_reader *r, const char *golden,
			unsigned items[EV_ITEM_LISTS_RESET + 1])
{
	struct golden_event g = {0};
	struct sf_stream s;
	struct ev_item item;
	struct error err;
	uint64_t num = 0, last = 0;
	char path[256];
	int rc;

	snprintf(path, sizeof(path), SHARED "/golden/fields/%s.jsonl.zst", golden);
	assert_int_equal(sf_stream_open(&s, path, false, &err), 0);
	while ((rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0) {
		items[item.kind]++;
		if (item.kind != EV_ITEM_EVENT)
			continue;
		num++;
		if (g.num < num && next_golden(&s, &g))
			last = g.num;
		if (g.num == num && (g.ts != item.ev->ts || g.cpu != (uint64_t)item.ev->cpu))
			fail_msg("%s: event %" PRIu64 " has time %" PRIu64 ", expected %" PRIu64,
				 golden, num, item.ev->ts, g.ts);
	}
	assert_int_equal(rc, 0);
	assert_false(next_golden(&s, &g));
	sf_stream_done(&s);
	return last;
}

static void captures_hold_what_the_reference_finds_in_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned items[EV_ITEM_LISTS_RESET + 1] = {0};
		const struct sf_stats *stats;
		struct sf_reader *r;
		char name[64];
		uint64_t last;

		snprintf(name, sizeof(name), "%s.scap", cases[i].capture);
		r = open_capture(name);
		stats = sf_reader_stats(r);
		last = compare(r, cases[i].golden, items);
		if (cases[i].whole ? last != stats->events : last >= stats->events)
			fail_msg("%s: %" PRIu64 " events, expected %" PRIu64, name, stats->events,
				 last);
		assert_int_equal(items[EV_ITEM_THREAD], cases[i].threads);
		assert_int_equal(items[EV_ITEM_FD], cases[i].fds);
		assert_int_equal(stats->events_stored, cases[i].stored);
		assert_int_equal(stats->gaps, 0);
		assert_int_equal(stats->unknown_blocks + stats->events_unknown, 0);
		sf_reader_close(r);
	}
}

static void comments_of_other_tools_are_found(void **state)
{
	struct sf_reader *r = open_capture("public/curl_google_comments.scap");
	struct ev_item item;
	struct error err;

	(void)state;
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_string_equal(sf_reader_comment(r, 0), "File-level comment");
	sf_reader_close(r);
}

static void a_capture_of_millions_of_events_is_complete(void **state)
{
	struct sf_reader *r = open_capture("recorded/busy.scap.zst");
	struct ev_item item;
	struct error err;

	(void)state;
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	assert_int_equal(sf_reader_stats(r)->events, 3570967);
	assert_int_equal(sf_reader_stats(r)->stream_size, 339335624);
	assert_int_equal(sf_reader_stats(r)->gaps, 0);
	sf_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(captures_hold_what_the_reference_finds_in_them),
	    cmocka_unit_test(comments_of_other_tools_are_found),
	    cmocka_unit_test(a_capture_of_millions_of_events_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
