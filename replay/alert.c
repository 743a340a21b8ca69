/* SPDX-License-Identifier: Apache-2.0 */
/* An alert as Falco prints it: one escaped text line, or one JSON object with sorted keys. */
#include "base/json.h"
#include "replay/replay.h"

static const char *const priority_colors[RULE_PRIORITY_COUNT] = {
    [RULE_EMERGENCY] = "\033[1;37;41m", [RULE_ALERT] = "\033[1;31m", [RULE_CRITICAL] = "\033[1;31m",
    [RULE_ERROR] = "\033[31m",		[RULE_WARNING] = "\033[33m", [RULE_NOTICE] = "\033[36m",
    [RULE_INFORMATIONAL] = "\033[32m",	[RULE_DEBUG] = "\033[2m",
};

void run_alert_line(struct buf *b, const struct run_options *opt, const struct rule *rule,
		    uint64_t ts, struct sv message)
{
	if (opt->iso_time) {
		flt_time_iso8601(b, ts);
		buf_lit(b, "+0000");
	} else {
		flt_time_of_day(b, ts, opt->tz_offset_s);
	}
	buf_lit(b, ": ");
	buf_str(b, rule_priority_name(rule->priority));
	buf_char(b, ' ');
	buf_sv(b, message);
}

void run_alert_text(struct buf *b, const struct run_alert_format *f, const struct run_alert *a)
{
	if (f->color) {
		buf_str(b, priority_colors[a->rule->priority]);
		json_escape(b, a->line);
		buf_lit(b, "\033[0m\n");
		return;
	}
	json_escape(b, a->line);
	buf_char(b, '\n');
}

void run_alert_json(struct buf *b, const struct run_alert_format *f, const struct run_alert *a)
{
	buf_lit(b, "{\"hostname\":");
	json_string(b, a->hostname);
	if (f->include_message) {
		buf_lit(b, ",\"message\":");
		json_string(b, a->message);
	}
	if (!f->no_output) {
		buf_lit(b, ",\"output\":");
		json_string(b, a->line);
	}
	if (!f->no_fields) {
		buf_lit(b, ",\"output_fields\":{");
		buf_sv(b, a->fields);
		buf_char(b, '}');
	}
	buf_lit(b, ",\"priority\":\"");
	buf_str(b, rule_priority_name(a->rule->priority));
	buf_lit(b, "\",\"rule\":");
	json_string(b, a->rule->name);
	buf_lit(b, ",\"source\":");
	json_string(b, a->source);
	if (!f->no_tags) {
		buf_lit(b, ",\"tags\":[");
		for (size_t i = 0; i < a->rule->tag_count; i++) {
			if (i)
				buf_char(b, ',');
			json_string(b, a->rule->tags[i]);
		}
		buf_char(b, ']');
	}
	buf_lit(b, ",\"time\":\"");
	flt_time_iso8601(b, a->ts);
	buf_lit(b, "Z\"}\n");
}
