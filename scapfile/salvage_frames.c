/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which members or frames a damaged file holds, each judged by itself. Behind one that cannot be
 * decoded the next one is looked for from its second byte on: a wrong length must not hide those
 * that follow.
 */
#define ZLIB_CONST /* zlib's input pointer is one to const */
#include "scapfile/salvage_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window, gzip framing */
#define GZIP_LENGTH	 4	   /* bytes behind the checksum */
#define BLOCK_HEADER	 3	   /* of zstd */
#define SKIPPABLE_HEAD	 8u
#define HEADS_MIN	 4  /* bytes that tell a member or frame */
#define DUPLICATE_MIN	 64 /* uncompressed bytes; smaller frames may be alike */
#define SCRATCH		 (128u << 10)
#define PLAIN_SEARCH	 (16u << 20) /* bytes searched for a block, where nothing else tells */
/* Decoding what may be frames inside damage: bytes as stored, as multiples of the file's, and more.
 */
#define EFFORT_FACTOR 16u
#define EFFORT_MORE   (64u << 20)

/* ---- the stored bytes ---- */

static int read_at(struct salvage_file *f, uint64_t offset, struct error *err)
{
	f->at = offset;
	f->n = 0;
	while (f->n < SALVAGE_WINDOW) {
		ssize_t k =
		    pread(f->fd, f->buf + f->n, SALVAGE_WINDOW - f->n, (off_t)(offset + f->n));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return error_sys(err, errno, "cannot read '%s' at byte %llu", f->name,
					 (unsigned long long)(offset + f->n));
		if (k == 0)
			break;
		f->n += (size_t)k;
	}
	return 0;
}

int salvage_view(struct salvage_file *f, uint64_t offset, size_t want, const uint8_t **p, size_t *n,
		 struct error *err)
{
	int rc = 0;

	*n = 0;
	if (offset >= f->size)
		return 0;
	if (f->memory) {
		*p = f->memory + offset;
		*n = (size_t)(f->size - offset);
		return 0;
	}
	if (want > f->size - offset)
		want = (size_t)(f->size - offset);
	if (offset < f->at || offset - f->at > f->n || f->n - (size_t)(offset - f->at) < want)
		rc = read_at(f, offset, err);
	if (rc < 0)
		return rc;
	*p = f->buf + (offset - f->at);
	*n = f->n - (size_t)(offset - f->at);
	return 0;
}

/* ---- unpacking one member or frame ---- */

enum outcome { GOES_ON, COMPLETE, CUT, BROKEN, MISMATCH };

struct unpack {
	z_stream z;
	bool has_z;
	ZSTD_DStream *d;
	size_t hint;	/* what the zstd decoder wants to see next */
	bool has_check; /* zstd: the frame has a checksum */
	bool stops;	/* gzip: at the end of each compressed block */
	bool at_block;	/* such a block begins with the next byte that is made */
	uint64_t at;	/* of the next stored byte */
};

static int unpack_begin(struct salvage *s, struct unpack *u, uint64_t at, struct error *err)
{
	const uint8_t *p;
	size_t n;
	int rc = salvage_view(&s->file, at, 5, &p, &n, err);

	if (rc < 0)
		return rc;
	u->at = at;
	if (s->compression == SF_GZIP) {
		rc = u->has_z ? inflateReset(&u->z) : inflateInit2(&u->z, GZIP_WINDOW_BITS);
		u->has_z = true;
		return rc == Z_OK ? 0 : error_nomem(err);
	}
	if (!u->d)
		u->d = ZSTD_createDStream();
	if (!u->d)
		return error_nomem(err);
	u->hint = ZSTD_initDStream(u->d);
	u->has_check = n >= 5 && p[4] & 4;
	return 0;
}

static void unpack_done(struct unpack *u)
{
	if (u->has_z)
		inflateEnd(&u->z);
	ZSTD_freeDStream(u->d);
	*u = (struct unpack){0};
}

