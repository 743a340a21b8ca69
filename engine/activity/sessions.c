/* SPDX-License-Identifier: Apache-2.0 */
/* Which process belongs to which session. */
#include "engine/activity/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/activity/sessions_internal.h"
#include "engine/state/tally.h"

#define IOCTL_TIOCSPGRP 0x5410 /* which process group the terminal belongs to */

/* --- life --- */

int act_sessions_new(const struct act_sessions_options *opt, struct act_sessions **out,
		     struct error *err)
{
	struct act_sessions *x = calloc(1, sizeof(*x));

	if (!x)
		return error_nomem(err);
	if (opt)
		x->opt = *opt;
	*out = x;
	return 0;
}

void act_sessions_free(struct act_sessions *x)
{
	if (!x)
		return;
	map_done(&x->members);
	smap_done(&x->by_sid);
	act_texts_done(&x->texts);
	pool_done(&x->pool);
	free(x);
}

const struct act_session *act_sessions_first(const struct act_sessions *x)
{
	return x->first ? &x->first->pub : NULL;
}

const struct act_sessions_stats *act_sessions_stats(const struct act_sessions *x)
{
	struct act_sessions_stats *s = (struct act_sessions_stats *)&x->stats;

	s->memory = sizeof(*x) + x->pool.total + x->texts.arena.total +
		    x->members.mask * sizeof(struct map_slot);
	return s;
}

struct act_member *act_member_find(const struct act_sessions *x, const struct state_thread *t)
{
	const struct state_thread *main = state_thread_main(t);

	return map_get(&x->members, (uint64_t)(main ? main : t)->tid);
}

/* Never nothing: a name where one is known, else the number, else a question mark. */
struct sv act_user_name(struct act_sessions *x, const struct state *st,
			const struct state_thread *t, uint32_t uid)
{
	const struct state_user *u;
	char number[16];
	int n;

	if (uid == EV_NO_ID)
		return SV_LIT("?");
	u = state_user_find(st, t->container_id, uid);
	if (u && state_sv(u->name).n && !sv_is(state_sv(u->name), "<NA>"))
		return act_texts_keep(&x->texts, state_sv(u->name));
	n = snprintf(number, sizeof(number), "%u", uid);
	return act_texts_keep(&x->texts, sv_make(number, (size_t)n));
}

/* --- sessions --- */

void act_session_append(struct act_sessions *x, struct act_sess *s)
{
	s->prev = x->last;
	if (x->last) {
		x->last->next = s;
		x->last->pub.next = &s->pub;
	} else {
		x->first = s;
	}
	x->last = s;
	x->session_count++;
}

static struct act_sess *new_session(struct act_sessions *x)
{
	struct act_sess *s = NULL;

	if (x->session_count < ACT_SESSIONS_MAX)
		s = pool_zalloc(&x->pool, sizeof(*s));
	if (!s) {
		x->stats.dropped++;
		return NULL;
	}
	s->pub.id = ++x->last_id;
	s->pub.leader = s->pub.sid = s->pub.vpid = s->pub.by_pid = -1;
	s->pub.uid = s->pub.loginuid = EV_NO_ID;
	act_session_append(x, s);
	return s;
}

static void unlink_session(struct act_sessions *x, struct act_sess *s)
{
	if (s->prev) {
		s->prev->next = s->next;
		s->prev->pub.next = s->next ? &s->next->pub : NULL;
	} else {
		x->first = s->next;
	}
	if (s->next)
		s->next->prev = s->prev;
	else
		x->last = s->prev;
	x->session_count--;
}

/* Daemons make many sessions that nothing will ever be told about. */
static void forget_if_empty(struct act_sessions *x, struct act_sess *s)
{
	while (s && !s->pub.processes && !s->kids && !s->pub.tty && !s->pub.commands &&
	       !s->pub.from_start) {
		struct act_sess *up = s->up;

		unlink_session(x, s);
		if (up)
			up->kids--;
		pool_release(&x->pool, s, sizeof(*s));
		s = up;
	}
}

