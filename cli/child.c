/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

#define DEFAULT_PATH "/bin:/usr/bin" /* as execvp(3) */

/* --- is there such a program? --- */

static bool is_program(const char *path, int *why)
{
	struct stat sb;

	if (stat(path, &sb) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			*why = errno;
		return false;
	}
	if (S_ISDIR(sb.st_mode) || access(path, X_OK) != 0) {
		*why = EACCES;
		return false;
	}
	return true;
}

static bool is_in_path(const char *name, int *why)
{
	const char *dirs = getenv("PATH");
	char path[4096];

	if (!dirs)
		dirs = DEFAULT_PATH;
	for (;;) {
		size_t n = strcspn(dirs, ":");

		snprintf(path, sizeof(path), "%.*s%s%s", (int)n, dirs, n ? "/" : "", name);
		if (is_program(path, why))
			return true;
		if (!dirs[n])
			return false;
		dirs += n + 1;
	}
}

static int cannot_run(const char *name, int why)
{
	cli_log(CLI_ERROR, "cannot run '%s': %s", name, strerror(why));
	return why == ENOENT ? CHILD_NOT_FOUND : CHILD_CANNOT_RUN;
}

int cli_child_find(const char *name)
{
	int why = ENOENT;

	if (name[0] && (strchr(name, '/') ? is_program(name, &why) : is_in_path(name, &why)))
		return 0;
	return cannot_run(name, why);
}

/* --- the child's side --- */

static _Noreturn void become(char **argv, int go, int report)
{
	char byte;
	ssize_t n;
	int why;

	cli_restore_signals();
	do {
		n = read(go, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1) {
		execvp(argv[0], argv);
		why = errno;
		(void)!write(report, &why, sizeof(why));
		_exit(why == ENOENT ? CHILD_NOT_FOUND : CHILD_CANNOT_RUN);
	}
	_exit(CHILD_RECORDER_FAILED);
}

/* --- the recorder's side --- */

static int cannot_start(const char *what)
{
	cli_log(CLI_ERROR, "cannot start the command: %s: %s", what, strerror(errno));
	return CHILD_RECORDER_FAILED;
}

static void close_pipe(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

int cli_child_start(struct cli_child *c, char **argv)
{
	int go[2], report[2];

	*c = (struct cli_child){.go = -1, .report = -1};
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return cannot_start("prctl");
	if (pipe2(go, O_CLOEXEC) != 0)
		return cannot_start("pipe");
	if (pipe2(report, O_CLOEXEC) != 0) {
		close_pipe(go);
		return cannot_start("pipe");
	}
	fflush(NULL); /* or the child writes it, too */
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		close_pipe(go);
		close_pipe(report);
		return cannot_start("fork");
	}
	if (c->pid == 0) {
		close(go[1]);
		close(report[0]);
		become(argv, go[0], report[1]);
	}
	close(go[0]);
	close(report[1]);
	c->go = go[1];
	c->report = report[0];
	return 0;
}

int cli_child_go(struct cli_child *c, const char *name)
{
	ssize_t n;
	int why;

	(void)!write(c->go, "", 1);
	close(c->go);
	c->go = -1;
	do {
		n = read(c->report, &why, sizeof(why)); /* ends when exec closes the other end */
	} while (n < 0 && errno == EINTR);
	return n == sizeof(why) ? cannot_run(name, why) : 0;
}

static void note_end(struct cli_child *c, pid_t pid, int status)
{
	if (pid != c->pid)
		return; /* an orphan that came to us */
	c->ended = true;
	c->status = status;
}

bool cli_child_look(struct cli_child *c)
{
	int status;

	while (!c->all_gone) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == 0)
			break;
		if (pid > 0)
			note_end(c, pid, status);
		else if (errno != EINTR)
			c->all_gone = true;
	}
	return c->all_gone;
}

void cli_child_wait(struct cli_child *c)
{
	int status;

	while (c->pid && !c->ended) {
		pid_t pid = waitpid(-1, &status, 0);

		if (pid > 0)
			note_end(c, pid, status);
		else if (errno != EINTR)
			return;
	}
}

int cli_child_status(const struct cli_child *c)
{
	if (!c->ended)
		return CHILD_RECORDER_FAILED;
	return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

void cli_child_done(struct cli_child *c)
{
	if (!c->pid)
		return;
	if (c->go >= 0) { /* it still waits, and ends now */
		close(c->go);
		c->go = -1;
		cli_child_wait(c);
	}
	close(c->report);
	c->report = -1;
}