static int inflate_step(struct unpack *u, const uint8_t *p, size_t n, uint8_t *to, size_t room,
			size_t *made, struct error *err)
{
	int status;

	u->z.next_in = p;
	u->z.avail_in = (uInt)(n < UINT32_MAX ? n : UINT32_MAX);
	u->z.next_out = to;
	u->z.avail_out = (uInt)(room < UINT32_MAX ? room : UINT32_MAX);
	status = inflate(&u->z, u->stops ? Z_BLOCK : Z_NO_FLUSH);
	u->at_block = (u->z.data_type & 0x80) != 0;
	u->at += (uint64_t)(u->z.next_in - p);
	*made = (size_t)(u->z.next_out - to);
	if (status == Z_MEM_ERROR)
		return error_nomem(err);
	if (status == Z_STREAM_END)
		return COMPLETE;
	if (status == Z_OK || status == Z_BUF_ERROR)
		return n || *made ? GOES_ON : CUT;
	if (u->z.msg && strcmp(u->z.msg, "incorrect data check") == 0) {
		u->at += GZIP_LENGTH;
		return MISMATCH;
	}
	return u->z.msg && strcmp(u->z.msg, "incorrect length check") == 0 ? MISMATCH : BROKEN;
}

/* One block at a time: when the decoder fails, it does not say what it made in that call. */
static int zstd_step(struct unpack *u, const uint8_t *p, size_t n, uint8_t *to, size_t room,
		     size_t *made, struct error *err)
{
	size_t want = u->hint > BLOCK_HEADER ? u->hint - BLOCK_HEADER : u->hint, status;
	ZSTD_inBuffer src = {p, n < want ? n : want, 0};
	ZSTD_outBuffer dst = {to, room, 0};

	status = ZSTD_decompressStream(u->d, &dst, &src);
	if (ZSTD_isError(status)) {
		if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
			return error_nomem(err);
		u->at += src.size;
		return ZSTD_getErrorCode(status) == ZSTD_error_checksum_wrong ? MISMATCH : BROKEN;
	}
	u->at += src.pos;
	*made = dst.pos;
	u->hint = status;
	u->at_block = dst.pos < dst.size;
	if (!status)
		return COMPLETE;
	return src.pos || dst.pos || n ? GOES_ON : CUT;
}

/* Return: enum outcome with *made bytes at @to, or ERR_*. */
static int unpack_some(struct salvage *s, struct unpack *u, uint8_t *to, size_t room, size_t *made,
		       struct error *err)
{
	const uint8_t *p = NULL;
	size_t n;
	int rc = salvage_view(&s->file, u->at, SALVAGE_WINDOW, &p, &n, err);

	*made = 0;
	if (rc < 0)
		return rc;
	return s->compression == SF_GZIP ? inflate_step(u, p, n, to, room, made, err)
					 : zstd_step(u, p, n, to, room, made, err);
}

/* ---- looking for them ---- */

struct survey {
	struct salvage *s;
	struct unpack u;
	uint8_t *scratch;
	uint64_t effort; /* what is left of it */
};

static bool is_head(const struct salvage *s, const uint8_t *p, size_t n)
{
	if (s->compression == SF_GZIP)
		return n >= HEADS_MIN && sf_is_gzip(p, n) && p[2] == 8 && p[3] < 32;
	return n >= HEADS_MIN && load_u32(p) == ZSTD_MAGICNUMBER;
}

/* Bytes of the skippable zstd frame at @p; 0: there is none. */
static uint64_t skippable_size(const struct salvage *s, const uint8_t *p, size_t n)
{
	if (s->compression != SF_ZSTD || n < SKIPPABLE_HEAD || !sf_is_zstd(p, n) ||
	    load_u32(p) == ZSTD_MAGICNUMBER)
		return 0;
	return (uint64_t)SKIPPABLE_HEAD + load_u32(p + 4);
}

/* A zstd frame would not be decoded to its end otherwise. Return: MISMATCH, or ERR_*. */
static int check_size(struct salvage *s, struct salvage_extent *e, struct error *err)
{
	const uint8_t *p = NULL;
	size_t n = 0;
	int rc = 0;

	e->keeps_size = s->compression == SF_ZSTD;
	if (!e->keeps_size && e->stored_size >= GZIP_LENGTH)
		rc = salvage_view(&s->file, e->stored + e->stored_size - GZIP_LENGTH, GZIP_LENGTH,
				  &p, &n, err);
	if (n >= GZIP_LENGTH)
		e->keeps_size = load_u32(p) == (uint32_t)e->raw_size;
	return rc < 0 ? rc : MISMATCH;
}

