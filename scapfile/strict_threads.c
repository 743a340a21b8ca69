/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of process lists, in all nine versions. */
#include "scapfile/strict_internal.h"

#define PATH_MAX_LISTS	 1024
#define STRINGS_MAX	 4096
#define TAIL_OLD	 29u /* the longest that has the old order of fields */
#define CL_CLONE_THREAD	 0x2000u
#define CL_ACTIVE	 0x80000u /* of captures that were saved again; in no set */
#define CAPABILITIES_MAX 48	  /* the kernel has 41 now */

static void check_id(struct strict_entry *e, const char *what, int64_t least, int64_t *out)
{
	uint64_t at = strict_here(e);
	int64_t v = (int64_t)cursor_u64(&e->c);

	if (out)
		*out = v;
	if (!e->c.failed && (v < least || !strict_is_tid(v)))
		strict_find(e->s, SF_STRICT_THREAD, at, "%s: expected %lld to %d, found %lld", what,
			    (long long)least, STRICT_TID_MAX, (long long)v);
}

static void check_path(struct strict_entry *e, const char *what)
{
	uint64_t at = strict_here(e);
	struct sv path = strict_text(e, what, PATH_MAX_LISTS, false);

	if (path.n && path.p[0] != '/' && !sv_is(path, "<NA>"))
		strict_find(e->s, SF_STRICT_THREAD, at,
			    "%s: expected a path from the root, found 0x%02x first", what,
			    (uint8_t)path.p[0]);
}

/* Of each string: what comes before "=", and that there is one. */
static void check_cgroups(struct strict_entry *e)
{
	uint64_t at = strict_here(e);
	struct sv all = strict_text(e, "cgroups", STRINGS_MAX, true);
	const char *p = all.p, *end = p ? p + all.n : NULL;

	while (p < end) {
		size_t n = strnlen(p, (size_t)(end - p));

		if (!memchr(p, '=', n) && n < (size_t)(end - p)) {
			strict_find(e->s, SF_STRICT_THREAD, at,
				    "cgroups: expected SUBSYSTEM=PATH, found a string without =");
			return;
		}
		p += n + 1;
	}
}

static void check_flags(struct strict_entry *e, bool is_leader)
{
	uint64_t at = strict_here(e);
	uint32_t flags = cursor_u32(&e->c), known = strict_set_bits("clone_flags") | CL_ACTIVE;

	if (flags & ~known)
		strict_find(e->s, SF_STRICT_THREAD, at, "expected flags out of 0x%x, found 0x%x",
			    known, flags);
	if (!e->c.failed && !is_leader && !(flags & CL_CLONE_THREAD))
		strict_find(e->s, SF_STRICT_THREAD, at,
			    "expected flag 0x%x of a thread that is no leader, found 0x%x",
			    CL_CLONE_THREAD, flags);
}

static void check_time(struct strict_entry *e, const char *what)
{
	uint64_t at = strict_here(e), ts = cursor_u64(&e->c);

	/* Nanoseconds, not seconds or microseconds; times before 1973 do not occur. */
	if (ts && ts < 100000000000000000u)
		strict_find(e->s, SF_STRICT_THREAD, at,
			    "%s: expected nanoseconds since 1970, found %llu", what,
			    (unsigned long long)ts);
}

static void check_capabilities(struct strict_entry *e)
{
	uint64_t at = strict_here(e);
	uint64_t inheritable = cursor_u64(&e->c), permitted = cursor_u64(&e->c);
	uint64_t effective = cursor_u64(&e->c);

	if ((inheritable | permitted | effective) >> CAPABILITIES_MAX)
		strict_find(e->s, SF_STRICT_THREAD, at,
			    "expected capabilities below %d, found 0x%llx 0x%llx 0x%llx",
			    CAPABILITIES_MAX, (unsigned long long)inheritable,
			    (unsigned long long)permitted, (unsigned long long)effective);
	if (effective & ~permitted)
		strict_find(e->s, SF_STRICT_THREAD, at + 16,
			    "expected effective capabilities out of the permitted 0x%llx, found "
			    "0x%llx",
			    (unsigned long long)permitted, (unsigned long long)effective);
}

