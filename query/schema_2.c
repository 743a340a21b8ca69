/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 2 of a case: what processes did besides being started (files, connections, names looked
 * up, sessions), alerts that are the same whoever finds them again, counts of alerts, and what
 * people say of all that. Rows of version 1 stay; schema.c has those statements. Its views are in
 * schema_views.c.
 */
#include "query/internal.h"

/* clang-format off */
#define APPEND_ONLY(table) \
	"CREATE TRIGGER " table "_are_kept BEFORE DELETE ON " table "\n" \
	"BEGIN SELECT raise(ABORT, '" table " are append-only: add another row instead'); END", \
	"CREATE TRIGGER " table "_stay BEFORE UPDATE ON " table "\n" \
	"BEGIN SELECT raise(ABORT, '" table " are append-only: add another row instead'); END"

#define NOW "(strftime('%Y-%m-%dT%H:%M:%fZ'))"

const char *const qry_schema_2[] = {
	"DROP VIEW v_run",
	"DROP VIEW v_capture",
	"DROP VIEW v_damage",
	"DROP VIEW v_process",
	"DROP VIEW v_exec",
	"DROP VIEW v_alert",

	/* --- captures and runs */
	"ALTER TABLE runs ADD COLUMN owner TEXT /* boot, pid and start of the program that writes it */",
	"ALTER TABLE captures ADD COLUMN quick_id TEXT /* size and SHA-256 of both ends */",
	"ALTER TABLE captures ADD COLUMN reading_id INTEGER /* whose facts the views show */",
	"ALTER TABLE captures ADD COLUMN lost_events INTEGER",
	"ALTER TABLE captures ADD COLUMN seal TEXT /* none, intact, prefix, altered or broken */",
	"ALTER TABLE captures ADD COLUMN seal_origin TEXT /* recording, writing or later */",
	"ALTER TABLE captures ADD COLUMN seal_sha256 TEXT /* of the capture, as the seal has it */",
	"ALTER TABLE captures ADD COLUMN seal_made_ts INTEGER",
	"CREATE INDEX captures_by_quick_id ON captures (quick_id)",
	"ALTER TABLE run_captures ADD COLUMN state TEXT NOT NULL DEFAULT 'reading' /* or done */",
	"UPDATE run_captures SET state = 'done' WHERE events IS NOT NULL",
	"UPDATE captures SET reading_id = (SELECT r.run_capture_id FROM run_captures r\n"
	"  WHERE r.capture_id = captures.capture_id\n"
	"  ORDER BY r.state = 'done' DESC, r.interrupted, r.run_capture_id DESC LIMIT 1)",

	"CREATE TABLE losses ( -- what is not in the case although it happened\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  what           TEXT NOT NULL,\n"
	"  count          INTEGER NOT NULL,\n"
	"  description    TEXT NOT NULL,\n"
	"  PRIMARY KEY (run_capture_id, what)\n"
	") STRICT, WITHOUT ROWID",

	/* --- alerts */
	"ALTER TABLE alerts ADD COLUMN fingerprint INTEGER NOT NULL DEFAULT 0",
	"ALTER TABLE alerts ADD COLUMN repeats INTEGER /* alert_id of the same one, found earlier */",
	"UPDATE alerts SET fingerprint = scapula_fingerprint(\n"
	"  (SELECT r.name FROM rules r WHERE r.rule_id = alerts.rule_id), output_fields)",
	"CREATE UNIQUE INDEX alerts_by_identity\n"
	"  ON alerts (run_capture_id, evt_offset, rule_id, evt_num)",
	"CREATE INDEX alerts_by_fingerprint ON alerts (fingerprint, ts)",
	"DROP INDEX alerts_by_process",
	"CREATE INDEX alerts_by_process ON alerts (process_id, ts)",
	"UPDATE alerts SET repeats = (SELECT min(o.alert_id)\n"
	"  FROM run_captures m JOIN run_captures r ON r.capture_id = m.capture_id\n"
	"  JOIN alerts o ON o.run_capture_id = r.run_capture_id\n"
	"    AND o.evt_offset = alerts.evt_offset AND o.rule_id = alerts.rule_id\n"
	"    AND o.evt_num = alerts.evt_num AND o.alert_id < alerts.alert_id\n"
	"  WHERE m.run_capture_id = alerts.run_capture_id AND r.run_capture_id < m.run_capture_id)",
	"CREATE TABLE alert_counts ( -- kept by whoever adds alerts\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  rule_id        INTEGER NOT NULL REFERENCES rules,\n"
	"  alerts         INTEGER NOT NULL,\n"
	"  repeated       INTEGER NOT NULL DEFAULT 0, -- of these: found earlier already\n"
	"  first_ts       INTEGER NOT NULL,\n"
	"  last_ts        INTEGER NOT NULL,\n"
	"  PRIMARY KEY (run_capture_id, rule_id)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE alert_groups (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  rule_id        INTEGER NOT NULL REFERENCES rules,\n"
	"  fingerprint    INTEGER NOT NULL,\n"
	"  alerts         INTEGER NOT NULL,\n"
	"  repeated       INTEGER NOT NULL DEFAULT 0,\n"
	"  first_ts       INTEGER NOT NULL,\n"
	"  last_ts        INTEGER NOT NULL,\n"
	"  first_seq      INTEGER NOT NULL, -- of the first alert\n"
	"  PRIMARY KEY (run_capture_id, rule_id, fingerprint)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE INDEX alert_groups_by_fingerprint ON alert_groups (fingerprint)",
	"INSERT INTO alert_counts SELECT run_capture_id, rule_id, count(*),\n"
	"  count(repeats), min(ts), max(ts) FROM alerts GROUP BY run_capture_id, rule_id",
	"INSERT INTO alert_groups SELECT run_capture_id, rule_id, fingerprint, count(*),\n"
	"  count(repeats), min(ts), max(ts), min(seq) FROM alerts\n"
	"  GROUP BY run_capture_id, rule_id, fingerprint",

	/* --- processes */
	"ALTER TABLE processes ADD COLUMN clone_ts INTEGER /* when it was started, as its list says */",
	"ALTER TABLE processes ADD COLUMN gid INTEGER",
	"ALTER TABLE processes ADD COLUMN last_ppid INTEGER /* of whom it became the child; or NULL */",
	"ALTER TABLE processes ADD COLUMN last_parent_id INTEGER",
	"ALTER TABLE processes ADD COLUMN exe_sha256 TEXT /* of its last executable */",
	"CREATE INDEX processes_by_pid ON processes (run_capture_id, pid, start_evt)",
	"ALTER TABLE execs ADD COLUMN exe_writable INTEGER",
	"ALTER TABLE execs ADD COLUMN exe_upper_layer INTEGER",
	"ALTER TABLE execs ADD COLUMN exe_from_memfd INTEGER",

	/* --- files */
	"CREATE TABLE files ( -- one row per process and path\n"
	"  process_id     INTEGER NOT NULL REFERENCES processes,\n"
	"  path           TEXT NOT NULL,\n"
	"  opens          INTEGER NOT NULL,\n"
	"  refused        INTEGER NOT NULL, -- opens that failed with EACCES or EPERM\n"
	"  creates        INTEGER NOT NULL,\n"
	"  reads          INTEGER NOT NULL,\n"
	"  writes         INTEGER NOT NULL,\n"
	"  bytes_read     INTEGER NOT NULL,\n"
	"  bytes_written  INTEGER NOT NULL,\n"
	"  renames        INTEGER NOT NULL, -- from this path or to it\n"
	"  deletes        INTEGER NOT NULL,\n"
	"  execs          INTEGER NOT NULL,\n"
	"  first_ts       INTEGER NOT NULL,\n"
	"  last_ts        INTEGER NOT NULL,\n"
	"  first_evt      INTEGER NOT NULL,\n"
	"  first_read_ts  INTEGER,\n"
	"  first_write_ts INTEGER, -- created, written, or put there by a rename\n"
	"  last_write_ts  INTEGER,\n"
	"  PRIMARY KEY (process_id, path)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE file_changes ( -- one row per call that changed a name or an attribute\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  evt_num        INTEGER NOT NULL,\n"
	"  process_id     INTEGER REFERENCES processes,\n"
	"  ts             INTEGER NOT NULL,\n"
	"  evt_offset     INTEGER NOT NULL,\n"
	"  op             TEXT NOT NULL, -- rename, delete, mkdir, rmdir, link, symlink, chmod, chown\n"
	"  path           TEXT,\n"
	"  target         TEXT, -- the new name, or what a link leads to\n"
	"  detail         TEXT, -- mode, or uid:gid\n"
	"  PRIMARY KEY (run_capture_id, evt_num)\n"
	") STRICT, WITHOUT ROWID",

	/* --- network */
	"CREATE TABLE connections (\n"
	"  connection_id   INTEGER PRIMARY KEY,\n"
	"  run_capture_id  INTEGER NOT NULL REFERENCES run_captures,\n"
	"  process_id      INTEGER REFERENCES processes, -- who made it\n"
	"  user_process_id INTEGER REFERENCES processes, -- who used it last\n"
	"  family          TEXT NOT NULL, -- ipv4, ipv6 or unix\n"
	"  proto           TEXT NOT NULL,\n"
	"  state           TEXT NOT NULL,\n"
	"  direction       TEXT, -- out or in\n"
	"  waits           INTEGER NOT NULL, -- 1: a listener, or a socket datagrams may come to\n"
	"  from_start      INTEGER NOT NULL,\n"
	"  local_ip        TEXT,\n"
	"  local_port      INTEGER,\n"
	"  remote_ip       TEXT,\n"
	"  remote_port     INTEGER,\n"
	"  path            TEXT, -- of a UNIX socket\n"
	"  bytes_in        INTEGER NOT NULL,\n"
	"  bytes_out       INTEGER NOT NULL,\n"
	"  first_ts        INTEGER,\n"
	"  last_ts         INTEGER,\n"
	"  end_ts          INTEGER,\n"
	"  first_evt       INTEGER,\n"
	"  first_offset    INTEGER,\n"
	"  attempts        INTEGER NOT NULL,\n"
	"  error           INTEGER, -- errno of the last failure\n"
	"  pid             INTEGER,\n"
	"  comm            TEXT,\n"
	"  exepath         TEXT,\n"
	"  uid             INTEGER,\n"
	"  loginuid        INTEGER,\n"
	"  container_id    TEXT\n"
	") STRICT",
	"CREATE INDEX connections_by_process ON connections (process_id)",
	"CREATE INDEX connections_by_remote ON connections (remote_ip, remote_port)",
	"CREATE TABLE dns_names ( -- one row per process, name, type and server\n"
	"  process_id INTEGER NOT NULL REFERENCES processes,\n"
	"  name       TEXT NOT NULL,\n"
	"  type       TEXT NOT NULL, -- A, AAAA, TXT ... or TYPE65\n"
	"  server     TEXT NOT NULL, -- '' not known\n"
	"  queries    INTEGER NOT NULL,\n"
	"  answers    INTEGER NOT NULL,\n"
	"  failures   INTEGER NOT NULL, -- answers with an error code\n"
	"  first_ts   INTEGER NOT NULL,\n"
	"  last_ts    INTEGER NOT NULL,\n"
	"  PRIMARY KEY (process_id, name, type, server)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE dns_addresses ( -- what names were answered with\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  address        TEXT NOT NULL,\n"
	"  name           TEXT NOT NULL,\n"
	"  first_ts       INTEGER NOT NULL,\n"
	"  last_ts        INTEGER NOT NULL,\n"
	"  PRIMARY KEY (run_capture_id, address, name)\n"
	") STRICT, WITHOUT ROWID",

	/* --- people */
	"CREATE TABLE users (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  container_id   TEXT NOT NULL, -- '': the host's\n"
	"  uid            INTEGER NOT NULL,\n"
	"  name           TEXT,\n"
	"  gid            INTEGER,\n"
	"  home           TEXT,\n"
	"  shell          TEXT,\n"
	"  PRIMARY KEY (run_capture_id, container_id, uid)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE sessions (\n"
	"  session_id     INTEGER PRIMARY KEY,\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  parent_id      INTEGER, -- session_id of the session that started it\n"
	"  process_id     INTEGER REFERENCES processes, -- its leader\n"
	"  leader_pid     INTEGER,\n"
	"  sid            INTEGER,\n"
	"  tty            INTEGER, -- device number; NULL: none\n"
	"  uid            INTEGER,\n"
	"  loginuid       INTEGER, -- NULL: not set\n"
	"  shell          TEXT,\n"
	"  from_start     INTEGER NOT NULL,\n"
	"  start_ts       INTEGER,\n"
	"  start_evt      INTEGER,\n"
	"  end_ts         INTEGER,\n"
	"  container_id   TEXT,\n"
	"  origin         TEXT, -- remote, socket, container-entry or container-start\n"
	"  remote         TEXT, -- address and port it came from\n"
	"  via            TEXT, -- name of the process between\n"
	"  via_pid        INTEGER,\n"
	"  commands       INTEGER NOT NULL\n"
	") STRICT",
	"CREATE TABLE session_commands ( -- what was typed\n"
	"  session_id INTEGER NOT NULL REFERENCES sessions,\n"
	"  seq        INTEGER NOT NULL,\n"
	"  process_id INTEGER REFERENCES processes,\n"
	"  ts         INTEGER,\n"
	"  evt_num    INTEGER,\n"
	"  evt_offset INTEGER,\n"
	"  end_ts     INTEGER,\n"
	"  status     INTEGER, -- as wait(2) reports it\n"
	"  pid        INTEGER,\n"
	"  uid        INTEGER, -- of the shell\n"
	"  euid       INTEGER, -- of the process\n"
	"  cwd        TEXT,\n"
	"  comm       TEXT,\n"
	"  exepath    TEXT,\n"
	"  cmdline    TEXT,\n"
	"  background INTEGER NOT NULL,\n"
	"  PRIMARY KEY (session_id, seq)\n"
	") STRICT, WITHOUT ROWID",

	/* --- the system */
	"CREATE TABLE containers (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  container_id   TEXT NOT NULL,\n"
	"  type           TEXT,\n"
	"  name           TEXT,\n"
	"  image          TEXT,\n"
	"  image_digest   TEXT,\n"
	"  full_id        TEXT,\n"
	"  ip             TEXT,\n"
	"  privileged     INTEGER,\n"
	"  host_pid       INTEGER,\n"
	"  host_network   INTEGER,\n"
	"  created_ts     INTEGER,\n"
	"  PRIMARY KEY (run_capture_id, container_id)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE container_mounts (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  container_id   TEXT NOT NULL,\n"
	"  seq            INTEGER NOT NULL,\n"
	"  source         TEXT,\n"
	"  target         TEXT,\n"
	"  mode           TEXT,\n"
	"  writable       INTEGER,\n"
	"  PRIMARY KEY (run_capture_id, container_id, seq)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE mounts (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  evt_num        INTEGER NOT NULL,\n"
	"  process_id     INTEGER REFERENCES processes,\n"
	"  ts             INTEGER NOT NULL,\n"
	"  evt_offset     INTEGER NOT NULL,\n"
	"  op             TEXT NOT NULL, -- mount or umount\n"
	"  source         TEXT,\n"
	"  target         TEXT,\n"
	"  fstype         TEXT,\n"
	"  error          INTEGER, -- errno; NULL: it succeeded\n"
	"  PRIMARY KEY (run_capture_id, evt_num)\n"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE modules (\n"
	"  run_capture_id INTEGER NOT NULL REFERENCES run_captures,\n"
	"  evt_num        INTEGER NOT NULL,\n"
	"  process_id     INTEGER REFERENCES processes,\n"
	"  ts             INTEGER NOT NULL,\n"
	"  evt_offset     INTEGER NOT NULL,\n"
	"  op             TEXT NOT NULL, -- load or unload\n"
	"  name           TEXT, -- path of the file, or name of the module\n"
	"  params         TEXT,\n"
	"  error          INTEGER,\n"
	"  PRIMARY KEY (run_capture_id, evt_num)\n"
	") STRICT, WITHOUT ROWID",

	/* --- what people say of it */
	"CREATE TABLE notes (\n"
	"  note_id        INTEGER PRIMARY KEY,\n"
	"  written        TEXT NOT NULL DEFAULT " NOW ",\n"
	"  author         TEXT NOT NULL CHECK (author <> ''),\n"
	"  capture_sha256 TEXT, -- what it is about: a capture, an event, an alert; NULL: the case\n"
	"  evt_offset     INTEGER,\n"
	"  rule           TEXT,\n"
	"  process_uid    TEXT,\n"
	"  text           TEXT NOT NULL,\n"
	"  replaces       INTEGER REFERENCES notes\n"
	") STRICT",
	APPEND_ONLY("notes"),
	"CREATE TABLE bookmarks (\n"
	"  bookmark_id    INTEGER PRIMARY KEY,\n"
	"  written        TEXT NOT NULL DEFAULT " NOW ",\n"
	"  author         TEXT NOT NULL CHECK (author <> ''),\n"
	"  capture_sha256 TEXT NOT NULL,\n"
	"  evt_offset     INTEGER,\n"
	"  ts             INTEGER,\n"
	"  label          TEXT NOT NULL,\n"
	"  removes        INTEGER REFERENCES bookmarks -- it is no bookmark any more\n"
	") STRICT",
	APPEND_ONLY("bookmarks"),
	"CREATE TABLE verdicts (\n"
	"  verdict_id     INTEGER PRIMARY KEY,\n"
	"  written        TEXT NOT NULL DEFAULT " NOW ",\n"
	"  author         TEXT NOT NULL CHECK (author <> ''),\n"
	"  fingerprint    TEXT, -- of all alerts that look like this ...\n"
	"  capture_sha256 TEXT, -- ... or of one\n"
	"  evt_offset     INTEGER,\n"
	"  rule           TEXT,\n"
	"  verdict        TEXT NOT NULL CHECK (verdict IN\n"
	"    ('true positive', 'false positive', 'benign', 'undecided')),\n"
	"  reason         TEXT NOT NULL,\n"
	"  CHECK ((fingerprint IS NULL) <> (capture_sha256 IS NULL)),\n"
	"  CHECK ((capture_sha256 IS NULL) = (evt_offset IS NULL))\n"
	") STRICT",
	"CREATE INDEX verdicts_by_fingerprint ON verdicts (fingerprint)",
	"CREATE INDEX verdicts_by_alert ON verdicts (capture_sha256, evt_offset)",
	APPEND_ONLY("verdicts"),
	NULL,
};
/* clang-format on */
