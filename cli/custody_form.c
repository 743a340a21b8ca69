/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/custody_form.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define BLANK_ROWS 6 /* for those who get it later, on paper */

static const char style[] =
    "body{font:11pt/1.4 serif;margin:2em;max-width:60em}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}"
    "th,td{border:1px solid #444;padding:.3em .5em;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}"
    "th{background:#eee}td.blank{height:2.2em}code{font-size:85%}"
    "@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}";

static const char *const handling[] = {"Case or reference number", "Serial number, MAC, address",
				       "Collected by (name, title, phone)", "Storage location"};
static const char *const signing[] = {"Date, time, zone", "Released by (name, signature)",
				      "Received by (name, signature)", "Purpose, location"};

/* ---- text that is only text ---- */

static void hex(struct buf *b, const uint8_t digest[CUSTODY_DIGEST])
{
	for (int i = 0; i < CUSTODY_DIGEST; i++)
		buf_addf(b, "%02x", digest[i]);
}

void custody_add_who(struct buf *b, const struct custody_line *l)
{
	if (*l->name)
		buf_addf(b, "%s (", l->name);
	buf_addf(b, "%s at %s", *l->login ? l->login : "?", l->host);
	if (*l->name)
		buf_char(b, ')');
}

static void add_file(struct buf *b, const struct custody_file *f)
{
	buf_str(b, f->name);
	if (!f->hashed)
		return;
	buf_addf(b, " (%" PRIu64 " bytes, sha-256 ", f->size);
	hex(b, f->sha256);
	buf_char(b, ')');
}

void custody_add_files(struct buf *b, const struct custody_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		buf_str(b, i ? ", " : "");
		add_file(b, &f->list[i]);
	}
	if (f->left_out)
		buf_addf(b, "%s%" PRIu64 " more", f->count ? ", and " : "", f->left_out);
}

static void markdown_text(struct buf *b, struct sv text)
{
	for (size_t i = 0; i < text.n; i++) {
		struct sv rest = sv_drop(text, i);

		/* What looks like an address becomes a link by itself. */
		if (sv_starts(rest, SV_LIT("www.")) || sv_starts(rest, SV_LIT(":/"))) {
			buf_addf(b, "&#%d;", text.p[i]);
			continue;
		}
		if (strchr("\\`*_{}[]<>()#+!|~&", text.p[i]))
			buf_char(b, '\\');
		buf_char(b, text.p[i]);
	}
}

static void html_text(struct buf *b, struct sv text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("<>&\"'", text.p[i]))
			buf_addf(b, "&#%d;", text.p[i]);
		else
			buf_char(b, text.p[i]);
	}
}

/* @text may come from anybody. */
static void add_text(enum custody_form form, struct buf *b, struct sv text)
{
	struct buf safe = {0};

	if (!text.n)
		return;
	cli_safe(&safe, text);
	switch (form) {
	case CUSTODY_FORM_TEXT:
		buf_sv(b, buf_view(&safe));
		break;
	case CUSTODY_FORM_MARKDOWN:
		markdown_text(b, buf_view(&safe));
		break;
	case CUSTODY_FORM_HTML:
		html_text(b, buf_view(&safe));
		break;
	}
	b->failed |= safe.failed;
	buf_done(&safe);
}

void custody_markdown_cell(struct buf *b, struct sv text)
{
	buf_lit(b, "| ");
	add_text(CUSTODY_FORM_MARKDOWN, b, text);
	buf_char(b, ' ');
}

/* ---- tables ---- */

static void table_begin(enum custody_form form, struct buf *b, const char *const *heads, size_t n)
{
	if (form == CUSTODY_FORM_TEXT)
		return;
	buf_str(b, form == CUSTODY_FORM_HTML ? "<table>\n<thead><tr>" : "");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, form == CUSTODY_FORM_HTML ? "<th scope=\"col\">%s</th>" : "| %s ",
			 heads[i]);
	if (form == CUSTODY_FORM_HTML) {
		buf_lit(b, "</tr></thead>\n<tbody>\n");
		return;
	}
	buf_lit(b, "|\n");
	for (size_t i = 0; i < n; i++)
		buf_lit(b, "|---");
	buf_lit(b, "|\n");
}

static void table_end(enum custody_form form, struct buf *b)
{
	buf_str(b, form == CUSTODY_FORM_HTML ? "</tbody>\n</table>\n" : "\n");
}

