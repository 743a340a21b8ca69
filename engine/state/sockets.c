/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: how calls fill in their addresses and roles. Outbound events (connect, send) name the
 * local end first, inbound ones (accept, recv) the remote end; records keep the client's end first.
 */
#include "engine/state/task.h"

#include <string.h>

static bool is_ip(const struct state_fd *fd)
{
	return fd->type == EV_FD_IPV4_SOCK || fd->type == EV_FD_IPV6_SOCK;
}

static bool has_role(const struct state_fd *fd)
{
	return fd->flags & (STATE_FD_ROLE_CLIENT | STATE_FD_ROLE_SERVER);
}

static void set_name_of_tuple(struct state_event *e, struct state_fd *fd)
{
	buf_reset(&e->st->scratch);
	state_net_text(&e->st->scratch, fd);
	state_fd_set_name(e->st, fd, buf_view(&e->st->scratch));
}

static void set_name_of_param(struct state_event *e, struct state_fd *fd, unsigned i, bool tuple)
{
	buf_reset(&e->st->scratch);
	if (tuple)
		state_tuple_render(&e->st->scratch, ev_param(e->ev, i));
	else
		state_addr_render(&e->st->scratch, ev_param(e->ev, i));
	state_fd_set_name(e->st, fd, buf_view(&e->st->scratch));
}

/* --- creating --- */

static uint8_t protocol_of(uint32_t type, uint32_t proto)
{
	enum { RAW_TYPE = 3 };

	switch (proto) {
	case 6:
		return type == RAW_TYPE ? EV_L4_RAW : EV_L4_TCP;
	case 17:
		return type == RAW_TYPE ? EV_L4_RAW : EV_L4_UDP;
	case 1:
		return type == RAW_TYPE ? EV_L4_RAW : EV_L4_ICMP;
	case 0:
		return (type & 0xff) == 1   ? EV_L4_TCP
		       : (type & 0xff) == 2 ? EV_L4_UDP
					    : EV_L4_UNKNOWN;
	case 255:
		return EV_L4_RAW;
	default:
		return EV_L4_UNKNOWN;
	}
}

static struct state_fd *add_socket(struct state_event *e, int64_t num, uint32_t domain,
				   uint8_t l4proto, uint32_t openflags)
{
	struct state_fd fd = {.type = EV_FD_UNKNOWN, .openflags = openflags};

	if (domain == STATE_AF_UNIX)
		fd.type = EV_FD_UNIX_SOCK;
	else if (domain == STATE_AF_INET)
		fd.type = EV_FD_IPV4_SOCK;
	else if (domain == STATE_AF_INET6)
		fd.type = EV_FD_IPV6_SOCK;
	else if (domain == STATE_AF_NETLINK)
		fd.type = EV_FD_NETLINK;
	if (is_ip(&fd))
		fd.sock.l4proto = l4proto;
	return state_fd_add_take(e, num, &fd);
}

void state_on_socket(struct state_event *e)
{
	uint32_t domain, type, proto, flags;

	if (!e->t || e->ret < 0 || !state_need_u32(e, 1, &domain) || !state_need_u32(e, 2, &type) ||
	    !state_need_u32(e, 3, &proto) || !state_need_u32(e, 4, &flags))
		return;
	add_socket(e, e->ret, domain, protocol_of(type, proto), flags);
}

void state_on_socketpair(struct state_event *e)
{
	struct state_fd *first;
	int64_t num[2];
	uint64_t ends[2];

	if (!e->t || e->ret < 0 || !state_need_i64(e, 1, &num[0]) ||
	    !state_need_i64(e, 2, &num[1]) || !state_need_u64(e, 3, &ends[0]) ||
	    !state_need_u64(e, 4, &ends[1]))
		return;
	e->fd = NULL;
	if (num[0] == num[1])
		return;
	for (int i = 0; i < 2; i++) {
		struct state_fd fd = {
		    .type = EV_FD_UNIX_SOCK,
		    .un = {.source = ends[0], .dest = ends[1]},
		};

		if (i == 0)
			first = state_fd_add_take(e, num[i], &fd);
		else
			state_fd_add_take(e, num[i], &fd);
	}
	e->fd = first;
}

/* --- bind, connect, accept --- */

