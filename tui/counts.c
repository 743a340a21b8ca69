/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts over a range of time. Coarse ones are made of the totals of the whole capture, which a
 * thread counts once; for fine ones the chunks in question are walked through, a slice per call.
 * Alerts come from the case, likewise in slices.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "query/ask.h"
#include "tui/data_internal.h"

#define COARSE	    4	 /* bins of the totals in a bucket, at least */
#define LOOK_AROUND 1024 /* events or alerts between two looks at the clock */

const char *const tui_lane_names[TUI_LANE_COUNT] = {
#define LANE(sym, name, help) [TUI_LANE_##sym] = (name),
#include "tui/lanes.def"
#undef LANE
};

struct tui_answer {
	struct tui_counts c;
	struct tui_bins bins; /* the same, as they are counted */
	size_t capture;	      /* SIZE_MAX: all */
	size_t at;	      /* the one that is counted; those before it were */
	uint64_t changes;     /* of the case, when alerts were counted */
	bool events_done, alerts_done;
	struct tui_walk walk;
	uint64_t end; /* offset at which nothing is of interest any more */
	sqlite3_stmt *alerts;
	uint64_t memory[]; /* of @bins */
};

static void free_answer(struct tui_answer *a)
{
	if (!a)
		return;
	tui_walk_done(&a->walk);
	sqlite3_finalize(a->alerts);
	free(a);
}

void tui_counts_forget(struct tui_data *d)
{
	for (size_t i = 0; i < TUI_COUNTS_KEPT; i++) {
		free_answer(d->answers[i]);
		d->answers[i] = NULL;
	}
}

static size_t subject(const struct tui_data *d)
{
	return d->live ? SIZE_MAX : d->current;
}

static struct tui_answer *new_answer(struct tui_data *d, uint64_t from, uint64_t to, size_t n,
				     struct error *err)
{
	struct tui_answer *a = calloc(1, sizeof(*a) + TUI_BIN_WORDS * n * sizeof(a->memory[0]));

	if (!a) {
		(void)error_nomem(err);
		return NULL;
	}
	tui_bins_init(&a->bins, a->memory, from, to, n);
	a->c = (struct tui_counts){
	    .from = from, .to = to, .buckets = n, .width = a->bins.width, .number = a->bins.number};
	memcpy(a->c.lanes, a->bins.lanes, sizeof(a->c.lanes));
	memcpy(a->c.spectra, a->bins.spectra, sizeof(a->c.spectra));
	a->capture = subject(d);
	a->at = d->live ? 0 : d->current;
	a->changes = d->changes;
	return a;
}

/* --- events */

/* Are totals of @c fine enough to make @a of? */
static bool is_coarse(const struct tui_data *d, const struct tui_answer *a,
		      const struct tui_capture *c)
{
	uint64_t width = (c->last_ts - c->first_ts) / tui_totals_bins(d) + 1;

	return c->last_ts >= c->first_ts && a->bins.width >= COARSE * width;
}

static void add_totals(struct tui_answer *a, const struct tui_bins *t)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t to = tui_bins_of(&a->bins, t->from + i * t->width);

		if (to < a->bins.n)
			tui_bins_add(&a->bins, to, t, i);
	}
	if (a->capture == SIZE_MAX)
		return; /* each has steps of its own */
	a->c.grid = t->width;
	a->c.grid_at = t->from;
}

static int enter(struct tui_answer *a, const struct tui_file *f, struct error *err)
{
	size_t chunk =
	    tui_walk_chunk(f->index, sf_index_find_time(f->index, a->c.from), TUI_TRACK_NONE);

	a->end = sf_index_end_of_time(f->index, a->c.to);
	return tui_walk_enter_timed(&a->walk, f->path, f->index, chunk, err);
}

static double done_of(const struct tui_answer *a)
{
	uint64_t now = a->walk.last_ts;

	if (now <= a->c.from)
		return 0;
	return now >= a->c.to ? 1 : (double)(now - a->c.from) / (double)(a->c.to - a->c.from);
}

