/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of alerts: conditions in the engine's language over what a case knows of alerts, made
 * into SQL in which everything that was typed is a parameter. Short forms: "prio >= warning",
 * "rule = ...", times, a plain word or several (a part of rule or output), "!..." (not). Ownership:
 * a filter owns its texts. Threads: plain values.
 */
#ifndef TUI_ALERT_FILTER_H
#define TUI_ALERT_FILTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "query/find.h"

struct tui_filter_language;

#define TUI_ALERT_TESTS_MAX  200  /* comparisons and words of a filter: SQLite nests them */
#define TUI_ALERT_VALUES_MAX 2000 /* parameters */

struct tui_alert_filter { /* zeroed: all alerts */
	struct buf sql;	  /* over row v (alert_fields.def); parameters as of qry_alert_filter */
	struct qry_argument *values;
	size_t value_count, value_cap;
	bool asks_alerts; /* about what alerts of a group need not have in common */
	bool asks_said;	  /* about what people say */
	/* What indexes know of it: alerts that pass are among these. */
	const char *rule;
	unsigned severities; /* 0: all */
	uint64_t from, to;   /* @to 0: no end */
	struct arena arena;
};

/*
 * What passes must pass @text, too. Return: 0, or ERR_SYNTAX, ERR_COMPILE, ERR_LIMIT with @pos
 * (byte of @text) and ERR_NOMEM: then @f is fit for nothing but tui_alert_filter_done().
 */
MUST_CHECK int tui_alert_filter_add(struct tui_alert_filter *f, struct sv text, size_t *pos,
				    struct error *err);
void tui_alert_filter_done(struct tui_alert_filter *f);
/* @out's conditions, beside those it has, borrow from @f. */
void tui_alert_filter_apply(const struct tui_alert_filter *f, struct qry_alert_filter *out);

/* alert_language.c: for the filter bar. */
extern const struct tui_filter_language tui_alerts_language;

/* @text as a value in a condition. */
void tui_alert_quote(struct buf *out, struct sv text);

/* --- short forms (alert_short.c) */

#define TUI_SHORT_PLACES 512 /* changes of one text */

struct tui_short_text { /* what a text is short for */
	struct buf text;
	struct {
		uint32_t at, from; /* from byte @at on it stands for what begins at @from */
	} places[TUI_SHORT_PLACES];
	size_t count;
};

/* Return: 0, ERR_LIMIT (with too many of them), ERR_NOMEM. */
MUST_CHECK int tui_alert_expand(struct sv text, struct tui_short_text *out, struct error *err);
void tui_short_done(struct tui_short_text *s);
/* Where in the text as it was typed byte @at of it comes from. */
size_t tui_short_place(const struct tui_short_text *s, size_t at);
/* "warning", "4". */
bool tui_priority_value(struct sv text, int64_t *out);
/* A time: ns since the epoch, or below a day: of any day. */
bool tui_time_value(struct sv text, int64_t *out);

#define TUI_NS_PER_DAY 86400000000000ll

#endif
