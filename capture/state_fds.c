/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of one table, from /proc. */
#include "capture/state_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FDINFO_MAX 512 /* what is wanted stands first; some kinds go on for long */

/* --- kinds --- */

#if defined(__x86_64__)
#define LARGEFILE 0100000u /* the C library says 0 */
#else
#define LARGEFILE 0400000u
#endif

uint32_t host_open_flags(uint32_t flags)
{
	static const struct {
		uint32_t kernel, ppm;
	} map[] = {
	    {O_CREAT, 1u << 2},	   {O_APPEND, 1u << 3},	  {O_DSYNC, 1u << 4},
	    {O_EXCL, 1u << 5},	   {O_NONBLOCK, 1u << 6}, {O_SYNC, 1u << 7},
	    {O_TRUNC, 1u << 8},	   {O_DIRECT, 1u << 9},	  {O_DIRECTORY, 1u << 10},
	    {LARGEFILE, 1u << 11}, {O_CLOEXEC, 1u << 12}, {O_TMPFILE, 1u << 13},
	};
	uint32_t access = flags & O_ACCMODE;
	uint32_t ppm = access == O_WRONLY ? 2 : access == O_RDWR ? 3 : 1;

	for (size_t i = 0; i < COUNT_OF(map); i++)
		if (flags & map[i].kernel)
			ppm |= map[i].ppm;
	return ppm;
}

static int anonymous_type(struct sv name)
{
	static const struct {
		const char *name;
		int type;
	} kinds[] = {
	    {"[eventfd]", EV_FD_EVENT},
	    {"[signalfd]", EV_FD_SIGNALFD},
	    {"[eventpoll]", EV_FD_EVENTPOLL},
	    {"inotify", EV_FD_INOTIFY},
	    {"[timerfd]", EV_FD_TIMERFD},
	    {"bpf-map", EV_FD_BPF},
	    {"bpf-prog", EV_FD_BPF},
	    {"bpf-link", EV_FD_BPF},
	    {"bpf_link", EV_FD_BPF},
	    {"bpf_iter", EV_FD_BPF},
	    {"[userfaultfd]", EV_FD_USERFAULTFD},
	    {"[io_uring]", EV_FD_IOURING},
	    {"[pidfd]", EV_FD_PIDFD},
	};

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (sv_is(name, kinds[i].name))
			return kinds[i].type;
	return EV_FD_UNSUPPORTED;
}

int host_fd_type(struct sv link, uint32_t mode, uint32_t nlink)
{
	const struct sv anonymous = SV_LIT("anon_inode:");

	if (sv_starts(link, anonymous))
		return anonymous_type(sv_drop(link, anonymous.n));
	if (sv_starts(link, SV_LIT("socket:[")))
		return host_bracketed(link) ? EV_FD_UNIX_SOCK : EV_FD_UNSUPPORTED;
	if (sv_starts(link, SV_LIT("pipe:[")))
		return EV_FD_FIFO;
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return EV_FD_FIFO;
	case S_IFDIR:
		return EV_FD_DIRECTORY;
	case S_IFREG:
		if (sv_starts(link, SV_LIT("/memfd:")) && nlink == 0)
			return EV_FD_MEMFD;
		return EV_FD_FILE_V2;
	case S_IFBLK:
	case S_IFCHR:
	case S_IFLNK:
		return EV_FD_FILE_V2;
	case 0: /* not known: a path is a file */
		return link.n && *link.p == '/' ? EV_FD_FILE_V2 : EV_FD_UNSUPPORTED;
	default:
		return EV_FD_UNSUPPORTED;
	}
}

/* --- one descriptor --- */

struct table { /* being read */
	struct host_run *run;
	const struct host_thread *t;
	int dir, fds, fdinfo;
};

/* "pos:\t0\nflags:\t0100002\nmnt_id:\t15\nino:\t1048" */
static void read_fdinfo(struct table *tb, const char *name, struct ev_fd_entry *e,
			const struct statx *file)
{
	char text[FDINFO_MAX];
	ssize_t n = host_read_file(tb->fdinfo, name, text, sizeof(text));
	struct sv rest = sv_make(text, n > 0 ? (size_t)n : 0);
	struct host_mount mount = {.dev = host_dev(file->stx_dev_major, file->stx_dev_minor)};

	if (n < 0)
		tb->run->s->stats.incomplete++;
	while (rest.n) {
		struct sv line = host_take_line(&rest);
		struct sv key = host_take_field(&line);

		if (sv_is(key, "flags:"))
			e->openflags = host_open_flags((uint32_t)host_u64(line, 8, 0));
		else if (sv_is(key, "mnt_id:"))
			host_mount_of(tb->run, tb->dir, host_u64(line, 10, 0), &mount);
	}
	e->dev = mount.dev;
}

