/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in SARIF logs. Source: SARIF 2.1.0 (OASIS), sections 3.4 (URIs) and 3.11 (messages). */
#ifndef REPORT_SARIF_TEXT_H
#define REPORT_SARIF_TEXT_H

#include "report/json_out.h"

#define REP_SARIF_SCHEMA                                                                           \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"                      \
	"sarif-schema-2.1.0.json"

/*
 * In the text of a message braces mark placeholders and "[...](...)" is a link: braces are doubled,
 * and what would begin a link gets a backslash. @b is overwritten.
 */
void rep_sarif_message(struct rep_js *j, struct buf *b, const char *key, struct sv text);
/* A path as a URI: relative ones stay relative. @b is overwritten. */
void rep_sarif_uri(struct rep_js *j, struct buf *b, const char *key, struct sv path);

#endif
