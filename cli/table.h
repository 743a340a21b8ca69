/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of typed cells, printed as aligned text, as one JSON object per line, or as CSV.
 * Text: a header line, columns padded, absent values as "-", strings made harmless by cli_safe();
 * lines are cut to the terminal's width only when standard output is one; before the last column is
 * cut to less than a third of it, columns that can be spared are left out.
 * JSON: every data column in every object, absent values null, times as UTC ISO 8601 strings.
 * CSV: cells as escape_csv() makes them, with a header line.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/cli.h"

enum table_format { TABLE_TEXT, TABLE_JSON, TABLE_CSV };

enum table_kind {
	TABLE_STRING,
	TABLE_NUMBER, /* text: to the right */
	TABLE_BOOL,   /* text: the column's title, or blank */
	TABLE_TIME,   /* text: time of day, with the date where it is another day than the view's */
	TABLE_RAW,    /* JSON value made by the caller; not in text and CSV */
};

enum table_where { /* where a column appears */
		   IN_TEXT = 1,
		   IN_JSON = 2,
		   IN_CSV = 4,
		   IN_DATA = IN_JSON | IN_CSV,
		   IN_ALL = 7,
};

enum table_style { STYLE_PLAIN, STYLE_DIM, STYLE_BOLD, STYLE_GOOD, STYLE_WARN, STYLE_BAD };

struct table_column {	   /* a table of columns ends with a NULL key */
	const char *key;   /* JSON member, CSV heading */
	const char *title; /* text heading */
	enum table_kind kind;
	uint8_t where; /* enum table_where */
	uint8_t drop;  /* text: on narrow terminals 1 goes first, then 2, ...; 0: stays */
};

struct table;

struct table_look {
	enum table_format format;
	bool color;
	unsigned width; /* of the terminal; 0: do not cut */
	int tz_offset_s;
};

/* NULL when out of memory. @columns is borrowed. */
struct table *table_new(const struct table_column *columns, const struct table_look *look);
void table_free(struct table *t); /* NULL is fine */
/* Times of this day are shown without their date. */
void table_set_day(struct table *t, uint64_t ts);
/* A time as such a cell shows it. */
void table_clock(const struct table *t, struct buf *b, uint64_t ts);
/* Put columns in front of or out of sight: @where replaces the column's own. */
void table_show(struct table *t, unsigned column, unsigned where);

/* Set a cell of the current row; what a format does not show costs nothing. Unset cells are absent.
 */
void table_string(struct table *t, unsigned column, struct sv text);
void table_text(struct table *t, unsigned column, struct sv text); /* empty: absent */
void table_u64(struct table *t, unsigned column, uint64_t v);
void table_i64(struct table *t, unsigned column, int64_t v);
void table_id(struct table *t, unsigned column, int64_t v); /* negative: absent */
void table_bool(struct table *t, unsigned column, bool v);
void table_time(struct table *t, unsigned column, uint64_t ts); /* 0: absent */
void table_raw(struct table *t, unsigned column, struct sv json);
/* Text that is already harmless, and may hold line-drawing characters; as table_string(). */
void table_trusted(struct table *t, unsigned column, struct sv text);
/* Style of the current row, or of one cell. */
void table_style_row(struct table *t, enum table_style s);
void table_style_cell(struct table *t, unsigned column, enum table_style s);
void table_end_row(struct table *t);
/* Text: a line of its own between rows, harmless already. */
void table_line(struct table *t, struct sv text, enum table_style s);
bool table_wants(const struct table *t, unsigned column);

/* Append what is complete to @out: everything, for text with its header line. */
void table_print(struct table *t, struct buf *out);

/* Columns a terminal needs for @text, which cli_safe() made. */
unsigned table_width(struct sv text);
void table_style_begin(struct buf *out, bool color, enum table_style s);
void table_style_end(struct buf *out, bool color, enum table_style s);

#endif
