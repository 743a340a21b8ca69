/* SPDX-License-Identifier: Apache-2.0 */
/* Which images count as commands, and how they end. */
#include "engine/activity/sessions_internal.h"

bool act_command_typed(const struct act_command *c)
{
	return c->kind != ACT_BELOW;
}

const struct state_thread *act_shell_of(const struct act_sessions *x, const struct state *st,
					const struct state_thread *t, struct act_member **shell)
{
	const struct state_thread *a = state_thread_main(t), *parent;
	struct act_member *m;

	*shell = NULL;
	a = a ? a : t;
	for (unsigned i = 0; i < ACT_OWNER_STEPS; i++) {
		parent = state_thread_ancestor(st, a, 1);
		if (!parent || parent == a)
			return NULL;
		a = parent;
		m = act_member_find(x, a);
		if (m && m->imaged) {
			*shell = m;
			return a;
		}
	}
	return NULL;
}

/* 1: in another process group than its shell; 0: in the same; -1: not known. */
static int own_group(const struct act_member *m, const struct act_member *shell)
{
	if (m->pgid > 0 && shell->pgid > 0)
		return m->pgid != shell->pgid;
	if (m->vpgid > 0 && shell->vpgid > 0 && m->in_pidns == shell->in_pidns)
		return m->vpgid != shell->vpgid;
	return -1;
}

static bool is_leader(const struct act_member *m)
{
	return m->sess && m->sess->pub.leader == m->pid;
}

static enum act_command_kind kind_of(const struct act_member *m, const struct act_member *shell,
				     int group)
{
	if (m->own || !shell)
		return ACT_BELOW;
	/* What a leader of another session starts in this one is the session's business. */
	if (group == 1)
		return ACT_JOB;
	if ((is_leader(shell) || shell->reads_tty) && !(group == 0 && shell->jobs))
		return ACT_CHILD;
	return ACT_BELOW;
}

void act_member_has_jobs(struct act_member *m)
{
	m->jobs = true;
	for (struct act_cmd *c = m->pending; c; c = c->next_pending)
		c->pub.kind = ACT_BELOW;
	m->pending = NULL;
}

static bool same_job(const struct act_cmd *a, const struct act_cmd *b)
{
	if (a->pub.pgid > 0 && b->pub.pgid > 0)
		return a->pub.pgid == b->pub.pgid;
	return a->vpgid == b->vpgid;
}

/* The shell goes on with @c: whatever else of it still runs does so in the background. */
static void shell_goes_on(struct act_sessions *x, struct act_member *shell, struct act_cmd *c)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < shell->running_count; i++) {
		struct act_cmd *r = shell->running[i];

		if (r->pub.ended)
			continue;
		if (c && (c->pub.kind != ACT_JOB || r->pub.kind != ACT_JOB || same_job(r, c)))
			shell->running[kept++] = r;
		else
			r->pub.background = true;
	}
	shell->running_count = kept;
	if (!c || kept == ACT_RUNNING_MAX)
		return;
	if (!shell->running)
		shell->running = pool_alloc(&x->pool, ACT_RUNNING_MAX * sizeof(struct act_cmd *));
	if (shell->running)
		shell->running[shell->running_count++] = c;
}

static void describe(struct act_sessions *x, const struct state *st, const struct state_thread *t,
		     struct act_command *c)
{
	struct act_texts *texts = &x->texts;

	c->euid = t->uid;
	c->loginuid = t->loginuid;
	c->user = act_user_name(x, st, t, c->uid);
	c->euser = act_user_name(x, st, t, c->euid);
	c->cwd = act_texts_keep(texts, state_thread_cwd(t));
	c->comm = act_texts_keep(texts, state_sv(t->comm));
	c->exe = act_texts_keep(texts, state_sv(t->exe));
	c->exepath = act_texts_keep(texts, state_sv(t->exepath));
	c->args = act_texts_keep(texts, state_sv(t->args.block));
	c->arg_count = t->args.count;
}

void act_command_append(struct act_sessions *x, struct act_sess *s, struct act_cmd *c)
{
	c->pub.session = &s->pub;
	if (s->last_command)
		s->last_command->pub.next = &c->pub;
	else
		s->pub.first_command = &c->pub;
	s->last_command = c;
	s->pub.commands++;
	x->command_count++;
}

static struct act_cmd *new_command(struct act_sessions *x, struct act_sess *s)
{
	struct act_cmd *c = NULL;

	if (x->command_count < ACT_COMMANDS_MAX)
		c = pool_zalloc(&x->pool, sizeof(*c));
	if (!c) {
		x->stats.dropped++;
		return NULL;
	}
	c->pub.status = -1;
	act_command_append(x, s, c);
	return c;
}

/* Who typed it: the shell's user, not that of a set-uid program. */
static uint32_t typing_user(const struct state_thread *t, const struct act_member *m,
			    const struct state_thread *shell)
{
	if (m->own || !shell || shell->uid == EV_NO_ID)
		return m->uid != EV_NO_ID ? m->uid : t->uid;
	return shell->uid;
}

void act_command_add(struct act_sessions *x, const struct state *st, const struct state_thread *t,
		     struct act_member *m, const struct ev *ev)
{
	struct act_member *shell;
	const struct state_thread *st_shell = act_shell_of(x, st, t, &shell);
	int group = shell ? own_group(m, shell) : -1;
	enum act_command_kind kind = kind_of(m, shell, group);
	struct act_cmd *c;

	if (kind == ACT_JOB)
		act_member_has_jobs(shell);
	if (!m->sess || (!m->sess->pub.tty && !x->opt.without_tty) ||
	    (kind == ACT_BELOW && !x->opt.all_execs))
		return;
	c = new_command(x, m->sess);
	if (!c)
		return;
	c->pub.kind = kind;
	c->pub.parent = m->cmd ? &m->cmd->pub : NULL;
	c->pub.from_start = !ev;
	if (ev) {
		c->pub.ts = ev->ts;
		c->pub.evt = ev->num;
		c->pub.offset = ev->offset;
	}
	c->pub.pid = m->pid;
	c->pub.pgid = m->pgid > 0 ? m->pgid : m->vpgid;
	c->vpgid = m->vpgid;
	c->pub.uid = typing_user(t, m, st_shell);
	describe(x, st, t, &c->pub);
	c->image_before = m->own;
	m->own = m->cmd = c;
	if (kind == ACT_CHILD && group == 0) {
		c->next_pending = shell->pending;
		shell->pending = c;
	}
	if (kind != ACT_BELOW)
		shell_goes_on(x, shell, c);
}

void act_command_exit(struct act_sessions *x, struct act_member *m, const struct ev *ev,
		      int64_t status, bool main_thread)
{
	for (struct act_cmd *c = m->own; c; c = c->image_before) {
		c->pub.end_ts = ev->ts;
		c->pub.ended = true;
		if (main_thread)
			c->pub.status = status;
	}
	shell_goes_on(x, m, NULL);
}

void act_command_gone(struct act_sessions *x, struct act_member *m)
{
	for (struct act_cmd *c = m->own; c; c = c->image_before)
		c->pub.ended = true;
	if (m->running)
		pool_release(&x->pool, m->running, ACT_RUNNING_MAX * sizeof(struct act_cmd *));
	m->running = NULL;
	m->running_count = 0;
}
