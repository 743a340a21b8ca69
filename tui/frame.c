/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds the view: two lines above, one below, or more while something is typed. */
#include <string.h>

#include "tui/internal.h"

#define LEAST_WIDTH  40
#define LEAST_HEIGHT 8
#define FULL_HEIGHT  12 /* lower screens have one line above */
#define CRUMB_LEAST  18 /* columns of where this is; what is before it gives way */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static int header_lines(const struct tui_app *app)
{
	return app->screen.height >= FULL_HEIGHT ? 2 : 1;
}

struct tui_area tui_app_body(struct tui_app *app)
{
	struct tui_area all = tui_screen_area(&app->screen);
	int below = app->prompt.open ? tui_prompt_lines(&app->prompt, all.height) : 1;
	int above = header_lines(app);

	return tui_area_part(&all, above, 0, all.height - above - below, all.width);
}

static void add_crumb(struct tui_app *app, struct tui_view *v, struct buf *b)
{
	buf_addf(b, " %s ", tui_glyph(&app->screen, TUI_GLYPH_CRUMB));
	if (v->ops->crumb)
		v->ops->crumb(v, b);
	else
		buf_str(b, v->ops->title);
}

/* The path to the view, without the first @skip of its parts. */
static void add_path(struct tui_app *app, size_t skip, struct buf *b)
{
	const struct tui_capture *c = tui_data_capture(app->data);
	const char *path = tui_data_case_path(app->data);

	if (!path && c)
		path = c->path;
	if (!skip)
		buf_addf(b, "scapula %s", path ? file_name(path) : "");
	for (size_t i = skip ? skip - 1 : 0; i <= app->depth; i++)
		add_crumb(app, i ? app->stack[i - 1] : app->roots[app->root], b);
}

static void draw_title(struct tui_app *app, const struct tui_area *a)
{
	struct buf left = {0}, right = {0};
	struct tui_live_now now;
	uint64_t num, ts = tui_data_time(app->data, &num);
	int width, cut; /* columns that the last part of the path can do without */

	if (app->playing)
		buf_addf(&right, "x%u ", app->speed);
	if (tui_data_live(app->data, &now))
		buf_str(&right, now.over ? "ended " : now.follows ? "live " : "frozen ");
	buf_lit(&right, "T ");
	tui_time_full(app, &right, ts, a->width >= 80 ? 3 : 0);
	if (a->width < 60 && right.len > 13) { /* the time of day is what fits */
		buf_reset(&right);
		buf_lit(&right, "T ");
		tui_app_time(app, &right, ts, 0, 0);
	}
	width = tui_width(buf_view(&right));
	tui_fill(&(struct tui_area){a->screen, a->y, a->x, 1, a->width}, TUI_ROLE_TITLE);
	add_crumb(app, tui_app_top(app), &left);
	cut = tui_width(buf_view(&left)) - CRUMB_LEAST;
	for (size_t skip = 0; skip <= app->depth + 1; skip++) {
		buf_reset(&left);
		add_path(app, skip, &left);
		if (tui_width(buf_view(&left)) - (cut > 0 ? cut : 0) <= a->width - width - 3)
			break;
	}
	tui_put(a, 0, *buf_cstr(&left) == ' ' ? 0 : 1, a->width - width - 3, TUI_ROLE_TITLE,
		buf_view(&left));
	tui_put_right(a, 0, 0, a->width - 1, TUI_ROLE_TIME, buf_view(&right));
	buf_done(&left);
	buf_done(&right);
}

/* The filter in columns @x to @to: parts that can be switched off have numbers. */
static void draw_filter(const struct tui_view *v, const struct tui_area *a, int x, int to)
{
	const char *word = v->ops->language ? v->ops->language->word : NULL;
	struct sv parts[TUI_CHIPS_MAX];
	size_t n = tui_filter_chips(buf_view(&v->filter), parts);
	struct buf typed = {0};

	if (n)
		x += tui_puts(a, 1, x, TUI_ROLE_CHIP, "\\");
	for (size_t i = 0; i < n && x < to; i++) {
		bool off = v->chips_off >> i & 1;
		enum tui_role role = off ? TUI_ROLE_DIM : TUI_ROLE_CHIP;

		if (n > 1)
			x += tui_printf(a, 1, x, role, "%zu%s", i + 1,
					off ? tui_glyph(a->screen, TUI_GLYPH_NO) : ":");
		buf_reset(&typed);
		tui_filter_typed(word, parts[i], &typed);
		if (x < to)
			x += tui_put(a, 1, x, to - x, role, buf_view(&typed)) + 1;
	}
	buf_done(&typed);
}

/* Events of now, and what of them was lost. Return: the next column. */
static int draw_live(struct tui_app *app, const struct tui_area *a, int x)
{
	struct tui_live_now now;
	struct buf n = {0};

	if (!tui_data_live(app->data, &now))
		return x;
	tui_count(&n, now.per_second);
	x += tui_printf(a, 1, x + 2, TUI_ROLE_DIM, "%s/s", buf_cstr(&n)) + 2;
	buf_reset(&n);
	tui_count(&n, now.lost);
	x += tui_printf(a, 1, x + 2, now.lost ? TUI_ROLE_LOSS : TUI_ROLE_DIM, "lost %s",
			buf_cstr(&n)) +
	     2;
	buf_done(&n);
	return x;
}

