/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the inputs, and what follows what. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "cli/merge.h"

/* ---- items ---- */

bool cli_merge_is_event(const struct ev_item *item)
{
	return item->kind == EV_ITEM_EVENT || item->kind == EV_ITEM_URING ||
	       item->kind == EV_ITEM_HASH || item->kind == EV_ITEM_LOSS;
}

uint64_t cli_merge_time(const struct ev_item *item)
{
	uint64_t ts;

	if (item->kind == EV_ITEM_LOSS)
		ts = item->loss->to;
	else if (item->kind == EV_ITEM_EVENT && ev_info(item->ev)->category & EC_METAEVENT)
		ts = 0; /* of readers and writers, not of the machine */
	else
		ts = item->ev->ts;
	return ts == UINT64_MAX ? 0 : ts;
}

uint64_t cli_merge_mark(const struct ev_item *item)
{
	struct ev *ev = item->ev;
	uint64_t h = hash_u64(cli_merge_time(item));

	if (item->kind == EV_ITEM_LOSS)
		return hash_u64(h ^ item->loss->count) ^ item->loss->from;
	h = hash_u64(h ^ (uint64_t)ev->tid) ^ ((uint64_t)ev->type << 16 | (uint16_t)ev->cpu);
	if (!ev->nparams)
		return h;
	ev_locate(ev, ev->nparams - 1u);
	return hash_bytes(ev->data, ev->at[ev->nparams], h);
}

/* ---- sets of files ---- */

static size_t without_suffix(const char *path, size_t n)
{
	static const char *const suffixes[] = {".zst", ".gz", ".scap"};

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		size_t k = strlen(suffixes[i]);

		if (n > k && memcmp(path + n - k, suffixes[i], k) == 0)
			n -= k;
	}
	return n;
}

size_t cli_merge_set_name(const char *path, uint64_t *number)
{
	size_t n = without_suffix(path, strlen(path)), end = n;

	while (n && end - n < 9 && isdigit((unsigned char)path[n - 1]))
		n--;
	if (n < 2 || n == end || path[n - 1] != '.' || path[n - 2] == '/')
		return 0;
	*number = strtoull(path + n, NULL, 10);
	return n - 1;
}

static bool same_set(const struct merge_input *a, const struct merge_input *b)
{
	return a->stem && a->stem == b->stem && memcmp(a->path, b->path, a->stem) == 0;
}

/* ---- the first reading ---- */

static int add_part(struct merge *m, size_t input, unsigned section, struct merge_part **out)
{
	struct merge_part **list = m->parts;
	struct merge_part *p;

	if (m->nparts == MERGE_PARTS_MAX) {
		cli_log(CLI_ERROR, "over %d sections", MERGE_PARTS_MAX);
		return CLI_INPUT;
	}
	if ((m->nparts & (m->nparts + 1)) == 0) { /* full at each power of two less one */
		list = realloc(list, 2 * (m->nparts + 1) * sizeof(struct merge_part *));
		if (list)
			m->parts = list;
	}
	p = list ? arena_zalloc(&m->arena, 1, sizeof(*p)) : NULL;
	if (!p) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	p->input = input;
	p->section = section;
	m->parts[m->nparts++] = p;
	*out = p;
	return 0;
}

static void note_machine(struct merge *m, struct merge_part *p, const struct ev_machine *facts)
{
	p->machine.known = true;
	p->machine.facts = *facts;
	p->machine.facts.hostname = arena_sv(&m->arena, facts->hostname);
	if (!p->machine.facts.hostname.p)
		p->machine.facts.hostname = SV_NONE;
}

static void note_event(struct merge_part *p, const struct ev_item *item, int64_t skew)
{
	uint64_t ts = cli_merge_time(item);

	p->events++;
	p->last_mark = cli_merge_mark(item);
	if (!ts)
		return;
	ts += (uint64_t)skew;
	if (!p->first_ts)
		p->first_ts = ts;
	if (ts > p->last_ts)
		p->last_ts = ts;
}

static int look_at(struct merge *m, size_t i, struct sf_reader *r)
{
	struct ev_source *src = sf_reader_source(r);
	struct merge_part *p = NULL;
	struct error err = {0};
	struct ev_item item;
	unsigned sections = 0;
	int rc, status = 0;

	while ((rc = ev_source_next(src, &item, &err)) > 0) {
		if (item.kind == EV_ITEM_SECTION)
			status = add_part(m, i, sections++, &p);
		else if (item.kind == EV_ITEM_MACHINE)
			note_machine(m, p, item.machine);
		else if (cli_merge_is_event(&item))
			note_event(p, &item, m->inputs[i].skew);
		if (!status)
			status = surgery_tick(&m->surgery, r);
		if (status)
			return status;
	}
	if (p)
		p->last_section = true;
	return rc < 0 ? cli_fail(&err) : 0;
}

