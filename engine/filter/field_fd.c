/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.*: the descriptor an event works on. Where there is no record of it (the call failed, or the
 * descriptor was opened unseen) some fields show what the event's own parameters say.
 */
#include "engine/filter/fields.h"

bool flt_is_fd_event(struct flt_ctx *cx)
{
	return ev_info(cx->ev)->flags & (EF_CREATES_FD | EF_DESTROYS_FD | EF_USES_FD) &&
	       flt_thread(cx);
}

const struct state_fd *flt_event_fd(struct flt_ctx *cx)
{
	return flt_is_fd_event(cx) ? flt_fd(cx) : NULL;
}

bool flt_x_fd_num(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_is_fd_event(cx) && flt_yield_i64(out, flt_thread(cx)->lastevent_fd);
}

bool flt_x_fd_uid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t;

	(void)f;
	if (!flt_is_fd_event(cx))
		return false;
	t = flt_thread(cx);
	buf_reset(&cx->text);
	buf_i64(&cx->text, t->tid);
	buf_i64(&cx->text, t->lastevent_fd);
	return flt_yield_built(cx, out);
}

/* --- kinds --- */

bool flt_x_fd_type(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	(void)f;
	return fd && flt_yield_text(out, sv_of(state_fd_typename(fd)));
}

/* The kind a call would have made. */
static char expected_typechar(unsigned type)
{
	switch (type) {
	case EV_OPENAT_2_E:
	case EV_OPENAT_2_X:
	case EV_OPENAT2_E:
	case EV_OPENAT2_X:
	case EV_CREAT_E:
	case EV_CREAT_X:
		return 'f';
	case EV_SOCKET_X:
	case EV_ACCEPT_5_X:
	case EV_ACCEPT4_6_X:
		return '4';
	case EV_PIPE_X:
	case EV_PIPE2_X:
		return 'p';
	case EV_EVENTFD_X:
	case EV_EVENTFD2_X:
		return 'e';
	case EV_SIGNALFD_X:
	case EV_SIGNALFD4_X:
		return 's';
	case EV_TIMERFD_CREATE_X:
		return 't';
	case EV_INOTIFY_INIT_X:
	case EV_INOTIFY_INIT1_X:
		return 'i';
	default:
		return 'o';
	}
}

bool flt_x_fd_typechar(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	static const char letters[] = "fd46upeslitnbrmPoX?";
	const struct state_fd *fd;
	char c;

	(void)f;
	if (!flt_is_fd_event(cx))
		return false;
	fd = flt_fd(cx);
	c = fd ? state_fd_typechar(fd) : expected_typechar(cx->ev->type);
	for (const char *p = letters; *p; p++)
		if (*p == c)
			return flt_yield_text(out, sv_make(p, 1));
	return flt_yield_text(out, SV_LIT("?"));
}

/* Add @word to the distinct ones in @items. */
static void add_kind(struct flt_datum *items, uint32_t *count, uint32_t max, const char *word)
{
	struct sv s = sv_of(word);

	for (uint32_t i = 0; i < *count; i++)
		if (sv_eq(s, sv_make(items[i].p, items[i].n)))
			return;
	if (*count < max)
		items[(*count)++] = (struct flt_datum){.p = s.p, .n = s.n};
}

bool flt_x_fd_types(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const uint32_t max = EV_FD_PIDFD + 2; /* one per enum ev_fd_type */
	const struct state_thread *t;
	const struct state_fd *fd;
	struct flt_datum *items;

	if (!flt_is_fd_event(cx))
		return false;
	t = flt_thread(cx);
	if (f->arg_is_index) {
		fd = state_fd_find(t, f->index);
		return fd && flt_yield_text(out, sv_of(state_fd_typename(fd)));
	}
	items = arena_alloc(&cx->scratch, max * sizeof(*items));
	if (!items)
		return false;
	out->count = 0;
	out->items = items;
	for (size_t at = 0; (fd = state_fd_next(t, &at));)
		add_kind(items, &out->count, max, state_fd_typename(fd));
	return true;
}

/* --- names --- */

/* Directory a path relative to descriptor @dirfd starts from, as fd names have it. */
static struct sv open_base(struct flt_ctx *cx, int64_t dirfd)
{
	const struct state_thread *t = flt_thread(cx);
	const struct state_fd *fd;
	struct sv name;

	if (dirfd == EV_FD_CWD)
		return state_thread_cwd(t);
	fd = state_fd_find(t, dirfd);
	if (!fd)
		return SV_LIT("<UNKNOWN>");
	name = state_sv(fd->name);
	if (name.n == 0 || name.p[name.n - 1] == '/')
		return name;
	buf_reset(&cx->text);
	buf_sv(&cx->text, name);
	buf_char(&cx->text, '/');
	return flt_keep_text(cx);
}

