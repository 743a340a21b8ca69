/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recording costs and what it keeps up with; scripts/bench-record runs it and prints tables.
 *
 * record_bench cost ROUNDS CALLS: CPU time added to a call, by kind; all kinds take turns in a
 * round. "record_bench calls KIND CALLS" is the part of it that runs in processes of its own.
 *
 * record_bench storm SECONDS RATE FILE: two processes that call RATE times a second together, or
 * with 0 as fast as they can.
 *
 * record_bench calling SECONDS RATE: no recorder; the same two processes as a load for one.
 *
 * record_bench state PROCESSES FDS: loading all programs, and the first state of that many
 * processes with that many fds each.
 *
 * record_bench http REQUESTS: no recorder; a load for one, a server and a client over loopback.
 *
 * Each prints one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "capture/recorder.h"
#include "capture/tests/population.h"
#include "scapfile/seal.h"
#include "scapfile/writer.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#pragma GCC diagnostic ignored "-Wconversion"
#include "capture/bare.skel.h"
#pragma GCC diagnostic pop

#define TRANSFER  80  /* bytes of one read or write */
#define BATCH	  512 /* calls between two looks at the clock */
#define PLACES	  4   /* processes that make them in one round */
#define LAPS	  10  /* of one process, each timed by itself */
#define PRODUCERS 2   /* of a storm */