static void set_parent(struct act_sess *s, struct act_sess *up, struct act_cmd *via)
{
	if (!up || up == s)
		return;
	s->up = up;
	up->kids++;
	s->pub.parent = &up->pub;
	s->pub.via = via ? &via->pub : NULL;
}

static void join(struct act_sessions *x, struct act_member *m, struct act_sess *s)
{
	struct act_sess *old = m->sess;

	if (old == s)
		return;
	m->sess = s;
	if (s)
		s->pub.processes++;
	if (!old)
		return;
	old->pub.processes--;
	forget_if_empty(x, old);
}

static void set_user(struct act_sessions *x, const struct state *st, const struct state_thread *t,
		     struct act_sess *s)
{
	s->pub.uid = t->uid;
	s->pub.loginuid = t->loginuid;
	s->pub.user = act_user_name(x, st, t, t->uid);
	s->pub.login_user =
	    t->loginuid == EV_NO_ID ? SV_LIT("") : act_user_name(x, st, t, t->loginuid);
}

static void describe_leader(struct act_sessions *x, const struct state *st,
			    const struct state_thread *t, struct act_sess *s)
{
	struct act_session *p = &s->pub;

	p->leader = t->pid > 0 ? t->pid : t->tid;
	p->vpid = t->vpid;
	p->container = act_texts_keep(&x->texts, state_sv(t->container_id));
	p->uid = t->uid;
	p->loginuid = t->loginuid;
	p->user = act_user_name(x, st, t, t->uid);
	p->login_user = t->loginuid == EV_NO_ID ? SV_LIT("") : act_user_name(x, st, t, t->loginuid);
	p->shell =
	    act_texts_keep(&x->texts, state_sv(t->exe).n ? state_sv(t->exe) : state_sv(t->comm));
	p->shell_args = act_texts_keep(&x->texts, state_sv(t->args.block));
	p->shell_arg_count = t->args.count;
	act_session_origin(x, st, t, s);
}

/* @t leads a session from now on. */
static void begin_session(struct act_sessions *x, const struct state *st,
			  const struct state_thread *t, struct act_member *m, const struct ev *ev,
			  int64_t sid, bool implied)
{
	struct act_sess *s = new_session(x);

	if (!s)
		return;
	s->pub.sid = sid;
	s->pub.implied = implied;
	s->pub.start_ts = ev->ts;
	s->pub.start_evt = ev->num;
	set_parent(s, m->sess, m->cmd);
	join(x, m, s);
	m->cmd = NULL; /* what it starts is of the new session; its own end still counts */
	describe_leader(x, st, t, s);
}

/* --- the initial list --- */

/* The session of that container and number, made if need be. */
static struct act_sess *listed_session(struct act_sessions *x, const struct state_thread *t)
{
	struct buf b = {0};
	struct act_sess *s;
	struct sv key;

	buf_sv(&b, state_sv(t->container_id));
	buf_addf(&b, " %lld", (long long)t->sid);
	s = smap_get(&x->by_sid, buf_view(&b));
	if (!s) {
		key = act_texts_keep(&x->texts, buf_view(&b));
		s = key.n ? new_session(x) : NULL;
		if (s && smap_put(&x->by_sid, key, s) < 0)
			x->stats.dropped++;
		if (s) {
			s->pub.sid = t->sid;
			s->pub.from_start = true;
			s->listed = key;
		}
	}
	buf_done(&b);
	return s;
}

static bool leads(const struct state_thread *t)
{
	return t->sid > 0 && (t->pid == t->sid || t->vpid == t->sid);
}

static void take_listed(struct act_sessions *x, const struct state *st,
			const struct state_thread *t, struct act_member *m)
{
	struct act_sess *s = t->sid > 0 ? listed_session(x, t) : NULL;

	if (!s)
		return;
	join(x, m, s);
	if (t->tty)
		s->pub.tty = t->tty;
	if (leads(t))
		s->pub.leader = m->pid;
	if (s->pub.user.n)
		return;
	/* Until the leader is looked at, and if it is gone. */
	s->pub.container = act_texts_keep(&x->texts, state_sv(t->container_id));
	set_user(x, st, t, s);
}

