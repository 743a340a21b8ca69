/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which texts are looked for: what is hidden in one place may stand in another, and what stays
 * visible anyway is not worth hiding there.
 */
#include <ctype.h>
#include <string.h>

#include "replay/redact_internal.h"

static bool has_room(struct redact *r, size_t n)
{
	if (r->match.texts.count + r->avoid.texts.count + r->values.texts.count <
		REDACT_STRINGS_MAX &&
	    r->arena.total + r->name_texts.total + n < REDACT_BYTES_MAX)
		return true;
	r->full = true;
	return false;
}

static void add_to(struct redact *r, struct redact_match *m, const struct redact_text *like)
{
	struct redact_text *t;

	if (like->text.n < REDACT_WORD_MIN || smap_get(&m->texts, like->text) ||
	    !has_room(r, like->text.n + sizeof(*t)))
		return;
	t = arena_zalloc(&r->arena, 1, sizeof(*t));
	if (t) {
		*t = *like;
		t->text = arena_sv(&r->arena, like->text);
	}
	if (!t || !t->text.p || redact_match_add(m, t) < 0)
		r->failed = true;
}

void redact_secret(struct redact *r, enum redact_kind kind, struct sv text, size_t keep,
		   bool is_word)
{
	const struct redact_text t = {
	    .text = text, .keep = (uint32_t)keep, .kind = (uint8_t)kind, .is_word = is_word};

	add_to(r, &r->match, &t);
}

bool redact_is_string(struct sv text)
{
	bool letter = false;
	size_t run = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = (uint8_t)text.p[i];

		run = c == '/' ? 0 : run + 1;
		letter = run && ((run > 1 && letter) || isalnum(c) || c >= 0x80);
		if (letter && run >= REDACT_STRING_MIN)
			return true;
	}
	return false;
}

void redact_note_hidden(struct redact *r, enum redact_kind kind, struct sv text)
{
	const struct redact_text t = {.text = text, .kind = (uint8_t)kind};

	if (r->gathering && redact_is_string(text))
		add_to(r, &r->values, &t);
}

/* Texts that are shorter stay where they stand within others. */
void redact_note_name(struct redact *r, struct sv text)
{
	struct sv copy;

	if (!r->gathering || r->policy->strict || text.n < REDACT_VALUE_MIN ||
	    smap_get(&r->names_seen, text) || !has_room(r, text.n + sizeof(struct smap_slot)))
		return;
	copy = arena_sv(&r->name_texts, text);
	if (!copy.p || smap_put(&r->names_seen, copy, r) < 0)
		r->failed = true;
}

/* ---- between the passes ---- */

static bool divides(char c)
{
	return c == '/' || c == '"';
}

/* Is what begins at @i and has @n bytes all of @name, or parts of it between its slashes? */
static bool is_whole(struct sv name, size_t i, size_t n)
{
	return (i == 0 || name.p[i] == '/' || divides(name.p[i - 1])) &&
	       (i + n == name.n || name.p[i + n - 1] == '/' || divides(name.p[i + n]));
}

static void mark_in(struct redact *r, struct sv name)
{
	const uint8_t *p = (const uint8_t *)name.p;

	for (size_t i = 0; i + REDACT_VALUE_MIN <= name.n; i++) {
		struct redact_text *t;

		if (i && name.p[i] != '/' && !divides(name.p[i - 1]))
			continue;
		for (t = redact_match_at(&r->values, p, name.n, i); t;
		     t = redact_match_below(&r->values, p, name.n, i, t->text.n))
			t->stays |= is_whole(name, i, t->text.n);
	}
}

/* Names have done what they were kept for. */
static void mark_visible(struct redact *r)
{
	struct smap_slot *s;

	for (size_t at = 0; (s = smap_next(&r->names_seen, &at));)
		mark_in(r, s->key);
	smap_done(&r->names_seen);
	arena_done(&r->name_texts);
}

void redact_choose(struct redact *r)
{
	struct smap_slot *s;
	int rc = 0;

	mark_visible(r);
	for (size_t at = 0; (s = smap_next(&r->values.texts, &at)) && rc >= 0;) {
		struct redact_text *t = s->value;

		t->stays |= t->text.n < REDACT_VALUE_MIN;
		if (t->stays && !r->policy->strict) {
			rc = redact_match_add(&r->avoid, t);
		} else {
			t->kind = REDACT_VALUES;
			rc = redact_match_add(&r->match, t);
		}
	}
	r->failed |= rc < 0;
}

/* ---- what is told of those that stay ---- */

static void count_place(struct redact *r, enum redact_kind kind)
{
	struct redact_report *o = &r->report;
	size_t i = 0;

	while (i < o->nplaces &&
	       (o->places[i].kind != kind || strcmp(o->places[i].field, r->field) != 0))
		i++;
	if (i == REDACT_PLACES_MAX)
		return;
	if (i == o->nplaces)
		o->places[o->nplaces++] = (struct redact_place){kind, r->field, 0};
	o->places[i].times++;
}

void redact_note_staying(struct redact *r, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct redact_text *t;

		for (t = redact_match_at(&r->avoid, p, n, i); t;
		     t = redact_match_below(&r->avoid, p, n, i, t->text.n)) {
			r->report.stay[t->kind] += !t->told;
			t->told = true;
			count_place(r, (enum redact_kind)t->kind);
		}
	}
}
