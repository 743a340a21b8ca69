/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of one aggregate are records in blocks of memory, found by a table of hashes. A record
 * has the states of the aggregates and behind them the key: for each part a byte for its type, then
 * a number, or a length and bytes. Keys of floating point are left to SQLite, as are sums of
 * anything but whole numbers: there the order of rows matters for the result.
 */
#include "query/tally.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"

#define BLOCK_SIZE (1u << 20)
#define TABLE_SIZE 1024u       /* slots at first */
#define BATCH	   64u	       /* rows that are added together, to wait for memory once */
#define PAUSE	   4096u       /* comparisons between two questions whether to stop */
#define EXACT_MAX  (1ll << 53) /* sums below are exact as floating point, in any order */

enum type { T_NULL, T_INT, T_TEXT, T_BLOB }; /* in the order in which SQLite sorts them */

struct value { /* the state of one aggregate */
	union {
		int64_t i; /* a number, a sum, a count */
		uint8_t *bytes;
	};
	uint32_t n; /* bytes; avg(): how many */
	uint8_t type;
};

struct group {
	uint32_t key_size;
	struct value value[];
};

struct slot {
	uint64_t hash;
	struct group *group; /* NULL: free */
};

struct block {
	struct block *next;
	size_t used;
	uint8_t data[];
};

struct row {		     /* that waits */
	size_t at, key_size; /* in tally.waiting: the key, and behind it the arguments */
	uint64_t hash;
};

struct tally {
	struct qry_tallies *all;
	struct tally *next; /* waits for its table */
	int64_t id;
	unsigned keys, values;
	char kinds[QRY_TALLY_VALUES];
	struct block *blocks;
	uint64_t memory;
	struct slot *slots;
	size_t count, mask;
	struct group **list; /* in order, when complete */
	struct row rows[BATCH];
	unsigned row_count;
	struct buf waiting; /* texts of the rows */
	bool failed;
};

struct qry_tallies {
	struct qry_tally_options opt;
	struct tally *waiting;
	int64_t last_id;
	uint64_t seed;
	bool gave_up;
};

/* --- memory: SQLite's, so that its limit counts it */

static void *take_memory(struct tally *t, uint64_t n)
{
	uint64_t most = t->all->opt.memory ? t->all->opt.memory : QRY_TALLY_MEMORY;
	void *p = n <= most && t->memory <= most - n ? sqlite3_malloc64(n) : NULL;

	t->memory += p ? n : 0;
	return p;
}

static uint8_t *end_of(const struct tally *t, struct group *g)
{
	return (uint8_t *)&g->value[t->values];
}

static void free_values(const struct tally *t)
{
	for (size_t i = 0; t->slots && i <= t->mask; i++)
		for (unsigned v = 0; t->slots[i].group && v < t->values; v++)
			if (t->slots[i].group->value[v].type >= T_TEXT)
				sqlite3_free(t->slots[i].group->value[v].bytes);
}

static void tally_free(struct tally *t)
{
	struct block *b, *next;

	if (!t)
		return;
	free_values(t);
	for (b = t->blocks; b; b = next) {
		next = b->next;
		sqlite3_free(b);
	}
	sqlite3_free(t->slots);
	sqlite3_free(t->list);
	buf_done(&t->waiting);
	free(t);
}

static struct group *new_group(struct tally *t, size_t key_size)
{
	size_t head = sizeof(struct group) + t->values * sizeof(struct value);
	size_t n = (head + key_size + 7) & ~(size_t)7, room;
	struct block *b = t->blocks;
	struct group *g;

	if (!b || b->used > BLOCK_SIZE || BLOCK_SIZE - b->used < n) {
		room = n > BLOCK_SIZE ? n : BLOCK_SIZE;
		b = take_memory(t, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->next = t->blocks;
		b->used = 0;
		t->blocks = b;
	}
	g = (struct group *)(void *)(b->data + b->used);
	b->used += n;
	memset(g, 0, head);
	g->key_size = (uint32_t)key_size;
	return g;
}

static struct slot *slot_of(struct slot *slots, size_t mask, uint64_t hash)
{
	size_t i = hash & mask;

