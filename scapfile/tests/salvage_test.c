/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage of small captures: each way to be damaged, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "scapfile/internal.h"
#include "scapfile/output.h"
#include "scapfile/salvage.h"
#include "scapfile/strict.h"
#include "scapfile/tests/good_capture.h"
#include "scapfile/tests/place.h"

#define EVENTS	 40
#define FIRST_TS 1700000001000000000ull
#define STEP_NS	 1000000u
#define HEAD	 (28 + 192) /* section header and machine */
#define BLOCK	 56	    /* of an event */

struct salvaged {
	struct sf_salvage_report report;
	struct buf out; /* the new capture */
	uint64_t times[2 * EVENTS];
	size_t events, marks;
};

static uint64_t time_of(size_t i)
{
	return FIRST_TS + i * STEP_NS;
}

static void make_capture(struct capture *c)
{
	cb_section(c);
	cb_machine(c, 2, "box");
	for (size_t i = 0; i < EVENTS; i++)
		cb_stat(c, time_of(i), 7);
}

static char *event_at(struct buf *b, size_t i)
{
	return b->p + HEAD + i * BLOCK;
}

/* Times of the events, and how many marks there are between them. */
static void look_at(struct salvaged *s)
{
	for (size_t at = 0; at < s->out.len; at += load_u32(s->out.p + at + 4)) {
		const char *p = s->out.p + at;

		if (sf_block_info(load_u32(p))->kind != SF_KIND_EVENT)
			continue;
		assert_true(s->events < COUNT_OF(s->times));
		if (load_u16(p + 30) == EV_TYPE_LOSS)
			s->marks++;
		else
			s->times[s->events++] = load_u64(p + 10);
	}
}

static void expect_strict(const struct buf *capture)
{
	struct sf_strict_report r;
	struct error err = {0};

	assert_int_equal(sf_strict_check_memory(capture->p, capture->len, &r, &err), 0);
	if (r.count)
		fail_msg("%s", r.list[0].what);
	sf_strict_done(&r);
}

static void salvage_odd(struct place *place, const struct buf *damaged,
			const struct sf_salvage_options *opt, struct salvaged *s)
{
	const struct sf_writer_options writing = {.raw = true, .replace = true};
	const char *path = in_place(place, "out", suffix[SF_PLAIN]);
	struct sf_writer *w = open_writer(path, &writing);
	struct error err = {0};

	*s = (struct salvaged){0};
	assert_int_equal(sf_salvage_memory(damaged->p, damaged->len, opt, w, &s->report, &err), 0);
	close_writer(w);
	slurp(&s->out, path);
	look_at(s);
}

static void salvage(struct place *place, const struct buf *damaged,
		    const struct sf_salvage_options *opt, struct salvaged *s)
{
	salvage_odd(place, damaged, opt, s);
	if (s->events)
		expect_strict(&s->out);
}

static void salvaged_done(struct salvaged *s)
{
	sf_salvage_done(&s->report);
	buf_done(&s->out);
}

/* The events [@from, @to) of the clean capture, in order, from position @at on. */
static void expect_events(const struct salvaged *s, size_t at, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		assert_int_equal(s->times[at + i - from], time_of(i));
}

static void what_is_whole_is_copied_byte_for_byte(void **state)
{
	struct good_capture g = {0};
	struct salvaged s;

	good_capture_make(&g);
	salvage(*state, &g.c.out, NULL, &s);
	assert_int_equal(s.out.len, g.c.out.len);
	assert_memory_equal(s.out.p, g.c.out.p, g.c.out.len);
	assert_int_equal(s.report.count, 0);
	salvaged_done(&s);
	cb_done(&g.c);
}

static void a_cut_anywhere_keeps_the_events_before_it_and_is_told(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t n = HEAD + BLOCK; n < HEAD + 4 * BLOCK; n++) {
		const struct buf cut = {.p = c.out.p, .len = n};
		bool inside = (n - HEAD) % BLOCK != 0;

		salvage(*state, &cut, NULL, &s);
		assert_int_equal(s.events, (n - HEAD) / BLOCK);
		expect_events(&s, 0, 0, s.events);
		assert_int_equal(s.report.count, inside);
		assert_int_equal(s.marks, inside);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_TRUNCATED], inside);
		salvaged_done(&s);
	}
	cb_done(&c);
}

