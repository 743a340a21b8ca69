/* SPDX-License-Identifier: Apache-2.0 */
/* Version numbers of the engine and of plugins. */
#include "engine/rules/internal.h"

static bool take_number(struct sv *s, uint32_t *out)
{
	uint64_t n = 0;
	size_t digits = 0;

	while (digits < s->n && s->p[digits] >= '0' && s->p[digits] <= '9') {
		n = n * 10 + (uint64_t)(s->p[digits++] - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*s = sv_drop(*s, digits);
	*out = (uint32_t)n;
	return digits > 0;
}

static bool take_dot(struct sv *s)
{
	if (!sv_starts(*s, SV_LIT(".")))
		return false;
	*s = sv_drop(*s, 1);
	return true;
}

bool rule_version_parse(struct sv text, struct rule_version *out)
{
	return take_number(&text, &out->major) && take_dot(&text) &&
	       take_number(&text, &out->minor) && take_dot(&text) &&
	       take_number(&text, &out->patch) &&
	       (text.n == 0 || ((text.p[0] == '-' || text.p[0] == '+') && text.n > 1));
}

int rule_version_cmp(struct rule_version a, struct rule_version b)
{
	if (a.major != b.major)
		return a.major < b.major ? -1 : 1;
	if (a.minor != b.minor)
		return a.minor < b.minor ? -1 : 1;
	return (a.patch > b.patch) - (a.patch < b.patch);
}

bool rule_version_serves(struct rule_version have, struct rule_version need)
{
	return have.major == need.major && rule_version_cmp(have, need) >= 0;
}