/* Which capture, and what is to be known of it: losses, host, what is being worked on. */
static void draw_state(struct tui_app *app, const struct tui_area *a)
{
	const struct tui_capture *c = tui_data_capture(app->data);
	const struct run_facts *f = c ? c->facts : NULL;
	const struct tui_view *v = tui_app_top(app);
	struct buf busy = {0}, text = {0};
	int x = 1, width = a->width - 2, used = 0;

	if (tui_data_is_busy(app->data, &busy)) {
		used = tui_width(buf_view(&busy)) + 2;
		tui_put_right(a, 1, 0, a->width - 1, TUI_ROLE_WARNING, buf_view(&busy));
	}
	if (c) {
		x += tui_put(a, 1, x, width / 2, TUI_ROLE_DIM, sv_of(file_name(c->path)));
		if (!c->there)
			x += tui_puts(a, 1, x + 2, TUI_ROLE_WARNING, "file not here") + 2;
	}
	x = draw_live(app, a, x);
	if (f && f->stats.gaps)
		x += tui_printf(a, 1, x + 2, TUI_ROLE_LOSS, "%s GAPS %llu",
				tui_glyph(a->screen, TUI_GLYPH_GAP),
				(unsigned long long)f->stats.gaps) +
		     2;
	if (f && f->machine_known && f->hostname.n) {
		buf_addf(&text, "host %.*s", (int)f->hostname.n, f->hostname.p);
		x += tui_put(a, 1, x + 2, width / 3, TUI_ROLE_DIM, buf_view(&text)) + 2;
	}
	draw_filter(v, a, x + 2, a->width - 1 - used);
	buf_done(&busy);
	buf_done(&text);
}

/* A key and what it does; @apart: with a blank between them. Return: columns used, 0 if there is no
 * room. */
static int put_key(struct tui_app *app, const struct tui_area *a, int x, enum tui_action action,
		   bool apart, const char *word)
{
	struct buf key = {0};
	int used = 0;

	tui_keymap_label(app->keymap, action, &key);
	if (key.len && x + tui_width(buf_view(&key)) + apart + (int)strlen(word) < a->width) {
		used = tui_put(a, 0, x, a->width - x, TUI_ROLE_KEY, buf_view(&key)) + apart;
		used += tui_puts(a, 0, x + used, TUI_ROLE_DIM, word) + 1;
	}
	buf_done(&key);
	return used;
}

static void draw_keys(struct tui_app *app, const struct tui_area *a)
{
	static const char *const words[TUI_ROOTS] = {"Over", "Alrt", "Tree", "Evts", "File",
						     "Net",  "Sess", "Time", "Rule"};
	const uint8_t *actions = tui_app_top(app)->ops->actions;
	struct tui_area left = tui_area_part(a, 0, 0, 1, a->width - 8);
	int x = 1;

	put_key(app, a, a->width - 7, TUI_DO_HELP, true, "help");
	if (actions && *actions) {
		for (; *actions; actions++) {
			x += put_key(app, &left, x, (enum tui_action) * actions, true,
				     tui_actions[*actions].name);
		}
		return;
	}
	for (size_t i = 0; i < TUI_ROOTS; i++)
		x +=
		    put_key(app, &left, x, (enum tui_action)(TUI_DO_OVERVIEW + i), false, words[i]);
	x += put_key(app, &left, x, TUI_DO_FILTER, true, "filter");
	put_key(app, &left, x, TUI_DO_GOTO, true, "time");
}

static void draw_footer(struct tui_app *app, const struct tui_area *all)
{
	struct tui_area a = tui_area_part(all, all->height - 1, 0, 1, all->width);

	if (app->prompt.open)
		tui_prompt_draw(&app->prompt, all, &app->cursor_y, &app->cursor_x);
	else if (app->message.len)
		tui_put(&a, 0, 1, a.width - 2, app->message_role, buf_view(&app->message));
	else
		draw_keys(app, &a);
}

static void draw_trouble(const struct tui_view *v, const struct tui_area *a)
{
	tui_put(a, 1, 2, a->width - 4, TUI_ROLE_ERROR,
		sv_of(v->trouble.msg[0] ? v->trouble.msg : error_code_text(v->trouble.code)));
}

void tui_app_draw(struct tui_app *app)
{
	struct tui_area all = tui_screen_area(&app->screen), body;
	struct tui_view *v = tui_app_top(app);

	tui_screen_clear(&app->screen);
	app->cursor_y = app->cursor_x = -1;
	if (all.width < LEAST_WIDTH || all.height < LEAST_HEIGHT) {
		tui_printf(&all, 0, 0, TUI_ROLE_ERROR, "terminal too small (need %dx%d)",
			   LEAST_WIDTH, LEAST_HEIGHT);
		return;
	}
	draw_title(app, &all);
	if (header_lines(app) > 1)
		draw_state(app, &all);
	body = tui_app_body(app);
	if (v->trouble.code)
		draw_trouble(v, &body);
	else
		v->ops->draw(v, &body);
	draw_footer(app, &all);
}
