/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses: decoding them, writing them as text, and the interfaces behind unspecified
 * ones. */
#include "engine/state/internal.h"

#include <string.h>

/* --- decoding --- */

/* IPv4 in disguise. "::" counts, as 0.0.0.0; "::1" does not. */
bool state_addr_is_mapped(const uint8_t ip[16])
{
	static const uint8_t zero[16];

	if (memcmp(ip, zero, 10) != 0)
		return false;
	return (ip[10] == 0xff && ip[11] == 0xff) || memcmp(ip + 10, zero, 6) == 0;
}

static void unmap(uint8_t ip[16])
{
	memmove(ip, ip + 12, 4);
	memset(ip + 4, 0, 12);
}

/* The path of a unix address: it must end in its NUL. */
static bool read_path(struct state_addr *a, const uint8_t *p, uint32_t n)
{
	if (n == 0 || p[n - 1] != '\0')
		return false;
	a->path = sv_make(p, strnlen((const char *)p, n));
	return true;
}

struct state_addr state_addr_decode(struct ev_value v)
{
	struct state_addr a = {0};

	if (v.n == 0)
		return a;
	a.family = v.p[0];
	a.valid = true;
	if (a.family == STATE_AF_INET) {
		a.valid = v.n >= 7;
		if (a.valid) {
			memcpy(a.sock.sip, v.p + 1, 4);
			a.sock.sport = load_u16(v.p + 5);
		}
	} else if (a.family == STATE_AF_INET6) {
		a.valid = v.n >= 19;
		if (a.valid) {
			memcpy(a.sock.sip, v.p + 1, 16);
			a.sock.sport = load_u16(v.p + 17);
			a.mapped = state_addr_is_mapped(a.sock.sip);
		}
	} else if (a.family == STATE_AF_UNIX) {
		a.valid = read_path(&a, v.p + 1, v.n - 1);
	}
	if (a.mapped)
		unmap(a.sock.sip);
	return a;
}

static void read_tuple4(struct state_addr *a, const uint8_t *p)
{
	memcpy(a->sock.sip, p + 1, 4);
	a->sock.sport = load_u16(p + 5);
	memcpy(a->sock.dip, p + 7, 4);
	a->sock.dport = load_u16(p + 11);
}

static void read_tuple6(struct state_addr *a, const uint8_t *p)
{
	memcpy(a->sock.sip, p + 1, 16);
	a->sock.sport = load_u16(p + 17);
	memcpy(a->sock.dip, p + 19, 16);
	a->sock.dport = load_u16(p + 35);
	a->mapped = state_addr_is_mapped(a->sock.sip) && state_addr_is_mapped(a->sock.dip);
	if (a->mapped) {
		unmap(a->sock.sip);
		unmap(a->sock.dip);
	}
}

struct state_addr state_tuple_decode(struct ev_value v)
{
	struct state_addr a = {0};

	if (v.n == 0)
		return a;
	a.family = v.p[0];
	a.valid = true;
	if (a.family == STATE_AF_INET) {
		a.valid = v.n >= 13;
		if (a.valid)
			read_tuple4(&a, v.p);
	} else if (a.family == STATE_AF_INET6) {
		a.valid = v.n >= 37;
		if (a.valid)
			read_tuple6(&a, v.p);
	} else if (a.family == STATE_AF_UNIX) {
		a.valid = v.n >= 18 && read_path(&a, v.p + 17, v.n - 17);
		if (a.valid) {
			a.source = load_u64(v.p + 1);
			a.dest = load_u64(v.p + 9);
		}
	}
	return a;
}

/* --- text --- */

#define IP6_WORDS 8
#define HEX	  "0123456789abcdef"

static void add_ip4(struct buf *b, const uint8_t *ip)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			buf_char(b, '.');
		buf_u64(b, ip[i]);
	}
}

static unsigned word_of(const uint8_t *ip6, unsigned i)
{
	return (unsigned)ip6[2 * i] << 8 | ip6[2 * i + 1];
}

/* The longest run of zeros, the first of those that are alike. Return: how many, from @first. */
static unsigned longest_zeros(const uint8_t *ip6, unsigned *first)
{
	unsigned longest = 0;

	*first = IP6_WORDS;
	for (unsigned i = 0, n = 0; i < IP6_WORDS; i++) {
		n = word_of(ip6, i) ? 0 : n + 1;
		if (n > longest) {
			longest = n;
			*first = i + 1 - n;
		}
	}
	return longest;
}

