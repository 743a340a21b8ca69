/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/escape.h"
#include "tui/decode.h"
#include "tui/ncurses.h"
#include "tui/plain.h"
#include "tui/theme.h"
#include "tui/tty.h"

#define ESC_DELAY_MS 25 /* that long the rest of a key's sequence may take */
#define DOUBLE_NS    UINT64_C(400000000)
#define CODE_PASTE   (KEY_MAX + 1000) /* beyond those that terminfo makes known */
#define CODE_PASTED  (KEY_MAX + 1001)
#define PASTE_ON     "\033[?2004h"
#define PASTE_OFF    "\033[?2004l"
#define DRAG_ON	     "\033[?1002h" /* reports also where a held button goes */
#define DRAG_OFF     "\033[?1002l"
#define PLAIN_HEIGHT 24 /* where there is no terminal at all */
#define PLAIN_WIDTH  80
#define SEQUENCE_MAX 32 /* of bytes of a key nobody knows */

struct tui_term {
	struct tui_plain *plain; /* then there is no more than that, and the locale */
	struct ncurses lib;
	SCREEN *screen;
	WINDOW *keys;		/* never shown: reading from it draws nothing */
	struct tui_screen last; /* what is shown */
	bool is_last_shown;
	bool ascii, mouse, held; /* a button of it is */
	bool more;		 /* ncurses may have read more than it gave */
	bool changed;		 /* its size, perhaps: to be told */
	enum tui_theme theme;
	bool own_colors; /* the terminal can be told to use those it has */
	attr_t attributes[TUI_ROLE_COUNT], selected[TUI_ROLE_COUNT];
	locale_t locale, locale_before;
	struct tui_decode decode;
	uint64_t click_ns;
	int click_y, click_x;
};

/* --- what the environment says */

static bool names_utf8(const char *s)
{
	return s && (strcasestr(s, "UTF-8") || strcasestr(s, "UTF8"));
}

