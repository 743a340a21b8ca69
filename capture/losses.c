/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From two readings of the counters to loss items: what was lost in between, for each CPU and
 * reason, by type.
 */
#include "capture/internal.h"

#include <stdlib.h>
#include <string.h>

/* Which counters are losses. */
static const struct {
	uint8_t kind, reason;
} lost_by[] = {
    {WIRE_LOST_FULL, EV_LOSS_RING_FULL},
    {WIRE_LOST_NO_RING, EV_LOSS_NO_RING},
    {WIRE_LOST_LARGE, EV_LOSS_TOO_LARGE},
    {WIRE_LOST_BUSY, EV_LOSS_BUSY},
    {WIRE_SHED, EV_LOSS_SHED},
    {LOSS_MEMORY, EV_LOSS_MEMORY},
    {LOSS_INVALID, EV_LOSS_INVALID},
};

static size_t cells(const struct losses *l)
{
	return (size_t)LOSS_COUNTS * WIRE_COUNTER_TYPES * l->cpus;
}

int losses_init(struct losses *l, unsigned cpus, uint64_t start, struct error *err)
{
	memset(l, 0, sizeof(*l));
	l->cpus = cpus;
	l->from = l->to = start;
	l->now = calloc(cells(l), sizeof(uint64_t));
	l->before = calloc(cells(l), sizeof(uint64_t));
	if (l->now && l->before)
		return 0;
	losses_done(l);
	return error_nomem(err);
}

void losses_done(struct losses *l)
{
	free(l->now);
	free(l->before);
	l->now = l->before = NULL;
}

void losses_count(struct losses *l, unsigned kind, int cpu, unsigned type)
{
	unsigned at = cpu >= 0 && (unsigned)cpu < l->cpus ? (unsigned)cpu : 0;

	losses_row(l, kind, counter_index(type))[at]++;
}

void losses_read_done(struct losses *l, uint64_t to)
{
	l->from = l->to;
	l->to = to;
	l->due = true;
}

/* What @cpu lost by one reason since the last time. Return: false if nothing. */
static bool gather(struct losses *l, unsigned kind, unsigned cpu, struct ev_loss *loss)
{
	loss->count = 0;
	loss->nkinds = 0;
	for (unsigned i = 0; i < WIRE_COUNTER_TYPES; i++) {
		size_t at = ((size_t)kind * WIRE_COUNTER_TYPES + i) * l->cpus + cpu;
		uint64_t n = l->now[at] - l->before[at];

		if (!n)
			continue;
		l->kinds[loss->nkinds++] =
		    (struct ev_loss_kind){.type = (uint16_t)counter_type(i), .count = n};
		loss->count += n;
	}
	return loss->count != 0;
}

void losses_emit(struct losses *l, void (*emit)(void *arg, const struct ev_loss *loss), void *arg)
{
	for (size_t k = 0; k < COUNT_OF(lost_by); k++) {
		size_t size = (size_t)WIRE_COUNTER_TYPES * l->cpus;
		size_t at = lost_by[k].kind * size;

		if (!memcmp(l->now + at, l->before + at, size * sizeof(uint64_t)))
			continue;
		for (unsigned cpu = 0; cpu < l->cpus; cpu++) {
			struct ev_loss loss = {.from = l->from,
					       .to = l->to,
					       .cpu = (int16_t)cpu,
					       .reason = lost_by[k].reason,
					       .kinds = l->kinds};

			if (!gather(l, lost_by[k].kind, cpu, &loss))
				continue;
			l->lost[loss.reason] += loss.count;
			emit(arg, &loss);
		}
	}
	memcpy(l->before, l->now, cells(l) * sizeof(uint64_t));
	l->due = false;
}

uint64_t losses_total(const struct losses *l, unsigned kind)
{
	size_t size = (size_t)WIRE_COUNTER_TYPES * l->cpus;
	uint64_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += l->now[kind * size + i];
	return sum;
}