	while (slots[i].group)
		i = (i + 1) & mask;
	return &slots[i];
}

static bool grow(struct tally *t)
{
	size_t n = t->slots ? 2 * (t->mask + 1) : TABLE_SIZE;
	struct slot *slots = take_memory(t, n * sizeof(*slots));

	if (!slots)
		return false;
	memset(slots, 0, n * sizeof(*slots));
	for (size_t i = 0; t->slots && i <= t->mask; i++)
		if (t->slots[i].group)
			*slot_of(slots, n - 1, t->slots[i].hash) = t->slots[i];
	if (t->slots)
		t->memory -= (t->mask + 1) * sizeof(*slots);
	sqlite3_free(t->slots);
	t->slots = slots;
	t->mask = n - 1;
	return true;
}

/* --- rows: encoded when they come, and added some at a time */

/* A value as keys have it. Return: false if it cannot be one here. */
static bool encode(struct buf *to, sqlite3_value *v)
{
	int type = sqlite3_value_type(v);
	const void *p;
	uint8_t head[9];
	uint32_t n;
	int64_t number;

	switch (type) {
	case SQLITE_NULL:
		buf_char(to, T_NULL);
		return true;
	case SQLITE_INTEGER:
		number = sqlite3_value_int64(v);
		head[0] = T_INT;
		memcpy(head + 1, &number, sizeof(number));
		buf_add(to, head, 1 + sizeof(number));
		return true;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		/* Of texts, too: sqlite3_value_text() would copy them for the NUL. */
		p = sqlite3_value_blob(v);
		n = (uint32_t)sqlite3_value_bytes(v);
		head[0] = type == SQLITE_TEXT ? T_TEXT : T_BLOB;
		memcpy(head + 1, &n, sizeof(n));
		buf_add(to, head, 1 + sizeof(n));
		buf_add(to, p, n);
		return p || !n;
	default:
		return false;
	}
}

struct decoded {
	uint8_t type;
	int64_t i;
	const uint8_t *bytes;
	uint32_t n;
};

/* Return: behind it. */
static const uint8_t *decode(const uint8_t *at, struct decoded *v)
{
	*v = (struct decoded){.type = *at++};
	if (v->type == T_INT) {
		memcpy(&v->i, at, sizeof(v->i));
		return at + sizeof(v->i);
	}
	if (v->type == T_NULL)
		return at;
	memcpy(&v->n, at, sizeof(v->n));
	v->bytes = at + sizeof(v->n);
	return v->bytes + v->n;
}

/* The group with the key of @r, new or known. Return: NULL without memory. */
static struct group *group_of(struct tally *t, const struct row *r)
{
	const char *key = t->waiting.p + r->at;
	struct group *g;
	size_t i;

	if (t->count >= (t->mask + 1) / 4 * 3 && !grow(t))
		return NULL;
	for (i = r->hash & t->mask; (g = t->slots[i].group); i = (i + 1) & t->mask)
		if (t->slots[i].hash == r->hash && g->key_size == r->key_size &&
		    memcmp(end_of(t, g), key, r->key_size) == 0)
			return g;
	g = new_group(t, r->key_size);
	if (!g)
		return NULL;
	memcpy(end_of(t, g), key, r->key_size);
	t->slots[i] = (struct slot){r->hash, g};
	t->count++;
	return g;
}

static int compare_bytes(const void *a, size_t an, const void *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (an > bn) - (an < bn);
}

/* As SQLite orders them. */
static int compare(const struct decoded *a, const struct decoded *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->type == T_INT)
		return (a->i > b->i) - (a->i < b->i);
	return compare_bytes(a->bytes, a->n, b->bytes, b->n);
}

/* Return: false if the new one cannot be kept. */
static bool keep(struct tally *t, struct value *to, const struct decoded *v)
{
	uint8_t *bytes = v->type == T_INT ? NULL : take_memory(t, (uint64_t)v->n + 1);

	if (v->type != T_INT && !bytes)
		return false;
	if (to->type >= T_TEXT) {
		t->memory -= (uint64_t)to->n + 1;
		sqlite3_free(to->bytes);
	}
	to->type = v->type;
	to->n = v->n;
	if (bytes) {
		memcpy(bytes, v->bytes, v->n);
		to->bytes = bytes;
	} else {
		to->i = v->i;
	}
	return true;
}

/* @sign 1: the largest, -1: the smallest. */
static bool extreme(struct tally *t, struct value *to, const struct decoded *v, int sign)
{
	struct decoded old = {.type = to->type, .n = to->n};

	if (v->type == T_NULL)
		return true;
	if (old.type == T_INT)
		old.i = to->i;
	else if (old.type != T_NULL)
		old.bytes = to->bytes;
	if (old.type != T_NULL && compare(v, &old) * sign <= 0)
		return true;
	return keep(t, to, v);
}

