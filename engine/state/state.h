/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The observed machine as its events describe it: threads and their groups, file descriptors,
 * users, groups, interfaces, containers. Fed by a source's items; read by fields, rules and views.
 * Replay only: nothing here looks at the local /proc, user database or network.
 * Units: times are nanoseconds since the Unix epoch; addresses are network-order bytes, ports
 * numbers; vm_* are KiB.
 * Ownership: all records belong to the state; pointers to them are borrowed
 * until the next call that takes a non-const struct state.
 * Threads: one state belongs to one thread at a time.
 * Facts: behaviour of libsinsp, as the capture format documents it (docs/architecture.md, "State").
 */
#ifndef ENGINE_STATE_STATE_H
#define ENGINE_STATE_STATE_H

#include "base/buf.h"
#include "base/map.h"
#include "base/pool.h"
#include "scapfile/source.h"

struct sf_row;
struct sf_row_event;
struct state;
struct state_tally;

/*
 * A shared immutable text: reference-counted, from the state's pool. Copying an fd or a thread
 * shares its texts. NULL stands for the empty text everywhere.
 */
struct state_str {
	uint32_t refs;
	uint32_t len;
	char text[]; /* @len bytes and a NUL */
};

static inline struct sv state_sv(const struct state_str *s)
{
	return s ? sv_make(s->text, s->len) : sv_make("", 0);
}

/* A list of texts as events carry it: NUL-terminated strings back to back, in one shared block. */
struct state_list {
	struct state_str *block; /* without the last NUL; NULL: no strings */
	uint32_t count;		 /* strings; some may be empty */
};

/* Iterate: struct sv item; for (size_t at = 0; state_list_next(&l, &at, &item);) */
bool state_list_next(const struct state_list *l, size_t *at, struct sv *item);
/* Item @i; false if there are fewer. */
bool state_list_get(const struct state_list *l, size_t i, struct sv *item);

/* PPM_CL_*; those the parsers look at */
enum state_thread_flag {
	STATE_CL_FILES = 1u << 0,
	STATE_CL_NEWPID = 1u << 6,
	STATE_CL_PARENT = 1u << 8,
	STATE_CL_THREAD = 1u << 13,
	STATE_CL_INVERTED = 1u << 16,
	STATE_CL_NAME_CHANGED = 1u << 17,
	STATE_CL_CLOSED = 1u << 18,
	STATE_CL_ACTIVE = 1u << 19,
	STATE_CL_NEWUSER = 1u << 20,
	STATE_CL_PIPE_SRC = 1u << 21,
	STATE_CL_PIPE_DST = 1u << 22,
	STATE_CL_VFORK = 1u << 27,
	STATE_CL_CHILD_IN_PIDNS = 1u << 29,
	STATE_CL_IS_MAIN_THREAD = 1u << 30,
};

/* PPM_O_* */
enum state_open_flag {
	STATE_O_RDONLY = 1u << 0,
	STATE_O_WRONLY = 1u << 1,
	STATE_O_CREAT = 1u << 2,
	STATE_O_DIRECTORY = 1u << 10,
	STATE_O_CLOEXEC = 1u << 12,
	STATE_O_TMPFILE = 1u << 13,
	STATE_O_F_CREATED = 1u << 14,
	STATE_O_UPPER_LAYER = 1u << 15,
	STATE_O_LOWER_LAYER = 1u << 16,
};

enum state_fd_flag {
	STATE_FD_FROM_PROC = 1u << 0,
	STATE_FD_ROLE_CLIENT = 1u << 2,
	STATE_FD_ROLE_SERVER = 1u << 3,
	STATE_FD_CONNECTED = 1u << 13, /* CONNECTED, PENDING and FAILED exclude each other */
	STATE_FD_CLONED = 1u << 14,
	STATE_FD_PENDING = 1u << 15,
	STATE_FD_FAILED = 1u << 16,
	STATE_FD_OVERLAY_UPPER = 1u << 17,
	STATE_FD_OVERLAY_LOWER = 1u << 18,
};

