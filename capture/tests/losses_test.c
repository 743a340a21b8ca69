/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "capture/internal.h"

#define CPUS 3

struct got {
	unsigned items;
	uint64_t by_reason[EV_LOSS_REASONS];
	uint64_t by_type[WIRE_COUNTER_TYPES];
	struct ev_loss last;
	struct ev_loss_kind last_kind;
};

static void collect(void *arg, const struct ev_loss *loss)
{
	struct got *got = arg;
	uint64_t sum = 0;

	got->items++;
	got->by_reason[loss->reason] += loss->count;
	for (unsigned i = 0; i < loss->nkinds; i++) {
		sum += loss->kinds[i].count;
		got->by_type[counter_index(loss->kinds[i].type)] += loss->kinds[i].count;
	}
	assert_int_equal(sum, loss->count);
	got->last = *loss;
	got->last_kind = loss->kinds[0];
}

static void each_change_of_a_counter_becomes_one_item_of_its_cpu_and_reason(void **state)
{
	struct losses l;
	struct got got = {0};

	(void)state;
	assert_int_equal(losses_init(&l, CPUS, 1000, NULL), 0);
	losses_row(&l, WIRE_SEEN, EV_OPEN_X)[0] = 100;
	losses_row(&l, WIRE_LOST_FULL, EV_OPEN_X)[2] = 5;
	losses_row(&l, WIRE_LOST_FULL, EV_CLOSE_X)[2] = 2;
	losses_row(&l, WIRE_FAULT, EV_OPEN_X)[1] = 9; /* not a loss */
	assert_false(l.due);
	losses_read_done(&l, 2000);
	assert_true(l.due);
	losses_emit(&l, collect, &got);
	assert_false(l.due);
	assert_int_equal(got.items, 1);
	assert_int_equal(got.last.from, 1000);
	assert_int_equal(got.last.to, 2000);
	assert_int_equal(got.last.cpu, 2);
	assert_int_equal(got.last.reason, EV_LOSS_RING_FULL);
	assert_int_equal(got.last.count, 7);
	assert_int_equal(got.last.nkinds, 2);

	/* Only what came since, from where the last interval ended. */
	losses_row(&l, WIRE_LOST_FULL, EV_OPEN_X)[2] = 6;
	losses_read_done(&l, 3000);
	losses_emit(&l, collect, &got);
	assert_int_equal(got.items, 2);
	assert_int_equal(got.last.from, 2000);
	assert_int_equal(got.last.count, 1);
	assert_int_equal(got.last_kind.type, EV_OPEN_X);
	losses_read_done(&l, 4000);
	losses_emit(&l, collect, &got);
	assert_int_equal(got.items, 2);
	losses_done(&l);
}

static void what_is_counted_here_and_there_adds_up_by_type_and_reason(void **state)
{
	static const uint8_t kinds[] = {WIRE_LOST_FULL, WIRE_LOST_NO_RING, WIRE_LOST_LARGE,
					WIRE_LOST_BUSY, WIRE_SHED};
	uint64_t by_type[WIRE_COUNTER_TYPES] = {0}, all = 0, sum = 0, seed = 1;
	struct losses l;
	struct got got = {0};

	(void)state;
	assert_int_equal(losses_init(&l, CPUS, 0, NULL), 0);
	for (unsigned round = 1; round <= 50; round++) {
		for (unsigned i = 0; i < 40; i++) {
			unsigned type, cpu;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			type = (unsigned)(seed >> 40) % EV_TYPE_COUNT;
			cpu = (unsigned)(seed >> 33) % CPUS;
			by_type[type]++;
			all++;
			if (i % 7 == 5)
				losses_count(&l, LOSS_MEMORY, (int)cpu, type);
			else if (i % 7 == 6)
				losses_count(&l, LOSS_INVALID, (int)cpu, type);
			else
				losses_row(&l, kinds[i % 7], type)[cpu]++;
		}
		losses_read_done(&l, round);
		losses_emit(&l, collect, &got);
	}
	for (unsigned i = 0; i < EV_LOSS_REASONS; i++) {
		sum += l.lost[i];
		assert_int_equal(l.lost[i], got.by_reason[i]);
	}
	assert_int_equal(sum, all);
	for (unsigned i = 0; i < WIRE_COUNTER_TYPES; i++)
		assert_int_equal(got.by_type[i], by_type[i]);
	assert_int_equal(l.lost[EV_LOSS_UNKNOWN] + l.lost[EV_LOSS_DISK], 0);
	losses_done(&l);
}

