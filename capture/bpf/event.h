/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a parameter's value to a record in the ring. Events of fixed size are written in place:
 * reserve(), STORE()s, submit(). The others are put together in this CPU's scratch buffer and
 * copied: scratch_begin(), put_X() for each parameter in order, scratch_commit() or scratch_drop()
 * on every path. What may run inside another program (switches, faults, signals) must not use the
 * scratch buffer; should one do so, its event is lost and counted. BPF programs only.
 */
#ifndef CAPTURE_BPF_EVENT_H
#define CAPTURE_BPF_EVENT_H

#include "capture/bpf/args.h"
#include "scapfile/event_types.h" /* generated */

#define SCRATCH_MASK	    (WIRE_EVENT_MAX - 1)
#define PRIORITY_RING_BYTES (4 << 20)
#define LANE_BYTES	    (64 << 10)
#define CPU_LEN		    2 /* the CPU's number, behind records of the priority ring */

#define STORE(type, where, value) (*(type *)(where) = (type)(value))

const volatile __s32 cfg_own_tgid;
const volatile __u32 cfg_wakeup_bytes = WIRE_WAKEUP_BYTES; /* less for small rings */
const volatile __u64 cfg_lane_bytes = LANE_BYTES;	   /* a power of two */
const volatile __u64 cfg_boot_ns; /* realtime clock - boot clock, when the recording began */
struct wire_settings settings;

struct scratch {
	u64 pos; /* of the next parameter's bytes; in memory, so that the verifier forgets its range
		  */
	u32 busy;
	u16 type;
	u16 fault; /* user memory that should be there was not */
	u8 data[WIRE_SCRATCH_LEN];
};

/*
 * The ring of one CPU. The kernel's own rings lock and unlock for every record; this one needs
 * neither, as only this CPU writes to it. To its reader it looks the same (capture/rings.c).
 */
struct lane {
	u64 taken; /* by the reader, who may write to this page and no other */
	u8 pad[WIRE_LANE_PAGE - sizeof(u64)];
	u64 put;
	u64 known; /* of @taken, read when the lane seems full: its cache line is the reader's */
	u32 claimed;
	u8 pad2[WIRE_LANE_PAGE - 2 * sizeof(u64) - sizeof(u32)];
	u8 data[LANE_BYTES + WIRE_LANE_SLACK]; /* more, set before load */
};
struct ring {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct lane)); /* more, set before load */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* the possible CPUs, set before load */
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");
/* What masses of reads and writes must not displace; and for CPUs that have no ring. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PRIORITY_RING_BYTES);
} ring_priority SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* likewise: a per-CPU array's elements end at 32 KiB */
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_COUNTS *WIRE_COUNTER_TYPES);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");
/* By native number. Filled after load: initial values would force every program to be loaded. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, WIRE_SYSCALLS);
	__type(key, u32);
	__type(value, u32);
} exits SEC(".maps"), entries SEC(".maps");

/* --- which ring, and what became of an event --- */

/* Our own types stand behind those of the format. */
static __always_inline void count(enum wire_count kind, u32 type)
{
	u32 slot =
	    type < WIRE_EVENT_TYPES ? type : WIRE_EVENT_TYPES + (type & (WIRE_OWN_TYPES - 1));
	u32 key = kind * WIRE_COUNTER_TYPES + slot;
	u64 *n = bpf_map_lookup_elem(&counters, &key);

	if (n)
		*n += 1;
}

/* The life of processes: without these events the others lose their meaning. */
static __always_inline bool is_priority(u32 type)
{
	switch (type) {
#define LIFECYCLE(type) case type:
#include "capture/lifecycle.def"
#undef LIFECYCLE
	case EV_CHDIR_X:
	case EV_FCHDIR_X:
	case EV_CHROOT_X:
	case EV_SETNS_X:
	case EV_UNSHARE_X:
	case EV_DUP_1_X:
	case EV_DUP2_X:
	case EV_DUP3_X:
	case EV_PRCTL_X:
	case EV_SETSID_X:
	case EV_SETPGID_X:
	case EV_SETUID_X:
	case EV_SETGID_X:
	case EV_SETREUID_X:
	case EV_SETREGID_X:
	case EV_SETRESUID_X:
	case EV_SETRESGID_X:
	case EV_CAPSET_X:
		return true;
	default:
		return false;
	}
}

/* --- the ring of this CPU --- */

struct slot {		   /* where a record goes */
	struct lane *lane; /* NULL: the ring that all CPUs share; their number follows the record */
	u64 at;
};

#define RECORD_HEADER  8
#define RECORD_BUSY    (1u << 31)
#define RECORD_SIZE(n) (((n) + RECORD_HEADER + 7) & ~7ull)

/* What was written before is seen by who sees @value. */
#ifdef __TARGET_ARCH_x86
#define PUBLISH(where, value)                                                                      \
	({                                                                                         \
		barrier();                                                                         \
		*(volatile typeof(value) *)(where) = (value);                                      \
	})
#else
#define PUBLISH(where, value) __sync_lock_test_and_set((typeof(value) *)(where), (value))
#endif

