/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes and small macros used everywhere. */
#ifndef BASE_DEFS_H
#define BASE_DEFS_H

#define MUST_CHECK		__attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NOINLINE		__attribute__((noinline))
#define ALWAYS_INLINE                                                                              \
	inline __attribute__((always_inline)) /* where a call costs more than what it does */
#define LIKELY(x)		 __builtin_expect(!!(x), 1)
#define UNLIKELY(x)		 __builtin_expect(!!(x), 0)
#define COUNT_OF(array)		 (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(p, type, m) ((type *)(void *)((char *)(p)-offsetof(type, m)))

#endif
