/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/tests/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/tests/describe.h"

const char *const suffix[3] = {".scap", ".scap.gz", ".scap.zst"};

/* Failures here are none of what is under test. */
static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "a test cannot go on: %s\n", what);
	abort();
}

int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	strcpy(p->dir, "/tmp/scapfile_test.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	*state = p;
	return 0;
}

int remove_place(void **state)
{
	struct place *p = *state;
	char command[128];
	int rc;

	snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
	rc = system(command);
	free(p);
	return rc;
}

const char *in_place(struct place *p, const char *name, const char *end)
{
	snprintf(p->path, sizeof(p->path), "%s/%s%s", p->dir, name, end);
	return p->path;
}

void slurp(struct buf *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	must(f, path);
	buf_reset(b);
	do {
		char *to = buf_room(b, 65536);

		must(to, "out of memory");
		n = fread(to, 1, 65536, f);
		b->len += n;
	} while (n);
	fclose(f);
}

void describe_file(struct buf *out, const char *path)
{
	struct buf bytes = {0};

	slurp(&bytes, path);
	buf_reset(out);
	describe_capture(out, bytes.p, bytes.len, NULL);
	buf_done(&bytes);
}

struct sf_writer *open_writer(const char *path, const struct sf_writer_options *opt)
{
	struct sf_writer *w = NULL;
	struct error err;

	must(sf_writer_open(path, opt, &w, &err) == 0, err.msg);
	return w;
}

void close_writer(struct sf_writer *w)
{
	struct error err;

	must(sf_writer_close(w, &err) == 0, err.msg);
}

int add_stat(struct sf_writer *w, uint64_t ts, int64_t tid, struct error *err)
{
	static const uint8_t lens[] = {8, 0, 3, 0};
	static const uint8_t data[] = {0, 0, 0, 0, 0, 0, 0, 0, '/', 'x', 0};
	struct ev ev = {.ts = ts, .tid = tid, .type = EV_STAT_X, .nparams = 2};

	ev.lens = lens;
	ev.data = data;
	return sf_writer_event(w, &ev, err);
}

void add_stats(struct sf_writer *w, uint64_t from, uint64_t n)
{
	struct error err;

	for (uint64_t i = 0; i < n; i++)
		must(add_stat(w, from + i, 7, &err) == 0, err.msg);
}

void copy_items(struct sf_writer *w, const void *p, size_t n)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	must(sf_reader_open_memory(p, n, NULL, &r, &err) == 0, err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		must(sf_writer_item(w, &item, &err) == 0, err.msg);
	sf_reader_close(r);
}

const char *write_record(struct place *p, enum ev_item_kind kind, struct ev *ev)
{
	const char *path = in_place(p, "a", suffix[0]);
	struct ev_machine machine = {.num_cpus = 2,
				     .memory_bytes = 1u << 30,
				     .max_pid = 32768,
				     .hostname = SV_LIT("box"),
				     .boot_ts = RECORD_TIME - 1000};
	const struct ev_item items[] = {{.kind = EV_ITEM_MACHINE, .machine = &machine},
					{.kind = kind, .ev = ev}};
	struct sf_writer *w;

	remove(path); /* of the time before */
	w = open_writer(path, NULL);
	for (size_t i = 0; i < 2; i++)
		must(sf_writer_item(w, &items[i], NULL) == 0, "cannot write a record");
	close_writer(w);
	return path;
}

struct sf_reader *find_item(const char *path, enum ev_item_kind kind, struct ev_item *item)
{
	struct sf_reader *r;
	struct error err;

	must(sf_reader_open(path, NULL, &r, &err) == 0, err.msg);
	do {
		must(ev_source_next(sf_reader_source(r), item, &err) == 1, "no such item");
	} while (item->kind != kind);
	return r;
}

uint64_t events_in(const void *p, size_t n, uint64_t *gaps)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	uint64_t events;

	must(sf_reader_open_memory(p, n, NULL, &r, &err) == 0, err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	events = sf_reader_stats(r)->events;
	*gaps = sf_reader_stats(r)->gaps;
	sf_reader_close(r);
	return events;
}
