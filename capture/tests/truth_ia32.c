/* SPDX-License-Identifier: Apache-2.0 */
/* What only 32-bit code can call, and the structs that are narrower there, by int 0x80. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"
#include "capture/wire.h"

#ifdef __x86_64__

#define LOW_LEN 16384

enum { /* 32-bit numbers */
       IA32_READ = 3,
       IA32_OPEN = 5,
       IA32_UMOUNT = 22,
       IA32_SOCKETCALL = 102,
       IA32_LLSEEK = 140,
       IA32_READV = 145,
       IA32_WRITEV = 146,
       IA32_MMAP2 = 192,
};
enum { CALL_SOCKET = 1, CALL_SOCKETPAIR = 8, CALL_SENDMSG = 16, CALL_RECVMSG = 17 };

static char *low; /* memory that 32 bits can name */
static size_t used;

struct facts {
	long ret[16];
	int n;
	uint32_t at[8]; /* addresses */
	uint32_t size_kb, resident_kb;
};

/* All six arguments: the sixth is in the frame pointer, which the compiler must get back. */
static long ia32(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	__asm__ volatile("push %%rbp\n\t"
			 "mov %[f], %%rbp\n\t"
			 "int $0x80\n\t"
			 "pop %%rbp"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "r"(f)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

/* A call whose result the test gets. */
static void call(struct facts *t, long nr, long a, long b, long c, long d, long e)
{
	t->ret[t->n++] = ia32(nr, a, b, c, d, e, 0);
}

static uint32_t put(const void *p, size_t n)
{
	char *at = low + used;

	memcpy(at, p, n);
	used += (n + 15) & ~(size_t)15;
	return (uint32_t)(uintptr_t)at;
}

static uint32_t put_text(const char *text)
{
	return put(text, strlen(text) + 1);
}

static uint32_t put_words(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	const uint32_t v[4] = {a, b, c, d};

	return put(v, sizeof(v));
}

static void prepare(void)
{
	live_pause();
	truth_enter_directory();
	low = mmap(NULL, LOW_LEN, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_POPULATE, -1, 0);
	LIVE_NEED(low != MAP_FAILED);
	truth_move_fd(open("data", O_RDWR | O_CREAT, 0600), 100);
	LIVE_NEED(write(100, "some bytes of a file", 20) == 20 && !lseek(100, 0, SEEK_SET));
	live_resume();
}

/* --- files: defects 2 and 3 need what works for 64-bit code to work here --- */

static void use_files(void *shared)
{
	struct facts *t = shared;
	uint32_t buffer;

	prepare();
	call(t, IA32_OPEN, put_text("data"), O_RDONLY, 0, 0, 0);
	call(t, IA32_OPEN, put_text("nothing"), O_RDWR | O_CREAT | O_EXCL, 0711, 0, 0);
	call(t, IA32_OPEN, put_text("nothing"), O_RDWR | O_CREAT | O_EXCL, 0711, 0, 0);
	buffer = put_text("left by the caller");
	call(t, IA32_READ, 100, buffer, 10, 0, 0);
	call(t, IA32_READ, -1, buffer, 11, 0, 0);
	call(t, 17, 1, 2, 3, 4, 5);  /* a number of nothing: not a read */
	call(t, 999, 1, 2, 3, 4, 5); /* and one that does not exist */
	call(t, IA32_READ, 0x12345678, 0, 0x9abcdef0, 0, 0);
}

static void files_of_32_bit_callers(void **state)
{
	struct live *l = *state;
	const struct facts *t = live_run(l, "open,read,ia32", use_files);
	struct live_event *e = expect_event(l, EV_OPEN_X);

	expect_i64(e, "fd", t->ret[0]);
	expect_str(e, "name", "data");
	expect_flags(e, "flags", "O_RDONLY");
	expect_i64(e, "mode", 0);
	e = expect_event(l, EV_OPEN_X);
	assert_true(t->ret[1] >= 0);
	expect_i64(e, "fd", t->ret[1]);
	expect_str(e, "name", "nothing");
	expect_flags(e, "flags", "O_RDWR|O_CREAT|O_EXCL|O_F_CREATED");
	expect_i64(e, "mode", 0711);
	e = expect_event(l, EV_OPEN_X);
	expect_i64(e, "fd", -EEXIST);
	e = expect_event(l, EV_READ_X);
	expect_i64(e, "res", 10);
	expect_bytes(e, "data", "some bytes", 10);
	expect_i64(e, "fd", 100);
	expect_i64(e, "size", 10);
	e = expect_event(l, EV_READ_X);
	expect_i64(e, "res", -EBADF);
	expect_empty(e, "data");
	expect_i64(e, "fd", -1);
	expect_i64(e, "size", 11);
	for (int i = 5; i < 7; i++) {
		e = expect_event(l, EV_GENERIC_X);
		assert_int_equal(t->ret[i], -ENOSYS);
		expect_i64(e, "ID", 0);
		expect_i64(e, "nativeID", WIRE_NATIVE_IA32 | (i == 5 ? 17 : 999));
	}
	e = expect_event(l, EV_READ_X);
	expect_i64(e, "fd", 0x12345678);
	expect_i64(e, "size", 0x9abcdef0);
	expect_end(l);
}

/* --- calls that 64-bit code does not have --- */

static void seek(void *shared)
{
	struct facts *t = shared;
	uint32_t result;

	prepare();
	result = put_words(0, 0, 0, 0);
	call(t, IA32_LLSEEK, 100, 1, 7, result, SEEK_SET);
	call(t, IA32_LLSEEK, -2, 0xffffffff, 0xfffffffe, result, SEEK_END);
}

static void seeking_with_two_halves(void **state)
{
	struct live *l = *state;
	struct live_event *e;

	live_run(l, "lseek", seek);
	e = expect_event(l, EV_LLSEEK_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "fd", 100);
	expect_i64(e, "offset", 0x100000007);
	expect_flags(e, "whence", "SEEK_SET");
	e = expect_event(l, EV_LLSEEK_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "fd", -2);
	expect_i64(e, "offset", -2);
	expect_flags(e, "whence", "SEEK_END");
	expect_end(l);
}

static void unmount(void *shared)
{
	struct facts *t = shared;

	prepare();
	live_pause();
	LIVE_NEED(!mkdir("dir", 0700) && !mount("none", "dir", "tmpfs", 0, NULL));
	live_resume();
	call(t, IA32_UMOUNT, put_text("dir"), 0, 0, 0, 0);
	call(t, IA32_UMOUNT, put_text("nothing"), 0, 0, 0, 0);
}

static void unmounting_without_flags(void **state)
{
	struct live *l = *state;
	struct live_event *e;

	live_run(l, "umount2", unmount);
	e = expect_event(l, EV_UMOUNT_1_X);
	expect_i64(e, "res", 0);
	expect_str(e, "name", "dir");
	e = expect_event(l, EV_UMOUNT_1_X);
	expect_i64(e, "res", -ENOENT);
	expect_str(e, "name", "nothing");
	expect_end(l);
}

static void map_pages(void *shared)
{
	struct facts *t = shared;
	char text[128] = {0};
	long size, resident;
	int fd;

	prepare();
	t->ret[0] = ia32(IA32_MMAP2, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, 100, 3);
	live_pause();
	fd = open("/proc/self/statm", O_RDONLY);
	LIVE_NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	LIVE_NEED(sscanf(text, "%ld %ld", &size, &resident) == 2);
	t->size_kb = (uint32_t)(size * 4);
	t->resident_kb = (uint32_t)(resident * 4);
	live_resume();
	t->ret[1] = ia32(IA32_MMAP2, 4096, 0x1000, PROT_EXEC, MAP_SHARED, -6, 0xfffff);
}

static void expect_size(struct live_event *e, const struct facts *t)
{
	/* Each of three counters may lack what the CPUs have not added yet: defect 4, kept. */
	const int64_t slack = 3 * 64 * 4 * (int64_t)sysconf(_SC_NPROCESSORS_CONF);

	expect_i64(e, "vm_size", t->size_kb);
	expect_range(e, "vm_rss", t->resident_kb - slack, t->resident_kb + slack);
	expect_i64(e, "vm_swap", 0);
}

static void mapping_with_pages_for_an_offset(void **state)
{
	struct live *l = *state;
	const struct facts *t = live_run(l, "mmap", map_pages);
	struct live_event *e = expect_event(l, EV_MMAP2_X);

	expect_i64(e, "res", (uint32_t)t->ret[0]);
	expect_size(e, t);
	expect_i64(e, "addr", 0);
	expect_i64(e, "length", 8192);
	expect_flags(e, "prot", "PROT_READ|PROT_WRITE");
	expect_flags(e, "flags", "MAP_PRIVATE");
	expect_i64(e, "fd", 100);
	expect_i64(e, "pgoffset", 3);
	e = expect_event(l, EV_MMAP2_X);
	expect_i64(e, "res", -EBADF);
	expect_size(e, t);
	expect_i64(e, "addr", 4096);
	expect_i64(e, "length", 0x1000);
	expect_flags(e, "prot", "PROT_EXEC");
	expect_flags(e, "flags", "MAP_SHARED");
	expect_i64(e, "fd", -6);
	expect_i64(e, "pgoffset", 0xfffff);
	expect_end(l);
}

/* --- structs: defect 15 --- */

static void use_vectors(void *shared)
{
	struct facts *t = shared;
	uint32_t a, b, vector;

	prepare();
	a = put_text("first");
	b = put_text("second");
	vector = put_words(a, 3, b, 6);
	call(t, IA32_WRITEV, 100, vector, 2, 0, 0);
	call(t, IA32_WRITEV, -1, vector, 2, 0, 0);
	LIVE_NEED(!live_call(8 /* lseek */, 100, 0, SEEK_SET));
	call(t, IA32_READV, 100, vector, 2, 0, 0);
}

static void vectors_of_32_bit_callers(void **state)
{
	struct live *l = *state;
	struct live_event *e;

	live_run(l, "readv,writev", use_vectors);
	e = expect_event(l, EV_WRITEV_X);
	expect_i64(e, "res", 9);
	expect_bytes(e, "data", "firsecond", 9);
	expect_i64(e, "fd", 100);
	expect_i64(e, "size", 9);
	e = expect_event(l, EV_WRITEV_X);
	expect_i64(e, "res", -EBADF);
	expect_bytes(e, "data", "firsecond", 9);
	expect_i64(e, "fd", -1);
	expect_i64(e, "size", 9);
	e = expect_event(l, EV_READV_X);
	expect_i64(e, "res", 9);
	expect_i64(e, "size", 9);
	expect_bytes(e, "data", "firsecond", 9);
	expect_i64(e, "fd", 100);
	expect_end(l);
}

/* The message header of a 32-bit caller: seven words. */
static uint32_t put_message(uint32_t vector, uint32_t count, uint32_t control, uint32_t room)
{
	const uint32_t v[7] = {0, 0, vector, count, control, room, 0};

	return put(v, sizeof(v));
}

static void send_messages(void *shared)
{
	/* cmsghdr of a 32-bit caller: length, SOL_SOCKET, SCM_RIGHTS, one descriptor. */
	const uint32_t rights[4] = {16, SOL_SOCKET, SCM_RIGHTS, 100};
	struct facts *t = shared;
	uint32_t pair, vector, out, in, control;
	const int *fds;

	prepare();
	pair = put_words(0, 0, 0, 0);
	call(t, IA32_SOCKETCALL, CALL_SOCKET, put_words(AF_UNIX, SOCK_STREAM, 0, 0), 0, 0, 0);
	call(t, IA32_SOCKETCALL, CALL_SOCKET, put_words(AF_INET, 77, 9, 0), 0, 0, 0);
	call(t, IA32_SOCKETCALL, CALL_SOCKETPAIR, put_words(AF_UNIX, SOCK_DGRAM, 0, pair), 0, 0, 0);
	fds = (const int *)(uintptr_t)pair;
	t->at[0] = (uint32_t)fds[0];
	t->at[1] = (uint32_t)fds[1];
	vector = put_words(put_text("message"), 7, put_text(" and more"), 9);
	out = put_message(vector, 2, put(rights, sizeof(rights)), sizeof(rights));
	call(t, IA32_SOCKETCALL, CALL_SENDMSG, put_words(t->at[0], out, 0, 0), 0, 0, 0);
	control = put(rights, sizeof(rights));
	used += 64;
	in = put_message(put_words(put_text("1234567890"), 10, put_text("abcdefghij"), 10), 2,
			 control, 64);
	call(t, IA32_SOCKETCALL, CALL_RECVMSG, put_words(t->at[1], in, 0, 0), 0, 0, 0);
	memcpy(&t->at[2], (const void *)(uintptr_t)control, 16);
	call(t, IA32_SOCKETCALL, CALL_SENDMSG, put_words((uint32_t)-4, out, 0, 0), 0, 0, 0);
}

static void messages_of_32_bit_callers(void **state)
{
	struct live *l = *state;
	const struct facts *t = live_run(l, "socket,socketpair,sendmsg,recvmsg", send_messages);
	struct live_event *e = expect_event(l, EV_SOCKET_X);

	expect_i64(e, "fd", t->ret[0]);
	expect_i64(e, "domain", AF_UNIX);
	expect_i64(e, "type", SOCK_STREAM);
	expect_i64(e, "proto", 0);
	e = expect_event(l, EV_SOCKET_X);
	assert_true(t->ret[1] < 0);
	expect_i64(e, "fd", t->ret[1]);
	expect_i64(e, "type", 77);
	expect_i64(e, "proto", 9);
	e = expect_event(l, EV_SOCKETPAIR_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "fd1", t->at[0]);
	expect_i64(e, "fd2", t->at[1]);
	e = expect_event(l, EV_SENDMSG_X);
	expect_i64(e, "res", 16);
	expect_i64(e, "fd", t->at[0]);
	expect_i64(e, "size", 16);
	expect_bytes(e, "data", "message and more", 16);
	e = expect_event(l, EV_RECVMSG_X);
	expect_i64(e, "res", 16);
	expect_i64(e, "fd", t->at[1]);
	expect_i64(e, "size", 16);
	expect_bytes(e, "data", "message and more", 16);
	expect_bytes(e, "msgcontrol", &t->at[2], 16);
	e = expect_event(l, EV_SENDMSG_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "fd", -4);
	expect_i64(e, "size", 16);
	expect_bytes(e, "data", "message and more", 16);
	expect_end(l);
}

LIVE_MAIN("truth_ia32",
	  "open,read,ia32,lseek,umount2,mmap,readv,writev,socket,socketpair,sendmsg,recvmsg",
	  cmocka_unit_test(files_of_32_bit_callers), cmocka_unit_test(seeking_with_two_halves),
	  cmocka_unit_test(unmounting_without_flags),
	  cmocka_unit_test(mapping_with_pages_for_an_offset),
	  cmocka_unit_test(vectors_of_32_bit_callers), cmocka_unit_test(messages_of_32_bit_callers))

#else

int main(void)
{
	return LIVE_SKIPPED;
}

#endif
