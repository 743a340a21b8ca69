/* SPDX-License-Identifier: Apache-2.0 */
/* Operations through io_uring: what was asked for and what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/tests/truth_calls.h"
#include "capture/wire.h"

#define DONE_MAX   40
#define NO_RING	   36 /* status of a child that could make none */
#define ENTRIES	   8
#define MULTISHOT  (1u << 0)
#define ADDRESS_IN 7

enum {
	RES,
	OP,
	FD,
	USER_DATA,
	FLAGS,
	SQE_FLAGS,
	OP_FLAGS,
	ADDR,
	LEN,
	OFFSET,
	FD2,
	SUBMITTED,
	NAME,
	NAME2,
	ADDRESS,
	TUPLE,
	FILE_SLOT,
	FD_FLAGS,
	DEV,
	INO
};

/* Flags of descriptors, as events of calls have them. */
#define PPM_RDWR    3u
#define PPM_RDONLY  1u
#define PPM_CREAT   4u
#define PPM_CLOEXEC (1u << 12)
#define PPM_CREATED (1u << 14)

struct done { /* an operation of the child, in the shared bytes */
	struct io_uring_sqe sqe;
	int64_t res;
};
struct work {
	unsigned n;
	struct done done[DONE_MAX];
	char pages[4][256];
	struct sockaddr_in to;
	int port;
	uint64_t ino[2];
	uint32_t dev;
};

struct ring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params p;
};

static struct ring ring; /* the child's */

static void open_ring(void)
{
	ring.fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring.p);
	if (ring.fd < 0)
		live_call(SYS_exit_group, NO_RING);
	ring.sq = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.cq = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.sqes = mmap(NULL, ENTRIES * sizeof(*ring.sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
			 ring.fd, IORING_OFF_SQES);
	LIVE_NEED(ring.sq != MAP_FAILED && ring.cq != MAP_FAILED && ring.sqes != MAP_FAILED);
}

static void submit(const struct io_uring_sqe *sqe, unsigned wait)
{
	unsigned *tail = (unsigned *)(ring.sq + ring.p.sq_off.tail), at = *tail & (ENTRIES - 1);
	unsigned *array = (unsigned *)(ring.sq + ring.p.sq_off.array);
	unsigned flags = wait ? IORING_ENTER_GETEVENTS : 0;

	ring.sqes[at] = *sqe;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (ring.p.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	LIVE_NEED(syscall(SYS_io_uring_enter, ring.fd, 1, wait, flags, NULL, 0) == 1);
}

static struct io_uring_cqe take(void)
{
	unsigned *head = (unsigned *)(ring.cq + ring.p.cq_off.head);
	unsigned *tail = (unsigned *)(ring.cq + ring.p.cq_off.tail), mask = ring.p.cq_entries - 1;
	struct io_uring_cqe *cqes = (void *)(ring.cq + ring.p.cq_off.cqes), cqe;

	while (*head == __atomic_load_n(tail, __ATOMIC_ACQUIRE))
		LIVE_NEED(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL,
				  0) >= 0);
	cqe = cqes[*head & mask];
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return cqe;
}

/* Submit, wait, note. Return: the result. */
static int run(struct work *w, struct io_uring_sqe sqe)
{
	struct done *d = &w->done[w->n];
	struct io_uring_cqe cqe;

	sqe.user_data = 0x1000000000 + w->n;
	submit(&sqe, 1);
	cqe = take();
	LIVE_NEED(cqe.user_data == sqe.user_data && w->n < DONE_MAX);
	d->sqe = sqe;
	d->res = cqe.res;
	w->n++;
	return cqe.res;
}

/* --- reading the events --- */

static struct live_event *next(struct live *l)
{
	struct live_event *all;
	unsigned n = live_events(l, &all);

	if (WEXITSTATUS(live_status(l)) == NO_RING)
		skip();
	for (unsigned i = 0; i < n; i++)
		if (all[i].tid == live_tid(l) && all[i].type == EV_TYPE_URING && !all[i].taken) {
			all[i].taken = true;
			assert_int_equal(all[i].nparams, EV_URING_PARAMS);
			return &all[i];
		}
	fail_msg("no further event of the child, %u in all", n);
	return NULL;
}

