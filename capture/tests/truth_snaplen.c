/* SPDX-License-Identifier: Apache-2.0 */
/* How many of the bytes that a call moved are kept: what is set, and what ports and bytes ask for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#include "capture/wire.h"

#define PAYLOAD	   65500
#define FIRST_PORT 9000 /* of those recorded whole, see LIVE_MAIN */
#define LAST_PORT  9010

enum { SOCKET = 100, OTHER, DATA };

static char payload[PAYLOAD], received[PAYLOAD];

static void fill_payload(const void *head, size_t n)
{
	for (size_t i = 0; i < PAYLOAD; i++)
		payload[i] = (char)('a' + i % 26);
	memcpy(payload, head, n);
}

static void expect_kept(struct live_event *e, size_t kept)
{
	expect_bytes(e, "data", payload, kept);
}

/* --- what is set --- */

static void move_much(void *shared)
{
	struct iovec halves[2] = {{payload, PAYLOAD / 2}, {payload + PAYLOAD / 2, PAYLOAD / 2}},
		     into[2] = {{received, 10000}, {received + 10000, PAYLOAD - 10000}};

	(void)shared;
	live_pause();
	truth_move_fd(memfd_create("data", 0), DATA);
	live_resume();
	live_call(SYS_write, DATA, payload, PAYLOAD);
	live_call(SYS_pread64, DATA, received, PAYLOAD, 0);
	live_call(SYS_writev, DATA, halves, 2);
	live_call(SYS_preadv, DATA, into, 2, 0);
	live_call(SYS_write, -1, payload, PAYLOAD);
	live_call(SYS_write, DATA, payload, 7);
}

static void check_snaplen(struct live *l, uint32_t snaplen, uint32_t shed, size_t kept)
{
	live_settings(l, snaplen, shed);
	live_run(l, "write,writev,pread64,preadv", move_much);
	expect_kept(expect_event(l, EV_WRITE_X), kept);
	expect_kept(expect_event(l, EV_PREAD_X), kept);
	expect_kept(expect_event(l, EV_WRITEV_X), kept);
	expect_kept(expect_event(l, EV_PREADV_X), kept);
	expect_kept(expect_event(l, EV_WRITE_X), kept);
	expect_kept(expect_event(l, EV_WRITE_X), kept < 7 ? kept : 7);
	expect_end(l);
	live_settings(l, 80, WIRE_SHED_NOTHING);
}

static void the_snaplen_is_kept_to(void **state)
{
	fill_payload("", 0);
	check_snaplen(*state, 80, WIRE_SHED_NOTHING, 80);
	check_snaplen(*state, 0, WIRE_SHED_NOTHING, 0);
	check_snaplen(*state, 1, WIRE_SHED_NOTHING, 1);
	check_snaplen(*state, 2000, WIRE_SHED_NOTHING, 2000);
	check_snaplen(*state, 65000, WIRE_SHED_NOTHING, 65000);
	check_snaplen(*state, 1u << 31, WIRE_SHED_NOTHING, WIRE_SNAPLEN_MAX);
}

static void under_pressure_data_is_left_out(void **state)
{
	fill_payload("", 0);
	check_snaplen(*state, 80, WIRE_SHED_GENERIC, 80);
	check_snaplen(*state, 80, WIRE_SHED_DATA, 0);
}

/* --- messages as large as an event can be --- */

#define FDS 200 /* their control data does not fit behind the data */

static void move_large_messages(void *shared)
{
	static char control[CMSG_SPACE(FDS * sizeof(int))];
	struct iovec v = {payload, PAYLOAD}, in = {received, PAYLOAD};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2], size = 1 << 20;

	live_pause();
	LIVE_NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	LIVE_NEED(!setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(FDS * sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS};
	for (size_t i = 0; i < FDS; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){2}, sizeof(int));
	live_resume();
	live_call(SYS_sendmsg, pair[0], &m, 0);
	m.msg_iov = &in;
	*(long *)shared = live_call(SYS_recvmsg, pair[1], &m, 0);
}

static void a_large_message_is_cut_and_not_lost(void **state)
{
	struct live *l = *state;
	struct live_event *e;
	const long *ret;

	fill_payload("", 0);
	live_settings(l, 65000, WIRE_SHED_NOTHING);
	ret = live_run(l, "sendmsg,recvmsg", move_large_messages);
	live_settings(l, 80, WIRE_SHED_NOTHING);
	assert_int_equal(*ret, PAYLOAD);
	e = expect_event(l, EV_SENDMSG_X);
	expect_kept(e, 65000);
	e = expect_event(l, EV_RECVMSG_X);
	expect_kept(e, 65000);
	assert_in_range(live_value(e, "msgcontrol").n, CMSG_LEN(80 * sizeof(int)),
			CMSG_LEN(FDS * sizeof(int)));
	expect_i64(e, "fd", live_number(e, "fd"));
	expect_end(l);
}

/* --- what ports and bytes ask for --- */

enum call { WRITE, READ, SENDTO, SENDTO6, WRITEV, SENDMSG, SENDMMSG, UNIX_WRITE, PIPE_WRITE };

