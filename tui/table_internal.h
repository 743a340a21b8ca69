/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the table share: table.c (rows that are known, cursor), table_draw.c,
 * table_columns.c, table_walk.c (jobs over all rows), table_find.c, table_count.c, table_export.c.
 */
#ifndef TUI_TABLE_INTERNAL_H
#define TUI_TABLE_INTERNAL_H

#include "tui/app.h"
#include "tui/table.h"
#include "tui/table_keys.h"
#include "tui/table_rows.h"

#define TABLE_COLUMNS_MAX 64	/* columns of a table */
#define TABLE_AHEAD	  32	/* rows that are asked for beyond what is seen */
#define TABLE_STEPS_MAX	  10000 /* rows that one key goes on */
#define TABLE_HEIGHT	  24	/* before it was drawn for the first time */
#define TABLE_WIDTH	  80
#define TABLE_PAGE	  256	    /* rows at a time of jobs */
#define TABLE_SLICE_NS	  20000000u /* a job is worked on before the key that began it returns */

/* A way through all rows, page by page; it survives that rows come and go. */
struct table_walk {
	enum tui_where where; /* the next page */
	struct tui_row_key key;
	bool ended;
	uint64_t seen; /* rows so far */
};

struct table_find {
	bool active, back, wrapped, skip; /* @skip: not the row where it begins */
	struct buf text;		  /* in small letters; empty: nothing was searched for */
	struct buf room;		  /* a cell as it is seen */
	struct table_walk walk;
	struct tui_row_key start;
};

struct table_values; /* what is counted: table_count.c */
struct table_file;   /* what is written: table_export.c */

struct tui_table {
	struct tui_app *app;
	const struct tui_column *columns;
	unsigned count;
	const struct tui_model_ops *ops;
	void *model;

	/* Rows that are known: around the cursor, without a hole. */
	struct tui_rows page, scratch;
	bool loaded;		/* asked for once */
	bool first, last;	/* no row is before, behind @page */
	size_t cursor;		/* a row of the page */
	int line;		/* where it is shown */
	int height;		/* lines for rows */
	struct tui_row_key key; /* of the cursor; stays when there are no rows */
	bool has_key;
	/* What the model could not find in time. */
	bool again, load_again;
	enum tui_where wanted;
	struct tui_row_key wanted_key;
	long long steps; /* still to go */

	/* Columns. */
	uint8_t chosen[TABLE_COLUMNS_MAX];
	unsigned chosen_count; /* 0: as the screen is wide */
	int width;	       /* of the screen, when it was last drawn */
	int current;	       /* the one that LEFT and RIGHT went to, -1: none */
	int left, shift;       /* what is scrolled out: columns; characters of the last one */
	int hidden;	       /* columns of a line of the current one that are out of sight */
	int sorted;	       /* -1: the order of the model */
	bool reverse;
	bool choosing;
	unsigned choice;

	struct tui_keys tags;
	struct table_find find;
	struct table_values *values;
	struct table_file *file;
	struct tui_rows job; /* page of a job */
};

/* --- table.c */
/* The row under the cursor is @i of the page. */
void table_put_cursor(struct tui_table *t, size_t i);
/* The screen has @height lines: rows for it are there, as far as the model has them. */
MUST_CHECK int table_fit(struct tui_table *t, int height, struct error *err);
/* Ask the model. Return: as page(), ERR_NOMEM also if @out says so. */
MUST_CHECK int table_ask(struct tui_table *t, enum tui_where where, struct tui_row_key key,
			 size_t n, struct tui_rows *out, struct error *err);

/* --- table_columns.c */
#define TABLE_ANY_WIDTH 0 /* all columns that are not hidden */
/* Columns that are shown on a screen of @width columns. Return: how many. */
unsigned table_shown(const struct tui_table *t, int width, uint8_t out[TABLE_COLUMNS_MAX]);
/* @name, or what is meant without: where the cursor is, what it is sorted by, the first. False: it
 * was told that there is none. */
bool table_column_of(struct tui_table *t, struct sv name, unsigned *out);
/* SORT, REVERSE, COLUMNS, LEFT, RIGHT. */
enum tui_result table_columns_act(struct tui_table *t, const struct tui_command *c);
void table_sort_by(struct tui_table *t, int column, bool reverse);
enum tui_result table_choose_act(struct tui_table *t, const struct tui_command *c);
void table_draw_choice(const struct tui_table *t, const struct tui_area *a);

/* --- table_draw.c */
/* A click at line @y, column @x of the area the table was drawn into. */
MUST_CHECK int table_clicked(struct tui_table *t, int y, int x, const struct tui_area *a,
			     struct error *err);

/* --- table_walk.c */
void table_walk_begin(struct table_walk *w, enum tui_where where, struct tui_row_key key);
/* The next page into t->job, in the order of the table. Return: 1 (rows, maybe none yet: ask
 * again), 0 (@ended: there are no more), or ERR_*. */
MUST_CHECK int table_walk_next(struct tui_table *t, struct table_walk *w, struct error *err);
/* The model has changed. */
MUST_CHECK int table_walk_anchor(struct tui_table *t, struct table_walk *w, struct error *err);

/* --- table_find.c */
enum tui_result table_find_act(struct tui_table *t, const struct tui_command *c);
bool table_find_work(struct tui_table *t, uint64_t deadline_ns);
void table_find_stop(struct tui_table *t);
/* Columns @x to @x + @width of the line that hold what was searched for are marked. */
void table_find_mark(const struct tui_table *t, const struct tui_area *a, int y, int x, int width);

/* --- table_count.c */
enum tui_result table_count_act(struct tui_table *t, const struct tui_command *c);
bool table_count_work(struct tui_table *t, uint64_t deadline_ns);
/* What was counted so far stays. Return: was there something to stop? */
bool table_count_stop(struct tui_table *t);
MUST_CHECK int table_count_anchor(struct tui_table *t, struct error *err);
void table_values_free(struct table_values *v); /* NULL is fine */

/* --- table_export.c */
enum tui_result table_export_act(struct tui_table *t, const struct tui_command *c);
bool table_export_work(struct tui_table *t, uint64_t deadline_ns);
MUST_CHECK int table_export_anchor(struct tui_table *t, struct error *err);
void table_file_free(struct table_file *f); /* NULL is fine; what is not whole goes */

/* --- table_number.c */
/* Does @text look like an amount ("-3", "3,410", "41.2M")? */
bool table_number(struct sv text, long double *out);

#endif
