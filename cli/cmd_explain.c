/* SPDX-License-Identifier: Apache-2.0 */
/* scapula explain: why a rule matched an event, or did not. */
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/explain_all.h"
#include "cli/inputs.h"
#include "cli/rule_run.h"
#include "cli/walk.h"

#define SHOWN_DEFAULT 3
#define RULES_DEFAULT 10
#define NEAR_DEFAULT  1
#define SHOWN_MAX     1000

enum {
	OPT_RULE = OPT_AFTER_RULE_RUN,
	OPT_EVT,
	OPT_NEAR,
	OPT_ALERT_OF,
	OPT_BRIEF,
};

static const struct cli_option explain_options[] = {
    {OPT_RULE, "rule", "NAME",
     "the rule; part of its name will do if no other has it; without, with --evt, all rules"},
    {OPT_EVT, "evt", "N", "explain event N; without, those that match, or come closest"},
    {'n', "limit", "N",
     "explain the first N events that match, 3 if not given; without --rule: N rules, 10"},
    {OPT_NEAR, "near", "N",
     "if none matches: the N events for which the fewest parts of the condition fail"},
    {OPT_ALERT_OF, "alert-of", "NAME",
     "explain the first events that this other rule matches: why not the rule, too?"},
    {OPT_BRIEF, "brief", NULL, "text: only what decided, not the whole condition"},
    {'f', "format", "text|json|html", "json: an object per capture; html: one page"},
    CLI_OPTIONS_RULE_FILES,
    CLI_OPTION_FILTER,
    CLI_OPTIONS_SELECTION,
    CLI_OPTION_MATCHING,
    CLI_OPTION_MIN_PRIORITY,
    CLI_OPTION_NO_INDEX,
    {0, NULL, NULL, NULL},
};

static const char *const explain_examples[] = {
    "explain --rule 'Search for private keys' -r rules.yaml capture.scap",
    "explain --rule 'Search for private keys' -r rules.yaml --evt 1234 capture.scap",
    "explain --rule 'Kernel module' -r rules.yaml --near 3 --brief capture.scap",
    NULL,
};

enum form { FORM_TEXT, FORM_JSON, FORM_HTML };

struct explain {
	struct cli_common common;
	struct cli_rule_run rules;
	const char *name, *other_name;
	uint64_t evt, limit, near;
	enum form form;
	bool brief;
	/* at work */
	const struct rule *rule;
	struct flt_types about; /* types of the events that are looked at */
	struct rule_explanation *x;
	struct flt_format *process, *args;
	unsigned filter_id;
	struct flt_explainer *explainer; /* of the walk's context */
	bool remembers;			 /* some value depends on earlier events */
	struct explained out;
	struct buf text, room;
	int broken; /* an exit status */
};

static int out_of_memory(struct explain *o)
{
	cli_log(CLI_ERROR, "out of memory");
	o->broken = CLI_INTERNAL;
	return -CLI_INTERNAL;
}

/* --- options --- */

static int take_number(const char *option, const char *value, uint64_t max, uint64_t *out)
{
	if (cli_parse_u64(value, out) && *out && *out <= max)
		return 0;
	cli_log(CLI_ERROR, "--%s %s: expected a number from 1 to %llu", option, value,
		(unsigned long long)max);
	return CLI_USAGE;
}

static int take_form(struct explain *o, const char *value)
{
	static const char *const names[] = {"text", "json", "html"};
	unsigned form = 0;
	int status = cli_take_word("format", value, names, COUNT_OF(names), &form);

	if (!status)
		o->form = (enum form)form;
	return status;
}

static int take_option(void *arg, int id, const char *value)
{
	struct explain *o = arg;

	switch (id) {
	case OPT_RULE:
		o->name = value;
		return 0;
	case OPT_EVT:
		return take_number("evt", value, UINT64_MAX, &o->evt);
	case 'n':
		return take_number("limit", value, SHOWN_MAX, &o->limit);
	case OPT_NEAR:
		return take_number("near", value, SHOWN_MAX, &o->near);
	case OPT_ALERT_OF:
		o->other_name = value;
		return 0;
	case OPT_BRIEF:
		o->brief = true;
		return 0;
	case 'f':
		return take_form(o, value);
	default:
		return cli_rule_run_take(&o->rules, id, value);
	}
}

