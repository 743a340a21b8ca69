/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures that tell what people do at a machine, written event by event with the capture builder.
 * Times are in milliseconds; each event comes 10 ms after the one before.
 */
#ifndef ENGINE_ACTIVITY_TESTS_STORY_H
#define ENGINE_ACTIVITY_TESTS_STORY_H

#include "engine/activity/net.h"
#include "engine/activity/procs.h"
#include "engine/activity/sessions.h"
#include "scapfile/scapfile.h"
#include "scapfile/tests/capture_builder.h"

#define STORY_EPOCH 1700000000000000000u /* what time 0 is, in nanoseconds */
#define PTS(n)	    (34816u + (n))	 /* device number of /dev/pts/n */
#define WEB	    "cpu=/docker/3e5f9c0d1a2b4c6d8e7f0a1b2c3d4e5f60718293a4b5c6d7e8f9012345678901\0"
#define WEB_ID	    "3e5f9c0d1a2b"
#define AMY	    1004

struct story {
	struct capture c;
	uint64_t now; /* of the next event, ms */
};

void story_begin(struct story *s); /* machine "box", users root, amy (1004), www (33) */
void story_done(struct story *s);

/* --- the initial list: before the first event --- */

struct listed {
	int64_t tid, ptid, sid, pgid;
	const char *comm, *exe, *cgroups;
	size_t cgroups_len;
	uint32_t uid, loginuid, tty; /* loginuid 0: not set */
};

void story_list(struct story *s, const struct listed *all, size_t n);
#define LIST(s, ...)                                                                               \
	story_list((s), (const struct listed[]){__VA_ARGS__},                                      \
		   sizeof((const struct listed[]){__VA_ARGS__}) / sizeof(struct listed))
/* An IPv4 TCP socket of @tid; a listener if @rip is NULL. */
void story_list_socket(struct story *s, int64_t tid, int64_t fd, uint64_t ino, const char *lip,
		       uint16_t lport, const char *rip, uint16_t rport);

/* --- events --- */

struct param {
	enum { P_EMPTY, P_INT, P_STR, P_BYTES } kind;
	int64_t i;
	const void *p;
	size_t n;
};

/* Missing trailing parameters are empty. */
void story_event(struct story *s, int64_t tid, unsigned type, const struct param *params, size_t n);
#define EVENT(s, tid, type, ...)                                                                   \
	story_event((s), (tid), (type), (const struct param[]){__VA_ARGS__},                       \
		    sizeof((const struct param[]){__VA_ARGS__}) / sizeof(struct param))
#define I(v)                                                                                       \
	{                                                                                          \
		.kind = P_INT, .i = (int64_t)(v)                                                   \
	}
#define S(text)                                                                                    \
	{                                                                                          \
		.kind = P_STR, .p = (text)                                                         \
	}
#define B(bytes)                                                                                   \
	{                                                                                          \
		.kind = P_BYTES, .p = (bytes).p, .n = (bytes).n                                    \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		.kind = P_EMPTY                                                                    \
	}

struct image { /* who forks, or what is run */
	int64_t pid, ptid;
	int64_t vpid; /* 0: @pid */
	const char *comm, *exe;
	const char *args; /* NUL-terminated strings back to back */
	size_t args_len;
	const char *cgroups, *env;
	size_t cgroups_len, env_len;
	uint32_t uid, loginuid; /* loginuid 0: not set */
	uint32_t tty;
	int64_t pgid; /* 0: not recorded */
};

/* clone, as the child sees it: @child says what both are until the child runs something. */
void story_fork(struct story *s, int64_t parent, const struct image *child);
void story_exec(struct story *s, const struct image *to);
/* Fork and exec in one: a command in a process group of its own, or in that of @to->pgid. */
void story_run(struct story *s, int64_t parent, const struct image *to);
#define RUN(s, parent, ...)  story_run((s), (parent), &(const struct image){__VA_ARGS__})
#define FORK(s, parent, ...) story_fork((s), (parent), &(const struct image){__VA_ARGS__})
#define EXEC(s, ...)	     story_exec((s), &(const struct image){__VA_ARGS__})
#define ARGS(text)	     .args = (text), .args_len = sizeof(text)
void story_setsid(struct story *s, int64_t tid, int64_t sid);
void story_exit(struct story *s, int64_t tid, int status); /* as of wait(2) */
/* An event that changes nothing, so that pending removals happen. */
void story_tick(struct story *s);

/* Socket parameters. */
struct bytes {
	uint8_t p[160];
	size_t n;
};
struct bytes tuple4(const char *sip, uint16_t sport, const char *dip, uint16_t dport);
struct bytes addr4(const char *ip, uint16_t port);
struct bytes tuple_unix(uint64_t source, uint64_t dest, const char *path);

/* --- what comes of it --- */

struct outcome { /* the trackers after the whole capture */
	struct sf_reader *reader;
	struct state *st;
	struct act_net *net;
	struct act_procs *procs;
	struct act_sessions *sessions;
};

/* Read the story back and follow it; ends the test on any error. */
struct outcome story_follow(struct story *s, const struct act_net_options *net,
			    const struct act_sessions_options *sessions);
void outcome_done(struct outcome *o);

#endif
