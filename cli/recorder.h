/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One recording from start to end: the recorder, the files it fills, its limits, and what is told
 * meanwhile and at the end. What record and live have in common.
 */
#ifndef CLI_RECORDER_H
#define CLI_RECORDER_H

#include "cli/ending.h"
#include "cli/meter.h"
#include "cli/pace.h"
#include "cli/recording.h"
#include "cli/selection.h"

enum { OPT_DURATION = OPT_COMMAND_FIRST + 128 }; /* --duration, with a help text of the command's */

struct cli_recorder {
	/* options */
	struct cli_selection selection;
	struct cli_recording file;
	uint64_t duration_ns, timeout_ns; /* 0: none */
	bool shows_line;		  /* on a terminal */
	bool no_file;			  /* the events are for somebody else only */
	/* Called once recording stands. Return: 0 or an exit status. May be NULL. */
	int (*begin)(void *arg);
	/* Is there no more to record? May be NULL. */
	bool (*has_ended)(void *arg);
	void *arg;
	/* at work */
	struct rec *rec;
	struct cli_meter meter;
	struct cli_pace pace;
	int stats_fd;		/* -1: nobody wants them */
	uint64_t started, next; /* CLOCK_MONOTONIC */
	bool writing;		/* to the file */
	bool stopped;		/* rec_stop() was called */
	int status;
};

void cli_recorder_init(struct cli_recorder *r);
/*
 * Take -o, --duration, or one of CLI_SELECTION_OPTIONS and CLI_RECORDING_OPTIONS. Return: 0, an
 * exit status, or -1 if it is none of them.
 */
int cli_recorder_take(struct cli_recorder *r, int id, const char *value);
/*
 * Create the file, start the recorder and call begin(). @stats_path: where a line of JSON goes each
 * second; NULL: nowhere. Return: 0 or an exit status; then no file is left behind.
 */
int cli_recorder_open(struct cli_recorder *r, const char *stats_path);
/* Write items until the end, and tell what became of it. Return: 0 or an exit status. */
int cli_recorder_run(struct cli_recorder *r);
/* The two halves of that, for those who take the items themselves. */
void cli_recorder_item(struct cli_recorder *r, const struct ev_item *item);
void cli_recorder_look(struct cli_recorder *r);
int cli_recorder_end(struct cli_recorder *r);
void cli_recorder_done(struct cli_recorder *r);

#endif
