/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor's record says about it: kinds, protocol, device numbers. */
#include "engine/state/internal.h"

static const struct kind {
	char letter;
	const char *word;
} kinds[] = {
    [EV_FD_UNKNOWN] = {'o', "<NA>"},
    [EV_FD_FILE] = {'f', "file"},
    [EV_FD_DIRECTORY] = {'d', "directory"},
    [EV_FD_IPV4_SOCK] = {'4', "ipv4"},
    [EV_FD_IPV6_SOCK] = {'6', "ipv6"},
    [EV_FD_IPV4_SERVSOCK] = {'4', "ipv4"},
    [EV_FD_IPV6_SERVSOCK] = {'6', "ipv6"},
    [EV_FD_FIFO] = {'p', "pipe"},
    [EV_FD_UNIX_SOCK] = {'u', "unix"},
    [EV_FD_EVENT] = {'e', "event"},
    [EV_FD_UNSUPPORTED] = {'X', "<NA>"},
    [EV_FD_SIGNALFD] = {'s', "signalfd"},
    [EV_FD_EVENTPOLL] = {'l', "eventpoll"},
    [EV_FD_INOTIFY] = {'i', "inotify"},
    [EV_FD_TIMERFD] = {'t', "timerfd"},
    [EV_FD_NETLINK] = {'n', "netlink"},
    [EV_FD_FILE_V2] = {'f', "file"},
    [EV_FD_BPF] = {'b', "bpf"},
    [EV_FD_USERFAULTFD] = {'u', "userfaultfd"},
    [EV_FD_IOURING] = {'r', "io_uring"},
    [EV_FD_MEMFD] = {'m', "memfd"},
    [EV_FD_PIDFD] = {'P', "pidfd"},
};

static struct kind kind_of(const struct state_fd *fd)
{
	if (fd->type < 0 || (size_t)fd->type >= COUNT_OF(kinds))
		return (struct kind){'?', "<NA>"};
	return kinds[fd->type];
}

char state_fd_typechar(const struct state_fd *fd)
{
	return kind_of(fd).letter;
}

const char *state_fd_typename(const struct state_fd *fd)
{
	return kind_of(fd).word;
}

bool state_fd_is_file(const struct state_fd *fd)
{
	return fd->type == EV_FD_FILE || fd->type == EV_FD_FILE_V2;
}

const char *state_fd_mode(const struct state_fd *fd)
{
	if (!state_fd_is_file(fd) && fd->type != EV_FD_DIRECTORY)
		return NULL;
	switch (fd->openflags & (STATE_O_RDONLY | STATE_O_WRONLY)) {
	case STATE_O_RDONLY:
		return "r";
	case STATE_O_WRONLY:
		return "w";
	case STATE_O_RDONLY | STATE_O_WRONLY:
		return "rw";
	default:
		return NULL;
	}
}

bool state_fd_is_ipv4(const struct state_fd *fd)
{
	return fd->type == EV_FD_IPV4_SOCK;
}

bool state_fd_is_ipv6(const struct state_fd *fd)
{
	return fd->type == EV_FD_IPV6_SOCK;
}

bool state_fd_is_listener(const struct state_fd *fd)
{
	return fd->type == EV_FD_IPV4_SERVSOCK || fd->type == EV_FD_IPV6_SERVSOCK;
}

enum ev_l4proto state_fd_l4proto(const struct state_fd *fd)
{
	enum ev_l4proto stored;

	if (!state_fd_is_ipv4(fd) && !state_fd_is_ipv6(fd) && !state_fd_is_listener(fd))
		return EV_L4_NA;
	stored = (enum ev_l4proto)fd->sock.l4proto;
	if (state_fd_is_listener(fd) || stored == EV_L4_RAW)
		return stored;
	return fd->flags & (STATE_FD_ROLE_CLIENT | STATE_FD_ROLE_SERVER) ? stored : EV_L4_NA;
}

uint32_t state_dev_major(uint32_t dev)
{
	return (dev & 0xfff00) >> 8;
}

uint32_t state_dev_minor(uint32_t dev)
{
	return (dev & 0xff) | ((dev >> 12) & 0xfff00);
}
