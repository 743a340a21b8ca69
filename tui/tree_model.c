/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/tree_model.h"

#include <stdlib.h>

#include "base/clock.h"

#define NO_ROW	 UINT32_MAX
#define ASK_NS	 15000000u /* of a key's time that a filter may take */
#define ASK_STEP 256	   /* processes between looks at the clock */

enum fold { FOLD_CLOSED = 1, FOLD_OPEN = 2, FOLD_IMAGES = 4 };

void tui_tree_init(struct tui_tree *t, const struct tui_view *view, struct tui_app *app,
		   struct tui_known *known)
{
	*t = (struct tui_tree){.app = app,
			       .view = view,
			       .known = known,
			       .glyphs.ascii = tui_app_is_ascii(app),
			       .stale = true};
}

static void forget_rows(struct tui_tree *t)
{
	free(t->worst);
	free(t->below);
	free(t->row_of);
	t->worst = t->below = NULL;
	t->row_of = NULL;
	t->count = 0;
	t->stale = true;
}

static void forget_forest(struct tui_tree *t)
{
	forget_rows(t);
	act_forest_done(&t->forest);
	t->serial = 0;
}

void tui_tree_done(struct tui_tree *t)
{
	forget_forest(t);
	free(t->rows);
	map_done(&t->folds);
	tui_state_filter_free(t->filter);
}

/* --- what is open --- */

static uint64_t fold_key(const struct act_node *n)
{
	return n->key != UINT64_MAX ? n->key : (uint64_t)n->pid | 1ull << 63;
}

static unsigned fold_of(const struct tui_tree *t, const struct act_node *n)
{
	return (unsigned)(uintptr_t)map_get(&t->folds, fold_key(n));
}

static int set_fold(struct tui_tree *t, const struct act_node *n, unsigned bits)
{
	return map_put(&t->folds, fold_key(n), (void *)(uintptr_t)bits);
}

static size_t index_of(const struct tui_tree *t, const struct act_node *n)
{
	return (size_t)(n - t->forest.nodes);
}

bool tui_tree_is_folded(const struct tui_tree *t, const struct act_node *n)
{
	unsigned fold = fold_of(t, n);

	if (n->last_shown == ACT_NO_NODE)
		return false;
	if (fold & (FOLD_CLOSED | FOLD_OPEN))
		return fold & FOLD_CLOSED;
	/* What leads to an alert, or was asked for, is open. */
	return !t->filter && t->forest.count > TUI_TREE_LARGE && n->depth >= TUI_TREE_DEPTH &&
	       (!t->below || t->below[index_of(t, n)] < 0);
}

int tui_tree_fold(struct tui_tree *t, const struct act_node *n, bool fold)
{
	return set_fold(t, n, (fold_of(t, n) & FOLD_IMAGES) | (fold ? FOLD_CLOSED : FOLD_OPEN));
}

bool tui_tree_has_images(const struct act_node *n)
{
	uint32_t execs = n->p ? n->p->execs : 0;

	return execs > 1 || (execs == 1 && n->p->from_start);
}

bool tui_tree_shows_images(const struct tui_tree *t, const struct act_node *n)
{
	return fold_of(t, n) & FOLD_IMAGES;
}

int tui_tree_show_images(struct tui_tree *t, const struct act_node *n, bool show)
{
	unsigned fold = fold_of(t, n) & ~(unsigned)FOLD_IMAGES;

	return set_fold(t, n, fold | (show ? FOLD_IMAGES : 0));
}

size_t tui_tree_branch(const struct tui_tree *t, const struct act_node *n, size_t *from)
{
	const struct act_forest *f = &t->forest;
	size_t i = 0;

	while (i < f->count && f->order[i] != index_of(t, n))
		i++;
	*from = ++i;
	while (i < f->count && f->nodes[f->order[i]].depth > n->depth)
		i++;
	return i;
}

/* --- the rows --- */

static bool add_row(struct tui_tree *t, size_t node, size_t image)
{
	if (t->count == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		struct tui_tree_row *rows = reallocarray(t->rows, cap, sizeof(*rows));

		if (!rows)
			return false;
		t->rows = rows;
		t->cap = cap;
	}
	if (!image)
		t->row_of[node] = (uint32_t)t->count;
	t->rows[t->count++] = (struct tui_tree_row){(uint32_t)node, (uint32_t)image};
	return true;
}

