/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state/tests/world.h"

#include "engine/state/internal.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COMPARED_MAX 100 /* threads of a state that is compared after each event */

void world_init(struct world *w, const struct state_options *opt)
{
	*w = (struct world){.now = 10};
	assert_int_equal(state_new(opt, &w->st, NULL), 0);
	assert_int_equal(state_new(opt, &w->passed, NULL), 0);
	memset(w->st->ways, 0, sizeof(w->st->ways));
	w->synth = ev_synth_new();
	assert_non_null(w->synth);
	w->source = ev_synth_source(w->synth);
}

void world_check(const struct world *w)
{
	struct error err = {0};

	if (state_check(w->st, &err) < 0)
		fail_msg("the state is broken: %s", err.msg);
}

/* What a checkpoint restores is the state that was saved. */
static void check_checkpoint(const struct world *w)
{
	const struct state_options opt = {
	    .threads_max = w->st->threads_max,
	    .fds_max = w->st->fds_max,
	    .fds_total_max = w->st->fds_total_max,
	    .no_containers = w->st->no_containers,
	    .host_names = w->st->host_names,
	};
	struct buf first = {0}, second = {0};
	struct error err = {0};
	struct state *st;

	if (!state_is_complete(w->st) || w->st->suppressed_comms.count)
		return;
	assert_int_equal(state_save(w->st, &first, &err), 0);
	if (state_restore(&opt, first.p, first.len, &st, &err) < 0)
		fail_msg("%s", err.msg);
	if (state_check(st, &err) < 0)
		fail_msg("restored: %s", err.msg);
	assert_int_equal(state_save(st, &second, &err), 0);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.p, second.p, first.len);
	state_free(st);
	buf_done(&first);
	buf_done(&second);
}

void world_done(struct world *w)
{
	world_check(w);
	check_checkpoint(w);
	state_free(w->st);
	state_free(w->passed);
	ev_source_close(w->source);
}

void world_at(struct world *w, uint64_t ms)
{
	w->now = ms;
}

uint64_t world_ns(uint64_t ms)
{
	return WORLD_EPOCH + ms * 1000000;
}

void world_alone(struct world *w)
{
	state_free(w->passed);
	w->passed = NULL;
}

/* Events mean the same to the state on the quick way and on the long one. */
static void check_passed(const struct world *w)
{
	struct buf looked = {0}, passed = {0};

	if (!state_is_complete(w->st) || w->st->suppressed_comms.count ||
	    state_threads(w->st) > COMPARED_MAX)
		return;
	assert_int_equal(state_save(w->st, &looked, NULL), 0);
	assert_int_equal(state_save(w->passed, &passed, NULL), 0);
	assert_int_equal(looked.len, passed.len);
	assert_memory_equal(looked.p, passed.p, looked.len);
	buf_done(&looked);
	buf_done(&passed);
}

/* Feed what was added to the synthetic source last. */
static void feed(struct world *w)
{
	struct state_binding bind;
	struct ev_item item;

	assert_int_equal(ev_source_next(w->source, &item, NULL), 1);
	w->rc = state_feed(w->st, &item, &w->bind, NULL);
	assert_true(w->rc >= 0);
	if (!w->passed)
		return;
	assert_int_equal(state_pass(w->passed, &item, &bind, NULL), w->rc);
	check_passed(w);
}

void world_item(struct world *w, const struct ev_item *item)
{
	assert_int_equal(ev_synth_add(w->synth, item), 0);
	feed(w);
}

struct ev_thread_entry world_entry(int64_t tid, int64_t pid, int64_t ptid)
{
	return (struct ev_thread_entry){
	    .tid = tid,
	    .pid = pid,
	    .ptid = ptid,
	    .sid = -1,
	    .vpgid = -1,
	    .pgid = -1,
	    .vtid = tid,
	    .vpid = pid,
	    .comm = SV_LIT("init"),
	    .exe = SV_LIT("init"),
	    .cwd = SV_LIT("/root/"),
	    .root = SV_LIT("/"),
	    .loginuid = EV_NO_ID,
	};
}

void world_add(struct world *w, const struct ev_thread_entry *t)
{
	world_item(w, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = t});
}

void world_process(struct world *w, int64_t tid, int64_t ptid)
{
	struct ev_thread_entry t = world_entry(tid, tid, ptid);

	world_add(w, &t);
}

void world_fd(struct world *w, const struct ev_fd_entry *fd)
{
	world_item(w, &(struct ev_item){.kind = EV_ITEM_FD, .fd = fd});
}

