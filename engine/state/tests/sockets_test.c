/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: how addresses, protocols and roles come together, beyond the scenarios. */
#include "engine/state/internal.h"
#include "engine/state/tests/world.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add_interface4(struct world *w, const char *addr, const char *mask)
{
	struct ev_interface i = {.name = SV_LIT("if")};

	assert_int_equal(inet_pton(AF_INET, addr, i.addr), 1);
	assert_int_equal(inet_pton(AF_INET, mask, i.netmask), 1);
	world_item(w, &(struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &i});
}

static void the_address_at_enter_wins_where_the_exit_confirms_its_tuple(void **arg)
{
	struct bytes tuple = tuple4("10.0.0.1", 5, "1.1.1.1", 53);
	struct bytes enter = addr4("8.8.8.8", 53), exit = addr4("1.1.1.1", 53);
	struct bytes other = addr4("1.1.1.1", 54);
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 7, INET, STREAM, 0);
	EVENT(&w, 1, EV_CONNECT_E, I(7), RAW(enter));
	assert_false(w.bind.visible);
	assert_ptr_equal(w.bind.fd, F(&w, 1, 7));
	EVENT(&w, 1, EV_CONNECT_X, I(0), RAW(tuple), I(7), RAW(exit));
	assert_text(F(&w, 1, 7)->name, "10.0.0.1:5->8.8.8.8:53");
	EVENT(&w, 1, EV_CONNECT_E, I(7), RAW(enter));
	EVENT(&w, 1, EV_CONNECT_X, I(0), RAW(tuple), I(7), RAW(other));
	assert_text(F(&w, 1, 7)->name, "10.0.0.1:5->1.1.1.1:53");
	EVENT(&w, 1, EV_CONNECT_X, I(0), RAW(tuple), I(7), RAW(exit));
	assert_text(F(&w, 1, 7)->name, "10.0.0.1:5->1.1.1.1:53");
	world_done(&w);
}

static void without_a_tuple_only_the_destination_is_kept(void **arg)
{
	struct bytes enter = addr4("8.8.8.8", 53);
	struct state_fd *fd;
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 7, INET, STREAM, 0);
	EVENT(&w, 1, EV_CONNECT_E, I(7), RAW(enter));
	EVENT(&w, 1, EV_CONNECT_X, I(0), NONE, I(7));
	fd = F(&w, 1, 7);
	assert_null(fd->name);
	assert_int_equal(fd->sock.dport, 53);
	assert_memory_equal(fd->sock.dip, ((const uint8_t[]){8, 8, 8, 8}), 4);
	assert_int_equal(fd->flags, STATE_FD_CONNECTED);
	world_done(&w);
}

static void only_a_tuple_that_can_be_read_makes_an_accepted_socket(void **arg)
{
	struct bytes accepted = tuple4("10.0.0.9", 5000, "10.0.0.5", 8080);
	struct bytes local = tuple_unix(0xa, 0xb, "/s");
	struct world w;

	(void)arg;
	world_init_base(&w);
	EVENT(&w, 1, EV_ACCEPT_5_X, I(10), RAW(local), I(0), I(0), I(0));
	assert_int_equal(F(&w, 1, 10)->type, EV_FD_UNIX_SOCK);
	assert_text(F(&w, 1, 10)->name, "a->b /s");
	assert_true(F(&w, 1, 10)->un.dest == 0xb);
	EVENT(&w, 1, EV_ACCEPT_5_X, I(11), BYTES("\x10", 1), I(0), I(0), I(0));
	assert_null(F(&w, 1, 11));
	/* All the others leave is the number. */
	EVENT(&w, 1, EV_ACCEPT4_6_X, I(9), NONE, I(0), I(0), I(0), I(0));
	assert_null(F(&w, 1, 9));
	assert_int_equal(T(&w, 1)->lastevent_fd, 9);
	EVENT(&w, 1, EV_ACCEPT4_6_X, I(9), RAW(accepted), I(0), I(0), I(0), I(STATE_O_CLOEXEC));
	assert_int_equal(F(&w, 1, 9)->openflags, STATE_O_CLOEXEC);
	world_done(&w);
}

