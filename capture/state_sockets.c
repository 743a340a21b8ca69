/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets from /proc: descriptors name an inode, the tables of the network namespaces say what it
 * is. Inode numbers of sockets are one sequence for all namespaces, so the table of any namespace
 * may hold the socket of any process. Tables are read last: they then contain what was listed.
 */
#include "capture/state_internal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NETNS_WITNESSES 4 /* processes that may show a namespace's tables, if others end */

struct host_netns {
	struct {
		int64_t pid, tid;
	} seen[NETNS_WITNESSES];
	unsigned n;
};

struct host_socket *host_socket_wanted(struct host_run *run, uint64_t ino)
{
	struct host_socket *so = map_get(&run->sockets.by_ino, ino);

	if (so)
		return so;
	so = arena_zalloc(&run->scratch, 1, sizeof(*so));
	if (!so || map_put(&run->sockets.by_ino, ino, so) < 0)
		return NULL;
	so->ino = ino;
	return so;
}

void host_sockets_seen(struct host_run *run, uint64_t netns, int64_t pid, int64_t tid)
{
	struct host_netns *ns = map_get(&run->sockets.spaces, netns);

	if (!ns) {
		if (run->sockets.spaces.count >= HOST_TABLES_MAX)
			return;
		ns = arena_zalloc(&run->scratch, 1, sizeof(*ns));
		if (!ns || map_put(&run->sockets.spaces, netns, ns) < 0) {
			run->nomem = true;
			return;
		}
	}
	if (ns->n < NETNS_WITNESSES) {
		ns->seen[ns->n].pid = pid;
		ns->seen[ns->n++].tid = tid;
	}
}

/* --- tables --- */

struct table {
	const char *name;
	uint16_t family;
	uint8_t l4proto;
	void (*line)(struct host_run *run, const struct table *t, struct sv line);
};

/* Eight digits for each word of the address, as this machine's numbers. */
static bool take_address(struct sv *rest, uint16_t family, uint8_t addr[16], uint16_t *port)
{
	unsigned words = family == AF_INET6 ? 4 : 1;
	uint64_t v;

	for (unsigned i = 0; i < words; i++) {
		struct sv digits = sv_make(rest->p, 8);
		uint32_t word;

		if (rest->n < 8 || !host_take_u64(&digits, 16, &v) || digits.n)
			return false;
		word = (uint32_t)v;
		memcpy(addr + 4 * i, &word, sizeof(word));
		*rest = sv_drop(*rest, 8);
	}
	if (rest->n == 0 || *rest->p != ':')
		return false;
	*rest = sv_drop(*rest, 1);
	if (!host_take_u64(rest, 16, &v) || v > UINT16_MAX)
		return false;
	*port = (uint16_t)v;
	return true;
}

#define HOST_OF_LISTENERS 10

/* "0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 12345 ..." */
static void inet_line(struct host_run *run, const struct table *t, struct sv line)
{
	struct host_socket got = {.family = t->family, .l4proto = t->l4proto}, *so;
	struct sv rest = line, local, remote;
	uint64_t state;

	host_take_field(&rest);
	local = host_take_field(&rest);
	remote = host_take_field(&rest);
	if (!take_address(&local, t->family, got.local, &got.lport) ||
	    !take_address(&remote, t->family, got.remote, &got.rport))
		return;
	state = host_u64(host_take_field(&rest), 16, 0);
	rest = host_skip_fields(rest, 5);
	got.ino = host_u64(host_take_field(&rest), 10, 0);
	got.listening = state == HOST_OF_LISTENERS;
	so = got.ino ? map_get(&run->sockets.by_ino, got.ino) : NULL;
	if (so)
		*so = got;
}

/*
 * "0000000012345678: 00000002 00000000 00010000 0001 01 12345 /path". The path may contain line
 * breaks and so look like more lines: an inode that is there twice keeps neither name, and a socket
 * of another table is not believed to be here.
 */
static void unix_line(struct host_run *run, const struct table *t, struct sv line)
{
	struct sv rest = line, first = host_take_field(&rest);
	uint64_t self, ino;
	struct host_socket *so;

	if (!host_take_u64(&first, 16, &self) || !sv_is(first, ":"))
		return;
	rest = host_skip_fields(rest, 5);
	ino = host_u64(host_take_field(&rest), 10, 0);
	so = ino ? map_get(&run->sockets.by_ino, ino) : NULL;
	if (!so || (so->family && so->family != AF_UNIX))
		return;
	if (so->family) {
		so->name = SV_NONE;
		so->self = 0;
		return;
	}
	so->family = t->family;
	so->l4proto = t->l4proto;
	so->self = self;
	/* One blank, then the path to the end of the line, blanks and all. */
	so->name = host_keep(run->s, sv_drop(rest, 1));
}

