/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_facts.h"

#include <stdlib.h>
#include <string.h>

#define LOGINUID_NONE 4294967295ll

/* clang-format off */
/* What an alert is about, where its output has it: the most telling field first. */
#define FIELD(name) "nullif(a.output_fields ->> '$.\"" name "\"', '')"
#define WHAT "coalesce(" FIELD("fd.name") ", " FIELD("fs.path.name") ", " FIELD("fs.path.target") ", " FIELD("evt.arg.path") \
	", " FIELD("evt.arg.name") ", " FIELD("proc.cmdline") ", a.cmdline, " FIELD("proc.exepath") ", a.exepath, a.output)"
#define UID "ifnull((SELECT x.uid FROM execs x WHERE x.process_id = a.process_id AND x.evt_num <= a.evt_num" \
	" ORDER BY x.seq DESC LIMIT 1), p.uid)"

static const char alert_sql[] =
	"SELECT a.alert_id, a.rule_id, a.capture_id, a.fingerprint_key, a.process_id, a.pid, a.ts, a.evt_num, a.evt_offset, a.severity,"
	" a.verdict IS NOT NULL OR EXISTS (SELECT 1 FROM notes n WHERE n.capture_sha256 = a.capture_sha256"
	"  AND n.evt_offset = a.evt_offset),"
	" a.rule, a.output, a.output_fields, a.comm, a.exepath, a.cmdline, a.container_id, a.hostname, a.verdict, a.tags,"
	" a.rule_digest, a.capture, " WHAT ", " FIELD("user.name") ", " UID ", p.loginuid, p.run_capture_id, ifnull(p.container_id, '')"
	" FROM v_alert a LEFT JOIN processes p ON p.process_id = a.process_id WHERE a.alert_id = ?1";
static const char user_sql[] =
	"SELECT name FROM users WHERE run_capture_id = ?1 AND uid = ?2 AND container_id IN (?3, '')"
	" AND name IS NOT NULL ORDER BY container_id DESC";
static const char chain_sql[] =
	"WITH RECURSIVE line (depth, id, parent) AS ("
	" SELECT 0, process_id, parent_id FROM processes WHERE process_id = ?1"
	" UNION ALL SELECT depth + 1, p.process_id, p.parent_id FROM line JOIN processes p ON p.process_id = line.parent"
	"  WHERE depth + 1 < ?3)"
	" SELECT p.process_id, p.pid, ifnull((SELECT x.comm FROM execs x WHERE x.process_id = p.process_id AND x.evt_num <= ?2"
	"  ORDER BY x.seq DESC LIMIT 1), p.comm) FROM line JOIN processes p ON p.process_id = line.id ORDER BY depth DESC";
static const char fields_sql[] = "SELECT key, CAST(value AS TEXT) FROM json_each(?1) LIMIT ?2";
/* clang-format on */

struct tui_alert_reader {
	struct tui_data *d;
	sqlite3_stmt *alert, *user;
};

