/* SPDX-License-Identifier: Apache-2.0 */
/* What processes with alerts did: connections, files, and everything else that happened. */
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

static long long limit_of(uint64_t limit)
{
	return limit > INT64_MAX ? INT64_MAX : (long long)limit;
}

/* --- connections */

#define CONNECTION                                                                                 \
	"SELECT n.connection_id, c.capture_id, n.process_id, n.pid, n.uid, n.proto, n.state, "     \
	"n.direction, n.path, n.local_ip, n.remote_ip, (SELECT group_concat(d.name, ' ') "         \
	"FROM dns_addresses d WHERE d.run_capture_id = n.run_capture_id "                          \
	"AND d.address = n.remote_ip), n.comm, n.exepath, c.hostname, n.local_port, "              \
	"n.remote_port, n.bytes_in, n.bytes_out, n.first_ts, n.last_ts, n.end_ts, n.attempts, "    \
	"n.error, n.from_start FROM connections n JOIN captures c ON c.reading_id = "              \
	"n.run_capture_id "

static const struct rep_field connection_fields[] = {
    REP_INT(rep_connection, connection_id), REP_INT(rep_connection, capture_id),
    REP_ZERO(rep_connection, process_id),   REP_INT(rep_connection, pid),
    REP_INT(rep_connection, uid),	    REP_TEXT(rep_connection, proto),
    REP_TEXT(rep_connection, state),	    REP_TEXT(rep_connection, direction),
    REP_TEXT(rep_connection, path),	    REP_TEXT(rep_connection, local_ip),
    REP_TEXT(rep_connection, remote_ip),    REP_TEXT(rep_connection, remote_name),
    REP_TEXT(rep_connection, comm),	    REP_TEXT(rep_connection, exepath),
    REP_TEXT(rep_connection, hostname),	    REP_INT(rep_connection, local_port),
    REP_INT(rep_connection, remote_port),   REP_INT(rep_connection, bytes_in),
    REP_INT(rep_connection, bytes_out),	    REP_ZERO(rep_connection, first_ts),
    REP_ZERO(rep_connection, last_ts),	    REP_ZERO(rep_connection, end_ts),
    REP_INT(rep_connection, attempts),	    REP_INT(rep_connection, error),
    REP_BOOL(rep_connection, from_start),
};

/* ?1: capture; ?2, ?3 and ?4, ?5: the ends, the second one may be NULL; ?6: process; ?7: time. */
static const char find_connection[] = CONNECTION
    "WHERE c.capture_id = ?1 AND ((n.remote_ip = ?2 AND n.remote_port = ?3 "
    "AND (?4 IS NULL OR (n.local_ip = ?4 AND n.local_port = ?5))) "
    "OR (n.remote_ip = ?4 AND n.remote_port = ?5 AND n.local_ip = ?2 AND n.local_port = ?3) "
    "OR (?4 IS NULL AND n.process_id = ?6 AND n.local_ip = ?2 AND n.local_port = ?3)) "
    "ORDER BY (n.process_id IS ?6 OR n.user_process_id IS ?6) DESC, "
    "ifnull(n.first_ts, 0) > ?7, n.first_ts DESC, n.connection_id LIMIT 1";

struct end {
	struct sv ip;
	int64_t port;
};

struct ends { /* the side that is called, and the one that calls, or not known */
	struct end to, by;
	struct buf texts[4];
};

static bool take_port(struct sv s, int64_t *out)
{
	int64_t n = 0;

	if (!s.n || s.n > 5)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	*out = n;
	return n <= UINT16_MAX;
}

/* "10.0.0.1:443", "::1:443" */
static bool take_end(struct sv s, struct end *out)
{
	const char *colon = memrchr(s.p, ':', s.n);

	if (!colon || colon == s.p)
		return false;
	out->ip = sv_make(s.p, (size_t)(colon - s.p));
	return take_port(sv_make(colon + 1, s.n - out->ip.n - 1), &out->port);
}

static bool ends_of_name(struct sv fields, struct ends *e)
{
	struct sv name;
	const char *arrow;

	if (!rep_json_find(fields, "fd.name", &e->texts[0], &name) || !name.n)
		return false;
	arrow = memmem(name.p, name.n, "->", 2);
	return arrow && take_end(sv_make(name.p, (size_t)(arrow - name.p)), &e->by) &&
	       take_end(sv_drop(name, (size_t)(arrow - name.p) + 2), &e->to);
}

