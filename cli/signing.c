/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bundle/bundle.h"

#define TOLD_MAX 4096 /* bytes of what ssh-keygen says */

const char *cli_signature_name(enum cli_signature s)
{
	static const char *const names[] = {
	    [CLI_SIGNATURE_NONE] = "none",	 [CLI_SIGNATURE_UNCHECKED] = "unchecked",
	    [CLI_SIGNATURE_ANYBODY] = "anybody", [CLI_SIGNATURE_GOOD] = "good",
	    [CLI_SIGNATURE_BAD] = "bad",
	};

	return names[s];
}

/* In the child: standard input is @in, and what it says goes to @out. */
static void run_child(const char *const *argv, int in, int out)
{
	if (dup2(in, STDIN_FILENO) < 0 || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		_exit(127);
	cli_restore_signals();
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/*
 * Run @argv with the file @input as standard input; @out, if not NULL, receives what it writes.
 * Return: its exit status, 127 if it could not be run.
 */
static int run(const char *const *argv, const char *input, struct buf *out)
{
	int in = open(input, O_RDONLY | O_CLOEXEC), ends[2] = {-1, -1}, status = 0;
	pid_t pid;

	if (in < 0 || (out && pipe2(ends, O_CLOEXEC) < 0)) {
		close(in);
		return 127;
	}
	pid = fork();
	if (pid == 0)
		run_child(argv, in, ends[1]);
	close(in);
	close(ends[1]);
	while (out && pid > 0) {
		char *room = out->len < TOLD_MAX ? buf_room(out, 512) : NULL;
		ssize_t n = room ? read(ends[0], room, 512) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

int cli_sign(const char *key, const char *file)
{
	const char *const argv[] = {"ssh-keygen", "-q", "-Y",	       "sign", "-f",
				    key,	  "-n", BAG_NAMESPACE, file,   NULL};
	int rc = run(argv, "/dev/null", NULL);

	if (rc == 0)
		return 0;
	if (rc == 127)
		cli_log(CLI_ERROR, "cannot run ssh-keygen, which makes signatures");
	else
		cli_log(CLI_ERROR, "ssh-keygen made no signature of '%s' with the key '%s'", file,
			key);
	return CLI_INPUT;
}

/* The first principal of the signature, by the list of those who may sign. */
static bool find_signer(const char *signers, const char *signature, const char *file,
			struct buf *who)
{
	const char *const argv[] = {"ssh-keygen", "-Y", "find-principals", "-f",
				    signers,	  "-s", signature,	   NULL};
	char *end;

	if (run(argv, file, who) != 0 || !who->len)
		return false;
	end = memchr(who->p, '\n', who->len);
	if (end)
		who->len = (size_t)(end - who->p);
	return who->len > 0;
}

static enum cli_signature check_known(const char *signers, const char *signature, const char *file,
				      struct buf *who)
{
	struct buf said = {0};
	enum cli_signature s = CLI_SIGNATURE_BAD;

	if (find_signer(signers, signature, file, who)) {
		char *name = strdup(buf_cstr(who));
		const char *const argv[] = {"ssh-keygen",  "-Y", "verify",  "-f",
					    signers,	   "-I", name,	    "-n",
					    BAG_NAMESPACE, "-s", signature, NULL};

		if (name && run(argv, file, &said) == 0)
			s = CLI_SIGNATURE_GOOD;
		free(name);
	}
	buf_done(&said);
	return s;
}

enum cli_signature cli_check_signature(const char *file, const char *signers, struct buf *who)
{
	const char *argv[] = {"ssh-keygen", "-Y", "check-novalidate", "-n", BAG_NAMESPACE, "-s",
			      NULL,	    NULL};
	enum cli_signature s = CLI_SIGNATURE_NONE;
	char *signature = NULL;
	int rc;

	if (asprintf(&signature, "%s.sig", file) < 0)
		return CLI_SIGNATURE_UNCHECKED;
	if (access(signature, R_OK) == 0) {
		argv[6] = signature;
		rc = run(argv, file, who);
		s = rc == 127 ? CLI_SIGNATURE_UNCHECKED
		    : rc      ? CLI_SIGNATURE_BAD
			      : CLI_SIGNATURE_ANYBODY;
		while (who->len && who->p[who->len - 1] == '\n')
			who->len--;
		if (s == CLI_SIGNATURE_ANYBODY && signers) {
			buf_reset(who);
			s = check_known(signers, signature, file, who);
		}
	}
	free(signature);
	return s;
}
