/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on paths, in success and failure, parameter by parameter. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"

#define CALLS(table) table, sizeof(table) / sizeof(*(table))
#define BAD	     ((const char *)16) /* an address where nothing is */

enum { DIRECTORY = 100, FILE_FD };

static char buffer[4096];

static void make_files(void)
{
	truth_enter_directory();
	LIVE_NEED(!mkdir("dir", 0755));
	truth_move_fd(open("dir", O_RDONLY | O_DIRECTORY), DIRECTORY);
	truth_move_fd(open("file", O_RDWR | O_CREAT, 0644), FILE_FD);
	LIVE_NEED(!symlink("file", "symlink"));
}

static void asking_about_files(void **state)
{
	const struct truth_call calls[] = {
	    {EV_STAT_X, SYS_stat, {P("file"), P(buffer)}, 0, {RET("res"), STR("path", "file")}},
	    {EV_STAT_X, SYS_stat, {P(""), P(buffer)}, -ENOENT, {RET("res"), STR("path", "")}},
	    {EV_STAT_X, SYS_stat, {P(BAD), P(buffer)}, -EFAULT, {RET("res"), EMPTY("path")}},
	    {EV_LSTAT_X,
	     SYS_lstat,
	     {P("symlink"), P(buffer)},
	     0,
	     {RET("res"), STR("path", "symlink")}},
	    {EV_LSTAT_X,
	     SYS_lstat,
	     {P("nothing"), P(buffer)},
	     -ENOENT,
	     {RET("res"), STR("path", "nothing")}},
	    {EV_NEWFSTATAT_X,
	     SYS_newfstatat,
	     {AT_FDCWD, P("file"), P(buffer), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT},
	     0,
	     {RET("res"), INT("dirfd", -100), STR("path", "file"),
	      INT("flags", AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)}},
	    {EV_NEWFSTATAT_X,
	     SYS_newfstatat,
	     {DIRECTORY, P(""), P(buffer), AT_EMPTY_PATH},
	     0,
	     {RET("res"), INT("dirfd", DIRECTORY), STR("path", ""), INT("flags", AT_EMPTY_PATH)}},
	    {EV_NEWFSTATAT_X,
	     SYS_newfstatat,
	     {-7, P("x"), P(buffer), 0},
	     -EBADF,
	     {RET("res"), INT("dirfd", -7), STR("path", "x"), INT("flags", 0)}},
	    {EV_ACCESS_X,
	     SYS_access,
	     {P("file"), R_OK | W_OK},
	     0,
	     {RET("res"), STR("name", "file"), FLAGS("mode", "R_OK|W_OK")}},
	    {EV_ACCESS_X,
	     SYS_access,
	     {P("file"), X_OK},
	     -EACCES,
	     {RET("res"), STR("name", "file"), FLAGS("mode", "X_OK")}},
	    {EV_ACCESS_X,
	     SYS_access,
	     {0, F_OK},
	     -EFAULT,
	     {RET("res"), EMPTY("name"), FLAGS("mode", "")}},
	    {EV_GETCWD_X,
	     SYS_getcwd,
	     {P(buffer), sizeof(buffer)},
	     5,
	     {RET("res"), STR("path", "/tmp")}},
	    {EV_GETCWD_X, SYS_getcwd, {P(buffer), 2}, -ERANGE, {RET("res"), EMPTY("path")}},
	};

	truth_calls(*state, make_files, CALLS(calls), NULL);
}

static void changing_directories(void **state)
{
	const struct truth_call calls[] = {
	    {EV_CHDIR_X, SYS_chdir, {P("dir")}, 0, {RET("res"), STR("path", "dir")}},
	    {EV_CHDIR_X, SYS_chdir, {P("../file")}, -ENOTDIR, {RET("res"), STR("path", "../file")}},
	    {EV_CHDIR_X, SYS_chdir, {0}, -EFAULT, {RET("res"), EMPTY("path")}},
	    {EV_FCHDIR_X, SYS_fchdir, {DIRECTORY}, 0, {RET("res"), INT("fd", DIRECTORY)}},
	    {EV_FCHDIR_X, SYS_fchdir, {FILE_FD}, -ENOTDIR, {RET("res"), INT("fd", FILE_FD)}},
	    {EV_CHROOT_X,
	     SYS_chroot,
	     {P("nowhere")},
	     -ENOENT,
	     {RET("res"), STR("path", "nowhere")}},
	    {EV_CHROOT_X, SYS_chroot, {P(".")}, 0, {RET("res"), STR("path", ".")}},
	};

	truth_calls(*state, make_files, CALLS(calls), NULL);
}

