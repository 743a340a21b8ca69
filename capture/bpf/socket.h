/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and connections: what a caller passed as struct sockaddr, and what the kernel knows
 * about the socket behind an fd. Both are written where the next parameter goes by a global
 * function, which the verifier sees once for each program; it returns how many bytes it wrote.
 * Ports are in host order, addresses in network order.
 */
#ifndef CAPTURE_BPF_SOCKET_H
#define CAPTURE_BPF_SOCKET_H

#include "capture/bpf/file.h"

#define AF_UNIX_	 1
#define AF_INET_	 2
#define AF_INET6_	 10
#define S_IFMT_		 0170000
#define S_IFSOCK_	 0140000
#define EINPROGRESS_	 115
#define IN_LEN		 8  /* of struct sockaddr_in, up to the address */
#define IN6_LEN		 24 /* of struct sockaddr_in6, the same */
#define UNIX_NAME_OFFSET 2
#define UNIX_NAME_MAX	 108

enum direction {
	OUTBOUND, /* this end first */
	INBOUND,  /* the other end first */
};

struct user_address { /* struct sockaddr_in or _in6 in user memory */
	u16 family, port;
	u32 in; /* IPv4; flow information of IPv6 */
	u8 in6[16];
	u32 scope, rest;
};

struct ports { /* of an IP socket; 0: none, or not IP */
	u16 local, remote;
};

struct backlog { /* of a listening socket */
	u32 len, max;
	u8 percent;
};

static __always_inline u16 swap16(u16 v)
{
	return (u16)(v << 8 | v >> 8);
}

/* In progress is not a failure: the connection has both its ends. */
static __always_inline bool connected(s64 ret)
{
	return ret == 0 || ret == -EINPROGRESS_;
}

/*
 * 0: not a socket. An fd opened with O_PATH on the name of a socket has its mode, but no socket.
 */
static __always_inline struct sock *file_sock(struct file *file)
{
	struct socket *so;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT_) != S_IFSOCK_)
		return 0;
	so = BPF_CORE_READ(file, private_data);
	return so ? BPF_CORE_READ(so, sk) : 0;
}

static __always_inline struct sock *fd_sock(struct task_struct *task, s64 fd)
{
	return file_sock(fd_file(task, fd));
}

static __always_inline u64 fd_ino(struct task_struct *task, s64 fd)
{
	struct file *file = fd_file(task, fd);

	return file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

static __always_inline struct sock *unix_peer(struct sock *sk)
{
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX_)
		return 0;
	return BPF_CORE_READ((struct unix_sock *)sk, peer);
}

static __always_inline struct ports sock_ports(struct sock *sk)
{
	struct ports p = {};
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family == AF_INET_ || family == AF_INET6_) {
		p.local = swap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
		p.remote = swap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	}
	return p;
}

static __always_inline struct backlog fd_backlog(struct task_struct *task, s64 fd)
{
	struct backlog b = {};
	struct sock *sk = fd_sock(task, fd);

	if (!sk)
		return b;
	b.len = BPF_CORE_READ(sk, sk_ack_backlog);
	b.max = BPF_CORE_READ(sk, sk_max_ack_backlog);
	if (b.len && b.max)
		b.percent = (u8)((u64)b.len * 100 / b.max);
	return b;
}

/* What waits in the queue of the listening socket an accept that succeeded was called on. */
static __always_inline struct backlog accept_queue(struct task_struct *task, s64 ret, u64 fd)
{
	struct backlog none = {};

	return ret >= 0 ? fd_backlog(task, s32(fd)) : none;
}

/* Reads as much as @len says there is, and no more. Return: false when there is no family. */
static __always_inline bool read_address(struct user_address *a, u64 ptr, u32 len)
{
	u64 n = bounded(len, sizeof(*a));

	return ptr && n >= sizeof(a->family) && !bpf_probe_read_user(a, n, (void *)ptr);
}

/*
 * The name of a unix socket, @len bytes behind the family: a path, or behind a NUL byte an abstract
 * name. Neither need end with a NUL byte; what is written does.
 */
static __always_inline u32 unix_name(u8 *at, u64 from, u32 len, bool user)
{
	u8 first = 0;
	long n = 1;

	*at = 0;
	if (len > UNIX_NAME_MAX)
		len = UNIX_NAME_MAX;
	if (!len)
		return 1;
	if (user)
		n = bpf_probe_read_user(&first, 1, (void *)from);
	else
		n = bpf_probe_read_kernel(&first, 1, (void *)from);
	if (n)
		return 0;
	if (!first) {
		from++;
		len--;
	}
	len &= 127;
	if (!len)
		return 1;
	if (user)
		n = read_user_str(at, len + 1, from);
	else
		n = bpf_probe_read_kernel_str(at, len + 1, (void *)from);
	return n > 0 ? (u32)n : 0;
}

