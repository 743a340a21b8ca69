/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets from birth to end, and pipes: every family of addresses, in success and failure. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/tests/truth_net.h"

#define LONG_ABSTRACT "a-name-that-is-much-longer-than-the-next-one"
#define FULL_LEN      108 /* of a path that fills struct sockaddr_un: it ends with no NUL byte */

/* What the child has open. */
enum { TCP = 100, TCP2, TCP3, UDP, UDP2, UDP6, DUAL, TCP6, UNIX, UNIX2, UNIX3, LISTEN, DATA };

static const struct sockaddr_in server = SOCKADDR_IN(INADDR_LOOPBACK, SERVER_PORT),
				client = SOCKADDR_IN(INADDR_LOOPBACK, CLIENT_PORT),
				any_client = SOCKADDR_IN(INADDR_ANY, CLIENT_PORT),
				nobody = SOCKADDR_IN(INADDR_LOOPBACK, 9);
static const struct sockaddr_in6 server6 = SOCKADDR_IN6_LOOP(SERVER_PORT),
				 client6 = SOCKADDR_IN6_LOOP(CLIENT_PORT),
				 any6 = {.sin6_family = AF_INET6,
					 .sin6_port = __builtin_bswap16(7003)};
static const struct sockaddr_un path = {AF_UNIX, "socket"}, missing = {AF_UNIX, "missing"},
				long_abstract = {AF_UNIX, "\0" LONG_ABSTRACT},
				abstract = {AF_UNIX, "\0abstr-and-no-more"};
static const struct sockaddr other = {.sa_family = AF_NETLINK};
static struct sockaddr_un full_path = {.sun_family = AF_UNIX};
static char full_param[1 + FULL_LEN + 1];
static struct sockaddr_storage from;
static socklen_t from_len = sizeof(from), from6_len = sizeof(from);
static char buffer[256];

/* --- socket, socketpair, pipe --- */

static void every_family_and_type_of_socket(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SOCKET_X,
	     SYS_socket,
	     {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP},
	     TRUTH_ANY,
	     {RET("fd"), INT("domain", 2), INT("type", 1 | 04000 | 02000000), INT("proto", 6),
	      FLAGS("flags", "O_NONBLOCK|O_CLOEXEC")}},
	    {EV_SOCKET_X,
	     SYS_socket,
	     {AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC},
	     TRUTH_ANY,
	     {RET("fd"), INT("domain", 10), INT("type", 2 | 02000000), INT("proto", 0),
	      FLAGS("flags", "O_CLOEXEC")}},
	    {EV_SOCKET_X,
	     SYS_socket,
	     {AF_UNIX, SOCK_SEQPACKET},
	     TRUTH_ANY,
	     {RET("fd"), INT("domain", 1), INT("type", 5), INT("proto", 0), FLAGS("flags", "")}},
	    {EV_SOCKET_X,
	     SYS_socket,
	     {AF_NETLINK, SOCK_RAW, 0},
	     TRUTH_ANY,
	     {RET("fd"), INT("domain", 16), INT("type", 3), INT("proto", 0), FLAGS("flags", "")}},
	    {EV_SOCKET_X,
	     SYS_socket,
	     {250, SOCK_DGRAM, 7},
	     -EAFNOSUPPORT,
	     {RET("fd"), INT("domain", 0), INT("type", 2), INT("proto", 7), FLAGS("flags", "")}},
	    {EV_SOCKET_X,
	     SYS_socket,
	     {AF_INET, 9, 0x100000007},
	     -ESOCKTNOSUPPORT,
	     {RET("fd"), INT("domain", 2), INT("type", 9), INT("proto", 7), FLAGS("flags", "")}},
	};

	truth_calls(*state, net_enter, CALLS(calls), NULL);
}

static void make_pairs(void *shared)
{
	int *fd = shared;

	fd[4] = (int)live_call(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd);
	fd[5] = (int)live_call(SYS_socketpair, AF_INET, SOCK_STREAM, 6, fd + 2);
	fd[6] = (int)live_call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8);
}

