/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of calls with known arguments and of what their events must hold. A child makes the calls
 * one after the other; each must give the result of its row and exactly one event, in which every
 * parameter is compared.
 */
#ifndef CAPTURE_TESTS_TRUTH_CALLS_H
#define CAPTURE_TESTS_TRUTH_CALLS_H

#include <limits.h>

#include "capture/tests/live.h"

#define TRUTH_CALLS_MAX	  512
#define TRUTH_ANY	  LONG_MIN	 /* a result: any that is no error */
#define TRUTH_EVEN_FAILED (LONG_MIN + 1) /* or even that */

enum truth_how {
	TRUTH_INT = 1, /* within v..v2 */
	TRUTH_RESULT,  /* what the call returned */
	TRUTH_FLAGS,
	TRUTH_STR,
	TRUTH_BYTES, /* v of them at text */
	TRUTH_DYN,   /* selector v2 >> 8, then the low byte of v2 bytes of v */
	TRUTH_DYN_STR,
	TRUTH_BEFORE, /* no parameter: what the child prepares for this call */
	TRUTH_AFTER,  /* likewise, what it finds out after it */
	TRUTH_FACT,   /* what the child found out: number v, give or take v2 */
};

struct truth_param {
	const char *name;
	enum truth_how how;
	const char *text;
	int64_t v, v2;
};

/* The parameters of a row, in any order; a row names all. */
/* clang-format off */
#define RET(name)	       {name, TRUTH_RESULT, NULL, 0, 0}
#define INT(name, v)	       {name, TRUTH_INT, NULL, (int64_t)(v), (int64_t)(v)}
#define RANGE(name, low, high) {name, TRUTH_INT, NULL, (int64_t)(low), (int64_t)(high)}
#define FLAGS(name, flags)     {name, TRUTH_FLAGS, flags, 0, 0}
#define STR(name, text)	       {name, TRUTH_STR, text, 0, 0}
#define BYTES(name, p, n)      {name, TRUTH_BYTES, p, n, 0}
#define EMPTY(name)	       {name, TRUTH_BYTES, "", 0, 0}
#define DYN(name, selector, v, width) \
	{name, TRUTH_DYN, NULL, (int64_t)(v), (selector) << 8 | (width)}
#define DYN_STR(name, selector, text) {name, TRUTH_DYN_STR, text, selector, 0}
#define FACT(name, i)	       {name, TRUTH_FACT, NULL, i, 0}
#define NEAR(name, i, slack)   {name, TRUTH_FACT, NULL, i, slack}
#define BEFORE(fn)	       {"", TRUTH_BEFORE, NULL, (int64_t)(fn), 0} /* void fn(void) */
#define AFTER(fn)	       {"", TRUTH_AFTER, NULL, (int64_t)(fn), 0}  /* void fn(int64_t *fact, long ret) */
/* clang-format on */

struct truth_call {
	unsigned type; /* of its event */
	long nr;
	long a[6];
	long ret; /* negative: the error; or TRUTH_ANY */
	struct truth_param p[20];
};

#define P(pointer) ((long)(pointer))

/*
 * Make @calls in a child, after @prepare (or NULL) there, and compare. @facts, if set, is called
 * in the child at the end and fills in the numbers that FACT() means; @ret is what the calls
 * returned.
 */
void truth_calls(struct live *l, void (*prepare)(void), const struct truth_call *calls, size_t n,
		 void (*facts)(int64_t *fact, const long *ret));

/* In the child: a directory of its own, in memory and empty, becomes the working directory. */
void truth_enter_directory(void);
/* In the child: @fd is moved to the number @to, close-on-exec or not as before. */
void truth_move_fd(int fd, int to);

#endif
