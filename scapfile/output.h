/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where frames of a capture go: compressed one by one, at once or by a thread, and then into a file
 * or, to be written later, into a ring in memory (frame_ring.h). Shared by the writer's files. A
 * compressed frame is stored as a whole or, when the disk is full, not at all; of an uncompressed
 * one the blocks that fit are kept.
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
#include "scapfile/placing.h"
#include "scapfile/scapfile.h"
#include "scapfile/sealing.h"
#include "scapfile/writer.h"

struct sf_note {		 /* what a frame holds, for those who keep it */
	bool first;		 /* it begins a section */
	bool events;		 /* else the section's header and state, or a part of them */
	bool dump;		 /* no frame: what is kept is to be written here */
	enum sf_clock_why clock; /* no frame: the clocks are to be read here; SF_CLOCK_NONE: no */
	bool has_time;		 /* of the first and the last event: */
	uint64_t from, to;
	uint64_t count; /* of events */
	uint64_t lost;	/* sum of its losses */
};

struct sf_frame { /* whole blocks, uncompressed */
	uint8_t *p;
	size_t len, cap;
	struct sf_note note;
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

/* ---- compression (pack.c) ---- */

struct sf_packer {
	enum sf_compression compression;
	int level;		/* 0: the default */
	bool paced;		/* see sf_writer_options */
	uint64_t ended;		/* CLOCK_MONOTONIC: the last frame was done */
	uint64_t cost;		/* CPU time of 1024 bytes at the default level; 0: not known */
	struct sf_frame packed; /* the last frame, compressed */
	void *gzip;		/* z_stream */
	void *zstd;		/* ZSTD_CCtx */
};

MUST_CHECK int sf_packer_init(struct sf_packer *k, enum sf_compression c, int level,
			      struct error *err);
void sf_packer_done(struct sf_packer *k);
/* Compress @f. *stored receives what to write: @f's bytes or the packer's. */
MUST_CHECK int sf_pack(struct sf_packer *k, const struct sf_frame *f, const uint8_t **stored,
		       size_t *n, struct error *err);

struct sf_packed { /* a frame as it is stored; one allocation, which free() ends */
	struct sf_packed *next;
	struct sf_note note;
	size_t size; /* uncompressed */
	size_t n;
	uint8_t bytes[];
};

/* The memory it takes. */
static inline size_t sf_packed_cost(const struct sf_packed *f)
{
	return sizeof(*f) + f->n;
}

/* Compress @f, into memory that the caller owns. */
MUST_CHECK int sf_packed_new(struct sf_packer *k, const struct sf_frame *f, struct sf_packed **out,
			     struct error *err);

struct sf_seek_table {
	struct sf_frame sizes; /* compressed and uncompressed of each frame, u32 each */
	uint32_t frames;
};

MUST_CHECK int sf_seek_add(struct sf_seek_table *t, size_t stored, size_t size, struct error *err);
/* Put what ends a zstd file behind @out's bytes. */
MUST_CHECK int sf_seek_trailer(const struct sf_seek_table *t, struct sf_frame *out,
			       struct error *err);

/* ---- the file (output.c) ---- */

struct sf_output {
	int fd;
	bool own_fd;
	enum sf_compression compression;
	enum sf_placing placing;
	char *path;	 /* for messages, and where the file is to be */
	char *partial;	 /* where it is until it is complete, or NULL */
	uint64_t stored; /* bytes that can be read */
	struct sf_seek_table table;
	struct sf_seal seal;
};

/*
 * Storage at @o is initialised whatever happens; sf_output_done() must follow.
 * @sealer: NULL: no seal; standard output has none.
 */
MUST_CHECK int sf_output_open(struct sf_output *o, const char *path, enum sf_placing placing,
			      enum sf_compression c, struct sf_sealer *sealer, struct error *err);
/* Write a frame of @size bytes, which compressed are the @n at @p. */
MUST_CHECK int sf_output_write(struct sf_output *o, const uint8_t *p, size_t n, size_t size,
			       const struct sf_note *note, struct error *err);
/* Note in the seal what the clocks say. */
MUST_CHECK int sf_output_clock(struct sf_output *o, enum sf_clock_why why, struct error *err);
/* Write what ends the file and put it in its place. */
MUST_CHECK int sf_output_finish(struct sf_output *o, struct error *err);
/* Give a finished file its name. Return: 0, or ERR_IO; with EEXIST another name may be tried. */
MUST_CHECK int sf_output_place(struct sf_output *o, const char *path, struct error *err);
/* Close it; a partial file that was not finished is deleted. */
void sf_output_done(struct sf_output *o);

/* ---- the threads (output_queue.c) ---- */

struct sf_ring;

struct sf_sink { /* where frames end */
	struct sf_output *out;
	struct sf_ring *ring; /* NULL: in the file */
};

/* Store @f, or do what its note says; it is the sink's then, also after a failure. */
MUST_CHECK int sf_sink_take(const struct sf_sink *s, struct sf_packed *f, struct error *err);
/* Bytes of the file, or of all files that were written of what is kept. */
uint64_t sf_sink_stored(const struct sf_sink *s);

#define SF_QUEUE_FRAMES 4 /* waiting to be compressed; then the writer waits */

struct sf_queue {
	struct sf_sink sink;
	struct sf_packer *packer;		     /* the caller's, used by the first thread */
	struct sf_packer others[SF_PACKERS_MAX - 1]; /* of the others */
	unsigned packers;
	pthread_t threads[1 + SF_PACKERS_MAX]; /* one stores, the others compress */
	unsigned running;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sf_frame frames[SF_QUEUE_FRAMES + SF_PACKERS_MAX]; /* to be compressed */
	unsigned slots;						  /* of them that are used */
	unsigned first, count;					  /* in the order of the file */
	unsigned taken;	  /* of these, by threads that compress */
	unsigned started; /* threads that compress and have chosen their packer */
	struct sf_packed *packed, **packed_end; /* to be stored */
	uint64_t waiting, limit;		/* bytes of them, the one in hand included */
	bool stop, packed_all;
	int niceness;
	uint64_t
	    stored; /* of the sink, and what is on its way to a file: for the writer's thread */
	int rc;	    /* of the first frame that failed; later ones are dropped */
	struct error err;
};

/*
 * @packers: threads that compress, at most SF_PACKERS_MAX; 0 is 1. What is stored is the same for
 * any number.
 * @limit: bytes of compressed frames that may wait for the sink; one frame always may.
 * @niceness: of the threads, as nice(2) counts; I/O priority goes with it.
 */
MUST_CHECK int sf_queue_start(struct sf_queue *q, const struct sf_sink *sink,
			      struct sf_packer *packer, unsigned packers, uint64_t limit,
			      int niceness, struct error *err);
/* Hand over @f, which becomes empty storage. Return: 0, or the failure of an earlier frame. */
MUST_CHECK int sf_queue_push(struct sf_queue *q, struct sf_frame *f, uint64_t *stored,
			     struct error *err);
/* What became of the frames that were written so far. Return: 0, or their first failure. */
MUST_CHECK int sf_queue_look(struct sf_queue *q, uint64_t *stored, struct error *err);
/* Wait until all frames have been written. */
MUST_CHECK int sf_queue_drain(struct sf_queue *q, uint64_t *stored, struct error *err);
void sf_queue_stop(struct sf_queue *q); /* writes what is queued; fine if it never started */

#endif
