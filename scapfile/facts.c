/* SPDX-License-Identifier: Apache-2.0 */
/* Events of our own that tell of threads and descriptors what lists of them have no room for. */
#include "scapfile/internal.h"

#define PARAM(n, t, f)                                                                             \
	{                                                                                          \
		.name = (n), .type = (t), .format = (f), .dirfd_param = -1                         \
	}

static const struct ev_param_info thread_params[EV_THREAD_FACTS] = {
    [EV_THREAD_PID] = PARAM("pid", PT_PID, PF_DEC),
    [EV_THREAD_PTID] = PARAM("ptid", PT_PID, PF_DEC),
    [EV_THREAD_FLAGS] = PARAM("flags", PT_UINT32, PF_HEX),
    [EV_THREAD_CLONED] = PARAM("cloned", PT_ABSTIME, PF_DEC),
    [EV_THREAD_EXECUTED] = PARAM("executed", PT_ABSTIME, PF_DEC),
    [EV_THREAD_EXECS] = PARAM("execs", PT_UINT32, PF_DEC),
    [EV_THREAD_LAST] = PARAM("last", PT_ABSTIME, PF_DEC),
    [EV_THREAD_PREVIOUS] = PARAM("previous", PT_ABSTIME, PF_DEC),
    [EV_THREAD_LAST_TYPE] = PARAM("last_type", PT_UINT16, PF_DEC),
    [EV_THREAD_LAST_FD] = PARAM("last_fd", PT_INT64, PF_DEC),
    [EV_THREAD_REAPER] = PARAM("reaper", PT_PID, PF_DEC),
    [EV_THREAD_HAD_CHILDREN] = PARAM("had_children", PT_UINT8, PF_DEC),
    [EV_THREAD_ALIVE] = PARAM("alive", PT_UINT64, PF_DEC),
    [EV_THREAD_REAPS] = PARAM("reaps", PT_UINT8, PF_DEC),
    [EV_THREAD_CTIME_CLONE] = PARAM("ctime_to_clone", PT_UINT64, PF_DEC),
    [EV_THREAD_CTIME_PIDNS] = PARAM("ctime_to_pidns", PT_UINT64, PF_DEC),
    [EV_THREAD_PIDNS_START] = PARAM("pidns_start", PT_UINT64, PF_DEC),
    [EV_THREAD_CONTAINER] = PARAM("container", PT_CHARBUF, PF_NA),
    [EV_THREAD_CATEGORY] = PARAM("category", PT_UINT16, PF_DEC),
    [EV_THREAD_CMDLINE] = PARAM("cmdline", PT_CHARBUF, PF_NA),
    [EV_THREAD_CMDLINE_KEPT] = PARAM("cmdline_kept", PT_UINT8, PF_DEC),
    [EV_THREAD_COMM] = PARAM("comm", PT_CHARBUF, PF_NA),
    [EV_THREAD_EXE] = PARAM("exe", PT_CHARBUF, PF_NA),
    [EV_THREAD_EXEPATH] = PARAM("exepath", PT_CHARBUF, PF_NA),
    [EV_THREAD_ROOT] = PARAM("root", PT_CHARBUF, PF_NA),
    [EV_THREAD_CWD] = PARAM("cwd", PT_CHARBUF, PF_NA),
    [EV_THREAD_ENV] = PARAM("env", PT_BYTEBUF, PF_NA),
    [EV_THREAD_CALL] = PARAM("call", PT_UINT16, PF_DEC),
    [EV_THREAD_CALL_FLAGS] = PARAM("call_flags", PT_UINT32, PF_HEX),
    [EV_THREAD_CALL_DIRFD] = PARAM("call_dirfd", PT_INT64, PF_DEC),
    [EV_THREAD_CALL_TEXT] = PARAM("call_text", PT_BYTEBUF, PF_NA),
    [EV_THREAD_GONE] = PARAM("gone", PT_ABSTIME, PF_DEC),
};

static const struct ev_param_info fd_params[EV_FD_FACTS] = {
    [EV_FDF_NUM] = PARAM("fd", PT_INT64, PF_DEC),
    [EV_FDF_TYPE] = PARAM("type", PT_INT8, PF_DEC),
    [EV_FDF_FLAGS] = PARAM("flags", PT_UINT32, PF_HEX),
    [EV_FDF_OPENFLAGS] = PARAM("openflags", PT_UINT32, PF_HEX),
    [EV_FDF_DEV] = PARAM("dev", PT_UINT32, PF_HEX),
    [EV_FDF_INO] = PARAM("ino", PT_UINT64, PF_DEC),
    [EV_FDF_PID] = PARAM("pid", PT_PID, PF_DEC),
    [EV_FDF_NAME] = PARAM("name", PT_CHARBUF, PF_NA),
    [EV_FDF_NAME_RAW] = PARAM("name_raw", PT_CHARBUF, PF_NA),
    [EV_FDF_SIP] = PARAM("sip", PT_IPV6ADDR, PF_NA),
    [EV_FDF_DIP] = PARAM("dip", PT_IPV6ADDR, PF_NA),
    [EV_FDF_SPORT] = PARAM("sport", PT_PORT, PF_DEC),
    [EV_FDF_DPORT] = PARAM("dport", PT_PORT, PF_DEC),
    [EV_FDF_L4PROTO] = PARAM("l4proto", PT_UINT8, PF_DEC),
    [EV_FDF_UNIX_SOURCE] = PARAM("unix_source", PT_UINT64, PF_HEX),
    [EV_FDF_UNIX_DEST] = PARAM("unix_dest", PT_UINT64, PF_HEX),
};

const struct ev_info ev_thread_facts_info = {
    .name = "thread_facts",
    .enum_name = "EV_TYPE_THREAD_FACTS",
    .params = thread_params,
    .category = EC_PROCESS | EC_TRACEPOINT,
    .nparams = EV_THREAD_FACTS,
};

const struct ev_info ev_fd_facts_info = {
    .name = "fd_facts",
    .enum_name = "EV_TYPE_FD_FACTS",
    .params = fd_params,
    .category = EC_PROCESS | EC_TRACEPOINT,
    .nparams = EV_FD_FACTS,
};

_Static_assert((int)EV_THREAD_FACTS <= EV_PARAMS_MAX && (int)EV_FD_FACTS <= EV_PARAMS_MAX,
	       "located with the others");
