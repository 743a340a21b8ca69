/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trial of the recorder: loads the programs, makes calls with known arguments, prints what came
 * back; "bench" measures what a traced call costs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "capture/wire.h"

#include "capture/recorder.skel.h" /* generated; needs the types above */
#include "scapfile/event.h"

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

struct probe {
	struct rec_recorder *bpf;
	struct ring_buffer *rb;
	int cpus, print;
	uint64_t events, bytes;
	int only_tgid;
};

static void print_value(const uint8_t *p, unsigned n, int numeric)
{
	uint64_t v = 0;

	if (numeric) {
		memcpy(&v, p, n > 8 ? 8 : n);
		if (n == 8)
			printf("%" PRId64, (int64_t)v);
		else
			printf("%" PRIu64, v);
		return;
	}
	putchar('"');
	for (unsigned i = 0; i < n && i < 100; i++)
		if (p[i] >= 32 && p[i] < 127)
			putchar(p[i]);
		else
			printf("\\%02x", p[i]);
	printf(n > 100 ? "...\"(%u)" : "\"", n);
}

static int on_event(void *ctx, void *data, size_t size)
{
	struct probe *p = ctx;
	const uint8_t *e = data;
	uint64_t tid;
	uint32_t len, n;
	uint16_t type;

	memcpy(&tid, e + 8, 8);
	memcpy(&len, e + 16, 4);
	memcpy(&type, e + 20, 2);
	memcpy(&n, e + 22, 4);
	p->events++;
	p->bytes += size;
	if (!p->print)
		return 0;
	printf("type=%u tid=%" PRIu64 " len=%u%s", type, tid, len,
	       len == size || len + 2 == size ? "" : " BAD LENGTH");
	const uint8_t *v = e + 26 + 2 * n;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t l;
		const struct ev_param_info *info = &ev_table[type].params[i];

		memcpy(&l, e + 26 + 2 * i, 2);
		printf(" %s=", info->name);
		print_value(v, l,
			    l <= 8 && strcmp(info->name, "data") && strcmp(info->name, "exe") &&
				strcmp(info->name, "comm") && strcmp(info->name, "args") &&
				strcmp(info->name, "addr") && strcmp(info->name, "filename") &&
				strcmp(info->name, "name") && l);
		v += l;
	}
	printf("%s\n", v == e + len ? "" : " BAD SUM");
	return 0;
}

static const struct {
	int nr;
	const char *program;
} exits[] = {
#ifdef __aarch64__
#define EXIT(x86, arm, code, program, type) {arm, "exit_" #program},
#else
#define EXIT(x86, arm, code, program, type) {x86, "exit_" #program},
#endif
#include "capture/exits.def"
};

/* Autoload or enter into the table what serves the call. */
static void use_call(struct probe *p, int nr, bool loaded)
{
	for (size_t i = 0; i < sizeof(exits) / sizeof(*exits); i++) {
		struct bpf_program *prog;
		int fd;

		if (exits[i].nr != nr)
			continue;
		prog = bpf_object__find_program_by_name(p->bpf->obj, exits[i].program);
		if (!loaded) {
			bpf_program__set_autoload(prog, true);
			continue;
		}
		fd = bpf_program__fd(prog);
		if (bpf_map_update_elem(bpf_map__fd(p->bpf->maps.exits), &nr, &fd, 0))
			die("exits");
	}
}

static const int calls[] = {0, 1, 3, 257, 42, 56, 59};
#define CALLS (sizeof(calls) / sizeof(*calls))

