/* SPDX-License-Identifier: Apache-2.0 */
/* Data that calls move by vectors of buffers and by messages, 64- and 32-bit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/tests/truth_net.h"

#define SEGMENTS 20
#define MANY	 40 /* more than are looked at */

enum { DATA = 100, UDP, UDP2, UNIX, UNIX2 };

static const struct sockaddr_in server = SOCKADDR_IN(INADDR_LOOPBACK, SERVER_PORT),
				client = SOCKADDR_IN(INADDR_LOOPBACK, CLIENT_PORT);
static const struct sockaddr_un path = {AF_UNIX, "socket"};

#define ALPHABET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
static char alphabet[] = ALPHABET ALPHABET ALPHABET;
static char buffer[4096];

#define SEGMENT(p, n)                                                                              \
	{                                                                                          \
		.iov_base = (void *)(p), .iov_len = (n)                                            \
	}
#define UNREADABLE ((void *)8)

static struct iovec three[32] = {SEGMENT(alphabet, 5), SEGMENT(alphabet + 10, 0),
				 SEGMENT(alphabet + 20, 7)},
		    big[] = {SEGMENT(alphabet, 60), SEGMENT(alphabet + 62, 60),
			     SEGMENT(alphabet, 62)},
		    second_faults[] = {SEGMENT(alphabet, 4), SEGMENT(UNREADABLE, 9)},
		    into[] = {SEGMENT(buffer, 3), SEGMENT(buffer + 100, 200)}, twenty[SEGMENTS],
		    many[MANY], remote[] = {SEGMENT(alphabet, 100)},
		    local[] = {SEGMENT(buffer, 20), SEGMENT(buffer + 200, 80)};

static void fill_vectors(void)
{
	for (size_t i = 0; i < SEGMENTS; i++)
		twenty[i] = (struct iovec)SEGMENT(alphabet + i, 1 + i % 3);
	for (size_t i = 0; i < MANY; i++)
		many[i] = (struct iovec)SEGMENT(alphabet + i, 2);
}

/* What the segments hold, one after the other. */
static const char *joined(const struct iovec *v, size_t n)
{
	static char out[4][1024];
	static unsigned turn;
	char *to = out[turn++ % 4], *at = to;

	for (size_t i = 0; i < n; i++) {
		memcpy(at, v[i].iov_base, v[i].iov_len);
		at += v[i].iov_len;
	}
	return to;
}

/* --- vectors --- */

static void open_data(void)
{
	truth_enter_directory();
	truth_move_fd(open("data", O_RDWR | O_CREAT, 0600), DATA);
}

static void rewind_data(void)
{
	LIVE_NEED(!lseek(DATA, 0, SEEK_SET));
}

#define WRITEV(fd_, vector, n, result, size_, data)                                                \
	{                                                                                          \
		EV_WRITEV_X, SYS_writev, {fd_, P(vector), (long)(n)}, result,                      \
		{                                                                                  \
			RET("res"), data, INT("fd", fd_), INT("size", size_)                       \
		}                                                                                  \
	}

static void writes_from_vectors(void **state)
{
	fill_vectors();
	const struct truth_call calls[] = {
	    WRITEV(DATA, three, 3, 12, 12, LITERAL("data", "abcdeuvwxyzA")),
	    WRITEV(DATA, big, 3, 182, 182, BYTES("data", joined(big, 3), 80)),
	    WRITEV(DATA, twenty, SEGMENTS, 39, 39, BYTES("data", joined(twenty, SEGMENTS), 39)),
	    /* 32 segments are looked at */
	    WRITEV(DATA, many, MANY, 80, 64, BYTES("data", joined(many, 32), 64)),
	    WRITEV(-1, big, 3, -EBADF, 182, BYTES("data", joined(big, 3), 80)),
	    WRITEV(-1, three, 1, -EBADF, 5, LITERAL("data", "abcde")),
	    WRITEV(-1, second_faults, 2, -EBADF, 13, LITERAL("data", "abcd")),
	    WRITEV(-1, 0, 2, -EBADF, 0, EMPTY("data")),
	    WRITEV(DATA, three, 0, 0, 0, EMPTY("data")),
	    WRITEV(DATA, three, -1, -EINVAL, 12, LITERAL("data", "abcdeuvwxyzA")),
	    {EV_PWRITEV_X,
	     SYS_pwritev,
	     {DATA, P(three), 3, 1000},
	     12,
	     {RET("res"), LITERAL("data", "abcdeuvwxyzA"), INT("fd", DATA), INT("size", 12),
	      INT("pos", 1000)}},
	    {EV_PWRITEV_X,
	     SYS_pwritev,
	     {-1, P(three), 1, 0x123456789a},
	     -EBADF,
	     {RET("res"), LITERAL("data", "abcde"), INT("fd", -1), INT("size", 5),
	      INT("pos", 0x123456789a)}},
	};
	truth_calls(*state, open_data, CALLS(calls), NULL);
}

