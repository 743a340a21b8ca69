/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that the case has a row for each: changes of names and attributes, mounts, modules. */
#include "replay/gather.h"

enum { NO_DIR = -1 };

/* What a call does to names: parameters, 0 where there is none. */
static const struct change {
	const char *op;
	uint8_t path, target;
	int8_t path_dir, target_dir; /* parameter of the directory, -1: the working directory */
	uint8_t mode, owner;	     /* @owner: uid, and gid behind it */
} changes[EV_TYPE_COUNT] = {
    [EV_RENAME_X] = {"rename", 1, 2, NO_DIR, NO_DIR, 0, 0},
    [EV_RENAMEAT_X] = {"rename", 2, 4, 1, 3, 0, 0},
    [EV_RENAMEAT2_X] = {"rename", 2, 4, 1, 3, 0, 0},
    [EV_UNLINK_2_X] = {"delete", 1, 0, NO_DIR, NO_DIR, 0, 0},
    [EV_UNLINKAT_2_X] = {"delete", 2, 0, 1, NO_DIR, 0, 0},
    [EV_RMDIR_2_X] = {"rmdir", 1, 0, NO_DIR, NO_DIR, 0, 0},
    [EV_MKDIR_2_X] = {"mkdir", 1, 0, NO_DIR, NO_DIR, 0, 0},
    [EV_MKDIRAT_X] = {"mkdir", 2, 0, 1, NO_DIR, 0, 0},
    [EV_LINK_2_X] = {"link", 1, 2, NO_DIR, NO_DIR, 0, 0},
    [EV_LINKAT_2_X] = {"link", 2, 4, 1, 3, 0, 0},
    [EV_SYMLINK_X] = {"symlink", 2, 0, NO_DIR, NO_DIR, 0, 0},
    [EV_SYMLINKAT_X] = {"symlink", 3, 0, 2, NO_DIR, 0, 0},
    [EV_CHMOD_X] = {"chmod", 1, 0, NO_DIR, NO_DIR, 2, 0},
    [EV_FCHMODAT_X] = {"chmod", 2, 0, 1, NO_DIR, 3, 0},
    [EV_FCHMOD_X] = {"chmod", 0, 0, NO_DIR, NO_DIR, 2, 0},
    [EV_CHOWN_X] = {"chown", 1, 0, NO_DIR, NO_DIR, 0, 2},
    [EV_LCHOWN_X] = {"chown", 1, 0, NO_DIR, NO_DIR, 0, 2},
    [EV_FCHOWN_X] = {"chown", 0, 0, NO_DIR, NO_DIR, 0, 2},
    [EV_FCHOWNAT_X] = {"chown", 2, 0, 1, NO_DIR, 0, 3},
};

#define UNLINK_DIRECTORY 0x200u /* AT_REMOVEDIR as flags of unlinkat have it */

static struct sv base_of(const struct run_call *c, int dir)
{
	const struct state_thread *t = c->b->thread;
	const struct state_fd *fd;
	int64_t num;

	if (dir < 0)
		return state_thread_cwd(t);
	if (!ev_i64(c->ev, (unsigned)dir, &num))
		return SV_NONE;
	if (num == EV_FD_CWD)
		return state_thread_cwd(t);
	fd = state_fd_find(t, num);
	return fd ? state_sv(fd->name) : SV_NONE;
}

struct sv run_gather_path(const struct run_call *c, int dir, unsigned path, struct buf *out)
{
	struct sv s = ev_str(c->ev, path);
	char room[STATE_PATH_MAX], start[STATE_PATH_MAX];
	struct sv base = SV_NONE;

	buf_reset(out);
	if (s.n && s.p[0] != '/') {
		base = base_of(c, dir);
		if (base.n && base.n < sizeof(start) - 1) {
			memcpy(start, base.p, base.n);
			if (start[base.n - 1] != '/')
				start[base.n++] = '/';
			base.p = start;
		}
	}
	if (s.n)
		buf_sv(out, state_path_concat(room, base, s));
	return buf_view(out);
}

static struct sv detail_of(const struct run_call *c, const struct change *how, struct buf *out)
{
	uint32_t a = 0, b = 0;

	buf_reset(out);
	if (how->mode && ev_u32(c->ev, how->mode, &a))
		buf_addf(out, "%04o", a);
	if (how->owner && ev_u32(c->ev, how->owner, &a) && ev_u32(c->ev, how->owner + 1u, &b))
		buf_addf(out, "%d:%d", (int)a, (int)b);
	return buf_view(out);
}

enum touch { TOUCH_DELETED, TOUCH_LEFT, TOUCH_REPLACED };

static int touch(struct run_call *c, struct sv path, enum touch how, struct error *err)
{
	struct run_file *f;
	int rc;

	if (!path.n || !c->process_key)
		return 0;
	rc = run_gather_file(c, path, NULL, &f, err);
	if (rc < 0)
		return rc;
	if (how == TOUCH_DELETED)
		f->deletes++;
	else
		f->renames++;
	if (how == TOUCH_REPLACED)
		run_file_written(f, c->ev->ts);
	return 0;
}

