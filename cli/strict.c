/* SPDX-License-Identifier: Apache-2.0 */
/* scapula info --strict: is a capture what the format says, byte for byte? */
#include "cli/strict.h"

#include "base/json.h"
#include "cli/cli.h"
#include "scapfile/strict.h"

static void text_findings(struct buf *b, const struct sf_strict_report *r)
{
	for (size_t i = 0; i < r->described; i++) {
		const struct sf_finding *f = &r->list[i];

		buf_addf(b, "%14s%s %llu, %s: ", "", f->stored ? "byte" : "offset",
			 (unsigned long long)f->offset, sf_strict_rule_name(f->rule));
		cli_safe(b, sv_of(f->what));
		buf_char(b, '\n');
	}
	for (unsigned rule = 0; rule < SF_STRICT_RULES; rule++) {
		uint64_t told = 0;

		for (size_t i = 0; i < r->described; i++)
			told += r->list[i].rule == rule;
		if (r->by_rule[rule] > told)
			buf_addf(b, "%14sand %llu more: %s: %s\n", "",
				 (unsigned long long)(r->by_rule[rule] - told),
				 sf_strict_rule_name((enum sf_strict_rule)rule),
				 sf_strict_rule_demands((enum sf_strict_rule)rule));
	}
	if (r->stopped)
		buf_addf(b, "%14swhat follows cannot be told apart and was not judged\n", "");
}

static void text_report(struct buf *b, const char *path, const struct sf_strict_report *r)
{
	buf_addf(b, "%-14s", "capture");
	cli_safe(b, sv_of(path));
	buf_addf(b, "\n%-14s%s, ", "read", sf_compression_name(r->compression));
	cli_bytes(b, r->stream_size);
	buf_lit(b, ", ");
	cli_grouped(b, r->blocks);
	buf_addf(b, " block%s, ", r->blocks == 1 ? "" : "s");
	cli_grouped(b, r->events);
	buf_addf(b, " event%s\n%-14s", r->events == 1 ? "" : "s", "strict");
	if (r->count) {
		cli_grouped(b, r->count);
		buf_addf(b, " finding%s\n", r->count == 1 ? "" : "s");
	} else {
		buf_lit(b, "clean\n");
	}
	text_findings(b, r);
}

static void member(struct buf *b, const char *name, uint64_t v)
{
	buf_addf(b, ",\"%s\":%llu", name, (unsigned long long)v);
}

static void json_report(struct buf *b, const char *path, const struct sf_strict_report *r)
{
	const char *comma = "";

	buf_lit(b, "{\"path\":");
	json_string(b, sv_of(path));
	buf_addf(b, ",\"compression\":\"%s\"", sf_compression_name(r->compression));
	member(b, "file_size", r->file_size);
	member(b, "stream_size", r->stream_size);
	member(b, "sections", r->sections);
	member(b, "blocks", r->blocks);
	member(b, "events", r->events);
	member(b, "losses", r->losses);
	buf_addf(b, ",\"stopped\":%s", r->stopped ? "true" : "false");
	member(b, "finding_count", r->count);
	buf_lit(b, ",\"by_rule\":{");
	for (unsigned rule = 0; rule < SF_STRICT_RULES; rule++) {
		if (!r->by_rule[rule])
			continue;
		buf_addf(b, "%s\"%s\":%llu", comma, sf_strict_rule_name((enum sf_strict_rule)rule),
			 (unsigned long long)r->by_rule[rule]);
		comma = ",";
	}
	buf_lit(b, "},\"findings\":[");
	for (size_t i = 0; i < r->described; i++) {
		const struct sf_finding *f = &r->list[i];

		buf_addf(b,
			 "%s{\"offset\":%llu,\"of\":\"%s\",\"rule\":\"%s\",\"what\":", i ? "," : "",
			 (unsigned long long)f->offset, f->stored ? "file" : "stream",
			 sf_strict_rule_name(f->rule));
		json_string(b, sv_of(f->what));
		buf_char(b, '}');
	}
	buf_lit(b, "]}\n");
}

int cli_strict(const char *path, bool json, struct buf *out)
{
	struct sf_strict_report report;
	struct error err = {0};
	int status;

	if (sf_strict_check(path, &report, &err) < 0)
		return cli_fail(&err);
	status = report.count ? CLI_FINDINGS : CLI_OK;
	(json ? json_report : text_report)(out, path, &report);
	sf_strict_done(&report);
	return status;
}
