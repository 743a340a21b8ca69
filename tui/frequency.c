/* SPDX-License-Identifier: Apache-2.0 */
/* How often each value of a column of the view below occurs. The table below counts; it is worked
 * on from here, since only the view on top is. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "tui/app.h"
#include "tui/filter.h"
#include "tui/table.h"

#define BAR_WIDTH      20
#define POSITION_WIDTH 14 /* "1,234/5,678" at the right, and what keeps it apart */

struct frequency {
	struct tui_view base;
	struct tui_app *app;
	char *column; /* name */
	struct tui_list list;
	struct tui_table *table;
	const struct tui_frequency *values; /* of the table below */
	size_t count;
	uint64_t rows; /* sum of their counts */
	bool complete;
	bool touched;		  /* the cursor is where somebody put it, not on the first row */
	struct tui_screen glyphs; /* without cells: what tui_bar() is asked with */
};

enum { VALUE, COUNT, SHARE, BAR };

static const struct tui_column columns[] = {
    {"value", "VALUE", 20, 0, TUI_COLUMN_REST, "a value of the column"},
    {"count", "COUNT", 10, 0, TUI_COLUMN_RIGHT, "rows that have it"},
    {"share", "SHARE", 7, 0, TUI_COLUMN_RIGHT, "of all rows that were counted, %"},
    {"bar", "", BAR_WIDTH, 60, TUI_COLUMN_DRAWN | TUI_COLUMN_NO_SORT,
     "its length: the count, against the greatest one"},
};

static struct tui_row_key key_of(void *arg, size_t i)
{
	const struct frequency *f = arg;
	const struct tui_frequency *v = &f->values[i];

	return (struct tui_row_key){hash_bytes(v->value.n ? v->value.p : "", v->value.n, 0),
				    v->others};
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct frequency *f = arg;
	const struct tui_frequency *v = &f->values[i];
	uint64_t most = f->values[0].count;
	enum tui_role role = v->others || !v->value.n ? TUI_ROLE_DIM : TUI_ROLE_NORMAL;
	int bar = most ? (int)((double)v->count / (double)most * BAR_WIDTH + 0.5) : 0;
	struct buf *b;

	if (tui_rows_add(out, key_of(arg, i), role) < 0)
		return;
	tui_rows_cell(out, role, v->value.n ? v->value : SV_LIT("(empty)"));
	tui_rows_printf(out, "%llu", (unsigned long long)v->count);
	tui_rows_printf(out, "%.1f", f->rows ? 100.0 * (double)v->count / (double)f->rows : 0.0);
	b = tui_rows_begin_cell(out);
	buf_str(b, bar ? "" : tui_glyph(&f->glyphs, TUI_GLYPH_EDGE_LEFT)); /* any count shows */
	while (bar-- > 0)
		buf_str(b, tui_bar(&f->glyphs, 8));
	tui_rows_end_cell(out, TUI_ROLE_BAR);
}

static int compare(void *arg, size_t i, size_t j, int column)
{
	const struct tui_frequency *a = &((struct frequency *)arg)->values[i],
				   *b = &((struct frequency *)arg)->values[j];

	if (column == VALUE)
		return sv_cmp(a->value, b->value);
	return (a->count > b->count) - (a->count < b->count);
}

static struct tui_table *table_below(const struct frequency *f, struct tui_view **view)
{
	*view = tui_app_below(f->app, &f->base);
	return *view && (*view)->ops->table ? (*view)->ops->table(*view) : NULL;
}

static void close_frequency(struct tui_view *v)
{
	struct frequency *f = (struct frequency *)v;

	tui_table_free(f->table);
	tui_list_done(&f->list);
	free(f->column);
	free(f);
}

static int open_frequency(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			  struct error *err)
{
	struct frequency *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return error_nomem(err);
	f->app = app;
	f->glyphs.ascii = tui_app_is_ascii(app);
	f->list = (struct tui_list){.row = row, .key = key_of, .compare = compare, .arg = f};
	f->column = strndup(t->text.n ? t->text.p : "", t->text.n);
	rc = f->column ? tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops, &f->list,
				       &f->table, err)
		       : error_nomem(err);
	if (rc < 0) {
		close_frequency(&f->base);
		return rc;
	}
	*out = &f->base;
	return 0;
}

