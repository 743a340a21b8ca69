/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/tests/show.h"

/* --- files --- */

static void an_opened_file_shows_everywhere(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPENAT_2_X, I(5), I(EV_FD_CWD), S("rel/../x.txt"), I(20487), I(0755),
	      I(0xfd01), I(123));
	assert_shows(
	    w, "%fd.num|%fd.type|%fd.typechar|%fd.name|%fd.nameraw|%fd.directory|%fd.filename",
	    "5|file|f|/home/ubuntu/x.txt|rel/../x.txt|/home/ubuntu|x.txt");
	assert_shows(w, "%fs.path.name|%fs.path.nameraw|%evt.abspath",
		     "/home/ubuntu/x.txt|rel/../x.txt|/home/ubuntu/x.txt");
	assert_shows(w, "%fd.dev|%fd.dev.major|%fd.dev.minor|%fd.ino|%fd.uid|%fd.name_changed",
		     "FD01|253|1|123|32005|true");
	assert_shows(w,
		     "%evt.is_open_read|%evt.is_open_write|%evt.is_open_create|%evt.is_open_exec",
		     "true|true|true|true");
	assert_shows(w, "%fd.containername|%fd.containerdirectory|%fd.is_server|%fd.l4proto",
		     ":/home/ubuntu/x.txt|:/home/ubuntu|false|<NA>");
	assert_shows(w, "*%fd.sip|%fd.sport|%fd.sockfamily|%fd.cip.name|%fd.net|%fd.snet",
		     "<NA>|<NA>|<NA>|<NA>|<NA>|<NA>");
	assert_shows(w, "%evt.category|%evt.res|%evt.rawres|%evt.failed|%evt.count.error.file",
		     "file|SUCCESS|5|false|0");
}

static void a_failed_open_shows_what_it_tried(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_OPENAT_2_X, I(-2), I(99), S("missing"), I(1), I(0), I(0), I(0));
	assert_shows(
	    w, "*%fd.num|%fd.type|%fd.typechar|%fd.name|%fd.nameraw|%fs.path.name|%evt.abspath",
	    "-1|<NA>|f|<UNKNOWN>missing|missing|<UNKNOWN>|<UNKNOWN>/missing");
	EVENT(w, 3200, EV_OPEN_X, I(-2), S("/a//b/../c"), I(1), I(0), I(0), I(0));
	assert_shows(w, "%fd.name|%fd.typechar|%fd.directory|%fs.path.name|%fs.path.nameraw",
		     "/a//b/../c|o|/a//b/..|/a/c|/a//b/../c");
	assert_shows(w,
		     "*%fd.filename|%evt.count.error.file|%evt.count.error.net|%evt.is_open_exec",
		     "<NA>|1|<NA>|false");
	/* EPERM alone counts as a failure of fs.path. */
	EVENT(w, 3200, EV_OPEN_X, I(-1), S("/x"), I(1), I(0), I(0), I(0));
	assert_shows(w, "*%fs.path.name|%fs.path.nameraw", "<NA>|<NA>");
}

/* One context for all events, as in a replay: what it remembers of one is not of the next. */
static void each_failed_open_shows_its_own_path(void **state)
{
	static const char *const names[] = {"missing", "/etc/other", "missing"};
	static const char *const paths[] = {"/home/ubuntu/missing", "/etc/other",
					    "/home/ubuntu/missing"};
	struct world *w = *state;
	struct flt_program *p;
	struct flt_format *f;
	struct flt_ctx *cx;

	assert_int_equal(flt_program_new(NULL, &p, NULL), 0);
	assert_int_equal(flt_format_new(p, SV_LIT("%fd.name %fd.nameraw %fd.name"), &f, NULL), 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct buf got = {0}, want = {0};

		EVENT(w, 3200, EV_OPENAT_2_X, I(-2), I(EV_FD_CWD), S(names[i]), I(1), I(0), I(0),
		      I(0));
		flt_ctx_event(cx, &w->bind);
		assert_true(flt_format_text(cx, f, &got));
		buf_addf(&want, "%s %s %s", paths[i], names[i], paths[i]);
		assert_string_equal(buf_cstr(&got), buf_cstr(&want));
		buf_done(&got);
		buf_done(&want);
	}
	flt_ctx_free(cx);
	flt_program_free(p);
}

