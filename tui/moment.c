/* SPDX-License-Identifier: Apache-2.0 */
/* T, and the state as of then. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tui/data_internal.h"

void tui_place_done(struct tui_place *p)
{
	tui_walk_done(&p->walk);
	*p = (struct tui_place){0};
}

/* --- T */

static const struct tui_capture *capture_of(const struct tui_data *d)
{
	return d->count ? &d->captures[d->current] : NULL;
}

static bool is_same(const struct run_moment *a, const struct run_moment *b)
{
	return a->kind == b->kind && (a->kind == RUN_AT_END || a->value == b->value);
}

/* Between two numbers as @at is between @from and @to. */
static uint64_t between(uint64_t at, uint64_t from, uint64_t to, uint64_t a, uint64_t b)
{
	if (at <= from || to <= from || b <= a)
		return a;
	if (at >= to)
		return b;
	return a + (uint64_t)((double)(b - a) * ((double)(at - from) / (double)(to - from)));
}

/* About when event @num was, or which one was at @ts, as chunks tell. */
static uint64_t guess(const struct sf_index *x, uint64_t value, bool is_time)
{
	size_t n, i = is_time ? sf_index_find_time(x, value) : sf_index_find_event(x, value);
	const struct sf_chunk *c = sf_index_chunks(x, &n);
	uint64_t first = c[i].events,
		 last = i + 1 < n ? c[i + 1].events : sf_index_facts(x)->events;

	if (c[i].first_ts > c[i].last_ts)
		return 0;
	return is_time ? between(value, c[i].first_ts, c[i].last_ts, first, last)
		       : between(value, first, last, c[i].first_ts, c[i].last_ts);
}

uint64_t tui_data_time(const struct tui_data *d, uint64_t *num)
{
	const struct tui_capture *c = capture_of(d);
	const struct tui_place *p = &d->place;
	uint64_t ts = 0, at = 0;

	if (c && p->there && p->capture == d->current && is_same(&p->at, &d->want)) {
		at = p->m.num;
		ts = d->want.kind == RUN_AT_TIME ? d->want.value : p->m.ts;
	} else if (c && d->want.kind == RUN_AT_END) {
		at = c->events;
		ts = c->last_ts;
	} else if (c && d->want.kind == RUN_AT_TIME) {
		ts = d->want.value;
		at = c->index ? guess(c->index, ts, true) : 0;
	} else if (c) {
		at = d->want.value;
		ts = c->index ? guess(c->index, at, false) : 0;
	}
	if (num)
		*num = at;
	return ts;
}

uint64_t tui_data_time_key(const struct tui_data *d)
{
	uint64_t num;

	(void)tui_data_time(d, &num);
	return d->live && d->count ? tui_key(d->current, num) : num;
}

size_t tui_key_capture(const struct tui_data *d, uint64_t key)
{
	uint64_t i = key >> TUI_KEY_BITS;

	if (!i || !d->count)
		return d->current;
	return i <= d->count ? (size_t)i - 1 : d->count - 1;
}

bool tui_data_time_is_exact(const struct tui_data *d)
{
	const struct tui_place *p = &d->place;

	return d->want.kind == RUN_AT_END ||
	       (p->there && p->capture == d->current && is_same(&p->at, &d->want));
}

static void set(struct tui_data *d, const struct run_moment *m)
{
	if (is_same(&d->want, m))
		return;
	d->want = *m;
	d->news |= TUI_NEWS_TIME;
}

/* The end of what grows is the last event that its index knows. */
static struct run_moment end_of(const struct tui_data *d, const struct tui_capture *c)
{
	if (d->live && c->index)
		return (struct run_moment){.kind = RUN_AT_EVENT, .value = c->events};
	return (struct run_moment){.kind = RUN_AT_END};
}

void tui_data_goto_event(struct tui_data *d, uint64_t num)
{
	const struct tui_capture *c;
	struct run_moment m = {.kind = RUN_AT_EVENT};

	tui_live_moved(d, &num, 0);
	c = capture_of(d);
	m.value = num;
	if (c && c->index && num >= c->events)
		m = end_of(d, c);
	set(d, &m);
}

