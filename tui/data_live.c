/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures that come while they are looked at. The one that grows is indexed again and again, for
 * what there is of it; T follows its end, or stays where it is put. What is too old goes.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "replay/checkpoint.h"
#include "tui/data_internal.h"

#define REFRESH_NS     1000000000u /* between two indexes of what grows, or */
#define REFRESH_SHARE  4	   /* so many times as long as making the last one took, but */
#define REFRESH_NS_MAX 5000000000u /* no longer than that */
#define RATE_NS	       1000000000u
#define CHUNK_EVENTS   32768 /* segments are small, and moments of now shall be near */

struct segment {	  /* beside the capture of the same number */
	uint64_t size;	  /* of the file */
	uint64_t indexed; /* size when its index was made; 0: it has none */
	bool is_whole;	  /* the index is of all of it */
};

struct job { /* something that goes on in a thread of its own */
	pthread_t thread;
	bool started;
	bool stop, over; /* by flag() and raise_flag() */
	int rc;
	struct error err;
};

struct tui_following {
	const struct tui_live *live;
	struct segment *segments; /* as many as there are captures */
	size_t first;		  /* none before it is there */
	struct tui_live_now now;
	uint64_t rate_ns, rate_events; /* when it was counted last, and what */
	/* The index being made: */
	struct job making;
	size_t which;
	bool whole;
	uint64_t size, began_ns; /* of it */
	uint64_t next_ns;
	char *path, *index;
	/* What is written: */
	struct job saving;
	bool wanted; /* once capture @last is complete */
	bool saved;
	size_t last, from;
	char **inputs;
	size_t ninputs;
	char *output;
};

static bool flag(const bool *b)
{
	return __atomic_load_n(b, __ATOMIC_ACQUIRE);
}

static void raise_flag(bool *b)
{
	__atomic_store_n(b, true, __ATOMIC_RELEASE);
}

static bool job_start(struct job *j, void *(*run)(void *), void *arg)
{
	*j = (struct job){0};
	j->started = pthread_create(&j->thread, NULL, run, arg) == 0;
	return j->started;
}

/* Has it ended? Then that is told once. */
static bool job_take(struct job *j, bool wait)
{
	if (!j->started || !(flag(&j->over) || wait))
		return false;
	pthread_join(j->thread, NULL);
	j->started = false;
	return true;
}

/* --- indexes */

static bool on_stop(void *arg)
{
	const struct tui_following *l = arg;

	return flag(&l->making.stop);
}

static void *make(void *arg)
{
	struct tui_following *l = arg;
	const struct run_index_options opt = {
	    .chunk_events = CHUNK_EVENTS, .stop = on_stop, .progress_arg = l};
	struct run_index_report report;

	l->making.rc = run_index_build(l->path, l->index, &opt, &report, &l->making.err);
	raise_flag(&l->making.over);
	return NULL;
}

static bool make_index(struct tui_data *d, size_t i, uint64_t now)
{
	struct tui_following *l = d->live;
	char name[32];

	snprintf(name, sizeof(name), "%zu%s", i, SF_INDEX_SUFFIX);
	free(l->path);
	free(l->index);
	l->path = strdup(d->files[i].path);
	l->index = tui_data_scratch(d, name, NULL);
	l->which = i;
	l->whole = i + 1 < d->count || l->now.over;
	l->size = l->segments[i].size;
	l->began_ns = now;
	return l->path && l->index && job_start(&l->making, make, l);
}

/* What was known by the index that is replaced is known no longer. */
static void forget(struct tui_data *d, size_t i)
{
	struct tui_file *f = &d->files[i];

	if (d->counts.began && d->counts.first == i)
		tui_work_done(&d->counts);
	tui_counts_forget(d);
	free(f->totals);
	f->totals = NULL;
	f->no_totals = f->no_index = false;
}

static void to_end(struct tui_data *d, size_t i)
{
	d->current = i;
	d->want = d->captures[i].index
		      ? (struct run_moment){.kind = RUN_AT_EVENT, .value = d->captures[i].events}
		      : (struct run_moment){.kind = RUN_AT_END};
	d->news |= TUI_NEWS_CAPTURE | TUI_NEWS_TIME;
}

