/* SPDX-License-Identifier: Apache-2.0 */
/* The state as a whole, and one event's way through it. */
#include "engine/state/internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- life --- */

int state_new(const struct state_options *opt, struct state **out, struct error *err)
{
	static const struct state_options defaults;
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return error_nomem(err);
	if (!opt)
		opt = &defaults;
	st->threads_max = opt->threads_max ? opt->threads_max : STATE_THREADS_MAX;
	st->fds_max = opt->fds_max ? opt->fds_max : STATE_FDS_MAX;
	st->fds_total_max = opt->fds_total_max ? opt->fds_total_max : STATE_FDS_TOTAL_MAX;
	state_pass_init(st);
	st->no_containers = opt->no_containers;
	st->host_names = opt->host_names;
	st->host_container.type = STATE_CT_HOST;
	st->host_container.id = state_str_new(st, SV_LIT("host"));
	st->host_container.full_id = state_str_ref(st->host_container.id);
	st->host_container.name = state_str_ref(st->host_container.id);
	if (st->nomem || state_suppress_init(st, opt->suppressed_comms) < 0) {
		state_free(st);
		return error_nomem(err);
	}
	*out = st;
	return 0;
}

/* The observer may look around: it hears of all of them before the first is freed. */
static void forget_threads(struct state *st)
{
	bool observed = st->observed;
	struct map_slot *slot;

	for (size_t at = 0; observed && (slot = map_next(&st->threads, &at));)
		st->observer.thread_removed(st->observer.arg, st, slot->value);
	st->observed = false;
	for (size_t at = 0; (slot = map_next(&st->threads, &at));)
		state_thread_retire(st, slot->value);
	map_clear(&st->threads);
	st->observed = observed;
}

/* What belongs to the stream read so far beside threads: everything but options, counters and
 * memory. */
static void forget_rest(struct state *st)
{
	memset(st->cache, 0, sizeof(st->cache));
	memset(&st->exited, 0, sizeof(st->exited));
	memset(st->server_ports, 0, sizeof(st->server_ports));
	st->pending_exit = st->pending_close = false;
	st->added_count = 0;
	state_suppress_clear(st);
	state_interfaces_clear(st);
	state_users_clear(st);
	state_containers_clear(st);
	state_exe_hashes_clear(st);
	state_str_unref(st, st->machine.hostname);
	st->machine = (struct state_machine){0};
	st->phase = STATE_BOOT;
	st->settled = false;
}

static void forget(struct state *st)
{
	forget_threads(st);
	forget_rest(st);
}

/* Threads with all they have go with the pool, which takes a tenth of the time where there are
 * many. */
void state_free(struct state *st)
{
	if (!st)
		return;
	forget_rest(st);
	state_suppress_done(st);
	map_done(&st->threads);
	map_done(&st->groups);
	map_done(&st->exe_hashes);
	buf_done(&st->scratch);
	pool_done(&st->pool);
	free(st);
}

/* --- observer --- */

static void no_thread_event(void *arg, const struct state *st, const struct state_thread *t,
			    const struct ev *ev)
{
	(void)arg;
	(void)st;
	(void)t;
	(void)ev;
}

static void no_thread_exit(void *arg, const struct state *st, const struct state_thread *t,
			   const struct ev *ev, int64_t status)
{
	(void)status;
	no_thread_event(arg, st, t, ev);
}

static void no_thread_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	no_thread_event(arg, st, t, NULL);
}

void state_observe(struct state *st, const struct state_observer *obs)
{
	st->observed = obs != NULL;
	if (!obs)
		return;
	st->observer = *obs;
	if (!obs->thread_added)
		st->observer.thread_added = no_thread_event;
	if (!obs->thread_exec)
		st->observer.thread_exec = no_thread_event;
	if (!obs->thread_exit)
		st->observer.thread_exit = no_thread_exit;
	if (!obs->thread_removed)
		st->observer.thread_removed = no_thread_removed;
}

