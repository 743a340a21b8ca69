/* SPDX-License-Identifier: Apache-2.0 */
/* Process, fd, interface and user lists of every version, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/internal.h"
#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"

/* What describe_capture() says about @c, without the section's and the event's line. */
static void expect_list(struct capture *c, const char *wanted)
{
	struct buf out = {0}, framed = {0};

	describe_capture(&out, c->out.p, c->out.len, NULL);
	buf_addf(&framed, "section @0\n%s", wanted);
	assert_string_equal(buf_cstr(&out), buf_cstr(&framed));
	buf_done(&framed);
	buf_done(&out);
}

static const struct ev_thread_entry full_thread = {
    .tid = 101,
    .pid = 102,
    .ptid = 103,
    .sid = 104,
    .vpgid = 105,
    .pgid = 106,
    .vtid = 107,
    .vpid = 108,
    .comm = {"comm", 4},
    .exe = {"exe", 3},
    .exepath = {"/bin/exe", 8},
    .cwd = {"/cwd", 4},
    .root = {"/root", 5},
    .args = {"a\0b", 4},
    .env = {"X=1\0Y=2", 8},
    .cgroups = {"cpu=/a", 7},
    .fdlimit = 1024,
    .flags = 0x2001,
    .uid = 1,
    .gid = 2,
    .loginuid = 3,
    .vmsize_kb = 4,
    .vmrss_kb = 5,
    .vmswap_kb = 6,
    .tty = 7,
    .pfmajor = 8,
    .pfminor = 9,
    .pidns_init_start_ts = 10,
    .cap_inheritable = 11,
    .cap_permitted = 12,
    .cap_effective = 13,
    .exe_ino = 14,
    .exe_ino_ctime = 15,
    .exe_ino_mtime = 16,
    .exe_writable = true,
    .exe_upper_layer = true,
    .exe_lower_layer = true,
    .exe_from_memfd = true,
};

/* full_thread as a list of @version must deliver it: what the version lacks takes its default. */
static struct ev_thread_entry thread_of_version(unsigned version)
{
	struct ev_thread_entry t = full_thread;

	t.pgid = -1;
	t.loginuid = UINT32_MAX;
	t.tty = 0;
	t.pidns_init_start_ts = t.cap_inheritable = t.cap_permitted = t.cap_effective = 0;
	t.exe_ino = t.exe_ino_ctime = t.exe_ino_mtime = 0;
	t.exe_writable = t.exe_upper_layer = t.exe_lower_layer = t.exe_from_memfd = false;
	if (version < 8)
		t.vpgid = -1;
	if (version < 7)
		t.exepath = SV_NONE;
	if (version < 6)
		t.sid = -1;
	if (version < 5)
		t.root = SV_NONE;
	if (version < 4) {
		t.vtid = t.vpid = -1;
		t.cgroups = SV_NONE;
	}
	if (version < 3)
		t.env = SV_NONE;
	if (version < 2) {
		t.vmsize_kb = t.vmrss_kb = t.vmswap_kb = 0;
		t.pfmajor = t.pfminor = 0;
	}
	return t;
}

static void assert_same_ids(const struct ev_thread_entry *a, const struct ev_thread_entry *b)
{
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->ptid, b->ptid);
	assert_int_equal(a->sid, b->sid);
	assert_int_equal(a->vpgid, b->vpgid);
	assert_int_equal(a->pgid, b->pgid);
	assert_int_equal(a->vtid, b->vtid);
	assert_int_equal(a->vpid, b->vpid);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->loginuid, b->loginuid);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->tty, b->tty);
}

static void assert_same_numbers(const struct ev_thread_entry *a, const struct ev_thread_entry *b)
{
	assert_int_equal(a->fdlimit, b->fdlimit);
	assert_int_equal(a->vmsize_kb, b->vmsize_kb);
	assert_int_equal(a->vmrss_kb, b->vmrss_kb);
	assert_int_equal(a->vmswap_kb, b->vmswap_kb);
	assert_int_equal(a->pfmajor, b->pfmajor);
	assert_int_equal(a->pfminor, b->pfminor);
	assert_int_equal(a->pidns_init_start_ts, b->pidns_init_start_ts);
	assert_int_equal(a->cap_inheritable, b->cap_inheritable);
	assert_int_equal(a->cap_permitted, b->cap_permitted);
	assert_int_equal(a->cap_effective, b->cap_effective);
	assert_int_equal(a->exe_ino, b->exe_ino);
	assert_int_equal(a->exe_ino_ctime, b->exe_ino_ctime);
	assert_int_equal(a->exe_ino_mtime, b->exe_ino_mtime);
	assert_int_equal(a->exe_writable, b->exe_writable);
	assert_int_equal(a->exe_upper_layer, b->exe_upper_layer);
	assert_int_equal(a->exe_lower_layer, b->exe_lower_layer);
	assert_int_equal(a->exe_from_memfd, b->exe_from_memfd);
	assert_false(a->has_clone_ts);
}

