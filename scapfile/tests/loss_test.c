/* SPDX-License-Identifier: Apache-2.0 */
/* Losses that the recorder noted: each form of the record, read, written and described. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scapfile/internal.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"
#include "scapfile/writer.h"

static void expect(struct capture *c, const char *wanted)
{
	struct buf out = {0};

	describe_capture(&out, c->out.p, c->out.len, NULL);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_done(&out);
	cb_done(c);
}

static void begin(struct capture *c)
{
	cb_section(c);
	cb_stat(c, 1, 1);
	c->cpu = 3;
	cb_event_begin(c, CB_EV_V2, EV_TYPE_LOSS, 9, -1);
}

static void end(struct capture *c)
{
	cb_event_end(c);
	c->cpu = 0;
	cb_stat(c, 10, 1);
}

#define BEFORE                                                                                     \
	"section @0\n"                                                                             \
	"event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
#define BEHIND                                                                                     \
	"event 67 ts=10 tid=1 cpu=0 0000000000000000 2f7800\n"                                     \
	"gap recorded @84+0\n"

static void a_count_alone_is_a_loss_before_its_time(void **state)
{
	struct capture c = {0};

	(void)state;
	begin(&c);
	cb_param_u64(&c, 12345);
	end(&c);
	expect(&c, BEFORE "loss cpu=3 reason=0 count=12345 from=9 to=9\n" BEHIND);
}

static void the_whole_form_says_when_why_and_of_which_types(void **state)
{
	struct capture c = {0};
	static const uint8_t kinds[] = {6,    0,    5, 0, 0, 0, 0, 0, 0, 0,
					0x60, 0xea, 1, 0, 0, 0, 0, 0, 0, 1};

	(void)state;
	begin(&c);
	cb_param_u64(&c, 6);
	cb_param_u64(&c, 2);
	cb_param_u64(&c, 9);
	cb_param(&c, "\1\0", 2);
	cb_param(&c, kinds, sizeof(kinds));
	end(&c);
	expect(&c, BEFORE
	       "loss cpu=3 reason=1 count=6 from=2 to=9 6:5 60000:72057594037927937\n" BEHIND);
}

static void what_a_loss_does_not_say_is_not_known(void **state)
{
	struct capture c = {0};

	(void)state;
	begin(&c);
	end(&c);
	expect(&c, BEFORE "loss cpu=3 reason=0 count=0 from=9 to=9\n" BEHIND);
	begin(&c);
	cb_param(&c, "abc", 3); /* no count has three bytes */
	cb_param(&c, NULL, 0);
	cb_param(&c, NULL, 0);
	cb_param(&c, "abcd", 4);
	cb_param(&c, "12345678901234", 14); /* one kind and a bit */
	end(&c);
	expect(&c,
	       BEFORE "loss cpu=3 reason=0 count=0 from=9 to=9 12849:3474870397276861491\n" BEHIND);
	begin(&c);
	for (unsigned i = 0; i < 40; i++) /* more than any event may have */
		cb_param_u64(&c, 7);
	end(&c);
	expect(&c, BEFORE "loss cpu=3 reason=0 count=7 from=7 to=7\n" BEHIND);
}

static void more_kinds_than_are_kept_do_no_harm(void **state)
{
	struct capture c = {0};
	struct buf kinds = {0}, out = {0};

	(void)state;
	for (unsigned i = 0; i < (EV_LOSS_KINDS_MAX + 5) * SF_LOSS_KIND; i++)
		buf_char(&kinds, 1);
	begin(&c);
	for (unsigned i = 0; i < 3; i++)
		cb_param_u64(&c, 7);
	cb_param(&c, "\1\0", 2);
	cb_param(&c, kinds.p, kinds.len);
	end(&c);
	describe_capture(&out, c.out.p, c.out.len, NULL);
	assert_non_null(strstr(buf_cstr(&out), BEHIND));
	assert_null(strstr(buf_cstr(&out), "gap event"));
	buf_done(&out);
	buf_done(&kinds);
	cb_done(&c);
}

/* What the gap list says of @loss. */
static void assert_told(const struct ev_loss *loss, const char *wanted)
{
	uint64_t total = 0;
	struct sf_gaps gaps = {.total = &total};

	sf_loss_gap(&gaps, loss, 77);
	assert_int_equal(total, 1);
	assert_int_equal(gaps.list[0].offset, 77);
	assert_string_equal(gaps.list[0].what, wanted);
	sf_gaps_done(&gaps);
}

