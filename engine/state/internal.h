/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of engine/state/ share: the state itself, the event being applied, and the small
 * operations on texts, threads and descriptor tables. Units and ownership as in state.h.
 *
 * Out of memory inside a parser latches st->nomem; state_feed() reports it once at its end. Until
 * then the operations do what they can, so no caller but state_feed() has to look.
 */
#ifndef ENGINE_STATE_INTERNAL_H
#define ENGINE_STATE_INTERNAL_H

#include "base/buf.h"
#include "engine/state/state.h"
#include "scapfile/build.h"

/* Limits on what input can make us keep; beyond them new entries are dropped. */
#define STATE_FD_DIRECT_MAX	  65536	 /* numbers below are indexed, others sorted */
#define STATE_USERS_MAX		  131072 /* users and groups, over all containers */
#define STATE_USER_SPACES_MAX	  16384	 /* containers with users of their own */
#define STATE_INTERFACES_MAX	  4096	 /* of each family */
#define STATE_CONTAINERS_MAX	  16384
#define STATE_CONTAINER_JSON_MAX  (1u << 20)
#define STATE_CONTAINER_ITEMS_MAX 4096 /* labels, and mounts, of one container */
#define STATE_SUPPRESSED_MAX	  262144
#define STATE_STORED_MAX	  4096 /* bytes of an enter event worth keeping for its exit */
#define STATE_REAPER_SCAN_MAX	  4096 /* threads of a group looked at for one that lives */
#define STATE_EXITED_MAX	  8192 /* recently exited threads remembered */
#define STATE_EXITED_BUCKETS	  8192
#define STATE_STALE_CLONE_NS	  2000000000u
#define STATE_CACHE		  1024
#define STATE_CGROUP_CACHE	  128
#define STATE_EXE_HASHES_MAX	  65536
#define STATE_ADDED_MAX		  8 /* threads announced together after one event */

#define STATE_ALL_CAPS	  ((UINT64_C(1) << 41) - 1)
#define STATE_NO_TYPE	  UINT16_MAX
#define STATE_EINPROGRESS 115

struct state_group {
	int64_t pid;
	uint64_t alive; /* as the reference counts: may exceed the threads listed */
	struct state_thread *first, *last; /* the main thread first, if known */
	bool reaper;
	bool listed; /* under @pid in the table of groups */
};

struct state_fds {
	struct state_fd **direct; /* by number, @direct_cap of them */
	struct state_fd **far;	  /* the others, in order of their numbers */
	uint32_t direct_cap, far_count, far_cap;
	uint32_t count;
};

/* What an exit event may want from the enter event before it. */
struct state_stored {
	uint16_t type;
	uint32_t flags;
	int64_t dirfd;
	uint32_t size; /* as allocated */
	uint32_t len;
	char text[]; /* path or socket address */
};

/* Threads that exited lately, so that a late clone event does not revive them (exited.c). */
struct state_exited {
	struct state_exited_entry {
		uint32_t ptid, tid;
		uint64_t ts;
		uint16_t prev, next; /* in the bucket, newest first; 0: none, else index + 1 */
	} ring[STATE_EXITED_MAX];
	uint16_t buckets[STATE_EXITED_BUCKETS];
	uint32_t at, used;
};

struct state_interface {
	uint8_t addr[16], netmask[16], bcast[16]; /* IPv4: the first 4 bytes */
	uint64_t linkspeed;
	struct state_str *name;
};

struct state_interfaces {
	struct state_interface *list;
	uint32_t count, cap;
};

struct state_user_space { /* one container's users and groups; the host's has an empty id */
	struct state_str *id;
	struct map users, groups; /* id -> struct state_user */
};

struct state_probe { /* a health check of a container: its command line */
	struct state_str *exe;
	struct state_list args;
};

enum { STATE_PROBES = 3 }; /* health check, liveness, readiness: categories 2, 3, 4 */

struct state_container_rec {
	struct state_container info;
	struct state_probe probes[STATE_PROBES];
	uint32_t refs;
	bool has_ip4;
	uint8_t ip4[4]; /* info.ip */
};

