/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tracker of sessions knows as bytes, and back. Records refer to each other by their
 * places in the lists, counted from 1; 0 is none.
 */
#include <stdlib.h>

#include "base/archive.h"
#include "engine/activity/sessions_internal.h"

struct checkpoint {
	struct archive a;
	struct act_sessions *x;
	bool nomem;
	struct act_sess **sessions;
	struct act_cmd **commands;
	uint32_t session_count, command_count;
	struct map places; /* saving: record -> its place */
};

static bool saves(const struct checkpoint *c)
{
	return archive_saves(&c->a);
}

static bool broken(const struct checkpoint *c)
{
	return c->a.trouble || c->nomem;
}

static void done(struct checkpoint *c)
{
	free(c->sessions);
	free(c->commands);
	map_done(&c->places);
}

/* ---- references ---- */

static uint64_t place_of(const struct checkpoint *c, const void *record)
{
	return record ? (uintptr_t)map_get(&c->places, (uintptr_t)record) : 0;
}

static struct act_sess *session_ref(struct checkpoint *c, struct act_sess *s)
{
	uint64_t at = archive_u64(&c->a, saves(c) ? place_of(c, s) : 0);

	if (saves(c) || !at)
		return s;
	if (at <= c->session_count)
		return c->sessions[at - 1];
	archive_complain(&c->a, "it refers to a session that is not there");
	return NULL;
}

static struct act_cmd *command_ref(struct checkpoint *c, const struct act_command *cmd)
{
	uint64_t at = archive_u64(&c->a, saves(c) ? place_of(c, cmd) : 0);

	if (saves(c) || !at)
		return (struct act_cmd *)cmd;
	if (at <= c->command_count)
		return c->commands[at - 1];
	archive_complain(&c->a, "it refers to a command that is not there");
	return NULL;
}

static void own_ref(struct checkpoint *c, struct act_cmd **cmd)
{
	*cmd = command_ref(c, *cmd ? &(*cmd)->pub : NULL);
}

/* ---- records ---- */

static const struct archive_field session_fields[] = {
    ARCHIVE_U(struct act_sess, pub.id),
    ARCHIVE_B(struct act_sess, pub.from_start),
    ARCHIVE_B(struct act_sess, pub.implied),
    ARCHIVE_U(struct act_sess, pub.start_ts),
    ARCHIVE_U(struct act_sess, pub.start_evt),
    ARCHIVE_U(struct act_sess, pub.end_ts),
    ARCHIVE_I(struct act_sess, pub.leader),
    ARCHIVE_I(struct act_sess, pub.sid),
    ARCHIVE_I(struct act_sess, pub.vpid),
    ARCHIVE_U(struct act_sess, pub.tty),
    ARCHIVE_U(struct act_sess, pub.uid),
    ARCHIVE_U(struct act_sess, pub.loginuid),
    ARCHIVE_U(struct act_sess, pub.shell_arg_count),
    ARCHIVE_U(struct act_sess, pub.origin),
    ARCHIVE_I(struct act_sess, pub.by_pid),
    ARCHIVE_B(struct act_sess, complete),
};

static const struct archive_field command_fields[] = {
    ARCHIVE_U(struct act_cmd, pub.kind),       ARCHIVE_B(struct act_cmd, pub.from_start),
    ARCHIVE_B(struct act_cmd, pub.background), ARCHIVE_B(struct act_cmd, pub.ended),
    ARCHIVE_U(struct act_cmd, pub.ts),	       ARCHIVE_U(struct act_cmd, pub.evt),
    ARCHIVE_U(struct act_cmd, pub.offset),     ARCHIVE_U(struct act_cmd, pub.end_ts),
    ARCHIVE_I(struct act_cmd, pub.status),     ARCHIVE_I(struct act_cmd, pub.pid),
    ARCHIVE_I(struct act_cmd, pub.pgid),       ARCHIVE_U(struct act_cmd, pub.uid),
    ARCHIVE_U(struct act_cmd, pub.euid),       ARCHIVE_U(struct act_cmd, pub.loginuid),
    ARCHIVE_U(struct act_cmd, pub.arg_count),  ARCHIVE_I(struct act_cmd, vpgid),
};