static void a_path_names_a_bound_unix_socket_and_no_other(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 10, UNIX, DGRAM, 0);
	world_bind(&w, 10, addr_unix("/run/x"));
	assert_text(F(&w, 1, 10)->name, "/run/x");
	assert_int_equal(F(&w, 1, 10)->flags, 0);
	/* Not a unix socket: such a connect is not believed. */
	world_socket(&w, 11, INET, STREAM, 0);
	world_connect(&w, 0, 11, tuple_unix(1, 2, "/x"));
	assert_null(F(&w, 1, 11)->name);
	assert_int_equal(F(&w, 1, 11)->flags, STATE_FD_CONNECTED);
	world_done(&w);
}

static void the_protocol_follows_type_and_number(void **arg)
{
	static const struct {
		unsigned type, proto;
		int l4;
	} cases[] = {
	    {STREAM, 0, EV_L4_TCP},
	    {DGRAM, 0, EV_L4_UDP},
	    {STREAM | 02000000, 0, EV_L4_TCP},
	    {5, 0, EV_L4_UNKNOWN},
	    {STREAM, 6, EV_L4_TCP},
	    {RAW_SOCKET, 6, EV_L4_RAW},
	    {DGRAM, 17, EV_L4_UDP},
	    {RAW_SOCKET, 17, EV_L4_RAW},
	    {DGRAM, 1, EV_L4_ICMP},
	    {RAW_SOCKET, 1, EV_L4_RAW},
	    {DGRAM, 255, EV_L4_RAW},
	    {STREAM, 132, EV_L4_UNKNOWN},
	};
	struct world w;

	(void)arg;
	world_init_base(&w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world_socket(&w, 3, INET, cases[i].type, cases[i].proto);
		assert_int_equal(w.bind.fd->sock.l4proto, cases[i].l4);
	}
	/* Raw sockets show their protocol without any role. */
	world_socket(&w, 3, INET, RAW_SOCKET, 255);
	assert_int_equal(state_fd_l4proto(w.bind.fd), EV_L4_RAW);
	world_socket(&w, 3, NETLINK, RAW_SOCKET, 0);
	assert_int_equal(w.bind.fd->type, EV_FD_NETLINK);
	world_socket(&w, 3, 17, RAW_SOCKET, 0);
	assert_int_equal(w.bind.fd->type, EV_FD_UNKNOWN);
	world_done(&w);
}

static void icmp_names_have_no_ports(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, DGRAM, 1);
	world_connect(&w, 0, 3, tuple4("10.0.0.1", 0, "8.8.8.8", 0));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1->8.8.8.8");
	world_socket(&w, 4, INET, STREAM, 132);
	world_connect(&w, 0, 4, tuple4("10.0.0.1", 1, "8.8.8.8", 2));
	assert_text(F(&w, 1, 4)->name, "<unknown>");
	world_done(&w);
}