static void assert_same_thread(const struct ev_thread_entry *a, const struct ev_thread_entry *b)
{
	assert_same_ids(a, b);
	assert_same_numbers(a, b);
	assert_true(sv_eq(a->comm, b->comm));
	assert_true(sv_eq(a->exe, b->exe));
	assert_true(sv_eq(a->exepath, b->exepath));
	assert_true(sv_eq(a->cwd, b->cwd));
	assert_true(sv_eq(a->root, b->root));
	assert_true(sv_eq(a->args, b->args));
	assert_true(sv_eq(a->env, b->env));
	assert_true(sv_eq(a->cgroups, b->cgroups));
}

/* Read @c, whose one list must hold two threads equal to @wanted. */
static void expect_two_threads(struct capture *c, const struct ev_thread_entry *wanted)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	assert_int_equal(sf_reader_open_memory(c->out.p, c->out.len, NULL, &r, &err), 0);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
		assert_int_equal(item.kind, EV_ITEM_THREAD);
		assert_same_thread(item.thread, wanted);
	}
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 0);
	assert_int_equal(sf_reader_stats(r)->gaps, 0);
	sf_reader_close(r);
}

static void process_lists_of_every_version_and_alias_are_read(void **state)
{
	static const struct {
		uint32_t type;
		unsigned version;
	} aliases[] = {{0x8000abcd, 1}, {0x8013abcd, 2}, {0x8014abcd, 3}};

	(void)state;
	for (unsigned i = 1; i <= 8 + COUNT_OF(aliases); i++) {
		unsigned version = i <= 8 ? i : aliases[i - 9].version;
		struct ev_thread_entry wanted = thread_of_version(version);
		struct capture c = {0};

		cb_section(&c);
		cb_begin(&c, i <= 8 ? cb_thread_block(version) : aliases[i - 9].type);
		cb_thread(&c, version, &full_thread, 0);
		cb_thread(&c, version, &full_thread, 0);
		cb_end(&c);
		expect_two_threads(&c, &wanted);
		cb_done(&c);
	}
}

/* What the tail of @size bytes adds to a version 9 entry; sizes as seen in the wild and their
 * neighbours. */
static struct ev_thread_entry thread_with_tail(size_t size)
{
	struct ev_thread_entry t = thread_of_version(9);

	if (size >= 4)
		t.loginuid = 3;
	if (size >= 5)
		t.exe_writable = true;
	if (size >= 13)
		t.cap_inheritable = 11;
	if (size >= 29)
		t.cap_permitted = 12;
	if (size == 29)
		t.cap_effective = 13;
	if (size > 29) {
		t.pidns_init_start_ts = 10;
		t.tty = 7;
	}
	if (size >= 41)
		t.cap_effective = 13;
	if (size >= 66) {
		t.exe_upper_layer = true;
		t.exe_ino = 14;
		t.exe_ino_ctime = 15;
		t.exe_ino_mtime = 16;
	}
	t.exe_from_memfd = size >= 67;
	t.exe_lower_layer = size >= 68;
	t.pgid = size >= 76 ? 106 : -1;
	return t;
}

static void process_list_tails_are_told_apart_by_their_size(void **state)
{
	static const size_t sizes[] = {0, 4, 5, 13, 29, 41, 66, 67, 68, 76, 87};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct ev_thread_entry wanted = thread_with_tail(sizes[i]);
		struct capture c = {0};

		cb_section(&c);
		cb_begin(&c, cb_thread_block(9));
		cb_thread(&c, 9, &full_thread, sizes[i]);
		cb_thread(&c, 9, &full_thread, sizes[i]);
		cb_end(&c);
		expect_two_threads(&c, &wanted);
		cb_done(&c);
	}
}

