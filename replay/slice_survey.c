/* SPDX-License-Identifier: Apache-2.0 */
/* The first pass: where the slice begins and ends, and who is needed. */
#include "replay/slice_internal.h"

static void widen(struct run_part_of_slice *p, uint64_t first, uint64_t last)
{
	if (!p)
		return;
	if (!p->any || first < p->first)
		p->first = first;
	if (!p->any || last > p->last)
		p->last = last;
	p->any = true;
}

static void want_all(struct run_slice *s, uint32_t life)
{
	if (life != RUN_NO_LIFE)
		s->lives.list[life].want = RUN_WANT_ALL;
}

static bool is_of_container(const struct run_slice *s, const struct state_thread *t)
{
	struct sv id = state_sv(t->container_id), want = sv_of(s->opt->container);
	const struct state_container *c;

	if (!id.n)
		return false;
	if (sv_starts(id, want) || sv_starts(want, id))
		return true;
	c = state_container_find(s->state, id);
	return c && (sv_eq(state_sv(c->name), want) ||
		     (want.n >= 12 && sv_starts(state_sv(c->full_id), want)));
}

/* Processes are there without doing anything. */
static void look_around(struct run_slice *s)
{
	struct state_thread *t;

	s->cut_seen = true;
	if (s->opt->subject == RUN_OF_ALL)
		return;
	run_lives_note_parents(&s->lives, s->state);
	for (size_t at = 0;
	     s->opt->subject == RUN_OF_CONTAINER && (t = state_thread_next(s->state, &at));)
		if (is_of_container(s, t))
			want_all(s, run_lives_of(&s->lives, t));
}

/* --- which process is meant --- */

static int64_t group_of(const struct state_thread *t)
{
	return t->pgid > 0 ? t->pgid : t->vpgid;
}

static void want_group(struct run_slice *s, const struct state_thread *of)
{
	struct state_thread *t;

	if (group_of(of) <= 0)
		return;
	for (size_t at = 0; (t = state_thread_next(s->state, &at));)
		if (group_of(t) == group_of(of) && t->sid == of->sid &&
		    sv_eq(state_sv(t->container_id), state_sv(of->container_id)))
			want_all(s, run_lives_of(&s->lives, t));
}

static void want_process(struct run_slice *s, const struct state_thread *t)
{
	const struct state_thread *a;

	s->matched = true;
	if (s->opt->group)
		want_group(s, t);
	for (unsigned up = s->opt->up; up; up--) {
		a = state_thread_ancestor(s->state, t, up);
		if (!a)
			continue;
		t = a;
		break;
	}
	want_all(s, run_lives_of(&s->lives, t));
}

/* Before the event that lies behind the moment. */
static void look_for_pid_at(struct run_slice *s, const struct ev *ev)
{
	const struct run_slice_options *o = s->opt;
	uint64_t ts = o->at_ts + (o->at_relative ? state_stats(s->state)->first_event_ts : 0);
	const struct state_thread *t;

	if (o->at_event ? state_stats(s->state)->events < o->at_event
			: ev->ts == UINT64_MAX || ev->ts <= ts)
		return;
	t = state_thread_find(s->state, o->pid);
	s->matched = true;
	if (t)
		want_process(s, t);
}

/* The first life of that number that is there within the window. */
static void look_for_pid(struct run_slice *s, const struct state_thread *t)
{
	static const struct run_life nobody;
	uint32_t life = run_lives_find(&s->lives, s->opt->pid);
	const struct run_life *l = life == RUN_NO_LIFE ? &nobody : &s->lives.list[life];

	if (life == RUN_NO_LIFE || l->want == RUN_WANT_ALL)
		return;
	if (s->matched) {
		/* Each is counted once, when its first event comes. */
		if (l->first == l->last && l->last && run_lives_of(&s->lives, t) == life)
			s->found.others++;
		return;
	}
	t = state_thread_find(s->state, s->opt->pid);
	if (t)
		want_process(s, t);
}

static void look_for_subject(struct run_slice *s, const struct state_binding *b,
			     const struct state_thread *t)
{
	switch (s->opt->subject) {
	case RUN_OF_ALL:
	case RUN_OF_FILTER:
		break;
	case RUN_OF_PROCESS:
		if (!s->opt->at_event && !s->opt->at_ts)
			look_for_pid(s, t);
		break;
	case RUN_OF_EVENT:
		if (b->ev->num == s->opt->event)
			want_process(s, t);
		break;
	case RUN_OF_CONTAINER:
		if (is_of_container(s, t))
			want_all(s, run_lives_of(&s->lives, t));
		break;
	}
}

/* --- survey: one item --- */