static void other_line(struct host_run *run, const struct table *t, struct sv line, unsigned field)
{
	struct sv rest = host_skip_fields(line, field);
	uint64_t ino = host_u64(host_take_field(&rest), 10, 0);
	struct host_socket *so = ino ? map_get(&run->sockets.by_ino, ino) : NULL;

	if (so && !so->family) {
		so->family = t->family;
		so->l4proto = t->l4proto;
	}
}

static void netlink_line(struct host_run *run, const struct table *t, struct sv line)
{
	other_line(run, t, line, 9);
}

static void packet_line(struct host_run *run, const struct table *t, struct sv line)
{
	other_line(run, t, line, 8);
}

/* The unix table last: it is the only one whose lines can be forged. */
static const struct table tables[] = {
    {"tcp", AF_INET, EV_L4_TCP, inet_line},	     {"tcp6", AF_INET6, EV_L4_TCP, inet_line},
    {"udp", AF_INET, EV_L4_UDP, inet_line},	     {"udp6", AF_INET6, EV_L4_UDP, inet_line},
    {"udplite", AF_INET, EV_L4_UDP, inet_line},	     {"udplite6", AF_INET6, EV_L4_UDP, inet_line},
    {"raw", AF_INET, EV_L4_RAW, inet_line},	     {"raw6", AF_INET6, EV_L4_RAW, inet_line},
    {"icmp", AF_INET, EV_L4_ICMP, inet_line},	     {"icmp6", AF_INET6, EV_L4_ICMP, inet_line},
    {"netlink", AF_NETLINK, EV_L4_NA, netlink_line}, {"packet", AF_PACKET, EV_L4_NA, packet_line},
    {"unix", AF_UNIX, EV_L4_NA, unix_line},
};

/* A kernel without IPv6, or without one of the rarer protocols, lacks that table. */
static void read_table(struct host_run *run, int net, const struct table *t)
{
	struct sv line;

	if (host_lines_open(run->lines, net, t->name) < 0)
		return;
	host_lines_next(run->lines, &line); /* headings */
	for (unsigned n = 1; host_lines_next(run->lines, &line); n++) {
		t->line(run, t, line);
		if (n % 4096 == 0 && host_late(run))
			break;
	}
	host_lines_close(run->lines);
}

static int open_thread(struct host_run *run, int64_t pid, int64_t tid)
{
	char name[64];

	if (pid == tid)
		snprintf(name, sizeof(name), "%lld", (long long)pid);
	else
		snprintf(name, sizeof(name), "%lld/task/%lld", (long long)pid, (long long)tid);
	return host_open_dir(run->proc, name);
}

static int open_tables(struct host_run *run, const struct host_netns *ns, uint64_t netns)
{
	int net = -1;

	for (unsigned i = 0; i < ns->n && net < 0; i++) {
		int dir = open_thread(run, ns->seen[i].pid, ns->seen[i].tid);

		if (dir < 0)
			continue;
		if (host_link_number(dir, "ns/net") == netns)
			net = host_open_dir(dir, "net");
		close(dir);
	}
	return net;
}

/* A process may hide which namespace it is in: the same tables may be met twice. */
static bool was_read(struct host_run *run, int net)
{
	struct stat st;

	if (fstatat(net, "unix", &st, 0) < 0)
		return false;
	if (map_get(&run->sockets.tables, st.st_ino))
		return true;
	if (map_put(&run->sockets.tables, st.st_ino, run) < 0)
		run->nomem = true;
	return false;
}

