/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a capture by the letter of the format. This is a second reading of the bytes, which
 * shares neither code nor leniency with the reader: what every other reader would accept, and more
 * than that, what the numbers must be to make sense together. Facts: scap format; zstd seekable
 * format 0.1.0. Units: offsets are bytes of the uncompressed stream unless @stored says of the
 * file. Threads: separate checks are independent.
 */
#ifndef SCAPFILE_STRICT_H
#define SCAPFILE_STRICT_H

#include "base/error.h"
#include "scapfile/scapfile.h"

#define SF_FINDINGS_MAX	     200	  /* described one by one; further ones are only counted */
#define SF_FINDINGS_RULE_MAX 20		  /* and of one rule */
#define SF_TIME_BACK_MAX     100000000ull /* ns an event may be older than the newest before it */

enum sf_strict_rule {
#define STRICT(sym, name, demands) SF_STRICT_##sym,
#include "scapfile/strict.def"
#undef STRICT
	SF_STRICT_RULES
};

struct sf_finding {
	uint64_t offset;
	bool stored; /* @offset counts in the file, not in the uncompressed stream */
	enum sf_strict_rule rule;
	char what[200]; /* what was expected and what is there */
};

struct sf_strict_report {
	enum sf_compression compression;
	uint64_t file_size, stream_size; /* bytes looked at */
	uint64_t sections, blocks, events, losses;
	uint64_t count; /* of all findings */
	uint64_t by_rule[SF_STRICT_RULES];
	bool stopped;		    /* what follows the last finding could not be judged */
	struct sf_finding *list;    /* @described, as they came */
	size_t described, list_cap; /* (room for) */
};

/**
 * sf_strict_check() - judge the capture at @path; "-": standard input
 * @out: receives the report, also of what is no capture at all; sf_strict_done() frees it
 * Return: 0, or ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int sf_strict_check(const char *path, struct sf_strict_report *out, struct error *err);
MUST_CHECK int sf_strict_check_memory(const void *p, size_t n, struct sf_strict_report *out,
				      struct error *err);
void sf_strict_done(struct sf_strict_report *r); /* fine for zeroed storage */

const char *sf_strict_rule_name(enum sf_strict_rule rule);    /* "block-trailer" */
const char *sf_strict_rule_demands(enum sf_strict_rule rule); /* a sentence */

#endif
