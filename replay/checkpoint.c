/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/checkpoint.h"

#include <string.h>
#include <sys/stat.h>

#include "engine/state/tally.h"
#include "replay/trackers.h"
#include "scapfile/row.h"

/* What a checkpoint may hold of a tracker that forgets nothing: a share of the chunk before it, as
 * it stands in the capture, but this many bytes always. */
#define TRACKERS_SHARE 64
#define TRACKERS_ROOM  65536

struct build {
	const struct run_index_options *opt;
	uint64_t chunk_events;
	struct sf_reader *reader;
	struct state *state;
	struct run_trackers trackers;
	struct run_facts facts;
	struct sf_index_writer *writer;
	struct buf part;	/* of a checkpoint */
	uint64_t events;	/* that the state took */
	uint64_t next;		/* the number of them at which the next chunk begins */
	uint64_t first_ts;	/* of the first visible event */
	uint64_t start_ts;	/* of the first one that is no metaevent */
	struct sf_chunk *chunk; /* in progress; its offset: */
	uint64_t chunk_at;
	bool types[EV_TYPE_COUNT]; /* in it, but for what @tally counts */
	struct state_tally tally;  /* since it began, and of the threads in it */
	uint64_t tallied;	   /* its @after when it was last settled */
	size_t chunks;
	uint64_t file_size;
};

/* ---- one checkpoint ---- */

/* The part that is in @b->part. */
static int add_part(struct build *b, enum run_part part, struct error *err)
{
	if (b->part.failed)
		return error_nomem(err);
	return b->part.len ? sf_index_add_part(b->writer, part, b->part.p, b->part.len, err) : 0;
}

static void end_chunk(struct build *b)
{
	uint64_t *counts = b->tally.counts;

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		if (b->types[type] || counts[type])
			sf_chunk_type(b->chunk, type);
		b->facts.by_type[type] += counts[type];
		counts[type] = 0;
	}
	memset(b->types, 0, sizeof(b->types));
}

static int begin_bare_chunk(struct build *b, uint64_t offset, struct error *err)
{
	int rc = sf_index_begin_chunk(b->writer, offset, b->events, err);

	b->chunk = sf_index_current(b->writer);
	b->chunk_at = offset;
	state_tally_forget_threads(&b->tally);
	b->chunks++;
	return rc;
}

static int begin_chunk(struct build *b, struct error *err)
{
	uint64_t room = (sf_reader_offset(b->reader) - b->chunk_at) / TRACKERS_SHARE;
	int rc;

	end_chunk(b);
	rc = begin_bare_chunk(b, sf_reader_offset(b->reader), err);
	buf_reset(&b->part);
	if (rc == 0)
		rc = sf_reader_save(b->reader, &b->part, err);
	if (rc == 0)
		rc = add_part(b, RUN_PART_READER, err);
	buf_reset(&b->part);
	if (rc == 0)
		rc = state_save(b->state, &b->part, err);
	if (rc == 0)
		rc = add_part(b, RUN_PART_STATE, err);
	if (rc == 0)
		rc = run_trackers_save(&b->trackers, b->state, b->writer,
				       room > TRACKERS_ROOM ? room : TRACKERS_ROOM, err);
	return rc;
}

/* Return: 1 with the part in @bytes, 0: the checkpoint has none, or ERR_*. */
static int load_part(const struct sf_index *x, size_t i, enum run_part part, struct buf *bytes,
		     struct error *err)
{
	int rc = sf_index_part(x, i, part, bytes, err);

	return rc < 0 ? rc : bytes->len != 0;
}

int run_index_enter(const struct sf_index *x, size_t i, struct sf_reader *r,
		    const struct state_options *opt, struct state **st, struct error *err)
{
	struct buf bytes = {0};
	size_t n;
	int rc;

	*st = NULL;
	rc = load_part(x, i, RUN_PART_STATE, &bytes, err);
	if (rc > 0)
		rc = state_restore(opt, bytes.p, bytes.len, st, err);
	if (rc == 0 && *st)
		rc = load_part(x, i, RUN_PART_READER, &bytes, err);
	if (rc > 0)
		rc = sf_reader_enter(r, sf_index_access(x, sf_index_chunks(x, &n)[i].offset),
				     bytes.p, bytes.len, err);
	else if (rc == 0 && *st)
		rc = error_set(err, ERR_FORMAT, "the checkpoint of chunk %zu is not complete", i);
	buf_done(&bytes);
	if (rc < 0) {
		state_free(*st);
		*st = NULL;
	}
	return rc;
}