struct state_cgroup_memo { /* what id a cgroup path gave */
	struct state_str *path, *id;
	uint16_t type; /* STATE_CT_UNKNOWN: the path does not tell */
};

struct state_pid_pair {
	int64_t tid, ptid;
};

enum state_phase {
	STATE_BOOT, /* reading the machine's description and initial state */
	STATE_HEAD, /* initial-state events at the head of the stream, and what lists could not say
		     */
	STATE_RUN,
};

struct state {
	struct pool pool;
	uint64_t generation; /* the last one given out */
	enum state_phase phase;
	bool settled; /* sockets and containers of the lists: what follows is as it is */
	bool nomem;
	uint32_t threads_max, fds_max, fds_total_max;
	bool no_containers, host_names;
	uint8_t ways[EV_TYPE_COUNT];		 /* pass.c */
	struct state_thread *cache[STATE_CACHE]; /* by low bits of the tid */
	struct map threads;			 /* tid -> struct state_thread */
	struct map groups;			 /* pid -> struct state_group */
	uint64_t fds_total;
	uint64_t strings; /* alive */

	/* Removals due at the next event. */
	bool pending_exit, pending_close;
	int64_t pending_tid, pending_fd_tid, pending_fd;

	struct smap suppressed_comms;
	struct map suppressed_tids;
	struct state_pid_pair *scanned; /* while booting, with suppressed comms */
	uint32_t scanned_count, scanned_cap;

	uint8_t server_ports[65536 / 8]; /* of listeners in the initial fd list */
	struct state_interfaces ipv4, ipv6;
	struct state_user_space host;
	struct smap user_spaces; /* container id -> struct state_user_space */
	uint32_t users;		 /* and groups, over all containers */
	struct state_machine machine;

	struct smap containers; /* short id -> struct state_container_rec */
	struct state_container host_container;
	struct state_container_rec *last_container; /* of the last container event */
	uint64_t last_container_num;
	struct state_cgroup_memo cgroup_memos[STATE_CGROUP_CACHE];
	struct state_cgroup_memo last_cgroups; /* path: a whole cgroups block */

	struct map exe_hashes; /* struct state_exe_hash, by what identifies a file */
	struct state_exited exited;
	struct buf scratch;
	struct state_observer observer;
	bool observed;
	const struct ev *current;	/* the event being applied, for the observer */
	int64_t added[STATE_ADDED_MAX]; /* tids to announce after the event */
	unsigned added_count;
	struct state_stats stats;
};

/* The event being applied. */
struct state_event {
	struct state *st;
	struct ev *ev;
	struct state_thread *t; /* bound thread, or NULL */
	struct state_fd *fd;	/* bound fd, or NULL */
	int64_t ret;		/* 0 without return value */
	bool has_ret;
	bool paired;	/* the thread's last enter event was of this kind */
	bool malformed; /* a parameter has the wrong width: state stays unchanged */
};

/* --- parameters (params of an event, with the malformed latch) --- */

/* Parameter @i if it is @n bytes wide; NULL if not: malformed unless it is empty and may be. */
static inline const uint8_t *state_param(struct state_event *e, unsigned i, uint32_t n, bool need)
{
	struct ev_value v = ev_param(e->ev, i);

	if (LIKELY(v.n == n))
		return v.p;
	if (v.n || need)
		e->malformed = true;
	return NULL;
}

/*
 * state_need_u32() and its like: false (and malformed) if the parameter is empty or of another
 * width. state_opt_u32() and its like: false if it is empty; malformed only if of another width.
 */
#define STATE_PARAM(name, type, load, need)                                                        \
	static inline bool name(struct state_event *e, unsigned i, type *out)                      \
	{                                                                                          \
		const uint8_t *p = state_param(e, i, sizeof(*out), need);                          \
                                                                                                   \
		if (p)                                                                             \
			*out = (type)load(p);                                                      \
		return p;                                                                          \
	}
