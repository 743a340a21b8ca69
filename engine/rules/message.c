/* SPDX-License-Identifier: Apache-2.0 */
/* Errors and warnings of one file: location chains, source snippets, and the list of them. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/rules/internal.h"

#define SNIPPET_WIDTH 160 /* bytes of a source line that are shown */
#define LABEL_FULL    20  /* longest condition that labels its location uncut */
#define LABEL_CUT     17

#define RULE "------\n"

/* --- location chains --- */

const struct rule_where *rule_where_root(struct arena *a, struct rule_source *src)
{
	struct rule_where *w = arena_zalloc(a, 1, sizeof(*w));

	if (!w)
		return NULL;
	w->type = "rules content";
	w->name = "";
	w->label = src->name;
	w->src = src;
	return w;
}

const struct rule_where *rule_where_node(struct arena *a, const struct rule_where *up,
					 const char *type, struct sv name,
					 const struct rule_yaml_node *node)
{
	struct rule_where *w = up ? arena_zalloc(a, 1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	w->up = up;
	w->type = type;
	w->name = arena_strndup(a, name.p, name.n < RULE_NAME_SHOWN ? name.n : RULE_NAME_SHOWN);
	w->label = up->src->name;
	w->pos = node->pos;
	w->src = up->src;
	return w->name ? w : NULL;
}

/* The quoted beginning of a condition, on one line. */
static const char *condition_label(struct arena *a, struct sv text)
{
	char label[LABEL_CUT + 8];
	int n = text.n <= LABEL_FULL ? (int)text.n : LABEL_CUT;

	n = snprintf(label, sizeof(label), "\"%.*s%s\"", n, text.p,
		     text.n <= LABEL_FULL ? "" : "...");
	for (int i = 0; i < n; i++)
		if (label[i] == '\n' || label[i] == '\r')
			label[i] = ' ';
	return arena_strdup(a, label);
}

const struct rule_where *rule_where_expr(struct arena *a, const struct rule_where *up,
					 const char *type, struct sv text, struct flt_pos at)
{
	struct rule_where *w = up ? arena_zalloc(a, 1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	w->up = up;
	w->type = type;
	w->name = "";
	w->label = condition_label(a, text);
	/* As the reference reports it: the place in the file plus the place in the text. */
	w->pos.line = up->pos.line + at.line;
	w->pos.column = up->pos.column + at.column;
	w->pos.offset = up->pos.offset + at.index;
	w->src = up->src;
	w->text = text;
	w->at = at;
	return w->label ? w : NULL;
}

/* --- snippets --- */

/* Bytes of the line break at the start of @s as YAML counts them, or 0. */
static size_t line_break(struct sv s)
{
	if (s.p[0] == '\r')
		return s.n > 1 && s.p[1] == '\n' ? 2 : 1;
	if (s.p[0] == '\n')
		return 1;
	if (sv_starts(s, SV_LIT("\xc2\x85")))
		return 2;
	if (sv_starts(s, SV_LIT("\xe2\x80\xa8")) || sv_starts(s, SV_LIT("\xe2\x80\xa9")))
		return 3;
	return 0;
}

/* Fill @lines (if not NULL) with the offset of each line. Return: how many there are. */
static uint32_t find_lines(struct sv text, uint32_t *lines)
{
	uint32_t count = 1;

	if (lines)
		lines[0] = 0;
	for (size_t at = 0; at < text.n;) {
		size_t n = line_break(sv_drop(text, at));

		at += n ? n : 1;
		if (n && lines)
			lines[count] = (uint32_t)at;
		count += n != 0;
	}
	return count;
}

struct sv rule_source_line(struct arena *a, struct rule_source *src, uint32_t line)
{
	struct sv rest;
	size_t n = 0;

	if (!src->lines) {
		src->line_count = find_lines(src->text, NULL);
		src->lines = arena_alloc(a, src->line_count * sizeof(*src->lines));
		if (!src->lines)
			return SV_NONE;
		find_lines(src->text, src->lines);
	}
	if (line >= src->line_count)
		return SV_NONE;
	rest = sv_drop(src->text, src->lines[line]);
	while (n < rest.n && !line_break(sv_drop(rest, n)))
		n++;
	return sv_make(rest.p, n);
}

static bool inside_character(struct sv s, size_t at)
{
	return at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80;
}

size_t rule_column_offset(struct sv line, uint32_t column)
{
	size_t at = 0;

	while (column-- && at < line.n)
		do
			at++;
		while (inside_character(line, at));
	return at;
}

/* The part of @line around byte @caret, and a caret below it. */
static void add_snippet(struct buf *b, struct sv line, size_t caret)
{
	size_t from = 0, to = line.n;

	if (caret > line.n)
		caret = line.n;
	if (line.n > SNIPPET_WIDTH) {
		from = caret > SNIPPET_WIDTH / 2 ? caret - SNIPPET_WIDTH / 2 : 0;
		if (from > line.n - SNIPPET_WIDTH)
			from = line.n - SNIPPET_WIDTH;
		to = from + SNIPPET_WIDTH;
	}
	while (from > 0 && inside_character(line, from))
		from--;
	while (inside_character(line, to))
		to++;
	buf_lit(b, RULE);
	buf_str(b, from ? "..." : "");
	buf_add(b, line.p + from, to - from);
	buf_str(b, to < line.n ? "...\n" : "\n");
	buf_str(b, from ? "   " : "");
	for (size_t i = from; i < caret; i++)
		if (!inside_character(line, i))
			buf_char(b, line.p[i] == '\t' ? '\t' : ' ');
	buf_lit(b, "^\n" RULE);
}

static void snippet_of(struct arena *a, const struct rule_where *w, struct buf *b)
{
	struct sv line;
	size_t start = w->at.index, end = start;

	if (!w->text.p) {
		line = rule_source_line(a, w->src, w->pos.line);
		if (line.p)
			add_snippet(b, line, rule_column_offset(line, w->pos.column));
		return;
	}
	if (start > w->text.n)
		start = end = w->text.n;
	while (start > 0 && !strchr("\r\n", w->text.p[start - 1]))
		start--;
	while (end < w->text.n && !strchr("\r\n", w->text.p[end]))
		end++;
	add_snippet(b, sv_make(w->text.p + start, end - start), w->at.index - start);
}

/* --- messages --- */

static int put_locations(struct arena *a, const struct rule_where *where, struct rule_message *m)
{
	struct rule_location *steps;

	for (const struct rule_where *w = where; w; w = w->up)
		m->where_count++;
	steps = arena_zalloc(a, m->where_count, sizeof(*steps));
	if (!steps)
		return ERR_NOMEM;
	m->where = steps;
	steps += m->where_count;
	for (const struct rule_where *w = where; w; w = w->up) {
		*--steps = (struct rule_location){.item_type = w->type,
						  .item_name = arena_strdup(a, w->name),
						  .file = arena_strdup(a, w->label),
						  .line = w->pos.line,
						  .column = w->pos.column,
						  .offset = w->pos.offset};
		if (!steps->item_name || !steps->file)
			return ERR_NOMEM;
	}
	return 0;
}

static int push(struct arena *a, struct rule_message **list, size_t *count, size_t *cap,
		const struct rule_message *m)
{
	struct rule_message *p = rule_grown(a, *list, *count, 1, cap, sizeof(*p));

	if (!p)
		return ERR_NOMEM;
	*list = p;
	p[(*count)++] = *m;
	return 0;
}

static int put_message(struct rule_verdict *v, enum rule_code code, const struct rule_where *where,
		       const char *field, const char *text)
{
	struct rule_message m = {.code = code, .deprecated_field = field};
	struct buf snippet = {0};
	int rc;

	if (!where || put_locations(v->arena, where, &m))
		return ERR_NOMEM;
	m.text = arena_strdup(v->arena, text);
	snippet_of(v->arena, where, &snippet);
	m.snippet = arena_strndup(v->arena, snippet.p ? snippet.p : "", snippet.len);
	if (snippet.failed)
		m.snippet = NULL;
	buf_done(&snippet);
	if (!m.text || !m.snippet)
		return ERR_NOMEM;
	if (code <= LOAD_ERR_EXTENSION) {
		rc = push(v->arena, &v->errors, &v->pub.error_count, &v->error_cap, &m);
		v->pub.errors = v->errors;
		v->pub.ok = false;
	} else {
		rc = push(v->arena, &v->warnings, &v->pub.warning_count, &v->warning_cap, &m);
		v->pub.warnings = v->warnings;
	}
	return rc;
}

PRINTF_LIKE(5, 0)
static int put_formatted(struct rule_verdict *v, enum rule_code code,
			 const struct rule_where *where, const char *field, const char *fmt,
			 va_list ap)
{
	char text[4 * RULE_NAME_SHOWN + ERROR_MSG_MAX];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return ERR_NOMEM;
	return put_message(v, code, where, field, text);
}

int rule_fail(struct rule_verdict *v, enum rule_code code, const struct rule_where *where,
	      const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = put_formatted(v, code, where, NULL, fmt, ap);
	va_end(ap);
	return rc ? rc : ERR_RULES;
}

/* The warnings beyond the limit are only counted: one message stands for all of them. */
static int put_dropped(struct rule_verdict *v, enum rule_code code, const struct rule_where *where)
{
	char text[96];

	snprintf(text, sizeof(text), "%zu further warnings are not shown", ++v->dropped);
	if (v->dropped == 1)
		return put_message(v, code, where, NULL, text);
	v->warnings[v->pub.warning_count - 1].text = arena_strdup(v->arena, text);
	return v->warnings[v->pub.warning_count - 1].text ? 0 : ERR_NOMEM;
}

PRINTF_LIKE(5, 0)
static int put_warning(struct rule_verdict *v, enum rule_code code, const struct rule_where *where,
		       const char *field, const char *fmt, va_list ap)
{
	if (v->pub.warning_count >= RULE_WARNINGS_MAX)
		return put_dropped(v, code, where);
	return put_formatted(v, code, where, field, fmt, ap);
}

int rule_warn(struct rule_verdict *v, enum rule_code code, const struct rule_where *where,
	      const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = put_warning(v, code, where, NULL, fmt, ap);
	va_end(ap);
	return rc;
}

int rule_warn_deprecated(struct rule_verdict *v, const struct rule_where *where, const char *field,
			 const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = put_warning(v, LOAD_DEPRECATED_ITEM, where, field, fmt, ap);
	va_end(ap);
	return rc;
}

int rule_verdict_error(const struct rule_verdict *v, struct error *err)
{
	const struct rule_message *m = v->errors;
	const struct rule_location *at = &m->where[m->where_count - 1];

	/* A place inside a condition is no place in the file: name where the condition begins. */
	if (at > m->where && strstr(at->item_type, "expression"))
		at--;
	return error_at(err, ERR_RULES, at->offset, "%s:%u:%u: %s: %s", at->file, at->line + 1,
			at->column + 1, rule_code_name(m->code), m->text);
}
