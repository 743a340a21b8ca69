/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture with a bit of everything that is right to the last byte, and where its blocks are: for
 * tests that break it in one place.
 */
#ifndef SCAPFILE_TESTS_GOOD_CAPTURE_H
#define SCAPFILE_TESTS_GOOD_CAPTURE_H

#include "scapfile/tests/capture_builder.h"

enum good_block {
	GOOD_SECTION,
	GOOD_MACHINE,
	GOOD_INTERFACES, /* lo (IPv4), eth0 (IPv6) */
	GOOD_USERS,	 /* root, wheel */
	GOOD_THREADS,	 /* 7, its thread 8, 9 */
	GOOD_FDS,	 /* of 7: one of each kind of payload */
	GOOD_NO_FDS,	 /* of 9 */
	GOOD_STAT,	 /* of state only: a block with flags */
	GOOD_OPENAT,
	GOOD_CONNECT,
	GOOD_BIND,
	GOOD_UNIX, /* connect with unix addresses */
	GOOD_POLL,
	GOOD_SETSOCKOPT,
	GOOD_GENERIC,
	GOOD_SIGNAL,
	GOOD_CHMOD,
	GOOD_LSEEK,
	GOOD_EXECVE,
	GOOD_PLUGIN,	 /* wide lengths */
	GOOD_ASYNC,	 /* without a time */
	GOOD_LOSS,	 /* all fields, two kinds */
	GOOD_SHORT_LOSS, /* a count */
	GOOD_URING,	 /* an operation through a ring */
	GOOD_HASH,	 /* of an executed file */
	GOOD_OLD,	 /* a header without a number of parameters */
	GOOD_LAST,	 /* STAT_X */
	GOOD_BLOCKS
};

struct good_capture {
	struct capture c;
	size_t at[GOOD_BLOCKS + 1]; /* where each block starts; then the end */
};

#define GOOD_TS 1700000100000000000u /* of the first event; each is a microsecond later */

void good_capture_make(struct good_capture *g);

#endif
