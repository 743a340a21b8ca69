/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bundle has beside its case so that people and programs need not ask the case itself: a
 * page and a line for each alert. They are made of the case alone, so that anybody who has it can
 * make them again, to the byte.
 */
#ifndef CLI_CASE_REPORT_H
#define CLI_CASE_REPORT_H

#include <stddef.h>

#include "base/error.h"

#define CLI_AGENT "scapula " SCAPULA_VERSION /* that makes a bundle, as it says */

struct cli_case_report {
	const char *file; /* its name */
	const char *sink; /* rep_sink.name */
};
extern const struct cli_case_report cli_case_reports[]; /* ends with a NULL file */

struct cli_case_source {
	const char *path;
	const char *copy_of; /* the case that messages are to name instead; or NULL */
	const char *member;  /* the name that it has in the bundle */
};

/* @write as rep_out has it. Return: 0, ERR_INTERRUPTED, as rep_case_open(), or what @write
 * returned. */
MUST_CHECK int
cli_case_report_write(const struct cli_case_report *r, const struct cli_case_source *source,
		      int (*write)(void *arg, const void *p, size_t n, struct error *err),
		      void *arg, struct error *err);

#endif
