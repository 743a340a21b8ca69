/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts that have something in common, as rows of a list. Nothing is left out: each alert that
 * passes the filter is in one group. Groups come from the counts the case keeps, which needs no
 * alert to be looked at; where these cannot tell (processes, filters by what single alerts hold)
 * alerts are gone through in slices. Threads: that of the program.
 */
#ifndef TUI_ALERT_GROUPS_H
#define TUI_ALERT_GROUPS_H

#include "base/map.h"
#include "tui/alert_facts.h"
#include "tui/alert_filter.h"
#include "tui/table.h"

enum tui_grouping {
	TUI_BY_FINGERPRINT,
	TUI_BY_RULE,
	TUI_BY_PROCESS,
	TUI_BY_HOST,
	TUI_BY_NOTHING, /* a list of alerts */
	TUI_GROUPINGS
};
extern const char *const tui_grouping_names[TUI_GROUPINGS];

struct tui_alert_group {
	uint64_t key; /* fingerprint; smallest id of a rule of that name, of a process, of a capture
			 of that host */
	uint64_t count, first_ts, last_ts;
	int64_t fingerprint, reading; /* of an alert in it ... */
	int64_t alert_id;	      /* ... which is this one; 0: not looked up yet */
	int64_t rule_id, capture_id;
	int severity;  /* the worst */
	bool distinct; /* alerts of several rules */
};

struct tui_group_rule {
	int64_t rule_id;
	const char *name;
	int64_t first; /* smallest id with that name */
};

struct tui_group_store { /* one making of the groups */
	struct tui_alert_group *list;
	size_t count, cap;
	struct map index; /* key to number + 1; numbers are 32 bits */
};

struct tui_alert_groups {
	struct tui_data *d;
	const struct tui_alert_filter *filter;
	enum tui_grouping by;
	struct tui_group_store stores[2];
	struct tui_group_store *shown, *made; /* equal: made where one can look on */
	uint64_t alerts;		      /* in groups, so far */
	/* What is still to be done: */
	sqlite3_stmt *stmt; /* rows of counts */
	bool scans;	    /* alerts are gone through, from @at to @end */
	int64_t at, end;
	bool done;
	uint64_t settled_ns, settle_ns; /* when rows were put in order, what that took */
	struct buf signature;		/* of what alerts count, and what people say */
	/* Names. */
	struct arena names;
	struct tui_group_rule *rules;
	size_t rule_count;
	struct map hosts; /* capture to smallest capture of its host, + 1 */
};

void tui_groups_init(struct tui_alert_groups *g, struct tui_data *d,
		     const struct tui_alert_filter *filter);
void tui_groups_done(struct tui_alert_groups *g);
/* Another grouping or filter: all anew. */
MUST_CHECK int tui_groups_begin(struct tui_alert_groups *g, enum tui_grouping by,
				struct error *err);
/* There may be more in the case: what is shown stays until that is known. */
MUST_CHECK int tui_groups_update(struct tui_alert_groups *g, struct error *err);
/* Goes on until @deadline_ns (0: to the end). *@changed: @shown is another one now. Return: 1 (more
 * to do), 0, or ERR_*. */
MUST_CHECK int tui_groups_work(struct tui_alert_groups *g, uint64_t deadline_ns, bool *changed,
			       struct error *err);
/* An alert of the group. Return: 0 or ERR_*. */
MUST_CHECK int tui_groups_example(struct tui_alert_groups *g, struct tui_alert_group *group,
				  struct error *err);
const char *tui_groups_rule(const struct tui_alert_groups *g, int64_t rule_id);

#endif