static void prepare_reads(void)
{
	open_data();
	LIVE_NEED(write(DATA, alphabet, 186) == 186);
	rewind_data();
}

static void reads_into_vectors(void **state)
{
	const struct truth_call calls[] = {
	    {EV_READV_X,
	     SYS_readv,
	     {DATA, P(into), 2},
	     186,
	     {RET("res"), INT("size", 186), BYTES("data", alphabet, 80), INT("fd", DATA)}},
	    {EV_READV_X,
	     SYS_readv,
	     {DATA, P(into), 2},
	     0,
	     {RET("res"), INT("size", 0), EMPTY("data"), INT("fd", DATA)}},
	    {EV_READV_X,
	     SYS_readv,
	     {DATA, P(into), 1},
	     3,
	     {BEFORE(rewind_data), RET("res"), INT("size", 3), LITERAL("data", "abc"),
	      INT("fd", DATA)}},
	    {EV_READV_X,
	     SYS_readv,
	     {-1, P(into), 2},
	     -EBADF,
	     {RET("res"), INT("size", 0), EMPTY("data"), INT("fd", -1)}},
	    {EV_PREADV_X,
	     SYS_preadv,
	     {DATA, P(into), 2, 180},
	     6,
	     {RET("res"), INT("size", 6), BYTES("data", alphabet + 180, 6), INT("fd", DATA),
	      INT("pos", 180)}},
	    {EV_PREADV_X,
	     SYS_preadv,
	     {DATA, P(into), 2, -1},
	     -EINVAL,
	     {RET("res"), INT("size", 0), EMPTY("data"), INT("fd", DATA), INT("pos", -1)}},
	};

	truth_calls(*state, prepare_reads, CALLS(calls), NULL);
}

static void other_memory(void *shared)
{
	long pid = *(long *)shared = getpid();

	live_call(SYS_process_vm_readv, pid, local, 2, remote, 1, 0);
	live_call(SYS_process_vm_readv, -5, local, 2, remote, 1, 0);
	live_call(SYS_process_vm_writev, pid, three, 3, into, 2, 0);
	live_call(SYS_process_vm_writev, pid, three, 3, into, 2, 1);
}

static void memory_of_processes(void **state)
{
	struct live *l = *state;
	long pid = *(long *)live_run(l, "process_vm_readv,process_vm_writev", other_memory);
	struct live_event *e = expect_event(l, EV_PROCESS_VM_READV_X);

	expect_i64(e, "res", 100);
	expect_i64(e, "pid", pid);
	expect_bytes(e, "data", alphabet, 80);
	e = expect_event(l, EV_PROCESS_VM_READV_X);
	expect_i64(e, "res", -ESRCH);
	expect_i64(e, "pid", -5);
	expect_empty(e, "data");
	e = expect_event(l, EV_PROCESS_VM_WRITEV_X);
	expect_i64(e, "res", 12);
	expect_i64(e, "pid", pid);
	expect_bytes(e, "data", "abcdeuvwxyzA", 12);
	e = expect_event(l, EV_PROCESS_VM_WRITEV_X);
	expect_i64(e, "res", -EINVAL);
	expect_i64(e, "pid", pid);
	expect_empty(e, "data");
	expect_end(l);
}

/* --- messages --- */

static struct sockaddr_storage from;
static uint8_t control_in[64];
static struct {
	size_t len;
	int level, type, fds[2];
} rights = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS, {1, 2}};

