/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/checkpoint.h"

#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"

struct build {
	const struct run_index_options *opt;
	uint64_t chunk_events;
	struct sf_reader *reader;
	struct state *state;
	struct sf_index_writer *writer;
	struct buf where, what, all; /* of the reader, of the state, the checkpoint */
	uint64_t next;		     /* the number of events at which the next chunk begins */
	uint64_t first_ts;	     /* of the first visible event */
	size_t chunks;
	uint64_t file_size;
};

/* ---- one checkpoint ---- */

static void archive_both(struct archive *a, struct sv *where, struct sv *what)
{
	*where = archive_text(a, *where);
	*what = archive_text(a, *what);
}

static int begin_chunk(struct build *b, struct error *err)
{
	struct archive a = archive_to(&b->all);
	struct sv where, what;
	int rc;

	buf_reset(&b->where);
	buf_reset(&b->what);
	buf_reset(&b->all);
	rc = sf_reader_save(b->reader, &b->where, err);
	if (rc == 0)
		rc = state_save(b->state, &b->what, err);
	if (rc < 0)
		return rc;
	where = buf_view(&b->where);
	what = buf_view(&b->what);
	archive_both(&a, &where, &what);
	if (b->all.failed)
		return error_nomem(err);
	b->chunks++;
	return sf_index_begin_chunk(b->writer, sf_reader_offset(b->reader),
				    state_stats(b->state)->events, b->all.p, b->all.len, err);
}

int run_index_enter(const struct sf_index *x, size_t i, struct sf_reader *r,
		    const struct state_options *opt, struct state **st, struct error *err)
{
	struct buf bytes = {0};
	struct sv where = SV_NONE, what = SV_NONE;
	struct archive a;
	size_t n;
	int rc;

	*st = NULL;
	rc = sf_index_checkpoint(x, i, &bytes, err);
	if (rc == 0 && bytes.len) {
		a = archive_from(bytes.p, bytes.len);
		archive_both(&a, &where, &what);
		if (a.trouble)
			rc = error_set(err, ERR_FORMAT, "the checkpoint of chunk %zu: %s", i,
				       a.trouble);
		if (rc == 0)
			rc = state_restore(opt, what.p, what.n, st, err);
		if (rc == 0)
			rc =
			    sf_reader_enter(r, sf_index_access(x, sf_index_chunks(x, &n)[i].offset),
					    where.p, where.n, err);
	}
	buf_done(&bytes);
	if (rc < 0) {
		state_free(*st);
		*st = NULL;
	}
	return rc;
}

/* ---- one pass ---- */

/* Return: false to stop. */
static bool now_and_then(struct build *b)
{
	const struct run_progress p = {
	    .events = state_stats(b->state)->events,
	    .file_done = sf_reader_stats(b->reader)->file_size,
	    .file_size = b->file_size,
	};

	if (b->opt->progress)
		b->opt->progress(b->opt->progress_arg, &p);
	return !b->opt->stop || !b->opt->stop(b->opt->progress_arg);
}

static int take(struct build *b, const struct ev_item *item, struct error *err)
{
	struct state_binding bind;
	int rc = state_feed(b->state, item, &bind, err);

	if (rc < 0)
		return rc;
	if (item->kind == EV_ITEM_LOSS)
		sf_index_current(b->writer)->losses++;
	else if (item->kind == EV_ITEM_URING)
		sf_chunk_time(sf_index_current(b->writer), item->ev->ts);
	if (rc == 0)
		return 0;
	sf_chunk_add(sf_index_current(b->writer), item->ev);
	if (!b->first_ts && bind.visible)
		b->first_ts = item->ev->ts;
	if (state_stats(b->state)->events < b->next || !state_is_complete(b->state))
		return 0;
	b->next = state_stats(b->state)->events + b->chunk_events;
	return begin_chunk(b, err);
}

static int pass(struct build *b, struct error *err)
{
	struct ev_source *src = sf_reader_source(b->reader);
	struct ev_item item;
	uint64_t n = 0;
	int rc;

	rc = sf_index_begin_chunk(b->writer, 0, 0, NULL, 0, err);
	if (rc < 0)
		return rc;
	b->chunks = 1;
	b->next = b->chunk_events;
	while ((rc = ev_source_next(src, &item, err)) > 0) {
		rc = take(b, &item, err);
		if (rc < 0)
			return rc;
		if (++n % RUN_PROGRESS_EVENTS == 0 && !now_and_then(b))
			return error_set(err, ERR_INTERRUPTED, "stopped");
	}
	return rc;
}

static void report_on(const struct build *b, const char *path, struct run_index_report *out)
{
	const struct sf_stats *s = sf_reader_stats(b->reader);
	struct stat sb;

	*out = (struct run_index_report){
	    .events = state_stats(b->state)->events,
	    .gaps = s->gaps,
	    .chunks = b->chunks,
	    .raw_size = s->stream_size,
	    .index_size = stat(path, &sb) == 0 ? (uint64_t)sb.st_size : 0,
	};
}

/* The capture must not change meanwhile: it is looked at before and after. */
static int finish(struct build *b, const char *capture, const struct sf_identity *before,
		  struct error *err)
{
	struct sf_index_facts facts = {.of = *before, .first_ts = b->first_ts};
	const struct sf_access *access;
	struct sf_identity after;
	size_t n;
	int rc = sf_identify(capture, &after, err);

	if (rc < 0)
		return rc;
	if (memcmp(&after, before, sizeof(after)) != 0)
		return error_set(err, ERR_IO, "'%s' was changed while it was being read", capture);
	access = sf_reader_access(b->reader, &n);
	facts.events = state_stats(b->state)->events;
	facts.gaps = sf_reader_stats(b->reader)->gaps;
	rc = sf_index_finish(b->writer, &facts, access, n, err);
	b->writer = NULL;
	return rc;
}

static int build(struct build *b, const char *capture, const char *path, struct error *err)
{
	const struct sf_options opt = {.access_span = RUN_ACCESS_SPAN};
	struct sf_identity id = {0};
	int rc = sf_identify(capture, &id, err);

	b->file_size = id.size;
	if (rc == 0)
		rc = sf_reader_open(capture, &opt, &b->reader, err);
	if (rc == 0)
		rc = state_new(NULL, &b->state, err);
	if (rc == 0)
		rc = sf_index_create(path, &b->writer, err);
	if (rc == 0)
		rc = pass(b, err);
	return rc < 0 ? rc : finish(b, capture, &id, err);
}

int run_index_build(const char *capture, const char *path, const struct run_index_options *opt,
		    struct run_index_report *report, struct error *err)
{
	struct build b = {
	    .opt = opt,
	    .chunk_events = opt->chunk_events ? opt->chunk_events : RUN_CHUNK_EVENTS,
	};
	int rc = build(&b, capture, path, err);

	if (rc == 0)
		report_on(&b, path, report);
	sf_index_abandon(b.writer);
	state_free(b.state);
	sf_reader_close(b.reader);
	buf_done(&b.where);
	buf_done(&b.what);
	buf_done(&b.all);
	return rc;
}
