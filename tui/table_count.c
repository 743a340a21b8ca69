/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what a column holds, over all rows. */
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/map.h"
#include "tui/table_internal.h"

#define VALUES_MAX	100000	   /* values that are told apart */
#define VALUES_BYTES	(64 << 20) /* of their texts */
#define DESCRIBED_BYTES 40	   /* of a text in a line */

struct value {
	struct sv text;
	uint64_t count;
};

struct table_values {
	struct table_walk walk;
	unsigned column;
	bool active, describe;
	struct arena memory; /* of values and their texts */
	struct smap map;     /* text -> struct value */
	uint64_t rows, empty, numbers, others;
	long double sum, least, greatest;     /* of numbers */
	struct buf least_text, greatest_text; /* of all that is not empty */
	struct tui_frequency *sorted;
	size_t sorted_count;
	uint64_t sorted_rows; /* seen when they were sorted */
};

void table_values_free(struct table_values *v)
{
	if (!v)
		return;
	smap_done(&v->map);
	arena_done(&v->memory);
	buf_done(&v->least_text);
	buf_done(&v->greatest_text);
	free(v->sorted);
	free(v);
}

bool table_count_stop(struct tui_table *t)
{
	const bool was = t->values && t->values->active;

	if (was)
		t->values->active = false;
	return was;
}

int table_count_anchor(struct tui_table *t, struct error *err)
{
	if (!t->values || !t->values->active)
		return 0;
	return table_walk_anchor(t, &t->values->walk, err);
}

/* --- a row */

static int count_value(struct table_values *v, struct sv text)
{
	struct value *value = smap_get(&v->map, text);

	if (value) {
		value->count++;
		return 0;
	}
	if (v->map.count >= VALUES_MAX || v->memory.total >= VALUES_BYTES) {
		v->others++;
		return 0;
	}
	value = arena_zalloc(&v->memory, 1, sizeof(*value));
	if (!value)
		return ERR_NOMEM;
	value->count = 1;
	value->text = SV_LIT("");
	if (text.n)
		value->text = arena_sv(&v->memory, text);
	return value->text.p ? smap_put(&v->map, value->text, value) : ERR_NOMEM;
}

static int keep_text(struct buf *b, struct sv text)
{
	buf_reset(b);
	buf_sv(b, text);
	return b->failed ? ERR_NOMEM : 0;
}

static int describe_value(struct table_values *v, struct sv text)
{
	const bool first = v->rows == v->empty;
	long double number;
	int rc = 0;

	if (table_number(text, &number)) {
		v->least = !v->numbers || number < v->least ? number : v->least;
		v->greatest = !v->numbers || number > v->greatest ? number : v->greatest;
		v->sum += number;
		v->numbers++;
	}
	if (first || sv_cmp(text, buf_view(&v->least_text)) < 0)
		rc = keep_text(&v->least_text, text);
	if (rc == 0 && (first || sv_cmp(text, buf_view(&v->greatest_text)) > 0))
		rc = keep_text(&v->greatest_text, text);
	return rc;
}

static int count_row(struct table_values *v, struct sv text)
{
	int rc = count_value(v, text);

	if (rc < 0)
		return rc;
	if (text.n)
		rc = describe_value(v, text);
	else
		v->empty++;
	v->rows++;
	return rc;
}

/* --- what is told */

static void add_number(struct buf *b, const char *what, long double number)
{
	if (floorl(number) == number && fabsl(number) < 1e18L)
		buf_addf(b, ", %s %.0Lf", what, number);
	else
		buf_addf(b, ", %s %.2Lf", what, number);
}

static void add_text(struct buf *b, const char *what, struct sv text)
{
	const bool cut = text.n > DESCRIBED_BYTES;

	if (cut)
		for (text.n = DESCRIBED_BYTES;
		     text.n && ((unsigned char)text.p[text.n] & 0xc0) == 0x80;)
			text.n--;
	buf_addf(b, ", %s ", what);
	escape_text(b, text);
	if (cut)
		buf_lit(b, "...");
}

