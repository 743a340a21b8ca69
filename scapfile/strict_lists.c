/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of what describes the machine: itself, interfaces, users, descriptors. */
#include "scapfile/strict_internal.h"

#define MACHINE_SIZE	 180u
#define HOSTNAME_SIZE	 128u
#define INTERFACE_V4	 1
#define INTERFACE_V6	 2
#define INTERFACE_V4_OLD 3 /* without a link speed */
#define INTERFACE_V6_OLD 4
#define USER_TEXT_MAX	 255
#define NAME_MAX_LISTS	 1023 /* of interfaces and descriptors */
#define FD_NUMBER_MAX	 INT32_MAX
#define FD_TYPE_NEWEST	 21
#define L4PROTO_NEWEST	 5

/* ---- entries ---- */

bool strict_next_entry(struct strict_entry *list, struct strict_entry *e, int counts)
{
	uint32_t len;

	e->s = list->s;
	e->b = list->b;
	e->start = strict_here(list);
	if (list->c.left < 4) {
		strict_rest(list->s, list->b, list->c.p);
		return false;
	}
	e->c = list->c;
	if (!counts)
		return true;
	len = cursor_u32(&e->c);
	if ((counts > 0 && len < 4) || len - (counts > 0 ? 4 : 0) > e->c.left) {
		strict_find(e->s, SF_STRICT_ENTRY_LENGTH, e->start,
			    "expected an entry of at most %zu bytes, found %u", list->c.left, len);
		return false;
	}
	e->c.left = len - (counts > 0 ? 4 : 0);
	return true;
}

bool strict_end_entry(struct strict_entry *list, struct strict_entry *e, int counts)
{
	if (e->c.failed) {
		strict_find(e->s, SF_STRICT_ENTRY_LENGTH, e->start,
			    "expected an entry with all fields of its kind, found it too short");
		if (!counts)
			return false;
	} else if (counts && e->c.left) {
		strict_find(e->s, SF_STRICT_ENTRY_LENGTH, e->start,
			    "expected an entry that ends with its fields, found %zu bytes more",
			    e->c.left);
	}
	if (!counts)
		list->c = e->c;
	else
		cursor_bytes(&list->c, load_u32(list->c.p) + (counts > 0 ? 0u : 4u));
	return true;
}

struct sv strict_text(struct strict_entry *e, const char *what, unsigned max, bool strings)
{
	uint64_t at = strict_here(e);
	struct sv text = cursor_str16(&e->c);

	if (e->c.failed || !text.n)
		return text;
	if (text.n > max)
		strict_find(e->s, SF_STRICT_TEXT, at, "%s: expected at most %u bytes, found %zu",
			    what, max, text.n);
	if (strings && text.p[text.n - 1] != '\0' && text.n < max)
		strict_find(e->s, SF_STRICT_TEXT, at,
			    "%s: expected strings that end in NUL, found the last without", what);
	if (!strings && memchr(text.p, '\0', text.n))
		strict_find(e->s, SF_STRICT_TEXT, at, "%s: expected no NUL, found one at byte %zu",
			    what, (size_t)((const char *)memchr(text.p, '\0', text.n) - text.p));
	return text;
}

void strict_bool(struct strict_entry *e, enum sf_strict_rule rule, const char *what)
{
	uint64_t at = strict_here(e);
	unsigned v = cursor_u8(&e->c);

	if (v > 1)
		strict_find(e->s, rule, at, "%s: expected 0 or 1, found %u", what, v);
}

uint32_t strict_set_bits(const char *name)
{
	const struct ev_flag *f = ev_flag_set(name);
	uint32_t all = 0;

	for (; f && f->name; f++)
		all |= f->value;
	return all;
}

/* ---- machine ---- */

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

