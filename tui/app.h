/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program around the views: header, footer, prompt, the stack of views, and what views ask of
 * it. Threads: one.
 */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "tui/data.h"
#include "tui/view.h"

struct tui_data *tui_app_data(struct tui_app *app);
const struct tui_keymap *tui_app_keymap(const struct tui_app *app);
bool tui_app_is_ascii(const struct tui_app *app);
/* For cells of tables: as the screen can show it. */
const char *tui_app_glyph(const struct tui_app *app, enum tui_glyph g);

/* Things that were looked at in this session: a @kind of the caller's and what names one of it.
 * What cannot be remembered is new. */
void tui_app_see(struct tui_app *app, uint64_t kind, uint64_t name);
bool tui_app_is_seen(const struct tui_app *app, uint64_t kind, uint64_t name);

/* A view over this one. What cannot be opened is told in the footer. */
void tui_app_push(struct tui_app *app, const struct tui_view_ops *ops, const struct tui_target *t);
/* One of the nine: the stack begins anew with it. */
void tui_app_switch(struct tui_app *app, const struct tui_view_ops *ops);
/* The view that @v, which is on the stack, lies over; NULL: none. */
struct tui_view *tui_app_below(const struct tui_app *app, const struct tui_view *v);
/* @text is the filter of @v from now on, as if it was typed there. False: it was told why not. */
bool tui_app_filter_view(struct tui_app *app, struct tui_view *v, struct sv text);
/* What of it holds, as it is understood without rules: for command lines. */
void tui_app_condition(struct tui_view *v, struct buf *out);
/* The rules that are known, loaded when somebody first asks. Return: 0 or ERR_*. */
struct tui_ruleset;
MUST_CHECK int tui_app_rules(struct tui_app *app, struct tui_ruleset **out, struct error *err);
/* T moves; all views on the stack are stale then. */
void tui_app_goto_event(struct tui_app *app, uint64_t num);
void tui_app_goto_time(struct tui_app *app, uint64_t ts);
/* To what is written as 'goto' takes it: "11:04:17.2", "+5s", "#812", "@17". Return: 0 or
 * ERR_USAGE. */
MUST_CHECK int tui_app_goto_text(struct tui_app *app, struct sv text, struct error *err);
/* Do it as if it was typed behind ':', but not logged. */
void tui_app_do(struct tui_app *app, const struct tui_command *c);

/* A line in the footer until the next key. Text from captures is fine. */
PRINTF_LIKE(3, 4)
void tui_app_say(struct tui_app *app, enum tui_role role, const char *fmt, ...);
void tui_app_fail(struct tui_app *app, const struct error *err);

/* How long it takes to pass a tenth of the time axis; views that show one set it (0: from the
 * capture's length). */
uint64_t tui_app_step(const struct tui_app *app);

/* --- texts */

enum tui_time_form { TUI_TIME_UTC, TUI_TIME_RELATIVE, TUI_TIME_DELTA, TUI_TIME_EPOCH };
/* For views that have to know what DELTA counts from. */
enum tui_time_form tui_app_time_form(const struct tui_app *app);
/* @ts as the user wants times, with @decimals; DELTA counts from @before (0: nothing before). 0 is
 * shown as "-". */
void tui_app_time(const struct tui_app *app, struct buf *out, uint64_t ts, uint64_t before,
		  int decimals);
/* The same, date included, always: "2026-03-02T11:04:17.220481093Z". */
void tui_time_full(const struct tui_app *app, struct buf *out, uint64_t ts, int decimals);
/* "812", "3,410", "41.2M": at most 6 columns. */
void tui_count(struct buf *out, uint64_t n);

/* "1.2s", "3m12s", "15ms". */
void tui_duration(struct buf *out, uint64_t ns);
/* Decimal digits, all of @text. */
bool tui_number(struct sv text, uint64_t *out);
/* "11:04", "11:04:17.22", all of @text: how long after midnight. */
bool tui_time_of_day(const char *text, uint64_t *ns);

/* Severities of rules: glyph and word ("!!CRIT"), and their role. */
const char *tui_severity(int priority);
const char *tui_severity_glyph(int priority); /* "!!", "!", "~", "." */
enum tui_role tui_severity_role(int priority);

#endif
