/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Salvage: out of a damaged capture, every event that is whole, once, in its order, and nothing
 * else; and an account of what is missing. What counts as whole:
 *
 *  - of a plain capture: a block whose lengths agree and whose contents can occur (strict.h);
 *  - of a compressed one: the same, in a gzip member or zstd frame whose checksum is right. Where
 *    the stored bytes end or break off inside one, what was decoded before is used, but not behind
 *    the first thing in it that makes no sense. A member or frame that can be decoded and whose
 *    checksum is wrong holds altered bytes nobody knows the place of: before the first thing that
 *    makes no sense it is used, if there is such a thing; else it is left out as a whole.
 *
 * An event that is there twice, byte for byte, is kept once. Blocks that were moved are put back by
 * their times.
 *
 * With the seal of the undamaged capture (seal.h), what has the hash of a sealed frame is proven
 * unaltered, and is found where it stands, whatever is around it. Nothing is left out for lack of
 * that, but what can be and is not what was sealed is told, and stands between records of losses;
 * and so are frames that are gone without a trace. Facts: scap format; RFC 1952, RFC 8878. Units:
 * as in scapfile.h. Threads: a salvage belongs to one thread.
 */
#ifndef SCAPFILE_SALVAGE_H
#define SCAPFILE_SALVAGE_H

#include "scapfile/scapfile.h"
#include "scapfile/seal.h"
#include "scapfile/writer.h"

#define SF_DAMAGES_MAX 100000 /* described one by one; further ones are only counted */

enum sf_damage_kind {
#define SF_DAMAGE(sym, name, what) SF_DAMAGE_##sym,
#include "scapfile/salvage.def"
#undef SF_DAMAGE
	SF_DAMAGE_KINDS
};

struct sf_damage {
	enum sf_damage_kind kind;
	uint64_t stored;	/* where it is in the file */
	uint64_t stored_bytes;	/* 0: not known */
	uint64_t offset, bytes; /* of the uncompressed data; 0 bytes: not known */
	uint64_t before, after; /* times of the events around it; 0: none */
	uint64_t events;	/* that it cost; 0: not known */
	char what[160];		/* for people */
};

struct sf_salvage_options {
	bool keep_doubtful; /* what is used only if it is proven otherwise */
	bool proven_only;   /* nothing of members and frames that are not whole */
	bool no_marks;	    /* no record of a loss where something is missing */
	uint64_t memory_limit;
	const struct sf_seal_frames *seal; /* what the capture was; or NULL; borrowed */
	/* Called now and then: true stops with ERR_INTERRUPTED. May be NULL. */
	bool (*stop)(void *arg, uint64_t stored);
	void *arg;
};

struct sf_salvage_report {
	enum sf_compression compression;
	uint64_t size;	   /* of the file */
	uint64_t frames;   /* members or frames */
	uint64_t proven;   /* of them: the checksum is right */
	uint64_t unproven; /* of them: used in part or, if asked for, as a whole */
	uint64_t sections, new_headers, events, losses;
	uint64_t events_unproven; /* of @events: from such frames */
	uint64_t events_left_out; /* whole as blocks, but altered */
	uint64_t duplicates;	  /* events that were there before */
	uint64_t moved;		  /* events put back in order */
	uint64_t marks;		  /* records of losses written */
	/* With a seal, of its frames: */
	uint64_t sealed, sealed_proven; /* that are there, unaltered */
	uint64_t sealed_altered, sealed_missing;
	uint64_t count; /* of all damages */
	uint64_t by_kind[SF_DAMAGE_KINDS];
	struct sf_damage *list; /* @described, in the order of the file */
	size_t described, cap;
};

/**
 * sf_salvage() - copy what is whole
 * @fd: the damaged capture, which can be read at any place
 * @name: for messages
 * @w: opened with sf_writer_options.raw
 * @out: receives the report, also after a failure; sf_salvage_done() frees it
 * Return: 0, ERR_IO, ERR_NOMEM, ERR_LIMIT, ERR_INTERRUPTED.
 */
MUST_CHECK int sf_salvage(int fd, const char *name, const struct sf_salvage_options *opt,
			  struct sf_writer *w, struct sf_salvage_report *out, struct error *err);
/* The same of @n bytes in memory. */
MUST_CHECK int sf_salvage_memory(const void *p, size_t n, const struct sf_salvage_options *opt,
				 struct sf_writer *w, struct sf_salvage_report *out,
				 struct error *err);
void sf_salvage_done(struct sf_salvage_report *r); /* fine for zeroed storage */

const char *sf_damage_name(enum sf_damage_kind kind);	 /* "truncated" */
const char *sf_damage_meaning(enum sf_damage_kind kind); /* a sentence */

#endif
