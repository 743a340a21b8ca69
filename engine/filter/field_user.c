/* SPDX-License-Identifier: Apache-2.0 */
/* user.* and group.*: accounts as the capture lists them; root is known without a list. */
#include "engine/filter/fields.h"

bool flt_x_uid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, t->uid);
}

bool flt_x_gid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, t->gid);
}

bool flt_x_loginuid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_i64(out, t->loginuid == EV_NO_ID ? -1 : (int64_t)t->loginuid);
}

/* The user a container is started as, on the event that announces the container. */
static struct sv announced_user(struct flt_ctx *cx)
{
	const struct state_container *c;

	if (cx->ev->type != EV_CONTAINER_JSON_2_E && cx->ev->type != EV_ASYNCEVENT_E)
		return SV_NONE;
	c = state_container_of_event(cx->st, cx->ev);
	return c ? state_sv(c->user) : SV_NONE;
}

static struct sv user_text(const struct state_user *u, uint32_t uid, unsigned what)
{
	switch (what) {
	case USER_HOME:
		if (u)
			return state_sv(u->home);
		return uid == 0 ? SV_LIT("/root") : SV_LIT("<NA>");
	case USER_SHELL:
		return u ? state_sv(u->shell) : SV_LIT("<NA>");
	default:
		if (u)
			return state_sv(u->name);
		return uid == 0 ? SV_LIT("root") : SV_LIT("<NA>");
	}
}

bool flt_x_user(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	uint32_t uid;
	struct sv s;

	if (!t)
		return false;
	s = f->code == USER_NAME ? announced_user(cx) : SV_NONE;
	if (s.n)
		return flt_yield_text(out, s);
	uid = f->code == USER_LOGIN ? t->loginuid : t->uid;
	return flt_yield_text(
	    out, user_text(state_user_find(cx->st, t->container_id, uid), uid, f->code));
}

bool flt_x_group_name(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	const struct state_user *g;

	(void)f;
	if (!t)
		return false;
	g = state_group_find(cx->st, t->container_id, t->gid);
	return flt_yield_text(out, user_text(g, t->gid, USER_NAME));
}
