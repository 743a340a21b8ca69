/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the recorder's own files and their tests: from a ring in the kernel's memory to an item
 * in the caller's hands. One thread, the drain, owns the rings, the merge and the loss counters and
 * puts what it takes into the queue; the caller's thread takes from there. Units: nanoseconds since
 * the epoch as events carry them (boot clock + struct rec_clock), bytes.
 */
#ifndef CAPTURE_INTERNAL_H
#define CAPTURE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture/recorder.h"
#include "capture/state.h"
#include "capture/wire.h"

/* --- rings.c: reading one BPF ring buffer --- */

#define RING_AHEAD	   64	      /* records looked at and not taken yet; a power of two */
#define RING_RELEASE_BYTES (64 << 10) /* the kernel is told how far we are this often */

struct ring_record {
	const uint8_t *p; /* @len bytes: the event; on a shared ring the last two are its CPU */
	uint32_t len;
	uint64_t ts;
	uint64_t at; /* position of its first byte */
};

/*
 * Records stand in the order in which they were begun in the ring, which is nearly but not quite
 * that of their times: several CPUs share the priority ring, and an event may be overtaken by a
 * page fault it causes. So a few are looked at ahead and kept in order of time.
 */
struct ring {
	_Atomic uint64_t *consumer;
	const _Atomic uint64_t *producer;
	const uint8_t *data; /* no record is broken at its end: the mapping is longer */
	uint64_t size;
	size_t page, mapped; /* bytes of the two mappings */
	int fd;		     /* the ring's map, or -1 */
	int16_t cpu;	     /* -1: shared by all */
	bool busy;	     /* the next record is begun, but not finished */
	uint64_t produced;   /* the kernel's position when last looked */
	uint64_t scan;	     /* ours: the first record not looked at */
	uint64_t released;   /* what the kernel knows of it */
	uint64_t last_ts;    /* of the record last looked at */
	uint64_t even_at;    /* when we had last looked at everything there was */
	unsigned first, count;
	struct ring_record ahead[RING_AHEAD];
};

/* Map the ring buffer @fd of @size bytes; the ring owns @fd from then on. */
MUST_CHECK int ring_map(struct ring *r, int fd, uint64_t size, int16_t cpu, struct error *err);
/* A ring in memory that is there already, for tests: @data of 2 * @size bytes. */
void ring_attach(struct ring *r, _Atomic uint64_t *consumer, const _Atomic uint64_t *producer,
		 const uint8_t *data, uint64_t size, int16_t cpu);
void ring_unmap(struct ring *r);
/* Look at what is new at @now. */
void ring_look(struct ring *r, uint64_t now);
/* The earliest record that is known, or NULL. */
static inline const struct ring_record *ring_head(const struct ring *r)
{
	return r->count ? &r->ahead[r->first & (RING_AHEAD - 1)] : NULL;
}
/* Done with ring_head(): its bytes belong to the kernel soon. */
void ring_take(struct ring *r);
void ring_release(struct ring *r);
/* No record earlier than this is to come from the ring, as of the last look at @now. */
uint64_t ring_bound(const struct ring *r, uint64_t now);
unsigned ring_fill(const struct ring *r); /* percent */

/* --- merge.c: many rings, one order --- */

#define MERGE_SLACK_NS 5000000u	 /* between an event's time and its place in the ring */
#define MERGE_HOLD_NS  50000000u /* longer than this nobody waits for a record that is begun */

struct merge {
	struct ring **rings; /* all of them; the array grows */
	unsigned nrings, cap;
	struct ring **heap; /* those with records, earliest first */
	unsigned nheap;
	uint64_t limit; /* events up to this time may go */
	uint64_t last_ts;
	uint64_t late;		     /* went after a later one */
	unsigned fill_now, fill_max; /* percent, of the fullest ring, when last looked and ever */
};

MUST_CHECK int merge_add(struct merge *m, struct ring *r);
void merge_done(struct merge *m);
/* Look at all rings at @now and set the limit; @final: everything may go, even past busy records.
 */
void merge_look(struct merge *m, uint64_t now, bool final);
/* The ring whose head is next, not later than @until; NULL: none now. */
struct ring *merge_next(struct merge *m, uint64_t until);
/* Done with the head of what merge_next() returned. */
void merge_take(struct merge *m);

/* --- event.c: is a record an event? --- */

/*
 * A record of @room bytes, which may be more than the event in it. Return: NULL with its @len, or
 * what is wrong with it. @type is filled in if it is known, else 0.
 */
const char *record_check(const uint8_t *p, uint32_t room, unsigned *type, uint32_t *len);
/* Index of an event type among the counters. */
static inline unsigned counter_index(unsigned type)
{
	if (type < WIRE_EVENT_TYPES)
		return type;
	return type - EV_TYPE_LOSS < WIRE_OWN_TYPES ? WIRE_EVENT_TYPES + type - EV_TYPE_LOSS : 0;
}
static inline unsigned counter_type(unsigned index)
{
	return index < WIRE_EVENT_TYPES ? index : EV_TYPE_LOSS + index - WIRE_EVENT_TYPES;
}
/* The beginning or end of a process: never given up for lack of memory. */
bool event_is_lifecycle(unsigned type);