static struct ev_value value(const struct live_event *e, unsigned i)
{
	uint32_t at = WIRE_HEADER_LEN + 2u * e->nparams, n;

	for (unsigned k = 0; k < i; k++)
		at += load_u16(e->body + WIRE_HEADER_LEN + 2 * k);
	n = load_u16(e->body + WIRE_HEADER_LEN + 2 * i);
	assert_true(at + n <= e->len);
	return (struct ev_value){e->body + at, n};
}

static int64_t number(const struct live_event *e, unsigned i)
{
	struct ev_value v = value(e, i);
	uint64_t n = 0;

	assert_int_equal(v.n, ev_ptype_width(ev_uring_info.params[i].type));
	memcpy(&n, v.p, v.n);
	return (int64_t)n;
}

static void expect_text(const struct live_event *e, unsigned i, const char *text)
{
	struct ev_value v = value(e, i);

	if (!text) {
		assert_int_equal(v.n, 0);
		return;
	}
	assert_int_equal(v.n, strlen(text) + 1);
	assert_string_equal((const char *)v.p, text);
}

/* What all have; the rest is as the operation says. */
static struct live_event *expect_done(struct live *l, const struct done *d)
{
	struct live_event *e = next(l);

	assert_int_equal(number(e, OP), d->sqe.opcode);
	assert_int_equal(number(e, RES), d->res);
	assert_int_equal(number(e, USER_DATA), d->sqe.user_data);
	/* The kernel sets one itself, to have slow operations done by a thread. */
	assert_int_equal(number(e, SQE_FLAGS) & ~IOSQE_ASYNC, d->sqe.flags);
	assert_in_range(number(e, SUBMITTED), live_from(l) - 1000000, e->ts);
	return e;
}

/* Not an operation that gives a descriptor. */
static void expect_nothing_given(const struct live_event *e)
{
	assert_int_equal(number(e, FILE_SLOT), 0);
	for (unsigned i = FD_FLAGS; i <= INO; i++)
		assert_int_equal(value(e, i).n, 0);
}

static void expect_given(const struct live_event *e, uint32_t flags, uint32_t dev, uint64_t ino)
{
	assert_int_equal(number(e, FD_FLAGS), flags);
	assert_int_equal(number(e, DEV), dev);
	assert_int_equal(number(e, INO), ino);
}

/* --- paths --- */

static void note_file(struct work *w, unsigned i, int fd)
{
	struct stat sb;

	LIVE_NEED(fstat(fd, &sb) == 0);
	w->ino[i] = sb.st_ino;
	w->dev = (uint32_t)(minor(sb.st_dev) & 0xff) | (uint32_t)(major(sb.st_dev) << 8) |
		 (uint32_t)((minor(sb.st_dev) & ~0xffu) << 12);
}

static void do_paths(void *shared)
{
	struct work *w = shared;
	struct open_how how = {.flags = O_RDWR | O_CREAT, .mode = 0640, .resolve = RESOLVE_BENEATH};
	int dir;

	live_pause();
	truth_enter_directory();
	open_ring();
	dir = open(".", O_PATH);
	live_resume();
#define U(x) ((uintptr_t)(x))
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
				     .fd = AT_FDCWD,
				     .addr = U("file"),
				     .len = 0600,
				     .open_flags = O_RDWR | O_CREAT});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT2,
				     .fd = dir,
				     .addr = U("other"),
				     .len = sizeof(how),
				     .off = U(&how)});
	note_file(w, 0, (int)w->done[0].res);
	note_file(w, 1, (int)w->done[1].res);
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .fd = (int)w->done[0].res});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = dir, .addr = U("nothing")});
	run(w, (struct io_uring_sqe){
		   .opcode = IORING_OP_MKDIRAT, .fd = dir, .addr = U("dir"), .len = 0711});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT,
				     .fd = AT_FDCWD,
				     .addr = U("file"),
				     .addr2 = U("dir/file"),
				     .len = (uint32_t)dir,
				     .rename_flags = 1});
	run(w,
	    (struct io_uring_sqe){
		.opcode = IORING_OP_SYMLINKAT, .fd = dir, .addr = U("to"), .addr2 = U("symlink")});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_LINKAT,
				     .fd = dir,
				     .addr = U("other"),
				     .addr2 = U("link"),
				     .len = (uint32_t)AT_FDCWD});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT,
				     .fd = AT_FDCWD,
				     .addr = U("dir"),
				     .unlink_flags = AT_REMOVEDIR});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_STATX,
				     .fd = dir,
				     .addr = U("other"),
				     .len = STATX_SIZE,
				     .off = U(w->pages),
				     .statx_flags = 0x100});
}

