/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: what fills the body of the screen. A view is a table of functions over a model; the
 * program (tui/app.h) keeps a stack of them, gives them commands, and lets them draw into cells.
 * Most views consist of one or two tables (tui/table.h). Threads: all of it belongs to the thread
 * of the program.
 */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "tui/cell.h"
#include "tui/keys.h"

struct tui_app;
struct tui_filter_language;
struct tui_view;

struct tui_command { /* one thing to do */
	enum tui_action action;
	struct sv arg; /* empty: none; harmless text is not guaranteed */
	int count;     /* how often, for moves: at least 1 */
	bool typed;    /* from a key: missing arguments are asked for */
};

enum tui_result {
	TUI_DONE,     /* and drawn anew */
	TUI_NOT_MINE, /* the program's own, or nothing: a hint is shown */
	TUI_LEAVE,    /* this view is over: back to the one before */
};

/* What a view is opened for. Zeroed: everything. */
struct tui_target {
	int64_t alert_id; /* of the case */
	int64_t fingerprint;
	bool has_fingerprint;
	int64_t pid;	   /* a process of the moment T, 0: none */
	uint64_t proc_key; /* act_proc.key, 0: not known */
	uint64_t num;	   /* an event */
	int64_t fd;
	bool has_fd;
	struct sv text;	  /* a filter, a column; copied by who keeps it */
	struct sv within; /* alerts: a condition beside that, which stays whatever @text becomes */
};

struct tui_view_ops {
	const char *name;	/* of ':NAME' for those that have one, and of the help page */
	const char *title;	/* in the breadcrumbs, unless @crumb says more */
	const char *help;	/* a paragraph for people: what is seen, what Enter does */
	const uint8_t *actions; /* what makes sense here beside what always does; ends with
				   TUI_NO_ACTION: for help and the footer */
	/* @out: a view whose first member is struct tui_view, with ops and app set by the caller
	 * afterwards. */
	int (*open)(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		    struct error *err);
	void (*close)(struct tui_view *v);
	/* The model is brought up to date: T, filter, case may be other ones (@news: enum
	 * tui_news). What takes long is left to @work. Errors are shown in place of the view. */
	int (*sync)(struct tui_view *v, unsigned news, struct error *err);
	void (*draw)(struct tui_view *v, const struct tui_area *a);
	enum tui_result (*act)(struct tui_view *v, const struct tui_command *c);
	/* More of what takes long, until @deadline_ns (CLOCK_MONOTONIC). True: there is more to do.
	 * NULL: nothing ever takes long. */
	bool (*work)(struct tui_view *v, uint64_t deadline_ns);
	void (*crumb)(struct tui_view *v, struct buf *out); /* NULL: title */
	void (*command)(
	    struct tui_view *v,
	    struct buf *out); /* the command line that shows the same; NULL: there is none */
	void (*click)(struct tui_view *v, const struct tui_input *in,
		      const struct tui_area *a); /* NULL: as the table does */
	/* The table that search, sort, columns, frequency, export and tags are about; NULL: none.
	 */
	struct tui_table *(*table)(struct tui_view *v);
	/* Enter the view's own filter: condition @text (empty: none). Return: 0, or ERR_SYNTAX,
	 * ERR_COMPILE with @pos (a byte of it). NULL: nothing to filter here. */
	int (*filter)(struct tui_view *v, struct sv text, size_t *pos, struct error *err);
	/* What words and fields mean there (tui/filter.h); NULL: the engine's language. */
	const struct tui_filter_language *language;
};

struct tui_view {
	const struct tui_view_ops *ops;
	struct tui_app *app;
	struct error trouble; /* of the last sync; code 0: none */
	struct buf filter;    /* as typed, short forms written out; empty: none */
	uint64_t chips_off;   /* a bit for each of its parts that does not hold */
	unsigned news;	      /* since it was brought up to date; all bits before the first time */
};

extern const struct tui_view_ops tui_overview_ops, tui_alerts_ops, tui_alert_ops, tui_tree_ops,
    tui_process_ops, tui_events_ops, tui_event_ops, tui_files_ops, tui_net_ops, tui_sessions_ops,
    tui_timeline_ops, tui_rules_ops, tui_rule_ops, tui_help_ops, tui_keys_ops, tui_marks_ops,
    tui_frequency_ops, tui_diff_ops, tui_ancestry_ops, tui_follow_ops, tui_explain_ops,
    tui_file_ops, tui_socket_ops, tui_session_ops;

#endif
