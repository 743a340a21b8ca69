/* SPDX-License-Identifier: Apache-2.0 */
/* scapula query: SQL over a case, or over captures. */
#include <ctype.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/custody.h"
#include "cli/query_help.h"
#include "cli/rows.h"
#include "cli/rule_run.h"
#include "query/ask.h"
#include "query/regroup.h"
#include "sqlext/vtab.h"

#define SQL_FILE_MAX (1u << 20) /* bytes of a file with SQL */

enum {
	OPT_CAPTURE = OPT_COMMAND_FIRST,
	OPT_FIELD,
	OPT_ATTACH,
	OPT_FILE,
	OPT_LIST,
	OPT_SCHEMA,
	OPT_WRITE,
};

static const struct cli_option query_options[] = {
    {'f', "format", "text|csv|jsonl|markdown", "of the rows"},
    {'p', "param", "NAME=VALUE", "value of :NAME in the SQL; repeatable"},
    {OPT_LIST, "list", NULL, "list the saved queries, or show the named ones"},
    {OPT_SCHEMA, "schema", NULL, "list tables and views, or the columns of the named ones"},
    {OPT_FILE, "file", "FILE", "read the SQL from there; '-' is standard input"},
    {OPT_CAPTURE, "capture", "FILE",
     "a capture as tables events, threads, processes, fds, gaps; repeatable"},
    {OPT_FIELD, "field", "FIELD", "a further column of these tables; repeatable"},
    {OPT_ATTACH, "attach", "NAME=CASE", "a further case, whose tables are NAME.table; repeatable"},
    {OPT_WRITE, "write", NULL, "the SQL may add and change rows; an old case is upgraded"},
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const query_examples[] = {
    "query host7.case.db \"SELECT time, rule, output FROM v_alert ORDER BY ts\"",
    "query --list",
    "query host7.case.db @files-of-process -p comm=sh",
    "query --schema v_alert",
    "query --capture capture.scap \"SELECT type, count(*) FROM events GROUP BY type\"",
    NULL,
};

struct query {
	struct cli_common common;
	struct cli_names params, captures, fields, attach;
	enum rows_format format;
	const char *file;
	bool list, schema, write;
	struct qry_ask_options ask;
	uint64_t deadline; /* CLOCK_MONOTONIC; 0: none */
	bool late;
	int status; /* of what was told on the way */
	sqlite3 *db;
	struct qry_regroup *regroup;
	struct buf sql;
	const char *written; /* a case that was open for writing; or NULL */
	int argc;
	char **argv;
};

static int take_format(struct query *o, const char *value)
{
	static const struct {
		const char *name;
		enum rows_format format;
	} names[] = {{"text", ROWS_TEXT},   {"table", ROWS_TEXT}, {"csv", ROWS_CSV},
		     {"jsonl", ROWS_JSONL}, {"json", ROWS_JSONL}, {"markdown", ROWS_MARKDOWN},
		     {"md", ROWS_MARKDOWN}};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(value, names[i].name) == 0) {
			o->format = names[i].format;
			return 0;
		}
	}
	cli_log(CLI_ERROR, "--format %s: expected text, csv, jsonl or markdown", value);
	return CLI_USAGE;
}

static int take_pair(struct cli_names *to, const char *option, const char *value)
{
	const char *equals = strchr(value, '=');

	if (equals && equals > value)
		return cli_names_add(to, value);
	cli_log(CLI_ERROR, "--%s %s: expected NAME=%s", option, value,
		strcmp(option, "attach") == 0 ? "CASE" : "VALUE");
	return CLI_USAGE;
}

static int take_option(void *arg, int id, const char *value)
{
	struct query *o = arg;

	switch (id) {
	case 'f':
		return take_format(o, value);
	case 'p':
		return take_pair(&o->params, "param", value);
	case OPT_ATTACH:
		if (o->attach.count >= QRY_ASK_ATTACHED) {
			cli_log(CLI_ERROR, "--attach: at most %d", QRY_ASK_ATTACHED);
			return CLI_USAGE;
		}
		return take_pair(&o->attach, "attach", value);
	case OPT_CAPTURE:
		return cli_names_add(&o->captures, value);
	case OPT_FIELD:
		return cli_names_add(&o->fields, value);
	case OPT_FILE:
		o->file = value;
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_SCHEMA:
		o->schema = true;
		return 0;
	case OPT_WRITE:
		o->write = true;
		return 0;
	default:
		return CLI_USAGE;
	}
}

/* --- the SQL */