/* --- events to be told about --- */

static struct sv format_text(struct explain *o, struct flt_ctx *cx, const struct flt_format *f,
			     struct arena *a)
{
	buf_reset(&o->room);
	flt_format_text(cx, f, &o->room);
	return o->room.failed ? SV_NONE : arena_sv(a, buf_view(&o->room));
}

/* Return: false: no memory. */
static bool keep_text(struct arena *a, struct sv *s)
{
	if (!s->p)
		return true;
	*s = arena_sv(a, *s);
	return s->p != NULL;
}

static int copy_findings(struct explain *o, struct explained_event *e,
			 const struct flt_finding *from)
{
	e->findings = arena_zalloc(&e->arena, o->x->checks + 1, sizeof(*e->findings));
	if (!e->findings)
		return out_of_memory(o);
	for (uint32_t i = 0; i < o->x->checks; i++) {
		e->findings[i] = from[i];
		if (!keep_text(&e->arena, &e->findings[i].left) ||
		    !keep_text(&e->arena, &e->findings[i].right))
			return out_of_memory(o);
	}
	return 0;
}

static unsigned obstacles_of(struct explain *o, const struct ev *ev, bool filtered)
{
	unsigned found = 0;

	if (!o->rule->enabled)
		found |= CLI_NOT_DISABLED;
	if (o->rule->priority > o->out.min_priority)
		found |= CLI_NOT_PRIORITY;
	if (!flt_types_has(o->rule->types, ev->type))
		found |= CLI_NOT_TYPE;
	if (filtered)
		found |= CLI_NOT_FILTER;
	return found;
}

/* The event @w looks at. */
struct look {
	const struct state_binding *b;
	const struct flt_finding *findings;
	const struct rule *first; /* the earlier rule that is reported instead */
	bool matches, filtered;
};

static int fill(struct explain *o, struct cli_walk *w, const struct look *l,
		struct explained_event *e)
{
	const struct flt_finding *findings = l->findings;
	struct ev *ev = l->b->ev;
	const struct state_thread *t =
	    l->b->thread ? l->b->thread : state_thread_find(w->state, ev->tid);

	arena_done(&e->arena);
	*e = (struct explained_event){.num = ev->num,
				      .offset = ev->offset,
				      .ts = ev->ts,
				      .tid = ev->tid,
				      .matches = l->matches,
				      .first = l->first};
	e->has_thread = t && !state_thread_is_invalid(t);
	e->obstacles = obstacles_of(o, ev, l->filtered) | (l->first ? CLI_NOT_FIRST : 0u);
	e->type = arena_sv(&e->arena, flt_event_name(ev));
	e->process = format_text(o, w->ctx, o->process, &e->arena);
	e->args = format_text(o, w->ctx, o->args, &e->arena);
	if (!e->type.p || !e->process.p || !e->args.p)
		return out_of_memory(o);
	/* What remembers was asked with all values shown already. */
	if (!o->remembers)
		flt_explain(o->explainer, FLT_VALUES, &findings);
	e->failing = rule_failing(o->x, findings);
	return copy_findings(o, e, findings);
}

/* A new last one; NULL: no memory. */
static struct explained_event *add_event(struct explain *o)
{
	struct explained *x = &o->out;

	if (x->count == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 4;
		struct explained_event *p = realloc(x->shown, cap * sizeof(*p));

		if (!p)
			return NULL;
		x->shown = p;
		x->cap = cap;
	}
	x->shown[x->count] = (struct explained_event){0};
	return &x->shown[x->count++];
}

static void forget_events(struct explained *x)
{
	for (size_t i = 0; i < x->count; i++)
		arena_done(&x->shown[i].arena);
	x->count = 0;
}

static int show_next(struct explain *o, struct cli_walk *w, const struct look *l)
{
	struct explained_event *e;

	if (o->out.count == o->limit)
		return 0;
	e = add_event(o);
	return e ? fill(o, w, l, e) : out_of_memory(o);
}

static int show_match(struct explain *o, struct cli_walk *w, const struct look *l)
{
	if (o->out.matching == 1)
		forget_events(&o->out); /* they only came close */
	return show_next(o, w, l);
}

