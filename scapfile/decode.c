/* SPDX-License-Identifier: Apache-2.0 */
/* From an event block to the borrowed view of its event (scap format, "Event blocks"). */
#include "scapfile/internal.h"

#define SMALL_MIN (SF_BLOCK_MIN + 2 + SF_HEADER_V1)

/*
 * Walk the length array, remembering where each parameter starts, so that readers of the event need
 * not. Parameters beyond EV_PARAMS_MAX are only added up. Return: false if they exceed @room.
 */
static bool locate_small(struct ev *ev, uint32_t nparams, uint32_t room)
{
	uint32_t known = nparams < EV_PARAMS_MAX ? nparams : EV_PARAMS_MAX;
	uint32_t at = 0;

	for (uint32_t i = 0; i < known; i++) {
		ev->at[i] = at;
		at += load_u16(ev->lens + 2 * i);
	}
	ev->at[known] = at;
	for (uint32_t i = known; i < nparams && at <= room; i++)
		at += load_u16(ev->lens + 2 * i);
	return at <= room;
}

static bool locate_large(struct ev *ev, uint32_t nparams, uint32_t room)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < nparams; i++) {
		if (i < EV_PARAMS_MAX)
			ev->at[i] = (uint32_t)at;
		at += load_u32(ev->lens + 4 * (size_t)i);
		if (at > room)
			return false;
		if (i < EV_PARAMS_MAX)
			ev->at[i + 1] = (uint32_t)at;
	}
	return true;
}

/* @hdr: the current event header, @avail bytes up to the block's trailing length. */
static enum sf_decoded decode_current(const uint8_t *hdr, uint32_t avail, struct ev *ev,
				      const char **why)
{
	uint32_t len = load_u32(hdr + 16), nparams = load_u32(hdr + 22);
	unsigned type = load_u16(hdr + 20), shift; /* of the width of a length */
	uint32_t room;

	ev->ts = load_u64(hdr);
	ev->tid = (int64_t)load_u64(hdr + 8);
	ev->type = (uint16_t)type;
	if (UNLIKELY(type >= EV_TYPE_COUNT && type != EV_TYPE_LOSS && !ev_own_info(type)))
		return SF_EVENT_UNKNOWN;
	*why = "event length outside its block";
	if (UNLIKELY(len < SF_HEADER_V2 || len > avail))
		return SF_EVENT_BAD;
	ev->wide = type < EV_TYPE_COUNT && (ev_table[type].flags & EF_LARGE_PAYLOAD);
	shift = ev->wide ? 2 : 1;
	room = len - SF_HEADER_V2;
	*why = "more parameters than the event has room for";
	if (UNLIKELY(nparams > room >> shift))
		return SF_EVENT_BAD;
	room -= nparams << shift;
	ev->lens = hdr + SF_HEADER_V2;
	ev->data = ev->lens + ((size_t)nparams << shift);
	*why = "parameters longer than the event";
	if (UNLIKELY(
		!(ev->wide ? locate_large(ev, nparams, room) : locate_small(ev, nparams, room))))
		return SF_EVENT_BAD;
	/* No event type has more than EV_PARAMS_MAX: to the table, all larger numbers are alike. */
	ev->nparams = (uint16_t)(nparams <= EV_PARAMS_MAX ? nparams : EV_PARAMS_MAX + 1);
	ev->located = (uint8_t)(nparams < EV_PARAMS_MAX ? nparams : EV_PARAMS_MAX);
	if (LIKELY(type < EV_TYPE_COUNT))
		return SF_EVENT_OK;
	return type == EV_TYPE_LOSS ? SF_EVENT_LOSS : SF_EVENT_OWN;
}

/*
 * The old header does not say how many parameters follow: it is the number, up to the table's, for
 * which lengths and parameters fill the event exactly. Each parameter takes room, so there is no
 * other. Parameters are located on the way. Return: that number, or -1.
 */
static inline int locate_uncounted(struct ev *ev, const uint8_t *lens, uint32_t room, unsigned most)
{
	uint32_t at = 0;
	unsigned n = 0;

	ev->at[0] = 0;
	while (n < most && room >= 2) {
		uint32_t len = load_u16(lens + 2 * n);

		room -= 2;
		if (len > room)
			return -1;
		room -= len;
		at += len;
		ev->at[++n] = at;
	}
	return room == 0 ? (int)n : -1;
}

static ALWAYS_INLINE enum sf_decoded decode_old(const uint8_t *hdr, uint32_t avail, struct ev *ev,
						const char **why)
{
	uint32_t len = load_u32(hdr + 16);
	unsigned type = load_u16(hdr + 20);
	int nparams;

	ev->ts = load_u64(hdr);
	ev->tid = (int64_t)load_u64(hdr + 8);
	ev->type = (uint16_t)type;
	if (type >= EV_TYPE_COUNT)
		return SF_EVENT_UNKNOWN;
	/* These two were written with a length that is three too large. */
	if ((type == EV_NOTIFICATION_E || type == EV_INFRASTRUCTURE_EVENT_E) && len >= 3)
		len -= 3;
	*why = "event length outside its block";
	if (len < SF_HEADER_V1 || len > avail)
		return SF_EVENT_BAD;
	*why = "no number of parameters fits the length of the event";
	nparams =
	    locate_uncounted(ev, hdr + SF_HEADER_V1, len - SF_HEADER_V1, ev_table[type].nparams);
	if (nparams < 0)
		return SF_EVENT_BAD;
	ev->wide = false; /* the old header is older than wide lengths */
	ev->lens = hdr + SF_HEADER_V1;
	ev->data = ev->lens + 2 * nparams;
	ev->nparams = (uint16_t)nparams;
	ev->located = (uint8_t)nparams;
	return SF_EVENT_OK;
}

enum sf_decoded sf_event_decode(const struct sf_block *b, struct ev *ev, const char **why)
{
	unsigned prefix = b->info->prefix;
	uint32_t avail = b->total - SF_BLOCK_MIN;
	const uint8_t *body = b->p + 8;

	*why = "block too short for an event header";
	if (UNLIKELY(avail < prefix + (b->info->version == 1 ? SF_HEADER_V1 : SF_HEADER_V2)))
		return SF_EVENT_BAD;
	avail -= prefix;
	ev->offset = b->offset;
	ev->cpu = (int16_t)load_u16(body);
	ev->block_flags = prefix > 2 ? load_u32(body + 2) & EV_STATE_ONLY : 0;
	if (UNLIKELY(b->info->version == 1))
		return decode_old(body + prefix, avail, ev, why);
	return decode_current(body + prefix, avail, ev, why);
}

uint32_t sf_event_look(const uint8_t *p, size_t left, struct ev *ev)
{
	enum sf_decoded decoded;
	uint32_t type, total;
	const char *why;

	if (left < SMALL_MIN)
		return 0;
	type = load_u32(p);
	total = load_u32(p + 4);
	if (UNLIKELY(total > left || total > SF_SMALL_EVENT_MAX || total < SMALL_MIN ||
		     load_u32(p + total - 4) != total))
		return 0;
	if (type == SF_EV_V1)
		decoded = decode_old(p + 10, total - SF_BLOCK_MIN - 2, ev, &why);
	else if (type == SF_EV_V2 && total >= SF_BLOCK_MIN + 2 + SF_HEADER_V2)
		decoded = decode_current(p + 10, total - SF_BLOCK_MIN - 2, ev, &why);
	else
		return 0;
	if (UNLIKELY(decoded != SF_EVENT_OK))
		return 0;
	ev->cpu = (int16_t)load_u16(p + 8);
	ev->block_flags = 0;
	return total;
}