static _Noreturn void die(const char *what, const struct error *err)
{
	fprintf(stderr, "record_bench: %s: %s\n", what, err ? err->msg : strerror(errno));
	exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* --- the recorder, drained and written by a thread --- */

struct recording {
	struct rec *rec;
	struct sf_writer *writer; /* or NULL: events are only taken */
	pthread_t thread;
	uint64_t events, losses, lost, backwards;
	uint64_t by_type[EV_TYPE_COUNT];
	uint64_t cpu_ns; /* of the thread */
};

static void take(struct recording *r, const struct ev_item *item, uint64_t *last)
{
	if (item->kind == EV_ITEM_LOSS) {
		r->losses++;
		r->lost += item->loss->count;
	} else if (item->kind == EV_ITEM_EVENT) {
		r->events++;
		r->backwards += item->ev->ts < *last;
		*last = item->ev->ts;
		if (item->ev->type < EV_TYPE_COUNT)
			r->by_type[item->ev->type]++;
	}
}

static void *record(void *arg)
{
	struct recording *r = arg;
	struct error err = {0};
	struct ev_item item;
	uint64_t last = 0;
	int rc;

	while ((rc = rec_next(r->rec, &item, 100, &err)) > 0) {
		if (rc == REC_IDLE)
			continue;
		take(r, &item, &last);
		if (r->writer && sf_writer_item(r->writer, &item, &err) < 0)
			die("write", &err);
	}
	if (rc < 0)
		die("record", &err);
	r->cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

static void begin(struct recording *r, const char *calls, bool first_state, const char *file)
{
	/* As the recorder's. */
	static const struct sf_seal_options seal = {.origin = SF_SEAL_RECORDING,
						    .tool = "record_bench"};
	const struct sf_writer_options wopt = {
	    .background = true, .paced = true, .niceness = 10, .seal = &seal};
	struct rec_options opt;
	struct error err = {0};

	memset(r, 0, sizeof(*r));
	rec_options_init(&opt);
	memset(&opt.set, 0, sizeof(opt.set));
	if (rec_set_parse(&opt.set, sv_of(calls), &err) < 0)
		die(calls, &err);
	opt.exact_set = true;
	opt.first_state = first_state;
	if (rec_open(&opt, &r->rec, &err) < 0)
		die("rec_open", &err);
	if (file && sf_writer_open(file, &wopt, &r->writer, &err) < 0)
		die(file, &err);
	if (pthread_create(&r->thread, NULL, record, r))
		die("pthread_create", NULL);
}

static void end(struct recording *r, struct rec_stats *stats)
{
	struct error err = {0};

	rec_stop(r->rec);
	pthread_join(r->thread, NULL);
	rec_stats(r->rec, stats);
	if (r->writer && sf_writer_close(r->writer, &err) < 0)
		die("close", &err);
	rec_close(r->rec);
}

/* --- the least that an event can cost --- */

struct bare {
	struct rec_bare *bpf;
	struct ring_buffer *ring;
	pthread_t thread;
	volatile int stop;
};

static int ignore(void *arg, void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return 0;
}

static void *empty(void *arg)
{
	struct bare *b = arg;

	while (!b->stop) {
		ring_buffer__consume(b->ring);
		nanosleep(&(struct timespec){0, 2000000}, NULL);
	}
	return NULL;
}

static void bare_begin(struct bare *b)
{
	memset(b, 0, sizeof(*b));
	b->bpf = rec_bare__open_and_load();
	if (!b->bpf || rec_bare__attach(b->bpf))
		die("bare program", NULL);
	b->ring = ring_buffer__new(bpf_map__fd(b->bpf->maps.bare_ring), ignore, NULL, NULL);
	if (!b->ring || pthread_create(&b->thread, NULL, empty, b))
		die("bare ring", NULL);
}

static void bare_end(struct bare *b)
{
	b->stop = 1;
	pthread_join(b->thread, NULL);
	ring_buffer__free(b->ring);
	rec_bare__destroy(b->bpf);
}

/* --- cost --- */

enum kind { TINY, FULL, KINDS }; /* close of a bad fd: 46 bytes; read and write of 80 bytes */

static void call_tiny(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		syscall(SYS_close, -1);
}

static void call_full(unsigned n)
{
	/* Else its place in a cache line, and with it the cost, would differ from run to run. */
	_Alignas(64) char buf[TRANSFER];
	int in = open("/dev/zero", O_RDONLY | O_CLOEXEC),
	    out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (in < 0 || out < 0)
		die("/dev/zero", NULL);
	for (unsigned i = 0; i < n / 2; i++)
		if (read(in, buf, sizeof(buf)) < 0 || write(out, buf, sizeof(buf)) < 0)
			die("transfer", NULL);
	close(in);
	close(out);
}

static void keep_least(double *least, double v)
{
	if (*least <= 0 || v < *least)
		*least = v;
}

/* @n calls on the last CPU. Prints the CPU nanoseconds of one, of the least of LAPS laps. */
static int calls(enum kind kind, unsigned n)
{
	double least = 0;
	uint64_t from;

	run_on((unsigned)sysconf(_SC_NPROCESSORS_ONLN) - 1);
	n /= LAPS;
	(kind == TINY ? call_tiny : call_full)(n);
	for (unsigned i = 0; i < LAPS; i++) {
		from = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		(kind == TINY ? call_tiny : call_full)(n);
		keep_least(&least, (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - from) / n);
	}
	return printf("%.3f\n", least) < 0;
}

/*
 * What calls() prints in a process of its own: by chance of where its code and data are in memory a
 * call takes up to 30 ns longer, whether it is recorded or not. So there are several.
 */
static double timed_calls(enum kind kind, unsigned n)
{
	char command[64];
	double ns;
	FILE *f;

	snprintf(command, sizeof(command), "exec /proc/%d/exe calls %d %u", getpid(), kind, n);
	f = popen(command, "re");
	if (!f || fscanf(f, "%lf", &ns) != 1 || pclose(f))
		die("calls", NULL);
	return ns;
}

static int cost(unsigned rounds, unsigned n)
{
	enum { ALONE, IDLE, TRACED, BARE, MODES };
	static const char *const sets[MODES] = {[IDLE] = "acct", [TRACED] = "close,read,write"};
	double least[MODES][KINDS] = {0}, recorder = 0;
	uint64_t load = 0, events = 0, lost = 0;
	unsigned programs = 0;

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned mode = 0; mode < MODES; mode++) {
			struct recording r;
			struct rec_stats s;
			struct bare bare;

			if (sets[mode])
				begin(&r, sets[mode], false, NULL);
			if (mode == BARE)
				bare_begin(&bare);
			for (unsigned i = 0; i < PLACES; i++)
				for (enum kind k = 0; k < KINDS; k++)
					keep_least(&least[mode][k], timed_calls(k, n / PLACES));
			if (mode == BARE)
				bare_end(&bare);
			if (!sets[mode])
				continue;
			end(&r, &s);
			if (mode == TRACED && r.events) {
				keep_least(&recorder,
					   (double)(s.drain_cpu_ns + r.cpu_ns) / (double)r.events);
				events += r.events;
				lost += r.lost;
				load = s.load_ns;
				programs = s.programs;
			}
		}
	}
	printf("{\"rounds\": %u, \"calls\": %u, \"alone_close\": %.1f, \"alone_io\": %.1f, "
	       "\"idle_close\": %.1f, "
	       "\"idle_io\": %.1f, \"close\": %.1f, \"io\": %.1f, \"bare_io\": %.1f, ",
	       rounds, n, least[ALONE][TINY], least[ALONE][FULL],
	       least[IDLE][TINY] - least[ALONE][TINY], least[IDLE][FULL] - least[ALONE][FULL],
	       least[TRACED][TINY] - least[ALONE][TINY], least[TRACED][FULL] - least[ALONE][FULL],
	       least[BARE][FULL] - least[ALONE][FULL]);
	printf("\"recorder_ns_per_event\": %.1f, \"events\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"programs\": %u, \"load_ms\": %.1f}\n",
	       recorder, events, lost, programs, (double)load / 1e6);
	return 0;
}

