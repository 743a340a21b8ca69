/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows sorted by kind, so that many of one kind can be taken by one statement (bulk.c) although
 * they come mixed. That may be done: processes come first, other rows refer to nothing but
 * processes and rules, and of a kind each row stays behind those before it. What begins or ends
 * something, and rules, which take the places of others, is passed by nothing.
 */
#include "query/internal.h"

#include <stdlib.h>

static bool is_passed_by_nothing(enum qry_op op)
{
	return op == QRY_OP_RULE_FILE || op == QRY_OP_RULE || op == QRY_OP_CAPTURE_BEGIN ||
	       op == QRY_OP_CAPTURE_END || op == QRY_OP_FINISH;
}

/* Return: where the rows end that can be sorted, counted by kind; or behind a row that cannot. */
static const uint8_t *count_rows(const struct sv *batch, uint32_t counts[QRY_OPS])
{
	const uint8_t *p = (const uint8_t *)batch->p, *end = p + batch->n;

	if (p < end && is_passed_by_nothing(qry_row_op(p))) {
		counts[qry_row_op(p)] = 1;
		return qry_row_end(p);
	}
	for (; p < end && !is_passed_by_nothing(qry_row_op(p)); p = qry_row_end(p))
		counts[qry_row_op(p)]++;
	return p;
}

static int make_room(struct qry_order *o, size_t n, struct error *err)
{
	uint32_t *p;

	if (n <= o->cap)
		return 0;
	p = reallocarray(o->at, n, sizeof(*p));
	if (!p)
		return error_nomem(err);
	o->at = p;
	o->cap = n;
	return 0;
}

int qry_order_take(struct qry_order *o, struct sv *batch, struct error *err)
{
	const uint8_t *base = (const uint8_t *)batch->p, *end;
	uint32_t counts[QRY_OPS] = {0}, *next[QRY_OPS];
	size_t all = 0;
	int rc;

	end = count_rows(batch, counts);
	for (unsigned op = 0; op < QRY_OPS; op++)
		all += counts[op];
	rc = make_room(o, all, err);
	if (rc < 0)
		return rc;
	all = 0;
	for (unsigned op = 0; op < QRY_OPS; op++) {
		next[op] = o->at + all;
		o->rows[op] = (struct qry_rows){batch->p, next[op], counts[op]};
		all += counts[op];
	}
	for (const uint8_t *p = base; p < end; p = qry_row_end(p))
		*next[qry_row_op(p)]++ = (uint32_t)(p - base);
	*batch = sv_drop(*batch, (size_t)(end - base));
	return 0;
}

void qry_order_done(struct qry_order *o)
{
	free(o->at);
	*o = (struct qry_order){0};
}