static void paths_are_told_with_their_flags(void **state)
{
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_paths);
	static const struct {
		const char *name, *name2;
		int64_t op_flags, len, offset;
		bool ok, pair;
	} rows[] = {
	    {"file", NULL, O_RDWR | O_CREAT, 0600, 0, true, false},
	    {"other", NULL, O_RDWR | O_CREAT, 0640, RESOLVE_BENEATH, true, false},
	    {NULL, NULL, 0, 0, 0, true, false},
	    {"nothing", NULL, 0, 0, 0, false, false},
	    {"dir", NULL, 0, 0711, 0, true, false},
	    {"file", "dir/file", 1, 0, 0, true, true},
	    {"to", "symlink", 0, 0, 0, true, true},
	    {"other", "link", 0, 0, 0, true, true},
	    {"dir", NULL, AT_REMOVEDIR, 0, 0, false, false},
	    {"other", NULL, 0x100, STATX_SIZE, 0, true, false},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct live_event *e = expect_done(l, &w->done[i]);
		const struct io_uring_sqe *q = &w->done[i].sqe;
		bool symlink = q->opcode == IORING_OP_SYMLINKAT;

		assert_int_equal(number(e, RES) >= 0, rows[i].ok);
		assert_int_equal(number(e, FD), symlink ? -1 : q->fd);
		assert_int_equal(number(e, OP_FLAGS) & ~O_LARGEFILE & ~0100000, rows[i].op_flags);
		assert_int_equal(number(e, LEN), rows[i].len);
		assert_int_equal(number(e, OFFSET), rows[i].offset);
		assert_int_equal(number(e, FD2), symlink ? q->fd : rows[i].pair ? (int)q->len : -1);
		expect_text(e, NAME, rows[i].name);
		expect_text(e, NAME2, rows[i].name2);
		expect_text(e, ADDRESS, NULL);
		expect_text(e, TUPLE, NULL);
		assert_int_equal(number(e, FILE_SLOT), 0);
		if (i < 2)
			expect_given(e, PPM_RDWR | PPM_CREAT | PPM_CREATED, w->dev, w->ino[i]);
		else if (i == 3)
			expect_given(e, PPM_RDONLY, 0, 0);
		else
			expect_nothing_given(e);
	}
}

/* --- data --- */

static void do_data(void *shared)
{
	struct work *w = shared;
	struct iovec v[2] = {{w->pages[0], 100}, {w->pages[1], 11}};
	int fd;

	live_pause();
	truth_enter_directory();
	open_ring();
	fd = open("file", O_RDWR | O_CREAT, 0644);
	live_resume();
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_WRITE,
				     .fd = fd,
				     .addr = U(w->pages[2]),
				     .len = 200,
				     .off = 17});
	run(w,
	    (struct io_uring_sqe){
		.opcode = IORING_OP_READ, .fd = fd, .addr = U(w->pages[3]), .len = 256, .off = 0});
	run(w, (struct io_uring_sqe){
		   .opcode = IORING_OP_WRITEV, .fd = fd, .addr = U(v), .len = 2, .off = 5});
	run(w, (struct io_uring_sqe){
		   .opcode = IORING_OP_READV, .fd = fd, .addr = U(v), .len = 1, .off = 9});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = -1, .addr = U(v), .len = 3});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_FSYNC, .fd = fd});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_NOP});
}

static void reads_and_writes_tell_what_and_where(void **state)
{
	static const int64_t results[] = {200, 217, 111, 100, -EBADF, 0, 0};
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_data);

	for (unsigned i = 0; i < sizeof(results) / sizeof(*results); i++) {
		struct live_event *e = expect_done(l, &w->done[i]);
		const struct io_uring_sqe *q = &w->done[i].sqe;

		assert_int_equal(number(e, RES), results[i]);
		assert_int_equal(number(e, FD), q->opcode == IORING_OP_NOP ? -1 : q->fd);
		assert_int_equal(number(e, ADDR), q->addr);
		assert_int_equal(number(e, LEN), q->len);
		assert_int_equal(number(e, OFFSET), q->off);
		expect_text(e, NAME, NULL);
		expect_nothing_given(e);
	}
}