/* 30 bytes are the current tail, of which the second capability set does not fit: what follows is
 * read in its place, each field if it fits for itself. */
static void a_tail_of_30_bytes_is_read_field_by_field(void **state)
{
	struct ev_thread_entry t = full_thread, wanted = thread_of_version(9);
	struct capture c = {0};

	(void)state;
	wanted.pidns_init_start_ts = 10;
	wanted.tty = 7;
	wanted.loginuid = 3;
	wanted.exe_writable = true;
	wanted.cap_inheritable = 11;
	wanted.exe_upper_layer = true; /* the lowest byte of cap_permitted */
	wanted.exe_from_memfd = false; /* the next */
	wanted.exe_lower_layer = true; /* and the next */
	t.cap_permitted = 0x010001;
	cb_section(&c);
	cb_begin(&c, cb_thread_block(9));
	cb_thread(&c, 9, &t, 30);
	cb_thread(&c, 9, &t, 30);
	cb_end(&c);
	expect_two_threads(&c, &wanted);
	cb_done(&c);
}

static void multi_strings_end_in_nul_whether_written_or_not(void **state)
{
	struct ev_thread_entry t = {
	    .tid = 1, .args = SV_LIT("a\0b"), .env = SV_LIT("E=1\0"), .cgroups = SV_LIT("cpu=/")};
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, cb_thread_block(9));
	cb_thread(&c, 9, &t, 0);
	t.args = t.env = t.cgroups = SV_NONE;
	cb_thread(&c, 9, &t, 0);
	cb_end(&c);
	expect_list(&c, "thread tid=1 comm= args=a~b~ env=E=1~ cgroups=cpu=/~\n"
			"thread tid=1 comm= args= env= cgroups=\n");
	cb_done(&c);
}

static void threads_over_a_limit_are_gaps_of_one_entry_or_one_block(void **state)
{
	static char big[SF_STRINGS_MAX + 1];
	struct ev_thread_entry t = {0};

	(void)state;
	memset(big, 'x', sizeof(big));
	for (unsigned version = 8; version <= 9; version++) {
		struct capture c = {0};
		struct buf wanted = {0};
		size_t entry;

		cb_section(&c);
		cb_begin(&c, cb_thread_block(version));
		t = (struct ev_thread_entry){
		    .tid = 1, .comm = sv_make(big, 1024), .args = sv_make(big, 4096)};
		cb_thread(&c, version, &t, 0);
		entry = c.out.len;
		t = (struct ev_thread_entry){.tid = 2, .comm = sv_make(big, 1025)};
		cb_thread(&c, version, &t, 0);
		t = (struct ev_thread_entry){.tid = 3, .cgroups = sv_make(big, 4097)};
		cb_thread(&c, version, &t, 0);
		t = (struct ev_thread_entry){.tid = 4};
		cb_thread(&c, version, &t, 0);
		cb_end(&c);
		buf_addf(&wanted, "thread tid=1 comm=%.1024s args=%.4096s~ env= cgroups=\n", big,
			 big);
		if (version == 9)
			buf_addf(&wanted,
				 "thread tid=4 comm= args= env= cgroups=\ngap block @28+%d\ngap "
				 "block @28+%d\n",
				 124 + 1025, 124 + 4097);
		else
			buf_addf(&wanted, "gap block @28+%zu\n", c.out.len - 4 - entry);
		expect_list(&c, buf_cstr(&wanted));
		buf_done(&wanted);
		cb_done(&c);
	}
}

static void entries_longer_than_their_block_are_gaps(void **state)
{
	struct ev_thread_entry t = {.tid = 5};

	(void)state;
	for (uint32_t lie = 0; lie < 200; lie += 123) {
		struct capture c = {0};
		struct buf wanted = {0};
		size_t second;

		cb_section(&c);
		cb_begin(&c, cb_thread_block(9));
		cb_thread(&c, 9, &t, 0);
		second = c.out.len;
		cb_thread(&c, 9, &t, 0);
		memcpy(c.out.p + second, &lie,
		       4); /* 0: not even itself; 123: too small for the fields */
		cb_end(&c);
		cb_stat(&c, 1, 1);
		buf_addf(&wanted,
			 "thread tid=5 comm= args= env= cgroups=\n"
			 "event 67 ts=1 tid=1 cpu=0 0000000000000000 2f7800\n"
			 "gap block @28+%zu\n",
			 c.out.len - 56 - 4 - second);
		expect_list(&c, buf_cstr(&wanted));
		buf_done(&wanted);
		cb_done(&c);
	}
}

