/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "capture/internal.h"
#include "capture/state_internal.h"

#define MAX_BYTES_DEFAULT (1ull << 30)
#define TIMEOUT_DEFAULT	  60000

struct rec_state_reader {
	struct rec_state_options opt;
	struct host_iter *iter; /* NULL: /proc only */
	int root, proc;
	bool real_proc, root_proc, root_cgroups;
	bool first_pidns; /* this process is there */
	char why_not[128];
};

void rec_state_options_init(struct rec_state_options *opt)
{
	const char *root = getenv("HOST_ROOT");

	*opt = (struct rec_state_options){
	    .host_root = root ? root : "",
	    .hostname = getenv("SCAP_HOSTNAME"),
	    .environment = true,
	    .users = true,
	    .sockets = true,
	    .timeout_ms = TIMEOUT_DEFAULT,
	    .max_bytes = MAX_BYTES_DEFAULT,
	};
}

/*
 * Realtime minus boot clock. The two readings are a moment apart; the pair that was quickest is the
 * most exact one.
 */
static uint64_t measure_boot(void)
{
	uint64_t best = UINT64_MAX, boot = 0;

	for (int i = 0; i < 5; i++) {
		uint64_t a = clock_ns(CLOCK_BOOTTIME), real = clock_ns(CLOCK_REALTIME);
		uint64_t b = clock_ns(CLOCK_BOOTTIME);

		if (b - a < best) {
			best = b - a;
			boot = real - (a + (b - a) / 2);
		}
	}
	return boot;
}

