/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and descriptors from the kernel's iterators. */
#include "capture/state_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/bpf/iter.h"
#include "capture/internal.h"
#include "capture/wire.h"

/* bpftool's code is not held to our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#pragma GCC diagnostic ignored "-Wconversion"
#include "capture/iterators.skel.h"
#pragma GCC diagnostic pop

#define READ_BYTES     (128 * 1024) /* several times what the kernel hands out at once */
#define EXE_WRITABLE   1u	    /* flags of exec events */
#define EXE_UPPER      2u
#define EXE_FROM_MEMFD 4u
#define EXE_LOWER      8u

struct host_iter {
	struct rec_iterators *skel;
	bool lists; /* with command lines and environments */
	char *buf;  /* READ_BYTES */
};

/* --- loading --- */

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The headers bring programs and maps that only the recorder of events needs. */
static void choose(struct rec_iterators *skel, bool lists)
{
	struct bpf_program *tasks = lists ? skel->progs.tasks_with_lists : skel->progs.tasks;
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, skel->obj)
	{
		bpf_program__set_autoload(prog, prog == tasks || prog == skel->progs.files);
	}
	bpf_object__for_each_map(map, skel->obj)
	{
		bool wanted = map == skel->maps.walks || map == skel->maps.iter_scratches ||
			      map == skel->maps.cgroup_sets;

		bpf_map__set_autocreate(map, wanted || strchr(bpf_map__name(map), '.'));
	}
	bpf_map__set_max_entries(skel->maps.walks, (uint32_t)libbpf_num_possible_cpus());
}

/* @types: a file for the kernel's types that the programs ask for, or -1: all the kernel has. */
static struct rec_iterators *load_with(int types, bool lists, int *error)
{
	struct bpf_object_open_opts opts = {.sz = sizeof(opts)};
	struct rec_iterators *skel;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", types);
	opts.btf_custom_path = types >= 0 ? path : NULL;
	skel = rec_iterators__open_opts(&opts);
	if (!skel) {
		*error = errno;
		return NULL;
	}
	choose(skel, lists);
	*error = types >= 0 ? -types_fill(types, bpf_object__btf(skel->obj)) : 0;
	if (!*error)
		*error = -rec_iterators__load(skel);
	if (*error) {
		rec_iterators__destroy(skel);
		return NULL;
	}
	return skel;
}

static struct rec_iterators *load(bool lists, int *error)
{
	int types = types_file();
	struct rec_iterators *skel = NULL;

	if (types >= 0) {
		skel = load_with(types, lists, error);
		close(types);
	}
	return skel ? skel : load_with(-1, lists, error);
}

struct host_iter *host_iter_open(char *why, size_t cap)
{
	libbpf_print_fn_t print = libbpf_set_print(silent);
	struct host_iter *it = calloc(1, sizeof(*it));
	int error = ENOMEM;

	if (it) {
		it->buf = malloc(READ_BYTES);
		it->lists = true;
		it->skel = load(true, &error);
	}
	if (it && !it->skel) {
		snprintf(why, cap, "the iterator of tasks that reads their memory: %s",
			 strerror(error));
		it->lists = false;
		it->skel = load(false, &error);
	}
	if (!it || !it->skel || !it->buf) {
		snprintf(why, cap, "the iterators of tasks and files: %s", strerror(error));
		host_iter_close(it);
		it = NULL;
	}
	libbpf_set_print(print);
	return it;
}

void host_iter_close(struct host_iter *it)
{
	if (!it)
		return;
	rec_iterators__destroy(it->skel);
	free(it->buf);
	free(it);
}

/* --- running --- */

struct reading {
	struct host_iter *it;
	struct host_run *run;
	struct rec_state *s;
	struct map cgroups; /* address of a set -> struct sv */
	int64_t fds_of;	    /* process whose descriptors are being counted */
	uint32_t nfds;
	int rc;
};

/* Since 6.1 the kernel skips other processes itself; @pid: as this pid namespace has it, or 0. */
static struct bpf_link *attach(struct bpf_program *prog, int64_t pid)
{
	union bpf_iter_link_info info = {.task = {.pid = (uint32_t)pid}};
	struct bpf_iter_attach_opts opts = {
	    .sz = sizeof(opts), .link_info = &info, .link_info_len = sizeof(info)};
	struct bpf_link *link = pid ? bpf_program__attach_iter(prog, &opts) : NULL;

	return link ? link : bpf_program__attach_iter(prog, NULL);
}

