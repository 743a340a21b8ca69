/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed between two moments of a capture: processes that came, went, ran something else, got
 * other rights or another parent; sockets that were opened. Threads: plain functions over moments
 * that nobody else uses meanwhile.
 */
#ifndef TUI_DIFF_H
#define TUI_DIFF_H

#include "tui/data.h"

enum tui_change_kind {
#define CHANGE(sym, name, role, help) TUI_CHANGE_##sym,
#include "tui/changes.def"
#undef CHANGE
	TUI_CHANGE_COUNT
};

struct tui_change { /* borrows from both moments */
	enum tui_change_kind kind;
	uint64_t ts; /* when; 0: not known */
	int64_t pid;
	uint64_t key;		     /* act_proc.key; 0: not known */
	struct state_thread *a, *b;  /* the process at either moment; NULL: it did not live then */
	const struct act_proc *p;    /* what the tracker of the later one knows */
	const struct act_conn *conn; /* of changes of sockets */
};

struct tui_changes {		 /* zeroed: none */
	struct tui_change *list; /* by time */
	size_t count, cap;
	uint64_t kinds[TUI_CHANGE_COUNT];
};

/* From @a to @b, which is later. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_changes_find(struct tui_changes *c, const struct tui_moment *a,
				const struct tui_moment *b, struct error *err);
void tui_changes_done(struct tui_changes *c);

#endif
