/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/filter/tests/show.h"

static struct world world;

static int setup(void **state)
{
	*state = &world;
	show_init(&world);
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	return 0;
}

static void an_open_shows_names_flags_and_full_path(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPENAT_2_X, I(5), I(EV_FD_CWD), S("rel/../x.txt"), I(20487), I(0644),
	      I(0xfd01), I(123));
	assert_args(w,
		    "fd=5(<f>/home/ubuntu/x.txt) dirfd=-100(AT_FDCWD) "
		    "name=rel/../x.txt(/home/ubuntu/x.txt) "
		    "flags=20487(O_CREAT|O_RDWR|O_CLOEXEC|O_F_CREATED) mode=0644 dev=FD01 ino=123");
	assert_shows(w, "%evt.arg.fd|%evt.arg.mode|%evt.arg.dev|%evt.arg.name|%evt.arg[1]",
		     "<f>/home/ubuntu/x.txt|0644|FD01|/home/ubuntu/x.txt|AT_FDCWD");
	assert_shows(w, "%evt.rawarg.fd|%evt.rawarg.mode|%evt.rawarg.flags|%evt.rawarg.name",
		     "5|644|5007|rel/../x.txt");
}

static void what_was_not_recorded_shows_as_na_or_null(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPEN_X, I(3), S("/etc/ld.so.cache"), I(4097), I(0));
	assert_args(w, "fd=3(<f>/etc/ld.so.cache) name=/etc/ld.so.cache "
		       "flags=4097(O_RDONLY|O_CLOEXEC) mode=0 dev=<NA> ino=<NA>");
	EVENT(w, 3200, EV_WRITE_X, I(-32), NONE, I(3), I(5));
	assert_args(w, "res=-32(EPIPE) data=NULL fd=3(<f>/etc/ld.so.cache) size=5");
	EVENT(w, 3200, EV_RECVFROM_X, NONE);
	assert_args(w, "res=<NA> data=NULL tuple=NULL fd=<NA> size=<NA>");
	EVENT(w, 3200, EV_POLL_X, I(0));
	assert_args(w, "res=0 fds=NULL timeout=<NA>");
	assert_shows(w, "%evt.rawarg.fds|%evt.rawarg.timeout", "NULL|0");
	EVENT(w, 3200, EV_OPEN_X, I(-2), S("(NULL)"));
	assert_shows(w, "%evt.arg.name|%evt.rawarg.name|%evt.rawarg.flags|%evt.rawarg.ino",
		     "<NA>|<NA>|0|0");
}

static void bytes_that_cannot_be_printed_are_dots_or_base64(void **state)
{
	static const struct flt_options base64 = {.bytes = FLT_BYTES_BASE64};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(8), BYTES("hel\0\xfflo~", 8), I(99), I(100));
	assert_args(w, "res=8 data=hel..lo~ fd=99 size=100");
	assert_shows(w, "%evt.arg.data|%evt.buffer", "hel..lo~|hel..lo~");
	assert_shows_with(w, &base64, "%evt.arg.data|%evt.buffer", "aGVsAP9sb34=|aGVsAP9sb34=");
	EVENT(w, 3200, EV_READ_X, I(7), BYTES("seven!!", 7), I(99), I(100));
	assert_shows_with(w, &base64, "%evt.buffer", "c2V2ZW4hIQ==");
	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(99), I(100));
	assert_shows(w, "%evt.buffer", "NULL");
	EVENT(w, 3200, EV_READ_X, I(4), BYTES(" ~\x7f\x1f", 4), I(99), I(100));
	assert_shows(w, "%evt.buffer", " ~..");
}

