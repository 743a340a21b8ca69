/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/command_line.h"

#include "base/escape.h"
#include "tui/ruleset.h"

void tui_command_at(struct tui_app *app, const char *verb, struct buf *out)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(app));
	uint64_t num;

	(void)tui_data_time(tui_app_data(app), &num);
	buf_addf(out, "scapula %s", verb);
	if (c && num && num < c->events)
		buf_addf(out, " --at evt:%llu", (unsigned long long)num);
}

void tui_command_word(struct buf *out, struct sv text)
{
	buf_char(out, ' ');
	escape_shell(out, text);
}

void tui_command_filter(struct tui_view *v, struct buf *out)
{
	struct buf condition = {0};

	tui_app_condition(v, &condition);
	if (condition.len) {
		buf_lit(out, " -F");
		tui_command_word(out, buf_view(&condition));
	}
	buf_done(&condition);
}

void tui_command_capture(struct tui_app *app, struct buf *out)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(app));

	if (c && c->there)
		tui_command_word(out, sv_of(c->path));
	else
		buf_reset(out);
}

bool tui_command_rules(struct tui_app *app, struct buf *out)
{
	const struct rule_result *files;
	struct tui_ruleset *s;
	size_t n = 0;

	if (tui_app_rules(app, &s, NULL) < 0 || tui_ruleset_origin(s) == TUI_RULES_NONE ||
	    tui_ruleset_origin(s) == TUI_RULES_TEXTS)
		return false;
	files = rule_loader_results(tui_ruleset_loader(s), &n);
	for (size_t i = 0; i < n; i++) {
		buf_lit(out, " -r");
		tui_command_word(out, sv_of(files[i].name));
	}
	return n > 0;
}

void tui_command_explain(struct tui_app *app, struct sv rule, uint64_t num, struct buf *out)
{
	buf_lit(out, "scapula explain");
	if (rule.n) {
		buf_lit(out, " --rule");
		tui_command_word(out, rule);
	}
	if (num)
		buf_addf(out, " --evt %llu", (unsigned long long)num);
	if (tui_command_rules(app, out))
		tui_command_capture(app, out);
	else
		buf_reset(out);
}
