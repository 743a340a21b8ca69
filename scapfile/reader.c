/* SPDX-License-Identifier: Apache-2.0 */
/* The reader: sections and the order of blocks, turned into a source of items. */
#include "scapfile/scapfile.h"

#include <inttypes.h>
#include <stdlib.h>

#include "archive/archive.h"
#include "scapfile/brief.h"
#include "scapfile/calls.h"
#include "scapfile/internal.h"
#include "scapfile/row.h"

#define COMMENTS_MAX	  64	/* section comments kept per capture */
#define COMMENT_BYTES_MAX 65536 /* and how long they may be together */
#define OPTION_END	  0	/* pcapng option codes */
#define OPTION_COMMENT	  1

struct sf_reader {
	struct ev_source source;
	struct sf_usual usual[EV_TYPE_COUNT];
	struct sf_framer framer;
	struct sf_gaps gaps;
	struct sf_block block; /* being delivered; consumed by the next call */
	bool holds_block;
	bool in_list;	    /* @block is a list with entries left */
	bool in_events;	    /* an event of this section has been seen: only events may follow */
	bool skips_section; /* the section is of a version this reader does not know */
	bool at_end;
	uint64_t skip_from; /* offset of that section */
	struct ev ev;
	struct ev_loss loss;
	struct ev_loss_kind loss_kinds[EV_LOSS_KINDS_MAX];
	struct sf_list list;
	struct converter conv;
	struct sf_calls *calls; /* NULL: nobody asks when they began */
	uint64_t began;		/* of the event delivered last */
	struct sf_stats stats;
	struct arena comment_texts;
	const char *comments[COMMENTS_MAX];
	size_t comment_count, comment_bytes;
};

static struct sf_reader *reader_of(struct ev_source *s)
{
	return CONTAINER_OF(s, struct sf_reader, source);
}

static int add_comment(struct sf_reader *r, struct sv text, struct error *err)
{
	if (r->comment_count == COMMENTS_MAX || text.n > COMMENT_BYTES_MAX - r->comment_bytes)
		return 0;
	r->comments[r->comment_count] = arena_strndup(&r->comment_texts, text.p, text.n);
	if (!r->comments[r->comment_count])
		return error_nomem(err);
	r->comment_count++;
	r->comment_bytes += text.n;
	return 0;
}

/* pcapng options: u16 code, u16 length, the value padded to 4 bytes. Bytes that are none are left
 * alone. */
