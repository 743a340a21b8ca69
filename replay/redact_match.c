/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of texts that is looked for in others: by first bytes, then by the lengths of those that
 * begin so, the longest first.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "replay/redact_internal.h"

#define FILTER_BITS (1u << 20)

/* Lengths of the texts with the same first bytes, in descending order. */
struct lengths {
	size_t count, room;
	size_t *n;
};

static const unsigned widths[MATCH_WIDTHS] = {8, 4, REDACT_WORD_MIN};

static uint64_t head_of(const uint8_t *p, unsigned width)
{
	uint64_t head = 0;

	memcpy(&head, p, width);
	return head;
}

static uint64_t filter_bit(uint64_t head)
{
	return (head * 0x9e3779b97f4a7c15u) >> 44;
}

static unsigned width_of(size_t n)
{
	unsigned k = 0;

	while (k + 1 < MATCH_WIDTHS && n < widths[k])
		k++;
	return k;
}

static int add_length(struct lengths *l, size_t n)
{
	size_t i = 0;

	while (i < l->count && l->n[i] > n)
		i++;
	if (i < l->count && l->n[i] == n)
		return 0;
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 4;
		size_t *more = realloc(l->n, room * sizeof(*more));

		if (!more)
			return ERR_NOMEM;
		l->n = more;
		l->room = room;
	}
	memmove(l->n + i + 1, l->n + i, (l->count - i) * sizeof(*l->n));
	l->n[i] = n;
	l->count++;
	return 0;
}

static int add_head(struct redact_match_width *w, uint64_t head, size_t n)
{
	struct lengths *l = map_get(&w->heads, head);
	uint64_t bit = filter_bit(head);

	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l || map_put(&w->heads, head, l) < 0) {
			free(l);
			return ERR_NOMEM;
		}
	}
	w->bits[bit / 64] |= 1ull << bit % 64;
	return add_length(l, n);
}

int redact_match_add(struct redact_match *m, struct redact_text *t)
{
	struct redact_match_width *w;
	unsigned k = width_of(t->text.n);

	if (t->text.n < REDACT_WORD_MIN || smap_get(&m->texts, t->text))
		return 0;
	w = &m->widths[k];
	if (!w->bits)
		w->bits = calloc(FILTER_BITS / 64, sizeof(*w->bits));
	if (!w->bits || smap_put(&m->texts, t->text, t) < 0)
		return ERR_NOMEM;
	return add_head(w, head_of((const uint8_t *)t->text.p, widths[k]), t->text.n);
}

static bool is_letter(uint8_t c)
{
	return isalnum(c) || c == '_';
}

static bool is_at(const struct redact_text *t, const uint8_t *p, size_t n, size_t i)
{
	size_t end = i + t->text.n;

	return !t->is_word ||
	       ((i == 0 || !is_letter(p[i - 1])) && (end == n || !is_letter(p[end])));
}

struct redact_text *redact_match_below(const struct redact_match *m, const uint8_t *p, size_t n,
				       size_t i, size_t limit)
{
	for (unsigned k = 0; k < MATCH_WIDTHS; k++) {
		const struct redact_match_width *w = &m->widths[k];
		const struct lengths *l;
		uint64_t head, bit;

		if (!w->bits || n - i < widths[k])
			continue;
		head = head_of(p + i, widths[k]);
		bit = filter_bit(head);
		if (!(w->bits[bit / 64] >> bit % 64 & 1))
			continue;
		l = map_get(&w->heads, head);
		for (size_t j = 0; l && j < l->count; j++) {
			struct redact_text *t = NULL;

			if (l->n[j] <= n - i && l->n[j] < limit)
				t = smap_get(&m->texts, sv_make(p + i, l->n[j]));
			if (t && is_at(t, p, n, i))
				return t;
		}
	}
	return NULL;
}

void redact_match_done(struct redact_match *m)
{
	for (unsigned k = 0; k < MATCH_WIDTHS; k++) {
		struct map_slot *s;

		for (size_t at = 0; (s = map_next(&m->widths[k].heads, &at));) {
			struct lengths *l = s->value;

			free(l->n);
			free(l);
		}
		map_done(&m->widths[k].heads);
		free(m->widths[k].bits);
	}
	smap_done(&m->texts);
}
