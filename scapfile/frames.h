/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where frames end in the bytes of a file as stored: zstd frames and skippable frames by their
 * headers, gzip members by decoding them. Facts: RFC 8878; RFC 1952. Plain files have none.
 */
#ifndef SCAPFILE_FRAMES_H
#define SCAPFILE_FRAMES_H

#include "scapfile/scapfile.h"

struct sf_frames {
	enum sf_compression compression;
	bool lost;	/* what came is no frame: none are found any more */
	bool skippable; /* the frame in progress */
	uint64_t made;	/* uncompressed bytes since they were asked for; UINT64_MAX: not known */
	/* zstd */
	int part;	  /* of the frame: enum in frames.c */
	uint8_t head[18]; /* bytes of a header */
	size_t have, want;
	uint64_t skip; /* bytes that follow it */
	bool checksum;
	/* gzip */
	void *gzip; /* z_stream */
};

struct sf_frames_step {
	size_t used;	/* bytes */
	bool ended;	/* a frame ends there */
	bool skippable; /* and holds no data */
};

/* Storage at @f is initialised whatever happens; sf_frames_done() must follow. */
MUST_CHECK int sf_frames_init(struct sf_frames *f, enum sf_compression c, struct error *err);
/* Look at @n more bytes, at most to the end of a frame. Return: 0, ERR_NOMEM. */
MUST_CHECK int sf_frames_step(struct sf_frames *f, const uint8_t *p, size_t n,
			      struct sf_frames_step *out, struct error *err);
/* Uncompressed bytes since the last call, when a frame has @ended or not; UINT64_MAX: not known. */
uint64_t sf_frames_made(struct sf_frames *f, bool ended);
void sf_frames_done(struct sf_frames *f);

#endif