static void at_calls_work_on_their_directory(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(EV_FD_CWD), S("foo"), I(0));
	assert_shows(w, "%fd.num|%fd.name|%fs.path.name|%evt.abspath",
		     "-100||<UNKNOWN>foo|/home/ubuntu/foo");
	EVENT(w, 3200, EV_OPENAT_2_X, I(6), I(EV_FD_CWD), S("/tmp/dir"), I(1 | 1 << 10), I(0), I(1),
	      I(2));
	EVENT(w, 3200, EV_UNLINKAT_2_X, I(0), I(6), S("foo"), I(0));
	assert_shows(w, "%fd.name|%fd.type|%fd.directory|%fs.path.name",
		     "/tmp/dir|directory|/tmp/dir|/tmp/dir/foo");
	assert_shows(w, "*%fd.filename", "<NA>");
	EVENT(w, 3200, EV_RENAMEAT2_X, I(0), I(EV_FD_CWD), S("old"), I(6), S("new"), I(0));
	assert_shows(
	    w, "%fs.path.source|%fs.path.target|%evt.abspath|%evt.abspath.src|%evt.abspath.dst",
	    "/home/ubuntu/old|/tmp/dir/new|/home/ubuntu/old|/home/ubuntu/old|/tmp/dir/new");
	assert_shows(w, "*%fd.name|%fd.num|%fs.path.name", "<NA>|<NA>|<NA>");
	EVENT(w, 3200, EV_SYMLINKAT_X, I(0), S("to"), I(6), S("ln"));
	assert_shows(w, "%fs.path.source|%fs.path.sourceraw|%fs.path.target|%fs.path.targetraw",
		     "/tmp/dir/ln|ln|<UNKNOWN>to|to");
	EVENT(w, 3200, EV_SYMLINKAT_X, I(-17), S("to"), I(6), S("ln"));
	assert_shows(w, "*%fs.path.source", "<NA>");
}

static void file_system_calls_have_paths_if_they_succeed(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_MKDIR_2_X, I(0), S("a/b"), I(0755));
	assert_shows(w, "%fs.path.name|%fs.path.nameraw", "/home/ubuntu/a/b|a/b");
	EVENT(w, 3200, EV_MKDIR_2_X, I(-17), S("a/b"), I(0755));
	assert_shows(w, "*%fs.path.name|%fs.path.nameraw", "<NA>|<NA>");
	EVENT(w, 3200, EV_LINK_2_X, I(0), S("/from"), S("to"));
	assert_shows(w, "%fs.path.source|%fs.path.target", "/home/ubuntu/to|/from");
	EVENT(w, 3200, EV_MOUNT_X, I(0), S("none"), S("/mnt"), S("tmpfs"), I(0));
	assert_shows(w, "%fs.path.source|%fs.path.target|%fs.path.sourceraw",
		     "/home/ubuntu/none|/mnt|none");
	EVENT(w, 3200, EV_FCHMOD_X, I(0), I(3), I(0755));
	assert_shows(w, "%fs.path.name|%fs.path.nameraw", "/etc/ld.so.cache|/etc/ld.so.cache");
}

static void directories_and_file_names_are_cut_at_the_last_slash(void **state)
{
	static const struct {
		const char *name, *shown;
	} rows[] = {{"/etc/passwd", "/etc|passwd"},
		    {"/passwd", "/|passwd"},
		    {"passwd", "/|/"},
		    {"/a/b/", "/a/b/|/a/b/"},
		    {"/", "/|/"},
		    {"", "/|/"}};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ev_fd_entry fd = {.tid = 3200,
					 .fd = (int64_t)(20 + i),
					 .type = EV_FD_FILE_V2,
					 .name = sv_of(rows[i].name)};

		world_fd(w, &fd);
		EVENT(w, 3200, EV_FSTAT_X, I(0), I(20 + i));
		assert_shows(w, "%fd.directory|%fd.filename",
			     rows[i].shown[0] ? rows[i].shown : "");
	}
}

static void an_unknown_descriptor_has_an_empty_name(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_CLOSE_X, I(-9), I(77));
	assert_shows(w, "*%fd.num|%fd.name|%fd.typechar|%fd.directory|%fd.type|%fd.uid|%evt.buflen",
		     "77||o|/|<NA>|320077|<NA>");
	EVENT(w, 3200, EV_PIPE2_X, I(-24), I(-1), I(-1), I(0), I(1));
	assert_shows(w, "*%fd.num|%fd.type|%fd.typechar|%fd.name|%fd.directory|%fd.uid",
		     "-1|<NA>|p||/|3200-1");
	EVENT(w, 3200, EV_KILL_X, I(0), I(1), I(9));
	assert_shows(w, "*%fd.num|%fd.name|%fd.typechar|%fd.types|%fd.uid",
		     "<NA>|<NA>|<NA>|<NA>|<NA>");
}

/* --- sockets --- */

