/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the view of files shows: descriptors that are open at T (files_open.c), and paths that were
 * touched up to T, with what was done to them (files_touched.c). Threads: that of the program.
 */
#ifndef TUI_FILES_MODEL_H
#define TUI_FILES_MODEL_H

#include "base/arena.h"
#include "base/map.h"
#include "tui/app.h"
#include "tui/state_filter.h"
#include "tui/table.h"

#define TUI_OPEN_MAX	500000 /* descriptors in the list; a filter brings the others */
#define TUI_TOUCHED_MAX 300000 /* paths likewise */
#define TUI_FD_CLASSES	"fd proc thread user group container k8s"

/* --- open at T */

enum tui_open_kind { TUI_OPEN_FD, TUI_OPEN_CWD, TUI_OPEN_ROOT, TUI_OPEN_EXE };

struct tui_open_row {
	struct tui_row_key key;
	struct state_thread *t;
	struct state_fd *fd; /* NULL: of another kind */
	enum tui_open_kind kind;
};

struct tui_open {
	struct tui_app *app;
	int64_t pid; /* of this process only; 0: all */
	struct tui_state_filter *filter;
	struct tui_list list;
	struct tui_open_row *rows; /* @list.count of them; borrowed from moment @serial */
	size_t cap;
	uint64_t serial;
	struct state_thread **threads; /* by number; those from @at on are still to be looked at */
	size_t thread_count, at;
	uint64_t left_out;
};

enum {
	TUI_OPEN_COL_PID,
	TUI_OPEN_COL_PROC,
	TUI_OPEN_COL_USER,
	TUI_OPEN_COL_FD,
	TUI_OPEN_COL_TYPE,
	TUI_OPEN_COL_MODE,
	TUI_OPEN_COL_NAME,
	TUI_OPEN_COL_STATE,
	TUI_OPEN_COL_FLAGS,
	TUI_OPEN_COL_DEVICE,
	TUI_OPEN_COL_INODE,
	TUI_OPEN_COL_CONTAINER,
	TUI_OPEN_COLUMNS,
};
extern const struct tui_column tui_open_columns[TUI_OPEN_COLUMNS];

void tui_open_init(struct tui_open *o, struct tui_app *app, int64_t pid);
void tui_open_done(struct tui_open *o);
/* Begin the list anew for T. Return: 0 or ERR_*. */
MUST_CHECK int tui_open_begin(struct tui_open *o, struct error *err);
/* Go on with it until @deadline_ns. Return: 1 (there is more to do), 0, or ERR_*. */
MUST_CHECK int tui_open_work(struct tui_open *o, uint64_t deadline_ns, struct error *err);
/* The row with that key, if it is still of the moment at hand; NULL: it is not. */
const struct tui_open_row *tui_open_find(struct tui_open *o, struct tui_row_key key);

/* --- touched up to T */

struct tui_touched_row {
	struct sv path;
	struct sv comm; /* of who did last */
	int64_t pid, process_id;
	uint32_t processes; /* that touched it */
	uint64_t opens, refused, creates, reads, writes, renames, deletes, execs;
	uint64_t bytes_read, bytes_written, first_ts, last_ts;
};

struct sqlite3_stmt;

struct tui_touched {
	struct tui_app *app;
	int64_t pid;
	struct tui_state_filter *filter;
	struct tui_list list;
	struct tui_touched_row *rows; /* @list.count of them, by last time */
	struct arena arena;	      /* of their texts */
	/* Those that are being read; they take the place of @rows once all are there. */
	struct tui_touched_row *next;
	size_t next_count, next_cap;
	struct arena next_arena;
	struct smap by_path;	   /* -> number of its row + 1 */
	struct sqlite3_stmt *stmt; /* NULL: all rows are there */
	int64_t process_id;	   /* whose rows come */
	struct sv comm;
	uint64_t ts;	 /* T */
	uint64_t serial; /* of the moment the filter asks about */
	uint64_t left_out;
};

enum {
	TUI_TOUCHED_COL_PATH,
	TUI_TOUCHED_COL_BY,
	TUI_TOUCHED_COL_DID,
	TUI_TOUCHED_COL_READ,
	TUI_TOUCHED_COL_WRITTEN,
	TUI_TOUCHED_COL_FIRST,
	TUI_TOUCHED_COL_LAST,
	TUI_TOUCHED_COL_OPENS,
	TUI_TOUCHED_COL_CREATES,
	TUI_TOUCHED_COL_READS,
	TUI_TOUCHED_COL_WRITES,
	TUI_TOUCHED_COL_RENAMES,
	TUI_TOUCHED_COL_DELETES,
	TUI_TOUCHED_COL_EXECS,
	TUI_TOUCHED_COL_REFUSED,
	TUI_TOUCHED_COLUMNS,
};
extern const struct tui_column tui_touched_columns[TUI_TOUCHED_COLUMNS];

void tui_touched_init(struct tui_touched *o, struct tui_app *app, int64_t pid);
void tui_touched_done(struct tui_touched *o);
/* Begin to read them anew. Return: 0 or ERR_*. */
MUST_CHECK int tui_touched_begin(struct tui_touched *o, struct error *err);
/* As tui_open_work(). */
MUST_CHECK int tui_touched_work(struct tui_touched *o, uint64_t deadline_ns, struct error *err);
/* T is another one: rows pass or not. Return: 0 or ERR_*. */
MUST_CHECK int tui_touched_at(struct tui_touched *o, struct error *err);
const struct tui_touched_row *tui_touched_find(struct tui_touched *o, struct tui_row_key key);

#endif
