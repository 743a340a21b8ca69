/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside archive/: where bytes come from, and the names of an archive's members. */
#ifndef ARCHIVE_INTERNAL_H
#define ARCHIVE_INTERNAL_H

#include <locale.h>

#include "archive/archive.h"
#include "archive/lib.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

#define ARC_PIECE (256u << 10) /* bytes read at once */
#define ARC_HEAD  6	       /* bytes that tell how a file is compressed */

/* ---- files (file.c) ---- */

struct arc_file {
	char *name;		   /* for messages */
	const uint8_t *memory;	   /* borrowed; or */
	int fd;			   /* owned; -1: it is a member that is read through @reader */
	bool is_stream;		   /* the descriptor is no regular file's */
	uint64_t base, size;	   /* its part of memory or descriptor */
	uint64_t at;		   /* read so far, or where it is read next */
	struct arc_reader *reader; /* owned; positioned at the member */
	uint8_t head[ARC_HEAD];	   /* bytes that were looked at, and are still to be read */
	size_t head_from, head_n;
};

/* @size bytes of @of from @base on, as a file of its own; @of stays the caller's. */
MUST_CHECK int arc_file_part(const struct arc_file *of, const char *name, uint64_t base,
			     uint64_t size, struct arc_file **out, struct error *err);
/* The member that @r is at; @r is the file's then, also on failure. */
MUST_CHECK int arc_file_of_member(struct arc_reader *r, const char *name, struct arc_file **out,
				  struct error *err);
/* Look at the first bytes of a file that nothing was read of, @room at most ARC_HEAD. Return:
 * bytes, fewer only if there are no more; or ERR_*. */
MUST_CHECK int64_t arc_peek(struct arc_file *f, uint8_t *to, size_t room, struct error *err);
/* Is it all of what its descriptor is open for? Then it can be taken from it. */
bool arc_file_is_all(const struct arc_file *f);
int arc_file_take_fd(struct arc_file *f);
/* Replace a file that cannot be read in any order by a copy that can. */
MUST_CHECK int arc_spool(struct arc_file **f, uint64_t memory, struct error *err);
/* A descriptor with a copy of what is left of @f. */
MUST_CHECK int arc_copy(struct arc_file *f, uint64_t memory, struct error *err);

/* ---- readers (reader.c) ---- */

enum arc_as {
	ARC_AS_ARCHIVE,
	ARC_AS_WRAPPED, /* one file, compressed by what arc_is_wrapped() knows */
	ARC_AS_TEXT,	/* or by anything, or not at all */
};

/* @from is the reader's then, also on failure. */
MUST_CHECK int arc_reader_of(struct arc_file *from, enum arc_as as, struct arc_reader **out,
			     struct error *err);
const struct arc_file *arc_reader_source(const struct arc_reader *r);

/* ---- names (names.c) ---- */

struct arc_names {
	struct smap exact, folded;
	struct arena arena;
	size_t bytes;
	struct buf scratch;
};

enum arc_name_verdict { ARC_NAME_NEW, ARC_NAME_TWICE, ARC_NAME_CASE, ARC_NAME_TOO_MANY };

void arc_names_done(struct arc_names *n);
/* Note a name. Return: enum arc_name_verdict, with *other the name it clashes with; or ERR_NOMEM.
 */
MUST_CHECK int arc_names_add(struct arc_names *n, struct sv name, bool dir, struct sv *other);

#endif
