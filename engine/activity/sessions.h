/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of people at the machine, and the commands they ran: rebuilt from setsid, controlling
 * terminals, login uids, process groups and who started whom, never from names of programs.
 * A session is its leader process: the session number alone says little, since two containers, or
 * two visits to one, use the same. Sessions of the initial list are told apart by container and
 * number.
 * A command is an image that a shell started as a job: in a process group of its own, or, where
 * the groups were not recorded or the shell has no job control, directly below the session's
 * leader or a process that reads its input from a terminal.
 * Use: install act_sessions_observer() (or call it from one's own observer), then
 * act_sessions_event() after each state_feed() that returned 1, act_sessions_section() where a
 * section starts, act_sessions_settle() before looking.
 * Units: nanoseconds since the epoch, 0: not known. Threads: as the state.
 */
#ifndef ENGINE_ACTIVITY_SESSIONS_H
#define ENGINE_ACTIVITY_SESSIONS_H

#include "base/buf.h"
#include "engine/state/state.h"

#define ACT_SESSIONS_MAX 100000
#define ACT_COMMANDS_MAX 200000

enum act_origin {
	ACT_ORIGIN_UNKNOWN,
	ACT_ORIGIN_REMOTE, /* over a connection from @from, served by @by */
	ACT_ORIGIN_SOCKET, /* the leader's standard input is a connection to or from @from */
	ACT_ORIGIN_CONTAINER_ENTRY, /* a process outside put it into the container */
	ACT_ORIGIN_CONTAINER_START, /* first process of the container */
};

enum act_command_kind {
	ACT_JOB,   /* in a process group of its own: typed */
	ACT_CHILD, /* directly below a shell that shows no jobs */
	ACT_BELOW, /* what a command did */
};

struct act_session;

struct act_command {
	const struct act_session *session;
	const struct act_command *parent; /* the command it is part of; NULL: none */
	const struct act_command *next;	  /* of the session, by time */
	enum act_command_kind kind;
	bool from_start; /* it ran when the capture began: @ts is 0 */
	bool background; /* its shell went on before it ended */
	bool ended;	 /* it is gone, even if nothing tells how */
	uint64_t ts, evt, offset;
	uint64_t end_ts;
	int64_t status; /* as of wait(2); -1: not known */
	int64_t pid, pgid;
	uint32_t uid;  /* of the shell: who typed it */
	uint32_t euid; /* of the process once it ran */
	uint32_t loginuid;
	struct sv user, euser; /* names as they were then, else the numbers: never empty */
	struct sv cwd, comm, exe, exepath;
	struct sv args; /* NUL-terminated strings back to back, the last one without its NUL */
	uint32_t arg_count;
};

struct act_session {
	uint64_t id;			  /* running number */
	const struct act_session *next;	  /* by time of appearance */
	const struct act_session *parent; /* the one that started it; NULL: none known */
	const struct act_command *via;	  /* the command of @parent that did */
	bool from_start;		  /* it was there when the capture began: @start_ts is 0 */
	bool implied;			  /* no setsid was seen, but it cannot be the one before */
	uint64_t start_ts, start_evt, end_ts;
	int64_t leader, sid, vpid; /* @leader: process number, -1: not known */
	struct sv container;	   /* id; "" for the host */
	uint32_t tty;		   /* device number, 0: none */
	uint32_t uid, loginuid;	   /* of the leader at its last exec */
	struct sv user,
	    login_user; /* names as they were then, else the numbers; login: "" if unset */
	struct sv shell, shell_args; /* what the leader runs, as in struct act_command */
	uint32_t shell_arg_count;
	enum act_origin origin;
	struct sv from; /* "203.0.113.9:51234" */
	struct sv by;	/* name of the process that stands between */
	int64_t by_pid;
	uint32_t processes; /* living ones */
	uint32_t commands;  /* kept ones of all kinds */
	const struct act_command *first_command;
};

struct act_sessions_options {
	bool without_tty; /* commands of sessions without a terminal, too */
	bool all_execs;	  /* what commands did, too */
};

struct act_sessions_stats {
	uint64_t dropped; /* sessions, processes or commands not followed: tables full */
	size_t memory;
};

struct act_sessions;

MUST_CHECK int act_sessions_new(const struct act_sessions_options *opt, struct act_sessions **out,
				struct error *err);
void act_sessions_free(struct act_sessions *x); /* NULL is fine */
struct state_observer act_sessions_observer(struct act_sessions *x);
void act_sessions_event(struct act_sessions *x, const struct state *st,
			const struct state_binding *b);
/* Once it has taken an event of a complete state, it needs only those of these types. */
bool act_sessions_wants(unsigned type);
/* And of those only these: bits of enum state_tell (engine/state/tally.h). */
unsigned act_sessions_tell(unsigned type);
/* And of ioctl only this one: parameter @request. */
bool act_sessions_wants_ioctl(uint64_t request);
/* A section starts: before or after the state takes the item. */
void act_sessions_section(struct act_sessions *x);
/* Complete what was there at the start; only needed where no event came. */
void act_sessions_settle(struct act_sessions *x, const struct state *st);
const struct act_session *act_sessions_first(const struct act_sessions *x);
/* Is it one a person typed? */
bool act_command_typed(const struct act_command *c);
const struct act_sessions_stats *act_sessions_stats(const struct act_sessions *x);
const char *act_origin_name(enum act_origin o); /* "remote", "container_entry", ... */
/* "rc 0", "SIGTERM", "running", "bg", "bg rc 1", "ended" of a command. */
void act_result_text(struct buf *b, bool background, bool ended, int64_t status);

/* All it knows, for a tracker that goes on from there. Return: 1, 0: it does not know all
 * (something was dropped) and cannot be saved, or ERR_NOMEM. */
MUST_CHECK int act_sessions_save(const struct act_sessions *x, struct buf *out, struct error *err);
/* A tracker that goes on from @n bytes at @p, with the options of the one that was saved. Return:
 * 0, ERR_FORMAT (also: other options), ERR_NOMEM. */
MUST_CHECK int act_sessions_restore(const struct act_sessions_options *opt, const void *p, size_t n,
				    struct act_sessions **out, struct error *err);

#endif
