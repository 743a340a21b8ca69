/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside report/: the open case, statements, columns. */
#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include <sqlite3.h>
#include <stddef.h>

#include "base/arena.h"
#include "query/ask.h"
#include "report/report.h"

struct rep_case {
	sqlite3 *db;
	bool owned;	  /* to be closed */
	const char *name; /* in messages */
	const char *told; /* in reports */
	struct rep_select select;
	int64_t run_id; /* as selected, when @select is narrowed */
	struct qry_ask_options ask;
	/* SQL conditions that the selection stands for, each with " AND " in front; borrowed from
	 * @arena. */
	const char *captures; /* of captures c */
	const char *rules;    /* of rules u */
	const char *alerts;   /* of alerts a, with u, r and c as in REP_ALERTS */
	const char *counts;   /* the same without a, for alert_counts and alert_groups */
	bool by_counts;	      /* the selection is about rules and captures: alert_counts knows */
	bool who;	      /* temp.rep_who is there */
	sqlite3_stmt *process, *connection;
	struct arena lineage; /* texts of the last rep_lineage() */
	struct arena ends;    /* of the last connection that the case does not have */
	struct arena arena;
};

struct rep_rows {
	struct rep_case *c;
	sqlite3_stmt *stmt;
	const char *doing; /* what the rows are, for messages */
};

/*
 * Where alerts come from: to be followed by the conditions of rep_case.alerts. CROSS says that they
 * are to be walked over and the others looked up, so that an index gives their order.
 */
#define REP_ALERTS                                                                                 \
	"FROM alerts a CROSS JOIN rules u USING (rule_id) "                                        \
	"CROSS JOIN run_captures r USING (run_capture_id) "                                        \
	"CROSS JOIN captures c USING (capture_id) "
/* No % in these: they are parts of formats. */
/* The process of an alert in the reading whose facts are shown: its number is the same in all. */
#define REP_SHOWN_PROCESS "c.reading_id * 4294967296 + (a.process_id & 4294967295)"
/* A column of the image process p had: that of its exec x, or the one it began with. */
#define REP_IMAGE(column) "iif(x.seq IS NULL, p." column ", x." column ")"

/* The newest verdict on an alert, else on its fingerprint, as v_alert has it. */
#define REP_VERDICT                                                                                \
	"(SELECT v.verdict FROM verdicts v "                                                       \
	"WHERE v.fingerprint = printf(char(37) || '016x', a.fingerprint) "                         \
	"OR (v.capture_sha256 = c.sha256 AND v.evt_offset = a.evt_offset "                         \
	"AND ifnull(v.rule, u.name) = u.name) "                                                    \
	"ORDER BY v.fingerprint IS NULL DESC, v.verdict_id DESC LIMIT 1)"

int rep_db_error(struct rep_case *c, int rc, const char *doing, struct error *err);
/* Prepare what @fmt makes (SQLite's printf, with %Q); @doing says what the rows are. */
MUST_CHECK int rep_rows_open(struct rep_case *c, const char *doing, struct rep_rows **out,
			     struct error *err, const char *fmt, ...);
/* Return: 1, 0 at the end, or ERR_*. */
MUST_CHECK int rep_rows_step(struct rep_rows *r, struct error *err);
/* The selection as SQL; checks that what it names is there. */
MUST_CHECK int rep_select_build(struct rep_case *c, struct error *err);

/*
 * See to it that there is a table temp.rep_who of the processes with selected alerts, as the
 * readings that are shown have them: id, n (alerts), severity (the gravest).
 */
MUST_CHECK int rep_who(struct rep_case *c, struct error *err);

/* --- columns, one after the other */

struct rep_columns {
	sqlite3_stmt *stmt;
	int at;
};

static inline int64_t rep_int_or(struct rep_columns *c, int64_t none)
{
	int i = c->at++;

	return sqlite3_column_type(c->stmt, i) == SQLITE_NULL ? none
							      : sqlite3_column_int64(c->stmt, i);
}

static inline int64_t rep_int(struct rep_columns *c) /* -1: not known */
{
	return rep_int_or(c, -1);
}

static inline int64_t rep_zero(struct rep_columns *c) /* 0: not known */
{
	return rep_int_or(c, 0);
}

static inline struct sv rep_text(struct rep_columns *c)
{
	int i = c->at++;
	const void *p = sqlite3_column_text(c->stmt, i);

	return p ? sv_make(p, (size_t)sqlite3_column_bytes(c->stmt, i)) : SV_NONE;
}

/* Of a severity that a case made elsewhere may have, one that there is. */
static inline int rep_severity(struct rep_columns *c)
{
	int64_t n = rep_int_or(c, REP_SEVERITIES - 1);

	return n < 0 || n >= REP_SEVERITIES ? REP_SEVERITIES - 1 : (int)n;
}

/*
 * Rows that are structs: the columns in order, each with the member that it fills, whose type is
 * checked when this is compiled.
 */
enum rep_field_kind {
	REP_FIELD_INT,	       /* int64_t; -1: not known */
	REP_FIELD_ZERO,	       /* int64_t; 0: not known */
	REP_FIELD_TEXT,	       /* struct sv */
	REP_FIELD_BOOL,	       /* bool: is it not 0? */
	REP_FIELD_SEVERITY,    /* int */
	REP_FIELD_FINGERPRINT, /* char[REP_FINGERPRINT_SIZE] */
};
struct rep_field {
	size_t offset;
	enum rep_field_kind kind;
};
#define REP_FIELD(s, m, type, kind)                                                                \
	{                                                                                          \
		offsetof(struct s, m), _Generic(((struct s *)NULL)->m, type : REP_FIELD_##kind)    \
	}
#define REP_INT(s, m)	      REP_FIELD(s, m, int64_t, INT)
#define REP_ZERO(s, m)	      REP_FIELD(s, m, int64_t, ZERO)
#define REP_TEXT(s, m)	      REP_FIELD(s, m, struct sv, TEXT)
#define REP_BOOL(s, m)	      REP_FIELD(s, m, bool, BOOL)
#define REP_SEVERITY(s, m)    REP_FIELD(s, m, int, SEVERITY)
#define REP_FINGERPRINT(s, m) REP_FIELD(s, m, char *, FINGERPRINT)

/* Fill @out from the row that @stmt is at. */
void rep_take_fields(sqlite3_stmt *stmt, const struct rep_field *fields, size_t n, void *out);
/* Step and fill. Return: 1, 0 at the end, or ERR_*; @out is filled with 1 only. */
MUST_CHECK int rep_rows_next(struct rep_rows *r, const struct rep_field *fields, size_t n,
			     void *out, struct error *err);

#endif