/* Unless they are asked to. */
static void conditions_do_not_see_how_bytes_are_shown(void **state)
{
	static const struct {
		struct flt_options opt;
		const char *condition;
		bool matches;
	} rows[] = {
	    {{.bytes = FLT_BYTES_HEX}, "evt.arg.data contains plain", true},
	    {{.bytes = FLT_BYTES_BASE64}, "evt.args contains plain", true},
	    {{.bytes_max = 4}, "evt.arg.data endswith plain and evt.args contains plain", true},
	    {{.bytes = FLT_BYTES_BASE64, .conditions_see_bytes = true},
	     "evt.arg.data contains plain",
	     false},
	    {{.bytes = FLT_BYTES_BASE64, .conditions_see_bytes = true},
	     "evt.args contains 'cGxhaW4='",
	     true},
	};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(5), BYTES("plain", 5), I(99), I(100));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		struct flt_program *p;
		struct flt_format *f;
		struct flt_node *n;
		struct flt_ctx *cx;
		struct buf out = {0};
		unsigned id;

		assert_int_equal(flt_program_new(&rows[i].opt, &p, NULL), 0);
		assert_int_equal(
		    flt_parse(sv_of(rows[i].condition), FLT_DEPTH_DEFAULT, &arena, &n, NULL, NULL),
		    0);
		assert_int_equal(flt_program_add(p, n, NULL, NULL, &id, NULL, NULL), 0);
		assert_int_equal(flt_format_new(p, SV_LIT("%evt.arg.data"), &f, NULL), 0);
		assert_int_equal(flt_program_seal(p, NULL), 0);
		assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
		flt_ctx_event(cx, &w->bind);
		if (flt_match(cx, id) != rows[i].matches)
			fail_msg("row %zu: '%s'", i, rows[i].condition);
		assert_true(flt_format_text(cx, f, &out));
		assert_false(sv_is(buf_view(&out), "plain")); /* the display keeps its form */
		buf_done(&out);
		flt_ctx_free(cx);
		flt_program_free(p);
		arena_done(&arena);
	}
}

static void bytes_can_be_shown_as_lines(void **state)
{
	static const struct flt_options lines = {.bytes = FLT_BYTES_LINES};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(8), BYTES("\na\r\nb\n\0\tc\rd\x80~\n\r", 15), I(99), I(100));
	assert_shows_with(w, &lines, "[%evt.buffer]", "[\na\nb\nc\nd~\n\n]");
	assert_shows_with(w, &lines, "%evt.args", "res=8 data=\na\nb\nc\nd~\n\n fd=99 size=100");
	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(99), I(100));
	assert_shows_with(w, &lines, "%evt.arg.data", "NULL");
}

/* The rows that sysdig 0.29.3 prints. */
static void bytes_can_be_shown_in_hexadecimal(void **state)
{
	static const struct flt_options hex = {.bytes = FLT_BYTES_HEX},
					both = {.bytes = FLT_BYTES_HEX_ASCII};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(10), BYTES("/dev/null\0", 10), I(99), I(100));
	assert_shows_with(w, &hex, "%evt.buffer|", "\n\t0x0000: 2f64 6576 2f6e 756c 6c00\n|");
	assert_shows_with(
	    w, &both, "%evt.args",
	    "res=10 data=\n\t0x0000: 2f64 6576 2f6e 756c 6c00                 /dev/null.\n "
	    "fd=99 size=100");
	EVENT(w, 3200, EV_READ_X, I(19), BYTES("0123456789abcdefg\xff\x01", 19), I(99), I(100));
	assert_shows_with(w, &both, "%evt.arg.data",
			  "\n\t0x0000: 3031 3233 3435 3637 3839 6162 6364 6566  0123456789abcdef"
			  "\n\t0x0010: 67ff 01                                g..\n");
}

static void buffers_are_cut_where_the_options_say_but_only_in_dots(void **state)
{
	static const struct flt_options cut = {.bytes_max = 8},
					encoded = {.bytes_max = 8, .bytes = FLT_BYTES_BASE64};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(9), BYTES("123456789", 9), I(99), I(100));
	assert_shows_with(w, &cut, "%evt.arg.data %evt.buffer", "12345... 12345...");
	assert_shows_with(w, &encoded, "%evt.arg.data", "MTIzNDU2Nzg5");
	EVENT(w, 3200, EV_READ_X, I(8), BYTES("12345678", 8), I(99), I(100));
	assert_shows_with(w, &cut, "%evt.arg.data", "12345678");
}

