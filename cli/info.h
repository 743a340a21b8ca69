/* SPDX-License-Identifier: Apache-2.0 */
/* What scapula info knows of one capture, and how it is shown. */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include "cli/cli.h"
#include "replay/facts.h"
#include "scapfile/seal.h"

struct cli_info {
	const char *path;
	bool indexed; /* an index told */
	struct run_facts facts;
	struct sf_seal_status seal;
	struct sf_seal_words words; /* of the seal */
};

struct cli_type_count {
	const char *name;
	uint64_t n;
};

/* Versions of an event count together, the most frequent first. Return: how many names; the caller
 * frees *out, which is NULL when out of memory. */
size_t cli_count_by_name(const uint64_t by_type[EV_TYPE_COUNT], struct cli_type_count **out);
/* Is nothing with that capability in it, though it could be told? */
bool cli_lacks(const struct run_facts *f, enum run_capability i);

void cli_info_text(struct buf *b, const struct cli_info *info);
void cli_info_json(struct buf *b, const struct cli_info *info);

#endif
