/* SPDX-License-Identifier: Apache-2.0 */
/* What is written, and the account of what is not. */
#include "scapfile/salvage_lists.h"

#include <stdio.h>
#include <stdlib.h>

#define VERSION 0x00020001u /* of the format: 1.2 */

struct writing {
	struct salvage *s;
	struct sf_writer *w;
	struct salvage_sequence sequence;
	struct salvage_lists lists; /* of the section in progress, until its first event */
	struct buf header;	    /* of that section; empty: it is lost */
	uint32_t section;
	uint32_t written;  /* the section whose header was written last */
	bool has_section;  /* some block of it was met */
	bool in_events;	   /* an event of it was written */
	bool duplicates;   /* events of it were left out as such */
	bool mark_due;	   /* something is missing here */
	bool mark_counted; /* and @mark_events says how many events */
	uint64_t mark_events;
	uint64_t last_ts; /* of the last event; 0: none */
	size_t unfilled;  /* damages from here on lack the time behind them */
	size_t extents_told, missing_told;
	const struct salvage_extent *altered; /* that the last event is from; or NULL */
	uint64_t duplicate_from;	      /* of those in a row */
	size_t duplicates_note;		      /* what is told of them, + 1; 0: nothing */
};

/* ---- the account ---- */

/* Times of the events around it are filled in as they come. */
static struct sf_damage *note(struct writing *g, enum sf_damage_kind kind, uint64_t offset,
			      uint64_t bytes, const char *what)
{
	const struct salvage_extent *e = salvage_extent_at(g->s, offset);
	struct sf_damage *d = salvage_note(g->s, kind, "%s", what);

	if (!d)
		return NULL;
	d->offset = offset;
	d->bytes = bytes;
	d->before = g->last_ts;
	if (e && g->s->compression == SF_PLAIN) {
		d->stored = e->stored + (offset - e->raw);
		d->stored_bytes = bytes;
	} else if (e) {
		d->stored = e->stored;
		d->stored_bytes = e->stored_size;
	}
	return d;
}

static void note_missing(struct writing *g, uint64_t events)
{
	if (!g->mark_due) {
		g->mark_counted = true;
		g->mark_events = 0;
	}
	g->mark_due = true;
	g->mark_counted &= events != 0;
	g->mark_events += events;
}

static void take_gap(void *arg, const struct sf_gap *gap)
{
	struct writing *g = arg;

	note_missing(g, 0);
	g->lists.damaged |= !g->in_events;
	if (gap->reason != SF_GAP_COMPRESSION)
		note(g, gap->reason == SF_GAP_TRUNCATED ? SF_DAMAGE_TRUNCATED : SF_DAMAGE_FRAMING,
		     gap->offset, gap->bytes, gap->what);
}

/* One line for all duplicates in a row. */
static void note_duplicate(struct writing *g, const struct salvage_block *b)
{
	struct sf_salvage_report *r = g->s->report;
	struct sf_damage *d = g->duplicates_note ? &r->list[g->duplicates_note - 1] : NULL;

	r->duplicates++;
	g->duplicates = true;
	if (!d || d->offset + d->bytes != b->b.offset)
		d = note(g, SF_DAMAGE_DUPLICATE, b->b.offset, 0, "the same events as before");
	g->duplicates_note = d ? (size_t)(d - r->list) + 1 : 0;
	if (!d)
		return;
	d->events++;
	d->bytes += b->b.total;
	if (g->s->compression == SF_PLAIN)
		d->stored_bytes = d->bytes;
}

static void take_left_out(void *arg, const struct salvage_block *b, bool duplicate)
{
	struct writing *g = arg;
	struct sf_damage *d;

	if (duplicate) {
		note_duplicate(g, b);
		return;
	}
	g->s->report->events_left_out++;
	note_missing(g, 1);
	d = note(g, SF_DAMAGE_EVENT, b->b.offset, b->b.total, b->why);
	if (d)
		d->events = 1;
}

static const char *trouble_of(const struct salvage_extent *e)
{
	if (e->duplicate)
		return "the same member or frame as one before";
	if (e->verdict == SALVAGE_ALTERED)
		return e->usable ? "not what was sealed; what can be is kept"
				 : "not what was sealed; left out";
	if (e->verdict == SALVAGE_GARBAGE)
		return "neither a gzip member nor a zstd frame";
	if (e->is_cut)
		return "the file ends inside it";
	if (e->verdict == SALVAGE_BROKEN)
		return "it cannot be decoded to its end";
	return e->usable ? "its checksum is wrong; what makes sense at its start is used"
			 : "its checksum is wrong, and nothing tells where; it is left out";
}

