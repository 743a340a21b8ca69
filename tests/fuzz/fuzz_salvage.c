/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, salvaged: the result passes the strict check if it holds an event, its account agrees
 * with it, and what is salvaged once more stays as it is. The first byte chooses the options.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "scapfile/salvage.h"
#include "scapfile/stream.h"
#include "scapfile/strict.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void slurp(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat sb;

	CHECK(fd >= 0 && fstat(fd, &sb) == 0);
	if (sb.st_size) {
		CHECK(buf_room(b, (size_t)sb.st_size));
		CHECK(read(fd, b->p, (size_t)sb.st_size) == sb.st_size);
		b->len = (size_t)sb.st_size;
	}
	close(fd);
}

static void check_account(const struct sf_salvage_report *r, size_t size)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SF_DAMAGE_KINDS; i++)
		sum += r->by_kind[i];
	CHECK(sum == r->count && r->described <= r->count);
	CHECK(r->size == size && r->proven <= r->frames);
	CHECK(r->events_unproven <= r->events + r->losses && r->moved <= r->events);
	CHECK(r->sealed == r->sealed_proven + r->sealed_altered + r->sealed_missing);
	for (size_t i = 0; i < r->described; i++) {
		CHECK(r->list[i].kind < SF_DAMAGE_KINDS && r->list[i].what[0]);
		CHECK(r->list[i].stored <= size && r->list[i].stored_bytes <= size);
	}
}

static void salvage(const void *p, size_t n, const struct sf_salvage_options *opt, struct buf *out,
		    struct sf_salvage_report *report)
{
	const struct sf_writer_options writing = {.raw = true, .replace = true};
	struct sf_writer *w;
	struct error err;
	char path[64];

	snprintf(path, sizeof(path), "/dev/shm/fuzz-salvage-%d.scap", (int)getpid());
	CHECK(sf_writer_open(path, &writing, &w, &err) == 0);
	CHECK(sf_salvage_memory(p, n, opt, w, report, &err) == 0);
	check_account(report, n);
	CHECK(sf_writer_close(w, &err) == 0);
	slurp(out, path);
	unlink(path);
}

static void check_strict(const struct buf *b)
{
	struct sf_strict_report r;
	struct error err;

	CHECK(sf_strict_check_memory(b->p, b->len, &r, &err) == 0);
	for (size_t i = 0; i < r.described; i++)
		fprintf(stderr, "%s: %s\n", sf_strict_rule_name(r.list[i].rule), r.list[i].what);
	/* Numbers of parameters that nobody knows are facts if they come again and again. */
	CHECK(r.count == r.by_rule[SF_STRICT_EVENT_PARAMS] && (!r.count || r.count >= 3));
	sf_strict_done(&r);
}

#define FRAMES 16

/* A seal by which every third of some pieces of @p is altered, and more is missing. */
static struct sf_seal_frames seal_of(struct sf_seal_frame list[FRAMES], const uint8_t *p, size_t n)
{
	struct sf_seal_frames seal = {
	    .list = list, .n = FRAMES, .ended = n % 3, .at_blocks = n % 2};
	size_t piece = n / (FRAMES - 2);

	for (size_t i = 0; i < FRAMES; i++) {
		size_t at = i * piece < n ? i * piece : n, size = n - at < piece ? n - at : piece;

		list[i] = (struct sf_seal_frame){.at = seal.size,
						 .size = size ? size : 9,
						 .events = i % 5 ? i : UINT64_MAX,
						 .is_table = i == FRAMES - 1};
		CHECK(sf_hash_once(p + at, size, list[i].sha256));
		list[i].sha256[0] ^= i % 3 == 2;
		seal.size += list[i].size;
	}
	return seal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_salvage_options opt = {0};
	struct sf_seal_frame list[FRAMES];
	struct sf_seal_frames seal;
	struct sf_salvage_report report;
	struct buf once = {0}, again = {0};
	uint64_t events;

	if (!size)
		return 0;
	opt.keep_doubtful = *data & 1;
	opt.no_marks = *data & 2;
	opt.proven_only = *data & 4;
	seal = seal_of(list, data + 1, size - 1);
	opt.seal = *data & 8 ? &seal : NULL;
	salvage(data + 1, size - 1, &opt, &once, &report);
	events = report.events;
	sf_salvage_done(&report);
	if (events) {
		check_strict(&once);
		opt.seal = NULL;
		salvage(once.p, once.len, &opt, &again, &report);
		CHECK(report.events == events);
		sf_salvage_done(&report);
	}
	buf_done(&once);
	buf_done(&again);
	return 0;
}
