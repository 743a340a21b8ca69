/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "engine/activity/tests/story.h"

static const struct act_net_options with_unix = {.unix_sockets = true};

static const struct act_conn *nth(const struct outcome *o, size_t i)
{
	const struct act_conn *c = NULL;
	size_t at = 0;

	do {
		if (!act_net_next(o->net, &at, &c))
			return NULL;
	} while (i--);
	return c;
}

static size_t count(const struct outcome *o)
{
	const struct act_conn *c;
	size_t at = 0, n = 0;

	while (act_net_next(o->net, &at, &c))
		n++;
	return n;
}

/* "tcp established out 10.0.0.5:51000 10.9.8.7:80 in=5 out=3 by curl(20)" */
static const char *text(const struct act_conn *c)
{
	static const char *const directions[] = {"-", "out", "in"};
	static struct buf b;

	buf_reset(&b);
	buf_addf(&b, "%s %s %s ", act_net_proto_name(c), act_net_state_name(c->state),
		 directions[c->direction]);
	act_end_text(&b, c->family, &c->local);
	buf_char(&b, ' ');
	act_end_text(&b, c->family, &c->remote);
	buf_addf(&b, " in=%llu out=%llu by ", (unsigned long long)c->bytes_in,
		 (unsigned long long)c->bytes_out);
	if (c->chain_len)
		buf_sv(&b, c->chain[0].name);
	return buf_cstr(&b);
}

static void a_server_and_a_client(struct story *s)
{
	story_begin(s);
	LIST(s, {.tid = 1, .sid = 1, .comm = "init"}, {.tid = 10, .ptid = 1, .comm = "inetd"},
	     {.tid = 20, .ptid = 1, .comm = "curl"});
}

static void listen_on(struct story *s, int64_t tid, int64_t fd, uint16_t port)
{
	const struct bytes addr = addr4("10.0.0.5", port);

	EVENT(s, tid, EV_SOCKET_X, I(fd), I(2), I(1), I(6), I(0));
	EVENT(s, tid, EV_BIND_X, I(0), B(addr), I(fd));
	EVENT(s, tid, EV_LISTEN_X, I(0), I(fd), I(8));
}

static void socket_of(struct story *s, int64_t tid, int64_t fd, int type)
{
	EVENT(s, tid, EV_SOCKET_X, I(fd), I(2), I(type), I(0), I(0));
}

static void connect_to(struct story *s, int64_t tid, int64_t fd, int64_t ret, uint16_t lport,
		       uint16_t rport)
{
	const struct bytes tuple = tuple4("10.0.0.5", lport, "10.9.8.7", rport);
	const struct bytes addr = addr4("10.9.8.7", rport);

	EVENT(s, tid, EV_CONNECT_X, I(ret), B(tuple), I(fd), B(addr));
}

static void send_bytes(struct story *s, int64_t tid, int64_t fd, int64_t n)
{
	EVENT(s, tid, EV_WRITE_X, I(n), S(""), I(fd), I(1000));
}

static void receive_bytes(struct story *s, int64_t tid, int64_t fd, int64_t n)
{
	EVENT(s, tid, EV_READ_X, I(n), S(""), I(fd), I(1000));
}

