/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads from /proc. A process is read through one descriptor of its directory, which stays with
 * it: files of another process that got the same id cannot be mixed in.
 */
#include "capture/state_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PF_KTHREAD	    0x00200000u
#define UNKNOWN_ID	    0xffffffffu
#define THREADS_PER_LATE    256
#define NUMERIC_NAME_DIGITS 10

struct stat_file {		   /* what is taken from D/stat; numbered as in proc(5) */
	char state;		   /* 3 */
	int64_t ppid, pgrp, sid;   /* 4, 5, 6 */
	uint32_t tty;		   /* 7 */
	uint32_t flags;		   /* 9 */
	uint64_t pfminor, pfmajor; /* 10, 12 */
	uint64_t threads;	   /* 20 */
	uint64_t start;		   /* 22, in clock ticks */
};

struct one { /* a thread being read */
	int dir;
	int64_t pid, tid;
	struct host_thread *leader; /* NULL: this is the leader */
	struct host_thread *t;
	bool ended;
	struct stat_file stat;
	struct host_access access;
	char groups[1024]; /* behind access.groups */
};

/* --- D/stat --- */

/* The command in brackets may contain anything, brackets too: what counts is after the last one. */
static bool parse_stat(struct sv text, struct stat_file *st)
{
	const char *end = text.n ? memrchr(text.p, ')', text.n) : NULL;
	struct sv rest, state;

	if (!end)
		return false;
	rest = sv_drop(text, (size_t)(end - text.p) + 1);
	state = host_take_field(&rest);
	if (state.n != 1)
		return false;
	st->state = *state.p;
	st->ppid = host_i64(host_take_field(&rest), 0);
	st->pgrp = host_i64(host_take_field(&rest), -1);
	st->sid = host_i64(host_take_field(&rest), -1);
	st->tty = (uint32_t)host_i64(host_take_field(&rest), 0);
	host_take_field(&rest);
	st->flags = (uint32_t)host_u64(host_take_field(&rest), 10, 0);
	st->pfminor = host_u64(host_take_field(&rest), 10, 0);
	host_take_field(&rest);
	st->pfmajor = host_u64(host_take_field(&rest), 10, 0);
	rest = host_skip_fields(rest, 7);
	st->threads = host_u64(host_take_field(&rest), 10, 1);
	host_take_field(&rest);
	st->start = host_u64(host_take_field(&rest), 10, UINT64_MAX);
	return st->start != UINT64_MAX;
}

static int read_stat(struct host_run *run, int dir, const char *name, struct stat_file *st)
{
	ssize_t n = host_read_file(dir, name, run->text, HOST_LIST_MAX);

	if (n < 0)
		return (int)n;
	*st = (struct stat_file){0};
	return parse_stat(sv_make(run->text, (size_t)n), st) ? 0 : -ESRCH;
}

/* --- D/status --- */

static struct sv field(struct sv line, unsigned i)
{
	struct sv rest = host_skip_fields(line, i);

	return host_take_field(&rest);
}

/* The innermost of the ids in a chain of namespaces. */
static int64_t last_number(struct sv rest, int64_t otherwise)
{
	for (struct sv f = host_take_field(&rest); f.n; f = host_take_field(&rest))
		otherwise = host_i64(f, otherwise);
	return otherwise;
}

static void take_groups(struct one *o, struct sv value)
{
	size_t n = value.n < sizeof(o->groups) ? value.n : sizeof(o->groups);

	memcpy(o->groups, value.p, n);
	o->access.groups = sv_make(o->groups, n);
}

