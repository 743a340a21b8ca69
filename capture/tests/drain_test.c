/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that empties the rings, on this host. Skipped where BPF is not permitted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/internal.h"
#include "capture/tests/recording.h"

static void ask_on_the_last_cpu(long n)
{
	cpu_set_t cpus;
	long last = sysconf(_SC_NPROCESSORS_ONLN) - 1;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)last, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		_exit(1);
	work_ask_parent(n);
}

/* As of a CPU that is plugged in while recording. */
static void a_cpu_without_a_ring_uses_that_of_all_and_then_gets_its_own(void **state)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), n = 0;
	struct rec_options opt = recording_options("getppid");
	struct worker w[2];
	uint64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	struct drain d = {.epoll = -1, .wake = -1};
	const struct queued *q;
	struct error err = {0};
	struct load *load;
	bool *present;

	(void)state;
	if (cpus < 2)
		skip();
	rec_close(recording_open(&opt)); /* or skip */
	for (unsigned i = 0; i < 2; i++) {
		w[i] = worker_start(ask_on_the_last_cpu, 100);
		opt.pids[opt.npids++] = w[i].pid;
	}
	assert_int_equal(load_open(&opt, boot_ns, &load, &err), 0);
	present = calloc(load_cpus(load), sizeof(bool));
	for (long cpu = 0; cpu < cpus - 1; cpu++)
		present[cpu] = true;
	assert_int_equal(drain_init(&d, &opt, load, boot_ns, present, &err), 0);
	free(present);
	assert_int_equal(d.merge.nrings, cpus); /* one of all, and all but one of a CPU */
	assert_int_equal(load_attach(load, &opt, &err), 0);
	assert_int_equal(drain_start(&d, &err), 0);
	for (unsigned i = 0; i < 2; i++) {
		worker_run(&w[i]);
		while (n < 100 * (i + 1)) {
			assert_int_equal(segments_next(&d.queue, &q, 2000), 1);
			assert_int_equal(q->kind, QUEUED_EVENT);
			assert_int_equal(q->cpu, cpus - 1);
			n++;
		}
	}
	drain_stop(&d);
	assert_int_equal(segments_next(&d.queue, &q, 2000), 0);
	assert_int_equal(d.merge.nrings, cpus + 1);
	assert_int_equal(d.merge.rings[cpus]->cpu, cpus - 1);
	assert_true(d.merge.rings[cpus]->released > 0); /* the second one used it */
	drain_done(&d);
	load_close(load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cpu_without_a_ring_uses_that_of_all_and_then_gets_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
