/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the view below, or all of them: lines that can be scrolled. */
#include <stdlib.h>
#include <string.h>

#include "tui/internal.h"

#define KEY_WIDTH 12

struct help_view {
	struct tui_view base;
	bool all;
	const struct tui_view_ops *of;
	struct buf text; /* lines; the first byte of each is its role */
	size_t lines, top;
	int height, width; /* for which the lines were made */
};

static void add_line(struct help_view *h, enum tui_role role, struct sv text)
{
	buf_char(&h->text, (char)('A' + role));
	buf_sv(&h->text, text);
	buf_char(&h->text, '\n');
	h->lines++;
}

/* Words of @text in lines of @width. */
static void add_paragraph(struct help_view *h, const char *text, int width)
{
	struct sv rest = sv_of(text);

	while (rest.n) {
		size_t n = rest.n < (size_t)width ? rest.n : (size_t)width, cut = n;

		while (n < rest.n && cut && rest.p[cut] != ' ')
			cut--;
		cut = cut ? cut : n;
		add_line(h, TUI_ROLE_NORMAL, sv_make(rest.p, cut));
		rest = sv_drop(rest, cut);
		while (rest.n && *rest.p == ' ')
			rest = sv_drop(rest, 1);
	}
	add_line(h, TUI_ROLE_NORMAL, SV_NONE);
}

static void add_action(struct help_view *h, enum tui_action a)
{
	const struct tui_action_info *info = &tui_actions[a];
	struct buf b = {0}, keys = {0};

	tui_keymap_keys(h->base.app->keymap, a, &keys);
	if (keys.len)
		buf_addf(&b, "  %-*s %s%s%s  %s", KEY_WIDTH, buf_cstr(&keys), info->name,
			 *info->arg ? " " : "", info->arg, info->help);
	else
		buf_addf(&b, "  :%s%s%s  %s", info->name, *info->arg ? " " : "", info->arg,
			 info->help);
	add_line(h, TUI_ROLE_NORMAL, buf_view(&b));
	buf_done(&b);
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

static void fill(struct help_view *h, int width)
{
	buf_reset(&h->text);
	h->lines = 0;
	if (!h->all) {
		if (h->of->help)
			add_paragraph(h, h->of->help, width - 2);
		add_line(h, TUI_ROLE_HEADER, SV_LIT("here"));
		for (int a = 1; a < TUI_ACTION_COUNT; a++)
			if (is_own(h, (enum tui_action)a))
				add_action(h, (enum tui_action)a);
	}
	for (int g = 0; g < TUI_GROUP_COUNT; g++) {
		add_line(h, TUI_ROLE_HEADER, sv_of(tui_group_names[g]));
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
	fill(h, width);
	return h->text.failed ? error_nomem(err) : 0;
}

static void draw_help(struct tui_view *v, const struct tui_area *a)
{
	struct help_view *h = (struct help_view *)v;
	struct sv rest = buf_view(&h->text);
	size_t number = 0;

	h->height = a->height;
	while (rest.n) {
		size_t n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) - rest.p);
		enum tui_role role = (enum tui_role)(*rest.p - 'A');

		if (number >= h->top && number - h->top < (size_t)a->height)
			tui_put(a, (int)(number - h->top), 1, a->width - 2, role,
				sv_make(rest.p + 1, n - 1));
		rest = sv_drop(rest, n + 1);
		number++;
	}
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