STATE_PARAM(state_need_u8, uint8_t, *, true)
STATE_PARAM(state_need_u16, uint16_t, load_u16, true)
STATE_PARAM(state_need_u32, uint32_t, load_u32, true)
STATE_PARAM(state_need_u64, uint64_t, load_u64, true)
STATE_PARAM(state_need_i64, int64_t, load_u64, true)
STATE_PARAM(state_opt_u16, uint16_t, load_u16, false)
STATE_PARAM(state_opt_u32, uint32_t, load_u32, false)
STATE_PARAM(state_opt_u64, uint64_t, load_u64, false)
STATE_PARAM(state_opt_i64, int64_t, load_u64, false)
#undef STATE_PARAM

/* --- str.c --- */

/* A new text with one reference; NULL for the empty one (and when out of memory). */
struct state_str *state_str_new(struct state *st, struct sv s);
/* @like with one more reference if it reads @s, else a new text. */
struct state_str *state_str_like(struct state *st, struct sv s, struct state_str *like);
void state_str_release(struct state *st, struct state_str *s); /* frees; use state_str_unref() */
/* Replace *@slot. Return: whether it changed. */
bool state_str_set(struct state *st, struct state_str **slot, struct sv s);
bool state_str_share(struct state *st, struct state_str **slot, struct state_str *from);

static inline struct state_str *state_str_ref(struct state_str *s)
{
	if (s)
		s->refs++;
	return s;
}

static inline void state_str_unref(struct state *st, struct state_str *s)
{
	if (s && --s->refs == 0)
		state_str_release(st, s);
}

/* How many strings are in a list's block. */
uint32_t state_list_count(struct sv block);
/* A list from an event's bytes: one trailing NUL dropped, then split. Return: whether it changed.
 */
bool state_list_set(struct state *st, struct state_list *l, struct sv bytes);
void state_list_share(struct state *st, struct state_list *l, const struct state_list *from);
void state_list_clear(struct state *st, struct state_list *l);

/* --- threads.c --- */

/* The slow half of state_find(). */
struct state_thread *state_find_any(struct state *st, int64_t tid);

static ALWAYS_INLINE struct state_thread *state_find(struct state *st, int64_t tid)
{
	struct state_thread *t = st->cache[(uint64_t)tid % STATE_CACHE];

	return LIKELY(t && t->tid == tid) ? t : state_find_any(st, tid);
}

static inline bool state_is_main(const struct state_thread *t)
{
	return t->tid == t->pid || (t->flags & STATE_CL_IS_MAIN_THREAD);
}

static inline bool state_is_invalid(const struct state_thread *t)
{
	return t->tid < 0 || t->pid < 0 || t->ptid < 0;
}

static inline struct state_thread *state_main(const struct state_thread *t)
{
	if (state_is_main(t))
		return (struct state_thread *)t;
	if (!t->group || !t->group->first || !state_is_main(t->group->first))
		return NULL;
	return t->group->first;
}

/* The thread's attributes changed: conditions on them must be evaluated again. */
static inline void state_touch(struct state *st, struct state_thread *t)
{
	t->generation = ++st->generation;
}

/* FIND, else a placeholder; NULL when the table is full. */
struct state_thread *state_get(struct state *st, int64_t tid);
/* A record with the initial values, not yet in the table; NULL when out of memory. */
struct state_thread *state_thread_new(struct state *st, int64_t tid);
/*
 * Put @t into the table, over any record of its tid, creating its dependencies first if @link. It
 * frees
 * @t when the table is full. Return: whether it is in.
 */
bool state_thread_insert_take(struct state *st, struct state_thread *t, bool link);
/* Take @t out of everything and free it. */
void state_thread_erase(struct state *st, struct state_thread *t);
/* @t is out of the table: announce that, cut its links and free it. */
void state_thread_retire(struct state *st, struct state_thread *t);
/* Free a record that is in no table and has no links. */
void state_thread_free(struct state *st, struct state_thread *t);
bool state_threads_full(const struct state *st);

/* Texts equal to those of @like (which may be NULL) are shared with it. */
void state_thread_set_comm(struct state *st, struct state_thread *t, struct sv comm,
			   const struct state_thread *like);
