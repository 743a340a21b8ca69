/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bit and every value that flag-mappings.tsv knows of a parameter, and bits it does not
 * know, given to the kernel in calls that fail; what is recorded must be what the table says. The
 * table is read and applied here by code of its own, not by the generator's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/live.h"

#define BAD	   16 /* an address where nothing is */
#define VALUES_MAX 128
#define ROWS_MAX   1024

struct sweep {
	const char *family, *param;
	unsigned type;
	long nr;
	int arg;	  /* which argument takes the value */
	unsigned shift;	  /* and how far up in it */
	uint32_t with;	  /* what is always set, too: makes the call fail */
	bool no_negative; /* of negative values nothing is told */
	long a[6];
};

/* clang-format off */
static const struct sweep sweeps[] = {
	{"open_flags", "flags", EV_OPEN_X, SYS_open, 1, 0, 0, false, {BAD}},
	{"open_flags", "flags", EV_OPENAT_2_X, SYS_openat, 2, 0, 0, false, {-1, BAD}},
	{"open_mode", "mode", EV_OPEN_X, SYS_open, 2, 0, 0, false, {BAD, O_CREAT}},
	{"open_mode", "mode", EV_CREAT_X, SYS_creat, 1, 0, 0, false, {BAD}},
	{"timerfd_create_flags", "flags", EV_TIMERFD_CREATE_X, SYS_timerfd_create, 1, 0, 0, true, {0x63}},
	{"inotify_init1_flags", "flags", EV_INOTIFY_INIT1_X, SYS_inotify_init1, 0, 0, 1, true, {0}},
	{"eventfd2_flags", "flags", EV_EVENTFD2_X, SYS_eventfd2, 1, 0, 2, true, {0}},
	{"signalfd4_flags", "flags", EV_SIGNALFD4_X, SYS_signalfd4, 3, 0, 0, true, {-1, BAD, 8}},
	{"clone_flags", "nstype", EV_SETNS_X, SYS_setns, 1, 0, 0, false, {-1}},
	{"socket_type_flags", "flags", EV_ACCEPT4_6_X, SYS_accept4, 3, 0, 0, false, {-1}},
	{"socket_family", "domain", EV_SOCKET_X, SYS_socket, 0, 0, 0, false, {0, 0x700}},
	{"mmap_prot", "prot", EV_MPROTECT_X, SYS_mprotect, 2, 0, 0, false, {1}},
	{"mmap_flags", "flags", EV_MMAP_X, SYS_mmap, 3, 0, 0, false, {1, 0, 0, 0, -1}},
	{"fcntl_cmd", "cmd", EV_FCNTL_X, SYS_fcntl, 1, 0, 0, false, {-1}},
	{"futex_op", "op", EV_FUTEX_X, SYS_futex, 1, 0, 0, false, {1}},
	{"access_mode", "mode", EV_ACCESS_X, SYS_access, 1, 0, 0, false, {BAD}},
	{"rlimit_resource", "resource", EV_GETRLIMIT_X, SYS_getrlimit, 0, 0, 0, false, {0, BAD}},
	{"rlimit_resource", "resource", EV_PRLIMIT_X, SYS_prlimit64, 1, 0, 0, false, {-5}},
	{"shutdown_how", "how", EV_SHUTDOWN_X, SYS_shutdown, 1, 0, 0, false, {-1}},
	{"lseek_whence", "whence", EV_LSEEK_X, SYS_lseek, 2, 0, 0, false, {-1}},
	{"flock_op", "operation", EV_FLOCK_X, SYS_flock, 1, 0, 0, false, {-1}},
	{"quotactl_cmd", "cmd", EV_QUOTACTL_X, SYS_quotactl, 0, 8, 0, false, {0, BAD}},
	{"quotactl_type", "type", EV_QUOTACTL_X, SYS_quotactl, 0, 0, 0x80000700, false, {0, BAD}},
	{"semget_flags", "semflg", EV_SEMGET_X, SYS_semget, 2, 0, 0, false, {1, -3}},
	{"semctl_cmd", "cmd", EV_SEMCTL_X, SYS_semctl, 2, 0, 0, false, {-7, -1, 0, BAD}},
	{"mlockall_flags", "flags", EV_MLOCKALL_X, SYS_mlockall, 0, 0, 8, false, {0}},
	{"mlock2_flags", "flags", EV_MLOCK2_X, SYS_mlock2, 2, 0, 8, false, {0}},
	{"memfd_create_flags", "flags", EV_MEMFD_CREATE_X, SYS_memfd_create, 1, 0, 0, false, {BAD}},
	{"unlinkat_flags", "flags", EV_UNLINKAT_2_X, SYS_unlinkat, 2, 0, 0, false, {-1, BAD}},
	{"linkat_flags", "flags", EV_LINKAT_2_X, SYS_linkat, 4, 0, 0, false, {-1, BAD, -1, BAD}},
	{"newfstatat_flags", "flags", EV_NEWFSTATAT_X, SYS_newfstatat, 3, 0, 0, false, {-1, BAD, BAD}},
	{"chmod_mode", "mode", EV_FCHMOD_X, SYS_fchmod, 1, 0, 0, false, {-1}},
	{"umount2_flags", "flags", EV_UMOUNT2_X, SYS_umount2, 1, 0, 0, false, {BAD}},
	{"fchownat_flags", "flags", EV_FCHOWNAT_X, SYS_fchownat, 4, 0, 0, false, {-1, BAD}},
	{"mknod_mode", "mode", EV_MKNOD_X, SYS_mknod, 1, 0, 0, false, {BAD}},
	{"dup3_flags", "flags", EV_DUP3_X, SYS_dup3, 2, 0, 0, false, {-1, 5}},
	{"pipe2_flags", "flags", EV_PIPE2_X, SYS_pipe2, 1, 0, 0, true, {BAD}},
	{"epoll_create1_flags", "flags", EV_EPOLL_CREATE1_X, SYS_epoll_create1, 0, 0, 2, false, {0}},
	{"splice_flags", "flags", EV_SPLICE_X, SYS_splice, 5, 0, 0, false, {-1, 0, -1, 0, 1}},
	{"pidfd_open_flags", "flags", EV_PIDFD_OPEN_X, SYS_pidfd_open, 1, 0, 0, false, {-1}},
	{"finit_module_flags", "flags", EV_FINIT_MODULE_X, SYS_finit_module, 2, 0, 0, false, {-1, BAD}},
	{"delete_module_flags", "flags", EV_DELETE_MODULE_X, SYS_delete_module, 1, 0, 0, false, {BAD}},
	{"close_range_flags", "flags", EV_CLOSE_RANGE_X, SYS_close_range, 2, 0, 0, false, {9, 8}},
	{"io_uring_enter_flags", "flags", EV_IO_URING_ENTER_X, SYS_io_uring_enter, 3, 0, 0, false, {-1}},
	{"sockopt_level", "level", EV_SETSOCKOPT_X, SYS_setsockopt, 1, 0, 0, false, {-1, 0, 1}},
	{"sockopt_optname", "optname", EV_GETSOCKOPT_X, SYS_getsockopt, 2, 0, 0, false, {-1, SOL_SOCKET, 0, BAD, BAD}},
	{"ptrace_request", "request", EV_PTRACE_X, SYS_ptrace, 0, 0, 0, false, {0, -1}},
};
#define SWEEPS (sizeof(sweeps) / sizeof(*sweeps))
/* clang-format on */

