/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify.h"

#include <inttypes.h>

#include "base/json.h"
#include "cli/inputs.h"

#define SLEPT_NS 1000000000u /* suspended for less is not worth a line */

static bool stop(void *arg)
{
	(void)arg;
	return cli_interrupted() != 0;
}

static void progress(void *arg, uint64_t bytes)
{
	const uint64_t *done = arg;
	const struct run_progress p = {.file_done = *done + bytes};

	cli_progress(NULL, &p);
}

struct sf_seal_check_options cli_seal_watch(uint64_t *done)
{
	return (struct sf_seal_check_options){.progress = progress, .stop = stop, .arg = done};
}

int cli_verdict_worse(int a, int b)
{
	if ((a == CLI_FINDINGS && b == CLI_PARTIAL) || (a == CLI_PARTIAL && b == CLI_FINDINGS))
		return CLI_FINDINGS;
	return cli_worse(a, b);
}

const char *cli_parent_name(enum cli_parent_state s)
{
	static const char *const names[] = {
	    [CLI_PARENT_UNKNOWN] = "unknown",
	    [CLI_PARENT_ABSENT] = "absent",
	    [CLI_PARENT_SAME] = "same",
	    [CLI_PARENT_OTHER] = "other",
	};

	return names[s];
}

/* ---- text ---- */

static void row(struct buf *b, const char *name)
{
	buf_addf(b, "%-14s", name);
}

static void safe(struct buf *b, const char *text)
{
	cli_safe(b, sv_of(text));
}

static void digest(struct buf *b, const uint8_t d[SF_SEAL_DIGEST])
{
	for (int i = 0; i < SF_SEAL_DIGEST; i++)
		buf_addf(b, "%02x", d[i]);
}

static void command_line(struct buf *b, const char *const *argv)
{
	struct buf quoted = {0};
	int n = 0;

	while (argv[n])
		n++;
	cli_quote_command(&quoted, n, (char **)(uintptr_t)argv);
	cli_safe(b, buf_view(&quoted));
	buf_done(&quoted);
}

static void seconds(struct buf *b, int64_t ns)
{
	uint64_t all = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	buf_addf(b, "%c%" PRIu64 ".%09" PRIu64 " s", ns < 0 ? '-' : '+', all / 1000000000u,
		 all % 1000000000u);
}

static void text_verdict(struct buf *b, const struct cli_verified *v)
{
	const struct sf_seal_report *r = &v->report;

	row(b, "verdict");
	switch (r->verdict) {
	case SF_SEAL_NONE:
		buf_lit(b, "not sealed: that nothing was changed cannot be shown\n");
		return;
	case SF_SEAL_INTACT:
		buf_lit(b, "intact: every byte is as it was sealed\n");
		return;
	case SF_SEAL_PREFIX:
		buf_lit(b, "incomplete: what is sealed is as it was, but the seal has no end\n");
		if (r->torn)
			buf_addf(b, "%14sits last line is not whole and does not count\n", "");
		return;
	case SF_SEAL_ALTERED:
		buf_lit(b, "ALTERED: the capture is not what was sealed\n");
		return;
	case SF_SEAL_BROKEN:
		buf_lit(b, "BROKEN: the seal itself is not what was written\n");
		return;
	}
}

static void text_place(struct buf *b, const struct sf_seal_fault *f)
{
	if (f->kind == SF_SEAL_FAULT_LINE || f->kind == SF_SEAL_FAULT_TAG) {
		buf_addf(b, "line %" PRIu64 " of the seal: ", f->line);
		return;
	}
	if (f->frame)
		buf_addf(b, "frame %" PRIu64 ", ", f->frame);
	else
		buf_str(b, f->kind == SF_SEAL_FAULT_BEHIND ? "" : "the seek table, ");
	buf_addf(b, "%" PRIu64 " bytes from byte %" PRIu64 ": ", f->size, f->at);
}

static void text_fault(struct buf *b, const struct sf_seal_report *r)
{
	const struct sf_seal_fault *f = &r->first;

	if (!r->faults)
		return;
	row(b, "first");
	text_place(b, f);
	buf_str(b, f->what);
	buf_char(b, '\n');
	if (f->has_raw)
		buf_addf(b, "%14suncompressed bytes %" PRIu64 " to %" PRIu64 "\n", "", f->raw_at,
			 f->raw_at + f->raw);
	if (f->has_time) {
		buf_addf(b, "%14sevents from ", "");
		cli_time(b, f->from);
		buf_lit(b, " to ");
		cli_time(b, f->to);
		buf_char(b, '\n');
	}
	if (r->faults > 1)
		buf_addf(b, "%14sand %" PRIu64 " more that differ\n", "", r->faults - 1);
}

