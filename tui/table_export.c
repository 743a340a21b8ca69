/* SPDX-License-Identifier: Apache-2.0 */
/* Writing rows to files: to come. */
#include "tui/table_internal.h"

enum tui_result table_export_act(struct tui_table *t, const struct tui_command *c)
{
	(void)t;
	(void)c;
	return TUI_NOT_MINE;
}

bool table_export_work(struct tui_table *t, uint64_t deadline_ns)
{
	(void)t;
	(void)deadline_ns;
	return false;
}

int table_export_anchor(struct tui_table *t, struct error *err)
{
	(void)t;
	(void)err;
	return 0;
}

void table_file_free(struct table_file *f)
{
	(void)f;
}
