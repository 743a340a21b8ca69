/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a query asks for: chosen among the constraints SQLite offers (xBestIndex), kept as a text of
 * "COLUMN OP;" per value, and read back with the values (xFilter). A constraint that is taken only
 * narrows what is read; SQLite looks at each row again. Exceptions are the arguments, since moment,
 * capture and filter are what they were asked to be, and what is sure to be exact.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "sqlext/internal.h"

#define ROWS_GUESSED 1e6 /* in a capture */
#define STATE_ROWS   1e3
#define LIST_OP	     'i'    /* behind the operator of IN, */
#define EXACT_OP     'x'    /* of what SQLite does not look at again */
#define INTEGER_END  0x1p63 /* the first real number that is too large for one */

/* --- xBestIndex --- */

struct chooser {
	sqlite3_index_info *info;
	const struct vtab_table *t;
	struct buf plan;
	int taken;
	double rows, read; /* of the result; share of the capture that is read */
	bool has_capture, unusable;
};

static bool is_range(int op)
{
	return op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE ||
	       op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE;
}

static bool is_prefix(int op)
{
	return op == SQLITE_INDEX_CONSTRAINT_LIKE || op == SQLITE_INDEX_CONSTRAINT_GLOB;
}

static bool is_argument(enum vtab_kind kind)
{
	return kind == VTAB_CAPTURE || kind == VTAB_AT || kind == VTAB_FILTER;
}

/* May a constraint with @op narrow what is read? */
static bool is_of_use(const struct vtab_table *t, const struct vtab_column *c, int op, bool list)
{
	bool equal = op == SQLITE_INDEX_CONSTRAINT_EQ;

	if (is_argument(c->kind))
		return equal;
	switch (c->kind) {
	case VTAB_NUM:
	case VTAB_TS:
	case VTAB_TIME:
		return is_range(op) || (equal && !list);
	case VTAB_FIELD_0:
	case VTAB_FIELD:
	case VTAB_FIELD_NA:
	case VTAB_ERRNAME:
	case VTAB_TYPE:
		if (t->module->id != VTAB_EVENTS)
			return equal && !list &&
			       (strcmp(c->name, "pid") == 0 || strcmp(c->name, "tid") == 0);
		return equal || is_range(op) || is_prefix(op) ||
		       op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL;
	default:
		return false;
	}
}

/*
 * Are the rows exactly those that fulfil the constraint? That depends on the value, which must
 * stand in the statement.
 */
static bool is_exact(const struct chooser *ch, int i)
{
	const struct sqlite3_index_constraint *k = &ch->info->aConstraint[i];
	struct flt_types types;
	sqlite3_value *v;

	if (sqlite3_vtab_rhs_value(ch->info, i, &v) != SQLITE_OK)
		return false;
	switch (ch->t->columns[k->iColumn].kind) {
	case VTAB_NUM:
	case VTAB_TS:
		return sqlite3_value_type(v) == SQLITE_INTEGER;
	case VTAB_TIME:
		return sqlite3_value_type(v) == SQLITE_TEXT &&
		       vtab_time_is_ordered(vtab_text_of(v));
	case VTAB_TYPE: /* the condition on a name of a type holds for the same events */
		return k->op == SQLITE_INDEX_CONSTRAINT_EQ &&
		       sqlite3_value_type(v) == SQLITE_TEXT &&
		       flt_types_named(vtab_text_of(v), &types);
	default:
		return false;
	}
}

static void take(struct chooser *ch, int i, bool list)
{
	const struct sqlite3_index_constraint *k = &ch->info->aConstraint[i];
	struct sqlite3_index_constraint_usage *use = &ch->info->aConstraintUsage[i];
	bool argument = is_argument(ch->t->columns[k->iColumn].kind);

	if (ch->taken == VTAB_ARGUMENTS_MAX)
		return;
	use->argvIndex = ++ch->taken;
	use->omit = argument;
	buf_addf(&ch->plan, "%d %d", k->iColumn, k->op);
	/* One by one, each value of a list of arguments is a pass of its own. */
	if (list && !argument) {
		(void)sqlite3_vtab_in(ch->info, i, 1);
		buf_char(&ch->plan, LIST_OP);
	} else if (is_exact(ch, i)) {
		use->omit = 1;
		buf_char(&ch->plan, EXACT_OP);
	}
	buf_char(&ch->plan, ';');
}

