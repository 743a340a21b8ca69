/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define PLACE_STEPS 64 /* sessions in between that are not shown */
#define CWD_SHOWN   24 /* columns of a directory; the middle of a longer one is left out */

int session_view_begin(struct session_view *v, size_t count)
{
	v->nodes = calloc(count + 1, sizeof(*v->nodes));
	v->cap = count;
	return v->nodes ? 0 : ERR_NOMEM;
}

void session_view_done(struct session_view *v)
{
	free(v->nodes);
	map_done(&v->by_session);
	map_done(&v->below);
}

void session_view_add(struct session_view *v, const struct act_session *s)
{
	struct session_node *n;

	if (v->count == v->cap)
		return;
	n = &v->nodes[v->count++];
	n->s = s;
	if (map_put(&v->by_session, (uintptr_t)s, n) < 0)
		v->view->out.failed = true;
}

/* --- where a session hangs --- */

static bool is_row(const struct session_view *v, const struct act_command *c)
{
	return v->all_execs || act_command_typed(c);
}

/* The nearest ancestor that is shown, and the command of it that led here. */
static void find_place(struct session_view *v, struct session_node *n)
{
	const struct act_session *s = n->s;
	const struct act_command *via = NULL;

	for (size_t steps = 0; s && steps < PLACE_STEPS; steps++) {
		via = s->via;
		s = s->parent;
		n->up = s ? map_get(&v->by_session, (uintptr_t)s) : NULL;
		if (n->up)
			break;
	}
	if (!n->up)
		return;
	for (size_t steps = 0; via && (!is_row(v, via) || via->session != n->up->s); steps++)
		via = steps < PLACE_STEPS ? via->parent : NULL;
	n->via = via;
}

static void hang(struct session_view *v, struct session_node *n)
{
	uint64_t key = n->via ? (uintptr_t)n->via : (uintptr_t)n->up->s;

	n->next = map_get(&v->below, key);
	if (map_put(&v->below, key, n) < 0)
		v->view->out.failed = true;
}

/* --- texts --- */

static void by_text(struct buf *b, const struct act_session *s, const char *before,
		    const char *after)
{
	if (s->by_pid < 0)
		return;
	buf_str(b, before);
	cli_safe(b, s->by);
	buf_addf(b, " %lld%s", (long long)s->by_pid, after);
}

static void origin_text(struct buf *b, const struct act_session *s)
{
	switch (s->origin) {
	case ACT_ORIGIN_REMOTE:
		buf_lit(b, "  from ");
		cli_safe(b, s->from);
		by_text(b, s, " (", ")");
		break;
	case ACT_ORIGIN_SOCKET:
		buf_lit(b, "  input from a connection with ");
		cli_safe(b, s->from);
		break;
	case ACT_ORIGIN_CONTAINER_ENTRY:
		by_text(b, s, "  entered by ", "");
		break;
	case ACT_ORIGIN_CONTAINER_START:
		by_text(b, s, "  started by ", "");
		break;
	case ACT_ORIGIN_UNKNOWN:
		break;
	}
}

static void span_text(const struct session_view *v, struct buf *b, const struct act_session *s)
{
	const char *arrow = v->view->utf8 ? "→" : "->";

	buf_lit(b, "  ");
	if (s->start_ts)
		table_clock(v->view->table, b, s->start_ts);
	else
		buf_lit(b, "before");
	buf_str(b, arrow);
	if (s->end_ts)
		table_clock(v->view->table, b, s->end_ts);
	else
		buf_lit(b, "open");
}

/* "amy@pts/1", "amy→root@pts/2 in web" */
static void who_text(const struct session_view *v, struct buf *b, const struct act_session *s)
{
	size_t start;

	if (s->login_user.n)
		cli_safe(b, s->login_user);
	if (s->login_user.n && s->loginuid != s->uid)
		buf_str(b, v->view->utf8 ? "→" : "->");
	if (!s->login_user.n || s->loginuid != s->uid)
		cli_safe(b, s->user.n ? s->user : SV_LIT("?"));
	buf_char(b, '@');
	start = b->len;
	act_tty_text(b, s->tty);
	if (b->len == start)
		buf_lit(b, "no terminal");
	if (s->container.n) {
		buf_lit(b, " in ");
		cli_safe(b, act_container_name(v->walk->state, s->container));
	}
}

