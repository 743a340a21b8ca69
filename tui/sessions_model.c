/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sessions_model.h"

#include <stdlib.h>

#include "base/map.h"
#include "engine/activity/words.h"

#define NONE	    SIZE_MAX
#define PLACE_STEPS 64 /* sessions in between that are not shown */

/* --- rows */

static void *room(void *rows, size_t count, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 64;
	void *p = count < *cap ? rows : realloc(rows, more * size);

	if (p && count == *cap)
		*cap = more;
	return p;
}

struct tui_session_row *tui_sessions_room(struct tui_sessions *s)
{
	struct tui_session_row *rows = room(s->rows, s->count, &s->cap, sizeof(*rows));

	if (!rows)
		return NULL;
	s->rows = rows;
	rows[s->count] = (struct tui_session_row){
	    .leader = -1, .uid = EV_NO_ID, .loginuid = EV_NO_ID, .passes = true, .worst = -1};
	return &rows[s->count++];
}

struct tui_command_row *tui_commands_room(struct tui_commands *c)
{
	struct tui_command_row *rows = room(c->rows, c->count, &c->cap, sizeof(*rows));

	if (!rows)
		return NULL;
	c->rows = rows;
	rows[c->count] = (struct tui_command_row){
	    .pid = -1, .status = -1, .uid = EV_NO_ID, .euid = EV_NO_ID, .worst = -1};
	return &rows[c->count++];
}

bool tui_sessions_keep(struct arena *arena, struct buf *b, struct sv *out)
{
	*out = b->len ? arena_sv(arena, buf_view(b)) : SV_NONE;
	if (b->failed || (b->len && !out->p))
		return false;
	buf_reset(b);
	return true;
}

static void source_done(struct tui_sessions_source *s)
{
	tui_state_filter_free(s->filter);
	tui_known_free(s->known);
	arena_done(&s->arena);
}

void tui_sessions_done(struct tui_sessions *s)
{
	source_done(&s->source);
	free(s->rows);
}

void tui_commands_done(struct tui_commands *c)
{
	source_done(&c->source);
	free(c->rows);
}

/* --- texts */

void tui_session_from(enum act_origin origin, struct sv from, struct sv by, int64_t by_pid,
		      struct buf *out)
{
	static const char *const before[] = {
	    [ACT_ORIGIN_UNKNOWN] = "",
	    [ACT_ORIGIN_REMOTE] = "",
	    [ACT_ORIGIN_SOCKET] = "input from ",
	    [ACT_ORIGIN_CONTAINER_ENTRY] = "entered",
	    [ACT_ORIGIN_CONTAINER_START] = "started",
	};
	bool remote = origin == ACT_ORIGIN_REMOTE;

	buf_str(out, before[origin]);
	if (remote || origin == ACT_ORIGIN_SOCKET)
		buf_sv(out, from);
	if (by_pid < 0 || origin == ACT_ORIGIN_UNKNOWN || origin == ACT_ORIGIN_SOCKET)
		return;
	buf_str(out, remote ? " (" : " by ");
	buf_sv(out, by);
	buf_addf(out, " %lld%s", (long long)by_pid, remote ? ")" : "");
}

void tui_session_who(const struct tui_app *app, const struct tui_session_row *r, struct buf *out)
{
	if (r->login.n)
		buf_sv(out, r->login);
	if (r->login.n && r->loginuid != r->uid)
		buf_str(out, tui_app_glyph(app, TUI_GLYPH_ARROW));
	if (!r->login.n || r->loginuid != r->uid)
		buf_sv(out, r->user.n ? r->user : SV_LIT("?"));
}

/* --- from the tracker */

static int take_session(struct arena *arena, const struct state *st, const struct act_session *s,
			struct tui_session_row *r)
{
	struct buf b = {0};
	bool ok;

	r->id = s->id;
	r->parent = s->parent ? s->parent->id : 0;
	r->start_ts = s->start_ts;
	r->end_ts = s->end_ts;
	r->from_start = s->from_start;
	r->remote = s->origin == ACT_ORIGIN_REMOTE;
	r->leader = s->leader;
	r->tty = s->tty;
	r->uid = s->uid;
	r->loginuid = s->loginuid;
	buf_sv(&b, s->user);
	ok = tui_sessions_keep(arena, &b, &r->user);
	buf_sv(&b, s->login_user);
	ok = ok && tui_sessions_keep(arena, &b, &r->login);
	tui_session_from(s->origin, s->from, s->by, s->by_pid, &b);
	if (!b.len && s->via) {
		buf_lit(&b, "via ");
		act_command_text_of(&b, s->via->exe, s->via->comm, s->via->args, s->via->arg_count);
	}
	ok = ok && tui_sessions_keep(arena, &b, &r->from);
	act_command_text_of(&b, s->shell, s->shell, s->shell_args, s->shell_arg_count);
	ok = ok && tui_sessions_keep(arena, &b, &r->shell);
	buf_sv(&b, act_container_name(st, s->container));
	ok = ok && tui_sessions_keep(arena, &b, &r->container);
	buf_sv(&b, s->container);
	ok = ok && tui_sessions_keep(arena, &b, &r->container_id);
	buf_done(&b);
	return ok ? 0 : ERR_NOMEM;
}

