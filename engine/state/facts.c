/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lists of threads and descriptors have no room for: written as the difference to what they
 * made of a record, and read after them.
 */
#include <string.h>

#include "engine/state/internal.h"

/* --- numbers of a record that a parameter holds as they are --- */

struct number {
	uint8_t param, size;
	uint16_t at;
};

#define NUMBER(param, type, member)                                                                \
	{                                                                                          \
		(param), sizeof(((struct type *)0)->member), offsetof(struct type, member)         \
	}

static const struct number thread_numbers[] = {
    NUMBER(EV_THREAD_PID, state_thread, pid),
    NUMBER(EV_THREAD_PTID, state_thread, ptid),
    NUMBER(EV_THREAD_FLAGS, state_thread, flags),
    NUMBER(EV_THREAD_CLONED, state_thread, clone_ts),
    NUMBER(EV_THREAD_EXECUTED, state_thread, lastexec_ts),
    NUMBER(EV_THREAD_EXECS, state_thread, exec_count),
    NUMBER(EV_THREAD_LAST, state_thread, lastevent_ts),
    NUMBER(EV_THREAD_PREVIOUS, state_thread, prevevent_ts),
    NUMBER(EV_THREAD_LAST_TYPE, state_thread, lastevent_type),
    NUMBER(EV_THREAD_LAST_FD, state_thread, lastevent_fd),
    NUMBER(EV_THREAD_REAPER, state_thread, reaper_tid),
    NUMBER(EV_THREAD_HAD_CHILDREN, state_thread, had_children),
    NUMBER(EV_THREAD_CTIME_CLONE, state_thread, exe_ino_ctime_duration_clone_ts),
    NUMBER(EV_THREAD_CTIME_PIDNS, state_thread, exe_ino_ctime_duration_pidns_start),
    NUMBER(EV_THREAD_PIDNS_START, state_thread, pidns_init_start_ts),
    NUMBER(EV_THREAD_CATEGORY, state_thread, container_category),
    NUMBER(EV_THREAD_CMDLINE_KEPT, state_thread, cmdline_cached),
};

static const struct number fd_numbers[] = {
    NUMBER(EV_FDF_NUM, state_fd, num),	   NUMBER(EV_FDF_TYPE, state_fd, type),
    NUMBER(EV_FDF_FLAGS, state_fd, flags), NUMBER(EV_FDF_OPENFLAGS, state_fd, openflags),
    NUMBER(EV_FDF_DEV, state_fd, dev),	   NUMBER(EV_FDF_INO, state_fd, ino),
    NUMBER(EV_FDF_PID, state_fd, pid),
};

static const struct number socket_numbers[] = {
    NUMBER(EV_FDF_SIP, state_fd, sock.sip),	    NUMBER(EV_FDF_DIP, state_fd, sock.dip),
    NUMBER(EV_FDF_SPORT, state_fd, sock.sport),	    NUMBER(EV_FDF_DPORT, state_fd, sock.dport),
    NUMBER(EV_FDF_L4PROTO, state_fd, sock.l4proto),
};

static const struct number unix_numbers[] = {
    NUMBER(EV_FDF_UNIX_SOURCE, state_fd, un.source),
    NUMBER(EV_FDF_UNIX_DEST, state_fd, un.dest),
};

static const struct number group_numbers[] = {
    NUMBER(EV_THREAD_ALIVE, state_group, alive),
    NUMBER(EV_THREAD_REAPS, state_group, reaper),
};

/* Records and parameters have the same byte order: that of the machines we build for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "parameters are little endian");

static void read_numbers(struct ev *ev, const struct number *n, size_t count, void *record)
{
	for (; count; n++, count--) {
		struct ev_value v = ev_param(ev, n->param);

		if (v.n == n->size)
			memcpy((uint8_t *)record + n->at, v.p, v.n);
	}
}

/* What a parameter is to be; parameters are given in order at the end. */
struct facts {
	struct {
		const void *p; /* NULL: empty */
		size_t n;
		bool is_text;
	} param[EV_PARAMS_MAX];
	bool any;
};

static void set_bytes(struct facts *f, unsigned param, const void *p, size_t n)
{
	f->param[param].p = p;
	f->param[param].n = n;
	f->any = true;
}

/* Those in which @record differs from @like; NULL: all. */
static void set_numbers(struct facts *f, const struct number *n, size_t count, const void *record,
			const void *like)
{
	for (; count; n++, count--) {
		const uint8_t *p = (const uint8_t *)record + n->at;

		if (!like || memcmp(p, (const uint8_t *)like + n->at, n->size) != 0)
			set_bytes(f, n->param, p, n->size);
	}
}

static void set_text(struct facts *f, unsigned param, struct sv text, struct sv like)
{
	if (sv_eq(text, like))
		return;
	set_bytes(f, param, text.p, text.n);
	f->param[param].is_text = true;
}

