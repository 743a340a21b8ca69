/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "sqlext/internal.h"

/* More operations than most progress handlers want to lie between two calls. */
#define POLL_SQL                                                                                   \
	"WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM c WHERE n < 500) "          \
	"SELECT count(*) FROM c"

static const struct module_row {
	const char *name, *table; /* of the module; of vtab_attach() */
	const struct vtab_rows *rows;
} module_rows[VTAB_TABLES] = {
    [VTAB_EVENTS] = {"scapula_events", "events", &vtab_event_rows},
    [VTAB_THREADS] = {"scapula_threads", "threads", &vtab_state_rows},
    [VTAB_PROCESSES] = {"scapula_processes", "processes", &vtab_state_rows},
    [VTAB_FDS] = {"scapula_fds", "fds", &vtab_state_rows},
    [VTAB_GAPS] = {"scapula_gaps", "gaps", &vtab_gap_rows},
};

/* --- what a connection shares --- */

static void conn_unref(struct vtab_conn *conn)
{
	if (--conn->refs)
		return;
	vtab_snapshots_drop(conn);
	smap_done(&conn->told);
	arena_done(&conn->texts);
	free(conn);
}

static void module_free(void *arg)
{
	struct vtab_module *m = arg;

	conn_unref(m->conn);
	free(m);
}

/*
 * Nothing tells a virtual table that its query was interrupted: but another statement of the same
 * connection is, and its operations count for the progress handler.
 */
static bool is_interrupted(struct vtab_conn *conn)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now - conn->polled < VTAB_POLL_NS)
		return false;
	conn->polled = now;
	return sqlite3_exec(conn->db, POLL_SQL, NULL, NULL, NULL) == SQLITE_INTERRUPT;
}

int vtab_look_around(struct vtab_conn *conn, const struct state *st, struct error *err)
{
	if (st && conn->opt.memory && state_stats(st)->memory > conn->opt.memory)
		return error_nomem(err);
	return is_interrupted(conn) ? error_set(err, ERR_INTERRUPTED, "interrupted") : 0;
}

void vtab_tell_losses(struct vtab_conn *conn, const char *path, const struct sf_reader *r,
		      const struct state *st)
{
	struct vtab_notice n = {
	    .path = path, .total = sf_reader_stats(r)->gaps, .state = state_stats(st)};
	const char *kept;

	if (!n.total && !n.state->threads_dropped && !n.state->fds_dropped && !n.state->malformed)
		return;
	if (!conn->opt.notice || smap_get(&conn->told, sv_of(path)))
		return;
	kept = arena_strdup(&conn->texts, path);
	if (kept && smap_put(&conn->told, sv_of(kept), conn) < 0)
		return;
	n.gaps = sf_reader_gaps(r, &n.count);
	conn->opt.notice(conn->opt.notice_arg, &n);
}

static int register_one(struct vtab_conn *conn, enum vtab_table_id id, struct error *err)
{
	struct vtab_module *m = calloc(1, sizeof(*m));

	if (!m)
		return error_nomem(err);
	*m = (struct vtab_module){
	    .conn = conn, .name = module_rows[id].name, .id = id, .rows = module_rows[id].rows};
	conn->refs++;
	/* On failure it frees @m, too. */
	if (sqlite3_create_module_v2(conn->db, module_rows[id].name, &vtab_sqlite_module, m,
				     module_free) == SQLITE_OK)
		return 0;
	return error_set(err, ERR_DB, "%s: %s", module_rows[id].name, sqlite3_errmsg(conn->db));
}

int vtab_register(struct sqlite3 *db, const struct vtab_options *opt, struct error *err)
{
	struct vtab_conn *conn;
	int rc = 0;

	if (sqlite3_libversion_number() < 3038000)
		return error_set(err, ERR_UNSUPPORTED, "SQLite is %s; 3.38 or later is needed",
				 sqlite3_libversion());
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return error_nomem(err);
	*conn = (struct vtab_conn){.db = db, .refs = 1, .polled = clock_ns(CLOCK_MONOTONIC)};
	if (opt)
		conn->opt = *opt;
	for (unsigned id = 0; rc == 0 && id < VTAB_TABLES; id++)
		rc = register_one(conn, id, err);
	conn_unref(conn);
	return rc;
}

/* --- tables of given captures --- */

static void add_quoted(struct buf *b, const char *before, const char *text)
{
	buf_str(b, before);
	buf_char(b, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_char(b, '\'');
		buf_char(b, *text);
	}
	buf_char(b, '\'');
}

int vtab_attach(struct sqlite3 *db, const char *const *captures, size_t count,
		const char *const *fields, struct error *err)
{
	struct buf sql = {0};
	int rc = 0;

	for (unsigned id = 0; rc == 0 && id < VTAB_TABLES; id++) {
		const char *between = "(";

		buf_reset(&sql);
		buf_addf(&sql, "CREATE VIRTUAL TABLE temp.%s USING %s", module_rows[id].table,
			 module_rows[id].name);
		for (size_t i = 0; i < count; i++, between = ", ")
			add_quoted(&sql, between, captures[i]);
		for (size_t i = 0; id == VTAB_EVENTS && fields && fields[i]; i++)
			add_quoted(&sql, ", field = ", fields[i]);
		buf_char(&sql, ')');
		rc = sql.failed ? SQLITE_NOMEM : sqlite3_exec(db, buf_cstr(&sql), NULL, NULL, NULL);
		if ((rc & 0xff) == SQLITE_NOMEM)
			rc = error_nomem(err);
		else if (rc != SQLITE_OK)
			rc = error_set(err, ERR_DB, "%s: %s", module_rows[id].table,
				       sqlite3_errmsg(db));
	}
	buf_done(&sql);
	return rc;
}
