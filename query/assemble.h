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
	struct map rules;	       /* to the number in the case */
	int64_t run;		       /* of all readings */
	int64_t seq_base; /* what is added to the number of a reading for its place in the run */
};

/* What a column holds, and thus what becomes of its values. */
enum qry_column_kind {
	QRY_COLUMN_PLAIN, /* no number of anything */
	QRY_COLUMN_RUN,
	QRY_COLUMN_READING,
	QRY_COLUMN_SEQ, /* asked for as the reading */
	QRY_COLUMN_CAPTURE,
	QRY_COLUMN_RULE,
	QRY_COLUMN_IN_READING, /* the reading above 32 bits of a number in it */
	QRY_COLUMN_ALERT,      /* asked for like that, too, with its seq */
	QRY_COLUMN_EXEC,       /* a row in the order of all; the first column is of its process */
};

#define QRY_COLUMNS_MAX 64
#define QRY_PLANS_MAX	64

struct qry_plan { /* of one table */
	char *select, *insert;
	char *of_reading; /* the condition for rows of reading ?1, whose capture is ?2 */
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
/* Of all tables but those that qry_table_is_own() of; *@count is right on failure, too. */
MUST_CHECK int qry_plan_all(sqlite3 *db, const char *path, struct qry_plan plans[QRY_PLANS_MAX],
			    size_t *count, struct error *err);
/* The number in the case; @first is the first column's value. Return: false if there is none. */
bool qry_plan_map(const struct qry_numbers *n, enum qry_column_kind kind, int64_t value,
		  int64_t first, int64_t *out);

void qry_numbers_done(struct qry_numbers *n);

/* --- rows from one case to another (assemble_copy.c) */

struct qry_copying {
	sqlite3 *from, *to;
	const char *from_path, *to_path; /* borrowed */
	struct qry_numbers numbers;
	bool broken; /* the failure is one of @to */
};

/* @select: @p's, or one with a condition, whose parameters are the numbers @reading and @capture.
 */
MUST_CHECK int qry_copy_rows(struct qry_copying *c, const struct qry_plan *p, const char *select,
			     int64_t reading, int64_t capture, struct error *err);
/* The same without parameters. */
MUST_CHECK int qry_copy_table(struct qry_copying *c, const struct qry_plan *p, const char *select,
			      struct error *err);
/* Find the rules of @from in @to. @all: it is an error if one is not there. */
MUST_CHECK int qry_copy_map_rules(struct qry_copying *c, bool all, struct error *err);
/* SQLite's result @rc in words: of reading, and of adding rows. */
int qry_copy_part_failed(struct qry_copying *c, int rc, struct error *err);
int qry_copy_case_failed(struct qry_copying *c, int rc, struct error *err);

#endif
