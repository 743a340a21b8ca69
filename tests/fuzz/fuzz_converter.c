/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old events of a few threads, each as: a row of the conversion table that it begins at, a byte of
 * thread (two bits), of more parameters (one), of what is done with it, and of its header's version
 * (the last bit), and a length for each parameter, whose bytes count up. By plan comes what comes
 * step by step, and so it does from a window in which the events lie, where what is told of an
 * event that is not made is so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "scapfile/brief.h"
#include "scapfile/internal.h"
#include "scapfile/output.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define LONG_FROM 240 /* lengths from here on are so many times LONG_STEP longer */
#define LONG_STEP 700

#define WINDOW (1u << 20) /* bytes of events that are looked at where they lie */
#define EVENTS 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input { /* an event; its bytes stay where they are */
	struct ev ev;
	uint8_t lens[EV_PARAMS_MAX * 4];
	uint8_t data[EV_PARAMS_MAX * 16 * LONG_STEP];
};

struct expected {
	int result;
	unsigned type, nparams;
	uint32_t n[EV_PARAMS_MAX];
	uint8_t bytes[CONV_EVENT_MAX];
};

static uint8_t next_u8(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 1);

	return p ? *p : 0;
}

static void add_param(struct input *in, uint32_t n)
{
	struct ev *ev = &in->ev;
	uint32_t at = ev->at[ev->nparams];

	for (uint32_t k = 0; k < n; k++)
		in->data[at + k] = (uint8_t)(ev->nparams + k);
	for (unsigned k = 0; k < (ev->wide ? 4 : 2); k++)
		in->lens[ev->nparams * (ev->wide ? 4u : 2u) + k] = (uint8_t)(n >> 8 * k);
	ev->at[++ev->nparams] = at + n;
}

static unsigned read_event(struct cursor *c, struct input *in)
{
	const struct conv_row *row = &conv_rows[next_u8(c) % conv_first_row[EV_TYPE_COUNT]];
	unsigned how = next_u8(c), n = row->nparams_in + (how >> 2 & 1);

	in->ev = (struct ev){.type = row->type,
			     .tid = how & 3,
			     .lens = in->lens,
			     .data = in->data,
			     .wide = ev_table[row->type].flags & EF_LARGE_PAYLOAD};
	for (unsigned i = 0; i < n && i < EV_PARAMS_MAX; i++) {
		uint32_t len = next_u8(c);

		add_param(in, len < LONG_FROM ? len % 24 : (len - LONG_FROM) * LONG_STEP);
	}
	in->ev.located = (uint8_t)in->ev.nparams;
	return how >> 3;
}

/* Step by step. Return: false if there is nothing to be compared. */
static bool walk(struct converter *c, const struct input *in, struct expected *out)
{
	static char json[CONV_EVENT_MAX];
	struct conv_enter *e = conv_enters_find(&c->enters, in->ev.tid);
	struct conv_work w = {.type = in->ev.type, .nparams = in->ev.nparams, .json = json};
	struct conv_params enter;
	const char *why;
	uint32_t at = 0;

	if (conv_judge(w.type, w.nparams) != CONV_FATE_CONVERT ||
	    conv_event_size(w.type, w.nparams, in->ev.at[w.nparams]) > CONV_EVENT_MAX)
		return false;
	for (unsigned i = 0; i < w.nparams; i++)
		w.params[i] =
		    (struct ev_value){in->ev.data + in->ev.at[i], in->ev.at[i + 1] - in->ev.at[i]};
	if (e) {
		enter = conv_enter_params(e);
		w.enter = &enter;
	}
	out->result = conv_walk(&w, &why);
	out->type = w.type;
	out->nparams = w.nparams;
	for (unsigned i = 0; out->result == CONV_DELIVER && i < w.nparams; i++) {
		out->n[i] = w.params[i].n;
		if (w.params[i].n)
			memcpy(out->bytes + at, w.params[i].p, w.params[i].n);
		at += w.params[i].n;
	}
	return true;
}

static void compare(struct ev *ev, const struct expected *x)
{
	uint32_t at = 0;

	CHECK(ev->type == x->type && ev->nparams == x->nparams);
	ev->located = 0; /* by their lengths */
	for (unsigned i = 0; i < x->nparams; i++) {
		struct ev_value v = ev_param(ev, i);

		CHECK(v.n == x->n[i]);
		CHECK(!v.n || memcmp(v.p, x->bytes + at, v.n) == 0);
		at += v.n;
	}
}

/* ---- where they lie ---- */

/* Of an event that is delivered: type, number and lengths of parameters, and their bytes. */
static uint64_t digest(struct ev *ev)
{
	uint64_t sum = ev->type * UINT64_C(31) + ev->nparams;

	for (unsigned i = 0; i < ev->nparams; i++) {
		struct ev_value v = ev_param(ev, i);

		sum = hash_u64(sum + v.n);
		if (v.n)
			sum = hash_u64(sum ^ hash_bytes(v.p, v.n, i));
	}
	return sum;
}

struct window {
	uint8_t bytes[WINDOW];
	size_t len;
	struct {
		size_t at;
		int result;	 /* of conv_start() */
		uint64_t digest; /* of what is delivered */
	} events[EVENTS];
	size_t count;
};

