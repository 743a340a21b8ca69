/* SPDX-License-Identifier: Apache-2.0 */
/* A set of texts that is looked for at each place of many bytes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "replay/redact_internal.h"

#define FILTER_BITS (1u << 20)

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

/* Longer texts come first, so that the first that is there is the longest. */
static int link_text(struct redact_match_width *w, uint64_t head, struct redact_text *t)
{
	struct redact_text *first = map_get(&w->heads, head), *before = first;

	if (!first || first->text.n <= t->text.n) {
		t->next = first;
		return map_put(&w->heads, head, t);
	}
	while (before->next && before->next->text.n > t->text.n)
		before = before->next;
	t->next = before->next;
	before->next = t;
	return 0;
}

int redact_match_add(struct redact_match *m, struct redact_text *t)
{
	struct redact_match_width *w;
	uint64_t head, bit;
	unsigned k = width_of(t->text.n);

	if (t->text.n < REDACT_WORD_MIN || smap_get(&m->texts, t->text))
		return 0;
	w = &m->widths[k];
	if (!w->bits)
		w->bits = calloc(FILTER_BITS / 64, sizeof(*w->bits));
	head = head_of((const uint8_t *)t->text.p, widths[k]);
	if (!w->bits || smap_put(&m->texts, t->text, t) < 0 || link_text(w, head, t) < 0)
		return ERR_NOMEM;
	bit = filter_bit(head);
	w->bits[bit / 64] |= 1ull << bit % 64;
	m->count++;
	return 0;
}

static bool is_letter(uint8_t c)
{
	return isalnum(c) || c == '_';
}

static bool is_at(const struct redact_text *t, const uint8_t *p, size_t n, size_t i)
{
	size_t end = i + t->text.n;

	if (t->text.n > n - i || memcmp(p + i, t->text.p, t->text.n) != 0)
		return false;
	return !t->is_word ||
	       ((i == 0 || !is_letter(p[i - 1])) && (end == n || !is_letter(p[end])));
}

const struct redact_text *redact_match_at(const struct redact_match *m, const uint8_t *p, size_t n,
					  size_t i)
{
	for (unsigned k = 0; k < MATCH_WIDTHS; k++) {
		const struct redact_match_width *w = &m->widths[k];
		const struct redact_text *t;
		uint64_t head, bit;

		if (!w->bits || n - i < widths[k])
			continue;
		head = head_of(p + i, widths[k]);
		bit = filter_bit(head);
		if (!(w->bits[bit / 64] >> bit % 64 & 1))
			continue;
		for (t = map_get(&w->heads, head); t; t = t->next)
			if (is_at(t, p, n, i))
				return t;
	}
	return NULL;
}

void redact_match_done(struct redact_match *m)
{
	for (unsigned k = 0; k < MATCH_WIDTHS; k++) {
		map_done(&m->widths[k].heads);
		free(m->widths[k].bits);
	}
	smap_done(&m->texts);
}
