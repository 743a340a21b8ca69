/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a byte of a condition back to the line of the file it was read from. YAML folds line ends
 * and strips indentation, so text and source are followed side by side, blanks left out; where they
 * differ otherwise (escapes in quoted scalars), the last line both agreed on is as good as it gets.
 */
#include "engine/rules/internal.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(struct sv s, size_t at, uint32_t *lines)
{
	for (; at < s.n && is_blank(s.p[at]); at++)
		*lines += s.p[at] == '\n';
	return at;
}

/* Where the text of a scalar begins that stands at @at: after a quote, or a block's first line. */
static size_t skip_indicator(struct sv s, size_t at, uint32_t *lines)
{
	if (at < s.n && (s.p[at] == '"' || s.p[at] == '\''))
		return at + 1;
	if (at == s.n || (s.p[at] != '|' && s.p[at] != '>'))
		return at;
	while (at < s.n && s.p[at] != '\n')
		at++;
	return skip_blanks(s, at, lines);
}

/* Lines from the beginning of @node to byte @offset of its text. */
static uint32_t lines_to(struct arena *a, const struct rule_piece *p, size_t offset)
{
	struct sv text = p->node->text, line = rule_source_line(a, p->src, p->node->pos.line);
	uint32_t lines = 0, ignored = 0;
	size_t from, at = 0;

	if (!line.p)
		return 0;
	from = (size_t)(line.p - p->src->text.p) + rule_column_offset(line, p->node->pos.column);
	from = skip_indicator(p->src->text, from, &lines);
	for (;; at++, from++) {
		uint32_t before = lines;

		at = skip_blanks(text, at, &ignored);
		from = skip_blanks(p->src->text, from, &lines);
		if (from == p->src->text.n || at == text.n || text.p[at] != p->src->text.p[from])
			return before;
		if (at >= offset)
			return lines;
	}
}

static const struct rule_piece *piece_at(const struct rule_piece *p, size_t first)
{
	while (p && p->first > first && p->before)
		p = p->before;
	return p;
}

struct rule_place rule_place_in(struct arena *a, const struct rule_text *text, size_t offset)
{
	const struct rule_piece *p = piece_at(text->last, offset);

	if (!p)
		return (struct rule_place){0};
	return (struct rule_place){p->src->name,
				   p->node->pos.line + 1 + lines_to(a, p, offset - p->first)};
}

struct rule_place rule_place_of(const struct rule_piece *last, size_t i)
{
	const struct rule_piece *p = piece_at(last, i);
	const struct rule_yaml_entry *e = p ? p->node->first : NULL;

	if (!p)
		return (struct rule_place){0};
	for (i -= p->first; e && i; i--)
		e = e->next;
	return (struct rule_place){p->src->name, (e ? e->value : p->node)->pos.line + 1};
}

struct rule_place rule_place_where(const struct rule_where *w)
{
	return (struct rule_place){w->label, w->pos.line + 1};
}
