/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/state_filter.h"

#include <stdlib.h>

#include "engine/activity/ask.h"

struct tui_state_filter {
	struct flt_program *program;
	struct act_question question; /* of a context of its own */
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
		rc =
		    flt_program_add(f->program, node, NULL, NULL, &f->question.condition, pos, err);
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
	flt_ctx_free(f->question.cx);
	flt_program_free(f->program);
	act_question_done(&f->question);
	free(f);
}

int tui_state_filter_at(struct tui_state_filter *f, const struct tui_moment *m, struct error *err)
{
	if (!f)
		return 0;
	flt_ctx_free(f->question.cx);
	f->question.cx = NULL;
	f->question.st = m->state;
	f->question.ts = m->ts;
	return flt_ctx_new(f->program, m->state, &f->question.cx, err);
}

/* --- asking --- */

bool tui_state_filter_passes(struct tui_state_filter *f, struct state_thread *t,
			     struct state_fd *fd)
{
	return !f || act_passes(&f->question, t, fd);
}

bool tui_state_filter_passes_past(struct tui_state_filter *f, const struct act_proc *p,
				  struct state_fd *fd)
{
	return !f || act_past_passes(&f->question, p, fd);
}

bool tui_state_filter_passes_dead(struct tui_state_filter *f, const struct act_proc *p)
{
	return tui_state_filter_passes_past(f, p, NULL);
}

bool tui_state_filter_passes_conn(struct tui_state_filter *f, const struct act_conn *c)
{
	return !f || act_conn_passes(&f->question, c);
}

bool tui_state_filter_passes_session(struct tui_state_filter *f, const struct act_session *s)
{
	return !f || act_session_passes(&f->question, s);
}

struct state_str *tui_state_filter_keep(struct tui_state_filter *f, struct sv s)
{
	return act_past_text(&f->question, s);
}