static void set_filters(struct host_iter *it, struct host_run *run, int64_t pid)
{
	it->skel->bss->only_pid = (int32_t)pid;
	it->skel->bss->skip_pid = (int32_t)run->opt->skip_process;
	it->skel->bss->want_environment = run->opt->environment;
	it->skel->bss->run++;
	it->skel->bss->text_of = it->skel->bss->table_of = 0;
}

typedef int record_fn(struct reading *rd, const char *record, size_t len);

/* Hand out whole records. Return: how many bytes were used, or ERR_*. */
static ssize_t take_records(struct reading *rd, size_t have, record_fn *take)
{
	const char *buf = rd->it->buf;
	struct iter_head head;
	size_t used = 0;

	while (have - used >= sizeof(head)) {
		memcpy(&head, buf + used, sizeof(head));
		if (head.len < sizeof(head) || head.len % 8)
			return ERR_IO;
		if (head.len > have - used)
			break;
		rd->rc = take(rd, buf + used, head.len);
		if (rd->rc < 0)
			return rd->rc;
		used += head.len;
	}
	return (ssize_t)used;
}

static int read_all(struct reading *rd, int fd, record_fn *take)
{
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, rd->it->buf + have, READ_BYTES - have), used;

		if (n < 0 && (errno == EINTR || errno == EAGAIN) && !host_late(rd->run))
			continue;
		if (n < 0)
			return rd->s->stats.timed_out ? 0 : ERR_IO;
		if (n == 0)
			return have ? ERR_IO : 0;
		have += (size_t)n;
		used = take_records(rd, have, take);
		if (used < 0)
			return (int)used;
		have -= (size_t)used;
		memmove(rd->it->buf, rd->it->buf + used, have);
		if (have == READ_BYTES)
			return ERR_IO;
		if (host_late(rd->run))
			return 0;
	}
}

static int run_iterator(struct reading *rd, struct bpf_program *prog, int64_t pid, record_fn *take)
{
	libbpf_print_fn_t print = libbpf_set_print(silent);
	struct bpf_link *link = attach(prog, check_first_pidns() ? pid : 0);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int rc = fd < 0 ? ERR_IO : read_all(rd, fd, take);

	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	libbpf_set_print(print);
	return rc;
}

/* --- tasks --- */

struct texts { /* of a task's record */
	struct sv exe, cwd, root, cgroups, args, env;
};

static struct sv cut(struct sv *rest, size_t n, bool *bad)
{
	struct sv text = sv_make(rest->p, n);

	*bad |= n > rest->n;
	*rest = sv_drop(*rest, n);
	return text;
}

static bool find_texts(const struct iter_task *r, const char *record, size_t len, struct texts *t)
{
	struct sv rest = sv_make(record + sizeof(*r), len - sizeof(*r));
	bool bad = false;

	t->exe = cut(&rest, r->exe, &bad);
	t->cwd = cut(&rest, r->cwd, &bad);
	t->root = cut(&rest, r->root, &bad);
	t->cgroups = cut(&rest, r->cgroups, &bad);
	t->args = cut(&rest, r->args, &bad);
	t->env = cut(&rest, r->env, &bad);
	return !bad;
}

/* As the kernel shows it in links: what has no name any more is marked. */
static struct sv keep_path(struct reading *rd, struct sv path, bool deleted, bool memfd,
			   struct sv same)
{
	char *text = rd->run->text;
	int n;

	if (!deleted && !memfd)
		return host_keep_or(rd->s, path, same);
	n = snprintf(text, HOST_RUN_TEXT, "%s%.*s (deleted)", memfd ? "/" : "", (int)path.n,
		     path.p);
	return host_keep_or(rd->s, sv_make(text, (size_t)n), same);
}

/*
 * A program may write a title over its arguments, and on into its environment: then they are one
 * string. Return: the arguments, in the buffer of the run.
 */
static struct sv arguments(struct reading *rd, const struct iter_task *r, const struct texts *t)
{
	char *text = rd->run->text;
	size_t n = t->args.n;

	memcpy(text, t->args.p, n);
	if (n && n < ITER_LIST_MAX && text[n - 1]) {
		if (r->flags & ITER_LISTS_ADJOIN) {
			memcpy(text + n, t->env.p, t->env.n);
			n += t->env.n;
		}
		n = strnlen(text, n);
	}
	return host_end_list(text, n);
}

static void set_command_line(struct reading *rd, struct ev_thread_entry *e, struct sv all)
{
	size_t first = all.n ? strlen(all.p) : 0;

	e->exe = host_keep(rd->s, sv_make(all.p, first));
	e->args = host_keep(rd->s, sv_drop(all, first + 1));
}

