/* SPDX-License-Identifier: Apache-2.0 */
/* scapula salvage: a capture of what is whole in a damaged one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/json.h"
#include "cli/surgery.h"
#include "scapfile/salvage.h"

enum {
	OPT_REPORT = OPT_COMMAND_FIRST,
	OPT_KEEP_DOUBTFUL,
	OPT_PROVEN_ONLY,
	OPT_NO_MARKS,
	OPT_IGNORE_SEAL
};

#define TOLD_MAX     20 /* damages told one by one */
#define SPOOL_STEP   (256u << 10)
#define PROGRESS_NTH 4096 /* blocks from one look at signals to the next */

static const struct cli_option salvage_options[] = {
    SURGERY_OPTIONS,
    {OPT_REPORT, "report", "FILE", "write the account there, as JSON; -: standard output"},
    {'f', "format", "text|json", "json: the account on standard output"},
    {OPT_KEEP_DOUBTFUL, "keep-doubtful", NULL,
     "keep what comes from members or frames whose checksum is wrong"},
    {OPT_PROVEN_ONLY, "proven-only", NULL, "nothing from members or frames that are not whole"},
    {OPT_NO_MARKS, "no-marks", NULL, "no record of a loss where something is missing"},
    {OPT_IGNORE_SEAL, "ignore-seal", NULL, "do not look at CAPTURE.seal"},
    {0, NULL, NULL, NULL},
};

static const char *const salvage_examples[] = {
    "salvage broken.scap.zst -o whole.scap.zst --report account.json", NULL};

struct salvage_run {
	struct cli_common common;
	struct surgery surgery;
	struct sf_salvage_options opt;
	struct sf_seal_frames seal;
	bool ignore_seal;
	const char *report; /* where to, or NULL */
	uint64_t ticks;
	int fd;
};

static int take_option(void *arg, int id, const char *value)
{
	struct salvage_run *c = arg;
	int rc = surgery_take(&c->surgery.opt, id, value);

	if (rc >= 0)
		return rc;
	if (id == OPT_KEEP_DOUBTFUL) {
		c->opt.keep_doubtful = true;
	} else if (id == OPT_PROVEN_ONLY) {
		c->opt.proven_only = true;
	} else if (id == OPT_NO_MARKS) {
		c->opt.no_marks = true;
	} else if (id == OPT_IGNORE_SEAL) {
		c->ignore_seal = true;
	} else if (id == OPT_REPORT) {
		c->report = value;
	} else if (strcmp(value, "json") == 0) {
		c->report = "-";
	} else if (strcmp(value, "text") != 0) {
		cli_log(CLI_ERROR, "--format %s: expected text or json", value);
		return CLI_USAGE;
	}
	return 0;
}

static bool stop(void *arg, uint64_t stored)
{
	struct salvage_run *c = arg;
	struct run_progress p;

	if (++c->ticks % PROGRESS_NTH)
		return false;
	p = (struct run_progress){.events = c->ticks, .file_done = stored};
	cli_progress(NULL, &p);
	return cli_interrupted() != 0;
}

/* ---- the account ---- */

static void add_time(struct buf *b, const char *name, uint64_t ts)
{
	if (!ts)
		return;
	buf_addf(b, ", \"%s\": \"", name);
	cli_time(b, ts);
	buf_char(b, '"');
}

static void add_number(struct buf *b, const char *name, uint64_t n)
{
	buf_addf(b, ", \"%s\": %llu", name, (unsigned long long)n);
}

static void add_damage(struct buf *b, const struct sf_damage *d)
{
	buf_addf(b, "{\"kind\": \"%s\"", sf_damage_name(d->kind));
	add_number(b, "stored_offset", d->stored);
	add_number(b, "stored_bytes", d->stored_bytes);
	add_number(b, "offset", d->offset);
	add_number(b, "bytes", d->bytes);
	if (d->events)
		add_number(b, "events", d->events);
	add_time(b, "before", d->before);
	add_time(b, "after", d->after);
	buf_lit(b, ", \"what\": ");
	json_string(b, sv_make(d->what, strlen(d->what)));
	buf_char(b, '}');
}

static void add_counts(struct buf *b, const struct sf_salvage_report *r)
{
	add_number(b, "size", r->size);
	add_number(b, "frames", r->frames);
	add_number(b, "frames_proven", r->proven);
	add_number(b, "frames_unproven", r->unproven);
	add_number(b, "sections", r->sections);
	add_number(b, "new_headers", r->new_headers);
	add_number(b, "events", r->events);
	add_number(b, "events_unproven", r->events_unproven);
	add_number(b, "events_left_out", r->events_left_out);
	add_number(b, "duplicates", r->duplicates);
	add_number(b, "moved", r->moved);
	add_number(b, "losses", r->losses);
	add_number(b, "marks", r->marks);
	add_number(b, "damages", r->count);
}