static enum sf_damage_kind kind_of(const struct salvage_extent *e)
{
	if (e->duplicate)
		return SF_DAMAGE_DUPLICATE;
	if (e->verdict == SALVAGE_ALTERED)
		return SF_DAMAGE_ALTERED;
	if (e->verdict == SALVAGE_GARBAGE)
		return SF_DAMAGE_GARBAGE;
	if (e->is_cut)
		return SF_DAMAGE_TRUNCATED;
	return e->verdict == SALVAGE_MISMATCH ? SF_DAMAGE_CHECKSUM : SF_DAMAGE_CORRUPT;
}

static void tell_extent(struct writing *g, const struct salvage_extent *e)
{
	struct sf_damage *d = salvage_note(g->s, kind_of(e), "%s", trouble_of(e));

	g->s->report->unproven += !e->duplicate && e->usable;
	if (!e->duplicate)
		note_missing(g, 0);
	if (!d)
		return;
	d->stored = e->stored;
	d->stored_bytes = e->stored_size;
	d->offset = e->raw;
	d->before = g->last_ts;
}

/* Sealed frames that are gone, as far as they were before extent @i. */
static void tell_missing(struct writing *g, size_t i)
{
	const struct sf_seal_frames *seal = g->s->opt->seal;

	for (; g->s->sealed && g->missing_told < seal->n; g->missing_told++) {
		const struct salvage_sealed *x = &g->s->sealed[g->missing_told];
		const struct sf_seal_frame *f = &seal->list[g->missing_told];
		struct sf_damage *d;

		if (!x->missing)
			continue;
		if (x->extent > i)
			break;
		d = salvage_note(g->s, SF_DAMAGE_MISSING,
				 "a frame of %llu bytes that was sealed at byte %llu",
				 (unsigned long long)f->size, (unsigned long long)f->at);
		g->lists.damaged |= !g->in_events;
		if (f->events)
			note_missing(g, f->events == UINT64_MAX ? 0 : f->events);
		if (!d)
			continue;
		d->stored = i < g->s->nextents ? g->s->extents[i].stored : g->s->file.size;
		d->before = g->last_ts;
		d->events = f->events == UINT64_MAX ? 0 : f->events;
	}
}

/*
 * Members and frames before extent @end that are not whole, or there twice; and it if it is
 * altered, since its events are not left out.
 */
static void tell_extents(struct writing *g, size_t end)
{
	for (; g->extents_told <= end; g->extents_told++) {
		const struct salvage_extent *e;

		tell_missing(g, g->extents_told);
		if (g->extents_told == g->s->nextents)
			return;
		e = &g->s->extents[g->extents_told];
		if (g->extents_told == end && e->verdict != SALVAGE_ALTERED)
			return;
		if (e->duplicate || (e->verdict != SALVAGE_PLAIN && e->verdict != SALVAGE_PROVEN))
			tell_extent(g, e);
	}
}

/* The next event is from @e, or there is none: events that are altered end with a mark, too. */
static void leave_altered(struct writing *g, const struct salvage_extent *e)
{
	if (g->altered && g->altered != e)
		note_missing(g, 0);
	g->altered = e && e->verdict == SALVAGE_ALTERED ? e : NULL;
}

/* The time of the event behind a damage. */
static void fill_times(struct writing *g, uint64_t ts)
{
	struct sf_salvage_report *r = g->s->report;

	for (; g->unfilled < r->described; g->unfilled++)
		r->list[g->unfilled].after = ts;
}

/* ---- sections ---- */

static void add_new_header(struct buf *b)
{
	uint8_t header[SF_SHB_MIN], *p = put_u32(header, SF_SHB);

	p = put_u32(p, SF_SHB_MIN);
	p = put_u32(p, SF_SHB_MAGIC);
	p = put_u32(p, VERSION);
	p = put_u64(p, UINT64_MAX);
	put_u32(p, SF_SHB_MIN);
	buf_add(b, header, sizeof(header));
}

static int write_block(struct writing *g, const struct sf_block *b, uint64_t ts, struct error *err)
{
	const struct sf_raw_block raw = {
	    .type = b->type,
	    .offset = b->offset,
	    .p = b->p,
	    .total = b->total,
	    .is_section = b->info->kind == SF_KIND_SECTION,
	    .is_event = b->info->kind == SF_KIND_EVENT,
	    .ts = ts,
	};

	return sf_writer_block(g->w, &raw, err);
}

