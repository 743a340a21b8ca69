/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seal of the undamaged capture: which of its frames are still there. They are looked for where
 * they were, and where they are if what was put in or taken out is all in front of them; members
 * and frames also wherever they were found. What the seal does not cover is judged without it.
 */
#include "scapfile/salvage_internal.h"

#include <stdlib.h>

static const struct sf_seal_frames *seal_of(const struct salvage *s)
{
	return s->opt->seal;
}

static uint64_t end_of(const struct salvage *s, size_t i)
{
	return s->sealed[i].found - 1 + seal_of(s)->list[i].size;
}

/* ---- looking for frames ---- */

/* Return: 1: it is at @at, 0, or ERR_*. */
static int is_at(struct salvage *s, const struct sf_seal_frame *f, uint64_t at, struct error *err)
{
	struct sf_hash *h = NULL;
	uint8_t digest[SF_SEAL_DIGEST];
	uint64_t left = f->size;
	int rc;

	if (at > s->file.size || f->size > s->file.size - at)
		return 0;
	rc = sf_hash_new(&h, err);
	while (rc >= 0 && left) {
		const uint8_t *p = NULL;
		size_t n;

		rc = salvage_view(&s->file, at, 1, &p, &n, err);
		if (rc < 0 || !n)
			break;
		n = n < left ? n : (size_t)left;
		sf_hash_add(h, p, n);
		at += n;
		left -= n;
		if (s->opt->stop && s->opt->stop(s->opt->arg, at))
			rc = error_set(err, ERR_INTERRUPTED, "interrupted");
	}
	if (rc >= 0 && !sf_hash_end(h, digest))
		rc = error_nomem(err);
	sf_hash_free(h);
	return rc < 0 ? rc : !left && memcmp(digest, f->sha256, sizeof(digest)) == 0;
}

int salvage_seal_find(struct salvage *s, struct error *err)
{
	const struct sf_seal_frames *seal = seal_of(s);
	uint64_t moved, end = 0;

	if (!seal || !seal->n)
		return 0;
	s->sealed = calloc(seal->n, sizeof(*s->sealed));
	if (!s->sealed)
		return error_nomem(err);
	moved = seal->ended ? s->file.size - seal->size : 0; /* modulo 2^64 if bytes are gone */
	for (size_t i = 0; i < seal->n; i++) {
		const struct sf_seal_frame *f = &seal->list[i];
		uint64_t at = f->at;
		int rc = at >= end ? is_at(s, f, at, err) : 0;

		if (!rc && moved && f->at + moved >= end) {
			at = f->at + moved;
			rc = is_at(s, f, at, err);
		}
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		s->sealed[i].found = at + 1;
		end = at + f->size;
	}
	return 0;
}

uint64_t salvage_seal_next(struct salvage *s, uint64_t from)
{
	size_t n = s->sealed ? seal_of(s)->n : 0;

	if (from < s->sealed_from)
		s->sealed_behind = 0;
	s->sealed_from = from;
	while (s->sealed_behind < n &&
	       (!s->sealed[s->sealed_behind].found || s->sealed[s->sealed_behind].found - 1 < from))
		s->sealed_behind++;
	return s->sealed_behind < n ? s->sealed[s->sealed_behind].found - 1 : UINT64_MAX;
}

/* ---- plain files ---- */

/* @proven: as sealed. Where frames begin with blocks, so does what is behind an altered one. */
static int add_piece(struct salvage *s, uint64_t from, uint64_t to, enum salvage_verdict verdict,
		     struct error *err)
{
	const struct salvage_extent *before = s->nextents ? &s->extents[s->nextents - 1] : NULL;
	const struct salvage_extent e = {
	    .stored = from,
	    .stored_size = to - from,
	    .raw_size = to - from,
	    .verdict = verdict,
	    .joins = !before || !seal_of(s)->at_blocks || before->verdict != SALVAGE_ALTERED,
	};

	return from < to ? salvage_add_extent(s, &e, err) : 0;
}

int salvage_seal_split(struct salvage *s, struct error *err)
{
	const struct sf_seal_frames *seal = seal_of(s);
	uint64_t at = 0,
		 known = seal->ended || seal->size > s->file.size ? s->file.size : seal->size;
	int rc = 0;

	for (size_t i = 0; i < seal->n && rc >= 0; i++) {
		uint64_t from = s->sealed[i].found;

		if (!from--)
			continue;
		rc = add_piece(s, at, from, SALVAGE_ALTERED, err);
		if (rc >= 0)
			rc = add_piece(s, from, end_of(s, i), SALVAGE_PROVEN, err);
		at = end_of(s, i);
	}
	if (rc >= 0 && at < known) {
		rc = add_piece(s, at, known, SALVAGE_ALTERED, err);
		at = known;
	}
	return rc < 0 ? rc : add_piece(s, at, s->file.size, SALVAGE_PLAIN, err);
}

/* ---- members and frames ---- */

static int by_digest(const void *a, const void *b)
{
	const struct sf_seal_frame *const *x = a, *const *y = b;

	return memcmp((*x)->sha256, (*y)->sha256, SF_SEAL_DIGEST);
}

/* The sealed frame with the bytes of extent @e, or NULL. */
static const struct sf_seal_frame *frame_like(const struct salvage_extent *e,
					      struct sf_seal_frame *const *order, size_t n)
{
	size_t low = 0;