/* What taking it is presumably good for. */
static void count_on(struct chooser *ch, const struct vtab_column *c, int op)
{
	if (is_range(op))
		ch->rows *= 0.25;
	else if (op == SQLITE_INDEX_CONSTRAINT_EQ)
		ch->rows *= c->kind == VTAB_NUM ? 1e-6 : 0.02;
	else
		ch->rows *= 0.1;
	if (c->kind == VTAB_NUM || c->kind == VTAB_TS || c->kind == VTAB_TIME)
		ch->read *= 0.5;
	else
		ch->read *= 0.95;
}

static void look_at(struct chooser *ch, int i)
{
	const struct sqlite3_index_constraint *k = &ch->info->aConstraint[i];
	const struct vtab_column *c = k->iColumn >= 0 ? &ch->t->columns[k->iColumn] : NULL;
	bool list;

	if (!c)
		return;
	list = k->usable && k->op == SQLITE_INDEX_CONSTRAINT_EQ && sqlite3_vtab_in(ch->info, i, -1);
	if (!is_of_use(ch->t, c, k->op, list))
		return;
	if (!k->usable) {
		ch->unusable |= is_argument(c->kind);
		return;
	}
	if (!is_argument(c->kind) && strcmp(sqlite3_vtab_collation(ch->info, i), "BINARY") != 0)
		return;
	take(ch, i, list);
	ch->has_capture |= c->kind == VTAB_CAPTURE;
	if (c->kind != VTAB_CAPTURE && c->kind != VTAB_AT)
		count_on(ch, c, k->op);
}

/* Events of one capture come by number. */
static bool is_in_order(const struct chooser *ch)
{
	const sqlite3_index_info *info = ch->info;

	return ch->t->module->id == VTAB_EVENTS && ch->t->capture_count <= 1 &&
	       info->nOrderBy == 1 && !info->aOrderBy[0].desc && info->aOrderBy[0].iColumn >= 0 &&
	       ch->t->columns[info->aOrderBy[0].iColumn].kind == VTAB_NUM;
}

/* Which columns are used, as flags of idxNum. */
static int columns_used(const struct chooser *ch)
{
	const struct vtab_table *t = ch->t;
	uint64_t used = ch->info->colUsed;

	if (t->column_count > VTAB_COLUMNS_TOLD && used >> VTAB_COLUMNS_TOLD & 1)
		return VTAB_PLAN_ALL;
	for (int i = 0; i < t->column_count && i < VTAB_COLUMNS_TOLD; i++)
		if (used >> i & 1 && vtab_is_field(t->columns[i].kind) &&
		    t->columns[i].kind != VTAB_TYPE)
			return 0;
	return VTAB_PLAN_NO_FIELDS;
}

static int finish(struct chooser *ch)
{
	sqlite3_index_info *info = ch->info;
	bool events = ch->t->module->id == VTAB_EVENTS;

	info->idxStr = sqlite3_mprintf("%s", buf_cstr(&ch->plan));
	if (!info->idxStr || ch->plan.failed)
		return SQLITE_NOMEM;
	info->needToFreeIdxStr = 1;
	info->idxNum = columns_used(ch);
	info->orderByConsumed = is_in_order(ch);
	ch->rows *= events ? ROWS_GUESSED : STATE_ROWS;
	info->estimatedRows = ch->rows < 1 ? 1 : (sqlite3_int64)ch->rows;
	info->estimatedCost = ROWS_GUESSED * ch->read;
	return SQLITE_OK;
}

int vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	struct chooser ch = {.info = info, .t = (struct vtab_table *)base, .rows = 1, .read = 1};
	int rc;

	for (int i = 0; i < info->nConstraint; i++)
		look_at(&ch, i);
	if (ch.unusable) { /* there is another order of tables in which it can be */
		rc = SQLITE_CONSTRAINT;
	} else if (!ch.t->capture_count && !ch.has_capture) {
		sqlite3_free(base->zErrMsg);
		base->zErrMsg =
		    sqlite3_mprintf("no capture is named: write %s('FILE')", ch.t->module->name);
		rc = SQLITE_ERROR;
	} else {
		rc = finish(&ch);
	}
	buf_done(&ch.plan);
	return rc;
}