/* The payload of an fd entry of @type whose 16-bit numbers and addresses are easy to recognise. */
static void fd_payload(struct capture *c, unsigned type)
{
	size_t width = type == EV_FD_IPV6_SOCK || type == EV_FD_IPV6_SERVSOCK ? 16 : 4;

	switch (type) {
	case EV_FD_UNKNOWN:
		return;
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
		cb_fill(c, 0x0a, width);
		cb_fill(c, 0x0b, width);
		cb_u16(c, 80);
		cb_u16(c, 443);
		cb_u8(c, EV_L4_TCP);
		return;
	case EV_FD_IPV4_SERVSOCK:
	case EV_FD_IPV6_SERVSOCK:
		cb_fill(c, 0x0c, width);
		cb_u16(c, 22);
		cb_u8(c, EV_L4_UDP);
		return;
	case EV_FD_UNIX_SOCK:
		cb_u64(c, 111);
		cb_u64(c, 222);
		break;
	case EV_FD_FILE_V2:
		cb_u32(c, 77);
		break;
	default:
		break;
	}
	cb_str16(c, "name");
}

static void describe_wanted_fd(struct buf *b, unsigned type, unsigned dev)
{
	buf_addf(b, "fd tid=9 fd=%d ino=%u type=%u name=", (int)type - 5, 1000 + type, type);
	if (type == EV_FD_IPV4_SOCK)
		buf_addf(b, " sip=0a0a0a0a%024d dip=0b0b0b0b%024d sport=80 dport=443 l4=2", 0, 0);
	else if (type == EV_FD_IPV6_SOCK)
		buf_addf(b, " sip=%s dip=%s sport=80 dport=443 l4=2",
			 "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
	else if (type == EV_FD_IPV4_SERVSOCK)
		buf_addf(b, " sip=0c0c0c0c%024d dip=%032d sport=22 dport=0 l4=3", 0, 0);
	else if (type == EV_FD_IPV6_SERVSOCK)
		buf_addf(b, " sip=%s dip=%032d sport=22 dport=0 l4=3",
			 "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", 0);
	else if (type != EV_FD_UNKNOWN)
		buf_addf(b, "name");
	if (type == EV_FD_FILE_V2)
		buf_addf(b, " flags=77 dev=%u", dev);
	if (type == EV_FD_UNIX_SOCK)
		buf_addf(b, " source=111 dest=222");
	buf_char(b, '\n');
}

static void fd_lists_of_both_versions_hold_every_type(void **state)
{
	static const uint32_t blocks[] = {CB_FDL, 0x8001abcd, CB_FDL_V2};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		bool v2 = blocks[i] == CB_FDL_V2;
		struct buf wanted = {0};
		struct capture c = {0};

		cb_section(&c);
		cb_begin(&c, blocks[i]);
		cb_u64(&c, 9);
		for (unsigned type = 0; type <= EV_FD_PIDFD; type++) {
			if (v2)
				cb_entry_begin(&c);
			cb_u64(&c, (uint64_t)((int)type - 5));
			cb_u64(&c, 1000 + type);
			cb_u8(&c, type);
			fd_payload(&c, type);
			if (v2 && type == EV_FD_FILE_V2)
				cb_u32(&c, 88); /* dev */
			if (v2)
				cb_fill(&c, 0xdd,
					type == EV_FD_FILE_V2 ? 0
							      : type % 3); /* a newer writer's */
			if (v2)
				cb_entry_end(&c, true);
			describe_wanted_fd(&wanted, type, v2 ? 88 : 0);
		}
		cb_end(&c);
		expect_list(&c, buf_cstr(&wanted));
		buf_done(&wanted);
		cb_done(&c);
	}
}

