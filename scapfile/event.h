/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event types, their parameters and flags, and the borrowed view of one event.
 * The tables come from scapfile/schema/ (events.tsv, event_params.tsv, flags.tsv,
 * dynamic_params.tsv, syscalls.tsv), turned into C at build time by scapfile/schema/gen.c; the
 * numbers are those of the scap format as written by libscap. Units: timestamps are nanoseconds
 * since the Unix epoch; offsets count bytes of the uncompressed stream. Threads: the tables are
 * constant; a struct ev belongs to one thread at a time.
 */
#ifndef SCAPFILE_EVENT_H
#define SCAPFILE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/defs.h"
#include "scapfile/event_types.h" /* generated: enum ev_type with EV_OPEN_X, EV_CLONE_20_X, ...; EV_TYPE_COUNT */

/* Parameter types (scap format, "Parameter encodings"). The values are part of the format. */
enum ev_ptype {
	PT_NONE = 0,
	PT_INT8,
	PT_INT16,
	PT_INT32,
	PT_INT64,
	PT_UINT8,
	PT_UINT16,
	PT_UINT32,
	PT_UINT64,
	PT_CHARBUF,
	PT_BYTEBUF,
	PT_ERRNO,
	PT_SOCKADDR,
	PT_SOCKTUPLE,
	PT_FD,
	PT_PID,
	PT_FDLIST,
	PT_FSPATH,
	PT_SYSCALLID,
	PT_SIGTYPE,
	PT_RELTIME,
	PT_ABSTIME,
	PT_PORT,
	PT_L4PROTO,
	PT_SOCKFAMILY,
	PT_BOOL,
	PT_IPV4ADDR,
	PT_DYN,
	PT_FLAGS8,
	PT_FLAGS16,
	PT_FLAGS32,
	PT_UID,
	PT_GID,
	PT_DOUBLE,
	PT_SIGSET,
	PT_CHARBUFARRAY,
	PT_CHARBUF_PAIR_ARRAY,
	PT_IPV4NET,
	PT_IPV6ADDR,
	PT_IPV6NET,
	PT_IPADDR,
	PT_IPNET,
	PT_MODE,
	PT_FSRELPATH,
	PT_ENUMFLAGS8,
	PT_ENUMFLAGS16,
	PT_ENUMFLAGS32,
	PT_FD32,
	PT_PID32,
	PT_COUNT
};

enum ev_pformat { PF_NA, PF_DEC, PF_HEX, PF_10_PADDED_DEC, PF_ID, PF_DIR, PF_OCT };

enum ev_type_flags { /* struct ev_info.flags */
		     EF_CREATES_FD = 0x1,
		     EF_DESTROYS_FD = 0x2,
		     EF_USES_FD = 0x4,
		     EF_READS_FROM_FD = 0x8,
		     EF_WRITES_TO_FD = 0x10,
		     EF_MODIFIES_STATE = 0x20,
		     EF_UNUSED = 0x40,
		     EF_WAITS = 0x80,
		     EF_SKIPPARSERESET = 0x100,
		     EF_OLD_VERSION = 0x200,
		     EF_LARGE_PAYLOAD = 0x800,
		     EF_CONVERTER_MANAGED = 0x1000,
};

enum ev_category { /* struct ev_info.category: one low value plus source bits */
		   EC_UNKNOWN = 0,
		   EC_OTHER = 1,
		   EC_FILE = 2,
		   EC_NET = 3,
		   EC_IPC = 4,
		   EC_MEMORY = 5,
		   EC_PROCESS = 6,
		   EC_SLEEP = 7,
		   EC_SYSTEM = 8,
		   EC_SIGNAL = 9,
		   EC_USER = 10,
		   EC_TIME = 11,
		   EC_PROCESSING = 12,
		   EC_IO_READ = 32,
		   EC_IO_WRITE = 33,
		   EC_IO_OTHER = 34,
		   EC_WAIT = 64,
		   EC_SCHEDULER = 128,
		   EC_INTERNAL = 256,
		   EC_LOW_MASK = 511,
		   EC_SYSCALL = 512,
		   EC_TRACEPOINT = 1024,
		   EC_PLUGIN = 2048,
		   EC_METAEVENT = 4096,
		   EC_ITER = 8192,
};

