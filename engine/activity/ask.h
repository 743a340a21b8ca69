/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions over state: there is no event, so fields of some classes only make sense. What is gone
 * by then is asked by its record, of what was around it nothing is known. Threads: as the context.
 */
#ifndef ENGINE_ACTIVITY_ASK_H
#define ENGINE_ACTIVITY_ASK_H

#include "base/arena.h"
#include "engine/activity/net.h"
#include "engine/activity/procs.h"
#include "engine/activity/sessions.h"
#include "engine/filter/filter.h"

#define ACT_SOCKET_CLASSES  "fd proc thread user container" /* act_conn_passes() can answer */
#define ACT_SESSION_CLASSES "proc user container"	    /* act_session_passes() can */

/* One condition that is asked of @st as of @ts; what it points to is borrowed. */
struct act_question {
	struct flt_ctx *cx;
	unsigned condition;
	const struct state *st;
	uint64_t ts;
	/* Zeroed at first, and kept from question to question of a context: */
	uint64_t fakes;	    /* records made up so far */
	struct arena texts; /* of the one at hand */
	bool failed;	    /* out of memory: answers may be wrong */
};

/* The first field of @n that is of none of @classes ("proc fd user"); NULL: all are. */
const struct flt_expr *act_foreign_field(const struct flt_node *n, const char *classes);
void act_question_done(struct act_question *q);
/* Does @t, or its descriptor @fd (may be NULL), pass? */
bool act_passes(struct act_question *q, struct state_thread *t, struct state_fd *fd);
/* A process that has ended, with a descriptor (may be NULL), which may be made up, too. */
bool act_past_passes(struct act_question *q, const struct act_proc *p, struct state_fd *fd);
/* A text for such a descriptor, until it was asked about; NULL: empty, or no memory. */
struct state_str *act_past_text(struct act_question *q, struct sv text);
/* Does a descriptor of the socket pass (as of act_net_settle())? If none is there: its record. */
bool act_conn_passes(struct act_question *q, const struct act_conn *c);
/* Does its leader pass, by what the session's record has of it? Its name is that of its first
 * argument. */
bool act_session_passes(struct act_question *q, const struct act_session *s);

#endif
