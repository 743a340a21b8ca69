/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a parameter's value to a record in the ring. Events of fixed size are written in place; the
 * others are put together in this CPU's scratch buffer and copied. BPF programs only.
 */
#ifndef CAPTURE_BPF_EVENT_H
#define CAPTURE_BPF_EVENT_H

#include "capture/wire.h"

#define TS_COMPAT    2
#define SCRATCH_MASK (WIRE_EVENT_MAX - 1)

#define STORE(type, where, value) (*(type *)(where) = (type)(value))

const volatile __s32 cfg_own_tgid;
const volatile __u64 cfg_boot_ns; /* realtime clock - boot clock, when the recording began */
__u32 measure_tiny;		  /* for measurements: a header and one number for each call */
struct wire_settings settings;

struct scratch {
	u64 pos; /* of the next parameter's bytes; in memory, so that the verifier forgets its range
		  */
	u8 data[WIRE_SCRATCH_LEN];
};

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* the possible CPUs, set before load */
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* likewise: a per-CPU array's elements end at 32 KiB */
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_COUNTS * WIRE_COUNTER_TYPES);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

struct args {
	u64 v[6];
};
struct slot {
	void *ring;
};

static __always_inline struct args read_args(struct task_struct *task, struct pt_regs *regs)
{
	struct args a;

	if (task->thread_info.status & TS_COMPAT) {
		a.v[0] = (u32)regs->bx;
		a.v[1] = (u32)regs->cx;
		a.v[2] = (u32)regs->dx;
		a.v[3] = (u32)regs->si;
		a.v[4] = (u32)regs->di;
		a.v[5] = (u32)regs->bp;
	} else {
		a.v[0] = regs->di;
		a.v[1] = regs->si;
		a.v[2] = regs->dx;
		a.v[3] = regs->r10;
		a.v[4] = regs->r8;
		a.v[5] = regs->r9;
	}
	return a;
}

static __always_inline void count(enum wire_count kind, u32 type)
{
	u32 key = kind * WIRE_COUNTER_TYPES + type;
	u64 *n = bpf_map_lookup_elem(&counters, &key);

	if (n)
		*n += 1;
}

static __always_inline bool skip_task(struct task_struct *task, u32 type)
{
	return !(settings.interesting_events[type / 64] >> (type & 63) & 1) || task->tgid == cfg_own_tgid;
}

static __always_inline void fill_header(u8 *e, u32 len, u16 type, u32 nparams)
{
	STORE(u64, e, cfg_boot_ns + bpf_ktime_get_boot_ns());
	STORE(u64, e + 8, (u32)bpf_get_current_pid_tgid());
	STORE(u32, e + 16, len);
	STORE(u16, e + 20, type);
	STORE(u32, e + 22, nparams);
}

/* The consumer is woken each time the producer passes a multiple of WIRE_WAKEUP_BYTES. */
static __always_inline u64 wakeup(void *ring, u32 len, bool reserved)
{
	u64 n = (len + 8 + 7) & ~7ull;
	u64 p = bpf_ringbuf_query(ring, BPF_RB_PROD_POS);
	u64 before = reserved ? p - n : p, after = reserved ? p : p + n;

	return (before ^ after) & ~(u64)(WIRE_WAKEUP_BYTES - 1) ? BPF_RB_FORCE_WAKEUP
								: BPF_RB_NO_WAKEUP;
}

static __always_inline void *this_ring(u32 type)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);

	count(WIRE_SEEN, type);
	if (!ring)
		count(WIRE_LOST_NO_RING, type);
	return ring;
}

static __always_inline u8 *reserve(struct slot *slot, u32 len, u16 type, u32 nparams)
{
	u8 *e;

	slot->ring = this_ring(type);
	if (!slot->ring)
		return 0;
	e = bpf_ringbuf_reserve(slot->ring, len, 0);
	if (!e) {
		count(WIRE_LOST_FULL, type);
		return 0;
	}
	fill_header(e, len, type, nparams);
	return e;
}

static __always_inline void submit(struct slot *slot, u8 *e, u32 len)
{
	bpf_ringbuf_submit(e, wakeup(slot->ring, len, true));
}

static __always_inline int tiny_event(void)
{
	struct slot slot;
	u8 *e = reserve(&slot, 46, 5, 2);

	if (!e)
		return 0;
	STORE(u64, e + 26, 0x80008);
	STORE(u64, e + 34, 0);
	submit(&slot, e, 46);
	return 0;
}

static __always_inline struct scratch *scratch_begin(u16 type, u32 nparams)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);

	if (!s) {
		count(WIRE_LOST_NO_RING, type);
		return 0;
	}
	fill_header(s->data, 0, type, nparams);
	s->pos = WIRE_HEADER_LEN + 2 * nparams;
	return s;
}

static __always_inline void scratch_commit(struct scratch *s, u16 type)
{
	void *ring = this_ring(type);
	u64 len = *(volatile u64 *)&s->pos;

	if (!ring)
		return;
	if (len >= WIRE_EVENT_MAX) {
		count(WIRE_LOST_LARGE, type);
		return;
	}
	len &= SCRATCH_MASK;
	STORE(u32, s->data + 16, len);
	if (bpf_ringbuf_output(ring, s->data, len, wakeup(ring, len, false)))
		count(WIRE_LOST_FULL, type);
}

/* Where the next parameter goes: never beyond the lower half, whatever the verifier believes. */
static __always_inline u8 *scratch_at(struct scratch *s)
{
	return s->data + (*(volatile u64 *)&s->pos & SCRATCH_MASK);
}

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

static __always_inline void put_str(struct scratch *s, u32 i, u64 ptr)
{
	long n = bpf_probe_read_user_str(scratch_at(s), WIRE_STRING_MAX, (void *)ptr);

	put_len(s, i, n > 0 ? n : 0);
}

static __always_inline void put_kstr(struct scratch *s, u32 i, const void *ptr)
{
	long n = bpf_probe_read_kernel_str(scratch_at(s), WIRE_STRING_MAX, ptr);

	put_len(s, i, n > 0 ? n : 0);
}

static __always_inline void put_bytes(struct scratch *s, u32 i, u64 ptr, u64 n)
{
	n &= SCRATCH_MASK;
	if (!n || !ptr || bpf_probe_read_user(scratch_at(s), n, (void *)ptr))
		n = 0;
	put_len(s, i, n);
}

#define s32(v) ((s64)(int)(v))

#endif
