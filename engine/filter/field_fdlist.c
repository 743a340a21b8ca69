/* SPDX-License-Identifier: Apache-2.0 */
/* fdlist.*: the descriptors poll and ppoll were waiting for. */
#include "engine/filter/fields.h"

static void add_item(struct buf *b, struct sv s)
{
	if (b->len)
		buf_char(b, ',');
	buf_sv(b, s);
}

static void add_addr(struct buf *b, const struct state_fd *fd, const uint8_t *addr)
{
	bool v4 = fd->type == EV_FD_IPV4_SOCK || fd->type == EV_FD_IPV4_SERVSOCK;

	add_item(b, SV_LIT(""));
	flt_addr_text(b, sv_make(addr, v4 ? 4 : 16));
}

/* What @what shows of one descriptor; @fd: its record or NULL. */
static void add_fd(struct buf *b, unsigned what, int64_t num, const struct state_fd *fd)
{
	bool socket = fd && flt_is_ip_socket(fd);

	switch (what) {
	case FDLIST_NUMS:
		add_item(b, SV_LIT(""));
		buf_i64(b, num);
		break;
	case FDLIST_NAMES:
		add_item(b, fd && fd->name && fd->name->len ? state_sv(fd->name) : SV_LIT("<NA>"));
		break;
	case FDLIST_CIPS:
		if (socket)
			add_addr(b, fd, fd->sock.sip);
		break;
	case FDLIST_SIPS:
		if (socket)
			add_addr(b, fd, fd->sock.dip);
		else if (fd && state_fd_is_listener(fd))
			add_addr(b, fd, fd->sock.sip);
		break;
	default:
		if (!socket)
			break;
		add_item(b, SV_LIT(""));
		buf_u64(b, what == FDLIST_CPORTS ? fd->sock.sport : fd->sock.dport);
	}
}

bool flt_x_fdlist(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct ev_value v;
	struct cursor c;

	if ((cx->ev->type != EV_POLL_X && cx->ev->type != EV_PPOLL_X) || !t)
		return false;
	v = ev_param(cx->ev, 1);
	c = cursor_of(v.p, v.n);
	buf_reset(&cx->text);
	for (unsigned left = cursor_u16(&c); left; left--) {
		int64_t num = (int64_t)cursor_u64(&c);

		cursor_u16(&c);
		if (c.failed)
			break;
		add_fd(&cx->text, f->code, num, state_fd_find(t, num));
	}
	return cx->text.len && flt_yield_built(cx, out);
}