static __always_inline struct lane *this_lane(void)
{
	u32 cpu = bpf_get_smp_processor_id(), zero = 0;
	void *ring = bpf_map_lookup_elem(&rings, &cpu);

	return ring ? bpf_map_lookup_elem(ring, &zero) : 0;
}

/* Return: does the event go to the ring of this CPU? */
static __always_inline bool find_slot(struct slot *slot, u32 type)
{
	slot->lane = is_priority(type) ? 0 : this_lane();
	/* In an interrupt between two lines of lane_reserve(). */
	if (slot->lane && *(volatile u32 *)&slot->lane->claimed)
		slot->lane = 0;
	return slot->lane;
}

/* Return: @len bytes in the ring of this CPU, or NULL if it is full. */
static __always_inline u8 *lane_reserve(struct slot *slot, u32 len)
{
	struct lane *l = slot->lane;
	u64 at, end;
	u8 *head;

	*(volatile u32 *)&l->claimed = 1;
	at = *(volatile u64 *)&l->put;
	end = at + RECORD_SIZE(len);
	if (end - l->known > cfg_lane_bytes) {
		l->known = *(volatile u64 *)&l->taken;
		if (end - l->known > cfg_lane_bytes) {
			*(volatile u32 *)&l->claimed = 0;
			return 0;
		}
	}
	head = l->data + (at & (cfg_lane_bytes - 1));
	STORE(volatile u32, head, len | RECORD_BUSY);
	PUBLISH(&l->put, end);
	*(volatile u32 *)&l->claimed = 0;
	slot->at = at;
	return head + RECORD_HEADER;
}

/* The consumer is woken each time the producer passes a multiple of so many bytes. */
static __always_inline bool is_wakeup(u64 before, u64 after)
{
	return (before ^ after) & ~(u64)(cfg_wakeup_bytes - 1);
}

/* When @len bytes come into the ring that all share, or did. */
static __always_inline u64 wakeup(u32 len, bool reserved)
{
	u64 p = bpf_ringbuf_query(&ring_priority, BPF_RB_PROD_POS), n = RECORD_SIZE(len);

	return is_wakeup(reserved ? p - n : p, reserved ? p : p + n) ? BPF_RB_FORCE_WAKEUP
								     : BPF_RB_NO_WAKEUP;
}

/* The rings of the CPUs have no one to wake, the shared one has: by a record of no meaning. */
__noinline int ring_bell(void)
{
	void *bell = bpf_ringbuf_reserve(&ring_priority, sizeof(u64), 0);

	if (bell)
		bpf_ringbuf_discard(bell, BPF_RB_FORCE_WAKEUP);
	return 0;
}

static __always_inline void lane_submit(struct slot *slot, u8 *e, u32 len)
{
	PUBLISH((u32 *)(e - RECORD_HEADER), len);
	if (is_wakeup(slot->at, slot->at + RECORD_SIZE(len)))
		ring_bell();
}

/* --- events of fixed size --- */

static __always_inline void fill_header(u8 *e, u32 len, u16 type, u32 nparams)
{
	STORE(u64, e + 8, (u32)bpf_get_current_pid_tgid());
	STORE(u32, e + 16, len);
	STORE(u16, e + 20, type);
	STORE(u32, e + 22, nparams);
}

/* Taken once the place in the ring is: times in one ring rise. */
static __always_inline void stamp(u8 *e)
{
	STORE(u64, e, cfg_boot_ns + bpf_ktime_get_boot_ns());
}

/* What reserve() does with a place once it has one, or NULL. */
static __always_inline u8 *begin_at(u8 *e, u32 len, u16 type, u32 nparams)
{
	count(WIRE_SEEN, type);
	if (!e) {
		count(WIRE_LOST_FULL, type);
		return 0;
	}
	stamp(e);
	fill_header(e, len, type, nparams);
	return e;
}

/* Return: @len bytes in a ring, with the header filled in; submit() must follow. Or NULL. */
static __always_inline u8 *reserve(struct slot *slot, u32 len, u16 type, u32 nparams)
{
	u8 *e;

	if (find_slot(slot, type))
		e = lane_reserve(slot, len);
	else /* a constant: verifiers of 6.1 ask for one */
		e = bpf_ringbuf_reserve(&ring_priority, len + CPU_LEN, 0);
	return begin_at(e, len, type, nparams);
}

/* The same in the ring of this CPU, which has been found: @len may vary. */
static __always_inline u8 *reserve_here(struct slot *slot, u32 len, u16 type, u32 nparams)
{
	return begin_at(lane_reserve(slot, len), len, type, nparams);
}

static __always_inline void submit(struct slot *slot, u8 *e, u32 len)
{
	if (slot->lane) {
		lane_submit(slot, e, len);
		return;
	}
	STORE(u16, e + len, bpf_get_smp_processor_id());
	bpf_ringbuf_submit(e, wakeup(len + CPU_LEN, true));
}

/* @n, at most @max, in one register: the compiler must not test one copy and use another. */
static __always_inline u64 bounded(u64 n, u64 max)
{
	asm volatile("" : "+r"(n));
	if (n > max)
		n = max;
	asm volatile("" : "+r"(n));
	return n;
}

