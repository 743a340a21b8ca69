/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer writes, read back by the reader: every block and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scapfile/tests/capture_builder.h"
#include "scapfile/tests/describe.h"
#include "scapfile/tests/place.h"
#include "scapfile/writing.h"

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
	cb_group(c, 5, "wheel");
	cb_end(c);
	cb_begin(c, cb_thread_block(9));
	cb_thread(c, 9, &t, 76);
	cb_end(c);
	cb_pipe_list(c);
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

static void flags_are_kept(void **state)
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
	close_writer(w);
	describe_file(&out, path);
	assert_string_equal(buf_cstr(&out),
			    "section @0\n"
			    "event 67 ts=5 tid=1 cpu=3 flags=1 0100000000000000 -\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_place(what_was_written_is_read_back_from_each_container),
	    in_a_place(plain_files_are_byte_for_byte_what_the_format_says),
	    in_a_place(every_field_of_a_thread_survives),
	    in_a_place(files_of_every_type_survive),
	    in_a_place(interfaces_and_users_survive),
	    in_a_place(text_over_the_limits_is_cut),
	    in_a_place(flags_are_kept),
	    in_a_place(state_behind_events_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
