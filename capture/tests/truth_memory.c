/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on memory, locks and semaphores, parameter by parameter. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"

#define CALLS(table) table, sizeof(table) / sizeof(*(table))
#define PLACE	     0x200000000000 /* nothing is there */
#define PAGES	     (8 * 4096)
/* Each of three counters may lack what the CPUs have not added yet: defect 4, kept. */
#define RSS_SLACK (3 * 64 * 4 * (int64_t)sysconf(_SC_NPROCESSORS_CONF))

static unsigned notes;

/* Size and resident pages of this process in KiB: facts 2n and 2n + 1 of note n. */
static void note_memory(int64_t *fact, long ret)
{
	char text[128] = {0};
	int fd = open("/proc/self/statm", O_RDONLY);
	long size, resident;

	(void)ret;
	LIVE_NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	LIVE_NEED(sscanf(text, "%ld %ld", &size, &resident) == 2);
	/* As 32 bits hold it: with the address sanitizer it is too large for them. */
	fact[2 * notes] = (uint32_t)(size * (sysconf(_SC_PAGESIZE) / 1024));
	fact[2 * notes + 1] = (uint32_t)(resident * (sysconf(_SC_PAGESIZE) / 1024));
	notes++;
}

#define MEMORY(note)                                                                               \
	FACT("vm_size", 2 * (note)), NEAR("vm_rss", 2 * (note) + 1, RSS_SLACK), INT("vm_swap", 0), \
	    AFTER(note_memory)