static void socketpair_tells_both_ends(void **state)
{
	struct live *l = *state;
	const int *fd = live_run(l, "socketpair", make_pairs);
	struct live_event *e = expect_event(l, EV_SOCKETPAIR_X);
	uint64_t source, peer;

	assert_int_equal(fd[4], 0);
	expect_i64(e, "res", 0);
	expect_i64(e, "fd1", fd[0]);
	expect_i64(e, "fd2", fd[1]);
	source = (uint64_t)live_number(e, "source");
	peer = (uint64_t)live_number(e, "peer");
	if (source < 1ull << 63 || peer < 1ull << 63 || source == peer)
		live_fail(e, "source", "not two addresses of the kernel");
	expect_i64(e, "domain", 1);
	expect_i64(e, "type", SOCK_DGRAM | SOCK_CLOEXEC);
	expect_i64(e, "proto", 0);
	e = expect_event(l, EV_SOCKETPAIR_X);
	expect_i64(e, "res", -EOPNOTSUPP);
	expect_i64(e, "fd1", -1);
	expect_i64(e, "fd2", -1);
	expect_i64(e, "source", 0);
	expect_i64(e, "peer", 0);
	expect_i64(e, "domain", 2);
	expect_i64(e, "type", SOCK_STREAM);
	expect_i64(e, "proto", 6);
	e = expect_event(l, EV_SOCKETPAIR_X);
	expect_i64(e, "res", -EFAULT);
	expect_i64(e, "fd1", -1);
	expect_end(l);
}

static void make_pipes(void *shared)
{
	int *fd = shared, flags = O_CLOEXEC | O_NONBLOCK | O_DIRECT;
	struct stat st;

	live_call(SYS_pipe, fd);
	live_call(SYS_pipe2, fd + 2, flags);
	fd[4] = -7;
	fd[5] = -8;
	live_call(SYS_pipe2, fd + 4, -1);
	live_call(SYS_pipe, 8);
	live_pause();
	LIVE_NEED(!fstat(fd[0], &st));
	fd[8] = (int)st.st_ino;
	LIVE_NEED(!fstat(fd[2], &st));
	fd[9] = (int)st.st_ino;
}

static void pipes_have_the_number_of_their_inode(void **state)
{
	struct live *l = *state;
	const int *fd = live_run(l, "pipe,pipe2", make_pipes);
	struct live_event *e = expect_event(l, EV_PIPE_X);

	expect_i64(e, "res", 0);
	expect_i64(e, "fd1", fd[0]);
	expect_i64(e, "fd2", fd[1]);
	expect_i64(e, "ino", fd[8]);
	e = expect_event(l, EV_PIPE2_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "fd1", fd[2]);
	expect_i64(e, "fd2", fd[3]);
	expect_i64(e, "ino", fd[9]);
	expect_flags(e, "flags", "O_CLOEXEC|O_NONBLOCK|O_DIRECT");
	e = expect_event(l, EV_PIPE2_X);
	expect_i64(e, "res", -EINVAL);
	expect_i64(e, "fd1", -7);
	expect_i64(e, "fd2", -8);
	expect_i64(e, "ino", 0);
	expect_flags(e, "flags", "");
	e = expect_event(l, EV_PIPE_X);
	expect_i64(e, "res", -EFAULT);
	expect_i64(e, "fd1", -1);
	expect_i64(e, "fd2", -1);
	expect_i64(e, "ino", 0);
	expect_end(l);
}

/* --- bind --- */

static void unbound_sockets(void)
{
	memset(full_path.sun_path, 'f', FULL_LEN);
	net_enter();
	truth_enter_directory();
	net_socket(TCP, AF_INET, SOCK_STREAM, NULL, 0, NULL, 0);
	net_socket(TCP6, AF_INET6, SOCK_STREAM, NULL, 0, NULL, 0);
	net_socket(UDP, AF_INET, SOCK_DGRAM, NULL, 0, NULL, 0);
	for (int fd = UNIX; fd <= UNIX3; fd++)
		net_socket(fd, AF_UNIX, SOCK_STREAM, NULL, 0, NULL, 0);
	net_socket(LISTEN, AF_UNIX, SOCK_DGRAM, NULL, 0, NULL, 0);
}

