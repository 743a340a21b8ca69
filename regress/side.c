/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/side.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/human.h"
#include "query/ask.h"
#include "regress/files.h"
#include "replay/rule_paths.h"
#include "scapfile/stream.h"

#define RULE_FILE_MAX (16u << 20) /* bytes of one whose text is looked at */

struct opening {
	struct reg_side *s;
	const char *path;
	sqlite3 *db;
	struct error *err;
};

/* --- rows --- */

static int db_error(const struct opening *o, int rc, const char *doing)
{
	return qry_ask_error(o->db, o->path, rc, doing, o->err);
}

static struct sv column_text(struct opening *o, sqlite3_stmt *q, int i)
{
	const char *p = (const char *)sqlite3_column_text(q, i);

	return p ? arena_sv(&o->s->arena, sv_make(p, (size_t)sqlite3_column_bytes(q, i)))
		 : SV_LIT("");
}

/* @row for each row of @sql, whose only parameter is the run. */
static int each_row(struct opening *o, const char *sql, const char *doing,
		    int (*row)(struct opening *o, sqlite3_stmt *q))
{
	sqlite3_stmt *q = NULL;
	int step, rc = 0;

	if (sqlite3_prepare_v2(o->db, sql, -1, &q, NULL) != SQLITE_OK)
		return db_error(o, sqlite3_errcode(o->db), doing);
	sqlite3_bind_int64(q, 1, o->s->run_id);
	while (rc == 0 && (step = sqlite3_step(q)) == SQLITE_ROW)
		rc = row(o, q);
	if (rc == 0 && step != SQLITE_DONE)
		rc = db_error(o, step, doing);
	sqlite3_finalize(q);
	return rc;
}

static int take_run(struct opening *o, sqlite3_stmt *q)
{
	struct reg_side *s = o->s;

	s->is_case = true;
	s->run_id = sqlite3_column_int64(q, 0);
	s->version = column_text(o, q, 1);
	s->matching = column_text(o, q, 2);
	s->command = column_text(o, q, 3);
	s->finished = sqlite3_column_int(q, 4) != 0;
	return s->version.p && s->matching.p && s->command.p ? 0 : error_nomem(o->err);
}

static int take_trace(struct opening *o, sqlite3_stmt *q)
{
	struct reg_side *s = o->s;
	struct reg_trace *t = &s->traces[s->trace_count];

	if (s->trace_count >= REG_SIDE_TRACES_MAX)
		return error_set(o->err, ERR_LIMIT, "'%s': too many captures", o->path);
	if (!(s->trace_count & (s->trace_count + 1))) { /* the room is 2^k - 1 */
		t = realloc(s->traces, (2 * s->trace_count + 1) * sizeof(*t));
		if (!t)
			return error_nomem(o->err);
		s->traces = t;
		t += s->trace_count;
	}
	*t = (struct reg_trace){
	    .sha256 = column_text(o, q, 0),
	    .path = column_text(o, q, 1),
	    .gaps = sqlite3_column_int64(q, 2),
	    .interrupted = sqlite3_column_int(q, 3) != 0,
	};
	s->trace_count++;
	return t->sha256.p && t->path.p ? 0 : error_nomem(o->err);
}

static int take_rule(struct opening *o, sqlite3_stmt *q)
{
	struct reg_side *s = o->s;
	struct reg_side_rule *r = &s->rules[s->rule_count];

	if (s->rule_count >= REG_SIDE_RULES_MAX)
		return error_set(o->err, ERR_LIMIT, "'%s': too many rules", o->path);
	if (!(s->rule_count & (s->rule_count + 1))) {
		r = realloc(s->rules, (2 * s->rule_count + 1) * sizeof(*r));
		if (!r)
			return error_nomem(o->err);
		s->rules = r;
		r += s->rule_count;
	}
	*r = (struct reg_side_rule){
	    .name = column_text(o, q, 0),
	    .condition = column_text(o, q, 1),
	    .compiled = column_text(o, q, 2),
	    .output = column_text(o, q, 3),
	    .tags = column_text(o, q, 4),
	    .file = column_text(o, q, 5),
	    .priority = column_text(o, q, 6),
	    .line = sqlite3_column_int64(q, 7),
	    .seq = sqlite3_column_int64(q, 8),
	    .enabled = sqlite3_column_int(q, 9) != 0,
	};
	s->rule_count++;
	return r->name.p && r->condition.p && r->compiled.p && r->output.p && r->tags.p &&
		       r->file.p && r->priority.p
		   ? 0
		   : error_nomem(o->err);
}