/* The thread's locale: a width is asked for and text is written in it. */
static void use_locale(struct tui_term *t)
{
	const char *wanted = getenv("LC_ALL");

	if (!wanted || !*wanted)
		wanted = getenv("LC_CTYPE");
	if (!wanted || !*wanted)
		wanted = getenv("LANG");
	t->locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	if (!t->locale && names_utf8(wanted)) /* of a language this machine does not have */
		t->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	t->ascii = true;
	if (!t->locale)
		return;
	t->locale_before = uselocale(t->locale);
	t->ascii = strcasecmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

#define INSTEAD "; 'scapula tui --headless' and 'scapula report CASE -f html' need none"

/* The terminal called $TERM, or what most are like. */
static int open_screen(struct tui_term *t, struct error *err)
{
	static const char *const alike[] = {"xterm-256color", "xterm", "vt100"};
	const char *name = getenv("TERM");
	const char *cup;

	if (!name || !*name || !strcmp(name, "dumb"))
		return error_set(
		    err, ERR_UNSUPPORTED,
		    "a terminal is needed that can move its cursor (TERM is %s)" INSTEAD,
		    name && *name ? name : "not set");
	t->lib.use_env(FALSE); /* $LINES and $COLUMNS do not change with the size */
	t->lib.use_tioctl(TRUE);
	t->screen = t->lib.newterm(name, stdout, stdin);
	for (size_t i = 0; !t->screen && i < COUNT_OF(alike); i++)
		t->screen = t->lib.newterm(alike[i], stdout, stdin);
	if (!t->screen)
		return error_set(err, ERR_UNSUPPORTED,
				 "nothing is known about terminals like '%.60s'" INSTEAD, name);
	cup = t->lib.tigetstr("cup");
	if (cup && cup != (char *)-1)
		return 0;
	return error_set(err, ERR_UNSUPPORTED,
			 "terminals like '%.60s' cannot move their cursor" INSTEAD, name);
}

/* --- colours */

/* What a terminal of @known colours, 8 perhaps, has instead, and makes of it. */
static int color_of(struct tui_color c, int known, int own, attr_t *attributes)
{
	int color = known >= 256 ? c.of_256 : c.of_16;

	if (color < 0)
		return own;
	if (color < known)
		return color;
	if (color == 8) { /* grey */
		*attributes |= A_DIM;
		return own;
	}
	*attributes |= A_BOLD;
	return color - 8;
}

/* @pair: of colours, which become those of @s; 0: there are none. */
static attr_t attributes_of(const struct tui_term *t, const struct tui_style *s, int pair)
{
	attr_t ignored = 0, a = (s->attributes & TUI_BOLD ? A_BOLD : 0) |
				(s->attributes & TUI_DIM ? A_DIM : 0) |
				(s->attributes & TUI_UNDERLINE ? A_UNDERLINE : 0) |
				(s->attributes & TUI_REVERSE ? A_REVERSE : 0);
	const int known = *t->lib.COLORS;
	int front, back;

	if (!pair)
		return a;
	front = color_of(s->front, known, t->own_colors ? -1 : COLOR_WHITE, &a);
	back = color_of(s->back, known, t->own_colors ? -1 : COLOR_BLACK, &ignored);
	t->lib.init_pair((short)pair, (short)front, (short)back);
	return a | t->lib.COLOR_PAIR(pair);
}

static void set_theme(struct tui_term *t)
{
	bool colors = t->theme != TUI_THEME_MONO && t->lib.has_colors() && *t->lib.COLORS >= 8 &&
		      *t->lib.COLOR_PAIRS > 2 * TUI_ROLE_COUNT;

	for (int role = 0; role < TUI_ROLE_COUNT; role++) {
		struct tui_style under = tui_theme_selected(t->theme, (enum tui_role)role);
		int pair = colors ? 2 * role + 1 : 0;

		t->attributes[role] =
		    attributes_of(t, tui_theme_style(t->theme, (enum tui_role)role), pair);
		t->selected[role] = attributes_of(t, &under, colors ? pair + 1 : 0);
	}
	t->lib.wbkgd(*t->lib.stdscr, ' ' | t->attributes[TUI_ROLE_NORMAL]);
}

/* --- modes of the terminal */

static void set_mouse(struct tui_term *t, bool on)
{
	const mmask_t all = BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON4_PRESSED | BUTTON5_PRESSED |
			    REPORT_MOUSE_POSITION;

	t->held = false;
	t->lib.mousemask(on ? all : 0, NULL);
	tui_tty_write(on ? SV_LIT(DRAG_ON) : SV_LIT(DRAG_OFF));
}

static void enter(struct tui_term *t)
{
	tui_tty_write(SV_LIT(PASTE_ON));
	if (t->mouse)
		set_mouse(t, true);
	t->lib.clearok(*t->lib.curscr, TRUE);
	t->is_last_shown = false;
}

static void leave(struct tui_term *t)
{
	if (t->mouse)
		set_mouse(t, false);
	tui_tty_write(SV_LIT(PASTE_OFF));
	t->lib.curs_set(1);
	t->lib.endwin();
}

/* Append capability @name as it is sent, without notes on how long it takes ("$<5>"). */
static void add_capability(const struct tui_term *t, struct buf *out, const char *name)
{
	const char *s = t->lib.tigetstr(name);

	if (!s || s == (const char *)-1)
		return;
	while (*s) {
		const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;

		if (end)
			s = end;
		else
			buf_char(out, *s);
		s++;
	}
}

static void prepare_end(const struct tui_term *t)
{
	struct buf b = {0};

	buf_lit(&b, PASTE_OFF DRAG_OFF "\033[?1006;1000l");
	add_capability(t, &b, "sgr0");
	add_capability(t, &b, "op");
	add_capability(t, &b, "cnorm");
	add_capability(t, &b, "rmkx");
	add_capability(t, &b, "rmcup");
	if (!b.failed)
		tui_tty_on_end(buf_view(&b));
	buf_done(&b);
}

static int open_plain(struct tui_term *t, struct error *err)
{
	use_locale(t);
	return tui_plain_new(&t->plain, err);
}

/* Take over the terminal device, and what stands for it in ncurses. */
static int open_terminal(struct tui_term *t, struct error *err)
{
	int rc = tui_tty_open(err);

	if (rc == ERR_UNSUPPORTED)
		return error_set(err, rc, "standard input and output are no terminal" INSTEAD);
	if (rc < 0)
		return rc;
	use_locale(t);
	rc = ncurses_load(&t->lib, err);
	if (rc < 0)
		return rc;
	rc = open_screen(t, err);
	if (rc < 0)
		return rc;
	t->keys = t->lib.newpad(1, 1);
	return t->keys ? 0 : error_nomem(err);
}

int tui_term_open(const struct tui_term_options *opt, struct tui_term **out, struct error *err)
{
	struct tui_term *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return error_nomem(err);
	t->theme = opt->theme;
	t->mouse = opt->mouse;
	rc = opt->plain ? open_plain(t, err) : open_terminal(t, err);
	if (rc < 0) {
		tui_term_close(t);
		return rc;
	}
	if (t->plain) {
		*out = t;
		return 0;
	}
	t->lib.raw();
	t->lib.noecho();
	t->lib.nonl();
	t->lib.typeahead(-1);
	t->lib.set_escdelay(ESC_DELAY_MS);
	t->lib.mouseinterval(0);
	t->lib.meta(t->keys, TRUE);
	t->lib.keypad(t->keys, TRUE);
	t->lib.wtimeout(t->keys, 0);
	t->lib.define_key("\033[200~", CODE_PASTE);
	t->lib.define_key("\033[201~", CODE_PASTED);
	if (t->lib.has_colors()) {
		t->lib.start_color();
		t->own_colors = t->lib.use_default_colors() == OK;
	}
	set_theme(t);
	t->lib.curs_set(0);
	prepare_end(t);
	enter(t);
	*out = t;
	return 0;
}

void tui_term_close(struct tui_term *t)
{
	if (!t)
		return;
	if (t->keys) {
		leave(t);
		t->lib.delwin(t->keys);
	} else if (t->screen) {
		t->lib.endwin();
	}
	if (t->screen)
		t->lib.delscreen(t->screen);
	tui_tty_close();
	tui_plain_free(t->plain);
	if (t->locale) {
		uselocale(t->locale_before);
		freelocale(t->locale);
	}
	tui_screen_done(&t->last);
	free(t);
}

void tui_term_size(struct tui_term *t, int *height, int *width)
{
	int h = PLAIN_HEIGHT, w = PLAIN_WIDTH;

	if (t->plain) {
		tui_tty_size(&h, &w);
		*height = h < TUI_HEIGHT_MAX ? h : TUI_HEIGHT_MAX;
		*width = w < TUI_WIDTH_MAX ? w : TUI_WIDTH_MAX;
		return;
	}
	if (tui_tty_size(&h, &w) && (h != *t->lib.LINES || w != *t->lib.COLS))
		t->lib.resize_term(h, w);
	*height = *t->lib.LINES < TUI_HEIGHT_MAX ? *t->lib.LINES : TUI_HEIGHT_MAX;
	*width = *t->lib.COLS < TUI_WIDTH_MAX ? *t->lib.COLS : TUI_WIDTH_MAX;
}

bool tui_term_is_ascii(const struct tui_term *t)
{
	return t->ascii;
}

void tui_term_theme(struct tui_term *t, enum tui_theme theme)
{
	t->theme = theme;
	if (t->plain)
		return;
	set_theme(t);
	tui_term_redraw(t);
}

void tui_term_mouse(struct tui_term *t, bool on)
{
	t->mouse = on;
	if (!t->plain)
		set_mouse(t, on);
}

void tui_term_redraw(struct tui_term *t)
{
	if (t->plain)
		return;
	t->lib.clearok(*t->lib.curscr, TRUE);
	t->is_last_shown = false;
}

void tui_term_suspend(struct tui_term *t)
{
	if (t->plain)
		return; /* the terminal does that */
	leave(t);
	tui_tty_stop();
	t->lib.curs_set(0);
	enter(t);
	t->lib.doupdate();
}

/* --- showing */

/* Has the terminal a shape of that width for it? ncurses asks the system, not our table. */
static bool can_show(const struct tui_term *t, uint32_t ch, int width)
{
	return ch < 0x80 || (!t->ascii && wcwidth((wchar_t)ch) == width);
}

/* @c as ncurses has it. Return: how many of @out: 2 if a wide one cannot be shown. */
static int convert(const struct tui_term *t, const struct tui_cell *c, bool wide, cchar_t *out)
{
	attr_t attributes = c->selected ? t->selected[c->role] : t->attributes[c->role];
	short pair = (short)t->lib.PAIR_NUMBER(attributes);
	wchar_t text[TUI_MARKS_MAX + 2] = {(wchar_t)c->ch};
	bool shown = can_show(t, c->ch, wide ? 2 : 1);
	size_t n = 1;

	if (!shown)
		text[0] = L'?';
	for (size_t i = 0; shown && i < TUI_MARKS_MAX && c->marks[i]; i++)
		if (can_show(t, c->marks[i], 0))
			text[n++] = (wchar_t)c->marks[i];
	t->lib.setcchar(&out[0], text, attributes & ~A_COLOR, pair, NULL);
	if (shown || !wide)
		return 1;
	out[1] = out[0];
	return 2;
}

static bool are_equal(const struct tui_cell *a, const struct tui_cell *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i].ch != b[i].ch || a[i].role != b[i].role ||
		    a[i].selected != b[i].selected ||
		    memcmp(a[i].marks, b[i].marks, sizeof(a[i].marks)) != 0)
			return false;
	return true;
}

