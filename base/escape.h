/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that nobody vouches for, made harmless for where it goes: terminals, spreadsheets, Markdown,
 * HTML, shells. Control characters and invalid UTF-8 become \xNN, characters that turn the
 * direction of text \u{N}; what is left is valid UTF-8. JSON is in base/json.h.
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

void escape_text(struct buf *b, struct sv s);
/*
 * One cell of a CSV record (RFC 4180); a text that a spreadsheet would take for a formula gets an
 * apostrophe in front.
 */
void escape_csv(struct buf *b, struct sv s);
/* The same without the apostrophe: for programs that take cells as they stand. */
void escape_csv_plain(struct buf *b, struct sv s);
/* Nothing in it ends a cell of a table, or becomes a link, an image, markup or HTML. */
void escape_markdown(struct buf *b, struct sv s);
/* For text between tags, and for values of attributes in either kind of quotation marks. */
void escape_html(struct buf *b, struct sv s);
/* As digits of base64, padded (RFC 4648): any bytes. */
void escape_base64(struct buf *b, struct sv s);

/* One word for a shell, in quotation marks if it needs them. */
void escape_shell(struct buf *b, struct sv s);
void escape_shell_always(struct buf *b, struct sv s); /* in quotation marks */

#endif
