/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that show the state at a moment share: tree, fds, net, sessions. */
#ifndef CLI_VIEWS_H
#define CLI_VIEWS_H

#include "cli/table.h"
#include "cli/walk.h"
#include "engine/activity/ask.h"
#include "engine/activity/net.h"
#include "engine/activity/words.h"

enum { /* ids of options these commands share; their own begin after them */
       OPT_AT = OPT_COMMAND_FIRST,
       OPT_PID,
       OPT_NO_CONTAINERS,
       OPT_VIEW_FIRST,
};

#define VIEW_OPTION_AT                                                                             \
	{                                                                                          \
		OPT_AT, "at", "TIME|evt:N",                                                        \
		    "when: ISO 8601, @SECONDS, +DURATION, or after event N; default: the end"      \
	}
#define VIEW_OPTION_FORMAT                                                                         \
	{                                                                                          \
		'f', "format", "text|json|csv",                                                    \
		    "json: one object per line, typed; csv: with a header line"                    \
	}
#define VIEW_OPTION_NO_CONTAINERS                                                                  \
	{                                                                                          \
		OPT_NO_CONTAINERS, "no-containers", NULL,                                          \
		    "treat all processes as the host's, whatever their cgroups say"                \
	}

struct view {
	struct cli_common common;
	enum table_format format;
	struct run_moment at;
	const char *filter;	    /* -F; NULL: none */
	const char *filter_classes; /* which fields -F may use: "proc fd user" */
	int64_t pid;		    /* --pid; -1: none */
	bool no_containers;
	/* At work: */
	const struct table_column *columns;
	struct table *table;
	struct flt_program *program;
	unsigned filter_id;
	struct act_net *net; /* with @sockets */
	int status;	     /* of the command's part: 0, or why results are not complete */
	bool many;	     /* captures: their names are shown */
	bool at_moment;	     /* the walk is over */
	bool utf8;	     /* line-drawing characters are fine */
	const char *path;    /* of the current capture */
	struct buf out;
	struct buf scratch;
	/* The command's part; callbacks may be NULL but for @show. */
	void *arg;
	const struct act_net_options *sockets; /* follow sockets like that; NULL: do not */
	int (*begin)(void *arg, struct cli_walk *w, struct error *err);
	void (*item)(void *arg, struct cli_walk *w, const struct ev_item *item);
	void (*fed)(void *arg, struct cli_walk *w, const struct state_binding *b);
	void (*show)(void *arg, struct cli_walk *w); /* at the moment: fill the table */
	void (*done)(void *arg);
	/* The parts of a checkpoint @begin can go on from, beside those of @sockets; false: it has
	 * to see all events. NULL: it needs none. */
	bool (*parts)(void *arg, unsigned *parts);
};

/* The options above. Return: 0, CLI_USAGE (told), or -1: not one of them. */
int view_take(struct view *v, int id, const char *value);
/*
 * The whole command: take the options by @p, whose argument becomes that of the view, walk the
 * captures and print. Return: an exit status.
 */
int view_main(struct view *v, const struct cli_parser *p, int argc, char **argv);
/* Tell that there is no memory for what is to be shown. */
void view_out_of_memory(struct view *v);
/* -F, of the state as @w has it; only with a filter. */
struct act_question view_question(const struct view *v, const struct cli_walk *w);
/* Does the process, or a descriptor of it, pass -F? True without a filter. */
bool view_match(const struct view *v, struct cli_walk *w, struct state_thread *t,
		struct state_fd *fd);
/* "web-07 at TIME (end of the capture)", as the heading of the view; @what is counted. */
void view_heading(struct view *v, struct cli_walk *w, const char *what);

#endif
