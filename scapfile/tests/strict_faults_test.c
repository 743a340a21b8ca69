/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A good capture with one fault at a time: each is another field or another kind of damage, and
 * the strict check must find each of them by the rule it breaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "scapfile/strict.h"
#include "scapfile/tests/good_capture.h"
#include "scapfile/tests/strict_expect.h"

/* ---- numbers in the wrong ---- */

struct fault {
	const char *name;
	enum good_block block;
	int at;		/* offset in the block; negative: from its end */
	unsigned width; /* bytes */
	uint64_t value;
	enum sf_strict_rule rule;
};

#define SECOND_THREAD (8 + 232)

static const struct fault faults[] = {
    /* clang-format off */
	{ "section: other byte order", GOOD_SECTION, 8, 4, 0x4d3c2b1a, SF_STRICT_SECTION },
	{ "section: no magic", GOOD_SECTION, 8, 4, 0, SF_STRICT_SECTION },
	{ "section: newer major version", GOOD_SECTION, 12, 2, 2, SF_STRICT_SECTION },
	{ "section: newer minor version", GOOD_SECTION, 14, 2, 3, SF_STRICT_SECTION },
	{ "section: a length", GOOD_SECTION, 16, 8, 28, SF_STRICT_SECTION },
	{ "section: shorter than its header", GOOD_SECTION, 4, 4, 24, SF_STRICT_BLOCK_LENGTH },
	{ "section: trailer", GOOD_SECTION, -4, 4, 32, SF_STRICT_BLOCK_TRAILER },
	{ "list: trailer", GOOD_THREADS, -4, 4, 0, SF_STRICT_BLOCK_TRAILER },
	{ "event: trailer", GOOD_LSEEK, -4, 4, 1, SF_STRICT_BLOCK_TRAILER },
	{ "block: length below 12", GOOD_USERS, 4, 4, 11, SF_STRICT_BLOCK_LENGTH },
	{ "block: length over 1 GiB", GOOD_USERS, 4, 4, 0x50000000, SF_STRICT_BLOCK_LENGTH },
	{ "block: length beyond the file", GOOD_LAST, 4, 4, 60, SF_STRICT_TRUNCATED },
	{ "block: unknown type", GOOD_NO_FDS, 0, 4, 0x299, SF_STRICT_BLOCK_TYPE },
	{ "block: pcapng's interface type", GOOD_NO_FDS, 0, 4, 1, SF_STRICT_BLOCK_TYPE },
	{ "list: padding not zero", GOOD_INTERFACES, -5, 1, 1, SF_STRICT_BLOCK_PADDING },
	{ "event: padding not zero", GOOD_LSEEK, -5, 1, 1, SF_STRICT_BLOCK_PADDING },
	{ "machine: no CPUs", GOOD_MACHINE, 8, 4, 0, SF_STRICT_MACHINE },
	{ "machine: too many CPUs", GOOD_MACHINE, 8, 4, 1u << 20, SF_STRICT_MACHINE },
	{ "machine: no memory", GOOD_MACHINE, 12, 8, 0, SF_STRICT_MACHINE },
	{ "machine: largest pid", GOOD_MACHINE, 20, 8, 1u << 31, SF_STRICT_MACHINE },
	{ "machine: no host name", GOOD_MACHINE, 28, 3, 0, SF_STRICT_MACHINE },
	{ "machine: bytes behind the host name", GOOD_MACHINE, 100, 1, 'x', SF_STRICT_MACHINE },
	{ "machine: booted after the events", GOOD_MACHINE, 156, 8, GOOD_TS + 1000000000, SF_STRICT_EVENT_TIME },
	{ "machine: flags", GOOD_MACHINE, 164, 8, 1, SF_STRICT_MACHINE },
	{ "machine: reserved bytes", GOOD_MACHINE, 186, 1, 1, SF_STRICT_MACHINE },
	{ "interface: longer than the list", GOOD_INTERFACES, 38, 4, 500, SF_STRICT_ENTRY_LENGTH },
	{ "interface: counts its own length", GOOD_INTERFACES, 8, 4, 30, SF_STRICT_ENTRY_LENGTH },
	{ "interface: type", GOOD_INTERFACES, 12, 2, 5, SF_STRICT_INTERFACE },
	{ "interface: no name", GOOD_INTERFACES, 14, 2, 0, SF_STRICT_INTERFACE },
	{ "interface: NUL in the name", GOOD_INTERFACES, 37, 1, 0, SF_STRICT_TEXT },
	{ "interface: netmask", GOOD_INTERFACES, 21, 1, 0xfd, SF_STRICT_INTERFACE },
	{ "interface: IPv6 netmask", GOOD_INTERFACES, 70, 1, 1, SF_STRICT_INTERFACE },
	{ "user: kind", GOOD_USERS, 47, 1, 2, SF_STRICT_USER },
	{ "user: entry too short", GOOD_USERS, 8, 4, 20, SF_STRICT_ENTRY_LENGTH },
	{ "user: entry of 3 bytes", GOOD_USERS, 8, 4, 3, SF_STRICT_ENTRY_LENGTH },
	{ "user: NUL in the home", GOOD_USERS, 30, 1, 0, SF_STRICT_TEXT },
	{ "group: no name", GOOD_USERS, 52, 2, 0, SF_STRICT_USER },
	{ "thread: entry too long", GOOD_THREADS, 8, 4, 233, SF_STRICT_ENTRY_LENGTH },
	{ "thread: tid 0", GOOD_THREADS, 12, 8, 0, SF_STRICT_THREAD },
	{ "thread: tid of 40 bits", GOOD_THREADS, 12, 8, 1ull << 40, SF_STRICT_THREAD },
	{ "thread: negative pid", GOOD_THREADS, 20, 8, (uint64_t)-1, SF_STRICT_THREAD },
	{ "thread: parent", GOOD_THREADS, 28, 8, 4194305, SF_STRICT_THREAD },
	{ "thread: parent of another host", GOOD_THREADS, 28, 8, 14500000, SF_STRICT_THREAD },
	{ "thread: session", GOOD_THREADS, 36, 8, (uint64_t)-2, SF_STRICT_THREAD },
	{ "thread: comm with NUL", GOOD_THREADS, 54, 1, 0, SF_STRICT_TEXT },
	{ "thread: exepath is relative", GOOD_THREADS, 62, 1, 'x', SF_STRICT_THREAD },
	{ "thread: args without NUL", GOOD_THREADS, 75, 1, 'x', SF_STRICT_TEXT },
	{ "thread: cwd is relative", GOOD_THREADS, 78, 1, 'x', SF_STRICT_THREAD },
	{ "thread: limit of descriptors", GOOD_THREADS, 83, 8, (uint64_t)-2, SF_STRICT_THREAD },
	{ "thread: unknown flags", GOOD_THREADS, 91, 4, 1u << 31, SF_STRICT_THREAD },
	{ "thread: no leader, no flag for it", GOOD_THREADS, SECOND_THREAD + 83, 4, 1, SF_STRICT_THREAD },
	{ "thread: leader is not listed", GOOD_THREADS, SECOND_THREAD + 12, 8, 77, SF_STRICT_THREAD },
	{ "thread: listed twice", GOOD_THREADS, SECOND_THREAD + 4, 8, 7, SF_STRICT_THREAD },
	{ "thread: env without NUL", GOOD_THREADS, 136, 1, 'x', SF_STRICT_TEXT },
	{ "thread: vtid", GOOD_THREADS, 137, 8, (uint64_t)-5, SF_STRICT_THREAD },
	{ "thread: cgroup without a subsystem", GOOD_THREADS, 158, 1, '-', SF_STRICT_THREAD },
	{ "thread: root is relative", GOOD_THREADS, 163, 1, '.', SF_STRICT_THREAD },
	{ "thread: pid namespace in seconds", GOOD_THREADS, 164, 8, 1700000000, SF_STRICT_THREAD },
	{ "thread: a bool of 2", GOOD_THREADS, 180, 1, 2, SF_STRICT_THREAD },
	{ "thread: unknown capability", GOOD_THREADS, 181, 8, 1ull << 60, SF_STRICT_THREAD },
	{ "thread: effective over permitted", GOOD_THREADS, 197, 8, 4, SF_STRICT_THREAD },
	{ "thread: memfd of 255", GOOD_THREADS, 230, 1, 255, SF_STRICT_THREAD },
	{ "thread: pgid", GOOD_THREADS, 232, 8, 1ull << 50, SF_STRICT_THREAD },
	{ "fds: of a thread not listed", GOOD_FDS, 8, 8, 10, SF_STRICT_FD_TABLE },
	{ "fd: negative", GOOD_FDS, 20, 8, (uint64_t)-1, SF_STRICT_FD },
	{ "fd: listed twice", GOOD_FDS, 55, 8, 0, SF_STRICT_FD },
	{ "fd: unknown type", GOOD_FDS, 232, 1, 22, SF_STRICT_FD },
	{ "fd: open flags", GOOD_FDS, 37, 4, 0x80000000, SF_STRICT_FD },
	{ "fd: protocol by its internet number", GOOD_FDS, 84, 1, 17, SF_STRICT_FD },
	{ "fd: name over its entry", GOOD_FDS, 208, 2, 3, SF_STRICT_ENTRY_LENGTH },
	{ "fd: name shorter than its entry", GOOD_FDS, 233, 2, 7, SF_STRICT_ENTRY_LENGTH },
	{ "fd: NUL in the path", GOOD_FDS, 45, 1, 0, SF_STRICT_TEXT },
	{ "event: no such cpu", GOOD_OPENAT, 8, 2, 4, SF_STRICT_EVENT_ORIGIN },
	{ "event: no such flag", GOOD_STAT, 10, 4, 3, SF_STRICT_EVENT_BLOCK },
	{ "event: a block with flags without any", GOOD_STAT, 10, 4, 0, SF_STRICT_EVENT_BLOCK },
	{ "event: time goes back", GOOD_LSEEK, 10, 8, GOOD_TS - 2000000000, SF_STRICT_EVENT_TIME },
	{ "event: no time", GOOD_LSEEK, 10, 8, UINT64_MAX, SF_STRICT_EVENT_TIME },
	{ "event: tid", GOOD_LSEEK, 18, 8, 1ull << 33, SF_STRICT_EVENT_ORIGIN },
	{ "event: shorter than its header", GOOD_LSEEK, 26, 4, 25, SF_STRICT_EVENT_LENGTH },
	{ "event: longer than its block", GOOD_LSEEK, 26, 4, 100, SF_STRICT_EVENT_LENGTH },
	{ "event: shorter than its parameters", GOOD_LSEEK, 26, 4, 60, SF_STRICT_EVENT_LENGTH },
	{ "event: unknown type", GOOD_LSEEK, 30, 2, 500, SF_STRICT_EVENT_TYPE },
	{ "event: unknown type of our own", GOOD_LSEEK, 30, 2, 60001, SF_STRICT_EVENT_TYPE },
	{ "event: type that is never captured", GOOD_SIGNAL, 30, 2, EV_SIGNALDELIVER_X, SF_STRICT_EVENT_TYPE },
	{ "event: another type", GOOD_LSEEK, 30, 2, EV_STAT_X, SF_STRICT_EVENT_PARAMS },
	{ "event: too few parameters", GOOD_LSEEK, 32, 4, 3, SF_STRICT_EVENT_PARAMS },
	{ "event: parameters of 4 G", GOOD_LSEEK, 32, 4, 0xffffffff, SF_STRICT_EVENT_PARAMS },
	{ "event: small type in a large block", GOOD_LSEEK, 0, 4, CB_EV_V2_LARGE, SF_STRICT_EVENT_BLOCK },
	{ "event: wide type in a small block", GOOD_PLUGIN, 0, 4, CB_EV_V2, SF_STRICT_EVENT_BLOCK },
	{ "event: old header that fits no number", GOOD_OLD, 32, 2, 7, SF_STRICT_EVENT_PARAMS },
	{ "parameter: longer than the event", GOOD_OPENAT, 40, 2, 500, SF_STRICT_EVENT_LENGTH },
	{ "parameter: wide length", GOOD_PLUGIN, 40, 4, 0x10004, SF_STRICT_EVENT_LENGTH },
	{ "parameter: number of 7 bytes", GOOD_LSEEK, 36, 2, 7, SF_STRICT_PARAM_LENGTH },
	{ "parameter: text without NUL", GOOD_OPENAT, 72, 1, 'x', SF_STRICT_PARAM_TEXT },
	{ "parameter: text with a NUL inside", GOOD_OPENAT, 70, 1, 0, SF_STRICT_PARAM_TEXT },
	{ "parameter: open flags", GOOD_OPENAT, 73, 4, 0x80000000, SF_STRICT_PARAM_VALUE },
	{ "parameter: descriptor of 64 bits", GOOD_OPENAT, 50, 8, 1ull << 40, SF_STRICT_PARAM_VALUE },
	{ "parameter: new descriptor without its sign", GOOD_OPENAT, 50, 8, UINT32_MAX, SF_STRICT_PARAM_VALUE },
	{ "parameter: polled descriptor without its sign", GOOD_POLL, 52, 8, UINT32_MAX, SF_STRICT_PARAM_VALUE },
	{ "parameter: result below all errors", GOOD_LSEEK, 44, 8, (uint64_t)-5000, SF_STRICT_PARAM_VALUE },
	{ "parameter: IPv4 tuple as IPv6", GOOD_CONNECT, 52, 1, 10, SF_STRICT_PARAM_LENGTH },
	{ "parameter: unknown family", GOOD_CONNECT, 73, 1, 200, SF_STRICT_PARAM_VALUE },
	{ "parameter: IPv6 address as IPv4", GOOD_BIND, 50, 1, 2, SF_STRICT_PARAM_LENGTH },
	{ "parameter: unix path without NUL", GOOD_UNIX, 71, 1, 'x', SF_STRICT_PARAM_TEXT },
	{ "parameter: unix address without a path", GOOD_UNIX, 81, 1, 0, SF_STRICT_PARAM_TEXT },
	{ "parameter: count of polled descriptors", GOOD_POLL, 50, 2, 2, SF_STRICT_PARAM_LENGTH },
	{ "parameter: poll flags", GOOD_POLL, 60, 2, 0x8000, SF_STRICT_PARAM_VALUE },
	{ "parameter: dynamic kind", GOOD_SETSOCKOPT, 66, 1, 5, SF_STRICT_PARAM_VALUE },
	{ "parameter: dynamic length", GOOD_SETSOCKOPT, 66, 1, 3, SF_STRICT_PARAM_LENGTH },
	{ "parameter: enumeration", GOOD_SETSOCKOPT, 64, 1, 99, SF_STRICT_PARAM_VALUE },
	{ "parameter: system call", GOOD_GENERIC, 40, 2, 9999, SF_STRICT_PARAM_VALUE },
	{ "parameter: system call with its own event", GOOD_GENERIC, 40, 2, 3, SF_STRICT_PARAM_VALUE },
	{ "parameter: signal", GOOD_SIGNAL, 58, 1, 65, SF_STRICT_PARAM_VALUE },
	{ "parameter: pid of 64 bits", GOOD_SIGNAL, 42, 8, 1ull << 32, SF_STRICT_PARAM_VALUE },
	{ "parameter: mode", GOOD_CHMOD, 58, 4, 0x10000, SF_STRICT_PARAM_VALUE },
	{ "parameter: list of strings", GOOD_EXECVE, 116, 1, 'x', SF_STRICT_PARAM_TEXT },
	{ "ring: number of parameters", GOOD_URING, 32, 4, 15, SF_STRICT_EVENT_PARAMS },
	{ "ring: width of the operation", GOOD_URING, 38, 2, 2, SF_STRICT_PARAM_LENGTH },
	{ "ring: width of the place in its table", GOOD_URING, 68, 2, 2, SF_STRICT_PARAM_LENGTH },
	{ "ring: result", GOOD_URING, 76, 8, (uint64_t)-5000, SF_STRICT_PARAM_VALUE },
	{ "ring: descriptor", GOOD_URING, 85, 8, UINT32_MAX, SF_STRICT_PARAM_VALUE },
	{ "ring: name without NUL", GOOD_URING, 154, 1, 'x', SF_STRICT_PARAM_TEXT },
	{ "ring: address", GOOD_URING, 155, 1, 10, SF_STRICT_PARAM_LENGTH },
	{ "hash: number of parameters", GOOD_HASH, 32, 4, 8, SF_STRICT_EVENT_PARAMS },
	{ "hash: digest without being done", GOOD_HASH, 54, 1, 1, SF_STRICT_PARAM_LENGTH },
	{ "hash: status", GOOD_HASH, 54, 1, 9, SF_STRICT_PARAM_VALUE },
	{ "hash: path without NUL", GOOD_HASH, 132, 1, 'x', SF_STRICT_PARAM_TEXT },
	{ "loss: of no events", GOOD_SHORT_LOSS, 38, 8, 0, SF_STRICT_LOSS },
	{ "loss: of a thread", GOOD_SHORT_LOSS, 18, 8, 7, SF_STRICT_LOSS },
	{ "loss: in a large block", GOOD_LOSS, 0, 4, CB_EV_V2_LARGE, SF_STRICT_LOSS },
	{ "loss: number of parameters", GOOD_LOSS, 32, 4, 4, SF_STRICT_LOSS },
	{ "loss: width of the count", GOOD_LOSS, 36, 2, 4, SF_STRICT_LOSS },
	{ "loss: half a kind", GOOD_LOSS, 44, 2, 15, SF_STRICT_LOSS },
	{ "loss: longer than its parameters", GOOD_LOSS, 44, 2, 10, SF_STRICT_EVENT_LENGTH },
	{ "loss: ends before it begins", GOOD_LOSS, 54, 8, UINT64_MAX - 1, SF_STRICT_LOSS },
	{ "loss: does not end at its time", GOOD_LOSS, 62, 8, GOOD_TS + 1, SF_STRICT_LOSS },
	{ "loss: unknown reason", GOOD_LOSS, 70, 2, EV_LOSS_REASONS, SF_STRICT_LOSS },
	{ "loss: kind that is no type", GOOD_LOSS, 72, 2, 5000, SF_STRICT_LOSS },
	{ "loss: kind that is named twice", GOOD_LOSS, 82, 2, 6, SF_STRICT_LOSS },
	{ "loss: kind without a number", GOOD_LOSS, 74, 8, 0, SF_STRICT_LOSS },
	{ "loss: kinds over the count", GOOD_LOSS, 84, 8, 2, SF_STRICT_LOSS },
    /* clang-format on */
};

