/* SPDX-License-Identifier: Apache-2.0 */
/* Counting the values of a column: to come. */
#include "tui/table_internal.h"

enum tui_result table_count_act(struct tui_table *t, const struct tui_command *c)
{
	(void)t;
	(void)c;
	return TUI_NOT_MINE;
}

bool table_count_work(struct tui_table *t, uint64_t deadline_ns)
{
	(void)t;
	(void)deadline_ns;
	return false;
}

bool table_count_stop(struct tui_table *t)
{
	(void)t;
	return false;
}

int table_count_anchor(struct tui_table *t, struct error *err)
{
	(void)t;
	(void)err;
	return 0;
}

void table_values_free(struct table_values *v)
{
	(void)v;
}

size_t tui_table_frequency(const struct tui_table *t, const struct tui_frequency **out,
			   bool *complete)
{
	(void)t;
	*out = NULL;
	*complete = true;
	return 0;
}