void state_on_bind(struct state_event *e)
{
	struct state_addr a = state_addr_decode(ev_param(e->ev, 1));
	struct state_fd *fd = e->fd;

	if (!e->t || !fd || e->ret < 0 || !a.valid)
		return;
	if ((a.family == STATE_AF_INET || a.family == STATE_AF_INET6) && a.sock.sport) {
		uint8_t l4proto = fd->type == EV_FD_UNIX_SOCK ? EV_L4_UNKNOWN : fd->sock.l4proto;

		fd->type = a.family == STATE_AF_INET || a.mapped ? EV_FD_IPV4_SERVSOCK
								 : EV_FD_IPV6_SERVSOCK;
		fd->sock = a.sock;
		fd->sock.l4proto = l4proto;
		fd->flags |= STATE_FD_ROLE_SERVER;
	}
	set_name_of_param(e, fd, 1, false);
}

static bool is_zero(const uint8_t *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip, zero, 16) == 0;
}

/*
 * Store a tuple; a known destination stays unless @force_dest. Return: whether the record changed.
 * The same tuple, or the same one seen from the other end, is no change.
 */
static bool set_tuple(struct state_fd *fd, const struct state_sock *t, bool force_dest)
{
	struct state_sock *s = &fd->sock;

	if (memcmp(s->sip, t->sip, 16) == 0 && memcmp(s->dip, t->dip, 16) == 0 &&
	    s->sport == t->sport && s->dport == t->dport)
		return false;
	if (memcmp(s->sip, t->dip, 16) == 0 && memcmp(s->dip, t->sip, 16) == 0 &&
	    s->sport == t->dport && s->dport == t->sport)
		return false;
	memcpy(s->sip, t->sip, 16);
	s->sport = t->sport;
	if (force_dest || is_zero(s->dip))
		memcpy(s->dip, t->dip, 16);
	if (force_dest || s->dport == 0)
		s->dport = t->dport;
	return true;
}

/* A socket address where another kind of information was: only the protocol carries over. */
static void become_ip(struct state_fd *fd, enum ev_fd_type type)
{
	uint8_t l4proto = EV_L4_UNKNOWN;

	if (fd->type == (int8_t)type)
		return;
	if (is_ip(fd) || state_fd_is_listener(fd))
		l4proto = fd->sock.l4proto;
	fd->sock = (struct state_sock){.l4proto = l4proto};
	fd->type = (int8_t)type;
}

static enum ev_fd_type ip_type(const struct state_addr *a)
{
	return a->family == STATE_AF_INET || a->mapped ? EV_FD_IPV4_SOCK : EV_FD_IPV6_SOCK;
}

static bool same_endpoint(const struct state_addr *addr, const struct state_addr *tuple)
{
	struct sv path = tuple->path;

	if (addr->family != tuple->family)
		return false;
	if (addr->family == STATE_AF_UNIX) {
		if (path.n > 108)
			path.n = 108;
		return sv_eq(addr->path, path);
	}
	return addr->mapped == tuple->mapped && addr->sock.sport == tuple->sock.dport &&
	       memcmp(addr->sock.sip, tuple->sock.dip, 16) == 0;
}

/* The tuple of a connect with the destination its enter event saw, where the two agree otherwise.
 */
static void prefer_entered(struct state_addr *tuple, const struct state_addr *enter,
			   const struct state_addr *exit)
{
	if (!enter->valid || !exit->valid || !same_endpoint(exit, tuple) ||
	    enter->family != tuple->family)
		return;
	if (tuple->family == STATE_AF_UNIX) {
		tuple->path = enter->path;
	} else if (enter->mapped == tuple->mapped) {
		memcpy(tuple->sock.dip, enter->sock.sip, 16);
		tuple->sock.dport = enter->sock.sport;
	}
}

/* No tuple was recorded: the destination alone is kept. */
static void connect_without_tuple(struct state_event *e, const struct state_addr *enter)
{
	struct state_fd *fd = e->fd;

	if (!enter->valid)
		return;
	if (enter->family != STATE_AF_INET && enter->family != STATE_AF_INET6) {
		set_name_of_param(e, fd, 1, true);
		return;
	}
	become_ip(fd, ip_type(enter));
	memcpy(fd->sock.dip, enter->sock.sip, 16);
	fd->sock.dport = enter->sock.sport;
}

