/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of HTML: texts, numbers, times, cells. */
#include "report/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

/* --- texts */

/* How many bytes of @s to show: at most @max, and no part of a character. */
static size_t clip(struct sv s, size_t max)
{
	if (s.n <= max)
		return s.n;
	while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void html_clipped(struct html *h, struct sv s, size_t max)
{
	size_t n = clip(s, max);

	escape_html(h->b, sv_make(s.p, n));
	if (n == s.n)
		return;
	buf_lit(h->b, "<span class=\"soft\"> … ");
	html_count(h, s.n - n, "byte more", "bytes more");
	buf_lit(h->b, "</span>");
}

void html_text(struct html *h, struct sv s)
{
	html_clipped(h, s, HTML_TEXT_MAX);
}

/* The lines of @s, without blanks at its end. */
static void lines(struct html *h, struct sv s)
{
	size_t left = HTML_LONG_MAX;

	while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4))
		s.n--;
	while (s.n && left) {
		const char *end = memchr(s.p, '\n', s.n);
		struct sv line = sv_make(s.p, end ? (size_t)(end - s.p) : s.n);

		html_clipped(h, line, left);
		left -= line.n < left ? line.n : left;
		if (end)
			buf_char(h->b, '\n');
		s = sv_drop(s, line.n + (end ? 1 : 0));
	}
	if (s.n) {
		buf_lit(h->b, "<span class=\"soft\">… ");
		html_count(h, s.n, "byte more", "bytes more");
		buf_lit(h->b, "</span>");
	}
}

void html_pre(struct html *h, struct sv s)
{
	buf_lit(h->b, "<pre>");
	lines(h, s);
	buf_lit(h->b, "</pre>\n");
}

void html_paragraph(struct html *h, struct sv s)
{
	if (!s.n)
		return;
	buf_lit(h->b, "<p>");
	lines(h, s);
	buf_lit(h->b, "</p>\n");
}

static void element(struct html *h, const char *name, struct sv s)
{
	if (!s.p) {
		buf_char(h->b, '-');
		return;
	}
	buf_addf(h->b, "<%s>", name);
	html_text(h, s);
	buf_addf(h->b, "</%s>", name);
}

void html_bdi(struct html *h, struct sv s)
{
	element(h, "bdi", s);
}

void html_code(struct html *h, struct sv s)
{
	element(h, "code", s);
}

/* --- numbers and times */

void html_number(struct html *h, int64_t n)
{
	char digits[24];
	int len;

	if (n < 0) {
		buf_char(h->b, '-');
		return;
	}
	len = snprintf(digits, sizeof(digits), "%" PRId64, n);
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_char(h->b, ',');
		buf_char(h->b, digits[i]);
	}
}

void html_bytes(struct html *h, int64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	int64_t unit = 1;
	size_t u = 0;

	if (n < 0) {
		buf_char(h->b, '-');
		return;
	}
	for (; n / unit >= 1000; u++)
		unit *= 1000;
	buf_addf(h->b, "%" PRId64, n / unit);
	if (u)
		buf_addf(h->b, ".%" PRId64, n % unit / (unit / 10));
	buf_addf(h->b, " %s", units[u]);
}

/* "2026-11-22 03:02:21" and @digits of the fraction. */
static void put_time(struct html *h, int64_t ts, size_t digits)
{
	size_t start = h->scratch.len;
	struct sv s;

	rep_time(&h->scratch, ts);
	s = sv_drop(buf_view(&h->scratch), start);
	if (s.n < 30) { /* not known */
		buf_sv(h->b, s);
	} else {
		buf_lit(h->b, "<time datetime=\"");
		buf_sv(h->b, s);
		buf_lit(h->b, "\">");
		buf_add(h->b, s.p, 10);
		buf_char(h->b, ' ');
		buf_add(h->b, s.p + 11, 8);
		if (digits)
			buf_add(h->b, s.p + 19, digits + 1);
		buf_lit(h->b, "</time>");
	}
	h->scratch.len = start;
}

void html_time(struct html *h, int64_t ts)
{
	put_time(h, ts, 3);
}

