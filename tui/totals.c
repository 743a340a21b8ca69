/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by time, and those of a whole capture, from which coarse ones are made at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/data_internal.h"

#define LOOK_AROUND 65536 /* events between two looks at who waits */

/* --- which lane */

static bool is_named(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Of a call that succeeded; TUI_LANE_EVENTS: no further one. */
static enum tui_lane lane_of(unsigned type)
{
	static const char *const execs[] = {"execve", "execveat", NULL};
	static const char *const connects[] = {"connect", "accept", "accept4", NULL};
	static const char *const opens[] = {
	    "open", "openat", "openat2", "creat", "open_by_handle_at", NULL};
	const char *name = ev_table[type].name;

	if (!ev_type_is_exit(type))
		return TUI_LANE_EVENTS;
	if (is_named(name, execs))
		return TUI_LANE_EXECS;
	if (is_named(name, connects))
		return TUI_LANE_CONNECTS;
	return is_named(name, opens) ? TUI_LANE_OPENS : TUI_LANE_EVENTS;
}

_Static_assert(sizeof(struct tui_spectrum) % sizeof(uint64_t) == 0, "TUI_BIN_WORDS");

void tui_bins_place(struct tui_bins *b, uint64_t *memory, size_t n)
{
	struct tui_spectrum *spectra = (void *)(memory + (TUI_LANE_COUNT + 1) * n);

	*b = (struct tui_bins){.n = n};
	for (unsigned lane = 0; lane < TUI_LANE_COUNT; lane++)
		b->lanes[lane] = memory + lane * n;
	b->number = memory + TUI_LANE_COUNT * n;
	for (unsigned m = 0; m < TUI_MEASURES; m++)
		b->spectra[m] = spectra + m * n;
}

void tui_bins_init(struct tui_bins *b, uint64_t *memory, uint64_t from, uint64_t to, size_t n)
{
	tui_bins_place(b, memory, n);
	b->from = from;
	b->width = (to - from) / n + 1;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		b->of[type] = (uint8_t)lane_of(type);
}

/* --- the spectrogram */

#define NS_PER_US  1000u
#define ROW_FACTOR 10u

uint64_t tui_spectrum_from(enum tui_measure m, unsigned row)
{
	uint64_t from = m == TUI_LATENCY ? NS_PER_US : 1;

	if (!row)
		return 0;
	while (--row)
		from *= ROW_FACTOR;
	return from;
}

unsigned tui_spectrum_row(enum tui_measure m, uint64_t value)
{
	uint64_t end = m == TUI_LATENCY ? NS_PER_US : 1;
	unsigned row = 0;

	for (; value >= end && row < TUI_SPECTRUM_ROWS - 1; row++)
		end *= ROW_FACTOR;
	return row;
}

/* As "evt.is_io = true and fd.type ..." has them. */
static enum tui_calls calls_of(const struct state_binding *bind, bool moves)
{
	const struct state_fd *fd = bind->fd;

	if (!moves || !fd)
		return TUI_CALLS_REST;
	if (state_fd_is_file(fd))
		return TUI_CALLS_FILE;
	return state_fd_is_ipv4(fd) || state_fd_is_ipv6(fd) || state_fd_is_listener(fd)
		   ? TUI_CALLS_NET
		   : TUI_CALLS_REST;
}

static void count_call(struct tui_bins *b, enum tui_measure m, size_t i, enum tui_calls calls,
		       uint64_t value, uint64_t num)
{
	struct tui_spectrum *s = &b->spectra[m][i];
	unsigned row = tui_spectrum_row(m, value);

	b->has[m] = true;
	s->n[calls][row] += s->n[calls][row] != UINT32_MAX;
	if (!s->first[calls][row])
		s->first[calls][row] = b->key | num;
}

size_t tui_totals_bins(const struct tui_data *d)
{
	return d->live ? TUI_LIVE_BINS : TUI_TOTALS_BINS;
}

/* The smaller of two numbers of events, of which 0 is none. */
static inline void take_first(uint64_t *to, uint64_t from)
{
	if (from - 1 < *to - 1)
		*to = from;
}

static inline uint64_t with_key(uint64_t key, uint64_t num)
{
	return num ? key | num : 0;
}

static void add_spectrum(struct tui_spectrum *to, const struct tui_spectrum *from, uint64_t key)
{
	for (unsigned calls = 0; calls < TUI_CALLS_KINDS; calls++)
		for (unsigned row = 0; row < TUI_SPECTRUM_ROWS; row++) {
			uint32_t n = from->n[calls][row], room = UINT32_MAX - to->n[calls][row];

			to->n[calls][row] += n < room ? n : room;
			take_first(&to->first[calls][row], with_key(key, from->first[calls][row]));
		}
}

void tui_bins_add(struct tui_bins *b, size_t to, const struct tui_bins *from, size_t i)
{
	for (unsigned lane = 0; lane < TUI_LANE_COUNT; lane++)
		b->lanes[lane][to] += from->lanes[lane][i];
	take_first(&b->number[to], with_key(b->key, from->number[i]));
	for (unsigned m = 0; m < TUI_MEASURES; m++) {
		if (!from->has[m])
			continue;
		b->has[m] = true;
		if (from->number[i])
			add_spectrum(&b->spectra[m][to], &from->spectra[m][i], b->key);
	}
}

/* --- events */

/* @began: the call it ends; 0: not known. */
static void count_event(struct tui_bins *b, const struct state_binding *bind, uint64_t began)
{
	struct ev *ev = bind->ev;
	size_t i = tui_bins_of(b, ev->ts);
	const bool moves = ev_info(ev)->flags & (EF_READS_FROM_FD | EF_WRITES_TO_FD);
	unsigned lane;
	int64_t ret;

	if (i == b->n)
		return;
	if (began)
		count_call(b, TUI_LATENCY, i, calls_of(bind, moves), ev->ts - began, ev->num);
	b->lanes[TUI_LANE_EVENTS][i]++;
	take_first(&b->number[i], b->key | ev->num);
	lane = b->of[ev->type];
	if (bind->errcode) {
		b->lanes[TUI_LANE_ERRORS][i]++;
		/* A connection may still come. */
		if (lane != TUI_LANE_CONNECTS || bind->errcode != EINPROGRESS)
			return;
	}
	if (lane != TUI_LANE_EVENTS)
		b->lanes[lane][i]++;
	if (!moves || !ev_return_value(ev, &ret) || ret < 0)
		return;
	count_call(b, TUI_BYTES, i, calls_of(bind, true), (uint64_t)ret, ev->num);
	if (ev_info(ev)->flags & EF_WRITES_TO_FD)
		b->lanes[TUI_LANE_BYTES][i] += (uint64_t)ret;
}

/* What is known is how many between when and when. */
static void count_loss(struct tui_bins *b, const struct ev_loss *l)
{
	size_t from = tui_bins_of(b, l->from), to = tui_bins_of(b, l->to);
	uint64_t count = l->count ? l->count : 1, each;

	if (from == b->n)
		return;
	if (to == b->n || to < from)
		to = from;
	each = count / (to - from + 1);
	b->lanes[TUI_LANE_LOST][from] += count - each * (to - from);
	for (size_t i = from + 1; i <= to; i++)
		b->lanes[TUI_LANE_LOST][i] += each;
}

int tui_bins_take(struct tui_bins *b, struct tui_walk *w, struct error *err)
{
	struct state_binding bind;
	int rc;

	if (w->item.kind == EV_ITEM_LOSS)
		count_loss(b, w->item.loss);
	rc = tui_walk_take(w, false, &bind, err);
	if (rc > 0 && bind.visible)
		count_event(b, &bind, tui_walk_call_began(w));
	return rc;
}

/* --- a whole capture */

static int count_all(struct tui_work *w, struct tui_totals *t, struct tui_walk *walk,
		     struct error *err)
{
	const uint64_t all = sf_index_facts(w->x)->events;
	uint64_t n = 0;
	int rc = tui_walk_enter_timed(walk, w->paths[w->first], NULL, 0, err);

	while (rc >= 0 && (rc = tui_walk_peek(walk, err)) > 0) {
		rc = tui_bins_take(&t->bins, walk, err);
		if (++n % LOOK_AROUND)
			continue;
		if (tui_work_is_stopped(w))
			return error_set(err, ERR_INTERRUPTED, "stopped");
		tui_work_say(w, "counting", tui_walk_num(walk), all);
	}
	return rc;
}

static void range_of(const struct sf_index *x, uint64_t *from, uint64_t *to)
{
	const struct sf_chunk *chunks;
	size_t n;

	chunks = sf_index_chunks(x, &n);
	*from = UINT64_MAX;
	*to = 0;
	for (size_t i = 0; i < n; i++) {
		if (chunks[i].first_ts < *from)
			*from = chunks[i].first_ts;
		if (chunks[i].last_ts > *to)
			*to = chunks[i].last_ts;
	}
	if (*from > *to)
		*from = *to;
}

int tui_totals_make(struct tui_work *w, struct tui_totals **out, struct error *err)
{
	const size_t bins = tui_totals_bins(w->d), memory = TUI_BIN_WORDS * bins;
	struct tui_totals *t = calloc(1, sizeof(*t) + memory * sizeof(t->memory[0]));
	struct tui_walk walk = {0};
	uint64_t from, to;
	int rc;

	if (!t)
		return error_nomem(err);
	range_of(w->x, &from, &to);
	tui_bins_init(&t->bins, t->memory, from, to, bins);
	tui_work_say(w, "counting", 0, 0);
	rc = count_all(w, t, &walk, err);
	tui_walk_done(&walk);
	if (rc < 0)
		free(t);
	else
		*out = t;
	return rc;
}
