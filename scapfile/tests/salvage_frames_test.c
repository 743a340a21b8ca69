/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage of members and frames, and with the seal of the undamaged capture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zlib.h>

#include "scapfile/output.h"
#include "scapfile/stream.h"
#include "scapfile/tests/salvaged.h"

/* The capture in three members or frames; the second begins at the tenth event, the third at the
 * thirtieth. */
static void pack(struct buf *out, const struct buf *raw, enum sf_compression c, size_t at[4])
{
	const size_t ends[] = {HEAD + 10 * BLOCK, HEAD + 30 * BLOCK, raw->len};
	size_t from = 0;

	for (size_t i = 0; i < 3; i++) {
		at[i] = out->len;
		(c == SF_GZIP ? cb_gzip : cb_zstd)(out, raw->p + from, ends[i] - from);
		from = ends[i];
	}
	at[3] = out->len;
}

static void any_changed_byte_costs_at_most_its_frame(void **state)
{
	struct capture c = {0};

	make_capture(&c);
	for (enum sf_compression kind = SF_GZIP; kind <= SF_ZSTD; kind++) {
		struct buf b = {0};
		size_t at[4];

		pack(&b, &c.out, kind, at);
		for (size_t i = at[1]; i < at[2]; i++) {
			struct salvaged s;

			b.p[i] ^= 0x10;
			salvage(*state, &b, NULL, &s);
			b.p[i] ^= 0x10;
			if (s.report.count) {
				assert_in_range(s.events, 20, EVENTS);
				assert_int_equal(s.marks, s.events < EVENTS);
			}
			expect_events(&s, 0, 0, 10);
			expect_events(&s, s.events - 10, 30, EVENTS);
			for (size_t k = 1; k < s.events; k++)
				assert_true(s.times[k] > s.times[k - 1]);
			salvaged_done(&s);
		}
		buf_done(&b);
	}
	cb_done(&c);
}

static void frames_that_are_there_twice_or_swapped_are_put_right(void **state)
{
	static const unsigned orders[][4] = {
	    {0, 1, 1, 2}, {0, 2, 1, 9}, {0, 1, 2, 1}, {1, 0, 2, 9}};
	struct capture c = {0};

	make_capture(&c);
	for (enum sf_compression kind = SF_GZIP; kind <= SF_ZSTD; kind++) {
		for (size_t i = 0; i < COUNT_OF(orders); i++) {
			struct buf b = {0}, other = {0};
			struct salvaged s;
			size_t at[4];

			pack(&b, &c.out, kind, at);
			for (size_t k = 0; k < 4 && orders[i][k] < 3; k++)
				buf_add(&other, b.p + at[orders[i][k]],
					at[orders[i][k] + 1] - at[orders[i][k]]);
			salvage(*state, &other, NULL, &s);
			assert_int_equal(s.events, EVENTS);
			expect_events(&s, 0, 0, EVENTS);
			assert_true(s.report.count > 0);
			/* Whole frames are compared, not each of their events. */
			assert_int_equal(s.report.duplicates, 0);
			assert_int_equal(s.report.by_kind[SF_DAMAGE_DUPLICATE], orders[i][3] < 3);
			salvaged_done(&s);
			buf_done(&b);
			buf_done(&other);
		}
	}
	cb_done(&c);
}

/* A gzip member of stored blocks that end at @ends; at[i]: where the bytes of block i begin. */
static void pack_stored(struct buf *out, const struct buf *raw, const size_t *ends, size_t n,
			size_t *at)
{
	static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	uint32_t crc = (uint32_t)crc32(0, (const Bytef *)raw->p, (uInt)raw->len);
	uint8_t tail[8];

	buf_add(out, head, sizeof(head));
	for (size_t i = 0, from = 0; i < n; from = ends[i++]) {
		uint8_t block[5] = {i == n - 1};
		uint32_t size = (uint32_t)(ends[i] - from);

		put_u32(block + 1, size | ~size << 16);
		buf_add(out, block, sizeof(block));
		at[i] = out->len;
		buf_add(out, raw->p + from, size);
	}
	put_u32(put_u32(tail, crc), (uint32_t)raw->len);
	buf_add(out, tail, sizeof(tail));
}

