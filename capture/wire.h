/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the BPF programs and the recorder agree on: the layout of one ring record, limits, kinds of
 * loss, and the settings that may change while recording. Included by both sides: fixed-size types
 * of <linux/types.h> only.
 *
 * A record is the body of an event block, byte for byte: the header of WIRE_HEADER_LEN bytes
 * {u64 ts, u64 tid, u32 len, u16 type, u32 nparams}, unaligned, then nparams u16 lengths, then the
 * parameters. A record may be longer than the event in it, when memory that a call moved is gone.
 * The last two bytes of one in the priority ring, which all CPUs share, are the number of its CPU;
 * elsewhere the ring says it.
 */
#ifndef CAPTURE_WIRE_H
#define CAPTURE_WIRE_H

#include <linux/types.h>

#define WIRE_HEADER_LEN	  26
#define WIRE_SYSCALLS	  512 /* native numbers of 64-bit system calls are below */
#define WIRE_IA32_SLOTS	  8   /* the last of them are 32-bit calls that have none; the very last, */
#define WIRE_NATIVE_IA32  0x8000 /* those without an equivalent: the event has this bit, too */
#define WIRE_EVENT_TYPES  512	 /* event types of the format are below */
#define WIRE_OWN_TYPES	  16	 /* our own types, 60000 and up, are counted behind the others */
#define WIRE_STRING_MAX	  4096
#define WIRE_EVENT_MAX	  65536
#define WIRE_SCRATCH_LEN  (2 * WIRE_EVENT_MAX)
#define WIRE_SNAPLEN_MAX  65000
#define WIRE_SHORT_MAX	  4000	       /* moved bytes that are written in place */
#define WIRE_FOLLOWED	  64	       /* processes that are followed from the beginning */
#define WIRE_WAKEUP_BYTES (256 * 1024) /* the consumer is woken each time; a power of two */

/*
 * The ring of one CPU is one value of a map: a page with the reader's position, one with the
 * writer's, then the ring's bytes and as many more as a record may need that begins at their end.
 */
#define WIRE_LANE_PAGE	(64 << 10) /* a multiple of the page size on every machine */
#define WIRE_LANE_SLACK (2 * WIRE_EVENT_MAX)
#define WIRE_LANE_EXTRA (2 * WIRE_LANE_PAGE + WIRE_LANE_SLACK)

/* Counted for each CPU and event type; SEEN = delivered + all that is lost. */
enum wire_count {
	WIRE_SEEN,	   /* events a program began */
	WIRE_LOST_FULL,	   /* no room in the ring */
	WIRE_LOST_NO_RING, /* this CPU has no ring or scratch buffer */
	WIRE_LOST_LARGE,   /* over WIRE_EVENT_MAX */
	WIRE_LOST_BUSY,	   /* the scratch buffer was in use: an event inside an event */
	WIRE_SHED,	   /* left out under pressure */
	WIRE_FAULT,	   /* not a loss: a parameter is empty because user memory was not there */
	WIRE_COUNTS
};
#define WIRE_COUNTER_TYPES (WIRE_EVENT_TYPES + WIRE_OWN_TYPES)

/* What to leave out under pressure: each level includes those before it. */
enum wire_shed {
	WIRE_SHED_NOTHING,
	WIRE_SHED_SCHEDULER, /* switches and page faults */
	WIRE_SHED_GENERIC,   /* calls without parameters of their own */
	WIRE_SHED_DATA,	     /* the bytes that reads and writes moved */
	WIRE_SHED_IO,	     /* reads, writes, sends, receives altogether */
	WIRE_SHED_ALL	     /* everything but the life of processes */
};

struct wire_followed { /* a process that is recorded from now on */
	__s32 number;  /* where the recorder sees it */
	__s32 error;   /* why not, negative */
};

struct wire_settings {					 /* may be changed while recording */
	__u64 interesting[WIRE_SYSCALLS / 64];		 /* by native 64-bit number */
	__u64 interesting_entries[WIRE_SYSCALLS / 64];	 /* likewise, copies before the call */
	__u64 interesting_events[WIRE_EVENT_TYPES / 64]; /* events of tracepoints, by type */
	__u32 snaplen;
	__u32 shed; /* enum wire_shed */
};

#endif