static const struct archive_field member_fields[] = {
    ARCHIVE_I(struct act_member, tid),	  ARCHIVE_I(struct act_member, pid),
    ARCHIVE_I(struct act_member, pgid),	  ARCHIVE_I(struct act_member, vpgid),
    ARCHIVE_U(struct act_member, uid),	  ARCHIVE_B(struct act_member, in_pidns),
    ARCHIVE_B(struct act_member, imaged), ARCHIVE_B(struct act_member, jobs),
    ARCHIVE_B(struct act_member, ended),  ARCHIVE_B(struct act_member, reads_tty),
};

static void texts(struct checkpoint *c, struct sv *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct sv v = archive_text(&c->a, *all[i]);

		if (!saves(c))
			*all[i] = act_texts_keep(&c->x->texts, v);
	}
}

static void one_command(struct checkpoint *c, struct act_cmd *cmd)
{
	struct act_command *p = &cmd->pub;
	struct sv *const all[] = {&p->user, &p->euser,	 &p->cwd, &p->comm,
				  &p->exe,  &p->exepath, &p->args};
	struct act_cmd *parent;

	ARCHIVE_FIELDS(&c->a, cmd, command_fields);
	if (p->kind > ACT_BELOW)
		archive_complain(&c->a, "a command is of no known kind");
	texts(c, all, COUNT_OF(all));
	parent = command_ref(c, p->parent);
	p->parent = parent ? &parent->pub : NULL;
	own_ref(c, &cmd->image_before);
	own_ref(c, &cmd->next_pending);
}

static void one_session(struct checkpoint *c, struct act_sess *s)
{
	struct act_session *p = &s->pub;
	struct sv *const all[] = {&p->container,  &p->user, &p->login_user, &p->shell,
				  &p->shell_args, &p->from, &p->by};
	struct act_cmd *via;

	ARCHIVE_FIELDS(&c->a, s, session_fields);
	if (p->origin > ACT_ORIGIN_CONTAINER_START)
		archive_complain(&c->a, "a session is of no known origin");
	texts(c, all, COUNT_OF(all));
	s->up = session_ref(c, s->up);
	via = command_ref(c, p->via);
	p->via = via ? &via->pub : NULL;
}

static void one_member(struct checkpoint *c, struct act_member *m)
{
	uint64_t running = archive_count(&c->a, m->running_count);

	ARCHIVE_FIELDS(&c->a, m, member_fields);
	m->sess = session_ref(c, m->sess);
	own_ref(c, &m->cmd);
	own_ref(c, &m->own);
	own_ref(c, &m->pending);
	if (running > ACT_RUNNING_MAX)
		archive_complain(&c->a, "a shell has too many commands");
	if (!saves(c) && running && !broken(c)) {
		m->running = pool_alloc(&c->x->pool, ACT_RUNNING_MAX * sizeof(struct act_cmd *));
		c->nomem |= !m->running;
	}
	for (uint64_t i = 0; i < running && !broken(c); i++) {
		struct act_cmd *cmd = saves(c) ? m->running[i] : NULL;

		own_ref(c, &cmd);
		if (!cmd)
			archive_complain(&c->a, "a shell has a command that is not there");
		else if (!saves(c))
			m->running[m->running_count++] = cmd;
	}
}

/* ---- saving ---- */

static void number(struct checkpoint *c, const void *record, uint32_t place)
{
	c->nomem |= map_put(&c->places, (uintptr_t)record, (void *)(uintptr_t)place) < 0;
}

static void number_all(struct checkpoint *c)
{
	for (struct act_sess *s = c->x->first; s; s = s->next) {
		number(c, s, ++c->session_count);
		for (const struct act_command *p = s->pub.first_command; p; p = p->next)
			number(c, p, ++c->command_count);
	}
}

/* By their numbers, so that equal trackers give equal bytes. */
static void save_members(struct checkpoint *c)
{
	const struct map *m = &c->x->members;
	struct map_slot *all = map_sorted(m);
	size_t n = all ? m->count : 0;

	c->nomem |= m->count && !all;
	archive_count(&c->a, n);
	for (size_t i = 0; i < n; i++)
		one_member(c, all[i].value);
	free(all);
}