static void permissions(void **state)
{
	const struct truth_call calls[] = {
	    {EV_CHMOD_X,
	     SYS_chmod,
	     {P("file"), 07654},
	     0,
	     {RET("res"), STR("filename", "file"), INT("mode", 07654)}},
	    {EV_CHMOD_X, /* beyond permissions nothing is told */
	     SYS_chmod,
	     {P("nothing"), S_IFDIR | 0123},
	     -ENOENT,
	     {RET("res"), STR("filename", "nothing"), INT("mode", 0123)}},
	    {EV_FCHMOD_X,
	     SYS_fchmod,
	     {FILE_FD, 0600},
	     0,
	     {RET("res"), INT("fd", FILE_FD), INT("mode", 0600)}},
	    {EV_FCHMOD_X,
	     SYS_fchmod,
	     {-1, 07777},
	     -EBADF,
	     {RET("res"), INT("fd", -1), INT("mode", 07777)}},
	    {EV_FCHMODAT_X,
	     SYS_fchmodat,
	     {AT_FDCWD, P("file"), 0700},
	     0,
	     {RET("res"), INT("dirfd", -100), STR("filename", "file"), INT("mode", 0700)}},
	    {EV_FCHMODAT_X,
	     SYS_fchmodat,
	     {DIRECTORY, P("x"), 04001},
	     -ENOENT,
	     {RET("res"), INT("dirfd", DIRECTORY), STR("filename", "x"), INT("mode", 04001)}},
	    {EV_CHOWN_X,
	     SYS_chown,
	     {P("file"), 12, 0xffffffff},
	     0,
	     {RET("res"), STR("path", "file"), INT("uid", 12), INT("gid", 0xffffffff)}},
	    {EV_CHOWN_X,
	     SYS_chown,
	     {P("nothing"), 1, 2},
	     -ENOENT,
	     {RET("res"), STR("path", "nothing"), INT("uid", 1), INT("gid", 2)}},
	    {EV_LCHOWN_X,
	     SYS_lchown,
	     {P("symlink"), 3, 4},
	     0,
	     {RET("res"), STR("path", "symlink"), INT("uid", 3), INT("gid", 4)}},
	    {EV_LCHOWN_X,
	     SYS_lchown,
	     {P(BAD), 0xfffffffe, 0},
	     -EFAULT,
	     {RET("res"), EMPTY("path"), INT("uid", 0xfffffffe), INT("gid", 0)}},
	    {EV_FCHOWN_X,
	     SYS_fchown,
	     {FILE_FD, 5, 6},
	     0,
	     {RET("res"), INT("fd", FILE_FD), INT("uid", 5), INT("gid", 6)}},
	    {EV_FCHOWN_X,
	     SYS_fchown,
	     {-9, 5, 6},
	     -EBADF,
	     {RET("res"), INT("fd", -9), INT("uid", 5), INT("gid", 6)}},
	    {EV_FCHOWNAT_X,
	     SYS_fchownat,
	     {DIRECTORY, P(""), 7, 8, AT_EMPTY_PATH},
	     0,
	     {RET("res"), INT("dirfd", DIRECTORY), STR("pathname", ""), INT("uid", 7),
	      INT("gid", 8), FLAGS("flags", "AT_EMPTY_PATH")}},
	    {EV_FCHOWNAT_X,
	     SYS_fchownat,
	     {AT_FDCWD, P("nothing"), 7, 8, AT_SYMLINK_FOLLOW},
	     -EINVAL,
	     {RET("res"), INT("dirfd", -100), STR("pathname", "nothing"), INT("uid", 7),
	      INT("gid", 8), INT("flags", AT_SYMLINK_FOLLOW)}},
	};

	truth_calls(*state, make_files, CALLS(calls), NULL);
}

