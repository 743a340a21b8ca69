/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are all in memory: an order of their numbers. */
#include <stdlib.h>

#include "base/arena.h"
#include "tui/table_internal.h"

/* --- sorting by the texts of cells */

enum kind { KIND_NUMBER, KIND_TEXT, KIND_EMPTY }; /* in this order */

struct sort_key {
	enum kind kind;
	long double number;
	struct sv text;
};

struct sort_row {	/* small: these are what is moved about */
	uint64_t begin; /* of the key, in the same order as far as it goes */
	uint32_t row;
	uint32_t key; /* a number of @keys */
};

struct sorting {
	const struct tui_list *l;
	struct sort_key *keys;
	struct sort_row *rows;
	struct arena texts;
};

static int by_key(const struct sort_key *x, const struct sort_key *y)
{
	if (x->kind == KIND_NUMBER)
		return (x->number > y->number) - (x->number < y->number);
	return x->kind == KIND_TEXT ? sv_cmp(x->text, y->text) : 0;
}

static int by_text(const void *a, const void *b, void *arg)
{
	const struct sort_row *x = a, *y = b;
	const struct sorting *s = arg;
	int rc = (x->begin > y->begin) - (x->begin < y->begin);

	if (rc == 0) /* then they are of one kind */
		rc = by_key(&s->keys[x->key], &s->keys[y->key]);
	if (rc == 0)
		return (x->row > y->row) - (x->row < y->row);
	return s->l->reverse ? -rc : rc;
}

/* Bits of a double in the order of its values. */
static uint64_t order_of(double v)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits;

	v += 0.0; /* there is one zero */
	memcpy(&bits, &v, sizeof(bits));
	return bits & sign ? ~bits : bits | sign;
}

/* The kind, then the first bits of the number, or of the text behind what all of them begin with.
 */
static uint64_t begin_of(const struct sort_key *k, size_t common)
{
	const struct sv text = sv_drop(k->text, common);
	uint64_t bits = 0;

	if (k->kind == KIND_NUMBER)
		bits = order_of((double)k->number);
	for (unsigned i = 0; k->kind == KIND_TEXT && i < sizeof(bits); i++)
		bits = bits << 8 | (i < text.n ? (unsigned char)text.p[i] : 0);
	return (uint64_t)k->kind << 62 | bits >> 2;
}

/* How many bytes all texts begin with. */
static size_t common_begin(const struct sorting *s)
{
	struct sv common = SV_NONE;

	for (size_t i = 0; i < s->l->shown; i++) {
		const struct sv text = s->keys[i].text;
		size_t n = 0;

		if (s->keys[i].kind != KIND_TEXT)
			continue;
		if (!common.p)
			common = text;
		while (n < common.n && n < text.n && common.p[n] == text.p[n])
			n++;
		common.n = n;
	}
	return common.n;
}

static void make_rows(struct sorting *s)
{
	const size_t common = common_begin(s);

	for (size_t i = 0; i < s->l->shown; i++)
		s->rows[i] = (struct sort_row){.begin = begin_of(&s->keys[i], common),
					       .row = s->l->order[i],
					       .key = (uint32_t)i};
}

/* The text of each row's cell is asked for once. */
static int make_keys(struct sorting *s)
{
	const struct tui_list *l = s->l;
	struct tui_rows rows = {.columns = (unsigned)l->column + 1};
	int rc = 0;

	for (size_t i = 0; i < l->shown && rc == 0; i++) {
		struct sort_key *k = &s->keys[i];

		tui_rows_reset(&rows);
		l->row(l->arg, l->order[i], &rows);
		k->text = tui_rows_text(&rows, 0, (unsigned)l->column);
		k->kind = !k->text.n			      ? KIND_EMPTY
			  : table_number(k->text, &k->number) ? KIND_NUMBER
							      : KIND_TEXT;
		if (k->kind == KIND_TEXT)
			k->text = arena_sv(&s->texts, k->text);
		else
			k->text = SV_NONE; /* not needed, and gone with the row */
		if ((k->kind == KIND_TEXT && !k->text.p) || rows.text.failed)
			rc = ERR_NOMEM;
	}
	tui_rows_done(&rows);
	return rc;
}

static int sort_by_text(struct tui_list *l)
{
	struct sorting s = {.l = l};
	int rc = ERR_NOMEM;

	s.keys = malloc((l->shown + 1) * sizeof(*s.keys));
	s.rows = malloc((l->shown + 1) * sizeof(*s.rows));
	if (s.keys && s.rows)
		rc = make_keys(&s);
	if (rc == 0) {
		make_rows(&s);
		qsort_r(s.rows, l->shown, sizeof(*s.rows), by_text, &s);
		for (size_t i = 0; i < l->shown; i++)
			l->order[i] = s.rows[i].row;
	}
	arena_done(&s.texts);
	free(s.rows);
	free(s.keys);
	return rc;
}

/* --- sorting by the caller's comparison, or not at all */

static int by_caller(const void *a, const void *b, void *arg)
{
	const struct tui_list *l = arg;
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int rc = l->compare(l->arg, x, y, l->column);

	if (rc == 0)
		return (x > y) - (x < y);
	return l->reverse ? -rc : rc;
}