static const char *origin_text(enum sf_seal_origin origin)
{
	switch (origin) {
	case SF_SEAL_RECORDING:
		return "while it was recorded, from ";
	case SF_SEAL_WRITING:
		return "while it was made of other captures, from ";
	case SF_SEAL_LATER:
		break;
	}
	return "later, what was before is not known: ";
}

static void text_origin(struct buf *b, const struct sf_seal_facts *f)
{
	row(b, "sealed");
	buf_str(b, origin_text(f->origin));
	cli_time(b, f->made);
	buf_addf(b, "\n%14sby ", "");
	safe(b, f->tool);
	buf_lit(b, " on ");
	safe(b, f->host);
	buf_lit(b, ", boot ");
	safe(b, f->boot_id);
	buf_lit(b, ", kernel ");
	safe(b, f->kernel);
	buf_char(b, '\n');
	if (f->argv[0]) {
		row(b, "command");
		command_line(b, f->argv);
		buf_char(b, '\n');
	}
}

static void text_bytes(struct buf *b, const struct sf_seal_report *r)
{
	row(b, "frames");
	cli_grouped(b, r->matched);
	buf_lit(b, " of ");
	cli_grouped(b, r->frames);
	buf_lit(b, " as sealed, with ");
	cli_grouped(b, r->events);
	buf_lit(b, " events");
	if (r->lost) {
		buf_lit(b, " and ");
		cli_grouped(b, r->lost);
		buf_lit(b, " that were lost");
	}
	buf_char(b, '\n');
	row(b, "proven");
	buf_addf(b, "%" PRIu64 " of %" PRIu64 " bytes\n", r->proven, r->size);
	row(b, "sha-256");
	digest(b, r->sha256);
	buf_char(b, '\n');
	row(b, "last hash");
	digest(b, r->last_hash);
	buf_char(b, '\n');
	if (r->cut)
		buf_addf(b, "%-14swriting failed; the capture ends where there was no more room\n",
			 "cut");
}

static void text_clocks(struct buf *b, const struct sf_seal_report *r)
{
	if (!r->clocks)
		return;
	row(b, "clocks");
	cli_grouped(b, r->clocks);
	buf_addf(b, " reading%s, ", r->clocks == 1 ? "" : "s");
	if (r->unsynchronized) {
		buf_addf(b, "not synchronized in %" PRIu64 " of them", r->unsynchronized);
	} else {
		buf_lit(b, "synchronized");
		buf_addf(b, ", error at most %.1f ms", (double)r->maxerror_us / 1e3);
	}
	if (r->facts.zone[0]) {
		int64_t minutes = r->facts.zone_offset / 60;
		int64_t all = minutes < 0 ? -minutes : minutes;

		buf_lit(b, "; zone ");
		safe(b, r->facts.zone);
		buf_addf(b, " %c%02" PRId64 ":%02" PRId64, minutes < 0 ? '-' : '+', all / 60,
			 all % 60);
	}
	buf_addf(b, "; %s\n", r->nsteps ? "the clock was set" : "never set");
	for (uint64_t i = 0; i < r->nsteps && i < SF_SEAL_STEPS_MAX; i++) {
		buf_addf(b, "%14sby ", "");
		seconds(b, r->steps[i].ns);
		buf_lit(b, ", between ");
		cli_time(b, r->steps[i].before);
		buf_lit(b, " and ");
		cli_time(b, r->steps[i].after);
		buf_char(b, '\n');
	}
	if (r->slept_ns >= SLEPT_NS)
		buf_addf(b, "%14sthe host was suspended for %.1f s\n", "",
			 (double)r->slept_ns / 1e9);
}

static const char *parent_text(enum cli_parent_state s)
{
	switch (s) {
	case CLI_PARENT_UNKNOWN:
		return "its hash is not known";
	case CLI_PARENT_ABSENT:
		return "not here";
	case CLI_PARENT_SAME:
		return "here, with that hash";
	case CLI_PARENT_OTHER:
		break;
	}
	return "HERE WITH ANOTHER HASH";
}

static void text_lineage(struct buf *b, const struct cli_verified *v)
{
	const struct sf_seal_lineage *l = &v->report.lineage;

	if (!v->report.ended || !l->operation[0])
		return;
	row(b, "lineage");
	safe(b, l->operation);
	if (l->reason[0]) {
		buf_lit(b, ", because: ");
		safe(b, l->reason);
	}
	buf_char(b, '\n');
	for (size_t i = 0; i < l->nparents; i++) {
		buf_addf(b, "%14sof ", "");
		safe(b, l->parents[i].name);
		buf_addf(b, ", %" PRIu64 " bytes", l->parents[i].size);
		if (l->parents[i].hashed) {
			buf_lit(b, ", sha-256 ");
			digest(b, l->parents[i].sha256);
		}
		buf_addf(b, ": %s\n", parent_text(v->parents[i]));
	}
}