static void heading(struct session_view *v, const struct act_session *s, unsigned depth)
{
	struct buf raw = {0}, *b = &v->view->scratch;

	buf_reset(b);
	for (unsigned i = 0; i < depth; i++)
		buf_lit(b, "    ");
	who_text(v, b, s);
	span_text(v, b, s);
	origin_text(b, s);
	if (s->loginuid != EV_NO_ID)
		buf_addf(b, "  loginuid %u", s->loginuid);
	if (s->end_ts && s->processes)
		buf_addf(b, "  %u process%s live%s on", s->processes, s->processes == 1 ? "" : "es",
			 s->processes == 1 ? "s" : "");
	if (s->shell.n) {
		act_command_text_of(&raw, s->shell, s->shell, s->shell_args, s->shell_arg_count);
		buf_lit(b, "  ");
		cli_safe(b, buf_view(&raw));
		buf_addf(b, "(%lld)", (long long)s->leader);
	}
	b->failed |= raw.failed;
	buf_done(&raw);
	table_line(v->view->table, buf_view(b), STYLE_BOLD);
}

static void command_line(struct buf *b, const struct act_command *c)
{
	act_command_text_of(b, c->exe, c->comm, c->args, c->arg_count);
}

static void short_directory(struct buf *b, struct sv cwd)
{
	size_t tail;

	cwd = act_directory(cwd);
	if (cwd.n <= CWD_SHOWN) {
		buf_sv(b, cwd);
		return;
	}
	/* From a slash on if there is one, so that names stay whole. */
	for (tail = cwd.n - (CWD_SHOWN - 3); tail < cwd.n && cwd.p[tail] != '/'; tail++)
		;
	if (tail == cwd.n)
		tail = cwd.n - (CWD_SHOWN - 3);
	buf_lit(b, "...");
	buf_sv(b, sv_drop(cwd, tail));
}

/* --- rows --- */

static void session_cells(struct session_view *v, const struct act_session *s)
{
	struct table *t = v->view->table;
	struct buf *b = &v->view->scratch;

	table_string(t, SES_CAPTURE, sv_of(v->view->path));
	table_u64(t, SES_ID, s->id);
	if (s->parent)
		table_u64(t, SES_PARENT, s->parent->id);
	if (s->via)
		table_i64(t, SES_VIA, s->via->pid);
	table_text(t, SES_LOGIN_USER, s->login_user);
	if (s->loginuid != EV_NO_ID)
		table_u64(t, SES_LOGINUID, s->loginuid);
	table_text(t, SES_USER, s->user);
	if (s->uid != EV_NO_ID)
		table_u64(t, SES_UID, s->uid);
	buf_reset(b);
	act_tty_text(b, s->tty);
	table_text(t, SES_TTY, buf_view(b));
	table_text(t, SES_CONTAINER_ID, s->container);
	table_text(t, SES_CONTAINER, act_container_name(v->walk->state, s->container));
	table_trusted(t, SES_ORIGIN, sv_of(act_origin_name(s->origin)));
	table_text(t, SES_FROM, s->from);
	table_text(t, SES_BY, s->by);
	table_id(t, SES_BY_PID, s->by_pid);
	table_id(t, SES_LEADER, s->leader);
	buf_reset(b);
	act_command_text_of(b, s->shell, s->shell, s->shell_args, s->shell_arg_count);
	table_text(t, SES_SHELL, buf_view(b));
	table_id(t, SES_SID, s->sid);
	table_time(t, SES_START, s->start_ts);
	table_time(t, SES_END, s->end_ts);
	table_bool(t, SES_FROM_START, s->from_start);
	table_bool(t, SES_IMPLIED, s->implied);
	table_u64(t, SES_PROCESSES, s->processes);
}

static const char *kind_name(enum act_command_kind k)
{
	static const char *const names[] = {"job", "child", "below"};

	return names[k];
}

static unsigned depth_below(const struct act_command *c)
{
	unsigned depth = 0;

	for (; c->parent && c->parent->session == c->session && depth < SESSION_DEPTH_MAX;
	     c = c->parent)
		depth++;
	return depth;
}

