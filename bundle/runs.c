/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of a case, with what is needed to repeat them. */
#include <sqlite3.h>
#include <string.h>

#include "bundle/internal.h"

struct reading_runs {
	struct bag_runs *out;
	const char *path;
	sqlite3 *db;
};

static const char *copy_text(struct bag_runs *r, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return arena_strdup(&r->arena, text ? text : "");
}

/* Name and hash, from @column on. */
static int take_file(struct bag_runs *r, sqlite3_stmt *stmt, int column, struct bag_case_file *out)
{
	const char *hash = (const char *)sqlite3_column_text(stmt, column + 1);

	out->hashed = hash && bag_parse_hex(sv_of(hash), out->sha256);
	out->path = copy_text(r, stmt, column);
	return out->path ? 0 : ERR_NOMEM;
}

static int take_run(struct bag_runs *r, sqlite3_stmt *stmt, void *to)
{
	struct bag_run *run = to;

	*run = (struct bag_run){.id = sqlite3_column_int64(stmt, 0),
				.version = copy_text(r, stmt, 1),
				.command = copy_text(r, stmt, 2),
				.finished = sqlite3_column_int(stmt, 3)};
	return run->version && run->command ? 0 : ERR_NOMEM;
}

static int take_rule(struct bag_runs *r, sqlite3_stmt *stmt, void *to)
{
	return take_file(r, stmt, 0, to);
}

static int take_reading(struct bag_runs *r, sqlite3_stmt *stmt, void *to)
{
	struct bag_reading *reading = to;

	reading->id = sqlite3_column_int64(stmt, 2);
	reading->events = (uint64_t)sqlite3_column_int64(stmt, 3);
	reading->complete = sqlite3_column_int(stmt, 4);
	return take_file(r, stmt, 0, &reading->capture);
}

/* All rows of @sql, about the run @id, as an array of the arena. */
static int read_rows(struct reading_runs *r, const char *sql, int64_t id, size_t each,
		     int (*take)(struct bag_runs *r, sqlite3_stmt *stmt, void *to), void **list,
		     size_t *count, struct error *err)
{
	struct arena *arena = &r->out->arena;
	sqlite3_stmt *stmt = NULL;
	size_t cap = 8;
	int rc = sqlite3_prepare_v2(r->db, sql, -1, &stmt, NULL);
	char *rows = arena_zalloc(arena, cap, each);

	*count = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, id);
	while (rows && rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (*count == BAG_RUNS_MAX) {
			sqlite3_finalize(stmt);
			return error_set(
			    err, ERR_LIMIT,
			    "case '%s' has more than %u runs, or files of a run (BAG_RUNS_MAX)",
			    r->path, BAG_RUNS_MAX);
		}
		if (*count == cap) {
			char *more = arena_zalloc(arena, 2 * cap, each);

			if (more)
				memcpy(more, rows, cap * each);
			rows = more;
			cap *= 2;
		}
		if (!rows || take(r->out, stmt, rows + (*count)++ * each) < 0)
			rows = NULL;
		rc = SQLITE_OK;
	}
	if (rows && rc != SQLITE_DONE)
		rc = bag_case_failed(r->db, r->path, "reading its runs", err);
	else
		rc = rows ? 0 : error_nomem(err);
	sqlite3_finalize(stmt);
	*list = rows;
	return rc;
}

static int read_run(struct reading_runs *r, struct bag_run *run, struct error *err)
{
	void *list;
	int rc = read_rows(r, "SELECT name, sha256 FROM rule_files WHERE run_id = ?1 ORDER BY seq",
			   run->id, sizeof(*run->rules), take_rule, &list, &run->nrules, err);

	if (rc < 0)
		return rc;
	run->rules = list;
	rc = read_rows(r,
		       "SELECT r.path, c.sha256, r.run_capture_id, r.events, r.interrupted = 0 "
		       "FROM run_captures r JOIN captures c USING (capture_id) "
		       "WHERE r.run_id = ?1 ORDER BY r.seq",
		       run->id, sizeof(*run->readings), take_reading, &list, &run->nreadings, err);
	if (rc == 0)
		run->readings = list;
	return rc;
}

int bag_runs_read(const char *path, const struct bag_checking *opt, struct bag_runs *out,
		  struct error *err)
{
	struct reading_runs r = {.out = out, .path = path};
	void *list;
	int rc;

	*out = (struct bag_runs){0};
	rc = bag_case_open(path, opt, &r.db, err);
	if (rc == 0)
		rc = read_rows(&r,
			       "SELECT run_id, version, command, state = 'finished' FROM runs "
			       "WHERE ?1 = 0 ORDER BY run_id",
			       0, sizeof(*out->list), take_run, &list, &out->count, err);
	if (rc == 0)
		out->list = list;
	for (size_t i = 0; rc == 0 && i < out->count; i++)
		rc = read_run(&r, &out->list[i], err);
	sqlite3_close(r.db);
	return rc;
}

void bag_runs_done(struct bag_runs *r)
{
	arena_done(&r->arena);
}
