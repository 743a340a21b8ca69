/* SPDX-License-Identifier: Apache-2.0 */
/* Macros and lists of rules in filters. */
#include "tui/explain.h"
#include "tui/filter.h"
#include "tui/prompt.h"

/* --- written out --- */

/* May something in the condition be a name that only rules know? */
static bool may_name(const struct flt_node *n)
{
	bool may = n->kind == FLT_MACRO || (n->kind == FLT_CHECK && rule_takes_list(n));

	for (uint32_t i = 0; i < n->count && !may; i++)
		may = may_name(n->kids[i]);
	return may;
}

int tui_filter_in_full(const struct tui_filter_facts *facts, struct sv text,
		       struct rule_in_full *out, size_t *pos, struct error *err)
{
	struct rule_loader *rules = NULL;
	struct arena arena = {0};
	struct flt_node *n;

	if (flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &n, NULL, NULL) == 0 && may_name(n) &&
	    facts->rules)
		rules = facts->rules(facts->arg);
	arena_done(&arena);
	return rule_write_in_full(rules, text, out, pos, err);
}

void tui_filter_blame(const struct rule_in_full *f, size_t *pos, struct error *err)
{
	const struct rule_stretch *s = rule_in_full_at(f, *pos);
	struct buf message = {0};

	*pos = s->given + (s->word.name.n ? 0 : *pos - s->from);
	if (!s->word.name.n)
		return;
	buf_addf(&message, "%s, in %s %.*s (", err->msg, s->word.is_list ? "list" : "macro",
		 (int)s->word.name.n, s->word.name.p);
	tui_explain_place(&message, s->word.at);
	buf_char(&message, ')');
	if (!message.failed)
		error_set(err, err->code, "%s", buf_cstr(&message));
	buf_done(&message);
}

/* --- offered --- */

static void offer(struct tui_completions *out, const struct rule_word *w, const char *before,
		  const char *after)
{
	struct buf text = {0}, help = {0};

	buf_str(&text, before);
	buf_sv(&text, w->name);
	buf_str(&text, after);
	if (w->is_list)
		buf_addf(&help, "list     %zu items, ", w->items);
	else
		buf_lit(&help, "macro    ");
	tui_explain_place(&help, w->at);
	tui_completion_add(out, buf_view(&text), buf_view(&help));
	buf_done(&text);
	buf_done(&help);
}

void tui_filter_rule_names(const struct tui_filter_facts *facts, const struct tui_filter_at *at,
			   struct tui_completions *out)
{
	bool macro = at->place == TUI_PLACE_TERM, list = at->place == TUI_PLACE_LIST;
	bool item = at->place == TUI_PLACE_VALUE && at->in_list && !at->quoted;
	struct rule_loader *rules =
	    (macro || list || item) && facts->rules ? facts->rules(facts->arg) : NULL;
	struct rule_word w;

	for (size_t i = 0; rules && rule_word_at(rules, i, &w); i++)
		if (w.is_list != macro && sv_starts(w.name, at->word))
			offer(out, &w, list ? "(" : "", list ? ")" : "");
}
