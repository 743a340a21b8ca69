/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of what is usable, each with what can be said of it alone. */
#include "scapfile/salvage_internal.h"

int salvage_walk_begin(struct salvage_walk *w, struct salvage *s, struct error *err)
{
	uint64_t limit = s->opt->memory_limit;

	*w = (struct salvage_walk){.s = s};
	w->gaps.total = &w->gap_total;
	w->framer.gaps = &w->gaps;
	w->framer.exact = true;
	w->framer.block_max = SALVAGE_BLOCK_MAX;
	if (limit && limit < SALVAGE_BLOCK_MAX)
		w->framer.block_max = (uint32_t)limit;
	return salvage_stream(s, &w->framer.stream, err);
}

void salvage_walk_done(struct salvage_walk *w)
{
	sf_stream_done(&w->framer.stream);
	sf_gaps_done(&w->gaps);
	salvage_judge_done(&w->judge);
}

static void tell_gaps(struct salvage_walk *w)
{
	for (size_t i = 0; i < w->gaps.count && w->on_gap; i++)
		w->on_gap(w->arg, &w->gaps.list[i]);
	w->gaps.count = 0;
}

/* Which section a block belongs to. Where its header is lost, a second machine tells that another
 * one begins. */
static void place_in_section(struct salvage_walk *w, struct salvage_block *out)
{
	enum sf_block_kind kind = out->b.info->kind;
	bool is_header =
	    kind == SF_KIND_SECTION && !out->why && out->b.offset + 1 != w->s->ignored_header;
	bool is_machine = kind == SF_KIND_MACHINE && !out->why;

	if (is_header || (is_machine && w->has_machine && w->in_events)) {
		out->begins = true;
		w->section += w->any;
		w->has_machine = w->in_events = false;
	}
	w->any = true;
	w->has_machine |= is_machine;
	w->in_events |= out->is_event && !out->why;
	out->section = w->section;
}

/* A number of parameters that no known recorder writes: is it one that this one did? */
static bool is_fact(struct salvage *s, const struct salvage_judge *j)
{
	uint8_t *count;

	if (!j->is_odd || j->type >= EV_TYPE_COUNT || j->nparams >= SALVAGE_ODD_PARAMS)
		return false;
	count = &s->odd[j->type][j->nparams];
	if (!s->odd_known && *count < SALVAGE_ODD_MIN)
		++*count;
	return s->odd_known && *count == SALVAGE_ODD_MIN;
}

static void take_event(struct salvage_walk *w, struct salvage_block *out)
{
	const struct sf_block *b = &out->b;
	unsigned prefix = b->info->prefix;

	out->is_event = true;
	out->why = salvage_judge_event(&w->judge, b);
	if (UNLIKELY(out->why) && is_fact(w->s, &w->judge))
		out->why = NULL;
	if (b->total < SF_BLOCK_MIN + prefix + 8u) /* too short for these; it was refused */
		return;
	out->cpu = load_u16(b->p + 8);
	out->ts = load_u64(b->p + 8 + prefix);
}

int salvage_walk_next(struct salvage_walk *w, struct salvage_block *out, struct error *err)
{
	struct sf_stream *stream = &w->framer.stream;
	int rc = 0;

	if (w->holds && w->refused)
		rc = sf_block_refuse(&w->framer, &w->block, err);
	else if (w->holds)
		sf_stream_skip(stream, w->block.total);
	if (rc < 0)
		return rc;
	stream->resumes = 0; /* there are as many as there are extents, each once */
	rc = sf_block_next(&w->framer, &w->block, err);
	w->holds = rc > 0;
	if (UNLIKELY(w->gaps.count))
		tell_gaps(w);
	if (rc <= 0)
		return rc;
	*out = (struct salvage_block){
	    .b = w->block,
	    .extent = salvage_extent_of(w->s, w->block.offset, w->block.total),
	    .ts = UINT64_MAX,
	};
	if (w->block.info->kind == SF_KIND_EVENT)
		take_event(w, out);
	else
		out->why = salvage_judge_list(&w->judge, &out->b, true);
	w->refused = out->why != NULL;
	place_in_section(w, out);
	return 1;
}
