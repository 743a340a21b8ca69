/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of events: block, header, number and place of the parameters; losses. */
#include "scapfile/strict_internal.h"

#include "scapfile/internal.h" /* the table of conversions */

#define HEADER_OLD	  22u
#define HEADER		  26u
#define STATE_ONLY	  1u	 /* the one block flag there is */
#define SMALL_BLOCK_MAX	  65536u /* without type and length */
#define OLD_LENGTH_ERROR  3u	 /* of two types, in old headers */
#define LOSS_COUNT_ALONE  1
#define LOSS_PARAMS_WHOLE 5

struct header {
	uint64_t ts;
	int64_t tid;
	uint32_t len, nparams, lens_size;
	unsigned type, cpu, size; /* of the header */
	bool wide;		  /* 32-bit lengths */
	const uint8_t *p;	  /* the header's first byte */
	uint64_t at;		  /* its offset */
};

static uint32_t length_of(const struct header *h, uint32_t i)
{
	const uint8_t *lens = h->p + h->size;

	return h->wide ? load_u32(lens + 4 * (size_t)i) : load_u16(lens + 2 * (size_t)i);
}

/* ---- times, threads, processors ---- */

/* Events made up by the recording program may have no time. */
static bool may_lack_time(unsigned type)
{
	return type < EV_TYPE_COUNT && ev_table[type].category & EC_METAEVENT;
}

static void check_time(struct strict *s, const struct header *h)
{
	if (h->ts == UINT64_MAX) {
		if (!may_lack_time(h->type))
			strict_find(s, SF_STRICT_EVENT_TIME, h->at,
				    "expected a time, found none in event type %u", h->type);
		return;
	}
	if (h->ts < s->boot_ts)
		strict_find(s, SF_STRICT_EVENT_TIME, h->at,
			    "expected a time after the start of the machine, %llu; found %llu",
			    (unsigned long long)s->boot_ts, (unsigned long long)h->ts);
	if (h->type == EV_TYPE_LOSS)
		return; /* noticed later than what came meanwhile */
	if (s->newest_ts > h->ts && s->newest_ts - h->ts > SF_TIME_BACK_MAX)
		strict_find(s, SF_STRICT_EVENT_TIME, h->at,
			    "expected a time at most %llu ns before %llu, found %llu",
			    (unsigned long long)SF_TIME_BACK_MAX, (unsigned long long)s->newest_ts,
			    (unsigned long long)h->ts);
	if (h->ts > s->newest_ts)
		s->newest_ts = h->ts;
}

static void check_origin(struct strict *s, const struct header *h)
{
	bool no_cpu = h->type == EV_TYPE_LOSS && h->cpu == UINT16_MAX;
	unsigned most = s->cpus ? s->cpus : STRICT_CPUS_MAX;

	if (h->tid < -1 || !strict_is_tid(h->tid))
		strict_find(s, SF_STRICT_EVENT_ORIGIN, h->at + 8,
			    "expected a thread from -1 to %d, found %lld", STRICT_TID_MAX,
			    (long long)h->tid);
	if (!no_cpu && h->cpu >= most)
		strict_find(s, SF_STRICT_EVENT_ORIGIN, s->at + 8,
			    "expected a cpu below %u, found %u", most, h->cpu);
}

/* ---- the form of the block ---- */

static void check_flags(struct strict *s, const struct strict_block *b)
{
	uint32_t flags;

	if (!b->flags)
		return;
	flags = load_u32(b->p + 10);
	if (flags & ~STATE_ONLY || !flags)
		strict_find(s, SF_STRICT_EVENT_BLOCK, s->at + 10,
			    "expected flags of 1 in a block with flags, found 0x%x", flags);
}

/* Large blocks are for types with wide lengths, and for events that fit no other. */
static void check_size(struct strict *s, const struct strict_block *b, const struct header *h)
{
	if (h->wide && !b->large)
		strict_find(s, SF_STRICT_EVENT_BLOCK, s->at,
			    "expected a large block for event type %u, found block type 0x%x",
			    h->type, b->type);
	if (!h->wide && b->large && b->total - 8 <= SMALL_BLOCK_MAX)
		strict_find(s, SF_STRICT_EVENT_BLOCK, s->at,
			    "expected a small block for event type %u of %u bytes, found block "
			    "type 0x%x",
			    h->type, h->len, b->type);
}

/* ---- parameters ---- */

/*
 * Types that grew without a new number and without a conversion: readers deliver what older
 * recorders wrote as it is ("Converting old events", eligibility, 2a), and so writers of today
 * write it again. PROCEXIT_1_E grew from 1 to 4 to 5 ("Events that matter to a reader's state");
 * that the other two had no parameters is seen in captures of 2018 whose events fill their blocks
 * so.
 */
