/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uncompressed bytes of a capture as one sliding window: callers borrow blocks from it without
 * copying. The window grows only by bytes that have really arrived, whatever length a block claims.
 * Units: offsets count uncompressed bytes; an input's size counts bytes as stored.
 * Ownership: pointers into the window are valid until the next call that takes the stream
 * non-const. Threads: one stream belongs to one thread at a time.
 */
#ifndef SCAPFILE_STREAM_H
#define SCAPFILE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/defs.h"
#include "base/error.h"
#include "scapfile/scapfile.h"

#define SF_INPUT_CHUNK	(256u << 10) /* bytes read from the file at once */
#define SF_WINDOW_FIRST (320u << 10) /* fits a core's cache with room to spare */
#define SF_WINDOW_KEEP                                                                             \
	(16u << 20) /* a window grown beyond this is given back when a huge block is done */
#define SF_RESUMES_MAX                                                                             \
	1000 /* attempts to decode behind damage; each may decode something twice                  \
	      */

/* Places met while decoding, some way apart. */
struct sf_access_log {
	uint64_t span; /* uncompressed bytes from one to the next, at least; 0: none are wanted */
	struct sf_access *list;
	size_t count, cap;
	struct arena windows;
	bool failed; /* out of memory */
};

/* Is it time for another one, at @raw? */
static inline bool sf_access_due(const struct sf_access_log *l, uint64_t raw)
{
	return l->span && raw - (l->count ? l->list[l->count - 1].raw : 0) >= l->span;
}
/* Add a copy of @a. */
void sf_access_add(struct sf_access_log *l, const struct sf_access *a);
void sf_access_done(struct sf_access_log *l);

struct arc_file;

/* Bytes as stored: a descriptor or borrowed memory, hashed on the way if asked for. */
struct sf_input {
	int fd; /* -1: memory */
	bool own_fd;
	bool at_end;
	uint8_t *buf;		 /* SF_INPUT_CHUNK bytes, or NULL */
	const uint8_t *at, *end; /* read but not consumed */
	const uint8_t *memory;	 /* all of it, if it is memory */
	uint64_t size;		 /* bytes read so far */
	const char *name;	 /* for messages; borrowed */
	struct sf_hash *hash;	 /* or NULL */
	struct arc_file *inside; /* instead of a descriptor: it is in an archive; or NULL */
};

/*
 * @in is zeroed storage; sf_input_done() must follow. @path is borrowed; "-": standard input; it
 * may lead into an archive (archive/archive.h). Of a file that xz or the like compressed, the input
 * is what it holds, and so is the hash.
 */
MUST_CHECK int sf_input_open(struct sf_input *in, const char *path, bool want_hash,
			     struct error *err);
void sf_input_done(struct sf_input *in);
/* Have unconsumed bytes. Return: 1, 0 at the end of the input, or ERR_IO. */
MUST_CHECK int sf_input_fill(struct sf_input *in, struct error *err);
/* Read directly to @to (only when nothing is unconsumed). Return: bytes, 0 at the end, or ERR_IO.
 */
MUST_CHECK int64_t sf_input_read(struct sf_input *in, uint8_t *to, size_t room, struct error *err);

/* How the uncompressed data goes on after what is in the window. */
enum sf_flow {
	SF_FLOW_MORE,	 /* there may be more */
	SF_FLOW_END,	 /* the input is complete */
	SF_FLOW_CUT,	 /* the compressed stream stops in the middle */
	SF_FLOW_CORRUPT, /* the compressed stream cannot be decoded any further */
	SF_FLOW_NONE,	 /* of exchange(): it cannot be done now */
};

struct sf_codec;
struct sf_stream;

struct sf_codec_ops {
	/* Decode up to @room bytes to @to, counted in *made. Return: enum sf_flow, or ERR_*. */
	int (*decode)(struct sf_codec *c, struct sf_input *in, uint8_t *to, size_t room,
		      size_t *made, struct error *err);
	/* Instead of decoding to @s's window, give it another one that begins with what is left in
	 * it, and take its storage. Return: as decode(), or SF_FLOW_NONE: nothing was done. NULL:
	 * never possible. */
	int (*exchange)(struct sf_codec *c, struct sf_stream *s, size_t *made, struct error *err);
	/* After SF_FLOW_CORRUPT: find the next frame. Return: 1, 0 if there is none, or ERR_*. */
	int (*resume)(struct sf_codec *c, struct sf_input *in, struct error *err);
	/* Begin anew at @a, where @in is now. Return: 0, or ERR_*. */
	int (*enter)(struct sf_codec *c, struct sf_input *in, const struct sf_access *a,
		     struct error *err);
	/* Make @in what the stream left it to be, which may be ahead of it; NULL: it always is. */
	void (*settle)(struct sf_codec *c, struct sf_input *in);
	void (*free)(struct sf_codec *c);
};