static void ipv6_addresses_are_canonical_and_mapped_ones_become_ipv4(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET6, STREAM, 0);
	world_connect(&w, 0, 3, tuple6("2001:db8:0:0::1", 1000, "::1", 80));
	assert_text(F(&w, 1, 3)->name, "2001:db8::1:1000->::1:80");
	assert_true(state_fd_is_ipv6(F(&w, 1, 3)));
	world_socket(&w, 4, INET6, STREAM, 0);
	world_connect(&w, 0, 4, tuple6("::ffff:10.0.0.1", 1000, "::ffff:10.0.0.2", 80));
	assert_text(F(&w, 1, 4)->name, "10.0.0.1:1000->10.0.0.2:80");
	assert_true(state_fd_is_ipv4(F(&w, 1, 4)));
	assert_int_equal(state_fd_l4proto(F(&w, 1, 4)), EV_L4_TCP);
	world_socket(&w, 5, INET6, STREAM, 0);
	world_bind(&w, 5, addr6("::", 80));
	assert_int_equal(F(&w, 1, 5)->type, EV_FD_IPV4_SERVSOCK);
	world_socket(&w, 6, INET6, STREAM, 0);
	world_bind(&w, 6, addr6("::1", 80));
	assert_int_equal(F(&w, 1, 6)->type, EV_FD_IPV6_SERVSOCK);
	assert_text(F(&w, 1, 6)->name, "::1:80");
	world_socket(&w, 7, INET6, STREAM, 0);
	EVENT(&w, 1, EV_BIND_X, I(-98), RAW(((struct bytes){{2, 1, 1, 1, 1, 80, 0}, 7})), I(7));
	assert_null(F(&w, 1, 7)->name);
	world_bind(&w, 7, addr6("::1", 0));
	assert_int_equal(F(&w, 1, 7)->type, EV_FD_IPV6_SOCK);
	assert_int_equal(F(&w, 1, 7)->flags, 0);
	world_done(&w);
}

static void an_unspecified_end_gets_an_interface(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	add_interface4(&w, "127.0.0.1", "255.0.0.0");
	add_interface4(&w, "10.0.0.79", "255.255.255.0");
	add_interface4(&w, "192.168.7.1", "255.255.255.0");
	world_send(&w, 3, tuple4("0.0.0.0", 0, "8.8.8.8", 53));
	assert_text(F(&w, 1, 3)->name, "10.0.0.79:0->8.8.8.8:53");
	world_send(&w, 4, tuple4("0.0.0.0", 0, "192.168.7.9", 53));
	assert_text(F(&w, 1, 4)->name, "192.168.7.1:0->192.168.7.9:53");
	world_send(&w, 5, tuple4("0.0.0.0", 1, "127.0.0.1", 53));
	assert_text(F(&w, 1, 5)->name, "127.0.0.1:1->127.0.0.1:53");
	world_send(&w, 6, tuple4("0.0.0.0", 53, "127.0.0.1", 53));
	assert_text(F(&w, 1, 6)->name, "0.0.0.0:53->127.0.0.1:53");
	assert_true(state_addr_is_local(w.st, T(&w, 1), (const uint8_t[]){10, 0, 0, 79}, 4));
	assert_false(state_addr_is_local(w.st, T(&w, 1), (const uint8_t[]){10, 0, 0, 78}, 4));
	world_done(&w);
}

static void a_bound_udp_socket_learns_its_peer_from_the_first_packet(void **arg)
{
	struct state_fd *fd;
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, DGRAM, 0);
	world_bind(&w, 3, addr4("0.0.0.0", 53));
	world_recv(&w, 3, tuple4("10.0.0.2", 999, "10.0.0.1", 53));
	fd = F(&w, 1, 3);
	assert_text(fd->name, "10.0.0.2:999->10.0.0.1:53");
	assert_int_equal(state_fd_l4proto(fd), EV_L4_UDP);
	world_send(&w, 3, tuple4("10.0.0.1", 53, "10.0.0.2", 999));
	assert_text(fd->name, "10.0.0.2:999->10.0.0.1:53");
	/* IPv6: the socket stays bound, only its name follows. */
	world_socket(&w, 4, INET6, DGRAM, 0);
	world_bind(&w, 4, addr6("fe80::1", 53));
	world_recv(&w, 4, tuple6("fe80::2", 999, "fe80::1", 53));
	fd = F(&w, 1, 4);
	assert_int_equal(fd->type, EV_FD_IPV6_SERVSOCK);
	assert_text(fd->name, "fe80::2:999->fe80::1:53");
	assert_int_equal(fd->sock.sport, 53);
	world_done(&w);
}

