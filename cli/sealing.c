/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sealing.h"

#include <string.h>
#include <unistd.h>

#define SYNC_NS 2000000000u /* after a power failure at most that much is not proven */

int cli_sealing_take(struct cli_sealing *s, int id, const char *value)
{
	switch (id) {
	case OPT_NO_SEAL:
		s->off = true;
		return 0;
	case OPT_SEAL_KEY:
		s->opt.key_path = value;
		return 0;
	case OPT_SEAL_TO:
		s->opt.heads_path = value;
		return 0;
	default:
		return -1;
	}
}

static int check(const struct cli_sealing *s, bool to_stdout)
{
	const char *what = s->opt.key_path ? "--seal-key" : "--seal-to";

	if (!s->opt.key_path && !s->opt.heads_path)
		return 0;
	if (s->off)
		cli_log(CLI_ERROR, "%s and --no-seal exclude each other", what);
	else if (to_stdout)
		cli_log(CLI_ERROR, "%s: standard output has no seal", what);
	else
		return 0;
	return CLI_USAGE;
}

static void number(struct buf *b, const char *name, uint64_t v)
{
	buf_addf(b, "%s\"%s\":%llu", b->len > 1 ? "," : "", name, (unsigned long long)v);
}

static void flag(struct buf *b, const char *name, bool v)
{
	buf_addf(b, ",\"%s\":%s", name, v ? "true" : "false");
}

static void describe_recorder(struct buf *b, const struct rec_options *rec)
{
	number(b, "calls", rec_set_count(&rec->set));
	number(b, "snaplen", rec->snaplen);
	flag(b, "dynamic_snaplen", rec->dynamic_snaplen);
	number(b, "ring_bytes", rec->ring_bytes);
	number(b, "memory_bytes", rec->memory_bytes);
	flag(b, "with_self", rec->with_self);
	flag(b, "entry_copies", rec->entry_copies);
	flag(b, "io_uring", rec->io_uring);
	flag(b, "hash_execs", rec->hash_execs);
	number(b, "pids", rec->npids);
	number(b, "cgroups", rec->ncgroups);
	number(b, "comms", rec->ncomms);
	number(b, "ports", rec->nports);
}

/* What the options came to, defaults and all. */
static int describe(struct cli_sealing *s, const struct rec_options *rec,
		    const struct sf_writer_options *w)
{
	struct buf *b = &s->config;

	buf_reset(b);
	buf_char(b, '{');
	if (rec)
		describe_recorder(b, rec);
	buf_addf(b, "%s\"level\":%d", b->len > 1 ? "," : "", w->level);
	number(b, "frame_ns", w->frame_ns);
	number(b, "frame_bytes", w->frame_bytes ? w->frame_bytes : SF_FRAME_BYTES_DEFAULT);
	number(b, "rotate_bytes", w->rotation.bytes);
	number(b, "rotate_ns", w->rotation.ns);
	number(b, "rotate_keep", w->rotation.keep);
	number(b, "keep_bytes", w->keep_bytes);
	number(b, "keep_ns", w->keep_ns);
	buf_char(b, '}');
	s->opt.config = buf_cstr(b);
	if (!b->failed)
		return 0;
	cli_log(CLI_ERROR, "out of memory");
	return CLI_INTERNAL;
}

int cli_sealing_begin(struct cli_sealing *s, const char *path, const struct rec_options *rec,
		      struct sf_writer_options *w)
{
	bool to_stdout = strcmp(path, "-") == 0;
	int rc = check(s, to_stdout);

	if (rc || s->off || to_stdout)
		return rc;
	s->opt.origin = SF_SEAL_RECORDING;
	s->opt.tool = "scapula " SCAPULA_VERSION;
	s->opt.argc = s->argc;
	s->opt.argv = s->argv;
	s->opt.sync_ns = SYNC_NS;
	w->seal = &s->opt;
	return describe(s, rec, w);
}

void cli_sealing_discard(const struct cli_sealing *s, const char *path)
{
	if (s->off || !s->opt.tool)
		return;
	(void)!sf_seal_forget(path, NULL);
	if (s->opt.key_path)
		(void)unlink(s->opt.key_path);
}

void cli_sealing_done(struct cli_sealing *s)
{
	buf_done(&s->config);
}