/* What the seal of the capture tells. */
static void add_seal(struct buf *b, const struct sf_seal_frames *seal,
		     const struct sf_salvage_report *r)
{
	if (!seal)
		return;
	buf_addf(b, ", \"seal\": {\"complete\": %s", seal->ended ? "true" : "false");
	add_number(b, "frames", r->sealed);
	add_number(b, "proven", r->sealed_proven);
	add_number(b, "altered", r->sealed_altered);
	add_number(b, "missing", r->sealed_missing);
	buf_char(b, '}');
}

static void make_account(struct buf *b, const struct salvage_run *c,
			 const struct sf_salvage_report *r)
{
	const char *path = c->surgery.parents[0].path;

	buf_lit(b, "{\"capture\": ");
	json_string(b, sv_make(path, strlen(path)));
	buf_addf(b, ", \"container\": \"%s\"", sf_compression_name(r->compression));
	add_counts(b, r);
	add_seal(b, c->opt.seal, r);
	buf_lit(b, ", \"list\": [");
	for (size_t i = 0; i < r->described; i++) {
		buf_str(b, i ? ",\n  " : "\n  ");
		add_damage(b, &r->list[i]);
	}
	buf_str(b, r->described ? "\n]}\n" : "]}\n");
}

/* Never through a link, never over another file. */
static int write_file(const char *path, const struct buf *b, bool force)
{
	int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (force ? O_TRUNC : O_EXCL);
	int fd = open(path, flags, 0600);
	struct error err = {0};
	size_t done = 0;

	while (fd >= 0 && done < b->len) {
		ssize_t k = write(fd, b->p + done, b->len - done);

		if (k < 0 && errno != EINTR)
			break;
		done += k > 0 ? (size_t)k : 0;
	}
	if (fd < 0 || done < b->len || close(fd) < 0) {
		error_sys(&err, errno, "cannot write '%s'", path);
		return cli_fail(&err);
	}
	return 0;
}

static int give_account(const struct salvage_run *c, const struct sf_salvage_report *r)
{
	struct buf b = {0};
	int rc;

	if (!c->report)
		return 0;
	make_account(&b, c, r);
	rc = strcmp(c->report, "-") == 0 ? cli_write(&b)
					 : write_file(c->report, &b, c->surgery.opt.force);
	buf_done(&b);
	return rc;
}

static void tell_damage(const char *path, const struct sf_damage *d)
{
	struct buf b = {0};

	buf_addf(&b, "%s: byte %llu", path, (unsigned long long)d->stored);
	if (d->stored_bytes)
		buf_addf(&b, ", %llu bytes", (unsigned long long)d->stored_bytes);
	buf_addf(&b, ": %s: %s", sf_damage_name(d->kind), d->what);
	if (d->before) {
		buf_lit(&b, "; behind the event of ");
		cli_time(&b, d->before);
	}
	cli_log(CLI_WARNING, "%s", buf_cstr(&b));
	buf_done(&b);
}

static void tell_damages(const char *path, const struct sf_salvage_report *r)
{
	for (size_t i = 0; i < r->described && i < TOLD_MAX; i++)
		tell_damage(path, &r->list[i]);
	if (r->count > TOLD_MAX)
		cli_log(CLI_WARNING, "%s: %llu more; --report FILE has %s", path,
			(unsigned long long)(r->count - TOLD_MAX),
			r->count == r->described ? "them all" : "most of them");
	if (r->events_unproven)
		cli_log(CLI_WARNING,
			"%s: %llu of the events come from members or frames that nothing "
			"proves",
			path, (unsigned long long)r->events_unproven);
	if (r->new_headers)
		cli_log(CLI_WARNING, "%s: the initial state may be missing or incomplete", path);
}

/* ---- the input ---- */