static void a_known_destination_stays_on_later_packets(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_send(&w, 3, tuple4("10.0.0.1", 4000, "10.0.0.2", 53));
	world_send(&w, 3, tuple4("10.0.0.1", 4000, "10.0.0.3", 53));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:4000->10.0.0.2:53");
	world_send(&w, 3, tuple4("10.0.0.1", 4001, "10.0.0.2", 53));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:4001->10.0.0.2:53");
	world_done(&w);
}

static void an_ipv4_tcp_connection_is_not_looked_at_again(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, STREAM, 0);
	world_connect(&w, 0, 3, tuple4("10.0.0.1", 4000, "10.0.0.2", 80));
	world_send(&w, 3, tuple4("10.0.0.9", 9, "10.0.0.9", 9));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:4000->10.0.0.2:80");
	world_socket(&w, 4, INET6, STREAM, 0);
	world_connect(&w, 0, 4, tuple6("fe80::1", 4000, "fe80::2", 80));
	world_send(&w, 4, tuple6("fe80::9", 9, "fe80::9", 9));
	assert_text(F(&w, 1, 4)->name, "fe80::9:9->fe80::2:80");
	world_done(&w);
}

static struct ev_fd_entry sock_entry(int64_t num, int type, uint16_t sport, uint16_t dport)
{
	struct ev_fd_entry fd = {
	    .tid = 1,
	    .fd = num,
	    .type = type,
	    .sport = sport,
	    .dport = dport,
	    .l4proto = EV_L4_TCP,
	};

	fd.sip[0] = fd.dip[0] = 10;
	fd.dip[3] = 1;
	return fd;
}

static void connections_of_the_initial_list_are_oriented_by_the_listeners(void **arg)
{
	const uint32_t known = STATE_FD_FROM_PROC | STATE_FD_CONNECTED;
	struct ev_fd_entry listener = sock_entry(3, EV_FD_IPV6_SERVSOCK, 80, 0);
	struct ev_fd_entry listener4 = sock_entry(8, EV_FD_IPV4_SERVSOCK, 81, 0);
	struct ev_fd_entry accepted4 = sock_entry(7, EV_FD_IPV4_SOCK, 81, 5000);
	struct ev_fd_entry accepted = sock_entry(4, EV_FD_IPV4_SOCK, 80, 5000);
	struct ev_fd_entry made = sock_entry(5, EV_FD_IPV4_SOCK, 4000, 80);
	struct ev_fd_entry ipv6 = sock_entry(6, EV_FD_IPV6_SOCK, 80, 5000);
	struct world w;

	(void)arg;
	world_init_base(&w);
	add_interface4(&w, "10.9.9.9", "255.255.255.0");
	memset(made.sip, 0, sizeof(made.sip));
	world_fd(&w, &accepted);
	world_fd(&w, &made);
	world_fd(&w, &ipv6);
	world_fd(&w, &listener);
	world_fd(&w, &accepted4);
	world_fd(&w, &listener4);
	world_tick(&w);
	assert_text(F(&w, 1, 4)->name, "10.0.0.1:5000->10.0.0.0:80");
	assert_int_equal(F(&w, 1, 4)->flags, known | STATE_FD_ROLE_SERVER);
	assert_int_equal(F(&w, 1, 7)->flags, known | STATE_FD_ROLE_SERVER);
	/* The interfaces are not known yet when descriptors are read. */
	assert_text(F(&w, 1, 5)->name, "0.0.0.0:4000->10.0.0.1:80");
	assert_int_equal(F(&w, 1, 5)->flags, known | STATE_FD_ROLE_CLIENT);
	/* IPv6 connections get no role. */
	assert_false(F(&w, 1, 6)->flags & (STATE_FD_ROLE_SERVER | STATE_FD_ROLE_CLIENT));
	assert_int_equal(state_fd_l4proto(F(&w, 1, 6)), EV_L4_NA);
	assert_true(state_fd_is_listener(F(&w, 1, 3)));
	assert_int_equal(state_fd_l4proto(F(&w, 1, 3)), EV_L4_TCP);
	world_done(&w);
}

