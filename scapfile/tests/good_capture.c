/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/tests/good_capture.h"

static const uint8_t v4_tuple[] = {2, 10, 0, 0, 1, 0x34, 0x12, 10, 0, 0, 2, 80, 0};
static const uint8_t v4_addr[] = {2, 10, 0, 0, 2, 80, 0};
static const uint8_t v6_addr[] = {10, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 80, 0};

static void interface(struct capture *c, unsigned type, const char *name)
{
	size_t n = type == 2 ? 16 : 4;

	cb_entry_begin(c);
	cb_u16(c, type);
	cb_u16(c, (unsigned)strlen(name));
	cb_fill(c, 0x7f, n);
	cb_fill(c, 0xff, n / 2);
	cb_fill(c, 0, n - n / 2);
	cb_fill(c, 0x7f, n);
	cb_u64(c, 1000);
	cb_bytes(c, name, strlen(name));
	cb_entry_end(c, false);
}

static void lists(struct capture *c)
{
	cb_begin(c, CB_IL_V2);
	interface(c, 1, "lo");
	interface(c, 2, "eth0");
	cb_end(c);
}

static void users(struct capture *c)
{
	cb_begin(c, CB_UL_V2);
	cb_entry_begin(c);
	cb_u8(c, 0);
	cb_u32(c, 0);
	cb_u32(c, 0);
	cb_str16(c, "root");
	cb_str16(c, "/root");
	cb_str16(c, "/bin/sh");
	cb_entry_end(c, true);
	cb_group(c, 5, "wheel");
	cb_end(c);
}

static void thread(struct capture *c, int64_t tid, int64_t pid)
{
	const struct ev_thread_entry t = {
	    .tid = tid,
	    .pid = pid,
	    .ptid = 1,
	    .sid = 7,
	    .vpgid = 7,
	    .pgid = 7,
	    .vtid = tid,
	    .vpid = pid,
	    .comm = SV_LIT("sh"),
	    .exe = SV_LIT("sh"),
	    .exepath = SV_LIT("/bin/sh"),
	    .args = SV_LIT("-c\0x\0"),
	    .cwd = SV_LIT("/root"),
	    .env = SV_LIT("A=b\0"),
	    .cgroups = SV_LIT("cpu=/\0"),
	    .root = SV_LIT("/"),
	    .fdlimit = 1024,
	    .flags = tid == pid ? 0 : 0x2001,
	    .pidns_init_start_ts = 1700000000000000000,
	    .cap_permitted = 3,
	    .cap_effective = 1,
	    .exe_ino_ctime = 1600000000000000000,
	};

	cb_thread(c, 9, &t, 76);
}

static void fd_begin(struct capture *c, unsigned fd, unsigned type)
{
	cb_entry_begin(c);
	cb_u64(c, fd);
	cb_u64(c, 99);
	cb_u8(c, type);
}

static void fds(struct capture *c)
{
	cb_begin(c, CB_FDL_V2);
	cb_u64(c, 7);
	fd_begin(c, 0, EV_FD_FILE_V2); /* its entry: 4 + 8 + 8 + 1 + 4 + 2 + 4 + 4 bytes */
	cb_u32(c, 1);
	cb_str16(c, "/tmp");
	cb_u32(c, 6);
	cb_entry_end(c, true);
	fd_begin(c, 1, EV_FD_IPV4_SOCK);
	cb_fill(c, 10, 8);
	cb_u32(c, 80);
	cb_u8(c, EV_L4_TCP);
	cb_entry_end(c, true);
	fd_begin(c, 2, EV_FD_IPV6_SOCK);
	cb_fill(c, 10, 32);
	cb_u32(c, 80);
	cb_u8(c, EV_L4_UDP);
	cb_entry_end(c, true);
	fd_begin(c, 3, EV_FD_IPV4_SERVSOCK);
	cb_fill(c, 0, 6);
	cb_u8(c, EV_L4_TCP);
	cb_entry_end(c, true);
	fd_begin(c, 4, EV_FD_UNIX_SOCK);
	cb_u64(c, 1);
	cb_u64(c, 0);
	cb_str16(c, "/s");
	cb_entry_end(c, true);
	fd_begin(c, 5, EV_FD_FIFO);
	cb_str16(c, "pipe:[9]");
	cb_entry_end(c, true);
	cb_end(c);
	/* and a table that is empty */
}

