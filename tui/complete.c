/* SPDX-License-Identifier: Apache-2.0 */
/* What may be typed behind ':', and as the argument of an action. */
#include "tui/internal.h"

#include <string.h>

static void add_word(struct tui_completions *out, struct sv typed, const char *word,
		     const char *help)
{
	if (sv_starts(sv_of(word), typed))
		tui_completion_add(out, sv_of(word), sv_of(help));
}

/* "[a|b|c]", "STATE ...": the words an argument may be, if they are few. */
static void add_choices(struct tui_completions *out, enum tui_action a, struct sv typed)
{
	static const char *const verdicts[] = {"true_positive", "false_positive", "benign",
					       "undecided"};
	static const char *const moments[] = {"start", "end"};
	struct sv rest = sv_of(tui_actions[a].arg);

	switch (a) {
	case TUI_DO_THEME:
		for (size_t i = 0; i < TUI_THEME_COUNT; i++)
			add_word(out, typed, tui_theme_names[i], "");
		return;
	case TUI_DO_VERDICT:
		for (size_t i = 0; i < COUNT_OF(verdicts); i++)
			add_word(out, typed, verdicts[i], "");
		return;
	case TUI_DO_GOTO:
		for (size_t i = 0; i < COUNT_OF(moments); i++)
			add_word(out, typed, moments[i], "");
		return;
	default:
		break;
	}
	if (!sv_contains(rest, SV_LIT("|")) || rest.p[0] != '[' ||
	    (rest.p[1] >= 'A' && rest.p[1] <= 'Z'))
		return;
	rest = sv_make(rest.p + 1, rest.n - 2);
	while (rest.n) {
		const char *bar = memchr(rest.p, '|', rest.n);
		struct sv word = sv_make(rest.p, bar ? (size_t)(bar - rest.p) : rest.n);

		if (sv_starts(word, typed))
			tui_completion_add(out, word, SV_NONE);
		rest = sv_drop(rest, word.n + 1);
	}
}

static void add_columns(struct tui_app *app, struct tui_completions *out, enum tui_action a,
			struct sv typed)
{
	struct tui_view *v = tui_app_top(app);
	struct tui_table *t = v->ops->table ? v->ops->table(v) : NULL;
	const struct tui_column *c;
	size_t n;

	if (!t || (a != TUI_DO_SORT && a != TUI_DO_COLUMNS && a != TUI_DO_FREQUENCY &&
		   a != TUI_DO_DESCRIBE))
		return;
	n = tui_table_columns(t, &c);
	for (size_t i = 0; i < n; i++)
		add_word(out, typed, c[i].name, c[i].help ? c[i].help : "");
}

static void complete_argument(struct tui_app *app, enum tui_action a, struct sv line, size_t from,
			      size_t cursor, bool values, struct tui_completions *out)
{
	size_t begin = cursor;

	if (a == TUI_DO_FILTER && tui_filter_ops.complete) {
		size_t before = out->from;

		tui_filter_ops.complete(app, sv_drop(line, from), cursor - from, values, out);
		out->from = out->count ? out->from + from : before;
		return;
	}
	while (begin > from && line.p[begin - 1] != ' ' && line.p[begin - 1] != ',')
		begin--;
	out->from = begin;
	if (a == TUI_DO_FILTER_USE || a == TUI_DO_FILTER_SAVE)
		tui_app_saved_filters(app, sv_make(line.p + begin, cursor - begin), false, out);
	add_choices(out, a, sv_make(line.p + begin, cursor - begin));
	add_columns(app, out, a, sv_make(line.p + begin, cursor - begin));
}

static void complete_palette(struct tui_app *app, struct sv line, size_t cursor, bool values,
			     struct tui_completions *out)
{
	size_t n = 0;

	while (n < cursor && line.p[n] != ' ')
		n++;
	if (n == cursor) {
		out->from = 0;
		for (int a = 1; a < TUI_ACTION_COUNT; a++)
			if (a != TUI_DO_PALETTE)
				add_word(out, sv_make(line.p, cursor), tui_actions[a].name,
					 tui_actions[a].help);
		return;
	}
	complete_argument(app, tui_action_find(sv_make(line.p, n)), line, n + 1, cursor, values,
			  out);
}

static void complete_line(struct tui_app *app, struct sv line, size_t cursor, bool values,
			  struct tui_completions *out)
{
	complete_argument(app, app->prompt.action, line, 0, cursor, values, out);
}

const struct tui_prompt_ops tui_palette_ops = {.complete = complete_palette};
const struct tui_prompt_ops tui_argument_ops = {.complete = complete_line};
