/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses the recorder noted itself, as events of a type that other readers skip. Parameters: count
 * u64, from u64, to u64, reason u16, and the kinds {u16 type, u64 count} back to back; a short form
 * has the count alone. The header holds the end of the span, the CPU, and no thread.
 */
#include <inttypes.h>
#include <stdio.h>

#include "scapfile/internal.h"

#define NS_PER_S 1000000000u

const char *ev_loss_reason_name(unsigned reason)
{
	static const char *const names[EV_LOSS_REASONS] = {
	    [EV_LOSS_UNKNOWN] = "unknown",    [EV_LOSS_RING_FULL] = "ring full",
	    [EV_LOSS_NO_RING] = "no ring",    [EV_LOSS_TOO_LARGE] = "too large",
	    [EV_LOSS_BUSY] = "buffer in use", [EV_LOSS_SHED] = "shed",
	    [EV_LOSS_MEMORY] = "memory full", [EV_LOSS_INVALID] = "invalid",
	    [EV_LOSS_DISK] = "no disk space", [EV_LOSS_DAMAGED] = "damaged",
	};

	return names[reason < EV_LOSS_REASONS ? reason : EV_LOSS_UNKNOWN];
}

static uint64_t number(struct ev *ev, unsigned i, uint64_t absent)
{
	uint64_t v;

	return ev_u64(ev, i, &v) ? v : absent;
}

static unsigned take_kinds(struct ev_value v, struct ev_loss_kind *kinds)
{
	unsigned n = v.n / SF_LOSS_KIND;

	if (n > EV_LOSS_KINDS_MAX)
		n = EV_LOSS_KINDS_MAX;
	for (unsigned i = 0; i < n; i++) {
		kinds[i].type = load_u16(v.p + i * SF_LOSS_KIND);
		kinds[i].count = load_u64(v.p + i * SF_LOSS_KIND + 2);
	}
	return n;
}

void sf_loss_decode(struct ev *ev, struct ev_loss *loss, struct ev_loss_kind *kinds)
{
	if (ev->nparams > EV_PARAMS_MAX)
		ev->nparams = EV_PARAMS_MAX;
	*loss = (struct ev_loss){
	    .cpu = ev->cpu,
	    .count = number(ev, 0, 0),
	    .from = number(ev, 1, ev->ts),
	    .to = number(ev, 2, ev->ts),
	    .kinds = kinds,
	    .nkinds = take_kinds(ev_param(ev, 4), kinds),
	};
	if (!ev_u16(ev, 3, &loss->reason))
		loss->reason = EV_LOSS_UNKNOWN;
}

void sf_gap_of_loss(struct sf_gap *gap, const struct ev_loss *l, uint64_t offset)
{
	char count[24] = "", cpu[16] = "", reason[24] = "", from[36] = "", to[36] = "";

	*gap = (struct sf_gap){.offset = offset, .reason = SF_GAP_RECORDED};
	if (l->count)
		snprintf(count, sizeof(count), "%" PRIu64 " ", l->count);
	if (l->cpu >= 0)
		snprintf(cpu, sizeof(cpu), " of cpu %d", l->cpu);
	if (l->reason != EV_LOSS_UNKNOWN)
		snprintf(reason, sizeof(reason), " (%s)", ev_loss_reason_name(l->reason));
	if (l->from != l->to)
		snprintf(from, sizeof(from), " between @%" PRIu64 ".%09u", l->from / NS_PER_S,
			 (unsigned)(l->from % NS_PER_S));
	snprintf(to, sizeof(to), " %s @%" PRIu64 ".%09u", l->from != l->to ? "and" : "before",
		 l->to / NS_PER_S, (unsigned)(l->to % NS_PER_S));
	if (l->reason == EV_LOSS_DAMAGED)
		snprintf(gap->what, sizeof(gap->what),
			 "%sevent%s missing because the capture was damaged,%s%s", count,
			 l->count == 1 ? "" : "s", from, to);
	else
		snprintf(gap->what, sizeof(gap->what), "the recorder lost %sevent%s%s%s%s%s", count,
			 l->count == 1 ? "" : "s", cpu, reason, from, to);
}

void sf_loss_gap(struct sf_gaps *gaps, const struct ev_loss *l, uint64_t offset)
{
	struct sf_gap gap;

	sf_gap_of_loss(&gap, l, offset);
	sf_gap_add(gaps, SF_GAP_RECORDED, offset, 0, "%s", gap.what);
}
