/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/activity/ask.h"

#include <string.h>

struct check {
	const char *classes;
	const struct flt_expr *bad;
};

static void check_field(void *arg, const struct flt_expr *field)
{
	struct check *c = arg;
	const char *dot = memchr(field->text.p, '.', field->text.n);
	size_t n = dot ? (size_t)(dot - field->text.p) : field->text.n;

	for (const char *p = c->classes; *p;) {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, field->text.p, n) == 0)
			return;
		p += len + (p[len] == ' ');
	}
	if (!c->bad)
		c->bad = field;
}

const struct flt_expr *act_foreign_field(const struct flt_node *n, const char *classes)
{
	struct check c = {.classes = classes};

	flt_visit_fields(n, check_field, &c);
	return c.bad;
}

bool act_passes(struct flt_ctx *cx, unsigned condition, const struct state *st,
		struct state_thread *t, struct state_fd *fd, uint64_t ts)
{
	struct ev ev = {
	    .type = EV_FSTAT_X, .ts = ts, .tid = t->tid, .num = state_stats(st)->events};
	struct state_binding b = {.ev = &ev, .thread = t, .fd = fd, .visible = true};
	int64_t last_fd = t->lastevent_fd;
	bool ok;

	t->lastevent_fd = fd ? fd->num : -1;
	flt_ctx_event(cx, &b);
	ok = flt_match(cx, condition);
	t->lastevent_fd = last_fd;
	return ok;
}
