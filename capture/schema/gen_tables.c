/* SPDX-License-Identifier: Apache-2.0 */
/* Flag mappers, the numbers of system calls, and the list of programs with what they serve. */
#include "capture/schema/gen.h"

#include <ctype.h>

enum { FLAG_FAMILY, FLAG_SYMBOL, FLAG_X86, FLAG_PPM_SYMBOL, FLAG_PPM, FLAG_MATCH, FLAG_ARM };
enum { CALL_CODE, CALL_SYMBOL, CALL_NAME, CALL_X86, CALL_ARM, CALL_IA32, CALL_EVENT };

static bool is_number(const char *s)
{
	return isdigit((unsigned char)s[0]) || (s[0] == '-' && isdigit((unsigned char)s[1]));
}

/* --- mappers --- */

static bool row_maps(const struct table *t, size_t row)
{
	const char *match = cell(t, row, FLAG_MATCH);

	return strcmp(match, "bitmask-any") == 0 || strcmp(match, "equals") == 0;
}

bool has_mapper(const struct gen *g, const char *family, size_t len)
{
	for (size_t i = 0; i < g->flags.rows; i++) {
		const char *name = cell(&g->flags, i, FLAG_FAMILY);

		if (strlen(name) == len && memcmp(name, family, len) == 0 && row_maps(&g->flags, i))
			return true;
	}
	return false;
}

/* The row for each machine that has the constant. */
static void write_row(FILE *f, const struct table *t, size_t row, const char *before,
		      const char *after)
{
	static const int columns[] = {FLAG_X86, FLAG_ARM};
	static const char *const machines[] = {"__TARGET_ARCH_x86", "__TARGET_ARCH_arm64"};
	const char *x86 = cell(t, row, FLAG_X86), *arm = cell(t, row, FLAG_ARM);
	bool same = strcmp(x86, arm) == 0;

	for (size_t i = 0; i < 2; i++) {
		const char *value = cell(t, row, (size_t)columns[i]);

		if (!is_number(value) || (same && i))
			continue;
		if (!same)
			fprintf(f, "#ifdef %s\n", machines[i]);
		fprintf(f, "%s%su%s%su;%s", before, value, after, cell(t, row, FLAG_PPM),
			strcmp(cell(t, row, FLAG_MATCH), "equals") == 0 ? " break;\n" : "\n");
		if (!same)
			fputs("#endif\n", f);
	}
}

static bool earlier_value(const struct table *t, size_t first, size_t row)
{
	for (size_t i = first; i < row; i++)
		if (row_maps(t, i) && strcmp(cell(t, i, FLAG_X86), cell(t, row, FLAG_X86)) == 0 &&
		    strcmp(cell(t, i, FLAG_ARM), cell(t, row, FLAG_ARM)) == 0)
			return true;
	return false;
}

/* Rows that need the whole value: the first that is equal, or what stands for any other. */
static void write_equals(FILE *f, const struct table *t, size_t first, size_t end,
			 const char *value)
{
	const char *otherwise = NULL;
	bool any = false;

	for (size_t i = first; i < end; i++) {
		const char *match = cell(t, i, FLAG_MATCH);

		any = any || strcmp(match, "equals") == 0;
		if (!otherwise && strcmp(match, "otherwise") == 0)
			otherwise = cell(t, i, FLAG_PPM);
	}
	if (!any)
		return;
	fprintf(f, "\tswitch (%s) {\n", value);
	for (size_t i = first; i < end; i++)
		if (strcmp(cell(t, i, FLAG_MATCH), "equals") == 0 && !earlier_value(t, first, i))
			write_row(f, t, i, "\tcase ", ": m = ");
	fprintf(f, "\tdefault: m = %su;\n\t}\n", otherwise ? otherwise : "0");
}

/* Some bits stand for something when they are clear, too: the row behind says what. */
static void write_bits(FILE *f, const struct table *t, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		if (strcmp(cell(t, i, FLAG_MATCH), "bitmask-any") == 0)
			write_row(f, t, i, "\tif (v & ", ") m |= ");
		else if (strcmp(cell(t, i, FLAG_SYMBOL), "(previous bit clear)") == 0)
			fprintf(f, "\telse m |= %su;\n", cell(t, i, FLAG_PPM));
	}
}

static void write_mapper(FILE *f, const struct table *t, size_t first, size_t end)
{
	const char *family = cell(t, first, FLAG_FAMILY), *value = "v";
	const char *type = strcmp(family, "capability_bit") == 0 ? "u64" : "u32";

	if (strcmp(family, "open_flags") == 0)
		value = "v & 3"; /* the access mode; the other rows are bits */
	if (strcmp(family, "futex_op") == 0)
		value = "v & 127"; /* likewise, the operation */
	if (strcmp(family, "mknod_mode") == 0)
		value = "v & 0170000"; /* the kind of file */
	else if (strcmp(family, "futex_op") == 0)
		value = "v & 127";
	fprintf(f, "\nstatic __always_inline %s map_%s(%s v)\n{\n\t%s m = 0;\n\n", type, family,
		type, type);
	write_equals(f, t, first, end, value);
	write_bits(f, t, first, end);
	fputs("\treturn m;\n}\n", f);
}

