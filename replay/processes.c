/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the state's processes for the case: one row per process from appearance to removal, one
 * per exec. A process is known by its main thread's record. A placeholder is written only once
 * something is known about it (exec, removal, an alert), since its first event says nothing but the
 * number.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/pool.h"
#include "replay/replay.h"

struct process {
	uint64_t key;
	bool written;
	enum qry_process_origin origin;
	uint64_t start_ts, start_evt;
	uint64_t end_ts, end_evt; /* of the last thread's exit so far */
	int64_t status;		  /* of the main thread; -1: not seen */
	uint32_t execs;
};

struct run_processes {
	struct qry_writer *writer; /* not owned */
	struct state_observer observer;
	struct map by_tid; /* of the main thread -> struct process */
	struct pool pool;
	struct buf args;
	uint64_t last_key;
	int failed;
	struct error error;
};

static void note(struct run_processes *p, int rc, const struct error *err)
{
	if (rc < 0 && !p->failed) {
		p->failed = rc;
		p->error = *err;
	}
}

static struct process *find(const struct run_processes *p, const struct state_thread *t)
{
	const struct state_thread *main_thread = state_thread_main(t);

	return map_get(&p->by_tid, (uint64_t)(main_thread ? main_thread : t)->tid);
}

static void write_start(struct run_processes *p, struct process *proc, const struct state *st,
			const struct state_thread *t)
{
	const struct state_thread *parent = state_thread_ancestor(st, t, 1);
	const struct process *pp = parent ? find(p, parent) : NULL;
	struct qry_process row = {
	    .key = proc->key,
	    .parent_key = pp ? pp->key : 0,
	    .pid = t->pid,
	    .ppid = parent ? parent->pid : -1,
	    .vpid = t->vpid,
	    .sid = t->sid,
	    .origin = proc->origin,
	    .start_ts = proc->start_ts,
	    .start_evt = proc->start_evt,
	    .comm = state_sv(t->comm),
	    .exe = state_sv(t->exe),
	    .exepath = state_sv(t->exepath),
	    .cmdline = state_thread_cmdline(t),
	    .cwd = state_sv(t->cwd),
	    .container_id = state_sv(t->container_id),
	    .uid = t->uid,
	    .loginuid = t->loginuid,
	    .tty = t->tty,
	};
	struct error err = {0};

	proc->written = true;
	note(p, qry_process_start(p->writer, &row, &err), &err);
}

static void thread_added(void *arg, const struct state *st, const struct state_thread *t,
			 const struct ev *ev)
{
	struct run_processes *p = arg;
	bool placeholder = state_thread_is_invalid(t);
	struct process *proc;

	if (!placeholder && !state_thread_is_main(t))
		return;
	proc = map_get(&p->by_tid, (uint64_t)t->tid);
	if (!proc) {
		proc = pool_zalloc(&p->pool, sizeof(*proc));
		if (!proc || map_put(&p->by_tid, (uint64_t)t->tid, proc) < 0) {
			note(p, ERR_NOMEM,
			     &(struct error){.code = ERR_NOMEM, .msg = "out of memory"});
			return;
		}
	}
	*proc = (struct process){.key = ++p->last_key, .status = -1};
	if (ev && !placeholder) {
		proc->origin = QRY_FROM_CLONE;
		proc->start_ts = ev->ts;
		proc->start_evt = ev->num;
	} else {
		proc->origin = ev ? QRY_PLACEHOLDER : QRY_FROM_LIST;
	}
	if (!placeholder)
		write_start(p, proc, st, t);
}

static void args_json(struct buf *b, const struct state_list *args)
{
	struct sv item;

	buf_reset(b);
	buf_char(b, '[');
	for (size_t at = 0; state_list_next(args, &at, &item);) {
		if (b->len > 1)
			buf_char(b, ',');
		json_string(b, item);
	}
	buf_char(b, ']');
}

static void thread_exec(void *arg, const struct state *st, const struct state_thread *t,
			const struct ev *ev)
{
	struct run_processes *p = arg;
	struct process *proc = find(p, t);
	struct error err = {0};
	struct qry_exec row;

	if (!proc)
		return;
	if (!proc->written)
		write_start(p, proc, st, t);
	args_json(&p->args, &t->args);
	row = (struct qry_exec){
	    .process_key = proc->key,
	    .index = ++proc->execs,
	    .ts = ev->ts,
	    .evt_num = ev->num,
	    .evt_offset = ev->offset,
	    .comm = state_sv(t->comm),
	    .exe = state_sv(t->exe),
	    .exepath = state_sv(t->exepath),
	    .cmdline = state_thread_cmdline(t),
	    .cwd = state_thread_cwd(t),
	    .args = buf_view(&p->args),
	    .uid = t->uid,
	};
	note(p, p->args.failed ? error_nomem(&err) : qry_process_exec(p->writer, &row, &err), &err);
}

static void thread_exit(void *arg, const struct state *st, const struct state_thread *t,
			const struct ev *ev, int64_t status)
{
	struct process *proc = find(arg, t);

	(void)st;
	if (!proc)
		return;
	proc->end_ts = ev->ts;
	proc->end_evt = ev->num;
	if (state_thread_is_main(t))
		proc->status = status;
}

static void thread_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct run_processes *p = arg;
	struct process *proc = map_take(&p->by_tid, (uint64_t)t->tid);
	struct error err = {0};

	if (!proc)
		return;
	if (!proc->written)
		write_start(p, proc, st, t);
	note(p,
	     qry_process_end(p->writer, proc->key, proc->end_ts, proc->end_evt, proc->status, &err),
	     &err);
	pool_release(&p->pool, proc, sizeof(*proc));
}

struct run_processes *run_processes_new(struct qry_writer *w)
{
	struct run_processes *p = calloc(1, sizeof(*p));

	if (p)
		p->writer = w;
	return p;
}

void run_processes_free(struct run_processes *p)
{
	if (!p)
		return;
	map_done(&p->by_tid);
	pool_done(&p->pool);
	buf_done(&p->args);
	free(p);
}

void run_processes_attach(struct run_processes *p, struct state *st)
{
	map_clear(&p->by_tid);
	pool_done(&p->pool);
	p->last_key = 0;
	p->observer =
	    (struct state_observer){p, thread_added, thread_exec, thread_exit, thread_removed};
	state_observe(st, &p->observer);
}

uint64_t run_processes_key(struct run_processes *p, const struct state *st,
			   const struct state_thread *t)
{
	const struct state_thread *main_thread = state_thread_main(t);
	struct process *proc = find(p, t);

	if (!proc)
		return 0;
	if (!proc->written)
		write_start(p, proc, st, main_thread ? main_thread : t);
	return proc->key;
}

void run_processes_finish(struct run_processes *p, struct state *st)
{
	struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(&p->by_tid, &at));) {
		struct process *proc = slot->value;
		struct state_thread *t = state_thread_find(st, (int64_t)slot->key);

		if (t && !proc->written)
			write_start(p, proc, st, t);
	}
	state_observe(st, NULL);
}

int run_processes_error(const struct run_processes *p, struct error *err)
{
	if (p->failed && err)
		*err = p->error;
	return p->failed;
}
