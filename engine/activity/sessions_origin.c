/* SPDX-License-Identifier: Apache-2.0 */
/* Where a session comes from: the connection, container runtime or terminal behind it. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "engine/activity/ends.h"
#include "engine/activity/sessions_internal.h"

#define PRIVILEGED_PORT 1024

/* The far end of a connection that was accepted. */
static bool accepted_end(const struct state_fd *fd, struct act_ends *ends, struct act_end *remote)
{
	bool ip = state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd);

	if (!ip || fd->sock.l4proto != EV_L4_TCP || !act_ends_of_fd(fd, ends))
		return false;
	if (fd->flags & STATE_FD_ROLE_SERVER) {
		*remote = ends->first;
		return remote->known;
	}
	/* Of the initial list the state orients IPv4 only; the local end comes first. */
	if ((fd->flags & STATE_FD_FROM_PROC) && state_fd_is_ipv6(fd) &&
	    !(fd->flags & STATE_FD_ROLE_CLIENT) && ends->first.port < PRIVILEGED_PORT) {
		*remote = ends->second;
		return remote->known;
	}
	return false;
}

static struct sv keep_end(struct act_sessions *x, enum act_family family, const struct act_end *e)
{
	struct buf b = {0};
	struct sv kept;

	act_end_text(&b, family, e);
	kept = act_texts_keep(&x->texts, buf_view(&b));
	buf_done(&b);
	return kept;
}

static void set_by(struct act_sessions *x, struct act_sess *s, const struct state_thread *t)
{
	s->pub.by = act_texts_keep(&x->texts, state_sv(t->comm));
	s->pub.by_pid = t->pid > 0 ? t->pid : t->tid;
}

static bool from_connection_of(struct act_sessions *x, struct act_sess *s,
			       const struct state_thread *t)
{
	const struct state_fd *fd;
	struct act_ends ends;
	struct act_end remote;

	for (size_t at = 0, n = 0; n < ACT_ORIGIN_FDS && (fd = state_fd_next(t, &at)); n++) {
		if (!accepted_end(fd, &ends, &remote))
			continue;
		s->pub.origin = ACT_ORIGIN_REMOTE;
		s->pub.from = keep_end(x, ends.family, &remote);
		set_by(x, s, t);
		return true;
	}
	return false;
}

static bool same_container(const struct state_thread *a, const struct state_thread *b)
{
	return sv_eq(state_sv(a->container_id), state_sv(b->container_id));
}

/* Standard input is a connection: what no terminal session has. */
static bool from_input(struct act_sessions *x, struct act_sess *s, const struct state_thread *t)
{
	const struct state_fd *fd = state_fd_find(t, 0);
	struct act_ends ends;
	bool server;

	if (!fd || !(state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd)) || !act_ends_of_fd(fd, &ends))
		return false;
	server = fd->flags & STATE_FD_ROLE_SERVER;
	s->pub.origin = ACT_ORIGIN_SOCKET;
	s->pub.from = keep_end(x, ends.family, server ? &ends.first : &ends.second);
	return true;
}

/* "203.0.113.9 51234 10.0.0.5 22", which sshd leaves in the environment. */
static bool from_environment(struct act_sessions *x, struct act_sess *s,
			     const struct state_thread *leader, const struct state_thread *above)
{
	char text[80];
	struct sv value, port;
	const char *blank;
	size_t n;

	if (!state_thread_env(leader, SV_LIT("SSH_CONNECTION"), &value) &&
	    !state_thread_env(leader, SV_LIT("SSH_CLIENT"), &value))
		return false;
	blank = memchr(value.p, ' ', value.n);
	if (!blank || value.n > sizeof(text) - 3)
		return false;
	n = (size_t)(blank - value.p);
	port = sv_drop(value, n + 1);
	blank = memchr(port.p, ' ', port.n);
	if (blank)
		port.n = (size_t)(blank - port.p);
	n = (size_t)snprintf(text, sizeof(text),
			     memchr(value.p, ':', n) ? "[%.*s]:%.*s" : "%.*s:%.*s", (int)n, value.p,
			     (int)port.n, port.p);
	s->pub.origin = ACT_ORIGIN_REMOTE;
	s->pub.from = act_texts_keep(&x->texts, sv_make(text, n));
	if (above)
		set_by(x, s, above);
	return true;
}

void act_session_origin(struct act_sessions *x, const struct state *st,
			const struct state_thread *leader, struct act_sess *s)
{
	bool nested = s->up && s->up->pub.tty;
	const struct state_thread *a, *above = NULL;

	s->pub.origin = ACT_ORIGIN_UNKNOWN;
	s->pub.from = s->pub.by = SV_LIT("");
	s->pub.by_pid = -1;
	if (from_input(x, s, leader))
		return;
	for (unsigned i = 1; i <= ACT_ORIGIN_STEPS; i++) {
		a = state_thread_ancestor(st, leader, i);
		if (!a || a == leader)
			break;
		if (state_sv(leader->container_id).n && !same_container(a, leader)) {
			s->pub.origin = leader->vpid == 1 ? ACT_ORIGIN_CONTAINER_START
							  : ACT_ORIGIN_CONTAINER_ENTRY;
			set_by(x, s, a);
			return;
		}
		if (nested)
			continue;
		if (!above)
			above = a;
		if (from_connection_of(x, s, a))
			return;
	}
	if (!nested)
		from_environment(x, s, leader, above);
}
