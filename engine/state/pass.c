/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that nobody looks at. Of most of them only their thread's bookkeeping is left: which
 * descriptor it used last, and when. What is done here is what bind.c and the parser would do, for
 * a thread and a descriptor that are known and an event that is in no way special.
 */
#include "engine/state/internal.h"

enum { NOT_QUICK, QUICK, QUICK_CLOSE, QUICK_TRANSFER, QUICK_TUPLE };

static uint8_t quickness(unsigned type)
{
	const struct state_rule *rule = &state_rules[type];

	if (!ev_type_is_exit(type) || rule->bind != STATE_BIND_GET || rule->container ||
	    rule->hidden || rule->initial || (ev_table[type].category & EC_METAEVENT))
		return NOT_QUICK;
	if (!rule->parse)
		return QUICK;
	if (rule->parse == state_on_close)
		return QUICK_CLOSE;
	if (rule->parse == state_on_transfer)
		return QUICK_TRANSFER;
	if (rule->parse == state_on_send || rule->parse == state_on_recvfrom)
		return QUICK_TUPLE;
	return NOT_QUICK;
}

void state_pass_init(struct state *st)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		st->quick[type] = quickness(type);
}

/* Is a transfer over @fd, of which more than its use may be seen, one that changes nothing? */
static inline bool is_settled(const struct state_fd *fd, unsigned quick)
{
	const uint32_t status = STATE_FD_CONNECTED | STATE_FD_PENDING | STATE_FD_FAILED;
	bool ipv4 = fd && fd->type == EV_FD_IPV4_SOCK;

	if (quick == QUICK_TRANSFER && (!fd || (!ipv4 && fd->type != EV_FD_IPV6_SOCK)))
		return true;
	if (!fd || (fd->flags & status) != STATE_FD_CONNECTED)
		return false;
	return quick == QUICK_TRANSFER || (ipv4 && fd->name && fd->sock.l4proto == EV_L4_TCP);
}

/* As state_on_close(). */
static inline void close_quickly(struct state *st, struct ev *ev, int64_t num)
{
	if ((int64_t)load_u64(ev->data) < 0)
		return;
	st->pending_close = true;
	st->pending_fd_tid = ev->tid;
	st->pending_fd = num;
}

/* Act on the descriptor that @ev names. Return: false to take the long way; nothing was done. */
static inline bool use_fd(struct state *st, struct ev *ev, struct state_thread *t, unsigned param,
			  struct state_fd **fd)
{
	unsigned quick = st->quick[ev->type];
	struct ev_value value = ev_param(ev, param);
	int64_t num;

	if (UNLIKELY(value.n != 8))
		return false;
	num = (int64_t)load_u64(value.p);
	*fd = state_fd_find(t, num);
	if (quick == QUICK_CLOSE) {
		if (UNLIKELY(ev->at[1] != 8))
			return false;
		if (*fd)
			close_quickly(st, ev, num);
	} else if (quick != QUICK && !is_settled(*fd, quick)) {
		return false;
	}
	t->lastevent_fd = num;
	return true;
}

static inline bool pass_quickly(struct state *st, struct ev *ev, struct state_binding *bind)
{
	const struct state_rule *rule = &state_rules[ev->type];
	struct state_fd *fd = NULL;
	struct state_thread *t;

	if (!st->quick[ev->type] || UNLIKELY(st->phase != STATE_RUN || state_suppresses(st)))
		return false;
	state_settle(st, ev->ts);
	t = state_find(st, ev->tid);
	if (UNLIKELY(!t || t->stored))
		return false;
	if (rule->fd) {
		if (!use_fd(st, ev, t, rule->fd, &fd))
			return false;
	} else if (ev->type != t->lastevent_type + 1) {
		t->lastevent_fd = -1;
	}
	t->flags |= STATE_CL_ACTIVE;
	t->prevevent_ts = t->lastevent_ts;
	t->lastevent_ts = ev->ts;
	state_count_event(st, ev);
	*bind = (struct state_binding){
	    .ev = ev, .thread = t, .fd = fd, .visible = !(ev->block_flags & EV_STATE_ONLY)};
	return true;
}

int state_pass(struct state *st, const struct ev_item *item, struct state_binding *bind,
	       struct error *err)
{
	int rc;

	if (UNLIKELY(item->kind != EV_ITEM_EVENT))
		return state_feed(st, item, bind, err);
	if (LIKELY(item->ev->type < EV_TYPE_COUNT && pass_quickly(st, item->ev, bind)))
		return 1;
	rc = state_feed_event(st, item->ev, false, bind);
	if (LIKELY(!st->nomem))
		return rc;
	st->nomem = false;
	return error_nomem(err);
}
