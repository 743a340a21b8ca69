/* SPDX-License-Identifier: Apache-2.0 */
#include "query/tally_values.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

#define EXACT_MAX    (1ll << 53) /* sums below are exact as floating point, in any order */
#define PREFIX_BITS  62
#define PREFIX_MAX   (1ll << (PREFIX_BITS - 1)) /* of numbers, in either direction */
#define SUMS_CHANGED 3043000			/* SQLite: fractions are summed up in another way */

/* --- bytes */

static void put_number(struct buf *to, enum tally_type type, const void *number)
{
	uint8_t all[1 + sizeof(int64_t)] = {(uint8_t)type};

	memcpy(all + 1, number, sizeof(int64_t));
	buf_add(to, all, sizeof(all));
}

static void put_int(struct buf *to, int64_t i)
{
	put_number(to, TALLY_INT, &i);
}

/* Return: false of a zero that is negative: it equals the other one. */
static bool put_real(struct buf *to, double real)
{
	put_number(to, TALLY_REAL, &real);
	return real != 0 || !signbit(real);
}

static bool put_bytes(struct buf *to, sqlite3_value *v, enum tally_type type)
{
	/* Of texts, too: sqlite3_value_text() would copy them for the NUL. */
	const void *p = sqlite3_value_blob(v);
	uint32_t n = (uint32_t)sqlite3_value_bytes(v);
	uint8_t head[1 + sizeof(n)] = {(uint8_t)type};

	memcpy(head + 1, &n, sizeof(n));
	buf_add(to, head, sizeof(head));
	buf_add(to, p, n);
	return p || !n;
}

static bool put(struct buf *to, sqlite3_value *v)
{
	switch (sqlite3_value_type(v)) {
	case SQLITE_NULL:
		buf_char(to, TALLY_NULL);
		return true;
	case SQLITE_INTEGER:
		put_int(to, sqlite3_value_int64(v));
		return true;
	case SQLITE_FLOAT:
		return put_real(to, sqlite3_value_double(v));
	case SQLITE_TEXT:
		return put_bytes(to, v, TALLY_TEXT);
	default:
		return put_bytes(to, v, TALLY_BLOB);
	}
}

/* Can it equal a whole number? */
static bool is_whole(double real)
{
	return real >= (double)INT64_MIN && real < -(double)INT64_MIN && real == trunc(real);
}

bool tally_encode_key(struct buf *to, sqlite3_value *v, struct tally_columns *c, unsigned column)
{
	int type = sqlite3_value_type(v);

	if (type == SQLITE_INTEGER)
		c->whole |= 1u << column;
	else if (type == SQLITE_FLOAT && is_whole(sqlite3_value_double(v)))
		c->whole_fractions |= 1u << column;
	return put(to, v);
}

bool tally_encode_argument(struct buf *to, sqlite3_value *v, char kind)
{
	int type;

	switch (kind) {
	case 'c':
		if (sqlite3_value_type(v) == SQLITE_NULL)
			buf_char(to, TALLY_NULL);
		else
			put_int(to, 0);
		return true;
	case 's':
	case 'a':
	case 't':
		type = sqlite3_value_numeric_type(v);
		if (type == SQLITE_NULL || type == SQLITE_INTEGER)
			return put(to, v);
		put_real(to, sqlite3_value_double(v));
		return true;
	case 'd': /* 1 and 1.0 are not distinct */
		return put(to, v) && (sqlite3_value_type(v) != SQLITE_FLOAT ||
				      !is_whole(sqlite3_value_double(v)));
	default:
		return put(to, v);
	}
}

const uint8_t *tally_decode(const uint8_t *at, struct tally_decoded *v)
{
	*v = (struct tally_decoded){.type = *at++};
	switch (v->type) {
	case TALLY_NULL:
		return at;
	case TALLY_INT:
	case TALLY_REAL:
		memcpy(&v->i, at, sizeof(v->i));
		return at + sizeof(v->i);
	default:
		memcpy(&v->n, at, sizeof(v->n));
		v->bytes = at + sizeof(v->n);
		return v->bytes + v->n;
	}
}

/* --- order */

static int compare_bytes(const void *a, size_t an, const void *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (an > bn) - (an < bn);
}

static int compare_int_real(int64_t i, double real)
{
	int64_t whole;

	if (real < (double)INT64_MIN)
		return 1;
	if (real >= -(double)INT64_MIN)
		return -1;
	whole = (int64_t)real;
	if (i != whole)
		return i < whole ? -1 : 1;
	return ((double)whole > real) - ((double)whole < real);
}

static unsigned class_of(uint8_t type)
{
	return type == TALLY_REAL ? TALLY_INT : type;
}

int tally_compare(const struct tally_decoded *a, const struct tally_decoded *b)
{
	if (class_of(a->type) != class_of(b->type))
		return class_of(a->type) < class_of(b->type) ? -1 : 1;
	if (a->type >= TALLY_TEXT)
		return compare_bytes(a->bytes, a->n, b->bytes, b->n);
	if (a->type == TALLY_NULL)
		return 0;
	if (a->type == TALLY_INT && b->type == TALLY_INT)
		return (a->i > b->i) - (a->i < b->i);
	if (a->type == TALLY_INT)
		return compare_int_real(a->i, b->real);
	if (b->type == TALLY_INT)
		return -compare_int_real(b->i, a->real);
	return (a->real > b->real) - (a->real < b->real);
}

