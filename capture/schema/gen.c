/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build-time host program: turns recipes into BPF programs.
 * Usage: gen EVENT_SCHEMA_DIR SCHEMA_DIR OUT_DIR RECIPES... reads events.tsv and event_params.tsv
 * of the first, syscalls.tsv, flag-mappings.tsv and the named recipe files of the second directory.
 * It writes tables.h (flag mappers, numbers of system calls), programs.h (one BPF program for each
 * that the recipes name) and exits.def (which program serves what). The head of recipes_file.tsv
 * describes the language of recipes. Whatever does not fit the tables ends the build.
 */
#include "capture/schema/gen.h"

#include <ctype.h>

static const char *const known_widths[][8] = {
    {"PT_INT8", "PT_UINT8", "PT_FLAGS8", "PT_ENUMFLAGS8", "PT_SIGTYPE", "PT_L4PROTO",
     "PT_SOCKFAMILY"},
    {"PT_INT16", "PT_UINT16", "PT_FLAGS16", "PT_ENUMFLAGS16", "PT_SYSCALLID", "PT_PORT"},
    {"PT_INT32", "PT_UINT32", "PT_FLAGS32", "PT_ENUMFLAGS32", "PT_MODE", "PT_UID", "PT_GID"},
    {"PT_BOOL", "PT_SIGSET"},
    {"PT_INT64", "PT_UINT64", "PT_ERRNO", "PT_FD", "PT_PID", "PT_RELTIME", "PT_ABSTIME",
     "PT_DOUBLE"},
};

unsigned type_width(const char *type)
{
	static const unsigned widths[] = {1, 2, 4, 4, 8};

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		for (size_t j = 0; j < 8 && known_widths[i][j]; j++)
			if (strcmp(known_widths[i][j], type) == 0)
				return widths[i];
	return 0;
}

/* The tracepoints a program may hang on, beside those written by hand. */
static const struct hook {
	const char *name, *section, *args;
	bool variable; /* never runs inside another program that uses the scratch buffer */
	bool x86;      /* other machines lack it */
} hooks[] = {
    {"exec", "sched_process_exec",
     "struct task_struct *task, int old_pid, struct linux_binprm *bprm", true, false},
    {"exit", "sched_process_exit", "struct task_struct *task", true, false},
    {"fork", "sched_process_fork", "struct task_struct *parent, struct task_struct *task", true,
     false},
    {"newtask", "task_newtask", "struct task_struct *task, unsigned long clone_flags", true, false},
    {"switch", "sched_switch", "bool preempt, struct task_struct *prev, struct task_struct *next",
     false, false},
    {"fault_user", "page_fault_user",
     "unsigned long address, struct pt_regs *regs, unsigned long error_code", false, true},
    {"fault_kernel", "page_fault_kernel",
     "unsigned long address, struct pt_regs *regs, unsigned long error_code", false, true},
    {"signal", "signal_deliver", "int sig, struct kernel_siginfo *info, struct k_sigaction *action",
     false, false},
};

static const struct hook *find_hook(const struct program *p)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (strcmp(hooks[i].name, p->name) == 0)
			return &hooks[i];
	program_error(p, "no tracepoint is known by this name");
	return NULL;
}

bool is_x86_only(const struct program *p)
{
	return p->kind == TRACEPOINT && !p->hand && find_hook(p)->x86;
}

/* True when @word stands in @text as an identifier of its own. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += n)
		if ((at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_')) &&
		    !(isalnum((unsigned char)at[n]) || at[n] == '_'))
			return true;
	return false;
}

/* "arg3" -> "a.v[3]" */
static void write_code(FILE *f, const char *text)
{
	for (const char *p = text; *p; p++) {
		bool inside = p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '_');

		if (!inside && strncmp(p, "arg", 3) == 0 && p[3] >= '0' && p[3] <= '5' &&
		    !isalnum((unsigned char)p[4]) && p[4] != '_') {
			fprintf(f, "a.v[%c]", p[3]);
			p += 3;
		} else {
			fputc(*p, f);
		}
	}
}

/* Each pointer that a typed load follows costs a search of the kernel's types: a->b->c is refused.
 */
