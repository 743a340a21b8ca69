/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the capture reader, shared by this folder's files and tests: framing, lists, events,
 * and the log of what was damaged; the converter of old events has a header of its own.
 * Everything that points into a block is borrowed: valid until the reader moves on.
 */
#ifndef SCAPFILE_INTERNAL_H
#define SCAPFILE_INTERNAL_H

#include "base/arena.h"
#include "scapfile/converter.h"
#include "scapfile/event.h"
#include "scapfile/format.h"
#include "scapfile/scapfile.h"
#include "scapfile/source.h"
#include "scapfile/stream.h"

/* ---- blocks (block.c) ---- */

enum sf_block_kind {
	SF_KIND_UNKNOWN,
	SF_KIND_SECTION,
	SF_KIND_MACHINE,
	SF_KIND_INTERFACES,
	SF_KIND_USERS,
	SF_KIND_THREADS,
	SF_KIND_FDS,
	SF_KIND_EVENT,
};

struct sf_block_info {
	uint32_t type;
	uint8_t kind;	 /* enum sf_block_kind */
	uint8_t version; /* of lists: 1..9; of events: 1 (22-byte header) or 2 (26-byte header) */
	uint8_t prefix;	 /* events: bytes between the block header and the event header */
	bool large;	 /* events: not held to SF_SMALL_EVENT_MAX */
};

/* What is known about a block type; a row of kind UNKNOWN for other types. Never NULL. */
const struct sf_block_info *sf_block_info(uint32_t type);

struct sf_block { /* in the window, whole, its lengths checked */
	const struct sf_block_info *info;
	const uint8_t *p; /* the block's first byte */
	uint64_t offset;
	uint32_t type, total;
};

/* ---- what was damaged (gaps.c) ---- */

struct sf_gaps {
	struct sf_gap *list; /* the first SF_GAPS_MAX */
	size_t count, cap;
	uint64_t *total; /* where all are counted */
};

void sf_gaps_done(struct sf_gaps *g);
void sf_gap_add(struct sf_gaps *g, enum sf_gap_reason reason, uint64_t offset, uint64_t bytes,
		const char *fmt, ...) PRINTF_LIKE(5, 6);

/* ---- framing (block.c) ---- */

struct sf_framer {
	struct sf_stream stream;
	struct sf_gaps *gaps;
	uint32_t block_max; /* named by sf_options.memory_limit */
	bool exact;	    /* a wrong trailing length is never forgiven */
};

/*
 * The next whole block, not consumed. Damage is noted and stepped over.
 * Return: 1, 0 when nothing more can be read, or ERR_*.
 */
MUST_CHECK int sf_block_next(struct sf_framer *f, struct sf_block *b, struct error *err);

/*
 * Step over @b, the last block, whose contents cannot be: to its end if another block follows
 * there, else to the next one that can be found. Return: 0, or ERR_*.
 */
MUST_CHECK int sf_block_refuse(struct sf_framer *f, const struct sf_block *b, struct error *err);

/* ---- lists (lists.c, threads.c, fds.c) ---- */

#define SF_PATH_MAX	 1024 /* comm, exe, exepath, cwd, root in process lists */
#define SF_STRINGS_MAX	 4096 /* args, env, cgroups in process lists */
#define SF_FD_NAME_MAX	 1023
#define SF_INTERFACE_MAX 1023
#define SF_USER_MAX	 255
#define SF_HOSTNAME_SIZE 128
#define SF_MACHINE_SIZE	 180
#define SF_ENTRY_MIN	 4 /* a list ends when fewer bytes are left */

struct sf_list { /* the entries of one list block, one at a time */
	const struct sf_block_info *info;
	struct cursor c;     /* what is left of the block's body */
	uint64_t offset;     /* of the block */
	bool announced;	     /* the LISTS_RESET item has been delivered, or none is due */
	const char *trouble; /* why the current entry cannot be used, or NULL; static text */
	int64_t tid;	     /* fd lists: whose table it is */
	union {
		struct ev_machine machine;
		struct ev_interface interface;
		struct ev_user user;
		struct ev_thread_entry thread;
		struct ev_fd_entry fd;
	};
	char type_name[32];			/* of an fd type newer than this reader */
	char terminated[3][SF_STRINGS_MAX + 1]; /* args, env, cgroups that lacked their last NUL */
};

void sf_list_begin(struct sf_list *l, const struct sf_block *b, struct sf_gaps *gaps);
/* Return: true with *item filled, false at the end of the block. */
bool sf_list_next(struct sf_list *l, struct ev_item *item, struct sf_gaps *gaps);

/* A u16 length and that many bytes, at most @max, else l->trouble becomes @why. */
struct sv sf_list_text(struct sf_list *l, struct cursor *c, size_t max, const char *why);
/* One entry from @c to the union of @l. l->trouble: over a limit; c->failed: too short. */
void sf_parse_thread(struct sf_list *l, struct cursor *c);
void sf_parse_fd(struct sf_list *l, struct cursor *c);

/* ---- events (decode.c) ---- */

enum sf_decoded {
	SF_EVENT_OK,
	SF_EVENT_UNKNOWN, /* of a type newer than the table */
	SF_EVENT_OWN,	  /* EV_TYPE_URING, EV_TYPE_HASH */
	SF_EVENT_LOSS,	  /* EV_TYPE_LOSS: @ev is filled, as if the type had no known parameters */
	SF_EVENT_BAD,
};

/*
 * Check an event block and fill @ev but for @num. ev->nparams is not clipped to the table yet.
 * @why: receives static text for SF_EVENT_BAD.
 */
enum sf_decoded sf_event_decode(const struct sf_block *b, struct ev *ev, const char **why);

/*
 * The same for the block at @p, of which @left bytes are there, if it is a small event without
 * flags and nothing is wrong with it or its framing; @ev's offset stays as it is. There may be
 * others. Return: its length, or 0.
 */
uint32_t sf_event_look(const uint8_t *p, size_t left, struct ev *ev);

extern const struct ev_flag ev_flags_file_flags[]; /* one of those of flags.tsv */

/* ---- losses (loss.c) ---- */

#define SF_LOSS_PARAMS 5  /* count, from, to, reason, kinds */
#define SF_LOSS_FIXED  26 /* bytes of them without the kinds */
#define SF_LOSS_KIND   10 /* bytes of one kind */

/* @ev: of type EV_TYPE_LOSS, in any of its forms; what it lacks gets defaults. @kinds: room for
 * EV_LOSS_KINDS_MAX, which @loss points to then. */
void sf_loss_decode(struct ev *ev, struct ev_loss *loss, struct ev_loss_kind *kinds);
/* Note it as a gap, too. */
void sf_loss_gap(struct sf_gaps *gaps, const struct ev_loss *l, uint64_t offset);

#endif
