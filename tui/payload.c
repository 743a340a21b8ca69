/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BATCH 200 /* transfers that are looked for at a time */

void tui_recorded_bytes(struct buf *out, struct ev *ev, size_t recorded)
{
	int64_t count;

	buf_addf(out, "%zu bytes", recorded);
	if (ev_return_value(ev, &count) && count > 0 && (uint64_t)count > recorded)
		buf_addf(out, " of %lld: the rest was not recorded", (long long)count);
}

void tui_payload_done(struct tui_payload *p)
{
	tui_events_close(p->events);
	arena_done(&p->texts);
	buf_done(&p->condition);
	free(p->all);
	*p = (struct tui_payload){0};
}

int tui_payload_begin(struct tui_payload *p, struct tui_app *app, struct sv condition, int64_t pid,
		      uint64_t num, struct error *err)
{
	struct tui_events_options opt = {.pid = pid, .through_all = true};

	tui_payload_done(p);
	buf_sv(&p->condition, condition);
	opt.filter = buf_cstr(&p->condition);
	p->pid = pid;
	p->t = num;
	p->at = num < UINT64_MAX ? num + 1 : num;
	return p->condition.failed
		   ? error_nomem(err)
		   : tui_events_open(tui_app_data(app), &opt, &p->events, NULL, err);
}

void tui_payload_go_on(struct tui_payload *p)
{
	if (p->done && !p->more)
		p->done = false;
}

/* Room for @n more in front (@back) or behind. NULL: out of memory. */
static struct tui_transfer *room(struct tui_payload *p, size_t n, bool back)
{
	if (p->count + n > p->cap) {
		size_t cap = p->count + n + BATCH;
		struct tui_transfer *all = realloc(p->all, cap * sizeof(*all));

		if (!all)
			return NULL;
		p->all = all;
		p->cap = cap;
	}
	if (back)
		memmove(p->all + n, p->all, p->count * sizeof(*p->all));
	p->count += n;
	return back ? p->all : p->all + p->count - n;
}

/* Numbers of transfers: those up to T, then those behind it. */
static void search(struct tui_payload *p, uint64_t deadline_ns)
{
	const bool back = !p->back_done;
	const struct tui_event *ev;
	struct tui_transfer *to;
	bool more = false;
	int n = tui_events_window(p->events, p->at, back, BATCH, deadline_ns, &ev, &more, &p->at,
				  &p->trouble);

	if (n < 0)
		return;
	to = n ? room(p, (size_t)n, back) : p->all;
	if (n && !to) {
		error_nomem(&p->trouble);
		return;
	}
	for (int i = 0; i < n; i++)
		to[i] = (struct tui_transfer){.num = ev[i].num, .ts = ev[i].ts};
	if (n && back)
		p->at = ev[0].num;
	else if (n)
		p->at = ev[n - 1].num + 1;
	if (back && (!more || p->count >= TUI_TRANSFERS_MAX)) {
		p->more_before = more;
		p->back_done = true;
		p->at = p->t < UINT64_MAX ? p->t + 1 : p->t;
	} else if (!back && (!more || p->count >= 2 * TUI_TRANSFERS_MAX)) {
		p->more = more;
		p->done = true;
	}
}

struct look {
	struct tui_payload *p;
	struct tui_transfer *x;
};

static void look(void *arg, const struct state *st, const struct state_binding *b)
{
	struct look *l = arg;
	struct tui_transfer *x = l->x;
	int i = ev_param_index(b->ev->type, "data");
	struct ev_value v = {0};

	(void)st;
	if (i >= 0 && i < b->ev->nparams)
		v = ev_param(b->ev, (unsigned)i);
	x->looked = true;
	x->out = (ev_info(b->ev)->flags & EF_WRITES_TO_FD) != 0;
	x->fd = b->fd ? b->fd->num : -1;
	if (!ev_return_value(b->ev, &x->count))
		x->count = (int64_t)v.n;
	if (!v.n || l->p->bytes + v.n > TUI_PAYLOAD_MAX)
		return;
	x->data = arena_sv(&l->p->texts, sv_make(v.p, v.n));
	if (!x->data.p) {
		x->data = SV_NONE;
		error_nomem(&l->p->trouble);
	}
	l->p->bytes += v.n;
}

bool tui_payload_work(struct tui_payload *p, struct tui_app *app, uint64_t deadline_ns)
{
	while (!p->trouble.code) {
		if (!p->events || (p->done && p->looked == p->count))
			return false;
		if (deadline_ns && clock_ns(CLOCK_MONOTONIC) > deadline_ns)
			return true;
		if (!p->done) {
			search(p, deadline_ns);
		} else {
			struct look l = {p, &p->all[p->looked++]};

			if (tui_data_event(tui_app_data(app), l.x->num, look, &l, &p->trouble) < 0)
				break;
		}
	}
	return false;
}
