/* SPDX-License-Identifier: Apache-2.0 */
/* Operations through io_uring change descriptors as calls do. */
#include "engine/state/tests/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/defs.h"

#define CLOSED_WITHOUT_RESULT INT64_MIN
#define ANY_SLOT	      UINT32_MAX

struct operation { /* zeros stand for what most have */
	uint8_t op, sqe_flags;
	int64_t res, fd, fd2; /* @fd2: 0: none */
	uint32_t op_flags, slot, fd_flags, dev;
	uint64_t len, offset, ino;
	const char *name;
	const void *address, *tuple;
	size_t address_n, tuple_n;
	bool gives, finds;  /* the flags of a descriptor, a file are there */
	bool first_version; /* none of the last four */
};

struct record {
	struct ev ev;
	uint8_t lens[2 * EV_URING_PARAMS], data[EV_URING_NAME_MAX + 1024];
	size_t n;
};

static void add(struct record *r, const void *p, size_t n)
{
	assert_true(r->n + n <= sizeof(r->data));
	r->lens[2 * r->ev.nparams] = (uint8_t)n;
	r->lens[2 * r->ev.nparams + 1] = (uint8_t)(n >> 8);
	if (n)
		memcpy(r->data + r->n, p, n);
	r->n += n;
	r->ev.nparams++;
}

static void add_number(struct record *r, uint64_t v, unsigned width)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	add(r, bytes, width);
}

static void operate(struct world *w, int64_t tid, const struct operation *o)
{
	struct record r = {.ev = {.ts = world_ns(w->now), .tid = tid, .type = EV_TYPE_URING}};

	add_number(&r, (uint64_t)o->res, o->res == CLOSED_WITHOUT_RESULT ? 0 : 8);
	add_number(&r, o->op, 1);
	add_number(&r, (uint64_t)o->fd, 8);
	add_number(&r, 0x1234, 8);
	add_number(&r, 0, 4);
	add_number(&r, o->sqe_flags, 1);
	add_number(&r, o->op_flags, 4);
	add_number(&r, 0, 8);
	add_number(&r, o->len, 8);
	add_number(&r, o->offset, 8);
	add_number(&r, (uint64_t)(o->fd2 ? o->fd2 : -1), 8);
	add_number(&r, r.ev.ts, 8);
	add(&r, o->name, o->name ? strlen(o->name) + 1 : 0);
	add(&r, "", 0);
	add(&r, o->address, o->address_n);
	add(&r, o->tuple, o->tuple_n);
	if (!o->first_version) {
		add_number(&r, o->slot, 4);
		add_number(&r, o->fd_flags, o->gives ? 4 : 0);
		add_number(&r, o->dev, o->finds ? 4 : 0);
		add_number(&r, o->ino, o->finds ? 8 : 0);
	}
	r.ev.lens = r.lens;
	r.ev.data = r.data;
	world_item(w, &(struct ev_item){.kind = EV_ITEM_URING, .ev = &r.ev});
	w->now += 10;
}

#define OPERATE(w, tid, ...) operate((w), (tid), &(const struct operation){__VA_ARGS__})
#define OPENS(path)	     .name = (path), .gives = true, .finds = true, .dev = 5, .ino = 6

static void open_file(struct world *w, int64_t tid, int64_t res, const char *name)
{
	OPERATE(w, tid, .op = EV_URING_OPENAT, .res = res, .fd = EV_FD_CWD, OPENS(name));
}

static void what_a_ring_opens_is_known_until_a_ring_closes_it(void **arg)
{
	struct world w;
	uint64_t events;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_CHDIR_X, I(0), S("/tmp"));
	events = state_stats(w.st)->events;
	OPERATE(&w, 20, .op = EV_URING_OPENAT, .res = 7, .fd = EV_FD_CWD, OPENS("file"),
		.fd_flags = STATE_O_RDONLY | STATE_O_CLOEXEC);
	assert_int_equal(w.rc, 0); /* no event */
	assert_int_equal(state_stats(w.st)->events, events);
	assert_ptr_equal(w.bind.thread, T(&w, 20));
	assert_ptr_equal(w.bind.fd, F(&w, 20, 7));
	assert_text(F(&w, 20, 7)->name, "/tmp/file");
	assert_int_equal(F(&w, 20, 7)->type, EV_FD_FILE_V2);
	assert_int_equal(F(&w, 20, 7)->openflags, STATE_O_RDONLY | STATE_O_CLOEXEC);
	assert_int_equal(F(&w, 20, 7)->dev, 5);
	assert_int_equal(F(&w, 20, 7)->ino, 6);
	EVENT(&w, 20, EV_READ_X, I(3), NONE, I(7), I(3));
	assert_text(w.bind.fd->name, "/tmp/file");
	OPERATE(&w, 20, .op = EV_URING_CLOSE, .fd = 7);
	assert_text(w.bind.fd->name, "/tmp/file"); /* seen once more, as with calls */
	world_tick(&w);
	assert_null(F(&w, 20, 7));
	world_done(&w);
}