static void an_accepted_connection_has_two_ends(void **state)
{
	struct bytes t = tuple4("127.0.0.1", 55555, "127.0.0.1", 8080);
	struct world *w = *state;

	EVENT(w, 3200, EV_ACCEPT_5_X, I(4), RAW(t), I(0), I(0), I(128));
	assert_shows(w,
		     "%fd.type|%fd.typechar|%fd.l4proto|%fd.sockfamily|%fd.is_server|%fd.connected",
		     "ipv4|4|tcp|ip|true|true");
	assert_shows(
	    w, "%fd.cip|%fd.cport|%fd.sip|%fd.sport|%fd.lip|%fd.lport|%fd.rip|%fd.rport|%fd.cproto",
	    "127.0.0.1|55555|127.0.0.1|8080|127.0.0.1|55555|127.0.0.1|8080|55555");
	assert_shows(w, "%fd.cnet|%fd.snet|%fd.lnet|%fd.rnet", "<IPNET>|<IPNET>|<IPNET>|<IPNET>");
	assert_shows(w, "*%fd.ip|%fd.port|%fd.net|%fd.proto|%fd.directory",
		     "<NA>|<NA>|<NA>|<NA>|<NA>");
	EVENT(w, 3200, EV_WRITE_X, I(-32), NONE, I(4), I(5));
	assert_shows(w, "*%evt.res|%evt.rawres|%evt.failed|%evt.buflen|%evt.io_dir|%evt.category",
		     "EPIPE|-32|true|<NA>|write|net");
	assert_shows(w, "*%evt.count.error.net|%evt.count.error.file|%evt.count.error.other",
		     "1|<NA>|<NA>");
	EVENT(w, 3200, EV_WRITE_X, I(5), BYTES("abcde", 5), I(4), I(5));
	assert_shows(
	    w, "*%evt.buflen|%evt.buflen.out|%evt.buflen.in|%evt.buflen.net.out|%evt.buflen.file",
	    "5|5|<NA>|5|<NA>");
}

static void a_remote_client_is_the_remote_end(void **state)
{
	struct bytes t = tuple4("10.1.2.3", 55555, "127.0.0.1", 8080),
		     far = tuple4("10.1.2.3", 55555, "10.9.9.9", 80);
	struct world *w = *state;

	EVENT(w, 3200, EV_ACCEPT_5_X, I(4), RAW(t), I(0), I(0), I(128));
	assert_shows(w, "%fd.lip|%fd.lport|%fd.rip|%fd.rport|%fd.is_server",
		     "127.0.0.1|8080|10.1.2.3|55555|true");
	/* Neither end is local: the server's is taken for it. */
	EVENT(w, 3200, EV_ACCEPT_5_X, I(5), RAW(far), I(0), I(0), I(128));
	assert_shows(w, "%fd.lip|%fd.rip|%fd.is_server", "10.9.9.9|10.1.2.3|false");
}

static void a_bound_socket_has_a_server_end_only(void **state)
{
	struct bytes a = addr4("127.0.0.1", 8080);
	struct world *w = *state;

	EVENT(w, 3200, EV_SOCKET_X, I(4), I(2), I(1), I(6), I(0));
	assert_shows(w,
		     "*%fd.name|%fd.l4proto|%fd.sip|%fd.sport|%fd.is_server|%fd.connected|%fd.type",
		     "|<NA>|<NA>|<NA>|false|false|ipv4");
	EVENT(w, 3200, EV_BIND_X, I(0), RAW(a), I(4));
	assert_shows(w,
		     "*%fd.name|%fd.is_server|%fd.cip|%fd.cport|%fd.lip|%fd.rip|%fd.sip|%fd.sport",
		     "127.0.0.1:8080|true|<NA>|<NA>|<NA>|<NA>|127.0.0.1|8080");
	assert_shows(w, "*[%fd.cproto][%fd.sproto]%fd.lproto", "[][]<NA>");
}

static void a_failed_socket_call_shows_the_attempt(void **state)
{
	struct bytes t = tuple4("1.2.3.4", 5, "6.7.8.9", 10);
	struct world *w = *state;

	EVENT(w, 3200, EV_SOCKET_X, I(-24), I(2), I(1), I(6), I(0));
	assert_shows(w, "%fd.num|%fd.typechar|%fd.name", "-1|4|");
	EVENT(w, 3200, EV_ACCEPT_5_X, I(-11), NONE, I(0), I(0), I(0));
	assert_shows(w, "%fd.typechar|%fd.name|%evt.count.error.net", "4|NULL|1");
	EVENT(w, 3200, EV_CONNECT_X, I(-9), RAW(t), I(77));
	assert_shows(w, "%fd.typechar|%fd.name", "o|1.2.3.4:5->6.7.8.9:10");
}

