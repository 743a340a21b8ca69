/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/minimise.h"

#include <stdlib.h>
#include <string.h>

/* --- the alert --- */

struct wanted { /* a sink: alerts of the rule, as many as it takes to find the one */
	struct run_sink base;
	const struct reg_min_options *opt;
	struct run_sink *list; /* into which the one goes */
	uint64_t ts;	       /* 0: not known yet */
	bool all;	       /* all alerts of all rules instead */
	uint64_t seen;
};

static bool is_wanted(const struct wanted *w, const struct run_alert *a)
{
	if (w->ts)
		return a->ts == w->ts;
	return w->opt->event ? a->evt_num == w->opt->event : w->seen == w->opt->nth;
}

static int wanted_alert(struct run_sink *base, const struct run_alert *a, struct error *err)
{
	struct wanted *w = CONTAINER_OF(base, struct wanted, base);

	if (w->all)
		return w->list->ops->alert(w->list, a, err);
	if (!sv_is(a->rule->name, w->opt->rule))
		return 0;
	w->seen++;
	return is_wanted(w, a) ? w->list->ops->alert(w->list, a, err) : 0;
}

static const struct run_sink_ops wanted_ops = {.alert = wanted_alert};

/* --- what is left --- */

/* One item of the slice: what it is, and what it cannot be without. */
struct part {
	enum ev_item_kind kind;
	uint32_t
	    owner;   /* the thread of a descriptor or fact, the leader of a thread; else itself */
	int64_t tid; /* 0: of no thread */
	bool pinned;
};

struct reg_min {
	struct reg_min_options opt;
	struct run *run;
	struct run_sink *sinks[1]; /* of it */
	struct wanted wanted;
	struct reg_alerts alerts; /* what the last replay gave */
	struct buf want, got;	  /* the alert, as it is compared */
	struct reg_min_found found;
	struct part *parts; /* of the slice */
	bool *keep, *trial;
	uint32_t count, room;
	uint32_t *units; /* of one step: where in @members each begins; one more at the end */
	uint32_t *members;
	uint32_t unit_count;
};

static const char *const moving[] = {"evt.num*", "evt.reltime*", "evt.deltatime*", "util.cnt"};

static int alert_text(struct buf *b, const struct reg_alert *a, struct error *err)
{
	struct sv patterns[COUNT_OF(moving)];
	const struct reg_ignore ignore = {patterns, COUNT_OF(patterns)};

	for (size_t i = 0; i < COUNT_OF(moving); i++)
		patterns[i] = sv_of(moving[i]);
	buf_reset(b);
	reg_alert_fields(b, a, &ignore, true);
	return b->failed ? error_nomem(err) : 0;
}

/* The slice without what is not kept. */
struct masked {
	struct ev_source base;
	struct ev_source *whole;
	const bool *keep;
	uint32_t count, at;
};

static int masked_next(struct ev_source *s, struct ev_item *item, struct error *err)
{
	struct masked *m = CONTAINER_OF(s, struct masked, base);
	int rc;

	while ((rc = ev_source_next(m->whole, item, err)) > 0)
		if (m->at < m->count && m->keep[m->at++])
			break;
	return rc;
}

static void masked_close(struct ev_source *s)
{
	(void)s;
}

static const struct ev_source_ops masked_ops = {masked_next, masked_close};

static int tick(struct reg_min *m)
{
	return m->opt.tick ? m->opt.tick(m->opt.tick_arg) : 0;
}

/* Did the last replay give the alert? Return: 1, 0 or ERR_NOMEM. */
static int is_there(struct reg_min *m, struct error *err)
{
	for (size_t i = 0; i < m->alerts.count; i++) {
		int rc = alert_text(&m->got, &m->alerts.items[i], err);

		if (rc < 0)
			return rc;
		if (sv_eq(buf_view(&m->got), buf_view(&m->want)))
			return 1;
	}
	return 0;
}

/* Does the slice give the alert, with nothing but @keep of it? Return: 1, 0, ERR_* or tick()'s. */
static int gives_alert(struct reg_min *m, const bool *keep, struct error *err)
{
	struct masked masked = {.base = {&masked_ops}, .keep = keep, .count = m->count};
	struct run_capture_report report;
	struct sf_reader *r;
	int rc = tick(m);

	if (rc == 0)
		rc = sf_reader_open(m->opt.scratch, NULL, &r, err);
	if (rc)
		return rc;
	masked.whole = sf_reader_source(r);
	reg_alerts_clear(&m->alerts);
	m->found.replays++;
	rc = run_source(m->run, m->opt.path, &masked.base, &report, err);
	sf_reader_close(r);
	return rc < 0 ? rc : is_there(m, err);
}

/* --- slices --- */

