/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report for programs (FUZZ_FORMAT: csv, jsonl, timesketch, ecs, ocsf, sarif, navigator) of a
 * case whose texts are the input: another parser takes it, its structure is what it is to be, no
 * character in it does harm, and texts come back as they were, with U+FFFD for what was no text.
 * The length of the input decides whether events are told, too, and cells are left as they are.
 */
#include <ctype.h>

#include <cjson/cJSON.h>

#include "base/escape.h"
#include "tests/fuzz/report_case.h"

#define ALERTS	      2
#define SINK_OF(f)    SINK_PASTE(f)
#define SINK_PASTE(f) rep_write_##f
#define NAME_OF(f)    NAME_QUOTE(f)
#define NAME_QUOTE(f) #f

static const char format[] = NAME_OF(FUZZ_FORMAT);
static struct buf outputs[ALERTS]; /* of the alerts, by time */

static bool is_format(const char *name)
{
	return strcmp(format, name) == 0;
}

/* --- what the alerts say */

/* As the format can hold it. */
static void keep(struct buf *b, struct sv s)
{
	buf_reset(b);
	if (is_format("csv"))
		escape_text(b, s);
	while (s.n && !is_format("csv")) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(s, &cp, &bad);

		if (n)
			buf_add(b, s.p, n);
		else
			buf_lit(b, "\xef\xbf\xbd");
		s = sv_drop(s, n ? n : bad);
	}
}

static int write_and_keep(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
			  struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_alert a;

	report_must(rep_alerts_open(c, 0, UINT64_MAX, &rows, err) == 0, "no alerts");
	for (size_t i = 0; i < ALERTS; i++) {
		report_must(rep_alert_next(rows, &a, err) == 1, "too few alerts");
		keep(&outputs[i], a.output);
	}
	rep_rows_close(rows);
	return SINK_OF(FUZZ_FORMAT)(c, opt, out, err);
}

/* --- JSON */

static const cJSON *member(const cJSON *o, const char *name)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

	report_must(m != NULL, name);
	return m;
}

static const char *text(const cJSON *o, const char *name)
{
	const char *s = cJSON_GetStringValue(member(o, name));

	report_must(s != NULL, "not a string");
	return s;
}

/* @whole: not behind other text. Strings of cJSON end at their first NUL, as those it is held to.
 */
static void check_output(size_t *seen, const char *got, bool whole)
{
	const char *want;
	size_t n = strlen(got);

	report_must(*seen < ALERTS, "too many alerts");
	want = buf_cstr(&outputs[(*seen)++]);
	if (!whole && n > strlen(want))
		got += n - strlen(want);
	report_must(strcmp(got, want) == 0, "a text did not come back");
}

/* An alert's text as the format has it; false for what is no alert. */
static bool find_output(const cJSON *o, const char **out)
{
	if (is_format("jsonl") && strcmp(text(o, "type"), "alert") == 0)
		*out = text(o, "output");
	else if (is_format("timesketch") && strcmp(text(o, "data_type"), "scapula:alert") == 0)
		*out = text(o, "message");
	else if (is_format("ecs") && strcmp(text(member(o, "event"), "kind"), "alert") == 0)
		*out = text(o, "message");
	else if (is_format("ocsf"))
		*out = text(o, "message");
	else
		return false;
	return true;
}

static cJSON *parse(struct sv s)
{
	const char *end = NULL;
	cJSON *o = cJSON_ParseWithLengthOpts(s.p, s.n, &end, 0);

	report_must(o != NULL, "no JSON");
	report_must(cJSON_IsObject(o) && end == s.p + s.n, "not one object");
	return o;
}

/* @nul: what is in front of a text may end it for cJSON, where there is something in front. */
static void check_lines(struct sv s, bool nul)
{
	bool whole = !is_format("timesketch");
	size_t seen = 0;

	while (s.n) {
		const char *end = memchr(s.p, '\n', s.n);
		const char *got;
		cJSON *o;

		report_must(end != NULL, "a line without an end");
		o = parse(sv_make(s.p, (size_t)(end - s.p)));
		if (find_output(o, &got) && (whole || !nul))
			check_output(&seen, got, whole);
		cJSON_Delete(o);
		s = sv_drop(s, (size_t)(end - s.p) + 1);
	}
	report_must((nul && !whole) || seen == ALERTS, "not every alert");
}