/* Where it cannot be decoded is one thing; before that, something may make no sense. */
static void a_broken_member_is_used_up_to_the_first_thing_that_makes_no_sense(void **state)
{
	const size_t ends[] = {HEAD + 10 * BLOCK, HEAD + 20 * BLOCK, HEAD + 30 * BLOCK,
			       HEAD + EVENTS * BLOCK};
	static const struct {
		size_t event, at; /* in the second block; in the event */
		uint8_t by;
		size_t events;
	} rows[] = {
	    {3, 10 + 5, 0, 30},	   /* nothing: up to where decoding fails */
	    {3, 10 + 5, 0x40, 10}, /* its time: hours ahead */
	    {9, 10 + 5, 0x40, 10}, /* and nothing behind it in the block tells */
	    {3, 30 + 1, 0x80, 10}, /* its type: none that is known */
	    {3, BLOCK - 4, 1, 10}, /* its length at the end */
	};
	struct capture c = {0};

	make_capture(&c);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf b = {0};
		struct salvaged s;
		size_t at[4];

		pack_stored(&b, &c.out, ends, 4, at);
		b.p[at[3] - 2] ^= 1; /* the length of the last block, once more */
		b.p[at[1] + rows[i].event * BLOCK + rows[i].at] ^= rows[i].by;
		salvage(*state, &b, NULL, &s);
		assert_int_equal(s.events, rows[i].events);
		expect_events(&s, 0, 0, s.events);
		assert_int_equal(s.report.events_unproven, s.events);
		assert_int_equal(s.marks, 1);
		salvaged_done(&s);
		buf_done(&b);
	}
	cb_done(&c);
}

static void bytes_between_frames_hide_none(void **state)
{
	struct capture c = {0};

	make_capture(&c);
	for (enum sf_compression kind = SF_GZIP; kind <= SF_ZSTD; kind++) {
		for (size_t n = 1; n < 12; n++) {
			struct buf b = {0}, other = {0};
			struct salvaged s;
			size_t at[4];

			pack(&b, &c.out, kind, at);
			buf_add(&other, b.p, at[1]);
			buf_add(&other, "neither one", n);
			buf_add(&other, b.p + at[1], b.len - at[1]);
			salvage(*state, &other, NULL, &s);
			assert_int_equal(s.events, EVENTS);
			expect_events(&s, 0, 0, EVENTS);
			assert_int_equal(s.report.by_kind[SF_DAMAGE_GARBAGE], 1);
			assert_int_equal(s.report.list[0].stored, at[1]);
			assert_int_equal(s.report.list[0].stored_bytes, n);
			assert_int_equal(s.marks, 1);
			salvaged_done(&s);
			buf_done(&b);
			buf_done(&other);
		}
	}
	cb_done(&c);
}

static void options_say_what_becomes_of_what_is_not_proven(void **state)
{
	const struct sf_salvage_options keep = {.keep_doubtful = true, .no_marks = true},
					strict = {.proven_only = true};
	struct capture c = {0};
	struct buf b = {0};
	struct salvaged s;
	size_t at[4];

	make_capture(&c);
	pack(&b, &c.out, SF_ZSTD, at);
	b.p[at[2] - 1] ^= 1; /* the second frame's checksum */
	salvage(*state, &b, &keep, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.events_unproven, 20);
	assert_int_equal(s.marks, 0);
	salvaged_done(&s);
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.events, 20);
	salvaged_done(&s);
	b.len = at[3] - 5; /* the last one is cut: used, or not */
	salvage(*state, &b, &strict, &s);
	assert_int_equal(s.events, 10);
	assert_int_equal(s.report.frames, 3);
	assert_int_equal(s.report.proven, 1);
	salvaged_done(&s);
	buf_done(&b);
	cb_done(&c);
}

/* ---- with a seal ---- */

#define FRAMES 3
#define TRAP   (BLOCK + 48 + 4) /* bytes from the altered block to what looks like its end */

