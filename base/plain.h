/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the end of ordinary text, eight bytes at a time: what comes from captures is nearly
 * always printable ASCII, and whoever escapes the rest wants to copy that in one go.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include <stdint.h>

#include "base/sv.h"

#define PLAIN_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))
#define PLAIN_TOPS	PLAIN_ALL(0x80)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lowest byte is the first one");

/*
 * The top bit of each byte of @x that is no printable ASCII. Exact for the lowest such byte; a
 * borrow or carry may set it for bytes above.
 */
static inline uint64_t plain_odd_bytes(uint64_t x)
{
	return (x | (x + PLAIN_ALL(1)) | (x - PLAIN_ALL(0x20))) & PLAIN_TOPS;
}

static inline uint64_t plain_bytes_equal(uint64_t x, unsigned char c)
{
	x ^= PLAIN_ALL(c);
	return (x - PLAIN_ALL(1)) & ~x & PLAIN_TOPS;
}

/* How many bytes at the start of @s are printable ASCII, and none of @a and @b. */
static inline size_t plain_run_without(struct sv s, char a, char b)
{
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		uint64_t x, odd;

		memcpy(&x, s.p + i, 8);
		odd = plain_odd_bytes(x) | plain_bytes_equal(x, (unsigned char)a) |
		      plain_bytes_equal(x, (unsigned char)b);
		if (odd)
			return i + (size_t)__builtin_ctzll(odd) / 8;
	}
	while (i < s.n && s.p[i] >= 0x20 && s.p[i] < 0x7f && s.p[i] != a && s.p[i] != b)
		i++;
	return i;
}

/* How many bytes at the start of @s are printable ASCII. */
static inline size_t plain_run(struct sv s)
{
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		uint64_t x, odd;

		memcpy(&x, s.p + i, 8);
		odd = plain_odd_bytes(x);
		if (odd)
			return i + (size_t)__builtin_ctzll(odd) / 8;
	}
	while (i < s.n && s.p[i] >= 0x20 && s.p[i] < 0x7f)
		i++;
	return i;
}

#endif
