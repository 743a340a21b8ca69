/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libbpf says when something fails. It hands its messages to one function of the process,
 * without context: the thread that is loading something looks here for the reason of a failure.
 */
#include "capture/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

static _Thread_local char *reason;

/* The line of the verifier's log that says why: the last before its statistics. */
static void add_verdict(const char *log)
{
	const char *end = strstr(log, "\nprocessed "), *line = end;
	size_t used = strlen(reason), n;

	while (line && line > log && line[-1] != '\n')
		line--;
	n = line ? (size_t)(end - line) : 0;
	if (!n || used + n + 3 > MESSAGE_MAX)
		return;
	memcpy(reason + used, ": ", 2);
	memcpy(reason + used + 2, line, n);
	reason[used + 2 + n] = '\0';
}

PRINTF_LIKE(2, 0)
static int keep_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text;
	const char *p;

	if (!reason || level != LIBBPF_WARN || vasprintf(&text, fmt, args) < 0)
		return 0;
	p = strncmp(text, "libbpf: ", 8) != 0 ? text : text + 8;
	if (strstr(p, "BEGIN PROG LOAD LOG"))
		add_verdict(p);
	else if (!*reason && strstr(p, "fail"))
		snprintf(reason, MESSAGE_MAX, "%.*s", (int)strcspn(p, "\n"), p);
	free(text);
	return 0;
}

void messages_listen(void)
{
	libbpf_set_print(keep_message);
}

void messages_keep(char text[MESSAGE_MAX])
{
	reason = text;
	if (text)
		text[0] = '\0';
}

int messages_failed(const char *text, int sys, const char *what, struct error *err)
{
	/* EACCES is the verifier's word for a program it does not accept. */
	int code = sys == ENOMEM ? ERR_NOMEM : sys == EPERM ? ERR_PERMISSION : ERR_UNSUPPORTED;

	messages_keep(NULL);
	error_set(err, code, "cannot %s the recorder's BPF programs: %s%s%s", what, strerror(sys),
		  *text ? ": " : "", text);
	return check_explain(code, err);
}