struct sf_codec { /* first member of every implementation */
	const struct sf_codec_ops *ops;
	const char *trouble; /* what was wrong, after SF_FLOW_CORRUPT; static text */
	uint64_t made;	     /* offset of the next byte decoded */
	struct sf_access_log *log;
};

MUST_CHECK int sf_codec_gzip(struct sf_codec **out, struct error *err);
MUST_CHECK int sf_codec_zstd(struct sf_codec **out, struct error *err);
/* Is the first byte sequence at @p the start of a gzip member / zstd or skippable frame? */
bool sf_is_gzip(const uint8_t *p, size_t n);
bool sf_is_zstd(const uint8_t *p, size_t n);

struct sf_stream {
	const uint8_t *at, *end; /* the window: bytes that are there and not consumed */
	uint64_t end_offset;	 /* offset of @end */
	uint8_t *buf;		 /* storage of the window, or NULL over plain memory */
	size_t cap;
	enum sf_flow flow;
	enum sf_compression compression;
	struct sf_codec *codec; /* or NULL */
	unsigned resumes;
	struct sf_input in;
	struct sf_access_log log; /* set @span before the first byte is asked for */
};

/* @s is storage for a stream; after a failure only sf_stream_done() may follow. */
MUST_CHECK int sf_stream_open(struct sf_stream *s, const char *path, bool want_hash,
			      struct error *err);
MUST_CHECK int sf_stream_open_memory(struct sf_stream *s, const void *data, size_t n,
				     bool want_hash, struct error *err);
/* What @c decodes, without an input; @c is the stream's then, also after a failure. */
MUST_CHECK int sf_stream_open_codec(struct sf_stream *s, struct sf_codec *c, struct error *err);
void sf_stream_done(struct sf_stream *s); /* fine for zeroed storage */
/*
 * From now on decode in a thread of its own what has not been asked for yet, two megabytes ahead at
 * most; where there is nothing to gain, everything stays as it is. The stream is used as before,
 * but its log is complete only when the data has ended, or was damaged.
 */
void sf_stream_read_ahead(struct sf_stream *s);

/* The slow half of sf_stream_need(). */
MUST_CHECK int sf_stream_refill(struct sf_stream *s, size_t n, struct error *err);
/* After SF_FLOW_CORRUPT: drop the rest of the window and go on behind the damage, if possible.
 * Return: 1, 0 if nothing more can be decoded, or ERR_*. */
MUST_CHECK int sf_stream_resume(struct sf_stream *s, struct error *err);
/*
 * Go on at @offset of the uncompressed data, from @a, which is not behind it.
 * Return: 1, 0 if the data ends before, ERR_IO (also: the input cannot be positioned), ERR_*.
 */
MUST_CHECK int sf_stream_enter(struct sf_stream *s, const struct sf_access *a, uint64_t offset,
			       struct error *err);
/* Read the input to its end for its size and hash. */
MUST_CHECK int sf_stream_drain(struct sf_stream *s, struct error *err);
/* The SHA-256 of the input; after sf_stream_drain(). Return: false if it was not asked for. */
bool sf_stream_hash(struct sf_stream *s, uint8_t digest[32]);

static inline size_t sf_stream_left(const struct sf_stream *s)
{
	return (size_t)(s->end - s->at);
}

static inline uint64_t sf_stream_offset(const struct sf_stream *s)
{
	return s->end_offset - (uint64_t)(s->end - s->at);
}

/* Have @n bytes in the window. Return: 1, 0 if the data ends before (see @flow), or ERR_*. */
MUST_CHECK static inline int sf_stream_need(struct sf_stream *s, size_t n, struct error *err)
{
	return LIKELY(sf_stream_left(s) >= n) ? 1 : sf_stream_refill(s, n, err);
}

/* Consume @n bytes, which must be in the window. */
static inline void sf_stream_skip(struct sf_stream *s, size_t n)
{
	s->at += n;
}

/* hash.c: SHA-256 by libcrypto. */
MUST_CHECK int sf_hash_new(struct sf_hash **out, struct error *err);
/* From now on a thread of its own may do the work: what is added stays as it is until
 * sf_hash_wait(), or the next call. */
void sf_hash_aside(struct sf_hash *h);
void sf_hash_add(struct sf_hash *h, const void *p, size_t n);
/* Until all is added. */
void sf_hash_wait(struct sf_hash *h);
bool sf_hash_end(struct sf_hash *h, uint8_t digest[32]); /* once */
void sf_hash_free(struct sf_hash *h);			 /* NULL is fine */
MUST_CHECK bool sf_hash_once(const void *p, size_t n, uint8_t digest[32]);

#endif