#define EV_PARAMS_MAX 32 /* parameters per event type */
#define EV_TYPE_LOSS                                                                               \
	60000 /* our own: a gap in the recording; other readers skip types they do not know */
/*
 * Our own: an operation submitted through io_uring, at its result. Parameters, as in event tables:
 *  0 res i64, empty: submitted, and the kernel was asked to tell failures only
 *  1 op u8, IORING_OP_*: what was asked for, also if the kernel refused it
 *  2 fd i64: of the file, or of the directory where name begins; -1 none. An index of the ring's
 *    own table if flag 1 of the submission is set
 *  3 user_data u64
 *  4 flags u32 of the result, IORING_CQE_F_*
 *  5 sqe_flags u8 of the submission, IOSQE_*; the kernel may have added ASYNC
 *  6 op_flags u32: of the call (open, message, unlink, rename ... flags; type of a socket)
 *  7 addr u64: buffer, vector, message or address of the caller
 *  8 len u64: bytes, elements; mode of open and mkdir, mask of statx, domain of a socket
 *  9 offset u64: in the file; resolve flags of openat2, protocol of a socket
 * 10 fd2 i64: directory of name2, source of splice; -1 none. A pipe's ends are fd and fd2
 * 11 submitted u64, time; 0: before the recording, or the kernel refused the submission
 * 12 name, 13 name2: paths as given, at most EV_URING_NAME_MAX bytes
 * 14 address (PT_SOCKADDR) of connect and bind, 15 tuple (PT_SOCKTUPLE) of a connected socket
 * 16 file_slot u32: 0: what is opened is a descriptor, and so is what is closed; else the index + 1
 *    in the ring's own table, or 0xffffffff: a free one
 * 17 fd_flags u32 of what open, pipe, accept and socket give, as in events of calls; else empty
 * 18 dev u32, 19 ino u64 of what open and pipe give, 0 without a file; else empty
 * Records of the first version end with the tuple. The thread of the event is that of the
 * submission, or the first one of the process if a thread of the kernel takes it from the ring.
 */
#define EV_TYPE_URING	      60003
#define EV_URING_PARAMS	      20
#define EV_URING_PARAMS_FIRST 16
#define EV_URING_NAME_MAX     1024
/*
 * Our own: the SHA-256 of a file that was executed, as of when it was known, or why there is none.
 * Numbers that are not known are empty. Parameters:
 *  0 status u8, enum ev_hash_status
 *  1 dev u32, 2 ino u64, 3 ctime u64 (time; as in the event of the exec), 4 size u64: of the file
 *  5 pid i64: of the process, whose thread is that of the event
 *  6 sha256: 32 bytes, or empty
 *  7 path, as in the event of the exec
 *  8 skipped u64: executions that were not looked at, for the reason in status; then there is no
 *    file, and the event belongs to no thread
 */
#define EV_TYPE_HASH	 60002
#define EV_HASH_PARAMS	 9
#define EV_HASH_DIGEST	 6
#define EV_HASH_BYTES	 32
#define EV_HASH_PATH_MAX 4096 /* bytes with its NUL */
/* More than any such event is long, without its header: lengths and parameters. */
#define EV_HASH_ROOM (2 * EV_HASH_PARAMS + 64 + EV_HASH_BYTES + EV_HASH_PATH_MAX)
/*
 * Our own: what lists of threads and descriptors have no room for, in a capture that begins in the
 * middle of another (scapfile/facts.c has the parameters). They stand behind the lists and before
 * the first event; each is of the event's thread. A parameter that is empty is as the list has it.
 */
