/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a table as files have them. Whatever cells hold, it does nothing to who opens the file.
 */
#ifndef TUI_TABLE_FORMATS_H
#define TUI_TABLE_FORMATS_H

#include "tui/table_rows.h"

struct table_sheet { /* what is written of each row */
	const struct tui_column *columns;
	const uint8_t *shown; /* numbers of columns */
	unsigned count;	      /* of them */
	int *widths;	      /* columns each takes on a line, for those that are aligned */
};

struct table_format {
	const char *suffix;
	bool aligned; /* all rows are measured first */
	/* False: it could not be made. */
	bool (*head)(const struct table_sheet *s, struct buf *out);
	void (*row)(const struct table_sheet *s, const struct tui_rows *rows, size_t i,
		    struct buf *out);
	void (*tail)(struct buf *out); /* NULL: nothing */
};

/* That of a file of this name; NULL: none. */
const struct table_format *table_format_of(struct sv path);
/* ".txt, .csv" and so on, for messages. */
void table_format_names(struct buf *out);
/* Widths of the sheet are enough for the row, as far as a line is to be. */
void table_measure(const struct table_sheet *s, const struct tui_rows *rows, size_t i);

#endif
