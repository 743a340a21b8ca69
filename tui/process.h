/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of one process, in its parts: process.c (the view and its tabs), process_facts.c (what
 * it is), process_tabs.c (descriptors, sockets, files, children, alerts).
 */
#ifndef TUI_PROCESS_H
#define TUI_PROCESS_H

#include "tui/grid.h"
#include "tui/known.h"

#define PROCESS_FILES_MAX  50000 /* rows of the case that are listed */
#define PROCESS_ALERTS_MAX 10000

struct process { /* at T */
	struct tui_app *app;
	struct tui_screen glyphs; /* without cells */
	struct tui_known *known;
	const struct tui_moment *m;
	uint64_t ts, num; /* T */
	int64_t pid;
	uint64_t key;	      /* act_proc.key; 0: not known */
	struct act_node node; /* @node.t: it lives; only @node.p: it has ended; neither: see @id */
	struct act_identity id;
	/* Copies, which stay true while T moves: */
	char name[32]; /* cut */
	int64_t ppid;  /* below 0: not known */
	uint64_t parent_key;
	int64_t process_id; /* of the case; 0: not there */
};

/* A tab is filled with what holds at T. Return: 0 or ERR_*. */
typedef int process_fill(struct process *p, struct tui_grid *g, struct error *err);

struct process_tab {
	const char *title;
	const struct tui_column *columns;
	unsigned count;
	process_fill *fill;
	const char *empty; /* why there may be no rows */
};

enum process_tab_id {
#define TAB(sym, title, fill, empty) PROCESS_##sym,
#include "tui/process_tabs.def"
#undef TAB
	PROCESS_TABS
};
extern const struct process_tab process_tabs[PROCESS_TABS];

#define TAB(sym, title, fill, empty) process_fill fill;
#include "tui/process_tabs.def"
#undef TAB
/* Rows of processes, for children and for ancestors: keys are act_proc.key and number. */
#define PROCESS_COLUMNS 6
extern const struct tui_column process_columns[PROCESS_COLUMNS];
void process_add_row(struct process *p, struct tui_grid *g, const struct act_node *n);
/* Go to T and find process @p->key, or (0) the one of number @p->pid, the living before the dead.
 * Return: 0 or ERR_*. */
MUST_CHECK int process_find(struct process *p, struct error *err);
/* The one of that key (0: the last of that number) that has ended; NULL: none. */
const struct act_proc *process_find_dead(const struct act_procs *procs, int64_t pid, uint64_t key);
/* "sshd(811)>bash(2210)>kd(2240)". */
void process_chain(const struct process *p, struct buf *out);
/* "alive 41s", "ended 3s ago: SIGKILL", "not there at T". */
void process_state(const struct process *p, struct buf *out);

#endif