static int write_slice(struct reg_min *m, struct run_slice *s, struct error *err)
{
	const struct sf_writer_options plain = {.replace = true};
	struct sf_reader *r = NULL;
	struct sf_writer *w = NULL;
	int rc = sf_reader_open(m->opt.path, NULL, &r, err);

	if (rc == 0)
		rc = sf_writer_open(m->opt.scratch, &plain, &w, err);
	if (rc == 0)
		rc = run_slice_write(s, r, m->opt.index, w, err);
	sf_reader_close(r);
	if (rc != 1) {
		sf_writer_abandon(w);
		return rc;
	}
	rc = sf_writer_close(w, err);
	return rc < 0 ? rc : 1;
}

static int slice_tick(void *arg, const struct sf_reader *r)
{
	struct reg_min *m = arg;

	return sf_reader_stats(r)->events % RUN_PROGRESS_EVENTS ? 0 : tick(m);
}

/* The alert's event and the @before ones in front of it, of its process or with all its children,
 * into the scratch file. Return: 1, 0: there is nothing; ERR_* or tick()'s. */
static int slice(struct reg_min *m, uint64_t before, bool descendants, struct error *err)
{
	const struct run_slice_options opt = {
	    .subject = RUN_OF_EVENT,
	    .event = m->found.event,
	    .descendants = descendants,
	    .first_event = m->found.event > before ? m->found.event - before : 1,
	    .last_event = m->found.event,
	    .memory_limit = m->opt.run->memory_limit,
	    .tick = slice_tick,
	    .tick_arg = m,
	};
	struct run_slice *s = NULL;
	int rc = run_slice_new(&opt, &s, err);

	m->found.slices++;
	if (rc == 0)
		rc = run_slice_survey(s, m->opt.path, m->opt.index, err);
	if (rc == 1)
		rc = write_slice(m, s, err);
	run_slice_free(s);
	return rc;
}

static int64_t thread_of(const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_THREAD:
		return item->thread->tid;
	case EV_ITEM_FD:
		return item->fd->tid;
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		return item->ev->tid > 0 ? item->ev->tid : 0;
	default:
		return 0;
	}
}

/* The last listed thread @tid; @n if there is none. */
static uint32_t listed(const struct reg_min *m, int64_t tid, uint32_t n)
{
	for (uint32_t i = n; i-- > 0;)
		if (m->parts[i].kind == EV_ITEM_SECTION)
			break;
		else if (m->parts[i].kind == EV_ITEM_THREAD && m->parts[i].tid == tid)
			return i;
	return n;
}

static int add_part(struct reg_min *m, const struct ev_item *item, struct error *err)
{
	uint32_t n = m->count;
	struct part p = {.kind = item->kind, .owner = n, .tid = thread_of(item)};

	if (n >= REG_MIN_ITEMS_MAX)
		return error_set(err, ERR_LIMIT, "over %u items are needed for the alert",
				 REG_MIN_ITEMS_MAX);
	if (n == m->room) {
		uint32_t room = m->room ? 2 * m->room : 1024;
		struct part *parts = realloc(m->parts, room * sizeof(*parts));

		if (!parts)
			return error_nomem(err);
		m->parts = parts;
		m->room = room;
	}
	if (item->kind == EV_ITEM_FD || item->kind == EV_ITEM_FACTS)
		p.owner = listed(m, p.tid, n);
	if (item->kind == EV_ITEM_THREAD && item->thread->pid != p.tid)
		p.owner = listed(m, item->thread->pid, n);
	/* Other readers want a machine and interfaces, and the lists in their place. */
	p.pinned = item->kind == EV_ITEM_SECTION || item->kind == EV_ITEM_MACHINE ||
		   item->kind == EV_ITEM_INTERFACE || item->kind == EV_ITEM_LISTS_RESET ||
		   (item->kind == EV_ITEM_EVENT && item->ev->ts == m->found.ts);
	m->parts[n] = p;
	m->count++;
	return 0;
}

/* Which items the slice has. */
static int list_parts(struct reg_min *m, struct error *err)
{
	struct sf_reader *r;
	struct ev_item item;
	int rc = sf_reader_open(m->opt.scratch, NULL, &r, err);

	if (rc < 0)
		return rc;
	m->count = 0;
	while ((rc = ev_source_next(sf_reader_source(r), &item, err)) > 0) {
		rc = add_part(m, &item, err);
		if (rc < 0)
			break;
	}
	sf_reader_close(r);
	free(m->keep);
	free(m->trial);
	free(m->units);
	free(m->members);
	m->keep = calloc(m->count + 1, sizeof(*m->keep));
	m->trial = calloc(m->count + 1, sizeof(*m->trial));
	m->units = calloc(m->count + 1, sizeof(*m->units));
	m->members = calloc(m->count + 1, sizeof(*m->members));
	if (rc == 0 && (!m->keep || !m->trial || !m->units || !m->members))
		rc = error_nomem(err);
	for (uint32_t i = 0; rc == 0 && i < m->count; i++)
		m->keep[i] = true;
	return rc;
}

