/* SPDX-License-Identifier: Apache-2.0 */
/* What changed between a time that was marked and T. */
#include "tui/diff.h"

#include <stdlib.h>

#include "engine/activity/forest.h"
#include "engine/activity/words.h"
#include "tui/app.h"
#include "tui/grid.h"

enum { COLUMN_KIND, COLUMN_TIME, COLUMN_PID, COLUMN_NAME, COLUMN_BEFORE, COLUMN_AFTER, COLUMNS };

static const struct tui_column columns[COLUMNS] = {
    {"kind", "KIND", 10, 0, 0,
     "born, ran (in between), died, exec, user, moved, listener, connection"},
    {"time", "TIME", 12, 60, 0, "when it happened, if that is known"},
    {"pid", "PID", 7, 0, TUI_COLUMN_RIGHT, "number of the process"},
    {"name", "NAME", 12, 0, 0, "of the process"},
    {"before", "BEFORE", 20, 100, 0, "at the earlier time"},
    {"after", "AFTER", 20, 0, TUI_COLUMN_REST, "at the later time"},
};

static const struct {
	const char *name, *help;
	enum tui_role role;
} kinds[TUI_CHANGE_COUNT] = {
#define CHANGE(sym, name, role, help) [TUI_CHANGE_##sym] = {name, help, TUI_ROLE_##role},
#include "tui/changes.def"
#undef CHANGE
};

struct diff_view {
	struct tui_view base;
	struct tui_screen glyphs; /* without cells */
	uint64_t since;		  /* the other time */
	struct tui_moment *then;  /* NULL: not brought yet, or of another capture */
	uint64_t from, to;	  /* earlier, later */
	const struct tui_moment *a, *b;
	struct tui_changes changes;
	struct tui_grid grid;
	struct tui_table *table;
};

static struct diff_view *of(struct tui_view *v)
{
	return (struct diff_view *)v;
}

static void close_diff(struct tui_view *base)
{
	struct diff_view *v = of(base);

	tui_table_free(v->table);
	tui_grid_done(&v->grid);
	tui_changes_done(&v->changes);
	tui_moment_free(v->then);
	free(v);
}

/* @t->text: the other time in nanoseconds. */
static int open_diff(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		     struct error *err)
{
	struct diff_view *v;
	uint64_t since;
	int rc;

	if (!tui_number(t->text, &since))
		return error_set(err, ERR_USAGE, "two times are needed to compare");
	v = calloc(1, sizeof(*v));
	if (!v)
		return error_nomem(err);
	v->since = since;
	v->glyphs.ascii = tui_app_is_ascii(app);
	tui_grid_init(&v->grid, COLUMNS);
	rc = tui_table_new(app, columns, COLUMNS, &tui_list_ops, &v->grid.list, &v->table, err);
	if (rc < 0)
		close_diff(&v->base);
	else
		*out = &v->base;
	return rc;
}

/* --- rows --- */

static void command_of(struct buf *b, const struct tui_change *c, struct state_thread *t)
{
	const struct act_node n = {.t = t, .p = c->p};

	act_node_command(b, &n);
}

static void parent_of(struct buf *b, const struct state *st, const struct state_thread *t)
{
	const struct state_thread *parent = state_thread_ancestor(st, t, 1);

	if (!parent || parent == t)
		return;
	buf_sv(b, state_sv(parent->comm));
	buf_addf(b, "(%lld)", (long long)act_pid(parent));
}

static void before(const struct diff_view *v, const struct tui_change *c, struct buf *b)
{
	switch (c->kind) {
	case TUI_CHANGE_DIED:
	case TUI_CHANGE_EXEC:
		command_of(b, c, c->a);
		break;
	case TUI_CHANGE_USER:
		act_user_text(b, v->a->state, c->a->container_id, c->a->uid);
		break;
	case TUI_CHANGE_MOVED:
		parent_of(b, v->a->state, c->a);
		break;
	default:
		break;
	}
}

static void ended(const struct diff_view *v, const struct tui_change *c, struct buf *b)
{
	buf_str(b, tui_glyph(&v->glyphs, TUI_GLYPH_DEAD));
	act_status_text(b, c->p->status);
}

