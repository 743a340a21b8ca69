/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a case in SQL, safely: what may be done is decided by SQLite's authorizer, how much by
 * limits. And what can be asked: saved questions, and descriptions of tables and columns.
 * Threads: a connection is used by one thread at a time.
 */
#ifndef QUERY_ASK_H
#define QUERY_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/sv.h"

struct sqlite3;
struct sqlite3_stmt;

#define QRY_ASK_MEMORY	 (1024ull << 20) /* of all of SQLite, unless the caller says otherwise */
#define QRY_ASK_LENGTH	 (64 << 20)	 /* bytes of one value or row */
#define QRY_ASK_SQL	 (1 << 20)	 /* bytes of one text of SQL */
#define QRY_ASK_STEPS	 1000		 /* of the program between two looks at the clock */
#define QRY_ASK_ATTACHED 8		 /* further cases */

struct qry_ask_options {
	bool write;		 /* rows may be added and changed; the case is upgraded */
	const char *version;	 /* of the program; for --write */
	uint64_t memory;	 /* bytes; 0: QRY_ASK_MEMORY */
	bool (*stop)(void *arg); /* asked now and then; true ends the query; or NULL */
	void *arg;
};

/**
 * qry_ask_connect() - connect to an existing case for reading
 * @path: it may be inside of an archive. Neither it nor a log that waits beside it changes, and
 *	nothing is left beside it, as long as nothing is asked of SQLite but reading.
 * @db: to be closed by sqlite3_close(), also on failure
 * Return: 0, ERR_DB, ERR_IO, ERR_NOMEM; of one in an archive also as arc_open().
 */
MUST_CHECK int qry_ask_connect(const char *path, struct sqlite3 **db, struct error *err);

/**
 * qry_ask_open() - connect to a case, for people's SQL after qry_ask_guard()
 * @path: NULL: to an empty database in memory
 * @out: to be closed by sqlite3_close()
 * Return: 0, ERR_DB, ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int qry_ask_open(const char *path, const struct qry_ask_options *opt,
			    struct sqlite3 **out, struct error *err);
/* A further case under a name of its own, to be read only. Before qry_ask_guard(). */
MUST_CHECK int qry_ask_attach(struct sqlite3 *db, const char *name, const char *path,
			      struct error *err);
/* From now on only what is allowed happens. @opt must outlive the connection. */
void qry_ask_guard(struct sqlite3 *db, const struct qry_ask_options *opt);
/*
 * SQLite's result @rc over the case @path, put into words; @doing: "reading captures".
 * Return: ERR_INTERRUPTED, ERR_NOMEM, ERR_IO or ERR_DB.
 */
int qry_ask_error(struct sqlite3 *db, const char *path, int rc, const char *doing,
		  struct error *err);
/* Schema version of the case, 0: it is none. */
MUST_CHECK int qry_ask_version(struct sqlite3 *db, const char *path, int *out, struct error *err);

/* --- saved questions (saved.c) */

struct qry_saved {
	const char *name, *text;
};
extern const struct qry_saved qry_saved[]; /* ends with a NULL name; by name */
extern const char qry_schema_text[];	   /* docs/case-schema.md */

const struct qry_saved *qry_saved_find(const char *name);
/* The question: the first lines of comment. */
struct sv qry_saved_question(const char *text);
struct qry_parameter {
	struct sv name, value, meaning; /* @name without its colon; @value: the default, or none */
};
/* for (size_t at = 0; qry_saved_parameter(text, &at, &p);): lines "-- :name = value: meaning" */
bool qry_saved_parameter(const char *text, size_t *at, struct qry_parameter *out);

/* --- descriptions (saved.c): sections of the document */

struct qry_described {
	struct sv name;	   /* of the table or view */
	struct sv summary; /* what it is */
	struct sv columns; /* rows of a table, for qry_described_column() */
};
/* for (size_t at = 0; qry_described_next(&at, &d);) */
bool qry_described_next(size_t *at, struct qry_described *out);
bool qry_described_column(const struct qry_described *d, size_t *at, struct sv *name,
			  struct sv *meaning);

#endif
