/* SPDX-License-Identifier: Apache-2.0 */
/* Which event means what to the facts of a case. */
#include "replay/gather.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/activity/ends.h"
#include "scapfile/row.h"

#define DNS_PORT 53
#define NO_PARAM 0xff

enum meaning { /* 0: nothing */
	       GATHER_OPEN = 1,
	       GATHER_READ,
	       GATHER_WRITE,
	       GATHER_COPY,
	       GATHER_EXEC,
	       GATHER_CALL,
};

/* By event type: what it is, and for transfers the parameters of the data and of a packet's tuple;
 * for opens that of the path and its directory; for copies the descriptors to and from. */
static const struct {
	uint8_t what, first, second;
} meanings[EV_TYPE_COUNT] = {
    [EV_OPEN_X] = {GATHER_OPEN, 1, 0},
    [EV_OPENAT_2_X] = {GATHER_OPEN, 2, 1},
    [EV_OPENAT2_X] = {GATHER_OPEN, 2, 1},
    [EV_CREAT_X] = {GATHER_OPEN, 1, 0},
    [EV_OPEN_BY_HANDLE_AT_X] = {GATHER_OPEN, 3, 0},
    [EV_READ_X] = {GATHER_READ, 1, NO_PARAM},
    [EV_PREAD_X] = {GATHER_READ, 1, NO_PARAM},
    [EV_READV_X] = {GATHER_READ, 2, NO_PARAM},
    [EV_PREADV_X] = {GATHER_READ, 2, NO_PARAM},
    [EV_RECV_X] = {GATHER_READ, 1, 4},
    [EV_RECVFROM_X] = {GATHER_READ, 1, 2},
    [EV_RECVMSG_X] = {GATHER_READ, 2, 3},
    [EV_RECVMMSG_X] = {GATHER_READ, 3, 4},
    [EV_WRITE_X] = {GATHER_WRITE, 1, NO_PARAM},
    [EV_PWRITE_X] = {GATHER_WRITE, 1, NO_PARAM},
    [EV_WRITEV_X] = {GATHER_WRITE, 1, NO_PARAM},
    [EV_PWRITEV_X] = {GATHER_WRITE, 1, NO_PARAM},
    [EV_SEND_X] = {GATHER_WRITE, 1, 4},
    [EV_SENDTO_X] = {GATHER_WRITE, 1, 4},
    [EV_SENDMSG_X] = {GATHER_WRITE, 1, 4},
    [EV_SENDMMSG_X] = {GATHER_WRITE, 3, 4},
    [EV_SENDFILE_X] = {GATHER_COPY, 2, 3},
    [EV_COPY_FILE_RANGE_X] = {GATHER_COPY, 1, 3},
    [EV_EXECVE_19_X] = {GATHER_EXEC, 0, 0},
    [EV_EXECVEAT_X] = {GATHER_EXEC, 0, 0},
    [EV_RENAME_X] = {GATHER_CALL, 0, 0},
    [EV_RENAMEAT_X] = {GATHER_CALL, 0, 0},
    [EV_RENAMEAT2_X] = {GATHER_CALL, 0, 0},
    [EV_UNLINK_2_X] = {GATHER_CALL, 0, 0},
    [EV_UNLINKAT_2_X] = {GATHER_CALL, 0, 0},
    [EV_RMDIR_2_X] = {GATHER_CALL, 0, 0},
    [EV_MKDIR_2_X] = {GATHER_CALL, 0, 0},
    [EV_MKDIRAT_X] = {GATHER_CALL, 0, 0},
    [EV_LINK_2_X] = {GATHER_CALL, 0, 0},
    [EV_LINKAT_2_X] = {GATHER_CALL, 0, 0},
    [EV_SYMLINK_X] = {GATHER_CALL, 0, 0},
    [EV_SYMLINKAT_X] = {GATHER_CALL, 0, 0},
    [EV_CHMOD_X] = {GATHER_CALL, 0, 0},
    [EV_FCHMODAT_X] = {GATHER_CALL, 0, 0},
    [EV_FCHMOD_X] = {GATHER_CALL, 0, 0},
    [EV_CHOWN_X] = {GATHER_CALL, 0, 0},
    [EV_LCHOWN_X] = {GATHER_CALL, 0, 0},
    [EV_FCHOWN_X] = {GATHER_CALL, 0, 0},
    [EV_FCHOWNAT_X] = {GATHER_CALL, 0, 0},
    [EV_MOUNT_X] = {GATHER_CALL, 0, 0},
    [EV_UMOUNT_X] = {GATHER_CALL, 0, 0},
    [EV_UMOUNT_1_X] = {GATHER_CALL, 0, 0},
    [EV_UMOUNT2_X] = {GATHER_CALL, 0, 0},
    [EV_INIT_MODULE_X] = {GATHER_CALL, 0, 0},
    [EV_FINIT_MODULE_X] = {GATHER_CALL, 0, 0},
    [EV_DELETE_MODULE_X] = {GATHER_CALL, 0, 0},
};

