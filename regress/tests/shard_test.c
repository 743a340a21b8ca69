/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regress/shard.h"

#define ITEMS 300

/* --- packing */

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* The same with two loops: what is heaviest of what is left goes where least is. */
static void pack_plainly(const uint64_t *weight, size_t n, unsigned into, unsigned *shard)
{
	bool done[ITEMS] = {false};
	uint64_t load[ITEMS] = {0};

	for (size_t k = 0; k < n; k++) {
		size_t best = n;
		unsigned least = 0;

		for (size_t i = 0; i < n; i++)
			if (!done[i] && (best == n || weight[i] > weight[best]))
				best = i;
		for (unsigned s = 1; s < into; s++)
			if (load[s] < load[least])
				least = s;
		done[best] = true;
		shard[best] = least;
		load[least] += weight[best] ? weight[best] : 1;
	}
}

static void packing_is_that_of_the_plain_way(void **state)
{
	uint64_t weight[ITEMS], seed = 1;
	unsigned got[ITEMS], want[ITEMS];

	(void)state;
	for (unsigned into = 1; into < 40; into++) {
		size_t n = next(&seed) % ITEMS;

		for (size_t i = 0; i < n; i++)
			weight[i] =
			    1 + next(&seed) % (into % 3 ? 1000 : 4); /* many of the same, too */
		assert_int_equal(reg_pack(weight, n, into, got, NULL), 0);
		pack_plainly(weight, n, into, want);
		assert_memory_equal(got, want, n * sizeof(*got));
	}
}

static void loads_differ_by_no_more_than_the_lightest_allows(void **state)
{
	uint64_t weight[ITEMS], load[7] = {0}, seed = 2, least = UINT64_MAX, most = 0;
	unsigned shard[ITEMS];

	(void)state;
	for (size_t i = 0; i < ITEMS; i++)
		weight[i] = 1 + next(&seed) % 100;
	assert_int_equal(reg_pack(weight, ITEMS, 7, shard, NULL), 0);
	for (size_t i = 0; i < ITEMS; i++)
		load[shard[i]] += weight[i];
	for (size_t s = 0; s < 7; s++) {
		least = load[s] < least ? load[s] : least;
		most = load[s] > most ? load[s] : most;
	}
	assert_true(most - least <= 100);
}

static void weights_of_nothing_are_spread_and_huge_ones_do_not_wrap(void **state)
{
	const uint64_t none[] = {0, 0, 0, 0}, huge[] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, 5};
	unsigned shard[4], seen[4] = {0};

	(void)state;
	assert_int_equal(reg_pack(none, 4, 4, shard, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		seen[shard[i]]++;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(reg_pack(huge, 4, 2, shard, NULL), 0);
	assert_int_not_equal(shard[0], shard[1]);
	assert_int_equal(reg_pack(huge, 0, 2, shard, NULL), 0);
}

/* --- lists */

static const char *const paths[] = {"a.scap",	   "/var/traces/b c.scap",
				    "back\\slash", "quote\"",
				    "\"",	   "new\nline",
				    "\xff\xfe",	   "-",
				    "tab\there",   "t\xc3\xa4st.scap.zst",
				    " ",	   "#x"};

/* A manifest of @paths in three shards; its texts are constants. */
static void make_manifest(struct reg_list *l)
{
	static struct reg_trace traces[COUNT_OF(paths)];

	*l = (struct reg_list){.shards = 3,
			       .traces = COUNT_OF(paths),
			       .shard = REG_MANIFEST,
			       .trace = traces,
			       .count = COUNT_OF(paths)};
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		traces[i] = (struct reg_trace){.seq = i + 1,
					       .shard = i % 2, /* nothing is left for the third */
					       .bytes = i * 1000000007,
					       .events = i,
					       .counted = i % 3 == 0,
					       .path = paths[i]};
		snprintf(traces[i].sha256, sizeof(traces[i].sha256), "%064zx", i);
	}
	assert_int_equal(reg_list_seal(l, NULL), 0);
}