#define BIND(fd_, addr_, len_, result, expected)                                                   \
	{                                                                                          \
		EV_BIND_X, SYS_bind, {fd_, P(addr_), (long)(len_)}, result,                        \
		{                                                                                  \
			RET("res"), INT("fd", fd_), expected                                       \
		}                                                                                  \
	}

static void bind_tells_what_the_caller_wrote(void **state)
{
	const struct truth_call calls[] = {
	    BIND(TCP, &server, sizeof(server), 0, LITERAL("addr", IN_ LOOP4_ SERVER_)),
	    BIND(TCP, &client, sizeof(client), -EINVAL, LITERAL("addr", IN_ LOOP4_ CLIENT_)),
	    BIND(TCP6, &server6, sizeof(server6), 0, LITERAL("addr", IN6_ LOOP6_ SERVER_)),
	    BIND(UNIX, &path, sizeof(path), 0, LITERAL("addr", "\1socket\0")),
	    BIND(UNIX2, &long_abstract, 3 + strlen(LONG_ABSTRACT), 0,
		 LITERAL("addr", "\1" LONG_ABSTRACT "\0")),
	    /* nothing of the name before, nothing behind the length */
	    BIND(UNIX3, &abstract, 2 + 1 + 5, 0, LITERAL("addr", "\1abstr\0")),
	    BIND(LISTEN, &full_path, sizeof(full_path), 0,
		 BYTES("addr", full_param, sizeof(full_param))),
	    BIND(-1, &path, 2 + 3, -EBADF, LITERAL("addr", "\1soc\0")),
	    BIND(-1, &path, 2, -EBADF, LITERAL("addr", "\1\0")),
	    BIND(-1, &server, 6, -EBADF, EMPTY("addr")),
	    BIND(-1, &server, 8, -EBADF, LITERAL("addr", IN_ LOOP4_ SERVER_)),
	    BIND(-1, &server6, 23, -EBADF, EMPTY("addr")),
	    BIND(-1, &server, 0, -EBADF, EMPTY("addr")),
	    BIND(-1, &server, 1, -EBADF, EMPTY("addr")),
	    BIND(UDP, 8, sizeof(server), -EFAULT, EMPTY("addr")),
	    BIND(-1, 0, sizeof(server), -EBADF, EMPTY("addr")),
	    BIND(-1, &other, sizeof(other), -EBADF, EMPTY("addr")),
	    BIND(-1, &server, 0x10010, -EBADF, LITERAL("addr", IN_ LOOP4_ SERVER_)),
	};

	full_param[0] = AF_UNIX;
	memset(full_param + 1, 'f', FULL_LEN);
	truth_calls(*state, unbound_sockets, CALLS(calls), NULL);
}

/* --- connect, listen, accept --- */