static void state(struct good_capture *g)
{
	struct capture *c = &g->c;

	g->at[GOOD_SECTION] = c->out.len;
	cb_section(c);
	g->at[GOOD_MACHINE] = c->out.len;
	cb_machine(c, 4, "box");
	g->at[GOOD_INTERFACES] = c->out.len;
	lists(c);
	g->at[GOOD_USERS] = c->out.len;
	users(c);
	g->at[GOOD_THREADS] = c->out.len;
	cb_begin(c, cb_thread_block(9));
	thread(c, 7, 7);
	thread(c, 8, 7);
	thread(c, 9, 9);
	cb_end(c);
	g->at[GOOD_FDS] = c->out.len;
	fds(c);
	g->at[GOOD_NO_FDS] = c->out.len;
	cb_begin(c, CB_FDL_V2);
	cb_u64(c, 9);
	cb_end(c);
}

static void begin(struct good_capture *g, enum good_block which, uint32_t block, unsigned type)
{
	g->at[which] = g->c.out.len;
	cb_event_begin(&g->c, block, type, GOOD_TS + 1000u * (unsigned)which, 7);
}

static void sockets(struct good_capture *g)
{
	struct capture *c = &g->c;
	static const uint8_t one_fd[] = {1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0};

	begin(g, GOOD_CONNECT, CB_EV_V2, EV_CONNECT_X);
	cb_param_u64(c, 0);
	cb_param(c, v4_tuple, sizeof(v4_tuple));
	cb_param_u64(c, 4);
	cb_param(c, v4_addr, sizeof(v4_addr));
	cb_event_end(c);
	begin(g, GOOD_BIND, CB_EV_V2, EV_BIND_X);
	cb_param_u64(c, 0);
	cb_param(c, v6_addr, sizeof(v6_addr));
	cb_param_u64(c, 4);
	cb_event_end(c);
	begin(g, GOOD_UNIX, CB_EV_V2, EV_CONNECT_X);
	cb_param_u64(c, (uint64_t)-2);
	cb_param(c, "\1\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0/s", 20);
	cb_param_u64(c, 4);
	cb_param(c, "\1/s", 4);
	cb_event_end(c);
	begin(g, GOOD_POLL, CB_EV_V2, EV_POLL_X);
	cb_param_u64(c, 1);
	cb_param(c, one_fd, sizeof(one_fd));
	cb_param_u64(c, 5);
	cb_event_end(c);
	begin(g, GOOD_SETSOCKOPT, CB_EV_V2, EV_SETSOCKOPT_X);
	cb_param_u64(c, 0);
	cb_param_u64(c, 4);
	cb_param(c, "\1", 1);
	cb_param(c, "\4", 1);
	cb_param(c, "\2\1\0\0", 5); /* an integer */
	cb_param_u32(c, 4);
	cb_event_end(c);
}

static void calls(struct good_capture *g)
{
	struct capture *c = &g->c;

	begin(g, GOOD_GENERIC, CB_EV_V2, EV_GENERIC_X);
	cb_param(c, "\2\0", 2);
	cb_param(c, "\74\0", 2);
	cb_event_end(c);
	begin(g, GOOD_SIGNAL, CB_EV_V2, EV_SIGNALDELIVER_E);
	cb_param_u64(c, 9);
	cb_param_u64(c, 7);
	cb_param(c, "\17", 1);
	cb_event_end(c);
	begin(g, GOOD_CHMOD, CB_EV_V2, EV_FCHMOD_X);
	cb_param_u64(c, 0);
	cb_param_u64(c, 4);
	cb_param_u32(c, 7);
	cb_event_end(c);
	begin(g, GOOD_LSEEK, CB_EV_V2, EV_LSEEK_X);
	cb_param_u64(c, 5000000000);
	cb_param_u64(c, 4);
	cb_param_u64(c, 5000000000);
	cb_param(c, "\1", 1);
	cb_event_end(c);
}

/* EXECVE_19_X: names and numbers by the types of its table. */
static void execve(struct good_capture *g)
{
	const struct ev_info *info = &ev_table[EV_EXECVE_19_X];
	struct capture *c = &g->c;

	begin(g, GOOD_EXECVE, CB_EV_V2, EV_EXECVE_19_X);
	for (unsigned i = 0; i < info->nparams; i++) {
		unsigned width = ev_ptype_width(info->params[i].type);

		if (width == 8)
			cb_param_u64(c, 0);
		else if (width == 4)
			cb_param_u32(c, 0);
		else if (info->params[i].type == PT_BYTEBUF)
			cb_param(c, "a\0b", 4);
		else
			cb_param_str(c, "/bin/x");
	}
	cb_event_end(c);
}

