/* SPDX-License-Identifier: Apache-2.0 */
/* Results of SARIF logs that tests and comparisons have in common. */
#ifndef REGRESS_SARIF_H
#define REGRESS_SARIF_H

#include "regress/compare.h"
#include "report/sarif_text.h"

/* Begin a log with one run of this program, up to its open array of results. */
void reg_sarif_begin(struct rep_js *j, struct buf *b, const char *version);
void reg_sarif_end(struct rep_js *j);
/*
 * What became of an alert, as one result: its baselineState, and a place in @trace (NULL: not
 * known). @failure: a difference is an error, otherwise a warning. @cause: why it is so, or
 * SV_NONE. @scratch is overwritten.
 */
void reg_sarif_pair(struct rep_js *j, struct buf *scratch, const struct reg_pair *p,
		    const struct reg_ignore *ignore, const char *trace, bool failure,
		    struct sv cause);
/* Something that is wrong at a line of a file; @line 0: anywhere in it. */
void reg_sarif_finding(struct rep_js *j, struct buf *scratch, const char *rule, const char *level,
		       struct sv text, const char *file, uint32_t line);

#endif
