/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scapula verify: are captures what was sealed, and bundles what was made? What it is given decides
 * by its content: a bundle, as an archive or unpacked, a capture, a seal, or a custody log.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/custody.h"
#include "cli/rule_run.h"
#include "cli/verify.h"
#include "cli/verify_bundle.h"
#include "cli/verify_deep.h"
#include "scapfile/stream.h"

enum { OPT_KEY = OPT_AFTER_RULE_RUN, OPT_ROOT, OPT_SIGNERS, OPT_DEEP };

static const struct cli_option verify_options[] = {
    {'f', "format", "text|json",
     "a report, or an object for each bundle and capture; default text"},
    {OPT_KEY, "key", "FILE", "check the tags with the key that record --seal-key wrote"},
    {OPT_ROOT, "root", "HEX", "what the root of the bundle must be, as it was noted elsewhere"},
    {OPT_SIGNERS, "signers", "FILE",
     "who may have signed the bundle, as ssh-keygen's allowed signers"},
    {OPT_DEEP, "deep", NULL,
     "replay the captures of the bundle, and compare the alerts with its case's"},
    {'c', "config", "FILE", "of --deep: the Falco configuration that runs of the case were given"},
    CLI_OPTION_JOBS,
    {OPT_MEM_LIMIT, "mem-limit", "SIZE", "of --deep: status 5 where a replay needs more"},
    {0, NULL, NULL, NULL},
};

static const char *const verify_examples[] = {"verify host7.scap.zst",
					      "verify host7.0001.scap.zst host7.0002.scap.zst",
					      "verify --key host7.key host7.scap.zst",
					      "verify --signers team.signers web07.tar",
					      "verify --deep web07.tar",
					      NULL};

struct verify {
	struct cli_common common;
	bool json, deep;
	struct cli_deep_options how; /* of --deep */
	int argc;
	char **argv;
	const char *key, *root, *signers;
	struct cli_bundle *bundles;
	size_t nbundles;
	struct cli_verified *files;
	char **paths; /* of those that are in bundles, or NULL: an argument */
	size_t count;
	uint64_t done; /* bytes of files before the one in hand */
	int status;    /* of what is neither */
};

