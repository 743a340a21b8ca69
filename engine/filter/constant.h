/* SPDX-License-Identifier: Apache-2.0 */
/* Constants of conditions: texts converted to the type of what they are compared with. */
#ifndef ENGINE_FILTER_CONSTANT_H
#define ENGINE_FILTER_CONSTANT_H

#include "engine/filter/internal.h"

struct flt_regex;

struct flt_const {
	struct flt_datum value; /* for addresses and networks, p points to @addr: do not copy */
	struct sv text;		/* as written, unescaped */
	uint8_t prefix;		/* networks: bits that count */
	uint8_t addr[16];
	const struct flt_regex *regex; /* operator regex; owned by the program */
};

/*
 * Convert @text, which stays borrowed, for comparison with values of @ptype.
 * Return: 0, or ERR_COMPILE naming the text and what was expected.
 */
MUST_CHECK int flt_const_parse(struct flt_const *c, unsigned ptype, struct sv text,
			       struct error *err);
/* A buffer constant written in hex digits; the bytes live in @arena. */
MUST_CHECK int flt_const_parse_hex(struct flt_const *c, struct sv text, struct arena *arena,
				   struct error *err);

#endif
