/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/tests/story.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* --- the head of the capture --- */

static void user(struct story *s, uint32_t uid, const char *name)
{
	cb_entry_begin(&s->c);
	cb_u8(&s->c, 0);
	cb_u32(&s->c, uid);
	cb_u32(&s->c, uid);
	cb_str16(&s->c, name);
	cb_str16(&s->c, "/");
	cb_str16(&s->c, "/bin/sh");
	cb_entry_end(&s->c, true);
}

void story_begin(struct story *s)
{
	*s = (struct story){.now = 10};
	cb_section(&s->c);
	cb_machine(&s->c, 2, "box");
	cb_begin(&s->c, CB_UL_V2);
	user(s, 0, "root");
	user(s, AMY, "amy");
	user(s, 33, "www");
	cb_end(&s->c);
}

void story_done(struct story *s)
{
	cb_done(&s->c);
}

void story_list(struct story *s, const struct listed *all, size_t n)
{
	cb_begin(&s->c, cb_thread_block(9));
	for (size_t i = 0; i < n; i++) {
		const struct listed *l = &all[i];
		struct ev_thread_entry t = {
		    .tid = l->tid,
		    .pid = l->tid,
		    .ptid = l->ptid,
		    .sid = l->sid,
		    .vpgid = l->pgid,
		    .pgid = l->pgid ? l->pgid : -1,
		    .vtid = l->tid,
		    .vpid = l->tid,
		    .comm = sv_of(l->comm),
		    .exe = sv_of(l->exe ? l->exe : l->comm),
		    .exepath = sv_of(l->exe ? l->exe : l->comm),
		    .cwd = SV_LIT("/root"),
		    .root = SV_LIT("/"),
		    .cgroups = sv_make(l->cgroups, l->cgroups_len),
		    .uid = l->uid,
		    .loginuid = l->loginuid ? l->loginuid : EV_NO_ID,
		    .tty = l->tty,
		};

		cb_thread(&s->c, 9, &t, 76);
	}
	cb_end(&s->c);
}

void story_list_socket(struct story *s, int64_t tid, int64_t fd, uint64_t ino, const char *lip,
		       uint16_t lport, const char *rip, uint16_t rport)
{
	uint8_t ip[4];

	cb_begin(&s->c, CB_FDL_V2);
	cb_u64(&s->c, (uint64_t)tid);
	cb_entry_begin(&s->c);
	cb_u64(&s->c, (uint64_t)fd);
	cb_u64(&s->c, ino);
	cb_u8(&s->c, rip ? EV_FD_IPV4_SOCK : EV_FD_IPV4_SERVSOCK);
	assert_int_equal(inet_pton(AF_INET, lip, ip), 1);
	cb_bytes(&s->c, ip, 4);
	if (rip) {
		assert_int_equal(inet_pton(AF_INET, rip, ip), 1);
		cb_bytes(&s->c, ip, 4);
		cb_u16(&s->c, lport);
		cb_u16(&s->c, rport);
	} else {
		cb_u16(&s->c, lport);
	}
	cb_u8(&s->c, EV_L4_TCP);
	cb_entry_end(&s->c, true);
	cb_end(&s->c);
}

/* --- events --- */

static void put_int(struct story *s, unsigned type, unsigned i, int64_t v)
{
	uint64_t raw = (uint64_t)v;

	cb_param(&s->c, &raw, ev_ptype_width((enum ev_ptype)ev_table[type].params[i].type));
}

void story_event(struct story *s, int64_t tid, unsigned type, const struct param *params, size_t n)
{
	cb_event_begin(&s->c, CB_EV_V2, type, STORY_EPOCH + s->now * 1000000, tid);
	for (unsigned i = 0; i < ev_table[type].nparams; i++) {
		static const struct param nothing = NOTHING;
		const struct param *p = i < n ? &params[i] : &nothing;

		switch (p->kind) {
		case P_EMPTY:
			cb_param(&s->c, NULL, 0);
			break;
		case P_INT:
			put_int(s, type, i, p->i);
			break;
		case P_STR:
			cb_param_str(&s->c, p->p);
			break;
		case P_BYTES:
			cb_param(&s->c, p->p, p->n);
			break;
		}
	}
	cb_event_end(&s->c);
	s->now += 10;
}

static struct param bytes_of(const char *p, size_t n)
{
	return p ? (struct param){.kind = P_BYTES, .p = p, .n = n}
		 : (struct param){.kind = P_BYTES, .p = "", .n = 1};
}

static struct param some(int64_t v)
{
	return v ? (struct param){.kind = P_INT, .i = v} : (struct param){.kind = P_EMPTY};
}

void story_fork(struct story *s, int64_t parent, const struct image *k)
{
	enum { IN_PIDNS = 1 << 29 };
	const struct param args = bytes_of(k->args, k->args_len);
	const struct param cgroups = k->cgroups ? bytes_of(k->cgroups, k->cgroups_len)
						: bytes_of("cpu=/\0", sizeof("cpu=/"));

	EVENT(s, k->pid, EV_CLONE_20_X, I(0), S(k->exe ? k->exe : k->comm), args, I(k->pid),
	      I(k->pid), I(parent), S(""), I(1024), I(0), I(0), I(0), I(0), I(0), S(k->comm),
	      cgroups, I(k->vpid ? IN_PIDNS : 0), I(k->uid), I(k->uid),
	      I(k->vpid ? k->vpid : k->pid), I(k->vpid ? k->vpid : k->pid), I(0));
}

