/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts and their differences as JSON, where other objects hold them. */
#ifndef REGRESS_JSON_H
#define REGRESS_JSON_H

#include "regress/compare.h"
#include "report/json_out.h"

void reg_js_alert(struct rep_js *j, const char *key, const struct reg_alert *a,
		  const struct reg_ignore *ignore);
/* {"tier": ..., "was": {...}, "is": {...}, "changes": [...]}, in an array. */
void reg_js_pair(struct rep_js *j, const struct reg_pair *p, const struct reg_ignore *ignore);
/* Its members, in an object of the caller's. */
void reg_js_pair_members(struct rep_js *j, const struct reg_pair *p,
			 const struct reg_ignore *ignore);

#endif
