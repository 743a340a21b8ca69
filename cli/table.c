/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/json.h"

#define COLUMNS_MAX 64
#define COLUMN_GAP  2
#define DAY_SECONDS 86400

struct cell {
	size_t at, len; /* in table.text */
	unsigned width;
	uint8_t style;
	bool set;
	bool line; /* of a row that is one line of text */
};

struct table {
	const struct table_column *columns;
	unsigned count;
	uint8_t where[COLUMNS_MAX];
	unsigned widths[COLUMNS_MAX];
	struct table_look look;
	int64_t day; /* -1: none */
	bool header_done, failed;
	struct buf text;    /* of all cells of the rows kept */
	struct buf done;    /* JSON, CSV: finished rows */
	struct cell *cells; /* text: @rows rows of @count */
	size_t rows, cap;   /* without the current one */
	struct cell current[COLUMNS_MAX];
	enum table_style row_style;
};

/* --- life --- */

struct table *table_new(const struct table_column *columns, const struct table_look *look)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->look = *look;
	t->day = -1;
	while (t->count < COLUMNS_MAX && columns[t->count].key) {
		t->where[t->count] = columns[t->count].where;
		t->count++;
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	buf_done(&t->text);
	buf_done(&t->done);
	free(t->cells);
	free(t);
}

void table_show(struct table *t, unsigned column, unsigned where)
{
	t->where[column] = (uint8_t)where;
}

static int64_t day_of(const struct table *t, uint64_t ts)
{
	return ((int64_t)(ts / 1000000000u) + t->look.tz_offset_s) / DAY_SECONDS;
}

void table_set_day(struct table *t, uint64_t ts)
{
	t->day = ts ? day_of(t, ts) : -1;
}

static unsigned format_bit(const struct table *t)
{
	switch (t->look.format) {
	case TABLE_TEXT:
		return IN_TEXT;
	case TABLE_JSON:
		return IN_JSON;
	case TABLE_CSV:
		break;
	}
	return IN_CSV;
}

bool table_wants(const struct table *t, unsigned column)
{
	return t->where[column] & format_bit(t);
}

/* --- cells --- */

unsigned table_width(struct sv text)
{
	unsigned width = 0;

	while (text.n) {
		uint32_t cp = 0;
		unsigned bad = 1, n = utf8_decode(text, &cp, &bad);
		int w = n ? wcwidth((wchar_t)cp) : 1;

		width += w < 0 ? 1 : (unsigned)w;
		text = sv_drop(text, n ? n : bad);
	}
	return width;
}

static struct cell *begin_cell(struct table *t, unsigned column)
{
	struct cell *c = &t->current[column];

	if (!table_wants(t, column))
		return NULL;
	c->at = t->text.len;
	c->set = true;
	return c;
}

static void end_cell(struct table *t, struct cell *c)
{
	c->len = t->text.len - c->at;
	if (t->look.format == TABLE_TEXT && !t->text.failed)
		c->width = table_width(sv_make(t->text.p + c->at, c->len));
}

void table_trusted(struct table *t, unsigned column, struct sv text)
{
	struct cell *c = begin_cell(t, column);

	if (!c)
		return;
	if (t->look.format == TABLE_JSON)
		json_string(&t->text, text);
	else
		buf_sv(&t->text, text);
	end_cell(t, c);
}

void table_string(struct table *t, unsigned column, struct sv text)
{
	struct cell *c = begin_cell(t, column);

	if (!c)
		return;
	if (t->look.format == TABLE_JSON)
		json_string(&t->text, text);
	else if (t->look.format == TABLE_CSV)
		buf_sv(&t->text, text); /* made harmless with its quotes */
	else
		cli_safe(&t->text, text);
	end_cell(t, c);
}

void table_text(struct table *t, unsigned column, struct sv text)
{
	if (text.n)
		table_string(t, column, text);
}

void table_u64(struct table *t, unsigned column, uint64_t v)
{
	struct cell *c = begin_cell(t, column);

	if (!c)
		return;
	buf_u64(&t->text, v);
	end_cell(t, c);
}

void table_i64(struct table *t, unsigned column, int64_t v)
{
	struct cell *c = begin_cell(t, column);

	if (!c)
		return;
	buf_i64(&t->text, v);
	end_cell(t, c);
}

void table_id(struct table *t, unsigned column, int64_t v)
{
	if (v >= 0)
		table_i64(t, column, v);
}

void table_bool(struct table *t, unsigned column, bool v)
{
	struct cell *c = begin_cell(t, column);

	if (!c)
		return;
	if (t->look.format == TABLE_TEXT)
		buf_str(&t->text, v ? t->columns[column].title : "");
	else
		buf_str(&t->text, v ? "true" : "false");
	end_cell(t, c);
}

