/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which BPF programs a recording needs and what they are told to look for. The generator says which
 * program serves which call or tracepoint; several calls may share one.
 */
#include "capture/internal.h"

#include <string.h>

enum hook { HOOK_EXIT, HOOK_ENTRY, HOOK_TRACEPOINT };

struct row {
	uint8_t hook;
	int16_t x86, arm;
	uint16_t code; /* 0: 32-bit calls that have none */
	uint16_t type;
	const char *program;
};

static const struct row rows[] = {
#define EXIT(x86, arm, code, program, type)  {HOOK_EXIT, x86, arm, code, type, "exit_" #program},
#define ENTRY(x86, arm, code, program, type) {HOOK_ENTRY, x86, arm, code, type, "enter_" #program},
#define TRACEPOINT(code, program, type)	     {HOOK_TRACEPOINT, -1, -1, code, type, "on_" #program},
#include "capture/exits.def"
#undef EXIT
#undef ENTRY
#undef TRACEPOINT
};

/* Programs that are there for a filter or for those they call. */
#define PROGRAM_EXITS	"dispatch"
#define PROGRAM_ENTRIES "dispatch_enter"
#define PROGRAM_NEWTASK "on_newtask" /* where the child's own return is not seen */
#define PROGRAM_FOLLOW	"follow_"
#define PROGRAM_URING	"on_uring_"

/* Programs that report nothing themselves, and the call they work for. */
static const struct {
	const char *program, *call;
} helpers[] = {{"on_clone_flags", "clone3"}};

static int native_number(const struct row *row)
{
#ifdef __aarch64__
	return row->arm;
#else
	return row->x86;
#endif
}

/* Every call that has no event of its own is in the set: then those without a code are, too. */
static bool wants_unknown(const struct rec_set *set)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++) {
		const struct ev_syscall *call = &ev_syscalls[code];

		if (call->exit_type == EV_GENERIC_X && call->x86_64 >= 0 && !rec_set_has(set, code))
			return false;
	}
	return true;
}

static bool wants_call(const struct rec_set *set, const char *name)
{
	for (unsigned code = 1; code < EV_SYSCALL_COUNT; code++)
		if (rec_set_has(set, code) && !strcmp(ev_syscalls[code].name, name))
			return true;
	return false;
}

static bool wants_row(const struct rec_options *opt, const struct row *row)
{
	if (row->hook != HOOK_TRACEPOINT && native_number(row) < 0)
		return false;
	if (row->hook == HOOK_ENTRY && !opt->entry_copies)
		return false;
	return row->code ? rec_set_has(&opt->set, row->code) : wants_unknown(&opt->set);
}

static bool wants_hook(const struct rec_options *opt, enum hook hook)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].hook == hook && wants_row(opt, &rows[i]))
			return true;
	return false;
}

bool program_wanted(const struct rec_options *opt, const char *name)
{
	if (!strcmp(name, PROGRAM_EXITS))
		return wants_hook(opt, HOOK_EXIT);
	if (!strcmp(name, PROGRAM_ENTRIES))
		return wants_hook(opt, HOOK_ENTRY);
	if (!strncmp(name, PROGRAM_FOLLOW, strlen(PROGRAM_FOLLOW)))
		return opt->npids != 0;
	if (!strncmp(name, PROGRAM_URING, strlen(PROGRAM_URING)))
		return opt->io_uring;
	for (size_t i = 0; i < COUNT_OF(helpers); i++)
		if (!strcmp(helpers[i].program, name))
			return wants_call(&opt->set, helpers[i].call);
#ifndef __aarch64__
	if (!strcmp(name, PROGRAM_NEWTASK))
		return false;
#endif
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (wants_row(opt, &rows[i]) && !strcmp(rows[i].program, name))
			return true;
	return false;
}

bool program_is_attached(const char *name)
{
	return strncmp(name, "exit_", 5) != 0 && strncmp(name, "enter_", 6) != 0 &&
	       strncmp(name, PROGRAM_FOLLOW, strlen(PROGRAM_FOLLOW)) != 0;
}

const char *program_for(const struct rec_options *opt, bool entry, int nr)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].hook == (entry ? HOOK_ENTRY : HOOK_EXIT) &&
		    native_number(&rows[i]) == nr && wants_row(opt, &rows[i]))
			return rows[i].program;
	return NULL;
}

static void set_bit(__u64 *bits, unsigned i)
{
	bits[i / 64] |= (__u64)1 << (i % 64);
}

void programs_interest(const struct rec_options *opt, struct wire_settings *s)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int nr = native_number(&rows[i]);

		if (!wants_row(opt, &rows[i]))
			continue;
		if (rows[i].type < WIRE_EVENT_TYPES)
			set_bit(s->interesting_events, rows[i].type);
		if (nr < 0 || nr >= WIRE_SYSCALLS)
			continue;
		set_bit(rows[i].hook == HOOK_ENTRY ? s->interesting_entries : s->interesting,
			(unsigned)nr);
	}
}

/* Calls that move data through a descriptor in their first argument. */
static bool moves_data(const struct row *row)
{
	const struct ev_info *info = &ev_table[row->type];
	unsigned low = info->category & EC_LOW_MASK;

	return low == EC_IO_READ || low == EC_IO_WRITE;
}

void programs_classify(__u16 types[WIRE_SYSCALLS], __u64 io[WIRE_SYSCALLS / 64])
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int nr = native_number(&rows[i]);

		if (rows[i].hook != HOOK_EXIT || nr < 0 || nr >= WIRE_SYSCALLS)
			continue;
		types[nr] = rows[i].type;
		if (moves_data(&rows[i]))
			set_bit(io, (unsigned)nr);
	}
}
