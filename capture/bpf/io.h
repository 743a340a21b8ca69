/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes a call moved: how many of them are kept, and where they are when the caller passed
 * vectors or messages. Facts: live capture specification, "How much data of a read/write is kept".
 */
#ifndef CAPTURE_BPF_IO_H
#define CAPTURE_BPF_IO_H

#include "capture/bpf/socket.h"

#define SNAPLEN_PROTOCOL   2000
#define SNAPLEN_FULL_PORTS 16000
#define SNAPLEN_DNS	   512
#define PORT_DNS	   53
#define PORT_MYSQL	   3306
#define PORT_POSTGRES	   5432
#define PORT_MONGO	   27017
#define PEEK		   16	/* bytes that tell a protocol */
#define VECTOR_MAX	   32	/* segments looked at */
#define MESSAGES_MAX	   1024 /* of one call: the kernel's own limit */
#define MESSAGES_STEP	   32
#define CONTROL_MAX	   65535

/* Set before load: what is off costs nothing. */
const volatile __u32 cfg_dynamic_snaplen;
const volatile __u16 cfg_full_ports[2]; /* first and last; 0, 0: none */
const volatile __u16 cfg_statsd_port = 8125;

struct vector { /* of one call, in user layout; one per CPU */
	union {
		u64 wide[2 * VECTOR_MAX]; /* start, length */
		u32 narrow[2 * VECTOR_MAX];
	};
	u32 count;	/* 0 when it is not readable */
	u32 half_width; /* what counts is @narrow: a 32-bit caller */
	u32 done, left;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vector);
} vectors SEC(".maps");

struct user_msghdr { /* struct mmsghdr, which begins with a struct msghdr */
	u64 name;
	u32 namelen, pad;
	u64 iov, iovlen, control, controllen;
	u32 flags, pad2, len, pad3;
};
struct user_msghdr_32 {
	u32 name, namelen, iov, iovlen, control, controllen, flags, len;
};

struct message { /* of either layout */
	u64 name, iov, iovlen, control, controllen;
	u32 namelen;
	bool readable;
};

/* --- how much is kept --- */

static __always_inline bool full_port(u16 port)
{
	return port && port >= cfg_full_ports[0] && port <= cfg_full_ports[1];
}

static __always_inline bool looks_mysql(const u8 *b, u64 n)
{
	return n >= 5 && (b[0] == 3 || b[1] == 3 || b[2] == 3 || b[3] == 3 || b[4] == 3 ||
			  (b[2] == 0 && b[3] == 0));
}

static __always_inline bool looks_postgres(const u8 *b, u64 n)
{
	return n >= 7 && ((b[0] == 'Q' && b[1] == 0) || (b[0] == 'P' && b[1] == 0) ||
			  (b[4] == 0 && b[5] == 3 && b[6] == 0) || (b[0] == 'E' && b[1] == 0));
}

static __always_inline bool looks_mongo(const u8 *b, u64 n)
{
	u32 op = b[12] | b[13] << 8 | b[14] << 16 | (u32)b[15] << 24;

	return n >= PEEK && (op == 1 || (op >= 2001 && op <= 2007));
}

#define BEGINS(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (u32)(d) << 24)

static __always_inline bool looks_http(const u8 *b, u64 n)
{
	u32 word = BEGINS(b[0], b[1], b[2], b[3]);

	return n >= 5 &&
	       ((word & 0xffffff) == BEGINS('G', 'E', 'T', 0) ||
		(word & 0xffffff) == BEGINS('P', 'U', 'T', 0) ||
		word == BEGINS('P', 'O', 'S', 'T') || word == BEGINS('D', 'E', 'L', 'E') ||
		word == BEGINS('T', 'R', 'A', 'C') || word == BEGINS('C', 'O', 'N', 'N') ||
		word == BEGINS('O', 'P', 'T', 'I') ||
		(word == BEGINS('H', 'T', 'T', 'P') && b[4] == '/'));
}

static __always_inline bool is_port(struct ports p, u16 port)
{
	return p.local == port || p.remote == port;
}

static __always_inline bool known_protocol(struct ports p, u64 ptr, u64 n)
{
	u8 b[2 * PEEK] = {};
	u32 peek = n < PEEK ? n : PEEK;

	barrier_var(peek); /* else the mask is taken for superfluous */
	peek &= 2 * PEEK - 1;
	if (!peek || bpf_probe_read_user(b, peek, (void *)ptr))
		return false;
	return (is_port(p, PORT_MYSQL) && looks_mysql(b, n)) ||
	       (is_port(p, PORT_POSTGRES) && looks_postgres(b, n)) || is_port(p, PORT_MONGO) ||
	       looks_mongo(b, n) || looks_http(b, n);
}