static struct msghdr to_server = {.msg_name = (void *)&server,
				  .msg_namelen = sizeof(server),
				  .msg_iov = three,
				  .msg_iovlen = 3},
		     to_peer = {.msg_iov = big,
				.msg_iovlen = 3,
				.msg_control = &rights,
				.msg_controllen = CMSG_LEN(2 * sizeof(int))},
		     nowhere = {.msg_name = (void *)&server, .msg_namelen = sizeof(server)},
		     from_anyone = {.msg_name = &from,
				    .msg_namelen = sizeof(from),
				    .msg_iov = into,
				    .msg_iovlen = 2},
		     from_peer = {.msg_iov = into,
				  .msg_iovlen = 2,
				  .msg_control = control_in,
				  .msg_controllen = sizeof(control_in)};

static void open_sockets(void)
{
	net_enter();
	truth_enter_directory();
	net_socket(UDP, AF_INET, SOCK_DGRAM, &client, sizeof(client), NULL, 0);
	net_socket(UDP2, AF_INET, SOCK_DGRAM, &server, sizeof(server), NULL, 0);
	net_socket(UNIX, AF_UNIX, SOCK_DGRAM, &path, sizeof(path), NULL, 0);
	net_socket(UNIX2, AF_UNIX, SOCK_DGRAM, NULL, 0, &path, sizeof(path));
}

#define TO_SERVER   LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_)
#define FROM_CLIENT LITERAL("tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_)

static void messages_between_ip_sockets(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SENDMSG_X,
	     SYS_sendmsg,
	     {UDP, P(&to_server)},
	     12,
	     {RET("res"), LITERAL("data", "abcdeuvwxyzA"), INT("fd", UDP), INT("size", 12),
	      TO_SERVER}},
	    {EV_RECVMSG_X,
	     SYS_recvmsg,
	     {UDP2, P(&from_anyone)},
	     12,
	     {RET("res"), INT("size", 12), LITERAL("data", "abcdeuvwxyzA"), FROM_CLIENT,
	      EMPTY("msgcontrol"), INT("fd", UDP2)}},
	    {EV_RECVMSG_X,
	     SYS_recvmsg,
	     {UDP2, P(&from_peer), MSG_DONTWAIT},
	     -EAGAIN,
	     {RET("res"), INT("size", 0), EMPTY("data"), EMPTY("tuple"), EMPTY("msgcontrol"),
	      INT("fd", UDP2)}},
	    {EV_SENDMSG_X,
	     SYS_sendmsg,
	     {UDP, P(&to_peer)},
	     -EDESTADDRREQ,
	     {RET("res"), BYTES("data", joined(big, 3), 80), INT("fd", UDP), INT("size", 182),
	      EMPTY("tuple")}},
	    {EV_SENDMSG_X,
	     SYS_sendmsg,
	     {UDP, P(&nowhere)},
	     0,
	     {RET("res"), EMPTY("data"), INT("fd", UDP), INT("size", 0), TO_SERVER}},
	    {EV_RECVMSG_X,
	     SYS_recvmsg,
	     {UDP2, P(&from_anyone)},
	     0,
	     {RET("res"), INT("size", 0), EMPTY("data"), FROM_CLIENT, EMPTY("msgcontrol"),
	      INT("fd", UDP2)}},
	    {EV_SENDMSG_X, /* the message itself is not there */
	     SYS_sendmsg,
	     {UDP, P(UNREADABLE)},
	     -EFAULT,
	     {RET("res"), EMPTY("data"), INT("fd", UDP), EMPTY("size"), EMPTY("tuple")}},
	    {EV_RECVMSG_X,
	     SYS_recvmsg,
	     {-1, P(UNREADABLE)},
	     -EBADF,
	     {RET("res"), INT("size", 0), EMPTY("data"), EMPTY("tuple"), EMPTY("msgcontrol"),
	      INT("fd", -1)}},
	};

	truth_calls(*state, open_sockets, CALLS(calls), NULL);
}

static void pass_fds(void *shared)
{
	live_pause();
	open_sockets();
	live_resume();
	live_call(SYS_sendmsg, UNIX2, &to_peer, 0);
	live_call(SYS_recvmsg, UNIX, &from_peer, 0);
	memcpy(shared, control_in, sizeof(control_in));
	((long *)shared)[20] = (long)from_peer.msg_controllen;
}

