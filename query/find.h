/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking alerts up in a case, without changing the case: one of them, or a filtered list in pages,
 * which stays quick however many there are (find_page.c says why). Units: nanoseconds.
 * Threads: a case is used by one thread at a time; only qry_browse_stop() may come from another,
 * or from a signal handler.
 */
#ifndef QUERY_FIND_H
#define QUERY_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sqlite3_stmt;

#define QRY_PAGE_MAX 1000 /* alerts in a page */

struct qry_found_alert {
	uint64_t ts, evt_num;
	bool has_sha256; /* of the capture as stored */
	uint8_t sha256[32];
	char rule[256], path[256]; /* for people: cut if longer */
};

/*
 * Alert @id of the case at @path.
 * Return: 0, ERR_USAGE (there is no such alert), ERR_DB (not a case), ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int qry_find_alert(const char *path, uint64_t id, struct qry_found_alert *out,
			      struct error *err);

/* --- lists of alerts, by time */

enum qry_verdict_filter {
	QRY_VERDICT_ANY, /* whether or not there is one */
	QRY_VERDICT_NONE,
	QRY_VERDICT_TRUE_POSITIVE,
	QRY_VERDICT_FALSE_POSITIVE,
	QRY_VERDICT_BENIGN,
	QRY_VERDICT_UNDECIDED,
};

#define QRY_FIRST_ARGUMENT 10 /* number of the first parameter of conditions */

struct qry_argument {
	const char *text; /* NULL: it is @number */
	int64_t number;
};

/* The values as parameters of @stmt, as far as it has them. Return: as SQLite does. */
int qry_bind_arguments(struct sqlite3_stmt *stmt, const struct qry_argument *values, size_t count);

struct qry_alert_filter {     /* zeroed: all alerts; what is set must hold together */
	const char *rule;     /* name of the rule */
	const char *text;     /* a part of that name, whatever the case of ASCII letters */
	unsigned severities;  /* a bit for each priority: 1 << RULE_ERROR ...; 0: all */
	int64_t process_id;   /* as views show it; 0: all */
	int64_t capture_id;   /* 0: all */
	bool has_fingerprint; /* @fingerprint counts */
	int64_t fingerprint;
	uint64_t from, to; /* times; @to 0: no end */
	enum qry_verdict_filter verdict;
	/* What no index knows: alerts are searched for it, see struct qry_page. */
	const char *output;    /* a part of the output, whatever the case of ASCII letters */
	const char *comm;      /* name of the process at that moment */
	const char *container; /* its ID, as views show it */
	/* A condition of the caller's over row v of v_alert, in SQL; its parameters ?10, ?11 ...
	 * are
	 * @values. */
	const char *condition;
	const struct qry_argument *values;
	size_t value_count;
};

/* A place between alerts; zeroed: in front of the first, or with @back behind the last. */
struct qry_place {
	int64_t ts, alert_id;
};

struct qry_listed { /* texts are borrowed until the next page */
	struct qry_place place;
	int64_t rule_id, fingerprint, process_id; /* @process_id 0: not known */
	int64_t pid, tid;			  /* -1: not known */
	uint64_t evt_num, evt_offset, capture_id;
	int severity;
	const char *rule, *output, *comm, *exepath, *hostname, *verdict; /* NULL: not known */
};

/*
 * A search that meets too few alerts ends after QRY_SEARCH_MS. The page has what was found up to
 * there, all of it; it goes on where @searched is given as the place to begin at.
 */
#define QRY_SEARCH_MS 50

struct qry_page {
	size_t count; /* less than were asked for, and not @partly: there are no more */
	const struct qry_listed *alerts;
	bool partly;
	struct qry_place searched; /* if so: as far as this */
};

struct qry_browse; /* an open case */

/* Return: 0, ERR_DB (not a case, or one of another version), ERR_IO, ERR_NOMEM. */
MUST_CHECK int qry_browse_open(const char *path, struct qry_browse **out, struct error *err);
void qry_browse_close(struct qry_browse *b); /* NULL is fine */
/*
 * At most @n (QRY_PAGE_MAX) alerts that pass @f and come behind @after, or with @back those in
 * front of it; in the order of time in either case. What is added meanwhile appears at its time.
 * Return: 0, ERR_INTERRUPTED, ERR_LIMIT (@n), ERR_DB, ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int qry_browse_page(struct qry_browse *b, const struct qry_alert_filter *f,
			       const struct qry_place *after, bool back, size_t n,
			       struct qry_page *out, struct error *err);
/*
 * The one alert with this id, as a page of one. Return: 0, ERR_USAGE (there is none), ERR_DB,
 * ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int qry_browse_alert(struct qry_browse *b, int64_t alert_id, struct qry_page *out,
				struct error *err);
/*
 * How many alerts pass @f; not more than @most are counted one by one, which @exact then tells.
 * From the case's own counts, at once, where @f is about rules, severities and fingerprints only. A
 * search ends as that for a page does: there are at least as many.
 */
MUST_CHECK int qry_browse_count(struct qry_browse *b, const struct qry_alert_filter *f,
				uint64_t most, uint64_t *out, bool *exact, struct error *err);
/* End what is being looked for; async-signal-safe. */
void qry_browse_stop(struct qry_browse *b);

#endif