/* Parents of sessions, origins and running commands need all processes of the list. */
static void complete_session(struct act_sessions *x, const struct state *st, struct act_sess *s)
{
	const struct state_thread *t = state_thread_find(st, s->pub.leader), *parent;
	struct act_member *m;

	if (s->pub.leader < 0 || !t || s->pub.shell.n)
		return;
	parent = state_thread_ancestor(st, t, 1);
	m = parent && parent != t ? act_member_find(x, parent) : NULL;
	if (m && !s->up && m->sess && m->sess->pub.id != s->pub.id)
		set_parent(s, m->sess, m->cmd);
	describe_leader(x, st, t, s);
}

static void listed_commands(struct act_sessions *x, const struct state *st)
{
	struct map_slot *all = map_sorted_signed(&x->members);

	for (size_t i = 0; all && i < x->members.count; i++) {
		struct act_member *m = all[i].value;
		const struct state_thread *t = state_thread_find(st, m->tid);

		if (t && m->sess && m->sess->pub.from_start && m->imaged && !m->own &&
		    m->sess->pub.leader != m->pid && !t->clone_ts)
			act_command_add(x, st, t, m, NULL);
	}
	free(all);
}

static void cut_off(struct act_sess *s)
{
	s->up->kids--;
	s->up = NULL;
	s->pub.parent = NULL;
	s->pub.via = NULL;
}

/* A loop of sessions that started each other would never end. Each way up is walked once. */
static void break_loops(struct act_sessions *x)
{
	for (struct act_sess *s = x->first; s; s = s->next) {
		struct act_sess *at = s;

		while (at && !at->walk) {
			at->walk = s->pub.id;
			if (at->up && at->up->walk == s->pub.id)
				cut_off(at);
			at = at->up;
		}
	}
}

static void start(struct act_sessions *x, const struct state *st)
{
	x->started = true;
	for (struct act_sess *s = x->first; s; s = s->next)
		if (s->pub.from_start && !s->complete)
			complete_session(x, st, s);
	break_loops(x);
	listed_commands(x, st);
	/* The commands that lead to sessions are known only now. */
	for (struct act_sess *s = x->first; s; s = s->next) {
		const struct state_thread *t = state_thread_find(st, s->pub.leader), *parent;
		const struct act_member *m;

		parent = t && s->up && !s->complete ? state_thread_ancestor(st, t, 1) : NULL;
		m = parent ? act_member_find(x, parent) : NULL;
		if (m && m->cmd && m->sess == s->up)
			s->pub.via = &m->cmd->pub;
		s->complete = true;
	}
}

void act_sessions_settle(struct act_sessions *x, const struct state *st)
{
	if (!x->started)
		start(x, st);
}

void act_sessions_section(struct act_sessions *x)
{
	smap_clear(&x->by_sid);
	x->started = false;
}

/* --- processes --- */

static struct act_member *new_member(struct act_sessions *x, const struct state_thread *t)
{
	struct act_member *m = map_get(&x->members, (uint64_t)t->tid);

	if (!m) {
		m = pool_alloc(&x->pool, sizeof(*m));
		if (!m || map_put(&x->members, (uint64_t)t->tid, m) < 0) {
			pool_release(&x->pool, m, sizeof(*m));
			x->stats.dropped++;
			return NULL;
		}
		*m = (struct act_member){0};
	}
	act_command_gone(x, m);
	join(x, m, NULL);
	*m = (struct act_member){
	    .tid = t->tid,
	    .pid = t->pid > 0 ? t->pid : t->tid,
	    .pgid = t->pgid > 0 ? t->pgid : -1,
	    .vpgid = t->vpgid > 0 ? t->vpgid : -1,
	    .uid = t->uid,
	    .in_pidns = state_thread_in_pidns(t),
	};
	return m;
}

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	struct act_sessions *x = arg;
	const struct state_thread *parent;
	const struct act_member *pm;
	struct act_member *m;

	if (!state_thread_is_invalid(t) && !state_thread_is_main(t))
		return;
	m = new_member(x, t);
	if (!m)
		return;
	m->imaged = !ev || state_thread_is_invalid(t);
	if (!ev) {
		take_listed(x, st, t, m);
		return;
	}
	parent = state_thread_ancestor(st, t, 1);
	pm = parent && parent != t ? act_member_find(x, parent) : NULL;
	if (!pm)
		return;
	join(x, m, pm->sess);
	m->cmd = pm->cmd;
	m->pgid = pm->pgid;
	m->vpgid = pm->in_pidns == m->in_pidns ? pm->vpgid : -1;
}

