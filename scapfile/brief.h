/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in brief, as they lie in a reader's window, for who wants little of most of them: what an
 * old event becomes is told without making it. Enter events that their exit events wait for are
 * kept on the way. Behind sf_brief_next() either sf_brief_pass() or sf_brief_deliver() follows, and
 * in between nothing else is asked of the reader.
 */
#ifndef SCAPFILE_BRIEF_H
#define SCAPFILE_BRIEF_H

#include "scapfile/scapfile.h"

struct sf_brief {
	uint64_t ts, offset;
	int64_t tid;
	unsigned type; /* of today */
};

/* Return: 1, 0 if what comes next is of another kind, ERR_*. */
MUST_CHECK int sf_brief_next(struct sf_reader *r, struct sf_brief *b, struct error *err);
/* Its parameter @i, if it is 8 bytes. Return: false if it is not. */
bool sf_brief_i64(struct sf_reader *r, unsigned i, int64_t *out);
/* Go on without it. */
void sf_brief_pass(struct sf_reader *r);
/* Deliver it: as by ev_source_next(). */
void sf_brief_deliver(struct sf_reader *r, struct ev_item *item);

#endif
