/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/ask.h"

#include <string.h>

struct check {
	const char *classes;
	const struct flt_expr *bad;
};

static void check_field(void *arg, const struct flt_expr *field)
{
	struct check *c = arg;
	const char *dot = memchr(field->text.p, '.', field->text.n);
	size_t n = dot ? (size_t)(dot - field->text.p) : field->text.n;

	for (const char *p = c->classes; *p;) {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, field->text.p, n) == 0)
			return;
		p += len + (p[len] == ' ');
	}
	if (!c->bad)
		c->bad = field;
}

const struct flt_expr *act_foreign_field(const struct flt_node *n, const char *classes)
{
	struct check c = {.classes = classes};

	flt_visit_fields(n, check_field, &c);
	return c.bad;
}

void act_question_done(struct act_question *q)
{
	arena_done(&q->texts);
}

bool act_passes(struct act_question *q, struct state_thread *t, struct state_fd *fd)
{
	struct ev ev = {
	    .type = EV_FSTAT_X, .ts = q->ts, .tid = t->tid, .num = state_stats(q->st)->events};
	struct state_binding b = {.ev = &ev, .thread = t, .fd = fd, .visible = true};
	int64_t last_fd = t->lastevent_fd;
	bool ok;

	t->lastevent_fd = fd ? fd->num : -1;
	flt_ctx_event(q->cx, &b);
	ok = flt_match(q->cx, q->condition);
	t->lastevent_fd = last_fd;
	return ok;
}

/* --- what is gone --- */

struct state_str *act_past_text(struct act_question *q, struct sv s)
{
	struct state_str *text = s.n ? arena_alloc(&q->texts, sizeof(*text) + s.n + 1) : NULL;

	if (!text) {
		q->failed |= s.n != 0;
		return NULL;
	}
	text->refs = 1;
	text->len = (uint32_t)s.n;
	memcpy(text->text, s.p, s.n);
	text->text[s.n] = '\0';
	return text;
}

static struct state_str *command_of(struct act_question *q, const struct act_proc *p)
{
	struct buf b = {0};
	struct state_str *text;

	buf_sv(&b, p->comm);
	if (p->arg_count)
		buf_char(&b, ' ');
	for (size_t i = 0; i < p->args.n; i++)
		buf_char(&b, p->args.p[i] ? p->args.p[i] : ' ');
	q->failed |= b.failed;
	text = act_past_text(q, buf_view(&b));
	buf_done(&b);
	return text;
}

bool act_past_passes(struct act_question *q, const struct act_proc *p, struct state_fd *fd)
{
	struct state_thread t = {
	    .tid = p->pid,
	    .pid = p->pid,
	    .lastevent_type = UINT16_MAX,
	    .lastevent_fd = -1,
	    /* Results are remembered by it: it must be no real thread's. */
	    .generation = UINT64_MAX / 2 + ++q->fakes,
	    .vtid = p->vpid,
	    .vpid = p->vpid,
	    .sid = p->sid,
	    .pgid = p->pgid,
	    .vpgid = p->vpgid,
	    .comm = act_past_text(q, p->comm),
	    .exe = act_past_text(q, p->exe),
	    .exepath = act_past_text(q, p->exepath),
	    .cwd = act_past_text(q, p->cwd),
	    .cmdline = command_of(q, p),
	    .args = {act_past_text(q, p->args), p->arg_count},
	    .container_id = act_past_text(q, p->container),
	    .uid = p->uid,
	    .gid = p->gid,
	    .loginuid = p->loginuid,
	    .tty = p->tty,
	    .cap_inheritable = p->cap_inheritable,
	    .cap_permitted = p->cap_permitted,
	    .cap_effective = p->cap_effective,
	    .clone_ts = p->start_ts,
	    .lastexec_ts = p->exec_ts,
	    .exec_count = p->exec_count,
	};
	bool passes = act_passes(q, &t, fd);

	arena_reset(&q->texts);
	return passes;
}

static struct state_fd past_fd(struct act_question *q, const struct act_conn *c)
{
	struct state_fd fd = {.num = -1};
	bool in = c->direction == ACT_DIR_IN;
	const struct act_end *client = in ? &c->remote : &c->local;
	const struct act_end *server = in ? &c->local : &c->remote;
	struct buf name = {0};

	if (c->family == ACT_UNIX) {
		fd.type = EV_FD_UNIX_SOCK;
		fd.name = act_past_text(q, c->path);
		return fd;
	}
	if (c->waits) {
		fd.type = c->family == ACT_IPV4 ? EV_FD_IPV4_SERVSOCK : EV_FD_IPV6_SERVSOCK;
	} else {
		fd.type = c->family == ACT_IPV4 ? EV_FD_IPV4_SOCK : EV_FD_IPV6_SOCK;
		fd.flags = in ? STATE_FD_ROLE_SERVER : STATE_FD_ROLE_CLIENT;
	}
	memcpy(fd.sock.sip, client->ip, sizeof(fd.sock.sip));
	memcpy(fd.sock.dip, server->ip, sizeof(fd.sock.dip));
	fd.sock.sport = client->port;
	fd.sock.dport = server->port;
	fd.sock.l4proto = (uint8_t)c->proto;
	act_end_text(&name, c->family, client);
	if (!c->waits) {
		buf_lit(&name, "->");
		act_end_text(&name, c->family, server);
	}
	q->failed |= name.failed;
	fd.name = act_past_text(q, buf_view(&name));
	buf_done(&name);
	return fd;
}

static bool past_conn_passes(struct act_question *q, const struct act_conn *c)
{
	struct act_proc p = {.pid = c->chain_len ? c->chain[0].pid : -1,
			     .exe = c->exe,
			     .exepath = c->exe,
			     .container = c->container,
			     .uid = c->uid,
			     .gid = EV_NO_ID,
			     .loginuid = c->loginuid};
	struct state_fd fd = past_fd(q, c);

	p.vpid = p.pid;
	if (c->chain_len)
		p.comm = c->chain[0].name;
	return act_past_passes(q, &p, &fd);
}

bool act_conn_passes(struct act_question *q, const struct act_conn *c)
{
	bool asked = false;

	for (unsigned i = 0; i < c->holder_count && i < ACT_HOLDERS_MAX; i++) {
		struct state_thread *t = state_thread_find(q->st, c->holders[i].pid);
		struct state_fd *fd = t ? state_fd_find(t, c->holders[i].fd) : NULL;

		if (!fd)
			continue;
		asked = true;
		if (act_passes(q, t, fd))
			return true;
	}
	return !asked && past_conn_passes(q, c);
}

/* The record has the first argument only: "-bash" of a login, "/bin/sh". */
static struct sv name_of_shell(struct sv s)
{
	const char *slash = s.n ? memrchr(s.p, '/', s.n) : NULL;

	if (slash)
		return sv_make(slash + 1, s.n - (size_t)(slash + 1 - s.p));
	return s.n && s.p[0] == '-' ? sv_make(s.p + 1, s.n - 1) : s;
}

bool act_session_passes(struct act_question *q, const struct act_session *s)
{
	const struct act_proc p = {.pid = s->leader,
				   .vpid = s->vpid,
				   .sid = s->sid,
				   .comm = name_of_shell(s->shell),
				   .exe = s->shell,
				   .args = s->shell_args,
				   .arg_count = s->shell_arg_count,
				   .container = s->container,
				   .uid = s->uid,
				   .gid = EV_NO_ID,
				   .loginuid = s->loginuid,
				   .tty = s->tty};

	return act_past_passes(q, &p, NULL);
}