#define EV_TYPE_THREAD_FACTS 60004
#define EV_TYPE_FD_FACTS     60005
enum ev_thread_fact { /* times are 0 for never */
		      EV_THREAD_PID,
		      EV_THREAD_PTID,
		      EV_THREAD_FLAGS,
		      EV_THREAD_CLONED,
		      EV_THREAD_EXECUTED,
		      EV_THREAD_EXECS,
		      EV_THREAD_LAST, /* time of its last event, of the one before, type and fd */
		      EV_THREAD_PREVIOUS,
		      EV_THREAD_LAST_TYPE,
		      EV_THREAD_LAST_FD,
		      EV_THREAD_REAPER,
		      EV_THREAD_HAD_CHILDREN,
		      EV_THREAD_ALIVE,	     /* threads of its group */
		      EV_THREAD_REAPS,	     /* the group takes the children of others */
		      EV_THREAD_CTIME_CLONE, /* from the change of its executable's inode */
		      EV_THREAD_CTIME_PIDNS,
		      EV_THREAD_PIDNS_START, /* as events have it: since the start of the machine */
		      EV_THREAD_CONTAINER,
		      EV_THREAD_CATEGORY, /* within its container */
		      EV_THREAD_CMDLINE,
		      EV_THREAD_CMDLINE_KEPT, /* as of its last exec */
		      EV_THREAD_COMM,
		      EV_THREAD_EXE,
		      EV_THREAD_EXEPATH,
		      EV_THREAD_ROOT,
		      EV_THREAD_CWD,
		      EV_THREAD_ENV,
		      EV_THREAD_CALL, /* the call it is in: type, flags, directory, path or address
				       */
		      EV_THREAD_CALL_FLAGS,
		      EV_THREAD_CALL_DIRFD,
		      EV_THREAD_CALL_TEXT,
		      EV_THREAD_GONE, /* when it exited: there is no such thread, but there was */
		      EV_THREAD_FACTS
};
enum ev_fd_fact {
	EV_FDF_NUM, /* what follows is all of the descriptor, in place of a listed one */
	EV_FDF_TYPE,
	EV_FDF_FLAGS,
	EV_FDF_OPENFLAGS,
	EV_FDF_DEV,
	EV_FDF_INO,
	EV_FDF_PID,
	EV_FDF_NAME,
	EV_FDF_NAME_RAW,
	EV_FDF_SIP,
	EV_FDF_DIP,
	EV_FDF_SPORT,
	EV_FDF_DPORT,
	EV_FDF_L4PROTO,
	EV_FDF_UNIX_SOURCE,
	EV_FDF_UNIX_DEST,
	EV_FD_FACTS
};
enum ev_uring_param { /* those that are read one by one */
		      EV_URING_RES = 0,
		      EV_URING_OP = 1,
		      EV_URING_FD = 2,
		      EV_URING_USER_DATA = 3,
		      EV_URING_SQE_FLAGS = 5,
		      EV_URING_OP_FLAGS = 6,
		      EV_URING_LEN = 8,
		      EV_URING_OFFSET = 9,
		      EV_URING_FD2 = 10,
		      EV_URING_SUBMITTED = 11,
		      EV_URING_NAME = 12,
		      EV_URING_ADDRESS = 14,
		      EV_URING_TUPLE = 15,
		      EV_URING_FILE_SLOT = 16,
		      EV_URING_FD_FLAGS = 17,
		      EV_URING_DEV = 18,
		      EV_URING_INO = 19,
};
enum ev_uring_op { /* IORING_OP_* that open, close, name or use what a descriptor is */
		   EV_URING_READV = 1,
		   EV_URING_WRITEV = 2,
		   EV_URING_READ_FIXED = 4,
		   EV_URING_WRITE_FIXED = 5,
		   EV_URING_SENDMSG = 9,
		   EV_URING_RECVMSG = 10,
		   EV_URING_ACCEPT = 13,
		   EV_URING_CONNECT = 16,
		   EV_URING_OPENAT = 18,
		   EV_URING_CLOSE = 19,
		   EV_URING_READ = 22,
		   EV_URING_WRITE = 23,
		   EV_URING_SEND = 26,
		   EV_URING_RECV = 27,
		   EV_URING_OPENAT2 = 28,
		   EV_URING_SOCKET = 45,
		   EV_URING_SEND_ZC = 47,
		   EV_URING_SENDMSG_ZC = 48,
		   EV_URING_READ_MULTISHOT = 49,
		   EV_URING_BIND = 56,
		   EV_URING_READV_FIXED = 60,
		   EV_URING_WRITEV_FIXED = 61,
		   EV_URING_PIPE = 62,
};
#define EV_URING_FIXED_FILE 1 /* of sqe_flags: fd is an index */

#define EV_FD_CWD (-100)     /* AT_FDCWD as events store it */
#define EV_NO_ID  UINT32_MAX /* a uid or gid that is not known */

