/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the state's processes for the case: one row per process from appearance to removal, one
 * per exec. A process is known by its main thread's record. A placeholder is written only once
 * something is known about it (exec, removal, an alert), since its first event says nothing but the
 * number.
 */
#include <stdlib.h>

#include "base/json.h"
#include "engine/activity/procs.h"
#include "replay/gather.h"

struct run_processes {
	struct run_out *out;		       /* not owned; NULL: nobody wants to know */
	struct act_procs *procs;	       /* their tag: the row is written */
	struct state_observer observer, inner; /* @inner: that of @procs */
	const struct state_observer *more;     /* not owned; or NULL */
	struct run_gather *gather;	       /* not owned; is told of ends; or NULL */
	bool in_section;		       /* a section ends: all was said of those that go */
	const struct state_thread *recent;     /* whose key was asked for last, */
	uint64_t recent_key;		       /* which stays so until something is observed */
	struct buf args;
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

static enum qry_process_origin origin_of(const struct act_proc *proc)
{
	if (proc->from_start)
		return QRY_FROM_LIST;
	return proc->placeholder ? QRY_PLACEHOLDER : QRY_FROM_CLONE;
}

static void write_start(struct run_processes *p, struct act_proc *proc, const struct state *st,
			const struct state_thread *t)
{
	const struct state_thread *parent = state_thread_ancestor(st, t, 1);
	const struct act_proc *pp = parent ? act_procs_of(p->procs, parent) : NULL;
	struct qry_process row = {
	    .key = proc->key,
	    .parent_key = pp ? pp->key : 0,
	    .pid = t->pid,
	    .ppid = parent ? parent->pid : -1,
	    .vpid = t->vpid,
	    .sid = t->sid,
	    .origin = origin_of(proc),
	    .start_ts = proc->start_ts,
	    .start_evt = proc->start_evt,
	    .comm = state_sv(t->comm),
	    .exe = state_sv(t->exe),
	    .exepath = state_sv(t->exepath),
	    .cmdline = state_thread_cmdline(t),
	    .cwd = state_sv(t->cwd),
	    .container_id = state_sv(t->container_id),
	    .clone_ts = proc->from_start ? t->clone_ts : 0,
	    .uid = t->uid,
	    .gid = t->gid,
	    .loginuid = t->loginuid,
	    .tty = t->tty,
	};
	struct error err = {0};

	proc->tag = true;
	if (p->out)
		note(p, p->out->ops->process_start(p->out, &row, &err), &err);
}

static void thread_added(void *arg, const struct state *st, const struct state_thread *t,
			 const struct ev *ev)
{
	struct run_processes *p = arg;
	struct error err = {0};
	struct act_proc *proc;

	p->recent = NULL;
	p->inner.thread_added(p->inner.arg, st, t, ev);
	if (p->more)
		p->more->thread_added(p->more->arg, st, t, ev);
	if (!state_thread_is_main(t) && !state_thread_is_invalid(t))
		return;
	proc = act_procs_find(p->procs, t->tid);
	if (!proc) /* nothing limits the living ones but memory */
		note(p, error_nomem(&err), &err);
	else if (!proc->placeholder)
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

static void write_exec(struct run_processes *p, const struct act_proc *proc,
		       const struct state_thread *t, const struct ev *ev)
{
	struct error err = {0};
	struct qry_exec row = {
	    .process_key = proc->key,
	    .index = proc->execs,
	    .ts = ev->ts,
	    .evt_num = ev->num,
	    .evt_offset = ev->offset,
	    .comm = state_sv(t->comm),
	    .exe = state_sv(t->exe),
	    .exepath = state_sv(t->exepath),
	    .cmdline = state_thread_cmdline(t),
	    .cwd = state_thread_cwd(t),
	    .uid = t->uid,
	    .exe_writable = t->exe_writable,
	    .exe_upper_layer = t->exe_upper_layer,
	    .exe_from_memfd = t->exe_from_memfd,
	};

	args_json(&p->args, &t->args);
	row.args = buf_view(&p->args);
	note(p, p->args.failed ? error_nomem(&err) : p->out->ops->process_exec(p->out, &row, &err),
	     &err);
}

static void thread_exec(void *arg, const struct state *st, const struct state_thread *t,
			const struct ev *ev)
{
	struct run_processes *p = arg;
	struct act_proc *proc = act_procs_of(p->procs, t);

	p->recent = NULL;
	if (p->more)
		p->more->thread_exec(p->more->arg, st, t, ev);
	if (!proc)
		return;
	if (!proc->tag)
		write_start(p, proc, st, t);
	p->inner.thread_exec(p->inner.arg, st, t, ev);
	if (p->out)
		write_exec(p, proc, t, ev);
}

static void thread_exit(void *arg, const struct state *st, const struct state_thread *t,
			const struct ev *ev, int64_t status)
{
	struct run_processes *p = arg;

	p->inner.thread_exit(p->inner.arg, st, t, ev, status);
	if (p->more)
		p->more->thread_exit(p->more->arg, st, t, ev, status);
}

/* What it is at last, where that is more than it began with: another parent, a known file. */
static void write_became(struct run_processes *p, const struct act_proc *proc,
			 const struct state *st, const struct state_thread *t)
{
	const struct state_thread *parent = state_thread_ancestor(st, t, 1);
	const struct act_proc *pp = parent ? act_procs_of(p->procs, parent) : NULL;
	const uint8_t *sha256 = state_thread_exe_sha256(st, t);
	struct qry_fact f = {.kind = QRY_FACT_BECAME, .count = 4, .value = {qry_key(proc->key)}};
	struct buf hex = {0};
	struct error err = {0};

	if (parent && parent->pid > 0 && parent->pid != proc->ppid) {
		f.value[1] = qry_int(parent->pid);
		f.value[2] = qry_id(pp ? pp->key : 0);
	}
	for (unsigned i = 0; sha256 && i < EV_HASH_BYTES; i++)
		buf_addf(&hex, "%02x", sha256[i]);
	f.value[3] = qry_text_known(buf_view(&hex));
	if (p->out && (f.value[1].kind || f.value[3].kind))
		note(p, p->out->ops->fact(p->out, &f, &err), &err);
	buf_done(&hex);
}

static void thread_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct run_processes *p = arg;
	struct act_proc *proc = act_procs_find(p->procs, t->tid);
	struct error err = {0};
	struct run_process_end end;

	p->recent = NULL;
	if (p->more)
		p->more->thread_removed(p->more->arg, st, t);
	if (!proc)
		return;
	if (!proc->tag)
		write_start(p, proc, st, t);
	if (!p->in_section)
		write_became(p, proc, st, t);
	end = (struct run_process_end){proc->key, proc->end_ts, proc->end_evt, proc->status};
	if (p->out)
		note(p, p->out->ops->process_end(p->out, &end, &err), &err);
	if (p->gather)
		note(p, run_gather_ended(p->gather, proc->key, &err), &err);
	p->inner.thread_removed(p->inner.arg, st, t);
}

struct run_processes *run_processes_new(struct run_out *out)
{
	struct run_processes *p = calloc(1, sizeof(*p));