/* Add @in as a block with the header of either version. Return: false if it has no place there. */
static bool put_event(struct window *w, const struct input *in, bool first_version)
{
	const struct ev *ev = &in->ev;
	uint32_t bytes = ev->at[ev->nparams], head = first_version ? SF_HEADER_V1 : SF_HEADER_V2;
	uint32_t len = head + 2u * ev->nparams + bytes, padding = -(len + 2) & 3;
	uint32_t total = 8 + 2 + len + padding + 4;
	uint8_t *p = w->bytes + w->len;

	if (ev->wide || w->count == EVENTS || total > WINDOW - w->len ||
	    total > SF_SMALL_EVENT_MAX || ev->nparams > ev_info(ev)->nparams)
		return false;
	p = put_u32(p, first_version ? SF_EV_V1 : SF_EV_V2);
	p = put_u32(p, total);
	p = put_u16(p, 1);
	p = put_u64(p, w->count);
	p = put_u64(p, (uint64_t)ev->tid);
	p = put_u32(p, len);
	p = put_u16(p, ev->type);
	if (!first_version)
		p = put_u32(p, ev->nparams);
	memcpy(p, in->lens, 2u * ev->nparams);
	memcpy(p + 2u * ev->nparams, in->data, bytes);
	p += 2u * ev->nparams + bytes;
	memset(p, 0, padding);
	put_u32(p + padding, total);
	w->events[w->count].at = w->len;
	w->len += total;
	return true;
}

/* Make @e, and compare it with what was told of it before. */
static void make_told(struct sf_briefs *b, const struct sf_brief *e, struct ev *made)
{
	static uint8_t bytes[CONV_EVENT_MAX];
	uint32_t lens[EV_PARAMS_MAX], at = 0;
	struct ev_value v;

	for (unsigned i = 0; i < EV_PARAMS_MAX; i++) {
		lens[i] = UINT32_MAX;
		if (!sf_brief_param(e, i, &v))
			continue;
		lens[i] = v.n;
		if (v.n)
			memcpy(bytes + at, v.p, v.n);
		at += v.n;
	}
	sf_brief_make(b, e, made);
	at = 0;
	for (unsigned i = 0; i < EV_PARAMS_MAX; i++) {
		if (lens[i] == UINT32_MAX)
			continue;
		v = ev_param(made, i);
		CHECK(i < made->nparams && v.n == lens[i]);
		CHECK(!v.n || memcmp(v.p, bytes + at, v.n) == 0);
		at += v.n;
	}
}

/* Each second event that is told of is not made. */
static void look_where_they_lie(const struct window *w)
{
	static struct converter c;
	struct sf_briefs b = {
	    .at = w->bytes, .end = w->bytes + w->len, .end_offset = w->len, .conv = &c};
	struct sf_brief e;
	uint64_t rounds = 0;
	const char *why;
	struct ev ev;
	size_t i = 0;

	while (b.at < b.end) {
		int rc = c.plans ? sf_briefs_next(&b, &e) : 0;
		const uint8_t *p = rc ? e.own.p : b.at;

		CHECK(rc >= 0);
		for (; i < w->count && w->bytes + w->events[i].at < p; i++)
			CHECK(w->events[i].result == CONV_DROP_STORED);
		if (p == b.end)
			break;
		CHECK(i < w->count && p == w->bytes + w->events[i].at);
		if (!rc) {
			uint32_t total = sf_event_look(p, (size_t)(b.end - p), &ev);

			CHECK(total);
			CHECK(conv_apply(&c, &ev, &why) == w->events[i].result);
			CHECK(w->events[i].result != CONV_DELIVER ||
			      digest(&ev) == w->events[i].digest);
			b.at += total;
			i++;
			continue;
		}
		CHECK(w->events[i].result == CONV_DELIVER && sf_brief_time(&e) == i);
		if (rounds++ % 2) {
			sf_brief_pass(&b, &e);
		} else {
			make_told(&b, &e, &ev);
			CHECK(digest(&ev) == w->events[i].digest);
		}
		i++;
	}
	conv_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct converter c;
	static struct expected x;
	static struct window w;
	static struct input in;
	struct cursor cur = cursor_of(data, size);

	w.len = w.count = 0;

	while (cur.left) {
		unsigned how = read_event(&cur, &in);
		bool known = walk(&c, &in, &x), put = put_event(&w, &in, how & 16);
		const char *why;
		int rc = conv_apply(&c, &in.ev, &why);

		CHECK(!known || rc == x.result);
		if (rc == CONV_DELIVER && known)
			compare(&in.ev, &x);
		CHECK(!c.due.form && c.enters.waiting <= 4 && c.enters.by_tid.count <= 4);
		if (put) {
			w.events[w.count].result = rc;
			w.events[w.count++].digest = rc == CONV_DELIVER ? digest(&in.ev) : 0;
		}
		if (how == 2 || !put) {
			conv_reset(&c);
			look_where_they_lie(&w);
			w.len = w.count = 0;
		}
	}
	look_where_they_lie(&w);
	CHECK((c.enters.waiting == 0) == (c.enters.bytes == 0));
	conv_done(&c);
	return 0;
}