static void newer_fd_types_are_kept_as_unsupported(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, CB_FDL_V2);
	cb_u64(&c, 9);
	cb_entry_begin(&c);
	cb_u64(&c, 4);
	cb_u64(&c, 5);
	cb_u8(&c, 99);
	cb_fill(&c, 1, 30);
	cb_entry_end(&c, true);
	cb_entry_begin(&c);
	cb_u64(&c, 5);
	cb_u64(&c, 6);
	cb_u8(&c, EV_FD_FILE_V2);
	cb_u32(&c, 1);
	cb_str16(&c, "/f"); /* no dev */
	cb_entry_end(&c, true);
	cb_end(&c);
	cb_begin(&c, CB_FDL); /* here the entry's length is not known */
	cb_u64(&c, 9);
	cb_u64(&c, 4);
	cb_u64(&c, 5);
	cb_u8(&c, 22);
	cb_end(&c);
	expect_list(&c, "fd tid=9 fd=4 ino=5 type=10 name=unknown-type:[99]\n"
			"fd tid=9 fd=5 ino=6 type=16 name=/f flags=1 dev=0\n"
			"gap block @128+20\n");
	cb_done(&c);
}

static void fd_names_over_the_limit_and_lists_without_thread_are_gaps(void **state)
{
	char name[1025] = {0};
	struct capture c = {0};

	(void)state;
	memset(name, 'n', 1024);
	cb_section(&c);
	cb_begin(&c, CB_FDL_V2);
	cb_u64(&c, 9);
	cb_entry_begin(&c);
	cb_u64(&c, 4);
	cb_u64(&c, 5);
	cb_u8(&c, EV_FD_FIFO);
	cb_str16(&c, name);
	cb_entry_end(&c, true);
	cb_entry_begin(&c);
	cb_u64(&c, 6);
	cb_u64(&c, 7);
	cb_u8(&c, EV_FD_FIFO);
	cb_str16(&c, "ok");
	cb_entry_end(&c, true);
	cb_end(&c);
	cb_begin(&c, CB_FDL_V2);
	cb_u32(&c, 9);
	cb_end(&c);
	cb_begin(&c, CB_FDL_V2); /* a thread without files */
	cb_u64(&c, 10);
	cb_end(&c);
	expect_list(&c, "fd tid=9 fd=6 ino=7 type=7 name=ok\n"
			"gap block @28+1047\n"
			"gap block @1120+4\n");
	cb_done(&c);
}

static void interface_entry(struct capture *c, bool v2, unsigned type, size_t extra)
{
	size_t width = type == 1 || type == 3 ? 4 : 16;

	if (v2)
		cb_entry_begin(c);
	cb_u16(c, type);
	cb_u16(c, 4);
	cb_fill(c, 0x11, width);
	cb_fill(c, 0x22, width);
	cb_fill(c, 0x33, width);
	if (type <= 2)
		cb_u64(c, 1000);
	cb_bytes(c, "eth0", 4);
	cb_fill(c, 0xcc, extra);
	if (v2)
		cb_entry_end(c, false);
}

static void interface_lists_of_both_versions_are_read(void **state)
{
	static const uint32_t blocks[] = {CB_IL, 0x8011abcd, CB_IL_V2};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		bool v2 = blocks[i] == CB_IL_V2;
		struct capture c = {0};

		cb_section(&c);
		cb_begin(&c, blocks[i]);
		for (unsigned type = 1; type <= 4; type++)
			interface_entry(&c, v2, type, v2 ? 5 : 0);
		if (v2)
			interface_entry(&c, v2, 9, 0); /* skipped alone: its length is known */
		interface_entry(&c, v2, 3, 0);
		cb_end(&c);
		expect_list(&c, v2 ? "reset interfaces\n"
				     "interface v4 name=eth0 addr=11111111 mask=22222222 "
				     "bcast=33333333 speed=1000\n"
				     "interface v6 name=eth0 addr=11111111111111111111111111111111 "
				     "mask=22222222222222222222222222222222 "
				     "bcast=33333333333333333333333333333333 speed=1000\n"
				     "interface v4 name=eth0 addr=11111111 mask=22222222 "
				     "bcast=33333333 speed=0\n"
				     "interface v6 name=eth0 addr=11111111111111111111111111111111 "
				     "mask=22222222222222222222222222222222 "
				     "bcast=33333333333333333333333333333333 speed=0\n"
				     "interface v4 name=eth0 addr=11111111 mask=22222222 "
				     "bcast=33333333 speed=0\n"
				     "gap block @28+60\n"
				   : "reset interfaces\n"
				     "interface v4 name=eth0 addr=11111111 mask=22222222 "
				     "bcast=33333333 speed=1000\n"
				     "interface v6 name=eth0 addr=11111111111111111111111111111111 "
				     "mask=22222222222222222222222222222222 "
				     "bcast=33333333333333333333333333333333 speed=1000\n"
				     "interface v4 name=eth0 addr=11111111 mask=22222222 "
				     "bcast=33333333 speed=0\n"
				     "interface v6 name=eth0 addr=11111111111111111111111111111111 "
				     "mask=22222222222222222222222222222222 "
				     "bcast=33333333333333333333333333333333 speed=0\n"
				     "interface v4 name=eth0 addr=11111111 mask=22222222 "
				     "bcast=33333333 speed=0\n");
		cb_done(&c);
	}
}