size_t run_index_with(const struct sf_index *x, size_t i, unsigned parts)
{
	while (i && (sf_index_parts(x, i) & parts) != parts)
		i--;
	return i;
}

/* ---- one pass ---- */

/* Return: false to stop. */
static bool now_and_then(struct build *b)
{
	const struct run_progress p = {
	    .events = b->events,
	    .file_done = sf_reader_stats(b->reader)->file_size,
	    .file_size = b->file_size,
	};

	if (b->opt->progress)
		b->opt->progress(b->opt->progress_arg, &p);
	return !b->opt->stop || !b->opt->stop(b->opt->progress_arg);
}

/* Times of all events, also of those the state makes nothing of: a walk to a moment ends at any. */
static inline void note_event(struct build *b, unsigned type, uint64_t ts, int64_t tid)
{
	sf_chunk_time(b->chunk, ts);
	b->types[type] = true;
	if (UNLIKELY(!state_tally_thread(&b->tally, tid)))
		sf_chunk_thread(b->chunk, tid);
}

static void note_item(struct build *b, const struct ev_item *item)
{
	run_trackers_item(&b->trackers, item);
	run_facts_item(&b->facts, item);
	if (item->kind == EV_ITEM_LOSS)
		b->chunk->losses++;
	else if (item->kind == EV_ITEM_URING)
		sf_chunk_time(b->chunk, item->ev->ts);
}

static int take(struct build *b, const struct ev_item *item, struct error *err)
{
	struct state_binding bind;
	int rc;

	if (LIKELY(item->kind == EV_ITEM_EVENT)) {
		note_event(b, item->ev->type, item->ev->ts, item->ev->tid);
		if (UNLIKELY(!b->start_ts) && !(ev_info(item->ev)->category & EC_METAEVENT))
			b->start_ts = item->ev->ts;
	} else {
		note_item(b, item);
	}
	rc = state_pass(b->state, item, &bind, err);
	if (rc <= 0)
		return rc;
	run_trackers_event(&b->trackers, b->state, &bind);
	run_facts_event(&b->facts, b->state, &bind);
	if (UNLIKELY(!b->first_ts) && bind.visible)
		b->first_ts = item->ev->ts;
	if (LIKELY(++b->events < b->next) || !state_is_complete(b->state))
		return 0;
	b->next = b->events + b->chunk_events;
	return begin_chunk(b, err);
}

/* ---- events that are passed ---- */

/* Let times in order be tallied from here on: those that neither facts nor the chunk lack. */
static void begin_tally(struct build *b)
{
	uint64_t first = b->chunk->first_ts, last = b->facts.last_ts;

	state_tally_go_on(&b->tally, first > last ? first : last);
	b->tallied = b->tally.after;
	b->tally.to_sample = b->facts.to_sample;
}

/* What was tallied is known to facts and chunk, but for the counts of types. */
static void settle_tally(struct build *b)
{
	b->facts.to_sample = b->tally.to_sample;
	if (b->tally.after == b->tallied)
		return;
	b->tallied = b->tally.after;
	b->facts.last_ts = b->tallied - 1;
	sf_chunk_time(b->chunk, b->tallied - 1);
}

/* An event whose time or thread the tally could not take in. */
static NOINLINE void note_passed(struct build *b, const struct state_passed *e)
{
	const unsigned type = e->event->type;
	const uint64_t ts = sf_row_time(e->event);

	settle_tally(b);
	sf_chunk_time(b->chunk, ts);
	sf_chunk_thread(b->chunk, sf_row_tid(e->event));
	if (e->visible)
		run_facts_time(&b->facts, type, ts);
	else
		b->types[type] = true;
	begin_tally(b);
}

/* That is what a call gave, or an ioctl's request. */
static inline unsigned number_of(unsigned type)
{
	return type == EV_IOCTL_3_X ? 2 : 0;
}