static void fds_in_messages_are_kept(void **state)
{
	struct live *l = *state;
	const long *shared = live_run(l, "sendmsg,recvmsg", pass_fds);
	struct live_event *e = expect_event(l, EV_SENDMSG_X);
	uint64_t out[2], in[2];

	expect_i64(e, "res", 182);
	expect_i64(e, "size", 182);
	net_unix_tuple(e, "socket", out);
	e = expect_event(l, EV_RECVMSG_X);
	expect_i64(e, "res", 182);
	expect_i64(e, "size", 182);
	expect_bytes(e, "data", joined(big, 3), 80);
	net_unix_tuple(e, "socket", in);
	assert_true(out[0] && out[0] == in[0]);
	assert_int_equal(shared[20], CMSG_LEN(2 * sizeof(int)));
	expect_bytes(e, "msgcontrol", shared, CMSG_LEN(2 * sizeof(int)));
	expect_end(l);
}

/* --- vectors of messages --- */

static struct mmsghdr out[3] = {
    {{.msg_name = (void *)&server,
      .msg_namelen = sizeof(server),
      .msg_iov = three,
      .msg_iovlen = 3},
     0},
    {{.msg_name = (void *)&server, .msg_namelen = sizeof(server), .msg_iov = big, .msg_iovlen = 3},
     0},
    {{.msg_name = (void *)&server,
      .msg_namelen = sizeof(server),
      .msg_iov = three,
      .msg_iovlen = 1},
     0}};
static char room[3][200];
static struct sockaddr_in sender[3];
static struct iovec room_of[3] = {SEGMENT(room[0], 200), SEGMENT(room[1], 200),
				  SEGMENT(room[2], 200)};
static char stamps[3][100];

static void exchange(void *shared)
{
	struct mmsghdr in[3] = {{{0}, 0}};
	long *ret = shared;
	int one = 1;

	live_pause();
	open_sockets();
	LIVE_NEED(!setsockopt(UDP2, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one)));
	for (int i = 0; i < 3; i++)
		in[i].msg_hdr = (struct msghdr){.msg_name = &sender[i],
						.msg_namelen = sizeof(sender[i]),
						.msg_iov = &room_of[i],
						.msg_iovlen = 1,
						.msg_control = stamps[i],
						.msg_controllen = sizeof(stamps[i])};
	live_resume();
	ret[0] = live_call(SYS_sendmmsg, UDP, out, 3, 0);
	ret[1] = live_call(SYS_recvmmsg, UDP2, in, 3, MSG_DONTWAIT, 0);
	ret[2] = live_call(SYS_recvmmsg, UDP2, in, 3, MSG_DONTWAIT, 0);
	ret[3] = live_call(SYS_sendmmsg, -1, out, 3, 0);
	memcpy(ret + 8, stamps, sizeof(stamps));
	ret[4] = (long)in[0].msg_hdr.msg_controllen;
}

