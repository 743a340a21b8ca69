/* SPDX-License-Identifier: Apache-2.0 */
/* The alerts of one rule as rows, page by page from the case. Threads: that of the program. */
#ifndef TUI_RULE_ALERTS_H
#define TUI_RULE_ALERTS_H

#include "tui/app.h"
#include "tui/table.h"

struct rule_alerts { /* a model: rule_alerts_ops with a pointer to it */
	struct tui_app *app;
	const char *rule;
};

#define RULE_ALERTS_COLUMNS 4
extern const struct tui_column rule_alerts_columns[RULE_ALERTS_COLUMNS];
extern const struct tui_model_ops rule_alerts_ops;
/* The alert under the cursor of @t is looked at: T is its event. */
void rule_alerts_enter(struct rule_alerts *m, struct tui_table *t);

#endif
