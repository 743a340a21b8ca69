/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that nobody looks at. Of most of them only their thread's bookkeeping is left: which
 * descriptor it used last, and when. What is done here is what state.c and the parser would do, for
 * a thread and a descriptor that are known and an event that is in no way special. In a file such
 * events are passed where they lie, without an item or a view of each, and others can be shown from
 * there.
 */
#include "engine/state/internal.h"
#include "engine/state/tally.h"
#include "scapfile/brief.h"
#include "scapfile/row.h"

/* What it takes to pass events of a type. */
enum {
	PASS_LOOK,  /* nothing: somebody looks at them */
	PASS_LONG,  /* state_feed_usual() */
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
	unsigned type;
};

static ALWAYS_INLINE bool is_connected(const struct state_fd *fd)
{
	const uint32_t status = STATE_FD_CONNECTED | STATE_FD_PENDING | STATE_FD_FAILED;

	return (fd->flags & status) == STATE_FD_CONNECTED;
}

/* Is a transfer over @fd, of which more than its use may be seen, one that changes nothing? */
static ALWAYS_INLINE bool is_settled(const struct state_fd *fd, unsigned way)
{
	if (way == PASS_TRANSFER)
		return !fd || (fd->type != EV_FD_IPV4_SOCK && fd->type != EV_FD_IPV6_SOCK) ||
		       is_connected(fd);
	return fd && fd->type == EV_FD_IPV4_SOCK && is_connected(fd) && fd->name &&
	       fd->sock.l4proto == EV_L4_TCP;
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

/* The thread's last descriptor; *@fd is that, if @wants_fd. Return: false to take the long way. */
static ALWAYS_INLINE bool use_quickly(struct state *st, const struct quick *q, unsigned way,
				      struct state_thread *t, bool wants_fd, struct state_fd **fd)
{
	if (way == PASS_QUICK) {
		if (q->type != t->lastevent_type + 1u)
			t->lastevent_fd = -1;
		return true;
	}
	if (way > PASS_FD || wants_fd) {
		struct state_fd *used = state_fd_seek(t, q->fd);

		if (way > PASS_CLOSE && !is_settled(used, way))
			return false;
		if (way == PASS_CLOSE && used)
			close_quickly(st, q);
		*fd = used;
	}
	t->lastevent_fd = q->fd;
	return true;
}

/*
 * @wants_fd: *@fd is to receive the descriptor, if there is one; else it may.
 * Return: the thread; NULL to take the long way: but for what was pending nothing was done.
 */
static ALWAYS_INLINE struct state_thread *pass_quickly(struct state *st, const struct quick *q,
						       unsigned way, bool wants_fd,
						       struct state_fd **fd)
{
	struct state_thread *t;

	state_settle(st, q->ts);
	t = state_find(st, q->tid);
	if (UNLIKELY(!t || t->stored) || !use_quickly(st, q, way, t, wants_fd, fd))
		return NULL;
	t->flags |= STATE_CL_ACTIVE;
	t->prevevent_ts = t->lastevent_ts;
	t->lastevent_ts = q->ts;
	st->stats.events++;
	st->stats.last_ts = q->ts;
	return t;
}

static inline bool pass_event(struct state *st, struct ev *ev, struct state_binding *bind)
{
	struct quick q = {.ts = ev->ts, .tid = ev->tid, .type = ev->type};
	unsigned way = st->ways[ev->type];
	struct state_fd *fd = NULL;
	struct state_thread *t;

	if (way <= PASS_LONG || UNLIKELY(!is_quick_now(st)))
		return false;
	if (way > PASS_QUICK && !ev_i64(ev, state_rules[ev->type].fd, &q.fd))
		return false;
	if (way == PASS_CLOSE && !ev_i64(ev, 0, &q.ret))
		return false;
	t = pass_quickly(st, &q, way, true, &fd);
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
	    .how = way_of(type),
	    .start = (uint16_t)(SF_ROW_LENS + 2u * ev_table[type].nparams),
	    .fd = (uint8_t)fd,
	    .before = fd && fd <= 4 ? SF_ROW_ADD(fd) : 0,
	};

	if (way.how > PASS_QUICK && fd > 4)
		way.how = PASS_LONG;
	way.shown = way.how;
	if (looked_at)
		way.how = PASS_LOOK;
	return way;
}

