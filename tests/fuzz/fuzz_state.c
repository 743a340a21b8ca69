/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state engine: bytes become initial entries and events over a small world of ids, names and
 * addresses, with parameters missing or of wrong width now and then. After each event everything it
 * refers to is read; at the end all invariants must hold, and those of what is restored from a
 * checkpoint of it, and of what it is exported as.
 */
#include "engine/state/export.h"
#include "engine/state/state.h"

#include <stdlib.h>
#include <string.h>

#define DATA_MAX   8192
#define EVENTS_MAX 4096 /* per input: what is found beyond is found below, too */

struct fuzz {
	struct cursor in;
	struct state *st;
	uint64_t ts;
	uint64_t sink; /* so that reads are not optimised away */
	uint8_t lens[4 * EV_PARAMS_MAX];
	uint8_t data[DATA_MAX];
	size_t used;
};

static const int64_t ids[] = {0,  1,	2,    3,  4,   5,    10,    20,	       21,	 -1,
			      -2, -100, -115, 63, 255, 5000, 70000, INT64_MAX, INT64_MIN};

static const uint32_t flag_sets[] = {
    0,
    1,
    STATE_CL_THREAD | STATE_CL_FILES,
    STATE_CL_THREAD,
    STATE_CL_NEWPID,
    STATE_CL_CHILD_IN_PIDNS,
    STATE_CL_IS_MAIN_THREAD,
    STATE_CL_CLOSED,
    STATE_CL_VFORK,
    STATE_CL_INVERTED,
    STATE_CL_PARENT,
    STATE_O_DIRECTORY,
    STATE_O_CLOEXEC,
    STATE_CL_NEWUSER,
    36,
    7,
    26,
    UINT32_MAX,
};

static const char *const texts[] = {
    "",
    "/",
    "a",
    "../b",
    "/x//y/../z",
    "(NULL)",
    "noisy",
    "sh",
    "/bin/sh (deleted)",
    "container",
    "container_removed",
    "{\"container\":{\"id\":\"0123456789ab\",\"ip\":\"10.0.0.1\",\"labels\":{\"b\":\"\"}}}",
    "{\"id\":\"box\",\"type\":1,\"Healthcheck\":{\"exe\":\"a\",\"args\":[\"\",\"b\"]}}",
    "cpu=/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "cpu_cgroup=/lxc.payload.box/x",
    "box",
    "+bob",
};

#define PICK(f, table) (table)[cursor_u8(&(f)->in) % COUNT_OF(table)]

static void put(struct fuzz *f, const void *p, size_t n)
{
	if (n > DATA_MAX - f->used)
		n = DATA_MAX - f->used;
	memcpy(f->data + f->used, p, n);
	f->used += n;
}

static void put_raw(struct fuzz *f)
{
	size_t n = cursor_u8(&f->in);
	const uint8_t *p;

	if (n > f->in.left)
		n = f->in.left;
	p = cursor_bytes(&f->in, n);
	if (p)
		put(f, p, n);
}

/* An address or a tuple, of the family the input says: the rest may be as long as it likes. */
static void put_socket(struct fuzz *f)
{
	static const uint8_t families[] = {1, 2, 10, 16};
	uint8_t family = PICK(f, families);

	put(f, &family, 1);
	put_raw(f);
	if (family == 1)
		put(f, "", 1);
}

static void put_texts(struct fuzz *f)
{
	for (unsigned n = cursor_u8(&f->in) % 4; n; n--) {
		const char *text = PICK(f, texts);

		put(f, text, strlen(text) + 1);
	}
}

static void put_number(struct fuzz *f, unsigned width)
{
	uint64_t v = width == 8 ? (uint64_t)PICK(f, ids) : PICK(f, flag_sets);
	uint8_t le[8];

	for (unsigned i = 0; i < 8; i++)
		le[i] = (uint8_t)(v >> 8 * i);
	put(f, le, width);
}