/* Through the chunks that matter. Return: 1, 0: @deadline_ns came before, or ERR_*. */
static int walk_on(struct tui_answer *a, const struct tui_file *f, uint64_t deadline_ns,
		   struct error *err)
{
	uint64_t n = 0;
	int rc = a->walk.reader ? 0 : enter(a, f, err);

	while (rc >= 0) {
		rc = tui_walk_peek(&a->walk, err);
		if (rc <= 0 || a->walk.item.offset >= a->end)
			break;
		rc = tui_bins_take(&a->bins, &a->walk, err);
		if (++n % LOOK_AROUND == 0 && deadline_ns &&
		    clock_ns(CLOCK_MONOTONIC) > deadline_ns)
			return rc < 0 ? rc : 0;
	}
	if (rc < 0)
		return rc;
	tui_walk_done(&a->walk);
	return 1;
}

/* Capture @i into @a. Return: 1: as far as it can be known, 0: to be asked for again, or ERR_*. */
static int count_capture(struct tui_data *d, struct tui_answer *a, size_t i, uint64_t deadline_ns,
			 struct error *err)
{
	const struct tui_file *f = &d->files[i];
	const struct tui_capture *c = &d->captures[i];
	int rc;

	if (!c->there || f->no_index)
		return 1;
	if (!f->index)
		return d->live != NULL; /* it is counted anew when it has one */
	if (d->live && (c->last_ts < a->c.from || c->first_ts > a->c.to))
		return 1;
	a->bins.key = d->live ? tui_key(i, 0) : 0;
	if (a->walk.reader || !is_coarse(d, a, c) || f->no_totals)
		return walk_on(a, f, deadline_ns, err);
	if (!f->totals) {
		rc = tui_work_count(d, i, err);
		if (rc < 0)
			return rc;
		d->news |= tui_work_poll(d);
	}
	if (!f->totals)
		return 0;
	add_totals(a, &f->totals->bins);
	return 1;
}

static int count_events(struct tui_data *d, struct tui_answer *a, uint64_t deadline_ns,
			struct error *err)
{
	const size_t end = d->live ? d->count : d->current + 1;

	for (; a->at < end; a->at++) {
		int rc = count_capture(d, a, a->at, deadline_ns, err);

		if (rc <= 0)
			return rc;
	}
	a->events_done = true;
	return 0;
}

/* --- alerts */