struct ev_flag { /* one row of flags.tsv; a set ends with a NULL name; the order of rows matters */
	const char *name;
	uint32_t value;
};

struct ev_dyn {		/* one alternative of a PT_DYN parameter, chosen by its first byte */
	uint8_t type;	/* enum ev_ptype */
	uint8_t format; /* enum ev_pformat */
};

struct ev_param_info {
	const char *name;
	const struct ev_flag *flags; /* or NULL */
	const struct ev_dyn *dyn;    /* @dyn_count entries, or NULL */
	uint8_t dyn_count;
	uint8_t type;	    /* enum ev_ptype */
	uint8_t format;	    /* enum ev_pformat */
	int8_t dirfd_param; /* PT_FSRELPATH: index of the parameter that names its directory; else
			       -1 */
};

struct ev_info {
	const char *name;      /* "open"; versions of an event share it */
	const char *enum_name; /* "PPME_SYSCALL_OPEN_X" */
	const struct ev_param_info *params;
	uint16_t category; /* EC_* */
	uint16_t flags;	   /* EF_* */
	uint8_t nparams;
};

struct ev_syscall { /* one row of syscalls.tsv, indexed by ppm_sc code */
	const char *name;
	int16_t x86_64, aarch64; /* native numbers, -1 if there is none */
	uint16_t enter_type,
	    exit_type; /* events it is reported as; EV_GENERIC_E/X without own events */
};

struct ev_flag_set { /* a named set; the list ends with a NULL name */
	const char *name;
	const struct ev_flag *flags;
};

extern const struct ev_flag_set ev_flag_sets[];
extern const struct ev_info ev_table[EV_TYPE_COUNT];
extern const struct ev_info ev_uring_info; /* of EV_TYPE_URING */
extern const struct ev_info ev_hash_info;  /* of EV_TYPE_HASH */
extern const struct ev_info ev_thread_facts_info, ev_fd_facts_info;
extern const struct ev_syscall ev_syscalls[EV_SYSCALL_COUNT];

static inline bool ev_type_is_exit(unsigned type)
{
	return type & 1;
}

/* The name under which a ppm_sc code is known; "unknown" for codes newer than the table. */
static inline const char *ev_syscall_name(unsigned code)
{
	return ev_syscalls[code < EV_SYSCALL_COUNT ? code : 0].name;
}

/* The flag set called @name ("file_flags"), or NULL. */
const struct ev_flag *ev_flag_set(const char *name);

/* Index of the parameter called @name, or -1. */
int ev_param_index(unsigned type, const char *name);

/* The fixed width of a parameter type in bytes, or 0 if it varies. */
unsigned ev_ptype_width(enum ev_ptype type);

enum ev_block_flags { EV_STATE_ONLY = 1 }; /* update state, do not show */

/*
 * One event, borrowed: valid until the next call on the source that delivered it. Always a current
 * event version, already validated: all parameters lie inside the buffer.
 */
struct ev {
	uint64_t ts;	      /* UINT64_MAX occurs in synthetic events */
	int64_t tid;	      /* -1: none */
	uint64_t offset;      /* of the event's block */
	uint64_t num;	      /* running number, set by state_apply() */
	const uint8_t *lens;  /* @nparams lengths, u32 if @wide, else u16 */
	const uint8_t *data;  /* the parameters, back to back */
	uint32_t block_flags; /* EV_STATE_ONLY */
	uint16_t type;	      /* enum ev_type */
	int16_t cpu;
	uint16_t nparams; /* recorded ones, at most the table's number */
	bool wide;
	uint8_t located; /* at[0..located] are known; the rest is found on first use */
	uint32_t at[EV_PARAMS_MAX + 1]; /* offsets in @data */
};

struct ev_value { /* a parameter's bytes; n == 0: not available (different from zero and from "") */
	const uint8_t *p;
	uint32_t n;
};

/* Fill at[] up to @i inclusive. @i < nparams. */
void ev_locate(struct ev *ev, unsigned i);