/* The directory in /proc of a task, where it is sure to be the same one. Return: or -1. */
static int proc_dir(struct reading *rd, const struct iter_task *r)
{
	char name[64];

	if (!rd->run->root_proc)
		return -1;
	snprintf(name, sizeof(name), "%d/task/%d", r->head.pid, r->head.tid);
	return host_open_dir(rd->run->proc, name);
}

static struct sv read_list(struct reading *rd, int dir, const char *name)
{
	char *text = rd->run->text;
	ssize_t n = host_read_file(dir, name, text, HOST_LIST_MAX + 1);

	return host_end_list(text, n > 0 ? (size_t)n : 0);
}

static void set_lists(struct reading *rd, struct ev_thread_entry *e, const struct iter_task *r,
		      const struct texts *t)
{
	char *text = rd->run->text;
	int dir;

	if (r->flags & ITER_HAS_LISTS) {
		set_command_line(rd, e, arguments(rd, r, t));
		memcpy(text, t->env.p, t->env.n);
		e->env = host_keep(rd->s, host_end_list(text, t->env.n));
		return;
	}
	dir = proc_dir(rd, r);
	if (dir < 0) {
		rd->s->stats.incomplete++;
		return;
	}
	set_command_line(rd, e, read_list(rd, dir, "cmdline"));
	if (rd->run->opt->environment)
		e->env = host_keep(rd->s, read_list(rd, dir, "environ"));
	close(dir);
}

static void set_program(struct reading *rd, struct ev_thread_entry *e, const struct iter_task *r,
			const struct texts *t)
{
	bool memfd = r->exe_flags & EXE_FROM_MEMFD;

	e->exepath = keep_path(rd, t->exe, r->flags & ITER_EXE_DELETED, memfd, SV_NONE);
	e->exe_ino = r->exe_ino;
	e->exe_ino_ctime = r->exe_ctime;
	e->exe_ino_mtime = r->exe_mtime;
	e->exe_writable = r->exe_flags & EXE_WRITABLE;
	e->exe_upper_layer = r->exe_flags & EXE_UPPER;
	e->exe_lower_layer = r->exe_flags & EXE_LOWER;
	e->exe_from_memfd = memfd;
	set_lists(rd, e, r, t);
}

static void copy_program(struct ev_thread_entry *to, const struct ev_thread_entry *from)
{
	to->exe = from->exe;
	to->exepath = from->exepath;
	to->args = from->args;
	to->env = from->env;
	to->exe_ino = from->exe_ino;
	to->exe_ino_ctime = from->exe_ino_ctime;
	to->exe_ino_mtime = from->exe_ino_mtime;
	to->exe_writable = from->exe_writable;
	to->exe_upper_layer = from->exe_upper_layer;
	to->exe_lower_layer = from->exe_lower_layer;
	to->exe_from_memfd = from->exe_from_memfd;
}

static void set_place(struct reading *rd, struct ev_thread_entry *e, const struct iter_task *r,
		      const struct texts *t, const struct host_thread *leader)
{
	struct sv cwd = leader ? leader->e.cwd : SV_NONE, root = leader ? leader->e.root : SV_NONE;

	e->cwd = cwd;
	e->root = root;
	if (!(r->flags & ITER_HAS_PLACE))
		return;
	e->cwd = keep_path(rd, t->cwd, r->flags & ITER_CWD_DELETED, false, cwd);
	e->root = keep_path(rd, t->root, r->flags & ITER_ROOT_DELETED, false, root);
}

/*
 * Tasks with the same set have the same cgroups: /proc, which knows all hierarchies, is asked once
 * for each set. Where it cannot be, the kernel object's own path says most.
 */
static struct sv cgroups_of(struct reading *rd, const struct iter_task *r, struct sv fallback)
{
	struct sv *known = map_get(&rd->cgroups, r->cgroup_set), text = SV_NONE;
	int dir;

	if (known)
		return *known;
	dir = rd->run->root_cgroups ? proc_dir(rd, r) : -1;
	if (dir >= 0) {
		text = host_read_cgroups(rd->run, dir);
		close(dir);
	}
	if (text.n == 0)
		text = host_keep(rd->s, fallback);
	known = arena_alloc(&rd->run->scratch, sizeof(*known));
	if (!known) {
		rd->run->nomem = true;
		return text;
	}
	*known = text;
	if (text.n && map_put(&rd->cgroups, r->cgroup_set, known) < 0)
		rd->run->nomem = true;
	return text;
}