static void write_mappers(FILE *f, const struct gen *g)
{
	const struct table *t = &g->flags;

	for (size_t first = 0, end; first < t->rows; first = end) {
		const char *family = cell(t, first, FLAG_FAMILY);

		for (end = first; end < t->rows; end++)
			if (strcmp(cell(t, end, FLAG_FAMILY), family) != 0)
				break;
		for (size_t i = end; i < t->rows; i++)
			if (strcmp(cell(t, i, FLAG_FAMILY), family) == 0)
				die("flag-mappings.tsv: the rows of %s are not together", family);
		if (has_mapper(g, family, strlen(family)))
			write_mapper(f, t, first, end);
	}
}

/* --- numbers --- */

static size_t find_call(const struct gen *g, const char *name, size_t len)
{
	for (size_t i = 0; i < g->syscalls.rows; i++)
		if (strncmp(cell(&g->syscalls, i, CALL_NAME), name, len) == 0 &&
		    !cell(&g->syscalls, i, CALL_NAME)[len])
			return i;
	return g->syscalls.rows;
}

static int call_number(const struct gen *g, size_t row, size_t column)
{
	const char *s = cell(&g->syscalls, row, column);

	return is_number(s) ? atoi(s) : -1;
}

/* The names in a "calls" row, one at a time. Return: the length of the one at *@at, 0: no more. */
static size_t next_call(const char **at)
{
	*at += strspn(*at, " ");
	return strcspn(*at, " ");
}

/*
 * "lseek:140" names the ia32 call 140, which means lseek but has arguments of its own. Such calls
 * get numbers behind the native ones. Return: the number, or -1.
 */
static int slot_of(const struct gen *g, const struct program *wanted, const char *call)
{
	int slot = SLOT_FIRST;

	for (size_t i = 0; i < g->count; i++) {
		const char *at = g->programs[i].calls ? g->programs[i].calls : "";

		for (size_t n; (n = next_call(&at)); at += n) {
			if (!memchr(at, ':', n))
				continue;
			if (&g->programs[i] == wanted && at == call)
				return slot;
			if (++slot >= NATIVE_NUMBERS)
				die("%s: too many ia32 calls", g->programs[i].file);
		}
	}
	return -1;
}

static void write_codes(FILE *f, const struct gen *g, size_t column, const char *machine)
{
	fprintf(f, "#ifdef %s\nstatic const u16 syscall_codes[WIRE_SYSCALLS] = {\n", machine);
	for (size_t i = 0; i < g->syscalls.rows; i++)
		if (call_number(g, i, column) >= 0)
			fprintf(f, "\t[%d] = %s, /* %s */\n", call_number(g, i, column),
				cell(&g->syscalls, i, CALL_CODE), cell(&g->syscalls, i, CALL_NAME));
	fputs("};\n#endif\n", f);
}

static void write_ia32(FILE *f, const struct gen *g)
{
	int numbers[NATIVE_NUMBERS];

	for (size_t i = 0; i < NATIVE_NUMBERS; i++)
		numbers[i] = -1;
	for (size_t i = 0; i < g->syscalls.rows; i++) {
		const char *s = cell(&g->syscalls, i, CALL_IA32);

		for (; is_number(s); s += strspn(s, "0123456789,")) {
			for (char *end; is_number(s); s = *end == ',' ? end + 1 : end)
				numbers[strtoul(s, &end, 10) % NATIVE_NUMBERS] =
				    call_number(g, i, CALL_X86);
		}
	}
	for (size_t i = 0; i < g->count; i++) {
		const char *at = g->programs[i].calls ? g->programs[i].calls : "";

		for (size_t n; (n = next_call(&at)); at += n)
			if (memchr(at, ':', n))
				numbers[atoi(strchr(at, ':') + 1) % NATIVE_NUMBERS] =
				    slot_of(g, &g->programs[i], at);
	}
	fputs("\n/* From ia32 numbers to native ones + 1; 0: there is none. */\n"
	      "#ifdef __TARGET_ARCH_x86\nstatic const u16 ia32_numbers[WIRE_SYSCALLS] = {\n",
	      f);
	for (size_t i = 0; i < NATIVE_NUMBERS; i++)
		if (numbers[i] >= 0)
			fprintf(f, "\t[%zu] = %d + 1,\n", i, numbers[i]);
	fputs("};\n#endif\n", f);
}

void write_tables(const struct gen *g, const char *dir)
{
	FILE *f = open_in(dir, "tables.h", "w");

	fputs("/* Generated from flag-mappings.tsv and syscalls.tsv; do not edit. */\n"
	      "#include \"capture/wire.h\"\n",
	      f);
	write_mappers(f, g);
	fputs("\n/* The codes of the format by native number. */\n", f);
	write_codes(f, g, CALL_X86, "__TARGET_ARCH_x86");
	write_codes(f, g, CALL_ARM, "__TARGET_ARCH_arm64");
	write_ia32(f, g);
	if (fclose(f))
		die("gen: cannot write tables.h");
}