/* Of most events that trackers ask for a number says all. */
static bool on_number(void *arg, unsigned type, const struct state_thread *t,
		      const struct state_fd *fd, uint64_t ts, int64_t value)
{
	const struct build *b = arg;

	if (type == EV_IOCTL_3_X)
		return !act_sessions_wants_ioctl((uint64_t)value);
	return fd && act_net_transfer(b->trackers.net, type, t, fd, ts, value);
}

/* The same of one that was told for other reasons, too. */
static bool is_done_by_number(struct build *b, const struct state_passed *e)
{
	const struct sf_row_event *event = e->event;
	unsigned i = number_of(event->type);

	return sf_row_are_numbers(event, i + 1) &&
	       on_number(b, event->type, e->thread, e->fd, sf_row_time(event),
			 (int64_t)load_u64(sf_row_params(e->row, event) + 8 * i));
}

/* Of a buffer facts want its length and what the call gave. */
static inline bool is_sampled_by_number(struct build *b, const struct state_passed *e)
{
	const struct sf_row_event *event = e->event;

	if (!(ev_table[event->type].category & EC_SYSCALL) || !sf_row_are_numbers(event, 1))
		return false;
	run_facts_buffer(&b->facts, sf_row_len(event, (unsigned)b->facts.closer[event->type]),
			 (int64_t)load_u64(sf_row_params(e->row, event)));
	return true;
}

static NOINLINE void look_at_passed(struct build *b, const struct state_passed *e, unsigned why)
{
	struct ev ev;
	struct state_binding bind = {
	    .ev = &ev, .thread = e->thread, .fd = e->fd, .visible = e->visible};

	sf_row_decode_some(e->row, e->event, &ev);
	ev.num = state_stats(b->state)->events;
	if (why & STATE_WHY_ASKED)
		run_trackers_event(&b->trackers, b->state, &bind);
	if (why & STATE_WHY_SAMPLE)
		run_facts_look(&b->facts, &bind);
}

/* The same as take() does, for an event that only now and then is looked at. */
static void on_passed(void *arg, const struct state_passed *e, unsigned why)
{
	struct build *b = arg;
	bool sampled = why & STATE_WHY_SAMPLE;

	if (UNLIKELY(why & (STATE_WHY_TIME | STATE_WHY_HIDDEN | STATE_WHY_THREAD)))
		note_passed(b, e);
	if (sampled && is_sampled_by_number(b, e))
		why &= ~(unsigned)STATE_WHY_SAMPLE;
	if (why & STATE_WHY_ASKED && is_done_by_number(b, e))
		why &= ~(unsigned)STATE_WHY_ASKED;
	if (e->visible && b->facts.closer[e->event->type] == RUN_FACTS_EXEC)
		why |= STATE_WHY_SAMPLE;
	if (why & (STATE_WHY_ASKED | STATE_WHY_SAMPLE))
		look_at_passed(b, e, why);
	if (sampled)
		b->tally.to_sample = b->facts.to_sample;
}

static void init_tally(struct build *b, struct state_passing *p)
{
	p->tally = &b->tally;
	b->tally.told = on_passed;
	b->tally.told_number = on_number;
	b->tally.arg = b;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++) {
		int8_t closer = b->facts.closer[type];
		uint8_t *tell = &p->ways[type].tell;

		*tell = b->trackers.tell[type];
		if (*tell & STATE_TELL_SOCKETS || type == EV_IOCTL_3_X)
			state_way_tells_number(&p->ways[type], number_of(type));
		if (closer)
			*tell |= closer == RUN_FACTS_EXEC ? STATE_TELL_ALL : STATE_TELL_SAMPLE;
	}
}

static bool is_looked_at(const void *arg, unsigned type)
{
	(void)arg;
	(void)type;
	return false;
}

/*
 * How many events may be passed before one is to be taken: the last one before a checkpoint, or
 * before a look around; each one as long as something waits for what is first of its kind.
 */
static uint64_t may_pass(const struct build *b, uint64_t n)
{
	uint64_t some = run_until_progress(n);
	uint64_t here = b->next > b->events ? b->next - b->events - 1 : 0;

	if (!b->trackers.started || !b->facts.began || !b->first_ts || !b->start_ts)
		return 0;
	return some < here ? some : here;
}

