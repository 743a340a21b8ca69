/* SPDX-License-Identifier: Apache-2.0 */
/* The time line: a chart of alerts over time, and the same as a table. */
#include <inttypes.h>

#include "report/html.h"

#define WIDTH	960 /* of the drawing, without the axis */
#define HEIGHT	190
#define LEFT	56
#define TOP	12
#define BUCKETS 96
#define LABELS	6 /* along the axis of time, about */
#define LEAST	2 /* height of what would be too small to be seen */

static uint64_t sum_of(const uint64_t n[REP_SEVERITIES])
{
	uint64_t sum = 0;

	for (int s = 0; s < REP_SEVERITIES; s++)
		sum += n[s];
	return sum;
}

static uint64_t highest(const struct rep_timeline *t)
{
	uint64_t most = 1;

	for (unsigned i = 0; i < t->count; i++)
		if (sum_of(t->alerts[i]) > most)
			most = sum_of(t->alerts[i]);
	return most;
}

/* The next number that begins with 1, 2 or 5 and is no less. */
static uint64_t round_up(uint64_t n)
{
	uint64_t unit = 1;

	while (unit < UINT64_MAX / 100 && unit * 10 <= n)
		unit *= 10;
	return n <= unit ? unit : n <= 2 * unit ? 2 * unit : n <= 5 * unit ? 5 * unit : 10 * unit;
}

static void number_at(struct html *h, const char *what, double value)
{
	buf_addf(h->b, " %s=\"%d\"", what, (int)(value + 0.5));
}

static void grid(struct html *h, uint64_t top)
{
	for (unsigned i = 0; i <= 4; i++) {
		uint64_t value = top * i / 4;
		double y = TOP + HEIGHT - (double)HEIGHT * i / 4;

		if (top * i % 4)
			continue; /* no whole number */
		buf_addf(h->b, "<line class=\"grid\" x1=\"%d\" x2=\"%d\"", LEFT, LEFT + WIDTH);
		number_at(h, "y1", y);
		number_at(h, "y2", y);
		buf_addf(h->b, "/><text x=\"%d\"", LEFT - 8);
		number_at(h, "y", y + 4);
		buf_lit(h->b, " text-anchor=\"end\">");
		html_number(h, (int64_t)value);
		buf_lit(h->b, "</text>\n");
	}
}

/* "03:02:21", with as much behind it as the width of a bucket needs. */
static void label_text(struct html *h, const struct rep_timeline *t, int64_t ts)
{
	size_t start = h->scratch.len;
	struct sv s;

	rep_time(&h->scratch, ts);
	s = sv_drop(buf_view(&h->scratch), start);
	if (s.n < 30) {
		buf_sv(h->b, s); /* the first column may begin with the epoch */
	} else if (t->width >= INT64_C(3600000000000)) {
		buf_add(h->b, s.p, 10);
		buf_char(h->b, ' ');
		buf_add(h->b, s.p + 11, 5);
	} else {
		buf_add(h->b, s.p + 11, 8);
		if (t->width < 1000000000)
			buf_add(h->b, s.p + 19, t->width < 1000000 ? 7 : 4);
	}
	h->scratch.len = start;
}

static void labels(struct html *h, const struct rep_timeline *t)
{
	unsigned step = (t->count + LABELS - 1) / LABELS;

	for (unsigned i = 0; i < t->count; i += step) {
		double x = LEFT + (double)WIDTH * i / t->count;

		buf_lit(h->b, "<line class=\"axis\"");
		number_at(h, "x1", x);
		number_at(h, "x2", x);
		buf_addf(h->b, " y1=\"%d\" y2=\"%d\"/><text", TOP + HEIGHT, TOP + HEIGHT + 5);
		number_at(h, "x", x);
		buf_addf(h->b, " y=\"%d\">", TOP + HEIGHT + 18);
		label_text(h, t, t->first_ts + (int64_t)i * t->width);
		buf_lit(h->b, "</text>\n");
	}
}

static void bar_title(struct html *h, const struct rep_timeline *t, unsigned i)
{
	buf_lit(h->b, "<title>");
	label_text(h, t, t->first_ts + (int64_t)i * t->width);
	for (int s = 0; s < REP_SEVERITIES; s++)
		if (t->alerts[i][s])
			buf_addf(h->b, ", %s %" PRIu64, rep_severity_names[s], t->alerts[i][s]);
	buf_lit(h->b, "</title>");
}