void world_file(struct world *w, int64_t tid, int64_t num, const char *name)
{
	struct ev_fd_entry fd = {
	    .tid = tid,
	    .fd = num,
	    .type = EV_FD_FILE_V2,
	    .name = sv_of(name),
	};

	world_fd(w, &fd);
}

void world_init_base(struct world *w)
{
	world_init(w, NULL);
	world_process(w, 1, 0);
	world_file(w, 1, 0, "/dev/null");
}

void world_with_20(struct world *w)
{
	world_init_base(w);
	world_at(w, 100);
	CLONE(w, 1, .ret = 20);
}

void world_with_21(struct world *w)
{
	world_with_20(w);
	CLONE(w, 20, .ret = 21, .flags = THREAD_FLAGS);
}

void world_with_chain(struct world *w)
{
	world_init(w, NULL);
	world_process(w, 1, 0);
	world_process(w, 20, 1);
	world_process(w, 30, 20);
	world_process(w, 31, 30);
	world_tick(w);
}

void world_suppressing(struct world *w, const char *comm)
{
	const char *const comms[] = {comm, comm, NULL};
	const struct state_options opt = {.suppressed_comms = comms};

	world_init(w, &opt);
	world_process(w, 1, 0);
}

static void put_arg(struct ev_synth *s, const struct arg *a)
{
	switch (a->kind) {
	case ARG_EMPTY:
		ev_synth_empty(s);
		break;
	case ARG_INT:
		ev_synth_int(s, a->i);
		break;
	case ARG_STR:
		ev_synth_str(s, a->p);
		break;
	case ARG_BYTES:
		ev_synth_bytes(s, a->p, a->n);
		break;
	}
}

void world_synth(struct ev_synth *s, uint64_t ts, int64_t tid, unsigned type,
		 const struct arg *args, size_t n)
{
	ev_synth_begin(s, type, ts, tid);
	for (size_t i = 0; i < n; i++)
		put_arg(s, &args[i]);
	for (; n < ev_table[type].nparams; n++)
		ev_synth_empty(s);
	assert_int_equal(ev_synth_end(s), 0);
}

void world_event(struct world *w, int64_t tid, unsigned type, const struct arg *args, size_t n)
{
	world_synth(w->synth, world_ns(w->now), tid, type, args, n);
	feed(w);
	w->now += 10;
}

void world_tick(struct world *w)
{
	EVENT(w, -1, EV_DROP_E, I(1));
}

static int64_t pid_of(const struct world *w, int64_t tid)
{
	const struct state_thread *t = T(w, tid);

	return t && t->pid > 0 ? t->pid : tid;
}

static int64_t ptid_of(const struct world *w, int64_t tid)
{
	const struct state_thread *t = T(w, tid);

	return t && t->ptid > 0 ? t->ptid : 1;
}

/* The parameters that a clone and an exec begin with, of @task, which is either. */
#define TASK(task, tid, pid, ptid)                                                                 \
	I((task)->ret), S((task)->exe ? (task)->exe : "bash"),                                     \
	    BYTES((task)->args, (task)->args_len), I(tid), I(pid), I(ptid), S(""), I(1024), NONE,  \
	    NONE, NONE, NONE, NONE, S((task)->comm ? (task)->comm : "bash"),                       \
	    BYTES((task)->cgroups, (task)->cgroups_len)

void world_clone(struct world *w, int64_t tid, const struct clone_args *c)
{
	int64_t pid = c->pid ? c->pid : pid_of(w, tid);
	int64_t ptid = c->ptid ? c->ptid : ptid_of(w, tid);
	const struct arg none = NONE, vtid = I(c->vtid ? c->vtid : tid),
			 vpid = I(c->vpid ? c->vpid : pid), start = I(c->pidns_start);
	const struct arg args[] = {
	    TASK(c, tid, pid, ptid),
	    I(c->flags),
	    I(c->uid),
	    I(0),
	    c->no_vpid ? none : vtid,
	    c->no_vpid ? none : vpid,
	    c->pidns_start ? start : none,
	};

	world_event(w, tid, c->type ? c->type : EV_CLONE_20_X, args, COUNT_OF(args));
}

void world_exec(struct world *w, int64_t tid, const struct exec_args *x)
{
	int64_t pid = x->pid ? x->pid : pid_of(w, tid);
	const struct arg none = NONE, vpgid = I(x->vpgid), pgid = I(x->pgid), ino = I(x->ino),
			 ctime = I(x->ctime), mtime = I(x->mtime), trusted = S(x->trusted);
	const struct arg args[] = {
	    TASK(x, tid, pid, ptid_of(w, tid)),
	    BYTES(x->env, x->env_len),
	    NONE,
	    x->vpgid ? vpgid : none,
	    NONE,
	    NONE,
	    NONE,
	    NONE,
	    NONE,
	    x->ino ? ino : none,
	    x->ino ? ctime : none,
	    x->ino ? mtime : none,
	    NONE,
	    x->trusted ? trusted : none,
	    x->pgid ? pgid : none,
	};

	world_event(w, tid, x->type ? x->type : EV_EXECVE_19_X, args, COUNT_OF(args));
}

