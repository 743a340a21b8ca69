/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals: a file CAPTURE.seal beside a capture, lines of JSON chained by SHA-256, that says what the
 * capture's stored bytes were, frame by frame, and what the clocks of the host said meanwhile. The
 * bytes: docs/seal.md, from which somebody else can write a verifier.
 *
 *	h(n) = SHA-256("scapulaseg1" || h(n-1) || line n up to its "hash" member)
 *	h(-1) = 32 zero bytes
 *
 * Units: nanoseconds; bytes and offsets of the file as stored, unless they are called raw.
 * Threads: everything here is reentrant. Ownership: what is handed in is borrowed for the call
 * unless it says otherwise.
 */
#ifndef SCAPFILE_SEAL_H
#define SCAPFILE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define SF_SEAL_SUFFIX	  ".seal"
#define SF_SEAL_LINE_MAX  (1u << 20)  /* bytes of a line */
#define SF_SEAL_ARGV_MAX  (64u << 10) /* bytes of a command line; further arguments are counted */
#define SF_SEAL_STEPS_MAX 100	      /* of clocks, told one by one */
#define SF_SEAL_DIGEST	  32
#define SF_SEAL_SEGMENT	  (1u << 20) /* of a file that is sealed later and has no frames */

enum sf_seal_origin {
	SF_SEAL_RECORDING, /* while it was recorded: host, boot and clocks are those of the events
			    */
	SF_SEAL_WRITING,   /* while it was made of other captures, which its lineage names */
	SF_SEAL_LATER,	   /* when it was there already: what was before is not known */
};

/* ---- making seals: what sf_writer_options.seal points to; borrowed for the writer's life ---- */

struct sf_seal_options {
	enum sf_seal_origin origin;
	const char *tool; /* name and version of the program */
	int argc;	  /* the command line */
	char *const *argv;
	const char *config; /* what was asked for in the end: a JSON object, or NULL */
	/*
	 * Tags that whoever takes over the host later cannot make for what was before: the key goes
	 * to this file, which must not exist and belongs elsewhere; the writer's own copy is
	 * replaced by its hash at each line. NULL: no tags.
	 */
	const char *key_path;
	const char *heads_path; /* a line "time line hash" is appended now and then; or NULL */
	uint64_t sync_ns;	/* ask the disk to have both files that often; 0: at the end */
};

/* ---- where a capture comes from; its end line carries it ---- */

struct sf_lineage_parent {
	const char *path; /* its last part is kept */
	uint64_t size;
	const uint8_t *sha256; /* of the file as stored; NULL: not known */
};

struct sf_lineage {
	const char *operation; /* "slice" */
	const char *reason;    /* in words of whoever did it, or NULL */
	const struct sf_lineage_parent *parents;
	size_t nparents;
	const char *details; /* further JSON members, each with a comma in front; or NULL */
};

/* Delete the seal of the capture at @path, which goes, too. There need not be any. */
MUST_CHECK int sf_seal_forget(const char *path, struct error *err);

/* ---- checking ---- */

enum sf_seal_verdict {
	SF_SEAL_NONE,	 /* there is no seal */
	SF_SEAL_INTACT,	 /* all of the capture is as it was sealed */
	SF_SEAL_PREFIX,	 /* what is sealed is, but the seal has no end */
	SF_SEAL_ALTERED, /* the capture is not what was sealed */
	SF_SEAL_BROKEN,	 /* the seal itself is not what was written */
};

const char *sf_seal_verdict_name(enum sf_seal_verdict v); /* "none", "intact", ... */
const char *sf_seal_origin_name(enum sf_seal_origin o);	  /* "recording", "writing", "later" */

enum sf_seal_fault_kind {
	SF_SEAL_FAULT_NONE,
	SF_SEAL_FAULT_FRAME,  /* these bytes of the capture are others than were sealed */
	SF_SEAL_FAULT_CUT,    /* the capture ends before or within them */
	SF_SEAL_FAULT_BEHIND, /* these were not there when it ended */
	SF_SEAL_FAULT_LINE,   /* a line of the seal is not what was written */
	SF_SEAL_FAULT_TAG,    /* or was not written by who had the key */
};

