/* SPDX-License-Identifier: Apache-2.0 */
/* The filter bar: what is typed there, what is offered, what is kept, and what is switched off. */
#include "tui/filter.h"

#include <sqlite3.h>
#include <string.h>

#include "tui/internal.h"
#include "tui/ruleset.h"

/* --- what short forms stand for --- */

static int about_alert(void *arg, uint64_t id, struct buf *out, struct error *err)
{
	struct tui_app *app = arg;
	struct qry_page page;
	int rc = qry_browse_alert(tui_data_alerts(app->data), (int64_t)id, &page, err);

	if (rc < 0)
		return rc;
	if (page.alerts->pid > 0)
		buf_addf(out, "proc.pid = %lld", (long long)page.alerts->pid);
	else
		buf_addf(out, "evt.num = %llu", (unsigned long long)page.alerts->evt_num);
	return 0;
}

static struct rule_loader *rules_of(void *arg)
{
	struct tui_ruleset *rules;

	return tui_app_rules(arg, &rules, NULL) == 0 ? tui_ruleset_loader(rules) : NULL;
}

static struct tui_filter_facts facts_of(struct tui_app *app)
{
	uint64_t num;

	return (struct tui_filter_facts){
	    .now = tui_data_time(app->data, &num),
	    .alert = about_alert,
	    .rules = rules_of,
	    .arg = app,
	};
}

static const struct tui_filter_language *language_of(const struct tui_app *app)
{
	return tui_app_top(app)->ops->language;
}

/* --- taking it --- */

static void say_error(struct tui_app *app, struct sv text, size_t pos, const struct error *err)
{
	if (pos < text.n)
		tui_app_say(app, TUI_ROLE_ERROR, "column %zu: %s", pos + 1, err->msg);
	else
		tui_app_say(app, TUI_ROLE_ERROR, "%s", err->msg);
}

/* Let the view have @text, with the words of rules written out. */
static int hand_over(struct tui_app *app, struct tui_view *v, struct sv text, size_t *pos,
		     struct error *err)
{
	const struct tui_filter_language *lang = v->ops->language;
	struct tui_filter_facts facts = facts_of(app);
	struct rule_in_full full;
	int rc;

	if (!text.n || (lang && lang->check))
		return v->ops->filter(v, text, pos, err);
	rc = tui_filter_in_full(&facts, text, &full, pos, err);
	if (rc < 0)
		return rc;
	rc = v->ops->filter(v, buf_view(&full.text), pos, err);
	if (rc < 0 && *pos < full.text.len)
		tui_filter_blame(&full, pos, err);
	rule_in_full_done(&full);
	return rc;
}

/* The view's filter becomes @text but for the parts in @off. Return: 0, or it was told why not. */
static int take(struct tui_app *app, struct tui_view *v, struct sv text, uint64_t off)
{
	struct buf active = {0}, kept = {0};
	struct error err = {0};
	size_t pos = SIZE_MAX;
	int rc;

	if (off)
		tui_filter_active(text, off, &active);
	else
		buf_sv(&active, text);
	buf_sv(&kept, text); /* it may be the view's own */
	rc = active.failed || kept.failed ? error_nomem(&err)
					  : hand_over(app, v, buf_view(&active), &pos, &err);
	if (rc < 0) {
		say_error(app, buf_view(&active), pos, &err);
		buf_done(&kept);
	} else {
		buf_done(&v->filter);
		v->filter = kept;
		v->chips_off = off;
		v->news = ~0u;
	}
	buf_done(&active);
	return rc;
}

void tui_app_condition(struct tui_view *v, struct buf *out)
{
	struct tui_filter_facts facts = facts_of(v->app);
	struct buf active = {0};
	struct rule_in_full full;
	size_t pos;

	tui_filter_active(buf_view(&v->filter), v->chips_off, &active);
	if (tui_filter_in_full(&facts, buf_view(&active), &full, &pos, NULL) == 0) {
		buf_sv(out, buf_view(&full.text));
		rule_in_full_done(&full);
	}
	buf_done(&active);
}

bool tui_app_filter_view(struct tui_app *app, struct tui_view *v, struct sv text)
{
	const struct tui_filter_language *lang = v->ops->language;
	struct tui_filter_facts facts = facts_of(app);
	struct buf whole = {0};
	struct error err = {0};
	bool taken = false;

	if (!v->ops->filter)
		tui_app_say(app, TUI_ROLE_NOTICE, "there is nothing to filter in this view");
	else if (!lang || !lang->word)
		taken = take(app, v, text, 0) == 0;
	else if (tui_filter_expand(lang->word, &facts, text, &whole, &err) < 0)
		tui_app_fail(app, &err);
	else
		taken = take(app, v, buf_view(&whole), 0) == 0;
	buf_done(&whole);
	return taken;
}

void tui_app_filter(struct tui_app *app, struct sv text)
{
	(void)tui_app_filter_view(app, tui_app_top(app), text);
}

/* --- parts that are switched off --- */