static int read_file(struct query *o, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char part[4096];
	size_t n;

	if (!f) {
		cli_log(CLI_ERROR, "cannot open '%s': %s", path, strerror(errno));
		return CLI_INPUT;
	}
	while ((n = fread(part, 1, sizeof(part), f)) > 0 && o->sql.len <= SQL_FILE_MAX)
		buf_add(&o->sql, part, n);
	if (f != stdin)
		fclose(f);
	if (o->sql.len <= SQL_FILE_MAX && !o->sql.failed && !memchr(o->sql.p, 0, o->sql.len))
		return 0;
	cli_log(CLI_ERROR, "'%s': expected text of at most %u bytes", path, SQL_FILE_MAX);
	return CLI_INPUT;
}

/* What was given as operand: SQL, or "@NAME". */
static int take_sql(struct query *o, const char *text)
{
	const struct qry_saved *saved;

	if (text[0] != '@') {
		buf_str(&o->sql, text);
		return 0;
	}
	saved = qry_saved_find(text + 1);
	if (!saved) {
		cli_log(CLI_ERROR, "there is no saved query '%s': see 'scapula query --list'",
			text + 1);
		return CLI_USAGE;
	}
	buf_str(&o->sql, saved->text);
	return 0;
}

/* --- parameters */

/* Numbers are numbers; everything else is text. */
static int bind_text(sqlite3_stmt *stmt, int at, struct sv value)
{
	char digits[24], *end;
	long long n;

	if (value.n && value.n < sizeof(digits)) {
		memcpy(digits, value.p, value.n);
		digits[value.n] = '\0';
		errno = 0;
		n = strtoll(digits, &end, 10);
		if (!*end && errno == 0 && !isspace((unsigned char)digits[0]))
			return sqlite3_bind_int64(stmt, at, n);
	}
	return sqlite3_bind_text(stmt, at, value.p ? value.p : "", (int)value.n, SQLITE_TRANSIENT);
}

static bool given_value(const struct query *o, const char *name, struct sv *out)
{
	size_t n = strlen(name);

	for (size_t i = o->params.count; i-- > 0;) {
		const char *pair = o->params.items[i];

		if (strncmp(pair, name, n) == 0 && pair[n] == '=') {
			*out = sv_of(pair + n + 1);
			return true;
		}
	}
	return false;
}

static bool default_value(const struct query *o, const char *name, struct sv *out)
{
	struct qry_parameter p;

	for (size_t at = 0; qry_saved_parameter(buf_cstr((struct buf *)&o->sql), &at, &p);) {
		if (sv_is(p.name, name) && p.value.p) {
			*out = p.value;
			return true;
		}
	}
	return false;
}

static int bind_all(const struct query *o, sqlite3_stmt *stmt)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
		const char *name = sqlite3_bind_parameter_name(stmt, i);
		struct sv value;

		if (!name || name[0] == '?') {
			cli_log(CLI_ERROR, "parameters need names: ':name' instead of '?'");
			return CLI_USAGE;
		}
		if (!given_value(o, name + 1, &value) && !default_value(o, name + 1, &value)) {
			cli_log(CLI_ERROR, "%s has no value: give one with -p %s=VALUE", name,
				name + 1);
			return CLI_USAGE;
		}
		if (bind_text(stmt, i, value) != SQLITE_OK)
			return CLI_INTERNAL;
	}
	return 0;
}

/* --- answers */

/* @sql: what SQLite was given, a part of all. */
static int tell_failure(struct query *o, int rc, const char *sql)
{
	int at = sqlite3_error_offset(o->db);
	const char *text = sqlite3_errmsg(o->db);
	struct buf b = {0};
	int status = CLI_USAGE;

	switch (rc & 0xff) {
	case SQLITE_INTERRUPT:
		if (cli_interrupted()) {
			cli_log(CLI_WARNING, "interrupted; the rows so far are complete");
			return cli_interrupted();
		}
		cli_log(CLI_WARNING, "stopped by --timeout; the rows so far are complete");
		return CLI_PARTIAL;
	case SQLITE_NOMEM:
		cli_log(CLI_WARNING,
			"stopped by --mem-limit: the query needs more memory; the rows so far are "
			"complete");
		return CLI_PARTIAL;
	case SQLITE_AUTH:
		cli_log(CLI_ERROR, "%s: a case is only read%s", text,
			o->write ? ", and what people noted stays" : " unless --write is given");
		return CLI_USAGE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_IOERR:
	case SQLITE_FULL:
	case SQLITE_CANTOPEN:
		status = CLI_INPUT;
		break;
	default:
		break;
	}
	cli_safe(&b, sv_of(text));
	if (at >= 0) {
		unsigned line = 1, column = 1;

		for (const char *p = buf_cstr(&o->sql); *p && p < sql + at; p++) {
			column = *p == '\n' ? 1 : column + 1;
			line += *p == '\n';
		}
		buf_addf(&b, " (line %u, column %u)", line, column);
	}
	cli_log(CLI_ERROR, "%s", buf_cstr(&b));
	buf_done(&b);
	return status;
}