/* Without setsid having been seen: does its terminal or container show that it is elsewhere? */
static bool is_elsewhere(const struct act_sess *s, const struct state_thread *t, bool has_tty,
			 uint32_t tty)
{
	if (has_tty && s->pub.tty && tty != s->pub.tty)
		return true;
	return s->pub.leader >= 0 && !sv_eq(s->pub.container, state_sv(t->container_id));
}

/* A process that nothing tells the session of: it, or the oldest such ancestor, leads one. */
static void imply_session(struct act_sessions *x, const struct state *st,
			  const struct state_thread *t, struct act_member *m, const struct ev *ev)
{
	struct state_climb climb = state_climb_start(st, t);
	const struct state_thread *top = t, *a;
	struct act_member *tm = m, *am;

	while (climb.steps < ACT_CLIMB_STEPS && (a = state_climb_next(&climb))) {
		am = act_member_find(x, a);
		if (am && am->sess) {
			join(x, m, am->sess);
			return;
		}
		if (!am || !state_thread_is_main(a))
			break;
		top = a;
		tm = am;
	}
	begin_session(x, st, top, tm, ev, top->sid > 0 ? top->sid : -1, true);
	if (!tm->sess || top == t)
		return;
	tm->sess->pub.start_ts = top->clone_ts;
	tm->sess->pub.from_start = !top->clone_ts;
	join(x, m, tm->sess);
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *t,
		    const struct ev *ev)
{
	struct act_sessions *x = arg;
	struct act_member *m = act_member_find(x, t);
	uint32_t tty = 0;
	bool has_tty;

	if (!m)
		return;
	has_tty = ev_u32((struct ev *)ev, 16, &tty);
	m->pid = t->pid > 0 ? t->pid : t->tid;
	m->in_pidns = state_thread_in_pidns(t);
	if (t->pgid > 0)
		m->pgid = t->pgid;
	if (t->vpgid > 0)
		m->vpgid = t->vpgid;
	if (!m->sess)
		imply_session(x, st, t, m, ev);
	else if (m->sess->pub.leader != m->pid && is_elsewhere(m->sess, t, has_tty, tty))
		begin_session(x, st, t, m, ev, t->sid, true);
	if (!m->sess)
		return;
	if (has_tty && tty)
		m->sess->pub.tty = tty;
	if (m->sess->pub.leader == m->pid)
		describe_leader(x, st, t, m->sess);
	else
		act_command_add(x, st, t, m, ev);
	m->imaged = true;
	m->jobs = m->reads_tty = false;
	m->pending = NULL;
	m->uid = t->uid;
}

static void on_exit_of(void *arg, const struct state *st, const struct state_thread *t,
		       const struct ev *ev, int64_t status)
{
	struct act_sessions *x = arg;
	struct act_member *m = act_member_find(x, t);

	(void)st;
	if (!m)
		return;
	if (state_thread_count(t) == 0) {
		act_command_exit(x, m, ev, status, state_thread_is_main(t));
		if (m->sess && m->sess->pub.leader == m->pid)
			m->sess->pub.end_ts = ev->ts;
	} else if (state_thread_is_main(t) && !m->ended) {
		m->ended = true;
		for (struct act_cmd *c = m->own; c; c = c->image_before)
			c->pub.status = status;
	}
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct act_sessions *x = arg;
	struct act_member *m = map_take(&x->members, (uint64_t)t->tid);

	(void)st;
	if (!m)
		return;
	act_command_gone(x, m);
	join(x, m, NULL);
	pool_release(&x->pool, m, sizeof(*m));
}

struct state_observer act_sessions_observer(struct act_sessions *x)
{
	return (struct state_observer){x, on_added, on_exec, on_exit_of, on_removed};
}

