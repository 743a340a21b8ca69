/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the tree of processes: which are shown at T, in what order, and what stands in them.
 * Ownership: rows borrow from the state at T; they are made anew when that is another one. Threads:
 * that of the program.
 */
#ifndef TUI_TREE_MODEL_H
#define TUI_TREE_MODEL_H

#include "base/map.h"
#include "engine/activity/forest.h"
#include "tui/app.h"
#include "tui/known.h"
#include "tui/state_filter.h"
#include "tui/table.h"

#define TUI_TREE_LARGE	   2000		  /* processes: more are folded at first */
#define TUI_TREE_DEPTH	   2		  /* from that depth on */
#define TUI_TREE_LINGER_NS 60000000000ull /* how long those that ended stay */
#define TUI_TREE_LATELY_NS 1000000000ull  /* what is counted as new */
#define TUI_TREE_CLASSES   "proc thread user group container k8s"

enum tui_tree_dead { TUI_TREE_DEAD_MINUTE, TUI_TREE_DEAD_ALL, TUI_TREE_DEAD_NONE };

enum tui_tree_column {
	TUI_TREE_PID,
	TUI_TREE_USER,
	TUI_TREE_AGE,
	TUI_TREE_STARTED,
	TUI_TREE_TREE,
	TUI_TREE_ALERTS,
	TUI_TREE_CONTAINER,
	TUI_TREE_TTY,
	TUI_TREE_SID,
	TUI_TREE_PPID,
	TUI_TREE_THREADS,
	TUI_TREE_EXECS,
	TUI_TREE_NAME,
	TUI_TREE_EXE,
	TUI_TREE_CWD,
	TUI_TREE_COMMAND,
	TUI_TREE_COLUMNS
};
extern const struct tui_column tui_tree_columns[TUI_TREE_COLUMNS];

struct tui_tree_row {
	uint32_t node;
	uint32_t image; /* 0: the process; else one of its images, from 1 */
};

struct tui_tree {
	struct tui_app *app;
	const struct tui_view *view; /* whose news tell that T has moved */
	struct tui_known *known;
	struct tui_state_filter *filter; /* NULL: all */
	enum tui_tree_dead dead;
	bool children;		  /* of what matches */
	int width;		  /* of the screen; lines of the tree take a part of it */
	struct tui_screen glyphs; /* without cells: what tui_glyph() is asked with */
	/* Made from the moment: */
	const struct tui_moment *m;
	uint64_t num, ts;
	bool stale; /* to be made anew whatever the moment */
	struct act_forest forest;
	uint64_t serial; /* of the moment the forest is of; 0: there is none */
	enum tui_tree_dead forest_dead;
	size_t asked;	       /* nodes, in the order, that the filter was asked about */
	int8_t *worst, *below; /* by node: priorities of its alerts, of those below it; -1: none */
	struct tui_tree_row *rows;
	size_t count, cap;
	uint32_t *row_of; /* by node; UINT32_MAX: not shown */
	uint64_t alive, born, died, guessed, matched;
	uint64_t alerts; /* of the case, that rows show */
	/* What is open: act_proc.key (or number) -> bits. */
	struct map folds;
	/* Ancestors of a row, where the cursor goes when that is gone. */
	struct tui_row_key of, above[16];
	size_t above_count;
	/* Order: */
	bool sorted, reverse;
	int column;
};

extern const struct tui_model_ops tui_tree_model_ops;

void tui_tree_init(struct tui_tree *t, const struct tui_view *view, struct tui_app *app,
		   struct tui_known *known);
void tui_tree_done(struct tui_tree *t);
/* Bring rows to T; @again: even if they are of then. Return: 0 or ERR_*. */
MUST_CHECK int tui_tree_update(struct tui_tree *t, bool again, struct error *err);
/* Another filter, which the tree frees; NULL: all pass. */
void tui_tree_filter(struct tui_tree *t, struct tui_state_filter *f);
/* Not all processes were asked yet whether they pass. */
bool tui_tree_is_asking(const struct tui_tree *t);
/* Go on asking until @deadline_ns. True: rows are made anew, all were asked. */
bool tui_tree_ask(struct tui_tree *t, uint64_t deadline_ns, struct error *err);
/* Only what is open has changed. */
MUST_CHECK int tui_tree_list(struct tui_tree *t, struct error *err);
/* The node of a row; NULL: it is gone. */
struct act_node *tui_tree_node(struct tui_tree *t, struct tui_row_key key);
struct tui_row_key tui_tree_key(const struct act_node *n);
/* The cursor is there: remember what is above it. */
void tui_tree_remember(struct tui_tree *t, struct tui_row_key key);

/* Has it children that are not shown, could it show images? */
bool tui_tree_is_folded(const struct tui_tree *t, const struct act_node *n);
bool tui_tree_has_images(const struct act_node *n);
bool tui_tree_shows_images(const struct tui_tree *t, const struct act_node *n);
/* Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_tree_fold(struct tui_tree *t, const struct act_node *n, bool fold);
MUST_CHECK int tui_tree_show_images(struct tui_tree *t, const struct act_node *n, bool show);
/* The last position in the order of what is below @n, plus one; @from: that behind @n. */
size_t tui_tree_branch(const struct tui_tree *t, const struct act_node *n, size_t *from);

/* tree_row.c */
void tui_tree_add_row(struct tui_tree *t, size_t i, struct tui_rows *out);
/* "0", "SIGKILL" of a wait(2) status; nothing if it is not known. */
void tui_short_status(struct buf *b, int64_t status);
/* "amy→root" */
void tui_tree_user(struct buf *b, const struct tui_screen *s, const struct state *st,
		   const struct act_identity *id);

#endif
