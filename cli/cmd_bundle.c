/* SPDX-License-Identifier: Apache-2.0 */
/* scapula bundle: captures, a case and rules as one archive that anybody can verify. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "cli/case_report.h"
#include "cli/custody.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/scratch.h"
#include "cli/signing.h"
#include "scapfile/files.h"
#include "scapfile/seal.h"

enum {
	OPT_ADD = OPT_COMMAND_FIRST,
	OPT_FORCE,
	OPT_FORMAT,
	OPT_CUSTODY,
	OPT_DESCRIPTION,
	OPT_ORGANIZATION,
	OPT_SIGN,
	OPT_INCOMPLETE,
	OPT_NO_REPORT,
};

#define LIST_MAX 1000u /* of an option that may be repeated */

static const struct cli_option bundle_options[] = {
    {'o', "output", "FILE", "of create: the bundle; -: standard output"},
    {OPT_FORCE, "force", NULL, "replace FILE if there is one"},
    {OPT_FORMAT, "container", "tar|zip", "default: by the suffix of FILE, else tar"},
    {'r', "rules", "FILE|DIR", "rule files to go in; may be repeated"},
    {OPT_ADD, "add", "FILE", "another result, such as a report; may be repeated"},
    {OPT_NO_REPORT, "no-report", NULL, "leave out the report and the alerts of the case"},
    {OPT_CUSTODY, "custody", "LOG",
     "a custody log: goes in as it is, and gets an entry about the bundle"},
    {OPT_DESCRIPTION, "description", "TEXT", "what it is, in a line of bag-info.txt"},
    {OPT_ORGANIZATION, "organization", "TEXT", "whose it is, likewise"},
    {OPT_SIGN, "sign", "KEY", "sign the root with ssh-keygen and this key"},
    {OPT_INCOMPLETE, "incomplete", NULL,
     "leave out what the case was made from and is not there; status 5"},
    {0, NULL, NULL, NULL},
};

static const char *const bundle_examples[] = {
    "bundle create web07.db -o web07.tar",
    "bundle create -r rules.yaml host7.scap.zst -o host7.tar --sign ~/.ssh/id_ed25519",
    "bundle list web07.tar", NULL};

struct list {
	const char *v[LIST_MAX];
	size_t n;
};

struct bundle {
	struct cli_common common;
	struct bag_making making;
	const char *output, *custody, *sign;
	bool force, incomplete, no_report, zip, tar;
	struct list rules, add;
	int argc;
	char **argv;
	struct bag_maker *maker;
	struct custody_file *inputs; /* captures and rules, for the custody log */
	size_t ninputs;
	struct arena arena;
	unsigned nrules;
	struct cli_scratch scratch; /* for the copy of the case */
	int status;
};

static int take_container(struct bundle *o, const char *value)
{
	o->zip = strcmp(value, "zip") == 0;
	o->tar = strcmp(value, "tar") == 0;
	if (o->zip || o->tar)
		return 0;
	cli_log(CLI_ERROR, "--container %s: expected tar or zip", value);
	return CLI_USAGE;
}

static int take_many(struct list *l, const char *option, const char *value)
{
	if (l->n == LIST_MAX) {
		cli_log(CLI_ERROR, "--%s is given more than %u times", option, LIST_MAX);
		return CLI_USAGE;
	}
	l->v[l->n++] = value;
	return 0;
}

static int take_option(void *arg, int id, const char *value)
{
	struct bundle *o = arg;

	switch (id) {
	case 'o':
		o->output = value;
		return 0;
	case 'r':
		return take_many(&o->rules, "rules", value);
	case OPT_ADD:
		return take_many(&o->add, "add", value);
	case OPT_FORMAT:
		return take_container(o, value);
	case OPT_FORCE:
		o->force = true;
		return 0;
	case OPT_INCOMPLETE:
		o->incomplete = true;
		return 0;
	case OPT_NO_REPORT:
		o->no_report = true;
		return 0;
	case OPT_CUSTODY:
		o->custody = value;
		return 0;
	case OPT_DESCRIPTION:
		o->making.description = value;
		return 0;
	case OPT_ORGANIZATION:
		o->making.organization = value;
		return 0;
	default:
		o->sign = value;
		return 0;
	}
}

