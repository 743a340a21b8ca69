/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are threads, processes or descriptors at a moment. */
#include <stdlib.h>

#include "sqlext/internal.h"

struct states {
	struct vtab_snapshot *snapshot;
	struct state_thread **threads; /* by number */
	size_t count, next;
	struct state_thread *thread; /* of the row */
	struct state_fd *fd;	     /* of the row; or NULL */
	size_t fd_at;
	struct ev ev; /* there is none: fields are asked as of the moment */
	int64_t row;
};

static void done(struct vtab_cursor *c)
{
	struct states *s = c->rows;

	free(s->threads);
	vtab_snapshot_release(s->snapshot);
	*s = (struct states){0};
}

static bool is_wanted(const struct vtab_cursor *c, const struct state_thread *t)
{
	enum vtab_table_id id = vtab_table_of(c)->module->id;
	bool invalid = state_thread_is_invalid(t);

	if ((c->q.pid >= 0 && t->pid != c->q.pid) || (c->q.tid >= 0 && t->tid != c->q.tid))
		return false;
	if (id == VTAB_THREADS)
		return !invalid;
	/* Of a process that is not known there may be descriptors. */
	return state_thread_is_main(t) ? !invalid || id == VTAB_FDS : invalid && id == VTAB_FDS;
}

static int by_tid(const void *a, const void *b)
{
	const struct state_thread *const *x = a, *const *y = b;

	return ((*x)->tid > (*y)->tid) - ((*x)->tid < (*y)->tid);
}

/* A main thread has the number of its process. */
static bool is_one_thread(const struct vtab_cursor *c)
{
	return c->q.tid >= 0 || (c->q.pid >= 0 && vtab_table_of(c)->module->id != VTAB_THREADS);
}

static int list_threads(struct vtab_cursor *c, struct error *err)
{
	struct states *s = c->rows;
	const struct state *st = s->snapshot->walk.state;
	size_t max = is_one_thread(c) ? 1 : state_threads(st);
	struct state_thread *t;

	s->threads = calloc(max + 1, sizeof(struct state_thread *));
	if (!s->threads)
		return error_nomem(err);
	if (is_one_thread(c)) {
		t = state_thread_find(st, c->q.tid >= 0 ? c->q.tid : c->q.pid);
		if (t && is_wanted(c, t))
			s->threads[s->count++] = t;
		return 0;
	}
	for (size_t at = 0; s->count < max && (t = state_thread_next(st, &at));)
		if (is_wanted(c, t))
			s->threads[s->count++] = t;
	qsort(s->threads, s->count, sizeof(struct state_thread *), by_tid);
	return 0;
}

static int begin(struct vtab_cursor *c, struct error *err)
{
	struct vtab_conn *conn = vtab_table_of(c)->module->conn;
	struct states *s = c->rows;
	int rc = vtab_snapshot_get(conn, c->path, &c->q.moment, &s->snapshot, err);

	if (rc < 0)
		return rc;
	s->ev = (struct ev){.type = EV_FSTAT_X, .ts = s->snapshot->ts, .num = s->snapshot->num};
	rc = list_threads(c, err);
	if (rc == 0)
		rc = flt_ctx_new(c->set->program, s->snapshot->walk.state, &c->values, err);
	return rc;
}

static int next(struct vtab_cursor *c, struct error *err)
{
	struct states *s = c->rows;
	bool fds = vtab_table_of(c)->module->id == VTAB_FDS;

	(void)err;
	s->row++;
	for (;;) {
		if (fds && s->thread) {
			s->fd = state_fd_next(s->thread, &s->fd_at);
			if (s->fd)
				return 1;
		}
		if (s->next == s->count)
			return 0;
		s->thread = s->threads[s->next++];
		s->fd_at = 0;
		if (!fds)
			return 1;
	}
}

static void field(struct vtab_cursor *c, sqlite3_context *out, int i)
{
	struct states *s = c->rows;
	const struct state_binding b = {
	    .ev = &s->ev, .thread = s->thread, .fd = s->fd, .visible = true};
	int64_t last_fd = s->thread->lastevent_fd;

	/* What the field looks at is the row's, whatever the thread did last. */
	s->thread->lastevent_fd = s->fd ? s->fd->num : -1;
	s->ev.tid = s->thread->tid;
	flt_ctx_event(c->values, &b);
	vtab_result_field(c, out, i);
	s->thread->lastevent_fd = last_fd;
}

static void column(struct vtab_cursor *c, sqlite3_context *out, int i)
{
	const struct states *s = c->rows;
	const char *mode;

	switch (vtab_table_of(c)->columns[i].kind) {
	case VTAB_AT:
		if (c->q.at)
			sqlite3_result_value(out, c->q.at);
		else
			vtab_result_u64(out, s->snapshot->ts);
		break;
	case VTAB_MODE:
		mode = state_fd_mode(s->fd);
		if (mode)
			sqlite3_result_text(out, mode, -1, SQLITE_STATIC);
		break;
	default:
		field(c, out, i);
	}
}

static int64_t rowid(const struct vtab_cursor *c)
{
	return ((const struct states *)c->rows)->row;
}

const struct vtab_rows vtab_state_rows = {
    .size = sizeof(struct states),
    .begin = begin,
    .next = next,
    .column = column,
    .rowid = rowid,
    .done = done,
};
