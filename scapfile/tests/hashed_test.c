/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of executed files: our own event type, from the writer to the reader and the judge. */
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

static const uint8_t sha256[EV_HASH_BYTES] = {1, 2, 3, [31] = 255};

static const struct ev_hash of_true = {.status = EV_HASH_DONE,
				       .dev = 0x801,
				       .ino = 77,
				       .ctime = NOW - 5,
				       .size = 1234,
				       .pid = TID,
				       .sha256 = sha256,
				       .path = {"/bin/true", 9}};

struct record {
	uint8_t body[EV_HASH_ROOM];
	struct ev ev;
};

static void make(struct record *r, const struct ev_hash *h)
{
	size_t n = ev_hash_encode(h, r->body);

	assert_true(n <= sizeof(r->body));
	r->ev = (struct ev){.ts = NOW,
			    .tid = h->pid ? TID : -1,
			    .type = EV_TYPE_HASH,
			    .cpu = 1,
			    .nparams = EV_HASH_PARAMS,
			    .lens = r->body,
			    .data = r->body + 2 * EV_HASH_PARAMS};
}

static void a_hash_is_read_back_as_it_was_written(void **state)
{
	struct sf_reader *reader;
	struct ev_item item;
	struct record r;
	struct ev_hash h;

	make(&r, &of_true);
	reader = find_item(write_record(*state, EV_ITEM_HASH, &r.ev), EV_ITEM_HASH, &item);
	assert_int_equal(item.ev->type, EV_TYPE_HASH);
	assert_int_equal(item.ev->ts, NOW);
	assert_int_equal(item.ev->tid, TID);
	assert_true(ev_hash_decode(item.ev, &h));
	assert_int_equal(h.status, EV_HASH_DONE);
	assert_int_equal(h.dev, 0x801);
	assert_int_equal(h.ino, 77);
	assert_int_equal(h.ctime, NOW - 5);
	assert_int_equal(h.size, 1234);
	assert_int_equal(h.pid, TID);
	assert_int_equal(h.skipped, 0);
	assert_memory_equal(h.sha256, sha256, sizeof(sha256));
	assert_true(sv_is(h.path, "/bin/true"));
	assert_int_equal(sf_reader_stats(reader)->hashes, 1);
	assert_int_equal(sf_reader_stats(reader)->hashes_skipped, 0);
	assert_int_equal(sf_reader_stats(reader)->events, 0);
	assert_int_equal(sf_reader_stats(reader)->events_unknown, 0);
	sf_reader_close(reader);
}

static void what_was_skipped_is_counted(void **state)
{
	struct ev_hash skipped = {.status = EV_HASH_QUEUE, .skipped = 70000};
	struct sf_reader *reader;
	struct ev_item item;
	struct record r;
	struct ev_hash h;

	make(&r, &skipped);
	reader = find_item(write_record(*state, EV_ITEM_HASH, &r.ev), EV_ITEM_HASH, &item);
	assert_true(ev_hash_decode(item.ev, &h));
	assert_int_equal(h.status, EV_HASH_QUEUE);
	assert_int_equal(h.skipped, 70000);
	assert_null(h.sha256);
	assert_int_equal(h.path.n, 0);
	assert_int_equal(sf_reader_stats(reader)->hashes, 0);
	assert_int_equal(sf_reader_stats(reader)->hashes_skipped, 70000);
	sf_reader_close(reader);
}

static uint64_t findings(void **state, struct record *r)
{
	struct sf_strict_report report = {0};
	uint64_t n;

	assert_int_equal(sf_strict_check(write_record(*state, EV_ITEM_HASH, &r->ev), &report, NULL),
			 0);
	n = report.count;
	sf_strict_done(&report);
	return n;
}

static void a_hash_is_right_to_the_letter_and_a_wrong_one_is_found(void **state)
{
	struct ev_hash wrong = of_true;
	struct record r;

	make(&r, &of_true);
	assert_int_equal(findings(state, &r), 0);
	make(&r, &(struct ev_hash){.status = EV_HASH_STOPPED, .skipped = 1});
	assert_int_equal(findings(state, &r), 0);
	wrong.sha256 = NULL;
	make(&r, &wrong);
	assert_int_equal(findings(state, &r), 1);
	wrong = of_true;
	wrong.status = EV_HASH_GONE;
	make(&r, &wrong);
	assert_int_equal(findings(state, &r), 1);
	wrong.status = EV_HASH_STATUSES;
	make(&r, &wrong);
	assert_int_equal(findings(state, &r), 1);
	make(&r, &of_true);
	r.body[2 * 2] = 7; /* the inode's number is shorter, the next longer */
	r.body[2 * 3] = 9;
	assert_int_equal(findings(state, &r), 2);
}

static void a_hash_of_wrong_widths_is_not_decoded(void **state)
{
	static const unsigned params[] = {0, 1, 2, 3, 4, 5, EV_HASH_DIGEST, 8};
	struct ev_hash with_skipped = of_true, h;
	struct record r;

	(void)state;
	with_skipped.skipped = 1;
	for (size_t i = 0; i < COUNT_OF(params); i++) {
		make(&r, &with_skipped);
		assert_true(ev_hash_decode(&r.ev, &h));
		make(&r, &with_skipped);
		r.body[2 * params[i]]++;
		assert_false(ev_hash_decode(&r.ev, &h));
	}
	make(&r, &of_true);
	r.body[2 * EV_HASH_PARAMS] = EV_HASH_RATE;
	assert_false(ev_hash_decode(&r.ev, &h));
}

static void the_longest_path_has_room_and_a_longer_one_is_left_out(void **state)
{
	char path[EV_HASH_PATH_MAX + 1];
	struct ev_hash h = of_true, out;
	struct record r;

	(void)state;
	memset(path, 'x', sizeof(path));
	h.path = sv_make(path, EV_HASH_PATH_MAX - 1);
	h.skipped = 1;
	make(&r, &h);
	assert_true(ev_hash_decode(&r.ev, &out));
	assert_int_equal(out.path.n, EV_HASH_PATH_MAX - 1);
	h.path.n++;
	make(&r, &h);
	assert_true(ev_hash_decode(&r.ev, &out));
	assert_int_equal(out.path.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(a_hash_is_read_back_as_it_was_written),
	    in_a_place(what_was_skipped_is_counted),
	    in_a_place(a_hash_is_right_to_the_letter_and_a_wrong_one_is_found),
	    cmocka_unit_test(a_hash_of_wrong_widths_is_not_decoded),
	    cmocka_unit_test(the_longest_path_has_room_and_a_longer_one_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