static void add_word(struct buf *b, unsigned word)
{
	unsigned shift = word > 0xfff ? 12 : word > 0xff ? 8 : word > 0xf ? 4 : 0;

	buf_char(b, HEX[word >> shift]);
	while (shift) {
		shift -= 4;
		buf_char(b, HEX[word >> shift & 0xf]);
	}
}

/* As inet_ntop(), which goes through sprintf() for each number. */
static void add_ip6(struct buf *b, const uint8_t *ip)
{
	unsigned first, zeros = longest_zeros(ip, &first);
	bool ip4 = first == 0 && (zeros == 6 || (zeros == 5 && word_of(ip, 5) == 0xffff));

	for (unsigned i = 0; i < IP6_WORDS; i++) {
		if (i || (zeros > 1 && first == 0))
			buf_char(b, ':');
		if (zeros > 1 && i == first) {
			i += zeros - 1;
			if (i == IP6_WORDS - 1)
				buf_char(b, ':');
		} else if (ip4 && i == 6) {
			add_ip4(b, ip + 12);
			return;
		} else {
			add_word(b, word_of(ip, i));
		}
	}
}

static void add_ip(struct buf *b, const uint8_t *ip, bool ipv6)
{
	(ipv6 ? add_ip6 : add_ip4)(b, ip);
}

void state_endpoint_text(struct buf *b, const uint8_t *ip, bool ipv6, uint16_t port)
{
	add_ip(b, ip, ipv6);
	buf_char(b, ':');
	buf_u64(b, port);
}

void state_unix_text(struct buf *b, const struct state_addr *a)
{
	buf_addf(b, "%llx->%llx ", (unsigned long long)a->source, (unsigned long long)a->dest);
	buf_sv(b, a->path);
}

static void add_family(struct buf *b, uint8_t family)
{
	buf_lit(b, "family ");
	buf_u64(b, family);
}

void state_net_text(struct buf *b, const struct state_fd *fd)
{
	const struct state_sock *s = &fd->sock;
	bool ipv6 = fd->type == EV_FD_IPV6_SOCK;
	uint8_t mapped[2][16];
	const uint8_t *sip = s->sip, *dip = s->dip;

	if (ipv6 && state_addr_is_mapped(sip) && state_addr_is_mapped(dip)) {
		memcpy(mapped[0], sip, 16);
		memcpy(mapped[1], dip, 16);
		unmap(mapped[0]);
		unmap(mapped[1]);
		sip = mapped[0];
		dip = mapped[1];
		ipv6 = false;
	}
	if (s->l4proto == EV_L4_TCP || s->l4proto == EV_L4_UDP) {
		state_endpoint_text(b, sip, ipv6, s->sport);
		buf_lit(b, "->");
		state_endpoint_text(b, dip, ipv6, s->dport);
	} else if (s->l4proto == EV_L4_ICMP ||
		   (s->l4proto == EV_L4_RAW && fd->type == EV_FD_IPV4_SOCK)) {
		add_ip(b, sip, ipv6);
		buf_lit(b, "->");
		add_ip(b, dip, ipv6);
	} else {
		buf_lit(b, "<unknown>");
	}
}

void state_addr_render(struct buf *b, struct ev_value v)
{
	struct state_addr a = state_addr_decode(v);

	if (!a.valid)
		buf_lit(b, "<NA>");
	else if (a.family == STATE_AF_INET || a.family == STATE_AF_INET6)
		state_endpoint_text(b, a.sock.sip, a.family == STATE_AF_INET6 && !a.mapped,
				    a.sock.sport);
	else if (a.family == STATE_AF_UNIX)
		buf_sv(b, a.path);
	else
		add_family(b, a.family);
}

void state_tuple_render(struct buf *b, struct ev_value v)
{
	struct state_addr a = state_tuple_decode(v);
	bool ipv6 = a.family == STATE_AF_INET6 && !a.mapped;

	if (!a.valid) {
		buf_lit(b, "NULL");
	} else if (a.family == STATE_AF_INET || a.family == STATE_AF_INET6) {
		state_endpoint_text(b, a.sock.sip, ipv6, a.sock.sport);
		buf_lit(b, "->");
		state_endpoint_text(b, a.sock.dip, ipv6, a.sock.dport);
	} else if (a.family == STATE_AF_UNIX) {
		state_unix_text(b, &a);
	} else {
		add_family(b, a.family);
	}
}

/* --- interfaces --- */

void state_net_swap(struct state_fd *fd)
{
	struct state_sock *s = &fd->sock;
	uint16_t port = s->sport;
	uint8_t ip[16];

	memcpy(ip, s->sip, 16);
	memcpy(s->sip, s->dip, 16);
	memcpy(s->dip, ip, 16);
	s->sport = s->dport;
	s->dport = port;
}

