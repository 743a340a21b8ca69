/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order. Recorders write the events of one processor in the order of their times, and those of
 * several nearly so; blocks that were moved break that. Where a time goes back, either the events
 * just before stand too early or those that follow stand too late: whichever are fewer bytes are
 * put back. What does not break a processor's order, and goes back by less than
 * SF_TIME_BACK_MAX, is how it was recorded, and stays.
 */
#include "scapfile/salvage_internal.h"

#include <stdlib.h>

#define RECENT_MAX 262144u /* events that are remembered to find those that stand too early */
#define ROUNDS_MAX 8	   /* readings that find something to put back */
#define CPUS	   65536u

/* ---- events in the order in which they are written ---- */

int salvage_sequence_begin(struct salvage_sequence *q, struct salvage *s, struct error *err)
{
	*q = (struct salvage_sequence){.s = s};
	for (size_t i = 0; i < s->nlate; i++)
		s->late[i].seen = false;
	return salvage_walk_begin(&q->walk, s, err);
}

void salvage_sequence_done(struct salvage_sequence *q)
{
	salvage_walk_done(&q->walk);
}

static void leave_out(struct salvage_sequence *q, const struct salvage_block *b, bool duplicate)
{
	if (q->on_left_out)
		q->on_left_out(q->arg, b, duplicate);
}

/* It stands here but belongs elsewhere: keep its bytes. */
static int pick_up(struct salvage *s, struct salvage_moved *m, const struct salvage_block *b,
		   struct error *err)
{
	if (m->bytes)
		return 0;
	m->bytes = arena_alloc(&s->bytes, b->b.total);
	if (!m->bytes)
		return error_nomem(err);
	memcpy(m->bytes, b->b.p, b->b.total);
	return 0;
}

/* Is the block in hand one to deliver? Return: 1, 0, or ERR_*. */
static int is_wanted(struct salvage_sequence *q, const struct salvage_block *b, struct error *err)
{
	struct salvage *s = q->s;
	size_t i;

	if (!b->is_event)
		return 1;
	if (!b->why && !salvage_fits_machine(s, b)) {
		struct salvage_block other = *b;

		other.why = "its processor or time does not fit the machine";
		leave_out(q, &other, false);
		return 0;
	}
	if (b->why) {
		leave_out(q, b, false);
		return 0;
	}
	if (salvage_is_duplicate(s, b->ts, b->b.p, b->b.total)) {
		leave_out(q, b, true);
		return 0;
	}
	i = (size_t)(uintptr_t)map_get(&s->moved_by_offset, b->b.offset);
	return i ? pick_up(s, &s->moved[i - 1], b, err) : 1;
}

static int next_main(struct salvage_sequence *q, struct error *err)
{
	int rc = 0;

	while (!q->has_main && !q->at_end) {
		rc = salvage_walk_next(&q->walk, &q->main, err);
		if (rc == 0)
			q->at_end = true;
		else if (rc > 0)
			rc = is_wanted(q, &q->main, err);
		if (rc < 0)
			return rc;
		q->has_main = rc > 0;
	}
	return 0;
}

/* What the recording program made up has no processor, and a time of its own. */
static bool has_cpu(const struct salvage_block *b)
{
	unsigned type = load_u16(b->b.p + 8 + b->b.info->prefix + 20);

	return type >= EV_TYPE_COUNT || !(ev_table[type].category & EC_METAEVENT);
}

/* Is @m, which is older than the event in hand, to stand before it? What the recording
 * program made up at the start of a section is often a little newer than what follows it. */
static bool comes_first(const struct salvage_sequence *q, const struct salvage_moved *m)
{
	return has_cpu(&q->main) || !m->has_cpu ||
	       (q->begun && q->begun_section == q->main.section) ||
	       q->main.ts - m->ts > SF_TIME_BACK_MAX;
}

static bool is_due(const struct salvage_sequence *q)
{
	const struct salvage_moved *m = &q->s->moved[q->next_moved];

	if (q->next_moved == q->s->nmoved)
		return false;
	if (q->at_end || m->section < q->main.section)
		return true;
	return m->section == q->main.section && q->main.is_event && q->main.ts != UINT64_MAX &&
	       m->ts < q->main.ts && comes_first(q, m);
}

static struct salvage_block block_of(const struct salvage *s, const struct salvage_moved *m)
{
	return (struct salvage_block){
	    .b = {.info = m->info,
		  .p = m->bytes,
		  .offset = m->offset,
		  .type = m->info->type,
		  .total = m->total},
	    .extent = salvage_extent_of(s, m->offset, m->total),
	    .is_event = true,
	    .is_moved = true,
	    .section = m->section,
	    .ts = m->ts,
	    .cpu = m->cpu,
	};
}

