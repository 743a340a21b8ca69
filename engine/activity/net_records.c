/* SPDX-License-Identifier: Apache-2.0 */
/* The records of sockets, connections and conversations: making, finding, dropping them. */
#include <stdlib.h>
#include <string.h>

#include "engine/activity/internal.h"

struct act_sock *act_sock_find(const struct act_net *n, uint32_t mark)
{
	struct act_sock *s = act_sock_near(n, mark);

	return s || !mark ? s : map_get(&n->socks, mark);
}

struct act_sock *act_sock_recall(struct act_net *n, uint32_t mark)
{
	struct act_sock *s = act_sock_find(n, mark);

	if (s)
		n->near[mark % ACT_NEAR] = s;
	return s;
}

static struct act_sock *no_room(struct act_net *n)
{
	n->stats.dropped++;
	return NULL;
}

struct act_sock *act_sock_add(struct act_net *n, uint32_t mark)
{
	struct act_sock *s = pool_zalloc(&n->pool, sizeof(*s));

	if (!s)
		return NULL;
	s->mark = mark;
	if (map_put(&n->socks, mark, s) == 0)
		return s;
	pool_release(&n->pool, s, sizeof(*s));
	return NULL;
}

void act_sock_drop(struct act_net *n, struct act_sock *s)
{
	map_take(&n->socks, s->mark);
	if (n->near[s->mark % ACT_NEAR] == s)
		n->near[s->mark % ACT_NEAR] = NULL;
	pool_release(&n->pool, s, sizeof(*s));
}

struct act_sock *act_sock_of_fd(struct act_net *n, struct state_fd *fd)
{
	struct act_sock *s = act_sock_recall(n, fd->mark);

	if (s || fd->mark == ACT_MARK_IGNORED)
		return s;
	if (n->socks.count >= ACT_SOCKETS_MAX ||
	    (!fd->mark && n->next_mark >= ACT_MARK_IGNORED - 1))
		return no_room(n);
	s = act_sock_add(n, fd->mark ? fd->mark : n->next_mark + 1);
	if (!s)
		return no_room(n);
	if (!fd->mark)
		fd->mark = ++n->next_mark;
	return s;
}

void act_sock_give_up(struct act_net *n, struct state_fd *fd, struct act_sock *s)
{
	if (s->main || s->talks)
		return;
	act_sock_drop(n, s);
	fd->mark = ACT_MARK_IGNORED;
}

static struct act_who who(struct act_net *n, const struct state_thread *t)
{
	return (struct act_who){act_pid_of(t), act_texts_keep(&n->texts, state_sv(t->comm))};
}

static void describe_maker(struct act_net *n, struct act_conn *c, const struct act_place *p)
{
	const struct state_thread *t = p->thread, *last = NULL, *a;

	c->uid = c->loginuid = EV_NO_ID;
	c->user.pid = -1;
	if (!t)
		return;
	for (unsigned i = 0; i < ACT_CHAIN_MAX; i++) {
		a = state_thread_ancestor(p->st, t, i);
		if (!a && i == 0)
			a = t;
		if (!a || a == last)
			break;
		c->chain[c->chain_len++] = who(n, a);
		last = a;
	}
	c->user = c->chain[0];
	c->exe = act_texts_keep(&n->texts, state_sv(t->exepath));
	c->container = act_texts_keep(&n->texts, state_sv(t->container_id));
	c->uid = t->uid;
	c->loginuid = t->loginuid;
}

/* Growing doubles, so that it is rare. */
static bool list_room(struct act_net *n)
{
	size_t cap = n->cap ? n->cap * 2 : 256;
	struct act_record **list;

	if (n->count < n->cap)
		return true;
	list = realloc(n->list, cap * sizeof(struct act_record *));
	if (!list)
		return false;
	n->list = list;
	n->cap = cap;
	return true;
}

static bool make_room(struct act_net *n, const struct act_place *p)
{
	if (n->count < n->opt.conns_max)
		return true;
	/* Looking through everything must not become the price of each new connection. */
	if (!n->opt.drop_closed || (n->refused && n->refused++ < n->opt.conns_max / 8))
		return false;
	act_net_settle(n, p->st);
	act_records_forget_closed(n);
	n->refused = n->count >= n->opt.conns_max - n->opt.conns_max / 8;
	return n->count < n->opt.conns_max;
}

struct act_record *act_record_add(struct act_net *n)
{
	struct act_record *r = list_room(n) ? pool_zalloc(&n->pool, sizeof(*r)) : NULL;

	if (r)
		n->list[n->count++] = r;
	return r;
}

struct act_record *act_record_new(struct act_net *n, const struct act_place *p,
				  struct act_sock *sock, enum act_family family,
				  enum ev_l4proto proto)
{
	struct act_record *r;