static void text_set(struct buf *b, const struct cli_verified *v)
{
	const struct sf_seal_facts *f = &v->report.facts;

	if (f->previous[0]) {
		row(b, "follows");
		safe(b, f->previous);
		if (v->has_given_before)
			buf_lit(b, ", which is the one before\n");
		else if (v->out_of_order)
			buf_lit(b, ", which is given ELSEWHERE: they are not in order\n");
		else if (v->lacks_before)
			buf_lit(b, ", which is MISSING\n");
		else
			buf_lit(b, ", which is not given\n");
	}
	if (v->report.rotated && v->lacks_next)
		buf_addf(b, "%-14sthe set goes on in a file that is MISSING\n", "next");
	else if (v->report.rotated)
		buf_addf(b, "%-14sthe set goes on in another file\n", "next");
}

static void text_proves(struct buf *b, const struct sf_seal_report *r)
{
	row(b, "proves");
	switch (r->tags) {
	case SF_SEAL_TAGS_VALID:
		buf_lit(b, "who has taken over the host since has not made it up: the tags are "
			   "those of the key\n");
		return;
	case SF_SEAL_TAGS_UNCHECKED:
		buf_lit(b, "consistency since it was sealed, not who sealed it; its tags need "
			   "--key to be checked\n");
		return;
	case SF_SEAL_TAGS_NONE:
		break;
	}
	buf_lit(b, "consistency since it was sealed, not who sealed it\n");
}

static void text_container(struct buf *b, const struct cli_verified *v)
{
	row(b, "container");
	buf_str(b, sf_compression_name(v->compression));
	if (v->gaps) {
		buf_addf(b, ", DAMAGED in %" PRIu64 " place%s; first: ", v->gaps,
			 v->gaps == 1 ? "" : "s");
		safe(b, v->first_gap);
	} else if (v->compression == SF_PLAIN) {
		buf_lit(b, ", blocks are whole; it has no checksums");
	} else {
		buf_lit(b, ", checksums and blocks are right, which shows no intended change");
	}
	buf_char(b, '\n');
}

void cli_verified_text(struct buf *b, const struct cli_verified *v)
{
	const struct sf_seal_report *r = &v->report;

	row(b, "capture");
	safe(b, v->path);
	buf_char(b, '\n');
	text_verdict(b, v);
	if (r->verdict == SF_SEAL_NONE) {
		text_container(b, v);
		return;
	}
	text_fault(b, r);
	if (r->lines)
		text_origin(b, &r->facts);
	text_bytes(b, r);
	text_clocks(b, r);
	text_lineage(b, v);
	text_set(b, v);
	if (r->verdict == SF_SEAL_INTACT || r->verdict == SF_SEAL_PREFIX)
		text_proves(b, r);
}

/* ---- JSON ---- */

static void json_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, ",\"%s\":", name);
	json_string(b, sv_of(text));
}

static void json_number(struct buf *b, const char *name, uint64_t v)
{
	buf_addf(b, ",\"%s\":%" PRIu64, name, v);
}

static void json_flag(struct buf *b, const char *name, bool v)
{
	buf_addf(b, ",\"%s\":%s", name, v ? "true" : "false");
}

static void json_digest(struct buf *b, const char *name, const uint8_t d[SF_SEAL_DIGEST])
{
	buf_addf(b, ",\"%s\":\"", name);
	digest(b, d);
	buf_char(b, '"');
}

static void json_time(struct buf *b, const char *name, uint64_t ts)
{
	buf_addf(b, ",\"%s\":\"", name);
	cli_time(b, ts);
	buf_char(b, '"');
}

static void json_fault(struct buf *b, const struct sf_seal_fault *f)
{
	buf_addf(b, ",\"first\":{\"kind\":\"%s\"", sf_seal_fault_name(f->kind));
	json_number(b, "line", f->line);
	if (f->frame)
		json_number(b, "frame", f->frame);
	if (f->size) {
		json_number(b, "at", f->at);
		json_number(b, "size", f->size);
	}
	if (f->has_raw) {
		json_number(b, "raw_at", f->raw_at);
		json_number(b, "raw", f->raw);
	}
	if (f->has_time) {
		json_time(b, "from", f->from);
		json_time(b, "to", f->to);
	}
	json_text(b, "what", f->what);
	buf_char(b, '}');
}