static void own_events(struct good_capture *g)
{
	static const uint8_t kinds[] = {6, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0, 0};
	struct capture *c = &g->c;

	begin(g, GOOD_PLUGIN, CB_EV_V2_LARGE, EV_PLUGINEVENT_E);
	cb_param_u32(c, 3);
	cb_param(c, "data", 4);
	cb_event_end(c);
	begin(g, GOOD_ASYNC, CB_EV_V2_LARGE, EV_ASYNCEVENT_E);
	c->ts = UINT64_MAX;
	c->tid = -1;
	cb_param_u32(c, 3);
	cb_param_str(c, "name");
	cb_param(c, "data", 4);
	cb_event_end(c);
	begin(g, GOOD_LOSS, CB_EV_V2, EV_TYPE_LOSS);
	c->tid = -1;
	cb_param_u64(c, 5);
	cb_param_u64(c, GOOD_TS);
	cb_param_u64(c, c->ts);
	cb_param(c, "\1\0", 2);
	cb_param(c, kinds, sizeof(kinds));
	cb_event_end(c);
	begin(g, GOOD_SHORT_LOSS, CB_EV_V2, EV_TYPE_LOSS);
	c->tid = -1;
	c->cpu = UINT16_MAX;
	cb_param_u64(c, 5);
	cb_event_end(c);
	c->cpu = 1;
}

static void uring(struct good_capture *g)
{
	struct capture *c = &g->c;

	begin(g, GOOD_URING, CB_EV_V2, EV_TYPE_URING);
	cb_param_u64(c, 0);
	cb_param(c, "\20", 1); /* connect */
	cb_param_u64(c, 4);
	cb_param_u64(c, 0x1234);
	cb_param_u32(c, 0);
	cb_param(c, "\0", 1);
	cb_param_u32(c, 0);
	for (unsigned i = 7; i <= 9; i++)
		cb_param_u64(c, 0);
	cb_param_u64(c, (uint64_t)-1);
	cb_param_u64(c, GOOD_TS);
	cb_param_str(c, "name");
	cb_param(c, NULL, 0);
	cb_param(c, v4_addr, sizeof(v4_addr));
	cb_param(c, v4_tuple, sizeof(v4_tuple));
	cb_param_u32(c, 0);
	for (unsigned i = EV_URING_FD_FLAGS; i < EV_URING_PARAMS; i++)
		cb_param(c, NULL, 0);
	cb_event_end(c);
}

static void hash(struct good_capture *g)
{
	static const uint8_t sha256[EV_HASH_BYTES] = {0xe3, 0xb0, 0xc4, 0x42};
	struct capture *c = &g->c;

	begin(g, GOOD_HASH, CB_EV_V2, EV_TYPE_HASH);
	cb_param(c, "\0", 1);
	cb_param_u32(c, 0x801);
	cb_param_u64(c, 77);
	cb_param_u64(c, GOOD_TS);
	cb_param_u64(c, 1234);
	cb_param_u64(c, 10);
	cb_param(c, sha256, sizeof(sha256));
	cb_param_str(c, "/bin/true");
	cb_param(c, NULL, 0);
	cb_event_end(c);
}

void good_capture_make(struct good_capture *g)
{
	struct capture *c = &g->c;

	state(g);
	c->cpu = 1;
	c->flags = EV_STATE_ONLY;
	begin(g, GOOD_STAT, CB_EVF_V2, EV_STAT_X);
	cb_param_u64(c, 1);
	cb_param_str(c, "/file");
	cb_event_end(c);
	begin(g, GOOD_OPENAT, CB_EV_V2, EV_OPENAT_2_X);
	cb_param_u64(c, 4);
	cb_param_u64(c, (uint64_t)EV_FD_CWD);
	cb_param_str(c, "/tmp/f");
	cb_param_u32(c, 0x1001);
	cb_param_u32(c, 0);
	cb_param_u32(c, 6);
	cb_param_u64(c, 77);
	cb_event_end(c);
	sockets(g);
	calls(g);
	execve(g);
	own_events(g);
	uring(g);
	hash(g);
	begin(g, GOOD_OLD, CB_EV, EV_STAT_X);
	cb_param_u64(c, 0);
	cb_param_str(c, "/x");
	cb_event_end(c);
	begin(g, GOOD_LAST, CB_EV_V2, EV_STAT_X);
	cb_param_u64(c, 0);
	cb_param_str(c, "/x");
	cb_event_end(c);
	g->at[GOOD_BLOCKS] = c->out.len;
}
