/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the selection. Threads: no shared state. */
#ifndef ENGINE_RULES_SELECT_H
#define ENGINE_RULES_SELECT_H

#include "engine/rules/rules.h"

/* Switch @r on or off if @s is about it. */
void rule_select_apply(struct rule *r, const struct rule_select *s);

#endif
