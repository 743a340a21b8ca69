/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals: a process of its own has a pseudo terminal, shows a screen there, and tells what it
 * reads; the test is the person in front of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "tui/term.h"

#define PATIENCE_MS 20000 /* until something is taken for hanging */

/* --- the program */

struct program {
	bool plain_input; /* standard input is no terminal */
	bool handles;	  /* SIGTERM, by itself */
	bool mono;
	const char *term, *locale, *tmux;
};

static void on_term(int number)
{
	(void)number;
}

static void draw(struct tui_term *t, struct tui_screen *s, const char *what)
{
	struct tui_area a;
	int height, width;

	tui_term_size(t, &height, &width);
	if (tui_screen_resize(s, height, width, NULL) < 0)
		abort();
	s->ascii = tui_term_is_ascii(t);
	a = tui_screen_area(s);
	tui_frame(&a, "frame");
	tui_printf(&a, 1, 2, TUI_ROLE_TITLE, "size %dx%d", height, width);
	tui_puts(&a, 2, 2, TUI_ROLE_CRITICAL, "evil \033[31m\x9b\r 中é\xe2\x80\xae!");
	tui_puts(&a, 3, 2, TUI_ROLE_NORMAL, what);
	tui_select(&a, 3, 1, width - 2);
	tui_term_show(t, s, -1, -1);
}

static void tell(const struct tui_input *in, char *out, size_t max)
{
	static const char *const mice[] = {"click", "double",	"drag",
					   "up",    "wheel up", "wheel down"};
	struct buf name = {0};

	if (in->kind == TUI_INPUT_MOUSE) {
		snprintf(out, max, "%s %d,%d", mice[in->mouse], in->y, in->x);
	} else if (in->kind == TUI_INPUT_RESIZE) {
		snprintf(out, max, "resize %dx%d", in->y, in->x);
	} else if (in->kind == TUI_INPUT_KEY) {
		tui_key_name(&name, in->key);
		snprintf(out, max, "%s %s", in->pasted ? "pasted" : "key", buf_cstr(&name));
	} else {
		snprintf(out, max, "nothing");
	}
	buf_done(&name);
}

static bool act(struct tui_term *t, uint32_t key)
{
	switch (key) {
	case 'q':
		return false;
	case 'z':
		tui_term_suspend(t);
		break;
	case 'y':
		tui_term_copy(t, SV_LIT("to copy\n"));
		break;
	case 'A':
		abort();
	case 'm':
		tui_term_mouse(t, false);
		break;
	case 't':
		tui_term_theme(t, TUI_THEME_HIGH_CONTRAST);
		break;
	default:
		break;
	}
	return true;
}

/* What it reads goes to standard error, a line each. */
static int run_program(const struct program *p)
{
	struct tui_term_options opt = {.mouse = true};
	struct sigaction sa = {.sa_handler = on_term};
	struct tui_screen s = {0};
	struct tui_term *t;
	struct error err;
	char text[80] = "";
	int rc;

	if (p->handles)
		sigaction(SIGTERM, &sa, NULL);
	if (p->mono)
		opt.theme = TUI_THEME_MONO;
	rc = tui_term_open(&opt, &t, &err);
	if (rc < 0) {
		dprintf(STDERR_FILENO, "%d %s\n", rc, err.msg);
		return 3;
	}
	dprintf(STDERR_FILENO, "open\n");
	for (;;) {
		struct tui_input in;

		draw(t, &s, text);
		rc = tui_term_read(t, -1, &in, &err);
		if (rc < 0 || (in.kind == TUI_INPUT_KEY && !in.pasted && !act(t, in.key)))
			break;
		tell(&in, text, sizeof(text));
		dprintf(STDERR_FILENO, "%s\n", text);
	}
	tui_term_close(t);
	tui_screen_done(&s);
	dprintf(STDERR_FILENO, "end %d\n", rc);
	return 0;
}

/* --- the person */

