/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine description, interface and user lists, and the walk over the entries of any list block
 * (scap format, "Machine info", "Interface list", "User list").
 *
 * Where the reference refuses a whole file because of one entry, this reader notes a gap and goes
 * on: with the next entry if the bad one says how long it is and merely breaks a limit, else behind
 * the block.
 */
#include "scapfile/internal.h"

enum interface_type { IF_IPV4 = 1, IF_IPV6 = 2, IF_IPV4_NO_SPEED = 3, IF_IPV6_NO_SPEED = 4 };

struct sv sf_list_text(struct sf_list *l, struct cursor *c, size_t max, const char *why)
{
	struct sv s = cursor_str16(c);

	if (s.n > max && !l->trouble)
		l->trouble = why;
	return s;
}

static void copy_address(uint8_t to[16], struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);

	if (p)
		memcpy(to, p, n);
}

static void parse_interface(struct sf_list *l, struct cursor *c)
{
	unsigned type = cursor_u16(c);
	size_t name_len = cursor_u16(c), width;
	const uint8_t *name;

	l->interface = (struct ev_interface){.ipv6 = type == IF_IPV6 || type == IF_IPV6_NO_SPEED};
	if (type < IF_IPV4 || type > IF_IPV6_NO_SPEED) {
		l->trouble = "interface of an unknown kind";
		return;
	}
	width = l->interface.ipv6 ? 16 : 4;
	copy_address(l->interface.addr, c, width);
	copy_address(l->interface.netmask, c, width);
	copy_address(l->interface.bcast, c, width);
	if (type == IF_IPV4 || type == IF_IPV6)
		l->interface.linkspeed = cursor_u64(c);
	name = cursor_bytes(c, name_len);
	l->interface.name = name ? sv_make(name, name_len) : SV_NONE;
	if (name_len > SF_INTERFACE_MAX)
		l->trouble = "interface name over 1023 bytes";
}

static void parse_user(struct sf_list *l, struct cursor *c, struct ev_item *item)
{
	bool group = cursor_u8(c) != 0;

	l->user = (struct ev_user){0};
	item->kind = group ? EV_ITEM_GROUP : EV_ITEM_USER;
	if (!group)
		l->user.uid = cursor_u32(c);
	l->user.gid = cursor_u32(c);
	l->user.name = sf_list_text(l, c, SF_USER_MAX, "user or group name over 255 bytes");
	if (group)
		return;
	l->user.home = sf_list_text(l, c, SF_USER_MAX, "home directory over 255 bytes");
	l->user.shell = sf_list_text(l, c, SF_USER_MAX, "shell over 255 bytes");
}

static void parse_machine(struct sf_list *l, struct cursor *c)
{
	const uint8_t *host;

	l->machine = (struct ev_machine){0};
	l->machine.num_cpus = cursor_u32(c);
	l->machine.memory_bytes = cursor_u64(c);
	l->machine.max_pid = cursor_u64(c);
	host = cursor_bytes(c, SF_HOSTNAME_SIZE);
	if (host)
		l->machine.hostname = sv_make(host, strnlen((const char *)host, SF_HOSTNAME_SIZE));
	l->machine.boot_ts = cursor_u64(c);
	/* Flags and two reserved words follow; bytes behind them are a newer writer's. */
	cursor_bytes(c, 24);
	if (c->failed)
		l->trouble = "machine description shorter than 180 bytes";
}

static void note_bad_entry(const struct sf_list *l, struct sf_gaps *gaps, uint64_t bytes,
			   const char *why)
{
	sf_gap_add(gaps, SF_GAP_BLOCK, l->offset, bytes,
		   "list block type 0x%x: %s, %llu bytes skipped", l->info->type, why,
		   (unsigned long long)bytes);
}

