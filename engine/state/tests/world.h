/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small observed machine for tests: a state, fed by hand with initial threads and events. Times
 * are in milliseconds; every event comes 10 ms after the one before unless world_at() says
 * otherwise.
 */
#ifndef ENGINE_STATE_TESTS_WORLD_H
#define ENGINE_STATE_TESTS_WORLD_H

#include "engine/state/state.h"

#define WORLD_EPOCH 1700000000000000000u /* what time 0 is, in nanoseconds */

#define THREAD_FLAGS (STATE_CL_THREAD | STATE_CL_FILES) /* of a clone that makes a thread */

enum { UNIX = 1, INET = 2, INET6 = 10, NETLINK = 16 }; /* families */
enum { STREAM = 1, DGRAM = 2, RAW_SOCKET = 3 };	       /* types of sockets */

struct world {
	struct state *st;
	struct state *passed; /* the same, but that nobody looks at its events; or NULL */
	struct ev_synth *synth;
	struct ev_source *source;
	struct state_binding bind; /* of the last event */
	uint64_t now;		   /* of the next event, ms */
	int rc;			   /* what state_feed() returned for it */
};

void world_init(struct world *w, const struct state_options *opt);
void world_done(struct world *w); /* also checks the invariants */
void world_check(const struct world *w);
/* The test is going to change records itself: no more beside a state that nobody looks at. */
void world_alone(struct world *w);
void world_at(struct world *w, uint64_t ms);
uint64_t world_ns(uint64_t ms);
void world_item(struct world *w, const struct ev_item *item);

/* --- the initial state --- */

/* A thread with the defaults of the scenarios: comm and exe "init", cwd "/root/", vtid and vpid
 * alike. */
struct ev_thread_entry world_entry(int64_t tid, int64_t pid, int64_t ptid);
void world_add(struct world *w, const struct ev_thread_entry *t);
void world_process(struct world *w, int64_t tid, int64_t ptid);
void world_fd(struct world *w, const struct ev_fd_entry *fd);
void world_file(struct world *w, int64_t tid, int64_t num, const char *name);
/* Process 1 with fd 0 open on /dev/null. */
void world_init_base(struct world *w);
/* ... and process 20, which 1 has just cloned at 100 ms; it has not reported itself yet. */
void world_with_20(struct world *w);
/* ... and thread 21 of process 20. */
void world_with_21(struct world *w);
/* Processes 1 -> 20 -> 30 -> 31, each the child of the one before. */
void world_with_chain(struct world *w);
/* Process 1, where commands of that name are suppressed. */
void world_suppressing(struct world *w, const char *comm);

/* --- events --- */

struct arg {
	enum { ARG_EMPTY, ARG_INT, ARG_STR, ARG_BYTES } kind;
	int64_t i;
	const void *p;
	size_t n;
};

#define I(value)                                                                                   \
	{                                                                                          \
		.kind = ARG_INT, .i = (int64_t)(value)                                             \
	}
#define S(text)                                                                                    \
	{                                                                                          \
		.kind = ARG_STR, .p = (text)                                                       \
	}
#define BYTES(data, size)                                                                          \
	{                                                                                          \
		.kind = ARG_BYTES, .p = (data), .n = (size)                                        \
	}
#define NONE                                                                                       \
	{                                                                                          \
		.kind = ARG_EMPTY                                                                  \
	}

/* Missing trailing parameters are empty. */
void world_synth(struct ev_synth *s, uint64_t ts, int64_t tid, unsigned type,
		 const struct arg *args, size_t n);
void world_event(struct world *w, int64_t tid, unsigned type, const struct arg *args, size_t n);
#define EVENT(w, tid, type, ...)                                                                   \
	world_event((w), (tid), (type), (const struct arg[]){__VA_ARGS__},                         \
		    sizeof((const struct arg[]){__VA_ARGS__}) / sizeof(struct arg))
/* An event that changes nothing, of a thread nobody cares about. */
void world_tick(struct world *w);

/* Blocks of strings, for CLONE and EXEC; the last of them ends with the literal. */
#define ARGS(literal)	 .args = (literal), .args_len = sizeof(literal)
#define CGROUPS(literal) .cgroups = (literal), .cgroups_len = sizeof(literal)

struct clone_args {
	unsigned type; /* 0: CLONE_20_X */
	int64_t ret;
	uint32_t flags;
	int64_t pid,
	    ptid; /* 0: those of the emitter's record, or as a process of its own under 1 */
	int64_t vtid, vpid;	/* 0: tid and pid */
	const char *comm, *exe; /* NULL: "bash" */
	const char *args, *cgroups;
	size_t args_len, cgroups_len;
	uint32_t uid;
	uint64_t pidns_start; /* 0: not recorded */
	bool no_vpid;	      /* vtid and vpid not recorded */
};

void world_clone(struct world *w, int64_t tid, const struct clone_args *c);
#define CLONE(w, tid, ...) world_clone((w), (tid), &(const struct clone_args){__VA_ARGS__})

struct exec_args {
	unsigned type; /* 0: EXECVE_19_X */
	int64_t ret;
	int64_t pid;
	const char *comm, *exe, *trusted; /* trusted: NULL: not recorded */
	const char *args, *cgroups, *env;
	size_t args_len, cgroups_len, env_len;
	int64_t vpgid, pgid; /* 0: not recorded */
	uint64_t ino, ctime, mtime;
};

void world_exec(struct world *w, int64_t tid, const struct exec_args *x);
#define EXEC(w, tid, ...) world_exec((w), (tid), &(const struct exec_args){__VA_ARGS__})

void world_exit(struct world *w, int64_t tid);
void world_exit_reaper(struct world *w, int64_t tid, int64_t reaper);

/* A file of inode 77 on device 254:0. */
void world_open(struct world *w, int64_t tid, int64_t num, const char *name, uint32_t flags);
void world_openat(struct world *w, int64_t tid, int64_t num, int64_t dirfd, const char *name);

/* --- looking --- */

#define T(w, tid)      state_thread_find((w)->st, (tid))
#define F(w, tid, num) state_fd_find(T((w), (tid)), (num))

#define assert_sv(view, text)  world_assert_sv((view), (text), __FILE__, __LINE__)
#define assert_text(str, text) world_assert_sv(state_sv(str), (text), __FILE__, __LINE__)
void world_assert_sv(struct sv is, const char *expected, const char *file, int line);

/* Socket parameters. */
struct bytes {
	uint8_t p[160];
	size_t n;
};

struct bytes tuple4(const char *sip, uint16_t sport, const char *dip, uint16_t dport);
struct bytes tuple6(const char *sip, uint16_t sport, const char *dip, uint16_t dport);
struct bytes tuple_unix(uint64_t source, uint64_t dest, const char *path);
struct bytes addr4(const char *ip, uint16_t port);
struct bytes addr6(const char *ip, uint16_t port);
struct bytes addr_unix(const char *path);
#define RAW(b) BYTES((b).p, (b).n)

/* What process 1 does with its sockets. */
void world_socket(struct world *w, int64_t num, unsigned domain, unsigned type, unsigned proto);
void world_bind(struct world *w, int64_t num, struct bytes addr);
void world_connect(struct world *w, int64_t ret, int64_t num, struct bytes tuple);
void world_send(struct world *w, int64_t num, struct bytes tuple);
void world_recv(struct world *w, int64_t num, struct bytes tuple);

#endif
