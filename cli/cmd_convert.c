/* SPDX-License-Identifier: Apache-2.0 */
/* scapula convert: the same capture in another container. */
#include <unistd.h>

#include "cli/surgery.h"

enum { OPT_FRAME_SIZE = OPT_COMMAND_FIRST };

#define FRAME_MIN (4u << 10)

static const struct cli_option convert_options[] = {
    SURGERY_OPTIONS,
    SURGERY_COMMENT_OPTIONS,
    {OPT_FRAME_SIZE, "frame-size", "SIZE",
     "uncompressed bytes of a gzip member or zstd frame; default 1M"},
    {'j', "jobs", "N", "threads that compress; default: one for each CPU"},
    {0, NULL, NULL, NULL},
};

static const char *const convert_examples[] = {"convert host.scap -o host.scap.zst --level 9",
					       NULL};

struct convert {
	struct cli_common common;
	struct surgery surgery;
};

static int take_frame_size(struct sf_writer_options *w, const char *value)
{
	uint64_t n;

	if (!cli_parse_size(value, &n) || n < FRAME_MIN || n > SF_FRAME_BYTES_MAX) {
		cli_log(CLI_ERROR, "--frame-size %s: expected a size from 4K to 256M", value);
		return CLI_USAGE;
	}
	w->frame_bytes = (uint32_t)n;
	return 0;
}

static int take_jobs(struct sf_writer_options *w, const char *value)
{
	uint64_t n;

	if (!cli_parse_u64(value, &n) || n < 1 || n > SF_PACKERS_MAX) {
		cli_log(CLI_ERROR, "--jobs %s: expected a number from 1 to %d", value,
			SF_PACKERS_MAX);
		return CLI_USAGE;
	}
	w->packers = (unsigned)n;
	return 0;
}

static unsigned cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > SF_PACKERS_MAX ? SF_PACKERS_MAX : (unsigned)n;
}

static int take_option(void *arg, int id, const char *value)
{
	struct convert *c = arg;
	int rc = surgery_take(&c->surgery.opt, id, value);

	if (rc >= 0)
		return rc;
	return id == 'j' ? take_jobs(&c->surgery.writing, value)
			 : take_frame_size(&c->surgery.writing, value);
}

/* The first section header, with the comments that are asked for. */
static int write_header(struct surgery *s, struct sf_raw_block b, struct error *err)
{
	struct buf with = {0};
	int rc = sf_comments_put(&with, b.p, b.total, &s->opt.comments, err);

	b.p = (const uint8_t *)with.p;
	b.total = (uint32_t)with.len;
	if (rc >= 0)
		rc = sf_writer_block(s->writer, &b, err);
	buf_done(&with);
	return rc;
}

static int write_block(struct surgery *s, const struct sf_raw_block *b, struct error *err)
{
	if (b->offset == 0 && b->is_section && s->opt.comments.count)
		return write_header(s, *b, err);
	return sf_writer_block(s->writer, b, err);
}

/*
 * Copy the blocks up to the first damage: what is behind it cannot be put there as if nothing were
 * missing. Return: 0 or an exit status.
 */
static int copy_blocks(struct surgery *s, struct sf_reader *r)
{
	struct sf_raw_block b;
	struct error err = {0};
	uint64_t end = 0;
	int rc, status = 0;

	while (!status && (rc = sf_reader_next_block(r, &b, &err)) > 0) {
		if (b.offset != end) {
			cli_log(CLI_WARNING,
				"copied up to byte %llu of the data, where the damage is; 'scapula "
				"salvage' copies what is whole behind it, too",
				(unsigned long long)end);
			return 0;
		}
		end += b.total;
		if (write_block(s, &b, &err) < 0)
			return cli_fail(&err);
		status = surgery_tick(s, r);
	}
	return status ? status : rc < 0 ? cli_fail(&err) : 0;
}

static int convert_one(struct surgery *s)
{
	struct sf_reader *r = NULL;
	int rc = surgery_open_input(s, 0, NULL, &r);

	if (!rc)
		rc = surgery_create(s);
	if (!rc)
		rc = copy_blocks(s, r);
	surgery_close_input(s, 0, r);
	return rc;
}

int cmd_convert(int argc, char **argv)
{
	struct convert c = {.surgery = {.operation = "convert", .argc = argc, .argv = argv}};
	const struct cli_parser parser = {"convert", convert_options, convert_examples, take_option,
					  &c};
	int first, rc;

	c.surgery.common = &c.common;
	c.surgery.writing.raw = true;
	c.surgery.writing.packers = cpus();
	rc = cli_parse(&parser, &c.common, argc, argv, &first);
	if (rc)
		return surgery_end(&c.surgery, rc < 0 ? cli_flush() : rc);
	if (argc - first > 1) {
		cli_log(CLI_ERROR, "one capture at a time; 'scapula merge' makes one of several");
		return CLI_USAGE;
	}
	rc = surgery_begin(&c.surgery, argv + first, (size_t)(argc - first));
	if (!rc)
		rc = convert_one(&c.surgery);
	return surgery_end(&c.surgery, rc);
}
