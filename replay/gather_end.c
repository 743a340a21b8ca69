/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known at the end of a capture or a section: connections, sessions with what was typed in
 * them, users, containers; and what the trackers had to leave out.
 */
#include "replay/gather.h"

static int tell(struct run_gather *g, const struct qry_fact *f, struct error *err)
{
	return g->out->ops->fact(g->out, f, err);
}

static int tell_loss(struct run_gather *g, const char *what, uint64_t count, const char *why,
		     struct error *err)
{
	const struct qry_fact f = {
	    .kind = QRY_FACT_LOSS,
	    .count = 3,
	    .value = {qry_text(sv_of(what)), qry_u64(count), qry_text(sv_of(why))},
	};

	return count ? tell(g, &f, err) : 0;
}

/* --- sockets */

static struct qry_value direction(enum act_direction d)
{
	return qry_text(d == ACT_DIR_OUT  ? SV_LIT("out")
			: d == ACT_DIR_IN ? SV_LIT("in")
					  : SV_NONE);
}

static struct qry_value address(struct buf *b, const struct act_conn *c, const struct act_end *e)
{
	buf_reset(b);
	if (c->family != ACT_UNIX && e->known)
		act_ip_text(b, c->family, e);
	return qry_text_known(buf_view(b));
}

static struct qry_value port(const struct act_conn *c, const struct act_end *e)
{
	return c->family != ACT_UNIX && e->known ? qry_int(e->port) : (struct qry_value){0};
}

static struct qry_value pid_of(const struct act_who *w)
{
	return w->pid >= 0 ? qry_int(w->pid) : (struct qry_value){0};
}

static int tell_socket(struct run_gather *g, const struct act_conn *c, struct error *err)
{
	static const char *const families[] = {
	    [ACT_UNIX] = "unix", [ACT_IPV4] = "ipv4", [ACT_IPV6] = "ipv6"};
	const struct act_who nobody = {.pid = -1}, *maker = c->chain_len ? &c->chain[0] : &nobody;
	struct qry_value local = address(&g->text[0], c, &c->local);
	struct qry_value remote = address(&g->text[1], c, &c->remote);
	const struct qry_fact f = {
	    .kind = QRY_FACT_CONNECTION,
	    .count = 28,
	    .value =
		{
		    qry_id(c->id),
		    qry_text(sv_of(families[c->family])),
		    qry_text(sv_of(act_net_proto_name(c))),
		    qry_text(sv_of(act_net_state_name(c->state))),
		    direction(c->direction),
		    qry_int(c->waits),
		    qry_int(c->from_start),
		    local,
		    port(c, &c->local),
		    remote,
		    port(c, &c->remote),
		    qry_text_known(c->path),
		    qry_u64(c->bytes_in),
		    qry_u64(c->bytes_out),
		    qry_u64_known(c->first_ts),
		    qry_u64_known(c->last_ts),
		    qry_u64_known(c->end_ts),
		    qry_u64(c->first_evt),
		    qry_u64_known(c->first_offset),
		    qry_int(c->attempts),
		    qry_u64_known((uint64_t)c->error),
		    pid_of(maker),
		    qry_text_known(maker->name),
		    qry_text_known(c->exe),
		    qry_int(c->uid),
		    qry_int(c->loginuid),
		    qry_text_known(c->container),
		    pid_of(&c->user),
		},
	};

	return tell(g, &f, err);
}

int run_gather_sockets(struct run_gather *g, const struct state *st, struct error *err)
{
	const struct act_conn *c;
	int rc = 0;

	act_net_settle(g->net, st);
	for (size_t at = 0; rc == 0 && act_net_next(g->net, &at, &c);)
		rc = tell_socket(g, c, err);
	return rc < 0 ? rc
		      : tell_loss(g, "connections", act_net_stats(g->net)->dropped,
				  "sockets that were not followed: more than the table holds", err);
}

/* --- sessions */

static struct qry_value origin(enum act_origin o)
{
	static const char *const names[] = {[ACT_ORIGIN_REMOTE] = "remote",
					    [ACT_ORIGIN_SOCKET] = "socket",
					    [ACT_ORIGIN_CONTAINER_ENTRY] = "container-entry",
					    [ACT_ORIGIN_CONTAINER_START] = "container-start"};

	return qry_text(o == ACT_ORIGIN_UNKNOWN ? SV_NONE : sv_of(names[o]));
}

/* Name and arguments as a line. */
static struct qry_value line(struct buf *b, struct sv comm, struct sv args)
{
	buf_reset(b);
	buf_sv(b, comm);
	if (args.n)
		buf_char(b, ' ');
	for (size_t i = 0; i < args.n; i++)
		buf_char(b, args.p[i] ? args.p[i] : ' ');
	return qry_text_known(buf_view(b));
}

static struct qry_value id_known(uint32_t id)
{
	return id == EV_NO_ID ? (struct qry_value){0} : qry_int(id);
}

