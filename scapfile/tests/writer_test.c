/* SPDX-License-Identifier: Apache-2.0 */
/* The writer, read back by the reader: every block, container, limit and way to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"
#include "scapfile/writing.h"

static const char *const suffix[] = {".scap", ".scap.gz", ".scap.zst"};

struct place { /* a directory of the test's own */
	char dir[64];
	char path[128];
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	strcpy(p->dir, "/tmp/writer_test.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	char command[128];
	int rc;

	snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
	rc = system(command);
	free(p);
	return rc;
}

static const char *in_place(struct place *p, const char *name, const char *end)
{
	snprintf(p->path, sizeof(p->path), "%s/%s%s", p->dir, name, end);
	return p->path;
}

static void slurp(struct buf *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	buf_reset(b);
	do {
		char *to = buf_room(b, 65536);

		assert_non_null(to);
		n = fread(to, 1, 65536, f);
		b->len += n;
	} while (n);
	fclose(f);
}

static void describe_file(struct buf *out, const char *path)
{
	struct buf bytes = {0};

	slurp(&bytes, path);
	buf_reset(out);
	describe_capture(out, bytes.p, bytes.len, NULL);
	buf_done(&bytes);
}

static struct sf_writer *open_writer(const char *path, const struct sf_writer_options *opt)
{
	struct sf_writer *w = NULL;
	struct error err;

	if (sf_writer_open(path, opt, &w, &err) < 0)
		fail_msg("%s", err.msg);
	return w;
}

static void close_writer(struct sf_writer *w)
{
	struct error err;

	if (sf_writer_close(w, &err) < 0)
		fail_msg("%s", err.msg);
}

/* STAT_X of @tid at @ts: 56 bytes. */
static int add_stat(struct sf_writer *w, uint64_t ts, int64_t tid, struct error *err)
{
	static const uint8_t lens[] = {8, 0, 3, 0};
	static const uint8_t data[] = {0, 0, 0, 0, 0, 0, 0, 0, '/', 'x', 0};
	struct ev ev = {.ts = ts, .tid = tid, .type = EV_STAT_X, .nparams = 2};

	ev.lens = lens;
	ev.data = data;
	return sf_writer_event(w, &ev, err);
}

static void add_stats(struct sf_writer *w, uint64_t from, uint64_t n)
{
	struct error err;

	for (uint64_t i = 0; i < n; i++)
		if (add_stat(w, from + i, 7, &err) < 0)
			fail_msg("%s", err.msg);
}

/* Copy a capture in memory through a writer. */
static void copy_items(struct sf_writer *w, const void *p, size_t n)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	assert_int_equal(sf_reader_open_memory(p, n, NULL, &r, &err), 0);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		if (sf_writer_item(w, &item, &err) < 0)
			fail_msg("%s", err.msg);
	sf_reader_close(r);
}

static void what_was_written_is_read_back_from_each_container(void **state)
{
	struct capture c = {0};
	const char *expected = cb_mixed(&c);
	struct buf out = {0};

	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		struct sf_writer *w = open_writer(in_place(*state, "a", suffix[i]), NULL);

		copy_items(w, c.out.p, c.out.len);
		close_writer(w);
		describe_file(&out, ((struct place *)*state)->path);
		assert_string_equal(buf_cstr(&out), expected);
	}
	buf_done(&out);
	cb_done(&c);
}

/* A capture as today's writers make them, by the builder. */
static void current_capture(struct capture *c)
{
	struct ev_thread_entry t = {.tid = 7, .pid = 7, .comm = SV_LIT("sh"), .tty = 5, .pgid = 8};

	cb_section(c);
	cb_machine(c, 2, "box");
	cb_begin(c, CB_IL_V2);
	cb_entry_begin(c);
	cb_u16(c, 1);
	cb_u16(c, 2);
	cb_fill(c, 0x7f, 12);
	cb_u64(c, 1000);
	cb_bytes(c, "lo", 2);
	cb_entry_end(c, false);
	cb_end(c);
	cb_begin(c, CB_UL_V2);
	cb_entry_begin(c);
	cb_u8(c, 1);
	cb_u32(c, 5);
	cb_str16(c, "wheel");
	cb_entry_end(c, true);
	cb_end(c);
	cb_begin(c, cb_thread_block(9));
	cb_thread(c, 9, &t, 76);
	cb_end(c);
	cb_begin(c, CB_FDL_V2);
	cb_u64(c, 7);
	cb_entry_begin(c);
	cb_u64(c, 3);
	cb_u64(c, 99);
	cb_u8(c, EV_FD_FIFO);
	cb_str16(c, "pipe:[99]");
	cb_entry_end(c, true);
	cb_end(c);
	cb_stat(c, 10, 7);
	c->flags = EV_STATE_ONLY;
	cb_event_begin(c, CB_EVF_V2, EV_STAT_X, 11, 7);
	cb_param_u64(c, 1);
	cb_param_str(c, "/file");
	cb_event_end(c);
	cb_event_begin(c, CB_EV_V2_LARGE, EV_PLUGINEVENT_E, 12, -1);
	cb_param_u32(c, 3);
	cb_param(c, "data", 4);
	cb_event_end(c);
}