static bool add(struct value *to, const struct decoded *v, bool exact)
{
	if (v->type == T_NULL)
		return true;
	if (v->type != T_INT || to->n == UINT32_MAX || __builtin_add_overflow(to->i, v->i, &to->i))
		return false;
	to->type = T_INT;
	to->n++;
	return !exact || (to->i < EXACT_MAX && to->i > -EXACT_MAX);
}

static bool take_values(struct tally *t, struct group *g, const uint8_t *at)
{
	bool good = true;

	for (unsigned i = 0; i < t->values && good; i++) {
		struct value *to = &g->value[i];
		struct decoded v = {.type = T_INT};

		if (t->kinds[i] != 'n')
			at = decode(at, &v);
		switch (t->kinds[i]) {
		case 'n':
		case 'c':
			to->i += v.type != T_NULL;
			to->type = T_INT;
			break;
		case 'm':
			good = extreme(t, to, &v, -1);
			break;
		case 'M':
			good = extreme(t, to, &v, 1);
			break;
		default:
			good = add(to, &v, t->kinds[i] == 'a');
			break;
		}
	}
	return good;
}

/*
 * Groups are all over memory, and each takes its time to come: so all of them are asked for before
 * the first is used.
 */
static bool add_rows(struct tally *t)
{
	bool good = !t->waiting.failed;

	for (unsigned i = 0; i < t->row_count; i++)
		__builtin_prefetch(t->slots[t->rows[i].hash & t->mask].group);
	for (unsigned i = 0; i < t->row_count && good; i++) {
		const struct row *r = &t->rows[i];
		struct group *g = group_of(t, r);

		good = g && take_values(t, g, (const uint8_t *)t->waiting.p + r->at + r->key_size);
	}
	t->row_count = 0;
	buf_reset(&t->waiting);
	return good;
}

/* Return: false if it cannot be added. */
static bool take_row(struct tally *t, sqlite3_value **v, unsigned n)
{
	struct row *r = &t->rows[t->row_count++];
	bool good = true;

	r->at = t->waiting.len;
	for (unsigned i = 0; i < t->keys && good; i++)
		good = encode(&t->waiting, *v++);
	r->key_size = t->waiting.len - r->at;
	for (unsigned i = t->keys; i < n && good; i++)
		good = encode(&t->waiting, *v++);
	if (!good || t->waiting.failed)
		return false;
	r->hash = hash_bytes(t->waiting.p + r->at, r->key_size, t->all->seed);
	__builtin_prefetch(&t->slots[r->hash & t->mask]);
	return (t->row_count < BATCH && t->waiting.len < BLOCK_SIZE) || add_rows(t);
}

/* --- the aggregate */

static bool take_shape(struct tally *t, const char *shape, int arguments)
{
	char *at;
	unsigned long keys = shape ? strtoul(shape, &at, 10) : 0;

	if (keys < 1 || keys > QRY_TALLY_KEYS || *at++ != ':')
		return false;
	t->keys = (unsigned)keys;
	arguments -= (int)keys + 1;
	for (; *at; at++) {
		if (t->values == QRY_TALLY_VALUES || !strchr("ncmMsa", *at))
			return false;
		t->kinds[t->values++] = *at;
		arguments -= *at != 'n';
	}
	return arguments == 0;
}

static struct tally *tally_new(struct qry_tallies *all, const char *shape, int arguments)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->all = all;
	if (!take_shape(t, shape, arguments) || !grow(t)) {
		tally_free(t);
		return NULL;
	}
	return t;
}

static void give_up(sqlite3_context *ctx, struct qry_tallies *all)
{
	all->gave_up = true;
	sqlite3_result_error(ctx, "these groups cannot be gathered without sorting", -1);
}

static void step(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct qry_tallies *all = sqlite3_user_data(ctx);
	struct tally **mine = sqlite3_aggregate_context(ctx, sizeof(struct tally *)), *t;

	if (mine && !*mine)
		*mine = tally_new(all, n ? (const char *)sqlite3_value_text(v[0]) : NULL, n);
	t = mine ? *mine : NULL;
	if (t && take_row(t, v + 1, (unsigned)n - 1))
		return;
	if (t)
		t->failed = true;
	give_up(ctx, all);
}

