/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording that is looked at while it goes on: a thread records the host into segments in a
 * directory of its own, and shows the same events to the rules, whose alerts go to a case. Numbers
 * of events are those of the segment. Everything that goes wrong at the start is told here.
 */
#ifndef CLI_FOLLOWING_H
#define CLI_FOLLOWING_H

#include <pthread.h>

#include "cli/recorder.h"
#include "cli/rule_run.h"
#include "tui/live.h"

#define FOLLOWING_WINDOW_DEFAULT (1ull << 30)
#define FOLLOWING_WINDOW_MIN	 (16ull << 20)

struct cli_following {
	struct ev_source source;      /* what the rules see of one segment */
	struct cli_rule_run *rules;   /* the command's */
	struct cli_recorder recorder; /* its selection: from options */
	struct tui_live live;	      /* for the interface */
	/* at work */
	struct ev_source *inner;
	struct buf dir, path, case_path;
	int dir_fd;   /* locked: it is somebody's */
	bool goes_on; /* in another segment */
	bool started;
	pthread_t thread;
	uint64_t told;	      /* CLOCK_MONOTONIC */
	pthread_mutex_t lock; /* of what follows */
	char **segments;
	struct tui_live_state state;
	bool cut;
};

void cli_following_init(struct cli_following *f, struct cli_rule_run *rules);
/* Return: 0 or an exit status (told); the other two must follow. */
int cli_following_begin(struct cli_following *f, int argc, char **argv);
/* Stop recording. Return: 0 or an exit status (told). */
int cli_following_end(struct cli_following *f);
/* Remove what was kept, when nobody uses the case any more. */
void cli_following_done(struct cli_following *f);

#endif
