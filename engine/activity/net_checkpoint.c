/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tracker of sockets knows as bytes, and back. What is gone for good, since no descriptor
 * leads to it any more, is written once and then forgotten, so that a checkpoint is as large as
 * what is there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "engine/activity/internal.h"

/* How a record belongs to its socket. */
enum link { LINK_NONE, LINK_MAIN, LINK_TALK };

struct checkpoint {
	struct archive a;
	struct act_net *n;
	bool nomem;
	bool ip_only; /* restoring: UNIX sockets are of no interest */
	/* Of the record before: numbers are written as what they are more than these. */
	uint64_t id, ip_id, ts, evt, offset;
};

static bool saves(const struct checkpoint *c)
{
	return archive_saves(&c->a);
}

static bool broken(const struct checkpoint *c)
{
	return c->a.trouble || c->nomem;
}

/* ---- records ---- */

static const struct archive_field conn_fields[] = {
    ARCHIVE_U(struct act_conn, family),	     ARCHIVE_U(struct act_conn, proto),
    ARCHIVE_U(struct act_conn, state),	     ARCHIVE_U(struct act_conn, direction),
    ARCHIVE_B(struct act_conn, from_start),  ARCHIVE_B(struct act_conn, waits),
    ARCHIVE_B(struct act_conn, answered),    ARCHIVE_B(struct act_conn, local.known),
    ARCHIVE_U(struct act_conn, local.port),  ARCHIVE_B(struct act_conn, remote.known),
    ARCHIVE_U(struct act_conn, remote.port), ARCHIVE_U(struct act_conn, chain_len),
    ARCHIVE_U(struct act_conn, uid),	     ARCHIVE_U(struct act_conn, loginuid),
    ARCHIVE_U(struct act_conn, bytes_in),    ARCHIVE_U(struct act_conn, bytes_out),
    ARCHIVE_U(struct act_conn, attempts),    ARCHIVE_I(struct act_conn, error),
};

static void text(struct checkpoint *c, struct sv *s)
{
	struct sv v = archive_text(&c->a, *s);

	if (!saves(c))
		*s = act_texts_keep(&c->n->texts, v);
}

static void who(struct checkpoint *c, struct act_who *w)
{
	w->pid = archive_i64(&c->a, w->pid);
	text(c, &w->name);
}

/* @v, written as the difference to @before, which becomes @v. */
static void follow(struct checkpoint *c, uint64_t *v, uint64_t *before)
{
	*v = *before + (uint64_t)archive_i64(&c->a, (int64_t)(*v - *before));
	*before = *v;
}

static void numbers(struct checkpoint *c, struct act_record *r)
{
	uint64_t ts;

	follow(c, &r->pub.id, &c->id);
	follow(c, &r->ip_id, &c->ip_id);
	follow(c, &r->pub.first_ts, &c->ts);
	follow(c, &r->pub.first_evt, &c->evt);
	follow(c, &r->pub.first_offset, &c->offset);
	ts = r->pub.first_ts;
	follow(c, &r->pub.last_ts, &ts);
	if (archive_bool(&c->a, r->pub.end_ts != 0))
		follow(c, &r->pub.end_ts, &ts);
	else
		r->pub.end_ts = 0;
}

static const char *check(const struct act_record *r)
{
	const struct act_conn *c = &r->pub;

	if (c->state > ACT_NET_FAILED || r->state > ACT_NET_FAILED || c->direction > ACT_DIR_IN)
		return "a socket is in no known state";
	if (c->family != ACT_UNIX && c->family != ACT_IPV4 && c->family != ACT_IPV6)
		return "a socket is of no known family";
	return c->chain_len > ACT_CHAIN_MAX ? "a socket has too many ancestors" : NULL;
}

static void one_record(struct checkpoint *c, struct act_record *r)
{
	struct act_conn *p = &r->pub;
	const char *wrong;

	numbers(c, r);
	ARCHIVE_FIELDS(&c->a, p, conn_fields);
	r->state = (enum act_net_state)archive_u64(&c->a, r->state);
	wrong = check(r);
	if (wrong)
		archive_complain(&c->a, wrong);
	if (c->a.trouble) {
		*r = (struct act_record){.pub.family = ACT_IPV4};
		return;
	}
	archive_bytes(&c->a, p->local.ip, sizeof(p->local.ip));
	archive_bytes(&c->a, p->remote.ip, sizeof(p->remote.ip));
	for (unsigned i = 0; i < p->chain_len; i++)
		who(c, &p->chain[i]);
	who(c, &p->user);
	text(c, &p->path);
	text(c, &p->exe);
	text(c, &p->container);
}

