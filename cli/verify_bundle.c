/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_bundle.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/verify.h"
#include "cli/verify_deep.h"
#include "scapfile/seal.h"

#define FAULTS_TOLD 20 /* in a report for reading */

static bool stop(void *arg)
{
	(void)arg;
	return cli_interrupted() != 0;
}

static void progress(void *arg, uint64_t bytes)
{
	const uint64_t *done = arg;
	const struct run_progress p = {.file_done = (done ? *done : 0) + bytes};

	cli_progress(NULL, &p);
}

/* ---- the root, and who signed it ---- */

/* @path without a slash at its end, and @suffix. */
static char *name_of(const char *path, const char *suffix)
{
	size_t n = strlen(path);
	char *name = NULL;

	while (n > 1 && path[n - 1] == '/')
		n--;
	return asprintf(&name, "%.*s%s", (int)n, path, suffix) < 0 ? NULL : name;
}

/* Beside the bundle; of a directory also beside the archive it may have been unpacked from. */
static char *find_root_file(const char *path)
{
	static const char *const suffixes[] = {BAG_ROOT_SUFFIX, ".tar" BAG_ROOT_SUFFIX,
					       ".zip" BAG_ROOT_SUFFIX};
	struct stat sb;
	size_t n = stat(path, &sb) == 0 && S_ISDIR(sb.st_mode) ? COUNT_OF(suffixes) : 1;

	for (size_t i = 0; i < n; i++) {
		char *name = name_of(path, suffixes[i]);

		if (name && stat(name, &sb) == 0 && S_ISREG(sb.st_mode))
			return name;
		free(name);
	}
	return NULL;
}

bool cli_bundle_has_root(const char *path)
{
	char *file = find_root_file(path);
	bool has = file != NULL;

	free(file);
	return has;
}

/* Return: false if it is none. */
static bool read_root_file(const char *name, uint8_t root[BAG_DIGEST])
{
	static const char rest[] = "  " BAG_TAGS "\n";
	char text[256];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	size_t digits = 2 * BAG_DIGEST;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)(digits + sizeof(rest) - 1) &&
	       memcmp(text + digits, rest, sizeof(rest) - 1) == 0 &&
	       bag_parse_hex(sv_make(text, digits), root);
}

static void compare_root(struct cli_bundle *b, const uint8_t root[BAG_DIGEST])
{
	bool same = b->report.has_root && memcmp(root, b->report.root, BAG_DIGEST) == 0;

	b->root = same && b->root != CLI_ROOT_OTHER ? CLI_ROOT_SAME : CLI_ROOT_OTHER;
}

static void check_root(struct cli_bundle *b, const struct cli_bundle_options *opt)
{
	uint8_t root[BAG_DIGEST] = {0};
	char *file = find_root_file(b->path);

	if (opt->root) {
		bool is = bag_parse_hex(sv_of(opt->root), root);

		if (is)
			compare_root(b, root);
		else
			b->root = CLI_ROOT_OTHER;
	}
	if (file) {
		if (read_root_file(file, root))
			compare_root(b, root);
		else
			b->root = CLI_ROOT_OTHER;
		b->signature = cli_check_signature(file, opt->signers, &b->signer);
		free(file);
	}
}

/* ---- what is in it ---- */

static bool is_directory(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}

char *cli_bundle_member(const struct cli_bundle *b, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s%s", b->path, is_directory(b->path) ? "/" : ARC_SEPARATOR,
			b->report.prefix, name) < 0
		   ? NULL
		   : path;
}

char *cli_bundle_capture(const struct cli_bundle *b, size_t i)
{
	const struct bag_file *f = &b->report.list[i];
	struct sv name = sv_of(f->name);

	if (!f->seen || !f->whole || !sv_starts(name, SV_LIT(BAG_CAPTURES)) ||
	    sv_ends(name, SV_LIT(SF_SEAL_SUFFIX)))
		return NULL;
	return cli_bundle_member(b, f->name);
}

/* Return: 0, also if it is not whole; or an exit status (told). */
static int check_case(struct cli_bundle *b, const char *path)
{
	const struct bag_checking how = {.stop = stop};
	struct error err = {0};
	int rc = bag_case_check(path, &how, &err);

	b->cases++;
	if (rc == 0 && !b->good_case)
		b->good_case = strdup(path);
	if (rc == 0)
		return 0;
	if (rc != ERR_FORMAT && rc != ERR_DB)
		return cli_interrupted() ? cli_interrupted() : cli_fail(&err);
	if (!b->bad_cases++)
		snprintf(b->bad_case, sizeof(b->bad_case), "%s", err.msg);
	return 0;
}

