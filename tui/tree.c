/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of the moment as a tree, over a strip of time. */
#include <stdlib.h>

#include "engine/activity/words.h"
#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/kill.h"
#include "tui/scrubber.h"
#include "tui/step.h"
#include "tui/tree_model.h"

#define STRIP_HEIGHT 16 /* lines of a body that has room for the strip */
#define TITLE_HEIGHT 6	/* and for a line of its own above the table */

struct tree_view {
	struct tui_view base;
	struct tui_known *known;
	struct tui_tree tree;
	struct tui_table *table;
	struct tui_scrubber strip;
	struct tui_step step;
	uint64_t marked;    /* the time to compare with; 0: none */
	uint64_t wanted;    /* the process the cursor goes to at first: its key, */
	int64_t wanted_pid; /* or number; 0: none */
};

static struct tree_view *of(struct tui_view *v)
{
	return (struct tree_view *)v;
}

static void close_tree(struct tui_view *base)
{
	struct tree_view *v = of(base);

	tui_step_end(&v->step);
	tui_table_free(v->table);
	tui_tree_done(&v->tree);
	tui_known_free(v->known);
	free(v);
}

static int open_tree(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		     struct error *err)
{
	struct tree_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return error_nomem(err);
	v->wanted = t->proc_key;
	v->wanted_pid = t->pid;
	rc = tui_known_new(tui_app_data(app), &v->known, err);
	tui_tree_init(&v->tree, &v->base, app, v->known);
	if (rc == 0)
		rc = tui_table_new(app, tui_tree_columns, TUI_TREE_COLUMNS, &tui_tree_model_ops,
				   &v->tree, &v->table, err);
	if (rc < 0)
		close_tree(&v->base);
	else
		*out = &v->base;
	return rc;
}

/* --- bringing it to T --- */

static void seek_wanted(struct tree_view *v)
{
	const struct act_node *n = NULL;

	for (size_t i = 0; i < v->tree.forest.count && !n; i++) {
		const struct act_node *k = &v->tree.forest.nodes[i];

		if (v->wanted ? k->key == v->wanted : k->t && k->pid == v->wanted_pid)
			n = k;
	}
	if (n)
		tui_table_seek(v->table, tui_tree_key(n));
	v->wanted = 0;
	v->wanted_pid = 0;
}

/* @moved: T did; to an event, whose process is sought. */
static int refresh(struct tree_view *v, bool again, bool moved, struct error *err)
{
	struct tui_row_key key;
	int rc;

	if (tui_table_cursor(v->table, &key))
		tui_tree_remember(&v->tree, key);
	rc = tui_tree_update(&v->tree, again, err);
	if (rc == 0)
		rc = tui_table_refresh(v->table, err);
	if (rc == 0 && moved && !v->wanted && !v->wanted_pid)
		v->wanted_pid = v->tree.m->pid;
	if (rc == 0 && (v->wanted || v->wanted_pid))
		seek_wanted(v);
	return rc;
}

static int sync_tree(struct tui_view *base, unsigned news, struct error *err)
{
	const unsigned other = TUI_NEWS_TIME | TUI_NEWS_CAPTURE | TUI_NEWS_INDEX | TUI_NEWS_CASE;
	struct tree_view *v = of(base);

	tui_known_news(v->known, news);
	if (news & TUI_NEWS_CAPTURE)
		tui_step_end(&v->step);
	return refresh(v, news & other, news & TUI_NEWS_TIME, err);
}

static bool work_tree(struct tui_view *base, uint64_t deadline_ns)
{
	struct tree_view *v = of(base);
	bool more = tui_known_work(v->known, deadline_ns);

	if (tui_tree_ask(&v->tree, deadline_ns, &base->trouble))
		base->news |= TUI_NEWS_PROGRESS;
	more |= tui_tree_is_asking(&v->tree) && !base->trouble.code;
	more |= tui_step_work(&v->step, base->app, deadline_ns);
	if (!more && v->tree.alerts != tui_known_alerts(v->known)) {
		v->tree.stale = true;
		base->news |= TUI_NEWS_PROGRESS;
	}
	return tui_scrubber_work(&v->strip, base->app, deadline_ns) || more;
}

/* --- drawing --- */

static const char *dead_text(enum tui_tree_dead dead)
{
	return dead == TUI_TREE_DEAD_MINUTE ? "dead shown 60s"
	       : dead == TUI_TREE_DEAD_ALL  ? "all dead shown"
					    : "dead hidden";
}