/* The builder writes apart from the writer: both must agree on every byte. */
static void plain_files_are_byte_for_byte_what_the_format_says(void **state)
{
	struct capture c = {0};
	struct buf out = {0};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), NULL);

	current_capture(&c);
	copy_items(w, c.out.p, c.out.len);
	close_writer(w);
	slurp(&out, ((struct place *)*state)->path);
	assert_int_equal(out.len, c.out.len);
	assert_memory_equal(out.p, c.out.p, out.len);
	buf_done(&out);
	cb_done(&c);
}

/* clang-format off */
static const struct ev_thread_entry full_thread = {
    .tid = 11,
    .pid = 12,
    .ptid = 13,
    .sid = 14,
    .vpgid = 15,
    .pgid = 16,
    .vtid = 17,
    .vpid = 18,
    .comm = {"comm", sizeof("comm") - 1},
    .exe = {"exe", sizeof("exe") - 1},
    .exepath = {"/bin/exe", sizeof("/bin/exe") - 1},
    .cwd = {"/cwd", sizeof("/cwd") - 1},
    .root = {"/root", sizeof("/root") - 1},
    .args = {"a\0b", sizeof("a\0b") - 1},
    .env = {"c=d", sizeof("c=d") - 1},
    .cgroups = {"cpu=/", sizeof("cpu=/") - 1},
    .fdlimit = 1024,
    .flags = 0x2001,
    .uid = 21,
    .gid = 22,
    .loginuid = 23,
    .vmsize_kb = 24,
    .vmrss_kb = 25,
    .vmswap_kb = 26,
    .tty = 27,
    .pfmajor = 28,
    .pfminor = 29,
    .pidns_init_start_ts = 30,
    .cap_inheritable = 31,
    .cap_permitted = 32,
    .cap_effective = 33,
    .exe_ino = 34,
    .exe_ino_ctime = 35,
    .exe_ino_mtime = 36,
    .exe_writable = true,
    .exe_lower_layer = true,
};
/* clang-format on */

/* Read the first item of @kind from @path; the reader keeps it alive. */
static struct sf_reader *find_item(const char *path, enum ev_item_kind kind, struct ev_item *item)
{
	struct sf_reader *r;
	struct error err;