static void gaps_name_count_cpu_reason_and_span(void **state)
{
	struct ev_loss l = {.from = 1500000000, .to = 2000000001, .cpu = 1, .count = 42};

	(void)state;
	l.reason = EV_LOSS_RING_FULL;
	assert_told(&l, "the recorder lost 42 events of cpu 1 (ring full) between @1.500000000 and "
			"@2.000000001");
	l.from = l.to;
	l.cpu = -1;
	l.count = 1;
	l.reason = 999;
	assert_told(&l, "the recorder lost 1 event (unknown) before @2.000000001");
	l.count = 0;
	l.reason = EV_LOSS_UNKNOWN;
	assert_told(&l, "the recorder lost events before @2.000000001");
	l = (struct ev_loss){UINT64_MAX - 1, UINT64_MAX, INT16_MIN, 2, UINT64_MAX, NULL, 0};
	l.cpu = INT16_MAX;
	assert_told(&l, "the recorder lost 18446744073709551615 events of cpu 32767 (no ring) "
			"between @18446744073.709551614 and @18446744073.709551615");
}

static void each_reason_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < EV_LOSS_REASONS; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(ev_loss_reason_name(i), ev_loss_reason_name(k));
	assert_string_equal(ev_loss_reason_name(EV_LOSS_REASONS), "unknown");
	assert_string_equal(ev_loss_reason_name(65535), "unknown");
}

/* A loss written to each container comes back; so does one from a source. */
static void losses_survive_writing(void **state)
{
	static const char *const suffix[] = {".scap", ".scap.gz", ".scap.zst"};
	struct ev_loss_kind kinds[EV_LOSS_KINDS_MAX + 1];
	struct ev_loss loss = {5, 8, -1, EV_LOSS_MEMORY, 3, kinds, 2};
	struct ev_item item = {.kind = EV_ITEM_LOSS, .loss = &loss};

	(void)state;
	for (uint16_t i = 0; i < COUNT_OF(kinds); i++)
		kinds[i] = (struct ev_loss_kind){i, i + 1u};
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		char path[64];
		struct sf_writer *w;
		struct sf_reader *r;
		struct ev_item got;
		struct error err;

		snprintf(path, sizeof(path), "/tmp/loss_test.%d%s", (int)getpid(), suffix[i]);
		assert_int_equal(sf_writer_open(path, NULL, &w, &err), 0);
		loss.nkinds = 2;
		assert_int_equal(sf_writer_loss(w, &loss, &err), 0);
		loss.nkinds = COUNT_OF(kinds);
		assert_int_equal(sf_writer_item(w, &item, &err), 0);
		assert_int_equal(sf_writer_stats(w)->losses, 2);
		assert_int_equal(sf_writer_close(w, &err), 0);
		assert_int_equal(sf_reader_open(path, NULL, &r, &err), 0);
		assert_int_equal(ev_source_next(sf_reader_source(r), &got, &err), 1);
		for (unsigned k = 0; k < 2; k++) {
			unsigned n = k ? EV_LOSS_KINDS_MAX : 2;

			assert_int_equal(ev_source_next(sf_reader_source(r), &got, &err), 1);
			assert_int_equal(got.kind, EV_ITEM_LOSS);
			assert_int_equal(got.loss->from, 5);
			assert_int_equal(got.loss->to, 8);
			assert_int_equal(got.loss->cpu, -1);
			assert_int_equal(got.loss->reason, EV_LOSS_MEMORY);
			assert_int_equal(got.loss->count, 3);
			assert_int_equal(got.loss->nkinds, n);
			for (unsigned j = 0; j < n; j++) {
				assert_int_equal(got.loss->kinds[j].type, j);
				assert_int_equal(got.loss->kinds[j].count, j + 1);
			}
		}
		assert_int_equal(ev_source_next(sf_reader_source(r), &got, &err), 0);
		assert_int_equal(sf_reader_stats(r)->losses, 2);
		assert_int_equal(sf_reader_stats(r)->gaps, 2);
		assert_int_equal(sf_reader_stats(r)->events, 0);
		sf_reader_close(r);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_count_alone_is_a_loss_before_its_time),
	    cmocka_unit_test(the_whole_form_says_when_why_and_of_which_types),
	    cmocka_unit_test(what_a_loss_does_not_say_is_not_known),
	    cmocka_unit_test(more_kinds_than_are_kept_do_no_harm),
	    cmocka_unit_test(gaps_name_count_cpu_reason_and_span),
	    cmocka_unit_test(each_reason_has_a_name_of_its_own),
	    cmocka_unit_test(losses_survive_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