static bool is_older(unsigned type, uint32_t nparams)
{
	switch (type) {
	case EV_PROCEXIT_1_E:
		return nparams == 1 || nparams == 4;
	case EV_SETSOCKOPT_X:
	case EV_GETSOCKOPT_X:
		return nparams == 0;
	default:
		return false;
	}
}

/* Can readers make a current event of one of @type with @nparams parameters? */
static bool is_convertible(unsigned type, uint32_t nparams)
{
	if (is_older(type, nparams))
		return true;
	if (type >= EV_TYPE_COUNT)
		return type == EV_TYPE_URING && nparams == EV_URING_PARAMS_FIRST;
	for (unsigned i = conv_first_row[type]; i < conv_first_row[type + 1]; i++)
		if (conv_rows[i].nparams_in == nparams)
			return true;
	return false;
}

static void check_count(struct strict *s, const struct header *h)
{
	const struct ev_info *info = strict_info(h->type);

	if (info->flags & EF_UNUSED)
		strict_find(s, SF_STRICT_EVENT_TYPE, h->at + 20,
			    "expected a type that is captured, found %u (%s)", h->type,
			    info->enum_name);
	if (h->nparams != info->nparams && !is_convertible(h->type, h->nparams))
		strict_find(s, SF_STRICT_EVENT_PARAMS, h->at + 22,
			    "expected %u parameters of event type %u (%s), found %u", info->nparams,
			    h->type, info->enum_name, h->nparams);
}

/* The parameters, one behind the other; those beyond the table's are only measured. */
static void check_params(struct strict *s, const struct header *h)
{
	uint32_t room = h->len - h->size - h->lens_size, at = 0;
	const uint8_t *data = h->p + h->size + h->lens_size;
	unsigned known = strict_info(h->type)->nparams;

	for (uint32_t i = 0; i < h->nparams; i++) {
		uint32_t n = length_of(h, i);

		if (n > room - at) {
			strict_find(s, SF_STRICT_EVENT_LENGTH,
				    h->at + h->size + i * (h->wide ? 4 : 2),
				    "parameter %u of event type %u: expected at most %u bytes, "
				    "found %u",
				    i, h->type, room - at, n);
			return;
		}
		if (n && i < known)
			strict_param(s, h->type, i, data + at, n,
				     h->at + h->size + h->lens_size + at);
		at += n;
	}
	if (at != room)
		strict_find(s, SF_STRICT_EVENT_LENGTH, h->at + 16,
			    "expected parameters of %u bytes in an event of %u, found %u", room,
			    h->len, at);
}

/*
 * A system call with an event of its own is reported as one without only by older recorders, whose
 * table did not have that event. Their exit events had the first parameter alone; made current,
 * they have the number from the enter event, or an empty one (converter.tsv, GENERIC_X). That
 * number is the kernel's of that call (syscalls.tsv).
 */
static void check_generic(struct strict *s, const struct header *h)
{
	const uint8_t *data = h->p + h->size + h->lens_size;
	const struct ev_syscall *call;
	unsigned code;

	if (h->type != EV_GENERIC_X || h->nparams != 2 || length_of(h, 0) != 2 ||
	    length_of(h, 1) != 2 || h->len < h->size + h->lens_size + 4)
		return;
	code = load_u16(data);
	call = &ev_syscalls[code < EV_SYSCALL_COUNT ? code : 0];
	if (call->exit_type != EV_GENERIC_X && load_u16(data + 2) != call->x86_64 &&
	    load_u16(data + 2) != call->aarch64)
		strict_find(s, SF_STRICT_PARAM_VALUE, h->at + (uint64_t)(data - h->p),
			    "expected a system call without an event of its own, found %s",
			    call->name);
}

/* A digest is whole, and it is there if and only if the file was hashed. */
static void check_hash(struct strict *s, const struct header *h)
{
	const uint8_t *data = h->p + h->size + h->lens_size;
	uint32_t expected;

	if (h->type != EV_TYPE_HASH || h->nparams != EV_HASH_PARAMS || length_of(h, 0) != 1 ||
	    h->len == h->size + h->lens_size)
		return;
	expected = *data == EV_HASH_DONE ? EV_HASH_BYTES : 0;
	if (*data >= EV_HASH_STATUSES)
		strict_find(s, SF_STRICT_PARAM_VALUE, h->at + (uint64_t)(data - h->p),
			    "expected a status below %d, found %u", EV_HASH_STATUSES, *data);
	else if (length_of(h, EV_HASH_DIGEST) != expected)
		strict_find(s, SF_STRICT_PARAM_LENGTH, h->at + h->size + 2 * EV_HASH_DIGEST,
			    "expected a digest of %u bytes with status %u, found %u", expected,
			    *data, length_of(h, EV_HASH_DIGEST));
}

