/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which coverage is told: text, JSON, a layer for the ATT&CK Navigator. All texts may
 * be hostile; each form makes them harmless itself. */
#ifndef CLI_COVER_H
#define CLI_COVER_H

#include "cli/cli.h"
#include "engine/rules/cover.h"
#include "regress/suite.h"

/* Which rules do the tests of @s expect to alert, or not to? Broken ones say nothing. */
void cover_tests(struct cover *c, struct reg_suite *s);

MUST_CHECK int cover_orders_text(struct buf *b, struct cover *c, struct error *err);
MUST_CHECK int cover_orders_json(struct buf *b, struct cover *c, struct error *err);

void cover_text(struct buf *b, const struct cover *c, bool color);
/* Every check of one rule. */
void cover_rule_text(struct buf *b, const struct cover_rule *r, bool color);
void cover_json(struct buf *b, const struct cover *c);
/* A layer for the ATT&CK Navigator: how many in a hundred rules of each technique matched. */
MUST_CHECK int cover_navigator(struct buf *b, const struct cover *c, struct error *err);

#endif
