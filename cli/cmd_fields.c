/* SPDX-License-Identifier: Apache-2.0 */
/* scapula fields: the fields that conditions and formats can use, from the table that defines them.
 */
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

enum {
	OPT_ALL = OPT_COMMAND_FIRST,
};

static const struct cli_option fields_options[] = {
    {'f', "format", "text|json|md", "json: one object per field; md: Markdown tables"},
    {OPT_ALL, "all", NULL, "also deprecated and hidden fields"},
    {0, NULL, NULL, NULL},
};

static const char *const fields_examples[] = {"fields", "fields process", "fields -f md fd", NULL};

enum form { FORM_TEXT, FORM_JSON, FORM_MD };

struct fields {
	struct cli_common common;
	enum form form;
	bool all;
};

static int take_option(void *arg, int id, const char *value)
{
	struct fields *o = arg;

	if (id == OPT_ALL) {
		o->all = true;
		return 0;
	}
	if (strcmp(value, "json") == 0) {
		o->form = FORM_JSON;
	} else if (strcmp(value, "md") == 0) {
		o->form = FORM_MD;
	} else if (strcmp(value, "text") != 0) {
		cli_log(CLI_ERROR, "--format %s: expected text, json or md", value);
		return CLI_USAGE;
	}
	return 0;
}

static void one_text(struct buf *b, const struct flt_field_info *f)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", f->name, f->arg_help);
	buf_addf(b, "  %-34s %-9s%s %s\n", name, flt_field_type_name(f),
		 f->flags & FLT_FIELD_LIST ? "[]" : "  ", f->help);
}

static void one_md(struct buf *b, const struct flt_field_info *f)
{
	buf_addf(b, "| `%s` | %s | %s%s | %s |\n", f->name, f->arg_help, flt_field_type_name(f),
		 f->flags & FLT_FIELD_LIST ? " list" : "", f->help);
}

static void flags_json(struct buf *b, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} rows[] = {
	    {FLT_FIELD_DEPRECATED, "deprecated"}, {FLT_FIELD_FILTER_ONLY, "filter_only"},
	    {FLT_FIELD_HIDDEN, "hidden"},	  {FLT_FIELD_LIST, "list"},
	    {FLT_FIELD_NO_RHS, "no_rhs"},	  {FLT_FIELD_NO_TRANSFORMER, "no_transformer"},
	    {FLT_FIELD_PRINT_ONLY, "print_only"}, {FLT_FIELD_SUGGESTED, "suggested"},
	};
	const char *comma = "";

	buf_char(b, '[');
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (flags & rows[i].flag) {
			buf_addf(b, "%s\"%s\"", comma, rows[i].name);
			comma = ",";
		}
	buf_char(b, ']');
}

static const char *format_name(const struct flt_field_info *f)
{
	static const char *const names[] = {
	    [PF_NA] = "none",	[PF_DEC] = "decimal",
	    [PF_HEX] = "hex",	[PF_10_PADDED_DEC] = "padded",
	    [PF_ID] = "id",	[PF_DIR] = "dir",
	    [PF_OCT] = "octal",
	};

	return names[f->format];
}

static void one_json(struct buf *b, const struct flt_field_info *f)
{
	static const char *const rules[] = {[FLT_ARG_NONE] = "none",
					    [FLT_ARG_OPTIONAL] = "optional",
					    [FLT_ARG_REQUIRED] = "required"};

	buf_lit(b, "{\"arg\":");
	json_string(b, sv_of(f->arg_help));
	buf_addf(b, ",\"argument\":\"%s\",\"class\":", rules[f->arg]);
	json_string(b, sv_of(f->cls));
	buf_addf(b, ",\"deprecated\":%s,\"filter_only\":%s,\"flags\":",
		 f->flags & FLT_FIELD_DEPRECATED ? "true" : "false",
		 f->flags & FLT_FIELD_FILTER_ONLY ? "true" : "false");
	flags_json(b, f->flags);
	buf_lit(b, ",\"help\":");
	json_string(b, sv_of(f->help));
	buf_addf(b, ",\"list\":%s,\"name\":\"%s\",\"print_format\":\"%s\",\"type\":\"%s\"}\n",
		 f->flags & FLT_FIELD_LIST ? "true" : "false", f->name, format_name(f),
		 flt_field_type_name(f));
}

static void heading(struct buf *b, enum form form, const char *cls)
{
	if (form == FORM_MD)
		buf_addf(b, "%s## %s\n\n| field | argument | type | meaning |\n|---|---|---|---|\n",
			 b->len ? "\n" : "", cls);
	else if (form == FORM_TEXT)
		buf_addf(b, "%s%s\n", b->len ? "\n" : "", cls);
}

/* "process", or the part of a field name before its first dot. */
static bool in_class(const struct flt_field_info *f, const char *cls)
{
	size_t n = strlen(cls);

	return strcmp(f->cls, cls) == 0 || (strncmp(f->name, cls, n) == 0 && f->name[n] == '.');
}

static int list(const struct fields *o, const char *cls)
{
	static void (*const print[])(struct buf *,
				     const struct flt_field_info *) = {one_text, one_json, one_md};
	struct buf b = {0};
	const char *last = NULL;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < flt_field_count; i++) {
		const struct flt_field_info *f = &flt_field_table[i];

		if ((cls && !in_class(f, cls)) ||
		    (!o->all && f->flags & (FLT_FIELD_HIDDEN | FLT_FIELD_DEPRECATED)))
			continue;
		if (!last || strcmp(last, f->cls) != 0)
			heading(&b, o->form, f->cls);
		last = f->cls;
		print[o->form](&b, f);
		n++;
	}
	if (!n) {
		cli_log(CLI_ERROR, "there is no field class '%s'; 'scapula fields' lists them all",
			cls ? cls : "");
		return CLI_USAGE;
	}
	rc = cli_write(&b);
	buf_done(&b);
	return cli_worse(rc, cli_flush());
}

int cmd_fields(int argc, char **argv)
{
	struct fields o = {0};
	const struct cli_parser parser = {"fields", fields_options, fields_examples, take_option,
					  &o};
	int first;
	int status = cli_parse(&parser, &o.common, argc, argv, &first);

	if (status)
		return status < 0 ? cli_flush() : status;
	if (argc - first > 1) {
		cli_log(CLI_ERROR, "at most one class can be given");
		return CLI_USAGE;
	}
	return list(&o, first < argc ? argv[first] : NULL);
}