	if (sf_reader_open(path, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	do {
		assert_int_equal(ev_source_next(sf_reader_source(r), item, &err), 1);
	} while (item->kind != kind);
	return r;
}

static void assert_text(struct sv found, const char *expected, size_t n)
{
	assert_int_equal(found.n, n);
	assert_memory_equal(found.p, expected, n);
}

static void every_field_of_a_thread_survives(void **state)
{
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w = open_writer(path, NULL);
	struct ev_thread_entry found, expected = full_thread;
	struct ev_item item;
	struct error err;
	struct sf_reader *r;

	assert_int_equal(sf_writer_thread(w, &full_thread, &err), 0);
	close_writer(w);
	r = find_item(path, EV_ITEM_THREAD, &item);
	found = *item.thread;
	assert_text(found.comm, "comm", 4);
	assert_text(found.exe, "exe", 3);
	assert_text(found.exepath, "/bin/exe", 8);
	assert_text(found.cwd, "/cwd", 4);
	assert_text(found.root, "/root", 5);
	assert_text(found.args, "a\0b", 4);
	assert_text(found.env, "c=d", 4);
	assert_text(found.cgroups, "cpu=/", 6);
	expected.comm = found.comm;
	expected.exe = found.exe;
	expected.exepath = found.exepath;
	expected.cwd = found.cwd;
	expected.root = found.root;
	expected.args = found.args;
	expected.env = found.env;
	expected.cgroups = found.cgroups;
	assert_memory_equal(&found, &expected, offsetof(struct ev_thread_entry, exe_writable));
	assert_true(found.exe_writable && found.exe_lower_layer);
	assert_false(found.exe_upper_layer || found.exe_from_memfd);
	sf_reader_close(r);
}

static void files_of_every_type_survive(void **state)
{
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w = open_writer(path, NULL);
	struct buf expected = {0}, found = {0};
	struct error err;
	struct sf_reader *r;
	struct ev_item item;

	for (int type = EV_FD_UNKNOWN; type <= EV_FD_PIDFD; type++) {
		bool v4 = type == EV_FD_IPV4_SOCK || type == EV_FD_IPV4_SERVSOCK;
		bool v6 = type == EV_FD_IPV6_SOCK || type == EV_FD_IPV6_SERVSOCK;
		bool pair = type == EV_FD_IPV4_SOCK || type == EV_FD_IPV6_SOCK;
		struct ev_fd_entry fd = {.tid = 7, .fd = type, .ino = 100, .type = type};

		if (v4 || v6) {
			memset(fd.sip, 0xa1, v4 ? 4 : 16);
			memset(fd.dip, 0xb2, pair ? v4 ? 4 : 16 : 0);
			fd.sport = 0x1234;
			fd.dport = pair ? 443 : 0;
			fd.l4proto = EV_L4_TCP;
		} else if (type != EV_FD_UNKNOWN) {
			fd.name = SV_LIT("name");
		}
		if (type == EV_FD_FILE_V2) {
			fd.openflags = 5;
			fd.dev = 6;
		}
		if (type == EV_FD_UNIX_SOCK) {
			fd.unix_source = 8;
			fd.unix_dest = 9;
		}
		assert_int_equal(sf_writer_fd(w, &fd, &err), 0);
		describe_item(&expected, &(struct ev_item){.kind = EV_ITEM_FD, .fd = &fd});
	}
	close_writer(w);
	r = find_item(path, EV_ITEM_FD, &item);
	do {
		describe_item(&found, &item);
	} while (ev_source_next(sf_reader_source(r), &item, &err) > 0);
	assert_string_equal(buf_cstr(&found), buf_cstr(&expected));
	sf_reader_close(r);
	buf_done(&expected);
	buf_done(&found);
}

static void interfaces_and_users_survive(void **state)
{
	struct ev_interface v4 = {.name = SV_LIT("eth0"), .addr = {10, 0, 0, 1}, .linkspeed = 9};
	struct ev_interface v6 = {.ipv6 = true, .name = SV_LIT("lo"), .netmask = {0xff}};
	struct ev_user user = {1, 2, SV_LIT("u"), SV_LIT("/home/u"), SV_LIT("/bin/sh")};
	struct ev_user group = {.gid = 5, .name = SV_LIT("wheel")};
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w = open_writer(path, NULL);
	struct buf out = {0};
	struct error err;

	assert_int_equal(sf_writer_interface(w, &v4, &err), 0);
	assert_int_equal(sf_writer_interface(w, &v6, &err), 0);
	assert_int_equal(sf_writer_user(w, &user, &err), 0);
	assert_int_equal(sf_writer_group(w, &group, &err), 0);
	close_writer(w);
	describe_file(&out, path);
	assert_string_equal(buf_cstr(&out),
			    "section @0\n"
			    "reset interfaces\n"
			    "interface v4 name=eth0 addr=0a000001 mask=00000000 bcast=00000000 "
			    "speed=9\n"
			    "interface v6 name=lo addr=00000000000000000000000000000000 "
			    "mask=ff000000000000000000000000000000 "
			    "bcast=00000000000000000000000000000000 speed=0\n"
			    "reset users\n"
			    "user 1:2 name=u home=/home/u shell=/bin/sh\n"
			    "group 5 name=wheel\n");
	buf_done(&out);
}

/* Text at, and just over, what readers accept. */
static void text_over_the_limits_is_cut(void **state)
{
	static char text[8192];
	const char *path = in_place(*state, "a", ".scap");
	struct sf_writer *w = open_writer(path, NULL);
	struct sv endless = sv_make(text, sizeof(text));
	struct ev_thread_entry t = full_thread;
	struct ev_user u = {1, 2, endless, endless, endless};
	struct ev_fd_entry fd = {.tid = 11, .type = EV_FD_FILE, .name = endless};
	struct ev_interface i = {.name = endless};
	struct sf_reader *r;
	struct ev_item item;
	struct error err;

	memset(text, 'x', sizeof(text));
	t.comm = t.exe = t.exepath = t.cwd = t.root = t.args = t.env = t.cgroups = endless;
	assert_int_equal(sf_writer_interface(w, &i, &err), 0);
	assert_int_equal(sf_writer_user(w, &u, &err), 0);
	assert_int_equal(sf_writer_thread(w, &t, &err), 0);
	assert_int_equal(sf_writer_fd(w, &fd, &err), 0);
	close_writer(w);
	r = find_item(path, EV_ITEM_INTERFACE, &item);
	assert_int_equal(item.interface->name.n, SF_INTERFACE_MAX);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(item.user->shell.n, SF_USER_MAX);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(item.thread->root.n, SF_PATH_MAX);
	assert_int_equal(item.thread->args.n, SF_STRINGS_MAX);
	assert_int_equal(item.thread->args.p[SF_STRINGS_MAX - 1], 0);
	assert_int_equal(ev_source_next(sf_reader_source(r), &item, &err), 1);
	assert_int_equal(item.fd->name.n, SF_FD_NAME_MAX);
	assert_int_equal(sf_reader_stats(r)->gaps, 0);
	sf_reader_close(r);
}

static void losses_are_gaps_and_flags_are_kept(void **state)
{
	static const uint8_t lens[] = {8, 0, 0, 0};
	struct ev ev = {.ts = 5, .tid = 1, .type = EV_STAT_X, .nparams = 2, .cpu = 3};
	const char *path = in_place(*state, "a", ".scap.zst");
	struct sf_writer *w = open_writer(path, NULL);
	struct buf out = {0};
	struct error err;

	ev.lens = lens;
	ev.data = (const uint8_t *)"\1\0\0\0\0\0\0";
	ev.block_flags = EV_STATE_ONLY;
	assert_int_equal(sf_writer_event(w, &ev, &err), 0);
	assert_int_equal(sf_writer_loss(w, 6, 2, 42, &err), 0);
	assert_int_equal(sf_writer_stats(w)->losses, 1);
	close_writer(w);
	describe_file(&out, path);
	assert_string_equal(buf_cstr(&out), "section @0\n"
					    "event 67 ts=5 tid=1 cpu=3 flags=1 0100000000000000 -\n"
					    "gap recorded @84+0\n");
	buf_done(&out);
}

static void state_behind_events_is_refused(void **state)
{
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), NULL);
	struct ev_item section = {.kind = EV_ITEM_SECTION};
	struct error err;