/* Members that are as they were may still make no sense. */
static int check_contents(struct cli_bundle *b)
{
	for (size_t i = 0; i < b->report.count && !cli_interrupted(); i++) {
		const struct bag_file *f = &b->report.list[i];
		bool result = sv_starts(sv_of(f->name), SV_LIT(BAG_RESULTS));
		char *path;
		int rc = 0;

		if (!f->seen || !f->whole || !(result || strcmp(f->name, BAG_CUSTODY) == 0))
			continue;
		path = cli_bundle_member(b, f->name);
		if (!path)
			return cli_exit_of(ERR_NOMEM);
		if (!result) {
			struct error err = {0};

			b->has_custody = true;
			rc = custody_check(path, NULL, NULL, &b->custody, &err);
			if (rc < 0)
				rc = cli_fail(&err);
		} else if (bag_is_database(path)) {
			rc = check_case(b, path);
		}
		free(path);
		if (rc)
			return rc;
	}
	return 0;
}

static int status_of(const struct cli_bundle *b)
{
	if (b->report.verdict == BAG_BAD || b->root == CLI_ROOT_OTHER ||
	    b->signature == CLI_SIGNATURE_BAD || b->custody.broken || b->bad_cases)
		return CLI_FINDINGS;
	return b->report.verdict == BAG_INCOMPLETE || b->custody.torn ? CLI_PARTIAL : CLI_OK;
}

static int repeat_runs(struct cli_bundle *b, const struct cli_deep_options *opt)
{
	b->deep = calloc(1, sizeof(*b->deep));
	if (!b->deep)
		return cli_exit_of(ERR_NOMEM);
	b->deep->opt = opt;
	cli_check_deep(b->deep, b->good_case, b);
	return 0;
}

void cli_check_bundle(struct cli_bundle *b, const struct cli_bundle_options *opt)
{
	const struct bag_checking how = {.progress = progress, .stop = stop, .arg = opt->done};
	struct error err = {0};
	int rc = bag_check(b->path, &how, &b->report, &err);

	if (rc == ERR_INTERRUPTED)
		b->failed = cli_interrupted();
	else if (rc < 0)
		b->failed = cli_fail(&err);
	if (!b->failed) {
		check_root(b, opt);
		b->failed = check_contents(b);
	}
	if (!b->failed && opt->deep)
		b->failed = repeat_runs(b, opt->deep);
	/* What was found out before the time was up is told. */
	if (!b->failed && !cli_timed_out())
		b->failed = cli_interrupted();
	b->status = b->failed ? b->failed : status_of(b);
	if (b->deep && !b->failed)
		b->status = cli_verdict_worse(b->status, b->deep->status);
}

void cli_bundle_done(struct cli_bundle *b)
{
	bag_report_done(&b->report);
	buf_done(&b->signer);
	if (b->deep)
		cli_deep_done(b->deep);
	free(b->deep);
	free(b->good_case);
}

/* ---- text ---- */

static void row(struct buf *b, const char *name)
{
	buf_addf(b, "%-14s", name);
}

static void text_faults(struct buf *b, const struct bag_report *r)
{
	for (uint64_t i = 0; i < r->nfaults && i < BAG_FAULTS_MAX && i < FAULTS_TOLD; i++) {
		const struct bag_fault *f = &r->faults[i];

		row(b, bag_fault_name(f->kind));
		if (*f->name) {
			cli_safe(b, sv_of(f->name));
			buf_lit(b, ": ");
		}
		cli_safe(b, sv_of(f->what));
		buf_char(b, '\n');
	}
	if (r->nfaults > FAULTS_TOLD)
		buf_addf(b, "%14sand %" PRIu64 " more\n", "", r->nfaults - FAULTS_TOLD);
}

static void text_verdict(struct buf *b, const struct bag_report *r)
{
	row(b, "verdict");
	switch (r->verdict) {
	case BAG_INTACT:
		buf_lit(b,
			"intact: every file is as the manifests have it, and no other is there\n");
		return;
	case BAG_INCOMPLETE:
		buf_str(b, r->cut ? "incomplete: the archive ends too early; what is there is as "
				    "it was\n"
				  : "incomplete: what is there is as it was, but not all is\n");
		return;
	case BAG_BAD:
		buf_lit(b, "ALTERED: the bundle is not what was made\n");
		return;
	}
}

static void text_info(struct buf *b, const char *info)
{
	struct sv rest = sv_of(info);

	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct sv line = sv_make(rest.p, end ? (size_t)(end - rest.p) : rest.n);

		row(b, rest.p == info ? "info" : "");
		cli_safe(b, line);
		buf_char(b, '\n');
		rest = sv_drop(rest, line.n + 1);
	}
}

static void text_root(struct buf *b, const struct cli_bundle *v)
{
	static const char *const told[] = {
	    [CLI_ROOT_UNKNOWN] = "compare it with what was noted elsewhere",
	    [CLI_ROOT_SAME] = "the one that was noted",
	    [CLI_ROOT_OTHER] = "NOT THE ONE THAT WAS NOTED",
	};

	if (v->report.has_root) {
		row(b, "root");
		bag_hex(b, v->report.root);
		buf_char(b, '\n');
		row(b, "");
	} else {
		row(b, "root");
	}
	buf_addf(b, "%s\n", told[v->root]);
}

