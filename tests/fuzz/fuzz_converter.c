/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old events of a few threads, each as: a row of the conversion table that it begins at, a byte of
 * thread (two bits), of more parameters (one) and of what is done with it, and a length for each
 * parameter, whose bytes count up. By plan comes what comes step by step, and what is told of an
 * event that is not made is so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "scapfile/converter.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define LONG_FROM 240 /* lengths from here on are so many times LONG_STEP longer */
#define LONG_STEP 700

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
static bool walk(const struct converter *c, const struct input *in, struct expected *out)
{
	static char json[CONV_EVENT_MAX];
	struct conv_enter *e = conv_enters_find(&c->enters, in->ev.tid);
	struct conv_work w = {.type = in->ev.type, .nparams = in->ev.nparams, .json = json};
	const struct conv_params old = {.at = in->ev.at, .data = in->ev.data};
	struct conv_params enter;
	const char *why;
	uint32_t at = 0;

	if (conv_judge(w.type, w.nparams) != CONV_FATE_CONVERT ||
	    conv_event_size(w.type, w.nparams, in->ev.at[w.nparams]) > CONV_EVENT_MAX)
		return false;
	for (unsigned i = 0; i < w.nparams; i++)
		w.params[i] = conv_param(&old, i);
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

/* What is told of an event that is due. */
static void compare_due(const struct conv_due *due, const struct expected *x)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < x->nparams; i++) {
		int64_t told;

		if (conv_due_i64(due, i, &told))
			CHECK(x->n[i] == 8 && (uint64_t)told == load_u64(x->bytes + at));
		at += x->n[i];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct converter c;
	static struct expected x;
	static struct input in;
	struct cursor cur = cursor_of(data, size);

	while (cur.left) {
		unsigned how = read_event(&cur, &in);
		bool known = walk(&c, &in, &x);
		const char *why;
		int rc = conv_start(&c, &in.ev, &why);

		CHECK(!known || rc == x.result);
		if (rc == CONV_DELIVER && c.due.form && known) {
			CHECK(c.due.form->type == x.type);
			compare_due(&c.due, &x);
		}
		if (how == 1)
			conv_skip(&c);
		else if (rc == CONV_DELIVER)
			conv_finish(&c, &in.ev);
		if (rc == CONV_DELIVER && known && how != 1)
			compare(&in.ev, &x);
		CHECK(!c.due.form && c.enters.waiting <= 4 && c.enters.by_tid.count <= 4);
		if (how == 2)
			conv_reset(&c);
	}
	CHECK((c.enters.waiting == 0) == (c.enters.bytes == 0));
	conv_done(&c);
	return 0;
}
