/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "query/find.h"
#include "replay/index_cache.h"
#include "tui/data_internal.h"

/* --- places without a name */

char *tui_data_scratch(struct tui_data *d, const char *name, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;

	if (!d->dir && asprintf(&d->dir, "%s/scapula-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0) {
		d->dir = NULL;
		(void)error_nomem(err);
		return NULL;
	}
	if (strstr(d->dir, "XXXXXX") && !mkdtemp(d->dir)) {
		(void)error_sys(err, errno, "cannot create a directory like '%s'", d->dir);
		free(d->dir);
		d->dir = NULL;
		return NULL;
	}
	if (asprintf(&path, "%s/%s", d->dir, name) < 0) {
		(void)error_nomem(err);
		return NULL;
	}
	return path;
}

void tui_data_drop_scratch(const struct tui_data *d, const char *path)
{
	size_t n = d->dir ? strlen(d->dir) : 0;

	if (n && strncmp(path, d->dir, n) == 0 && path[n] == '/')
		(void)unlink(path);
}

static void remove_case(const char *path)
{
	static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		char *name;

		if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
			continue;
		(void)unlink(name);
		free(name);
	}
}

static void remove_scratch(struct tui_data *d)
{
	if (d->nameless && d->case_path)
		remove_case(d->case_path);
	if (d->dir)
		(void)rmdir(d->dir);
	free(d->dir);
}

/* --- captures */

static char *copy_or_null(const char *s)
{
	return s && *s ? strdup(s) : NULL;
}

static bool is_file(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISREG(sb.st_mode) && access(path, R_OK) == 0;
}

static void file_done(struct tui_file *f)
{
	free(f->path);
	free(f->sha256);
	free(f->quick_id);
	sf_index_close(f->index);
	if (f->has_facts)
		run_facts_done(&f->facts);
	free(f->totals);
}

/* A capture that is given by its path. */
static int add_file(struct tui_data *d, const char *path, struct error *err)
{
	struct tui_file *f = &d->files[d->count];
	struct tui_capture *c = &d->captures[d->count];
	char id[QRY_QUICK_ID_SIZE];
	struct sv quick = qry_quick_id(path, id);

	if (!is_file(path))
		return access(path, R_OK) != 0
			   ? error_sys(err, errno, "cannot open '%s'", path)
			   : error_set(err, ERR_UNSUPPORTED, "'%s' is no regular file", path);
	f->path = strdup(path);
	f->quick_id = quick.n ? strndup(quick.p, quick.n) : NULL;
	d->count++;
	if (!f->path || (quick.n && !f->quick_id))
		return error_nomem(err);
	*c = (struct tui_capture){.path = f->path, .there = true};
	return 0;
}

/* The capture of the case that looks like @path is there. Return: whether there is one. */
static bool locate_by_id(struct tui_data *d, const char *path)
{
	char id[QRY_QUICK_ID_SIZE];
	struct sv quick = qry_quick_id(path, id);

	for (size_t i = 0; quick.n && i < d->count; i++) {
		struct tui_file *f = &d->files[i];
		char *copy;

		if (!f->quick_id || !sv_is(quick, f->quick_id))
			continue;
		copy = strdup(path);
		if (!copy)
			return false;
		free(f->path);
		f->path = copy;
		d->captures[i].path = copy;
		d->captures[i].there = true;
		return true;
	}
	return false;
}

static int add_files(struct tui_data *d, struct error *err)
{
	const struct tui_data_options *opt = &d->opt;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < opt->capture_count; i++) {
		if (d->nameless)
			rc = add_file(d, opt->captures[i], err);
		else if (!is_file(opt->captures[i]))
			rc = error_sys(err, errno ? errno : ENOENT, "cannot open '%s'",
				       opt->captures[i]);
		else if (!locate_by_id(d, opt->captures[i]))
			rc = error_set(err, ERR_USAGE, "case '%s' is not about '%s'", d->case_path,
				       opt->captures[i]);
	}
	return rc;
}