/* For reading, each cell that has something is a line under the first. */
static void row(enum custody_form form, struct buf *b, const char *const *heads,
		const struct sv *cells, size_t n)
{
	buf_str(b, form == CUSTODY_FORM_HTML ? "<tr>" : "");
	for (size_t i = 0; i < n; i++) {
		if (form == CUSTODY_FORM_HTML) {
			buf_str(b, cells[i].n ? "<td>" : "<td class=\"blank\">");
			add_text(form, b, cells[i]);
			buf_lit(b, "</td>");
		} else if (form == CUSTODY_FORM_MARKDOWN) {
			custody_markdown_cell(b, cells[i]);
		} else if (cells[i].n) {
			buf_addf(b, "%s%-10s ", i ? "    " : "", heads[i]);
			add_text(form, b, cells[i]);
			buf_char(b, '\n');
		}
	}
	buf_str(b, form == CUSTODY_FORM_HTML	   ? "</tr>\n"
		   : form == CUSTODY_FORM_MARKDOWN ? "|\n"
						   : "");
}

static void section(enum custody_form form, struct buf *b, const char *title)
{
	static const char *const before[] = {"", "## ", "<h2>"};

	buf_str(b, before[form]);
	buf_str(b, title);
	buf_str(b, form == CUSTODY_FORM_HTML ? "</h2>\n" : "\n\n");
}

/* ---- entries ---- */

static const char *const entry_heads[] = {"Entry", "Time", "Who", "Action", "Reason", "Of", "Made"};
static const char *const item_heads[] = {"Item", "Name", "Bytes", "SHA-256", "Since entry"};

static int note_item(struct custody_sheet *s, const struct custody_file *f, uint64_t n)
{
	struct sv key = sv_make((const char *)f->sha256, CUSTODY_DIGEST);
	struct custody_item *items = s->items;

	if (!f->hashed || smap_get(&s->by_hash, key))
		return 0;
	if (s->nitems == CUSTODY_ITEMS_MAX) {
		s->left_out++;
		return 0;
	}
	if (s->nitems == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 32;
		items = realloc(items, s->cap * sizeof(*items));
		if (!items)
			return ERR_NOMEM;
		s->items = items;
	}
	key = arena_sv(&s->arena, key);
	items[s->nitems] = (struct custody_item){.file = *f, .n = n};
	items[s->nitems].file.name = arena_strdup(&s->arena, f->name);
	if (!key.p || !items[s->nitems].file.name || smap_put(&s->by_hash, key, s) < 0)
		return ERR_NOMEM;
	s->nitems++;
	return 0;
}

static int note_items(struct custody_sheet *s, const struct custody_files *f, uint64_t n)
{
	int rc = 0;

	for (size_t i = 0; i < f->count && rc == 0; i++)
		rc = note_item(s, &f->list[i], n);
	return rc;
}

int custody_sheet_line(void *sheet, const struct custody_line *l)
{
	struct custody_sheet *s = sheet;
	struct buf who = {0}, inputs = {0}, outputs = {0};
	char number[24];
	int rc = note_items(s, &l->inputs, l->n);

	if (rc == 0)
		rc = note_items(s, &l->outputs, l->n);
	snprintf(number, sizeof(number), "%" PRIu64, l->n);
	custody_add_who(&who, l);
	custody_add_files(&inputs, &l->inputs);
	custody_add_files(&outputs, &l->outputs);
	row(s->form, &s->entries, entry_heads,
	    (struct sv[]){sv_of(number), sv_of(l->ts), buf_view(&who), sv_of(l->action),
			  sv_of(l->reason), buf_view(&inputs), buf_view(&outputs)},
	    COUNT_OF(entry_heads));
	if (who.failed || inputs.failed || outputs.failed || s->entries.failed)
		rc = ERR_NOMEM;
	buf_done(&who);
	buf_done(&inputs);
	buf_done(&outputs);
	return rc;
}

/* ---- the sheet ---- */

static void head(const struct custody_sheet *s, struct buf *b)
{
	struct sv title = s->title ? sv_of(s->title) : SV_NONE;

	if (s->form == CUSTODY_FORM_HTML)
		buf_addf(b,
			 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			 "'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
			 "'none'\">\n<title>Chain of custody</title>\n<style>%s</style>\n</head>\n"
			 "<body>\n<h1>Chain of custody",
			 style);
	else
		buf_str(b, s->form == CUSTODY_FORM_MARKDOWN ? "# Chain of custody"
							    : "CHAIN OF CUSTODY");
	if (title.n) {
		buf_lit(b, ": ");
		add_text(s->form, b, title);
	}
	buf_str(b, s->form == CUSTODY_FORM_HTML ? "</h1>\n" : "\n\n");
}