static void links(void **state)
{
	const struct truth_call calls[] = {
	    {EV_LINK_2_X,
	     SYS_link,
	     {P("file"), P("link")},
	     0,
	     {RET("res"), STR("oldpath", "file"), STR("newpath", "link")}},
	    {EV_LINK_2_X,
	     SYS_link,
	     {P("file"), P("link")},
	     -EEXIST,
	     {RET("res"), STR("oldpath", "file"), STR("newpath", "link")}},
	    {EV_LINKAT_2_X,
	     SYS_linkat,
	     {AT_FDCWD, P("symlink"), DIRECTORY, P("link2"), AT_SYMLINK_FOLLOW},
	     0,
	     {RET("res"), INT("olddir", -100), STR("oldpath", "symlink"), INT("newdir", DIRECTORY),
	      STR("newpath", "link2"), FLAGS("flags", "AT_SYMLINK_FOLLOW")}},
	    {EV_LINKAT_2_X,
	     SYS_linkat,
	     {-3, P(""), -4, P("x"), AT_EMPTY_PATH},
	     -EBADF,
	     {RET("res"), INT("olddir", -3), STR("oldpath", ""), INT("newdir", -4),
	      STR("newpath", "x"), FLAGS("flags", "AT_EMPTY_PATH")}},
	    {EV_SYMLINK_X,
	     SYS_symlink,
	     {P("to nowhere"), P("new")},
	     0,
	     {RET("res"), STR("target", "to nowhere"), STR("linkpath", "new")}},
	    {EV_SYMLINK_X,
	     SYS_symlink,
	     {P(""), P("newer")},
	     -ENOENT,
	     {RET("res"), STR("target", ""), STR("linkpath", "newer")}},
	    {EV_SYMLINKAT_X,
	     SYS_symlinkat,
	     {P("t"), DIRECTORY, P("l")},
	     0,
	     {RET("res"), STR("target", "t"), INT("linkdirfd", DIRECTORY), STR("linkpath", "l")}},
	    {EV_SYMLINKAT_X,
	     SYS_symlinkat,
	     {P("t"), AT_FDCWD, 0},
	     -EFAULT,
	     {RET("res"), STR("target", "t"), INT("linkdirfd", -100), EMPTY("linkpath")}},
	    {EV_RENAME_X,
	     SYS_rename,
	     {P("link"), P("link3")},
	     0,
	     {RET("res"), STR("oldpath", "link"), STR("newpath", "link3")}},
	    {EV_RENAME_X,
	     SYS_rename,
	     {P("link"), P("y")},
	     -ENOENT,
	     {RET("res"), STR("oldpath", "link"), STR("newpath", "y")}},
	    {EV_RENAMEAT_X,
	     SYS_renameat,
	     {AT_FDCWD, P("link3"), DIRECTORY, P("link4")},
	     0,
	     {RET("res"), INT("olddirfd", -100), STR("oldpath", "link3"),
	      INT("newdirfd", DIRECTORY), STR("newpath", "link4")}},
	    {EV_RENAMEAT_X,
	     SYS_renameat,
	     {-5, P("a"), -6, P("b")},
	     -EBADF,
	     {RET("res"), INT("olddirfd", -5), STR("oldpath", "a"), INT("newdirfd", -6),
	      STR("newpath", "b")}},
	    {EV_RENAMEAT2_X,
	     SYS_renameat2,
	     {DIRECTORY, P("link4"), AT_FDCWD, P("file"), 2},
	     0,
	     {RET("res"), INT("olddirfd", DIRECTORY), STR("oldpath", "link4"),
	      INT("newdirfd", -100), STR("newpath", "file"), FLAGS("flags", "RENAME_EXCHANGE")}},
	    {EV_RENAMEAT2_X, /* flags as they are, whatever they mean */
	     SYS_renameat2,
	     {-5, P("a"), -6, P("b"), 0x100 | 4 | 1},
	     -EINVAL,
	     {RET("res"), INT("olddirfd", -5), STR("oldpath", "a"), INT("newdirfd", -6),
	      STR("newpath", "b"), INT("flags", 0x105)}},
	    {EV_UNLINK_2_X, SYS_unlink, {P("new")}, 0, {RET("res"), STR("path", "new")}},
	    {EV_UNLINK_2_X, SYS_unlink, {P("dir")}, -EISDIR, {RET("res"), STR("path", "dir")}},
	    {EV_UNLINKAT_2_X,
	     SYS_unlinkat,
	     {DIRECTORY, P("l"), 0},
	     0,
	     {RET("res"), INT("dirfd", DIRECTORY), STR("name", "l"), FLAGS("flags", "")}},
	    {EV_UNLINKAT_2_X,
	     SYS_unlinkat,
	     {AT_FDCWD, P("dir"), AT_REMOVEDIR},
	     -ENOTEMPTY,
	     {RET("res"), INT("dirfd", -100), STR("name", "dir"), FLAGS("flags", "AT_REMOVEDIR")}},
	};

	truth_calls(*state, make_files, CALLS(calls), NULL);
}

