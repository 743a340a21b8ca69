/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "report/report.h"

const struct rep_sink rep_sinks[] = {
#define SINK(name, other, fn, everything, help) {name, other, fn, everything, help},
#include "report/sinks.def"
#undef SINK
    {NULL, NULL, NULL, false, NULL},
};

const struct rep_sink *rep_sink_find(const char *name)
{
	for (const struct rep_sink *s = rep_sinks; s->name; s++)
		if (strcmp(name, s->name) == 0 || (s->other && strcmp(name, s->other) == 0))
			return s;
	return NULL;
}

const char *const rep_severity_names[REP_SEVERITIES] = {
    "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"};
