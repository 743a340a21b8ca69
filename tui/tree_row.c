/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a row of the tree. */
#include "engine/activity/words.h"
#include "tui/tree_model.h"

#define LEVELS_MAX    64 /* of lines; deeper ones have a number instead */
#define CHAIN_NAMES   3	 /* images that are named before the one of now */
#define FIXED_COLUMNS 60 /* of the screen, for all but lines */

const struct tui_column tui_tree_columns[TUI_TREE_COLUMNS] = {
    [TUI_TREE_PID] = {"pid", "PID", 7, 0, 0, "number of the process"},
    [TUI_TREE_USER] = {"user", "USER", 10, 60, 0,
		       "whose rights it has; LOGIN→USER if somebody else logged in"},
    [TUI_TREE_AGE] = {"age", "AGE", 7, 72, 0,
		      "how long it has lived at T; † how long ago it ended"},
    [TUI_TREE_STARTED] = {"started", "STARTED", 12, 80, 0, "when it was started"},
    [TUI_TREE_TREE] = {"tree", "TREE", 24, 0, TUI_COLUMN_REST,
		       "the command under who started it; †STATUS: it has ended"},
    [TUI_TREE_ALERTS] = {"alerts", "ALERTS", 6, 0, 0,
			 "the worst alert about it up to T; of what is folded behind ▸"},
    [TUI_TREE_CONTAINER] = {"container", "CONTAINER", 14, 120, 0, "empty: the host"},
    [TUI_TREE_TTY] = {"tty", "TTY", 6, 132, 0, "its terminal"},
    [TUI_TREE_SID] = {"sid", "SID", 7, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT, "its session"},
    [TUI_TREE_PPID] = {"ppid", "PPID", 7, 0,
		       TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT | TUI_COLUMN_NO_SORT,
		       "of the process it hangs under"},
    [TUI_TREE_THREADS] = {"threads", "THREADS", 7, 0,
			  TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT | TUI_COLUMN_NO_SORT,
			  "how many live"},
    [TUI_TREE_EXECS] = {"execs", "EXECS", 5, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
			"programs it executed so far"},
    [TUI_TREE_NAME] = {"name", "NAME", 15, 0, TUI_COLUMN_HIDDEN, "short name"},
    [TUI_TREE_EXE] = {"exe", "EXE", 24, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_PATH,
		      "path of the program"},
    [TUI_TREE_CWD] = {"cwd", "CWD", 24, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_PATH,
		      "working directory"},
    [TUI_TREE_COMMAND] = {"command", "COMMAND", 40, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_NO_SORT,
			  "name and arguments"},
};

struct making { /* one row */
	const struct tui_tree *t;
	const struct tui_screen *s;
	const struct act_node *n;
	struct act_identity id;
	struct tui_rows *out;
};

/* --- lines --- */

static bool is_guess(const struct tui_tree *t, const struct act_node *n)
{
	return act_node_is_placeholder(n) ||
	       (n->parent != ACT_NO_NODE && act_node_is_placeholder(&t->forest.nodes[n->parent]));
}

static bool is_last(const struct tui_tree *t, const struct act_node *n)
{
	return t->forest.nodes[n->parent].last_shown == (size_t)(n - t->forest.nodes);
}

static enum tui_glyph branch_glyph(const struct tui_tree *t, const struct act_node *n)
{
	bool dashed = !n->t || is_guess(t, n);

	if (is_last(t, n))
		return dashed ? TUI_GLYPH_TREE_DEAD_LAST : TUI_GLYPH_TREE_LAST;
	return dashed ? TUI_GLYPH_TREE_DEAD_MID : TUI_GLYPH_TREE_MID;
}

/* Levels of lines that leave room for a command. */
static unsigned levels_max(const struct tui_tree *t)
{
	int room = (t->width - FIXED_COLUMNS) / 2;

	return room < 6 ? 6 : room > LEVELS_MAX ? LEVELS_MAX : (unsigned)room;
}

/* The lines of the levels above @n: from the nearest up, written from the root on. */
static void add_lines(const struct making *k, const struct act_node *n, unsigned levels,
		      struct buf *b)
{
	const struct act_forest *f = &k->t->forest;
	bool more[LEVELS_MAX] = {false};

	for (unsigned i = levels; i-- > 0;) {
		n = &f->nodes[n->parent];
		more[i] = n->parent != ACT_NO_NODE && !is_last(k->t, n);
	}
	for (unsigned i = 0; i < levels; i++)
		buf_str(b, more[i] ? tui_glyph(k->s, TUI_GLYPH_TREE_DOWN) : "  ");
}

static void add_tree(const struct making *k, struct buf *b)
{
	const struct act_node *n = k->n;
	unsigned max = levels_max(k->t), levels = n->depth ? n->depth - 1 : 0;

	if (k->t->sorted || n->parent == ACT_NO_NODE)
		return;
	if (levels > max) {
		size_t from = b->len;

		buf_addf(b, "%u", n->depth);
		while (b->len - from < 2 * (size_t)max)
			buf_char(b, ' ');
	} else {
		add_lines(k, n, levels, b);
	}
	buf_str(b, tui_glyph(k->s, branch_glyph(k->t, n)));
}

