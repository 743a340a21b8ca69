/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the first state: where entries are kept, and those who fill them in. */
#ifndef CAPTURE_STATE_INTERNAL_H
#define CAPTURE_STATE_INTERNAL_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "capture/state.h"
#include "capture/state_text.h"

#define HOST_PATH_MAX	    4096
#define HOST_LIST_MAX	    4096	/* args, environment, cgroups: the format's limit */
#define HOST_USERS_MAX	    65536	/* users, and groups */
#define HOST_TABLES_MAX	    16384	/* network namespaces */
#define HOST_MOUNTS_MAX	    1000000	/* of all mount namespaces */
#define HOST_FIRST_PIDNS    0xeffffffcu /* inode number of the first pid namespace, since 3.8 */
#define HOST_FIRST_CGROUPNS 0xeffffffbu
#define NS_PER_S	    1000000000ull
#define CL_FILES	    0x1u    /* PPM_CL_CLONE_FILES */
#define CL_THREAD	    0x2000u /* PPM_CL_CLONE_THREAD */

/* --- the state (state_store.c) --- */

struct host_thread {
	struct ev_thread_entry e;
	struct rec_state_mark mark;
	uint64_t pidns; /* inode number of its pid namespace; 0: not known */
	uint64_t files; /* address of its descriptor table; 0: not known */
	bool ended;	/* a leader whose threads go on: they have what it had */
};

/* What is known of a socket, from the kernel object or from the tables of /proc. */
struct host_socket {
	uint64_t ino;
	uint16_t family; /* AF_*; 0: not known */
	uint8_t l4proto; /* enum ev_l4proto */
	bool listening;
	uint8_t local[16], remote[16];
	uint16_t lport, rport;
	uint64_t self, peer; /* unix: addresses of the kernel's objects */
	struct sv name;	     /* unix: bound to; abstract names begin with '@' */
};

struct host_fd {
	struct ev_fd_entry e;
	struct rec_state_mark mark; /* start_ns: of the thread */
	struct host_socket *socket; /* to be filled in when the tables are read */
};

struct rec_state {
	struct arena arena; /* entries and their text */
	uint64_t max_bytes;
	struct ev_machine machine;
	struct ev_interface *interfaces;
	struct ev_user *users, *groups;
	struct host_thread **threads;
	struct host_fd *fds;
	size_t ninterfaces, nusers, ngroups, nthreads, nfds;
	size_t cap_interfaces, cap_users, cap_groups, cap_threads, cap_fds;
	struct map by_tid;
	struct rec_state_stats stats;
	bool nomem;	/* text was lost */
	unsigned stage; /* of the iteration */
	size_t at;
};

#define HOST_SKIPPED 1 /* no room for this entry; go on */

struct rec_state *host_new(uint64_t max_bytes);
/* Each returns 0, HOST_SKIPPED, or ERR_NOMEM. A second thread of the same id replaces the first.
 */
MUST_CHECK int host_add_thread(struct rec_state *s, struct host_thread **out);
MUST_CHECK int host_index_thread(struct rec_state *s, struct host_thread *t);
MUST_CHECK int host_add_fd(struct rec_state *s, struct host_fd **out);
MUST_CHECK int host_add_interface(struct rec_state *s, const struct ev_interface *i);
MUST_CHECK int host_add_user(struct rec_state *s, const struct ev_user *u, bool group);
/* A copy of @text; empty when there is no room, which is counted. */
struct sv host_keep(struct rec_state *s, struct sv text);
/* The same, or @same itself if it is equal. */
struct sv host_keep_or(struct rec_state *s, struct sv text, struct sv same);
struct host_thread *host_thread_of(const struct rec_state *s, int64_t tid);
/* NUL-terminated strings in @text, of which @n bytes were read and one more can be written: the
 * last one is ended, everything is within the format's limit. */
struct sv host_end_list(char *text, size_t n);
/* Order everything, and drop descriptors of threads that are not listed. */
void host_finish(struct rec_state *s);

/* --- one run --- */

struct host_mounts {	   /* state_mounts.c */
	struct map by_id;  /* struct host_mount of the scratch arena */
	struct map loaded; /* namespaces and roots whose list was read */
};
struct host_mount {
	uint32_t dev; /* as the format has it */
	bool read_only;
};