static void packets_of_unix_sockets_rename_them(void **arg)
{
	struct bytes tuple = tuple_unix(0xa, 0xb, "/run/log");
	const uint8_t netlink[] = {16};
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, UNIX, DGRAM, 0);
	world_send(&w, 3, tuple);
	assert_text(F(&w, 1, 3)->name, "a->b /run/log");
	assert_true(F(&w, 1, 3)->un.source == 0xa);
	/* A broken tuple changes nothing, an unknown family only the name. */
	EVENT(&w, 1, EV_SENDTO_X, I(1), NONE, I(3), I(1), BYTES(tuple.p, 17));
	assert_text(F(&w, 1, 3)->name, "a->b /run/log");
	world_socket(&w, 4, NETLINK, RAW_SOCKET, 0);
	EVENT(&w, 1, EV_SENDTO_X, I(1), NONE, I(4), I(1), BYTES(netlink, 1));
	assert_text(F(&w, 1, 4)->name, "family 16");
	world_done(&w);
}

static void a_receiving_socket_without_role_becomes_a_server(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, DGRAM, 0);
	world_recv(&w, 3, tuple4("10.0.0.9", 9, "10.0.0.1", 53));
	assert_true(F(&w, 1, 3)->flags & STATE_FD_ROLE_SERVER);
	assert_text(F(&w, 1, 3)->name, "10.0.0.9:9->10.0.0.1:53");
	/* A client hears from its server: the tuple is turned round. */
	world_socket(&w, 4, INET, DGRAM, 0);
	world_connect(&w, 0, 4, tuple4("10.0.0.1", 4000, "10.0.0.2", 53));
	world_recv(&w, 4, tuple4("10.0.0.3", 53, "10.0.0.1", 4001));
	assert_true(F(&w, 1, 4)->flags & STATE_FD_ROLE_CLIENT);
	assert_text(F(&w, 1, 4)->name, "10.0.0.2:53->10.0.0.3:53");
	/* No role and IPv6: judged by other bytes, it comes out as a client. */
	world_socket(&w, 5, INET6, DGRAM, 0);
	world_recv(&w, 5, tuple6("fe80::2:3:4:5", 53, "fe80::1", 999));
	assert_true(F(&w, 1, 5)->flags & STATE_FD_ROLE_CLIENT);
	assert_text(F(&w, 1, 5)->name, "fe80::1:999->fe80::2:3:4:5:53");
	world_done(&w);
}

static void several_messages_at_once_count_as_one_packet(void **arg)
{
	struct bytes out = tuple4("10.0.0.1", 4000, "10.0.0.2", 53);
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, DGRAM, 0);
	EVENT(&w, 1, EV_SENDMMSG_X, I(1), I(3), I(5), NONE, RAW(out));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:4000->10.0.0.2:53");
	EVENT(&w, 1, EV_SENDMMSG_X, NONE, NONE, NONE, NONE, NONE);
	assert_null(w.bind.fd);
	world_socket(&w, 4, INET, DGRAM, 0);
	EVENT(&w, 1, EV_RECVMMSG_X, I(1), I(4), I(5), NONE, RAW(out));
	assert_text(F(&w, 1, 4)->name, "10.0.0.1:4000->10.0.0.2:53");
	assert_true(F(&w, 1, 4)->flags & STATE_FD_ROLE_SERVER);
	/* A failed call tells nothing. */
	world_socket(&w, 5, INET, DGRAM, 0);
	EVENT(&w, 1, EV_SENDTO_X, I(-1), NONE, I(5), I(1), RAW(out));
	assert_null(F(&w, 1, 5)->name);
	assert_int_equal(F(&w, 1, 5)->flags, 0);
	world_done(&w);
}