/* --- which program serves what --- */

static const char *const lists[] = {"EXIT", "ENTRY", "TRACEPOINT"};

static void write_served(FILE *f, const struct gen *g, const struct program *p, bool *served)
{
	const char *at = p->calls ? p->calls : p->name;

	for (size_t n; (n = next_call(&at)); at += n) {
		const char *colon = memchr(at, ':', n);
		size_t row = find_call(g, at, colon ? (size_t)(colon - at) : n);

		if (p->kind == TRACEPOINT && strspn(at, "0123456789") == n) {
			fprintf(f, "TRACEPOINT(%.*s, %s, EV_%s)\n", (int)n, at, p->name, p->event);
			continue;
		}
		if (row == g->syscalls.rows)
			die("%s:%zu: program %s: no system call is named %.*s", p->file, p->line,
			    p->name, (int)n, at);
		if (p->kind == TRACEPOINT)
			fprintf(f, "TRACEPOINT(%s, %s, EV_%s)\n",
				cell(&g->syscalls, row, CALL_CODE), p->name, p->event);
		else
			fprintf(f, "%s(%d, %d, %s, %s, EV_%s)\n", lists[p->kind],
				colon ? slot_of(g, p, at) : call_number(g, row, CALL_X86),
				colon ? -1 : call_number(g, row, CALL_ARM),
				cell(&g->syscalls, row, CALL_CODE), p->name, p->event);
		if (p->kind == EXIT && !colon) {
			if (strcmp(short_name(cell(&g->syscalls, row, CALL_EVENT)), p->event) != 0)
				program_error(p, "its event is not that of the call");
			if (served[row])
				program_error(p, "another program serves the same call");
			served[row] = true;
		}
	}
}

/* Numbers the format has no code for: calls of kernels younger than it. */
static void write_unknown(FILE *f, const struct gen *g, size_t column)
{
	bool known[SLOT_FIRST] = {false};

	for (size_t i = 0; i < g->syscalls.rows; i++) {
		int nr = call_number(g, i, column);

		if (nr >= SLOT_FIRST)
			die("syscalls.tsv:%zu: numbers end at %d", g->syscalls.lines[i],
			    SLOT_FIRST - 1);
		if (nr >= 0)
			known[nr] = true;
	}
	for (int nr = 0; nr < SLOT_FIRST; nr++)
		if (!known[nr])
			fprintf(f,
				column == CALL_ARM ? "EXIT(-1, %d, 0, generic, EV_GENERIC_X)\n"
						   : "EXIT(%d, -1, 0, generic, EV_GENERIC_X)\n",
				nr);
}

/* Calls without parameters of their own. All others need a recipe. */
static void write_generic(FILE *f, const struct gen *g, const bool *served)
{
	for (size_t i = 0; i < g->syscalls.rows; i++) {
		bool generic = strcmp(cell(&g->syscalls, i, CALL_EVENT), "PPME_GENERIC_X") == 0;

		if (served[i] == generic)
			die("syscalls.tsv:%zu: %s %s", g->syscalls.lines[i],
			    cell(&g->syscalls, i, CALL_NAME),
			    generic ? "is generic, but has a recipe" : "has no recipe");
		if (generic)
			fprintf(f, "EXIT(%d, %d, %s, generic, EV_GENERIC_X)\n",
				call_number(g, i, CALL_X86), call_number(g, i, CALL_ARM),
				cell(&g->syscalls, i, CALL_CODE));
	}
	write_unknown(f, g, CALL_X86);
	write_unknown(f, g, CALL_ARM);
	fprintf(f, "EXIT(%d, -1, 0, generic_ia32, EV_GENERIC_X)\n", NATIVE_NUMBERS - 1);
}

void write_exits(const struct gen *g, const char *dir)
{
	FILE *f = open_in(dir, "exits.def", "w");
	bool *served = must(calloc(g->syscalls.rows, sizeof(*served)));

	fputs("/*\n * Generated from the recipes; do not edit. Which program serves what:\n"
	      " * EXIT(x86_64 number, aarch64 number, code of the format, program, event type)\n"
	      " * ENTRY(the same); TRACEPOINT(code, program, event type).\n"
	      " * Numbers are -1 where the machine lacks the call; several rows may name one "
	      "program.\n"
	      " */\n#ifndef EXIT\n#define EXIT(x86, arm, code, program, type)\n#endif\n"
	      "#ifndef ENTRY\n#define ENTRY(x86, arm, code, program, type)\n#endif\n"
	      "#ifndef TRACEPOINT\n#define TRACEPOINT(code, program, type)\n#endif\n",
	      f);
	for (size_t i = 0; i < g->count; i++) {
		bool x86 = is_x86_only(&g->programs[i]);

		fputs(x86 ? "#ifdef __x86_64__\n" : "", f);
		write_served(f, g, &g->programs[i], served);
		fputs(x86 ? "#endif\n" : "", f);
	}
	write_generic(f, g, served);
	fputs("#undef EXIT\n#undef ENTRY\n#undef TRACEPOINT\n", f);
	free(served);
	if (fclose(f))
		die("gen: cannot write exits.def");
}