static void put_param(struct fuzz *f, const struct ev_param_info *info)
{
	unsigned width = ev_ptype_width(info->type);
	uint8_t how = cursor_u8(&f->in);

	if (how > 250)
		return;
	if (how > 245)
		put_raw(f);
	else if (info->type == PT_SOCKADDR || info->type == PT_SOCKTUPLE)
		put_socket(f);
	else if (width && width <= 8)
		put_number(f, width);
	else if (info->type == PT_BYTEBUF)
		put_texts(f);
	else
		put(f, texts[how % COUNT_OF(texts)], strlen(texts[how % COUNT_OF(texts)]) + 1);
}

static void put_length(struct fuzz *f, unsigned i, size_t n, bool wide)
{
	unsigned width = wide ? 4 : 2;

	for (unsigned k = 0; k < width; k++)
		f->lens[i * width + k] = (uint8_t)(n >> 8 * k);
}

/* --- reading what the state gave out --- */

static void read_text(struct fuzz *f, const struct state_str *s)
{
	struct sv v = state_sv(s);

	for (size_t i = 0; i < v.n; i++)
		f->sink += (unsigned char)v.p[i];
}

static void read_thread(struct fuzz *f, const struct state_thread *t)
{
	struct state_climb climb = state_climb_start(f->st, t);
	const struct state_thread *a;
	const struct state_fd *fd;
	struct sv item;

	read_text(f, t->comm);
	read_text(f, t->exe);
	read_text(f, t->exepath);
	read_text(f, t->cmdline);
	read_text(f, t->container_id);
	f->sink += state_thread_cwd(t).n + state_fd_count(t) + state_thread_count_children(t);
	for (size_t at = 0; state_list_next(&t->args, &at, &item);)
		f->sink += item.n;
	for (unsigned n = 0; (a = state_climb_next(&climb)) && n < 100; n++)
		read_text(f, a->comm);
	for (unsigned n = 0; n < 4; n++)
		f->sink += state_thread_ancestor(f->st, t, n) != NULL;
	for (int which = STATE_LEADER_SESSION; which <= STATE_LEADER_PGID; which++)
		f->sink += state_thread_leader(f->st, t, (enum state_leader)which) != NULL;
	for (size_t at = 0; (fd = state_fd_next(t, &at));)
		read_text(f, fd->name);
	f->sink += state_user_find(f->st, t->container_id, t->uid) != NULL;
}

static void read_binding(struct fuzz *f, const struct state_binding *bind)
{
	const struct state_container *c = state_container_of_event(f->st, bind->ev);

	if (bind->thread)
		read_thread(f, bind->thread);
	if (bind->fd) {
		read_text(f, bind->fd->name);
		read_text(f, bind->fd->name_raw);
		f->sink += (unsigned char)state_fd_typechar(bind->fd);
	}
	if (c)
		read_text(f, c->id);
}

static void on_thread(void *arg, const struct state *st, const struct state_thread *t,
		      const struct ev *ev)
{
	(void)st;
	(void)ev;
	read_thread(arg, t);
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *t)
{
	on_thread(arg, st, t, NULL);
}

/* --- items --- */

static void feed(struct fuzz *f, const struct ev_item *item)
{
	struct state_binding bind = {0};

	if (state_feed(f->st, item, &bind, NULL) == 1)
		read_binding(f, &bind);
}

static void feed_event(struct fuzz *f, unsigned type)
{
	const struct ev_info *own = ev_own_info(type), *info = own ? own : &ev_table[type];
	struct ev ev = {
	    .ts = f->ts,
	    .tid = PICK(f, ids),
	    .lens = f->lens,
	    .data = f->data,
	    .type = (uint16_t)type,
	    .nparams = info->nparams,
	    .wide = info->flags & EF_LARGE_PAYLOAD,
	};

	f->used = 0;
	if (cursor_u8(&f->in) > 240)
		ev.nparams = (uint16_t)(cursor_u8(&f->in) % (info->nparams + 1u));
	for (unsigned i = 0; i < ev.nparams; i++) {
		size_t start = f->used;

		put_param(f, &info->params[i]);
		put_length(f, i, f->used - start, ev.wide);
	}
	feed(f, &(struct ev_item){.kind = !own			  ? EV_ITEM_EVENT
					  : type == EV_TYPE_URING ? EV_ITEM_URING
								  : EV_ITEM_FACTS,
				  .ev = &ev});
}