static void load(struct probe *p)
{
	uint64_t t0 = now(CLOCK_MONOTONIC), t1, t2;
	struct timespec rt, bt;

	p->cpus = libbpf_num_possible_cpus();
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_level = getenv("VERIFIER") ? 4 : 0);
	p->bpf = rec_recorder__open_opts(&opts);
	if (!p->bpf)
		die("open");
	clock_gettime(CLOCK_REALTIME, &rt);
	clock_gettime(CLOCK_BOOTTIME, &bt);
	p->bpf->rodata->cfg_boot_ns = (uint64_t)(rt.tv_sec - bt.tv_sec) * 1000000000u +
				      (uint64_t)rt.tv_nsec - (uint64_t)bt.tv_nsec;
	p->bpf->rodata->cfg_own_tgid = p->only_tgid;
	if (getenv("SNAPLEN"))
		p->bpf->bss->settings.snaplen = (uint32_t)atoi(getenv("SNAPLEN"));
	bpf_map__set_max_entries(p->bpf->maps.rings, (unsigned)p->cpus);
	bpf_map__set_max_entries(p->bpf->maps.scratches, (unsigned)p->cpus);
	bpf_map__set_max_entries(p->bpf->maps.walks, (unsigned)p->cpus);
	fprintf(stderr, "open %.1f ms\n", (now(CLOCK_MONOTONIC) - t0) / 1e6);
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->bpf->obj)
	{
		const char *name = bpf_program__name(prog);

		bpf_program__set_autoload(prog, !strcmp(name, "dispatch") ||
						    !strcmp(name, "on_exec") ||
						    !strcmp(name, "on_exit"));
	}
	for (size_t i = 0; i < CALLS; i++)
		use_call(p, calls[i], false);
	if (rec_recorder__load(p->bpf))
		die("load");
	for (size_t i = 0; i < CALLS; i++)
		use_call(p, calls[i], true);
	t1 = now(CLOCK_MONOTONIC);
	for (int cpu = 0; cpu < p->cpus; cpu++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, 8 << 20, NULL);

		if (fd < 0 || bpf_map_update_elem(bpf_map__fd(p->bpf->maps.rings), &cpu, &fd, 0))
			die("ring");
		if (!p->rb)
			p->rb = ring_buffer__new(fd, on_event, p, NULL);
		else if (ring_buffer__add(p->rb, fd, on_event, p))
			die("ring_buffer__add");
	}
	if (ring_buffer__add(p->rb, bpf_map__fd(p->bpf->maps.ring_priority), on_event, p))
		die("ring_buffer__add");
	p->bpf->links.dispatch = bpf_program__attach(p->bpf->progs.dispatch);
	p->bpf->links.on_exec = bpf_program__attach(p->bpf->progs.on_exec);
	p->bpf->links.on_exit = bpf_program__attach(p->bpf->progs.on_exit);
	if (!p->bpf->links.dispatch || !p->bpf->links.on_exec || !p->bpf->links.on_exit)
		die("attach");
	t2 = now(CLOCK_MONOTONIC);
	fprintf(stderr, "open+load %.1f ms, rings+attach %.1f ms\n", (t1 - t0) / 1e6,
		(t2 - t1) / 1e6);
}

static void want(struct probe *p, int nr, int on)
{
	if (on)
		p->bpf->bss->settings.interesting[nr / 64] |= 1ull << (nr & 63);
	else
		p->bpf->bss->settings.interesting[nr / 64] &= ~(1ull << (nr & 63));
}

static void workload(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000001)};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0scapula-none"};
	char *args[] = {"true-argv0", "one", "two words", NULL}, *env[] = {"A=1", "B=22", NULL};
	int fd, s;
	char buf[128];

	fd = open("/tmp/build-bpf/created", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (write(fd, "hello scapula", 13) != 13 || lseek(fd, 0, SEEK_SET) ||
	    read(fd, buf, sizeof(buf)) != 13)
		die("io");
	close(fd);
	open("/nonexistent", O_RDONLY);
	close(-1);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	connect(s, (void *)&in, sizeof(in));
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(s, (void *)&un, 2 + 13);
	execve("/no/such/program", args, env);
	if (!fork()) {
		execve("/bin/true", args, env);
		_exit(9);
	}
	wait(NULL);
	_exit(3);
}