void state_thread_set_args(struct state *st, struct state_thread *t, struct sv args,
			   const struct state_thread *like);
/* Without what the kernel adds to it when the file is deleted. */
struct sv state_exepath(struct sv path);
void state_thread_set_exepath(struct state *st, struct state_thread *t, struct sv path);
void state_thread_set_cgroups(struct state *st, struct state_thread *t, struct sv block,
			      const struct state_thread *like);
/* Rule for chdir: relative to the thread's own cwd, stored on the main thread. */
void state_thread_update_cwd(struct state *st, struct state_thread *t, struct sv path);
void state_thread_drop_stored(struct state *st, struct state_thread *t);

/* --- tree.c --- */

void state_tree_link(struct state *st, struct state_thread *t);	  /* create dependencies */
void state_tree_unlink(struct state *st, struct state_thread *t); /* from group, parent, children */
void state_tree_remove(struct state *st, int64_t tid); /* remove_thread: reaping, then erasing */
void state_tree_mark_dead(struct state_thread *t);

/* --- exited.c --- */

uint32_t state_exited_bucket(uint32_t ptid, uint32_t tid);
void state_exited_push(struct state_exited *x, int64_t ptid, int64_t tid, uint64_t ts);
bool state_exited_recently(const struct state_exited *x, int64_t ptid, int64_t tid, uint64_t now);

/* --- hashes.c --- */

struct state_exe_hash {
	struct state_str *path;
	uint64_t ino, ctime;
	uint8_t sha256[EV_HASH_BYTES];
	bool ambiguous; /* two file systems have such a file, with different contents */
};

void state_exe_hash_add(struct state *st, struct ev *ev); /* of EV_TYPE_HASH */
/* For checkpoints: @from's text is taken over. Return: false if it is there, or over the limit. */
bool state_exe_hash_restore_take(struct state *st, const struct state_exe_hash *from);
void state_exe_hashes_clear(struct state *st);

/* --- fdtable.c --- */

static inline struct state_fds *const *state_fds_of(const struct state_thread *t)
{
	const struct state_thread *main;

	if (!(t->flags & STATE_CL_FILES))
		return (struct state_fds *const *)&t->fds;
	main = state_main(t);
	return main ? (struct state_fds *const *)&main->fds : NULL;
}

/* Record @num, not below the indexed numbers of @table, if it has one. */
struct state_fd *state_fd_find_far(const struct state_fds *table, int64_t num);

static inline struct state_fd *state_fd_in(const struct state_fds *table, int64_t num)
{
	if (LIKELY((uint64_t)num < table->direct_cap))
		return table->direct[num];
	return table->far_count ? state_fd_find_far(table, num) : NULL;
}

/* As state_fd_find(). */
static ALWAYS_INLINE struct state_fd *state_fd_seek(const struct state_thread *t, int64_t num)
{
	struct state_fds *const *slot = state_fds_of(t);
	const struct state_fds *table = slot ? *slot : NULL;

	if (UNLIKELY(!table))
		return NULL;
	if (LIKELY((uint64_t)num < table->direct_cap))
		return table->direct[num];
	return num >= 0 ? state_fd_in(table, num) : NULL;
}

/* NULL: no such number; also below 0. */
struct state_fd *state_fd_of_table(const struct state_fds *table, int64_t num);
/* Lookup as parsers do it: it refreshes old_name. */
static inline struct state_fd *state_fd_lookup(struct state *st, const struct state_thread *t,
					       int64_t num)
{
	struct state_fd *fd = state_fd_seek(t, num);

	if (fd && fd->old_name != fd->name)
		state_str_share(st, &fd->old_name, fd->name);
	return fd;
}
/*
 * Insert @fd (its texts are taken over) into the table of the event's thread under @num, replacing;
 * the event's fd becomes the record, lastevent_fd the number. Return: the record; NULL if it was
 * dropped.
 */
