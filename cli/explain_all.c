/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain_all.h"

#include <stdlib.h>

#include "base/json.h"
#include "cli/explain.h"
#include "cli/table.h"
#include "cli/walk.h"

#define CHECK_MAX 100 /* bytes of a part on a line */

struct verdict { /* of one rule */
	const struct cover_rule *r;
	bool matches, first; /* @first: the one that is reported if only one is */
	uint32_t failing;
	const struct rule_part *part; /* the first that fails */
};

struct all {
	const struct explain_all *o;
	struct cover c;
	struct flt_format *process, *args;
	struct verdict *verdicts;
	size_t count;
	bool found;
	struct buf out, room;
};

/* Those that match, then those that come closest; of equals in the order of the rules. */
static int by_distance(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;

	if (x->failing != y->failing)
		return x->failing < y->failing ? -1 : 1;
	return x->r->rule->index < y->r->rule->index ? -1 : x->r->rule->index > y->r->rule->index;
}

static void judge(struct all *a, const struct cover_rule *r)
{
	const struct flt_finding *f;
	struct verdict v = {.r = r, .matches = flt_explain(r->explainer, FLT_TRUTHS, &f)};

	v.failing = rule_failing(r->x, f);
	for (uint32_t i = 0; i < r->x->conjunct_count && !v.part; i++)
		if (rule_part_truth(r->x->conjuncts[i], f) != FLT_YES)
			v.part = r->x->conjuncts[i];
	a->verdicts[a->count++] = v;
}

/* --- forms --- */

static void put_text(struct buf *b, struct sv s)
{
	size_t n = s.n < CHECK_MAX ? s.n : CHECK_MAX;

	while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	cli_safe(b, sv_make(s.p, n));
	buf_str(b, n < s.n ? "..." : "");
}

/* A part in few words. */
static void put_part(struct buf *b, const struct rule_part *p)
{
	static const char *const words[] = {
	    [RULE_PART_AND] = "all of several parts",
	    [RULE_PART_OR] = "any of several parts",
	    [RULE_PART_NOT] = "",
	    [RULE_PART_CHECK] = "",
	    [RULE_PART_MACRO] = "",
	    [RULE_PART_EXCEPTION] = "exception ",
	    [RULE_PART_TUPLE] = "exception values",
	};
	struct rule_place at = p->at;

	for (; p->kind == RULE_PART_NOT; p = p->kids[0])
		buf_lit(b, "not ");
	buf_str(b, words[p->kind]);
	put_text(b, p->text);
	buf_lit(b, "  [");
	cli_safe(b, sv_of(at.file ? at.file : "?"));
	buf_addf(b, ":%u]", at.line);
}

static void rule_line(struct all *a, const struct verdict *v)
{
	bool color = a->o->common->color;
	enum table_style style = v->matches ? STYLE_GOOD : STYLE_PLAIN;

	buf_lit(&a->out, "  ");
	table_style_begin(&a->out, color, style);
	if (v->matches)
		buf_addf(&a->out, "%-13s", v->first ? "matches, 1st" : "matches");
	else
		buf_addf(&a->out, "%3u of %-3u no", v->failing, v->r->x->conjunct_count);
	table_style_end(&a->out, color, style);
	buf_lit(&a->out, "  ");
	cli_safe(&a->out, v->r->rule->name);
	if (v->part) {
		buf_lit(&a->out, "  -- ");
		put_part(&a->out, v->part);
	}
	buf_char(&a->out, '\n');
}

static void format_to(struct all *a, struct flt_ctx *cx, const struct flt_format *f)
{
	buf_reset(&a->room);
	flt_format_text(cx, f, &a->room);
}

static void tell_text(struct all *a, struct flt_ctx *cx, struct ev *ev)
{
	size_t shown = a->count < a->o->limit ? a->count : a->o->limit;

	buf_addf(&a->out, "event %llu  ", (unsigned long long)ev->num);
	cli_time(&a->out, ev->ts);
	buf_lit(&a->out, "  ");
	format_to(a, cx, a->process);
	cli_safe(&a->out, buf_view(&a->room));
	buf_addf(&a->out, " (%lld)  ", (long long)ev->tid);
	cli_safe(&a->out, flt_event_name(ev));
	buf_lit(&a->out, "\n  ");
	format_to(a, cx, a->args);
	cli_safe(&a->out, buf_view(&a->room));
	buf_addf(&a->out,
		 "\n%zu rule%s about events of this type; parts that must hold and do not:\n",
		 a->count, a->count == 1 ? " is" : "s are");
	for (size_t i = 0; i < shown; i++)
		rule_line(a, &a->verdicts[i]);
	if (shown < a->count)
		buf_addf(&a->out, "  and %zu more; --limit shows them\n", a->count - shown);
}