	n->stats.conns++;
	n->pinned = sock;
	r = make_room(n, p) ? act_record_add(n) : NULL;
	n->pinned = NULL;
	if (!r) {
		n->stats.dropped++;
		return NULL;
	}
	r->sock = sock;
	r->pub.id = ++n->next_id;
	r->ip_id = family == ACT_UNIX ? 0 : ++n->next_ip_id;
	r->pub.family = family;
	r->pub.proto = proto;
	describe_maker(n, &r->pub, p);
	if (p->ev) {
		r->pub.first_ts = r->pub.last_ts = p->ev->ts;
		r->pub.first_evt = p->ev->num;
		r->pub.first_offset = p->ev->offset;
	} else {
		r->pub.from_start = true;
	}
	return r;
}

void act_record_use(struct act_net *n, struct act_record *r, const struct state_thread *t,
		    uint64_t ts)
{
	const struct state_thread *main;

	r->pub.last_ts = ts;
	if (!t || act_pid_of(t) == r->pub.user.pid)
		return;
	main = state_thread_main(t);
	r->pub.user = who(n, main ? main : t);
}

/* --- conversations --- */

static uint64_t talk_key(const struct act_net *n, const struct act_sock *s,
			 const struct act_end *remote)
{
	struct {
		uint32_t mark;
		uint16_t port, zero;
		uint8_t ip[16];
	} k = {.mark = s->mark, .port = remote->port};

	memcpy(k.ip, remote->ip, sizeof(k.ip));
	return hash_bytes(&k, sizeof(k), n->talks.seed) | 1;
}

static bool same_end(const struct act_end *a, const struct act_end *b)
{
	return a->port == b->port && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* The record, or *@key set to a free place for it (0: none). */
static struct act_record *find_talk(const struct act_net *n, const struct act_sock *s,
				    const struct act_end *remote, uint64_t *key)
{
	uint64_t first = talk_key(n, s, remote);

	*key = 0;
	for (unsigned i = 0; i < ACT_PROBES; i++) {
		struct act_record *r = map_get(&n->talks, first + i);

		if (!r) {
			if (!*key)
				*key = first + i;
		} else if (r->sock == s && same_end(&r->pub.remote, remote)) {
			return r;
		}
	}
	return NULL;
}

static void file_talk(struct act_net *n, struct act_sock *s, struct act_record *r, uint64_t key)
{
	r->next = s->talks;
	s->talks = r;
	if (key && map_put(&n->talks, key, r) == 0)
		r->key = key;
}

void act_talk_file(struct act_net *n, struct act_sock *s, struct act_record *r)
{
	uint64_t key;

	(void)find_talk(n, s, &r->pub.remote, &key);
	file_talk(n, s, r, key);
}

struct act_record *act_talk(struct act_net *n, const struct act_place *p, struct act_sock *sock,
			    const struct act_ends *ends, const struct act_end *local,
			    const struct act_end *remote, enum ev_l4proto proto,
			    enum act_direction dir)
{
	uint64_t key;
	struct act_record *r = find_talk(n, sock, remote, &key);

	if (r)
		return r;
	r = key ? act_record_new(n, p, sock, ends->family, proto) : NULL;
	if (!r)
		return NULL;
	r->state = ACT_NET_OPEN;
	r->pub.direction = dir;
	r->pub.local = *local;
	r->pub.remote = *remote;
	if (sock->main && !sock->main->pub.local.port)
		sock->main->pub.local.port = local->port;
	/* Making room may have moved what was free. */
	file_talk(n, sock, r, map_get(&n->talks, key) ? 0 : key);
	return r;
}

/* --- dropping --- */

static void drop_from_sock(struct act_net *n, struct act_record *r)
{
	struct act_sock *s = r->sock;
	struct act_record **at;

	if (!s)
		return;
	if (s->main == r)
		s->main = NULL;
	for (at = &s->talks; *at && *at != r; at = &(*at)->next)
		;
	if (*at)
		*at = r->next;
	if (!s->main && !s->talks && s != n->pinned)
		act_sock_drop(n, s);
}

static void drop(struct act_net *n, struct act_record *r)
{
	if (r->key)
		map_take(&n->talks, r->key);
	for (unsigned i = 0; i < n->portless_count; i++)
		if (n->portless[i] == r)
			n->portless[i--] = n->portless[--n->portless_count];
	drop_from_sock(n, r);
	pool_release(&n->pool, r, sizeof(*r));
}

static bool is_over(const struct act_record *r)
{
	return r->pub.state == ACT_NET_CLOSED || r->pub.state == ACT_NET_FAILED;
}

/* Newest first, as the lists of the sockets are. */
void act_records_forget_gone(struct act_net *n)
{
	size_t kept = 0;

	for (size_t i = n->count; i-- > 0;)
		if (n->list[i]->gone) {
			drop(n, n->list[i]);
			n->list[i] = NULL;
		}
	for (size_t i = 0; i < n->count; i++)
		if (n->list[i])
			n->list[kept++] = n->list[i];
	n->count = kept;
}

void act_records_forget_closed(struct act_net *n)
{
	if (!n->opt.drop_closed)
		return;
	for (size_t i = 0; i < n->count; i++)
		n->list[i]->gone = is_over(n->list[i]);
	act_records_forget_gone(n);
}
