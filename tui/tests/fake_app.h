/* SPDX-License-Identifier: Apache-2.0 */
/* In place of the program, for tests of tables: it remembers what it was told. */
#ifndef TUI_TESTS_FAKE_APP_H
#define TUI_TESTS_FAKE_APP_H

#include "tui/app.h"

struct tui_app {
	char said[600]; /* by the last tui_app_say() */
	enum tui_role role;
	struct error failed; /* by the last tui_app_fail() */
	unsigned failures;
	const struct tui_view_ops *pushed;
	char target[64]; /* text of its target */
};

/* A command as it is typed without a number in front. */
static inline struct tui_command fake_command(enum tui_action action, const char *arg)
{
	return (struct tui_command){.action = action, .arg = sv_of(arg), .count = 1};
}

#endif
