/* SPDX-License-Identifier: Apache-2.0 */
/* scapula custody: who did what with evidence. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/custody.h"

enum { OPT_ACTION = OPT_COMMAND_FIRST, OPT_ACTOR, OPT_INPUT, OPT_OUTPUT };

#define FILES_MAX 64u /* named on one command line */

static const struct cli_option custody_options[] = {
    {'f', "format", "text|json|md", "of show: for reading, the lines, or a sheet; default text"},
    {OPT_ACTION, "action", "ACTION",
     "of add: collect, seal, copy, open-rw, slice, redact, export, transfer, verify or note "
     "(default)"},
    {OPT_ACTOR, "actor", "TEXT",
     "of add: who, in words: name, role, how to reach; default $" CLI_ACTOR_ENV},
    {OPT_INPUT, "input", "FILE", "of add: what it was done to, with its hash; may be repeated"},
    {OPT_OUTPUT, "output", "FILE", "of add: what came of it, with its hash; may be repeated"},
    {0, NULL, NULL, NULL},
};

static const char *const custody_examples[] = {
    "custody add --action transfer case7.log \"handed to A. Jones, locker 3\"",
    "custody show case7.log", "custody check case7.log", NULL};

enum form { FORM_TEXT, FORM_JSON, FORM_SHEET };

struct custody {
	struct cli_common common;
	enum form form;
	enum custody_action action;
	const char *actor;
	struct custody_file inputs[FILES_MAX], outputs[FILES_MAX];
	size_t ninputs, noutputs;
	struct buf out;
};

static int add_file(struct custody_file *list, size_t *n, const char *path)
{
	if (*n == FILES_MAX) {
		cli_log(CLI_ERROR, "more than %u files", FILES_MAX);
		return CLI_USAGE;
	}
	list[(*n)++] = (struct custody_file){.name = path};
	return 0;
}

static int take_form(struct custody *o, const char *value)
{
	static const char *const names[] = {"text", "json", "md"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(value, names[i]) != 0)
			continue;
		o->form = (enum form)i;
		return 0;
	}
	cli_log(CLI_ERROR, "--format %s: expected text, json or md", value);
	return CLI_USAGE;
}

static int take_option(void *arg, int id, const char *value)
{
	struct custody *o = arg;

	switch (id) {
	case 'f':
		return take_form(o, value);
	case OPT_ACTION:
		if (custody_parse_action(value, &o->action))
			return 0;
		cli_log(CLI_ERROR,
			"--action %s: expected collect, seal, copy, open-rw, slice, redact, "
			"export, transfer, verify or note",
			value);
		return CLI_USAGE;
	case OPT_ACTOR:
		o->actor = value;
		return 0;
	case OPT_INPUT:
		return add_file(o->inputs, &o->ninputs, value);
	default:
		return add_file(o->outputs, &o->noutputs, value);
	}
}

/* ---- add ---- */

static int add(struct custody *o, const char *path, const char *reason, int argc, char **argv)
{
	struct custody_entry e = {.action = o->action,
				  .name = o->actor,
				  .reason = reason,
				  .inputs = o->inputs,
				  .ninputs = o->ninputs,
				  .outputs = o->outputs,
				  .noutputs = o->noutputs,
				  .argc = argc,
				  .argv = argv};
	int status = 0;

	for (size_t i = 0; i < o->ninputs && !status; i++)
		status = cli_custody_hash(&o->inputs[i]);
	return status ? status : cli_custody_note(path, &e);
}

/* ---- show ---- */

static void add_who(struct buf *b, const struct custody_line *l)
{
	if (*l->name) {
		cli_safe(b, sv_of(l->name));
		buf_lit(b, " (");
	}
	cli_safe(b, sv_of(*l->login ? l->login : "?"));
	buf_lit(b, " at ");
	cli_safe(b, sv_of(l->host));
	if (*l->name)
		buf_char(b, ')');
}

