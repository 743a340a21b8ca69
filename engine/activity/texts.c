/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/texts.h"

struct sv act_texts_keep(struct act_texts *t, struct sv s)
{
	struct sv *kept;

	if (s.n == 0)
		return SV_LIT("");
	if (s.n > ACT_TEXT_MAX) {
		s.n = ACT_TEXT_MAX;
		t->cut++;
	}
	kept = smap_get(&t->known, s);
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

void act_texts_done(struct act_texts *t)
{
	smap_done(&t->known);
	arena_done(&t->arena);
	*t = (struct act_texts){0};
}
