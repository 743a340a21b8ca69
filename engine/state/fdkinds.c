/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that are neither files nor sockets: pipes, eventfds, timers, pidfds and the like. */
#include "engine/state/internal.h"

#include <inttypes.h>
#include <stdio.h>

static void add_kind(struct state_event *e, enum ev_fd_type type, uint32_t openflags)
{
	struct state_fd fd = {.type = (int8_t)type, .openflags = openflags};

	state_fd_add_take(e, e->ret, &fd);
}

static void on_kind(struct state_event *e, enum ev_fd_type type)
{
	if (e->t && e->ret >= 0)
		add_kind(e, type, 0);
}

/* The flags are parameter 1, 16 bits wide, and kept as they are. */
static void on_kind_flags16(struct state_event *e, enum ev_fd_type type)
{
	uint16_t flags;

	if (e->t && e->ret >= 0 && state_need_u16(e, 1, &flags))
		add_kind(e, type, flags);
}

static void add_pipe(struct state_event *e, uint32_t openflags)
{
	int64_t num[2];
	uint64_t ino;

	if (!state_need_i64(e, 1, &num[0]) || !state_need_i64(e, 2, &num[1]) ||
	    !state_need_u64(e, 3, &ino))
		return;
	for (int i = 0; i < 2; i++) {
		struct state_fd fd = {
		    .type = EV_FD_FIFO,
		    .openflags = openflags,
		    .ino = ino,
		};

		state_fd_add_take(e, num[i], &fd);
	}
}

void state_on_pipe(struct state_event *e)
{
	if (e->t && e->ret >= 0)
		add_pipe(e, 0);
}

void state_on_pipe2(struct state_event *e)
{
	uint32_t flags;

	if (e->t && e->ret >= 0 && state_need_u32(e, 4, &flags))
		add_pipe(e, flags);
}

void state_on_eventfd(struct state_event *e)
{
	on_kind(e, EV_FD_EVENT);
}

void state_on_eventfd2(struct state_event *e)
{
	on_kind_flags16(e, EV_FD_EVENT);
}

void state_on_signalfd(struct state_event *e)
{
	on_kind(e, EV_FD_SIGNALFD);
}

void state_on_signalfd4(struct state_event *e)
{
	on_kind_flags16(e, EV_FD_SIGNALFD);
}

void state_on_timerfd(struct state_event *e)
{
	uint8_t flags;

	if (e->t && e->ret >= 0 && state_need_u8(e, 2, &flags))
		add_kind(e, EV_FD_TIMERFD, flags);
}

void state_on_inotify(struct state_event *e)
{
	on_kind(e, EV_FD_INOTIFY);
}

void state_on_inotify1(struct state_event *e)
{
	on_kind_flags16(e, EV_FD_INOTIFY);
}

void state_on_epoll(struct state_event *e)
{
	on_kind(e, EV_FD_EVENTPOLL);
}

void state_on_epoll1(struct state_event *e)
{
	uint32_t flags;

	if (e->t && e->ret >= 0 && state_need_u32(e, 1, &flags))
		add_kind(e, EV_FD_EVENTPOLL, flags & 1u ? STATE_O_CLOEXEC : 0);
}

void state_on_bpf(struct state_event *e)
{
	on_kind(e, EV_FD_BPF);
}

void state_on_userfaultfd(struct state_event *e)
{
	on_kind(e, EV_FD_USERFAULTFD);
}

void state_on_io_uring(struct state_event *e)
{
	on_kind(e, EV_FD_IOURING);
}

/* Like the reference, a failed call leaves a record under the negative number: it only counts. */
void state_on_memfd(struct state_event *e)
{
	struct state_fd fd = {.type = EV_FD_UNINITIALIZED};

	if (!e->t)
		return;
	if (e->ret >= 0) {
		if (!state_need_u32(e, 2, &fd.openflags))
			return;
		fd.type = EV_FD_MEMFD;
		fd.name = state_str_new(e->st, ev_str(e->ev, 1));
	}
	state_fd_add_take(e, e->ret, &fd);
}

void state_on_pidfd_open(struct state_event *e)
{
	struct state_fd fd = {.type = EV_FD_PIDFD};
	char name[32];
	int n;

	if (!e->t || e->ret < 0 || !state_need_i64(e, 1, &fd.pid) ||
	    !state_need_u32(e, 2, &fd.openflags))
		return;
	n = snprintf(name, sizeof(name), "/proc/%" PRId64, fd.pid);
	fd.name = state_str_new(e->st, sv_make(name, (size_t)n));
	state_fd_add_take(e, e->ret, &fd);
}

void state_on_pidfd_getfd(struct state_event *e)
{
	const struct state_fd *pidfd, *source;
	struct state_thread *target;
	struct state_fd copy;
	int64_t num, wanted;

	if (!e->t || !state_need_i64(e, 1, &num) || !state_need_i64(e, 2, &wanted))
		return;
	pidfd = state_fd_lookup(e->st, e->t, num);
	if (!pidfd || pidfd->type != EV_FD_PIDFD)
		return;
	target = state_find(e->st, pidfd->pid);
	source = target ? state_fd_lookup(e->st, target, wanted) : NULL;
	if (!source)
		return;
	copy = state_fd_dup(source);
	copy.openflags |= STATE_O_CLOEXEC;
	state_fd_add_take(e, e->ret, &copy);
}
