/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts: the case of one shard of a job, which a worker writes beside its name and which gets it
 * when it is complete; and the one case that is made of all parts. What a worker did and where it
 * did it is in tables of its own (job_parts, jobs: docs/scale-out.md), so that everything else
 * depends on captures and rules alone. Units: as query.h. Threads: an object belongs to one thread
 * at a time; a part may be used while a qry_writer is open for the same file, between captures and
 * after qry_writer_flush().
 */
#ifndef QUERY_PART_H
#define QUERY_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/defs.h"
#include "base/error.h"

struct qry_part;

struct qry_job {	 /* which part of what; texts are borrowed */
	const char *job; /* digest of the whole list */
	uint32_t shard, shards;
	uint64_t traces; /* of the job */
	uint64_t holds;	 /* of the shard */
	/* What results depend on besides captures: */
	const char *version, *ruleset, *options;
};

/* X(symbol, name, are its results kept?) */
#define QRY_TRACE_STATUS(X)                                                                        \
	X(RUNNING, "running", false) /* or its worker was killed */                                \
	X(DONE, "done", true)                                                                      \
	X(DAMAGED, "damaged", true)    /* something is missing in the capture */                   \
	X(PARTIAL, "partial", true)    /* a limit was hit */                                       \
	X(MISMATCH, "mismatch", false) /* it is not what the list says */                          \
	X(UNREADABLE, "unreadable", false)                                                         \
	X(INTERRUPTED, "interrupted", false)

enum qry_trace_status {
#define X(sym, name, kept) QRY_TRACE_##sym,
	QRY_TRACE_STATUS(X)
#undef X
	    QRY_TRACE_STATUS_COUNT
};

const char *qry_trace_status_name(enum qry_trace_status s);
/* Is what came of it kept, so that it need not be replayed again? */
bool qry_trace_is_kept(enum qry_trace_status s);

struct qry_trace_result {
	enum qry_trace_status status;
	int exit_status;
	uint64_t events, wall_ms, cpu_ms, rss_kb;
};

/* What @b has otherwise than @a: "rules" and the like; NULL: nothing, but the shard may be another.
 */
const char *qry_job_difference(const struct qry_job *a, const struct qry_job *b);

/* --- a worker's part */

/**
 * qry_part_open() - begin a part, or go on with one
 * @path: of the unfinished part, created if need be
 * Return: 0, ERR_USAGE (it is a part of something else, err tells), or as qry_writer_open().
 */
MUST_CHECK int qry_part_open(const char *path, const struct qry_job *job, struct qry_part **out,
			     struct error *err);
/*
 * Once the writer is open: what was not completed earlier is removed. Return: 0, ERR_DB (among
 * others if another program that still runs is at it), ERR_NOMEM.
 */
MUST_CHECK int qry_part_claim(struct qry_part *p, struct error *err);
/* Is there anything to do for trace @seq? Return: 1, 0: what came of it is kept, or ERR_*. */
MUST_CHECK int qry_part_wants(struct qry_part *p, uint64_t seq, struct error *err);
/* Trace @seq begins, on the machine @node. */
MUST_CHECK int qry_part_begin(struct qry_part *p, uint64_t seq, const char *sha256,
			      const char *path, const char *node, struct error *err);
/* It ended: what the writer has of it is removed again, unless it is to be kept. */
MUST_CHECK int qry_part_end(struct qry_part *p, uint64_t seq, const struct qry_trace_result *r,
			    struct error *err);
/*
 * All traces ended, and the writer is closed: the part becomes one file that says that it is
 * complete, on disk. *@exits: a bit for each exit status of its traces. @p is freed in any case.
 */
MUST_CHECK int qry_part_finish(struct qry_part *p, unsigned *exits, struct error *err);
void qry_part_close(struct qry_part *p); /* NULL is fine */

/* --- looking at a part */

struct qry_part_facts {
	struct qry_job job; /* texts are owned here */
	bool complete;	    /* its worker came to its end */
	uint64_t ended;	    /* traces that did */
	uint64_t lost;	    /* of these: of which nothing is kept */
	unsigned exits;	    /* bits, as above */
	char *text;	    /* what the texts point into */
};

/* Return: 0, ERR_FORMAT (a case, but no part), or as qry_ask_connect(). */
MUST_CHECK int qry_part_look(const char *path, struct qry_part_facts *out, struct error *err);
void qry_part_facts_done(struct qry_part_facts *f);

/* --- one case of all */

struct qry_assembler;

/**
 * qry_assembler_new() - begin a case that is made of parts
 * @path: of an empty file, or none
 */
MUST_CHECK int qry_assembler_new(const char *path, const char *version, struct qry_assembler **out,
				 struct error *err);
/*
 * Look at what a part has, all of it. What comes of it does not depend on the order of calls.
 * @path is borrowed for the assembler's life. Return: 0, or ERR_*: it is damaged or cannot be read,
 * and is left out; ERR_NOMEM.
 */
MUST_CHECK int qry_assembler_survey(struct qry_assembler *a, const char *path, struct error *err);
/*
 * Then copy each that was surveyed, in order of shards. *@broken: the case cannot be made. Return:
 * 0, or ERR_*; unless *@broken nothing of the part is in the case.
 */
MUST_CHECK int qry_assembler_copy(struct qry_assembler *a, const char *path, bool *broken,
				  struct error *err);
/* Complete the case and have it on disk; @a is freed in any case. */
MUST_CHECK int qry_assembler_finish(struct qry_assembler *a, int exit_status, struct error *err);
void qry_assembler_free(struct qry_assembler *a); /* NULL is fine */

#endif