static void say_what_it_holds(struct tui_table *t, const struct table_values *v)
{
	const uint64_t filled = v->rows - v->empty;
	struct buf b = {0};

	buf_addf(&b, "%s: %llu rows, %llu empty, %s%zu different", t->columns[v->column].name,
		 (unsigned long long)v->rows, (unsigned long long)v->empty,
		 v->others ? "more than " : "", v->map.count);
	if (filled && v->numbers == filled) {
		add_number(&b, "least", v->least);
		add_number(&b, "greatest", v->greatest);
		add_number(&b, "sum", v->sum);
		add_number(&b, "mean", v->sum / (long double)filled);
	} else if (filled) {
		add_text(&b, "least", buf_view(&v->least_text));
		add_text(&b, "greatest", buf_view(&v->greatest_text));
	}
	tui_app_say(t->app, TUI_ROLE_NORMAL, "%s", buf_cstr(&b));
	buf_done(&b);
}

/* --- work */

static int count_page(struct tui_table *t, struct table_values *v, struct error *err)
{
	int rc = table_walk_next(t, &v->walk, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t->job.count; i++)
		if (count_row(v, tui_rows_text(&t->job, i, v->column)) < 0)
			return error_nomem(err);
	return 0;
}

bool table_count_work(struct tui_table *t, uint64_t deadline_ns)
{
	struct table_values *v = t->values;
	struct error err = {0};

	while (v->active) {
		if (count_page(t, v, &err) < 0) {
			v->active = false;
			tui_app_fail(t->app, &err);
		} else if (v->walk.ended) {
			v->active = false;
			if (v->describe)
				say_what_it_holds(t, v);
		} else if (clock_ns(CLOCK_MONOTONIC) >= deadline_ns) {
			tui_app_say(t->app, TUI_ROLE_DIM, "counting: %llu rows",
				    (unsigned long long)v->rows);
			break;
		}
	}
	return v->active;
}

enum tui_result table_count_act(struct tui_table *t, const struct tui_command *c)
{
	struct table_values *v;
	struct error err;
	unsigned column;

	if (!table_column_of(t, c->arg, &column))
		return TUI_DONE;
	v = calloc(1, sizeof(*v));
	if (!v) {
		error_nomem(&err);
		tui_app_fail(t->app, &err);
		return TUI_DONE;
	}
	table_values_free(t->values);
	t->values = v;
	v->column = column;
	v->active = true;
	v->describe = c->action == TUI_DO_DESCRIBE;
	table_walk_begin(&v->walk, TUI_FROM_FIRST, (struct tui_row_key){0});
	(void)table_count_work(t, clock_ns(CLOCK_MONOTONIC) + TABLE_SLICE_NS);
	if (c->action == TUI_DO_FREQUENCY) {
		const struct tui_target target = {.text = sv_of(t->columns[column].name)};

		tui_app_push(t->app, &tui_frequency_ops, &target);
	}
	return TUI_DONE;
}

/* --- the frequency table */

static int more_frequent(const void *a, const void *b)
{
	const struct tui_frequency *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return sv_cmp(x->value, y->value);
}

static void sort_values(struct table_values *v)
{
	struct tui_frequency *sorted = realloc(v->sorted, (v->map.count + 1) * sizeof(*v->sorted));
	struct smap_slot *slot;
	size_t n = 0;

	if (!sorted)
		return; /* as it was */
	v->sorted = sorted;
	for (size_t at = 0; (slot = smap_next(&v->map, &at));) {
		const struct value *value = slot->value;

		sorted[n++] = (struct tui_frequency){.value = value->text, .count = value->count};
	}
	qsort(sorted, n, sizeof(*sorted), more_frequent);
	if (v->others)
		sorted[n++] = (struct tui_frequency){
		    .value = SV_LIT("others"), .count = v->others, .others = true};
	v->sorted_count = n;
	v->sorted_rows = v->rows;
}

size_t tui_table_frequency(const struct tui_table *t, const struct tui_frequency **out,
			   bool *complete)
{
	struct table_values *v = t->values;

	*out = NULL;
	*complete = false;
	if (!v)
		return 0;
	/* While it is being counted: each time when there are twice as many rows. */
	if (v->rows != v->sorted_rows && (!v->active || v->rows / 2 >= v->sorted_rows))
		sort_values(v);
	*out = v->sorted;
	*complete = v->walk.ended && v->sorted_rows == v->rows;
	return v->sorted_count;
}
