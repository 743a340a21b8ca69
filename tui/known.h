/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the case knows of processes of the current capture beyond the state: alerts, images they
 * executed, and the id that other tables call them by. Alerts are taken in piece by piece, the rest
 * is asked for when it is wanted and remembered until the case grows. Threads: that of the program.
 */
#ifndef TUI_KNOWN_H
#define TUI_KNOWN_H

#include "engine/activity/forest.h"
#include "tui/data.h"

#define TUI_IMAGES_MAX 64 /* of one process that are told apart */

struct tui_known;

struct tui_image { /* that a process executed; texts are borrowed until the next news */
	uint64_t ts, evt_num;
	struct sv comm, exepath, cmdline;
};

MUST_CHECK int tui_known_new(struct tui_data *d, struct tui_known **out, struct error *err);
void tui_known_free(struct tui_known *k); /* NULL is fine */
/* @news: as of struct tui_view_ops.sync. */
void tui_known_news(struct tui_known *k, unsigned news);
/* Take in alerts until @deadline_ns (0: all). True: there are more. */
bool tui_known_work(struct tui_known *k, uint64_t deadline_ns);

/* The id of the process in the case; 0: it is not there (yet). */
int64_t tui_known_id(struct tui_known *k, int64_t pid, const struct act_proc *p);
/* The worst priority of alerts about process @pid up to @ts; -1: none. @lived_to 0: it has not
 * ended. */
int tui_known_worst(const struct tui_known *k, int64_t pid, uint64_t lived_from, uint64_t lived_to,
		    uint64_t ts);
int tui_known_worst_of(const struct tui_known *k, const struct act_node *n, uint64_t ts);
/* How many were taken in so far. */
uint64_t tui_known_alerts(const struct tui_known *k);
/* Are there any alerts up to @ts? */
bool tui_known_any(const struct tui_known *k, uint64_t ts);
/* What it executed up to event @num, the image it had at first before them unless that was its
 * parent's. Return: how many. */
size_t tui_known_images(struct tui_known *k, int64_t pid, const struct act_proc *p, uint64_t num,
			const struct tui_image **out);

/* --- asking the case: for tables of rows about a process */

struct sqlite3_stmt;
/* A statement; NULL: @err, ERR_DB. */
struct sqlite3_stmt *tui_ask(struct tui_data *d, const char *sql, struct error *err);
/* Its next row. */
bool tui_ask_next(struct sqlite3_stmt *s);
/* Text of a column: borrowed until the next row; empty for NULL. */
struct sv tui_ask_text(struct sqlite3_stmt *s, int column);

#endif
