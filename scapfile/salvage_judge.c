/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a block be as it stands? Asked of the strict check, one block by itself: what depends on
 * other blocks (order, processors, the time the machine started) is not the fault of this one.
 */
#include "scapfile/salvage_internal.h"

#include <stdio.h>
#include <stdlib.h>

static const char *first_refusal(struct salvage_judge *j)
{
	const struct sf_finding *f = j->report.list;

	if (!j->report.described)
		return "it cannot be as it stands";
	snprintf(j->why, sizeof(j->why), "%s: %s", sf_strict_rule_name(f->rule), f->what);
	return j->why;
}

/* What the strict check found since it was cleared. */
static const char *verdict(struct salvage_judge *j)
{
	return LIKELY(!j->report.count) ? NULL : first_refusal(j);
}

static void clear(struct salvage_judge *j, const struct sf_block *b)
{
	struct sf_strict_report *r = &j->report;

	if (UNLIKELY(r->count)) {
		r->count = 0;
		r->described = 0;
		memset(r->by_rule, 0, sizeof(r->by_rule));
	}
	j->strict.report = r;
	j->strict.at = b->offset;
	j->strict.cpus = 0;
	j->strict.boot_ts = j->strict.newest_ts = 0;
	j->strict.in_section = true;
}

static struct strict_block strict_view(const struct sf_block *b, enum strict_kind kind)
{
	return (struct strict_block){
	    .type = b->type,
	    .total = b->total,
	    .kind = kind,
	    .version = b->info->version,
	    .flags = b->info->prefix > 2,
	    .large = b->info->large,
	    .p = b->p,
	};
}

static const char *refuse(struct salvage_judge *j, const char *what, uint32_t found,
			  uint32_t expected)
{
	snprintf(j->why, sizeof(j->why), "%s: found %u, expected %u", what, found, expected);
	return j->why;
}

static const char *judge_lengths(struct salvage_judge *j, const struct sf_block *b)
{
	uint32_t trailer = load_u32(b->p + b->total - 4);

	if (trailer != b->total)
		return refuse(j, "trailing block length", trailer, b->total);
	if (b->total % 4)
		return refuse(j, "block length", b->total, (b->total + 3) & ~3u);
	return NULL;
}

const char *salvage_judge_event(struct salvage_judge *j, const struct sf_block *b)
{
	struct strict_block view = strict_view(b, STRICT_EVENT);
	const char *why = judge_lengths(j, b);
	struct ev ev;

	j->is_odd = false;
	if (why)
		return why;
	if (sf_event_decode(b, &ev, &why) == SF_EVENT_BAD)
		return why;
	clear(j, b);
	strict_event(&j->strict, &view);
	j->is_odd = j->report.count && j->report.count == j->report.by_rule[SF_STRICT_EVENT_PARAMS];
	j->type = ev.type;
	j->nparams = ev.nparams;
	return verdict(j);
}

static const char *judge_header(struct salvage_judge *j, const struct sf_block *b)
{
	uint32_t minor = load_u16(b->p + 14);

	if (load_u16(b->p + 12) != 1 || minor > 2)
		return refuse(j, "minor version of the section", minor, 2);
	if (load_u64(b->p + 16) != UINT64_MAX)
		return "the section's length is given";
	if (b->total > SF_SHB_MIN) {
		struct strict_block view = strict_view(b, STRICT_SECTION);

		clear(j, b);
		strict_rest(&j->strict, &view, b->p + SF_SHB_MIN - 4);
	}
	return b->total > SF_SHB_MIN ? verdict(j) : NULL;
}

static void judge_entries(struct salvage_judge *j, const struct sf_block *b, bool tid_listed)
{
	struct strict *s = &j->strict;
	struct strict_block view;

	s->threads.n = 0;
	s->fds.n = 0;
	switch (b->info->kind) {
	case SF_KIND_MACHINE:
		view = strict_view(b, STRICT_MACHINE_INFO);
		strict_machine(s, &view);
		break;
	case SF_KIND_INTERFACES:
		view = strict_view(b, STRICT_INTERFACES);
		strict_interfaces(s, &view);
		break;
	case SF_KIND_USERS:
		view = strict_view(b, STRICT_USERS);
		strict_users(s, &view);
		break;
	case SF_KIND_THREADS:
		view = strict_view(b, STRICT_THREADS);
		strict_threads(s, &view);
		break;
	default:
		if (tid_listed && b->total >= SF_BLOCK_MIN + 8)
			strict_ids_add(s, &s->threads,
				       (struct strict_listed){.id = (int64_t)load_u64(b->p + 8)});
		view = strict_view(b, STRICT_FDS);
		strict_fds(s, &view);
		break;
	}
}

const char *salvage_judge_list(struct salvage_judge *j, const struct sf_block *b, bool tid_listed)
{
	const char *why = judge_lengths(j, b);

	if (why)
		return why;
	if (b->info->kind == SF_KIND_SECTION)
		return judge_header(j, b);
	if (b->info->kind == SF_KIND_UNKNOWN)
		return "a block of an unknown type";
	clear(j, b);
	judge_entries(j, b, tid_listed);
	return verdict(j);
}

void salvage_judge_done(struct salvage_judge *j)
{
	sf_strict_done(&j->report);
	free(j->strict.threads.v);
	free(j->strict.fds.v);
	*j = (struct salvage_judge){0};
}
