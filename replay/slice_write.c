/* SPDX-License-Identifier: Apache-2.0 */
/* The second pass: the state where the slice begins, and the events. */
#include "engine/state/export.h"
#include "replay/slice_internal.h"

/* Everybody whose life the survey found has the same number again. */
static enum run_want want_of(struct run_slice *s, const struct state_thread *t)
{
	uint32_t life = run_lives_of(&s->lives, t);

	return life < s->lives.count ? (enum run_want)s->lives.list[life].want : RUN_WANT_NOTHING;
}

static enum state_part thread_part(void *arg, const struct state_thread *t)
{
	switch (want_of(arg, t)) {
	case RUN_WANT_NOTHING:
		return STATE_PART_NONE;
	case RUN_WANT_LIFE:
		return STATE_PART_THREAD;
	case RUN_WANT_CONTEXT:
	case RUN_WANT_ALL:
		break;
	}
	return STATE_PART_ALL;
}

static int put_item(void *arg, const struct ev_item *item, struct error *err)
{
	struct run_slice *s = arg;

	return sf_writer_item(s->writer, item, err);
}

static int write_state(struct run_slice *s, uint64_t ts, struct error *err)
{
	const struct state_export x = {
	    .part = s->opt->subject == RUN_OF_ALL ? NULL : thread_part,
	    .put = put_item,
	    .arg = s,
	    .ts = ts,
	};
	int rc;

	state_complete(s->state);
	state_settle(s->state, ts);
	s->began = true;
	rc = sf_writer_item(s->writer, &(struct ev_item){.kind = EV_ITEM_SECTION}, err);
	return rc < 0 ? rc : state_export(s->state, &x, err);
}

/* Does the part of this section begin with @item? */
static bool begins_with(struct run_slice *s, const struct ev_item *item)
{
	const struct run_part_of_slice *p;
	uint64_t num = state_stats(s->state)->events;

	if (s->began)
		return false;
	if (item->kind == EV_ITEM_EVENT && state_takes_as_initial(s->state, item->ev))
		return false;
	if (item->kind != EV_ITEM_EVENT && item->kind != EV_ITEM_URING &&
	    item->kind != EV_ITEM_LOSS)
		return false;
	if (s->surveyed) {
		p = run_slice_part(s, s->lives.section);
		return p && p->any && item->offset >= p->first;
	}
	if (item->kind == EV_ITEM_LOSS)
		return state_is_complete(s->state) && run_slice_loss_in_window(s, item->loss);
	return run_slice_in_window(s, item->ev, num + (item->kind == EV_ITEM_EVENT));
}

static bool is_over(struct run_slice *s, uint64_t offset)
{
	const struct run_part_of_slice *p =
	    s->surveyed ? run_slice_part(s, s->lives.section) : NULL;

	return s->surveyed && (!p || !p->any || offset > p->last);
}

enum keep { KEEP_NOT, KEEP_STATE, KEEP_SHOWN };

/* The call of a parent that makes a child is only of use with the child. */
static bool makes_somebody(struct run_slice *s, struct ev *ev)
{
	const struct state_thread *child;
	int64_t ret;

	if (!ev_return_value(ev, &ret) || ret <= 0)
		return true;
	child = state_thread_find(s->state, ret);
	return child && want_of(s, child) != RUN_WANT_NOTHING;
}

static bool is_clone(unsigned type)
{
	return type == EV_CLONE_20_X || type == EV_FORK_20_X || type == EV_VFORK_20_X ||
	       type == EV_CLONE3_X;
}

static bool is_of_life(unsigned type)
{
	return is_clone(type) || type == EV_EXECVE_19_X || type == EV_EXECVEAT_X ||
	       type == EV_PROCEXIT_1_E;
}

static enum keep keep_of_context(struct run_slice *s, const struct state_binding *b,
				 enum run_want want)
{
	unsigned type = b->ev->type;

	if (want == RUN_WANT_NOTHING || (want == RUN_WANT_LIFE && !is_of_life(type)))
		return KEEP_NOT;
	if (is_clone(type) && !makes_somebody(s, b->ev))
		return KEEP_NOT;
	return state_is_changed_by(b, s->opt->subject == RUN_OF_FILTER) ? KEEP_STATE : KEEP_NOT;
}

/* Events of the machine (users, containers, what the recorder tells) belong to everything. */
static enum keep keep_of_machine(struct run_slice *s, const struct state_binding *b, bool inside)
{
	if (b->ev->tid > 0 || !(ev_info(b->ev)->category & EC_METAEVENT))
		return KEEP_NOT;
	return inside && (!s->ctx || run_slice_passes(s, b)) ? KEEP_SHOWN : KEEP_STATE;
}

