/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where frames of a capture go: a file, compressed frame by frame, at once or by a thread.
 * Shared by the writer's files. A compressed frame is stored as a whole or, when the disk is full,
 * not at all; of an uncompressed one the blocks that fit are kept.
 */
#ifndef SCAPFILE_OUTPUT_H
#define SCAPFILE_OUTPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/defs.h"
#include "base/error.h"
#include "scapfile/scapfile.h"

struct sf_frame { /* whole blocks, uncompressed */
	uint8_t *p;
	size_t len, cap;
};

/* Have @n bytes of room behind the frame's. Return: 0, or ERR_NOMEM. */
MUST_CHECK int sf_frame_grow(struct sf_frame *f, size_t n, struct error *err);
void sf_frame_done(struct sf_frame *f);

/* Little-endian stores; each returns where the next one goes. */
static inline uint8_t *put_u8(uint8_t *p, unsigned v)
{
	*p = (uint8_t)v;
	return p + 1;
}

static inline uint8_t *put_u16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static inline uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	return put_u16(put_u16(p, v & 0xffff), v >> 16);
}

static inline uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	return put_u32(put_u32(p, (uint32_t)v), (uint32_t)(v >> 32));
}

static inline uint8_t *put_bytes(uint8_t *p, const void *from, size_t n)
{
	if (n)
		memcpy(p, from, n);
	return p + n;
}

/* ---- compression of one frame (pack.c) ---- */

struct sf_packer {
	enum sf_compression compression;
	int level;		/* 0: the default */
	struct sf_frame packed; /* the last frame, compressed */
	void *gzip;		/* z_stream */
	void *zstd;		/* ZSTD_CCtx */
	struct sf_frame sizes;	/* seek table entries: compressed and uncompressed size, u32 each */
	uint32_t frames;
};

MUST_CHECK int sf_packer_init(struct sf_packer *k, enum sf_compression c, int level,
			      struct error *err);
void sf_packer_done(struct sf_packer *k);
/* Compress @f. *stored receives what to write: @f's bytes or the packer's. */
MUST_CHECK int sf_pack(struct sf_packer *k, const struct sf_frame *f, const uint8_t **stored,
		       size_t *n, struct error *err);
/* The frame last packed has been stored: remember it for the seek table. */
MUST_CHECK int sf_pack_stored(struct sf_packer *k, size_t stored, size_t size, struct error *err);
/* What ends a file: the seek table, or nothing. */
MUST_CHECK int sf_pack_trailer(struct sf_packer *k, const uint8_t **p, size_t *n,
			       struct error *err);

/* ---- the file (output.c) ---- */

struct sf_output {
	int fd;
	bool own_fd;
	char *path;	 /* for messages, and where the file is to be */
	char *partial;	 /* where it is until it is complete, or NULL */
	uint64_t stored; /* bytes that can be read */
	struct sf_packer packer;
};

/* Storage at @o is initialised whatever happens; sf_output_done() must follow. */
MUST_CHECK int sf_output_open(struct sf_output *o, const char *path, bool replace,
			      enum sf_compression c, int level, struct error *err);
MUST_CHECK int sf_output_frame(struct sf_output *o, const struct sf_frame *f, struct error *err);
/* Write what ends the file and put it in its place. */
MUST_CHECK int sf_output_finish(struct sf_output *o, struct error *err);
/* Close it; a partial file that was not finished is deleted. */
void sf_output_done(struct sf_output *o);

/* ---- the thread (output_queue.c) ---- */

#define SF_QUEUE_FRAMES 4 /* waiting to be compressed; then the writer waits */

struct sf_queue {
	struct sf_output *out;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sf_frame ring[SF_QUEUE_FRAMES];
	unsigned first, count;
	bool running, stop;
	int niceness;
	uint64_t stored; /* copy of out->stored for the writer's thread */
	int rc;		 /* of the first frame that failed; later ones are dropped */
	struct error err;
};

/* @niceness: of the thread, as nice(2) counts; I/O priority goes with it. */
MUST_CHECK int sf_queue_start(struct sf_queue *q, struct sf_output *out, int niceness,
			      struct error *err);
/* Hand over @f, which becomes empty storage. Return: 0, or the failure of an earlier frame. */
MUST_CHECK int sf_queue_push(struct sf_queue *q, struct sf_frame *f, uint64_t *stored,
			     struct error *err);
/* What became of the frames that were written so far. Return: 0, or their first failure. */
MUST_CHECK int sf_queue_look(struct sf_queue *q, uint64_t *stored, struct error *err);
/* Wait until all frames have been written. */
MUST_CHECK int sf_queue_drain(struct sf_queue *q, uint64_t *stored, struct error *err);
void sf_queue_stop(struct sf_queue *q); /* writes what is queued; fine if it never started */

#endif
