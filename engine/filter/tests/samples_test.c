/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of calls that the reference was asked about, on a machine like the one it saw. */
#include "engine/filter/tests/show.h"

#define TCP  "<4t>127.0.0.1:55555->127.0.0.1:8080"
#define TCP6 "<6t>::1:1234->2001:db8::5:443"
#define UN   "ffff888812345678->ffff8888deadbeef /run/x.sock"

static void accept_4(struct world *w)
{
	struct bytes t = tuple4("127.0.0.1", 55555, "127.0.0.1", 8080);

	EVENT(w, 3200, EV_ACCEPT_5_X, I(4), RAW(t), I(0), I(0), I(128));
}

static void connect_6(struct world *w)
{
	struct bytes t = tuple6("::1", 1234, "2001:db8::5", 443), a = addr6("2001:db8::5", 443);

	EVENT(w, 3200, EV_SOCKET_X, I(6), I(10), I(1), I(6), I(0));
	EVENT(w, 3200, EV_CONNECT_X, I(-115), RAW(t), I(6), RAW(a));
}

static void calls_on_files_show_as_the_reference_showed_them(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPENAT_2_X, I(5), I(-100), S("rel/../x.txt"), I(20487), I(0644),
	      I(0xfd01), I(123));
	assert_args(w,
		    "fd=5(<f>/home/ubuntu/x.txt) dirfd=-100(AT_FDCWD) "
		    "name=rel/../x.txt(/home/ubuntu/x.txt) "
		    "flags=20487(O_CREAT|O_RDWR|O_CLOEXEC|O_F_CREATED) mode=0644 dev=FD01 ino=123");
	EVENT(w, 3200, EV_OPEN_X, I(3), S("/etc/ld.so.cache"), I(4097), I(0));
	assert_args(w, "fd=3(<f>/etc/ld.so.cache) name=/etc/ld.so.cache "
		       "flags=4097(O_RDONLY|O_CLOEXEC) mode=0 dev=<NA> ino=<NA>");
	EVENT(w, 3200, EV_MEMFD_CREATE_X, I(12), S("memname"), I(1));
	assert_args(w, "fd=12(<m>memname) name=memname flags=1(MFD_CLOEXEC)");
	EVENT(w, 3200, EV_ACCESS_X, I(-2), S("/etc/ld.so.nohwcap"), I(0));
	assert_args(w, "res=-2(ENOENT) name=/etc/ld.so.nohwcap mode=0(F_OK)");
	EVENT(w, 3200, EV_PIPE_X, I(0), I(10), I(11), I(77));
	assert_args(w, "res=0 fd1=10(<p>) fd2=11(<p>) ino=77");
	EVENT(w, 3200, EV_PIPE2_X, I(-24), I(-1), I(-1), I(0), I(1));
	assert_args(w, "res=-24(EMFILE) fd1=-1(EPERM) fd2=-1(EPERM) ino=0 flags=1(O_RDONLY)");
}

static void calls_on_sockets_show_as_the_reference_showed_them(void **state)
{
	struct bytes local = addr4("127.0.0.1", 8080), path = addr_unix("/run/x.sock");
	struct bytes un = tuple_unix(0xffff888812345678, 0xffff8888deadbeef, "/run/x.sock");
	struct world *w = *state;

	EVENT(w, 3200, EV_SOCKET_X, I(3), I(2), I(1), I(6), I(0));
	assert_args(w, "fd=3(<4>) domain=2(AF_INET) type=1 proto=6 flags=0(O_NONE)");
	EVENT(w, 3200, EV_BIND_X, I(0), RAW(local), I(3));
	assert_args(w, "res=0 addr=127.0.0.1:8080 fd=3(<4t>127.0.0.1:8080)");
	accept_4(w);
	assert_args(w, "fd=4(" TCP ") tuple=127.0.0.1:55555->127.0.0.1:8080 queuepct=0 queuelen=0 "
		       "queuemax=128");
	EVENT(w, 3200, EV_READ_X, I(5), BYTES("hel\0\xfflo", 7), I(4), I(100));
	assert_args(w, "res=5 data=hel..lo fd=4(" TCP ") size=100");
	EVENT(w, 3200, EV_WRITE_X, I(-32), NONE, I(4), I(5));
	assert_args(w, "res=-32(EPIPE) data=NULL fd=4(" TCP ") size=5");
	connect_6(w);
	assert_args(w, "res=-115(EINPROGRESS) tuple=::1:1234->2001:db8::5:443 fd=6(" TCP6
		       ") addr=2001:db8::5:443");
	EVENT(w, 3200, EV_SOCKET_X, I(7), I(1), I(1), I(0), I(0));
	assert_args(w, "fd=7(<u>) domain=1(AF_LOCAL|AF_UNIX) type=1 proto=0 flags=0(O_NONE)");
	EVENT(w, 3200, EV_CONNECT_X, I(0), RAW(un), I(7), RAW(path));
	assert_args(w, "res=0 tuple=" UN " fd=7(<u>" UN ") addr=/run/x.sock");
}