/* The path a failed openat tried to open. */
static bool attempted_path(struct flt_ctx *cx, bool raw, struct sv *out)
{
	char room[STATE_PATH_MAX];
	struct sv path, base = SV_LIT("");
	int64_t dirfd;

	if (!raw && cx->attempted.epoch == cx->epoch) {
		*out = cx->attempted.path;
		return true;
	}
	if (!ev_i64(cx->ev, 1, &dirfd) || ev_param(cx->ev, 2).n == 0)
		return false;
	path = *out = ev_str(cx->ev, 2);
	if (raw)
		return true;
	if (!path.n || path.p[0] != '/')
		base = open_base(cx, dirfd);
	path = state_path_concat(room, base, path);
	buf_reset(&cx->text);
	buf_sv(&cx->text, path);
	*out = flt_keep_text(cx);
	cx->attempted.epoch = cx->epoch;
	cx->attempted.path = *out;
	return true;
}

/* What the event says about a descriptor without record. */
static bool name_from_event(struct flt_ctx *cx, bool raw, struct sv *out)
{
	if (!ev_type_is_exit(cx->ev->type))
		return false;
	switch (cx->ev->type) {
	case EV_OPEN_X:
	case EV_CREAT_X:
	case EV_ACCEPT_5_X:
	case EV_ACCEPT4_6_X:
	case EV_CONNECT_X:
		*out = flt_param_view(cx, 1);
		return true;
	case EV_OPENAT_2_X:
	case EV_OPENAT2_X:
		return attempted_path(cx, raw, out);
	case EV_OPEN_BY_HANDLE_AT_X:
		*out = flt_param_view(cx, 3);
		return true;
	default:
		*out = SV_LIT("");
		return true;
	}
}

bool flt_fd_name(struct flt_ctx *cx, struct sv *out)
{
	const struct state_fd *fd;

	if (!flt_is_fd_event(cx))
		return false;
	fd = flt_fd(cx);
	if (!fd)
		return name_from_event(cx, false, out);
	*out = state_sv(fd->name);
	return true;
}

bool flt_x_fd_name(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct sv name;

	(void)f;
	return flt_fd_name(cx, &name) && flt_yield_text(out, name);
}

bool flt_x_fd_nameraw(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd;
	struct sv name;

	(void)f;
	if (!flt_is_fd_event(cx))
		return false;
	fd = flt_fd(cx);
	if (fd)
		return flt_yield_text(out, state_sv(fd->name_raw));
	return name_from_event(cx, true, &name) && flt_yield_text(out, name);
}

static struct sv directory_of(struct sv path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	size_t n = slash ? (size_t)(slash - path.p) : 0;

	if (n == 0)
		return SV_LIT("/");
	return n + 1 == path.n ? path : sv_make(path.p, n);
}

static struct sv filename_of(struct sv path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	size_t n = slash ? (size_t)(slash - path.p) : 0;

	if (!slash)
		return SV_LIT("/");
	return n + 1 == path.n ? path : sv_drop(path, n + 1);
}

static bool fd_directory(struct flt_ctx *cx, struct sv *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	if (!flt_fd_name(cx, out))
		return false;
	if (fd && fd->type == EV_FD_DIRECTORY)
		return true;
	*out = directory_of(*out);
	return !fd || state_fd_is_file(fd);
}

bool flt_x_fd_directory(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct sv directory;

	(void)f;
	return fd_directory(cx, &directory) && flt_yield_text(out, directory);
}

bool flt_x_fd_filename(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	(void)f;
	return fd && state_fd_is_file(fd) && flt_yield_text(out, filename_of(state_sv(fd->name)));
}

static bool in_container(struct flt_ctx *cx, struct sv path, struct flt_value *out)
{
	buf_reset(&cx->text);
	buf_sv(&cx->text, state_sv(flt_thread(cx)->container_id));
	buf_char(&cx->text, ':');
	buf_sv(&cx->text, path);
	return flt_yield_built(cx, out);
}

bool flt_x_fd_containername(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct sv name;

	(void)f;
	return flt_fd_name(cx, &name) && in_container(cx, name, out);
}

bool flt_x_fd_containerdirectory(struct flt_ctx *cx, const struct flt_field *f,
				 struct flt_value *out)
{
	struct sv directory;

	(void)f;
	return fd_directory(cx, &directory) && in_container(cx, directory, out);
}

bool flt_x_fd_name_changed(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return flt_event_fd(cx) && flt_yield_u64(out, cx->bind->fd_name_changed);
}

/* --- files --- */

bool flt_x_fd_dev(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	if (!fd)
		return false;
	switch (f->code) {
	case DEV_MAJOR:
		return flt_yield_i64(out, state_dev_major(fd->dev));
	case DEV_MINOR:
		return flt_yield_i64(out, state_dev_minor(fd->dev));
	default:
		return flt_yield_i64(out, (int32_t)fd->dev);
	}
}

bool flt_x_fd_ino(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);

	(void)f;
	return fd && flt_yield_u64(out, fd->ino);
}

bool flt_x_fd_layer(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_fd *fd = flt_event_fd(cx);
	uint32_t bit = f->code == LAYER_UPPER ? STATE_FD_OVERLAY_UPPER : STATE_FD_OVERLAY_LOWER;

	return fd && flt_yield_u64(out, (fd->flags & bit) != 0);
}
