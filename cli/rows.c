/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

#define WRITE_AT (64u << 10) /* bytes that wait to be written */

struct column {
	char *name;
	unsigned width;
	bool number; /* so far: shown to the right */
};

struct rows {
	enum rows_format format;
	unsigned count;
	struct column *columns;
	struct buf out, cell;
	/* Text, while widths are being learned: cells, each behind its length. */
	struct buf kept;
	unsigned kept_rows;
	bool learned;
};

/* --- cells */

static void hex(struct buf *b, struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addf(b, "%02x", (unsigned char)s.p[i]);
}

static void number(struct buf *b, const struct rows_cell *c)
{
	if (c->kind == ROWS_INTEGER)
		buf_addf(b, "%lld", (long long)c->integer);
	else
		buf_addf(b, "%.15g", c->real);
}

static void text_cell(struct buf *b, const struct rows_cell *c)
{
	switch (c->kind) {
	case ROWS_NULL:
		buf_char(b, '-');
		break;
	case ROWS_INTEGER:
	case ROWS_REAL:
		number(b, c);
		break;
	case ROWS_STRING:
		cli_safe(b, c->text);
		break;
	case ROWS_BLOB:
		hex(b, c->text);
		break;
	}
}

static void csv_cell(struct rows *r, struct buf *b, const struct rows_cell *c)
{
	if (c->kind == ROWS_STRING) {
		escape_csv(b, c->text);
	} else if (c->kind != ROWS_NULL) {
		buf_reset(&r->cell);
		text_cell(&r->cell, c);
		buf_sv(b, buf_view(&r->cell));
	}
}

static void json_cell(struct buf *b, const struct rows_cell *c)
{
	switch (c->kind) {
	case ROWS_NULL:
		buf_lit(b, "null");
		break;
	case ROWS_INTEGER:
		number(b, c);
		break;
	case ROWS_REAL:
		if (isfinite(c->real))
			buf_addf(b, "%.17g", c->real);
		else
			buf_lit(b, "null");
		break;
	case ROWS_STRING:
		json_string(b, c->text);
		break;
	case ROWS_BLOB:
		buf_char(b, '"');
		hex(b, c->text);
		buf_char(b, '"');
		break;
	}
}

static void markdown_cell(struct rows *r, struct buf *b, const struct rows_cell *c)
{
	buf_reset(&r->cell);
	text_cell(&r->cell, c);
	escape_markdown(b, buf_view(&r->cell));
}

/* --- text */

/* Characters; all harmful ones are gone. */
static unsigned width_of(struct sv s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void pad(struct buf *b, unsigned n)
{
	while (n--)
		buf_char(b, ' ');
}

static void put_aligned(struct rows *r, unsigned i, struct sv s)
{
	const struct column *c = &r->columns[i];
	unsigned n = width_of(s), blanks = n < c->width ? c->width - n : 0;

	if (i)
		buf_lit(&r->out, "  ");
	if (c->number)
		pad(&r->out, blanks);
	buf_sv(&r->out, s);
	if (!c->number && i + 1 < r->count)
		pad(&r->out, blanks);
	if (i + 1 == r->count)
		buf_char(&r->out, '\n');
}

static void put_kept(struct rows *r)
{
	struct sv left = buf_view(&r->kept);

	for (unsigned i = 0; i < r->count; i++)
		put_aligned(r, i, sv_of(r->columns[i].name));
	for (unsigned i = 0; left.n; i = i + 1 < r->count ? i + 1 : 0) {
		uint32_t n;

		memcpy(&n, left.p, sizeof(n));
		left = sv_drop(left, sizeof(n));
		put_aligned(r, i, sv_make(left.p, n));
		left = sv_drop(left, n);
	}
	buf_done(&r->kept);
	r->learned = true;
}

static void learn(struct rows *r, const struct rows_cell *cells)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct column *c = &r->columns[i];
		uint32_t n;

		buf_reset(&r->cell);
		text_cell(&r->cell, &cells[i]);
		n = (uint32_t)r->cell.len;
		buf_add(&r->kept, (const char *)&n, sizeof(n));
		buf_sv(&r->kept, buf_view(&r->cell));
		if (width_of(buf_view(&r->cell)) > c->width)
			c->width = width_of(buf_view(&r->cell));
		if (cells[i].kind == ROWS_STRING || cells[i].kind == ROWS_BLOB)
			c->number = false;
	}
	if (++r->kept_rows >= ROWS_LOOK || r->kept.len > ROWS_LOOK_BYTES)
		put_kept(r);
}