static void take_index(struct tui_data *d)
{
	struct tui_following *l = d->live;
	uint64_t now = clock_ns(CLOCK_MONOTONIC), took = now - l->began_ns;
	struct segment *s = &l->segments[l->which];

	took *= REFRESH_SHARE;
	l->next_ns = now + (took < REFRESH_NS	    ? REFRESH_NS
			    : took < REFRESH_NS_MAX ? took
						    : REFRESH_NS_MAX);
	if (l->making.rc == 0) {
		forget(d, l->which);
		tui_data_take_index(d, l->which, l->index);
		s->indexed = l->size;
		s->is_whole = l->whole;
		/* With more than can be indexed at that speed, T is late, but goes on. */
		if (l->now.follows && l->which >= d->current)
			to_end(d, l->which);
	} else {
		s->is_whole = true; /* what cannot be read stays so */
	}
	(void)unlink(l->index);
}

/* The one that grows comes first, then those that nobody has read to their end yet, last first. */
static void begin_index(struct tui_data *d)
{
	struct tui_following *l = d->live;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	size_t last = d->count - 1;

	if (l->making.started || !d->count)
		return;
	if (!l->segments[last].is_whole && l->segments[last].size != l->segments[last].indexed &&
	    now >= l->next_ns) {
		(void)make_index(d, last, now);
		return;
	}
	for (size_t i = last; i-- > l->first;)
		if (!l->segments[i].is_whole && d->captures[i].there) {
			(void)make_index(d, i, now);
			return;
		}
}

/* --- segments */

/* Has anything been written to it? */
static bool is_begun(struct tui_following *l, size_t i)
{
	char *path = l->live->path(l->live->arg, i);
	struct stat sb;
	bool begun = path && stat(path, &sb) == 0 && sb.st_size > 0;

	free(path);
	return begun;
}

static int add_segment(struct tui_data *d)
{
	struct tui_following *l = d->live;
	size_t n = d->count + 1;
	struct tui_capture *captures = realloc(d->captures, (n + 1) * sizeof(*captures));
	struct tui_file *files;
	struct segment *segments;
	char *path;

	if (captures)
		d->captures = captures;
	files = captures ? realloc(d->files, (n + 1) * sizeof(*files)) : NULL;
	if (files)
		d->files = files;
	for (size_t i = 0; files && i < d->count; i++) /* they have moved */
		if (captures[i].facts)
			captures[i].facts = &files[i].facts;
	segments = files ? realloc(l->segments, n * sizeof(*segments)) : NULL;
	if (segments)
		l->segments = segments;
	path = segments ? l->live->path(l->live->arg, d->count) : NULL;
	if (!path)
		return ERR_NOMEM;
	d->files[d->count] = (struct tui_file){.path = path};
	d->captures[d->count] = (struct tui_capture){.path = path, .there = true};
	l->segments[d->count] = (struct segment){0};
	d->count = n;
	if (l->now.follows && n == 1)
		to_end(d, 0);
	d->news |= TUI_NEWS_CAPTURE;
	return 0;
}

static void look_at_sizes(struct tui_data *d)
{
	struct tui_following *l = d->live;

	l->now.kept = 0;
	for (size_t i = l->first; i < d->count; i++) {
		struct stat sb;

		/* Only the last one grows, and the one before may have just ended. */
		if (i + 2 >= d->count && stat(d->files[i].path, &sb) == 0)
			l->segments[i].size = (uint64_t)sb.st_size;
		if (d->captures[i].there)
			l->now.kept += l->segments[i].size;
	}
}

/* Nobody looks at it, reads it, or waits for it to be written elsewhere. */
static bool may_go(const struct tui_data *d, size_t i)
{
	const struct tui_following *l = d->live;

	return d->captures[i].there && i != d->current && !(l->making.started && l->which == i) &&
	       !l->wanted && !l->saving.started;
}