struct rule {
	enum call call;
	uint16_t local, remote; /* 0: any */
	const char *head;	/* of the bytes */
	size_t head_len, size, kept;
};

#define HEAD(text) text, sizeof(text) - 1
#define NO_HEAD	   "", 0
#define OP(low)	   HEAD("abcdefghijkl" low "\0\0")

static const struct rule rules[] = {
    {WRITE, 0, 7777, NO_HEAD, 5000, 80},
    {WRITE, 0, FIRST_PORT, NO_HEAD, 20000, 16000},
    {WRITE, FIRST_PORT, 7777, NO_HEAD, 20000, 16000},
    {WRITE, 0, LAST_PORT, NO_HEAD, 300, 300},
    {WRITE, 0, LAST_PORT + 1, NO_HEAD, 300, 80},
    {WRITE, 0, FIRST_PORT - 1, NO_HEAD, 300, 80},
    {READ, FIRST_PORT, 7777, NO_HEAD, 20000, 16000},
    {SENDTO, 0, FIRST_PORT + 5, NO_HEAD, 20000, 16000},
    {WRITEV, 0, FIRST_PORT + 5, NO_HEAD, 20000, 16000},
    {SENDMSG, 0, FIRST_PORT + 5, NO_HEAD, 20000, 16000},
    {SENDMMSG, 0, FIRST_PORT + 5, NO_HEAD, 20000, 16000},
    {WRITE, 0, 8125, NO_HEAD, 5000, 2000}, /* statsd */
    {WRITE, 8125, 7777, NO_HEAD, 5000, 80},
    {WRITEV, 0, 8125, NO_HEAD, 5000, 2000},
    {WRITE, 0, 53, NO_HEAD, 5000, 512}, /* DNS */
    {WRITE, 53, 7777, NO_HEAD, 5000, 80},
    {SENDTO, 0, 53, NO_HEAD, 5000, 512},
    {SENDTO6, 0, 53, NO_HEAD, 5000, 512},
    {SENDMSG, 0, 53, NO_HEAD, 5000, 512},
    {SENDMMSG, 0, 53, NO_HEAD, 5000, 512},
    {WRITE, 0, 53, NO_HEAD, 100, 100},
    {WRITE, 0, 3306, HEAD("\3"), 5000, 2000}, /* MySQL */
    {WRITE, 3306, 7777, HEAD("abcd\3"), 5000, 2000},
    {READ, 3306, 7777, HEAD("ab\0\0"), 5000, 2000},
    {WRITE, 0, 3306, HEAD("abcde\3"), 5000, 80},
    {WRITEV, 0, 3306, HEAD("\3"), 5000, 80},
    {WRITE, 0, 5432, HEAD("Q\0"), 5000, 2000}, /* PostgreSQL */
    {WRITE, 0, 5432, HEAD("P\0"), 5000, 2000},
    {WRITE, 5432, 7777, HEAD("E\0"), 5000, 2000},
    {WRITE, 0, 5432, HEAD("abcd\0\3\0"), 5000, 2000},
    {WRITE, 0, 5432, HEAD("abcd\0\3"), 5000, 80},
    {WRITE, 0, 27017, NO_HEAD, 5000, 2000}, /* MongoDB */
    {SENDTO, 27017, 7777, NO_HEAD, 5000, 2000},
    {WRITE, 0, 7777, OP("\1\0"), 5000, 2000},
    {WRITE, 0, 7777, OP("\xd1\x07"), 5000, 2000},
    {WRITE, 0, 7777, OP("\xd7\x07"), 5000, 2000},
    {WRITE, 0, 7777, OP("\xd0\x07"), 5000, 80},
    {WRITE, 0, 7777, OP("\xd8\x07"), 5000, 80},
    {SENDMSG, 0, 27017, NO_HEAD, 5000, 80},
    {WRITE, 0, 7777, HEAD("GET /"), 5000, 2000}, /* HTTP */
    {WRITE, 0, 7777, HEAD("POST"), 5000, 2000},
    {WRITE, 0, 7777, HEAD("PUT "), 5000, 2000},
    {WRITE, 0, 7777, HEAD("DELE"), 5000, 2000},
    {WRITE, 0, 7777, HEAD("TRAC"), 5000, 2000},
    {WRITE, 0, 7777, HEAD("CONN"), 5000, 2000},
    {WRITE, 0, 7777, HEAD("OPTI"), 5000, 2000},
    {READ, 0, 7777, HEAD("HTTP/"), 5000, 2000},
    {WRITE, 0, 7777, HEAD("HTTPS"), 5000, 80},
    {WRITE, 0, 7777, HEAD("GEt /"), 5000, 80},
    {WRITEV, 0, 7777, HEAD("GET /"), 5000, 80},
    {UNIX_WRITE, 0, 0, HEAD("GET /"), 5000, 2000},
    {PIPE_WRITE, 0, 0, HEAD("GET /"), 5000, 80},
};

