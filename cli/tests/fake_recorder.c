/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tests/fake_recorder.h"

#include <stdlib.h>
#include <string.h>

#define DATA_BYTES 200 /* of an event, and they do not compress */

struct fake fake;

struct rec {
	struct ev_source base;
	struct ev_synth *synth;
	struct ev_item machine, thread, event;
	uint32_t seed;
	unsigned state_left; /* items of it */
	unsigned losses_left;
	struct ev_loss loss;
	void (*idle)(void *arg);
	void *arg;
};

void fake_reset(void)
{
	fake = (struct fake){.step_ns = 1000, .ends = true};
}

void rec_options_init(struct rec_options *opt)
{
	*opt = (struct rec_options){
	    .snaplen = REC_SNAPLEN_DEFAULT,
	    .ring_bytes = REC_RING_BYTES_DEFAULT,
	    .memory_bytes = REC_MEMORY_BYTES_DEFAULT,
	    .first_state = true,
	};
}

static int take(struct rec *r, struct ev_item *item)
{
	return ev_source_next(ev_synth_source(r->synth), item, NULL);
}

static void build(struct rec *r)
{
	static const struct ev_machine machine = {.num_cpus = 1, .hostname = {"fake", 4}};
	static const struct ev_thread_entry thread = {
	    .tid = 42, .pid = 42, .comm = {"fake", 4}, .exe = {"fake", 4}};
	char data[DATA_BYTES] = "";

	(void)!ev_synth_add(r->synth,
			    &(struct ev_item){.kind = EV_ITEM_MACHINE, .machine = &machine});
	(void)!ev_synth_add(r->synth, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = &thread});
	ev_synth_begin(r->synth, EV_WRITE_X, FAKE_FIRST_TS, 42);
	ev_synth_int(r->synth, DATA_BYTES);
	ev_synth_bytes(r->synth, data, sizeof(data));
	ev_synth_int(r->synth, 1);
	ev_synth_int(r->synth, DATA_BYTES);
	(void)!ev_synth_end(r->synth);
	take(r, &r->machine);
	take(r, &r->thread);
	take(r, &r->event);
}

int rec_open(const struct rec_options *opt, struct rec **out, struct error *err)
{
	struct rec *r;

	(void)opt;
	if (fake.open_rc)
		return error_set(err, fake.open_rc, "the test says no");
	r = calloc(1, sizeof(*r));
	r->synth = ev_synth_new();
	r->seed = 1;
	r->state_left = 2;
	r->losses_left = fake.losses;
	build(r);
	fake.open = true;
	fake.states = 1;
	*out = r;
	return 0;
}

/* Bytes that no compressor makes less of. */
static void next_event(struct rec *r, struct ev_item *item)
{
	struct ev *ev = r->event.ev;
	uint8_t *data = (uint8_t *)ev->data + 8;

	for (unsigned i = 0; i < DATA_BYTES; i++) {
		r->seed = r->seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(r->seed >> 24);
	}
	ev->ts = FAKE_FIRST_TS + fake.delivered * fake.step_ns;
	ev->located = 0;
	*item = r->event;
}

int rec_next(struct rec *r, struct ev_item *item, int timeout_ms, struct error *err)
{
	(void)timeout_ms;
	(void)err;
	if (r->state_left) {
		*item = r->state_left == 3   ? (struct ev_item){.kind = EV_ITEM_SECTION}
			: r->state_left == 2 ? r->machine
					     : r->thread;
		r->state_left--;
		return 1;
	}
	if (r->losses_left) {
		r->losses_left--;
		r->loss = (struct ev_loss){.from = FAKE_FIRST_TS,
					   .to = FAKE_FIRST_TS,
					   .reason = EV_LOSS_RING_FULL,
					   .count = 10};
		*item = (struct ev_item){.kind = EV_ITEM_LOSS, .loss = &r->loss};
		return 1;
	}
	if (fake.stopped)
		return 0;
	if (fake.delivered == fake.events) {
		if (fake.on_idle)
			fake.on_idle();
		return fake.ends ? 0 : REC_IDLE;
	}
	if (fake.on_event)
		fake.on_event(fake.delivered);
	next_event(r, item);
	fake.delivered++;
	return 1;
}

static int source_next(struct ev_source *s, struct ev_item *item, struct error *err)
{
	struct rec *r = (struct rec *)s;
	int rc;

	do {
		if (r->idle)
			r->idle(r->arg);
		rc = rec_next(r, item, 0, err);
	} while (rc == REC_IDLE);
	return rc;
}

static void source_close(struct ev_source *s)
{
	(void)s;
}

struct ev_source *rec_source(struct rec *r, void (*idle)(void *arg), void *arg)
{
	static const struct ev_source_ops ops = {source_next, source_close};

	r->base.ops = &ops;
	r->idle = idle;
	r->arg = arg;
	return &r->base;
}

int rec_state_again(struct rec *r, struct error *err)
{
	(void)err;
	r->state_left = 3;
	fake.states++;
	return 0;
}

void rec_shed(struct rec *r, unsigned level)
{
	(void)r;
	fake.shed = level;
}

void rec_stop(struct rec *r)
{
	(void)r;
	fake.stopped = true;
}

void rec_stats(struct rec *r, struct rec_stats *out)
{
	(void)r;
	*out = (struct rec_stats){.seen = fake.delivered, .delivered = fake.delivered};
}

void rec_close(struct rec *r)
{
	if (!r)
		return;
	ev_source_close(ev_synth_source(r->synth));
	fake.open = false;
	free(r);
}

unsigned rec_check(struct rec_feature features[REC_FEATURES_MAX])
{
	features[0] = (struct rec_feature){.name = "a fake", .required = true, .present = true};
	return 1;
}