void world_exit(struct world *w, int64_t tid)
{
	EVENT(w, tid, EV_PROCEXIT_1_E, I(0));
}

void world_exit_reaper(struct world *w, int64_t tid, int64_t reaper)
{
	EVENT(w, tid, EV_PROCEXIT_1_E, I(0), I(0), I(0), I(0), I(reaper));
}

void world_open(struct world *w, int64_t tid, int64_t num, const char *name, uint32_t flags)
{
	EVENT(w, tid, EV_OPEN_X, I(num), S(name), I(flags), I(0), I(0xfe00), I(77));
}

void world_openat(struct world *w, int64_t tid, int64_t num, int64_t dirfd, const char *name)
{
	EVENT(w, tid, EV_OPENAT_2_X, I(num), I(dirfd), S(name), I(0), I(0), I(0xfe00), I(77));
}

void world_assert_sv(struct sv is, const char *expected, const char *file, int line)
{
	if (sv_is(is, expected))
		return;
	print_error("%s:%d: '%.*s' is not '%s'\n", file, line, (int)is.n, is.p, expected);
	_fail(file, line);
}

/* --- socket parameters --- */

static void put(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_end(struct bytes *b, const char *ip, uint16_t port)
{
	uint8_t addr[16], le[2] = {(uint8_t)port, (uint8_t)(port >> 8)};

	if (strchr(ip, ':')) {
		assert_int_equal(inet_pton(AF_INET6, ip, addr), 1);
		put(b, addr, 16);
	} else {
		assert_int_equal(inet_pton(AF_INET, ip, addr), 1);
		put(b, addr, 4);
	}
	put(b, le, 2);
}

static struct bytes tuple(uint8_t family, const char *sip, uint16_t sport, const char *dip,
			  uint16_t dport)
{
	struct bytes b = {.p = {family}, .n = 1};

	put_end(&b, sip, sport);
	put_end(&b, dip, dport);
	return b;
}

struct bytes tuple4(const char *sip, uint16_t sport, const char *dip, uint16_t dport)
{
	return tuple(INET, sip, sport, dip, dport);
}

struct bytes tuple6(const char *sip, uint16_t sport, const char *dip, uint16_t dport)
{
	return tuple(INET6, sip, sport, dip, dport);
}

struct bytes tuple_unix(uint64_t source, uint64_t dest, const char *path)
{
	struct bytes b = {.p = {UNIX}, .n = 1};

	put(&b, &source, 8);
	put(&b, &dest, 8);
	put(&b, path, strlen(path) + 1);
	return b;
}

static struct bytes addr(uint8_t family, const char *ip, uint16_t port)
{
	struct bytes b = {.p = {family}, .n = 1};

	put_end(&b, ip, port);
	return b;
}

struct bytes addr4(const char *ip, uint16_t port)
{
	return addr(INET, ip, port);
}

struct bytes addr6(const char *ip, uint16_t port)
{
	return addr(INET6, ip, port);
}

struct bytes addr_unix(const char *path)
{
	struct bytes b = {.p = {UNIX}, .n = 1};

	put(&b, path, strlen(path) + 1);
	return b;
}

void world_socket(struct world *w, int64_t num, unsigned domain, unsigned type, unsigned proto)
{
	EVENT(w, 1, EV_SOCKET_X, I(num), I(domain), I(type), I(proto), I(0));
}

void world_bind(struct world *w, int64_t num, struct bytes addr)
{
	EVENT(w, 1, EV_BIND_X, I(0), RAW(addr), I(num));
}

void world_connect(struct world *w, int64_t ret, int64_t num, struct bytes tuple)
{
	EVENT(w, 1, EV_CONNECT_X, I(ret), RAW(tuple), I(num), NONE);
}

void world_send(struct world *w, int64_t num, struct bytes tuple)
{
	EVENT(w, 1, EV_SENDTO_X, I(20), NONE, I(num), I(20), RAW(tuple));
}

void world_recv(struct world *w, int64_t num, struct bytes tuple)
{
	EVENT(w, 1, EV_RECVFROM_X, I(50), NONE, RAW(tuple), I(num), I(50));
}