static void survey_event(struct run_slice *s, const struct state_binding *b, uint64_t offset)
{
	const struct state_thread *t = run_slice_thread(s, b);
	bool inside = run_slice_in_window(s, b->ev, b->ev->num);
	uint32_t life;

	if (inside && !s->cut_seen)
		look_around(s);
	if (s->opt->subject == RUN_OF_ALL) {
		if (inside)
			widen(run_slice_part(s, s->lives.section), offset, offset);
		return;
	}
	if (!t)
		return;
	if (s->opt->subject == RUN_OF_FILTER) {
		if (!inside || !run_slice_passes(s, b))
			return;
		life = run_lives_of(&s->lives, t);
		if (life != RUN_NO_LIFE) {
			s->lives.list[life].want = RUN_WANT_CONTEXT;
			s->lives.list[life].refers = true;
		}
	}
	if (inside)
		run_lives_note(&s->lives, s->state, t, b->ev, offset);
	if (inside || s->opt->subject == RUN_OF_EVENT)
		look_for_subject(s, b, t);
}

static void survey_loss(struct run_slice *s, const struct ev_item *item)
{
	struct run_part_of_slice *p = run_slice_part(s, s->lives.section);

	if (!p || !run_slice_loss_in_window(s, item->loss))
		return;
	if (!p->loss_last)
		p->loss_first = item->offset;
	p->loss_last = item->offset;
}

static int survey_item(struct run_slice *s, const struct ev_item *item, struct error *err)
{
	const struct run_slice_options *o = s->opt;
	struct state_binding b;
	int rc;

	if (item->kind == EV_ITEM_SECTION)
		run_lives_section(&s->lives);
	if (item->kind == EV_ITEM_EVENT && o->subject == RUN_OF_PROCESS && !s->matched &&
	    (o->at_event || o->at_ts) && state_is_complete(s->state))
		look_for_pid_at(s, item->ev);
	rc = state_feed(s->state, item, &b, err);
	if (rc < 0)
		return rc;
	if (item->kind == EV_ITEM_LOSS)
		survey_loss(s, item);
	if (rc == 0 && item->kind != EV_ITEM_URING)
		return 0;
	if (rc)
		run_slice_note_first(s, &b);
	survey_event(s, &b, item->offset);
	return 0;
}

static int survey_items(struct run_slice *s, struct error *err)
{
	struct ev_item item;
	int rc;

	while ((rc = ev_source_next(sf_reader_source(s->reader), &item, err)) > 0) {
		if (run_slice_is_behind(s, &item))
			return 0;
		rc = survey_item(s, &item, err);
		if (rc == 0)
			rc = run_slice_limits(s, err);
		if (rc)
			return rc;
	}
	return rc;
}

/* --- what the survey found --- */

static void settle_parts(struct run_slice *s)
{
	const struct run_lives *l = &s->lives;

	for (uint32_t i = 0; i < l->count; i++) {
		const struct run_life *life = &l->list[i];

		s->found.processes += life->want == RUN_WANT_ALL;
		s->found.context += life->want == RUN_WANT_CONTEXT;
		if (life->last && (life->want == RUN_WANT_ALL || s->opt->subject == RUN_OF_FILTER))
			widen(run_slice_part(s, life->section), life->first, life->last);
	}
	for (uint32_t i = 0; i < s->nparts; i++) {
		struct run_part_of_slice *p = &s->parts[i];

		if (p->any && p->loss_last)
			widen(p, p->loss_first, p->loss_last);
	}
}

static bool any_part(const struct run_slice *s)
{
	for (uint32_t i = 0; i < s->nparts; i++)
		if (s->parts[i].any)
			return true;
	return false;
}

/* The moment at which a process is meant may be the end of the capture. */
static void look_at_the_end(struct run_slice *s)
{
	const struct state_thread *t;

	if (s->opt->subject != RUN_OF_PROCESS || s->matched)
		return;
	t = state_thread_find(s->state, s->opt->pid);
	if (t && (s->opt->at_event || s->opt->at_ts))
		want_process(s, t);
}

int run_slice_survey(struct run_slice *s, const char *path, const struct sf_index *x,
		     struct error *err)
{
	struct sf_reader *r;
	int rc = sf_reader_open(path, NULL, &r, err);

	if (rc < 0)
		return rc;
	s->surveyed = true;
	rc = run_slice_begin(s, r, x, err);
	if (rc == 0) {
		run_lives_attach(&s->lives, s->state);
		rc = survey_items(s, err);
	}
	if (rc == 0) {
		look_at_the_end(s);
		rc = run_lives_close(&s->lives, s->opt->descendants, err);
	}
	if (rc == 0)
		settle_parts(s);
	if (rc == 0 && s->lives.nomem)
		rc = error_nomem(err);
	run_slice_end(s);
	sf_reader_close(r);
	if (rc)
		return rc == RUN_SLICE_STOPPED ? s->stopped : rc;
	return any_part(s);
}