static enum link link_of(const struct act_record *r)
{
	if (!r->sock)
		return LINK_NONE;
	return r->sock->main == r ? LINK_MAIN : LINK_TALK;
}

static void restore_link(struct checkpoint *c, struct act_record *r, enum link link, uint32_t mark)
{
	struct act_sock *s = act_sock_find(c->n, mark);

	if (link == LINK_NONE)
		return;
	if (!s || (link == LINK_MAIN && s->main) || link > LINK_TALK) {
		archive_complain(&c->a, "a connection is of no socket");
		return;
	}
	r->sock = s;
	if (link == LINK_MAIN)
		s->main = r;
	else
		act_talk_file(c->n, s, r);
}

/* Return: the record restored, NULL: it is of no interest, or none could be. */
static struct act_record *restore_record(struct checkpoint *c, bool linked)
{
	struct act_record one = {0}, *r;
	enum link link = LINK_NONE;
	uint32_t mark = 0;

	one_record(c, &one);
	if (linked) {
		link = (enum link)archive_u64(&c->a, 0);
		mark = (uint32_t)archive_u64(&c->a, 0);
	}
	if (broken(c) || (c->ip_only && one.pub.family == ACT_UNIX))
		return NULL;
	if (c->ip_only)
		one.pub.id = one.ip_id;
	r = act_record_add(c->n);
	if (!r) {
		c->nomem = true;
		return NULL;
	}
	*r = one;
	restore_link(c, r, link, mark);
	return r;
}

/* ---- sockets ---- */

static const struct archive_field sock_fields[] = {
    ARCHIVE_U(struct act_sock, mark),
    ARCHIVE_B(struct act_sock, stream),
    ARCHIVE_U(struct act_sock, end_ts),
};

/* By their marks, so that equal trackers give equal bytes. */
static void save_sockets(struct checkpoint *c)
{
	const struct map *m = &c->n->socks;
	struct map_slot *all = map_sorted(m);
	size_t n = all ? m->count : 0;

	c->nomem |= m->count && !all;
	archive_count(&c->a, n);
	for (size_t i = 0; i < n; i++)
		ARCHIVE_FIELDS(&c->a, all[i].value, sock_fields);
	free(all);
}

static void restore_sockets(struct checkpoint *c)
{
	uint64_t n = archive_count(&c->a, 0);

	for (uint64_t i = 0; i < n && !broken(c); i++) {
		struct act_sock one = {0}, *s;

		ARCHIVE_FIELDS(&c->a, &one, sock_fields);
		if (!one.mark || act_sock_find(c->n, one.mark)) {
			archive_complain(&c->a, "a socket is there twice");
			return;
		}
		s = act_sock_add(c->n, one.mark);
		if (!s) {
			c->nomem = true;
			return;
		}
		*s = one;
	}
}

/* ---- what is gone ---- */

/* Only what a descriptor leads to can still change. */
static void find_held(struct act_net *n, const struct state *st)
{
	const struct state_thread *t;
	const struct state_fd *fd;
	struct map_slot *slot;
	struct act_sock *s;

	for (size_t at = 0; (slot = map_next(&n->socks, &at));)
		((struct act_sock *)slot->value)->held = false;
	for (size_t at = 0; (t = state_thread_next(st, &at));) {
		if (!state_thread_is_main(t) && state_thread_main(t))
			continue; /* its table is that of its main thread */
		for (size_t i = 0; (fd = state_fd_next(t, &i));) {
			s = act_sock_find(n, fd->mark);
			if (s)
				s->held = true;
		}
	}
}

static bool waits_for_its_port(const struct act_net *n, const struct act_record *r)
{
	for (unsigned i = 0; i < n->portless_count; i++)
		if (n->portless[i] == r)
			return true;
	return false;
}

static void save_gone(struct checkpoint *c)
{
	struct act_net *n = c->n;
	uint64_t count = 0;

	for (size_t i = 0; i < n->count; i++) {
		struct act_record *r = n->list[i];

		r->gone = !(r->sock && r->sock->held) && !waits_for_its_port(n, r);
		count += r->gone;
	}
	archive_count(&c->a, count);
	for (size_t i = 0; i < n->count; i++) {
		struct act_record *r = n->list[i];

		if (!r->gone)
			continue;
		act_record_settle_gone(r);
		one_record(c, r);
	}
}

/* A table must not change while it is walked. */
static void forget_bare_sockets(struct checkpoint *c)
{
	struct act_net *n = c->n;
	struct act_sock **bare = calloc(n->socks.count + 1, sizeof(struct act_sock *)), *s;
	struct map_slot *slot;
	size_t count = 0;

	c->nomem |= !bare;
	for (size_t at = 0; bare && (slot = map_next(&n->socks, &at));) {
		s = slot->value;
		if (!s->held && !s->main && !s->talks)
			bare[count++] = s;
	}
	for (size_t i = 0; i < count; i++)
		act_sock_drop(n, bare[i]);
	free(bare);
}