/* --- two processes that call --- */

struct producer { /* shared with it */
	volatile uint64_t reads, writes, closes;
	volatile int go, stop;
};

struct load {
	struct producer *shared; /* of all, then of each */
	pid_t pids[PRODUCERS];
};

static void produce(struct producer *p, struct producer *all, unsigned cpu, double rate)
{
	char buf[TRANSFER];
	int in = open("/dev/zero", O_RDONLY | O_CLOEXEC),
	    out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	uint64_t from, made = 0;

	run_on(cpu);
	while (!all->go)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	from = now_ns(CLOCK_MONOTONIC);
	while (!all->stop) {
		for (unsigned i = 0; i < BATCH; i++) {
			p->reads += read(in, buf, sizeof(buf)) > 0;
			p->writes += write(out, buf, sizeof(buf)) > 0;
			p->closes += syscall(SYS_close, -1) != 0;
		}
		made += 3 * BATCH;
		/* Few calls but those counted: clock_gettime() stays in the process. */
		while (rate > 0 && !all->stop &&
		       (double)made > rate * (double)(now_ns(CLOCK_MONOTONIC) - from) / 1e9)
			nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	_exit(0);
}

/* Processes that wait for load_run(); RATE is that of all. */
static void load_fork(struct load *l, double rate)
{
	l->shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED)
		die("mmap", NULL);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		l->pids[i] = fork();
		if (l->pids[i] < 0)
			die("fork", NULL);
		if (!l->pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			produce(&l->shared[1 + i], l->shared, i, rate / PRODUCERS);
		}
	}
}

/* Return: the seconds that it took. */
static double load_run(struct load *l, unsigned seconds)
{
	uint64_t from = now_ns(CLOCK_MONOTONIC);

	l->shared->go = 1;
	while (now_ns(CLOCK_MONOTONIC) - from < seconds * 1000000000ull)
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	l->shared->stop = 1;
	for (unsigned i = 0; i < PRODUCERS; i++)
		waitpid(l->pids[i], NULL, 0);
	return (double)(now_ns(CLOCK_MONOTONIC) - from) / 1e9;
}

static uint64_t load_made(const struct load *l)
{
	uint64_t made = 0;

	for (unsigned i = 1; i <= PRODUCERS; i++)
		made += l->shared[i].reads + l->shared[i].writes + l->shared[i].closes;
	return made;
}

