/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Markdown report of a case whose texts are the input: rows have as many cells as their heads,
 * and none of the characters that begin markup stands unescaped but those of ours.
 */
#include "tests/fuzz/report_case.h"

/* Bars that end cells. */
static size_t cells(struct sv line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\\')
			i++;
		else
			n += line.p[i] == '|';
	}
	return n;
}

static size_t count(struct sv s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else
			n += s.p[i] == c;
	}
	return n;
}

static void check_line(struct sv line)
{
	static const char wild[] = "<`[]!@&~${}_";

	for (size_t i = 0; i + 1 < sizeof(wild); i++)
		report_must(count(line, wild[i]) == 0, "a character that begins markup");
	for (size_t i = 0; i < line.n; i++) {
		bool scheme = sv_starts(sv_drop(line, i), SV_LIT("://"));

		report_must(!scheme || (i && line.p[i - 1] == '\\'), "a link by its scheme");
		report_must(!sv_starts(sv_drop(line, i), SV_LIT("www.")), "a link by its name");
	}
}

static void check_markdown(struct sv s)
{
	size_t width = 0; /* of the table that this line is in */

	report_must(sv_starts(s, SV_LIT("# ")), "no title");
	while (s.n) {
		const char *end = memchr(s.p, '\n', s.n);
		struct sv line;

		report_must(end != NULL, "a line without an end");
		line = sv_make(s.p, (size_t)(end - s.p));
		s = sv_drop(s, line.n + 1);
		check_line(line);
		if (!sv_starts(line, SV_LIT("|"))) {
			width = 0;
			continue;
		}
		report_must(!width || cells(line) == width, "a row with another number of cells");
		width = cells(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf wild, tame, text;
	const struct rep_options opt = {.made = -1, .title = "a title"};

	buf_reset(&wild);
	buf_reset(&tame);
	buf_reset(&text);
	report_of(data, size, &opt, rep_write_markdown, &wild);
	report_check_text(buf_view(&wild));
	check_markdown(buf_view(&wild));
	report_tame(data, size, "<&\"'*#|`", &text);
	if (text.len == size && (!size || memcmp(text.p, data, size) == 0))
		return 0;
	report_of((const uint8_t *)text.p, text.len, &opt, rep_write_markdown, &tame);
	report_must(count(buf_view(&wild), '*') == count(buf_view(&tame), '*') &&
			count(buf_view(&wild), '#') == count(buf_view(&tame), '#') &&
			count(buf_view(&wild), '\n') == count(buf_view(&tame), '\n'),
		    "a text became markup");
	return 0;
}