void state_passing_init(struct state_passing *p, bool (*looks_at)(const void *arg, unsigned type),
			const void *arg)
{
	*p = (struct state_passing){.to = UINT64_MAX, .end = UINT64_MAX};
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		p->ways[type] = way_in_row(type, looks_at(arg, type));
}

static ALWAYS_INLINE struct state_thread *pass_one_way(struct state *st,
						       const struct sf_row_event *e,
						       const struct state_way *way, unsigned how,
						       bool wants_fd, struct state_fd **fd)
{
	struct quick q = {.ts = sf_row_time(e), .tid = sf_row_tid(e), .type = e->type};

	if (how > PASS_QUICK) {
		if (UNLIKELY(sf_row_len(e, way->fd) != 8))
			return NULL;
		q.fd = (int64_t)load_u64(sf_row_behind(e, way->start, way->before));
	}
	if (how == PASS_CLOSE) {
		if (UNLIKELY(!sf_row_are_numbers(e, 1)))
			return NULL;
		q.ret = (int64_t)load_u64(e->p + way->start);
	}
	return pass_quickly(st, &q, how, wants_fd, fd);
}

/* ---- what is told of them ---- */

static NOINLINE void tell(const struct state_tally *t, const struct sf_row *row, const uint8_t *p,
			  struct state_thread *thread, struct state_fd *fd, unsigned why)
{
	const struct sf_row_event e = sf_row_event_at(p);
	const struct state_passed passed = {.row = row,
					    .event = &e,
					    .thread = thread,
					    .fd = fd,
					    .visible = !(why & STATE_WHY_HIDDEN)};

	t->told(t->arg, &passed, why);
}

/* Most that are told are calls of which a number says all. */
static ALWAYS_INLINE bool is_told_by_number(const struct state_tally *t,
					    const struct sf_row_event *e,
					    const struct state_way *way,
					    const struct state_thread *thread,
					    const struct state_fd *fd, unsigned why)
{
	return why == STATE_WHY_ASKED && way->tell & STATE_TELL_NUMBER &&
	       sf_row_has_numbers(e, way->numbers) &&
	       t->told_number(t->arg, e->type, thread, fd, sf_row_time(e),
			      (int64_t)load_u64(e->p + way->number));
}

static ALWAYS_INLINE void account(struct state_tally *t, const struct sf_row *row,
				  const struct sf_row_event *e, const struct state_way *way,
				  struct state_thread *thread, struct state_fd *fd, bool visible)
{
	unsigned why =
	    state_tally_add(t, e->type, way->tell, sf_row_time(e), sf_row_tid(e), fd, visible);

	if (why && !is_told_by_number(t, e, way, thread, fd, why))
		tell(t, row, e->p, thread, fd, why);
}

enum row_use {
	ROW_COUNTED,	     /* events that are seen are, at any time, */
	ROW_COUNTED_IN_TIME, /* or only of those times */
	ROW_TALLIED,	     /* each one is accounted for */
};

/* @use: ROW_TALLIED: @t accounts for it. */
static ALWAYS_INLINE struct state_thread *take_one_way(struct state *st, const struct sf_row *row,
						       const struct sf_row_event *e,
						       const struct state_way *way, unsigned how,
						       bool wants_fd, struct state_fd **fd,
						       enum row_use use, struct state_tally *t)
{
	struct state_thread *thread = pass_one_way(st, e, way, how, wants_fd, fd);

	if (use == ROW_TALLIED && LIKELY(thread))
		account(t, row, e, way, thread, *fd, true);
	return thread;
}

/*
 * A path for each way, so that none asks for what only others need. @how: that of @way, or as it is
 * shown.
 * *@fd, which is NULL, receives the descriptor if @wants_fd, else it may. Return: the thread; NULL:
 * it was not taken.
 */