static void json_argv(struct buf *b, const char *const *argv)
{
	buf_lit(b, ",\"argv\":[");
	for (size_t i = 0; argv[i]; i++) {
		if (i)
			buf_char(b, ',');
		json_string(b, sv_of(argv[i]));
	}
	buf_char(b, ']');
}

static void json_facts(struct buf *b, const struct sf_seal_facts *f)
{
	json_text(b, "origin", sf_seal_origin_name(f->origin));
	json_time(b, "made", f->made);
	json_text(b, "sealed_as", f->capture);
	json_text(b, "tool", f->tool);
	json_text(b, "host", f->host);
	json_text(b, "boot_id", f->boot_id);
	json_text(b, "kernel", f->kernel);
	json_text(b, "machine", f->machine);
	if (f->zone[0]) {
		json_text(b, "zone", f->zone);
		buf_addf(b, ",\"zone_offset\":%" PRId64, f->zone_offset);
	}
	json_argv(b, f->argv);
	if (f->config[0]) {
		buf_lit(b, ",\"config\":");
		buf_str(b, f->config);
	}
	if (f->previous[0])
		json_text(b, "previous", f->previous);
}

static void json_clocks(struct buf *b, const struct sf_seal_report *r)
{
	json_number(b, "clocks", r->clocks);
	json_number(b, "clocks_unsynchronized", r->unsynchronized);
	json_number(b, "clock_steps", r->nsteps);
	buf_lit(b, ",\"steps\":[");
	for (uint64_t i = 0; i < r->nsteps && i < SF_SEAL_STEPS_MAX; i++) {
		buf_addf(b, "%s{\"ns\":%" PRId64, i ? "," : "", r->steps[i].ns);
		json_time(b, "before", r->steps[i].before);
		json_time(b, "after", r->steps[i].after);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_lineage(struct buf *b, const struct cli_verified *v)
{
	const struct sf_seal_lineage *l = &v->report.lineage;

	if (!v->report.ended || !l->operation[0])
		return;
	buf_lit(b, ",\"lineage\":");
	buf_str(b, l->json);
	buf_lit(b, ",\"parents\":[");
	for (size_t i = 0; i < l->nparents; i++) {
		buf_str(b, i ? ",{\"name\":" : "{\"name\":");
		json_string(b, sv_of(l->parents[i].name));
		json_text(b, "state", cli_parent_name(v->parents[i]));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void json_set(struct buf *b, const struct cli_verified *v)
{
	json_flag(b, "rotated", v->report.rotated);
	json_flag(b, "follows_given", v->has_given_before);
	json_flag(b, "out_of_order", v->out_of_order);
	json_flag(b, "lacks_before", v->lacks_before);
	json_flag(b, "lacks_next", v->lacks_next);
}

static const char *tags_name(enum sf_seal_tags t)
{
	static const char *const names[] = {
	    [SF_SEAL_TAGS_NONE] = "none",
	    [SF_SEAL_TAGS_UNCHECKED] = "unchecked",
	    [SF_SEAL_TAGS_VALID] = "valid",
	};

	return names[t];
}

static void json_sealed(struct buf *b, const struct cli_verified *v)
{
	const struct sf_seal_report *r = &v->report;

	json_number(b, "faults", r->faults);
	if (r->faults)
		json_fault(b, &r->first);
	json_number(b, "lines", r->lines);
	json_number(b, "frames", r->frames);
	json_number(b, "frames_as_sealed", r->matched);
	json_number(b, "proven", r->proven);
	json_number(b, "size", r->size);
	json_number(b, "events", r->events);
	json_number(b, "lost", r->lost);
	json_flag(b, "ended", r->ended);
	json_flag(b, "cut", r->cut);
	json_flag(b, "torn", r->torn);
	json_text(b, "tags", tags_name(r->tags));
	json_digest(b, "sha256", r->sha256);
	json_digest(b, "last_hash", r->last_hash);
	if (r->lines)
		json_facts(b, &r->facts);
	json_clocks(b, r);
	json_lineage(b, v);
	json_set(b, v);
}

void cli_verified_json(struct buf *b, const struct cli_verified *v)
{
	buf_lit(b, "{\"path\":");
	json_string(b, sv_of(v->path));
	json_text(b, "verdict", sf_seal_verdict_name(v->report.verdict));
	if (v->report.verdict != SF_SEAL_NONE) {
		json_sealed(b, v);
	} else {
		json_text(b, "container", sf_compression_name(v->compression));
		json_number(b, "gaps", v->gaps);
		if (v->gaps)
			json_text(b, "first_gap", v->first_gap);
	}
	buf_addf(b, ",\"status\":%d}\n", v->status);
}
