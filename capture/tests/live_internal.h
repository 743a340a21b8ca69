/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the harness of the live tests share. */
#ifndef CAPTURE_TESTS_LIVE_INTERNAL_H
#define CAPTURE_TESTS_LIVE_INTERNAL_H

#include "capture/tests/live.h"

#define LIVE_EVENTS_MAX 200000 /* of one run, all tasks together */

struct live_seen { /* of one event type, over all tests: which parameters were compared */
	uint32_t in_success, in_failure;
	unsigned successes, failures;
};

struct live {
	const char *name;
	struct live_source *source;
	void *shared;
	int64_t tid;
	int status;
	uint64_t from, to;
	struct live_event *events;
	unsigned n, room;
	struct live_seen seen[EV_TYPE_COUNT];
};

/* --- live_source.c: where events come from --- */

/*
 * Load the programs that @set needs and start draining. Return: 0; 1 if BPF is not permitted here,
 * @why says more; or -1 if the programs are broken.
 */
int live_source_open(const char *set, struct live_source **out, char *why, size_t room);
void live_source_close(struct live_source *s);
/* Record @calls, which must be in the set, or nothing. May be called in a child. */
void live_source_want(struct live_source *s, const char *calls);
void live_source_nothing(struct live_source *s);
void live_source_settings(struct live_source *s, uint32_t snaplen, uint32_t shed);
/* Hand everything recorded so far to @event; waits for what was seen and has not come yet. */
void live_source_drain(struct live_source *s,
		       void (*event)(void *arg, const uint8_t *body, size_t n, int cpu), void *arg);

/* --- live_truth.c: truth.tsv --- */

/* Note that a parameter was compared. */
void live_note_compared(struct live_event *e, unsigned param);
/* Return: how many events that truth.tsv gives to this binary are not fully tested; tells which. */
unsigned live_truth_missing(const struct live *l);

#endif
