/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions over the state at T, as views of processes and descriptors take them. Threads: that of
 * the program.
 */
#ifndef TUI_STATE_FILTER_H
#define TUI_STATE_FILTER_H

#include "engine/activity/ask.h"
#include "tui/data.h"

struct tui_state_filter;

/* What a plain word means in such views (struct tui_filter_language). */
#define TUI_PROCESS_WORD                                                                           \
	"(proc.name icontains $ or proc.cmdline icontains $ or proc.exepath icontains $)"

/*
 * @classes: of fields that may be asked for ("proc user"). Empty @condition: *@out is NULL, which
 * passes all. Return: 0, ERR_SYNTAX or ERR_COMPILE (@pos: a byte of it), ERR_NOMEM.
 */
MUST_CHECK int tui_state_filter_new(struct sv condition, const char *classes,
				    struct tui_state_filter **out, size_t *pos, struct error *err);
void tui_state_filter_free(struct tui_state_filter *f); /* NULL is fine */
/* Ask about that moment from now on, until it changes. Return: 0 or ERR_NOMEM. */
MUST_CHECK int tui_state_filter_at(struct tui_state_filter *f, const struct tui_moment *m,
				   struct error *err);
bool tui_state_filter_passes(struct tui_state_filter *f, struct state_thread *t,
			     struct state_fd *fd);
/* A process that has ended; of the processes around it nothing is known. */
bool tui_state_filter_passes_dead(struct tui_state_filter *f, const struct act_proc *p);
/* The same with a descriptor, which may be made up, too. */
bool tui_state_filter_passes_past(struct tui_state_filter *f, const struct act_proc *p,
				  struct state_fd *fd);
/* A socket, as act_conn_passes() asks. */
bool tui_state_filter_passes_conn(struct tui_state_filter *f, const struct act_conn *c);
/* A session, as act_session_passes() asks. */
bool tui_state_filter_passes_session(struct tui_state_filter *f, const struct act_session *s);
/* A text for such a record, until the next is asked about; NULL: empty, or no memory. */
struct state_str *tui_state_filter_keep(struct tui_state_filter *f, struct sv text);

#endif