static void polls_show_as_the_reference_showed_them(void **state)
{
	static const char fds[] = "\x03\0"
				  "\x04\0\0\0\0\0\0\0\x01\0"
				  "\x06\0\0\0\0\0\0\0\x04\0"
				  "\x63\0\0\0\0\0\0\0\x01\0";
	struct world *w = *state;

	accept_4(w);
	connect_6(w);
	EVENT(w, 3200, EV_PPOLL_X, I(1), BYTES(fds, 32), I(1500000000), I(5));
	/* The letter of the descriptor, then the events asked for: 4 and 6 are sockets. */
	assert_args(w, "res=1 fds=4:41 6:64 99:?1 timeout=1500000000(1.5s) "
		       "sigmask=SIGHUP SIGQUIT");
	EVENT(w, 3200, EV_PPOLL_X, I(1), NONE, I(-1), I(0));
	assert_args(w, "res=1 fds=NULL timeout=none sigmask=");
}

static void socket_options_show_as_the_reference_showed_them(void **state)
{
	struct world *w = *state;

	accept_4(w);
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(4), I(1), I(4),
	      BYTES("\x01\x9e\xff\xff\xff\xff\xff\xff\xff", 9), I(4));
	assert_args(w, "res=0 fd=4(" TCP ") level=1(SOL_SOCKET) optname=4(SO_ERROR) "
		       "val=-98(EADDRINUSE) optlen=4");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(4), I(1), I(20),
	      BYTES("\x04\0\xf9\x02\x95\0\0\0\0", 9), I(16));
	assert_args(w, "res=0 fd=4(" TCP ") level=1(SOL_SOCKET) optname=20(SO_RCVTIMEO) "
		       "val=2500000000(2.5s) optlen=16");
	EVENT(w, 3200, EV_GETSOCKOPT_X, I(0), I(4), I(6), I(99), BYTES("\0ab\0c", 5), I(16));
	assert_args(w, "res=0 fd=4(" TCP ") level=6 optname=99 val=ab.c optlen=16");
}

static void calls_on_processes_show_as_the_reference_showed_them(void **state)
{
	static const char cgroups[] = "cpu=/a\0memory=/b", args[] = "-l";
	struct ev_user games = {.uid = 5, .gid = 60, .name = SV_LIT("games")};
	struct world *w = *state;

	EVENT(w, 3200, EV_PTRACE_X, I(0), BYTES("\0\xef\xbe\xad\xde\0\0\0\0", 9),
	      BYTES("\x01\x0f", 2), I(3), I(3200));
	assert_args(
	    w, "res=0 addr=DEADBEEF data=15(SIGTERM) request=3(PTRACE_PEEKDATA) pid=3200(bash)");
	assert_shows(w, "%evt.buffer", "SIGTERM");
	EVENT(w, 3200, EV_TGKILL_X, I(-3), I(3200), I(99999), I(200));
	assert_args(w, "res=-3(ESRCH) pid=3200(bash) tid=99999 sig=200");
	/* The table of events has these groups as users. */
	world_item(w, &(struct ev_item){.kind = EV_ITEM_USER, .user = &games});
	EVENT(w, 3200, EV_SETREGID_X, I(0), I(5), I(-1));
	assert_args(w, "res=0 rgid=5(games) egid=-1(<NONE>)");
	EVENT(w, 3200, EV_NANOSLEEP_X, I(0), I(1234567890));
	assert_args(w, "res=0 interval=1234567890(1.23457s)");
	EVENT(w, 3200, EV_CAPSET_X, I(0), I(0), I(3), I(0x1ffffffffff));
	assert_args(w, "res=0 cap_inheritable=0 cap_permitted=3 cap_effective=1FFFFFFFFFF");
	EVENT(w, 3200, EV_MMAP_X, I(-12), I(100), I(200), I(0), I(0), I(4096), I(3), I(34), I(-1),
	      I(0));
	assert_args(w, "res=-12(ENOMEM) vm_size=100 vm_rss=200 vm_swap=0 addr=0 length=4096 "
		       "prot=3(PROT_READ|PROT_WRITE) flags=34(MAP_PRIVATE|MAP_RENAME) fd=-1(EPERM) "
		       "offset=0");
	EVENT(w, 3200, EV_CLONE_20_X, I(5000), S("/bin/bash"), BYTES(args, sizeof(args)), I(3200),
	      I(3200), I(3199), S(""), I(1024), I(0), I(5), I(6), I(7), I(0), S("bash"),
	      BYTES(cgroups, sizeof(cgroups)), I(1), I(1000), I(1000), I(3200), I(3200), I(0));
	assert_args(w,
		    "res=5000(bash) exe=/bin/bash args=-l. tid=3200(bash) pid=3200(bash) "
		    "ptid=3199(sshd) cwd= fdlimit=1024 pgft_maj=0 pgft_min=5 vm_size=6 vm_rss=7 "
		    "vm_swap=0 comm=bash cgroups=cpu=/a.memory=/b. flags=1(CLONE_FILES) uid=1000 "
		    "gid=1000 vtid=3200(bash) vpid=3200(bash) pidns_init_start_ts=0");
	/* Owners of files and processes are plain numbers there, with a sign. */
	EVENT(w, 3200, EV_CHOWN_X, I(0), S("/x"), I(-1), I(1000));
	assert_args(w, "res=0 path=/x uid=-1 gid=1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHOW_TEST(calls_on_files_show_as_the_reference_showed_them),
	    SHOW_TEST(calls_on_sockets_show_as_the_reference_showed_them),
	    SHOW_TEST(polls_show_as_the_reference_showed_them),
	    SHOW_TEST(socket_options_show_as_the_reference_showed_them),
	    SHOW_TEST(calls_on_processes_show_as_the_reference_showed_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