static void check_sarif(const cJSON *log, bool nul)
{
	const cJSON *run, *result;
	size_t seen = 0;

	report_must(strcmp(text(log, "version"), "2.1.0") == 0, "another version");
	cJSON_ArrayForEach(run, member(log, "runs"))
	{
		const cJSON *rules = member(member(member(run, "tool"), "driver"), "rules");

		cJSON_ArrayForEach(result, member(run, "results"))
		{
			const cJSON *index = member(result, "ruleIndex");
			const cJSON *rule = cJSON_GetArrayItem(rules, index->valueint);
			const cJSON *output = cJSON_GetObjectItem(member(result, "properties"),
								  "output"); /* not if empty */

			report_must(rule && (strcmp(text(rule, "id"), "-") == 0 ||
					     strcmp(text(rule, "id"), text(result, "ruleId")) == 0),
				    "another rule");
			report_must(*text(member(result, "message"), "text") || nul, "no message");
			check_output(&seen, output ? cJSON_GetStringValue(output) : "", true);
		}
	}
	report_must(seen == ALERTS, "not every alert");
}

static void check_navigator(const cJSON *layer)
{
	const cJSON *t;

	report_must(strcmp(text(member(layer, "versions"), "layer"), "4.5") == 0,
		    "another version");
	cJSON_ArrayForEach(t, member(layer, "techniques"))
	{
		const char *id = text(t, "techniqueID");

		report_must(id[0] == 'T' && isdigit((unsigned char)id[1]), "no technique");
		report_must(cJSON_IsNumber(member(t, "score")), "no score");
	}
}

static void check_object(struct sv s, bool nul)
{
	cJSON *o;

	report_must(s.n && s.p[s.n - 1] == '\n', "no end of line");
	o = parse(sv_make(s.p, s.n - 1));
	if (is_format("sarif"))
		check_sarif(o, nul);
	else
		check_navigator(o);
	cJSON_Delete(o);
}

/* --- CSV */

/* One cell into @out. Return: what comes after it: a comma, or CR LF. */
static struct sv take_cell(struct sv s, struct buf *out)
{
	bool quoted = s.n && s.p[0] == '"';

	buf_reset(out);
	s = sv_drop(s, quoted);
	while (s.n) {
		bool quote = s.p[0] == '"';

		if (quoted && quote && !sv_starts(s, SV_LIT("\"\"")))
			return sv_drop(s, 1);
		if (!quoted && (s.p[0] == ',' || s.p[0] == '\r'))
			return s;
		report_must(quoted || !quote, "a quotation mark in a bare cell");
		buf_char(out, s.p[0]);
		s = sv_drop(s, quoted && quote ? 2 : 1);
	}
	report_must(!quoted, "a cell without an end");
	return s;
}

static bool is_number(const char *s)
{
	s += strspn(s, "+-");
	return *s && s[strspn(s, "0123456789.eE+-")] == '\0';
}

/* As the cell has it, with or without an apostrophe. */
static void check_cell(const char *cell, const char *column, size_t record, bool raw)
{
	if (!raw)
		report_must(!*cell || !strchr("=+-@\t\r", *cell) || is_number(cell), "a formula");
	if (record && strcmp(column, "output") == 0) {
		const char *want = buf_cstr(&outputs[record - 1]);

		report_must(strcmp(cell, want) == 0 ||
				(!raw && *cell == '\'' && strcmp(cell + 1, want) == 0),
			    "a text did not come back");
	}
}

static void check_csv(struct sv s, bool raw)
{
	static struct buf names[128], cell;
	size_t columns = 0, record = 0;

	for (; s.n; record++) {
		for (size_t i = 0;; i++) {
			s = take_cell(s, record ? &cell : &names[i]);
			report_must(i < COUNT_OF(names) - 1, "too many columns");
			check_cell(buf_cstr(record ? &cell : &names[i]), buf_cstr(&names[i]),
				   record, raw);
			if (s.n && s.p[0] == ',') {
				s = sv_drop(s, 1);
				continue;
			}
			report_must(record == 0 || i == columns, "another number of columns");
			columns = i;
			break;
		}
		report_must(sv_starts(s, SV_LIT("\r\n")), "a record without an end");
		s = sv_drop(s, 2);
	}
	report_must(record == 1 + ALERTS, "not every alert");
}

/* --- */

/* Ends of lines are the only controls that are allowed, CR LF those of CSV. */
static void check_text(struct sv s)
{
	const char *cr;

	while (is_format("csv") && s.n && (cr = memchr(s.p, '\r', s.n))) {
		report_check_text(sv_make(s.p, (size_t)(cr - s.p)));
		s = sv_drop(s, (size_t)(cr - s.p) + 1);
	}
	report_check_text(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf out;
	const struct rep_options opt = {
	    .made = -1, .version = "1.0", .everything = size & 1, .raw_cells = size & 2};
	bool nul = size && memchr(data, 0, size);
	struct sv s;

	buf_reset(&out);
	report_of(data, size, &opt, write_and_keep, &out);
	s = buf_view(&out);
	check_text(s);
	if (is_format("csv"))
		check_csv(s, opt.raw_cells);
	else if (is_format("sarif") || is_format("navigator"))
		check_object(s, nul);
	else
		check_lines(s, nul);
	return 0;
}