static bool is_listed(const struct checkpoint *c, const struct act_sess *s)
{
	return s->listed.n && smap_get(&c->x->by_sid, s->listed) == s;
}

/* The sessions of the initial list, under the names they are looked up by. */
static void save_listed(struct checkpoint *c)
{
	uint64_t n = 0;

	for (struct act_sess *s = c->x->first; s; s = s->next)
		n += is_listed(c, s);
	archive_count(&c->a, n);
	for (struct act_sess *s = c->x->first; s; s = s->next)
		if (is_listed(c, s)) {
			archive_text(&c->a, s->listed);
			session_ref(c, s);
		}
}

static void save(struct checkpoint *c)
{
	struct act_sessions *x = c->x;

	number_all(c);
	archive_bool(&c->a, x->opt.without_tty);
	archive_bool(&c->a, x->opt.all_execs);
	archive_bool(&c->a, x->started);
	archive_u64(&c->a, x->last_id);
	archive_count(&c->a, c->session_count);
	archive_count(&c->a, c->command_count);
	for (struct act_sess *s = x->first; s; s = s->next) {
		archive_count(&c->a, s->pub.commands);
		one_session(c, s);
		for (const struct act_command *p = s->pub.first_command; p; p = p->next)
			one_command(c, (struct act_cmd *)p);
	}
	save_members(c);
	save_listed(c);
}

int act_sessions_save(const struct act_sessions *x, struct buf *out, struct error *err)
{
	struct checkpoint c = {.a = archive_to(out), .x = (struct act_sessions *)x};

	if (x->stats.dropped || x->texts.cut || x->texts.failed)
		return 0;
	save(&c);
	done(&c);
	return c.nomem || out->failed ? error_nomem(err) : 1;
}

/* ---- restoring ---- */

/* All records first, since they refer to each other. */
static void make_records(struct checkpoint *c)
{
	uint64_t sessions = archive_count(&c->a, 0), commands = archive_count(&c->a, 0);

	if (sessions > ACT_SESSIONS_MAX || commands > ACT_COMMANDS_MAX)
		archive_complain(&c->a, "it has too many sessions or commands");
	if (broken(c))
		return;
	c->sessions = calloc(sessions + 1, sizeof(struct act_sess *));
	c->commands = calloc(commands + 1, sizeof(struct act_cmd *));
	c->nomem |= !c->sessions || !c->commands;
	while (!c->nomem && c->session_count < sessions) {
		c->sessions[c->session_count] = pool_zalloc(&c->x->pool, sizeof(struct act_sess));
		c->nomem |= !c->sessions[c->session_count++];
	}
	while (!c->nomem && c->command_count < commands) {
		c->commands[c->command_count] = pool_zalloc(&c->x->pool, sizeof(struct act_cmd));
		c->nomem |= !c->commands[c->command_count++];
	}
}

static void restore_sessions(struct checkpoint *c)
{
	struct act_sessions *x = c->x;
	uint32_t next = 0;

	for (uint32_t i = 0; i < c->session_count && !broken(c); i++) {
		uint64_t commands = archive_count(&c->a, 0);
		struct act_sess *s = c->sessions[i];

		one_session(c, s);
		if (commands > c->command_count - next || s->pub.id > x->last_id ||
		    (x->last ? s->pub.id <= x->last->pub.id : !s->pub.id))
			archive_complain(&c->a, "its sessions are in no order");
		if (broken(c))
			return;
		act_session_append(x, s);
		if (s->up) {
			s->up->kids++;
			s->pub.parent = &s->up->pub;
		}
		while (commands-- && !broken(c)) {
			one_command(c, c->commands[next]);
			act_command_append(x, s, c->commands[next++]);
		}
	}
	if (next != c->command_count)
		archive_complain(&c->a, "it has commands of no session");
}

static struct act_member *new_member(struct checkpoint *c, int64_t tid)
{
	struct act_sessions *x = c->x;
	struct act_member *m;