/* What was sealed of @b: frames that end at @at[1] and so on, with the events of pack(). */
static struct sf_seal_frames seal_of(struct sf_seal_frame list[FRAMES], const struct buf *b,
				     const size_t at[FRAMES + 1])
{
	static const uint64_t events[FRAMES] = {10, 20, 10};

	for (size_t i = 0; i < FRAMES; i++) {
		list[i] = (struct sf_seal_frame){
		    .at = at[i], .size = at[i + 1] - at[i], .events = events[i]};
		assert_true(sf_hash_once(b->p + at[i], list[i].size, list[i].sha256));
	}
	return (struct sf_seal_frames){
	    .list = list, .n = FRAMES, .size = b->len, .ended = true, .at_blocks = true};
}

static const size_t plain_frames[] = {0, HEAD + 10 * BLOCK, HEAD + 30 * BLOCK,
				      HEAD + EVENTS *BLOCK};

static void what_can_be_and_was_not_sealed_is_kept_with_a_mark_or_not_at_all(void **state)
{
	struct sf_salvage_options opt = {0};
	struct sf_seal_frame list[FRAMES];
	struct sf_seal_frames seal;
	struct capture c = {0};
	struct salvaged s;
	uint32_t total;

	make_capture(&c);
	seal = seal_of(list, &c.out, plain_frames);
	event_at(&c.out, 20)[BLOCK - 7] = 'y'; /* its path */
	salvage(*state, &c.out, &opt, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.count, 0); /* that is why there are seals */
	salvaged_done(&s);
	opt.seal = &seal;
	salvage(*state, &c.out, &opt, &s);
	expect_events(&s, 0, 0, EVENTS);
	assert_int_equal(s.report.sealed_proven, 2);
	assert_int_equal(s.report.sealed_altered, 1);
	assert_int_equal(s.report.events_unproven, 20);
	assert_int_equal(s.report.count, 1);
	assert_int_equal(s.report.list[0].kind, SF_DAMAGE_ALTERED);
	assert_int_equal(s.report.list[0].stored, HEAD + 10 * BLOCK);
	assert_int_equal(s.report.list[0].stored_bytes, 20 * BLOCK);
	assert_int_equal(s.marks, 2); /* in front of them, and behind */
	assert_int_equal(load_u16(event_at(&s.out, 10) + 30), EV_TYPE_LOSS);
	total = load_u32(event_at(&s.out, 10) + 4);
	assert_int_equal(load_u16(s.out.p + s.out.len - 10 * BLOCK - total + 30), EV_TYPE_LOSS);
	salvaged_done(&s);
	event_at(&c.out, 35)[BLOCK - 7] = 'y'; /* of the last frame */
	salvage(*state, &c.out, &opt, &s);
	assert_int_equal(s.report.sealed_altered, 2);
	assert_int_equal(s.report.events_unproven, 30);
	salvaged_done(&s);
	event_at(&c.out, 35)[BLOCK - 7] = 'x';
	opt.proven_only = true;
	salvage(*state, &c.out, &opt, &s);
	assert_int_equal(s.events, 20);
	expect_events(&s, 10, 30, EVENTS);
	assert_int_equal(s.report.events_unproven, 0);
	assert_int_equal(s.marks, 1);
	salvaged_done(&s);
	cb_done(&c);
}

static void an_unaltered_capture_is_as_sealed_in_any_pieces(void **state)
{
	static const size_t other[] = {0, HEAD + 3, HEAD + 11 * BLOCK + 50, HEAD + EVENTS * BLOCK};
	struct sf_seal_frame list[FRAMES];
	struct capture c = {0};

	make_capture(&c);
	for (unsigned i = 0; i < 2; i++) {
		struct sf_seal_frames seal = seal_of(list, &c.out, i ? other : plain_frames);
		const struct sf_salvage_options opt = {.seal = &seal};
		struct salvaged s;

		seal.at_blocks = !i;
		salvage(*state, &c.out, &opt, &s);
		assert_int_equal(s.report.count, 0);
		assert_int_equal(s.report.sealed_proven, FRAMES);
		assert_int_equal(s.out.len, c.out.len);
		assert_memory_equal(s.out.p, c.out.p, c.out.len);
		salvaged_done(&s);
	}
	cb_done(&c);
}

