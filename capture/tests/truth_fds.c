/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on file descriptors, in success and failure, parameter by parameter. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/tests/truth_calls.h"

#define CALLS(table) table, sizeof(table) / sizeof(*(table))
#define DATA_LEN     (sizeof(data) - 1)

/* What the child has open. */
enum { DATA = 100, DIRECTORY, PIPE_IN, PIPE_OUT, EPOLL, PIDFD, EVENT, OUTPUT, EMPTY_PIPE };

#define FIFTY "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMN"
static const char data[] = FIFTY "bcd" FIFTY "cd" FIFTY "d" FIFTY; /* no two stretches alike */
static char buffer[4096];
static int fds[2] = {-5, -6};
static struct timespec no_time;
static uint64_t mask = 0x1122334455667788;

static void open_fds(void)
{
	int p[2];

	truth_enter_directory();
	truth_move_fd(open("data", O_RDWR | O_CREAT | O_TRUNC, 0600), DATA);
	LIVE_NEED(write(DATA, data, DATA_LEN) == (ssize_t)DATA_LEN && !lseek(DATA, 0, SEEK_SET));
	truth_move_fd(open("output", O_RDWR | O_CREAT, 0600), OUTPUT);
	truth_move_fd(open(".", O_RDONLY | O_DIRECTORY), DIRECTORY);
	LIVE_NEED(!pipe(p));
	truth_move_fd(p[0], PIPE_IN);
	truth_move_fd(p[1], PIPE_OUT);
	LIVE_NEED(!pipe(p));
	truth_move_fd(p[0], EMPTY_PIPE);
	truth_move_fd(epoll_create1(0), EPOLL);
	truth_move_fd((int)syscall(SYS_pidfd_open, getpid(), 0), PIDFD);
	truth_move_fd(eventfd(3, 0), EVENT);
}

