/* SPDX-License-Identifier: Apache-2.0 */
/* What people said: bookmarks, notes and verdicts, in the order of the moments they are about. */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "tui/app.h"
#include "tui/case_sql.h"
#include "tui/place.h"
#include "tui/table.h"

#define MARKS_MAX 100000 /* that are shown */

enum kind { BOOKMARK, NOTE, VERDICT };
static const char *const kind_names[] = {"bookmark", "note", "verdict"};

struct mark {
	enum kind kind;
	int64_t id, capture_id; /* 0: of the case, or of a capture that is not in it */
	int64_t fingerprint, alert_id;
	bool has_fingerprint;
	uint64_t offset, ts, num; /* 0: none, or not known yet */
	bool looked_for;
	struct sv written, author, text, path;
};

struct marks_view {
	struct tui_view base;
	struct tui_data *d;
	struct arena texts;
	struct mark *marks;
	size_t count;
	struct tui_list list;
	struct tui_table *table;
	struct tui_place_search search;
	size_t searched; /* the mark it is for */
};

enum {
	COLUMN_KIND,
	COLUMN_TIME,
	COLUMN_TEXT,
	COLUMN_AUTHOR,
	COLUMN_CAPTURE,
	COLUMN_WRITTEN,
	COLUMN_EVENT,
	COLUMNS
};

/* clang-format off */
static const struct tui_column columns[COLUMNS] = {
	[COLUMN_KIND]    = {"kind", "KIND", 8, 0, 0, "bookmark, note or verdict"},
	[COLUMN_TIME]    = {"time", "TIME", 15, 48, 0, "the moment it is about"},
	[COLUMN_TEXT]    = {"text", "TEXT", 16, 0, TUI_COLUMN_REST, "what was said"},
	[COLUMN_AUTHOR]  = {"author", "AUTHOR", 10, 64, 0, "who said it"},
	[COLUMN_CAPTURE] = {"capture", "CAPTURE", 20, 110, TUI_COLUMN_PATH, "the capture it is about"},
	[COLUMN_WRITTEN] = {"written", "WRITTEN", 20, 90, 0, "when it was said"},
	[COLUMN_EVENT]   = {"event", "EVENT", 10, 0, TUI_COLUMN_RIGHT | TUI_COLUMN_HIDDEN, "number of the event, as far as it is known"},
};

/* What was taken back or said anew is left out. */
#define ABOUT(t) \
	" c.capture_id, c.path FROM " t " m LEFT JOIN captures c ON c.sha256 = m.capture_sha256"
#define ALERT_THERE(column) \
	"(SELECT a." column " FROM run_captures r JOIN alerts a USING (run_capture_id) JOIN rules u USING (rule_id)" \
	" WHERE r.capture_id = c.capture_id AND a.evt_offset = m.evt_offset AND ifnull(m.rule, u.name) = u.name LIMIT 1)"
static const char marks_sql[] =
	"SELECT 0 AS kind, m.bookmark_id, m.written, m.author, m.evt_offset, m.ts, NULL, NULL, NULL, m.label," ABOUT("bookmarks")
	" WHERE m.removes IS NULL AND NOT EXISTS (SELECT 1 FROM bookmarks n WHERE n.removes = m.bookmark_id)"
	" UNION ALL SELECT 1, m.note_id, m.written, m.author, m.evt_offset, " ALERT_THERE("ts") ", " ALERT_THERE("evt_num")
	", NULL, NULL, m.text," ABOUT("notes") " WHERE NOT EXISTS (SELECT 1 FROM notes n WHERE n.replaces = m.note_id)"
	" UNION ALL SELECT 2, m.verdict_id, m.written, m.author, m.evt_offset,"
	" " ALERT_THERE("ts") ", " ALERT_THERE("evt_num") ", m.fingerprint, " ALERT_THERE("alert_id")
	", m.verdict || ifnull(': ' || nullif(m.reason, ''), '')," ABOUT("verdicts")
	" ORDER BY 3, 1, 2 LIMIT ?1";
static const char group_sql[] = "SELECT min(first_ts) FROM alert_groups WHERE fingerprint = ?1";
/* clang-format on */