/* --- sockets --- */

static int listen_somewhere(struct work *w)
{
	socklen_t len = sizeof(w->to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	w->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	LIVE_NEED(fd >= 0 && !bind(fd, (void *)&w->to, len) && !listen(fd, 5));
	LIVE_NEED(!getsockname(fd, (void *)&w->to, &len));
	w->port = ntohs(w->to.sin_port);
	return fd;
}

static void do_sockets(void *shared)
{
	struct work *w = shared;
	struct iovec v = {w->pages[0], 20};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1};
	int listener, client;

	live_pause();
	open_ring();
	listener = listen_somewhere(w);
	live_resume();
	client = run(w, (struct io_uring_sqe){.opcode = IORING_OP_SOCKET,
					      .fd = AF_INET,
					      .off = SOCK_STREAM,
					      .len = IPPROTO_TCP});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
				     .fd = client,
				     .addr = U(&w->to),
				     .off = sizeof(w->to)});
	run(w, (struct io_uring_sqe){
		   .opcode = IORING_OP_ACCEPT, .fd = listener, .accept_flags = SOCK_CLOEXEC});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_SEND,
				     .fd = client,
				     .addr = U(w->pages[0]),
				     .len = 30,
				     .msg_flags = MSG_NOSIGNAL});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_RECV,
				     .fd = (int)w->done[2].res,
				     .addr = U(w->pages[1]),
				     .len = 256});
	run(w, (struct io_uring_sqe){
		   .opcode = IORING_OP_SENDMSG, .fd = client, .addr = U(&msg), .len = 1});
	run(w,
	    (struct io_uring_sqe){
		.opcode = IORING_OP_RECVMSG, .fd = (int)w->done[2].res, .addr = U(&msg), .len = 1});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_SHUTDOWN, .fd = client, .len = SHUT_WR});
}

/* Both ends on this host; @far_first: the end that is not this one's comes first. */
static void expect_tuple(const struct live_event *e, uint16_t from, uint16_t to)
{
	struct ev_value v = value(e, TUPLE);
	const uint8_t ip[] = {127, 0, 0, 1};

	assert_int_equal(v.n, 13);
	assert_int_equal(v.p[0], AF_INET);
	assert_memory_equal(v.p + 1, ip, 4);
	assert_memory_equal(v.p + 7, ip, 4);
	if (from)
		assert_int_equal(load_u16(v.p + 5), from);
	if (to)
		assert_int_equal(load_u16(v.p + 11), to);
}

static void sockets_tell_both_ends(void **state)
{
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_sockets);
	const struct done *d = w->done;
	uint16_t port = (uint16_t)w->port, client;
	struct live_event *e = expect_done(l, &d[0]);
	struct ev_value v;

	assert_true(d[0].res >= 0);
	assert_int_equal(number(e, FD), -1);
	assert_int_equal(number(e, LEN), AF_INET);
	assert_int_equal(number(e, OP_FLAGS), SOCK_STREAM);
	assert_int_equal(number(e, OFFSET), IPPROTO_TCP);
	assert_int_equal(number(e, FD_FLAGS), 0);
	assert_int_equal(value(e, INO).n, 0);

	e = expect_done(l, &d[1]);
	expect_nothing_given(e);
	assert_int_equal(d[1].res, 0);
	assert_int_equal(number(e, FD), d[0].res);
	v = value(e, ADDRESS);
	assert_int_equal(v.n, ADDRESS_IN);
	assert_memory_equal(v.p, "\2\x7f\0\0\1", 5);
	assert_int_equal(load_u16(v.p + 5), port);
	expect_tuple(e, 0, port);
	client = load_u16(value(e, TUPLE).p + 5);

	e = expect_done(l, &d[2]);
	assert_true(d[2].res > 0);
	assert_int_equal(number(e, OP_FLAGS), SOCK_CLOEXEC);
	assert_int_equal(number(e, FD_FLAGS), PPM_CLOEXEC);
	expect_tuple(e, client, port);

	for (unsigned i = 3; i < 7; i++) {
		bool sends = i % 2;

		e = expect_done(l, &d[i]);
		assert_int_equal(d[i].res, i < 5 ? 30 : 20);
		assert_int_equal(number(e, FD), d[i].sqe.fd);
		assert_int_equal(number(e, ADDR), d[i].sqe.addr);
		assert_int_equal(number(e, OP_FLAGS) & MSG_NOSIGNAL,
				 i == 3 || i == 5 ? MSG_NOSIGNAL : 0);
		expect_tuple(e, sends ? client : client, port);
	}
	e = expect_done(l, &d[7]);
	assert_int_equal(number(e, OP_FLAGS), SHUT_WR);
}