/* Unpack what begins at @at to see what it is. Return: enum outcome, or ERR_*. */
static int try_frame(struct survey *v, uint64_t at, struct salvage_extent *e, struct error *err)
{
	size_t made;
	int rc = unpack_begin(v->s, &v->u, at, err);

	*e = (struct salvage_extent){.stored = at};
	while (rc >= 0 && (rc = unpack_some(v->s, &v->u, v->scratch, SCRATCH, &made, err)) >= 0) {
		e->raw_size += made;
		if (rc != GOES_ON)
			break;
		if (v->s->opt->stop && v->s->opt->stop(v->s->opt->arg, v->u.at))
			return error_set(err, ERR_INTERRUPTED, "interrupted");
	}
	if (rc < 0)
		return rc;
	e->stored_size = (v->u.at < v->s->file.size ? v->u.at : v->s->file.size) - at;
	e->is_cut = rc == CUT;
	e->verdict =
	    rc == COMPLETE
		? v->s->compression == SF_GZIP || v->u.has_check ? SALVAGE_PROVEN : SALVAGE_PLAIN
	    : rc == MISMATCH ? SALVAGE_MISMATCH
			     : SALVAGE_BROKEN;
	return rc == MISMATCH ? check_size(v->s, e, err) : rc;
}

/*
 * The next place from @from on where a member or frame begins. Inside one that is broken, before
 * @sure, only one that is whole or as sealed counts. Return: 0 with *out, the file's size if there
 * is none; or ERR_*.
 */
static int find_next(struct survey *v, uint64_t from, uint64_t sure, uint64_t *out,
		     struct error *err)
{
	struct salvage *s = v->s;
	uint64_t known = salvage_seal_next(s, from);
	struct salvage_extent e;
	const uint8_t *p = NULL;
	size_t n, i;
	int rc;

	for (; from < s->file.size && v->effort; from += i) {
		rc = salvage_view(&s->file, from, SALVAGE_WINDOW, &p, &n, err);
		if (rc < 0)
			return rc;
		for (i = 0; n - i >= HEADS_MIN; i++) {
			uint64_t skip = skippable_size(s, p + i, n - i);

			if (from + i >= sure && skip && skip <= s->file.size - from - i)
				break;
			if (is_head(s, p + i, n - i))
				break;
		}
		*out = from + i;
		if (n - i < HEADS_MIN) {
			if (from + n >= s->file.size)
				break;
			continue;
		}
		if (*out >= sure || *out == known)
			return 0;
		rc = try_frame(v, *out, &e, err);
		if (rc < 0)
			return rc;
		if (rc == COMPLETE)
			return 0;
		v->effort -= v->effort < e.stored_size ? v->effort : e.stored_size;
		i++;
	}
	*out = s->file.size;
	return 0;
}

int salvage_add_extent(struct salvage *s, const struct salvage_extent *e, struct error *err)
{
	if (s->nextents == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct salvage_extent *list = realloc(s->extents, cap * sizeof(*list));

		if (!list)
			return error_nomem(err);
		s->extents = list;
		s->cap = cap;
	}
	s->extents[s->nextents++] = *e;
	return 0;
}

static int hash_extent(struct salvage *s, struct salvage_extent *e, struct error *err)
{
	struct sf_hash *h = NULL;
	uint8_t digest[32];
	uint64_t at = 0;
	int rc = sf_hash_new(&h, err);

	while (rc >= 0 && at < e->stored_size) {
		const uint8_t *p = NULL;
		size_t n;

		rc = salvage_view(&s->file, e->stored + at, 1, &p, &n, err);
		if (rc < 0 || !n)
			break;
		n = n < e->stored_size - at ? n : (size_t)(e->stored_size - at);
		sf_hash_add(h, p, n);
		at += n;
	}
	if (rc >= 0 && !sf_hash_end(h, digest))
		rc = error_nomem(err);
	if (rc >= 0)
		memcpy(e->digest, digest, sizeof(e->digest));
	sf_hash_free(h);
	return rc;
}

/* What begins at @at. Return: 0 with *next, where to go on, and *joins: it ended there; or ERR_*.
 */
