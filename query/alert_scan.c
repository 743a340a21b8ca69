/* SPDX-License-Identifier: Apache-2.0 */
#include "query/alert_scan.h"

#include <stdlib.h>

#include "base/arena.h"
#include "engine/filter/filter.h"
#include "query/internal.h"

#define ROWS_MAX 500000u       /* remembered; then all are forgotten */
#define TEXT_MAX (64ull << 20) /* bytes of their texts, likewise */
#define CELLS	 7
#define FEW	 256   /* ids of most rules and readings are below */
#define NEAR	 65536 /* places for processes, found by their number alone */

enum kind { READING, RULE, PRIORITY, PROCESS, EXECS, KINDS };
enum {
	READING_SHOWN,
	READING_ID,
	READING_RUN,
	READING_CAPTURE,
	READING_PATH,
	READING_HOST,
	READING_SHA256
};
enum { RULE_NAME, RULE_TAGS, RULE_DIGEST };
enum { PROCESS_PID, PROCESS_COMM, PROCESS_EXEPATH, PROCESS_CMDLINE, PROCESS_ID, PROCESS_CONTAINER };
enum { EXEC_EVT, EXEC_COMM, EXEC_EXEPATH, EXEC_CMDLINE };
_Static_assert((int)EXEC_COMM == (int)PROCESS_COMM && (int)EXEC_CMDLINE == (int)PROCESS_CMDLINE,
	       "one stands for the other");

static const struct {
	const char *sql;
	int cells;
} kinds[KINDS] = {
    [READING] = {"SELECT r.state = 'done' OR c.reading_id = r.run_capture_id, c.reading_id,"
		 " r.run_id, r.capture_id, c.path, c.hostname, c.sha256"
		 " FROM main.run_captures r JOIN main.captures c USING (capture_id)"
		 " WHERE r.run_capture_id = ?1",
		 7},
    [RULE] = {"SELECT name, tags, digest FROM main.rules WHERE rule_id = ?1", 3},
    [PRIORITY] = {"SELECT name FROM main.priorities WHERE priority = ?1", 1},
    [PROCESS] = {"SELECT pid, comm, exepath, cmdline, process_id, container_id"
		 " FROM main.processes WHERE process_id = ?1",
		 6},
    [EXECS] = {"SELECT evt_num, comm, exepath, cmdline FROM main.execs"
	       " WHERE process_id = ?1 ORDER BY seq",
	       4},
};

/* --- the SELECT: columns in the order of v_alert */

#define ALERT_PROCESS "(a.run_capture_id, a.process_id, a.pid, a.evt_num)"

/* clang-format off */
const char qry_alert_scan_sql[] =
	"SELECT a.alert_id, scapula_reading_run(a.run_capture_id) AS run_id,"
	" scapula_reading_capture(a.run_capture_id) AS capture_id, a.run_capture_id, a.seq,"
	" iif(a.ts >= 0, scapula_time(a.ts),"
	"  strftime('%Y-%m-%dT%H:%M:%S', a.ts / 1000000000, 'unixepoch')"
	"  || printf('.%09dZ', a.ts % 1000000000)) AS time,"
	" a.ts, scapula_priority(a.priority) AS priority, scapula_rule(a.rule_id) AS rule, a.source,"
	" scapula_rule_tags(a.rule_id) AS tags, a.output, a.output_fields, a.evt_num, a.evt_offset,"
	" a.tid, a.pid, scapula_process" ALERT_PROCESS " AS process_id,"
	" scapula_process_comm" ALERT_PROCESS " AS comm,"
	" scapula_process_exepath" ALERT_PROCESS " AS exepath,"
	" scapula_process_cmdline" ALERT_PROCESS " AS cmdline,"
	" scapula_process_container" ALERT_PROCESS " AS container_id,"
	" scapula_reading_path(a.run_capture_id) AS capture,"
	" scapula_reading_host(a.run_capture_id) AS hostname, a.priority AS severity,"
	" scapula_fingerprint_text(a.fingerprint) AS fingerprint,"
	" scapula_reading_sha256(a.run_capture_id) AS capture_sha256,"
	" scapula_rule_digest(a.rule_id) AS rule_digest, a.rule_id, a.fingerprint AS fingerprint_key,"
	" " QRY_VERDICT_SQL("scapula_reading_sha256(a.run_capture_id)", "scapula_rule(a.rule_id)")
	" AS verdict"
	" FROM main.alerts a WHERE a.repeats IS NULL"
	" AND scapula_alert_shown(a.run_capture_id, a.rule_id, a.priority)";
/* clang-format on */

/* --- rows that are remembered */

struct cell { /* small: rows of many processes are to stay near the processor, as are texts */
	union {
		int64_t i;
		const char *text;
	};
	uint32_t n;
	uint32_t type; /* SQLITE_INTEGER, _TEXT or _NULL */
};