void sf_list_begin(struct sf_list *l, const struct sf_block *b, struct sf_gaps *gaps)
{
	enum sf_block_kind kind = b->info->kind;

	l->info = b->info;
	l->c = cursor_of(b->p + 8, b->total - SF_BLOCK_MIN);
	l->offset = b->offset;
	l->announced = kind != SF_KIND_INTERFACES && kind != SF_KIND_USERS;
	if (kind == SF_KIND_FDS)
		l->tid = (int64_t)cursor_u64(&l->c);
	if (l->c.failed)
		note_bad_entry(l, gaps, l->c.left, "no room for the thread id");
}

static void parse_entry(struct sf_list *l, struct cursor *c, struct ev_item *item)
{
	switch ((enum sf_block_kind)l->info->kind) {
	case SF_KIND_INTERFACES:
		item->kind = EV_ITEM_INTERFACE;
		item->interface = &l->interface;
		parse_interface(l, c);
		break;
	case SF_KIND_USERS:
		item->user = &l->user;
		parse_user(l, c, item);
		break;
	case SF_KIND_THREADS:
		item->kind = EV_ITEM_THREAD;
		item->thread = &l->thread;
		sf_parse_thread(l, c);
		break;
	case SF_KIND_FDS:
		item->kind = EV_ITEM_FD;
		item->fd = &l->fd;
		sf_parse_fd(l, c);
		break;
	case SF_KIND_MACHINE:
		item->kind = EV_ITEM_MACHINE;
		item->machine = &l->machine;
		parse_machine(l, c);
		l->c.left = 0; /* one entry to a block */
		break;
	default:
		l->trouble = "not a list";
		break;
	}
}

/* Which list versions write the length of each entry in front of it. */
static bool entries_have_length(const struct sf_block_info *info)
{
	return info->kind == SF_KIND_THREADS ? info->version >= 9
					     : info->kind != SF_KIND_MACHINE && info->version >= 2;
}

/*
 * Set @entry to the bytes of the next entry and move the list behind it. Only in interface lists
 * the length does not count itself. Return: false if the length makes no sense.
 */
static bool cut_entry(struct sf_list *l, struct cursor *entry)
{
	size_t self = l->info->kind == SF_KIND_INTERFACES ? 0 : 4;
	size_t len = cursor_u32(&l->c);
	const uint8_t *p;

	if (len < self)
		return false;
	len -= self;
	p = cursor_bytes(&l->c, len);
	*entry = cursor_of(p, p ? len : 0);
	return p != NULL;
}

/* Return: 1 with *item, 0 if the entry was skipped, -1 if the rest of the block is of no use. */
static int next_entry(struct sf_list *l, struct ev_item *item, struct sf_gaps *gaps)
{
	size_t before = l->c.left;
	bool sized = entries_have_length(l->info);
	struct cursor entry;

	l->trouble = NULL;
	if (sized) {
		if (!cut_entry(l, &entry)) {
			note_bad_entry(l, gaps, before, "entry longer than its block");
			return -1;
		}
		parse_entry(l, &entry, item);
	} else {
		parse_entry(l, &l->c, item);
		entry = l->c;
	}
	if (entry.failed && !l->trouble)
		l->trouble = "entry cut short";
	if (!l->trouble)
		return 1;
	if (sized && !entry.failed) {
		note_bad_entry(l, gaps, before - l->c.left, l->trouble);
		return 0;
	}
	note_bad_entry(l, gaps, before, l->trouble);
	return -1;
}

bool sf_list_next(struct sf_list *l, struct ev_item *item, struct sf_gaps *gaps)
{
	item->offset = l->offset;
	if (!l->announced) {
		l->announced = true;
		item->kind = EV_ITEM_LISTS_RESET;
		item->list = l->info->kind == SF_KIND_USERS ? EV_LIST_USERS : EV_LIST_INTERFACES;
		return true;
	}
	while (!l->c.failed && l->c.left >= SF_ENTRY_MIN) {
		int rc = next_entry(l, item, gaps);

		if (rc > 0)
			return true;
		if (rc < 0)
			break;
	}
	return false;
}
