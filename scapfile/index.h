/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a capture, in a file of its own: where its chunks begin and what is in each, places
 * its compressed data can be entered at, and checkpoints that a replay goes on from. The capture is
 * never changed. A checkpoint is parts, numbered and understood by whoever replays, of which only
 * those that are asked for are read; a chunk begins at each.
 * An index is not trusted: what it says is checked, and a capture it does not belong to is
 * recognised by size, time of change, head and tail.
 * Units: offsets are bytes of the uncompressed stream unless they say stored; times nanoseconds
 * since the epoch. Ownership: an index owns what it hands out. Threads: a writer belongs to one
 * thread; an open index may be read by many, sf_index_part() included.
 */
#ifndef SCAPFILE_INDEX_H
#define SCAPFILE_INDEX_H

#include "scapfile/event.h"
#include "scapfile/scapfile.h"

#define SF_INDEX_SUFFIX	    ".scapidx" /* behind the capture's whole name */
#define SF_INDEX_CHUNKS_MAX (1u << 22)
#define SF_INDEX_PARTS	    8	       /* kinds of parts a checkpoint may have */
#define SF_INDEX_PART_MAX   (1u << 30) /* bytes of one, uncompressed */
#define SF_CHUNK_TYPES	    ((EV_TYPE_COUNT + 7) / 8)
#define SF_CHUNK_THREADS    128 /* bytes of the filter for threads */

struct sf_identity { /* of a capture file */
	uint64_t size;
	uint64_t mtime_ns;
	uint8_t ends[32]; /* SHA-256 of its first and last SF_IDENTITY_BYTES */
};

#define SF_IDENTITY_BYTES 65536

struct sf_index_facts { /* of the whole capture */
	struct sf_identity of;
	uint64_t events, gaps;
	uint64_t first_ts; /* of its first visible event: where relative times count from */
	uint64_t start_ts; /* of its first event that is no metaevent, visible or not */
	struct sv more;	   /* bytes of whoever replays */
};

/* Return: 0, or ERR_IO; ERR_UNSUPPORTED when it is no regular file. */
MUST_CHECK int sf_identify(const char *path, struct sf_identity *out, struct error *err);

struct sf_chunk {
	uint64_t offset;	       /* of its first block */
	uint64_t events;	       /* numbers given before it: its first event is the next */
	uint64_t first_ts, last_ts;    /* the least and the greatest of its events */
	uint64_t losses;	       /* records of losses in it */
	uint8_t types[SF_CHUNK_TYPES]; /* bit t: an event of type t is in it */
	uint8_t threads[SF_CHUNK_THREADS]; /* see sf_chunk_may_have() */
};

/* An event is in it: its type, its thread, its time. */
static inline void sf_chunk_time(struct sf_chunk *c, uint64_t ts)
{
	if (ts == UINT64_MAX)
		return;
	if (ts < c->first_ts)
		c->first_ts = ts;
	if (ts > c->last_ts)
		c->last_ts = ts;
}
static inline void sf_chunk_type(struct sf_chunk *c, unsigned type)
{
	c->types[type / 8] |= (uint8_t)(1u << type % 8);
}
void sf_chunk_thread(struct sf_chunk *c, int64_t tid);
static inline bool sf_chunk_has_type(const struct sf_chunk *c, unsigned type)
{
	return c->types[type / 8] >> type % 8 & 1;
}
/* False: no event of @tid is in it. */
bool sf_chunk_may_have(const struct sf_chunk *c, int64_t tid);

/* ---- writing ---- */

struct sf_index_writer;

/*
 * @path is written beside its place and takes it when finished. Return: 0, ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int sf_index_create(const char *path, struct sf_index_writer **out, struct error *err);
/* A chunk begins here. The first one begins at the start of the capture and has no checkpoint. */
MUST_CHECK int sf_index_begin_chunk(struct sf_index_writer *w, uint64_t offset, uint64_t events,
				    struct error *err);
/* Part @part (below SF_INDEX_PARTS) of the checkpoint of the chunk in progress: @n > 0 bytes. */
MUST_CHECK int sf_index_add_part(struct sf_index_writer *w, unsigned part, const void *p, size_t n,
				 struct error *err);
/* The chunk in progress, to be added to; NULL before the first. */
struct sf_chunk *sf_index_current(struct sf_index_writer *w);
/* The capture ends: @access are the places its reader met. Frees the writer, also on failure. */
MUST_CHECK int sf_index_finish(struct sf_index_writer *w, const struct sf_index_facts *facts,
			       const struct sf_access *access, size_t n, struct error *err);
void sf_index_abandon(struct sf_index_writer *w); /* NULL is fine */

/* ---- reading ---- */

struct sf_index;

/*
 * Return: 0, ERR_IO (not there, or unreadable), ERR_FORMAT (it is no index, or damaged),
 * ERR_UNSUPPORTED (of another version), ERR_NOMEM.
 */
MUST_CHECK int sf_index_open(const char *path, struct sf_index **out, struct error *err);
/* Is it of the file that looks like @id? */
bool sf_index_is_of(const struct sf_index *x, const struct sf_identity *id);
const struct sf_index_facts *sf_index_facts(const struct sf_index *x);
const struct sf_chunk *sf_index_chunks(const struct sf_index *x, size_t *n);
/* The last place at or before @offset; the start of the file if there is no other. */
const struct sf_access *sf_index_access(const struct sf_index *x, uint64_t offset);
/* The last chunk from which a replay sees all events at @ts and later. */
size_t sf_index_find_time(const struct sf_index *x, uint64_t ts);
/* Where all events are later than @ts from then on; UINT64_MAX: nowhere. */
uint64_t sf_index_end_of_time(const struct sf_index *x, uint64_t ts);
/* The chunk event @num is in; beyond the last event the last one. */
size_t sf_index_find_event(const struct sf_index *x, uint64_t num);
/* Which parts the checkpoint of chunk @i has: bits 1 << part. */
unsigned sf_index_parts(const struct sf_index *x, size_t i);
/* Part @part of the checkpoint that chunk @i begins with, into @out; empty: it has none.
 * Return: 0, ERR_FORMAT, ERR_IO, ERR_NOMEM. */
MUST_CHECK int sf_index_part(const struct sf_index *x, size_t i, unsigned part, struct buf *out,
			     struct error *err);
void sf_index_close(struct sf_index *x); /* NULL is fine */

#endif