/* A damaged capture is read several times: what comes through a pipe is put aside first. */
static int spool(int from, struct error *err)
{
	FILE *f = tmpfile();
	int fd = f ? fcntl(fileno(f), F_DUPFD_CLOEXEC, 0) : -1;
	char *step = malloc(SPOOL_STEP);
	ssize_t n = 0;

	if (f)
		fclose(f);
	while (fd >= 0 && step && !cli_interrupted() && (n = read(from, step, SPOOL_STEP)) != 0)
		if (n < 0 ? errno != EINTR : write(fd, step, (size_t)n) != n)
			break;
	free(step);
	if (fd >= 0 && n == 0)
		return fd;
	error_sys(err, errno, "cannot put the input aside");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Return: a descriptor that can be read anywhere, or -1 with @err. */
static int open_anywhere(const struct surgery_parent *p, struct error *err)
{
	bool is_stdin = strcmp(p->path, "-") == 0;
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : arc_open_fd(p->path, 0, err);
	int file;

	if (fd < 0 && is_stdin)
		error_sys(err, errno, "cannot open '%s'", p->path);
	if (fd < 0 || p->is_file || arc_is_inside(p->path))
		return fd;
	file = spool(fd, err);
	close(fd);
	return file;
}

static int open_input(struct salvage_run *c)
{
	struct error err = {0};

	c->fd = open_anywhere(&c->surgery.parents[0], &err);
	if (cli_interrupted())
		return cli_interrupted();
	return c->fd < 0 ? cli_fail(&err) : 0;
}

/* ---- the seal ---- */

/* A seal that cannot be read does not keep the capture from being salvaged. */
static void read_seal(struct salvage_run *c)
{
	const struct surgery_parent *p = &c->surgery.parents[0];
	struct error err = {0};
	int rc;

	if (c->ignore_seal || !p->is_file || strcmp(p->path, "-") == 0)
		return;
	rc = sf_seal_frames(p->path, &c->seal, &err);
	if (rc < 0)
		cli_log(CLI_WARNING, "%s; it is not used", err.msg);
	else if (rc > 0 && c->seal.broken)
		cli_log(CLI_WARNING, "%s.seal: line %llu: %s; what is before it is used", p->path,
			(unsigned long long)c->seal.broken, c->seal.what);
	if (rc > 0 && c->seal.n)
		c->opt.seal = &c->seal;
}

static void tell_seal(const struct salvage_run *c, const struct sf_salvage_report *r)
{
	if (c->opt.seal)
		cli_log(r->sealed == r->sealed_proven ? CLI_NOTE : CLI_WARNING,
			"%s: of %llu sealed frames %llu are proven unaltered, %llu are altered, "
			"%llu are missing",
			c->surgery.parents[0].path, (unsigned long long)r->sealed,
			(unsigned long long)r->sealed_proven, (unsigned long long)r->sealed_altered,
			(unsigned long long)r->sealed_missing);
}

static int salvage(struct salvage_run *c)
{
	struct surgery *s = &c->surgery;
	struct sf_salvage_report r = {0};
	struct error err = {0};
	int rc = open_input(c);

	if (!rc) {
		read_seal(c);
		rc = surgery_create(s);
	}
	if (!rc && sf_salvage(c->fd, s->parents[0].path, &c->opt, s->writer, &r, &err) < 0)
		rc = err.code == ERR_INTERRUPTED ? cli_interrupted() : cli_fail(&err);
	cli_progress_done();
	if (!rc) {
		tell_damages(s->parents[0].path, &r);
		tell_seal(c, &r);
		s->status = r.count ? CLI_PARTIAL : 0;
		rc = surgery_hash_input(s, 0, c->fd);
	}
	if (!rc)
		rc = give_account(c, &r);
	sf_salvage_done(&r);
	sf_seal_frames_done(&c->seal);
	if (c->fd >= 0)
		close(c->fd);
	return rc;
}

int cmd_salvage(int argc, char **argv)
{
	struct salvage_run c = {.surgery = {.operation = "salvage", .argc = argc, .argv = argv},
				.fd = -1};
	const struct cli_parser parser = {"salvage", salvage_options, salvage_examples, take_option,
					  &c};
	int first, rc;

	c.surgery.common = &c.common;
	c.surgery.writing.raw = true;
	c.opt.stop = stop;
	c.opt.arg = &c;
	rc = cli_parse(&parser, &c.common, argc, argv, &first);
	if (rc)
		return rc < 0 ? cli_flush() : rc;
	c.opt.memory_limit = c.common.mem_limit;
	if (argc - first > 1) {
		cli_log(CLI_ERROR, "one capture at a time");
		return CLI_USAGE;
	}
	rc = surgery_begin(&c.surgery, argv + first, (size_t)(argc - first));
	if (!rc)
		rc = salvage(&c);
	return surgery_end(&c.surgery, rc);
}
