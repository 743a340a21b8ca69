/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items made of the input's bytes through the writer and the reader: the same items come back, in
 * every container, and nothing is damaged.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scapfile/tests/describe.h"
#include "scapfile/writer.h"

#define ITEMS_MAX 200
#define KINDS_MAX 8

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct maker {
	struct cursor c;
	struct sf_writer *w;
	struct buf expected;
	bool in_events;
	uint8_t lens[EV_PARAMS_MAX * 4];
	uint8_t text[10][4096]; /* of the item being made */
	unsigned texts;
};

static uint8_t params[EV_PARAMS_MAX << 16];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text of at most @max bytes, in all of which there are some. @strings: ends in NUL. */
static struct sv text(struct maker *m, size_t max, bool strings)
{
	uint8_t *to = m->text[m->texts++];
	size_t n = cursor_u16(&m->c) % (max + 1);

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(i < m->c.left ? m->c.p[i] | 1 : 'a' + i % 26);
	if (strings && n) {
		to[n / 2] = '\0';
		to[n - 1] = '\0';
	}
	return sv_make(to, n);
}

static void put(struct maker *m, const struct ev_item *item)
{
	struct error err;

	describe_item(&m->expected, item);
	CHECK(sf_writer_item(m->w, item, &err) == 0);
}

static void make_machine(struct maker *m)
{
	struct ev_machine machine = {
	    .num_cpus = cursor_u32(&m->c),
	    .memory_bytes = cursor_u64(&m->c),
	    .max_pid = cursor_u64(&m->c),
	    .boot_ts = cursor_u64(&m->c),
	    .hostname = text(m, 127, false),
	};

	put(m, &(struct ev_item){.kind = EV_ITEM_MACHINE, .machine = &machine});
}

static void make_interface(struct maker *m)
{
	struct ev_interface i = {.ipv6 = cursor_u8(&m->c) & 1, .linkspeed = cursor_u64(&m->c)};
	size_t n = i.ipv6 ? 16 : 4;

	for (size_t k = 0; k < n; k++) {
		i.addr[k] = cursor_u8(&m->c);
		i.netmask[k] = cursor_u8(&m->c);
		i.bcast[k] = cursor_u8(&m->c);
	}
	i.name = text(m, 1023, false);
	put(m, &(struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &i});
}

static void make_user(struct maker *m, enum ev_item_kind kind)
{
	struct ev_user u = {.gid = cursor_u32(&m->c)};

	u.name = text(m, 255, false);
	if (kind == EV_ITEM_USER) {
		u.uid = cursor_u32(&m->c);
		u.home = text(m, 255, false);
		u.shell = text(m, 255, false);
	}
	put(m, &(struct ev_item){.kind = kind, .user = &u});
}

static void make_thread(struct maker *m)
{
	struct ev_thread_entry t = {
	    .tid = (int64_t)cursor_u64(&m->c),
	    .pid = (int64_t)cursor_u64(&m->c),
	    .flags = cursor_u32(&m->c),
	    .pgid = (int64_t)cursor_u64(&m->c),
	    .comm = text(m, 1024, false),
	    .exe = text(m, 1024, false),
	    .exepath = text(m, 1024, false),
	    .cwd = text(m, 1024, false),
	    .root = text(m, 1024, false),
	    .args = text(m, 4096, true),
	    .env = text(m, 4096, true),
	    .cgroups = text(m, 4096, true),
	};

	put(m, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = &t});
}

static void make_fd(struct maker *m)
{
	struct ev_fd_entry fd = {.tid = cursor_u8(&m->c) % 4,
				 .fd = (int64_t)cursor_u64(&m->c),
				 .ino = cursor_u64(&m->c),
				 .type = cursor_u8(&m->c) % (EV_FD_PIDFD + 1)};
	bool v4 = fd.type == EV_FD_IPV4_SOCK || fd.type == EV_FD_IPV4_SERVSOCK;
	bool v6 = fd.type == EV_FD_IPV6_SOCK || fd.type == EV_FD_IPV6_SERVSOCK;
	bool pair = fd.type == EV_FD_IPV4_SOCK || fd.type == EV_FD_IPV6_SOCK;

	if (v4 || v6) {
		memset(fd.sip, cursor_u8(&m->c), v4 ? 4 : 16);
		memset(fd.dip, pair ? cursor_u8(&m->c) : 0, v4 ? 4 : 16);
		fd.sport = cursor_u16(&m->c);
		fd.dport = pair ? cursor_u16(&m->c) : 0;
		fd.l4proto = cursor_u8(&m->c) % (EV_L4_RAW + 1);
	} else if (fd.type != EV_FD_UNKNOWN) {
		fd.name = text(m, 1023, false);
	}
	if (fd.type == EV_FD_FILE_V2) {
		fd.openflags = cursor_u32(&m->c);
		fd.dev = cursor_u32(&m->c);
	}
	if (fd.type == EV_FD_UNIX_SOCK) {
		fd.unix_source = cursor_u64(&m->c);
		fd.unix_dest = cursor_u64(&m->c);
	}
	/* The reader shows mapped addresses as what they are mapped from. */
	if (v6)
		fd.sip[0] = fd.dip[0] = 0xfe;
	if (v6 && !pair)
		fd.dip[0] = 0;
	put(m, &(struct ev_item){.kind = EV_ITEM_FD, .fd = &fd});
}