static void announce_exit(struct state_event *e)
{
	struct state *st = e->st;
	int64_t status = -1;

	if (ev_param(e->ev, 0).n == 8)
		status = (int64_t)load_u64(ev_param(e->ev, 0).p);
	st->observer.thread_exit(st->observer.arg, st, e->t, e->ev, status);
}

static NOINLINE void tell_observer(struct state_event *e)
{
	struct state *st = e->st;

	while (st->added_count) {
		struct state_thread *t = state_find(st, st->added[--st->added_count]);

		if (t)
			st->observer.thread_added(st->observer.arg, st, t, e->ev);
	}
	if (!e->t || e->malformed)
		return;
	if ((e->ev->type == EV_EXECVE_19_X || e->ev->type == EV_EXECVEAT_X) && e->ret >= 0)
		st->observer.thread_exec(st->observer.arg, st, e->t, e->ev);
	else if (e->ev->type == EV_PROCEXIT_1_E)
		announce_exit(e);
}

/* Once the event is through, when the records are complete. Of most there is nothing to tell. */
static inline void announce(struct state_event *e, const struct state_rule *rule)
{
	if (UNLIKELY(e->st->added_count || rule->observed) && e->st->observed)
		tell_observer(e);
}

/* --- binding: from an event to the records it is about --- */

static ALWAYS_INLINE void bind_thread(struct state_event *e, const struct state_rule *rule)
{
	struct state_thread *t = NULL;

	if (rule->bind != STATE_BIND_NONE)
		t = state_find(e->st, e->ev->tid);
	if (LIKELY(rule->bind == STATE_BIND_GET)) {
		if (UNLIKELY(!t))
			t = state_get(e->st, e->ev->tid);
		if (t)
			t->flags |= STATE_CL_ACTIVE;
	}
	e->t = t;
}

static inline void bind_enter(struct state_event *e, const struct state_rule *rule)
{
	int64_t num;

	e->t->lastevent_fd = -1;
	e->t->lastevent_type = e->ev->type;
	if (rule->uses_fd && state_need_i64(e, 0, &num)) {
		e->t->lastevent_fd = num;
		e->fd = state_fd_lookup(e->st, e->t, num);
	}
}

static ALWAYS_INLINE void bind_exit(struct state_event *e, const struct state_rule *rule)
{
	const unsigned type = e->ev->type, enter = e->t->lastevent_type;
	struct state_thread *t = e->t;
	int64_t num;

	e->paired = type == enter + 1 || (type == EV_EXECVE_19_X && enter == EV_EXECVEAT_E);
	if (!e->paired)
		t->lastevent_fd = -1;
	if (!rule->fd)
		return;
	/* What the exit event itself says wins over what an enter event, perhaps of another call,
	 * left. */
	if (state_opt_i64(e, rule->fd, &num))
		t->lastevent_fd = num;
	if (t->lastevent_fd >= 0)
		e->fd = state_fd_lookup(e->st, t, t->lastevent_fd);
}

static ALWAYS_INLINE void bind_event(struct state_event *e, const struct state_rule *rule,
				     bool exit)
{
	e->fd = NULL;
	bind_thread(e, rule);
	if (!e->t || rule->bind > STATE_BIND_FIND)
		return;
	if (exit)
		bind_exit(e, rule);
	else
		bind_enter(e, rule);
}

void state_bind_event(struct state_event *e)
{
	bind_event(e, &state_rules[e->ev->type], ev_type_is_exit(e->ev->type));
}

/* --- events --- */

static NOINLINE void settle_pending(struct state *st, uint64_t now)
{
	struct state_fds *const *table;
	struct state_thread *t;

	if (st->pending_exit) {
		st->pending_exit = false;
		t = state_find(st, st->pending_tid);
		state_exited_push(&st->exited, t ? t->ptid : -1, st->pending_tid, now);
		state_tree_remove(st, st->pending_tid);
	}
	if (st->pending_close) {
		st->pending_close = false;
		t = state_find(st, st->pending_fd_tid);
		table = t ? state_fds_of(t) : NULL;
		if (table)
			state_fd_remove(st, *table, st->pending_fd);
	}
}