static void long_buffers_are_cut_as_fields_but_not_in_arguments(void **state)
{
	struct world *w = *state;
	char data[3000];
	struct buf out;

	memset(data, 'x', sizeof(data));
	EVENT(w, 3200, EV_READ_X, I(3000), BYTES(data, sizeof(data)), I(99), I(100));
	out = shown(w, NULL, "%evt.buffer", false);
	assert_int_equal(out.len, strlen("kept ") + 1021);
	buf_done(&out);
	out = shown(w, NULL, "%evt.arg.data", false);
	assert_int_equal(out.len, strlen("kept ") + 3000);
	buf_done(&out);
}

static void sockets_show_addresses_with_ports(void **state)
{
	struct bytes a = addr4("127.0.0.1", 8080), b = addr6("2001:db8::5", 443),
		     c = addr_unix("/run/x.sock");
	struct world *w = *state;

	EVENT(w, 3200, EV_SOCKET_X, I(4), I(2), I(1), I(6), I(0));
	assert_args(w, "fd=4(<4>) domain=2(AF_INET) type=1 proto=6 flags=0(O_NONE)");
	EVENT(w, 3200, EV_BIND_X, I(0), RAW(a), I(4));
	assert_args(w, "res=0 addr=127.0.0.1:8080 fd=4(<4t>127.0.0.1:8080)");
	EVENT(w, 3200, EV_BIND_X, I(0), RAW(b), I(77));
	assert_args(w, "res=0 addr=2001:db8::5:443 fd=77");
	EVENT(w, 3200, EV_BIND_X, I(0), RAW(c), I(77));
	assert_args(w, "res=0 addr=/run/x.sock fd=77");
	EVENT(w, 3200, EV_BIND_X, I(0), BYTES("\x10", 1), I(77));
	assert_args(w, "res=0 addr=family 16 fd=77");
}

static void connections_show_both_ends(void **state)
{
	struct bytes v4 = tuple4("127.0.0.1", 55555, "127.0.0.1", 8080),
		     v6 = tuple6("::1", 1234, "2001:db8::5", 443),
		     mapped = tuple6("::ffff:10.0.0.1", 1, "::", 2),
		     un = tuple_unix(0xffff888812345678, 0xffff8888deadbeef, "/run/x.sock");
	struct world *w = *state;

	EVENT(w, 3200, EV_ACCEPT_5_X, I(4), RAW(v4), I(0), I(0), I(128));
	assert_args(w, "fd=4(<4t>127.0.0.1:55555->127.0.0.1:8080) "
		       "tuple=127.0.0.1:55555->127.0.0.1:8080 queuepct=0 queuelen=0 queuemax=128");
	EVENT(w, 3200, EV_CONNECT_X, I(-2), RAW(v6), I(77));
	assert_shows(w, "%evt.arg.tuple", "::1:1234->2001:db8::5:443");
	EVENT(w, 3200, EV_CONNECT_X, I(-2), RAW(mapped), I(77));
	assert_shows(w, "%evt.arg.tuple", "10.0.0.1:1->0.0.0.0:2");
	EVENT(w, 3200, EV_CONNECT_X, I(-2), RAW(un), I(77));
	assert_shows(w, "%evt.arg.tuple", "ffff888812345678->ffff8888deadbeef /run/x.sock");
}

