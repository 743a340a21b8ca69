/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls by int 0x80: other numbers, 32-bit arguments and structs, blocks of arguments. What they
 * point at lies below 4 GiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/tests/live.h"
#include "capture/wire.h"

#ifdef __x86_64__

static char *low; /* a page of the child that 32 bits can name */

static long ia32(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static long put(size_t at, const void *p, size_t n)
{
	memcpy(low + at, p, n);
	return (long)(intptr_t)(low + at);
}

static void prepare(void)
{
	live_pause();
	low = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_POPULATE, -1, 0);
	LIVE_NEED(low != MAP_FAILED);
	live_resume();
}

/* --- numbers --- */

static void numbers(void *shared)
{
	(void)shared;
	prepare();
	ia32(6, -7, 0, 0, 0, 0);   /* close */
	ia32(17, 1, 2, 3, 4, 5);   /* nothing */
	ia32(999, 1, 2, 3, 4, 5);  /* beyond all tables */
	ia32(322, 99, 0, 0, 0, 0); /* timerfd_create, in 64 bits execveat */
	ia32(59, low ? 1 : 0, 0, 0, 0, 0);
	ia32(203, -1, -1, 0, 0, 0);  /* setreuid of 32-bit ids */
	live_call(17, -1, 0, 0, 0);  /* pread64 */
	live_call(480, -1, 0, 0, 0); /* younger than the codes of the format */
}

static void a_32_bit_number_means_what_it_means_to_32_bit_code(void **state)
{
	struct live *l = *state;
	struct live_event *e;

	live_run(l, "close,ia32,timerfd_create,execveat,setreuid,pread64,read", numbers);
	e = expect_event(l, EV_CLOSE_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "fd", -7);
	e = expect_event(l, EV_GENERIC_X);
	expect_i64(e, "ID", 0);
	expect_i64(e, "nativeID", WIRE_NATIVE_IA32 | 17);
	e = expect_event(l, EV_GENERIC_X);
	expect_i64(e, "nativeID", WIRE_NATIVE_IA32 | 999);
	e = expect_event(l, EV_TIMERFD_CREATE_X);
	expect_i64(e, "res", -EINVAL);
	expect_i64(e, "clockid", 99);
	e = expect_event(l, EV_GENERIC_X);
	expect_i64(e, "nativeID", WIRE_NATIVE_IA32 | 59);
	e = expect_event(l, EV_SETREUID_X);
	expect_i64(e, "ruid", 4294967295);
	e = expect_event(l, EV_PREAD_X);
	expect_i64(e, "res", -EBADF);
	e = expect_event(l, EV_GENERIC_X);
	expect_i64(e, "ID", 0);
	expect_i64(e, "nativeID", 480);
	expect_end(l);
}

/* --- arguments --- */

static void arguments(void *shared)
{
	const int32_t time[2] = {0, 1000};
	const uint32_t map[6] = {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1u, 0};
	long path;

	(void)shared;
	prepare();
	path = put(0, "/none/there", 12);
	ia32(5, path, O_RDWR | O_CREAT, 0640, 0, 0);	    /* open */
	ia32(180, -1, path, 7, 2, 3);			    /* pread64, the offset in two */
	ia32(140, -1, 5, 6, put(16, "12345678", 8), 1);	    /* _llseek */
	ia32(192, 0, 4096, PROT_READ, MAP_PRIVATE, -1);	    /* mmap2 */
	ia32(90, put(32, map, sizeof(map)), 0, 0, 0, 0);    /* mmap of a block */
	ia32(22, path, 0, 0, 0, 0);			    /* umount */
	ia32(162, put(64, time, sizeof(time)), 0, 0, 0, 0); /* nanosleep */
	ia32(191, 7, put(128, "", 1), 0, 0, 0);		    /* getrlimit */
	ia32(4, -1, path, 5, 0, 0);			    /* write */
	ia32(16, path, 0x1ffff, 7, 0, 0);		    /* lchown of 16-bit ids */
	ia32(165, put(256, "", 1), put(260, "", 1), put(264, "\0\0ab", 4), 0,
	     0); /* getresuid, too */
}

static void arguments_are_32_bits_wide(void **state)
{
	struct live *l = *state;
	struct live_event *e;

	live_run(l, "open,pread64,lseek,mmap,umount2,nanosleep,getrlimit,write,lchown,getresuid",
		 arguments);
	e = expect_event(l, EV_OPEN_X);
	expect_i64(e, "fd", -ENOENT);
	expect_str(e, "name", "/none/there");
	expect_i64(e, "mode", 0640);
	e = expect_event(l, EV_PREAD_X);
	expect_i64(e, "fd", -1);
	expect_i64(e, "size", 7);
	expect_i64(e, "pos", 0x300000002);
	e = expect_event(l, EV_LLSEEK_X);
	expect_i64(e, "fd", -1);
	expect_i64(e, "offset", 0x500000006);
	e = expect_event(l, EV_MMAP2_X);
	expect_i64(e, "length", 4096);
	expect_i64(e, "fd", -1);
	e = expect_event(l, EV_MMAP_X);
	assert_true(live_number(e, "res") > 0);
	expect_i64(e, "length", 4096);
	expect_i64(e, "fd", -1);
	e = expect_event(l, EV_UMOUNT_1_X);
	expect_i64(e, "res", -ENOENT);
	expect_str(e, "name", "/none/there");
	e = expect_event(l, EV_NANOSLEEP_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "interval", 1000);
	e = expect_event(l, EV_GETRLIMIT_X);
	expect_i64(e, "res", 0);
	assert_true(live_number(e, "cur") > 0 && live_number(e, "cur") < UINT32_MAX);
	e = expect_event(l, EV_WRITE_X);
	expect_bytes(e, "data", "/none", 5);
	e = expect_event(l, EV_LCHOWN_X);
	expect_str(e, "path", "/none/there");
	expect_i64(e, "uid", 4294967295);
	expect_i64(e, "gid", 7);
	e = expect_event(l, EV_GETRESUID_X);
	expect_i64(e, "res", 0);
	expect_i64(e, "suid", (uint16_t)geteuid());
	expect_end(l);
}

