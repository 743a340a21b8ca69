/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of the initial state: entries that can be are kept, others are not. Threads whose leader is
 * lost go with it, and so do the descriptors of threads that are not listed: readers refuse them.
 */
#include "scapfile/salvage_lists.h"

#include <stdlib.h>

#define ENTRY_SEARCH_MAX                                                                           \
	65536u /* bytes behind a wrong length in which another entry is looked for */

/* Bytes before the entries: the thread of an fd list. */
static size_t head_size(const struct sf_block_info *info)
{
	return info->kind == SF_KIND_FDS ? 8 : 0;
}

/* Do entries begin with their length? */
static bool has_lengths(const struct sf_block_info *info)
{
	switch ((enum sf_block_kind)info->kind) {
	case SF_KIND_THREADS:
		return info->version == 9;
	case SF_KIND_INTERFACES:
	case SF_KIND_USERS:
	case SF_KIND_FDS:
		return info->version == 2;
	default:
		return false;
	}
}

/* ---- one list without its bad entries ---- */

struct filter {
	struct salvage_judge *judge;
	const struct sf_block *b;
	const struct map *threads; /* NULL: any leader will do */
	struct map *seen;	   /* threads that were listed; NULL: it does not matter */
	struct buf *out;	   /* the new block */
	struct buf one;		   /* a block of a single entry */
	struct map fds;		   /* descriptors of this block */
	uint64_t dropped;
};

static void begin_block(struct buf *out, const struct sf_block *b)
{
	uint8_t head[8];

	put_u32(put_u32(head, b->type), 0);
	buf_add(out, head, sizeof(head));
	buf_add(out, b->p + 8, head_size(b->info));
}

/* @start: where in @out the block begins. */
static void end_block(struct buf *out, size_t start)
{
	uint8_t tail[8] = {0};
	size_t pad = -(out->len - start) & 3;
	uint32_t total = (uint32_t)(out->len - start + pad + 4);

	put_u32(tail + pad, total);
	buf_add(out, tail, pad + 4);
	if (!out->failed)
		put_u32((uint8_t *)out->p + start + 4, total);
}

/* @id was not met before; it is now. */
static bool is_first(struct map *seen, uint64_t id)
{
	return !map_get(seen, id) && map_put(seen, id, seen) == 0;
}

/* A thread is listed once, and led by one that is listed; a descriptor stands in a table once.
 * Others always fit. */
static bool entry_fits(struct filter *f, const uint8_t *p, size_t n)
{
	size_t at = has_lengths(f->b->info) ? 4 : 0;

	if (f->b->info->kind == SF_KIND_FDS)
		return n >= at + 8 && is_first(&f->fds, load_u64(p + at));
	if (f->b->info->kind != SF_KIND_THREADS || !f->threads)
		return true;
	return n >= at + 16 && map_get(f->threads, load_u64(p + at + 8)) &&
	       is_first(f->seen, load_u64(p + at));
}

static bool entry_can_be(struct filter *f, const uint8_t *p, size_t n)
{
	struct sf_block one = *f->b;

	buf_reset(&f->one);
	begin_block(&f->one, f->b);
	buf_add(&f->one, p, n);
	end_block(&f->one, 0);
	if (f->one.failed)
		return false;
	one.p = (const uint8_t *)f->one.p;
	one.total = (uint32_t)f->one.len;
	return !salvage_judge_list(f->judge, &one, true) && entry_fits(f, p, n);
}

/* Bytes of the entry at @p with a length in front; 0: the length cannot be. */
static size_t entry_size(const struct sf_block_info *info, const uint8_t *p, size_t left)
{
	uint32_t len = left >= SF_ENTRY_MIN ? load_u32(p) : 0;
	size_t own = info->kind == SF_KIND_INTERFACES ? 4 : 0;

	if (len < 4 || len > left || len + own > left)
		return 0;
	return len + own;
}

/* The next entry that can be, behind a length that cannot. */
static size_t find_entry(struct filter *f, const uint8_t *p, size_t left)
{
	for (size_t i = 1; i + SF_ENTRY_MIN <= left && i <= ENTRY_SEARCH_MAX; i++) {
		size_t n = entry_size(f->b->info, p + i, left - i);

		if (n > 2 * SF_ENTRY_MIN && entry_can_be(f, p + i, n))
			return i;
	}
	return left;
}