static void draw_title(struct tree_view *v, const struct tui_area *a)
{
	const struct tui_tree *t = &v->tree;
	struct buf b = {0}, right = {0};

	buf_lit(&b, "alive ");
	tui_count(&b, t->alive);
	buf_addf(&b, " (+%llu born, -%llu died in 1s)   %s", (unsigned long long)t->born,
		 (unsigned long long)t->died, dead_text(t->dead));
	if (t->guessed)
		buf_addf(&b, "   %llu guessed", (unsigned long long)t->guessed);
	if (t->filter)
		buf_addf(&b, "   %llu match%s%s%s", (unsigned long long)t->matched,
			 t->matched == 1 ? "" : "es", tui_tree_is_asking(t) ? " so far" : "",
			 t->children ? ", with children" : "");
	tui_table_position(v->table, &right);
	tui_put(a, 0, 1, a->width - tui_width(buf_view(&right)) - 4, TUI_ROLE_TITLE, buf_view(&b));
	tui_put_right(a, 0, 0, a->width - 1, TUI_ROLE_DIM, buf_view(&right));
	buf_done(&b);
	buf_done(&right);
}

static void draw_empty(const struct tree_view *v, const struct tui_area *a)
{
	const char *why = v->tree.filter ? "no process passes the filter; an empty filter shows all"
			  : v->tree.num	 ? "the capture knows of no process at this moment"
					 : "nothing has happened yet at this moment; go on in time";

	tui_table_draw_why(v->table, a, why);
}

static struct tui_area table_area(const struct tui_area *a)
{
	int above = a->height >= TITLE_HEIGHT ? 1 : 0;
	int below = a->height >= STRIP_HEIGHT ? TUI_SCRUBBER_LINES : 0;

	return tui_area_part(a, above, 0, a->height - above - below, a->width);
}

static void draw_tree(struct tui_view *base, const struct tui_area *a)
{
	struct tree_view *v = of(base);
	struct tui_area table = table_area(a), strip;

	if (v->tree.width != a->width) { /* lines take another part of it */
		v->tree.width = a->width;
		if (tui_table_refresh(v->table, &base->trouble) < 0)
			return;
	}
	if (a->height >= TITLE_HEIGHT)
		draw_title(v, a);
	tui_table_draw(v->table, &table, true);
	if (!v->tree.count)
		draw_empty(v, &table);
	if (a->height < STRIP_HEIGHT)
		return;
	strip = tui_area_part(a, a->height - TUI_SCRUBBER_LINES, 0, TUI_SCRUBBER_LINES, a->width);
	tui_scrubber_draw(&v->strip, base->app, &strip);
}

static void click_tree(struct tui_view *base, const struct tui_input *in, const struct tui_area *a)
{
	struct tree_view *v = of(base);
	struct tui_area table = table_area(a);

	if (in->y >= table.y && in->y < table.y + table.height)
		tui_table_click(v->table, in, &table);
	else if (in->y >= table.y + table.height)
		tui_scrubber_click(&v->strip, base->app, in->x);
}

/* --- doing --- */

static struct act_node *under_cursor(struct tree_view *v)
{
	struct tui_row_key key;

	return tui_table_cursor(v->table, &key) ? tui_tree_node(&v->tree, key) : NULL;
}

/* Rows were opened or closed. */
static void listed(struct tree_view *v, int rc)
{
	struct error err = {0};

	if (rc == 0)
		rc = tui_tree_list(&v->tree, &err);
	else
		(void)error_nomem(&err);
	if (rc == 0)
		rc = tui_table_refresh(v->table, &err);
	if (rc < 0)
		tui_app_fail(v->base.app, &err);
}

static void expand(struct tree_view *v, const struct act_node *n)
{
	if (tui_tree_is_folded(&v->tree, n))
		listed(v, tui_tree_fold(&v->tree, n, false));
	else if (tui_tree_has_images(n) && !tui_tree_shows_images(&v->tree, n))
		listed(v, tui_tree_show_images(&v->tree, n, true));
	else
		tui_app_say(v->base.app, TUI_ROLE_NOTICE, "all of it is shown");
}

static void collapse(struct tree_view *v, const struct act_node *n)
{
	if (tui_tree_shows_images(&v->tree, n)) {
		listed(v, tui_tree_show_images(&v->tree, n, false));
		tui_table_seek(v->table, tui_tree_key(n));
	} else if (n->last_shown != ACT_NO_NODE && !tui_tree_is_folded(&v->tree, n)) {
		listed(v, tui_tree_fold(&v->tree, n, true));
	} else if (n->parent != ACT_NO_NODE) {
		tui_table_seek(v->table, tui_tree_key(&v->tree.forest.nodes[n->parent]));
	}
}