void strict_machine(struct strict *s, const struct strict_block *b)
{
	const uint8_t *p = b->p + 8, *host = p + 20, *nul;
	uint64_t at = s->at + 8;

	if (b->total != MACHINE_SIZE + 12) {
		strict_find(s, SF_STRICT_MACHINE, s->at + 4,
			    "expected a machine of %u bytes, found %u", MACHINE_SIZE,
			    b->total - 12);
		return;
	}
	s->cpus = load_u32(p);
	s->boot_ts = load_u64(p + 148);
	if (s->cpus == 0 || s->cpus > STRICT_CPUS_MAX)
		strict_find(s, SF_STRICT_MACHINE, at, "expected 1 to %u CPUs, found %u",
			    STRICT_CPUS_MAX, s->cpus);
	if (load_u64(p + 4) == 0)
		strict_find(s, SF_STRICT_MACHINE, at + 4, "expected some memory, found none");
	if (load_u64(p + 12) > INT32_MAX || !strict_is_tid((int64_t)load_u64(p + 12)))
		strict_find(s, SF_STRICT_MACHINE, at + 12,
			    "expected a largest pid up to %u, found %llu", STRICT_TID_MAX,
			    (unsigned long long)load_u64(p + 12));
	nul = memchr(host, '\0', HOSTNAME_SIZE);
	if (nul && !all_zero(nul, (size_t)(host + HOSTNAME_SIZE - nul)))
		strict_find(s, SF_STRICT_MACHINE, at + 20 + (uint64_t)(nul - host),
			    "expected zeros behind the host name, found other bytes");
	if (nul == host)
		strict_find(s, SF_STRICT_MACHINE, at + 20, "expected a host name, found none");
	if (!all_zero(p + 156, 24))
		strict_find(s, SF_STRICT_MACHINE, at + 156,
			    "expected flags and reserved fields of zero, found other bytes");
}

/* ---- interfaces ---- */

/* Leading ones and nothing else? */
static bool is_netmask(const uint8_t *p, size_t n)
{
	bool ended = false;

	for (size_t i = 0; i < 8 * n; i++) {
		bool one = p[i / 8] >> (7 - i % 8) & 1;

		if (one && ended)
			return false;
		ended |= !one;
	}
	return true;
}

static void check_interface(struct strict_entry *e)
{
	uint64_t at = strict_here(e);
	unsigned type = cursor_u16(&e->c), name_len = cursor_u16(&e->c);
	bool v6 = type == INTERFACE_V6 || type == INTERFACE_V6_OLD;
	size_t n = v6 ? 16 : 4;
	const uint8_t *mask, *name;

	if (type < INTERFACE_V4 || type > INTERFACE_V6_OLD) {
		strict_find(e->s, SF_STRICT_INTERFACE, at,
			    "expected an interface of type 1 to 4, found %u", type);
		cursor_bytes(&e->c, e->c.left);
		return;
	}
	cursor_bytes(&e->c, n);
	mask = cursor_bytes(&e->c, n);
	if (mask && !is_netmask(mask, n))
		strict_find(e->s, SF_STRICT_INTERFACE, at + 4 + n,
			    "expected a netmask of leading ones, found %02x%02x%02x%02x...",
			    mask[0], mask[1], mask[2], mask[3]);
	cursor_bytes(&e->c, n);
	if (type <= INTERFACE_V6)
		cursor_u64(&e->c);
	if (name_len == 0 || name_len > NAME_MAX_LISTS)
		strict_find(e->s, SF_STRICT_INTERFACE, at + 2,
			    "expected a name of 1 to %u bytes, found %u", NAME_MAX_LISTS, name_len);
	name = cursor_bytes(&e->c, name_len);
	if (name && memchr(name, '\0', name_len))
		strict_find(e->s, SF_STRICT_TEXT, at + 2,
			    "name of an interface: expected no NUL, found one");
}

void strict_interfaces(struct strict *s, const struct strict_block *b)
{
	struct strict_entry list = strict_body(s, b, 0), e;
	int counts = b->version == 2 ? -4 : 0;

	while (strict_next_entry(&list, &e, counts)) {
		check_interface(&e);
		if (!strict_end_entry(&list, &e, counts))
			return;
	}
}

/* ---- users ---- */

static void check_user(struct strict_entry *e)
{
	uint64_t at = strict_here(e);
	unsigned kind = cursor_u8(&e->c);
	struct sv name;

	if (kind > 1)
		strict_find(e->s, SF_STRICT_USER, at,
			    "expected 0 for a user or 1 for a group, found %u", kind);
	cursor_u32(&e->c);
	if (kind == 0)
		cursor_u32(&e->c);
	name = strict_text(e, kind ? "name of a group" : "name of a user", USER_TEXT_MAX, false);
	if (!e->c.failed && !name.n)
		strict_find(e->s, SF_STRICT_USER, at, "expected a name, found none");
	if (kind == 0) {
		strict_text(e, "home of a user", USER_TEXT_MAX, false);
		strict_text(e, "shell of a user", USER_TEXT_MAX, false);
	}
}

void strict_users(struct strict *s, const struct strict_block *b)
{
	struct strict_entry list = strict_body(s, b, 0), e;
	int counts = b->version == 2 ? 4 : 0;

	while (strict_next_entry(&list, &e, counts)) {
		check_user(&e);
		if (!strict_end_entry(&list, &e, counts))
			return;
	}
}

