/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table that can be longer than memory: it asks its model for pages of rows by key, so that its
 * cursor stays with its row whatever is added, sorted or filtered. Moving, scrolling, sorting,
 * searching, choosing columns, tags, counting values and export are the same for all tables.
 * Ownership: the table copies keys and cells of the page it shows. Threads: that of the program.
 */
#ifndef TUI_TABLE_H
#define TUI_TABLE_H

#include "tui/view.h"

struct tui_row_key { /* names a row for as long as it exists; what order is, the model knows */
	uint64_t a, b;
};

enum tui_column_flag {
	TUI_COLUMN_RIGHT = 1,	 /* numbers: at the right */
	TUI_COLUMN_PATH = 2,	 /* cut in the middle */
	TUI_COLUMN_REST = 4,	 /* takes what is left of the width */
	TUI_COLUMN_HIDDEN = 8,	 /* not shown unless chosen */
	TUI_COLUMN_NO_SORT = 16, /* the model cannot sort by it */
	TUI_COLUMN_DRAWN =
	    32, /* the cell is harmless text of ours: glyphs of a tree; still cut to its width */
	TUI_COLUMN_NARROW =
	    64, /* stands for others: only on screens too narrow for @from, and not written */
};

struct tui_column {
	const char *name;  /* for ':sort', ':columns', JSON keys */
	const char *title; /* in the header */
	int width;	   /* columns it wants (REST: at least) */
	int from;	   /* shown on screens at least so wide; 0: always */
	unsigned flags;
	const char *help; /* for 'i' and the chooser */
};

enum tui_where { TUI_FROM_FIRST, TUI_FROM_LAST, TUI_FROM_KEY, TUI_AFTER_KEY, TUI_BEFORE_KEY };

struct tui_rows;

struct tui_model_ops {
	/*
	 * Up to @n rows from @where on, added by tui_rows_add() in the order in which they are
	 * shown (also those BEFORE a key). FROM_KEY: from that row on, or, if it is gone, from
	 * where it would be. Return: 0 (fewer than @n: there are no more that way), 1: not all of
	 * it could be found in time, ask again later (work() of the view goes on), or ERR_*.
	 */
	int (*page)(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		    struct tui_rows *out, struct error *err);
	/* How many rows there are, and (may be an estimate) how many stand before @key. @exact: it
	 * is the number. */
	uint64_t (*count)(void *model, bool *exact);
	uint64_t (*before)(void *model, struct tui_row_key key);
	/* Sort by @column of its columns (-1: its own order); NULL: no other order. Return: 0 or
	 * ERR_*. */
	int (*sort)(void *model, int column, bool reverse, struct error *err);
};

struct tui_rows; /* of a page */
/* Begin a row; then one tui_rows_cell() for each column. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_rows_add(struct tui_rows *r, struct tui_row_key key, enum tui_role role);
void tui_rows_cell(struct tui_rows *r, enum tui_role role,
		   struct sv text); /* TUI_ROLE_NORMAL: that of the row */
PRINTF_LIKE(2, 3)
void tui_rows_printf(struct tui_rows *r, const char *fmt, ...);
/* The buffer to append the next cell's text to, ended by tui_rows_end_cell(). */
struct buf *tui_rows_begin_cell(struct tui_rows *r);
void tui_rows_end_cell(struct tui_rows *r, enum tui_role role);

struct tui_table;
MUST_CHECK int tui_table_new(struct tui_app *app, const struct tui_column *columns, size_t count,
			     const struct tui_model_ops *ops, void *model, struct tui_table **out,
			     struct error *err);
void tui_table_free(struct tui_table *t); /* NULL is fine */
/* The model has changed: rows are asked for anew; the cursor stays with its key, or near it. */
MUST_CHECK int tui_table_refresh(struct tui_table *t, struct error *err);
/* With the header line. @focus: the cursor is shown. */
void tui_table_draw(struct tui_table *t, const struct tui_area *a, bool focus);
/* After that, in place of its "nothing": why there are no rows. */
void tui_table_draw_why(const struct tui_table *t, const struct tui_area *a, const char *why);
/* Everything a table does by itself (moving, sorting, searching, columns, tags, frequency,
 * describe, export). TUI_NOT_MINE: the view's. */
enum tui_result tui_table_act(struct tui_table *t, const struct tui_command *c);
/* A click puts the cursor there, or sorts by a column; what a second one enters is the view's. */
void tui_table_click(struct tui_table *t, const struct tui_input *in, const struct tui_area *a);
/* Its columns, as it was given them. Return: how many. */
size_t tui_table_columns(const struct tui_table *t, const struct tui_column **out);
/* The row under the cursor; false: there are no rows. */
bool tui_table_cursor(const struct tui_table *t, struct tui_row_key *key);
/* The text of its cell; empty if there is none. */
struct sv tui_table_cell(const struct tui_table *t, unsigned column);
/* Put the cursor there. */
void tui_table_seek(struct tui_table *t, struct tui_row_key key);
/* Where the cursor is, for a line of the view's: "12/308", "~41%"; nothing if there are no rows. */
void tui_table_position(const struct tui_table *t, struct buf *out);
/* It asks for something by itself (which columns): keys belong to it first, Enter and Esc too. */
bool tui_table_is_asking(const struct tui_table *t);
bool tui_table_is_tagged(const struct tui_table *t, struct tui_row_key key);
size_t tui_table_tagged(const struct tui_table *t);
/* for (size_t at = 0; tui_table_next_tag(t, &at, &key);) */
bool tui_table_next_tag(const struct tui_table *t, size_t *at, struct tui_row_key *key);
void tui_table_tag(struct tui_table *t, struct tui_row_key key);
/* What takes long (search, frequency, export) goes on until @deadline_ns. True: there is more. */
bool tui_table_work(struct tui_table *t, uint64_t deadline_ns);
/* Columns as rows of their own: for the frequency table of one, as FREQUENCY began to count it.
 * Each row: value, count; most frequent first; @others: of all values that were too many to tell
 * apart, the last row. Borrowed until the next work or count. */
struct tui_frequency {
	struct sv value;
	uint64_t count;
	bool others;
};
size_t tui_table_frequency(const struct tui_table *t, const struct tui_frequency **out,
			   bool *complete);

/* --- rows that are all in memory: an order of row numbers, kept by key */

struct tui_list { /* zeroed: empty. A model of its own: tui_list_ops with a pointer to it. */
	size_t count;
	/* Fill row @i of the caller's @arg (in its own order) / its key. */
	void (*row)(void *arg, size_t i, struct tui_rows *out);
	struct tui_row_key (*key)(void *arg, size_t i);
	/* Below 0, 0, above: order by @column; NULL: by the texts of cells, numbers as numbers. */
	int (*compare)(void *arg, size_t i, size_t j, int column);
	/* Does row @i pass the view's filter? NULL: all do. */
	bool (*passes)(void *arg, size_t i);
	void *arg;
	/* Its own: */
	int column; /* sorted by; 0 before the first sort, too: see @sorted */
	bool reverse, sorted;
	uint32_t *order; /* numbers of the caller's rows, as they are shown */
	size_t shown;
	struct tui_keys *keys, *keys_before; /* of the rows as they are shown, as they were */
};
extern const struct tui_model_ops tui_list_ops;
/* The caller's rows have changed. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_list_update(struct tui_list *l, struct error *err);
void tui_list_done(struct tui_list *l);

#endif