/* The bytes behind the fields that every entry of version 9 has. */
static void check_tail(struct strict_entry *e)
{
	static const uint8_t lengths[] = {0, 4, 5, 29, 66, 67, 68, 76};
	size_t n = e->c.left, i = 0;

	while (i < COUNT_OF(lengths) && lengths[i] != n)
		i++;
	if (e->c.failed || i == COUNT_OF(lengths)) {
		if (!e->c.failed)
			strict_find(e->s, SF_STRICT_ENTRY_LENGTH, strict_here(e),
				    "expected 0, 4, 5, 29, 66, 67, 68 or 76 bytes of later fields, "
				    "found %zu",
				    n);
		cursor_bytes(&e->c, e->c.left);
		return;
	}
	if (n > TAIL_OLD) {
		check_time(e, "start of the pid namespace");
		cursor_u32(&e->c); /* terminal */
	}
	if (n >= 4)
		cursor_u32(&e->c); /* login uid */
	if (n >= 5)
		strict_bool(e, SF_STRICT_THREAD, "whether the executable is writable");
	if (n >= TAIL_OLD)
		check_capabilities(e);
	if (n >= 66) {
		strict_bool(e, SF_STRICT_THREAD, "whether the executable is in an upper layer");
		cursor_u64(&e->c);	    /* inode */
		cursor_bytes(&e->c, 8 + 8); /* ctime, mtime: a clock may have been anywhere */
	}
	if (n >= 67)
		strict_bool(e, SF_STRICT_THREAD, "whether the executable is a memfd");
	if (n >= 68)
		strict_bool(e, SF_STRICT_THREAD, "whether the executable is in a lower layer");
	if (n >= 76)
		check_id(e, "pgid", -1, NULL);
}

static void check_limit(struct strict_entry *e)
{
	uint64_t at = strict_here(e);
	int64_t v = (int64_t)cursor_u64(&e->c);

	if (v < -1)
		strict_find(e->s, SF_STRICT_THREAD, at,
			    "expected a limit of descriptors, or -1, found %lld", (long long)v);
}

static void check_thread(struct strict_entry *e, unsigned version)
{
	int64_t tid = 0, pid = 0;

	check_id(e, "tid", 1, &tid);
	check_id(e, "pid", 1, &pid);
	check_id(e, "ptid", -1, NULL);
	if (version >= 6)
		check_id(e, "sid", -1, NULL);
	if (version >= 8)
		check_id(e, "vpgid", -1, NULL);
	strict_text(e, "comm", PATH_MAX_LISTS, false);
	strict_text(e, "exe", PATH_MAX_LISTS, false);
	if (version >= 7)
		check_path(e, "exepath");
	strict_text(e, "args", STRINGS_MAX, true);
	check_path(e, "cwd");
	check_limit(e);
	check_flags(e, tid == pid);
	cursor_bytes(&e->c, 4 + 4); /* uid, gid: any */
	if (version >= 2)
		cursor_bytes(&e->c, 4 + 4 + 4 + 8 + 8); /* memory, page faults */
	if (version >= 3)
		strict_text(e, "env", STRINGS_MAX, true);
	if (version >= 4) {
		check_id(e, "vtid", -1, NULL);
		check_id(e, "vpid", -1, NULL);
		check_cgroups(e);
	}
	if (version >= 5)
		check_path(e, "root");
	if (version >= 9)
		check_tail(e);
	if (!e->c.failed)
		strict_ids_add(e->s, &e->s->threads,
			       (struct strict_listed){.id = tid, .pid = pid, .offset = e->start});
}

void strict_threads(struct strict *s, const struct strict_block *b)
{
	struct strict_entry list = strict_body(s, b, 0), e;
	int counts = b->version == 9 ? 4 : 0;

	while (strict_next_entry(&list, &e, counts)) {
		check_thread(&e, b->version);
		if (!strict_end_entry(&list, &e, counts))
			return;
	}
}

void strict_threads_end(struct strict *s)
{
	struct strict_ids *ids = &s->threads;

	strict_ids_sort(ids);
	for (size_t i = 0; i < ids->n; i++) {
		const struct strict_listed *t = &ids->v[i];

		if (i && t->id == t[-1].id)
			strict_find(s, SF_STRICT_THREAD, t->offset,
				    "expected each thread once, found %lld again",
				    (long long)t->id);
		if (t->pid != t->id && !strict_ids_has(ids, t->pid))
			strict_find(s, SF_STRICT_THREAD, t->offset,
				    "expected the leader %lld of thread %lld in the list, found "
				    "none",
				    (long long)t->pid, (long long)t->id);
	}
}
