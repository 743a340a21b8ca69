/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/texts.h"

static struct sv keep(struct act_texts *t, struct sv s)
{
	struct sv *kept = smap_get(&t->known, s);

	if (kept)
		return *kept;
	if (t->bytes + s.n > ACT_TEXTS_MAX) {
		t->cut++;
		return SV_LIT("");
	}
	kept = arena_alloc(&t->arena, sizeof(*kept));
	if (kept)
		*kept = arena_sv(&t->arena, s);
	if (!kept || !kept->p || smap_put(&t->known, *kept, kept) < 0) {
		t->failed = true;
		return SV_LIT("");
	}
	t->bytes += s.n;
	return *kept;
}

struct sv act_texts_keep(struct act_texts *t, struct sv s)
{
	struct sv *near = &t->near[(uintptr_t)s.p / 16 % ACT_TEXT_NEAR];

	if (s.n == 0)
		return SV_LIT("");
	if (s.n > ACT_TEXT_MAX) {
		s.n = ACT_TEXT_MAX;
		t->cut++;
	}
	/* The same text often comes from the same place. */
	if (!sv_eq(*near, s))
		*near = keep(t, s);
	return *near;
}

void act_texts_done(struct act_texts *t)
{
	smap_done(&t->known);
	arena_done(&t->arena);
	*t = (struct act_texts){0};
}
