/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a recording is asked to end: the first SIGINT, SIGTERM or SIGHUP stops it in order, the next
 * one at once. While a command is recorded, the first is the command's instead: it is passed on,
 * unless the terminal has sent it to both, and the recording ends with the command. SIGUSR1 asks
 * for numbers, SIGUSR2 to write what is kept. One recording per program.
 */
#ifndef CLI_ENDING_H
#define CLI_ENDING_H

#include <stdbool.h>
#include <sys/types.h>

struct rec;

void cli_ending_watch(void);
/* What is to be stopped; at once, if it was asked for before. NULL: nothing. */
void cli_ending_stops(struct rec *rec);
/* Whose the first signal is; 0: nobody's. */
void cli_ending_passes_to(pid_t child);
/* The signal that ended the recording, or 0. */
int cli_ending_signal(void);
/* Was SIGUSR1 sent since the last time? */
bool cli_ending_wants_numbers(void);
/* Was SIGUSR2? */
bool cli_ending_wants_dump(void);

#endif
