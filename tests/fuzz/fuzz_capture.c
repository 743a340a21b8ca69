/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a capture: reading ends, every parameter lies in memory that may be read, offsets
 * never go back, and what is called damage is not delivered as well.
 */
#include <stdint.h>
#include <stdlib.h>

#include "scapfile/scapfile.h"

#define OFFSETS_MAX 4096
#define BLOCK_LIMIT (1u << 20)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct drained {
	uint64_t events, items, last_offset;
	uint64_t offsets[OFFSETS_MAX]; /* of the first events */
	unsigned touched;	       /* keeps the reads of touch() from being optimised away */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct drained *d, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		d->touched += b[i];
}

static void touch_text(struct drained *d, struct sv s)
{
	touch(d, s.p, s.n);
}

static void drain_event(struct drained *d, struct ev *ev)
{
	const struct ev_info *info;
	uint32_t at = 0;

	CHECK(ev->type < EV_TYPE_COUNT);
	info = ev_info(ev);
	CHECK(!(info->flags & EF_UNUSED));
	CHECK(ev->nparams <= info->nparams);
	CHECK(ev->wide ? info->flags & EF_LARGE_PAYLOAD : true);
	/* From the last to the first: parameters are found in any order. */
	for (unsigned i = ev->nparams; i-- > 0;) {
		struct ev_value v = ev_param(ev, i);

		touch(d, v.p, v.n);
		touch_text(d, ev_str(ev, i));
	}
	for (unsigned i = 0; i < ev->nparams; i++) {
		CHECK(ev_param(ev, i).p == ev->data + at);
		at += ev_param(ev, i).n;
	}
	if (d->events < OFFSETS_MAX)
		d->offsets[d->events] = ev->offset;
	d->events++;
}

static void drain_thread(struct drained *d, const struct ev_thread_entry *t)
{
	const struct sv lists[] = {t->args, t->env, t->cgroups};

	touch_text(d, t->comm);
	touch_text(d, t->exe);
	touch_text(d, t->exepath);
	touch_text(d, t->cwd);
	touch_text(d, t->root);
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		touch_text(d, lists[i]);
		CHECK(lists[i].n == 0 || lists[i].p[lists[i].n - 1] == '\0');
	}
}

static void drain_hash(struct drained *d, struct ev *ev)
{
	struct ev_hash h;

	if (!ev_hash_decode(ev, &h))
		return;
	if (h.sha256)
		touch(d, h.sha256, EV_HASH_BYTES);
	touch_text(d, h.path);
}

static void drain_item(struct drained *d, const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_EVENT:
		CHECK(item->offset == item->ev->offset);
		CHECK(d->items == 0 || item->offset > d->last_offset);
		drain_event(d, item->ev);
		break;
	case EV_ITEM_URING:
		CHECK(item->ev->type == EV_TYPE_URING && item->ev->nparams <= EV_URING_PARAMS);
		for (unsigned i = item->ev->nparams; i-- > 0;)
			touch(d, ev_param(item->ev, i).p, ev_param(item->ev, i).n);
		break;
	case EV_ITEM_HASH:
		CHECK(item->ev->type == EV_TYPE_HASH && item->ev->nparams <= EV_HASH_PARAMS);
		drain_hash(d, item->ev);
		break;
	case EV_ITEM_FACTS:
		for (unsigned i = item->ev->nparams; i-- > 0;)
			touch(d, ev_param(item->ev, i).p, ev_param(item->ev, i).n);
		break;
	case EV_ITEM_THREAD:
		drain_thread(d, item->thread);
		break;
	case EV_ITEM_FD:
		touch_text(d, item->fd->name);
		break;
	case EV_ITEM_MACHINE:
		touch_text(d, item->machine->hostname);
		break;
	case EV_ITEM_INTERFACE:
		touch_text(d, item->interface->name);
		break;
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
		touch_text(d, item->user->name);
		touch_text(d, item->user->home);
		touch_text(d, item->user->shell);
		break;
	case EV_ITEM_LOSS:
		touch(d, item->loss->kinds, item->loss->nkinds * sizeof(*item->loss->kinds));
		break;
	case EV_ITEM_SECTION:
	case EV_ITEM_LISTS_RESET:
		break;
	}
	CHECK(item->offset >= d->last_offset);
	d->last_offset = item->offset;
	d->items++;
}

/* Bytes that were skipped as no blocks hold no delivered event. */
static void check_gap(const struct drained *d, const struct sf_gap *gap, uint64_t stream_size)
{
	CHECK(gap->offset <= stream_size && gap->bytes <= stream_size - gap->offset);
	if (gap->reason == SF_GAP_BLOCK || gap->reason == SF_GAP_RECORDED)
		return;
	for (uint64_t i = 0; i < d->events && i < OFFSETS_MAX; i++)
		CHECK(d->offsets[i] < gap->offset || d->offsets[i] - gap->offset >= gap->bytes);
}

static void check_gaps(const struct drained *d, const struct sf_reader *r)
{
	const struct sf_stats *stats = sf_reader_stats(r);
	const struct sf_gap *gaps;
	size_t n;

	gaps = sf_reader_gaps(r, &n);
	CHECK(n == (stats->gaps < SF_GAPS_MAX ? stats->gaps : SF_GAPS_MAX));
	for (size_t i = 0; i < n; i++) {
		CHECK(i == 0 || gaps[i].offset >= gaps[i - 1].offset);
		check_gap(d, &gaps[i], stats->stream_size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_options opt = {
	    .memory_limit = BLOCK_LIMIT, .want_hash = size % 2, .call_times = size % 4 > 1};
	const struct sf_stats *stats;
	struct drained d = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	int rc;

	if (sf_reader_open_memory(data, size, &opt, &r, &err) < 0)
		return 0;
	stats = sf_reader_stats(r);
	while ((rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0) {
		if (item.kind == EV_ITEM_EVENT)
			CHECK(sf_reader_call_began(r) <= item.ev->ts);
		drain_item(&d, &item);
		CHECK(d.items <= stats->stream_size);
	}
	CHECK(rc == 0); /* memory cannot fail to be read */
	CHECK(ev_source_next(sf_reader_source(r), &item, &err) == 0);
	CHECK(stats->events == d.events);
	CHECK(stats->file_size == size);
	CHECK(stats->sha256_valid == opt.want_hash);
	check_gaps(&d, r);
	ev_source_close(sf_reader_source(r));
	return 0;
}
