/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constraints as a condition of the engine. What is no exact counterpart is left out, or is a wider
 * condition: no row of the result may be lost, and SQLite drops what is too much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sqlext/internal.h"

#define REPLACEMENT 0xfffd /* stands in columns for what is no UTF-8 */
#define REAL_MAX    4e18   /* larger ones are not turned into integers */

struct builder {
	struct flt_program *program;
	struct arena arena;
	struct flt_node **kids; /* of the whole condition */
	uint32_t count;
	const char *field;
	const struct flt_column *column;
};

/* --- nodes --- */

static struct flt_expr *expr(struct builder *b, enum flt_expr_kind kind, struct sv text)
{
	struct flt_expr *e = arena_zalloc(&b->arena, 1, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	e->text = arena_sv(&b->arena, text);
	return e->text.p ? e : NULL;
}

/* The field of the column, its argument apart. */
static struct flt_expr *field(struct builder *b)
{
	struct flt_expr *e;
	size_t used;

	return flt_parse_operand(sv_of(b->field), false, &b->arena, &e, &used, NULL) == 0 ? e
											  : NULL;
}

static struct flt_node *node(struct builder *b, enum flt_node_kind kind, struct flt_node **kids,
			     uint32_t count)
{
	struct flt_node *n = arena_zalloc(&b->arena, 1, sizeof(*n));

	if (n)
		*n = (struct flt_node){.kind = kind, .kids = kids, .count = count};
	return n;
}

/* @field OP @value, if it makes sense; else NULL. */
static struct flt_node *check(struct builder *b, enum flt_op op, struct sv value)
{
	struct flt_node *n = node(b, FLT_CHECK, NULL, 0);
	unsigned id;

	if (!n)
		return NULL;
	n->op = op;
	n->left = field(b);
	n->right = op == FLT_OP_EXISTS ? NULL : expr(b, FLT_EXPR_VALUE, value);
	if (!n->left || (!n->right && op != FLT_OP_EXISTS))
		return NULL;
	return flt_program_add(b->program, n, NULL, NULL, &id, NULL, NULL) == 0 ? n : NULL;
}

/* --- values --- */

/* A text that stands for itself: in the column, in conditions, and for nothing else. */
static bool is_plain_text(struct sv s)
{
	while (s.n) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(s, &cp, &bad);

		if (!n || !cp || cp == REPLACEMENT)
			return false;
		s = sv_drop(s, n);
	}
	return true;
}

struct sv vtab_text_of(sqlite3_value *v)
{
	const char *text = (const char *)sqlite3_value_text(v);

	return text ? sv_make(text, (size_t)sqlite3_value_bytes(v)) : SV_NONE;
}

/* What patterns begin with before anything is special. */
static struct sv literal_prefix(struct sv pattern, bool glob)
{
	size_t n = 0;

	while (n < pattern.n && !strchr(glob ? "*?[" : "%_", pattern.p[n]))
		n++;
	return sv_make(pattern.p, n);
}

/* The longest part of a pattern that stands for itself, before sets of characters and its end. */
static struct sv literal_part(struct sv pattern, bool glob)
{
	struct sv longest = SV_NONE;

	while (pattern.n) {
		struct sv part = literal_prefix(pattern, glob);

		if (part.n > longest.n)
			longest = part;
		if (part.n == pattern.n || !pattern.p[part.n] || pattern.p[part.n] == '[')
			break;
		pattern = sv_drop(pattern, part.n + 1);
	}
	return longest;
}

static bool fits(const struct flt_column *c, int64_t v)
{
	unsigned bits = flt_column_bits(c);

	if (flt_column_kind(c) == FLT_CELL_SIGNED)
		return bits == 64 || (v >= -(1ll << (bits - 1)) && v < 1ll << (bits - 1));
	return v >= 0 && (bits == 64 || v < 1ll << bits);
}

static struct flt_node *integer_check(struct builder *b, enum flt_op op, int64_t v)
{
	char text[24];

	if (!fits(b->column, v))
		return NULL;
	if (flt_column_bits(b->column) == 1)
		return op == FLT_OP_EQ ? check(b, op, sv_of(v ? "true" : "false")) : NULL;
	snprintf(text, sizeof(text), "%lld", (long long)v);
	return check(b, op, sv_of(text));
}

