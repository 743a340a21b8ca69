/* SPDX-License-Identifier: Apache-2.0 */
/* evt.*time*: the event's time as text and as numbers, absolute and relative. */
#include "engine/filter/fields.h"

#define SECOND 1000000000u

static uint64_t part_of(uint64_t t, unsigned part)
{
	switch (part) {
	case PART_S:
		return t / SECOND;
	case PART_NS:
		return t % SECOND;
	default:
		return t;
	}
}

/* "12.000000345"; events of different processors may come a little out of order. */
static void seconds_text(struct buf *b, uint64_t from, uint64_t to)
{
	uint64_t ns = to >= from ? to - from : from - to;

	if (to < from)
		buf_char(b, '-');
	buf_u64(b, ns / SECOND);
	buf_char(b, '.');
	buf_u64_padded(b, ns % SECOND, 9);
}

static void output_time(struct flt_ctx *cx, const struct flt_field *f, struct buf *b)
{
	enum flt_clock clock = cx->options ? cx->options->output_time : FLT_CLOCK_DAY;
	struct flt_private *last = &cx->privates[f->id];
	uint64_t ts = cx->ev->ts;

	switch (clock) {
	case FLT_CLOCK_DAY:
		flt_time_of_day(b, ts, cx->options ? cx->options->tz_offset_s : 0);
		break;
	case FLT_CLOCK_EPOCH:
		seconds_text(b, 0, ts);
		break;
	case FLT_CLOCK_RELATIVE:
		seconds_text(b, state_stats(cx->st)->first_event_ts, ts);
		break;
	case FLT_CLOCK_SINCE_ENTER:
		seconds_text(b, ts, ts);
		break;
	case FLT_CLOCK_DELTA:
		seconds_text(b, last->b ? last->a : ts, ts);
		last->a = ts;
		last->b = true;
		break;
	}
}

bool flt_x_time_text(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	int shift = cx->options ? cx->options->tz_offset_s : 0;
	struct buf *b = &cx->text;
	uint64_t ts = cx->ev->ts;

	buf_reset(b);
	switch (f->code) {
	case CLOCK_NS:
		flt_time_of_day(b, ts, shift);
		break;
	case CLOCK_S:
		flt_time_of_day(b, ts, shift);
		b->len -= strlen(".nnnnnnnnn");
		break;
	case CLOCK_ISO:
		flt_time_iso8601(b, ts);
		buf_lit(b, "+0000");
		break;
	case CLOCK_DATE_NS:
		flt_time_date(b, ts, shift);
		buf_char(b, '.');
		buf_u64_padded(b, ts % SECOND, 9);
		break;
	case CLOCK_OUTPUT:
		output_time(cx, f, b);
		break;
	default:
		flt_time_date(b, ts, shift);
	}
	if (b->failed)
		return false;
	flt_yield_built(cx, out);
	out->one.u = ts; /* what JSON shows */
	return true;
}

bool flt_x_rawtime(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return flt_yield_u64(out, part_of(cx->ev->ts, f->code));
}

bool flt_x_reltime(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	uint64_t start = state_stats(cx->st)->first_event_ts;

	return flt_yield_u64(out, part_of(cx->ev->ts - start, f->code));
}

bool flt_x_deltatime(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	struct flt_private *last = &cx->privates[f->id];
	uint64_t delta = last->b ? cx->ev->ts - last->a : 0;

	last->a = cx->ev->ts;
	last->b = true;
	return flt_yield_u64(out, part_of(delta, f->code));
}

bool flt_x_latency_human(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)cx;
	(void)f;
	return flt_yield_text(out, SV_LIT("0ns"));
}

/* The distance to T in nanoseconds. Conditions look at T and D themselves: flt_is_around(). */
bool flt_x_around(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	uint64_t ts = cx->ev->ts, t = (uint64_t)f->index;

	return f->purpose == FLT_FOR_FILTER && flt_yield_u64(out, ts > t ? ts - t : t - ts);
}