static enum keep keep_event(struct run_slice *s, const struct state_binding *b)
{
	bool inside = run_slice_in_window(s, b->ev, b->ev->num);
	const struct state_thread *t = run_slice_thread(s, b);
	enum run_want want;

	if (s->opt->subject == RUN_OF_ALL)
		return inside ? KEEP_SHOWN : KEEP_STATE;
	if (!t)
		return keep_of_machine(s, b, inside);
	want = want_of(s, t);
	if (inside &&
	    (s->opt->subject == RUN_OF_FILTER ? run_slice_passes(s, b) : want == RUN_WANT_ALL))
		return KEEP_SHOWN;
	return keep_of_context(s, b, want);
}

/* Operations change descriptors; conditions do not see them. */
static enum keep keep_operation(struct run_slice *s, const struct state_binding *b)
{
	const struct state_thread *t = run_slice_thread(s, b);
	bool inside = run_slice_in_window(s, b->ev, b->ev->num);
	enum run_want want = RUN_WANT_NOTHING;

	if (s->opt->subject == RUN_OF_ALL)
		want = RUN_WANT_ALL;
	else if (t)
		want = want_of(s, t);
	if (want < RUN_WANT_CONTEXT)
		return KEEP_NOT;
	return want == RUN_WANT_ALL && inside ? KEEP_SHOWN : KEEP_STATE;
}

static int write_event(struct run_slice *s, const struct ev *ev, enum keep keep, struct error *err)
{
	struct ev copy;

	if (keep == KEEP_NOT)
		return 0;
	copy = *ev;
	if (keep == KEEP_STATE)
		copy.block_flags |= EV_STATE_ONLY;
	if (copy.block_flags & EV_STATE_ONLY)
		s->found.state_only++;
	else
		s->found.events++;
	return sf_writer_event(s->writer, &copy, err);
}

/* After the state took it. */
static int write_item(struct run_slice *s, const struct ev_item *item, struct state_binding *b,
		      struct error *err)
{
	switch (item->kind) {
	case EV_ITEM_EVENT:
		return write_event(s, b->ev, keep_event(s, b), err);
	case EV_ITEM_URING:
		return write_event(s, b->ev, keep_operation(s, b), err);
	case EV_ITEM_LOSS:
		return run_slice_loss_in_window(s, item->loss)
			   ? sf_writer_item(s->writer, item, err)
			   : 0;
	case EV_ITEM_HASH:
		return sf_writer_item(s->writer, item, err);
	default:
		return 0;
	}
}

static int take_item(struct run_slice *s, const struct ev_item *item, struct error *err)
{
	struct state_binding b = {0};
	int rc = 0;

	if (item->kind == EV_ITEM_SECTION) {
		run_lives_section(&s->lives);
		s->began = false;
	}
	if (begins_with(s, item))
		rc =
		    write_state(s, item->kind == EV_ITEM_LOSS ? item->loss->to : item->ev->ts, err);
	if (rc == 0)
		rc = state_feed(s->state, item, &b, err);
	if (rc < 0)
		return rc;
	if (rc)
		run_slice_note_first(s, &b);
	return s->began && !is_over(s, item->offset) ? write_item(s, item, &b, err) : 0;
}

static bool is_last(const struct run_slice *s, uint64_t offset)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < s->nparts; i++)
		if (s->parts[i].any && s->parts[i].last > last)
			last = s->parts[i].last;
	return s->surveyed && offset > last;
}

static int write_items(struct run_slice *s, struct error *err)
{
	struct ev_item item;
	int rc;

	while ((rc = ev_source_next(sf_reader_source(s->reader), &item, err)) > 0) {
		if (run_slice_is_behind(s, &item) || is_last(s, item.offset))
			return 0;
		rc = take_item(s, &item, err);
		if (rc == 0)
			rc = run_slice_limits(s, err);
		if (rc)
			return rc;
	}
	return rc;
}

int run_slice_write(struct run_slice *s, struct sf_reader *r, const struct sf_index *x,
		    struct sf_writer *w, struct error *err)
{
	int rc;

	s->writer = w;
	rc = run_slice_begin(s, r, x, err);
	if (rc == 0 && s->opt->subject != RUN_OF_ALL)
		run_lives_attach(&s->lives, s->state);
	if (rc == 0)
		rc = write_items(s, err);
	run_slice_end(s);
	if (rc)
		return rc == RUN_SLICE_STOPPED ? s->stopped : rc;
	return s->found.events > 0;
}