/* ---- the tracker ---- */

static const struct archive_field net_fields[] = {
    ARCHIVE_U(struct act_net, next_id),	  ARCHIVE_U(struct act_net, next_ip_id),
    ARCHIVE_U(struct act_net, next_mark), ARCHIVE_U(struct act_net, stats.conns),
    ARCHIVE_B(struct act_net, started),
};

static void save_live(struct checkpoint *c)
{
	struct act_net *n = c->n;

	ARCHIVE_FIELDS(&c->a, n, net_fields);
	archive_bytes(&c->a, n->listening, sizeof(n->listening));
	save_sockets(c);
	archive_count(&c->a, n->count);
	for (size_t i = 0; i < n->count; i++) {
		struct act_record *r = n->list[i];

		one_record(c, r);
		archive_u64(&c->a, link_of(r));
		archive_u64(&c->a, r->sock ? r->sock->mark : 0);
	}
	archive_count(&c->a, n->portless_count);
	for (unsigned i = 0; i < n->portless_count; i++)
		archive_u64(&c->a, n->portless[i]->ip_id);
}

int act_net_save(struct act_net *n, const struct state *st, struct buf *live, struct buf *ended,
		 struct error *err)
{
	struct checkpoint c = {.n = n, .a = archive_to(ended)};

	if (n->stats.dropped || n->texts.cut || n->texts.failed)
		return 0;
	find_held(n, st);
	save_gone(&c);
	act_records_forget_gone(n);
	forget_bare_sockets(&c);
	c = (struct checkpoint){.n = n, .a = archive_to(live), .nomem = c.nomem};
	save_live(&c);
	return c.nomem || live->failed || ended->failed ? error_nomem(err) : 1;
}

static void restore_records(struct checkpoint *c, bool linked)
{
	uint64_t n = archive_count(&c->a, 0);

	c->id = c->ip_id = c->ts = c->evt = c->offset = 0;
	for (uint64_t i = 0; i < n && !broken(c); i++)
		(void)restore_record(c, linked);
}

static int by_id(const void *a, const void *b)
{
	const struct act_record *const *x = a, *const *y = b;

	return ((*x)->pub.id > (*y)->pub.id) - ((*x)->pub.id < (*y)->pub.id);
}

static struct act_record *find_number(const struct act_net *n, uint64_t ip_id)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->list[i]->ip_id == ip_id)
			return n->list[i];
	return NULL;
}

static void restore_portless(struct checkpoint *c)
{
	struct act_net *n = c->n;
	uint64_t count = archive_count(&c->a, 0);

	if (count > ACT_PORTLESS_MAX)
		archive_complain(&c->a, "too many listeners wait for their port");
	for (uint64_t i = 0; i < count && !broken(c); i++) {
		struct act_record *r = find_number(n, archive_u64(&c->a, 0));

		if (r)
			n->portless[n->portless_count++] = r;
		else
			archive_complain(&c->a, "a listener is not there");
	}
}

static void restore_live(struct checkpoint *c)
{
	struct act_net *n = c->n;

	ARCHIVE_FIELDS(&c->a, n, net_fields);
	if (c->ip_only)
		n->next_id = n->next_ip_id;
	archive_bytes(&c->a, n->listening, sizeof(n->listening));
	restore_sockets(c);
	restore_records(c, true);
	restore_portless(c);
}

int act_net_restore(const struct act_net_options *opt, struct sv live, const struct sv *ended,
		    size_t ended_count, struct act_net **out, struct error *err)
{
	struct checkpoint c = {.ip_only = !opt->unix_sockets};
	struct act_net *n;
	int rc = act_net_new(opt, &n, err);

	if (rc < 0)
		return rc;
	c.n = n;
	c.a = archive_from(live.p, live.n);
	restore_live(&c);
	for (size_t i = 0; i < ended_count && !broken(&c); i++) {
		c.a = archive_from(ended[i].p, ended[i].n);
		restore_records(&c, false);
	}
	if (n->count)
		qsort(n->list, n->count, sizeof(struct act_record *), by_id);
	if (c.nomem)
		rc = error_nomem(err);
	else if (c.a.trouble)
		rc = error_set(err, ERR_FORMAT, "what is known of sockets: %s", c.a.trouble);
	else if (n->count > n->opt.conns_max)
		rc = error_set(err, ERR_LIMIT, "more than %u sockets", n->opt.conns_max);
	if (rc < 0)
		act_net_free(n);
	else
		*out = n;
	return rc;
}