struct state_sock {		  /* s = client side, d = server side; listeners use sip, sport */
	uint8_t sip[16], dip[16]; /* IPv4: the first 4 bytes */
	uint16_t sport, dport;
	uint8_t l4proto; /* enum ev_l4proto as stored; see state_fd_l4proto() */
};

struct state_fd {
	int64_t num;
	int8_t type; /* enum ev_fd_type */
	uint32_t openflags;
	uint32_t flags; /* STATE_FD_* */
	uint32_t mark;	/* a watcher's: 0 in a new record, copied by dup and clone */
	uint32_t dev;
	uint64_t ino;
	int64_t pid;		    /* target of a pidfd */
	struct state_str *name;	    /* full path, socket text, ... */
	struct state_str *name_raw; /* open family: the path as passed */
	struct state_str *old_name; /* @name at the last lookup */
	union {
		struct state_sock sock; /* IPV4_*, IPV6_* */
		struct {
			uint64_t source, dest; /* UNIX_SOCK: kernel addresses */
		} un;
	};
};

struct state_group; /* thread group; see state_thread_count() */

struct state_thread {
	/* First what every event touches. */
	int64_t tid, pid, ptid;	 /* ptid is a *tid*; 0: no known parent. Placeholders have pid -1 */
	uint32_t flags;		 /* PPM_CL_* */
	uint16_t lastevent_type; /* the last *enter* event's type, as the reference keeps it;
				    0xffff: none */
	int64_t lastevent_fd;
	uint64_t lastevent_ts, prevevent_ts;
	/*
	 * Changes whenever an attribute that fields show for this thread changes (not fds, not
	 * memory figures, not other processes): results of conditions on process attributes may be
	 * kept as long as it stays. That includes what the thread shows of its main thread (cwd,
	 * env, fdlimit), as of the last event bound to it. Unique over all threads and time.
	 */
	uint64_t generation;
	/* Implementation: use the functions below. */
	struct state_fds *fds; /* own table, or NULL when empty */
	struct state_group *group;
	struct state_stored *stored; /* stored enter event, or NULL */
	uint64_t main_generation;    /* that of the main thread when last looked at; only on other
					threads */

	int64_t vtid, vpid, sid, vpgid, pgid;
	int64_t reaper_tid;
	uint64_t pidns_init_start_ts;
	struct state_str *comm, *exe, *exepath, *cwd, *root,
	    *cmdline;			/* cwd: on main threads, ends in '/' */
	struct state_list args, env;	/* env: on main threads */
	struct state_list cgroups;	/* "subsys=path" with subsystem names already normalised */
	struct state_str *container_id; /* NULL: host */
	uint16_t container_category;
	bool exe_writable, exe_upper_layer, exe_lower_layer, exe_from_memfd;
	/* Implementation: a change of comm alone leaves cmdline as it is; children to be handed
	 * over. */
	bool cmdline_cached, had_children;
	uint32_t uid, gid, loginuid;
	uint32_t vmsize_kb, vmrss_kb, vmswap_kb, tty;
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	int64_t fdlimit;
	uint64_t pfmajor, pfminor;
	uint64_t exe_ino, exe_ino_ctime, exe_ino_mtime;
	uint64_t exe_ino_ctime_duration_clone_ts, exe_ino_ctime_duration_pidns_start;
	uint64_t clone_ts, lastexec_ts;
	uint32_t exec_count; /* successful execs seen in the stream */
	/* Implementation. */
	struct state_thread *first_child, *next_sibling, *prev_sibling, *linked_parent;
	struct state_thread *group_next, *group_prev;
};

struct state_options {
	uint32_t threads_max;	/* 0: STATE_THREADS_MAX */
	uint32_t fds_max;	/* per table; 0: STATE_FDS_MAX */
	uint32_t fds_total_max; /* over all tables; 0: STATE_FDS_TOTAL_MAX */
	bool no_containers;	/* threads belong to the host whatever their cgroups say */
	bool host_names;	/* names of users a container does not define are the host's */
	/* Commands whose events are ignored, NULL-terminated; may be NULL. */
	const char *const *suppressed_comms;
};

