/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing: blocks out of the byte stream, and the way back to them when lengths do not make sense
 * (scap format, "Block framing" and "Limits").
 */
#include "scapfile/internal.h"

#include <string.h>

static const struct sf_block_info block_types[] = {
    /* clang-format off */
	/* type		kind			version	prefix	large */
	{ SF_SHB,	SF_KIND_SECTION,	1,	0,	true },
	{ SF_EV_V2,	SF_KIND_EVENT,		2,	2,	false },
	{ SF_EV_V1,	SF_KIND_EVENT,		1,	2,	false },
	{ SF_EVF_V2,	SF_KIND_EVENT,		2,	6,	false },
	{ SF_EV_V2_LARGE, SF_KIND_EVENT,	2,	2,	true },
	{ SF_EVF_V2_LARGE, SF_KIND_EVENT,	2,	6,	true },
	{ 0x8010abcd,	SF_KIND_EVENT,		1,	2,	false },
	{ 0x208,	SF_KIND_EVENT,		1,	6,	false },
	{ 0x201,	SF_KIND_MACHINE,	1,	0,	true },
	{ 0x8002abcd,	SF_KIND_MACHINE,	1,	0,	true },
	{ 0x205,	SF_KIND_INTERFACES,	1,	0,	true },
	{ 0x8011abcd,	SF_KIND_INTERFACES,	1,	0,	true },
	{ 0x219,	SF_KIND_INTERFACES,	2,	0,	true },
	{ 0x206,	SF_KIND_USERS,		1,	0,	true },
	{ 0x8012abcd,	SF_KIND_USERS,		1,	0,	true },
	{ 0x220,	SF_KIND_USERS,		2,	0,	true },
	{ 0x202,	SF_KIND_THREADS,	1,	0,	true },
	{ 0x8000abcd,	SF_KIND_THREADS,	1,	0,	true },
	{ 0x207,	SF_KIND_THREADS,	2,	0,	true },
	{ 0x8013abcd,	SF_KIND_THREADS,	2,	0,	true },
	{ 0x209,	SF_KIND_THREADS,	3,	0,	true },
	{ 0x8014abcd,	SF_KIND_THREADS,	3,	0,	true },
	{ 0x210,	SF_KIND_THREADS,	4,	0,	true },
	{ 0x211,	SF_KIND_THREADS,	5,	0,	true },
	{ 0x212,	SF_KIND_THREADS,	6,	0,	true },
	{ 0x213,	SF_KIND_THREADS,	7,	0,	true },
	{ 0x214,	SF_KIND_THREADS,	8,	0,	true },
	{ 0x215,	SF_KIND_THREADS,	9,	0,	true },
	{ 0x203,	SF_KIND_FDS,		1,	0,	true },
	{ 0x8001abcd,	SF_KIND_FDS,		1,	0,	true },
	{ 0x218,	SF_KIND_FDS,		2,	0,	true },
    /* clang-format on */
};

static const struct sf_block_info unknown_block = {.kind = SF_KIND_UNKNOWN, .large = true};

const struct sf_block_info *sf_block_info(uint32_t type)
{
	for (size_t i = 0; i < COUNT_OF(block_types); i++)
		if (block_types[i].type == type)
			return &block_types[i];
	return &unknown_block;
}

/* Numbers of known block types look like 0x2NN, 0x80NNabcd or the section header's. */
static bool could_be_type(uint32_t type)
{
	return (type & 0xffffff00u) == 0x200 || (type & 0xffffu) == 0xabcd || type == SF_SHB;
}

static uint32_t total_max(const struct sf_framer *f, const struct sf_block_info *info)
{
	return info->large ? f->block_max : SF_SMALL_EVENT_MAX;
}

static uint32_t total_min(const struct sf_block_info *info)
{
	return info->kind == SF_KIND_SECTION ? SF_SHB_MIN : SF_BLOCK_MIN;
}

static bool total_fits(const struct sf_framer *f, const struct sf_block_info *info, uint32_t total)
{
	return total >= total_min(info) && total <= total_max(f, info);
}

static bool trailer_matches(const uint8_t *block, uint32_t total)
{
	return load_u32(block + total - 4) == total;
}

static bool section_magic_matches(const uint8_t *block)
{
	return load_u32(block + 8) == SF_SHB_MAGIC;
}

