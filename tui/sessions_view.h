/* SPDX-License-Identifier: Apache-2.0 */
/* What the views of sessions and of one session share. Threads: that of the program. */
#ifndef TUI_SESSIONS_VIEW_H
#define TUI_SESSIONS_VIEW_H

#include "tui/sessions_model.h"

struct tui_sessions_view { /* the first member of both */
	struct tui_view base;
	struct tui_sessions_source *source;
	struct tui_list list;
	struct tui_table *table;
	uint64_t alerts; /* taken in when rows were made */
};

/* A table of @columns and what is known of alerts; @v->list and @v->source are there. Return: 0 or
 * ERR_*; tui_sessions_view_done() in any case. */
MUST_CHECK int tui_sessions_view_open(struct tui_sessions_view *v, struct tui_app *app,
				      const struct tui_column *columns, size_t n,
				      struct error *err);
/* Without the source. */
void tui_sessions_view_done(struct tui_sessions_view *v);
/* Are rows to be made anew? */
bool tui_sessions_view_is_old(struct tui_sessions_view *v, unsigned news);
/* @count rows were made, or not: @rc. Return: 0 or ERR_*. */
MUST_CHECK int tui_sessions_view_made(struct tui_sessions_view *v, int rc, size_t count,
				      struct error *err);
/* A cell with the worst alert, -1: none. */
void tui_sessions_worst(struct tui_rows *out, int worst);

/* Members of struct tui_view_ops. */
bool tui_sessions_view_work(struct tui_view *v, uint64_t deadline_ns);
void tui_sessions_view_click(struct tui_view *v, const struct tui_input *in,
			     const struct tui_area *a);
struct tui_table *tui_sessions_view_table(struct tui_view *v);
int tui_sessions_view_filter(struct tui_view *v, struct sv text, size_t *pos, struct error *err);

#endif