static int take_frame(struct survey *v, uint64_t at, uint64_t *next, bool *joins, struct error *err)
{
	struct salvage *s = v->s;
	struct salvage_extent e;
	uint64_t sure;
	int rc = try_frame(v, at, &e, err);

	if (rc < 0)
		return rc;
	e.joins = *joins;
	*next = sure = at + e.stored_size;
	*joins = rc == COMPLETE || rc == MISMATCH;
	if (rc != COMPLETE) {
		v->effort -= v->effort < e.stored_size ? v->effort : e.stored_size;
		rc = find_next(v, at + 1, sure, next, err);
		*joins = *joins && *next == sure;
	}
	if (rc < 0)
		return rc;
	e.stored_size = *next - at;
	rc = hash_extent(s, &e, err);
	return rc < 0 ? rc : salvage_add_extent(s, &e, err);
}

/* Bytes that are neither. */
static int take_garbage(struct survey *v, uint64_t at, uint64_t *next, struct error *err)
{
	struct salvage_extent e = {.stored = at, .verdict = SALVAGE_GARBAGE};
	int rc = find_next(v, at + 1, at + 1, next, err);

	if (rc < 0)
		return rc;
	e.stored_size = *next - at;
	return salvage_add_extent(v->s, &e, err);
}

static int survey_compressed(struct survey *v, struct error *err)
{
	struct salvage *s = v->s;
	uint64_t at = 0, next;
	bool joins = true;
	int rc = 0;

	for (; rc >= 0 && at < s->file.size; at = next) {
		const uint8_t *p = NULL;
		uint64_t skip;
		size_t n;

		rc = salvage_view(&s->file, at, SKIPPABLE_HEAD, &p, &n, err);
		if (rc < 0)
			break;
		skip = skippable_size(s, p, n);
		next = at + skip;
		if (skip && skip <= s->file.size - at)
			continue;
		if (is_head(s, p, n)) {
			rc = take_frame(v, at, &next, &joins, err);
		} else {
			rc = take_garbage(v, at, &next, err);
			joins = false;
		}
	}
	return rc;
}

/* ---- frames that are there twice ---- */

static int by_digest(const void *a, const void *b)
{
	const struct salvage_extent *const *x = a, *const *y = b;
	int d = memcmp((*x)->digest, (*y)->digest, sizeof((*x)->digest));

	return d ? d : (*x)->stored < (*y)->stored ? -1 : 1;
}

static int mark_duplicates(struct salvage *s, struct error *err)
{
	const struct salvage_extent *first;
	struct salvage_extent **order;

	if (s->nextents < 2 || s->compression == SF_PLAIN)
		return 0;
	order = malloc(s->nextents * sizeof(*order));
	if (!order)
		return error_nomem(err);
	for (size_t i = 0; i < s->nextents; i++)
		order[i] = &s->extents[i];
	qsort(order, s->nextents, sizeof(*order), by_digest);
	first = order[0];
	for (size_t i = 1; i < s->nextents; i++) {
		struct salvage_extent *e = order[i];

		if (memcmp(e->digest, first->digest, sizeof(e->digest)) != 0)
			first = e;
		else if (e->raw_size >= DUPLICATE_MIN)
			e->duplicate = true;
	}
	free(order);
	return 0;
}

/* ---- what kind of file it is ---- */

static bool begins_plain(const uint8_t *p, size_t n)
{
	return n >= 4 && load_u32(p) == SF_SHB;
}

static int plain_extent(struct salvage *s, struct error *err)
{
	const struct salvage_extent all = {.stored_size = s->file.size,
					   .raw_size = s->file.size,
					   .verdict = SALVAGE_PLAIN,
					   .joins = true};

	s->compression = SF_PLAIN;
	if (s->sealed)
		return salvage_seal_split(s, err);
	return s->file.size ? salvage_add_extent(s, &all, err) : 0;
}

/* The first bytes are lost. A plain capture has blocks further on; a compressed one has not. */
static int has_blocks(struct salvage *s, struct error *err)
{
	uint64_t end = s->file.size < PLAIN_SEARCH ? s->file.size : PLAIN_SEARCH;

	for (uint64_t at = 0; at + SF_BLOCK_MIN <= end;) {
		const uint8_t *p = NULL;
		size_t n, i;
		int rc = salvage_view(&s->file, at, SALVAGE_WINDOW, &p, &n, err);

		if (rc < 0)
			return rc;
		for (i = 0; i + 8 <= n; i++) {
			uint32_t total = load_u32(p + i + 4);

			if (load_u32(p + i) == SF_EV_V2 && total >= SF_BLOCK_MIN &&
			    total <= n - i && load_u32(p + i + total - 4) == total)
				return 1;
		}
		at += n > SF_SMALL_EVENT_MAX && at + n < end ? n - SF_SMALL_EVENT_MAX : n;
	}
	return 0;
}