static int take_values(struct frequency *f, struct error *err)
{
	struct tui_view *view;
	struct tui_table *below = table_below(f, &view);
	int rc;

	f->count = below ? tui_table_frequency(below, &f->values, &f->complete) : 0;
	f->rows = 0;
	for (size_t i = 0; i < f->count; i++)
		f->rows += f->values[i].count;
	f->list.count = f->count;
	rc = tui_list_update(&f->list, err);
	if (rc == 0)
		rc = tui_table_refresh(f->table, err);
	if (rc == 0 && f->count && !f->touched)
		tui_table_seek(f->table, key_of(f, 0));
	return rc;
}

static int sync_frequency(struct tui_view *v, unsigned news, struct error *err)
{
	(void)news;
	return take_values((struct frequency *)v, err);
}

static bool work_frequency(struct tui_view *v, uint64_t deadline_ns)
{
	struct frequency *f = (struct frequency *)v;
	const struct tui_frequency *values;
	struct tui_view *view;
	struct tui_table *below = table_below(f, &view);
	struct error err = {0};
	bool more, complete;
	size_t count;

	if (!below)
		return false;
	more = view->ops->work && view->ops->work(view, deadline_ns);
	more |= tui_table_work(below, deadline_ns);
	count = tui_table_frequency(below, &values, &complete);
	if ((values != f->values || count != f->count || complete != f->complete) &&
	    take_values(f, &err) < 0)
		tui_app_fail(f->app, &err);
	else if (f->complete)
		tui_app_say(f->app, TUI_ROLE_NORMAL, "%s", ""); /* it no longer counts */
	return more && !f->complete;
}

static void draw_frequency(struct tui_view *v, const struct tui_area *a)
{
	struct frequency *f = (struct frequency *)v;
	struct tui_area rest = tui_area_part(a, 1, 0, a->height - 1, a->width);
	struct buf b = {0};
	int x;

	buf_addf(&b, "%s: ", f->column);
	tui_count(&b, f->count);
	buf_addf(&b, " value%s in ", f->count == 1 ? "" : "s");
	tui_count(&b, f->rows);
	buf_str(&b, f->rows == 1 ? " row" : " rows");
	x = 1 + tui_put(a, 0, 1, a->width - POSITION_WIDTH, TUI_ROLE_NORMAL, buf_view(&b));
	if (!f->complete)
		tui_puts(a, 0, x + 2, TUI_ROLE_WARNING, "so far");
	buf_reset(&b);
	tui_table_position(f->table, &b);
	tui_put_right(a, 0, 0, a->width - 1, TUI_ROLE_DIM, buf_view(&b));
	buf_done(&b);
	if (f->count)
		tui_table_draw(f->table, &rest, true);
	else
		tui_puts(&rest, 1, 2, TUI_ROLE_DIM,
			 f->complete ? "the table below has no rows" : "nothing was counted yet");
}

/* --- Enter */

/* Is @field "NAME", or "alert.NAME" and the like? */
static bool is_called(const char *field, const char *name)
{
	const char *dot = field ? strrchr(field, '.') : NULL;

	return field && (strcmp(field, name) == 0 || (dot && strcmp(dot + 1, name) == 0));
}

/* What a filter of @view calls the column; NULL: it cannot ask for it. */
static const char *field_of(const struct tui_view *view, const struct tui_column *c)
{
	const struct tui_filter_language *lang = view->ops->language;

	if (!view->ops->filter)
		return NULL;
	for (size_t i = 0; lang && i < lang->own_count; i++)
		if (is_called(lang->own[i].name, c->name))
			return lang->own[i].name;
	return flt_field_find(sv_of(c->name)) ? c->name : NULL;
}