static void read_tables(struct host_run *run, const struct host_netns *ns, uint64_t netns)
{
	int net = open_tables(run, ns, netns);

	if (net < 0) {
		run->s->stats.incomplete++;
		return;
	}
	if (was_read(run, net)) {
		close(net);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		read_table(run, net, &tables[i]);
	close(net);
}

/* --- sockets in no table: not bound yet, or of a protocol without one --- */

/* Of these the kernel tells at least the protocol, as an attribute of the descriptor's file. */
static void ask_protocol(struct host_run *run, const struct host_fd *fd)
{
	static const struct {
		const char *prefix;
		uint16_t family, l4proto;
	} known[] = {
	    {"TCPv6", AF_INET6, EV_L4_TCP},    {"TCP", AF_INET, EV_L4_TCP},
	    {"MPTCPv6", AF_INET6, EV_L4_TCP},  {"MPTCP", AF_INET, EV_L4_TCP},
	    {"UDPv6", AF_INET6, EV_L4_UDP},    {"UDPLITEv6", AF_INET6, EV_L4_UDP},
	    {"UDP", AF_INET, EV_L4_UDP},       {"RAWv6", AF_INET6, EV_L4_RAW},
	    {"RAW", AF_INET, EV_L4_RAW},       {"PINGv6", AF_INET6, EV_L4_ICMP},
	    {"PING", AF_INET, EV_L4_ICMP},     {"UNIX", AF_UNIX, EV_L4_NA},
	    {"NETLINK", AF_NETLINK, EV_L4_NA},
	};
	const struct host_thread *t = host_thread_of(run->s, fd->e.tid);
	int dir = t ? open_thread(run, t->e.pid, t->e.tid) : -1;
	char path[64], name[64];
	ssize_t n = -1;

	if (dir < 0)
		return;
	snprintf(path, sizeof(path), "fd/%lld", (long long)fd->e.fd);
	if (host_link_number(dir, path) == fd->e.ino) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d/fd/%lld", dir, (long long)fd->e.fd);
		n = getxattr(path, "system.sockprotoname", name, sizeof(name));
	}
	close(dir);
	for (size_t i = 0; n > 0 && i < COUNT_OF(known); i++) {
		if (!sv_starts(sv_make(name, (size_t)n), sv_of(known[i].prefix)))
			continue;
		fd->socket->family = known[i].family;
		fd->socket->l4proto = (uint8_t)known[i].l4proto;
		return;
	}
}

/* --- entries --- */

static bool is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, 16) == 0;
}

/* A socket others can reach, with no partner of its own. */
static bool is_server(const struct host_socket *so)
{
	if (so->l4proto == EV_L4_TCP)
		return so->listening;
	return so->l4proto == EV_L4_UDP && so->lport && !so->rport && is_zero(so->remote);
}

static void inet_entry(struct ev_fd_entry *e, const struct host_socket *so)
{
	bool ipv6 = so->family == AF_INET6;

	memcpy(e->sip, so->local, 16);
	e->sport = so->lport;
	e->l4proto = so->l4proto;
	if (is_server(so)) {
		e->type = ipv6 ? EV_FD_IPV6_SERVSOCK : EV_FD_IPV4_SERVSOCK;
		return;
	}
	e->type = ipv6 ? EV_FD_IPV6_SOCK : EV_FD_IPV4_SOCK;
	memcpy(e->dip, so->remote, 16);
	e->dport = so->rport;
}

void host_socket_entry(struct rec_state *s, struct ev_fd_entry *e, const struct host_socket *so)
{
	char name[64];

	switch (so->family) {
	case AF_INET:
	case AF_INET6:
		inet_entry(e, so);
		break;
	case AF_UNIX:
		e->type = EV_FD_UNIX_SOCK;
		e->unix_source = so->self;
		e->unix_dest = so->peer;
		e->name = so->name;
		break;
	case AF_NETLINK:
		e->type = EV_FD_NETLINK;
		break;
	default:
		e->type = EV_FD_UNSUPPORTED;
		snprintf(name, sizeof(name), "socket:[%llu]", (unsigned long long)e->ino);
		e->name = host_keep(s, sv_of(name));
		break;
	}
}

void host_sockets_resolve(struct host_run *run)
{
	struct map_slot *slot;

	if (run->sockets.by_ino.count == 0)
		return;
	for (size_t at = 0; (slot = map_next(&run->sockets.spaces, &at)) && !host_late(run);)
		read_tables(run, slot->value, slot->key);
	for (size_t i = 0; i < run->s->nfds; i++) {
		struct host_fd *fd = &run->s->fds[i];

		if (!fd->socket)
			continue;
		if (!fd->socket->family && run->real_proc)
			ask_protocol(run, fd);
		host_socket_entry(run->s, &fd->e, fd->socket);
	}
}

void host_sockets_done(struct host_sockets *s)
{
	map_done(&s->by_ino);
	map_done(&s->tables);
	map_done(&s->spaces);
}