static void each_wrong_number_is_found(void **state)
{
	struct good_capture g = {0};

	(void)state;
	good_capture_make(&g);
	expect_clean(&g.c.out, "the good capture");
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		const struct fault *f = &faults[i];
		size_t at =
		    f->at < 0 ? g.at[f->block + 1] + (size_t)f->at : g.at[f->block] + (size_t)f->at;
		uint8_t before[8];

		memcpy(before, g.c.out.p + at, f->width);
		for (unsigned k = 0; k < f->width; k++)
			g.c.out.p[at + k] = (char)(f->value >> (8 * k));
		if (memcmp(before, g.c.out.p + at, f->width) == 0)
			fail_msg("'%s' changes nothing", f->name);
		expect_found(&g.c.out, f->rule, f->name);
		memcpy(g.c.out.p + at, before, f->width);
	}
	expect_clean(&g.c.out, "the good capture again");
	cb_done(&g.c);
}

/* Offsets in a block as in the faults; what old events become when they are made current. */
static void events_made_of_old_ones_are_fine(void **state)
{
	static const struct fault rows[] = {
	    {"directory without its sign", GOOD_OPENAT, 58, 8, UINT32_MAX, 0},
	    {"a call whose event is newer, with its number", GOOD_GENERIC, 40, 4, 10 << 16 | 75, 0},
	};
	struct good_capture g = {0};

	(void)state;
	good_capture_make(&g);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *p = g.c.out.p + g.at[rows[i].block] + rows[i].at;
		char before[8];

		memcpy(before, p, sizeof(before));
		for (unsigned k = 0; k < rows[i].width; k++)
			p[k] = (char)(rows[i].value >> (8 * k));
		expect_clean(&g.c.out, rows[i].name);
		memcpy(p, before, sizeof(before));
	}
	expect_clean(&g.c.out, "the good capture again");
	cb_done(&g.c);
}

