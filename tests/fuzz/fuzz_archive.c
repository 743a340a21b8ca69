/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive that anybody may have made, read from its start to its end. Names that are given are
 * fit to be used and none comes twice, no more bytes are given than the limits allow, and where a
 * member is said to lie as one piece, these are its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/arena.h"
#include "base/map.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)
#define READ_MAX (1u << 20) /* of one input; more only takes time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct smap names;
	struct arena arena;
	uint64_t read;
};

static void check_name(struct seen *s, const struct arc_member *m)
{
	struct sv name = arena_sv(&s->arena, sv_of(m->name));

	CHECK(!arc_name_trouble(m->name, false));
	CHECK(m->kind == ARC_DIRECTORY || !smap_get(&s->names, name));
	CHECK(smap_put(&s->names, name, s) == 0);
}

/* Return: false after a failure. */
static bool read_member(struct seen *s, struct arc_reader *r, const struct arc_member *m,
			const uint8_t *data, size_t size)
{
	uint8_t piece[4096];
	uint64_t at = 0;
	int64_t n;

	CHECK(m->data_at < 0 ||
	      ((uint64_t)m->data_at <= size && m->size <= size - (uint64_t)m->data_at));
	while (s->read < READ_MAX && (n = arc_reader_read(r, piece, sizeof(piece), NULL)) != 0) {
		if (n < 0)
			return false;
		CHECK((size_t)n <= sizeof(piece));
		if (m->data_at >= 0) {
			CHECK(at + (uint64_t)n <= m->size);
			CHECK(memcmp(piece, data + m->data_at + at, (size_t)n) == 0);
		}
		at += (uint64_t)n;
		s->read += (uint64_t)n;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = {0};
	struct arc_reader *r;
	struct arc_member m;
	struct error err = {0};

	if (arc_reader_open_memory(data, size, &r, &err) < 0) {
		CHECK(err.code < 0 && err.msg[0]);
		return 0;
	}
	while (arc_reader_next(r, &m, NULL) > 0) {
		check_name(&s, &m);
		if (!read_member(&s, r, &m, data, size) && !arc_reader_can_go_on(r))
			break;
	}
	arc_reader_close(r);
	smap_done(&s.names);
	arena_done(&s.arena);
	return 0;
}
