/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/surgery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/custody.h"
#include "cli/inputs.h"
#include "scapfile/stream.h"

#define GZIP_LEVEL_MAX 9
#define ZSTD_LEVEL_MAX 19

static int usage(const char *option, const char *value, const char *expected)
{
	cli_log(CLI_ERROR, "--%s %s: expected %s", option, value, expected);
	return CLI_USAGE;
}

static int take_comment(struct surgery_options *o, const char *text)
{
	struct error err = {0};

	if (sf_comments_add(&o->comments, text, &err) == 0)
		return 0;
	cli_log(CLI_ERROR, "%s", err.msg);
	return CLI_USAGE;
}

/* evt:N=TEXT, or TIME=TEXT with a time that is no relative one. */
static int take_bookmark(struct surgery_options *o, const char *value)
{
	const char *is = strchr(value, '=');
	char *at = is ? strndup(value, (size_t)(is - value)) : NULL;
	struct buf b = {0};
	const char *text;
	uint64_t n = 0;
	bool relative = false, event = at && strncmp(at, "evt:", 4) == 0;
	int status = CLI_USAGE;

	if (event && cli_parse_u64(at + 4, &n) && n)
		buf_addf(&b, SF_BOOKMARK "evt=%llu %s", (unsigned long long)n, is + 1);
	else if (at && !event && cli_parse_time(at, &n, &relative) && !relative) {
		buf_lit(&b, SF_BOOKMARK "time=");
		cli_time(&b, n);
		buf_addf(&b, " %s", is + 1);
	}
	if (!b.len)
		usage("bookmark", value,
		      "evt:NUMBER=TEXT or TIME=TEXT, as in 2026-11-22T03:02:21.5Z=TEXT");
	text = b.len ? arena_strndup(&o->texts, buf_cstr(&b), b.len) : NULL;
	if (text)
		status = take_comment(o, text);
	buf_done(&b);
	free(at);
	return status;
}

int surgery_take(struct surgery_options *o, int id, const char *value)
{
	uint64_t n;

	switch (id) {
	case 'o':
		o->output = value;
		return 0;
	case OPT_FORCE:
		o->force = true;
		return 0;
	case OPT_NO_SEAL:
		o->no_seal = true;
		return 0;
	case OPT_REASON:
		o->reason = value;
		return 0;
	case OPT_COMMENT:
		return take_comment(o, value);
	case OPT_BOOKMARK:
		return take_bookmark(o, value);
	case OPT_COMMENTS:
		o->keep_comments = true;
		return 0;
	case OPT_LEVEL:
		if (!cli_parse_u64(value, &n) || n < 1 || n > ZSTD_LEVEL_MAX)
			return usage("level", value, "a number from 1 to 19");
		o->level = (int)n;
		return 0;
	default:
		return -1;
	}
}

/* ---- before anything is read ---- */