static int write_header(struct writing *g, struct error *err)
{
	struct sf_block b = {.info = sf_block_info(SF_SHB), .type = SF_SHB};

	if (!g->header.len) {
		g->s->report->new_headers++;
		note(g, SF_DAMAGE_HEADER, 0, 0,
		     "the header of a section is missing or wrong; a new one is written");
		add_new_header(&g->header);
	}
	if (g->header.failed)
		return error_nomem(err);
	b.p = (const uint8_t *)g->header.p;
	b.total = (uint32_t)g->header.len;
	return write_block(g, &b, 0, err);
}

static int write_lists(struct writing *g, struct error *err)
{
	uint64_t dropped = 0;
	int rc;

	/* Whatever is damaged, a list may be among it. */
	g->lists.damaged |= g->s->report->count != 0;
	rc = salvage_lists_mend(&g->lists, &dropped, err);

	if (rc >= 0 && dropped) {
		struct sf_damage *d = note(g, SF_DAMAGE_LIST, 0, 0, "");

		if (d)
			snprintf(d->what, sizeof(d->what),
				 "%llu entries of the initial state cannot be as they stand, or "
				 "belong to threads that are lost; left out",
				 (unsigned long long)dropped);
	}
	for (size_t i = 0; i < g->lists.n && rc >= 0; i++) {
		const struct salvage_list_place *p = &g->lists.list[i];
		const struct sf_block b = {.info = p->info,
					   .type = p->info->type,
					   .total = p->total,
					   .p = (const uint8_t *)g->lists.bytes.p + p->at};

		rc = write_block(g, &b, 0, err);
	}
	return rc;
}

/* The machine's block is altered if most events contradict it. */
static bool machine_is_wrong(const struct salvage *s, uint32_t section)
{
	const struct salvage_section *x = salvage_section_at(s, section);

	return x->bad_cpus * 2 > x->events || x->bad_times * 2 > x->events;
}

static int add_strays(struct writing *g, struct error *err)
{
	const struct salvage *s = g->s;
	int rc = 0;

	for (size_t i = 0; i < s->nstrays && rc >= 0; i++)
		if (s->strays[i].section == g->section &&
		    !(s->strays[i].info->kind == SF_KIND_MACHINE &&
		      machine_is_wrong(s, g->section)))
			rc = salvage_lists_add(&g->lists, s->strays[i].info, s->strays[i].bytes,
					       s->strays[i].total, true, err);
	return rc;
}

/*
 * A section whose first events were there before is that one again, up to here, where @b comes; but
 * not if its machine is another, or if @b is older than what was written: it would not fit.
 */
static bool is_section_again(const struct writing *g, const struct salvage_block *b)
{
	const struct salvage_section *x = salvage_section_at(g->s, g->written);
	const struct salvage_section *y = salvage_section_at(g->s, g->section);

	return g->duplicates && g->s->report->sections && x->cpus == y->cpus &&
	       x->boot_ts == y->boot_ts &&
	       (b->ts == UINT64_MAX || b->ts + SF_TIME_BACK_MAX >= g->last_ts);
}

/* The first event of the section comes: all that stands before events. */
static int write_head(struct writing *g, const struct salvage_block *b, struct error *err)
{
	int rc = 0;

	g->in_events = true;
	if (!is_section_again(g, b)) {
		rc = add_strays(g, err);
		if (rc >= 0)
			rc = write_header(g, err);
		if (rc >= 0)
			rc = write_lists(g, err);
		g->s->report->sections++;
		g->written = g->section;
	}
	salvage_lists_reset(&g->lists);
	return rc;
}

static int take_list(struct writing *g, const struct salvage_block *b, struct error *err)
{
	if (b->b.info->kind == SF_KIND_MACHINE && machine_is_wrong(g->s, b->section)) {
		note(g, SF_DAMAGE_LIST, b->b.offset, b->b.total,
		     "what the machine's block says is contradicted by most events; left out");
		return 0;
	}
	if (g->in_events || b->b.info->kind == SF_KIND_UNKNOWN) {
		note(g, b->why ? SF_DAMAGE_FRAMING : SF_DAMAGE_PLACE, b->b.offset, b->b.total,
		     b->why ? b->why : "a list between events; put before them");
		if (b->why)
			note_missing(g, 0);
		return 0;
	}
	g->lists.damaged |= b->why != NULL;
	if (b->why)
		note(g, SF_DAMAGE_LIST, b->b.offset, b->b.total, b->why);
	return salvage_lists_add(&g->lists, b->b.info, b->b.p, b->b.total, false, err);
}

