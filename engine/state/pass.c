/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that nobody looks at. Of most of them only their thread's bookkeeping is left: which
 * descriptor it used last, and when. What is done here is what bind.c and the parser would do, for
 * a thread and a descriptor that are known and an event that is in no way special. In a file such
 * events are passed where they lie, without an item or a view of each.
 */
#include "engine/state/internal.h"
#include "scapfile/brief.h"
#include "scapfile/row.h"

/* What it takes to pass events of a type. */
enum {
	PASS_LOOK,  /* nothing: somebody looks at them */
	PASS_LONG,  /* bind.c and the parser */
	PASS_QUICK, /* their thread's bookkeeping; what follows, and a descriptor's, too */
	PASS_FD,
	PASS_CLOSE,
	PASS_TRANSFER,
	PASS_TUPLE,
};

static uint8_t way_of(unsigned type)
{
	const struct state_rule *rule = &state_rules[type];

	if (!ev_type_is_exit(type) || rule->bind != STATE_BIND_GET || rule->container ||
	    rule->hidden || rule->initial || (ev_table[type].category & EC_METAEVENT))
		return PASS_LONG;
	if (!rule->parse)
		return rule->fd ? PASS_FD : PASS_QUICK;
	if (rule->parse == state_on_close)
		return PASS_CLOSE;
	if (rule->parse == state_on_transfer)
		return PASS_TRANSFER;
	if (rule->parse == state_on_send || rule->parse == state_on_recvfrom)
		return PASS_TUPLE;
	return PASS_LONG;
}

void state_pass_init(struct state *st)
{
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		st->ways[type] = way_of(type);
}

/* --- one event --- */

struct quick { /* what is needed of it */
	uint64_t ts;
	int64_t tid, fd, ret; /* the last two as far as the way needs them */
	uint16_t type;
	uint8_t way;
};

/* Is a transfer over @fd, of which more than its use may be seen, one that changes nothing? */
static ALWAYS_INLINE bool is_settled(const struct state_fd *fd, unsigned way)
{
	const uint32_t status = STATE_FD_CONNECTED | STATE_FD_PENDING | STATE_FD_FAILED;
	bool ipv4 = fd && fd->type == EV_FD_IPV4_SOCK;

	if (way == PASS_TRANSFER && (!fd || (!ipv4 && fd->type != EV_FD_IPV6_SOCK)))
		return true;
	if (!fd || (fd->flags & status) != STATE_FD_CONNECTED)
		return false;
	return way == PASS_TRANSFER || (ipv4 && fd->name && fd->sock.l4proto == EV_L4_TCP);
}

/* As state_on_close(). */
static inline void close_quickly(struct state *st, const struct quick *q)
{
	if (q->ret < 0)
		return;
	st->pending_close = true;
	st->pending_fd_tid = q->tid;
	st->pending_fd = q->fd;
}

/* May events be passed quickly now? Until something else comes it stays so. */
static inline bool is_quick_now(const struct state *st)
{
	return st->phase == STATE_RUN && st->stats.first_event_ts && !state_suppresses(st);
}

/*
 * @fd: NULL if the descriptor itself is of no interest.
 * Return: the thread; NULL to take the long way: but for what was pending nothing was done.
 */
static ALWAYS_INLINE struct state_thread *pass_quickly(struct state *st, const struct quick *q,
						       struct state_fd **fd)
{
	struct state_thread *t;

	state_settle(st, q->ts);
	t = state_find(st, q->tid);
	if (UNLIKELY(!t || t->stored))
		return NULL;
	if (q->way == PASS_QUICK) {
		if (q->type != t->lastevent_type + 1)
			t->lastevent_fd = -1;
	} else {
		if (q->way > PASS_FD || fd) {
			struct state_fd *used = state_fd_seek(t, q->fd);

			if (q->way > PASS_CLOSE && !is_settled(used, q->way))
				return NULL;
			if (q->way == PASS_CLOSE && used)
				close_quickly(st, q);
			if (fd)
				*fd = used;
		}
		t->lastevent_fd = q->fd;
	}
	t->flags |= STATE_CL_ACTIVE;
	t->prevevent_ts = t->lastevent_ts;
	t->lastevent_ts = q->ts;
	st->stats.events++;
	st->stats.last_ts = q->ts;
	return t;
}