/* Do the 8 bytes at @p look like the start of a block of a known type? */
static bool plausible_start(const struct sf_framer *f, const uint8_t *p)
{
	const struct sf_block_info *info = sf_block_info(load_u32(p));

	return info->kind != SF_KIND_UNKNOWN && total_fits(f, info, load_u32(p + 4));
}

/* Does the event header of a block whose lengths are all right make sense? */
static bool plausible_event(const struct sf_block_info *info, const uint8_t *block, uint32_t total)
{
	uint32_t header = info->version == 1 ? SF_HEADER_V1 : SF_HEADER_V2;
	const uint8_t *hdr = block + 8 + info->prefix;
	uint32_t room, len;
	unsigned type;

	if (total < SF_BLOCK_MIN + info->prefix + header)
		return false;
	room = total - SF_BLOCK_MIN - info->prefix;
	len = load_u32(hdr + 16);
	type = load_u16(hdr + 20);
	return (type < EV_TYPE_COUNT || type == EV_TYPE_LOSS || ev_own_info(type)) &&
	       len >= header && len <= room + (info->version == 1 ? 3 : 0);
}

/* Is there a whole block at the stream's position whose every number agrees? Return: 1, 0, or
 * ERR_*. */
static int plausible_block(struct sf_framer *f, struct error *err)
{
	struct sf_stream *s = &f->stream;
	const struct sf_block_info *info = sf_block_info(load_u32(s->at));
	uint32_t total = load_u32(s->at + 4);
	int rc;

	if (info->kind == SF_KIND_UNKNOWN || !total_fits(f, info, total) || total > SF_RESYNC_MAX)
		return 0;
	rc = sf_stream_need(s, total, err);
	if (rc <= 0)
		return rc;
	if (!trailer_matches(s->at, total))
		return 0;
	if (info->kind == SF_KIND_SECTION)
		return section_magic_matches(s->at);
	return info->kind != SF_KIND_EVENT || plausible_event(info, s->at, total);
}

/*
 * Move the stream to the next plausible block, starting with the current byte. Each byte is looked
 * at once and each candidate costs a bounded number of loads, so a hostile file cannot make this
 * more than linear. Return: 1, 0 at the end of the data, or ERR_*.
 */
static int resync(struct sf_framer *f, struct error *err)
{
	struct sf_stream *s = &f->stream;
	int rc;

	while ((rc = sf_stream_need(s, 8, err)) > 0) {
		const uint8_t *last = s->end - 8, *p = s->at;

		while (p <= last && !could_be_type(load_u32(p)))
			p++;
		sf_stream_skip(s, (size_t)(p - s->at));
		if (p > last)
			continue;
		rc = plausible_block(f, err);
		if (rc)
			return rc;
		sf_stream_skip(s, 1);
	}
	if (rc == 0)
		sf_stream_skip(s, sf_stream_left(s));
	return rc;
}

/* How one attempt at a block ends; or with ERR_*. */
enum step {
	STEP_AGAIN, /* damage was stepped over: the stream stands where a block may start */
	STEP_BLOCK, /* there is a block */
	STEP_END,   /* nothing more can be read */
};

/* Step over a block that cannot be used, to the next one that can. @why: static text. */
static int skip_broken(struct sf_framer *f, const char *why, uint32_t found, uint32_t expected,
		       struct error *err)
{
	uint64_t from = sf_stream_offset(&f->stream);
	int rc;

	sf_stream_skip(&f->stream, 1);
	rc = resync(f, err);
	if (rc < 0)
		return rc;
	sf_gap_add(f->gaps, SF_GAP_FRAMING, from, sf_stream_offset(&f->stream) - from,
		   "%s: found %u (0x%x), expected %u", why, found, found, expected);
	return STEP_AGAIN; /* also at the end of the data: the next attempt finds out */
}

/*
 * An event block's length follows from the event's own: if they agree and the data ends before
 * that, the file is cut. If they do not, the block's length may lie, and whole blocks may follow.
 */
static bool length_is_credible(const struct sf_stream *s)
{
	const struct sf_block_info *info = sf_block_info(load_u32(s->at));
	uint32_t total = load_u32(s->at + 4);
	uint64_t whole;

	if (info->kind != SF_KIND_EVENT)
		return false;
	if (sf_stream_left(s) < 8u + info->prefix + 20)
		return true; /* so near the end that nothing can follow */
	whole = (uint64_t)SF_BLOCK_MIN + info->prefix + load_u32(s->at + 8 + info->prefix + 16);
	return total == ((whole + 3) & ~3ull);
}

