/* SPDX-License-Identifier: Apache-2.0 */
/* One path: who did what to it, by time. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "tui/case_sql.h"
#include "tui/command_line.h"
#include "tui/filter.h"
#include "tui/pane.h"

#define LOOK_EVERY 1024 /* rows of the case between two looks at the clock */
#define USES_MAX   50000

enum step { USES, CHANGES, STEPS }; /* tables that are gone through */

struct use { /* by one process, or one change of it */
	uint64_t ts, last_ts, evt_num, bytes_read, bytes_written, number;
	int64_t pid;
	struct sv comm, what;
};

struct file {
	struct tui_view base;
	struct buf path;
	struct arena arena;
	struct use *uses;
	size_t cap;
	struct tui_list list;
	struct tui_table *table;
	sqlite3_stmt *stmt; /* NULL: all is there */
	enum step step;
};

enum { COL_TIME, COL_WHAT, COL_PROC, COL_PID, COL_READ, COL_WRITTEN, COL_LAST };

static const struct tui_column columns[] = {
    [COL_TIME] = {"time", "TIME", 15, 0, 0, "when; of several uses the first one"},
    [COL_WHAT] = {"what", "WHAT", 20, 0, TUI_COLUMN_REST, "what was done"},
    [COL_PROC] = {"process", "PROCESS", 15, 0, 0, "who did it"},
    [COL_PID] = {"pid", "PID", 7, 0, TUI_COLUMN_RIGHT, "number of that process"},
    [COL_READ] = {"bytes_read", "READ", 5, 70, TUI_COLUMN_RIGHT, "bytes it read"},
    [COL_WRITTEN] = {"bytes_written", "WROTE", 5, 70, TUI_COLUMN_RIGHT, "bytes it wrote"},
    [COL_LAST] = {"last", "LAST", 15, 100, 0, "of several uses the last one"},
};

/* The path is compared here, not by SQLite: it has no index, and a step must not take long. */
#define READING "(SELECT reading_id FROM captures WHERE capture_id = ?1)"
#define NAME                                                                                       \
	"p.pid, coalesce((SELECT comm FROM execs e WHERE e.process_id = p.process_id"              \
	" ORDER BY seq DESC LIMIT 1), p.comm)"
static const char *const scans[STEPS] = {
    [USES] = "SELECT path, NULL, process_id, first_ts, first_evt, last_ts, bytes_read,"
	     " bytes_written, opens, creates, renames, deletes, execs, refused, reads, writes"
	     " FROM files WHERE process_id BETWEEN " READING " << 32 AND (" READING
	     " << 32) + 4294967295",
    [CHANGES] = "SELECT path, target, process_id, ts, evt_num, ts, 0, 0, op, detail"
		" FROM file_changes WHERE run_capture_id = " READING,
};
enum {
	SQL_PATH,
	SQL_TARGET,
	SQL_PROCESS,
	SQL_TS,
	SQL_EVT,
	SQL_LAST,
	SQL_READ,
	SQL_WRITTEN,
	SQL_REST,
	SQL_DETAIL
};

static struct file *of(struct tui_view *v)
{
	return (struct file *)v;
}

/* --- a row */

static struct tui_row_key row_key(void *arg, size_t i)
{
	const struct use *u = &((struct file *)arg)->uses[i];

	return (struct tui_row_key){u->ts, u->number};
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct file *f = arg;
	const struct use *u = &f->uses[i];