static void turn_round(struct tui_list *l)
{
	for (size_t i = 0, k = l->shown; i + 1 < k; i++) {
		uint32_t row = l->order[i];

		l->order[i] = l->order[--k];
		l->order[k] = row;
	}
}

static int sort_rows(struct tui_list *l)
{
	if (l->sorted && !l->compare)
		return sort_by_text(l);
	if (l->sorted)
		qsort_r(l->order, l->shown, sizeof(*l->order), by_caller, l);
	else if (l->reverse)
		turn_round(l);
	return 0;
}

/* --- rows that are shown */

/* Their order anew, from that of the caller. */
static int order_rows(struct tui_list *l)
{
	uint32_t *order;

	l->shown = 0;
	if (l->count > TUI_KEYS_MAX / 2)
		return ERR_LIMIT;
	order = realloc(l->order, (l->count + 1) * sizeof(*order));
	if (!order)
		return ERR_NOMEM;
	l->order = order;
	for (size_t i = 0; i < l->count; i++)
		if (!l->passes || l->passes(l->arg, i))
			l->order[l->shown++] = (uint32_t)i;
	return sort_rows(l);
}

static int note_keys(struct tui_list *l)
{
	int rc = 0;

	tui_keys_clear(l->keys);
	for (size_t i = 0; i < l->shown && rc == 0; i++)
		rc = tui_keys_add(l->keys, l->key(l->arg, l->order[i]));
	return rc;
}

static int make_room(struct tui_list *l)
{
	if (!l->keys)
		l->keys = calloc(1, sizeof(*l->keys));
	if (!l->keys_before)
		l->keys_before = calloc(1, sizeof(*l->keys_before));
	return l->keys && l->keys_before ? 0 : ERR_NOMEM;
}

static int update(struct tui_list *l, struct error *err)
{
	int rc = order_rows(l);

	if (rc == 0)
		rc = note_keys(l);
	if (rc == 0)
		return 0;
	l->shown = 0; /* numbers of rows that may be gone */
	tui_keys_clear(l->keys);
	return rc == ERR_NOMEM ? error_nomem(err)
			       : error_set(err, rc, "more than %u rows", TUI_KEYS_MAX / 2);
}

int tui_list_update(struct tui_list *l, struct error *err)
{
	struct tui_keys *keys;

	if (make_room(l) < 0) {
		l->shown = 0;
		return error_nomem(err);
	}
	/* Where a row was that is gone, its neighbours of then tell. */
	keys = l->keys_before;
	l->keys_before = l->keys;
	l->keys = keys;
	return update(l, err);
}

void tui_list_done(struct tui_list *l)
{
	free(l->order);
	l->order = NULL;
	l->shown = 0;
	if (l->keys)
		tui_keys_done(l->keys);
	if (l->keys_before)
		tui_keys_done(l->keys_before);
	free(l->keys);
	free(l->keys_before);
	l->keys = l->keys_before = NULL;
}

/* --- as a model */

/* The place of the row; of one that is gone, where it would be. */
static size_t place_of(const struct tui_list *l, struct tui_row_key key, bool *gone)
{
	size_t i;

	*gone = false;
	if (!l->keys)
		return 0;
	i = tui_keys_find(l->keys, key);
	if (i != SIZE_MAX)
		return i;
	*gone = true;
	i = tui_keys_find(l->keys_before, key);
	if (i == SIZE_MAX)
		return l->shown;
	for (i++; i < l->keys_before->count; i++) {
		size_t now = tui_keys_find(l->keys, l->keys_before->keys[i]);

		if (now != SIZE_MAX)
			return now;
	}
	return l->shown;
}

static int list_page(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		     struct tui_rows *out, struct error *err)
{
	struct tui_list *l = model;
	size_t from = 0, to = l->shown;
	bool gone;

	if (where == TUI_FROM_KEY || where == TUI_AFTER_KEY) {
		from = place_of(l, key, &gone);
		from += where == TUI_AFTER_KEY && !gone;
	} else if (where == TUI_BEFORE_KEY) {
		to = place_of(l, key, &gone);
	}
	if (from > to)
		from = to;
	if (to - from > n) {
		if (where == TUI_BEFORE_KEY || where == TUI_FROM_LAST)
			from = to - n;
		else
			to = from + n;
	}
	for (size_t i = from; i < to; i++)
		l->row(l->arg, l->order[i], out);
	return out->text.failed ? error_nomem(err) : 0;
}

static uint64_t list_count(void *model, bool *exact)
{
	const struct tui_list *l = model;

	*exact = true;
	return l->shown;
}

static uint64_t list_before(void *model, struct tui_row_key key)
{
	bool gone;

	return place_of(model, key, &gone);
}

static int list_sort(void *model, int column, bool reverse, struct error *err)
{
	struct tui_list *l = model;
	const struct tui_list was = *l;
	struct error ignored;
	int rc;

	l->column = column < 0 ? 0 : column;
	l->sorted = column >= 0;
	l->reverse = reverse;
	if (make_room(l) < 0)
		return error_nomem(err);
	rc = update(l, err);
	if (rc < 0) { /* as it was, which takes less */
		l->column = was.column;
		l->sorted = was.sorted;
		l->reverse = was.reverse;
		(void)update(l, &ignored);
	}
	return rc;
}

const struct tui_model_ops tui_list_ops = {
    .page = list_page, .count = list_count, .before = list_before, .sort = list_sort};