/* --- life */

int run_gather_init(struct run_gather *g, struct run_out *out, struct run_processes *processes,
		    struct error *err)
{
	*g = (struct run_gather){.out = out, .processes = processes};
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		g->wants[type] =
		    meanings[type].what || act_net_wants(type) || act_sessions_wants(type);
	run_processes_gather(processes, g);
	return run_files_init(&g->files, err);
}

void run_gather_forget(struct run_gather *g)
{
	struct error err;

	act_net_free(g->net);
	act_sessions_free(g->sessions);
	g->net = NULL;
	g->sessions = NULL;
	g->started = false;
	g->failed = 0;
	run_processes_also(g->processes, NULL);
	if (g->files.files) {
		(void)!run_files_pass_on(&g->files, NULL, &err);
		(void)!run_names_pass_on(&g->names, NULL, &err);
	}
}

void run_gather_done(struct run_gather *g)
{
	if (!g->processes)
		return;
	run_gather_forget(g);
	run_processes_gather(g->processes, NULL);
	run_files_done(&g->files);
	run_names_done(&g->names);
	for (size_t i = 0; i < COUNT_OF(g->text); i++)
		buf_done(&g->text[i]);
	*g = (struct run_gather){0};
}

void run_gather_go_on(struct run_gather *g, struct act_net *net, struct act_sessions *sessions)
{
	g->net = net;
	g->sessions = sessions;
	g->observer = act_sessions_observer(sessions);
	run_processes_also(g->processes, &g->observer);
}

int run_gather_follow(struct run_gather *g, struct error *err)
{
	/* As an index follows them, from which others go on. */
	static const struct act_net_options all = {.unix_sockets = true};
	struct act_net *net = NULL;
	struct act_sessions *sessions = NULL;
	int rc = act_net_new(&all, &net, err);

	if (rc == 0)
		rc = act_sessions_new(NULL, &sessions, err);
	if (rc < 0) {
		act_net_free(net);
		return rc;
	}
	run_gather_go_on(g, net, sessions);
	return 0;
}

/* --- files and names */

int run_gather_file(struct run_call *c, struct sv path, const void *name, struct run_file **out,
		    struct error *err)
{
	struct run_files *files = &c->g->files;
	int rc = run_files_full(files) ? run_files_pass_on(files, c->g->out, err) : 0;

	if (rc < 0)
		return rc;
	*out = run_files_get(files, c->process_key, path, name, c->ev);
	return *out ? 0 : error_nomem(err);
}

static int file_of_fd(struct run_call *c, const struct state_fd *fd, struct run_file **out,
		      struct error *err)
{
	return run_gather_file(c, state_sv(fd->name), fd->name, out, err);
}

static int opened(struct run_call *c, struct error *err)
{
	const struct state_fd *fd = c->b->fd;
	unsigned type = c->ev->type;
	struct run_file *f;
	int rc;

	if (c->ret >= 0) {
		if (!fd || !fd->name || !state_fd_is_file(fd))
			return 0;
		rc = file_of_fd(c, fd, &f, err);
		if (rc < 0)
			return rc;
		f->opens++;
		if (fd->openflags & STATE_O_F_CREATED) {
			f->creates++;
			run_file_written(f, c->ev->ts);
		}
		return 0;
	}
	if ((c->ret != -EACCES && c->ret != -EPERM) ||
	    !run_gather_path(c, meanings[type].second ? meanings[type].second : -1,
			     meanings[type].first, &c->g->text[0])
		 .n)
		return 0;
	rc = run_gather_file(c, buf_view(&c->g->text[0]), NULL, &f, err);
	if (rc == 0)
		f->refused++;
	return rc;
}

