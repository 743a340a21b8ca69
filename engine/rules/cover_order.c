/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the parts of conditions that must hold together would decide soonest. Of every
 * evaluation it is known which parts do not hold, so how many reach a part is counted for any
 * order; what a part costs is how many checks it asks from left to right, on average. The next part
 * is always the one that ends most evaluations for a check.
 */
#include "engine/rules/cover.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX    64	  /* bits of a mask; of rules with more nothing is suggested */
#define MASKS_MAX    8192 /* the same */
#define LEAST_SAVING 0.1  /* of a rule's checks; less is not worth an edit */

struct failing { /* evaluations in which the same parts do not hold */
	uint64_t mask, count;
};

struct cover_order {
	struct failing *masks; /* sorted by mask */
	uint32_t count, room;
	bool many;		   /* more than MASKS_MAX */
	uint64_t asked[PARTS_MAX]; /* checks, of all evaluations */
	uint8_t best[PARTS_MAX];   /* the parts in the order that is suggested */
	double written, then;	   /* checks per evaluation */
};

int cover_order_init(struct cover *c, struct error *err)
{
	for (size_t i = 0; i < c->count; i++) {
		struct cover_rule *r = &c->rules[i];

		if (!r->x || r->x->conjunct_count < 2 || r->x->conjunct_count > PARTS_MAX)
			continue;
		r->order = calloc(1, sizeof(*r->order));
		if (!r->order)
			return error_nomem(err);
	}
	return 0;
}

void cover_order_free(struct cover_order *o)
{
	if (o)
		free(o->masks);
	free(o);
}

/* --- events --- */

/*
 * Checks that are asked from left to right until it is decided whether @p holds. Those of the type
 * cost nothing: rules are only evaluated for events of their types.
 */
static uint32_t asked(const struct rule_part *p, const struct flt_finding *f)
{
	bool any = p->kind == RULE_PART_OR || p->kind == RULE_PART_EXCEPTION;
	uint32_t n = 0;

	if (p->kind == RULE_PART_CHECK)
		return !sv_starts(p->text, SV_LIT("evt.type "));
	for (uint32_t i = 0; i < p->count; i++) {
		n += asked(p->kids[i], f);
		if ((rule_part_truth(p->kids[i], f) == FLT_YES) == any && p->count > 1)
			break;
	}
	return n;
}

static struct failing *find_mask(struct cover_order *o, uint64_t mask)
{
	uint32_t low = 0, high = o->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (o->masks[mid].mask < mask)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < o->count && o->masks[low].mask == mask)
		return &o->masks[low];
	if (o->count == MASKS_MAX)
		return NULL;
	if (o->count == o->room) {
		uint32_t room = o->room ? 2 * o->room : 16;
		struct failing *masks = realloc(o->masks, room * sizeof(*masks));

		if (!masks)
			return NULL;
		o->masks = masks;
		o->room = room;
	}
	memmove(&o->masks[low + 1], &o->masks[low], (o->count - low) * sizeof(*o->masks));
	o->masks[low] = (struct failing){mask, 0};
	o->count++;
	return &o->masks[low];
}

void cover_order_count(struct cover_rule *r, const struct flt_finding *f)
{
	struct cover_order *o = r->order;
	struct failing *found;
	uint64_t mask = 0;

	if (o->many)
		return;
	for (uint32_t i = 0; i < r->x->conjunct_count; i++) {
		const struct rule_part *p = r->x->conjuncts[i];

		mask |= (uint64_t)(rule_part_truth(p, f) != FLT_YES) << i;
		o->asked[i] += asked(p, f);
	}
	found = find_mask(o, mask);
	if (found)
		found->count++;
	else
		o->many = true;
}

/* --- orders --- */

/* Checks per evaluation, if the parts are asked in @order. */
static double cost_of(const struct cover_rule *r, const uint8_t *order)
{
	const struct cover_order *o = r->order;
	uint64_t open = r->evaluated;
	double sum = 0;
	uint64_t seen = 0;

	for (uint32_t i = 0; i < r->x->conjunct_count; i++) {
		sum += (double)open * (double)o->asked[order[i]] / (double)r->evaluated;
		seen |= 1ull << order[i];
		open = 0;
		for (uint32_t m = 0; m < o->count; m++)
			open += o->masks[m].mask & seen ? 0 : o->masks[m].count;
	}
	return sum / (double)r->evaluated;
}

/* How many evaluations that are still open end with part @i, for each check it asks; what costs
 * nothing comes first. */
static double worth(const struct cover_order *o, uint64_t seen, uint32_t i)
{
	uint64_t ended = 0;

	for (uint32_t m = 0; m < o->count; m++)
		if (!(o->masks[m].mask & seen) && o->masks[m].mask >> i & 1)
			ended += o->masks[m].count;
	return o->asked[i] ? (double)ended / (double)o->asked[i] : DBL_MAX;
}

static void find_best(struct cover_order *o, uint32_t n)
{
	uint64_t seen = 0;

	for (uint32_t at = 0; at < n; at++) {
		double most = -1;

		for (uint32_t i = 0; i < n; i++) {
			double w = seen >> i & 1 ? -1 : worth(o, seen, i);

			if (w > most) {
				most = w;
				o->best[at] = (uint8_t)i;
			}
		}
		seen |= 1ull << o->best[at];
	}
}

/* Is there an order that is worth an edit? */
static bool suggest(struct cover_rule *r)
{
	struct cover_order *o = r->order;
	uint8_t written[PARTS_MAX];

	if (!o || o->many || !r->evaluated)
		return false;
	for (uint32_t i = 0; i < r->x->conjunct_count; i++)
		written[i] = (uint8_t)i;
	find_best(o, r->x->conjunct_count);
	o->written = cost_of(r, written);
	o->then = cost_of(r, o->best);
	return o->written - o->then >= LEAST_SAVING * o->written;
}

static double saved(const struct cover_rule *r)
{
	return (double)r->evaluated * (r->order->written - r->order->then);
}

static int by_saving(const void *a, const void *b)
{
	const struct cover_rule *x = *(struct cover_rule *const *)a,
				*y = *(struct cover_rule *const *)b;

	if (saved(x) != saved(y))
		return saved(x) < saved(y) ? 1 : -1;
	return x->rule->index < y->rule->index ? -1 : 1;
}

int cover_orders(struct cover *c, struct cover_rule ***out, size_t *count, struct error *err)
{
	struct cover_rule **found = calloc(c->count + 1, sizeof(struct cover_rule *));
	size_t n = 0;

	if (!found)
		return error_nomem(err);
	for (size_t i = 0; i < c->count; i++)
		if (suggest(&c->rules[i]))
			found[n++] = &c->rules[i];
	if (n)
		qsort(found, n, sizeof(struct cover_rule *), by_saving);
	*out = found;
	*count = n;
	return 0;
}

struct cover_suggestion cover_suggestion_of(const struct cover_rule *r)
{
	return (struct cover_suggestion){.written = r->order->written,
					 .then = r->order->then,
					 .parts = r->order->best,
					 .count = r->x->conjunct_count};
}
