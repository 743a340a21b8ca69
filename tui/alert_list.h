/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts one by one, by time, as a model of a table: pages come from the case's indexes
 * (query/find.h), so it does not matter how many there are. Keys of rows are time and number.
 * Threads: that of the program.
 */
#ifndef TUI_ALERT_LIST_H
#define TUI_ALERT_LIST_H

#include "tui/alert_filter.h"
#include "tui/data.h"
#include "tui/table.h"

#define TUI_LIST_COUNT_MAX  100000 /* alerts that are counted one by one */
#define TUI_LIST_BEFORE_MAX 5000   /* in front of a row */

struct tui_alert_list {
	struct tui_data *d;
	struct qry_alert_filter query;
	bool reverse;
	/* Appends the row of alert @p. Return: 0 or ERR_*. */
	int (*row)(void *arg, const struct qry_place *p, struct tui_rows *out, struct error *err);
	void *arg;
	/* What a search that was not finished goes on with. */
	struct {
		bool valid, back;
		struct qry_place from, searched;
	} rest;
	uint64_t count;
	bool counted, exact;
};

extern const struct tui_model_ops tui_alert_list_ops;
/* The case or the filter is another one. */
void tui_alert_list_update(struct tui_alert_list *l);
/* The alerts are counted, as far as that is quick. */
MUST_CHECK int tui_alert_list_count(struct tui_alert_list *l, struct error *err);
struct tui_row_key tui_alert_key(const struct qry_place *p);

#endif
