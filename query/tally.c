/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups are records in blocks of memory, found by a table of hashes. A record has the states of
 * the aggregates and behind them the key: for each part a byte for its type, then a number, or a
 * length and bytes. Keys that are a whole number in one row and an equal fraction (1.0) in another
 * are left to SQLite: which of the two it shows depends on the order of rows.
 */
#include "query/tally.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "query/tally_values.h"

#define BLOCK_SIZE (1u << 20)
#define TABLE_SIZE 1024u /* slots at first */
#define BATCH	   64u	 /* rows that are added together, to wait for memory once */
#define PAUSE	   4096u /* comparisons between two questions whether to stop */
#define PREFIXES   2	 /* keys of which a number stands for the first glance */
#define SEEN_AHEAD 2	 /* arguments of a row that are asked for before they are used */

struct group {
	uint32_t key_size;
	struct tally_value value[];
};

struct seen { /* an argument of count(DISTINCT) in a group */
	struct group *group;
	uint32_t n;
	uint8_t value, bytes[];
};

struct slot {
	uint64_t hash;
	void *record; /* NULL: free */
};

struct table {
	struct slot *slots;
	size_t count, mask;
};

struct block {
	struct block *next;
	size_t used;
	uint8_t data[];
};

struct row {		     /* that waits */
	size_t at, key_size; /* in qry_tally.waiting: the key, and behind it the arguments */
	uint64_t hash;
	uint64_t seen[SEEN_AHEAD]; /* hashes of the first arguments of count(DISTINCT) */
};

struct ordered {
	uint64_t prefix[PREFIXES]; /* in the order of keys, as far as it goes */
	struct group *group;
};

struct qry_tally {
	struct qry_tally_options opt;
	struct qry_tally_shape shape;
	struct tally_columns columns;
	unsigned arguments, distinct;
	uint64_t seed, memory;
	struct block *blocks;
	struct table groups, seen;
	struct ordered *list; /* when settled */
	bool long_first;      /* the first prefix is not all of some key */
	struct row rows[BATCH];
	unsigned row_count;
	struct buf waiting; /* texts of the rows */
	bool texts;	    /* values have memory of their own */
	enum qry_tally_fault fault;
};

/* --- memory: SQLite's, so that its limit counts it */

static void *take_memory(struct qry_tally *t, uint64_t n)
{
	uint64_t most = t->opt.memory ? t->opt.memory : QRY_TALLY_MEMORY;
	void *p = n <= most && t->memory <= most - n ? sqlite3_malloc64(n) : NULL;

	t->memory += p ? n : 0;
	return p;
}

static uint8_t *key_of(const struct qry_tally *t, struct group *g)
{
	return (uint8_t *)&g->value[t->shape.values];
}

static void free_values(const struct qry_tally *t)
{
	for (size_t i = 0; t->texts && i <= t->groups.mask; i++) {
		struct group *g = t->groups.slots[i].record;

		for (unsigned v = 0; g && v < t->shape.values; v++)
			if (g->value[v].type >= TALLY_TEXT)
				sqlite3_free(g->value[v].bytes);
	}
}

void qry_tally_free(struct qry_tally *t)
{
	struct block *b, *next;

	if (!t)
		return;
	free_values(t);
	for (b = t->blocks; b; b = next) {
		next = b->next;
		sqlite3_free(b);
	}
	sqlite3_free(t->groups.slots);
	sqlite3_free(t->seen.slots);
	sqlite3_free(t->list);
	buf_done(&t->waiting);
	free(t);
}

