/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where events come from: a stream of items (machine description and initial state first, then
 * events), from a capture file, a live ring buffer or a test. Facts: scap format, "Order of
 * blocks". Units: nanoseconds since the epoch; addresses are raw network-order bytes, ports
 * host-order numbers. Ownership: everything an item points to is borrowed until the next call on
 * the source. Threads: one source belongs to one thread at a time.
 */
#ifndef SCAPFILE_SOURCE_H
#define SCAPFILE_SOURCE_H

#include "base/error.h"
#include "base/sv.h"
#include "scapfile/event.h"

enum ev_item_kind {
	EV_ITEM_EVENT,
	EV_ITEM_SECTION, /* a section starts: forget all state, keep counting events */
	EV_ITEM_MACHINE,
	EV_ITEM_THREAD,
	EV_ITEM_FD,
	EV_ITEM_INTERFACE,
	EV_ITEM_USER,
	EV_ITEM_GROUP,
	EV_ITEM_LISTS_RESET, /* an interface or user list follows that replaces the one before; see
				@list */
	EV_ITEM_LOSS,	     /* events that should stand here were lost while recording */
	EV_ITEM_URING,	     /* an operation through io_uring: @ev, of type EV_TYPE_URING */
	EV_ITEM_HASH,	     /* the hash of an executed file: @ev, of type EV_TYPE_HASH */
	EV_ITEM_FACTS,	     /* beyond the lists: @ev, of type EV_TYPE_THREAD_FACTS or _FD_FACTS */
};

struct ev_machine {
	uint32_t num_cpus;
	uint64_t memory_bytes, max_pid;
	struct sv hostname;
	uint64_t boot_ts; /* 0: not recorded */
};

struct ev_thread_entry { /* process list: one per thread. Fields a version lacks hold the documented
			    defaults. */
	int64_t tid, pid, ptid, sid, vpgid, pgid, vtid, vpid;
	struct sv comm, exe, exepath, cwd, root;
	struct sv args, env, cgroups; /* NUL-terminated strings back to back */
	int64_t fdlimit;
	uint32_t flags; /* PPM_CL_* */
	uint32_t uid, gid, loginuid;
	uint32_t vmsize_kb, vmrss_kb, vmswap_kb, tty;
	uint64_t pfmajor, pfminor, pidns_init_start_ts;
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	uint64_t exe_ino, exe_ino_ctime, exe_ino_mtime;
	bool exe_writable, exe_upper_layer, exe_lower_layer, exe_from_memfd;
	bool has_clone_ts; /* live sources only */
	uint64_t clone_ts;
};

enum ev_fd_type { /* values of the fd list; part of the format */
		  EV_FD_UNINITIALIZED = -1,
		  EV_FD_UNKNOWN = 0,
		  EV_FD_FILE = 1,
		  EV_FD_DIRECTORY = 2,
		  EV_FD_IPV4_SOCK = 3,
		  EV_FD_IPV6_SOCK = 4,
		  EV_FD_IPV4_SERVSOCK = 5,
		  EV_FD_IPV6_SERVSOCK = 6,
		  EV_FD_FIFO = 7,
		  EV_FD_UNIX_SOCK = 8,
		  EV_FD_EVENT = 9,
		  EV_FD_UNSUPPORTED = 10,
		  EV_FD_SIGNALFD = 11,
		  EV_FD_EVENTPOLL = 12,
		  EV_FD_INOTIFY = 13,
		  EV_FD_TIMERFD = 14,
		  EV_FD_NETLINK = 15,
		  EV_FD_FILE_V2 = 16,
		  EV_FD_BPF = 17,
		  EV_FD_USERFAULTFD = 18,
		  EV_FD_IOURING = 19,
		  EV_FD_MEMFD = 20,
		  EV_FD_PIDFD = 21,
};

enum ev_l4proto { EV_L4_UNKNOWN, EV_L4_NA, EV_L4_TCP, EV_L4_UDP, EV_L4_ICMP, EV_L4_RAW };

struct ev_fd_entry {
	int64_t tid; /* thread whose table it is in */
	int64_t fd;
	uint64_t ino;
	int type;		 /* enum ev_fd_type; an unknown number becomes UNSUPPORTED with name
				    "unknown-type:[N]" */
	struct sv name;		 /* path or name; empty for IP sockets */
	uint32_t openflags, dev; /* FILE_V2 */
	uint8_t sip[16],
	    dip[16]; /* IPv4 uses the first 4 bytes; listeners use sip and sport only */
	uint16_t sport, dport;
	uint8_t l4proto; /* enum ev_l4proto */
	uint64_t unix_source, unix_dest;
};