static void what_one_process_accepts_and_another_serves_counts_once(void **state)
{
	const struct bytes tuple = tuple4("192.0.2.1", 40000, "10.0.0.5", 79);
	const struct act_conn *c;
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	listen_on(&s, 10, 3, 79);
	EVENT(&s, 10, EV_ACCEPT_5_X, I(4), B(tuple));
	FORK(&s, 10, .pid = 11, .comm = "inetd");
	EVENT(&s, 10, EV_CLOSE_X, I(0), I(4));
	EXEC(&s, .pid = 11, .ptid = 10, .comm = "fingerd");
	EVENT(&s, 11, EV_DUP_1_X, I(7), I(4));
	receive_bytes(&s, 11, 4, 6);
	send_bytes(&s, 11, 7, 100);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 2);
	assert_string_equal(text(nth(&o, 0)), "tcp listening - 10.0.0.5:79 ? in=0 out=0 by inetd");
	c = nth(&o, 1);
	assert_string_equal(text(c),
			    "tcp established in 10.0.0.5:79 192.0.2.1:40000 in=6 out=100 by inetd");
	assert_int_equal(c->user.pid, 11);
	assert_true(sv_is(c->user.name, "fingerd"));
	assert_int_equal(c->holder_count, 2);
	assert_int_equal(c->holders[0].pid, 11);
	assert_int_equal(c->holders[0].fd, 4);
	outcome_done(&o);
	story_exit(&s, 11, 0);
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	c = nth(&o, 1);
	assert_int_equal(c->state, ACT_NET_CLOSED);
	assert_int_equal(c->end_ts, STORY_EPOCH + (s.now - 20) * 1000000);
	assert_int_equal(c->holder_count, 0);
	outcome_done(&o);
	story_done(&s);
}

static void sockets_of_the_start_are_shared_by_inode(void **state)
{
	const struct act_conn *c;
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	story_list_socket(&s, 10, 3, 501, "0.0.0.0", 22, NULL, 0);
	story_list_socket(&s, 10, 4, 502, "10.0.0.5", 22, "192.0.2.1", 5000);
	story_list_socket(&s, 20, 5, 502, "10.0.0.5", 22, "192.0.2.1", 5000);
	story_list_socket(&s, 20, 6, 503, "10.0.0.5", 6000, "192.0.2.2", 443);
	send_bytes(&s, 20, 5, 10);
	receive_bytes(&s, 10, 4, 7);
	EVENT(&s, 20, EV_CLOSE_X, I(0), I(6));
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 3);
	assert_string_equal(text(nth(&o, 0)), "tcp listening - *:22 ? in=0 out=0 by inetd");
	c = nth(&o, 1);
	assert_string_equal(text(c),
			    "tcp established in 10.0.0.5:22 192.0.2.1:5000 in=7 out=10 by inetd");
	assert_true(c->from_start);
	assert_int_equal(c->first_ts, 0);
	assert_int_equal(c->holder_count, 2);
	assert_string_equal(text(nth(&o, 2)),
			    "tcp closed out 10.0.0.5:6000 192.0.2.2:443 in=0 out=0 by curl");
	outcome_done(&o);
	story_done(&s);
}

static void a_connect_in_the_background_ends_as_the_socket_says(void **state)
{
	static const uint8_t refused[9] = {1, 0x91, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t fine[9] = {1};
	const struct bytes no = {.n = 0};
	struct param bad = {.kind = P_BYTES, .p = refused, .n = 9};
	struct param good = {.kind = P_BYTES, .p = fine, .n = 9};
	struct outcome o;
	struct story s;

	(void)state;
	(void)no;
	a_server_and_a_client(&s);
	for (int64_t fd = 3; fd < 7; fd++) {
		socket_of(&s, 20, fd, 1);
		connect_to(&s, 20, fd, -EINPROGRESS, (uint16_t)(50000 + fd), 80);
	}
	EVENT(&s, 20, EV_GETSOCKOPT_X, I(0), I(3), I(1), I(4), good, I(4));
	EVENT(&s, 20, EV_GETSOCKOPT_X, I(0), I(4), I(1), I(4), bad, I(4));
	receive_bytes(&s, 20, 5, 1);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(nth(&o, 0)->state, ACT_NET_ESTABLISHED);
	assert_int_equal(nth(&o, 1)->state, ACT_NET_FAILED);
	assert_int_equal(nth(&o, 1)->error, ECONNREFUSED);
	assert_int_equal(nth(&o, 2)->state, ACT_NET_ESTABLISHED);
	assert_int_equal(nth(&o, 3)->state, ACT_NET_CONNECTING);
	outcome_done(&o);
	story_done(&s);
}

static void repeated_failures_are_attempts_of_one(void **state)
{
	const struct bytes addr = addr4("10.9.8.7", 80);
	const struct act_conn *c;
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	socket_of(&s, 20, 3, 1);
	EVENT(&s, 20, EV_CONNECT_X, I(-ECONNREFUSED), NOTHING, I(3), B(addr));
	EVENT(&s, 20, EV_CONNECT_X, I(-ECONNREFUSED), NOTHING, I(3), B(addr));
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 1);
	c = nth(&o, 0);
	assert_string_equal(text(c), "tcp failed out ? 10.9.8.7:80 in=0 out=0 by curl");
	assert_int_equal(c->attempts, 2);
	assert_int_equal(c->error, ECONNREFUSED);
	outcome_done(&o);
	connect_to(&s, 20, 3, 0, 50000, 80);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 1);
	assert_int_equal(nth(&o, 0)->state, ACT_NET_ESTABLISHED);
	assert_int_equal(nth(&o, 0)->attempts, 3);
	outcome_done(&o);
	story_done(&s);
}