static void names_begin_at_the_directory_of_the_operation(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 4, "/srv", STATE_O_DIRECTORY);
	OPERATE(&w, 20, .op = EV_URING_OPENAT2, .res = 8, .fd = 4, OPENS("below"));
	assert_text(F(&w, 20, 8)->name, "/srv/below");
	OPERATE(&w, 20, .op = EV_URING_OPENAT, .res = 9, .fd = 4, OPENS("/at/the/top"));
	assert_text(F(&w, 20, 9)->name, "/at/the/top");
	world_done(&w);
}

static void threads_share_what_a_ring_opens(void **arg)
{
	struct world w;

	(void)arg;
	world_with_21(&w);
	open_file(&w, 21, 8, "/a");
	assert_text(F(&w, 20, 8)->name, "/a");
	OPERATE(&w, 20, .op = EV_URING_CLOSE, .fd = 8);
	world_tick(&w);
	assert_null(F(&w, 21, 8));
	world_done(&w);
}

static void failures_change_nothing(void **arg)
{
	static const uint8_t ops[] = {EV_URING_OPENAT, EV_URING_OPENAT2, EV_URING_SOCKET,
				      EV_URING_ACCEPT, EV_URING_CLOSE,	 EV_URING_CONNECT,
				      EV_URING_BIND,   EV_URING_SEND,	 EV_URING_RECV};
	struct world w;
	uint64_t fds;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 4, "/a", 0);
	fds = state_fd_count(T(&w, 20));
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		OPERATE(&w, 20, .op = ops[i], .res = -9, .fd = 4, .name = "/b", .gives = true);
		world_tick(&w);
		assert_int_equal(state_fd_count(T(&w, 20)), fds);
		assert_text(F(&w, 20, 4)->name, "/a");
	}
	world_done(&w);
}

static void files_of_the_rings_own_table_are_no_descriptors(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 0, "/a", 0);
	OPERATE(&w, 20, .op = EV_URING_OPENAT, OPENS("/b"), .slot = 1);
	OPERATE(&w, 20, .op = EV_URING_OPENAT, OPENS("/b"), .slot = ANY_SLOT);
	OPERATE(&w, 20, .op = EV_URING_SOCKET, .slot = 3, .len = INET, .op_flags = STREAM,
		.gives = true);
	OPERATE(&w, 20, .op = EV_URING_CLOSE, .slot = 1);
	world_tick(&w);
	assert_text(F(&w, 20, 0)->name, "/a");
	OPERATE(&w, 20, .op = EV_URING_BIND, .fd = 0, .sqe_flags = EV_URING_FIXED_FILE,
		.address = "\2\x7f\0\0\1\x50\0", .address_n = 7);
	assert_text(F(&w, 20, 0)->name, "/a");
	assert_null(w.bind.fd);
	world_done(&w);
}

/* 10.0.0.1:1000 -> 10.0.0.2:80 */
static const char tuple[] = "\2\x0a\0\0\1\xe8\3\x0a\0\0\2\x50";
#define CONNECTION .tuple = tuple, .tuple_n = 13

/* Which file an open gave, they do not say. */
static void records_of_the_first_version_leave_descriptors_alone(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 7, "/a", 0);
	OPERATE(&w, 20, .op = EV_URING_OPENAT, .res = 7, OPENS("/b"), .first_version = true);
	OPERATE(&w, 20, .op = EV_URING_CLOSE, .fd = 7, .first_version = true);
	OPERATE(&w, 20, .op = EV_URING_SEND, .res = 4, .fd = 9, CONNECTION, .first_version = true);
	world_tick(&w);
	assert_null(F(&w, 20, 9));
	assert_text(F(&w, 20, 7)->name, "/a");
	world_done(&w);
}

