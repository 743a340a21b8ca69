/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every parameter type in every print format that events use, as evt.args, evt.arg, evt.rawarg and
 * JSON show it: whole, empty and of wrong width. The expectations were worked out by hand.
 */
#include <stdio.h>

#include "engine/filter/tests/show.h"

#define SAME                                                                                       \
	NULL /* the raw text is the value's; JSON is the raw text: quoted or not by its type       \
	      */

struct row { /* one parameter, alone in its event */
	unsigned type, i;
	struct arg arg;
	const char *value, *resolved;
	const char *raw, *json;
};

#define B(literal) BYTES((literal), sizeof(literal) - 1)

#define V4	 "\x02\x7f\0\0\x01\x90\x1f"
#define V6	 "\x0a\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05\xbb\x01"
#define ONE	 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define V4IN6(d) "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0" d "\x01\0"

/* clang-format off */
static const struct row rows[] = {
	{EV_SEMOP_X, 3, I(-5), "-5", "", SAME, "-5"},
	{EV_SEMOP_X, 3, I(32767), "32767", "", SAME, "32767"},
	{EV_LISTEN_X, 2, I(-1), "-1", "", SAME, "-1"},
	{EV_LISTEN_X, 2, I(INT32_MIN), "-2147483648", "", SAME, "-2147483648"},
	{EV_SEMGET_X, 1, I(-1), "FFFFFFFF", "", SAME, "\"FFFFFFFF\""},
	{EV_SEMGET_X, 1, I(0xabc), "ABC", "", SAME, "\"ABC\""},
	{EV_SEMGET_X, 1, I(0), "0", "", SAME, "\"0\""},
	{EV_POLL_X, 2, I(-1), "-1", "", SAME, "-1"},
	{EV_POLL_X, 2, I(INT64_MAX), "9223372036854775807", "", SAME, "9223372036854775807"},
	{EV_TIMERFD_CREATE_X, 1, I(255), "255", "", SAME, "255"},
	{EV_SIGNALFD_X, 3, I(0xab), "AB", "", SAME, "\"AB\""},
	{EV_SEMOP_X, 2, I(65535), "65535", "", SAME, "65535"},
	/* Wide unsigned numbers are shown signed, but not as raw values. */
	{EV_READ_X, 3, I(100), "100", "", SAME, "100"},
	{EV_READ_X, 3, I(-1), "-1", "", "4294967295", "4294967295"},
	{EV_READ_X, 3, I(2147483648), "-2147483648", "", "2147483648", "2147483648"},
	{EV_OPEN_X, 4, I(0xfd01), "FD01", "", SAME, "\"FD01\""},
	{EV_OPEN_X, 4, I(-1), "FFFFFFFF", "", SAME, "\"FFFFFFFF\""},
	{EV_OPEN_X, 3, I(0644), "0644", "", "644", "\"644\""},
	{EV_OPEN_X, 3, I(0), "0", "", "0", "\"0\""},
	{EV_OPEN_X, 3, I(-1), "037777777777", "", "37777777777", "\"37777777777\""},
	{EV_OPEN_X, 5, I(123), "123", "", SAME, "123"},
	{EV_OPEN_X, 5, I(-1), "-1", "", "18446744073709551615", "18446744073709551615"},
	{EV_SOCKETPAIR_X, 3, I(0xffff888812345678), "FFFF888812345678", "", SAME, "\"FFFF888812345678\""},
	{EV_ITER_TASK_FILE_SOCKET_UNIX_E, 3, I(5), "5", "", SAME, "5"},
	/* Errors have names; -126 to -133 have none. */
	{EV_CLOSE_X, 0, I(0), "0", "", SAME, "0"},
	{EV_CLOSE_X, 0, I(4096), "4096", "", SAME, "4096"},
	{EV_CLOSE_X, 0, I(-2), "-2", "ENOENT", "-2", "-2"},
	{EV_CLOSE_X, 0, I(-512), "-512", "ERESTARTSYS", "-512", "-512"},
	{EV_CLOSE_X, 0, I(-41), "-41", "", SAME, "-41"},
	{EV_CLOSE_X, 0, I(-126), "-126", "", SAME, "-126"},
	{EV_CLOSE_X, 0, I(INT64_MIN), "-9223372036854775808", "", SAME, "-9223372036854775808"},
	{EV_MMAP_X, 0, I(-12), "-12", "ENOMEM", "FFFFFFFFFFFFFFF4", "\"FFFFFFFFFFFFFFF4\""},
	{EV_MMAP_X, 0, I(140000000), "140000000", "", "8583B00", "\"8583B00\""},
	{EV_CLOSE_X, 1, I(3), "3", "<f>/etc/ld.so.cache", "3", "3"},
	{EV_CLOSE_X, 1, I(-100), "-100", "AT_FDCWD", "-100", "-100"},
	{EV_CLOSE_X, 1, I(-9), "-9", "EBADF", "-9", "-9"},
	{EV_CLOSE_X, 1, I(77), "77", "", SAME, "77"},
	{EV_CLOSE_X, 1, I(-99999), "-99999", "", SAME, "-99999"},
	{EV_FSTAT_X, 1, I(3), "3", "<f>/etc/ld.so.cache", "3", "\"3\""},
	{EV_ITER_TASK_FILE_PIPE_E, 0, I(3), "3", "<f>/etc/ld.so.cache", "3", "3"},
	{EV_ITER_TASK_FILE_PIPE_E, 0, I(-100), "-100", "AT_FDCWD", "-100", "-100"},
	{EV_KILL_X, 1, I(3200), "3200", "bash", "3200", "3200"},
	{EV_KILL_X, 1, I(99999), "99999", "", SAME, "99999"},
	{EV_KILL_X, 1, I(-1), "-1", "", SAME, "-1"},
	{EV_EXECVE_19_X, 28, I(3199), "3199", "sshd", "3199", "\"3199\""},
	{EV_ITER_TASK_E, 0, I(3199), "3199", "sshd", "3199", "3199"},
	{EV_GETCWD_X, 1, S("/x"), "/x", "", SAME, "\"/x\""},
	{EV_GETCWD_X, 1, S("rel"), "rel", "", SAME, "\"rel\""},
	{EV_GETCWD_X, 1, S(""), "", "", SAME, "\"\""},
	{EV_GETCWD_X, 1, S("(NULL)"), "<NA>", "", SAME, "\"<NA>\""},
	{EV_GETCWD_X, 1, B("a\x01\t\"\\b\0tail"), "a\x01\t\"\\b", "", SAME, "\"a\\u0001\\t\\\"\\\\b\""},
	{EV_GETCWD_X, 1, B("no end"), "no end", "", SAME, "\"no end\""},
	{EV_NOTIFICATION_E, 0, S("id"), "id", "", SAME, "\"id\""},
	{EV_READ_X, 1, B("a\0\x1f~\x80 \x7f"), "a..~. .", "", SAME, "\"a..~. .\""},
	{EV_READ_X, 1, B("\0"), ".", "", SAME, "\".\""},
	{EV_STAT_X, 1, S("/a/../b"), "/a/../b", "", SAME, "\"/a/../b\""},
	{EV_STAT_X, 1, S("x/../y"), "x/../y", "/home/ubuntu/y", "x/../y", "\"x/../y\""},
	{EV_STAT_X, 1, S("../../../z"), "../../../z", "/z", "../../../z", "\"../../../z\""},
	{EV_STAT_X, 1, S(""), "", "", SAME, "\"\""},
	{EV_STAT_X, 1, S("(NULL)"), "<NA>", "", SAME, "\"<NA>\""},
	{EV_STAT_X, 1, S("<NA>"), "<NA>", "", SAME, "\"<NA>\""},
	/* The directory was not recorded. */
	{EV_RENAMEAT_X, 2, S("x/../y"), "x/../y", "y", "x/../y", "\"x/../y\""},
	{EV_RENAMEAT_X, 2, S("/y"), "/y", "", SAME, "\"/y\""},
	{EV_BIND_X, 1, B(V4), "127.0.0.1:8080", "", SAME, "\"127.0.0.1:8080\""},
	{EV_BIND_X, 1, B(V6), "2001:db8::5:443", "", SAME, "\"2001:db8::5:443\""},
	{EV_BIND_X, 1, B("\x01/run/x\0"), "/run/x", "", SAME, "\"/run/x\""},
	{EV_BIND_X, 1, B("\x01\0"), "", "", SAME, "\"\""},
	{EV_BIND_X, 1, B("\x10"), "family 16", "", SAME, "\"family 16\""},
	{EV_BIND_X, 1, B("\0abc"), "family 0", "", SAME, "\"family 0\""},
	{EV_CONNECT_X, 1, B("\x02\x0a\0\0\x01\x01\0\x0a\0\0\x02\xff\xff"), "10.0.0.1:1->10.0.0.2:65535", "", SAME,
	 "\"10.0.0.1:1->10.0.0.2:65535\""},
	{EV_CONNECT_X, 1, B("\x0a" ONE "\xd2\x04" ONE "\0\0"), "::1:1234->::1:0", "", SAME, "\"::1:1234->::1:0\""},
	{EV_CONNECT_X, 1, B("\x0a" V4IN6("\x01") V4IN6("\x02")), "10.0.0.1:1->10.0.0.2:1", "", SAME,
	 "\"10.0.0.1:1->10.0.0.2:1\""},
	{EV_CONNECT_X, 1, B("\x0a" V4IN6("\x01") ONE "\x02\0"), "::ffff:10.0.0.1:1->::1:2", "", SAME,
	 "\"::ffff:10.0.0.1:1->::1:2\""},
	{EV_CONNECT_X, 1, B("\x01\x0a\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0/x\0"), "a->b /x", "", SAME, "\"a->b /x\""},
	{EV_CONNECT_X, 1, B("\x11"), "family 17", "", SAME, "\"family 17\""},
	{EV_POLL_X, 1, B("\x02\0\x03\0\0\0\0\0\0\0\x41\0\x63\0\0\0\0\0\0\0\x01\0"), "3:f41 99:?1", "", SAME,
	 "\"3:f41 99:?1\""},
	{EV_POLL_X, 1, B("\0\0"), "", "", SAME, "\"\""},
	{EV_POLL_X, 1, B("\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x80"), "-1:?8000", "", SAME, "\"-1:?8000\""},
	{EV_KILL_X, 2, I(9), "9", "SIGKILL", "9", "9"},
	{EV_KILL_X, 2, I(0), "0", "", SAME, "0"},
	{EV_KILL_X, 2, I(32), "32", "", SAME, "32"},
	{EV_KILL_X, 2, I(255), "255", "", SAME, "255"},
	{EV_PPOLL_X, 3, I(0x40004001), "SIGHUP SIGTERM SIGSYS", "", "1073758209", "1073758209"},
	{EV_PPOLL_X, 3, I(0), "", "", "0", "0"},
	{EV_PPOLL_X, 3, I(0x80000000), "", "", "2147483648", "2147483648"},
	{EV_NANOSLEEP_X, 1, I(1234567890), "1234567890", "1.23457s", "1234567890", "1234567890"},
	{EV_NANOSLEEP_X, 1, I(0), "0", "0s", "0", "0"},
	{EV_NANOSLEEP_X, 1, I(1), "1", "1e-09s", "1", "1"},
	{EV_NANOSLEEP_X, 1, I(-1), "none", "", "18446744073709551615", "18446744073709551615"},
	{EV_EXECVE_19_X, 24, I(1700000000123456789), "2023-11-14 22:13:20.123456789", "", "1700000000123456789",
	 "1700000000123456789"},
	{EV_EXECVE_19_X, 24, I(0), "1970-01-01 00:00:00.000000000", "", "0", "0"},
	{EV_SETRESUID_X, 1, I(1000), "1000", "ubuntu", "1000", "1000"},
	{EV_SETRESUID_X, 1, I(7), "7", "<NA>", "7", "7"},
	{EV_SETRESUID_X, 1, I(0), "0", "root", "0", "0"},
	{EV_SETRESUID_X, 1, I(-1), "-1", "<NONE>", "4294967295", "4294967295"},
	{EV_SETRESGID_X, 1, I(5), "5", "games", "5", "5"},
	{EV_SETRESGID_X, 1, I(6), "6", "<NA>", "6", "6"},
	{EV_SETRESGID_X, 1, I(0), "0", "root", "0", "0"},
	{EV_SETRESGID_X, 1, I(-1), "-1", "<NONE>", "4294967295", "4294967295"},
	{EV_FCHMODAT_X, 3, I(04755), "04755", "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID", "4755",
	 "\"4755\""},
	{EV_FCHMODAT_X, 3, I(0400), "0400", "S_IRUSR", "400", "\"400\""},
	{EV_FCHMODAT_X, 3, I(0), "0", "", "0", "\"0\""},
	{EV_FCHMODAT_X, 3, I(010000), "010000", "", "10000", "\"10000\""},
	/* Sets of bits. 3 is O_RDWR, which stands before its halves. */
	{EV_OPEN_X, 2, I(0x1003), "4099", "O_RDWR|O_CLOEXEC", "1003", "\"1003\""},
	{EV_OPEN_X, 2, I(0x1002), "4098", "O_WRONLY|O_CLOEXEC", "1002", "\"1002\""},
	{EV_OPEN_X, 2, I(0), "0", "O_NONE", "0", "\"0\""},
	{EV_OPEN_X, 2, I(0x80000001), "2147483649", "O_RDONLY", "80000001", "\"80000001\""},
	{EV_OPEN_X, 2, I(0x80000000), "2147483648", "", "80000000", "\"80000000\""},
	{EV_CREAT_X, 5, I(3), "3", "FD_UPPER_LAYER_CREAT|FD_LOWER_LAYER_CREAT", "3", "\"3\""},
	{EV_CREAT_X, 5, I(0xfff0), "65520", "", "FFF0", "\"FFF0\""},
	{EV_QUOTACTL_X, 12, I(3), "3", "DQF_NONE|V1_DQF_RSQUASH", "3", "3"},
	{EV_QUOTACTL_X, 14, I(0x180), "384", "Q_SYNC|Q_XQUOTAON", "384", "384"},
	/* Single values out of a set, some with two names. */
	{EV_SOCKET_X, 1, I(2), "2", "AF_INET", "2", "2"},
	{EV_SOCKET_X, 1, I(16), "16", "AF_ROUTE|AF_NETLINK", "16", "16"},
	{EV_SOCKET_X, 1, I(200), "200", "", SAME, "200"},
	{EV_PTRACE_X, 3, I(3), "3", "PTRACE_PEEKDATA", "3", "3"},
	{EV_PTRACE_X, 3, I(0xffff), "65535", "", SAME, "65535"},
	{EV_SETSOCKOPT_X, 2, I(1), "1", "SOL_SOCKET", "1", "1"},
	{EV_SETSOCKOPT_X, 2, I(6), "6", "", SAME, "6"},
	{EV_SHUTDOWN_X, 2, I(0), "0", "SHUT_RD", "0", "\"0\""},
	{EV_SHUTDOWN_X, 2, I(0xab), "171", "", "AB", "\"AB\""},
	/* The first byte of a dynamic one chooses what it is. */
	{EV_SETSOCKOPT_X, 4, B("\0ab\0c"), "ab.c", "", SAME, "\"ab.c\""},
	{EV_SETSOCKOPT_X, 4, B("\x01\x9e\xff\xff\xff\xff\xff\xff\xff"), "-98", "EADDRINUSE", "EADDRINUSE", "\"EADDRINUSE\""},
	{EV_SETSOCKOPT_X, 4, B("\x02\xff\xff\xff\xff"), "-1", "", SAME, "\"-1\""},
	{EV_SETSOCKOPT_X, 4, B("\x03\x05\0\0\0\0\0\0\0"), "5", "", SAME, "\"5\""},
	{EV_SETSOCKOPT_X, 4, B("\x04\0\xf9\x02\x95\0\0\0\0"), "2500000000", "2.5s", "2.5s", "\"2.5s\""},
	{EV_SETSOCKOPT_X, 4, B("\x05?"), "INVALID DYNAMIC PARAMETER", "", SAME, "\"INVALID DYNAMIC PARAMETER\""},
	{EV_SETSOCKOPT_X, 4, B("\xff"), "INVALID DYNAMIC PARAMETER", "", SAME, "\"INVALID DYNAMIC PARAMETER\""},
	{EV_PTRACE_X, 1, B("\0\xef\xbe\xad\xde\0\0\0\0"), "DEADBEEF", "", SAME, "\"DEADBEEF\""},
	{EV_PTRACE_X, 1, B("\x01\x0f"), "15", "SIGTERM", "SIGTERM", "\"SIGTERM\""},
	{EV_PTRACE_X, 1, B("\x02\x0f"), "INVALID DYNAMIC PARAMETER", "", SAME, "\"INVALID DYNAMIC PARAMETER\""},
	{EV_KEYCTL_X, 2, B("\0\xfe\xff\xff\xff\xff\xff\xff\xff"), "-2", "", SAME, "\"-2\""},
	{EV_KEYCTL_X, 3, B("\x01key\0"), "key", "", SAME, "\"key\""},
	{EV_BPF_X, 0, B("\0\x03\0\0\0\0\0\0\0"), "3", "<f>/etc/ld.so.cache", "<f>/etc/ld.so.cache",
	 "\"<f>/etc/ld.so.cache\""},
	{EV_BPF_X, 0, B("\x01\xff\xff\xff\xff\xff\xff\xff\xff"), "-1", "EPERM", "EPERM", "\"EPERM\""},
	/* Only events of iterators, which no capture holds, have these; and those of a dead tracer the last. */
	{EV_ITER_TASK_FILE_SOCKET_INET_E, 3, B("\x0a\0\0\x01"), "(n.a.)", "", "10.0.0.1", "\"10.0.0.1\""},
	{EV_ITER_TASK_FILE_SOCKET_INET_E, 4, I(8080), "(n.a.)", "", "1F90", "\"1F90\""},
	{EV_ITER_TASK_FILE_SOCKET_INET6_E, 3, B(ONE), "(n.a.)", "", "::1", "\"::1\""},
	{EV_ITER_TASK_E, 5, B("a\0b\0"), "a.b.", "", SAME, "\"a.b.\""},
	{EV_TRACER_E, 2, I(0x1234), "(n.a.)", "", SAME, "\"(n.a.)\""},
	/* A generic event shows no arguments but has them. */
	{EV_GENERIC_X, 0, I(1), "1", "restart_syscall", "1", "1"},
	{EV_GENERIC_X, 0, I(65535), "65535", "unknown", "65535", "65535"},
	{EV_GENERIC_X, 1, I(65535), "65535", "", SAME, "65535"},
};
/* clang-format on */