static void polled_descriptors_are_listed(void **state)
{
	struct bytes v4 = tuple4("127.0.0.1", 55555, "127.0.0.1", 8080),
		     v6 = tuple6("::1", 1234, "2001:db8::5", 443);
	static const uint8_t fds[] = {3, 0, 4, 0, 0, 0, 0,  0, 0, 0, 1, 0, 6, 0, 0, 0,
				      0, 0, 0, 0, 1, 0, 99, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	struct world *w = *state;

	EVENT(w, 3200, EV_ACCEPT_5_X, I(4), RAW(v4), I(0), I(0), I(128));
	EVENT(w, 3200, EV_ACCEPT_5_X, I(6), RAW(v6), I(0), I(0), I(128));
	EVENT(w, 3200, EV_POLL_X, I(1), BYTES(fds, sizeof(fds)), I(0));
	assert_shows(
	    w, "%fdlist.nums|%fdlist.names|%fdlist.cips|%fdlist.sips|%fdlist.cports|%fdlist.sports",
	    "4,6,99|127.0.0.1:55555->127.0.0.1:8080,::1:1234->2001:db8::5:443,<NA>|"
	    "127.0.0.1,::1|127.0.0.1,2001:db8::5|55555,1234|8080,443");
	EVENT(w, 3200, EV_POLL_X, I(0), BYTES("\0", 2), I(0));
	assert_shows(w, "*%fdlist.nums|%fdlist.names", "<NA>|<NA>");
}

static void types_of_descriptors_are_a_list(void **state)
{
	struct world *w = *state;

	world_file(w, 3200, 8, "/b");
	EVENT(w, 3200, EV_PIPE2_X, I(0), I(10), I(11), I(77), I(0));
	assert_shows(w, "%fd.types|%fd.types[3]|%fd.types[10]|%fd.num",
		     "(file,pipe)|(file)|(pipe)|11");
	assert_shows(w, "*%fd.types[99]", "<NA>");
}

static void messages_to_the_log_are_taken_apart(void **state)
{
	struct bytes t = tuple_unix(1, 2, "/dev/log");
	struct world *w = *state;

	EVENT(w, 3200, EV_SOCKET_X, I(4), I(1), I(2), I(0), I(0));
	EVENT(w, 3200, EV_CONNECT_X, I(0), RAW(t), I(4), NONE);
	EVENT(w, 3200, EV_SENDTO_X, I(9), BYTES("<38>hello", 9), I(4), I(9), NONE);
	assert_shows(w,
		     "%syslog.facility|%syslog.facility.str|%syslog.severity|%syslog.severity.str|%"
		     "syslog.message|%evt.is_syslog",
		     "4|auth|6|info|hello|true");
	EVENT(w, 3200, EV_SENDTO_X, I(9), BYTES("<999>", 5), I(4), I(9), NONE);
	assert_shows(w, "*%syslog.facility|%syslog.facility.str|%syslog.message.", "124|<NA>|.");
	for (size_t n = 0; n < 4; n++) {
		EVENT(w, 3200, EV_SENDTO_X, I(9), BYTES("<38>", n), I(4), I(9), NONE);
		assert_shows(w, "*%syslog.facility", "<NA>");
	}
	EVENT(w, 3200, EV_SENDTO_X, I(9), BYTES("<99999999999>x", 14), I(4), I(9), NONE);
	assert_shows(w, "*%syslog.facility", "<NA>");
}

/* --- processes --- */

static void a_process_shows_its_own_attributes(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w,
		     "%proc.name|%proc.exe|%proc.exepath|%proc.cmdline|%proc.exeline|%proc.args|[%"
		     "proc.args[7]]",
		     "bash|bash|/bin/x|bash -l|bash -l|-l|[]");
	assert_shows(
	    w, "%proc.pid|%proc.ppid|%proc.vpid|%proc.pvpid|%proc.sid|%proc.sname|%thread.nametid",
	    "3200|3199|3200|3199|3199|sshd|bash3200");
	assert_shows(w, "%proc.env|%proc.env[HOME]|[%proc.env[EMPTY]]|[%proc.env[NO]]|%proc.cwd",
		     "HOME=/h PATH=/bin EMPTY=|/h|[]|[]|/home/ubuntu/");
	assert_shows(w, "%thread.cgroups|%thread.cgroup.memory", "cpu=/a memory=/b|/b");
	assert_shows(w,
		     "*%thread.cgroup.pids|%proc.duration|%proc.exe_ino|%proc.pid.ts|%proc.ppid.ts",
		     "<NA>|<NA>|<NA>|<NA>|0");
	assert_shows(w,
		     "%proc.cmdnargs|%proc.cmdlenargs|%proc.fdopencount|%proc.fdlimit|%proc."
		     "nthreads|%proc.nchilds",
		     "1|2|1|1024|1|0");
	assert_shows(
	    w, "%thread.ismain|%proc.is_sid_leader|%proc.is_pgid_leader|%proc.is_exe_writable",
	    "true|false|false|false");
	assert_shows(w, "*[%thread.cap_effective]%proc.stdin.name|%proc.tty", "[]<NA>|0");
}