/* Return: whether the address family is one whose role is to be set. */
static bool connect_to(struct state_event *e, const struct state_addr *tuple)
{
	struct state_fd *fd = e->fd;
	bool changed;

	if (tuple->family == STATE_AF_UNIX) {
		if (fd->type != EV_FD_UNIX_SOCK)
			return false;
		fd->un.source = tuple->source;
		fd->un.dest = tuple->dest;
		buf_reset(&e->st->scratch);
		state_unix_text(&e->st->scratch, tuple);
		state_fd_set_name(e->st, fd, buf_view(&e->st->scratch));
		return true;
	}
	if (tuple->family != STATE_AF_INET && tuple->family != STATE_AF_INET6)
		return true;
	become_ip(fd, ip_type(tuple));
	changed = set_tuple(fd, &tuple->sock, true);
	if (changed && (fd->flags & STATE_FD_ROLE_SERVER) && fd->type == EV_FD_IPV4_SOCK &&
	    fd->sock.l4proto == EV_L4_UDP)
		state_net_swap(fd);
	set_name_of_tuple(e, fd);
	return true;
}

void state_on_connect_enter(struct state_event *e)
{
	struct ev_value v = ev_param(e->ev, 1);

	state_store_enter(e, sv_make(v.p, v.n), EV_FD_CWD, 0);
}

void state_on_connect(struct state_event *e)
{
	const struct state_stored *stored = state_retrieve_enter(e);
	struct state_addr tuple = state_tuple_decode(ev_param(e->ev, 1));
	struct state_addr exit = state_addr_decode(ev_param(e->ev, 3));
	struct state_addr enter = {0};

	if (!e->t || !e->fd || (e->ret < 0 && e->ret != -STATE_EINPROGRESS))
		return;
	state_fd_set_status(e->fd, STATE_FD_CONNECTED);
	if (stored)
		enter = state_addr_decode(
		    (struct ev_value){(const uint8_t *)stored->text, stored->len});
	if (ev_param(e->ev, 1).n == 0) {
		connect_without_tuple(e, &enter);
		return;
	}
	if (!tuple.valid)
		return;
	prefer_entered(&tuple, &enter, &exit);
	if (connect_to(e, &tuple) && !has_role(e->fd))
		e->fd->flags |= STATE_FD_ROLE_CLIENT;
}

static void accept_on(struct state_event *e, uint32_t openflags)
{
	struct state_addr a = state_tuple_decode(ev_param(e->ev, 1));
	struct state_fd fd = {
	    .openflags = openflags,
	    .flags = STATE_FD_ROLE_SERVER | STATE_FD_CONNECTED,
	};

	e->t->lastevent_fd = e->ret;
	if (!a.valid)
		return;
	if (a.family == STATE_AF_INET || a.family == STATE_AF_INET6) {
		fd.type = (int8_t)ip_type(&a);
		fd.sock = a.sock;
		fd.sock.l4proto = EV_L4_TCP;
	} else if (a.family == STATE_AF_UNIX) {
		fd.type = EV_FD_UNIX_SOCK;
		fd.un.source = a.source;
		fd.un.dest = a.dest;
	} else {
		return;
	}
	set_name_of_param(e, &fd, 1, true);
	state_fd_add_take(e, e->ret, &fd);
}

void state_on_accept(struct state_event *e)
{
	if (e->t && e->ret >= 0)
		accept_on(e, 0);
}

void state_on_accept4(struct state_event *e)
{
	uint32_t flags = 0;

	if (!e->t || e->ret < 0)
		return;
	state_opt_u32(e, 5, &flags);
	if (!e->malformed)
		accept_on(e, flags & STATE_O_CLOEXEC);
}

/* --- reading and writing --- */

static bool port_is_bound(const struct state_thread *t, uint16_t port)
{
	const struct state_fd *fd;

	for (size_t at = 0; (fd = state_fd_next(t, &at));)
		if ((fd->type == EV_FD_IPV4_SOCK && fd->sock.dport == port) ||
		    (fd->type == EV_FD_IPV4_SERVSOCK && fd->sock.sport == port))
			return true;
	return false;
}

static bool port_is_used(const struct state_thread *t, uint16_t port)
{
	const struct state_fd *fd;

	for (size_t at = 0; (fd = state_fd_next(t, &at));)
		if (fd->type == EV_FD_IPV4_SOCK && fd->sock.sport == port)
			return true;
	return false;
}

/*
 * Which side is this? IPv6 sockets are judged by the ports an IPv4 record would have in the same
 * bytes, as the reference does.
 */
