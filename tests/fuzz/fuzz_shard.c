/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work lists that anybody may have written: what is taken for one says the same when it is written
 * and read again, and no path has a byte that ends it. The input is also a list of paths.
 */
#include <stdlib.h>
#include <string.h>

#include "regress/shard.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(struct sv text)
{
	struct reg_list l, again;
	struct buf once = {0}, twice = {0};

	if (reg_list_parse(text, &l, NULL) < 0)
		return;
	for (size_t i = 0; i < l.count; i++) {
		CHECK(l.trace[i].path[0] && strlen(l.trace[i].path) <= REG_PATH_MAX);
		CHECK(l.trace[i].shard < l.shards && l.trace[i].seq <= l.traces);
		CHECK(!i || l.trace[i].seq > l.trace[i - 1].seq);
	}
	reg_list_write(&l, l.shard, &once);
	CHECK(!once.failed && reg_list_parse(buf_view(&once), &again, NULL) == 0);
	CHECK(again.count == l.count && again.shard == l.shard);
	for (size_t i = 0; i < l.count; i++)
		CHECK(strcmp(again.trace[i].path, l.trace[i].path) == 0);
	reg_list_write(&again, again.shard, &twice);
	CHECK(sv_eq(buf_view(&once), buf_view(&twice)));
	reg_list_done(&l);
	reg_list_done(&again);
	buf_done(&once);
	buf_done(&twice);
}

static void check_paths(struct sv text)
{
	struct arena a = {0};
	struct reg_named named;
	uint64_t line = 0, before = 0;

	while (reg_paths_next(&text, &line, &a, &named, NULL) > 0) {
		CHECK(line > before && strlen(named.path) <= REG_PATH_MAX);
		CHECK(!named.sha256[0] || strlen(named.sha256) == REG_HEX);
		before = line;
	}
	arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_list(sv_make(data, size));
	check_paths(sv_make(data, size));
	return 0;
}