static inline bool pass_event(struct state *st, struct ev *ev, struct state_binding *bind)
{
	struct quick q = {
	    .ts = ev->ts, .tid = ev->tid, .type = ev->type, .way = st->ways[ev->type]};
	struct state_fd *fd = NULL;
	struct state_thread *t;

	if (q.way <= PASS_LONG || UNLIKELY(!is_quick_now(st)))
		return false;
	if (q.way > PASS_QUICK && !ev_i64(ev, state_rules[ev->type].fd, &q.fd))
		return false;
	if (q.way == PASS_CLOSE && !ev_i64(ev, 0, &q.ret))
		return false;
	t = pass_quickly(st, &q, &fd);
	if (!t)
		return false;
	ev->num = st->stats.events;
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
	if (LIKELY(item->ev->type < EV_TYPE_COUNT && pass_event(st, item->ev, bind)))
		return 1;
	rc = state_feed_event(st, item->ev, false, bind);
	if (LIKELY(!st->nomem))
		return rc;
	st->nomem = false;
	return error_nomem(err);
}

/* --- many --- */

static struct state_way way_in_row(unsigned type, bool looked_at)
{
	unsigned fd = state_rules[type].fd;
	struct state_way way = {
	    .how = looked_at ? PASS_LOOK : way_of(type),
	    .start = (uint16_t)(SF_ROW_LENS + 2u * ev_table[type].nparams),
	    .fd = (uint8_t)fd,
	    .before = fd < 4 ? (UINT64_C(1) << 16 * fd) - 1 : UINT64_MAX,
	};

	if (way.how > PASS_QUICK && fd > 4)
		way.how = PASS_LONG;
	return way;
}

void state_passing_init(struct state_passing *p, bool (*looks_at)(const void *arg, unsigned type),
			const void *arg)
{
	*p = (struct state_passing){.to = UINT64_MAX, .end = UINT64_MAX};
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		p->ways[type] = way_in_row(type, looks_at(arg, type));
}

/*
 * @fd: NULL if the descriptor itself is of no interest. Return: the thread; NULL: it was not taken.
 */
static ALWAYS_INLINE struct state_thread *pass_in_row(struct state *st,
						      const struct sf_row_event *e,
						      const struct state_way *way,
						      struct state_fd **fd)
{
	struct quick q = {
	    .ts = sf_row_time(e),
	    .tid = sf_row_tid(e),
	    .type = e->type,
	    .way = way->how,
	};

	if (q.way <= PASS_LONG)
		return NULL;
	if (q.way > PASS_QUICK) {
		if (UNLIKELY(sf_row_len(e, way->fd) != 8))
			return NULL;
		q.fd = (int64_t)load_u64(sf_row_behind(e, way->start, way->before));
	}
	if (q.way == PASS_CLOSE) {
		if (UNLIKELY(sf_row_len(e, 0) != 8))
			return NULL;
		q.ret = (int64_t)load_u64(e->p + way->start);
	}
	return pass_quickly(st, &q, fd);
}

/* The long way: all of @passed but for where it is. What is looked at in a loop comes by value. */
static NOINLINE void feed_in_row(struct state *st, struct sf_row row, struct sf_row_event e,
				 struct state_passed *passed)
{
	struct state_binding bind;
	struct ev ev;

	sf_row_decode(&row, &e, &ev);
	state_feed_usual(st, &ev, &bind);
	passed->thread = bind.thread;
	passed->fd = bind.fd;
	passed->visible = bind.visible;
}

/* Nothing at or behind offset @end is taken. */
static void cut_row(struct sf_row *row, uint64_t end)
{
	uint64_t left = (uint64_t)(row->end - row->at), at = sf_row_offset(row);
	uint64_t wanted = end > at ? end - at : 0;

	if (wanted >= left)
		return;
	row->end = row->at + wanted;
	row->end_offset = at + wanted;
}

enum row_use {
	ROW_COUNTED,	     /* events that are seen are, at any time, */
	ROW_COUNTED_IN_TIME, /* or only of those times */
	ROW_NOTED,	     /* each one is told */
};

/* Pass what is in @row, which is ended. Return: whether it ended with @item, which somebody looks
 * at. */
static ALWAYS_INLINE bool pass_row(struct state *st, struct state_passing *p, struct sf_row row,
				   enum row_use use, struct ev_item *item)
{
	const uint64_t first = st->stats.events, last = first + p->max - p->passed;
	const struct sf_row whole = row;
	struct sf_row_event e;
	struct state_passed passed = {.row = &whole, .event = &e};
	uint64_t unseen = 0;
	bool looked_at = false;