#define STATE_THREADS_MAX   262144
#define STATE_FDS_MAX	    4096
#define STATE_FDS_TOTAL_MAX (4u << 20)
/* Steps up the process tree; no tree of a real machine is that deep. */
#define STATE_CLIMB_MAX 16384

/* What an event is about: the records it was bound to, filled by state_feed(). */
struct state_binding {
	struct ev *ev;
	struct state_thread *thread; /* NULL: none bound; fields then look ev->tid up themselves */
	struct state_fd *fd;	     /* NULL: none */
	int errcode;		     /* errno of a failed system call, else 0 */
	bool fd_name_changed;
	bool visible; /* false: internal or initial-state event: not shown, not given to rules */
};

MUST_CHECK int state_new(const struct state_options *opt, struct state **out, struct error *err);
void state_free(struct state *st); /* NULL is fine */

/**
 * state_feed() - take one item of a source
 * @bind: for EV_ITEM_EVENT, receives what the event is about, valid until the next call; for
 *	  EV_ITEM_URING the same, which is neither counted nor visible
 *
 * Metadata items build the initial state; the first event after them completes it (state-engine
 * order: dependencies, interfaces, users, socket orientation, container ids). Events are numbered
 * here. Removals that must stay visible while rules look at an event (close, exit) happen at the
 * start of the next call, or earlier by state_settle().
 * Return: 1 for an event that counts (look at @bind->visible), 0 for metadata and for suppressed
 * events, or ERR_NOMEM.
 */
MUST_CHECK int state_feed(struct state *st, const struct ev_item *item, struct state_binding *bind,
			  struct error *err);
/*
 * The same for an item whose event nobody is going to look at closely: means the same to the state
 * and often costs less. @bind says neither whether it failed nor whether its descriptor's name is
 * new.
 */
MUST_CHECK int state_pass(struct state *st, const struct ev_item *item, struct state_binding *bind,
			  struct error *err);
/* An event that was passed, and whose it is: borrowed, for the call that tells of it. */
struct state_passed {
	const struct sf_row *row; /* that @event was found in (scapfile/row.h) */
	const struct sf_row_event *event;
	struct state_thread *thread;
	struct state_fd *fd; /* NULL also if its type's events are not told by their descriptor */
	bool visible;
};
/*
 * Passing events of a file until there is one that somebody looks at. What is passed means the same
 * to the state as if it had been fed.
 */
struct state_passing {
	/* Set by the caller, also between two calls: */
	struct sf_reader *reader;
	uint64_t max;	   /* pass at most as many events; the next item is delivered, whatever */
	uint64_t end;	   /* deliver what is at this offset or behind it */
	uint64_t from, to; /* times of the events counted in @seen, both included */
	bool internal;	   /* count those that are not visible, too */
	/*
	 * Keeps account of each event that is passed and not shown, and nothing is counted in @seen
	 * (engine/state/tally.h). NULL: nothing does.
	 */
	struct state_tally *tally;
	/*
	 * Is shown each usual event of the types that somebody looks at, fed, instead of having it
	 * delivered. Return: 0, or a negative number to stop: ERR_*, or one that the caller knows;
	 * then the event's bytes stay until the next call on the reader. NULL: nobody.
	 */
	int (*show)(void *arg, const struct state_binding *bind, struct error *err);
	/*
	 * Is asked before an event of a type that @ways marks, if that changes nothing of its
	 * thread @t but what it did last: is there no need to show it?
	 */
	bool (*refuses)(void *arg, unsigned type, struct state_thread *t);
	void *arg;
	/* Of the last call: */
	uint64_t passed; /* events, with those that were shown */
	uint64_t seen;	 /* those that count, are visible and of that time */
	int rc;		 /* of @show */
	struct error *err;
	/* By state_passing_init(): */
	struct state_way {
		uint64_t before; /* the descriptor: sf_row_behind() */
		uint16_t start;	 /* of parameters in the event's block */
		uint8_t fd, how, shown;
		bool asks; /* set by the caller: ask @refuses */
		/* Likewise, of what @tally tells: */
		uint8_t tell;	  /* bits of enum state_tell */
		uint16_t number;  /* a number that may say all, in the event's block: */
		uint64_t numbers; /* all those up to it, in the first lengths of parameters */
	} ways[EV_TYPE_COUNT];
};