/* ---- losses ---- */

static void check_kinds(struct strict *s, const uint8_t *p, unsigned n, uint64_t count,
			uint64_t offset)
{
	uint64_t sum = 0;
	int last = -1;

	if (n % SF_LOSS_KIND) {
		strict_find(s, SF_STRICT_LOSS, offset,
			    "expected kinds of %d bytes each, found %u bytes", SF_LOSS_KIND, n);
		return;
	}
	for (; n; n -= SF_LOSS_KIND, p += SF_LOSS_KIND, offset += SF_LOSS_KIND) {
		unsigned type = load_u16(p);

		if (type >= EV_TYPE_COUNT && type < EV_TYPE_LOSS)
			strict_find(s, SF_STRICT_LOSS, offset,
				    "expected a known event type, found %u", type);
		if ((int)type == last || load_u64(p + 2) == 0)
			strict_find(s, SF_STRICT_LOSS, offset,
				    "expected each type once and with a number, found %u with %llu",
				    type, (unsigned long long)load_u64(p + 2));
		last = (int)type;
		sum += load_u64(p + 2);
	}
	if (sum > count)
		strict_find(s, SF_STRICT_LOSS, offset,
			    "expected kinds of %llu events together, found %llu",
			    (unsigned long long)count, (unsigned long long)sum);
}

static void check_loss_values(struct strict *s, const struct header *h, const uint8_t *p)
{
	uint64_t at = h->at + (uint64_t)(p - h->p), from = load_u64(p + 8), to = load_u64(p + 16);
	unsigned reason = load_u16(p + 24);

	if (from > to || to != h->ts)
		strict_find(s, SF_STRICT_LOSS, at + 8,
			    "expected a span that ends at %llu, found %llu to %llu",
			    (unsigned long long)h->ts, (unsigned long long)from,
			    (unsigned long long)to);
	if (reason >= EV_LOSS_REASONS)
		strict_find(s, SF_STRICT_LOSS, at + 24, "expected a reason below %d, found %u",
			    EV_LOSS_REASONS, reason);
}

/* How many events a damage cost may not be known. */
static bool is_uncounted(const struct header *h, const uint8_t *p)
{
	return h->nparams == LOSS_PARAMS_WHOLE && load_u16(p + 24) == EV_LOSS_DAMAGED;
}

static void check_loss(struct strict *s, const struct strict_block *b, const struct header *h)
{
	static const uint8_t widths[] = {8, 8, 8, 2};
	const uint8_t *p = h->p + h->size + h->lens_size;
	uint32_t room = h->len - h->size - h->lens_size, at = 0;

	s->report->losses++;
	if (b->type != SF_EV_V2 || h->tid != -1)
		strict_find(s, SF_STRICT_LOSS, s->at,
			    "expected a loss in block type 0x%x of no thread, found block type "
			    "0x%x, thread %lld",
			    SF_EV_V2, b->type, (long long)h->tid);
	if (h->nparams != LOSS_COUNT_ALONE && h->nparams != LOSS_PARAMS_WHOLE) {
		strict_find(s, SF_STRICT_LOSS, h->at + 22, "expected %d or %d parameters, found %u",
			    LOSS_COUNT_ALONE, LOSS_PARAMS_WHOLE, h->nparams);
		return;
	}
	for (uint32_t i = 0; i < h->nparams; i++) {
		uint32_t n = length_of(h, i);

		if (n > room - at || (i < COUNT_OF(widths) && n != widths[i])) {
			strict_find(s, SF_STRICT_LOSS, h->at + h->size + 2 * i,
				    "parameter %u: expected %d bytes, found %u", i,
				    i < COUNT_OF(widths) ? widths[i] : (int)(room - at), n);
			return;
		}
		at += n;
	}
	if (at != room)
		strict_find(s, SF_STRICT_EVENT_LENGTH, h->at + 16,
			    "expected parameters of %u bytes, found %u", room, at);
	if (load_u64(p) == 0 && !is_uncounted(h, p))
		strict_find(s, SF_STRICT_LOSS, h->at + (uint64_t)(p - h->p),
			    "expected a number of lost events, found none");
	if (h->nparams == LOSS_COUNT_ALONE)
		return;
	check_loss_values(s, h, p);
	check_kinds(s, p + SF_LOSS_FIXED, length_of(h, 4), load_u64(p),
		    h->at + (uint64_t)(p + SF_LOSS_FIXED - h->p));
}

