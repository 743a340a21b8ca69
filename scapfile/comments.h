/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comments in section headers, as options like those of pcapng (scap format, "Section header
 * block"). The reference skips them; sysdig 0.29 refuses files that have any, so they are written
 * only when asked for. A bookmark is a comment "scapula:bookmark evt=N TEXT" or "scapula:bookmark
 * time=T TEXT": event numbers count from 1, times are UTC with nanoseconds.
 */
#ifndef SCAPFILE_COMMENTS_H
#define SCAPFILE_COMMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SF_COMMENTS_MAX	     64	   /* of a section header, as readers keep */
#define SF_COMMENT_BYTES_MAX 65532 /* all of them together */
#define SF_BOOKMARK	     "scapula:bookmark "

struct sf_comments {
	const char *texts[SF_COMMENTS_MAX]; /* borrowed */
	size_t count;
};

/* Return: 0, or ERR_LIMIT. */
MUST_CHECK int sf_comments_add(struct sf_comments *c, const char *text, struct error *err);
/*
 * Append section header block @shb, @n bytes with or without options, and @c behind those it has.
 * Return: 0, ERR_FORMAT (it is none), ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int sf_comments_put(struct buf *out, const uint8_t *shb, size_t n,
			       const struct sf_comments *c, struct error *err);

#endif