/* No limits of offset or time; events of types that @looks_at says are delivered. */
void state_passing_init(struct state_passing *p, bool (*looks_at)(const void *arg, unsigned type),
			const void *arg);
/**
 * state_pass_on() - pass what nobody looks at
 * @item: receives what comes then, not yet fed
 *
 * Return: as ev_source_next(), ERR_NOMEM, or what @p->show stopped with.
 */
MUST_CHECK int state_pass_on(struct state *st, struct state_passing *p, struct ev_item *item,
			     struct error *err);
/* Complete the initial state, which else the first event does; only needed where none came. */
void state_complete(struct state *st);
bool state_is_complete(const struct state *st);
/* Would @ev be part of the initial state, if it came next? */
bool state_takes_as_initial(const struct state *st, const struct ev *ev);
/*
 * May @b, of an event that was fed, have changed more than what its thread did last? Memory and
 * page faults are looked at only if @figures.
 */
bool state_is_changed_by(const struct state_binding *b, bool figures);
/* Carry out pending removals as of time @now; only needed to look at the state between events. */
void state_settle(struct state *st, uint64_t now);

/* --- threads --- */

struct state_thread *state_thread_find(const struct state *st, int64_t tid);
/* The main thread of its group; NULL if unknown. A process is its main thread's record. */
struct state_thread *state_thread_main(const struct state_thread *t);
bool state_thread_is_main(const struct state_thread *t);
bool state_thread_is_invalid(const struct state_thread *t); /* a placeholder */
bool state_thread_in_pidns(const struct state_thread *t);
/* Ancestor @n of the process, 0 is its own main thread; NULL where the chain ends. */
struct state_thread *state_thread_ancestor(const struct state *st, const struct state_thread *t,
					   unsigned n);
/*
 * Walk up by ptid from @t (excluded), without lifting to main threads; ends at a missing record or
 * a loop:
 * for (struct state_climb c = state_climb_start(st, t); (a = state_climb_next(&c));)
 */
struct state_climb {
	const struct state *st;
	struct state_thread *slow, *fast;
	uint32_t steps; /* at most STATE_CLIMB_MAX */
	bool done;
};
struct state_climb state_climb_start(const struct state *st, const struct state_thread *t);
struct state_thread *state_climb_next(struct state_climb *c);

enum state_leader { STATE_LEADER_SESSION, STATE_LEADER_VPGID, STATE_LEADER_PGID };
/* The leader's record, or the oldest known ancestor of the same session or group; NULL: none. */
struct state_thread *state_thread_leader(const struct state *st, const struct state_thread *t,
					 enum state_leader which);
/* SHA-256 of the executable, EV_HASH_BYTES; NULL: not known, or not yet. */
const uint8_t *state_thread_exe_sha256(const struct state *st, const struct state_thread *t);
/* "./" without a main thread. */
struct sv state_thread_cwd(const struct state_thread *t);
/* comm and arguments, as cached at exec time. */
struct sv state_thread_cmdline(const struct state_thread *t);
/* Live threads of the group (0 without group), and without the main thread. */
uint64_t state_thread_count(const struct state_thread *t);
uint64_t state_thread_count_children(const struct state_thread *t);
/* Value of environment variable @name of the process, blanks stripped; false: not set or empty. */
bool state_thread_env(const struct state_thread *t, struct sv name, struct sv *value);
/* Path of a cgroup subsystem; false if it is not there. */
bool state_thread_cgroup(const struct state_thread *t, struct sv subsys, struct sv *path);
uint64_t state_threads(const struct state *st); /* records in the table */
/* for (size_t at = 0; (t = state_thread_next(st, &at));) in unspecified order */
struct state_thread *state_thread_next(const struct state *st, size_t *at);
/* All of them by their ids, as values, for the caller to free; NULL: there are none, or no memory.
 */
