/* SPDX-License-Identifier: Apache-2.0 */
/* Enter events kept for their exit. */
#include "engine/state/internal.h"

#include <string.h>

static bool is_small(struct ev *ev)
{
	size_t size = 26 + (size_t)ev->nparams * (ev->wide ? 4 : 2);

	if (ev->nparams) {
		ev_param(ev, ev->nparams - 1u);
		size += ev->at[ev->nparams];
	}
	return size <= STATE_STORED_MAX;
}

struct state_stored *state_stored_new(struct state *st, const struct state_stored *head,
				      struct sv text)
{
	size_t size = sizeof(*head) + text.n;
	struct state_stored *s = pool_alloc(&st->pool, size);

	if (!s)
		return NULL;
	*s = *head;
	s->size = (uint32_t)size;
	s->len = (uint32_t)text.n;
	if (text.n)
		memcpy(s->text, text.p, text.n);
	return s;
}

void state_store_enter(struct state_event *e, struct sv text, int64_t dirfd, uint32_t flags)
{
	const struct state_stored head = {.type = e->ev->type, .flags = flags, .dirfd = dirfd};
	struct state_stored *s;

	if (!e->t || e->malformed || !is_small(e->ev))
		return;
	s = state_stored_new(e->st, &head, text);
	if (!s) {
		e->st->nomem = true;
		return;
	}
	state_thread_drop_stored(e->st, e->t);
	e->t->stored = s;
}

const struct state_stored *state_retrieve_enter(const struct state_event *e)
{
	const struct state_stored *s = e->t ? e->t->stored : NULL;

	if (!s || !e->paired)
		return NULL;
	if (s->type + 1 == e->ev->type ||
	    (s->type == EV_EXECVEAT_E && e->ev->type == EV_EXECVE_19_X))
		return s;
	return NULL;
}
