/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, closing and duplicating descriptors of files; directories. */
#include "engine/state/task.h"

#include <string.h>

/* --- opening --- */

struct open {
	struct sv name, base;
	uint32_t flags, dev;
	uint64_t ino;
};

static void add_opened(struct state_event *e, const struct open *o)
{
	char path[STATE_PATH_MAX];
	struct state_fd fd = {
	    .type = o->flags & STATE_O_DIRECTORY ? EV_FD_DIRECTORY : EV_FD_FILE_V2,
	    .openflags = o->flags,
	    .dev = o->dev,
	    .ino = o->ino,
	};

	if (o->flags & STATE_O_UPPER_LAYER)
		fd.flags |= STATE_FD_OVERLAY_UPPER;
	if (o->flags & STATE_O_LOWER_LAYER)
		fd.flags |= STATE_FD_OVERLAY_LOWER;
	fd.name = state_str_new(e->st, state_path_concat(path, o->base, o->name));
	fd.name_raw = state_str_like(e->st, o->name, fd.name);
	state_fd_add_take(e, e->ret, &fd);
}

/*
 * The name the enter event saw wins, as another thread may have changed the memory since; the exit
 * event adds flags only the kernel knows.
 */
static const struct state_stored *open_entered(struct state_event *e, struct open *o)
{
	const uint32_t from_exit = ~(STATE_O_F_CREATED - 1u);
	const struct state_stored *enter = state_retrieve_enter(e);

	if (!enter || sv_is(sv_make(enter->text, enter->len), "<NA>"))
		return NULL;
	o->name = sv_make(enter->text, enter->len);
	o->flags = enter->flags | (o->flags & from_exit);
	return enter;
}

void state_on_open(struct state_event *e)
{
	struct open o = {.name = ev_str(e->ev, 1)};

	if (!e->t || e->ret < 0)
		return;
	state_need_u32(e, 2, &o.flags);
	if (state_opt_u32(e, 4, &o.dev))
		state_opt_u64(e, 5, &o.ino);
	if (e->malformed)
		return;
	open_entered(e, &o);
	o.base = state_thread_cwd(e->t);
	add_opened(e, &o);
}

void state_on_creat(struct state_event *e)
{
	struct open o = {.name = ev_str(e->ev, 1)};
	const struct state_stored *enter;
	uint16_t layers = 0;

	if (!e->t || e->ret < 0)
		return;
	if (state_opt_u32(e, 3, &o.dev))
		state_opt_u64(e, 4, &o.ino);
	state_opt_u16(e, 5, &layers);
	if (e->malformed)
		return;
	enter = state_retrieve_enter(e);
	if (enter && !sv_is(sv_make(enter->text, enter->len), "<NA>"))
		o.name = sv_make(enter->text, enter->len);
	if (layers & 1u)
		o.flags = STATE_O_UPPER_LAYER;
	else if (layers & 2u)
		o.flags = STATE_O_LOWER_LAYER;
	o.base = state_thread_cwd(e->t);
	add_opened(e, &o);
}

struct sv state_dirfd_base(struct state_event *e, int64_t dirfd, struct sv name,
			   char out[STATE_PATH_MAX])
{
	const struct state_fd *dir;
	struct sv path;

	if (name.n && name.p[0] == '/')
		return SV_LIT(".");
	if (!e->t)
		return SV_LIT("<UNKNOWN>");
	if (dirfd == EV_FD_CWD)
		return state_thread_cwd(e->t);
	dir = state_fd_lookup(e->st, e->t, dirfd);
	if (!dir)
		return SV_LIT("<UNKNOWN>");
	path = state_sv(dir->name);
	if (path.n == 0 || path.p[path.n - 1] == '/')
		return path;
	/* A name this long makes the joined path too long with or without its separator. */
	if (path.n >= STATE_PATH_MAX - 1)
		return path;
	memcpy(out, path.p, path.n);
	out[path.n] = '/';
	return sv_make(out, path.n + 1);
}

static void open_at(struct state_event *e, unsigned dev_param)
{
	struct open o = {.name = ev_str(e->ev, 2)};
	const struct state_stored *enter;
	char base[STATE_PATH_MAX];
	int64_t dirfd = 0;
	bool has_dirfd;

	if (!e->t || e->ret < 0)
		return;
	has_dirfd = state_opt_i64(e, 1, &dirfd);
	state_opt_u32(e, 3, &o.flags);
	if (state_opt_u64(e, dev_param + 1, &o.ino))
		state_need_u32(e, dev_param, &o.dev);
	if (e->malformed)
		return;
	enter = open_entered(e, &o);
	if (enter) {
		dirfd = enter->dirfd;
		has_dirfd = true;
	}
	if (has_dirfd)
		o.base = state_dirfd_base(e, dirfd, o.name, base);
	add_opened(e, &o);
}

void state_on_openat(struct state_event *e)
{
	open_at(e, 5);
}

void state_on_openat2(struct state_event *e)
{
	open_at(e, 6);
}

void state_on_open_by_handle(struct state_event *e)
{
	struct open o = {.name = ev_str(e->ev, 3)};

	if (!e->t || e->ret < 0)
		return;
	state_need_u32(e, 2, &o.flags);
	if (state_opt_u32(e, 4, &o.dev))
		state_opt_u64(e, 5, &o.ino);
	if (!e->malformed)
		add_opened(e, &o);
}