/* What only people know is left for them to write. */
static void add_handling(enum custody_form form, struct buf *b)
{
	static const char *const heads[] = {"Identification", "To be filled in"};

	table_begin(form, b, heads, COUNT_OF(heads));
	for (size_t i = 0; i < COUNT_OF(handling); i++) {
		if (form == CUSTODY_FORM_TEXT)
			buf_addf(b, "%-36s ______________________________________\n", handling[i]);
		else
			row(form, b, heads, (struct sv[]){sv_of(handling[i]), SV_NONE}, 2);
	}
	table_end(form, b);
}

static void add_items(const struct custody_sheet *s, struct buf *b)
{
	section(s->form, b, "Evidence");
	table_begin(s->form, b, item_heads, COUNT_OF(item_heads));
	for (size_t i = 0; i < s->nitems; i++) {
		const struct custody_item *item = &s->items[i];
		char number[24], bytes[24], since[24];
		struct buf digest = {0};

		snprintf(number, sizeof(number), "%zu", i + 1);
		snprintf(bytes, sizeof(bytes), "%" PRIu64, item->file.size);
		snprintf(since, sizeof(since), "%" PRIu64, item->n);
		hex(&digest, item->file.sha256);
		row(s->form, b, item_heads,
		    (struct sv[]){sv_of(number), sv_of(item->file.name), sv_of(bytes),
				  buf_view(&digest), sv_of(since)},
		    COUNT_OF(item_heads));
		b->failed |= digest.failed;
		buf_done(&digest);
	}
	table_end(s->form, b);
	if (s->left_out)
		buf_addf(b,
			 s->form == CUSTODY_FORM_HTML ? "<p>%" PRIu64 " more are in the log.</p>\n"
						      : "%" PRIu64 " more are in the log.\n\n",
			 s->left_out);
}

static void add_signing(enum custody_form form, struct buf *b)
{
	const struct sv blank[COUNT_OF(signing)] = {SV_NONE};

	section(form, b, "Handed over");
	table_begin(form, b, signing, COUNT_OF(signing));
	for (int i = 0; i < BLANK_ROWS; i++) {
		if (form != CUSTODY_FORM_TEXT) {
			row(form, b, signing, blank, COUNT_OF(signing));
			continue;
		}
		for (size_t k = 0; k < COUNT_OF(signing); k++)
			buf_addf(b, "%-32s ______________________________________\n", signing[k]);
		buf_char(b, '\n');
	}
	table_end(form, b);
}

/* What this sheet can be held against. */
static void add_proof(const struct custody_sheet *s, const struct custody_report *r, struct buf *b)
{
	bool html = s->form == CUSTODY_FORM_HTML;

	section(s->form, b, "The log");
	buf_addf(b, "%s%" PRIu64 " entr%s, ", html ? "<p>" : "", r->lines,
		 r->lines == 1 ? "y" : "ies");
	if (r->broken || r->torn) {
		buf_addf(b, "then the log is %s (", r->broken ? "BROKEN" : "INCOMPLETE");
		add_text(s->form, b, sv_of(r->what));
		buf_char(b, ')');
	} else {
		buf_lit(b, "each with the hash of the one before");
	}
	buf_addf(b, ".%s SHA-256 of the last line: %s", html ? "<br>" : "\n",
		 html				    ? "<code>"
		 : s->form == CUSTODY_FORM_MARKDOWN ? "`"
						    : "");
	hex(b, r->last_hash);
	buf_str(b, html				      ? "</code></p>\n</body>\n</html>\n"
		   : s->form == CUSTODY_FORM_MARKDOWN ? "`\n"
						      : "\n");
}

void custody_sheet_write(struct custody_sheet *s, const struct custody_report *r, struct buf *out)
{
	head(s, out);
	add_handling(s->form, out);
	add_items(s, out);
	section(s->form, out, "What was done");
	table_begin(s->form, out, entry_heads, COUNT_OF(entry_heads));
	buf_sv(out, buf_view(&s->entries));
	table_end(s->form, out);
	add_signing(s->form, out);
	add_proof(s, r, out);
	out->failed |= s->entries.failed;
}

void custody_sheet_done(struct custody_sheet *s)
{
	smap_done(&s->by_hash);
	buf_done(&s->entries);
	arena_done(&s->arena);
	free(s->items);
}
