/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The views of version 2 of a case. Facts are those of the reading a capture's row names, so that a
 * capture that was read twice does not show twice.
 */
#include "query/internal.h"

/* clang-format off */
/* The name of a user as the container of row @t has it, else the host's. */
#define USER_NAME(t, uid) \
	"ifnull((SELECT u.name FROM users u WHERE u.run_capture_id = s.run_capture_id\n" \
	"  AND u.container_id = ifnull(s.container_id, '') AND u.uid = " t "." uid "),\n" \
	"  iif(" t "." uid " = 0, 'root', " t "." uid "))"
#define ISO_TIME(ts) \
	"strftime('%Y-%m-%dT%H:%M:%S', " ts " / 1000000000, 'unixepoch')" \
	" || printf('.%09dZ', " ts " % 1000000000)"
/* Readings whose facts are shown; joined to a table with run_capture_id or process_id. */
#define CURRENT(on) "JOIN captures c ON c.reading_id = " on "\n"
/* A column of the last image of process p; x is its last exec. */
#define IMAGE(column) "iif(x.seq IS NULL, p." column ", x." column ")"
#define LAST_EXEC "LEFT JOIN execs x ON x.process_id = p.process_id\n" \
	"  AND x.seq = (SELECT max(n.seq) FROM execs n WHERE n.process_id = p.process_id)\n"
#define EXEC_AT(process_id, evt) "LEFT JOIN execs x ON x.process_id = " process_id "\n" \
	"  AND x.seq = (SELECT max(n.seq) FROM execs n\n" \
	"    WHERE n.process_id = " process_id " AND n.evt_num <= " evt ")\n"
#define PROCESS_UID \
	"ifnull('boot-' || c.boot_ts, ifnull('sha256-' || c.sha256, 'capture-' || c.capture_id))" \
	" || '/' || p.pid || '/' || ifnull(p.start_ts, ifnull(p.clone_ts, 0))"
/* The process of an alert in the reading whose facts are shown: its number is the same in all. */
#define SHOWN_PROCESS "c.reading_id * 4294967296 + a.process_id % 4294967296"
#define HEX(fingerprint) QRY_FINGERPRINT_SQL(fingerprint)