struct session {
	int master, slave, log;
	pid_t shell; /* which starts the program as its job, and starts it again when it stops */
	struct termios before;
	char out[1 << 18]; /* what came to the terminal */
	size_t out_len;
	char lines[1 << 14]; /* told by the program, not looked at yet */
	size_t lines_len;
};

static void set_environment(const struct program *p)
{
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	unsetenv("TMUX");
	setenv("LANG", p->locale ? p->locale : "C.UTF-8", 1);
	if (p->term)
		setenv("TERM", p->term, 1);
	else
		unsetenv("TERM");
	if (p->tmux)
		setenv("TMUX", p->tmux, 1);
}

/* Never returns. */
static void run_shell(const struct program *p, int slave, int log)
{
	struct termios t;
	pid_t job;
	int status;

	signal(SIGTTOU, SIG_IGN);
	login_tty(slave);
	dup2(log, STDERR_FILENO);
	job = fork();
	if (job == 0) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		for (int number = 1; number < SIGRTMIN; number++) /* cmocka's, the sanitizer's */
			signal(number, SIG_DFL);
		if (p->plain_input)
			dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		_exit(run_program(p));
	}
	while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
		tcsetpgrp(STDIN_FILENO, getpid());
		tcgetattr(STDIN_FILENO, &t);
		dprintf(STDERR_FILENO, "stopped, %s\n", t.c_lflag & ICANON ? "as it was" : "raw");
		tcsetpgrp(STDIN_FILENO, job);
		kill(-job, SIGCONT);
	}
	if (WIFSIGNALED(status))
		dprintf(STDERR_FILENO, "signal %d\n", WTERMSIG(status));
	else
		dprintf(STDERR_FILENO, "status %d\n", WEXITSTATUS(status));
	_exit(0);
}

static struct session *start(const struct program *p)
{
	struct winsize ws = {.ws_row = 24, .ws_col = 80};
	struct session *s = calloc(1, sizeof(*s));
	int log[2];

	assert_non_null(s);
	assert_int_equal(openpty(&s->master, &s->slave, NULL, NULL, &ws), 0);
	assert_int_equal(tcgetattr(s->slave, &s->before), 0);
	assert_int_equal(pipe(log), 0);
	s->shell = fork();
	assert_true(s->shell >= 0);
	if (s->shell == 0) {
		close(s->master);
		close(log[0]);
		set_environment(p);
		run_shell(p, dup(s->slave), log[1]);
	}
	close(log[1]);
	s->log = log[0];
	return s;
}

static size_t take(int fd, char *at, size_t have, size_t max)
{
	ssize_t n = read(fd, at + have, max - have - 1);

	if (n > 0)
		have += (size_t)n;
	at[have] = 0;
	return have;
}

/* Something came, or nothing for a while. False: nothing. */
static bool look(struct session *s, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = s->master, .events = POLLIN},
				{.fd = s->log, .events = POLLIN}};

	if (poll(fds, 2, timeout_ms) <= 0)
		return false;
	if (fds[0].revents & POLLIN)
		s->out_len = take(s->master, s->out, s->out_len, sizeof(s->out));
	if (fds[1].revents & POLLIN)
		s->lines_len = take(s->log, s->lines, s->lines_len, sizeof(s->lines));
	return (fds[0].revents | fds[1].revents) & POLLIN;
}

/* The program tells @line next. */
static void expect(struct session *s, const char *line)
{
	char *end;

	while (!(end = memchr(s->lines, '\n', s->lines_len)))
		if (!look(s, PATIENCE_MS))
			fail_msg("'%s' is not told", line);
	*end = 0;
	assert_string_equal(s->lines, line);
	end++;
	s->lines_len -= (size_t)(end - s->lines);
	memmove(s->lines, end, s->lines_len);
}

static void type(struct session *s, const char *bytes)
{
	assert_int_equal(write(s->master, bytes, strlen(bytes)), strlen(bytes));
}

