/* SPDX-License-Identifier: Apache-2.0 */
/* proc.*: names, command line and environment of the event's process. */
#include "engine/filter/fields.h"

struct sv flt_thread_attr(const struct state_thread *t, enum field_attr attr)
{
	switch (attr) {
	case ATTR_COMM:
		return state_sv(t->comm);
	case ATTR_EXE:
		return state_sv(t->exe);
	case ATTR_EXEPATH:
		return state_sv(t->exepath);
	case ATTR_CMDLINE:
		return state_thread_cmdline(t);
	}
	return SV_LIT("");
}

bool flt_x_proc_text(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	return t && flt_yield_text(out, flt_thread_attr(t, f->code));
}

struct sv flt_joined_list(struct flt_ctx *cx, const struct state_list *list)
{
	struct sv only;

	if (list->count == 0)
		return SV_LIT("");
	if (list->count == 1)
		return state_list_get(list, 0, &only) ? only : SV_LIT("");
	buf_reset(&cx->text);
	flt_join_list(&cx->text, list);
	return flt_keep_text(cx);
}

bool flt_x_proc_args(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct sv one;

	if (!t)
		return false;
	if (!f->arg_is_index)
		return flt_yield_text(out, flt_joined_list(cx, &t->args));
	if (!state_list_get(&t->args, (size_t)f->index, &one))
		one = SV_LIT("");
	return flt_yield_text(out, one);
}

bool flt_x_cmdnargs(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_u64(out, t->args.count);
}

bool flt_x_cmdlenargs(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	uint64_t sum = 0;
	struct sv item;

	(void)f;
	if (!t)
		return false;
	for (size_t at = 0; state_list_next(&t->args, &at, &item);)
		sum += item.n;
	return flt_yield_u64(out, sum);
}

bool flt_x_exeline(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	if (!t)
		return false;
	buf_reset(&cx->text);
	buf_sv(&cx->text, state_sv(t->exe));
	buf_char(&cx->text, ' ');
	flt_join_list(&cx->text, &t->args);
	return flt_yield_built(cx, out);
}

bool flt_x_cwd(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && flt_yield_text(out, state_thread_cwd(t));
}

struct sv flt_env_text(struct flt_ctx *cx, const struct state_thread *t)
{
	const struct state_thread *main = state_thread_main(t);

	return main ? flt_joined_list(cx, &main->env) : SV_LIT("");
}

bool flt_x_env(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct sv value;

	if (!t)
		return false;
	if (!f->has_arg || f->arg_is_index)
		return flt_yield_text(out, flt_env_text(cx, t));
	return flt_yield_text(out, state_thread_env(t, f->arg, &value) ? value : SV_LIT(""));
}

bool flt_x_nametid(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	if (!t)
		return false;
	buf_reset(&cx->text);
	buf_sv(&cx->text, state_sv(t->comm));
	buf_i64(&cx->text, cx->ev->tid);
	return flt_yield_built(cx, out);
}

bool flt_x_cgroups(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && t->cgroups.count && flt_yield_text(out, flt_joined_list(cx, &t->cgroups));
}

bool flt_x_cgroup(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct sv path;

	return t && state_thread_cgroup(t, f->arg, &path) && flt_yield_text(out, path);
}

bool flt_x_caps(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);
	struct buf *b = &cx->text;
	const char *name;
	uint64_t set;

	if (!t)
		return false;
	set = f->code == CAPS_PERMITTED	    ? t->cap_permitted
	      : f->code == CAPS_INHERITABLE ? t->cap_inheritable
					    : t->cap_effective;
	buf_reset(b);
	for (unsigned bit = 0; (name = flt_capability_name(bit)); bit++) {
		if (!(set >> bit & 1))
			continue;
		if (b->len)
			buf_char(b, ' ');
		buf_str(b, name);
	}
	return flt_yield_built(cx, out);
}