/* --- results that do not come, or come more than once --- */

static void do_odd(void *shared)
{
	struct work *w = shared;
	struct io_uring_sqe quiet = {.opcode = IORING_OP_MKDIRAT,
				     .fd = AT_FDCWD,
				     .addr = U("quiet"),
				     .len = 0755,
				     .flags = IOSQE_CQE_SKIP_SUCCESS,
				     .user_data = 77};
	struct io_uring_sqe many = {
	    .opcode = IORING_OP_ACCEPT, .user_data = 78, .ioprio = MULTISHOT};
	struct sockaddr_in *to = &w->to;

	live_pause();
	truth_enter_directory();
	open_ring();
	many.fd = listen_somewhere(w);
	live_resume();
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = 5, .addr = 16});
	run(w, (struct io_uring_sqe){.opcode = 200, .flags = IOSQE_ASYNC});
	submit(&quiet, 0);
	while (access("quiet", F_OK)) /* a thread of the kernel does it */
		sched_yield();
	submit(&many, 0);
	for (int i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		LIVE_NEED(!connect(fd, (void *)to, sizeof(*to)));
		w->done[2 + i].res = take().res;
		w->done[2 + i].sqe = many;
	}
}

static void what_the_kernel_keeps_quiet_about_is_told_at_its_submission(void **state)
{
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_odd);
	struct live_event *e = next(l);

	assert_int_equal(number(e, OP), IORING_OP_OPENAT); /* refused: nothing more is known */
	assert_int_equal(number(e, RES), -EFAULT);
	assert_int_equal(number(e, USER_DATA), w->done[0].sqe.user_data);
	assert_int_equal(number(e, SUBMITTED), 0);
	expect_nothing_given(e);
	e = next(l);
	assert_int_equal(number(e, OP), 200); /* there is none */
	assert_int_equal(number(e, RES), -EINVAL);
	assert_int_equal(number(e, SQE_FLAGS), IOSQE_ASYNC);
	assert_int_equal(number(e, FD), -1);
	assert_int_equal(number(e, SUBMITTED), 0);
	expect_nothing_given(e);
	e = next(l);
	assert_int_equal(number(e, OP), IORING_OP_MKDIRAT);
	assert_int_equal(value(e, RES).n, 0);
	assert_int_equal(number(e, USER_DATA), 77);
	expect_text(e, NAME, "quiet");
	for (int i = 0; i < 2; i++) {
		e = expect_done(l, &w->done[2 + i]);
		assert_true(number(e, RES) > 0);
		assert_int_equal(number(e, FLAGS) & IORING_CQE_F_MORE, IORING_CQE_F_MORE);
		assert_int_equal(number(e, FD), w->done[2].sqe.fd);
		expect_tuple(e, 0, (uint16_t)w->port);
	}
}

/* --- files of the ring's own table --- */

static void do_direct(void *shared)
{
	struct work *w = shared;
	int files[4] = {-1, -1, -1, -1}, client[2];

	live_pause();
	truth_enter_directory();
	open_ring();
	files[0] = listen_somewhere(w);
	LIVE_NEED(!syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, files, 4));
	for (int i = 0; i < 2; i++) {
		client[i] = socket(AF_INET, SOCK_STREAM, 0);
		LIVE_NEED(!connect(client[i], (void *)&w->to, sizeof(w->to)));
	}
	LIVE_NEED(dup2(client[0], 0) == 0); /* where results of 0 would lead to */
	live_resume();
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
				     .fd = AT_FDCWD,
				     .addr = U("file"),
				     .len = 0600,
				     .open_flags = O_RDWR | O_CREAT,
				     .file_index = IORING_FILE_INDEX_ALLOC});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = files[0], .file_index = 3});
	run(w, (struct io_uring_sqe){
		   .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM, .file_index = 4});
	run(w, (struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .file_index = 3});
	run(w,
	    (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = 0, .flags = IOSQE_FIXED_FILE});
}

