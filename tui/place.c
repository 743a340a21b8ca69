/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/place.h"

#define WINDOW 500 /* events at a time */

/* Number of the first event of the last chunk that begins at or before @offset. */
static uint64_t first_near(const struct sf_index *x, uint64_t offset)
{
	size_t n, from = 0, to;
	const struct sf_chunk *c = sf_index_chunks(x, &n);

	to = n;
	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (c[mid].offset <= offset)
			from = mid + 1;
		else
			to = mid;
	}
	return from ? c[from - 1].events + 1 : 1;
}

void tui_place_end(struct tui_place_search *s)
{
	tui_events_close(s->events);
	s->events = NULL;
	s->done = true;
}

bool tui_place_begin(struct tui_place_search *s, struct tui_data *d, uint64_t offset)
{
	const struct tui_events_options all = {.pid = -1};
	const struct tui_capture *c = tui_data_capture(d);
	struct error err;

	tui_place_end(s);
	s->num = s->ts = 0;
	if (!c || !c->index || tui_events_open(d, &all, &s->events, NULL, &err) < 0)
		return false;
	s->offset = offset;
	s->at = first_near(c->index, offset);
	s->done = false;
	return true;
}

bool tui_place_work(struct tui_place_search *s, uint64_t deadline_ns)
{
	const struct tui_event *events = NULL;
	struct error err;
	bool more = false;
	int n;

	if (s->done)
		return true;
	n = tui_events_window(s->events, s->at, false, WINDOW, deadline_ns, &events, &more, &s->at,
			      &err);
	for (int i = 0; i < n; i++) {
		if (events[i].offset < s->offset)
			continue;
		if (events[i].offset == s->offset) {
			s->num = events[i].num;
			s->ts = events[i].ts;
		}
		more = false;
		break;
	}
	if (n < 0 || !more)
		tui_place_end(s);
	return s->done;
}