/* Either the event is left out, or the byte makes another event that can be, of the same block. */
static void any_changed_byte_costs_at_most_the_event_it_is_in(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t i = 0; i < BLOCK; i++) {
		char *p = event_at(&c.out, 20) + i;

		*p ^= 0x40;
		salvage(*state, &c.out, NULL, &s);
		*p ^= 0x40;
		assert_in_range(s.events, EVENTS - 1, EVENTS);
		if (s.events == EVENTS - 1) {
			expect_events(&s, 0, 0, 20);
			expect_events(&s, 20, 21, EVENTS);
			assert_int_equal(s.marks, 1);
			assert_int_equal(s.report.list[0].before, time_of(19));
			assert_int_equal(s.report.list[0].after, time_of(21));
			assert_int_equal(s.report.list[0].stored, HEAD + 20 * BLOCK);
		} else if (i < 10 || i >= 18) { /* not its time, by which it is placed */
			expect_events(&s, 0, 0, EVENTS);
		}
		salvaged_done(&s);
	}
	cb_done(&c);
}

static void exchange(char *a, char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

static void swapped_blocks_are_put_back(void **state)
{
	static const size_t pairs[][3] = {{3, 30, 1},  {0, 39, 1},   {5, 6, 1},
					  {4, 20, 10}, {10, 20, 10}, {1, 12, 11}};
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char *a = event_at(&c.out, pairs[i][0]), *b = event_at(&c.out, pairs[i][1]);

		exchange(a, b, pairs[i][2] * BLOCK);
		salvage(*state, &c.out, NULL, &s);
		exchange(a, b, pairs[i][2] * BLOCK);
		assert_int_equal(s.out.len, c.out.len);
		assert_memory_equal(s.out.p, c.out.p, c.out.len);
		assert_true(s.report.moved > 0);
		assert_int_equal(s.report.by_kind[SF_DAMAGE_ORDER], 1);
		salvaged_done(&s);
	}
	cb_done(&c);
}

static void events_that_are_there_twice_are_kept_once(void **state)
{
	static const size_t copies[][3] = {{3, 1, 4}, {3, 1, 20}, {10, 5, 15}, {30, 5, 2}};
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		size_t from = HEAD + copies[i][0] * BLOCK, n = copies[i][1] * BLOCK,
		       to = HEAD + copies[i][2] * BLOCK;
		struct buf b = {0};

		buf_add(&b, c.out.p, to);
		buf_add(&b, c.out.p + from, n);
		buf_add(&b, c.out.p + to, c.out.len - to);
		salvage(*state, &b, NULL, &s);
		assert_int_equal(s.out.len, c.out.len);
		assert_memory_equal(s.out.p, c.out.p, c.out.len);
		assert_int_equal(s.report.duplicates, copies[i][1]);
		assert_int_equal(s.marks, 0);
		salvaged_done(&s);
		buf_done(&b);
	}
	cb_done(&c);
}

static void a_lost_header_is_replaced(void **state)
{
	struct capture c = {0};
	struct salvaged s;

	make_capture(&c);
	memset(c.out.p, 0, 28);
	salvage(*state, &c.out, NULL, &s);
	assert_int_equal(s.events, EVENTS);
	assert_int_equal(s.report.new_headers, 1);
	assert_int_equal(load_u32(s.out.p), SF_SHB);
	salvaged_done(&s);
	cb_done(&c);
}

static void entries_of_lists_are_lost_one_by_one(void **state)
{
	struct good_capture g = {0};
	struct salvaged s;

	good_capture_make(&g);
	/* The first thread's comm gets a NUL: that thread goes, and with it the one it leads. */
	g.c.out.p[g.at[GOOD_THREADS] + 8 + 4 + 5 * 8 + 2] = '\0';
	salvage(*state, &g.c.out, NULL, &s);
	assert_true(s.report.by_kind[SF_DAMAGE_LIST] > 0);
	assert_int_equal(load_u32(s.out.p + g.at[GOOD_THREADS]), 0x215);
	assert_true(s.out.len < g.c.out.len - 100);
	assert_true(s.out.len > g.c.out.len / 2);
	salvaged_done(&s);
	cb_done(&g.c);
}