struct state_fd *state_fd_add_take(struct state_event *e, int64_t num, struct state_fd *fd);
/* The same without an event: into @t's own table. */
struct state_fd *state_fd_insert_take(struct state *st, struct state_fds **table, int64_t num,
				      struct state_fd *fd);
void state_fd_remove(struct state *st, struct state_fds *table, int64_t num);
/* Remove every record for which @match says so. */
void state_fds_remove_if(struct state *st, struct state_fds *table,
			 bool (*match)(const struct state_fd *fd, const void *arg),
			 const void *arg);
/* A copy in which every record has CLONED. */
struct state_fds *state_fds_clone(struct state *st, const struct state_fds *from);
void state_fds_free(struct state *st, struct state_fds *table);
/* A copy of @fd, its texts shared, without close-on-exec (and without bit 0, as the reference). */
struct state_fd state_fd_dup(const struct state_fd *fd);
bool state_fd_is_cloexec(const struct state_fd *fd);
void state_fd_set_status(struct state_fd *fd, uint32_t status); /* CONNECTED, PENDING or FAILED */
void state_fd_set_name(struct state *st, struct state_fd *fd, struct sv name);

/* --- net.c: addresses, their text and the machine's interfaces --- */

struct state_addr {	/* a decoded SOCKADDR or SOCKTUPLE */
	uint8_t family; /* as stored; 0 if not valid */
	bool valid;
	bool mapped; /* IPv6 whose ends are all IPv4 in disguise; then also as IPv4 below */
	struct state_sock sock; /* tuple: s -> d; single address: in s */
	uint64_t source, dest;	/* unix tuple */
	struct sv path;
};

enum { STATE_AF_UNIX = 1, STATE_AF_INET = 2, STATE_AF_INET6 = 10, STATE_AF_NETLINK = 16 };

struct state_addr state_addr_decode(struct ev_value v);	 /* SOCKADDR */
struct state_addr state_tuple_decode(struct ev_value v); /* SOCKTUPLE */
bool state_addr_is_mapped(const uint8_t ip[16]);
/* The name of an IP socket record, from its type, protocol and addresses; appended. */
void state_net_text(struct buf *b, const struct state_fd *fd);
/* An address or tuple parameter as evt.args shows it; appended. */
void state_addr_render(struct buf *b, struct ev_value v);
void state_tuple_render(struct buf *b, struct ev_value v);
void state_unix_text(struct buf *b, const struct state_addr *a); /* as tuples show it */
void state_endpoint_text(struct buf *b, const uint8_t *ip, bool ipv6, uint16_t port);
void state_net_swap(struct state_fd *fd);
/* Give an unspecified end (0.0.0.0, ::) the address of the interface likely used. */
void state_net_patch(const struct state *st, struct state_fd *fd);
/* The name is taken over. */
void state_interface_add_take(struct state *st, struct state_interfaces *list,
			      const struct state_interface *one);
void state_interfaces_clear(struct state *st);

/* --- users.c --- */

/* An empty @container is the host. */
void state_users_put(struct state *st, struct sv container, const struct ev_user *from, bool group);
void state_users_clear(struct state *st);
/* Users of @container, which begin empty; NULL: too many containers. */
struct state_user_space *state_users_space(struct state *st, struct sv container);
/* For checkpoints: was the user in the capture's list? */
bool state_user_is_listed(const struct state_user *u);
/* Put @from, whose texts are taken over, into @m. Return: false if it is there, or over the limit.
 */
bool state_user_restore_take(struct state *st, struct map *m, struct state_user *from, bool listed);
void state_users_clear_host(struct state *st);

/* --- container.c, container_json.c, cgroup.c --- */

/* The container id in a cgroup path: at most 12 characters, or more for some runtimes; empty: none.
 */
