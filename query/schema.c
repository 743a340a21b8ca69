/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables and views of the first version of a case (docs/case-schema.md says what each column
 * means; schema_2.c has what came then) and how older cases are brought up to date. A released
 * version's statements never change: a new version appends a migration. The comments inside the
 * statements are what sqlite3's .schema shows.
 */
#include "query/internal.h"

/* clang-format off */
#define ISO_TIME(ts) \
	"strftime('%Y-%m-%dT%H:%M:%S', " ts " / 1000000000, 'unixepoch')" \
	" || printf('.%09dZ', " ts " % 1000000000)"

static const char *const schema_1[] = {
	"CREATE TABLE meta (\n"
	"  name  TEXT NOT NULL PRIMARY KEY,\n"
	"  value TEXT\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE priorities (\n"
	"  priority INTEGER PRIMARY KEY, -- 0 is the most severe\n"
	"  name     TEXT NOT NULL UNIQUE\n"
	") STRICT",
	"INSERT INTO priorities VALUES (0, 'Emergency'), (1, 'Alert'), (2, 'Critical'), (3, 'Error'),"
	" (4, 'Warning'), (5, 'Notice'), (6, 'Informational'), (7, 'Debug')",

	"CREATE TABLE runs (\n"
	"  run_id      INTEGER PRIMARY KEY,\n"
	"  version     TEXT NOT NULL, -- of the program\n"
	"  command     TEXT NOT NULL,\n"
	"  matching    TEXT NOT NULL, -- first or all\n"
	"  started_ts  INTEGER NOT NULL,\n"
	"  finished_ts INTEGER,\n"
	"  state       TEXT NOT NULL DEFAULT 'running', -- running or finished\n"
	"  exit_status INTEGER\n"
	") STRICT",

	"CREATE TABLE captures (\n"
	"  capture_id     INTEGER PRIMARY KEY,\n"
	"  sha256         TEXT UNIQUE, -- of the file as stored; NULL: never read to its end\n"
	"  path           TEXT NOT NULL,\n"
	"  hostname       TEXT,\n"
	"  num_cpus       INTEGER,\n"
	"  boot_ts        INTEGER,\n"
	"  first_ts       INTEGER,\n"
	"  last_ts        INTEGER,\n"
	"  compression    TEXT, -- plain, gzip or zstd\n"
	"  format_major   INTEGER,\n"
	"  format_minor   INTEGER,\n"
	"  file_size      INTEGER,\n"
	"  stream_size    INTEGER, -- uncompressed\n"
	"  sections       INTEGER,\n"
	"  blocks         INTEGER,\n"
	"  unknown_blocks INTEGER,\n"
	"  events         INTEGER,\n"
	"  events_stored  INTEGER,\n"
	"  events_unknown INTEGER,\n"
	"  gaps           INTEGER,\n"
	"  interrupted    INTEGER NOT NULL DEFAULT 1 -- 1: not read to its end\n"
	") STRICT",

	"CREATE TABLE run_captures ( -- one reading of one capture\n"
	"  run_capture_id INTEGER PRIMARY KEY,\n"
	"  run_id         INTEGER NOT NULL REFERENCES runs,\n"
	"  capture_id     INTEGER NOT NULL REFERENCES captures,\n"
	"  seq            INTEGER NOT NULL, -- 1 is the first capture of the run\n"
	"  path           TEXT NOT NULL,\n"
	"  events         INTEGER,\n"
	"  gaps           INTEGER,\n"
	"  cut_values     INTEGER, -- texts too long for the case\n"
	"  interrupted    INTEGER NOT NULL DEFAULT 1,\n"
	"  UNIQUE (run_id, seq)\n"
	") STRICT",
	"CREATE INDEX run_captures_by_capture ON run_captures (capture_id)",

	"CREATE TABLE damage (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  seq            INTEGER NOT NULL,\n"
	"  stream_offset  INTEGER NOT NULL,\n"
	"  bytes          INTEGER, -- NULL: not known\n"
	"  reason         TEXT NOT NULL,\n"
	"  description    TEXT NOT NULL,\n"
	"  PRIMARY KEY (run_capture_id, seq)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE rule_files (\n"
	"  run_id INTEGER NOT NULL REFERENCES runs,\n"
	"  seq    INTEGER NOT NULL, -- 1 is the file loaded first\n"
	"  name   TEXT NOT NULL,\n"
	"  sha256 TEXT NOT NULL,\n"
	"  ok     INTEGER NOT NULL,\n"
	"  PRIMARY KEY (run_id, seq)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE rules ( -- each content once, whatever the number of runs\n"
	"  rule_id     INTEGER PRIMARY KEY,\n"
	"  digest      TEXT NOT NULL UNIQUE,\n"
	"  name        TEXT NOT NULL,\n"
	"  description TEXT,\n"
	"  source      TEXT NOT NULL,\n"
	"  priority    INTEGER NOT NULL REFERENCES priorities,\n"
	"  condition   TEXT, -- as written\n"
	"  compiled    TEXT, -- with lists, macros and exceptions filled in\n"
	"  output      TEXT,\n"
	"  tags        TEXT NOT NULL -- JSON array, sorted\n"
	") STRICT",
	"CREATE INDEX rules_by_name ON rules (name)",

	"CREATE TABLE run_rules (\n"
	"  run_id  INTEGER NOT NULL REFERENCES runs,\n"
	"  seq     INTEGER NOT NULL, -- 0 is the rule defined first\n"
	"  rule_id INTEGER NOT NULL REFERENCES rules,\n"
	"  enabled INTEGER NOT NULL,\n"
	"  file    TEXT,\n"
	"  line    INTEGER,\n"
	"  PRIMARY KEY (run_id, seq)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE INDEX run_rules_by_rule ON run_rules (rule_id)",

	"CREATE TABLE processes (\n"
	"  process_id     INTEGER PRIMARY KEY, -- run_capture_id * 4294967296 + number in the reading\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  parent_id      INTEGER, -- process_id of the parent\n"
	"  pid            INTEGER,\n"
	"  ppid           INTEGER,\n"
	"  vpid           INTEGER,\n"
	"  sid            INTEGER,\n"
	"  origin         TEXT NOT NULL, -- list, clone, exec or placeholder\n"
	"  start_ts       INTEGER, -- NULL: before the capture\n"
	"  start_evt      INTEGER,\n"
	"  end_ts         INTEGER,\n"
	"  end_evt        INTEGER,\n"
	"  end_kind       TEXT, -- exit or vanished; NULL: still there at the end\n"
	"  exit_status    INTEGER, -- as wait(2) reports it\n"
	"  exit_code      INTEGER,\n"
	"  exit_signal    INTEGER,\n"
	"  core_dumped    INTEGER,\n"
	"  uid            INTEGER NOT NULL,\n"
	"  loginuid       INTEGER NOT NULL, -- 4294967295: not set\n"
	"  tty            INTEGER NOT NULL,\n"
	"  comm           TEXT,\n"
	"  exe            TEXT,\n"
	"  exepath        TEXT,\n"
	"  cmdline        TEXT,\n"
	"  cwd            TEXT,\n"
	"  container_id   TEXT\n"
	") STRICT",
	"CREATE INDEX processes_by_parent ON processes (parent_id)",

	"CREATE TABLE execs (\n"
	"  process_id INTEGER NOT NULL REFERENCES processes,\n"
	"  seq        INTEGER NOT NULL, -- 1 is the first exec of the process\n"
	"  ts         INTEGER NOT NULL,\n"
	"  evt_num    INTEGER NOT NULL,\n"
	"  evt_offset INTEGER NOT NULL,\n"
	"  uid        INTEGER NOT NULL,\n"
	"  comm       TEXT,\n"
	"  exe        TEXT,\n"
	"  exepath    TEXT,\n"
	"  cmdline    TEXT,\n"
	"  cwd        TEXT,\n"
	"  args       TEXT, -- JSON array, without argv[0]\n"
	"  PRIMARY KEY (process_id, seq)\n"
	") STRICT",

	"CREATE TABLE alerts (\n"
	"  alert_id       INTEGER PRIMARY KEY,\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  seq            INTEGER NOT NULL, -- 1 is the first alert of the reading\n"
	"  rule_id        INTEGER NOT NULL REFERENCES rules,\n"
	"  ts             INTEGER NOT NULL,\n"
	"  evt_num        INTEGER NOT NULL,\n"
	"  evt_offset     INTEGER NOT NULL,\n"
	"  tid            INTEGER,\n"
	"  pid            INTEGER,\n"
	"  process_id     INTEGER REFERENCES processes, -- NULL: not known\n"
	"  priority       INTEGER NOT NULL REFERENCES priorities,\n"
	"  source         TEXT,\n"
	"  output         TEXT,\n"
	"  output_fields  TEXT, -- JSON object\n"
	"  UNIQUE (run_capture_id, seq)\n"
	") STRICT",
	"CREATE INDEX alerts_by_rule ON alerts (rule_id, ts)",
	"CREATE INDEX alerts_by_time ON alerts (ts)",
	"CREATE INDEX alerts_by_process ON alerts (process_id)",

	"CREATE VIEW v_run AS SELECT\n"
	"  r.run_id,\n"
	"  iif(r.state = 'running', 'unfinished', r.state) AS status,\n"
	"  r.exit_status,\n"
	"  " ISO_TIME("r.started_ts") " AS started,\n"
	"  " ISO_TIME("r.finished_ts") " AS finished,\n"
	"  r.version, r.command, r.matching,\n"
	"  (SELECT count(*) FROM run_captures c WHERE c.run_id = r.run_id) AS captures,\n"
	"  (SELECT count(*) FROM run_rules u WHERE u.run_id = r.run_id AND u.enabled) AS rules,\n"
	"  (SELECT count(*) FROM run_captures c JOIN alerts a USING (run_capture_id)\n"
	"   WHERE c.run_id = r.run_id) AS alerts\n"
	"FROM runs r",

	"CREATE VIEW v_capture AS SELECT\n"
	"  c.capture_id, c.path, c.hostname, c.sha256,\n"
	"  " ISO_TIME("c.first_ts") " AS first_time,\n"
	"  " ISO_TIME("c.last_ts") " AS last_time,\n"
	"  (c.last_ts - c.first_ts) / 1e9 AS seconds,\n"
	"  " ISO_TIME("c.boot_ts") " AS boot_time,\n"
	"  c.num_cpus, c.compression,\n"
	"  c.format_major || '.' || c.format_minor AS format,\n"
	"  c.file_size, c.stream_size, c.events, c.events_unknown, c.unknown_blocks, c.gaps,\n"
	"  c.interrupted,\n"
	"  (SELECT count(*) FROM run_captures r WHERE r.capture_id = c.capture_id) AS runs\n"
	"FROM captures c",

	"CREATE VIEW v_damage AS SELECT\n"
	"  c.capture_id, c.path, r.run_id, d.stream_offset, d.bytes, d.reason, d.description\n"
	"FROM damage d JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)\n"
	"WHERE r.run_capture_id = (SELECT max(n.run_capture_id) FROM run_captures n\n"
	"                          WHERE n.capture_id = r.capture_id)",

	"CREATE VIEW v_process AS SELECT\n"
	"  r.run_id, r.capture_id, p.run_capture_id, p.process_id, p.parent_id,\n"
	"  p.pid, p.ppid, p.vpid, p.sid, p.origin,\n"
	"  " ISO_TIME("p.start_ts") " AS started,\n"
	"  " ISO_TIME("p.end_ts") " AS ended,\n"
	"  (p.end_ts - p.start_ts) / 1e9 AS seconds,\n"
	"  CASE WHEN p.end_kind IS NULL THEN 'running'\n"
	"    WHEN p.end_kind = 'vanished' THEN 'vanished'\n"
	"    WHEN p.exit_signal IS NOT NULL THEN 'signal ' || p.exit_signal\n"
	"      || iif(p.core_dumped, ' (core dumped)', '')\n"
	"    WHEN p.exit_code IS NOT NULL THEN 'exit ' || p.exit_code\n"
	"    ELSE 'exit' END AS outcome,\n"
	"  iif(x.seq IS NULL, p.comm, x.comm) AS comm,\n"
	"  iif(x.seq IS NULL, p.exe, x.exe) AS exe,\n"
	"  iif(x.seq IS NULL, p.exepath, x.exepath) AS exepath,\n"
	"  iif(x.seq IS NULL, p.cmdline, x.cmdline) AS cmdline,\n"
	"  iif(x.seq IS NULL, p.cwd, x.cwd) AS cwd,\n"
	"  ifnull(x.seq, 0) AS execs,\n"
	"  iif(x.seq IS NULL, p.uid, x.uid) AS uid,\n"
	"  nullif(p.loginuid, 4294967295) AS loginuid, nullif(p.tty, 0) AS tty, p.container_id\n"
	"FROM processes p JOIN run_captures r USING (run_capture_id)\n"
	"LEFT JOIN execs x ON x.process_id = p.process_id\n"
	"  AND x.seq = (SELECT max(n.seq) FROM execs n WHERE n.process_id = p.process_id)",

	"CREATE VIEW v_exec AS SELECT\n"
	"  r.run_id, r.capture_id, p.run_capture_id, x.process_id, x.seq, p.pid, p.ppid,\n"
	"  " ISO_TIME("x.ts") " AS time,\n"
	"  x.ts, x.evt_num, x.evt_offset, x.uid, x.comm, x.exe, x.exepath, x.cmdline, x.cwd, x.args,\n"
	"  p.container_id\n"
	"FROM execs x JOIN processes p USING (process_id)\n"
	"JOIN run_captures r USING (run_capture_id)",

	"CREATE VIEW v_alert AS SELECT\n"
	"  a.alert_id, r.run_id, r.capture_id, a.run_capture_id, a.seq,\n"
	"  " ISO_TIME("a.ts") " AS time,\n"
	"  a.ts, y.name AS priority, u.name AS rule, a.source, u.tags,\n"
	"  a.output, a.output_fields, a.evt_num, a.evt_offset, a.tid, a.pid, a.process_id,\n"
	"  iif(x.seq IS NULL, p.comm, x.comm) AS comm,\n"
	"  iif(x.seq IS NULL, p.exepath, x.exepath) AS exepath,\n"
	"  iif(x.seq IS NULL, p.cmdline, x.cmdline) AS cmdline,\n"
	"  p.container_id, c.path AS capture, c.hostname, a.priority AS severity\n"
	"FROM alerts a JOIN rules u USING (rule_id) JOIN priorities y ON y.priority = a.priority\n"
	"JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)\n"
	"LEFT JOIN processes p USING (process_id)\n"
	"LEFT JOIN execs x ON x.process_id = a.process_id\n"
	"  AND x.seq = (SELECT max(n.seq) FROM execs n\n"
	"    WHERE n.process_id = a.process_id AND n.evt_num <= a.evt_num)",
	NULL,
};
/* clang-format on */

