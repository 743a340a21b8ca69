/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture through the state and the trackers of sockets, processes and sessions, with small
 * tables so that they fill. Checks what views rely on: numbers ascend, ways up end, what is counted
 * is there, nobody is dead and alive.
 */
#include <stdlib.h>

#include "engine/activity/net.h"
#include "engine/activity/procs.h"
#include "engine/activity/sessions.h"
#include "scapfile/scapfile.h"

#define SETTLE_EVERY 64 /* events */

static void need(bool ok)
{
	if (!ok)
		abort();
}

struct trackers {
	struct state *st;
	struct act_net *net;
	struct act_procs *procs;
	struct act_sessions *sessions;
	struct state_observer to_procs, to_sessions;
};

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	struct trackers *x = arg;

	x->to_procs.thread_added(x->to_procs.arg, st, t, ev);
	x->to_sessions.thread_added(x->to_sessions.arg, st, t, ev);
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *t,
		    const struct ev *ev)
{
	struct trackers *x = arg;

	x->to_procs.thread_exec(x->to_procs.arg, st, t, ev);
	x->to_sessions.thread_exec(x->to_sessions.arg, st, t, ev);
}

static void on_exit_of(void *arg, const struct state *st, const struct state_thread *t,
		       const struct ev *ev, int64_t status)
{
	struct trackers *x = arg;

	x->to_procs.thread_exit(x->to_procs.arg, st, t, ev, status);
	x->to_sessions.thread_exit(x->to_sessions.arg, st, t, ev, status);
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct trackers *x = arg;

	x->to_procs.thread_removed(x->to_procs.arg, st, t);
	x->to_sessions.thread_removed(x->to_sessions.arg, st, t);
}

static void check_net(const struct act_net *n)
{
	const struct act_conn *c;
	uint64_t last = 0;
	struct buf b = {0};

	for (size_t at = 0; act_net_next(n, &at, &c);) {
		need(c->id > last);
		last = c->id;
		need(c->chain_len <= ACT_CHAIN_MAX);
		need(c->state <= ACT_NET_FAILED && c->direction <= ACT_DIR_IN);
		need(c->state < ACT_NET_CLOSED ? c->holder_count > 0 : c->holder_count == 0);
		act_end_text(&b, c->family, &c->local);
		act_end_text(&b, c->family, &c->remote);
		buf_reset(&b);
	}
	need(last <= act_net_stats(n)->conns);
	buf_done(&b);
}

static void check_procs(const struct act_procs *p)
{
	const struct act_proc *d;

	for (size_t at = 0; (d = act_procs_next_dead(p, &at));)
		need(d->dead && d->parent_key < d->key);
}

static void check_session(const struct act_session *s)
{
	uint32_t n = 0, steps = 0;

	for (const struct act_session *up = s->parent; up; up = up->parent)
		need(steps++ < ACT_SESSIONS_MAX);
	for (const struct act_command *c = s->first_command; c; c = c->next, n++) {
		need(c->session == s && c->user.n && c->euser.n);
		need(c->parent != c && c->kind <= ACT_BELOW);
	}
	need(n == s->commands);
	need(!s->via || s->parent);
}

static void check(struct trackers *x)
{
	uint64_t last = 0, processes = 0;

	act_net_settle(x->net, x->st);
	act_sessions_settle(x->sessions, x->st);
	check_net(x->net);
	check_procs(x->procs);
	for (const struct act_session *s = act_sessions_first(x->sessions); s; s = s->next) {
		need(s->id > last);
		last = s->id;
		processes += s->processes;
		check_session(s);
	}
	need(processes <= state_threads(x->st));
}

static int follow(struct trackers *x, struct sf_reader *reader)
{
	struct state_binding b;
	struct error err = {0};
	struct ev_item item;
	unsigned n = 0;
	int rc;

	while ((rc = ev_source_next(sf_reader_source(reader), &item, &err)) > 0) {
		if (item.kind == EV_ITEM_SECTION) {
			act_net_section(x->net);
			act_sessions_section(x->sessions);
		}
		rc = state_feed(x->st, &item, &b, &err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		act_net_event(x->net, x->st, &b);
		act_sessions_event(x->sessions, x->st, &b);
		if (++n % SETTLE_EVERY == 0)
			check(x);
	}
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sf_options opt = {.memory_limit = 64 << 20};
	const struct act_net_options net = {
	    .unix_sockets = size & 1, .drop_closed = size & 2, .conns_max = 24};
	const struct act_sessions_options sessions = {.without_tty = size & 1,
						      .all_execs = size & 4};
	struct sf_reader *reader = NULL;
	struct trackers x = {0};
	struct state_observer obs = {&x, on_added, on_exec, on_exit_of, on_removed};
	struct error err = {0};

	if (sf_reader_open_memory(data, size, &opt, &reader, &err) < 0)
		return 0;
	if (state_new(NULL, &x.st, &err) < 0 || act_net_new(&net, &x.net, &err) < 0 ||
	    act_procs_new(true, &x.procs, &err) < 0 ||
	    act_sessions_new(&sessions, &x.sessions, &err) < 0)
		abort();
	x.to_procs = act_procs_observer(x.procs);
	x.to_sessions = act_sessions_observer(x.sessions);
	state_observe(x.st, &obs);
	if (follow(&x, reader) == 0) {
		state_complete(x.st);
		state_settle(x.st, 0);
		check(&x);
	}
	state_observe(x.st, NULL);
	act_net_free(x.net);
	act_procs_free(x.procs);
	act_sessions_free(x.sessions);
	state_free(x.st);
	sf_reader_close(reader);
	return 0;
}
