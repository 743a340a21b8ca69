/* SPDX-License-Identifier: Apache-2.0 */
/* Values that a filter may ask for: those that events around T have. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "tui/internal.h"

#define LOOK_NS	   12000000u /* before T, and as long behind it; without a terminal nobody waits */
#define EVENTS_MAX 1000	     /* on either side */
#define SHOWN_MAX  60
#define VALUE_MAX  256 /* bytes of a value that is offered */

struct value {
	struct sv text;
	uint64_t count;
};

struct values {
	struct arena arena;
	struct smap by_text;
	struct value **all;
	size_t count, cap;
	uint64_t events;
};

static void note(struct values *v, struct sv text)
{
	struct value *x;

	v->events++;
	if (!text.n || text.n > VALUE_MAX || sv_is(text, "<NA>"))
		return;
	x = smap_get(&v->by_text, text);
	if (x) {
		x->count++;
		return;
	}
	if (v->count == v->cap) {
		size_t cap = v->cap ? 2 * v->cap : 64;
		struct value **all = realloc(v->all, cap * sizeof(struct value *));

		if (!all)
			return;
		v->all = all;
		v->cap = cap;
	}
	x = arena_zalloc(&v->arena, 1, sizeof(*x));
	if (!x)
		return;
	x->text = arena_sv(&v->arena, text);
	x->count = 1;
	if (x->text.p && smap_put(&v->by_text, x->text, x) >= 0)
		v->all[v->count++] = x;
}

static void look(struct values *v, struct tui_events *e, uint64_t num, bool back, bool all)
{
	const uint64_t deadline = all ? 0 : clock_ns(CLOCK_MONOTONIC) + LOOK_NS;
	const struct tui_event *ev;
	uint64_t at;
	bool more;
	int n = tui_events_window(e, num, back, EVENTS_MAX, deadline, &ev, &more, &at, NULL);

	for (int i = 0; i < n; i++)
		note(v, ev[i].cells[0]);
}

static int by_count(const void *a, const void *b)
{
	const struct value *x = *(struct value *const *)a, *y = *(struct value *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return sv_cmp(x->text, y->text);
}

static void offer(struct values *v, const struct tui_filter_at *at, struct tui_completions *out)
{
	struct buf text = {0}, help = {0};
	size_t shown = 0;

	if (v->count)
		qsort(v->all, v->count, sizeof(struct value *), by_count);
	for (size_t i = 0; i < v->count && shown < SHOWN_MAX; i++) {
		if (!sv_starts(v->all[i]->text, at->word))
			continue;
		buf_reset(&text);
		tui_filter_quote(&text, v->all[i]->text);
		if (at->quoted && text.len && *text.p != '"') {
			buf_reset(&text);
			buf_addf(&text, "\"%.*s\"", (int)v->all[i]->text.n, v->all[i]->text.p);
		}
		buf_reset(&help);
		buf_addf(&help, "in %llu of %llu events around T",
			 (unsigned long long)v->all[i]->count, (unsigned long long)v->events);
		tui_completion_add(out, buf_view(&text), buf_view(&help));
		shown++;
	}
	buf_done(&text);
	buf_done(&help);
}

void tui_app_filter_values(struct tui_app *app, const struct tui_filter_at *at,
			   struct tui_completions *out)
{
	struct buf column = {0};
	struct values v = {0};
	struct tui_events *e = NULL;
	const char *columns[1];
	uint64_t num;

	if (!flt_field_find(at->field))
		return;
	buf_char(&column, '%');
	buf_sv(&column, at->field);
	columns[0] = buf_cstr(&column);
	(void)tui_data_time(app->data, &num);
	if (tui_events_open(
		app->data,
		&(struct tui_events_options){.columns = columns, .column_count = 1, .pid = -1}, &e,
		NULL, NULL) == 0) {
		look(&v, e, num + 1, true, !app->term);
		look(&v, e, num + 1, false, !app->term);
		offer(&v, at, out);
	}
	tui_events_close(e);
	smap_done(&v.by_text);
	arena_done(&v.arena);
	free(v.all);
	buf_done(&column);
}
