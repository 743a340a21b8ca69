/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the program around the views; views themselves use tui/app.h only. */
#ifndef TUI_INTERNAL_H
#define TUI_INTERNAL_H

#include "tui/app.h"
#include "tui/filter.h"
#include "tui/prompt.h"
#include "tui/table.h"
#include "tui/table_keys.h"
#include "tui/tui.h"

#define TUI_STACK_MAX 32 /* views over each other */
#define TUI_ROOTS     9
#define TUI_WORK_NS   20000000ull /* of what takes long, before keys are looked at again */

struct tui_app {
	const struct tui_options *opt;
	struct tui_data *data;
	struct tui_keymap *keymap;
	struct tui_ruleset *rules; /* NULL: nobody asked yet */
	struct tui_screen screen;
	struct tui_term *term; /* NULL: headless */
	struct tui_view
	    *roots[TUI_ROOTS]; /* kept while others are looked at; NULL: not opened yet */
	size_t root;
	struct tui_view *stack[TUI_STACK_MAX]; /* over it */
	size_t depth;
	struct tui_prompt prompt;
	struct buf message;
	enum tui_role message_role;
	struct buf log; /* the command log: lines of JSON */
	size_t logged;	/* commands in it */
	struct tui_keys seen;
	uint64_t step_ns; /* tui_app_step() */
	unsigned zoom;	  /* halvings of it */
	enum tui_time_form time_form;
	enum tui_theme theme;
	bool mouse;
	bool quit;
	bool playing;
	unsigned speed;		/* of that */
	uint64_t played_ns;	/* clock of the last tick */
	int cursor_y, cursor_x; /* of the terminal; below 0: hidden */
};

/* app.c */
struct tui_view *tui_app_top(const struct tui_app *app);
void tui_app_command(struct tui_app *app, const struct tui_command *c);
/* ':TEXT'. */
void tui_app_run_line(struct tui_app *app, struct sv line);
/* What is new is taken over, the top view brought up to date. True: there was anything for it. */
bool tui_app_sync(struct tui_app *app);
/* More of what takes long. True: there is more. */
bool tui_app_work(struct tui_app *app, uint64_t deadline_ns);
/* input.c */
void tui_app_input(struct tui_app *app, const struct tui_input *in);
/* filter.c: what is typed into the filter bar becomes the filter of the view on top. */
void tui_app_filter(struct tui_app *app, struct sv text);
/* FILTER_SAVE, FILTER_USE, CHIP. False: it is none of these. */
bool tui_app_filter_act(struct tui_app *app, const struct tui_command *c);
/* Names of saved filters, with what they are. */
void tui_app_saved_filters(struct tui_app *app, struct sv typed, bool texts,
			   struct tui_completions *out);
/* filter_values.c: values of @field in events around T, most frequent first. */
void tui_app_filter_values(struct tui_app *app, const struct tui_filter_at *at,
			   struct tui_completions *out);
/* frame.c */
void tui_app_draw(struct tui_app *app);
/* The body, which the top view draws into. */
struct tui_area tui_app_body(struct tui_app *app);
/* script.c */
void tui_log_command(struct tui_app *app, const struct tui_command *c);
MUST_CHECK int tui_script_keys(struct tui_app *app, const char *keys, struct error *err);
MUST_CHECK int tui_script_play(struct tui_app *app, const char *path, struct error *err);
MUST_CHECK int tui_log_save(const struct tui_app *app, const char *path, struct error *err);
void tui_print_timing(struct tui_app *app, struct sv what, uint64_t ns);
/* run.c: until nothing goes on any more. */
void tui_app_settle(struct tui_app *app);
MUST_CHECK int tui_app_new(const struct tui_options *opt, struct tui_app **out, struct error *err);
void tui_app_free(struct tui_app *app);

extern const struct tui_view_ops *const tui_roots[TUI_ROOTS];

#endif
