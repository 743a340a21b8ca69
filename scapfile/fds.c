/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of fd lists, both versions (scap format, "fd list"). */
#include "scapfile/internal.h"

#include <stdio.h>

static struct sv fd_name(struct sf_list *l, struct cursor *c)
{
	return sf_list_text(l, c, SF_FD_NAME_MAX, "file with a name over 1023 bytes");
}

static void address(uint8_t to[16], struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);

	if (p)
		memcpy(to, p, n);
}

static void parse_socket(struct ev_fd_entry *fd, struct cursor *c, size_t width)
{
	address(fd->sip, c, width);
	address(fd->dip, c, width);
	fd->sport = cursor_u16(c);
	fd->dport = cursor_u16(c);
	fd->l4proto = cursor_u8(c);
}

static void parse_server(struct ev_fd_entry *fd, struct cursor *c, size_t width)
{
	address(fd->sip, c, width);
	fd->sport = cursor_u16(c);
	fd->l4proto = cursor_u8(c);
}

/* The length of an entry of unknown type is known only where entries carry it. */
static void parse_newer_type(struct sf_list *l)
{
	int n;

	if (l->info->version < 2) {
		l->trouble = "file of an unknown type";
		return;
	}
	n = snprintf(l->type_name, sizeof(l->type_name), "unknown-type:[%d]", l->fd.type);
	l->fd.type = EV_FD_UNSUPPORTED;
	l->fd.name = sv_make(l->type_name, (size_t)n);
}

void sf_parse_fd(struct sf_list *l, struct cursor *c)
{
	struct ev_fd_entry *fd = &l->fd;

	*fd = (struct ev_fd_entry){.tid = l->tid};
	fd->fd = (int64_t)cursor_u64(c);
	fd->ino = cursor_u64(c);
	fd->type = cursor_u8(c);
	switch (fd->type) {
	case EV_FD_UNKNOWN:
		break;
	case EV_FD_IPV4_SOCK:
		parse_socket(fd, c, 4);
		break;
	case EV_FD_IPV6_SOCK:
		parse_socket(fd, c, 16);
		break;
	case EV_FD_IPV4_SERVSOCK:
		parse_server(fd, c, 4);
		break;
	case EV_FD_IPV6_SERVSOCK:
		parse_server(fd, c, 16);
		break;
	case EV_FD_UNIX_SOCK:
		fd->unix_source = cursor_u64(c);
		fd->unix_dest = cursor_u64(c);
		fd->name = fd_name(l, c);
		break;
	case EV_FD_FILE_V2:
		fd->openflags = cursor_u32(c);
		fd->name = fd_name(l, c);
		if (l->info->version >= 2 && c->left >= 4)
			fd->dev = cursor_u32(c);
		break;
	default:
		if (fd->type > EV_FD_PIDFD)
			parse_newer_type(l);
		else
			fd->name = fd_name(l, c);
		break;
	}
}
