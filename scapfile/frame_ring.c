/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/frame_ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scapfile/writing.h"

struct sf_ring_section {
	struct sf_ring_section *next;
	struct sf_chain state; /* header and lists; complete when there are events */
	struct sf_chain events;
};

/* ---- chains ---- */

static void chain_add(struct sf_chain *c, struct sf_packed *f)
{
	if (!c->first)
		c->end = &c->first;
	*c->end = f;
	c->end = &f->next;
}

static struct sf_packed *chain_take(struct sf_chain *c)
{
	struct sf_packed *f = c->first;

	c->first = f->next;
	return f;
}

/* ---- life ---- */

void sf_ring_init(struct sf_ring *r, const struct sf_writer_options *opt, enum sf_compression c,
		  const char *stem, const char *suffix, struct sf_sealer *sealer)
{
	*r = (struct sf_ring){
	    .ns = opt->keep_ns,
	    .limit = opt->keep_bytes,
	    .compression = c,
	    .level = opt->level,
	    .stem = stem,
	    .suffix = suffix,
	    .sealer = sealer,
	};
	pthread_mutex_init(&r->lock, NULL);
}

static void free_chain(struct sf_chain *c)
{
	while (c->first)
		free(chain_take(c));
}

void sf_ring_done(struct sf_ring *r)
{
	while (r->first) {
		struct sf_ring_section *s = r->first;

		r->first = s->next;
		free_chain(&s->state);
		free_chain(&s->events);
		free(s);
	}
	free(r->path);
	pthread_mutex_destroy(&r->lock);
}

/* ---- making room ---- */

static void drop_frame(struct sf_ring *r, struct sf_ring_section *s)
{
	struct sf_packed *f = chain_take(&s->events);
	struct sf_kept *k = &r->kept;

	k->bytes -= sf_packed_cost(f);
	k->events -= f->note.count;
	k->dropped_frames++;
	k->dropped_events += f->note.count;
	k->dropped_bytes += f->n;
	if (!r->gap.count)
		r->gap =
		    (struct ev_loss){.from = f->note.from, .cpu = -1, .reason = EV_LOSS_MEMORY};
	r->gap.to = f->note.to;
	r->gap.count += f->note.count + f->note.lost;
	free(f);
}

static void drop_contents(struct sf_ring *r, struct sf_ring_section *s)
{
	while (s->events.first)
		drop_frame(r, s);
	while (s->state.first) {
		struct sf_packed *f = chain_take(&s->state);

		r->kept.bytes -= sf_packed_cost(f);
		free(f);
	}
	if (s == r->first)
		r->gap = (struct ev_loss){0};
}

static void drop_section(struct sf_ring *r)
{
	struct sf_ring_section *s = r->first;

	drop_contents(r, s);
	r->kept.bytes -= sizeof(*s);
	r->first = s->next;
	if (!r->first)
		r->last = NULL;
	free(s);
}

/*
 * The oldest section goes as soon as the next one can stand for itself. Until then its events go
 * one frame after the other, and a dump says what is missing. Return: false if there is nothing to
 * drop but the last state.
 */
static bool drop_oldest(struct sf_ring *r)
{
	struct sf_ring_section *s = r->first;

	if (!s)
		return false;
	if (s->next && (s->next->events.first || !s->events.first))
		drop_section(r);
	else if (s->events.first)
		drop_frame(r, s);
	else
		return false;
	return true;
}

/* Does what follows the first section reach back far enough? */
static bool first_is_too_old(const struct sf_ring *r)
{
	const struct sf_ring_section *second = r->first->next;
	const struct sf_note *note;

	if (!second || !second->events.first)
		return false;
	note = &second->events.first->note;
	return !r->first->events.first ||
	       (r->ns && note->has_time && r->kept.to - note->from >= r->ns);
}

static int too_small(const struct sf_ring *r, struct error *err)
{
	return error_set(err, ERR_LIMIT,
			 "%llu bytes to keep are too few: the state of the host, which events "
			 "cannot be read without, takes %llu of them; at least %d times that are "
			 "needed",
			 (unsigned long long)r->limit, (unsigned long long)r->kept.state_bytes,
			 SF_RING_SECTIONS);
}

