/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved questions and the description of the schema, both as the texts that people read: files of
 * queries/ and docs/case-schema.md, which the build puts into the program.
 */
#include "query/ask.h"

#include <string.h>

/* --- questions */

const struct qry_saved *qry_saved_find(const char *name)
{
	for (const struct qry_saved *s = qry_saved; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static struct sv line_at(const char *text)
{
	return sv_make(text, strcspn(text, "\n"));
}

static struct sv trim(struct sv s)
{
	while (s.n && s.p[0] == ' ')
		s = sv_drop(s, 1);
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

struct sv qry_saved_question(const char *text)
{
	/* SPDX lines come first. */
	while (strncmp(text, "-- SPDX", 7) == 0)
		text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
	return strncmp(text, "-- ", 3) == 0 ? trim(sv_drop(line_at(text), 3)) : SV_NONE;
}

bool qry_saved_parameter(const char *text, size_t *at, struct qry_parameter *out)
{
	while (text[*at]) {
		struct sv line = line_at(text + *at);
		const char *equals, *colon;

		*at += line.n + (text[*at + line.n] == '\n');
		if (!sv_starts(line, SV_LIT("-- :")))
			continue;
		line = sv_drop(line, 4);
		*out = (struct qry_parameter){.name = line};
		colon = memmem(line.p, line.n, ": ", 2);
		if (colon) {
			out->name.n = (size_t)(colon - line.p);
			out->meaning = trim(sv_drop(line, out->name.n + 1));
		}
		equals = memchr(out->name.p, '=', out->name.n);
		if (equals) {
			out->value = trim(
			    sv_make(equals + 1, out->name.n - (size_t)(equals - out->name.p) - 1));
			out->name.n = (size_t)(equals - out->name.p);
		}
		out->name = trim(out->name);
		return true;
	}
	return false;
}

/* --- descriptions */

bool qry_described_next(size_t *at, struct qry_described *out)
{
	const char *text = qry_schema_text, *start = strstr(text + *at, "\n### `"), *end, *table;

	if (!start)
		return false;
	start += strlen("\n### `");
	out->name = sv_make(start, strcspn(start, "`"));
	start += strcspn(start, "\n");
	end = strstr(start, "\n##");
	if (!end)
		end = start + strlen(start);
	*at = (size_t)(end - text);
	table = memmem(start, (size_t)(end - start), "\n|", 2);
	out->columns = table ? sv_make(table + 1, (size_t)(end - table) - 1) : SV_NONE;
	start += strspn(start, "\n");
	out->summary = start < (table ? table : end)
			   ? sv_make(start, (size_t)((table ? table : end) - start))
			   : SV_NONE;
	while (out->summary.n && out->summary.p[out->summary.n - 1] == '\n')
		out->summary.n--;
	return true;
}

bool qry_described_column(const struct qry_described *d, size_t *at, struct sv *name,
			  struct sv *meaning)
{
	while (*at < d->columns.n) {
		struct sv rest = sv_drop(d->columns, *at), line;
		const char *end = memchr(rest.p, '\n', rest.n), *bar;

		line = sv_make(rest.p, end ? (size_t)(end - rest.p) : rest.n);
		*at += line.n + 1;
		if (!sv_starts(line, SV_LIT("| `")))
			continue;
		line = sv_drop(line, 3);
		bar = memmem(line.p, line.n, "` | ", 4);
		if (!bar)
			continue;
		*name = sv_make(line.p, (size_t)(bar - line.p));
		*meaning = sv_drop(line, name->n + 4);
		if (sv_ends(*meaning, SV_LIT(" |")))
			meaning->n -= 2;
		return true;
	}
	return false;
}