/* ---- the output, which is no input ---- */

/* Behind its name: the bundle itself, its root, and the signature of that. */
static const char *const suffixes[] = {"", BAG_ROOT_SUFFIX, BAG_SIGNED_SUFFIX};

static bool to_stdout(const struct bundle *o)
{
	return strcmp(o->output, "-") == 0;
}

static char *beside(const struct bundle *o, const char *suffix)
{
	char *name = NULL;

	return asprintf(&name, "%s%s", o->output, suffix) < 0 ? NULL : name;
}

/* Neither the bundle nor what vouches for it replaces what goes in. */
static int check_input(const struct bundle *o, const char *path)
{
	int status = 0;

	for (size_t i = 0; i < COUNT_OF(suffixes) && !status && !to_stdout(o); i++) {
		char *name = beside(o, suffixes[i]);

		status = name ? cli_output_is_no_input(name, path) : cli_exit_of(ERR_NOMEM);
		free(name);
	}
	return status;
}

/* ---- what goes in ---- */

static bool is_file(const char *path)
{
	enum arc_kind kind;
	uint64_t size;

	return arc_look(path, &kind, &size, NULL) == 0 && kind == ARC_FILE;
}

/* Note an input whose hash is known. Return: 1; 0: there is one of that hash already; or
 * ERR_NOMEM. */