static struct sv pick_text(struct fuzz *f)
{
	const char *text = PICK(f, texts);

	return sv_make(text, strlen(text) + (text[0] == 'c'));
}

static void feed_thread(struct fuzz *f)
{
	struct ev_thread_entry t = {
	    .tid = PICK(f, ids),
	    .pid = PICK(f, ids),
	    .ptid = PICK(f, ids),
	    .sid = PICK(f, ids),
	    .vtid = PICK(f, ids),
	    .vpid = PICK(f, ids),
	    .flags = PICK(f, flag_sets),
	    .comm = pick_text(f),
	    .exepath = pick_text(f),
	    .cwd = pick_text(f),
	    .args = pick_text(f),
	    .cgroups = pick_text(f),
	};

	feed(f, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = &t});
}

static void feed_fd(struct fuzz *f)
{
	struct ev_fd_entry fd = {
	    .tid = PICK(f, ids),
	    .fd = PICK(f, ids),
	    .type = (int)(cursor_u8(&f->in) % 24) - 1,
	    .name = pick_text(f),
	    .sport = cursor_u16(&f->in),
	    .dport = cursor_u16(&f->in),
	    .l4proto = cursor_u8(&f->in),
	};

	fd.sip[15] = cursor_u8(&f->in);
	feed(f, &(struct ev_item){.kind = EV_ITEM_FD, .fd = &fd});
}

static void feed_metadata(struct fuzz *f, unsigned kind)
{
	struct ev_interface interface = {.ipv6 = kind & 8, .addr = {10, 0, 0, 1}};
	struct ev_user user = {.name = SV_LIT("u"), .uid = kind, .gid = kind};
	struct ev_machine machine = {.hostname = SV_LIT("h")};
	struct ev_item item;

	switch (kind % 8) {
	case 0:
		item = (struct ev_item){.kind = EV_ITEM_SECTION};
		break;
	case 1:
		item = (struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &interface};
		break;
	case 2:
		item = (struct ev_item){.kind = EV_ITEM_USER, .user = &user};
		break;
	case 3:
		item = (struct ev_item){.kind = EV_ITEM_LISTS_RESET, .list = kind & 8};
		break;
	case 4:
		item = (struct ev_item){.kind = EV_ITEM_MACHINE, .machine = &machine};
		break;
	case 5:
		feed_fd(f);
		return;
	case 7:
		if (kind & 8)
			feed_event(f, EV_TYPE_THREAD_FACTS + cursor_u8(&f->in) % 2);
		else
			feed_event(f, EV_TYPE_URING);
		return;
	default:
		feed_thread(f);
		return;
	}
	feed(f, &item);
}