static void filter_lengths(struct filter *f, const uint8_t *p, size_t left)
{
	while (left >= SF_ENTRY_MIN) {
		size_t n = entry_size(f->b->info, p, left);

		if (n && entry_can_be(f, p, n)) {
			buf_add(f->out, p, n);
		} else {
			f->dropped++;
			if (!n)
				n = find_entry(f, p, left);
		}
		p += n;
		left -= n;
	}
}

/* Without lengths, what follows an entry that cannot be read cannot be found. */
static void filter_plain(struct filter *f)
{
	struct sf_list list;
	uint64_t total = 0;
	struct sf_gaps gaps = {.total = &total};
	struct ev_item item;
	const uint8_t *from;

	sf_list_begin(&list, f->b, &gaps);
	list.announced = true;
	for (from = list.c.p; sf_list_next(&list, &item, &gaps) && !total; from = list.c.p) {
		if (entry_can_be(f, from, (size_t)(list.c.p - from)))
			buf_add(f->out, from, (size_t)(list.c.p - from));
		else
			f->dropped++;
	}
	f->dropped += total;
	sf_gaps_done(&gaps);
}

/* Put what can be of @b behind @out's bytes; nothing if no entry can. Return: entries left out. */
static uint64_t filter_list(struct salvage_judge *judge, const struct sf_block *b,
			    const struct map *threads, struct map *seen, struct buf *out)
{
	struct filter f = {.judge = judge, .b = b, .threads = threads, .seen = seen, .out = out};
	size_t start = out->len, head = head_size(b->info);

	if (b->total < SF_BLOCK_MIN + head)
		return 1;
	begin_block(out, b);
	if (has_lengths(b->info))
		filter_lengths(&f, b->p + 8 + head, b->total - SF_BLOCK_MIN - head);
	else if (b->info->kind != SF_KIND_MACHINE)
		filter_plain(&f);
	else
		f.dropped = 1;
	if (out->len == start + 8 + head && f.dropped)
		out->len = start;
	else
		end_block(out, start);
	buf_done(&f.one);
	map_done(&f.fds);
	return f.dropped;
}

/* ---- all lists of a section ---- */

void salvage_lists_reset(struct salvage_lists *l)
{
	buf_reset(&l->bytes);
	l->n = 0;
	l->damaged = false;
}

void salvage_lists_done(struct salvage_lists *l)
{
	buf_done(&l->bytes);
	free(l->list);
	*l = (struct salvage_lists){0};
}

static unsigned rank(const struct sf_block_info *info)
{
	return info->kind; /* they are listed in their order */
}

int salvage_lists_add(struct salvage_lists *l, const struct sf_block_info *info, const uint8_t *p,
		      uint32_t total, bool in_order, struct error *err)
{
	struct salvage_list_place *list = salvage_room(l->list, l->n, sizeof(*list));
	size_t i = l->n;

	if (!list)
		return error_nomem(err);
	l->list = list;
	for (; in_order && i > 0 && rank(list[i - 1].info) > rank(info); i--)
		list[i] = list[i - 1];
	list[i] = (struct salvage_list_place){.info = info, .at = l->bytes.len, .total = total};
	l->n++;
	buf_add(&l->bytes, p, total);
	return l->bytes.failed ? error_nomem(err) : 0;
}

static struct sf_block block_at(const struct buf *bytes, const struct salvage_list_place *p)
{
	return (struct sf_block){.info = p->info,
				 .p = (const uint8_t *)bytes->p + p->at,
				 .type = p->info->type,
				 .total = p->total};
}

static int note_threads(struct map *threads, const struct sf_block *b, struct error *err)
{
	struct sf_list list;
	uint64_t total = 0;
	struct sf_gaps gaps = {.total = &total};
	struct ev_item item;
	int rc = 0;

	sf_list_begin(&list, b, &gaps);
	while (rc >= 0 && sf_list_next(&list, &item, &gaps))
		rc = map_put(threads, (uint64_t)item.thread->tid, threads);
	sf_gaps_done(&gaps);
	return rc < 0 ? error_nomem(err) : 0;
}

