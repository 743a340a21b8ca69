/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.*: the ends of IP connections. Client and server are told apart once the socket has connected
 * or accepted; before that only fields about either end have values.
 */
#include "engine/filter/fields.h"

static bool has_role(const struct state_fd *fd)
{
	return fd->flags & (STATE_FD_ROLE_CLIENT | STATE_FD_ROLE_SERVER);
}

static size_t addr_size(const struct state_fd *fd)
{
	return fd->type == EV_FD_IPV4_SOCK || fd->type == EV_FD_IPV4_SERVSOCK ? 4 : 16;
}

/* Is the end called @end the client's? @fd is a socket with both ends. */
static bool is_client_end(struct flt_ctx *cx, const struct state_fd *fd, enum field_end end)
{
	bool local_client;

	if (end == END_CLIENT || end == END_SERVER)
		return end == END_CLIENT;
	local_client = state_addr_is_local(cx->st, flt_thread(cx), fd->sock.sip, addr_size(fd));
	return (end == END_LOCAL) == local_client;
}

bool flt_x_fd_addr(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);
	const uint8_t *addr;

	if (!fd || !has_role(fd))
		return false;
	if (flt_is_ip_socket(fd))
		addr = is_client_end(cx, fd, f->code) ? fd->sock.sip : fd->sock.dip;
	else if (state_fd_is_listener(fd) && f->code == END_SERVER)
		addr = fd->sock.sip;
	else
		return false;
	return flt_yield_text(out, sv_make(addr, addr_size(fd)));
}

bool flt_x_fd_port(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	if (!fd)
		return false;
	if (state_fd_is_listener(fd))
		return f->code == END_SERVER && flt_yield_u64(out, fd->sock.sport);
	if (!flt_is_ip_socket(fd) || !has_role(fd))
		return false;
	return flt_yield_u64(out, is_client_end(cx, fd, f->code) ? fd->sock.sport : fd->sock.dport);
}

bool flt_x_fd_proto(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	if (!fd)
		return false;
	if (f->code == END_SERVER && state_fd_is_listener(fd))
		return flt_yield_text(out, SV_LIT(""));
	if (f->code == END_CLIENT && has_role(fd) && !flt_is_ip_socket(fd))
		return flt_yield_text(out, SV_LIT(""));
	if (!flt_x_fd_port(cx, f, out))
		return false;
	buf_reset(&cx->text);
	buf_u64(&cx->text, out->one.u);
	return flt_yield_built(cx, out);
}

/* Both ends, one for listeners; nothing to print. */
static bool take_ends(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out,
		      const struct state_fd **fd, struct flt_datum **ends)
{
	*fd = f->purpose == FLT_FOR_FILTER ? flt_event_fd(cx) : NULL;
	if (!*fd || (!flt_is_ip_socket(*fd) && !state_fd_is_listener(*fd)))
		return false;
	*ends = arena_zalloc(&cx->scratch, 2, sizeof(**ends));
	out->match = FLT_MATCH_EITHER;
	out->count = state_fd_is_listener(*fd) ? 1 : 2;
	out->items = *ends;
	return *ends != NULL;
}

bool flt_x_fd_ends(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd;
	struct flt_datum *ends;

	if (!take_ends(cx, f, out, &fd, &ends))
		return false;
	ends[0].p = (const char *)fd->sock.sip;
	ends[1].p = (const char *)fd->sock.dip;
	ends[0].n = ends[1].n = addr_size(fd);
	return true;
}

bool flt_x_fd_ports(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd;
	struct flt_datum *ends;

	if (!take_ends(cx, f, out, &fd, &ends))
		return false;
	ends[0].u = fd->sock.sport;
	ends[1].u = fd->sock.dport;
	return true;
}

bool flt_x_fd_l4proto(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	static const char *const words[] = {
	    [EV_L4_TCP] = "tcp", [EV_L4_UDP] = "udp", [EV_L4_ICMP] = "icmp", [EV_L4_RAW] = "raw"};
	const struct state_fd *fd = flt_event_fd(cx);
	enum ev_l4proto l4;

	(void)f;
	if (!fd)
		return false;
	l4 = state_fd_l4proto(fd);
	if ((size_t)l4 >= COUNT_OF(words) || !words[l4])
		return flt_yield_text(out, SV_LIT("<NA>"));
	return flt_yield_text(out, sv_of(words[l4]));
}

bool flt_x_fd_sockfamily(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	(void)f;
	if (!fd)
		return false;
	if (flt_is_ip_socket(fd) || state_fd_is_listener(fd))
		return flt_yield_text(out, SV_LIT("ip"));
	return fd->type == EV_FD_UNIX_SOCK && flt_yield_text(out, SV_LIT("unix"));
}

bool flt_x_fd_is_server(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);
	bool server;

	(void)f;
	if (!fd)
		return false;
	server = state_fd_is_listener(fd) ||
		 (flt_is_ip_socket(fd) &&
		  state_addr_is_local(cx->st, flt_thread(cx), fd->sock.dip, addr_size(fd)));
	return flt_yield_u64(out, server);
}

bool flt_x_fd_connected(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	(void)f;
	return fd && flt_yield_u64(out, (fd->flags & STATE_FD_CONNECTED) != 0);
}