/* Events that change something come up more often than the many that do not. */
static unsigned pick_type(struct fuzz *f, unsigned op)
{
	static const uint16_t frequent[] = {
	    EV_CLONE_20_X,     EV_CLONE_20_X,	EV_CLONE3_X,	   EV_VFORK_20_X,
	    EV_EXECVE_19_X,    EV_EXECVEAT_X,	EV_PROCEXIT_1_E,   EV_PROCEXIT_1_E,
	    EV_OPENAT_2_E,     EV_OPENAT_2_X,	EV_OPEN_X,	   EV_CLOSE_X,
	    EV_CLOSE_RANGE_X,  EV_DUP2_X,	EV_FCNTL_X,	   EV_PIPE_X,
	    EV_SOCKET_X,       EV_BIND_X,	EV_CONNECT_E,	   EV_CONNECT_X,
	    EV_ACCEPT4_6_X,    EV_SENDTO_X,	EV_RECVFROM_X,	   EV_RECVMSG_X,
	    EV_SENDMMSG_X,     EV_CHDIR_X,	EV_FCHDIR_X,	   EV_CHROOT_X,
	    EV_PRCTL_X,	       EV_PRLIMIT_X,	EV_MMAP_X,	   EV_SCHEDSWITCH_6_E,
	    EV_ASYNCEVENT_E,   EV_USER_ADDED_E, EV_USER_DELETED_E, EV_CONTAINER_JSON_2_E,
	    EV_MEMFD_CREATE_X, EV_PIDFD_OPEN_X, EV_PIDFD_GETFD_X,  EV_READ_X,
	    EV_EXECVEAT_E,     EV_EXECVE_19_E,	EV_SOCKETPAIR_X,   EV_SETSID_X,
	};

	if (op < 16)
		return cursor_u16(&f->in) % EV_TYPE_COUNT;
	return frequent[op % COUNT_OF(frequent)];
}

/* What a checkpoint restores is whole, and the state that was saved. */
static void check_checkpoint(struct state *st, const struct state_options *opt)
{
	struct buf first = {0}, second = {0};
	struct error err = {0};
	struct state *copy;

	state_complete(st);
	if (state_save(st, &first, &err) < 0 ||
	    state_restore(opt, first.p, first.len, &copy, &err) < 0 ||
	    state_check(copy, &err) < 0 || state_save(copy, &second, &err) < 0)
		abort();
	if (!sv_eq(buf_view(&first), buf_view(&second)))
		abort();
	state_free(copy);
	buf_done(&first);
	buf_done(&second);
}

static int feed_copy(void *arg, const struct ev_item *item, struct error *err)
{
	struct state_binding bind;
	int rc = state_feed(arg, item, &bind, err);

	return rc < 0 ? rc : 0;
}

/* What is exported makes a whole state, of as many threads. */
static void check_export(struct state *st, const struct state_options *opt, uint64_t ts)
{
	struct state_export x = {.put = feed_copy, .ts = ts};
	const struct state_options plain = {.threads_max = opt->threads_max,
					    .fds_max = opt->fds_max};
	struct error err = {0};
	struct state *copy;

	state_settle(st, ts);
	if (state_new(&plain, &copy, &err) < 0)
		abort();
	x.arg = copy;
	if (state_export(st, &x, &err) < 0)
		abort();
	state_complete(copy);
	if (state_check(copy, &err) < 0 || state_threads(copy) != state_threads(st))
		abort();
	state_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const suppressed[] = {"noisy", NULL};
	struct state_options opt = {.threads_max = 24, .fds_max = 12};
	struct fuzz *f = calloc(1, sizeof(*f));
	struct state_observer obs = {
	    .arg = f,
	    .thread_added = on_thread,
	    .thread_exec = on_thread,
	    .thread_removed = on_removed,
	};
	struct error err = {0};

	if (!f)
		return 0;
	f->in = cursor_of(data, size);
	if (cursor_u8(&f->in) & 1)
		opt.suppressed_comms = suppressed;
	if (state_new(&opt, &f->st, NULL) < 0)
		goto out;
	state_observe(f->st, &obs);
	for (unsigned n = 0; f->in.left && n < EVENTS_MAX; n++) {
		unsigned op = cursor_u8(&f->in);

		f->ts += (uint64_t)(op & 7) * 300000000;
		if (op >= 240)
			feed_metadata(f, op);
		else
			feed_event(f, pick_type(f, op));
	}
	if (state_check(f->st, &err) < 0)
		abort();
	check_checkpoint(f->st, &opt);
	check_export(f->st, &opt, f->ts);
	state_free(f->st);
out:
	free(f);
	return 0;
}
