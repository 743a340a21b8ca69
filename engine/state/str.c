/* SPDX-License-Identifier: Apache-2.0 */
/* Shared texts and lists of texts. */
#include "engine/state/internal.h"

#include <string.h>

static size_t str_size(size_t len)
{
	return sizeof(struct state_str) + len + 1;
}

struct state_str *state_str_new(struct state *st, struct sv s)
{
	struct state_str *new;

	if (s.n == 0)
		return NULL;
	new = s.n < UINT32_MAX - 64 ? pool_alloc(&st->pool, str_size(s.n)) : NULL;
	if (!new) {
		st->nomem = true;
		return NULL;
	}
	new->refs = 1;
	new->len = (uint32_t)s.n;
	memcpy(new->text, s.p, s.n);
	new->text[s.n] = '\0';
	st->strings++;
	return new;
}

struct state_str *state_str_like(struct state *st, struct sv s, struct state_str *like)
{
	if (like && like->len == s.n && memcmp(like->text, s.p, s.n) == 0)
		return state_str_ref(like);
	return state_str_new(st, s);
}

void state_str_release(struct state *st, struct state_str *s)
{
	st->strings--;
	pool_release(&st->pool, s, str_size(s->len));
}

bool state_str_set(struct state *st, struct state_str **slot, struct sv s)
{
	struct state_str *old = *slot;

	if (sv_eq(state_sv(old), s))
		return false;
	*slot = state_str_new(st, s);
	state_str_unref(st, old);
	return true;
}

bool state_str_share(struct state *st, struct state_str **slot, struct state_str *from)
{
	struct state_str *old = *slot;

	if (old == from)
		return false;
	*slot = state_str_ref(from);
	state_str_unref(st, old);
	return true;
}

uint32_t state_list_count(struct sv block)
{
	uint32_t n = block.n != 0;

	for (const char *p = block.p; n && (p = memchr(p, '\0', block.n - (size_t)(p - block.p)));
	     p++)
		n++;
	return n;
}

bool state_list_set(struct state *st, struct state_list *l, struct sv bytes)
{
	struct state_str *old = l->block;

	if (bytes.n && bytes.p[bytes.n - 1] == '\0')
		bytes.n--;
	if (sv_eq(state_sv(old), bytes))
		return false;
	l->block = state_str_new(st, bytes);
	l->count = l->block ? state_list_count(bytes) : 0;
	state_str_unref(st, old);
	return true;
}

void state_list_share(struct state *st, struct state_list *l, const struct state_list *from)
{
	struct state_str *old = l->block;

	l->block = state_str_ref(from->block);
	l->count = from->count;
	state_str_unref(st, old);
}

void state_list_clear(struct state *st, struct state_list *l)
{
	state_str_unref(st, l->block);
	*l = (struct state_list){0};
}

/* @at is the offset of the next string in the block; one past the end after the last. */
bool state_list_next(const struct state_list *l, size_t *at, struct sv *item)
{
	const char *p, *end;

	if (!l->block || *at > l->block->len)
		return false;
	p = l->block->text + *at;
	end = memchr(p, '\0', l->block->len - *at);
	*item = sv_make(p, end ? (size_t)(end - p) : l->block->len - *at);
	*at += item->n + 1;
	return true;
}

bool state_list_get(const struct state_list *l, size_t i, struct sv *item)
{
	size_t at = 0;

	if (i >= l->count)
		return false;
	while (state_list_next(l, &at, item))
		if (i-- == 0)
			return true;
	return false;
}