static uint64_t count_kept(const struct reg_min *m, enum ev_item_kind kind)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < m->count; i++)
		n += m->keep[i] && m->parts[i].kind == kind;
	return n;
}

/* One slice: does it do? Return: as gives_alert(). */
static int try_slice(struct reg_min *m, uint64_t before, bool descendants, struct error *err)
{
	int rc = slice(m, before, descendants, err);

	if (rc != 1)
		return rc;
	rc = list_parts(m, err);
	return rc < 0 ? rc : gives_alert(m, m->keep, err);
}

#define FIRST_STEP  16 /* events before the alert's, once its own is not enough */
#define STEP_GROWTH 16

static int find_slice(struct reg_min *m, struct error *err)
{
	uint64_t before = 0;
	int rc = try_slice(m, before, false, err);

	for (before = FIRST_STEP; rc == 0; before *= STEP_GROWTH) {
		rc = try_slice(m, before, false, err);
		if (before >= m->found.event)
			break;
	}
	if (rc == 0)
		rc = try_slice(m, m->found.event, true, err);
	if (rc == 0)
		return error_set(
		    err, ERR_FORMAT,
		    "%s: no slice gives the alert of event %llu again with the same fields",
		    m->opt.path, (unsigned long long)m->found.event);
	m->found.slice_events = count_kept(m, EV_ITEM_EVENT);
	m->found.threads = count_kept(m, EV_ITEM_THREAD);
	m->found.fds = count_kept(m, EV_ITEM_FD);
	return rc;
}

/* --- leaving out --- */

/* A step: which items are one unit. UINT32_MAX: not to be left out in this step. */
typedef uint32_t unit_of(const struct reg_min *m, uint32_t item);

struct by_unit {
	uint32_t unit, item;
};

static int compare_units(const void *a, const void *b)
{
	const struct by_unit *x = a, *y = b;

	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static int make_units(struct reg_min *m, unit_of *of, struct error *err)
{
	struct by_unit *all = calloc(m->count + 1, sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return error_nomem(err);
	for (uint32_t i = 0; i < m->count; i++) {
		uint32_t unit = m->keep[i] && !m->parts[i].pinned ? of(m, i) : UINT32_MAX;

		if (unit != UINT32_MAX)
			all[n++] = (struct by_unit){unit, i};
	}
	qsort(all, n, sizeof(*all), compare_units);
	m->unit_count = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || all[i].unit != all[i - 1].unit)
			m->units[m->unit_count++] = i;
		m->members[i] = all[i].item;
	}
	m->units[m->unit_count] = n;
	free(all);
	return 0;
}

/* What is of something that is left out goes with it. */
static void leave_out_orphans(const struct reg_min *m, bool *keep)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (keep[i] && !keep[m->parts[i].owner])
			keep[i] = false;
	for (uint32_t i = 0; i < m->count; i++) /* descriptors of threads of a leader */
		if (keep[i] && !keep[m->parts[i].owner])
			keep[i] = false;
}

/* Try without @n units from @first on. Return: 1: it stays so; 0; ERR_* or tick()'s. */
static int try_without(struct reg_min *m, uint32_t first, uint32_t n, struct error *err)
{
	uint32_t end = m->units[first + n > m->unit_count ? m->unit_count : first + n];
	bool any = false;
	int rc;

	memcpy(m->trial, m->keep, m->count * sizeof(*m->trial));
	for (uint32_t i = m->units[first]; i < end; i++) {
		any |= m->trial[m->members[i]];
		m->trial[m->members[i]] = false;
	}
	if (!any)
		return 0;
	leave_out_orphans(m, m->trial);
	rc = gives_alert(m, m->trial, err);
	if (rc == 1)
		memcpy(m->keep, m->trial, m->count * sizeof(*m->keep));
	return rc;
}

/* All runs of @n units, one after the other. @gone: was any left out? */
static int sweep(struct reg_min *m, uint32_t n, bool *gone, struct error *err)
{
	*gone = false;
	for (uint32_t first = 0; first < m->unit_count; first += n) {
		int rc = try_without(m, first, n, err);

		if (rc < 0 || rc > 1)
			return rc;
		*gone |= rc == 1;
	}
	return 0;
}

/* Leave out as many units as can be, by halves and then one by one, until none can. */
static int reduce(struct reg_min *m, unit_of *of, struct error *err)
{
	uint32_t n;
	bool gone;
	int rc = make_units(m, of, err);

	for (n = m->unit_count; rc == 0 && n > 1; n = (n + 1) / 2)
		rc = sweep(m, n, &gone, err);
	do {
		gone = false;
		if (rc == 0 && m->unit_count)
			rc = sweep(m, 1, &gone, err);
	} while (rc == 0 && gone);
	return rc;
}