static void set_ids(struct ev_thread_entry *e, const struct iter_task *r)
{
	e->tid = r->head.tid;
	e->pid = r->head.pid;
	e->ptid = r->ptid;
	e->sid = r->sid;
	e->pgid = r->pgid;
	e->vpgid = r->vpgid;
	e->vtid = r->vtid;
	e->vpid = r->vpid;
	e->uid = r->uid;
	e->gid = r->gid;
	e->loginuid = r->loginuid;
	e->tty = r->tty;
	e->cap_inheritable = r->cap_inheritable;
	e->cap_permitted = r->cap_permitted;
	e->cap_effective = r->cap_effective;
}

static void set_figures(struct reading *rd, struct ev_thread_entry *e, const struct iter_task *r)
{
	e->fdlimit = r->fdlimit > INT64_MAX ? -1 : (int64_t)r->fdlimit;
	e->vmsize_kb = r->vmsize;
	e->vmrss_kb = r->vmrss;
	e->vmswap_kb = r->vmswap;
	e->pfmajor = r->pfmajor;
	e->pfminor = r->pfminor;
	e->pidns_init_start_ts = rd->run->boot_ns + r->pidns_start;
	e->has_clone_ts = true;
	e->clone_ts = rd->run->boot_ns + r->head.start;
}

/* What a leader that ended left to its threads is told by the first of them. */
static void complete_leader(struct host_thread *leader, const struct host_thread *t)
{
	leader->ended = false;
	leader->files = t->files;
	copy_program(&leader->e, &t->e);
	leader->e.cwd = t->e.cwd;
	leader->e.root = t->e.root;
	leader->e.vmsize_kb = t->e.vmsize_kb;
	leader->e.vmrss_kb = t->e.vmrss_kb;
	leader->e.vmswap_kb = t->e.vmswap_kb;
}

static int take_no_program(struct reading *rd, const struct iter_head *h)
{
	if (h->files)
		rd->s->stats.kernel_threads++;
	else
		rd->s->stats.zombies++;
	return 0;
}

static void set_thread(struct reading *rd, struct host_thread *t, const struct iter_task *r,
		       const struct texts *texts, const struct host_thread *leader)
{
	struct sv comm = sv_make(r->comm, strnlen(r->comm, sizeof(r->comm)));

	t->mark = (struct rec_state_mark){r->head.stamp, r->head.start};
	t->files = r->head.files;
	t->ended = r->flags & ITER_LEADER_ENDED;
	set_ids(&t->e, r);
	set_figures(rd, &t->e, r);
	t->e.comm = host_keep_or(rd->s, comm, leader ? leader->e.comm : SV_NONE);
	if (r->flags & ITER_HAS_PROGRAM)
		set_program(rd, &t->e, r, texts);
	else if (leader)
		copy_program(&t->e, &leader->e);
	set_place(rd, &t->e, r, texts, leader);
	t->e.cgroups = cgroups_of(rd, r, texts->cgroups);
}

static int take_task(struct reading *rd, const char *record, size_t len)
{
	struct host_thread *t, *leader = NULL;
	struct iter_task r = {0};
	struct texts texts;
	int rc;

	memcpy(&r, record, len < sizeof(r) ? len : sizeof(r));
	if (r.head.kind == ITER_NO_PROGRAM)
		return take_no_program(rd, &r.head);
	if (len < sizeof(r) || r.head.kind != ITER_TASK || !find_texts(&r, record, len, &texts))
		return ERR_IO;
	rc = host_add_thread(rd->s, &t);
	if (rc)
		return rc;
	if (r.head.tid != r.head.pid)
		leader = host_thread_of(rd->s, r.head.pid);
	set_thread(rd, t, &r, &texts, leader);
	if (leader && leader->ended)
		complete_leader(leader, t);
	if (r.head.tid != r.head.pid)
		t->e.flags = CL_THREAD | (!leader || leader->files == t->files ? CL_FILES : 0);
	return host_index_thread(rd->s, t);
}

int host_iter_threads(struct host_iter *it, struct host_run *run, int64_t pid)
{
	struct reading rd = {.it = it, .run = run, .s = run->s};
	int rc;

	set_filters(it, run, pid);
	rc = run_iterator(&rd, it->lists ? it->skel->progs.tasks_with_lists : it->skel->progs.tasks,
			  pid, take_task);
	run->s->stats.text_from_iterator = it->lists && !rc;
	map_done(&rd.cgroups);
	return rc;
}

/* --- descriptors --- */

static bool over_limit(struct reading *rd, int64_t pid)
{
	uint32_t max = rd->run->opt->max_fds;

	if (rd->fds_of != pid) {
		rd->fds_of = pid;
		rd->nfds = 0;
	}
	if (!max || rd->nfds++ < max)
		return false;
	rd->s->stats.fds_limit++;
	return true;
}

