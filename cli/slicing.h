/* SPDX-License-Identifier: Apache-2.0 */
/* scapula slice: which alert is meant. */
#ifndef CLI_SLICING_H
#define CLI_SLICING_H

#include "cli/cli.h"
#include "cli/rule_run.h"

struct slice_alert {	/* asked for */
	const char *db; /* the case of alert @id */
	uint64_t id;
	const char *rule; /* or: the @nth alert of this rule */
	uint64_t nth;
	struct cli_names rules; /* files */
	/* Found: */
	uint64_t event, ts;
	bool has_sha256; /* of the capture it was found in */
	uint8_t sha256[32];
};

/* Find the event the alert is of. Return: 0 or an exit status (told). */
int slice_find_alert(struct slice_alert *a, const struct cli_common *common, const char *capture);
/* Is @sha256 that of the capture the alert was found in? Tells it if not. Return: 0 or CLI_INPUT.
 */
int slice_check_capture(const struct slice_alert *a, const char *capture, const uint8_t *sha256);

#endif