static int take_alert(struct opening *o, sqlite3_stmt *q)
{
	struct reg_side *s = o->s;
	int64_t trace = sqlite3_column_int64(q, 0) - 1;
	struct reg_alert a = {
	    .evt = (uint64_t)sqlite3_column_int64(q, 1),
	    .offset = (uint64_t)sqlite3_column_int64(q, 2),
	    .ts = (uint64_t)sqlite3_column_int64(q, 3),
	    .rule = sv_make(sqlite3_column_text(q, 4), (size_t)sqlite3_column_bytes(q, 4)),
	};
	struct sv fields = sv_make(sqlite3_column_text(q, 6), (size_t)sqlite3_column_bytes(q, 6));
	struct error inner = {0};
	int rc;

	if (trace < 0 || (uint64_t)trace >= s->trace_count ||
	    !rule_priority_parse(
		sv_make(sqlite3_column_text(q, 5), (size_t)sqlite3_column_bytes(q, 5)),
		&a.priority))
		return error_set(o->err, ERR_FORMAT, "'%s': an alert makes no sense", o->path);
	a.trace = (uint32_t)trace;
	s->traces[trace].alerts++;
	if (!a.rule.p)
		a.rule = SV_LIT("");
	rc = reg_alerts_add(&s->alerts, &a, fields.n ? fields : SV_LIT("{}"), &inner);
	if (rc == ERR_FORMAT || rc == ERR_LIMIT)
		return error_set(o->err, rc, "'%s': an alert at event %llu: %s", o->path,
				 (unsigned long long)a.evt, inner.msg);
	return rc < 0 ? error_nomem(o->err) : 0;
}

/* --- texts of rule files --- */

static void hex_digest(char out[65], struct sv text)
{
	uint8_t digest[32] = {0};

	if (sf_hash_once(text.p, text.n, digest))
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(out + 2 * i, 3, "%02x", digest[i]);
	else
		out[0] = '\0';
}

/* Is it the file with that hash? Then its definitions are added, under the name @name. */
static int try_file(struct opening *o, const char *path, struct sv sha256, const char *name,
		    bool *found)
{
	struct buf text = {0};
	char have[65] = "";
	int rc = reg_file_read(path, RULE_FILE_MAX, &text, NULL);

	if (rc == 0)
		hex_digest(have, buf_view(&text));
	*found = rc == 0 && sv_is(sha256, have);
	rc = rc == ERR_NOMEM ? error_nomem(o->err) : 0;
	if (*found && reg_definitions_add(&o->s->texts, name, buf_view(&text)) < 0)
		rc = error_nomem(o->err);
	buf_done(&text);
	return rc;
}

/* As the case has it: what was read then, unless it was too long or no text. */
static int try_text(struct opening *o, struct sv text, struct sv sha256, const char *name,
		    bool *found)
{
	char have[65] = "";

	if (text.p)
		hex_digest(have, text);
	*found = text.p && sv_is(sha256, have);
	return *found && reg_definitions_add(&o->s->texts, name, text) < 0 ? error_nomem(o->err)
									   : 0;
}

struct looking {
	struct opening o;
	const struct reg_paths *where;
};

static int take_file(struct opening *o, sqlite3_stmt *q)
{
	const struct reg_paths *where = ((struct looking *)o)->where;
	struct sv name = column_text(o, q, 0), sha256 = column_text(o, q, 1);
	bool found = false;
	int rc;

	if (!name.p || !sha256.p)
		return error_nomem(o->err);
	o->s->files++;
	rc = try_text(o, sv_make(sqlite3_column_text(q, 2), (size_t)sqlite3_column_bytes(q, 2)),
		      sha256, name.p, &found);
	if (rc == 0 && !found)
		rc = try_file(o, name.p, sha256, name.p, &found);
	for (size_t i = 0; i < where->count && !found && rc == 0; i++) {
		struct run_paths files = {0};

		if (run_rule_paths(where->items[i], &files, NULL) < 0)
			continue;
		for (size_t k = 0; k < files.count && !found && rc == 0; k++)
			rc = try_file(o, files.items[k], sha256, name.p, &found);
		run_paths_done(&files);
	}
	o->s->files_found += found;
	return rc;
}

/* --- a case --- */

static int check_version(struct opening *o)
{
	int version, rc = qry_ask_version(o->db, o->path, &version, o->err);

	if (rc < 0 || version == QRY_SCHEMA_VERSION)
		return rc;
	return error_set(o->err, ERR_DB, "'%s' has schema version %d, comparing needs %d%s",
			 o->path, version, QRY_SCHEMA_VERSION,
			 version && version < QRY_SCHEMA_VERSION
			     ? ": 'scapula query --write CASE \"SELECT 1\"' upgrades it"
			     : "");
}

static int read_run(struct opening *o)
{
	int rc = each_row(o,
			  "SELECT run_id, version, matching, command, state = 'finished' FROM runs "
			  "WHERE ?1 = 0 OR run_id = ?1 ORDER BY run_id DESC LIMIT 1",
			  "finding the run", take_run);

	if (rc == 0 && !o->s->is_case)
		return error_set(o->err, ERR_USAGE, "'%s' has no %s", o->path,
				 o->s->run_id ? "such run" : "run");
	return rc;
}