static bool is_dash(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Which file an input is. That it cannot be opened is told when it is. */
static struct surgery_parent parent_of(const char *path)
{
	struct surgery_parent p = {.path = path};
	struct stat sb;

	if ((is_dash(path) ? fstat(STDIN_FILENO, &sb) : stat(path, &sb)) == 0) {
		p.is_file = S_ISREG(sb.st_mode);
		p.dev = sb.st_dev;
		p.ino = sb.st_ino;
	}
	return p;
}

/* No input is written to, by whatever name the output has. */
static int check_inputs(const struct surgery *s, const struct stat *out)
{
	for (size_t i = 0; i < s->nparents; i++) {
		const struct surgery_parent *p = &s->parents[i];

		if (!p->is_file || p->dev != out->st_dev || p->ino != out->st_ino)
			continue;
		cli_log(CLI_ERROR, "'%s' is an input; the output must be another file",
			s->opt.output);
		return CLI_USAGE;
	}
	return 0;
}

static int check_output(const struct surgery *s)
{
	bool to_stdout = is_dash(s->opt.output);
	struct stat sb;
	int rc;

	if ((to_stdout ? fstat(STDOUT_FILENO, &sb) : stat(s->opt.output, &sb)) < 0)
		return 0;
	rc = check_inputs(s, &sb);
	if (rc || to_stdout)
		return rc;
	if (!S_ISREG(sb.st_mode)) {
		cli_log(CLI_ERROR, "'%s' is no file; the output must be one", s->opt.output);
		return CLI_INPUT;
	}
	if (s->opt.force)
		return 0;
	cli_log(CLI_ERROR, "'%s' exists; --force replaces it", s->opt.output);
	return CLI_INPUT;
}

static int check_level(const struct surgery *s)
{
	if (s->opt.level > GZIP_LEVEL_MAX && sf_compression_of(s->opt.output) == SF_GZIP) {
		cli_log(CLI_ERROR, "--level %d: expected at most %d for gzip", s->opt.level,
			GZIP_LEVEL_MAX);
		return CLI_USAGE;
	}
	return 0;
}

int surgery_begin(struct surgery *s, char **paths, size_t n)
{
	int rc;

	cli_ignore_signals();
	cli_catch_signals();
	if (!s->opt.output || !n) {
		cli_log(CLI_ERROR, "%s", n ? "--output is missing" : "no capture given");
		return CLI_USAGE;
	}
	s->parents = calloc(n, sizeof(*s->parents));
	if (!s->parents) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (s->nparents = 0; s->nparents < n; s->nparents++)
		s->parents[s->nparents] = parent_of(paths[s->nparents]);
	if (s->common->timeout_ns)
		s->deadline = clock_ns(CLOCK_MONOTONIC) + s->common->timeout_ns;
	rc = check_output(s);
	return rc ? rc : check_level(s);
}

int surgery_take_comments(struct surgery *s, const struct sf_reader *r)
{
	const char *text;
	int status = 0;

	for (size_t i = 0; !status && (text = sf_reader_comment(r, i)); i++) {
		if (!s->opt.keep_comments) {
			cli_log(CLI_NOTE, "comments of section headers are left out");
			return 0;
		}
		text = arena_strdup(&s->opt.texts, text);
		status = text ? take_comment(&s->opt, text) : CLI_INTERNAL;
	}
	return status;
}

int surgery_create(struct surgery *s)
{
	struct error err = {0};

	s->seal = (struct sf_seal_options){
	    .origin = SF_SEAL_WRITING,
	    .tool = "scapula " SCAPULA_VERSION,
	    .argc = s->argc,
	    .argv = s->argv,
	};
	s->writing.seal = s->opt.no_seal || is_dash(s->opt.output) ? NULL : &s->seal;
	s->writing.level = s->opt.level;
	s->writing.comments = &s->opt.comments;
	if (s->opt.comments.count)
		cli_log(CLI_NOTE, "a section header with comments is one that sysdig refuses");
	s->writing.background = true;
	s->writing.replace = !is_dash(s->opt.output);
	if (sf_writer_open(s->opt.output, &s->writing, &s->writer, &err) < 0)
		return cli_fail(&err);
	return 0;
}

/* ---- inputs ---- */

int surgery_open_input(struct surgery *s, size_t i, const struct sf_options *opt,
		       struct sf_reader **out)
{
	struct sf_options o = opt ? *opt : (struct sf_options){0};
	struct error err = {0};

	o.want_hash = true;
	if (sf_reader_open(s->parents[i].path, &o, out, &err) < 0)
		return cli_fail(&err);
	return 0;
}

int surgery_tick(struct surgery *s, const struct sf_reader *r)
{
	struct run_progress p;

	if (UNLIKELY(cli_interrupted()))
		return cli_interrupted();
	if (LIKELY(++s->ticks % RUN_PROGRESS_EVENTS))
		return 0;
	p = (struct run_progress){.events = s->ticks,
				  .file_done = s->done + sf_reader_stats(r)->file_size};
	cli_progress(NULL, &p);
	if (!s->deadline || clock_ns(CLOCK_MONOTONIC) < s->deadline)
		return 0;
	cli_log(CLI_ERROR, "stopped by --timeout; no output is left");
	return CLI_PARTIAL;
}

/* Of an input that was not read from its start to its end. */
static int hash_file(struct surgery_parent *p, struct error *err)
{
	struct sf_stream s = {0};
	int rc = sf_stream_open(&s, p->path, true, err);

	if (rc >= 0)
		rc = sf_stream_drain(&s, err);
	p->hashed = rc >= 0 && sf_stream_hash(&s, p->sha256);
	p->size = s.in.size;
	sf_stream_done(&s);
	return rc;
}

static int hash_input(struct surgery_parent *p, struct sf_reader *r, struct error *err)
{
	const struct sf_stats *stats = sf_reader_stats(r);
	int rc = sf_reader_drain(r, err);

	if (rc < 0)
		return rc;
	p->hashed = stats->sha256_valid;
	p->size = stats->file_size;
	if (p->hashed)
		memcpy(p->sha256, stats->sha256, sizeof(p->sha256));
	return p->hashed || !p->is_file ? 0 : hash_file(p, err);
}

static int hash_descriptor(struct surgery_parent *p, int fd, struct sf_hash *h, struct error *err)
{
	uint8_t step[16384];
	ssize_t n;

	p->size = 0;
	while ((n = pread(fd, step, sizeof(step), (off_t)p->size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, errno, "cannot read '%s'", p->path);
		sf_hash_add(h, step, (size_t)n);
		p->size += (uint64_t)n;
	}
	p->hashed = sf_hash_end(h, p->sha256);
	return 0;
}

int surgery_hash_input(struct surgery *s, size_t i, int fd)
{
	struct sf_hash *h = NULL;
	struct error err = {0};
	int rc = sf_hash_new(&h, &err);

	if (rc >= 0)
		rc = hash_descriptor(&s->parents[i], fd, h, &err);
	sf_hash_free(h);
	return rc < 0 ? cli_fail(&err) : 0;
}

/* What the reader knows to be there and could not deliver. */
static int tell_unknown(const char *path, const struct sf_stats *stats)
{
	if (!stats->events_unknown && !stats->unknown_blocks)
		return 0;
	cli_log(CLI_WARNING,
		"%s: %llu events and %llu blocks of types newer than this version are left out",
		path, (unsigned long long)stats->events_unknown,
		(unsigned long long)stats->unknown_blocks);
	return CLI_PARTIAL;
}

void surgery_close_input(struct surgery *s, size_t i, struct sf_reader *r)
{
	struct surgery_parent *p = &s->parents[i];
	const struct sf_gap *gaps;
	struct error err = {0};
	size_t n;

	if (!r)
		return;
	gaps = sf_reader_gaps(r, &n);
	s->status = cli_worse(s->status, cli_tell_gaps(p->path, gaps, n, sf_reader_stats(r)->gaps));
	s->status = cli_worse(s->status, tell_unknown(p->path, sf_reader_stats(r)));
	if (!cli_interrupted() && hash_input(p, r, &err) < 0)
		s->status = cli_worse(s->status, cli_fail(&err));
	s->done += sf_reader_stats(r)->file_size;
	sf_reader_close(r);
}

/* ---- the end ---- */

static void tell_made(const struct surgery *s, const struct sf_writer_stats *stats)
{
	struct buf b = {0};
	struct stat sb;

	cli_grouped(&b, stats->events);
	buf_lit(&b, " events");
	if (stats->losses) {
		buf_lit(&b, " and ");
		cli_grouped(&b, stats->losses);
		buf_lit(&b, " records of losses");
	}
	buf_addf(&b, " of %zu capture%s: ", s->nparents, s->nparents == 1 ? "" : "s");
	buf_str(&b, is_dash(s->opt.output) ? "standard output" : s->opt.output);
	if (!is_dash(s->opt.output) && stat(s->opt.output, &sb) == 0) {
		buf_lit(&b, ", ");
		cli_bytes(&b, (uint64_t)sb.st_size);
	}
	cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	buf_done(&b);
}

static int set_lineage(struct surgery *s, struct error *err)
{
	struct sf_lineage_parent *parents = calloc(s->nparents, sizeof(*parents));
	struct sf_lineage l = {.operation = s->operation,
			       .reason = s->opt.reason,
			       .parents = parents,
			       .nparents = s->nparents,
			       .details = s->details.len ? buf_cstr(&s->details) : NULL};
	int rc;

	if (!parents || s->details.failed) {
		free(parents);
		return error_nomem(err);
	}
	for (size_t i = 0; i < s->nparents; i++) {
		const struct surgery_parent *p = &s->parents[i];

		parents[i] = (struct sf_lineage_parent){p->told ? p->told : p->path, p->size,
							p->hashed ? p->sha256 : NULL};
	}
	rc = sf_writer_set_lineage(s->writer, &l, err);
	free(parents);
	return rc;
}

/* In the custody log, if there is one. */
static int note_custody(const struct surgery *s)
{
	struct custody_file *inputs = calloc(s->nparents, sizeof(*inputs));
	struct custody_file output = {.name = s->opt.output};
	struct custody_entry e = {.action = CUSTODY_COPY,
				  .reason = s->opt.reason,
				  .inputs = inputs,
				  .ninputs = s->nparents,
				  .outputs = &output,
				  .noutputs = !is_dash(s->opt.output),
				  .argc = s->argc,
				  .argv = s->argv};
	int status;

	if (!inputs)
		return cli_exit_of(ERR_NOMEM);
	for (size_t i = 0; i < s->nparents; i++) {
		const struct surgery_parent *p = &s->parents[i];

		inputs[i] = (struct custody_file){
		    .name = p->told ? p->told : p->path, .size = p->size, .hashed = p->hashed};
		memcpy(inputs[i].sha256, p->sha256, sizeof(p->sha256));
	}
	if (strcmp(s->operation, "slice") == 0 || strcmp(s->operation, "redact") == 0)
		e.action = s->operation[0] == 's' ? CUSTODY_SLICE : CUSTODY_REDACT;
	status = cli_custody_note(NULL, &e);
	free(inputs);
	return status;
}

/* Somebody else may have made a file of that name meanwhile. */
static int complete(struct surgery *s)
{
	struct sf_writer_stats stats = *sf_writer_stats(s->writer);
	struct error err = {0};
	int rc = s->opt.force ? 0 : check_output(s);

	if (rc)
		return rc;
	if (set_lineage(s, &err) < 0)
		return cli_fail(&err);
	rc = sf_writer_close(s->writer, &err);
	s->writer = NULL;
	if (rc < 0)
		return cli_fail(&err);
	if (!stats.events)
		cli_log(CLI_WARNING,
			"'%s' holds no events; other readers refuse captures without any",
			s->opt.output);
	tell_made(s, &stats);
	return cli_worse(note_custody(s), stats.events ? 0 : CLI_PARTIAL);
}

int surgery_end(struct surgery *s, int failed)
{
	int status = cli_worse(s->status, failed);

	cli_progress_done();
	if (!failed && (!s->status || s->status == CLI_PARTIAL) && s->writer)
		status = cli_worse(status, complete(s));
	sf_writer_abandon(s->writer);
	s->writer = NULL;
	buf_done(&s->details);
	arena_done(&s->opt.texts);
	free(s->parents);
	s->parents = NULL;
	return status;
}
