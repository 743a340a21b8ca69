/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every BPF program passes this kernel's verifier, and cheaply: the instructions the verifier looks
 * at say how long loading takes, on this machine and on others.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/defs.h"

#include "capture/wire.h"

#include "capture/recorder.skel.h" /* uses the types of wire.h */

#define SKIPPED	    77
#define PROGRAM_MAX 20000 /* instructions verified; the kernel's own limit is 1,000,000 */
#define SUM_MAX	    250000

static struct rec_recorder *bpf;

PRINTF_LIKE(2, 0)
static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, ap) : 0;
}

static uint32_t verified(const struct bpf_program *p)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len), 0);
	return info.verified_insns;
}

static void each_program_is_verified_quickly(void **state)
{
	struct bpf_program *p;
	uint64_t sum = 0;

	(void)state;
	bpf_object__for_each_program(p, bpf->obj)
	{
		uint32_t n = bpf_program__autoload(p) ? verified(p) : 0;

		sum += n;
		if (n > PROGRAM_MAX)
			fail_msg("%s: %u instructions verified", bpf_program__name(p), n);
	}
	if (sum > SUM_MAX)
		fail_msg("%llu instructions verified", (unsigned long long)sum);
}

static void each_call_has_its_program(void **state)
{
	static const char *const names[] = {
#define EXIT(x86, arm, code, program, type)  "exit_" #program,
#define ENTRY(x86, arm, code, program, type) "enter_" #program,
#define TRACEPOINT(code, program, type)	     "on_" #program,
#include "capture/exits.def"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!bpf_object__find_program_by_name(bpf->obj, names[i]))
			fail_msg("there is no program %s", names[i]);
}

/* Some kernels do not have what it hangs on; tests of io_uring say so. */
static void leave_out_uring(void)
{
	struct bpf_program *p = bpf_object__find_program_by_name(bpf->obj, "on_uring_submit");

	if (p && libbpf_find_vmlinux_btf_id("io_uring_submit_req", BPF_TRACE_RAW_TP) < 0)
		bpf_program__set_autoload(p, false);
}

static bool permitted(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0, 4096, NULL);

	if (fd < 0)
		fprintf(stderr, "no BPF here: %s\n", strerror(errno));
	else
		close(fd);
	return fd >= 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_program_is_verified_quickly),
	    cmocka_unit_test(each_call_has_its_program),
	};
	int rc;

	libbpf_set_print(quiet);
	bpf = rec_recorder__open();
	if (!bpf)
		return 1;
	leave_out_uring();
	rc = !permitted()	       ? SKIPPED
	     : rec_recorder__load(bpf) ? 1
				       : cmocka_run_group_tests(tests, NULL, NULL);
	rec_recorder__destroy(bpf);
	return rc;
}
