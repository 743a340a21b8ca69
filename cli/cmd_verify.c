/* SPDX-License-Identifier: Apache-2.0 */
/* scapula verify: are captures what was sealed? */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/verify.h"
#include "scapfile/stream.h"

enum { OPT_KEY = OPT_COMMAND_FIRST };

static const struct cli_option verify_options[] = {
    {'f', "format", "text|json", "a report, or an object for each capture; default text"},
    {OPT_KEY, "key", "FILE", "check the tags with the key that record --seal-key wrote"},
    {0, NULL, NULL, NULL},
};

static const char *const verify_examples[] = {"verify host7.scap.zst",
					      "verify host7.0001.scap.zst host7.0002.scap.zst",
					      "verify --key host7.key host7.scap.zst", NULL};

struct verify {
	struct cli_common common;
	bool json;
	const char *key;
	struct cli_verified *files;
	size_t count;
	uint64_t done; /* bytes of files before the one in hand */
};

static int take_option(void *arg, int id, const char *value)
{
	struct verify *o = arg;

	if (id == OPT_KEY) {
		o->key = value;
		return 0;
	}
	if (strcmp(value, "text") == 0 || strcmp(value, "json") == 0) {
		o->json = value[0] == 'j';
		return 0;
	}
	cli_log(CLI_ERROR, "--format %s: expected text or json", value);
	return CLI_USAGE;
}

/* ---- one capture ---- */

static void note_gaps(struct cli_verified *v, const struct sf_reader *r)
{
	size_t n;
	const struct sf_gap *gaps = sf_reader_gaps(r, &n);

	for (size_t i = 0; i < n; i++) {
		if (gaps[i].reason == SF_GAP_RECORDED)
			continue;
		if (!v->gaps++)
			snprintf(v->first_gap, sizeof(v->first_gap), "%s at byte %llu: %s",
				 sf_gap_reason_name(gaps[i].reason),
				 (unsigned long long)gaps[i].offset, gaps[i].what);
	}
}

/* Without a seal, the file itself is all there is to go by. */
static int decode(struct cli_verified *v)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err = {0};
	const struct sf_options opt = {.want_hash = true};
	int rc = sf_reader_open(v->path, &opt, &r, &err);

	if (rc < 0)
		return cli_fail(&err);
	while ((rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0 && !cli_interrupted())
		;
	v->compression = sf_reader_stats(r)->compression;
	note_gaps(v, r);
	if (sf_reader_stats(r)->sha256_valid)
		memcpy(v->report.sha256, sf_reader_stats(r)->sha256, SF_SEAL_DIGEST);
	sf_reader_close(r);
	return rc < 0 ? cli_fail(&err) : cli_interrupted();
}

static int status_of(const struct sf_seal_report *r)
{
	switch (r->verdict) {
	case SF_SEAL_INTACT:
		return r->cut ? CLI_PARTIAL : CLI_OK;
	case SF_SEAL_NONE:
	case SF_SEAL_PREFIX:
		return CLI_PARTIAL;
	case SF_SEAL_ALTERED:
	case SF_SEAL_BROKEN:
		break;
	}
	return CLI_FINDINGS;
}

static void check_one(struct verify *o, struct cli_verified *v)
{
	struct sf_seal_check_options opt = cli_seal_watch(&o->done);
	struct error err = {0};
	int rc;

	opt.key_path = o->key;
	rc = sf_seal_check(v->path, &opt, &v->report, &err);
	if (rc == ERR_INTERRUPTED)
		v->failed = cli_interrupted();
	else if (rc < 0)
		v->failed = cli_fail(&err);
	else if (v->report.verdict == SF_SEAL_NONE)
		v->failed = decode(v);
	o->done += v->report.size;
	v->status = v->failed ? v->failed : status_of(&v->report);
}

/* ---- lineage ---- */

