/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which old events are usual: what sf_brief_look() finds by comparing with the last one, against
 * what the decoder says of the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scapfile/brief.h"
#include "scapfile/internal.h"
#include "scapfile/output.h"

#define ROUNDS 600000
#define ROOM   4096

static const struct {
	uint16_t type;
	uint8_t nparams;
	bool as_is;
} kinds[] = {
    {EV_GENERIC_X, 1, false}, {EV_READ_E, 2, false},	     {EV_OPEN_E, 0, false},
    {EV_OPEN_X, 4, false},    {EV_MMAP_E, 6, false},	     {EV_MMAP_X, 4, false},
    {EV_RECVMSG_X, 4, false}, {EV_SCHEDSWITCH_6_E, 6, true}, {EV_PROCEXIT_1_E, 5, true},
    {EV_FSCONFIG_X, 7, true}, {EV_PRLIMIT_X, 5, false},	     {EV_EXECVE_8_X, 8, false},
};

struct fixture {
	struct converter conv;
	uint8_t *last[COUNT_OF(kinds)]; /* usual ones */
	uint8_t *block;
	uint64_t dice;
};

static unsigned roll(struct fixture *f, unsigned sides)
{
	f->dice = f->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(f->dice >> 33) % sides;
}

/* What is converted once is known from then on. */
static void begin(struct fixture *f)
{
	static const uint8_t zeros[64];

	f->dice = 7;
	for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
		struct ev ev = {.type = kinds[i].type,
				.tid = 1,
				.nparams = kinds[i].nparams,
				.lens = zeros,
				.data = zeros};
		const char *why;

		assert_true(conv_apply(&f->conv, &ev, &why) >= 0);
		assert_non_null(f->conv.plans->usual[kinds[i].type].plan);
		assert_int_equal(f->conv.plans->usual[kinds[i].type].plan->as_is, kinds[i].as_is);
		f->last[i] = calloc(1, ROOM);
		assert_non_null(f->last[i]);
	}
	f->block = calloc(1, ROOM);
	assert_non_null(f->block);
}

static void end(struct fixture *f)
{
	for (unsigned i = 0; i < COUNT_OF(kinds); i++)
		free(f->last[i]);
	free(f->block);
	conv_done(&f->conv);
}

/* A number, seldom another one near it. */
static uint32_t nearly(struct fixture *f, uint32_t n)
{
	return roll(f, 20) ? n : n + roll(f, 9) - 4;
}

static unsigned some_length(struct fixture *f)
{
	static const unsigned edges[] = {255, 256, 300, 480, 1990, 4095, 4096, 32768, 65535};

	return roll(f, 10) ? roll(f, 3) * 4 : edges[roll(f, COUNT_OF(edges))];
}

static void make(struct fixture *f, unsigned kind)
{
	bool first = roll(f, 3);
	uint32_t head = first ? SF_HEADER_V1 : SF_HEADER_V2, len, total;
	uint32_t n = nearly(f, kinds[kind].nparams) % 16, sum = 0;
	uint8_t *p = f->block;

	memset(p, 0, 64);
	for (uint32_t i = 0; i < n; i++) {
		unsigned m = some_length(f);

		put_u16(p + SF_ROW_HEADER + head + 2 * i, (uint16_t)m);
		sum += m;
	}
	len = nearly(f, head + 2 * n + sum);
	total = nearly(f, (SF_ROW_MIN - SF_HEADER_V2 + len + 3) & ~3u);
	put_u32(p, nearly(f, first ? SF_EV_V1 : SF_EV_V2));
	put_u32(p + 4, total);
	put_u64(p + SF_ROW_HEADER, roll(f, 1000));
	put_u64(p + SF_ROW_HEADER + 8, roll(f, 1000));
	put_u32(p + SF_ROW_HEADER + 16, len);
	put_u16(p + SF_ROW_HEADER + 20, kinds[kind].type);
	if (!first)
		put_u32(p + SF_ROW_HEADER + 22, nearly(f, n));
	if (total >= 4 && total <= ROOM)
		put_u32(p + total - 4, nearly(f, total));
}

/* The last usual one, and mostly one bit of it is another. */
static void change(struct fixture *f, unsigned kind)
{
	uint32_t total = load_u32(f->last[kind] + 4), at = roll(f, 60);

	memcpy(f->block, f->last[kind], ROOM);
	if (total < 4 || !roll(f, 3))
		return;
	if (!roll(f, 8))
		at = total - 4 + roll(f, 4);
	f->block[at] ^= (uint8_t)(1 << roll(f, 8));
}

/* Return: is what the decoder says a usual event? */
static bool is_usual(const uint8_t *p, size_t left, struct ev *ev)
{
	uint32_t total = sf_event_look(p, left, ev), len = load_u32(p + SF_ROW_HEADER + 16);
	bool first = load_u32(p) == SF_EV_V1;
	uint32_t head = first ? SF_HEADER_V1 : SF_HEADER_V2, need;

	if (!total || left < SF_BRIEF_LEFT || total - len - 14 > 3)
		return false;
	for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
		if (ev->type != kinds[i].type)
			continue;
		need = 2u * ev->nparams + ev->at[ev->nparams];
		return ev->nparams == kinds[i].nparams && len == head + need &&
		       need <= CONV_PLANNED_MAX &&
		       (first || (!kinds[i].as_is && ev->nparams < SF_ROW_ATONCE));
	}
	return false;
}

static void a_look_finds_what_the_decoder_finds(void **state)
{
	static struct fixture f;
	unsigned usual = 0, again = 0, others = 0;

	(void)state;
	begin(&f);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned kind = roll(&f, COUNT_OF(kinds));
		bool changed = roll(&f, 2);
		size_t window = roll(&f, 20) ? ROOM : roll(&f, 200);
		struct sf_briefs b = {.end = f.block + window, .conv = &f.conv};
		struct sf_seen e;
		struct ev ev;
		bool wanted;

		(changed ? change : make)(&f, kind);
		wanted = is_usual(f.block, window, &ev);
		if (!sf_brief_look(&b, f.block, &e) == wanted)
			fail_msg("type %u, round %u: %s", kinds[kind].type, i,
				 wanted ? "not found to be usual" : "found to be usual");
		others += !wanted;
		if (!wanted)
			continue;
		assert_ptr_equal(e.p, f.block);
		assert_ptr_equal(sf_seen_params(&e).lens, ev.lens);
		assert_ptr_equal(sf_seen_params(&e).data, ev.data);
		assert_int_equal(e.usual->type, ev.type);
		assert_int_equal(e.usual->nparams, ev.nparams);
		assert_int_equal(e.usual->need, 2u * ev.nparams + ev.at[ev.nparams]);
		assert_int_equal(e.usual->total, load_u32(f.block + 4));
		usual++;
		again += changed;
		memcpy(f.last[kind], f.block, ROOM);
	}
	/* The dice fell on all sides. */
	assert_in_range(usual, 10000, ROUNDS);
	assert_in_range(again, 10000, ROUNDS);
	assert_in_range(others, 10000, ROUNDS);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_look_finds_what_the_decoder_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
