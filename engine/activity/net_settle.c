/* SPDX-License-Identifier: Apache-2.0 */
/* What the descriptor tables say: sockets that were there at the start, and which ones still are.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/activity/internal.h"

/* Each table once: those of processes, and of threads that nothing is known about. */
static bool has_table(const struct state_thread *t)
{
	return state_thread_is_main(t) || state_thread_is_invalid(t);
}

static bool is_ip(const struct state_fd *fd)
{
	return state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd);
}

static bool is_wanted(const struct act_net *n, const struct state_fd *fd)
{
	return is_ip(fd) || state_fd_is_listener(fd) ||
	       (fd->type == EV_FD_UNIX_SOCK && n->opt.unix_sockets);
}

/* --- the start --- */

struct start {
	struct act_net *n;
	const struct state *st;
	const struct state_fd *but; /* made by the first event */
	struct map by_ino;	    /* inode -> struct act_sock */
};

static void note_listener(struct act_net *n, const struct state_fd *fd)
{
	if (fd->sock.l4proto != EV_L4_UDP)
		n->listening[fd->sock.sport / 8] |= (uint8_t)(1u << fd->sock.sport % 8);
}

static bool is_listened_to(const struct act_net *n, uint16_t port)
{
	return n->listening[port / 8] >> port % 8 & 1;
}

/* The list names the local end first; the state turns accepted IPv4 connections round. */
static void describe_connection(struct act_net *n, struct act_record *r, const struct state_fd *fd,
				const struct act_ends *ends)
{
	bool turned = fd->flags & STATE_FD_ROLE_SERVER;

	r->pub.local = turned ? ends->second : ends->first;
	r->pub.remote = turned ? ends->first : ends->second;
	r->pub.direction = is_listened_to(n, r->pub.local.port) ? ACT_DIR_IN : ACT_DIR_OUT;
	r->pub.answered = r->sock->stream;
	r->state = r->sock->stream ? ACT_NET_ESTABLISHED : ACT_NET_OPEN;
}

static void describe_unix(struct act_net *n, struct act_record *r, const struct state_fd *fd)
{
	struct sv path = state_sv(fd->name);

	/* As the kernel's list of sockets has it. */
	if (path.n && path.p[path.n - 1] == '\n')
		path.n--;
	r->pub.path = act_texts_keep(&n->texts, path);
	r->pub.direction = fd->flags & STATE_FD_ROLE_SERVER ? ACT_DIR_IN : ACT_DIR_OUT;
	r->state = ACT_NET_OPEN;
}

static void take_fd(struct start *s, const struct state_thread *t, struct state_fd *fd)
{
	const struct act_place p = {.st = s->st, .thread = t};
	struct act_sock *sock = fd->ino ? map_get(&s->by_ino, fd->ino) : NULL;
	struct act_ends ends;
	struct act_record *r;

	if (fd->mark || (fd == s->but && !(fd->flags & STATE_FD_FROM_PROC)) ||
	    !is_wanted(s->n, fd) || !act_ends_of_fd(fd, &ends))
		return;
	if (sock) {
		fd->mark = sock->mark;
		return;
	}
	sock = act_sock_of_fd(s->n, fd);
	if (!sock || (fd->ino && map_put(&s->by_ino, fd->ino, sock) < 0))
		return;
	sock->stream = ends.family == ACT_UNIX || fd->sock.l4proto == EV_L4_TCP;
	r = act_record_new(s->n, &p, sock, ends.family,
			   ends.family == ACT_UNIX ? EV_L4_NA : fd->sock.l4proto);
	if (!r) {
		if (fd->ino)
			map_take(&s->by_ino, fd->ino);
		act_sock_give_up(s->n, fd, sock);
		return;
	}
	sock->main = r;
	if (ends.family == ACT_UNIX) {
		describe_unix(s->n, r, fd);
	} else if (state_fd_is_listener(fd)) {
		r->pub.local = ends.first;
		r->pub.waits = true;
		r->state = sock->stream ? ACT_NET_LISTENING : ACT_NET_BOUND;
	} else {
		describe_connection(s->n, r, fd, &ends);
	}
}

/* Those with a table of their own, in an order: numbers and owners must not depend on that of the
 * table of threads. */
static struct map_slot *sorted_threads(const struct state *st, size_t *count)
{
	size_t n, kept = 0;
	struct map_slot *all = state_threads_sorted(st, &n);