static void no_two_faults_are_the_same(void **state)
{
	(void)state;
	assert_in_range(COUNT_OF(faults), 100, 1000);
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(faults[i].name, faults[k].name);
			assert_false(faults[i].block == faults[k].block &&
				     faults[i].at == faults[k].at &&
				     faults[i].value == faults[k].value);
		}
}

/* ---- blocks in the wrong place ---- */

/* @out: the blocks of @g named in @order, which ends with GOOD_BLOCKS. */
static void arrange(struct buf *out, const struct good_capture *g, const uint8_t *order)
{
	buf_reset(out);
	for (; *order != GOOD_BLOCKS; order++)
		buf_add(out, g->c.out.p + g->at[*order], g->at[*order + 1] - g->at[*order]);
}

static void the_order_of_blocks_is_judged(void **state)
{
	static const struct {
		const char *name;
		uint8_t order[8];
		enum sf_strict_rule rule;
	} rows[] = {
	    {"no section header", {GOOD_MACHINE, GOOD_LAST, GOOD_BLOCKS}, SF_STRICT_BLOCK_ORDER},
	    {"no event at all", {GOOD_SECTION, GOOD_MACHINE, GOOD_BLOCKS}, SF_STRICT_NO_EVENTS},
	    {"no event in the first section",
	     {GOOD_SECTION, GOOD_SECTION, GOOD_LAST, GOOD_BLOCKS},
	     SF_STRICT_NO_EVENTS},
	    {"a machine behind an event",
	     {GOOD_SECTION, GOOD_LAST, GOOD_MACHINE, GOOD_LAST, GOOD_BLOCKS},
	     SF_STRICT_BLOCK_ORDER},
	    {"descriptors before their thread",
	     {GOOD_SECTION, GOOD_FDS, GOOD_THREADS, GOOD_LAST, GOOD_BLOCKS},
	     SF_STRICT_FD_TABLE},
	    {"threads twice",
	     {GOOD_SECTION, GOOD_THREADS, GOOD_THREADS, GOOD_LAST, GOOD_BLOCKS},
	     SF_STRICT_THREAD},
	    {"threads of the section before",
	     {GOOD_SECTION, GOOD_THREADS, GOOD_LAST, GOOD_SECTION, GOOD_FDS, GOOD_LAST,
	      GOOD_BLOCKS},
	     SF_STRICT_FD_TABLE},
	};
	static const uint8_t fine[] = {GOOD_SECTION, GOOD_LAST, GOOD_LAST,  GOOD_SECTION,
				       GOOD_MACHINE, GOOD_STAT, GOOD_BLOCKS};
	struct good_capture g = {0};
	struct buf out = {0};

	(void)state;
	good_capture_make(&g);
	arrange(&out, &g, fine);
	expect_clean(&out, "two sections");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		arrange(&out, &g, rows[i].order);
		expect_found(&out, rows[i].rule, rows[i].name);
	}
	buf_done(&out);
	cb_done(&g.c);
}