/* An event of two pieces is altered if one of them is. */
static void an_event_is_as_altered_as_any_piece_of_it(void **state)
{
	static const size_t pieces[] = {0, HEAD + 10 * BLOCK + 40, HEAD + 30 * BLOCK + 40,
					HEAD + EVENTS * BLOCK};
	struct sf_salvage_options opt = {0};
	struct sf_seal_frame list[FRAMES];
	struct sf_seal_frames seal;
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	seal = seal_of(list, &c.out, pieces);
	seal.at_blocks = false;
	opt.seal = &seal;
	event_at(&c.out, 10)[BLOCK - 7] = 'y';
	salvage(*state, &c.out, &opt, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.events_unproven, 21); /* the last one has its beginning there */
	salvaged_done(&s);
	cb_done(&c);
}

static void frames_that_are_gone_are_told_by_the_seal_alone(void **state)
{
	struct capture c = {0};

	make_capture(&c);
	for (enum sf_compression kind = SF_PLAIN; kind <= SF_ZSTD; kind++) {
		struct sf_salvage_options opt = {0};
		struct sf_seal_frame list[FRAMES];
		struct sf_seal_frames seal;
		size_t at[FRAMES + 1];
		struct buf b = {0};
		struct salvaged s;

		memcpy(at, plain_frames, sizeof(at));
		if (kind == SF_PLAIN)
			buf_add(&b, c.out.p, c.out.len);
		else
			pack(&b, &c.out, kind, at);
		seal = seal_of(list, &b, at);
		memmove(b.p + at[1], b.p + at[2], at[3] - at[2]);
		b.len -= at[2] - at[1];
		salvage(*state, &b, &opt, &s);
		assert_int_equal(s.report.count, 0);
		salvaged_done(&s);
		opt.seal = &seal;
		salvage(*state, &b, &opt, &s);
		assert_int_equal(s.events, 20);
		assert_int_equal(s.report.sealed_missing, 1);
		assert_int_equal(s.report.sealed_altered, 0);
		assert_int_equal(s.report.events_unproven, 0);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_MISSING], 1);
		assert_int_equal(s.report.list[0].events, 20);
		assert_int_equal(s.report.list[0].before, time_of(9));
		assert_int_equal(s.report.list[0].after, time_of(30));
		assert_int_equal(s.marks, 1);
		assert_int_equal(load_u64(event_at(&s.out, 10) + 46), 20); /* it counts them */
		salvaged_done(&s);
		b.len -= at[3] - at[2]; /* and the last one */
		salvage(*state, &b, &opt, &s);
		assert_int_equal(s.events, 10);
		assert_int_equal(s.report.sealed_missing, 2);
		assert_int_equal(s.marks, 1);
		salvaged_done(&s);
		buf_done(&b);
	}
	cb_done(&c);
}

/* An extra frame, whole by itself, and frames in another order. */
static void a_right_checksum_does_not_prove_what_was_not_sealed(void **state)
{
	struct capture c = {0}, more = {0};

	make_capture(&c);
	for (size_t i = 0; i < 3; i++)
		cb_stat(&more, time_of(50 + i), 7);
	for (enum sf_compression kind = SF_GZIP; kind <= SF_ZSTD; kind++) {
		struct sf_salvage_options opt = {0};
		struct sf_seal_frame list[FRAMES];
		struct sf_seal_frames seal;
		struct buf b = {0}, other = {0};
		size_t at[FRAMES + 1];
		struct salvaged s;

		pack(&b, &c.out, kind, at);
		seal = seal_of(list, &b, at);
		opt.seal = &seal;
		buf_add(&other, b.p, at[1]);
		buf_add(&other, b.p + at[2], at[3] - at[2]);
		buf_add(&other, b.p + at[1], at[2] - at[1]);
		(kind == SF_GZIP ? cb_gzip : cb_zstd)(&other, more.out.p, more.out.len);
		salvage(*state, &other, &opt, &s);
		assert_int_equal(s.report.sealed_proven, FRAMES);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_ALTERED], 1);
		assert_int_equal(s.events, EVENTS + 3);
		assert_int_equal(s.report.events_unproven, 3);
		assert_int_equal(s.marks, 2);
		salvaged_done(&s);
		seal.ended = false; /* what came behind is not known */
		salvage(*state, &other, &opt, &s);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_ALTERED], 0);
		salvaged_done(&s);
		buf_done(&b);
		buf_done(&other);
	}
	cb_done(&c);
	cb_done(&more);
}