static void making_and_removing(void **state)
{
	const struct truth_call calls[] = {
	    {EV_MKDIR_2_X,
	     SYS_mkdir,
	     {P("d"), 01750},
	     0,
	     {RET("res"), STR("path", "d"), INT("mode", 01750)}},
	    {EV_MKDIR_2_X, /* as the caller gave it */
	     SYS_mkdir,
	     {P("d"), 0x12345678},
	     -EEXIST,
	     {RET("res"), STR("path", "d"), INT("mode", 0x12345678)}},
	    {EV_MKDIRAT_X,
	     SYS_mkdirat,
	     {DIRECTORY, P("e"), 0700},
	     0,
	     {RET("res"), INT("dirfd", DIRECTORY), STR("path", "e"), INT("mode", 0700)}},
	    {EV_MKDIRAT_X,
	     SYS_mkdirat,
	     {FILE_FD, P("e"), 0700},
	     -ENOTDIR,
	     {RET("res"), INT("dirfd", FILE_FD), STR("path", "e"), INT("mode", 0700)}},
	    {EV_RMDIR_2_X, SYS_rmdir, {P("d")}, 0, {RET("res"), STR("path", "d")}},
	    {EV_RMDIR_2_X, SYS_rmdir, {P("d")}, -ENOENT, {RET("res"), STR("path", "d")}},
	    {EV_MKNOD_X,
	     SYS_mknod,
	     {P("fifo"), S_IFIFO | 0640, 0},
	     0,
	     {RET("res"), STR("path", "fifo"), INT("mode", 010640), INT("dev", 0)}},
	    {EV_MKNOD_X, /* defect 8, kept: the number is taken for the kernel's own form */
	     SYS_mknod,
	     {P("fifo"), S_IFBLK | 0600, 0xf000},
	     -EEXIST,
	     {RET("res"), STR("path", "fifo"), INT("mode", 060600), INT("dev", 0xf000000)}},
	    {EV_MKNOD_X, /* no kind means a regular file; major 3, minor 5 of the kernel's form */
	     SYS_mknod,
	     {P("plain"), 0600, 0x300005},
	     0,
	     {RET("res"), STR("path", "plain"), INT("mode", 0100600), INT("dev", 0x305)}},
	    {EV_MKNODAT_X,
	     SYS_mknodat,
	     {DIRECTORY, P("socket"), S_IFSOCK | 07777, 0},
	     0,
	     {RET("res"), INT("dirfd", DIRECTORY), STR("path", "socket"), INT("mode", 0147777),
	      INT("dev", 0)}},
	    {EV_MKNODAT_X,
	     SYS_mknodat,
	     {-1, P("c"), S_IFCHR | 0600, 0x103},
	     -EBADF,
	     {RET("res"), INT("dirfd", -1), STR("path", "c"), INT("mode", 020600),
	      INT("dev", 0x100003)}},
	};

	truth_calls(*state, make_files, CALLS(calls), NULL);
}

