/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for tests of tables: identifiers in order, from an array or computed. */
#ifndef TUI_TESTS_TABLE_MODEL_H
#define TUI_TESTS_TABLE_MODEL_H

#include "tui/table.h"

#define MODEL_STEP 3 /* between computed identifiers */

struct model {
	size_t count;
	const uint64_t *ids; /* rising; NULL: 0, 3, 6, ... */
	bool reversed;
	unsigned slow; /* each that many calls, all but one row come later; 0: never */
	unsigned calls;
	size_t rows;				       /* made so far */
	struct sv (*text)(uint64_t id, char room[64]); /* of the second cell; NULL: the number */
	bool inexact;
};

extern const struct tui_model_ops model_ops;
#define MODEL_COLUMNS 5
extern const struct tui_column model_columns[MODEL_COLUMNS];

uint64_t model_id(const struct model *m, size_t i); /* of row @i as they are shown */
/* The first row that has @id or would stand behind it. */
size_t model_place(const struct model *m, uint64_t id);

#endif
