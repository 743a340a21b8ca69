/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/diff.h"

#include <stdlib.h>

#include "engine/activity/words.h"

struct finding {
	struct tui_changes *out;
	const struct tui_moment *a, *b;
	bool failed;
};

void tui_changes_done(struct tui_changes *c)
{
	free(c->list);
	*c = (struct tui_changes){0};
}

static void add(struct finding *f, const struct tui_change *change)
{
	struct tui_changes *c = f->out;

	if (c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		struct tui_change *list = reallocarray(c->list, cap, sizeof(*list));

		f->failed = f->failed || !list;
		if (!list)
			return;
		c->list = list;
		c->cap = cap;
	}
	c->list[c->count++] = *change;
	c->kinds[change->kind]++;
}

static void add_as(struct finding *f, struct tui_change change, enum tui_change_kind kind,
		   uint64_t ts)
{
	change.kind = kind;
	change.ts = ts;
	add(f, &change);
}

/* --- processes --- */

/* The process at the earlier moment. */
static struct state_thread *earlier(const struct finding *f, const struct act_proc *p)
{
	const struct act_proc *was = act_procs_find(f->a->procs, p->pid);

	return was && was->key == p->key ? state_thread_find(f->a->state, p->pid) : NULL;
}

static int64_t parent_pid(const struct state *st, const struct state_thread *t)
{
	const struct state_thread *parent = state_thread_ancestor(st, t, 1);

	return parent && parent != t ? act_pid(parent) : -1;
}

static void compare(struct finding *f, const struct tui_change *c)
{
	const struct state_thread *a = c->a, *b = c->b;

	if (a->exec_count != b->exec_count || a->lastexec_ts != b->lastexec_ts)
		add_as(f, *c, TUI_CHANGE_EXEC, b->lastexec_ts);
	if (a->uid != b->uid)
		add_as(f, *c, TUI_CHANGE_USER, 0);
	if (parent_pid(f->a->state, a) != parent_pid(f->b->state, b))
		add_as(f, *c, TUI_CHANGE_MOVED, 0);
}

static void find_living(struct finding *f)
{
	struct state_thread *t;

	for (size_t at = 0; (t = state_thread_next(f->b->state, &at));) {
		const struct act_proc *p = act_procs_find(f->b->procs, t->tid);
		struct tui_change c = {.b = t, .p = p};

		/* What is known by its number only did not begin when it was met. */
		if (!state_thread_is_main(t) || state_thread_is_invalid(t) || !p)
			continue;
		c.pid = act_pid(t);
		c.key = p->key;
		c.a = earlier(f, p);
		if (c.a)
			compare(f, &c);
		else
			add_as(f, c, TUI_CHANGE_BORN, p->start_ts);
	}
}

static void find_dead(struct finding *f)
{
	const struct act_proc *p;

	for (size_t at = 0; (p = act_procs_next_dead(f->b->procs, &at));) {
		struct tui_change c = {.pid = p->pid, .key = p->key, .p = p};

		if (!p->end_ts || p->end_evt <= f->a->num)
			continue;
		c.a = earlier(f, p);
		add_as(f, c, c.a ? TUI_CHANGE_DIED : TUI_CHANGE_RAN, c.a ? p->end_ts : p->start_ts);
	}
}

/* --- sockets --- */

static void find_sockets(struct finding *f)
{
	const struct act_conn *conn;

	for (size_t at = 0; act_net_next(f->b->net, &at, &conn);) {
		struct tui_change c = {.conn = conn, .pid = -1};

		if (conn->from_start || !conn->first_evt || conn->first_evt <= f->a->num)
			continue;
		if (conn->chain_len && conn->chain[0].pid >= 0) {
			c.pid = conn->chain[0].pid;
			c.p = act_procs_find(f->b->procs, c.pid);
			c.key = c.p && c.p->start_ts <= conn->first_ts ? c.p->key : 0;
		}
		add_as(f, c, conn->waits ? TUI_CHANGE_LISTENER : TUI_CHANGE_CONNECTION,
		       conn->first_ts);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct tui_change *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

int tui_changes_find(struct tui_changes *c, const struct tui_moment *a, const struct tui_moment *b,
		     struct error *err)
{
	struct finding f = {.out = c, .a = a, .b = b};

	tui_changes_done(c);
	find_living(&f);
	find_dead(&f);
	find_sockets(&f);
	if (f.failed) {
		tui_changes_done(c);
		return error_nomem(err);
	}
	if (c->count)
		qsort(c->list, c->count, sizeof(*c->list), by_time);
	return 0;
}
