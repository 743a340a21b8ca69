/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of this host when a recording begins: machine, interfaces, users, groups, every thread
 * and the descriptors of every table. Threads and descriptors come from BPF iterators where the
 * kernel has them, else from /proc; both give the same entries. Facts: live capture specification,
 * "Initial state scan". Units: nanoseconds; marks are of the boot clock, everything inside entries
 * is what the capture format says. Ownership: a state owns all its text; items borrow from it until
 * it is freed. Threads: one reader or state belongs to one thread at a time; a state does not need
 * the reader it came from.
 */
#ifndef CAPTURE_STATE_H
#define CAPTURE_STATE_H

#include "scapfile/source.h"

enum rec_state_iterators {
	REC_ITERATORS_AUTO,  /* as far as they work here, /proc for the rest */
	REC_ITERATORS_NEVER, /* only /proc */
	REC_ITERATORS_ONLY,  /* fail if they do not work */
};

struct rec_state_options {     /* rec_state_options_init() fills in the defaults */
	const char *host_root; /* stands in front of /proc, /etc and /sys; "": nothing; borrowed for
				  the life of the reader; default: $HOST_ROOT */
	const char *hostname;  /* NULL: as the kernel says; default: $SCAP_HOSTNAME */
	enum rec_state_iterators iterators;
	bool environment;    /* of processes */
	bool users;	     /* and groups */
	bool sockets;	     /* as descriptors; without them their tables need not be read */
	uint32_t max_fds;    /* of one process; 0: all */
	uint32_t timeout_ms; /* of one rec_state_take(); what was found until then is delivered; 0:
				none */
	uint64_t max_bytes;  /* of one state in memory: from there on entries are skipped */
	uint64_t boot_ns; /* realtime clock - boot clock, as the event stream uses it; 0: measured
			     when the reader is opened */
	int64_t skip_process; /* leave out this one (the recorder itself); 0: none */
};

struct rec_state_stats { /* of one state */
	uint64_t processes, threads, fds, sockets, interfaces, users, groups;
	/* What is not in it, and why. */
	uint64_t kernel_threads, zombies;
	uint64_t vanished;     /* ended, or their id was reused, while being read */
	uint64_t unreadable;   /* not permitted */
	uint64_t fds_vanished; /* closed while being read */
	uint64_t fds_limit;    /* over max_fds */
	uint64_t over_memory;  /* entries over max_bytes */
	uint64_t incomplete;   /* entries that lack a part that could not be read */
	bool timed_out;
	/* What it took, and where it came from. */
	uint64_t begin_ns, end_ns; /* boot clock */
	uint64_t threads_ns, fds_ns, host_ns;
	uint64_t bytes;		    /* memory */
	bool threads_from_iterator; /* else from /proc */
	bool text_from_iterator;    /* command lines and environments */
	bool fds_from_iterator;
	char why_not[128]; /* the first reason why an iterator was not used; "": none */
};

/* When an entry was true. An event of the thread before @stamp_ns is contained in it. */
struct rec_state_mark {
	uint64_t
	    stamp_ns; /* boot clock: when it was read; 0 for entries that are not of a thread */
	uint64_t start_ns; /* boot clock: when the thread started; with the id, its identity. /proc
			      only knows the clock tick it was in */
};

struct rec_state_reader; /* iterator programs, loaded once for any number of states */
struct rec_state;

void rec_state_options_init(struct rec_state_options *opt);

/**
 * rec_state_open() - get ready to take states: load the iterators, if wanted and possible
 * @opt: NULL selects the defaults
 * @out: receives a reader the caller owns; untouched on failure
 * Return: 0, ERR_NOMEM, ERR_IO (no /proc), or, with REC_ITERATORS_ONLY, ERR_UNSUPPORTED.
 */
MUST_CHECK int rec_state_open(const struct rec_state_options *opt, struct rec_state_reader **out,
			      struct error *err);
void rec_state_close(struct rec_state_reader *r); /* NULL is fine */

/**
 * rec_state_take() - read the state of the whole host, as it is now
 * @out: receives a state the caller owns; untouched on failure
 * Return: 0, ERR_NOMEM, ERR_IO.
 */
MUST_CHECK int rec_state_take(struct rec_state_reader *r, struct rec_state **out,
			      struct error *err);
/*
 * The same for the threads and descriptors of process @pid alone. An empty state if there is none.
 */
MUST_CHECK int rec_state_take_process(struct rec_state_reader *r, int64_t pid,
				      struct rec_state **out, struct error *err);
void rec_state_free(struct rec_state *s); /* NULL is fine */

/**
 * rec_state_next() - the next item, in the order a capture has them
 * @item: machine, interfaces (IPv4 first), users, groups, threads by id (leaders before their
 *        other threads), then the descriptors of one table after another
 * @mark: when it was true; may be NULL
 * Return: 1 with @item filled, or 0 after the last one. Descriptors have the mark of their own
 * reading, and the start of the thread whose table they are in.
 */
int rec_state_next(struct rec_state *s, struct ev_item *item, struct rec_state_mark *mark);
void rec_state_rewind(struct rec_state *s);

/* When thread @tid was read. Return: false if it is not in the state. */
bool rec_state_find(const struct rec_state *s, int64_t tid, struct rec_state_mark *mark);
const struct rec_state_stats *rec_state_stats(const struct rec_state *s);

#endif