static int read_options(struct sf_reader *r, struct cursor c, struct error *err)
{
	while (c.left >= 4) {
		unsigned code = cursor_u16(&c);
		struct sv value = cursor_str16(&c);
		int rc;

		if (c.failed || code == OPTION_END)
			return 0;
		cursor_bytes(&c, -value.n & 3);
		if (code != OPTION_COMMENT)
			continue;
		rc = add_comment(r, value, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* End the note about a section of unknown version, if one is being skipped. */
static void end_skipped(struct sf_reader *r, uint64_t offset)
{
	if (!r->skips_section)
		return;
	r->skips_section = false;
	sf_gap_add(&r->gaps, SF_GAP_BLOCK, r->skip_from, offset - r->skip_from,
		   "section of format version %u.%u, newer than %u: skipped",
		   r->stats.version_major, r->stats.version_minor, SF_MAJOR_MAX);
}

static int begin_section(struct sf_reader *r, struct ev_item *item, struct error *err)
{
	const struct sf_block *b = &r->block;

	end_skipped(r, b->offset);
	r->in_events = false;
	r->stats.sections++;
	r->stats.version_major = load_u16(b->p + 12);
	r->stats.version_minor = load_u16(b->p + 14);
	if (r->stats.version_major > SF_MAJOR_MAX) {
		r->skips_section = true;
		r->skip_from = b->offset;
	}
	conv_reset(&r->conv);
	if (r->calls)
		sf_calls_forget(r->calls);
	item->kind = EV_ITEM_SECTION;
	item->offset = b->offset;
	if (read_options(r, cursor_of(b->p + 24, b->total - SF_SHB_MIN), err) < 0)
		return ERR_NOMEM;
	return 1;
}

static void note_bad_event(struct sf_reader *r, const char *why)
{
	const struct sf_block *b = &r->block;

	sf_gap_add(
	    &r->gaps, SF_GAP_EVENT, b->offset, b->total, "event of type %u (%s): %s", r->ev.type,
	    r->ev.type < EV_TYPE_COUNT ? ev_table[r->ev.type].enum_name : "not in the table", why);
}

/* A loss the recorder wrote down itself: an item in its place, and a gap. Return: 1. */
static int take_loss(struct sf_reader *r, struct ev_item *item)
{
	sf_loss_decode(&r->ev, &r->loss, r->loss_kinds);
	sf_loss_gap(&r->gaps, &r->loss, r->ev.offset);
	r->stats.losses++;
	if (r->calls)
		sf_calls_forget(r->calls);
	item->kind = EV_ITEM_LOSS;
	item->offset = r->ev.offset;
	item->loss = &r->loss;
	return 1;
}

static void count_hash(struct sf_reader *r)
{
	struct ev_hash h;

	if (!ev_hash_decode(&r->ev, &h))
		return;
	if (h.status == EV_HASH_DONE)
		r->stats.hashes++;
	else
		r->stats.hashes_skipped += h.skipped ? h.skipped : 1;
}

static int take_own(struct sf_reader *r, struct ev_item *item)
{
	struct ev *ev = &r->ev;
	uint8_t known = ev_own_info(ev->type)->nparams;

	if (ev->nparams > known) /* of a later version */
		ev->nparams = ev->located = known;
	item->kind = ev->type == EV_TYPE_URING	? EV_ITEM_URING
		     : ev->type == EV_TYPE_HASH ? EV_ITEM_HASH
						: EV_ITEM_FACTS;
	if (ev->type == EV_TYPE_HASH)
		count_hash(r);
	else if (ev->type == EV_TYPE_URING)
		r->stats.urings++;
	item->offset = ev->offset;
	item->ev = ev;
	return 1;
}

/* Have the event that was decoded as a current one, up to conv_finish(). Return: 1 to deliver it, 0
 * to go on, or ERR_*. */
static inline int bring_up(struct sf_reader *r, struct error *err)
{
	const char *why;
	int rc = conv_start(&r->conv, &r->ev, &why);

	if (LIKELY(rc == CONV_DELIVER))
		return 1;
	if (UNLIKELY(rc < 0))
		return error_nomem(err);
	if (UNLIKELY(rc == CONV_ERROR))
		note_bad_event(r, why);
	r->stats.events_stored += rc == CONV_DROP_STORED;
	return 0;
}

/* Everything but a current, complete event. Return: 1 to deliver it, 0 to go on, or ERR_*. */
static NOINLINE int unusual_event(struct sf_reader *r, enum sf_decoded decoded, const char *why,
				  struct error *err)
{
	switch (decoded) {
	case SF_EVENT_UNKNOWN:
		r->stats.events_unknown++;
		return 0;
	case SF_EVENT_LOSS: /* taken before */
	case SF_EVENT_OWN:
	case SF_EVENT_BAD:
		note_bad_event(r, why);
		return 0;
	case SF_EVENT_OK:
		break;
	}
	return bring_up(r, err);
}

/* The event that was decoded. Return: 1. */
static inline int deliver(struct sf_reader *r, struct ev_item *item)
{
	struct ev *ev = &r->ev;
	unsigned known;

	conv_finish(&r->conv, ev);
	known = ev_table[ev->type].nparams;
	if (UNLIKELY(ev->nparams > known)) {
		ev->nparams = (uint16_t)known;
		ev->located = (uint8_t)known;
	}
	r->stats.events++;
	item->kind = EV_ITEM_EVENT;
	item->offset = ev->offset;
	item->ev = ev;
	return 1;
}

/* The event that was decoded is the next one. */
static inline void note_call(struct sf_reader *r)
{
	r->began = sf_calls_see(r->calls, r->ev.type, r->ev.tid, r->ev.ts);
}

static inline int take_event(struct sf_reader *r, struct ev_item *item, struct error *err)
{
	struct ev *ev = &r->ev;
	enum sf_decoded decoded;
	const char *why;
	int rc;

	r->in_events = true;
	decoded = sf_event_decode(&r->block, ev, &why);
	if (UNLIKELY(r->calls) && decoded == SF_EVENT_OK)
		note_call(r);
	if (UNLIKELY(decoded != SF_EVENT_OK || !conv_not_needed(ev))) {
		if (decoded == SF_EVENT_LOSS)
			return take_loss(r, item);
		if (decoded == SF_EVENT_OWN)
			return take_own(r, item);
		rc = unusual_event(r, decoded, why, err);
		if (rc <= 0)
			return rc;
	}
	return deliver(r, item);
}

/* A block that may not stand where it stands, or that nobody knows. */
static void skip_block(struct sf_reader *r)
{
	const struct sf_block *b = &r->block;

	r->stats.unknown_blocks++;
	if (r->in_events)
		sf_gap_add(&r->gaps, SF_GAP_FRAMING, b->offset, b->total,
			   "block type 0x%x between events, where only events may be: ignored",
			   b->type);
}

/* Act on the block just read. Return: 1 with *item, 0 to go on, or ERR_*. */
static inline int take_block(struct sf_reader *r, struct ev_item *item, struct error *err)
{
	enum sf_block_kind kind = r->block.info->kind;

	if (LIKELY(kind == SF_KIND_EVENT && !r->skips_section))
		return take_event(r, item, err);
	if (kind == SF_KIND_SECTION)
		return begin_section(r, item, err);
	if (r->skips_section)
		return 0;
	if (kind == SF_KIND_UNKNOWN || r->in_events) {
		skip_block(r);
		return 0;
	}
	sf_list_begin(&r->list, &r->block, &r->gaps);
	r->in_list = true;
	return 0;
}

static void update_sizes(struct sf_reader *r)
{
	r->stats.file_size = r->framer.stream.in.size;
	r->stats.stream_size = r->framer.stream.end_offset;
}

/* Nothing more to read: the hash wants the rest of the file, which decompression may have left. */
static int finish(struct sf_reader *r, struct error *err)
{
	int rc = sf_stream_drain(&r->framer.stream, err);

	update_sizes(r);
	if (rc < 0)
		return rc;
	r->at_end = true;
	end_skipped(r, sf_stream_offset(&r->framer.stream));
	r->stats.sha256_valid = sf_stream_hash(&r->framer.stream, r->stats.sha256);
	return 0;
}

int sf_reader_drain(struct sf_reader *r, struct error *err)
{
	return r->at_end ? 0 : finish(r, err);
}

/* ---- rows ---- */

/* Where the next block is. */
static inline const uint8_t *next_at(const struct sf_reader *r)
{
	return r->framer.stream.at + (r->holds_block ? r->block.total : 0);
}

bool sf_row_begin(struct sf_reader *r, struct sf_row *row)
{
	const struct sf_stream *s = &r->framer.stream;
	const uint8_t *at = next_at(r);

	if (s->end - at >= 4 && load_u32(at) != SF_EV_V2)
		return false;
	*row = (struct sf_row){
	    .at = at,
	    .end = s->end,
	    .end_offset = s->end_offset,
	    .usual = r->usual,
	};
	return r->in_events && !r->skips_section;
}

bool sf_row_look_closely(const struct sf_usual *usual, const struct sf_row_event *e)
{
	const uint8_t *p = e->p, *lens = p + SF_ROW_LENS;
	uint32_t len, need;

	if (e->total > SF_SMALL_EVENT_MAX || e->total < SF_ROW_MIN ||
	    load_u32(p + e->total - 4) != e->total)
		return false;
	len = load_u32(p + SF_ROW_HEADER + 16);
	need = SF_HEADER_V2 + 2 * usual->nparams;
	if (usual->nparams == SF_USUAL_NONE || load_u32(p + SF_ROW_HEADER + 22) != usual->nparams ||
	    need > len || len > e->total - (SF_ROW_MIN - SF_HEADER_V2))
		return false;
	for (uint32_t i = 0; i < usual->nparams; i++)
		need += load_u16(lens + 2 * i);
	return need <= len;
}

void sf_row_end(struct sf_reader *r, const struct sf_row *row)
{
	r->framer.stream.at = row->at;
	r->holds_block = false;
	r->stats.blocks += row->taken;
	r->stats.events += row->taken;
}

void sf_row_deliver(struct sf_reader *r, struct sf_row *row, const struct sf_row_event *e,
		    struct ev_item *item)
{
	sf_row_decode(row, e, &r->ev);
	row->taken++;
	sf_row_end(r, row);
	r->holds_block = true; /* it is consumed when something else is asked for */
	r->block.total = (uint32_t)e->total;
	r->block.offset = r->ev.offset;
	item->kind = EV_ITEM_EVENT;
	item->offset = r->ev.offset;
	item->ev = &r->ev;
}

/* The next block, if it is a usual event. Return: false to take the long way. */
static inline bool take_usual(struct sf_reader *r, struct ev_item *item)
{
	struct sf_row_event e;
	struct sf_row row;

	if (UNLIKELY(!sf_row_begin(r, &row) || !sf_row_look(&row, &e)))
		return false;
	sf_row_deliver(r, &row, &e, item);
	return true;
}

/* ---- events in brief ---- */

bool sf_briefs_begin(struct sf_reader *r, struct sf_briefs *b)
{
	*b = (struct sf_briefs){
	    .at = next_at(r),
	    .end = r->framer.stream.end,
	    .end_offset = r->framer.stream.end_offset,
	    .conv = &r->conv,
	};
	return r->in_events && !r->skips_section && r->conv.plans;
}

void sf_briefs_end(struct sf_reader *r, const struct sf_briefs *b)
{
	r->framer.stream.at = b->at;
	r->holds_block = false;
	r->stats.blocks += b->stored + b->passed;
	r->stats.events_stored += b->stored;
	r->stats.events += b->passed;
}

/* Have the block that was taken be the reader's: it is consumed when something else is asked for.
 */
static inline void hold_block(struct sf_reader *r, uint32_t total)
{
	r->framer.stream.at -= total;
	r->holds_block = true;
	r->block.total = total;
	r->block.offset = r->ev.offset;
}

void sf_briefs_deliver(struct sf_reader *r, struct sf_briefs *b, const struct sf_brief *e,
		       struct ev_item *item)
{
	sf_brief_make(b, e, &r->ev);
	sf_briefs_end(r, b);
	hold_block(r, e->own.usual->total);
	item->kind = EV_ITEM_EVENT;
	item->offset = r->ev.offset;
	item->ev = &r->ev;
}

/* As take_small() for what is usual. */
static ALWAYS_INLINE int take_brief(struct sf_reader *r, struct ev_item *item, bool timed,
				    struct error *err)
{
	struct sf_briefs b;
	struct sf_brief e;
	int rc;

	if (!sf_briefs_begin(r, &b))
		return 0;
	rc = timed ? sf_briefs_next_timed(&b, &e, r->calls, &r->began) : sf_briefs_next(&b, &e);
	if (LIKELY(rc > 0))
		sf_briefs_deliver(r, &b, &e, item);
	else
		sf_briefs_end(r, &b);
	return rc < 0 ? error_nomem(err) : rc;
}

/* What is whole, in the window, and not damaged. @timed: somebody asks when calls began.
 * Return: 1, 0 to take the long way, or ERR_*. */
static ALWAYS_INLINE int take_small(struct sf_reader *r, struct ev_item *item, bool timed,
				    struct error *err)
{
	int rc;

	if (UNLIKELY(!r->in_events || r->skips_section))
		return 0;
	while ((rc = take_brief(r, item, timed, err)) == 0) {
		const uint8_t *p = next_at(r);
		uint32_t total = sf_event_look(p, (size_t)(r->framer.stream.end - p), &r->ev);

		if (!total)
			return 0;
		r->framer.stream.at = p;
		r->ev.offset = sf_stream_offset(&r->framer.stream);
		r->stats.blocks++;
		r->holds_block = true;
		r->block.total = total;
		r->block.offset = r->ev.offset;
		if (timed)
			note_call(r);
		rc = bring_up(r, err);
		if (rc)
			return rc > 0 ? deliver(r, item) : rc;
	}
	return rc;
}

/* Everything: lists, refills, damaged events, the end. */
static NOINLINE int take_any(struct sf_reader *r, struct ev_item *item, struct error *err)
{
	int rc;

	if (UNLIKELY(r->at_end))
		return 0;
	for (;;) {
		if (UNLIKELY(r->in_list)) {
			if (sf_list_next(&r->list, item, &r->gaps))
				return 1;
			r->in_list = false;
		}
		if (LIKELY(r->holds_block))
			sf_stream_skip(&r->framer.stream, r->block.total);
		rc = sf_block_next(&r->framer, &r->block, err);
		r->holds_block = rc > 0;
		if (UNLIKELY(rc <= 0))
			return rc < 0 ? rc : finish(r, err);
		r->stats.blocks++;
		if (UNLIKELY(r->stats.stream_size != r->framer.stream.end_offset))
			update_sizes(r);
		rc = take_block(r, item, err);
		if (LIKELY(rc))
			return rc;
	}
}

static int reader_next(struct ev_source *source, struct ev_item *item, struct error *err)
{
	struct sf_reader *r = reader_of(source);
	int rc = LIKELY(take_usual(r, item)) ? 1 : take_small(r, item, false, err);

	return LIKELY(rc) ? rc : take_any(r, item, err);
}

/* The same for who asks when calls began. */
static int reader_next_timed(struct ev_source *source, struct ev_item *item, struct error *err)
{
	struct sf_reader *r = reader_of(source);
	int rc;

	if (LIKELY(take_usual(r, item))) {
		note_call(r);
		return 1;
	}
	rc = take_small(r, item, true, err);
	return rc ? rc : take_any(r, item, err);
}

uint64_t sf_reader_call_began(const struct sf_reader *r)
{
	return r->began;
}

/* When an event of @b was; UINT64_MAX: the block is too short to say. */
static uint64_t time_of(const struct sf_block *b)
{
	return b->total >= SF_BLOCK_MIN + b->info->prefix + 8u
		   ? load_u64(b->p + 8 + b->info->prefix)
		   : UINT64_MAX;
}

int sf_reader_next_block(struct sf_reader *r, struct sf_raw_block *out, struct error *err)
{
	struct sf_block *b = &r->block;
	int rc;

	if (r->at_end)
		return 0;
	if (r->holds_block)
		sf_stream_skip(&r->framer.stream, b->total);
	rc = sf_block_next(&r->framer, b, err);
	r->holds_block = rc > 0;
	if (UNLIKELY(rc <= 0))
		return rc < 0 ? rc : finish(r, err);
	r->stats.blocks++;
	update_sizes(r);
	*out = (struct sf_raw_block){
	    .type = b->type,
	    .offset = b->offset,
	    .p = b->p,
	    .total = b->total,
	    .is_section = b->info->kind == SF_KIND_SECTION,
	    .is_event = b->info->kind == SF_KIND_EVENT,
	};
	r->stats.sections += out->is_section;
	r->stats.events += out->is_event;
	if (out->is_event)
		out->ts = time_of(b);
	return 1;
}

static void reader_close(struct ev_source *source)
{
	sf_reader_close(reader_of(source));
}

static const struct ev_source_ops reader_ops = {.next = reader_next, .close = reader_close};
static const struct ev_source_ops timed_ops = {.next = reader_next_timed, .close = reader_close};

/* Why what is there cannot be the start of a capture. */
static int not_a_capture(struct sf_reader *r, size_t there, struct error *err)
{
	const struct sf_stream *s = &r->framer.stream;
	uint8_t head[4] = {0x0a, 0x0d, 0x0d, 0x0a};

	if (s->flow == SF_FLOW_CORRUPT)
		return error_at(err, ERR_FORMAT, 0,
				"'%s': compressed data is corrupt at its start: %s", s->in.name,
				s->codec->trouble);
	if (there == 0)
		return error_at(
		    err, ERR_TRUNCATED, 0, "'%s' is empty%s", s->in.name,
		    s->flow == SF_FLOW_CUT ? " or cut right behind its compression header" : "");
	if (memcmp(head, s->at, there < 4 ? there : 4) == 0)
		return error_at(err, ERR_TRUNCATED, 0,
				"'%s' ends %zu bytes into its section header of %u", s->in.name,
				there, SF_SHB_MIN);
	memcpy(head, s->at, there < 4 ? there : 4);
	return error_at(
	    err, ERR_FORMAT, 0,
	    "'%s' is not a capture: expected 0a 0d 0d 0a at byte 0%s, found %02x %02x %02x %02x",
	    s->in.name, s->codec ? " of the uncompressed data" : "", head[0], head[1], head[2],
	    head[3]);
}

/* Check the first section header; it stays unread for reader_next(). */
static int check_start(struct sf_reader *r, struct error *err)
{
	struct sf_stream *s = &r->framer.stream;
	int rc = sf_stream_need(s, SF_SHB_MIN, err);
	uint32_t magic;

	if (rc < 0)
		return rc;
	if (rc == 0 || load_u32(s->at) != SF_SHB)
		return not_a_capture(r, sf_stream_left(s), err);
	magic = load_u32(s->at + 8);
	if (magic == SF_SHB_MAGIC_SWAPPED)
		return error_at(err, ERR_UNSUPPORTED, 8,
				"'%s' was written on a machine of the other byte order (magic "
				"0x%08x at byte 8)",
				s->in.name, magic);
	if (magic != SF_SHB_MAGIC)
		return error_at(err, ERR_FORMAT, 8,
				"'%s': expected magic 0x%08x at byte 8, found 0x%08x", s->in.name,
				SF_SHB_MAGIC, magic);
	if (load_u16(s->at + 12) > SF_MAJOR_MAX)
		return error_at(err, ERR_UNSUPPORTED, 12,
				"'%s' has format version %u.%u; this build reads versions up to %u",
				s->in.name, load_u16(s->at + 12), load_u16(s->at + 14),
				SF_MAJOR_MAX);
	if (load_u32(s->at + 4) < SF_SHB_MIN)
		return error_at(err, ERR_FORMAT, 4,
				"'%s': section header of %u bytes, expected at least %u",
				s->in.name, load_u32(s->at + 4), SF_SHB_MIN);
	return 0;
}

static struct sf_usual usual_of(unsigned type)
{
	const struct ev_info *info = &ev_table[type];
	const struct ev ev = {.type = (uint16_t)type, .nparams = info->nparams};
	struct sf_usual u = {.add = SF_ROW_ADD(4), .size = SF_USUAL_NONE, .nparams = SF_USUAL_NONE};

	if (!conv_not_needed(&ev) || (info->flags & EF_LARGE_PAYLOAD))
		return u;
	u.nparams = info->nparams;
	if (u.nparams > SF_ROW_ATONCE)
		return u;
	u.size = SF_HEADER_V2 + 2 * u.nparams;
	for (uint32_t i = 0; i < u.nparams; i++)
		u.lens[i / 4] |= UINT64_C(0xffff) << i % 4 * 16;
	return u;
}

static struct sf_reader *reader_new(const struct sf_options *opt)
{
	struct sf_reader *r = calloc(1, sizeof(*r));
	uint64_t limit = opt && opt->memory_limit ? opt->memory_limit : SF_MEMORY_LIMIT_DEFAULT;

	if (!r)
		return NULL;
	r->source.ops = opt && opt->call_times ? &timed_ops : &reader_ops;
	if (opt && opt->call_times && !(r->calls = calloc(1, sizeof(*r->calls)))) {
		free(r);
		return NULL;
	}
	r->gaps.total = &r->stats.gaps;
	r->framer.gaps = &r->gaps;
	r->framer.stream.in.fd = -1;
	r->framer.block_max = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		r->usual[type] = usual_of(type);
	return r;
}

/* The second half of both ways to open: the stream has been set up with @rc. */
static int reader_start(struct sf_reader *r, int rc, const struct sf_options *opt,
			struct sf_reader **out, struct error *err)
{
	if (rc >= 0)
		rc = check_start(r, err);
	if (rc < 0) {
		sf_reader_close(r);
		return rc;
	}
	r->stats.compression = r->framer.stream.compression;
	update_sizes(r);
	r->framer.stream.log.span = opt ? opt->access_span : 0;
	if (opt && opt->hash_aside && r->framer.stream.in.hash)
		sf_hash_aside(r->framer.stream.in.hash);
	if (opt && opt->read_ahead)
		sf_stream_read_ahead(&r->framer.stream);
	*out = r;
	return 0;
}

int sf_reader_open(const char *path, const struct sf_options *opt, struct sf_reader **out,
		   struct error *err)
{
	struct sf_reader *r = reader_new(opt);
	int rc;

	if (!r)
		return error_nomem(err);
	rc = reader_start(r, sf_stream_open(&r->framer.stream, path, opt && opt->want_hash, err),
			  opt, out, err);
	if (rc == ERR_FORMAT && strcmp(path, "-") != 0 && !arc_is_inside(path) &&
	    arc_is_archive(path, NULL) > 0)
		return error_set(err, ERR_FORMAT,
				 "'%s' is an archive: name a capture in it, as in '%s//CAPTURE'",
				 path, path);
	return rc;
}

int sf_reader_open_memory(const void *data, size_t n, const struct sf_options *opt,
			  struct sf_reader **out, struct error *err)
{
	struct sf_reader *r = reader_new(opt);

	if (!r)
		return error_nomem(err);
	return reader_start(
	    r, sf_stream_open_memory(&r->framer.stream, data, n, opt && opt->want_hash, err), opt,
	    out, err);
}

void sf_reader_close(struct sf_reader *r)
{
	if (!r)
		return;
	sf_stream_done(&r->framer.stream);
	sf_gaps_done(&r->gaps);
	conv_done(&r->conv);
	arena_done(&r->comment_texts);
	free(r->calls);
	free(r);
}

/* ---- beginning in the middle ---- */

const struct sf_access *sf_reader_access(const struct sf_reader *r, size_t *n)
{
	*n = r->framer.stream.log.count;
	return r->framer.stream.log.list;
}

uint64_t sf_reader_offset(const struct sf_reader *r)
{
	return r->holds_block ? r->block.offset + r->block.total
			      : sf_stream_offset(&r->framer.stream);
}

static const struct archive_field stats_fields[] = {
    ARCHIVE_U(struct sf_stats, sections),	ARCHIVE_U(struct sf_stats, blocks),
    ARCHIVE_U(struct sf_stats, unknown_blocks), ARCHIVE_U(struct sf_stats, events),
    ARCHIVE_U(struct sf_stats, events_stored),	ARCHIVE_U(struct sf_stats, events_unknown),
    ARCHIVE_U(struct sf_stats, losses),		ARCHIVE_U(struct sf_stats, urings),
    ARCHIVE_U(struct sf_stats, hashes),		ARCHIVE_U(struct sf_stats, hashes_skipped),
    ARCHIVE_U(struct sf_stats, gaps),		ARCHIVE_U(struct sf_stats, version_major),
    ARCHIVE_U(struct sf_stats, version_minor),
};

/* Both directions. @offset: of the next block. */
static int archive_reader(struct sf_reader *r, struct archive *a, uint64_t *offset)
{
	*offset = archive_u64(a, *offset);
	ARCHIVE_FIELDS(a, &r->stats, stats_fields);
	return conv_archive(&r->conv, a);
}

int sf_reader_save(const struct sf_reader *r, struct buf *out, struct error *err)
{
	struct archive a = archive_to(out);
	uint64_t offset = sf_reader_offset(r);

	if (!r->in_events || r->in_list || r->skips_section || r->at_end)
		return error_set(err, ERR_USAGE, "the reader is not between two events");
	return archive_reader((struct sf_reader *)r, &a, &offset) < 0 || out->failed
		   ? error_nomem(err)
		   : 0;
}

int sf_reader_enter(struct sf_reader *r, const struct sf_access *at, const void *p, size_t n,
		    struct error *err)
{
	struct archive a = archive_from(p, n);
	uint64_t offset = 0;
	int rc = archive_reader(r, &a, &offset);

	if (rc < 0)
		return error_nomem(err);
	if (a.trouble || a.in.left || at->raw > offset)
		return error_set(err, ERR_FORMAT, "'%s' cannot be entered: %s",
				 r->framer.stream.in.name,
				 a.trouble ? a.trouble : "the place is none of its");
	rc = sf_stream_enter(&r->framer.stream, at, offset, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(err, ERR_TRUNCATED,
				 "'%s' ends before byte %" PRIu64 " of its data",
				 r->framer.stream.in.name, offset);
	r->in_events = true;
	r->holds_block = false;
	return 0;
}

struct ev_source *sf_reader_source(struct sf_reader *r)
{
	return &r->source;
}

const struct sf_stats *sf_reader_stats(const struct sf_reader *r)
{
	return &r->stats;
}

const struct sf_gap *sf_reader_gaps(const struct sf_reader *r, size_t *n)
{
	*n = r->gaps.count;
	return r->gaps.list;
}

const char *sf_reader_comment(const struct sf_reader *r, size_t i)
{
	return i < r->comment_count ? r->comments[i] : NULL;
}
