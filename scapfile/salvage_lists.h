/* SPDX-License-Identifier: Apache-2.0 */
/* The lists that a section begins with, gathered until its first event is written. */
#ifndef SCAPFILE_SALVAGE_LISTS_H
#define SCAPFILE_SALVAGE_LISTS_H

#include "scapfile/output.h"
#include "scapfile/salvage_internal.h"

struct salvage_list_place {
	const struct sf_block_info *info;
	size_t at; /* in the bytes */
	uint32_t total;
};

struct salvage_lists {
	struct buf bytes; /* blocks */
	struct salvage_list_place *list;
	size_t n;
	bool damaged; /* some of them, or more of them were lost */
};

void salvage_lists_reset(struct salvage_lists *l);
void salvage_lists_done(struct salvage_lists *l);
/* @in_order: put it where its kind belongs, not at the end. */
MUST_CHECK int salvage_lists_add(struct salvage_lists *l, const struct sf_block_info *info,
				 const uint8_t *p, uint32_t total, bool in_order,
				 struct error *err);
/* Leave out what cannot be, if they are damaged or do not fit each other. *dropped: so many
 * entries. */
MUST_CHECK int salvage_lists_mend(struct salvage_lists *l, uint64_t *dropped, struct error *err);

#endif
