/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/procs.h"

#include <stdlib.h>

#include "engine/activity/texts.h"

struct act_procs {
	bool keep_dead;
	struct act_procs_stats stats;
	struct map living; /* main thread -> struct act_proc */
	struct pool pool;
	struct act_texts texts;
	struct act_proc **dead;
	size_t dead_count, dead_cap;
	struct act_proc *last_dead;
	uint64_t last_key;
};

int act_procs_new(bool keep_dead, struct act_procs **out, struct error *err)
{
	struct act_procs *p = calloc(1, sizeof(*p));

	if (!p)
		return error_nomem(err);
	p->keep_dead = keep_dead;
	*out = p;
	return 0;
}

void act_procs_free(struct act_procs *p)
{
	if (!p)
		return;
	map_done(&p->living);
	act_texts_done(&p->texts);
	pool_done(&p->pool);
	free(p->dead);
	free(p);
}

struct act_proc *act_procs_of(const struct act_procs *p, const struct state_thread *t)
{
	const struct state_thread *main = state_thread_main(t);

	return map_get(&p->living, (uint64_t)(main ? main : t)->tid);
}

/* A record for the main thread's number: a new one, or that of a process which was replaced. */
static struct act_proc *make(struct act_procs *p, int64_t tid)
{
	struct act_proc *proc = map_get(&p->living, (uint64_t)tid);

	if (proc)
		return proc;
	proc = pool_alloc(&p->pool, sizeof(*proc));
	if (proc && map_put(&p->living, (uint64_t)tid, proc) == 0)
		return proc;
	pool_release(&p->pool, proc, sizeof(*proc));
	p->stats.dropped++;
	return NULL;
}

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	bool placeholder = state_thread_is_invalid(t);
	const struct state_thread *parent;
	struct act_procs *p = arg;
	const struct act_proc *pp;
	struct act_proc *proc;

	if (!placeholder && !state_thread_is_main(t))
		return;
	proc = make(p, t->tid);
	if (!proc)
		return;
	*proc = (struct act_proc){
	    .key = ++p->last_key,
	    .pid = t->pid > 0 ? t->pid : t->tid,
	    .ppid = -1,
	    .status = -1,
	    .from_start = !ev,
	    .placeholder = placeholder,
	};
	if (ev && !placeholder) {
		proc->start_ts = ev->ts;
		proc->start_evt = ev->num;
	}
	parent = placeholder ? NULL : state_thread_ancestor(st, t, 1);
	if (!parent || parent == t)
		return;
	pp = act_procs_of(p, parent);
	proc->parent_key = pp && pp->key < proc->key ? pp->key : 0;
	proc->ppid = parent->pid > 0 ? parent->pid : parent->tid;
	proc->parent_name = act_texts_keep(&p->texts, state_sv(parent->comm));
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *t,
		    const struct ev *ev)
{
	struct act_proc *proc = act_procs_of(arg, t);

	(void)st;
	(void)ev;
	if (!proc)
		return;
	proc->placeholder = false;
	proc->execs++;
}

static void on_exit_of(void *arg, const struct state *st, const struct state_thread *t,
		       const struct ev *ev, int64_t status)
{
	struct act_proc *proc = act_procs_of(arg, t);

	(void)st;
	if (!proc)
		return;
	proc->end_ts = ev->ts;
	proc->end_evt = ev->num;
	if (state_thread_is_main(t))
		proc->status = status;
}

