/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/summary.h"

#include <stdlib.h>

void cli_summary_done(struct cli_summary *s)
{
	smap_done(&s->by_name);
}

/* Never a text from the capture, so there is a row for every name. */
static struct sv name_of(struct ev *ev)
{
	return ev->type == EV_ASYNCEVENT_E ? sv_of(ev_info(ev)->name) : flt_event_name(ev);
}

int cli_summary_add(struct cli_summary *s, struct ev *ev)
{
	struct sv name = name_of(ev);
	struct cli_summary_row *row = smap_get(&s->by_name, name);

	if (!row) {
		row = &s->rows[s->count];
		row->name = name;
		if (smap_put(&s->by_name, name, row) < 0)
			return ERR_NOMEM;
		s->count++;
	}
	row->counts[ev_type_is_exit(ev->type)]++;
	return 0;
}

static uint64_t most(const struct cli_summary_row *row)
{
	return row->counts[0] > row->counts[1] ? row->counts[0] : row->counts[1];
}

static int more_first(const void *a, const void *b)
{
	const struct cli_summary_row *x = a, *y = b;

	if (most(x) != most(y))
		return most(x) < most(y) ? 1 : -1;
	return sv_cmp(x->name, y->name);
}

void cli_summary_print(struct cli_summary *s, struct buf *out)
{
	qsort(s->rows, s->count, sizeof(s->rows[0]), more_first);
	buf_lit(out, "----------------------\nEvent           #Calls\n----------------------\n");
	for (size_t i = 0; i < s->count; i++) {
		const struct cli_summary_row *row = &s->rows[i];

		for (unsigned exit = 0; exit < 2; exit++)
			if (row->counts[exit])
				buf_addf(out, "%c %-14.*s%llu\n", exit ? '<' : '>',
					 (int)row->name.n, row->name.p,
					 (unsigned long long)row->counts[exit]);
	}
}