/*
 * What a socket's ports and the bytes themselves ask for. @ptr: 0 for vectors, which are not looked
 * into. @n: how many bytes there are. @addr, @len: the other end of a socket that is not connected.
 */
__noinline u32 dynamic_snaplen(u64 fd, u64 ptr, u64 n, u64 addr, u32 len)
{
	struct sock *sk = fd_sock(bpf_get_current_task_btf(), s32(fd));
	struct user_address a = {};
	struct ports p;

	if (!sk)
		return 0;
	p = sock_ports(sk);
	if (!p.remote && read_address(&a, addr, len) &&
	    (a.family == AF_INET_ || a.family == AF_INET6_) && len >= IN_LEN)
		p.remote = swap16(a.port);
	if (full_port(p.local) || full_port(p.remote))
		return SNAPLEN_FULL_PORTS;
	if (!cfg_dynamic_snaplen)
		return 0;
	if (p.remote && p.remote == cfg_statsd_port)
		return SNAPLEN_PROTOCOL;
	if (p.remote == PORT_DNS)
		return SNAPLEN_DNS;
	return ptr && known_protocol(p, ptr, n) ? SNAPLEN_PROTOCOL : 0;
}

/* How many of @n bytes at @ptr are kept. */
static __always_inline u32 kept(u64 fd, u64 ptr, u64 n, u64 addr, u64 len)
{
	u32 max = settings.snaplen, more;

	if (settings.shed >= WIRE_SHED_DATA)
		return 0;
	if ((cfg_dynamic_snaplen || cfg_full_ports[1]) && n > max) {
		more = dynamic_snaplen(fd, ptr, n, addr, (u16)len);
		max = more > max ? more : max;
	}
	if (max > WIRE_SNAPLEN_MAX)
		max = WIRE_SNAPLEN_MAX;
	return n < max ? n : max;
}

/*
 * @requested: what a write was asked to move, which is kept when it failed; 0 for reads. A write of
 * nothing, or one that wrote nothing, is as one that failed.
 */
static __always_inline u32 io_len(u64 fd, u64 ptr, s64 ret, u64 requested)
{
	return kept(fd, ptr, ret > 0 ? (u64)ret : (u32)requested, 0, 0);
}

/* The same for calls that name the other end. */
static __always_inline u32 io_len_with(u64 fd, u64 ptr, s64 ret, u64 requested, u64 addr, u64 len)
{
	return kept(fd, ptr, ret > 0 ? (u64)ret : (u32)requested, addr, len);
}

/* --- vectors --- */

static __always_inline struct vector *this_vector(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&vectors, &zero);
}

static __always_inline u64 segment_len(struct vector *v, u32 k)
{
	k &= VECTOR_MAX - 1;
	return v->half_width ? v->narrow[2 * k + 1] : v->wide[2 * k + 1];
}

static __always_inline u64 segment_start(struct vector *v, u32 k)
{
	k &= VECTOR_MAX - 1;
	return v->half_width ? v->narrow[2 * k] : v->wide[2 * k];
}

/* Reads the vector, for put_vector(). Return: its bytes, in 32 bits; 0 if it is not readable. */
__noinline u32 vector_size(u64 ptr, u64 count)
{
	struct vector *v = this_vector();
	u32 n = count < VECTOR_MAX ? count : VECTOR_MAX, sum = 0;
	u64 size;

	if (!v)
		return 0;
	v->half_width = is_narrow();
	v->count = 0;
	size = bounded(n * (v->half_width ? 8 : 16), sizeof(v->wide));
	if (!n || bpf_probe_read_user(v->wide, size, (void *)ptr))
		return 0;
	v->count = n;
	for (u32 k = 0; k < VECTOR_MAX; k++) {
		if (k >= n)
			break;
		sum += (u32)segment_len(v, k);
	}
	return sum;
}

/* Copies segment @k behind the others. Return: 1 when there is nothing more to copy. */
__noinline int vector_step(u32 k)
{
	struct scratch *s = this_scratch();
	struct vector *v = this_vector();
	u64 n, pos;

	if (!s || !v || k >= v->count || !v->left)
		return 1;
	n = segment_len(v, k);
	n = n < v->left ? n : v->left;
	n &= SCRATCH_MASK;
	pos = (*(volatile u64 *)&s->pos + v->done) & SCRATCH_MASK;
	if (n && bpf_probe_read_user(s->data + pos, n, (void *)segment_start(v, k))) {
		s->fault = 1;
		return 1;
	}
	v->done += n;
	v->left -= n;
	return 0;
}

/* Copies up to @limit bytes to where the next parameter goes. Return: how many. */
__noinline u32 vector_data(u32 limit)
{
	struct vector *v = this_vector();

	if (!v)
		return 0;
	v->done = 0;
	v->left = limit < WIRE_SNAPLEN_MAX ? limit : WIRE_SNAPLEN_MAX;
	for (u32 k = 0; k < VECTOR_MAX; k++)
		if (vector_step(k))
			break;
	return v->done;
}