/* --- xFilter --- */

static const char *take_number(const char *p, int *out)
{
	char *end;

	*out = (int)strtol(p, &end, 10);
	return end;
}

static int read_at(struct vtab_request *q, sqlite3_value *v, struct error *err)
{
	sqlite3_int64 ns = sqlite3_value_int64(v);
	const char *text;

	sqlite3_value_free(q->at);
	q->at = sqlite3_value_dup(v);
	if (!q->at)
		return error_nomem(err);
	switch (sqlite3_value_type(v)) {
	case SQLITE_NULL:
		q->nothing = true;
		return 0;
	case SQLITE_INTEGER:
		if (ns < 0)
			return error_set(err, ERR_USAGE, "at: %lld is before 1970", (long long)ns);
		q->moment = (struct run_moment){.kind = RUN_AT_TIME, .value = (uint64_t)ns};
		return 0;
	case SQLITE_TEXT:
		text = (const char *)sqlite3_value_text(v);
		if (text && run_moment_parse(text, &q->moment))
			return 0;
		return error_set(err, ERR_USAGE,
				 "at '%.80s': expected nanoseconds, a time such as "
				 "2026-11-22T03:02:21Z, @1795316541.5 or +30s, or an event such as "
				 "evt:1234",
				 text ? text : "");
	default:
		return error_set(err, ERR_USAGE,
				 "at: expected nanoseconds, a time or an event as text");
	}
}

static int read_text(sqlite3_value *v, const char *what, const char **out, struct error *err)
{
	*out = (const char *)sqlite3_value_text(v);
	if (!*out)
		return error_nomem(err);
	if (strlen(*out) != (size_t)sqlite3_value_bytes(v))
		return error_set(err, ERR_USAGE, "%s: a text with a NUL byte", what);
	return 0;
}

static int read_capture(struct vtab_request *q, sqlite3_value *v, struct error *err)
{
	const char *path;
	int rc;

	q->nothing |= sqlite3_value_type(v) == SQLITE_NULL;
	if (q->nothing)
		return 0;
	rc = read_text(v, "capture", &path, err);
	if (rc == 0 && q->capture && strcmp(q->capture, path) != 0)
		q->nothing = true;
	q->capture = path;
	return rc;
}

static int read_filter(struct vtab_request *q, sqlite3_value *v, struct error *err)
{
	const char *text;
	int rc;

	q->nothing |= sqlite3_value_type(v) == SQLITE_NULL;
	if (q->nothing)
		return 0;
	rc = read_text(v, "filter", &text, err);
	if (rc < 0)
		return rc;
	if (strlen(text) > VTAB_FILTER_MAX)
		return error_set(err, ERR_LIMIT, "filter: over %d bytes", VTAB_FILTER_MAX);
	if (q->filter && strcmp(q->filter, text) != 0)
		q->nothing = true;
	free(q->filter);
	q->filter = strdup(text);
	return q->filter ? 0 : error_nomem(err);
}

static void narrow(uint64_t *first, uint64_t *last, uint64_t from, uint64_t to)
{
	if (from > *first)
		*first = from;
	if (to < *last)
		*last = to;
}

/* To numbers that are @op @v. Return: false if none is. */
static bool narrow_by(uint64_t *first, uint64_t *last, int op, sqlite3_int64 v)
{
	const bool above = op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE;
	uint64_t u = (uint64_t)v;

	if (v < 0)
		return above;
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		narrow(first, last, u, u);
		return true;
	case SQLITE_INDEX_CONSTRAINT_GT:
	case SQLITE_INDEX_CONSTRAINT_GE:
		narrow(first, last, u + (op == SQLITE_INDEX_CONSTRAINT_GT), UINT64_MAX);
		return true;
	case SQLITE_INDEX_CONSTRAINT_LT:
		narrow(first, last, 0, u - (u > 0));
		return u > 0;
	default:
		narrow(first, last, 0, u);
		return true;
	}
}

