/* SPDX-License-Identifier: Apache-2.0 */
/* Operations through io_uring: our own event type, from the writer to the reader and the judge. */
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/strict.h"
#include "scapfile/tests/place.h"

#define TID 42
#define NOW RECORD_TIME

struct record { /* of one operation, as the recorder makes it */
	uint8_t lens[2 * (EV_URING_PARAMS + 2)], data[512];
	size_t n;
	struct ev ev;
};

static void add(struct record *r, const void *p, size_t n)
{
	r->lens[2 * r->ev.nparams] = (uint8_t)n;
	memcpy(r->data + r->n, p, n);
	r->n += n;
	r->ev.nparams++;
}

static void add_number(struct record *r, uint64_t v, unsigned width)
{
	add(r, &v, width); /* recordings are made on little-endian machines */
}

/* An open of /etc/passwd that gave descriptor 7; @op_width: of the number of the operation. */
static void open_passwd(struct record *r, unsigned op_width)
{
	memset(r, 0, sizeof(*r));
	r->ev = (struct ev){.ts = NOW, .tid = TID, .type = EV_TYPE_URING, .cpu = 1};
	add_number(r, 7, 8);
	add_number(r, 18, op_width);
	add_number(r, (uint64_t)EV_FD_CWD, 8);
	add_number(r, 0x1234567890, 8);
	for (unsigned i = 4; i < 12; i++)
		add_number(r, i, ev_ptype_width(ev_uring_info.params[i].type));
	add(r, "/etc/passwd", 12);
	for (unsigned i = 13; i < EV_URING_PARAMS_FIRST; i++)
		add(r, "", 0);
	add_number(r, 0, 4);
	add_number(r, 0x1001, 4);
	add_number(r, 0xfe00, 4);
	add_number(r, 77, 8);
	r->ev.lens = r->lens;
	r->ev.data = r->data;
}

static void an_operation_is_read_back_as_it_was_written(void **state)
{
	struct record r;
	struct ev_item item;
	struct sf_reader *reader;
	int64_t fd;
	uint8_t op;

	open_passwd(&r, 1);
	reader = find_item(write_record(*state, EV_ITEM_URING, &r.ev), EV_ITEM_URING, &item);
	assert_int_equal(item.ev->type, EV_TYPE_URING);
	assert_int_equal(item.ev->ts, NOW);
	assert_int_equal(item.ev->tid, TID);
	assert_int_equal(item.ev->cpu, 1);
	assert_int_equal(item.ev->nparams, EV_URING_PARAMS);
	assert_true(ev_i64(item.ev, 0, &fd));
	assert_int_equal(fd, 7);
	assert_true(ev_u8(item.ev, 1, &op));
	assert_int_equal(op, 18);
	assert_int_equal(ev_param(item.ev, 12).n, 12);
	assert_string_equal((const char *)ev_param(item.ev, 12).p, "/etc/passwd");
	assert_int_equal(ev_param(item.ev, 15).n, 0);
	assert_int_equal(ev_param(item.ev, EV_URING_INO).n, 8);
	assert_int_equal(sf_reader_stats(reader)->urings, 1);
	assert_int_equal(sf_reader_stats(reader)->events, 0);
	assert_int_equal(sf_reader_stats(reader)->events_unknown, 0);
	sf_reader_close(reader);
}

static uint64_t findings(void **state, struct record *r)
{
	struct sf_strict_report report = {0};
	uint64_t n;

	assert_int_equal(
	    sf_strict_check(write_record(*state, EV_ITEM_URING, &r->ev), &report, NULL), 0);
	n = report.count;
	sf_strict_done(&report);
	return n;
}

static void an_operation_is_right_to_the_letter_and_a_wrong_one_is_found(void **state)
{
	struct record r;

	open_passwd(&r, 1);
	assert_int_equal(findings(state, &r), 0);
	open_passwd(&r, 2);
	assert_int_equal(findings(state, &r), 1);
	open_passwd(&r, 1);
	add_number(&r, 5, 4); /* one more than the version at hand knows */
	assert_int_equal(findings(state, &r), 1);
}

/* Records of the first version end four parameters earlier. */
static void those_of_the_first_version_are_read_and_right(void **state)
{
	struct sf_reader *reader;
	struct ev_item item;
	struct record r;
	uint32_t slot;

	open_passwd(&r, 1);
	r.ev.nparams = EV_URING_PARAMS_FIRST;
	assert_int_equal(findings(state, &r), 0);
	reader = find_item(write_record(*state, EV_ITEM_URING, &r.ev), EV_ITEM_URING, &item);
	assert_int_equal(item.ev->nparams, EV_URING_PARAMS_FIRST);
	assert_int_equal(ev_param(item.ev, EV_URING_NAME).n, 12);
	assert_false(ev_u32(item.ev, EV_URING_FILE_SLOT, &slot));
	sf_reader_close(reader);
	r.ev.nparams = EV_URING_PARAMS_FIRST + 1; /* no version has so many */
	assert_int_equal(findings(state, &r), 1);
}

static void parameters_of_later_versions_are_left_out(void **state)
{
	struct record r;
	struct ev_item item;
	struct sf_reader *reader;

	open_passwd(&r, 1);
	add_number(&r, 5, 4);
	reader = find_item(write_record(*state, EV_ITEM_URING, &r.ev), EV_ITEM_URING, &item);
	assert_int_equal(item.ev->nparams, EV_URING_PARAMS);
	assert_int_equal(ev_param(item.ev, 12).n, 12);
	sf_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(an_operation_is_read_back_as_it_was_written),
	    in_a_place(an_operation_is_right_to_the_letter_and_a_wrong_one_is_found),
	    in_a_place(those_of_the_first_version_are_read_and_right),
	    in_a_place(parameters_of_later_versions_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
