/* SPDX-License-Identifier: Apache-2.0 */
/* The case: reading it, and adding what people say. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "query/ask.h"
#include "query/find.h"
#include "tui/data_internal.h"

#define AUTHOR_NOBODY "unknown" /* without $USER */
#define FILTER_PREFIX "filter " /* names of saved filters in the table meta begin so */

struct sqlite3 *tui_data_case(struct tui_data *d)
{
	return d->db;
}

const char *tui_data_case_path(const struct tui_data *d)
{
	return d->nameless || (d->opt.live && d->opt.live->nameless) ? NULL : d->case_path;
}

struct qry_browse *tui_data_alerts(struct tui_data *d)
{
	return d->browse;
}

static int64_t version_of(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	int64_t version = 0;

	if (sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

int tui_case_open(struct tui_data *d, struct error *err)
{
	static const struct qry_ask_options opt = {0};
	int version = 0;
	int rc = qry_ask_open(d->case_path, &opt, &d->db, err);

	if (rc == 0)
		rc = qry_ask_version(d->db, d->case_path, &version, err);
	if (rc == 0 && version != QRY_SCHEMA_VERSION)
		rc = error_set(err, ERR_DB,
			       version ? "case '%s' is of another version" : "'%s' is not a case",
			       d->case_path);
	if (rc == 0)
		rc = qry_browse_open(d->case_path, &d->browse, err);
	if (rc == 0)
		d->version = version_of(d->db);
	return rc;
}

void tui_case_close(struct tui_data *d)
{
	qry_browse_close(d->browse);
	sqlite3_close(d->db);
	d->browse = NULL;
	d->db = NULL;
}

bool tui_case_changed(struct tui_data *d)
{
	int64_t version = version_of(d->db);
	bool changed = version != d->version;

	d->version = version;
	d->changes += changed;
	return changed;
}

/* --- captures */

static char *text_of(sqlite3_stmt *stmt, int i)
{
	const unsigned char *text = sqlite3_column_text(stmt, i);

	return text ? strdup((const char *)text) : NULL;
}

/* A path as the case has it: from here, beside the case, or the bare name beside the case. */
static char *candidate(const struct tui_data *d, const char *path, unsigned i)
{
	const char *slash = strrchr(d->case_path, '/');
	const char *name = strrchr(path, '/');
	int dir = slash ? (int)(slash - d->case_path + 1) : 0;
	char *out = NULL;

	if (i == 0)
		return strdup(path);
	if (i == 1 && path[0] == '/')
		return NULL;
	if (asprintf(&out, "%.*s%s", dir, d->case_path, i == 1 || !name ? path : name + 1) < 0)
		return NULL;
	return out;
}

/* Is it the file the case means, as far as a look at both ends tells? */
static bool is_the_file(const struct tui_file *f, const char *path)
{
	char id[QRY_QUICK_ID_SIZE];
	struct sv quick;
	struct stat sb;

	if (stat(path, &sb) != 0 || !S_ISREG(sb.st_mode) || access(path, R_OK) != 0)
		return false;
	quick = qry_quick_id(path, id);
	return quick.n && (!f->quick_id || sv_is(quick, f->quick_id));
}

static void look_for_file(struct tui_data *d, size_t i)
{
	struct tui_file *f = &d->files[i];

	for (unsigned k = 0; k < 3; k++) {
		char *path = candidate(d, f->path, k);

		if (path && is_the_file(f, path)) {
			free(f->path);
			f->path = path;
			d->captures[i].path = path;
			d->captures[i].there = true;
			return;
		}
		free(path);
	}
}

static int take_capture(struct tui_data *d, sqlite3_stmt *stmt, struct error *err)
{
	struct tui_file *f = &d->files[d->count];
	struct tui_capture *c = &d->captures[d->count++];

	c->capture_id = sqlite3_column_int64(stmt, 0);
	f->path = text_of(stmt, 1);
	f->sha256 = text_of(stmt, 2);
	f->quick_id = text_of(stmt, 3);
	c->first_ts = (uint64_t)sqlite3_column_int64(stmt, 4);
	c->last_ts = (uint64_t)sqlite3_column_int64(stmt, 5);
	c->events = (uint64_t)sqlite3_column_int64(stmt, 6);
	c->path = f->path;
	if (!f->path)
		return error_nomem(err);
	look_for_file(d, d->count - 1);
	return 0;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

int tui_case_captures(struct tui_data *d, struct error *err)
{
	static const char sql[] = "SELECT capture_id, path, sha256, quick_id, first_ts, last_ts,"
				  " events FROM captures ORDER BY capture_id LIMIT ?";
	int64_t n = number(d->db, "SELECT count(*) FROM captures");
	sqlite3_stmt *stmt = NULL;
	int rc, got;

	rc = tui_data_room(d, (size_t)n, err);
	if (rc < 0)
		return rc;
	got = sqlite3_prepare_v2(d->db, sql, -1, &stmt, NULL);
	if (got == SQLITE_OK)
		got = sqlite3_bind_int64(stmt, 1, n);
	while (rc == 0 && (got == SQLITE_OK || got == SQLITE_ROW)) {
		got = sqlite3_step(stmt);
		if (got == SQLITE_ROW)
			rc = take_capture(d, stmt, err);
	}
	sqlite3_finalize(stmt);
	if (rc == 0 && got != SQLITE_DONE)
		rc = qry_ask_error(d->db, d->case_path, got, "reading captures", err);
	return rc;
}

static void learn_id(struct tui_data *d, size_t i, sqlite3_stmt *stmt)
{
	struct tui_file *f = &d->files[i];

	sqlite3_reset(stmt);
	if (!f->quick_id ||
	    sqlite3_bind_text(stmt, 1, f->quick_id, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		return;
	d->captures[i].capture_id = sqlite3_column_int64(stmt, 0);
	if (!f->sha256)
		f->sha256 = text_of(stmt, 1);
}

void tui_case_learn_ids(struct tui_data *d)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(d->db, "SELECT capture_id, sha256 FROM captures WHERE quick_id = ?",
			       -1, &stmt, NULL) != SQLITE_OK)
		return;
	for (size_t i = 0; i < d->count; i++)
		if (!d->captures[i].capture_id || !d->files[i].sha256)
			learn_id(d, i, stmt);
	sqlite3_finalize(stmt);
}

/* --- what people say */

struct say {		 /* a row to be added; parameters of the statement by name */
	struct sv text;	 /* :text */
	struct sv word;	 /* :word */
	uint64_t offset; /* :offset, 0: NULL */
	uint64_t ts;	 /* :ts, 0: NULL */
	int64_t alert;	 /* :alert */
	const char *sha256;
};

static void bind_text(sqlite3_stmt *stmt, const char *name, struct sv text)
{
	int i = sqlite3_bind_parameter_index(stmt, name);

	if (i && text.p)
		(void)sqlite3_bind_text(stmt, i, text.p, (int)text.n, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *stmt, const char *name, uint64_t n)
{
	int i = sqlite3_bind_parameter_index(stmt, name);

	if (i && n)
		(void)sqlite3_bind_int64(stmt, i, (int64_t)n);
}

/* What cannot be bound stays NULL, which tables refuse where it matters. */
static void bind_all(sqlite3_stmt *stmt, const struct say *s)
{
	const char *user = getenv("USER");

	bind_text(stmt, ":author", sv_of(user && *user ? user : AUTHOR_NOBODY));
	bind_text(stmt, ":text", s->text);
	bind_text(stmt, ":word", s->word);
	bind_text(stmt, ":sha256", sv_of(s->sha256));
	bind_number(stmt, ":offset", s->offset);
	bind_number(stmt, ":ts", s->ts);
	bind_number(stmt, ":alert", (uint64_t)s->alert);
}

/* By a connection of its own: the other one only reads. */
static int add_row(struct tui_data *d, const char *sql, const struct say *s, struct error *err)
{
	static const struct qry_ask_options opt = {.write = true, .version = ""};
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int rc = qry_ask_open(d->case_path, &opt, &db, err), got;

	if (rc < 0)
		return rc;
	got = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (got == SQLITE_OK) {
		bind_all(stmt, s);
		got = sqlite3_step(stmt);
	}
	if (got != SQLITE_DONE)
		rc = qry_ask_error(db, d->case_path, got, "adding to it", err);
	else if (sqlite3_changes(db) != 1)
		rc = error_set(err, ERR_USAGE, "case '%s' has no such alert", d->case_path);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return rc;
}

static const char *sha256_of(const struct tui_data *d)
{
	return d->count ? d->files[d->current].sha256 : NULL;
}

int tui_data_add_note(struct tui_data *d, uint64_t offset, uint64_t ts, struct sv text,
		      struct error *err)
{
	const struct say s = {.text = text, .offset = offset, .sha256 = sha256_of(d)};

	(void)ts; /* the place says it */
	return add_row(d,
		       "INSERT INTO notes (author, capture_sha256, evt_offset, text)"
		       " VALUES (:author, :sha256, :offset, :text)",
		       &s, err);
}

int tui_data_add_bookmark(struct tui_data *d, uint64_t offset, uint64_t ts, struct sv label,
			  struct error *err)
{
	const struct say s = {.text = label, .offset = offset, .ts = ts, .sha256 = sha256_of(d)};

	/* A capture nobody has read to its end yet has no hash to be known by. */
	return add_row(d,
		       "INSERT INTO bookmarks (author, capture_sha256, evt_offset, ts, label)"
		       " VALUES (:author, ifnull(:sha256, ''), :offset, :ts, :text)",
		       &s, err);
}

int tui_data_add_verdict(struct tui_data *d, int64_t alert_id, bool whole_group, struct sv state,
			 struct sv reason, struct error *err)
{
	static const char *const states[] = {"true positive", "false positive", "benign",
					     "undecided"};
	static const char group[] =
	    "INSERT INTO verdicts (author, fingerprint, verdict, reason)"
	    " SELECT :author, printf('%016x', fingerprint), :word, ifnull(:text, '')"
	    " FROM alerts WHERE alert_id = :alert AND fingerprint IS NOT NULL";
	static const char one[] =
	    "INSERT INTO verdicts (author, capture_sha256, evt_offset, rule, verdict, reason)"
	    " SELECT :author, c.sha256, a.evt_offset, r.name, :word, ifnull(:text, '')"
	    " FROM alerts a JOIN rules r USING (rule_id) JOIN run_captures u USING"
	    " (run_capture_id) JOIN captures c USING (capture_id)"
	    " WHERE a.alert_id = :alert AND c.sha256 IS NOT NULL";
	const struct say s = {.word = state, .text = reason, .alert = alert_id};

	for (size_t i = 0; i < COUNT_OF(states); i++)
		if (sv_is(state, states[i]))
			return add_row(d, whole_group ? group : one, &s, err);
	return error_set(err, ERR_USAGE,
			 "'%.*s' is no verdict: say true positive, false positive, "
			 "benign or undecided",
			 (int)(state.n < 40 ? state.n : 40), state.p);
}

int tui_data_save_filter(struct tui_data *d, struct sv name, struct sv text, struct error *err)
{
	const struct say s = {.word = name, .text = text};

	if (!name.n)
		return error_set(err, ERR_USAGE, "a saved filter needs a name");
	return add_row(d,
		       "INSERT OR REPLACE INTO meta (name, value)"
		       " VALUES ('" FILTER_PREFIX "' || :word, :text)",
		       &s, err);
}
