/* SPDX-License-Identifier: Apache-2.0 */
/* What scapula verify found out about one capture, and how it is shown. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "cli/cli.h"
#include "scapfile/seal.h"

enum cli_parent_state {
	CLI_PARENT_UNKNOWN, /* its hash is not known */
	CLI_PARENT_ABSENT,  /* neither given nor beside the capture */
	CLI_PARENT_SAME,
	CLI_PARENT_OTHER, /* a file of that name has another hash */
};

struct cli_verified {
	const char *path;
	bool in_bundle;
	int failed; /* exit status: it could not be read, as was told; nothing else is known */
	struct sf_seal_report report;
	/* Without a seal: what the container itself proves. */
	enum sf_compression compression;
	uint64_t gaps;
	char first_gap[256];
	enum cli_parent_state *parents; /* of the lineage */
	/* Its place in a rotated set. */
	bool has_given_before;	       /* the file before it is the one given before it */
	bool out_of_order;	       /* the file before it is given elsewhere */
	bool lacks_before, lacks_next; /* of several that are given */
	int status;
};

/* As cli_worse(), but that something is not what it was counts more than that something is missing:
 * status 5 is to mean that all else is consistent. */
int cli_verdict_worse(int a, int b);
/* Progress and interruption, for sf_seal_check() and sf_seal_capture(). @done: bytes of files
 * before the one in hand; borrowed. */
struct sf_seal_check_options cli_seal_watch(uint64_t *done);

const char *cli_parent_name(enum cli_parent_state s); /* "same", ... */
void cli_verified_text(struct buf *b, const struct cli_verified *v);
void cli_verified_json(struct buf *b, const struct cli_verified *v);

#endif
