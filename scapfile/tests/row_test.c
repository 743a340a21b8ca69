/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events are usual: what sf_row_look() adds up at once, against a judgement that takes one
 * field after the other, at the edges of all that it leaves to a closer look.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scapfile/event.h"
#include "scapfile/output.h"
#include "scapfile/row.h"
#include "scapfile/tests/capture_builder.h"

#define ROUNDS 400000
#define ROOM   (SF_SMALL_EVENT_MAX + 64)

struct fixture {
	struct capture c;
	struct sf_reader *reader;
	struct sf_row row;
	uint8_t *block;
	uint64_t dice;
};

static unsigned roll(struct fixture *f, unsigned sides)
{
	f->dice = f->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(f->dice >> 33) % sides;
}

/* A reader that stands before an event knows which types have usual events. */
static void begin(struct fixture *f)
{
	struct ev_item item;
	struct error err;

	*f = (struct fixture){.dice = 7};
	cb_section(&f->c);
	for (unsigned i = 0; i < 3; i++)
		cb_stat(&f->c, 1700000100000000000 + i, 100);
	assert_int_equal(sf_reader_open_memory(f->c.out.p, f->c.out.len, NULL, &f->reader, &err),
			 0);
	while (!sf_row_begin(f->reader, &f->row) || f->row.end - f->row.at < 4)
		assert_int_equal(ev_source_next(sf_reader_source(f->reader), &item, &err), 1);
	f->block = calloc(1, ROOM);
	assert_non_null(f->block);
}

static void end(struct fixture *f)
{
	free(f->block);
	sf_reader_close(f->reader);
	cb_done(&f->c);
}

/* Mostly short ones, and those on both sides of where adding at once ends. */
static unsigned some_length(struct fixture *f)
{
	static const unsigned edges[] = {0,    1,    7,	   8,	  255,	 4094, 4095,
					 4096, 4097, 8191, 32767, 32768, 65535};

	return roll(f, 8) ? roll(f, 40) : edges[roll(f, COUNT_OF(edges))];
}

/* A number, seldom another one near it. */
static uint32_t nearly(struct fixture *f, uint32_t n)
{
	return roll(f, 12) ? n : n + roll(f, 9) - 4;
}

/* Make a block of @type. Return: its length, as it says. */
static uint32_t make(struct fixture *f, unsigned type)
{
	uint32_t nparams = nearly(f, ev_table[type].nparams) % 40, sum = 0, len, total;
	uint8_t *p = f->block;

	for (uint32_t i = 0; i < nparams; i++) {
		unsigned n = some_length(f);

		put_u16(p + SF_ROW_LENS + 2 * i, (uint16_t)n);
		sum += n;
	}
	/* Also what a sum of 16 bits would come to, with and without what it carries. */
	if (!roll(f, 4))
		sum = roll(f, 2) ? sum & 0xffff : sum % 0xffff;
	len = nearly(f, SF_HEADER_V2 + 2 * nparams + sum);
	total = nearly(f, (SF_ROW_MIN - SF_HEADER_V2 + len + 3) & ~3u);
	put_u32(p, roll(f, 50) ? 0x216 : 0x204);
	put_u32(p + 4, total);
	put_u64(p + SF_ROW_HEADER, 1);
	put_u64(p + SF_ROW_HEADER + 8, 100);
	put_u32(p + SF_ROW_HEADER + 16, len);
	put_u16(p + SF_ROW_HEADER + 20, (uint16_t)type);
	put_u32(p + SF_ROW_HEADER + 22, nearly(f, nparams));
	if (total >= 4 && total <= ROOM - 32)
		put_u32(p + total - 4, nearly(f, total));
	return total;
}

/* One check after the other, with nothing added before it is known to be there. */
static bool is_usual(const struct fixture *f, const struct sf_row *row)
{
	const uint8_t *p = row->at;
	size_t left = (size_t)(row->end - p);
	uint32_t total, len, nparams, need;

	if (left < SF_ROW_LEFT || load_u32(p) != 0x216)
		return false;
	total = load_u32(p + 4);
	if (total > left || total > SF_SMALL_EVENT_MAX || total < SF_ROW_MIN ||
	    load_u32(p + total - 4) != total)
		return false;
	if (f->row.usual[load_u16(p + SF_ROW_HEADER + 20)].nparams == SF_USUAL_NONE)
		return false;
	nparams = ev_table[load_u16(p + SF_ROW_HEADER + 20)].nparams;
	len = load_u32(p + SF_ROW_HEADER + 16);
	need = SF_HEADER_V2 + 2 * nparams;
	if (load_u32(p + SF_ROW_HEADER + 22) != nparams || len > total - 14 || need > len)
		return false;
	for (uint32_t i = 0; i < nparams; i++)
		need += load_u16(p + SF_ROW_LENS + 2 * i);
	return need <= len;
}

static void a_look_finds_what_checks_one_by_one_find(void **state)
{
	unsigned usual = 0, others = 0, long_ones = 0;
	struct fixture f;

	(void)state;
	begin(&f);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned type = roll(&f, EV_TYPE_COUNT);
		uint32_t total = make(&f, type);
		size_t window = roll(&f, 20) ? ROOM : (size_t)nearly(&f, total) % ROOM;
		struct sf_row row = {.at = f.block, .end = f.block + window, .usual = f.row.usual};
		struct sf_row_event e;
		bool wanted = is_usual(&f, &row);

		if (sf_row_look(&row, &e) != wanted)
			fail_msg("type %u, block of %u bytes: %s", type, total,
				 wanted ? "not found to be usual" : "found to be usual");
		if (wanted) {
			assert_int_equal(e.total, total);
			assert_int_equal(e.type, type);
			assert_ptr_equal(e.p, f.block);
			long_ones += total > 4096;
		}
		usual += wanted;
		others += !wanted;
	}
	/* The dice fell on all sides. */
	assert_in_range(usual, 10000, ROUNDS);
	assert_in_range(others, 10000, ROUNDS);
	assert_in_range(long_ones, 1000, ROUNDS);
	end(&f);
}

static void a_parameter_is_where_the_lengths_before_it_say(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (unsigned i = 0; i < 10000; i++) {
		const struct sf_row_event e = {.p = f.block};
		unsigned sum = 0;

		for (unsigned n = 0; n <= 4; n++) {
			uint64_t add = n ? SF_ROW_ADD(n) : 0;
			unsigned len = roll(&f, 2) ? roll(&f, 16000) : some_length(&f) % 16000;

			/* What stands behind those that count must not matter. */
			for (unsigned k = n; k < 4; k++)
				put_u16(f.block + SF_ROW_LENS + 2 * k, (uint16_t)roll(&f, 65536));
			assert_ptr_equal(sf_row_behind(&e, 60, add), f.block + 60 + sum);
			put_u16(f.block + SF_ROW_LENS + 2 * n, (uint16_t)len);
			sum += len;
		}
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_look_finds_what_checks_one_by_one_find),
	    cmocka_unit_test(a_parameter_is_where_the_lengths_before_it_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