static void tell_json(struct all *a, const struct ev *ev)
{
	struct buf *b = &a->out;

	buf_addf(b, "{\"num\":%llu,\"rules\":[", (unsigned long long)ev->num);
	for (size_t i = 0; i < a->count && i < a->o->limit; i++) {
		const struct verdict *v = &a->verdicts[i];

		buf_str(b, i ? ",{\"rule\":" : "{\"rule\":");
		json_string(b, v->r->rule->name);
		buf_addf(b, ",\"matches\":%s,\"first\":%s,\"failing\":%u,\"conjuncts\":%u",
			 v->matches ? "true" : "false", v->first ? "true" : "false", v->failing,
			 v->r->x->conjunct_count);
		if (v->part && v->part->at.file) {
			buf_lit(b, ",\"file\":");
			json_string(b, sv_of(v->part->at.file));
			buf_addf(b, ",\"line\":%u", v->part->at.line);
		}
		buf_char(b, '}');
	}
	buf_lit(b, "]}\n");
}

/* --- walking --- */

static int begin(void *arg, struct cli_walk *w, struct error *err)
{
	return cover_begin(&((struct all *)arg)->c, w->ctx, err);
}

static int on_event(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	const struct rule *first = NULL;
	struct all *a = arg;

	if (b->ev->num < a->o->evt)
		return 0;
	if (b->ev->num > a->o->evt)
		return 1;
	a->found = true;
	flt_ctx_event(w->ctx, b);
	(void)rule_engine_match(a->o->rules->engine, w->ctx, false, &first, 1);
	for (size_t i = 0; i < a->c.count; i++) {
		const struct cover_rule *r = &a->c.rules[i];

		if (!r->x || !flt_types_has(r->rule->types, b->ev->type))
			continue;
		judge(a, r);
		a->verdicts[a->count - 1].first = r->rule == first;
	}
	if (a->count)
		qsort(a->verdicts, a->count, sizeof(*a->verdicts), by_distance);
	if (a->o->json)
		tell_json(a, b->ev);
	else
		tell_text(a, w->ctx, b->ev);
	return 1;
}

static int explain_capture(struct all *a, const char *path)
{
	struct cli_walk w = {
	    .common = a->o->common,
	    .program = rule_engine_program(a->o->rules->engine),
	    .as_rules = true,
	    .may_enter = true,
	    .first_event = a->o->evt,
	    .begin = begin,
	    .event = on_event,
	    .arg = a,
	};
	int status;

	a->found = false;
	a->count = 0;
	status = cli_walk_capture(&w, path);
	if (!a->found && status != CLI_INPUT && !cli_interrupted()) {
		cli_log(CLI_ERROR, "%s: event %llu is not there, or none that rules see", path,
			(unsigned long long)a->o->evt);
		return CLI_INPUT;
	}
	return cli_worse(status, cli_write(&a->out));
}

static int prepare(struct all *a)
{
	struct flt_program *p = rule_engine_program(a->o->rules->engine);
	const struct cli_rule_run *r = a->o->rules;
	struct error err = {0};
	int rc = flt_format_new(p, SV_LIT("*%proc.name"), &a->process, &err);

	if (rc == 0)
		rc = flt_format_new(p, SV_LIT("*%evt.args"), &a->args, &err);
	if (rc == 0)
		rc = rule_engine_seal(r->engine, &err);
	if (rc == 0)
		rc = cover_init(&a->c, r->loader, r->engine,
				r->min_priority >= 0 ? (enum rule_priority)r->min_priority
						     : r->cfg.priority,
				&err);
	if (rc < 0)
		return cli_fail(&err);
	if (flt_program_has_memory(p)) {
		cli_log(CLI_ERROR, "some rule uses a field that remembers when it was asked; name "
				   "the rule with --rule");
		return CLI_USAGE;
	}
	a->verdicts = calloc(a->c.count + 1, sizeof(*a->verdicts));
	if (a->verdicts)
		return 0;
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

int cli_explain_all(const struct explain_all *o, char **paths, int count)
{
	struct all a = {.o = o};
	int status = prepare(&a);
	bool ready = status == 0;

	for (int i = 0; ready && i < count && !cli_interrupted(); i++)
		status = cli_worse(status, explain_capture(&a, paths[i]));
	cover_done(&a.c);
	free(a.verdicts);
	buf_done(&a.out);
	buf_done(&a.room);
	return cli_worse(status, cli_flush());
}
