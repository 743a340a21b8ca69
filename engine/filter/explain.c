/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator that takes no shortcut. Fields that remember when they were asked are asked only
 * where the condition as written would ask them, and remember it here: else they would tell what
 * nobody sees.
 */
#include "engine/filter/explain.h"

#include <stdlib.h>

#include "engine/filter/program.h"

struct flt_explainer {
	struct flt_ctx *cx;
	const struct flt_logic *root;
	struct flt_private *privates; /* per field instance, as if nobody else had asked */
	bool has_memory;
	struct flt_finding *findings;
	size_t count;
	struct arena texts; /* of the findings */
	struct buf text;
	enum flt_detail detail;
	size_t at; /* of the next check */
};

const char *flt_reason_name(enum flt_reason r)
{
	static const char *const names[FLT_REASON_COUNT] = {
	    [FLT_BY_VALUE] = "value",
	    [FLT_BY_ABSENCE] = "absent",
	    [FLT_BY_EVENT] = "not on this event type",
	    [FLT_BY_PROCESS] = "process not known",
	    [FLT_BY_FD] = "descriptor not known",
	    [FLT_BY_RIGHT] = "right side absent",
	    [FLT_BY_TYPE] = "type",
	    [FLT_BY_CASE] = "case",
	    [FLT_BY_SNAPLEN] = "truncated",
	};

	return (unsigned)r < FLT_REASON_COUNT ? names[r] : "";
}

/* --- what is shown --- */

/* What is in x->text, for as long as the findings. */
static struct sv keep(struct flt_explainer *x, size_t max)
{
	struct sv s = buf_view(&x->text);

	if (s.n > max)
		s.n = max;
	return x->text.failed ? SV_NONE : arena_sv(&x->texts, s);
}

/* Candidates as lists are: flt_value_text() shows the first one. */
static struct sv show_value(struct flt_explainer *x, const struct flt_value *v)
{
	struct flt_value all = *v;

	if (v->match != FLT_MATCH_SCALAR && v->count != 1)
		all.match = FLT_MATCH_LIST;
	if (v->items == &v->one)
		all.items = &all.one;
	buf_reset(&x->text);
	flt_value_text(x->cx, &all, &x->text);
	return keep(x, FLT_SHOWN_MAX);
}

/* --- why --- */

static bool compares_texts(const struct flt_test *t, const struct flt_value *v)
{
	switch (t->op) {
	case FLT_OP_EQ:
	case FLT_OP_CONTAINS:
	case FLT_OP_STARTSWITH:
	case FLT_OP_ENDSWITH:
	case FLT_OP_GLOB:
	case FLT_OP_IN:
	case FLT_OP_INTERSECTS:
	case FLT_OP_PMATCH:
		return t->class == FLT_CLASS_TEXT && flt_type_class(v->type) == FLT_CLASS_TEXT;
	default:
		return false;
	}
}

