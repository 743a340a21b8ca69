/* SPDX-License-Identifier: Apache-2.0 */
/* scapula gather: one case of the parts that workers wrote. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/custody.h"
#include "cli/output.h"
#include "cli/shard_run.h"
#include "cli/worklist.h"
#include "query/part.h"
#include "scapfile/files.h"

#define ABSENT_TOLD 20u /* shards, one by one */

enum { OPT_FORCE = OPT_COMMAND_FIRST, OPT_MANIFEST };

static const struct cli_option gather_options[] = {
    {OPT_MANIFEST, "manifest", "FILE", "the list of the whole job: parts of others are refused"},
    {OPT_FORCE, "force", NULL, "replace OUT if there is one"},
    {0, NULL, NULL, NULL},
};

static const char *const gather_examples[] = {
    "gather night.case.db part-*.db",
    "gather --force --manifest job/manifest night.case.db part-*.db",
    NULL,
};

struct part {
	const char *path;
	struct qry_part_facts facts;
	bool used;
};

struct gather {
	struct cli_common common;
	bool force;
	const char *manifest, *out;
	struct part *parts;
	size_t count;
	unsigned exits; /* of all traces, a bit each */
	int argc;
	char **argv;
};

static int take_option(void *arg, int id, const char *value)
{
	struct gather *o = arg;

	if (id == OPT_FORCE)
		o->force = true;
	else
		o->manifest = value;
	return 0;
}

/* --- which parts there are */

static void look(struct gather *o, const char *path)
{
	struct part *p = &o->parts[o->count];
	struct error err = {0};

	*p = (struct part){.path = path};
	if (qry_part_look(path, &p->facts, &err) < 0) {
		cli_log(CLI_WARNING, "'%s' is left out: %s", path, err.msg);
	} else if (!p->facts.complete || p->facts.ended != p->facts.job.holds) {
		cli_log(CLI_WARNING, "'%s' is left out: its worker did not come to its end", path);
		qry_part_facts_done(&p->facts);
	} else {
		p->used = true;
		o->count++;
	}
}

static int by_shard(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->facts.job.shard != y->facts.job.shard)
		return x->facts.job.shard < y->facts.job.shard ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* What differs, as a person may compare it. */
static const char *value_of(const struct qry_job *j, const char *what)
{
	if (strncmp(what, "list", 4) == 0)
		return j->job;
	if (strncmp(what, "version", 7) == 0)
		return j->version;
	return strcmp(what, "rules") == 0 ? j->ruleset : j->options;
}

/* Parts that do not belong together would give a case that says what nobody found. */
static int check_same(const struct gather *o)
{
	const struct qry_job *a = &o->parts[0].facts.job;

	for (size_t i = 1; i < o->count; i++) {
		const struct qry_job *b = &o->parts[i].facts.job;
		const char *what = qry_job_difference(a, b);

		if (!what)
			continue;
		cli_log(CLI_ERROR,
			"the parts do not belong together, they differ in: %s\n\t%s: %s\n\t%s: %s",
			what, o->parts[0].path, value_of(a, what), o->parts[i].path,
			value_of(b, what));
		return CLI_INPUT;
	}
	return 0;
}

static int check_manifest(const struct gather *o)
{
	const struct qry_job *j = &o->parts[0].facts.job;
	struct reg_list l;
	int status = o->manifest ? cli_read_worklist(o->manifest, &l) : 0;

	if (!o->manifest || status)
		return status;
	if (strcmp(l.job, j->job) != 0 || l.shards != j->shards || l.traces != j->traces) {
		cli_log(CLI_ERROR, "'%s' is of another job than '%s'", o->parts[0].path,
			o->manifest);
		status = CLI_INPUT;
	}
	reg_list_done(&l);
	return status;
}

/* A copy of a part is no harm. */
static void drop_copies(struct gather *o)
{
	for (size_t i = 1; i < o->count; i++) {
		struct part *p = &o->parts[i];

		if (p->facts.job.shard != p[-1].facts.job.shard)
			continue;
		cli_log(CLI_NOTE, "'%s' is left out: '%s' is of the same shard", p->path,
			p[-1].path);
		p->used = false;
	}
}

static int look_at_all(struct gather *o, char **paths, size_t count)
{
	int status;

	o->parts = calloc(count, sizeof(*o->parts));
	if (!o->parts) {
		cli_log(CLI_ERROR, "out of memory");
		return CLI_INTERNAL;
	}
	for (size_t i = 0; i < count; i++) {
		status = cli_output_is_no_input(o->out, paths[i]);
		if (status)
			return status;
		look(o, paths[i]);
	}
	if (!o->count) {
		cli_log(CLI_ERROR, "there is no complete part");
		return CLI_INPUT;
	}
	status = check_same(o);
	if (!status)
		status = check_manifest(o);
	qsort(o->parts, o->count, sizeof(*o->parts), by_shard);
	drop_copies(o);
	return status;
}

/* --- what is missing */

static const struct part *part_of(const struct gather *o, uint32_t shard)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->parts[i].used && o->parts[i].facts.job.shard == shard)
			return &o->parts[i];
	return NULL;
}