static void mounts(void **state)
{
	const struct truth_call calls[] = {
	    {EV_MOUNT_X,
	     SYS_mount,
	     {P("a device"), P("dir"), P("tmpfs"), MS_NOSUID | MS_RDONLY, 0},
	     0,
	     {RET("res"), STR("dev", "a device"), STR("dir", "dir"), STR("type", "tmpfs"),
	      FLAGS("flags", "NOSUID|RDONLY")}},
	    {EV_MOUNT_X, /* the old magic number is taken away */
	     SYS_mount,
	     {0, P("nothing"), 0, 0xC0ED0000 | MS_NOEXEC, 0},
	     -ENOENT,
	     {RET("res"), EMPTY("dev"), STR("dir", "nothing"), EMPTY("type"),
	      FLAGS("flags", "NOEXEC")}},
	    {EV_MOUNT_X, /* half of it is none */
	     SYS_mount,
	     {0, P("nothing"), P("x"), 0xC0EC0001, 0},
	     -ENOENT,
	     {RET("res"), EMPTY("dev"), STR("dir", "nothing"), STR("type", "x"),
	      INT("flags", 0xC0EC0001)}},
	    {EV_UMOUNT2_X,
	     SYS_umount2,
	     {P("dir"), 2 | 8},
	     0,
	     {RET("res"), STR("name", "dir"), FLAGS("flags", "DETACH|NOFOLLOW")}},
	    {EV_UMOUNT2_X,
	     SYS_umount2,
	     {P("dir"), 1 | 4},
	     -EINVAL,
	     {RET("res"), STR("name", "dir"), FLAGS("flags", "FORCE|EXPIRE")}},
	};

	truth_calls(*state, make_files, CALLS(calls), NULL);
}

/* --- opening --- */

struct opened { /* what a child knows of what it opened */
	long ret[16];
	uint64_t ino[16];
	uint32_t dev[16];
	int n;
};

static void note_opened(struct opened *o, long ret)
{
	struct stat st = {0};

	live_pause();
	if (ret >= 0)
		LIVE_NEED(!fstat((int)ret, &st));
	o->ret[o->n] = ret;
	o->ino[o->n] = st.st_ino;
	o->dev[o->n++] = (uint32_t)st.st_dev; /* small numbers: both forms are alike */
	live_resume();
}

static void expect_opened(struct live_event *e, const struct opened *o, int i)
{
	expect_i64(e, "fd", o->ret[i]);
	expect_i64(e, "dev", o->dev[i]);
	expect_i64(e, "ino", o->ino[i]);
}

static void open_files(void *shared)
{
	struct opened *o = shared;

	live_pause();
	make_files();
	live_resume();
	note_opened(
	    o, live_call(SYS_open, "new", O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0xfff0 | 0640));
	note_opened(o,
		    live_call(SYS_open, "new", O_WRONLY | O_TRUNC | O_NONBLOCK | O_CREAT, 04600));
	note_opened(o, live_call(SYS_open, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0777));
	note_opened(o, live_call(SYS_open, "file", O_RDONLY | 010000 /* O_DSYNC */, 0777));
	note_opened(o, live_call(SYS_open, "nothing", O_RDWR | O_LARGEFILE | 0100000, 0));
	note_opened(o, live_call(SYS_open, BAD, O_RDONLY, 0));
	note_opened(o, live_call(SYS_open, "", O_RDONLY, 0));
}

static void opening(void **state)
{
	struct live *l = *state;
	const struct opened *o = live_run(l, "open", open_files);
	struct live_event *e = expect_event(l, EV_OPEN_X);

	expect_opened(e, o, 0);
	expect_str(e, "name", "new");
	expect_flags(e, "flags", "O_RDWR|O_CREAT|O_EXCL|O_APPEND|O_F_CREATED");
	expect_i64(e, "mode", 07760);
	e = expect_event(l, EV_OPEN_X); /* it was there */
	expect_opened(e, o, 1);
	expect_str(e, "name", "new");
	expect_flags(e, "flags", "O_WRONLY|O_TRUNC|O_NONBLOCK|O_CREAT");
	expect_i64(e, "mode", 04600);
	e = expect_event(l, EV_OPEN_X); /* defect 10, kept */
	expect_opened(e, o, 2);
	expect_str(e, "name", "dir");
	expect_flags(e, "flags", "O_RDONLY|O_DIRECTORY|O_TMPFILE|O_CLOEXEC");
	expect_i64(e, "mode", 0777);
	e = expect_event(l, EV_OPEN_X); /* likewise */
	expect_opened(e, o, 3);
	expect_str(e, "name", "file");
	expect_flags(e, "flags", "O_RDONLY|O_DSYNC|O_SYNC");
	expect_i64(e, "mode", 0);
	e = expect_event(l, EV_OPEN_X);
	expect_i64(e, "fd", -ENOENT);
	expect_str(e, "name", "nothing");
	expect_flags(e, "flags", "O_RDWR|O_LARGEFILE");
	expect_i64(e, "mode", 0);
	expect_i64(e, "dev", 0);
	expect_i64(e, "ino", 0);
	e = expect_event(l, EV_OPEN_X);
	expect_i64(e, "fd", -EFAULT);
	expect_empty(e, "name");
	e = expect_event(l, EV_OPEN_X);
	expect_i64(e, "fd", -ENOENT);
	expect_str(e, "name", "");
	expect_end(l);
}