static void command_cell(struct session_view *v, const struct act_command *c, unsigned depth)
{
	struct buf raw = {0}, *b = &v->view->scratch;

	buf_reset(b);
	command_line(&raw, c);
	if (v->view->format != TABLE_TEXT) {
		table_string(v->view->table, CMD_COMMAND, buf_view(&raw));
	} else {
		for (unsigned i = 0; i < depth; i++)
			buf_lit(b, "    ");
		for (unsigned i = 0; c->kind == ACT_BELOW && i < depth_below(c); i++)
			buf_lit(b, "  ");
		if (c->kind != ACT_BELOW)
			buf_str(b, c->uid == 0 ? "# " : "$ ");
		cli_safe(b, buf_view(&raw));
		table_trusted(v->view->table, CMD_COMMAND, buf_view(b));
	}
	b->failed |= raw.failed;
	buf_done(&raw);
}

static enum table_style style_of(const struct act_command *c)
{
	if (c->kind == ACT_BELOW)
		return STYLE_DIM;
	return STYLE_PLAIN;
}

static void command_row(struct session_view *v, const struct act_command *c, unsigned depth)
{
	struct table *t = v->view->table;
	struct buf *b = &v->view->scratch;

	if (c->from_start && v->view->format == TABLE_TEXT)
		table_trusted(t, CMD_TIME, SV_LIT("before"));
	table_time(t, CMD_TIME, c->ts);
	buf_reset(b);
	act_result_text(b, c->background, c->ended, c->status);
	table_trusted(t, CMD_RESULT, buf_view(b));
	if (c->ended && c->status > 0)
		table_style_cell(t, CMD_RESULT, STYLE_WARN);
	table_string(t, CMD_USER, c->user);
	if (c->uid != EV_NO_ID)
		table_u64(t, CMD_UID, c->uid);
	table_string(t, CMD_EUSER, c->euser);
	table_i64(t, CMD_PID, c->pid);
	buf_reset(b);
	if (v->view->format == TABLE_TEXT)
		short_directory(b, c->cwd);
	else
		buf_sv(b, act_directory(c->cwd));
	table_string(t, CMD_CWD, buf_view(b));
	table_time(t, CMD_END, c->end_ts);
	table_bool(t, CMD_BACKGROUND, c->background);
	table_trusted(t, CMD_KIND, sv_of(kind_name(c->kind)));
	if (c->evt)
		table_u64(t, CMD_EVT, c->evt);
	command_cell(v, c, depth);
	table_style_row(t, style_of(c));
	table_end_row(t);
}

/* --- text: nested --- */

static void print_session(struct session_view *v, struct session_node *n, unsigned depth);

static void print_below(struct session_view *v, const void *what, unsigned depth)
{
	struct session_node *n = map_get(&v->below, (uintptr_t)what);

	for (; n; n = n->next)
		print_session(v, n, depth);
}

/* Recursion ends at SESSION_DEPTH_MAX: find_place() hangs nothing deeper. */
static void print_session(struct session_view *v, struct session_node *n, unsigned depth)
{
	n->printed = true;
	heading(v, n->s, depth);
	for (const struct act_command *c = n->s->first_command; c; c = c->next) {
		if (!is_row(v, c))
			continue;
		command_row(v, c, depth);
		print_below(v, c, depth + 1);
	}
	print_below(v, n->s, depth + 1);
}

static unsigned depth_of(const struct session_node *n)
{
	unsigned depth = 0;

	for (; n->up && depth <= SESSION_DEPTH_MAX; n = n->up)
		depth++;
	return depth;
}

static void print_text(struct session_view *v)
{
	/* Backwards, so that what hangs together comes out in order. */
	for (size_t i = v->count; i-- > 0;)
		find_place(v, &v->nodes[i]);
	for (size_t i = v->count; i-- > 0;) {
		if (depth_of(&v->nodes[i]) > SESSION_DEPTH_MAX)
			v->nodes[i].up = NULL;
		if (v->nodes[i].up)
			hang(v, &v->nodes[i]);
	}
	for (size_t i = 0; i < v->count; i++) {
		if (v->nodes[i].up)
			continue;
		if (i)
			table_line(v->view->table, SV_LIT(""), STYLE_PLAIN);
		print_session(v, &v->nodes[i], 0);
	}
}