static uint32_t guess_role(const struct state_event *e, const struct state_fd *fd, bool incoming)
{
	bool ipv6 = fd->type == EV_FD_IPV6_SOCK;
	uint16_t sport = ipv6 ? load_u16(fd->sock.sip + 8) : fd->sock.sport;
	uint16_t dport = ipv6 ? load_u16(fd->sock.sip + 10) : fd->sock.dport;

	if (!port_is_bound(e->t, dport))
		return STATE_FD_ROLE_CLIENT;
	if (!port_is_used(e->t, sport))
		return STATE_FD_ROLE_SERVER;
	return incoming ? STATE_FD_ROLE_SERVER : STATE_FD_ROLE_CLIENT;
}

static void settle_type(struct state_event *e, struct state_fd *fd)
{
	if (fd->sock.l4proto == EV_L4_UNKNOWN)
		fd->sock.l4proto = EV_L4_UDP;
	state_net_patch(e->st, fd);
}

/* Return: whether the name is to be made anew. */
static bool update_tuple(struct state_event *e, struct state_fd *fd, const struct state_addr *a)
{
	if (a->family == STATE_AF_UNIX) {
		fd->type = EV_FD_UNIX_SOCK;
		fd->un.source = a->source;
		fd->un.dest = a->dest;
		return true;
	}
	if (a->family != STATE_AF_INET && a->family != STATE_AF_INET6)
		return true;
	if (ip_type(a) == EV_FD_IPV4_SOCK) {
		become_ip(fd, EV_FD_IPV4_SOCK);
		if (!set_tuple(fd, &a->sock, false))
			return false;
	} else if (fd->type == EV_FD_IPV6_SOCK) {
		if (!set_tuple(fd, &a->sock, false))
			return false;
	} else {
		/* A bound IPv6 socket keeps its address; only its name follows the packet. */
		return true;
	}
	settle_type(e, fd);
	return true;
}

/* @incoming: the tuple names the remote end first. */
static void transfer_tuple(struct state_event *e, unsigned i, bool incoming)
{
	const uint32_t wrong = incoming ? STATE_FD_ROLE_CLIENT : STATE_FD_ROLE_SERVER;
	struct state_fd *fd = e->fd;
	struct state_addr a;

	/* An IPv4 TCP connection does not change its ends. */
	if (fd->name && fd->type == EV_FD_IPV4_SOCK && fd->sock.l4proto == EV_L4_TCP)
		return;
	a = state_tuple_decode(ev_param(e->ev, i));
	if (!a.valid || !update_tuple(e, fd, &a))
		return;
	if (!is_ip(fd)) {
		set_name_of_param(e, fd, i, true);
		return;
	}
	if (!has_role(fd))
		fd->flags |= guess_role(e, fd, incoming);
	if (fd->flags & wrong)
		state_net_swap(fd);
	set_name_of_tuple(e, fd);
}

static bool transfer_begins(struct state_event *e)
{
	if (!e->fd || e->ret < 0)
		return false;
	if (is_ip(e->fd))
		state_fd_set_status(e->fd, STATE_FD_CONNECTED);
	return true;
}

void state_on_transfer(struct state_event *e)
{
	transfer_begins(e);
}

void state_on_recv(struct state_event *e)
{
	if (transfer_begins(e))
		transfer_tuple(e, 4, true);
}

void state_on_recvfrom(struct state_event *e)
{
	if (transfer_begins(e))
		transfer_tuple(e, 2, true);
}

void state_on_recvmsg(struct state_event *e)
{
	if (transfer_begins(e))
		transfer_tuple(e, 3, true);
}

void state_on_sendmmsg(struct state_event *e)
{
	if (transfer_begins(e))
		transfer_tuple(e, 4, false);
}

/* Sending on a descriptor nobody saw created: it must be a datagram socket. */
static void invent_socket(struct state_event *e)
{
	struct ev_value tuple = ev_param(e->ev, 4);
	int64_t num;

	if (tuple.n == 0 || (tuple.p[0] != STATE_AF_INET && tuple.p[0] != STATE_AF_INET6))
		return;
	if (state_opt_i64(e, 2, &num))
		add_socket(e, num, tuple.p[0], EV_L4_UDP, 0);
}

void state_on_send(struct state_event *e)
{
	if (!e->fd && e->t && e->ret >= 0)
		invent_socket(e);
	state_on_sendmmsg(e);
}