int tui_alert_reader_new(struct tui_data *d, struct tui_alert_reader **out, struct error *err)
{
	struct tui_alert_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_nomem(err);
	r->d = d;
	rc = tui_sql_prepare(d, alert_sql, &r->alert, err);
	if (rc == 0)
		rc = tui_sql_prepare(d, user_sql, &r->user, err);
	if (rc < 0) {
		tui_alert_reader_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void tui_alert_reader_free(struct tui_alert_reader *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->alert);
	sqlite3_finalize(r->user);
	free(r);
}

/* The name of user @uid where the process of the alert is, else the number. */
static int user_name(struct tui_alert_reader *r, int64_t uid, struct arena *arena, struct sv *out,
		     struct error *err)
{
	const int64_t keys[] = {tui_sql_int(r->alert, 27, 0), uid};
	bool failed = false;
	char number[24];
	int rc;

	if (uid < 0 || uid == LOGINUID_NONE)
		return 0;
	rc = tui_sql_begin(r->d, r->user, keys, COUNT_OF(keys), err);
	if (rc == 0) {
		struct sv container = tui_sql_view(r->alert, 28);

		(void)sqlite3_bind_text(r->user, 3, container.p, (int)container.n,
					SQLITE_TRANSIENT);
		rc = tui_sql_step(r->d, r->user, err);
	}
	if (rc > 0)
		*out = tui_sql_text(r->user, 0, arena, &failed);
	(void)sqlite3_reset(r->user);
	if (rc < 0 || failed)
		return rc < 0 ? rc : error_nomem(err);
	if (!out->n) {
		sqlite3_snprintf(sizeof(number), number, "%lld", uid);
		*out = arena_sv(arena, uid ? sv_of(number) : SV_LIT("root"));
	}
	return out->p ? 0 : error_nomem(err);
}

static bool take_row(sqlite3_stmt *s, struct arena *arena, struct tui_alert_facts *f)
{
	struct sv *const texts[] = {&f->rule,	 &f->output,  &f->fields,    &f->comm,
				    &f->exepath, &f->cmdline, &f->container, &f->hostname,
				    &f->verdict, &f->tags,    &f->digest,    &f->capture,
				    &f->what,	 &f->user};
	bool failed = false;

	*f = (struct tui_alert_facts){
	    .alert_id = tui_sql_int(s, 0, 0),
	    .rule_id = tui_sql_int(s, 1, 0),
	    .capture_id = tui_sql_int(s, 2, 0),
	    .fingerprint = tui_sql_int(s, 3, 0),
	    .process_id = tui_sql_int(s, 4, 0),
	    .pid = tui_sql_int(s, 5, -1),
	    .ts = (uint64_t)tui_sql_int(s, 6, 0),
	    .num = (uint64_t)tui_sql_int(s, 7, 0),
	    .offset = (uint64_t)tui_sql_int(s, 8, 0),
	    .severity = (int)tui_sql_int(s, 9, -1),
	    .noted = tui_sql_int(s, 10, 0) != 0,
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = tui_sql_text(s, 11 + (int)i, arena, &failed);
	return !failed;
}

int tui_alert_read(struct tui_alert_reader *r, int64_t alert_id, struct arena *arena,
		   struct tui_alert_facts *out, struct error *err)
{
	int rc = tui_sql_begin(r->d, r->alert, &alert_id, 1, err);

	if (rc == 0)
		rc = tui_sql_step(r->d, r->alert, err);
	if (rc == 0)
		rc = error_set(err, ERR_USAGE, "the case has no alert %lld", (long long)alert_id);
	else if (rc > 0)
		rc = take_row(r->alert, arena, out) ? 0 : error_nomem(err);
	if (rc == 0)
		rc = user_name(r, tui_sql_int(r->alert, 25, -1), arena, &out->user, err);
	if (rc == 0)
		rc = user_name(r, tui_sql_int(r->alert, 26, -1), arena, &out->login, err);
	(void)sqlite3_reset(r->alert);
	return rc;
}

void tui_alert_who(const struct tui_alert_facts *f, struct buf *out)
{
	buf_sv(out, f->user);
	if (f->login.n && !sv_eq(f->login, f->user)) {
		buf_lit(out, " (");
		buf_sv(out, f->login);
		buf_char(out, ')');
	}
}

/* Names of tags have no quotes. */
void tui_tags_text(struct sv tags, struct buf *out)
{
	for (size_t i = 0; i < tags.n; i++) {
		if (tags.p[i] == ',')
			buf_char(out, ' ');
		else if (!memchr("[]\"", tags.p[i], 3))
			buf_char(out, tags.p[i]);
	}
}

int tui_alert_chain(struct tui_data *d, const struct tui_alert_facts *f, struct arena *arena,
		    struct tui_ancestor out[TUI_CHAIN_MAX], size_t *count, struct error *err)
{
	const int64_t keys[] = {f->process_id, (int64_t)f->num, TUI_CHAIN_MAX};
	sqlite3_stmt *stmt = NULL;
	bool failed = false;
	int rc;

	*count = 0;
	if (!f->process_id)
		return 0;
	rc = tui_sql_prepare(d, chain_sql, &stmt, err);
	if (rc == 0)
		rc = tui_sql_begin(d, stmt, keys, COUNT_OF(keys), err);
	while (rc == 0 && *count < TUI_CHAIN_MAX && (rc = tui_sql_step(d, stmt, err)) > 0) {
		out[(*count)++] = (struct tui_ancestor){
		    .process_id = tui_sql_int(stmt, 0, 0),
		    .pid = tui_sql_int(stmt, 1, -1),
		    .comm = tui_sql_text(stmt, 2, arena, &failed),
		};
		rc = failed ? error_nomem(err) : 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

void tui_chain_text(const struct tui_ancestor *chain, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		buf_str(out, i ? ">" : "");
		buf_sv(out, chain[i].comm.n ? chain[i].comm : SV_LIT("?"));
		if (chain[i].pid >= 0)
			buf_addf(out, "(%lld)", (long long)chain[i].pid);
	}
	if (count)
		buf_char(out, '*');
}

int tui_alert_fields(struct tui_data *d, struct sv fields, struct arena *arena,
		     struct tui_alert_field *out, size_t most, size_t *count, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool failed = false;
	int rc;

	*count = 0;
	if (!fields.n)
		return 0;
	rc = tui_sql_prepare(d, fields_sql, &stmt, err);
	if (rc == 0) {
		(void)sqlite3_bind_text(stmt, 1, fields.p, (int)fields.n, SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 2, (int64_t)most);
	}
	while (rc == 0 && *count < most && (rc = tui_sql_step(d, stmt, err)) > 0) {
		out[(*count)++] =
		    (struct tui_alert_field){.name = tui_sql_text(stmt, 0, arena, &failed),
					     .value = tui_sql_text(stmt, 1, arena, &failed)};
		rc = failed ? error_nomem(err) : 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}