void html_exact_time(struct html *h, int64_t ts)
{
	put_time(h, ts, 9);
}

void html_count(struct html *h, uint64_t n, const char *one, const char *many)
{
	html_number(h, n > INT64_MAX ? INT64_MAX : (int64_t)n);
	buf_addf(h->b, " %s", n == 1 ? one : many);
}

void html_badge(struct html *h, int severity)
{
	buf_addf(h->b, "<span class=\"sev s%d\">%s</span>", severity, rep_severity_names[severity]);
}

void html_legend(struct html *h)
{
	buf_lit(h->b, "<ul class=\"legend\" aria-label=\"Alerts by severity\">");
	for (int s = 0; s < REP_SEVERITIES; s++) {
		if (!h->by_severity[s])
			continue;
		buf_lit(h->b, "<li>");
		html_badge(h, s);
		buf_char(h->b, ' ');
		html_number(h, (int64_t)h->by_severity[s]);
		buf_lit(h->b, "</li>");
	}
	buf_lit(h->b, "</ul>\n");
}

/* --- tables */

void html_cell(struct html *h, struct sv s)
{
	buf_lit(h->b, "<td>");
	if (s.p)
		html_text(h, s);
	else
		buf_char(h->b, '-');
	buf_lit(h->b, "</td>");
}

void html_code_cell(struct html *h, struct sv s)
{
	buf_lit(h->b, "<td>");
	html_code(h, s);
	buf_lit(h->b, "</td>");
}

void html_number_cell(struct html *h, int64_t n)
{
	buf_addf(h->b, "<td class=\"n\" data-v=\"%" PRId64 "\">", n);
	html_number(h, n);
	buf_lit(h->b, "</td>");
}

void html_bytes_cell(struct html *h, int64_t n)
{
	buf_addf(h->b, "<td class=\"n\" data-v=\"%" PRId64 "\">", n);
	html_bytes(h, n);
	buf_lit(h->b, "</td>");
}

void html_time_cell(struct html *h, int64_t ts)
{
	buf_addf(h->b, "<td class=\"t\" data-v=\"%" PRId64 "\">", ts);
	html_time(h, ts);
	buf_lit(h->b, "</td>");
}

void html_pair(struct html *h, const char *name, struct sv s)
{
	if (!s.p)
		return;
	buf_addf(h->b, "<tr><th scope=\"row\">%s</th><td>", name);
	html_code(h, s);
	buf_lit(h->b, "</td></tr>\n");
}

void html_pair_number(struct html *h, const char *name, int64_t n)
{
	if (n >= 0)
		buf_addf(h->b,
			 "<tr><th scope=\"row\">%s</th><td><code>%" PRId64 "</code></td></tr>\n",
			 name, n);
}

void html_table(struct html *h, const char *attributes, const char *caption, const char *heads)
{
	buf_addf(h->b, "<div class=\"scroll\"><table%s>\n<caption>%s</caption>\n<thead><tr>",
		 attributes, caption);
	while (*heads) {
		size_t n = 0;
		bool number = *heads == '#';

		heads += number;
		while (heads[n] && heads[n] != '|')
			n++;
		buf_addf(h->b, "<th scope=\"col\"%s>%.*s</th>", number ? " class=\"n\"" : "",
			 (int)n, heads);
		heads += n + (heads[n] == '|');
	}
	buf_lit(h->b, "</tr></thead>\n<tbody>\n");
}

void html_table_end(struct html *h)
{
	buf_lit(h->b, "</tbody></table></div>\n");
}

void html_left_out(struct html *h, uint64_t shown, uint64_t all, const char *what)
{
	if (shown >= all)
		return;
	buf_lit(h->b, "<p class=\"left-out\">Not everything is shown: ");
	html_number(h, (int64_t)shown);
	buf_lit(h->b, " of ");
	html_number(h, (int64_t)all);
	buf_addf(h->b, " %s are here, ", what);
	html_number(h, (int64_t)(all - shown));
	buf_lit(h->b, " are left out.</p>\n");
}

int html_row(struct html *h)
{
	if (h->scratch.failed)
		return error_nomem(h->err);
	return rep_out_row(h->out, h->err);
}