struct row {
	union {
		struct row *next; /* of execs: the one before */
		int64_t id;	  /* of processes */
	};
	const struct execs *execs; /* of processes; NULL: not looked for yet */
	bool there;		   /* or not: that is remembered, too */
	struct cell cell[CELLS];
};

struct execs {
	size_t count;
	struct row **row; /* by event and by number: others are never the last */
};
static const struct execs none = {0};

struct qry_alert_scan {
	sqlite3 *db;
	sqlite3_stmt *stmt[KINDS];
	struct map known[EXECS];
	struct row *few[EXECS][FEW];
	struct row **near; /* some of the processes; NULL: none yet */
	struct smap texts; /* each once: programs have the same names over and over */
	struct arena memory;
	struct buf scratch;
	size_t rows;
	uint64_t text;
};

struct function { /* what one SQL function is */
	const char *name;
	enum kind kind;
	int cell;
};

void qry_alert_scan_forget(struct qry_alert_scan *s)
{
	for (unsigned i = 0; i < EXECS; i++)
		map_done(&s->known[i]);
	memset(s->few, 0, sizeof(s->few));
	free(s->near);
	s->near = NULL;
	smap_done(&s->texts);
	arena_done(&s->memory);
	s->rows = 0;
	s->text = 0;
}

void qry_alert_scan_end(struct qry_alert_scan *s)
{
	for (unsigned i = 0; s && i < KINDS; i++) {
		sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
}

static void make_room(struct qry_alert_scan *s)
{
	if (s->rows >= ROWS_MAX || s->text >= TEXT_MAX)
		qry_alert_scan_forget(s);
}

/* Return: NULL without memory. */
static const char *take_text(struct qry_alert_scan *s, const char *p, size_t n)
{
	char *text = p ? smap_get(&s->texts, sv_make(p, n)) : NULL;

	if (text || !p)
		return text;
	text = arena_strndup(&s->memory, p, n);
	s->text += n;
	return text && smap_put(&s->texts, sv_make(text, n), text) == 0 ? text : NULL;
}

static struct row *take_row(struct qry_alert_scan *s, sqlite3_stmt *stmt, int cells)
{
	struct row *r = arena_zalloc(&s->memory, 1, sizeof(*r));

	s->rows++;
	if (!r)
		return NULL;
	r->there = true;
	for (int i = 0; i < cells; i++) {
		struct cell *c = &r->cell[i];

		c->type = (uint32_t)sqlite3_column_type(stmt, i);
		if (c->type == SQLITE_INTEGER) {
			c->i = sqlite3_column_int64(stmt, i);
		} else if (c->type != SQLITE_NULL) {
			const char *p = (const char *)sqlite3_column_text(stmt, i);
			size_t n = (size_t)sqlite3_column_bytes(stmt, i);

			c->type = SQLITE_TEXT;
			c->text = take_text(s, p, n);
			c->n = (uint32_t)n;
			if (!c->text)
				return NULL;
		}
	}
	return r;
}

/* Return: NULL with @rc. */
static sqlite3_stmt *ask(struct qry_alert_scan *s, enum kind kind, int64_t id, int *rc)
{
	sqlite3_stmt **stmt = &s->stmt[kind];

	if (!*stmt)
		*rc = sqlite3_prepare_v3(s->db, kinds[kind].sql, -1, SQLITE_PREPARE_PERSISTENT,
					 stmt, NULL);
	if (!*stmt)
		return NULL;
	*rc = sqlite3_bind_int64(*stmt, 1, id);
	return *stmt;
}

/* Return: NULL with @rc. */
static struct row *read_row(struct qry_alert_scan *s, enum kind kind, int64_t id, int *rc)
{
	struct row *r = NULL;
	sqlite3_stmt *stmt;

	make_room(s);
	stmt = ask(s, kind, id, rc);
	if (!stmt)
		return NULL;
	*rc = sqlite3_step(stmt);
	if (*rc == SQLITE_ROW)
		r = take_row(s, stmt, kinds[kind].cells);
	else if (*rc == SQLITE_DONE)
		r = arena_zalloc(&s->memory, 1, sizeof(*r));
	if (*rc == SQLITE_ROW || *rc == SQLITE_DONE)
		*rc =
		    r && map_put(&s->known[kind], (uint64_t)id, r) == 0 ? SQLITE_OK : SQLITE_NOMEM;
	sqlite3_reset(stmt);
	if (*rc != SQLITE_OK)
		return NULL;
	r->id = id;
	if ((uint64_t)id < FEW)
		s->few[kind][id] = r;
	return r;
}

/* Return: NULL with @rc. */
static inline struct row *look_up(struct qry_alert_scan *s, enum kind kind, int64_t id, int *rc)
{
	struct row *r =
	    (uint64_t)id < FEW ? s->few[kind][id] : map_get(&s->known[kind], (uint64_t)id);

	return LIKELY(r) ? r : read_row(s, kind, id, rc);
}

/* Numbers of processes follow one another, so places by number are small enough to stay near. */
static struct row **near_place(const struct qry_alert_scan *s, int64_t id)
{
	return &s->near[((uint64_t)id + (uint64_t)(id >> 32)) % NEAR];
}

static struct row *look_up_process(struct qry_alert_scan *s, int64_t id, int *rc)
{
	struct row *r = s->near ? *near_place(s, id) : NULL;

	if (LIKELY(r && r->id == id))
		return r;
	r = look_up(s, PROCESS, id, rc); /* which may forget all others */
	if (!s->near)
		s->near = calloc(NEAR, sizeof(struct row *));
	if (r && s->near)
		*near_place(s, id) = r;
	return r;
}

/*
 * What process @id executed. The view takes the exec with the highest number of those up to an
 * event; so one that has an event not before that of its successor is never taken.
 */
static const struct execs *look_up_execs(struct qry_alert_scan *s, struct row *process, int64_t id,
					 int *rc)
{
	struct row *last = NULL, *r;
	sqlite3_stmt *stmt;
	struct execs *x;

	if (LIKELY(process->execs))
		return process->execs;
	stmt = ask(s, EXECS, id, rc);
	if (!stmt)
		return NULL;
	x = arena_zalloc(&s->memory, 1, sizeof(*x));
	while (x && (*rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		r = take_row(s, stmt, kinds[EXECS].cells);
		if (!r)
			break;
		for (; last && last->cell[EXEC_EVT].i >= r->cell[EXEC_EVT].i; last = last->next)
			x->count--;
		r->next = last;
		last = r;
		x->count++;
	}
	if (x && *rc == SQLITE_DONE)
		x->row = arena_zalloc(&s->memory, x->count + 1, sizeof(*x->row));
	sqlite3_reset(stmt);
	if (!x || !x->row) {
		*rc = *rc == SQLITE_INTERRUPT ? *rc : SQLITE_NOMEM;
		return NULL;
	}
	for (size_t i = x->count; i-- > 0; last = last->next)
		x->row[i] = last;
	*rc = SQLITE_OK;
	process->execs = x->count ? x : &none;
	return process->execs;
}

static const struct row *exec_at(const struct execs *x, int64_t evt)
{
	size_t low = 0, high = x->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (x->row[mid]->cell[EXEC_EVT].i <= evt)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? x->row[low - 1] : NULL;
}

/* --- functions */

static const struct function functions[] = {
    {"scapula_reading_run", READING, READING_RUN},
    {"scapula_reading_capture", READING, READING_CAPTURE},
    {"scapula_reading_path", READING, READING_PATH},
    {"scapula_reading_host", READING, READING_HOST},
    {"scapula_reading_sha256", READING, READING_SHA256},
    {"scapula_rule", RULE, RULE_NAME},
    {"scapula_rule_tags", RULE, RULE_TAGS},
    {"scapula_rule_digest", RULE, RULE_DIGEST},
    {"scapula_priority", PRIORITY, 0},
    {"scapula_process", PROCESS, PROCESS_ID},
    {"scapula_process_container", PROCESS, PROCESS_CONTAINER},
    {"scapula_process_comm", EXECS, PROCESS_COMM},
    {"scapula_process_exepath", EXECS, PROCESS_EXEPATH},
    {"scapula_process_cmdline", EXECS, PROCESS_CMDLINE},
};

struct binding {
	struct qry_alert_scan *scan;
	const struct function *f;
};

static void give(sqlite3_context *ctx, const struct cell *c)
{
	if (c->type == SQLITE_INTEGER)
		sqlite3_result_int64(ctx, c->i);
	else if (c->type == SQLITE_TEXT) /* a copy: what is remembered may be forgotten meanwhile */
		sqlite3_result_text(ctx, c->text, (int)c->n, SQLITE_TRANSIENT);
}

/* (id) */
static void give_cell(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	const struct binding *b = sqlite3_user_data(ctx);
	int rc = SQLITE_OK;
	const struct row *r = look_up(b->scan, b->f->kind, sqlite3_value_int64(v[0]), &rc);

	(void)n;
	if (rc != SQLITE_OK)
		sqlite3_result_error_code(ctx, rc);
	else if (r)
		give(ctx, &r->cell[b->f->cell]);
}

/* The process of an alert in the reading that is shown; NULL: there is none, or @rc. */
static struct row *shown_process(struct qry_alert_scan *s, sqlite3_value **v, int64_t *id, int *rc)
{
	struct row *reading = look_up(s, READING, sqlite3_value_int64(v[0]), rc), *process;
	const struct cell *pid;

	if (!reading || reading->cell[READING_ID].type != SQLITE_INTEGER ||
	    sqlite3_value_type(v[1]) != SQLITE_INTEGER)
		return NULL;
	*id = (int64_t)((uint64_t)reading->cell[READING_ID].i << 32) +
	      sqlite3_value_int64(v[1]) % ((int64_t)1 << 32);
	process = look_up_process(s, *id, rc);
	pid = process ? &process->cell[PROCESS_PID] : NULL;
	if (!pid || !process->there ||
	    (pid->type == SQLITE_NULL) != (sqlite3_value_type(v[2]) == SQLITE_NULL) ||
	    (pid->type == SQLITE_INTEGER && pid->i != sqlite3_value_int64(v[2])))
		return NULL;
	return process;
}

/* (run_capture_id, process_id, pid, evt_num) */
static void give_of_process(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	const struct binding *b = sqlite3_user_data(ctx);
	const struct execs *execs;
	const struct row *exec = NULL;
	struct row *r;
	int rc = SQLITE_OK;
	int64_t id = 0;

	(void)n;
	r = shown_process(b->scan, v, &id, &rc);
	if (r && b->f->kind == EXECS) {
		execs = look_up_execs(b->scan, r, id, &rc);
		exec = execs ? exec_at(execs, sqlite3_value_int64(v[3])) : NULL;
	}
	if (rc != SQLITE_OK)
		sqlite3_result_error_code(ctx, rc);
	else if (r)
		give(ctx, &(exec ? exec : r)->cell[b->f->cell]);
}

static void give_scratch(sqlite3_context *ctx, struct qry_alert_scan *s)
{
	if (s->scratch.failed)
		sqlite3_result_error_nomem(ctx);
	else
		sqlite3_result_text(ctx, s->scratch.p, (int)s->scratch.len, SQLITE_TRANSIENT);
}

/* (ts), which is not negative: what strftime() and printf() give, without their memory. */
static void give_time(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct qry_alert_scan *s = sqlite3_user_data(ctx);

	(void)n;
	buf_reset(&s->scratch);
	flt_time_iso8601(&s->scratch, (uint64_t)sqlite3_value_int64(v[0]));
	buf_char(&s->scratch, 'Z');
	give_scratch(ctx, s);
}

/* (fingerprint): as QRY_FINGERPRINT_SQL */
static void give_fingerprint(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct qry_alert_scan *s = sqlite3_user_data(ctx);
	uint64_t key = (uint64_t)sqlite3_value_int64(v[0]);

	(void)n;
	buf_reset(&s->scratch);
	for (int shift = 60; shift >= 0; shift -= 4)
		buf_char(&s->scratch, "0123456789abcdef"[key >> shift & 15]);
	give_scratch(ctx, s);
}

/* (run_capture_id, rule_id, priority): is all there that the view joins? */
static void is_shown(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	static const enum kind by[] = {READING, RULE, PRIORITY};
	struct qry_alert_scan *s = sqlite3_user_data(ctx);
	bool shown = true;
	int rc = SQLITE_OK;

	for (int i = 0; i < n && shown; i++) {
		const struct row *r = look_up(s, by[i], sqlite3_value_int64(v[i]), &rc);

		shown = r && r->there && (i || r->cell[READING_SHOWN].i);
	}
	if (rc != SQLITE_OK)
		sqlite3_result_error_code(ctx, rc);
	else
		sqlite3_result_int(ctx, shown);
}

/* --- life */

struct owned { /* by the first function */
	struct qry_alert_scan scan;
	struct binding bindings[COUNT_OF(functions)];
};

static void scan_free(void *arg)
{
	struct owned *o = arg;

	qry_alert_scan_forget(&o->scan);
	buf_done(&o->scan.scratch);
	free(o);
}

int qry_alert_scan_register(sqlite3 *db, struct qry_alert_scan **out, struct error *err)
{
	const int how = SQLITE_UTF8 | SQLITE_DIRECTONLY;
	struct owned *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return error_nomem(err);
	o->scan.db = db;
	rc = sqlite3_create_function_v2(db, "scapula_alert_shown", 3, how, &o->scan, is_shown, NULL,
					NULL, scan_free);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "scapula_time", 1, how, &o->scan, give_time, NULL,
					     NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "scapula_fingerprint_text", 1, how, &o->scan,
					     give_fingerprint, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(functions) && rc == SQLITE_OK; i++) {
		bool simple = functions[i].kind < PROCESS;

		o->bindings[i] = (struct binding){&o->scan, &functions[i]};
		rc = sqlite3_create_function(db, functions[i].name, simple ? 1 : 4, how,
					     &o->bindings[i], simple ? give_cell : give_of_process,
					     NULL, NULL);
	}
	if (rc != SQLITE_OK)
		return error_set(err, ERR_DB, "%s", sqlite3_errmsg(db));
	*out = &o->scan;
	return 0;
}