/* The oldest go; but two stay, however large they are. */
static void drop_oldest(struct tui_data *d)
{
	struct tui_following *l = d->live;

	for (size_t i = l->first; i + 2 < d->count && l->now.kept > l->live->window; i++) {
		if (!may_go(d, i))
			continue;
		(void)unlink(d->files[i].path);
		d->captures[i].there = false;
		l->now.kept -= l->segments[i].size;
	}
	while (l->first < d->count && !d->captures[l->first].there)
		l->first++;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The case knows them by their names. */
static void learn_ids(struct tui_data *d)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(d->db, "SELECT max(capture_id) FROM captures WHERE path = ?", -1,
			       &stmt, NULL) != SQLITE_OK)
		return;
	for (size_t i = d->live->first; i < d->count; i++) {
		if (d->captures[i].capture_id)
			continue;
		sqlite3_reset(stmt);
		if (sqlite3_bind_text(stmt, 1, base_name(d->files[i].path), -1, SQLITE_STATIC) ==
			SQLITE_OK &&
		    sqlite3_step(stmt) == SQLITE_ROW)
			d->captures[i].capture_id = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
}

static void count_rate(struct tui_following *l, uint64_t events)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), passed = now - l->rate_ns;

	l->now.events = events;
	if (passed < RATE_NS)
		return;
	if (l->rate_ns)
		l->now.per_second =
		    (uint64_t)((double)(events - l->rate_events) * 1e9 / (double)passed);
	l->rate_ns = now;
	l->rate_events = events;
}

/* --- writing what is kept */

static void *save(void *arg)
{
	struct tui_following *l = arg;

	l->saving.rc =
	    l->live->save(l->live->arg, l->inputs, l->ninputs, l->output, &l->saving.err);
	raise_flag(&l->saving.over);
	return NULL;
}

static void forget_inputs(struct tui_following *l)
{
	for (size_t i = 0; i < l->ninputs; i++)
		free(l->inputs[i]);
	free(l->inputs);
	l->inputs = NULL;
	l->ninputs = 0;
}

static int begin_saving(struct tui_data *d)
{
	struct tui_following *l = d->live;

	forget_inputs(l);
	l->wanted = false;
	l->inputs = calloc(l->last - l->first + 1, sizeof(*l->inputs));
	for (size_t i = l->first; l->inputs && i <= l->last; i++) {
		if (!d->captures[i].there)
			continue;
		l->inputs[l->ninputs] = strdup(d->files[i].path);
		if (!l->inputs[l->ninputs++])
			return ERR_NOMEM;
	}
	return l->inputs && job_start(&l->saving, save, l) ? 0 : ERR_NOMEM;
}

static void look_at_saving(struct tui_data *d)
{
	struct tui_following *l = d->live;

	if (l->wanted && (l->last + 1 < d->count || l->now.over) && begin_saving(d) < 0)
		l->saving.rc = error_nomem(&l->saving.err);
	if (job_take(&l->saving, false) && l->saving.rc == 0)
		l->saved = true;
}

int tui_data_save_window(struct tui_data *d, struct sv path, struct error *err)
{
	struct tui_following *l = d->live;

	if (!l)
		return error_set(err, ERR_USAGE,
				 "this is a recording already: 'scapula slice' cuts parts out");
	if (l->wanted || l->saving.started)
		return error_set(err, ERR_USAGE, "'%s' is still being written", l->output);
	if (!path.n || !d->count)
		return error_set(err, ERR_USAGE, "there is nothing to be written yet");
	free(l->output);
	l->output = strndup(path.p, path.n);
	if (!l->output)
		return error_nomem(err);
	if (access(l->output, F_OK) == 0)
		return error_set(err, ERR_USAGE, "'%s' exists already", l->output);
	l->last = d->count - 1;
	l->wanted = true;
	l->live->cut(l->live->arg);
	return 0;
}

const char *tui_data_saved(struct tui_data *d)
{
	if (!d->live || !d->live->saved)
		return NULL;
	d->live->saved = false;
	return d->live->output;
}

bool tui_live_is_busy(struct tui_data *d, struct buf *what)
{
	if (!d->live || (!d->live->wanted && !d->live->saving.started))
		return false;
	buf_lit(what, "saving the window");
	return true;
}

void tui_live_trouble(struct tui_data *d, struct buf *out)
{
	struct job *j = d->live ? &d->live->saving : NULL;

	if (!j || j->started || !j->rc)
		return;
	buf_str(out, j->err.msg[0] ? j->err.msg : error_code_text(j->rc));
	j->rc = 0;
}

/* --- T */