static void socket_text(const struct diff_view *v, const struct act_conn *c, struct buf *b)
{
	buf_addf(b, "%s ", act_net_proto_name(c));
	if (c->family == ACT_UNIX) {
		buf_sv(b, c->path);
	} else {
		act_end_text(b, c->family, &c->local);
		if (!c->waits) {
			buf_str(b, tui_glyph(&v->glyphs, c->direction == ACT_DIR_IN
							     ? TUI_GLYPH_BACK_ARROW
							     : TUI_GLYPH_ARROW));
			act_end_text(b, c->family, &c->remote);
		}
	}
	buf_addf(b, " %s", act_net_state_name(c->state));
}

static void after(const struct diff_view *v, const struct tui_change *c, struct buf *b)
{
	switch (c->kind) {
	case TUI_CHANGE_BORN:
	case TUI_CHANGE_EXEC:
		command_of(b, c, c->b);
		break;
	case TUI_CHANGE_RAN:
		ended(v, c, b);
		buf_char(b, ' ');
		command_of(b, c, NULL);
		break;
	case TUI_CHANGE_DIED:
		ended(v, c, b);
		break;
	case TUI_CHANGE_USER:
		act_user_text(b, v->b->state, c->b->container_id, c->b->uid);
		break;
	case TUI_CHANGE_MOVED:
		parent_of(b, v->b->state, c->b);
		break;
	default:
		socket_text(v, c->conn, b);
		break;
	}
}

static void add_row(struct diff_view *v, size_t i)
{
	const struct tui_change *c = &v->changes.list[i];
	const struct state_thread *t = c->b ? c->b : c->a;
	struct tui_grid *g = &v->grid;
	struct tui_row_key key = {c->key ? c->key : (uint64_t)c->pid | 1ull << 63, c->kind};

	if (c->conn) /* a process may have many */
		key = (struct tui_row_key){c->conn->id | 1ull << 62, c->kind};
	if (!tui_grid_add(g, key, kinds[c->kind].role))
		return;
	tui_grid_str(g, kinds[c->kind].name);
	if (c->ts)
		tui_app_time(v->base.app, tui_grid_begin(g), c->ts, 0, 3);
	else
		(void)tui_grid_begin(g);
	tui_grid_end(g, TUI_ROLE_NORMAL);
	tui_grid_printf(g, "%lld", (long long)c->pid);
	tui_grid_cell(g, TUI_ROLE_NORMAL,
		      c->conn ? c->conn->chain[0].name
		      : t     ? state_sv(t->comm)
			      : c->p->comm);
	before(v, c, tui_grid_begin(g));
	tui_grid_end(g, TUI_ROLE_NORMAL);
	after(v, c, tui_grid_begin(g));
	tui_grid_end(g, TUI_ROLE_NORMAL);
}

/* --- bringing it to T --- */

static int compare(struct diff_view *v, struct error *err)
{
	struct tui_data *d = tui_app_data(v->base.app);
	const struct tui_moment *now;
	uint64_t ts;
	bool back;
	int rc = v->then ? 0 : tui_moment_at(d, v->since, &v->then, err);

	if (rc == 0)
		rc = tui_data_moment(d, &now, err);
	if (rc < 0)
		return rc;
	ts = tui_data_time(d, NULL);
	back = now->num != v->then->num ? now->num < v->then->num : ts < v->since;
	v->a = back ? now : v->then;
	v->b = back ? v->then : now;
	v->from = back ? ts : v->since;
	v->to = back ? v->since : ts;
	return tui_changes_find(&v->changes, v->a, v->b, err);
}

static int sync_diff(struct tui_view *base, unsigned news, struct error *err)
{
	struct diff_view *v = of(base);
	int rc;

	if (!(news & ~(unsigned)(TUI_NEWS_PROGRESS | TUI_NEWS_CASE)))
		return 0;
	if (news & TUI_NEWS_CAPTURE) {
		tui_moment_free(v->then);
		v->then = NULL;
	}
	tui_grid_clear(&v->grid);
	rc = compare(v, err);
	for (size_t i = 0; rc == 0 && i < v->changes.count; i++)
		add_row(v, i);
	if (rc == 0)
		rc = tui_grid_done_adding(&v->grid, err);
	return rc == 0 ? tui_table_refresh(v->table, err) : rc;
}

/* --- drawing --- */