static int look_at_all(struct merge *m)
{
	int status = 0;

	for (size_t i = 0; i < m->ninputs && !status; i++) {
		struct sf_reader *r = NULL;

		status = surgery_open_input(&m->surgery, i, NULL, &r);
		if (!status)
			status = look_at(m, i, r);
		if (!status)
			status = surgery_take_comments(&m->surgery, r);
		surgery_close_input(&m->surgery, i, r);
	}
	return status;
}

static int by_time(const void *a, const void *b)
{
	const struct merge_part *p = *(const struct merge_part *const *)a;
	const struct merge_part *q = *(const struct merge_part *const *)b;

	if (p->first_ts != q->first_ts)
		return p->first_ts < q->first_ts ? -1 : 1;
	if (p->input != q->input)
		return p->input < q->input ? -1 : 1;
	return (p->section > q->section) - (p->section < q->section);
}

/* Those without events are left out: nothing happens in them. */
static void sort_parts(struct merge *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nparts; i++) {
		if (m->parts[i]->events)
			m->parts[n++] = m->parts[i];
		else
			cli_log(CLI_WARNING, "%s: section %u holds no events and is left out",
				m->inputs[m->parts[i]->input].path, m->parts[i]->section + 1);
	}
	m->nparts = n;
	if (n)
		qsort(m->parts, n, sizeof(struct merge_part *), by_time);
}

/* ---- what follows what ---- */

bool cli_merge_same_machine(const struct merge_machine *a, const struct merge_machine *b)
{
	uint64_t x = a->facts.boot_ts, y = b->facts.boot_ts;

	if (a->known != b->known)
		return false;
	return !a->known ||
	       (sv_eq(a->facts.hostname, b->facts.hostname) &&
		a->facts.num_cpus == b->facts.num_cpus && (x > y ? x - y : y - x) <= MERGE_BOOT_NS);
}

/* Which event of @p, counted from 1, is the last one of @of? Return: 0: none; below 0: failed. */
static int find_last_of(struct merge *m, const struct merge_part *of, struct merge_part *p,
			uint64_t *at)
{
	struct merge_stream st = {.first = p};
	uint64_t skew = (uint64_t)m->inputs[p->input].skew;
	struct ev_item item;
	int rc;

	*at = 0;
	cli_merge_rewind(&st);
	while ((rc = cli_merge_next_item(m, &st, &item)) > 0) {
		uint64_t ts;

		if (!cli_merge_is_event(&item))
			continue;
		ts = cli_merge_time(&item);
		if (ts && ts + skew > of->last_ts + MERGE_JOIN_NS)
			break;
		if (cli_merge_mark(&item) == of->last_mark) {
			*at = st.seen;
			break;
		}
	}
	cli_merge_close(&st);
	return rc < 0 ? -rc : 0;
}

/* Files of a set that should be between the two; 0: none, or they are not of one. */
static uint64_t missing_between(const struct merge *m, const struct merge_part *a,
				const struct merge_part *b)
{
	const struct merge_input *x = &m->inputs[a->input], *y = &m->inputs[b->input];

	return same_set(x, y) && y->number > x->number + 1 ? y->number - x->number - 1 : 0;
}

/* By their names, do they follow each other? */
static bool is_next(const struct merge *m, const struct merge_part *last,
		    const struct merge_part *p)
{
	const struct merge_input *a = &m->inputs[last->input], *b = &m->inputs[p->input];
	bool near =
	    m->join || p->first_ts <= last->last_ts || p->first_ts - last->last_ts <= MERGE_JOIN_NS;

	if (last->input == p->input)
		return near && p->section == last->section + 1;
	if (!near || !last->last_section || p->section)
		return false;
	return m->join || (same_set(a, b) && b->number == a->number + 1);
}

/* Does @p go on where stream @st ended, or is all of it there already? */
static int try_stream(struct merge *m, const struct merge_stream *st, struct merge_part *p,
		      bool *follows)
{
	struct merge_part *last = st->last;
	uint64_t at;
	int status;

	*follows = false;
	if (!cli_merge_same_machine(&last->machine, &p->machine))
		return 0;
	if (p->first_ts > last->last_ts) {
		*follows = is_next(m, last, p);
		return 0;
	}
	if (p->last_ts >= last->last_ts) {
		status = find_last_of(m, last, p, &p->skip);
		*follows = p->skip || is_next(m, last, p);
		p->contained = p->skip == p->events;
		return status;
	}
	for (struct merge_part *q = st->first; q; q = q->next) {
		if (q->first_ts > p->last_ts || q->last_ts < p->last_ts)
			continue;
		status = find_last_of(m, p, q, &at);
		p->contained = at != 0;
		if (status || at)
			return status;
	}
	return 0;
}