static void show_line(const struct tui_term *t, int y, const struct tui_cell *cells, int width)
{
	cchar_t line[TUI_WIDTH_MAX];
	int n = 0;

	for (int x = 0; x < width; x++)
		if (cells[x].ch)
			n += convert(t, &cells[x], x + 1 < width && cells[x + 1].ch == 0, &line[n]);
	t->lib.mvwadd_wchnstr(*t->lib.stdscr, y, 0, line, n);
}

void tui_term_show(struct tui_term *t, const struct tui_screen *s, int y, int x)
{
	bool compare = t->is_last_shown && t->last.height == s->height && t->last.width == s->width;
	size_t width = (size_t)s->width;

	if (t->plain) {
		tui_plain_show(t->plain, s);
		return;
	}
	if (!compare) {
		t->lib.werase(*t->lib.stdscr);
		/* What a terminal makes of its lines when resized differs. */
		t->lib.clearok(*t->lib.curscr, TRUE);
		t->is_last_shown = tui_screen_resize(&t->last, s->height, s->width, NULL) == 0;
	}
	for (int i = 0; i < s->height; i++) {
		const struct tui_cell *now = s->cells + (size_t)i * width;
		struct tui_cell *before = t->last.cells + (size_t)i * width;

		if (compare && are_equal(now, before, s->width))
			continue;
		show_line(t, i, now, s->width);
		if (t->is_last_shown)
			memcpy(before, now, width * sizeof(*now));
	}
	t->lib.curs_set(y >= 0 && x >= 0);
	if (y >= 0 && x >= 0)
		t->lib.wmove(*t->lib.stdscr, y, x);
	t->lib.wnoutrefresh(*t->lib.stdscr);
	t->lib.doupdate();
}

