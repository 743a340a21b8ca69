/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options: what each one's value is, by the table of flags, and calls that succeed. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defs.h"
#include "capture/tests/truth_net.h"

#define OPTIONS	       80 /* numbers tried: all that have a name are below */
#define LINE	       512
#define SO_RCVTIMEO_64 66
#define SO_SNDTIMEO_64 67

enum kind { KIND_BYTES, KIND_ERRNO, KIND_U32, KIND_U64, KIND_TIME }; /* the selectors */
enum { TCP = 100, UDP };

struct option {
	int value; /* in the format */
	enum kind kind;
};

/* --- every option --- */

static const char mapping[] = SOURCE_DIR "/capture/schema/flag-mappings.tsv";

/* Those whose value is an int. */
static const uint8_t ints[] = {1,  2,  3,  5,  6,  7,  8,  9,  10, 11, 12, 14, 15, 16,
			       18, 19, 22, 23, 24, 25, 27, 29, 30, 31, 32, 33, 34, 35,
			       36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49};

/* The options by number, as the table has them. */
static void read_options(struct option options[OPTIONS])
{
	FILE *f = fopen(mapping, "r");
	char line[LINE], family[64], symbol[64], ppm[64], match[16];
	unsigned named = 0;
	int number, value;

	assert_non_null(f);
	memset(options, 0, OPTIONS * sizeof(*options));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %63s %d %63s %d %15s", family, symbol, &number, ppm, &value,
			   match) != 6 ||
		    strcmp(family, "sockopt_optname") != 0 || strcmp(match, "equals") != 0)
			continue;
		assert_in_range(number, 0, OPTIONS - 1);
		options[number].value = value;
		named++;
	}
	fclose(f);
	assert_true(named > 50);
	for (size_t i = 0; i < sizeof(ints); i++)
		options[ints[i]].kind = KIND_U32;
	options[SO_ERROR].kind = KIND_ERRNO;
	options[SO_COOKIE].kind = KIND_U64;
	options[SO_RCVTIMEO].kind = options[SO_SNDTIMEO].kind = KIND_TIME;
	options[SO_RCVTIMEO_64].kind = options[SO_SNDTIMEO_64].kind = KIND_TIME;
}

static const struct {
	int64_t a, b;
} words = {0x0102030405060708, 0x1112131415161718};
static const uint32_t words_len = sizeof(words);

static void try_all(void *shared)
{
	(void)shared;
	for (long name = 0; name < OPTIONS; name++) {
		live_call(SYS_setsockopt, -1, SOL_SOCKET, name, &words, sizeof(words));
		live_call(SYS_getsockopt, -1, SOL_SOCKET, name, &words, &words_len);
	}
}

static void compare_value(struct live_event *e, const struct option *o)
{
	uint8_t bytes[1 + sizeof(words)] = {KIND_BYTES};

	switch (o->kind) {
	case KIND_ERRNO:
		expect_dyn(e, "val", KIND_ERRNO, -0x05060708, 8);
		break;
	case KIND_U32:
		expect_dyn(e, "val", KIND_U32, 0x05060708, 4);
		break;
	case KIND_U64:
		expect_dyn(e, "val", KIND_U64, words.a, 8);
		break;
	case KIND_TIME:
		expect_dyn(e, "val", KIND_TIME,
			   (uint64_t)words.a * 1000000000u + (uint64_t)words.b * 1000, 8);
		break;
	case KIND_BYTES:
		memcpy(bytes + 1, &words, sizeof(words));
		expect_bytes(e, "val", bytes, sizeof(bytes));
		break;
	}
}

static void each_option_has_a_value_of_its_kind(void **state)
{
	struct option options[OPTIONS];
	struct live *l = *state;

	read_options(options);
	live_run(l, "setsockopt,getsockopt", try_all);
	for (int i = 0; i < 2 * OPTIONS; i++) {
		struct live_event *e = expect_event(l, i % 2 ? EV_GETSOCKOPT_X : EV_SETSOCKOPT_X);

		expect_i64(e, "res", -EBADF);
		expect_i64(e, "fd", -1);
		expect_i64(e, "level", 1);
		expect_i64(e, "optname", options[i / 2].value);
		compare_value(e, &options[i / 2]);
		expect_i64(e, "optlen", sizeof(words));
	}
	expect_end(l);
}

/* --- calls that succeed, other levels, what is not there --- */

