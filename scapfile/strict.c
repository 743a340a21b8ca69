/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check: findings, blocks, sections, and the order of both. */
#include "scapfile/strict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "scapfile/strict_internal.h"

#define SHB_TYPE	0x0a0d0d0au
#define SHB_SIZE	28u /* without options */
#define MAGIC		0x1a2b3c4du
#define MAGIC_SWAPPED	0x4d3c2b1au
#define MINOR_NEWEST	2
#define BLOCK_SMALLEST	12u
#define SMALL_EVENT_MAX (65536u + 8) /* blocks of events that are not large */
#define OLD_EVENT_MAX	(65536u + 4) /* with a header that readers make 4 bytes longer */
#define OPTION_END	0

static const struct {
	uint32_t type;
	uint8_t kind, version;
	bool flags, large;
} known_blocks[] = {
    /* clang-format off */
	{ SHB_TYPE,	STRICT_SECTION,		1, false, true },
	{ 0x201,	STRICT_MACHINE_INFO,	1, false, true },
	{ 0x8002abcd,	STRICT_MACHINE_INFO,	1, false, true },
	{ 0x202,	STRICT_THREADS,		1, false, true },
	{ 0x8000abcd,	STRICT_THREADS,		1, false, true },
	{ 0x207,	STRICT_THREADS,		2, false, true },
	{ 0x8013abcd,	STRICT_THREADS,		2, false, true },
	{ 0x209,	STRICT_THREADS,		3, false, true },
	{ 0x8014abcd,	STRICT_THREADS,		3, false, true },
	{ 0x210,	STRICT_THREADS,		4, false, true },
	{ 0x211,	STRICT_THREADS,		5, false, true },
	{ 0x212,	STRICT_THREADS,		6, false, true },
	{ 0x213,	STRICT_THREADS,		7, false, true },
	{ 0x214,	STRICT_THREADS,		8, false, true },
	{ 0x215,	STRICT_THREADS,		9, false, true },
	{ 0x203,	STRICT_FDS,		1, false, true },
	{ 0x8001abcd,	STRICT_FDS,		1, false, true },
	{ 0x218,	STRICT_FDS,		2, false, true },
	{ 0x204,	STRICT_EVENT,		1, false, false },
	{ 0x8010abcd,	STRICT_EVENT,		1, false, false },
	{ 0x216,	STRICT_EVENT,		2, false, false },
	{ 0x221,	STRICT_EVENT,		2, false, true },
	{ 0x208,	STRICT_EVENT,		1, true, false },
	{ 0x217,	STRICT_EVENT,		2, true, false },
	{ 0x222,	STRICT_EVENT,		2, true, true },
	{ 0x205,	STRICT_INTERFACES,	1, false, true },
	{ 0x8011abcd,	STRICT_INTERFACES,	1, false, true },
	{ 0x219,	STRICT_INTERFACES,	2, false, true },
	{ 0x206,	STRICT_USERS,		1, false, true },
	{ 0x8012abcd,	STRICT_USERS,		1, false, true },
	{ 0x220,	STRICT_USERS,		2, false, true },
    /* clang-format on */
};

/* ---- findings ---- */

static const char *const rule_names[] = {
#define STRICT(sym, name, demands) [SF_STRICT_##sym] = (name),
#include "scapfile/strict.def"
#undef STRICT
};

static const char *const rule_demands[] = {
#define STRICT(sym, name, demands) [SF_STRICT_##sym] = (demands),
#include "scapfile/strict.def"
#undef STRICT
};

const char *sf_strict_rule_name(enum sf_strict_rule rule)
{
	return rule_names[rule];
}

const char *sf_strict_rule_demands(enum sf_strict_rule rule)
{
	return rule_demands[rule];
}

static bool room_for_finding(struct sf_strict_report *r)
{
	size_t cap = r->list_cap ? r->list_cap * 2 : 16;
	struct sf_finding *list;

	if (r->described < r->list_cap)
		return true;
	list = realloc(r->list, cap * sizeof(*list));
	if (!list)
		return false;
	r->list = list;
	r->list_cap = cap;
	return true;
}

