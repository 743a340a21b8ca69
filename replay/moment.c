/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/moment.h"

#include "base/human.h"

bool run_moment_parse(const char *text, struct run_moment *out)
{
	*out = (struct run_moment){.kind = RUN_AT_TIME};
	if (strncmp(text, "evt:", 4) != 0)
		return human_time(text, &out->value, &out->relative);
	out->kind = RUN_AT_EVENT;
	return human_u64(text + 4, &out->value);
}

bool run_moment_is_before(const struct run_moment *m, const struct state *st,
			  const struct ev_item *item, uint64_t *ts)
{
	bool operation = item->kind == EV_ITEM_URING;

	if (item->kind != EV_ITEM_EVENT && item->kind != EV_ITEM_SECTION && !operation)
		return false;
	if (m->kind == RUN_AT_EVENT)
		return state_stats(st)->events >= m->value &&
		       (item->kind != EV_ITEM_SECTION || m->value);
	if (m->kind == RUN_AT_END || item->kind == EV_ITEM_SECTION ||
	    (!operation && ev_info(item->ev)->category & EC_METAEVENT))
		return false;
	if (!*ts && operation && m->relative)
		return false;
	if (!*ts)
		*ts = m->relative ? item->ev->ts + m->value : m->value;
	return item->ev->ts > *ts;
}

size_t run_moment_chunk(const struct run_moment *m, const struct sf_index *x, uint64_t *ts)
{
	uint64_t t = m->value;
	size_t n;

	switch (m->kind) {
	case RUN_AT_EVENT:
		return sf_index_find_event(x, m->value);
	case RUN_AT_TIME:
		t += m->relative ? sf_index_facts(x)->start_ts : 0;
		*ts = t;
		return sf_index_find_time(x, t < UINT64_MAX ? t + 1 : t);
	default:
		(void)sf_index_chunks(x, &n);
		return n - 1;
	}
}