	add_stats(w, 1, 1);
	assert_int_equal(sf_writer_thread(w, &full_thread, &err), ERR_USAGE);
	assert_int_equal(sf_writer_item(w, &section, &err), 0);
	assert_int_equal(sf_writer_thread(w, &full_thread, &err), 0);
	close_writer(w);
}

/* ---- frames ---- */

/* Where the frames of a zstd file end, from its seek table. Return: how many. */
static size_t seek_table(const struct buf *file, size_t *ends, size_t max, uint64_t *total)
{
	const uint8_t *p = (const uint8_t *)file->p, *foot = p + file->len - 9, *at;
	uint32_t n = load_u32(foot);
	size_t end = 0;

	assert_int_equal(load_u32(foot + 5), 0x8f92eab1);
	assert_int_equal(foot[4], 0);
	at = foot - 8 * (size_t)n;
	assert_int_equal(load_u32(at - 8), 0x184d2a5e);
	assert_int_equal(load_u32(at - 4), 8 * n + 9);
	assert_in_range(n, 1, max);
	*total = 0;
	for (uint32_t i = 0; i < n; i++, at += 8) {
		end += load_u32(at);
		*total += load_u32(at + 4);
		ends[i] = end;
	}
	assert_int_equal(end + 8 + 8 * (size_t)n + 9, file->len);
	return n;
}