static double per_call(int n)
{
	char c[80] = {0};
	int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
	struct rusage a, b;

	getrusage(RUSAGE_SELF, &a);
	for (int i = 0; i < n; i++)
		if (read(in, c, sizeof(c)) < 0 || write(out, c, sizeof(c)) < 0)
			die("io");
	getrusage(RUSAGE_SELF, &b);
	close(in);
	close(out);
	return ((b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec - a.ru_stime.tv_sec) *
		    1e9 +
		(b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
		 a.ru_stime.tv_usec) *
		    1e3) /
	       n / 2;
}

/* The child measures itself while this process drains the rings. */
static double measured(struct probe *p, int n)
{
	int fds[2];
	double best = 0;
	pid_t pid;

	if (pipe(fds))
		die("pipe");
	pid = fork();
	if (!pid) {
		double ns = per_call(n);
		_exit(write(fds[1], &ns, sizeof(ns)) != sizeof(ns));
	}
	while (!waitpid(pid, NULL, WNOHANG))
		if (p->rb)
			ring_buffer__poll(p->rb, 20);
		else
			usleep(20000);
	if (read(fds[0], &best, sizeof(best)) != sizeof(best))
		die("pipe");
	close(fds[0]);
	close(fds[1]);
	return best;
}

static void losses(struct probe *p)
{
	uint64_t *v = calloc((size_t)p->cpus, 8);
	const char *names[] = {"seen", "ring full", "no ring", "too large",
			       "busy", "shed",	    "faults"};

	for (uint32_t kind = 0; kind < WIRE_COUNTS; kind++) {
		uint64_t sum = 0;

		for (uint32_t t = 0; t < WIRE_EVENT_TYPES; t++) {
			uint32_t key = kind * WIRE_COUNTER_TYPES + t;

			if (!bpf_map_lookup_elem(bpf_map__fd(p->bpf->maps.counters), &key, v))
				for (int i = 0; i < p->cpus; i++)
					sum += v[i];
		}
		fprintf(stderr, "%s %" PRIu64 "  ", names[kind], sum);
	}
	fprintf(stderr, "delivered %" PRIu64 " (%" PRIu64 " bytes)\n", p->events, p->bytes);
	free(v);
}

int main(int argc, char **argv)
{
	struct probe p = {0};
	int n = 500000;

	p.only_tgid = getpid();
	if (argc > 1 && !strcmp(argv[1], "bench")) {
		double best[4] = {1e9, 1e9, 1e9, 1e9}; /* untraced, uninteresting, tiny, full */

		for (int i = 0; i < 20; i++) {
			int mode = i < 5 ? 0 : 1 + i % 3;
			double v;

			if (i == 5)
				load(&p);
			if (mode) {
				want(&p, 0, mode > 1);
				want(&p, 1, mode > 1);
				p.bpf->bss->measure_tiny = mode == 2;
			}
			v = measured(&p, n);
			best[mode] = v < best[mode] ? v : best[mode];
		}
		ring_buffer__consume(p.rb);
		printf("untraced %.0f, uninteresting +%.0f, tiny +%.0f, full +%.0f ns per call; "
		       "full/tiny %.2f\n",
		       best[0], best[1] - best[0], best[2] - best[0], best[3] - best[0],
		       (best[3] - best[0]) / (best[2] - best[0]));
		losses(&p);
		return 0;
	}
	p.print = 1;
	load(&p);
	pid_t pid = fork();
	if (!pid) {
		raise(SIGSTOP);
		workload();
	}
	waitpid(pid, NULL, WUNTRACED);
	for (size_t i = 0; i < CALLS; i++)
		want(&p, calls[i], 1);
	p.bpf->bss->settings.interesting_events[293 / 64] |= 1ull << (293 & 63);
	p.bpf->bss->settings.interesting_events[186 / 64] |= 1ull << (186 & 63);
	kill(pid, SIGCONT);
	waitpid(pid, NULL, 0);
	memset(p.bpf->bss->settings.interesting, 0, sizeof(p.bpf->bss->settings.interesting));
	ring_buffer__consume(p.rb);
	losses(&p);
	return 0;
}