static ALWAYS_INLINE struct state_thread *pass_in_row(struct state *st, const struct sf_row *row,
						      const struct sf_row_event *e,
						      const struct state_way *way, unsigned how,
						      bool wants_fd, struct state_fd **fd,
						      enum row_use use, struct state_tally *t)
{
	switch (how) {
	case PASS_QUICK:
		return take_one_way(st, row, e, way, PASS_QUICK, wants_fd, fd, use, t);
	case PASS_FD:
		return take_one_way(st, row, e, way, PASS_FD, wants_fd, fd, use, t);
	case PASS_CLOSE:
		return take_one_way(st, row, e, way, PASS_CLOSE, wants_fd, fd, use, t);
	case PASS_TRANSFER:
		return take_one_way(st, row, e, way, PASS_TRANSFER, wants_fd, fd, use, t);
	case PASS_TUPLE:
		return take_one_way(st, row, e, way, PASS_TUPLE, wants_fd, fd, use, t);
	case PASS_LOOK:
	case PASS_LONG:
		return NULL;
	}
	__builtin_unreachable(); /* way_in_row() knows no other */
}

/* @t: NULL, or accounts for it. Return: is it visible? */
static NOINLINE bool feed_in_row(struct state *st, struct state_tally *t,
				 const struct state_way *way, const struct sf_row *row,
				 const uint8_t *p)
{
	const struct sf_row_event e = sf_row_event_at(p);
	struct state_binding bind;
	struct ev ev;

	sf_row_decode(row, &e, &ev);
	state_feed_usual(st, &ev, false, &bind);
	if (t)
		account(t, row, &e, way, bind.thread, bind.fd, bind.visible);
	return bind.visible;
}

static bool is_refused(struct state *st, const struct state_passing *p,
		       const struct sf_row_event *e)
{
	struct state_thread *t;

	if (!p->ways[e->type].asks || p->ways[e->type].shown <= PASS_LONG)
		return false;
	state_settle(st, sf_row_time(e));
	t = state_find(st, sf_row_tid(e));
	state_follow_main(st, t);
	return t && p->refuses(p->arg, e->type, t);
}