/* @out: the good capture with @n bytes of @what in front of the trailer of @block. */
static void lengthen(struct buf *out, const struct good_capture *g, enum good_block block,
		     const void *what, size_t n)
{
	size_t end = g->at[block + 1] - 4;
	uint32_t total = (uint32_t)(end + 4 - g->at[block] + n);

	buf_reset(out);
	buf_add(out, g->c.out.p, end);
	buf_add(out, what, n);
	for (unsigned i = 0; i < 4; i++) {
		out->p[g->at[block] + 4 + i] = (char)(total >> (8 * i));
		buf_char(out, (char)(total >> (8 * i)));
	}
	buf_add(out, g->c.out.p + end + 4, g->c.out.len - end - 4);
}

static void blocks_hold_nothing_but_contents_padding_and_options(void **state)
{
	static const char comment[] = "\1\0\5\0hello\0\0\0\0\0\0\0";
	static const enum good_block blocks[] = {GOOD_SECTION, GOOD_STAT, GOOD_LSEEK, GOOD_OLD};
	struct good_capture g = {0};
	struct buf out = {0};

	(void)state;
	good_capture_make(&g);
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		lengthen(&out, &g, blocks[i], comment, 16);
		expect_clean(&out, "a comment");
		lengthen(&out, &g, blocks[i], "\0\0\0\0", 4);
		expect_found(&out, SF_STRICT_BLOCK_PADDING, "4 zero bytes");
		lengthen(&out, &g, blocks[i], "\1\0\50\0hell", 8);
		expect_found(&out, SF_STRICT_BLOCK_PADDING, "an option over its block");
		lengthen(&out, &g, blocks[i], comment, 13);
		expect_found(&out, SF_STRICT_BLOCK_LENGTH, "a length that is no multiple of 4");
	}
	lengthen(&out, &g, GOOD_MACHINE, "\0\0\0\0", 4);
	expect_found(&out, SF_STRICT_MACHINE, "a machine of 184 bytes");
	lengthen(&out, &g, GOOD_THREADS, "\0\0\0\0", 4);
	expect_found(&out, SF_STRICT_ENTRY_LENGTH, "a thread of 0 bytes");
	buf_done(&out);
	cb_done(&g.c);
}

