/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON with commas and nesting kept in order. Texts go through json_string(), so that what
 * comes out is valid and harmless whatever the case holds. What is not known is left out: texts
 * that are SV_NONE, and objects and arrays that stayed empty when they are ended by rep_js_close().
 */
#ifndef REPORT_JSON_OUT_H
#define REPORT_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sv.h"
#include "report/report.h"

#define REP_JS_DEPTH	16 /* objects and arrays that a sink may have open */
#define REP_JS_COPY_MAX 8  /* levels of JSON from a row that are copied; deeper ones become text */

struct rep_js {
	struct buf *b;
	unsigned depth;
	struct {
		size_t start; /* where it began, comma and key included */
		bool some;    /* it has something in it */
		bool alone;   /* it is the first of what it is in */
		char end;
	} level[REP_JS_DEPTH + 1];
};

void rep_js_begin(struct rep_js *j, struct buf *b);

/* @key: NULL in arrays, and for the outermost value. */
void rep_js_object(struct rep_js *j, const char *key);
void rep_js_array(struct rep_js *j, const char *key);
/* End the innermost object or array, also if it is empty. */
void rep_js_end(struct rep_js *j);
/* The same, but nothing at all is left of an empty one. Not if rep_out_row() came in between. */
void rep_js_close(struct rep_js *j);

void rep_js_text(struct rep_js *j, const char *key, struct sv s);  /* SV_NONE: left out */
void rep_js_some(struct rep_js *j, const char *key, struct sv s);  /* an empty one, too */
void rep_js_str(struct rep_js *j, const char *key, const char *s); /* NULL: left out */
void rep_js_int(struct rep_js *j, const char *key, int64_t v);
void rep_js_known(struct rep_js *j, const char *key, int64_t v); /* negative: left out */
/* A number as text, for formats whose ids are texts; negative: left out. */
void rep_js_id(struct rep_js *j, const char *key, int64_t v);
void rep_js_bool(struct rep_js *j, const char *key, bool v);
/* ISO 8601, UTC, nine decimals; not known: left out. */
void rep_js_time(struct rep_js *j, const char *key, int64_t ts);
/* An object or array out of a row, under @key: told anew value by value, its text is not trusted.
 */
void rep_js_copy(struct rep_js *j, const char *key, struct sv json, bool array);

#endif