static void switch_chip(struct tui_app *app, struct sv arg)
{
	struct tui_view *v = tui_app_top(app);
	struct sv parts[TUI_CHIPS_MAX];
	size_t count = tui_filter_chips(buf_view(&v->filter), parts);
	uint64_t n;

	if (!v->ops->filter || !count)
		tui_app_say(app, TUI_ROLE_NOTICE, "there is no filter that has parts");
	else if (!tui_number(arg, &n) || !n || n > count)
		tui_app_say(app, TUI_ROLE_ERROR, "chip: the filter has parts 1 to %zu", count);
	else if (take(app, v, buf_view(&v->filter), v->chips_off ^ 1ull << (n - 1)) == 0)
		tui_app_say(app, TUI_ROLE_NORMAL, "part %llu is %s", (unsigned long long)n,
			    v->chips_off >> (n - 1) & 1 ? "switched off" : "on again");
}

/* --- filters that have names --- */

#define SAVED_SQL                                                                                  \
	"SELECT substr(name, 8), value FROM meta WHERE name >= 'filter ' AND name < 'filter!'"     \
	" ORDER BY name"

/* Return: false: there are no more (or none can be read). */
static bool next_saved(sqlite3_stmt *s, struct sv *name, struct sv *text)
{
	if (!s || sqlite3_step(s) != SQLITE_ROW)
		return false;
	name->p = (const char *)sqlite3_column_text(s, 0);
	name->n = (size_t)sqlite3_column_bytes(s, 0);
	text->p = (const char *)sqlite3_column_text(s, 1);
	text->n = (size_t)sqlite3_column_bytes(s, 1);
	return true;
}

static sqlite3_stmt *saved(struct tui_app *app)
{
	sqlite3_stmt *s = NULL;

	sqlite3_prepare_v2(tui_data_case(app->data), SAVED_SQL, -1, &s, NULL);
	return s;
}

void tui_app_saved_filters(struct tui_app *app, struct sv typed, bool texts,
			   struct tui_completions *out)
{
	sqlite3_stmt *s = saved(app);
	struct buf help = {0};
	struct sv name, text;

	while (next_saved(s, &name, &text)) {
		if (!texts && sv_starts(name, typed))
			tui_completion_add(out, name, text);
		if (!texts)
			continue;
		buf_reset(&help);
		buf_lit(&help, "saved as ");
		buf_sv(&help, name);
		tui_completion_add(out, text, buf_view(&help));
	}
	sqlite3_finalize(s);
	buf_done(&help);
}

static void save(struct tui_app *app, struct sv name)
{
	struct tui_view *v = tui_app_top(app);
	struct error err = {0};

	if (!v->filter.len)
		tui_app_say(app, TUI_ROLE_NOTICE, "there is no filter to be kept");
	else if (tui_data_save_filter(app->data, name, buf_view(&v->filter), &err) < 0)
		tui_app_fail(app, &err);
	else
		tui_app_say(app, TUI_ROLE_GOOD, "kept as %.*s%s", (int)name.n, name.p,
			    tui_data_case_path(app->data) ? ""
							  : " until the program ends (no --db)");
}

static void use(struct tui_app *app, struct sv wanted)
{
	sqlite3_stmt *s = saved(app);
	struct buf names = {0};
	struct sv name, text;
	bool found = false;

	while (!found && next_saved(s, &name, &text)) {
		found = wanted.n && sv_eq(name, wanted);
		if (found)
			tui_app_filter(app, text);
		buf_str(&names, names.len ? ", " : "");
		buf_sv(&names, name);
	}
	if (!found && !names.len)
		tui_app_say(app, TUI_ROLE_NOTICE, "no filter was kept so far: ':filter-save NAME'");
	else if (!found)
		tui_app_say(app, wanted.n ? TUI_ROLE_ERROR : TUI_ROLE_NORMAL, "%s: %s",
			    wanted.n ? "there is no filter of that name, only" : "kept",
			    buf_cstr(&names));
	sqlite3_finalize(s);
	buf_done(&names);
}

bool tui_app_filter_act(struct tui_app *app, const struct tui_command *c)
{
	switch (c->action) {
	case TUI_DO_FILTER_SAVE:
		save(app, c->arg);
		return true;
	case TUI_DO_FILTER_USE:
		use(app, c->arg);
		return true;
	case TUI_DO_CHIP:
		switch_chip(app, c->arg);
		return true;
	default:
		return false;
	}
}

/* --- while it is typed --- */

static void complete(struct tui_app *app, struct sv line, size_t cursor, bool values,
		     struct tui_completions *out)
{
	struct tui_filter_facts facts = facts_of(app);
	struct tui_filter_at at;

	out->from = 0;
	if (!line.n)
		tui_app_saved_filters(app, SV_NONE, true, out);
	if (cursor && *line.p == '@')
		return;
	tui_filter_at(line, cursor, &at);
	out->from = cursor - at.word.n - at.quoted;
	if (values && at.place == TUI_PLACE_VALUE)
		tui_app_filter_values(app, &at, out);
	if (!out->count || !line.n)
		tui_filter_names(language_of(app), &at, out);
	if (!language_of(app) || !language_of(app)->check)
		tui_filter_rule_names(&facts, &at, out);
}

static int check(struct tui_app *app, struct sv line, size_t *pos, struct error *err)
{
	/* What other views make of a word they know themselves. */
	static const struct tui_filter_language any = {.word = "proc.name icontains $"};
	const struct tui_filter_language *lang = language_of(app);
	struct tui_filter_facts facts = facts_of(app);

	if (lang && lang->check)
		return lang->check(line, pos, err);
	return tui_filter_check(lang ? lang : &any, &facts, line, pos, err);
}

const struct tui_prompt_ops tui_filter_ops = {.complete = complete, .check = check};