/* ---- the header ---- */

/*
 * Old headers do not count their parameters: as many as the lengths and values that fill the event
 * exactly. Return: false if there is no such number.
 */
static bool count_params(struct header *h)
{
	uint32_t room = h->len - h->size;

	for (int n = ev_table[h->type].nparams; n >= 0; n--) {
		uint64_t sum = 2u * (unsigned)n;

		h->nparams = (uint32_t)n;
		h->lens_size = 2u * (unsigned)n;
		if (sum > room)
			continue;
		for (int i = 0; i < n; i++)
			sum += length_of(h, (uint32_t)i);
		if (sum == room)
			return true;
		if (sum < room)
			return false;
	}
	return false;
}

static bool is_known_type(unsigned type)
{
	return type < EV_TYPE_COUNT || type == EV_TYPE_LOSS || ev_own_info(type);
}

/* Read the header; complain about what makes reading on impossible. */
static bool read_header(struct strict *s, const struct strict_block *b, struct header *h)
{
	uint32_t prefix = b->flags ? 6 : 2, avail;

	h->size = b->version == 1 ? HEADER_OLD : HEADER;
	if (b->total < 12 + prefix + h->size) {
		strict_find(s, SF_STRICT_EVENT_LENGTH, s->at + 4,
			    "expected at least %u bytes in a block with an event, found %u",
			    12 + prefix + h->size, b->total);
		return false;
	}
	avail = b->total - 12 - prefix;
	h->p = b->p + 8 + prefix;
	h->at = s->at + 8 + prefix;
	h->cpu = load_u16(b->p + 8);
	h->ts = load_u64(h->p);
	h->tid = (int64_t)load_u64(h->p + 8);
	h->len = load_u32(h->p + 16);
	h->type = load_u16(h->p + 20);
	if (!is_known_type(h->type) || (h->type >= EV_TYPE_COUNT && b->version == 1)) {
		strict_find(s, SF_STRICT_EVENT_TYPE, h->at + 20,
			    "expected a type below %u, or %u, or %u to %u; found %u", EV_TYPE_COUNT,
			    EV_TYPE_LOSS, EV_TYPE_HASH, EV_TYPE_FD_FACTS, h->type);
		return false;
	}
	if (b->version == 1 && h->len > OLD_LENGTH_ERROR &&
	    (h->type == EV_NOTIFICATION_E || h->type == EV_INFRASTRUCTURE_EVENT_E))
		h->len -= OLD_LENGTH_ERROR;
	if (h->len < h->size || h->len > avail) {
		strict_find(s, SF_STRICT_EVENT_LENGTH, h->at + 16,
			    "expected an event of %u to %u bytes, found %u", h->size, avail,
			    h->len);
		return false;
	}
	return true;
}

/* The same of the array of lengths. */
static bool read_lengths(struct strict *s, const struct strict_block *b, struct header *h)
{
	unsigned width;

	h->wide = b->version == 2 && h->type < EV_TYPE_COUNT &&
		  ev_table[h->type].flags & EF_LARGE_PAYLOAD;
	width = h->wide ? 4 : 2;
	if (b->version == 1) {
		if (count_params(h))
			return true;
		strict_find(s, SF_STRICT_EVENT_PARAMS, h->at + 16,
			    "expected parameters of event type %u that fill %u bytes, found none",
			    h->type, h->len);
		return false;
	}
	h->nparams = load_u32(h->p + 22);
	h->lens_size = h->nparams * width;
	if (h->nparams > (h->len - h->size) / width) {
		strict_find(s, SF_STRICT_EVENT_PARAMS, h->at + 22,
			    "expected at most %u parameters in %u bytes, found %u",
			    (h->len - h->size) / width, h->len, h->nparams);
		return false;
	}
	return true;
}

void strict_event(struct strict *s, const struct strict_block *b)
{
	struct header h;

	s->report->events++;
	check_flags(s, b);
	if (!read_header(s, b, &h))
		return;
	check_time(s, &h);
	check_origin(s, &h);
	strict_rest(s, b, h.p + h.len);
	if (!read_lengths(s, b, &h))
		return;
	if (h.type == EV_TYPE_LOSS) {
		check_loss(s, b, &h);
		return;
	}
	check_size(s, b, &h);
	check_count(s, &h);
	check_params(s, &h);
	check_generic(s, &h);
	check_hash(s, &h);
}