const char *const qry_schema_2_views[] = {
	"CREATE VIEW v_run AS SELECT\n"
	"  r.run_id,\n"
	"  iif(r.state = 'running', 'unfinished', r.state) AS status,\n"
	"  r.exit_status,\n"
	"  " ISO_TIME("r.started_ts") " AS started,\n"
	"  " ISO_TIME("r.finished_ts") " AS finished,\n"
	"  r.version, r.command, r.matching,\n"
	"  (SELECT count(*) FROM run_captures c WHERE c.run_id = r.run_id) AS captures,\n"
	"  (SELECT count(*) FROM run_rules u WHERE u.run_id = r.run_id AND u.enabled) AS rules,\n"
	"  (SELECT ifnull(sum(a.alerts), 0) FROM run_captures c JOIN alert_counts a\n"
	"   USING (run_capture_id) WHERE c.run_id = r.run_id) AS alerts\n"
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
	"  c.lost_events, c.seal, c.seal_origin,\n"
	"  iif(c.seal_sha256 IS NULL, NULL, c.seal_sha256 IS c.sha256) AS seal_matches,\n"
	"  c.interrupted,\n"
	"  (SELECT count(*) FROM run_captures r WHERE r.capture_id = c.capture_id) AS runs\n"
	"FROM captures c",

	"CREATE VIEW v_damage AS SELECT\n"
	"  c.capture_id, c.path, r.run_id, d.stream_offset, d.bytes, d.reason, d.description\n"
	"FROM damage d JOIN run_captures r USING (run_capture_id)\n"
	CURRENT("r.run_capture_id"),

	"CREATE VIEW v_loss AS SELECT c.capture_id, c.path, c.hostname, l.what, l.count,\n"
	"  l.description\n"
	"FROM losses l " CURRENT("l.run_capture_id"),

	"CREATE VIEW v_process AS SELECT\n"
	"  r.run_id, c.capture_id, p.run_capture_id, c.hostname, p.process_id,\n"
	"  " PROCESS_UID " AS process_uid,\n"
	"  p.parent_id, ifnull(p.last_parent_id, p.parent_id) AS last_parent_id,\n"
	"  p.pid, p.ppid, ifnull(p.last_ppid, p.ppid) AS last_ppid, p.vpid, p.sid, p.origin,\n"
	"  " ISO_TIME("p.start_ts") " AS started,\n"
	"  " ISO_TIME("p.end_ts") " AS ended,\n"
	"  p.start_ts, p.end_ts, (p.end_ts - p.start_ts) / 1e9 AS seconds,\n"
	"  CASE WHEN p.end_kind IS NULL THEN 'running'\n"
	"    WHEN p.end_kind = 'vanished' THEN 'vanished'\n"
	"    WHEN p.exit_signal IS NOT NULL THEN 'signal ' || p.exit_signal\n"
	"      || iif(p.core_dumped, ' (core dumped)', '')\n"
	"    WHEN p.exit_code IS NOT NULL THEN 'exit ' || p.exit_code\n"
	"    ELSE 'exit' END AS outcome,\n"
	"  " IMAGE("comm") " AS comm,\n"
	"  " IMAGE("exe") " AS exe,\n"
	"  " IMAGE("exepath") " AS exepath,\n"
	"  " IMAGE("cmdline") " AS cmdline,\n"
	"  " IMAGE("cwd") " AS cwd,\n"
	"  ifnull(x.seq, 0) AS execs,\n"
	"  " IMAGE("uid") " AS uid,\n"
	"  nullif(p.loginuid, 4294967295) AS loginuid, nullif(p.tty, 0) AS tty, p.exe_sha256,\n"
	"  p.container_id\n"
	"FROM processes p JOIN run_captures r USING (run_capture_id)\n"
	CURRENT("p.run_capture_id") LAST_EXEC,

	"CREATE VIEW v_exec AS SELECT\n"
	"  r.run_id, c.capture_id, p.run_capture_id, c.hostname, x.process_id, x.seq, p.pid,\n"
	"  p.ppid,\n"
	"  " ISO_TIME("x.ts") " AS time,\n"
	"  x.ts, x.evt_num, x.evt_offset, x.uid, x.comm, x.exe, x.exepath, x.cmdline, x.cwd, x.args,\n"
	"  x.exe_writable, x.exe_upper_layer, x.exe_from_memfd, p.container_id\n"
	"FROM execs x JOIN processes p USING (process_id)\n"
	"JOIN run_captures r USING (run_capture_id) " CURRENT("p.run_capture_id"),

	"CREATE VIEW v_finding AS SELECT\n"
	"  a.alert_id, r.run_id, r.capture_id, a.run_capture_id, a.seq,\n"
	"  " ISO_TIME("a.ts") " AS time,\n"
	"  a.ts, y.name AS priority, u.name AS rule, a.source, u.tags,\n"
	"  a.output, a.output_fields, a.evt_num, a.evt_offset, a.tid, a.pid, a.process_id,\n"
	"  " IMAGE("comm") " AS comm,\n"
	"  " IMAGE("exepath") " AS exepath,\n"
	"  " IMAGE("cmdline") " AS cmdline,\n"
	"  p.container_id, c.path AS capture, c.hostname, a.priority AS severity,\n"
	"  " HEX("a.fingerprint") " AS fingerprint, c.sha256 AS capture_sha256,\n"
	"  u.digest AS rule_digest, a.repeats\n"
	"FROM alerts a JOIN rules u USING (rule_id) JOIN priorities y ON y.priority = a.priority\n"
	"JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)\n"
	"LEFT JOIN processes p USING (process_id)\n"
	EXEC_AT("a.process_id", "a.evt_num"),

	"CREATE VIEW v_verdict AS SELECT\n"
	"  verdict_id, written, author, fingerprint, capture_sha256, evt_offset, rule, verdict,\n"
	"  reason\n"
	"FROM verdicts v WHERE NOT EXISTS (SELECT 1 FROM verdicts n\n"
	"  WHERE n.verdict_id > v.verdict_id AND n.fingerprint IS v.fingerprint\n"
	"  AND n.capture_sha256 IS v.capture_sha256 AND n.evt_offset IS v.evt_offset\n"
	"  AND n.rule IS v.rule)",

	"CREATE VIEW v_alert AS SELECT\n"
	"  a.alert_id, r.run_id, r.capture_id, a.run_capture_id, a.seq,\n"
	"  " ISO_TIME("a.ts") " AS time,\n"
	"  a.ts, y.name AS priority, u.name AS rule, a.source, u.tags,\n"
	"  a.output, a.output_fields, a.evt_num, a.evt_offset, a.tid, a.pid, p.process_id,\n"
	"  " IMAGE("comm") " AS comm,\n"
	"  " IMAGE("exepath") " AS exepath,\n"
	"  " IMAGE("cmdline") " AS cmdline,\n"
	"  p.container_id, c.path AS capture, c.hostname, a.priority AS severity,\n"
	"  " HEX("a.fingerprint") " AS fingerprint, c.sha256 AS capture_sha256,\n"
	"  u.digest AS rule_digest, a.rule_id, a.fingerprint AS fingerprint_key,\n"
	"  " QRY_VERDICT_SQL("c.sha256", "u.name") " AS verdict\n"
	"FROM alerts a JOIN rules u USING (rule_id) JOIN priorities y ON y.priority = a.priority\n"
	"JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)\n"
	"LEFT JOIN processes p ON p.process_id = " SHOWN_PROCESS " AND p.pid IS a.pid\n"
	EXEC_AT("p.process_id", "a.evt_num")
	"WHERE a.repeats IS NULL\n"
	"  AND (r.state = 'done' OR c.reading_id = r.run_capture_id)",

	"CREATE VIEW v_rule_count AS SELECT\n"
	"  u.name AS rule, y.name AS priority, u.priority AS severity,\n"
	"  sum(n.alerts - n.repeated) AS alerts,\n"
	"  " ISO_TIME("min(n.first_ts)") " AS first_time,\n"
	"  " ISO_TIME("max(n.last_ts)") " AS last_time\n"
	"FROM alert_counts n JOIN rules u USING (rule_id) JOIN priorities y USING (priority)\n"
	"JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)\n"
	"WHERE r.state = 'done' OR c.reading_id = r.run_capture_id\n"
	"GROUP BY u.name, u.priority HAVING sum(n.alerts - n.repeated) > 0",

	"CREATE VIEW v_severity_count AS SELECT\n"
	"  y.priority AS severity, y.name AS priority,\n"
	"  (SELECT ifnull(sum(n.alerts - n.repeated), 0) FROM alert_counts n\n"
	"   JOIN rules u USING (rule_id) JOIN run_captures r USING (run_capture_id)\n"
	"   JOIN captures c USING (capture_id) WHERE u.priority = y.priority\n"
	"   AND (r.state = 'done' OR c.reading_id = r.run_capture_id)) AS alerts\n"
	"FROM priorities y",

	"CREATE VIEW v_group AS SELECT\n"
	"  " HEX("g.fingerprint") " AS fingerprint, u.name AS rule, y.name AS priority,\n"
	"  u.priority AS severity, g.alerts - g.repeated AS alerts, g.first_ts, g.last_ts,\n"
	"  " ISO_TIME("g.first_ts") " AS first_time,\n"
	"  " ISO_TIME("g.last_ts") " AS last_time,\n"
	"  (SELECT a.output FROM alerts a WHERE a.run_capture_id = g.run_capture_id\n"
	"   AND a.seq = g.first_seq) AS example,\n"
	"  r.capture_id, g.run_capture_id\n"
	"FROM alert_groups g JOIN rules u USING (rule_id) JOIN priorities y USING (priority)\n"
	"JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id)\n"
	"WHERE g.alerts > g.repeated\n"
	"  AND (r.state = 'done' OR c.reading_id = r.run_capture_id)",

	"CREATE VIEW v_file AS SELECT\n"
	"  c.capture_id, c.hostname, f.process_id, p.pid, " IMAGE("comm") " AS comm,\n"
	"  " IMAGE("exepath") " AS exepath, " IMAGE("uid") " AS uid, p.container_id,\n"
	"  f.path, f.opens, f.refused, f.creates, f.reads, f.writes, f.bytes_read,\n"
	"  f.bytes_written, f.renames, f.deletes, f.execs,\n"
	"  " ISO_TIME("f.first_ts") " AS first_time,\n"
	"  " ISO_TIME("f.last_ts") " AS last_time,\n"
	"  f.first_ts, f.last_ts, f.first_evt, f.first_read_ts, f.first_write_ts, f.last_write_ts\n"
	"FROM files f JOIN processes p USING (process_id) " CURRENT("p.run_capture_id") LAST_EXEC,

	"CREATE VIEW v_file_change AS SELECT\n"
	"  c.capture_id, c.hostname, " ISO_TIME("f.ts") " AS time, f.ts, f.evt_num, f.evt_offset,\n"
	"  f.op, f.path, f.target, f.detail, f.process_id, p.pid,\n"
	"  " IMAGE("comm") " AS comm, " IMAGE("exepath") " AS exepath, p.container_id\n"
	"FROM file_changes f " CURRENT("f.run_capture_id")
	"LEFT JOIN processes p USING (process_id)\n"
	EXEC_AT("f.process_id", "f.evt_num"),

	"CREATE VIEW v_connection AS SELECT\n"
	"  c.capture_id, c.hostname, n.connection_id, n.proto, n.state, n.direction,\n"
	"  n.local_ip, n.local_port, n.remote_ip, n.remote_port, n.path,\n"
	"  n.bytes_in, n.bytes_out,\n"
	"  " ISO_TIME("n.first_ts") " AS first_time,\n"
	"  " ISO_TIME("n.last_ts") " AS last_time,\n"
	"  " ISO_TIME("n.end_ts") " AS end_time,\n"
	"  n.first_ts, n.last_ts, n.end_ts, n.first_evt, n.first_offset, n.attempts, n.error,\n"
	"  n.from_start, n.process_id, n.user_process_id, n.pid, n.comm, n.exepath, n.uid,\n"
	"  nullif(n.loginuid, 4294967295) AS loginuid, n.container_id,\n"
	"  (SELECT group_concat(d.name, ' ') FROM dns_addresses d\n"
	"   WHERE d.run_capture_id = n.run_capture_id AND d.address = n.remote_ip) AS remote_name\n"
	"FROM connections n " CURRENT("n.run_capture_id")
	"WHERE NOT n.waits",

	"CREATE VIEW v_listener AS SELECT\n"
	"  c.capture_id, c.hostname, n.connection_id, n.proto, n.state, n.local_ip, n.local_port,\n"
	"  n.path, " ISO_TIME("n.first_ts") " AS first_time, " ISO_TIME("n.end_ts") " AS end_time,\n"
	"  n.first_ts, n.end_ts, n.from_start, n.process_id, n.pid, n.comm, n.exepath, n.uid,\n"
	"  nullif(n.loginuid, 4294967295) AS loginuid, n.container_id\n"
	"FROM connections n " CURRENT("n.run_capture_id")
	"WHERE n.waits",

	"CREATE VIEW v_dns AS SELECT\n"
	"  c.capture_id, c.hostname, d.name, d.type, d.server, d.queries, d.answers, d.failures,\n"
	"  (SELECT group_concat(a.address, ' ') FROM dns_addresses a\n"
	"   WHERE a.run_capture_id = p.run_capture_id AND a.name = d.name) AS addresses,\n"
	"  " ISO_TIME("d.first_ts") " AS first_time, " ISO_TIME("d.last_ts") " AS last_time,\n"
	"  d.first_ts, d.last_ts, d.process_id, p.pid, " IMAGE("comm") " AS comm,\n"
	"  " IMAGE("exepath") " AS exepath, p.container_id\n"
	"FROM dns_names d JOIN processes p USING (process_id) " CURRENT("p.run_capture_id") LAST_EXEC,

	"CREATE VIEW v_user AS SELECT c.capture_id, c.hostname, nullif(u.container_id, '')\n"
	"  AS container_id, u.uid, u.name, u.gid, u.home, u.shell\n"
	"FROM users u " CURRENT("u.run_capture_id"),

	"CREATE VIEW v_session AS SELECT\n"
	"  c.capture_id, c.hostname, s.session_id, s.parent_id, s.process_id, s.leader_pid, s.sid,\n"
	"  s.tty, s.uid, " USER_NAME("s", "uid") " AS user, s.loginuid,\n"
	"  " USER_NAME("s", "loginuid") " AS login_user, s.shell,\n"
	"  " ISO_TIME("s.start_ts") " AS started, " ISO_TIME("s.end_ts") " AS ended,\n"
	"  s.start_ts, s.end_ts, s.from_start, s.container_id, s.origin, s.remote, s.via,\n"
	"  s.via_pid, s.commands\n"
	"FROM sessions s " CURRENT("s.run_capture_id"),

	"CREATE VIEW v_command AS SELECT\n"
	"  c.capture_id, c.hostname, m.session_id, m.seq, " ISO_TIME("m.ts") " AS time, m.ts,\n"
	"  m.evt_num, m.evt_offset, " ISO_TIME("m.end_ts") " AS ended, m.status, m.process_id,\n"
	"  m.pid, m.uid, m.euid, " USER_NAME("m", "uid") " AS user,\n"
	"  " USER_NAME("s", "loginuid") " AS login_user, s.remote, m.cwd, m.comm, m.exepath,\n"
	"  m.cmdline, m.background, s.container_id\n"
	"FROM session_commands m JOIN sessions s USING (session_id) " CURRENT("s.run_capture_id"),

	"CREATE VIEW v_container AS SELECT c.capture_id, c.hostname, n.container_id, n.type,\n"
	"  n.name, n.image, n.image_digest, n.full_id, n.ip, n.privileged, n.host_pid,\n"
	"  n.host_network, n.created_ts,\n"
	"  (SELECT count(*) FROM processes p WHERE p.run_capture_id = n.run_capture_id\n"
	"   AND p.container_id = n.container_id) AS processes\n"
	"FROM containers n " CURRENT("n.run_capture_id"),

	"CREATE VIEW v_timeline AS\n"
	"SELECT ts, time, 'alert' AS kind, capture_id, hostname, process_id, pid, comm,\n"
	"  priority || ' ' || rule || ': ' || output AS text, evt_num\n"
	"FROM v_alert\n"
	"UNION ALL SELECT x.ts, x.time, 'exec', x.capture_id, x.hostname, x.process_id, x.pid,\n"
	"  x.comm, x.cmdline, x.evt_num FROM v_exec x\n"
	"UNION ALL SELECT p.start_ts, p.started, 'start', p.capture_id, p.hostname, p.process_id,\n"
	"  p.pid, p.comm, 'started by ' || ifnull(p.ppid, '?'), q.start_evt\n"
	"  FROM v_process p JOIN processes q USING (process_id) WHERE p.start_ts IS NOT NULL\n"
	"UNION ALL SELECT p.end_ts, p.ended, 'end', p.capture_id, p.hostname, p.process_id, p.pid,\n"
	"  p.comm, p.outcome, q.end_evt\n"
	"  FROM v_process p JOIN processes q USING (process_id) WHERE p.end_ts IS NOT NULL\n"
	"UNION ALL SELECT n.first_ts, n.first_time, 'connection', n.capture_id, n.hostname,\n"
	"  n.process_id, n.pid, n.comm, n.proto || ' ' || ifnull(n.direction, '') || ' '\n"
	"  || ifnull(n.path, ifnull(n.remote_ip || ' ' || n.remote_port, '')) || ' ' || n.state,\n"
	"  n.first_evt FROM v_connection n WHERE n.first_ts IS NOT NULL\n"
	"UNION ALL SELECT l.first_ts, l.first_time, 'listener', l.capture_id, l.hostname,\n"
	"  l.process_id, l.pid, l.comm, l.proto || ' '\n"
	"  || ifnull(l.path, ifnull(l.local_ip, '*') || ' ' || ifnull(l.local_port, '?')), NULL\n"
	"  FROM v_listener l WHERE l.first_ts IS NOT NULL\n"
	"UNION ALL SELECT f.first_write_ts, " ISO_TIME("f.first_write_ts") ", 'write',\n"
	"  f.capture_id, f.hostname, f.process_id, f.pid, f.comm, f.path, NULL\n"
	"  FROM v_file f WHERE f.first_write_ts IS NOT NULL\n"
	"UNION ALL SELECT g.ts, g.time, g.op, g.capture_id, g.hostname, g.process_id, g.pid,\n"
	"  g.comm, ifnull(g.path, '') || ifnull(' -> ' || g.target, '') || ifnull(' ' || g.detail, ''),\n"
	"  g.evt_num FROM v_file_change g\n"
	"UNION ALL SELECT d.first_ts, d.first_time, 'dns', d.capture_id, d.hostname, d.process_id,\n"
	"  d.pid, d.comm, d.type || ' ' || d.name, NULL FROM v_dns d\n"
	"UNION ALL SELECT m.ts, " ISO_TIME("m.ts") ", m.op, c.capture_id, c.hostname, m.process_id,\n"
	"  p.pid, p.comm, ifnull(m.source, '') || ' -> ' || ifnull(m.target, ''), m.evt_num\n"
	"  FROM mounts m " CURRENT("m.run_capture_id") "LEFT JOIN processes p USING (process_id)\n"
	"UNION ALL SELECT m.ts, " ISO_TIME("m.ts") ", 'module ' || m.op, c.capture_id, c.hostname,\n"
	"  m.process_id, p.pid, p.comm, m.name, m.evt_num\n"
	"  FROM modules m " CURRENT("m.run_capture_id") "LEFT JOIN processes p USING (process_id)\n"
	"UNION ALL SELECT s.start_ts, s.started, 'session', s.capture_id, s.hostname, s.process_id,\n"
	"  s.leader_pid, s.shell, ifnull(s.user, '?') || ifnull(' from ' || s.remote, ''), NULL\n"
	"  FROM v_session s WHERE s.start_ts IS NOT NULL",
	NULL,
};
/* clang-format on */