	if (tui_rows_add(out, row_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	tui_pane_time(f->base.app, out, u->ts, 6);
	tui_rows_cell(out, TUI_ROLE_NORMAL, u->what);
	tui_rows_cell(out, TUI_ROLE_NORMAL, u->comm);
	tui_pane_number(out, u->pid > 0 ? (uint64_t)u->pid : 0);
	tui_pane_size(out, u->bytes_read);
	tui_pane_size(out, u->bytes_written);
	tui_pane_time(f->base.app, out, u->last_ts, 6);
}

static bool passes(void *arg, size_t i)
{
	const struct file *f = arg;
	uint64_t num, ts = tui_data_time(tui_app_data(f->base.app), &num);

	return !ts || f->uses[i].ts <= ts;
}

/* --- all rows */

static void use_text(sqlite3_stmt *s, struct buf *b)
{
	static const char *const words[] = {"opened",	"created", "renamed", "deleted",
					    "executed", "refused", "read",    "written"};
	const char *between = "";

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		int64_t n = sqlite3_column_int64(s, SQL_REST + (int)i);

		if (n <= 0)
			continue;
		buf_addf(b, "%s%s", between, words[i]);
		if (n > 1)
			buf_addf(b, " %lld times", (long long)n);
		between = ", ";
	}
}

static void change_text(sqlite3_stmt *s, bool is_target, struct buf *b)
{
	struct sv other = tui_sql_view(s, is_target ? SQL_PATH : SQL_TARGET);
	struct sv detail = tui_sql_view(s, SQL_DETAIL);

	buf_sv(b, tui_sql_view(s, SQL_REST));
	if (detail.n) {
		buf_char(b, ' ');
		buf_sv(b, detail);
	}
	if (!other.n)
		return;
	buf_str(b, is_target ? " from " : " to ");
	buf_sv(b, other);
}

static int name_process(struct file *f, sqlite3_stmt *s, struct use *u, struct error *err)
{
	static const char sql[] = "SELECT " NAME " FROM processes p WHERE p.process_id = ?1";
	struct tui_data *d = tui_app_data(f->base.app);
	int64_t process_id = sqlite3_column_int64(s, SQL_PROCESS);
	sqlite3_stmt *p = NULL;
	bool failed = false;
	int rc = tui_sql_prepare(d, sql, &p, err);

	if (rc == 0)
		rc = tui_sql_begin(d, p, &process_id, 1, err);
	if (rc == 0)
		rc = tui_sql_step(d, p, err);
	if (rc > 0) {
		u->pid = sqlite3_column_int64(p, 0);
		u->comm = tui_sql_text(p, 1, &f->arena, &failed);
		rc = failed ? error_nomem(err) : 0;
	}
	sqlite3_finalize(p);
	return rc;
}

static int take_row(struct file *f, bool is_target, struct error *err)
{
	sqlite3_stmt *s = f->stmt;
	struct buf what = {0};
	struct use *u;
	int rc;

	if (f->list.count == USES_MAX)
		return 0;
	if (f->list.count == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		struct use *uses = realloc(f->uses, cap * sizeof(*uses));

		if (!uses)
			return error_nomem(err);
		f->uses = uses;
		f->cap = cap;
	}
	u = &f->uses[f->list.count];
	*u = (struct use){.ts = (uint64_t)sqlite3_column_int64(s, SQL_TS),
			  .evt_num = (uint64_t)sqlite3_column_int64(s, SQL_EVT),
			  .last_ts = (uint64_t)sqlite3_column_int64(s, SQL_LAST),
			  .bytes_read = (uint64_t)sqlite3_column_int64(s, SQL_READ),
			  .bytes_written = (uint64_t)sqlite3_column_int64(s, SQL_WRITTEN),
			  .number = f->list.count,
			  .pid = -1};
	if (f->step == USES)
		use_text(s, &what);
	else
		change_text(s, is_target, &what);
	u->what = arena_sv(&f->arena, buf_view(&what));
	rc = what.failed || !u->what.p ? error_nomem(err) : name_process(f, s, u, err);
	buf_done(&what);
	f->list.count += rc == 0;
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->ts != y->ts)
		return (x->ts > y->ts) - (x->ts < y->ts);
	return (x->number > y->number) - (x->number < y->number);
}

static int start(struct file *f, enum step step, struct error *err)
{
	struct tui_data *d = tui_app_data(f->base.app);
	const struct tui_capture *c = tui_data_capture(d);
	int64_t capture_id = c ? c->capture_id : 0;
	int rc;

	sqlite3_finalize(f->stmt);
	f->stmt = NULL;
	f->step = step;
	if (step == STEPS) {
		if (f->list.count)
			qsort(f->uses, f->list.count, sizeof(*f->uses), by_time);
		return 0;
	}
	rc = tui_sql_prepare(d, scans[step], &f->stmt, err);
	return rc < 0 ? rc : tui_sql_begin(d, f->stmt, &capture_id, 1, err);
}