/* Where the case has one reading only, its index of times says all; so it does live. */
static const char *alerts_sql(sqlite3 *db, bool live)
{
	sqlite3_stmt *stmt = NULL;
	bool one = false;

	if (sqlite3_prepare_v2(db, "SELECT count(*) = 1 FROM run_captures", -1, &stmt, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		one = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return one || live ? "SELECT ts FROM alerts WHERE ts BETWEEN ?1 AND ?2"
			   : "SELECT ts FROM alerts JOIN run_captures USING (run_capture_id)"
			     " WHERE ts BETWEEN ?1 AND ?2 AND capture_id = ?3 AND repeats IS NULL";
}

static int begin_alerts(struct tui_data *d, struct tui_answer *a, struct error *err)
{
	int rc =
	    sqlite3_prepare_v2(d->db, alerts_sql(d->db, d->live != NULL), -1, &a->alerts, NULL);

	memset(a->c.lanes[TUI_LANE_ALERTS], 0, a->c.buckets * sizeof(uint64_t));
	a->changes = d->changes;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(a->alerts, 1, (int64_t)a->c.from);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(a->alerts, 2, (int64_t)a->c.to);
	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(a->alerts) == 3)
		rc = sqlite3_bind_int64(a->alerts, 3, d->captures[d->current].capture_id);
	return rc == SQLITE_OK ? 0 : qry_ask_error(d->db, d->case_path, rc, "counting alerts", err);
}

static int count_alerts(struct tui_data *d, struct tui_answer *a, uint64_t deadline_ns,
			struct error *err)
{
	uint64_t n = 0;
	int rc = a->alerts ? 0 : begin_alerts(d, a, err);

	if (rc < 0)
		return rc;
	while ((rc = sqlite3_step(a->alerts)) == SQLITE_ROW) {
		size_t i = tui_bins_of(&a->bins, (uint64_t)sqlite3_column_int64(a->alerts, 0));

		if (i < a->bins.n)
			a->c.lanes[TUI_LANE_ALERTS][i]++;
		if (++n % LOOK_AROUND == 0 && deadline_ns &&
		    clock_ns(CLOCK_MONOTONIC) > deadline_ns)
			return 0;
	}
	sqlite3_finalize(a->alerts);
	a->alerts = NULL;
	a->alerts_done = true;
	return rc == SQLITE_DONE ? 0
				 : qry_ask_error(d->db, d->case_path, rc, "counting alerts", err);
}

/* --- answers */

static struct tui_answer *find(struct tui_data *d, uint64_t from, uint64_t to, size_t n)
{
	for (size_t i = 0; i < TUI_COUNTS_KEPT; i++) {
		struct tui_answer *a = d->answers[i];

		if (a && a->capture == subject(d) && a->c.from == from && a->c.to == to &&
		    a->c.buckets == n)
			return a;
	}
	return NULL;
}

static void keep(struct tui_data *d, struct tui_answer *a)
{
	struct tui_answer **place = &d->answers[d->next_answer++ % TUI_COUNTS_KEPT];

	free_answer(*place);
	*place = a;
}

static void forget(struct tui_data *d, struct tui_answer *a)
{
	for (size_t i = 0; i < TUI_COUNTS_KEPT; i++)
		if (d->answers[i] == a)
			d->answers[i] = NULL;
	free_answer(a);
}

int tui_data_counts(struct tui_data *d, uint64_t from, uint64_t to, size_t buckets,
		    uint64_t deadline_ns, const struct tui_counts **out, struct error *err)
{
	struct tui_answer *a;
	int rc = 0;

	if (!d->count || !buckets || buckets > TUI_TOTALS_BINS || to < from)
		return error_set(err, ERR_USAGE, "there is nothing to count");
	a = find(d, from, to, buckets);
	if (!a) {
		a = new_answer(d, from, to, buckets, err);
		if (!a)
			return ERR_NOMEM;
		keep(d, a);
	}
	if (a->alerts_done && a->changes != d->changes)
		a->alerts_done = false;
	if (!a->alerts_done)
		rc = count_alerts(d, a, deadline_ns, err);
	if (rc == 0 && !a->events_done)
		rc = count_events(d, a, deadline_ns, err);
	if (rc < 0) {
		forget(d, a);
		return rc;
	}
	memcpy(a->c.has, a->bins.has, sizeof(a->c.has));
	a->c.complete = a->events_done && a->alerts_done;
	a->c.done = a->events_done ? 1 : done_of(a);
	*out = &a->c;
	return 0;
}

uint64_t tui_counts_begin(const struct tui_counts *c, size_t i)
{
	uint64_t at = c->from + i * c->width, over;

	if (!c->grid || at <= c->grid_at)
		return at;
	over = (at - c->grid_at) % c->grid;
	return over ? at + (c->grid - over) : at;
}

/* --- copies */

int tui_counts_copy(struct tui_counts *to, const struct tui_counts *from, struct error *err)
{
	size_t n = from->buckets;
	uint64_t *all = calloc(n ? n : 1, TUI_BIN_WORDS * sizeof(*all));
	struct tui_counts copy = *from;
	struct tui_bins bins;

	if (!all)
		return error_nomem(err);
	tui_bins_place(&bins, all, n);
	for (size_t i = 0; i < TUI_LANE_COUNT; i++)
		copy.lanes[i] = memcpy(bins.lanes[i], from->lanes[i], n * sizeof(*all));
	for (size_t i = 0; i < TUI_MEASURES; i++)
		copy.spectra[i] =
		    memcpy(bins.spectra[i], from->spectra[i], n * sizeof(*copy.spectra[i]));
	copy.number = memcpy(bins.number, from->number, n * sizeof(*all));
	tui_counts_done(to);
	*to = copy;
	return 0;
}

void tui_counts_done(struct tui_counts *c)
{
	free(c->lanes[0]); /* all of it */
	*c = (struct tui_counts){0};
}
