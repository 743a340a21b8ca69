/* SPDX-License-Identifier: Apache-2.0 */
/* Event blocks of every type: headers, prefixes, widths and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/internal.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"

/* The capture's text behind its section line; the capture is freed. */
static void expect_events(struct capture *c, const char *wanted)
{
	struct buf out = {0};

	describe_capture(&out, c->out.p, c->out.len, NULL);
	assert_string_equal(buf_cstr(&out) + strlen("section @0\n"), wanted);
	buf_done(&out);
	cb_done(c);
}

static void every_block_type_carries_the_same_event(void **state)
{
	static const struct {
		uint32_t type;
		bool flags;
	} blocks[] = {{CB_EV, false},	      {0x8010abcd, false}, {CB_EVF, true},
		      {CB_EV_V2, false},      {CB_EVF_V2, true},   {CB_EV_V2_LARGE, false},
		      {CB_EVF_V2_LARGE, true}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		struct capture c = {0};

		cb_section(&c);
		c.cpu = 300;
		c.flags = 0xffff0001; /* only the lowest bit has a meaning */
		cb_event_begin(&c, blocks[i].type, EV_STAT_X, 77, -1);
		cb_param_u64(&c, (uint64_t)-2);
		cb_param_str(&c, "/etc");
		cb_event_end(&c);
		expect_events(
		    &c, blocks[i].flags
			    ? "event 67 ts=77 tid=-1 cpu=300 flags=1 feffffffffffffff 2f65746300\n"
			    : "event 67 ts=77 tid=-1 cpu=300 feffffffffffffff 2f65746300\n");
	}
}

static void an_old_header_leaves_the_number_of_parameters_to_be_found(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 5; n++) {
		static const char *const texts[] = {"", "a", "bb", "", "dddd"};
		struct buf wanted = {0};
		struct capture c = {0};

		cb_section(&c);
		cb_event_begin(&c, CB_EV, EV_PROCEXIT_1_E, 1, 1);
		buf_addf(&wanted, "event 186 ts=1 tid=1 cpu=0");
		for (unsigned i = 0; i < n; i++) {
			cb_param(&c, texts[i], strlen(texts[i]));
			buf_addf(&wanted, i == 1   ? " 61"
					  : i == 2 ? " 6262"
					  : i == 4 ? " 64646464"
						   : " -");
		}
		cb_event_end(&c);
		buf_addf(&wanted, "\n");
		expect_events(&c, buf_cstr(&wanted));
		buf_done(&wanted);
	}
}

/* Two metaevents were written with a length that is three too large. */
static void the_length_quirk_of_old_notifications_is_undone(void **state)
{
	static const unsigned types[] = {EV_NOTIFICATION_E, EV_INFRASTRUCTURE_EVENT_E};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct capture c = {0};
		struct buf wanted = {0};

		cb_section(&c);
		cb_event_begin(&c, CB_EV, types[i], 1, 1);
		for (unsigned k = 0; k < ev_table[types[i]].nparams; k++)
			cb_param(&c, "ab", 3);
		cb_event_end_as(&c, false, 3);
		buf_addf(&wanted, "event %u ts=1 tid=1 cpu=0", types[i]);
		for (unsigned k = 0; k < ev_table[types[i]].nparams; k++)
			buf_addf(&wanted, " 616200");
		buf_addf(&wanted, "\n");
		expect_events(&c, buf_cstr(&wanted));
		buf_done(&wanted);
	}
}

static void old_headers_with_a_wrong_length_are_refused(void **state)
{
	static const int errors[] = {-9, -1, 1, 1000, -27, -28};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		struct capture c = {0};

		cb_section(&c);
		cb_event_begin(&c, CB_EV, EV_STAT_X, 1, 1);
		cb_param_u64(&c, 1);
		cb_param_str(&c, "/");
		cb_event_end_as(&c, false, errors[i]);
		expect_events(&c, "gap event @28+52\n");
	}
}

static void the_width_of_lengths_follows_the_event_type_not_the_block(void **state)
{
	static char big[70000];
	struct capture c = {0};

	(void)state;
	memset(big, 'j', sizeof(big) - 1);
	cb_section(&c);
	for (int large = 0; large < 2; large++) {
		cb_event_begin(&c, large ? CB_EV_V2_LARGE : CB_EV_V2, EV_CONTAINER_JSON_2_E, 1, 1);
		cb_param_str(&c, "{}");
		cb_event_end(&c);
		cb_event_begin(&c, large ? CB_EV_V2_LARGE : CB_EV_V2, EV_STAT_X, 2, 1);
		cb_param_u64(&c, 0);
		cb_param_str(&c, "/");
		cb_event_end(&c);
	}
	cb_event_begin(&c, CB_EVF_V2_LARGE, EV_CONTAINER_JSON_2_E, 3, 1);
	cb_param(&c, big, sizeof(big));
	cb_event_end(&c);
	expect_events(&c, "event 324 ts=1 tid=1 cpu=0 7b7d00\n"
			  "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f00\n"
			  "event 324 ts=1 tid=1 cpu=0 7b7d00\n"
			  "event 67 ts=2 tid=1 cpu=0 0000000000000000 2f00\n"
			  "event 324 ts=3 tid=1 cpu=0 6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a"
			  "6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a..70000\n");
}

