/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.p*, proc.a* and the leaders of sessions and groups. The parent and ancestor N are processes;
 * "any ancestor" walks the threads that made each other, as the reference does.
 */
#include "engine/filter/fields.h"

#define ENV_LEVELS_MAX 20 /* how far up proc.aenv[NAME] looks */

/* What a field shows of one ancestor. */
typedef struct sv (*ancestor_text_fn)(struct flt_ctx *cx, const struct flt_field *f,
				      const struct state_thread *t);

static struct state_climb chain_of(struct flt_ctx *cx, const struct state_thread *t)
{
	const struct state_thread *main = state_thread_main(t);

	return state_climb_start(cx->st, main ? main : t);
}

static uint32_t chain_length(struct flt_ctx *cx, const struct state_thread *t)
{
	struct state_climb c = chain_of(cx, t);
	uint32_t n = 0;

	while (n < FLT_ANCESTORS_MAX && state_climb_next(&c))
		n++;
	return n;
}

/* Let @out be one candidate per ancestor; false without ancestors. */
static struct flt_datum *candidates(struct flt_ctx *cx, const struct state_thread *t,
				    struct flt_value *out)
{
	uint32_t n = chain_length(cx, t);
	struct flt_datum *items = n ? arena_zalloc(&cx->scratch, n, sizeof(*items)) : NULL;

	out->match = FLT_MATCH_ANY;
	out->count = n;
	out->items = items;
	return items;
}

static bool any_text(struct flt_ctx *cx, const struct flt_field *f, const struct state_thread *t,
		     ancestor_text_fn text, struct flt_value *out)
{
	struct flt_datum *items = candidates(cx, t, out);
	struct state_climb c = chain_of(cx, t);

	for (uint32_t i = 0; items && i < out->count; i++) {
		struct sv s = text(cx, f, state_climb_next(&c));

		items[i].p = s.p;
		items[i].n = s.n;
	}
	return items != NULL;
}

/* The texts of all ancestors, each behind a blank unless it is the first there is; absent if all
 * are empty. */
static bool joined_text(struct flt_ctx *cx, const struct flt_field *f, const struct state_thread *t,
			ancestor_text_fn text, struct flt_value *out)
{
	struct flt_value each = {0};
	struct buf *b = &cx->text;

	if (!any_text(cx, f, t, text, &each))
		return false;
	buf_reset(b);
	for (uint32_t i = 0; i < each.count; i++) {
		if (b->len)
			buf_char(b, ' ');
		buf_add(b, each.items[i].p, each.items[i].n);
	}
	return b->len && flt_yield_built(cx, out);
}

static struct sv attr_text(struct flt_ctx *cx, const struct flt_field *f,
			   const struct state_thread *t)
{
	(void)cx;
	return flt_thread_attr(t, f->code);
}

static struct sv args_text(struct flt_ctx *cx, const struct flt_field *f,
			   const struct state_thread *t)
{
	(void)f;
	return flt_joined_list(cx, &t->args);
}

static struct sv env_text(struct flt_ctx *cx, const struct flt_field *f,
			  const struct state_thread *t)
{
	(void)f;
	return flt_env_text(cx, t);
}

static const struct state_thread *ancestor(struct flt_ctx *cx, int64_t n)
{
	const struct state_thread *t = flt_thread(cx);

	/* No chain is longer than there are threads. */
	if (!t || n > STATE_THREADS_MAX)
		return NULL;
	return state_thread_ancestor(cx->st, t, (unsigned)n);
}

bool flt_x_parent(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *p = ancestor(cx, 1);

	return p && flt_yield_text(out, flt_thread_attr(p, f->code));
}

bool flt_x_ancestor(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	if (f->arg_is_index) {
		t = ancestor(cx, f->index);
		return t && flt_yield_text(out, flt_thread_attr(t, f->code));
	}
	if (!t)
		return false;
	return f->purpose == FLT_FOR_FILTER ? any_text(cx, f, t, attr_text, out)
					    : joined_text(cx, f, t, attr_text, out);
}