static int worse(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static int worst_of(const struct tui_known *k, int64_t pid, uint64_t from, uint64_t to, uint64_t ts)
{
	return pid > 0 ? tui_known_worst(k, pid, from, to ? to : UINT64_MAX, ts) : -1;
}

static int take_sessions(struct tui_sessions *s, const struct tui_moment *m)
{
	for (const struct act_session *a = act_sessions_first(m->sessions); a; a = a->next) {
		struct tui_session_row *r = tui_sessions_room(s);

		if (!r || take_session(&s->source.arena, m->state, a, r) < 0)
			return ERR_NOMEM;
		r->passes = tui_state_filter_passes_session(s->source.filter, a);
		r->worst = worst_of(s->source.known, a->leader, a->start_ts, a->end_ts, m->ts);
		for (const struct act_command *c = a->first_command; c; c = c->next) {
			r->commands += act_command_typed(c);
			r->worst = worse(
			    r->worst, worst_of(s->source.known, c->pid, c->ts, c->end_ts, m->ts));
		}
	}
	return 0;
}

static int take_command(struct tui_commands *o, const struct act_command *c)
{
	struct tui_command_row *r = tui_commands_room(o);
	struct buf b = {0};
	bool ok;

	if (!r)
		return ERR_NOMEM;
	r->ts = c->ts;
	r->end_ts = c->end_ts;
	r->evt = c->evt;
	r->from_start = c->from_start;
	r->background = c->background;
	r->ended = c->ended;
	r->below = c->kind == ACT_BELOW;
	r->pid = c->pid;
	r->status = c->status;
	r->uid = c->uid;
	r->euid = c->euid;
	buf_sv(&b, c->user);
	ok = tui_sessions_keep(&o->source.arena, &b, &r->user);
	buf_sv(&b, c->euser);
	ok = ok && tui_sessions_keep(&o->source.arena, &b, &r->euser);
	buf_sv(&b, act_directory(c->cwd));
	ok = ok && tui_sessions_keep(&o->source.arena, &b, &r->cwd);
	act_command_text_of(&b, c->exe, c->comm, c->args, c->arg_count);
	ok = ok && tui_sessions_keep(&o->source.arena, &b, &r->line);
	buf_sv(&b, c->comm);
	ok = ok && tui_sessions_keep(&o->source.arena, &b, &r->comm);
	buf_sv(&b, c->exepath);
	ok = ok && tui_sessions_keep(&o->source.arena, &b, &r->exe);
	buf_done(&b);
	return ok ? 0 : ERR_NOMEM;
}

static int take_commands(struct tui_commands *o, const struct tui_moment *m, uint64_t id)
{
	const struct act_session *a = act_sessions_first(m->sessions);
	int rc;

	while (a && a->id != id)
		a = a->next;
	if (!a)
		return 0;
	rc = take_session(&o->source.arena, m->state, a, &o->session);
	for (const struct act_command *c = a->first_command; c && rc == 0; c = c->next)
		if (act_command_typed(c))
			rc = take_command(o, c);
	return rc;
}

/* --- which ones, and where */

/* The nearest of those above it that is shown; one that is not before it is none. */
static size_t place_of(const struct tui_sessions *s, const struct map *by_id, size_t i)
{
	const struct tui_session_row *r = &s->rows[i];

	for (unsigned steps = 0; r->parent && steps < PLACE_STEPS; steps++) {
		const struct tui_session_row *up = map_get(by_id, r->parent);

		if (!up || up >= &s->rows[i])
			return NONE;
		if (up->shown)
			return (size_t)(up - s->rows);
		r = up;
	}
	return NONE;
}

/* Whom each one hangs below, and how deep; what would be deeper than that hangs beside. */
static void hang(struct tui_sessions *s, const struct map *by_id, size_t *above)
{
	for (size_t i = 0; i < s->count; i++) {
		size_t up = s->rows[i].shown ? place_of(s, by_id, i) : NONE;

		if (up != NONE && s->rows[up].depth == TUI_SESSION_DEPTH_MAX)
			up = above[up];
		above[i] = up;
		s->rows[i].depth = up == NONE ? 0 : s->rows[up].depth + 1;
	}
}

/* Numbers of rows in the order in which they are shown. Return: how many. */
static size_t put_in_order(const struct tui_sessions *s, size_t first, size_t *order)
{
	size_t stack[TUI_SESSION_DEPTH_MAX + 1], depth = 0, n = 0, i = first;

	while (i != NONE || depth) {
		if (i == NONE) {
			i = stack[--depth];
			continue;
		}
		order[n++] = i;
		if (s->rows[i].first_below != NONE) {
			stack[depth++] = s->rows[i].next_below;
			i = s->rows[i].first_below;
		} else {
			i = s->rows[i].next_below;
		}
	}
	return n;
}

/* Backwards, so that what hangs together comes out in order. Return: the first of those that hang
 * below none. */
static size_t link_rows(struct tui_sessions *s, const size_t *above)
{
	size_t first = NONE;

	for (size_t i = s->count; i-- > 0;) {
		struct tui_session_row *r = &s->rows[i];
		size_t *list = above[i] == NONE ? &first : &s->rows[above[i]].first_below;

		if (!r->shown)
			continue;
		r->next_below = *list;
		*list = i;
	}
	return first;
}

static int arrange(struct tui_sessions *s)
{
	struct map by_id = {0};
	struct tui_session_row *rows = calloc(s->count + 1, sizeof(*rows));
	size_t *order = calloc(2 * s->count + 1, sizeof(*order)), *above = NULL, n;
	int rc = rows && order ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < s->count && rc == 0; i++) {
		s->rows[i].first_below = s->rows[i].next_below = NONE;
		rc = map_put(&by_id, s->rows[i].id, &s->rows[i]);
	}
	if (rc == 0) {
		above = order + s->count;
		hang(s, &by_id, above);
		n = put_in_order(s, link_rows(s, above), order);
		for (size_t i = 0; i < n; i++)
			rows[i] = s->rows[order[i]];
		free(s->rows);
		s->rows = rows;
		s->cap = s->count + 1;
		s->count = n;
		rows = NULL;
	}
	map_done(&by_id);
	free(order);
	free(rows);
	return rc;
}