static void add_text(struct rows *r, const struct rows_cell *cells)
{
	if (!r->learned) {
		learn(r, cells);
		return;
	}
	for (unsigned i = 0; i < r->count; i++) {
		buf_reset(&r->cell);
		text_cell(&r->cell, &cells[i]);
		put_aligned(r, i, buf_view(&r->cell));
	}
}

/* --- rows */

static void add_csv(struct rows *r, const struct rows_cell *cells)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (i)
			buf_char(&r->out, ',');
		csv_cell(r, &r->out, &cells[i]);
	}
	buf_lit(&r->out, "\r\n");
}

static void add_json(struct rows *r, const struct rows_cell *cells)
{
	for (unsigned i = 0; i < r->count; i++) {
		buf_char(&r->out, i ? ',' : '{');
		json_string(&r->out, sv_of(r->columns[i].name));
		buf_char(&r->out, ':');
		json_cell(&r->out, &cells[i]);
	}
	buf_lit(&r->out, "}\n");
}

static void add_markdown(struct rows *r, const struct rows_cell *cells)
{
	buf_char(&r->out, '|');
	for (unsigned i = 0; i < r->count; i++) {
		buf_char(&r->out, ' ');
		markdown_cell(r, &r->out, &cells[i]);
		buf_lit(&r->out, " |");
	}
	buf_char(&r->out, '\n');
}

static void add_names(struct rows *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct column *c = &r->columns[i];

		if (r->format == ROWS_CSV) {
			if (i)
				buf_char(&r->out, ',');
			escape_csv(&r->out, sv_of(c->name));
		} else {
			buf_str(&r->out, i ? " " : "| ");
			escape_markdown(&r->out, sv_of(c->name));
			buf_lit(&r->out, " |");
		}
	}
	buf_str(&r->out, r->format == ROWS_CSV ? "\r\n" : "\n|");
	for (unsigned i = 0; r->format == ROWS_MARKDOWN && i < r->count; i++)
		buf_lit(&r->out, " --- |");
	if (r->format == ROWS_MARKDOWN)
		buf_char(&r->out, '\n');
}

static bool is_taken(const struct rows *r, unsigned before, const char *name)
{
	for (unsigned i = 0; i < before; i++)
		if (strcmp(r->columns[i].name, name) == 0)
			return true;
	return false;
}

/* Members of an object must differ: the second "pid" becomes "pid_2". */
static bool name_column(struct rows *r, unsigned i, const char *name)
{
	struct buf b = {0}, safe = {0};
	bool ok;

	cli_safe(&safe, sv_of(name));
	buf_sv(&b, buf_view(&safe));
	for (unsigned n = 2; is_taken(r, i, buf_cstr(&b)); n++) {
		buf_reset(&b);
		buf_sv(&b, buf_view(&safe));
		buf_addf(&b, "_%u", n);
	}
	r->columns[i].name = b.failed || safe.failed ? NULL : strdup(buf_cstr(&b));
	ok = r->columns[i].name != NULL;
	r->columns[i].width = ok ? width_of(sv_of(r->columns[i].name)) : 0;
	r->columns[i].number = true;
	buf_done(&b);
	buf_done(&safe);
	return ok;
}

struct rows *rows_new(enum rows_format format, const char *const *names, unsigned count)
{
	struct rows *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->format = format;
	r->columns = calloc(count + 1, sizeof(*r->columns));
	r->count = r->columns ? count : 0;
	for (unsigned i = 0; i < r->count; i++) {
		if (!name_column(r, i, names[i])) {
			rows_free(r);
			return NULL;
		}
	}
	if (format == ROWS_CSV || format == ROWS_MARKDOWN)
		add_names(r);
	return r;
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->count; i++)
		free(r->columns[i].name);
	free(r->columns);
	buf_done(&r->out);
	buf_done(&r->cell);
	buf_done(&r->kept);
	free(r);
}

int rows_add(struct rows *r, const struct rows_cell *cells)
{
	static void (*const add[])(struct rows *,
				   const struct rows_cell *) = {[ROWS_TEXT] = add_text,
								[ROWS_CSV] = add_csv,
								[ROWS_JSONL] = add_json,
								[ROWS_MARKDOWN] = add_markdown};

	add[r->format](r, cells);
	return r->out.len < WRITE_AT ? 0 : cli_write(&r->out);
}

int rows_end(struct rows *r)
{
	if (r->format == ROWS_TEXT && !r->learned && r->count)
		put_kept(r);
	return cli_write(&r->out);
}
