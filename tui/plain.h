/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal without a cursor, for readers of screens and for pipes: the screen is printed as
 * numbered lines (a '*' behind the number of those under the cursor), then a prompt takes a line of
 * keys as scripts have them ("jj<Enter>"). An empty line prints the screen again. Internal to tui/.
 */
#ifndef TUI_PLAIN_H
#define TUI_PLAIN_H

#include "tui/cell.h"
#include "tui/keys.h"

struct tui_plain;

MUST_CHECK int tui_plain_new(struct tui_plain **out, struct error *err);
void tui_plain_free(struct tui_plain *p); /* NULL is fine */
/* Printed when keys are asked for the next time. */
void tui_plain_show(struct tui_plain *p, const struct tui_screen *s);
/* As tui_term_read(). Without time to wait it neither prints nor asks: what a line of keys leads to
 * is printed once, when all is done that can be, and what was typed ahead is taken after that. */
MUST_CHECK int tui_plain_read(struct tui_plain *p, int timeout_ms, struct tui_input *out,
			      struct error *err);

#endif