	while (n) {
		size_t half = n / 2;

		if (memcmp(order[low + half]->sha256, e->digest, sizeof(e->digest)) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return order[low] && memcmp(order[low]->sha256, e->digest, sizeof(e->digest)) == 0
		   ? order[low]
		   : NULL;
}

/* Is all of @e what was sealed, in pieces perhaps? @i: the first piece that may be. */
static bool is_covered(const struct salvage *s, const struct salvage_extent *e, size_t *i)
{
	uint64_t at = e->stored, end = e->stored + e->stored_size;
	size_t n = seal_of(s)->n;

	while (*i < n && (!s->sealed[*i].found || end_of(s, *i) <= at))
		++*i;
	for (size_t k = *i; k < n && at < end; k++) {
		if (!s->sealed[k].found)
			continue;
		if (s->sealed[k].found - 1 > at)
			return false;
		at = end_of(s, k);
	}
	return at >= end;
}

static void judge(const struct salvage *s, struct salvage_extent *e)
{
	if (e->verdict != SALVAGE_PLAIN && e->verdict != SALVAGE_PROVEN)
		return;
	if (e->as_sealed)
		e->verdict = SALVAGE_PROVEN;
	else if (seal_of(s)->ended || e->stored < seal_of(s)->size)
		e->verdict = SALVAGE_ALTERED;
}

/* Those that stand elsewhere than the seal has them. */
static int find_moved(struct salvage *s, struct error *err)
{
	const struct sf_seal_frames *seal = seal_of(s);
	struct sf_seal_frame **order = calloc(seal->n + 1, sizeof(*order));

	if (!order)
		return error_nomem(err);
	for (size_t i = 0; i < seal->n; i++)
		order[i] = &seal->list[i];
	qsort(order, seal->n, sizeof(struct sf_seal_frame *), by_digest);
	for (size_t i = 0; i < s->nextents; i++) {
		struct salvage_extent *e = &s->extents[i];
		const struct sf_seal_frame *f = e->as_sealed ? NULL : frame_like(e, order, seal->n);

		if (!f)
			continue;
		e->as_sealed = true;
		if (!s->sealed[f - seal->list].found)
			s->sealed[f - seal->list].found = e->stored + 1;
	}
	free(order);
	return 0;
}

static int judge_frames(struct salvage *s, struct error *err)
{
	size_t covered = 0;
	int rc;

	for (size_t i = 0; i < s->nextents; i++)
		s->extents[i].as_sealed = is_covered(s, &s->extents[i], &covered);
	rc = find_moved(s, err);
	for (size_t i = 0; i < s->nextents; i++)
		judge(s, &s->extents[i]);
	return rc;
}

/* ---- what became of each ---- */

/* The first extent that begins at @at or behind it. */
static size_t extent_behind(const struct salvage *s, uint64_t at)
{
	size_t low = 0, n = s->nextents;

	while (n) {
		size_t half = n / 2;

		if (s->extents[low + half].stored < at) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

/* Is something in the file where @f was that is not what was sealed? */
static bool is_altered_at(const struct salvage *s, const struct sf_seal_frame *f)
{
	size_t i = extent_behind(s, f->at);

	for (i -= i > 0; i < s->nextents && s->extents[i].stored < f->at + f->size; i++) {
		const struct salvage_extent *e = &s->extents[i];

		if (!e->as_sealed && e->verdict != SALVAGE_PROVEN &&
		    f->at < e->stored + e->stored_size)
			return true;
	}
	return false;
}

/* Frames [@i, @end) are nowhere; the file's bytes from @from to @to are in their place. */
static void judge_lost(struct salvage *s, size_t i, size_t end, uint64_t from, uint64_t to)
{
	uint64_t room = to > from ? to - from : 0;

	for (; i < end; i++) {
		const struct sf_seal_frame *f = &seal_of(s)->list[i];
		bool altered = room || is_altered_at(s, f);

		room -= room < f->size ? room : f->size;
		if (f->is_table)
			continue;
		s->report->sealed_altered += altered;
		s->report->sealed_missing += !altered;
		s->sealed[i].missing = !altered;
		s->sealed[i].extent = extent_behind(s, to);
	}
}

const struct salvage_extent *salvage_extent_of(const struct salvage *s, uint64_t offset,
					       uint32_t total)
{
	const struct salvage_extent *e = salvage_extent_at(s, offset);
	const struct salvage_extent *end = s->extents + s->nextents;

	for (const struct salvage_extent *k = e; s->sealed && k < end && k->raw < offset + total;
	     k++)
		if (k->verdict == SALVAGE_ALTERED && k->usable && !k->duplicate)
			return k;
	return e;
}

int salvage_seal_judge(struct salvage *s, struct error *err)
{
	const struct sf_seal_frames *seal = seal_of(s);
	uint64_t at = 0;
	int rc = 0;

	if (!s->sealed)
		return 0;
	if (s->compression != SF_PLAIN)
		rc = judge_frames(s, err);
	for (size_t i = 0, end; i < seal->n; i = end) {
		for (end = i; end < seal->n && !s->sealed[end].found;)
			end++;
		judge_lost(s, i, end, at, end < seal->n ? s->sealed[end].found - 1 : s->file.size);
		if (end == seal->n)
			break;
		s->report->sealed_proven += !seal->list[end].is_table;
		at = end_of(s, end++);
	}
	s->report->sealed =
	    s->report->sealed_proven + s->report->sealed_altered + s->report->sealed_missing;
	for (size_t i = 0; i < s->nextents; i++)
		if (s->opt->proven_only && s->extents[i].verdict == SALVAGE_ALTERED)
			s->extents[i].usable = 0;
	return rc;
}
