/* SPDX-License-Identifier: Apache-2.0 */
/* Progress on stderr: a bar once work takes over a second, plain lines, or JSON lines; never on
 * stdout. */
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define NS_PER_S 1000000000ull

static struct {
	enum cli_progress_mode mode;
	uint64_t started, shown; /* CLOCK_MONOTONIC */
	bool bar;		 /* one is on the screen */
} progress;

void cli_progress_setup(enum cli_progress_mode mode)
{
	progress.mode = mode;
}

void cli_progress_done(void)
{
	if (progress.bar)
		fputs("\r\033[K", stderr);
	progress.bar = false;
}

static void show_bar(const struct run_progress *p, double seconds)
{
	struct buf b = {0};

	buf_lit(&b, "\r\033[K");
	if (p->file_size) {
		unsigned percent = (unsigned)(p->file_done * 100 / p->file_size);
		unsigned filled = (percent > 100 ? 100 : percent) / 5;

		buf_char(&b, '[');
		for (unsigned i = 0; i < 20; i++)
			buf_char(&b, i < filled ? '#' : '.');
		buf_addf(&b, "] %3u %%  ", percent > 100 ? 100 : percent);
	}
	cli_grouped(&b, p->events);
	buf_addf(&b, " events  %.1f M/s  ", (double)p->events / seconds / 1e6);
	cli_grouped(&b, p->alerts);
	buf_lit(&b, " alerts");
	fputs(buf_cstr(&b), stderr);
	fflush(stderr);
	buf_done(&b);
	progress.bar = true;
}

void cli_progress(void *arg, const struct run_progress *p)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	double seconds;

	(void)arg;
	if (!progress.started)
		progress.started = progress.shown = now;
	if (progress.mode == CLI_PROGRESS_NEVER ||
	    now - progress.shown < NS_PER_S / (progress.bar ? 5 : 1) ||
	    (progress.mode == CLI_PROGRESS_AUTO && !isatty(STDERR_FILENO)))
		return;
	progress.shown = now;
	seconds = (double)(now - progress.started) / 1e9;
	switch (progress.mode) {
	case CLI_PROGRESS_JSON:
		fprintf(stderr,
			"{\"progress\":{\"events\":%llu,\"alerts\":%llu,\"bytes\":%llu,\"total_"
			"bytes\":%llu,"
			"\"seconds\":%.3f}}\n",
			(unsigned long long)p->events, (unsigned long long)p->alerts,
			(unsigned long long)p->file_done, (unsigned long long)p->file_size,
			seconds);
		break;
	case CLI_PROGRESS_PLAIN:
		fprintf(stderr, "%llu events, %llu alerts, %llu of %llu bytes, %.1f s\n",
			(unsigned long long)p->events, (unsigned long long)p->alerts,
			(unsigned long long)p->file_done, (unsigned long long)p->file_size,
			seconds);
		break;
	default:
		show_bar(p, seconds);
	}
}

void cli_progress_text(bool automatic, struct buf *line, struct buf *json)
{
	switch (progress.mode) {
	case CLI_PROGRESS_NEVER:
		break;
	case CLI_PROGRESS_PLAIN:
		fprintf(stderr, "%s\n", buf_cstr(line));
		break;
	case CLI_PROGRESS_JSON:
		fprintf(stderr, "{\"progress\":%s}\n", buf_cstr(json));
		break;
	case CLI_PROGRESS_AUTO:
		if (!automatic || !isatty(STDERR_FILENO))
			break;
		fprintf(stderr, "\r\033[K%s", buf_cstr(line));
		fflush(stderr);
		progress.bar = true;
		break;
	}
}
