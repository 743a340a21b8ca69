/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/tests/salvaged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/internal.h"
#include "scapfile/strict.h"

#define FIRST_TS 1700000001000000000ull
#define STEP_NS	 1000000u

uint64_t time_of(size_t i)
{
	return FIRST_TS + i * STEP_NS;
}

void make_capture(struct capture *c)
{
	cb_section(c);
	cb_machine(c, 2, "box");
	for (size_t i = 0; i < EVENTS; i++)
		cb_stat(c, time_of(i), 7);
}

char *event_at(struct buf *b, size_t i)
{
	return b->p + HEAD + i * BLOCK;
}

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

void salvage_odd(struct place *place, const struct buf *damaged,
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

void salvage(struct place *place, const struct buf *damaged, const struct sf_salvage_options *opt,
	     struct salvaged *s)
{
	salvage_odd(place, damaged, opt, s);
	if (s->events)
		expect_strict(&s->out);
}

void salvaged_done(struct salvaged *s)
{
	sf_salvage_done(&s->report);
	buf_done(&s->out);
}

void expect_events(const struct salvaged *s, size_t at, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		assert_int_equal(s->times[at + i - from], time_of(i));
}