const char *sf_seal_fault_name(enum sf_seal_fault_kind k); /* "frame", ... */

/* What is wrong first, in the order of the seal. */
struct sf_seal_fault {
	enum sf_seal_fault_kind kind;
	uint64_t line;	   /* of the seal, from 1 as editors count */
	uint64_t frame;	   /* from 1; 0: it is about no frame */
	uint64_t at, size; /* as stored */
	bool has_raw, has_time;
	uint64_t raw_at, raw; /* uncompressed */
	uint64_t from, to;    /* times of its events */
	char what[160];	      /* for people */
};

struct sf_seal_step {		/* a clock was set between two readings of clocks */
	uint64_t before, after; /* what CLOCK_REALTIME said */
	int64_t ns;		/* it went so much further than time did */
};

enum sf_seal_tags {
	SF_SEAL_TAGS_NONE,	/* sealed without a key */
	SF_SEAL_TAGS_UNCHECKED, /* no key was given to check with */
	SF_SEAL_TAGS_VALID,
};

/* Texts are untrusted; those that are not there are "". All is the arena's. */
struct sf_seal_facts {
	enum sf_seal_origin origin;
	uint64_t made;
	const char *capture, *container; /* its name then */
	const char *tool, *host, *boot_id, *kernel, *machine, *zone;
	int64_t zone_offset;	 /* seconds east */
	const char *const *argv; /* ends with NULL */
	const char *config;	 /* JSON, or "" */
	const char *previous;	 /* the seal before it in a rotated set, or "" */
	uint8_t previous_hash[SF_SEAL_DIGEST];
};

struct sf_seal_parent {
	const char *name;
	uint64_t size;
	bool hashed;
	uint8_t sha256[SF_SEAL_DIGEST];
};

struct sf_seal_lineage {
	const char *operation, *tool, *reason; /* @operation "": there is no lineage */
	const char *const *argv;	       /* ends with NULL */
	const char *json;		       /* all of it */
	const struct sf_seal_parent *parents;
	size_t nparents;
};

struct sf_seal_report {
	enum sf_seal_verdict verdict;
	struct sf_seal_fault first;
	uint64_t faults;	  /* further frames are looked at behind the first one */
	uint64_t lines;		  /* that are as they were written */
	uint64_t frames, matched; /* sealed; and found to be the same */
	uint64_t proven;	  /* bytes of the capture from its start */
	uint64_t sealed, size;	  /* bytes that the seal has; that the capture has */
	uint64_t events, lost;	  /* of frames that match */
	bool ended, rotated, cut; /* it has an end; another file follows; writing failed */
	bool torn;		  /* the last line is not complete */
	uint8_t last_hash[SF_SEAL_DIGEST];
	uint8_t sha256[SF_SEAL_DIGEST]; /* of the capture as it is now */
	enum sf_seal_tags tags;
	uint64_t clocks, unsynchronized; /* readings */
	int64_t maxerror_us;		 /* the largest */
	uint64_t nsteps, slept_ns;
	struct sf_seal_step steps[SF_SEAL_STEPS_MAX];
	struct sf_seal_facts facts;
	struct sf_seal_lineage lineage;
	struct arena arena;
};

struct sf_seal_check_options {
	const char *key_path; /* NULL: tags are not checked */
	void (*progress)(void *arg, uint64_t bytes);
	bool (*stop)(void *arg);
	void *arg;
};

/**
 * sf_seal_check() - compare a capture with its seal, CAPTURE.seal beside it
 * @opt: may be NULL
 * @out: storage; sf_seal_report_done() must follow, whatever is returned
 * Return: 0, also when they differ and when there is no seal; ERR_IO, ERR_NOMEM, ERR_INTERRUPTED,
 * ERR_FORMAT or ERR_UNSUPPORTED (the seal is none that this version knows; the key file is none).
 */
MUST_CHECK int sf_seal_check(const char *path, const struct sf_seal_check_options *opt,
			     struct sf_seal_report *out, struct error *err);
