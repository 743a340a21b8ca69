/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files a recording goes to, as options say: names, rotation, the limits of size and of what is
 * left on the disk. Shared by record and live. Everything that goes wrong is told here.
 */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include <time.h>

#include "cli/cli.h"
#include "cli/sealing.h"
#include "scapfile/writer.h"

enum { /* ids of the options below */
       OPT_LEVEL = OPT_COMMAND_FIRST + 96,
       OPT_ROTATE,
       OPT_MAX_SIZE,
       OPT_FORCE,
       OPT_FILL_DISK,
       OPT_KEEP,
       OPT_KEEP_AT_END,
};

/* clang-format off */
#define CLI_RECORDING_OPTIONS \
	{OPT_LEVEL, "level", "N", "of compression"}, \
	{OPT_ROTATE, "rotate", "SIZE|TIME[:COUNT]", \
	 "begin a new file after 100M or 10m; keep only COUNT"}, \
	{OPT_MAX_SIZE, "max-size", "SIZE", \
	 "stop when the files have SIZE; with --rotate and COUNT: drop the oldest"}, \
	{OPT_FORCE, "force", NULL, "replace a file that exists"}, \
	{OPT_FILL_DISK, "fill-disk", NULL, "use the last 5 % of the disk, too"}, \
	{OPT_KEEP, "keep", "TIME|SIZE|TIME:SIZE", \
	 "only in memory, the last of it; SIGUSR2 writes that"}, \
	{OPT_KEEP_AT_END, "keep-at-end", NULL, "with --keep: write it when recording ends, too"}, \
	CLI_SEALING_OPTIONS
/* clang-format on */

enum cli_recording_verdict {
	RECORDING_GOES_ON,
	RECORDING_FULL,	   /* --max-size is reached */
	RECORDING_STOPPED, /* the disk is nearly full, or the file is gone; told */
};

struct cli_recording {
	const char *path; /* NULL: named after host and time */
	struct sf_writer_options opt;
	uint64_t max_size; /* 0: no limit */
	bool fill_disk;
	bool keep_at_end;
	struct cli_sealing sealing;
	/* at work */
	struct sf_writer *writer;
	struct buf name;	/* if it was made up */
	char *current;		/* name of the current file, for when it is not any more */
	int fd;			/* of the current file, to see whether it still has a name */
	uint64_t stored_before; /* bytes of completed files */
	uint64_t frames_seen, looked_at; /* when the disk was looked at */
	bool full; /* and the state that begins the next file, or section, was asked for */
	bool told_renamed, broken;
	char **made; /* names of the files that are complete, of those that are kept */
	size_t nmade;
	/* with --keep */
	uint64_t next_state;	 /* CLOCK_MONOTONIC: not taken sooner */
	bool wanted, dumping;	 /* a dump is asked for; another one is under way */
	uint64_t wanted_at;	 /* CLOCK_REALTIME, as events have it */
	uint64_t last_ts;	 /* of the events written */
	char why[64], doing[64]; /* who asked for them */
	int dump_status;	 /* exit status, if one failed */
	/* once closed */
	uint64_t stored;
	struct sf_writer_stats stats;
	struct sf_kept kept;
};

void cli_recording_init(struct cli_recording *r);
/* Take one of CLI_RECORDING_OPTIONS. Return: 0, CLI_USAGE, or -1 if it is none of them. */
int cli_recording_take(struct cli_recording *r, int id, const char *value);
/* "100M:5", "10m". Return: false if it makes no sense. */
bool cli_parse_rotation(const char *text, struct sf_rotation *out);

/* Will files be created or renamed after the first one was opened? */
bool cli_recording_needs_more_files(const struct cli_recording *r);
/* Create the first file, of what @rec asks for; it may be NULL. Return: 0 or an exit status. */
int cli_recording_open(struct cli_recording *r, const struct rec_options *rec);
/*
 * Write one item. Return: 1 if the file is full: then the state is to be taken once more, and the
 * next file begins with it, when EV_ITEM_SECTION comes; 0; or an exit status with the sign changed
 * (told; nothing more can be written).
 */
int cli_recording_item(struct cli_recording *r, const struct ev_item *item);
/*
 * With --keep: is the state to be taken once more? Then it is, and it begins the next section, when
 * EV_ITEM_SECTION comes; cli_recording_took_state() is told when taking it had begun.
 */
bool cli_recording_keeps(const struct cli_recording *r);
/* What is kept, or was at the end. Return: false if nothing ever is. */
bool cli_recording_kept(const struct cli_recording *r, struct sf_kept *out);
bool cli_recording_wants_state(struct cli_recording *r);
void cli_recording_took_state(struct cli_recording *r, uint64_t began);
/*
 * Something has happened, @why, that makes what is kept worth writing: it goes to a file of its
 * own as soon as the events up to now are there. Asked for once more before that, it is one file.
 */
void cli_recording_dump(struct cli_recording *r, const char *why);
/* To be called now and then, also when nothing happens. */
enum cli_recording_verdict cli_recording_look(struct cli_recording *r);
/* Is less than the reserve left where the files are? Where nobody says, there is room. */
bool cli_recording_disk_is_low(const struct cli_recording *r, unsigned *percent);
/* Bytes of all files so far. */
uint64_t cli_recording_stored(const struct cli_recording *r);
const char *cli_recording_path(const struct cli_recording *r);
/* Complete the file; the results are in @stats and @stored. Return: 0 or an exit status. */
int cli_recording_close(struct cli_recording *r);
/* Note that the file @path is complete. */
void cli_recording_made(struct cli_recording *r, const char *path);
/* Nothing was recorded: delete what was created. */
void cli_recording_discard(struct cli_recording *r);
void cli_recording_done(struct cli_recording *r);

/* "HOST-20261122T030221Z.scap.zst" */
void cli_recording_name(struct buf *b, const char *host, time_t now);

#endif