/* A compressed file without a beginning: whichever kind has a frame that is whole. */
static int find_kind(struct survey *v, struct error *err)
{
	static const enum sf_compression kinds[] = {SF_ZSTD, SF_GZIP};
	uint64_t at;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		int rc;

		v->s->compression = kinds[i];
		unpack_done(&v->u);
		rc = find_next(v, 0, v->s->file.size, &at, err);
		if (rc < 0 || at < v->s->file.size)
			return rc < 0 ? rc : 1;
	}
	return 0;
}

static int identify(struct survey *v, struct error *err)
{
	struct salvage *s = v->s;
	const uint8_t *p = NULL;
	size_t n;
	int rc = salvage_view(&s->file, 0, SKIPPABLE_HEAD, &p, &n, err);

	if (rc < 0)
		return rc;
	s->compression = sf_is_zstd(p, n) ? SF_ZSTD : sf_is_gzip(p, n) ? SF_GZIP : SF_PLAIN;
	if (!n || s->compression != SF_PLAIN || begins_plain(p, n))
		return 0;
	rc = has_blocks(s, err);
	if (rc == 0)
		rc = find_kind(v, err);
	else if (rc > 0)
		s->compression = SF_PLAIN;
	if (rc == 0)
		s->compression = SF_PLAIN;
	return rc < 0 ? rc : 0;
}

static int count_extents(struct salvage *s)
{
	struct sf_salvage_report *r = s->report;

	r->compression = s->compression;
	r->size = s->file.size;
	for (size_t i = 0; i < s->nextents && s->compression != SF_PLAIN; i++) {
		r->frames += s->extents[i].verdict != SALVAGE_GARBAGE;
		r->proven += s->extents[i].verdict == SALVAGE_PROVEN;
	}
	return 0;
}

int salvage_survey(struct salvage *s, struct error *err)
{
	struct survey v = {.s = s,
			   .effort = EFFORT_FACTOR * s->file.size + EFFORT_MORE,
			   .scratch = malloc(SCRATCH)};
	int rc = v.scratch ? salvage_seal_find(s, err) : error_nomem(err);

	if (rc >= 0)
		rc = identify(&v, err);
	if (rc >= 0)
		rc = s->compression == SF_PLAIN ? plain_extent(s, err) : survey_compressed(&v, err);
	if (rc >= 0)
		rc = mark_duplicates(s, err);
	for (size_t i = 0; i < s->nextents; i++)
		s->extents[i].usable = s->extents[i].raw_size;
	if (rc >= 0)
		rc = salvage_seal_judge(s, err);
	if (rc >= 0)
		rc = count_extents(s);
	unpack_done(&v.u);
	free(v.scratch);
	return rc;
}

/* ---- what is usable, as a stream ---- */

struct plan {
	struct sf_codec codec;
	struct salvage *s;
	struct unpack u;
	size_t i;	/* the extent being unpacked, or the next one */
	bool open;	/* it has begun */
	bool broken;	/* what was delivered last does not go on with it */
	bool any;	/* something was delivered */
	uint64_t given; /* bytes of it */
};

/* Is extent @i usable, and does it go on where the usable one before it ended? */
static bool goes_on(const struct salvage *s, size_t i)
{
	while (s->extents[i].joins && i--) {
		if (!s->extents[i].duplicate)
			return s->extents[i].usable == s->extents[i].raw_size &&
			       s->extents[i].verdict != SALVAGE_BROKEN;
	}
	return false;
}

/* Begin the next extent. Return: 1, 0 if there is none, -1 where the data breaks off before it. */
static int open_next(struct plan *c)
{
	struct salvage *s = c->s;

	while (c->i < s->nextents && (s->extents[c->i].duplicate || !s->extents[c->i].usable))
		c->i++;
	if (c->i == s->nextents)
		return 0;
	if (c->any && !c->broken && !goes_on(s, c->i)) {
		c->broken = true;
		return -1;
	}
	c->broken = false;
	c->any = c->open = true;
	c->given = 0;
	return 1;
}