static int take_header(struct writing *g, const struct salvage_block *b, struct error *err)
{
	if (b->why || b->b.offset + 1 == g->s->ignored_header) {
		note(g, b->why ? SF_DAMAGE_HEADER : SF_DAMAGE_PLACE, b->b.offset, b->b.total,
		     b->why ? b->why : "a section header between events");
		return 0;
	}
	buf_reset(&g->header);
	buf_add(&g->header, b->b.p, b->b.total);
	return g->header.failed ? error_nomem(err) : 0;
}

static void begin_section(struct writing *g, uint32_t section)
{
	g->section = section;
	g->in_events = g->duplicates = false;
	buf_reset(&g->header);
	g->has_section = true;
	salvage_lists_reset(&g->lists);
}

/* ---- events ---- */

static bool is_loss(const struct salvage_block *b)
{
	return load_u16(b->b.p + 8 + b->b.info->prefix + 20) == EV_TYPE_LOSS;
}

static int write_mark(struct writing *g, uint64_t ts, struct error *err)
{
	struct ev_loss loss = {.from = g->last_ts && g->last_ts < ts ? g->last_ts : ts,
			       .to = ts,
			       .cpu = -1,
			       .reason = EV_LOSS_DAMAGED,
			       .count = g->mark_counted ? g->mark_events : 0};

	if (!g->mark_due)
		return 0;
	g->mark_due = false;
	if (g->s->opt->no_marks)
		return 0;
	g->s->report->marks++;
	return sf_writer_loss(g->w, &loss, err);
}

static void count_event(struct writing *g, const struct salvage_block *b)
{
	struct sf_salvage_report *r = g->s->report;

	if (is_loss(b))
		r->losses++;
	else
		r->events++;
	r->moved += b->is_moved;
	r->events_unproven += b->extent && (b->extent->verdict == SALVAGE_BROKEN ||
					    b->extent->verdict == SALVAGE_MISMATCH ||
					    b->extent->verdict == SALVAGE_ALTERED);
}

static int take_event(struct writing *g, const struct salvage_block *b, struct error *err)
{
	bool has_time = b->ts != UINT64_MAX;
	int rc;

	if (b->extent && !b->is_moved) {
		leave_altered(g, b->extent);
		tell_extents(g, (size_t)(b->extent - g->s->extents));
	}
	rc = g->in_events ? 0 : write_head(g, b, err);
	if (rc < 0)
		return rc;
	if (has_time) {
		fill_times(g, b->ts);
		rc = write_mark(g, b->ts, err);
	}
	if (rc >= 0)
		rc = write_block(g, &b->b, b->ts, err);
	count_event(g, b);
	if (has_time && !is_loss(b))
		g->last_ts = b->ts;
	return rc;
}

static int take_block(struct writing *g, const struct salvage_block *b, struct error *err)
{
	if (!g->has_section || b->section != g->section)
		begin_section(g, b->section);
	if (b->is_event)
		return take_event(g, b, err);
	return b->b.info->kind == SF_KIND_SECTION ? take_header(g, b, err) : take_list(g, b, err);
}

static void note_order(struct salvage *s)
{
	if (s->nmoved)
		salvage_note(s, SF_DAMAGE_ORDER, "%zu events were not where their times say",
			     s->nmoved);
	if (s->order_limited)
		salvage_note(s, SF_DAMAGE_ORDER,
			     "more events stand where they do not belong; these stay there");
	if (s->late_limited)
		salvage_note(s, SF_DAMAGE_DUPLICATE,
			     "events that are there twice were looked for among %u only",
			     SALVAGE_LATE_MAX);
}

static int write_end(struct writing *g, struct error *err)
{
	leave_altered(g, NULL);
	tell_extents(g, g->s->nextents);
	note_order(g->s);
	return g->last_ts && g->in_events ? write_mark(g, g->last_ts, err) : 0;
}

int salvage_write(struct salvage *s, struct sf_writer *w, struct error *err)
{
	struct writing g = {.s = s, .w = w};
	struct salvage_block b;
	int rc = salvage_sequence_begin(&g.sequence, s, err);

	g.sequence.walk.on_gap = take_gap;
	g.sequence.walk.arg = &g;
	g.sequence.on_left_out = take_left_out;
	g.sequence.arg = &g;
	while (rc >= 0 && (rc = salvage_sequence_next(&g.sequence, &b, err)) > 0) {
		if (s->opt->stop && b.extent && s->opt->stop(s->opt->arg, b.extent->stored))
			rc = error_set(err, ERR_INTERRUPTED, "interrupted");
		else
			rc = take_block(&g, &b, err);
	}
	if (rc >= 0)
		rc = write_end(&g, err);
	salvage_sequence_done(&g.sequence);
	salvage_lists_done(&g.lists);
	buf_done(&g.header);
	return rc;
}
