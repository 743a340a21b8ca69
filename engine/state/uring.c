/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations through io_uring: each changes descriptors as the system call does that it stands for,
 * so it is written as the event of that call and given to its parser. Not what concerns the ring's
 * own table of files, of which nothing is kept.
 */
#include "engine/state/internal.h"

#include <string.h>

#define PARAMS_MAX 7
#define ROOM	   (EV_URING_NAME_MAX + 512) /* name and address; addresses are short */

/* Numbers of the call may be narrower: both are little-endian. */
struct ring_param {
	int8_t from;   /* -1: the call has one that an operation does not tell */
	uint8_t width; /* 0: as long as it is */
};

struct ring_call {
	uint16_t type;
	bool opens; /* what its descriptor is does not matter */
	uint8_t nparams;
	struct ring_param params[PARAMS_MAX];
};

/* clang-format off */
#define RES   {EV_URING_RES, 8}
#define FD    {EV_URING_FD, 8}
#define TUPLE {EV_URING_TUPLE, 0}
#define FLAGS {EV_URING_FD_FLAGS, 4}
#define NONE  {-1, 0}

static const struct ring_call
    open_call = {EV_OPENAT_2_X, true, 7, {RES, FD, {EV_URING_NAME, 0}, FLAGS, {EV_URING_LEN, 4},
					  {EV_URING_DEV, 4}, {EV_URING_INO, 8}}},
    close_call = {EV_CLOSE_X, false, 2, {RES, FD}},
    socket_call = {EV_SOCKET_X, true, 5, {RES, {EV_URING_LEN, 4}, {EV_URING_OP_FLAGS, 4},
					  {EV_URING_OFFSET, 4}, FLAGS}},
    bind_call = {EV_BIND_X, false, 3, {RES, {EV_URING_ADDRESS, 0}, FD}},
    connect_call = {EV_CONNECT_X, false, 4, {RES, TUPLE, FD, {EV_URING_ADDRESS, 0}}},
    pipe_call = {EV_PIPE2_X, true, 5, {RES, FD, {EV_URING_FD2, 8}, {EV_URING_INO, 8}, FLAGS}},
    accept_call = {EV_ACCEPT4_6_X, true, 6, {RES, TUPLE, NONE, NONE, NONE, FLAGS}},
    send_call = {EV_SEND_X, false, 5, {RES, NONE, FD, NONE, TUPLE}},
    receive_call = {EV_RECV_X, false, 5, {RES, NONE, FD, NONE, TUPLE}},
    transfer_call = {EV_READ_X, false, 3, {RES, NONE, FD}};
/* clang-format on */

/* NULL: nothing that is kept changes. */
static const struct ring_call *call_of(unsigned op)
{
	switch (op) {
	case EV_URING_OPENAT:
	case EV_URING_OPENAT2:
		return &open_call;
	case EV_URING_CLOSE:
		return &close_call;
	case EV_URING_SOCKET:
		return &socket_call;
	case EV_URING_PIPE:
		return &pipe_call;
	case EV_URING_BIND:
		return &bind_call;
	case EV_URING_CONNECT:
		return &connect_call;
	case EV_URING_ACCEPT:
		return &accept_call;
	case EV_URING_SEND:
	case EV_URING_SENDMSG:
	case EV_URING_SEND_ZC:
	case EV_URING_SENDMSG_ZC:
		return &send_call;
	case EV_URING_RECV:
	case EV_URING_RECVMSG:
		return &receive_call;
	case EV_URING_READV:
	case EV_URING_WRITEV:
	case EV_URING_READ_FIXED:
	case EV_URING_WRITE_FIXED:
	case EV_URING_READ:
	case EV_URING_WRITE:
	case EV_URING_READ_MULTISHOT:
	case EV_URING_READV_FIXED:
	case EV_URING_WRITEV_FIXED:
		return &transfer_call;
	default:
		return NULL;
	}
}

/* The event of a call, made of an operation. */
struct written {
	struct ev ev;
	uint8_t lens[2 * PARAMS_MAX], data[ROOM];
};

static bool add_param(struct written *w, size_t *at, unsigned i, struct ev_value v)
{
	if (v.n > ROOM - *at)
		return false;
	if (v.n)
		memcpy(w->data + *at, v.p, v.n);
	w->lens[2 * i] = (uint8_t)v.n;
	w->lens[2 * i + 1] = (uint8_t)(v.n >> 8);
	*at += v.n;
	return true;
}

/* Return: false if a parameter is not as it must be. */
static bool write_call(struct written *w, const struct ring_call *call, struct ev *ring)
{
	size_t at = 0;

	w->ev = (struct ev){.ts = ring->ts,
			    .tid = ring->tid,
			    .num = ring->num,
			    .offset = ring->offset,
			    .lens = w->lens,
			    .data = w->data,
			    .type = call->type,
			    .cpu = ring->cpu,
			    .nparams = call->nparams};
	for (unsigned i = 0; i < call->nparams; i++) {
		const struct ring_param *p = &call->params[i];
		struct ev_value v = {NULL, 0};

		if (p->from >= 0)
			v = ev_param(ring, (unsigned)p->from);
		if (p->width) {
			if (v.n < p->width)
				return false;
			v.n = p->width;
		}
		if (!add_param(w, &at, i, v))
			return false;
	}
	return true;
}

/*
 * Is it about the process's descriptors? Records of the first version do not tell where an opened
 * file went: after them nothing is known of the descriptors that others use.
 */
static bool concerns_descriptors(const struct ring_call *call, struct ev *ring)
{
	uint8_t flags;
	uint32_t slot;

	if (!ev_u32(ring, EV_URING_FILE_SLOT, &slot) || !ev_u8(ring, EV_URING_SQE_FLAGS, &flags))
		return false;
	return slot == 0 && (call->opens || !(flags & EV_URING_FIXED_FILE));
}

/* A file that is closed without a word is closed: nothing else can come of it. */
static bool is_silent_close(const struct ring_call *call, struct ev *ring)
{
	return call->type == EV_CLOSE_X && ev_param(ring, EV_URING_RES).n == 0;
}

static void close_silently(struct state_event *e, struct ev *ring)
{
	int64_t num;

	e->t = state_find(e->st, ring->tid);
	if (!e->t || !ev_i64(ring, EV_URING_FD, &num))
		return;
	e->fd = state_fd_lookup(e->st, e->t, num);
	if (!e->fd)
		return;
	e->st->pending_close = true;
	e->st->pending_fd_tid = ring->tid;
	e->st->pending_fd = num;
}

/* The thread may be within a system call: what its enter event left is not touched. */
static void apply_call(struct state_event *e, struct written *w)
{
	struct state_thread *t = state_get(e->st, w->ev.tid);
	uint16_t type;
	int64_t fd;

	if (!t)
		return;
	type = t->lastevent_type;
	fd = t->lastevent_fd;
	t->lastevent_type = STATE_NO_TYPE;
	e->ev = &w->ev;
	e->has_ret = ev_return_value(e->ev, &e->ret);
	state_bind_event(e);
	state_rules[w->ev.type].parse(e);
	t->lastevent_type = type;
	t->lastevent_fd = fd;
}

void state_on_operation(struct state_event *e, struct ev *ring)
{
	const struct ring_call *call;
	struct written w;
	uint8_t op;

	if (!ev_u8(ring, EV_URING_OP, &op))
		return;
	call = call_of(op);
	if (!call || !concerns_descriptors(call, ring))
		return;
	if (is_silent_close(call, ring))
		close_silently(e, ring);
	else if (write_call(&w, call, ring))
		apply_call(e, &w);
	e->ev = ring;
}