void state_settle(struct state *st, uint64_t now)
{
	if (st->pending_exit || st->pending_close)
		settle_pending(st, now);
}

/* The metadata ends with the first event, the initial state with the first that is not part of it.
 */
static void advance_phase(struct state *st, bool initial)
{
	if (st->phase == STATE_BOOT) {
		state_import_threads_done(st);
		st->phase = STATE_HEAD;
	}
	if (!initial || st->settled) {
		state_import_done(st);
		st->phase = STATE_RUN;
	}
}

bool state_is_complete(const struct state *st)
{
	return st->phase == STATE_RUN;
}

bool state_takes_as_initial(const struct state *st, const struct ev *ev)
{
	return st->phase != STATE_RUN && !st->settled && ev->type < EV_TYPE_COUNT &&
	       state_rules[ev->type].initial;
}

/* Reading and writing only settles what a socket is. */
bool state_is_changed_by(const struct state_binding *b, bool figures)
{
	const struct state_rule *rule = &state_rules[b->ev->type];
	unsigned low = ev_info(b->ev)->category & EC_LOW_MASK;
	const struct state_fd *fd = b->fd;

	if (!rule->parse)
		return false;
	if (rule->parse == state_on_memory || rule->parse == state_on_switch)
		return figures;
	if (low != EC_IO_READ && low != EC_IO_WRITE)
		return true;
	return !fd || fd->type == EV_FD_UNIX_SOCK || fd->type == EV_FD_IPV4_SOCK ||
	       fd->type == EV_FD_IPV6_SOCK || state_fd_is_listener(fd);
}

void state_complete(struct state *st)
{
	if (st->phase != STATE_RUN)
		advance_phase(st, false);
}

/* The thread shows some attributes of its main thread: when those change, it changes, too. */
void state_follow_main(struct state *st, struct state_thread *t)
{
	const struct state_thread *main;
	uint64_t generation;

	if (!t || state_is_main(t))
		return;
	main = state_main(t);
	generation = main ? main->generation : 0;
	if (t->main_generation == generation)
		return;
	t->main_generation = generation;
	state_touch(st, t);
}

static void update_container(struct state_event *e)
{
	struct state_thread *t;

	if (e->ret < 0)
		return;
	t = state_find(e->st, e->ev->tid);
	if (t)
		state_container_update(e->st, t);
}

static inline void finish_thread(struct state_event *e, const struct state_rule *rule, bool exit)
{
	struct state_thread *t = e->t;

	if (!t)
		return;
	if (exit && t->stored)
		state_thread_drop_stored(e->st, t);
	if (rule->bind == STATE_BIND_SWITCH)
		return;
	t->prevevent_ts = t->lastevent_ts;
	t->lastevent_ts = e->ev->ts;
}

static inline int errno_of(int64_t ret)
{
	if (ret >= 0)
		return 0;
	return ret < -INT_MAX ? INT_MAX : (int)-ret;
}

static bool has_new_name(const struct state_fd *fd)
{
	return fd->name != fd->old_name && !sv_eq(state_sv(fd->name), state_sv(fd->old_name));
}

/* As ev_return_value(), for the usual width at once. */
static inline bool return_value(struct ev *ev, int64_t *ret)
{
	const struct ev_info *info = &ev_table[ev->type];

	if (LIKELY(ev->located && ev->at[1] == 8 && ev_type_is_exit(ev->type) &&
		   (info->category & EC_SYSCALL) && ev->type != EV_GENERIC_X)) {
		*ret = (int64_t)load_u64(ev->data);
		return true;
	}
	return ev_return_value(ev, ret);
}

