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

#define MAP_FD	  8  /* the descriptor's parameter where memory is mapped, */
#define MAP_FD_AT 44 /* and where it is if all before it are as wide as they are now */

/* Lengths of what is returned and of three numbers of memory. */
#define MEMORY_LENS UINT64_C(0x0004000400040008)

#define SWITCH_USED_AT 8 /* page faults and memory of a switch: behind the next thread */

/* What it takes to pass events of a type. */
enum {
	PASS_LOOK,    /* nothing: somebody looks at them */
	PASS_LONG,    /* state_feed_usual() */
	PASS_ENTER,   /* that, unless they say nothing of a call that begins: old ones do not */
	PASS_MENTION, /* when their thread was heard of last */
	PASS_SWITCH,  /* what their thread has used so far */
	PASS_FAILED,  /* PASS_QUICK if the call failed, else PASS_LONG */
	PASS_QUICK,   /* their thread's bookkeeping, */
	PASS_MEMORY,  /* with its memory; */
	PASS_FD,      /* what follows, and a descriptor's, too, */
	PASS_MAP,     /* again with the memory */
	PASS_CLOSE,
	PASS_TRANSFER,
	PASS_TUPLE,
};

static uint8_t way_of(unsigned type)
{
	const struct state_rule *rule = &state_rules[type];

	if (type == EV_PROCINFO_E)
		return PASS_MENTION;
	if (type == EV_SCHEDSWITCH_6_E)
		return PASS_SWITCH;
	if (rule->parse == state_on_open_enter || rule->parse == state_on_name_enter)
		return PASS_ENTER;
	if (!ev_type_is_exit(type) || rule->bind != STATE_BIND_GET || rule->container ||
	    rule->hidden || rule->initial || (ev_table[type].category & EC_METAEVENT))
		return PASS_LONG;
	if (!rule->parse)
		return rule->fd ? PASS_FD : PASS_QUICK;
	if (rule->parse == state_on_memory)
		return rule->fd ? PASS_MAP : PASS_MEMORY;
	if (rule->parse == state_on_open || rule->parse == state_on_openat ||
	    rule->parse == state_on_openat2 || rule->parse == state_on_creat ||
	    rule->parse == state_on_socket)
		return PASS_FAILED;
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
	int64_t tid, fd, ret;  /* the last two as far as the way needs them, and so */
	const uint8_t *memory; /* size, resident and swapped kilobytes, u32 each, and */
	const uint8_t *used;   /* major and minor page faults, u64 each, and then the memory */
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

/* Do events that go this @way say what memory their thread has? */
static inline bool has_memory(unsigned way)
{
	return way == PASS_MEMORY || way == PASS_MAP;
}

/* Does it matter what they return? */
static inline bool needs_ret(unsigned way)
{
	return way == PASS_CLOSE || way == PASS_FAILED;
}

/* As state_on_memory(). */
static inline void set_memory(struct state_thread *t, const uint8_t *memory)
{
	t->vmsize_kb = load_u32(memory);
	t->vmrss_kb = load_u32(memory + 4);
	t->vmswap_kb = load_u32(memory + 8);
}

/* As state_on_switch(). */
static inline void set_used(struct state_thread *t, const uint8_t *used)
{
	struct state_thread *main = state_main(t);

	t->pfmajor = load_u64(used);
	t->pfminor = load_u64(used + 8);
	if (main)
		set_memory(main, used + 16);
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
	if (way == PASS_ENTER) {
		t->lastevent_fd = -1;
		t->lastevent_type = (uint16_t)q->type;
		return true;
	}
	if (way < PASS_FD) {
		if (q->type != t->lastevent_type + 1u)
			t->lastevent_fd = -1;
		return true;
	}
	if (way > PASS_MAP || wants_fd) {
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
 * @wants_fd: *@fd is to receive the descriptor, if there is one; else it may. *@thread receives the
 * thread, if there is one. Return: false to take the long way: but for what was pending nothing was
 * done.
 */
static ALWAYS_INLINE bool pass_quickly(struct state *st, const struct quick *q, unsigned way,
				       bool wants_fd, struct state_thread **thread,
				       struct state_fd **fd)
{
	struct state_thread *t;

	if (way == PASS_FAILED && q->ret >= 0)
		return false;
	state_settle(st, q->ts);
	t = *thread = state_find(st, q->tid);
	if (way == PASS_SWITCH) {
		if (t)
			set_used(t, q->used);
	} else if (way != PASS_MENTION) {
		if (UNLIKELY(!t || (way != PASS_ENTER && t->stored)) ||
		    !use_quickly(st, q, way, t, wants_fd, fd))
			return false;
		if (has_memory(way))
			set_memory(t, q->memory);
		t->flags |= STATE_CL_ACTIVE;
	}
	if (t && way != PASS_SWITCH) {
		t->prevevent_ts = t->lastevent_ts;
		t->lastevent_ts = q->ts;
	}
	if (way != PASS_MENTION)
		st->stats.last_ts = q->ts;
	st->stats.events++;
	return true;
}

/* Behind what is returned: three numbers of 4 bytes. */
static bool ev_memory(struct ev *ev, const uint8_t **out)
{
	*out = ev_param(ev, 1).p;
	return ev_param(ev, 1).n == 4 && ev_param(ev, 2).n == 4 && ev_param(ev, 3).n == 4;
}

static inline bool pass_event(struct state *st, struct ev *ev, struct state_binding *bind)
{
	struct quick q = {.ts = ev->ts, .tid = ev->tid, .type = ev->type};
	unsigned way = st->ways[ev->type];
	struct state_fd *fd = NULL;
	struct state_thread *t;

	if (way <= PASS_ENTER || way == PASS_SWITCH || UNLIKELY(!is_quick_now(st)))
		return false;
	if (way >= PASS_FD && !ev_i64(ev, state_rules[ev->type].fd, &q.fd))
		return false;
	if (needs_ret(way) && !ev_i64(ev, 0, &q.ret))
		return false;
	if (has_memory(way) && !ev_memory(ev, &q.memory))
		return false;
	if (!pass_quickly(st, &q, way, true, &t, &fd))
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

	if (way.how >= PASS_FD && fd > 4 && !(way.how == PASS_MAP && fd == MAP_FD))
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

/*
 * Are the parameters of @e as wide as those of such events are? What was returned, and three
 * numbers of memory; of a mapping also address, length, protection, flags and the descriptor.
 */
static ALWAYS_INLINE bool is_usual_memory(const struct sf_row_event *e, unsigned how)
{
	const uint8_t *lens = e->p + SF_ROW_LENS;

	return load_u64(lens) == MEMORY_LENS &&
	       (how == PASS_MEMORY ||
		(load_u64(lens + 8) == UINT64_C(0x0004000400080008) && sf_row_len(e, MAP_FD) == 8));
}

/* The same of a switch, at whose lengths @lens is: the next thread, page faults, and memory. */
static ALWAYS_INLINE bool is_usual_switch(const uint8_t *lens)
{
	return load_u64(lens) == UINT64_C(0x0004000800080008) &&
	       load_u32(lens + 8) == UINT32_C(0x00040004);
}

static ALWAYS_INLINE bool pass_one_way(struct state *st, const struct sf_row_event *e,
				       const struct state_way *way, unsigned how, bool wants_fd,
				       struct state_thread **t, struct state_fd **fd)
{
	struct quick q = {.ts = sf_row_time(e), .tid = sf_row_tid(e), .type = e->type};

	if (has_memory(how)) {
		if (UNLIKELY(!is_usual_memory(e, how)))
			return false;
		q.memory = e->p + way->start + 8;
	}
	if (how == PASS_SWITCH) {
		if (UNLIKELY(!is_usual_switch(e->p + SF_ROW_LENS)))
			return false;
		q.used = e->p + way->start + SWITCH_USED_AT;
	}
	if (how == PASS_MAP) {
		q.fd = (int64_t)load_u64(e->p + way->start + MAP_FD_AT);
	} else if (how >= PASS_FD) {
		if (UNLIKELY(sf_row_len(e, way->fd) != 8))
			return false;
		q.fd = (int64_t)load_u64(sf_row_behind(e, way->start, way->before));
	}
	if (needs_ret(how)) {
		if (UNLIKELY(sf_row_len(e, 0) != 8))
			return false;
		q.ret = (int64_t)load_u64(e->p + way->start);
	}
	return pass_quickly(st, &q, how, wants_fd, t, fd);
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
	return why == STATE_WHY_ASKED && thread && way->tell & STATE_TELL_NUMBER &&
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
static ALWAYS_INLINE bool take_one_way(struct state *st, const struct sf_row *row,
				       const struct sf_row_event *e, const struct state_way *way,
				       unsigned how, bool wants_fd, struct state_thread **thread,
				       struct state_fd **fd, enum row_use use,
				       struct state_tally *t)
{
	bool passed = pass_one_way(st, e, way, how, wants_fd, thread, fd);

	if (use == ROW_TALLIED && LIKELY(passed))
		account(t, row, e, way, *thread, *fd, true);
	return passed;
}

/*
 * A path for each way, so that none asks for what only others need. @how: that of @way, or as it is
 * shown.
 * *@fd, which is NULL, receives the descriptor if @wants_fd, else it may; *@thread the thread, if
 * there is one. Return: false if it was not taken.
 */
static ALWAYS_INLINE bool pass_in_row(struct state *st, const struct sf_row *row,
				      const struct sf_row_event *e, const struct state_way *way,
				      unsigned how, bool wants_fd, struct state_thread **thread,
				      struct state_fd **fd, enum row_use use, struct state_tally *t)
{
	switch (how) {
	case PASS_MENTION:
		return take_one_way(st, row, e, way, PASS_MENTION, wants_fd, thread, fd, use, t);
	case PASS_SWITCH:
		return take_one_way(st, row, e, way, PASS_SWITCH, wants_fd, thread, fd, use, t);
	case PASS_FAILED:
		return take_one_way(st, row, e, way, PASS_FAILED, wants_fd, thread, fd, use, t);
	case PASS_QUICK:
		return take_one_way(st, row, e, way, PASS_QUICK, wants_fd, thread, fd, use, t);
	case PASS_MEMORY:
		return take_one_way(st, row, e, way, PASS_MEMORY, wants_fd, thread, fd, use, t);
	case PASS_MAP:
		return take_one_way(st, row, e, way, PASS_MAP, wants_fd, thread, fd, use, t);
	case PASS_FD:
		return take_one_way(st, row, e, way, PASS_FD, wants_fd, thread, fd, use, t);
	case PASS_CLOSE:
		return take_one_way(st, row, e, way, PASS_CLOSE, wants_fd, thread, fd, use, t);
	case PASS_TRANSFER:
		return take_one_way(st, row, e, way, PASS_TRANSFER, wants_fd, thread, fd, use, t);
	case PASS_TUPLE:
		return take_one_way(st, row, e, way, PASS_TUPLE, wants_fd, thread, fd, use, t);
	case PASS_LOOK:
	case PASS_LONG:
	case PASS_ENTER: /* none so young says nothing */
		return false;
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
	const struct state_way *way = &p->ways[e->type];
	struct state_thread *t;

	if (!way->asks || way->shown < PASS_FAILED || has_memory(way->shown))
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
	bool refused = is_refused(st, p, &e), passed;
	struct ev ev;

	bind.ev = &ev;
	passed = pass_in_row(st, row, &e, way, way->shown, !refused, &bind.thread, &bind.fd,
			     ROW_COUNTED, NULL);
	if (passed && refused)
		return true;
	if (passed) {
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
		struct state_thread *t = NULL;
		bool passed, visible = true;

		__asm__("" : "+r"(way)); /* found once, not wherever it is needed */
		passed = pass_in_row(st, &whole, &e, way, way->how, wants_fd, &t, &fd, use, tally);
		if (!passed && way->how != PASS_LOOK) {
			visible = feed_in_row(st, tally, way, &whole, e.p);
		} else if (!passed) {
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

/* As ev_memory(), if what is returned and the memory are the first parameters it is made of, too.
 */
static inline bool brief_memory(const struct sf_brief *e, const uint8_t **out)
{
	const struct conv_params own = sf_seen_params(&e->own);
	const struct conv_run *run = e->form ? e->form->runs : NULL;

	if (own.nparams < 4 || load_u64(own.lens) != MEMORY_LENS ||
	    (run && (run->origin != CONV_FROM_OLD || run->first || run->count < 4)))
		return false;
	*out = own.data + 8;
	return true;
}

/* Return: false if @e was not taken. */
static ALWAYS_INLINE bool pass_brief_one_way(struct state *st, const struct sf_brief *e,
					     unsigned type, unsigned way)
{
	struct quick q = {.ts = sf_brief_time(e), .tid = sf_brief_tid(e), .type = type};
	struct state_thread *t;
	struct state_fd *fd;
	struct ev_value name;

	if (way >= PASS_FD && !sf_brief_i64(e, state_rules[type].fd, &q.fd))
		return false;
	if (needs_ret(way) && !sf_brief_i64(e, 0, &q.ret))
		return false;
	if (has_memory(way) && !brief_memory(e, &q.memory))
		return false;
	if (way == PASS_ENTER && (!sf_brief_param(e, 0, &name) || name.n))
		return false;
	if (way == PASS_SWITCH) {
		struct conv_params own = sf_seen_params(&e->own);

		if (e->form || own.nparams != 6 || !is_usual_switch(own.lens))
			return false;
		q.used = own.data + SWITCH_USED_AT;
	}
	return pass_quickly(st, &q, way, false, &t, &fd);
}

/* As pass_in_row(). */
static ALWAYS_INLINE bool pass_brief(struct state *st, const struct sf_brief *e, unsigned type,
				     unsigned way)
{
	switch (way) {
	case PASS_ENTER:
		return pass_brief_one_way(st, e, type, PASS_ENTER);
	case PASS_MENTION:
		return pass_brief_one_way(st, e, type, PASS_MENTION);
	case PASS_SWITCH:
		return pass_brief_one_way(st, e, type, PASS_SWITCH);
	case PASS_FAILED:
		return pass_brief_one_way(st, e, type, PASS_FAILED);
	case PASS_QUICK:
		return pass_brief_one_way(st, e, type, PASS_QUICK);
	case PASS_MEMORY:
		return pass_brief_one_way(st, e, type, PASS_MEMORY);
	case PASS_FD:
		return pass_brief_one_way(st, e, type, PASS_FD);
	case PASS_MAP:
		return pass_brief_one_way(st, e, type, PASS_MAP);
	case PASS_CLOSE:
		return pass_brief_one_way(st, e, type, PASS_CLOSE);
	case PASS_TRANSFER:
		return pass_brief_one_way(st, e, type, PASS_TRANSFER);
	case PASS_TUPLE:
		return pass_brief_one_way(st, e, type, PASS_TUPLE);
	case PASS_LOOK:
	case PASS_LONG:
		return false;
	}
	__builtin_unreachable(); /* way_in_row() knows no other */
}

/* What pass_briefs() looks at is handed on by value, so that it need not be in memory. Return: is
 * @e visible? */
static NOINLINE bool feed_brief(struct state *st, struct sf_briefs b, struct sf_brief e)
{
	struct state_binding bind;
	struct ev ev;

	sf_brief_make(&b, &e, &ev);
	state_feed_usual(st, &ev, false, &bind);
	return bind.visible;
}

/* Return: 1. */
static NOINLINE int deliver_brief(struct sf_reader *r, struct sf_briefs b, struct sf_brief e,
				  struct ev_item *item)
{
	sf_briefs_deliver(r, &b, &e, item);
	return 1;
}

static NOINLINE void end_briefs(struct sf_reader *r, struct sf_briefs b)
{
	sf_briefs_end(r, &b);
}

/* Pass usual old events. Return: 1 with @item, which somebody looks at, 0, or ERR_NOMEM. */
static NOINLINE int pass_briefs(struct state *st, struct state_passing *p, struct ev_item *item)
{
	uint64_t most = p->max - p->passed, seen = 0;
	struct sf_briefs begun, b;
	struct sf_brief e;
	int rc = 0;

	if (!sf_briefs_begin(p->reader, &begun))
		return 0;
	b = begun;
	while (b.passed != most && (rc = sf_briefs_next(&b, &e)) > 0 &&
	       sf_brief_offset(&b, &e) < p->end) {
		unsigned type = sf_brief_type(&e), way = p->ways[type].how;
		bool visible = true;

		if (way == PASS_LOOK) {
			p->passed += b.passed;
			p->seen += seen;
			return deliver_brief(p->reader, b, e, item);
		}
		if (LIKELY(pass_brief(st, &e, type, way))) {
			sf_brief_pass(&b, &e);
			visible = way != PASS_ENTER;
		} else {
			visible = feed_brief(st, b, e);
			sf_brief_skip(&b, &e);
		}
		seen += (visible || p->internal) && sf_brief_time(&e) >= p->from &&
			sf_brief_time(&e) <= p->to;
	}
	p->passed += b.passed;
	p->seen += seen;
	end_briefs(p->reader, b);
	return rc < 0 ? rc : 0;
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
			if (UNLIKELY(st->nomem))
				break;
			if (UNLIKELY(p->rc < 0))
				return p->rc;
		}
		if (is_quick_now(st) && !p->tally) {
			uint64_t before = p->passed;

			rc = pass_briefs(st, p, item);
			if (UNLIKELY(rc < 0 || st->nomem))
				break;
			if (rc > 0)
				return rc;
			if (p->passed != before) /* the next may be in a row */
				continue;
		}
		rc = ev_source_next(sf_reader_source(p->reader), item, err);
		if (rc <= 0 || !is_passed(p, item))
			return rc;
		rc = state_pass(st, item, &bind, err);
		if (rc < 0)
			return rc;
		p->passed++;
		p->seen += rc > 0 && (bind.visible || p->internal) && item->ev->ts >= p->from &&
			   item->ev->ts <= p->to;
	}
	st->nomem = false;
	return error_nomem(err);
}