static const unsigned types[] = {EV_WRITE_X,   EV_READ_X,     EV_SENDTO_X, EV_SENDTO_X, EV_WRITEV_X,
				 EV_SENDMSG_X, EV_SENDMMSG_X, EV_WRITE_X,  EV_WRITE_X};
static const struct rule *rule;

/* The other end is at the remote port, too, to have something to read. */
static void open_ends(const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
	int pair[2], pipe_size = 1 << 16;
	bool connected = rule->call == WRITE || rule->call == READ || rule->call == WRITEV;

	if (rule->call == UNIX_WRITE) {
		LIVE_NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
		truth_move_fd(pair[0], SOCKET);
	} else if (rule->call == PIPE_WRITE) {
		LIVE_NEED(!pipe(pair) && fcntl(pair[1], F_SETPIPE_SZ, pipe_size) > 0);
		truth_move_fd(pair[1], SOCKET);
	} else if (rule->call == SENDTO6) {
		net_socket(SOCKET, AF_INET6, SOCK_DGRAM, NULL, 0, NULL, 0);
	} else {
		net_socket(SOCKET, AF_INET, SOCK_DGRAM, local, sizeof(*local), NULL, 0);
		net_socket(OTHER, AF_INET, SOCK_DGRAM, remote, sizeof(*remote), NULL, 0);
	}
	if (connected)
		LIVE_NEED(!connect(SOCKET, (const void *)remote, sizeof(*remote)));
	if (rule->call == READ)
		LIVE_NEED(sendto(OTHER, payload, rule->size, 0, (const void *)local,
				 sizeof(*local)) == (ssize_t)rule->size);
}

static long follow(struct sockaddr_in *remote)
{
	struct sockaddr_in6 remote6 = SOCKADDR_IN6_LOOP(rule->remote);
	struct iovec v[2] = {{payload, 10}, {payload + 10, rule->size - 10}};
	struct mmsghdr m = {
	    {.msg_name = remote, .msg_namelen = sizeof(*remote), .msg_iov = v, .msg_iovlen = 2}, 0};

	switch (rule->call) {
	case READ:
		return live_call(SYS_read, SOCKET, received, PAYLOAD);
	case SENDTO:
		return live_call(SYS_sendto, SOCKET, payload, rule->size, 0, remote,
				 sizeof(*remote));
	case SENDTO6:
		return live_call(SYS_sendto, SOCKET, payload, rule->size, 0, &remote6,
				 sizeof(remote6));
	case WRITEV:
		return live_call(SYS_writev, SOCKET, v, 2);
	case SENDMSG:
		return live_call(SYS_sendmsg, SOCKET, &m.msg_hdr, 0);
	case SENDMMSG:
		return live_call(SYS_sendmmsg, SOCKET, &m, 1, 0);
	default:
		return live_call(SYS_write, SOCKET, payload, rule->size);
	}
}

static void follow_rule(void *shared)
{
	struct sockaddr_in local = SOCKADDR_IN(INADDR_LOOPBACK, rule->local ? rule->local : 6000),
			   remote = SOCKADDR_IN(INADDR_LOOPBACK, rule->remote);

	live_pause();
	net_enter();
	open_ends(&local, &remote);
	live_resume();
	*(long *)shared = follow(&remote);
}

static void check_rule(struct live *l, const struct rule *r, size_t kept)
{
	struct live_event *e;
	struct ev_value v;
	long ret;

	rule = r;
	fill_payload(r->head, r->head_len);
	ret = *(long *)live_run(l, "write,read,sendto,writev,sendmsg,sendmmsg", follow_rule);
	assert_true(ret > 0);
	e = expect_event(l, types[r->call]);
	v = live_value(e, "data");
	if (v.n != kept)
		live_fail(e, "data", "%u bytes are kept, not %zu: rule %zu, ports %u %u", v.n, kept,
			  (size_t)(r - rules), r->local, r->remote);
	expect_kept(e, kept);
	expect_end(l);
}

static void ports_and_bytes_ask_for_more(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		check_rule(*state, &rules[i], rules[i].kept);
}

static void a_larger_snaplen_holds_against_all_rules(void **state)
{
	static const struct rule dns = {WRITE, 0, 53, NO_HEAD, 5000, 512};

	live_settings(*state, 3000, WIRE_SHED_NOTHING);
	check_rule(*state, &dns, 3000);
	live_settings(*state, 80, WIRE_SHED_DATA);
	check_rule(*state, &dns, 0);
	live_settings(*state, 80, WIRE_SHED_NOTHING);
}

LIVE_MAIN("truth_snaplen",
	  "write,read,pread64,writev,preadv,sendto,sendmsg,recvmsg,sendmmsg,+dynamic,"
	  "+ports:9000-9010",
	  cmocka_unit_test(the_snaplen_is_kept_to),
	  cmocka_unit_test(under_pressure_data_is_left_out),
	  cmocka_unit_test(a_large_message_is_cut_and_not_lost),
	  cmocka_unit_test(ports_and_bytes_ask_for_more),
	  cmocka_unit_test(a_larger_snaplen_holds_against_all_rules))
