/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Screens: most texts differ from what a test looks for within a few bytes. One look at the first
 * bytes of a field's value tells which of the tests on that field may be satisfied.
 */
#include <stdlib.h>

#include "engine/filter/glob.h"
#include "engine/filter/program.h"

#define SCREEN_BITS	 64 /* tests beyond share bits with the first ones */
#define SCREEN_TESTS_MIN 3  /* with fewer, running them is cheaper */

struct beginning { /* of the texts that satisfy one constant */
	struct sv text;
	bool is_all; /* and nothing follows but NULs, or what is behind one */
};

/* False: texts that satisfy the constant may begin with anything. */
static bool beginning_of(const struct flt_test *t, const struct flt_const *c, struct beginning *out)
{
	struct sv text = sv_make(c->value.p, c->value.n);

	switch (t->op) {
	case FLT_OP_EQ:
	case FLT_OP_IN:
		*out = (struct beginning){flt_whole_text(&c->value), true};
		break;
	case FLT_OP_STARTSWITH:
		*out = (struct beginning){text, false};
		break;
	case FLT_OP_GLOB:
		*out = (struct beginning){flt_glob_beginning(text), false};
		break;
	default:
		return false;
	}
	return out->text.n;
}

/* Whatever its modifier, a test that is satisfied is so by one of its constants. */
static bool can_be_screened(const struct flt_test *t)
{
	struct beginning unused;

	if (!t->numbered || !t->plain || t->class != FLT_CLASS_TEXT || t->flags & FLT_FIELD_PROCESS)
		return false;
	for (uint32_t i = 0; i < t->count; i++)
		if (!beginning_of(t, &t->consts[i], &unused))
			return false;
	return t->count;
}

static void allow(struct flt_screen *s, struct beginning b, uint64_t bit)
{
	unsigned at = 0;

	for (; at < FLT_SCREEN_DEPTH && at < b.text.n; at++)
		s->may[at][(unsigned char)b.text.p[at]] |= bit;
	if (b.is_all && at < FLT_SCREEN_DEPTH)
		s->may[at++][0] |= bit;
	for (; at < FLT_SCREEN_DEPTH; at++)
		for (unsigned byte = 0; byte < 256; byte++)
			s->may[at][byte] |= bit;
}

static void add_test(struct flt_screen *s, struct flt_test *t, uint64_t bit)
{
	struct beginning b;

	for (uint32_t i = 0; i < t->count; i++)
		if (beginning_of(t, &t->consts[i], &b))
			allow(s, b, bit);
	t->screen_bit = bit;
}

struct screening { /* of one field */
	struct flt_screen *screen;
	uint32_t tests, added;
};

static bool add_screens(struct flt_program *p, struct screening *fields)
{
	for (uint32_t i = 0; i < p->test_count; i++)
		if (can_be_screened(p->tests[i]))
			fields[p->tests[i]->left->field->id].tests++;
	for (uint32_t i = 0; i < p->test_count; i++) {
		struct flt_test *t = p->tests[i];
		struct screening *f;

		if (!can_be_screened(t))
			continue;
		f = &fields[t->left->field->id];
		if (f->tests < SCREEN_TESTS_MIN)
			continue;
		if (!f->screen)
			f->screen = arena_zalloc(&p->arena, 1, sizeof(*f->screen));
		if (!f->screen)
			return false;
		p->fields[t->left->field->id]->screen = f->screen;
		add_test(f->screen, t, 1ull << f->added++ % SCREEN_BITS);
	}
	return true;
}

int flt_make_screens(struct flt_program *p, struct error *err)
{
	struct screening *fields = calloc(p->field_count + 1, sizeof(*fields));
	bool done = fields && add_screens(p, fields);

	free(fields);
	return done ? 0 : error_nomem(err);
}

void flt_drop_screens(struct flt_program *p)
{
	for (uint32_t i = 0; i < p->field_count; i++)
		if (p->fields[i]->screen && !p->fields[i]->screen->used)
			p->fields[i]->screen = NULL;
}

uint64_t flt_screen_value(const struct flt_screen *s, const struct flt_value *v)
{
	const struct flt_datum *d = v->items;
	uint64_t may = UINT64_MAX;

	if (UNLIKELY(v->match != FLT_MATCH_SCALAR || flt_type_class(v->type) != FLT_CLASS_TEXT))
		return UINT64_MAX;
	if (LIKELY(d->n >= FLT_SCREEN_DEPTH)) {
		for (unsigned at = 0; at < FLT_SCREEN_DEPTH; at++)
			may &= s->may[at][(unsigned char)d->p[at]];
		return may;
	}
	for (unsigned at = 0; at < d->n; at++)
		may &= s->may[at][(unsigned char)d->p[at]];
	return may & s->may[d->n][0];
}