/*
 * The data ends inside the block at the stream's position, or so the block says.
 * Return: STEP_AGAIN at a whole block found inside it, STEP_END, or ERR_*.
 */
static int cut_block(struct sf_framer *f, struct error *err)
{
	struct sf_stream *s = &f->stream;
	uint64_t from = sf_stream_offset(s), there = sf_stream_left(s);
	uint32_t type = there >= 4 ? load_u32(s->at) : 0,
		 total = there >= 8 ? load_u32(s->at + 4) : 0;
	int rc = 0;

	if (there >= 8 && !length_is_credible(s)) {
		sf_stream_skip(s, 1);
		rc = resync(f, err);
		if (rc < 0)
			return rc;
	}
	if (rc > 0) {
		sf_gap_add(f->gaps, SF_GAP_FRAMING, from, sf_stream_offset(s) - from,
			   "block type 0x%x claims %u bytes, more than there are; whole blocks "
			   "follow inside",
			   type, total);
		return STEP_AGAIN;
	}
	sf_stream_skip(s, sf_stream_left(s));
	if (s->flow == SF_FLOW_CORRUPT)
		return STEP_END; /* noted with the corruption itself */
	if (there >= 8)
		sf_gap_add(
		    f->gaps, SF_GAP_TRUNCATED, from, there,
		    "the data ends %llu bytes into a block of type 0x%x that claims %u bytes%s",
		    (unsigned long long)there, type, total,
		    s->flow == SF_FLOW_CUT ? " (the compressed stream is cut)" : "");
	else
		sf_gap_add(f->gaps, SF_GAP_TRUNCATED, from, there,
			   there || s->flow == SF_FLOW_END ? "the data ends inside a block header"
							   : "the compressed stream is cut");
	return STEP_END;
}

/* Corrupt compression ends the data at hand, but independent frames may follow. Return: enum step,
 * or ERR_*. */
static int resume_behind(struct sf_framer *f, uint64_t damage, struct error *err)
{
	struct sf_stream *s = &f->stream;
	uint64_t stored = s->in.size - (uint64_t)(s->in.end - s->in.at), from;
	int rc;

	sf_gap_add(f->gaps, SF_GAP_COMPRESSION, damage, sf_stream_offset(s) - damage,
		   "compressed data is corrupt near byte %llu of the file: %s",
		   (unsigned long long)stored, s->codec->trouble);
	rc = sf_stream_resume(s, err);
	if (rc <= 0)
		return rc < 0 ? rc : STEP_END;
	from = sf_stream_offset(s);
	rc = resync(f, err);
	if (rc < 0)
		return rc;
	if (sf_stream_offset(s) != from)
		sf_gap_add(f->gaps, SF_GAP_FRAMING, from, sf_stream_offset(s) - from,
			   "no whole block at the start of the next compressed frame");
	return STEP_AGAIN;
}

/* Fewer bytes than asked for are left: the end, a cut, or corrupt compression. Return: enum step,
 * or ERR_*. */
static int data_ends(struct sf_framer *f, struct error *err)
{
	struct sf_stream *s = &f->stream;
	uint64_t from = sf_stream_offset(s);
	int step = STEP_END;

	if (sf_stream_left(s) || s->flow == SF_FLOW_CUT)
		step = cut_block(f, err);
	if (step == STEP_END && s->flow == SF_FLOW_CORRUPT)
		step = resume_behind(f, from, err);
	return step;
}

/* The whole block is there, but its trailing length differs. Return: 1 to use it all the same, 0,
 * or ERR_*. */
static int forgive_trailer(struct sf_framer *f, struct sf_block *b, struct error *err)
{
	struct sf_stream *s = &f->stream;
	int rc = sf_stream_need(s, (size_t)b->total + 8, err);

	if (rc < 0)
		return rc;
	/* The end of the data confirms the block as well as another block does. */
	if (rc == 0 ? sf_stream_left(s) != b->total : !plausible_start(f, s->at + b->total))
		return 0;
	if (b->info->kind != SF_KIND_EVENT && b->info->kind != SF_KIND_SECTION)
		sf_gap_add(f->gaps, SF_GAP_FRAMING, b->offset + b->total - 4, 4,
			   "trailing length of block type 0x%x: found %u, expected %u", b->type,
			   load_u32(s->at + b->total - 4), b->total);
	return 1;
}

