/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are events. */
#include "sqlext/internal.h"

#define BATCH 256 /* rows */

struct row { /* what is left of an event that is not looked at closely */
	uint64_t num, ts, offset;
	uint16_t type;
};

struct events {
	struct vtab_walk walk;
	struct vtab_condition condition;
	struct flt_ctx *ctx; /* of @condition, on the walk's state */
	unsigned jumps;	     /* which that is */
	/* Without fields, rows are found ahead; else one at a time. The event of the last is kept
	 * if it may be needed: */
	struct row found[BATCH];
	size_t count, at; /* the row is @found[@at], if that is less */
	struct state_binding bind;
	struct ev ev;
	bool looked; /* the cursor's values are those of the row */
	int end;     /* what comes behind the rows: 1 more of the capture, 0 its end, or ERR_* */
	struct error why;
};

static void done(struct vtab_cursor *c)
{
	struct events *e = c->rows;

	if (e->walk.reader)
		vtab_tell_losses(vtab_table_of(c)->module->conn, c->path, e->walk.reader,
				 e->walk.state);
	flt_ctx_free(e->ctx);
	vtab_condition_done(&e->condition);
	vtab_walk_close(&e->walk);
	*e = (struct events){0};
}

/* Both contexts on the state that the walk has now. */
static int follow_state(struct vtab_cursor *c, struct error *err)
{
	struct events *e = c->rows;
	int rc;

	flt_ctx_free(e->ctx);
	flt_ctx_free(c->values);
	e->ctx = c->values = NULL;
	e->jumps = e->walk.jumps;
	rc = flt_ctx_new(c->set->program, e->walk.state, &c->values, err);
	if (rc == 0 && e->condition.program)
		rc = flt_ctx_new(e->condition.program, e->walk.state, &e->ctx, err);
	return rc;
}

/* Events whose name is not that of their type, which means little. */
static bool has_own_name(unsigned type)
{
	return type == EV_GENERIC_E || type == EV_GENERIC_X || type == EV_ASYNCEVENT_E ||
	       type == EV_ASYNCEVENT_X;
}

/* Return: 1 if @b is a row, 0, or ERR_*. */
static int is_row(struct vtab_cursor *c, const struct state_binding *b, uint64_t num,
		  struct error *err)
{
	const struct vtab_request *q = &c->q;
	struct events *e = c->rows;
	int rc;

	if (UNLIKELY(!b->visible) || b->ev->ts < q->from_ts || b->ev->ts > q->to_ts ||
	    num < q->first_num || num > q->last_num)
		return 0;
	if (UNLIKELY(e->jumps != e->walk.jumps)) {
		rc = follow_state(c, err);
		if (rc < 0)
			return rc;
	}
	if (!e->ctx)
		return 1;
	flt_ctx_event(e->ctx, b);
	return flt_match(e->ctx, e->condition.id);
}

/* The row of @b, if it is one, comes behind the others. Return: 0, VTAB_ENOUGH, or ERR_*. */
static int show(void *arg, const struct state_binding *b, struct error *err)
{
	struct vtab_cursor *c = arg;
	struct events *e = c->rows;
	uint64_t num = state_stats(e->walk.state)->events;
	int rc = is_row(c, b, num, err);

	if (rc <= 0)
		return rc;
	e->found[e->count++] = (struct row){num, b->ev->ts, b->ev->offset, b->ev->type};
	if (c->q.no_fields && LIKELY(!has_own_name(b->ev->type)))
		return e->count < BATCH ? 0 : VTAB_ENOUGH;
	e->ev = *b->ev;
	e->bind = *b;
	e->bind.ev = &e->ev;
	e->looked = false;
	return VTAB_ENOUGH;
}

/* Is it known that no event of @type by @t is a row? The first one that is shown brings @e->ctx. */
static bool refuses(void *arg, unsigned type, struct state_thread *t)
{
	struct vtab_cursor *c = arg;
	struct events *e = c->rows;

	return e->jumps == e->walk.jumps && !flt_may_match(e->ctx, type, t);
}

static int begin(struct vtab_cursor *c, struct error *err)
{
	const struct vtab_table *t = vtab_table_of(c);
	struct events *e = c->rows;
	struct vtab_scope scope = {.from_ts = c->q.from_ts,
				   .to_ts = c->q.to_ts,
				   .first_num = c->q.first_num,
				   .last_num = c->q.last_num};
	int rc = vtab_condition_make(&e->condition, t, &c->q, err);

	if (rc < 0)
		return rc;
	if (e->condition.skips)
		scope.skip = &e->condition.skip;
	scope.passes = c->q.no_fields && !e->condition.program;
	scope.show = show;
	scope.refuses = refuses;
	scope.gates = e->condition.program;
	scope.arg = c;
	e->end = 1;
	return vtab_walk_open(&e->walk, t->module->conn, c->path, &scope, err);
}

/* Find rows, if there are. Return: what comes behind them, as events.end. */
static int find(struct vtab_cursor *c)
{
	struct events *e = c->rows;
	struct state_binding b;
	int rc;

	e->count = e->at = 0;
	do {
		rc = vtab_walk_next(&e->walk, &b, &e->why);
		if (rc == 0)
			return 0;
		if (rc > 0)
			rc = show(c, &b, &e->why);
	} while (rc == 0 && !e->count);
	return rc < 0 && rc != VTAB_ENOUGH ? rc : 1;
}

static int next(struct vtab_cursor *c, struct error *err)
{
	struct events *e = c->rows;

	if (++e->at >= e->count && e->end > 0)
		e->end = find(c);
	if (LIKELY(e->at < e->count))
		return 1;
	if (e->end < 0)
		*err = e->why;
	return e->end;
}

void vtab_time_text(struct buf *out, uint64_t ts)
{
	flt_time_iso8601(out, ts);
	buf_char(out, 'Z');
}

static void result_time(sqlite3_context *out, uint64_t ts)
{
	struct buf b = {0};

	vtab_time_text(&b, ts);
	if (b.failed)
		sqlite3_result_error_nomem(out);
	else
		sqlite3_result_text(out, b.p, (int)b.len, SQLITE_TRANSIENT);
	buf_done(&b);
}

static void result_field(struct vtab_cursor *c, sqlite3_context *out, int i)
{
	struct events *e = c->rows;

	if (!e->looked)
		flt_ctx_event(c->values, &e->bind);
	e->looked = true;
	vtab_result_field(c, out, i);
}

static void column(struct vtab_cursor *c, sqlite3_context *out, int i)
{
	struct events *e = c->rows;
	const struct row *row = &e->found[e->at];

	switch (vtab_table_of(c)->columns[i].kind) {
	case VTAB_NUM:
		vtab_result_u64(out, row->num);
		break;
	case VTAB_TS:
		vtab_result_u64(out, row->ts);
		break;
	case VTAB_TIME:
		result_time(out, row->ts);
		break;
	case VTAB_OFFSET:
		vtab_result_u64(out, row->offset);
		break;
	case VTAB_TYPE:
		if (has_own_name(row->type))
			result_field(c, out, i);
		else
			sqlite3_result_text(out, ev_table[row->type].name, -1, SQLITE_STATIC);
		break;
	default:
		result_field(c, out, i);
	}
}

static int64_t rowid(const struct vtab_cursor *c)
{
	const struct events *e = c->rows;

	return (int64_t)e->found[e->at].num;
}

const struct vtab_rows vtab_event_rows = {
    .size = sizeof(struct events),
    .begin = begin,
    .next = next,
    .column = column,
    .rowid = rowid,
    .done = done,
};
