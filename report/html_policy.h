/* SPDX-License-Identifier: Apache-2.0 */
/* What a page of ours may do: be seen with the style that is in it, and nothing else. */
#ifndef REPORT_HTML_POLICY_H
#define REPORT_HTML_POLICY_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * The <meta> element that allows style.css, and with @script also script.js, of report/assets.h by
 * their hashes, as they stand between their tags. Return: false if they cannot be hashed.
 */
bool rep_html_policy(struct buf *b, bool script);

#endif