/* What a call moved, into a place in the ring. Return: how many. */
static __always_inline u64 read_short(u8 *at, u64 ptr, u64 n, u16 type)
{
	n = bounded(n, WIRE_SHORT_MAX); /* the compiler knows already, the verifier does not */
	if (!n || !ptr)
		return 0;
	if (!bpf_probe_read_user(at, n, (void *)ptr))
		return n;
	count(WIRE_FAULT, type);
	return 0;
}

/* --- events of variable size --- */

/* The buffer of this CPU, for global functions, which cannot be given it. */
static __always_inline struct scratch *this_scratch(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratches, &cpu);
}

static __always_inline struct scratch *scratch_begin(u16 type, u32 nparams)
{
	struct scratch *s = this_scratch();

	if (!s || s->busy) {
		count(WIRE_SEEN, type);
		count(s ? WIRE_LOST_BUSY : WIRE_LOST_NO_RING, type);
		return 0;
	}
	s->busy = 1;
	s->type = type;
	s->fault = 0;
	fill_header(s->data, 0, type, nparams);
	s->pos = WIRE_HEADER_LEN + 2 * nparams;
	return s;
}

/* The event is not to be recorded after all. */
static __always_inline void scratch_drop(struct scratch *s)
{
	s->busy = 0;
}

static __always_inline bool lane_output(struct slot *slot, struct scratch *s, u64 len)
{
	u8 *e = lane_reserve(slot, len);

	if (!e)
		return false;
	stamp(s->data);
	bpf_probe_read_kernel(e, len, s->data); /* memcpy() */
	lane_submit(slot, e, len);
	return true;
}

static __always_inline bool shared_output(struct scratch *s, u64 len)
{
	STORE(u16, s->data + len, bpf_get_smp_processor_id());
	len += CPU_LEN;
	stamp(s->data);
	return !bpf_ringbuf_output(&ring_priority, s->data, len, wakeup(len, false));
}

static __always_inline void scratch_commit(struct scratch *s, u16 type)
{
	u64 len = *(volatile u64 *)&s->pos;
	struct slot slot;

	find_slot(&slot, type);
	count(WIRE_SEEN, type);
	if (s->fault)
		count(WIRE_FAULT, type);
	if (len >= WIRE_EVENT_MAX) {
		count(WIRE_LOST_LARGE, type);
		s->busy = 0;
		return;
	}
	len = bounded(len, SCRATCH_MASK);
	STORE(u32, s->data + 16, len);
	if (!(slot.lane ? lane_output(&slot, s, len) : shared_output(s, len)))
		count(WIRE_LOST_FULL, type);
	s->busy = 0;
}

/* Where the next parameter goes: never beyond the lower half, whatever the verifier believes. */
static __always_inline u8 *scratch_at(struct scratch *s)
{
	return s->data + (*(volatile u64 *)&s->pos & SCRATCH_MASK);
}

/* The next @n bytes are parameter @i, counted from 0. */
static __always_inline void put_len(struct scratch *s, u32 i, u64 n)
{
	STORE(u16, s->data + WIRE_HEADER_LEN + 2 * i, n);
	*(volatile u64 *)&s->pos += n;
}

#define put_num(type, s, i, value)                                                                 \
	do {                                                                                       \
		STORE(type, scratch_at(s), value);                                                 \
		put_len(s, i, sizeof(type));                                                       \
	} while (0)

static __always_inline void put_empty(struct scratch *s, u32 i)
{
	put_len(s, i, 0);
}

/*
 * Bytes of the string, with its end, or negative. An empty one counted as 0 bytes until 6.13
 * ("maccess: fix strncpy_from_user_nofault() empty string handling"); its end is written all the
 * same.
 */
static __always_inline long read_user_str(void *to, u32 room, u64 from)
{
	long n = bpf_probe_read_user_str(to, room, (void *)from);

	return n ? n : 1;
}

/* A string of the caller, with its end; without a pointer it is absent. */
static __always_inline void put_str(struct scratch *s, u32 i, u64 ptr)
{
	long n = read_user_str(scratch_at(s), WIRE_STRING_MAX, ptr);

	if (n < 0) {
		s->fault |= ptr != 0;
		n = 0;
	}
	put_len(s, i, n);
}

static __always_inline void put_str_if(struct scratch *s, u32 i, bool wanted, u64 ptr)
{
	put_str(s, i, wanted ? ptr : 0);
}

static __always_inline void put_kstr(struct scratch *s, u32 i, const void *ptr)
{
	long n = bpf_probe_read_kernel_str(scratch_at(s), WIRE_STRING_MAX, ptr);

	put_len(s, i, n > 0 ? n : 0);
}

static __always_inline void put_bytes(struct scratch *s, u32 i, u64 ptr, u64 n)
{
	n = bounded(n, SCRATCH_MASK);
	if (!n || !ptr) {
		n = 0;
	} else if (bpf_probe_read_user(scratch_at(s), n, (void *)ptr)) {
		s->fault = 1;
		n = 0;
	}
	put_len(s, i, n);
}

#endif
