/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of events, in its parts: events_view.c (the view: T, filter, keys), events_model.c (rows
 * and columns).
 */
#ifndef TUI_EVENTS_VIEW_H
#define TUI_EVENTS_VIEW_H

#include "tui/app.h"
#include "tui/filter.h"
#include "tui/table.h"

#define EVENTS_COLUMNS_MAX 48

enum events_column {
#define COLUMN(sym, field, title, width, from, flags, help) EVENTS_##sym,
#include "tui/events_columns.def"
#undef COLUMN
	EVENTS_COLUMN_COUNT
};
#define EVENTS_OWN (EVENTS_MARK + 1) /* so many are made by the view */

struct events_model {
	struct tui_app *app;
	struct tui_column columns[EVENTS_COLUMNS_MAX];
	char *fields[EVENTS_COLUMNS_MAX]; /* "%proc.name": behind those that are the view's own */
	size_t column_count;
	struct tui_events *events; /* NULL: none could be opened */
	struct buf condition;	   /* empty: none */
	int64_t pid;		   /* -1: all */
	bool late;		   /* the last page was not complete in time */
};

void events_model_init(struct events_model *m, struct tui_app *app);
void events_model_done(struct events_model *m);
/* One more column for the engine's field @name, unless it is there. Return: 1 if it is new, 0,
 * ERR_USAGE (no such field, or too many), ERR_NOMEM. */
MUST_CHECK int events_model_add(struct events_model *m, struct sv name, struct error *err);
/* Go through the current capture's events that pass @condition. On failure the model is unchanged.
 * @pos: see tui_events_open(). */
MUST_CHECK int events_model_open(struct events_model *m, struct sv condition, int64_t pid,
				 struct flt_pos *pos, struct error *err);
extern const struct tui_model_ops events_model_ops;

#endif