/* Return: 1 (there is more), 0, or ERR_*. */
static int go_on(struct file *f, uint64_t deadline_ns, struct error *err)
{
	struct sv path = buf_view(&f->path);
	int rc = 0;

	for (unsigned n = 1; f->stmt && rc == 0; n++) {
		bool is_path, is_target;

		rc = tui_sql_step(tui_app_data(f->base.app), f->stmt, err);
		if (rc < 0)
			break;
		if (rc == 0) {
			rc = start(f, f->step + 1, err);
			continue;
		}
		rc = 0;
		is_path = sv_eq(tui_sql_view(f->stmt, SQL_PATH), path);
		is_target = !is_path && sv_eq(tui_sql_view(f->stmt, SQL_TARGET), path);
		if (is_path || is_target)
			rc = take_row(f, is_target, err);
		if (n % LOOK_EVERY == 0 && deadline_ns && clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
			break;
	}
	return rc < 0 ? rc : f->stmt != NULL;
}

/* --- the view */

static void close_file(struct tui_view *v)
{
	struct file *f = of(v);

	sqlite3_finalize(f->stmt);
	tui_table_free(f->table);
	tui_list_done(&f->list);
	arena_done(&f->arena);
	buf_done(&f->path);
	free(f->uses);
	free(f);
}

static int open_file(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		     struct error *err)
{
	struct file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return error_nomem(err);
	f->base.app = app;
	buf_sv(&f->path, t->text);
	f->list = (struct tui_list){.row = row, .key = row_key, .passes = passes, .arg = f};
	rc = f->path.failed ? error_nomem(err)
			    : tui_table_new(app, columns, COUNT_OF(columns), &tui_list_ops,
					    &f->list, &f->table, err);
	if (rc < 0)
		close_file(&f->base);
	else
		*out = &f->base;
	return rc;
}

static int sync_file(struct tui_view *v, unsigned news, struct error *err)
{
	struct file *f = of(v);
	int rc = 0;

	if (news & (TUI_NEWS_CASE | TUI_NEWS_CAPTURE)) {
		f->list.count = 0;
		arena_reset(&f->arena);
		rc = start(f, USES, err);
	}
	if (rc == 0)
		rc = tui_pane_update(&f->list, f->table, err);
	return rc;
}

static bool work_file(struct tui_view *v, uint64_t deadline_ns)
{
	struct file *f = of(v);
	struct error err = {0};
	int rc, more;

	if (!f->stmt)
		return false;
	more = go_on(f, deadline_ns, &err);
	rc = more < 0 ? more : tui_pane_update(&f->list, f->table, &err);
	if (rc < 0)
		tui_app_fail(v->app, &err);
	return rc == 0 && more > 0;
}

static void draw_file(struct tui_view *v, const struct tui_area *a)
{
	struct file *f = of(v);
	const char *empty = "nobody touched it until this moment; go on in time";

	tui_pane_draw(f->table, a, buf_view(&f->path), f->list.shown || f->stmt ? NULL : empty);
}

static void click_file(struct tui_view *v, const struct tui_input *in, const struct tui_area *a)
{
	tui_pane_click(of(v)->table, in, a);
}

static const struct use *under_cursor(struct file *f)
{
	struct tui_row_key key;

	if (!tui_table_cursor(f->table, &key))
		return NULL;
	for (size_t i = 0; i < f->list.count; i++)
		if (f->uses[i].number == key.b)
			return &f->uses[i];
	return NULL;
}

static void condition_of(const struct file *f, struct buf *out)
{
	buf_lit(out, "fd.name=");
	tui_filter_quote(out, buf_view(&f->path));
}

static void show_events(struct file *f)
{
	struct tui_target t = {0};
	struct buf filter = {0};

	condition_of(f, &filter);
	t.text = buf_view(&filter);
	tui_app_push(f->base.app, &tui_events_ops, &t);
	buf_done(&filter);
}

static enum tui_result act_file(struct tui_view *v, const struct tui_command *c)
{
	const struct use *u = under_cursor(of(v));

	switch (c->action) {
	case TUI_DO_ENTER:
		if (u && u->pid > 0)
			tui_app_push(v->app, &tui_process_ops,
				     &(struct tui_target){.pid = u->pid, .num = u->evt_num});
		return TUI_DONE;
	case TUI_DO_EVIDENCE:
		show_events(of(v));
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void crumb_of_file(struct tui_view *v, struct buf *out)
{
	struct sv path = buf_view(&of(v)->path);
	size_t i = path.n;

	while (i && path.p[i - 1] != '/')
		i--;
	buf_sv(out, i < path.n ? sv_drop(path, i) : path);
}

static void command_file(struct tui_view *v, struct buf *out)
{
	struct buf filter = {0};

	condition_of(of(v), &filter);
	tui_command_at(v->app, "fds", out);
	buf_lit(out, " -F");
	tui_command_word(out, buf_view(&filter));
	buf_done(&filter);
	tui_command_capture(v->app, out);
}

static struct tui_table *table_of_file(struct tui_view *v)
{
	return of(v)->table;
}

static const uint8_t file_actions[] = {TUI_DO_ENTER, TUI_DO_EVIDENCE, TUI_DO_SEARCH, TUI_DO_EXPORT,
				       TUI_NO_ACTION};

const struct tui_view_ops tui_file_ops = {
    .name = "file",
    .title = "File",
    .help = "Who touched the file until T, and how: a row for each process with its kinds of use, "
	    "and one for each change of its name, mode or owner. Enter opens the process, "
	    "evidence lists the events.",
    .actions = file_actions,
    .open = open_file,
    .close = close_file,
    .sync = sync_file,
    .draw = draw_file,
    .act = act_file,
    .work = work_file,
    .crumb = crumb_of_file,
    .command = command_file,
    .click = click_file,
    .table = table_of_file,
};