void tui_term_copy(struct tui_term *t, struct sv text)
{
	struct buf b = {0}, harmless = {0};
	size_t n;

	if (t->plain)
		return; /* what is to be copied is printed, too */
	escape_text(&harmless, sv_make(text.p, text.n < TUI_COPY_MAX ? text.n : TUI_COPY_MAX));
	n = harmless.len < TUI_COPY_MAX ? harmless.len : TUI_COPY_MAX;
	while (n < harmless.len && n && (harmless.p[n] & 0xc0) == 0x80)
		n--;	      /* not within a character */
	if (getenv("TMUX")) { /* which takes it for itself, or passes it on */
		buf_lit(&b, "\033Ptmux;\033\033]52;c;");
		escape_base64(&b, sv_make(harmless.p, n));
		buf_lit(&b, "\a\033\\");
	}
	buf_lit(&b, "\033]52;c;");
	escape_base64(&b, sv_make(harmless.p, n));
	buf_lit(&b, "\a");
	if (!b.failed && !harmless.failed)
		tui_tty_write(buf_view(&b));
	buf_done(&harmless);
	buf_done(&b);
}

/* --- reading */

static uint32_t key_of(int code)
{
	static const struct {
		int code;
		uint32_t key;
	} keys[] = {
	    {KEY_UP, TUI_KEY_UP},	  {KEY_DOWN, TUI_KEY_DOWN},
	    {KEY_LEFT, TUI_KEY_LEFT},	  {KEY_RIGHT, TUI_KEY_RIGHT},
	    {KEY_PPAGE, TUI_KEY_PAGE_UP}, {KEY_NPAGE, TUI_KEY_PAGE_DOWN},
	    {KEY_HOME, TUI_KEY_HOME},	  {KEY_FIND, TUI_KEY_HOME},
	    {KEY_END, TUI_KEY_END},	  {KEY_SELECT, TUI_KEY_END},
	    {KEY_IC, TUI_KEY_INSERT},	  {KEY_DC, TUI_KEY_DELETE},
	    {KEY_BTAB, TUI_KEY_BACK_TAB}, {KEY_BACKSPACE, TUI_KEY_BACKSPACE},
	    {KEY_ENTER, TUI_KEY_ENTER},
	};

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (keys[i].code == code)
			return keys[i].key;
	for (int i = 0; i < 12; i++)
		if (code == KEY_F(i + 1))
			return TUI_KEY_F1 + (uint32_t)i;
	return TUI_KEY_NONE;
}

