/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/library.h"
#include "base/map.h"
#include "base/plain.h"
#include "base/pool.h"

static void a_map_agrees_with_an_array_under_random_puts_and_takes(void **state)
{
	static int values[512];
	void *model[512] = {0};
	struct map m = {0};
	uint32_t rng = 1;
	size_t count = 0, seen = 0, at = 0;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		uint64_t key;

		rng = rng * 1664525 + 1013904223;
		key = (rng >> 8) % 512;
		if (rng >> 31) {
			count += !model[key];
			model[key] = &values[rng % 512];
			assert_int_equal(map_put(&m, key, model[key]), 0);
		} else {
			assert_ptr_equal(map_take(&m, key), model[key]);
			count -= !!model[key];
			model[key] = NULL;
		}
		assert_int_equal(m.count, count);
	}
	for (uint64_t key = 0; key < 512; key++)
		assert_ptr_equal(map_get(&m, key), model[key]);
	for (struct map_slot *s; (s = map_next(&m, &at)); seen++)
		assert_ptr_equal(s->value, model[s->key]);
	assert_int_equal(seen, count);
	map_done(&m);
}

/* Keys of few bits, of all bits, and in order; values tell where each was. */
static void sorting_entries_keeps_the_order_of_equal_keys(void **state)
{
	static struct map_slot slots[5000];
	static char places[5000];
	static const uint64_t masks[] = {0, 0xf, 0x3ff000, 0xff00000000000001, UINT64_MAX};
	uint64_t rng = 1;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(masks) * 3; k++) {
		size_t n = (const size_t[]){20, 33, 5000}[k % 3];

		for (size_t i = 0; i < n; i++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			slots[i] = (struct map_slot){(rng ^ rng >> 32) & masks[k / 3], &places[i]};
		}
		for (int again = 0; again < 2; again++) {
			assert_int_equal(map_sort(slots, n), 0);
			for (size_t i = 1; i < n; i++)
				assert_true(slots[i - 1].key < slots[i].key ||
					    (slots[i - 1].key == slots[i].key &&
					     (char *)slots[i - 1].value < (char *)slots[i].value));
		}
	}
}

static void entries_come_in_the_order_of_their_keys(void **state)
{
	static const int64_t keys[] = {-5, -1, 0, 7, INT64_MAX};
	struct map m = {0};
	struct map_slot *all;

	(void)state;
	for (size_t i = COUNT_OF(keys); i-- > 0;)
		assert_int_equal(map_put(&m, (uint64_t)keys[i], &m), 0);
	all = map_sorted_signed(&m);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		assert_int_equal((int64_t)all[i].key, keys[i]);
	free(all);
	all = map_sorted(&m);
	assert_int_equal((int64_t)all[0].key, 0);
	assert_int_equal((int64_t)all[4].key, -1);
	free(all);
	map_done(&m);
}

static void a_text_map_agrees_with_an_array_under_random_puts_and_takes(void **state)
{
	static char keys[256][16];
	static int values[256];
	void *model[256] = {0};
	struct smap m = {0};
	uint32_t rng = 7;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 256; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
	for (int step = 0; step < 20000; step++) {
		unsigned k;

		rng = rng * 1664525 + 1013904223;
		k = (rng >> 8) % 256;
		if (rng >> 31) {
			count += !model[k];
			model[k] = &values[rng % 256];
			assert_int_equal(smap_put(&m, sv_of(keys[k]), model[k]), 0);
		} else {
			assert_ptr_equal(smap_take(&m, sv_of(keys[k])), model[k]);
			count -= !!model[k];
			model[k] = NULL;
		}
		assert_int_equal(m.count, count);
	}
	for (unsigned k = 0; k < 256; k++)
		assert_ptr_equal(smap_get(&m, sv_of(keys[k])), model[k]);
	smap_done(&m);
}

static void a_pool_hands_out_distinct_aligned_blocks_and_reuses_them(void **state)
{
	struct pool p = {0};
	unsigned char *blocks[200];
	size_t total;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 200; i++) {
			blocks[i] = pool_alloc(&p, i * 30);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t)blocks[i] % 16, 0);
			memset(blocks[i], (int)i, i * 30);
		}
		for (size_t i = 0; i < 200; i++) {
			for (size_t k = 0; k < i * 30; k++)
				assert_int_equal(blocks[i][k], (unsigned char)i);
			pool_release(&p, blocks[i], i * 30);
		}
		if (round == 0)
			total = p.total;
	}
	assert_int_equal(p.total, total);
	pool_done(&p);
}

