/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/keys.h"

#define BINDINGS_MAX 512
#define FILE_MAX     (64 << 10) /* of a file of keys */

struct binding {
	uint32_t key;
	enum tui_action action;
	unsigned line, column; /* in the file; 0: it is in actions.def */
};

struct tui_keymap {
	size_t count;
	struct binding bindings[BINDINGS_MAX];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of @line, which is taken off it; empty: there is none. */
static struct sv take_word(struct sv *line)
{
	size_t n = 0;
	struct sv word;

	while (line->n && is_blank(line->p[0]))
		*line = sv_drop(*line, 1);
	while (n < line->n && !is_blank(line->p[n]))
		n++;
	word = sv_make(line->p, n);
	*line = sv_drop(*line, n);
	return word;
}

static void unbind(struct tui_keymap *m, enum tui_action action)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->bindings[i].action != action)
			m->bindings[kept++] = m->bindings[i];
	m->count = kept;
}

/* False: no more of them. */
static bool bind(struct tui_keymap *m, struct binding b)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->bindings[i].action == b.action && m->bindings[i].key == b.key)
			return true;
	if (m->count == BINDINGS_MAX)
		return false;
	m->bindings[m->count++] = b;
	return true;
}

int tui_keymap_new(struct tui_keymap **out, struct error *err)
{
	struct tui_keymap *m = calloc(1, sizeof(*m));

	if (!m)
		return error_nomem(err);
	for (int a = 1; a < TUI_ACTION_COUNT; a++) {
		struct sv line = sv_of(tui_actions[a].keys), word;

		while ((word = take_word(&line)).n) {
			struct binding b = {.action = (enum tui_action)a};

			if (tui_key_take(&word, &b.key))
				bind(m, b);
		}
	}
	*out = m;
	return 0;
}

void tui_keymap_free(struct tui_keymap *m)
{
	free(m);
}

enum tui_action tui_keymap_find(const struct tui_keymap *m, uint32_t key)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->bindings[i].key == key)
			return m->bindings[i].action;
	return TUI_NO_ACTION;
}

static void write_keys(const struct tui_keymap *m, enum tui_action a, size_t most, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < m->count && n < most; i++) {
		if (m->bindings[i].action != a)
			continue;
		if (n++)
			buf_char(out, ' ');
		tui_key_name(out, m->bindings[i].key);
	}
}

void tui_keymap_keys(const struct tui_keymap *m, enum tui_action a, struct buf *out)
{
	write_keys(m, a, BINDINGS_MAX, out);
}

void tui_keymap_key(const struct tui_keymap *m, enum tui_action a, struct buf *out)
{
	write_keys(m, a, 1, out);
}

void tui_keymap_label(const struct tui_keymap *m, enum tui_action a, struct buf *out)
{
	const size_t from = out->len;

	write_keys(m, a, 1, out);
	if (!out->failed && sv_is(sv_drop(buf_view(out), from), "<lt>"))
		out->len = from + 1;
}

/* --- files of keys */

/* A word in messages: the beginning of it will do. */
static int shown(struct sv word)
{
	return word.n < 40 ? (int)word.n : 40;
}

/* One line: "ACTION KEY KEY ...". */
static int load_line(struct tui_keymap *m, const char *path, struct sv line, unsigned number,
		     struct error *err)
{
	const char *start = line.p;
	struct sv word = take_word(&line);
	enum tui_action action;

	if (!word.n || word.p[0] == '#')
		return 0;
	action = tui_action_find(word);
	if (action == TUI_NO_ACTION)
		return error_set(err, ERR_SYNTAX, "%s:%u:%u: there is no action '%.*s'", path,
				 number, (unsigned)(word.p - start) + 1, shown(word), word.p);
	unbind(m, action);
	while ((word = take_word(&line)).n && word.p[0] != '#') {
		struct binding b = {
		    .action = action, .line = number, .column = (unsigned)(word.p - start) + 1};
		struct sv rest = word;

		if (!tui_key_take(&rest, &b.key) || rest.n)
			return error_set(err, ERR_SYNTAX, "%s:%u:%u: '%.*s' is not a key", path,
					 number, b.column, shown(word), word.p);
		if (!bind(m, b))
			return error_set(err, ERR_SYNTAX, "%s:%u:%u: more than %d keys", path,
					 number, b.column, BINDINGS_MAX);
	}
	return 0;
}

/* No key may do two things. Those of the file are told, not the ones they collide with. */
static int check_conflicts(const struct tui_keymap *m, const char *path, struct error *err)
{
	for (size_t i = 0; i < m->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct binding *a = &m->bindings[i], *b = &m->bindings[j];
			struct buf key = {0};

			if (a->key != b->key)
				continue;
			if (!a->line || (b->line > a->line)) {
				a = &m->bindings[j];
				b = &m->bindings[i];
			}
			tui_key_name(&key, a->key);
			error_set(err, ERR_SYNTAX, "%s:%u:%u: key %s of '%s' is that of '%s', too",
				  path, a->line, a->column, buf_cstr(&key),
				  tui_actions[a->action].name, tui_actions[b->action].name);
			buf_done(&key);
			return ERR_SYNTAX;
		}
	}
	return 0;
}

static int read_file(const char *path, struct buf *out, struct error *err)
{
	FILE *f = fopen(path, "re");
	int rc = 0;

	if (!f)
		return error_sys(err, errno, "cannot open '%s'", path);
	if (!buf_room(out, FILE_MAX + 1))
		rc = error_nomem(err);
	else
		out->len = fread(out->p, 1, FILE_MAX + 1, f);
	if (!rc && ferror(f))
		rc = error_sys(err, errno, "cannot read '%s'", path);
	else if (!rc && out->len > FILE_MAX)
		rc = error_set(err, ERR_SYNTAX, "%s: longer than %d bytes", path, FILE_MAX);
	fclose(f);
	return rc;
}

int tui_keymap_load(struct tui_keymap *m, const char *path, struct error *err)
{
	struct tui_keymap *changed = malloc(sizeof(*changed));
	struct buf text = {0};
	struct sv rest;
	int rc;

	if (!changed)
		return error_nomem(err);
	*changed = *m;
	rc = read_file(path, &text, err);
	rest = buf_view(&text);
	for (unsigned number = 1; rc == 0 && rest.n; number++) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		rc = load_line(changed, path, sv_make(rest.p, n), number, err);
		rest = sv_drop(rest, n + 1);
	}
	if (rc == 0)
		rc = check_conflicts(changed, path, err);
	if (rc == 0)
		*m = *changed;
	buf_done(&text);
	free(changed);
	return rc;
}
