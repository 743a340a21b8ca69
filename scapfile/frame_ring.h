/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished frames kept in memory, within a limit of bytes and of time, to be written when somebody
 * asks for them. They are kept by sections: each is the state of a moment and the events since,
 * and the oldest go first, since events cannot be read without the state before them. A dump
 * is the state of the first section, and the events of all of them; the states between are what
 * the events have made of the first. Shared by the writer's files. Threads: one takes frames; what
 * is kept, and what became of a dump, any may ask.
 */
#ifndef SCAPFILE_FRAME_RING_H
#define SCAPFILE_FRAME_RING_H

#include "scapfile/output.h"
#include "scapfile/source.h"
#include "scapfile/writer.h"

#define SF_RING_SECTIONS  4	 /* at least so many fit into the limit, or the time */
#define SF_RING_NAMES_MAX 100000 /* numbers that may be taken */
#define SF_RING_CLOCKS	  1024	 /* readings of the clocks that are kept: almost three hours */

struct sf_chain {
	struct sf_packed *first, **end;
};

struct sf_ring_section;

struct sf_ring {
	uint64_t ns, limit; /* 0: no limit of time */
	enum sf_compression compression;
	int level;
	const char *stem, *suffix; /* of the names of dumps; the number is between them */
	struct sf_ring_section *first, *last;
	struct ev_loss gap;  /* events that are not kept between the first state and its events */
	struct sf_kept kept; /* as it is now */
	struct sf_sealer *sealer;		/* of dumps; or NULL */
	struct sf_clock clocks[SF_RING_CLOCKS]; /* the last ones, for their seals */
	uint64_t clocks_read;
	unsigned number;      /* of the last dump */
	bool dumping;	      /* the asker's: a dump was asked for and not looked at */
	pthread_mutex_t lock; /* of @told and @dumped */
	struct sf_kept told;  /* a copy of @kept */
	bool dumped;	      /* it is done; the rest is about it */
	int dump_rc;
	struct error dump_err;
	struct sf_dump dump;
	char *path; /* the dump's */
};

/* @stem, @suffix, @sealer: borrowed for the ring's life. */
void sf_ring_init(struct sf_ring *r, const struct sf_writer_options *opt, enum sf_compression c,
		  const char *stem, const char *suffix, struct sf_sealer *sealer);
void sf_ring_done(struct sf_ring *r);
/* Keep @f, or write what is kept if its note says so; @f is the ring's, also after a failure. That
 * a dump fails is not one. Return: 0, ERR_NOMEM, or ERR_LIMIT: the state alone is too large. */
MUST_CHECK int sf_ring_take(struct sf_ring *r, struct sf_packed *f, struct error *err);

void sf_ring_told(struct sf_ring *r, struct sf_kept *out);
/* A dump is going to be asked for. Return: 0, or ERR_USAGE if there is one already. */
MUST_CHECK int sf_ring_begin_dump(struct sf_ring *r, struct error *err);
/* As sf_writer_dumped(). */
MUST_CHECK int sf_ring_dumped(struct sf_ring *r, struct sf_dump *out, struct error *err);

#endif
