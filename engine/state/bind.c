/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the records it is about; parameters; enter events kept for their exit. */
#include "engine/state/internal.h"

#include <limits.h>
#include <string.h>

/* --- binding --- */

static void bind_thread(struct state_event *e, const struct state_rule *rule)
{
	struct state_thread *t = NULL;

	if (rule->bind != STATE_BIND_NONE)
		t = state_find(e->st, e->ev->tid);
	if (LIKELY(rule->bind == STATE_BIND_GET)) {
		if (UNLIKELY(!t))
			t = state_get(e->st, e->ev->tid);
		if (t)
			t->flags |= STATE_CL_ACTIVE;
	}
	e->t = t;
}

static void bind_enter(struct state_event *e, const struct state_rule *rule)
{
	int64_t num;

	e->t->lastevent_fd = -1;
	e->t->lastevent_type = e->ev->type;
	if (rule->uses_fd && state_need_i64(e, 0, &num)) {
		e->t->lastevent_fd = num;
		e->fd = state_fd_lookup(e->st, e->t, num);
	}
}

static void bind_exit(struct state_event *e, const struct state_rule *rule)
{
	unsigned enter = e->t->lastevent_type;
	int64_t num;

	e->paired =
	    e->ev->type == enter + 1 || (e->ev->type == EV_EXECVE_19_X && enter == EV_EXECVEAT_E);
	if (!e->paired)
		e->t->lastevent_fd = -1;
	if (!rule->fd)
		return;
	/* What the exit event itself says wins over what an enter event, perhaps of another call,
	 * left. */
	if (state_opt_i64(e, rule->fd, &num))
		e->t->lastevent_fd = num;
	if (e->t->lastevent_fd >= 0)
		e->fd = state_fd_lookup(e->st, e->t, e->t->lastevent_fd);
}

void state_bind_event(struct state_event *e)
{
	const struct state_rule *rule = &state_rules[e->ev->type];

	e->fd = NULL;
	bind_thread(e, rule);
	if (!e->t || rule->bind > STATE_BIND_FIND)
		return;
	if (ev_type_is_exit(e->ev->type))
		bind_exit(e, rule);
	else
		bind_enter(e, rule);
}

/* --- enter events that their exit needs --- */

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
