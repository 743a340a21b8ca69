/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How library folders report failure: a negative ERR_* code as the return value, and the text for
 * people in a caller-owned struct error. Library folders never print, log or exit. Threads: a
 * struct error belongs to its caller; the functions are reentrant.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdint.h>

#include "base/defs.h"

/* X(symbol, pinned value, meaning) */
#define ERROR_CODES(X)                                                                             \
	X(ERR_NOMEM, -1, "out of memory")                                                          \
	X(ERR_IO, -2, "a system call on a file failed")                                            \
	X(ERR_FORMAT, -3, "the input is not what its format promises")                             \
	X(ERR_TRUNCATED, -4, "the input ends before it should")                                    \
	X(ERR_UNSUPPORTED, -5, "valid, but of a version or kind this build does not handle")       \
	X(ERR_LIMIT, -6, "a named limit is exceeded")                                              \
	X(ERR_USAGE, -7, "an argument or option is wrong")                                         \
	X(ERR_SYNTAX, -8, "a condition or output format does not parse")                           \
	X(ERR_COMPILE, -9, "a condition parses but makes no sense: unknown field, bad type")       \
	X(ERR_RULES, -10, "a rule file could not be loaded")                                       \
	X(ERR_DB, -11, "the case database refused an operation")                                   \
	X(ERR_INTERRUPTED, -12, "stopped on request")                                              \
	X(ERR_PERMISSION, -13, "a privilege is missing")

enum error_code {
#define X(sym, value, text) sym = (value),
	ERROR_CODES(X)
#undef X
};

#define ERROR_MSG_MAX 512

struct error {
	int code;	 /* ERR_* */
	int sys;	 /* errno, or 0 */
	uint64_t offset; /* where in the input (bytes), when the message names one */
	char msg[ERROR_MSG_MAX];
};

/* Fill @err (which may be NULL) and return @code. Over-long messages are cut. */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As error_set(), with the offset field; the message must name the offset itself. */
int error_at(struct error *err, int code, uint64_t offset, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* ERR_IO with ": strerror(sys)" appended; ENOMEM becomes ERR_NOMEM. */
int error_sys(struct error *err, int sys, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* ERR_NOMEM. */
int error_nomem(struct error *err);
/* The meaning of a code, for messages of last resort. */
const char *error_code_text(int code);

#endif