static int read_from(struct run_call *c, const struct state_fd *fd, struct error *err)
{
	struct run_file *f;
	int rc = file_of_fd(c, fd, &f, err);

	if (rc < 0)
		return rc;
	f->reads++;
	f->bytes_read += (uint64_t)c->ret;
	if (!f->first_read_ts)
		f->first_read_ts = c->ev->ts;
	return 0;
}

static int written_to(struct run_call *c, const struct state_fd *fd, struct error *err)
{
	struct run_file *f;
	int rc = file_of_fd(c, fd, &f, err);

	if (rc < 0)
		return rc;
	f->writes++;
	f->bytes_written += (uint64_t)c->ret;
	run_file_written(f, c->ev->ts);
	return 0;
}

/* A packet to or from a name server? */
static int packet(struct run_call *c, const struct state_fd *fd, struct error *err)
{
	unsigned data = meanings[c->ev->type].first, tuple = meanings[c->ev->type].second;
	struct run_dns p = {.process_key = c->process_key, .ts = c->ev->ts};
	const struct act_end *server;
	struct act_ends ends;
	struct ev_value v;

	if ((tuple == NO_PARAM || !act_tuple_decode(ev_param(c->ev, tuple), &ends)) &&
	    !act_ends_of_fd(fd, &ends))
		return 0;
	server = ends.first.known && ends.first.port == DNS_PORT ? &ends.first : &ends.second;
	if (!server->known || server->port != DNS_PORT)
		return 0;
	v = ev_param(c->ev, data);
	buf_reset(&c->g->text[0]);
	act_ip_text(&c->g->text[0], ends.family, server);
	p.data = sv_make(v.p, v.n);
	p.server = buf_view(&c->g->text[0]);
	return run_names_packet(&c->g->names, &p, c->g->out, err);
}

static int transfer(struct run_call *c, enum meaning what, struct error *err)
{
	const struct state_fd *fd = c->b->fd;

	if (!state_fd_is_file(fd))
		return packet(c, fd, err);
	return what == GATHER_READ ? read_from(c, fd, err) : written_to(c, fd, err);
}

static int copied(struct run_call *c, struct error *err)
{
	const struct state_fd *fd;
	int64_t num;
	int rc = 0;

	if (c->ret < 0)
		return 0;
	fd = ev_i64(c->ev, meanings[c->ev->type].first, &num) ? state_fd_find(c->b->thread, num)
							      : NULL;
	if (fd && state_fd_is_file(fd) && fd->name)
		rc = written_to(c, fd, err);
	fd = ev_i64(c->ev, meanings[c->ev->type].second, &num) ? state_fd_find(c->b->thread, num)
							       : NULL;
	if (rc == 0 && fd && state_fd_is_file(fd) && fd->name)
		rc = read_from(c, fd, err);
	return rc;
}

static int executed(struct run_call *c, struct error *err)
{
	const struct state_str *path = c->b->thread->exepath;
	struct run_file *f;
	int rc;

	if (c->ret != 0 || !path || !path->len)
		return 0;
	rc = run_gather_file(c, state_sv(path), NULL, &f, err);
	if (rc == 0)
		f->execs++;
	return rc;
}

/* --- events */

/* Of most transfers a number says all: then it is taken. */
static bool is_plain_transfer(const struct run_gather *g, const struct state_binding *b)
{
	const unsigned what = meanings[b->ev->type].what;
	int64_t ret;

	return (what == GATHER_READ || what == GATHER_WRITE) && b->fd &&
	       ev_return_value(b->ev, &ret) &&
	       act_net_transfer(g->net, b->ev->type, b->thread, b->fd, b->ev->ts, ret);
}

static void track(struct run_gather *g, const struct state *st, const struct state_binding *b)
{
	const unsigned type = b->ev->type;

	if (!g->net)
		return;
	if (!g->started || (act_net_wants(type) && !is_plain_transfer(g, b)))
		act_net_event(g->net, st, b);
	if (!g->started || act_sessions_wants(type))
		act_sessions_event(g->sessions, st, b);
	g->started = state_is_complete(st);
}

/* The same of an event that is not decoded yet, for which nobody else has a use. */
static bool is_told_by_number(const struct run_gather *g, const struct state_passed *e)
{
	const struct sf_row_event *event = e->event;

	return !g->net ||
	       (g->started && e->fd && sf_row_are_numbers(event, 1) &&
		act_net_transfer(g->net, event->type, e->thread, e->fd, sf_row_time(event),
				 (int64_t)load_u64(sf_row_params(e->row, event))));
}