static void a_list_that_stands_between_events_is_put_before_them(void **state)
{
	struct good_capture g = {0};
	struct buf b = {0};
	struct salvaged s;
	size_t from, to, events;

	good_capture_make(&g);
	from = g.at[GOOD_USERS];
	to = g.at[GOOD_USERS + 1];
	events = g.at[GOOD_LSEEK];
	buf_add(&b, g.c.out.p, from);
	buf_add(&b, g.c.out.p + to, events - to);
	buf_add(&b, g.c.out.p + from, to - from);
	buf_add(&b, g.c.out.p + events, g.c.out.len - events);
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.report.by_kind[SF_DAMAGE_PLACE], 1);
	assert_int_equal(s.out.len, b.len);
	assert_non_null(memmem(s.out.p, s.out.len, g.c.out.p + from, to - from));
	assert_memory_equal(s.out.p + s.out.len - (b.len - events), b.p + events, b.len - events);
	salvaged_done(&s);
	buf_done(&b);
	cb_done(&g.c);
}

/* Of a recorder that is not known; one alone is damage. */
static void a_number_of_parameters_that_comes_again_is_a_fact(void **state)
{
	for (size_t n = 1; n <= 4; n++) {
		struct capture c = {0};
		struct salvaged s;

		make_capture(&c);
		for (size_t i = 0; i < n; i++) {
			cb_event_begin(&c, CB_EV_V2, EV_LSEEK_X, time_of(EVENTS + i), 7);
			cb_param_u64(&c, 0);
			cb_param_u64(&c, 4);
			cb_param_u64(&c, 0);
			cb_event_end(&c);
		}
		salvage_odd(*state, &c.out, NULL, &s);
		assert_int_equal(s.events, n < 3 ? EVENTS : EVENTS + n);
		assert_int_equal(s.report.events_left_out, n < 3 ? n : 0);
		salvaged_done(&s);
		cb_done(&c);
	}
}

/* ---- compressed ---- */

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

static void bytes_that_are_no_capture_give_none(void **state)
{
	char noise[3000];
	struct buf b = {.p = noise, .len = sizeof(noise)};
	struct salvaged s;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * i % 251);
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.events, 0);
	assert_true(s.report.count > 0);
	salvaged_done(&s);
	b.len = 0;
	salvage(*state, &b, NULL, &s);
	assert_int_equal(s.out.len, 0);
	salvaged_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(what_is_whole_is_copied_byte_for_byte),
	    in_a_place(a_cut_anywhere_keeps_the_events_before_it_and_is_told),
	    in_a_place(any_changed_byte_costs_at_most_the_event_it_is_in),
	    in_a_place(swapped_blocks_are_put_back),
	    in_a_place(events_that_are_there_twice_are_kept_once),
	    in_a_place(a_lost_header_is_replaced),
	    in_a_place(entries_of_lists_are_lost_one_by_one),
	    in_a_place(a_list_that_stands_between_events_is_put_before_them),
	    in_a_place(a_number_of_parameters_that_comes_again_is_a_fact),
	    in_a_place(any_changed_byte_costs_at_most_its_frame),
	    in_a_place(frames_that_are_there_twice_or_swapped_are_put_right),
	    in_a_place(options_say_what_becomes_of_what_is_not_proven),
	    in_a_place(what_can_be_and_was_not_sealed_is_kept_with_a_mark_or_not_at_all),
	    in_a_place(an_unaltered_capture_is_as_sealed_in_any_pieces),
	    in_a_place(an_event_is_as_altered_as_any_piece_of_it),
	    in_a_place(frames_that_are_gone_are_told_by_the_seal_alone),
	    in_a_place(a_right_checksum_does_not_prove_what_was_not_sealed),
	    in_a_place(blocks_begin_where_a_sealed_frame_does),
	    in_a_place(bytes_that_are_no_capture_give_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
