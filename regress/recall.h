/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What replays found, kept for the next time: alerts of one rule in one capture, under a key made
 * of all that they depend on. A SQLite file in a directory; several programs may use it at once.
 * What is in it is not trusted to be well-formed, but to be true: who can write there can change
 * results.
 * Ownership: everything handed in is borrowed for the call. Threads: any may use one recall at the
 * same time; other objects belong to one.
 */
#ifndef REGRESS_RECALL_H
#define REGRESS_RECALL_H

#include "base/archive.h"
#include "base/arena.h"
#include "replay/replay.h"

#define REG_KEY_BYTES	 32	      /* SHA-256 */
#define REG_RECALL_MAX	 (2ull << 30) /* bytes; beyond, what was made longest ago goes */
#define REG_FINDINGS_MAX 10000000u    /* of one capture; more are not kept */

struct reg_key {
	uint8_t bytes[REG_KEY_BYTES];
};

struct reg_finding {   /* an alert, but for what its rule is called and how severe it is */
	uint32_t rule; /* its number in a list of rules */
	uint64_t evt, offset, ts;
	int64_t tid, pid;
	struct sv message, fields;
};

struct reg_findings {	    /* zeroed storage is empty */
	struct arena arena; /* of their texts */
	struct reg_finding *items;
	size_t count, room;
};

void reg_findings_done(struct reg_findings *f);
void reg_findings_clear(struct reg_findings *f);
/* Texts are copied. Return: 0, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int reg_findings_add(struct reg_findings *f, const struct reg_finding *one,
				struct error *err);
/* By event, then by rule; @first: only the first rule of each event stays. */
void reg_findings_sort(struct reg_findings *f, bool first);
/* Those of @rule as bytes. */
void reg_findings_save(const struct reg_findings *f, uint32_t rule, struct buf *out);
/* Add what reg_findings_save() made, as of @rule. Return: 0, ERR_FORMAT, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int reg_findings_load(struct reg_findings *f, struct sv bytes, uint32_t rule,
				 struct error *err);

/*
 * What is kept of one capture: results of rules, each under the rule's key, also of rules that are
 * not asked for just now.
 */
struct reg_row_entry {
	struct reg_key rule;
	uint64_t day; /* when it was stored last, since the epoch */
	struct sv findings;
};

struct reg_row_head { /* of the capture */
	struct sv hostname;
	uint64_t events;
	uint64_t malformed, threads_dropped, fds_dropped; /* what a replay warns of */
};

struct reg_row { /* reading: borrowed from the bytes; writing: appended to them */
	struct archive a;
	struct reg_row_head head;
};

struct reg_row reg_row_read(struct sv bytes);
struct reg_row reg_row_write(struct buf *out, const struct reg_row_head *head);
/* Return: 1, 0 at the end; ERR_FORMAT. */
MUST_CHECK int reg_row_next(struct reg_row *r, struct reg_row_entry *out, struct error *err);
void reg_row_add(struct reg_row *r, const struct reg_row_entry *e);

/* Kinds of values: the hash of a file by what stat() says of it, the rules of a set of files, and a
 * row by options and capture. */
enum reg_recall_kind { REG_RECALL_FILE, REG_RECALL_RULES, REG_RECALL_CAPTURE };

struct reg_recall;

/* @dir is made if need be. Return: 0, ERR_IO, ERR_FORMAT (what is there is something else, or
 * damaged: delete it), ERR_NOMEM. */
MUST_CHECK int reg_recall_open(const char *dir, struct reg_recall **out, struct error *err);
void reg_recall_close(struct reg_recall *r); /* what was put is kept; NULL is fine */

/* The SHA-256 of a file: kept for as long as the file is not touched, else computed.
 * Return: 0, ERR_IO, ERR_UNSUPPORTED (no regular file), ERR_NOMEM. */
MUST_CHECK int reg_recall_capture(struct reg_recall *r, const char *path, struct reg_key *out,
				  struct error *err);
/* Return: 1 with the value in @out, 0: there is none; ERR_*. @b: NULL for kinds of one key. */
MUST_CHECK int reg_recall_get(struct reg_recall *r, enum reg_recall_kind kind,
			      const struct reg_key *a, const struct reg_key *b, struct buf *out,
			      struct error *err);
MUST_CHECK int reg_recall_put(struct reg_recall *r, enum reg_recall_kind kind,
			      const struct reg_key *a, const struct reg_key *b, struct sv value,
			      struct error *err);
/* SHA-256 of @text. Return: false: out of memory. */
MUST_CHECK bool reg_key_of(struct sv text, struct reg_key *out);

#endif
