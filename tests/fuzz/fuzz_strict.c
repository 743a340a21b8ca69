/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes to the strict check: it ends, its counts agree, and where it finds nothing the reader
 * finds no damage either, and as many events.
 */
#include <stdint.h>
#include <stdlib.h>

#include "scapfile/strict.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const struct sf_strict_report *r, size_t size)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SF_STRICT_RULES; i++)
		sum += r->by_rule[i];
	CHECK(sum == r->count);
	CHECK(r->described <= SF_FINDINGS_MAX && r->described <= r->count);
	CHECK(!r->count == !r->described);
	CHECK(r->events <= r->blocks && r->losses <= r->events && r->sections <= r->blocks);
	CHECK(r->file_size <= size);
	for (size_t i = 0; i < r->described; i++) {
		const struct sf_finding *f = &r->list[i];

		CHECK(f->rule < SF_STRICT_RULES && f->what[0]);
		CHECK(f->offset <= (f->stored ? size : r->stream_size));
	}
}

/* Events alone: how old ones are completed from others is the reader's matter. */
static void check_reader(const struct sf_strict_report *report, const uint8_t *data, size_t size)
{
	const struct sf_stats *stats;
	const struct sf_gap *gaps;
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	size_t n;

	CHECK(sf_reader_open_memory(data, size, NULL, &r, &err) == 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	stats = sf_reader_stats(r);
	gaps = sf_reader_gaps(r, &n);
	for (size_t i = 0; i < n; i++)
		CHECK(gaps[i].reason == SF_GAP_RECORDED || gaps[i].reason == SF_GAP_EVENT);
	CHECK(stats->blocks == report->blocks && stats->sections == report->sections);
	CHECK(stats->losses == report->losses);
	CHECK(stats->events <= report->events);
	sf_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_strict_report r;
	struct error err;

	CHECK(sf_strict_check_memory(data, size, &r, &err) == 0);
	check_report(&r, size);
	if (r.count == 0)
		check_reader(&r, data, size);
	sf_strict_done(&r);
	return 0;
}
