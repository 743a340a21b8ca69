/* SPDX-License-Identifier: Apache-2.0 */
/* What scapula verify found out about a bundle as such; the captures in it are each a cli_verified.
 */
#ifndef CLI_VERIFY_BUNDLE_H
#define CLI_VERIFY_BUNDLE_H

#include "bundle/bundle.h"
#include "bundle/custody.h"
#include "cli/signing.h"

struct cli_deep;
struct cli_deep_options;

enum cli_root {
	CLI_ROOT_UNKNOWN, /* nothing to compare it with */
	CLI_ROOT_SAME,
	CLI_ROOT_OTHER,
};

struct cli_bundle {
	const char *path;
	int failed; /* exit status: it could not be read, as was told; nothing else is known */
	struct bag_report report;
	enum cli_root root;
	enum cli_signature signature;
	struct buf signer; /* untrusted */
	bool has_custody;
	struct custody_report custody;
	size_t cases, bad_cases;
	char bad_case[ERROR_MSG_MAX];
	char *good_case;       /* path of the first one that is whole, or NULL */
	struct cli_deep *deep; /* owned; NULL: its runs were not repeated */
	int status;
};

struct cli_bundle_options {
	const char *root;		     /* what it must be: 64 digits, or NULL */
	const char *signers;		     /* who may have signed it, or NULL */
	const struct cli_deep_options *deep; /* its runs are to be repeated like that; or NULL */
	uint64_t *done;			     /* bytes of files before */
};

/* Check the bundle at b->path, but not the seals of the captures in it. cli_bundle_done() must
 * follow. */
void cli_check_bundle(struct cli_bundle *b, const struct cli_bundle_options *opt);
/* Is the root of a bundle beside @path? */
bool cli_bundle_has_root(const char *path);
/* "b.tar//NAME" or "b/NAME", for the caller to free; or NULL. */
char *cli_bundle_member(const struct cli_bundle *b, const char *name);
/* "b.tar//data/captures/x.scap" or "b/data/captures/x.scap": file @i of the report, for the caller
 * to free; NULL if it is no capture, or there is no memory. */
char *cli_bundle_capture(const struct cli_bundle *b, size_t i);
void cli_bundle_text(struct buf *b, const struct cli_bundle *v);
void cli_bundle_json(struct buf *b, const struct cli_bundle *v);
void cli_bundle_done(struct cli_bundle *b);

#endif
