/* SPDX-License-Identifier: Apache-2.0 */
/* scapula custody: who did what with evidence. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/bundle.h"
#include "cli/custody.h"
#include "cli/custody_form.h"

enum { OPT_ACTION = OPT_COMMAND_FIRST, OPT_ACTOR, OPT_INPUT, OPT_OUTPUT, OPT_TITLE, OPT_HASH };

#define FILES_MAX 64u /* named on one command line */

static const struct cli_option custody_options[] = {
    {'f', "format", "text|json|md|html",
     "of show: text, json (the lines) or md; of form: text, md (default) or html"},
    {OPT_ACTION, "action", "ACTION",
     "of add: what was done: collect, transfer, note (default) and others"},
    {OPT_ACTOR, "actor", "TEXT",
     "of add: who, in words: name, role, how to reach; default $" CLI_ACTOR_ENV},
    {OPT_INPUT, "input", "FILE", "of add: what it was done to, with its hash; may be repeated"},
    {OPT_OUTPUT, "output", "FILE", "of add: what came of it, with its hash; may be repeated"},
    {OPT_TITLE, "title", "TEXT", "of form: what it is about"},
    {OPT_HASH, "hash", "HEX", "of check, show and form: a line that was the last once"},
    {0, NULL, NULL, NULL},
};

static const char *const custody_examples[] = {
    "custody add --action transfer case7.log \"handed to the auditor, locker 3\"",
    "custody show case7.log", "custody form -f html case7.log > case7.html",
    "custody check case7.log", NULL};

enum form { FORM_DEFAULT, FORM_TEXT, FORM_JSON, FORM_MARKDOWN, FORM_HTML };

struct custody {
	struct cli_common common;
	enum form form;
	enum custody_action action;
	const char *actor, *title;
	struct custody_file inputs[FILES_MAX], outputs[FILES_MAX];
	size_t ninputs, noutputs;
	uint8_t hash[CUSTODY_DIGEST]; /* looked for, if it is wanted */
	bool wants_hash, has_hash;
	struct custody_sheet sheet;
	bool sheet_wanted, lines_wanted;
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
	static const char *const names[] = {
	    [FORM_TEXT] = "text",
	    [FORM_JSON] = "json",
	    [FORM_MARKDOWN] = "md",
	    [FORM_HTML] = "html",
	};

	for (size_t i = FORM_TEXT; i < COUNT_OF(names); i++) {
		if (strcmp(value, names[i]) != 0)
			continue;
		o->form = (enum form)i;
		return 0;
	}
	cli_log(CLI_ERROR, "--format %s: expected text, json, md or html", value);
	return CLI_USAGE;
}

static int take_hash(struct custody *o, const char *value)
{
	o->wants_hash = bag_parse_hex(sv_of(value), o->hash);
	if (o->wants_hash)
		return 0;
	cli_log(CLI_ERROR, "--hash %s: expected 64 lower case hexadecimal digits", value);
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
			"--action %s: expected collect, seal, copy, open, open-rw, slice, redact, "
			"export, transfer, verify or note",
			value);
		return CLI_USAGE;
	case OPT_ACTOR:
		o->actor = value;
		return 0;
	case OPT_TITLE:
		o->title = value;
		return 0;
	case OPT_HASH:
		return take_hash(o, value);
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

	/* Whoever names a file wants its hash. */
	for (size_t i = 0; i < o->ninputs && !status; i++)
		status = cli_custody_hash(&o->inputs[i]);
	for (size_t i = 0; i < o->noutputs && !status; i++)
		status = cli_custody_hash(&o->outputs[i]);
	return status ? status : cli_custody_note(path, &e);
}

/* ---- show ---- */

static void add_part(struct buf *b, const char *before, const struct custody_files *f)
{
	struct buf files = {0};

	if (!f->count && !f->left_out)
		return;
	custody_add_files(&files, f);
	buf_str(b, before);
	cli_safe(b, buf_view(&files));
	buf_char(b, '\n');
	buf_done(&files);
}

static void show_text(struct buf *b, const struct custody_line *l)
{
	struct buf who = {0};

	custody_add_who(&who, l);
	buf_addf(b, "%" PRIu64 "  ", l->n);
	cli_safe(b, sv_of(l->ts));
	buf_lit(b, "  ");
	cli_safe(b, sv_of(l->action));
	buf_lit(b, "  ");
	cli_safe(b, buf_view(&who));
	if (*l->reason) {
		buf_lit(b, ": ");
		cli_safe(b, sv_of(l->reason));
	}
	buf_char(b, '\n');
	add_part(b, "   of ", &l->inputs);
	add_part(b, "   made ", &l->outputs);
	buf_done(&who);
}

