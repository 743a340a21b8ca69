/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as bytes and back, each described once for both directions: a function given an archive
 * that saves writes what it is handed; one that restores replaces it by what it reads. Numbers are
 * LEB128, signed ones zigzag, so that what is small or zero takes a byte.
 * Restoring trusts nothing: what makes no sense latches @trouble, and from then on everything reads
 * as zero; look at it once after a group of reads. Saving latches the buffer's failure.
 * Ownership: the buffer and the bytes are the caller's. Threads: one archive, one thread.
 */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include "base/buf.h"
#include "base/cursor.h"

struct archive {
	struct buf *out;     /* saving; NULL: restoring */
	struct cursor in;    /* restoring */
	const char *trouble; /* restoring: what is wrong, for people; static text */
};

static inline struct archive archive_to(struct buf *out)
{
	return (struct archive){.out = out};
}

static inline struct archive archive_from(const void *p, size_t n)
{
	return (struct archive){.in = cursor_of(p, n)};
}

static inline bool archive_saves(const struct archive *a)
{
	return a->out != NULL;
}

/* Restoring: it cannot go on. The first reason stays. */
void archive_complain(struct archive *a, const char *what);

/* Saving: write @v and return it. Restoring: return what is read. */
uint64_t archive_u64(struct archive *a, uint64_t v);
int64_t archive_i64(struct archive *a, int64_t v);
bool archive_bool(struct archive *a, bool v);
/* How many of something follow, each of at least a byte: never more than the bytes that are left.
 */
uint64_t archive_count(struct archive *a, uint64_t n);
/* @n bytes at @p. */
void archive_bytes(struct archive *a, void *p, size_t n);
/* Length and bytes; restoring, a view of the bytes that are read from. */
struct sv archive_text(struct archive *a, struct sv s);

/* Numbers of a record: tables of these, one loop. */
enum archive_kind { ARCHIVE_UNSIGNED, ARCHIVE_SIGNED, ARCHIVE_BOOL };

struct archive_field {
	uint16_t at;
	uint8_t size; /* 1, 2, 4 or 8 */
	uint8_t kind; /* enum archive_kind */
};

#define ARCHIVE_FIELD(type, member, kind)                                                          \
	{                                                                                          \
		offsetof(type, member), sizeof(((type *)0)->member), (kind)                        \
	}
#define ARCHIVE_U(type, member) ARCHIVE_FIELD(type, member, ARCHIVE_UNSIGNED)
#define ARCHIVE_I(type, member) ARCHIVE_FIELD(type, member, ARCHIVE_SIGNED)
#define ARCHIVE_B(type, member) ARCHIVE_FIELD(type, member, ARCHIVE_BOOL)

/* A number that does not fit its field is trouble. */
void archive_fields(struct archive *a, void *record, const struct archive_field *f, size_t n);
#define ARCHIVE_FIELDS(a, record, table) archive_fields((a), (record), (table), COUNT_OF(table))

#endif