static bool add_images(struct tui_tree *t, size_t node)
{
	const struct act_node *n = &t->forest.nodes[node];
	const struct tui_image *images;
	size_t count;

	if (!tui_tree_shows_images(t, n) || t->sorted)
		return true;
	count = tui_known_images(t->known, n->pid, n->p, t->num, &images);
	for (size_t i = 1; i <= count; i++)
		if (!add_row(t, node, i))
			return false;
	return true;
}

static int compare_sv(struct sv a, struct sv b)
{
	return sv_cmp(a, b);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_nodes(const struct tui_tree *t, const struct act_node *x,
			 const struct act_node *y)
{
	struct act_identity a = act_node_identity(x), b = act_node_identity(y);

	switch (t->column) {
	case TUI_TREE_USER:
		return compare_u64(a.uid, b.uid);
	case TUI_TREE_AGE: /* the youngest are those that started last */
		return compare_u64(b.start_ts, a.start_ts);
	case TUI_TREE_STARTED:
		return compare_u64(a.start_ts, b.start_ts);
	case TUI_TREE_ALERTS: /* a low number is worse */
		return compare_u64((uint8_t)t->worst[index_of(t, x)],
				   (uint8_t)t->worst[index_of(t, y)]);
	case TUI_TREE_CONTAINER:
		return compare_sv(a.container_id, b.container_id);
	case TUI_TREE_TTY:
		return compare_u64(a.tty, b.tty);
	case TUI_TREE_SID:
		return compare_u64((uint64_t)a.sid, (uint64_t)b.sid);
	case TUI_TREE_EXECS:
		return compare_u64(x->p ? x->p->execs : 0, y->p ? y->p->execs : 0);
	case TUI_TREE_TREE:
	case TUI_TREE_NAME:
		return compare_sv(a.comm, b.comm);
	case TUI_TREE_EXE:
		return compare_sv(a.exepath, b.exepath);
	case TUI_TREE_CWD:
		return compare_sv(a.cwd, b.cwd);
	default:
		return compare_u64((uint64_t)x->pid, (uint64_t)y->pid);
	}
}

static int by_column(const void *a, const void *b, void *arg)
{
	const struct tui_tree *t = arg;
	const struct tui_tree_row *x = a, *y = b;
	int rc = compare_nodes(t, &t->forest.nodes[x->node], &t->forest.nodes[y->node]);

	if (rc == 0)
		return (x->node > y->node) - (x->node < y->node);
	return t->reverse ? -rc : rc;
}

static void sort_rows(struct tui_tree *t)
{
	if (t->count)
		qsort_r(t->rows, t->count, sizeof(*t->rows), by_column, t);
	for (size_t i = 0; i < t->count; i++)
		t->row_of[t->rows[i].node] = (uint32_t)i;
}

int tui_tree_list(struct tui_tree *t, struct error *err)
{
	const struct act_forest *f = &t->forest;
	unsigned hidden_below = UINT32_MAX; /* the depth of what is folded */

	t->count = 0;
	for (size_t i = 0; i < f->count; i++) {
		const struct act_node *n = &f->nodes[f->order[i]];

		t->row_of[f->order[i]] = NO_ROW;
		if (n->depth <= hidden_below)
			hidden_below = UINT32_MAX;
		if (!n->shown || hidden_below != UINT32_MAX || (t->sorted && !n->matched))
			continue;
		if (!add_row(t, f->order[i], 0) || !add_images(t, f->order[i]))
			return error_nomem(err);
		if (!t->sorted && tui_tree_is_folded(t, n))
			hidden_below = n->depth;
	}
	if (t->sorted)
		sort_rows(t);
	return 0;
}

/* --- the processes at T --- */

static bool passes(const struct tui_tree *t, const struct act_node *n)
{
	return n->t ? tui_state_filter_passes(t->filter, n->t, NULL)
		    : tui_state_filter_passes_dead(t->filter, n->p);
}

void tui_tree_filter(struct tui_tree *t, struct tui_state_filter *f)
{
	tui_state_filter_free(t->filter);
	t->filter = f;
	t->stale = true;
	t->asked = 0;
}

bool tui_tree_is_asking(const struct tui_tree *t)
{
	return !t->stale && t->asked < t->forest.count &&
	       tui_moment_is(tui_app_data(t->app), t->serial);
}

/* Where there are many that takes longer than a key may: until @deadline_ns. */
static void ask(struct tui_tree *t, uint64_t deadline_ns)
{
	const struct act_forest *f = &t->forest;

	for (size_t i = t->asked; i < f->count; i++) {
		if (i % ASK_STEP == ASK_STEP - 1 && clock_ns(CLOCK_MONOTONIC) > deadline_ns)
			break;
		f->nodes[f->order[i]].matched = passes(t, &f->nodes[f->order[i]]);
		t->asked = i + 1;
	}
}

static uint64_t before(uint64_t ts, uint64_t ns)
{
	return ts > ns ? ts - ns : 0;
}

static void count_lately(struct tui_tree *t)
{
	uint64_t since = before(t->ts, TUI_TREE_LATELY_NS);
	const struct act_proc *p;

	t->alive = t->born = t->died = t->guessed = t->matched = 0;
	for (size_t i = 0; i < t->forest.count; i++) {
		const struct act_node *n = &t->forest.nodes[i];

		t->matched += n->matched;
		t->alive += n->t && !act_node_is_placeholder(n);
		t->guessed += act_node_is_placeholder(n);
		t->born += n->t && n->p && n->p->start_ts > since;
	}
	for (size_t at = 0; (p = act_procs_next_dead(t->m->procs, &at));) {
		t->born += p->start_ts > since;
		t->died += p->end_ts > since;
	}
}

static int8_t worse(int8_t a, int8_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void find_alerts(struct tui_tree *t)
{
	struct act_forest *f = &t->forest;

	for (size_t i = f->count; i-- > 0;) {
		size_t k = f->order[i];
		const struct act_node *n = &f->nodes[k];

		t->worst[k] = (int8_t)tui_known_worst_of(t->known, n, t->ts);
		if (n->parent != ACT_NO_NODE)
			t->below[n->parent] =
			    worse(t->below[n->parent], worse(t->worst[k], t->below[k]));
	}
}

static int note_alerts(struct tui_tree *t, struct error *err)
{
	size_t n = t->forest.count + 1;

	t->worst = malloc(n);
	t->below = malloc(n);
	t->row_of = calloc(n, sizeof(*t->row_of));
	if (!t->worst || !t->below || !t->row_of)
		return error_nomem(err);
	memset(t->worst, -1, n);
	memset(t->below, -1, n);
	t->alerts = tui_known_alerts(t->known);
	if (tui_known_any(t->known, t->ts))
		find_alerts(t);
	return 0;
}

static int plant(struct tui_tree *t, struct error *err)
{
	const struct act_forest_options opt = {
	    .dead = t->dead != TUI_TREE_DEAD_NONE,
	    .dead_since = t->dead == TUI_TREE_DEAD_MINUTE ? before(t->ts, TUI_TREE_LINGER_NS) : 0,
	    .by_origin = t->dead != TUI_TREE_DEAD_NONE,
	};

	t->asked = 0;
	if (act_forest_build(&t->forest, t->m->state, t->m->procs, &opt) < 0)
		return error_nomem(err);
	t->serial = t->m->serial;
	t->forest_dead = t->dead;
	return 0;
}

static int choose(struct tui_tree *t, struct error *err)
{
	act_forest_choose(&t->forest, -1, t->children && t->filter);
	count_lately(t);
	return tui_tree_list(t, err);
}

static int build(struct tui_tree *t, struct error *err)
{
	int rc = 0;

	if (t->serial != t->m->serial || t->forest_dead != t->dead)
		rc = plant(t, err);
	if (rc == 0 && !t->asked) {
		for (size_t i = 0; i < t->forest.count; i++)
			t->forest.nodes[i].matched = false;
		rc = tui_state_filter_at(t->filter, t->m, err);
	}
	if (rc == 0)
		rc = note_alerts(t, err);
	if (rc < 0)
		return rc;
	ask(t, clock_ns(CLOCK_MONOTONIC) + ASK_NS);
	return choose(t, err);
}

bool tui_tree_ask(struct tui_tree *t, uint64_t deadline_ns, struct error *err)
{
	if (!tui_tree_is_asking(t))
		return false;
	ask(t, deadline_ns);
	if (tui_tree_is_asking(t))
		return false;
	if (choose(t, err) < 0)
		forget_forest(t);
	return true;
}

int tui_tree_update(struct tui_tree *t, bool again, struct error *err)
{
	const bool moved = t->view->news & (TUI_NEWS_TIME | TUI_NEWS_CAPTURE);
	const struct tui_moment *m;
	int rc = tui_data_moment(tui_app_data(t->app), &m, err);

	if (rc < 0) {
		forget_forest(t);
		return rc;
	}
	if (!again && !t->stale && !moved)
		return 0;
	forget_rows(t);
	t->m = m;
	t->num = m->num;
	t->ts = tui_data_time(tui_app_data(t->app), NULL);
	rc = build(t, err);
	if (rc < 0)
		forget_forest(t);
	else
		t->stale = false;
	return rc;
}

/* --- keys --- */

struct tui_row_key tui_tree_key(const struct act_node *n)
{
	return (struct tui_row_key){n->key, n->key == UINT64_MAX ? (uint64_t)n->pid : 0};
}

struct act_node *tui_tree_node(struct tui_tree *t, struct tui_row_key key)
{
	size_t i = act_forest_find(&t->forest, key.a, key.a == UINT64_MAX ? (int64_t)key.b : 0);

	return i == ACT_NO_NODE ? NULL : &t->forest.nodes[i];
}

void tui_tree_remember(struct tui_tree *t, struct tui_row_key key)
{
	const struct act_node *n = tui_tree_node(t, key);

	if (!n)
		return;
	t->of = key;
	t->above_count = 0;
	while (n->parent != ACT_NO_NODE && t->above_count < COUNT_OF(t->above)) {
		n = &t->forest.nodes[n->parent];
		t->above[t->above_count++] = tui_tree_key(n);
	}
}

static bool is_key(struct tui_row_key a, struct tui_row_key b)
{
	return a.a == b.a && a.b == b.b;
}

/* The row of the nearest one above that has one. */
static size_t row_near(const struct tui_tree *t, const struct act_node *n)
{
	while (t->row_of[index_of(t, n)] == NO_ROW && n->parent != ACT_NO_NODE)
		n = &t->forest.nodes[n->parent];
	return t->row_of[index_of(t, n)];
}

static size_t place_of(struct tui_tree *t, struct tui_row_key key, bool *gone)
{
	struct act_node *n = tui_tree_node(t, key);
	size_t row, image = key.a == UINT64_MAX ? 0 : (size_t)key.b;

	*gone = false;
	for (size_t i = 0; !n && is_key(key, t->of) && i < t->above_count; i++)
		n = tui_tree_node(t, t->above[i]);
	if (!n && t->forest.count) {
		row = act_forest_place(&t->forest, key.a, (int64_t)key.b);
		n = &t->forest.nodes[row < t->forest.count ? row : t->forest.count - 1];
	}
	*gone = !n || !is_key(tui_tree_key(n),
			      (struct tui_row_key){key.a, key.a == UINT64_MAX ? key.b : 0});
	row = n ? row_near(t, n) : NO_ROW;
	if (row == NO_ROW)
		return 0;
	if (!*gone && t->rows[row].node == index_of(t, n) && row + image < t->count &&
	    t->rows[row + image].node == t->rows[row].node)
		return row + image;
	*gone = *gone || t->rows[row].node != index_of(t, n) || image;
	return row;
}

/* --- as a model --- */

static int tree_page(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		     struct tui_rows *out, struct error *err)
{
	struct tui_tree *t = model;
	size_t from = 0, to;
	bool gone;
	int rc = tui_tree_update(t, false, err);

	if (rc < 0)
		return rc;
	to = t->count;
	if (where == TUI_FROM_KEY || where == TUI_AFTER_KEY) {
		from = place_of(t, key, &gone);
		from += where == TUI_AFTER_KEY && !gone;
	} else if (where == TUI_BEFORE_KEY) {
		to = place_of(t, key, &gone);
	}
	if (from > to)
		from = to;
	if (to - from > n) {
		if (where == TUI_BEFORE_KEY || where == TUI_FROM_LAST)
			from = to - n;
		else
			to = from + n;
	}
	for (size_t i = from; i < to; i++)
		tui_tree_add_row(t, i, out);
	return 0;
}

static uint64_t tree_count(void *model, bool *exact)
{
	const struct tui_tree *t = model;

	*exact = true;
	return t->count;
}

static uint64_t tree_before(void *model, struct tui_row_key key)
{
	bool gone;

	return place_of(model, key, &gone);
}

static int tree_sort(void *model, int column, bool reverse, struct error *err)
{
	struct tui_tree *t = model;

	t->sorted = column >= 0;
	t->column = column;
	t->reverse = reverse;
	return t->stale ? 0 : tui_tree_list(t, err);
}

const struct tui_model_ops tui_tree_model_ops = {
    .page = tree_page, .count = tree_count, .before = tree_before, .sort = tree_sort};