static PRINTF_LIKE(5, 0) void find(struct strict *s, enum sf_strict_rule rule, uint64_t offset,
				   bool stored, const char *fmt, va_list ap)
{
	struct sf_strict_report *r = s->report;
	struct sf_finding *f;

	r->count++;
	if (++r->by_rule[rule] > SF_FINDINGS_RULE_MAX || r->described == SF_FINDINGS_MAX)
		return;
	if (!room_for_finding(r)) {
		s->nomem = true;
		return;
	}
	f = &r->list[r->described++];
	*f = (struct sf_finding){.offset = offset, .stored = stored, .rule = rule};
	vsnprintf(f->what, sizeof(f->what), fmt, ap);
}

void strict_find(struct strict *s, enum sf_strict_rule rule, uint64_t offset, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	find(s, rule, offset, false, fmt, ap);
	va_end(ap);
}

void strict_find_stored(struct strict *s, enum sf_strict_rule rule, uint64_t offset,
			const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	find(s, rule, offset, true, fmt, ap);
	va_end(ap);
}

/* ---- ids ---- */

void strict_ids_add(struct strict *s, struct strict_ids *ids, struct strict_listed one)
{
	if (ids->n == ids->cap) {
		size_t cap = ids->cap ? ids->cap * 2 : 256;
		struct strict_listed *v = realloc(ids->v, cap * sizeof(*v));

		if (!v) {
			s->nomem = true;
			return;
		}
		ids->v = v;
		ids->cap = cap;
	}
	ids->v[ids->n++] = one;
	ids->sorted = false;
}

