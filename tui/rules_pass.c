/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/rules_pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tui/data_internal.h"

#define EVENTS_A_LOOK 1024 /* between two looks at the clock */

struct tui_rules_pass {
	struct tui_data *d;
	struct tui_ruleset *s;
	const char *path; /* of the capture it is about */
	struct tui_walk walk;
	struct flt_ctx *ctx;
	struct run_profile *profile; /* NULL: one rule */
	struct tui_rule_count *counts;
	const struct rule **hits;
	size_t rules;
	struct cover cover;
	uint64_t events; /* of the capture, as far as known */
	bool over;
};

void tui_rules_pass_free(struct tui_rules_pass *p)
{
	if (!p)
		return;
	cover_done(&p->cover);
	run_profile_free(p->profile);
	flt_ctx_free(p->ctx);
	tui_walk_done(&p->walk);
	free(p->counts);
	free(p->hits);
	free(p);
}

static int begin_all(struct tui_rules_pass *p, struct error *err)
{
	struct rule_engine *e = tui_ruleset_engine(p->s);
	int rc = run_profile_new(e, &p->profile, err);

	p->counts = calloc(p->rules + 1, sizeof(*p->counts));
	p->hits = calloc(p->rules + 1, sizeof(*p->hits));
	if (rc == 0 && (!p->counts || !p->hits))
		rc = error_nomem(err);
	if (rc == 0)
		run_profile_begin(p->profile, !flt_program_has_memory(rule_engine_program(e)));
	return rc;
}

static int begin_one(struct tui_rules_pass *p, const struct rule *only, struct error *err)
{
	int rc = cover_init_rule(&p->cover, tui_ruleset_loader(p->s), only, err);

	return rc == 0 ? cover_begin(&p->cover, p->ctx, err) : rc;
}

int tui_rules_pass_new(struct tui_data *d, struct tui_ruleset *s, const struct rule *only,
		       struct tui_rules_pass **out, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(d);
	struct tui_rules_pass *p;
	int rc = tui_data_readable(d, err);

	if (rc == 0 && !tui_ruleset_engine(s))
		rc = error_set(err, ERR_UNSUPPORTED, "no rules are known: give them with -r");
	if (rc < 0)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_nomem(err);
	p->d = d;
	p->s = s;
	p->path = c->path;
	p->events = c->events;
	(void)tui_ruleset_rules(s, &p->rules);
	rc = tui_walk_enter_for_rules(&p->walk, c->path, NULL, 0, err);
	if (rc == 0)
		rc = flt_ctx_new(rule_engine_program(tui_ruleset_engine(s)), p->walk.state, &p->ctx,
				 err);
	if (rc == 0)
		rc = only ? begin_one(p, only, err) : begin_all(p, err);
	if (rc < 0) {
		tui_rules_pass_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

static void show(struct tui_rules_pass *p, const struct state_binding *b)
{
	struct rule_engine *e = tui_ruleset_engine(p->s);
	size_t n;

	flt_ctx_event(p->ctx, b);
	if (!p->profile) {
		cover_event(&p->cover, b->ev->type);
		return;
	}
	if (!rule_engine_wants(e, b->ev->type))
		return;
	run_profile_event(p->profile, p->ctx, b);
	n = rule_engine_match(e, p->ctx, true, p->hits, p->rules);
	for (size_t i = 0; i < n; i++) {
		struct tui_rule_count *k = &p->counts[p->hits[i]->index];

		k->matched++;
		k->shadowed += i && tui_ruleset_is_first_only(p->s);
	}
}

int tui_rules_pass_work(struct tui_rules_pass *p, uint64_t deadline_ns, struct error *err)
{
	struct state_binding b;
	uint64_t look = tui_walk_num(&p->walk) + EVENTS_A_LOOK;
	int rc = 1;

	while (!p->over && rc > 0) {
		rc = tui_walk_peek(&p->walk, err);
		p->over = rc <= 0;
		if (p->over)
			break;
		rc = tui_walk_take(&p->walk, false, &b, err);
		if (rc > 0 && b.visible)
			show(p, &b);
		rc = rc < 0 ? rc : 1;
		if (tui_walk_num(&p->walk) < look)
			continue;
		if (deadline_ns && clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
			return rc;
		look = tui_walk_num(&p->walk) + EVENTS_A_LOOK;
	}
	/* What the capture lacks at its end is known already. */
	return rc < 0 && rc != ERR_TRUNCATED ? rc : 0;
}

double tui_rules_pass_done(const struct tui_rules_pass *p)
{
	uint64_t num = tui_walk_num(&p->walk);

	if (p->over)
		return 1;
	return p->events > num ? (double)num / (double)p->events : 0.99;
}

const struct tui_rule_count *tui_rules_pass_counts(const struct tui_rules_pass *p)
{
	return p->counts;
}

struct run_profile *tui_rules_pass_profile(const struct tui_rules_pass *p)
{
	return p->profile;
}

const struct cover_rule *tui_rules_pass_cover(const struct tui_rules_pass *p)
{
	return p->cover.count ? p->cover.rules : NULL;
}