static void the_same_ports_again_are_another_connection(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	for (int i = 0; i < 2; i++) {
		socket_of(&s, 20, 3, 1);
		connect_to(&s, 20, 3, 0, 50000, 80);
		send_bytes(&s, 20, 3, 5 + i);
		EVENT(&s, 20, EV_CLOSE_X, I(0), I(3));
	}
	story_tick(&s);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 2);
	assert_string_equal(text(nth(&o, 0)),
			    "tcp closed out 10.0.0.5:50000 10.9.8.7:80 in=0 out=5 by curl");
	assert_string_equal(text(nth(&o, 1)),
			    "tcp closed out 10.0.0.5:50000 10.9.8.7:80 in=0 out=6 by curl");
	outcome_done(&o);
	story_done(&s);
}

static void datagrams_are_counted_per_peer(void **state)
{
	const struct bytes addr = addr4("10.0.0.5", 53);
	const struct bytes from_a = tuple4("192.0.2.1", 1111, "10.0.0.5", 53);
	const struct bytes from_b = tuple4("192.0.2.2", 2222, "10.0.0.5", 53);
	const struct bytes to_a = tuple4("10.0.0.5", 53, "192.0.2.1", 1111);
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	socket_of(&s, 10, 3, 2);
	EVENT(&s, 10, EV_BIND_X, I(0), B(addr), I(3));
	EVENT(&s, 10, EV_RECVFROM_X, I(30), S(""), B(from_a), I(3), I(100));
	EVENT(&s, 10, EV_RECVFROM_X, I(40), S(""), B(from_b), I(3), I(100));
	EVENT(&s, 10, EV_SENDTO_X, I(90), S(""), I(3), I(90), B(to_a));
	EVENT(&s, 10, EV_RECVFROM_X, I(31), S(""), B(from_a), I(3), I(100));
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 3);
	assert_string_equal(text(nth(&o, 0)), "udp bound - 10.0.0.5:53 ? in=0 out=0 by inetd");
	assert_string_equal(text(nth(&o, 1)),
			    "udp open in 10.0.0.5:53 192.0.2.1:1111 in=61 out=90 by inetd");
	assert_string_equal(text(nth(&o, 2)),
			    "udp open in 10.0.0.5:53 192.0.2.2:2222 in=40 out=0 by inetd");
	outcome_done(&o);
	story_done(&s);
}

static void a_listener_learns_its_port_from_what_it_accepts(void **state)
{
	const struct bytes tuple = tuple4("192.0.2.1", 40000, "10.0.0.5", 45553);
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	listen_on(&s, 10, 3, 0);
	o = story_follow(&s, NULL, NULL);
	assert_string_equal(text(nth(&o, 0)), "tcp listening - 10.0.0.5:* ? in=0 out=0 by inetd");
	outcome_done(&o);
	EVENT(&s, 10, EV_ACCEPT_5_X, I(4), B(tuple));
	o = story_follow(&s, NULL, NULL);
	assert_string_equal(text(nth(&o, 0)),
			    "tcp listening - 10.0.0.5:45553 ? in=0 out=0 by inetd");
	outcome_done(&o);
	story_done(&s);
}