static bool end_of_fields(struct sv fields, const char *ip, const char *port, struct buf *scratch,
			  struct end *out)
{
	struct sv text;

	return rep_json_find(fields, port, scratch, &text) && take_port(text, &out->port) &&
	       rep_json_find(fields, ip, scratch, &out->ip) && out->ip.n;
}

static bool ends_of(struct sv fields, struct ends *e)
{
	if (ends_of_name(fields, e))
		return true;
	e->by.ip = SV_NONE;
	if (end_of_fields(fields, "fd.sip", "fd.sport", &e->texts[1], &e->to)) {
		if (!end_of_fields(fields, "fd.cip", "fd.cport", &e->texts[2], &e->by))
			e->by.ip = SV_NONE;
		return true;
	}
	if (!end_of_fields(fields, "fd.rip", "fd.rport", &e->texts[1], &e->to))
		return false;
	if (!end_of_fields(fields, "fd.lip", "fd.lport", &e->texts[2], &e->by))
		e->by.ip = SV_NONE;
	return true;
}

/* As much as the fields tell of a connection that the case does not have. */
static int only_ends(struct rep_case *c, const struct ends *e, const struct rep_alert *a,
		     struct rep_connection *out, struct error *err)
{
	bool failed = false;

	*out = (struct rep_connection){.capture_id = a->capture_id,
				       .process_id = a->process_id,
				       .pid = a->pid,
				       .uid = -1,
				       .local_port = e->by.ip.p ? e->by.port : -1,
				       .remote_port = e->to.port,
				       .bytes_in = -1,
				       .bytes_out = -1,
				       .attempts = -1,
				       .error = -1,
				       .comm = a->comm,
				       .exepath = a->exepath,
				       .hostname = a->hostname};
	arena_reset(&c->ends);
	out->remote_ip = arena_sv(&c->ends, e->to.ip);
	failed |= !out->remote_ip.p;
	if (e->by.ip.p) {
		out->local_ip = arena_sv(&c->ends, e->by.ip);
		failed |= !out->local_ip.p;
	}
	return failed ? error_nomem(err) : 1;
}

static void bind_end(sqlite3_stmt *stmt, int at, const struct end *e)
{
	sqlite3_bind_text(stmt, at, e->ip.p, (int)e->ip.n, SQLITE_TRANSIENT);
	sqlite3_bind_int64(stmt, at + 1, e->port);
}

int rep_alert_connection(struct rep_case *c, const struct rep_alert *a, struct rep_connection *out,
			 struct error *err)
{
	struct ends e = {0};
	int rc = 0;

	if (!ends_of(a->fields, &e))
		goto out;
	if (c->connection)
		sqlite3_reset(c->connection);
	else
		rc = sqlite3_prepare_v3(c->db, find_connection, -1, SQLITE_PREPARE_PERSISTENT,
					&c->connection, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(c->connection, 1, a->capture_id);
		bind_end(c->connection, 2, &e.to);
		bind_end(c->connection, 4, &e.by);
		sqlite3_bind_int64(c->connection, 6, a->process_id);
		sqlite3_bind_int64(c->connection, 7, a->ts);
		rc = sqlite3_step(c->connection);
	}
	if (rc == SQLITE_ROW) {
		rep_take_fields(c->connection, connection_fields, COUNT_OF(connection_fields), out);
		rc = 1;
	} else if (rc == SQLITE_DONE) {
		rc = only_ends(c, &e, a, out, err);
	} else {
		rc = rep_db_error(c, rc, "connections", err);
	}
out:
	for (size_t i = 0; i < COUNT_OF(e.texts); i++)
		buf_done(&e.texts[i]);
	return rc;
}

int rep_connections_open(struct rep_case *c, uint64_t limit, struct rep_rows **out,
			 struct error *err)
{
	int rc = rep_who(c, err);

	if (rc < 0)
		return rc;
	return rep_rows_open(
	    c, "connections", out, err,
	    CONNECTION "WHERE n.family <> 'unix' AND n.process_id IN (SELECT id FROM temp.rep_who) "
		       "ORDER BY ifnull(n.bytes_in, 0) + ifnull(n.bytes_out, 0) DESC, "
		       "n.connection_id LIMIT %lld",
	    limit_of(limit));
}

int rep_connection_next(struct rep_rows *r, struct rep_connection *out, struct error *err)
{
	return rep_rows_next(r, connection_fields, COUNT_OF(connection_fields), out, err);
}

/* --- files */

