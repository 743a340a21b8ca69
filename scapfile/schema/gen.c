/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build-time host program: turns the TSV files of scapfile/schema/ into C.
 * Usage: gen SCHEMA_DIR OUT_DIR writes event_types.h (the enum of event types), event_tables.c
 * (events, parameters, flag sets, dynamic parameters, system calls) and converter_table.c (how old
 * events become current ones).
 */
#include "scapfile/schema/tsv.h"

#include <ctype.h>

static void write_types(const char *dir, const struct table *events, const struct table *syscalls)
{
	FILE *f = open_in(dir, "event_types.h", "w");

	fputs("/* Generated from events.tsv; do not edit. */\n#ifndef SCAPFILE_EVENT_TYPES_H\n"
	      "#define SCAPFILE_EVENT_TYPES_H\n\nenum ev_type {\n",
	      f);
	for (size_t i = 0; i < events->rows; i++)
		fprintf(f, "\tEV_%s = %s,\n", short_name(cell(events, i, 1)), cell(events, i, 0));
	fprintf(f, "\tEV_TYPE_COUNT = %zu,\n};\n\n#define EV_SYSCALL_COUNT %zu\n\n#endif\n",
		events->rows, syscalls->rows);
	if (fclose(f))
		die("gen: cannot write event_types.h");
}

static void write_flag_sets(FILE *f, const struct table *flags)
{
	const char *set = NULL;

	for (size_t i = 0; i < flags->rows; i++) {
		if (!set || strcmp(set, cell(flags, i, 0)) != 0) {
			if (set)
				fputs("\t{ NULL, 0 },\n};\n", f);
			set = cell(flags, i, 0);
			fprintf(f, "const struct ev_flag ev_flags_%s[] = {\n", set);
		}
		fprintf(f, "\t{ \"%s\", %su },\n", cell(flags, i, 1), cell(flags, i, 2));
	}
	fputs("\t{ NULL, 0 },\n};\n\nconst struct ev_flag_set ev_flag_sets[] = {\n", f);
	set = "";
	for (size_t i = 0; i < flags->rows; i++) {
		if (strcmp(set, cell(flags, i, 0)) == 0)
			continue;
		set = cell(flags, i, 0);
		fprintf(f, "\t{ \"%s\", ev_flags_%s },\n", set, set);
	}
	fputs("\t{ NULL, NULL },\n};\n\n", f);
}

static void write_dynamic(FILE *f, const struct table *dyn)
{
	const char *name = NULL;

	for (size_t i = 0; i < dyn->rows; i++) {
		if (!name || strcmp(name, cell(dyn, i, 0)) != 0) {
			if (name)
				fputs("};\n", f);
			name = cell(dyn, i, 0);
			fprintf(f, "static const struct ev_dyn dyn_%s[] = {\n", name);
		}
		fprintf(f, "\t[%s] = { %s, %s },\n", cell(dyn, i, 1), cell(dyn, i, 2),
			cell(dyn, i, 3));
	}
	fputs("};\n\n", f);
}

/* One row of event_params.tsv as an initialiser of struct ev_param_info. */
static void write_param(FILE *f, const struct table *params, size_t row)
{
	const char *kind = cell(params, row, 5), *info = cell(params, row, 6);
	int dirfd = strcmp(kind, "dirfd_param") == 0 ? atoi(info) : -1;
	const char *slash = strchr(info, '/');

	fprintf(f, "\t{ .name = \"%s\", .type = %s, .format = %s, .dirfd_param = %d",
		cell(params, row, 2), cell(params, row, 3), cell(params, row, 4), dirfd);
	if (strcmp(kind, "flags") == 0)
		fprintf(f, ", .flags = ev_flags_%s", info);
	else if (strcmp(kind, "dyn") == 0 && slash)
		fprintf(f, ", .dyn = dyn_%.*s, .dyn_count = %s", (int)(slash - info), info,
			slash + 1);
	fputs(" },\n", f);
}