static void describe(struct act_procs *p, struct act_proc *proc, const struct state_thread *t)
{
	struct act_texts *x = &p->texts;

	proc->dead = true;
	proc->comm = act_texts_keep(x, state_sv(t->comm));
	proc->exe = act_texts_keep(x, state_sv(t->exe));
	proc->exepath = act_texts_keep(x, state_sv(t->exepath));
	proc->cwd = act_texts_keep(x, state_thread_cwd(t));
	proc->container = act_texts_keep(x, state_sv(t->container_id));
	proc->args = act_texts_keep(x, state_sv(t->args.block));
	proc->arg_count = t->args.count;
	proc->vpid = t->vpid;
	proc->sid = t->sid;
	proc->pgid = t->pgid;
	proc->vpgid = t->vpgid;
	proc->uid = t->uid;
	proc->gid = t->gid;
	proc->loginuid = t->loginuid;
	proc->tty = t->tty;
	proc->exec_count = t->exec_count;
	proc->exec_ts = t->lastexec_ts;
	proc->cap_inheritable = t->cap_inheritable;
	proc->cap_permitted = t->cap_permitted;
	proc->cap_effective = t->cap_effective;
}

static bool dead_room(struct act_procs *p)
{
	size_t cap = p->dead_cap ? p->dead_cap * 2 : 256;
	struct act_proc **dead;

	if (p->dead_count < p->dead_cap)
		return true;
	if (p->dead_count >= ACT_DEAD_MAX)
		return false;
	dead = reallocarray(p->dead, cap, sizeof(struct act_proc *));
	if (!dead)
		return false;
	p->dead = dead;
	p->dead_cap = cap;
	return true;
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct act_procs *p = arg;
	struct act_proc *proc = map_take(&p->living, (uint64_t)t->tid);

	(void)st;
	p->last_dead = NULL;
	if (!proc)
		return;
	proc->placeholder = proc->placeholder && state_thread_is_invalid(t);
	/* A number that nothing else was ever known about did not live. */
	if (p->keep_dead && !proc->placeholder && dead_room(p)) {
		describe(p, proc, t);
		p->dead[p->dead_count++] = proc;
		p->last_dead = proc;
		return;
	}
	p->stats.dropped += p->keep_dead && !proc->placeholder;
	pool_release(&p->pool, proc, sizeof(*proc));
}

struct state_observer act_procs_observer(struct act_procs *p)
{
	return (struct state_observer){p, on_added, on_exec, on_exit_of, on_removed};
}

struct act_proc *act_procs_find(const struct act_procs *p, int64_t tid)
{
	return map_get(&p->living, (uint64_t)tid);
}

const struct act_proc *act_procs_next_dead(const struct act_procs *p, size_t *at)
{
	return *at < p->dead_count ? p->dead[(*at)++] : NULL;
}

struct act_proc *act_procs_last_dead(struct act_procs *p)
{
	return p->last_dead;
}

const struct act_procs_stats *act_procs_stats(const struct act_procs *p)
{
	struct act_procs_stats *s = (struct act_procs_stats *)&p->stats;

	s->memory = sizeof(*p) + p->pool.total + p->texts.arena.total +
		    p->dead_cap * sizeof(struct act_proc *) +
		    p->living.mask * sizeof(struct map_slot);
	return s;
}

/* ---- as bytes ---- */

static const struct archive_field life_fields[] = {
    ARCHIVE_U(struct act_proc, key),	    ARCHIVE_U(struct act_proc, parent_key),
    ARCHIVE_I(struct act_proc, pid),	    ARCHIVE_I(struct act_proc, ppid),
    ARCHIVE_B(struct act_proc, from_start), ARCHIVE_B(struct act_proc, placeholder),
    ARCHIVE_U(struct act_proc, execs),	    ARCHIVE_U(struct act_proc, start_ts),
    ARCHIVE_U(struct act_proc, start_evt),  ARCHIVE_U(struct act_proc, end_ts),
    ARCHIVE_U(struct act_proc, end_evt),    ARCHIVE_I(struct act_proc, status),
};

