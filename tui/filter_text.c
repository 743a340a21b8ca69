/* SPDX-License-Identifier: Apache-2.0 */
/* Short forms of filters, and the parts that filters consist of. */
#include <string.h>

#include "base/human.h"
#include "base/json.h"
#include "tui/filter.h"

#define DURATION_MAX 32 /* bytes of one as it is typed */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\b';
}

static struct sv trim(struct sv s)
{
	while (s.n && is_blank(*s.p))
		s = sv_drop(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* --- values --- */

/* Characters that a value can have without quotation marks; others are written as escapes. */
static size_t plain_bytes(struct sv s, bool *bare)
{
	uint32_t cp;
	unsigned bad, n;

	if ((unsigned char)*s.p < 0x20 || *s.p == 0x7f || *s.p == '"' || *s.p == '\\')
		return 0;
	if (strchr(" '()=,", *s.p))
		*bare = false;
	if ((unsigned char)*s.p < 0x80)
		return 1;
	n = utf8_decode(s, &cp, &bad);
	return n;
}

void tui_filter_quote(struct buf *out, struct sv text)
{
	bool bare = text.n != 0;
	size_t n;

	for (struct sv s = text; s.n && bare; s = sv_drop(s, n)) {
		n = plain_bytes(s, &bare);
		bare = bare && n;
	}
	if (bare) {
		buf_sv(out, text);
		return;
	}
	buf_char(out, '"');
	for (struct sv s = text; s.n; s = sv_drop(s, n ? n : 1)) {
		n = plain_bytes(s, &bare);
		if (n)
			buf_add(out, s.p, n);
		else
			buf_addf(out, "\\x%02x", (unsigned char)*s.p);
	}
	buf_char(out, '"');
}

/* --- short forms --- */

/* A text that is one value: a word without what conditions consist of, or all of it in quotation
 * marks. */
static bool is_word(struct sv text, struct sv *value)
{
	if (text.n >= 2 && (*text.p == '"' || *text.p == '\'') &&
	    memchr(text.p + 1, *text.p, text.n - 1) == text.p + text.n - 1) {
		*value = sv_make(text.p + 1, text.n - 2);
		return value->n != 0;
	}
	for (size_t i = 0; i < text.n; i++)
		if (is_blank(text.p[i]) || strchr("()=<>,\"'", text.p[i]))
			return false;
	*value = text;
	return text.n != 0;
}

static void put_word(const char *word, struct sv value, struct buf *out)
{
	for (; *word; word++) {
		if (*word == '$')
			tui_filter_quote(out, value);
		else
			buf_char(out, *word);
	}
}

/* "5m": a duration and nothing else. */
static bool take_duration(struct sv text, uint64_t *ns)
{
	char digits[DURATION_MAX];

	if (!text.n || text.n >= sizeof(digits) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	return human_duration(digits, ns);
}

static void put_distance(bool far, uint64_t now, uint64_t ns, struct buf *out)
{
	uint64_t from = now > ns ? now - ns : 0, to = now < UINT64_MAX - ns ? now + ns : UINT64_MAX;

	buf_addf(out,
		 far ? "(evt.rawtime < %llu or evt.rawtime > %llu)"
		     : "evt.rawtime >= %llu and evt.rawtime <= %llu",
		 (unsigned long long)from, (unsigned long long)to);
}

/* "@17", "@alert 17" */
static bool take_alert(struct sv text, uint64_t *id)
{
	const struct sv word = SV_LIT("alert ");
	char digits[DURATION_MAX];

	if (!text.n || *text.p != '@')
		return false;
	text = sv_drop(text, 1);
	if (sv_starts(text, word))
		text = trim(sv_drop(text, word.n));
	if (!text.n || text.n >= sizeof(digits))
		return false;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	return human_u64(digits, id);
}

static bool is_macro(const struct tui_filter_facts *facts, struct sv name)
{
	const struct rule_loader *l = facts->rules ? facts->rules(facts->arg) : NULL;

	return l && rule_has_macro(l, name);
}

static int expand(const char *word, const struct tui_filter_facts *facts, struct sv text,
		  struct buf *out, struct error *err)
{
	const struct flt_field_info *field;
	struct sv value;
	uint64_t n;

	if (take_alert(text, &n)) {
		if (!facts->alert)
			return error_set(err, ERR_USAGE, "there are no alerts to be asked here");
		return facts->alert(facts->arg, n, out, err);
	}
	if (text.n && (*text.p == '<' || *text.p == '>') &&
	    take_duration(trim(sv_drop(text, 1)), &n)) {
		put_distance(*text.p == '>', facts->now, n, out);
		return 0;
	}
	if (!word || !is_word(text, &value)) {
		buf_sv(out, text);
		return 0;
	}
	field = value.p == text.p ? flt_field_find(value) : NULL;
	if (field && !(field->flags & FLT_FIELD_PRINT_ONLY))
		buf_addf(out, "%.*s %s", (int)value.n, value.p,
			 field->type == PT_BOOL ? "= true" : "exists");
	else if (value.p == text.p && is_macro(facts, value))
		buf_sv(out, value);
	else
		put_word(word, value, out);
	return 0;
}

int tui_filter_expand(const char *word, const struct tui_filter_facts *facts, struct sv text,
		      struct buf *out, struct error *err)
{
	static const struct tui_filter_facts none;
	struct sv rest = trim(text), value;
	bool negated = false, plain;
	int rc;

	while (rest.n && *rest.p == '!') {
		negated = !negated;
		rest = trim(sv_drop(rest, 1));
	}
	plain = word && *word == '(' && is_word(rest, &value); /* that is in parentheses already */
	if (negated && rest.n)
		buf_str(out, plain ? "not " : "not (");
	rc = expand(word, facts ? facts : &none, rest, out, err);
	if (negated && rest.n && !plain)
		buf_char(out, ')');
	return rc == 0 && out->failed ? error_nomem(err) : rc;
}

/* --- parts --- */

/* Where the text in quotation marks ends that begins at @i; @text.n: it does not. As the engine's
 * lexer has it. */
static size_t behind_quoted(struct sv text, size_t i)
{
	for (size_t k = i + 1; k < text.n; k++)
		if (text.p[k] == text.p[i] && text.p[k - 1] != '\\')
			return k + 1;
	return text.n;
}

static bool is_and(struct sv text, size_t i)
{
	return i && text.n - i > 3 && memcmp(text.p + i, "and", 3) == 0 &&
	       (is_blank(text.p[i - 1]) || text.p[i - 1] == ')') &&
	       (is_blank(text.p[i + 3]) || text.p[i + 3] == '(');
}

/* Parts as they seem to be. 0: too many, or parentheses are missing. */
static size_t cut(struct sv text, struct sv *out)
{
	size_t n = 0, from = 0, i = 0;
	int depth = 0;

	while (i < text.n) {
		if (text.p[i] == '"' || text.p[i] == '\'') {
			i = behind_quoted(text, i);
			continue;
		}
		depth += text.p[i] == '(' ? 1 : text.p[i] == ')' ? -1 : 0;
		if (depth == 0 && is_and(text, i)) {
			if (n + 1 == TUI_CHIPS_MAX)
				return 0;
			out[n++] = trim(sv_make(text.p + from, i - from));
			from = i + 3;
		}
		i++;
	}
	out[n++] = trim(sv_drop(text, from));
	return depth == 0 ? n : 0;
}

static bool same_kids(const struct flt_node *all, struct arena *arena, const struct sv *parts,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct flt_node *n;

		if (flt_parse(parts[i], FLT_DEPTH_DEFAULT, arena, &n, NULL, NULL) < 0 ||
		    !flt_tree_equal(n, all->kids[i]))
			return false;
	}
	return true;
}

size_t tui_filter_chips(struct sv text, struct sv out[TUI_CHIPS_MAX])
{
	struct arena arena = {0};
	struct flt_node *all;
	size_t n;

	text = trim(text);
	if (!text.n)
		return 0;
	n = cut(text, out);
	/* Words may be values: only what the parser has for parts, too, are parts. */
	if (n < 2 || flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &all, NULL, NULL) < 0 ||
	    all->kind != FLT_AND || all->count != n || !same_kids(all, &arena, out, n)) {
		out[0] = text;
		n = 1;
	}
	arena_done(&arena);
	return n;
}

/* What stands where a value does: one in quotation marks, or up to what cannot be in a bare one. */
static struct sv value_at(struct sv text)
{
	size_t n = 0;

