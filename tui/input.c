/* SPDX-License-Identifier: Apache-2.0 */
/* What is typed and clicked, on its way to commands. */
#include "tui/internal.h"

#define WHEEL_ROWS 3

static const struct tui_prompt_ops *prompt_of(enum tui_action a)
{
	if (a == TUI_DO_FILTER)
		return &tui_filter_ops;
	return a == TUI_DO_PALETTE ? &tui_palette_ops : &tui_argument_ops;
}

static void ask(struct tui_app *app, enum tui_action a)
{
	const char *label = a == TUI_DO_FILTER	  ? "\\"
			    : a == TUI_DO_PALETTE ? ":"
			    : a == TUI_DO_SEARCH  ? "/"
						  : tui_actions[a].name;

	tui_prompt_open(&app->prompt, app, prompt_of(a), a, label,
			a == TUI_DO_FILTER ? buf_view(&tui_app_top(app)->filter) : SV_NONE);
}

/* Is a line to be typed before @a can be done? */
static bool asks(const struct tui_app *app, enum tui_action a)
{
	if (a == TUI_DO_FILTER)
		return tui_app_top(app)->ops->filter != NULL;
	return a == TUI_DO_PALETTE || tui_action_needs_argument(a);
}

static void on_key(struct tui_app *app, uint32_t key)
{
	struct tui_command c = {.count = 1, .typed = true};
	struct buf name = {0};

	buf_reset(&app->message);
	c.action = tui_keymap_find(app->keymap, key);
	if (c.action && asks(app, c.action)) {
		ask(app, c.action);
	} else if (c.action) {
		tui_app_command(app, &c);
	} else {
		struct buf help = {0};

		tui_key_name(&name, key);
		tui_keymap_key(app->keymap, TUI_DO_HELP, &help);
		tui_app_say(app, TUI_ROLE_NOTICE, "%s does nothing; %s shows what keys do",
			    buf_cstr(&name), buf_cstr(&help));
		buf_done(&help);
		buf_done(&name);
	}
}

static void on_prompt(struct tui_app *app, uint32_t key)
{
	struct tui_prompt *p = &app->prompt;
	enum tui_prompt_end end = tui_prompt_key(p, app, key);
	struct tui_command c = {.count = 1};
	struct buf line = {0};

	if (end == TUI_PROMPT_GOES_ON)
		return;
	c.action = p->action;
	buf_sv(&line, buf_view(&p->line));
	tui_prompt_close(p);
	if (end == TUI_PROMPT_TAKEN && (line.len || c.action == TUI_DO_FILTER)) {
		c.arg = buf_view(&line);
		tui_app_command(app, &c);
	}
	buf_done(&line);
}

static void on_mouse(struct tui_app *app, const struct tui_input *in)
{
	struct tui_view *v = tui_app_top(app);
	struct tui_area body = tui_app_body(app);
	struct tui_command c = {.count = 1, .typed = true};
	struct tui_table *t;

	if (app->prompt.open)
		return;
	buf_reset(&app->message);
	if (in->mouse == TUI_MOUSE_WHEEL_UP || in->mouse == TUI_MOUSE_WHEEL_DOWN) {
		c.action = in->mouse == TUI_MOUSE_WHEEL_UP ? TUI_DO_UP : TUI_DO_DOWN;
		c.count = WHEEL_ROWS;
		tui_app_command(app, &c);
		return;
	}
	if (in->y < body.y || in->y >= body.y + body.height || v->trouble.code)
		return;
	if (v->ops->click)
		v->ops->click(v, in, &body);
	else if (v->ops->table && (t = v->ops->table(v)) != NULL)
		tui_table_click(t, in, &body);
	if (in->mouse == TUI_MOUSE_DOUBLE) {
		c.action = TUI_DO_ENTER;
		tui_app_command(app, &c);
	}
}

void tui_app_input(struct tui_app *app, const struct tui_input *in)
{
	struct error err = {0};

	switch (in->kind) {
	case TUI_INPUT_KEY:
		if (app->prompt.open)
			on_prompt(app, in->key);
		else if (!in->pasted)
			on_key(app, in->key);
		break;
	case TUI_INPUT_MOUSE:
		on_mouse(app, in);
		break;
	case TUI_INPUT_RESIZE:
		if (tui_screen_resize(&app->screen, in->y, in->x, &err) < 0)
			tui_app_fail(app, &err);
		tui_app_top(app)->news |= TUI_NEWS_PROGRESS;
		break;
	default:
		break;
	}
}
