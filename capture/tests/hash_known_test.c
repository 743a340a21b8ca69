/* SPDX-License-Identifier: Apache-2.0 */
/* Files that were hashed before, and how many more may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/hasher.h"

#define MAX	8
#define SECONDS 1000000000ull
#define START	(1000 * SECONDS)

static struct hash_file file(uint64_t ino)
{
	return (struct hash_file){.dev = 1, .ino = ino, .ctime = 2 * ino, .size = 3};
}

static void add(struct hash_known *k, uint64_t ino)
{
	struct hash_file f = file(ino);
	uint8_t sha256[EV_HASH_BYTES] = {(uint8_t)ino};

	hash_known_add(k, &f, 0, EV_HASH_DONE, sha256);
}

static bool finds(struct hash_known *k, uint64_t ino)
{
	struct hash_file f = file(ino);
	const struct hash_entry *e = hash_known_find(k, &f, 0, false);

	return e && e->sha256[0] == (uint8_t)ino;
}

static void the_least_recently_used_file_is_forgotten(void **state)
{
	struct hash_known k;

	(void)state;
	assert_int_equal(hash_known_init(&k, MAX, NULL), 0);
	for (uint64_t i = 0; i < MAX; i++)
		add(&k, i);
	assert_true(finds(&k, 0)); /* which makes it the newest */
	add(&k, MAX);
	assert_true(finds(&k, 0));
	assert_false(finds(&k, 1));
	for (uint64_t i = 2; i <= MAX; i++)
		assert_true(finds(&k, i));
	for (uint64_t i = 100; i < 100 + 1000; i++) {
		add(&k, i);
		assert_true(finds(&k, i));
	}
	for (uint64_t i = 1100 - MAX; i < 1100; i++)
		assert_true(finds(&k, i));
	assert_false(finds(&k, 1100 - MAX - 1));
	hash_known_clear(&k);
	assert_false(finds(&k, 1099));
	add(&k, 5);
	assert_true(finds(&k, 5));
	hash_known_done(&k);
}

static void every_part_of_the_key_counts(void **state)
{
	struct hash_file f = file(1), other;
	struct hash_known k;

	(void)state;
	assert_int_equal(hash_known_init(&k, MAX, NULL), 0);
	hash_known_add(&k, &f, 10, EV_HASH_SIZE, NULL);
	assert_non_null(hash_known_find(&k, &f, 10, false));
	assert_int_equal(hash_known_find(&k, &f, 10, false)->status, EV_HASH_SIZE);
	assert_null(hash_known_find(&k, &f, 11, false));
	assert_non_null(hash_known_find(&k, &f, 11, true));
	for (size_t i = 0; i < 4; i++) {
		other = f;
		(&other.dev)[i]++;
		assert_null(hash_known_find(&k, &other, 10, true));
	}
	assert_true(hash_known_has(&k, f.ino, f.ctime, 10));
	assert_false(hash_known_has(&k, f.ino + 1, f.ctime, 10));
	assert_false(hash_known_has(&k, f.ino, f.ctime + 1, 10));
	assert_false(hash_known_has(&k, f.ino, f.ctime, 11));
	hash_known_done(&k);
}

static unsigned take_all(struct hash_rate *r, uint64_t now, uint64_t size)
{
	unsigned n = 0;

	while (n < 1000000 && hash_rate_take(r, now, size))
		n++;
	return n;
}

static void files_per_second_are_bounded(void **state)
{
	struct hash_rate r = {0};
	unsigned burst = HASH_FILES_PER_S * (HASH_BURST_NS / SECONDS);

	(void)state;
	assert_int_equal(take_all(&r, START, 1), burst + 1);
	assert_int_equal(take_all(&r, START, 1), 0);
	assert_in_range(take_all(&r, START + SECONDS, 1), HASH_FILES_PER_S - 1,
			HASH_FILES_PER_S + 1);
	assert_int_equal(take_all(&r, START + 1000 * SECONDS, 1), burst + 1);
}

static void bytes_per_second_are_bounded(void **state)
{
	const uint64_t size = HASH_BYTES_PER_S / 8;
	struct hash_rate r = {0};
	unsigned burst = 8 * (HASH_BURST_NS / SECONDS);

	(void)state;
	assert_in_range(take_all(&r, START, size), burst, burst + 2);
	assert_in_range(take_all(&r, START + 2 * SECONDS, size), 15, 17);
	assert_true(hash_rate_take(&r, START + 1000 * SECONDS, HASH_SIZE_MAX));
	assert_true(hash_rate_take(&r, START + 1000 * SECONDS, HASH_SIZE_MAX));
	assert_false(hash_rate_take(&r, START + 1000 * SECONDS, 1)); /* in debt */
	assert_true(hash_rate_take(&r, START + 1004 * SECONDS, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_least_recently_used_file_is_forgotten),
	    cmocka_unit_test(every_part_of_the_key_counts),
	    cmocka_unit_test(files_per_second_are_bounded),
	    cmocka_unit_test(bytes_per_second_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