/* Those that come closest, in order; of equals the earlier ones. */
static int show_near(struct explain *o, struct cli_walk *w, const struct look *l)
{
	struct explained *x = &o->out;
	uint32_t failing = rule_failing(o->x, l->findings);
	struct explained_event e = {0};
	size_t at;

	if (x->count == o->near && x->shown[x->count - 1].failing <= failing)
		return 0;
	if (x->count == o->near)
		arena_done(&x->shown[x->count - 1].arena);
	else if (!add_event(o))
		return out_of_memory(o);
	for (at = x->count - 1; at && x->shown[at - 1].failing > failing; at--)
		x->shown[at] = x->shown[at - 1];
	x->shown[at] = e;
	return fill(o, w, l, &x->shown[at]);
}

/* --- walking --- */

static int begin(void *arg, struct cli_walk *w, struct error *err)
{
	struct explain *o = arg;
	int rc;

	flt_explainer_free(o->explainer);
	o->explainer = NULL;
	rc = flt_explainer_new(w->ctx, o->rule->condition_id, &o->explainer, err);
	if (rc < 0)
		return rc;
	if (flt_explainer_checks(o->explainer) != o->x->checks)
		return error_set(err, ERR_FORMAT, "the condition of '%.*s' has %zu checks, not %u",
				 (int)o->rule->name.n, o->rule->name.p,
				 flt_explainer_checks(o->explainer), o->x->checks);
	return 0;
}

/* The rule that is reported for the event instead of ours; NULL: none. */
static const struct rule *earlier_rule(struct explain *o, struct cli_walk *w)
{
	const struct rule *hit = NULL;

	if (o->rules.run.match_all || !rule_engine_match(o->rules.engine, w->ctx, false, &hit, 1) ||
	    hit->index >= o->rule->index)
		return NULL;
	return hit;
}

/* Is the event one that the survey is about? */
static bool is_asked_for(const struct explain *o, struct cli_walk *w, unsigned type)
{
	const struct rule *other = o->out.other;

	if (!other)
		return flt_types_has(o->rule->types, type);
	return flt_types_has(other->types, type) && flt_match(w->ctx, other->condition_id);
}

static int survey(struct explain *o, struct cli_walk *w, const struct look *l)
{
	struct explained *x = &o->out;

	x->of_types++;
	for (uint32_t i = 0; i < o->x->checks; i++)
		x->present[i] += l->findings[i].truth == FLT_YES || l->findings[i].truth == FLT_NO;
	if (l->filtered) {
		x->filtered++;
		return 0;
	}
	x->matching += l->matches;
	x->shadowed += l->matches && l->first;
	x->reported += l->matches && !l->first && !obstacles_of(o, l->b->ev, false);
	if (x->other)
		return show_next(o, w, l);
	if (l->matches)
		return show_match(o, w, l);
	return x->matching ? 0 : show_near(o, w, l);
}

static int on_event(void *arg, struct cli_walk *w, const struct state_binding *b)
{
	struct explain *o = arg;
	struct look l = {.b = b};
	bool wanted = b->ev->num == o->evt;
	int rc;

	if (o->evt && b->ev->num > o->evt)
		return 1;
	if (!o->remembers && (o->evt ? !wanted : !flt_types_has(&o->about, b->ev->type)))
		return 0;
	flt_ctx_event(w->ctx, b);
	l.filtered = o->rules.run.filter && !flt_match(w->ctx, o->filter_id);
	if (rule_engine_wants(o->rules.engine, b->ev->type) && !l.filtered)
		l.first = earlier_rule(o, w);
	if (!wanted && !is_asked_for(o, w, b->ev->type))
		return 0;
	l.matches = flt_explain(o->explainer, o->remembers ? FLT_VALUES : FLT_TRUTHS, &l.findings);
	if (!o->evt)
		return survey(o, w, &l);
	if (!wanted)
		return 0;
	if (!add_event(o))
		return out_of_memory(o);
	rc = fill(o, w, &l, &o->out.shown[0]);
	return rc ? rc : 1;
}