static void add_range(const struct diff_view *v, struct buf *b)
{
	tui_app_time(v->base.app, b, v->from, 0, 3);
	buf_addf(b, " %s ", tui_glyph(&v->glyphs, TUI_GLYPH_ARROW));
	tui_app_time(v->base.app, b, v->to, 0, 3);
}

static void draw_diff(struct tui_view *base, const struct tui_area *a)
{
	struct diff_view *v = of(base);
	struct tui_area table = tui_area_part(a, 1, 0, a->height - 1, a->width);
	struct buf b = {0};

	add_range(v, &b);
	buf_lit(&b, " (");
	tui_duration(&b, v->to > v->from ? v->to - v->from : 0);
	buf_lit(&b, "):");
	for (unsigned i = 0; i < TUI_CHANGE_COUNT; i++)
		if (v->changes.kinds[i])
			buf_addf(&b, "  %s %llu", kinds[i].name,
				 (unsigned long long)v->changes.kinds[i]);
	tui_put(a, 0, 1, a->width - 2, TUI_ROLE_TITLE, buf_view(&b));
	tui_table_draw(v->table, &table, true);
	if (!v->grid.count)
		tui_table_draw_why(
		    v->table, &table,
		    v->from == v->to ? "both times are the same; move T, and the difference follows"
				     : "no process and no socket changed in between");
	buf_done(&b);
}

static void click_diff(struct tui_view *base, const struct tui_input *in, const struct tui_area *a)
{
	struct tui_area table = tui_area_part(a, 1, 0, a->height - 1, a->width);

	if (in->y >= table.y)
		tui_table_click(of(base)->table, in, &table);
}

static void crumb_diff(struct tui_view *base, struct buf *out)
{
	(void)base;
	buf_lit(out, "Diff");
}

/* --- doing --- */

static enum tui_result enter(struct diff_view *v)
{
	struct tui_target t = {0};
	struct tui_row_key key;
	struct sv pid;
	uint64_t n;

	if (!tui_table_cursor(v->table, &key))
		return TUI_DONE;
	pid = tui_table_cell(v->table, COLUMN_PID);
	if (!tui_number(pid, &n)) {
		tui_app_say(v->base.app, TUI_ROLE_NOTICE, "whose it is is not known");
		return TUI_DONE;
	}
	t.pid = (int64_t)n;
	t.proc_key = key.a >> 62 ? 0 : key.a;
	tui_app_push(v->base.app, &tui_process_ops, &t);
	return TUI_DONE;
}

static enum tui_result act_diff(struct tui_view *base, const struct tui_command *c)
{
	struct diff_view *v = of(base);

	if (tui_table_is_asking(v->table))
		return TUI_NOT_MINE;
	if (c->action == TUI_DO_ENTER)
		return enter(v);
	if (c->action != TUI_DO_DIFF)
		return TUI_NOT_MINE;
	v->since = tui_data_time(tui_app_data(base->app), NULL);
	base->news |= TUI_NEWS_CAPTURE;
	tui_app_say(base->app, TUI_ROLE_NORMAL, "compared with this moment from now on");
	return TUI_DONE;
}

static struct tui_table *table_of_diff(struct tui_view *base)
{
	return of(base)->table;
}

static const uint8_t diff_actions[] = {TUI_DO_ENTER,	  TUI_DO_DIFF,	 TUI_DO_STEP_BACK,
				       TUI_DO_STEP_ON,	  TUI_DO_SORT,	 TUI_DO_FREQUENCY,
				       TUI_DO_NEXT_ALERT, TUI_DO_EXPORT, TUI_NO_ACTION};

const struct tui_view_ops tui_diff_ops = {
    .name = "diff",
    .title = "Diff",
    .help = "What changed between the time that was marked and T: processes that were born, ran "
	    "in between, died, executed something else, got other rights or another parent; "
	    "sockets that wait, and connections that began. The difference follows T. Enter opens "
	    "the process. 'diff' here makes this moment the one to compare with.",
    .actions = diff_actions,
    .open = open_diff,
    .close = close_diff,
    .sync = sync_diff,
    .draw = draw_diff,
    .act = act_diff,
    .crumb = crumb_diff,
    .click = click_diff,
    .table = table_of_diff,
};