static void read_mouse(struct tui_term *t, struct tui_input *out)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	MEVENT e;

	if (t->lib.getmouse(&e) != OK)
		return;
	*out = (struct tui_input){.kind = TUI_INPUT_MOUSE, .y = e.y, .x = e.x};
	if (e.bstate & BUTTON1_PRESSED) {
		bool again =
		    now - t->click_ns < DOUBLE_NS && e.y == t->click_y && e.x == t->click_x;

		out->mouse = again ? TUI_MOUSE_DOUBLE : TUI_MOUSE_CLICK;
		t->click_ns = again ? 0 : now;
		t->click_y = e.y;
		t->click_x = e.x;
		t->held = true;
	} else if (e.bstate & BUTTON4_PRESSED) {
		out->mouse = TUI_MOUSE_WHEEL_UP;
	} else if (e.bstate & BUTTON5_PRESSED) {
		out->mouse = TUI_MOUSE_WHEEL_DOWN;
	} else if (t->held && e.bstate & BUTTON1_RELEASED) {
		out->mouse = TUI_MOUSE_UP;
		t->held = false;
	} else if (t->held && e.bstate & REPORT_MOUSE_POSITION) {
		out->mouse = TUI_MOUSE_DRAG;
	} else {
		out->kind = TUI_INPUT_NONE;
	}
}

/* Behind an escape character: the rest of a key that nobody knows, which is none? */
static bool skip_sequence(struct tui_term *t)
{
	int c = t->lib.wgetch(t->keys), final = c;

	if (c == ERR)
		return false;
	if (c != '[' && c != 'O') {
		t->lib.ungetch(c);
		t->more = true;
		return false;
	}
	for (int i = 0; i < SEQUENCE_MAX; i++) {
		final = t->lib.wgetch(t->keys);
		if (final < ' ' || final >= '@') /* ERR, too */
			break;
	}
	return true;
}

static void read_code(struct tui_term *t, int code, struct tui_input *out)
{
	uint32_t key;

	if (code == CODE_PASTE || code == CODE_PASTED) {
		t->decode.pasting = code == CODE_PASTE;
	} else if (code == KEY_MOUSE) {
		read_mouse(t, out);
	} else if (code > 0xff) {
		key = key_of(code);
		if (key != TUI_KEY_NONE)
			*out = (struct tui_input){.kind = TUI_INPUT_KEY, .key = key};
	} else if (code == TUI_KEY_ESC && skip_sequence(t)) {
		return;
	} else if (!tui_decode_byte(&t->decode, (unsigned char)code, out)) {
		out->kind = TUI_INPUT_NONE;
	}
}

static int take_code(struct tui_term *t)
{
	int code = t->lib.wgetch(t->keys);

	t->more = code != ERR;
	return code;
}

int tui_term_read(struct tui_term *t, int timeout_ms, struct tui_input *out, struct error *err)
{
	unsigned events = 0;
	int code = ERR;

	if (t->plain)
		return tui_plain_read(t->plain, timeout_ms, out, err);
	if (t->more)
		code = take_code(t);
	*out = (struct tui_input){0};
	if (code == ERR) {
		events = tui_tty_wait(t->changed ? 0 : timeout_ms);
		if (events & TUI_TTY_INPUT)
			code = take_code(t);
	}
	if (code != ERR)
		tui_decode_time(&t->decode, clock_ns(CLOCK_MONOTONIC));
	while (code != ERR) {
		read_code(t, code, out);
		if (out->kind != TUI_INPUT_NONE)
			break;
		code = take_code(t);
	}
	if (events & TUI_TTY_STOP) {
		tui_term_suspend(t);
	} else if (events & TUI_TTY_CONTINUED) {
		leave(t);
		t->lib.curs_set(0);
		enter(t);
	}
	if (events & TUI_TTY_END)
		return error_set(err, ERR_INTERRUPTED, "ended by a signal");
	if (events & TUI_TTY_GONE)
		return error_set(err, ERR_IO, "the terminal is gone");
	t->changed |= (events & (TUI_TTY_RESIZED | TUI_TTY_STOP | TUI_TTY_CONTINUED)) != 0;
	if (t->changed && out->kind == TUI_INPUT_NONE) {
		t->changed = false;
		out->kind = TUI_INPUT_RESIZE;
		tui_term_size(t, &out->y, &out->x);
	}
	return 0;
}
