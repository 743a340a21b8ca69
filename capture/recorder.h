/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: events of this host, as they happen. BPF programs fill one ring buffer for each
 * CPU; a thread of the recorder drains and merges them by time into memory; the caller takes items
 * as from a capture: machine, interfaces, users, threads and fds first, then events and losses.
 * Facts: live capture specification. Units: nanoseconds (events: since the Unix epoch), bytes.
 * Threads: one recorder belongs to one thread at a time, but for rec_stop(), which any thread or
 * signal handler may call. Privileges: rec_check() names what is needed.
 */
#ifndef CAPTURE_RECORDER_H
#define CAPTURE_RECORDER_H

#include "capture/set.h"
#include "scapfile/source.h"

#define REC_RING_BYTES_DEFAULT	 (8u << 20)
#define REC_RING_BYTES_MIN	 (64u << 10)
#define REC_RING_BYTES_MAX	 (1u << 30)
#define REC_MEMORY_BYTES_DEFAULT (256u << 20)
#define REC_SNAPLEN_DEFAULT	 80
#define REC_FILTER_MAX		 64 /* cgroups, commands, ports of one recording */

struct rec_options { /* rec_options_init() fills in the defaults */
	struct rec_set set;
	uint32_t snaplen;	/* bytes kept of what a call moved */
	bool dynamic_snaplen;	/* more for protocols that are known */
	uint16_t full_ports[2]; /* traffic of this range of ports whole; 0, 0: none */
	uint64_t ring_bytes;   /* of one CPU's ring; a power of two; default: less with many CPUs */
	uint64_t memory_bytes; /* of drained events the caller has not taken yet */
	bool with_self;	       /* also record this process */
	bool entry_copies;     /* copy paths and addresses before the kernel reads them, too */
	bool io_uring;	       /* operations submitted through rings */
	bool hash_execs;       /* deliver the SHA-256 of files that are executed */
	bool first_state;      /* deliver the state of the host before the events */
	bool exact_set;	  /* of @set and nothing else: replaying may then lose processes and fds */
	bool drop_failed; /* leave out calls that failed, but connections in progress */
	/* When the recording has begun the calling thread keeps only the capabilities that
	 * rec_state_again() needs, and cannot gain others by executing files. */
	bool drop_privileges, no_new_privs;
	/* Only events of: any of these processes and their descendants, any of these cgroups and
	 * those below them, any of these commands; and of sockets, only with one of these ports.
	 * What is given of several kinds must all be true. Processes have the ids by which this
	 * one knows them, in its pid namespace; those in events are always the kernel's. */
	int64_t pids[REC_FILTER_MAX];
	uint64_t cgroups[REC_FILTER_MAX]; /* cgroup v2 ids: inode numbers of their directories */
	char comms[REC_FILTER_MAX][16];
	uint16_t ports[REC_FILTER_MAX];
	unsigned npids, ncgroups, ncomms, nports;
};

struct rec_stats {	    /* since rec_open(); losses by reason are the sums of the loss items */
	uint64_t seen;	    /* events the programs began */
	uint64_t delivered; /* of them, taken out of the rings and not lost later; also those from
			       before the first state, which contains them */
	uint64_t lost[EV_LOSS_REASONS];
	uint64_t late; /* delivered after a later one of another CPU */
	uint64_t faults;
	uint64_t bytes;		   /* of events taken out of the rings */
	uint64_t memory_used;	   /* drained, not taken yet */
	unsigned ring_fill;	   /* percent: the fullest ring now */
	unsigned ring_fill_max;	   /* and ever */
	unsigned programs;	   /* loaded */
	uint64_t load_ns;	   /* loading and verifying the programs */
	uint64_t state_ns;	   /* taking the first state */
	uint64_t threads, fds;	   /* in it */
	uint64_t drain_cpu_ns;	   /* of the recorder's own threads */
	bool state_from_iterators; /* else from /proc */
};

struct rec;

void rec_options_init(struct rec_options *opt);

/**
 * rec_open() - load and attach the programs, start draining, take the first state
 * @opt: its set is completed by what changes processes and fds, unless it is exact. With a first
 *       state, events from before it are left out, and so are events of a thread from before it was
 *       read, but the end of a thread and the beginning of one that the state does not have
 * Return: 0, or ERR_UNSUPPORTED (the kernel lacks what err names), ERR_PERMISSION (a capability is
 * missing), ERR_LIMIT, ERR_NOMEM, ERR_USAGE.
 */
MUST_CHECK int rec_open(const struct rec_options *opt, struct rec **out, struct error *err);

#define REC_IDLE 2
/**
 * rec_next() - the next item, in order of time
 * @item: borrowed until the next call
 * @timeout_ms: how long to wait for one
 * Return: 1 with @item filled, 0 after rec_stop() when everything was taken, REC_IDLE, or ERR_*.
 */
MUST_CHECK int rec_next(struct rec *r, struct ev_item *item, int timeout_ms, struct error *err);

/*
 * The same as a source, for the run loop; it waits. @idle, if set, is called when nothing came for
 * a while and between items at least every 100 ms. Closing the source leaves the recorder open.
 */
struct ev_source *rec_source(struct rec *r, void (*idle)(void *arg), void *arg);

/*
 * Take the state as it is now once more, for a new file. It is delivered in its place, after the
 * events that are older and may still wait, and begins with EV_ITEM_SECTION.
 */
MUST_CHECK int rec_state_again(struct rec *r, struct error *err);

/* Spare the host: leave out what @level (enum wire_shed) says, at least. Takes effect at once; 0:
 * nothing. */
void rec_shed(struct rec *r, unsigned level);

/* Detach; rec_next() delivers what is left, with the last losses, and then ends. */
void rec_stop(struct rec *r);
/* Also updates what is read from the kernel. */
void rec_stats(struct rec *r, struct rec_stats *out);
void rec_close(struct rec *r); /* NULL is fine */

/* --- what this host can do --- */

struct rec_feature {
	const char *name; /* "ring buffers" */
	const char *needed_for;
	bool required, present;
	char why[96]; /* why not, as the kernel says */
};
#define REC_FEATURES_MAX 24
/* Try each feature and capability. Return: how many were filled in. */
unsigned rec_check(struct rec_feature features[REC_FEATURES_MAX]);
/* Of libbpf, for people. */
const char *rec_library_version(void);

#endif