	while (st->stats.events != last && sf_row_look(&row, &e)) {
		const struct state_way *way = &p->ways[e.type];

		passed.visible = true;
		passed.fd = NULL;
		passed.thread = pass_in_row(st, &e, way, use == ROW_NOTED ? &passed.fd : NULL);
		if (!passed.thread) {
			looked_at = way->how == PASS_LOOK;
			if (looked_at)
				break;
			feed_in_row(st, row, e, &passed);
		}
		if (use == ROW_NOTED)
			p->note(p->arg, &passed);
		else if (!passed.visible && !p->internal)
			unseen++;
		else if (use == ROW_COUNTED_IN_TIME)
			unseen += sf_row_time(&e) < p->from || sf_row_time(&e) > p->to;
		row.at += e.total;
	}
	row.taken = st->stats.events - first;
	p->passed += row.taken;
	if (use != ROW_NOTED)
		p->seen += row.taken - unseen;
	if (looked_at)
		sf_row_deliver(p->reader, &row, &e, item);
	else
		sf_row_end(p->reader, &row);
	return looked_at;
}

/* One loop for each use: what it does not need costs it nothing. */
static NOINLINE bool pass_row_counted(struct state *st, struct state_passing *p, struct sf_row row,
				      struct ev_item *item)
{
	return pass_row(st, p, row, ROW_COUNTED, item);
}

static NOINLINE bool pass_row_in_time(struct state *st, struct state_passing *p, struct sf_row row,
				      struct ev_item *item)
{
	return pass_row(st, p, row, ROW_COUNTED_IN_TIME, item);
}

static NOINLINE bool pass_row_noted(struct state *st, struct state_passing *p, struct sf_row row,
				    struct ev_item *item)
{
	return pass_row(st, p, row, ROW_NOTED, item);
}

/* Pass @b, which is the next event. Return: false if it was not taken. */
static bool pass_brief(struct state *st, const struct state_passing *p, const struct sf_brief *b)
{
	struct quick q = {.ts = b->ts, .tid = b->tid, .type = (uint16_t)b->type};

	q.way = p->ways[b->type].how;
	if (q.way <= PASS_LONG)
		return false;
	if (q.way > PASS_QUICK && !sf_brief_i64(p->reader, state_rules[b->type].fd, &q.fd))
		return false;
	if (q.way == PASS_CLOSE && !sf_brief_i64(p->reader, 0, &q.ret))
		return false;
	return pass_quickly(st, &q, NULL);
}

/* The next item behind events that are in no row, but pass quickly. Return: as ev_source_next(). */
static int next_item(struct state *st, struct state_passing *p, struct ev_item *item,
		     struct error *err)
{
	struct sf_brief b;
	int rc = 0;

	while (!p->note && is_quick_now(st) && (rc = sf_brief_next(p->reader, &b, err)) > 0) {
		if (b.offset >= p->end || p->passed >= p->max || !pass_brief(st, p, &b)) {
			sf_brief_deliver(p->reader, item);
			return 1;
		}
		sf_brief_pass(p->reader);
		p->passed++;
		p->seen += b.ts >= p->from && b.ts <= p->to;
	}
	return rc < 0 ? rc : ev_source_next(sf_reader_source(p->reader), item, err);
}

/* Is @item one to be passed, too? */
static bool is_passed(const struct state_passing *p, const struct ev_item *item)
{
	return item->kind == EV_ITEM_EVENT && !p->note && item->offset < p->end &&
	       p->passed < p->max && p->ways[item->ev->type].how != PASS_LOOK;
}

int state_pass_on(struct state *st, struct state_passing *p, struct ev_item *item,
		  struct error *err)
{
	bool (*pass_one_row)(struct state *, struct state_passing *, struct sf_row,
			     struct ev_item *) = p->note	     ? pass_row_noted
						 : p->from || ~p->to ? pass_row_in_time
								     : pass_row_counted;
	struct state_binding bind;
	struct sf_row row;
	int rc;

	p->passed = p->seen = 0;
	for (;;) {
		if (is_quick_now(st) && sf_row_begin(p->reader, &row)) {
			cut_row(&row, p->end);
			if (pass_one_row(st, p, row, item))
				return 1;
			if (UNLIKELY(st->nomem)) {
				st->nomem = false;
				return error_nomem(err);
			}
		}
		rc = next_item(st, p, item, err);
		if (rc <= 0 || !is_passed(p, item))
			return rc;
		rc = state_pass(st, item, &bind, err);
		if (rc < 0)
			return rc;
		p->passed++;
		p->seen += rc > 0 && (bind.visible || p->internal) && item->ev->ts >= p->from &&
			   item->ev->ts <= p->to;
	}
}