static int give_plain(struct plan *c, uint8_t *to, size_t room, size_t *made, struct error *err)
{
	const struct salvage_extent *e = &c->s->extents[c->i];
	const uint8_t *p = NULL;
	size_t n;
	int rc = salvage_view(&c->s->file, e->stored + c->given, 1, &p, &n, err);

	if (rc < 0)
		return rc;
	n = n < room ? n : room;
	memcpy(to, p, n);
	*made = n;
	return n ? GOES_ON : COMPLETE;
}

/* Some bytes of the open extent. Return: 0, or ERR_*. */
static int give(struct plan *c, uint8_t *to, size_t room, size_t *made, struct error *err)
{
	const struct salvage_extent *e = &c->s->extents[c->i];
	uint64_t left = e->usable - c->given;
	int rc;

	room = left < room ? (size_t)left : room;
	rc = c->s->compression == SF_PLAIN ? give_plain(c, to, room, made, err)
					   : unpack_some(c->s, &c->u, to, room, made, err);
	if (rc < 0)
		return rc;
	c->given += *made;
	if (c->given == e->usable || rc != GOES_ON) {
		c->open = false;
		c->i++;
	}
	return 0;
}

static int plan_decode(struct sf_codec *codec, struct sf_input *in, uint8_t *to, size_t room,
		       size_t *made, struct error *err)
{
	struct plan *c = CONTAINER_OF(codec, struct plan, codec);
	int rc;

	(void)in;
	*made = 0;
	while (!*made) {
		if (!c->open) {
			rc = open_next(c);
			if (rc <= 0)
				return rc < 0 ? SF_FLOW_CORRUPT : SF_FLOW_END;
			if (c->s->compression != SF_PLAIN) {
				rc = unpack_begin(c->s, &c->u, c->s->extents[c->i].stored, err);
				if (rc < 0)
					return rc;
			}
		}
		rc = give(c, to, room, made, err);
		if (rc < 0)
			return rc;
	}
	return SF_FLOW_MORE;
}

static int plan_resume(struct sf_codec *codec, struct sf_input *in, struct error *err)
{
	(void)codec;
	(void)in;
	(void)err;
	return 1; /* there is a next extent, or the data would have ended */
}

static void plan_free(struct sf_codec *codec)
{
	struct plan *c = CONTAINER_OF(codec, struct plan, codec);

	unpack_done(&c->u);
	free(c);
}

static const struct sf_codec_ops plan_ops = {
    .decode = plan_decode, .resume = plan_resume, .free = plan_free};

int salvage_stream(struct salvage *s, struct sf_stream *out, struct error *err)
{
	struct plan *c = calloc(1, sizeof(*c));
	uint64_t raw = 0;

	*out = (struct sf_stream){.in.fd = -1};
	if (!c)
		return error_nomem(err);
	c->codec.ops = &plan_ops;
	c->codec.trouble = "damaged";
	c->s = s;
	for (size_t i = 0; i < s->nextents; i++) {
		struct salvage_extent *e = &s->extents[i];

		e->raw = raw;
		raw += e->duplicate ? 0 : e->usable;
	}
	s->raw_size = raw;
	return sf_stream_open_codec(out, &c->codec, err);
}

int salvage_block_start(struct salvage *s, const struct salvage_extent *e, uint64_t offset,
			uint64_t *start, struct error *err)
{
	struct unpack u = {.stops = true};
	uint8_t *scratch = malloc(SCRATCH);
	uint64_t raw = 0;
	size_t made = 0;
	int rc = scratch ? unpack_begin(s, &u, e->stored, err) : error_nomem(err);

	*start = 0;
	for (; rc >= 0 && raw <= offset; raw += made) {
		if (u.at_block)
			*start = raw;
		rc = unpack_some(s, &u, scratch, SCRATCH, &made, err);
		if (rc < 0 || rc != GOES_ON)
			break;
	}
	unpack_done(&u);
	free(scratch);
	return rc < 0 ? rc : 0;
}

const struct salvage_extent *salvage_extent_at(const struct salvage *s, uint64_t offset)
{
	size_t low = 0, high = s->nextents;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->extents[mid].raw <= offset)
			low = mid;
		else
			high = mid;
	}
	/* Those that give nothing begin where the next one does. */
	while (low && (s->extents[low].duplicate || !s->extents[low].usable))
		low--;
	return s->nextents ? &s->extents[low] : NULL;
}
