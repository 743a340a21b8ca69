/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sheet made of a custody log that anybody may have written, as text, Markdown and HTML. The
 * input is texts divided by line feeds: who, reason and the names of files, entry by entry. Nothing
 * of them is markup or does something to a terminal: HTML has no tags but the sheet's own, each row
 * of a Markdown table has the cells of its head, and there are no addresses that become links.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/custody_form.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)
#define ENTRIES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what must hold ---- */

static void check_text(struct sv text)
{
	while (text.n) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(text, &cp, &bad);

		CHECK(n && (cp == '\n' || !utf8_is_harmful(cp)));
		text = sv_drop(text, n);
	}
}

static bool is_own_tag(struct sv tag)
{
	static const char *const own[] = {"!DOCTYPE html",
					  "html lang=\"en\"",
					  "head",
					  "title",
					  "style",
					  "body",
					  "h1",
					  "h2",
					  "table",
					  "thead",
					  "tbody",
					  "tr",
					  "th scope=\"col\"",
					  "td",
					  "td class=\"blank\"",
					  "p",
					  "br",
					  "code",
					  "th",
					  "html"};

	if (tag.n && tag.p[0] == '/')
		tag = sv_drop(tag, 1);
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (sv_is(tag, own[i]))
			return true;
	return sv_starts(tag, SV_LIT("meta "));
}

static void check_html(struct sv text)
{
	while (text.n) {
		const char *open = memchr(text.p, '<', text.n), *close;

		if (!open)
			break;
		text = sv_drop(text, (size_t)(open + 1 - text.p));
		close = text.n ? memchr(text.p, '>', text.n) : NULL;
		CHECK(close && is_own_tag(sv_make(text.p, (size_t)(close - text.p))));
		text = sv_drop(text, (size_t)(close + 1 - text.p));
	}
}

static size_t count_cells(struct sv line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\\')
			i++;
		else if (line.p[i] == '|')
			n++;
		else
			CHECK(!strchr("<>[]", line.p[i]));
	}
	return n;
}

static void check_markdown(struct sv text)
{
	size_t cells = 0;

	CHECK(!sv_contains(text, SV_LIT("://")) && !sv_contains(text, SV_LIT("www.")));
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct sv line = sv_make(text.p, end ? (size_t)(end - text.p) : text.n);

		if (line.n && line.p[0] == '|') {
			CHECK(!cells || cells == count_cells(line));
			cells = count_cells(line);
		} else {
			cells = 0;
		}
		text = sv_drop(text, line.n + (end != NULL));
	}
}

/* ---- a log ---- */

static char *next_text(struct sv *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	char *text = strndup(n ? rest->p : "", n);

	CHECK(text);
	if (rest->n)
		*rest = sv_drop(*rest, n + (end != NULL));
	return text;
}

static void add_entry(struct custody_sheet *s, uint64_t n, struct sv *rest)
{
	char *who = next_text(rest), *reason = next_text(rest), *name = next_text(rest);
	struct custody_file file = {.name = name, .size = n, .hashed = n % 3 != 2};
	const struct custody_line l = {.n = n,
				       .ts = reason,
				       .login = who,
				       .name = n % 2 ? who : "",
				       .host = name,
				       .action = who,
				       .tool = "",
				       .reason = reason,
				       .inputs = {.list = &file, .count = 1},
				       .outputs = {.left_out = n}};

	file.sha256[0] = (uint8_t)(n / 2);
	CHECK(custody_sheet_line(s, &l) == 0);
	free(who);
	free(reason);
	free(name);
}

static void make_sheet(enum custody_form form, struct sv input)
{
	struct custody_report r = {.broken = input.n % 2};
	char *title = next_text(&input);
	struct custody_sheet s = {.form = form, .title = title};
	struct buf out = {0};

	for (; input.n && r.lines < ENTRIES_MAX; r.lines++)
		add_entry(&s, r.lines, &input);
	snprintf(r.what, sizeof(r.what), "%s", title);
	custody_sheet_write(&s, &r, &out);
	CHECK(!out.failed);
	check_text(buf_view(&out));
	if (form == CUSTODY_FORM_HTML)
		check_html(buf_view(&out));
	if (form == CUSTODY_FORM_MARKDOWN)
		check_markdown(buf_view(&out));
	custody_sheet_done(&s);
	buf_done(&out);
	free(title);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int form = CUSTODY_FORM_TEXT; form <= CUSTODY_FORM_HTML; form++)
		make_sheet((enum custody_form)form, sv_make(data, size));
	return 0;
}