	for (size_t i = 0; i < n; i++)
		if (has_table(all[i].value))
			all[kept++] = all[i];
	*count = kept;
	return all;
}

/* Listeners first: they tell which connections were accepted. */
void act_net_start(struct act_net *n, const struct state *st, const struct state_fd *but)
{
	struct start s = {.n = n, .st = st, .but = but};
	struct map_slot *all;
	struct state_fd *fd;
	size_t count;

	n->started = true;
	memset(n->listening, 0, sizeof(n->listening));
	all = sorted_threads(st, &count);
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; (fd = state_fd_next(all[i].value, &at));)
			if (state_fd_is_listener(fd))
				note_listener(n, fd);
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; (fd = state_fd_next(all[i].value, &at));)
			take_fd(&s, all[i].value, fd);
	free(all);
	map_done(&s.by_ino);
}

/* --- settling --- */

static bool comes_before(const struct act_holder *a, const struct act_holder *b)
{
	return a->pid != b->pid ? a->pid < b->pid : a->fd < b->fd;
}

/* The tables come in no order: those that are named are the first ones in ours. */
static void add_holder(struct act_sock *s, const struct state_thread *t, const struct state_fd *fd)
{
	struct act_holder h = {act_pid_of(t), fd->num};
	unsigned i = s->holder_count < ACT_HOLDERS_MAX ? s->holder_count : ACT_HOLDERS_MAX;

	s->holder_count++;
	for (; i && comes_before(&h, &s->holders[i - 1]); i--)
		if (i < ACT_HOLDERS_MAX)
			s->holders[i] = s->holders[i - 1];
	if (i < ACT_HOLDERS_MAX)
		s->holders[i] = h;
}

static void find_holders(struct act_net *n, const struct state *st)
{
	const struct state_thread *t;
	const struct state_fd *fd;
	struct act_sock *s;

	for (size_t at = 0; (t = state_thread_next(st, &at));) {
		if (!has_table(t) || (t->flags & STATE_CL_CLOSED && state_thread_count(t) == 0))
			continue;
		for (size_t i = 0; (fd = state_fd_next(t, &i));) {
			s = act_sock_find(n, fd->mark);
			if (s)
				add_holder(s, t, fd);
		}
	}
}

static void settle_record(struct act_record *r)
{
	const struct act_sock *s = r->sock;
	struct act_conn *c = &r->pub;
	bool over = r->state == ACT_NET_CLOSED || r->state == ACT_NET_FAILED;

	c->holder_count = s && !over ? s->holder_count : 0;
	if (c->holder_count)
		memcpy(c->holders, s->holders, sizeof(c->holders));
	c->state = r->state;
	if (over)
		return;
	c->end_ts = 0;
	if (c->holder_count)
		return;
	c->state = ACT_NET_CLOSED;
	c->end_ts = s && s->end_ts > c->last_ts ? s->end_ts : c->last_ts;
}

void act_record_settle_gone(struct act_record *r)
{
	if (r->sock)
		r->sock->holder_count = 0;
	settle_record(r);
	r->state = r->pub.state;
}

void act_net_settle(struct act_net *n, const struct state *st)
{
	struct map_slot *slot;

	if (!n->started)
		act_net_start(n, st, NULL);
	for (size_t at = 0; (slot = map_next(&n->socks, &at));)
		((struct act_sock *)slot->value)->holder_count = 0;
	find_holders(n, st);
	for (size_t i = 0; i < n->count; i++)
		settle_record(n->list[i]);
}

/* Time of a section has passed: nothing of it is held any more. */
void act_net_section(struct act_net *n)
{
	for (size_t i = 0; i < n->count; i++) {
		struct act_record *r = n->list[i];

		if (r->state != ACT_NET_CLOSED && r->state != ACT_NET_FAILED) {
			r->state = ACT_NET_CLOSED;
			r->pub.end_ts = r->sock && r->sock->end_ts > r->pub.last_ts
					    ? r->sock->end_ts
					    : r->pub.last_ts;
		}
		r->sock = NULL;
		r->next = NULL;
		r->key = 0;
	}
	map_clear(&n->socks);
	memset(n->near, 0, sizeof(n->near));
	map_clear(&n->talks);
	n->portless_count = 0;
	n->started = false;
}