static int tell_absent(const struct gather *o)
{
	const struct qry_job *j = &o->parts[0].facts.job;
	uint64_t holds = 0, absent = 0;
	struct buf b = {0};

	for (size_t i = 0; i < o->count; i++)
		holds += o->parts[i].used ? o->parts[i].facts.job.holds : 0;
	for (uint32_t shard = 0; shard < j->shards; shard++) {
		if (part_of(o, shard))
			continue;
		if (absent++ < ABSENT_TOLD)
			buf_addf(&b, " %u", shard);
	}
	if (absent)
		cli_log(CLI_WARNING,
			"%llu of %u shards missing, with %llu of %llu captures:%s%s; run their "
			"workers and gather again",
			(unsigned long long)absent, j->shards,
			(unsigned long long)(j->traces - holds), (unsigned long long)j->traces,
			buf_cstr(&b), absent > ABSENT_TOLD ? " ..." : "");
	buf_done(&b);
	return absent ? CLI_PARTIAL : 0;
}

static void tell_lost(const struct gather *o)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < o->count; i++)
		lost += o->parts[i].used ? o->parts[i].facts.lost : 0;
	if (lost)
		cli_log(CLI_WARNING,
			"of %llu captures nothing is there: SELECT path, status FROM jobs WHERE "
			"run_capture_id IS NULL",
			(unsigned long long)lost);
}

/* --- the case */

static void leave_out(struct part *p, const struct error *err)
{
	cli_log(CLI_WARNING, "'%s' is left out: %s", p->path, err->msg);
	p->used = false;
}

static int survey(struct gather *o, struct qry_assembler *a)
{
	for (size_t i = 0; i < o->count; i++) {
		struct error err = {0};
		int rc = o->parts[i].used ? qry_assembler_survey(a, o->parts[i].path, &err) : 0;

		if (rc == ERR_NOMEM)
			return cli_fail(&err);
		if (rc < 0)
			leave_out(&o->parts[i], &err);
	}
	return 0;
}

static int copy(struct gather *o, struct qry_assembler *a)
{
	for (size_t i = 0; i < o->count; i++) {
		struct part *p = &o->parts[i];
		struct error err = {0};
		bool broken;

		if (cli_interrupted())
			return cli_interrupted();
		if (!p->used)
			continue;
		if (qry_assembler_copy(a, p->path, &broken, &err) < 0) {
			if (broken)
				return cli_fail(&err);
			leave_out(p, &err);
		}
	}
	return 0;
}

static int assemble(struct gather *o, const char *partial)
{
	struct qry_assembler *a = NULL;
	struct error err = {0};
	int status = 0, outcome = 0;

	if (qry_assembler_new(partial, SCAPULA_VERSION, &a, &err) < 0)
		return cli_fail(&err);
	status = survey(o, a);
	if (!status)
		status = copy(o, a);
	if (status) {
		qry_assembler_free(a);
		return status;
	}
	for (size_t i = 0; i < o->count; i++)
		o->exits |= o->parts[i].used ? o->parts[i].facts.exits : 0;
	outcome = cli_worse(tell_absent(o), cli_worst_of(o->exits));
	tell_lost(o);
	if (qry_assembler_finish(a, outcome, &err) < 0)
		return cli_fail(&err);
	/* What was found is no failure: the case is placed whatever it says. */
	o->exits |= 1u << outcome;
	return 0;
}

static int note_custody(const struct gather *o)
{
	const char **inputs = calloc(o->count + 1, sizeof(*inputs));
	size_t n = 0;
	int status;

	if (!inputs)
		return cli_exit_of(ERR_NOMEM);
	for (size_t i = 0; i < o->count; i++)
		if (o->parts[i].used)
			inputs[n++] = o->parts[i].path;
	status = cli_custody_made(CUSTODY_EXPORT, inputs, n, o->out, NULL, o->argc, o->argv);
	free(inputs);
	return status;
}

static int write_case(struct gather *o)
{
	char *partial = NULL;
	struct error err = {0};
	int fd, status = cli_output_check(o->out, o->force);

	if (status)
		return status;
	fd = sf_file_create_partial(o->out, &partial, &err);
	if (fd < 0)
		return cli_fail(&err);
	close(fd);
	status = assemble(o, partial);
	if (!status)
		status = cli_output_place(partial, o->out, o->force);
	if (status)
		unlink(partial);
	free(partial);
	if (!status)
		status = note_custody(o);
	return status ? status : cli_worst_of(o->exits);
}

static int work(void *arg, char **args, int count)
{
	struct gather *o = arg;
	int status;

	cli_catch_timeout(&o->common);
	if (count < 2) {
		cli_log(CLI_ERROR, "expected OUT and at least one PART");
		return CLI_USAGE;
	}
	qry_setup();
	o->out = args[0];
	status = look_at_all(o, args + 1, (size_t)count - 1);
	return status ? status : write_case(o);
}

int cmd_gather(int argc, char **argv)
{
	struct gather o = {.argc = argc, .argv = argv};
	const struct cli_parser parser = {"gather", gather_options, gather_examples, take_option,
					  &o};
	int status = cli_run(&parser, &o.common, argc, argv, work);

	for (size_t i = 0; i < o.count; i++)
		qry_part_facts_done(&o.parts[i].facts);
	free(o.parts);
	return status;
}