static uint64_t prefix_of_number(int64_t i)
{
	if (i >= PREFIX_MAX)
		i = PREFIX_MAX - 1;
	return (uint64_t)((i < -PREFIX_MAX ? -PREFIX_MAX : i) + PREFIX_MAX);
}

static uint64_t prefix_of_bytes(const struct tally_decoded *v)
{
	uint8_t first[sizeof(uint64_t)] = {0};
	uint64_t all = 0;

	if (v->n)
		memcpy(first, v->bytes, v->n < sizeof(first) ? v->n : sizeof(first));
	for (size_t i = 0; i < sizeof(first); i++)
		all = all << 8 | first[i];
	return all >> (64 - PREFIX_BITS);
}

uint64_t tally_prefix(const struct tally_decoded *v, bool *all)
{
	*all = v->type == TALLY_NULL ||
	       (v->type == TALLY_INT && v->i < PREFIX_MAX && v->i >= -PREFIX_MAX);
	switch (v->type) {
	case TALLY_NULL:
		return 0;
	case TALLY_INT:
		return (uint64_t)1 << PREFIX_BITS | prefix_of_number(v->i);
	case TALLY_REAL:
		if (v->real >= (double)PREFIX_MAX)
			return (uint64_t)1 << PREFIX_BITS | prefix_of_number(INT64_MAX);
		return (uint64_t)1 << PREFIX_BITS |
		       prefix_of_number(v->real < -(double)PREFIX_MAX ? INT64_MIN
								      : (int64_t)v->real);
	case TALLY_TEXT:
		return (uint64_t)2 << PREFIX_BITS | prefix_of_bytes(v);
	default:
		return (uint64_t)3 << PREFIX_BITS | prefix_of_bytes(v);
	}
}

/* --- states */

struct tally_decoded tally_value_get(const struct tally_value *v)
{
	struct tally_decoded d = {.type = v->type};

	if (v->type >= TALLY_TEXT) {
		d.bytes = v->bytes;
		d.n = v->n;
	} else {
		d.i = v->i;
	}
	return d;
}

static bool is_exact(int64_t i)
{
	return i < EXACT_MAX && i > -EXACT_MAX;
}

/* SQLite sums up twice, with whole numbers and with fractions; here it is one or the other. */
static enum tally_added add_fraction(struct tally_value *to, const struct tally_decoded *v,
				     bool in_order)
{
	if (!in_order)
		return TALLY_NOT_SO;
	if (to->inexact || sqlite3_libversion_number() >= SUMS_CHANGED)
		return TALLY_NEVER;
	if (to->type != TALLY_REAL)
		to->real = (double)to->i;
	to->type = TALLY_REAL;
	to->real += v->type == TALLY_INT ? (double)v->i : v->real;
	to->n++;
	return TALLY_ADDED;
}

enum tally_added tally_add(struct tally_value *to, const struct tally_decoded *v, char kind,
			   bool in_order)
{
	bool overflow;
	int64_t sum;

	if (v->type == TALLY_NULL)
		return TALLY_ADDED;
	if (to->n == UINT32_MAX)
		return TALLY_NEVER;
	if (v->type == TALLY_REAL || to->type == TALLY_REAL)
		return add_fraction(to, v, in_order);
	overflow = __builtin_add_overflow(to->i, v->i, &sum);
	if (kind != 's' && (overflow || !is_exact(sum)))
		return add_fraction(to, v, in_order);
	if (overflow) /* SQLite says so, too, unless it comes in another order */
		return in_order ? TALLY_NEVER : TALLY_NOT_SO;
	to->i = sum;
	to->inexact |= !is_exact(sum);
	to->type = TALLY_INT;
	to->n++;
	return TALLY_ADDED;
}

bool tally_add_sum(struct tally_value *to, const struct tally_value *from, char kind)
{
	if (from->type == TALLY_NULL)
		return true;
	if (from->type == TALLY_REAL || from->n > UINT32_MAX - to->n ||
	    __builtin_add_overflow(to->i, from->i, &to->i) || (kind != 's' && !is_exact(to->i)))
		return false;
	to->inexact |= from->inexact;
	to->type = TALLY_INT;
	to->n += from->n;
	return true;
}

/* --- results */

void tally_give(sqlite3_context *ctx, const struct tally_decoded *v)
{
	switch (v->type) {
	case TALLY_NULL:
		break;
	case TALLY_INT:
		sqlite3_result_int64(ctx, v->i);
		break;
	case TALLY_REAL:
		sqlite3_result_double(ctx, v->real);
		break;
	case TALLY_TEXT:
		sqlite3_result_text(ctx, (const char *)v->bytes, (int)v->n, SQLITE_TRANSIENT);
		break;
	default:
		sqlite3_result_blob(ctx, v->bytes, (int)v->n, SQLITE_TRANSIENT);
		break;
	}
}

void tally_give_value(sqlite3_context *ctx, const struct tally_value *v, char kind)
{
	struct tally_decoded d = tally_value_get(v);
	double sum = d.type == TALLY_REAL ? d.real : (double)d.i;

	if (kind == 't')
		sqlite3_result_double(ctx, d.type == TALLY_NULL ? 0 : sum);
	else if (kind == 'a' && d.type != TALLY_NULL)
		sqlite3_result_double(ctx, sum / v->n);
	else
		tally_give(ctx, &d);
}