/* --- the table --- */

enum match { MATCH_BITS, MATCH_EQUALS, MATCH_OTHERWISE };

static struct row {
	char family[40];
	int64_t value, mapped;
	enum match match;
} rows[ROWS_MAX];
static size_t nrows;

static void read_row(char *line)
{
	struct row *r = &rows[nrows];
	char *cell[8];

	if (live_split(line, cell, 8) < 6 || nrows == ROWS_MAX)
		return;
	if (!strcmp(cell[5], "bitmask-any"))
		r->match = MATCH_BITS;
	else if (!strcmp(cell[5], "equals"))
		r->match = MATCH_EQUALS;
	else if (!strcmp(cell[5], "otherwise"))
		r->match = MATCH_OTHERWISE;
	else
		return;
	if (r->match != MATCH_OTHERWISE && !*cell[2]) /* a constant that the machine lacks */
		return;
	snprintf(r->family, sizeof(r->family), "%s", cell[0]);
	r->value = strtoll(cell[2], NULL, 10);
	r->mapped = strtoll(cell[4], NULL, 10);
	nrows++;
}

static int read_table(void)
{
	FILE *f = fopen(SOURCE_DIR "/capture/schema/flag-mappings.tsv", "r");
	char line[1024];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		read_row(line);
	fclose(f);
	return nrows ? 0 : -1;
}