void tui_data_goto_time(struct tui_data *d, uint64_t ts)
{
	const struct tui_capture *c;
	struct run_moment m = {.kind = RUN_AT_TIME, .value = ts};

	tui_live_moved(d, NULL, ts);
	c = capture_of(d);
	if (c && c->last_ts && ts >= c->last_ts)
		m = end_of(d, c);
	else if (c && c->first_ts && ts < c->first_ts)
		m = (struct run_moment){.kind = RUN_AT_EVENT};
	set(d, &m);
}

void tui_data_want_gone(struct tui_data *d, bool gone)
{
	if (gone && d->without_gone)
		d->place.there = d->place.goes_on = false;
	d->without_gone = !gone;
}

/* --- bringing the state there */

/* Does going on from where the walk stands lead to the same as going there from a checkpoint? */
static bool can_go_on(const struct tui_place *p, const struct run_moment *m, size_t capture,
		      const struct tui_file *f, size_t chunk)
{
	const struct sf_chunk *chunks;
	uint64_t here = tui_walk_num(&p->walk);
	size_t n;

	/* What is at its end may have grown. */
	if (!p->goes_on || !p->walk.state || p->walk.over || p->capture != capture ||
	    p->by != f->index_version)
		return false;
	/* Times may go back: what is behind an event may be earlier than it. */
	if (m->kind == RUN_AT_TIME && (p->at.kind != RUN_AT_TIME || m->value < p->at.value))
		return false;
	if (m->kind == RUN_AT_EVENT && m->value < here)
		return false;
	if (!f->index)
		return true;
	chunks = sf_index_chunks(f->index, &n);
	return here >= chunks[chunk].events;
}

/* How far a walk without index may go. */
struct patience {
	uint64_t events, deadline_ns;
};

static bool is_over(const struct patience *p, const struct tui_walk *w, uint64_t *look)
{
	uint64_t n = tui_walk_num(w);

	if (!p->events || n < *look)
		return false;
	*look = n + 1024;
	return n >= p->events || clock_ns(CLOCK_MONOTONIC) > p->deadline_ns;
}

/* Return: 1, 0 when patience is over, or ERR_*. */
static int walk_to(struct tui_walk *w, const struct run_moment *m, const struct patience *patience,
		   struct error *err)
{
	uint64_t ts = 0, look = 0;
	struct state_binding b;
	int rc;

