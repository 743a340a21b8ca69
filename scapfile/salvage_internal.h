/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of salvage: the stored file and its frames (salvage_frames.c), blocks and whether they
 * can be (salvage_walk.c, salvage_judge.c), order and duplicates (salvage_order.c), what is written
 * (salvage_write.c).
 */
#ifndef SCAPFILE_SALVAGE_INTERNAL_H
#define SCAPFILE_SALVAGE_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "scapfile/internal.h"
#include "scapfile/salvage.h"
#include "scapfile/strict_internal.h"

#define SALVAGE_ODD_PARAMS 32
#define SALVAGE_ODD_MIN	   3 /* events of that kind that make it a fact */
#define SALVAGE_WINDOW	   (256u << 10)
#define SALVAGE_BLOCK_MAX  (128u << 20) /* larger ones are taken for damage */

/* ---- the file as stored (salvage_frames.c) ---- */

struct salvage_file { /* a descriptor that can be read anywhere, or memory */
	int fd;
	const uint8_t *memory;
	const char *name;
	uint64_t size;
	uint8_t *buf; /* SALVAGE_WINDOW bytes */
	uint64_t at;  /* offset of the first of @n bytes in it */
	size_t n;
};

/*
 * The bytes at @offset: at least @want of them (up to SALVAGE_WINDOW), or what there is.
 * Return: 0, or ERR_IO.
 */
MUST_CHECK int salvage_view(struct salvage_file *f, uint64_t offset, size_t want, const uint8_t **p,
			    size_t *n, struct error *err);

enum salvage_verdict {
	SALVAGE_PLAIN,	  /* nothing could prove it */
	SALVAGE_PROVEN,	  /* its checksum is right */
	SALVAGE_BROKEN,	  /* it cannot be decoded to its end */
	SALVAGE_MISMATCH, /* its checksum is wrong */
	SALVAGE_GARBAGE,  /* it is neither member nor frame */
	SALVAGE_ALTERED,  /* it can be, and is not what was sealed */
};

struct salvage_extent { /* a member, a frame, or a piece or all of a plain file */
	uint64_t stored, stored_size;
	uint64_t raw;	   /* offset of its first byte in the data */
	uint64_t raw_size; /* bytes that can be decoded */
	uint64_t usable;   /* of them; fewer once something in it made no sense */
	enum salvage_verdict verdict;
	bool joins;	    /* goes on where the one before ended */
	bool keeps_size;    /* SALVAGE_MISMATCH: as many bytes as it should have */
	bool is_cut;	    /* the file ends inside it */
	bool has_sign;	    /* something in it made no sense: */
	uint64_t sign;	    /* so many bytes behind its first */
	bool duplicate;	    /* of an earlier one */
	bool as_sealed;	    /* the seal says so */
	uint8_t digest[16]; /* of the stored bytes */
};

struct salvage_late { /* an event not newer than those before it: it may be there twice */
	uint64_t ts;
	uint8_t digest[16];
	bool seen;     /* in the walk under way */
	bool twice;    /* it is there twice */
	uint32_t next; /* number of another one with this time; 0: none */
};

struct salvage_moved {	     /* an event that is put back */
	uint64_t ts, offset; /* and where it stands */
	uint8_t *bytes;	     /* once it was met */
	uint32_t total, section;
	const struct sf_block_info *info;
	uint16_t cpu;
	bool has_cpu; /* no: made up by the recording program */
};

struct salvage_list { /* a list that stands between events */
	uint32_t section;
	const struct sf_block_info *info;
	uint8_t *bytes;
	uint32_t total;
};

struct salvage_section {
	uint32_t cpus;			      /* of its machine; 0: not known */
	uint64_t boot_ts;		      /* likewise */
	uint64_t events, bad_cpus, bad_times; /* those that disagree */
};

struct salvage_sealed { /* what became of a frame of the seal */
	uint64_t found; /* where it is in the file, + 1; 0: nowhere */
	bool missing;	/* nothing else is in its place */
	size_t extent;	/* it was before that one */
};

