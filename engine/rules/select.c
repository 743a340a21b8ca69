/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules are switched on: patterns over names, tags, and the order of both. */
#include "engine/rules/select.h"

bool rule_pattern_match(struct sv pattern, struct sv text)
{
	size_t p = 0, t = 0;
	size_t star = SIZE_MAX, resume = 0; /* the last '*', and where its run may grow to next */

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool has_tag(const struct rule *r, struct sv tag)
{
	for (size_t i = 0; i < r->tag_count; i++)
		if (sv_eq(r->tags[i], tag))
			return true;
	return false;
}

void rule_select_apply(struct rule *r, const struct rule_select *s)
{
	struct sv text = sv_of(s->text);

	switch (s->kind) {
	case RULE_ENABLE_NAME:
		r->enabled |= rule_pattern_match(text, r->name);
		break;
	case RULE_DISABLE_NAME:
		r->enabled &= !rule_pattern_match(text, r->name);
		break;
	case RULE_ENABLE_TAG:
		r->enabled |= has_tag(r, text);
		break;
	case RULE_DISABLE_TAG:
		r->enabled &= !has_tag(r, text);
		break;
	case RULE_DISABLE_SUBSTRING:
		r->enabled &= !sv_contains(r->name, text);
		break;
	}
}