/* A table belongs to the leader, if it is the same one; else to the thread. */
static int add_fd(struct reading *rd, const struct iter_head *h, int32_t fd, struct host_fd **out)
{
	const struct host_thread *leader = NULL;
	int rc;

	if (over_limit(rd, h->pid))
		return HOST_SKIPPED;
	rc = host_add_fd(rd->s, out);
	if (rc)
		return rc;
	if (h->tid != h->pid)
		leader = host_thread_of(rd->s, h->pid);
	if (leader && leader->files != h->files)
		leader = NULL;
	(*out)->mark.stamp_ns = h->stamp;
	(*out)->mark.start_ns = leader ? leader->mark.start_ns : h->start;
	(*out)->e.tid = leader ? h->pid : h->tid;
	(*out)->e.fd = fd;
	return 0;
}

static void set_file(struct reading *rd, struct ev_fd_entry *e, const struct iter_file *r,
		     struct sv name)
{
	char pipe[64];

	if (r->pipe) {
		snprintf(pipe, sizeof(pipe), "pipe:[%llu]", (unsigned long long)r->ino);
		name = sv_of(pipe);
	}
	e->ino = r->ino;
	e->type = host_fd_type(name, r->mode, r->nlink);
	switch (e->type) {
	case EV_FD_FILE_V2:
		e->openflags = host_open_flags(r->flags);
		e->dev = r->dev;
		e->name = host_keep(rd->s, name);
		break;
	case EV_FD_DIRECTORY:
	case EV_FD_FIFO:
	case EV_FD_MEMFD:
	case EV_FD_UNSUPPORTED:
		e->name = host_keep(rd->s, name);
		break;
	default: /* the type says it all */
		break;
	}
}

static uint8_t protocol_of(const struct iter_socket *r)
{
	if (r->family != AF_INET && r->family != AF_INET6)
		return EV_L4_NA;
	if (r->type == SOCK_RAW)
		return EV_L4_RAW;
	switch (r->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return EV_L4_TCP;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return EV_L4_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return EV_L4_ICMP;
	default:
		return EV_L4_UNKNOWN;
	}
}

/* As the table of /proc shows it: all of an abstract name, each NUL as '@'. */
static struct sv socket_name(struct reading *rd, struct sv address)
{
	char *text = rd->run->text;
	size_t n = address.n;

	if (n == 0)
		return SV_NONE;
	memcpy(text, address.p, n);
	if (text[0])
		n = strnlen(text, n);
	else
		for (size_t i = 0; i < n; i++)
			text[i] = text[i] ? text[i] : '@';
	return host_keep(rd->s, sv_make(text, n));
}

static int take_socket(struct reading *rd, const char *record, size_t len)
{
	struct iter_socket r;
	struct host_socket so = {0};
	struct host_fd *fd;
	int rc;

	if (len < sizeof(r))
		return ERR_IO;
	memcpy(&r, record, sizeof(r));
	if (r.name > len - sizeof(r))
		return ERR_IO;
	if (!rd->run->opt->sockets)
		return 0;
	rc = add_fd(rd, &r.head, r.fd, &fd);
	if (rc)
		return rc;
	so.ino = fd->e.ino = r.ino;
	so.family = r.family;
	so.l4proto = protocol_of(&r);
	so.listening = r.state == 10;
	so.lport = r.lport;
	so.rport = r.rport;
	so.self = r.self;
	so.peer = r.peer;
	memcpy(so.local, r.local, sizeof(so.local));
	memcpy(so.remote, r.remote, sizeof(so.remote));
	if (r.family == AF_UNIX)
		so.name = socket_name(rd, sv_make(record + sizeof(r), r.name));
	host_socket_entry(rd->s, &fd->e, &so);
	return 0;
}

static int take_fd(struct reading *rd, const char *record, size_t len)
{
	struct iter_file r;
	struct host_fd *fd;
	int rc;

	if (len < sizeof(r))
		return ERR_IO;
	memcpy(&r, record, sizeof(r));
	if (r.head.kind == ITER_SOCKET)
		return take_socket(rd, record, len);
	if (r.head.kind != ITER_FILE || r.name > len - sizeof(r))
		return ERR_IO;
	rc = add_fd(rd, &r.head, r.fd, &fd);
	if (!rc)
		set_file(rd, &fd->e, &r, sv_make(record + sizeof(r), r.name));
	return rc;
}

int host_iter_fds(struct host_iter *it, struct host_run *run, int64_t pid)
{
	struct reading rd = {.it = it, .run = run, .s = run->s};

	set_filters(it, run, pid);
	return run_iterator(&rd, it->skel->progs.files, pid, take_fd);
}