static __always_inline u32 sock_name(u8 *at, struct sock *sk)
{
	struct unix_address *ua = BPF_CORE_READ((struct unix_sock *)sk, addr);
	s32 len = ua ? BPF_CORE_READ(ua, len) : 0;
	u32 n = 0;

	if (len > UNIX_NAME_OFFSET)
		n = unix_name(at,
			      (u64)ua + bpf_core_field_offset(struct unix_address, name) +
				  UNIX_NAME_OFFSET,
			      (u32)len - UNIX_NAME_OFFSET, false);
	if (n)
		return n;
	*at = 0;
	return 1;
}

/* An address in user memory, as a parameter. Return: its length; 0: not readable or of no use. */
__noinline int user_sockaddr(u64 ptr, u32 len)
{
	struct scratch *s = this_scratch();
	struct user_address a = {};
	u32 n;
	u8 *at;

	if (!s)
		return 0;
	if (!read_address(&a, ptr, len)) {
		s->fault |= ptr && len >= sizeof(a.family);
		return 0;
	}
	at = scratch_at(s);
	at[0] = (u8)a.family;
	if (a.family == AF_INET_ && len >= IN_LEN) {
		STORE(u32, at + 1, a.in);
		STORE(u16, at + 5, swap16(a.port));
		return 7;
	}
	if (a.family == AF_INET6_ && len >= IN6_LEN) {
		__builtin_memcpy(at + 1, a.in6, 16);
		STORE(u16, at + 17, swap16(a.port));
		return 19;
	}
	if (a.family != AF_UNIX_)
		return 0;
	n = unix_name(at + 1, ptr + UNIX_NAME_OFFSET, len - UNIX_NAME_OFFSET, true);
	return n ? 1 + n : 0;
}

/* @len: as the kernel takes it for addresses, 16 bits. */
static __always_inline void put_sockaddr(struct scratch *s, u32 i, u64 ptr, u64 len)
{
	put_len(s, i, user_sockaddr(ptr, (u16)len));
}

static __always_inline u32 tuple_in(u8 *at, struct sock *sk, u32 direction, u64 addr, u32 len)
{
	u8 *local = at + (direction == OUTBOUND ? 1 : 7);
	u8 *remote = at + (direction == OUTBOUND ? 7 : 1);
	struct ports p = sock_ports(sk);
	u32 ip = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	struct user_address a = {};

	if (!p.remote && read_address(&a, addr, len) && a.family == AF_INET_ && len >= IN_LEN) {
		ip = a.in;
		p.remote = swap16(a.port);
	}
	STORE(u32, local, BPF_CORE_READ((struct inet_sock *)sk, inet_saddr));
	STORE(u16, local + 4, p.local);
	STORE(u32, remote, ip);
	STORE(u16, remote + 4, p.remote);
	return 13;
}

static __always_inline u32 tuple_in6(u8 *at, struct sock *sk, u32 direction, u64 addr, u32 len)
{
	u8 *local = at + (direction == OUTBOUND ? 1 : 19);
	u8 *remote = at + (direction == OUTBOUND ? 19 : 1);
	struct ports p = sock_ports(sk);
	struct ipv6_pinfo *six;
	struct user_address a = {};

	__builtin_memset(local, 0, 16);
	__builtin_memset(remote, 0, 16);
	if (bpf_core_field_exists(((struct inet_sock *)sk)->pinet6)) {
		six = BPF_CORE_READ((struct inet_sock *)sk, pinet6);
		bpf_core_read(local, 16, &six->saddr);
	}
	if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		bpf_core_read(remote, 16, &sk->__sk_common.skc_v6_daddr);
	if (!p.remote && read_address(&a, addr, len)) {
		if (a.family == AF_INET6_ && len >= IN6_LEN) {
			__builtin_memcpy(remote, a.in6, 16);
			p.remote = swap16(a.port);
		} else if (a.family == AF_INET_ && len >= IN_LEN) { /* ::ffff:a.b.c.d */
			STORE(u64, remote, 0);
			STORE(u32, remote + 8, 0xffff0000);
			STORE(u32, remote + 12, a.in);
			p.remote = swap16(a.port);
		}
	}
	STORE(u16, local + 16, p.local);
	STORE(u16, remote + 16, p.remote);
	return 37;
}

static __always_inline u32 tuple_unix(u8 *at, struct sock *sk, u32 direction, u64 addr, u32 len)
{
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	struct user_address a = {};
	u32 n = 0;

	STORE(u64, at + 1, direction == OUTBOUND ? peer : sk);
	STORE(u64, at + 9, direction == OUTBOUND ? sk : peer);
	if (direction == INBOUND || peer)
		return 17 + sock_name(at + 17, direction == INBOUND ? sk : peer);
	if (read_address(&a, addr, len) && a.family == AF_UNIX_)
		n = unix_name(at + 17, addr + UNIX_NAME_OFFSET, len - UNIX_NAME_OFFSET, true);
	if (n)
		return 17 + n;
	at[17] = 0;
	return 18;
}

/*
 * Both ends of a socket of the current task. @addr, @len: the other end of one that is not
 * connected, in user memory. Return: the length; 0: not a socket, or of another family.
 */