/* Take the event at @at and show it; @p->rc says how that went. Return: is it visible? */
static NOINLINE bool show_in_row(struct state *st, struct state_passing *p,
				 const struct sf_row *row, const uint8_t *at)
{
	const struct sf_row_event e = sf_row_event_at(at);
	const struct state_way *way = &p->ways[e.type];
	struct state_binding bind = {.visible = true};
	bool refused = is_refused(st, p, &e);
	struct ev ev;

	bind.ev = &ev;
	bind.thread =
	    pass_in_row(st, row, &e, way, way->shown, !refused, &bind.fd, ROW_COUNTED, NULL);
	if (bind.thread && refused)
		return true;
	if (bind.thread) {
		sf_row_decode_some(row, &e, &ev);
		ev.num = st->stats.events;
		state_describe(st, &bind);
	} else {
		sf_row_decode(row, &e, &ev);
		state_feed_usual(st, &ev, true, &bind);
	}
	if (LIKELY(!st->nomem))
		p->rc = p->show(p->arg, &bind, p->err);
	return bind.visible;
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

/* @item: NULL, or receives @e. */
static ALWAYS_INLINE void end_row(const struct state_passing *p, struct sf_row row, uint64_t taken,
				  struct sf_row_event e, struct ev_item *item)
{
	row.taken = taken;
	if (item)
		sf_row_deliver(p->reader, &row, &e, item);
	else
		sf_row_end(p->reader, &row);
}

/*
 * Pass what is in @row, which is ended. What its loop looks at is handed on by value, so that it
 * need not be in memory. Return: whether the row ended with @item, which somebody looks at.
 */
static ALWAYS_INLINE bool pass_row(struct state *st, struct state_passing *p, struct sf_row row,
				   enum row_use use, struct ev_item *item)
{
	const struct sf_row whole = row;
	struct state_tally *tally = use == ROW_TALLIED ? p->tally : NULL;
	/* The state counts each event: what is taken needs no count of its own. */
	const uint64_t *events = &st->stats.events, first = *events;
	uint64_t stop = first + (p->max - p->passed), taken, unseen = 0;
	struct sf_row_event e;
	bool looked_at = false;

	while (*events != stop && sf_row_look(&row, &e)) {
		const struct state_way *way = &p->ways[e.type];
		bool wants_fd = use == ROW_TALLIED && state_tally_needs_fd(way->tell);
		struct state_fd *fd = NULL;
		bool taken_so, visible = true;

		__asm__("" : "+r"(way)); /* found once, not wherever it is needed */
		taken_so = pass_in_row(st, &whole, &e, way, way->how, wants_fd, &fd, use, tally);
		if (!taken_so && way->how != PASS_LOOK) {
			visible = feed_in_row(st, tally, way, &whole, e.p);
		} else if (!taken_so) {
			looked_at = !p->show;
			if (looked_at)
				break;
			visible = show_in_row(st, p, &whole, e.p);
			if (UNLIKELY(p->rc < 0))
				stop = *events;
		}
		if (use != ROW_TALLIED && !visible && !p->internal)
			unseen++;
		else if (use == ROW_COUNTED_IN_TIME)
			unseen += sf_row_time(&e) < p->from || sf_row_time(&e) > p->to;
		row.at += e.total;
	}
	taken = *events - first;
	p->passed += taken;
	if (use != ROW_TALLIED)
		p->seen += taken - unseen;
	end_row(p, row, taken, e, looked_at ? item : NULL);
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

static NOINLINE bool pass_row_tallied(struct state *st, struct state_passing *p, struct sf_row row,
				      struct ev_item *item)
{
	return pass_row(st, p, row, ROW_TALLIED, item);
}

/* Pass @b, which is the next event. Return: false if it was not taken. */
static bool pass_brief(struct state *st, const struct state_passing *p, const struct sf_brief *b)
{
	struct quick q = {.ts = b->ts, .tid = b->tid, .type = b->type};
	struct state_fd *fd;
	unsigned way = p->ways[b->type].how;

	if (way <= PASS_LONG)
		return false;
	if (way > PASS_QUICK && !sf_brief_i64(p->reader, state_rules[b->type].fd, &q.fd))
		return false;
	if (way == PASS_CLOSE && !sf_brief_i64(p->reader, 0, &q.ret))
		return false;
	return pass_quickly(st, &q, way, false, &fd);
}

/* The next item behind events that are in no row, but pass quickly. Return: as ev_source_next(). */
static int next_item(struct state *st, struct state_passing *p, struct ev_item *item,
		     struct error *err)
{
	struct sf_brief b;
	int rc = 0;

	while (!p->tally && is_quick_now(st) && (rc = sf_brief_next(p->reader, &b, err)) > 0) {
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
	return item->kind == EV_ITEM_EVENT && !p->tally && item->offset < p->end &&
	       p->passed < p->max && p->ways[item->ev->type].how != PASS_LOOK;
}

int state_pass_on(struct state *st, struct state_passing *p, struct ev_item *item,
		  struct error *err)
{
	bool (*pass_one_row)(struct state *, struct state_passing *, struct sf_row,
			     struct ev_item *) = p->tally	     ? pass_row_tallied
						 : p->from || ~p->to ? pass_row_in_time
								     : pass_row_counted;
	struct state_binding bind;
	struct sf_row row;
	int rc;

	p->passed = p->seen = 0;
	p->rc = 0;
	p->err = err;
	for (;;) {
		if (is_quick_now(st) && sf_row_begin(p->reader, &row)) {
			cut_row(&row, p->end);
			if (pass_one_row(st, p, row, item))
				return 1;
			if (UNLIKELY(st->nomem)) {
				st->nomem = false;
				return error_nomem(err);
			}
			if (UNLIKELY(p->rc < 0))
				return p->rc;
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
