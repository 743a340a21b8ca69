/* SPDX-License-Identifier: Apache-2.0 */
/* Short forms in filters of alerts: names without "alert.", and words where the language has
 * numbers. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/human.h"
#include "engine/filter/lex.h"
#include "engine/rules/rules.h"
#include "tui/alert_filter.h"
#include "tui/app.h"

#define VALUE_MAX 64 /* bytes of a time or priority */

static const struct {
	const char *name, *words;
} shorts[] = {
#define FIELD(name, words, kind, level, sql, help) {name, words},
#include "tui/alert_fields.def"
#undef FIELD
    {"alert.priority", "priority"},
};

static const char *long_name(struct sv word)
{
	for (size_t i = 0; i < COUNT_OF(shorts); i++)
		if (shorts[i].words && sv_is(word, shorts[i].words))
			return shorts[i].name;
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct sv without_blanks(struct sv s)
{
	while (s.n && is_blank(*s.p))
		s = sv_drop(s, 1);
	return s;
}

/* Does @rest, which follows a name, go on with an operator? */
static bool is_compared(struct sv rest)
{
	static const char *const words[] = {"in",	  "exists",   "contains", "icontains",
					    "startswith", "endswith", "glob",	  "iglob",
					    "intersects", "pmatch",   "regex"};
	struct sv s = without_blanks(rest);
	size_t n = 0;

	if (s.n && strchr("=!<>", *s.p))
		return true;
	while (n < s.n && flt_is_word_byte(s.p[n]))
		n++;
	for (size_t i = 0; s.p != rest.p && i < COUNT_OF(words); i++)
		if (sv_is(sv_make(s.p, n), words[i]))
			return true;
	return false;
}

bool tui_priority_value(struct sv text, int64_t *out)
{
	static const struct {
		const char *word; /* as lists show them */
		enum rule_priority p;
	} seen[] = {{"emerg", RULE_EMERGENCY},
		    {"crit", RULE_CRITICAL},
		    {"err", RULE_ERROR},
		    {"warn", RULE_WARNING}};
	enum rule_priority p;

	if (text.n == 1 && *text.p >= '0' && *text.p < '0' + RULE_PRIORITY_COUNT) {
		*out = *text.p - '0';
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(seen); i++) {
		if (text.n == strlen(seen[i].word) &&
		    strncasecmp(text.p, seen[i].word, text.n) == 0) {
			*out = seen[i].p;
			return true;
		}
	}
	if (!rule_priority_parse(text, &p))
		return false;
	*out = p;
	return true;
}

bool tui_time_value(struct sv text, int64_t *out)
{
	char copy[VALUE_MAX];
	bool relative;
	uint64_t ns;

	if (!text.n || text.n >= sizeof(copy) || memchr(text.p, 0, text.n))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (!tui_time_of_day(copy, &ns) && !(human_time(copy, &ns, &relative) && !relative) &&
	    !human_u64(copy, &ns))
		return false;
	*out = ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
	return true;
}

/* --- rewriting */

static int note_place(struct tui_short_text *out, size_t from, struct error *err)
{
	if (out->count == TUI_SHORT_PLACES)
		return error_set(err, ERR_LIMIT, "more than %d short forms in a filter",
				 TUI_SHORT_PLACES / 2);
	out->places[out->count].at = (uint32_t)out->text.len;
	out->places[out->count++].from = (uint32_t)from;
	return 0;
}

/* @text instead of bytes @from to @to. */
static int put_instead(struct tui_short_text *out, size_t from, size_t to, const char *text,
		       struct error *err)
{
	int rc = note_place(out, from, err);

	buf_str(&out->text, text);
	return rc == 0 ? note_place(out, to, err) : rc;
}

/* A quoted text as the language has them: up to the same mark without a backslash before it. */
static size_t quoted_length(struct sv s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == s.p[0] && s.p[i - 1] != '\\')
			return i + 1;
	return s.n;
}

static size_t value_length(struct sv s)
{
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]) && !strchr("()\"'=,<>", s.p[n]))
		n++;
	return n;
}

/* Behind "<", ">=" and the like the language wants a number. */
static int expand_amount(struct sv text, size_t *at, struct tui_short_text *out, struct error *err)
{
	struct sv rest = sv_drop(text, *at), value;
	char digits[24];
	int64_t n;

	value = without_blanks(rest);
	buf_add(&out->text, rest.p, rest.n - value.n);
	*at += rest.n - value.n;
	value.n = value_length(value);
	if (!value.n || !(memchr(value.p, ':', value.n) ? tui_time_value(value, &n)
							: tui_priority_value(value, &n)))
		return 0;
	snprintf(digits, sizeof(digits), "%lld", (long long)n);
	*at += value.n;
	return put_instead(out, *at - value.n, *at, digits, err);
}

static int expand_word(struct sv text, size_t *at, struct tui_short_text *out, struct error *err)
{
	struct sv word = sv_drop(text, *at);
	const char *name;
	size_t n = 0;

	while (n < word.n && (flt_is_word_byte(word.p[n]) || strchr(".-/:@", word.p[n])))
		n++;
	word.n = n;
	*at += n;
	name = is_compared(sv_drop(text, *at)) ? long_name(word) : NULL;
	if (name)
		return put_instead(out, *at - n, *at, name, err);
	buf_sv(&out->text, word);
	return 0;
}

int tui_alert_expand(struct sv text, struct tui_short_text *out, struct error *err)
{
	size_t at = 0;
	int rc = note_place(out, 0, err);

	while (at < text.n && rc == 0) {
		struct sv rest = sv_drop(text, at);

		if (*rest.p == '"' || *rest.p == '\'') {
			size_t n = quoted_length(rest);

			buf_add(&out->text, rest.p, n);
			at += n;
		} else if (*rest.p == '<' || *rest.p == '>') {
			size_t n = 1 + (rest.n > 1 && rest.p[1] == '=');

			buf_add(&out->text, rest.p, n);
			at += n;
			rc = expand_amount(text, &at, out, err);
		} else if (flt_is_word_byte(*rest.p)) {
			rc = expand_word(text, &at, out, err);
		} else {
			buf_char(&out->text, *rest.p);
			at++;
		}
	}
	return rc == 0 && out->text.failed ? error_nomem(err) : rc;
}

void tui_short_done(struct tui_short_text *s)
{
	buf_done(&s->text);
}

size_t tui_short_place(const struct tui_short_text *s, size_t at)
{
	size_t i = s->count - 1, place;

	while (i && s->places[i].at > at)
		i--;
	place = s->places[i].from + (at - s->places[i].at);
	if (i + 1 < s->count && place > s->places[i + 1].from)
		place = s->places[i + 1].from;
	return place;
}