static bool put(const struct facts *f, unsigned count, struct ev_build *b)
{
	for (unsigned i = 0; f->any && i < count; i++) {
		if (f->param[i].is_text)
			ev_build_text(b, sv_make(f->param[i].p, f->param[i].n));
		else
			ev_build_bytes(b, f->param[i].p, f->param[i].n);
	}
	return f->any;
}

/* --- threads --- */

static const struct {
	unsigned param;
	size_t at;
} thread_texts[] = {
    {EV_THREAD_CMDLINE, offsetof(struct state_thread, cmdline)},
    {EV_THREAD_COMM, offsetof(struct state_thread, comm)},
    {EV_THREAD_EXE, offsetof(struct state_thread, exe)},
    {EV_THREAD_EXEPATH, offsetof(struct state_thread, exepath)},
    {EV_THREAD_ROOT, offsetof(struct state_thread, root)},
    {EV_THREAD_CWD, offsetof(struct state_thread, cwd)},
    {EV_THREAD_CONTAINER, offsetof(struct state_thread, container_id)},
};

static struct state_str **text_at(const struct state_thread *t, size_t i)
{
	return (struct state_str **)(void *)((uint8_t *)t + thread_texts[i].at);
}

static void set_texts(struct facts *f, const struct state_thread *t,
		      const struct state_thread *like)
{
	for (size_t i = 0; i < COUNT_OF(thread_texts); i++)
		set_text(f, thread_texts[i].param, state_sv(*text_at(t, i)),
			 state_sv(*text_at(like, i)));
	if (t->env.count != like->env.count ||
	    !sv_eq(state_sv(t->env.block), state_sv(like->env.block)))
		set_bytes(f, EV_THREAD_ENV, t->env.block ? t->env.block->text : "",
			  t->env.block ? t->env.block->len + 1u : 1);
}

static void set_call(struct facts *f, const struct state_stored *s)
{
	set_bytes(f, EV_THREAD_CALL, &s->type, sizeof(s->type));
	set_bytes(f, EV_THREAD_CALL_FLAGS, &s->flags, sizeof(s->flags));
	set_bytes(f, EV_THREAD_CALL_DIRFD, &s->dirfd, sizeof(s->dirfd));
	set_bytes(f, EV_THREAD_CALL_TEXT, s->text, s->len);
}

bool state_facts_of_thread(const struct state_thread *t, const struct state_thread *like,
			   struct ev_build *b)
{
	static const struct state_thread nothing;
	struct facts f = {0};

	set_numbers(&f, thread_numbers, COUNT_OF(thread_numbers), t, like);
	set_texts(&f, t, like ? like : &nothing);
	if (t->stored)
		set_call(&f, t->stored);
	/* The leader speaks for its group. */
	if (t->group && t->group->first == t)
		set_numbers(&f, group_numbers, COUNT_OF(group_numbers), t->group,
			    like ? like->group : NULL);
	return put(&f, EV_THREAD_FACTS, b);
}

void state_facts_of_exit(const struct state_exited_entry *e, struct ev_build *b)
{
	const int64_t ptid = (int32_t)e->ptid;
	struct facts f = {0};

	set_bytes(&f, EV_THREAD_PTID, &ptid, sizeof(ptid));
	set_bytes(&f, EV_THREAD_GONE, &e->ts, sizeof(e->ts));
	put(&f, EV_THREAD_FACTS, b);
}

static struct sv text_of(struct ev *ev, unsigned i)
{
	struct ev_value v = ev_param(ev, i);

	return v.n ? sv_make(v.p, strnlen((const char *)v.p, v.n)) : SV_NONE;
}

static void take_call(struct state *st, struct state_thread *t, struct ev *ev)
{
	struct state_stored head = {0};
	struct ev_value text = ev_param(ev, EV_THREAD_CALL_TEXT);

	if (!ev_u16(ev, EV_THREAD_CALL, &head.type) ||
	    !ev_u32(ev, EV_THREAD_CALL_FLAGS, &head.flags) ||
	    !ev_i64(ev, EV_THREAD_CALL_DIRFD, &head.dirfd) || text.n > STATE_STORED_MAX)
		return;
	state_thread_drop_stored(st, t);
	t->stored = state_stored_new(st, &head, sv_make(text.p, text.n));
	st->nomem |= !t->stored;
}

/* Only one that is bool to us has a byte that could be neither. */
static bool are_bools(struct ev *ev)
{
	static const uint8_t params[] = {EV_THREAD_HAD_CHILDREN, EV_THREAD_REAPS,
					 EV_THREAD_CMDLINE_KEPT};

	for (size_t i = 0; i < sizeof(params); i++) {
		struct ev_value v = ev_param(ev, params[i]);

		if (v.n && *v.p > 1)
			return false;
	}
	return true;
}

