/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands that make a capture out of captures share: options, the output, which appears
 * under its name when it is complete and not before, and the lineage that its seal carries.
 * Inputs are only read. The order of calls: surgery_begin(), surgery_open_input() for each input,
 * surgery_create(), surgery_tick() while items are copied, surgery_close_input(), and at the end
 * surgery_end(), whatever happened before.
 */
#ifndef CLI_SURGERY_H
#define CLI_SURGERY_H

#include <sys/types.h>

#include "cli/cli.h"
#include "scapfile/writer.h"

enum { /* behind those of the commands */
       OPT_SURGERY_FIRST = 768,
       OPT_FORCE,
       OPT_LEVEL,
       OPT_NO_SEAL,
       OPT_REASON,
       OPT_COMMENT,
       OPT_BOOKMARK,
       OPT_COMMENTS,
};

/* Rows of an option table. */
#define SURGERY_OPTIONS                                                                            \
	{'o', "output", "FILE",                                                                    \
	 "the new capture; its suffix .scap, .scap.gz or .scap.zst tells the container; -: "       \
	 "standard output"},                                                                       \
	    {OPT_FORCE, "force", NULL, "replace FILE if there is one"},                            \
	    {OPT_LEVEL, "level", "N", "of compression: 1 to 9 for .gz, 1 to 19 for .zst"},         \
	    {OPT_NO_SEAL, "no-seal", NULL, "no FILE.seal beside it"},                              \
	{                                                                                          \
		OPT_REASON, "reason", "TEXT", "why this is done; kept in the seal"                 \
	}

/* Further rows, for commands that write comments into the section header. */
#define SURGERY_COMMENT_OPTIONS                                                                    \
	{OPT_COMMENT, "comment", "TEXT",                                                           \
	 "a comment in the section header, which sysdig refuses; may be repeated"},                \
	{                                                                                          \
		OPT_BOOKMARK, "bookmark", "evt:N=TEXT|TIME=TEXT",                                  \
		    "a comment about an event or a time; may be repeated"                          \
	}

/* And one for those that keep the comments of their inputs only when asked to. */
#define SURGERY_KEEP_OPTION                                                                        \
	{                                                                                          \
		OPT_COMMENTS, "comments", NULL,                                                    \
		    "keep the comments of section headers, which sysdig refuses"                   \
	}

struct surgery_options {
	const char *output;
	bool force, no_seal, keep_comments;
	int level;
	const char *reason;
	struct sf_comments comments;
	struct arena texts; /* of bookmarks, and of comments of inputs */
};

/* Take one of the options above. Return: 0, CLI_USAGE (told), or -1: it is none of them. */
int surgery_take(struct surgery_options *o, int id, const char *value);

struct surgery_parent { /* an input */
	const char *path;
	const char *told; /* what the lineage calls it, if it is not by its name */
	bool is_file;	  /* @dev and @ino say which */
	dev_t dev;
	ino_t ino;
	bool hashed; /* read to its end: */
	uint64_t size;
	uint8_t sha256[32];
};

struct surgery {
	/* Set by the caller before surgery_begin(): */
	const char *operation; /* "merge"; also for the lineage */
	const struct cli_common *common;
	struct surgery_options opt;
	int argc; /* the command line, for the lineage */
	char **argv;
	struct sf_writer_options writing; /* what else is asked of the writer */
	/* From surgery_create() on: */
	struct sf_writer *writer;
	struct sf_seal_options seal;
	/* JSON members, each with a comma in front, that the command adds to the lineage. */
	struct buf details;
	/* What became incomplete so far: 0 or an exit status; commands may make it worse. */
	int status;
	struct surgery_parent *parents;
	size_t nparents;
	uint64_t deadline; /* CLOCK_MONOTONIC; 0: none */
	uint64_t ticks, done;
};

/*
 * Check the options against the inputs, whose @paths are borrowed.
 * Return: 0 or an exit status (told); surgery_end() must follow in any case.
 */
MUST_CHECK int surgery_begin(struct surgery *s, char **paths, size_t n);
/* Open input @i for reading, with its hash computed on the way. @opt may be NULL.
 * Return: 0 or an exit status (told). */
MUST_CHECK int surgery_open_input(struct surgery *s, size_t i, const struct sf_options *opt,
				  struct sf_reader **out);
/* The hash of input @i, which is read through @fd and not opened as above. Return: 0 or an exit
 * status (told). */
MUST_CHECK int surgery_hash_input(struct surgery *s, size_t i, int fd);
/* The comments of an input whose section headers were read: kept, or told that they are not. */
MUST_CHECK int surgery_take_comments(struct surgery *s, const struct sf_reader *r);
/* Open the output, s->writer. Return: 0 or an exit status (told). */
MUST_CHECK int surgery_create(struct surgery *s);
/* Once for each item: progress and limits. Return: 0 to go on, or an exit status: stop. */
MUST_CHECK int surgery_tick(struct surgery *s, const struct sf_reader *r);
/*
 * The command is done with input @i: its damage is told and its hash completed, for which the rest
 * of it is read. Frees @r, NULL is fine. Failures and damage go into s->status.
 */
void surgery_close_input(struct surgery *s, size_t i, struct sf_reader *r);
/*
 * Complete the output and tell what was made, or leave none if @failed or s->status says that
 * there is nothing worth keeping (anything but 0 and CLI_PARTIAL).
 * Return: the command's exit status.
 */
int surgery_end(struct surgery *s, int failed);

#endif