static void *new_record(struct qry_tally *t, size_t size)
{
	size_t n = (size + 7) & ~(size_t)7, room = n > BLOCK_SIZE ? n : BLOCK_SIZE;
	struct block *b = t->blocks;
	void *p;

	if (!b || b->used > BLOCK_SIZE || BLOCK_SIZE - b->used < n) {
		b = take_memory(t, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->next = t->blocks;
		b->used = 0;
		t->blocks = b;
	}
	p = b->data + b->used;
	b->used += n;
	return p;
}

static struct slot *free_slot(struct slot *slots, size_t mask, uint64_t hash)
{
	size_t i = hash & mask;

	while (slots[i].record)
		i = (i + 1) & mask;
	return &slots[i];
}

static bool grow(struct qry_tally *t, struct table *table)
{
	size_t n = table->slots ? 2 * (table->mask + 1) : TABLE_SIZE;
	struct slot *slots = take_memory(t, n * sizeof(*slots));

	if (!slots)
		return false;
	memset(slots, 0, n * sizeof(*slots));
	for (size_t i = 0; table->slots && i <= table->mask; i++)
		if (table->slots[i].record)
			*free_slot(slots, n - 1, table->slots[i].hash) = table->slots[i];
	if (table->slots)
		t->memory -= (table->mask + 1) * sizeof(*slots);
	sqlite3_free(table->slots);
	table->slots = slots;
	table->mask = n - 1;
	return true;
}

static bool has_room(struct qry_tally *t, struct table *table)
{
	return table->slots && table->count < (table->mask + 1) / 4 * 3 ? true : grow(t, table);
}

static bool fail(struct qry_tally *t, enum qry_tally_fault fault)
{
	if (!t->fault)
		t->fault = fault;
	return false;
}

/* --- groups, and what was seen in them */

/* The group with this key, new or known. Return: NULL without memory. */
static struct group *group_of(struct qry_tally *t, const void *key, size_t size, uint64_t hash)
{
	size_t head = sizeof(struct group) + t->shape.values * sizeof(struct tally_value), i;
	struct group *g;

	if (!has_room(t, &t->groups))
		return NULL;
	for (i = hash & t->groups.mask; (g = t->groups.slots[i].record);
	     i = (i + 1) & t->groups.mask)
		if (t->groups.slots[i].hash == hash && g->key_size == size &&
		    memcmp(key_of(t, g), key, size) == 0)
			return g;
	g = new_record(t, head + size);
	if (!g)
		return NULL;
	memset(g, 0, head);
	g->key_size = (uint32_t)size;
	memcpy(key_of(t, g), key, size);
	t->groups.slots[i] = (struct slot){hash, g};
	t->groups.count++;
	return g;
}

/* Count @p, if it is the first like that in @g. */
static bool see(struct qry_tally *t, struct group *g, unsigned value, const void *p, size_t n,
		uint64_t hash)
{
	struct seen *s;
	size_t i;

	if (!has_room(t, &t->seen))
		return fail(t, QRY_TALLY_MEMORY_OUT);
	for (i = hash & t->seen.mask; (s = t->seen.slots[i].record); i = (i + 1) & t->seen.mask)
		if (t->seen.slots[i].hash == hash && s->group == g && s->value == value &&
		    s->n == n && memcmp(s->bytes, p, n) == 0)
			return true;
	s = new_record(t, sizeof(*s) + n);
	if (!s)
		return fail(t, QRY_TALLY_MEMORY_OUT);
	*s = (struct seen){.group = g, .n = (uint32_t)n, .value = (uint8_t)value};
	memcpy(s->bytes, p, n);
	t->seen.slots[i] = (struct slot){hash, s};
	t->seen.count++;
	g->value[value].i++;
	g->value[value].type = TALLY_INT;
	return true;
}

/* --- values */

static bool keep(struct qry_tally *t, struct tally_value *to, const struct tally_decoded *v)
{
	bool text = v->type >= TALLY_TEXT;
	uint8_t *bytes = text ? take_memory(t, (uint64_t)v->n + 1) : NULL;

	if (text && !bytes)
		return fail(t, QRY_TALLY_MEMORY_OUT);
	if (to->type >= TALLY_TEXT) {
		t->memory -= (uint64_t)to->n + 1;
		sqlite3_free(to->bytes);
	}
	to->type = v->type;
	to->n = v->n;
	if (text) {
		t->texts = true;
		memcpy(bytes, v->bytes, v->n);
		to->bytes = bytes;
	} else {
		to->i = v->i;
	}
	return true;
}

/* @sign 1: the largest, -1: the smallest. Of equal ones the first stays. */
static bool extreme(struct qry_tally *t, struct tally_value *to, const struct tally_decoded *v,
		    int sign)
{
	struct tally_decoded old;
	int order;

	if (v->type == TALLY_NULL)
		return true;
	old = tally_value_get(to);
	order = old.type == TALLY_NULL ? sign : tally_compare(v, &old);
	if (order == 0 && v->type != old.type && !t->shape.in_order)
		return fail(t, QRY_TALLY_ORDER);
	return order * sign <= 0 || keep(t, to, v);
}

static bool add(struct qry_tally *t, struct tally_value *to, const struct tally_decoded *v,
		char kind)
{
	switch (tally_add(to, v, kind, t->shape.in_order)) {
	case TALLY_ADDED:
		return true;
	case TALLY_NOT_SO:
		return fail(t, QRY_TALLY_ORDER);
	default:
		return fail(t, QRY_TALLY_VALUE);
	}
}

/* The same in every tally. @seen: the number of the argument among those. */
static uint64_t hash_of_seen(uint64_t group, unsigned seen, const void *p, size_t n)
{
	return hash_bytes(p, n, group + seen);
}

static bool take_values(struct qry_tally *t, struct group *g, const struct row *r)
{
	const uint8_t *at = (const uint8_t *)t->waiting.p + r->at + r->key_size;
	unsigned seen = 0;
	bool good = true;

	for (unsigned i = 0; i < t->shape.values && good; i++) {
		struct tally_value *to = &g->value[i];
		struct tally_decoded v = {.type = TALLY_INT};
		const uint8_t *from = at;

		if (t->shape.kinds[i] != 'n')
			at = tally_decode(at, &v);
		switch (t->shape.kinds[i]) {
		case 'n':
		case 'c':
			to->i += v.type != TALLY_NULL;
			to->type = TALLY_INT;
			break;
		case 'd':
			good = v.type == TALLY_NULL ||
			       see(t, g, i, from, (size_t)(at - from),
				   seen < SEEN_AHEAD
				       ? r->seen[seen]
				       : hash_of_seen(r->hash, seen, from, (size_t)(at - from)));
			seen++;
			to->type = TALLY_INT;
			break;
		case 'm':
			good = extreme(t, to, &v, -1);
			break;
		case 'M':
			good = extreme(t, to, &v, 1);
			break;
		default:
			good = add(t, to, &v, t->shape.kinds[i]);
			break;
		}
	}
	return good;
}

/* --- rows: encoded when they come, and added some at a time */

static void *record_at(const struct table *table, uint64_t hash)
{
	return table->slots ? table->slots[hash & table->mask].record : NULL;
}

/*
 * Groups are all over memory, and each takes its time to come: so all of them are asked for before
 * the first is used, as is what was seen in them.
 */
static bool add_rows(struct qry_tally *t)
{
	bool good = !t->waiting.failed || fail(t, QRY_TALLY_MEMORY_OUT);

	for (unsigned i = 0; i < t->row_count; i++) {
		__builtin_prefetch(record_at(&t->groups, t->rows[i].hash));
		for (unsigned k = 0; k < SEEN_AHEAD && k < t->distinct; k++)
			__builtin_prefetch(record_at(&t->seen, t->rows[i].seen[k]));
	}
	for (unsigned i = 0; i < t->row_count && good; i++) {
		const struct row *r = &t->rows[i];
		const char *key = t->waiting.p + r->at;
		struct group *g = group_of(t, key, r->key_size, r->hash);

		good = g ? take_values(t, g, r) : fail(t, QRY_TALLY_MEMORY_OUT);
	}
	t->row_count = 0;
	buf_reset(&t->waiting);
	return good;
}

/* Ask for the places of what count(DISTINCT) looks at. */
static void look_ahead(struct qry_tally *t, struct row *r)
{
	const uint8_t *at = (const uint8_t *)t->waiting.p + r->at + r->key_size;
	unsigned seen = 0;

	for (unsigned i = 0; i < t->shape.values && seen < SEEN_AHEAD; i++) {
		const uint8_t *from = at;
		struct tally_decoded v;

		if (t->shape.kinds[i] != 'n')
			at = tally_decode(at, &v);
		if (t->shape.kinds[i] != 'd')
			continue;
		r->seen[seen] = hash_of_seen(r->hash, seen, from, (size_t)(at - from));
		if (t->seen.slots)
			__builtin_prefetch(&t->seen.slots[r->seen[seen] & t->seen.mask]);
		seen++;
	}
}

bool qry_tally_add(struct qry_tally *t, sqlite3_value **v, unsigned n)
{
	const unsigned keys = t->shape.keys;
	struct row *r = &t->rows[t->row_count];
	bool good = true;
	unsigned value = 0;

	if (t->fault || n != keys + t->arguments)
		return fail(t, QRY_TALLY_VALUE);
	r->at = t->waiting.len;
	for (unsigned i = 0; i < keys && good; i++)
		good = tally_encode_key(&t->waiting, v[i], &t->columns, i);
	r->key_size = t->waiting.len - r->at;
	for (unsigned i = keys; i < n && good; i++, value++) {
		while (t->shape.kinds[value] == 'n')
			value++;
		good = tally_encode_argument(&t->waiting, v[i], t->shape.kinds[value]);
	}
	if (!good || t->waiting.failed)
		return fail(t, good ? QRY_TALLY_MEMORY_OUT : QRY_TALLY_VALUE);
	r->hash = hash_bytes(t->waiting.p + r->at, r->key_size, t->seed);
	__builtin_prefetch(&t->groups.slots[r->hash & t->groups.mask]);
	if (t->distinct)
		look_ahead(t, r);
	return ++t->row_count < BATCH && t->waiting.len < BLOCK_SIZE ? true : add_rows(t);
}

struct qry_tally *qry_tally_new(const struct qry_tally_options *opt,
				const struct qry_tally_shape *shape, uint64_t seed)
{
	struct qry_tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->opt = *opt;
	t->shape = *shape;
	t->seed = seed;
	for (unsigned i = 0; i < shape->values; i++) {
		t->arguments += shape->kinds[i] != 'n';
		t->distinct += shape->kinds[i] == 'd';
	}
	if (!grow(t, &t->groups) || !buf_room(&t->waiting, BATCH)) { /* a place, also for no key */
		qry_tally_free(t);
		return NULL;
	}
	return t;
}

/* --- merging */

static bool merge_value(struct qry_tally *t, struct tally_value *to, const struct tally_value *from,
			char kind)
{
	struct tally_decoded v = tally_value_get(from);

	switch (kind) {
	case 'd': /* counted anew */
		to->type = TALLY_INT;
		return true;
	case 'n':
	case 'c':
		to->i += v.i;
		to->type = TALLY_INT;
		return true;
	case 'm':
		return extreme(t, to, &v, -1);
	case 'M':
		return extreme(t, to, &v, 1);
	default:
		return tally_add_sum(to, from, kind) || fail(t, QRY_TALLY_ORDER);
	}
}

/* Where the group of another tally went. */
static struct group **home(struct group *g)
{
	return (struct group **)(void *)&g->value[0].bytes;
}

static bool merge_group(struct qry_tally *t, const struct qry_tally *from, const struct slot *s)
{
	struct group *other = s->record;
	struct group *g = group_of(t, key_of(from, other), other->key_size, s->hash);

	if (!g)
		return fail(t, QRY_TALLY_MEMORY_OUT);
	for (unsigned v = 0; v < t->shape.values; v++)
		if (!merge_value(t, &g->value[v], &other->value[v], t->shape.kinds[v]))
			return false;
	if (from->seen.count) {
		if (other->value[0].type >= TALLY_TEXT)
			sqlite3_free(other->value[0].bytes);
		other->value[0].type = TALLY_NULL;
		*home(other) = g;
	}
	return true;
}

bool qry_tally_merge(struct qry_tally *t, struct qry_tally *from)
{
	bool good = add_rows(t);

	if (good && !add_rows(from))
		good = fail(t, from->fault);
	for (size_t i = 0; i <= from->groups.mask && good; i++)
		if (from->groups.slots[i].record)
			good = merge_group(t, from, &from->groups.slots[i]);
	for (size_t i = 0; from->seen.count && i <= from->seen.mask && good; i++) {
		struct seen *s = from->seen.slots[i].record;

		good = !s ||
		       see(t, *home(s->group), s->value, s->bytes, s->n, from->seen.slots[i].hash);
	}
	t->columns.whole |= from->columns.whole;
	t->columns.whole_fractions |= from->columns.whole_fractions;
	return good;
}

/* --- order */

static int compare_keys(const struct qry_tally *t, struct group *x, struct group *y)
{
	const uint8_t *a = key_of(t, x), *b = key_of(t, y);
	int order = 0;

	for (unsigned i = 0; i < t->shape.keys && !order; i++) {
		struct tally_decoded p, q;

		a = tally_decode(a, &p);
		b = tally_decode(b, &q);
		order = t->shape.falls[i] ? tally_compare(&q, &p) : tally_compare(&p, &q);
	}
	return order;
}

static bool comes_first(const struct qry_tally *t, const struct ordered *x, const struct ordered *y)
{
	for (unsigned i = 0; i < PREFIXES; i++) {
		if (x->prefix[i] != y->prefix[i])
			return x->prefix[i] < y->prefix[i];
		if (t->long_first) /* equal at the first glance only */
			break;
	}
	return compare_keys(t, x->group, y->group) <= 0;
}

static bool is_stopped(const struct qry_tally *t)
{
	return t->opt.stop && t->opt.stop(t->opt.arg);
}

static bool is_time_to_stop(const struct qry_tally *t, unsigned *until)
{
	if (--*until)
		return false;
	*until = PAUSE;
	return is_stopped(t);
}

/* Merge what is in order from @from to @mid and from there to @to. */
static bool merge_runs(const struct qry_tally *t, struct ordered *from, struct ordered *mid,
		       struct ordered *to, struct ordered *out, unsigned *until)
{
	struct ordered *second = mid;

	while (from < mid || second < to) {
		if (is_time_to_stop(t, until))
			return false;
		if (second == to || (from < mid && comes_first(t, from, second)))
			*out++ = *from++;
		else
			*out++ = *second++;
	}
	return true;
}

/* Bottom up, and not by qsort(), because it must be possible to stop. */
static bool sort(struct qry_tally *t, struct ordered *other)
{
	const size_t count = t->groups.count;
	unsigned until = PAUSE;
	bool good = true;

	for (size_t run = 1; run < count && good; run *= 2) {
		struct ordered *swap = t->list;

		for (size_t i = 0; i < count && good; i += 2 * run) {
			size_t mid = i + run < count ? i + run : count;
			size_t end = mid + run < count ? mid + run : count;

			good = merge_runs(t, swap + i, swap + mid, swap + end, other + i, &until);
		}
		t->list = other;
		other = swap;
	}
	sqlite3_free(other);
	return good || fail(t, QRY_TALLY_STOPPED);
}

static struct ordered ordered_of(struct qry_tally *t, struct group *g)
{
	struct ordered o = {.group = g};
	const uint8_t *at = key_of(t, g);

	for (unsigned i = 0; i < PREFIXES && i < t->shape.keys; i++) {
		struct tally_decoded v;
		bool all;

		at = tally_decode(at, &v);
		o.prefix[i] = tally_prefix(&v, &all);
		t->long_first |= i == 0 && !all;
		if (t->shape.falls[i])
			o.prefix[i] = ~o.prefix[i];
	}
	return o;
}

/* Without keys there is one group, also of no rows. */
static bool complete(struct qry_tally *t)
{
	struct group *g = t->shape.keys || t->groups.count
			      ? NULL
			      : group_of(t, "", 0, hash_bytes("", 0, t->seed));

	for (unsigned i = 0; g && i < t->shape.values; i++)
		if (strchr("ncd", t->shape.kinds[i]))
			g->value[i].type = TALLY_INT;
	return t->shape.keys || t->groups.count || fail(t, QRY_TALLY_MEMORY_OUT);
}

bool qry_tally_settle(struct qry_tally *t)
{
	struct ordered *other;
	uint64_t size;
	size_t n = 0;

	if (t->fault || !add_rows(t) || !complete(t))
		return false;
	size = (t->groups.count + 1) * sizeof(struct ordered);
	if (t->columns.whole & t->columns.whole_fractions)
		return fail(t, QRY_TALLY_VALUE);
	if (is_stopped(t)) /* that is why no more rows came, perhaps */
		return fail(t, QRY_TALLY_STOPPED);
	other = take_memory(t, size);
	t->list = take_memory(t, size);
	if (!t->list || !other) {
		sqlite3_free(other);
		return fail(t, QRY_TALLY_MEMORY_OUT);
	}
	for (size_t i = 0; i <= t->groups.mask; i++)
		if (t->groups.slots[i].record)
			t->list[n++] = ordered_of(t, t->groups.slots[i].record);
	return sort(t, other);
}

/* --- the groups */

enum qry_tally_fault qry_tally_fault(const struct qry_tally *t)
{
	return t->fault;
}

size_t qry_tally_count(const struct qry_tally *t)
{
	return t->groups.count;
}

void qry_tally_give_key(const struct qry_tally *t, size_t group, unsigned key, sqlite3_context *ctx)
{
	const uint8_t *at = key_of(t, t->list[group].group);
	struct tally_decoded v = {.type = TALLY_NULL};

	for (unsigned i = 0; i <= key && key < t->shape.keys; i++)
		at = tally_decode(at, &v);
	tally_give(ctx, &v);
}

void qry_tally_give_value(const struct qry_tally *t, size_t group, unsigned value,
			  sqlite3_context *ctx)
{
	if (value < t->shape.values)
		tally_give_value(ctx, &t->list[group].group->value[value], t->shape.kinds[value]);
}