static int make_room(struct sf_ring *r, uint64_t cost, struct error *err)
{
	while (r->kept.bytes + cost > r->limit)
		if (!drop_oldest(r))
			return too_small(r, err);
	return 0;
}

/* ---- keeping ---- */

static int begin_section(struct sf_ring *r, struct error *err)
{
	struct sf_ring_section *s;
	int rc;

	r->kept.sections++;
	r->kept.state_bytes = r->kept.section_bytes = 0;
	if (r->last && !r->last->events.first) {
		drop_contents(r, r->last); /* a state without events is worth nothing */
		return 0;
	}
	rc = make_room(r, sizeof(*s), err);
	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_nomem(err);
	if (r->last)
		r->last->next = s;
	else
		r->first = s;
	r->last = s;
	r->kept.bytes += sizeof(*s);
	return 0;
}

/* Events come for the first time: a state that takes too much of the limit would leave nothing of
 * them. Later ones may grow; then there is less. */
static int check_state(const struct sf_ring *r, struct error *err)
{
	if (r->kept.sections > 1 || r->kept.events || r->kept.dropped_events ||
	    r->kept.state_bytes <= r->limit / SF_RING_SECTIONS)
		return 0;
	return too_small(r, err);
}

/* Should a new section begin? If this one has its share, and its state is not most of it. */
static bool section_is_full(const struct sf_kept *k, uint64_t limit)
{
	return k->section_bytes >= limit / SF_RING_SECTIONS &&
	       k->section_bytes >= 2 * k->state_bytes;
}

static void note_events(struct sf_ring *r, const struct sf_note *note)
{
	struct sf_kept *k = &r->kept;

	k->events += note->count;
	if (note->has_time && note->to > k->to)
		k->to = note->to;
	while (first_is_too_old(r))
		drop_section(r);
}

static int keep(struct sf_ring *r, struct sf_packed *f, struct error *err)
{
	uint64_t cost = sf_packed_cost(f);
	int rc = 0;

	if (f->note.first || !r->last)
		rc = begin_section(r, err);
	if (rc >= 0 && f->note.events)
		rc = check_state(r, err);
	else if (rc >= 0)
		r->kept.state_bytes += cost;
	if (rc >= 0)
		rc = make_room(r, cost, err);
	if (rc < 0) {
		free(f);
		return rc;
	}
	chain_add(f->note.events ? &r->last->events : &r->last->state, f);
	r->kept.bytes += cost;
	r->kept.section_bytes += cost;
	if (f->note.events)
		note_events(r, &f->note);
	r->kept.section_full = f->note.events && section_is_full(&r->kept, r->limit);
	if (r->first->events.first)
		r->kept.from = r->first->events.first->note.from;
	return 0;
}

/* ---- dumping ---- */

static int write_chain(struct sf_output *o, const struct sf_chain *c, struct error *err)
{
	int rc = 0;

	for (const struct sf_packed *f = c->first; f && rc >= 0; f = f->next)
		rc = sf_output_write(o, f->bytes, f->n, f->size, &f->note, err);
	return rc;
}

/* What was dropped behind the first state, as a loss in its place. */
static int write_gap(const struct sf_ring *r, struct sf_output *o, struct error *err)
{
	const struct sf_note note = {.lost = r->gap.count};
	uint8_t block[SF_LOSS_BLOCK];
	struct sf_frame f = {.p = block, .len = sf_loss_block(block, &r->gap, 0)};
	struct sf_packer packer;
	const uint8_t *p;
	size_t n;
	int rc = sf_packer_init(&packer, r->compression, r->level, err);

	if (rc >= 0)
		rc = sf_pack(&packer, &f, &p, &n, err);
	if (rc >= 0)
		rc = sf_output_write(o, p, n, f.len, &note, err);
	sf_packer_done(&packer);
	return rc;
}

/* The clocks while what is kept happened: from the last reading before it. */
static int write_clocks(const struct sf_ring *r, struct sf_output *o, struct error *err)
{
	uint64_t i = r->clocks_read > SF_RING_CLOCKS ? r->clocks_read - SF_RING_CLOCKS : 0;
	int rc = 0;

	while (i + 1 < r->clocks_read &&
	       r->clocks[(i + 1) % SF_RING_CLOCKS].realtime <= r->kept.from)
		i++;
	for (; i < r->clocks_read && rc >= 0; i++)
		rc = sf_seal_clock(&o->seal, &r->clocks[i % SF_RING_CLOCKS], err);
	return rc;
}