/* Lines for a row between the process and its children. */
static void add_lines_below(const struct making *k, struct buf *b)
{
	unsigned max = levels_max(k->t), levels = k->n->depth ? k->n->depth - 1 : 0;

	if (k->n->parent == ACT_NO_NODE)
		return;
	add_lines(k, k->n, levels < max ? levels : max, b);
	buf_str(b, is_last(k->t, k->n) ? "  " : tui_glyph(k->s, TUI_GLYPH_TREE_DOWN));
}

/* --- what it is --- */

void tui_short_status(struct buf *b, int64_t status)
{
	struct buf text = {0};
	struct sv s;

	act_status_text(&text, status);
	s = buf_view(&text);
	buf_sv(b, sv_starts(s, SV_LIT("exit ")) ? sv_drop(s, 5) : s);
	buf_done(&text);
}

/* Images it had before, as far as they are known: "sh→". */
static void add_chain(const struct making *k, struct buf *b)
{
	const struct tui_image *images;
	size_t count, i;

	if (!tui_tree_has_images(k->n))
		return;
	count = tui_known_images(k->t->known, k->n->pid, k->n->p, k->t->num, &images);
	if (count < 2)
		return;
	i = count - 1 > CHAIN_NAMES ? count - 1 - CHAIN_NAMES : 0;
	if (i)
		buf_str(b, tui_glyph(k->s, TUI_GLYPH_ELLIPSIS));
	for (; i + 1 < count; i++) {
		buf_sv(b, images[i].comm);
		buf_str(b, tui_glyph(k->s, TUI_GLYPH_ARROW));
	}
}

static void add_other_parent(const struct making *k, struct buf *b)
{
	const struct act_forest *f = &k->t->forest;
	const struct act_node *n = k->n;
	const struct state_thread *now;

	if (!n->t || k->t->sorted)
		return;
	now = state_thread_ancestor(k->t->m->state, n->t, 1);
	if (act_node_is_moved(f, n)) {
		buf_lit(b, "  [started by ");
		buf_sv(b, n->p->parent_name);
		buf_addf(b, "(%lld)]", (long long)n->p->ppid);
	} else if (now && n->parent != ACT_NO_NODE && f->nodes[n->parent].pid != act_pid(now)) {
		buf_lit(b, "  [now under ");
		buf_sv(b, state_sv(now->comm));
		buf_addf(b, "(%lld)]", (long long)act_pid(now));
	}
}

static void tree_cell(const struct making *k)
{
	const struct act_node *n = k->n;
	struct buf *b = tui_rows_begin_cell(k->out);

	add_tree(k, b);
	if (!k->t->sorted && tui_tree_is_folded(k->t, n))
		buf_addf(b, "%s", tui_glyph(k->s, TUI_GLYPH_FOLDED));
	if (!n->t) {
		buf_str(b, tui_glyph(k->s, TUI_GLYPH_DEAD));
		tui_short_status(b, n->p->status);
		buf_char(b, ' ');
	}
	if (act_node_is_placeholder(n)) {
		const struct run_facts *f = tui_data_capture(tui_app_data(k->t->app))->facts;

		buf_str(b, f && f->stats.gaps ? "(guessed: its start was lost)"
					      : "(guessed: its start is not recorded)");
	} else {
		add_chain(k, b);
		act_node_command(b, n);
		add_other_parent(k, b);
	}
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
}

/* --- cells --- */

void tui_tree_user(struct buf *b, const struct tui_screen *s, const struct state *st,
		   const struct act_identity *id)
{
	if (id->loginuid != EV_NO_ID && id->loginuid != id->uid) {
		act_user_text(b, st, id->container, id->loginuid);
		buf_str(b, tui_glyph(s, TUI_GLYPH_ARROW));
	}
	act_user_text(b, st, id->container, id->uid);
}

static void user_cell(const struct making *k)
{
	struct buf *b = tui_rows_begin_cell(k->out);

	if (act_node_is_placeholder(k->n))
		buf_char(b, '?');
	else
		tui_tree_user(b, k->s, k->t->m->state, &k->id);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
}

static uint64_t start_of(const struct making *k)
{
	const struct act_proc *p = k->n->p;

	return k->id.start_ts ? k->id.start_ts : p ? p->start_ts : 0;
}

static void time_cells(const struct making *k)
{
	const struct act_proc *p = k->n->p;
	uint64_t start = start_of(k);
	struct buf *b = tui_rows_begin_cell(k->out);

	if (!k->n->t) {
		buf_str(b, tui_glyph(k->s, TUI_GLYPH_DEAD));
		tui_duration(b, k->t->ts > p->end_ts ? k->t->ts - p->end_ts : 0);
	} else if (act_node_is_placeholder(k->n)) {
		buf_char(b, '?');
	} else if (start && start <= k->t->ts) {
		tui_duration(b, k->t->ts - start);
	}
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(k->out);
	if (act_node_is_placeholder(k->n))
		buf_lit(b, "guessed");
	else if (p && p->from_start)
		buf_lit(b, "(snapshot)");
	else if (start)
		tui_app_time(k->t->app, b, start, 0, 3);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
}