/* Name servers are asked over these. */
static bool carries_packets(const struct state_fd *fd)
{
	return (fd->type == EV_FD_IPV4_SOCK || fd->type == EV_FD_IPV6_SOCK) &&
	       fd->sock.l4proto == EV_L4_UDP;
}

/* Most transfers are over something else than a file or where packets come from. */
static bool is_of_use(unsigned what, const struct state_fd *fd)
{
	if (what != GATHER_READ && what != GATHER_WRITE)
		return what;
	return fd && ((state_fd_is_file(fd) && fd->name) || carries_packets(fd));
}

static int take(struct run_gather *g, const struct state *st, const struct state_binding *b,
		enum meaning what, struct error *err)
{
	struct run_call c = {.g = g, .st = st, .b = b, .ev = b->ev};

	if (!b->visible || !b->thread || !is_of_use(what, b->fd) || !ev_return_value(b->ev, &c.ret))
		return 0;
	if ((what == GATHER_READ || what == GATHER_WRITE) && c.ret < 0)
		return 0;
	if (what == GATHER_OPEN && c.ret < 0 && c.ret != -EACCES && c.ret != -EPERM)
		return 0;
	c.process_key = run_processes_key(g->processes, st, b->thread);
	if (!c.process_key)
		return 0;
	switch (what) {
	case GATHER_OPEN:
		return opened(&c, err);
	case GATHER_READ:
	case GATHER_WRITE:
		return transfer(&c, what, err);
	case GATHER_COPY:
		return copied(&c, err);
	case GATHER_EXEC:
		return executed(&c, err);
	case GATHER_CALL:
		return run_gather_call(&c, err);
	}
	return 0;
}

int run_gather_event(struct run_gather *g, const struct state *st, const struct state_binding *b,
		     struct error *err)
{
	unsigned what = b->ev->type < EV_TYPE_COUNT ? meanings[b->ev->type].what : 0;

	track(g, st, b);
	return what && g->out ? take(g, st, b, (enum meaning)what, err) : 0;
}

unsigned run_gather_tell(unsigned type)
{
	switch (meanings[type].what) {
	case 0:
		return act_net_tell(type) | act_sessions_tell(type);
	case GATHER_READ:
	case GATHER_WRITE:
		return STATE_TELL_FILES | STATE_TELL_SOCKETS | act_net_tell(type) |
		       act_sessions_tell(type);
	default:
		return STATE_TELL_ALL;
	}
}

void run_gather_passed(struct run_gather *g, const struct state *st, const struct state_passed *e)
{
	const unsigned type = e->event->type;
	struct ev ev;
	struct state_binding b = {
	    .ev = &ev, .thread = e->thread, .fd = e->fd, .visible = e->visible};

	if (UNLIKELY(g->failed) ||
	    (!is_of_use(meanings[type].what, e->fd) && is_told_by_number(g, e)))
		return;
	sf_row_decode_some(e->row, e->event, &ev);
	ev.num = state_stats(st)->events;
	g->failed = run_gather_event(g, st, &b, &g->error);
}

int run_gather_item(struct run_gather *g, const struct state *st, const struct ev_item *item,
		    struct error *err)
{
	int rc = 0;

	if (item->kind != EV_ITEM_SECTION)
		return 0;
	if (g->out && state_is_complete(st))
		rc = run_gather_machine(g, st, err);
	if (!g->net)
		return rc;
	g->started = false;
	act_net_section(g->net);
	act_sessions_section(g->sessions);
	return rc;
}

/* --- ends */

int run_gather_ended(struct run_gather *g, uint64_t process_key, struct error *err)
{
	return run_files_of_ended(&g->files, process_key, g->out, err);
}

int run_gather_pass_on(struct run_gather *g, struct error *err)
{
	int rc = run_files_pass_on(&g->files, g->out, err);

	return rc < 0 ? rc : run_names_pass_on(&g->names, g->out, err);
}

int run_gather_end(struct run_gather *g, const struct state *st, struct error *err)
{
	int rc = run_gather_pass_on(g, err);

	if (!g->out)
		return rc;
	if (rc == 0)
		rc = run_gather_machine(g, st, err);
	if (rc == 0 && g->net)
		rc = run_gather_sockets(g, st, err);
	if (rc == 0 && g->sessions)
		rc = run_gather_sessions(g, st, err);
	return rc;
}
