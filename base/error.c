/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PRINTF_LIKE(5, 0)
static void fill(struct error *err, int code, int sys, uint64_t offset, const char *fmt, va_list ap)
{
	if (!err)
		return;
	err->code = code;
	err->sys = sys;
	err->offset = offset;
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, code, 0, 0, fmt, ap);
	va_end(ap);
	return code;
}

int error_at(struct error *err, int code, uint64_t offset, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, code, 0, offset, fmt, ap);
	va_end(ap);
	return code;
}

int error_sys(struct error *err, int sys, const char *fmt, ...)
{
	int code = sys == ENOMEM ? ERR_NOMEM : ERR_IO;
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	fill(err, code, sys, 0, fmt, ap);
	va_end(ap);
	if (!err)
		return code;
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", strerror(sys));
	return code;
}

int error_nomem(struct error *err)
{
	return error_set(err, ERR_NOMEM, "out of memory");
}

const char *error_code_text(int code)
{
	switch (code) {
#define X(sym, value, text)                                                                        \
	case sym:                                                                                  \
		return text;
		ERROR_CODES(X)
#undef X
	default:
		return "no error";
	}
}