static void check_chains(const struct program *p, const char *text)
{
	for (const char *arrow = text; (arrow = strstr(arrow, "->"));) {
		arrow += 2;
		while (isalnum((unsigned char)*arrow) || *arrow == '_' || *arrow == '.')
			arrow++;
		if (strncmp(arrow, "->", 2) == 0)
			program_error(p, "a chain of pointers: use BPF_CORE_READ()");
	}
}

/* Calls of mappers that flag-mappings.tsv does not have. */
static void check_families(const struct gen *g, const struct program *p, const char *text)
{
	for (const char *at = text; (at = strstr(at, "map_")); at++) {
		size_t n = strspn(at + 4, "abcdefghijklmnopqrstuvwxyz0123456789_");

		if (at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))
			continue;
		if (at[4 + n] == '(' && !has_mapper(g, at + 4, n))
			program_error(p, "no family of flags by this name");
	}
}

/* --- the parameters of one program --- */

static const char *param_code(const struct program *p, size_t i)
{
	return p->params[i].recipe;
}

struct pair { /* the two arguments of a call in a recipe */
	char first[TSV_LINE_MAX / 16], second[TSV_LINE_MAX / 16];
};

/* If @code is a call of @name, as "optional(": @pair is set, and true comes back. */
static bool split_call(const struct program *p, const char *code, const char *name,
		       struct pair *pair)
{
	size_t n = strlen(code), start = strlen(name), comma = start, second;

	if (strncmp(code, name, start) != 0)
		return false;
	for (int depth = 0; code[comma] && (depth || code[comma] != ','); comma++)
		depth += (code[comma] == '(') - (code[comma] == ')');
	if (!code[comma] || code[n - 1] != ')' || n >= sizeof(pair->first))
		program_error(p, "expected a call with two arguments");
	snprintf(pair->first, sizeof(pair->first), "%.*s", (int)(comma - start), code + start);
	second = comma + 1 + strspn(code + comma + 1, " ");
	snprintf(pair->second, sizeof(pair->second), "%.*s", (int)(n - 1 - second), code + second);
	return true;
}

static bool split_optional(const struct program *p, const char *code, struct pair *pair)
{
	return split_call(p, code, "optional(", pair);
}

static bool is_fixed(const struct program *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->params[i].width || strncmp(param_code(p, i), "optional(", 9) == 0)
			return false;
	return true;
}

static bool uses(const struct program *p, const char *word)
{
	bool found = has_word(p->condition, word);

	for (size_t i = 0; i < p->nlets; i++)
		found = found || has_word(p->lets[i], word);
	for (size_t i = 0; i < p->count; i++)
		found = found || has_word(param_code(p, i), word);
	return found;
}

static bool uses_args(const struct program *p)
{
	char word[] = "arg0";
	bool found = false;

	for (; word[3] <= '5'; word[3]++)
		found = found || uses(p, word);
	return found;
}

static void write_fixed(FILE *f, const struct program *p)
{
	unsigned at = HEADER_LEN + 2 * (unsigned)p->count, len = at;

	for (size_t i = 0; i < p->count; i++)
		len += p->params[i].width;
	fprintf(f,
		"\tstruct slot slot;\n\tu8 *e = reserve(&slot, %u, EV_%s, %zu);\n\n"
		"\tif (!e)\n\t\treturn 0;\n",
		len, p->event, p->count);
	for (size_t i = 0; i < p->count; i++) {
		const struct param *q = &p->params[i];

		fprintf(f, "\tSTORE(u16, e + %zu, %u);\n\tSTORE(u%u, e + %u, ", HEADER_LEN + 2 * i,
			q->width, q->width * 8, at);
		write_code(f, q->recipe);
		fprintf(f, "); /* %s */\n", q->name);
		at += q->width;
	}
	fprintf(f, "\tsubmit(&slot, e, %u);\n\treturn 0;\n}\n", len);
}

static void write_optional(FILE *f, const struct param *q, size_t i, const struct pair *pair)
{
	fputs("\tif (", f);
	write_code(f, pair->first);
	fprintf(f, ")\n\t\tput_num(u%u, s, %zu, ", q->width * 8, i);
	write_code(f, pair->second);
	fprintf(f, "); /* %s */\n\telse\n\t\tput_empty(s, %zu);\n", q->name, i);
}

