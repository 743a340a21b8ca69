/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/record_cli_test.py records of io_uring: files and sockets that come and go through a
 * ring, and calls that use them.
 *
 *	uring_load FILE    status 77 if the kernel gives no ring
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES	       8
#define STATUS_REFUSED 77

struct ring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params p;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "uring_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *map(const struct ring *r, size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, what);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

static void open_ring(struct ring *r)
{
	const int none[] = {-1, -1};

	memset(r, 0, sizeof(*r));
	r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &r->p);
	if (r->fd < 0)
		exit(STATUS_REFUSED);
	r->sq = map(r, 8192, IORING_OFF_SQ_RING);
	r->cq = map(r, 8192, IORING_OFF_CQ_RING);
	r->sqes = map(r, ENTRIES * sizeof(*r->sqes), IORING_OFF_SQES);
	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, none, 2) < 0)
		fail("io_uring_register");
}

/* Submit one operation and wait for its result. */
static int run(struct ring *r, struct io_uring_sqe sqe)
{
	unsigned *tail = (unsigned *)(void *)(r->sq + r->p.sq_off.tail), at = *tail % ENTRIES;
	unsigned *head = (unsigned *)(void *)(r->cq + r->p.cq_off.head);
	struct io_uring_cqe *cqes = (void *)(r->cq + r->p.cq_off.cqes);
	int res;

	r->sqes[at] = sqe;
	((unsigned *)(void *)(r->sq + r->p.sq_off.array))[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		fail("io_uring_enter");
	res = cqes[*head % r->p.cq_entries].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

static int need(int res, const char *what)
{
	if (res < 0) {
		errno = -res;
		fail(what);
	}
	return res;
}

static void read_some(int fd)
{
	char text[4];

	(void)!read(fd, text, sizeof(text));
}

static int open_file(struct ring *r, const char *path, uint32_t slot)
{
	return need(run(r, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
						 .fd = AT_FDCWD,
						 .addr = (uintptr_t)path,
						 .open_flags = O_RDONLY,
						 .file_index = slot}),
		    "open");
}

static void close_file(struct ring *r, int fd)
{
	need(run(r, (struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .fd = fd}), "close");
}

/* One is read and closed, one stays open, one is no descriptor. */
static void files(struct ring *r, const char *path)
{
	int fd = open_file(r, path, 0);

	read_some(fd);
	close_file(r, fd);
	read_some(fd);
	open_file(r, path, 1);
	read_some(open_file(r, path, 0));
}

/* A connection to ourselves, both ends of which a ring made. */
static void sockets(struct ring *r)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, server;

	if (listener < 0 || bind(listener, (void *)&to, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&to, &len))
		fail("listen");
	client = need(run(r, (struct io_uring_sqe){.opcode = IORING_OP_SOCKET,
						   .fd = AF_INET,
						   .off = SOCK_STREAM}),
		      "socket");
	need(run(r, (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
					  .fd = client,
					  .addr = (uintptr_t)&to,
					  .off = sizeof(to)}),
	     "connect");
	server = need(run(r, (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = listener}),
		      "accept");
	if (write(client, "ping", 4) != 4)
		fail("write");
	read_some(server);
}

int main(int argc, char **argv)
{
	struct ring r;

	if (argc != 2) {
		fprintf(stderr, "uring_load: FILE\n");
		return 2;
	}
	open_ring(&r);
	files(&r, argv[1]);
	sockets(&r);
	return 0;
}