static uint64_t events_in(const void *p, size_t n, uint64_t *gaps)
{
	struct sf_reader *r;
	struct ev_item item;
	struct error err;
	uint64_t events;

	if (sf_reader_open_memory(p, n, NULL, &r, &err) < 0)
		fail_msg("%s", err.msg);
	while (ev_source_next(sf_reader_source(r), &item, &err) > 0)
		;
	events = sf_reader_stats(r)->events;
	*gaps = sf_reader_stats(r)->gaps;
	sf_reader_close(r);
	return events;
}

static void a_file_cut_behind_any_frame_is_whole_up_to_there(void **state)
{
	const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
	const char *path = in_place(*state, "a", ".scap.zst");
	struct sf_writer *w = open_writer(path, &opt);
	struct buf file = {0};
	size_t ends[64], n;
	uint64_t total, gaps;

	add_stats(w, 1, 105);
	close_writer(w);
	slurp(&file, path);
	n = seek_table(&file, ends, COUNT_OF(ends), &total);
	assert_int_equal(total, 28 + 56 * 105);
	for (size_t i = 0; i < n; i++) {
		uint64_t whole = i + 1 < n ? 10 + 11 * i : 105;

		assert_int_equal(events_in(file.p, ends[i], &gaps), whole);
		assert_int_equal(gaps, 0);
		if (i + 1 == n)
			break;
		/* Inside the next frame: what was complete before is all there, and the cut is
		 * noted. */
		assert_true(events_in(file.p, ends[i] + 9, &gaps) >= whole);
		assert_int_equal(gaps, 1);
	}
	buf_done(&file);
}

static void each_frame_but_the_first_can_be_read_by_itself(void **state)
{
	const struct sf_writer_options opt = {.frame_bytes = 600};
	struct capture head = {0};
	struct buf file = {0}, joined = {0};
	size_t ends[64], n;
	uint64_t total, gaps;

	for (size_t i = 1; i < COUNT_OF(suffix); i++) {
		struct sf_writer *w = open_writer(in_place(*state, "a", suffix[i]), &opt);

		add_stats(w, 1, 100);
		close_writer(w);
	}
	slurp(&file, in_place(*state, "a", ".scap.zst"));
	n = seek_table(&file, ends, COUNT_OF(ends), &total);
	cb_section(&head);
	for (size_t i = 1; i < n; i++) {
		buf_reset(&joined);
		cb_zstd(&joined, head.out.p, head.out.len);
		buf_add(&joined, file.p + ends[i - 1], ends[i] - ends[i - 1]);
		assert_true(events_in(joined.p, joined.len, &gaps) > 0);
		assert_int_equal(gaps, 0);
	}
	slurp(&file, in_place(*state, "a", ".scap.gz"));
	n = 0;
	for (size_t i = 0; i + 3 < file.len; i++)
		n += memcmp(file.p + i, "\x1f\x8b\x08\0", 4) == 0;
	assert_true(n >= 9);
	buf_done(&file);
	buf_done(&joined);
	cb_done(&head);
}

static void time_ends_frames_also_without_events(void **state)
{
	const struct sf_writer_options opt = {.frame_ns = 100};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap.zst"), &opt);
	struct error err;

	add_stats(w, 1000, 100);
	assert_int_equal(sf_writer_stats(w)->frames, 0);
	add_stats(w, 1100, 1);
	assert_int_equal(sf_writer_stats(w)->frames, 1);
	assert_int_equal(add_stat(w, UINT64_MAX, 1, &err), 0);
	assert_int_equal(add_stat(w, 5, 1, &err), 0);
	assert_int_equal(sf_writer_tick(w, 1199, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 1);
	assert_int_equal(sf_writer_tick(w, 1200, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 2);
	assert_int_equal(sf_writer_tick(w, 5000, &err), 0);
	assert_int_equal(sf_writer_stats(w)->frames, 2);
	close_writer(w);
}

static void a_thread_behind_the_writer_changes_no_byte(void **state)
{
	struct sf_writer_options opt = {.frame_bytes = 4096};
	struct buf here = {0}, there = {0};

	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		struct sf_writer *w;

		opt.background = false;
		w = open_writer(in_place(*state, "here", suffix[i]), &opt);
		add_stats(w, 1, 5000);
		close_writer(w);
		slurp(&here, ((struct place *)*state)->path);
		opt.background = true;
		w = open_writer(in_place(*state, "there", suffix[i]), &opt);
		add_stats(w, 1, 5000);
		close_writer(w);
		slurp(&there, ((struct place *)*state)->path);
		assert_int_equal(here.len, there.len);
		assert_memory_equal(here.p, there.p, here.len);
	}
	buf_done(&here);
	buf_done(&there);
}

static void a_killed_process_loses_the_frame_in_progress_only(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix); i++) {
		const struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
		const char *path = in_place(*state, "a", suffix[i]);
		struct buf file = {0};
		uint64_t gaps;
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			add_stats(open_writer(path, &opt), 1, 10 + 11 * 3 + 5);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		slurp(&file, path);
		assert_int_equal(events_in(file.p, file.len, &gaps), 10 + 11 * 3);
		assert_int_equal(gaps, 0);
		buf_done(&file);
	}
}