bool flt_x_ancestor_args(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	if (!f->arg_is_index)
		return t && joined_text(cx, f, t, args_text, out);
	t = ancestor(cx, f->index);
	return t && flt_yield_text(out, args_text(cx, f, t));
}

/* The value of a variable in the nearest ancestor that has it. */
static struct sv inherited_env(struct flt_ctx *cx, const struct state_thread *t, struct sv name)
{
	struct state_climb c = state_climb_start(cx->st, t);
	const struct state_thread *a;
	struct sv value;

	for (unsigned level = 0; level < ENV_LEVELS_MAX && (a = state_climb_next(&c)); level++)
		if (state_thread_env(a, name, &value))
			return value;
	return SV_LIT("");
}

bool flt_x_aenv(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct state_climb c;

	if (!t)
		return false;
	if (f->has_arg && !f->arg_is_index)
		return flt_yield_text(out, inherited_env(cx, t, f->arg));
	if (f->purpose == FLT_FOR_FILTER)
		return any_text(cx, f, t, env_text, out);
	c = state_climb_start(cx->st, t);
	for (int64_t n = f->index; t && n > 0; n--)
		t = state_climb_next(&c);
	return t && flt_yield_text(out, flt_env_text(cx, t));
}

/* Process ids outside this range are not shown; -1 marks placeholders. */
static bool yield_pid(struct flt_value *out, int64_t pid)
{
	return pid >= -1 && pid <= UINT32_MAX && flt_yield_i64(out, pid);
}

bool flt_x_pid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && yield_pid(out, t->pid);
}

bool flt_x_tid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	(void)f;
	return yield_pid(out, cx->ev->tid);
}

bool flt_x_ppid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *p = ancestor(cx, 1);

	(void)f;
	return p && yield_pid(out, p->pid);
}

static bool any_pid(struct flt_ctx *cx, const struct state_thread *t, struct flt_value *out)
{
	struct flt_datum *items = candidates(cx, t, out);
	struct state_climb c = chain_of(cx, t);

	for (uint32_t i = 0; items && i < out->count; i++)
		items[i].i = state_climb_next(&c)->pid;
	return items != NULL;
}

bool flt_x_apid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	if (t && !f->arg_is_index && f->purpose == FLT_FOR_FILTER)
		return any_pid(cx, t, out);
	t = ancestor(cx, f->index);
	return t && yield_pid(out, t->pid);
}

bool flt_x_pvpid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	t = t ? state_thread_find(cx->st, t->ptid) : NULL;
	return t && flt_yield_i64(out, t->vpid);
}

bool flt_x_loginshellid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx), *shell = NULL;
	struct state_climb c;

	(void)f;
	t = t ? state_thread_main(t) : NULL;
	if (!t)
		return false;
	c = state_climb_start(cx->st, t);
	for (unsigned level = 0; t && level < FLT_ANCESTORS_MAX; level++) {
		if (sv_ends(state_sv(t->comm), SV_LIT("sh")))
			shell = t;
		t = state_climb_next(&c);
	}
	return shell && flt_yield_i64(out, shell->pid);
}

static bool leader_text(struct flt_ctx *cx, enum state_leader which, unsigned attr,
			struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx), *leader;

	if (!t)
		return false;
	leader = state_thread_leader(cx->st, t, which);
	return flt_yield_text(out, leader ? flt_thread_attr(leader, attr) : SV_LIT(""));
}

bool flt_x_sid_leader(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return leader_text(cx, STATE_LEADER_SESSION, f->code, out);
}

bool flt_x_vpgid_leader(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return leader_text(cx, STATE_LEADER_VPGID, f->code, out);
}

bool flt_x_pgid_leader(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	return leader_text(cx, STATE_LEADER_PGID, f->code, out);
}
