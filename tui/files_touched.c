/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that were touched, as the case has them: one row per path, whoever it was. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/activity/words.h"
#include "tui/case_sql.h"
#include "tui/files_model.h"
#include "tui/pane.h"

#define LOOK_EVERY 256 /* rows between two looks at the clock */

const struct tui_column tui_touched_columns[TUI_TOUCHED_COLUMNS] = {
    [TUI_TOUCHED_COL_PATH] = {"path", "PATH", 20, 0, TUI_COLUMN_REST | TUI_COLUMN_PATH,
			      "full path"},
    [TUI_TOUCHED_COL_BY] = {"by", "BY", 18, 60, 0,
			    "who touched it last; +N: and so many other processes"},
    [TUI_TOUCHED_COL_DID] = {"did", "DID", 8, 0, 0,
			     "o opened, c created, r read, w written, n renamed, d deleted, "
			     "x executed, ! refused"},
    [TUI_TOUCHED_COL_READ] = {"bytes_read", "READ", 5, 70, TUI_COLUMN_RIGHT, "bytes read from it"},
    [TUI_TOUCHED_COL_WRITTEN] = {"bytes_written", "WROTE", 5, 70, TUI_COLUMN_RIGHT,
				 "bytes written to it"},
    [TUI_TOUCHED_COL_FIRST] = {"first", "FIRST", 12, 110, 0, "the first time"},
    [TUI_TOUCHED_COL_LAST] = {"last", "LAST", 12, 50, 0, "the last time in the whole capture"},
    [TUI_TOUCHED_COL_OPENS] = {"opens", "OPENS", 6, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
			       "times it was opened"},
    [TUI_TOUCHED_COL_CREATES] = {"creates", "CREATES", 7, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
				 "times opening it created it"},
    [TUI_TOUCHED_COL_READS] = {"reads", "READS", 6, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
			       "calls that read from it"},
    [TUI_TOUCHED_COL_WRITES] = {"writes", "WRITES", 6, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
				"calls that wrote to it"},
    [TUI_TOUCHED_COL_RENAMES] = {"renames", "RENAMES", 7, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
				 "renames from this name or to it"},
    [TUI_TOUCHED_COL_DELETES] = {"deletes", "DELETES", 7, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
				 "times it was deleted"},
    [TUI_TOUCHED_COL_EXECS] = {"execs", "EXECS", 6, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
			       "times it was executed"},
    [TUI_TOUCHED_COL_REFUSED] = {"refused", "REFUSED", 7, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
				 "opens that failed for want of permission"},
};

/* Columns of the statement behind the process and the path, in the order of their members. */
static const size_t sums[] = {
    offsetof(struct tui_touched_row, opens),	     offsetof(struct tui_touched_row, refused),
    offsetof(struct tui_touched_row, creates),	     offsetof(struct tui_touched_row, reads),
    offsetof(struct tui_touched_row, writes),	     offsetof(struct tui_touched_row, bytes_read),
    offsetof(struct tui_touched_row, bytes_written), offsetof(struct tui_touched_row, renames),
    offsetof(struct tui_touched_row, deletes),	     offsetof(struct tui_touched_row, execs),
};
#define SUMS                                                                                       \
	"f.opens, f.refused, f.creates, f.reads, f.writes, f.bytes_read, f.bytes_written, "        \
	"f.renames, f.deletes, f.execs, f.first_ts, f.last_ts"
enum { COL_PROCESS, COL_PID, COL_PATH, COL_SUMS, COL_FIRST = COL_SUMS + 10, COL_LAST };

#define READING "(SELECT reading_id FROM captures WHERE capture_id = ?1)"
/* Numbers of processes have that of the reading in their upper half. */
static const char sql_all[] =
    "SELECT f.process_id, p.pid, f.path, " SUMS
    " FROM files f CROSS JOIN processes p USING (process_id)"
    " WHERE f.process_id BETWEEN " READING " << 32 AND (" READING " << 32) + 4294967295";
