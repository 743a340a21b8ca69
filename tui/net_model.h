/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the moment T as rows, or as groups of them. Threads: that of the program. */
#ifndef TUI_NET_MODEL_H
#define TUI_NET_MODEL_H

#include "base/arena.h"
#include "base/map.h"
#include "tui/app.h"
#include "tui/state_filter.h"
#include "tui/table.h"

enum tui_net_group {
	TUI_NET_BY_NONE,
	TUI_NET_BY_REMOTE,
	TUI_NET_BY_PORT,
	TUI_NET_BY_PROCESS,
	TUI_NET_GROUPINGS,
};
extern const char *const tui_net_group_names[TUI_NET_GROUPINGS];

struct tui_net_row {
	const struct act_conn *c; /* borrowed from the moment; or in the arena */
	uint64_t id;
	uint64_t group; /* hash of the group's name */
};

struct tui_net_sum { /* of a group */
	struct sv name;
	uint64_t hash, sockets, in_use, bytes_in, bytes_out, first_ts, last_ts;
};

struct tui_net {
	struct tui_app *app;
	int64_t pid; /* sockets of this process only; 0: all */
	bool closed, unix_sockets;
	bool from_case; /* the capture is elsewhere: as the case has them */
	enum tui_net_group by;
	uint64_t inside; /* a group that is looked into; 0: none */
	struct tui_state_filter *filter;
	struct tui_list list, groups;
	struct tui_net_row *rows;
	size_t cap, at; /* @at: where the tracker is to be asked on; SIZE_MAX: all rows are there */
	struct tui_net_sum *sums;
	size_t sum_cap;
	struct smap by_name;	    /* -> number of its sum + 1 */
	struct arena arena;	    /* of names, and of what the case has */
	uint64_t serial;	    /* of the moment */
	struct sqlite3_stmt *names; /* of addresses; NULL: not asked for yet */
};

enum {
	TUI_NET_COL_PROTO,
	TUI_NET_COL_STATE,
	TUI_NET_COL_LOCAL,
	TUI_NET_COL_DIR,
	TUI_NET_COL_REMOTE,
	TUI_NET_COL_END,
	TUI_NET_COL_NAME,
	TUI_NET_COL_IN,
	TUI_NET_COL_OUT,
	TUI_NET_COL_PROCESS,
	TUI_NET_COL_CHAIN,
	TUI_NET_COL_FIRST,
	TUI_NET_COL_LAST,
	TUI_NET_COL_USER,
	TUI_NET_COL_CONTAINER,
	TUI_NET_COL_ERROR,
	TUI_NET_COLUMNS,
};
enum {
	TUI_NET_SUM_NAME,
	TUI_NET_SUM_SOCKETS,
	TUI_NET_SUM_IN_USE,
	TUI_NET_SUM_IN,
	TUI_NET_SUM_OUT,
	TUI_NET_SUM_FIRST,
	TUI_NET_SUM_LAST,
	TUI_NET_SUM_COLUMNS,
};
extern const struct tui_column tui_net_columns[TUI_NET_COLUMNS];
extern const struct tui_column tui_net_sum_columns[TUI_NET_SUM_COLUMNS];

void tui_net_init(struct tui_net *n, struct tui_app *app, int64_t pid);
void tui_net_done(struct tui_net *n);
/* The case has changed: names of addresses are asked for anew. */
void tui_net_forget_names(struct tui_net *n);
/* Begin the rows anew for T. Return: 0 or ERR_*. */
MUST_CHECK int tui_net_begin(struct tui_net *n, struct error *err);
/* Go on with it until @deadline_ns. Return: 1 (there is more to do), 0, or ERR_*. */
MUST_CHECK int tui_net_work(struct tui_net *n, uint64_t deadline_ns, struct error *err);
/* The socket of a row, while T is what it was; NULL: it is not there. */
const struct act_conn *tui_net_find(struct tui_net *n, struct tui_row_key key);
/* The group that has that key; NULL: none. */
const struct tui_net_sum *tui_net_find_sum(const struct tui_net *n, struct tui_row_key key);

/* net_case.c: @add is called for each. Return: 0 or ERR_*. */
MUST_CHECK int tui_net_of_case(struct tui_net *n,
			       int (*add)(struct tui_net *n, const struct act_conn *c),
			       struct error *err);

/* net_text.c */
/* What it is counted under. */
void tui_net_group_text(enum tui_net_group by, const struct act_conn *c, struct buf *out);
/* A name that the address was looked up for by then; nothing: none is known. */
void tui_net_name_text(struct tui_net *n, const struct act_conn *c, struct buf *out);
/* What is to be followed of it; false: the capture does not tell. */
bool tui_net_follow_target(const struct act_conn *c, struct tui_target *out);

#endif
