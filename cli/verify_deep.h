/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scapula verify --deep: the captures of a bundle are replayed once more, with the rules that are
 * in it, and the alerts are held against those that its case has.
 */
#ifndef CLI_VERIFY_DEEP_H
#define CLI_VERIFY_DEEP_H

#include "cli/cli.h"
#include "cli/verify_bundle.h"

struct cli_deep_options {
	const struct cli_common *common; /* of verify itself: --mem-limit holds for each capture */
	const char *config;		 /* what the runs were given as --config; or NULL */
	unsigned jobs;			 /* threads for each run */
};

struct cli_deep { /* zeroed storage */
	const struct cli_deep_options *opt;
	uint64_t runs, readings, events;
	struct bag_comparison alerts;
	uint64_t miscounted; /* readings with another number of events */
	uint64_t skipped;    /* runs and readings that could not be repeated */
	struct buf why;	     /* lines about these: untrusted text made harmless */
	struct bag_streams streams;
	uint64_t reports_same, reports_other; /* that the bundle has of its case */
	uint64_t reports_skipped;	      /* that could not be compared */
	const char *report_why;		      /* not: of the last of them */
	char report[160];		      /* the first of reports_other: its name, untrusted */
	bool other_version;		      /* one was made by another version of the program */
	int status;
};

/* Uncompress the captures of the bundle @b, repeat all runs of its case at @path (NULL: there is
 * none), and make the reports that it has of the case once more. d->opt is set before. What goes
 * wrong is in d->status (told). */
void cli_check_deep(struct cli_deep *d, const char *path, const struct cli_bundle *b);
void cli_deep_text(struct buf *b, const struct cli_deep *d, bool has_case);
/* A member "deep" for an object that has others. */
void cli_deep_json(struct buf *b, const struct cli_deep *d);
void cli_deep_done(struct cli_deep *d);

#endif