/* What was lost, and how much of it before the event. */
static void on_end(void *arg, struct cli_walk *w)
{
	struct explain *o = arg;
	struct explained *x = &o->out;
	const struct sf_gap *gaps = sf_reader_gaps(w->reader, &x->gaps);

	x->events = state_stats(w->state)->events;
	for (size_t i = 0; i < x->gaps && x->wanted && x->count; i++) {
		if (gaps[i].offset >= x->shown[0].offset)
			continue;
		x->gaps_before++;
		x->last_gap = gaps[i];
	}
}

static int tell(struct explain *o)
{
	switch (o->form) {
	case FORM_JSON:
		cli_explain_json(&o->text, &o->out);
		break;
	case FORM_HTML:
		cli_explain_html(&o->text, &o->out);
		break;
	default:
		cli_explain_text(&o->text, &o->out, o->common.color, o->brief);
	}
	return cli_write(&o->text);
}

static int explain_capture(struct explain *o, const char *path)
{
	struct explained *x = &o->out;
	struct cli_walk w = {
	    .common = &o->common,
	    .program = rule_engine_program(o->rules.engine),
	    .as_rules = true,
	    .may_enter = o->evt && !o->remembers,
	    .first_event = o->evt,
	    .looked_at = o->evt || o->remembers ? NULL : &o->about,
	    .begin = begin,
	    .event = on_event,
	    .end = on_end,
	    .arg = o,
	};
	int status;

	forget_events(x);
	x->path = path;
	x->events = x->of_types = x->matching = x->reported = x->shadowed = x->filtered = 0;
	x->gaps = x->gaps_before = 0;
	memset(x->present, 0, o->x->checks * sizeof(*x->present));
	status = cli_walk_capture(&w, path);
	if (o->broken || status == CLI_INPUT)
		return status;
	if (o->evt && !x->count && !cli_interrupted()) {
		cli_log(CLI_ERROR,
			"%s: event %llu is not there, or none that rules see; the last one is "
			"number %llu",
			path, (unsigned long long)o->evt, (unsigned long long)x->events);
		return CLI_INPUT;
	}
	return cli_worse(status, tell(o));
}

/* --- the rule --- */

static int no_such_rule(const char *option, const char *name, const char *why)
{
	cli_log(CLI_ERROR, "--%s %s: %s; 'scapula rules list' shows them all", option, name, why);
	return CLI_USAGE;
}

static int find_rule(struct explain *o, const char *option, const char *text,
		     const struct rule **out)
{
	size_t n, similar = 0;
	const struct rule *rules = rule_engine_rules(o->rules.engine, &n);
	struct sv name = sv_of(text);

	for (size_t i = 0; i < n; i++) {
		if (sv_eq(rules[i].name, name)) {
			*out = &rules[i];
			return 0;
		}
		if (sv_contains(rules[i].name, name)) {
			*out = &rules[i];
			similar++;
		}
	}
	if (similar == 1)
		return 0;
	if (rule_is_left_out(o->rules.loader, o->rules.engine, name))
		return no_such_rule(
		    option, text,
		    "it was left out: its condition names a field that is not known "
		    "(skip-if-unknown-filter)");
	return no_such_rule(option, text,
			    similar ? "several rules have that in their names"
				    : "there is no such rule");
}

/* And what events it is about, or the other one is. */
static int find_rules(struct explain *o)
{
	int status = find_rule(o, "rule", o->name, &o->rule);

	if (!status && o->other_name)
		status = find_rule(o, "alert-of", o->other_name, &o->out.other);
	if (status)
		return status;
	if (o->out.other && (!o->out.other->types || o->evt)) {
		cli_log(CLI_ERROR, "--alert-of %s: %s", o->other_name,
			o->evt ? "--evt says which event already"
			       : "a rule for events of another source");
		return CLI_USAGE;
	}
	if (o->rule->types)
		o->about = *(o->out.other ? o->out.other : o->rule)->types;
	return 0;
}

/* The configuration's selections come before those of the command line. */
static void find_selection(struct explain *o)
{
	const struct cli_rule_run *r = &o->rules;

	o->out.decided_by = rule_decided_by(o->rule, r->selects, r->select_count);
	if (!o->out.decided_by) {
		o->out.decided_by = rule_decided_by(o->rule, r->cfg.select, r->cfg.select_count);
		o->out.by_config = o->out.decided_by != NULL;
	}
}