static int narrow_time(struct vtab_request *q, int op, sqlite3_value *v, struct error *err)
{
	uint64_t from, to;
	struct sv text;
	int rc;

	if (sqlite3_value_type(v) != SQLITE_TEXT)
		return 0;
	text = vtab_text_of(v);
	if (text.p && !vtab_time_is_ordered(text))
		return 0;
	rc = text.p ? vtab_time_range(text, op, &from, &to) : ERR_NOMEM;
	if (rc < 0)
		return error_nomem(err);
	q->nothing |= rc == 0;
	narrow(&q->from_ts, &q->to_ts, from, to);
	return 0;
}

static void keep(struct vtab_request *q, const struct vtab_argument *a)
{
	q->args[q->arg_count++] = *a;
}

/* The rows of one process or thread are found without looking at the others. */
static void read_id(struct vtab_request *q, const char *name, sqlite3_value *v)
{
	if (sqlite3_value_type(v) != SQLITE_INTEGER)
		return;
	if (strcmp(name, "pid") == 0)
		q->pid = sqlite3_value_int64(v);
	else
		q->tid = sqlite3_value_int64(v);
}

/* An integer, also one that is written as a real number: xBestIndex sees no difference. */
static bool is_integer(sqlite3_value *v, sqlite3_int64 *out)
{
	double real = sqlite3_value_double(v);

	*out = sqlite3_value_int64(v);
	return sqlite3_value_type(v) == SQLITE_INTEGER ||
	       (sqlite3_value_type(v) == SQLITE_FLOAT && real >= -INTEGER_END &&
		real < INTEGER_END && (double)*out == real);
}

static void narrow_number(struct vtab_request *q, const struct vtab_argument *a, uint64_t *first,
			  uint64_t *last)
{
	sqlite3_int64 v;
	bool known = is_integer(a->value, &v);

	assert(known || !a->is_exact);
	if (known && !narrow_by(first, last, a->op, v))
		q->nothing = true;
}

static int read_argument(struct vtab_request *q, const struct vtab_table *t,
			 const struct vtab_argument *a, struct error *err)
{
	const struct vtab_column *c = &t->columns[a->column];

	switch (c->kind) {
	case VTAB_CAPTURE:
		return read_capture(q, a->value, err);
	case VTAB_AT:
		return read_at(q, a->value, err);
	case VTAB_FILTER:
		return read_filter(q, a->value, err);
	case VTAB_NUM:
		narrow_number(q, a, &q->first_num, &q->last_num);
		return 0;
	case VTAB_TS:
		narrow_number(q, a, &q->from_ts, &q->to_ts);
		return 0;
	case VTAB_TIME:
		return narrow_time(q, a->op, a->value, err);
	default:
		if (t->module->id == VTAB_EVENTS)
			keep(q, a);
		else
			read_id(q, c->name, a->value);
		return 0;
	}
}

int vtab_request_read(struct vtab_request *q, const struct vtab_table *t, const char *plan,
		      sqlite3_value **argv, int argc, struct error *err)
{
	const char *p = plan ? plan : "";
	int rc = 0;

	*q = (struct vtab_request){
	    .to_ts = UINT64_MAX, .last_num = UINT64_MAX, .pid = -1, .tid = -1};
	q->args = calloc((size_t)argc + 1, sizeof(*q->args));
	if (!q->args)
		return error_nomem(err);
	for (int i = 0; i < argc && rc == 0; i++) {
		struct vtab_argument a = {.value = argv[i]};

		p = take_number(p, &a.column);
		p = take_number(p, &a.op);
		a.is_list = *p == LIST_OP;
		a.is_exact = *p == EXACT_OP;
		p += a.is_list + a.is_exact + 1;
		rc = read_argument(q, t, &a, err);
	}
	q->nothing |= q->from_ts > q->to_ts || q->first_num > q->last_num;
	return rc;
}

void vtab_request_done(struct vtab_request *q)
{
	sqlite3_value_free(q->at);
	free(q->filter);
	free(q->args);
	*q = (struct vtab_request){0};
}