static void addresses_cut_short_show_their_family_only(void **state)
{
	static const struct {
		unsigned family;
		size_t addr, tuple; /* smallest sizes that are whole */
	} rows[] = {{1, 2, 17}, {2, 7, 13}, {10, 19, 37}};
	struct world *w = *state;
	uint8_t bytes[40] = {0};
	char expected[32];

	for (size_t r = 0; r < COUNT_OF(rows); r++)
		for (size_t n = 1; n < rows[r].tuple; n++) {
			bytes[0] = (uint8_t)rows[r].family;
			snprintf(expected, sizeof(expected), "family %u", rows[r].family);
			EVENT(w, 3200, EV_CONNECT_X, I(-2), BYTES(bytes, n), I(77));
			assert_shows(w, "%evt.arg.tuple", expected);
			EVENT(w, 3200, EV_BIND_X, I(-2), BYTES(bytes, n), I(77));
			if (n < rows[r].addr)
				assert_shows(w, "%evt.arg.addr", expected);
		}
}

static void failed_results_show_the_name_of_the_error(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_PIPE2_X, I(-24), I(-1), I(-1), I(0), I(1));
	assert_args(w, "res=-24(EMFILE) fd1=-1(EPERM) fd2=-1(EPERM) ino=0 flags=1(O_RDONLY)");
	EVENT(w, 3200, EV_TGKILL_X, I(-3), I(3200), I(99999), I(200));
	assert_args(w, "res=-3(ESRCH) pid=3200(bash) tid=99999 sig=200");
	EVENT(w, 3200, EV_CLOSE_X, I(-126), I(77));
	assert_args(w, "res=-126 fd=77");
	EVENT(w, 3200, EV_CLOSE_X, I(INT64_MIN), I(INT64_MIN));
	assert_args(w, "res=-9223372036854775808 fd=-9223372036854775808");
	EVENT(w, 3200, EV_KILL_X, I(0), I(3200), I(15));
	assert_args(w, "res=0 pid=3200(bash) sig=15(SIGTERM)");
}

static void numbers_follow_their_print_format(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_BRK_4_X, I(0x7FA69774E000), I(536), I(4), I(0), I(0));
	assert_args(w, "res=7FA69774E000 vm_size=536 vm_rss=4 vm_swap=0 addr=0");
	EVENT(w, 3200, EV_GETRLIMIT_X, I(0), I(8388608), I(-1), I(3));
	assert_args(w, "res=0 cur=8388608 max=-1 resource=3(RLIMIT_STACK)");
	assert_shows(w, "%evt.rawarg.max", "-1");
	EVENT(w, 3200, EV_CAPSET_X, I(0), I(0), I(3), I(0x1FFFFFFFFFF));
	assert_args(w, "res=0 cap_inheritable=0 cap_permitted=3 cap_effective=1FFFFFFFFFF");
}

static void times_show_seconds_beside_nanoseconds(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_NANOSLEEP_X, I(0), I(1234567890));
	assert_args(w, "res=0 interval=1234567890(1.23457s)");
	EVENT(w, 3200, EV_NANOSLEEP_X, I(0), I(-1));
	assert_args(w, "res=0 interval=none");
	EVENT(w, 3200, EV_NANOSLEEP_X, I(0), I(0));
	assert_args(w, "res=0 interval=0(0s)");
}

static void poll_lists_descriptors_with_kind_and_events(void **state)
{
	static const uint8_t fds[] = {2, 0,  3, 0, 0, 0, 0, 0, 0, 0, 0x41,
				      0, 99, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	struct world *w = *state;

	EVENT(w, 3200, EV_PPOLL_X, I(1), BYTES(fds, sizeof(fds)), I(1500000000), I(5));
	assert_args(w, "res=1 fds=3:f41 99:?1 timeout=1500000000(1.5s) sigmask=SIGHUP SIGQUIT");
	/* The count promises more than there is. */
	EVENT(w, 3200, EV_PPOLL_X, I(1), BYTES(fds, 15), I(-1), I(0));
	assert_args(w, "res=1 fds=3:f41 timeout=none sigmask=");
	EVENT(w, 3200, EV_PPOLL_X, I(0), BYTES("\0", 2), I(-1), I(0));
	assert_args(w, "res=0 fds= timeout=none sigmask=");
}

static void owners_show_their_names(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_SETRESGID_X, I(0), I(5), I(-1), I(6));
	assert_args(w, "res=0 rgid=5(games) egid=-1(<NONE>) sgid=6(<NA>)");
	EVENT(w, 3200, EV_SETUID_X, I(0), I(1000));
	assert_args(w, "res=0 uid=1000(ubuntu)");
}