	if (map_get(&x->members, (uint64_t)tid)) {
		archive_complain(&c->a, "a process is there twice");
		return NULL;
	}
	m = pool_alloc(&x->pool, sizeof(*m));
	if (m && map_put(&x->members, (uint64_t)tid, m) == 0)
		return m;
	pool_release(&x->pool, m, sizeof(*m));
	c->nomem = true;
	return NULL;
}

static void restore_members(struct checkpoint *c)
{
	uint64_t n = archive_count(&c->a, 0);

	for (uint64_t i = 0; i < n && !broken(c); i++) {
		struct act_member one = {0}, *m;

		one_member(c, &one);
		m = broken(c) ? NULL : new_member(c, one.tid);
		if (!m)
			return;
		*m = one;
		if (m->sess)
			m->sess->pub.processes++;
	}
}

static void restore_listed(struct checkpoint *c)
{
	uint64_t n = archive_count(&c->a, 0);

	for (uint64_t i = 0; i < n && !broken(c); i++) {
		struct sv key = act_texts_keep(&c->x->texts, archive_text(&c->a, SV_NONE));
		struct act_sess *s = session_ref(c, NULL);

		if (!s || !s->pub.from_start || !key.n || smap_get(&c->x->by_sid, key))
			archive_complain(&c->a, "a session has no name of its own");
		else if (smap_put(&c->x->by_sid, key, s) < 0)
			c->nomem = true;
		else
			s->listed = key;
	}
}

/* ---- no way leads in a circle ---- */

static const void *session_up(const void *record)
{
	return ((const struct act_sess *)record)->up;
}

static const void *command_up(const void *record)
{
	return ((const struct act_cmd *)record)->pub.parent;
}

static const void *image_before(const void *record)
{
	return ((const struct act_cmd *)record)->image_before;
}

static const void *next_pending(const void *record)
{
	return ((const struct act_cmd *)record)->next_pending;
}

/* Each record is walked over once: one that was met on the way from the same start closes a circle.
 */
static void check_way(struct checkpoint *c, void *const *all, uint32_t n,
		      const void *(*next)(const void *record))
{
	struct map met = {0};

	for (uint32_t i = 0; i < n && !broken(c); i++) {
		void *start = (void *)(uintptr_t)(i + 1);

		for (const void *at = all[i]; at && !c->nomem; at = next(at)) {
			void *before = map_get(&met, (uintptr_t)at);

			if (before == start)
				archive_complain(&c->a, "its records go round in a circle");
			if (before)
				break;
			c->nomem |= map_put(&met, (uintptr_t)at, start) < 0;
		}
	}
	map_done(&met);
}

static void check_ways(struct checkpoint *c)
{
	void *const *commands = (void *const *)c->commands;

	check_way(c, (void *const *)c->sessions, c->session_count, session_up);
	check_way(c, commands, c->command_count, command_up);
	check_way(c, commands, c->command_count, image_before);
	check_way(c, commands, c->command_count, next_pending);
}

static void restore(struct checkpoint *c)
{
	struct act_sessions *x = c->x;
	bool without_tty = archive_bool(&c->a, false), all_execs = archive_bool(&c->a, false);

	if (without_tty != x->opt.without_tty || all_execs != x->opt.all_execs)
		archive_complain(&c->a, "it is about other commands");
	x->started = archive_bool(&c->a, false);
	x->last_id = archive_u64(&c->a, 0);
	make_records(c);
	if (!broken(c))
		restore_sessions(c);
	if (!broken(c))
		restore_members(c);
	if (!broken(c))
		restore_listed(c);
	if (!broken(c))
		check_ways(c);
}

int act_sessions_restore(const struct act_sessions_options *opt, const void *p, size_t n,
			 struct act_sessions **out, struct error *err)
{
	struct checkpoint c = {.a = archive_from(p, n)};
	int rc = act_sessions_new(opt, &c.x, err);

	if (rc < 0)
		return rc;
	restore(&c);
	done(&c);
	if (c.nomem)
		rc = error_nomem(err);
	else if (c.a.trouble)
		rc = error_set(err, ERR_FORMAT, "what is known of sessions: %s", c.a.trouble);
	if (rc < 0)
		act_sessions_free(c.x);
	else
		*out = c.x;
	return rc;
}