static int compile(struct explain *o)
{
	struct flt_program *p = rule_engine_program(o->rules.engine);
	struct arena arena = {0};
	struct error err = {0};
	int status = 0, rc;

	if (o->rules.run.filter)
		status = cli_add_condition(p, "--filter", o->rules.run.filter, &arena, NULL,
					   &o->filter_id);
	arena_done(&arena);
	if (status)
		return status;
	rc = rule_explanation_new(o->rules.loader, o->rule, &o->x, &err);
	if (rc == 0)
		rc = flt_format_new(p, SV_LIT("*%proc.name"), &o->process, &err);
	if (rc == 0)
		rc = flt_format_new(p, SV_LIT("*%evt.args"), &o->args, &err);
	if (rc == 0)
		rc = rule_engine_seal(o->rules.engine, &err);
	o->remembers = rc == 0 && flt_program_has_memory(p);
	if (o->remembers && o->out.other) {
		cli_log(CLI_ERROR, "--alert-of: some rule uses a field that remembers when it was "
				   "asked; --evt explains one event");
		return CLI_USAGE;
	}
	return rc < 0 ? cli_fail(&err) : 0;
}

static int prepare(struct explain *o)
{
	int status = cli_rule_run_load(&o->rules);

	if (!status)
		status = find_rules(o);
	if (!status)
		status = compile(o);
	if (status)
		return status;
	find_selection(o);
	o->out.x = o->x;
	o->out.wanted = o->evt;
	o->out.match_all = o->rules.run.match_all;
	o->out.min_priority = o->rules.min_priority >= 0 ? (enum rule_priority)o->rules.min_priority
							 : o->rules.cfg.priority;
	o->out.present = calloc(o->x->checks + 1, sizeof(*o->out.present));
	return o->out.present ? 0 : -out_of_memory(o);
}

/* One event and all rules. */
static int work_on_all(struct explain *o, char **paths, int count)
{
	const struct explain_all all = {
	    .common = &o->common,
	    .rules = &o->rules,
	    .evt = o->evt,
	    .limit = o->limit ? o->limit : RULES_DEFAULT,
	    .json = o->form == FORM_JSON,
	};
	int status;

	if (o->form == FORM_HTML || o->rules.run.filter || o->other_name) {
		cli_log(CLI_ERROR, "%s needs --rule",
			o->form == FORM_HTML  ? "--format html"
			: o->rules.run.filter ? "--filter"
					      : "--alert-of");
		return CLI_USAGE;
	}
	status = cli_rule_run_load(&o->rules);
	return status ? status : cli_explain_all(&all, paths, count);
}

static int work(void *arg, char **paths, int count)
{
	struct explain *o = arg;
	int status;

	if (!count || (!o->name && !o->evt)) {
		cli_log(CLI_ERROR, "%s",
			count ? "no --rule and no --evt given" : "no capture given");
		return CLI_USAGE;
	}
	if (!o->name)
		return work_on_all(o, paths, count);
	if (!o->limit)
		o->limit = SHOWN_DEFAULT;
	status = prepare(o);
	if (status)
		return status;
	if (o->form == FORM_HTML)
		cli_explain_html_begin(&o->text, o->rule);
	for (int i = 0; i < count && !o->broken && !cli_interrupted(); i++)
		status = cli_worse(status, explain_capture(o, paths[i]));
	if (o->form == FORM_HTML)
		cli_explain_html_end(&o->text);
	status = cli_worse(status, cli_write(&o->text));
	return cli_worse(status, cli_flush());
}

int cmd_explain(int argc, char **argv)
{
	struct explain o = {.near = NEAR_DEFAULT};
	const struct cli_parser parser = {"explain", explain_options, explain_examples, take_option,
					  &o};
	int status;

	cli_rule_run_init(&o.rules, &o.common);
	status = cli_run(&parser, &o.common, argc, argv, work);
	forget_events(&o.out);
	free(o.out.shown);
	free(o.out.present);
	buf_done(&o.text);
	buf_done(&o.room);
	flt_explainer_free(o.explainer);
	rule_explanation_free(o.x);
	return cli_rule_run_done(&o.rules, status);
}