static int by_id(const void *a, const void *b)
{
	const struct strict_listed *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void strict_ids_sort(struct strict_ids *ids)
{
	if (!ids->sorted && ids->n)
		qsort(ids->v, ids->n, sizeof(*ids->v), by_id);
	ids->sorted = true;
}

bool strict_ids_has(struct strict_ids *ids, int64_t id)
{
	size_t low = 0, high = ids->n;

	strict_ids_sort(ids);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ids->v[mid].id == id)
			return true;
		if (ids->v[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* ---- what follows the contents of a block ---- */

/* pcapng options up to the end: u16 code, u16 length, value padded to 4 bytes. */
static bool are_options(struct cursor c)
{
	bool any = false;

	while (c.left >= 4) {
		unsigned code = cursor_u16(&c), n = cursor_u16(&c);

		if (code == OPTION_END)
			return any && n == 0 && c.left == 0;
		cursor_bytes(&c, n);
		for (; n % 4; n++)
			if (cursor_u8(&c) != 0)
				return false;
		any = true;
	}
	return any && !c.failed && c.left == 0;
}

void strict_rest(struct strict *s, const struct strict_block *b, const uint8_t *from)
{
	const uint8_t *end = b->p + b->total - 4, *p = from;
	uint64_t offset = s->at + (uint64_t)(from - b->p);

	while (p < end && *p == 0)
		p++;
	if (p == end && end - from < 4)
		return;
	/* Options start at a multiple of 4 bytes. */
	for (p = from; p < end && (p - b->p) % 4; p++)
		if (*p)
			break;
	if ((p - b->p) % 4 == 0 && are_options(cursor_of(p, (size_t)(end - p))))
		return;
	strict_find(s, SF_STRICT_BLOCK_PADDING, offset,
		    "expected up to 3 zero bytes at the end of a block, found %zu bytes from "
		    "0x%02x on",
		    (size_t)(end - from), end > from ? *from : 0);
}

/* ---- sections ---- */

static void end_section(struct strict *s)
{
	if (s->in_section && !s->in_events) {
		strict_threads_end(s);
		strict_find(s, SF_STRICT_NO_EVENTS, s->section_at,
			    "expected at least one event in the section that begins here");
	}
}

static void begin_section(struct strict *s, const struct strict_block *b)
{
	uint32_t magic = load_u32(b->p + 8);
	unsigned major = load_u16(b->p + 12), minor = load_u16(b->p + 14);
	uint64_t size = load_u64(b->p + 16);

	end_section(s);
	s->in_section = true;
	s->in_events = false;
	s->section_at = s->at;
	s->cpus = 0;
	s->boot_ts = s->newest_ts = s->first_ts = 0;
	s->threads.n = 0;
	s->report->sections++;
	if (magic != MAGIC)
		strict_find(s, SF_STRICT_SECTION, s->at + 8,
			    "expected magic 0x%08x, found 0x%08x%s", MAGIC, magic,
			    magic == MAGIC_SWAPPED ? ": the other byte order" : "");
	if (major != 1 || minor > MINOR_NEWEST)
		strict_find(s, SF_STRICT_SECTION, s->at + 12,
			    "expected version 1.0 to 1.%u, found %u.%u", MINOR_NEWEST, major,
			    minor);
	if (size != UINT64_MAX)
		strict_find(s, SF_STRICT_SECTION, s->at + 16,
			    "expected a section length of all ones, found %llu",
			    (unsigned long long)size);
	if (b->total > SHB_SIZE)
		strict_rest(s, b, b->p + SHB_SIZE - 4);
}

/* ---- blocks ---- */

static struct strict_block identify(const struct strict *s)
{
	struct strict_block b = {
	    .p = (const uint8_t *)s->block.p, .kind = STRICT_UNKNOWN, .large = true};

	b.type = load_u32(b.p);
	b.total = load_u32(b.p + 4);
	for (size_t i = 0; i < COUNT_OF(known_blocks); i++) {
		if (known_blocks[i].type != b.type)
			continue;
		b.kind = (enum strict_kind)known_blocks[i].kind;
		b.version = known_blocks[i].version;
		b.flags = known_blocks[i].flags;
		b.large = known_blocks[i].large;
	}
	return b;
}

/* The 8 bytes of a block's start are there. Return: its length; 0 when framing is lost. */
static uint32_t announced_length(struct strict *s)
{
	struct strict_block b = identify(s);
	uint32_t least = b.kind == STRICT_SECTION ? SHB_SIZE : BLOCK_SMALLEST;

	if (b.total < least || b.total > STRICT_BLOCK_MAX) {
		strict_find(s, SF_STRICT_BLOCK_LENGTH, s->at + 4,
			    "expected a length from %u to %u of block type 0x%x, found %u", least,
			    STRICT_BLOCK_MAX, b.type, b.total);
		return 0;
	}
	if (!s->in_section && b.kind != STRICT_SECTION) {
		strict_find(s, SF_STRICT_BLOCK_ORDER, s->at,
			    "expected a section header (type 0x%08x), found block type 0x%x",
			    SHB_TYPE, b.type);
		s->in_section = true; /* told once */
		if (b.kind == STRICT_UNKNOWN)
			return 0; /* this is no capture */
	}
	return b.total;
}

static void check_lengths(struct strict *s, const struct strict_block *b)
{
	uint32_t most = b->version == 1 ? OLD_EVENT_MAX : SMALL_EVENT_MAX;
	uint32_t trailer = load_u32(b->p + b->total - 4);

	if (b->total % 4)
		strict_find(s, SF_STRICT_BLOCK_LENGTH, s->at + 4,
			    "expected a multiple of 4 as length of block type 0x%x, found %u",
			    b->type, b->total);
	if (!b->large && b->total > most)
		strict_find(s, SF_STRICT_BLOCK_LENGTH, s->at + 4,
			    "expected at most %u bytes in block type 0x%x, found %u", most, b->type,
			    b->total);
	if (trailer != b->total)
		strict_find(s, SF_STRICT_BLOCK_TRAILER, s->at + b->total - 4,
			    "expected %u, the length of block type 0x%x, again; found %u", b->total,
			    b->type, trailer);
}

static void check_list(struct strict *s, const struct strict_block *b)
{
	switch (b->kind) {
	case STRICT_MACHINE_INFO:
		strict_machine(s, b);
		break;
	case STRICT_INTERFACES:
		strict_interfaces(s, b);
		break;
	case STRICT_USERS:
		strict_users(s, b);
		break;
	case STRICT_THREADS:
		strict_threads(s, b);
		break;
	case STRICT_FDS:
		strict_fds(s, b);
		break;
	default:
		strict_find(s, SF_STRICT_BLOCK_TYPE, s->at,
			    "expected a block type of the format, found 0x%x", b->type);
		break;
	}
}

/* A whole block is there. */
static void check_block(struct strict *s)
{
	struct strict_block b = identify(s);

	s->report->blocks++;
	check_lengths(s, &b);
	if (b.kind == STRICT_SECTION) {
		begin_section(s, &b);
	} else if (b.kind == STRICT_EVENT) {
		if (!s->in_events)
			strict_threads_end(s);
		s->in_events = true;
		strict_event(s, &b);
	} else {
		if (s->in_events)
			strict_find(s, SF_STRICT_BLOCK_ORDER, s->at,
				    "expected an event or a section header behind an event, found "
				    "block type 0x%x",
				    b.type);
		check_list(s, &b);
	}
}

void strict_feed(struct strict *s, const uint8_t *p, size_t n)
{
	s->report->stream_size += n;
	while (n && !s->stopped) {
		size_t have = s->block.len;
		size_t want = have < 8 ? 8 : load_u32(s->block.p + 4);
		size_t take = n < want - have ? n : want - have;

		buf_add(&s->block, p, take);
		if (s->block.failed) {
			s->nomem = s->stopped = true;
			return;
		}
		p += take;
		n -= take;
		if (s->block.len < want)
			return;
		if (want == 8) {
			s->stopped = !announced_length(s);
			continue;
		}
		check_block(s);
		s->at += want;
		buf_reset(&s->block);
	}
}

/* ---- the whole capture ---- */

static void finish(struct strict *s)
{
	if (s->stopped) {
		s->report->stopped = true;
		return;
	}
	if (!strict_between(s))
		strict_find(s, SF_STRICT_TRUNCATED, s->at,
			    "expected a whole block, found the first %zu bytes of one",
			    s->block.len);
	if (s->report->stream_size == 0)
		strict_find(s, SF_STRICT_TRUNCATED, 0, "expected a section header, found nothing");
	else
		end_section(s);
}

static int check(int fd, const char *name, const void *p, size_t n, struct sf_strict_report *out,
		 struct error *err)
{
	struct strict s = {.report = out};
	int rc;

	*out = (struct sf_strict_report){0};
	rc = strict_input(&s, fd, name, p, n, err);
	if (rc >= 0)
		finish(&s);
	if (rc >= 0 && s.nomem)
		rc = error_nomem(err);
	buf_done(&s.block);
	free(s.threads.v);
	free(s.fds.v);
	if (rc < 0)
		sf_strict_done(out);
	return rc;
}

int sf_strict_check(const char *path, struct sf_strict_report *out, struct error *err)
{
	int fd, rc;

	*out = (struct sf_strict_report){0};
	if (strcmp(path, "-") == 0)
		return check(STDIN_FILENO, "standard input", NULL, 0, out, err);
	fd = arc_open_fd(path, 0, err);
	if (fd < 0)
		return fd;
	rc = check(fd, path, NULL, 0, out, err);
	close(fd);
	return rc;
}

int sf_strict_check_memory(const void *p, size_t n, struct sf_strict_report *out, struct error *err)
{
	return check(-1, "memory", p, n, out, err);
}

void sf_strict_done(struct sf_strict_report *r)
{
	free(r->list);
	*r = (struct sf_strict_report){0};
}
