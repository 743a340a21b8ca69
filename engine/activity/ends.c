/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/ends.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/buf.h"

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10 };

/* IPv4 in disguise is shown as IPv4, as the state does. "::" stays what it is. */
static bool is_mapped(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

static void read_end(struct act_end *e, const uint8_t *p, size_t addr_len)
{
	memcpy(e->ip, p, addr_len);
	e->port = load_u16(p + addr_len);
	e->known = true;
}

static void unmap(struct act_end *e)
{
	memmove(e->ip, e->ip + 12, 4);
	memset(e->ip + 4, 0, 12);
}

static struct sv read_path(const uint8_t *p, size_t n)
{
	return sv_make(p, strnlen((const char *)p, n));
}

bool act_addr_decode(struct ev_value v, struct act_ends *out)
{
	*out = (struct act_ends){0};
	if (v.n == 0)
		return false;
	if (v.p[0] == FAMILY_INET && v.n >= 7) {
		out->family = ACT_IPV4;
		read_end(&out->first, v.p + 1, 4);
	} else if (v.p[0] == FAMILY_INET6 && v.n >= 19) {
		out->family = ACT_IPV6;
		read_end(&out->first, v.p + 1, 16);
		if (is_mapped(out->first.ip)) {
			out->family = ACT_IPV4;
			unmap(&out->first);
		}
	} else if (v.p[0] == FAMILY_UNIX) {
		out->family = ACT_UNIX;
		out->path = read_path(v.p + 1, v.n - 1);
	} else {
		return false;
	}
	return true;
}

bool act_tuple_decode(struct ev_value v, struct act_ends *out)
{
	*out = (struct act_ends){0};
	if (v.n == 0)
		return false;
	if (v.p[0] == FAMILY_INET && v.n >= 13) {
		out->family = ACT_IPV4;
		read_end(&out->first, v.p + 1, 4);
		read_end(&out->second, v.p + 7, 4);
	} else if (v.p[0] == FAMILY_INET6 && v.n >= 37) {
		out->family = ACT_IPV6;
		read_end(&out->first, v.p + 1, 16);
		read_end(&out->second, v.p + 19, 16);
		if (is_mapped(out->first.ip) && is_mapped(out->second.ip)) {
			out->family = ACT_IPV4;
			unmap(&out->first);
			unmap(&out->second);
		}
	} else if (v.p[0] == FAMILY_UNIX && v.n >= 17) {
		out->family = ACT_UNIX;
		out->source = load_u64(v.p + 1);
		out->dest = load_u64(v.p + 9);
		out->path = read_path(v.p + 17, v.n - 17);
	} else {
		return false;
	}
	return true;
}

static void copy_end(struct act_end *e, const uint8_t ip[16], uint16_t port)
{
	static const uint8_t zero[16];

	memcpy(e->ip, ip, 16);
	e->port = port;
	e->known = port || memcmp(ip, zero, 16) != 0;
}

bool act_ends_of_fd(const struct state_fd *fd, struct act_ends *out)
{
	*out = (struct act_ends){0};
	switch (fd->type) {
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV4_SERVSOCK:
		out->family = ACT_IPV4;
		break;
	case EV_FD_IPV6_SOCK:
	case EV_FD_IPV6_SERVSOCK:
		out->family = ACT_IPV6;
		break;
	case EV_FD_UNIX_SOCK:
		out->family = ACT_UNIX;
		out->source = fd->un.source;
		out->dest = fd->un.dest;
		return true;
	default:
		return false;
	}
	copy_end(&out->first, fd->sock.sip, fd->sock.sport);
	if (state_fd_is_listener(fd))
		out->first.known = true; /* any address is an address */
	else
		copy_end(&out->second, fd->sock.dip, fd->sock.dport);
	return true;
}

void act_ip_text(struct buf *out, enum act_family family, const struct act_end *e)
{
	char text[INET6_ADDRSTRLEN];

	if (e->known &&
	    inet_ntop(family == ACT_IPV4 ? AF_INET : AF_INET6, e->ip, text, sizeof(text)))
		buf_str(out, text);
}

void act_end_text(struct buf *out, enum act_family family, const struct act_end *e)
{
	static const uint8_t any[16];
	bool brackets = family == ACT_IPV6;

	if (!e->known) {
		buf_char(out, '?');
		return;
	}
	if (memcmp(e->ip, any, 16) == 0) {
		buf_char(out, '*');
	} else {
		buf_str(out, brackets ? "[" : "");
		act_ip_text(out, family, e);
		buf_str(out, brackets ? "]" : "");
	}
	buf_char(out, ':');
	if (e->port)
		buf_u64(out, e->port);
	else
		buf_char(out, '*');
}
