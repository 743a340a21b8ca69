/* SPDX-License-Identifier: Apache-2.0 */
/* scapula seal: a seal for captures that have none. */
#include <string.h>

#include "cli/custody.h"
#include "cli/verify.h"

enum { OPT_SEAL_REASON = OPT_COMMAND_FIRST };

static const struct cli_option seal_options[] = {
    {OPT_SEAL_REASON, "reason", "TEXT", "why it is sealed now; kept in the seal"},
    {0, NULL, NULL, NULL},
};

static const char *const seal_examples[] = {
    "seal old.scap", "seal --reason \"received from the customer\" *.scap", NULL};

struct seal {
	struct cli_common common;
	const char *reason;
	int argc;
	char **argv;
	uint64_t done;
};

static int take_option(void *arg, int id, const char *value)
{
	struct seal *o = arg;

	(void)id;
	o->reason = value;
	return 0;
}

static void tell(const char *path, const struct sf_seal_made *made)
{
	struct buf b = {0};

	buf_str(&b, path);
	buf_lit(&b, SF_SEAL_SUFFIX ": ");
	cli_grouped(&b, made->frames);
	buf_addf(&b, " frame%s, ", made->frames == 1 ? "" : "s");
	cli_bytes(&b, made->size);
	buf_lit(&b, ", SHA-256 ");
	for (int i = 0; i < SF_SEAL_DIGEST; i++)
		buf_addf(&b, "%02x", made->sha256[i]);
	cli_log(CLI_NOTE, "%s", buf_cstr(&b));
	buf_done(&b);
}

/* In the custody log, if there is one. */
static int note_custody(const struct seal *o, const char *path, const struct sf_seal_made *made)
{
	struct custody_file input = {.name = path, .size = made->size, .hashed = true};
	struct custody_entry e = {.action = CUSTODY_SEAL,
				  .reason = o->reason,
				  .inputs = &input,
				  .ninputs = 1,
				  .argc = o->argc,
				  .argv = o->argv};

	memcpy(input.sha256, made->sha256, sizeof(input.sha256));
	return cli_custody_note(NULL, &e);
}

static int seal_one(struct seal *o, const char *path)
{
	const struct sf_seal_options opt = {.origin = SF_SEAL_LATER,
					    .tool = "scapula " SCAPULA_VERSION,
					    .argc = o->argc,
					    .argv = o->argv};
	const struct sf_seal_check_options watch = cli_seal_watch(&o->done);
	struct sf_seal_made made;
	struct error err = {0};
	int rc, status;

	if (strcmp(path, "-") == 0) {
		cli_log(CLI_ERROR, "a seal is beside its capture; standard input has no place");
		return CLI_USAGE;
	}
	rc = sf_seal_capture(path, &opt, &watch, o->reason, &made, &err);
	cli_progress_done();
	if (rc == ERR_INTERRUPTED)
		return cli_interrupted();
	if (rc < 0)
		return cli_fail(&err);
	o->done += made.size;
	tell(path, &made);
	status = note_custody(o, path, &made);
	if (!made.damaged)
		return status;
	cli_log(CLI_WARNING, "%s is damaged, and sealed as it is; 'scapula info' tells where",
		path);
	return cli_worse(status, CLI_PARTIAL);
}

int cmd_seal(int argc, char **argv)
{
	struct seal o = {.argc = argc, .argv = argv};
	const struct cli_parser parser = {"seal", seal_options, seal_examples, take_option, &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	cli_catch_signals();
	if (first == argc) {
		cli_log(CLI_ERROR, "no capture given");
		return CLI_USAGE;
	}
	for (int i = first; i < argc && !cli_interrupted(); i++)
		status = cli_worse(status, seal_one(&o, argv[i]));
	return status;
}
