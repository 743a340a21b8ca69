/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parallel replay: threads take the segments of a capture in order, each with a reader and a state
 * of its own, and log what they find; one thread passes the logs on in the order of the segments.
 * So everything arrives as if one thread had replayed the capture. Segments that wait for their
 * turn, and what their logs hold, are bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "replay/segments.h"
#include "scapfile/stream.h"

#define AHEAD	    2	       /* finished segments that may wait, more than there are threads */
#define PATIENCE_NS 200000000u /* between two looks at how far things are */

struct crew {
	struct run_plan plan;
	struct run_segment *slots; /* of segment i: i % @slot_count */
	size_t slot_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t next; /* the first segment nobody has taken */
	size_t head; /* the one being passed on */
	bool over;   /* nobody shall take another */
	unsigned jobs;
	pthread_t *threads;
	size_t thread_count;
};

static struct run_segment *slot_of(struct crew *c, size_t i)
{
	return &c->slots[i % c->slot_count];
}

/* ---- the threads ---- */

/* Wait for a segment to replay. Return: NULL if there is none any more. */
static struct run_segment *take_segment(struct crew *c)
{
	struct run_segment *s = NULL;

	pthread_mutex_lock(&c->lock);
	while (!c->over && c->next < c->plan.count && c->next - c->head >= c->slot_count)
		pthread_cond_wait(&c->changed, &c->lock);
	if (!c->over && c->next < c->plan.count) {
		s = slot_of(c, c->next);
		run_segment_begin(s, c->next++);
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return s;
}

static void has_entered(void *arg, struct run_segment *s)
{
	struct crew *c = arg;

	pthread_mutex_lock(&c->lock);
	s->entered = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static void *work(void *arg)
{
	struct crew *c = arg;
	struct run_segment *s;

	while ((s = take_segment(c)))
		run_segment_replay(s, has_entered, c);
	return NULL;
}

/* Signals are for those who were there before. */
static bool start_thread(pthread_t *t, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(t, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0;
}

/* One is enough, if only slow. */
static int start_threads(struct crew *c, struct error *err)
{
	while (c->thread_count < c->jobs && start_thread(&c->threads[c->thread_count], work, c))
		c->thread_count++;
	return c->thread_count ? 0 : error_set(err, ERR_NOMEM, "cannot start a thread");
}

static void stop_threads(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->over = true;
	for (size_t i = c->head; i < c->next; i++) {
		atomic_store(&slot_of(c, i)->unwanted, true);
		run_log_give_up(&slot_of(c, i)->log);
	}
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->thread_count; i++)
		pthread_join(c->threads[i], NULL);
	c->thread_count = 0;
}

/* ---- passing on ---- */

/*
 * Processes known by their number only are started when it matters; whether a segment before did
 * that already is known here alone.
 */
struct once {
	struct run_out out;
	struct run_out *to;
	struct map started; /* keys of those that have not ended */
};

static int once_alert(struct run_out *o, const struct run_alert *a, struct error *err)
{
	struct run_out *to = CONTAINER_OF(o, struct once, out)->to;

	return to->ops->alert(to, a, err);
}

static int once_start(struct run_out *o, const struct qry_process *p, struct error *err)
{
	struct once *once = CONTAINER_OF(o, struct once, out);

	if (p->origin == QRY_PLACEHOLDER || p->origin == QRY_FROM_LIST) {
		if (map_get(&once->started, p->key))
			return 0;
		if (map_put(&once->started, p->key, once) < 0)
			return error_nomem(err);
	}
	return once->to->ops->process_start(once->to, p, err);
}

static int once_exec(struct run_out *o, const struct qry_exec *x, struct error *err)
{
	struct run_out *to = CONTAINER_OF(o, struct once, out)->to;

	return to->ops->process_exec(to, x, err);
}

static int once_end(struct run_out *o, const struct run_process_end *e, struct error *err)
{
	struct once *once = CONTAINER_OF(o, struct once, out);

	(void)map_take(&once->started, e->key);
	return once->to->ops->process_end(once->to, e, err);
}

static int once_fact(struct run_out *o, const struct qry_fact *f, struct error *err)
{
	struct run_out *to = CONTAINER_OF(o, struct once, out)->to;

	return to->ops->fact(to, f, err);
}

static const struct run_out_ops once_ops = {
    .alert = once_alert,
    .process_start = once_start,
    .process_exec = once_exec,
    .process_end = once_end,
    .fact = once_fact,
};

/* The segment whose turn it is, once a thread has entered it. */
static struct run_segment *next_segment(struct crew *c)
{
	struct run_segment *s = slot_of(c, c->head);

	pthread_mutex_lock(&c->lock);
	while (c->next <= c->head || !s->entered)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	return s;
}

static uint64_t events_done(struct crew *c)
{
	uint64_t n;

	pthread_mutex_lock(&c->lock);
	n = run_segment_start(slot_of(c, c->head));
	for (size_t i = c->head; i < c->next; i++)
		n += run_segment_events(slot_of(c, i)) - run_segment_start(slot_of(c, i));
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* The head is through: its gaps follow those before it. */
static int take_results(struct run_parallel *p, struct run_segment *s, struct error *err)
{
	size_t n = SF_GAPS_MAX - p->gap_count;

	if (s->peak_state_memory > p->peak_state_memory)
		p->peak_state_memory = s->peak_state_memory;
	if (s->gap_count && !p->gaps)
		p->gaps = calloc(SF_GAPS_MAX, sizeof(*p->gaps));
	if (s->gap_count && !p->gaps)
		return error_nomem(err);
	n = s->gap_count < n ? s->gap_count : n;
	if (n)
		memcpy(p->gaps + p->gap_count, s->gaps, n * sizeof(*p->gaps));
	p->gap_count += n;
	return 0;
}

static void advance(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->head++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/*
 * Without the index from here on: the segment becomes the rest of the capture. Nobody else is at
 * work any more, so what is found needs no log.
 */
static void replay_rest(struct crew *c, struct run_segment *s, struct run_out *out)
{
	size_t number = s->number;

	stop_threads(c);
	run_segment_begin(s, number);
	s->anew = true;
	s->out = out;
	run_segment_replay(s, has_entered, c);
}

/* Return: as run_parallel_replay(). */
static int pass_on_segment(struct crew *c, struct run_parallel *p, struct run_segment *s,
			   struct run_out *to, struct error *err)
{
	int rc;

	while ((rc = run_log_pass_on(&s->log, to, PATIENCE_NS, err)) > 0)
		p->tick(p->arg, events_done(c));
	if (rc < 0) {
		p->out_failed = true;
		return rc;
	}
	rc = take_results(p, s, err);
	if (rc == 0 && s->rc < 0 && err)
		*err = s->err;
	return rc < 0 ? rc : s->rc;
}

/* Return: as run_parallel_replay(). */
static int pass_on(struct crew *c, struct run_parallel *p, struct error *err)
{
	struct once once = {.out.ops = &once_ops, .to = p->out};
	struct run_tail before;
	struct run_segment *s;
	int rc;

	for (;; advance(c)) {
		s = next_segment(c);
		if (c->head ? !run_segment_follows(s, &before) : s->useless) {
			p->index_failed = true;
			replay_rest(c, s, &once.out);
		}
		rc = pass_on_segment(c, p, s, &once.out, err);
		if (rc < 0 || s->last)
			break;
		p->tick(p->arg, events_done(c));
		before = s->tail;
	}
	map_done(&once.started);
	return rc;
}

/* What the capture looks like where the replay ended. */
static void take_end(struct run_parallel *p, struct run_segment *s)
{
	p->end = s->end;
	p->stats = s->stats;
	p->state = s->state;
	s->state = NULL;
}

/* ---- the hash of the file ---- */

#define HASH_BYTES (256u << 10)

struct hasher { /* reads the file beside the others, who skip about in it */
	const char *path;
	pthread_t thread;
	bool runs, valid;
	atomic_bool unwanted;
	uint8_t digest[32];
};

static bool hash_file(struct hasher *h, struct sf_hash *hash, int fd)
{
	static const size_t room = HASH_BYTES;
	uint8_t *bytes = malloc(room);
	ssize_t n = -1;

	while (bytes && !atomic_load(&h->unwanted)) {
		n = read(fd, bytes, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sf_hash_add(hash, bytes, (size_t)n);
	}
	free(bytes);
	return n == 0 && sf_hash_end(hash, h->digest);
}

static void *hash(void *arg)
{
	struct hasher *h = arg;
	int fd = open(h->path, O_RDONLY | O_CLOEXEC);
	struct sf_hash *hash_so_far = NULL;
	struct error err;

	if (fd >= 0 && sf_hash_new(&hash_so_far, &err) == 0)
		h->valid = hash_file(h, hash_so_far, fd);
	sf_hash_free(hash_so_far);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void end_hash(struct hasher *h, struct run_parallel *p, int rc)
{
	bool wanted = rc == 0 && p->end == RUN_END_CLEAN;

	if (!h->path)
		return;
	atomic_store(&h->unwanted, !wanted);
	if (h->runs)
		pthread_join(h->thread, NULL);
	else if (wanted)
		hash(h);
	p->stats.sha256_valid = wanted && h->valid;
	memcpy(p->stats.sha256, h->digest, sizeof(h->digest));
}

/* ---- all together ---- */

/* Losses that were recorded are no damage. */
static bool is_damaged(const struct sf_index *x)
{
	uint64_t losses = 0;
	size_t n;
	const struct sf_chunk *chunks = sf_index_chunks(x, &n);

	for (size_t i = 0; i < n; i++)
		losses += chunks[i].losses;
	return sf_index_facts(x)->gaps > losses;
}

const char *run_parallel_obstacle(const struct run_setup *s, const struct sf_index *x,
				  enum sf_compression compression)
{
	size_t n = 0;

	if (s->opt.profile)
		return "a profile is of one thread";
	if (!x)
		return "it has no index";
	(void)sf_index_chunks(x, &n);
	if (n < 2)
		return "its index has one chunk only";
	/* How much a decoder yields in front of damage depends on where it began. */
	if (compression != SF_PLAIN && is_damaged(x))
		return "its compressed data is damaged";
	if (flt_program_has_memory(rule_engine_program(s->engine)))
		return "the rules use fields that count from event to event";
	if (s->opt.memory_limit)
		return "a memory limit is for one state";
	return NULL;
}

static int crew_init(struct crew *c, unsigned jobs, struct error *err)
{
	int rc = run_plan_make(&c->plan, err);

	if (rc < 0)
		return rc;
	if (jobs > c->plan.count)
		jobs = (unsigned)c->plan.count;
	c->jobs = jobs;
	c->slot_count = jobs + AHEAD;
	c->slots = calloc(c->slot_count, sizeof(*c->slots));
	c->threads = calloc(jobs, sizeof(*c->threads));
	if (!c->slots || !c->threads)
		return error_nomem(err);
	for (size_t i = 0; i < c->slot_count && rc == 0; i++)
		rc = run_segment_init(&c->slots[i], &c->plan, err);
	return rc;
}

static void crew_done(struct crew *c)
{
	for (size_t i = 0; c->slots && i < c->slot_count; i++)
		run_segment_done(&c->slots[i]);
	free(c->slots);
	free(c->threads);
	run_plan_done(&c->plan);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
}

int run_parallel_replay(struct run_parallel *p, struct error *err)
{
	const struct run_options *opt = &p->setup->opt;
	struct crew c = {
	    .plan = {.setup = p->setup, .path = p->path, .index = p->index, .stop = p->stop},
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER,
	};
	struct hasher h = {.path = opt->want_hash ? p->path : NULL};
	int rc = crew_init(&c, opt->jobs, err);

	if (rc == 0)
		rc = start_threads(&c, err);
	if (rc == 0) {
		h.runs = h.path && start_thread(&h.thread, hash, &h);
		rc = pass_on(&c, p, err);
		stop_threads(&c);
		take_end(p, slot_of(&c, c.head));
		end_hash(&h, p, rc);
	}
	crew_done(&c);
	return rc;
}