static void the_first_byte_of_a_dynamic_parameter_chooses_its_type(void **state)
{
	static const char err[] = "\x01\x9e\xff\xff\xff\xff\xff\xff\xff",
			  time[] = "\x04\0\xf9\x02\x95\0\0\0\0", buffer[] = "\0ab\0c",
			  bad[] = "\x55xyz", cut[] = "\x02\x01";
	struct world *w = *state;

	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(77), I(1), I(4), BYTES(err, 9), I(4));
	assert_args(w, "res=0 fd=77 level=1(SOL_SOCKET) optname=4(SO_ERROR) val=-98(EADDRINUSE) "
		       "optlen=4");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(77), I(1), I(20), BYTES(time, 9), I(16));
	assert_shows(w, "%evt.arg.val", "2.5s");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(77), I(6), I(99), BYTES(buffer, 5), I(16));
	assert_args(w, "res=0 fd=77 level=6 optname=99 val=ab.c optlen=16");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(77), I(6), I(99), BYTES(bad, 4), I(16));
	assert_shows(w, "%evt.arg.val|%evt.rawarg.val",
		     "INVALID DYNAMIC PARAMETER|INVALID DYNAMIC PARAMETER");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(77), I(6), I(99), BYTES(cut, 2), I(16));
	assert_shows(w, "%evt.arg.val", "1");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(77), I(6), I(99), NONE, I(16));
	assert_shows(w, "%evt.arg.val", "NULL");
}

static void ptrace_shows_signals_and_requests(void **state)
{
	static const char addr[] = "\0\xef\xbe\xad\xde\0\0\0\0", data[] = "\x01\x0f";
	struct world *w = *state;

	EVENT(w, 3200, EV_PTRACE_X, I(0), BYTES(addr, 9), BYTES(data, 2), I(3), I(3200));
	assert_args(
	    w, "res=0 addr=DEADBEEF data=15(SIGTERM) request=3(PTRACE_PEEKDATA) pid=3200(bash)");
	assert_shows(w, "%evt.buffer", "SIGTERM");
}

static void flags_are_taken_in_table_order(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_MMAP_X, I(-12), I(100), I(200), I(0), I(0), I(4096), I(3), I(34), I(-1),
	      I(0));
	assert_args(w, "res=-12(ENOMEM) vm_size=100 vm_rss=200 vm_swap=0 addr=0 length=4096 "
		       "prot=3(PROT_READ|PROT_WRITE) flags=34(MAP_PRIVATE|MAP_RENAME) fd=-1(EPERM) "
		       "offset=0");
	/* Both names of one value; a value without name. */
	EVENT(w, 3200, EV_SOCKET_X, I(-1), I(1), I(1), I(0), I(0));
	assert_shows(w, "%evt.arg.domain", "AF_LOCAL|AF_UNIX");
	EVENT(w, 3200, EV_SOCKET_X, I(-1), I(200), I(1), I(0), I(0));
	assert_shows(w, "%evt.arg.domain", "200");
	/* Zero has a name of its own. */
	EVENT(w, 3200, EV_ACCESS_X, I(-2), S("/x"), I(0));
	assert_shows(w, "%evt.arg.mode", "F_OK");
}

static void modes_list_permissions(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_CHMOD_X, I(0), S("/x"), I(04755));
	assert_shows(w, "%evt.arg.mode|%evt.rawarg.mode",
		     "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID|4755");
	EVENT(w, 3200, EV_CHMOD_X, I(0), S("/x"), I(0777));
	assert_shows(w, "%evt.args",
		     "res=0 filename=/x mode=0777(S_IXOTH|S_IWOTH|S_IROTH|S_IXGRP|S_IWGRP|S_IRGRP|"
		     "S_IXUSR|S_IWUSR|S_IRUSR)");
}

