/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads for tests/record_stress_test.py:
 *
 *	forks N PARALLEL CALLS  N short processes, every other one executes a program; with
 *	                        CALLS calls of getuid in each
 *	forks-on N PARALLEL CALLS  the same, and more of them until standard input ends
 *	threads N               one process with N more threads
 *	fds N                   N more descriptors, in as few processes as the limit allows
 *	netns N PORT            N network namespaces, a socket in each, ports from PORT on
 *	nested N PIDS DIR       N mount namespaces in each other, the last PIDS of them with a
 *	                        process namespace; everything is mounted on a private DIR
 *	peak FILE COMMAND...    no load: runs COMMAND, then writes its largest memory in KB
 *
 * When the load stands, one line of JSON says what was made; it ends with standard input. If the
 * kernel refuses it, the status is 77. It is built without sanitizers: a process is to be as short
 * as possible.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES    (32 * 1024)
#define OWN_FDS	       16 /* of a process, besides those it was told to open */
#define STATUS_REFUSED 77

static _Noreturn void fail(const char *what)
{
	int status = errno == EPERM || errno == ENOSPC || errno == EAGAIN ? STATUS_REFUSED : 1;

	fprintf(stderr, "stress_load: %s: %s\n", what, strerror(errno));
	exit(status);
}

static void wait_for_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) != 0)
		;
}

static void say(const char *json)
{
	if (printf("%s\n", json) < 0 || fflush(stdout))
		fail("standard output");
}

static unsigned wait_for_all(void)
{
	unsigned bad = 0;
	int status;

	while (wait(&status) > 0)
		bad += status != 0;
	return bad;
}

/* --- forks --- */

static _Noreturn void one_of_many(bool execs, unsigned calls)
{
	static char *const argv[] = {"stress_load", "nothing", NULL};

	for (unsigned i = 0; i < calls; i++)
		(void)getuid();
	if (execs) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	_exit(0);
}

static bool told_to_end(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, 0) != 0;
}

static int forks(unsigned n, bool go_on, unsigned parallel, unsigned calls)
{
	unsigned running = 0, bad = 0, i;
	char json[160];
	int status;

	for (i = 0; i < n || (go_on && !told_to_end()); i++, running++) {
		pid_t pid;

		for (; running == parallel; running--)
			bad += wait(&status) < 0 || status != 0;
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0)
			one_of_many(i % 2, calls);
	}
	bad += wait_for_all();
	snprintf(json, sizeof(json),
		 "{\"pid\":%d,\"forks\":%u,\"execs\":%u,\"getuids\":%u,\"bad\":%u}", getpid(), i,
		 i / 2, i * calls, bad);
	say(json);
	wait_for_end();
	return 0;
}

/* --- threads --- */

static void *be_a_thread(void *arg)
{
	(void)arg;
	wait_for_end();
	return NULL;
}

static int threads(unsigned n)
{
	pthread_t *thread = calloc(n, sizeof(*thread));
	pthread_attr_t attr;
	char json[64];

	if (!thread || pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES))
		fail("memory");
	for (unsigned i = 0; i < n; i++) {
		errno = pthread_create(&thread[i], &attr, be_a_thread, NULL);
		if (errno)
			fail("pthread_create");
	}
	snprintf(json, sizeof(json), "{\"pid\":%d,\"threads\":%u}", getpid(), n);
	say(json);
	for (unsigned i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	return 0;
}

/* --- descriptors --- */

static void open_many(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if ((i % 2 ? eventfd(0, 0) : open("/dev/null", O_RDONLY)) < 0)
			fail("open");
}

/* @ready: a byte each */
static pid_t holder(unsigned n, int ready)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	open_many(n);
	if (write(ready, "", 1) != 1)
		_exit(1);
	wait_for_end();
	_exit(0);
}

static void raise_limit(unsigned n, struct rlimit *limit)
{
	if (getrlimit(RLIMIT_NOFILE, limit) < 0)
		fail("RLIMIT_NOFILE");
	if (limit->rlim_max < n + OWN_FDS) {
		struct rlimit more = {n + OWN_FDS, n + OWN_FDS};

		if (!setrlimit(RLIMIT_NOFILE, &more))
			*limit = more;
	}
	limit->rlim_cur = limit->rlim_max;
	if (setrlimit(RLIMIT_NOFILE, limit) < 0 || limit->rlim_cur <= OWN_FDS)
		fail("RLIMIT_NOFILE");
}

static int descriptors(unsigned n)
{
	unsigned left = n, most, made = 0;
	struct rlimit limit;
	char json[1024], byte;
	size_t at = 0;
	int ready[2];

	raise_limit(n, &limit);
	most = limit.rlim_cur - OWN_FDS < n ? (unsigned)limit.rlim_cur - OWN_FDS : n;
	if (pipe(ready) < 0)
		fail("pipe");
	at += (size_t)snprintf(json, sizeof(json), "{\"fds\":%u,\"each\":%u,\"pids\":[", n, most);
	for (; left && at < sizeof(json) - 32; made++) {
		unsigned part = left < most ? left : most;

		at += (size_t)snprintf(json + at, sizeof(json) - at, "%s%d", made ? "," : "",
				       holder(part, ready[1]));
		left -= part;
	}
	close(ready[1]);
	for (unsigned i = 0; i < made; i++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a process with many descriptors");
	snprintf(json + at, sizeof(json) - at, "]}");
	say(json);
	return wait_for_all() ? 1 : 0;
}

/* --- network namespaces --- */

static void bound_socket(bool v6, int type, uint16_t port)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(v6 ? AF_INET6 : AF_INET, type, 0);
	int rc = v6 ? bind(fd, (struct sockaddr *)&in6, sizeof(in6))
		    : bind(fd, (struct sockaddr *)&in4, sizeof(in4));

	if (fd < 0 || rc < 0 || (type == SOCK_STREAM && listen(fd, 1) < 0))
		fail("a socket of a network namespace");
}