static void creat_files(void *shared)
{
	struct opened *o = shared;

	live_pause();
	make_files();
	live_resume();
	note_opened(o, live_call(SYS_creat, "new", 0644));
	note_opened(o, live_call(SYS_creat, "dir", 0xf123));
}

static void creating(void **state)
{
	struct live *l = *state;
	const struct opened *o = live_run(l, "creat", creat_files);
	struct live_event *e = expect_event(l, EV_CREAT_X);

	expect_opened(e, o, 0);
	expect_str(e, "name", "new");
	expect_i64(e, "mode", 0644);
	expect_i64(e, "creat_flags", 0);
	e = expect_event(l, EV_CREAT_X);
	expect_opened(e, o, 1);
	expect_i64(e, "fd", -EISDIR);
	expect_str(e, "name", "dir");
	expect_i64(e, "mode", 0x123);
	expect_i64(e, "creat_flags", 0);
	expect_end(l);
}

static void openat_files(void *shared)
{
	struct opened *o = shared;

	live_pause();
	make_files();
	live_resume();
	note_opened(o,
		    live_call(SYS_openat, DIRECTORY, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	note_opened(o, live_call(SYS_openat, 0xffffff9c, "file", O_RDONLY | O_DIRECT, 0));
	note_opened(o, live_call(SYS_openat, -1, "x", O_RDWR | __O_TMPFILE | O_DIRECTORY, 0111));
	/* descriptor 0 is one like any other: defect 12, fixed */
	live_pause();
	close(0);
	live_resume();
	note_opened(o, live_call(SYS_openat, AT_FDCWD, "file", O_RDONLY, 0));
}

static void opening_below_directories(void **state)
{
	struct live *l = *state;
	const struct opened *o = live_run(l, "openat", openat_files);
	struct live_event *e = expect_event(l, EV_OPENAT_2_X);

	expect_opened(e, o, 0);
	expect_i64(e, "dirfd", DIRECTORY);
	expect_str(e, "name", "new");
	expect_flags(e, "flags", "O_WRONLY|O_CREAT|O_CLOEXEC|O_F_CREATED");
	expect_i64(e, "mode", 0600);
	e = expect_event(l, EV_OPENAT_2_X);
	expect_opened(e, o, 1);
	expect_i64(e, "dirfd", -100);
	expect_str(e, "name", "file");
	expect_flags(e, "flags", "O_RDONLY|O_DIRECT");
	expect_i64(e, "mode", 0);
	e = expect_event(l, EV_OPENAT_2_X);
	expect_opened(e, o, 2);
	expect_i64(e, "fd", -EBADF);
	expect_i64(e, "dirfd", -1);
	expect_str(e, "name", "x");
	expect_flags(e, "flags", "O_RDWR|O_DIRECTORY|O_TMPFILE");
	expect_i64(e, "mode", 0111);
	e = expect_event(l, EV_OPENAT_2_X);
	assert_int_equal(o->ret[3], 0);
	expect_opened(e, o, 3);
	expect_end(l);
}

static const struct open_how how = {
    .flags = O_RDWR | O_CREAT, .mode = 0604, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
static const struct open_how bad_how = {.flags = O_DIRECTORY, .resolve = 0x3f};

static void openat2_files(void *shared)
{
	struct opened *o = shared;

	live_pause();
	make_files();
	live_resume();
	note_opened(o, live_call(SYS_openat2, DIRECTORY, "new", &how, sizeof(how)));
	note_opened(o, live_call(SYS_openat2, AT_FDCWD, "nothing", &bad_how, sizeof(bad_how)));
	note_opened(o, live_call(SYS_openat2, -1, "nothing", BAD, sizeof(bad_how)));
}

static void opening_with_restrictions(void **state)
{
	struct live *l = *state;
	const struct opened *o = live_run(l, "openat2", openat2_files);
	struct live_event *e = expect_event(l, EV_OPENAT2_X);

	expect_opened(e, o, 0);
	expect_i64(e, "dirfd", DIRECTORY);
	expect_str(e, "name", "new");
	expect_flags(e, "flags", "O_RDWR|O_CREAT|O_F_CREATED");
	expect_i64(e, "mode", 0604);
	expect_flags(e, "resolve", "RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS");
	e = expect_event(l, EV_OPENAT2_X);
	expect_opened(e, o, 1);
	expect_range(e, "fd", -4095, -1);
	expect_i64(e, "dirfd", -100);
	expect_str(e, "name", "nothing");
	expect_flags(e, "flags", "O_RDONLY|O_DIRECTORY|O_TMPFILE");
	expect_i64(e, "mode", 0);
	expect_flags(e, "resolve",
		     "RESOLVE_BENEATH|RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|"
		     "RESOLVE_NO_XDEV|RESOLVE_CACHED");
	e = expect_event(l, EV_OPENAT2_X);
	expect_i64(e, "fd", -EFAULT);
	expect_i64(e, "resolve", 0);
	expect_i64(e, "mode", 0);
	expect_end(l);
}

struct handle {
	unsigned bytes;
	int type;
	unsigned char f[120];
};

static void open_by_handle(void *shared)
{
	static struct handle h;
	struct opened *o = shared;
	int mount;

	live_pause();
	make_files();
	LIVE_NEED(!mkdir("dir/sub", 0700) && !mknod("dir/sub/file", 0600, 0));
	h.bytes = sizeof(h.f);
	LIVE_NEED(!syscall(SYS_name_to_handle_at, AT_FDCWD, "dir/sub/file", &h, &mount, 0));
	live_resume();
	note_opened(o, live_call(SYS_open_by_handle_at, DIRECTORY, &h, O_RDWR | O_CLOEXEC));
	note_opened(o, live_call(SYS_open_by_handle_at, AT_FDCWD, BAD, O_WRONLY));
}

static void opening_by_handle(void **state)
{
	struct live *l = *state;
	const struct opened *o = live_run(l, "open_by_handle_at", open_by_handle);
	struct live_event *e = expect_event(l, EV_OPEN_BY_HANDLE_AT_X);

	expect_opened(e, o, 0);
	expect_i64(e, "mountfd", DIRECTORY);
	expect_flags(e, "flags", "O_RDWR|O_CLOEXEC");
	expect_str(e, "path", "/tmp/dir/sub/file");
	e = expect_event(l, EV_OPEN_BY_HANDLE_AT_X);
	expect_opened(e, o, 1);
	expect_i64(e, "fd", -EFAULT);
	expect_i64(e, "mountfd", -100);
	expect_flags(e, "flags", "O_WRONLY");
	expect_empty(e, "path");
	expect_end(l);
}

LIVE_MAIN("truth_files",
	  "stat,lstat,newfstatat,access,getcwd,chdir,fchdir,chroot,chmod,fchmod,fchmodat,chown,"
	  "lchown,fchown,fchownat,link,linkat,symlink,symlinkat,rename,renameat,renameat2,unlink,"
	  "unlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,mount,umount2,open,creat,openat,openat2,"
	  "open_by_handle_at",
	  cmocka_unit_test(asking_about_files), cmocka_unit_test(changing_directories),
	  cmocka_unit_test(permissions), cmocka_unit_test(links),
	  cmocka_unit_test(making_and_removing), cmocka_unit_test(mounts),
	  cmocka_unit_test(opening), cmocka_unit_test(creating),
	  cmocka_unit_test(opening_below_directories), cmocka_unit_test(opening_with_restrictions),
	  cmocka_unit_test(opening_by_handle))