/* The same over memory. */
MUST_CHECK int sf_seal_check_memory(struct sv capture, struct sv seal,
				    const struct sf_seal_check_options *opt,
				    struct sf_seal_report *out, struct error *err);
void sf_seal_report_done(struct sf_seal_report *r);

/* What can be told without reading the capture: nothing is proven by it. */
struct sf_seal_status {
	enum sf_seal_verdict verdict; /* INTACT: its end and the capture's size agree */
	enum sf_seal_origin origin;
	uint64_t made;
	uint64_t frames, events, lost; /* of the whole capture, or as far as the last line tells */
	uint64_t clocks, nsteps;       /* likewise; of the end only */
	bool tagged, rotated, cut;
	uint8_t sha256[SF_SEAL_DIGEST]; /* with an end */
};

/* Return: 0, also without a seal; ERR_IO, ERR_NOMEM. */
MUST_CHECK int sf_seal_status(const char *path, struct sf_seal_status *out, struct error *err);

/* The words of both lines; what a line does not say is NULL or 0. */
struct sf_seal_words {
	struct sf_seal_facts facts;	/* of the first line */
	struct sf_seal_lineage lineage; /* of the last one, if the seal has an end */
	struct arena arena;
};

/* The same with @words, storage that sf_seal_words_done() must follow whatever is returned; may be
 * NULL. */
MUST_CHECK int sf_seal_look(const char *path, struct sf_seal_status *out,
			    struct sf_seal_words *words, struct error *err);
void sf_seal_words_done(struct sf_seal_words *w);

/* ---- the frames a seal names, for those who look for them in a damaged capture ---- */

#define SF_SEAL_FRAMES_MAX (4u << 20) /* further ones are not taken, as if the seal had no end */

struct sf_seal_frame {
	uint64_t at, size; /* as stored, one behind the other */
	uint64_t events;   /* UINT64_MAX: not known */
	uint64_t from, to; /* times of its events; 0: none, or not known */
	uint8_t sha256[SF_SEAL_DIGEST];
	bool is_table; /* a seek table: nothing is lost with it */
};

struct sf_seal_frames {
	struct sf_seal_frame *list;
	size_t n;
	uint64_t size;	 /* all of them; of the capture, if @ended */
	bool ended;	 /* nothing was behind them */
	bool at_blocks;	 /* each begins with a block */
	uint64_t broken; /* the line, from 1, from which on nothing was taken; 0: none */
	char what[160];	 /* why not */
};

/**
 * sf_seal_frames() - read CAPTURE.seal without looking at the capture
 * @path: of the capture
 * @out: storage; sf_seal_frames_done() must follow, whatever is returned
 * Lines that the chain does not vouch for, and those behind, are not taken. Tags are not checked.
 * Return: 1, 0: there is no seal, ERR_IO, ERR_NOMEM, ERR_UNSUPPORTED.
 */
MUST_CHECK int sf_seal_frames(const char *path, struct sf_seal_frames *out, struct error *err);
/* The same of the seal's bytes. */
MUST_CHECK int sf_seal_frames_memory(struct sv seal, struct sf_seal_frames *out, struct error *err);
void sf_seal_frames_done(struct sf_seal_frames *f);

/* ---- sealing what is there already ---- */

struct sf_seal_made {
	uint64_t frames, size;
	bool damaged; /* not all of it could be decoded; it is sealed as it is */
	uint8_t sha256[SF_SEAL_DIGEST];
};

/**
 * sf_seal_capture() - write CAPTURE.seal for a capture without one
 * @opt: origin SF_SEAL_LATER, no key
 * Return: 0, ERR_IO (also: there is one), ERR_NOMEM, ERR_INTERRUPTED, or what sf_reader_open()
 * fails with.
 */
MUST_CHECK int sf_seal_capture(const char *path, const struct sf_seal_options *opt,
			       const struct sf_seal_check_options *watch, const char *reason,
			       struct sf_seal_made *out, struct error *err);

#endif