/* ---- files ---- */

static void files_are_private_and_never_overwrite_or_follow(void **state)
{
	const char *path = in_place(*state, "a", ".scap");
	struct place other = *(struct place *)*state;
	struct sf_writer *w = NULL;
	struct error err;
	struct stat st;
	mode_t mask = umask(0);

	close_writer(open_writer(path, NULL));
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sf_writer_open(path, NULL, &w, &err), ERR_IO);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(symlink("nowhere", in_place(&other, "link", ".scap")), 0);
	assert_int_equal(sf_writer_open(other.path, NULL, &w, &err), ERR_IO);
	assert_int_equal(stat(in_place(&other, "nowhere", ""), &st), -1);
	assert_null(w);
}

static void a_replaced_file_stays_until_the_new_one_is_complete(void **state)
{
	const struct sf_writer_options opt = {.replace = true};
	const char *path = in_place(*state, "a", ".scap");
	struct place other = *(struct place *)*state;
	struct buf file = {0};
	struct sf_writer *w;
	uint64_t gaps;
	char command[256];

	w = open_writer(path, NULL);
	add_stats(w, 1, 3);
	close_writer(w);
	w = open_writer(path, &opt);
	add_stats(w, 1, 5);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 3);
	sf_writer_abandon(w);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 3);
	w = open_writer(path, &opt);
	add_stats(w, 1, 5);
	close_writer(w);
	slurp(&file, path);
	assert_int_equal(events_in(file.p, file.len, &gaps), 5);
	snprintf(command, sizeof(command), "test $(ls '%s' | wc -l) = 1", other.dir);
	assert_int_equal(system(command), 0);
	buf_done(&file);
}

/* A limit on the size of files makes writing fail as a full disk does, for anyone. */
static void a_full_disk_leaves_what_can_be_read(void **state)
{
	for (size_t i = 0; i < COUNT_OF(suffix) * 2; i++) {
		struct sf_writer_options opt = {.frame_bytes = 28 + 56 * 10};
		const char *path = in_place(*state, i < 3 ? "a" : "b", suffix[i % 3]);
		struct rlimit old, full;
		struct sf_writer *w;
		struct error err = {0};
		struct buf file = {0};
		uint64_t gaps, events;
		int rc = 0;

		opt.background = i >= 3;
		getrlimit(RLIMIT_FSIZE, &old);
		full = (struct rlimit){2000, old.rlim_max};
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
		w = open_writer(path, &opt);
		for (uint64_t k = 0; k < 100000 && rc >= 0; k++)
			rc = add_stat(w, k * 7919, (int64_t)(k * k), &err);
		assert_int_equal(rc, ERR_IO);
		assert_int_equal(err.sys, EFBIG);
		assert_non_null(strstr(err.msg, path));
		assert_int_equal(add_stat(w, 1, 1, &err), ERR_IO);
		assert_int_equal(sf_writer_close(w, &err), ERR_IO);
		setrlimit(RLIMIT_FSIZE, &old);
		slurp(&file, path);
		assert_in_range(file.len, 1, 2000);
		events = events_in(file.p, file.len, &gaps);
		assert_int_equal(gaps, 0);
		if (i % 3 == SF_PLAIN) /* not compressed, so that single events can be kept */
			assert_int_equal(events, (2000 - 28) / 56);
		else
			assert_int_equal((events - 10) % 11, 0);
		buf_done(&file);
	}
}