static void a_close_that_is_not_told_closes(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	world_open(&w, 20, 7, "/a", 0);
	OPERATE(&w, 20, .op = EV_URING_CLOSE, .res = CLOSED_WITHOUT_RESULT, .fd = 7);
	world_tick(&w);
	assert_null(F(&w, 20, 7));
	open_file(&w, 20, CLOSED_WITHOUT_RESULT, "/b");
	OPERATE(&w, 99, .op = EV_URING_CLOSE, .res = CLOSED_WITHOUT_RESULT, .fd = 7);
	assert_null(T(&w, 99));
	world_done(&w);
}

static void sockets_of_a_ring_have_their_ends(void **arg)
{
	const struct state_fd *fd;
	struct world w;

	(void)arg;
	world_with_20(&w);
	OPERATE(&w, 20, .op = EV_URING_SOCKET, .res = 5, .fd = -1, .len = INET, .op_flags = STREAM,
		.offset = 6, .gives = true, .fd_flags = STATE_O_CLOEXEC);
	fd = F(&w, 20, 5);
	assert_int_equal(fd->type, EV_FD_IPV4_SOCK);
	assert_int_equal(fd->openflags, STATE_O_CLOEXEC);
	OPERATE(&w, 20, .op = EV_URING_CONNECT, .fd = 5, CONNECTION);
	assert_text(F(&w, 20, 5)->name, "10.0.0.1:1000->10.0.0.2:80");
	assert_int_equal(F(&w, 20, 5)->flags, STATE_FD_CONNECTED | STATE_FD_ROLE_CLIENT);
	assert_int_equal(state_fd_l4proto(F(&w, 20, 5)), EV_L4_TCP);

	OPERATE(&w, 20, .op = EV_URING_ACCEPT, .res = 6, .fd = 3, CONNECTION, .gives = true);
	fd = F(&w, 20, 6);
	assert_text(fd->name, "10.0.0.1:1000->10.0.0.2:80");
	assert_int_equal(fd->flags, STATE_FD_CONNECTED | STATE_FD_ROLE_SERVER);

	/* The listener may be one of the ring's own. */
	OPERATE(&w, 20, .op = EV_URING_ACCEPT, .res = 8, .sqe_flags = EV_URING_FIXED_FILE,
		CONNECTION, .gives = true);
	assert_text(F(&w, 20, 8)->name, "10.0.0.1:1000->10.0.0.2:80");

	OPERATE(&w, 20, .op = EV_URING_SOCKET, .res = 7, .fd = -1, .len = INET, .op_flags = STREAM,
		.gives = true);
	OPERATE(&w, 20, .op = EV_URING_BIND, .fd = 7, .address = "\2\x7f\0\0\1\x50\0",
		.address_n = 7);
	assert_true(state_fd_is_listener(F(&w, 20, 7)));
	assert_text(F(&w, 20, 7)->name, "127.0.0.1:80");
	world_done(&w);
}

static void both_ends_of_a_pipe_are_known(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	OPERATE(&w, 20, .op = EV_URING_PIPE, .fd = 5, .fd2 = 6, .gives = true, .finds = true,
		.ino = 77, .fd_flags = STATE_O_CLOEXEC);
	for (int64_t num = 5; num <= 6; num++) {
		assert_int_equal(F(&w, 20, num)->type, EV_FD_FIFO);
		assert_int_equal(F(&w, 20, num)->ino, 77);
		assert_int_equal(F(&w, 20, num)->openflags, STATE_O_CLOEXEC);
	}
	OPERATE(&w, 20, .op = EV_URING_PIPE, .slot = 1, .fd = 7, .fd2 = 8, .gives = true,
		.finds = true);
	assert_null(F(&w, 20, 7));
	world_done(&w);
}

static void packets_of_a_ring_tell_where_they_go(void **arg)
{
	static const uint8_t ops[] = {EV_URING_SEND, EV_URING_SENDMSG_ZC, EV_URING_RECV,
				      EV_URING_RECVMSG};
	struct world w;

	(void)arg;
	world_with_20(&w);
	for (unsigned i = 0; i < COUNT_OF(ops); i++) {
		int64_t num = 10 + i;

		OPERATE(&w, 20, .op = EV_URING_SOCKET, .res = num, .fd = -1, .len = INET,
			.op_flags = DGRAM, .gives = true);
		OPERATE(&w, 20, .op = ops[i], .res = 4, .fd = num, CONNECTION);
		assert_text(F(&w, 20, num)->name, "10.0.0.1:1000->10.0.0.2:80");
		assert_true(F(&w, 20, num)->flags & STATE_FD_CONNECTED);
	}
	world_done(&w);
}