/* A capture of one STAT_X with a path of @n bytes. Return: how often @rule is broken. */
static uint64_t broken_by_path(uint32_t block, size_t n, enum sf_strict_rule rule)
{
	struct capture c = {0};
	struct sf_strict_report r;
	char *path = malloc(n);
	uint64_t count;

	assert_non_null(path);
	memset(path, 'x', n);
	path[n - 1] = '\0';
	cb_section(&c);
	cb_event_begin(&c, block, EV_STAT_X, GOOD_TS, 1);
	cb_param_u64(&c, 0);
	cb_param(&c, path, n);
	cb_event_end(&c);
	check_memory(&c.out, &r);
	count = r.by_rule[rule];
	assert_int_equal(r.count, count);
	sf_strict_done(&r);
	cb_done(&c);
	free(path);
	return count;
}

static void only_what_is_too_large_for_a_small_block_is_in_a_large_one(void **state)
{
	/* 65536 bytes, type and length; without framing, cpu, header, two lengths and a result */
	const size_t most = 65536 + 8 - 12 - 2 - 26 - 4 - 8;

	(void)state;
	assert_int_equal(broken_by_path(CB_EV_V2, most, SF_STRICT_BLOCK_LENGTH), 0);
	assert_int_equal(broken_by_path(CB_EV_V2, most + 1, SF_STRICT_BLOCK_LENGTH), 1);
	assert_int_equal(broken_by_path(CB_EV, most, SF_STRICT_BLOCK_LENGTH), 0);
	assert_int_equal(broken_by_path(CB_EV, most + 1, SF_STRICT_BLOCK_LENGTH), 1);
	assert_int_equal(broken_by_path(CB_EV_V2_LARGE, most, SF_STRICT_EVENT_BLOCK), 1);
	assert_int_equal(broken_by_path(CB_EV_V2_LARGE, most + 1, SF_STRICT_EVENT_BLOCK), 0);
}