static void files_that_are_no_descriptors_are_told_from_them(void **state)
{
	static const struct {
		uint8_t op;
		uint32_t slot, flags;
		bool gives;
	} rows[] = {
	    /* index 0 is taken: that of a listener */
	    {IORING_OP_OPENAT, UINT32_MAX, PPM_RDWR | PPM_CREAT, true},
	    {IORING_OP_ACCEPT, 3, 0, true},
	    {IORING_OP_SOCKET, 4, 0, true},
	    {IORING_OP_CLOSE, 3, 0, false},
	};
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_direct);
	struct live_event *e;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		e = expect_done(l, &w->done[i]);
		assert_int_equal(number(e, OP), rows[i].op);
		assert_int_equal(number(e, RES), i == 0);
		assert_int_equal(number(e, FILE_SLOT), rows[i].slot);
		if (rows[i].gives)
			assert_int_equal(number(e, FD_FLAGS), rows[i].flags);
		else
			assert_int_equal(value(e, FD_FLAGS).n, 0);
		if (i == 0)
			expect_given(e, rows[i].flags, 0, 0);
		expect_text(e, TUPLE, NULL);
	}
	e = expect_done(l, &w->done[4]);
	assert_true(w->done[4].res > 0);
	assert_int_equal(number(e, FILE_SLOT), 0);
	expect_tuple(e, 0, (uint16_t)w->port);
}

/* --- pipes --- */

#define OP_PIPE 62 /* since 6.16 */

static void do_pipe(void *shared)
{
	struct work *w = shared;
	int *ends = (int *)(void *)w->pages[0];

	live_pause();
	open_ring();
	live_resume();
	if (run(w, (struct io_uring_sqe){
		       .opcode = OP_PIPE, .addr = U(ends), .rw_flags = O_CLOEXEC}) == 0)
		note_file(w, 0, ends[1]);
}

static void a_pipe_tells_both_ends(void **state)
{
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_pipe);
	const int *ends = (const int *)(const void *)w->pages[0];
	struct live_event *e = expect_done(l, &w->done[0]);

	if (w->done[0].res == -EINVAL)
		skip(); /* the kernel has no such operation */
	assert_int_equal(w->done[0].res, 0);
	assert_int_equal(number(e, FD), ends[0]);
	assert_int_equal(number(e, FD2), ends[1]);
	assert_int_equal(number(e, FILE_SLOT), 0);
	expect_given(e, PPM_CLOEXEC, w->dev, w->ino[0]);
}

/* --- operations that a thread of the kernel takes --- */

static void do_polled(void *shared)
{
	struct work *w = shared;
	struct io_uring_sqe open = {
	    .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = U("/dev/null"), .user_data = 79};

	live_pause();
	ring.p = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 10000};
	open_ring();
	live_resume();
	submit(&open, 0);
	w->done[0].res = take().res;
}

static void what_the_kernel_takes_itself_belongs_to_the_process(void **state)
{
	struct live *l = *state;
	const struct work *w = live_run(l, "+uring", do_polled);
	struct live_event *e = next(l); /* of the child */

	assert_int_equal(number(e, OP), IORING_OP_OPENAT);
	assert_int_equal(number(e, USER_DATA), 79);
	assert_true(w->done[0].res >= 0);
	assert_int_equal(number(e, RES), w->done[0].res);
}

LIVE_MAIN("truth_uring", "+uring", cmocka_unit_test(paths_are_told_with_their_flags),
	  cmocka_unit_test(reads_and_writes_tell_what_and_where),
	  cmocka_unit_test(sockets_tell_both_ends),
	  cmocka_unit_test(what_the_kernel_keeps_quiet_about_is_told_at_its_submission),
	  cmocka_unit_test(files_that_are_no_descriptors_are_told_from_them),
	  cmocka_unit_test(a_pipe_tells_both_ends),
	  cmocka_unit_test(what_the_kernel_takes_itself_belongs_to_the_process))
