/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/state_filter.h"

#include <stdlib.h>

#include "engine/activity/ask.h"

struct tui_state_filter {
	struct flt_program *program;
	struct flt_ctx *cx;
	unsigned id;
	const struct tui_moment *m;
	uint64_t fakes;	    /* records made up so far */
	struct arena texts; /* of the one at hand */
};

/* --- the condition --- */

static int compile(struct tui_state_filter *f, struct sv text, const char *classes,
		   struct flt_pos *pos, struct error *err)
{
	struct arena arena = {0};
	struct flt_node *node;
	const struct flt_expr *bad;
	int rc = flt_parse(text, FLT_DEPTH_DEFAULT, &arena, &node, pos, err);

	if (rc == 0)
		rc = flt_program_add(f->program, node, NULL, NULL, &f->id, pos, err);
	if (rc == 0) {
		bad = act_foreign_field(node, classes);
		if (bad) {
			*pos = bad->pos;
			rc = error_set(err, ERR_COMPILE,
				       "'%.*s' is about events; fields of %s make sense here",
				       (int)bad->text.n, bad->text.p, classes);
		}
	}
	arena_done(&arena);
	return rc == 0 ? flt_program_seal(f->program, err) : rc;
}

int tui_state_filter_new(struct sv text, const char *classes, struct tui_state_filter **out,
			 size_t *pos, struct error *err)
{
	static const struct flt_options opt = {0};
	struct tui_state_filter *f;
	struct flt_pos at = {0};
	int rc;

	if (!text.n) {
		*out = NULL;
		return 0;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return error_nomem(err);
	rc = flt_program_new(&opt, &f->program, err);
	if (rc == 0)
		rc = compile(f, text, classes, &at, err);
	*pos = at.index;
	if (rc < 0)
		tui_state_filter_free(f);
	else
		*out = f;
	return rc;
}

void tui_state_filter_free(struct tui_state_filter *f)
{
	if (!f)
		return;
	flt_ctx_free(f->cx);
	flt_program_free(f->program);
	arena_done(&f->texts);
	free(f);
}

int tui_state_filter_at(struct tui_state_filter *f, const struct tui_moment *m, struct error *err)
{
	if (!f)
		return 0;
	flt_ctx_free(f->cx);
	f->cx = NULL;
	f->m = m;
	return flt_ctx_new(f->program, m->state, &f->cx, err);
}

/* --- asking --- */

bool tui_state_filter_passes(struct tui_state_filter *f, struct state_thread *t,
			     struct state_fd *fd)
{
	return !f || act_passes(f->cx, f->id, f->m->state, t, fd, f->m->ts);
}

struct state_str *tui_state_filter_keep(struct tui_state_filter *f, struct sv s)
{
	struct state_str *text = s.n ? arena_alloc(&f->texts, sizeof(*text) + s.n + 1) : NULL;

	if (!text)
		return NULL;
	text->refs = 1;
	text->len = (uint32_t)s.n;
	memcpy(text->text, s.p, s.n);
	text->text[s.n] = '\0';
	return text;
}

static struct state_str *command_of(struct tui_state_filter *f, const struct act_proc *p)
{
	struct buf b = {0};
	struct state_str *text;

	buf_sv(&b, p->comm);
	if (p->arg_count)
		buf_char(&b, ' ');
	for (size_t i = 0; i < p->args.n; i++)
		buf_char(&b, p->args.p[i] ? p->args.p[i] : ' ');
	text = tui_state_filter_keep(f, buf_view(&b));
	buf_done(&b);
	return text;
}

bool tui_state_filter_passes_past(struct tui_state_filter *f, const struct act_proc *p,
				  struct state_fd *fd)
{
	struct state_thread t = {0};
	bool passes;

	if (!f)
		return true;
	t = (struct state_thread){
	    .tid = p->pid,
	    .pid = p->pid,
	    .lastevent_type = UINT16_MAX,
	    .lastevent_fd = -1,
	    /* Results are remembered by it: it must be no real thread's. */
	    .generation = UINT64_MAX / 2 + ++f->fakes,
	    .vtid = p->vpid,
	    .vpid = p->vpid,
	    .sid = p->sid,
	    .pgid = p->pgid,
	    .vpgid = p->vpgid,
	    .comm = tui_state_filter_keep(f, p->comm),
	    .exe = tui_state_filter_keep(f, p->exe),
	    .exepath = tui_state_filter_keep(f, p->exepath),
	    .cwd = tui_state_filter_keep(f, p->cwd),
	    .cmdline = command_of(f, p),
	    .args = {tui_state_filter_keep(f, p->args), p->arg_count},
	    .container_id = tui_state_filter_keep(f, p->container),
	    .uid = p->uid,
	    .gid = p->gid,
	    .loginuid = p->loginuid,
	    .tty = p->tty,
	    .cap_inheritable = p->cap_inheritable,
	    .cap_permitted = p->cap_permitted,
	    .cap_effective = p->cap_effective,
	    .clone_ts = p->start_ts,
	    .lastexec_ts = p->exec_ts,
	    .exec_count = p->exec_count,
	};
	passes = act_passes(f->cx, f->id, f->m->state, &t, fd, f->m->ts);
	arena_reset(&f->texts);
	return passes;
}

bool tui_state_filter_passes_dead(struct tui_state_filter *f, const struct act_proc *p)
{
	return tui_state_filter_passes_past(f, p, NULL);
}