/* An event that has nothing but that parameter; a system call fails, so that it changes nothing. */
static void feed_alone(struct world *w, unsigned type, unsigned i, struct arg a)
{
	struct arg args[EV_PARAMS_MAX] = {{.kind = ARG_EMPTY}};

	if (ev_type_is_exit(type))
		args[0] = (struct arg)I(-1);
	args[i] = a;
	world_event(w, 3200, type, args, i + 1);
}

static const char *shown_as(struct buf *text, const char *value, const char *resolved)
{
	buf_reset(text);
	buf_str(text, value);
	if (resolved[0])
		buf_addf(text, "(%s)", resolved);
	return buf_cstr(text);
}

/* Is @text one of the "name=value" of @args? */
static bool is_argument(const char *args, const char *name, const char *text)
{
	struct buf whole = {0};
	const char *at = args;
	size_t n;
	bool found = false;

	buf_addf(&whole, "%s=%s", name, text);
	n = whole.len;
	for (; !found && (at = strstr(at, buf_cstr(&whole))); at++)
		found = (at == args || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0');
	buf_done(&whole);
	return found;
}

static void check_args(struct world *w, const struct row *r, const char *name)
{
	struct buf text = {0}, args = shown(w, NULL, "*%evt.args", false);
	const char *want = shown_as(&text, r->value, r->resolved);

	if (r->type != EV_GENERIC_X && !is_argument(args.p + strlen("kept "), name, want))
		fail_msg("%s: no '%s=%s' in '%s'", ev_table[r->type].enum_name, name, want, args.p);
	buf_done(&args);
	args = shown(w, NULL, "*%evt.info", false);
	if (r->type != EV_GENERIC_X)
		assert_true(is_argument(args.p + strlen("kept "), name, want));
	buf_done(&args);
	buf_done(&text);
}

static void check_one(struct world *w, const char *format, bool json, const char *want,
		      const struct row *r)
{
	struct buf out = shown(w, NULL, format, json);

	if (strcmp(out.p + strlen("kept "), want) != 0)
		fail_msg("%s of row %zu (%s): '%s' instead of '%s'", format, (size_t)(r - rows),
			 ev_table[r->type].enum_name, out.p + strlen("kept "), want);
	buf_done(&out);
}

static void check_row(struct world *w, const struct row *r)
{
	const char *name = ev_table[r->type].params[r->i].name;
	const char *arg = r->resolved[0] ? r->resolved : r->value;
	char format[64], want[256];

	feed_alone(w, r->type, r->i, r->arg);
	check_args(w, r, name);
	snprintf(format, sizeof(format), "%%evt.arg[%u]", r->i);
	check_one(w, format, false, arg, r);
	assert_int_equal(ev_param_index(r->type, name), r->i);
	snprintf(format, sizeof(format), "%%evt.arg.%s", name);
	check_one(w, format, false, arg, r);
	snprintf(format, sizeof(format), "%%evt.rawarg.%s", name);
	check_one(w, format, false, r->raw ? r->raw : r->value, r);
	snprintf(want, sizeof(want), "\"evt.rawarg.%s\":%s", name, r->json);
	check_one(w, format, true, want, r);
}

static void parameters_of_all_types_show_as_worked_out_by_hand(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_row(*state, &rows[i]);
}

static void each_type_and_format_of_the_event_table_is_among_them(void **state)
{
	(void)state;
	for (unsigned t = 0; t < EV_TYPE_COUNT; t++)
		for (unsigned i = 0; i < ev_table[t].nparams; i++) {
			const struct ev_param_info *p = &ev_table[t].params[i];
			bool found = false;

			for (size_t k = 0; k < COUNT_OF(rows) && !found; k++) {
				const struct ev_param_info *q =
				    &ev_table[rows[k].type].params[rows[k].i];

				found = q->type == p->type && q->format == p->format;
			}
			if (!found)
				fail_msg("parameter %s of %s has type %u and format %u", p->name,
					 ev_table[t].enum_name, p->type, p->format);
		}
}

/* --- what is not as it should be --- */

static bool shows_null(unsigned type)
{
	return type == PT_BYTEBUF || type == PT_SOCKTUPLE || type == PT_FDLIST || type == PT_DYN ||
	       type == PT_CHARBUFARRAY || type == PT_CHARBUF_PAIR_ARRAY;
}

static const char *empty_raw(unsigned type)
{
	switch (type) {
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_FSRELPATH:
	case PT_SOCKADDR:
		return "<NA>";
	case PT_BYTEBUF:
	case PT_IPV4ADDR:
	case PT_IPV6ADDR:
		return "";
	default:
		return shows_null(type) ? "NULL" : "0";
	}
}

static void empty_parameters_are_na_or_null_and_zero_as_raw_numbers(void **state)
{
	char format[96], want[64];
	struct world *w = *state;

	for (size_t k = 0; k < COUNT_OF(rows); k++) {
		const struct row *r = &rows[k];
		const struct ev_param_info *p = &ev_table[r->type].params[r->i];

		feed_alone(w, r->type, r->i, (struct arg){.kind = ARG_EMPTY});
		snprintf(format, sizeof(format), "%%evt.arg.%s %%evt.rawarg.%s", p->name, p->name);
		snprintf(want, sizeof(want), "%s %s", shows_null(p->type) ? "NULL" : "<NA>",
			 empty_raw(p->type));
		check_one(w, format, false, want, r);
	}
}

static void parameters_that_were_not_recorded_are_absent(void **state)
{
	struct arg args[] = {I(0)};
	struct ev ev;
	struct world *w = *state;

	world_event(w, 3200, EV_CLOSE_X, args, 1);
	ev = *w->bind.ev;
	ev.nparams = 1;
	w->bind.ev = &ev;
	assert_shows(w, "*%evt.args %evt.arg.fd %evt.arg[1] %evt.rawarg.fd %evt.arg[0]",
		     "res=0 <NA> <NA> <NA> 0");
	assert_json(w, "*%evt.arg.fd%evt.rawarg.fd", "\"evt.arg.fd\":null,\"evt.rawarg.fd\":null");
}

/* Short numbers are read as far as they go, of long ones the first bytes count. */
static void numbers_of_wrong_width_are_read_as_far_as_they_go(void **state)
{
	static const struct {
		unsigned type, i;
		struct arg arg;
		const char *shown; /* evt.arg, evt.rawarg */
	} cases[] = {
	    {EV_READ_X, 3, B("\x01"), "1 1"},
	    {EV_READ_X, 3, B("\x01\x02\x83"), "-8191487 8585729"},
	    {EV_READ_X, 3, B("\x01\x02\x03\x04\x05"), "67305985 67305985"},
	    {EV_LISTEN_X, 2, B("\xff"), "-1 -1"},
	    {EV_LISTEN_X, 2, B("\xfe\xff"), "-2 -2"},
	    {EV_OPEN_X, 4, B("\xab\xcd"), "CDAB CDAB"},
	    {EV_OPEN_X, 3, B("\xff\x01"), "0777 777"},
	    {EV_CLOSE_X, 0, B("\xfe\xff"), "ENOENT -2"},
	    {EV_CLOSE_X, 1, B("\x03"), "<f>/etc/ld.so.cache 3"},
	    {EV_SETRESUID_X, 1, B("\xe8\x03"), "ubuntu 1000"},
	    {EV_OPEN_X, 2, B("\x01"), "O_RDONLY 1"},
	    {EV_SOCKET_X, 1, B("\x02"), "AF_INET 2"},
	    {EV_FCHMODAT_X, 3, B("\x01"), "S_IXOTH 1"},
	    {EV_KILL_X, 2, B("\x09\x01\x01"), "SIGKILL 9"},
	    {EV_NANOSLEEP_X, 1, B("\xff\xff\xff\xff"), "4.29497s 4294967295"},
	    {EV_PPOLL_X, 3, B("\x01"), "SIGHUP 1"},
	    {EV_GENERIC_X, 0, B("\x01"), "restart_syscall 1"},
	    {EV_EXECVE_19_X, 24, B("\x01"), "1970-01-01 00:00:00.000000001 1"},
	    {EV_SETSOCKOPT_X, 4, B("\x02\x01"), "1 1"},
	    {EV_SETSOCKOPT_X, 4, B("\x02"), "<NA> <NA>"},
	    {EV_SETSOCKOPT_X, 4, B("\0"), "NULL NULL"},
	    {EV_POLL_X, 1, B("\x02"), " "},
	    {EV_POLL_X, 1, B("\x02\0\x03\0\0\0\0\0\0\0\x41\0\x63"), "3:f41 3:f41"},
	    {EV_ITER_TASK_FILE_SOCKET_INET_E, 3, B("\x0a\0"), "(n.a.) <NA>"},
	};
	struct world *w = *state;
	char format[96];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *name = ev_table[cases[i].type].params[cases[i].i].name;

		feed_alone(w, cases[i].type, cases[i].i, cases[i].arg);
		snprintf(format, sizeof(format), "*%%evt.arg.%s %%evt.rawarg.%s", name, name);
		show_check(w, NULL, format, false, cases[i].shown, cases[i].shown, (int)i);
	}
}