static void ancestors_are_indexed_joined_or_absent(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "%proc.aname|%proc.aname[0]|%proc.aname[1]|%proc.aname[2]|%proc.pname",
		     "sshd systemd|bash|sshd|systemd|sshd");
	assert_shows(w, "*%proc.aname[3]|%proc.apid[3]|%proc.aargs|%proc.aargs[1]|[%proc.aargs[2]]",
		     "<NA>|<NA>|-D |-D|[]");
	assert_shows(w,
		     "%proc.apid|%proc.apid[1]|%proc.acmdline|%proc.aexepath[2]|%proc.loginshellid",
		     "3200|3199|sshd -D systemd|/bin/x|3200");
	assert_shows(w, "%proc.aenv[HOME]|[%proc.aenv[NO]]|%proc.aenv[1]|%proc.aenv",
		     "/h|[]|HOME=/h PATH=/bin EMPTY=|HOME=/h PATH=/bin EMPTY=");
	/* Those without text at the near end leave no blanks. */
	show_thread(w, 3300, 3199, "mid", SV_LIT(""));
	show_thread(w, 3301, 3300, "leaf", SV_LIT(""));
	EVENT(w, 3301, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "[%proc.aargs]", "[-D ]");
	EVENT(w, 1, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(
	    w, "*%proc.aname|%proc.pname|%proc.ppid|%proc.aargs|%proc.pvpid|%proc.loginshellid",
	    "<NA>|<NA>|<NA>|<NA>|<NA>|<NA>");
}

static void an_executed_program_replaces_the_old_one(void **state)
{
	struct world *w = *state;

	CLONE(w, 5000, .pid = 5000, .ptid = 3200, .comm = "bash", .uid = 1000);
	assert_shows(w, "%proc.name|%evt.res|%evt.rawres|%proc.pname", "bash|SUCCESS|0|bash");
	EXEC(w, 5000, .pid = 5000, .comm = "prog", .exe = "prog", .trusted = "/tmp/prog (deleted)",
	     .args = "-a\0b c\0", .args_len = 7, .env = "HOME=/h\0PATH=/bin\0EMPTY=\0",
	     .env_len = 25, .ino = 7, .ctime = 1, .mtime = 2);
	assert_shows(
	    w, "%proc.exe|%proc.exepath|%proc.args|%proc.args[0]|%proc.cmdnargs|%proc.cmdlenargs",
	    "prog|/tmp/prog|-a b c|-a|2|5");
	assert_shows(w, "%proc.aname|%proc.aname[0]|%proc.aname[1]|%proc.apid|%proc.apid[1]",
		     "bash sshd systemd|prog|bash|5000|3200");
	assert_shows(w, "%proc.exe_ino|%proc.exe_ino.ctime|%proc.exe_ino.mtime", "7|1|2");
	EVENT(w, 5000, EV_CAPSET_X, I(0), I(0), I(3), I(1ll << 40));
	assert_shows(w, "[%thread.cap_inheritable]|%thread.cap_permitted|%thread.cap_effective",
		     "[]|CAP_CHOWN CAP_DAC_OVERRIDE|CAP_CHECKPOINT_RESTORE");
}

static void give_hash(struct world *w, uint64_t ino, uint64_t ctime, const char *path,
		      uint8_t first)
{
	uint8_t sha256[EV_HASH_BYTES] = {first, 0xab}, body[EV_HASH_ROOM];
	struct ev_hash h = {
	    .dev = 1, .ino = ino, .ctime = ctime, .sha256 = sha256, .path = sv_of(path)};
	struct ev ev = {.type = EV_TYPE_HASH,
			.tid = 1,
			.nparams = EV_HASH_PARAMS,
			.lens = body,
			.data = body + 2 * EV_HASH_PARAMS};

	ev_hash_encode(&h, body);
	world_item(w, &(struct ev_item){.kind = EV_ITEM_HASH, .ev = &ev});
}

static void execute_prog(struct world *w, int64_t tid, const char *path, uint64_t ino,
			 uint64_t ctime)
{
	CLONE(w, tid, .pid = tid, .ptid = 3200, .comm = "bash", .uid = 1000);
	EXEC(w, tid, .pid = tid, .comm = "prog", .exe = "prog", .trusted = path, .ino = ino,
	     .ctime = ctime, .mtime = 2);
}

