/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/kill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/filter/filter.h"
#include "engine/state/state.h"
#include "tui/internal.h"

#define SIGNALS	      65
#define STAT_MAX      4096 /* bytes of /proc/PID/stat */
#define FIELDS_BEFORE 19   /* between the name in it and when it was started */

/* --- what is typed */

static int signal_of(struct sv text)
{
	uint64_t n;

	if (tui_number(text, &n))
		return n > 0 && n < SIGNALS ? (int)n : -1;
	for (int i = 1; i < SIGNALS; i++) {
		const char *name = flt_signal_name(i);

		if (name && (sv_is(text, name) || sv_is(text, name + strlen("SIG"))))
			return i;
	}
	return -1;
}

int tui_kill_parse(struct sv text, struct tui_kill *out, struct error *err)
{
	size_t n = 0;
	uint64_t pid;

	*out = (struct tui_kill){.signal = SIGTERM};
	if (!text.n)
		return 0;
	while (n < text.n && text.p[n] != ' ')
		n++;
	if (!tui_number(sv_make(text.p, n), &pid) || pid == 0 || pid > INT32_MAX)
		return error_set(err, ERR_USAGE, "kill: expected the number of the process");
	out->pid = (int64_t)pid;
	text = sv_drop(text, n);
	while (text.n && *text.p == ' ')
		text = sv_drop(text, 1);
	if (text.n)
		out->signal = signal_of(text);
	return out->signal > 0 ? 0
			       : error_set(err, ERR_USAGE, "kill: there is no signal '%.*s'",
					   text.n < 40 ? (int)text.n : 40, text.p);
}

int tui_kill_allowed(const struct tui_data *d, bool allowed, struct error *err)
{
	struct tui_live_now now;

	if (!tui_data_live(d, &now))
		return error_set(err, ERR_USAGE, "these are processes of a recording");
	if (!allowed)
		return error_set(err, ERR_USAGE,
				 "nothing is done to this host without --allow-actions");
	return 0;
}

/* --- which process it is */

static bool read_file(int64_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, size - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Name and start, in time since the epoch, of the process that has the number now. */
static bool look_up(int64_t pid, char *stat, size_t size, struct sv *comm, uint64_t *began)
{
	const uint64_t booted = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	const long hz = sysconf(_SC_CLK_TCK);
	char *open, *close, *p;

	if (hz <= 0 || !read_file(pid, "stat", stat, size))
		return false;
	open = strchr(stat, '(');
	close = strrchr(stat, ')');
	if (!open || !close || close < open)
		return false;
	p = close + 1;
	for (unsigned i = 0; p && i < FIELDS_BEFORE; i++)
		p = strchr(p + 1, ' ');
	if (!p)
		return false;
	*comm = sv_make(open + 1, (size_t)(close - open - 1));
	*began = booted + strtoull(p, NULL, 10) * (1000000000ull / (uint64_t)hz);
	return true;
}

static bool is_near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= TUI_KILL_SLACK_S * 1000000000ull;
}

int tui_kill_send(int64_t pid, struct sv comm, uint64_t began, bool listed, int signal,
		  struct error *err)
{
	char stat[STAT_MAX];
	uint64_t then;
	struct sv name;
	int rc = 0, fd;

	if (pid <= 1 || pid == getpid())
		return error_set(err, ERR_USAGE, "process %" PRId64 " gets none from here", pid);
	/* What is looked up behind this is what the signal goes to. */
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd < 0)
		return error_sys(err, errno, "process %" PRId64 " cannot be reached", pid);
	if (!look_up(pid, stat, sizeof(stat), &name, &then))
		rc = error_set(err, ERR_USAGE, "process %" PRId64 " is gone", pid);
	else if (!sv_eq(name, comm) || !(is_near(then, began) || (listed && then < began)))
		rc = error_set(err, ERR_USAGE,
			       "%" PRId64 " is the number of another process by now: no signal was "
			       "sent",
			       pid);
	else if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0)
		rc = error_sys(err, errno, "no signal was sent to process %" PRId64, pid);
	close(fd);
	return rc;
}

/* --- doing it */

/* What was done to the host belongs to the case. */
static int note(struct tui_app *app, const struct tui_kill *k, struct sv comm, struct error *err)
{
	struct buf text = {0};
	int rc;

	buf_addf(&text, "sent %s to process %" PRId64 " (", flt_signal_name(k->signal), k->pid);
	buf_sv(&text, comm);
	buf_char(&text, ')');
	rc = tui_data_add_note(tui_app_data(app), 0, 0, buf_view(&text), err);
	buf_done(&text);
	return rc;
}

static int send(struct tui_app *app, const struct act_node *n, const struct tui_kill *k,
		struct error *err)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(app));
	const struct sv comm = state_sv(n->t->comm);
	/* When a process began that was there at first is not recorded: before the first event. */
	const bool listed = !n->t->clone_ts;
	int rc = tui_kill_send(k->pid, comm, listed ? c->first_ts : n->t->clone_ts, listed,
			       k->signal, err);

	if (rc < 0)
		return rc;
	tui_app_say(app, TUI_ROLE_WARNING, "%s was sent to process %" PRId64,
		    flt_signal_name(k->signal), k->pid);
	return note(app, k, comm, err);
}

enum tui_result tui_kill_act(struct tui_app *app, const struct act_node *n,
			     const struct tui_command *c)
{
	struct error err = {0};
	struct tui_kill k;
	int rc = tui_kill_allowed(tui_app_data(app), app->opt->allow_actions, &err);

	if (rc == 0)
		rc = tui_kill_parse(c->arg, &k, &err);
	if (rc == 0 && !n->t)
		rc = error_set(&err, ERR_USAGE, "process %" PRId64 " has ended", n->pid);
	else if (rc == 0 && k.pid != n->pid)
		rc = error_set(&err, ERR_USAGE,
			       "%s:kill %" PRId64 " [SIGNAL]' sends SIGTERM, or SIGNAL, to the "
			       "process under the cursor",
			       k.pid ? "that is another process; '" : "'", n->pid);
	if (rc == 0)
		rc = send(app, n, &k, &err);
	if (rc < 0)
		tui_app_fail(app, &err);
	return TUI_DONE;
}
