/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls and tracepoints to record, as a set of ppm_sc codes (scapfile/schema/
 * syscalls.tsv). Facts: live capture specification, "Which events are enabled". Threads: values.
 */
#ifndef CAPTURE_SET_H
#define CAPTURE_SET_H

#include "base/error.h"
#include "base/sv.h"
#include "scapfile/event.h"

#define REC_SET_CODES 512

struct rec_set {
	uint64_t bits[REC_SET_CODES / 64];
};

enum rec_preset {
	REC_SET_STATE, /* what replaying needs to keep processes and fds right */
	REC_SET_FILES, /* and every call on paths and files */
	REC_SET_NET,   /* or on sockets */
	REC_SET_ALL, /* every system call, signals, the end of processes; no switches, no faults */
};

static inline void rec_set_add(struct rec_set *s, unsigned code)
{
	if (code < REC_SET_CODES)
		s->bits[code / 64] |= 1ull << (code % 64);
}

static inline void rec_set_remove(struct rec_set *s, unsigned code)
{
	if (code < REC_SET_CODES)
		s->bits[code / 64] &= ~(1ull << (code % 64));
}

static inline bool rec_set_has(const struct rec_set *s, unsigned code)
{
	return code < REC_SET_CODES && s->bits[code / 64] >> (code % 64) & 1;
}

void rec_set_add_preset(struct rec_set *s, enum rec_preset preset);
/* Every code that is reported as event @type. */
void rec_set_add_event(struct rec_set *s, unsigned type);
/*
 * Change @s as a comma list says: names of system calls (openat), of tracepoints (sched_switch,
 * page_fault, signal_deliver, procexit), of presets (state, files, net, all, none); "!" in front
 * removes. Return: 0, or ERR_USAGE naming the word that is not known.
 */
MUST_CHECK int rec_set_parse(struct rec_set *s, struct sv list, struct error *err);
/* How many codes are in it. */
unsigned rec_set_count(const struct rec_set *s);

#endif