static void alerts_cell(const struct making *k)
{
	size_t i = (size_t)(k->n - k->t->forest.nodes);
	int own = k->t->worst[i], below = k->t->below[i], shown = own;
	struct buf *b = tui_rows_begin_cell(k->out);

	if (own >= 0)
		buf_str(b, tui_severity_glyph(own));
	if (below >= 0 && !k->t->sorted && tui_tree_is_folded(k->t, k->n)) {
		buf_addf(b, "%s%s%s", own >= 0 ? " " : "", tui_glyph(k->s, TUI_GLYPH_FOLDED),
			 tui_severity_glyph(below));
		shown = own < 0 || below < own ? below : own;
	}
	tui_rows_end_cell(k->out, shown < 0 ? TUI_ROLE_NORMAL : tui_severity_role(shown));
}

static void text_cell(const struct making *k, struct sv text)
{
	tui_rows_cell(k->out, TUI_ROLE_NORMAL, text);
}

static void rest_cells(const struct making *k)
{
	const struct act_node *n = k->n;
	struct buf *b;

	text_cell(k, act_container_name(k->t->m->state, k->id.container_id));
	b = tui_rows_begin_cell(k->out);
	act_tty_text(b, k->id.tty);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
	tui_rows_printf(k->out, "%lld", (long long)k->id.sid);
	if (n->parent != ACT_NO_NODE)
		tui_rows_printf(k->out, "%lld", (long long)k->t->forest.nodes[n->parent].pid);
	else
		text_cell(k, SV_NONE);
	tui_rows_printf(k->out, "%llu", n->t ? (unsigned long long)state_thread_count(n->t) : 0ull);
	tui_rows_printf(k->out, "%u", n->p ? n->p->execs : k->id.exec_count);
	text_cell(k, k->id.comm);
	text_cell(k, k->id.exepath);
	text_cell(k, k->id.cwd);
	b = tui_rows_begin_cell(k->out);
	act_node_command(b, n);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
}

/* One of the images of the process above. */
static void image_row(struct making *k, uint32_t image)
{
	const struct tui_image *images;
	size_t n = tui_known_images(k->t->known, k->n->pid, k->n->p, k->t->num, &images);
	const struct tui_image none = {0}, *im = image <= n ? &images[image - 1] : &none;
	struct tui_row_key key = tui_tree_key(k->n);
	struct buf *b;

	key.b = image;
	if (tui_rows_add(k->out, key, TUI_ROLE_DIM) < 0)
		return;
	text_cell(k, SV_NONE);
	text_cell(k, SV_NONE);
	b = tui_rows_begin_cell(k->out);
	if (im->ts && im->ts <= k->t->ts)
		tui_duration(b, k->t->ts - im->ts);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(k->out);
	if (im->ts)
		tui_app_time(k->t->app, b, im->ts, 0, 3);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(k->out);
	add_lines_below(k, b);
	buf_addf(b, "  %u %s ", image, tui_glyph(k->s, TUI_GLYPH_ARROW));
	buf_sv(b, im->cmdline.n ? im->cmdline : im->comm);
	tui_rows_end_cell(k->out, TUI_ROLE_NORMAL);
	for (unsigned i = TUI_TREE_ALERTS; i < TUI_TREE_COLUMNS; i++)
		text_cell(k, i == TUI_TREE_NAME	     ? im->comm
			     : i == TUI_TREE_EXE     ? im->exepath
			     : i == TUI_TREE_COMMAND ? im->cmdline
						     : SV_NONE);
}

static enum tui_role role_of(const struct making *k)
{
	/* With a filter what passes it stands out, dead or not, and what leads there does not. */
	if (k->t->filter ? !k->n->matched : !k->n->t)
		return TUI_ROLE_DIM;
	return is_guess(k->t, k->n) ? TUI_ROLE_LOSS : TUI_ROLE_NORMAL;
}

void tui_tree_add_row(struct tui_tree *t, size_t i, struct tui_rows *out)
{
	const struct act_node *n = &t->forest.nodes[t->rows[i].node];
	struct making k = {.t = t, .s = &t->glyphs, .n = n, .out = out};

	if (t->rows[i].image) {
		image_row(&k, t->rows[i].image);
		return;
	}
	k.id = act_node_identity(n);
	if (tui_rows_add(out, tui_tree_key(n), role_of(&k)) < 0)
		return;
	tui_rows_printf(out, "%lld", (long long)n->pid);
	user_cell(&k);
	time_cells(&k);
	tree_cell(&k);
	alerts_cell(&k);
	rest_cells(&k);
}