struct host_cgroups {	     /* state_cgroups.c */
	struct smap by_text; /* contents of a cgroup file -> struct sv of the state */
	struct smap levels;  /* directory of the unified hierarchy -> its controllers */
	char *unified;	     /* where it is mounted, with the host's root; NULL: not */
	bool looked;
};

struct host_sockets {	   /* state_sockets.c */
	struct map by_ino; /* wanted: struct host_socket of the scratch arena */
	struct map spaces; /* network namespace -> struct host_netns */
	struct map tables; /* inode numbers of those that were read */
};

struct host_run {
	const struct rec_state_options *opt;
	struct rec_state *s;
	struct arena scratch; /* until the end of the run */
	int root, proc;	      /* directories */
	bool real_proc;	      /* of this kernel, with ids of this pid namespace */
	bool root_proc;	      /* of this kernel, with its own ids */
	bool root_cgroups;    /* paths of cgroups in it are whole */
	uint64_t boot_ns, tick_ns, deadline;
	struct host_mounts mounts;
	struct host_cgroups cgroups;
	struct host_sockets sockets;
	struct host_lines *lines;
	char *text; /* HOST_RUN_TEXT */
	bool nomem;
};
#define HOST_RUN_TEXT 65536

/* Has the time for this run passed? */
bool host_late(struct host_run *run);

/* state_host.c */
MUST_CHECK int host_read_host(struct host_run *run);

/* state_proc.c: threads, with the descriptors of every table if @fds */
MUST_CHECK int host_read_processes(struct host_run *run, bool fds);
MUST_CHECK int host_read_process(struct host_run *run, int64_t pid, bool fds);
/* When each pid namespace's first process started, for all threads. */
void host_set_namespace_starts(struct host_run *run);

/* state_access.c: may a process write to its executable? */
struct host_access {
	uint32_t fsuid, fsgid;
	struct sv groups; /* supplementary, as text */
	uint64_t cap_effective;
};
bool host_may_write(struct host_run *run, int dir, const struct statx *file,
		    const struct host_access *who);

/* state_fds.c: the table of the thread at @dir */
MUST_CHECK int host_read_fds(struct host_run *run, int dir, const struct host_thread *t);
/* PPM_O_* of the kernel's flags of an open file. */
uint32_t host_open_flags(uint32_t kernel_flags);
/* The entry's type by what the kernel calls it and, if not 0, its mode. UNIX_SOCK stands for any
 * socket: which one, others know. */
int host_fd_type(struct sv link, uint32_t mode, uint32_t nlink);

/* state_mounts.c; @dir: a process that sees it. Return: false if it is not found. */
bool host_mount_of(struct host_run *run, int dir, uint64_t id, struct host_mount *out);
void host_mounts_done(struct host_mounts *m);
/* The format's device number. */
uint32_t host_dev(uint64_t major, uint64_t minor);

/* state_cgroups.c: of the thread at @dir */
struct sv host_read_cgroups(struct host_run *run, int dir);
void host_cgroups_done(struct host_cgroups *c);

/* state_sockets.c */
/* The socket of inode @ino, to be found in the tables later; NULL: no memory. */
struct host_socket *host_socket_wanted(struct host_run *run, uint64_t ino);
/* There is a network namespace, which the process at /proc/@pid is in. */
void host_sockets_seen(struct host_run *run, uint64_t netns, int64_t pid, int64_t tid);
/* Read the tables and fill in all descriptors. */
void host_sockets_resolve(struct host_run *run);
void host_sockets_done(struct host_sockets *s);
/* Type, addresses and name of an entry from what is known of its socket. */
void host_socket_entry(struct rec_state *s, struct ev_fd_entry *e, const struct host_socket *so);

/* state_iter.c */
struct host_iter; /* the loaded programs */
/* Return: NULL if they do not work. @why: the reason; also why they give less than they could. */
struct host_iter *host_iter_open(char *why, size_t cap);
/* Return: 0, ERR_NOMEM, or ERR_IO: the caller takes /proc instead. */
MUST_CHECK int host_iter_threads(struct host_iter *it, struct host_run *run, int64_t pid);
MUST_CHECK int host_iter_fds(struct host_iter *it, struct host_run *run, int64_t pid);
void host_iter_close(struct host_iter *it);

#endif