/* A call of put_X(): the buffer and the parameter's number come first. */
static void write_put(FILE *f, const struct program *p, const struct param *q, size_t i)
{
	const char *open = strchr(q->recipe, '(');
	struct pair pair;

	if (split_call(p, q->recipe, "moved(",
		       &pair)) { /* its length is known by now, see write_shorts() */
		fprintf(f, "\tput_bytes(s, %zu, ", i);
		write_code(f, pair.first);
		fprintf(f, ", n); /* %s */\n", q->name);
		return;
	}
	if (!open)
		program_error(p, "a parameter of variable size needs a call");
	fprintf(f, "\tput_%.*s(s, %zu%s", (int)(open - q->recipe), q->recipe, i,
		open[1] == ')' ? "" : ", ");
	write_code(f, open + 1);
	fprintf(f, "; /* %s */\n", q->name);
}

/* The only parameter that varies is moved(pointer, length): its index, else the count. */
static size_t find_moved(const struct program *p, struct pair *pair)
{
	size_t found = p->count;

	for (size_t i = 0; i < p->count; i++) {
		if (p->params[i].width && strncmp(param_code(p, i), "optional(", 9) != 0)
			continue;
		if (found != p->count || !split_call(p, param_code(p, i), "moved(", pair))
			return p->count;
		found = i;
	}
	return found;
}

/* Numbers of one event in place: those before the moved bytes at @base, those behind at "rest". */
static void write_numbers(FILE *f, const struct program *p, size_t from, size_t to,
			  const char *base, unsigned at)
{
	for (size_t i = from; i < to; at += p->params[i++].width) {
		fprintf(f, "\t\tSTORE(u16, e + %zu, %u);\n\t\tSTORE(u%u, %s + %u, ",
			HEADER_LEN + 2 * i, p->params[i].width, p->params[i].width * 8, base, at);
		write_code(f, p->params[i].recipe);
		fprintf(f, "); /* %s */\n", p->params[i].name);
	}
}

/* Up to WIRE_SHORT_MAX moved bytes go straight into the ring. */
static void write_short(FILE *f, const struct program *p, size_t moved, const char *ptr)
{
	unsigned at = HEADER_LEN + 2 * (unsigned)p->count, len = at;

	for (size_t i = 0; i < p->count; i++)
		len += p->params[i].width;
	for (size_t i = 0; i < moved; i++)
		at += p->params[i].width;
	fprintf(f,
		"\tif (n <= WIRE_SHORT_MAX && find_slot(&slot, EV_%s)) {\n"
		"\t\tu64 len = %u + n;\n"
		"\t\tu8 *e = reserve_here(&slot, len, EV_%s, %zu), *rest;\n\n"
		"\t\tif (!e)\n\t\t\treturn 0;\n",
		p->event, len, p->event, p->count);
	write_numbers(f, p, 0, moved, "e", HEADER_LEN + 2 * (unsigned)p->count);
	fprintf(f, "\t\tn = read_short(e + %u, ", at);
	write_code(f, ptr);
	fprintf(f, ", n, EV_%s); /* %s */\n\t\tSTORE(u16, e + %zu, n);\n\t\trest = e + %u + n;\n",
		p->event, p->params[moved].name, HEADER_LEN + 2 * moved, at);
	write_numbers(f, p, moved + 1, p->count, "rest", 0);
	fprintf(f,
		"\t\tSTORE(u32, e + 16, %u + n);\n\t\tlane_submit(&slot, e, len);\n"
		"\t\treturn 0;\n\t}\n",
		len);
}

static void write_shorts(FILE *f, const struct program *p)
{
	struct pair pair;
	size_t moved = find_moved(p, &pair);

	if (moved == p->count) {
		for (size_t i = 0; i < p->count; i++)
			if (split_call(p, param_code(p, i), "moved(", &pair))
				program_error(p,
					      "moved() where other parameters vary: use bytes()");
		return;
	}
	fputs("\tu64 n = ", f);
	write_code(f, pair.second);
	fputs(";\n\tstruct slot slot;\n\n", f);
	write_short(f, p, moved, pair.first);
}