/* --- loading */

/* The moment if it has sessions. Return: 1, 0: the case is to be asked, or ERR_*. */
static int moment_of(struct tui_app *app, struct tui_state_filter *f, const struct tui_moment **m,
		     struct error *err)
{
	struct tui_data *d = tui_app_data(app);
	const struct tui_capture *c = tui_data_capture(d);
	int rc = c && c->there ? tui_data_moment(d, m, err) : 0;

	if (!c || !c->there) {
		*m = NULL;
		if (f)
			return error_set(err, ERR_UNSUPPORTED,
					 "without its capture, sessions cannot be filtered");
		return 0;
	}
	if (rc == 0)
		rc = tui_state_filter_at(f, *m, err);
	return rc < 0 ? rc : (*m)->sessions != NULL;
}

int tui_sessions_load(struct tui_sessions *s, struct error *err)
{
	const struct tui_moment *m = NULL;
	int rc;

	s->count = 0;
	s->hidden = 0;
	arena_reset(&s->source.arena);
	rc = moment_of(s->source.app, s->source.filter, &m, err);
	if (rc < 0)
		return rc;
	s->from_case = rc == 0;
	rc = s->from_case	       ? tui_sessions_of_case(s, err)
	     : take_sessions(s, m) < 0 ? error_nomem(err)
				       : 0;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->count; i++) {
		s->rows[i].shown = s->rows[i].passes && (s->all || s->rows[i].tty);
		s->hidden += !s->all && !s->rows[i].tty;
	}
	return arrange(s) < 0 ? error_nomem(err) : 0;
}

static void choose_commands(struct tui_commands *c, uint64_t ts)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct tui_command_row *r = &c->rows[i];
		struct act_proc p = {.pid = r->pid,
				     .vpid = r->pid,
				     .comm = r->comm,
				     .exe = r->exe,
				     .exepath = r->exe,
				     .args = r->line,
				     .arg_count = 1,
				     .cwd = r->cwd,
				     .container = c->session.container_id,
				     .uid = r->euid,
				     .gid = EV_NO_ID,
				     .loginuid = c->session.loginuid,
				     .tty = c->session.tty};

		r->worst = worst_of(c->source.known, r->pid, r->ts, r->end_ts, ts);
		if (tui_state_filter_passes_dead(c->source.filter, &p))
			c->rows[n++] = *r;
	}
	c->count = n;
}

int tui_commands_load(struct tui_commands *c, uint64_t id, struct error *err)
{
	const struct tui_moment *m = NULL;
	uint64_t num;
	int rc;

	c->count = 0;
	c->session = (struct tui_session_row){.worst = -1};
	arena_reset(&c->source.arena);
	rc = moment_of(c->source.app, c->source.filter, &m, err);
	if (rc < 0)
		return rc;
	rc = rc == 0			   ? tui_commands_of_case(c, id, err)
	     : take_commands(c, m, id) < 0 ? error_nomem(err)
					   : 0;
	if (rc == 0)
		choose_commands(c, tui_data_time(tui_app_data(c->source.app), &num));
	return rc;
}