/* The result of an operation may come while its thread is within a call. */
static void calls_that_are_under_way_are_not_disturbed(void **arg)
{
	struct world w;

	(void)arg;
	world_with_20(&w);
	EVENT(&w, 20, EV_OPENAT_2_E, I(EV_FD_CWD), S("/seen/at/enter"), I(0), I(0));
	open_file(&w, 20, 8, "/of/the/ring");
	assert_text(F(&w, 20, 8)->name, "/of/the/ring");
	OPERATE(&w, 20, .op = EV_URING_CLOSE, .fd = 8);
	EVENT(&w, 20, EV_OPENAT_2_X, I(9), I(EV_FD_CWD), S("/changed"), I(0), I(0));
	assert_text(F(&w, 20, 9)->name, "/seen/at/enter");
	assert_null(F(&w, 20, 8));
	EVENT(&w, 20, EV_SOCKET_X, I(3), I(INET), I(STREAM), I(0), I(0));
	EVENT(&w, 20, EV_CONNECT_E, I(3), NONE);
	open_file(&w, 20, 8, "/of/the/ring");
	EVENT(&w, 20, EV_CONNECT_X, I(0), NONE, NONE, NONE);
	assert_ptr_equal(w.bind.fd, F(&w, 20, 3));
	world_done(&w);
}

static void an_operation_may_come_first(void **arg)
{
	struct world w;

	(void)arg;
	world_init_base(&w);
	open_file(&w, 1, 3, "/a");
	assert_true(state_is_complete(w.st));
	assert_text(F(&w, 1, 3)->name, "/a");
	open_file(&w, 55, 3, "/b"); /* of a thread that nobody knows */
	assert_true(state_thread_is_invalid(T(&w, 55)));
	assert_text(F(&w, 55, 3)->name, "/b");
	world_done(&w);
}

static void operations_of_suppressed_commands_are_ignored(void **arg)
{
	struct world w;

	(void)arg;
	world_suppressing(&w, "quiet");
	CLONE(&w, 1, .ret = 20);
	CLONE(&w, 20, .comm = "quiet");
	open_file(&w, 20, 3, "/a");
	assert_null(w.bind.thread);
	assert_true(!T(&w, 20) || !F(&w, 20, 3));
	world_done(&w);
}

/* What is not as it must be changes nothing, and does no harm. */
static void odd_records_are_left_out(void **arg)
{
	char name[EV_URING_NAME_MAX + 900];
	struct world w;

	(void)arg;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	world_with_20(&w);
	open_file(&w, 20, 3, name);
	assert_null(F(&w, 20, 3));
	OPERATE(&w, 20, .op = EV_URING_OPENAT, .res = 4, .name = "/a"); /* without flags */
	assert_null(F(&w, 20, 4));
	OPERATE(&w, 20, .op = 255, .res = 5, .name = "/a", .gives = true);
	OPERATE(&w, 20, .op = EV_URING_ACCEPT, .res = 5, .tuple = "\2", .tuple_n = 1,
		.gives = true);
	assert_null(F(&w, 20, 5));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_ring_opens_is_known_until_a_ring_closes_it),
	    cmocka_unit_test(names_begin_at_the_directory_of_the_operation),
	    cmocka_unit_test(threads_share_what_a_ring_opens),
	    cmocka_unit_test(failures_change_nothing),
	    cmocka_unit_test(files_of_the_rings_own_table_are_no_descriptors),
	    cmocka_unit_test(records_of_the_first_version_leave_descriptors_alone),
	    cmocka_unit_test(a_close_that_is_not_told_closes),
	    cmocka_unit_test(sockets_of_a_ring_have_their_ends),
	    cmocka_unit_test(both_ends_of_a_pipe_are_known),
	    cmocka_unit_test(packets_of_a_ring_tell_where_they_go),
	    cmocka_unit_test(calls_that_are_under_way_are_not_disturbed),
	    cmocka_unit_test(an_operation_may_come_first),
	    cmocka_unit_test(operations_of_suppressed_commands_are_ignored),
	    cmocka_unit_test(odd_records_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