/* --- enter events of the above, and of execve --- */

void state_on_open_enter(struct state_event *e)
{
	uint32_t flags = 0;

	if (ev_param(e->ev, 0).n == 0)
		return;
	state_need_u32(e, 1, &flags);
	state_store_enter(e, ev_str(e->ev, 0), EV_FD_CWD, flags);
}

void state_on_openat_enter(struct state_event *e)
{
	uint32_t flags = 0;
	int64_t dirfd;

	if (!state_opt_i64(e, 0, &dirfd))
		return;
	state_need_u32(e, 2, &flags);
	state_store_enter(e, ev_str(e->ev, 1), dirfd, flags);
}

void state_on_name_enter(struct state_event *e)
{
	if (ev_param(e->ev, 0).n)
		state_store_enter(e, ev_str(e->ev, 0), EV_FD_CWD, 0);
}

void state_on_execveat_enter(struct state_event *e)
{
	int64_t dirfd = EV_FD_CWD;
	uint32_t flags = 0;

	state_opt_i64(e, 0, &dirfd);
	state_opt_u32(e, 2, &flags);
	state_store_enter(e, ev_str(e->ev, 1), dirfd, flags);
}

/* --- closing --- */

/* The record stays until the next event, so that rules see what was closed. */
void state_on_close(struct state_event *e)
{
	if (!e->t || !e->fd || e->ret < 0)
		return;
	e->st->pending_close = true;
	e->st->pending_fd_tid = e->ev->tid;
	e->st->pending_fd = e->t->lastevent_fd;
}

struct range {
	uint32_t first, last;
};

static bool in_range(const struct state_fd *fd, const void *arg)
{
	const struct range *r = arg;

	return fd->num >= r->first && fd->num <= r->last;
}

void state_on_close_range(struct state_event *e)
{
	const uint32_t cloexec = 1u << 2;
	struct state_fds *const *table;
	struct range r = {0, 0};
	struct state_fd *fd;
	uint32_t flags = 0;

	if (!e->t || e->ret < 0)
		return;
	state_need_u32(e, 1, &r.first);
	state_need_u32(e, 2, &r.last);
	state_opt_u32(e, 3, &flags);
	table = state_fds_of(e->t);
	if (e->malformed || !table || !*table)
		return;
	if (!(flags & cloexec)) {
		state_fds_remove_if(e->st, *table, in_range, &r);
		return;
	}
	for (size_t at = 0; (fd = state_fd_next(e->t, &at));)
		if (in_range(fd, &r))
			fd->openflags |= STATE_O_CLOEXEC;
}

/* --- duplicating --- */

static void add_duplicate(struct state_event *e, uint32_t extra_flags)
{
	struct state_fd copy = state_fd_dup(e->fd);

	copy.openflags |= extra_flags;
	state_fd_add_take(e, e->ret, &copy);
}

static void dup_to(struct state_event *e, uint32_t extra_flags)
{
	if (!e->t || !e->fd || e->ret < 0)
		return;
	if (e->ret == 0)
		e->t->flags |= STATE_CL_PIPE_DST;
	else if (e->ret == 1)
		e->t->flags |= STATE_CL_PIPE_SRC;
	add_duplicate(e, extra_flags);
}

void state_on_dup(struct state_event *e)
{
	dup_to(e, 0);
}

void state_on_dup3(struct state_event *e)
{
	uint32_t flags = 0;

	if (e->t && e->fd && e->ret >= 0)
		state_need_u32(e, 3, &flags);
	if (!e->malformed)
		dup_to(e, flags & STATE_O_CLOEXEC);
}

void state_on_fcntl(struct state_event *e)
{
	enum { DUPFD = 1, SETFD = 3, DUPFD_CLOEXEC = 26 };
	uint64_t arg = 0;
	uint8_t cmd;

	if (!e->t || !e->fd || e->ret < 0 || !state_need_u8(e, 2, &cmd))
		return;
	switch (cmd) {
	case SETFD:
		if (!state_need_u64(e, 3, &arg))
			return;
		e->fd->openflags &= ~(STATE_O_CLOEXEC | 1u);
		if (arg & 1)
			e->fd->openflags |= STATE_O_CLOEXEC;
		break;
	case DUPFD:
		add_duplicate(e, 0);
		break;
	case DUPFD_CLOEXEC:
		add_duplicate(e, STATE_O_CLOEXEC);
		break;
	default:
		break;
	}
}

/* --- directories --- */

void state_on_chdir(struct state_event *e)
{
	if (e->t && e->ret >= 0)
		state_thread_update_cwd(e->st, e->t, ev_str(e->ev, 1));
}

void state_on_fchdir(struct state_event *e)
{
	if (e->t && e->fd && e->ret >= 0)
		state_thread_update_cwd(e->st, e->t, state_sv(e->fd->name));
}

void state_on_chroot(struct state_event *e)
{
	struct sv path = ev_str(e->ev, 1);
	char joined[STATE_PATH_MAX];

	if (!e->t || e->ret != 0)
		return;
	if (!sv_is(path, "<NA>") && !(path.n && path.p[0] == '/'))
		path = state_path_concat(joined, state_thread_cwd(e->t), path);
	if (state_str_set(e->st, &e->t->root, path))
		state_touch(e->st, e->t);
}