	if (p)
		p->out = out;
	return p;
}

void run_processes_free(struct run_processes *p)
{
	if (!p)
		return;
	act_procs_free(p->procs);
	buf_done(&p->args);
	free(p);
}

void run_processes_attach(struct run_processes *p, struct state *st)
{
	struct error err = {0};

	act_procs_free(p->procs);
	p->procs = NULL;
	p->recent = NULL;
	note(p, act_procs_new(false, &p->procs, &err), &err);
	if (!p->procs)
		return;
	p->inner = act_procs_observer(p->procs);
	p->observer =
	    (struct state_observer){p, thread_added, thread_exec, thread_exit, thread_removed};
	state_observe(st, &p->observer);
}

/* Whatever is more than a number was written when it came to be that. */
static void tag_written(struct run_processes *p, const struct state *st)
{
	const struct state_thread *t;

	for (size_t at = 0; (t = state_thread_next(st, &at));) {
		struct act_proc *proc = act_procs_find(p->procs, t->tid);

		if (proc)
			proc->tag = !proc->placeholder;
	}
}

int run_processes_restore(struct run_processes *p, struct state *st, struct sv bytes,
			  struct error *err)
{
	struct archive a = archive_from(bytes.p, bytes.n);

	run_processes_attach(p, st);
	if (!p->procs)
		return error_nomem(err);
	if (act_procs_archive(p->procs, &a) < 0)
		return error_nomem(err);
	if (a.trouble || a.in.left)
		return error_set(err, ERR_FORMAT, "a checkpoint's processes: %s",
				 a.trouble ? a.trouble : "something follows their end");
	tag_written(p, st);
	return 0;
}

void run_processes_also(struct run_processes *p, const struct state_observer *more)
{
	p->more = more;
}

void run_processes_gather(struct run_processes *p, struct run_gather *g)
{
	p->gather = g;
}

int run_processes_image(struct run_processes *p, struct buf *out, struct error *err)
{
	struct archive a = archive_to(out);

	return act_procs_archive(p->procs, &a) < 0 || out->failed ? error_nomem(err) : 0;
}

void run_processes_redirect(struct run_processes *p, struct run_out *out)
{
	p->out = out;
}

uint64_t run_processes_key(struct run_processes *p, const struct state *st,
			   const struct state_thread *t)
{
	const struct state_thread *main_thread;
	struct act_proc *proc;

	if (t == p->recent)
		return p->recent_key;
	main_thread = state_thread_main(t);
	proc = p->procs ? act_procs_of(p->procs, t) : NULL;
	if (!proc)
		return 0;
	if (!proc->tag)
		write_start(p, proc, st, main_thread ? main_thread : t);
	p->recent = t;
	p->recent_key = proc->key;
	return proc->key;
}

/* Write what is still unwritten of those that are there. */
static void write_living(struct run_processes *p, const struct state *st)
{
	const struct state_thread *t;

	for (size_t at = 0; p->procs && (t = state_thread_next(st, &at));) {
		struct act_proc *proc = act_procs_find(p->procs, t->tid);

		if (proc && !proc->tag)
			write_start(p, proc, st, t);
		if (proc)
			write_became(p, proc, st, t);
	}
}

void run_processes_section(struct run_processes *p, const struct state *st, bool ends)
{
	if (ends)
		write_living(p, st);
	p->in_section = ends;
}

void run_processes_finish(struct run_processes *p, struct state *st)
{
	write_living(p, st);
	state_observe(st, NULL);
}

int run_processes_error(const struct run_processes *p, struct error *err)
{
	if (p->failed && err)
		*err = p->error;
	return p->failed;
}
