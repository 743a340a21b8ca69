/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside bundle/. */
#ifndef BUNDLE_INTERNAL_H
#define BUNDLE_INTERNAL_H

#include "bundle/bundle.h"
#include "scapfile/stream.h"

#define BAG_STEP (256u << 10) /* bytes read at once */

/* ---- manifests (text.c) ---- */

void bag_manifest_line(struct buf *b, const uint8_t digest[BAG_DIGEST], const char *name);
/* Take the next line off @text. Return: 1, 0 at the end, -1: it is none. */
int bag_manifest_next(struct sv *text, uint8_t digest[BAG_DIGEST], struct sv *name);

/* ---- what is about the files in data/, sorted by name (meta.c) ---- */

struct bag_member { /* to be written */
	const char *name;
	const char *path;      /* or NULL: */
	struct arc_file *file; /* owned; or NULL: */
	struct sv text;
	uint64_t size;
	uint8_t sha256[BAG_DIGEST];
	bool hashed, is_capture, from_case;
};

void bag_write_mtree(struct buf *b, const struct bag_member *m, size_t n);
void bag_write_jsonld(struct buf *b, const struct bag_member *m, size_t n, const char *tool);
void bag_write_environment(struct buf *b, const struct bag_making *opt);
/* @m: the @n files in data/. */
void bag_write_info(struct buf *b, const struct bag_making *opt, const struct bag_member *m,
		    size_t n);

/* ---- what captures hold (streams.c) ---- */

/*
 * The SHA-256 of a capture as it is when it is not compressed. @step: called with the bytes of each
 * step, may end it with ERR_*. Return: 1; 0: it is stored that way, or cannot be uncompressed to
 * its end; or ERR_*.
 */
MUST_CHECK int bag_stream_hash(const char *path, const uint8_t stored[BAG_DIGEST],
			       int (*step)(void *arg, size_t n, struct error *err), void *arg,
			       uint8_t sha256[BAG_DIGEST], struct error *err);

/* ---- cases (case.c) ---- */

struct sqlite3;

/*
 * Open a case, which may be in an archive, to be read. *db is to be closed also on failure. Nothing
 * in the file runs by itself, and what does run ends when @opt (NULL: never) says so.
 */
MUST_CHECK int bag_case_open(const char *path, const struct bag_checking *opt, struct sqlite3 **db,
			     struct error *err);
/* ERR_DB, or ERR_INTERRUPTED if it was stopped. */
int bag_case_failed(struct sqlite3 *db, const char *path, const char *doing, struct error *err);

#endif