bool rep_alert_file(const struct rep_alert *a, struct buf *scratch, struct sv *out)
{
	static const char *const names[] = {"fs.path.name", "fd.name",	       "evt.arg.path",
					    "evt.arg.name", "evt.arg.newpath", "evt.arg.filename"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (rep_json_find(a->fields, names[i], scratch, out) && out->n && out->p[0] == '/')
			return true;
	return false;
}

/* clang-format off */
static const char files_sql[] =
	"SELECT c.capture_id, f.process_id, p.pid, f.path, " REP_IMAGE("comm") ", "
	REP_IMAGE("exepath") ", c.hostname, f.opens, f.creates, f.reads, f.writes, f.bytes_read, "
	"f.bytes_written, f.renames, f.deletes, f.execs, f.first_ts, f.last_ts "
	"FROM files f JOIN processes p USING (process_id) "
	"JOIN captures c ON c.reading_id = p.run_capture_id "
	"LEFT JOIN execs x ON x.process_id = p.process_id AND x.seq = (SELECT max(m.seq) "
	"FROM execs m WHERE m.process_id = p.process_id) "
	"WHERE f.process_id IN (SELECT id FROM temp.rep_who) "
	"AND f.path NOT IN ('/dev/null', '/dev/tty') AND (f.first_write_ts IS NOT NULL "
	"OR f.deletes > 0 OR f.renames > 0 OR f.execs > 0) "
	"ORDER BY f.first_ts, f.process_id, f.path LIMIT ";
/* clang-format on */

int rep_files_open(struct rep_case *c, uint64_t limit, struct rep_rows **out, struct error *err)
{
	int rc = rep_who(c, err);

	return rc < 0 ? rc
		      : rep_rows_open(c, "files", out, err, "%s%lld", files_sql, limit_of(limit));
}

int rep_file_next(struct rep_rows *r, struct rep_file *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_INT(rep_file, capture_id),
	    REP_ZERO(rep_file, process_id),
	    REP_INT(rep_file, pid),
	    REP_TEXT(rep_file, path),
	    REP_TEXT(rep_file, comm),
	    REP_TEXT(rep_file, exepath),
	    REP_TEXT(rep_file, hostname),
	    REP_ZERO(rep_file, opens),
	    REP_ZERO(rep_file, creates),
	    REP_ZERO(rep_file, reads),
	    REP_ZERO(rep_file, writes),
	    REP_ZERO(rep_file, bytes_read),
	    REP_ZERO(rep_file, bytes_written),
	    REP_ZERO(rep_file, renames),
	    REP_ZERO(rep_file, deletes),
	    REP_ZERO(rep_file, execs),
	    REP_ZERO(rep_file, first_ts),
	    REP_ZERO(rep_file, last_ts),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}

/* --- everything else that happened */

static char *range_sql(const struct rep_select *s)
{
	sqlite3_str *text = sqlite3_str_new(NULL);

	sqlite3_str_appendall(text, " ");
	if (s->from)
		sqlite3_str_appendf(text, "AND ts >= %lld ", (long long)s->from);
	if (s->to)
		sqlite3_str_appendf(text, "AND ts < %lld ", (long long)s->to);
	return sqlite3_str_finish(text);
}

int rep_events_open(struct rep_case *c, uint64_t limit, struct rep_rows **out, struct error *err)
{
	char *range = range_sql(&c->select);
	int rc = range ? rep_rows_open(
			     c, "what happened", out, err,
			     "SELECT ts, capture_id, process_id, pid, evt_num, kind, hostname, "
			     "comm, text FROM v_timeline WHERE kind <> 'alert' AND capture_id IN "
			     "(SELECT c.capture_id FROM captures c WHERE 1%s)%s"
			     "ORDER BY ts, capture_id, evt_num, kind, pid, text LIMIT %lld",
			     c->captures, range, limit_of(limit))
		       : error_nomem(err);

	sqlite3_free(range);
	return rc;
}

int rep_event_next(struct rep_rows *r, struct rep_event *out, struct error *err)
{
	static const struct rep_field fields[] = {
	    REP_ZERO(rep_event, ts),	     REP_INT(rep_event, capture_id),
	    REP_ZERO(rep_event, process_id), REP_INT(rep_event, pid),
	    REP_ZERO(rep_event, evt_num),    REP_TEXT(rep_event, kind),
	    REP_TEXT(rep_event, hostname),   REP_TEXT(rep_event, comm),
	    REP_TEXT(rep_event, text),
	};

	return rep_rows_next(r, fields, COUNT_OF(fields), out, err);
}