/* --- data --- */

static void member(struct buf *b, const char *name, struct sv text)
{
	buf_addf(b, ",\"%s\":", name);
	json_string(b, text);
}

static void member_time(struct buf *b, const char *name, uint64_t ts)
{
	buf_addf(b, ",\"%s\":", name);
	if (!ts) {
		buf_lit(b, "null");
		return;
	}
	buf_char(b, '"');
	cli_time(b, ts);
	buf_char(b, '"');
}

static void member_id(struct buf *b, const char *name, uint32_t id)
{
	if (id == EV_NO_ID)
		buf_addf(b, ",\"%s\":null", name);
	else
		buf_addf(b, ",\"%s\":%u", name, id);
}

static void how_it_ended(struct buf *b, const struct act_command *c)
{
	bool known = c->ended && c->status >= 0;
	int signal = known ? (int)(c->status & 0x7f) : 0;

	buf_addf(b, ",\"state\":\"%s\"", c->ended ? "ended" : "running");
	if (known && !signal)
		buf_addf(b, ",\"rc\":%u", (unsigned)(c->status >> 8 & 0xff));
	else
		buf_lit(b, ",\"rc\":null");
	if (signal)
		buf_addf(b, ",\"signal\":%d", signal);
	else
		buf_lit(b, ",\"signal\":null");
	buf_addf(b, ",\"background\":%s", c->background ? "true" : "false");
}

static void command_json(struct buf *b, struct buf *line, const struct act_command *c)
{
	buf_addf(b, "{\"pid\":%lld", (long long)c->pid);
	member_time(b, "time", c->ts);
	member_time(b, "end", c->end_ts);
	how_it_ended(b, c);
	member(b, "kind", sv_of(kind_name(c->kind)));
	member(b, "user", c->user);
	member_id(b, "uid", c->uid);
	member(b, "ran_as", c->euser);
	member_id(b, "euid", c->euid);
	member_id(b, "loginuid", c->loginuid);
	member(b, "cwd", act_directory(c->cwd));
	member(b, "name", c->comm);
	member(b, "exe", c->exe);
	member(b, "exepath", c->exepath);
	buf_lit(b, ",\"args\":");
	act_args_json(b, c->args, c->arg_count);
	buf_reset(line);
	command_line(line, c);
	member(b, "command", buf_view(line));
	if (c->parent)
		buf_addf(b, ",\"parent_pid\":%lld", (long long)c->parent->pid);
	else
		buf_lit(b, ",\"parent_pid\":null");
	if (c->evt)
		buf_addf(b, ",\"evt\":%llu,\"offset\":%llu}", (unsigned long long)c->evt,
			 (unsigned long long)c->offset);
	else
		buf_lit(b, ",\"evt\":null,\"offset\":null}");
}

static void json_row(struct session_view *v, const struct act_session *s)
{
	struct buf b = {0}, line = {0};

	session_cells(v, s);
	buf_char(&b, '[');
	for (const struct act_command *c = s->first_command; c; c = c->next) {
		if (!is_row(v, c))
			continue;
		if (b.len > 1)
			buf_char(&b, ',');
		command_json(&b, &line, c);
	}
	buf_char(&b, ']');
	table_raw(v->view->table, SES_COMMANDS, buf_view(&b));
	table_end_row(v->view->table);
	v->view->out.failed |= b.failed || line.failed;
	buf_done(&b);
	buf_done(&line);
}

static void csv_rows(struct session_view *v, const struct act_session *s)
{
	bool any = false;

	for (const struct act_command *c = s->first_command; c; c = c->next) {
		if (!is_row(v, c))
			continue;
		session_cells(v, s);
		command_row(v, c, 0);
		any = true;
	}
	if (any)
		return;
	session_cells(v, s);
	table_end_row(v->view->table);
}

void session_view_print(struct session_view *v)
{
	if (v->view->format == TABLE_TEXT) {
		print_text(v);
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		if (v->view->format == TABLE_JSON)
			json_row(v, v->nodes[i].s);
		else
			csv_rows(v, v->nodes[i].s);
	}
}