static void take_ids(struct one *o, struct sv key, struct sv value)
{
	struct ev_thread_entry *e = &o->t->e;

	if (sv_is(key, "Tgid")) {
		e->pid = host_i64(value, -1);
	} else if (sv_is(key, "Pid")) {
		e->tid = host_i64(value, -1);
	} else if (sv_is(key, "PPid")) {
		e->ptid = host_i64(value, 0);
	} else if (sv_is(key, "NSpid")) {
		e->vtid = last_number(value, e->vtid);
	} else if (sv_is(key, "NStgid")) {
		e->vpid = last_number(value, e->vpid);
	} else if (sv_is(key, "NSpgid")) {
		e->pgid = host_i64(value, e->pgid);
		e->vpgid = last_number(value, e->vpgid);
	} else if (sv_is(key, "Uid")) {
		e->uid = (uint32_t)host_u64(field(value, 1), 10, UNKNOWN_ID);
		o->access.fsuid = (uint32_t)host_u64(field(value, 3), 10, UNKNOWN_ID);
	} else if (sv_is(key, "Gid")) {
		e->gid = (uint32_t)host_u64(field(value, 1), 10, UNKNOWN_ID);
		o->access.fsgid = (uint32_t)host_u64(field(value, 3), 10, UNKNOWN_ID);
	} else if (sv_is(key, "Groups")) {
		take_groups(o, value);
	}
}

static void take_figures(struct one *o, struct sv key, struct sv value)
{
	struct ev_thread_entry *e = &o->t->e;

	if (sv_is(key, "VmSize"))
		e->vmsize_kb = (uint32_t)host_u64(value, 10, 0);
	else if (sv_is(key, "VmRSS"))
		e->vmrss_kb = (uint32_t)host_u64(value, 10, 0);
	else if (sv_is(key, "VmSwap"))
		e->vmswap_kb = (uint32_t)host_u64(value, 10, 0);
	else if (sv_is(key, "CapInh"))
		e->cap_inheritable = host_u64(value, 16, 0);
	else if (sv_is(key, "CapPrm"))
		e->cap_permitted = host_u64(value, 16, 0);
	else if (sv_is(key, "CapEff"))
		e->cap_effective = host_u64(value, 16, 0);
}

static int read_status(struct host_run *run, struct one *o)
{
	ssize_t n = host_read_file(o->dir, "status", run->text, HOST_RUN_TEXT);
	struct sv rest;

	if (n < 0)
		return (int)n;
	rest = sv_make(run->text, (size_t)n);
	while (rest.n) {
		struct sv line = host_take_line(&rest);
		const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
		size_t key = colon ? (size_t)(colon - line.p) : 0;

		if (!key)
			continue;
		take_ids(o, sv_make(line.p, key), sv_drop(line, key + 1));
		take_figures(o, sv_make(line.p, key), sv_drop(line, key + 1));
	}
	o->access.cap_effective = o->t->e.cap_effective;
	return 0;
}

/* --- the other files --- */

static struct sv keep_link(struct host_run *run, int dir, const char *name, struct sv same)
{
	ssize_t n = host_read_link(dir, name, run->text, HOST_PATH_MAX);

	if (n < 0) {
		run->s->stats.incomplete++;
		return SV_NONE;
	}
	return host_keep_or(run->s, sv_make(run->text, (size_t)n), same);
}

/* Strings one after another; the last one is ended, too. */
static struct sv read_list(struct host_run *run, int dir, const char *name)
{
	ssize_t n = host_read_file(dir, name, run->text, HOST_LIST_MAX + 1);

	if (n < 0)
		run->s->stats.incomplete++;
	return host_end_list(run->text, n > 0 ? (size_t)n : 0);
}

static void read_command_line(struct host_run *run, struct one *o)
{
	struct ev_thread_entry *e = &o->t->e;
	struct sv all = read_list(run, o->dir, "cmdline");
	size_t first = all.n ? strlen(all.p) : 0;

	e->exe = host_keep(run->s, sv_make(all.p, first));
	e->args = host_keep(run->s, sv_drop(all, first + 1));
}

static void read_comm(struct host_run *run, struct one *o)
{
	ssize_t n = host_read_file(o->dir, "comm", run->text, 256);
	struct sv same = o->leader ? o->leader->e.comm : SV_NONE;

	if (n < 0)
		run->s->stats.incomplete++;
	if (n > 0 && run->text[n - 1] == '\n')
		n--;
	o->t->e.comm = host_keep_or(run->s, sv_make(run->text, n > 0 ? (size_t)n : 0), same);
}