/* --- order */

static int compare_keys(const struct tally *t, struct group *x, struct group *y)
{
	const uint8_t *a = end_of(t, x), *b = end_of(t, y);
	int order = 0;

	for (unsigned i = 0; i < t->keys && !order; i++) {
		struct decoded p, q;

		a = decode(a, &p);
		b = decode(b, &q);
		order = compare(&p, &q);
	}
	return order;
}

static bool is_stopped(const struct tally *t, unsigned *until)
{
	if (--*until)
		return false;
	*until = PAUSE;
	return t->all->opt.stop && t->all->opt.stop(t->all->opt.arg);
}

/* Merge what is in order from @from to @mid and from there to @to. */
static bool merge(const struct tally *t, struct group **from, struct group **mid, struct group **to,
		  struct group **out, unsigned *until)
{
	struct group **second = mid;

	while (from < mid || second < to) {
		if (is_stopped(t, until))
			return false;
		if (second == to || (from < mid && compare_keys(t, *from, *second) <= 0))
			*out++ = *from++;
		else
			*out++ = *second++;
	}
	return true;
}

/* Bottom up, and not by qsort(), because it must be possible to stop. */
static bool sort(struct tally *t, struct group **other)
{
	unsigned until = PAUSE;
	bool good = true;

	for (size_t run = 1; run < t->count && good; run *= 2) {
		struct group **swap = t->list;

		for (size_t i = 0; i < t->count && good; i += 2 * run) {
			size_t mid = i + run < t->count ? i + run : t->count;
			size_t end = mid + run < t->count ? mid + run : t->count;

			good = merge(t, swap + i, swap + mid, swap + end, other + i, &until);
		}
		t->list = other;
		other = swap;
	}
	sqlite3_free(other);
	return good;
}

/* Return: SQLITE_OK, SQLITE_NOMEM, SQLITE_INTERRUPT. */
static int put_in_order(struct tally *t)
{
	uint64_t size = (t->count + 1) * sizeof(struct group *);
	struct group **other = take_memory(t, size);
	size_t n = 0;

	t->list = take_memory(t, size);
	if (!t->list || !other) {
		sqlite3_free(other);
		return SQLITE_NOMEM;
	}
	for (size_t i = 0; i <= t->mask; i++)
		if (t->slots[i].group)
			t->list[n++] = t->slots[i].group;
	return sort(t, other) ? SQLITE_OK : SQLITE_INTERRUPT;
}

static void final(sqlite3_context *ctx)
{
	struct qry_tallies *all = sqlite3_user_data(ctx);
	struct tally **mine = sqlite3_aggregate_context(ctx, 0), *t = mine ? *mine : NULL;
	int rc;

	if (!t) { /* no rows */
		sqlite3_result_int64(ctx, 0);
		return;
	}
	*mine = NULL;
	rc = t->failed || !add_rows(t) ? SQLITE_ERROR : put_in_order(t);
	if (rc != SQLITE_OK) {
		if (rc != SQLITE_INTERRUPT)
			give_up(ctx, all);
		else
			sqlite3_result_error_code(ctx, rc);
		tally_free(t);
		return;
	}
	t->id = ++all->last_id;
	t->next = all->waiting;
	all->waiting = t;
	sqlite3_result_int64(ctx, t->id);
}

/* --- the table */

#define COLUMN_ID (QRY_TALLY_KEYS + QRY_TALLY_VALUES)

struct table {
	sqlite3_vtab base;
	struct qry_tallies *all;
};

struct cursor_row {
	sqlite3_vtab_cursor base;
	struct tally *tally; /* its own; NULL: no rows */
	size_t at;
};

