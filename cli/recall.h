/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scapula replay --cache: results of earlier replays, rule by rule (regress/recall.h). Only rules
 * whose result for a capture is not there are evaluated, and only over captures that can have
 * events for them; the alerts are those of a replay without.
 */
#ifndef CLI_RECALL_H
#define CLI_RECALL_H

#include "cli/rule_run.h"

/*
 * Replay @paths with the rules of @o, which are not loaded yet, and what is kept in @dir.
 * @stats: tell what was spared. Return: an exit status; cli_rule_run_done() is the caller's.
 */
int cli_recall_replay(struct cli_rule_run *o, const char *dir, char **paths, size_t count,
		      bool stats, int argc, char **argv);

#endif