static void cell_of(sqlite3_stmt *stmt, int i, struct rows_cell *out)
{
	*out = (struct rows_cell){0};
	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		out->kind = ROWS_INTEGER;
		out->integer = sqlite3_column_int64(stmt, i);
		break;
	case SQLITE_FLOAT:
		out->kind = ROWS_REAL;
		out->real = sqlite3_column_double(stmt, i);
		break;
	case SQLITE_TEXT:
		out->kind = ROWS_STRING;
		out->text.p = (const char *)sqlite3_column_text(stmt, i);
		out->text.n = (size_t)sqlite3_column_bytes(stmt, i);
		break;
	case SQLITE_BLOB:
		out->kind = ROWS_BLOB;
		out->text.p = sqlite3_column_blob(stmt, i);
		out->text.n = (size_t)sqlite3_column_bytes(stmt, i);
		break;
	default:
		break;
	}
}

/* @rc: of the first step. */
static int print_rows(struct query *o, sqlite3_stmt *stmt, int rc, struct rows *rows,
		      struct rows_cell *cells, int n)
{
	int status = 0;

	while (!status && rc == SQLITE_ROW) {
		for (int i = 0; i < n; i++)
			cell_of(stmt, i, &cells[i]);
		if (n)
			status = rows_add(rows, cells);
		if (!status)
			rc = sqlite3_step(stmt);
	}
	if (!status && rc != SQLITE_DONE)
		status = tell_failure(o, rc, sqlite3_sql(stmt));
	if (status != CLI_INPUT && n)
		status = cli_worse(status, rows_end(rows));
	return status;
}

/* The rows of @stmt are those of @how, whose first step gave @rc. */
static int print_answer(struct query *o, sqlite3_stmt *stmt, sqlite3_stmt *how, int rc)
{
	int n = sqlite3_column_count(stmt), status = CLI_INTERNAL;
	const char **names = calloc((size_t)n + 1, sizeof(*names));
	struct rows_cell *cells = calloc((size_t)n + 1, sizeof(*cells));
	struct rows *rows = NULL;

	for (int i = 0; names && i < n; i++)
		names[i] = sqlite3_column_name(stmt, i);
	if (names && cells)
		rows = rows_new(o->format, names, (unsigned)n);
	if (rows)
		status = print_rows(o, how, rc, rows, cells, n);
	rows_free(rows);
	free(cells);
	free(names);
	return status;
}

static int bind_one(void *arg, sqlite3_stmt *stmt)
{
	return bind_all(arg, stmt);
}

static int answer(struct query *o, sqlite3_stmt *stmt)
{
	sqlite3_stmt *faster = NULL, *how = stmt;
	int status = bind_all(o, stmt);

	if (!status)
		faster = qry_regroup(o->regroup, stmt, bind_one, o);
	if (faster) {
		status = bind_all(o, faster);
		how = faster;
	}
	if (!status)
		status = print_answer(o, stmt, how, sqlite3_step(how));
	sqlite3_finalize(faster);
	return status;
}

/* One statement after the other. */
static int run_sql(struct query *o)
{
	const char *left = buf_cstr(&o->sql);
	int status = 0;

	while (!status) {
		sqlite3_stmt *stmt = NULL;
		const char *sql = left;
		int rc = sqlite3_prepare_v2(o->db, sql, -1, &stmt, &left);

		if (rc != SQLITE_OK)
			return tell_failure(o, rc, sql);
		if (!stmt && !*left)
			break;
		if (stmt)
			status = answer(o, stmt);
		sqlite3_finalize(stmt);
	}
	return status;
}

/* --- opening */

static bool should_stop(void *arg)
{
	struct query *o = arg;

	return cli_interrupted() || (o->deadline && clock_ns(CLOCK_MONOTONIC) > o->deadline);
}

static void note_losses(void *arg, const struct vtab_notice *n)
{
	struct query *o = arg;

	o->status = cli_worse(o->status, cli_tell_gaps(n->path, n->gaps, n->count, n->total));
	cli_tell_state(n->path, n->state);
}

static int attach_captures(struct query *o, struct error *err)
{
	const struct vtab_options opt = {.no_index = o->common.no_index,
					 .memory = o->common.mem_limit,
					 .notice = note_losses,
					 .notice_arg = o};
	int rc = vtab_register(o->db, &opt, err);

	/* vtab_attach() wants the end marked. */
	if (rc == 0 && cli_names_add(&o->fields, NULL))
		rc = error_nomem(err);
	return rc < 0
		   ? rc
		   : vtab_attach(o->db, o->captures.items, o->captures.count, o->fields.items, err);
}