static void append(struct merge *m, size_t stream, struct merge_part *p)
{
	struct merge_stream *st = &m->streams[stream];

	p->stream = stream;
	if (st->last)
		st->last->next = p;
	else
		st->first = p;
	st->last = p;
	m->duplicates += p->skip;
}

static int new_stream(struct merge *m, struct merge_part *p)
{
	if (m->nstreams == MERGE_STREAMS_MAX) {
		cli_log(CLI_ERROR, "over %d recordings that do not continue each other",
			MERGE_STREAMS_MAX);
		return CLI_INPUT;
	}
	append(m, m->nstreams++, p);
	return 0;
}

static int place_part(struct merge *m, struct merge_part *p)
{
	bool follows;

	for (size_t i = m->nstreams; i-- > 0;) {
		int status = try_stream(m, &m->streams[i], p, &follows);

		if (status)
			return status;
		if (p->contained) {
			m->duplicates += p->events;
			return 0;
		}
		if (follows) {
			append(m, i, p);
			return 0;
		}
	}
	return new_stream(m, p);
}

/* Which file of its set comes before that of @p, and are there some between? */
static void note_missing(struct merge *m, struct merge_part *p)
{
	const struct merge_part *before = NULL;

	if (p->section || p->contained)
		return;
	for (size_t i = 0; i < m->nparts; i++) {
		const struct merge_part *q = m->parts[i];

		if (same_set(&m->inputs[q->input], &m->inputs[p->input]) &&
		    m->inputs[q->input].number < m->inputs[p->input].number &&
		    (!before || m->inputs[q->input].number > m->inputs[before->input].number ||
		     (q->input == before->input && q->last_ts > before->last_ts)))
			before = q;
	}
	if (!before || !missing_between(m, before, p))
		return;
	p->missing = (unsigned)missing_between(m, before, p);
	p->missing_from = before->last_ts;
	cli_log(CLI_WARNING, "%u file%s missing between '%s' and '%s'", p->missing,
		p->missing == 1 ? " is" : "s are", m->inputs[before->input].path,
		m->inputs[p->input].path);
	m->surgery.status = cli_worse(m->surgery.status, CLI_PARTIAL);
}

/* Sections hold streams of one machine, one after the other. */
static bool must_weave(const struct merge *m)
{
	for (size_t i = 1; i < m->nstreams; i++)
		if (!cli_merge_same_machine(&m->streams[0].first->machine,
					    &m->streams[i].first->machine) ||
		    m->streams[i].first->first_ts < m->streams[i - 1].last->last_ts)
			return true;
	return false;
}

static void set_shifts(struct merge *m)
{
	for (size_t i = 0; i < m->nstreams; i++) {
		struct sf_shift *s = &m->streams[i].shift;

		s->plan = &m->plan;
		s->ids = m->woven ? (int64_t)i * MERGE_ID_STEP : 0;
	}
}

int cli_merge_plan(struct merge *m)
{
	int status;

	sf_shift_plan_init(&m->plan);
	for (size_t i = 0; i < m->ninputs; i++)
		m->inputs[i].stem = cli_merge_set_name(m->inputs[i].path, &m->inputs[i].number);
	status = look_at_all(m);
	if (status)
		return status;
	sort_parts(m);
	m->streams = calloc(MERGE_STREAMS_MAX, sizeof(*m->streams));
	if (!m->streams) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (size_t i = 0; i < m->nparts && !status; i++)
		status = place_part(m, m->parts[i]);
	for (size_t i = 0; i < m->nparts && !status; i++)
		note_missing(m, m->parts[i]);
	if (!status && !m->nstreams) {
		cli_log(CLI_ERROR, "the captures hold no events");
		return CLI_INPUT;
	}
	m->woven = !status && must_weave(m);
	set_shifts(m);
	return status;
}

void cli_merge_done(struct merge *m)
{
	for (size_t i = 0; i < m->nstreams; i++) {
		cli_merge_close(&m->streams[i]);
		sf_shift_done(&m->streams[i].shift);
	}
	free(m->streams);
	free(m->parts);
	free(m->inputs);
	arena_done(&m->arena);
}