/* No descriptor can be made: calls that cannot fail otherwise do. */
static void no_descriptors(void)
{
	struct rlimit r = {0, 0};

	LIVE_NEED(!getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = 0;
	LIVE_NEED(!setrlimit(RLIMIT_NOFILE, &r));
}

static void descriptors(void)
{
	struct rlimit r;

	LIVE_NEED(!getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = r.rlim_max;
	LIVE_NEED(!setrlimit(RLIMIT_NOFILE, &r));
}

static void reading_and_writing(void **state)
{
	const struct truth_call calls[] = {
	    {EV_READ_X,
	     SYS_read,
	     {DATA, P(buffer), 64},
	     64,
	     {RET("res"), BYTES("data", data, 64), INT("fd", DATA), INT("size", 64)}},
	    {EV_READ_X, /* 80 bytes are kept */
	     SYS_read,
	     {DATA, P(buffer), 4096},
	     (long)DATA_LEN - 64,
	     {RET("res"), BYTES("data", data + 64, 80), INT("fd", DATA), INT("size", 4096)}},
	    {EV_READ_X, /* the end */
	     SYS_read,
	     {DATA, P(buffer), 10},
	     0,
	     {RET("res"), EMPTY("data"), INT("fd", DATA), INT("size", 10)}},
	    {EV_READ_X,
	     SYS_read,
	     {-1, P(data), 10},
	     -EBADF,
	     {RET("res"), EMPTY("data"), INT("fd", -1), INT("size", 10)}},
	    {EV_READ_X, /* a size beyond 32 bits is cut as the table says */
	     SYS_read,
	     {-3, 0, 0x500000006},
	     -EBADF,
	     {RET("res"), EMPTY("data"), INT("fd", -3), INT("size", 6)}},
	    {EV_WRITE_X,
	     SYS_write,
	     {PIPE_OUT, P(data), 33},
	     33,
	     {RET("res"), BYTES("data", data, 33), INT("fd", PIPE_OUT), INT("size", 33)}},
	    {EV_WRITE_X,
	     SYS_write,
	     {PIPE_OUT, P(data), 199},
	     199,
	     {RET("res"), BYTES("data", data, 80), INT("fd", PIPE_OUT), INT("size", 199)}},
	    {EV_WRITE_X, /* what was about to be written is kept */
	     SYS_write,
	     {-1, P(data), 20},
	     -EBADF,
	     {RET("res"), BYTES("data", data, 20), INT("fd", -1), INT("size", 20)}},
	    {EV_WRITE_X,
	     SYS_write,
	     {-1, P(data), 150},
	     -EBADF,
	     {RET("res"), BYTES("data", data, 80), INT("fd", -1), INT("size", 150)}},
	    {EV_WRITE_X,
	     SYS_write,
	     {PIPE_OUT, 0, 20},
	     -EFAULT,
	     {RET("res"), EMPTY("data"), INT("fd", PIPE_OUT), INT("size", 20)}},
	    {EV_WRITE_X,
	     SYS_write,
	     {PIPE_OUT, P(data), 0},
	     0,
	     {RET("res"), EMPTY("data"), INT("fd", PIPE_OUT), INT("size", 0)}},
	    {EV_PREAD_X,
	     SYS_pread64,
	     {DATA, P(buffer), 30, 5},
	     30,
	     {RET("res"), BYTES("data", data + 5, 30), INT("fd", DATA), INT("size", 30),
	      INT("pos", 5)}},
	    {EV_PREAD_X,
	     SYS_pread64,
	     {DATA, P(buffer), 30, -2},
	     -EINVAL,
	     {RET("res"), EMPTY("data"), INT("fd", DATA), INT("size", 30), INT("pos", -2)}},
	    {EV_PWRITE_X,
	     SYS_pwrite64,
	     {OUTPUT, P(data), 90, 0x100000000},
	     90,
	     {RET("res"), BYTES("data", data, 80), INT("fd", OUTPUT), INT("size", 90),
	      INT("pos", 0x100000000)}},
	    {EV_PWRITE_X,
	     SYS_pwrite64,
	     {PIPE_OUT, P(data), 9, 3},
	     -ESPIPE,
	     {RET("res"), BYTES("data", data, 9), INT("fd", PIPE_OUT), INT("size", 9),
	      INT("pos", 3)}},
	};

	truth_calls(*state, open_fds, CALLS(calls), NULL);
}

static void closing_and_duplicating(void **state)
{
	const struct truth_call calls[] = {
	    {EV_DUP_1_X, SYS_dup, {DATA}, TRUTH_ANY, {RET("res"), INT("oldfd", DATA)}},
	    {EV_DUP_1_X, SYS_dup, {-9}, -EBADF, {RET("res"), INT("oldfd", -9)}},
	    {EV_DUP2_X,
	     SYS_dup2,
	     {DATA, 150},
	     150,
	     {RET("res"), INT("oldfd", DATA), INT("newfd", 150)}},
	    {EV_DUP2_X,
	     SYS_dup2,
	     {DATA, -1},
	     -EBADF,
	     {RET("res"), INT("oldfd", DATA), INT("newfd", -1)}},
	    {EV_DUP3_X,
	     SYS_dup3,
	     {DATA, 151, O_CLOEXEC},
	     151,
	     {RET("res"), INT("oldfd", DATA), INT("newfd", 151), FLAGS("flags", "O_CLOEXEC")}},
	    {EV_DUP3_X,
	     SYS_dup3,
	     {DATA, 152, 0},
	     152,
	     {RET("res"), INT("oldfd", DATA), INT("newfd", 152), FLAGS("flags", "")}},
	    {EV_DUP3_X,
	     SYS_dup3,
	     {DATA, DATA, 0},
	     -EINVAL,
	     {RET("res"), INT("oldfd", DATA), INT("newfd", DATA), FLAGS("flags", "")}},
	    {EV_CLOSE_X, SYS_close, {150}, 0, {RET("res"), INT("fd", 150)}},
	    {EV_CLOSE_X, SYS_close, {150}, -EBADF, {RET("res"), INT("fd", 150)}},
	    {EV_CLOSE_X, SYS_close, {0xfffffff9}, -EBADF, {RET("res"), INT("fd", -7)}},
	    {EV_CLOSE_RANGE_X,
	     SYS_close_range,
	     {151, 152, 4},
	     0,
	     {RET("res"), INT("first", 151), INT("last", 152),
	      FLAGS("flags", "CLOSE_RANGE_CLOEXEC")}},
	    {EV_CLOSE_RANGE_X,
	     SYS_close_range,
	     {151, 0xffffffff, 2},
	     0,
	     {RET("res"), INT("first", 151), INT("last", 0xffffffff),
	      FLAGS("flags", "CLOSE_RANGE_UNSHARE")}},
	    {EV_CLOSE_RANGE_X,
	     SYS_close_range,
	     {9, 8, 0},
	     -EINVAL,
	     {RET("res"), INT("first", 9), INT("last", 8), FLAGS("flags", "")}},
	};

	truth_calls(*state, open_fds, CALLS(calls), NULL);
}

static void descriptors_of_no_file(void **state)
{
	const struct truth_call calls[] = {
	    {EV_EVENTFD_X,
	     SYS_eventfd,
	     {7},
	     TRUTH_ANY,
	     {RET("res"), INT("initval", 7), INT("flags", 0)}},
	    {EV_EVENTFD2_X,
	     SYS_eventfd2,
	     {9, EFD_CLOEXEC | EFD_NONBLOCK},
	     TRUTH_ANY,
	     {RET("res"), FLAGS("flags", "O_NONBLOCK|O_CLOEXEC"), INT("initval", 9)}},
	    {EV_EVENTFD2_X,
	     SYS_eventfd2,
	     {0xffffffff, -1},
	     -EINVAL,
	     {RET("res"), FLAGS("flags", ""), INT("initval", 0xffffffff)}},
	    {EV_SIGNALFD_X,
	     SYS_signalfd,
	     {-1, P(&mask), 8},
	     TRUTH_ANY,
	     {RET("res"), INT("fd", -1), INT("mask", 0), INT("flags", 0)}},
	    {EV_SIGNALFD_X,
	     SYS_signalfd,
	     {DATA, P(&mask), 8},
	     -EINVAL,
	     {RET("res"), INT("fd", DATA), INT("mask", 0), INT("flags", 0)}},
	    {EV_SIGNALFD4_X,
	     SYS_signalfd4,
	     {-1, P(&mask), 8, O_NONBLOCK | O_CLOEXEC},
	     TRUTH_ANY,
	     {RET("res"), FLAGS("flags", "O_NONBLOCK|O_CLOEXEC"), INT("fd", -1), INT("mask", 0)}},
	    {EV_SIGNALFD4_X,
	     SYS_signalfd4,
	     {-1, P(&mask), 7, 0},
	     -EINVAL,
	     {RET("res"), FLAGS("flags", ""), INT("fd", -1), INT("mask", 0)}},
	    {EV_TIMERFD_CREATE_X, /* eight bits have no room for O_CLOEXEC: defect 9, kept */
	     SYS_timerfd_create,
	     {CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC},
	     TRUTH_ANY,
	     {RET("res"), INT("clockid", CLOCK_MONOTONIC), INT("flags", 64)}},
	    {EV_TIMERFD_CREATE_X,
	     SYS_timerfd_create,
	     {0x163, 0},
	     -EINVAL,
	     {RET("res"), INT("clockid", 0x63), INT("flags", 0)}},
	    {EV_INOTIFY_INIT_X, SYS_inotify_init, {0}, TRUTH_ANY, {RET("res"), INT("flags", 0)}},
	    {EV_INOTIFY_INIT1_X,
	     SYS_inotify_init1,
	     {O_NONBLOCK | O_CLOEXEC},
	     TRUTH_ANY,
	     {RET("res"), FLAGS("flags", "O_NONBLOCK|O_CLOEXEC")}},
	    {EV_INOTIFY_INIT1_X,
	     SYS_inotify_init1,
	     {-1},
	     -EINVAL,
	     {RET("res"), FLAGS("flags", "")}},
	    {EV_EPOLL_CREATE_X, SYS_epoll_create, {5}, TRUTH_ANY, {RET("res"), INT("size", 5)}},
	    {EV_EPOLL_CREATE_X, SYS_epoll_create, {-4}, -EINVAL, {RET("res"), INT("size", -4)}},
	    {EV_EPOLL_CREATE1_X,
	     SYS_epoll_create1,
	     {EPOLL_CLOEXEC},
	     TRUTH_ANY,
	     {RET("res"), FLAGS("flags", "EPOLL_CLOEXEC")}},
	    {EV_EPOLL_CREATE1_X, SYS_epoll_create1, {1}, -EINVAL, {RET("res"), FLAGS("flags", "")}},
	    {EV_EPOLLWAIT_X,
	     SYS_epoll_wait,
	     {EPOLL, P(buffer), 7, 0},
	     0,
	     {RET("res"), INT("maxevents", 7)}},
	    {EV_EPOLLWAIT_X,
	     SYS_epoll_wait,
	     {EPOLL, P(buffer), -1, 0},
	     -EINVAL,
	     {RET("res"), INT("maxevents", -1)}},
	    {EV_USERFAULTFD_X,
	     SYS_userfaultfd,
	     {O_CLOEXEC | O_NONBLOCK},
	     TRUTH_ANY,
	     {RET("res"), INT("flags", O_CLOEXEC | O_NONBLOCK)}},
	    {EV_USERFAULTFD_X, SYS_userfaultfd, {0xf0}, -EINVAL, {RET("res"), INT("flags", 0xf0)}},
	    {EV_MEMFD_CREATE_X,
	     SYS_memfd_create,
	     {P("a name"), MFD_CLOEXEC | MFD_ALLOW_SEALING},
	     TRUTH_ANY,
	     {RET("fd"), STR("name", "a name"), FLAGS("flags", "MFD_CLOEXEC|MFD_ALLOW_SEALING")}},
	    {EV_MEMFD_CREATE_X,
	     SYS_memfd_create,
	     {P(""), 0},
	     TRUTH_ANY,
	     {RET("fd"), STR("name", ""), FLAGS("flags", "")}},
	    {EV_MEMFD_CREATE_X,
	     SYS_memfd_create,
	     {0, 0},
	     -EFAULT,
	     {RET("fd"), EMPTY("name"), FLAGS("flags", "")}},
	    {EV_PIDFD_OPEN_X,
	     SYS_pidfd_open,
	     {1, O_NONBLOCK},
	     TRUTH_ANY,
	     {RET("fd"), INT("pid", 1), FLAGS("flags", "PIDFD_NONBLOCK")}},
	    {EV_PIDFD_OPEN_X,
	     SYS_pidfd_open,
	     {-2, 0},
	     -EINVAL,
	     {RET("fd"), INT("pid", -2), FLAGS("flags", "")}},
	    {EV_PIDFD_GETFD_X,
	     SYS_pidfd_getfd,
	     {PIDFD, DATA, 0},
	     TRUTH_ANY,
	     {RET("fd"), INT("pid_fd", PIDFD), INT("target_fd", DATA), INT("flags", 0)}},
	    {EV_PIDFD_GETFD_X,
	     SYS_pidfd_getfd,
	     {PIDFD, -1, 3},
	     -EINVAL,
	     {RET("fd"), INT("pid_fd", PIDFD), INT("target_fd", -1), INT("flags", 3)}},
	    {EV_EVENTFD_X,
	     SYS_eventfd,
	     {0x100000001},
	     -EMFILE,
	     {RET("res"), INT("initval", 0x100000001), INT("flags", 0), BEFORE(no_descriptors)}},
	    {EV_INOTIFY_INIT_X, SYS_inotify_init, {0}, -EMFILE, {RET("res"), INT("flags", 0)}},
	};

	truth_calls(*state, open_fds, CALLS(calls), NULL);
}

static void controlling(void **state)
{
	const struct truth_call calls[] = {
	    {EV_FCNTL_X,
	     SYS_fcntl,
	     {DATA, F_DUPFD, 180},
	     180,
	     {RET("res"), INT("fd", DATA), FLAGS("cmd", "F_DUPFD"), INT("arg", 180)}},
	    {EV_FCNTL_X,
	     SYS_fcntl,
	     {DATA, F_GETFL, 0x123456789abc},
	     TRUTH_ANY,
	     {RET("res"), INT("fd", DATA), FLAGS("cmd", "F_GETFL"), INT("arg", 0x123456789abc)}},
	    {EV_FCNTL_X,
	     SYS_fcntl,
	     {DATA, 0x7777, -1},
	     -EINVAL,
	     {RET("res"), INT("fd", DATA), FLAGS("cmd", "UNKNOWN"), INT("arg", -1)}},
	    {EV_IOCTL_3_X,
	     SYS_ioctl,
	     {PIPE_IN, FIONREAD, P(buffer)},
	     0,
	     {RET("res"), INT("fd", PIPE_IN), INT("request", FIONREAD),
	      INT("argument", P(buffer))}},
	    {EV_IOCTL_3_X,
	     SYS_ioctl,
	     {-1, 0x8000000180000002, 0x7fff00001111},
	     -EBADF,
	     {RET("res"), INT("fd", -1), INT("request", 0x8000000180000002),
	      INT("argument", 0x7fff00001111)}},
	    {EV_FLOCK_X,
	     SYS_flock,
	     {DATA, LOCK_EX | LOCK_NB},
	     0,
	     {RET("res"), INT("fd", DATA), FLAGS("operation", "LOCK_EX|LOCK_NB")}},
	    {EV_FLOCK_X,
	     SYS_flock,
	     {DATA, LOCK_UN},
	     0,
	     {RET("res"), INT("fd", DATA), FLAGS("operation", "LOCK_UN")}},
	    {EV_FLOCK_X,
	     SYS_flock,
	     {-1, LOCK_SH},
	     -EBADF,
	     {RET("res"), INT("fd", -1), FLAGS("operation", "LOCK_SH")}},
	    {EV_LSEEK_X,
	     SYS_lseek,
	     {DATA, 10, SEEK_SET},
	     10,
	     {RET("res"), INT("fd", DATA), INT("offset", 10), FLAGS("whence", "SEEK_SET")}},
	    {EV_LSEEK_X,
	     SYS_lseek,
	     {DATA, -3, SEEK_CUR},
	     7,
	     {RET("res"), INT("fd", DATA), INT("offset", -3), FLAGS("whence", "SEEK_CUR")}},
	    {EV_LSEEK_X,
	     SYS_lseek,
	     {PIPE_IN, 0, SEEK_END},
	     -ESPIPE,
	     {RET("res"), INT("fd", PIPE_IN), INT("offset", 0), FLAGS("whence", "SEEK_END")}},
	    {EV_FSTAT_X, SYS_fstat, {DATA, P(buffer)}, 0, {RET("res"), INT("fd", DATA)}},
	    {EV_FSTAT_X, SYS_fstat, {-1, P(buffer)}, -EBADF, {RET("res"), INT("fd", -1)}},
	    {EV_GETDENTS_X,
	     SYS_getdents,
	     {DIRECTORY, P(buffer), sizeof(buffer)},
	     TRUTH_ANY,
	     {RET("res"), INT("fd", DIRECTORY)}},
	    {EV_GETDENTS_X,
	     SYS_getdents,
	     {DATA, P(buffer), sizeof(buffer)},
	     -ENOTDIR,
	     {RET("res"), INT("fd", DATA)}},
	    {EV_GETDENTS64_X,
	     SYS_getdents64,
	     {DIRECTORY, P(buffer), sizeof(buffer)},
	     TRUTH_ANY,
	     {RET("res"), INT("fd", DIRECTORY)}},
	    {EV_GETDENTS64_X,
	     SYS_getdents64,
	     {-1, P(buffer), sizeof(buffer)},
	     -EBADF,
	     {RET("res"), INT("fd", -1)}},
	};

	truth_calls(*state, open_fds, CALLS(calls), NULL);
}

static uint64_t offset = 4;

static void moving_data(void **state)
{
	const struct truth_call calls[] = {
	    {EV_SENDFILE_X,
	     SYS_sendfile,
	     {OUTPUT, DATA, P(&offset), 50},
	     50,
	     {RET("res"), INT("offset", 54), INT("out_fd", OUTPUT), INT("in_fd", DATA),
	      INT("size", 50)}},
	    {EV_SENDFILE_X,
	     SYS_sendfile,
	     {PIPE_OUT, DATA, 0, 20},
	     20,
	     {RET("res"), INT("offset", 0), INT("out_fd", PIPE_OUT), INT("in_fd", DATA),
	      INT("size", 20)}},
	    {EV_SENDFILE_X,
	     SYS_sendfile,
	     {-1, -2, P(&offset), 0x200000001},
	     -EBADF,
	     {RET("res"), INT("offset", 54), INT("out_fd", -1), INT("in_fd", -2),
	      INT("size", 0x200000001)}},
	    {EV_SPLICE_X,
	     SYS_splice,
	     {PIPE_IN, 0, OUTPUT, 0, 11, 1 | 2 | 4 | 8},
	     11,
	     {RET("res"), INT("fd_in", PIPE_IN), INT("fd_out", OUTPUT), INT("size", 11),
	      FLAGS("flags", "SPLICE_F_MOVE|SPLICE_F_NONBLOCK|SPLICE_F_MORE|SPLICE_F_GIFT")}},
	    {EV_SPLICE_X,
	     SYS_splice,
	     {DATA, 0, OUTPUT, 0, 11, 0},
	     -EINVAL,
	     {RET("res"), INT("fd_in", DATA), INT("fd_out", OUTPUT), INT("size", 11),
	      FLAGS("flags", "")}},
	    {EV_COPY_FILE_RANGE_X, /* defect 14, kept: addresses, not offsets */
	     SYS_copy_file_range,
	     {DATA, P(&offset), OUTPUT, 0, 30, 0},
	     30,
	     {RET("res"), INT("fdout", OUTPUT), INT("offout", 0), INT("fdin", DATA),
	      INT("offin", P(&offset)), INT("len", 30)}},
	    {EV_COPY_FILE_RANGE_X,
	     SYS_copy_file_range,
	     {-1, 0, -2, P(&offset), -3, 0},
	     -EBADF,
	     {RET("res"), INT("fdout", -2), INT("offout", P(&offset)), INT("fdin", -1),
	      INT("offin", 0), INT("len", -3)}},
	};

	truth_calls(*state, open_fds, CALLS(calls), NULL);
}

static void note_pipe(int64_t *fact, const long *ret)
{
	struct stat st;

	(void)ret;
	LIVE_NEED(!fstat(fds[0], &st));
	fact[0] = fds[0];
	fact[1] = fds[1];
	fact[2] = (int64_t)st.st_ino;
}

static void pipes(void **state)
{
	const struct truth_call calls[] = {
	    {EV_PIPE_X, /* a failed one leaves what was there */
	     SYS_pipe,
	     {P(fds)},
	     -EMFILE,
	     {RET("res"), INT("fd1", -5), INT("fd2", -6), INT("ino", 0), BEFORE(no_descriptors)}},
	    {EV_PIPE_X,
	     SYS_pipe,
	     {P(fds)},
	     0,
	     {RET("res"), FACT("fd1", 0), FACT("fd2", 1), FACT("ino", 2), BEFORE(descriptors)}},
	    {EV_PIPE_X,
	     SYS_pipe,
	     {0},
	     -EFAULT,
	     {RET("res"), INT("fd1", -1), INT("fd2", -1), INT("ino", 0)}},
	};
	const struct truth_call calls2[] = {
	    {EV_PIPE2_X,
	     SYS_pipe2,
	     {P(fds), -1},
	     -EINVAL,
	     {RET("res"), INT("fd1", -5), INT("fd2", -6), INT("ino", 0), FLAGS("flags", "")}},
	    {EV_PIPE2_X,
	     SYS_pipe2,
	     {P(fds), O_CLOEXEC | O_DIRECT | O_NONBLOCK},
	     0,
	     {RET("res"), FACT("fd1", 0), FACT("fd2", 1), FACT("ino", 2),
	      FLAGS("flags", "O_CLOEXEC|O_DIRECT|O_NONBLOCK")}},
	};

	truth_calls(*state, open_fds, CALLS(calls), note_pipe);
	truth_calls(*state, open_fds, CALLS(calls2), note_pipe);
}

/* As a parameter: the count, then fd and flags of each. */
struct fd_list {
	size_t n;
	char bytes[2 + 16 * 10];
};

static void list_fd(struct fd_list *l, int64_t fd, int flags)
{
	uint16_t count = (uint16_t)((l->n ? l->n - 2 : 0) / 10 + 1);
	int16_t f = (int16_t)flags;

	l->n = l->n ? l->n : 2;
	memcpy(l->bytes, &count, 2);
	memcpy(l->bytes + l->n, &fd, 8);
	memcpy(l->bytes + l->n + 8, &f, 2);
	l->n += 10;
}

#define LIST(name, l) BYTES(name, (l).bytes, (l).n)

static struct pollfd two[2] = {{PIPE_OUT, POLLOUT | POLLWRNORM, -1}, {990, POLLIN, 0}};
static struct pollfd many[20], idle[1] = {{EMPTY_PIPE, POLLIN | POLLPRI, 0}};
static struct fd_list l2, l16, l1, l0 = {2, {0}};
static struct timespec soon = {0, 5000}, gone = {3, 7};

static void fill_lists(void)
{
	list_fd(&l2, PIPE_OUT, 4 | 512);
	list_fd(&l2, 990, 64);
	list_fd(&l1, EMPTY_PIPE, 0);
	for (int i = 0; i < 20; i++) {
		many[i] = (struct pollfd){800 + i, POLLIN, 0};
		if (i < 16)
			list_fd(&l16, 800 + i, 64);
	}
}

static void waiting(void **state)
{
	fill_lists();

	const struct truth_call calls[] = {
	    {EV_POLL_X,
	     SYS_poll,
	     {P(two), 2, 50},
	     2,
	     {RET("res"), LIST("fds", l2), INT("timeout", 50)}},
	    {EV_POLL_X, /* defect 7, kept: no end of time is 2^32 - 1 */
	     SYS_poll,
	     {P(two), 2, -1},
	     2,
	     {RET("res"), LIST("fds", l2), INT("timeout", 4294967295)}},
	    {EV_POLL_X, /* sixteen are shown */
	     SYS_poll,
	     {P(many), 20, 0},
	     20,
	     {RET("res"), LIST("fds", l16), INT("timeout", 0)}},
	    {EV_POLL_X,
	     SYS_poll,
	     {P(two), 0, 0},
	     0,
	     {RET("res"), LIST("fds", l0), INT("timeout", 0)}},
	    {EV_POLL_X,
	     SYS_poll,
	     {8, 1, 1},
	     -EFAULT,
	     {RET("res"), LIST("fds", l0), INT("timeout", 1)}},
	    {EV_PPOLL_X,
	     SYS_ppoll,
	     {P(two), 2, 0, P(&mask), 8},
	     2,
	     {RET("res"), LIST("fds", l2), INT("timeout", 0), INT("sigmask", 0x55667788)}},
	    {EV_PPOLL_X, /* defect 6, kept: the time that was left */
	     SYS_ppoll,
	     {P(idle), 1, P(&soon), 0, 0},
	     0,
	     {RET("res"), LIST("fds", l1), INT("timeout", 0), INT("sigmask", 0)}},
	    {EV_PPOLL_X,
	     SYS_ppoll,
	     {P(idle), 1, P(&gone), P(&mask), 7},
	     -EINVAL,
	     {RET("res"), LIST("fds", l1), INT("timeout", 3000000007), INT("sigmask", 0x55667788)}},
	    {EV_SELECT_X, SYS_select, {0, 0, 0, 0, P(&no_time)}, 0, {RET("res")}},
	    {EV_SELECT_X, SYS_select, {-1, 0, 0, 0, P(&no_time)}, -EINVAL, {RET("res")}},
	};

	truth_calls(*state, open_fds, CALLS(calls), NULL);
}

LIVE_MAIN("truth_fds",
	  "read,write,pread64,pwrite64,dup,dup2,dup3,close,close_range,eventfd,eventfd2,signalfd,"
	  "signalfd4,timerfd_create,inotify_init,inotify_init1,epoll_create,epoll_create1,"
	  "epoll_wait,userfaultfd,memfd_create,pidfd_open,pidfd_getfd,fcntl,ioctl,flock,lseek,"
	  "fstat,getdents,getdents64,sendfile,splice,copy_file_range,pipe,pipe2,poll,ppoll,select",
	  cmocka_unit_test(reading_and_writing), cmocka_unit_test(closing_and_duplicating),
	  cmocka_unit_test(descriptors_of_no_file), cmocka_unit_test(controlling),
	  cmocka_unit_test(moving_data), cmocka_unit_test(pipes), cmocka_unit_test(waiting))
