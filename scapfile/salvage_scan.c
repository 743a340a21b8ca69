/* SPDX-License-Identifier: Apache-2.0 */
/* The first reading of a damaged capture: what has to be known before anything is written. */
#include "scapfile/salvage_internal.h"

#include <stdlib.h>

#define TIME_AHEAD_MAX 3600000000000ull /* ns from one event to the next, in a broken frame */

struct scan {
	struct salvage *s;
	struct salvage_walk walk;
	uint64_t newest_ts;    /* of all sections; 0: none */
	uint64_t section_ts;   /* of this one */
	uint32_t section;      /* whose that is */
	bool begins_headless;  /* the file does not begin with a section header */
	uint64_t headless_ts;  /* of its first event then */
	uint64_t header;       /* offset + 1 of one that no event has followed yet */
	unsigned after_header; /* blocks behind it */
};

void *salvage_room(void *list, size_t n, size_t size)
{
	/* Full whenever the number is a power of two. */
	if (n & (n - 1))
		return list;
	return realloc(list, (n ? 2 * n : 1) * size);
}

/* ---- what makes no sense in a frame that is broken ---- */

static bool is_doubtful(const struct salvage_extent *e)
{
	return e && (e->verdict == SALVAGE_BROKEN || e->verdict == SALVAGE_MISMATCH);
}

/* From @offset on, nothing of the extent there can be believed. */
static void note_sign(struct salvage *s, uint64_t offset)
{
	struct salvage_extent *e = (struct salvage_extent *)salvage_extent_at(s, offset);

	if (!is_doubtful(e) || e->has_sign || s->opt->keep_doubtful)
		return;
	e->has_sign = true;
	e->sign = offset - e->raw;
}

static void take_gap(void *arg, const struct sf_gap *gap)
{
	struct scan *c = arg;

	const struct salvage_extent *e = salvage_extent_at(c->s, gap->offset);

	/* One that breaks off ends inside a block: that is no sign. */
	if (gap->reason == SF_GAP_FRAMING ||
	    (gap->reason == SF_GAP_TRUNCATED && e && e->verdict == SALVAGE_MISMATCH))
		note_sign(c->s, gap->offset);
}

static bool is_sign(const struct scan *c, const struct salvage_block *b)
{
	/* A list may be odd in a capture that is only cut. */
	if (b->why)
		return b->is_event || !b->extent->is_cut;
	if (!b->is_event)
		return c->walk.in_events && b->b.info->kind != SF_KIND_SECTION;
	return b->ts != UINT64_MAX && c->section_ts &&
	       (b->ts + SF_TIME_BACK_MAX < c->section_ts || b->ts > c->section_ts + TIME_AHEAD_MAX);
}

/* ---- sections and lists ---- */

static struct salvage_section *section_of(struct salvage *s, uint32_t number)
{
	struct salvage_section *list;

	while (s->nsections <= number) {
		list = salvage_room(s->sections, s->nsections, sizeof(*list));
		if (!list)
			return NULL;
		s->sections = list;
		list[s->nsections++] = (struct salvage_section){0};
	}
	return &s->sections[number];
}

/* A list between events: it is put before them, where it came from. */
static int keep_stray(struct salvage *s, const struct salvage_block *b, struct error *err)
{
	struct salvage_list *list;

	if (s->bytes_kept + b->b.total > SALVAGE_BYTES_MAX)
		return 0;
	list = salvage_room(s->strays, s->nstrays, sizeof(*list));
	if (!list)
		return error_nomem(err);
	s->strays = list;
	list += s->nstrays;
	*list =
	    (struct salvage_list){.section = b->section, .info = b->b.info, .total = b->b.total};
	list->bytes = arena_alloc(&s->bytes, b->b.total);
	if (!list->bytes)
		return error_nomem(err);
	memcpy(list->bytes, b->b.p, b->b.total);
	s->bytes_kept += b->b.total;
	s->nstrays++;
	return 0;
}

static int take_list(struct scan *c, const struct salvage_block *b, struct error *err)
{
	struct salvage_section *section = section_of(c->s, b->section);

	if (!section)
		return error_nomem(err);
	if (b->b.info->kind == SF_KIND_MACHINE && !b->why) {
		section->cpus = load_u32(b->b.p + 8);
		section->boot_ts = load_u64(b->b.p + 8 + 148);
	}
	return c->walk.in_events && !b->why && b->b.info->kind != SF_KIND_SECTION
		   ? keep_stray(c->s, b, err)
		   : 0;
}