/* The part of a value that "equals" looks at. */
static uint32_t compared_part(const char *family, uint32_t v)
{
	if (!strcmp(family, "open_flags"))
		return v & 3;
	if (!strcmp(family, "futex_op"))
		return v & 127;
	if (!strcmp(family, "mknod_mode"))
		return v & 0170000;
	if (!strcmp(family, "quotactl_type"))
		return v & 255;
	if (!strcmp(family, "socket_family"))
		return v & 255;
	return v;
}

static uint32_t map(const char *family, uint32_t v)
{
	uint32_t mapped = 0, otherwise = 0;
	bool equal = false;

	for (size_t i = 0; i < nrows; i++) {
		const struct row *r = &rows[i];

		if (strcmp(r->family, family) != 0)
			continue;
		if (r->match == MATCH_BITS && (v & (uint32_t)r->value))
			mapped |= (uint32_t)r->mapped;
		if (r->match == MATCH_OTHERWISE)
			otherwise = (uint32_t)r->mapped;
		if (r->match == MATCH_EQUALS && !equal &&
		    compared_part(family, v) == (uint32_t)r->value) {
			mapped |= (uint32_t)r->mapped;
			equal = true;
		}
	}
	if (!strcmp(family, "mknod_mode"))
		mapped |= map("chmod_mode", v);
	return equal ? mapped : mapped | otherwise;
}

/* --- the values --- */

static size_t values_of(const struct sweep *s, uint32_t *v)
{
	size_t n = 0;

	v[n++] = 0;
	for (unsigned bit = 0; bit < 32; bit++)
		v[n++] = 1u << bit;
	for (size_t i = 0; i < nrows && n < VALUES_MAX; i++)
		if (!strcmp(rows[i].family, s->family))
			v[n++] = (uint32_t)rows[i].value;
	return n;
}

static uint32_t value_given(const struct sweep *s, uint32_t v)
{
	return (v << s->shift) | s->with;
}

static void make_calls(void *shared)
{
	uint32_t v[VALUES_MAX];

	(void)shared;
	for (size_t i = 0; i < SWEEPS; i++) {
		const struct sweep *s = &sweeps[i];
		size_t n = values_of(s, v);
		long a[6];

		memcpy(a, s->a, sizeof(a));
		for (size_t k = n; k > 0; k--) { /* 0 last: PTRACE_TRACEME works */
			a[s->arg] = (long)value_given(s, v[k - 1]);
			live_call_(s->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		}
	}
}

static void compare(struct live *l, const struct sweep *s, uint32_t v)
{
	char where[128];
	uint32_t given = value_given(s, v), want;
	struct live_event *e;
	int i = ev_param_index(s->type, s->param);
	unsigned width = ev_ptype_width(ev_table[s->type].params[i].type);

	snprintf(where, sizeof(where), "%s of 0x%x", s->family, given);
	e = live_expect_(l, live_tid(l), s->type, where, 0);
	want = map(s->family, s->shift ? given >> s->shift : given);
	if (s->no_negative && (int32_t)given < 0)
		want = 0;
	if (width < 4)
		want &= (1u << (8 * width)) - 1;
	live_i64_(e, s->param, want, want, where, 0);
}

#define NAMES                                                                                      \
	"open,openat,creat,timerfd_create,inotify_init1,eventfd2,signalfd4,setns,accept4,socket,"  \
	"mprotect,mmap,fcntl,futex,access,getrlimit,prlimit64,shutdown,lseek,flock,quotactl,"      \
	"semget,semctl,mlockall,mlock2,memfd_create,unlinkat,linkat,newfstatat,fchmod,umount2,"    \
	"fchownat,mknod,dup3,pipe2,epoll_create1,splice,pidfd_open,finit_module,delete_module,"    \
	"close_range,io_uring_enter,setsockopt,getsockopt,ptrace"

static void every_flag_is_mapped_as_the_table_says(void **state)
{
	uint32_t v[VALUES_MAX];
	struct live *l = *state;

	assert_int_equal(read_table(), 0);
	live_run(l, NAMES, make_calls);
	for (size_t i = 0; i < SWEEPS; i++)
		for (size_t k = values_of(&sweeps[i], v); k > 0; k--)
			compare(l, &sweeps[i], v[k - 1]);
	expect_end(l);
}

LIVE_MAIN("truth_flags", NAMES, cmocka_unit_test(every_flag_is_mapped_as_the_table_says))