/* The counts of files. */
static int count_change(struct run_call *c, struct sv op, struct sv path, struct sv target,
			struct error *err)
{
	int rc;

	if (sv_is(op, "delete"))
		return touch(c, path, TOUCH_DELETED, err);
	if (!sv_is(op, "rename"))
		return 0;
	rc = touch(c, path, TOUCH_LEFT, err);
	return rc < 0 ? rc : touch(c, target, TOUCH_REPLACED, err);
}

static int tell_change(struct run_call *c, const struct change *how, struct error *err)
{
	struct run_gather *g = c->g;
	struct qry_fact fact = {.kind = QRY_FACT_FILE_CHANGE, .count = 8};
	struct sv path, target = SV_NONE, detail;
	const char *op = how->op;
	uint32_t flags = 0;
	int rc;

	if (c->ev->type == EV_UNLINKAT_2_X && ev_u32(c->ev, 3, &flags) &&
	    (flags & UNLINK_DIRECTORY))
		op = "rmdir";
	if (how->path)
		path = run_gather_path(c, how->path_dir, how->path, &g->text[0]);
	else
		path = c->b->fd ? state_sv(c->b->fd->name) : SV_NONE;
	if (how->target)
		target = run_gather_path(c, how->target_dir, how->target, &g->text[1]);
	else if (c->ev->type == EV_SYMLINK_X || c->ev->type == EV_SYMLINKAT_X)
		target = ev_str(c->ev, 1);
	detail = detail_of(c, how, &g->text[2]);
	rc = count_change(c, sv_of(op), path, target, err);
	if (rc < 0)
		return rc;
	fact.value[0] = qry_u64(c->ev->num);
	fact.value[1] = qry_key(c->process_key);
	fact.value[2] = qry_u64(c->ev->ts);
	fact.value[3] = qry_u64(c->ev->offset);
	fact.value[4] = qry_text(sv_of(op));
	fact.value[5] = qry_text_known(path);
	fact.value[6] = qry_text_known(target);
	fact.value[7] = qry_text_known(detail);
	return g->out->ops->fact(g->out, &fact, err);
}

static struct qry_value errno_of(const struct run_call *c)
{
	return c->ret < 0 ? qry_int(-c->ret) : (struct qry_value){0};
}

static int tell_mount(struct run_call *c, struct error *err)
{
	bool mount = c->ev->type == EV_MOUNT_X;
	struct qry_fact fact = {.kind = QRY_FACT_MOUNT, .count = 9};

	fact.value[0] = qry_u64(c->ev->num);
	fact.value[1] = qry_key(c->process_key);
	fact.value[2] = qry_u64(c->ev->ts);
	fact.value[3] = qry_u64(c->ev->offset);
	fact.value[4] = qry_text(mount ? SV_LIT("mount") : SV_LIT("umount"));
	fact.value[5] = qry_text_known(mount ? ev_str(c->ev, 1) : SV_NONE);
	fact.value[6] = qry_text_known(run_gather_path(c, NO_DIR, mount ? 2 : 1, &c->g->text[0]));
	fact.value[7] = qry_text_known(mount ? ev_str(c->ev, 3) : SV_NONE);
	fact.value[8] = errno_of(c);
	return c->g->out->ops->fact(c->g->out, &fact, err);
}

static int tell_module(struct run_call *c, struct error *err)
{
	unsigned type = c->ev->type;
	bool load = type != EV_DELETE_MODULE_X;
	struct qry_fact fact = {.kind = QRY_FACT_MODULE, .count = 8};
	struct sv name = SV_NONE, params = SV_NONE;

	if (type == EV_DELETE_MODULE_X)
		name = ev_str(c->ev, 1);
	else if (type == EV_FINIT_MODULE_X)
		name = c->b->fd ? state_sv(c->b->fd->name) : SV_NONE;
	if (load)
		params = ev_str(c->ev, type == EV_FINIT_MODULE_X ? 2 : 3);
	fact.value[0] = qry_u64(c->ev->num);
	fact.value[1] = qry_key(c->process_key);
	fact.value[2] = qry_u64(c->ev->ts);
	fact.value[3] = qry_u64(c->ev->offset);
	fact.value[4] = qry_text(load ? SV_LIT("load") : SV_LIT("unload"));
	fact.value[5] = qry_text_known(name);
	fact.value[6] = qry_text_known(params);
	fact.value[7] = errno_of(c);
	return c->g->out->ops->fact(c->g->out, &fact, err);
}

int run_gather_call(struct run_call *c, struct error *err)
{
	switch (c->ev->type) {
	case EV_MOUNT_X:
	case EV_UMOUNT_X:
	case EV_UMOUNT_1_X:
	case EV_UMOUNT2_X:
		return tell_mount(c, err);
	case EV_INIT_MODULE_X:
	case EV_FINIT_MODULE_X:
	case EV_DELETE_MODULE_X:
		return tell_module(c, err);
	default:
		if (c->ret == 0 && changes[c->ev->type].op)
			return tell_change(c, &changes[c->ev->type], err);
		return 0;
	}
}
