/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several captures as one. The unit is a part: a section of an input. Parts of one recording that
 * follow each other make a stream, whose state goes on from part to part; what the next part has of
 * the one before is left out, and so are its lists. Streams of one machine that do not overlap
 * follow each other as sections, each with its own lists. Other streams are woven: the lists of all
 * come first, then the events by time; the thread ids of all streams but the first are shifted.
 * Units: nanoseconds.
 */
#ifndef CLI_MERGE_H
#define CLI_MERGE_H

#include "cli/surgery.h"
#include "scapfile/shift.h"

/* Thread ids of stream N, counted from 0, are shifted by N times that: over the largest id Linux
 * gives, and few enough streams for ids of 32 bits. */
#define MERGE_ID_STEP	  5000000
#define MERGE_STREAMS_MAX 428
#define MERGE_JOIN_NS	  5000000000ull /* between parts of one recording, unless --join is given */
#define MERGE_BOOT_NS	  2000000000ull /* what two recordings of one boot may disagree by */
#define MERGE_PARTS_MAX	  100000

struct merge_machine {
	bool known;
	struct ev_machine facts; /* hostname: in the merge's arena */
};

struct merge_part {
	size_t input;
	unsigned section; /* of it, counted from 0 */
	struct merge_machine machine;
	uint64_t events;	    /* and losses, operations and hashes */
	uint64_t first_ts, last_ts; /* with the input's skew */
	uint64_t last_mark;	    /* tells its last event from others */
	bool last_section;	    /* of the input */
	/* By the plan: */
	size_t stream;
	uint64_t skip;		 /* events that the part before has, too */
	unsigned missing;	 /* files of the set between the one before and this */
	uint64_t missing_from;	 /* when the one before ends */
	bool contained;		 /* all of it is in another part */
	struct merge_part *next; /* of the stream */
};

struct merge_input {
	const char *path;
	int64_t skew;
	bool has_skew;
	size_t stem; /* bytes of @path that the files of a set share; 0: it is of no set */
	uint64_t number;
};

struct merge_stream {
	struct merge_part *first, *last;
	struct sf_shift shift;
	uint64_t events; /* written */
	/* While it is read: */
	struct sf_reader *reader;
	struct merge_part *part; /* NULL: at its end */
	unsigned section;	 /* the reader is in, counted from 1; 0: before the first */
	uint64_t seen;		 /* events of it */
	struct ev_item item;	 /* shifted */
	uint64_t key;		 /* time by which it is its turn */
};

struct merge {
	struct surgery surgery;
	bool join;
	/* Result of the plan: */
	struct merge_input *inputs;
	size_t ninputs;
	struct merge_part **parts; /* of all inputs, by time */
	size_t nparts;
	struct merge_stream *streams;
	size_t nstreams;
	bool woven;
	uint64_t losses, conflicts; /* records added; user and group numbers with two names */
	uint64_t duplicates;	    /* events that two parts had */
	struct sf_shift_plan plan;
	struct arena arena;
};

/* Look at all inputs and decide. Return: 0 or an exit status (told). */
MUST_CHECK int cli_merge_plan(struct merge *m);
/* Read them again and write. Return: 0 or an exit status (told). */
MUST_CHECK int cli_merge_write(struct merge *m);
void cli_merge_done(struct merge *m);

bool cli_merge_is_event(const struct ev_item *item);
/* When it happened; 0: that is not known. */
uint64_t cli_merge_time(const struct ev_item *item);
uint64_t cli_merge_mark(const struct ev_item *item);
bool cli_merge_same_machine(const struct merge_machine *a, const struct merge_machine *b);
/* The name of a set: "NAME.0001.scap.zst" is file 1 of "NAME". Return: 0: none; else its length. */
size_t cli_merge_set_name(const char *path, uint64_t *number);

/* Begin to read a stream. */
void cli_merge_rewind(struct merge_stream *st);
/*
 * The next item of a stream as it stands, from the current part's first on.
 * Return: 1, 0 at the end of the part, or an exit status below 0 (told).
 */
MUST_CHECK int cli_merge_next_item(struct merge *m, struct merge_stream *st, struct ev_item *item);
void cli_merge_close(struct merge_stream *st);

#endif
