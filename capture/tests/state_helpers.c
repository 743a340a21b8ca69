/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/state_helpers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/defs.h"

#define READY_MS 10000

static int ready_fd; /* of the helper: written to once it holds still */

static void ready(void)
{
	if (write(ready_fd, "r", 1) != 1)
		_exit(1);
	close(ready_fd);
}

/* What cannot be had here is left out: both ways of looking must agree on that, too. */
static void try_fd(int fd)
{
	(void)fd;
}

/* --- descriptors --- */

static void open_files(const char *dir)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/plain", dir);
	try_fd(open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
	try_fd(open(path, O_RDONLY | O_NONBLOCK | O_SYNC));
	try_fd(open(path, O_PATH));
	snprintf(path, sizeof(path), "%s/a name\nwith (deleted)", dir);
	try_fd(open(path, O_RDWR | O_CREAT, 0600));
	snprintf(path, sizeof(path), "%s/unlinked", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd >= 0)
		unlink(path);
	try_fd(open(dir, O_RDONLY | O_DIRECTORY));
	try_fd(open(dir, O_RDWR | O_TMPFILE, 0600));
	try_fd(open("/dev/null", O_RDWR));
	try_fd(open("/dev/zero", O_RDONLY | O_CLOEXEC));
	try_fd(open("/proc/self/status", O_RDONLY));
	try_fd(open("/proc/self/ns/net", O_RDONLY));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0600) == 0)
		try_fd(open(path, O_RDWR));
	try_fd(memfd_create("scratch pad", MFD_CLOEXEC));
	try_fd(dup2(open("/dev/null", O_RDONLY), 700));
}

static void open_anonymous(void)
{
	union bpf_attr map = {
	    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(perf),
				       .config = PERF_COUNT_SW_DUMMY,
				       .exclude_kernel = 1};
	struct io_uring_params ring = {0};
	sigset_t set;

	sigemptyset(&set);
	try_fd(eventfd(0, EFD_CLOEXEC));
	try_fd(signalfd(-1, &set, 0));
	try_fd(epoll_create1(0));
	try_fd(inotify_init1(IN_NONBLOCK));
	try_fd(timerfd_create(CLOCK_MONOTONIC, 0));
	try_fd((int)syscall(SYS_pidfd_open, getpid(), 0));
	try_fd((int)syscall(SYS_userfaultfd, O_CLOEXEC));
	try_fd((int)syscall(SYS_io_uring_setup, 4, &ring));
	try_fd((int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)));
	try_fd((int)syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
}

static void prepare_files(const char *dir)
{
	int ends[2];

	open_files(dir);
	open_anonymous();
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		_exit(1);
}

/* --- sockets --- */

static int bound(int family, int type, int protocol)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, type, protocol);

	if (family == AF_INET)
		try_fd(bind(fd, (struct sockaddr *)&v4, sizeof(v4)));
	else
		try_fd(bind(fd, (struct sockaddr *)&v6, sizeof(v6)));
	return fd;
}

static void connect_pair(int family, int type)
{
	struct sockaddr_storage name;
	socklen_t n = sizeof(name);
	int server = bound(family, type | SOCK_NONBLOCK, 0), client = socket(family, type, 0);

	if (type == SOCK_STREAM)
		try_fd(listen(server, 4));
	if (getsockname(server, (struct sockaddr *)&name, &n) < 0)
		return;
	try_fd(connect(client, (struct sockaddr *)&name, n));
	if (type == SOCK_STREAM)
		try_fd(accept(server, NULL, NULL));
}

/* A client of IPv4 at a server of both: addresses of one kind in the clothes of the other. */
static void connect_mapped(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(any);
	int server = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(server, 1) < 0 ||
	    getsockname(server, (struct sockaddr *)&any, &n) < 0)
		return;
	to.sin_port = any.sin6_port;
	try_fd(connect(client, (struct sockaddr *)&to, sizeof(to)));
	try_fd(accept(server, NULL, NULL));
}