static void text_signature(struct buf *b, const struct cli_bundle *v)
{
	static const char *const told[] = {
	    [CLI_SIGNATURE_NONE] = "none",
	    [CLI_SIGNATURE_UNCHECKED] = "not checked: ssh-keygen is not there",
	    [CLI_SIGNATURE_ANYBODY] = "right, but whose key it is was not looked up: --signers",
	    [CLI_SIGNATURE_GOOD] = "good, of ",
	    [CLI_SIGNATURE_BAD] = "BAD",
	};

	row(b, "signature");
	buf_str(b, told[v->signature]);
	if (v->signature == CLI_SIGNATURE_ANYBODY && v->signer.len)
		buf_addf(b, "\n%14s", "");
	if (v->signature >= CLI_SIGNATURE_ANYBODY && v->signature <= CLI_SIGNATURE_GOOD)
		cli_safe(b, buf_view(&v->signer));
	buf_char(b, '\n');
}

static void text_custody(struct buf *b, const struct cli_bundle *v)
{
	if (!v->has_custody)
		return;
	row(b, "custody");
	buf_addf(b, "%" PRIu64 " entries", v->custody.lines);
	if (v->custody.broken || v->custody.torn)
		buf_addf(b, ", %s: %s\n", v->custody.broken ? "BROKEN" : "incomplete",
			 v->custody.what);
	else
		buf_lit(b, ", unbroken\n");
}

void cli_bundle_text(struct buf *b, const struct cli_bundle *v)
{
	const struct bag_report *r = &v->report;

	row(b, "bundle");
	cli_safe(b, sv_of(v->path));
	buf_lit(b, ", ");
	cli_safe(b, sv_of(r->format));
	buf_char(b, '\n');
	text_verdict(b, r);
	text_faults(b, r);
	row(b, "files");
	cli_grouped(b, r->good);
	buf_lit(b, " of ");
	cli_grouped(b, r->files);
	buf_lit(b, " as they were, ");
	cli_bytes(b, r->bytes);
	buf_char(b, '\n');
	text_info(b, r->info);
	text_root(b, v);
	text_signature(b, v);
	text_custody(b, v);
	if (v->bad_cases) {
		row(b, "case");
		cli_safe(b, sv_of(v->bad_case));
		buf_char(b, '\n');
	} else if (v->cases) {
		row(b, "case");
		buf_lit(b, "the database is whole\n");
	}
	if (v->deep)
		cli_deep_text(b, v->deep, v->good_case != NULL);
}

/* ---- JSON ---- */

static void json_text(struct buf *b, const char *name, struct sv text)
{
	buf_addf(b, ",\"%s\":", name);
	json_string(b, text);
}

static void json_faults(struct buf *b, const struct bag_report *r)
{
	buf_addf(b, ",\"faults\":%" PRIu64 ",\"list\":[", r->nfaults);
	for (uint64_t i = 0; i < r->nfaults && i < BAG_FAULTS_MAX; i++) {
		buf_addf(b, "%s{\"kind\":\"%s\"", i ? "," : "", bag_fault_name(r->faults[i].kind));
		json_text(b, "name", sv_of(r->faults[i].name));
		json_text(b, "what", sv_of(r->faults[i].what));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

void cli_bundle_json(struct buf *b, const struct cli_bundle *v)
{
	static const char *const roots[] = {"unknown", "same", "other"};
	const struct bag_report *r = &v->report;

	buf_lit(b, "{\"path\":");
	json_string(b, sv_of(v->path));
	buf_addf(b, ",\"kind\":\"bundle\",\"verdict\":\"%s\",\"cut\":%s",
		 bag_verdict_name(r->verdict), r->cut ? "true" : "false");
	json_text(b, "format", sv_of(r->format));
	json_faults(b, r);
	buf_addf(b, ",\"files\":%" PRIu64 ",\"files_as_listed\":%" PRIu64 ",\"bytes\":%" PRIu64,
		 r->files, r->good, r->bytes);
	json_text(b, "info", sv_of(r->info));
	if (r->has_root) {
		buf_lit(b, ",\"root\":\"");
		bag_hex(b, r->root);
		buf_char(b, '"');
	}
	buf_addf(b, ",\"root_compared\":\"%s\",\"signature\":\"%s\"", roots[v->root],
		 cli_signature_name(v->signature));
	if (v->signer.len)
		json_text(b, "signer", buf_view(&v->signer));
	if (v->has_custody)
		buf_addf(b, ",\"custody\":{\"entries\":%" PRIu64 ",\"broken\":%s,\"torn\":%s}",
			 v->custody.lines, v->custody.broken ? "true" : "false",
			 v->custody.torn ? "true" : "false");
	if (v->deep)
		cli_deep_json(b, v->deep);
	buf_addf(b, ",\"cases\":%zu,\"cases_damaged\":%zu,\"status\":%d}\n", v->cases, v->bad_cases,
		 v->status);
}