static void numbered_socket(unsigned i, unsigned port)
{
	if (unshare(CLONE_NEWNET) < 0)
		fail("unshare(CLONE_NEWNET)");
	bound_socket(i & 2, i & 1 ? SOCK_DGRAM : SOCK_STREAM, (uint16_t)(port + i));
}

/*
 * Each has a process of its own, but for every tenth: its socket is held by the first process,
 * which goes on to the next namespace, so that no process is left there.
 */
static int network_namespaces(unsigned n, unsigned port)
{
	int ready[2];
	char json[160], byte;
	unsigned made = 0;

	if (pipe(ready) < 0)
		fail("pipe");
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = i % 10 == 9 ? 0 : fork();

		if (pid < 0)
			fail("fork");
		made += pid > 0;
		if (pid > 0)
			continue;
		numbered_socket(i, port);
		if (i % 10 == 9)
			continue;
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		wait_for_end();
		_exit(0);
	}
	close(ready[1]);
	for (unsigned i = 0; i < made; i++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a network namespace");
	snprintf(json, sizeof(json), "{\"pid\":%d,\"namespaces\":%u,\"port\":%u}", getpid(), n,
		 port);
	say(json);
	return wait_for_all() ? 1 : 0;
}

/* --- nested namespaces --- */

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

/* A mount namespace whose owner is a user namespace of its own, inside those there are. */
static void enter_level(bool pids)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | (pids ? CLONE_NEWPID : 0)) < 0)
		fail("unshare(CLONE_NEWUSER | CLONE_NEWNS)");
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", "0 0 1");
	put_file("/proc/self/gid_map", "0 0 1");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("private mounts");
}

static void bind_level(unsigned level, const char *dir)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (level == 1 && mount("none", dir, "tmpfs", 0, NULL) < 0)
		fail("tmpfs");
	snprintf(from, sizeof(from), "%s/0", dir);
	if (level == 1) {
		if (mkdir(from, 0700) < 0)
			fail(from);
		snprintf(to, sizeof(to), "%s/0/file", dir);
		put_file(to, "text\n");
	}
	snprintf(to, sizeof(to), "%s/%u", dir, level);
	if (mkdir(to, 0700) < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
		fail("bind mount");
	snprintf(to, sizeof(to), "%s/%u/file", dir, level);
	if (open(to, O_RDONLY) < 0)
		fail(to);
}

/* /proc is that of the outermost process namespace: so are its numbers. */
static void say_nested(unsigned n, unsigned pids)
{
	char self[16] = "", json[160];

	if (readlink("/proc/self", self, sizeof(self) - 1) < 0)
		fail("/proc/self");
	snprintf(json, sizeof(json), "{\"pid\":%s,\"levels\":%u,\"pid_levels\":%u,\"vpid\":%d}",
		 self, n, pids, getpid());
	say(json);
}

static int nested(unsigned n, unsigned pids, const char *dir)
{
	for (unsigned level = 1; level <= n; level++) {
		pid_t pid;
		int status;

		enter_level(level > n - pids);
		bind_level(level, dir);
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0)
			continue;
		if (waitpid(pid, &status, 0) < 0)
			fail("waitpid");
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	}
	say_nested(n, pids);
	wait_for_end();
	(void)getuid(); /* an event of its own */
	return 0;
}

/* --- memory of a command --- */

/*
 * A process begins with the peak of the one it was forked from, and Python's is larger than what is
 * to be measured. SIGINT comes to both, and is meant for the command.
 */
static int peak(const char *path, char **command)
{
	struct rusage usage;
	char text[32];
	pid_t pid = fork();
	int status;

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		execv(command[0], command);
		fail(command[0]);
	}
	signal(SIGINT, SIG_IGN);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			fail("wait4");
	snprintf(text, sizeof(text), "%ld\n", usage.ru_maxrss);
	put_file(path, text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- arguments --- */

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > 1000000) {
		fprintf(stderr, "stress_load: %s: expected a number up to 1000000\n", text);
		exit(2);
	}
	return (unsigned)n;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(what, "nothing"))
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc >= 4 && !strcmp(what, "peak"))
		return peak(argv[2], argv + 3);
	if (argc == 5 && !strcmp(what, "forks") && number(argv[3]))
		return forks(number(argv[2]), false, number(argv[3]), number(argv[4]));
	if (argc == 5 && !strcmp(what, "forks-on") && number(argv[3]))
		return forks(number(argv[2]), true, number(argv[3]), number(argv[4]));
	if (argc == 3 && !strcmp(what, "threads"))
		return threads(number(argv[2]));
	if (argc == 3 && !strcmp(what, "fds"))
		return descriptors(number(argv[2]));
	if (argc == 4 && !strcmp(what, "netns"))
		return network_namespaces(number(argv[2]), number(argv[3]));
	if (argc == 5 && !strcmp(what, "nested") && number(argv[3]) <= number(argv[2]))
		return nested(number(argv[2]), number(argv[3]), argv[4]);
	fprintf(stderr,
		"stress_load: forks|forks-on N PARALLEL CALLS | threads N | fds N | netns N PORT | "
		"nested N PIDS DIR | peak FILE COMMAND...\n");
	return 2;
}