static int note_input(struct bundle *o, const char *path, uint64_t size,
		      const uint8_t sha256[BAG_DIGEST])
{
	struct custody_file *list;

	for (size_t i = 0; i < o->ninputs; i++)
		if (memcmp(o->inputs[i].sha256, sha256, BAG_DIGEST) == 0)
			return 0;
	list = realloc(o->inputs, (o->ninputs + 1) * sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	o->inputs = list;
	list[o->ninputs] = (struct custody_file){
	    .name = arena_strdup(&o->arena, path), .size = size, .hashed = true};
	memcpy(list[o->ninputs].sha256, sha256, BAG_DIGEST);
	return list[o->ninputs++].name ? 1 : ERR_NOMEM;
}

/* The file @path as the member @name. Return: 0 or an exit status (told). */
static int add_file(struct bundle *o, const char *name, const char *path)
{
	struct error err = {0};
	int status = check_input(o, path);

	return status || bag_maker_file(o->maker, name, path, &err) == 0 ? status : cli_fail(&err);
}

/* @path as a member under @dir that has its name. */
static int add_under(struct bundle *o, const char *dir, const char *path, const char **name)
{
	*name = bag_maker_name(o->maker, dir, path);
	return *name ? add_file(o, *name, path) : cli_exit_of(ERR_NOMEM);
}

static int add_seal(struct bundle *o, const char *path, const char *name)
{
	char *seal = NULL, *seal_name = NULL;
	int status = 0;

	if (asprintf(&seal, "%s" SF_SEAL_SUFFIX, path) < 0)
		return cli_exit_of(ERR_NOMEM);
	if (is_file(seal)) {
		if (asprintf(&seal_name, "%s" SF_SEAL_SUFFIX, name) < 0)
			status = cli_exit_of(ERR_NOMEM);
		else
			status = add_file(o, seal_name, seal);
		free(seal_name);
	}
	free(seal);
	return status;
}

static int add_capture(struct bundle *o, const char *path)
{
	uint8_t sha256[BAG_DIGEST];
	struct error err = {0};
	const char *name;
	uint64_t size;
	int rc = check_input(o, path);

	if (rc)
		return rc;
	if (bag_maker_hash(o->maker, path, &size, sha256, &err) < 0)
		return cli_interrupted() ? cli_interrupted() : cli_fail(&err);
	rc = note_input(o, path, size, sha256);
	if (rc <= 0) /* it is in already */
		return rc < 0 ? cli_exit_of(rc) : 0;
	name = bag_maker_name(o->maker, BAG_CAPTURES, path);
	if (!name)
		return cli_exit_of(ERR_NOMEM);
	if (bag_maker_capture(o->maker, name, path, &err) < 0)
		return cli_fail(&err);
	return add_seal(o, path, name);
}

/* Rules keep their order: "data/rules/001-falco.yaml". */
static int add_rule_file(struct bundle *o, const char *path)
{
	uint8_t sha256[BAG_DIGEST];
	struct error err = {0};
	const char *plain;
	char *name = NULL;
	uint64_t size;
	int status, rc;

	if (bag_maker_hash(o->maker, path, &size, sha256, &err) < 0)
		return cli_interrupted() ? cli_interrupted() : cli_fail(&err);
	rc = note_input(o, path, size, sha256);
	if (rc <= 0)
		return rc < 0 ? cli_exit_of(rc) : 0;
	plain = bag_maker_name(o->maker, "", path);
	if (!plain || asprintf(&name, BAG_RULES "%03u-%s", ++o->nrules, sf_file_base(plain)) < 0)
		return cli_exit_of(ERR_NOMEM);
	status = add_file(o, name, path);
	free(name);
	return status;
}

static int add_rules(struct bundle *o, const char *path)
{
	char **files;
	size_t n;
	int status = cli_rule_paths(path, &files, &n);

	for (size_t i = 0; i < n; i++) {
		if (!status)
			status = add_rule_file(o, files[i]);
		free(files[i]);
	}
	free(files);
	return status;
}

/* ---- a case ---- */

static int missing(struct bundle *o, const char *what, const char *path, const char *why)
{
	struct buf b = {0};

	cli_safe(&b, sv_of(path));
	cli_log(o->incomplete ? CLI_WARNING : CLI_ERROR,
		"%s '%s', which the case was made from, %s%s", what, buf_cstr(&b), why,
		o->incomplete ? "; it is left out" : "; --incomplete leaves it out");
	buf_done(&b);
	if (!o->incomplete)
		return CLI_INPUT;
	o->status = CLI_PARTIAL;
	return 0;
}

/* A capture that xz or the like compressed has the hash of what it holds. */
static bool holds_the_one(const char *path, const struct bag_case_file *f)
{
	struct custody_file file = {.name = path};

	return cli_custody_hash(&file) == 0 && file.hashed &&
	       memcmp(file.sha256, f->sha256, BAG_DIGEST) == 0;
}

/* Has the file at @path the hash that the case has? */
static bool is_the_one(struct bundle *o, const char *path, const struct bag_case_file *f)
{
	uint8_t sha256[BAG_DIGEST];
	uint64_t size;

	return is_file(path) && bag_maker_hash(o->maker, path, &size, sha256, NULL) == 0 &&
	       (!f->hashed || memcmp(sha256, f->sha256, BAG_DIGEST) == 0 || holds_the_one(path, f));
}

static bool is_in(const struct bundle *o, const struct bag_case_file *f)
{
	for (size_t i = 0; f->hashed && i < o->ninputs; i++)
		if (memcmp(o->inputs[i].sha256, f->sha256, BAG_DIGEST) == 0)
			return true;
	return false;
}

/* A file of the case: where it was, or beside the case. */
static int add_origin(struct bundle *o, const char *db, const struct bag_case_file *f, bool rule)
{
	char *beside = NULL;
	const char *found = NULL;
	int status;

	if (is_in(o, f))
		return 0;
	if (asprintf(&beside, "%.*s%s", (int)(sf_file_base(db) - db), db, sf_file_base(f->path)) <
	    0)
		return cli_exit_of(ERR_NOMEM);
	if (is_the_one(o, f->path, f))
		found = f->path;
	else if (is_the_one(o, beside, f))
		found = beside;
	if (cli_interrupted())
		status = cli_interrupted();
	else if (found)
		status = rule ? add_rule_file(o, found) : add_capture(o, found);
	else
		status = missing(o, rule ? "the rule file" : "the capture", f->path,
				 is_file(f->path) ? "is not what it was then" : "is not there");
	free(beside);
	return status;
}

static int add_origins(struct bundle *o, const char *db)
{
	struct bag_case c;
	struct error err = {0};
	int status = bag_case_read(db, &c, &err) < 0 ? cli_fail(&err) : 0;

	for (size_t i = 0; i < c.ncaptures && !status; i++)
		status = add_origin(o, db, &c.captures[i], false);
	for (size_t i = 0; i < c.nrules && !status; i++)
		status = add_origin(o, db, &c.rules[i], true);
	bag_case_done(&c);
	return status;
}

static int put(void *arg, const void *p, size_t n, struct error *err)
{
	const int *fd = arg;

	return sf_file_write(*fd, p, n) == n
		   ? 0
		   : error_sys(err, errno, "cannot put a report aside in $TMPDIR");
}

/* The archive has lengths and hashes in front, so that it must be whole before. */
static int add_report(struct bundle *o, const struct cli_case_report *r,
		      const struct cli_case_source *source)
{
	const char *name = bag_maker_name(o->maker, BAG_RESULTS, r->file);
	struct error err = {0};
	int fd = name ? arc_nameless(&err) : error_nomem(&err), rc = fd < 0 ? fd : 0;

	if (rc == 0)
		rc = cli_case_report_write(r, source, put, &fd, &err);
	if (rc == 0)
		rc = bag_maker_from_case(o->maker, name, fd, &err);
	else if (fd >= 0)
		close(fd);
	if (rc == ERR_INTERRUPTED)
		return cli_interrupted();
	if (rc == 0)
		return 0;
	cli_log(CLI_ERROR, "%s; --no-report leaves the report out", err.msg);
	return cli_exit_of(rc);
}

/* What is in the bundle says the same: reports are made of the copy that goes in. */
static int add_reports(struct bundle *o, const char *path, const char *member)
{
	const struct cli_case_source source = {o->scratch.file, path, member};
	int status = 0;

	for (size_t i = 0; cli_case_reports[i].file && !o->no_report && !status; i++)
		status = add_report(o, &cli_case_reports[i], &source);
	return status;
}

/* A case goes in as it is now, without its write-ahead log, and only if it is whole. */
static int add_case(struct bundle *o, const char *path)
{
	uint8_t sha256[BAG_DIGEST];
	struct error err = {0};
	const char *name;
	uint64_t size;
	int status;

	if (o->scratch.file) {
		cli_log(CLI_ERROR, "'%s' is a second case; a bundle has one", path);
		return CLI_USAGE;
	}
	status = check_input(o, path);
	if (!status)
		status = cli_scratch_make(&o->scratch);
	if (status)
		return status;
	if (bag_case_copy(path, o->scratch.file, &err) < 0 ||
	    bag_case_check(o->scratch.file, NULL, &err) < 0)
		return cli_fail(&err);
	name = bag_maker_name(o->maker, BAG_RESULTS, path);
	if (!name)
		return cli_exit_of(ERR_NOMEM);
	if (bag_maker_file(o->maker, name, o->scratch.file, &err) < 0 ||
	    bag_maker_hash(o->maker, o->scratch.file, &size, sha256, &err) < 0)
		return cli_interrupted() ? cli_interrupted() : cli_fail(&err);
	if (note_input(o, path, size, sha256) < 0)
		return cli_exit_of(ERR_NOMEM);
	status = add_reports(o, path, name);
	return status ? status : add_origins(o, path);
}

static int add_custody(struct bundle *o)
{
	struct custody_report r;
	struct error err = {0};

	if (!o->custody || !is_file(o->custody))
		return 0;
	if (custody_check(o->custody, NULL, NULL, &r, &err) < 0)
		return cli_fail(&err);
	if (!r.broken && !r.torn)
		return add_file(o, BAG_CUSTODY, o->custody);
	cli_log(CLI_ERROR, "the custody log '%s' is not whole: %s", o->custody, r.what);
	return CLI_FINDINGS;
}

static int gather(struct bundle *o, char **paths, int n)
{
	const char *name;
	int status = add_custody(o);

	/* Rules that are given come first, in the order in which they are given. */
	for (size_t i = 0; i < o->rules.n && !status; i++)
		status = add_rules(o, o->rules.v[i]);
	for (int i = 0; i < n && !status; i++)
		status =
		    bag_is_database(paths[i]) ? add_case(o, paths[i]) : add_capture(o, paths[i]);
	for (size_t i = 0; i < o->add.n && !status; i++)
		status = add_under(o, BAG_RESULTS, o->add.v[i], &name);
	return status;
}

/* ---- the output ---- */

static int check_output(const struct bundle *o)
{
	int status = 0;

	if (to_stdout(o)) {
		if (!o->sign)
			return 0;
		cli_log(CLI_ERROR, "--sign needs a file, whose root it signs");
		return CLI_USAGE;
	}
	for (size_t i = 0; i < COUNT_OF(suffixes) && !status; i++) {
		char *name = beside(o, suffixes[i]);

		status = name ? cli_output_check(name, o->force) : cli_exit_of(ERR_NOMEM);
		free(name);
	}
	return status;
}

/* One line, as sha256sum checks it. */
static int write_root(const struct bundle *o, const struct bag_made *made)
{
	char *name = beside(o, BAG_ROOT_SUFFIX), *partial = NULL;
	struct error err = {0};
	struct buf b = {0};
	int fd = name ? sf_file_create_partial(name, &partial, &err) : error_nomem(&err);
	int status = fd < 0 ? cli_fail(&err) : 0;

	bag_hex(&b, made->root);
	buf_lit(&b, "  " BAG_TAGS "\n");
	if (!status && (sf_file_write(fd, b.p, b.len) != b.len || fsync(fd) < 0)) {
		cli_log(CLI_ERROR, "cannot write '%s': %s", partial, strerror(errno));
		status = CLI_INPUT;
	}
	if (fd >= 0)
		close(fd);
	if (!status)
		status = cli_output_place(partial, name, o->force);
	if (status && partial)
		unlink(partial);
	if (!status && o->sign)
		status = cli_sign(o->sign, name);
	buf_done(&b);
	free(partial);
	free(name);
	return status;
}

/* What vouches for an older bundle goes before it does. */
static void forget_old(const struct bundle *o)
{
	for (size_t i = COUNT_OF(suffixes); --i > 0;) {
		char *name = beside(o, suffixes[i]);

		if (name)
			unlink(name);
		free(name);
	}
}

static enum arc_container container_of(const struct bundle *o)
{
	bool named_zip = sv_ends(sv_of(o->output), SV_LIT(".zip"));

	return o->zip || (named_zip && !o->tar) ? ARC_ZIP : ARC_TAR;
}

static int write_bundle(struct bundle *o, struct bag_made *made)
{
	struct error err = {0};
	char *partial = NULL;
	int fd, rc, status = 0;

	if (to_stdout(o)) {
		rc = bag_maker_write(o->maker, STDOUT_FILENO, container_of(o), made, &err);
		return rc < 0 ? cli_fail(&err) : 0;
	}
	fd = sf_file_create_partial(o->output, &partial, &err);
	if (fd < 0)
		return cli_fail(&err);
	rc = bag_maker_write(o->maker, fd, container_of(o), made, &err);
	if (rc == 0 && fsync(fd) < 0)
		rc = error_sys(&err, errno, "cannot write '%s'", partial);
	close(fd);
	cli_progress_done();
	if (rc == ERR_INTERRUPTED) {
		status = cli_interrupted();
	} else if (rc < 0) {
		cli_log(CLI_ERROR, "'%s' is not made: %s", o->output, err.msg);
		status = cli_exit_of(rc);
	}
	if (!status) {
		forget_old(o);
		status = cli_output_place(partial, o->output, o->force);
	}
	if (status)
		unlink(partial);
	free(partial);
	return status ? status : write_root(o, made);
}

static int tell(const struct bundle *o, const struct bag_made *made)
{
	struct buf b = {0};
	int status = 0;

	buf_lit(&b, "root  ");
	bag_hex(&b, made->root);
	if (to_stdout(o)) {
		cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	} else {
		buf_char(&b, '\n');
		status = cli_write(&b);
	}
	buf_reset(&b);
	cli_safe(&b, sv_of(o->output));
	buf_lit(&b, ": ");
	cli_grouped(&b, made->files);
	buf_addf(&b, " file%s, ", made->files == 1 ? "" : "s");
	cli_bytes(&b, made->bytes);
	cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	buf_done(&b);
	return status;
}

/* In the custody log: what went in, what came of it, and what stands for all of it. */
static int note(struct bundle *o, const struct bag_made *made)
{
	struct custody_file out[2] = {{.name = BAG_TAGS, .size = made->root_size, .hashed = true},
				      {.name = o->output}};
	struct custody_entry e = {.action = CUSTODY_EXPORT,
				  .reason = o->making.description,
				  .inputs = o->inputs,
				  .ninputs = o->ninputs,
				  .outputs = out,
				  .noutputs = to_stdout(o) ? 1 : 2,
				  .argc = o->argc,
				  .argv = o->argv};

	memcpy(out[0].sha256, made->root, BAG_DIGEST);
	return cli_custody_note(o->custody, &e);
}

/* ---- commands ---- */

static void progress(void *arg, uint64_t bytes)
{
	const struct run_progress p = {.file_done = bytes};

	(void)arg;
	cli_progress(NULL, &p);
}

static bool stop(void *arg)
{
	(void)arg;
	return cli_interrupted() != 0;
}

static int create(struct bundle *o, char **paths, int n)
{
	struct error err = {0};
	struct bag_made made;
	int status;

	if (!o->output || (!n && !o->rules.n && !o->add.n)) {
		cli_log(CLI_ERROR, "%s",
			o->output ? "no case and no capture given" : "--output is missing");
		return CLI_USAGE;
	}
	o->making.tool = CLI_AGENT;
	o->making.progress = progress;
	o->making.stop = stop;
	status = cli_source_date(&o->making.made);
	if (!status)
		status = check_output(o);
	if (!status && bag_maker_new(&o->making, &o->maker, &err) < 0)
		status = cli_fail(&err);
	if (!status)
		status = gather(o, paths, n);
	if (!status)
		status = write_bundle(o, &made);
	if (!status)
		status = tell(o, &made);
	if (!status)
		status = note(o, &made);
	return cli_worse(status, o->status);
}

static int list(const char *path)
{
	struct arc_list l;
	struct error err = {0};
	struct buf b = {0};
	int status;

	if (arc_list(path, &l, &err) < 0)
		return cli_fail(&err);
	for (size_t i = 0; i < l.count; i++)
		if (l.members[i].kind == ARC_FILE)
			buf_addf(&b, "%12llu  %s\n", (unsigned long long)l.members[i].size,
				 l.members[i].name);
	status = cli_write(&b);
	if (l.cut) {
		cli_log(CLI_WARNING, "'%s' ends too early; there may have been more", path);
		status = cli_worse(status, CLI_PARTIAL);
	}
	buf_done(&b);
	arc_list_done(&l);
	return status;
}

static void done(struct bundle *o)
{
	bag_maker_free(o->maker);
	cli_scratch_done(&o->scratch);
	free(o->inputs);
	arena_done(&o->arena);
}

static int work(void *arg, char **args, int count)
{
	struct bundle *o = arg;
	int status;

	cli_catch_timeout(&o->common);
	if (count && strcmp(args[0], "create") == 0) {
		status = create(o, args + 1, count - 1);
		done(o);
		return cli_worse(status, cli_flush());
	}
	if (count == 2 && strcmp(args[0], "list") == 0)
		return cli_worse(list(args[1]), cli_flush());
	cli_log(CLI_ERROR, "expected 'bundle create [CASE] [CAPTURE...] -o FILE' or 'bundle list "
			   "ARCHIVE'");
	return CLI_USAGE;
}

int cmd_bundle(int argc, char **argv)
{
	struct bundle o = {.argc = argc, .argv = argv};
	const struct cli_parser parser = {"bundle", bundle_options, bundle_examples, take_option,
					  &o};

	return cli_run(&parser, &o.common, argc, argv, work);
}
