/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/costs.h"

#include <cJSON.h>
#include <stdlib.h>

#include "base/escape.h"
#include "regress/files.h"

static int by_rule(const void *a, const void *b)
{
	const struct reg_cost *x = a, *y = b;

	return sv_cmp(x->rule, y->rule);
}

static bool take_number(const cJSON *rule, const char *name, double *out)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(rule, name);

	*out = n ? n->valuedouble : -1;
	return cJSON_IsNumber(n) && *out >= 0 && *out < 9e15;
}

static int take_rule(struct reg_costs *c, const cJSON *rule, const char *path, struct error *err)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(rule, "rule"));
	struct reg_cost *to = &c->items[c->count];
	double evaluated, sampled;

	if (!name || !take_number(rule, "evaluated", &evaluated) ||
	    !take_number(rule, "sampled", &sampled) || !take_number(rule, "tests", &to->tests))
		return error_set(
		    err, ERR_FORMAT,
		    "%s: rule %zu has no name, or no counts; expected what 'scapula replay "
		    "--profile FILE.json' writes",
		    path, c->count + 1);
	to->rule = arena_sv(&c->arena, sv_of(name));
	to->evaluated = (uint64_t)evaluated;
	to->sampled = (uint64_t)sampled;
	c->count++;
	return to->rule.p ? 0 : error_nomem(err);
}

static int take_profile(struct reg_costs *c, const cJSON *profile, const char *path,
			struct error *err)
{
	const cJSON *rules = cJSON_GetObjectItemCaseSensitive(profile, "rules"), *rule;
	int rc = 0;

	if (!cJSON_IsArray(rules))
		return error_set(
		    err, ERR_FORMAT,
		    "%s is no profile: expected what 'scapula replay --profile FILE.json' "
		    "writes",
		    path);
	c->items = calloc((size_t)cJSON_GetArraySize(rules) + 1, sizeof(*c->items));
	if (!c->items)
		return error_nomem(err);
	cJSON_ArrayForEach(rule, rules) if (rc == 0) rc = take_rule(c, rule, path, err);
	if (rc == 0 && c->count)
		qsort(c->items, c->count, sizeof(*c->items), by_rule);
	return rc;
}

int reg_costs_read(const char *path, struct reg_costs *out, struct error *err)
{
	struct buf text = {0};
	cJSON *profile = NULL;
	int rc = reg_file_read(path, REG_PROFILE_MAX, &text, err);

	*out = (struct reg_costs){0};
	if (rc == 0) {
		profile = cJSON_ParseWithLength(text.p, text.len);
		rc = take_profile(out, profile, path, err);
	}
	cJSON_Delete(profile);
	buf_done(&text);
	if (rc < 0)
		reg_costs_done(out);
	return rc;
}

void reg_costs_done(struct reg_costs *c)
{
	free(c->items);
	arena_done(&c->arena);
	*c = (struct reg_costs){0};
}

/* --- two of them --- */

/* Tests of both rules are only known where some of both were sampled; else evaluations count. */
static double cost_of(const struct reg_cost *c, bool tests)
{
	return (double)c->evaluated * (tests ? c->tests : 1);
}

static bool has_grown(struct buf *out, struct sv what, double a, double b, bool tests,
		      double percent)
{
	if (b <= a * (1 + percent / 100))
		return false;
	escape_text(out, what);
	buf_addf(out, ": %.0f %s, %.0f before", b, tests ? "tests" : "evaluations", a);
	if (a > 0)
		buf_addf(out, " (%+.1f %%)", 100 * (b - a) / a);
	buf_char(out, '\n');
	return true;
}

size_t reg_costs_grown(struct buf *out, const struct reg_costs *a, const struct reg_costs *b,
		       double percent)
{
	double before = 0, after = 0;
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++)
		before += (double)a->items[i].evaluated;
	for (size_t i = 0; i < b->count; i++) {
		const struct reg_cost *now = &b->items[i];
		const struct reg_cost *old =
		    a->count ? bsearch(now, a->items, a->count, sizeof(*now), by_rule) : NULL;
		bool tests = old && old->sampled && now->sampled;

		after += (double)now->evaluated;
		if (old)
			n += has_grown(out, now->rule, cost_of(old, tests), cost_of(now, tests),
				       tests, percent);
	}
	return n + has_grown(out, SV_LIT("all rules"), before, after, false, percent);
}
