/* SPDX-License-Identifier: Apache-2.0 */
/* Making a test of a capture and the alerts it gives: test.yaml and the baseline beside it. */
#ifndef REGRESS_NEW_TEST_H
#define REGRESS_NEW_TEST_H

#include "regress/alerts.h"

struct reg_new_test {
	const char *dir;	  /* where both files go; it exists */
	const char *const *rules; /* files, @rule_count of them; the test names them from @dir */
	size_t rule_count;
	const char *config; /* likewise, or NULL */
	const char *const *options;
	size_t option_count;
	int match_all; /* -1: as configured */
	const struct reg_alerts
	    *alerts;	       /* all that the capture gives: as many of each rule are expected */
	const char *how;       /* the origin: by what it was made, */
	const uint8_t *min_of; /* and the SHA-256 of what; or NULL */
};

/* Return: 0, ERR_IO, ERR_NOMEM. Files that are there are replaced. */
MUST_CHECK int reg_new_test(const struct reg_new_test *t, struct error *err);

#endif
