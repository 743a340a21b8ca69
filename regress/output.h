/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a suite gave, for people and for programs: one function per format, listed in outputs.def.
 * Outputs depend on the tests and what they gave only: times of running are left out unless
 * @timing asks for them. All texts are made harmless for where they go.
 */
#ifndef REGRESS_OUTPUT_H
#define REGRESS_OUTPUT_H

#include "regress/suite.h"

struct reg_output_options {
	const char *version; /* of this program */
	bool timing;	     /* CPU time of each test */
	bool brief;	     /* people: only what did not pass */
	bool color;
};

struct reg_format {
	const char *name, *what;
	void (*write)(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt);
};
extern const struct reg_format reg_formats[];		    /* ends with a NULL name */
const struct reg_format *reg_format_find(const char *name); /* NULL: there is none */

/* --- for the formats --- */

extern const char *const reg_check_kinds[]; /* by enum reg_check_kind */
/* Lines with ends, each behind @indent and as @escape writes it. */
void reg_lines(struct buf *b, struct sv text, const char *indent,
	       void (*escape)(struct buf *b, struct sv line));
struct sv reg_first_line(struct sv text);

#define FORMAT(name, function, what)                                                               \
	void function(struct buf *b, struct reg_suite *s, const struct reg_output_options *opt);
#include "regress/outputs.def"
#undef FORMAT

#endif