static void expect_broken(struct capture *c, enum sf_strict_rule rule, const char *name)
{
	cb_stat(c, GOOD_TS, 1);
	expect_found(&c->out, rule, name);
	cb_reset(c);
	cb_section(c);
}

static void lists_and_events_have_their_least_and_most(void **state)
{
	struct ev_thread_entry t = {.tid = 7, .pid = 7};
	struct capture c = {0};
	char name[1026];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cb_section(&c);
	cb_begin(&c, CB_EV_V2);
	cb_fill(&c, 0, 2 + 25);
	cb_end(&c);
	expect_broken(&c, SF_STRICT_EVENT_LENGTH, "an event of 25 bytes");
	cb_begin(&c, CB_FDL_V2);
	cb_u32(&c, 7);
	cb_end(&c);
	expect_broken(&c, SF_STRICT_BLOCK_LENGTH, "a table of half a thread");
	for (size_t n = 255; n <= 256; n++) {
		cb_begin(&c, CB_UL_V2);
		cb_entry_begin(&c);
		cb_u8(&c, 1);
		cb_u32(&c, 5);
		cb_str16(&c, name + sizeof(name) - 1 - n);
		cb_entry_end(&c, true);
		cb_end(&c);
		cb_stat(&c, GOOD_TS, 1);
		if (n == 255)
			expect_clean(&c.out, "a name of 255 bytes");
		else
			expect_found(&c.out, SF_STRICT_TEXT, "a name of 256 bytes");
		cb_reset(&c);
		cb_section(&c);
	}
	for (size_t tail = 0; tail <= 77; tail++) {
		bool fine = tail == 0 || tail == 4 || tail == 5 || tail == 29 || tail == 66 ||
			    tail == 67 || tail == 68 || tail == 76;

		cb_begin(&c, cb_thread_block(9));
		cb_thread(&c, 9, &t, tail);
		cb_end(&c);
		cb_stat(&c, GOOD_TS, 1);
		if (fine)
			expect_clean(&c.out, "later fields of a thread");
		else
			expect_found(&c.out, SF_STRICT_ENTRY_LENGTH, "part of a field");
		cb_reset(&c);
		cb_section(&c);
	}
	t.comm = sv_make(name, 1025);
	cb_begin(&c, cb_thread_block(9));
	cb_thread(&c, 9, &t, 76);
	cb_end(&c);
	expect_broken(&c, SF_STRICT_TEXT, "a comm of 1025 bytes");
	cb_done(&c);
}