static const struct tui_column *column_of(const struct frequency *f, struct tui_table *below)
{
	const struct tui_column *c;
	size_t n = tui_table_columns(below, &c);

	for (size_t i = 0; i < n; i++)
		if (strcmp(c[i].name, f->column) == 0)
			return &c[i];
	return NULL;
}

static bool filter_by(struct frequency *f, struct tui_view *view, const char *field,
		      struct sv value)
{
	struct buf b = {0};
	bool taken;

	if (view->filter.len)
		buf_addf(&b, "(%.*s) and ", (int)view->filter.len, view->filter.p);
	if (value.n) {
		buf_addf(&b, "%s = ", field);
		tui_filter_quote(&b, value);
	} else {
		buf_addf(&b, "not %s exists", field);
	}
	taken = tui_app_filter_view(f->app, view, buf_view(&b));
	if (taken)
		tui_app_say(f->app, TUI_ROLE_NORMAL, "only %s = %.*s", f->column, (int)value.n,
			    value.n ? value.p : "");
	buf_done(&b);
	return taken;
}

/* Rows that have the value under the cursor: by a filter if there can be one, else by searching. */
static enum tui_result enter(struct frequency *f)
{
	struct tui_view *view;
	struct tui_table *below = table_below(f, &view);
	const struct tui_column *c = below ? column_of(f, below) : NULL;
	const char *field = c ? field_of(view, c) : NULL;
	const struct tui_frequency *v = NULL;
	struct tui_row_key cursor, key;

	if (!c || !tui_table_cursor(f->table, &cursor))
		return TUI_DONE;
	for (size_t i = 0; i < f->count && !v; i++) {
		key = key_of(f, i);
		v = key.a == cursor.a && key.b == cursor.b ? &f->values[i] : NULL;
	}
	if (!v || v->others) {
		tui_app_say(f->app, TUI_ROLE_NOTICE, "these are many values");
		return TUI_DONE;
	}
	if (field)
		return filter_by(f, view, field, v->value) ? TUI_LEAVE : TUI_DONE;
	if (!v->value.n) {
		tui_app_say(f->app, TUI_ROLE_NOTICE, "the view below cannot be filtered by %s",
			    f->column);
		return TUI_DONE;
	}
	(void)tui_table_act(
	    below, &(struct tui_command){.action = TUI_DO_SEARCH, .arg = v->value, .count = 1});
	return TUI_LEAVE;
}

static enum tui_result act_frequency(struct tui_view *v, const struct tui_command *c)
{
	struct frequency *f = (struct frequency *)v;
	struct tui_view *view;
	struct tui_table *below = table_below(f, &view);

	if (tui_table_is_asking(f->table))
		return TUI_NOT_MINE;
	f->touched = true;
	if (c->action == TUI_DO_ENTER)
		return enter(f);
	if (c->action == TUI_DO_CANCEL && !f->complete && below)
		return tui_table_act(below, c);
	return TUI_NOT_MINE;
}

static void crumb_frequency(struct tui_view *v, struct buf *out)
{
	buf_addf(out, "Frequency of %s", ((struct frequency *)v)->column);
}

static struct tui_table *table_of_frequency(struct tui_view *v)
{
	return ((struct frequency *)v)->table;
}

static const uint8_t actions[] = {
    TUI_DO_ENTER, TUI_DO_SORT, TUI_DO_REVERSE, TUI_DO_SEARCH, TUI_DO_EXPORT, TUI_NO_ACTION,
};

const struct tui_view_ops tui_frequency_ops = {
    .name = "frequency-of",
    .title = "Frequency",
    .help = "How often each value of a column occurs in all rows of the view below, most frequent "
	    "first. Counting goes on while it is looked at; C-c ends it. Enter goes back to the "
	    "rows that have the value: the view is filtered by it where its filter can ask for the "
	    "column, else it is searched for.",
    .actions = actions,
    .open = open_frequency,
    .close = close_frequency,
    .sync = sync_frequency,
    .draw = draw_frequency,
    .act = act_frequency,
    .work = work_frequency,
    .crumb = crumb_frequency,
    .table = table_of_frequency,
};
