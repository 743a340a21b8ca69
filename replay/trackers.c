/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/trackers.h"

#include <stdlib.h>

#include "base/archive.h"
#include "replay/checkpoint.h"

static void on_added(void *arg, const struct state *st, const struct state_thread *th,
		     const struct ev *ev)
{
	const struct run_trackers *t = arg;

	for (unsigned i = 0; i < t->observed; i++)
		t->observers[i].thread_added(t->observers[i].arg, st, th, ev);
}

static void on_exec(void *arg, const struct state *st, const struct state_thread *th,
		    const struct ev *ev)
{
	const struct run_trackers *t = arg;

	for (unsigned i = 0; i < t->observed; i++)
		t->observers[i].thread_exec(t->observers[i].arg, st, th, ev);
}

static void on_exit_of(void *arg, const struct state *st, const struct state_thread *th,
		       const struct ev *ev, int64_t status)
{
	const struct run_trackers *t = arg;

	for (unsigned i = 0; i < t->observed; i++)
		t->observers[i].thread_exit(t->observers[i].arg, st, th, ev, status);
}

static void on_removed(void *arg, const struct state *st, const struct state_thread *th)
{
	const struct run_trackers *t = arg;

	for (unsigned i = 0; i < t->observed; i++)
		t->observers[i].thread_removed(t->observers[i].arg, st, th);
}

/* All sockets, so that any command finds those it shows among them. */
static const struct act_net_options all_sockets = {.unix_sockets = true};

/* The trackers are there: let them see what happens. */
static void follow(struct run_trackers *t, struct state *st)
{
	const struct state_observer all = {t, on_added, on_exec, on_exit_of, on_removed};

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		t->wants[type] = act_net_wants(type) || (t->sessions && act_sessions_wants(type));
		t->tell[type] = (uint8_t)(act_net_tell(type) | act_sessions_tell(type));
	}
	t->observers[t->observed++] = act_procs_observer(t->procs);
	if (t->sessions)
		t->observers[t->observed++] = act_sessions_observer(t->sessions);
	state_observe(st, &all);
}

int run_trackers_init(struct run_trackers *t, struct state *st, struct error *err)
{
	int rc = act_procs_new(true, &t->procs, err);

	if (rc == 0)
		rc = act_net_new(&all_sockets, &t->net, err);
	if (rc == 0)
		rc = act_sessions_new(NULL, &t->sessions, err);
	if (rc == 0)
		follow(t, st);
	return rc;
}

int run_trackers_enter(struct run_trackers *t, const struct sf_index *x, size_t i, bool gone,
		       struct state *st, struct error *err)
{
	const struct act_net_options sockets = {.unix_sockets = true, .drop_closed = !gone};
	int rc = run_index_procs(x, i, gone, &t->procs, err);

	if (rc == 0)
		rc = run_index_net(x, i, &sockets, &t->net, err);
	if (rc == 0 && sf_index_parts(x, i) & 1u << RUN_PART_SESSIONS)
		rc = run_index_sessions(x, i, &t->sessions, err);
	if (rc == 0)
		follow(t, st);
	return rc;
}

void run_trackers_done(struct run_trackers *t)
{
	act_procs_free(t->procs);
	act_net_free(t->net);
	act_sessions_free(t->sessions);
	for (unsigned i = 0; i < COUNT_OF(t->parts); i++)
		buf_done(&t->parts[i]);
	*t = (struct run_trackers){0};
}

void run_trackers_item(struct run_trackers *t, const struct ev_item *item)
{
	if (item->kind != EV_ITEM_SECTION)
		return;
	t->started = false;
	act_net_section(t->net);
	if (t->sessions)
		act_sessions_section(t->sessions);
}

void run_trackers_take(struct run_trackers *t, const struct state *st,
		       const struct state_binding *b)
{
	t->started = state_is_complete(st);
	act_net_event(t->net, st, b);
	if (t->sessions)
		act_sessions_event(t->sessions, st, b);
}

/* ---- checkpoints ---- */

static int add(struct sf_index_writer *w, enum run_part part, const struct buf *b,
	       struct error *err)
{
	if (b->failed)
		return error_nomem(err);
	return b->len ? sf_index_add_part(w, part, b->p, b->len, err) : 0;
}

static int save_procs(struct run_trackers *t, struct sf_index_writer *w, struct buf *living,
		      struct buf *dead, struct error *err)
{
	struct archive a = archive_to(living);
	int rc;

	if (act_procs_stats(t->procs)->dropped)
		return 0;
	rc = act_procs_archive(t->procs, &a);
	a = archive_to(dead);
	if (rc == 0)
		rc = act_procs_archive_dead(t->procs, 0, &a);
	if (rc < 0)
		return error_nomem(err);
	act_procs_forget_dead(t->procs);
	rc = add(w, RUN_PART_PROCS, living, err);
	return rc < 0 ? rc : add(w, RUN_PART_DEAD, dead, err);
}

