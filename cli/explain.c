/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of an explanation share. */
#include "cli/explain.h"

const char *cli_truth_name(enum flt_truth t)
{
	static const char *const names[] = {
	    [FLT_NO] = "false",
	    [FLT_YES] = "true",
	    [FLT_GONE] = "absent",
	    [FLT_UNASKED] = "not asked",
	};

	return names[t];
}

bool cli_never_present(const struct explained *x, uint32_t i)
{
	return !x->wanted && x->of_types && x->present && !x->present[i];
}

static void by_selection(const struct explained *x, struct buf *b)
{
	const struct rule_select *s = x->decided_by;
	struct sv text = sv_of(s->text);

	buf_lit(b, "the rule is disabled by ");
	if (x->by_config) {
		buf_lit(b, "the configuration: ");
		cli_safe(b, text);
	} else if (s->kind == RULE_DISABLE_NAME) {
		buf_lit(b, "--tag: it has none of the tags asked for");
	} else {
		buf_str(b, s->kind == RULE_DISABLE_TAG ? "--disable-tag " : "--disable ");
		cli_safe(b, text);
	}
}

static void describe(const struct explained *x, const struct explained_event *e,
		     enum cli_obstacle what, struct buf *b)
{
	const struct rule *r = x->x->rule;

	switch (what) {
	case CLI_NOT_DISABLED:
		if (x->decided_by)
			by_selection(x, b);
		else
			buf_lit(b, "the rule is disabled where it is defined (enabled: false)");
		break;
	case CLI_NOT_PRIORITY:
		buf_addf(b, "its priority %s is below %s, the least one that is reported",
			 rule_priority_name(r->priority), rule_priority_name(x->min_priority));
		break;
	case CLI_NOT_TYPE:
		buf_lit(b, "the rule is not about events of type ");
		cli_safe(b, e->type);
		break;
	case CLI_NOT_FILTER:
		buf_lit(b, "--filter hides the event from the rules");
		break;
	case CLI_NOT_FIRST:
		buf_lit(b, "an earlier rule matches, and only the first one is reported: ");
		cli_safe(b, e->first->name);
		break;
	}
}

const char *cli_obstacle_text(const struct explained *x, const struct explained_event *e,
			      unsigned *at, struct buf *room)
{
	while (e->obstacles >> *at) {
		unsigned bit = 1u << (*at)++;

		if (!(e->obstacles & bit))
			continue;
		buf_reset(room);
		describe(x, e, (enum cli_obstacle)bit, room);
		return buf_cstr(room);
	}
	return NULL;
}