static int tell_session(struct run_gather *g, const struct act_session *s, struct error *err)
{
	const struct qry_fact f = {
	    .kind = QRY_FACT_SESSION,
	    .count = 18,
	    .value =
		{
		    qry_id(s->id),
		    qry_id(s->parent ? s->parent->id : 0),
		    qry_int_known(s->leader),
		    qry_int_known(s->sid),
		    qry_u64_known(s->tty),
		    id_known(s->uid),
		    id_known(s->loginuid),
		    line(&g->text[0], s->shell, s->shell_args),
		    qry_int(s->from_start),
		    qry_u64_known(s->start_ts),
		    qry_u64_known(s->start_evt),
		    qry_u64_known(s->end_ts),
		    qry_text_known(s->container),
		    origin(s->origin),
		    qry_text_known(s->from),
		    qry_text_known(s->by),
		    s->by.n ? qry_int_known(s->by_pid) : (struct qry_value){0},
		    qry_int(s->commands),
		},
	};

	return tell(g, &f, err);
}

static int tell_command(struct run_gather *g, const struct act_command *c, uint64_t seq,
			struct error *err)
{
	const struct qry_fact f = {
	    .kind = QRY_FACT_COMMAND,
	    .count = 15,
	    .value =
		{
		    qry_id(c->session->id),
		    qry_u64(seq),
		    qry_u64_known(c->ts),
		    qry_u64_known(c->evt),
		    qry_u64_known(c->offset),
		    qry_u64_known(c->end_ts),
		    qry_int_known(c->status),
		    qry_int_known(c->pid),
		    id_known(c->uid),
		    id_known(c->euid),
		    qry_text_known(c->cwd),
		    qry_text_known(c->comm),
		    qry_text_known(c->exepath),
		    line(&g->text[0], c->comm, c->args),
		    qry_int(c->background),
		},
	};

	return tell(g, &f, err);
}

int run_gather_sessions(struct run_gather *g, const struct state *st, struct error *err)
{
	int rc = 0;

	act_sessions_settle(g->sessions, st);
	for (const struct act_session *s = act_sessions_first(g->sessions); s && rc == 0;
	     s = s->next) {
		uint64_t seq = 0;

		rc = tell_session(g, s, err);
		for (const struct act_command *c = s->first_command; c && rc == 0; c = c->next)
			if (act_command_typed(c))
				rc = tell_command(g, c, ++seq, err);
	}
	return rc < 0 ? rc
		      : tell_loss(g, "sessions", act_sessions_stats(g->sessions)->dropped,
				  "sessions and commands that were not followed: more than the "
				  "tables hold",
				  err);
}

/* --- the machine */

static int tell_users(struct run_gather *g, const struct state *st, struct error *err)
{
	struct state_users_at at = {0};
	const struct state_user *u;
	int rc = 0;

	while (rc == 0 && (u = state_user_next(st, &at))) {
		const struct qry_fact f = {
		    .kind = QRY_FACT_USER,
		    .count = 6,
		    .value = {qry_text(at.container.n ? at.container : SV_LIT("")), qry_int(u->id),
			      qry_text_known(state_sv(u->name)), id_known(u->gid),
			      qry_text_known(state_sv(u->home)),
			      qry_text_known(state_sv(u->shell))},
		};

		rc = tell(g, &f, err);
	}
	return rc;
}

static int tell_container_mounts(struct run_gather *g, const struct state_container *c,
				 struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < c->mount_count && rc == 0; i++) {
		const struct state_mount *m = &c->mounts[i];
		const struct qry_fact f = {
		    .kind = QRY_FACT_CONTAINER_MOUNT,
		    .count = 6,
		    .value = {qry_text(state_sv(c->id)), qry_int(i + 1),
			      qry_text_known(state_sv(m->source)),
			      qry_text_known(state_sv(m->dest)), qry_text_known(state_sv(m->mode)),
			      qry_int(m->rdwr)},
		};

		rc = tell(g, &f, err);
	}
	return rc;
}

static int tell_container(struct run_gather *g, const struct state_container *c, struct error *err)
{
	const struct qry_fact f = {
	    .kind = QRY_FACT_CONTAINER,
	    .count = 11,
	    .value =
		{
		    qry_text(state_sv(c->id)),
		    qry_text_known(sv_of(state_container_type_name(c->type))),
		    qry_text_known(state_sv(c->name)),
		    qry_text_known(state_sv(c->image)),
		    qry_text_known(state_sv(c->image_digest)),
		    qry_text_known(state_sv(c->full_id)),
		    qry_text_known(state_sv(c->ip)),
		    qry_int(c->privileged),
		    qry_int(c->host_pid),
		    qry_int(c->host_network),
		    c->created_time > 0 && c->created_time < INT64_MAX / 1000000000
			? qry_int(c->created_time * 1000000000)
			: (struct qry_value){0},
		},
	};
	int rc = tell(g, &f, err);

	return rc < 0 ? rc : tell_container_mounts(g, c, err);
}

int run_gather_machine(struct run_gather *g, const struct state *st, struct error *err)
{
	const struct state_container *c;
	int rc = tell_users(g, st, err);

	for (size_t at = 0; rc == 0 && (c = state_container_next(st, &at));)
		rc = tell_container(g, c, err);
	if (rc == 0)
		rc = tell_loss(g, "threads", state_stats(st)->threads_dropped,
			       "threads that were not followed: more than the table holds", err);
	if (rc == 0)
		rc =
		    tell_loss(g, "descriptors", state_stats(st)->fds_dropped,
			      "descriptors that were not followed: more than the table holds", err);
	return rc;
}
