/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on stderr, exit statuses, and what a signal does. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"

static struct {
	const char *command;
	bool json, quiet;
	unsigned verbose;
	bool holds; /* a terminal is in use: messages wait in @held */
	struct buf held;
	pthread_mutex_t lock; /* of what is held */
} log_state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static volatile sig_atomic_t caught_signal;
static void (*interrupt_fn)(void *arg);
static void *interrupt_arg;

void cli_log_setup(const char *command, bool json, bool quiet, unsigned verbose)
{
	log_state.command = command;
	log_state.json = json;
	log_state.quiet = quiet;
	log_state.verbose = verbose;
}

static bool is_shown(enum cli_level level)
{
	switch (level) {
	case CLI_ERROR:
		return true;
	case CLI_WARNING:
	case CLI_NOTE:
		return !log_state.quiet;
	default:
		return log_state.verbose > 0 && !log_state.quiet;
	}
}

static void tell(struct buf *line)
{
	pthread_mutex_lock(&log_state.lock);
	if (!log_state.holds)
		fputs(buf_cstr(line), stderr);
	else if (log_state.held.len < CLI_HELD_MAX)
		buf_sv(&log_state.held, buf_view(line));
	pthread_mutex_unlock(&log_state.lock);
}

void cli_log_hold(bool hold)
{
	pthread_mutex_lock(&log_state.lock);
	log_state.holds = hold;
	if (!hold && log_state.held.len) {
		fputs(buf_cstr(&log_state.held), stderr);
		buf_done(&log_state.held);
	}
	pthread_mutex_unlock(&log_state.lock);
}

static void log_json(enum cli_level level, const char *text)
{
	static const char *const names[] = {"error", "warning", "note", "debug"};
	struct buf b = {0};

	buf_addf(&b, "{\"level\":\"%s\",\"command\":", names[level]);
	json_string(&b, sv_of(log_state.command ? log_state.command : ""));
	buf_lit(&b, ",\"message\":");
	json_string(&b, sv_of(text));
	buf_lit(&b, "}\n");
	tell(&b);
	buf_done(&b);
}

/* Texts may quote captures, rule files and arguments; the lines are ours, tabs keep carets in
 * place. */
static void add_message(struct buf *b, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n\t");

		cli_safe(b, sv_make(text, n));
		if (!text[n])
			return;
		buf_char(b, text[n]);
		text += n + 1;
	}
}

static void log_text(enum cli_level level, const char *text)
{
	struct buf b = {0};

	buf_addf(&b, "scapula: %s%s%s", log_state.command ? log_state.command : "",
		 log_state.command ? ": " : "", level == CLI_WARNING ? "warning: " : "");
	add_message(&b, text);
	buf_char(&b, '\n');
	tell(&b);
	buf_done(&b);
}

void cli_log(enum cli_level level, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (!is_shown(level))
		return;
	cli_progress_done();
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_state.json) {
		log_json(level, text);
		return;
	}
	log_text(level, text);
}

int cli_exit_of(int error_code)
{
	switch (error_code) {
	case ERR_USAGE:
		return CLI_USAGE;
	case ERR_SYNTAX:
	case ERR_COMPILE:
	case ERR_RULES:
		return CLI_RULES;
	case ERR_NOMEM:
		return CLI_INTERNAL;
	default:
		return CLI_INPUT;
	}
}

int cli_fail(const struct error *err)
{
	cli_log(CLI_ERROR, "%s", err->msg[0] ? err->msg : error_code_text(err->code));
	return cli_exit_of(err->code);
}