static void bytes_that_splice_and_sendfile_move_count(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	socket_of(&s, 20, 3, 1);
	connect_to(&s, 20, 3, 0, 50000, 80);
	EVENT(&s, 20, EV_SENDFILE_X, I(1000), I(0), I(3), I(9), I(1000));
	EVENT(&s, 20, EV_SPLICE_X, I(70), I(3), I(8), I(100), I(0));
	EVENT(&s, 20, EV_SPLICE_X, I(11), I(8), I(3), I(100), I(0));
	o = story_follow(&s, NULL, NULL);
	assert_string_equal(
	    text(nth(&o, 0)),
	    "tcp established out 10.0.0.5:50000 10.9.8.7:80 in=70 out=1011 by curl");
	outcome_done(&o);
	story_done(&s);
}

static void unix_sockets_only_when_asked_for(void **state)
{
	static const char path[] = "\1/run/x.sock";
	const struct param addr = {.kind = P_BYTES, .p = path, .n = sizeof(path)};
	const struct bytes out = tuple_unix(0x11, 0x22, "/run/x.sock");
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	EVENT(&s, 10, EV_SOCKET_X, I(3), I(1), I(1), I(0), I(0));
	EVENT(&s, 10, EV_BIND_X, I(0), addr, I(3));
	EVENT(&s, 10, EV_LISTEN_X, I(0), I(3), I(8));
	EVENT(&s, 20, EV_SOCKET_X, I(3), I(1), I(1), I(0), I(0));
	EVENT(&s, 20, EV_CONNECT_X, I(0), B(out), I(3), addr);
	send_bytes(&s, 20, 3, 12);
	EVENT(&s, 20, EV_SOCKETPAIR_X, I(0), I(8), I(9), I(1), I(2), I(1), I(1), I(0));
	send_bytes(&s, 20, 8, 3);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 0);
	outcome_done(&o);
	o = story_follow(&s, &with_unix, NULL);
	assert_int_equal(count(&o), 4);
	assert_int_equal(nth(&o, 0)->state, ACT_NET_LISTENING);
	assert_true(sv_is(nth(&o, 0)->path, "/run/x.sock"));
	assert_int_equal(nth(&o, 1)->state, ACT_NET_ESTABLISHED);
	assert_int_equal(nth(&o, 1)->bytes_out, 12);
	assert_int_equal(nth(&o, 2)->bytes_out, 3);
	outcome_done(&o);
	story_done(&s);
}

static void a_pair_on_one_descriptor_is_one_socket(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	EVENT(&s, 20, EV_SOCKET_X, I(8), I(1), I(1), I(0), I(0));
	EVENT(&s, 20, EV_SOCKETPAIR_X, I(0), I(8), I(8), I(1), I(2), I(1), I(1), I(0));
	send_bytes(&s, 20, 8, 3);
	o = story_follow(&s, &with_unix, NULL);
	assert_int_equal(count(&o), 2);
	assert_int_equal(nth(&o, 0)->state, ACT_NET_CLOSED);
	assert_int_equal(nth(&o, 1)->state, ACT_NET_OPEN);
	assert_int_equal(nth(&o, 1)->bytes_out, 3);
	outcome_done(&o);
	story_done(&s);
}

static void a_full_table_counts_what_it_leaves_out(void **state)
{
	const struct act_net_options small = {.conns_max = 16};
	const struct act_net_options open_only = {.conns_max = 16, .drop_closed = true};
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	for (uint16_t i = 0; i < 40; i++) {
		socket_of(&s, 20, 3, 1);
		connect_to(&s, 20, 3, 0, (uint16_t)(50000 + i), 80);
		send_bytes(&s, 20, 3, i);
		EVENT(&s, 20, EV_CLOSE_X, I(0), I(3));
	}
	socket_of(&s, 20, 3, 1);
	connect_to(&s, 20, 3, 0, 60000, 80);
	o = story_follow(&s, &small, NULL);
	assert_int_equal(count(&o), 16);
	assert_int_equal(act_net_stats(o.net)->conns, 41);
	assert_int_equal(act_net_stats(o.net)->dropped, 25);
	outcome_done(&o);
	o = story_follow(&s, &open_only, NULL);
	assert_int_equal(act_net_stats(o.net)->dropped, 0);
	assert_true(count(&o) <= 16);
	assert_int_equal(nth(&o, count(&o) - 1)->local.port, 60000);
	assert_int_equal(nth(&o, count(&o) - 1)->state, ACT_NET_ESTABLISHED);
	outcome_done(&o);
	story_done(&s);
}