/* Offsets are constants until the first parameter whose size varies. */
static void write_variable(FILE *f, const struct program *p)
{
	struct pair pair;
	unsigned at = HEADER_LEN + 2 * (unsigned)p->count;
	bool constant = true;

	fprintf(f, "\tstruct scratch *s = scratch_begin(EV_%s, %zu);\n\n\tif (!s)\n\t\treturn 0;\n",
		p->event, p->count);
	for (size_t i = 0; i < p->count; i++) {
		const struct param *q = &p->params[i];
		bool optional = split_optional(p, q->recipe, &pair);

		if (optional && !q->width)
			program_error(p, "only numbers can be optional");
		if (constant && (!q->width || optional)) {
			fprintf(f, "\ts->pos = %u;\n", at);
			constant = false;
		}
		if (optional) {
			write_optional(f, q, i, &pair);
		} else if (!q->width) {
			write_put(f, p, q, i);
		} else if (constant) {
			fprintf(f, "\tSTORE(u16, s->data + %zu, %u);\n\tSTORE(u%u, s->data + %u, ",
				HEADER_LEN + 2 * i, q->width, q->width * 8, at);
			write_code(f, q->recipe);
			fprintf(f, "); /* %s */\n", q->name);
			at += q->width;
		} else {
			fprintf(f, "\tput_num(u%u, s, %zu, ", q->width * 8, i);
			write_code(f, q->recipe);
			fprintf(f, "); /* %s */\n", q->name);
		}
	}
	fprintf(f, "\tscratch_commit(s, EV_%s);\n\treturn 0;\n}\n", p->event);
}

static void write_head(FILE *f, const struct program *p)
{
	const char *kind = p->kind == ENTRY ? "enter" : "exit";

	if (p->kind == TRACEPOINT) {
		const struct hook *h = find_hook(p);

		if (!h->variable && !is_fixed(p))
			program_error(
			    p, "only numbers may be recorded here: it can run inside others");
		fprintf(f, "\nSEC(\"tp_btf/%s\")\nint BPF_PROG(on_%s, %s)\n{\n", h->section,
			p->name, h->args);
		if (!strstr(h->args, "*task"))
			fputs("\tstruct task_struct *task = bpf_get_current_task_btf();\n", f);
		fprintf(f, "\n\tif (skip_task(task, EV_%s))\n\t\treturn 0;\n", p->event);
		return;
	}
	fprintf(f,
		"\nSEC(\"tp_btf/sys_%s\")\nint BPF_PROG(%s_%s, struct pt_regs *regs, long %s)\n{\n",
		kind, kind, p->name, p->kind == ENTRY ? "id" : "ret");
	if (uses(p, "task"))
		fputs("\tstruct task_struct *task = bpf_get_current_task_btf();\n", f);
	if (uses_args(p))
		fputs("\tstruct args a = read_args(regs);\n", f);
}

static void write_program(FILE *f, const struct gen *g, const struct program *p)
{
	for (size_t i = 0; i < p->nlets; i++) {
		check_chains(p, p->lets[i]);
		check_families(g, p, p->lets[i]);
	}
	for (size_t i = 0; i < p->count; i++) {
		check_chains(p, param_code(p, i));
		check_families(g, p, param_code(p, i));
	}
	write_head(f, p);
	if (strcmp(p->condition, "-") != 0) {
		fputs("\n\tif (!(", f);
		write_code(f, p->condition);
		fputs("))\n\t\treturn 0;\n", f);
	}
	for (size_t i = 0; i < p->nlets; i++) {
		fputc('\t', f);
		write_code(f, p->lets[i]);
		fputs(";\n", f);
	}
	if (is_fixed(p))
		write_fixed(f, p);
	else {
		write_shorts(f, p);
		write_variable(f, p);
	}
}

static void write_programs(const struct gen *g, const char *dir)
{
	FILE *f = open_in(dir, "programs.h", "w");

	fputs("/* Generated from the recipes; do not edit. */\n", f);
	for (size_t i = 0; i < g->count; i++)
		if (!g->programs[i].hand)
			write_program(f, g, &g->programs[i]);
	if (fclose(f))
		die("gen: cannot write programs.h");
}

int main(int argc, char **argv)
{
	struct gen g;

	if (argc < 5)
		die("usage: gen EVENT_SCHEMA_DIR SCHEMA_DIR OUT_DIR RECIPES...");
	gen_read(&g, argv[1], argv[2], argv + 4);
	write_tables(&g, argv[3]);
	write_programs(&g, argv[3]);
	write_exits(&g, argv[3]);
	return 0;
}