static const struct archive_field dead_fields[] = {
    ARCHIVE_U(struct act_proc, arg_count),     ARCHIVE_I(struct act_proc, vpid),
    ARCHIVE_I(struct act_proc, sid),	       ARCHIVE_I(struct act_proc, pgid),
    ARCHIVE_I(struct act_proc, vpgid),	       ARCHIVE_U(struct act_proc, uid),
    ARCHIVE_U(struct act_proc, gid),	       ARCHIVE_U(struct act_proc, loginuid),
    ARCHIVE_U(struct act_proc, tty),	       ARCHIVE_U(struct act_proc, exec_count),
    ARCHIVE_U(struct act_proc, exec_ts),       ARCHIVE_U(struct act_proc, cap_inheritable),
    ARCHIVE_U(struct act_proc, cap_permitted), ARCHIVE_U(struct act_proc, cap_effective),
};

static void archive_kept(struct act_procs *p, struct archive *a, struct sv *s)
{
	struct sv v = archive_text(a, *s);

	if (!archive_saves(a))
		*s = act_texts_keep(&p->texts, v);
}

static void archive_life(struct act_procs *p, struct archive *a, struct act_proc *proc)
{
	ARCHIVE_FIELDS(a, proc, life_fields);
	archive_kept(p, a, &proc->parent_name);
}

static void archive_rest(struct act_procs *p, struct archive *a, struct act_proc *proc)
{
	struct sv *texts[] = {&proc->comm, &proc->exe,	     &proc->exepath,
			      &proc->cwd,  &proc->container, &proc->args};

	ARCHIVE_FIELDS(a, proc, dead_fields);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		archive_kept(p, a, texts[i]);
	proc->dead = true;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct map_slot *)a)->key;
	int64_t y = (int64_t)((const struct map_slot *)b)->key;

	return (x > y) - (x < y);
}

static int save_living(struct act_procs *p, struct archive *a)
{
	size_t n = 0, count = p->living.count;
	struct map_slot *all = calloc(count + 1, sizeof(*all)), *slot;

	if (!all)
		return ERR_NOMEM;
	for (size_t at = 0; (slot = map_next(&p->living, &at));)
		all[n++] = *slot;
	qsort(all, n, sizeof(*all), by_number);
	archive_count(a, n);
	for (size_t i = 0; i < n; i++) {
		archive_i64(a, (int64_t)all[i].key);
		archive_life(p, a, all[i].value);
	}
	free(all);
	return 0;
}

static int restore_living(struct act_procs *p, struct archive *a)
{
	uint64_t n = archive_count(a, 0);

	for (uint64_t i = 0; i < n && !a->trouble; i++) {
		int64_t tid = archive_i64(a, 0);
		struct act_proc *proc;

		if (act_procs_find(p, tid)) {
			archive_complain(a, "a process is there twice");
			break;
		}
		proc = make(p, tid);
		if (!proc)
			return ERR_NOMEM;
		*proc = (struct act_proc){0};
		archive_life(p, a, proc);
	}
	return 0;
}

int act_procs_archive(struct act_procs *p, struct archive *a)
{
	p->last_key = archive_u64(a, p->last_key);
	return archive_saves(a) ? save_living(p, a) : restore_living(p, a);
}

int act_procs_archive_dead(struct act_procs *p, size_t from, struct archive *a)
{
	uint64_t n = archive_count(a, archive_saves(a) ? p->dead_count - from : 0);

	for (uint64_t i = 0; i < n && !a->trouble; i++) {
		struct act_proc *proc;

		if (archive_saves(a)) {
			proc = p->dead[from + i];
		} else {
			if (p->dead_count == ACT_DEAD_MAX) {
				archive_complain(a, "too many processes have ended");
				break;
			}
			proc = dead_room(p) ? pool_zalloc(&p->pool, sizeof(*proc)) : NULL;
			if (!proc)
				return ERR_NOMEM;
			p->dead[p->dead_count++] = proc;
		}
		archive_life(p, a, proc);
		archive_rest(p, a, proc);
	}
	return 0;
}

void act_procs_forget_dead(struct act_procs *p)
{
	for (size_t i = 0; i < p->dead_count; i++)
		pool_release(&p->pool, p->dead[i], sizeof(*p->dead[i]));
	p->dead_count = 0;
	p->last_dead = NULL;
}