static int attach_cases(struct query *o, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < o->attach.count && rc == 0; i++) {
		const char *pair = o->attach.items[i], *equals = strchr(pair, '=');
		char *name = strndup(pair, (size_t)(equals - pair));

		rc = name ? qry_ask_attach(o->db, name, equals + 1, err) : error_nomem(err);
		free(name);
	}
	return rc;
}

/* A case of an older program lacks tables. */
static void tell_version(struct query *o, const char *path)
{
	struct error err;
	int version;

	if (qry_ask_version(o->db, path, &version, &err) < 0)
		return;
	if (!version)
		cli_log(CLI_WARNING, "'%s' is a SQLite database, but not a case", path);
	else if (version != QRY_SCHEMA_VERSION)
		cli_log(CLI_WARNING,
			"case '%s' has schema version %d, this program knows %d: some tables and "
			"columns may be missing%s",
			path, version, QRY_SCHEMA_VERSION,
			version < QRY_SCHEMA_VERSION ? "; opening it with --write upgrades it"
						     : "");
}

static int open_all(struct query *o, const char *path)
{
	const uint64_t memory = o->common.mem_limit ? o->common.mem_limit : QRY_ASK_MEMORY;
	const struct qry_regroup_options groups = {.tally = {memory / 2, should_stop, o},
						   .path = o->write ? NULL : path,
						   .ask = &o->ask,
						   .threads = cli_jobs_default()};
	struct error err = {0};
	int rc;

	o->ask = (struct qry_ask_options){.write = o->write,
					  .version = SCAPULA_VERSION,
					  .memory = o->common.mem_limit,
					  .stop = should_stop,
					  .arg = o};
	if (o->common.timeout_ns)
		o->deadline = clock_ns(CLOCK_MONOTONIC) + o->common.timeout_ns;
	rc = qry_ask_open(path, &o->ask, &o->db, &err);
	if (rc == 0 && path)
		tell_version(o, path);
	if (rc == 0)
		rc = attach_cases(o, &err);
	if (rc == 0 && o->captures.count)
		rc = attach_captures(o, &err);
	if (rc == ERR_NOMEM && o->common.mem_limit) {
		cli_log(CLI_WARNING, "stopped by --mem-limit: opening alone needs more memory");
		return CLI_PARTIAL;
	}
	if (rc < 0)
		return cli_fail(&err);
	rc = qry_regroup_new(o->db, &groups, &o->regroup, &err);
	if (rc < 0)
		return cli_fail(&err);
	qry_ask_guard(o->db, &o->ask);
	return 0;
}

/* --- the command */

/* The operands: [CASE] [SQL], the case only without captures, the SQL only without --file. */
static int ask(struct query *o, char **operands, int count)
{
	bool with_case = count > (o->file ? 0 : 1), with_sql = !o->file;
	int status;

	if (count > 2 - !with_sql || count < with_sql || (!with_case && !o->captures.count)) {
		cli_log(CLI_ERROR, "expected a case%s; see 'scapula query --help'",
			with_sql ? " and SQL, or --capture and SQL" : " or --capture");
		return CLI_USAGE;
	}
	status = o->file ? read_file(o, o->file) : take_sql(o, operands[count - 1]);
	if (!status)
		status = open_all(o, with_case ? operands[0] : NULL);
	if (!status)
		status = run_sql(o);
	if (with_case && o->write && o->db)
		o->written = operands[0];
	return cli_worse(status, o->status);
}

int cmd_query(int argc, char **argv)
{
	struct query o = {.argc = argc, .argv = argv};
	const struct cli_parser parser = {"query", query_options, query_examples, take_option, &o};
	int first, status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status < 0) {
		status = cli_flush();
	} else if (status == 0) {
		cli_catch_signals();
		if (o.list || o.schema)
			status = o.list ? query_help_saved(argv + first, argc - first)
					: query_help_schema(argv + first, argc - first);
		else
			status = ask(&o, argv + first, argc - first);
	}
	qry_regroup_free(o.regroup);
	sqlite3_close(o.db);
	/* Now that all of it is in the file. */
	if (o.written)
		status = cli_worse(status, cli_custody_made(CUSTODY_OPEN_RW, NULL, 0, o.written,
							    NULL, o.argc, o.argv));
	buf_done(&o.sql);
	cli_names_done(&o.params);
	cli_names_done(&o.captures);
	cli_names_done(&o.fields);
	cli_names_done(&o.attach);
	return status;
}