static void use_index(struct tui_data *d, size_t i, struct sf_index *x)
{
	const struct sf_index_facts *facts = sf_index_facts(x);
	struct tui_capture *c = &d->captures[i];
	struct tui_file *f = &d->files[i];
	const struct sf_chunk *chunks;
	size_t n;

	sf_index_close(f->index);
	f->index = x;
	f->index_version = ++d->versions;
	c->index = x;
	c->events = facts->events;
	chunks = sf_index_chunks(x, &n);
	c->first_ts = facts->first_ts;
	for (size_t k = 0; k < n; k++)
		if (chunks[k].last_ts > c->last_ts)
			c->last_ts = chunks[k].last_ts;
	if (f->has_facts)
		run_facts_done(&f->facts);
	f->has_facts = true;
	c->facts = run_index_facts(x, &f->facts, NULL) == 0 ? &f->facts : NULL;
}

void tui_data_take_index(struct tui_data *d, size_t i, const char *path)
{
	struct sf_index *x;
	struct error err;

	if (sf_index_open(path, &x, &err) < 0) {
		d->files[i].no_index = true;
		return;
	}
	use_index(d, i, x);
	if (i != d->current)
		return;
	d->news |= TUI_NEWS_INDEX | TUI_NEWS_CAPTURE;
	if (d->want.kind != RUN_AT_END)
		return;
	d->news |= TUI_NEWS_TIME;
}

static void find_indexes(struct tui_data *d)
{
	struct sf_index *x;

	for (size_t i = 0; i < d->count; i++)
		if (d->captures[i].there && run_index_find(d->files[i].path, &x, NULL) >= 0 && x)
			use_index(d, i, x);
}

size_t tui_data_captures(const struct tui_data *d, const struct tui_capture **out)
{
	if (out)
		*out = d->captures;
	return d->count;
}

const struct tui_capture *tui_data_capture(const struct tui_data *d)
{
	return d->count ? &d->captures[d->current] : NULL;
}

bool tui_data_span(const struct tui_data *d, struct tui_span *out)
{
	const size_t from = d->live ? 0 : d->current, end = d->live ? d->count : from + 1;

	*out = (struct tui_span){0};
	for (size_t i = from; i < end && i < d->count; i++) {
		const struct tui_capture *c = &d->captures[i];

		if (d->live && !c->there)
			continue;
		if (!out->from)
			out->from = c->first_ts;
		if (c->last_ts > out->to)
			out->to = c->last_ts;
		out->events += c->events;
	}
	return out->from != 0;
}

size_t tui_data_capture_of(const struct tui_data *d, int64_t capture_id)
{
	for (size_t i = 0; i < d->count; i++)
		if (capture_id && d->captures[i].capture_id == capture_id)
			return i;
	return SIZE_MAX;
}

int tui_data_use(struct tui_data *d, size_t i, struct error *err)
{
	if (i >= d->count)
		return error_set(err, ERR_USAGE, "there is no capture %zu", i + 1);
	if (i == d->current)
		return 0;
	tui_data_follow(d, false);
	d->current = i;
	d->want = (struct run_moment){.kind = RUN_AT_END};
	d->news |= TUI_NEWS_CAPTURE | TUI_NEWS_TIME;
	return tui_work_go_on(d, err);
}

int tui_data_readable(struct tui_data *d, struct error *err)
{
	if (!d->count)
		return error_set(err, ERR_UNSUPPORTED, "the case has no capture");
	if (!d->captures[d->current].there)
		return error_set(err, ERR_UNSUPPORTED,
				 "the capture '%s' is not there: there is the case only",
				 d->captures[d->current].path);
	return 0;
}