static int unix_at(int type, const char *name, size_t len)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, len);
	if (bind(fd, (struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return fd;
	if (type == SOCK_STREAM && listen(fd, 1) == 0) {
		int client = socket(AF_UNIX, type, 0);

		try_fd(connect(client, (struct sockaddr *)&at,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)));
		try_fd(accept(fd, NULL, NULL));
	}
	return fd;
}

static void prepare_sockets(const char *dir)
{
	static const char abstract[] = "\0scapula test\0with NUL";
	char path[100];
	int pair[2], len;

	for (int family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0) {
		connect_pair(family, SOCK_STREAM);
		connect_pair(family, SOCK_DGRAM);
		try_fd(socket(family, SOCK_STREAM, 0));
		try_fd(socket(family, SOCK_DGRAM, 0));
		try_fd(socket(family, SOCK_RAW, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6));
		try_fd(bound(family, SOCK_DGRAM, IPPROTO_UDPLITE));
	}
	connect_mapped();
	len = snprintf(path, sizeof(path), "%s/unix socket", dir);
	try_fd(unix_at(SOCK_STREAM, path, (size_t)len + 1));
	len = snprintf(path, sizeof(path), "%s/unix datagrams", dir);
	try_fd(unix_at(SOCK_DGRAM, path, (size_t)len));
	try_fd(unix_at(SOCK_STREAM, abstract, sizeof(abstract) - 1));
	try_fd(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	try_fd(socket(AF_UNIX, SOCK_STREAM, 0));
	try_fd(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	try_fd(socket(AF_PACKET, SOCK_DGRAM, 0));
	try_fd(socket(AF_VSOCK, SOCK_STREAM, 0));
}

/* --- threads --- */

static pthread_barrier_t all_there;

static void *plain_thread(void *arg)
{
	prctl(PR_SET_NAME, (const char *)arg);
	pthread_barrier_wait(&all_there);
	pause();
	return NULL;
}

static void *own_place_thread(void *arg)
{
	if (unshare(CLONE_FS) == 0)
		try_fd(chdir(arg));
	return plain_thread((void *)(uintptr_t) "placed");
}

static void *own_table_thread(void *arg)
{
	if (unshare(CLONE_FILES) == 0)
		try_fd(open(arg, O_RDONLY | O_DIRECTORY));
	return plain_thread((void *)(uintptr_t) "a) R 1 (\n2");
}

static void start_threads(const char *dir)
{
	pthread_t t;

	pthread_barrier_init(&all_there, NULL, 4);
	if (pthread_create(&t, NULL, plain_thread, (void *)(uintptr_t) "plain") ||
	    pthread_create(&t, NULL, own_place_thread, (void *)(uintptr_t)dir) ||
	    pthread_create(&t, NULL, own_table_thread, (void *)(uintptr_t)dir))
		_exit(1);
	pthread_barrier_wait(&all_there);
}

static void *left_over_thread(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "left over");
	pthread_barrier_wait(&all_there);
	/* When the leader is gone it is a zombie; nobody tells, so look. */
	for (char state = 'R'; state != 'Z';) {
		char path[64], text[256] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			_exit(1);
		close(fd);
		state = strrchr(text, ')') ? strrchr(text, ')')[2] : 'Z';
		sched_yield();
	}
	ready();
	pause();
	return NULL;
}

static void prepare_leaderless(const char *dir)
{
	pthread_t t;

	(void)dir;
	pthread_barrier_init(&all_there, NULL, 2);
	if (pthread_create(&t, NULL, left_over_thread, NULL))
		_exit(1);
	pthread_barrier_wait(&all_there);
	pthread_exit(NULL);
}

/* --- programs --- */

static void copy_program(const char *to)
{
	char buf[65536];
	int in = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			_exit(1);
	close(in);
	close(out);
}

/* The pipe closes when the program has begun: that says it is ready. */
static void become(int fd, char *const argv[], char *const env[])
{
	if (fcntl(ready_fd, F_SETFD, FD_CLOEXEC) < 0)
		_exit(1);
	syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
	_exit(1);
}

static void prepare_deleted(const char *dir)
{
	char *argv[] = {(char[]){"a title"}, (char[]){"1000"}, NULL}, *env[] = {NULL};
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/program", dir);
	copy_program(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	become(fd, argv, env);
}

static void prepare_memfd(const char *dir)
{
	char *argv[] = {(char[]){"memory"}, (char[]){"1000"}, NULL};
	char *env[] = {(char[]){"A=1"}, (char[]){"B="}, NULL};
	int fd = memfd_create("program", MFD_CLOEXEC);
	char path[64];

	(void)dir;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy_program(path);
	become(open(path, O_RDONLY | O_CLOEXEC), argv, env);
}

static void prepare_large(const char *dir)
{
	static char text[6][1500];
	char *argv[] = {text[0], text[1], text[2], text[3], NULL},
	     *env[] = {text[4], text[5], NULL};
	char *end[] = {(char[]){"1000"}, NULL};

	(void)dir;
	(void)end;
	for (int i = 0; i < 6; i++)
		memset(text[i], 'a' + i, sizeof(text[i]) - 1);
	/* sleep sums up its arguments: numbers, at length. */
	for (int i = 1; i < 4; i++)
		memset(text[i], '1', sizeof(text[i]) - 1);
	become(open("/bin/sleep", O_RDONLY | O_CLOEXEC), argv, env);
}

/* --- identity and surroundings --- */

static void prepare_modest(const char *dir)
{
	const gid_t groups[] = {3, 5, 7};
	struct rlimit limit = {333, 444};

	(void)dir;
	try_fd(setsid());
	try_fd(setrlimit(RLIMIT_NOFILE, &limit));
	try_fd(setgroups(COUNT_OF(groups), groups));
	try_fd(setresgid(1234, 1235, 1236));
	try_fd(setresuid(2345, 2346, 2347));
	prctl(PR_SET_NAME, "x y (z)");
	prctl(PR_SET_DUMPABLE, 1);
}

static void prepare_jailed(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/jail", dir);
	if (mkdir(path, 0700) < 0 || chroot(path) < 0 || chdir("/") < 0)
		_exit(1);
	try_fd(open("/", O_RDONLY));
}

static void prepare_homeless(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/home", dir);
	if (mkdir(path, 0700) < 0 || chdir(path) < 0 || rmdir(path) < 0)
		_exit(1);
}

/* A new network has no address but after this. */
static void start_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	try_fd(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

/* The process the tests know is outside; its descendant, two levels down, holds still. */
static void prepare_spaces(const char *dir)
{
	char path[256];
	pid_t pid;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID) < 0 || (pid = fork()) < 0)
			_exit(1);
		if (pid > 0) {
			close(ready_fd);
			pause();
			_exit(0);
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "%s/mounted", dir);
		try_fd(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		if (mkdir(path, 0700) == 0 && mount("own", path, "tmpfs", 0, NULL) == 0) {
			try_fd(chdir(path));
			try_fd(open("in it", O_RDWR | O_CREAT, 0600));
		}
		start_loopback();
		prepare_sockets(dir);
		ready();
		for (;;)
			pause();
	}
	close(ready_fd);
	for (;;)
		pause();
}

static void prepare_threads(const char *dir)
{
	start_threads(dir);
}

struct helper helpers[] = {
    {"files", prepare_files, 0},     {"sockets", prepare_sockets, 0},
    {"threads", prepare_threads, 0}, {"leaderless", prepare_leaderless, 0},
    {"deleted", prepare_deleted, 0}, {"memfd", prepare_memfd, 0},
    {"large", prepare_large, 0},     {"modest", prepare_modest, 0},
    {"jailed", prepare_jailed, 0},   {"homeless", prepare_homeless, 0},
    {"spaces", prepare_spaces, 0},
};
const unsigned nhelpers = COUNT_OF(helpers);

/* --- life --- */

static int start(struct helper *h, const char *dir)
{
	int ends[2];
	char byte;
	bool came;

	if (pipe(ends) < 0)
		return -1;
	h->pid = fork();
	if (h->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		ready_fd = ends[1];
		h->prepare(dir);
		ready();
		for (;;)
			pause();
	}
	close(ends[1]);
	/* Either it says so, or it became another program. */
	came = poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, READY_MS) == 1 &&
	       read(ends[0], &byte, 1) >= 0;
	close(ends[0]);
	return came && h->pid > 0 && waitpid(h->pid, NULL, WNOHANG) == 0 ? 0 : -1;
}

int helpers_start(const char *dir)
{
	for (unsigned i = 0; i < nhelpers; i++) {
		char own[256];

		snprintf(own, sizeof(own), "%s/%s", dir, helpers[i].name);
		if (mkdir(own, 0700) < 0 || start(&helpers[i], own) < 0) {
			fprintf(stderr, "helper '%s' did not get ready\n", helpers[i].name);
			return -1;
		}
	}
	return 0;
}

void helpers_end(void)
{
	for (unsigned i = 0; i < nhelpers; i++) {
		if (helpers[i].pid > 0) {
			kill(helpers[i].pid, SIGKILL);
			waitpid(helpers[i].pid, NULL, 0);
		}
		helpers[i].pid = 0;
	}
}

pid_t helper_pid(const char *name)
{
	for (unsigned i = 0; i < nhelpers; i++)
		if (strcmp(helpers[i].name, name) == 0)
			return helpers[i].pid;
	return 0;
}