/* Open all below it, or close them if all are open. */
static void expand_all(struct tree_view *v, const struct act_node *n)
{
	struct tui_tree *t = &v->tree;
	size_t from, to = tui_tree_branch(t, n, &from);
	bool folded = tui_tree_is_folded(t, n);
	int rc = 0;

	for (size_t i = from; i < to && !folded; i++)
		folded = tui_tree_is_folded(t, &t->forest.nodes[t->forest.order[i]]);
	for (size_t i = from - 1; i < to && rc == 0; i++) {
		const struct act_node *k = &t->forest.nodes[t->forest.order[i]];

		if (k->last_shown != ACT_NO_NODE && (folded || k != n))
			rc = tui_tree_fold(t, k, !folded);
	}
	listed(v, rc);
}

static void go_to_sibling(struct tree_view *v, const struct act_node *n)
{
	const struct act_forest *f = &v->tree.forest;
	size_t first = n->parent == ACT_NO_NODE ? ACT_NO_NODE : f->nodes[n->parent].first;
	size_t i = n->next;

	while (i != ACT_NO_NODE && !f->nodes[i].shown)
		i = f->nodes[i].next;
	for (size_t k = first; i == ACT_NO_NODE && k != ACT_NO_NODE; k = f->nodes[k].next)
		if (f->nodes[k].shown) /* round to the first one */
			i = k;
	if (i == ACT_NO_NODE || &f->nodes[i] == n)
		tui_app_say(v->base.app, TUI_ROLE_NOTICE, "it is the only one of its parent");
	else
		tui_table_seek(v->table, tui_tree_key(&f->nodes[i]));
}

static void go_to_parent(struct tree_view *v, const struct act_node *n)
{
	if (n->parent == ACT_NO_NODE)
		tui_app_say(v->base.app, TUI_ROLE_NOTICE, "no parent of it is known");
	else
		tui_table_seek(v->table, tui_tree_key(&v->tree.forest.nodes[n->parent]));
}

static void tag_branch(struct tree_view *v, const struct act_node *n)
{
	struct tui_tree *t = &v->tree;
	size_t from, to = tui_tree_branch(t, n, &from);

	for (size_t i = from - 1; i < to; i++)
		tui_table_tag(v->table, tui_tree_key(&t->forest.nodes[t->forest.order[i]]));
	tui_app_say(v->base.app, TUI_ROLE_NORMAL, "%zu processes tagged", to - from + 1);
}

static void push(struct tree_view *v, const struct tui_view_ops *ops, const struct act_node *n)
{
	const struct tui_target t = {.pid = n->pid, .proc_key = n->key != UINT64_MAX ? n->key : 0};

	tui_app_push(v->base.app, ops, &t);
}

static void change(struct tree_view *v, const char *what)
{
	struct error err = {0};

	if (refresh(v, true, false, &err) < 0)
		tui_app_fail(v->base.app, &err);
	else
		tui_app_say(v->base.app, TUI_ROLE_NORMAL, "%s", what);
}

/* The time that @text means, as ':goto' takes it. Return: 0 or ERR_*. */
static int time_of(struct tui_app *app, struct sv text, uint64_t *ts, struct error *err)
{
	const struct tui_moment *m;
	uint64_t num, now = tui_data_time(tui_app_data(app), &num);
	bool at_event;
	int rc = tui_data_moment(tui_app_data(app), &m, err);

	if (rc < 0)
		return rc;
	at_event = m->ts == now;
	rc = tui_app_goto_text(app, text, err);
	if (rc == 0)
		rc = tui_data_moment(tui_app_data(app), &m, err);
	*ts = tui_data_time(tui_app_data(app), NULL);
	if (at_event)
		tui_app_goto_event(app, num);
	else
		tui_app_goto_time(app, now);
	return rc;
}

/* The first time marks T, the second compares it with T; or with the time that is given. */
static void diff(struct tree_view *v, struct sv text)
{
	struct tui_app *app = v->base.app;
	uint64_t now = tui_data_time(tui_app_data(app), NULL), since = v->marked;
	struct error err = {0};
	struct buf b = {0};

	if (text.n && time_of(app, text, &since, &err) < 0) {
		tui_app_fail(app, &err);
		return;
	}
	if (text.n && !since) /* before the first event */
		since = tui_data_capture(tui_app_data(app))->first_ts;
	if (!text.n && (!since || since == now)) {
		v->marked = now;
		tui_keymap_key(tui_app_keymap(app), TUI_DO_DIFF, &b);
		tui_app_say(app, TUI_ROLE_NORMAL,
			    "this moment is marked; move T, then %s shows what changed",
			    buf_cstr(&b));
	} else {
		struct tui_target t = {0};

		buf_u64(&b, since);
		t.text = buf_view(&b);
		v->marked = 0;
		tui_app_push(app, &tui_diff_ops, &t);
	}
	buf_done(&b);
}