/* A real number between integers, for comparisons with these. */
static struct flt_node *real_check(struct builder *b, enum flt_op op, double v)
{
	int64_t down;

	if (!(v > -REAL_MAX && v < REAL_MAX) || op == FLT_OP_EQ)
		return NULL;
	down = (int64_t)v - 1;
	if (op == FLT_OP_GT || op == FLT_OP_GE)
		return integer_check(b, FLT_OP_GE, down);
	return integer_check(b, FLT_OP_LE, down + 2);
}

/* iglob with a pattern that has no special character but its end. */
static struct flt_node *iglob_check(struct builder *b, struct sv prefix)
{
	struct buf glob = {0};
	struct flt_node *n;

	buf_sv(&glob, prefix);
	buf_char(&glob, '*');
	n = check(b, FLT_OP_IGLOB, buf_view(&glob));
	buf_done(&glob);
	return n;
}

/* What matches a pattern begins with what that begins with, or has a part of it somewhere. */
static struct flt_node *pattern_check(struct builder *b, struct sv pattern, bool glob)
{
	struct sv prefix = literal_prefix(pattern, glob), part = literal_part(pattern, glob);

	for (size_t i = 0; !glob && i < prefix.n; i++)
		if (strchr("*?[]\\", prefix.p[i]))
			prefix.n = i;
	if (is_plain_text(prefix) && prefix.n)
		return glob ? check(b, FLT_OP_STARTSWITH, prefix) : iglob_check(b, prefix);
	if (is_plain_text(part) && part.n)
		return check(b, glob ? FLT_OP_CONTAINS : FLT_OP_ICONTAINS, part);
	return NULL;
}

static struct flt_node *text_check(struct builder *b, int op, struct sv text)
{
	if (op == SQLITE_INDEX_CONSTRAINT_LIKE || op == SQLITE_INDEX_CONSTRAINT_GLOB)
		return pattern_check(b, text, op == SQLITE_INDEX_CONSTRAINT_GLOB);
	if (op != SQLITE_INDEX_CONSTRAINT_EQ || !text.n || !is_plain_text(text))
		return NULL;
	return check(b, FLT_OP_EQ, text);
}

static enum flt_op flt_op_of(int op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_GT:
		return FLT_OP_GT;
	case SQLITE_INDEX_CONSTRAINT_GE:
		return FLT_OP_GE;
	case SQLITE_INDEX_CONSTRAINT_LT:
		return FLT_OP_LT;
	case SQLITE_INDEX_CONSTRAINT_LE:
		return FLT_OP_LE;
	default:
		return FLT_OP_EQ;
	}
}

/* The condition for one value; NULL: it is not one for us. */
static struct flt_node *value_check(struct builder *b, int op, sqlite3_value *v)
{
	bool pattern = op == SQLITE_INDEX_CONSTRAINT_LIKE || op == SQLITE_INDEX_CONSTRAINT_GLOB;
	struct sv text;

	switch (flt_column_kind(b->column)) {
	case FLT_CELL_SIGNED:
	case FLT_CELL_UNSIGNED:
		if (pattern)
			return NULL;
		if (sqlite3_value_type(v) == SQLITE_INTEGER)
			return integer_check(b, flt_op_of(op), sqlite3_value_int64(v));
		if (sqlite3_value_type(v) == SQLITE_FLOAT)
			return real_check(b, flt_op_of(op), sqlite3_value_double(v));
		return NULL;
	case FLT_CELL_TEXT:
		if (sqlite3_value_type(v) != SQLITE_TEXT)
			return NULL;
		text = vtab_text_of(v);
		return text.p ? text_check(b, op, text) : NULL;
	default:
		return NULL;
	}
}

/* One of the values of IN; all of them must be for us. */
static struct flt_node *list_check(struct builder *b, sqlite3_value *list)
{
	struct flt_node **kids = NULL, *n;
	sqlite3_value *v;
	uint32_t count = 0;
	int rc;