static int calling(unsigned seconds, double rate)
{
	struct load l;
	double took;

	load_fork(&l, rate);
	took = load_run(&l, seconds);
	return printf("{\"seconds\": %.2f, \"generated\": %" PRIu64 "}\n", took, load_made(&l)) < 0;
}

static double seconds_between(struct timeval from, struct timeval to)
{
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_usec - from.tv_usec) / 1e6;
}

static int storm(unsigned seconds, double rate, const char *file)
{
	struct rusage before, after;
	struct recording r;
	struct rec_stats s;
	struct load l;
	uint64_t kept;
	double took;

	load_fork(&l, rate);
	begin(&r, "close,read,write", true, file);
	getrusage(RUSAGE_SELF, &before);
	took = load_run(&l, seconds);
	end(&r, &s);
	getrusage(RUSAGE_SELF, &after);
	kept = r.by_type[EV_READ_X] + r.by_type[EV_WRITE_X] + r.by_type[EV_CLOSE_X];
	printf("{\"seconds\": %.2f, \"generated\": %" PRIu64 ", \"seen\": %" PRIu64
	       ", \"recorded\": %" PRIu64 ", \"kept\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"loss_records\": %" PRIu64 ", \"out_of_order\": %" PRIu64 ", \"late\": %" PRIu64
	       ", \"recorder_cpu_s\": %.2f, \"max_rss_kb\": %ld}\n",
	       took, load_made(&l), s.seen, r.events, kept, r.lost, r.losses, r.backwards, s.late,
	       seconds_between(before.ru_utime, after.ru_utime) +
		   seconds_between(before.ru_stime, after.ru_stime),
	       after.ru_maxrss);
	return 0;
}

/* --- first state --- */

static int state(unsigned processes, unsigned fds)
{
	struct population host;
	struct recording r;
	struct rec_stats s;

	if (population_start(&host, processes, fds, 0) < 0)
		die("processes", NULL);
	begin(&r, "all", true, NULL);
	end(&r, &s);
	population_end(&host);
	printf("{\"threads\": %" PRIu64 ", \"fds\": %" PRIu64
	       ", \"state_ms\": %.2f, \"iterators\": %s, "
	       "\"programs\": %u, \"load_ms\": %.1f}\n",
	       s.threads, s.fds, (double)s.state_ns / 1e6,
	       s.state_from_iterators ? "true" : "false", s.programs, (double)s.load_ns / 1e6);
	return 0;
}

/* --- a load: requests over loopback, a connection each --- */

static int listen_loopback(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, sizeof(*addr)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		die("listen", NULL);
	return fd;
}

static _Noreturn void serve(int listener, unsigned requests)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
	char buf[512];

	for (unsigned i = 0; i < requests; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 || recv(fd, buf, sizeof(buf), 0) <= 0 ||
		    send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static int http(unsigned requests)
{
	static const char request[] = "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct sockaddr_in addr;
	int listener = listen_loopback(&addr), status;
	pid_t pid = fork();
	char buf[512];

	if (pid < 0)
		die("fork", NULL);
	if (!pid)
		serve(listener, requests);
	for (unsigned i = 0; i < requests; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
			die("request", NULL);
		while (recv(fd, buf, sizeof(buf), 0) > 0)
			continue;
		close(fd);
	}
	waitpid(pid, &status, 0);
	printf("{\"requests\": %u}\n", requests);
	return status != 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "cost"))
		return cost((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "calls"))
		return calls(atoi(argv[2]) == TINY ? TINY : FULL, (unsigned)atoi(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "storm"))
		return storm((unsigned)atoi(argv[2]), atof(argv[3]), argv[4]);
	if (argc == 4 && !strcmp(argv[1], "calling"))
		return calling((unsigned)atoi(argv[2]), atof(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "state"))
		return state((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "http"))
		return http((unsigned)atoi(argv[2]));
	fputs("usage: record_bench cost ROUNDS CALLS | storm SECONDS RATE FILE | "
	      "calling SECONDS RATE | state PROCESSES FDS | http REQUESTS\n",
	      stderr);
	return 2;
}
