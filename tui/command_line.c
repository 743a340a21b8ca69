/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/command_line.h"

#include "base/escape.h"

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

void tui_command_capture(struct tui_app *app, struct buf *out)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(app));

	if (c && c->there)
		tui_command_word(out, sv_of(c->path));
	else
		buf_reset(out);
}
