/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table_formats.h"

#include "base/escape.h"
#include "base/json.h"
#include "report/assets.h"
#include "report/html_policy.h"

#define WIDTH_MAX 200 /* columns; what is wider moves the rest of its line */

static const struct tui_column *column(const struct table_sheet *s, unsigned i)
{
	return &s->columns[s->shown[i]];
}

static bool is_right(const struct table_sheet *s, unsigned i)
{
	return (column(s, i)->flags & TUI_COLUMN_RIGHT) != 0;
}

/* --- .txt */

static void pad(struct buf *out, int n)
{
	for (; n > 0; n--)
		buf_char(out, ' ');
}

static void aligned(const struct table_sheet *s, unsigned i, struct sv text, struct buf *out)
{
	const int blank = s->widths[i] - tui_width(text);

	if (i)
		buf_lit(out, "  ");
	if (is_right(s, i))
		pad(out, blank);
	escape_text(out, text);
	if (!is_right(s, i) && i + 1 < s->count)
		pad(out, blank);
}

static bool text_head(const struct table_sheet *s, struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++)
		aligned(s, i, sv_of(column(s, i)->title), out);
	buf_char(out, '\n');
	return true;
}

static void text_row(const struct table_sheet *s, const struct tui_rows *rows, size_t row,
		     struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++)
		aligned(s, i, tui_rows_text(rows, row, s->shown[i]), out);
	buf_char(out, '\n');
}

static void widen(const struct table_sheet *s, unsigned i, struct sv text)
{
	int width = tui_width(text);

	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	if (width > s->widths[i])
		s->widths[i] = width;
}

void table_measure(const struct table_sheet *s, const struct tui_rows *rows, size_t row)
{
	for (unsigned i = 0; i < s->count; i++) {
		widen(s, i, sv_of(column(s, i)->title));
		widen(s, i, tui_rows_text(rows, row, s->shown[i]));
	}
}

/* --- .csv */

static bool csv_head(const struct table_sheet *s, struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (i)
			buf_char(out, ',');
		escape_csv(out, sv_of(column(s, i)->name));
	}
	buf_lit(out, "\r\n");
	return true;
}

static void csv_row(const struct table_sheet *s, const struct tui_rows *rows, size_t row,
		    struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (i)
			buf_char(out, ',');
		escape_csv(out, tui_rows_text(rows, row, s->shown[i]));
	}
	buf_lit(out, "\r\n");
}

/* --- .jsonl */

static bool json_head(const struct table_sheet *s, struct buf *out)
{
	(void)s;
	(void)out;
	return true;
}

static void json_row(const struct table_sheet *s, const struct tui_rows *rows, size_t row,
		     struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++) {
		buf_char(out, i ? ',' : '{');
		json_string(out, sv_of(column(s, i)->name));
		buf_char(out, ':');
		json_string(out, tui_rows_text(rows, row, s->shown[i]));
	}
	buf_lit(out, "}\n");
}

/* --- .md */

static bool markdown_head(const struct table_sheet *s, struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++) {
		buf_lit(out, "| ");
		escape_markdown(out, sv_of(column(s, i)->title));
		buf_char(out, ' ');
	}
	buf_lit(out, "|\n");
	for (unsigned i = 0; i < s->count; i++)
		buf_str(out, is_right(s, i) ? "| ---: " : "| --- ");
	buf_lit(out, "|\n");
	return true;
}

static void markdown_row(const struct table_sheet *s, const struct tui_rows *rows, size_t row,
			 struct buf *out)
{
	for (unsigned i = 0; i < s->count; i++) {
		buf_lit(out, "| ");
		escape_markdown(out, tui_rows_text(rows, row, s->shown[i]));
		buf_char(out, ' ');
	}
	buf_lit(out, "|\n");
}

/* --- .html */

static bool html_head(const struct table_sheet *s, struct buf *out)
{
	buf_lit(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	if (!rep_html_policy(out, false))
		return false;
	buf_lit(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		     "<title>Scapula: rows of a view</title>\n<style>");
	buf_add(out, embedded_style_css, embedded_style_css_length);
	buf_lit(out, "</style>\n</head>\n<body>\n<main>\n<table>\n<thead>\n<tr>");
	for (unsigned i = 0; i < s->count; i++) {
		buf_lit(out, "<th scope=\"col\">");
		escape_html(out, sv_of(column(s, i)->title));
		buf_lit(out, "</th>");
	}
	buf_lit(out, "</tr>\n</thead>\n<tbody>\n");
	return true;
}

static void html_row(const struct table_sheet *s, const struct tui_rows *rows, size_t row,
		     struct buf *out)
{
	buf_lit(out, "<tr>");
	for (unsigned i = 0; i < s->count; i++) {
		buf_lit(out, "<td>");
		escape_html(out, tui_rows_text(rows, row, s->shown[i]));
		buf_lit(out, "</td>");
	}
	buf_lit(out, "</tr>\n");
}

static void html_tail(struct buf *out)
{
	buf_lit(out, "</tbody>\n</table>\n</main>\n</body>\n</html>\n");
}

static const struct table_format formats[] = {
    {".txt", true, text_head, text_row, NULL},
    {".csv", false, csv_head, csv_row, NULL},
    {".jsonl", false, json_head, json_row, NULL},
    {".md", false, markdown_head, markdown_row, NULL},
    {".html", false, html_head, html_row, html_tail},
};

const struct table_format *table_format_of(struct sv path)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (sv_ends(path, sv_of(formats[i].suffix)))
			return &formats[i];
	return NULL;
}

void table_format_names(struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		buf_addf(out, "%s%s", i ? ", " : "", formats[i].suffix);
}
