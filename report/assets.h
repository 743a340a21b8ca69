/* SPDX-License-Identifier: Apache-2.0 */
/* Files of report/html/ as they go into the page. */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

#include <stddef.h>

extern const char embedded_style_css[], embedded_script_js[];
extern const size_t embedded_style_css_length, embedded_script_js_length;

#endif