/* All that is of one thread, its events too. */
static uint32_t unit_thread(const struct reg_min *m, uint32_t item)
{
	return m->parts[item].tid ? (uint32_t)m->parts[item].tid : UINT32_MAX;
}

static uint32_t unit_event(const struct reg_min *m, uint32_t item)
{
	switch (m->parts[item].kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_LOSS:
		return item;
	default:
		return UINT32_MAX;
	}
}

/* Listed threads, each with its descriptors, but not with events. */
static uint32_t unit_listed(const struct reg_min *m, uint32_t item)
{
	switch (m->parts[item].kind) {
	case EV_ITEM_THREAD:
		return item;
	case EV_ITEM_FD:
	case EV_ITEM_FACTS:
		return m->parts[item].owner;
	default:
		return UINT32_MAX;
	}
}

static uint32_t unit_single(const struct reg_min *m, uint32_t item)
{
	(void)m;
	return item;
}

static int reduce_all(struct reg_min *m, struct error *err)
{
	static unit_of *const steps[] = {unit_thread, unit_event, unit_listed, unit_single};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT_OF(steps); i++)
		rc = reduce(m, steps[i], err);
	m->found.kept_events = count_kept(m, EV_ITEM_EVENT);
	m->found.kept_threads = count_kept(m, EV_ITEM_THREAD);
	m->found.kept_fds = count_kept(m, EV_ITEM_FD);
	return rc;
}

/* --- from outside --- */

/* Return: 1, 0: there is none; ERR_*. */
static int find_alert(struct reg_min *m, struct error *err)
{
	struct run_capture_report report = {0};
	int rc = run_capture(m->run, m->opt.path, NULL, &report, err);

	m->found.alerts = m->wanted.seen;
	if (report.state)
		m->found.events = report.state->events;
	if (rc < 0 || !m->alerts.count)
		return rc;
	m->found.event = m->alerts.items[0].evt;
	m->found.ts = m->alerts.items[0].ts;
	m->wanted.ts = m->found.ts;
	rc = alert_text(&m->want, &m->alerts.items[0], err);
	return rc < 0 ? rc : 1;
}

int reg_min_reduce(struct reg_min *m, struct error *err)
{
	int rc = find_alert(m, err);

	if (rc == 1)
		rc = find_slice(m, err);
	if (rc != 1)
		return rc;
	rc = reduce_all(m, err);
	return rc ? rc : 1;
}

int reg_min_write(struct reg_min *m, struct sf_writer *w, struct error *err)
{
	struct masked masked = {.base = {&masked_ops}, .keep = m->keep, .count = m->count};
	struct sf_reader *r;
	struct ev_item item;
	int rc = sf_reader_open(m->opt.scratch, NULL, &r, err);

	if (rc < 0)
		return rc;
	masked.whole = sf_reader_source(r);
	while ((rc = ev_source_next(&masked.base, &item, err)) > 0) {
		rc = sf_writer_item(w, &item, err);
		if (rc < 0)
			break;
	}
	sf_reader_close(r);
	return rc;
}

int reg_min_alerts(struct reg_min *m, const char *path, const struct reg_alerts **out,
		   struct error *err)
{
	struct run_capture_report report;
	int rc;

	reg_alerts_clear(&m->alerts);
	m->wanted.all = true;
	rc = run_capture(m->run, path, NULL, &report, err);
	m->wanted.all = false;
	*out = &m->alerts;
	return rc;
}

const struct reg_min_found *reg_min_found(const struct reg_min *m)
{
	return &m->found;
}

int reg_min_new(const struct reg_min_options *opt, struct reg_min **out, struct error *err)
{
	struct reg_min *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return error_nomem(err);
	m->opt = *opt;
	m->wanted = (struct wanted){.base = {&wanted_ops}, .opt = &m->opt};
	m->wanted.list = reg_alerts_sink_new(&m->alerts);
	m->sinks[0] = &m->wanted.base;
	rc = m->wanted.list
		 ? run_new(opt->engine, opt->run, m->sinks, COUNT_OF(m->sinks), &m->run, err)
		 : error_nomem(err);
	if (rc < 0)
		reg_min_free(m);
	else
		*out = m;
	return rc;
}

void reg_min_free(struct reg_min *m)
{
	if (!m)
		return;
	run_free(m->run);
	run_sink_free(m->wanted.list);
	reg_alerts_done(&m->alerts);
	buf_done(&m->want);
	buf_done(&m->got);
	free(m->parts);
	free(m->keep);
	free(m->trial);
	free(m->units);
	free(m->members);
	free(m);
}