/*
 * The one header of a capture that lacks it at its start stands elsewhere because blocks or frames
 * were swapped if an event follows it at once, or one that is older than the first without a
 * header. Later readings then pass it over.
 */
static bool is_displaced_header(const struct scan *c, const struct salvage_block *b)
{
	if (!b->is_event || b->why || !c->header || !c->begins_headless || b->section != 1 ||
	    c->s->ignored_header)
		return false;
	return !c->after_header || (c->headless_ts && b->ts < c->headless_ts);
}

/* ---- events ---- */

const struct salvage_section *salvage_section_at(const struct salvage *s, uint32_t number)
{
	static const struct salvage_section unknown = {0};

	return number < s->nsections ? &s->sections[number] : &unknown;
}

bool salvage_fits_machine(const struct salvage *s, const struct salvage_block *b)
{
	const struct salvage_section *section = salvage_section_at(s, b->section);
	unsigned type = load_u16(b->b.p + 8 + b->b.info->prefix + 20);

	if (section->cpus && section->bad_cpus * 2 <= section->events && b->cpu >= section->cpus &&
	    type != EV_TYPE_LOSS)
		return false;
	return section->bad_times * 2 > section->events || b->ts >= section->boot_ts;
}

static void count_disagreement(struct salvage_section *section, const struct salvage_block *b)
{
	section->events++;
	section->bad_cpus += section->cpus && b->cpu >= section->cpus;
	section->bad_times += b->ts < section->boot_ts;
}

static struct salvage_late *find_late(struct salvage *s, uint64_t ts, const uint8_t *digest)
{
	uint32_t i = (uint32_t)(uintptr_t)map_get(&s->late_by_ts, ts);

	while (i && memcmp(s->late[i - 1].digest, digest, sizeof(s->late->digest)) != 0)
		i = s->late[i - 1].next;
	return i ? &s->late[i - 1] : NULL;
}

bool salvage_is_duplicate(struct salvage *s, uint64_t ts, const uint8_t *p, size_t n)
{
	struct salvage_late *late;
	uint8_t digest[32];
	bool seen;

	if (!s->nlate || !map_get(&s->late_by_ts, ts) || !sf_hash_once(p, n, digest))
		return false;
	late = find_late(s, ts, digest);
	if (!late)
		return false;
	seen = late->seen;
	late->seen = true;
	late->twice |= seen;
	return seen;
}

bool salvage_is_there_twice(const struct salvage *s, uint64_t ts)
{
	uint32_t i = (uint32_t)(uintptr_t)map_get(&s->late_by_ts, ts);

	while (i && !s->late[i - 1].twice)
		i = s->late[i - 1].next;
	return i != 0;
}

static int add_late(struct salvage *s, const struct salvage_block *b, struct error *err)
{
	struct salvage_late *list;
	uint8_t digest[32];

	if (s->nlate == SALVAGE_LATE_MAX) {
		s->late_limited = true;
		return 0;
	}
	if (!sf_hash_once(b->b.p, b->b.total, digest))
		return error_nomem(err);
	if (find_late(s, b->ts, digest))
		return 0;
	list = salvage_room(s->late, s->nlate, sizeof(*list));
	if (!list)
		return error_nomem(err);
	s->late = list;
	list[s->nlate] = (struct salvage_late){
	    .ts = b->ts, .next = (uint32_t)(uintptr_t)map_get(&s->late_by_ts, b->ts)};
	memcpy(list[s->nlate].digest, digest, sizeof(list->digest));
	s->nlate++;
	if (map_put(&s->late_by_ts, b->ts, (void *)(uintptr_t)s->nlate) < 0)
		return error_nomem(err);
	return 0;
}

static int take_event(struct scan *c, const struct salvage_block *b, struct error *err)
{
	struct salvage_section *section = section_of(c->s, b->section);
	int rc = 0;

	if (!section)
		return error_nomem(err);
	count_disagreement(section, b);
	if (b->ts == UINT64_MAX)
		return 0;
	if (c->section != b->section)
		c->section_ts = 0;
	c->section = b->section;
	c->s->disordered |= b->ts < c->section_ts;
	if (b->ts <= c->newest_ts)
		rc = add_late(c->s, b, err);
	if (b->ts > c->newest_ts)
		c->newest_ts = b->ts;
	if (b->ts > c->section_ts)
		c->section_ts = b->ts;
	return rc;
}