static int save_net(struct run_trackers *t, const struct state *st, struct sf_index_writer *w,
		    struct buf *live, struct buf *ended, struct error *err)
{
	int rc = act_net_save(t->net, st, live, ended, err);

	if (rc > 0)
		rc = add(w, RUN_PART_NET, live, err);
	return rc < 0 ? rc : add(w, RUN_PART_ENDED, ended, err);
}

/* All sessions and their commands each time: only as long as they are few. */
static int save_sessions(struct run_trackers *t, struct sf_index_writer *w, uint64_t room,
			 struct buf *all, struct error *err)
{
	int rc = act_sessions_save(t->sessions, all, err);

	return rc > 0 && all->len <= room ? add(w, RUN_PART_SESSIONS, all, err) : rc < 0 ? rc : 0;
}

int run_trackers_save(struct run_trackers *t, const struct state *st, struct sf_index_writer *w,
		      uint64_t room, struct error *err)
{
	struct buf *b = t->parts;
	int rc;

	for (unsigned i = 0; i < COUNT_OF(t->parts); i++)
		buf_reset(&b[i]);
	rc = save_procs(t, w, &b[0], &b[1], err);
	if (rc == 0)
		rc = save_net(t, st, w, &b[2], &b[3], err);
	if (rc == 0)
		rc = save_sessions(t, w, room, &b[4], err);
	return rc;
}

/* The parts @part of chunks up to @i, of which there may be many: freed by the caller. */
static int load_log(const struct sf_index *x, size_t i, enum run_part part, struct buf *all,
		    struct sv **views, struct error *err)
{
	struct buf one = {0};
	size_t *ends = calloc(i + 1, sizeof(*ends));
	int rc = ends ? 0 : error_nomem(err);

	*views = calloc(i + 1, sizeof(**views));
	if (rc == 0 && !*views)
		rc = error_nomem(err);
	for (size_t k = 1; rc == 0 && k <= i; k++) {
		rc = sf_index_part(x, k, part, &one, err);
		buf_sv(all, buf_view(&one));
		ends[k] = all->len;
	}
	if (rc == 0 && all->failed)
		rc = error_nomem(err);
	for (size_t k = 1; rc == 0 && all->len && k <= i; k++)
		(*views)[k - 1] = sv_make(all->p + ends[k - 1], ends[k] - ends[k - 1]);
	buf_done(&one);
	free(ends);
	return rc;
}

static int restored(int rc, const struct archive *a, const char *what, struct error *err)
{
	if (a->trouble)
		return error_set(err, ERR_FORMAT, "what is known of %s: %s", what, a->trouble);
	return rc < 0 ? error_nomem(err) : 0;
}

int run_index_procs(const struct sf_index *x, size_t i, bool keep_dead, struct act_procs **out,
		    struct error *err)
{
	struct act_procs *p = NULL;
	struct buf b = {0};
	struct archive a;
	int rc = act_procs_new(keep_dead, &p, err);

	if (rc == 0)
		rc = sf_index_part(x, i, RUN_PART_PROCS, &b, err);
	if (rc == 0) {
		a = archive_from(b.p, b.len);
		rc = restored(act_procs_archive(p, &a), &a, "processes", err);
	}
	for (size_t k = 1; keep_dead && rc == 0 && k <= i; k++) {
		rc = sf_index_part(x, k, RUN_PART_DEAD, &b, err);
		a = archive_from(b.p, b.len);
		if (rc == 0 && b.len)
			rc = restored(act_procs_archive_dead(p, 0, &a), &a, "processes", err);
	}
	buf_done(&b);
	if (rc < 0)
		act_procs_free(p);
	else
		*out = p;
	return rc;
}

int run_index_net(const struct sf_index *x, size_t i, const struct act_net_options *opt,
		  struct act_net **out, struct error *err)
{
	struct buf live = {0}, ended = {0};
	struct sv *logs = NULL;
	int rc = sf_index_part(x, i, RUN_PART_NET, &live, err);

	if (rc == 0 && !opt->drop_closed)
		rc = load_log(x, i, RUN_PART_ENDED, &ended, &logs, err);
	if (rc == 0)
		rc = act_net_restore(opt, buf_view(&live), logs, logs ? i : 0, out, err);
	free(logs);
	buf_done(&live);
	buf_done(&ended);
	return rc;
}

int run_index_sessions(const struct sf_index *x, size_t i, struct act_sessions **out,
		       struct error *err)
{
	struct buf b = {0};
	int rc = sf_index_part(x, i, RUN_PART_SESSIONS, &b, err);

	if (rc == 0)
		rc = act_sessions_restore(NULL, b.p, b.len, out, err);
	buf_done(&b);
	return rc;
}
