/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading seals: lines, checked against the chain one after another, and the members of each. A
 * seal is hostile input: lines, members and numbers have limits.
 */
#ifndef SCAPFILE_SEAL_READ_H
#define SCAPFILE_SEAL_READ_H

#include <cjson/cJSON.h>

#include "scapfile/sealing.h"
#include "scapfile/stream.h"

#define SF_SEAL_MEMBERS_MAX 64		 /* of a line */
#define SF_SEAL_NUMBER_MAX  (1ull << 53) /* beyond, JSON readers may round */

enum sf_seal_kind {
	SF_SEAL_HEAD,
	SF_SEAL_FRAME,
	SF_SEAL_TABLE,
	SF_SEAL_CLOCK,
	SF_SEAL_END,
	SF_SEAL_OTHER, /* of a later version: covered by the chain, and nothing else is known */
};

struct sf_seal_line { /* valid until the next one is asked for */
	enum sf_seal_kind kind;
	uint64_t n;
	cJSON *json;
	bool tagged;
	uint8_t tag[SF_SEAL_DIGEST];
};

struct sf_seal_reader {
	struct sf_input in;
	struct buf text; /* of the line */
	uint64_t lines;	 /* read so far */
	uint8_t hash[SF_SEAL_DIGEST];
	struct sf_seal_line line;
	bool torn;	/* what follows the last line is none, since it does not end */
	char what[160]; /* after 0 of sf_seal_reader_next(): what is wrong; "": nothing */
};

/* Begin to read @r, zeroed storage. Return: 1, 0: there is no such file, ERR_IO. */
MUST_CHECK int sf_seal_reader_open(struct sf_seal_reader *r, const char *name, struct error *err);
/* Bytes in memory as an input, for a reader's @in. */
void sf_seal_input_of(struct sf_input *in, struct sv bytes, const char *name);
/* @r was opened, or is zeroed storage with a descriptor of -1. */
void sf_seal_reader_done(struct sf_seal_reader *r);
/*
 * The next line, checked against the chain. Return: 1 with r->line filled; 0: there is none, or
 * none that is what was written: r->what says why; ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int sf_seal_reader_next(struct sf_seal_reader *r, struct error *err);
/* Take @text, without its line end, apart. Return: 0, or -1: it is no line, @what says why. */
MUST_CHECK int sf_seal_parse(struct sv text, struct sf_seal_line *out, struct sv *covered,
			     uint8_t hash[SF_SEAL_DIGEST], char what[160]);
void sf_seal_line_done(struct sf_seal_line *l);

/* Members. Return: false if there is none of that name and type. */
bool sf_seal_number(const cJSON *o, const char *name, uint64_t *out);
bool sf_seal_signed(const cJSON *o, const char *name, int64_t *out);
bool sf_seal_time(const cJSON *o, const char *name, uint64_t *out);
bool sf_seal_digest(const cJSON *o, const char *name, uint8_t out[SF_SEAL_DIGEST]);
const char *sf_seal_text(const cJSON *o, const char *name); /* "" if there is none */
bool sf_seal_unhex(struct sv text, uint8_t out[SF_SEAL_DIGEST]);
/* One of @names; their count if it is none. */
unsigned sf_seal_choice(const cJSON *o, const char *name, const char *const *names, unsigned n);

/* What the first and the last line say (seal_facts.c), in @a. Return: 0, ERR_NOMEM. */
MUST_CHECK int sf_seal_read_facts(const cJSON *head, struct arena *a, struct sf_seal_facts *out,
				  struct error *err);
MUST_CHECK int sf_seal_read_lineage(const cJSON *end, struct arena *a, struct sf_seal_lineage *out,
				    struct error *err);

#endif