struct ev_interface {
	bool ipv6;
	struct sv name;
	uint8_t addr[16], netmask[16], bcast[16]; /* IPv4 uses the first 4 bytes */
	uint64_t linkspeed;
};

struct ev_user { /* and group: then only gid and name */
	uint32_t uid, gid;
	struct sv name, home, shell;
};

enum ev_list { EV_LIST_INTERFACES, EV_LIST_USERS };

enum ev_loss_reason { /* values of the loss record; part of our format */
		      EV_LOSS_UNKNOWN,
		      EV_LOSS_RING_FULL, /* the recorder did not keep up */
		      EV_LOSS_NO_RING,	 /* a CPU came online and had no ring yet */
		      EV_LOSS_TOO_LARGE, /* an event over the format's limit */
		      EV_LOSS_BUSY,	 /* an event inside an event of the same CPU */
		      EV_LOSS_SHED,	 /* left out on purpose, to stay within the limits given */
		      EV_LOSS_MEMORY,  /* drained, but the memory given for waiting events was full
					*/
		      EV_LOSS_INVALID, /* a record that is not an event */
		      EV_LOSS_DISK,    /* drained, but the output had no room */
		      EV_LOSS_DAMAGED, /* recorded, but a part of the capture is missing */
		      EV_LOSS_REASONS
};

#define EV_LOSS_KINDS_MAX 1024 /* of one record; further ones are only in its count */

struct ev_loss_kind {
	uint16_t type; /* enum ev_type, or one of our own */
	uint64_t count;
};

struct ev_loss {
	uint64_t from, to; /* when; what was lost happened between */
	int16_t cpu;	   /* -1: not known */
	uint16_t reason;   /* enum ev_loss_reason */
	uint64_t count;	   /* of all kinds; 0: not known */
	const struct ev_loss_kind *kinds;
	unsigned nkinds; /* 0: not known */
};

/* "ring full"; "unknown" for reasons newer than this version. */
const char *ev_loss_reason_name(unsigned reason);

struct ev_item {
	enum ev_item_kind kind;
	uint64_t offset; /* of the block it came from */
	union {
		struct ev *ev; /* EVENT, URING, HASH and FACTS; points into the source */
		const struct ev_machine *machine;
		const struct ev_thread_entry *thread;
		const struct ev_fd_entry *fd;
		const struct ev_interface *interface;
		const struct ev_user *user; /* USER and GROUP */
		enum ev_list list;	    /* LISTS_RESET */
		const struct ev_loss *loss;
	};
};

struct ev_source;

struct ev_source_ops {
	/* Return: 1 with *item filled, 0 at the end (clean or not: see damage), or ERR_*. */
	int (*next)(struct ev_source *s, struct ev_item *item, struct error *err);
	void (*close)(struct ev_source *s);
};

struct ev_source { /* first member of every implementation */
	const struct ev_source_ops *ops;
};

MUST_CHECK static inline int ev_source_next(struct ev_source *s, struct ev_item *item,
					    struct error *err)
{
	return s->ops->next(s, item, err);
}

static inline void ev_source_close(struct ev_source *s) /* NULL is fine */
{
	if (s)
		s->ops->close(s);
}

/*
 * A source for tests: delivers what was added, in order. Items are deep-copied on adding.
 */
struct ev_synth;
struct ev_synth *ev_synth_new(void);
struct ev_source *ev_synth_source(struct ev_synth *s); /* ev_source_close() frees the synth */
MUST_CHECK int ev_synth_add(struct ev_synth *s, const struct ev_item *item);

/* Building events: begin, one call per parameter in order, end. Widths must be those of the event
 * table. */
void ev_synth_begin(struct ev_synth *s, unsigned type, uint64_t ts, int64_t tid);
void ev_synth_int(struct ev_synth *s, int64_t value);	 /* width from the parameter's type */
void ev_synth_str(struct ev_synth *s, const char *text); /* with its NUL */
void ev_synth_bytes(struct ev_synth *s, const void *p, size_t n);
void ev_synth_empty(struct ev_synth *s); /* length 0: not available */
MUST_CHECK int ev_synth_end(struct ev_synth *s);

#endif
