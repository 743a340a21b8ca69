/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the case is told of a capture besides processes and alerts: files, changes of names, names
 * looked up, mounts and modules as they come; connections, sessions, users and containers where a
 * section or the capture ends. Counts are gathered in tables of bounded size and passed on when one
 * is full: the case adds up what belongs together, so the result does not depend on when.
 * Threads: as the state. For files of replay/ only.
 */
#ifndef REPLAY_GATHER_H
#define REPLAY_GATHER_H

#include "base/arena.h"
#include "engine/activity/net.h"
#include "engine/activity/sessions.h"
#include "replay/internal.h"

#define RUN_FILES_MAX	 8192	    /* files of processes gathered at a time, */
#define RUN_FILES_BYTES	 (2u << 20) /* and bytes of their paths */
#define RUN_FILES_NEAR	 4096	    /* that are found without looking at their path's hash */
#define RUN_FILES_OWNERS 1024	    /* chains of files, by process */
#define RUN_NAMES_MAX	 4096	    /* names looked up, likewise */

/* --- gather_files.c */

struct run_file {	      /* of one process */
	uint64_t process_key; /* 0: it was passed on */
	uint64_t hash;
	struct sv path;
	uint64_t opens, refused, creates, reads, writes, bytes_read, bytes_written;
	uint64_t renames, deletes, execs;
	uint64_t first_ts, last_ts, first_evt, first_read_ts, first_write_ts, last_write_ts;
	uint32_t next; /* of its chain: number of a file + 1, 0: none */
};

struct run_files {
	struct run_file *files; /* RUN_FILES_MAX of them */
	uint32_t *slots;	/* hash table: number of a file + 1 */
	uint32_t *owners;	/* chains, likewise */
	size_t count;
	struct run_file_near {
		const void *name; /* where the state has the path: found again there next time */
		struct run_file *file;
	} * near;
	uint64_t seed;
	struct arena paths;
};

MUST_CHECK int run_files_init(struct run_files *f, struct error *err);
void run_files_done(struct run_files *f);
bool run_files_full(const struct run_files *f);
/* The file of a process, as of @ev; NULL: out of memory. There must be room. @name: where @path
 * comes from, or NULL. */
struct run_file *run_files_get(struct run_files *f, uint64_t process_key, struct sv path,
			       const void *name, const struct ev *ev);
/* The process is gone: pass on its files. */
MUST_CHECK int run_files_of_ended(struct run_files *f, uint64_t process_key, struct run_out *out,
				  struct error *err);
MUST_CHECK int run_files_pass_on(struct run_files *f, struct run_out *out, struct error *err);

/* --- gather_dns.c */

struct run_names {
	struct smap names;
	struct arena arena;
	struct buf text, key;
};

struct run_dns { /* where a packet was seen */
	uint64_t process_key, ts;
	struct sv data, server;
};

void run_names_done(struct run_names *n);
/* Take a packet to or from port 53 of a server; what is no question or answer is ignored. */
MUST_CHECK int run_names_packet(struct run_names *n, const struct run_dns *p, struct run_out *out,
				struct error *err);
MUST_CHECK int run_names_pass_on(struct run_names *n, struct run_out *out, struct error *err);

/* --- gather.c */

struct run_gather {
	struct run_out *out;		 /* not owned; NULL: nobody wants to know */
	struct run_processes *processes; /* not owned */
	struct run_files files;
	struct run_names names;
	struct act_net *net; /* NULL: they are somebody else's business */
	struct act_sessions *sessions;
	struct state_observer observer; /* of the sessions */
	bool started;			/* both know what was there */
	bool wants[EV_TYPE_COUNT];
	struct buf text[3];
	int failed; /* the first failure of run_gather_passed() */
	struct error error;
};

MUST_CHECK int run_gather_init(struct run_gather *g, struct run_out *out,
			       struct run_processes *processes, struct error *err);
void run_gather_done(struct run_gather *g); /* zeroed storage is fine */
/* Follow sockets and sessions from the start of a capture. Return: 0 or ERR_NOMEM. */
MUST_CHECK int run_gather_follow(struct run_gather *g, struct error *err);
/* Go on with trackers from a checkpoint, which are taken over. */
void run_gather_go_on(struct run_gather *g, struct act_net *net, struct act_sessions *sessions);
/* A new capture, or another part: forget everything. */
void run_gather_forget(struct run_gather *g);
/* Before the state takes @item, if it is not an event. */
MUST_CHECK int run_gather_item(struct run_gather *g, const struct state *st,
			       const struct ev_item *item, struct error *err);
/* Is the next event to be passed to run_gather_event(), whatever its type? */
static inline bool run_gather_wants_all(const struct run_gather *g)
{
	return g->net && !g->started;
}
/* Are events of @type? */
static inline bool run_gather_wants(const struct run_gather *g, unsigned type)
{
	return g->wants[type] || UNLIKELY(run_gather_wants_all(g));
}
/* After state_feed() or state_pass() returned 1. */
MUST_CHECK int run_gather_event(struct run_gather *g, const struct state *st,
				const struct state_binding *b, struct error *err);
/* Of which events of @type run_gather_passed() is to be told: bits of enum state_tell. */
unsigned run_gather_tell(unsigned type);
/*
 * As run_gather_event() after state_pass_on() passed an event, unless run_gather_wants_all(). What
 * fails is kept for run_gather_error().
 */
void run_gather_passed(struct run_gather *g, const struct state *st, const struct state_passed *e);
static inline int run_gather_error(const struct run_gather *g, struct error *err)
{
	if (UNLIKELY(g->failed))
		*err = g->error;
	return g->failed;
}
/* The process is gone for good. */
MUST_CHECK int run_gather_ended(struct run_gather *g, uint64_t process_key, struct error *err);
/* Pass on what is gathered so far. */
MUST_CHECK int run_gather_pass_on(struct run_gather *g, struct error *err);
/* The capture is over. */
MUST_CHECK int run_gather_end(struct run_gather *g, const struct state *st, struct error *err);

static inline void run_file_written(struct run_file *f, uint64_t ts)
{
	if (!f->first_write_ts)
		f->first_write_ts = ts;
	f->last_write_ts = ts;
}

/* --- gather_calls.c: one row per call */

struct run_call {
	struct run_gather *g;
	const struct state *st;
	const struct state_binding *b;
	struct ev *ev;
	uint64_t process_key;
	int64_t ret;
};

/* The counts of a file of the process, made if need be; @name as for run_files_get(). */
MUST_CHECK int run_gather_file(struct run_call *c, struct sv path, const void *name,
			       struct run_file **out, struct error *err);
/* Is it a call that changes names or attributes, mounts, or loads a module? Then it was dealt with.
 * Return: 0 or ERR_*. */
MUST_CHECK int run_gather_call(struct run_call *c, struct error *err);
/* Parameter @path of the event, relative to the directory of parameter @dir (-1: the working
 * directory), into @out. */
struct sv run_gather_path(const struct run_call *c, int dir, unsigned path, struct buf *out);

/* --- gather_end.c */

MUST_CHECK int run_gather_sockets(struct run_gather *g, const struct state *st, struct error *err);
MUST_CHECK int run_gather_sessions(struct run_gather *g, const struct state *st, struct error *err);
MUST_CHECK int run_gather_machine(struct run_gather *g, const struct state *st, struct error *err);

#endif