/*
 * What an event changed is in the record of its thread already, if that was read later
 * (recorder.c). Not so the end of a thread, and the beginning of one that the state does not have.
 */
bool event_is_contained(const struct rec_state *state, uint64_t boot_ns, struct ev *ev);

/* --- segments.c: the bounded queue between drain and caller --- */

#define SEGMENT_BYTES  (1u << 20)
#define SEGMENTS_MIN   4
#define SEGMENTS_SPARE 16 /* kept for reuse */

enum queued_kind { QUEUED_EVENT, QUEUED_LOSS };

struct queued {
	uint32_t len; /* of what follows, which is aligned to 8 */
	int16_t cpu;
	uint16_t kind;
	uint8_t body[];
};

struct segment;

struct segments {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct segment *spare;
	unsigned nspare, used, limit; /* segments; @used hold something or are being filled */
	bool ended;
	/* the drain's */
	struct segment *last;
	uint64_t put; /* bytes in all */
	/* the caller's */
	struct segment *first;
	size_t at, readable; /* in @first */
	_Atomic uint64_t taken;
	_Atomic uint64_t published;
};

MUST_CHECK int segments_init(struct segments *s, uint64_t bytes, struct error *err);
void segments_done(struct segments *s);
/*
 * Room for @len bytes, to be filled in before segments_publish(). @essential may use a reserve
 * beyond the budget. Return: NULL if there is none.
 */
struct queued *segments_room(struct segments *s, uint32_t len, bool essential);
/* What was put so far may be read. */
void segments_publish(struct segments *s);
void segments_end(struct segments *s);
/* Return: 1 with @out valid until the next call, 0 at the end, REC_IDLE after @timeout_ms. */
int segments_next(struct segments *s, const struct queued **out, int timeout_ms);
/* Percent of the budget in use. */
unsigned segments_fill(struct segments *s);

/* What to leave out at @fill percent of the budget, when it was @level before. */
unsigned shed_level(unsigned level, unsigned fill);

/* --- losses.c: from counters to loss items --- */

enum { LOSS_MEMORY = WIRE_COUNTS, LOSS_INVALID, LOSS_COUNTS };

struct losses {
	unsigned cpus;
	uint64_t *now, *before; /* [LOSS_COUNTS][WIRE_COUNTER_TYPES][cpus] */
	uint64_t from, to;	/* of the reading that is due */
	bool due;
	uint64_t lost[EV_LOSS_REASONS];
	struct ev_loss_kind kinds[WIRE_COUNTER_TYPES];
};

MUST_CHECK int losses_init(struct losses *l, unsigned cpus, uint64_t start, struct error *err);
void losses_done(struct losses *l);
/* Counted here, not in the kernel. */
void losses_count(struct losses *l, unsigned kind, int cpu, unsigned type);
/* Row of one counter: one number for each CPU, read from the kernel. */
static inline uint64_t *losses_row(struct losses *l, unsigned kind, unsigned index)
{
	return l->now + ((size_t)kind * WIRE_COUNTER_TYPES + index) * l->cpus;
}
/* All rows are up to date as of @to. */
void losses_read_done(struct losses *l, uint64_t to);
/* Hand out what changed, one loss for each CPU and reason. */
void losses_emit(struct losses *l, void (*emit)(void *arg, const struct ev_loss *loss), void *arg);
uint64_t losses_total(const struct losses *l, unsigned kind);

/* --- programs.c: which BPF programs are needed --- */

bool program_wanted(const struct rec_options *opt, const char *name);
/* With all others: not reached from a dispatcher, and the order does not matter. */
bool program_is_attached(const char *name);
/* The program that serves the native call @nr, or NULL. */
const char *program_for(const struct rec_options *opt, bool entry, int nr);
void programs_interest(const struct rec_options *opt, struct wire_settings *s);
/* What native calls are reported as, and which move data. */
void programs_classify(__u16 types[WIRE_SYSCALLS], __u64 io[WIRE_SYSCALLS / 64]);

/* --- filters.c: what they filter by --- */

struct filter_maps {
	int processes, cgroups, comms, ports; /* descriptors */
	int lister; /* of the iterator that finds processes to follow, unless there are none */
};

/* The programs that follow processes are attached already. */
MUST_CHECK int filters_fill(const struct rec_options *opt, const struct filter_maps *maps,
			    struct error *err);

/* --- types.c: of the kernel's types those the programs ask for --- */

struct btf;

/*
 * What of the @size bytes of types @kernel bears the name of a struct, union or enum of @ours, with
 * all that is needed to find fields and values in it. Return: types that the caller frees, or NULL
 * with errno set.
 */
struct btf *types_reduce(const void *kernel, size_t size, const struct btf *ours);
/* A file in memory. Return: its descriptor, owned by the caller, or a negative errno. */
MUST_CHECK int types_file(void);
/* Write the running kernel's there, reduced. Return: 0, or a negative errno. */
MUST_CHECK int types_fill(int fd, const struct btf *ours);

/* --- messages.c: what libbpf says --- */