static void times_of_day_follow_the_zone_asked_for(void **state)
{
	static const struct flt_options east = {.tz_offset_s = 3 * 3600},
					west = {.tz_offset_s = -9 * 1800};
	struct world *w = *state;

	feed_alone(w, EV_EXECVE_19_X, 24, (struct arg)I(1700000000123456789));
	assert_shows_with(w, &east, "%evt.arg.exe_ino_ctime", "2023-11-15 01:13:20.123456789");
	assert_shows_with(w, &west, "%evt.arg.exe_ino_ctime", "2023-11-14 17:43:20.123456789");
}

/* --- relative paths in all their places --- */

static void each_relative_path_has_its_own_directory(void **state)
{
	struct world *w = *state;

	world_file(w, 3200, 6, "/tmp/dir");
	world_file(w, 3200, 7, "/");
	world_file(w, 3200, 8, "");
	EVENT(w, 3200, EV_RENAMEAT2_X, I(-2), I(6), S("a"), I(EV_FD_CWD), S("b/../c"), I(0));
	assert_args(w, "res=-2(ENOENT) olddirfd=6(<f>/tmp/dir) oldpath=a(/tmp/dir/a) "
		       "newdirfd=-100(AT_FDCWD) newpath=b/../c(/home/ubuntu/c) flags=0");
	EVENT(w, 3200, EV_LINKAT_2_X, I(-2), I(7), S("a"), I(99), S("./b"), I(0));
	assert_args(w, "res=-2(ENOENT) olddir=7(<f>/) oldpath=a(/a) newdir=99 newpath=./b(b) "
		       "flags=0");
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(-2), I(8), S("a"), I(0));
	assert_shows(w, "%evt.arg.name", "a");
	EVENT(w, 3200, EV_SYMLINKAT_X, I(-2), S("target"), I(6), S("l"));
	assert_args(w, "res=-2(ENOENT) target=target linkdirfd=6(<f>/tmp/dir) "
		       "linkpath=l(/tmp/dir/l)");
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(EV_FD_CWD), S("/a/../b"), I(0));
	assert_shows(w, "%evt.arg.name", "/a/../b");
	EVENT(w, 3200, EV_UNLINK_2_X, I(0), S(""));
	assert_shows(w, "%evt.arg.path", "");
	/* A thread nobody knows runs in an unknown directory. */
	EVENT(w, 4711, EV_STAT_X, I(-2), S("a/../b"));
	assert_shows(w, "%evt.args", "res=-2(ENOENT) path=a/../b(./b)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHOW_TEST(parameters_of_all_types_show_as_worked_out_by_hand),
	    cmocka_unit_test(each_type_and_format_of_the_event_table_is_among_them),
	    SHOW_TEST(empty_parameters_are_na_or_null_and_zero_as_raw_numbers),
	    SHOW_TEST(parameters_that_were_not_recorded_are_absent),
	    SHOW_TEST(numbers_of_wrong_width_are_read_as_far_as_they_go),
	    SHOW_TEST(times_of_day_follow_the_zone_asked_for),
	    SHOW_TEST(each_relative_path_has_its_own_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
