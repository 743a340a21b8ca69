/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes on in the background: indexes of the captures, one after the other and the one that is
 * looked at first, then the nameless case; beside that, the totals of one capture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/index_cache.h"
#include "tui/data_internal.h"

/* --- in the thread */

bool tui_work_is_stopped(const struct tui_work *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

void tui_work_say(struct tui_work *w, const char *doing, uint64_t done, uint64_t all)
{
	pthread_mutex_lock(&w->lock);
	w->doing = doing;
	w->done = done;
	w->all = all;
	pthread_mutex_unlock(&w->lock);
}

static void complain(struct tui_work *w, const char *path, const struct error *err)
{
	pthread_mutex_lock(&w->lock);
	if (w->trouble.len)
		buf_lit(&w->trouble, "; ");
	buf_addf(&w->trouble, "%s: %s", path, err->msg);
	pthread_mutex_unlock(&w->lock);
}

static void on_progress(void *arg, const struct run_progress *p)
{
	tui_work_say(arg, "indexing", p->file_done, p->file_size);
}

static bool on_stop(void *arg)
{
	return tui_work_is_stopped(arg);
}

static int build_at(struct tui_work *w, const char *capture, const char *path, struct error *err)
{
	const struct run_index_options opt = {
	    .progress = on_progress, .progress_arg = w, .stop = on_stop};
	struct run_index_report report;

	return run_index_build(capture, path, &opt, &report, err);
}

/* Where no cache is possible, or it cannot take it: where nobody else looks. */
static char *build(struct tui_work *w, size_t i, struct error *err)
{
	struct sf_identity id;
	char *path = NULL, name[32];
	int rc = sf_identify(w->paths[i], &id, err);

	if (rc < 0)
		return NULL;
	path = run_cache_path(&id);
	if (path) {
		rc = build_at(w, w->paths[i], path, err);
		if (rc == 0) {
			run_cache_trim(path);
			return path;
		}
		free(path);
		if (rc == ERR_INTERRUPTED || rc == ERR_NOMEM)
			return NULL;
	}
	snprintf(name, sizeof(name), "%zu%s", i, SF_INDEX_SUFFIX);
	path = tui_data_scratch(w->d, name, err);
	if (path && build_at(w, w->paths[i], path, err) < 0) {
		free(path);
		return NULL;
	}
	return path;
}

static void make_index(struct tui_work *w, size_t i)
{
	struct error err = {0};
	char *path;

	tui_work_say(w, "indexing", 0, 0);
	path = build(w, i, &err);
	if (!path && err.code != ERR_INTERRUPTED)
		complain(w, w->paths[i], &err);
	pthread_mutex_lock(&w->lock);
	w->indexes[i] = path;
	w->missing[i] = path || err.code == ERR_INTERRUPTED;
	pthread_mutex_unlock(&w->lock);
}

static void replay(struct tui_work *w, size_t i)
{
	const struct tui_data_options *opt = &w->d->opt;
	struct error err = {0};

	tui_work_say(w, "replaying", 0, 0);
	if (opt->replay(opt->arg, w->paths[i], w->d->case_path, &w->stop, &err) < 0 &&
	    err.code != ERR_INTERRUPTED)
		complain(w, w->paths[i], &err);
}

/* The one that is looked at is the first. */
static size_t in_order(const struct tui_work *w, size_t k)
{
	return k == 0 ? w->first : k <= w->first ? k - 1 : k;
}

static void *make_all(void *arg)
{
	struct tui_work *w = arg;

	for (size_t k = 0; k < w->count && !tui_work_is_stopped(w); k++)
		if (w->missing[in_order(w, k)])
			make_index(w, in_order(w, k));
	for (size_t k = 0; w->replays && k < w->count && !tui_work_is_stopped(w); k++)
		if (w->paths[in_order(w, k)])
			replay(w, in_order(w, k));
	tui_work_say(w, NULL, 0, 0);
	return NULL;
}

static void *count_all(void *arg)
{
	struct tui_work *w = arg;
	struct tui_totals *totals = NULL;
	struct error err = {0};
	int rc = tui_totals_make(w, &totals, &err);

	if (rc < 0 && rc != ERR_INTERRUPTED)
		complain(w, w->paths[w->first], &err);
	pthread_mutex_lock(&w->lock);
	w->totals = totals;
	pthread_mutex_unlock(&w->lock);
	tui_work_say(w, NULL, 0, 0);
	return NULL;
}

/* --- from outside */

void tui_work_done(struct tui_work *w)
{
	if (!w->began)
		return;
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
	if (w->started)
		pthread_join(w->thread, NULL);
	for (size_t i = 0; i < w->count; i++) {
		if (w->paths)
			free(w->paths[i]);
		if (!w->indexes || !w->indexes[i])
			continue;
		tui_data_drop_scratch(w->d, w->indexes[i]);
		free(w->indexes[i]);
	}
	free(w->paths);
	free(w->indexes);
	free(w->missing);
	free(w->totals);
	buf_done(&w->trouble);
	pthread_mutex_destroy(&w->lock);
	*w = (struct tui_work){0};
}

static int init(struct tui_work *w, struct tui_data *d, struct error *err)
{
	*w = (struct tui_work){.began = true, .d = d, .count = d->count, .first = d->current};
	pthread_mutex_init(&w->lock, NULL);
	w->paths = calloc(d->count + 1, sizeof(*w->paths));
	w->indexes = calloc(d->count + 1, sizeof(*w->indexes));
	w->missing = calloc(d->count + 1, sizeof(*w->missing));
	if (!w->paths || !w->indexes || !w->missing)
		return error_nomem(err);
	for (size_t i = 0; i < d->count; i++) {
		if (!d->captures[i].there)
			continue;
		w->paths[i] = strdup(d->files[i].path);
		w->missing[i] = !d->files[i].index && !d->files[i].no_index;
		if (!w->paths[i])
			return error_nomem(err);
	}
	return 0;
}

static int start(struct tui_work *w, void *(*run)(void *), const char *doing, struct error *err)
{
	int sys;

	w->doing = doing; /* who asks before the thread runs is told so, too */

	if (w->d->opt.wait) {
		run(w);
		return 0;
	}
	sys = pthread_create(&w->thread, NULL, run, w);
	w->started = sys == 0;
	if (sys)
		w->doing = NULL;
	return sys ? error_sys(err, sys, "cannot start a thread") : 0;
}

int tui_work_begin(struct tui_data *d, struct error *err)
{
	struct tui_work *w = &d->work;
	bool needed;
	int rc;

	tui_work_done(w);
	rc = init(w, d, err);
	if (rc < 0)
		return rc;
	w->replays = d->nameless && d->opt.replay && !d->replayed;
	d->replayed = true;
	needed = w->replays;
	for (size_t i = 0; i < d->count; i++)
		needed |= w->missing[i];
	return needed ? start(w, make_all, "indexing", err) : 0;
}

/* It may have been cancelled. */
int tui_work_go_on(struct tui_data *d, struct error *err)
{
	const struct tui_file *f = &d->files[d->current];
	struct tui_work *w = &d->work;
	bool idle;

	if (!w->began || f->index || f->no_index || !d->captures[d->current].there)
		return 0;
	pthread_mutex_lock(&w->lock);
	idle = !w->doing;
	pthread_mutex_unlock(&w->lock);
	return idle ? tui_work_begin(d, err) : 0;
}

int tui_work_count(struct tui_data *d, size_t i, struct error *err)
{
	struct tui_work *w = &d->counts;
	int rc;

	if (w->began && w->first == i)
		return 0;
	tui_work_done(w);
	rc = init(w, d, err);
	w->first = i;
	w->x = d->files[i].index;
	return rc < 0 ? rc : start(w, count_all, "counting", err);
}

static void take_indexes(struct tui_data *d, struct tui_work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct tui_file *f = &d->files[i];
		bool missing;
		char *path;

		pthread_mutex_lock(&w->lock);
		path = w->indexes[i];
		missing = w->missing[i];
		w->indexes[i] = NULL;
		pthread_mutex_unlock(&w->lock);
		if (path) {
			tui_data_take_index(d, i, path);
			tui_data_drop_scratch(d, path);
			free(path);
		} else if (!missing && !f->index) {
			f->no_index = true;
		}
	}
}