static void each_rotated_file_is_complete_in_itself(void **state)
{
	struct sf_writer_options opt = {.rotation = {.events = 10, .keep = 2}};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap.zst"), &opt);
	struct place other = *(struct place *)*state;
	struct buf file = {0};
	struct error err;
	uint64_t gaps;

	assert_int_equal(sf_writer_thread(w, &full_thread, &err), 0);
	for (uint64_t i = 0; i < 35; i++) {
		if (sf_writer_rotation_due(w)) {
			assert_int_equal(sf_writer_rotate(w, &err), 0);
			assert_int_equal(sf_writer_thread(w, &full_thread, &err), 0);
		}
		add_stats(w, i, 1);
	}
	assert_string_equal(sf_writer_path(w), in_place(&other, "a.0004", ".scap.zst"));
	close_writer(w);
	assert_int_equal(access(in_place(&other, "a.0002", ".scap.zst"), F_OK), -1);
	slurp(&file, in_place(&other, "a.0003", ".scap.zst"));
	assert_int_equal(events_in(file.p, file.len, &gaps), 10);
	slurp(&file, in_place(&other, "a.0004", ".scap.zst"));
	assert_int_equal(events_in(file.p, file.len, &gaps), 5);
	sf_reader_close(find_item(other.path, EV_ITEM_THREAD, &(struct ev_item){0}));
	buf_done(&file);
}

static void size_and_time_make_rotation_due(void **state)
{
	struct sf_writer_options opt = {.rotation = {.bytes = 28 + 56 * 4}};
	struct sf_writer *w = open_writer(in_place(*state, "a", ".scap"), &opt);

	add_stats(w, 1, 3);
	assert_false(sf_writer_rotation_due(w));
	add_stats(w, 4, 1);
	assert_true(sf_writer_rotation_due(w));
	close_writer(w);
	opt.rotation = (struct sf_rotation){.ns = 100};
	w = open_writer(in_place(*state, "b", ".scap.gz"), &opt);
	add_stats(w, 50, 100);
	assert_false(sf_writer_rotation_due(w));
	add_stats(w, 150, 1);
	assert_true(sf_writer_rotation_due(w));
	close_writer(w);
}

static void wrong_options_are_refused(void **state)
{
	struct sf_writer_options opt = {.level = 99};
	struct sf_writer *w = NULL;
	struct error err;

	assert_int_equal(sf_writer_open(in_place(*state, "a", ".scap.zst"), &opt, &w, &err),
			 ERR_USAGE);
	assert_int_equal(sf_writer_open(in_place(*state, "a", ".scap.gz"), &opt, &w, &err),
			 ERR_USAGE);
	opt = (struct sf_writer_options){.frame_bytes = UINT32_MAX};
	assert_int_equal(sf_writer_open(in_place(*state, "a", ".scap"), &opt, &w, &err), ERR_USAGE);
	opt = (struct sf_writer_options){.rotation = {.events = 1}};
	assert_int_equal(sf_writer_open("-", &opt, &w, &err), ERR_USAGE);
	assert_null(w);
}

#define in_a_place(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(what_was_written_is_read_back_from_each_container),
	    in_a_place(plain_files_are_byte_for_byte_what_the_format_says),
	    in_a_place(every_field_of_a_thread_survives),
	    in_a_place(files_of_every_type_survive),
	    in_a_place(interfaces_and_users_survive),
	    in_a_place(text_over_the_limits_is_cut),
	    in_a_place(losses_are_gaps_and_flags_are_kept),
	    in_a_place(state_behind_events_is_refused),
	    in_a_place(a_file_cut_behind_any_frame_is_whole_up_to_there),
	    in_a_place(each_frame_but_the_first_can_be_read_by_itself),
	    in_a_place(time_ends_frames_also_without_events),
	    in_a_place(a_thread_behind_the_writer_changes_no_byte),
	    in_a_place(a_killed_process_loses_the_frame_in_progress_only),
	    in_a_place(files_are_private_and_never_overwrite_or_follow),
	    in_a_place(a_replaced_file_stays_until_the_new_one_is_complete),
	    in_a_place(a_full_disk_leaves_what_can_be_read),
	    in_a_place(each_rotated_file_is_complete_in_itself),
	    in_a_place(size_and_time_make_rotation_due),
	    in_a_place(wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