/* A current, complete event: what the reader leaves as it is. */
static void make_event(struct maker *m)
{
	struct ev ev = {.ts = cursor_u64(&m->c),
			.tid = (int64_t)cursor_u64(&m->c),
			.type = cursor_u16(&m->c) % EV_TYPE_COUNT,
			.cpu = (int16_t)cursor_u16(&m->c),
			.block_flags = cursor_u8(&m->c) & EV_STATE_ONLY};
	const struct ev_info *info = &ev_table[ev.type];
	uint8_t *len = m->lens;

	if (info->flags & (EF_UNUSED | EF_OLD_VERSION) ||
	    (info->flags & EF_CONVERTER_MANAGED && !ev_type_is_exit(ev.type)))
		return;
	ev.wide = info->flags & EF_LARGE_PAYLOAD;
	ev.nparams = info->nparams;
	ev.lens = m->lens;
	ev.data = params;
	for (unsigned i = 0; i < ev.nparams; i++) {
		unsigned n = cursor_u8(&m->c);

		if (n >= 250) /* now and then a long one */
			n = cursor_u16(&m->c);
		*len++ = (uint8_t)n;
		*len++ = (uint8_t)(n >> 8);
		if (ev.wide) {
			*len++ = 0;
			*len++ = 0;
		}
	}
	params[cursor_u16(&m->c)]++;
	put(m, &(struct ev_item){.kind = EV_ITEM_EVENT, .ev = &ev});
}

static void make_own(struct maker *m, uint16_t type, enum ev_item_kind kind)
{
	struct ev ev = {.ts = cursor_u64(&m->c),
			.tid = (int64_t)cursor_u64(&m->c),
			.type = type,
			.cpu = (int16_t)cursor_u16(&m->c),
			.nparams = ev_own_info(type)->nparams};
	uint8_t *len = m->lens;

	ev.lens = m->lens;
	ev.data = params;
	for (unsigned i = 0; i < ev.nparams; i++) {
		*len++ = cursor_u8(&m->c);
		*len++ = 0;
	}
	put(m, &(struct ev_item){.kind = kind, .ev = &ev});
}

static void make_loss(struct maker *m)
{
	struct ev_loss_kind kinds[KINDS_MAX];
	struct ev_loss loss = {.from = cursor_u64(&m->c),
			       .to = cursor_u64(&m->c),
			       .cpu = (int16_t)cursor_u16(&m->c),
			       .reason = cursor_u16(&m->c),
			       .count = cursor_u64(&m->c),
			       .kinds = kinds,
			       .nkinds = cursor_u8(&m->c) % (KINDS_MAX + 1)};

	for (unsigned i = 0; i < loss.nkinds; i++)
		kinds[i] =
		    (struct ev_loss_kind){cursor_u16(&m->c), (uint64_t)cursor_u16(&m->c) << 40};
	put(m, &(struct ev_item){.kind = EV_ITEM_LOSS, .loss = &loss});
}

static void make_item(struct maker *m)
{
	unsigned kind = cursor_u8(&m->c) % 13;
	struct error err;

	m->texts = 0;
	if (kind < 6 && m->in_events)
		kind += 6; /* the state is written before the events */
	m->in_events |= (kind >= 6 && kind < 10) || kind == 12;
	switch (kind) {
	case 0:
		make_machine(m);
		break;
	case 1:
		make_interface(m);
		break;
	case 2:
		make_user(m, EV_ITEM_USER);
		break;
	case 3:
		make_user(m, EV_ITEM_GROUP);
		break;
	case 4:
		make_thread(m);
		break;
	case 5:
		make_fd(m);
		break;
	case 6:
		make_loss(m);
		break;
	case 10:
		CHECK(sf_writer_flush(m->w, &err) == 0);
		break;
	case 11:
		CHECK(sf_writer_tick(m->w, cursor_u64(&m->c), &err) == 0);
		break;
	case 12:
		make_own(m, EV_TYPE_URING, EV_ITEM_URING);
		break;
	case 13:
		make_own(m, EV_TYPE_HASH, EV_ITEM_HASH);
		break;
	default:
		make_event(m);
		break;
	}
}

/* All items but those that only structure the others. */
static void read_back(struct buf *out, const char *path)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	size_t n;

	CHECK(sf_reader_open(path, NULL, &r, &err) == 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		if (item.kind != EV_ITEM_SECTION && item.kind != EV_ITEM_LISTS_RESET)
			describe_item(out, &item);
	for (const struct sf_gap *g = sf_reader_gaps(r, &n); n; n--, g++)
		CHECK(g->reason == SF_GAP_RECORDED);
	sf_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const suffix[] = {".scap", ".scap.gz", ".scap.zst"};
	static struct maker m;
	struct sf_writer_options opt = {.replace = true, .level = 1};
	struct buf found = {0};
	struct error err;
	char path[64];

	m.c = cursor_of(data, size);
	m.in_events = false;
	snprintf(path, sizeof(path), "/dev/shm/fuzz_writer.%d%s", (int)getpid(),
		 suffix[cursor_u8(&m.c) % 3]);
	opt.frame_bytes = 1u + cursor_u16(&m.c);
	opt.frame_ns = cursor_u16(&m.c);
	opt.background = cursor_u8(&m.c) & 1;
	buf_reset(&m.expected);
	CHECK(sf_writer_open(path, &opt, &m.w, &err) == 0);
	for (unsigned i = 0; i < ITEMS_MAX && m.c.left; i++)
		make_item(&m);
	CHECK(sf_writer_close(m.w, &err) == 0);
	read_back(&found, path);
	CHECK(found.len == m.expected.len);
	CHECK(found.len == 0 || memcmp(found.p, m.expected.p, found.len) == 0);
	buf_done(&found);
	unlink(path);
	return 0;
}
