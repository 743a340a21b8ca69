/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/tests/fake_app.h"

#include <stdarg.h>
#include <stdio.h>

const struct tui_view_ops tui_frequency_ops = {.name = "frequency"};

void tui_app_say(struct tui_app *app, enum tui_role role, const char *fmt, ...)
{
	va_list ap;

	app->role = role;
	va_start(ap, fmt);
	vsnprintf(app->said, sizeof(app->said), fmt, ap);
	va_end(ap);
}

void tui_app_fail(struct tui_app *app, const struct error *err)
{
	app->failed = *err;
	app->failures++;
}

void tui_app_push(struct tui_app *app, const struct tui_view_ops *ops, const struct tui_target *t)
{
	app->pushed = ops;
	snprintf(app->target, sizeof(app->target), "%.*s", (int)t->text.n,
		 t->text.n ? t->text.p : "");
}