static void block_here(struct sf_framer *f, struct sf_block *b, const struct sf_block_info *info)
{
	struct sf_stream *s = &f->stream;

	b->info = info;
	b->p = s->at;
	b->offset = sf_stream_offset(s);
	b->type = load_u32(s->at);
	b->total = load_u32(s->at + 4);
}

/* The block at the stream's position is there in full. Return: enum step, or ERR_*. */
static int take_block(struct sf_framer *f, struct sf_block *b, const struct sf_block_info *info,
		      struct error *err)
{
	struct sf_stream *s = &f->stream;
	int rc;

	block_here(f, b, info);
	if (info->kind == SF_KIND_SECTION && !section_magic_matches(s->at))
		return skip_broken(f, "byte-order magic of a section", load_u32(s->at + 8),
				   SF_SHB_MAGIC, err);
	if (trailer_matches(s->at, b->total))
		return STEP_BLOCK;
	rc = f->exact ? 0 : forgive_trailer(f, b, err);
	if (rc < 0)
		return rc;
	block_here(f, b, info); /* the window may have moved */
	if (rc > 0)
		return STEP_BLOCK;
	return skip_broken(f, "trailing block length", load_u32(s->at + b->total - 4), b->total,
			   err);
}

/* One attempt at a block, wherever the stream stands. Return: enum step, or ERR_*. */
static int block_step(struct sf_framer *f, struct sf_block *b, struct error *err)
{
	struct sf_stream *s = &f->stream;
	const struct sf_block_info *info;
	int rc = sf_stream_need(s, 8, err);
	uint32_t total;

	if (rc <= 0)
		return rc < 0 ? rc : data_ends(f, err);
	info = sf_block_info(load_u32(s->at));
	total = load_u32(s->at + 4);
	if (total < total_min(info))
		return skip_broken(f, "block length too small", total, total_min(info), err);
	if (total > total_max(f, info))
		return skip_broken(f, "block length over the limit", total, total_max(f, info),
				   err);
	rc = sf_stream_need(s, total, err);
	if (rc <= 0)
		return rc < 0 ? rc : data_ends(f, err);
	return take_block(f, b, info, err);
}

/* The general case: refills, damage, and the end. */
static NOINLINE int block_next_slow(struct sf_framer *f, struct sf_block *b, struct error *err)
{
	int step;

	do {
		step = block_step(f, b, err);
	} while (step == STEP_AGAIN);
	return step == STEP_END ? 0 : step;
}

int sf_block_next(struct sf_framer *f, struct sf_block *b, struct error *err)
{
	struct sf_stream *s = &f->stream;

	if (LIKELY(sf_stream_left(s) >= SF_BLOCK_MIN)) {
		uint32_t type = load_u32(s->at), total = load_u32(s->at + 4);

		/* Nearly every block of a capture: a small event, there in full. */
		if (LIKELY((type == SF_EV_V2 || type == SF_EV_V1) && total >= SF_BLOCK_MIN &&
			   total <= SF_SMALL_EVENT_MAX && total <= sf_stream_left(s) &&
			   trailer_matches(s->at, total))) {
			block_here(f, b, &block_types[type == SF_EV_V2 ? 1 : 2]);
			return 1;
		}
	}
	return block_next_slow(f, b, err);
}

int sf_block_refuse(struct sf_framer *f, const struct sf_block *b, struct error *err)
{
	struct sf_stream *s = &f->stream;
	uint64_t from = sf_stream_offset(s);
	int rc = sf_stream_need(s, (size_t)b->total + 8, err);

	if (rc < 0)
		return rc;
	if (rc == 0 ? sf_stream_left(s) == b->total : plausible_start(f, s->at + b->total)) {
		sf_stream_skip(s, b->total);
		return 0;
	}
	sf_stream_skip(s, 1);
	rc = resync(f, err);
	if (rc < 0)
		return rc;
	sf_gap_add(f->gaps, SF_GAP_FRAMING, from, sf_stream_offset(s) - from,
		   "no block follows one of type 0x%x that cannot be", b->type);
	return 0;
}