/* What has to do with the process under the cursor. */
static enum tui_result act_on(struct tree_view *v, const struct tui_command *c,
			      const struct act_node *n)
{
	switch (c->action) {
	case TUI_DO_ENTER:
		push(v, &tui_process_ops, n);
		return TUI_DONE;
	case TUI_DO_ANCESTRY:
		push(v, &tui_ancestry_ops, n);
		return TUI_DONE;
	case TUI_DO_EXPAND:
		expand(v, n);
		return TUI_DONE;
	case TUI_DO_COLLAPSE:
		collapse(v, n);
		return TUI_DONE;
	case TUI_DO_EXPAND_ALL:
		expand_all(v, n);
		return TUI_DONE;
	case TUI_DO_PARENT:
		go_to_parent(v, n);
		return TUI_DONE;
	case TUI_DO_SIBLING:
		go_to_sibling(v, n);
		return TUI_DONE;
	case TUI_DO_TAG_SUBTREE:
		tag_branch(v, n);
		return TUI_DONE;
	case TUI_DO_KILL:
		return tui_kill_act(v->base.app, n, c);
	default:
		return TUI_NOT_MINE;
	}
}

static enum tui_result act_tree(struct tui_view *base, const struct tui_command *c)
{
	struct tree_view *v = of(base);
	const struct act_node *n;

	if (tui_table_is_asking(v->table))
		return TUI_NOT_MINE;
	if (base->news & (TUI_NEWS_TIME | TUI_NEWS_CAPTURE) &&
	    refresh(v, true, base->news & TUI_NEWS_TIME, &base->trouble) < 0)
		return TUI_NOT_MINE;
	n = under_cursor(v);
	if (tui_step_act(&v->step, base->app, c, n ? n->pid : -1))
		return TUI_DONE;
	switch (c->action) {
	case TUI_DO_DEAD:
		v->tree.dead = (v->tree.dead + 1) % (TUI_TREE_DEAD_NONE + 1);
		change(v, dead_text(v->tree.dead));
		return TUI_DONE;
	case TUI_DO_CHILDREN:
		v->tree.children = !v->tree.children;
		change(v, v->tree.children ? "children of what matches the filter are shown, too"
					   : "only what matches the filter, and its ancestors");
		return TUI_DONE;
	case TUI_DO_DIFF:
		diff(v, c->arg);
		return TUI_DONE;
	default:
		return n ? act_on(v, c, n) : TUI_NOT_MINE;
	}
}

static int filter_tree(struct tui_view *base, struct sv text, size_t *pos, struct error *err)
{
	struct tree_view *v = of(base);
	struct tui_state_filter *f = NULL;
	int rc = tui_state_filter_new(text, TUI_TREE_CLASSES, &f, pos, err);

	if (rc < 0)
		return rc;
	tui_tree_filter(&v->tree, f);
	return 0;
}

static void command_tree(struct tui_view *base, struct buf *out)
{
	struct tree_view *v = of(base);

	tui_command_at(base->app, "tree", out);
	if (v->tree.dead != TUI_TREE_DEAD_NONE)
		buf_lit(out, " --dead");
	tui_command_filter(base, out);
	tui_command_capture(base->app, out);
}

static struct tui_table *table_of_tree(struct tui_view *base)
{
	return of(base)->table;
}

static const struct tui_filter_language language = {.word = TUI_PROCESS_WORD,
						    .classes = TUI_TREE_CLASSES};

static const uint8_t tree_actions[] = {
    TUI_DO_ENTER,  TUI_DO_DEAD,	       TUI_DO_CHILDREN, TUI_DO_PARENT,	   TUI_DO_ANCESTRY,
    TUI_DO_DIFF,   TUI_DO_EXPAND,      TUI_DO_COLLAPSE, TUI_DO_EXPAND_ALL, TUI_DO_SIBLING,
    TUI_DO_FILTER, TUI_DO_TAG_SUBTREE, TUI_NO_ACTION,
};

const struct tui_view_ops tui_tree_ops = {
    .name = "tree",
    .title = "Tree",
    .help =
	"The processes that live at T, each under who started it, and those that ended in the "
	"minute before (dim, with how they ended). Dashed lines lead to processes that ended "
	"and to guesses: a process whose start was not recorded. 'sh→kd': one process that ran "
	"one program, then another; expanding shows each. ALERTS has the worst alert about the "
	"process so far; behind a folded branch, of what is in it. A filter keeps the "
	"ancestors of what matches, dim. Enter opens the process. Sorting by a column makes a "
	"list of it; the strip below shows events and alerts of all the capture, and where T is.",
    .actions = tree_actions,
    .open = open_tree,
    .close = close_tree,
    .sync = sync_tree,
    .draw = draw_tree,
    .act = act_tree,
    .work = work_tree,
    .command = command_tree,
    .click = click_tree,
    .table = table_of_tree,
    .filter = filter_tree,
    .language = &language,
};
