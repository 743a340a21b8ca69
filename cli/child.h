/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command that is being recorded: it is started before the recording, waits until that stands,
 * and then becomes the program. Its descendants are known from their orphans, which come to us.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

enum cli_child_exit { /* as env(1) and timeout(1) */
		      CHILD_RECORDER_FAILED = 125,
		      CHILD_CANNOT_RUN = 126,
		      CHILD_NOT_FOUND = 127,
};

struct cli_child {
	pid_t pid;     /* 0: none */
	int go;	       /* a byte into it starts the program; closed, the child ends */
	int report;    /* errno of an exec that failed comes out of it */
	bool ended;    /* the command itself */
	bool all_gone; /* and all its descendants */
	int status;    /* of the command, as wait(2) says */
};

/* Can @name be executed? Return: 0, CHILD_CANNOT_RUN or CHILD_NOT_FOUND (told). */
int cli_child_find(const char *name);
/* Return: 0 or CHILD_RECORDER_FAILED (told). */
int cli_child_start(struct cli_child *c, char **argv);
/* Let it begin. Return: 0, CHILD_CANNOT_RUN or CHILD_NOT_FOUND (told). */
int cli_child_go(struct cli_child *c, const char *name);
/* Notice who has ended; does not wait. Return: has everything ended? */
bool cli_child_look(struct cli_child *c);
/* Wait for the command itself. */
void cli_child_wait(struct cli_child *c);
/* Its exit status as a shell has it: 128 + the number of a signal that ended it. */
int cli_child_status(const struct cli_child *c);
/* If it has not begun, it never will. */
void cli_child_done(struct cli_child *c);

#endif