static void show_text(struct buf *b, const struct custody_line *l)
{
	buf_addf(b, "%" PRIu64 "  ", l->n);
	cli_safe(b, sv_of(l->ts));
	buf_lit(b, "  ");
	cli_safe(b, sv_of(l->action));
	buf_lit(b, "  ");
	add_who(b, l);
	if (*l->reason) {
		buf_lit(b, ": ");
		cli_safe(b, sv_of(l->reason));
	}
	buf_char(b, '\n');
	if (l->inputs.n) {
		buf_lit(b, "   of ");
		cli_safe(b, l->inputs);
		buf_char(b, '\n');
	}
	if (l->outputs.n) {
		buf_lit(b, "   made ");
		cli_safe(b, l->outputs);
		buf_char(b, '\n');
	}
}

/* A cell of a Markdown table: nothing in it is markup. */
static void cell(struct buf *b, struct sv text)
{
	struct buf safe = {0};

	buf_lit(b, "| ");
	cli_safe(&safe, text);
	for (size_t i = 0; i < safe.len; i++) {
		if (strchr("\\`*_{}[]<>()#+!|~&", safe.p[i]))
			buf_char(b, '\\');
		buf_char(b, safe.p[i]);
	}
	buf_char(b, ' ');
	buf_done(&safe);
}

static void show_row(struct buf *b, const struct custody_line *l)
{
	struct buf who = {0};

	add_who(&who, l);
	buf_addf(b, "| %" PRIu64 " ", l->n);
	cell(b, sv_of(l->ts));
	cell(b, buf_view(&who));
	cell(b, sv_of(l->action));
	cell(b, sv_of(l->reason));
	cell(b, l->inputs);
	cell(b, l->outputs);
	buf_lit(b, "|\n");
	buf_done(&who);
}

static int show_line(void *arg, const struct custody_line *l)
{
	struct custody *o = arg;

	if (o->form == FORM_SHEET) {
		show_row(&o->out, l);
	} else if (o->form == FORM_TEXT) {
		show_text(&o->out, l);
	} else {
		buf_sv(&o->out, l->text);
		buf_char(&o->out, '\n');
	}
	return o->out.failed ? ERR_NOMEM : 0;
}

/* Return: an exit status; what is wrong is told. */
static int verdict(const char *path, const struct custody_report *r)
{
	if (r->broken)
		cli_log(CLI_ERROR, "%s is BROKEN: %s", path, r->what);
	else if (r->torn)
		cli_log(CLI_WARNING, "%s is incomplete: %s", path, r->what);
	return r->broken ? CLI_FINDINGS : r->torn ? CLI_PARTIAL : CLI_OK;
}

static void add_summary(struct buf *b, const struct custody_report *r)
{
	buf_addf(b, "%" PRIu64 " entr%s, unbroken; last hash ", r->lines,
		 r->lines == 1 ? "y" : "ies");
	for (int i = 0; i < CUSTODY_DIGEST; i++)
		buf_addf(b, "%02x", r->last_hash[i]);
	buf_char(b, '\n');
}

static int show(struct custody *o, const char *path, bool lines)
{
	struct custody_report r;
	struct error err = {0};
	int rc, status;

	if (lines && o->form == FORM_SHEET)
		buf_lit(&o->out, "| n | time | who | action | reason | of | made |\n"
				 "|---|---|---|---|---|---|---|\n");
	rc = custody_check(path, lines ? show_line : NULL, o, &r, &err);
	if (rc < 0)
		return cli_fail(&err);
	if (o->form == FORM_SHEET)
		buf_char(&o->out, '\n');
	if (o->form != FORM_JSON)
		add_summary(&o->out, &r);
	status = cli_write(&o->out);
	return cli_worse(status, verdict(path, &r));
}

int cmd_custody(int argc, char **argv)
{
	struct custody o = {.action = CUSTODY_NOTE};
	const struct cli_parser parser = {"custody", custody_options, custody_examples, take_option,
					  &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);
	const char *verb = first < argc ? argv[first] : "";

	if (status)
		return status < 0 ? cli_flush() : status;
	if (strcmp(verb, "add") == 0 && argc - first == 3)
		return add(&o, argv[first + 1], argv[first + 2], argc, argv);
	if ((strcmp(verb, "show") == 0 || strcmp(verb, "check") == 0) && argc - first == 2) {
		status = show(&o, argv[first + 1], verb[0] == 's');
		buf_done(&o.out);
		return cli_worse(status, cli_flush());
	}
	cli_log(CLI_ERROR, "expected 'custody add LOG TEXT', 'custody show LOG' or 'custody check "
			   "LOG'");
	return CLI_USAGE;
}