/* --- blocks of arguments --- */

static long block(size_t at, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e)
{
	const uint32_t v[6] = {a, b, c, d, e, 0};

	return put(at, v, sizeof(v));
}

static void socketcalls(void *shared)
{
	const uint16_t address[8] = {AF_INET, 0x0900, 0x007f, 0x0100};
	uint32_t text, to, vector[2], message[7] = {0};
	long fd;

	(void)shared;
	prepare();
	text = (uint32_t)put(256, "hello", 6);
	to = (uint32_t)put(272, address, sizeof(address));
	fd = ia32(102, 1, block(0, AF_INET, SOCK_DGRAM, 0, 0, 0), 0, 0, 0); /* socket */
	ia32(102, 3, block(32, (uint32_t)fd, to, 16, 0, 0), 0, 0, 0);	    /* connect */
	ia32(102, 9, block(64, (uint32_t)fd, text, 5, 0, 0), 0, 0, 0);	    /* send */
	vector[0] = text;
	vector[1] = 3;
	message[2] = (uint32_t)put(304, vector, sizeof(vector));
	message[3] = 1;
	ia32(102, 16,
	     block(96, (uint32_t)fd, (uint32_t)put(320, message, sizeof(message)), 0, 0, 0), 0, 0,
	     0);							 /* sendmsg */
	ia32(102, 10, block(128, (uint32_t)-3, text, 5, 0, 0), 0, 0, 0); /* recv */
	ia32(102, 77, 0, 0, 0, 0);
	ia32(117, 2, 0x1234, -1, 3, 0);				  /* ipc: semget */
	ia32(117, 1, -5, 1, 0, put(400, "\1\0\377\377\0\10", 6)); /* semop */
}

static void blocks_of_arguments_are_read(void **state)
{
	const uint8_t tuple[13] = {2, 127, 0, 0, 1, 0, 0, 127, 0, 0, 1, 9, 0};
	struct live *l = *state;
	struct live_event *e;
	struct ev_value v;

	live_run(l, "socket,connect,sendto,sendmsg,recvfrom,semget,semop,ia32", socketcalls);
	e = expect_event(l, EV_SOCKET_X);
	assert_true(live_number(e, "fd") >= 0);
	expect_i64(e, "domain", AF_INET);
	expect_i64(e, "type", SOCK_DGRAM);
	e = expect_event(l, EV_CONNECT_X);
	expect_i64(e, "res", 0);
	v = live_value(e, "tuple");
	assert_int_equal(v.n, sizeof(tuple));
	assert_memory_equal(v.p + 7, tuple + 7, 6);
	e = expect_event(l, EV_SENDTO_X);
	expect_i64(e, "res", 5);
	expect_bytes(e, "data", "hello", 5);
	expect_i64(e, "size", 5);
	e = expect_event(l, EV_SENDMSG_X);
	expect_bytes(e, "data", "hel", 3);
	expect_i64(e, "size", 3);
	e = expect_event(l, EV_RECVFROM_X);
	expect_i64(e, "res", -EBADF);
	expect_i64(e, "fd", -3);
	expect_i64(e, "size", 5);
	e = expect_event(l, EV_GENERIC_X);
	expect_i64(e, "nativeID", WIRE_NATIVE_IA32 | 102);
	e = expect_event(l, EV_SEMGET_X);
	expect_i64(e, "key", 0x1234);
	expect_i64(e, "nsems", -1);
	e = expect_event(l, EV_SEMOP_X);
	assert_true(live_number(e, "res") < 0);
	expect_i64(e, "semid", -5);
	expect_i64(e, "nsops", 1);
	expect_end(l);
}

LIVE_MAIN("ia32",
	  "close,ia32,timerfd_create,execveat,setreuid,pread64,read,open,lseek,mmap,umount2,"
	  "nanosleep,getrlimit,write,lchown,getresuid,socket,connect,sendto,sendmsg,recvfrom,"
	  "semget,semop",
	  cmocka_unit_test(a_32_bit_number_means_what_it_means_to_32_bit_code),
	  cmocka_unit_test(arguments_are_32_bits_wide),
	  cmocka_unit_test(blocks_of_arguments_are_read))

#else

int main(void)
{
	return LIVE_SKIPPED;
}

#endif
