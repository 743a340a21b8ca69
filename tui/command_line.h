/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that show what views of the state at T show. Threads: that of the program. */
#ifndef TUI_COMMAND_LINE_H
#define TUI_COMMAND_LINE_H

#include "tui/app.h"

/* "scapula VERB", with "--at evt:N" unless T is the end. */
void tui_command_at(struct tui_app *app, const char *verb, struct buf *out);
/* A blank, and @text as one word of a shell. */
void tui_command_word(struct buf *out, struct sv text);
/* " -F CONDITION", with what holds of the filter of @v; nothing if that is nothing. */
void tui_command_filter(struct tui_view *v, struct buf *out);
/* The path of the capture; without one the command is taken back. */
void tui_command_capture(struct tui_app *app, struct buf *out);
/* "scapula explain --rule RULE --evt N -r ... CAPTURE", with the rule files that are known.
 * @rule: empty: all rules; @num 0: no event in particular. */
void tui_command_explain(struct tui_app *app, struct sv rule, uint64_t num, struct buf *out);
/* " -r FILE" for each rule file that is known. False: none is. */
bool tui_command_rules(struct tui_app *app, struct buf *out);

#endif
