/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/tests/table_model.h"

#include <inttypes.h>
#include <stdio.h>

const struct tui_column model_columns[MODEL_COLUMNS] = {
    {.name = "name", .title = "NAME", .width = 12, .help = "name of the row"},
    {.name = "value", .title = "VALUE", .width = 8, .flags = TUI_COLUMN_RIGHT},
    {.name = "path", .title = "PATH", .width = 12, .flags = TUI_COLUMN_REST | TUI_COLUMN_PATH},
    {.name = "narrow", .title = "NARROW", .width = 6, .from = 9, .flags = TUI_COLUMN_NARROW},
    {.name = "wide", .title = "WIDE", .width = 6, .from = 100, .flags = TUI_COLUMN_NO_SORT},
};

static uint64_t id_at(const struct model *m, size_t i)
{
	return m->ids ? m->ids[i] : i * MODEL_STEP;
}

uint64_t model_id(const struct model *m, size_t i)
{
	return id_at(m, m->reversed ? m->count - 1 - i : i);
}

size_t model_place(const struct model *m, uint64_t id)
{
	size_t from = 0, to = m->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		uint64_t there = model_id(m, middle);

		if (m->reversed ? there > id : there < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void add(struct model *m, size_t i, struct tui_rows *out)
{
	const uint64_t id = model_id(m, i);
	char room[64];

	m->rows++;
	if (tui_rows_add(out, (struct tui_row_key){.a = id, .b = ~id}, TUI_ROLE_NORMAL) < 0)
		return;
	tui_rows_printf(out, "row-%" PRIu64, id);
	if (m->text)
		tui_rows_cell(out, TUI_ROLE_NORMAL, m->text(id, room));
	else
		tui_rows_printf(out, "%" PRIu64, id % 7);
	tui_rows_printf(out, "/usr/share/of/%" PRIu64 "/names", id);
}

static int page(void *model, enum tui_where where, struct tui_row_key key, size_t n,
		struct tui_rows *out, struct error *err)
{
	struct model *m = model;
	size_t from = 0, to = m->count;
	int rc = 0;

	if (where == TUI_FROM_KEY || where == TUI_AFTER_KEY)
		from = model_place(m, key.a);
	if (where == TUI_AFTER_KEY && from < to && model_id(m, from) == key.a)
		from++;
	if (where == TUI_BEFORE_KEY)
		to = model_place(m, key.a);
	m->calls++;
	if (m->slow && m->calls % m->slow == 0 && n > 1) {
		n = m->calls % 2;
		rc = 1;
	}
	if (to - from > n && (where == TUI_BEFORE_KEY || where == TUI_FROM_LAST))
		from = to - n;
	if (to - from > n)
		to = from + n;
	for (size_t i = from; i < to; i++)
		add(m, i, out);
	(void)err;
	return rc;
}

static uint64_t count(void *model, bool *exact)
{
	const struct model *m = model;

	*exact = !m->inexact;
	return m->count;
}

static uint64_t before(void *model, struct tui_row_key key)
{
	return model_place(model, key.a);
}

static int sort(void *model, int column, bool reverse, struct error *err)
{
	struct model *m = model;

	(void)column;
	(void)err;
	m->reversed = reverse;
	return 0;
}

const struct tui_model_ops model_ops = {
    .page = page, .count = count, .before = before, .sort = sort};