__noinline int socket_tuple(u64 fd, u32 direction, u64 addr, u32 len)
{
	struct sock *sk = fd_sock(bpf_get_current_task_btf(), s32(fd));
	struct scratch *s = this_scratch();
	u16 family;
	u8 *at;

	if (!s || !sk)
		return 0;
	at = scratch_at(s);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	at[0] = (u8)family;
	if (family == AF_INET_)
		return tuple_in(at, sk, direction, addr, len);
	if (family == AF_INET6_)
		return tuple_in6(at, sk, direction, addr, len);
	return family == AF_UNIX_ ? tuple_unix(at, sk, direction, addr, len) : 0;
}

static __always_inline void put_tuple(struct scratch *s, u32 i, bool wanted, u64 fd, u32 direction,
				      u64 addr, u64 len)
{
	put_len(s, i, wanted ? socket_tuple(fd, direction, addr, (u16)len) : 0);
}

/* --- values of socket options: a byte that says what follows --- */

#define SOL_SOCKET_    1
#define SO_ERROR_      4
#define SO_RCVTIMEO_   20
#define SO_SNDTIMEO_   21
#define SO_COOKIE_     57
#define SO_RCVTIMEO_64 66 /* SO_RCVTIMEO_NEW: 64-bit seconds whoever calls */
#define SO_SNDTIMEO_64 67

#define SOCKOPT_INT_MAX 49
/* SO_ERROR LINGER PEERCRED RCVTIMEO SNDTIMEO ATTACH_FILTER PEERNAME, and 0: not an int */
#define SOCKOPT_NOT_INT                                                                            \
	(1ull | 1ull << 4 | 1ull << 13 | 1ull << 17 | 1ull << 20 | 1ull << 21 | 1ull << 26 |       \
	 1ull << 28)

enum sockopt_kind { SOCKOPT_BYTES, SOCKOPT_ERRNO, SOCKOPT_U32, SOCKOPT_U64, SOCKOPT_TIME };

static __always_inline u32 sockopt_kind(u32 level, u32 name)
{
	if (level != SOL_SOCKET_)
		return SOCKOPT_BYTES;
	if (name == SO_ERROR_)
		return SOCKOPT_ERRNO;
	if (name == SO_COOKIE_)
		return SOCKOPT_U64;
	if (name == SO_RCVTIMEO_ || name == SO_SNDTIMEO_ || name == SO_RCVTIMEO_64 ||
	    name == SO_SNDTIMEO_64)
		return SOCKOPT_TIME;
	return name <= SOCKOPT_INT_MAX && !(SOCKOPT_NOT_INT >> (name & 63) & 1) ? SOCKOPT_U32
										: SOCKOPT_BYTES;
}

/* A struct timeval in user memory, as nanoseconds. Return: false if it is not readable. */
static __always_inline bool read_timeval(u64 *ns, u64 ptr, bool narrow)
{
	s64 wide[2] = {};
	int half[2] = {};

	if (narrow) {
		if (bpf_probe_read_user(half, sizeof(half), (void *)ptr))
			return false;
		wide[0] = half[0];
		wide[1] = half[1];
	} else if (bpf_probe_read_user(wide, sizeof(wide), (void *)ptr)) {
		return false;
	}
	*ns = (u64)wide[0] * 1000000000ull + (u64)wide[1] * 1000;
	return true;
}

/* Return: how many bytes it wrote; 0: not readable, or to be kept as bytes. */
static __always_inline u32 typed_sockopt(u8 *at, u32 kind, u64 ptr, bool narrow)
{
	u64 v = 0;

	if (kind == SOCKOPT_BYTES)
		return 0;
	if (kind == SOCKOPT_TIME) {
		if (!read_timeval(&v, ptr, narrow))
			return 0;
	} else if (bpf_probe_read_user(&v, kind == SOCKOPT_U64 ? 8 : 4, (void *)ptr)) {
		return 0;
	}
	at[0] = (u8)kind;
	if (kind == SOCKOPT_U32) {
		STORE(u32, at + 1, v);
		return 5;
	}
	STORE(u64, at + 1, kind == SOCKOPT_ERRNO ? (u64)-s32(v) : v);
	return 9;
}

/* Global: see above. */
__noinline int user_sockopt(u32 level, u32 name, u64 ptr, u32 len)
{
	struct scratch *s = this_scratch();
	u32 kind = sockopt_kind(level, name), n;
	bool narrow = is_narrow() && name < SO_RCVTIMEO_64;
	u8 *at;

	if (!s)
		return 0;
	at = scratch_at(s);
	n = typed_sockopt(at, kind, ptr, narrow);
	if (n)
		return n;
	at[0] = SOCKOPT_BYTES;
	if (len > WIRE_SNAPLEN_MAX)
		len = WIRE_SNAPLEN_MAX;
	len &= SCRATCH_MASK;
	if (kind == SOCKOPT_BYTES && !len)
		return 1;
	if (kind == SOCKOPT_BYTES && !bpf_probe_read_user(at + 1, len, (void *)ptr))
		return 1 + len;
	s->fault = 1;
	return 1;
}

static __always_inline void put_sockopt(struct scratch *s, u32 i, u64 level, u64 name, u64 ptr,
					u64 len)
{
	put_len(s, i, user_sockopt((u32)level, (u32)name, ptr, (u16)len));
}

#endif