/* Parameter @i; empty if the event does not have it. */
static inline struct ev_value ev_param(struct ev *ev, unsigned i)
{
	if (UNLIKELY(i >= ev->nparams))
		return (struct ev_value){NULL, 0};
	if (ev->located <= i)
		ev_locate(ev, i);
	return (struct ev_value){ev->data + ev->at[i], ev->at[i + 1] - ev->at[i]};
}

static inline const struct ev_info *ev_info(const struct ev *ev)
{
	return &ev_table[ev->type];
}

/*
 * Integers as recorded: false if the parameter is empty or not exactly as wide as asked for.
 */
static inline bool ev_u8(struct ev *ev, unsigned i, uint8_t *out)
{
	struct ev_value v = ev_param(ev, i);

	if (v.n != 1)
		return false;
	*out = v.p[0];
	return true;
}

static inline bool ev_u16(struct ev *ev, unsigned i, uint16_t *out)
{
	struct ev_value v = ev_param(ev, i);

	if (v.n != 2)
		return false;
	*out = load_u16(v.p);
	return true;
}

static inline bool ev_u32(struct ev *ev, unsigned i, uint32_t *out)
{
	struct ev_value v = ev_param(ev, i);

	if (v.n != 4)
		return false;
	*out = load_u32(v.p);
	return true;
}

static inline bool ev_u64(struct ev *ev, unsigned i, uint64_t *out)
{
	struct ev_value v = ev_param(ev, i);

	if (v.n != 8)
		return false;
	*out = load_u64(v.p);
	return true;
}

static inline bool ev_i64(struct ev *ev, unsigned i, int64_t *out)
{
	uint64_t u;

	if (!ev_u64(ev, i, &u))
		return false;
	*out = (int64_t)u;
	return true;
}

/*
 * A string parameter (CHARBUF, FSPATH, FSRELPATH) cut at its first NUL. Empty and "(NULL)"
 * parameters give the text "<NA>", as the reference does; test ev_param(ev, i).n first where the
 * difference matters.
 */
struct sv ev_str(struct ev *ev, unsigned i);

/* Events of our own that have parameters like those of the table: their row of it; else NULL. */
static inline const struct ev_info *ev_own_info(unsigned type)
{
	switch (type) {
	case EV_TYPE_URING:
		return &ev_uring_info;
	case EV_TYPE_HASH:
		return &ev_hash_info;
	case EV_TYPE_THREAD_FACTS:
		return &ev_thread_facts_info;
	case EV_TYPE_FD_FACTS:
		return &ev_fd_facts_info;
	default:
		return NULL;
	}
}

enum ev_hash_status { /* values of the record; part of our format */
		      EV_HASH_DONE,
		      EV_HASH_RATE,	  /* over the limit of files or bytes per second */
		      EV_HASH_SIZE,	  /* over the limit of one file */
		      EV_HASH_GONE,	  /* neither the process nor the file was there any more */
		      EV_HASH_KIND,	  /* no regular file */
		      EV_HASH_CHANGED,	  /* while it was read */
		      EV_HASH_UNREADABLE, /* it could not be opened or read */
		      EV_HASH_QUEUE,	  /* too many were waiting */
		      EV_HASH_STOPPED,	  /* the recording ended before */
		      EV_HASH_STATUSES
};

struct ev_hash {	 /* parameters of EV_TYPE_HASH; 0: not known */
	unsigned status; /* enum ev_hash_status, or of a later version */
	uint32_t dev;
	uint64_t ino, ctime, size, skipped;
	int64_t pid;
	const uint8_t *sha256; /* EV_HASH_BYTES, or NULL; borrowed */
	struct sv path;	       /* borrowed */
};

/* Return: false if @ev is not as described at EV_TYPE_HASH. */
bool ev_hash_decode(struct ev *ev, struct ev_hash *out);
/* Lengths and parameters to @to, which has EV_HASH_ROOM bytes. Return: how many bytes. */
size_t ev_hash_encode(const struct ev_hash *h, uint8_t *to);
/* "too large"; "unknown" for one of a later version. */
const char *ev_hash_status_name(unsigned status);

/* An event "has a return value" if it is a syscall exit event, not GENERIC, with at least one
 * parameter: then *ret is parameter 0 as a signed number of 4 or 8 bytes (0 for other widths). */
bool ev_return_value(struct ev *ev, int64_t *ret);

#endif