static void wide_lengths_that_overflow_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct capture c = {0};
		size_t lens;

		cb_section(&c);
		cb_event_begin(&c, CB_EV_V2_LARGE, EV_ASYNCEVENT_E, 1, 1);
		lens = c.out.len + 10 + 26;
		cb_param_u32(&c, 1);
		cb_param_str(&c, "n");
		cb_param_str(&c, "dd");
		cb_event_end(&c);
		/* Lengths that fit the event when added up in 32 bits. */
		memcpy(c.out.p + lens + 4, i ? "\xff\xff\xff\xff" : "\xfd\xff\xff\xff", 4);
		expect_events(&c, "gap event @28+64\n");
	}
}

static void an_event_at_the_block_limit_is_read_and_one_over_it_skipped(void **state)
{
	static char big[65535];
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	int events = 0;

	(void)state;
	cb_section(&c);
	for (int over = 0; over < 2; over++) {
		/* Framing, prefix, header and two lengths are 44 bytes of the 65544 allowed. */
		cb_event_begin(&c, CB_EV_V2, EV_STAT_X, 1, 1);
		cb_param_u64(&c, 0);
		cb_param(&c, big, 65544 - 44 - 8 + (over ? 4 : 0));
		cb_event_end(&c);
	}
	cb_stat(&c, 2, 1);
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		if (item.kind == EV_ITEM_EVENT)
			assert_int_equal(item.ev->ts, ++events);
	assert_int_equal(events, 2);
	assert_int_equal(sf_reader_stats(r)->gaps, 1);
	sf_reader_close(r);
	cb_done(&c);
}

static void blocks_too_short_for_an_event_header_are_refused(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, CB_EV_V2);
	cb_end(&c);
	cb_begin(&c, CB_EVF);
	cb_fill(&c, 0, 24);
	cb_end(&c);
	cb_stat(&c, 1, 1);
	expect_events(&c, "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
			  "gap event @28+12\n"
			  "gap event @40+36\n");
}

static void slack_inside_and_behind_the_event_is_ignored(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, CB_EV_V2);
	cb_u16(&c, 1);
	cb_u64(&c, 5);
	cb_u64(&c, 6);
	cb_u32(&c, 26 + 4 + 8 + 3 + 10); /* ten bytes more than the parameters need */
	cb_u16(&c, EV_STAT_X);
	cb_u32(&c, 2);
	cb_u16(&c, 8);
	cb_u16(&c, 3);
	cb_u64(&c, 0);
	cb_bytes(&c, "/x", 3);
	cb_fill(&c, 0xee, 10);
	cb_fill(&c, 0xdd, 30); /* somebody's comment */
	cb_end(&c);
	expect_events(&c, "event 67 ts=5 tid=6 cpu=1 0000000000000000 2f7800\n");
}

/* What there is of an event of @type with @n empty parameters, the first one or behind another. */
static const char *describe_empty(struct buf *out, unsigned type, unsigned n, bool behind)
{
	struct capture c = {0};
	const char *text;

	cb_section(&c);
	if (behind)
		cb_stat(&c, 1, 7);
	cb_event_begin(&c, CB_EV_V2, type, 2, 7);
	while (n--)
		cb_param(&c, "", 0);
	cb_event_end(&c);
	describe_capture(out, c.out.p, c.out.len, NULL);
	cb_done(&c);
	text = strchr(buf_cstr(out), '\n') + 1;
	return behind ? strchr(text, '\n') + 1 : text;
}

/* There is a way for most events and one for the rest: neither knows numbers the other does not. */
static void no_number_of_parameters_means_something_else_behind_another_event(void **state)
{
	static const unsigned counts[] = {0, 1, 4, 5, 8, 9, 31, 32, 33, 254, 255, 256};

	(void)state;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		for (size_t i = 0; i < COUNT_OF(counts); i++) {
			struct buf a = {0}, b = {0};
			const char *first = describe_empty(&a, type, counts[i], false);
			const char *behind = describe_empty(&b, type, counts[i], true);

			if (strstr(first, "gap")) /* it tells where it is */
				assert_non_null(strstr(behind, "gap"));
			else
				assert_string_equal(first, behind);
			buf_done(&a);
			buf_done(&b);
		}
}

static void fewer_parameters_than_the_table_has_are_simply_absent(void **state)
{
	struct capture c = {0};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	(void)state;
	cb_section(&c);
	cb_event_begin(&c, CB_EV_V2, EV_STAT_X, 1, 1);
	cb_param_u64(&c, 0);
	cb_event_end(&c);
	assert_int_equal(sf_reader_open_memory(c.out.p, c.out.len, NULL, &r, &err), 0);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(item.ev->nparams, 1);
	assert_null(ev_param(item.ev, 1).p);
	assert_int_equal(ev_param(item.ev, 1).n, 0);
	sf_reader_close(r);
	cb_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_block_type_carries_the_same_event),
	    cmocka_unit_test(an_old_header_leaves_the_number_of_parameters_to_be_found),
	    cmocka_unit_test(the_length_quirk_of_old_notifications_is_undone),
	    cmocka_unit_test(old_headers_with_a_wrong_length_are_refused),
	    cmocka_unit_test(the_width_of_lengths_follows_the_event_type_not_the_block),
	    cmocka_unit_test(wide_lengths_that_overflow_are_refused),
	    cmocka_unit_test(an_event_at_the_block_limit_is_read_and_one_over_it_skipped),
	    cmocka_unit_test(blocks_too_short_for_an_event_header_are_refused),
	    cmocka_unit_test(slack_inside_and_behind_the_event_is_ignored),
	    cmocka_unit_test(no_number_of_parameters_means_something_else_behind_another_event),
	    cmocka_unit_test(fewer_parameters_than_the_table_has_are_simply_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