const struct qry_migration qry_migrations[QRY_SCHEMA_VERSION] = {
    {schema_1, NULL},
    {qry_schema_2, qry_schema_2_views},
    {qry_schema_3, NULL},
};

struct identity {
	int64_t application_id, version, objects;
};

static int identify(sqlite3 *db, const char *path, struct identity *id, struct error *err)
{
	int rc = qry_db_int(db, path, "PRAGMA application_id", &id->application_id, err);

	if (rc == 0)
		rc = qry_db_int(db, path, "PRAGMA user_version", &id->version, err);
	if (rc == 0)
		rc = qry_db_int(db, path, "SELECT count(*) FROM sqlite_schema", &id->objects, err);
	return rc;
}

/* Return: 1 for an empty database, 0 for a case of a known version, or ERR_DB. */
static int judge(const char *path, const struct identity *id, int version, struct error *err)
{
	if (id->application_id == 0 && id->version == 0 && id->objects == 0)
		return 1;
	if (id->application_id != QRY_APPLICATION_ID)
		return error_set(err, ERR_DB,
				 "'%s' is a SQLite database, but not a case (application_id is "
				 "%lld, expected %d): choose another file name",
				 path, (long long)id->application_id, QRY_APPLICATION_ID);
	if (id->version > version)
		return error_set(err, ERR_DB,
				 "case '%s' has schema version %lld, this program knows versions "
				 "up to %d: use a newer program, or another file name",
				 path, (long long)id->version, version);
	if (id->version < 1)
		return error_set(err, ERR_DB,
				 "case '%s' is damaged: its schema version is %lld, expected at "
				 "least 1",
				 path, (long long)id->version);
	return 0;
}

