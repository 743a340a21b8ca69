/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the assembler: which numbers of a part become which of the case, and how a table is
 * copied. Numbers are those that a run over all traces, in the order of the job, would have given.
 */
#ifndef QUERY_ASSEMBLE_H
#define QUERY_ASSEMBLE_H

#include "query/part_internal.h"

struct qry_trace {   /* one that something is kept of */
	int64_t seq; /* place in the job */
	size_t part;
	int64_t reading, capture; /* there */
	int64_t alerts;
	int64_t execs, first_exec; /* rows, and the number of the first */
	/* In the case: */
	int64_t new_reading, new_capture, alerts_before, execs_before;
};

struct qry_numbers {		       /* of one part */
	struct map readings, captures; /* to struct qry_trace */
	struct map rules;	       /* to one more than the number in the case */
};

/* What a column holds, and thus what becomes of its values. */
enum qry_column_kind {
	QRY_COLUMN_PLAIN, /* no number of anything */
	QRY_COLUMN_RUN,
	QRY_COLUMN_READING,
	QRY_COLUMN_CAPTURE,
	QRY_COLUMN_RULE,
	QRY_COLUMN_IN_READING, /* the reading above 32 bits of a number in it */
	QRY_COLUMN_ALERT,      /* asked for like that, too, with its seq */
	QRY_COLUMN_EXEC,       /* a row in the order of all; the first column is of its process */
};

#define QRY_COLUMNS_MAX 64

struct qry_plan { /* of one table */
	char *select, *insert;
	unsigned columns;
	enum qry_column_kind kind[QRY_COLUMNS_MAX];
};

/* Tables that are not copied row by row: what is in them is the same in all parts, or people's. */
bool qry_table_is_own(const char *table);
/*
 * @db: a case, which has the tables of a part. Return: 0, ERR_UNSUPPORTED (a column holds numbers
 * of something that is not known), ERR_DB, ERR_NOMEM.
 */
MUST_CHECK int qry_plan_make(sqlite3 *db, const char *path, const char *table, struct qry_plan *out,
			     struct error *err);
void qry_plan_done(struct qry_plan *p);
/* The number in the case; @first is the first column's value. Return: false if there is none. */
bool qry_plan_map(const struct qry_numbers *n, enum qry_column_kind kind, int64_t value,
		  int64_t first, int64_t *out);

#endif