static int take_option(void *arg, int id, const char *value)
{
	struct verify *o = arg;

	switch (id) {
	case OPT_DEEP:
		o->deep = true;
		return 0;
	case 'c':
		o->how.config = value;
		return 0;
	case 'j':
		return cli_take_jobs(value, &o->how.jobs);
	case 'f':
		break;
	default:
		*(id == OPT_KEY ? &o->key : id == OPT_ROOT ? &o->root : &o->signers) = value;
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
	enum arc_kind kind;
	uint64_t is = 0;
	bool there = path && arc_look(path, &kind, &is, NULL) == 0 && kind == ARC_FILE;

	memset(sha256, 0, SF_SEAL_DIGEST);
	if (!there || is != size)
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
			v->status = cli_verdict_worse(v->status, CLI_FINDINGS);
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
		v->status = cli_verdict_worse(v->status, CLI_FINDINGS);
	if (v->lacks_before || v->lacks_next)
		v->status = cli_verdict_worse(v->status, CLI_PARTIAL);
}

/* ---- all ---- */

/* Write what is in @b, with an empty line in front of all but the first. */
static int show_next(const struct verify *o, struct buf *b, bool *first)
{
	int status;

	if (!o->json && !*first)
		fputc('\n', stdout);
	*first = false;
	status = cli_write(b);
	buf_reset(b);
	return status;
}

static int show(const struct verify *o)
{
	struct buf b = {0};
	bool first = true;
	int status = 0;

	for (size_t i = 0; i < o->nbundles && !status; i++) {
		if (o->bundles[i].failed)
			continue;
		(o->json ? cli_bundle_json : cli_bundle_text)(&b, &o->bundles[i]);
		status = show_next(o, &b, &first);
	}
	for (size_t i = 0; i < o->count && !status; i++) {
		if (o->files[i].failed)
			continue;
		(o->json ? cli_verified_json : cli_verified_text)(&b, &o->files[i]);
		status = show_next(o, &b, &first);
	}
	buf_done(&b);
	return status;
}

/* ---- what is it? ---- */

/* @own: the path, if it is not an argument; it is taken. */
static int add_file(struct verify *o, const char *path, char *own, bool in_bundle)
{
	struct cli_verified *files = realloc(o->files, (o->count + 1) * sizeof(*files));
	char **paths;

	if (files)
		o->files = files;
	paths = realloc(o->paths, (o->count + 1) * sizeof(*paths));
	if (paths)
		o->paths = paths;
	if (!files || !paths) {
		free(own);
		return cli_exit_of(ERR_NOMEM);
	}
	o->paths[o->count] = own;
	files[o->count] = (struct cli_verified){.path = own ? own : path, .in_bundle = in_bundle};
	check_one(o, &files[o->count++]);
	return 0;
}

/* A bundle, and the captures in it as if they were given one by one. */
static int add_bundle(struct verify *o, const char *path)
{
	const struct cli_bundle_options opt = {.root = o->root,
					       .signers = o->signers,
					       .deep = o->deep ? &o->how : NULL,
					       .done = &o->done};
	struct cli_bundle *bundles = realloc(o->bundles, (o->nbundles + 1) * sizeof(*bundles)), *b;
	int status = 0;

	if (!bundles)
		return cli_exit_of(ERR_NOMEM);
	o->bundles = bundles;
	b = &bundles[o->nbundles++];
	*b = (struct cli_bundle){.path = path};
	cli_check_bundle(b, &opt);
	for (size_t i = 0; !b->failed && !status && i < b->report.count && !cli_interrupted();
	     i++) {
		char *capture = cli_bundle_capture(b, i);

		if (capture)
			status = add_file(o, NULL, capture, true);
	}
	return status;
}

static int check_log(const char *path)
{
	struct custody_report r;
	struct error err = {0};

	if (custody_check(path, NULL, NULL, &r, &err) < 0)
		return cli_fail(&err);
	if (r.broken || r.torn) {
		cli_log(CLI_ERROR, "%s: %s", path, r.what);
		return r.broken ? CLI_FINDINGS : CLI_PARTIAL;
	}
	cli_log(CLI_NOTE, "%s: a custody log of %llu entries, unbroken", path,
		(unsigned long long)r.lines);
	return 0;
}

/* A case alone: it can only be said whether it is whole. */
static int check_case(const char *path)
{
	const struct sf_seal_check_options watch = cli_seal_watch(NULL);
	const struct bag_checking how = {.stop = watch.stop};
	struct error err = {0};
	int rc = bag_case_check(path, &how, &err);

	if (rc == ERR_INTERRUPTED)
		return cli_interrupted();
	if (rc < 0) {
		int status = cli_fail(&err);

		return rc == ERR_FORMAT ? CLI_FINDINGS : status;
	}
	cli_log(CLI_NOTE,
		"%s: a case, and the database is whole; nothing shows whether it was changed",
		path);
	return 0;
}

static bool is_seal(const char *path)
{
	static const char begin[] = "{\"n\":0,\"kind\":\"head\"";
	char head[sizeof(begin)];
	struct arc_file *f;
	bool is;

	if (!sv_ends(sv_of(path), SV_LIT(SF_SEAL_SUFFIX)) || arc_open_stored(path, &f, NULL) < 0)
		return false;
	is = arc_read(f, head, sizeof(head) - 1, NULL) == (int64_t)sizeof(head) - 1 &&
	     memcmp(head, begin, sizeof(head) - 1) == 0;
	arc_close(f);
	return is;
}

/* A seal stands for the capture that it is beside. */
static int add_sealed(struct verify *o, const char *seal)
{
	char *capture = strndup(seal, strlen(seal) - strlen(SF_SEAL_SUFFIX));

	return capture ? add_file(o, NULL, capture, false) : cli_exit_of(ERR_NOMEM);
}

/* What has a seal beside it is a capture, whatever its bytes have been made to look like. */
static bool has_seal_beside(const char *path)
{
	char *seal;
	bool sealed;

	if (asprintf(&seal, "%s" SF_SEAL_SUFFIX, path) < 0)
		return false;
	sealed = access(seal, F_OK) == 0;
	free(seal);
	return sealed;
}

static int take(struct verify *o, const char *path)
{
	struct error err = {0};
	int rc;

	if (strcmp(path, "-") == 0 || has_seal_beside(path))
		return add_file(o, path, NULL, false);
	rc = bag_is_bundle(path, &err);
	if (rc > 0)
		return add_bundle(o, path);
	if (rc < 0 && rc != ERR_IO && rc != ERR_UNSUPPORTED) {
		o->status = cli_verdict_worse(o->status, cli_fail(&err));
		return 0;
	}
	if (custody_is_log(path)) {
		o->status = cli_verdict_worse(o->status, check_log(path));
		return 0;
	}
	if (bag_is_database(path)) {
		o->status = cli_verdict_worse(o->status, check_case(path));
		return 0;
	}
	if (is_seal(path))
		return add_sealed(o, path);
	if (rc == 0 && cli_bundle_has_root(path)) {
		cli_log(CLI_ERROR,
			"'%s' is ALTERED: '%s" BAG_ROOT_SUFFIX "' is beside it, but it does not "
			"begin as an archive does, or has no bagit.txt",
			path, path);
		o->status = cli_verdict_worse(o->status, CLI_FINDINGS);
		return 0;
	}
	if (rc == 0 && arc_is_archive(path, NULL) > 0) {
		cli_log(CLI_ERROR,
			"'%s' is an archive, but no bundle: it has no bagit.txt; a capture in it "
			"is named as in '%s//CAPTURE'",
			path, path);
		o->status = cli_verdict_worse(o->status, CLI_INPUT);
		return 0;
	}
	return add_file(o, path, NULL, false);
}

static int work(struct verify *o, char **paths, int n)
{
	int status = 0;

	for (int i = 0; i < n && !status && !cli_interrupted(); i++)
		status = take(o, paths[i]);
	cli_progress_done();
	if (cli_interrupted() && !cli_timed_out())
		return cli_interrupted();
	for (size_t i = 0; i < o->count && !status; i++) {
		look_at_set(o, i);
		status = look_for_parents(o, &o->files[i]);
	}
	if (!status)
		status = show(o);
	for (size_t i = 0; i < o->nbundles; i++)
		status = cli_verdict_worse(status, o->bundles[i].status);
	for (size_t i = 0; i < o->count; i++)
		status = cli_verdict_worse(status, o->files[i].status);
	return cli_verdict_worse(cli_verdict_worse(status, o->status), cli_interrupted());
}

static const char *verdict_name(int status)
{
	switch (status) {
	case CLI_OK:
		return "verified: intact";
	case CLI_FINDINGS:
		return "verified: NOT as it was";
	case CLI_PARTIAL:
		return "verified: incomplete";
	default:
		return "not verified: it cannot be read";
	}
}

/* In the custody log, if there is one: what was verified, and what came of it. */
static int note_custody(const struct verify *o, int status)
{
	struct custody_file *files = calloc(o->nbundles + o->count + 1, sizeof(*files));
	struct custody_entry e = {.action = CUSTODY_VERIFY,
				  .reason = verdict_name(status),
				  .inputs = files,
				  .argc = o->argc,
				  .argv = o->argv};

	if (!files)
		return cli_exit_of(ERR_NOMEM);
	for (size_t i = 0; i < o->nbundles; i++)
		files[e.ninputs++].name = o->bundles[i].path;
	for (size_t i = 0; i < o->count; i++) {
		const struct cli_verified *v = &o->files[i];

		if (v->in_bundle)
			continue;
		files[e.ninputs] = (struct custody_file){
		    .name = v->path, .size = v->report.size, .hashed = !v->failed};
		memcpy(files[e.ninputs++].sha256, v->report.sha256, SF_SEAL_DIGEST);
	}
	status = e.ninputs && !cli_interrupted() ? cli_custody_note(NULL, &e) : 0;
	free(files);
	return status;
}

static void done(struct verify *o)
{
	for (size_t i = 0; i < o->nbundles; i++)
		cli_bundle_done(&o->bundles[i]);
	for (size_t i = 0; i < o->count; i++) {
		sf_seal_report_done(&o->files[i].report);
		free(o->files[i].parents);
		free(o->paths[i]);
	}
	free(o->bundles);
	free(o->files);
	free(o->paths);
}

static bool is_regular(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISREG(sb.st_mode) && access(path, R_OK) == 0;
}

int cmd_verify(int argc, char **argv)
{
	struct verify o = {.argc = argc, .argv = argv};
	const struct cli_parser parser = {"verify", verify_options, verify_examples, take_option,
					  &o};
	uint8_t root[BAG_DIGEST];
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	cli_catch_timeout(&o.common);
	o.how.common = &o.common;
	if (!o.how.jobs)
		o.how.jobs = cli_jobs_default();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given, and no bundle");
		return CLI_USAGE;
	}
	if (o.root && !bag_parse_hex(sv_of(o.root), root)) {
		cli_log(CLI_ERROR, "--root %s: expected 64 lower case hexadecimal digits", o.root);
		return CLI_USAGE;
	}
	/* ssh-keygen reads it more than once. */
	if (o.signers && !is_regular(o.signers)) {
		cli_log(CLI_ERROR, "--signers %s: it is no file that can be read", o.signers);
		return CLI_INPUT;
	}
	status = work(&o, argv + first, argc - first);
	status = cli_verdict_worse(status, note_custody(&o, status));
	done(&o);
	return cli_verdict_worse(status, cli_flush());
}
