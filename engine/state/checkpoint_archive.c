/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "engine/state/checkpoint.h"

enum { TEXT_NONE, TEXT_NEW, TEXT_FIRST }; /* TEXT_FIRST + i: text number i */

/* ---- texts ---- */

/* Where it is among those of late: a matter of its bytes alone, so that equal states agree. */
static size_t place_of(struct sv text)
{
	size_t n = text.n < sizeof(uint64_t) ? text.n : sizeof(uint64_t);
	uint64_t first = 0, last = 0;

	memcpy(&first, text.p, n);
	memcpy(&last, text.p + text.n - n, n);
	return hash_u64(first * 31 ^ last ^ text.n) % CKPT_RECENT;
}

/*
 * Most are short, and not there yet: a place that another one took is no more than some bytes that
 * are written twice. Return: whether @s is known, with *@number.
 */
static bool is_known_short(struct checkpoint *c, const struct state_str *s, uint64_t *number)
{
	size_t i = place_of(state_sv(s));
	const struct state_str *there = c->recent[i].text;

	if (there == s || (there && sv_eq(state_sv(there), state_sv(s)))) {
		*number = c->recent[i].number;
		return true;
	}
	c->recent[i].text = s;
	c->recent[i].number = c->count;
	return false;
}

static bool is_known_long(struct checkpoint *c, const struct state_str *s, uint64_t *number)
{
	uintptr_t next = c->count + 1, known;

	known = (uintptr_t)smap_get_or_put(&c->numbers, state_sv(s), (void *)next);
	c->a.out->failed |= !known;
	*number = known - 1;
	return known != next;
}

static void put_text(struct checkpoint *c, const struct state_str *s)
{
	uint64_t number;

	if (!s) {
		archive_u64(&c->a, TEXT_NONE);
	} else if (s->len <= CKPT_SHORT ? is_known_short(c, s, &number)
					: is_known_long(c, s, &number)) {
		archive_u64(&c->a, TEXT_FIRST + number);
	} else {
		archive_u64(&c->a, TEXT_NEW);
		archive_text(&c->a, state_sv(s));
		c->count++;
	}
}

static struct state_str *new_text(struct checkpoint *c)
{
	struct sv text = archive_text(&c->a, SV_NONE);

	if (text.n == 0) {
		archive_complain(&c->a, "a text is empty");
		return NULL;
	}
	if (c->count == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		struct state_str **new = realloc(c->texts, cap * sizeof(struct state_str *));

		if (!new) {
			c->st->nomem = true;
			return NULL;
		}
		c->texts = new;
		c->cap = cap;
	}
	c->texts[c->count] = state_str_new(c->st, text);
	return c->texts[c->count] ? c->texts[c->count++] : NULL;
}

static struct state_str *get_text(struct checkpoint *c)
{
	uint64_t n = archive_u64(&c->a, 0);

	if (n == TEXT_NONE || ckpt_broken(c))
		return NULL;
	if (n == TEXT_NEW)
		return state_str_ref(new_text(c));
	if (n - TEXT_FIRST < c->count)
		return state_str_ref(c->texts[n - TEXT_FIRST]);
	archive_complain(&c->a, "it refers to a text that is not there");
	return NULL;
}

void ckpt_text(struct checkpoint *c, struct state_str **s)
{
	if (ckpt_saves(c))
		put_text(c, *s);
	else
		*s = get_text(c);
}

void ckpt_list(struct checkpoint *c, struct state_list *l)
{
	ckpt_text(c, &l->block);
	if (!ckpt_saves(c))
		l->count = state_list_count(state_sv(l->block));
}

void ckpt_texts_done(struct checkpoint *c)
{
	for (size_t i = 0; c->texts && i < c->count; i++)
		state_str_unref(c->st, c->texts[i]);
	free(c->texts);
	smap_done(&c->numbers);
}

/* ---- entries of maps, in order ---- */

struct map_slot *ckpt_sorted(struct checkpoint *c, const struct map *m)
{
	struct map_slot *all = map_sorted(m);

	c->a.out->failed |= !all && m->count != 0;
	return all;
}

/* The same of names. */
static struct smap_slot *sorted_names(struct checkpoint *c, const struct smap *m)
{
	struct smap_slot *all = smap_sorted(m);

	c->a.out->failed |= !all && m->count != 0;
	return all;
}

void ckpt_values(struct checkpoint *c, const struct map *m,
		 bool (*one)(struct checkpoint *c, void *value, void *arg), void *arg)
{
	struct map_slot *all = ckpt_saves(c) ? ckpt_sorted(c, m) : NULL;
	uint64_t n = archive_count(&c->a, all ? m->count : 0);

	for (uint64_t i = 0; i < n && (ckpt_saves(c) || !ckpt_broken(c)); i++)
		if (!one(c, all ? all[i].value : NULL, arg))
			archive_complain(&c->a, "a record is there twice, or over a limit");
	free(all);
}

void ckpt_named_values(struct checkpoint *c, const struct smap *m,
		       bool (*one)(struct checkpoint *c, void *value))
{
	struct smap_slot *all = ckpt_saves(c) ? sorted_names(c, m) : NULL;
	uint64_t n = archive_count(&c->a, all ? m->count : 0);

	for (uint64_t i = 0; i < n && (ckpt_saves(c) || !ckpt_broken(c)); i++)
		if (!one(c, all ? all[i].value : NULL))
			archive_complain(&c->a, "a record is there twice, or over a limit");
	free(all);
}

bool ckpt_file(struct checkpoint *c, struct map *m, uint64_t key, void *value)
{
	if (ckpt_broken(c) || map_get(m, key))
		return false;
	if (map_put(m, key, value) == 0)
		return true;
	c->st->nomem = true;
	return false;
}