static void what_is_written_is_read_again(void **state)
{
	struct reg_list l, back;
	struct error err = {0};

	(void)state;
	make_manifest(&l);
	for (int shard = REG_MANIFEST; shard < 3; shard++) {
		struct buf text = {0}, again = {0};
		size_t at = 0;

		reg_list_write(&l, shard, &text);
		if (reg_list_parse(buf_view(&text), &back, &err) < 0)
			fail_msg("shard %d: %s", shard, err.msg);
		assert_int_equal(back.shard, shard);
		assert_int_equal(back.shards, 3);
		assert_int_equal(back.traces, l.traces);
		assert_string_equal(back.job, l.job);
		for (size_t i = 0; i < l.count; i++) {
			const struct reg_trace *t = &back.trace[at];

			if (shard != REG_MANIFEST && l.trace[i].shard != (unsigned)shard)
				continue;
			assert_true(at++ < back.count);
			assert_string_equal(t->path, paths[i]);
			assert_int_equal(t->seq, i + 1);
			assert_int_equal(t->shard, i % 2);
			assert_int_equal(t->bytes, l.trace[i].bytes);
			assert_int_equal(t->counted, l.trace[i].counted);
			assert_string_equal(t->sha256, l.trace[i].sha256);
		}
		assert_int_equal(at, back.count);
		reg_list_write(&back, shard, &again);
		assert_true(sv_eq(buf_view(&again), buf_view(&text)));
		reg_list_done(&back);
		buf_done(&text);
		buf_done(&again);
	}
}

static void the_job_is_what_is_in_it_and_how_it_is_cut_but_not_where(void **state)
{
	struct reg_list l;
	char job[REG_HEX + 1];

	(void)state;
	make_manifest(&l);
	memcpy(job, l.job, sizeof(job));
	l.trace[0].path = "elsewhere";
	assert_int_equal(reg_list_seal(&l, NULL), 0);
	assert_string_equal(l.job, job);
	l.trace[0].sha256[0] = 'f';
	assert_int_equal(reg_list_seal(&l, NULL), 0);
	assert_string_not_equal(l.job, job);
	make_manifest(&l);
	l.trace[3].shard = 2;
	assert_int_equal(reg_list_seal(&l, NULL), 0);
	assert_string_not_equal(l.job, job);
}

static void every_cut_is_noticed(void **state)
{
	struct reg_list l, back;
	struct buf text = {0};
	struct error err = {0};

	(void)state;
	make_manifest(&l);
	reg_list_write(&l, 1, &text);
	for (size_t n = 0; n < text.len; n++)
		if (reg_list_parse(sv_make(text.p, n), &back, &err) != ERR_FORMAT)
			fail_msg("%zu bytes of %zu are taken for a list", n, text.len);
	buf_done(&text);
}

#define HASH_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define HASH_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HEAD_2 "scapula-shard 1\njob " HASH_0 "\nby bytes\nshards 2\ntraces 2\nshard 1\n"
#define GOOD   HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - a\n"

