/* SPDX-License-Identifier: Apache-2.0 */
/* Printing the events of captures: what 'events' and 'sysdig' share. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include "cli/around.h"
#include "cli/show.h"
#include "cli/summary.h"
#include "cli/walk.h"
#include "replay/skip.h"

#define CLI_EVENTS_BYTES_MAX 80 /* of a byte buffer in the default lines */

struct cli_events {
	/* Set by the caller; zeros are sensible. */
	struct cli_common common;
	const char *filter, *filter_name; /* the name is for messages */
	const char *format;		  /* or a short name; NULL: the default lines */
	enum cli_form form;
	enum flt_bytes bytes;
	enum flt_clock clock;
	bool has_bytes_max; /* else CLI_EVENTS_BYTES_MAX in the default lines, elsewhere no limit */
	uint64_t bytes_max;
	uint64_t limit;			  /* of shown events; 0: none */
	uint64_t first_event, last_event; /* numbers; the last is 0 for no end */
	struct run_window window;
	bool has_around;
	struct cli_around_spec around;
	bool containers, no_containers; /* neither: as the fields ask for */
	bool corrected;
	bool operations;    /* also those through io_uring, beside default lines and their JSON */
	bool internal;	    /* also events that rules do not see */
	bool hide_internal; /* not even those of the internal category, which rules do see */
	bool count;	    /* print only how many */
	bool silent;	    /* print no events */
	bool summary;	    /* at the end, how many of each type */
	bool unbuffered;
	const char *const *suppressed; /* commands to ignore, NULL-terminated; or NULL */
	/* At work: */
	struct flt_program *program;
	bool has_filter;
	bool may_skip; /* chunks of an index in which nothing passes it: */
	struct run_skip skip;
	unsigned filter_id;
	struct cli_show show, operation;
	struct cli_around ring;
	struct cli_summary by_type;
	uint64_t shown, last_number;
	struct buf out, line;
	int partial; /* CLI_PARTIAL once something had to be left out */
	int broken;  /* the status of output that failed, else 0 */
};

/*
 * The lines that a short name stands for: "c" or "container", "k" or "kubernetes", "p" or NULL for
 * the default; NULL: no such name.
 */
const char *cli_events_format(const char *name);
/* Check that the options go together, print the events of @paths, free everything. Return: an exit
 * status. */
int cli_events_run(struct cli_events *o, char **paths, int count);

#endif