static void an_arena_keeps_its_memory_over_a_reset(void **state)
{
	struct arena a = {0};
	size_t total;

	(void)state;
	for (size_t n = 0; n < 40000; n += 997)
		assert_non_null(arena_alloc(&a, n));
	total = a.total;
	for (int round = 0; round < 5; round++) {
		arena_reset(&a);
		for (size_t n = 0; n < 40000; n += 997)
			memset(arena_alloc(&a, n), 1, n);
	}
	assert_int_equal(a.total, total);
	assert_null(arena_zalloc(&a, SIZE_MAX / 2, 3));
	arena_done(&a);
}

static void a_cursor_never_reads_past_the_end(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 0, 0, 0, 9, 2, 0, 'h', 'i'};
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u32(&c), 0x04030201);
	assert_int_equal(cursor_u32(&c), 5);
	assert_int_equal(cursor_u8(&c), 9);
	assert_true(sv_is(cursor_str16(&c), "hi"));
	assert_false(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.failed);
	assert_null(cursor_bytes(&c, 0));
}

static void json_text_is_escaped_and_repaired(void **state)
{
	static const struct {
		const char *in, *utf8, *ascii;
	} cases[] = {
	    {"plain", "\"plain\"", "\"plain\""},
	    {"a\"b\\c\n\t\x01\x7f", "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"",
	     "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\""},
	    {"\xc2\x80\xc2\x9f\xc2\xa0\xe2\x80\xae\xe2\x81\xa9\xd8\x9c",
	     "\"\\u0080\\u009f\xc2\xa0\\u202e\\u2069\\u061c\"",
	     "\"\\u0080\\u009f\\u00a0\\u202e\\u2069\\u061c\""},
	    {"\xc3\xa9", "\"\xc3\xa9\"", "\"\\u00e9\""},
	    {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"", "\"\\ud83d\\ude00\""},
	    {"x\xffy", "\"x\xef\xbf\xbdy\"", "\"x\\ufffdy\""},
	    {"\xc3", "\"\xef\xbf\xbd\"", "\"\\ufffd\""},
	    {"\xe2\x82z", "\"\xef\xbf\xbdz\"", "\"\\ufffdz\""},
	    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
	     "\"\\ufffd\\ufffd\\ufffd\""},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&b);
		json_string(&b, sv_of(cases[i].in));
		assert_string_equal(buf_cstr(&b), cases[i].utf8);
		buf_reset(&b);
		json_string_ascii(&b, sv_of(cases[i].in));
		assert_string_equal(buf_cstr(&b), cases[i].ascii);
	}
	buf_done(&b);
}

/* One odd byte of every value at every place, alone and with a second one behind it. */
static void ordinary_text_ends_at_the_first_odd_byte(void **state)
{
	char text[24];

	(void)state;
	for (unsigned at = 0; at < sizeof(text); at++) {
		for (unsigned c = 0; c < 256; c++) {
			const bool odd = c < 0x20 || c >= 0x7f;
			const bool escaped = odd || c == '"' || c == '\\';

			memset(text, 'a' + (int)(at % 26), sizeof(text));
			text[at] = (char)c;
			assert_int_equal(plain_run(sv_make(text, sizeof(text))),
					 odd ? at : sizeof(text));
			assert_int_equal(plain_json_run(sv_make(text, sizeof(text))),
					 escaped ? at : sizeof(text));
			for (unsigned n = 0; n <= sizeof(text); n++)
				assert_int_equal(plain_run(sv_make(text, n)),
						 odd && at < n ? at : n);
			text[sizeof(text) - 1] = odd ? ' ' : '\x01';
			assert_int_equal(plain_run(sv_make(text, sizeof(text))),
					 odd && at < sizeof(text) - 1 ? at
					 : odd			      ? sizeof(text)
								      : sizeof(text) - 1);
		}
	}
	assert_int_equal(plain_run(SV_NONE), 0);
}