static void faults_are_told_with_their_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"", "not a list of 'scapula shard'"},
	    {"a.scap\n", "not a list of 'scapula shard'"},
	    {"scapula-shard 2\n", "the list has version 2, this program knows versions up to 1"},
	    {"scapula-shard 01\n", "line 1 of the list: expected the version of the format"},
	    {"scapula-shard 1\njob x\n", "line 2 of the list: expected a SHA-256"},
	    {"scapula-shard 1\njob " HASH_0 "\nby weight\n",
	     "line 3 of the list: expected bytes or events"},
	    {"scapula-shard 1\njob " HASH_0 "\nby bytes\nshards 10001\n",
	     "line 4 of the list: shards: expected 1 to 10000"},
	    {HEAD_2, "line 7 of the list: expected 'holds'"},
	    {HEAD_2 "holds 3\n", "line 7 of the list: holds: expected 0 to 2"},
	    {HEAD_2 "holds 2\n", "line 7 of the list: fewer traces follow"},
	    {HEAD_2 "holds 1\ntrace 3 1 " HASH_1 " 7 - a\n",
	     "line 8 of the list: the number of the trace is not one of the job"},
	    {HEAD_2 "holds 1\ntrace 2 0 " HASH_1 " 7 - a\n",
	     "line 8 of the list: the trace is of another shard"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 "1 7 - a\n",
	     "line 8 of the list: expected a SHA-256"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 99999999999999999999 - a\n",
	     "line 8 of the list: expected the size of the file"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 x a\n",
	     "line 8 of the list: expected a number of events, or -"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - \n", "line 8 of the list: expected a path"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - a b\n",
	     "line 8 of the list: expected a path"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - \"a\n",
	     "line 8 of the list: a path in quotation marks is not one"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - \"a\\000\"\n",
	     "line 8 of the list: a path in quotation marks is not one"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - \"a\\q\"\n",
	     "line 8 of the list: a path in quotation marks is not one"},
	    {HEAD_2 "holds 1\ntrace 2 1 " HASH_1 " 7 - \"a\"b\n",
	     "line 8 of the list: a path in quotation marks is not one"},
	    {HEAD_2 "holds 2\ntrace 1 1 " HASH_1 " 7 - a\ntrace 2 1 " HASH_1 " 7 - b\n",
	     "line 9 of the list: the same capture is there twice"},
	    {HEAD_2 "holds 2\ntrace 2 1 " HASH_1 " 7 - a\ntrace 1 1 " HASH_0 " 7 - b\n",
	     "line 9 of the list: the traces are not in the order of the job"},
	    {GOOD "trace 1 1 " HASH_0 " 7 - b\n",
	     "line 8 of the list: more follows than the list is to hold"},
	    {"scapula-shard 1\njob " HASH_0
	     "\nby bytes\nshards 1\ntraces 1\nholds 1\ntrace 1 0 " HASH_1 " 7 - a\n",
	     "the traces are not those of the job"},
	};
	struct reg_list l;
	struct error err = {0};

	(void)state;
	assert_int_equal(reg_list_parse(sv_of(GOOD), &l, &err), 0);
	reg_list_done(&l);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (reg_list_parse(sv_of(cases[i].text), &l, &err) >= 0)
			fail_msg("taken: %s", cases[i].text);
		assert_string_equal(err.msg, cases[i].message);
	}
}

/* --- lists of paths */

static void lines_name_files_as_sha256sum_does_or_plainly(void **state)
{
	static const char text[] = "# a comment\n"
				   "a.scap\n\n" HASH_1 "  with two  blanks\n" HASH_0 " *binary\n"
				   "\\" HASH_1 "  new\\nline\\\\x\n"
				   "\\plain\n" HASH_1 "\n"
				   "last";
	static const struct {
		const char *path, *sha256;
	} want[] = {{"a.scap", ""},	{"with two  blanks", HASH_1},
		    {"binary", HASH_0}, {"new\nline\\x", HASH_1},
		    {"\\plain", ""},	{HASH_1, ""},
		    {"last", ""}};
	struct arena a = {0};
	struct sv rest = sv_of(text);
	struct reg_named named;
	uint64_t line = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_int_equal(reg_paths_next(&rest, &line, &a, &named, NULL), 1);
		assert_string_equal(named.path, want[i].path);
		assert_string_equal(named.sha256, want[i].sha256);
	}
	assert_int_equal(reg_paths_next(&rest, &line, &a, &named, NULL), 0);
	assert_int_equal(line, 9);
	rest = sv_make("a\0b\n", 4);
	assert_int_equal(reg_paths_next(&rest, &line, &a, &named, NULL), ERR_FORMAT);
	rest = sv_of("\\" HASH_1 "  a\\b\n");
	assert_int_equal(reg_paths_next(&rest, &line, &a, &named, NULL), ERR_FORMAT);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packing_is_that_of_the_plain_way),
	    cmocka_unit_test(loads_differ_by_no_more_than_the_lightest_allows),
	    cmocka_unit_test(weights_of_nothing_are_spread_and_huge_ones_do_not_wrap),
	    cmocka_unit_test(what_is_written_is_read_again),
	    cmocka_unit_test(the_job_is_what_is_in_it_and_how_it_is_cut_but_not_where),
	    cmocka_unit_test(every_cut_is_noticed),
	    cmocka_unit_test(faults_are_told_with_their_line),
	    cmocka_unit_test(lines_name_files_as_sha256sum_does_or_plainly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