	while ((rc = tui_walk_peek(w, err)) > 0) {
		if (run_moment_is_before(m, w->state, &w->item, &ts))
			return 1;
		if (is_over(patience, w, &look))
			return 0;
		rc = tui_walk_take(w, true, &b, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 1;
}

/* Of the last event; before it is settled, since the event may have been the process's end. */
static int64_t pid_of(const struct tui_walk *w)
{
	const struct state_thread *t = state_thread_find(w->state, w->last_tid);

	return !t ? 0 : t->pid > 0 ? t->pid : t->tid;
}

/* Removals that wait are carried out, and trackers know it. */
static void settle(struct tui_place *p, const struct run_moment *m)
{
	struct tui_walk *w = &p->walk;
	const struct state_stats *stats = state_stats(w->state);
	struct run_trackers *t = w->trackers;
	int64_t pid = m->kind == RUN_AT_EVENT ? pid_of(w) : 0;

	/* What comes may still belong to the initial state; and a thread that ends does so at the
	 * time of what comes next. */
	p->goes_on = state_is_complete(w->state) && w->last_type != EV_PROCEXIT_1_E &&
		     w->last_type != EV_PROCEXIT_E;
	state_complete(w->state);
	state_settle(w->state, m->kind == RUN_AT_TIME ? m->value : stats->last_ts);
	act_net_settle(t->net, w->state);
	if (t->sessions)
		act_sessions_settle(t->sessions, w->state);
	p->m = (struct tui_moment){.num = stats->events,
				   .ts = stats->events ? w->last_ts : 0,
				   .offset = stats->events ? w->last_offset : 0,
				   .pid = pid,
				   .state = w->state,
				   .procs = t->procs,
				   .net = t->net,
				   .sessions = t->sessions};
	p->at = *m;
	p->there = true;
}

int tui_data_not_yet(struct tui_data *d, struct error *err)
{
	struct buf what = {0};

	if (!tui_data_is_busy(d, &what))
		buf_lit(&what, "there is no index, and it is far from the start");
	(void)error_set(err, ERR_UNSUPPORTED, "%s", buf_cstr(&what));
	buf_done(&what);
	return ERR_UNSUPPORTED;
}

static enum tui_track track_of(const struct tui_data *d)
{
	return d->without_gone ? TUI_TRACK_THERE : TUI_TRACK_ALL;
}

/* From chunk @chunk on, or from where the walk stands. Return: as walk_to(). */
static int go(struct tui_data *d, struct tui_place *p, const struct run_moment *m, size_t chunk,
	      const struct patience *patience, struct error *err)
{
	const struct tui_file *f = &d->files[d->current];
	int rc = 0;

	p->there = false;
	if (!can_go_on(p, m, d->current, f, chunk)) {
		rc = tui_walk_enter(&p->walk, f->path, f->index, chunk, track_of(d), err);
		p->capture = d->current;
		p->by = f->index_version;
		p->goes_on = true;
	}
	return rc < 0 ? rc : walk_to(&p->walk, m, patience, err);
}

static int bring(struct tui_data *d, struct tui_place *p, const struct run_moment *m,
		 struct error *err)
{
	const struct sf_index *x = d->files[d->current].index;
	struct patience patience = {0};
	size_t chunk = 0;
	uint64_t ts = 0;
	int rc;

	if (x) {
		chunk = tui_walk_chunk(x, run_moment_chunk(m, x, &ts), track_of(d));
	} else {
		patience.events = TUI_EVENTS_WITHOUT_INDEX;
		patience.deadline_ns = clock_ns(CLOCK_MONOTONIC) + TUI_PATIENCE_NS;
		if (m->kind == RUN_AT_EVENT && m->value > patience.events)
			return tui_data_not_yet(d, err);
	}
	rc = go(d, p, m, chunk, &patience, err);
	/* Nothing of the chunk has happened yet: the last event is that of the one before. */
	while (rc > 0 && chunk && !p->walk.last_offset) {
		p->goes_on = false;
		chunk = tui_walk_chunk(x, chunk - 1, track_of(d));
		rc = go(d, p, m, chunk, &patience, err);
	}
	if (rc < 0) {
		tui_place_done(p);
		return rc;
	}
	p->at = *m;
	if (rc == 0)
		return tui_data_not_yet(d, err);
	settle(p, m);
	p->m.serial = ++d->serial;
	return 0;
}

int tui_data_moment(struct tui_data *d, const struct tui_moment **out, struct error *err)
{
	struct tui_place *p = &d->place;
	int rc = tui_data_readable(d, err);

	if (rc < 0)
		return rc;
	if (!p->there || p->capture != d->current || !is_same(&p->at, &d->want))
		rc = bring(d, p, &d->want, err);
	if (rc == 0)
		*out = &p->m;
	return rc;
}

bool tui_moment_is(const struct tui_data *d, uint64_t serial)
{
	const struct tui_place *p = &d->place;

	return p->there && p->capture == d->current && is_same(&p->at, &d->want) &&
	       p->m.serial == serial;
}

int tui_moment_at(struct tui_data *d, uint64_t ts, struct tui_moment **out, struct error *err)
{
	const struct run_moment m = {.kind = RUN_AT_TIME, .value = ts};
	struct tui_place *p;
	int rc = tui_data_readable(d, err);

	if (rc < 0)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_nomem(err);
	rc = bring(d, p, &m, err);
	if (rc == 0)
		*out = &p->m;
	else
		tui_moment_free(&p->m);
	return rc;
}

void tui_moment_free(struct tui_moment *m)
{
	struct tui_place *p = (struct tui_place *)m; /* its first member */

	if (!p)
		return;
	tui_place_done(p);
	free(p);
}
