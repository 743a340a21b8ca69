/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are events. */
#include "sqlext/internal.h"

struct events {
	struct vtab_walk walk;
	struct vtab_condition condition;
	struct flt_ctx *ctx; /* of @condition, on the walk's state */
	unsigned jumps;	     /* which that is */
	struct state_binding at;
	uint64_t num;
	bool looked; /* the cursor's values are those of the row */
};

static void done(struct vtab_cursor *c)
{
	struct events *e = c->rows;

	if (e->walk.reader)
		vtab_tell_gaps(vtab_table_of(c)->module->conn, c->path, e->walk.reader);
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
	return vtab_walk_open(&e->walk, t->module->conn, c->path, &scope, err);
}

static int next(struct vtab_cursor *c, struct error *err)
{
	const struct vtab_request *q = &c->q;
	struct events *e = c->rows;
	struct state_binding b;
	int rc;

	while ((rc = vtab_walk_next(&e->walk, &b, err)) > 0) {
		if (UNLIKELY(!b.visible))
			continue;
		if (b.ev->ts < q->from_ts || b.ev->ts > q->to_ts)
			continue;
		e->num = state_stats(e->walk.state)->events;
		if (e->num < q->first_num)
			continue;
		if (UNLIKELY(e->jumps != e->walk.jumps)) {
			rc = follow_state(c, err);
			if (rc < 0)
				return rc;
		}
		if (e->ctx) {
			flt_ctx_event(e->ctx, &b);
			if (!flt_match(e->ctx, e->condition.id))
				continue;
		}
		e->at = b;
		e->looked = false;
		return 1;
	}
	return rc;
}

static void time_text(sqlite3_context *out, uint64_t ts)
{
	struct buf b = {0};

	flt_time_iso8601(&b, ts);
	buf_char(&b, 'Z');
	if (b.failed)
		sqlite3_result_error_nomem(out);
	else
		sqlite3_result_text(out, b.p, (int)b.len, SQLITE_TRANSIENT);
	buf_done(&b);
}

static void column(struct vtab_cursor *c, sqlite3_context *out, int i)
{
	struct events *e = c->rows;

	switch (vtab_table_of(c)->columns[i].kind) {
	case VTAB_NUM:
		vtab_result_u64(out, e->num);
		break;
	case VTAB_TS:
		vtab_result_u64(out, e->at.ev->ts);
		break;
	case VTAB_TIME:
		time_text(out, e->at.ev->ts);
		break;
	case VTAB_OFFSET:
		vtab_result_u64(out, e->at.ev->offset);
		break;
	default:
		if (!e->looked)
			flt_ctx_event(c->values, &e->at);
		e->looked = true;
		vtab_result_field(c, out, i);
	}
}

static int64_t rowid(const struct vtab_cursor *c)
{
	return (int64_t)((const struct events *)c->rows)->num;
}

const struct vtab_rows vtab_event_rows = {
    .size = sizeof(struct events),
    .begin = begin,
    .next = next,
    .column = column,
    .rowid = rowid,
    .done = done,
};
