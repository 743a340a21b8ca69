/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/build.h"

static const struct ev_info *info_of(unsigned type)
{
	return type < EV_TYPE_COUNT ? &ev_table[type] : ev_own_info(type);
}

void ev_build_done(struct ev_build *b)
{
	buf_done(&b->lens);
	buf_done(&b->data);
}

void ev_build_begin(struct ev_build *b, unsigned type, uint64_t ts, int64_t tid)
{
	buf_reset(&b->lens);
	buf_reset(&b->data);
	b->too_long = false;
	b->ev = (struct ev){
	    .type = (uint16_t)type,
	    .ts = ts,
	    .tid = tid,
	    .wide = info_of(type)->flags & EF_LARGE_PAYLOAD,
	};
}

/* @width bytes of @v, the least significant one first. */
static void put(struct buf *b, uint64_t v, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		buf_char(b, (char)(v >> 8 * i));
}

/* The length of the next parameter. */
static void add_length(struct ev_build *b, size_t n)
{
	b->too_long |= n > (b->ev.wide ? UINT32_MAX : UINT16_MAX);
	put(&b->lens, n, b->ev.wide ? 4 : 2);
	b->ev.nparams++;
}

void ev_build_bytes(struct ev_build *b, const void *p, size_t n)
{
	add_length(b, n);
	buf_add(&b->data, p, n);
}

void ev_build_empty(struct ev_build *b)
{
	add_length(b, 0);
}

void ev_build_text(struct ev_build *b, struct sv text)
{
	add_length(b, text.n + 1);
	buf_sv(&b->data, text);
	buf_char(&b->data, '\0');
}

void ev_build_int(struct ev_build *b, uint64_t value)
{
	unsigned width = ev_ptype_width(info_of(b->ev.type)->params[b->ev.nparams].type);
	uint8_t le[8];

	for (unsigned i = 0; i < sizeof(le); i++)
		le[i] = (uint8_t)(value >> 8 * i);
	ev_build_bytes(b, le, width);
}

int ev_build_end(struct ev_build *b, struct error *err)
{
	while (b->ev.nparams < info_of(b->ev.type)->nparams)
		ev_build_empty(b);
	if (b->lens.failed || b->data.failed)
		return error_nomem(err);
	if (b->too_long)
		return error_set(err, ERR_LIMIT, "a parameter of event type %u is too long",
				 b->ev.type);
	b->ev.lens = (const uint8_t *)b->lens.p;
	b->ev.data = (const uint8_t *)b->data.p;
	return 0;
}