int cli_worse(int a, int b)
{
	static const int order[] = {CLI_INTERNAL, CLI_INPUT,   CLI_SIGTERM,  CLI_SIGINT, CLI_RULES,
				    CLI_USAGE,	  CLI_PARTIAL, CLI_FINDINGS, CLI_OK};

	for (size_t i = 0; i < COUNT_OF(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return CLI_INTERNAL;
}

static void on_signal(int number)
{
	int before = errno;

	if (number == SIGALRM && caught_signal)
		return;
	if (caught_signal && caught_signal != SIGALRM)
		_exit(128 + number); /* the second one: now */
	caught_signal = number;
	if (interrupt_fn)
		interrupt_fn(interrupt_arg);
	errno = before;
}

static const int ignored_signals[] = {SIGPIPE, SIGXFSZ};
static struct sigaction inherited_actions[COUNT_OF(ignored_signals)];

void cli_ignore_signals(void)
{
	const struct sigaction sa = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < COUNT_OF(ignored_signals); i++)
		sigaction(ignored_signals[i], &sa, &inherited_actions[i]);
}

void cli_restore_signals(void)
{
	for (size_t i = 0; i < COUNT_OF(ignored_signals); i++)
		sigaction(ignored_signals[i], &inherited_actions[i], NULL);
}

void cli_catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

void cli_on_interrupt(void (*fn)(void *arg), void *arg)
{
	interrupt_arg = arg;
	interrupt_fn = fn;
	if (caught_signal && fn)
		fn(arg);
}

void cli_catch_timeout(const struct cli_common *common)
{
	const struct sigaction sa = {.sa_handler = on_signal};
	const struct itimerval after = {
	    .it_value = {.tv_sec = (time_t)(common->timeout_ns / 1000000000u),
			 .tv_usec = (suseconds_t)(common->timeout_ns % 1000000000u / 1000)}};

	if (!common->timeout_ns)
		return;
	sigaction(SIGALRM, &sa, NULL);
	/* Less than a microsecond would mean never. */
	if (common->timeout_ns < 1000 || setitimer(ITIMER_REAL, &after, NULL) != 0)
		on_signal(SIGALRM);
}

bool cli_timed_out(void)
{
	return caught_signal == SIGALRM;
}

int cli_interrupted(void)
{
	if (cli_timed_out())
		return CLI_PARTIAL;
	return caught_signal ? 128 + (int)caught_signal : 0;
}

int cli_write(struct buf *b)
{
	size_t n;

	if (b->failed) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	if (!b->len)
		return 0;
	n = fwrite(b->p, 1, b->len, stdout);
	if (n != b->len) {
		cli_log(CLI_ERROR, "cannot write to standard output: %s", strerror(errno));
		return CLI_INPUT;
	}
	buf_reset(b);
	return 0;
}

int cli_flush(void)
{
	if (fflush(stdout) == 0)
		return 0;
	cli_log(CLI_ERROR, "cannot write to standard output: %s", strerror(errno));
	return CLI_INPUT;
}

#define GAPS_TOLD 10u /* one by one */

int cli_tell_gaps(const char *path, const struct sf_gap *gaps, size_t n, uint64_t total)
{
	size_t told = n < GAPS_TOLD ? n : GAPS_TOLD;

	for (size_t i = 0; i < told; i++)
		cli_log(CLI_WARNING, "%s: offset %llu: %s: %s", path,
			(unsigned long long)gaps[i].offset, sf_gap_reason_name(gaps[i].reason),
			gaps[i].what);
	if (total > told)
		cli_log(CLI_WARNING, "%s: %s%llu%s gaps; 'scapula info' lists them", path,
			told ? "and " : "", (unsigned long long)(total - told),
			told ? " more" : "");
	return total ? CLI_PARTIAL : 0;
}

void cli_tell_state(const char *path, const struct state_stats *ss)
{
	if (ss->malformed)
		cli_log(CLI_WARNING,
			"%s: %llu events have parameters of unexpected size; their state changes "
			"are missing",
			path, (unsigned long long)ss->malformed);
	if (ss->threads_dropped + ss->fds_dropped)
		cli_log(CLI_WARNING,
			"%s: tables full: %llu threads and %llu file descriptors are not tracked",
			path, (unsigned long long)ss->threads_dropped,
			(unsigned long long)ss->fds_dropped);
}
