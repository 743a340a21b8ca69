/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/prompt.h"

#include <string.h>

#include "base/json.h"

#define CTRL(c)		((c)&0x1f)
#define ITEMS_BYTES_MAX 65536 /* of all completions offered */

/* --- the line: UTF-8, since only characters are put in --- */

static size_t next_char(const struct tui_prompt *p, size_t at)
{
	if (at < p->line.len)
		at++;
	while (at < p->line.len && ((unsigned char)p->line.p[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static size_t prev_char(const struct tui_prompt *p, size_t at)
{
	if (at)
		at--;
	while (at && ((unsigned char)p->line.p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static bool is_blank(const struct tui_prompt *p, size_t at)
{
	return p->line.p[at] == ' ';
}

static size_t prev_word(const struct tui_prompt *p, size_t at)
{
	while (at && is_blank(p, at - 1))
		at--;
	while (at && !is_blank(p, at - 1))
		at--;
	return at;
}

static void remove_part(struct tui_prompt *p, size_t from, size_t to)
{
	if (from >= to)
		return;
	memmove(p->line.p + from, p->line.p + to, p->line.len - to);
	p->line.len -= to - from;
	p->cursor = from;
}

/* Put @text where bytes @from to @to are. */
static void replace(struct tui_prompt *p, size_t from, size_t to, struct sv text)
{
	remove_part(p, from, to);
	if (p->line.len + text.n > TUI_PROMPT_MAX || !buf_room(&p->line, text.n))
		return;
	memmove(p->line.p + from + text.n, p->line.p + from, p->line.len - from);
	if (text.n)
		memcpy(p->line.p + from, text.p, text.n);
	p->line.len += text.n;
	p->cursor = from + text.n;
}

static size_t encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* --- completion --- */

void tui_completion_add(struct tui_completions *c, struct sv text, struct sv help)
{
	struct tui_completion *item = &c->items[c->count];

	if (c->count == TUI_COMPLETIONS_MAX || c->text.len + text.n + help.n > ITEMS_BYTES_MAX)
		return;
	/* Where they are is known once the buffer moves no more: an offset until then. */
	item->text = sv_make((const char *)(uintptr_t)c->text.len, text.n);
	buf_sv(&c->text, text);
	item->help = sv_make((const char *)(uintptr_t)c->text.len, help.n);
	buf_sv(&c->text, help);
	if (!c->text.failed)
		c->count++;
}

static void fix_places(struct tui_completions *c)
{
	for (size_t i = 0; i < c->count; i++) {
		c->items[i].text.p = c->text.p + (uintptr_t)c->items[i].text.p;
		c->items[i].help.p = c->text.p + (uintptr_t)c->items[i].help.p;
	}
}

static void offer(struct tui_prompt *p, struct tui_app *app, bool values)
{
	p->offered.count = 0;
	p->offered.from = p->cursor;
	buf_reset(&p->offered.text);
	p->chosen = SIZE_MAX;
	if (p->ops->complete)
		p->ops->complete(app, buf_view(&p->line), p->cursor, values, &p->offered);
	fix_places(&p->offered);
}

static void check(struct tui_prompt *p, struct tui_app *app)
{
	p->wrong = (struct error){0};
	p->wrong_at = 0;
	if (p->ops->check && p->ops->check(app, buf_view(&p->line), &p->wrong_at, &p->wrong) >= 0)
		p->wrong.code = 0;
}

static void changed(struct tui_prompt *p, struct tui_app *app)
{
	offer(p, app, false);
	p->offering = p->offered.count > 0;
	check(p, app);
}

/* How much of the offered texts is the same. */
static struct sv common(const struct tui_completions *c)
{
	struct sv all = c->items[0].text;

	for (size_t i = 1; i < c->count; i++) {
		size_t n = 0;

		while (n < all.n && n < c->items[i].text.n && all.p[n] == c->items[i].text.p[n])
			n++;
		all.n = n;
	}
	return all;
}

static void complete(struct tui_prompt *p, struct tui_app *app, bool back)
{
	struct tui_completions *c = &p->offered;
	struct sv all;

	if (p->chosen == SIZE_MAX)
		offer(p, app, true);
	p->offering = c->count > 0;
	if (!c->count)
		return;
	all = common(c);
	if (c->count == 1 || (p->chosen == SIZE_MAX && all.n > p->cursor - c->from)) {
		replace(p, c->from, p->cursor, all);
		if (c->count == 1)
			changed(p, app);
		check(p, app);
		return;
	}
	if (p->chosen == SIZE_MAX)
		p->chosen = back ? c->count - 1 : 0;
	else
		p->chosen = (p->chosen + (back ? c->count - 1 : 1)) % c->count;
	replace(p, c->from, p->cursor, c->items[p->chosen].text);
	check(p, app);
}

/* --- history --- */

static void remember(struct tui_prompt *p)
{
	size_t n = p->history_count;

	if (!p->line.len)
		return;
	if (n && p->history_of[n - 1] == p->action &&
	    sv_eq(buf_view(&p->history[n - 1]), buf_view(&p->line)))
		return;
	if (n == TUI_HISTORY_MAX) {
		buf_done(&p->history[0]);
		memmove(p->history, p->history + 1, (n - 1) * sizeof(*p->history));
		memmove(p->history_of, p->history_of + 1, (n - 1) * sizeof(*p->history_of));
		n--;
	}
	p->history[n] = (struct buf){0};
	buf_sv(&p->history[n], buf_view(&p->line));
	p->history_of[n] = p->action;
	p->history_count = n + 1;
}

/* The @back-th line before this one of the same action; NULL: there are fewer. */
static const struct buf *recall(const struct tui_prompt *p, size_t back)
{
	for (size_t i = p->history_count; i--;)
		if (p->history_of[i] == p->action && --back == 0)
			return &p->history[i];
	return NULL;
}

static void move_in_history(struct tui_prompt *p, struct tui_app *app, bool older)
{
	size_t to = older ? p->before + 1 : p->before ? p->before - 1 : 0;
	const struct buf *line = to ? recall(p, to) : &p->kept;

	if (!line || to == p->before)
		return;
	if (p->before == 0) {
		buf_reset(&p->kept);
		buf_sv(&p->kept, buf_view(&p->line));
	}
	p->before = to;
	replace(p, 0, p->line.len, buf_view(line));
	changed(p, app);
	p->offering = false;
}

/* --- keys --- */

void tui_prompt_open(struct tui_prompt *p, struct tui_app *app, const struct tui_prompt_ops *ops,
		     enum tui_action action, const char *label, struct sv text)
{
	p->open = true;
	p->ops = ops;
	p->action = action;
	p->label = label;
	p->before = 0;
	p->cursor = 0;
	buf_reset(&p->line);
	replace(p, 0, 0, text);
	changed(p, app);
	p->offering &= !text.n;
}

void tui_prompt_close(struct tui_prompt *p)
{
	p->open = p->offering = false;
	p->offered.count = 0;
}

void tui_prompt_done(struct tui_prompt *p)
{
	for (size_t i = 0; i < p->history_count; i++)
		buf_done(&p->history[i]);
	p->history_count = 0;
	buf_done(&p->line);
	buf_done(&p->kept);
	buf_done(&p->offered.text);
}

/* Return: was it a key for editing? */
static bool edit(struct tui_prompt *p, uint32_t key)
{
	char bytes[4];

	switch (key) {
	case TUI_KEY_BACKSPACE:
	case CTRL('H'):
	case 0x7f:
		remove_part(p, prev_char(p, p->cursor), p->cursor);
		return true;
	case TUI_KEY_DELETE:
	case CTRL('D'):
		remove_part(p, p->cursor, next_char(p, p->cursor));
		return true;
	case CTRL('W'):
		remove_part(p, prev_word(p, p->cursor), p->cursor);
		return true;
	case CTRL('U'):
		remove_part(p, 0, p->cursor);
		return true;
	case CTRL('K'):
		p->line.len = p->cursor;
		return true;
	default:
		if (key < 0x20 || key >= TUI_KEY_FIRST || utf8_is_harmful(key) ||
		    (key >= 0xd800 && key < 0xe000))
			return false;
		replace(p, p->cursor, p->cursor, sv_make(bytes, encode(key, bytes)));
		return true;
	}
}

static void move(struct tui_prompt *p, uint32_t key)
{
	switch (key) {
	case TUI_KEY_LEFT:
	case CTRL('B'):
		p->cursor = prev_char(p, p->cursor);
		break;
	case TUI_KEY_RIGHT:
	case CTRL('F'):
		p->cursor = next_char(p, p->cursor);
		break;
	case TUI_KEY_HOME:
	case CTRL('A'):
		p->cursor = 0;
		break;
	case TUI_KEY_END:
	case CTRL('E'):
		p->cursor = p->line.len;
		break;
	default:
		break;
	}
}

enum tui_prompt_end tui_prompt_key(struct tui_prompt *p, struct tui_app *app, uint32_t key)
{
	switch (key) {
	case TUI_KEY_ENTER:
	case '\n':
		remember(p);
		return TUI_PROMPT_TAKEN;
	case TUI_KEY_ESC:
	case CTRL('C'):
	case CTRL('G'):
		return TUI_PROMPT_LEFT;
	case TUI_KEY_TAB:
	case TUI_KEY_BACK_TAB:
		complete(p, app, key == TUI_KEY_BACK_TAB);
		break;
	case TUI_KEY_UP:
	case CTRL('P'):
	case TUI_KEY_DOWN:
	case CTRL('N'):
		move_in_history(p, app, key == TUI_KEY_UP || key == CTRL('P'));
		break;
	default:
		if (key == TUI_KEY_BACKSPACE && !p->line.len)
			return TUI_PROMPT_LEFT;
		if (edit(p, key))
			changed(p, app);
		else
			move(p, key);
	}
	return TUI_PROMPT_GOES_ON;
}

/* --- drawing --- */

static size_t seen(const struct tui_prompt *p)
{
	return p->offering ? p->offered.count < TUI_COMPLETIONS_SEEN ? p->offered.count
								     : TUI_COMPLETIONS_SEEN
			   : 0;
}

int tui_prompt_lines(const struct tui_prompt *p, int height)
{
	int lines = 1 + (int)seen(p) + (p->wrong.code ? 1 : 0);

	return lines < height / 2 ? lines : height / 2 > 1 ? height / 2 : 1;
}

static void draw_offers(const struct tui_prompt *p, const struct tui_area *a)
{
	size_t first = p->chosen == SIZE_MAX || p->chosen < (size_t)a->height
			   ? 0
			   : p->chosen - (size_t)a->height + 1;
	int width = 0;

	for (size_t i = first; i < p->offered.count && i < first + (size_t)a->height; i++) {
		int w = tui_width(p->offered.items[i].text);

		width = w > width ? w : width;
	}
	width = width > a->width / 2 ? a->width / 2 : width;
	for (int y = 0; y < a->height && first + (size_t)y < p->offered.count; y++) {
		const struct tui_completion *c = &p->offered.items[first + (size_t)y];

		tui_put(a, y, 2, width, TUI_ROLE_INPUT, c->text);
		tui_put(a, y, 4 + width, a->width - width - 5, TUI_ROLE_DIM, c->help);
		if (first + (size_t)y == p->chosen)
			tui_select(a, y, 1, width + 2);
	}
	if (p->offered.count > first + (size_t)a->height && a->height)
		tui_put_right(a, a->height - 1, 0, a->width - 1, TUI_ROLE_DIM, SV_LIT("more"));
}

/* The part of the line that fits, so that the cursor is seen. Return: column of the cursor in it.
 */
static int fit(const struct tui_prompt *p, int width, struct sv *shown)
{
	struct sv left = sv_make(p->line.p, p->cursor);
	size_t skip = 0;

	while (tui_width(sv_drop(left, skip)) >= width && skip < p->cursor)
		skip = next_char(p, skip);
	*shown = sv_drop(buf_view(&p->line), skip);
	return tui_width(sv_drop(left, skip));
}

void tui_prompt_draw(const struct tui_prompt *p, const struct tui_area *all, int *y, int *x)
{
	int lines = tui_prompt_lines(p, all->height), label, at;
	struct tui_area a = tui_area_part(all, all->height - lines, 0, lines, all->width);
	struct tui_area offers =
	    tui_area_part(&a, 1, 0, lines - 1 - (p->wrong.code && lines > 1), a.width);
	struct sv shown;

	label = 1 + tui_puts(&a, 0, 1, TUI_ROLE_KEY, p->label) + 1;
	at = fit(p, a.width - label - 1, &shown);
	tui_put(&a, 0, label, a.width - label, TUI_ROLE_INPUT, shown);
	draw_offers(p, &offers);
	if (p->wrong.code && lines > 1) {
		bool unfinished = p->wrong.code == ERR_TRUNCATED;
		enum tui_role role = unfinished ? TUI_ROLE_DIM : TUI_ROLE_ERROR;
		int used = tui_printf(
		    &a, lines - 1, 1, role,
		    "%s col %zu: ", tui_glyph(a.screen, unfinished ? TUI_GLYPH_DOT : TUI_GLYPH_NO),
		    p->wrong_at + 1);

		tui_put(&a, lines - 1, 1 + used, a.width - used - 2, role, sv_of(p->wrong.msg));
	}
	*y = a.y;
	*x = a.x + label + at;
}