static void listening_sockets(void)
{
	int one = 1;

	unbound_sockets();
	net_socket(TCP2, AF_INET, SOCK_STREAM, &server, sizeof(server), NULL, 0);
	net_socket(TCP3, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, NULL, 0, NULL, 0);
	LIVE_NEED(!bind(TCP, (const void *)&client, sizeof(client)));
	LIVE_NEED(!setsockopt(TCP6, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	LIVE_NEED(!bind(TCP6, (const void *)&client6, sizeof(client6)));
	net_socket(UDP2, AF_INET6, SOCK_STREAM, &server6, sizeof(server6), NULL, 0);
	LIVE_NEED(!listen(UDP2, 3));
	LIVE_NEED(!bind(UDP, (const void *)&any_client, sizeof(any_client)));
}

static void fill_the_queue(void)
{
	net_socket(UNIX3 + 20, AF_INET, SOCK_STREAM, NULL, 0, &server, sizeof(server));
	net_socket(UNIX3 + 21, AF_INET, SOCK_STREAM, NULL, 0, &server, sizeof(server));
}

static void bind_the_late_one(void)
{
	LIVE_NEED(!listen(TCP2, 1));
	LIVE_NEED(!bind(TCP3, (const void *)&(struct sockaddr_in)SOCKADDR_IN(INADDR_LOOPBACK, 7003),
			sizeof(client)));
}

#define CONNECT(fd_, addr_, len_, result, tuple, addr)                                             \
	{                                                                                          \
		EV_CONNECT_X, SYS_connect, {fd_, P(addr_), (long)(len_)}, result,                  \
		{                                                                                  \
			RET("res"), INT("fd", fd_), tuple, addr                                    \
		}                                                                                  \
	}

static void connections_of_ip_sockets(void **state)
{
	const struct truth_call calls[] = {
	    {EV_LISTEN_X,
	     SYS_listen,
	     {TCP2, 4},
	     0,
	     {RET("res"), INT("fd", TCP2), INT("backlog", 4)}},
	    {EV_LISTEN_X,
	     SYS_listen,
	     {-3, -1},
	     -EBADF,
	     {RET("res"), INT("fd", -3), INT("backlog", -1)}},
	    CONNECT(TCP, &server, sizeof(server), 0,
		    LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_),
		    LITERAL("addr", IN_ LOOP4_ SERVER_)),
	    CONNECT(TCP, &server, sizeof(server), -EISCONN, EMPTY("tuple"),
		    LITERAL("addr", IN_ LOOP4_ SERVER_)),
	    {EV_ACCEPT_5_X, /* two more wait in the queue of four */
	     SYS_accept,
	     {TCP2},
	     TRUTH_ANY,
	     {BEFORE(fill_the_queue), RET("fd"),
	      LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_), INT("queuepct", 50),
	      INT("queuelen", 2), INT("queuemax", 4)}},
	    {EV_ACCEPT_5_X,
	     SYS_accept,
	     {TCP},
	     -EINVAL,
	     {RET("fd"), EMPTY("tuple"), INT("queuepct", 0), INT("queuelen", 0),
	      INT("queuemax", 0)}},
	    CONNECT(TCP6, &server6, sizeof(server6), 0,
		    LITERAL("tuple", IN6_ LOOP6_ CLIENT_ LOOP6_ SERVER_),
		    LITERAL("addr", IN6_ LOOP6_ SERVER_)),
	    {EV_ACCEPT4_6_X,
	     SYS_accept4,
	     {UDP2, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK},
	     TRUTH_ANY,
	     {RET("fd"), LITERAL("tuple", IN6_ LOOP6_ CLIENT_ LOOP6_ SERVER_), INT("queuepct", 0),
	      INT("queuelen", 0), INT("queuemax", 3), INT("flags", 64 | 4096)}},
	    {EV_ACCEPT4_6_X,
	     SYS_accept4,
	     {UDP2, 0, 0, 1 << 20},
	     -EINVAL,
	     {RET("fd"), EMPTY("tuple"), INT("queuepct", 0), INT("queuelen", 0), INT("queuemax", 0),
	      INT("flags", 0)}},
	    CONNECT(UDP, &server, sizeof(server), 0,
		    LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_),
		    LITERAL("addr", IN_ LOOP4_ SERVER_)),
	    {EV_CONNECT_X, /* the queue is full: nobody answers */
	     SYS_connect,
	     {TCP3, P(&server), sizeof(server)},
	     -EINPROGRESS,
	     {BEFORE(bind_the_late_one), RET("res"), INT("fd", TCP3),
	      LITERAL("tuple", IN_ LOOP4_ "\x5b\x1b" LOOP4_ SERVER_),
	      LITERAL("addr", IN_ LOOP4_ SERVER_)}},
	    CONNECT(-1, &nobody, sizeof(nobody), -EBADF, EMPTY("tuple"),
		    LITERAL("addr", IN_ LOOP4_ "\x09\0")),
	    CONNECT(2, &server, sizeof(server), -ENOTSOCK, EMPTY("tuple"),
		    LITERAL("addr", IN_ LOOP4_ SERVER_)),
	    CONNECT(UDP, 16, 16, -EFAULT, EMPTY("tuple"), EMPTY("addr")),
	    {EV_SHUTDOWN_X,
	     SYS_shutdown,
	     {TCP, SHUT_WR},
	     0,
	     {RET("res"), INT("fd", TCP), INT("how", 1)}},
	    {EV_SHUTDOWN_X,
	     SYS_shutdown,
	     {TCP, SHUT_RD},
	     0,
	     {RET("res"), INT("fd", TCP), INT("how", 0)}},
	    {EV_SHUTDOWN_X,
	     SYS_shutdown,
	     {-1, SHUT_RDWR},
	     -EBADF,
	     {RET("res"), INT("fd", -1), INT("how", 2)}},
	    {EV_SHUTDOWN_X,
	     SYS_shutdown,
	     {TCP, 77},
	     -EINVAL,
	     {RET("res"), INT("fd", TCP), INT("how", 255)}},
	    {EV_GETSOCKNAME_X, SYS_getsockname, {TCP, P(&from), P(&from_len)}, 0, {{0}}},
	    {EV_GETPEERNAME_X, SYS_getpeername, {-1, P(&from), P(&from_len)}, -EBADF, {{0}}},
	};

	truth_calls(*state, listening_sockets, CALLS(calls), NULL);
}

