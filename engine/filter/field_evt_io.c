/* SPDX-License-Identifier: Apache-2.0 */
/* evt.res and evt.is_*, evt.buflen*, evt.count.error*: how a call ended and what kind of I/O it
 * was. */
#include "engine/filter/fields.h"

#define EXECUTE_BITS 0111

/* --- results --- */

bool flt_x_rawres(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	int64_t ret;

	(void)f;
	return ev_return_value(cx->ev, &ret) && flt_yield_i64(out, ret);
}

bool flt_x_failed(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	int64_t ret;

	(void)f;
	return ev_return_value(cx->ev, &ret) && flt_yield_u64(out, ret < 0);
}

bool flt_x_res(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	int64_t ret;

	(void)f;
	if (!ev_return_value(cx->ev, &ret))
		return false;
	return flt_yield_text(out, ret >= 0 ? SV_LIT("SUCCESS") : flt_param_view(cx, 0));
}

static bool opens_by_path(unsigned type)
{
	return type == EV_OPEN_X || type == EV_CREAT_X || type == EV_OPENAT_2_X ||
	       type == EV_OPENAT2_X || type == EV_OPEN_BY_HANDLE_AT_X;
}

static bool is_accept_or_connect(unsigned type)
{
	return type == EV_ACCEPT_5_X || type == EV_ACCEPT4_6_X || type == EV_CONNECT_X;
}

static bool is_file_or_directory(const struct state_fd *fd)
{
	return state_fd_is_file(fd) || fd->type == EV_FD_DIRECTORY;
}

static bool is_socket(const struct state_fd *fd)
{
	return flt_is_ip_socket(fd) || state_fd_is_listener(fd) || fd->type == EV_FD_UNIX_SOCK;
}

static bool counts_as(struct flt_ctx *cx, unsigned kind)
{
	const struct state_fd *fd = cx->bind->fd;
	unsigned type = cx->ev->type;

	switch (kind) {
	case ERRORS_FILE:
		return fd ? is_file_or_directory(fd) : opens_by_path(type);
	case ERRORS_NET:
		return fd ? is_socket(fd) : is_accept_or_connect(type);
	case ERRORS_MEMORY:
		return (ev_info(cx->ev)->category & EC_LOW_MASK) == EC_MEMORY;
	case ERRORS_OTHER:
		if (fd)
			return !is_file_or_directory(fd) && !is_socket(fd);
		return !opens_by_path(type) && !is_accept_or_connect(type) &&
		       !counts_as(cx, ERRORS_MEMORY);
	default:
		return true;
	}
}

bool flt_x_count_error(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	int64_t ret;

	return ev_return_value(cx->ev, &ret) && counts_as(cx, f->code) &&
	       flt_yield_u64(out, ret < 0);
}

/* --- I/O --- */

bool flt_x_is_io(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return flt_yield_u64(out, (ev_info(cx->ev)->flags & f->code) != 0);
}

bool flt_x_io_dir(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	unsigned flags = ev_info(cx->ev)->flags;

	(void)f;
	if (flags & EF_WRITES_TO_FD)
		return flt_yield_text(out, SV_LIT("write"));
	return flags & EF_READS_FROM_FD && flt_yield_text(out, SV_LIT("read"));
}

bool flt_x_is_syslog(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = cx->bind->fd;

	(void)f;
	return flt_yield_u64(out, ev_info(cx->ev)->flags & EF_WRITES_TO_FD && fd &&
				      sv_contains(state_sv(fd->name), SV_LIT("/dev/log")));
}

static bool buflen_applies(const struct state_fd *fd, unsigned category, unsigned code)
{
	if (code & BUFLEN_IN && category != EC_IO_READ)
		return false;
	if (code & BUFLEN_OUT && category != EC_IO_WRITE)
		return false;
	if (code & BUFLEN_FILE && !state_fd_is_file(fd))
		return false;
	if (code & BUFLEN_NET && !flt_is_ip_socket(fd) && !state_fd_is_listener(fd))
		return false;
	return category == EC_IO_READ || category == EC_IO_WRITE || category == EC_IO_OTHER;
}

bool flt_x_buflen(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = cx->bind->fd;
	int64_t ret;

	return fd && buflen_applies(fd, ev_info(cx->ev)->category & EC_LOW_MASK, f->code) &&
	       ev_return_value(cx->ev, &ret) && ret >= 0 && flt_yield_i64(out, ret);
}

/* --- opens --- */

/* The flags of an open; 0 for other events. */
static uint32_t open_flags(struct ev *ev)
{
	uint32_t flags = 0;

	switch (ev->type) {
	case EV_OPEN_X:
	case EV_OPEN_BY_HANDLE_AT_X:
		return ev_u32(ev, 2, &flags) ? flags : 0;
	case EV_OPENAT_2_X:
	case EV_OPENAT2_X:
		return ev_u32(ev, 3, &flags) ? flags : 0;
	default:
		return 0;
	}
}

bool flt_x_is_open(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return flt_yield_u64(out, (open_flags(cx->ev) & f->code) != 0);
}

bool flt_x_is_open_create(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	uint32_t flags = open_flags(cx->ev);
	int64_t ret;

	(void)f;
	return flt_yield_u64(
	    out, flags & STATE_O_F_CREATED ||
		     (flags & STATE_O_TMPFILE && ev_return_value(cx->ev, &ret) && ret >= 0));
}

bool flt_x_is_open_exec(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct ev *ev = cx->ev;
	bool creates = open_flags(ev) & (STATE_O_CREAT | STATE_O_TMPFILE);
	uint32_t mode = 0;
	bool known = false;

	(void)f;
	if (ev->type == EV_CREAT_X)
		known = ev_u32(ev, 2, &mode);
	else if (ev->type == EV_OPEN_X && creates)
		known = ev_u32(ev, 3, &mode);
	else if (ev->type != EV_OPEN_BY_HANDLE_AT_X && creates)
		known = ev_u32(ev, 4, &mode);
	return flt_yield_u64(out, known && mode & EXECUTE_BITS);
}