static void numbers_are_the_same_as_printf_writes(void **state)
{
	static const uint64_t around[] = {
	    0, 9, 10, 99, 100, 999, 1000, 4294967295u, 123456, 1000000, 10000000000, UINT64_MAX};
	struct buf b = {0};
	char want[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(around); i++) {
		for (unsigned width = 0; width < 24; width += 3) {
			buf_reset(&b);
			buf_u64(&b, around[i]);
			buf_char(&b, '/');
			buf_u64_padded(&b, around[i], width);
			buf_char(&b, '/');
			buf_hex(&b, around[i]);
			buf_char(&b, '/');
			buf_octal(&b, around[i]);
			snprintf(want, sizeof(want), "%llu/%0*llu/%llX/%llo",
				 (unsigned long long)around[i], (int)(width ? width : 1),
				 (unsigned long long)around[i], (unsigned long long)around[i],
				 (unsigned long long)around[i]);
			assert_string_equal(buf_cstr(&b), want);
		}
	}
	buf_done(&b);
}

static void numbers_are_written_in_full(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_i64(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	buf_char(&b, ' ');
	buf_u64_padded(&b, 42, 9);
	buf_addf(&b, " %s", "x");
	assert_string_equal(buf_cstr(&b), "-9223372036854775808 18446744073709551615 000000042 x");
	buf_done(&b);
}

static void errors_keep_code_offset_and_cause(void **state)
{
	struct error e = {0};

	(void)state;
	assert_int_equal(error_at(&e, ERR_FORMAT, 7, "at %d", 7), ERR_FORMAT);
	assert_int_equal(e.offset, 7);
	assert_string_equal(e.msg, "at 7");
	assert_int_equal(error_sys(&e, 2, "open '%s'", "x"), ERR_IO);
	assert_string_equal(e.msg, "open 'x': No such file or directory");
	assert_int_equal(error_sys(NULL, 12, "x"), ERR_NOMEM);
}

/* --- escape --- */

static void check_shell(const char *word, const char *expected)
{
	struct buf b = {0};

	escape_shell(&b, sv_of(word));
	assert_string_equal(buf_cstr(&b), expected);
	buf_done(&b);
}

static void test_words_for_a_shell(void **state)
{
	(void)state;
	check_shell("capture.scap.zst", "capture.scap.zst");
	check_shell("", "''");
	check_shell("a b", "'a b'");
	check_shell("it's", "'it'\\''s'");
	check_shell("$(id)`id`\n", "'$(id)`id`\n'");
	check_shell("\xff", "'\xff'");
	check_shell("~", "'~'");
}

/* A library that any machine has. */
static void a_library_is_loaded_by_name(void **state)
{
	struct {
		double (*before)(double), (*floor)(double);
	} table = {0};
	const struct library_symbol has[] = {{"floor", offsetof(__typeof__(table), floor)}};
	const struct library_symbol lacks[] = {{"floor", offsetof(__typeof__(table), floor)},
					       {"ceiling", 0}};
	struct error err;

	(void)state;
	assert_int_equal(library_load("libm.so.6", has, 1, &table, &err), 0);
	assert_null(table.before);
	assert_true(table.floor(2.5) == 2);
	assert_int_equal(library_load("libm.so.6", lacks, 2, &table, &err), ERR_UNSUPPORTED);
	assert_string_equal(err.msg, "libm.so.6 is too old: it lacks ceiling");
	assert_null(table.before);
	assert_int_equal(library_load("libnone.so.1", has, 1, &table, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "libnone.so.1: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_for_a_shell),
	    cmocka_unit_test(a_library_is_loaded_by_name),
	    cmocka_unit_test(a_map_agrees_with_an_array_under_random_puts_and_takes),
	    cmocka_unit_test(sorting_entries_keeps_the_order_of_equal_keys),
	    cmocka_unit_test(entries_come_in_the_order_of_their_keys),
	    cmocka_unit_test(a_text_map_agrees_with_an_array_under_random_puts_and_takes),
	    cmocka_unit_test(a_pool_hands_out_distinct_aligned_blocks_and_reuses_them),
	    cmocka_unit_test(an_arena_keeps_its_memory_over_a_reset),
	    cmocka_unit_test(a_cursor_never_reads_past_the_end),
	    cmocka_unit_test(json_text_is_escaped_and_repaired),
	    cmocka_unit_test(ordinary_text_ends_at_the_first_odd_byte),
	    cmocka_unit_test(numbers_are_the_same_as_printf_writes),
	    cmocka_unit_test(numbers_are_written_in_full),
	    cmocka_unit_test(errors_keep_code_offset_and_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
