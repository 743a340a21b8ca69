/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader makes of a capture as text, one line per item and gap, for tests to compare. */
#ifndef SCAPFILE_TESTS_DESCRIBE_H
#define SCAPFILE_TESTS_DESCRIBE_H

#include "base/buf.h"
#include "scapfile/scapfile.h"

/* Appends to @out; "error CODE message" if opening or reading fails. Every parameter of every event
 * is touched. */
void describe_item(struct buf *out, const struct ev_item *item);
void describe_capture(struct buf *out, const void *p, size_t n, const struct sf_options *opt);

#endif
