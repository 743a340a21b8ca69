/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line at the bottom that arguments, filters and commands are typed into: editing, history,
 * completion, and what is wrong with the text so far, with a caret. Threads: that of the program.
 */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include "tui/cell.h"
#include "tui/keys.h"

#define TUI_PROMPT_MAX	     4096 /* bytes of a line */
#define TUI_HISTORY_MAX	     100
#define TUI_COMPLETIONS_MAX  200 /* offered at a time */
#define TUI_COMPLETIONS_SEEN 8	 /* shown at a time */

struct tui_app;

struct tui_completion { /* texts belong to the prompt */
	struct sv text; /* instead of the word that is being typed */
	struct sv help;
};

struct tui_completions {
	size_t count;
	struct tui_completion items[TUI_COMPLETIONS_MAX];
	size_t from;	 /* byte of the line where the word begins */
	struct buf text; /* of the items */
};

/* The word from byte @from on may be @text; both are copied. */
void tui_completion_add(struct tui_completions *c, struct sv text, struct sv help);

struct tui_prompt_ops {
	/* What may come at byte @cursor of @line; NULL: nothing is known. @values: also values
	 * seen, which may take a while. */
	void (*complete)(struct tui_app *app, struct sv line, size_t cursor, bool values,
			 struct tui_completions *out);
	/* Is @line right as far as it goes? What is wrong goes to @err, where to @pos;
	 * ERR_TRUNCATED: it is not finished, which is no reason to shout. NULL: anything is. */
	int (*check)(struct tui_app *app, struct sv line, size_t *pos, struct error *err);
};

enum tui_prompt_end { TUI_PROMPT_GOES_ON, TUI_PROMPT_TAKEN, TUI_PROMPT_LEFT };

struct tui_prompt {
	bool open;
	const struct tui_prompt_ops *ops;
	enum tui_action action; /* that the line is the argument of */
	const char *label;
	struct buf line;
	size_t cursor;	 /* byte */
	size_t before;	 /* in the history: 0 is the line itself */
	struct buf kept; /* the line while history is looked at */
	struct tui_completions offered;
	bool offering;
	size_t chosen; /* SIZE_MAX: none */
	struct error wrong;
	size_t wrong_at;
	struct buf history[TUI_HISTORY_MAX]; /* of lines taken, the oldest first */
	enum tui_action history_of[TUI_HISTORY_MAX];
	size_t history_count;
};

void tui_prompt_open(struct tui_prompt *p, struct tui_app *app, const struct tui_prompt_ops *ops,
		     enum tui_action action, const char *label, struct sv text);
void tui_prompt_close(struct tui_prompt *p);
void tui_prompt_done(struct tui_prompt *p);
enum tui_prompt_end tui_prompt_key(struct tui_prompt *p, struct tui_app *app, uint32_t key);
/* Lines it takes at the bottom of a screen of @height. */
int tui_prompt_lines(const struct tui_prompt *p, int height);
/* @y, @x: where the terminal's cursor belongs, in the screen. */
void tui_prompt_draw(const struct tui_prompt *p, const struct tui_area *a, int *y, int *x);

/* complete.c: for ':' and for arguments of actions. */
extern const struct tui_prompt_ops tui_palette_ops, tui_argument_ops;
/* filter.c: conditions in the engine's language, with what the view at hand can be asked. */
extern const struct tui_prompt_ops tui_filter_ops;

#endif