static void all_processes_of_a_file_have_its_hash_once_it_is_known(void **state)
{
	const char *hash = "05ab000000000000000000000000000000000000000000000000000000000000";
	struct world *w = *state;

	execute_prog(w, 5001, "/bin/prog (deleted)", 7, 1);
	assert_shows(w, "*%proc.exe_sha256", "<NA>");
	give_hash(w, 7, 1, "/bin/prog (deleted)", 5);
	EVENT(w, 5001, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "%proc.exe_sha256", hash);
	execute_prog(w, 5002, "/bin/prog", 7, 1);
	assert_shows(w, "%proc.exe_sha256", hash);
	CLONE(w, 5003, .pid = 5003, .ptid = 5002, .comm = "prog", .uid = 1000);
	EVENT(w, 5003, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "%proc.exe_sha256", hash);
	execute_prog(w, 5004, "/bin/prog", 7, 2); /* changed */
	assert_shows(w, "*%proc.exe_sha256", "<NA>");
	execute_prog(w, 5005, "/bin/prog", 8, 1);
	assert_shows(w, "*%proc.exe_sha256", "<NA>");
	execute_prog(w, 5006, "/bin/gorp", 7, 1);
	assert_shows(w, "*%proc.exe_sha256", "<NA>");
}

static void a_file_with_two_hashes_has_none(void **state)
{
	struct world *w = *state;

	give_hash(w, 7, 1, "/bin/prog", 5);
	give_hash(w, 7, 1, "/bin/prog", 5);
	execute_prog(w, 5001, "/bin/prog", 7, 1);
	assert_shows(w, "%proc.exe_sha256",
		     "05ab000000000000000000000000000000000000000000000000000000000000");
	give_hash(w, 7, 1, "/bin/prog", 6);
	EVENT(w, 5001, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "*%proc.exe_sha256", "<NA>");
}

static void an_unknown_thread_is_a_placeholder(void **state)
{
	struct world *w = *state;

	EVENT(w, 777777, EV_WRITE_X, I(1), BYTES("x", 1), I(9), I(1));
	assert_shows(
	    w,
	    "*%proc.pid|%proc.name|[%proc.exeline]|%proc.cwd|%user.uid|%user.name|%user.loginuid",
	    "-1|<NA>|[<NA> ]|./|4294967295|<NA>|-1");
	assert_shows(w, "*%proc.ppid|%thread.tid|[%fd.name]|%proc.is_sid_leader|%container.id",
		     "<NA>|777777|[]|true|host");
}

static void users_and_groups_have_names(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "%user.uid|%user.name|%user.homedir|%user.shell|%group.gid|%group.name",
		     "1000|ubuntu|/home/ubuntu|/bin/sh|5|games");
	assert_shows(w, "%user.loginuid|%user.loginname", "-1|<NA>");
	EVENT(w, 3200, EV_SETUID_X, I(0), I(0));
	assert_shows(w, "%user.name|%user.homedir|%user.shell", "root|/root|<NA>");
	EVENT(w, 3200, EV_SETUID_X, I(0), I(77));
	assert_shows(w, "%user.name|%user.homedir|%user.shell", "<NA>|<NA>|<NA>");
}

/* Three switches, the second of a thread nobody knows, and three procinfo events. */
static void show_measures(struct world *w, const struct flt_options *opt, bool json, struct buf *b)
{
	struct flt_program *p;
	struct flt_format *f;
	struct flt_ctx *cx;

	assert_int_equal(flt_program_new(opt, &p, NULL), 0);
	assert_int_equal(flt_format_new(p,
					SV_LIT("*%thread.exectime %thread.totexectime %thread.cpu "
					       "%thread.cpu.user;"),
					&f, NULL),
			 0);
	assert_int_equal(flt_program_seal(p, NULL), 0);
	assert_int_equal(flt_ctx_new(p, w->st, &cx, NULL), 0);
	for (int i = 0; i < 6; i++) {
		if (i < 3)
			EVENT(w, i == 1 ? 0 : 3200, EV_SCHEDSWITCH_6_E, I(3199), I(0), I(0), I(0),
			      I(0), I(0));
		else
			EVENT(w, 3200, EV_PROCINFO_E, I(10 * (i - 3) * (i - 3)), I(100 * (i - 3)));
		flt_ctx_event(cx, &w->bind);
		if (json)
			assert_int_equal(flt_format_json(cx, f, b), 4);
		else
			assert_true(flt_format_text(cx, f, b));
	}
	flt_ctx_free(cx);
	flt_program_free(p);
}

static void switches_and_procinfo_measure_time(void **state)
{
	struct buf b = {0};

	show_measures(*state, NULL, false, &b);
	assert_string_equal(buf_cstr(&b), "0 0 <NA> <NA>;10000000 <NA> <NA> <NA>;"
					  "10000000 10000000 <NA> <NA>;0 10000000 0.0 0.0;"
					  "0 10000000 100.0 10.0;0 10000000 100.0 30.0;");
	buf_done(&b);
}

