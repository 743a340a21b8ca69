/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier case has of a capture, taken over into a part instead of replaying the capture.
 * That is exact if program and options are the same, the rules that both have stand in the same
 * order, no rule that is gone raised an alert there, and no rule that is new matches an event of
 * the capture, which somebody has to find out.
 * Threads: as part.h.
 */
#ifndef QUERY_REUSE_H
#define QUERY_REUSE_H

#include "query/part.h"

struct qry_reuse;

/**
 * qry_reuse_open() - look at the case @path for what @into may take over
 * @into: a part that was claimed, whose run has its rules
 * Return: 0, ERR_UNSUPPORTED (nothing of it can be taken over, err tells why), or as
 * qry_part_look().
 */
MUST_CHECK int qry_reuse_open(const char *path, struct qry_part *into, const struct qry_job *job,
			      struct qry_reuse **out, struct error *err);
/* Places, in the order of definition, of the rules that are new; @count of them. */
const uint32_t *qry_reuse_new_rules(const struct qry_reuse *r, size_t *count);
/*
 * Is there a reading of the capture with that hash, which no rule that is gone raised an alert in?
 * Return: 1 with @out, 0, or ERR_*.
 */
MUST_CHECK int qry_reuse_find(struct qry_reuse *r, const char *sha256, struct qry_trace_result *out,
			      struct error *err);
/*
 * Take over what was found last, as what came of the trace that began: qry_part_end() is next.
 * @path: of the capture as it is called now. Return: 0, ERR_FORMAT (the case makes no sense, and
 * nothing was taken), or ERR_*.
 */
MUST_CHECK int qry_reuse_take(struct qry_reuse *r, const char *path, struct error *err);
/* Alerts of priority at most @severity in what was found last. Return: how many, or ERR_*. */
MUST_CHECK int64_t qry_reuse_alerts(struct qry_reuse *r, int severity, struct error *err);
void qry_reuse_close(struct qry_reuse *r); /* NULL is fine */

#endif