static ALWAYS_INLINE void apply(struct state_event *e)
{
	const struct state_rule *rule = &state_rules[e->ev->type];
	const bool exit = ev_type_is_exit(e->ev->type);
	int64_t ret = 0;

	e->has_ret = return_value(e->ev, &ret);
	e->ret = ret;
	bind_event(e, rule, exit);
	if (rule->parse)
		rule->parse(e);
	if (rule->container)
		update_container(e);
	announce(e, rule);
	finish_thread(e, rule, exit);
	e->st->stats.malformed += e->malformed;
}

/* What only somebody who looks at the event wants to know. */
static void describe(struct state_event *e, struct state_binding *bind)
{
	state_follow_main(e->st, e->t);
	bind->errcode = e->t && e->has_ret ? errno_of(e->ret) : 0;
	bind->fd_name_changed = e->fd && has_new_name(e->fd);
}

int state_feed_event(struct state *st, struct ev *ev, bool looks, struct state_binding *bind)
{
	struct state_event e = {.st = st, .ev = ev};

	if (ev->type >= EV_TYPE_COUNT)
		return 0;
	if (UNLIKELY(st->phase != STATE_RUN))
		advance_phase(st, state_rules[ev->type].initial);
	if (UNLIKELY(state_suppresses(st)) && state_suppress_event(st, ev)) {
		st->stats.suppressed++;
		return 0;
	}
	st->current = ev;
	state_count_event(st, ev);
	state_settle(st, ev->ts);
	apply(&e);
	*bind = (struct state_binding){
	    .ev = ev, .thread = e.t, .fd = e.fd, .visible = state_is_visible(st, ev)};
	if (looks)
		describe(&e, bind);
	st->current = NULL;
	return 1;
}

void state_describe(struct state *st, struct state_binding *bind)
{
	int64_t ret;

	state_follow_main(st, bind->thread);
	bind->errcode = return_value(bind->ev, &ret) ? errno_of(ret) : 0;
}

void state_feed_usual(struct state *st, struct ev *ev, bool looks, struct state_binding *bind)
{
	struct state_event e = {.st = st, .ev = ev};

	st->current = ev;
	state_count_event(st, ev);
	state_settle(st, ev->ts);
	apply(&e);
	*bind = (struct state_binding){
	    .ev = ev, .thread = e.t, .fd = e.fd, .visible = !state_rules[ev->type].hidden};
	if (looks)
		describe(&e, bind);
	st->current = NULL;
}

/* Not counted, and no event of its thread: only descriptors change. */
static int feed_operation(struct state *st, struct ev *ev, struct state_binding *bind)
{
	struct state_event e = {.st = st, .ev = ev};

	*bind = (struct state_binding){.ev = ev};
	state_complete(st);
	if (state_suppress_event(st, ev))
		return 0;
	ev->num = st->stats.events;
	st->current = ev;
	state_settle(st, ev->ts);
	state_on_operation(&e, ev);
	if (st->observed)
		tell_observer(&e);
	st->stats.malformed += e.malformed;
	bind->thread = e.t;
	bind->fd = e.fd;
	st->current = NULL;
	return 0;
}

int state_feed(struct state *st, const struct ev_item *item, struct state_binding *bind,
	       struct error *err)
{
	int rc = 0;

	if (LIKELY(item->kind == EV_ITEM_EVENT))
		rc = state_feed_event(st, item->ev, true, bind);
	else if (item->kind == EV_ITEM_URING)
		rc = feed_operation(st, item->ev, bind);
	else if (item->kind == EV_ITEM_SECTION)
		forget(st);
	else
		state_import(st, item);
	if (UNLIKELY(st->nomem)) {
		st->nomem = false;
		return error_nomem(err);
	}
	return rc;
}

const struct state_machine *state_machine(const struct state *st)
{
	return &st->machine;
}

const struct state_stats *state_stats(const struct state *st)
{
	struct state_stats *stats = (struct state_stats *)&st->stats;

	stats->memory = sizeof(*st) + st->pool.total +
			(st->threads.mask + st->groups.mask) * sizeof(struct map_slot);
	return stats;
}
