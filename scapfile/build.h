/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making events up: a type of the table, or of our own, and one parameter after the other.
 * Units: nanoseconds. Ownership: the event is the builder's and valid until it begins the next one.
 * Zero-initialised storage is a valid builder. Threads: one builder, one thread.
 */
#ifndef SCAPFILE_BUILD_H
#define SCAPFILE_BUILD_H

#include "base/buf.h"
#include "base/error.h"
#include "scapfile/event.h"

struct ev_build {
	struct ev ev;
	struct buf lens, data;
	bool too_long; /* a parameter is longer than its length can say */
};

void ev_build_done(struct ev_build *b); /* frees the storage */
void ev_build_begin(struct ev_build *b, unsigned type, uint64_t ts, int64_t tid);
void ev_build_bytes(struct ev_build *b, const void *p, size_t n);
void ev_build_empty(struct ev_build *b);		/* not available */
void ev_build_text(struct ev_build *b, struct sv text); /* with its NUL */
/* As wide as the parameter's type says. */
void ev_build_int(struct ev_build *b, uint64_t value);
/*
 * Parameters that were not given are empty. Return: 0, ERR_NOMEM, or ERR_LIMIT for one that is too
 * long.
 */
MUST_CHECK int ev_build_end(struct ev_build *b, struct error *err);

#endif
