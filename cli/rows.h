/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows with columns that are known at run time only, such as answers of SQL: as aligned text, CSV,
 * one JSON object per line, or a Markdown table. Text from captures is made harmless for each.
 * Widths of text are those of the first rows, which are kept until ROWS_LOOK of them or
 * ROWS_LOOK_BYTES are there; later cells may stick out.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "base/buf.h"
#include "base/sv.h"

#define ROWS_LOOK	1000
#define ROWS_LOOK_BYTES (4u << 20)

enum rows_format { ROWS_TEXT, ROWS_CSV, ROWS_JSONL, ROWS_MARKDOWN };

enum rows_kind { ROWS_NULL, ROWS_INTEGER, ROWS_REAL, ROWS_STRING, ROWS_BLOB };

struct rows_cell {
	enum rows_kind kind;
	int64_t integer;
	double real;
	struct sv text; /* of strings and blobs */
};

struct rows;

/* @names: of @count columns, copied. NULL when out of memory. */
struct rows *rows_new(enum rows_format format, const char *const *names, unsigned count);
void rows_free(struct rows *r); /* NULL is fine */
/* Each returns 0, or CLI_INPUT once standard output fails (told). */
int rows_add(struct rows *r, const struct rows_cell *cells);
int rows_end(struct rows *r);

#endif