static void relative_paths_start_from_their_directory(void **state)
{
	struct world *w = *state;

	world_file(w, 3200, 6, "/tmp/dir");
	world_file(w, 3200, 7, "/");
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(6), S("foo"), I(0));
	assert_shows(w, "%evt.arg.name", "/tmp/dir/foo");
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(7), S("foo"), I(0));
	assert_shows(w, "%evt.arg.name", "/foo");
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(99), S("./foo"), I(0));
	assert_shows(w, "%evt.arg.name", "foo");
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(EV_FD_CWD), S("/a/../b"), I(0));
	assert_shows(w, "%evt.arg.name", "/a/../b");
	EVENT(w, 3200, EV_UNLINK_2_X, I(0), S(""));
	assert_shows(w, "%evt.arg.path", "");
}

static void generic_events_have_no_arguments_but_a_name(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_GENERIC_X, I(1), I(219));
	assert_shows(w, "*[%evt.args] %evt.type %evt.arg[0] %evt.arg[1] %evt.res %evt.failed",
		     "[] restart_syscall restart_syscall 219 <NA> <NA>");
	/* The name of a number that the table does not have comes from the native one. */
	EVENT(w, 3200, EV_GENERIC_X, I(0), I(219));
	assert_shows(w, "%evt.type", "restart_syscall");
	EVENT(w, 3200, EV_GENERIC_X, I(60000), I(60000));
	assert_shows(w, "%evt.type", "unknown");
}

static void names_of_errors_and_signals_end_where_linux_does(void **state)
{
	(void)state;
	assert_string_equal(flt_errno_name(11), "EAGAIN");
	assert_string_equal(flt_errno_name(95), "EOPNOTSUPP");
	assert_string_equal(flt_errno_name(125), "ECANCELED");
	assert_string_equal(flt_errno_name(512), "ERESTARTSYS");
	assert_string_equal(flt_errno_name(530), "EIOCBRETRY");
	assert_null(flt_errno_name(0));
	assert_null(flt_errno_name(41));
	assert_null(flt_errno_name(126));
	assert_null(flt_errno_name(531));
	assert_null(flt_errno_name(-1));
	assert_string_equal(flt_signal_name(1), "SIGHUP");
	assert_string_equal(flt_signal_name(31), "SIGSYS");
	assert_null(flt_signal_name(0));
	assert_null(flt_signal_name(32));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_open_shows_names_flags_and_full_path),
	    TEST(what_was_not_recorded_shows_as_na_or_null),
	    TEST(bytes_that_cannot_be_printed_are_dots_or_base64),
	    TEST(conditions_do_not_see_how_bytes_are_shown),
	    TEST(bytes_can_be_shown_as_lines),
	    TEST(bytes_can_be_shown_in_hexadecimal),
	    TEST(buffers_are_cut_where_the_options_say_but_only_in_dots),
	    TEST(long_buffers_are_cut_as_fields_but_not_in_arguments),
	    TEST(sockets_show_addresses_with_ports),
	    TEST(connections_show_both_ends),
	    TEST(addresses_cut_short_show_their_family_only),
	    TEST(failed_results_show_the_name_of_the_error),
	    TEST(numbers_follow_their_print_format),
	    TEST(times_show_seconds_beside_nanoseconds),
	    TEST(poll_lists_descriptors_with_kind_and_events),
	    TEST(owners_show_their_names),
	    TEST(the_first_byte_of_a_dynamic_parameter_chooses_its_type),
	    TEST(ptrace_shows_signals_and_requests),
	    TEST(flags_are_taken_in_table_order),
	    TEST(modes_list_permissions),
	    TEST(relative_paths_start_from_their_directory),
	    TEST(generic_events_have_no_arguments_but_a_name),
	    cmocka_unit_test(names_of_errors_and_signals_end_where_linux_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