/* "11:04:17.220", or "2026-03-01 11:04:17" on another day. */
void table_clock(const struct table *t, struct buf *b, uint64_t ts)
{
	size_t start = b->len;

	if (t->day < 0 || day_of(t, ts) == t->day) {
		flt_time_of_day(b, ts, t->look.tz_offset_s);
		if (b->len >= start + 6)
			b->len -= 6;
		return;
	}
	flt_time_iso8601(b, (uint64_t)((int64_t)ts + (int64_t)t->look.tz_offset_s * 1000000000));
	if (b->len >= start + 19) {
		b->len = start + 19;
		b->p[start + 10] = ' ';
	}
}

void table_time(struct table *t, unsigned column, uint64_t ts)
{
	struct cell *c = ts && ts != UINT64_MAX ? begin_cell(t, column) : NULL;

	if (!c)
		return;
	if (t->look.format == TABLE_JSON)
		buf_char(&t->text, '"');
	if (t->look.format == TABLE_TEXT)
		table_clock(t, &t->text, ts);
	else
		cli_time(&t->text, ts);
	if (t->look.format == TABLE_JSON)
		buf_char(&t->text, '"');
	end_cell(t, c);
}

void table_raw(struct table *t, unsigned column, struct sv json)
{
	struct cell *c = t->look.format == TABLE_JSON ? begin_cell(t, column) : NULL;

	if (!c)
		return;
	buf_sv(&t->text, json);
	end_cell(t, c);
}

void table_style_row(struct table *t, enum table_style s)
{
	t->row_style = s;
}

void table_style_cell(struct table *t, unsigned column, enum table_style s)
{
	t->current[column].style = (uint8_t)s;
}

/* --- rows of data formats --- */

static struct sv cell_text(const struct table *t, const struct cell *c)
{
	return t->text.failed ? SV_LIT("") : sv_make(t->text.p + c->at, c->len);
}

static void csv_header(struct table *t)
{
	bool first = true;

	for (unsigned i = 0; i < t->count; i++) {
		if (!table_wants(t, i))
			continue;
		if (!first)
			buf_char(&t->done, ',');
		buf_str(&t->done, t->columns[i].key);
		first = false;
	}
	buf_char(&t->done, '\n');
	t->header_done = true;
}

static void csv_row(struct table *t)
{
	bool first = true;

	if (!t->header_done)
		csv_header(t);
	for (unsigned i = 0; i < t->count; i++) {
		if (!table_wants(t, i))
			continue;
		if (!first)
			buf_char(&t->done, ',');
		first = false;
		if (t->current[i].set && t->columns[i].kind == TABLE_STRING)
			escape_csv(&t->done, cell_text(t, &t->current[i]));
		else if (t->current[i].set)
			buf_sv(&t->done, cell_text(t, &t->current[i]));
	}
	buf_char(&t->done, '\n');
}

static void json_row(struct table *t)
{
	bool first = true;

	buf_char(&t->done, '{');
	for (unsigned i = 0; i < t->count; i++) {
		if (!table_wants(t, i))
			continue;
		buf_str(&t->done, first ? "\"" : ",\"");
		buf_str(&t->done, t->columns[i].key);
		buf_lit(&t->done, "\":");
		first = false;
		if (t->current[i].set)
			buf_sv(&t->done, cell_text(t, &t->current[i]));
		else
			buf_lit(&t->done, "null");
	}
	buf_lit(&t->done, "}\n");
}

/* --- rows of text --- */

static bool keep_row(struct table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 64;
	struct cell *cells;

	if (t->rows == t->cap) {
		cells = reallocarray(t->cells, cap * t->count, sizeof(*cells));
		if (!cells)
			return false;
		t->cells = cells;
		t->cap = cap;
	}
	memcpy(t->cells + t->rows * t->count, t->current, t->count * sizeof(*t->cells));
	t->rows++;
	return true;
}

void table_end_row(struct table *t)
{
	if (t->look.format == TABLE_JSON)
		json_row(t);
	else if (t->look.format == TABLE_CSV)
		csv_row(t);
	for (unsigned i = 0; i < t->count; i++) {
		struct cell *c = &t->current[i];

		if (!c->style)
			c->style = (uint8_t)t->row_style;
		if (t->look.format == TABLE_TEXT && !c->set && table_wants(t, i))
			table_trusted(t, i, SV_LIT("-"));
		if (c->width > t->widths[i])
			t->widths[i] = c->width;
	}
	if (t->look.format != TABLE_TEXT)
		buf_reset(&t->text);
	else if (!keep_row(t))
		t->failed = true;
	memset(t->current, 0, t->count * sizeof(*t->current));
	t->row_style = STYLE_PLAIN;
}

void table_line(struct table *t, struct sv text, enum table_style s)
{
	if (t->look.format != TABLE_TEXT)
		return;
	t->current[0] = (struct cell){
	    .at = t->text.len, .len = text.n, .style = (uint8_t)s, .set = true, .line = true};
	buf_sv(&t->text, text);
	if (!keep_row(t))
		t->failed = true;
	memset(t->current, 0, t->count * sizeof(*t->current));
}

void table_style_begin(struct buf *out, bool color, enum table_style s)
{
	static const char *const codes[] = {"",		"\033[2m",  "\033[1m",
					    "\033[32m", "\033[33m", "\033[31m"};

	if (color)
		buf_str(out, codes[s]);
}

