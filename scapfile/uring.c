/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/internal.h"

/* IORING_OP_* */
/* clang-format off */
static const struct ev_flag op_names[] = {
    {"NOP", 0}, {"READV", 1}, {"WRITEV", 2}, {"FSYNC", 3}, {"READ_FIXED", 4},
    {"WRITE_FIXED", 5}, {"POLL_ADD", 6}, {"POLL_REMOVE", 7}, {"SYNC_FILE_RANGE", 8},
    {"SENDMSG", 9}, {"RECVMSG", 10}, {"TIMEOUT", 11}, {"TIMEOUT_REMOVE", 12}, {"ACCEPT", 13},
    {"ASYNC_CANCEL", 14}, {"LINK_TIMEOUT", 15}, {"CONNECT", 16}, {"FALLOCATE", 17},
    {"OPENAT", 18}, {"CLOSE", 19}, {"FILES_UPDATE", 20}, {"STATX", 21}, {"READ", 22},
    {"WRITE", 23}, {"FADVISE", 24}, {"MADVISE", 25}, {"SEND", 26}, {"RECV", 27},
    {"OPENAT2", 28}, {"EPOLL_CTL", 29}, {"SPLICE", 30}, {"PROVIDE_BUFFERS", 31},
    {"REMOVE_BUFFERS", 32}, {"TEE", 33}, {"SHUTDOWN", 34}, {"RENAMEAT", 35}, {"UNLINKAT", 36},
    {"MKDIRAT", 37}, {"SYMLINKAT", 38}, {"LINKAT", 39}, {"MSG_RING", 40}, {"FSETXATTR", 41},
    {"SETXATTR", 42}, {"FGETXATTR", 43}, {"GETXATTR", 44}, {"SOCKET", 45}, {"URING_CMD", 46},
    {"SEND_ZC", 47}, {"SENDMSG_ZC", 48}, {"READ_MULTISHOT", 49}, {"WAITID", 50},
    {"FUTEX_WAIT", 51}, {"FUTEX_WAKE", 52}, {"FUTEX_WAITV", 53}, {"FIXED_FD_INSTALL", 54},
    {"FTRUNCATE", 55}, {"BIND", 56}, {"LISTEN", 57}, {"RECV_ZC", 58}, {"EPOLL_WAIT", 59},
    {"READV_FIXED", 60}, {"WRITEV_FIXED", 61}, {"PIPE", 62}, {NULL, 0},
};
/* clang-format on */

static const struct ev_flag sqe_names[] = {
    /* IOSQE_* */
    {"FIXED_FILE", 1}, {"IO_DRAIN", 2},	      {"IO_LINK", 4},		{"IO_HARDLINK", 8},
    {"ASYNC", 16},     {"BUFFER_SELECT", 32}, {"CQE_SKIP_SUCCESS", 64}, {NULL, 0},
};

static const struct ev_flag cqe_names[] = {
    /* IORING_CQE_F_*; above 16 bits: a buffer's number */
    {"BUFFER", 1}, {"MORE", 2}, {"SOCK_NONEMPTY", 4}, {"NOTIF", 8}, {"BUF_MORE", 16}, {NULL, 0},
};

static const struct ev_flag slot_names[] = {{"ANY", UINT32_MAX}, {NULL, 0}};

#define PARAM(n, t, f)                                                                             \
	{                                                                                          \
		.name = (n), .type = (t), .format = (f), .dirfd_param = -1                         \
	}

/* Plain numbers with names: programs and newer kernels may use others. */
#define NAMED(n, t, f, names)                                                                      \
	{                                                                                          \
		.name = (n), .type = (t), .format = (f), .flags = (names), .dirfd_param = -1       \
	}

#define PATH(n, dir)                                                                               \
	{                                                                                          \
		.name = (n), .type = PT_FSRELPATH, .dirfd_param = (dir)                            \
	}

static const struct ev_param_info params[EV_URING_PARAMS] = {
    PARAM("res", PT_ERRNO, PF_DEC),
    NAMED("op", PT_UINT8, PF_DEC, op_names),
    PARAM("fd", PT_FD, PF_DEC),
    PARAM("user_data", PT_UINT64, PF_HEX),
    NAMED("flags", PT_UINT32, PF_HEX, cqe_names),
    NAMED("sqe_flags", PT_UINT8, PF_HEX, sqe_names),
    PARAM("op_flags", PT_UINT32, PF_HEX),
    PARAM("addr", PT_UINT64, PF_HEX),
    PARAM("len", PT_UINT64, PF_DEC),
    PARAM("offset", PT_UINT64, PF_DEC),
    PARAM("fd2", PT_FD, PF_DEC),
    PARAM("submitted", PT_ABSTIME, PF_DEC),
    PATH("name", EV_URING_FD),
    PATH("name2", EV_URING_FD2),
    PARAM("address", PT_SOCKADDR, PF_NA),
    PARAM("tuple", PT_SOCKTUPLE, PF_NA),
    NAMED("file_slot", PT_UINT32, PF_DEC, slot_names),
    NAMED("fd_flags", PT_FLAGS32, PF_HEX, ev_flags_file_flags),
    PARAM("dev", PT_UINT32, PF_HEX),
    PARAM("ino", PT_UINT64, PF_DEC),
};

const struct ev_info ev_uring_info = {
    .name = "io_uring",
    .enum_name = "EV_TYPE_URING",
    .params = params,
    .category = EC_IO_OTHER | EC_TRACEPOINT,
    .nparams = EV_URING_PARAMS,
};
