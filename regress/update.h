/* SPDX-License-Identifier: Apache-2.0 */
/* Making baselines of what tests gave, all at once or difference by difference. */
#ifndef REGRESS_UPDATE_H
#define REGRESS_UPDATE_H

#include "regress/suite.h"

enum reg_answer {
	REG_ACCEPT, /* the baseline is to say this */
	REG_REFUSE, /* it is to stay as it is here */
	REG_ACCEPT_REST,
	REG_REFUSE_REST, /* of this test */
	REG_QUIT,	 /* as REG_REFUSE_REST, and of all further tests */
};

struct reg_asker { /* says what is to become of each difference */
	enum reg_answer (*ask)(void *arg, const struct reg_result *r, const struct reg_pair *p,
			       size_t number, size_t of);
	void *arg;
};

/**
 * reg_update() - bring the baseline of a test up to date, and judge the test anew
 * @asker: NULL: everything is accepted
 * @written: was the file made or changed?
 * @quit: was the answer REG_QUIT?
 * Tests that were skipped or are broken, or gave more alerts than were kept, are left alone.
 * Return: 0, ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int reg_update(struct reg_result *r, const struct reg_asker *asker, bool *written,
			  bool *quit, struct error *err);

#endif
