/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs.path.*: the files that successful file system calls worked on. Which call takes which
 * directory for a relative path follows the reference to the letter, since rules compare the
 * outcome: some *at calls know only directories that are open, so that the working directory shows
 * as <UNKNOWN>.
 */
#include "engine/filter/fields.h"

enum base { /* what a relative path starts from */
	    BASE_CWD,
	    BASE_DIRECTORY, /* an open directory, in the parameter before the path */
	    BASE_DIRFD,	    /* the same, or the working directory */
	    BASE_OPENED,    /* the descriptor the call has opened knows its path */
	    BASE_FD,	    /* the call has no path: the descriptor's */
	    BASE_UNKNOWN,
};

struct fs_call { /* parameter numbers, 0 where there is none */
	uint8_t name, source, target;
	uint8_t base, target_base;
};

static struct fs_call call_of(unsigned type)
{
	switch (type) {
	case EV_MKDIR_2_X:
	case EV_RMDIR_2_X:
	case EV_UNLINK_2_X:
	case EV_CHMOD_X:
	case EV_CHOWN_X:
	case EV_LCHOWN_X:
	case EV_QUOTACTL_X:
	case EV_UMOUNT_X:
	case EV_UMOUNT_1_X:
	case EV_UMOUNT2_X:
		return (struct fs_call){.name = 1, .base = BASE_CWD};
	case EV_OPEN_X:
		return (struct fs_call){.name = 1, .base = BASE_CWD};
	case EV_OPENAT_2_X:
	case EV_OPENAT2_X:
		return (struct fs_call){.name = 2, .base = BASE_OPENED};
	case EV_MKDIRAT_X:
	case EV_UNLINKAT_2_X:
	case EV_FCHMODAT_X:
	case EV_FCHOWNAT_X:
		return (struct fs_call){.name = 2, .base = BASE_DIRECTORY};
	case EV_FCHMOD_X:
	case EV_FCHOWN_X:
		return (struct fs_call){.name = 1, .base = BASE_FD};
	case EV_RENAME_X:
	case EV_MOUNT_X:
		return (struct fs_call){.source = 1, .target = 2};
	case EV_RENAMEAT_X:
		return (struct fs_call){.source = 2, .target = 4};
	case EV_RENAMEAT2_X:
		return (struct fs_call){
		    .source = 2, .target = 4, .base = BASE_DIRFD, .target_base = BASE_DIRFD};
	case EV_LINK_2_X:
	case EV_SYMLINK_X:
		return (struct fs_call){.source = 2, .target = 1};
	case EV_LINKAT_2_X:
		return (struct fs_call){.source = 4, .target = 2};
	case EV_SYMLINKAT_X:
		return (struct fs_call){
		    .source = 3, .target = 1, .base = BASE_DIRECTORY, .target_base = BASE_UNKNOWN};
	default:
		return (struct fs_call){0};
	}
}

/* Opens count as successful unless they fail with EPERM, as in the reference. */
static bool succeeded(struct flt_ctx *cx)
{
	int64_t ret;

	if (!ev_i64(cx->ev, 0, &ret))
		return false;
	switch (cx->ev->type) {
	case EV_OPEN_X:
	case EV_OPENAT_2_X:
	case EV_OPENAT2_X:
		return ret != -1;
	default:
		return ret == 0;
	}
}

static struct sv with_slash(struct flt_ctx *cx, struct sv directory)
{
	buf_reset(&cx->text);
	buf_sv(&cx->text, directory);
	buf_char(&cx->text, '/');
	return flt_keep_text(cx);
}

static struct sv base_text(struct flt_ctx *cx, enum base base, unsigned param)
{
	const struct state_thread *t = flt_thread(cx);
	const struct state_fd *fd;
	int64_t dirfd;

	if (base == BASE_CWD)
		return state_thread_cwd(t);
	if (base == BASE_UNKNOWN || !ev_i64(cx->ev, param - 1, &dirfd))
		return SV_LIT("<UNKNOWN>");
	if (base == BASE_DIRFD && dirfd == EV_FD_CWD)
		return state_thread_cwd(t);
	fd = state_fd_find(t, dirfd);
	if (!fd || (base == BASE_DIRECTORY && fd->type != EV_FD_DIRECTORY))
		return SV_LIT("<UNKNOWN>");
	return with_slash(cx, state_sv(fd->name));
}

static bool full_path(struct flt_ctx *cx, enum base base, unsigned param, struct flt_value *out)
{
	struct sv path = ev_str(cx->ev, param), start = SV_LIT("");
	bool relative = !path.n || path.p[0] != '/';
	const struct state_fd *fd = flt_event_fd(cx);
	char room[STATE_PATH_MAX];

	if (relative && base == BASE_OPENED)
		return flt_yield_text(out, fd ? state_sv(fd->name) : SV_LIT("<UNKNOWN>"));
	if (relative)
		start = base_text(cx, base, param);
	path = state_path_concat(room, start, path);
	buf_reset(&cx->text);
	buf_sv(&cx->text, path);
	return flt_yield_built(cx, out);
}

bool flt_x_fs_path(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct fs_call call = call_of(cx->ev->type);
	unsigned which = f->code & ~(unsigned)FS_RAW;
	unsigned param = which == FS_NAME     ? call.name
			 : which == FS_SOURCE ? call.source
					      : call.target;
	enum base base = which == FS_TARGET ? call.target_base : call.base;
	struct sv name;

	if (!param || !succeeded(cx))
		return false;
	if (base == BASE_FD)
		return flt_fd_name(cx, &name) && flt_yield_text(out, name);
	if (f->code & FS_RAW)
		return flt_yield_text(out, ev_str(cx->ev, param));
	return flt_thread(cx) && full_path(cx, base, param, out);
}