struct salvage_block;

struct salvage {
	struct salvage_file file;
	const struct sf_salvage_options *opt;
	struct sf_salvage_report *report;
	enum sf_compression compression;
	struct salvage_extent *extents;
	size_t nextents, cap;
	uint64_t raw_size;	       /* of all extents */
	struct salvage_sealed *sealed; /* of the seal's frames; NULL: there is no seal */
	size_t sealed_behind;	       /* those before are found before @sealed_from, or nowhere */
	uint64_t sealed_from;
	struct salvage_section *sections;
	size_t nsections;
	struct salvage_list *strays; /* in the order of the file */
	size_t nstrays;
	struct salvage_late *late;
	size_t nlate;
	struct map late_by_ts;	 /* number, from 1, of the first one in @late */
	uint64_t ignored_header; /* offset + 1 of a section header that belongs elsewhere */
	bool disordered;	 /* a time goes back somewhere */
	/* Events whose number of parameters is none that is known, by type and number: one alone
	 * is damage, several are of a recorder that is. Counted, then known. */
	uint8_t odd[EV_TYPE_COUNT][SALVAGE_ODD_PARAMS];
	bool odd_known;
	bool order_limited, late_limited; /* more than could be kept */
	struct salvage_moved *moved;	  /* by section and time */
	size_t nmoved;
	struct map moved_by_offset; /* number, from 1 */
	struct arena bytes;	    /* of moved events and strays */
	uint64_t bytes_kept;
};

/* Find the extents. Return: 0, or ERR_*. */
MUST_CHECK int salvage_survey(struct salvage *s, struct error *err);
MUST_CHECK int salvage_add_extent(struct salvage *s, const struct salvage_extent *e,
				  struct error *err);
/* A stream of what is usable of them. */
MUST_CHECK int salvage_stream(struct salvage *s, struct sf_stream *out, struct error *err);
/*
 * Where the compressed block begins that the byte at @offset of extent @e comes from: if that byte
 * is wrong, so may be all from there on. Return: 0 with *start, or ERR_*.
 */
MUST_CHECK int salvage_block_start(struct salvage *s, const struct salvage_extent *e,
				   uint64_t offset, uint64_t *start, struct error *err);
/* Where the byte at @offset of that stream is. */
const struct salvage_extent *salvage_extent_at(const struct salvage *s, uint64_t offset);
/* The extent in which @total bytes there begin, or go on in if that one is altered. */
const struct salvage_extent *salvage_extent_of(const struct salvage *s, uint64_t offset,
					       uint32_t total);

#define SALVAGE_LATE_MAX  (4u << 20) /* events */
#define SALVAGE_MOVED_MAX (1u << 20)
#define SALVAGE_BYTES_MAX (256u << 20) /* kept of moved events and lists */

/* Has this event, whose block is @p, been met in this walk? Notes that it has. */
bool salvage_is_duplicate(struct salvage *s, uint64_t ts, const uint8_t *p, size_t n);
/* Has an event of that time been met twice in any walk? */
bool salvage_is_there_twice(const struct salvage *s, uint64_t ts);
/* Room for one more element of @size in @list, which has @n. Return: the list, or NULL. */
void *salvage_room(void *list, size_t n, size_t size);
/* What was learnt of a section; all zero if nothing was. */
const struct salvage_section *salvage_section_at(const struct salvage *s, uint32_t number);
/* Does the event agree with what the section's machine says? */
bool salvage_fits_machine(const struct salvage *s, const struct salvage_block *b);

