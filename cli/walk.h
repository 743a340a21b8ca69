/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a capture without rules: what 'events' and 'info' share. */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include "cli/cli.h"

struct cli_walk {
	/* Set by the caller: */
	const struct cli_common *common;
	const struct flt_program *program; /* sealed; NULL: no context is made */
	struct run_window window;
	bool want_hash;
	bool no_containers; /* threads belong to the host whatever their cgroups say */
	/* Each visible event within the window. Return: 0 to go on, 1 to stop the walk, or an exit
	 * status below 0. */
	int (*event)(void *arg, struct cli_walk *w, const struct state_binding *b);
	/* Each item of the capture, before the state takes it; may be NULL. */
	void (*item)(void *arg, struct cli_walk *w, const struct ev_item *item);
	/* After the last event, while reader and state are still there; may be NULL. */
	void (*end)(void *arg, struct cli_walk *w);
	void *arg;
	/* For the callbacks: */
	struct sf_reader *reader;
	struct state *state;
	struct flt_ctx *ctx;
	uint64_t from, to;
	bool window_known;
	bool cut; /* stopped before the end, on request or by a limit */
};

/* Walk one capture and tell what is wrong with it. Return: an exit status. */
int cli_walk_capture(struct cli_walk *w, const char *path);

#endif