static void measures_in_json_are_those_of_a_second_look(void **state)
{
	static const struct flt_options corrected = {.corrected = true};
	struct buf b = {0};

	show_measures(*state, NULL, true, &b);
	buf_cstr(&b);
	assert_null(strstr(b.p, "00"));
	assert_non_null(strstr(b.p, "\"thread.totexectime\":null")); /* of the unknown thread */
	buf_reset(&b);
	show_measures(*state, &corrected, true, &b);
	buf_cstr(&b);
	assert_non_null(
	    strstr(b.p, "\"thread.exectime\":10000000,\"thread.totexectime\":10000000"));
	assert_non_null(strstr(b.p, "\"thread.cpu\":100.0,\"thread.cpu.user\":30.0"));
	buf_done(&b);
}

static void a_parent_of_unknown_age_counts_descriptors_unless_corrected(void **state)
{
	static const struct flt_options corrected = {.corrected = true};
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "*%proc.ppid.duration %proc.fdopencount", "1 1");
	assert_shows_with(w, &corrected, "*%proc.ppid.duration %proc.fdopencount", "<NA> 1");
	EVENT(w, 1, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(w, "*%proc.ppid.duration", "<NA>"); /* no parent */
}

/* --- events --- */

static void asynchronous_events_have_their_own_names(void **state)
{
	struct world *w = *state;

	EVENT(w, 999, EV_ASYNCEVENT_E, I(0), S("myasync"), BYTES("{\"a\":1}", 8));
	assert_shows(w, "%evt.type|%evt.asynctype|%evt.is_async|%evt.dir|%evt.category|%evt.source",
		     "myasync|myasync|true|>|other|syscall");
	assert_shows(w, "%evt.args", "plugin_id=0 name=myasync data={\"a\":1}.");
	assert_shows(w, "*%syscall.type|%evt.count.exit|%evt.failed|%evt.pluginname",
		     "<NA>|<NA>|<NA>|<NA>");
	EVENT(w, 999, EV_ASYNCEVENT_E, I(3), S("x"), NONE);
	assert_shows(w, "*%evt.source", "<NA>");
}

static void infrastructure_events_are_taken_apart(void **state)
{
	struct world *w = *state;

	EVENT(w, -1, EV_INFRASTRUCTURE_EVENT_E, S("docker"), S("die"),
	      S(" Event: die; ID: 0123456789abcdef ;name:web;Image: repo/app@sha256:12"), S(""));
	assert_shows(w,
		     "%evt.infra.docker.name|%evt.infra.docker.container.id|%evt.infra.docker."
		     "container.name|%evt.infra.docker.container.image",
		     "die|0123456789ab|web|repo/app");
	EVENT(w, -1, EV_INFRASTRUCTURE_EVENT_E, S("docker"), S("die"), S("Image: sha256:12;;"),
	      S(""));
	assert_shows(w, "*%evt.infra.docker.container.image|%evt.infra.docker.name", "12|<NA>");
}

static void memory_errors_count_as_memory(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_MMAP_X, I(-12), I(1), I(1), I(0), I(0), I(4096), I(3), I(34), I(-1),
	      I(0));
	assert_shows(w, "*%evt.count.error.memory|%evt.count.error.other|%evt.count.error|%fd.num",
		     "1|<NA>|1|-1");
	EVENT(w, 3200, EV_CLOSE_X, I(0), I(3));
	assert_shows(w, "%evt.buflen|%evt.failed|%evt.count.error|%fd.name|%evt.category",
		     "0|false|0|/etc/ld.so.cache|file");
}

/* --- containers --- */

#define CONTAINER_JSON                                                                             \
	"{\"container\":{\"id\":\"0123456789ab\",\"full_id\":\"0123456789abcdef\","                \
	"\"type\":0,\"name\":\"web\",\"image\":\"nginx:1\",\"imagerepo\":\"nginx\","               \
	"\"imagetag\":\"1\",\"privileged\":true,\"User\":\"www\",\"ip\":\"10.0.0.2\","             \
	"\"pod_sandbox_id\":\"aaaaaaaaaaaabbbb\","                                                 \
	"\"labels\":{\"app\":\"shop\",\"annotation.x\":\"y\","                                     \
	"\"io.kubernetes.pod.name\":\"pod1\",\"io.kubernetes.pod.namespace\":\"ns1\"},"            \
	"\"Mounts\":[{\"Source\":\"/var/a\",\"Destination\":\"/a\",\"Mode\":\"ro\","               \
	"\"RW\":false,\"Propagation\":\"rprivate\"},"                                              \
	"{\"Source\":\"/srv\",\"Destination\":\"/data\",\"Mode\":\"\",\"RW\":true,"                \
	"\"Propagation\":\"\"}]}}"

