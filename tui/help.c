/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the view below, or all of them: lines that can be scrolled. */
#include <stdlib.h>
#include <string.h>

#include "tui/internal.h"
#include "tui/wrap.h"

#define KEYS_AT	  3
#define NAMES_AT  18
#define MEANS_AT  34 /* what the action does; on narrow screens in lines of its own */
#define WIDE	  70
#define MEANS_LOW 5 /* there */

struct help_view {
	struct tui_view base;
	bool all;
	const struct tui_view_ops *of;
	struct buf text; /* lines of pieces: where one begins, its role, the text, a tab */
	size_t lines, top;
	int height, width; /* for which the lines were made */
};

static void add_piece(struct help_view *h, int x, enum tui_role role, struct sv text)
{
	buf_char(&h->text, (char)('A' + x));
	buf_char(&h->text, (char)('A' + role));
	buf_sv(&h->text, text);
	buf_char(&h->text, '\t');
}

static void end_line(struct help_view *h)
{
	buf_char(&h->text, '\n');
	h->lines++;
}

static void add_line(struct help_view *h, enum tui_role role, const char *text)
{
	add_piece(h, 1, role, sv_of(text));
	end_line(h);
}

/* @text in lines from column @x on; the first one has begun already. */
static void add_paragraph(struct help_view *h, int x, enum tui_role role, const char *text)
{
	struct sv rest = sv_of(text);

	do {
		add_piece(h, x, role, tui_wrap_take(&rest, h->width - 1 - x));
		end_line(h);
	} while (rest.n);
}

static void add_action(struct help_view *h, enum tui_action a)
{
	const struct tui_action_info *info = &tui_actions[a];
	struct buf name = {0}, keys = {0};
	int x = h->width >= WIDE ? MEANS_AT : MEANS_LOW;

	tui_keymap_keys(h->base.app->keymap, a, &keys);
	buf_addf(&name, "%s%s%s", info->name, *info->arg ? " " : "", info->arg);
	add_piece(h, KEYS_AT, TUI_ROLE_KEY, keys.len ? buf_view(&keys) : SV_LIT(":"));
	add_piece(h, NAMES_AT, TUI_ROLE_NORMAL, buf_view(&name));
	if (x < NAMES_AT || NAMES_AT + tui_width(buf_view(&name)) >= x)
		end_line(h);
	add_paragraph(h, x, TUI_ROLE_DIM, info->help);
	h->text.failed |= name.failed || keys.failed;
	buf_done(&name);
	buf_done(&keys);
}

static bool is_own(const struct help_view *h, enum tui_action a)
{
	const uint8_t *p = h->of->actions;

	for (; p && *p; p++)
		if (*p == a)
			return true;
	return false;
}

static void fill(struct help_view *h)
{
	buf_reset(&h->text);
	h->lines = 0;
	if (!h->all && h->of->help) {
		add_paragraph(h, 1, TUI_ROLE_NORMAL, h->of->help);
		end_line(h);
	}
	if (!h->all && h->of->actions && *h->of->actions) {
		add_line(h, TUI_ROLE_HEADER, "here");
		for (int a = 1; a < TUI_ACTION_COUNT; a++)
			if (is_own(h, (enum tui_action)a))
				add_action(h, (enum tui_action)a);
	}
	for (int g = 0; g < TUI_GROUP_COUNT; g++) {
		add_line(h, TUI_ROLE_HEADER, tui_group_names[g]);
		for (int a = 1; a < TUI_ACTION_COUNT; a++)
			if (tui_actions[a].group == (enum tui_group)g &&
			    (h->all || !is_own(h, (enum tui_action)a)))
				add_action(h, (enum tui_action)a);
	}
}

static int open_help(struct tui_app *app, bool all, struct tui_view **out, struct error *err)
{
	struct help_view *h = calloc(1, sizeof(*h));

	if (!h)
		return error_nomem(err);
	h->all = all;
	h->of = tui_app_top(app)->ops;
	*out = &h->base;
	return 0;
}

static int open_keys_of_view(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			     struct error *err)
{
	(void)t;
	return open_help(app, false, out, err);
}

static int open_all_keys(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
			 struct error *err)
{
	(void)t;
	return open_help(app, true, out, err);
}

static void close_help(struct tui_view *v)
{
	struct help_view *h = (struct help_view *)v;

	buf_done(&h->text);
	free(h);
}

static int sync_help(struct tui_view *v, unsigned news, struct error *err)
{
	struct help_view *h = (struct help_view *)v;
	int width = tui_app_body(v->app).width;

	if (news != ~0u && width == h->width)
		return 0;
	h->width = width;
	fill(h);
	return h->text.failed ? error_nomem(err) : 0;
}

/* Up to its line feed, which is taken, too. */
static void draw_line(struct sv *rest, const struct tui_area *a, int y)
{
	while (*rest->p != '\n') {
		size_t n = (size_t)((const char *)memchr(rest->p, '\t', rest->n) - rest->p);
		int x = rest->p[0] - 'A';

		tui_put(a, y, x, a->width - 1 - x, (enum tui_role)(rest->p[1] - 'A'),
			sv_make(rest->p + 2, n - 2));
		*rest = sv_drop(*rest, n + 1);
	}
	*rest = sv_drop(*rest, 1);
}

static void draw_help(struct tui_view *v, const struct tui_area *a)
{
	struct help_view *h = (struct help_view *)v;
	struct sv rest = buf_view(&h->text);

	h->height = a->height;
	for (size_t number = 0; rest.n && number < h->top + (size_t)a->height; number++)
		draw_line(&rest, a, number < h->top ? -1 : (int)(number - h->top));
	if (h->top + (size_t)a->height < h->lines)
		tui_put_right(a, a->height - 1, 0, a->width - 1, TUI_ROLE_DIM, SV_LIT(" more "));
}

static enum tui_result act_help(struct tui_view *v, const struct tui_command *c)
{
	struct help_view *h = (struct help_view *)v;
	size_t page = h->height > 1 ? (size_t)h->height - 1 : 1;
	size_t most = h->lines > (size_t)h->height ? h->lines - (size_t)h->height : 0;

	switch (c->action) {
	case TUI_DO_DOWN:
		h->top += (size_t)c->count;
		break;
	case TUI_DO_UP:
		h->top = h->top > (size_t)c->count ? h->top - (size_t)c->count : 0;
		break;
	case TUI_DO_PAGE_DOWN:
		h->top += page;
		break;
	case TUI_DO_PAGE_UP:
		h->top = h->top > page ? h->top - page : 0;
		break;
	case TUI_DO_FIRST:
		h->top = 0;
		break;
	case TUI_DO_LAST:
		h->top = most;
		break;
	default:
		return TUI_NOT_MINE;
	}
	h->top = h->top > most ? most : h->top;
	return TUI_DONE;
}

static void crumb_help(struct tui_view *v, struct buf *out)
{
	struct help_view *h = (struct help_view *)v;

	buf_str(out, h->all ? "Keys" : "Help");
}

const struct tui_view_ops tui_help_ops = {.name = "help",
					  .title = "Help",
					  .open = open_keys_of_view,
					  .close = close_help,
					  .sync = sync_help,
					  .draw = draw_help,
					  .act = act_help,
					  .crumb = crumb_help};
const struct tui_view_ops tui_keys_ops = {.name = "keys",
					  .title = "Keys",
					  .open = open_all_keys,
					  .close = close_help,
					  .sync = sync_help,
					  .draw = draw_help,
					  .act = act_help,
					  .crumb = crumb_help};