static void ipv6_interfaces_fill_in_unspecified_ends(void **arg)
{
	struct ev_interface i = {.ipv6 = true, .name = SV_LIT("if")};
	uint8_t addr[16];
	struct world w;

	(void)arg;
	world_init_base(&w);
	assert_int_equal(inet_pton(AF_INET6, "::1", i.addr), 1);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &i});
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", i.addr), 1);
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &i});
	world_send(&w, 3, tuple6("::", 5, "2001:db8::9", 53));
	assert_text(F(&w, 1, 3)->name, "2001:db8::7:5->2001:db8::9:53");
	world_send(&w, 4, tuple6("::", 5, "2620::9", 53));
	assert_text(F(&w, 1, 4)->name, "2001:db8::7:5->2620::9:53");
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::ffff", addr), 1);
	assert_true(state_addr_is_local(w.st, T(&w, 1), addr, 16));
	addr[0] = 0x30;
	assert_false(state_addr_is_local(w.st, T(&w, 1), addr, 16));
	world_item(&w, &(struct ev_item){.kind = EV_ITEM_LISTS_RESET, .list = EV_LIST_INTERFACES});
	addr[0] = 0x20;
	assert_false(state_addr_is_local(w.st, T(&w, 1), addr, 16));
	world_done(&w);
}

static void descriptors_of_the_initial_list_keep_what_they_say(void **arg)
{
	struct ev_fd_entry mapped = sock_entry(3, EV_FD_IPV6_SOCK, 5000, 80);
	struct ev_fd_entry client = {
	    .tid = 1, .fd = 4, .type = EV_FD_UNIX_SOCK, .unix_source = 4, .unix_dest = 5};
	struct ev_fd_entry server = client, unknown = client, stray = client, pipe = client;
	struct world w;

	(void)arg;
	world_init_base(&w);
	memset(mapped.sip, 0, 16);
	memset(mapped.dip, 0, 16);
	mapped.sip[10] = mapped.sip[11] = mapped.dip[10] = mapped.dip[11] = 0xff;
	mapped.sip[15] = 1;
	mapped.dip[15] = 2;
	world_fd(&w, &mapped);
	world_fd(&w, &client);
	server.fd = 5;
	server.name = SV_LIT("/run/x");
	world_fd(&w, &server);
	unknown.fd = 6;
	unknown.type = EV_FD_UNKNOWN;
	world_fd(&w, &unknown);
	stray.tid = 99;
	world_fd(&w, &stray);
	pipe.fd = 7;
	pipe.type = EV_FD_FIFO;
	pipe.name = SV_LIT("pipe:[1]");
	pipe.ino = 9;
	world_fd(&w, &pipe);
	world_tick(&w);
	assert_int_equal(F(&w, 1, 3)->type, EV_FD_IPV4_SOCK);
	assert_text(F(&w, 1, 3)->name, "0.0.0.1:5000->0.0.0.2:80");
	assert_int_equal(F(&w, 1, 4)->flags, STATE_FD_FROM_PROC | STATE_FD_ROLE_CLIENT);
	assert_true(F(&w, 1, 4)->un.source == 4 && F(&w, 1, 4)->un.dest == 5);
	assert_int_equal(F(&w, 1, 5)->flags, STATE_FD_FROM_PROC | STATE_FD_ROLE_SERVER);
	assert_text(F(&w, 1, 5)->name, "/run/x");
	assert_null(F(&w, 1, 6));
	assert_null(T(&w, 99));
	assert_text(F(&w, 1, 7)->name, "pipe:[1]");
	assert_int_equal(F(&w, 1, 7)->ino, 9);
	world_done(&w);
}