	if (text.n && *text.p == '"')
		return sv_make(text.p, behind_quoted(text, 0));
	while (n < text.n && !strchr(" '()=,\"", text.p[n]))
		n++;
	return sv_make(text.p, n);
}

/* Is @text what put_word() makes of @word? */
static bool is_of_word(const char *word, struct sv text, struct sv *value)
{
	*value = SV_NONE;
	for (; *word; word++) {
		struct sv here = *word == '$' ? value_at(text) : sv_make(word, 1);

		if (!here.n || !sv_starts(text, here))
			return false;
		if (*word == '$' && value->n && !sv_eq(*value, here))
			return false;
		if (*word == '$')
			*value = here;
		text = sv_drop(text, here.n);
	}
	return !text.n && value->n;
}

void tui_filter_typed(const char *word, struct sv part, struct buf *out)
{
	const struct sv no = SV_LIT("not ");
	bool negated = sv_starts(part, no);
	struct sv value;

	if (word && is_of_word(word, negated ? sv_drop(part, no.n) : part, &value)) {
		buf_str(out, negated ? "!" : "");
		part = value;
	}
	buf_sv(out, part);
}

void tui_filter_active(struct sv text, uint64_t off, struct buf *out)
{
	struct sv parts[TUI_CHIPS_MAX];
	size_t n = tui_filter_chips(text, parts), left = 0;

	for (size_t i = 0; i < n; i++) {
		if (off >> i & 1)
			continue;
		if (left++)
			buf_lit(out, " and ");
		buf_sv(out, parts[i]);
	}
}

/* --- where the cursor is --- */

static bool is_mark(char c)
{
	return strchr("=!<>", c) != NULL && c;
}

static bool ends_word(char c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ',' || is_mark(c);
}

struct scan {
	struct sv text;
	size_t at;
	struct tui_filter_at *out;
	int list; /* depth of parentheses within a list */
};

/* A word of the text that has ended: what comes after it? */
static void take_word(struct scan *s, struct sv word)
{
	struct tui_filter_at *o = s->out;
	enum flt_modifier mod;
	enum flt_op op;

	switch (o->place) {
	case TUI_PLACE_TERM:
		if (sv_is(word, "not"))
			return;
		o->field = word;
		o->place = flt_field_find(word) || memchr(word.p, '.', word.n) ? TUI_PLACE_OPERATOR
									       : TUI_PLACE_JOIN;
		return;
	case TUI_PLACE_OPERATOR:
		if (!flt_op_parse(word, &op, &mod))
			o->place = TUI_PLACE_NONE;
		else if (op == FLT_OP_EXISTS)
			o->place = TUI_PLACE_JOIN;
		else
			o->place = op == FLT_OP_IN || op == FLT_OP_INTERSECTS || op == FLT_OP_PMATCH
				       ? TUI_PLACE_LIST
				       : TUI_PLACE_VALUE;
		return;
	case TUI_PLACE_VALUE:
		if (sv_is(word, "oneof") || sv_is(word, "anyof") || sv_is(word, "allof"))
			o->place = TUI_PLACE_LIST;
		else if (!s->list)
			o->place = TUI_PLACE_JOIN;
		return;
	case TUI_PLACE_LIST:
		o->place = TUI_PLACE_JOIN;
		return;
	case TUI_PLACE_JOIN:
		o->place =
		    sv_is(word, "and") || sv_is(word, "or") ? TUI_PLACE_TERM : TUI_PLACE_NONE;
		return;
	default:
		return;
	}
}

static void take_mark(struct scan *s, char c)
{
	struct tui_filter_at *o = s->out;

	if (c == '(') {
		if (o->place == TUI_PLACE_LIST || s->list) {
			s->list++;
			o->place = TUI_PLACE_VALUE;
		}
	} else if (c == ')') {
		if (s->list)
			s->list--;
		o->place = s->list ? o->place : TUI_PLACE_JOIN;
	} else if (is_mark(c)) {
		o->place = o->place == TUI_PLACE_OPERATOR || o->place == TUI_PLACE_VALUE
			       ? TUI_PLACE_VALUE
			       : TUI_PLACE_NONE;
	}
}

/* The next word or mark; false: it is the one the cursor is in. */
static bool scan_one(struct scan *s)
{
	struct sv t = s->text;
	size_t i = s->at, end;
	bool quoted = t.p[i] == '"' || t.p[i] == '\'';

	if (is_blank(t.p[i]) || t.p[i] == ',') {
		s->at++;
		return true;
	}
	if (!quoted && ends_word(t.p[i])) {
		take_mark(s, t.p[i]);
		s->at++;
		return true;
	}
	if (quoted) {
		end = behind_quoted(t, i);
		quoted = end == t.n && !(end - i > 1 && t.p[end - 1] == t.p[i]);
		if (quoted || end == t.n) {
			s->out->quoted = quoted;
			s->out->word = sv_make(t.p + i + 1, end - i - 1);
			s->out->place = quoted ? s->out->place : TUI_PLACE_NONE;
			return false;
		}
	} else {
		for (end = i; end < t.n && !ends_word(t.p[end]);)
			end =
			    t.p[end] == '[' && memchr(t.p + end, ']', t.n - end)
				? (size_t)((const char *)memchr(t.p + end, ']', t.n - end) - t.p) +
				      1
				: end + 1;
		if (end == t.n) {
			s->out->word = sv_make(t.p + i, end - i);
			return false;
		}
	}
	take_word(s, sv_make(t.p + i, end - i));
	s->at = end;
	return true;
}

void tui_filter_at(struct sv text, size_t cursor, struct tui_filter_at *out)
{
	struct scan s = {.text = text, .out = out};

	if (s.text.n > cursor)
		s.text.n = cursor;
	*out = (struct tui_filter_at){.place = TUI_PLACE_TERM};
	while (s.at < s.text.n && (*s.text.p == '!' && s.at == 0))
		s.at++; /* negates all of it */
	out->word = sv_drop(s.text, s.text.n);
	while (s.at < s.text.n && scan_one(&s))
		;
	out->in_list = s.list > 0;
}
