/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that are open at T, and what processes hold without one. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/activity/words.h"
#include "tui/files_model.h"

#define LOOK_EVERY 256 /* processes between two looks at the clock */

const struct tui_column tui_open_columns[TUI_OPEN_COLUMNS] = {
    [TUI_OPEN_COL_PID] = {"pid", "PID", 7, 0, TUI_COLUMN_RIGHT, "number of the process"},
    [TUI_OPEN_COL_PROC] = {"process", "PROCESS", 15, 0, 0, "its name"},
    [TUI_OPEN_COL_USER] = {"user", "USER", 9, 110, 0, "whose it is"},
    [TUI_OPEN_COL_FD] = {"fd", "FD", 4, 0, TUI_COLUMN_RIGHT,
			 "number of the descriptor; cwd: working directory, rtd: root, txt: image"},
    [TUI_OPEN_COL_TYPE] = {"type", "TYPE", 9, 60, 0, "what it refers to"},
    [TUI_OPEN_COL_MODE] = {"mode", "RW", 2, 60, 0, "opened to read, to write, both"},
    [TUI_OPEN_COL_NAME] = {"name", "NAME", 16, 0, TUI_COLUMN_REST | TUI_COLUMN_PATH,
			   "path; or the ends of a connection"},
    [TUI_OPEN_COL_STATE] = {"state", "SOCKET", 15, 90, 0, "of a socket: protocol and state"},
    [TUI_OPEN_COL_FLAGS] = {"flags", "FLAGS", 24, 0, TUI_COLUMN_HIDDEN, "how it was opened"},
    [TUI_OPEN_COL_DEVICE] = {"device", "DEVICE", 7, 0, TUI_COLUMN_HIDDEN, "major:minor"},
    [TUI_OPEN_COL_INODE] = {"inode", "INODE", 10, 0, TUI_COLUMN_HIDDEN | TUI_COLUMN_RIGHT,
			    "number of the inode"},
    [TUI_OPEN_COL_CONTAINER] = {"container", "CONTAINER", 14, 140, 0,
				"where the process runs; empty: on the host"},
};

/* NULL: T was brought elsewhere since, and what rows point to may be gone. */
static const struct tui_moment *moment_of(const struct tui_open *o)
{
	struct tui_data *d = tui_app_data(o->app);
	const struct tui_moment *m;
	struct error err;

	return tui_moment_is(d, o->serial) && tui_data_moment(d, &m, &err) == 0 ? m : NULL;
}

/* --- a row */

static struct tui_row_key row_key(void *arg, size_t i)
{
	return ((const struct tui_open *)arg)->rows[i].key;
}

static void number_cell(struct tui_rows *out, int64_t n)
{
	buf_i64(tui_rows_begin_cell(out), n);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void place_cells(const struct tui_open_row *r, struct tui_rows *out)
{
	static const char *const names[] = {"", "cwd", "rtd", "txt"};
	const struct state_thread *t = r->t;

	tui_rows_cell(out, TUI_ROLE_DIM, sv_of(names[r->kind]));
	tui_rows_cell(out, TUI_ROLE_DIM, sv_of(r->kind == TUI_OPEN_EXE ? "file" : "directory"));
	tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
	tui_rows_cell(out, TUI_ROLE_NORMAL,
		      r->kind == TUI_OPEN_CWD	 ? act_directory(state_thread_cwd(t))
		      : r->kind == TUI_OPEN_ROOT ? state_sv(t->root)
						 : state_sv(t->exepath));
	for (unsigned i = TUI_OPEN_COL_STATE; i < TUI_OPEN_COL_INODE; i++)
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
	if (r->kind == TUI_OPEN_EXE && t->exe_ino)
		tui_rows_printf(out, "%llu", (unsigned long long)t->exe_ino);
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
}

static void name_cell(const struct tui_moment *m, const struct state_fd *fd, struct tui_rows *out)
{
	const struct act_conn *c = act_net_of_fd(m->net, fd);
	struct buf *b;

	if (!c) {
		tui_rows_cell(out, TUI_ROLE_NORMAL, state_sv(fd->name));
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
		return;
	}
	act_ends_text(tui_rows_begin_cell(out), c);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	b = tui_rows_begin_cell(out);
	buf_addf(b, "%s ", act_net_proto_name(c));
	act_conn_state_text(b, c);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
}

static void fd_cells(const struct tui_moment *m, const struct state_fd *fd, struct tui_rows *out)
{
	const char *type = state_fd_typename(fd);
	bool file = state_fd_is_file(fd) || fd->type == EV_FD_DIRECTORY;
	const char *mode = file ? state_fd_mode(fd) : NULL;

	number_cell(out, fd->num);
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(strcmp(type, "<NA>") ? type : ""));
	tui_rows_cell(out, TUI_ROLE_NORMAL, sv_of(mode ? mode : ""));
	name_cell(m, fd, out);
	act_open_flags_text(tui_rows_begin_cell(out), file ? fd->openflags : 0);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	if (fd->dev)
		tui_rows_printf(out, "%u:%u", state_dev_major(fd->dev), state_dev_minor(fd->dev));
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
	if (fd->ino)
		tui_rows_printf(out, "%llu", (unsigned long long)fd->ino);
	else
		tui_rows_cell(out, TUI_ROLE_NORMAL, SV_NONE);
}