static void connect_unix(void *shared)
{
	(void)shared;
	live_pause();
	truth_enter_directory();
	net_socket(LISTEN, AF_UNIX, SOCK_STREAM, &path, sizeof(path), NULL, 0);
	net_socket(UNIX, AF_UNIX, SOCK_STREAM, &abstract, 2 + 1 + 5, NULL, 0);
	net_socket(UNIX2, AF_UNIX, SOCK_STREAM, NULL, 0, NULL, 0);
	net_socket(UNIX3, AF_UNIX, SOCK_STREAM, &long_abstract, 3 + sizeof(LONG_ABSTRACT) - 1, NULL,
		   0);
	LIVE_NEED(!listen(LISTEN, 4) && !listen(UNIX3, 4));
	live_resume();
	live_call(SYS_connect, UNIX, &path, sizeof(path));
	live_call(SYS_accept4, LISTEN, 0, 0, 0);
	live_call(SYS_connect, UNIX2, &long_abstract, 3 + sizeof(LONG_ABSTRACT) - 1);
	live_call(SYS_accept, UNIX3, 0, 0);
	live_call(SYS_connect, DATA, &missing, sizeof(missing));
	live_call(SYS_connect, UNIX2, &missing, sizeof(missing));
}

static void expect_unix_connect(struct live *l, int fd, const char *name, const void *addr,
				size_t n, uint64_t ends[2])
{
	struct live_event *e = expect_event(l, EV_CONNECT_X);

	expect_i64(e, "res", 0);
	net_unix_tuple(e, name, ends);
	expect_i64(e, "fd", fd);
	expect_bytes(e, "addr", addr, n);
}

static void connections_of_unix_sockets_tell_the_addresses_of_both_ends(void **state)
{
	struct live *l = *state;
	struct live_event *e;
	uint64_t out[2], in[2];

	live_run(l, "connect,accept,accept4", connect_unix);
	expect_unix_connect(l, UNIX, "socket", "\1socket", 8, out);
	e = expect_event(l, EV_ACCEPT4_6_X);
	net_unix_tuple(e, "socket", in);
	assert_true(out[0] && out[0] == in[0] && out[1] && out[1] == in[1]);
	expect_unix_connect(l, UNIX2, LONG_ABSTRACT, "\1" LONG_ABSTRACT, sizeof(LONG_ABSTRACT) + 1,
			    out);
	e = expect_event(l, EV_ACCEPT_5_X);
	net_unix_tuple(e, LONG_ABSTRACT, in);
	assert_true(out[0] == in[0] && out[1] == in[1]);
	e = expect_event(l, EV_CONNECT_X);
	expect_i64(e, "res", -EBADF);
	expect_bytes(e, "addr", "\1missing", 9);
	e = expect_event(l, EV_CONNECT_X);
	expect_i64(e, "res", -ENOENT);
	expect_empty(e, "tuple");
	expect_end(l);
}

/* --- sendto, recvfrom, sendfile --- */

