/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter.h"

#include "base/clock.h"
#include "base/json.h"

void cli_meter_start(struct cli_meter *m)
{
	*m = (struct cli_meter){0};
	m->started = m->last = clock_ns(CLOCK_MONOTONIC);
}

uint64_t cli_losses(const uint64_t lost[EV_LOSS_REASONS])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < EV_LOSS_REASONS; i++)
		sum += lost[i];
	return sum;
}

void cli_meter_read(struct cli_meter *m, struct rec *rec, const struct cli_recording *file,
		    const struct cli_pace *pace, struct cli_reading *out)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	double passed = (double)(now - m->last) / 1e9;

	*out = (struct cli_reading){
	    .seconds = (double)(now - m->started) / 1e9,
	    .events = m->events,
	    .lost = cli_losses(m->lost),
	    .stored = cli_recording_stored(file),
	    .file = cli_recording_path(file),
	    .pace = pace,
	    .lost_by_reason = m->lost,
	};
	rec_stats(rec, &out->rec);
	out->keeps = cli_recording_kept(file, &out->kept);
	if (passed > 0) {
		out->events_per_s = (double)(m->events - m->last_events) / passed;
		out->bytes_per_s = (double)(out->rec.bytes - m->last_bytes) / passed;
	}
	m->last = now;
	m->last_events = m->events;
	m->last_bytes = out->rec.bytes;
}

/* How far back the events reach. */
static double kept_seconds(const struct sf_kept *k)
{
	return k->events && k->to > k->from ? (double)(k->to - k->from) / 1e9 : 0;
}

static void add_kept(struct buf *b, const struct sf_kept *k)
{
	buf_addf(b, "/s  kept %.0f s ", kept_seconds(k));
	cli_bytes(b, k->bytes);
	buf_lit(b, "  dropped ");
	cli_grouped(b, k->dropped_events);
	if (k->dumps)
		buf_addf(b, "  dumps %u", k->dumps);
}

void cli_reading_line(struct buf *b, const struct cli_reading *r)
{
	unsigned s = (unsigned)r->seconds;

	buf_addf(b, "%02u:%02u:%02u  ", s / 3600, s / 60 % 60, s % 60);
	cli_grouped(b, (uint64_t)r->events_per_s);
	buf_lit(b, " events/s  ");
	cli_bytes(b, (uint64_t)r->bytes_per_s);
	if (r->keeps) {
		add_kept(b, &r->kept);
	} else {
		buf_lit(b, "/s  stored ");
		cli_bytes(b, r->stored);
	}
	buf_lit(b, "  lost ");
	cli_grouped(b, r->lost);
	buf_addf(b, "  ring %u %%", r->rec.ring_fill);
	if (r->pace->level)
		buf_addf(b, "  left out: %s", cli_pace_left_out(r->pace->level));
}

void cli_losses_text(struct buf *b, const uint64_t lost[EV_LOSS_REASONS])
{
	uint64_t all = cli_losses(lost);
	bool first = true;

	cli_grouped(b, all);
	buf_lit(b, " events: ");
	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		if (!lost[i])
			continue;
		if (!first)
			buf_lit(b, ", ");
		if (lost[i] != all) {
			cli_grouped(b, lost[i]);
			buf_char(b, ' ');
		}
		buf_str(b, ev_loss_reason_name(i));
		first = false;
	}
}

static void add_losses(struct buf *b, const uint64_t lost[EV_LOSS_REASONS])
{
	bool first = true;

	buf_char(b, '{');
	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		if (!lost[i])
			continue;
		if (!first)
			buf_char(b, ',');
		json_string(b, sv_of(ev_loss_reason_name(i)));
		buf_char(b, ':');
		buf_u64(b, lost[i]);
		first = false;
	}
	buf_char(b, '}');
}

static void add_number(struct buf *b, const char *key, uint64_t v)
{
	buf_addf(b, ",\"%s\":%llu", key, (unsigned long long)v);
}

static void add_kept_numbers(struct buf *b, const struct sf_kept *k)
{
	add_number(b, "kept_events", k->events);
	buf_addf(b, ",\"kept_seconds\":%.3f", kept_seconds(k));
	add_number(b, "kept_bytes", k->bytes);
	add_number(b, "kept_state_bytes", k->state_bytes);
	add_number(b, "dropped_events", k->dropped_events);
	add_number(b, "dropped_frames", k->dropped_frames);
	add_number(b, "dropped_bytes", k->dropped_bytes);
	add_number(b, "dumps", k->dumps);
}

void cli_reading_json(struct buf *b, const struct cli_reading *r)
{
	const struct rec_stats *s = &r->rec;

	buf_lit(b, "{\"time\":\"");
	cli_time(b, clock_ns(CLOCK_REALTIME));
	buf_addf(b, "\",\"seconds\":%.3f", r->seconds);
	add_number(b, "events", r->events);
	buf_addf(b, ",\"events_per_second\":%.0f,\"bytes_per_second\":%.0f", r->events_per_s,
		 r->bytes_per_s);
	buf_lit(b, ",\"file\":");
	json_string(b, sv_of(r->file ? r->file : ""));
	add_number(b, "stored", r->stored);
	add_number(b, "lost", r->lost);
	buf_lit(b, ",\"lost_by_reason\":");
	add_losses(b, r->lost_by_reason);
	add_number(b, "seen", s->seen);
	add_number(b, "delivered", s->delivered);
	add_number(b, "late", s->late);
	add_number(b, "faults", s->faults);
	add_number(b, "bytes", s->bytes);
	add_number(b, "memory_used", s->memory_used);
	add_number(b, "ring_fill", s->ring_fill);
	add_number(b, "ring_fill_max", s->ring_fill_max);
	add_number(b, "cpu_percent", r->pace->percent);
	add_number(b, "shed_level", r->pace->level);
	if (r->keeps)
		add_kept_numbers(b, &r->kept);
	buf_char(b, '}');
}
