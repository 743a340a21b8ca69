/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/lines.h"

#include <stdlib.h>

#include "tui/text.h"

#define WORD_MAX 20 /* columns that may stay empty so that a word is not cut */

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct tui_lines *l = arg;
	const struct tui_line *line = &l->all[i];

	if (tui_rows_add(out, line->key, TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_cell(out, line->name_role, line->name);
	tui_rows_cell(out, line->role, line->text);
}

static struct tui_row_key key_of(void *arg, size_t i)
{
	const struct tui_lines *l = arg;

	return l->all[i].key;
}

void tui_lines_init(struct tui_lines *l)
{
	l->list.row = row;
	l->list.key = key_of;
	l->list.arg = l;
}

void tui_lines_done(struct tui_lines *l)
{
	tui_list_done(&l->list);
	arena_done(&l->texts);
	free(l->all);
}

void tui_lines_reset(struct tui_lines *l)
{
	arena_reset(&l->texts);
	l->count = 0;
	l->list.count = 0;
	l->failed = false;
}

static struct tui_line *add(struct tui_lines *l, uint64_t key)
{
	struct tui_line *line;

	if (l->failed || l->count > TUI_LINES_MAX)
		return NULL;
	if (l->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct tui_line *all = realloc(l->all, cap * sizeof(*all));

		if (!all) {
			l->failed = true;
			return NULL;
		}
		l->all = all;
		l->cap = cap;
	}
	line = &l->all[l->count];
	*line = (struct tui_line){.key = {.a = key}};
	if (l->count && l->all[l->count - 1].key.a == key)
		line->key.b = l->all[l->count - 1].key.b + 1;
	if (l->count++ == TUI_LINES_MAX) {
		line->role = TUI_ROLE_WARNING;
		line->text = SV_LIT("there is more than is shown");
		return NULL;
	}
	return line;
}

static struct sv keep(struct tui_lines *l, struct sv text)
{
	struct sv kept = text.n ? arena_sv(&l->texts, text) : SV_LIT("");

	if (!kept.p) {
		l->failed = true;
		kept.n = 0;
	}
	return kept;
}

/* How many bytes of @text fit into @width columns; at least one. Better to the end of a word, if
 * that is not far. */
static size_t fitting(struct sv text, int width)
{
	struct sv rest = text;
	size_t word = 0;
	int used = 0;

	while (rest.n) {
		struct sv before = rest;
		struct tui_unit unit;

		tui_unit_take(&rest, &unit);
		used += unit.width;
		if (used > width && before.p > text.p)
			return word ? word : (size_t)(before.p - text.p);
		if (unit.ch == ' ' && used > width - WORD_MAX)
			word = (size_t)(rest.p - text.p);
	}
	return text.n;
}

void tui_lines_add(struct tui_lines *l, uint64_t key, enum tui_role name_role, struct sv name,
		   enum tui_role role, struct sv text)
{
	struct sv rest = keep(l, text);
	struct tui_line *line;

	name = keep(l, name);
	do {
		size_t n = fitting(rest, l->width > 0 ? l->width : 1);

		line = add(l, key);
		if (!line)
			return;
		line->name_role = name_role;
		line->name = name;
		line->role = role;
		line->text = sv_make(rest.p, n);
		rest = sv_drop(rest, n);
		name = SV_NONE;
	} while (rest.n);
}

void tui_lines_add_hex(struct tui_lines *l, uint64_t key, enum tui_role role, struct sv name,
		       struct sv bytes)
{
	for (size_t at = 0; at < bytes.n; at += TUI_HEX_BYTES) {
		size_t n = bytes.n - at < TUI_HEX_BYTES ? bytes.n - at : TUI_HEX_BYTES;
		const unsigned char *p = (const unsigned char *)bytes.p + at;
		struct tui_line *line = add(l, key);
		struct buf b = {0};

		if (!line)
			return;
		for (size_t i = 0; i < TUI_HEX_BYTES; i++) {
			if (i < n)
				buf_addf(&b, "%02x%s", p[i], i == 7 ? "  " : " ");
			else
				buf_str(&b, i == 7 ? "    " : "   ");
		}
		buf_char(&b, ' ');
		for (size_t i = 0; i < n; i++)
			buf_char(&b, p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.');
		line->role = role;
		line->text = keep(l, buf_view(&b));
		line->name_role = at || !name.n ? TUI_ROLE_DIM : TUI_ROLE_NORMAL;
		buf_reset(&b);
		buf_addf(&b, "%06zx", at);
		line->name = keep(l, at || !name.n ? buf_view(&b) : name);
		buf_done(&b);
	}
}

void tui_lines_add_text(struct tui_lines *l, uint64_t key, enum tui_role role, struct sv name,
			struct sv bytes)
{
	while (bytes.n) {
		const char *end = memchr(bytes.p, '\n', bytes.n);
		struct sv line = sv_make(bytes.p, end ? (size_t)(end - bytes.p) : bytes.n);

		bytes = sv_drop(bytes, line.n + (end != NULL));
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		tui_lines_add(l, key, TUI_ROLE_NORMAL, name, role, line);
		name = SV_NONE;
	}
}

int tui_lines_end(struct tui_lines *l, struct error *err)
{
	l->list.count = l->count;
	return l->failed ? error_nomem(err) : tui_list_update(&l->list, err);
}
