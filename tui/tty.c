/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum what { CHANGES, ENDS, IS_FATAL };

static const struct {
	int number;
	enum what what;
} watched[] = {
    {SIGWINCH, CHANGES}, {SIGTSTP, CHANGES}, {SIGCONT, CHANGES}, {SIGTERM, ENDS},
    {SIGHUP, ENDS},	 {SIGINT, ENDS},     {SIGQUIT, ENDS},	 {SIGABRT, IS_FATAL},
    {SIGSEGV, IS_FATAL}, {SIGBUS, IS_FATAL}, {SIGFPE, IS_FATAL}, {SIGILL, IS_FATAL},
};

/* Signal handlers have no other way to know: this is the process's only terminal. */
static struct {
	bool open;
	struct termios before;
	struct sigaction old[COUNT_OF(watched)];
	int wake[2]; /* a pipe: handlers write, tui_tty_wait() reads */
	volatile sig_atomic_t resized, continued, stop, end, fatal;
	volatile sig_atomic_t restore_len;
	char restore[TUI_RESTORE_MAX];
} tty;

static void wake_up(void)
{
	char c = 0;
	ssize_t ignored = write(tty.wake[1], &c, 1); /* full: it wakes anyway */

	(void)ignored;
}

void tui_tty_write(struct sv bytes)
{
	while (bytes.n) {
		ssize_t n = write(STDOUT_FILENO, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

			poll(&out, 1, 1000);
			continue;
		}
		if (n <= 0)
			return;
		bytes = sv_drop(bytes, (size_t)n);
	}
}

/* Called in handlers, too. */
static void restore(void)
{
	ssize_t ignored = write(STDOUT_FILENO, tty.restore, (size_t)tty.restore_len);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &tty.before);
}

static void on_change(int number)
{
	int saved = errno;

	if (number == SIGWINCH)
		tty.resized = 1;
	else if (number == SIGTSTP)
		tty.stop = 1;
	else
		tty.continued = 1;
	wake_up();
	errno = saved;
}

static void act_as_before(int number)
{
	for (size_t i = 0; i < COUNT_OF(watched); i++)
		if (watched[i].number == number)
			sigaction(number, &tty.old[i], NULL);
}

static void on_fatal(int number)
{
	restore();
	if (tty.fatal++) /* who was there before came back here */
		signal(number, SIG_DFL);
	else
		act_as_before(number);
	raise(number); /* when this handler is left, unless what was the reason happens again */
}

/* If the program handles the signal, it is to end by itself, at the first one. */
static void on_end(int number, siginfo_t *info, void *context)
{
	const struct sigaction *old = NULL;
	int saved = errno;

	for (size_t i = 0; i < COUNT_OF(watched); i++)
		if (watched[i].number == number)
			old = &tty.old[i];
	if (!old || old->sa_handler == SIG_DFL) {
		on_fatal(number);
		return;
	}
	if (tty.end)
		restore();
	tty.end = 1;
	wake_up();
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(number, info, context);
	else
		old->sa_handler(number);
	errno = saved;
}

static void watch(size_t i)
{
	struct sigaction sa = {.sa_flags = SA_RESTART};

	sigfillset(&sa.sa_mask);
	sigaction(watched[i].number, NULL, &tty.old[i]);
	if (!(tty.old[i].sa_flags & SA_SIGINFO) && tty.old[i].sa_handler == SIG_IGN)
		return; /* somebody wants that */
	switch (watched[i].what) {
	case CHANGES:
		sa.sa_handler = on_change;
		break;
	case ENDS:
		sa.sa_sigaction = on_end;
		sa.sa_flags |= SA_SIGINFO;
		break;
	case IS_FATAL:
		sa.sa_handler = on_fatal;
		break;
	}
	sigaction(watched[i].number, &sa, NULL);
}

int tui_tty_open(struct error *err)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, ERR_UNSUPPORTED, "standard input and output are no terminal");
	if (tcgetattr(STDIN_FILENO, &tty.before) < 0)
		return error_sys(err, errno, "cannot read the settings of the terminal");
	if (pipe2(tty.wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_sys(err, errno, "cannot make a pipe");
	tty.resized = tty.continued = tty.stop = tty.end = tty.fatal = tty.restore_len = 0;
	tty.open = true;
	for (size_t i = 0; i < COUNT_OF(watched); i++)
		watch(i);
	return 0;
}

void tui_tty_close(void)
{
	if (!tty.open)
		return;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty.before);
	for (size_t i = 0; i < COUNT_OF(watched); i++)
		sigaction(watched[i].number, &tty.old[i], NULL);
	close(tty.wake[0]);
	close(tty.wake[1]);
	tty.open = false;
}

void tui_tty_on_end(struct sv bytes)
{
	if (bytes.n > sizeof(tty.restore))
		return;
	tty.restore_len = 0; /* a handler may run at any moment */
	memcpy(tty.restore, bytes.p, bytes.n);
	tty.restore_len = (sig_atomic_t)bytes.n;
}

static unsigned take(volatile sig_atomic_t *flag, unsigned bit)
{
	if (!*flag)
		return 0;
	*flag = 0;
	return bit;
}

static void drain(void)
{
	char bytes[64];

	while (read(tty.wake[0], bytes, sizeof(bytes)) > 0)
		;
}

unsigned tui_tty_wait(int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
				{.fd = tty.wake[0], .events = POLLIN}};
	unsigned events;

	if (poll(fds, 2, timeout_ms) < 0) /* a signal came */
		fds[0].revents = 0;
	drain();
	events = take(&tty.resized, TUI_TTY_RESIZED) | take(&tty.continued, TUI_TTY_CONTINUED) |
		 take(&tty.stop, TUI_TTY_STOP);
	if (tty.end)
		events |= TUI_TTY_END;
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		events |= TUI_TTY_GONE;
	else if (fds[0].revents & POLLIN)
		events |= TUI_TTY_INPUT;
	return events;
}

void tui_tty_stop(void)
{
	struct sigaction now, usual = {.sa_handler = SIG_DFL};

	sigemptyset(&usual.sa_mask);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty.before);
	if (sigaction(SIGTSTP, NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
		sigaction(SIGTSTP, &usual, NULL);
		kill(0, SIGTSTP); /* all of the job; the shell starts it again */
		sigaction(SIGTSTP, &now, NULL);
	}
	tty.continued = tty.stop = 0;
	drain();
}

bool tui_tty_size(int *height, int *width)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || !ws.ws_row || !ws.ws_col)
		return false;
	*height = ws.ws_row;
	*width = ws.ws_col;
	return true;
}