static enum cli_parent_state compare(const uint8_t a[SF_SEAL_DIGEST],
				     const uint8_t b[SF_SEAL_DIGEST])
{
	return memcmp(a, b, SF_SEAL_DIGEST) == 0 ? CLI_PARENT_SAME : CLI_PARENT_OTHER;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The file of the parent's name in the folder of @v. */
static char *path_beside(const struct cli_verified *v, const char *name)
{
	struct buf b = {0};
	char *path;

	buf_add(&b, v->path, (size_t)(base_name(v->path) - v->path));
	buf_str(&b, name);
	path = b.failed ? NULL : strdup(buf_cstr(&b));
	buf_done(&b);
	return path;
}

/* Its bytes are read only if there are as many. Return: false if there is no such file. */
static bool hash_beside(const char *path, uint64_t size, uint8_t sha256[SF_SEAL_DIGEST])
{
	struct sf_stream s = {0};
	struct stat sb;
	bool there = path && stat(path, &sb) == 0 && S_ISREG(sb.st_mode);

	memset(sha256, 0, SF_SEAL_DIGEST);
	if (!there || (uint64_t)sb.st_size != size)
		return there;
	there = sf_stream_open(&s, path, true, NULL) >= 0 && sf_stream_drain(&s, NULL) >= 0 &&
		sf_stream_hash(&s, sha256);
	sf_stream_done(&s);
	return there;
}

static enum cli_parent_state find_parent(const struct verify *o, const struct cli_verified *v,
					 const struct sf_seal_parent *p)
{
	uint8_t sha256[SF_SEAL_DIGEST];
	enum cli_parent_state state = CLI_PARENT_ABSENT;
	char *path;

	if (!p->hashed)
		return CLI_PARENT_UNKNOWN;
	for (size_t i = 0; i < o->count; i++) {
		const struct cli_verified *f = &o->files[i];

		if (!f->failed && f != v && compare(f->report.sha256, p->sha256) == CLI_PARENT_SAME)
			return CLI_PARENT_SAME;
	}
	if (strchr(p->name, '/') || !p->name[0])
		return CLI_PARENT_ABSENT;
	path = path_beside(v, p->name);
	if (hash_beside(path, p->size, sha256))
		state = compare(sha256, p->sha256);
	free(path);
	return state;
}

static int look_for_parents(const struct verify *o, struct cli_verified *v)
{
	const struct sf_seal_lineage *l = &v->report.lineage;

	v->parents = calloc(l->nparents + 1, sizeof(*v->parents));
	if (!v->parents) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (size_t i = 0; i < l->nparents && !cli_interrupted(); i++) {
		v->parents[i] = find_parent(o, v, &l->parents[i]);
		if (v->parents[i] == CLI_PARENT_OTHER)
			v->status = cli_worse(v->status, CLI_FINDINGS);
	}
	return 0;
}

/* ---- sets ---- */

static bool is_sealed(const struct cli_verified *v)
{
	return !v->failed && v->report.lines;
}

static bool follows(const struct cli_verified *v, const struct cli_verified *before)
{
	return is_sealed(before) && before->report.ended &&
	       memcmp(v->report.facts.previous_hash, before->report.last_hash, SF_SEAL_DIGEST) == 0;
}

/* Is another file of the set given? */
static void look_at_set(const struct verify *o, size_t i)
{
	struct cli_verified *v = &o->files[i];
	bool has_next = false;

	if (!is_sealed(v))
		return;
	for (size_t k = 0; k < o->count; k++) {
		if (v->report.facts.previous[0] && follows(v, &o->files[k])) {
			v->has_given_before = k + 1 == i;
			v->out_of_order = k + 1 != i;
		}
		has_next =
		    has_next || (is_sealed(&o->files[k]) && o->files[k].report.facts.previous[0] &&
				 follows(&o->files[k], v));
	}
	v->lacks_before =
	    v->report.facts.previous[0] && !v->has_given_before && !v->out_of_order && i > 0;
	v->lacks_next = v->report.rotated && !has_next && o->count > 1;
	if (v->out_of_order)
		v->status = cli_worse(v->status, CLI_FINDINGS);
	if (v->lacks_before || v->lacks_next)
		v->status = cli_worse(v->status, CLI_PARTIAL);
}

/* ---- all ---- */

static int show(const struct verify *o)
{
	struct buf b = {0};
	int status = 0;

	for (size_t i = 0; i < o->count && !status; i++) {
		const struct cli_verified *v = &o->files[i];

		if (v->failed)
			continue;
		if (o->json)
			cli_verified_json(&b, v);
		else
			cli_verified_text(&b, v);
		if (!o->json && i + 1 < o->count)
			buf_char(&b, '\n');
		status = cli_write(&b);
		buf_reset(&b);
	}
	buf_done(&b);
	return status;
}

static int work(struct verify *o, char **paths)
{
	int status = 0;

	for (size_t i = 0; i < o->count && !cli_interrupted(); i++) {
		o->files[i].path = paths[i];
		check_one(o, &o->files[i]);
	}
	cli_progress_done();
	if (cli_interrupted())
		return cli_interrupted();
	for (size_t i = 0; i < o->count && !status; i++) {
		look_at_set(o, i);
		status = look_for_parents(o, &o->files[i]);
	}
	if (!status)
		status = show(o);
	for (size_t i = 0; i < o->count; i++)
		status = cli_worse(status, o->files[i].status);
	return status;
}

int cmd_verify(int argc, char **argv)
{
	struct verify o = {0};
	const struct cli_parser parser = {"verify", verify_options, verify_examples, take_option,
					  &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given");
		return CLI_USAGE;
	}
	o.count = (size_t)(argc - first);
	o.files = calloc(o.count, sizeof(*o.files));
	if (!o.files) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	status = work(&o, argv + first);
	for (size_t i = 0; i < o.count; i++) {
		sf_seal_report_done(&o.files[i].report);
		free(o.files[i].parents);
	}
	free(o.files);
	return cli_worse(status, cli_flush());
}