static void datagram_sockets(void)
{
	net_enter();
	truth_enter_directory();
	net_socket(UDP, AF_INET, SOCK_DGRAM, &any_client, sizeof(any_client), NULL, 0);
	net_socket(UDP2, AF_INET, SOCK_DGRAM, &server, sizeof(server), NULL, 0);
	net_socket(UDP6, AF_INET6, SOCK_DGRAM, &server6, sizeof(server6), NULL, 0);
	net_socket(DUAL, AF_INET6, SOCK_DGRAM, &any6, sizeof(any6), NULL, 0);
	net_socket(TCP6, AF_INET6, SOCK_DGRAM, NULL, 0, NULL, 0);
	LIVE_NEED(!bind(TCP6, (const void *)&client6, sizeof(client6)));
	truth_move_fd(open("data", O_RDWR | O_CREAT, 0600), DATA);
	LIVE_NEED(write(DATA, "0123456789", 10) == 10);
}

static void connect_the_datagram_socket(void)
{
	LIVE_NEED(!connect(UDP, (const void *)&server, sizeof(server)));
}

#define SENDTO(fd_, p, n, addr, len, result, data, tuple)                                          \
	{                                                                                          \
		EV_SENDTO_X, SYS_sendto, {fd_, P(p), n, 0, P(addr), len}, result,                  \
		{                                                                                  \
			RET("res"), data, INT("fd", fd_), INT("size", n), tuple                    \
		}                                                                                  \
	}
#define RECVFROM(fd_, n, addr, len, result, data, tuple)                                           \
	{                                                                                          \
		EV_RECVFROM_X, SYS_recvfrom, {fd_, P(buffer), n, MSG_DONTWAIT, P(addr), P(len)},   \
		    result,                                                                        \
		{                                                                                  \
			RET("res"), data, INT("fd", fd_), INT("size", n), tuple                    \
		}                                                                                  \
	}

static void datagrams(void **state)
{
	const struct truth_call calls[] = {
	    /* not connected: the other end is where the caller says */
	    SENDTO(UDP, "to you", 6, &server, sizeof(server), 6, LITERAL("data", "to you"),
		   LITERAL("tuple", IN_ ANY4_ CLIENT_ LOOP4_ SERVER_)),
	    RECVFROM(UDP2, 100, &from, &from_len, 6, LITERAL("data", "to you"),
		     LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_)),
	    SENDTO(UDP, "again", 5, &server, sizeof(server), 5, LITERAL("data", "again"),
		   LITERAL("tuple", IN_ ANY4_ CLIENT_ LOOP4_ SERVER_)),
	    RECVFROM(UDP2, 3, 0, 0, 3, LITERAL("data", "aga"),
		     LITERAL("tuple", IN_ ANY4_ NO_PORT_ LOOP4_ SERVER_)),
	    SENDTO(DUAL, "four", 4, &server, sizeof(server), 4, LITERAL("data", "four"),
		   LITERAL("tuple", IN6_ ANY6_ "\x5b\x1b" MAPPED6_ LOOP4_ SERVER_)),
	    {EV_RECVFROM_X, /* the result is more than the buffer holds */
	     SYS_recvfrom,
	     {UDP2, P(buffer), 2, MSG_TRUNC, 0, 0},
	     4,
	     {RET("res"), LITERAL("data", "fo"), INT("fd", UDP2), INT("size", 2),
	      LITERAL("tuple", IN_ ANY4_ NO_PORT_ LOOP4_ SERVER_)}},
	    RECVFROM(UDP2, 100, &from, &from_len, -EAGAIN, EMPTY("data"), EMPTY("tuple")),
	    SENDTO(TCP6, "six", 3, &server6, sizeof(server6), 3, LITERAL("data", "six"),
		   LITERAL("tuple", IN6_ LOOP6_ CLIENT_ LOOP6_ SERVER_)),
	    RECVFROM(UDP6, 100, &from, &from6_len, 3, LITERAL("data", "six"),
		     LITERAL("tuple", IN6_ LOOP6_ CLIENT_ LOOP6_ SERVER_)),
	    SENDTO(UDP, "nowhere", 7, 0, 0, -EDESTADDRREQ, LITERAL("data", "nowhere"),
		   EMPTY("tuple")),
	    SENDTO(-1, "nobody", 6, &server, sizeof(server), -EBADF, LITERAL("data", "nobody"),
		   EMPTY("tuple")),
	    SENDTO(UDP, 8, 6, &server, sizeof(server), -EFAULT, EMPTY("data"), EMPTY("tuple")),
	    {EV_SENDTO_X, /* connected: the other end is the kernel's, whatever the address says */
	     SYS_sendto,
	     {UDP, P("x"), 1, 0, P(&nobody), sizeof(nobody)},
	     1,
	     {BEFORE(connect_the_datagram_socket), RET("res"), LITERAL("data", "x"), INT("fd", UDP),
	      INT("size", 1), LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_)}},
	    {EV_SENDFILE_X,
	     SYS_sendfile,
	     {UDP, DATA, P((uint64_t[]){2}), 5},
	     5,
	     {RET("res"), INT("offset", 7), INT("out_fd", UDP), INT("in_fd", DATA),
	      INT("size", 5)}},
	    {EV_SENDFILE_X,
	     SYS_sendfile,
	     {UDP, -2, 0, 0x123456789a},
	     -EBADF,
	     {RET("res"), INT("offset", 0), INT("out_fd", UDP), INT("in_fd", -2),
	      INT("size", 0x123456789a)}},
	};

	truth_calls(*state, datagram_sockets, CALLS(calls), NULL);
}