static void unknown_cpus_and_own_types_have_a_place(void **state)
{
	struct losses l;
	struct got got = {0};

	(void)state;
	assert_int_equal(losses_init(&l, CPUS, 0, NULL), 0);
	losses_count(&l, LOSS_INVALID, 60000, 0);
	losses_count(&l, LOSS_INVALID, -1, EV_TYPE_LOSS + 3);
	losses_read_done(&l, 1);
	losses_emit(&l, collect, &got);
	assert_int_equal(got.items, 1);
	assert_int_equal(got.last.cpu, 0);
	assert_int_equal(got.last.nkinds, 2);
	assert_int_equal(got.by_type[WIRE_EVENT_TYPES + 3], 1);
	assert_int_equal(counter_type(counter_index(EV_TYPE_LOSS + 3)), EV_TYPE_LOSS + 3);
	losses_done(&l);
}

/* A close event of this machine's own making. */
static uint32_t build(uint8_t *p)
{
	const uint32_t len = WIRE_HEADER_LEN + 2 * 2 + 16, nparams = 2;
	const uint16_t type = EV_CLOSE_X, width = 8;

	memset(p, 0, len);
	memcpy(p + 16, &len, 4);
	memcpy(p + 20, &type, 2);
	memcpy(p + 22, &nparams, 4);
	memcpy(p + 26, &width, 2);
	memcpy(p + 28, &width, 2);
	return len;
}

static void only_whole_events_of_known_types_are_events(void **state)
{
	uint32_t size, len;
	uint8_t p[64];
	unsigned type;

	(void)state;
	size = build(p);
	assert_null(record_check(p, size, &type, &len));
	assert_int_equal(type, EV_CLOSE_X);
	assert_int_equal(len, size);
	assert_null(record_check(p, size + 6, &type, &len)); /* in a record with room to spare */
	assert_int_equal(len, size);
	assert_non_null(record_check(p, size + WIRE_SHORT_MAX + 3, &type, &len));
	for (uint32_t n = 0; n < size; n++)
		assert_non_null(record_check(p, n, &type, &len));
	for (uint32_t at = 16; at < 30; at++) /* each byte of the header that promises something */
		for (unsigned bit = 0; bit < 8; bit++) {
			unsigned changed;

			build(p);
			p[at] ^= (uint8_t)(1u << bit);
			changed = load_u16(p + 20);
			if (changed == EV_CLOSE_X || changed >= EV_TYPE_COUNT ||
			    ev_table[changed].nparams != 2)
				assert_non_null(record_check(p, size, &type, &len));
		}
}

static void a_type_of_our_own_is_an_event_too(void **state)
{
	const uint32_t size = WIRE_HEADER_LEN + 2 * EV_URING_PARAMS, nparams = EV_URING_PARAMS;
	uint16_t own = EV_TYPE_URING;
	uint8_t p[WIRE_HEADER_LEN + 2 * EV_URING_PARAMS] = {0};
	unsigned type;
	uint32_t len;

	(void)state;
	memcpy(p + 16, &size, 4);
	memcpy(p + 20, &own, 2);
	memcpy(p + 22, &nparams, 4);
	assert_null(record_check(p, size, &type, &len));
	assert_int_equal(type, EV_TYPE_URING);
	own++;
	memcpy(p + 20, &own, 2);
	assert_non_null(record_check(p, size, &type, &len));
	assert_int_equal(type, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_change_of_a_counter_becomes_one_item_of_its_cpu_and_reason),
	    cmocka_unit_test(what_is_counted_here_and_there_adds_up_by_type_and_reason),
	    cmocka_unit_test(unknown_cpus_and_own_types_have_a_place),
	    cmocka_unit_test(only_whole_events_of_known_types_are_events),
	    cmocka_unit_test(a_type_of_our_own_is_an_event_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
