/* SPDX-License-Identifier: Apache-2.0 */
/* Views that are still to be made. */
#include <stdlib.h>

#include "tui/internal.h"

static int open_stub(struct tui_app *app, const struct tui_target *t, struct tui_view **out, struct error *err)
{
	(void)app, (void)t;
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : error_nomem(err);
}

static void close_stub(struct tui_view *v)
{
	free(v);
}

static int sync_stub(struct tui_view *v, unsigned news, struct error *err)
{
	(void)v, (void)news, (void)err;
	return 0;
}

static void draw_stub(struct tui_view *v, const struct tui_area *a)
{
	tui_puts(a, 0, 1, TUI_ROLE_DIM, v->ops->title);
}

#define STUB(sym, n, t) const struct tui_view_ops tui_##sym##_ops = {.name = n, .title = t, .open = open_stub, .close = close_stub, .sync = sync_stub, .draw = draw_stub};
STUB(rules, "rules", "Rules")
STUB(rule, "rule", "Rule")