void state_interface_add_take(struct state *st, struct state_interfaces *list,
			      const struct state_interface *one)
{
	if (list->count == list->cap) {
		uint32_t cap = list->cap ? list->cap * 2 : 8;
		struct state_interface *new;

		new =
		    cap <= STATE_INTERFACES_MAX ? pool_alloc(&st->pool, cap * sizeof(*new)) : NULL;
		st->nomem |= !new &&cap <= STATE_INTERFACES_MAX;
		if (!new) {
			state_str_unref(st, one->name);
			return;
		}
		if (list->count)
			memcpy(new, list->list, list->count * sizeof(*new));
		if (list->cap)
			pool_release(&st->pool, list->list, list->cap * sizeof(*new));
		list->list = new;
		list->cap = cap;
	}
	list->list[list->count++] = *one;
}

void state_interfaces_clear(struct state *st)
{
	struct state_interfaces *lists[] = {&st->ipv4, &st->ipv6};

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		for (uint32_t k = 0; k < lists[i]->count; k++)
			state_str_unref(st, lists[i]->list[k].name);
		lists[i]->count = 0;
	}
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

static bool same_subnet4(const struct state_interface *i, const uint8_t *ip)
{
	for (int k = 0; k < 4; k++)
		if ((i->addr[k] & i->netmask[k]) != (ip[k] & i->netmask[k]))
			return false;
	return true;
}

static bool is_loopback(const struct state_interface *i, bool ipv6)
{
	return ipv6 ? is_zero(i->addr, 15) && i->addr[15] == 1 : i->addr[0] == 127;
}

static bool same_subnet(const struct state_interface *i, const uint8_t *ip, bool ipv6)
{
	return ipv6 ? memcmp(i->addr, ip, 8) == 0 : same_subnet4(i, ip);
}

/* The local address a packet to @peer most likely has: its own, one of its subnet, any but
 * loopback. */
static const uint8_t *infer(const struct state *st, const uint8_t *peer, bool ipv6)
{
	static const uint8_t unspecified[16];
	const struct state_interfaces *list = ipv6 ? &st->ipv6 : &st->ipv4;
	size_t n = ipv6 ? 16 : 4;

	for (uint32_t i = 0; i < list->count; i++)
		if (memcmp(list->list[i].addr, peer, n) == 0)
			return list->list[i].addr;
	for (uint32_t i = 0; i < list->count; i++)
		if (same_subnet(&list->list[i], peer, ipv6))
			return list->list[i].addr;
	for (uint32_t i = 0; i < list->count; i++)
		if (!is_loopback(&list->list[i], ipv6))
			return list->list[i].addr;
	return unspecified;
}

void state_net_patch(const struct state *st, struct state_fd *fd)
{
	struct state_sock *s = &fd->sock;
	bool ipv6 = fd->type == EV_FD_IPV6_SOCK;
	size_t n = ipv6 ? 16 : 4;
	const uint8_t *peer, *found;
	uint8_t *own;

	if (is_zero(s->sip, n)) {
		own = s->sip;
		peer = s->dip;
	} else if (is_zero(s->dip, n)) {
		own = s->dip;
		peer = s->sip;
	} else {
		return;
	}
	found = infer(st, peer, ipv6);
	/* A socket is not connected to itself. */
	if (memcmp(found, peer, n) != 0 || s->sport != s->dport)
		memcpy(own, found, n);
}

static bool is_interface(const struct state *st, const uint8_t *addr)
{
	for (uint32_t i = 0; i < st->ipv4.count; i++)
		if (memcmp(st->ipv4.list[i].addr, addr, 4) == 0)
			return true;
	return false;
}

static bool is_local4(const struct state *st, const struct state_thread *t, const uint8_t *addr)
{
	const struct state_container_rec *c;

	if (!t || !t->container_id)
		return is_interface(st, addr);
	c = state_container_rec_find(st, state_sv(t->container_id));
	if (!c || !c->has_ip4)
		return state_container_has_ip(st, addr);
	return memcmp(c->ip4, addr, 4) == 0 || is_interface(st, addr);
}

bool state_addr_is_local(const struct state *st, const struct state_thread *t, const uint8_t *addr,
			 size_t n)
{
	if (n == 4)
		return is_local4(st, t, addr);
	if (n != 16 || (t && t->container_id))
		return false;
	for (uint32_t i = 0; i < st->ipv6.count; i++)
		if (memcmp(st->ipv6.list[i].addr, addr, 8) == 0)
			return true;
	return false;
}