static void read_socket(struct table *tb, struct host_fd *fd, struct sv link)
{
	fd->e.ino = host_bracketed(link);
	fd->e.type = EV_FD_UNSUPPORTED;
	fd->socket = host_socket_wanted(tb->run, fd->e.ino);
	if (!fd->socket)
		tb->run->nomem = true;
}

static void describe(struct table *tb, const char *name, struct host_fd *fd, struct sv link,
		     const struct statx *file)
{
	struct ev_fd_entry *e = &fd->e;

	e->ino = file->stx_ino;
	e->type = host_fd_type(link, file->stx_mode, file->stx_nlink);
	switch (e->type) {
	case EV_FD_UNIX_SOCK:
		read_socket(tb, fd, link);
		break;
	case EV_FD_FILE_V2:
		read_fdinfo(tb, name, e, file);
		e->name = host_keep(tb->run->s, link);
		break;
	case EV_FD_FIFO:
		if (host_bracketed(link))
			e->ino = host_bracketed(link);
		e->name = host_keep(tb->run->s, link);
		break;
	case EV_FD_DIRECTORY:
	case EV_FD_MEMFD:
	case EV_FD_UNSUPPORTED:
		e->name = host_keep(tb->run->s, link);
		break;
	default: /* the type says it all */
		break;
	}
}

static int read_fd(struct table *tb, const char *name, int64_t number)
{
	char text[HOST_PATH_MAX];
	ssize_t n = host_read_link(tb->fds, name, text, sizeof(text));
	struct rec_state *s = tb->run->s;
	struct statx file = {0};
	struct host_fd *fd;
	struct sv link;
	int rc;

	if (n < 0) {
		if (n == -EACCES || n == -EPERM)
			s->stats.unreadable++;
		else
			s->stats.fds_vanished++;
		return 0;
	}
	link = sv_make(text, (size_t)n);
	if (!tb->run->opt->sockets && sv_starts(link, SV_LIT("socket:[")))
		return 0;
	if (statx(tb->fds, name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &file) < 0)
		file = (struct statx){0};
	rc = host_add_fd(s, &fd);
	if (rc)
		return rc < 0 ? rc : 0;
	fd->mark.stamp_ns = clock_ns(CLOCK_BOOTTIME);
	fd->mark.start_ns = tb->t->mark.start_ns;
	fd->e.tid = tb->t->e.tid;
	fd->e.fd = number;
	describe(tb, name, fd, link, &file);
	return 0;
}

/* --- the table --- */

static int read_entries(struct table *tb, DIR *d)
{
	uint32_t max = tb->run->opt->max_fds, n = 0;
	struct dirent *entry;
	int rc = 0;

	while (rc >= 0 && (entry = readdir(d))) {
		struct sv name = sv_of(entry->d_name);
		uint64_t number;

		if (!host_take_u64(&name, 10, &number) || name.n || number > INT32_MAX)
			continue;
		if (max && n >= max) {
			tb->run->s->stats.fds_limit++;
			continue;
		}
		if (++n % 1024 == 0 && host_late(tb->run))
			break;
		rc = read_fd(tb, entry->d_name, (int64_t)number);
	}
	return rc;
}

int host_read_fds(struct host_run *run, int dir, const struct host_thread *t)
{
	struct table tb = {.run = run, .t = t, .dir = dir};
	DIR *d;
	int rc;

	tb.fds = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = tb.fds < 0 ? NULL : fdopendir(tb.fds);
	if (!d) {
		if (tb.fds >= 0)
			close(tb.fds);
		run->s->stats.incomplete++;
		return 0;
	}
	tb.fdinfo = host_open_dir(dir, "fdinfo");
	rc = read_entries(&tb, d);
	if (tb.fdinfo >= 0)
		close(tb.fdinfo);
	closedir(d);
	return rc;
}
