/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the strict check: the stored file (strict_input.c), blocks and sections (strict.c),
 * lists (strict_lists.c, strict_threads.c), events (strict_event.c), parameters (strict_param.c).
 */
#ifndef SCAPFILE_STRICT_INTERNAL_H
#define SCAPFILE_STRICT_INTERNAL_H

#include "base/buf.h"
#include "base/cursor.h"
#include "scapfile/event.h"
#include "scapfile/strict.h"

#define STRICT_BLOCK_MAX (1u << 30) /* what is larger is not gathered */
#define STRICT_TID_MAX	 4194304    /* the kernel's limit of process ids */
#define STRICT_TID_STEP	 5000000    /* what merging adds to ids, times a number (cli/merge.h) */
#define STRICT_CPUS_MAX	 8192

enum strict_kind {
	STRICT_SECTION,
	STRICT_MACHINE_INFO,
	STRICT_INTERFACES,
	STRICT_USERS,
	STRICT_THREADS,
	STRICT_FDS,
	STRICT_EVENT,
	STRICT_UNKNOWN,
};

/* Can it be a thread's, or be the largest one of a host? */
static inline bool strict_is_tid(int64_t v)
{
	return v <= INT32_MAX && v % STRICT_TID_STEP <= STRICT_TID_MAX;
}

struct strict_listed { /* a thread, or a descriptor of one table */
	int64_t id, pid;
	uint64_t offset;
};

struct strict_ids {
	struct strict_listed *v;
	size_t n, cap;
	bool sorted;
};

struct strict {
	struct sf_strict_report *report;
	struct buf block; /* gathered so far */
	uint64_t at;	  /* offset of its first byte */
	bool stopped;	  /* framing is lost: nothing more can be judged */
	bool in_section;  /* a section header has been seen */
	bool in_events;	  /* an event of this section, too */
	bool nomem;
	uint64_t section_at;	   /* its offset */
	uint32_t cpus;		   /* of the machine; 0: not known */
	uint64_t boot_ts;	   /* 0: not known */
	uint64_t newest_ts;	   /* of the section's events */
	uint64_t first_ts;	   /* likewise; 0: none yet */
	struct strict_ids threads; /* of this section */
	struct strict_ids fds;	   /* of this block */
};

struct strict_block {
	uint32_t type, total;
	enum strict_kind kind;
	unsigned version; /* of lists 1..9; of events 1: 22-byte header, 2: 26-byte header */
	bool flags;	  /* events: 4 bytes of flags behind the cpu */
	bool large;	  /* events: no limit */
	const uint8_t *p; /* the first byte */
};

void strict_find(struct strict *s, enum sf_strict_rule rule, uint64_t offset, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The same of the stored file. */
void strict_find_stored(struct strict *s, enum sf_strict_rule rule, uint64_t offset,
			const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Judge the next bytes of the uncompressed stream (strict.c). */
void strict_feed(struct strict *s, const uint8_t *p, size_t n);
/* Is the stream between two blocks? */
static inline bool strict_between(const struct strict *s)
{
	return s->block.len == 0;
}

/* Unpack the file and feed it (strict_input.c). @fd: -1: the @n bytes at @p instead. */
MUST_CHECK int strict_input(struct strict *s, int fd, const char *name, const void *p, size_t n,
			    struct error *err);

/* What is behind the last entry or event of a block: options or padding. @from: where it starts. */
void strict_rest(struct strict *s, const struct strict_block *b, const uint8_t *from);

void strict_ids_add(struct strict *s, struct strict_ids *ids, struct strict_listed one);
/* Order them, so that equal ones are neighbours. */
void strict_ids_sort(struct strict_ids *ids);
bool strict_ids_has(struct strict_ids *ids, int64_t id);

void strict_machine(struct strict *s, const struct strict_block *b);
void strict_interfaces(struct strict *s, const struct strict_block *b);
void strict_users(struct strict *s, const struct strict_block *b);
void strict_fds(struct strict *s, const struct strict_block *b);
void strict_threads(struct strict *s, const struct strict_block *b);
/* The lists of a section are complete: do they agree with each other? */
void strict_threads_end(struct strict *s);

void strict_event(struct strict *s, const struct strict_block *b);
/* The table's row of an event type, or that of one of our own. */
static inline const struct ev_info *strict_info(unsigned type)
{
	return type < EV_TYPE_COUNT ? &ev_table[type] : ev_own_info(type);
}
/* One parameter of @n bytes, not empty. @offset: its own. */
void strict_param(struct strict *s, unsigned type, unsigned i, const uint8_t *p, uint32_t n,
		  uint64_t offset);

/* ---- entries of lists (strict_lists.c) ---- */

struct strict_entry { /* a list entry, or what is left of a list */
	struct strict *s;
	const struct strict_block *b;
	struct cursor c;
	uint64_t start; /* offset of its first byte */
};

static inline uint64_t strict_here(const struct strict_entry *e)
{
	return e->s->at + (uint64_t)(e->c.p - e->b->p);
}

static inline struct strict_entry strict_body(struct strict *s, const struct strict_block *b,
					      size_t skip)
{
	struct cursor c = cursor_of(b->p + 8, b->total - 12);

	cursor_bytes(&c, skip);
	return (struct strict_entry){s, b, c, s->at + 8 + skip};
}

/*
 * Begin the next entry of @list. @counts: of its length: 0: there is none; 4: it counts itself;
 * -4: it does not. Return: false at the end of the list.
 */
bool strict_next_entry(struct strict_entry *list, struct strict_entry *e, int counts);
/* Its fields are behind @e->c: go on behind it. @exact: the entry must be empty by now. */
bool strict_end_entry(struct strict_entry *list, struct strict_entry *e, int counts);
/* A text of at most @max bytes. @strings: several, each with its NUL; else no NUL at all. */
struct sv strict_text(struct strict_entry *e, const char *what, unsigned max, bool strings);
/* A byte that is 0 or 1. */
void strict_bool(struct strict_entry *e, enum sf_strict_rule rule, const char *what);
/* All values of the set called @name, ored. */
uint32_t strict_set_bits(const char *name);

#endif