static void send_unix(void *shared)
{
	(void)shared;
	live_pause();
	truth_enter_directory();
	net_socket(LISTEN, AF_UNIX, SOCK_DGRAM, &path, sizeof(path), NULL, 0);
	net_socket(UNIX, AF_UNIX, SOCK_DGRAM, NULL, 0, NULL, 0);
	LIVE_NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, (int *)shared));
	live_resume();
	live_call(SYS_sendto, UNIX, "one", 3, 0, &path, sizeof(path));
	live_call(SYS_recvfrom, LISTEN, buffer, 10, 0, &from, &from_len);
	live_call(SYS_sendto, *(int *)shared, "two", 3, 0, 0, 0);
}

static void unix_datagrams_go_where_the_caller_says(void **state)
{
	struct live *l = *state;
	struct live_event *e;
	uint64_t out[2], in[2];

	live_run(l, "sendto,recvfrom", send_unix);
	e = expect_event(l, EV_SENDTO_X);
	net_unix_tuple(e, "socket", out); /* no peer: the caller's name */
	assert_true(!out[0] && out[1]);
	e = expect_event(l, EV_RECVFROM_X);
	net_unix_tuple(e, "socket", in);
	assert_true(in[0] && !in[1]);
	e = expect_event(l, EV_SENDTO_X);
	net_unix_tuple(e, "", out); /* a peer without a name */
	assert_true(out[0] && out[1]);
	expect_end(l);
}

/* --- a path to a socket is not a socket --- */

static void open_the_path(void)
{
	truth_enter_directory();
	net_socket(LISTEN, AF_UNIX, SOCK_DGRAM, &path, sizeof(path), NULL, 0);
	truth_move_fd(open("socket", O_PATH), DATA);
}

static void an_fd_of_a_sockets_name_is_none(void **state)
{
	const struct truth_call calls[] = {
	    SENDTO(DATA, "x", 1, &path, sizeof(path), -EBADF, LITERAL("data", "x"), EMPTY("tuple")),
	};

	truth_calls(*state, open_the_path, CALLS(calls), NULL);
}

LIVE_MAIN("truth_net",
	  "socket,socketpair,pipe,pipe2,bind,connect,listen,accept,accept4,sendto,recvfrom,"
	  "shutdown,getsockname,getpeername,sendfile",
	  cmocka_unit_test(every_family_and_type_of_socket),
	  cmocka_unit_test(socketpair_tells_both_ends),
	  cmocka_unit_test(pipes_have_the_number_of_their_inode),
	  cmocka_unit_test(bind_tells_what_the_caller_wrote),
	  cmocka_unit_test(connections_of_ip_sockets),
	  cmocka_unit_test(connections_of_unix_sockets_tell_the_addresses_of_both_ends),
	  cmocka_unit_test(datagrams), cmocka_unit_test(unix_datagrams_go_where_the_caller_says),
	  cmocka_unit_test(an_fd_of_a_sockets_name_is_none))