#define MESSAGE_MAX 400

void messages_listen(void);
/* Of the calling thread from now on: @text becomes the reason of what fails first. NULL: no more.
 */
void messages_keep(char text[MESSAGE_MAX]);
/* To @what the programs failed with the errno @sys, for the reason @text. Return: the error's code.
 */
int messages_failed(const char *text, int sys, const char *what, struct error *err);

/* --- parts.c: the programs, in as many parts as threads that load them --- */

#define PARTS_MAX 2

struct bpf_object;
struct bpf_program;

struct part {
	const struct parts *parts; /* that it is one of */
	struct bpf_object *obj;	   /* where the programs of others are not loaded */
	pthread_t thread;
	int rc;
	char text[MESSAGE_MAX];
};

struct parts {
	struct bpf_object *whole; /* borrowed */
	uint8_t *part_of;	  /* each program of @whole */
	unsigned programs;	  /* wanted */
	const void *data;	  /* the object's file */
	size_t size;
	const char *types; /* file with the kernel's, or NULL */
	unsigned n;
	struct part part[PARTS_MAX];
};

/* Before @whole is loaded: it is to have maps, but no programs. Return: 0, or a negative errno. */
MUST_CHECK int parts_init(struct parts *p, struct bpf_object *whole, const struct rec_options *opt);
/* Load them, with the maps of @whole. Return: 0, or a negative errno with the reason in @text. */
MUST_CHECK int parts_load(struct parts *p, const void *data, size_t size, const char *types,
			  char text[MESSAGE_MAX]);
/* One that is loaded, or NULL. */
struct bpf_program *parts_find(const struct parts *p, const char *name);
void parts_done(struct parts *p);

/* --- load.c: the BPF programs --- */

struct load;

MUST_CHECK int load_open(const struct rec_options *opt, uint64_t boot_ns, struct load **out,
			 struct error *err);
MUST_CHECK int load_attach(struct load *l, const struct rec_options *opt, struct error *err);
void load_detach(struct load *l);
void load_close(struct load *l);
unsigned load_cpus(const struct load *l);     /* possible ones */
unsigned load_programs(const struct load *l); /* loaded */
/* A ring for @cpu; -1: the one of all. Return: its descriptor, owned by the caller. */
MUST_CHECK int load_ring(struct load *l, int cpu, struct error *err);
uint64_t load_priority_bytes(const struct load *l);
uint64_t load_ring_bytes(const struct load *l); /* of one CPU's: what was asked for, or less */
/* What may be changed while recording, in memory that children share. For tests. */
volatile struct wire_settings *load_settings(struct load *l);
/* Tell the programs what to leave out. */
void load_shed(struct load *l, unsigned level);
/* Fill the kernel's rows of @l from the counters. */
MUST_CHECK int load_counters(struct load *load, struct losses *l, struct error *err);
uint64_t load_total(struct load *l, enum wire_count kind);

/* --- check.c --- */

/* Something failed with @code: if it is for lack of a feature, say so. Return: the error's code. */
int check_explain(int code, struct error *err);
/* Can operations of io_uring be recorded? */
MUST_CHECK int check_uring(struct error *err);
/* Does this kernel describe their results in one struct? */
bool check_uring_cqe(void);
/* The id of this process as the kernel knows it, which in a container is not that of getpid(). */
int check_own_tgid(void);
/* Are ids here, in this process's pid namespace, those of the kernel? */
bool check_first_pidns(void);

/* --- caps.c --- */

/* Of the calling thread. */
void caps_keep_for_drain(void);
void caps_keep_for_hasher(void);
MUST_CHECK int caps_keep_for_recording(bool drop, bool no_new_privs, struct error *err);

/* --- drain.c: the thread --- */

struct hasher; /* hasher.h */

struct drain {
	struct load *load;
	struct hasher *hasher; /* or NULL */
	struct merge merge;
	struct segments queue;
	struct losses losses;
	uint64_t ring_bytes, boot_ns;
	int epoll, wake; /* descriptors */
	pthread_t thread;
	bool started;
	atomic_bool stopping;
	_Atomic uint64_t from;		    /* events before this are not delivered */
	_Atomic unsigned shed, shed_wanted; /* what the queue, what the caller makes necessary */
	unsigned shed_told;		    /* to the programs, by the drain */
	uint64_t next_reading;
	uint64_t delivered, bytes;
	/* for each possible CPU: has a ring; has none, but events */
	bool *has_ring, *late_cpus;
	bool wants_ring;
	/* for rec_stats(), under @lock */
	pthread_mutex_t lock;
	struct rec_stats stats;
};

/* @present: which of the possible CPUs get a ring at once; NULL: those that are there. */
MUST_CHECK int drain_init(struct drain *d, const struct rec_options *opt, struct load *load,
			  uint64_t boot_ns, const bool *present, struct error *err);
MUST_CHECK int drain_start(struct drain *d, struct error *err);
void drain_stop(struct drain *d); /* may be called from a signal handler */
void drain_done(struct drain *d); /* also waits for the thread */

uint64_t drain_now(const struct drain *d); /* as events are stamped */

#endif