struct sv state_cgroup_id(struct sv path, uint16_t *type);
/* Compute the thread's container id from its cgroups, and its category. */
void state_container_update(struct state *st, struct state_thread *t);
void state_containers_clear(struct state *st);
struct state_container_rec *state_container_rec_new(struct state *st);
/* Keep @c under its id, in place of what was known; counts a reference. */
void state_container_store(struct state *st, struct state_container_rec *c);
void state_container_unref(struct state *st, struct state_container_rec *c);
/* NULL: not a container description, too big or too deep (or out of memory). */
struct state_container_rec *state_container_parse(struct state *st, struct sv json);
struct state_container_rec *state_container_rec_find(const struct state *st, struct sv id);
bool state_container_has_ip(const struct state *st, const uint8_t ip[4]); /* any of them */

/* --- import.c --- */

void state_import(struct state *st, const struct ev_item *item);
void state_import_threads_done(struct state *st); /* before the first event */
/* Roles of sockets and containers, from all lists together. */
void state_import_settle(struct state *st);
void state_import_done(struct state *st); /* before the first event that is not initial state */

/* --- facts.c --- */

void state_facts_apply(struct state *st, struct ev *ev); /* while the initial state is imported */
/* What @like, of the same thread after its import, lacks; NULL: nothing was listed. False: nothing.
 */
bool state_facts_of_thread(const struct state_thread *t, const struct state_thread *like,
			   struct ev_build *b);
bool state_facts_of_fd(const struct state_fd *fd, const struct state_fd *like, struct ev_build *b);
void state_facts_of_exit(const struct state_exited_entry *e, struct ev_build *b);

/* --- suppress.c --- */

int state_suppress_init(struct state *st, const char *const *comms);
void state_suppress_done(struct state *st);
void state_suppress_clear(struct state *st);
bool state_suppress_scanned(struct state *st, const struct ev_thread_entry *t);
void state_suppress_propagate(struct state *st);
/* Is there anything to ignore? */
static inline bool state_suppresses(const struct state *st)
{
	return st->suppressed_comms.count || st->suppressed_tids.count;
}
bool state_suppress_event(struct state *st, struct ev *ev);
void state_suppress_tid(struct state *st, int64_t tid);

/* --- dispatch.c --- */

enum state_bind {
	STATE_BIND_GET,	   /* placeholder if unknown */
	STATE_BIND_FIND,   /* clones, exits */
	STATE_BIND_SWITCH, /* thread only */
	STATE_BIND_NONE,
	STATE_BIND_PROCINFO, /* the subject, if known */
};

struct state_rule {
	void (*parse)(struct state_event *e);
	uint8_t bind;	/* enum state_bind */
	uint8_t fd;	/* exit events that use an fd: which parameter; 0: none */
	bool uses_fd;	/* enter event: parameter 0 is an fd */
	bool hidden;	/* never shown */
	bool initial;	/* initial state when at the head of the stream */
	bool container; /* the container id may change */
	bool observed;	/* tell_observer() has something to tell */
};

extern const struct state_rule state_rules[EV_TYPE_COUNT];

static inline bool state_is_visible(const struct state *st, const struct ev *ev)
{
	return st->phase == STATE_RUN && !state_rules[ev->type].hidden &&
	       !(ev->block_flags & EV_STATE_ONLY);
}

/* state_feed() of an event, or, if nobody @looks at it, state_pass(). */
int state_feed_event(struct state *st, struct ev *ev, bool looks, struct state_binding *bind);

/*
 * The same, if the initial state is complete, no commands are suppressed and @ev is of a known
 * type.
 */
void state_feed_usual(struct state *st, struct ev *ev, bool looks, struct state_binding *bind);
/* Whoever looks at an event of @t sees changes of its main thread. */
void state_follow_main(struct state *st, struct state_thread *t);
/* Complete @bind, of an event that was passed and changed no descriptor, for who looks at it. */
void state_describe(struct state *st, struct state_binding *bind);

/* pass.c */
void state_pass_init(struct state *st);

static inline void state_count_event(struct state *st, struct ev *ev)
{
	ev->num = ++st->stats.events;
	if (ev_info(ev)->category & EC_METAEVENT)
		return;
	if (UNLIKELY(!st->stats.first_event_ts))
		st->stats.first_event_ts = st->stats.first_ts = ev->ts;
	st->stats.last_ts = ev->ts;
}