static bool was_sent(const struct session *s, const char *bytes)
{
	return memmem(s->out, s->out_len, bytes, strlen(bytes)) != NULL;
}

static void expect_sent(struct session *s, const char *bytes)
{
	while (!was_sent(s, bytes))
		if (!look(s, PATIENCE_MS))
			fail_msg("'%s' is not sent", bytes[0] == '\033' ? bytes + 1 : bytes);
}

/* The program is over with @last told; the terminal is as it was before. */
static void finish(struct session *s, const char *last)
{
	struct termios after;

	expect(s, last);
	waitpid(s->shell, NULL, 0);
	while (look(s, 0))
		;
	assert_int_equal(tcgetattr(s->slave, &after), 0);
	assert_int_equal(after.c_lflag, s->before.c_lflag);
	assert_int_equal(after.c_iflag, s->before.c_iflag);
	assert_int_equal(after.c_oflag, s->before.c_oflag);
	close(s->master);
	close(s->slave);
	close(s->log);
	free(s);
}

static void check_restored(const struct session *s)
{
	const char *const all[] = {"\033[?1049l", "\033[?2004l", "\033[?1002l", "\033[?1006;1000l"};

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (!was_sent(s, all[i]))
			fail_msg("not sent: %s", all[i] + 1);
}

static const struct program usual = {.term = "xterm-256color"};

static void a_screen_is_shown_and_the_terminal_is_left_as_it_was(void **state)
{
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	expect_sent(s, "\033[?1049h");
	expect_sent(s, "size 24x80");
	expect_sent(s, "evil \\x1b[31m\\x9b\\x0d 中é\\u{202e}!");
	expect_sent(s, "┌");
	type(s, "q");
	expect(s, "end 0");
	while (look(s, 100))
		if (was_sent(s, "\033[?1049l"))
			break;
	check_restored(s);
	finish(s, "status 0");
}