int salvage_sequence_next(struct salvage_sequence *q, struct salvage_block *out, struct error *err)
{
	int rc = next_main(q, err);

	if (rc < 0)
		return rc;
	if (UNLIKELY(q->s->nmoved) && is_due(q)) {
		*out = block_of(q->s, &q->s->moved[q->next_moved++]);
		return 1;
	}
	if (q->at_end)
		return 0;
	*out = q->main;
	q->has_main = false;
	if (out->is_event && has_cpu(out)) {
		q->begun = true;
		q->begun_section = out->section;
	}
	return 1;
}

/* ---- which stand where they do not belong ---- */

struct recent { /* an event that could be put back */
	uint64_t ts, offset;
	uint32_t total;
	uint16_t cpu;
	bool has_cpu;
	const struct sf_block_info *info;
};

struct finder {
	struct salvage *s;
	uint32_t section;
	/* The run: events in the order of their times, the last RECENT_MAX of them. */
	struct recent *run;
	size_t run_n; /* all, also those forgotten */
	/* Events older than the run's last, since the time went back. */
	struct recent *late;
	size_t late_n;
	uint64_t late_bytes;
	bool broken;	  /* a processor's order, or by more than recorders do */
	uint64_t *cpu_ts; /* the newest of each processor */
	size_t found;
	bool picks_up; /* nothing more is looked for */
};

static struct recent *run_at(const struct finder *f, size_t i)
{
	return &f->run[i % RECENT_MAX];
}

static const struct recent *run_last(const struct finder *f)
{
	return f->run_n ? run_at(f, f->run_n - 1) : NULL;
}

static void run_add(struct finder *f, const struct recent *e)
{
	*run_at(f, f->run_n++) = *e;
	if (e->has_cpu && e->ts > f->cpu_ts[e->cpu])
		f->cpu_ts[e->cpu] = e->ts;
}

/* How many at the run's end are newer than @ts, and their bytes. Return: false: too many to know.
 */
static bool count_early(const struct finder *f, uint64_t ts, size_t *count, uint64_t *bytes)
{
	size_t n = f->run_n, known = n < RECENT_MAX ? n : RECENT_MAX;

	*count = 0;
	*bytes = 0;
	while (*count < known && run_at(f, n - 1 - *count)->ts > ts)
		*bytes += run_at(f, n - 1 - (*count)++)->total;
	return *count < known || known == n;
}

static int add_moved(struct finder *f, const struct recent *e, struct error *err)
{
	struct salvage *s = f->s;
	struct salvage_moved *list;

	if (s->nmoved == SALVAGE_MOVED_MAX || s->bytes_kept + e->total > SALVAGE_BYTES_MAX) {
		s->order_limited = true;
		return 0;
	}
	list = salvage_room(s->moved, s->nmoved, sizeof(*list));
	if (!list)
		return error_nomem(err);
	s->moved = list;
	list[s->nmoved++] = (struct salvage_moved){.ts = e->ts,
						   .offset = e->offset,
						   .total = e->total,
						   .section = f->section,
						   .info = e->info,
						   .has_cpu = e->has_cpu,
						   .cpu = e->cpu};
	s->bytes_kept += e->total;
	f->found++;
	return 0;
}

/* The events that were late are the run's from now on; the @early before them are put back. */
static int move_early(struct finder *f, size_t early, struct error *err)
{
	int rc = 0;

	for (size_t i = f->run_n - early; i < f->run_n && rc >= 0; i++)
		rc = add_moved(f, run_at(f, i), err);
	f->run_n -= early;
	for (size_t i = 0; i < f->late_n; i++)
		run_add(f, &f->late[i]);
	return rc;
}

static int move_late(struct finder *f, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < f->late_n && rc >= 0; i++)
		rc = add_moved(f, &f->late[i], err);
	return rc;
}

/*
 * Does the time go back because a copy ends here that stands too early? Its last event is there
 * twice, what follows is not. What the recording program made up is newer without that.
 */
static bool ends_copy(const struct finder *f)
{
	const struct recent *last = run_last(f);

	return last->has_cpu && salvage_is_there_twice(f->s, last->ts) &&
	       !salvage_is_there_twice(f->s, f->late[0].ts);
}

/* The late events are complete, or more than those that may be early. */
static int resolve(struct finder *f, bool complete, struct error *err)
{
	uint64_t bytes = 0;
	size_t early = 0;
	bool known, full = f->late_n == RECENT_MAX;
	int rc = 0;

	if (!f->late_n || (!complete && !full && !f->broken))
		return 0;
	known = count_early(f, f->late[0].ts, &early, &bytes);
	f->broken |= complete && ends_copy(f);
	if (!complete && !full &&
	    (!known || !f->broken || bytes >= f->late_bytes || early >= f->late_n))
		return 0;
	if (f->broken && known && bytes < f->late_bytes)
		rc = move_early(f, early, err);
	else if (f->broken && complete)
		rc = move_late(f, err);
	else
		f->s->order_limited |= f->broken;
	f->late_n = 0;
	f->late_bytes = 0;
	f->broken = false;
	return rc;
}

