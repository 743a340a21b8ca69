/* SPDX-License-Identifier: Apache-2.0 */
/* The capture writer's insides, shared by its files: the frame in progress and the open block. */
#ifndef SCAPFILE_WRITING_H
#define SCAPFILE_WRITING_H

#include "scapfile/frame_ring.h"
#include "scapfile/internal.h"
#include "scapfile/output.h"
#include "scapfile/writer.h"

enum sf_written_block {
	SF_MI = 0x201,
	SF_PL_V9 = 0x215,
	SF_FDL_V2 = 0x218,
	SF_IL_V2 = 0x219,
	SF_UL_V2 = 0x220,
};

#define SF_LIST_SPLIT SF_RESYNC_MAX /* thread and fd lists go on in a new block behind this */
#define SF_LIST_MAX   (1u << 30)    /* lists that cannot: the reader's default limit */

struct sf_writer {
	struct sf_writer_options opt;
	enum sf_compression compression;
	char *stem;	    /* path without the suffix that tells the container; for rotation */
	const char *suffix; /* into @base */
	char *base;	    /* path as given */
	char *path;	    /* of the current file */
	bool rotates, keeps;
	struct sf_sealer sealer; /* if opt.seal */
	bool watches_clocks;	 /* and it is a recording */
	struct sf_clock_watch clocks;
	struct sf_packer packer;
	struct sf_output out; /* if it does not keep */
	struct sf_ring ring;  /* if it does */
	struct sf_sink sink;
	struct sf_queue queue;
	struct sf_frame frame; /* in progress; ends with whole blocks unless @open_type */
	uint32_t open_type;    /* of the list block at the frame's end; 0: none */
	size_t open_at;	       /* where in the frame it starts */
	int64_t open_tid;      /* fd list: whose */
	bool has_first_frame_ts, has_first_ts;
	bool ages; /* the frame has been seen by sf_writer_tick(), first at: */
	uint64_t aged_from;
	uint64_t frame_ts, first_ts, last_ts; /* of the frame's, the file's first event; the last */
	uint64_t file_events;
	uint64_t frame_events, frame_lost; /* events before it; losses in it */
	uint64_t sections;		   /* begun */
	bool in_events;			   /* of this section */
	bool has_contents;		   /* something follows the section header */
	bool is_first;			   /* frame of the section */
	int rc;				   /* the first failure of the output */
	struct error err;
	struct sf_writer_stats stats;
};

/* Put the writer's first failure before the caller again. */
MUST_CHECK int sf_writer_failed(const struct sf_writer *w, struct error *err);
/* The slow half of sf_writer_room(). */
MUST_CHECK int sf_writer_grow(struct sf_writer *w, size_t n, struct error *err);
/* @n bytes of room at the frame's end. Return: 0, or ERR_NOMEM. */
MUST_CHECK static inline int sf_writer_room(struct sf_writer *w, size_t n, struct error *err)
{
	return LIKELY(n <= w->frame.cap - w->frame.len) ? 0 : sf_writer_grow(w, n, err);
}

/* May a list of @type go on in another block? */
static inline bool sf_writer_splits(uint32_t type)
{
	return type == SF_PL_V9 || type == SF_FDL_V2;
}

/* End the list block in progress, if there is one. */
MUST_CHECK int sf_writer_end_list(struct sf_writer *w, struct error *err);
/* End the frame if it is as large as asked for. */
MUST_CHECK int sf_writer_end_block(struct sf_writer *w, struct error *err);

/*
 * Begin a list block of @type whatever is open, with room for @n more bytes (writer_lists.c).
 * @tid: of an fd list.
 */
MUST_CHECK int sf_writer_begin_list(struct sf_writer *w, uint32_t type, int64_t tid, size_t n,
				    struct error *err);

/* A loss with the first @nkinds of its kinds as a block. Return: its length. */
#define SF_LOSS_LEN   (SF_HEADER_V2 + SF_LOSS_PARAMS * 2u + SF_LOSS_FIXED) /* without kinds */
#define SF_LOSS_BLOCK (SF_BLOCK_MIN + 2 + SF_LOSS_LEN + 3) /* at most; without kinds */
uint32_t sf_loss_block(uint8_t *p, const struct ev_loss *loss, unsigned nkinds);

#endif