static void keys_are_recognised(void **state)
{
	static const struct {
		const char *bytes, *told;
	} keys[] = {
	    {"j", "key j"},
	    {"G", "key G"},
	    {"\xc3\xa9", "key é"},
	    {"\033OA", "key <Up>"},
	    {"\033OB", "key <Down>"},
	    {"\033OC", "key <Right>"},
	    {"\033OD", "key <Left>"},
	    {"\033[5~", "key <PgUp>"},
	    {"\033[6~", "key <PgDn>"},
	    {"\033OH", "key <Home>"},
	    {"\033OF", "key <End>"},
	    {"\033[2~", "key <Ins>"},
	    {"\033[3~", "key <Del>"},
	    {"\x7f", "key <Bksp>"},
	    {"\x08", "key <Bksp>"},
	    {"\r", "key <Enter>"},
	    {"\t", "key <Tab>"},
	    {"\033[Z", "key <S-Tab>"},
	    {"\033OP", "key <F1>"},
	    {"\033[24~", "key <F12>"},
	    {"\033", "key <Esc>"},
	    {"\x0c", "key C-l"},
	    {"\x03", "key C-c"},
	    {"\x1a", "key C-z"},
	    {"\033[1;5A", "nothing"},
	    {"\033[99;9X", "nothing"},
	    {"\xff", "nothing"},
	    {"<", "key <lt>"},
	    {" ", "key <Space>"},
	    {"\xf0\x9f\x99\x82", "key 🙂"},
	    {"\xe2\x80\xae", "nothing"},
	    {"k", "key k"},
	};
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		type(s, keys[i].bytes);
		expect(s, keys[i].told);
	}
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void what_is_pasted_is_no_command(void **state)
{
	static const char *const told[] = {"pasted q", "pasted z", "pasted <Space>",
					   "pasted [", "pasted A", "key j"};
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	expect_sent(s, "\033[?2004h");
	type(s, "\033[200~qz\n\x01[A\033[201~j");
	for (size_t i = 0; i < COUNT_OF(told); i++)
		expect(s, told[i]);
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void the_mouse_is_read(void **state)
{
	static const struct {
		const char *bytes, *told;
	} mice[] = {
	    {"\033[<0;5;3M", "click 2,4"},	 {"\033[<0;5;3m", "up 2,4"},
	    {"\033[<0;5;3M", "double 2,4"},	 {"\033[<0;5;3m", "up 2,4"},
	    {"\033[<0;7;4M", "click 3,6"},	 {"\033[<32;9;4M", "drag 3,8"},
	    {"\033[<0;9;4m", "up 3,8"},		 {"\033[<64;2;2M", "wheel up 1,1"},
	    {"\033[<65;2;2M", "wheel down 1,1"}, {"\033[<35;9;4M", "nothing"},
	};
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	expect_sent(s, "\033[?1002h");
	for (size_t i = 0; i < COUNT_OF(mice); i++) {
		type(s, mice[i].bytes);
		expect(s, mice[i].told);
	}
	type(s, "m");
	expect(s, "key m");
	expect_sent(s, "\033[?1002l");
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void another_size_is_told(void **state)
{
	static const struct winsize sizes[] = {{.ws_row = 10, .ws_col = 40},
					       {.ws_row = 60, .ws_col = 200},
					       {.ws_row = 1, .ws_col = 1},
					       {.ws_row = 40, .ws_col = 120}};
	static const char *const told[] = {"resize 10x40", "resize 60x200", "resize 1x1",
					   "resize 40x120"};
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		assert_int_equal(ioctl(s->master, TIOCSWINSZ, &sizes[i]), 0);
		expect(s, told[i]);
	}
	expect_sent(s, "size 40x120");
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static pid_t job_of(const struct session *s)
{
	pid_t job = tcgetpgrp(s->master);

	assert_true(job > 0);
	return job;
}

static void a_signal_that_ends_the_program_restores_the_terminal(void **state)
{
	static const int numbers[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGBUS};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		struct session *s = start(&usual);
		char told[20];

		expect(s, "open");
		expect_sent(s, "size 24x80");
		kill(job_of(s), numbers[i]);
		snprintf(told, sizeof(told), "signal %d", numbers[i]);
		expect_sent(s, "\033[?1049l");
		check_restored(s);
		finish(s, told);
	}
}

static void abort_restores_the_terminal(void **state)
{
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	type(s, "A");
	expect_sent(s, "\033[?1049l");
	finish(s, "signal 6");
}

static void a_signal_that_the_program_handles_makes_it_end_by_itself(void **state)
{
	const struct program p = {.term = "xterm", .handles = true};
	struct session *s = start(&p);

	(void)state;
	expect(s, "open");
	expect_sent(s, "size 24x80");
	kill(job_of(s), SIGTERM);
	expect(s, "end -12");
	finish(s, "status 0");
}

static void it_can_be_stopped_and_goes_on(void **state)
{
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	expect_sent(s, "size 24x80");
	type(s, "z");
	expect(s, "stopped, as it was");
	expect(s, "key z");
	s->out_len = 0;
	kill(job_of(s), SIGTSTP);
	expect(s, "stopped, as it was");
	expect(s, "resize 24x80");
	expect_sent(s, "size 24x80"); /* all is drawn anew */
	type(s, "j");
	expect(s, "key j");
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void the_clipboard_gets_harmless_text(void **state)
{
	const struct program in_tmux = {.term = "tmux-256color", .tmux = "/tmp/x,1,0"};
	struct session *s = start(&usual);

	(void)state;
	expect(s, "open");
	type(s, "y");
	expect_sent(s, "\033]52;c;dG8gY29weVx4MGE=\a");
	type(s, "q");
	expect(s, "key y");
	expect(s, "end 0");
	finish(s, "status 0");
	s = start(&in_tmux);
	type(s, "y");
	expect_sent(s, "\033Ptmux;\033\033]52;c;dG8gY29weVx4MGE=\a\033\\");
	type(s, "q");
	expect(s, "open");
	expect(s, "key y");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void check_refused(const struct program *p, const char *message)
{
	struct session *s = start(p);
	char line[ERROR_MSG_MAX];

	snprintf(line, sizeof(line),
		 "-5 %s; 'scapula tui --headless' and 'scapula report CASE -f html' need none",
		 message);
	expect(s, line);
	assert_int_equal(s->out_len, 0);
	finish(s, "status 3");
}

static void what_is_no_terminal_is_refused_with_advice(void **state)
{
	const struct program dumb = {.term = "dumb"}, none = {0},
			     input = {.term = "xterm", .plain_input = true};

	(void)state;
	check_refused(&dumb, "a terminal is needed that can move its cursor (TERM is dumb)");
	check_refused(&none, "a terminal is needed that can move its cursor (TERM is not set)");
	check_refused(&input, "standard input and output are no terminal");
}

static void terminals_nobody_knows_are_like_xterm(void **state)
{
	const struct program p = {.term = "no-such-terminal"};
	struct session *s = start(&p);

	(void)state;
	expect(s, "open");
	expect_sent(s, "\033[?1049h");
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void only_ascii_is_sent_where_the_locale_has_no_more(void **state)
{
	const struct program p = {.term = "xterm", .locale = "C"};
	struct session *s = start(&p);

	(void)state;
	expect(s, "open");
	expect_sent(s, "evil \\x1b[31m\\x9b\\x0d ???\\u{202e}!");
	expect_sent(s, " frame ");
	for (size_t i = 0; i < s->out_len; i++)
		assert_true((unsigned char)s->out[i] < 0x80);
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

static void a_locale_the_machine_does_not_have_is_utf_8_all_the_same(void **state)
{
	const struct program p = {.term = "xterm", .locale = "xx_YY.UTF-8"};
	struct session *s = start(&p);

	(void)state;
	expect(s, "open");
	expect_sent(s, "┌");
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

/* The cursor never goes to a line beyond 30. */
static bool sets_color(const struct session *s)
{
	for (size_t i = 0; i + 4 < s->out_len; i++)
		if (!memcmp(s->out + i, "\033[3", 3) && s->out[i + 3] >= '0' &&
		    s->out[i + 3] <= '8')
			return true;
	return false;
}

static void without_colours_none_is_set(void **state)
{
	const struct program p = {.term = "xterm-256color", .mono = true};
	struct session *s = start(&p);

	(void)state;
	expect(s, "open");
	expect_sent(s, "evil");
	expect_sent(s, "┘");
	assert_false(sets_color(s));
	s->out_len = 0;
	type(s, "t");
	expect(s, "key t");
	expect_sent(s, "evil");
	assert_true(sets_color(s));
	type(s, "q");
	expect(s, "end 0");
	finish(s, "status 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_screen_is_shown_and_the_terminal_is_left_as_it_was),
	    cmocka_unit_test(keys_are_recognised),
	    cmocka_unit_test(what_is_pasted_is_no_command),
	    cmocka_unit_test(the_mouse_is_read),
	    cmocka_unit_test(another_size_is_told),
	    cmocka_unit_test(a_signal_that_ends_the_program_restores_the_terminal),
	    cmocka_unit_test(abort_restores_the_terminal),
	    cmocka_unit_test(a_signal_that_the_program_handles_makes_it_end_by_itself),
	    cmocka_unit_test(it_can_be_stopped_and_goes_on),
	    cmocka_unit_test(the_clipboard_gets_harmless_text),
	    cmocka_unit_test(what_is_no_terminal_is_refused_with_advice),
	    cmocka_unit_test(terminals_nobody_knows_are_like_xterm),
	    cmocka_unit_test(only_ascii_is_sent_where_the_locale_has_no_more),
	    cmocka_unit_test(a_locale_the_machine_does_not_have_is_utf_8_all_the_same),
	    cmocka_unit_test(without_colours_none_is_set),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