static void user_lists_of_both_versions_are_read(void **state)
{
	static const uint32_t blocks[] = {CB_UL, 0x8012abcd, CB_UL_V2};
	char home[257] = {0};

	(void)state;
	memset(home, 'h', 256);
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		bool v2 = blocks[i] == CB_UL_V2;
		struct capture c = {0};

		cb_section(&c);
		cb_begin(&c, blocks[i]);
		for (int k = 0; k < 4; k++) {
			if (v2)
				cb_entry_begin(&c);
			cb_u8(&c, k == 1 ? 200 : 0); /* anything but 0 is a group */
			if (k != 1)
				cb_u32(&c, 1000);
			cb_u32(&c, 100);
			cb_str16(&c, k == 1 ? "staff" : "bob");
			if (k != 1)
				cb_str16(&c, k == 2 ? home : "/home/bob");
			if (k != 1)
				cb_str16(&c, "");
			if (v2) {
				cb_fill(&c, 0x99, 6);
				cb_entry_end(&c, true);
			}
		}
		cb_end(&c);
		expect_list(&c, v2 ? "reset users\n"
				     "user 1000:100 name=bob home=/home/bob shell=\n"
				     "group 100 name=staff\n"
				     "user 1000:100 name=bob home=/home/bob shell=\n"
				     "gap block @28+284\n"
				   : "reset users\n"
				     "user 1000:100 name=bob home=/home/bob shell=\n"
				     "group 100 name=staff\n"
				     "gap block @28+301\n");
		cb_done(&c);
	}
}

static void empty_lists_still_replace_those_before(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, CB_IL_V2);
	cb_end(&c);
	cb_begin(&c, CB_UL_V2);
	cb_end(&c);
	cb_begin(&c, cb_thread_block(9));
	cb_end(&c);
	expect_list(&c, "reset interfaces\nreset users\n");
	cb_done(&c);
}

static void machine_descriptions_of_both_types_and_other_sizes(void **state)
{
	struct capture c = {0};

	(void)state;
	cb_section(&c);
	cb_begin(&c, 0x8002abcd);
	cb_u32(&c, 64);
	cb_u64(&c, 1);
	cb_u64(&c, 2);
	cb_fill(&c, 'H', 128);	 /* no NUL */
	cb_fill(&c, 0, 32 + 12); /* longer than today's */
	cb_end(&c);
	cb_begin(&c, CB_MI);
	cb_fill(&c, 1, 176); /* too short by one word */
	cb_end(&c);
	expect_list(&c, "machine cpus=64 mem=1 maxpid=2 boot=0 host="
			"HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH"
			"HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH\n"
			"gap block @232+176\n");
	cb_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(process_lists_of_every_version_and_alias_are_read),
	    cmocka_unit_test(process_list_tails_are_told_apart_by_their_size),
	    cmocka_unit_test(a_tail_of_30_bytes_is_read_field_by_field),
	    cmocka_unit_test(multi_strings_end_in_nul_whether_written_or_not),
	    cmocka_unit_test(threads_over_a_limit_are_gaps_of_one_entry_or_one_block),
	    cmocka_unit_test(entries_longer_than_their_block_are_gaps),
	    cmocka_unit_test(fd_lists_of_both_versions_hold_every_type),
	    cmocka_unit_test(newer_fd_types_are_kept_as_unsupported),
	    cmocka_unit_test(fd_names_over_the_limit_and_lists_without_thread_are_gaps),
	    cmocka_unit_test(interface_lists_of_both_versions_are_read),
	    cmocka_unit_test(user_lists_of_both_versions_are_read),
	    cmocka_unit_test(empty_lists_still_replace_those_before),
	    cmocka_unit_test(machine_descriptions_of_both_types_and_other_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