static int write_kept(const struct sf_ring *r, struct sf_output *o, struct error *err)
{
	int rc = write_chain(o, &r->first->state, err);

	if (rc >= 0 && r->gap.count)
		rc = write_gap(r, o, err);
	for (const struct sf_ring_section *s = r->first; s && rc >= 0; s = s->next)
		rc = write_chain(o, &s->events, err);
	if (rc >= 0)
		rc = sf_output_clock(o, SF_CLOCK_END, err);
	return rc < 0 ? rc : sf_output_finish(o, err);
}

static int next_name(struct sf_ring *r, struct error *err)
{
	free(r->path);
	if (asprintf(&r->path, "%s.%04u%s", r->stem, ++r->number, r->suffix) >= 0)
		return 0;
	r->path = NULL;
	return error_nomem(err);
}

/* Names that are taken are left alone; the next one will do. */
static int place(struct sf_ring *r, struct sf_output *o, struct error *err)
{
	struct error why = {0};
	int rc = 0;

	for (unsigned i = 0; i < SF_RING_NAMES_MAX; i++) {
		rc = sf_output_place(o, r->path, &why);
		if (rc >= 0 || why.sys != EEXIST)
			break;
		rc = next_name(r, &why);
		if (rc < 0)
			break;
	}
	if (rc < 0 && err)
		*err = why;
	return rc;
}

static int dump(struct sf_ring *r, struct error *err)
{
	struct sf_output o;
	int rc;

	if (!r->first || !r->first->events.first)
		return error_set(err, ERR_USAGE, "nothing is kept yet that could be written");
	rc = next_name(r, err);
	if (rc < 0)
		return rc;
	rc = sf_output_open(&o, r->path, SF_PLACE_LATER, r->compression, r->sealer, err);
	if (rc >= 0)
		rc = write_clocks(r, &o, err);
	if (rc >= 0)
		rc = write_kept(r, &o, err);
	if (rc >= 0)
		rc = place(r, &o, err);
	r->dump = (struct sf_dump){
	    .path = r->path,
	    .bytes = o.stored,
	    .events = r->kept.events,
	    .missing = r->gap.count,
	    .from = r->kept.from,
	    .to = r->kept.to,
	};
	sf_output_done(&o);
	if (rc < 0)
		r->number--;
	else
		r->kept.written += r->dump.bytes;
	return rc;
}

/* Not under the lock: nobody looks at a dump that is not done. */
static void take_dump(struct sf_ring *r)
{
	r->dump_err = (struct error){0};
	r->dump_rc = dump(r, &r->dump_err);
	r->kept.dumps += r->dump_rc >= 0;
}

static void keep_clock(struct sf_ring *r, enum sf_clock_why why)
{
	sf_clock_read(&r->clocks[r->clocks_read++ % SF_RING_CLOCKS], why);
}

int sf_ring_take(struct sf_ring *r, struct sf_packed *f, struct error *err)
{
	bool is_dump = f->note.dump;
	int rc = 0;

	if (f->note.clock) {
		keep_clock(r, f->note.clock);
		free(f);
	} else if (is_dump) {
		free(f);
		take_dump(r);
	} else {
		rc = keep(r, f, err);
	}
	pthread_mutex_lock(&r->lock);
	r->told = r->kept;
	r->dumped = r->dumped || is_dump;
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* ---- asking ---- */

void sf_ring_told(struct sf_ring *r, struct sf_kept *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->told;
	pthread_mutex_unlock(&r->lock);
}

int sf_ring_begin_dump(struct sf_ring *r, struct error *err)
{
	if (r->dumping)
		return error_set(err, ERR_USAGE, "what is kept is being written already");
	r->dumping = true;
	return 0;
}

int sf_ring_dumped(struct sf_ring *r, struct sf_dump *out, struct error *err)
{
	bool done;

	pthread_mutex_lock(&r->lock);
	done = r->dumped;
	r->dumped = false;
	pthread_mutex_unlock(&r->lock);
	if (!done)
		return 0;
	r->dumping = false;
	if (r->dump_rc < 0) {
		if (err)
			*err = r->dump_err;
		return r->dump_rc;
	}
	*out = r->dump;
	return 1;
}