/* --- rows */

static struct tui_row_key mark_key(void *arg, size_t i)
{
	const struct marks_view *v = arg;

	return (struct tui_row_key){v->marks[i].kind, (uint64_t)v->marks[i].id};
}

static void mark_row(void *arg, size_t i, struct tui_rows *out)
{
	const struct marks_view *v = arg;
	const struct mark *m = &v->marks[i];

	if (tui_rows_add(out, mark_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return; /* @out knows */
	tui_rows_cell(out, m->kind == VERDICT ? TUI_ROLE_GOOD : TUI_ROLE_NORMAL,
		      sv_of(kind_names[m->kind]));
	tui_app_time(v->base.app, tui_rows_begin_cell(out), m->ts, 0, 6);
	tui_rows_end_cell(out, TUI_ROLE_TIME);
	tui_rows_cell(out, TUI_ROLE_NORMAL, m->text);
	tui_rows_cell(out, TUI_ROLE_DIM, m->author);
	tui_rows_cell(out, TUI_ROLE_DIM, m->path);
	tui_rows_cell(out, TUI_ROLE_DIM, m->written);
	if (m->num)
		tui_rows_printf(out, "%llu", (unsigned long long)m->num);
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
}

static int compare(void *arg, size_t i, size_t j, int column)
{
	const struct marks_view *v = arg;
	const struct mark *a = &v->marks[i], *b = &v->marks[j];

	switch (column) {
	case COLUMN_KIND:
		return (int)a->kind - (int)b->kind;
	case COLUMN_TEXT:
		return sv_cmp(a->text, b->text);
	case COLUMN_AUTHOR:
		return sv_cmp(a->author, b->author);
	case COLUMN_CAPTURE:
		return sv_cmp(a->path, b->path);
	case COLUMN_WRITTEN:
		return sv_cmp(a->written, b->written);
	case COLUMN_EVENT:
		return (a->num > b->num) - (a->num < b->num);
	default:
		return (a->ts > b->ts) - (a->ts < b->ts);
	}
}

/* By moment; what is about none comes last. */
static int by_moment(const void *x, const void *y)
{
	const struct mark *a = x, *b = y;

	if (!a->ts != !b->ts)
		return a->ts ? -1 : 1;
	if (a->ts != b->ts)
		return a->ts < b->ts ? -1 : 1;
	return sv_cmp(a->written, b->written);
}

/* --- reading */

static bool take_mark(struct marks_view *v, sqlite3_stmt *s, struct mark *m)
{
	bool failed = false;

	*m = (struct mark){
	    .kind = (enum kind)sqlite3_column_int(s, 0),
	    .id = tui_sql_int(s, 1, 0),
	    .written = tui_sql_text(s, 2, &v->texts, &failed),
	    .author = tui_sql_text(s, 3, &v->texts, &failed),
	    .offset = (uint64_t)tui_sql_int(s, 4, 0),
	    .ts = (uint64_t)tui_sql_int(s, 5, 0),
	    .num = (uint64_t)tui_sql_int(s, 6, 0),
	    .has_fingerprint = sqlite3_column_type(s, 7) != SQLITE_NULL,
	    .alert_id = tui_sql_int(s, 8, 0),
	    .text = tui_sql_text(s, 9, &v->texts, &failed),
	    .capture_id = tui_sql_int(s, 10, 0),
	    .path = tui_sql_text(s, 11, &v->texts, &failed),
	};
	if (m->has_fingerprint)
		m->fingerprint =
		    (int64_t)strtoull((const char *)sqlite3_column_text(s, 7), NULL, 16);
	return !failed;
}

/* Verdicts of groups stand where the first of their alerts does. */
static int find_groups(struct marks_view *v, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = tui_sql_prepare(v->d, group_sql, &stmt, err);

	for (size_t i = 0; i < v->count && rc == 0; i++) {
		if (!v->marks[i].has_fingerprint)
			continue;
		rc = tui_sql_begin(v->d, stmt, &v->marks[i].fingerprint, 1, err);
		if (rc == 0)
			rc = tui_sql_step(v->d, stmt, err);
		if (rc > 0)
			v->marks[i].ts = (uint64_t)tui_sql_int(stmt, 0, 0);
		rc = rc < 0 ? rc : 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_marks(struct marks_view *v, struct error *err)
{
	const int64_t most = MARKS_MAX;
	sqlite3_stmt *stmt = NULL;
	size_t cap = 0;
	int rc = tui_sql_prepare(v->d, marks_sql, &stmt, err);

	v->count = v->list.count = 0;
	v->search.done = true;
	arena_reset(&v->texts);
	if (rc == 0)
		rc = tui_sql_begin(v->d, stmt, &most, 1, err);
	while (rc == 0 && (rc = tui_sql_step(v->d, stmt, err)) > 0) {
		if (v->count == cap) {
			struct mark *marks;

			cap = cap ? 2 * cap : 64;
			marks = reallocarray(v->marks, cap, sizeof(*marks));
			if (!marks) {
				rc = error_nomem(err);
				break;
			}
			v->marks = marks;
		}
		rc = take_mark(v, stmt, &v->marks[v->count]) ? 0 : error_nomem(err);
		v->count += rc == 0;
	}
	sqlite3_finalize(stmt);
	return rc == 0 ? find_groups(v, err) : rc;
}

static int show(struct marks_view *v, struct error *err)
{
	int rc;

	if (v->count)
		qsort(v->marks, v->count, sizeof(*v->marks), by_moment);
	v->list.count = v->count;
	rc = tui_list_update(&v->list, err);
	return rc == 0 ? tui_table_refresh(v->table, err) : rc;
}

/* --- beginning and end */

static void close_marks(struct tui_view *base)
{
	struct marks_view *v = (struct marks_view *)base;

	tui_place_end(&v->search);
	tui_table_free(v->table);
	tui_list_done(&v->list);
	free(v->marks);
	arena_done(&v->texts);
	free(v);
}

static int open_marks(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		      struct error *err)
{
	struct marks_view *v = calloc(1, sizeof(*v));
	int rc;

	(void)t;
	if (!v)
		return error_nomem(err);
	v->d = tui_app_data(app);
	v->search.done = true;
	v->list = (struct tui_list){.row = mark_row, .key = mark_key, .compare = compare, .arg = v};
	rc = tui_table_new(app, columns, COLUMNS, &tui_list_ops, &v->list, &v->table, err);
	if (rc < 0) {
		close_marks(&v->base);
		return rc;
	}
	*out = &v->base;
	return 0;
}

static int sync_marks(struct tui_view *base, unsigned news, struct error *err)
{
	struct marks_view *v = (struct marks_view *)base;
	int rc = 0;

	if (news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE | TUI_NEWS_INDEX))
		rc = read_marks(v, err);
	return rc == 0 ? show(v, err) : rc;
}

/* --- what a place in the capture means */

static bool is_here(const struct marks_view *v, const struct mark *m)
{
	const struct tui_capture *c = tui_data_capture(v->d);

	return c && c->there && (m->capture_id == c->capture_id || !m->capture_id);
}

static bool begin_search(struct marks_view *v)
{
	for (size_t i = 0; i < v->count; i++) {
		struct mark *m = &v->marks[i];

		if (!m->offset || m->num || m->looked_for || !is_here(v, m))
			continue;
		m->looked_for = true;
		v->searched = i;
		if (tui_place_begin(&v->search, v->d, m->offset))
			return true;
	}
	return false;
}

static bool work_marks(struct tui_view *base, uint64_t deadline_ns)
{
	struct marks_view *v = (struct marks_view *)base;
	struct error err;

	if (v->search.done && !begin_search(v))
		return false;
	if (!tui_place_work(&v->search, deadline_ns))
		return true;
	if (v->search.num) {
		v->marks[v->searched].num = v->search.num;
		v->marks[v->searched].ts = v->search.ts;
		if (show(v, &err) < 0)
			tui_app_fail(base->app, &err);
	}
	return true;
}

/* --- doing */

static const struct mark *selected(const struct marks_view *v)
{
	struct tui_row_key key;

	if (!tui_table_cursor(v->table, &key))
		return NULL;
	for (size_t i = 0; i < v->count; i++)
		if (v->marks[i].kind == key.a && (uint64_t)v->marks[i].id == key.b)
			return &v->marks[i];
	return NULL;
}

/* To the moment, in the view this was opened from. */
static enum tui_result go_there(struct marks_view *v, const struct mark *m)
{
	const struct tui_capture *c = tui_data_capture(v->d);
	size_t i = tui_data_capture_of(v->d, m->capture_id);
	struct error err = {0};

	if (m->capture_id && (!c || c->capture_id != m->capture_id)) {
		if (i == SIZE_MAX)
			(void)error_set(&err, ERR_USAGE, "the capture it is about is not here");
		if (i == SIZE_MAX || tui_data_use(v->d, i, &err) < 0) {
			tui_app_fail(v->base.app, &err);
			return TUI_DONE;
		}
	}
	if (m->num)
		tui_app_goto_event(v->base.app, m->num);
	else if (m->ts)
		tui_app_goto_time(v->base.app, m->ts);
	else
		tui_app_say(v->base.app, TUI_ROLE_NOTICE, "it is about no moment");
	return m->num || m->ts ? TUI_LEAVE : TUI_DONE;
}

static enum tui_result enter(struct marks_view *v)
{
	const struct mark *m = selected(v);
	struct tui_target t = {0};

	if (!m)
		return TUI_NOT_MINE;
	t.alert_id = m->alert_id;
	t.has_fingerprint = m->has_fingerprint;
	t.fingerprint = m->fingerprint;
	if (m->kind == VERDICT && (m->alert_id || m->has_fingerprint)) {
		tui_app_push(v->base.app, m->alert_id ? &tui_alert_ops : &tui_alerts_ops, &t);
		return TUI_DONE;
	}
	return go_there(v, m);
}

static enum tui_result act_marks(struct tui_view *base, const struct tui_command *c)
{
	struct marks_view *v = (struct marks_view *)base;

	if (c->action != TUI_DO_ENTER || tui_table_is_asking(v->table))
		return TUI_NOT_MINE;
	return enter(v);
}

static void draw_marks(struct tui_view *base, const struct tui_area *a)
{
	struct marks_view *v = (struct marks_view *)base;

	if (v->count) {
		tui_table_draw(v->table, a, true);
		return;
	}
	tui_puts(a, 1, 2, TUI_ROLE_NORMAL, "Nobody has said anything yet: 'm' remembers a moment,");
	tui_puts(a, 2, 2, TUI_ROLE_NORMAL, "'a' writes a note, 'd' says what an alert is.");
}

static struct tui_table *marks_table(struct tui_view *base)
{
	return ((struct marks_view *)base)->table;
}

static void command_marks(struct tui_view *base, struct buf *out)
{
	const char *path = tui_data_case_path(tui_app_data(base->app));

	if (!path)
		return;
	buf_lit(out, "scapula query ");
	escape_shell(out, sv_of(path));
	buf_lit(out, " \"SELECT written, author, text FROM notes UNION ALL SELECT written, author, "
		     "label FROM bookmarks UNION ALL SELECT written, author, verdict || ' ' || "
		     "reason FROM verdicts ORDER BY written\"");
}

static const uint8_t marks_actions[] = {TUI_DO_ENTER, TUI_DO_SORT, TUI_DO_EXPORT, TUI_NO_ACTION};

const struct tui_view_ops tui_marks_ops = {
    .name = "bookmarks",
    .title = "Bookmarks and notes",
    .help = "Bookmarks, notes and verdicts, by the moment they are about; what is about no moment "
	    "comes last. Enter goes to the moment, and back to the view this was opened from; on "
	    "a verdict it shows the alerts it is about. Nothing of this can be changed or removed: "
	    "it is part of the case's history.",
    .actions = marks_actions,
    .open = open_marks,
    .close = close_marks,
    .sync = sync_marks,
    .draw = draw_marks,
    .act = act_marks,
    .work = work_marks,
    .command = command_marks,
    .table = marks_table,
};
