/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/event.h"

#define PARAM(n, t, f)                                                                             \
	{                                                                                          \
		.name = (n), .type = (t), .format = (f), .dirfd_param = -1                         \
	}

static const struct ev_param_info params[EV_URING_PARAMS] = {
    PARAM("res", PT_ERRNO, PF_DEC),	  PARAM("op", PT_UINT8, PF_DEC),
    PARAM("fd", PT_FD, PF_DEC),		  PARAM("user_data", PT_UINT64, PF_HEX),
    PARAM("flags", PT_UINT32, PF_HEX),	  PARAM("sqe_flags", PT_UINT8, PF_HEX),
    PARAM("op_flags", PT_UINT32, PF_HEX), PARAM("addr", PT_UINT64, PF_HEX),
    PARAM("len", PT_UINT64, PF_DEC),	  PARAM("offset", PT_UINT64, PF_DEC),
    PARAM("fd2", PT_FD, PF_DEC),	  PARAM("submitted", PT_ABSTIME, PF_DEC),
    PARAM("name", PT_FSPATH, PF_NA),	  PARAM("name2", PT_FSPATH, PF_NA),
    PARAM("address", PT_SOCKADDR, PF_NA), PARAM("tuple", PT_SOCKTUPLE, PF_NA),
};

const struct ev_info ev_uring_info = {
    .name = "io_uring",
    .enum_name = "EV_TYPE_URING",
    .params = params,
    .category = EC_IO_OTHER | EC_TRACEPOINT,
    .nparams = EV_URING_PARAMS,
};