static int index_rules(struct opening *o)
{
	struct reg_side *s = o->s;

	for (size_t i = 0; i < s->rule_count; i++)
		if (smap_put(&s->by_name, s->rules[i].name, &s->rules[i]) < 0)
			return error_nomem(o->err);
	return 0;
}

static int read_case(struct opening *o)
{
	int rc = sqlite3_exec(o->db, "BEGIN", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return db_error(o, rc, "beginning");
	rc = read_run(o);
	if (rc == 0)
		rc = each_row(o,
			      "SELECT c.sha256, c.path, r.gaps, r.interrupted OR r.state <> 'done' "
			      "FROM run_captures r JOIN captures c USING (capture_id) "
			      "WHERE r.run_id = ?1 ORDER BY r.run_capture_id",
			      "reading captures", take_trace);
	if (rc == 0)
		rc = each_row(o,
			      "SELECT u.name, u.condition, u.compiled, u.output, u.tags, x.file, "
			      "p.name, x.line, x.seq, x.enabled FROM run_rules x "
			      "JOIN rules u USING (rule_id) JOIN priorities p "
			      "ON p.priority = u.priority WHERE x.run_id = ?1 ORDER BY x.seq",
			      "reading rules", take_rule);
	if (rc == 0)
		rc = index_rules(o);
	if (rc == 0)
		rc = each_row(o,
			      "SELECT (SELECT count(*) FROM run_captures s WHERE s.run_id = ?1 "
			      "AND s.run_capture_id <= r.run_capture_id), a.evt_num, a.evt_offset, "
			      "a.ts, u.name, p.name, a.output_fields FROM run_captures r "
			      "JOIN alerts a USING (run_capture_id) JOIN rules u USING (rule_id) "
			      "JOIN priorities p ON p.priority = a.priority WHERE r.run_id = ?1 "
			      "ORDER BY r.run_capture_id, a.seq",
			      "reading alerts", take_alert);
	if (rc == 0)
		rc = each_row(o,
			      "SELECT f.name, f.sha256, t.text FROM rule_files f LEFT JOIN "
			      "rule_texts t USING (sha256) WHERE f.run_id = ?1 ORDER BY f.seq",
			      "reading rule files", take_file);
	return rc;
}

/* --- either --- */

static bool is_database(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char begin[sizeof(magic)] = {0};
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(begin, 1, sizeof(begin), f) : 0;

	if (f)
		fclose(f);
	return n == sizeof(begin) && memcmp(begin, magic, sizeof(magic)) == 0;
}

/* "CASE#RUN", unless there is a file of that name. */
static int split_name(struct reg_side *s, const char *name, char **path, struct error *err)
{
	const char *hash = strrchr(name, '#');
	struct stat sb;
	uint64_t run;

	*path = strdup(name);
	if (!*path)
		return error_nomem(err);
	if (!hash || stat(name, &sb) == 0)
		return 0;
	if (!human_u64(hash + 1, &run) || !run || run > INT64_MAX)
		return error_set(err, ERR_USAGE, "'%s': expected the number of a run after '#'",
				 name);
	(*path)[hash - name] = '\0';
	s->run_id = (int64_t)run;
	return 0;
}

static int read_side(struct looking *l)
{
	struct opening *o = &l->o;
	int rc;

	if (!is_database(o->path)) {
		if (o->s->run_id)
			return error_set(o->err, ERR_USAGE, "'%s' is no case and has no runs",
					 o->path);
		return reg_alerts_read(&o->s->alerts, o->path, o->err);
	}
	rc = qry_ask_connect(o->path, &o->db, o->err);
	if (rc == 0)
		rc = check_version(o);
	if (rc == 0)
		rc = read_case(o);
	sqlite3_close(o->db);
	return rc;
}

int reg_side_open(struct reg_side *out, const char *name, const struct reg_paths *where,
		  struct error *err)
{
	struct looking l = {.o = {.s = out, .err = err}, .where = where};
	char *path = NULL;
	int rc;

	*out = (struct reg_side){.name = name};
	rc = split_name(out, name, &path, err);
	l.o.path = path;
	if (rc == 0)
		rc = read_side(&l);
	if (rc == 0 && out->alerts.dropped)
		rc =
		    error_set(err, ERR_LIMIT, "'%s' has more than %u alerts", name, REG_ALERTS_MAX);
	free(path);
	if (rc < 0)
		reg_side_done(out);
	return rc;
}

void reg_side_done(struct reg_side *s)
{
	reg_definitions_done(&s->texts);
	reg_alerts_done(&s->alerts);
	smap_done(&s->by_name);
	free(s->traces);
	free(s->rules);
	arena_done(&s->arena);
	*s = (struct reg_side){0};
}

const struct reg_side_rule *reg_side_rule(const struct reg_side *s, struct sv name)
{
	return smap_get(&s->by_name, name);
}