static void write_params(FILE *f, const struct table *params)
{
	const char *event = NULL;

	for (size_t i = 0; i < params->rows; i++) {
		if (!event || strcmp(event, cell(params, i, 0)) != 0) {
			if (event)
				fputs("};\n", f);
			event = cell(params, i, 0);
			fprintf(f, "static const struct ev_param_info params_%s[] = {\n", event);
		}
		write_param(f, params, i);
	}
	fputs("};\n\n", f);
}

static void write_events(FILE *f, const struct table *events)
{
	fputs("const struct ev_info ev_table[EV_TYPE_COUNT] = {\n", f);
	for (size_t i = 0; i < events->rows; i++) {
		const char *id = cell(events, i, 0), *nparams = cell(events, i, 6);

		if ((size_t)atol(id) != i)
			die("gen: events.tsv: row %zu has id %s", i, id);
		fprintf(f,
			"\t{ .name = \"%s\", .enum_name = \"%s\", .category = %s, .flags = %s, "
			".nparams = %s",
			cell(events, i, 2), cell(events, i, 1), cell(events, i, 7),
			cell(events, i, 8), nparams);
		if (strcmp(nparams, "0") != 0)
			fprintf(f, ", .params = params_%s", id);
		fputs(" },\n", f);
	}
	fputs("};\n\n", f);
}

static void write_syscalls(FILE *f, const struct table *syscalls)
{
	fputs("const struct ev_syscall ev_syscalls[EV_SYSCALL_COUNT] = {\n", f);
	for (size_t i = 0; i < syscalls->rows; i++) {
		const char *x86 = cell(syscalls, i, 2), *arm = cell(syscalls, i, 3);
		const char *enter = cell(syscalls, i, 6), *exit_ = cell(syscalls, i, 7);

		fprintf(f, "\t{ \"%s\", %s, %s, %s, %s },\n", cell(syscalls, i, 1),
			isdigit((unsigned char)x86[0]) ? x86 : "-1",
			isdigit((unsigned char)arm[0]) ? arm : "-1",
			isdigit((unsigned char)enter[0]) ? enter : "0",
			isdigit((unsigned char)exit_[0]) ? exit_ : "1");
	}
	fputs("};\n", f);
}

/* "enter[1]|empty" -> "{ CONV_ENTER_OR_EMPTY, 1 }" */
static void write_source(FILE *f, const char *text)
{
	static const struct {
		const char *start, *end, *symbol;
	} kinds[] = {
	    {"old[", "]", "CONV_OLD"},
	    {"enter[", "]|default", "CONV_ENTER_OR_DEFAULT"},
	    {"enter[", "]|empty", "CONV_ENTER_OR_EMPTY"},
	    {"default", "default", "CONV_DEFAULT"},
	    {"empty", "empty", "CONV_EMPTY"},
	    {"container_json|empty", "|empty", "CONV_CONTAINER_JSON"},
	};
	size_t n = strlen(text);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t start = strlen(kinds[i].start), end = strlen(kinds[i].end);

		if (n < end || strncmp(text, kinds[i].start, start) != 0 ||
		    strcmp(text + n - end, kinds[i].end) != 0)
			continue;
		fprintf(f, "\t{ %s, %d },\n", kinds[i].symbol,
			text[start - 1] == '[' ? atoi(text + start) : 0);
		return;
	}
	die("gen: converter.tsv: unknown source '%s'", text);
}

/* "2:fd=enter[0]|default; 3:..." as sources of parameters @first to @count - 1. */
static void write_sources(FILE *f, const char *list, int first, int count)
{
	char item[128];

	for (int i = first; i < count; i++) {
		size_t n = strcspn(list, ";");
		const char *is = memchr(list, '=', n);

		if (atoi(list) != i || !is || n >= sizeof(item))
			die("gen: converter.tsv: expected parameter %d in '%s'", i, list);
		n -= (size_t)(is + 1 - list);
		memcpy(item, is + 1, n);
		item[n] = '\0';
		write_source(f, item);
		list = is + 1 + n;
		list += strspn(list, "; ");
	}
	if (*list)
		die("gen: converter.tsv: '%s' is left over", list);
}