/* Every version of every list that was ever written is known. */
static void old_lists_are_read_to_their_last_byte(void **state)
{
	const struct ev_thread_entry t = {.tid = 7, .pid = 7, .comm = SV_LIT("sh")};
	struct capture c = {0};

	(void)state;
	for (unsigned version = 1; version <= 8; version++) {
		cb_section(&c);
		cb_begin(&c, cb_thread_block(version));
		cb_thread(&c, version, &t, 0);
		cb_thread(&c, version, &(struct ev_thread_entry){.tid = 8, .pid = 8}, 0);
		cb_end(&c);
		cb_stat(&c, GOOD_TS, 1);
		expect_clean(&c.out, "two threads");
		cb_reset(&c);
	}
	cb_section(&c);
	cb_begin(&c, cb_thread_block(5));
	cb_thread(&c, 5, &t, 0);
	cb_end(&c);
	cb_begin(&c, CB_FDL);
	cb_u64(&c, 7);
	cb_u64(&c, 3);
	cb_u64(&c, 99);
	cb_u8(&c, EV_FD_FILE_V2);
	cb_u32(&c, 1);
	cb_str16(&c, "/tmp");
	cb_end(&c);
	cb_begin(&c, CB_IL);
	cb_u16(&c, 3);
	cb_u16(&c, 2);
	cb_fill(&c, 0xff, 12);
	cb_bytes(&c, "lo", 2);
	cb_end(&c);
	cb_begin(&c, CB_UL);
	cb_u8(&c, 1);
	cb_u32(&c, 5);
	cb_str16(&c, "wheel");
	cb_end(&c);
	cb_stat(&c, GOOD_TS, 1);
	expect_clean(&c.out, "old lists");
	cb_done(&c);
}