struct map_slot *state_threads_sorted(const struct state *st, size_t *count);

/* --- file descriptors --- */

/* In the table the thread uses (its own or its main thread's); NULL: unknown or negative number. */
struct state_fd *state_fd_find(const struct state_thread *t, int64_t num);
uint64_t state_fd_count(const struct state_thread *t); /* of the main thread's table */
/* for (size_t at = 0; (fd = state_fd_next(t, &at));): the table the thread uses, by number */
struct state_fd *state_fd_next(const struct state_thread *t, size_t *at);
char state_fd_typechar(const struct state_fd *fd);	     /* 'f', 'd', '4', ... */
const char *state_fd_typename(const struct state_fd *fd);    /* "file", ..., "<NA>" */
enum ev_l4proto state_fd_l4proto(const struct state_fd *fd); /* NA until a role is known */
bool state_fd_is_file(const struct state_fd *fd);
/* Of files and directories how they were opened: "r", "w", "rw"; NULL: not known, or neither. */
const char *state_fd_mode(const struct state_fd *fd);
bool state_fd_is_ipv4(const struct state_fd *fd); /* tuple, not listener; likewise ipv6 */
bool state_fd_is_ipv6(const struct state_fd *fd);
bool state_fd_is_listener(const struct state_fd *fd);
uint32_t state_dev_major(uint32_t dev);
uint32_t state_dev_minor(uint32_t dev);
/* Is the address one of the machine's (or of @t's container)? @n is 4 or 16. */
bool state_addr_is_local(const struct state *st, const struct state_thread *t, const uint8_t *addr,
			 size_t n);

/* --- users, groups, machine --- */

struct state_user {
	uint32_t id, gid;
	struct state_str *name, *home, *shell; /* groups: name only */
};

/* @container_id as in struct state_thread (NULL: host). NULL: not known. */
const struct state_user *state_user_find(const struct state *st,
					 const struct state_str *container_id, uint32_t uid);
struct state_users_at {
	struct sv container; /* whose user it is: a container's id, "" for the host */
	size_t space, user;  /* implementation */
};
/* for (struct state_users_at at = {0}; (u = state_user_next(st, &at));) in unspecified order */
const struct state_user *state_user_next(const struct state *st, struct state_users_at *at);
const struct state_user *state_group_find(const struct state *st,
					  const struct state_str *container_id, uint32_t gid);

struct state_machine {
	struct state_str *hostname;
	uint32_t num_cpus;
	uint64_t memory_bytes, max_pid, boot_ts;
	bool known;
};
const struct state_machine *state_machine(const struct state *st);

/* --- containers --- */

enum state_container_type {
	STATE_CT_DOCKER = 0,
	STATE_CT_LXC = 1,
	STATE_CT_LIBVIRT_LXC = 2,
	STATE_CT_MESOS = 3,
	STATE_CT_RKT = 4,
	STATE_CT_CUSTOM = 5,
	STATE_CT_CRI = 6,
	STATE_CT_CONTAINERD = 7,
	STATE_CT_CRIO = 8,
	STATE_CT_BPM = 9,
	STATE_CT_STATIC = 10,
	STATE_CT_PODMAN = 11,
	STATE_CT_HOST = 0xfffe,
	STATE_CT_UNKNOWN = 0xffff,
};

struct state_label {
	struct state_str *key, *value;
};

struct state_mount {
	struct state_str *source, *dest, *mode, *propagation;
	bool rdwr;
};

struct state_container {
	uint16_t type; /* enum state_container_type */
	struct state_str *id, *full_id, *name, *image, *image_id, *image_repo, *image_tag,
	    *image_digest;
	struct state_str *user, *ip, *cni_json, *pod_sandbox_id;
	bool privileged, host_pid, host_network, host_ipc, is_pod_sandbox;
	struct state_label *labels, *sandbox_labels; /* in key order */
	uint32_t label_count, sandbox_label_count;
	struct state_mount *mounts;
	uint32_t mount_count;
	int64_t created_time; /* seconds since the epoch, 0: not given */
};