static bool take_exit(struct state *st, struct ev *ev)
{
	int64_t ptid = -1;
	uint64_t ts;

	if (!ev_u64(ev, EV_THREAD_GONE, &ts))
		return false;
	ev_i64(ev, EV_THREAD_PTID, &ptid);
	state_exited_push(&st->exited, ptid, ev->tid, ts);
	return true;
}

static bool is_left_out(const struct state *st, unsigned param)
{
	return st->no_containers && param == EV_THREAD_CONTAINER;
}

static void take_thread(struct state *st, struct ev *ev)
{
	struct ev_value env = ev_param(ev, EV_THREAD_ENV);
	struct state_thread *t;
	int64_t pid;

	if (take_exit(st, ev) || !are_bools(ev))
		return;
	t = state_get(st, ev->tid);
	if (!t)
		return;
	pid = t->pid;
	read_numbers(ev, thread_numbers, COUNT_OF(thread_numbers), t);
	t->pid = pid; /* groups go by it */
	/* Children would not know of a parent with less. */
	t->had_children |= t->first_child != NULL;
	for (size_t i = 0; i < COUNT_OF(thread_texts); i++)
		if (ev_param(ev, thread_texts[i].param).n &&
		    !is_left_out(st, thread_texts[i].param))
			state_str_set(st, text_at(t, i), text_of(ev, thread_texts[i].param));
	if (env.n)
		state_list_set(st, &t->env, sv_make(env.p, env.n));
	take_call(st, t, ev);
	if (t->group)
		read_numbers(ev, group_numbers, COUNT_OF(group_numbers), t->group);
	state_touch(st, t);
}

/* --- descriptors --- */

/* Which numbers say where a descriptor leads, if it is a socket. */
static const struct number *socket_of(int8_t type, size_t *count)
{
	*count = 0;
	switch (type) {
	case EV_FD_UNIX_SOCK:
		*count = COUNT_OF(unix_numbers);
		return unix_numbers;
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
	case EV_FD_IPV4_SERVSOCK:
	case EV_FD_IPV6_SERVSOCK:
		*count = COUNT_OF(socket_numbers);
		return socket_numbers;
	default:
		return NULL;
	}
}

static bool same_fd(const struct state_fd *a, const struct state_fd *b)
{
	struct facts f = {0};
	const struct number *socket;
	size_t n;

	if (a->type != b->type)
		return false;
	socket = socket_of(a->type, &n);
	set_numbers(&f, fd_numbers, COUNT_OF(fd_numbers), a, b);
	set_numbers(&f, socket, n, a, b);
	return !f.any && sv_eq(state_sv(a->name), state_sv(b->name)) &&
	       sv_eq(state_sv(a->name_raw), state_sv(b->name_raw));
}

bool state_facts_of_fd(const struct state_fd *fd, const struct state_fd *like, struct ev_build *b)
{
	const struct number *socket;
	struct facts f = {0};
	size_t n;

	if (like && same_fd(fd, like))
		return false;
	socket = socket_of(fd->type, &n);
	set_numbers(&f, fd_numbers, COUNT_OF(fd_numbers), fd, NULL);
	set_numbers(&f, socket, n, fd, NULL);
	set_text(&f, EV_FDF_NAME, state_sv(fd->name), SV_NONE);
	set_text(&f, EV_FDF_NAME_RAW, state_sv(fd->name_raw), SV_NONE);
	return put(&f, EV_FD_FACTS, b);
}

static void take_fd(struct state *st, struct ev *ev)
{
	struct state_thread *t = state_get(st, ev->tid);
	struct state_fd fd = {.num = INT64_MIN};
	const struct number *socket;
	size_t n;

	if (!t || ev_param(ev, EV_FDF_NUM).n != sizeof(fd.num))
		return;
	read_numbers(ev, fd_numbers, COUNT_OF(fd_numbers), &fd);
	if (fd.type < EV_FD_UNINITIALIZED || fd.type > EV_FD_PIDFD)
		return;
	socket = socket_of(fd.type, &n);
	read_numbers(ev, socket, n, &fd);
	if (n == COUNT_OF(socket_numbers) && fd.sock.l4proto > EV_L4_RAW)
		return;
	fd.name = state_str_new(st, text_of(ev, EV_FDF_NAME));
	fd.name_raw = state_str_new(st, text_of(ev, EV_FDF_NAME_RAW));
	state_fd_insert_take(st, &t->fds, fd.num, &fd);
}

void state_facts_apply(struct state *st, struct ev *ev)
{
	if (st->phase == STATE_RUN)
		return;
	if (st->phase == STATE_BOOT) {
		state_import_threads_done(st);
		st->phase = STATE_HEAD;
	}
	state_import_settle(st);
	if (ev->type == EV_TYPE_FD_FACTS)
		take_fd(st, ev);
	else if (ev->type == EV_TYPE_THREAD_FACTS)
		take_thread(st, ev);
}