	for (rc = sqlite3_vtab_in_first(list, &v); rc == SQLITE_OK && v;
	     rc = sqlite3_vtab_in_next(list, &v)) {
		struct flt_node **more;

		if (sqlite3_value_type(v) == SQLITE_NULL)
			continue; /* equals nothing */
		n = count < VTAB_VALUES_MAX ? value_check(b, SQLITE_INDEX_CONSTRAINT_EQ, v) : NULL;
		more = n ? reallocarray(kids, count + 1, sizeof(*kids)) : NULL;
		if (!more) {
			free(kids);
			return NULL;
		}
		kids = more;
		kids[count++] = n;
	}
	n = rc == SQLITE_DONE && count == 1 ? kids[0] : NULL;
	if (rc == SQLITE_DONE && count > 1) {
		struct flt_node **kept = arena_zalloc(&b->arena, count, sizeof(*kept));

		if (kept)
			memcpy(kept, kids, count * sizeof(*kept));
		n = kept ? node(b, FLT_OR, kept, count) : NULL;
	}
	free(kids);
	return n;
}

/* --- the whole --- */

static struct flt_node *argument_check(struct builder *b, const struct vtab_column *c,
				       const struct vtab_argument *a)
{
	b->field = c->field;
	if (flt_column_new(b->program, sv_of(c->field), &b->column, NULL) < 0 || !b->column ||
	    !flt_column_is_plain(b->column))
		return NULL;
	if (a->op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL)
		return check(b, FLT_OP_EXISTS, SV_NONE);
	return a->is_list ? list_check(b, a->value) : value_check(b, a->op, a->value);
}

static int add_filter(struct builder *b, const char *text, struct error *err)
{
	struct flt_pos pos = {0};
	struct error why = {0};
	struct flt_node *n;
	unsigned id;
	int rc;

	rc = flt_parse(sv_of(text), FLT_DEPTH_DEFAULT, &b->arena, &n, &pos, &why);
	if (rc == 0)
		rc = flt_program_add(b->program, n, NULL, NULL, &id, &pos, &why);
	if (rc < 0)
		return error_set(err, rc, "filter, column %u: %s", pos.column, why.msg);
	b->kids[b->count++] = n;
	return 0;
}

static int compile(struct builder *b, struct vtab_condition *c, struct error *err)
{
	struct flt_node *n = b->count == 1 ? b->kids[0] : node(b, FLT_AND, b->kids, b->count);
	int rc;

	if (!n)
		return error_nomem(err);
	rc = flt_program_add(b->program, n, NULL, NULL, &c->id, NULL, err);
	if (rc == 0)
		c->skips = run_skip_of(n, &c->skip) == 0 && !flt_program_has_memory(b->program);
	for (unsigned type = 0; type < EV_TYPE_COUNT && rc == 0 && c->skips; type++)
		if (flt_types_has(&c->skip.types, type)) /* may ask about threads first */
			rc = flt_program_batch(b->program, type, &c->id, 1, err);
	return rc == 0 ? flt_program_seal(b->program, err) : rc;
}

int vtab_condition_make(struct vtab_condition *c, const struct vtab_table *t,
			const struct vtab_request *q, struct error *err)
{
	struct builder b = {0};
	int rc;

	*c = (struct vtab_condition){0};
	if (!q->arg_count && !q->filter)
		return 0;
	rc = flt_program_new(NULL, &b.program, err);
	if (rc == 0) {
		b.kids = arena_zalloc(&b.arena, (size_t)q->arg_count + 1, sizeof(*b.kids));
		if (!b.kids)
			rc = error_nomem(err);
	}
	if (rc == 0 && q->filter)
		rc = add_filter(&b, q->filter, err);
	for (int i = 0; rc == 0 && i < q->arg_count; i++) {
		struct flt_node *n =
		    argument_check(&b, &t->columns[q->args[i].column], &q->args[i]);

		if (n)
			b.kids[b.count++] = n;
		else if (q->args[i].is_exact)
			rc = error_nomem(err);
	}
	if (rc == 0 && b.count)
		rc = compile(&b, c, err);
	if (rc == 0 && b.count)
		c->program = b.program;
	else
		flt_program_free(b.program);
	arena_done(&b.arena);
	return rc;
}

void vtab_condition_done(struct vtab_condition *c)
{
	flt_program_free(c->program);
	*c = (struct vtab_condition){0};
}