static bool is_procfs(int proc)
{
	struct statfs fs;

	return fstatfs(proc, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Does /proc show this kernel's processes, and this one as @id? */
static bool is_real_proc(int proc, long id)
{
	char self[32], own[32];

	if (!is_procfs(proc))
		return false;
	if (host_read_link(proc, "self", self, sizeof(self)) < 0)
		return false;
	snprintf(own, sizeof(own), "%ld", id);
	return strcmp(self, own) == 0;
}

/* A container may have been given that of the host. Its first process may hide where it is. */
static bool is_root_proc(const struct rec_state_reader *r)
{
	uint64_t space;

	if (r->first_pidns)
		return r->real_proc;
	space = host_link_number(r->proc, "1/ns/pid");
	return is_real_proc(r->proc, check_own_tgid()) && (!space || space == HOST_FIRST_PIDNS);
}

static int open_dirs(struct rec_state_reader *r, struct error *err)
{
	const char *root = r->opt.host_root && *r->opt.host_root ? r->opt.host_root : "/";

	r->root = host_open_dir(AT_FDCWD, root);
	if (r->root < 0)
		return error_sys(err, errno, "cannot open '%s', the root of the host", root);
	r->proc = openat(r->root, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->proc < 0)
		return error_sys(err, errno, "cannot open the directory 'proc' of '%s'", root);
	r->first_pidns = check_first_pidns();
	r->real_proc = is_real_proc(r->proc, getpid());
	r->root_proc = is_root_proc(r);
	r->root_cgroups =
	    r->root_proc && host_link_number(r->proc, "self/ns/cgroup") == HOST_FIRST_CGROUPNS;
	return 0;
}

/*
 * Inside a pid namespace the kernel lists the processes that are in it; all of them, and under the
 * ids they have in events, are only in the host's /proc. Another /proc has neither.
 */
static void choose_source(struct rec_state_reader *r)
{
	if (r->opt.iterators != REC_ITERATORS_AUTO || r->first_pidns)
		return;
	if (r->root_proc) {
		r->opt.iterators = REC_ITERATORS_NEVER;
		snprintf(r->why_not, sizeof(r->why_not),
			 "they have the processes of this pid namespace only");
	} else if (is_procfs(r->proc)) {
		r->opt.iterators = REC_ITERATORS_ONLY;
	}
}

static int open_iterators(struct rec_state_reader *r, struct error *err)
{
	choose_source(r);
	if (r->opt.iterators == REC_ITERATORS_NEVER)
		return 0;
	r->iter = host_iter_open(r->why_not, sizeof(r->why_not));
	if (r->opt.iterators != REC_ITERATORS_ONLY)
		return 0;
	if (!r->iter)
		return error_set(err, ERR_UNSUPPORTED,
				 "this kernel's iterators of tasks and files cannot be used: %s",
				 r->why_not);
	return 0;
}

int rec_state_open(const struct rec_state_options *opt, struct rec_state_reader **out,
		   struct error *err)
{
	struct rec_state_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	r->root = r->proc = -1;
	rec_state_options_init(&r->opt);
	if (opt)
		r->opt = *opt;
	if (!r->opt.boot_ns)
		r->opt.boot_ns = measure_boot();
	rc = open_dirs(r, err);
	if (!rc)
		rc = open_iterators(r, err);
	if (!rc) {
		*out = r;
		r = NULL;
	}
	rec_state_close(r);
	return rc;
}

void rec_state_close(struct rec_state_reader *r)
{
	if (!r)
		return;
	host_iter_close(r->iter);
	if (r->root >= 0)
		close(r->root);
	if (r->proc >= 0)
		close(r->proc);
	free(r);
}

/* --- one state --- */

bool host_late(struct host_run *run)
{
	if (run->deadline && clock_ns(CLOCK_BOOTTIME) > run->deadline)
		run->s->stats.timed_out = true;
	return run->s->stats.timed_out;
}

static int run_init(struct host_run *run, struct rec_state_reader *r)
{
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t now = clock_ns(CLOCK_BOOTTIME);

	*run = (struct host_run){
	    .opt = &r->opt,
	    .s = host_new(r->opt.max_bytes),
	    .root = r->root,
	    .proc = r->proc,
	    .real_proc = r->real_proc,
	    .root_proc = r->root_proc,
	    .root_cgroups = r->root_cgroups,
	    .boot_ns = r->opt.boot_ns,
	    .tick_ns = NS_PER_S / (hz > 0 ? (uint64_t)hz : 100),
	    .deadline = r->opt.timeout_ms ? now + r->opt.timeout_ms * 1000000ull : 0,
	    .lines = malloc(sizeof(*run->lines)),
	    .text = malloc(HOST_RUN_TEXT),
	};
	if (!run->s || !run->lines || !run->text)
		return ERR_NOMEM;
	run->lines->fd = -1;
	run->s->stats.begin_ns = now;
	snprintf(run->s->stats.why_not, sizeof(run->s->stats.why_not), "%s", r->why_not);
	return 0;
}

static void run_done(struct host_run *run)
{
	host_mounts_done(&run->mounts);
	host_cgroups_done(&run->cgroups);
	host_sockets_done(&run->sockets);
	arena_done(&run->scratch);
	free(run->lines);
	free(run->text);
	rec_state_free(run->s);
}

/* A process, or with 0 all of them. */
static int read_proc(struct host_run *run, int64_t pid, bool fds)
{
	return pid ? host_read_process(run, pid, fds) : host_read_processes(run, fds);
}

/* There are kernels that do not show their first process to iterators. */
static int read_hidden(struct host_run *run)
{
	int rc;

	if (!run->root_proc || host_thread_of(run->s, 1) || run->opt->skip_process == 1)
		return 0;
	rc = host_read_process(run, 1, true);
	if (!rc)
		host_sockets_resolve(run);
	return rc;
}

/*
 * Threads and descriptors by iterators, or from /proc what they do not give. Descriptors need the
 * threads of the same source: only both of them name a start to the nanosecond.
 */
static int read_threads(struct host_run *run, struct rec_state_reader *r, int64_t pid)
{
	struct rec_state_stats *st = &run->s->stats;
	uint64_t begin = clock_ns(CLOCK_BOOTTIME);
	bool only = r->opt.iterators == REC_ITERATORS_ONLY;
	int rc = ERR_IO;

	if (r->iter) {
		rc = host_iter_threads(r->iter, run, pid);
		st->threads_ns = clock_ns(CLOCK_BOOTTIME) - begin;
		if (!rc)
			rc = host_iter_fds(r->iter, run, pid);
		if (!rc && !only && !pid)
			rc = read_hidden(run);
		st->fds_ns = clock_ns(CLOCK_BOOTTIME) - begin - st->threads_ns;
		st->threads_from_iterator = st->fds_from_iterator = rc == 0;
	}
	if (rc == ERR_IO && !only) {
		run->s->nthreads = run->s->nfds = 0;
		map_clear(&run->s->by_tid);
		rc = read_proc(run, pid, true);
		st->threads_ns = clock_ns(CLOCK_BOOTTIME) - begin;
		if (!rc)
			host_sockets_resolve(run);
		st->fds_ns = clock_ns(CLOCK_BOOTTIME) - begin - st->threads_ns;
	}
	if (!rc)
		host_set_namespace_starts(run);
	return rc;
}

static int take(struct rec_state_reader *r, int64_t pid, struct rec_state **out, struct error *err)
{
	struct host_run run;
	int rc = run_init(&run, r);

	if (!rc)
		rc = read_threads(&run, r, pid);
	if (!rc && !pid)
		rc = host_read_host(&run);
	if (!rc && (run.nomem || run.s->nomem))
		rc = ERR_NOMEM;
	if (!rc) {
		host_finish(run.s);
		run.s->stats.end_ns = clock_ns(CLOCK_BOOTTIME);
		*out = run.s;
		run.s = NULL;
	} else if (rc == ERR_NOMEM) {
		error_nomem(err);
	} else if (rc == ERR_IO) {
		error_set(err, rc, "cannot read the processes of this host");
	}
	run_done(&run);
	return rc;
}

int rec_state_take(struct rec_state_reader *r, struct rec_state **out, struct error *err)
{
	return take(r, 0, out, err);
}

int rec_state_take_process(struct rec_state_reader *r, int64_t pid, struct rec_state **out,
			   struct error *err)
{
	return take(r, pid, out, err);
}