static int take_block(struct scan *c, const struct salvage_block *b, struct error *err)
{
	if (!b->b.offset)
		c->begins_headless = b->b.info->kind != SF_KIND_SECTION || b->why;
	if (is_displaced_header(c, b))
		c->s->ignored_header = c->header;
	if (b->is_event && !b->why && !c->headless_ts && c->begins_headless && !b->section)
		c->headless_ts = b->ts;
	if (b->b.info->kind == SF_KIND_SECTION && !b->why) {
		c->header = b->b.offset + 1;
		c->after_header = 0;
	} else {
		c->after_header++;
		if (b->is_event && !b->why)
			c->header = 0;
	}
	if (!b->is_event)
		return take_list(c, b, err);
	return b->why ? 0 : take_event(c, b, err);
}

/* ---- readings ---- */

static int look_for_sign(struct scan *c, const struct salvage_block *b, struct error *err)
{
	(void)err;
	if (is_doubtful(b->extent) && is_sign(c, b))
		note_sign(c->s, b->b.offset);
	if (b->is_event && !b->why && b->ts != UINT64_MAX)
		c->section_ts = b->ts;
	return 0;
}

static int read_all(struct scan *c,
		    int (*take)(struct scan *c, const struct salvage_block *b, struct error *err),
		    struct error *err)
{
	struct salvage *s = c->s;
	struct salvage_block b;
	int rc = salvage_walk_begin(&c->walk, s, err);

	c->walk.on_gap = take_gap;
	c->walk.arg = c;
	while (rc >= 0 && (rc = salvage_walk_next(&c->walk, &b, err)) > 0) {
		if (s->opt->stop && b.extent && s->opt->stop(s->opt->arg, b.extent->stored))
			rc = error_set(err, ERR_INTERRUPTED, "interrupted");
		else
			rc = take(c, &b, err);
	}
	salvage_walk_done(&c->walk);
	return rc;
}

/*
 * How far an extent that is not whole can be used. What makes no sense came from a compressed block
 * that is altered, earlier in it perhaps; and so did what could not be decoded. Where a checksum is
 * wrong and the size is right, bytes were replaced by as many others: copies of them may go a long
 * way before one makes no sense.
 */
static int decide(struct salvage *s, struct salvage_extent *e, struct error *err)
{
	if (s->opt->proven_only ||
	    (e->verdict == SALVAGE_MISMATCH && (!e->has_sign || e->keeps_size))) {
		e->usable = 0;
		return 0;
	}
	if (e->is_cut && !e->has_sign)
		return 0;
	return salvage_block_start(s, e, e->has_sign ? e->sign : e->raw_size, &e->usable, err);
}

/* Look for what makes no sense in them. */
static int find_signs(struct salvage *s, struct error *err)
{
	struct scan c = {.s = s};
	bool any = false;
	int rc;

	for (size_t i = 0; i < s->nextents && !any; i++)
		any = is_doubtful(&s->extents[i]);
	if (!any || s->opt->keep_doubtful)
		return 0;
	rc = read_all(&c, look_for_sign, err);
	for (size_t i = 0; i < s->nextents && rc >= 0; i++)
		if (is_doubtful(&s->extents[i]))
			rc = decide(s, &s->extents[i], err);
	return rc;
}

static void forget_facts(struct salvage *s)
{
	s->nsections = s->nstrays = s->nlate = 0;
	map_clear(&s->late_by_ts);
	arena_reset(&s->bytes);
	s->bytes_kept = 0;
	s->disordered = s->late_limited = false;
}

int salvage_scan(struct salvage *s, struct error *err)
{
	struct scan c = {.s = s, .begins_headless = true};
	int rc = find_signs(s, err);

	memset(s->odd, 0, sizeof(s->odd));
	if (rc >= 0)
		rc = read_all(&c, take_block, err);
	s->odd_known = true;
	if (rc < 0 || !s->ignored_header)
		return rc;
	/* The sections are others than they seemed. */
	forget_facts(s);
	c = (struct scan){.s = s};
	return read_all(&c, take_block, err);
}