bool tui_data_live(const struct tui_data *d, struct tui_live_now *out)
{
	if (d->live)
		*out = d->live->now;
	return d->live != NULL;
}

void tui_data_follow(struct tui_data *d, bool follow)
{
	struct tui_following *l = d->live;
	size_t i;

	if (!l || l->now.follows == follow)
		return;
	l->now.follows = follow;
	if (!follow || !d->count)
		return;
	/* What has no index yet is reached when it has one. */
	for (i = d->count; i-- > d->current;)
		if (d->captures[i].there && d->captures[i].index)
			break;
	to_end(d, i > d->current && i < d->count ? i : d->current);
}

static void use(struct tui_data *d, size_t i)
{
	if (i == d->current)
		return;
	d->current = i;
	d->news |= TUI_NEWS_CAPTURE | TUI_NEWS_TIME;
}

/* The last segment that is there and begins at or before @ts. */
static size_t segment_at(const struct tui_data *d, uint64_t ts)
{
	size_t i = d->count - 1;

	while (i > d->live->first &&
	       !(d->captures[i].there && d->captures[i].first_ts && d->captures[i].first_ts <= ts))
		i--;
	return i;
}

/* The last segment, if @i is none any more that is there. */
static size_t that_is_there(const struct tui_data *d, size_t i)
{
	while (i + 1 < d->count && !d->captures[i].there)
		i++;
	return i;
}

/* To the segment that event *@num is of, which becomes a number of it. */
static void use_segment_of(struct tui_data *d, uint64_t *num)
{
	const struct tui_capture *c = &d->captures[d->current];

	if (*num == 0) {
		use(d, that_is_there(d, d->live->first));
	} else if (*num == UINT64_MAX) {
		use(d, d->count - 1);
	} else if (*num > TUI_KEY_NUM_MAX) {
		use(d, that_is_there(d, tui_key_capture(d, *num)));
		*num = tui_key_num(*num);
	} else if (*num > c->events && c->index && d->current + 1 < d->count &&
		   d->captures[d->current + 1].index) {
		use(d, d->current + 1);
		*num = 1;
	}
}

void tui_live_moved(struct tui_data *d, uint64_t *num, uint64_t ts)
{
	struct tui_following *l = d->live;
	const struct tui_capture *c;

	if (!l || !d->count)
		return;
	l->now.follows = false;
	if (num)
		use_segment_of(d, num);
	else
		use(d, segment_at(d, ts));
	c = &d->captures[d->current];
	if (d->current + 1 == d->count && c->events && (num ? *num >= c->events : ts >= c->last_ts))
		tui_data_follow(d, true);
}

bool tui_data_before(const struct tui_data *d, uint64_t *key)
{
	if (!d->live || !d->current || !d->captures[d->current - 1].there)
		return false;
	*key = tui_key(d->current - 1, TUI_KEY_NUM_MAX);
	return true;
}

/* --- from the beginning to the end */

void tui_live_poll(struct tui_data *d)
{
	struct tui_following *l = d->live;
	struct tui_live_state state;

	if (!l)
		return;
	l->live->look(l->live->arg, &state);
	l->now.over = state.over;
	l->now.lost = state.lost;
	count_rate(l, state.events);
	while (d->count < state.segments && is_begun(l, d->count) && add_segment(d) == 0)
		;
	look_at_sizes(d);
	if (job_take(&l->making, false))
		take_index(d);
	begin_index(d);
	look_at_saving(d);
	drop_oldest(d);
	learn_ids(d);
}

int tui_live_begin(struct tui_data *d, struct error *err)
{
	struct tui_following *l = calloc(1, sizeof(*l));

	if (!l)
		return error_nomem(err);
	l->live = d->opt.live;
	l->now.follows = true;
	d->live = l;
	d->dir = strdup(l->live->dir);
	if (!d->dir)
		return error_nomem(err);
	tui_live_poll(d);
	return 0;
}

void tui_live_end(struct tui_data *d)
{
	struct tui_following *l = d->live;

	if (!l)
		return;
	raise_flag(&l->making.stop);
	(void)job_take(&l->making, true);
	(void)job_take(&l->saving, true);
	forget_inputs(l);
	free(l->segments);
	free(l->path);
	free(l->index);
	free(l->output);
	free(l);
	d->live = NULL;
}