static int note_creation(sqlite3 *db, const char *path, const char *program_version,
			 struct error *err)
{
	char *sql = sqlite3_mprintf("PRAGMA application_id = %d;"
				    "INSERT INTO meta VALUES ('created_by', %Q),"
				    " ('created', strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ'))",
				    QRY_APPLICATION_ID, program_version);
	int rc = sql ? qry_db_exec(db, path, sql, err) : error_nomem(err);

	sqlite3_free(sql);
	return rc;
}

static int run_all(sqlite3 *db, const char *path, const char *const *sql, struct error *err)
{
	int rc = 0;

	for (; sql && *sql && rc == 0; sql++)
		rc = qry_db_exec(db, path, *sql, err);
	return rc;
}

static int climb(sqlite3 *db, const char *path, const struct qry_migration *steps, int64_t from,
		 int to, struct error *err)
{
	char pragma[64];
	int rc;

	for (int64_t at = from; at < to; at++) {
		rc = run_all(db, path, steps[at].sql, err);
		if (rc == 0)
			rc = run_all(db, path, steps[at].views, err);
		if (rc < 0)
			return rc;
	}
	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version = %d", to);
	return qry_db_exec(db, path, pragma, err);
}

int qry_schema_upgrade(sqlite3 *db, const char *path, const char *program_version,
		       const struct qry_migration *steps, int version, struct error *err)
{
	struct identity id;
	int rc, empty;

	/* Looked at before anything is written, so that a foreign file stays as it is ... */
	rc = identify(db, path, &id, err);
	if (rc == 0)
		rc = judge(path, &id, version, err);
	if (rc < 0 || (rc == 0 && id.version == version))
		return rc;
	rc = qry_db_exec(db, path, "BEGIN IMMEDIATE", err);
	if (rc < 0)
		return rc;
	/* ... and again with the lock: another program may have been at the same. */
	rc = identify(db, path, &id, err);
	if (rc == 0)
		rc = judge(path, &id, version, err);
	empty = rc;
	if (rc >= 0)
		rc = climb(db, path, steps, empty ? 0 : id.version, version, err);
	if (rc == 0 && empty)
		rc = note_creation(db, path, program_version, err);
	if (rc == 0)
		rc = qry_db_exec(db, path, "COMMIT", err);
	if (rc < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