/*
 * The thirtieth event holds what looks like the end of a block, a whole event, and the beginning of
 * another one. The event before it is altered to reach there.
 */
static void make_trap(struct capture *c, struct capture *event, size_t *at)
{
	uint8_t data[4 + BLOCK + 8];
	struct capture ghost = {0};

	cb_stat(&ghost, time_of(31), 99);
	put_u32(data, TRAP);
	memcpy(data + 4, ghost.out.p, BLOCK);
	memcpy(data + 4 + BLOCK, ghost.out.p, 8);
	cb_section(c);
	cb_machine(c, 2, "box");
	for (size_t i = 0; i < 30; i++)
		cb_stat(c, time_of(i), 7);
	*at = c->out.len;
	cb_event_begin(event, CB_EV_V2, EV_WRITE_X, time_of(30), 7);
	cb_param_u64(event, sizeof(data));
	cb_param(event, data, sizeof(data));
	cb_event_end(event);
	buf_add(&c->out, event->out.p, event->out.len);
	for (size_t i = 31; i < EVENTS; i++)
		cb_stat(c, time_of(i), 7);
	cb_done(&ghost);
}

/* @p: of the event before; it becomes a write of @total bytes that reaches into the next one. */
static void spring_trap(uint8_t *p, uint32_t total)
{
	put_u32(p + 4, total);
	put_u32(p + 26, total - 14);
	p[30] = EV_WRITE_X;
	p[31] = 0;
	put_u32(p + 32, 2);
	p[36] = 8;
	p[37] = 0;
	p[38] = (uint8_t)(total - 14 - 38);
	p[39] = 0;
	memset(p + 40, 0, 8);
}

static void blocks_begin_where_a_sealed_frame_does(void **state)
{
	struct sf_salvage_options opt = {0};
	struct capture c = {0}, event = {0};
	struct sf_seal_frame list[FRAMES];
	struct sf_seal_frames seal;
	size_t at[FRAMES + 1] = {0, HEAD + 10 * BLOCK};
	struct salvaged s;
	bool ghost = false;

	make_trap(&c, &event, &at[2]);
	at[3] = c.out.len;
	seal = seal_of(list, &c.out, at);
	spring_trap((uint8_t *)event_at(&c.out, 29), TRAP);
	salvage(*state, &c.out, &opt, &s);
	for (size_t i = 0; i + 10 < s.out.len; i++)
		ghost |= (uint8_t)s.out.p[i] == 99 && load_u64(s.out.p + i) == 99;
	assert_true(ghost);
	assert_int_not_equal(s.times[30], time_of(30));
	salvaged_done(&s);
	opt.seal = &seal;
	salvage(*state, &c.out, &opt, &s);
	assert_int_equal(s.events, EVENTS - 1);
	expect_events(&s, 0, 0, 29);
	expect_events(&s, 29, 30, EVENTS);
	assert_int_equal(s.report.sealed_proven, 2);
	salvaged_done(&s);
	cb_done(&c);
	cb_done(&event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(any_changed_byte_costs_at_most_its_frame),
	    in_a_place(frames_that_are_there_twice_or_swapped_are_put_right),
	    in_a_place(a_broken_member_is_used_up_to_the_first_thing_that_makes_no_sense),
	    in_a_place(bytes_between_frames_hide_none),
	    in_a_place(options_say_what_becomes_of_what_is_not_proven),
	    in_a_place(what_can_be_and_was_not_sealed_is_kept_with_a_mark_or_not_at_all),
	    in_a_place(an_unaltered_capture_is_as_sealed_in_any_pieces),
	    in_a_place(an_event_is_as_altered_as_any_piece_of_it),
	    in_a_place(frames_that_are_gone_are_told_by_the_seal_alone),
	    in_a_place(a_right_checksum_does_not_prove_what_was_not_sealed),
	    in_a_place(blocks_begin_where_a_sealed_frame_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