static void mapping(void **state)
{
	const struct truth_call calls[] = {
	    {EV_MMAP_X,
	     SYS_mmap,
	     {PLACE, PAGES, PROT_READ | PROT_WRITE,
	      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0},
	     PLACE,
	     {RET("res"), MEMORY(0), INT("addr", PLACE), INT("length", PAGES),
	      FLAGS("prot", "PROT_READ|PROT_WRITE"),
	      FLAGS("flags", "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED|MAP_POPULATE"), INT("fd", -1),
	      INT("offset", 0)}},
	    {EV_MMAP_X,
	     SYS_mmap,
	     {0x1001, 0, PROT_EXEC, MAP_SHARED | MAP_NORESERVE | MAP_32BIT, 77, 0x3000},
	     -EBADF,
	     {RET("res"), MEMORY(1), INT("addr", 0x1001), INT("length", 0),
	      FLAGS("prot", "PROT_EXEC"), FLAGS("flags", "MAP_SHARED|MAP_NORESERVE|MAP_32BIT"),
	      INT("fd", 77), INT("offset", 0x3000)}},
	    {EV_MPROTECT_X,
	     SYS_mprotect,
	     {PLACE, 4096, PROT_READ | PROT_EXEC},
	     0,
	     {RET("res"), INT("addr", PLACE), INT("length", 4096),
	      FLAGS("prot", "PROT_READ|PROT_EXEC")}},
	    {EV_MPROTECT_X,
	     SYS_mprotect,
	     {PLACE + 1, 4096, PROT_WRITE},
	     -EINVAL,
	     {RET("res"), INT("addr", PLACE + 1), INT("length", 4096),
	      FLAGS("prot", "PROT_WRITE")}},
	    {EV_MLOCK_X,
	     SYS_mlock,
	     {PLACE, 4096},
	     0,
	     {RET("res"), INT("addr", PLACE), INT("len", 4096)}},
	    {EV_MLOCK_X,
	     SYS_mlock,
	     {PLACE, 0x7fffffff00000000},
	     -ENOMEM,
	     {RET("res"), INT("addr", PLACE), INT("len", 0x7fffffff00000000)}},
	    {EV_MLOCK2_X,
	     SYS_mlock2,
	     {PLACE, 8192, 1},
	     0,
	     {RET("res"), INT("addr", PLACE), INT("len", 8192), FLAGS("flags", "MLOCK_ONFAULT")}},
	    {EV_MLOCK2_X,
	     SYS_mlock2,
	     {PLACE, 8192, 2},
	     -EINVAL,
	     {RET("res"), INT("addr", PLACE), INT("len", 8192), FLAGS("flags", "")}},
	    {EV_MUNLOCK_X,
	     SYS_munlock,
	     {PLACE, 8192},
	     0,
	     {RET("res"), INT("addr", PLACE), INT("len", 8192)}},
	    {EV_MUNLOCK_X,
	     SYS_munlock,
	     {PLACE - 4096, 4096},
	     -ENOMEM,
	     {RET("res"), INT("addr", PLACE - 4096), INT("len", 4096)}},
	    {EV_MLOCKALL_X,
	     SYS_mlockall,
	     {MCL_CURRENT | MCL_ONFAULT},
	     0,
	     {RET("res"), FLAGS("flags", "MCL_CURRENT|MCL_ONFAULT")}},
	    {EV_MLOCKALL_X, SYS_mlockall, {8}, -EINVAL, {RET("res"), FLAGS("flags", "")}},
	    {EV_MUNLOCKALL_X, SYS_munlockall, {0}, 0, {RET("res")}},
	    {EV_MUNMAP_X,
	     SYS_munmap,
	     {PLACE, PAGES},
	     0,
	     {RET("res"), MEMORY(2), INT("addr", PLACE), INT("length", PAGES)}},
	    {EV_MUNMAP_X,
	     SYS_munmap,
	     {PLACE + 3, 4096},
	     -EINVAL,
	     {RET("res"), MEMORY(3), INT("addr", PLACE + 3), INT("length", 4096)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

static void note_break(int64_t *fact, long ret)
{
	note_memory(fact, ret);
	fact[10] = (int64_t)syscall(SYS_brk, 0);
}

static void the_break(void **state)
{
	const struct truth_call calls[] = {
	    {EV_BRK_4_X, /* an address it cannot have: the break stays */
	     SYS_brk,
	     {1},
	     TRUTH_ANY,
	     {FACT("res", 10), FACT("vm_size", 0), NEAR("vm_rss", 1, RSS_SLACK), INT("vm_swap", 0),
	      INT("addr", 1), AFTER(note_break)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

static uint32_t word = 7;

static void futexes(void **state)
{
	const struct truth_call calls[] = {
	    {EV_FUTEX_X,
	     SYS_futex,
	     {P(&word), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x100000002},
	     0,
	     {RET("res"), INT("addr", P(&word)), FLAGS("op", "FUTEX_WAKE|FUTEX_PRIVATE_FLAG"),
	      INT("val", 0x100000002)}},
	    {EV_FUTEX_X,
	     SYS_futex,
	     {P(&word), FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 8, 0, 0, -1},
	     -EAGAIN,
	     {RET("res"), INT("addr", P(&word)),
	      FLAGS("op", "FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME"), INT("val", 8)}},
	};

	truth_calls(*state, NULL, CALLS(calls), NULL);
}

/* --- semaphores, in an IPC namespace of their own: the first set has the number 0 --- */

static struct sembuf two[3] = {
    {1, 5, SEM_UNDO}, {0, 0, IPC_NOWAIT | SEM_UNDO}, {2, 9, 0}}; /* the third is not told */
static struct sembuf one[1] = {{2, -1, IPC_NOWAIT}};
static struct sembuf up[1] = {{2, 3, 0}};

static void own_ipc(void)
{
	LIVE_NEED(!unshare(CLONE_NEWIPC));
}

static void semaphores(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SEMGET_X,
	     SYS_semget,
	     {0x12ab34cd, 3, IPC_CREAT | IPC_EXCL | 0600},
	     0,
	     {RET("res"), INT("key", 0x12ab34cd), INT("nsems", 3),
	      FLAGS("semflg", "IPC_CREAT|IPC_EXCL")}},
	    {EV_SEMGET_X,
	     SYS_semget,
	     {-2, -3, 0},
	     -EINVAL,
	     {RET("res"), INT("key", -2), INT("nsems", -3), FLAGS("semflg", "")}},
	    {EV_SEMOP_X,
	     SYS_semop,
	     {0, P(two), 3},
	     0,
	     {RET("res"), INT("nsops", 3), INT("sem_num_0", 1), INT("sem_op_0", 5),
	      FLAGS("sem_flg_0", "SEM_UNDO"), INT("sem_num_1", 0), INT("sem_op_1", 0),
	      FLAGS("sem_flg_1", "IPC_NOWAIT|SEM_UNDO"), INT("semid", 0)}},
	    {EV_SEMOP_X,
	     SYS_semop,
	     {0, P(one), 1},
	     0,
	     {RET("res"), INT("nsops", 1), INT("sem_num_0", 2), INT("sem_op_0", -1),
	      FLAGS("sem_flg_0", "IPC_NOWAIT"), INT("sem_num_1", 0), INT("sem_op_1", 0),
	      FLAGS("sem_flg_1", ""), INT("semid", 0)}},
	    {EV_SEMOP_X, /* nothing of one that failed */
	     SYS_semop,
	     {-4, P(up), 0x100000001},
	     -EINVAL,
	     {RET("res"), INT("nsops", 1), INT("sem_num_0", 0), INT("sem_op_0", 0),
	      FLAGS("sem_flg_0", ""), INT("sem_num_1", 0), INT("sem_op_1", 0),
	      FLAGS("sem_flg_1", ""), INT("semid", -4)}},
	    {EV_SEMCTL_X,
	     SYS_semctl,
	     {0, 1, SETVAL, 44},
	     0,
	     {RET("res"), INT("semid", 0), INT("semnum", 1), FLAGS("cmd", "SETVAL"),
	      INT("val", 44)}},
	    {EV_SEMCTL_X, /* a value only where there is one */
	     SYS_semctl,
	     {0, 1, GETVAL, 45},
	     44,
	     {RET("res"), INT("semid", 0), INT("semnum", 1), FLAGS("cmd", "GETVAL"),
	      INT("val", 0)}},
	    {EV_SEMCTL_X,
	     SYS_semctl,
	     {-7, -8, IPC_RMID, 1},
	     -EINVAL,
	     {RET("res"), INT("semid", -7), INT("semnum", -8), FLAGS("cmd", "IPC_RMID"),
	      INT("val", 0)}},
	};

	truth_calls(*state, own_ipc, CALLS(calls), NULL);
}

LIVE_MAIN("truth_memory",
	  "mmap,munmap,mprotect,brk,mlock,mlock2,munlock,mlockall,munlockall,futex,semget,semop,"
	  "semctl",
	  cmocka_unit_test(mapping), cmocka_unit_test(the_break), cmocka_unit_test(futexes),
	  cmocka_unit_test(semaphores))