static void a_vector_of_messages_is_an_event_for_each(void **state)
{
	static const long sizes[] = {12, 182, 5}, kept[] = {12, 80, 5};
	struct live *l = *state;
	const long *ret = live_run(l, "sendmmsg,recvmmsg", exchange);
	struct live_event *e;

	assert_int_equal(ret[0], 3);
	assert_int_equal(ret[1], 3);
	assert_true(ret[4] > 0);
	for (int i = 0; i < 3; i++) {
		e = expect_event(l, EV_SENDMMSG_X);
		expect_i64(e, "res", sizes[i]);
		expect_i64(e, "fd", UDP);
		expect_i64(e, "size", sizes[i]);
		expect_bytes(e, "data", i == 1 ? joined(big, 3) : "abcdeuvwxyzA", (size_t)kept[i]);
		expect_bytes(e, "tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_, 13);
	}
	for (int i = 0; i < 3; i++) {
		e = expect_event(l, EV_RECVMMSG_X);
		expect_i64(e, "res", sizes[i]);
		expect_i64(e, "fd", UDP2);
		expect_i64(e, "size", sizes[i]);
		expect_bytes(e, "data", i == 1 ? joined(big, 3) : "abcdeuvwxyzA", (size_t)kept[i]);
		expect_bytes(e, "tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_, 13);
		expect_bytes(e, "msgcontrol", (const char *)(ret + 8) + 100 * i, (size_t)ret[4]);
	}
	e = expect_event(l, EV_RECVMMSG_X);
	expect_i64(e, "res", -EAGAIN);
	expect_i64(e, "fd", UDP2);
	expect_i64(e, "size", 0);
	expect_empty(e, "data");
	expect_empty(e, "tuple");
	expect_empty(e, "msgcontrol");
	e = expect_event(l, EV_SENDMMSG_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "fd", -1);
	expect_i64(e, "size", 0);
	expect_empty(e, "data");
	expect_empty(e, "tuple");
	expect_end(l);
}

#define CROWD 100

static void send_a_crowd(void *shared)
{
	static struct mmsghdr crowd[CROWD];

	live_pause();
	open_sockets();
	for (size_t i = 0; i < CROWD; i++)
		crowd[i] = out[i % 3];
	live_resume();
	*(long *)shared = live_call(SYS_sendmmsg, UDP, crowd, CROWD, 0);
}

static void no_message_of_many_is_left_out(void **state)
{
	struct live *l = *state;
	long sent = *(long *)live_run(l, "sendmmsg", send_a_crowd);

	assert_int_equal(sent, CROWD);
	for (long i = 0; i < sent; i++)
		expect_i64(expect_event(l, EV_SENDMMSG_X), "res",
			   i % 3 == 1 ? 182
			   : i % 3    ? 5
				      : 12);
	expect_end(l);
}

/* --- 32-bit callers --- */

struct iovec_32 {
	uint32_t base, len;
};
struct msghdr_32 {
	uint32_t name, namelen, iov, iovlen, control, controllen, flags, len;
};
struct low { /* all that 32-bit calls pass */
	struct sockaddr_in to, from;
	struct iovec_32 out[2], in[2];
	struct msghdr_32 send[2], receive;
	uint32_t args[6], off[2];
	int32_t timeout[2];
	char data[64], buffer[64], control[64];
};

#define LOW(p) ((uint32_t)(uintptr_t)(p))
enum { IA32_READV = 145, IA32_WRITEV, IA32_SENDFILE = 187, IA32_SENDFILE64 = 239 };
enum { IA32_SOCKETCALL = 102, IA32_PREADV = 333, IA32_SENDMMSG = 345, IA32_SETSOCKOPT = 366 };
enum { CALL_SOCKET = 1, CALL_SEND = 9, CALL_RECV = 10, CALL_SENDMSG = 16, CALL_RECVMSG = 17 };

static struct low *prepare_low(void)
{
	struct low *m = net_low(sizeof(*m));

	open_sockets();
	truth_move_fd(open("data", O_RDWR | O_CREAT, 0600), DATA);
	memcpy(m->data, alphabet, sizeof(m->data));
	m->to = server;
	m->out[0] = (struct iovec_32){LOW(m->data), 4};
	m->out[1] = (struct iovec_32){LOW(m->data + 30), 6};
	m->in[0] = (struct iovec_32){LOW(m->buffer), 3};
	m->in[1] = (struct iovec_32){LOW(m->buffer + 30), 20};
	m->send[0] = m->send[1] =
	    (struct msghdr_32){LOW(&m->to), sizeof(m->to), LOW(m->out), 2, 0, 0, 0, 0};
	m->receive = (struct msghdr_32){LOW(&m->from),	 sizeof(m->from),    LOW(m->in), 2,
					LOW(m->control), sizeof(m->control), 0,		 0};
	return m;
}

static long socketcall(struct low *m, long call, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	const uint32_t args[] = {a, b, c, d};

	memcpy(m->args, args, sizeof(args));
	return net_ia32(IA32_SOCKETCALL, call, (long)LOW(m->args), 0, 0, 0);
}

static void call_32(void *shared)
{
	struct low *m;
	long *ret = shared;

	live_pause();
	m = prepare_low();
	live_resume();
	*ret++ = net_ia32(IA32_WRITEV, DATA, LOW(m->out), 2, 0, 0);
	*ret++ = net_ia32(IA32_PREADV, DATA, LOW(m->in), 2, 6, 0);
	*ret++ = net_ia32(IA32_PREADV, DATA, LOW(m->in), 2, 6, 5);
	*ret++ = socketcall(m, CALL_SENDMSG, UDP, LOW(&m->send[0]), 0, 0);
	*ret++ = socketcall(m, CALL_RECVMSG, UDP2, LOW(&m->receive), 0, 0);
	*ret++ = net_ia32(IA32_SENDMMSG, UDP, LOW(m->send), 2, 0, 0);
	*ret++ = socketcall(m, CALL_RECV, UDP2, LOW(m->buffer), 5, 0);
	*ret++ = socketcall(m, CALL_SEND, UDP2, LOW(m->data), 5, 0);
	*ret++ = socketcall(m, CALL_SOCKET, AF_UNIX, SOCK_DGRAM, 0, 0);
	m->off[0] = 2;
	m->off[1] = 0x7777; /* no part of the offset */
	*ret++ = net_ia32(IA32_SENDFILE, UDP2, DATA, LOW(m->off), 0, 0);
	m->off[1] = 0;
	*ret++ = net_ia32(IA32_SENDFILE64, -1, DATA, LOW(m->off), 3, 0);
	m->timeout[0] = 2;
	m->timeout[1] = 7;
	*ret++ = net_ia32(IA32_SETSOCKOPT, UDP, SOL_SOCKET, SO_RCVTIMEO, LOW(m->timeout), 8);
}

static void structs_of_32_bit_callers_are_narrow(void **state)
{
	static const char sent[] = "abcdEFGHIJ";
	struct live *l = *state;
	const long *ret;
	struct live_event *e;

#ifndef __x86_64__
	skip();
#endif
	ret = live_run(l,
		       "writev,preadv,sendmsg,recvmsg,sendmmsg,recvfrom,sendto,socket,sendfile,"
		       "setsockopt",
		       call_32);
	if (ret[0] == -ENOSYS)
		skip();
	e = expect_event(l, EV_WRITEV_X);
	expect_i64(e, "res", 10);
	expect_bytes(e, "data", sent, 10);
	expect_i64(e, "size", 10);
	e = expect_event(l, EV_PREADV_X);
	expect_i64(e, "res", 4);
	expect_bytes(e, "data", "GHIJ", 4);
	expect_i64(e, "pos", 6);
	e = expect_event(l, EV_PREADV_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "pos", 0x500000006);
	e = expect_event(l, EV_SENDMSG_X);
	expect_i64(e, "res", 10);
	expect_i64(e, "size", 10);
	expect_bytes(e, "data", sent, 10);
	expect_bytes(e, "tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_, 13);
	e = expect_event(l, EV_RECVMSG_X);
	expect_i64(e, "res", 10);
	expect_bytes(e, "data", sent, 10);
	expect_bytes(e, "tuple", IN_ LOOP4_ CLIENT_ LOOP4_ SERVER_, 13);
	expect_empty(e, "msgcontrol");
	for (int i = 0; i < 2; i++) {
		e = expect_event(l, EV_SENDMMSG_X);
		expect_i64(e, "res", 10);
		expect_bytes(e, "data", sent, 10);
	}
	e = expect_event(l, EV_RECVFROM_X);
	expect_i64(e, "res", 5);
	expect_bytes(e, "data", sent, 5);
	expect_i64(e, "size", 5);
	e = expect_event(l, EV_SENDTO_X);
	expect_i64(e, "res", -EDESTADDRREQ);
	expect_bytes(e, "data", alphabet, 5);
	e = expect_event(l, EV_SOCKET_X);
	expect_i64(e, "domain", 1);
	expect_i64(e, "type", SOCK_DGRAM);
	e = expect_event(l, EV_SENDFILE_X);
	expect_i64(e, "offset", 2);
	e = expect_event(l, EV_SENDFILE_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "offset", 2);
	expect_i64(e, "size", 3);
	e = expect_event(l, EV_SETSOCKOPT_X);
	expect_i64(e, "res", 0);
	expect_dyn(e, "val", 4, 2000007000, 8);
	expect_end(l);
}

LIVE_MAIN("truth_vector",
	  "readv,preadv,writev,pwritev,process_vm_readv,process_vm_writev,sendmsg,recvmsg,sendmmsg,"
	  "recvmmsg,recvfrom,sendto,socket,sendfile,setsockopt",
	  cmocka_unit_test(writes_from_vectors), cmocka_unit_test(reads_into_vectors),
	  cmocka_unit_test(memory_of_processes), cmocka_unit_test(messages_between_ip_sockets),
	  cmocka_unit_test(fds_in_messages_are_kept),
	  cmocka_unit_test(a_vector_of_messages_is_an_event_for_each),
	  cmocka_unit_test(no_message_of_many_is_left_out),
	  cmocka_unit_test(structs_of_32_bit_callers_are_narrow))