static const char sql_one[] = "SELECT f.process_id, p.pid, f.path, " SUMS
			      " FROM processes p CROSS JOIN files f USING (process_id)"
			      " WHERE p.run_capture_id = " READING " AND p.pid = ?2";

/* --- a row */

static struct tui_row_key row_key(void *arg, size_t i)
{
	const struct sv path = ((const struct tui_touched *)arg)->rows[i].path;

	return (struct tui_row_key){hash_bytes(path.p, path.n, 0), path.n};
}

static void did_cell(const struct tui_touched_row *r, struct tui_rows *out)
{
	const struct {
		uint64_t n;
		char letter;
	} did[] = {{r->opens, 'o'},   {r->creates, 'c'}, {r->reads, 'r'}, {r->writes, 'w'},
		   {r->renames, 'n'}, {r->deletes, 'd'}, {r->execs, 'x'}, {r->refused, '!'}};
	struct buf *b = tui_rows_begin_cell(out);

	for (size_t i = 0; i < COUNT_OF(did); i++)
		buf_char(b, did[i].n ? did[i].letter : '-');
	tui_rows_end_cell(out, r->refused ? TUI_ROLE_WARNING : TUI_ROLE_NORMAL);
}

static void by_cell(const struct tui_touched_row *r, struct tui_rows *out)
{
	struct buf *b = tui_rows_begin_cell(out);

	buf_sv(b, r->comm);
	buf_addf(b, "(%lld)", (long long)r->pid);
	if (r->processes > 1)
		buf_addf(b, " +%u", r->processes - 1);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct tui_touched *o = arg;
	const struct tui_touched_row *r = &o->rows[i];

	if (tui_rows_add(out, row_key(arg, i), TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_cell(out, TUI_ROLE_NORMAL, r->path);
	by_cell(r, out);
	did_cell(r, out);
	tui_pane_size(out, r->bytes_read);
	tui_pane_size(out, r->bytes_written);
	tui_pane_time(o->app, out, r->first_ts, 3);
	tui_pane_time(o->app, out, r->last_ts, 3);
	tui_pane_number(out, r->opens);
	tui_pane_number(out, r->creates);
	tui_pane_number(out, r->reads);
	tui_pane_number(out, r->writes);
	tui_pane_number(out, r->renames);
	tui_pane_number(out, r->deletes);
	tui_pane_number(out, r->execs);
	tui_pane_number(out, r->refused);
}

static int by_value(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare(void *arg, size_t i, size_t j, int column)
{
	const struct tui_touched_row *rows = ((const struct tui_touched *)arg)->rows;
	const struct tui_touched_row *a = &rows[i], *b = &rows[j];
	int rc;

	switch (column) {
	case TUI_TOUCHED_COL_PATH:
		return sv_cmp(a->path, b->path);
	case TUI_TOUCHED_COL_BY:
		rc = sv_cmp(a->comm, b->comm);
		return rc ? rc : by_value((uint64_t)a->pid, (uint64_t)b->pid);
	case TUI_TOUCHED_COL_READ:
		return by_value(a->bytes_read, b->bytes_read);
	case TUI_TOUCHED_COL_WRITTEN:
		return by_value(a->bytes_written, b->bytes_written);
	case TUI_TOUCHED_COL_FIRST:
		return by_value(a->first_ts, b->first_ts);
	case TUI_TOUCHED_COL_LAST:
		return by_value(a->last_ts, b->last_ts);
	case TUI_TOUCHED_COL_OPENS:
		return by_value(a->opens, b->opens);
	case TUI_TOUCHED_COL_CREATES:
		return by_value(a->creates, b->creates);
	case TUI_TOUCHED_COL_READS:
		return by_value(a->reads, b->reads);
	case TUI_TOUCHED_COL_WRITES:
		return by_value(a->writes, b->writes);
	case TUI_TOUCHED_COL_RENAMES:
		return by_value(a->renames, b->renames);
	case TUI_TOUCHED_COL_DELETES:
		return by_value(a->deletes, b->deletes);
	case TUI_TOUCHED_COL_EXECS:
		return by_value(a->execs, b->execs);
	case TUI_TOUCHED_COL_REFUSED:
		return by_value(a->refused, b->refused);
	default: /* what was done, most kinds of it first */
		return by_value(!!a->execs + !!a->deletes + !!a->renames + !!a->writes,
				!!b->execs + !!b->deletes + !!b->renames + !!b->writes);
	}
}

static bool passes(void *arg, size_t i)
{
	const struct tui_touched *o = arg;
	const struct tui_touched_row *r = &o->rows[i];
	struct act_proc p = {.pid = r->pid, .vpid = r->pid, .comm = r->comm};
	struct state_fd fd = {.num = -1, .type = EV_FD_FILE};

	if (o->ts && r->first_ts > o->ts)
		return false;
	if (!o->filter || !tui_moment_is(tui_app_data(o->app), o->serial))
		return true; /* or a sync is to come */
	p.uid = p.gid = p.loginuid = EV_NO_ID;
	fd.name = tui_state_filter_keep(o->filter, r->path);
	return tui_state_filter_passes_past(o->filter, &p, &fd);
}

/* --- all rows */

void tui_touched_init(struct tui_touched *o, struct tui_app *app, int64_t pid)
{
	*o = (struct tui_touched){.app = app, .pid = pid};
	o->list = (struct tui_list){
	    .row = row, .key = row_key, .compare = compare, .passes = passes, .arg = o};
}

void tui_touched_done(struct tui_touched *o)
{
	sqlite3_finalize(o->stmt);
	tui_list_done(&o->list);
	tui_state_filter_free(o->filter);
	smap_done(&o->by_path);
	arena_done(&o->arena);
	arena_done(&o->next_arena);
	free(o->rows);
	free(o->next);
}

static int newest_first(const void *a, const void *b)
{
	const struct tui_touched_row *x = a, *y = b;

	return x->last_ts == y->last_ts ? sv_cmp(x->path, y->path)
					: by_value(y->last_ts, x->last_ts);
}

/* Those that were read are the rows from now on; the list is to be told. */
static void take_over(struct tui_touched *o)
{
	if (o->next_count)
		qsort(o->next, o->next_count, sizeof(*o->next), newest_first);
	free(o->rows);
	arena_done(&o->arena);
	o->rows = o->next;
	o->list.count = o->next_count;
	o->arena = o->next_arena;
	o->next = NULL;
	o->next_count = o->next_cap = 0;
	o->next_arena = (struct arena){0};
	smap_done(&o->by_path);
}

int tui_touched_begin(struct tui_touched *o, struct error *err)
{
	struct tui_data *d = tui_app_data(o->app);
	const struct tui_capture *c = tui_data_capture(d);
	int rc;

	sqlite3_finalize(o->stmt);
	o->stmt = NULL;
	o->next_count = 0;
	o->left_out = 0;
	o->process_id = 0;
	smap_done(&o->by_path);
	arena_reset(&o->next_arena);
	if (!c || !c->capture_id) {
		take_over(o);
		return 0;
	}
	rc = tui_sql_prepare(d, o->pid ? sql_one : sql_all, &o->stmt, err);
	if (rc == 0)
		rc = tui_sql_begin(d, o->stmt, (const int64_t[]){c->capture_id, o->pid},
				   o->pid ? 2 : 1, err);
	return rc;
}

/* The name the process had at last. */
static int name_process(struct tui_touched *o, int64_t process_id, struct error *err)
{
	static const char sql[] =
	    "SELECT coalesce((SELECT comm FROM execs e WHERE e.process_id = p.process_id"
	    " ORDER BY seq DESC LIMIT 1), p.comm) FROM processes p WHERE p.process_id = ?1";
	struct tui_data *d = tui_app_data(o->app);
	sqlite3_stmt *s = NULL;
	int rc = tui_sql_prepare(d, sql, &s, err);

	if (rc == 0)
		rc = tui_sql_begin(d, s, &process_id, 1, err);
	if (rc == 0)
		rc = tui_sql_step(d, s, err);
	if (rc >= 0) {
		o->comm = arena_sv(&o->next_arena, rc ? tui_sql_view(s, 0) : SV_LIT("?"));
		rc = o->comm.p ? 0 : error_nomem(err);
	}
	sqlite3_finalize(s);
	o->process_id = process_id;
	return rc;
}

static struct tui_touched_row *row_of(struct tui_touched *o, struct sv path)
{
	uintptr_t i = (uintptr_t)smap_get(&o->by_path, path);

	if (i)
		return &o->next[i - 1];
	if (o->next_count == o->next_cap) {
		size_t cap = o->next_cap ? 2 * o->next_cap : 1024;
		struct tui_touched_row *rows = realloc(o->next, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		o->next = rows;
		o->next_cap = cap;
	}
	path = arena_sv(&o->next_arena, path);
	if (!path.p || smap_put(&o->by_path, path, (void *)(o->next_count + 1)) < 0)
		return NULL;
	o->next[o->next_count] = (struct tui_touched_row){.path = path, .first_ts = UINT64_MAX};
	return &o->next[o->next_count++];
}

static int take_row(struct tui_touched *o, struct error *err)
{
	int64_t process_id = sqlite3_column_int64(o->stmt, COL_PROCESS);
	struct sv path = tui_sql_view(o->stmt, COL_PATH);
	struct tui_touched_row *r;
	uint64_t first, last;
	int rc = 0;

	if (o->next_count == TUI_TOUCHED_MAX && !smap_get(&o->by_path, path)) {
		o->left_out++;
		return 0;
	}
	if (process_id != o->process_id)
		rc = name_process(o, process_id, err);
	if (rc < 0)
		return rc;
	r = row_of(o, path);
	if (!r)
		return error_nomem(err);
	for (size_t i = 0; i < COUNT_OF(sums); i++)
		*(uint64_t *)((char *)r + sums[i]) +=
		    (uint64_t)sqlite3_column_int64(o->stmt, COL_SUMS + (int)i);
	first = (uint64_t)sqlite3_column_int64(o->stmt, COL_FIRST);
	last = (uint64_t)sqlite3_column_int64(o->stmt, COL_LAST);
	r->processes++;
	if (first < r->first_ts)
		r->first_ts = first;
	if (last < r->last_ts)
		return 0;
	r->last_ts = last;
	r->comm = o->comm;
	r->process_id = process_id;
	r->pid = sqlite3_column_int64(o->stmt, COL_PID);
	return 0;
}

int tui_touched_work(struct tui_touched *o, uint64_t deadline_ns, struct error *err)
{
	int rc = 0;

	for (unsigned n = 1; o->stmt && rc == 0; n++) {
		rc = tui_sql_step(tui_app_data(o->app), o->stmt, err);
		if (rc > 0) {
			rc = take_row(o, err);
		} else {
			sqlite3_finalize(o->stmt);
			o->stmt = NULL;
			if (rc == 0)
				take_over(o);
		}
		if (n % LOOK_EVERY == 0 && deadline_ns && clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
			break;
	}
	return rc < 0 ? rc : o->stmt != NULL;
}

int tui_touched_at(struct tui_touched *o, struct error *err)
{
	const struct tui_moment *m;
	uint64_t num;
	int rc;

	o->ts = tui_data_time(tui_app_data(o->app), &num);
	if (!o->filter)
		return 0;
	rc = tui_data_moment(tui_app_data(o->app), &m, err);
	if (rc == 0)
		rc = tui_state_filter_at(o->filter, m, err);
	if (rc == 0)
		o->serial = m->serial;
	return rc;
}

const struct tui_touched_row *tui_touched_find(struct tui_touched *o, struct tui_row_key key)
{
	for (size_t i = 0; i < o->list.count; i++) {
		struct tui_row_key k = row_key(o, i);

		if (k.a == key.a && k.b == key.b)
			return &o->rows[i];
	}
	return NULL;
}