static void any_transfer_shows_that_a_socket_is_connected(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_socket(&w, 3, INET, STREAM, 0);
	EVENT(&w, 1, EV_READ_X, I(-11), NONE, I(3));
	assert_int_equal(F(&w, 1, 3)->flags, 0);
	EVENT(&w, 1, EV_READ_X, I(0), NONE, I(3));
	assert_int_equal(F(&w, 1, 3)->flags, STATE_FD_CONNECTED);
	EVENT(&w, 1, EV_READ_X, I(0), NONE, I(0));
	assert_int_equal(F(&w, 1, 0)->flags, STATE_FD_FROM_PROC);
	world_done(&w);
}

static void mapped_and_plain_addresses_are_the_same(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	world_send(&w, 3, tuple6("::ffff:10.0.0.1", 4000, "::ffff:10.0.0.2", 53));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:4000->10.0.0.2:53");
	world_send(&w, 3, tuple4("10.0.0.2", 53, "10.0.0.1", 4000));
	assert_text(F(&w, 1, 3)->name, "10.0.0.1:4000->10.0.0.2:53");
	assert_memory_equal(F(&w, 1, 3)->sock.sip, ((const uint8_t[16]){10, 0, 0, 1}), 16);
	world_done(&w);
}

/* Words that are zero or short, mostly, so that runs of zeros of all lengths are everywhere. */
static void ipv6_addresses_are_written_as_inet_ntop_does(void **arg)
{
	static const uint16_t words[] = {0,    0,    0,	    0,	   1,	   0xf,
					 0x10, 0xff, 0x100, 0xfff, 0x1000, 0xffff};
	uint64_t dice = 7;
	struct buf b = {0};

	(void)arg;
	for (int i = 0; i < 200000; i++) {
		char want[INET6_ADDRSTRLEN + 8];
		uint8_t ip[16];

		for (int k = 0; k < 8; k++) {
			dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			ip[2 * k] = (uint8_t)(words[(dice >> 33) % COUNT_OF(words)] >> 8);
			ip[2 * k + 1] = (uint8_t)words[(dice >> 33) % COUNT_OF(words)];
			if (k < 5 && i % 4 == 0)
				ip[2 * k] = ip[2 * k + 1] = 0;
		}
		assert_non_null(inet_ntop(AF_INET6, ip, want, INET6_ADDRSTRLEN));
		strcat(want, ":53");
		buf_reset(&b);
		state_endpoint_text(&b, ip, true, 53);
		assert_string_equal(buf_cstr(&b), want);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_address_at_enter_wins_where_the_exit_confirms_its_tuple),
	    cmocka_unit_test(without_a_tuple_only_the_destination_is_kept),
	    cmocka_unit_test(only_a_tuple_that_can_be_read_makes_an_accepted_socket),
	    cmocka_unit_test(a_path_names_a_bound_unix_socket_and_no_other),
	    cmocka_unit_test(the_protocol_follows_type_and_number),
	    cmocka_unit_test(icmp_names_have_no_ports),
	    cmocka_unit_test(ipv6_addresses_are_canonical_and_mapped_ones_become_ipv4),
	    cmocka_unit_test(ipv6_addresses_are_written_as_inet_ntop_does),
	    cmocka_unit_test(an_unspecified_end_gets_an_interface),
	    cmocka_unit_test(a_bound_udp_socket_learns_its_peer_from_the_first_packet),
	    cmocka_unit_test(a_known_destination_stays_on_later_packets),
	    cmocka_unit_test(an_ipv4_tcp_connection_is_not_looked_at_again),
	    cmocka_unit_test(connections_of_the_initial_list_are_oriented_by_the_listeners),
	    cmocka_unit_test(packets_of_unix_sockets_rename_them),
	    cmocka_unit_test(a_receiving_socket_without_role_becomes_a_server),
	    cmocka_unit_test(several_messages_at_once_count_as_one_packet),
	    cmocka_unit_test(mapped_and_plain_addresses_are_the_same),
	    cmocka_unit_test(any_transfer_shows_that_a_socket_is_connected),
	    cmocka_unit_test(ipv6_interfaces_fill_in_unspecified_ends),
	    cmocka_unit_test(descriptors_of_the_initial_list_keep_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