static void row(void *arg, size_t i, struct tui_rows *out)
{
	const struct tui_open *o = arg;
	const struct tui_moment *m = moment_of(o);
	const struct tui_open_row *r = &o->rows[i];

	if (tui_rows_add(out, r->key, TUI_ROLE_NORMAL) < 0 || !m)
		return;
	number_cell(out, act_pid(r->t));
	tui_rows_cell(out, TUI_ROLE_NORMAL, state_sv(r->t->comm));
	act_user_text(tui_rows_begin_cell(out), m->state, r->t->container_id, r->t->uid);
	tui_rows_end_cell(out, TUI_ROLE_NORMAL);
	if (r->fd)
		fd_cells(m, r->fd, out);
	else
		place_cells(r, out);
	tui_rows_cell(out, TUI_ROLE_NORMAL,
		      act_container_name(m->state, state_sv(r->t->container_id)));
}

/* --- all rows */

void tui_open_init(struct tui_open *o, struct tui_app *app, int64_t pid)
{
	*o = (struct tui_open){.app = app, .pid = pid};
	o->list = (struct tui_list){.row = row, .key = row_key, .arg = o};
}

void tui_open_done(struct tui_open *o)
{
	tui_list_done(&o->list);
	tui_state_filter_free(o->filter);
	free(o->rows);
	free(o->threads);
}

static int by_number(const void *a, const void *b)
{
	const struct state_thread *const *x = a, *const *y = b;

	return ((*x)->tid > (*y)->tid) - ((*x)->tid < (*y)->tid);
}

int tui_open_begin(struct tui_open *o, struct error *err)
{
	const struct tui_moment *m;
	struct state_thread *t;
	size_t n;
	int rc;

	o->list.count = o->thread_count = o->at = 0;
	o->left_out = 0;
	o->serial = 0;
	rc = tui_data_moment(tui_app_data(o->app), &m, err);
	if (rc == 0)
		rc = tui_state_filter_at(o->filter, m, err);
	if (rc < 0)
		return rc;
	n = state_threads(m->state);
	free(o->threads);
	o->threads = calloc(n + 1, sizeof(struct state_thread *));
	if (!o->threads)
		return error_nomem(err);
	for (size_t at = 0; o->thread_count < n && (t = state_thread_next(m->state, &at));)
		if ((state_thread_is_main(t) || state_thread_is_invalid(t)) &&
		    (!o->pid || act_pid(t) == o->pid))
			o->threads[o->thread_count++] = t;
	qsort(o->threads, o->thread_count, sizeof(struct state_thread *), by_number);
	o->serial = m->serial;
	return 0;
}

static int add(struct tui_open *o, struct state_thread *t, struct state_fd *fd,
	       enum tui_open_kind kind)
{
	if (o->list.count == TUI_OPEN_MAX) {
		o->left_out++;
		return 0;
	}
	if (o->list.count == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 1024;
		struct tui_open_row *rows = realloc(o->rows, cap * sizeof(*rows));

		if (!rows)
			return ERR_NOMEM;
		o->rows = rows;
		o->cap = cap;
	}
	o->rows[o->list.count++] = (struct tui_open_row){
	    .key = {(uint64_t)t->tid, fd ? (uint64_t)fd->num : UINT64_MAX - kind},
	    .t = t,
	    .fd = fd,
	    .kind = kind};
	return 0;
}

static int add_places(struct tui_open *o, struct state_thread *t)
{
	struct sv root = state_sv(t->root);
	int rc = 0;

	if (state_thread_is_invalid(t) || !tui_state_filter_passes(o->filter, t, NULL))
		return 0;
	if (state_thread_cwd(t).n)
		rc = add(o, t, NULL, TUI_OPEN_CWD);
	if (rc == 0 && root.n && !sv_is(root, "/"))
		rc = add(o, t, NULL, TUI_OPEN_ROOT);
	if (rc == 0 && state_sv(t->exepath).n)
		rc = add(o, t, NULL, TUI_OPEN_EXE);
	return rc;
}

static int add_process(struct tui_open *o, struct state_thread *t)
{
	struct state_fd *fd;
	int rc = add_places(o, t);

	for (size_t at = 0; rc == 0 && (fd = state_fd_next(t, &at));)
		if (tui_state_filter_passes(o->filter, t, fd))
			rc = add(o, t, fd, TUI_OPEN_FD);
	return rc;
}

int tui_open_work(struct tui_open *o, uint64_t deadline_ns, struct error *err)
{
	if (o->at < o->thread_count && !moment_of(o))
		return 0; /* a sync is to come, which begins anew */
	while (o->at < o->thread_count) {
		if (add_process(o, o->threads[o->at++]) < 0)
			return error_nomem(err);
		if (o->at % LOOK_EVERY == 0 && deadline_ns &&
		    clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
			break;
	}
	return o->at < o->thread_count;
}

const struct tui_open_row *tui_open_find(struct tui_open *o, struct tui_row_key key)
{
	if (!moment_of(o))
		return NULL;
	for (size_t i = 0; i < o->list.count; i++) {
		const struct tui_open_row *r = &o->rows[i];

		if (r->key.a == key.a && r->key.b == key.b)
			return r;
	}
	return NULL;
}