static int pass(struct build *b, struct error *err)
{
	struct state_passing p;
	struct ev_item item;
	uint64_t n = 0;
	int rc;

	rc = begin_bare_chunk(b, 0, err);
	if (rc < 0)
		return rc;
	b->next = b->chunk_events;
	state_passing_init(&p, is_looked_at, NULL);
	p.reader = b->reader;
	init_tally(b, &p);
	for (;;) {
		p.max = may_pass(b, n);
		begin_tally(b);
		rc = state_pass_on(b->state, &p, &item, err);
		settle_tally(b);
		b->events += p.passed;
		n += p.passed;
		if (rc <= 0)
			return rc;
		rc = take(b, &item, err);
		if (rc < 0)
			return rc;
		if (++n % RUN_PROGRESS_EVENTS == 0 && !now_and_then(b))
			return error_set(err, ERR_INTERRUPTED, "stopped");
	}
}

static void report_on(const struct build *b, const char *path, struct run_index_report *out)
{
	const struct sf_stats *s = sf_reader_stats(b->reader);
	struct stat sb;

	*out = (struct run_index_report){
	    .events = b->events,
	    .gaps = s->gaps,
	    .chunks = b->chunks,
	    .raw_size = s->stream_size,
	    .index_size = stat(path, &sb) == 0 ? (uint64_t)sb.st_size : 0,
	};
}

/* What is told of the capture, into b->part. */
static int save_facts(struct build *b, struct error *err)
{
	struct archive a = archive_to(&b->part);
	int rc;

	buf_reset(&b->part);
	rc = run_facts_end(&b->facts, b->reader, b->state, err);
	if (rc == 0)
		rc = run_facts_archive(&b->facts, &a);
	return rc < 0 || b->part.failed ? error_nomem(err) : 0;
}

int run_index_facts(const struct sf_index *x, struct run_facts *out, struct error *err)
{
	struct sv more = sf_index_facts(x)->more;
	struct archive a = archive_from(more.p, more.n);

	run_facts_init(out);
	if (run_facts_archive(out, &a) < 0)
		return error_nomem(err);
	return a.trouble ? error_set(err, ERR_FORMAT, "what it says of the capture: %s", a.trouble)
			 : 0;
}

/* The capture must not change meanwhile: it is looked at before and after. */
static int finish(struct build *b, const char *capture, const struct sf_identity *before,
		  struct error *err)
{
	struct sf_index_facts facts = {
	    .of = *before, .first_ts = b->first_ts, .start_ts = b->start_ts};
	const struct sf_access *access;
	struct sf_identity after;
	size_t n;
	int rc = sf_identify(capture, &after, err);

	if (rc < 0)
		return rc;
	if (memcmp(&after, before, sizeof(after)) != 0)
		return error_set(err, ERR_IO, "'%s' was changed while it was being read", capture);
	end_chunk(b);
	rc = save_facts(b, err);
	if (rc < 0)
		return rc;
	facts.more = buf_view(&b->part);
	access = sf_reader_access(b->reader, &n);
	facts.events = b->events;
	facts.gaps = sf_reader_stats(b->reader)->gaps;
	rc = sf_index_finish(b->writer, &facts, access, n, err);
	b->writer = NULL;
	return rc;
}

static int build(struct build *b, const char *capture, const char *path, struct error *err)
{
	/* What is saved of the state is the same; trackers know people as those who show them do.
	 */
	static const struct state_options host_names = {.host_names = true};
	const struct sf_options opt = {.access_span = RUN_ACCESS_SPAN,
				       .want_hash = true,
				       .hash_aside = true,
				       .read_ahead = true};
	struct sf_identity id = {0};
	int rc = sf_identify(capture, &id, err);

	run_facts_init(&b->facts);
	b->file_size = id.size;
	if (rc == 0)
		rc = sf_reader_open(capture, &opt, &b->reader, err);
	if (rc == 0)
		rc = state_new(&host_names, &b->state, err);
	if (rc == 0)
		rc = run_trackers_init(&b->trackers, b->state, err);
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
	run_trackers_done(&b.trackers);
	run_facts_done(&b.facts);
	sf_reader_close(b.reader);
	buf_done(&b.part);
	return rc;
}