static void a_container_shows_its_description(void **state)
{
	static const char json[] = CONTAINER_JSON;
	struct world *w = *state;

	EVENT(w, 3200, EV_ASYNCEVENT_E, I(0), S("container"), BYTES(json, sizeof(json)));
	assert_shows(w,
		     "%container.id|%container.full_id|%container.name|%container.type|%user.name",
		     "0123456789ab|0123456789abcdef|web|docker|www");
	assert_shows(w,
		     "%container.image|%container.image.repository|%container.image.tag|[%"
		     "container.image.digest]",
		     "nginx:1|nginx|1|[]");
	assert_shows(
	    w, "%container.privileged|%container.host_pid|%container.ip|%container.label[app]",
	    "true|false|10.0.0.2|shop");
	assert_shows(
	    w, "*%container.labels|%container.label[no]|%k8s.pod.name|%k8s.ns.name|%k8s.pod.uid",
	    "app:shop|<NA>|pod1|ns1|<NA>");
	assert_shows(
	    w, "*%k8s.pod.sandbox_id|%k8s.pod.full_sandbox_id|%k8s.rc.name|%container.start_ts",
	    "aaaaaaaaaaaa|aaaaaaaaaaaabbbb|<NA>|<NA>");
}

static void mounts_are_found_by_number_or_pattern(void **state)
{
	static const char json[] = CONTAINER_JSON;
	struct world *w = *state;

	EVENT(w, 3200, EV_ASYNCEVENT_E, I(0), S("container"), BYTES(json, sizeof(json)));
	assert_shows(w, "%container.mounts", "/var/a:/a:ro:false:rprivate,/srv:/data::true:");
	assert_shows(w, "*%container.mount[0]|%container.mount.dest[1]|%container.mount[2]",
		     "/var/a:/a:ro:false:rprivate|/data|<NA>");
	assert_shows(
	    w, "*%container.mount.dest[^/v.r]|%container.mount.rdwr[srv$]|%container.mount[x.y]",
	    "/a|true|<NA>");
	assert_shows(w,
		     "*%container.mount.source[data]|%container.mount.source[srv]|%container.mount."
		     "mode[var]|%container.mount.propagation[/var]",
		     "/srv|<NA>|ro|rprivate");
}

static void the_host_is_described_too(void **state)
{
	struct world *w = *state;

	EVENT(w, 3200, EV_READ_X, I(0), NONE, I(3), I(1));
	assert_shows(
	    w,
	    "%container.id|%container.full_id|%container.name|%container.type|[%container.image]",
	    "host|host|host|host|[]");
	assert_shows(w,
		     "*%container.privileged|[%container.mounts]|%k8s.pod.name|%container.mount[0]",
		     "false|[]|<NA>|<NA>");
	/* An event of no thread has no container. */
	EVENT(w, -1, EV_ASYNCEVENT_E, I(0), S("x"), NONE);
	assert_shows(w, "*%container.id|%container.name|%proc.name|%thread.tid",
		     "<NA>|<NA>|<NA>|-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHOW_TEST(an_opened_file_shows_everywhere),
	    SHOW_TEST(a_failed_open_shows_what_it_tried),
	    SHOW_TEST(each_failed_open_shows_its_own_path),
	    SHOW_TEST(at_calls_work_on_their_directory),
	    SHOW_TEST(file_system_calls_have_paths_if_they_succeed),
	    SHOW_TEST(directories_and_file_names_are_cut_at_the_last_slash),
	    SHOW_TEST(an_unknown_descriptor_has_an_empty_name),
	    SHOW_TEST(an_accepted_connection_has_two_ends),
	    SHOW_TEST(a_remote_client_is_the_remote_end),
	    SHOW_TEST(a_bound_socket_has_a_server_end_only),
	    SHOW_TEST(a_failed_socket_call_shows_the_attempt),
	    SHOW_TEST(polled_descriptors_are_listed),
	    SHOW_TEST(types_of_descriptors_are_a_list),
	    SHOW_TEST(messages_to_the_log_are_taken_apart),
	    SHOW_TEST(a_process_shows_its_own_attributes),
	    SHOW_TEST(ancestors_are_indexed_joined_or_absent),
	    SHOW_TEST(an_executed_program_replaces_the_old_one),
	    SHOW_TEST(all_processes_of_a_file_have_its_hash_once_it_is_known),
	    SHOW_TEST(a_file_with_two_hashes_has_none),
	    SHOW_TEST(an_unknown_thread_is_a_placeholder),
	    SHOW_TEST(users_and_groups_have_names),
	    SHOW_TEST(switches_and_procinfo_measure_time),
	    SHOW_TEST(measures_in_json_are_those_of_a_second_look),
	    SHOW_TEST(a_parent_of_unknown_age_counts_descriptors_unless_corrected),
	    SHOW_TEST(asynchronous_events_have_their_own_names),
	    SHOW_TEST(infrastructure_events_are_taken_apart),
	    SHOW_TEST(memory_errors_count_as_memory),
	    SHOW_TEST(a_container_shows_its_description),
	    SHOW_TEST(mounts_are_found_by_number_or_pattern),
	    SHOW_TEST(the_host_is_described_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