/* How many parameters of the old event row @i keeps in front of those it lists. */
static int kept_params(const struct table *conv, size_t i)
{
	return strcmp(cell(conv, i, 3), "ADD_PARAMS") == 0 ? atoi(cell(conv, i, 2)) : 0;
}

/* Every row that builds an event gets one source per parameter of the result. */
static int row_sources(const struct table *conv, size_t i)
{
	const char *action = cell(conv, i, 3);

	return strcmp(action, "ADD_PARAMS") == 0 || strcmp(action, "CHANGE_TYPE") == 0
		   ? atoi(cell(conv, i, 6))
		   : 0;
}

static void write_conv_sources(FILE *f, const struct table *conv)
{
	fputs("const struct conv_source conv_sources[] = {\n", f);
	for (size_t i = 0; i < conv->rows; i++) {
		int kept = kept_params(conv, i), count = row_sources(conv, i);

		for (int k = 0; k < kept; k++)
			fprintf(f, "\t{ CONV_OLD, %d },\n", k);
		if (count)
			write_sources(f, strcmp(cell(conv, i, 7), "-") == 0 ? "" : cell(conv, i, 7),
				      kept, count);
	}
	fputs("};\n\n", f);
}

static void write_conv_rows(FILE *f, const struct table *conv)
{
	int first_source = 0;

	fputs("const struct conv_row conv_rows[] = {\n", f);
	for (size_t i = 0; i < conv->rows; i++) {
		if (i && atoi(cell(conv, i, 0)) < atoi(cell(conv, i - 1, 0)))
			die("gen: converter.tsv: rows are not ordered by event id");
		fprintf(f, "\t{ %s, %s, %d, %s, %s, CONV_%s },\n", cell(conv, i, 0),
			cell(conv, i, 4), first_source, cell(conv, i, 2), cell(conv, i, 6),
			cell(conv, i, 3));
		first_source += row_sources(conv, i);
	}
	fputs("};\n\n", f);
}

static void write_converter(const char *dir, const struct table *events, const struct table *conv)
{
	FILE *f = open_in(dir, "converter_table.c", "w");
	size_t row = 0;

	fputs("/* Generated from converter.tsv; do not edit. */\n#include "
	      "\"scapfile/internal.h\"\n\n",
	      f);
	write_conv_sources(f, conv);
	write_conv_rows(f, conv);
	fputs("const uint16_t conv_first_row[EV_TYPE_COUNT + 1] = {\n", f);
	for (size_t type = 0; type <= events->rows; type++) {
		fprintf(f, "\t%zu,\n", row);
		while (row < conv->rows && (size_t)atol(cell(conv, row, 0)) == type)
			row++;
	}
	fputs("};\n", f);
	if (fclose(f))
		die("gen: cannot write converter_table.c");
}

int main(int argc, char **argv)
{
	struct table events, params, flags, dyn, syscalls, conv;
	FILE *f;

	if (argc != 3)
		die("usage: gen SCHEMA_DIR OUT_DIR");
	events = read_table(argv[1], "events.tsv");
	params = read_table(argv[1], "event_params.tsv");
	flags = read_table(argv[1], "flags.tsv");
	dyn = read_table(argv[1], "dynamic_params.tsv");
	syscalls = read_table(argv[1], "syscalls.tsv");
	conv = read_table(argv[1], "converter.tsv");
	write_types(argv[2], &events, &syscalls);
	write_converter(argv[2], &events, &conv);
	f = open_in(argv[2], "event_tables.c", "w");
	fputs("/* Generated from the TSV files of scapfile/schema; do not edit. */\n#include "
	      "\"scapfile/event.h\"\n\n",
	      f);
	write_flag_sets(f, &flags);
	write_dynamic(f, &dyn);
	write_params(f, &params);
	write_events(f, &events);
	write_syscalls(f, &syscalls);
	if (fclose(f))
		die("gen: cannot write event_tables.c");
	return 0;
}
