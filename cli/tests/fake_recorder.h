/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorder for tests: it delivers a machine, a thread and then events and losses as it is told,
 * and needs neither a kernel nor privileges. It stands in for capture/recorder.h.
 */
#ifndef CLI_TESTS_FAKE_RECORDER_H
#define CLI_TESTS_FAKE_RECORDER_H

#include "capture/recorder.h"

#define FAKE_FIRST_TS 1700000000000000000u

struct fake {
	/* the script */
	unsigned events;	      /* then nothing comes any more, or the end */
	unsigned losses;	      /* before the events */
	uint64_t step_ns;	      /* from one event to the next */
	bool ends;		      /* by itself, after the last event */
	void (*on_event)(unsigned i); /* may be NULL */
	void (*on_idle)(void);
	int open_rc;
	/* what happened */
	unsigned states;    /* how often the state was delivered */
	unsigned delivered; /* events */
	bool open, stopped;
	unsigned shed;
};

extern struct fake fake;
void fake_reset(void);

#endif