static int add_late_event(struct finder *f, const struct recent *e, struct error *err)
{
	const struct recent *last = run_last(f);

	f->broken |=
	    last->ts - e->ts > SF_TIME_BACK_MAX || (e->has_cpu && e->ts < f->cpu_ts[e->cpu]);
	f->late[f->late_n++] = *e;
	f->late_bytes += e->total;
	return resolve(f, false, err);
}

static int look_at(struct finder *f, const struct recent *e, struct error *err)
{
	const struct recent *last = run_last(f);
	int rc = 0;

	if (LIKELY(!f->late_n && (!last || e->ts >= last->ts))) {
		run_add(f, e);
		return 0;
	}
	if (f->late_n && (e->ts >= last->ts || e->ts < f->late[f->late_n - 1].ts))
		rc = resolve(f, true, err);
	if (rc < 0)
		return rc;
	last = run_last(f);
	if (last && e->ts < last->ts)
		return add_late_event(f, e, err);
	run_add(f, e);
	return 0;
}

/* Losses are noticed later than what came meanwhile. */
static bool has_order(const struct salvage_block *b)
{
	return b->is_event && !b->is_moved && b->ts != UINT64_MAX &&
	       load_u16(b->b.p + 8 + b->b.info->prefix + 20) != EV_TYPE_LOSS;
}

static int take_block(struct finder *f, const struct salvage_block *b, struct error *err)
{
	int rc = 0;

	if (b->section != f->section) {
		rc = resolve(f, true, err);
		f->section = b->section;
		f->run_n = 0;
		memset(f->cpu_ts, 0, CPUS * sizeof(*f->cpu_ts));
	}
	if (rc < 0 || f->picks_up || !has_order(b))
		return rc;
	return look_at(f,
		       &(struct recent){.ts = b->ts,
					.offset = b->b.offset,
					.total = b->b.total,
					.cpu = (uint16_t)b->cpu,
					.has_cpu = has_cpu(b),
					.info = b->b.info},
		       err);
}

static int by_time(const void *a, const void *b)
{
	const struct salvage_moved *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int sort_moved(struct salvage *s, struct error *err)
{
	if (s->nmoved)
		qsort(s->moved, s->nmoved, sizeof(*s->moved), by_time);
	map_clear(&s->moved_by_offset);
	for (size_t i = 0; i < s->nmoved; i++)
		if (map_put(&s->moved_by_offset, s->moved[i].offset, (void *)(uintptr_t)(i + 1)) <
		    0)
			return error_nomem(err);
	return 0;
}

/* One reading. Return: how many events were found, or ERR_*. */
static int find_some(struct finder *f, struct error *err)
{
	struct salvage_sequence q;
	struct salvage_block b;
	int rc = salvage_sequence_begin(&q, f->s, err);

	f->section = UINT32_MAX;
	f->late_n = 0;
	f->found = 0;
	while (rc >= 0 && (rc = salvage_sequence_next(&q, &b, err)) > 0) {
		if (f->s->opt->stop && b.extent &&
		    f->s->opt->stop(f->s->opt->arg, b.extent->stored))
			rc = error_set(err, ERR_INTERRUPTED, "interrupted");
		else
			rc = take_block(f, &b, err);
	}
	if (rc >= 0)
		rc = resolve(f, true, err);
	salvage_sequence_done(&q);
	if (rc >= 0)
		rc = sort_moved(f->s, err);
	return rc < 0 ? rc : (int)f->found;
}

static void finder_free(struct finder *f)
{
	free(f->run);
	free(f->late);
	free(f->cpu_ts);
	free(f);
}

int salvage_find_moved(struct salvage *s, struct error *err)
{
	struct finder *f;
	int rc = 0;

	if (!s->disordered)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return error_nomem(err);
	f->s = s;
	f->run = malloc(RECENT_MAX * sizeof(*f->run));
	f->late = malloc(RECENT_MAX * sizeof(*f->late));
	f->cpu_ts = calloc(CPUS, sizeof(*f->cpu_ts));
	if (!f->run || !f->late || !f->cpu_ts)
		rc = error_nomem(err);
	/* The last reading finds nothing new and picks up what was found before. */
	for (unsigned i = 0; rc >= 0 && i < ROUNDS_MAX; i++) {
		f->picks_up = i == ROUNDS_MAX - 1;
		rc = find_some(f, err);
		if (rc == 0)
			break;
	}
	finder_free(f);
	return rc < 0 ? rc : 0;
}
