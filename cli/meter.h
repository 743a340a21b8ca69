/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a recording: the line on a terminal, JSON lines, and the summary at the end. */
#ifndef CLI_METER_H
#define CLI_METER_H

#include "capture/recorder.h"
#include "cli/pace.h"
#include "cli/recording.h"

struct cli_meter {
	uint64_t events;
	uint64_t lost[EV_LOSS_REASONS]; /* as told to the reader of the recording */
	/* own */
	uint64_t started, last; /* CLOCK_MONOTONIC */
	uint64_t last_events, last_bytes;
};

struct cli_reading { /* the numbers of one moment */
	double seconds, events_per_s, bytes_per_s;
	uint64_t events, lost, stored;
	struct rec_stats rec;
	const char *file;
	const struct cli_pace *pace;
	const uint64_t *lost_by_reason; /* EV_LOSS_REASONS of them */
	bool keeps;			/* in memory: */
	struct sf_kept kept;
};

void cli_meter_start(struct cli_meter *m);
static inline void cli_meter_item(struct cli_meter *m, const struct ev_item *item)
{
	if (item->kind == EV_ITEM_EVENT || item->kind == EV_ITEM_URING)
		m->events++;
	else if (item->kind == EV_ITEM_LOSS)
		m->lost[item->loss->reason < EV_LOSS_REASONS ? item->loss->reason : 0] +=
		    item->loss->count;
}

/* Since the reading before. */
void cli_meter_read(struct cli_meter *m, struct rec *rec, const struct cli_recording *file,
		    const struct cli_pace *pace, struct cli_reading *out);
/* "00:00:12  45,123 events/s  5.6 MB/s  stored 12.3 MB  lost 0  ring 12 %", or instead of what is
 * stored "kept 58 s 12.3 MB  dropped 1,234  dumps 1" */
void cli_reading_line(struct buf *b, const struct cli_reading *r);
/* The members of a JSON object, with braces. */
void cli_reading_json(struct buf *b, const struct cli_reading *r);
/* "1,234 events: 1,200 ring full, 34 shed", "12 events: shed" */
void cli_losses_text(struct buf *b, const uint64_t lost[EV_LOSS_REASONS]);
/* How many in all. */
uint64_t cli_losses(const uint64_t lost[EV_LOSS_REASONS]);

#endif