static void a_new_section_closes_what_was_before(void **state)
{
	struct outcome o;
	struct story s;

	(void)state;
	a_server_and_a_client(&s);
	socket_of(&s, 20, 3, 1);
	connect_to(&s, 20, 3, 0, 50000, 80);
	cb_section(&s.c);
	LIST(&s, {.tid = 1, .sid = 1, .comm = "init"}, {.tid = 20, .ptid = 1, .comm = "wget"});
	story_list_socket(&s, 20, 3, 77, "10.0.0.5", 50000, "10.9.8.7", 80);
	send_bytes(&s, 20, 3, 9);
	o = story_follow(&s, NULL, NULL);
	assert_int_equal(count(&o), 2);
	assert_string_equal(text(nth(&o, 0)),
			    "tcp closed out 10.0.0.5:50000 10.9.8.7:80 in=0 out=0 by curl");
	assert_string_equal(text(nth(&o, 1)),
			    "tcp established out 10.0.0.5:50000 10.9.8.7:80 in=0 out=9 by wget");
	assert_false(nth(&o, 0)->from_start);
	assert_true(nth(&o, 1)->from_start);
	outcome_done(&o);
	story_done(&s);
}

static void the_chain_of_who_made_it_names_the_nearest_ancestors(void **state)
{
	const struct act_conn *c;
	struct outcome o;
	struct story s;

	(void)state;
	story_begin(&s);
	LIST(&s, {.tid = 1, .comm = "init"}, {.tid = 2, .ptid = 1, .comm = "a"},
	     {.tid = 3, .ptid = 2, .comm = "b"}, {.tid = 4, .ptid = 3, .comm = "c"},
	     {.tid = 5, .ptid = 4, .comm = "d"});
	socket_of(&s, 5, 3, 1);
	connect_to(&s, 5, 3, 0, 50000, 80);
	socket_of(&s, 99, 3, 1); /* of a process nobody described */
	connect_to(&s, 99, 3, 0, 50001, 80);
	o = story_follow(&s, NULL, NULL);
	c = nth(&o, 0);
	assert_int_equal(c->chain_len, ACT_CHAIN_MAX);
	assert_true(sv_is(c->chain[0].name, "d"));
	assert_true(sv_is(c->chain[3].name, "a"));
	c = nth(&o, 1);
	assert_int_equal(c->chain_len, 1);
	assert_int_equal(c->chain[0].pid, 99);
	outcome_done(&o);
	story_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_one_process_accepts_and_another_serves_counts_once),
	    cmocka_unit_test(sockets_of_the_start_are_shared_by_inode),
	    cmocka_unit_test(a_connect_in_the_background_ends_as_the_socket_says),
	    cmocka_unit_test(repeated_failures_are_attempts_of_one),
	    cmocka_unit_test(the_same_ports_again_are_another_connection),
	    cmocka_unit_test(datagrams_are_counted_per_peer),
	    cmocka_unit_test(a_listener_learns_its_port_from_what_it_accepts),
	    cmocka_unit_test(bytes_that_splice_and_sendfile_move_count),
	    cmocka_unit_test(unix_sockets_only_when_asked_for),
	    cmocka_unit_test(a_pair_on_one_descriptor_is_one_socket),
	    cmocka_unit_test(a_full_table_counts_what_it_leaves_out),
	    cmocka_unit_test(a_new_section_closes_what_was_before),
	    cmocka_unit_test(the_chain_of_who_made_it_names_the_nearest_ancestors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