/* ---- descriptors ---- */

static void check_l4proto(struct strict_entry *e)
{
	uint64_t at = strict_here(e);
	unsigned v = cursor_u8(&e->c);

	if (v > L4PROTO_NEWEST)
		strict_find(e->s, SF_STRICT_FD, at, "expected a protocol from 0 to %u, found %u",
			    L4PROTO_NEWEST, v);
}

static void check_file(struct strict_entry *e, unsigned version)
{
	uint64_t at = strict_here(e);
	uint32_t flags = cursor_u32(&e->c), known = strict_set_bits("file_flags");

	if (flags & ~known)
		strict_find(e->s, SF_STRICT_FD, at, "expected open flags out of 0x%x, found 0x%x",
			    known, flags);
	strict_text(e, "path of a file", NAME_MAX_LISTS, false);
	if (version == 2 && e->c.left >= 4)
		cursor_u32(&e->c); /* the device */
}

static void check_payload(struct strict_entry *e, unsigned type, unsigned version)
{
	switch (type) {
	case EV_FD_UNKNOWN:
		break;
	case EV_FD_IPV4_SOCK:
		cursor_bytes(&e->c, 4 + 4 + 2 + 2);
		check_l4proto(e);
		break;
	case EV_FD_IPV6_SOCK:
		cursor_bytes(&e->c, 16 + 16 + 2 + 2);
		check_l4proto(e);
		break;
	case EV_FD_IPV4_SERVSOCK:
		cursor_bytes(&e->c, 4 + 2);
		check_l4proto(e);
		break;
	case EV_FD_IPV6_SERVSOCK:
		cursor_bytes(&e->c, 16 + 2);
		check_l4proto(e);
		break;
	case EV_FD_UNIX_SOCK:
		cursor_bytes(&e->c, 8 + 8);
		strict_text(e, "name of a unix socket", NAME_MAX_LISTS, false);
		break;
	case EV_FD_FILE_V2:
		check_file(e, version);
		break;
	default:
		strict_text(e, "name of a descriptor", NAME_MAX_LISTS, false);
		break;
	}
}

static void check_fd(struct strict_entry *e, unsigned version)
{
	uint64_t at = strict_here(e);
	int64_t fd = (int64_t)cursor_u64(&e->c);
	unsigned type;

	cursor_u64(&e->c); /* the inode */
	type = cursor_u8(&e->c);
	if (e->c.failed)
		return;
	if (fd < 0 || fd > FD_NUMBER_MAX)
		strict_find(e->s, SF_STRICT_FD, at,
			    "expected a descriptor from 0 to %d, found %lld", FD_NUMBER_MAX,
			    (long long)fd);
	strict_ids_add(e->s, &e->s->fds, (struct strict_listed){.id = fd, .offset = at});
	if (type > FD_TYPE_NEWEST) {
		strict_find(e->s, SF_STRICT_FD, at + 16,
			    "expected a type of descriptor from 0 to %u, found %u", FD_TYPE_NEWEST,
			    type);
		cursor_bytes(&e->c, e->c.left);
		return;
	}
	check_payload(e, type, version);
}

static void check_twice(struct strict *s)
{
	struct strict_ids *ids = &s->fds;

	strict_ids_sort(ids);
	for (size_t i = 1; i < ids->n; i++)
		if (ids->v[i].id == ids->v[i - 1].id)
			strict_find(s, SF_STRICT_FD, ids->v[i].offset,
				    "expected each descriptor once, found %lld again",
				    (long long)ids->v[i].id);
}

void strict_fds(struct strict *s, const struct strict_block *b)
{
	struct strict_entry list = strict_body(s, b, 8), e;
	int counts = b->version == 2 ? 4 : 0;
	int64_t tid;

	if (list.c.failed) {
		strict_find(s, SF_STRICT_BLOCK_LENGTH, s->at + 4,
			    "expected a table of descriptors with its thread, found %u bytes",
			    b->total);
		return;
	}
	tid = (int64_t)load_u64(b->p + 8);
	if (!strict_ids_has(&s->threads, tid))
		strict_find(s, SF_STRICT_FD_TABLE, s->at + 8,
			    "expected a thread that was listed before, found %lld", (long long)tid);
	s->fds.n = 0;
	while (strict_next_entry(&list, &e, counts)) {
		check_fd(&e, b->version);
		if (!strict_end_entry(&list, &e, counts))
			break;
	}
	check_twice(s);
}