static int table_connect(sqlite3 *db, void *arg, int argc, const char *const *argv,
			 sqlite3_vtab **out, char **message)
{
	struct buf sql = {0};
	struct table *t;
	int rc;

	(void)argc, (void)argv, (void)message;
	buf_str(&sql, "CREATE TABLE x(");
	for (unsigned i = 0; i < QRY_TALLY_KEYS; i++)
		buf_addf(&sql, "_k%u, ", i);
	for (unsigned i = 0; i < QRY_TALLY_VALUES; i++)
		buf_addf(&sql, "_v%u, ", i);
	buf_str(&sql, "id HIDDEN)");
	rc = sql.failed ? SQLITE_NOMEM : sqlite3_declare_vtab(db, buf_cstr(&sql));
	buf_done(&sql);
	t = rc == SQLITE_OK ? sqlite3_malloc64(sizeof(*t)) : NULL;
	if (!t)
		return rc == SQLITE_OK ? SQLITE_NOMEM : rc;
	*t = (struct table){.all = arg};
	sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	*out = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *v)
{
	sqlite3_free(v);
	return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
	(void)v;
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != COLUMN_ID || !info->aConstraint[i].usable ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->estimatedRows = 100000;
		info->estimatedCost = 100000;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT;
}

static int cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
	struct cursor_row *c = sqlite3_malloc64(sizeof(*c));

	(void)v;
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor_row){0};
	*out = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	struct cursor_row *c = (struct cursor_row *)(void *)base;

	tally_free(c->tally);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int n,
			 sqlite3_value **v)
{
	struct cursor_row *c = (struct cursor_row *)(void *)base;
	struct tally **link = &((struct table *)(void *)base->pVtab)->all->waiting;
	int64_t id = n ? sqlite3_value_int64(v[0]) : 0;

	(void)number, (void)text;
	tally_free(c->tally);
	c->tally = NULL;
	c->at = 0;
	while (*link && (*link)->id != id)
		link = &(*link)->next;
	if (*link) {
		c->tally = *link;
		*link = c->tally->next;
	}
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	((struct cursor_row *)(void *)base)->at++;
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor_row *c = (const struct cursor_row *)(const void *)base;

	return !c->tally || c->at >= c->tally->count;
}

static void give(sqlite3_context *ctx, const struct decoded *v)
{
	if (v->type == T_INT)
		sqlite3_result_int64(ctx, v->i);
	else if (v->type == T_TEXT)
		sqlite3_result_text(ctx, (const char *)v->bytes, (int)v->n, SQLITE_TRANSIENT);
	else if (v->type == T_BLOB)
		sqlite3_result_blob(ctx, v->bytes, (int)v->n, SQLITE_TRANSIENT);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	const struct cursor_row *c = (const struct cursor_row *)(const void *)base;
	const struct tally *t = c->tally;
	unsigned value = (unsigned)column - QRY_TALLY_KEYS;
	const struct value *state;
	struct decoded v = {.type = T_NULL};

	if ((unsigned)column < t->keys) {
		const uint8_t *at = end_of(t, t->list[c->at]);

		for (int i = 0; i <= column; i++)
			at = decode(at, &v);
	} else if (column >= QRY_TALLY_KEYS && value < t->values) {
		state = &t->list[c->at]->value[value];
		if (state->type == T_INT && t->kinds[value] == 'a') {
			sqlite3_result_double(ctx, (double)state->i / state->n);
			return SQLITE_OK;
		}
		v.type = state->type;
		v.n = state->n;
		if (state->type >= T_TEXT)
			v.bytes = state->bytes;
		else
			v.i = state->i;
	}
	give(ctx, &v);
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)((const struct cursor_row *)(const void *)base)->at;
	return SQLITE_OK;
}

static const sqlite3_module table_module = {
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

/* --- life */

static void tallies_free(void *arg)
{
	struct qry_tallies *all = arg;
	struct tally *next;

	for (struct tally *t = all->waiting; t; t = next) {
		next = t->next;
		tally_free(t);
	}
	free(all);
}

int qry_tally_register(sqlite3 *db, const struct qry_tally_options *opt, struct qry_tallies **out,
		       struct error *err)
{
	struct qry_tallies *all = calloc(1, sizeof(*all));

	if (!all)
		return error_nomem(err);
	all->opt = *opt;
	sqlite3_randomness(sizeof(all->seed), &all->seed);
	/* The connection owns it from here on, whether or not this succeeds. */
	if (sqlite3_create_module_v2(db, "scapula_tallied", &table_module, all, tallies_free) !=
		SQLITE_OK ||
	    sqlite3_create_function(db, "scapula_tally", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, all,
				    NULL, step, final) != SQLITE_OK)
		return error_set(err, ERR_DB, "%s", sqlite3_errmsg(db));
	*out = all;
	return 0;
}

bool qry_tally_gave_up(struct qry_tallies *t)
{
	bool gave_up = t->gave_up;

	t->gave_up = false;
	return gave_up;
}