int tui_data_locate(struct tui_data *d, const char *path, struct error *err)
{
	struct tui_file *f = &d->files[d->current];
	char id[QRY_QUICK_ID_SIZE], *copy;
	struct sf_index *x = NULL;
	struct sv quick;

	if (!d->count || d->live)
		return error_set(err, ERR_USAGE,
				 d->live ? "live: the captures are where they are"
					 : "the case has no capture");
	if (!is_file(path))
		return error_sys(err, errno ? errno : ENOENT, "cannot open '%s'", path);
	quick = qry_quick_id(path, id);
	if (f->quick_id && !sv_is(quick, f->quick_id))
		return error_set(err, ERR_USAGE, "'%s' is not the capture the case knows", path);
	copy = strdup(path);
	if (!copy)
		return error_nomem(err);
	tui_place_done(&d->place);
	tui_walk_done(&d->look);
	tui_work_done(&d->counts);
	tui_counts_forget(d);
	free(f->path);
	f->path = copy;
	d->captures[d->current].path = copy;
	d->captures[d->current].there = true;
	if (run_index_find(copy, &x, NULL) >= 0 && x)
		use_index(d, d->current, x);
	d->news |= TUI_NEWS_CAPTURE | TUI_NEWS_TIME;
	tui_work_done(&d->work);
	return tui_work_begin(d, err);
}

/* --- opening */

int tui_data_room(struct tui_data *d, size_t n, struct error *err)
{
	d->captures = calloc(n + 1, sizeof(*d->captures));
	d->files = calloc(n + 1, sizeof(*d->files));
	return d->captures && d->files ? 0 : error_nomem(err);
}

/* A case that has nothing but its tables; what replays write comes later. */
static int make_nameless(struct tui_data *d, struct error *err)
{
	const struct qry_run run = {.version = "", .command = "scapula tui", .matching = "first"};
	struct qry_writer *w = NULL;
	int rc;

	d->nameless = true;
	d->case_path = tui_data_scratch(d, "case.db", err);
	if (!d->case_path)
		return err && err->code ? err->code : ERR_NOMEM;
	rc = qry_writer_open(d->case_path, &run, &w, err);
	return rc < 0 ? rc : qry_writer_close(w, 0, err);
}

static int open_all(struct tui_data *d, struct error *err)
{
	const struct tui_data_options *opt = &d->opt;
	int rc;

	if (opt->case_path) {
		d->case_path = copy_or_null(opt->case_path);
		rc = d->case_path ? 0 : error_nomem(err);
	} else {
		rc = tui_data_room(d, opt->capture_count, err);
		if (rc == 0)
			rc = make_nameless(d, err);
	}
	if (rc == 0)
		rc = tui_case_open(d, err);
	if (rc == 0 && opt->live)
		return tui_live_begin(d, err);
	if (rc == 0 && !d->nameless)
		rc = tui_case_captures(d, err);
	if (rc == 0)
		rc = add_files(d, err);
	if (rc < 0)
		return rc;
	find_indexes(d);
	return tui_work_begin(d, err);
}

int tui_data_open(const struct tui_data_options *opt, struct tui_data **out, struct error *err)
{
	struct tui_data *d = calloc(1, sizeof(*d));
	struct error mine = {0};
	int rc;

	if (!d)
		return error_nomem(err);
	d->opt = *opt;
	d->want.kind = RUN_AT_END;
	d->news = TUI_NEWS_CAPTURE | TUI_NEWS_TIME | TUI_NEWS_CASE;
	rc = open_all(d, &mine);
	if (rc == 0) {
		*out = d;
		return 0;
	}
	if (err)
		*err = mine;
	tui_data_close(d);
	return rc;
}

void tui_data_close(struct tui_data *d)
{
	if (!d)
		return;
	tui_live_end(d);
	tui_work_done(&d->work);
	tui_work_done(&d->counts);
	tui_place_done(&d->place);
	tui_walk_done(&d->look);
	tui_counts_forget(d);
	tui_case_close(d);
	for (size_t i = 0; i < d->count; i++)
		file_done(&d->files[i]);
	free(d->files);
	free(d->captures);
	remove_scratch(d);
	free(d->case_path);
	free(d);
}

/* --- news */

unsigned tui_data_poll(struct tui_data *d)
{
	unsigned news = tui_work_poll(d);

	tui_live_poll(d);
	news |= d->news;
	if (tui_case_changed(d)) {
		news |= TUI_NEWS_CASE;
		tui_case_learn_ids(d);
	}
	d->news = 0;
	return news;
}