static const struct sockaddr_in nobody = SOCKADDR_IN(INADDR_LOOPBACK, 9);
static const struct timeval patience = {3, 500000};
static const int one = 1;
static const struct linger linger = {1, 9};
static char value[8];
static socklen_t int_len = sizeof(int), error_len = sizeof(int), tcp_len = sizeof(int);

static void open_sockets(void)
{
	net_enter();
	net_socket(TCP, AF_INET, SOCK_STREAM, NULL, 0, NULL, 0);
	net_socket(UDP, AF_INET, SOCK_DGRAM, NULL, 0, NULL, 0);
	LIVE_NEED(!connect(UDP, (const void *)&nobody, sizeof(nobody)));
	LIVE_NEED(send(UDP, "x", 1, 0) == 1); /* refused: the socket has an error now */
}

#define SET(fd_, level_, name, p, n, result, level_value, name_value, value)                       \
	{                                                                                          \
		EV_SETSOCKOPT_X, SYS_setsockopt, {fd_, level_, name, P(p), (long)(n)}, result,     \
		{                                                                                  \
			RET("res"), INT("fd", fd_), INT("level", level_value),                     \
			    INT("optname", name_value), value, INT("optlen", (n)&0xffff)           \
		}                                                                                  \
	}
#define GET(fd_, level_, name, len, result, level_value, name_value, value_, n)                    \
	{                                                                                          \
		EV_GETSOCKOPT_X, SYS_getsockopt, {fd_, level_, name, P(value), P(len)}, result,    \
		{                                                                                  \
			RET("res"), INT("fd", fd_), INT("level", level_value),                     \
			    INT("optname", name_value), value_, INT("optlen", n)                   \
		}                                                                                  \
	}

static void options_of_real_sockets(void **state)
{
	const struct truth_call calls[] = {
	    SET(TCP, SOL_SOCKET, SO_REUSEADDR, &one, 4, 0, 1, 2, DYN("val", KIND_U32, 1, 4)),
	    SET(TCP, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience), 0, 1, 20,
		DYN("val", KIND_TIME, 3500000000, 8)),
	    SET(TCP, SOL_SOCKET, SO_SNDTIMEO_64, &patience, sizeof(patience), 0, 1, 21,
		DYN("val", KIND_TIME, 3500000000, 8)),
	    SET(TCP, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger), 0, 1, 13,
		LITERAL("val", "\0\1\0\0\0\x09\0\0\0")),
	    SET(TCP, IPPROTO_TCP, TCP_NODELAY, &one, 4, 0, 2, 0, LITERAL("val", "\0\1\0\0\0")),
	    SET(TCP, IPPROTO_IP, IP_TTL, &one, 4, 0, 0, 0, LITERAL("val", "\0\1\0\0\0")),
	    SET(TCP, SOL_SOCKET, SO_REUSEADDR, 8, 4, -EFAULT, 1, 2, LITERAL("val", "\0")),
	    SET(TCP, SOL_SOCKET, SO_LINGER, 8, 8, -EFAULT, 1, 13, LITERAL("val", "\0")),
	    SET(-1, IPPROTO_TCP, 200, &linger, 0, -EBADF, 2, 0, LITERAL("val", "\0")),
	    SET(-1, 77, 200, &linger, 0x10008, -EBADF, 0, 0,
		LITERAL("val", "\0\1\0\0\0\x09\0\0\0")),
	    GET(UDP, SOL_SOCKET, SO_TYPE, &int_len, 0, 1, 3, DYN("val", KIND_U32, SOCK_DGRAM, 4),
		4),
	    GET(UDP, SOL_SOCKET, SO_ERROR, &error_len, 0, 1, 4,
		DYN("val", KIND_ERRNO, -ECONNREFUSED, 8), 4),
	    GET(TCP, IPPROTO_TCP, TCP_NODELAY, &tcp_len, 0, 2, 0, LITERAL("val", "\0\1\0\0\0"), 4),
	    GET(TCP, IPPROTO_TCP, TCP_NODELAY, 8, -EFAULT, 2, 0, LITERAL("val", "\0"), 0),
	};

	truth_calls(*state, open_sockets, CALLS(calls), NULL);
}

LIVE_MAIN("truth_options", "setsockopt,getsockopt",
	  cmocka_unit_test(each_option_has_a_value_of_its_kind),
	  cmocka_unit_test(options_of_real_sockets))