/* What vector_size() read. */
static __always_inline void put_vector(struct scratch *s, u32 i, u32 limit)
{
	put_len(s, i, limit ? vector_data(limit) : 0);
}

/* --- messages --- */

static __always_inline struct message read_message(u64 ptr)
{
	struct message m = {};

	if (is_narrow()) {
		struct user_msghdr_32 u = {};

		if (bpf_probe_read_user(&u, offsetof(typeof(u), len), (void *)ptr))
			return m;
		m.name = u.name;
		m.namelen = u.namelen;
		m.iov = u.iov;
		m.iovlen = u.iovlen;
		m.control = u.control;
		m.controllen = u.controllen;
	} else {
		struct user_msghdr u = {};

		if (bpf_probe_read_user(&u, offsetof(typeof(u), len), (void *)ptr))
			return m;
		m.name = u.name;
		m.namelen = u.namelen;
		m.iov = u.iov;
		m.iovlen = u.iovlen;
		m.control = u.control;
		m.controllen = u.controllen;
	}
	m.readable = true;
	return m;
}

/*
 * Control data is no part of what the snaplen limits: fds that are passed are in it. What does not
 * fit into the event any more is cut.
 */
static __always_inline void put_control(struct scratch *s, u32 i, u64 ptr, u64 len)
{
	u64 room = WIRE_EVENT_MAX - 64 - *(volatile u64 *)&s->pos;

	if (len > CONTROL_MAX)
		len = 0;
	if (room < WIRE_EVENT_MAX && len > room)
		len = room;
	put_bytes(s, i, ptr, len);
}

/* Message @k of a vector, moved whole or in part, as an event. Return: 1: it is not readable. */
__noinline int message_event(u64 fd, u64 vector, u32 k, u32 received)
{
	u64 size = is_narrow() ? sizeof(struct user_msghdr_32) : sizeof(struct user_msghdr);
	u64 ptr = vector + k * size;
	u64 moved_at = ptr + (is_narrow() ? offsetof(struct user_msghdr_32, len)
					  : offsetof(struct user_msghdr, len));
	u16 type = received ? EV_RECVMMSG_X : EV_SENDMMSG_X;
	struct message m = read_message(ptr);
	struct scratch *s;
	u32 moved = 0, asked;

	if (!m.readable || bpf_probe_read_user(&moved, sizeof(moved), (void *)moved_at))
		return 1;
	s = scratch_begin(type, received ? 6 : 5);
	if (!s)
		return 1;
	asked = vector_size(m.iov, m.iovlen);
	put_num(u64, s, 0, moved);
	put_num(u64, s, 1, s32(fd));
	put_num(u32, s, 2, received ? moved : asked);
	put_vector(s, 3, io_len_with(fd, 0, moved, received ? 0 : asked, m.name, m.namelen));
	put_tuple(s, 4, true, fd, received ? INBOUND : OUTBOUND, m.name, m.namelen);
	if (received)
		put_control(s, 5, m.control, m.controllen);
	scratch_commit(s, type);
	return 0;
}

/* A call that moved no message is one event, without data. */
static __always_inline int no_message_event(u64 fd, s64 ret, bool received)
{
	u16 type = received ? EV_RECVMMSG_X : EV_SENDMMSG_X;
	struct scratch *s = scratch_begin(type, received ? 6 : 5);

	if (!s)
		return 0;
	put_num(u64, s, 0, ret);
	put_num(u64, s, 1, s32(fd));
	put_num(u32, s, 2, 0);
	put_empty(s, 3);
	put_empty(s, 4);
	if (received)
		put_empty(s, 5);
	scratch_commit(s, type);
	return 0;
}

/* Messages from @first on, one step of a loop over all that the kernel takes at once. */
__noinline int message_block(u64 fd, u64 vector, u32 first, u32 count, u32 received)
{
	for (u32 k = 0; k < MESSAGES_STEP; k++)
		if (first + k >= count || message_event(fd, vector, first + k, received))
			return 1;
	return 0;
}

static __always_inline int message_events(struct pt_regs *regs, s64 ret, bool received)
{
	struct args a = read_args(regs);

	if (ret <= 0)
		return no_message_event(a.v[0], ret, received);
	for (u32 k = 0; k < MESSAGES_MAX; k += MESSAGES_STEP)
		if (message_block(a.v[0], a.v[1], k, ret, received))
			break;
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_sendmmsg, struct pt_regs *regs, long ret)
{
	return message_events(regs, ret, false);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_recvmmsg, struct pt_regs *regs, long ret)
{
	return message_events(regs, ret, true);
}

#endif