/* Describe a damage; times and events can be set in what is returned, which may be NULL. */
struct sf_damage *salvage_note(struct salvage *s, enum sf_damage_kind kind, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ---- the seal (salvage_seal.c); without one these do nothing ---- */

/* Which sealed frames are where they were, or behind what was put in or taken out? */
MUST_CHECK int salvage_seal_find(struct salvage *s, struct error *err);
/* Where the first of them at or behind @from begins; UINT64_MAX: there is none. */
uint64_t salvage_seal_next(struct salvage *s, uint64_t from);
/* A plain file: extents of what is proven, and of what is between. */
MUST_CHECK int salvage_seal_split(struct salvage *s, struct error *err);
/* All extents are known: which are proven by it, which are altered, which frames are missing? */
MUST_CHECK int salvage_seal_judge(struct salvage *s, struct error *err);

/* ---- can it be? (salvage_judge.c) ---- */

struct salvage_judge {
	struct strict strict;
	struct sf_strict_report report;
	char why[256];		/* the last refusal */
	bool is_odd;		/* nothing but the number of parameters was refused */
	unsigned type, nparams; /* of that event */
};

/* NULL: the event can be as it stands; else why not, valid until the next call. */
const char *salvage_judge_event(struct salvage_judge *j, const struct sf_block *b);
/*
 * The same of a section header or list. @tid_listed: of an fd list: its thread is in a list of
 * threads.
 */
const char *salvage_judge_list(struct salvage_judge *j, const struct sf_block *b, bool tid_listed);
void salvage_judge_done(struct salvage_judge *j);

/* ---- one block after the other (salvage_walk.c) ---- */

struct salvage_block {
	struct sf_block b;
	const struct salvage_extent *extent;
	const char *why; /* why it cannot be as it stands; NULL: it can */
	bool is_event;
	bool begins; /* a section */
	uint32_t section;
	uint64_t ts; /* of an event; UINT64_MAX: none */
	unsigned cpu;
	bool is_moved; /* it stands elsewhere in the file */
};

struct salvage_walk {
	struct salvage *s;
	struct sf_framer framer;
	struct sf_gaps gaps; /* of the last step */
	uint64_t gap_total;
	struct salvage_judge judge;
	struct sf_block block;
	bool holds, refused, any, has_machine, in_events;
	uint32_t section;
	/* Called for each gap between blocks, before the block behind it. */
	void (*on_gap)(void *arg, const struct sf_gap *gap);
	void *arg;
};

MUST_CHECK int salvage_walk_begin(struct salvage_walk *w, struct salvage *s, struct error *err);
/* Return: 1, 0 at the end, or ERR_*. */
MUST_CHECK int salvage_walk_next(struct salvage_walk *w, struct salvage_block *out,
				 struct error *err);
void salvage_walk_done(struct salvage_walk *w);

/* ---- the first reading (salvage_scan.c) ---- */

/*
 * Learn what has to be known before the first block is written: how far broken frames can be used,
 * lists that stand between events, what sections say of their machine and whether events agree, and
 * which events may be there twice.
 */
MUST_CHECK int salvage_scan(struct salvage *s, struct error *err);

/* ---- order (salvage_order.c) ---- */

struct salvage_sequence { /* the events that are written, in their order, and all other blocks */
	struct salvage_walk walk;
	struct salvage *s;
	struct salvage_block main; /* of the walk, not delivered yet */
	bool has_main, at_end;
	size_t next_moved;
	/* Called for an event that is left out, because of @out->why or as a duplicate. */
	void (*on_left_out)(void *arg, const struct salvage_block *b, bool duplicate);
	void *arg;
	bool begun; /* an event of a processor was delivered, the last one in: */
	uint32_t begun_section;
};

MUST_CHECK int salvage_sequence_begin(struct salvage_sequence *q, struct salvage *s,
				      struct error *err);
/* Return: 1, 0 at the end, or ERR_*. */
MUST_CHECK int salvage_sequence_next(struct salvage_sequence *q, struct salvage_block *out,
				     struct error *err);
void salvage_sequence_done(struct salvage_sequence *q);
/* Find out which events stand where they do not belong. */
MUST_CHECK int salvage_find_moved(struct salvage *s, struct error *err);

/* ---- what is written (salvage_write.c) ---- */

MUST_CHECK int salvage_write(struct salvage *s, struct sf_writer *w, struct error *err);

#endif