void table_style_end(struct buf *out, bool color, enum table_style s)
{
	if (color && s != STYLE_PLAIN)
		buf_lit(out, "\033[0m");
}

struct line {
	struct buf *out;
	unsigned used, width; /* width 0: no limit */
	bool color;
};

static void pad(struct line *l, unsigned n)
{
	for (; n && (!l->width || l->used < l->width); n--, l->used++)
		buf_char(l->out, ' ');
}

/* As much of @s as fits; a mark where something was cut. */
static void put(struct line *l, struct sv s, enum table_style style)
{
	unsigned left = l->width ? l->width - l->used : 0;
	bool cut = l->width && table_width(s) > left;

	table_style_begin(l->out, l->color, style);
	while (s.n) {
		uint32_t cp = 0;
		unsigned bad = 1, n = utf8_decode(s, &cp, &bad), w;

		n = n ? n : bad;
		w = table_width(sv_make(s.p, n));
		if (cut && l->used + w + 1 > l->width) {
			if (l->used < l->width)
				buf_char(l->out, '>');
			l->used = l->width;
			break;
		}
		buf_add(l->out, s.p, n);
		l->used += w;
		s = sv_drop(s, n);
	}
	table_style_end(l->out, l->color, style);
}

static unsigned last_column(const struct table *t)
{
	unsigned last = 0;

	for (unsigned i = 0; i < t->count; i++)
		if (table_wants(t, i))
			last = i;
	return last;
}

/* Columns before the last one, with their gaps. */
static unsigned width_before(const struct table *t, unsigned last)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < last; i++)
		if (table_wants(t, i))
			sum += t->widths[i] + COLUMN_GAP;
	return sum;
}

/* Return: the columns that were left out, a bit each. */
static uint64_t spare_columns(struct table *t)
{
	unsigned last = last_column(t), need = t->look.width / 3;
	uint64_t hidden = 0;

	if (t->widths[last] < need)
		need = t->widths[last];
	for (unsigned drop = 1; t->look.width && drop < COLUMNS_MAX; drop++)
		for (unsigned i = 0; i < last; i++) {
			if (width_before(t, last) + need <= t->look.width)
				return hidden;
			if (t->columns[i].drop != drop || !table_wants(t, i))
				continue;
			t->where[i] &= (uint8_t)~IN_TEXT;
			hidden |= UINT64_C(1) << i;
		}
	return hidden;
}

static void put_padded(const struct table *t, struct line *l, unsigned column, struct sv s,
		       unsigned width, enum table_style style)
{
	bool right = t->columns[column].kind == TABLE_NUMBER;
	unsigned fill = t->widths[column] > width ? t->widths[column] - width : 0;

	if (l->width && l->used >= l->width)
		return;
	if (right)
		pad(l, fill);
	put(l, s, style);
	if (column == last_column(t))
		return;
	pad(l, (right ? 0 : fill) + COLUMN_GAP);
}

/* Blanks at the end of a line, left by empty cells, help nobody. */
static void end_line(struct buf *out)
{
	while (out->len && out->p[out->len - 1] == ' ')
		out->len--;
	buf_char(out, '\n');
}

static void print_text(struct table *t, struct buf *out)
{
	struct line l = {.out = out, .width = t->look.width, .color = t->look.color};
	uint64_t hidden;

	for (unsigned i = 0; i < t->count; i++)
		if (table_wants(t, i)) {
			unsigned w = table_width(sv_of(t->columns[i].title));

			if (w > t->widths[i])
				t->widths[i] = w;
		}
	hidden = spare_columns(t);
	for (unsigned i = 0; i < t->count; i++)
		if (table_wants(t, i))
			put_padded(t, &l, i, sv_of(t->columns[i].title),
				   table_width(sv_of(t->columns[i].title)), STYLE_BOLD);
	end_line(out);
	for (size_t row = 0; row < t->rows; row++) {
		const struct cell *first = &t->cells[row * t->count];

		l.used = 0;
		if (first->line)
			put(&l, cell_text(t, first), (enum table_style)first->style);
		for (unsigned i = 0; i < t->count && !first->line; i++) {
			const struct cell *c = &t->cells[row * t->count + i];

			if (table_wants(t, i))
				put_padded(t, &l, i, cell_text(t, c), c->width,
					   (enum table_style)c->style);
		}
		end_line(out);
	}
	for (unsigned i = 0; i < t->count; i++)
		if (hidden >> i & 1)
			t->where[i] |= IN_TEXT;
	t->rows = 0;
	memset(t->widths, 0, sizeof(t->widths));
	buf_reset(&t->text);
}

void table_print(struct table *t, struct buf *out)
{
	if (t->look.format == TABLE_TEXT) {
		print_text(t, out);
	} else {
		if (t->look.format == TABLE_CSV && !t->header_done)
			csv_header(t);
		buf_sv(out, buf_view(&t->done));
		out->failed |= t->done.failed;
		buf_reset(&t->done);
	}
	out->failed |= t->failed || t->text.failed;
}