static bool lower(struct flt_explainer *x, const struct flt_datum *from, struct flt_datum *to)
{
	char *p = arena_strndup(&x->texts, from->p ? from->p : "", from->n);

	*to = (struct flt_datum){.p = p, .n = from->n};
	for (size_t i = 0; p && i < from->n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return p != NULL;
}

/* Would one of the constants be satisfied if upper case did not count? */
static bool is_about_case(struct flt_explainer *x, const struct flt_test *t,
			  const struct flt_value *v)
{
	flt_compare_fn compare =
	    flt_compare_find(FLT_CLASS_TEXT, t->op, t->modifier != FLT_MOD_NONE);

	if (!compares_texts(t, v) || !compare || t->modifier == FLT_MOD_ALLOF)
		return false;
	for (uint32_t i = 0; i < v->count; i++) {
		struct flt_datum d;

		if (!lower(x, &v->items[i], &d))
			return false;
		for (uint32_t k = 0; k < t->count; k++) {
			struct flt_const c = {.text = t->consts[k].text};

			if (!lower(x, &t->consts[k].value, &c.value))
				return false;
			if (compare(x->cx, &d, &c))
				return true;
		}
	}
	return false;
}

/* Is @v a buffer of which the recorder kept only the beginning? */
static bool is_cut(const struct flt_explainer *x, const struct flt_value *v)
{
	struct ev *ev = x->cx->ev;
	int64_t ret;

	if (flt_type_class(v->type) != FLT_CLASS_BYTES || v->count != 1 ||
	    !(ev_info(ev)->flags & (EF_READS_FROM_FD | EF_WRITES_TO_FD)))
		return false;
	return ev_return_value(ev, &ret) && ret > 0 && (uint64_t)ret > v->items->n;
}

/* Is @f about a process of which only the number is known? */
static bool lacks_process(const struct flt_explainer *x, const struct flt_field *f)
{
	const struct state_thread *t = flt_thread(x->cx);

	return f && strcmp(f->info->cls, "evt") != 0 && (!t || state_thread_is_invalid(t));
}

/* The reason why @v does not satisfy @t. */
static enum flt_reason why_not(struct flt_explainer *x, const struct flt_test *t,
			       const struct flt_value *v)
{
	if (!t->right && flt_type_class(v->type) != t->class)
		return FLT_BY_TYPE;
	if (is_cut(x, v))
		return FLT_BY_SNAPLEN;
	if (lacks_process(x, flt_operand_base(t->left)))
		return FLT_BY_PROCESS;
	return !t->right && is_about_case(x, t, v) ? FLT_BY_CASE : FLT_BY_VALUE;
}

/* Calls that failed have no descriptor of which something could be known. */
static bool has_failed(struct flt_ctx *cx)
{
	int64_t ret;

	return ev_return_value(cx->ev, &ret) && ret < 0;
}

static enum flt_reason why_absent(const struct flt_explainer *x, const struct flt_operand *o)
{
	const struct flt_field *f = flt_operand_base(o);
	struct flt_types never;

	if (!f)
		return FLT_BY_ABSENCE;
	never = flt_field_absent(f);
	if (flt_types_has(&never, x->cx->ev->type))
		return FLT_BY_EVENT;
	if (lacks_process(x, f))
		return FLT_BY_PROCESS;
	if (strcmp(f->info->cls, "fd") == 0 && !flt_fd(x->cx) && !has_failed(x->cx))
		return FLT_BY_FD;
	return FLT_BY_ABSENCE;
}

/* Is constant @k satisfied by one of the elements of @v? */
static bool satisfies_item(struct flt_explainer *x, const struct flt_test *t,
			   const struct flt_value *v, uint32_t k)
{
	struct flt_test one = *t;

	one.consts = &t->consts[k];
	one.count = 1;
	for (uint32_t i = 0; i < v->count; i++)
		if (flt_satisfies_slowly(x->cx, &one, v->type, &v->items[i]))
			return true;
	return false;
}

static int32_t deciding_item(struct flt_explainer *x, const struct flt_test *t,
			     const struct flt_value *v, bool holds)
{
	bool all = t->modifier == FLT_MOD_ALLOF;

	if (t->count < 2 || holds == all)
		return -1;
	for (uint32_t k = 0; k < t->count; k++)
		if (satisfies_item(x, t, v, k) == holds)
			return (int32_t)k;
	return -1;
}

/* --- checks --- */

/* Constants of one type have prepared functions; the type of evt.rawarg may be another. */
static bool satisfies(struct flt_ctx *cx, const struct flt_test *t, const struct flt_value *v)
{
	bool prepared = v->type == t->left->type || flt_type_class(v->type) == t->class;

	return flt_value_satisfies(cx, t, v, prepared ? t->satisfies : flt_satisfies_slowly);
}

static bool compare(struct flt_explainer *x, const struct flt_test *t, const struct flt_value *left,
		    struct flt_finding *out)
{
	struct flt_value right;
	bool holds;

	if (t->op == FLT_OP_EXISTS)
		return true;
	if (t->run == flt_is_around)
		return flt_is_around(x->cx, t);
	if (t->right) {
		if (!flt_operand_eval(x->cx, t->right, &right)) {
			out->reason = FLT_BY_RIGHT;
			return false;
		}
		holds = flt_value_satisfies_field(x->cx, t, left, &right);
		if (x->detail == FLT_VALUES)
			out->right = show_value(x, &right);
	} else {
		holds = satisfies(x->cx, t, left);
		if (x->detail >= FLT_ITEMS)
			out->item = deciding_item(x, t, left, holds);
	}
	if (x->detail == FLT_VALUES && !holds)
		out->reason = why_not(x, t, left);
	return holds;
}

static bool look(struct flt_explainer *x, const struct flt_test *t, bool asked)
{
	struct flt_finding *out = &x->findings[x->at++];
	struct flt_value left;

	*out = (struct flt_finding){.item = -1};
	if (t->stateful && !asked) {
		out->truth = FLT_UNASKED;
		return false;
	}
	if (!flt_operand_eval(x->cx, t->left, &left)) {
		out->truth = FLT_GONE;
		out->reason = x->detail == FLT_VALUES ? why_absent(x, t->left) : FLT_BY_ABSENCE;
		return false;
	}
	if (x->detail == FLT_VALUES)
		out->left = show_value(x, &left);
	if (compare(x, t, &left, out))
		out->truth = FLT_YES;
	else if (out->reason == FLT_BY_RIGHT)
		out->truth = FLT_GONE;
	return out->truth == FLT_YES;
}

/* @asked: does the result still depend on @l? */
static bool walk(struct flt_explainer *x, const struct flt_logic *l, bool asked)
{
	bool is_or = l->kind == FLT_OR, result = !is_or;

	if (l->kind == FLT_CHECK)
		return look(x, l->test, asked);
	if (l->kind == FLT_NOT)
		return !walk(x, l->kids[0], asked);
	for (uint32_t i = 0; i < l->count; i++)
		if (walk(x, l->kids[i], asked && result != is_or) == is_or)
			result = is_or;
	return result;
}

bool flt_explain(struct flt_explainer *x, enum flt_detail detail, const struct flt_finding **out)
{
	struct flt_private *privates = x->cx->privates;
	bool result;

	x->detail = detail;
	x->at = 0;
	arena_reset(&x->texts);
	x->cx->privates = x->privates;
	result = walk(x, x->root, true);
	x->cx->privates = privates;
	if (out)
		*out = x->findings;
	return result;
}

/* --- explainers --- */

static void count_checks(struct flt_explainer *x, const struct flt_logic *l)
{
	if (l->kind == FLT_CHECK) {
		x->count++;
		x->has_memory |= l->test->stateful;
	}
	for (uint32_t i = 0; i < l->count; i++)
		count_checks(x, l->kids[i]);
}

int flt_explainer_new(struct flt_ctx *cx, unsigned condition, struct flt_explainer **out,
		      struct error *err)
{
	struct flt_explainer *x = calloc(1, sizeof(*x));

	if (!x)
		return error_nomem(err);
	x->cx = cx;
	x->root = cx->program->conditions[condition];
	count_checks(x, x->root);
	x->findings = calloc(x->count + 1, sizeof(*x->findings));
	x->privates = calloc(cx->program->field_count + 1, sizeof(*x->privates));
	if (!x->findings || !x->privates) {
		flt_explainer_free(x);
		return error_nomem(err);
	}
	*out = x;
	return 0;
}

void flt_explainer_free(struct flt_explainer *x)
{
	if (!x)
		return;
	free(x->findings);
	free(x->privates);
	arena_done(&x->texts);
	buf_done(&x->text);
	free(x);
}

size_t flt_explainer_checks(const struct flt_explainer *x)
{
	return x->count;
}

bool flt_explainer_has_memory(const struct flt_explainer *x)
{
	return x->has_memory;
}
