/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/plain.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "tui/keys.h"
#include "tui/tty.h"

#define PROMPT	 "keys> "
#define KEYS_MAX (64 << 10) /* of keys */

struct tui_plain {
	struct buf line; /* what was typed, up to and behind the line end */
	size_t at;	 /* of it, already keys */
	bool ready;	 /* @line is whole: keys are taken from it */
	bool over;	 /* nothing more comes */
	bool asked;	 /* the screen is printed, and the prompt */
	struct buf shown;
};

int tui_plain_new(struct tui_plain **out, struct error *err)
{
	struct tui_plain *p = calloc(1, sizeof(*p));

	if (!p)
		return error_nomem(err);
	*out = p;
	return 0;
}

void tui_plain_free(struct tui_plain *p)
{
	if (!p)
		return;
	buf_done(&p->line);
	buf_done(&p->shown);
	free(p);
}

static bool is_cursor_line(const struct tui_screen *s, int y)
{
	for (int x = 0; x < s->width; x++)
		if (s->cells[(size_t)y * (size_t)s->width + (size_t)x].selected)
			return true;
	return false;
}

void tui_plain_show(struct tui_plain *p, const struct tui_screen *s)
{
	struct buf text = {0};
	struct sv rest;

	buf_reset(&p->shown);
	tui_screen_dump(s, false, &text);
	rest = buf_view(&text);
	for (int y = 0; y < s->height && rest.n; y++) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		if (n)
			buf_addf(&p->shown, "%d%c ", y + 1, is_cursor_line(s, y) ? '*' : ':');
		if (n)
			buf_add(&p->shown, rest.p, n + (end != NULL));
		rest = sv_drop(rest, n + 1);
	}
	buf_done(&text);
}

/* One key of the line; false: there are no more in it. */
static bool take_key(struct tui_plain *p, uint32_t *key)
{
	struct sv rest = sv_drop(buf_view(&p->line), p->at);

	while (p->ready && rest.n && rest.p[0] != '\n') {
		bool taken = tui_key_take(&rest, key);

		if (!taken)
			rest = sv_drop(rest, 1); /* no key: nothing */
		p->at = p->line.len - rest.n;
		if (taken)
			return true;
	}
	if (p->ready) {
		buf_reset(&p->line);
		p->at = 0;
		p->ready = false;
		p->asked = false;
	}
	return false;
}

static void read_line(struct tui_plain *p, int timeout_ms)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char c;
	ssize_t n;

	while (!p->ready && !p->over && poll(&in, 1, timeout_ms) > 0) {
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			return;
		p->over = n <= 0;
		if (n > 0)
			buf_char(&p->line, c);
		p->ready = p->over ? p->line.len : c == '\n' || p->line.len > KEYS_MAX;
	}
}

int tui_plain_read(struct tui_plain *p, int timeout_ms, struct tui_input *out, struct error *err)
{
	*out = (struct tui_input){0};
	for (int i = 0; i < 2; i++) {
		if (take_key(p, &out->key)) {
			out->kind = TUI_INPUT_KEY;
			return 0;
		}
		if (timeout_ms && !p->asked) {
			tui_tty_write(buf_view(&p->shown));
			tui_tty_write(SV_LIT(PROMPT));
			p->asked = true;
		}
		if (timeout_ms && p->over)
			return error_set(err, ERR_IO, "there is no more input");
		if (i == 0 && p->asked)
			read_line(p, timeout_ms);
	}
	return 0;
}