static void show_row(struct buf *b, const struct custody_line *l)
{
	struct buf who = {0}, inputs = {0}, outputs = {0};

	custody_add_who(&who, l);
	custody_add_files(&inputs, &l->inputs);
	custody_add_files(&outputs, &l->outputs);
	buf_addf(b, "| %" PRIu64 " ", l->n);
	custody_markdown_cell(b, sv_of(l->ts));
	custody_markdown_cell(b, buf_view(&who));
	custody_markdown_cell(b, sv_of(l->action));
	custody_markdown_cell(b, sv_of(l->reason));
	custody_markdown_cell(b, buf_view(&inputs));
	custody_markdown_cell(b, buf_view(&outputs));
	buf_lit(b, "|\n");
	buf_done(&who);
	buf_done(&inputs);
	buf_done(&outputs);
}

static int show_line(void *arg, const struct custody_line *l)
{
	struct custody *o = arg;

	o->has_hash |= memcmp(l->hash, o->hash, sizeof(o->hash)) == 0;
	if (o->sheet_wanted)
		return custody_sheet_line(&o->sheet, l);
	if (!o->lines_wanted)
		return 0;
	if (o->form == FORM_MARKDOWN) {
		show_row(&o->out, l);
	} else if (o->form == FORM_JSON) {
		buf_sv(&o->out, l->text);
		buf_char(&o->out, '\n');
	} else {
		show_text(&o->out, l);
	}
	return o->out.failed ? ERR_NOMEM : 0;
}

/* Return: an exit status; what is wrong is told. */
static int verdict(const struct custody *o, const char *path, const struct custody_report *r)
{
	if (r->broken)
		cli_log(CLI_ERROR, "%s is BROKEN: %s", path, r->what);
	else if (r->torn)
		cli_log(CLI_WARNING, "%s is incomplete: %s", path, r->what);
	else if (o->wants_hash && !o->has_hash)
		cli_log(CLI_ERROR,
			"%s is NOT what it was: no line of it has the hash that was given", path);
	if (r->broken || (o->wants_hash && !o->has_hash))
		return CLI_FINDINGS;
	return r->torn ? CLI_PARTIAL : CLI_OK;
}

static void add_summary(struct buf *b, const struct custody_report *r)
{
	buf_addf(b, "%" PRIu64 " entr%s, %s; last hash ", r->lines, r->lines == 1 ? "y" : "ies",
		 r->broken ? "then BROKEN"
		 : r->torn ? "then one without an end"
			   : "unbroken");
	bag_hex(b, r->last_hash);
	buf_char(b, '\n');
}

static int show(struct custody *o, const char *path)
{
	struct custody_report r;
	struct error err = {0};
	int status;

	if (o->lines_wanted && o->form == FORM_MARKDOWN)
		buf_lit(&o->out, "| n | time | who | action | reason | of | made |\n"
				 "|---|---|---|---|---|---|---|\n");
	if (custody_check(path, show_line, o, &r, &err) < 0)
		return cli_fail(&err);
	if (o->sheet_wanted) {
		custody_sheet_write(&o->sheet, &r, &o->out);
	} else if (o->form != FORM_JSON) {
		buf_str(&o->out, o->lines_wanted && o->form == FORM_MARKDOWN ? "\n" : "");
		add_summary(&o->out, &r);
	}
	status = cli_write(&o->out);
	return cli_worse(status, verdict(o, path, &r));
}

static int bad_form(const char *verb, const char *expected)
{
	cli_log(CLI_ERROR, "custody %s --format: expected %s", verb, expected);
	return CLI_USAGE;
}

static int read_log(struct custody *o, const char *verb, const char *path)
{
	static const enum custody_form forms[] = {
	    [FORM_DEFAULT] = CUSTODY_FORM_MARKDOWN,
	    [FORM_TEXT] = CUSTODY_FORM_TEXT,
	    [FORM_MARKDOWN] = CUSTODY_FORM_MARKDOWN,
	    [FORM_HTML] = CUSTODY_FORM_HTML,
	};
	int status;

	o->sheet_wanted = strcmp(verb, "form") == 0;
	o->lines_wanted = strcmp(verb, "show") == 0;
	if (o->sheet_wanted && o->form == FORM_JSON)
		return bad_form(verb, "text, md or html");
	if (!o->sheet_wanted && o->form == FORM_HTML)
		return bad_form(verb, "text, json or md");
	if (o->sheet_wanted)
		o->sheet = (struct custody_sheet){.form = forms[o->form], .title = o->title};
	status = show(o, path);
	custody_sheet_done(&o->sheet);
	buf_done(&o->out);
	return cli_worse(status, cli_flush());
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
	if ((strcmp(verb, "show") == 0 || strcmp(verb, "form") == 0 ||
	     strcmp(verb, "check") == 0) &&
	    argc - first == 2)
		return read_log(&o, verb, argv[first + 1]);
	cli_log(CLI_ERROR, "expected 'custody add LOG TEXT', or 'custody show LOG', 'form LOG' or "
			   "'check LOG'");
	return CLI_USAGE;
}
