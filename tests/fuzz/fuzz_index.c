/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes that anybody may have written, used on a capture: refused, or the replay goes on from
 * each of their chunks. The first byte says what the others are: a whole file, a directory, or a
 * checkpoint; the latter two are packed as they are in a file.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "replay/checkpoint.h"
#include "scapfile/output.h"

#define ITEMS_MAX 200 /* read behind each chunk */
#define MAGIC	  "scapidx\x03"
#define PACKED	  (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void go_on(struct sf_reader *r, struct state *st)
{
	struct state_binding bind;
	struct error err;
	struct ev_item item;

	for (unsigned i = 0; i < ITEMS_MAX; i++)
		if (ev_source_next(sf_reader_source(r), &item, &err) <= 0 ||
		    state_feed(st, &item, &bind, &err) < 0)
			return;
}

/* Trackers that go on from there, with all events that follow. */
static void track(const struct sf_index *x, size_t i, struct state *st)
{
	static const struct act_net_options options[] = {{.unix_sockets = true},
							 {.drop_closed = true}};
	struct act_sessions *sessions;
	struct act_procs *procs;
	struct error err;

	for (unsigned k = 0; k < 2; k++) {
		struct act_net *net;

		if (run_index_net(x, i, &options[k], &net, &err) < 0)
			continue;
		act_net_settle(net, st);
		act_net_free(net);
	}
	if (run_index_procs(x, i, true, &procs, &err) == 0)
		act_procs_free(procs);
	if (run_index_sessions(x, i, &sessions, &err) == 0) {
		const struct state_observer obs = act_sessions_observer(sessions);

		state_observe(st, &obs);
		state_settle(st, UINT64_MAX);
		state_observe(st, NULL);
		act_sessions_free(sessions);
	}
}

static void enter(const struct sf_index *x, size_t i)
{
	struct sf_reader *r;
	struct state *st;
	struct error err;

	if (sf_reader_open(FUZZ_CAPTURE, NULL, &r, &err) < 0)
		return;
	if (run_index_enter(x, i, r, NULL, &st, &err) == 0 && st)
		go_on(r, st);
	if (st)
		track(x, i, st);
	state_free(st);
	sf_reader_close(r);
}

static void use(const char *path)
{
	struct run_facts facts;
	struct sf_index *x;
	struct error err;
	size_t n;

	if (sf_index_open(path, &x, &err) < 0)
		return;
	(void)sf_index_chunks(x, &n);
	(void)!run_index_facts(x, &facts, &err);
	run_facts_done(&facts);
	(void)sf_index_find_time(x, 0);
	(void)sf_index_find_event(x, UINT64_MAX);
	for (size_t i = 0; i < n && i < 4; i++)
		enter(x, i);
	sf_index_close(x);
}

/* The directory at @p as the only contents of a file. */
static size_t pack_directory(uint8_t *to, const uint8_t *p, size_t n)
{
	size_t k = ZSTD_compress(to + 8, PACKED - 32, p, n, 1);

	memcpy(to, MAGIC, 8);
	if (ZSTD_isError(k))
		return 0;
	put_bytes(put_u64(put_u64(to + 8 + k, 8), k), MAGIC, 8);
	return 8 + k + 24;
}

/* Number, length (two bytes) and contents of one part after another. */
static int add_parts(struct sf_index_writer *w, const uint8_t *p, size_t n, struct error *err)
{
	struct cursor c = cursor_of(p, n);

	while (c.left > 3) {
		unsigned part = cursor_u8(&c) % SF_INDEX_PARTS;
		size_t len = cursor_u16(&c);
		int rc;

		len = len < c.left ? len : c.left;
		rc = len ? sf_index_add_part(w, part, cursor_bytes(&c, len), len, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void use_checkpoint(const uint8_t *p, size_t n)
{
	static const struct sf_index_facts none;
	struct sf_index_writer *w;
	struct error err;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/fuzz_index-%ld", (long)getpid());
	if (sf_index_create(path, &w, &err) < 0)
		return;
	if (sf_index_begin_chunk(w, 0, 0, &err) < 0 || sf_index_begin_chunk(w, 1, 0, &err) < 0 ||
	    add_parts(w, p, n, &err) < 0)
		sf_index_abandon(w);
	else if (sf_index_finish(w, &none, NULL, 0, &err) == 0)
		use(path);
	(void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t packed[PACKED];
	const uint8_t *p = data + 1;
	char path[32];
	unsigned kind;
	int fd;

	if (size < 2)
		return 0;
	fd = memfd_create("fuzz_index", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	kind = data[0] % 3;
	size--;
	if (kind == 1) {
		size = pack_directory(packed, p, size);
		p = packed;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kind == 2)
		use_checkpoint(p, size);
	else if (write(fd, p, size) == (ssize_t)size)
		use(path);
	close(fd);
	return 0;
}