/* By its short id; an empty one gives the built-in description of the host. NULL: no metadata yet.
 */
const struct state_container *state_container_find(const struct state *st, struct sv id);
/* The container an event itself describes (container added/removed), or NULL. */
const struct state_container *state_container_of_event(const struct state *st, const struct ev *ev);
/* "docker", ..., "host"; "" for types without a word. */
const char *state_container_type_name(uint16_t type);
/* for (size_t at = 0; (c = state_container_next(st, &at));) */
const struct state_container *state_container_next(const struct state *st, size_t *at);

/* --- paths --- */

#define STATE_PATH_MAX 1024

/* Join and clean; the result (at most STATE_PATH_MAX - 1 bytes) is written to @out. */
struct sv state_path_concat(char out[STATE_PATH_MAX], struct sv base, struct sv path);

/* --- observers --- */

/*
 * Called from within state_feed() when the event is through and the records are complete; they are
 * borrowed for the call. A thread that appears and goes within one event is announced before it
 * goes. A new section removes every thread; state_free() does so silently.
 */
struct state_observer {
	void *arg;
	/* A thread record appeared by clone or from the initial list (@ev NULL), or as a
	 * placeholder. */
	void (*thread_added)(void *arg, const struct state *st, const struct state_thread *t,
			     const struct ev *ev);
	void (*thread_exec)(void *arg, const struct state *st, const struct state_thread *t,
			    const struct ev *ev);
	/* The thread announced its exit; @status: raw, as of wait(2), -1 if not recorded. */
	void (*thread_exit)(void *arg, const struct state *st, const struct state_thread *t,
			    const struct ev *ev, int64_t status);
	/* The record is about to be freed (also without an exit event: replaced, collided). */
	void (*thread_removed)(void *arg, const struct state *st, const struct state_thread *t);
};
/* One observer; it must stay valid until replaced. NULL removes it. */
void state_observe(struct state *st, const struct state_observer *obs);

/* --- accounting --- */

struct state_stats {
	uint64_t events;	  /* counted ones: the last event's number */
	uint64_t suppressed;	  /* ignored because of suppressed commands */
	uint64_t malformed;	  /* parameters of wrong size: event shown, state unchanged */
	uint64_t threads_dropped; /* table full */
	uint64_t fds_dropped;
	uint64_t first_ts, last_ts; /* of counted non-meta events */
	uint64_t first_event_ts;    /* T0 of evt.reltime: 0 until a non-meta event was counted */
	size_t memory;		    /* bytes held for records and texts */
};
const struct state_stats *state_stats(const struct state *st);

/* --- checkpoints --- */

/*
 * Append all that feeding the events behind this one needs: a state restored from these bytes goes
 * on as @st does. Between events, once the initial state is complete. Equal states give equal
 * bytes.
 * Return: 0, ERR_USAGE (the initial state is not complete), or ERR_NOMEM.
 */
MUST_CHECK int state_save(const struct state *st, struct buf *out, struct error *err);
/* The same, but for what watchers marked: to tell whether two states are the same. */
MUST_CHECK int state_image(const struct state *st, struct buf *out, struct error *err);
/*
 * A new state from @n bytes at @p that state_save() wrote; @opt as of the state that was saved.
 * Return: 0, ERR_FORMAT (they are not, or of another version, or of other options), ERR_NOMEM.
 */
MUST_CHECK int state_restore(const struct state_options *opt, const void *p, size_t n,
			     struct state **out, struct error *err);

/* --- tests and fuzzing --- */

/*
 * Walk everything and check the invariants (links, counts, references). Slow.
 * Return: 0, or ERR_FORMAT with the first broken one in @err.
 */
MUST_CHECK int state_check(const struct state *st, struct error *err);

#endif
