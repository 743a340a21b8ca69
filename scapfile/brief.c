/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/brief.h"

/*
 * Where the header does not say how many parameters there are, it is the number for which lengths
 * and parameters fill the event; there is no other.
 */
bool sf_brief_look_closely(struct conv_usual *usual, const uint8_t *p, size_t left)
{
	const uint32_t block = load_u32(p), total = load_u32(p + 4);
	const uint32_t len = load_u32(p + SF_ROW_HEADER + 16), n = usual->nparams;
	const uint32_t head = block == SF_EV_V1 ? SF_HEADER_V1 : SF_HEADER_V2;
	const uint8_t *lens = p + SF_ROW_HEADER + head;
	const uint32_t to_data = head - 16 + 2 * n; /* from the event's length on */
	uint32_t need = 2 * n;

	if (!usual->plan || to_data > sizeof(usual->words) ||
	    (block != SF_EV_V1 && block != SF_EV_V2))
		return false;
	if (block == SF_EV_V2 && (usual->plan->as_is || /* it is in a row */
				  load_u32(p + SF_ROW_HEADER + SF_HEADER_V1) != n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		need += load_u16(lens + 2 * i);
	if (need > CONV_PLANNED_MAX || len != head + need || total > left ||
	    total - len - (SF_ROW_MIN - SF_HEADER_V2) > 3 || load_u32(p + total - 4) != total)
		return false;
	for (uint32_t i = 0; i < COUNT_OF(usual->words); i++) {
		uint32_t at = 8 * i, rest = to_data > at ? to_data - at : 0;
		uint32_t known = rest < 8 ? rest : 8;

		usual->words[i] = load_u64(p + SF_ROW_HEADER + 16 + at);
		usual->masks[i] = known ? UINT64_MAX >> (64 - 8 * known) : 0;
	}
	usual->start = load_u64(p);
	usual->total = total;
	usual->need = need;
	usual->lens_at = (uint16_t)(lens - p);
	usual->data_at = (uint16_t)(lens - p + 2 * n);
	return true;
}

void sf_brief_make(struct sf_briefs *b, const struct sf_brief *e, struct ev *ev)
{
	const struct conv_params own = sf_seen_params(&e->own);
	struct conv_params enter = {0};

	ev->ts = sf_brief_time(e);
	ev->tid = sf_brief_tid(e);
	ev->offset = sf_brief_offset(b, e);
	ev->cpu = (int16_t)load_u16(e->own.p + 8);
	ev->block_flags = 0;
	ev->type = own.type;
	ev->nparams = own.nparams;
	ev->lens = own.lens;
	ev->data = own.data;
	ev->wide = false;
	ev->located = 0;
	if (e->form) {
		if (e->form->uses_enter)
			enter = sf_brief_enter(e);
		conv_set_due(b->conv, e->form, &own, &enter, e->record);
		conv_finish(b->conv, ev);
	}
	sf_brief_skip(b, e);
}
