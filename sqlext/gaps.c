/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are places where something is missing in a capture. */
#include "sqlext/internal.h"

struct gaps {
	struct sf_reader *reader;
	size_t next;
};

static void done(struct vtab_cursor *c)
{
	struct gaps *g = c->rows;

	sf_reader_close(g->reader);
	*g = (struct gaps){0};
}

static int begin(struct vtab_cursor *c, struct error *err)
{
	const struct sf_options opt = {.read_ahead = true};
	struct gaps *g = c->rows;
	struct ev_item item;
	int rc = sf_reader_open(c->path, &opt, &g->reader, err);

	while (rc == 0) {
		rc = ev_source_next(sf_reader_source(g->reader), &item, err);
		if (rc <= 0)
			return rc;
		rc = vtab_poll(vtab_table_of(c)->module->conn, 1, NULL, err);
	}
	return rc;
}

static int next(struct vtab_cursor *c, struct error *err)
{
	struct gaps *g = c->rows;
	size_t n;

	(void)err;
	(void)sf_reader_gaps(g->reader, &n);
	return g->next++ < n;
}

static void column(struct vtab_cursor *c, sqlite3_context *out, int i)
{
	const struct gaps *g = c->rows;
	const struct sf_gap *gap;
	size_t n;

	gap = &sf_reader_gaps(g->reader, &n)[g->next - 1];
	switch (vtab_table_of(c)->columns[i].field[0]) {
	case 'o':
		vtab_result_u64(out, gap->offset);
		break;
	case 'b':
		vtab_result_u64(out, gap->bytes);
		break;
	case 'r':
		sqlite3_result_text(out, sf_gap_reason_name(gap->reason), -1, SQLITE_STATIC);
		break;
	default:
		vtab_result_text(out, sv_of(gap->what));
	}
}

static int64_t rowid(const struct vtab_cursor *c)
{
	return (int64_t)((const struct gaps *)c->rows)->next;
}

const struct vtab_rows vtab_gap_rows = {
    .size = sizeof(struct gaps),
    .begin = begin,
    .next = next,
    .column = column,
    .rowid = rowid,
    .done = done,
};