/* --- events --- */

static void on_setsid(struct act_sessions *x, const struct state *st, const struct state_binding *b)
{
	struct act_member *m = act_member_find(x, b->thread);
	const struct state_thread *t = state_thread_main(b->thread);
	int64_t sid;

	if (!m || !ev_return_value(b->ev, &sid) || sid < 0)
		return;
	begin_session(x, st, t ? t : b->thread, m, b->ev, sid, false);
	m->vpgid = sid;
	m->pgid = m->pid;
}

static void set_group(struct act_member *m, const struct state_thread *t, int64_t pgid)
{
	m->vpgid = pgid;
	if (!m->in_pidns)
		m->pgid = pgid;
	else
		m->pgid = pgid == t->vpid ? m->pid : -1;
}

/* setpgid(pid, pgid), in the numbers of the caller's namespace; 0 stands for the process itself. */
static void on_setpgid(struct act_sessions *x, const struct state *st,
		       const struct state_binding *b)
{
	const struct state_thread *t = b->thread;
	struct act_member *m = act_member_find(x, t);
	int64_t ret, pid, pgid;

	if (!m || !ev_return_value(b->ev, &ret) || ret != 0 || !ev_i64(b->ev, 1, &pid) ||
	    !ev_i64(b->ev, 2, &pgid))
		return;
	if (pid == 0 || pid == t->vpid) {
		set_group(m, t, pgid ? pgid : t->vpid);
		return;
	}
	t = m->in_pidns ? NULL : state_thread_find(st, pid);
	m = t ? act_member_find(x, t) : NULL;
	if (m)
		set_group(m, t, pgid ? pgid : pid);
}

static bool is_terminal(const struct state_fd *fd)
{
	struct sv name = state_sv(fd->name);

	return state_fd_is_file(fd) &&
	       (sv_starts(name, SV_LIT("/dev/pts/")) || sv_starts(name, SV_LIT("/dev/tty")) ||
		sv_is(name, "/dev/console"));
}

static void on_read(struct act_sessions *x, const struct state *st, const struct state_binding *b)
{
	struct act_member *m;
	int64_t ret;

	(void)st;
	if (!b->fd || b->fd->type == EV_FD_IPV4_SOCK || !is_terminal(b->fd) ||
	    !ev_return_value(b->ev, &ret) || ret <= 0)
		return;
	m = act_member_find(x, b->thread);
	if (m)
		m->reads_tty = true;
}

static void on_ioctl(struct act_sessions *x, const struct state *st, const struct state_binding *b)
{
	struct act_member *m;
	uint64_t request;
	int64_t ret;

	(void)st;
	if (!ev_u64(b->ev, 2, &request) || !act_sessions_wants_ioctl(request) ||
	    !ev_return_value(b->ev, &ret) || ret != 0)
		return;
	m = act_member_find(x, b->thread);
	if (m && m->imaged)
		act_member_has_jobs(m);
}

static void (*const handlers[EV_TYPE_COUNT])(struct act_sessions *x, const struct state *st,
					     const struct state_binding *b) = {
    [EV_SETSID_X] = on_setsid,
    [EV_SETPGID_X] = on_setpgid,
    [EV_READ_X] = on_read,
    [EV_IOCTL_3_X] = on_ioctl,
};

bool act_sessions_wants(unsigned type)
{
	return handlers[type] != NULL;
}

unsigned act_sessions_tell(unsigned type)
{
	if (type == EV_READ_X) /* from terminals */
		return STATE_TELL_DEVICES;
	return handlers[type] ? STATE_TELL_ALL : 0;
}

bool act_sessions_wants_ioctl(uint64_t request)
{
	return request == IOCTL_TIOCSPGRP;
}

void act_sessions_event(struct act_sessions *x, const struct state *st,
			const struct state_binding *b)
{
	if (UNLIKELY(!x->started)) {
		if (!state_is_complete(st))
			return;
		start(x, st);
	}
	if (b->thread && handlers[b->ev->type])
		handlers[b->ev->type](x, st, b);
}