static uint64_t stamp_of(struct statx_timestamp t)
{
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Through D/exe, which leads to the file itself in whatever namespace it is. */
static void read_executable(struct host_run *run, struct one *o)
{
	struct ev_thread_entry *e = &o->t->e;
	struct statx file;

	e->exepath = keep_link(run, o->dir, "exe", SV_NONE);
	if (statx(o->dir, "exe", AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &file) < 0)
		return;
	e->exe_ino = file.stx_ino;
	e->exe_ino_ctime = stamp_of(file.stx_ctime);
	e->exe_ino_mtime = stamp_of(file.stx_mtime);
	e->exe_from_memfd = file.stx_nlink == 0 && sv_starts(e->exepath, SV_LIT("/memfd:"));
	e->exe_writable = host_may_write(run, o->dir, &file, &o->access);
}

/* "Max open files            1024                 4096                 files" */
static int64_t read_fd_limit(struct host_run *run, int dir)
{
	ssize_t n = host_read_file(dir, "limits", run->text, HOST_LIST_MAX);
	struct sv rest = sv_make(run->text, n > 0 ? (size_t)n : 0);

	while (rest.n) {
		struct sv line = host_take_line(&rest);

		if (sv_starts(line, SV_LIT("Max open files ")))
			return host_i64(sv_drop(line, sizeof("Max open files ") - 1), -1);
	}
	return -1;
}

static uint32_t read_loginuid(struct host_run *run, int dir)
{
	ssize_t n = host_read_file(dir, "loginuid", run->text, 32);

	return n > 0 ? (uint32_t)host_u64(sv_make(run->text, (size_t)n), 10, UNKNOWN_ID)
		     : UNKNOWN_ID;
}

/* --- one thread --- */

static void set_defaults(struct host_run *run, struct one *o)
{
	struct ev_thread_entry *e = &o->t->e;
	const struct stat_file *st = &o->stat;

	o->t->mark.start_ns = st->start * run->tick_ns;
	o->t->mark.stamp_ns = clock_ns(CLOCK_BOOTTIME);
	e->tid = e->vtid = o->tid;
	e->pid = e->vpid = o->pid;
	e->pgid = e->vpgid = st->pgrp;
	e->ptid = st->ppid;
	e->sid = st->sid;
	e->tty = st->tty;
	e->pfminor = st->pfminor;
	e->pfmajor = st->pfmajor;
	e->uid = e->gid = UNKNOWN_ID;
	e->fdlimit = -1;
	e->flags = o->leader ? CL_THREAD | CL_FILES : 0;
	e->has_clone_ts = true;
	e->clone_ts = run->boot_ns + o->t->mark.start_ns;
}

static void copy_from_leader(struct ev_thread_entry *e, const struct ev_thread_entry *leader)
{
	e->exe = leader->exe;
	e->exepath = leader->exepath;
	e->args = leader->args;
	e->env = leader->env;
	e->fdlimit = leader->fdlimit;
	e->exe_ino = leader->exe_ino;
	e->exe_ino_ctime = leader->exe_ino_ctime;
	e->exe_ino_mtime = leader->exe_ino_mtime;
	e->exe_writable = leader->exe_writable;
	e->exe_from_memfd = leader->exe_from_memfd;
}

/* What belongs to the program: the same for all threads. */
static void read_program(struct host_run *run, struct one *o)
{
	read_command_line(run, o);
	read_executable(run, o);
	o->t->e.fdlimit = read_fd_limit(run, o->dir);
	if (run->opt->environment)
		o->t->e.env = host_keep(run->s, read_list(run, o->dir, "environ"));
}

static void read_place(struct host_run *run, struct one *o)
{
	struct ev_thread_entry *e = &o->t->e;
	const struct ev_thread_entry *leader = o->leader ? &o->leader->e : NULL;

	e->cwd = keep_link(run, o->dir, "cwd", leader ? leader->cwd : SV_NONE);
	e->root = keep_link(run, o->dir, "root", leader ? leader->root : SV_NONE);
	e->cgroups = host_read_cgroups(run, o->dir);
	e->loginuid = read_loginuid(run, o->dir);
	o->t->pidns = leader ? o->leader->pidns : host_link_number(o->dir, "ns/pid");
}

static void count_failure(struct host_run *run, int error)
{
	if (error == -EACCES || error == -EPERM)
		run->s->stats.unreadable++;
	else
		run->s->stats.vanished++;
}

/* Is it one that has no program: of the kernel, or ended? */
static bool has_no_program(struct host_run *run, struct one *o)
{
	o->ended = o->stat.state == 'Z' || o->stat.state == 'X' || o->stat.state == 'x';
	if (o->stat.flags & PF_KTHREAD) {
		run->s->stats.kernel_threads++;
		return true;
	}
	/* A leader may end before its threads; the process lives on. */
	if (o->ended && (o->leader || o->stat.threads <= 1)) {
		run->s->stats.zombies++;
		return true;
	}
	return false;
}

static int read_start(struct host_run *run, struct one *o)
{
	char name[64];
	int rc;

	/* Of the thread alone: D/stat of a leader adds up its threads' page faults. */
	snprintf(name, sizeof(name), "task/%lld/stat", (long long)o->tid);
	if (!o->leader && read_stat(run, o->dir, name, &o->stat) == 0)
		return 0;
	rc = read_stat(run, o->dir, "stat", &o->stat);
	if (rc < 0)
		count_failure(run, rc);
	return rc;
}

static bool read_identity(struct host_run *run, struct one *o)
{
	int rc;

	set_defaults(run, o);
	rc = read_status(run, o);
	if (rc == -EACCES || rc == -EPERM) {
		run->s->stats.incomplete++;
	} else if (rc < 0) {
		count_failure(run, rc);
		return false;
	}
	if (o->t->e.pid != o->pid || o->t->e.tid != o->tid) {
		run->s->stats.vanished++;
		return false;
	}
	return true;
}

/* Return: 1 with a thread, 0 without, or ERR_NOMEM. */
static int read_thread(struct host_run *run, struct one *o)
{
	int rc;

	if (read_start(run, o) < 0 || has_no_program(run, o))
		return 0;
	rc = host_add_thread(run->s, &o->t);
	if (rc)
		return rc < 0 ? rc : 0;
	if (!read_identity(run, o))
		return 0;
	read_comm(run, o);
	if (o->leader)
		copy_from_leader(&o->t->e, &o->leader->e);
	else if (!o->ended)
		read_program(run, o);
	read_place(run, o);
	return 1;
}

/* --- processes --- */

static bool is_number(const char *name, int64_t *out)
{
	struct sv s = sv_of(name);
	uint64_t v;

	if (s.n == 0 || s.n > NUMERIC_NAME_DIGITS || !host_take_u64(&s, 10, &v) || s.n || !v)
		return false;
	*out = (int64_t)v;
	return true;
}

/* Has thread @tid the descriptors of @other? Nobody knows: yes. */
static bool shares_fds(const struct host_run *run, int64_t other, int64_t tid)
{
	return !run->real_proc || syscall(SYS_kcmp, other, tid, KCMP_FILES, 0, 0) <= 0;
}

struct process { /* being read */
	struct host_thread *leader;
	bool leader_ended; /* and none of the other threads seen yet */
	int64_t table_of;  /* the thread whose descriptors stand for all; 0: none yet */
	unsigned seen;
	bool fds;
};

/* The first thread that lives stands in for a leader that does not. */
static int revive_leader(struct host_run *run, struct process *p, struct one *o)
{
	struct one as_leader = *o;

	p->leader_ended = false;
	as_leader.t = p->leader;
	as_leader.leader = NULL;
	read_program(run, &as_leader);
	read_place(run, &as_leader);
	copy_from_leader(&o->t->e, &p->leader->e);
	p->leader->e.vmsize_kb = o->t->e.vmsize_kb;
	p->leader->e.vmrss_kb = o->t->e.vmrss_kb;
	p->leader->e.vmswap_kb = o->t->e.vmswap_kb;
	return host_index_thread(run->s, p->leader);
}

static int read_table(struct host_run *run, int dir, const struct host_thread *t)
{
	host_sockets_seen(run, host_link_number(dir, "ns/net"), t->e.pid, t->e.tid);
	return host_read_fds(run, dir, t);
}

static int read_other_thread(struct host_run *run, struct process *p, int tasks, const char *name,
			     int64_t tid)
{
	struct one o = {.pid = p->leader->e.pid, .tid = tid, .leader = p->leader};
	int rc;

	o.dir = host_open_dir(tasks, name);
	if (o.dir < 0) {
		count_failure(run, -errno);
		return 0;
	}
	rc = read_thread(run, &o);
	if (rc == 1) {
		rc = p->leader_ended ? revive_leader(run, p, &o) : 0;
		if (!rc)
			rc = host_index_thread(run->s, o.t);
		if (!rc && p->fds && !p->table_of) {
			p->table_of = tid;
			rc = read_table(run, o.dir, p->leader);
		} else if (!rc && p->fds && !shares_fds(run, p->table_of, tid)) {
			o.t->e.flags &= ~CL_FILES;
			rc = read_table(run, o.dir, o.t);
		}
	}
	close(o.dir);
	return rc < 0 ? rc : 0;
}

static int read_other_threads(struct host_run *run, struct process *p, int dir)
{
	int fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int64_t tid;
	int rc = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (rc >= 0 && (entry = readdir(d))) {
		if (!is_number(entry->d_name, &tid) || tid == p->leader->e.pid)
			continue;
		if (++p->seen % THREADS_PER_LATE == 0 && host_late(run))
			break;
		rc = read_other_thread(run, p, fd, entry->d_name, tid);
	}
	closedir(d);
	return rc;
}

int host_read_process(struct host_run *run, int64_t pid, bool fds)
{
	struct one o = {.pid = pid, .tid = pid};
	struct process p = {.fds = fds};
	char name[32];
	int rc;

	if (pid == run->opt->skip_process)
		return 0;
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	o.dir = host_open_dir(run->proc, name);
	if (o.dir < 0) {
		count_failure(run, -errno);
		return 0;
	}
	rc = read_thread(run, &o);
	if (rc == 1) {
		p.leader = o.t;
		p.leader_ended = o.ended;
		p.table_of = o.ended ? 0 : pid;
		rc = o.ended ? 0 : host_index_thread(run->s, o.t);
		if (!rc && fds && p.table_of)
			rc = read_table(run, o.dir, o.t);
		if (!rc)
			rc = read_other_threads(run, &p, o.dir);
	}
	close(o.dir);
	return rc < 0 ? rc : 0;
}

int host_read_processes(struct host_run *run, bool fds)
{
	int fd = openat(run->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int64_t pid;
	int rc = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	while (rc >= 0 && (entry = readdir(d)) && !host_late(run))
		if (is_number(entry->d_name, &pid))
			rc = host_read_process(run, pid, fds);
	closedir(d);
	return rc;
}

/* --- namespaces --- */

void host_set_namespace_starts(struct host_run *run)
{
	struct rec_state *s = run->s;
	struct map inits = {0};

	for (size_t i = 0; i < s->nthreads; i++) {
		struct host_thread *t = s->threads[i];

		/* The host's first process may hide where it is; there is no doubt about that. */
		if (run->root_proc && t->e.tid == 1)
			t->pidns = HOST_FIRST_PIDNS;
		if (t->pidns && t->e.vtid == 1 && map_put(&inits, t->pidns, t) < 0)
			run->nomem = true;
	}
	for (size_t i = 0; i < s->nthreads; i++) {
		struct host_thread *t = s->threads[i];
		const struct host_thread *init = t->pidns ? map_get(&inits, t->pidns) : NULL;

		if (init)
			t->e.pidns_init_start_ts = init->e.clone_ts;
	}
	map_done(&inits);
}
