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

/* The @n (1 to 7) bytes at @p, then blanks. */
static inline uint64_t plain_load_few(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	const uint64_t blanks = PLAIN_ALL(' ') << 8 * n;
	uint32_t first, last;

	if (n < 4)
		return blanks | u[0] | (uint64_t)u[n / 2] << n / 2 * 8 |
		       (uint64_t)u[n - 1] << (n - 1) * 8;
	memcpy(&first, p, 4); /* two halves that overlap */
	memcpy(&last, p + n - 4, 4);
	return blanks | first | (uint64_t)last << 8 * (n - 4);
}

/* The top bit of each byte of @x at which to stop; exact for the lowest. */
static inline uint64_t plain_stops(uint64_t x, bool json)
{
	uint64_t odd = plain_odd_bytes(x);

	return json ? odd | plain_bytes_equal(x, '"') | plain_bytes_equal(x, '\\') : odd;
}

typedef unsigned char plain_block __attribute__((vector_size(16)));

/* Nothing to stop at in the 16 bytes at @p? */
static inline bool plain_block_passes(const char *p, bool json)
{
	plain_block x, stops;
	uint64_t halves[2];

	memcpy(&x, p, sizeof(x));
	stops = (plain_block)(x - ' ' > '~' - ' ');
	if (json)
		stops |= (plain_block)(x == '"') | (plain_block)(x == '\\');
	memcpy(halves, &stops, sizeof(halves));
	return (halves[0] | halves[1]) == 0;
}

/* For the functions below. @json: stop at what JSON escapes in a string, too. */
static inline size_t plain_scan(struct sv s, bool json)
{
	uint64_t x, stops;
	size_t i = 0;

	while (s.n - i >= sizeof(plain_block) && plain_block_passes(s.p + i, json))
		i += sizeof(plain_block);
	for (; s.n - i >= 8; i += 8) {
		memcpy(&x, s.p + i, 8);
		stops = plain_stops(x, json);
		if (stops)
			return i + (size_t)__builtin_ctzll(stops) / 8;
	}
	if (i == s.n)
		return i;
	stops = plain_stops(plain_load_few(s.p + i, s.n - i), json);
	return stops ? i + (size_t)__builtin_ctzll(stops) / 8 : s.n;
}

/* How many bytes at the start of @s are printable ASCII. */
static inline size_t plain_run(struct sv s)
{
	return plain_scan(s, false);
}

/* The same, up to the first quotation mark or backslash. */
static inline size_t plain_json_run(struct sv s)
{
	return plain_scan(s, true);
}

#endif