void story_exec(struct story *s, const struct image *k)
{
	const struct param args = bytes_of(k->args, k->args_len);
	const struct param env = bytes_of(k->env, k->env_len);
	const struct param cgroups = k->cgroups ? bytes_of(k->cgroups, k->cgroups_len)
						: bytes_of("cpu=/\0", sizeof("cpu=/"));
	const char *exe = k->exe ? k->exe : k->comm;

	EVENT(s, k->pid, EV_EXECVE_19_X, I(0), S(exe), args, I(k->pid), I(k->pid), I(k->ptid),
	      S(""), I(1024), I(0), I(0), I(0), I(0), I(0), S(k->comm), cgroups, env, I(k->tty),
	      some(k->pgid), I(k->loginuid ? k->loginuid : EV_NO_ID), I(0), I(0), I(0), I(0), I(0),
	      I(0), I(0), I(k->uid), S(exe), some(k->vpid ? 0 : k->pgid), I(k->uid), S(exe));
}

void story_run(struct story *s, int64_t parent, const struct image *to)
{
	struct image child = *to;

	child.ptid = parent;
	if (!child.pgid)
		child.pgid = child.vpid ? child.vpid : child.pid;
	story_fork(s, parent, &child);
	story_exec(s, &child);
}

void story_setsid(struct story *s, int64_t tid, int64_t sid)
{
	EVENT(s, tid, EV_SETSID_X, I(sid));
}

void story_exit(struct story *s, int64_t tid, int status)
{
	EVENT(s, tid, EV_PROCEXIT_1_E, I(status), I(status >> 8), I(status & 0x7f), I(0), I(0));
}

void story_tick(struct story *s)
{
	EVENT(s, 1, EV_GETUID_X, I(0), I(0));
}

/* --- socket parameters --- */

static void put(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_end(struct bytes *b, const char *ip, uint16_t port)
{
	uint8_t addr[4], le[2] = {(uint8_t)port, (uint8_t)(port >> 8)};

	assert_int_equal(inet_pton(AF_INET, ip, addr), 1);
	put(b, addr, 4);
	put(b, le, 2);
}

struct bytes tuple4(const char *sip, uint16_t sport, const char *dip, uint16_t dport)
{
	struct bytes b = {.p = {2}, .n = 1};

	put_end(&b, sip, sport);
	put_end(&b, dip, dport);
	return b;
}

struct bytes addr4(const char *ip, uint16_t port)
{
	struct bytes b = {.p = {2}, .n = 1};

	put_end(&b, ip, port);
	return b;
}

struct bytes tuple_unix(uint64_t source, uint64_t dest, const char *path)
{
	struct bytes b = {.p = {1}, .n = 1};

	put(&b, &source, 8);
	put(&b, &dest, 8);
	put(&b, path, strlen(path) + 1);
	return b;
}

/* --- following --- */

struct both { /* one observer feeds two trackers */
	struct state_observer procs, sessions;
};

static void on_added(void *arg, const struct state *st, const struct state_thread *t,
		     const struct ev *ev)
{
	struct both *b = arg;

	b->procs.thread_added(b->procs.arg, st, t, ev);
	b->sessions.thread_added(b->sessions.arg, st, t, ev);
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *t,
		    const struct ev *ev)
{
	struct both *b = arg;

	b->procs.thread_exec(b->procs.arg, st, t, ev);
	b->sessions.thread_exec(b->sessions.arg, st, t, ev);
}

static void on_exit_of(void *arg, const struct state *st, const struct state_thread *t,
		       const struct ev *ev, int64_t status)
{
	struct both *b = arg;

	b->procs.thread_exit(b->procs.arg, st, t, ev, status);
	b->sessions.thread_exit(b->sessions.arg, st, t, ev, status);
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	struct both *b = arg;

	b->procs.thread_removed(b->procs.arg, st, t);
	b->sessions.thread_removed(b->sessions.arg, st, t);
}

struct outcome story_follow(struct story *s, const struct act_net_options *net,
			    const struct act_sessions_options *sessions)
{
	struct outcome o = {0};
	struct error err = {0};
	struct state_binding b;
	struct ev_item item;
	struct both both;
	struct state_observer obs = {&both, on_added, on_exec, on_exit_of, on_removed};
	int rc;

	rc = sf_reader_open_memory(s->c.out.p, s->c.out.len, NULL, &o.reader, &err);
	if (rc < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(state_new(NULL, &o.st, NULL), 0);
	assert_int_equal(act_net_new(net, &o.net, NULL), 0);
	assert_int_equal(act_procs_new(true, &o.procs, NULL), 0);
	assert_int_equal(act_sessions_new(sessions, &o.sessions, NULL), 0);
	both = (struct both){act_procs_observer(o.procs), act_sessions_observer(o.sessions)};
	state_observe(o.st, &obs);
	while ((rc = ev_source_next(sf_reader_source(o.reader), &item, &err)) > 0) {
		if (item.kind == EV_ITEM_SECTION) {
			act_net_section(o.net);
			act_sessions_section(o.sessions);
		}
		rc = state_feed(o.st, &item, &b, &err);
		assert_true(rc >= 0);
		if (rc == 0)
			continue;
		act_net_event(o.net, o.st, &b);
		act_sessions_event(o.sessions, o.st, &b);
	}
	assert_int_equal(rc, 0);
	state_complete(o.st);
	state_settle(o.st, STORY_EPOCH + s->now * 1000000);
	act_net_settle(o.net, o.st);
	act_sessions_settle(o.sessions, o.st);
	state_observe(o.st, NULL);
	if (sf_reader_stats(o.reader)->gaps)
		fail_msg("the story is not a well-formed capture");
	return o;
}

void outcome_done(struct outcome *o)
{
	act_net_free(o->net);
	act_procs_free(o->procs);
	act_sessions_free(o->sessions);
	state_free(o->st);
	sf_reader_close(o->reader);
}