static unsigned take_totals(struct tui_data *d, struct tui_work *w)
{
	struct tui_totals *totals;
	bool over;

	pthread_mutex_lock(&w->lock);
	totals = w->totals;
	over = !w->doing;
	w->totals = NULL;
	pthread_mutex_unlock(&w->lock);
	if (totals) {
		free(d->files[w->first].totals);
		d->files[w->first].totals = totals;
		return TUI_NEWS_PROGRESS;
	}
	if (over && !d->files[w->first].totals)
		d->files[w->first].no_totals = true;
	return 0;
}

unsigned tui_work_poll(struct tui_data *d)
{
	unsigned news = 0;
	uint64_t told = 0;

	if (d->work.began) {
		take_indexes(d, &d->work);
		pthread_mutex_lock(&d->work.lock);
		told = d->work.done + (d->work.doing ? (uint64_t)(uintptr_t)d->work.doing : 0);
		pthread_mutex_unlock(&d->work.lock);
	}
	if (d->counts.began)
		news |= take_totals(d, &d->counts);
	if (told != d->told)
		news |= TUI_NEWS_PROGRESS;
	d->told = told;
	return news;
}

static bool is_busy(struct tui_work *w, struct buf *what)
{
	const char *doing;
	uint64_t done, all;

	if (!w->began)
		return false;
	pthread_mutex_lock(&w->lock);
	doing = w->doing;
	done = w->done;
	all = w->all;
	pthread_mutex_unlock(&w->lock);
	if (!doing)
		return false;
	buf_str(what, doing);
	if (all)
		buf_addf(what, " %u %%", (unsigned)(done < all ? done * 100 / all : 99));
	return true;
}

bool tui_data_is_busy(struct tui_data *d, struct buf *what)
{
	return tui_live_is_busy(d, what) || is_busy(&d->work, what) || is_busy(&d->counts, what);
}

static void take_trouble(struct tui_work *w, struct buf *out)
{
	if (!w->began)
		return;
	pthread_mutex_lock(&w->lock);
	if (w->trouble.len && out->len)
		buf_lit(out, "; ");
	buf_sv(out, buf_view(&w->trouble));
	buf_reset(&w->trouble);
	pthread_mutex_unlock(&w->lock);
}

void tui_data_trouble(struct tui_data *d, struct buf *out)
{
	take_trouble(&d->work, out);
	take_trouble(&d->counts, out);
	tui_live_trouble(d, out);
}

void tui_data_cancel(struct tui_data *d)
{
	__atomic_store_n(&d->work.stop, true, __ATOMIC_RELAXED);
	__atomic_store_n(&d->counts.stop, true, __ATOMIC_RELAXED);
}