static int find_threads(struct salvage_lists *l, struct map *threads, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < l->n && rc >= 0; i++) {
		struct sf_block b = block_at(&l->bytes, &l->list[i]);

		if (b.info->kind == SF_KIND_THREADS)
			rc = note_threads(threads, &b, err);
	}
	return rc;
}

/* Has each thread of @b a leader among @threads, and is it listed once? */
static bool threads_agree(const struct sf_block *b, const struct map *threads, struct map *seen)
{
	struct sf_list list;
	uint64_t total = 0;
	struct sf_gaps gaps = {.total = &total};
	struct ev_item item;
	bool agree = true;

	sf_list_begin(&list, b, &gaps);
	while (agree && sf_list_next(&list, &item, &gaps))
		agree = map_get(threads, (uint64_t)item.thread->pid) &&
			is_first(seen, (uint64_t)item.thread->tid);
	sf_gaps_done(&gaps);
	return agree;
}

/* Do the lists fit each other? Zeroed bytes in the id of a thread leave entries that could be. */
static int lists_agree(struct salvage_lists *l, bool *agree, struct error *err)
{
	struct map threads = {0}, seen = {0};
	int rc = find_threads(l, &threads, err);

	*agree = rc >= 0;
	for (size_t i = 0; i < l->n && *agree; i++) {
		struct sf_block b = block_at(&l->bytes, &l->list[i]);

		if (b.info->kind == SF_KIND_THREADS)
			*agree = threads_agree(&b, &threads, &seen);
		else if (b.info->kind == SF_KIND_FDS && b.total >= SF_BLOCK_MIN + 8)
			*agree = map_get(&threads, load_u64(b.p + 8));
	}
	map_done(&threads);
	map_done(&seen);
	return rc;
}

/* Replace each list by what can be of it. */
static int filter_all(struct salvage_lists *l, const struct map *threads, uint64_t *dropped,
		      struct error *err)
{
	struct salvage_judge judge = {0};
	struct map seen = {0};
	struct buf out = {0};
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct sf_block b = block_at(&l->bytes, &l->list[i]);
		size_t start = out.len;

		if (threads && b.info->kind == SF_KIND_FDS && b.total >= SF_BLOCK_MIN + 8 &&
		    !map_get(threads, load_u64(b.p + 8)))
			++*dropped;
		else if (salvage_judge_list(&judge, &b, true) ||
			 (threads && b.info->kind == SF_KIND_THREADS))
			*dropped += filter_list(&judge, &b, threads, &seen, &out);
		else
			buf_add(&out, b.p, b.total);
		if (out.len == start)
			continue;
		l->list[kept++] = (struct salvage_list_place){
		    .info = b.info, .at = start, .total = (uint32_t)(out.len - start)};
	}
	l->n = kept;
	salvage_judge_done(&judge);
	map_done(&seen);
	buf_done(&l->bytes);
	l->bytes = out;
	return out.failed ? error_nomem(err) : 0;
}

static int by_kind(const void *a, const void *b)
{
	const struct salvage_list_place *x = a, *y = b;

	if (rank(x->info) != rank(y->info))
		return rank(x->info) < rank(y->info) ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

int salvage_lists_mend(struct salvage_lists *l, uint64_t *dropped, struct error *err)
{
	bool agree = false;
	uint64_t before;
	int rc = 0;

	*dropped = 0;
	if (!l->damaged)
		rc = lists_agree(l, &agree, err);
	if (rc < 0 || agree || !l->n)
		return rc;
	/* Threads before the descriptors of theirs, wherever blocks were moved. */
	qsort(l->list, l->n, sizeof(*l->list), by_kind);
	rc = filter_all(l, NULL, dropped, err);
	/* A thread that goes may be the leader of others. */
	do {
		struct map threads = {0};

		before = *dropped;
		if (rc >= 0)
			rc = find_threads(l, &threads, err);
		if (rc >= 0)
			rc = filter_all(l, &threads, dropped, err);
		map_done(&threads);
	} while (rc >= 0 && *dropped != before);
	return rc;
}