/* What @e->ev is about becomes @e->t and @e->fd. */
void state_bind_event(struct state_event *e);

/* entered.c */
/* @head's numbers and @text; NULL when out of memory. */
struct state_stored *state_stored_new(struct state *st, const struct state_stored *head,
				      struct sv text);
void state_store_enter(struct state_event *e, struct sv text, int64_t dirfd, uint32_t flags);
const struct state_stored *state_retrieve_enter(const struct state_event *e);

/* Parsers: one per family of events. */
void state_on_clone(struct state_event *e);
void state_on_exec(struct state_event *e);
void state_on_exit(struct state_event *e);
void state_on_open_enter(struct state_event *e);
void state_on_openat_enter(struct state_event *e);
void state_on_name_enter(struct state_event *e);
void state_on_execveat_enter(struct state_event *e);
void state_on_connect_enter(struct state_event *e);
void state_on_open(struct state_event *e);
void state_on_creat(struct state_event *e);
void state_on_openat(struct state_event *e);
void state_on_openat2(struct state_event *e);
void state_on_open_by_handle(struct state_event *e);
void state_on_close(struct state_event *e);
void state_on_close_range(struct state_event *e);
void state_on_dup(struct state_event *e);
void state_on_dup3(struct state_event *e);
void state_on_fcntl(struct state_event *e);
void state_on_pipe(struct state_event *e);
void state_on_pipe2(struct state_event *e);
void state_on_eventfd(struct state_event *e);
void state_on_eventfd2(struct state_event *e);
void state_on_signalfd(struct state_event *e);
void state_on_signalfd4(struct state_event *e);
void state_on_timerfd(struct state_event *e);
void state_on_inotify(struct state_event *e);
void state_on_inotify1(struct state_event *e);
void state_on_epoll(struct state_event *e);
void state_on_epoll1(struct state_event *e);
void state_on_bpf(struct state_event *e);
void state_on_userfaultfd(struct state_event *e);
void state_on_io_uring(struct state_event *e);
void state_on_memfd(struct state_event *e);
void state_on_pidfd_open(struct state_event *e);
void state_on_pidfd_getfd(struct state_event *e);
void state_on_socket(struct state_event *e);
void state_on_socketpair(struct state_event *e);
void state_on_bind(struct state_event *e);
void state_on_connect(struct state_event *e);
void state_on_accept(struct state_event *e);
void state_on_accept4(struct state_event *e);
void state_on_transfer(struct state_event *e);
void state_on_recv(struct state_event *e);
void state_on_recvfrom(struct state_event *e);
void state_on_recvmsg(struct state_event *e);
void state_on_send(struct state_event *e);
void state_on_sendmmsg(struct state_event *e);
void state_on_chdir(struct state_event *e);
void state_on_fchdir(struct state_event *e);
void state_on_chroot(struct state_event *e);
void state_on_setuid(struct state_event *e);
void state_on_setgid(struct state_event *e);
void state_on_setreuid(struct state_event *e);
void state_on_setregid(struct state_event *e);
void state_on_capset(struct state_event *e);
void state_on_unshare(struct state_event *e);
void state_on_setns(struct state_event *e);
void state_on_setsid(struct state_event *e);
void state_on_prctl(struct state_event *e);
void state_on_rlimit(struct state_event *e);
void state_on_prlimit(struct state_event *e);
void state_on_memory(struct state_event *e);
void state_on_switch(struct state_event *e);
void state_on_user_added(struct state_event *e);
void state_on_user_deleted(struct state_event *e);
void state_on_group_added(struct state_event *e);
void state_on_group_deleted(struct state_event *e);
void state_on_async(struct state_event *e);
void state_on_container_json(struct state_event *e);

/* uring.c: what the operation @ring changes; @e is bound to what it is about. */
void state_on_operation(struct state_event *e, struct ev *ring);

/* DIRFD: the directory a relative @name is relative to; written to @out if it has to be built. */
struct sv state_dirfd_base(struct state_event *e, int64_t dirfd, struct sv name,
			   char out[STATE_PATH_MAX]);

#endif
