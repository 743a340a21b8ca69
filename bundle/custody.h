/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The custody log: who did what with evidence, when and why. Lines of JSON that are only ever
 * added; each has the SHA-256 of the line before it, newline included, so that none can be changed,
 * taken out or put in between unseen. docs/bundle.md, "The custody log".
 */
#ifndef BUNDLE_CUSTODY_H
#define BUNDLE_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define CUSTODY_LINE_MAX  (64u << 10)
#define CUSTODY_FILES_MAX 200u	     /* of one entry that are named; the others are counted */
#define CUSTODY_ARGV_MAX  (8u << 10) /* bytes of a command line that are kept */
#define CUSTODY_DIGEST	  32

/* ACTION(symbol, name, what it means) */
#define CUSTODY_ACTIONS(X)                                                                         \
	X(COLLECT, "collect", "evidence was recorded or received")                                 \
	X(SEAL, "seal", "captures were sealed")                                                    \
	X(COPY, "copy", "a copy was made, in another container perhaps")                           \
	X(OPEN, "open", "evidence was opened for reading")                                         \
	X(OPEN_RW, "open-rw", "a case was opened for changing")                                    \
	X(SLICE, "slice", "a part was made")                                                       \
	X(REDACT, "redact", "a copy was made that does not tell everything")                       \
	X(EXPORT, "export", "a bundle or report was made")                                         \
	X(TRANSFER, "transfer", "it was handed to somebody")                                       \
	X(VERIFY, "verify", "it was checked")                                                      \
	X(NOTE, "note", "something to be remembered")

enum custody_action {
#define X(sym, name, text) CUSTODY_##sym,
	CUSTODY_ACTIONS(X)
#undef X
	    CUSTODY_ACTION_COUNT
};

const char *custody_action_name(enum custody_action a);
bool custody_parse_action(const char *name, enum custody_action *out);

struct custody_file {
	const char *name;
	uint64_t size;
	bool hashed;
	uint8_t sha256[CUSTODY_DIGEST];
};

struct custody_entry {
	enum custody_action action;
	uint64_t ts;	  /* ns since the epoch */
	const char *name; /* who, in words; or NULL: login and uid are all that is told */
	const char *tool;
	const char *reason; /* or NULL */
	const struct custody_file *inputs, *outputs;
	size_t ninputs, noutputs;
	int argc;
	char *const *argv;
};

/*
 * Add an entry to the log at @path, which is created (0600) if it is not there, and must be whole.
 * Return: 0, ERR_IO, ERR_FORMAT (it is not whole), ERR_LIMIT (the entry is too long), ERR_NOMEM.
 */
MUST_CHECK int custody_add(const char *path, const struct custody_entry *e, struct error *err);

struct custody_files { /* the first CUSTODY_FILES_MAX of an entry */
	const struct custody_file *list;
	size_t count;
	uint64_t left_out; /* further ones */
};

struct custody_line { /* borrowed until the next one; texts are untrusted, absent ones "" */
	uint64_t n;
	struct sv text; /* without the newline */
	uint8_t hash[CUSTODY_DIGEST];
	const char *ts, *login, *name, *host, *action, *tool, *reason;
	uint64_t uid;
	struct custody_files inputs, outputs;
};

struct custody_report {
	uint64_t lines;	       /* that are whole and follow each other */
	bool broken;	       /* line @lines + 1 is not what was written */
	bool torn;	       /* the last line has no end */
	char what[160];	       /* is wrong */
	uint8_t last_hash[32]; /* of the last whole line: zeros without any */
};

/*
 * Check the log at @path, which may be inside of an archive, and show each line that is in its
 * place to @each (or NULL), which may stop with an ERR_*. Return: 0, also when it is broken; ERR_*.
 */
MUST_CHECK int custody_check(const char *path, int (*each)(void *arg, const struct custody_line *l),
			     void *arg, struct custody_report *out, struct error *err);
MUST_CHECK int custody_check_memory(struct sv log, struct custody_report *out, struct error *err);
/* Does the file at @path begin as a custody log does? */
bool custody_is_log(const char *path);

#endif