static void bar(struct html *h, const struct rep_timeline *t, unsigned i, uint64_t top)
{
	double y = TOP + HEIGHT, x = LEFT + (double)WIDTH * i / t->count;
	double width = (double)WIDTH / t->count;

	if (!sum_of(t->alerts[i]))
		return;
	buf_lit(h->b, "<g>");
	bar_title(h, t, i);
	for (int s = 0; s < REP_SEVERITIES; s++) {
		double height = (double)t->alerts[i][s] * HEIGHT / (double)top;

		if (!t->alerts[i][s])
			continue;
		if (height < LEAST)
			height = LEAST;
		y -= height;
		buf_addf(
		    h->b,
		    "<rect class=\"b%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", s,
		    x + 0.5, y, width > 2 ? width - 1 : width, height);
	}
	buf_lit(h->b, "</g>\n");
}

static void chart(struct html *h, const struct rep_timeline *t)
{
	uint64_t top = round_up(highest(t));

	buf_addf(h->b,
		 "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"chart-name\" "
		 "aria-describedby=\"chart-text\">\n",
		 LEFT + WIDTH + 16, TOP + HEIGHT + 26);
	buf_lit(h->b, "<title id=\"chart-name\">Alerts over time, by severity</title>\n");
	grid(h, top);
	for (unsigned i = 0; i < t->count; i++)
		bar(h, t, i, top);
	buf_addf(h->b, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT,
		 LEFT + WIDTH, TOP + HEIGHT, TOP + HEIGHT);
	labels(h, t);
	buf_lit(h->b, "</svg>\n");
}

static void width_text(struct html *h, int64_t ns)
{
	static const struct {
		int64_t ns;
		const char *one, *many;
	} units[] = {
	    {INT64_C(86400000000000), "day", "days"},	 {INT64_C(3600000000000), "hour", "hours"},
	    {INT64_C(60000000000), "minute", "minutes"}, {1000000000, "second", "seconds"},
	    {1000000, "millisecond", "milliseconds"},	 {1000, "microsecond", "microseconds"}};
	size_t i = 0;

	while (i + 1 < COUNT_OF(units) && ns % units[i].ns)
		i++;
	html_count(h, (uint64_t)(ns / units[i].ns), units[i].one, units[i].many);
}

/* What the chart shows, for who does not see it. */
static void describe(struct html *h, const struct rep_timeline *t)
{
	uint64_t most = highest(t);
	unsigned at = 0;

	while (sum_of(t->alerts[at]) < most && at + 1 < t->count)
		at++;
	buf_lit(h->b, "<figcaption id=\"chart-text\" class=\"note\">Each column is ");
	width_text(h, t->width);
	buf_lit(h->b, ", the gravest alerts are at its foot. The first column begins at ");
	html_time(h, t->first_ts);
	buf_lit(h->b, " UTC; most alerts, ");
	html_number(h, (int64_t)most);
	buf_lit(h->b, ", are in that of ");
	html_time(h, t->first_ts + (int64_t)at * t->width);
	buf_lit(h->b, ".</figcaption>\n");
}

static int as_table(struct html *h, const struct rep_timeline *t)
{
	int rc = 0;

	buf_lit(h->b, "<details><summary>The same as a table</summary>\n");
	html_table(h, "", "Alerts in each part of the time that has any",
		   "From (UTC)|#Emergency|#Alert|#Critical|#Error|#Warning|#Notice|#Informational|"
		   "#Debug");
	for (unsigned i = 0; i < t->count && rc == 0; i++) {
		if (!sum_of(t->alerts[i]))
			continue;
		buf_lit(h->b, "<tr>");
		html_time_cell(h, t->first_ts + (int64_t)i * t->width);
		for (int s = 0; s < REP_SEVERITIES; s++)
			html_number_cell(h, (int64_t)t->alerts[i][s]);
		buf_lit(h->b, "</tr>\n");
		rc = html_row(h);
	}
	html_table_end(h);
	buf_lit(h->b, "</details>\n");
	return rc;
}

int html_timeline(struct html *h)
{
	struct rep_timeline t;
	int rc = rep_timeline_of(h->c, BUCKETS, &t, h->err);

	if (rc < 0 || !t.count)
		return rc;
	buf_lit(h->b, "<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">When</h2>\n"
		      "<figure>\n");
	chart(h, &t);
	html_legend(h);
	describe(h, &t);
	buf_lit(h->b, "</figure>\n");
	rc = as_table(h, &t);
	buf_lit(h->b, "</section>\n");
	return rc;
}