/* ---- any fault ---- */

static void a_capture_that_is_cut_anywhere_is_not_clean(void **state)
{
	struct good_capture g = {0};

	(void)state;
	good_capture_make(&g);
	for (size_t n = 0; n < g.c.out.len; n++) {
		struct buf cut = {.p = g.c.out.p, .len = n};
		struct sf_strict_report r;
		bool between_events = false;

		for (unsigned i = GOOD_STAT + 1; i < GOOD_BLOCKS; i++)
			between_events |= n == g.at[i];
		check_memory(&cut, &r);
		if ((r.count == 0) != between_events)
			fail_msg("%llu findings in the first %zu bytes",
				 (unsigned long long)r.count, n);
		sf_strict_done(&r);
	}
	cb_done(&g.c);
}

/* Not every bit matters, but no change may harm, and changes in framing are all found. */
static void no_changed_byte_does_harm(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	struct good_capture g = {0};
	size_t found = 0;

	(void)state;
	good_capture_make(&g);
	for (size_t i = 0; i < g.c.out.len * COUNT_OF(masks); i++) {
		size_t at = i / COUNT_OF(masks);
		struct sf_strict_report r;

		g.c.out.p[at] = (char)(g.c.out.p[at] ^ masks[i % COUNT_OF(masks)]);
		check_memory(&g.c.out, &r);
		found += r.count > 0;
		for (unsigned b = 0; b < GOOD_BLOCKS; b++)
			if (at >= g.at[b] && at < g.at[b] + 8 && !r.count)
				fail_msg("a change of byte %zu is not found", at);
		sf_strict_done(&r);
		g.c.out.p[at] = (char)(g.c.out.p[at] ^ masks[i % COUNT_OF(masks)]);
	}
	assert_in_range(found, g.c.out.len, g.c.out.len * COUNT_OF(masks));
	cb_done(&g.c);
}

static void a_flood_of_findings_is_counted_but_not_kept(void **state)
{
	struct good_capture g = {0};
	struct sf_strict_report r;

	(void)state;
	cb_section(&g.c);
	for (unsigned i = 0; i < 5000; i++) {
		cb_stat(&g.c, GOOD_TS, 1);
		g.c.out.p[g.c.out.len - 1] = 1;
	}
	check_memory(&g.c.out, &r);
	assert_int_equal(r.count, 5000);
	assert_int_equal(r.by_rule[SF_STRICT_BLOCK_TRAILER], 5000);
	assert_int_equal(r.described, SF_FINDINGS_RULE_MAX);
	sf_strict_done(&r);
	cb_done(&g.c);
}

static void every_rule_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SF_STRICT_RULES; i++) {
		assert_true(strlen(sf_strict_rule_name((enum sf_strict_rule)i)) > 1);
		assert_true(strlen(sf_strict_rule_demands((enum sf_strict_rule)i)) > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_wrong_number_is_found),
	    cmocka_unit_test(events_made_of_old_ones_are_fine),
	    cmocka_unit_test(no_two_faults_are_the_same),
	    cmocka_unit_test(the_order_of_blocks_is_judged),
	    cmocka_unit_test(blocks_hold_nothing_but_contents_padding_and_options),
	    cmocka_unit_test(only_what_is_too_large_for_a_small_block_is_in_a_large_one),
	    cmocka_unit_test(lists_and_events_have_their_least_and_most),
	    cmocka_unit_test(old_lists_are_read_to_their_last_byte),
	    cmocka_unit_test(a_capture_that_is_cut_anywhere_is_not_clean),
	    cmocka_unit_test(no_changed_byte_does_harm),
	    cmocka_unit_test(a_flood_of_findings_is_counted_but_not_kept),
	    cmocka_unit_test(every_rule_has_a_name_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
