/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case with many alerts, made up: frequent rules and rare ones, many processes, names and
 * fingerprints. The same number gives the same alerts.
 */
#ifndef QUERY_TESTS_MANY_ALERTS_H
#define QUERY_TESTS_MANY_ALERTS_H

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "query/find.h"
#include "query/internal.h"

#define MANY_RULES	  50
#define MANY_PROCESSES	  10000
#define MANY_START	  1700000000000000000u
#define MANY_STEP	  1000000u
#define MANY_RARE_RULE	  MANY_RULES	       /* of one alert in MANY_RARE */
#define MANY_RARE_PROCESS (MANY_PROCESSES + 1) /* likewise */
#define MANY_RARE	  1000u

struct many {
	struct qry_writer *w;
	struct rule rules[MANY_RULES + 1];
	char names[MANY_RULES + 1][48];
};

static inline const char *many_comm(uint64_t key)
{
	if (key == MANY_RARE_PROCESS)
		return "seldom";
	return key % 100 == 7 ? "cron" : "sh";
}

static inline int many_begin(struct many *m, struct error *err)
{
	static const char *const words[] = {"Shell in a container", "Write below etc",
					    "Read sensitive file", "Outbound connection",
					    "Program from memory"};
	int rc = 0;

	memset(m->rules, 0, sizeof(m->rules));
	for (unsigned i = 0; i <= MANY_RULES && rc == 0; i++) {
		struct rule *r = &m->rules[i];

		if (i == MANY_RARE_RULE)
			snprintf(m->names[i], sizeof(m->names[i]), "Seldom seen");
		else
			snprintf(m->names[i], sizeof(m->names[i]), "%s %u",
				 words[i % COUNT_OF(words)], i);
		r->name = sv_of(m->names[i]);
		r->source = SV_LIT("syscall");
		r->output = SV_LIT("%evt.time something happened (file=%fd.name user=%user.name)");
		r->index = i;
		r->enabled = true;
		r->priority = (enum rule_priority)(i % RULE_PRIORITY_COUNT);
		r->file = "made-up.yaml";
		rc = qry_add_rule(m->w, r, err);
	}
	if (rc == 0)
		rc = qry_capture_begin(m->w, "made-up.scap", err);
	for (uint64_t key = 1; key <= MANY_RARE_PROCESS && rc == 0; key++) {
		struct qry_process p = {.key = key,
					.pid = (int64_t)key + 100,
					.ppid = 1,
					.vpid = (int64_t)key + 100,
					.sid = 1,
					.start_ts = MANY_START,
					.start_evt = key,
					.comm = sv_of(many_comm(key)),
					.exepath = SV_LIT("/bin/sh"),
					.container_id = sv_of(key % 10 == 3 ? "c0ffee000003" : "")};

		rc = qry_process_start(m->w, &p, err);
	}
	return rc;
}

static inline int many_add(struct many *m, uint64_t i, struct error *err)
{
	uint64_t x = hash_u64(i), share = x % 1000, key = 1 + (x >> 10) % MANY_PROCESSES;
	unsigned rule = (unsigned)(share * share / 1000 * share / 1000 * MANY_RULES / 1000);
	char out[160], fields[160];
	struct qry_alert a = {.ts = MANY_START + i * MANY_STEP,
			      .evt_num = i + 1,
			      .evt_offset = 200 + i * 100,
			      .source = SV_LIT("syscall")};
	int n;

	if (i % MANY_RARE == 7)
		rule = MANY_RARE_RULE;
	if (i % MANY_RARE == 11)
		key = MANY_RARE_PROCESS;
	n = snprintf(out, sizeof(out), "something happened (file=/data/dir-%u/x user=root)",
		     (unsigned)((x >> 40) % 997));
	a.output = sv_make(out, (size_t)n);
	n = snprintf(fields, sizeof(fields),
		     "{\"evt.time\":%llu,\"fd.name\":\"/data/dir-%u/x\",\"user.name\":\"root\"}",
		     (unsigned long long)a.ts, (unsigned)((x >> 40) % 997));
	a.output_fields = sv_make(fields, (size_t)n);
	a.rule = &m->rules[rule];
	a.process_key = key;
	a.tid = a.pid = (int64_t)key + 100;
	return qry_add_alert(m->w, &a, err);
}

/* A case at @path with @n alerts. Return: 0 or ERR_*. */
static inline int many_make(const char *path, uint64_t n, struct error *err)
{
	const struct qry_run run = {
	    .version = "0", .command = "made up", .matching = "first", .started_ts = 1};
	struct sf_stats stats = {.sha256_valid = true};
	struct qry_capture_end e = {.stats = &stats,
				    .hostname = SV_LIT("host"),
				    .first_ts = MANY_START,
				    .last_ts = MANY_START + n * MANY_STEP,
				    .events = n};
	struct many m;
	int rc = qry_writer_open(path, &run, &m.w, err);

	if (rc < 0)
		return rc;
	rc = many_begin(&m, err);
	for (uint64_t i = 0; i < n && rc == 0; i++)
		rc = many_add(&m, i, err);
	if (rc == 0)
		rc = qry_capture_end(m.w, &e, err);
	if (rc == 0)
		return qry_writer_close(m.w, 0, err);
	qry_writer_abort(m.w);
	return rc;
}

/* --- lists of it: all conditions, and some together */

struct many_list {
	const char *name;
	struct qry_alert_filter filter;
};

/* @out has MANY_LISTS; the filters of @fingerprint, in a case with @n alerts. */
#define MANY_LISTS 32
static inline void many_lists(struct many_list out[MANY_LISTS], int64_t fingerprint, uint64_t n)
{
	const int64_t some = (1ll << 32) + 77, rare = (1ll << 32) + MANY_RARE_PROCESS;
	const uint64_t from = MANY_START + n / 3 * MANY_STEP, to = MANY_START + n / 2 * MANY_STEP;
	const struct many_list lists[MANY_LISTS] = {
	    {"all", {0}},
	    {"rule", {.rule = "Shell in a container 0"}},
	    {"rule, rare", {.rule = "Seldom seen"}},
	    {"severity", {.severities = 1u << RULE_ERROR}},
	    {"severities", {.severities = 0xf}},
	    {"text in name", {.text = "sensitive"}},
	    {"text in name, severities", {.text = "WRITE below", .severities = 0xf0}},
	    {"process", {.process_id = some}},
	    {"process, rare", {.process_id = rare}},
	    {"process and rule", {.process_id = some, .rule = "Shell in a container 0"}},
	    {"fingerprint", {.has_fingerprint = true, .fingerprint = fingerprint}},
	    {"time range", {.from = from, .to = to}},
	    {"time range, rule, capture",
	     {.from = from, .to = to, .rule = "Write below etc 1", .capture_id = 1}},
	    {"time range, severity", {.from = from, .to = to, .severities = 1u << RULE_ERROR}},
	    {"time range, severity of few", {.from = from, .to = to, .severities = 0x80}},
	    {"time range, text in name", {.from = from, .to = to, .text = "memory"}},
	    {"time range, process", {.from = from, .to = to, .process_id = some}},
	    {"fingerprint and severities",
	     {.has_fingerprint = true, .fingerprint = fingerprint, .severities = 0x55}},
	    {"without verdict", {.verdict = QRY_VERDICT_NONE}},
	    {"verdict", {.verdict = QRY_VERDICT_BENIGN}},
	    {"verdict and severities", {.verdict = QRY_VERDICT_BENIGN, .severities = 0x0f}},
	    {"name of process", {.comm = "sh"}},
	    {"name of process, of few", {.comm = "cron"}},
	    {"name of process, rare, and time", {.comm = "seldom", .from = from}},
	    {"name of process that is not there", {.comm = "nobody"}},
	    {"container and severities", {.container = "c0ffee000003", .severities = 0x3}},
	    {"text", {.output = "DIR-77/"}},
	    {"text, none", {.output = "dir_1"}},
	    {"text, rule, time", {.output = "dir-5", .rule = "Seldom seen", .from = from}},
	    {"text and verdict", {.output = "dir-1", .verdict = QRY_VERDICT_BENIGN}},
	    {"text, name, container, process",
	     {.output = "x user", .comm = "cron", .container = "c0ffee000003", .process_id = some}},
	    {"without verdict, text, time",
	     {.verdict = QRY_VERDICT_NONE, .text = "shell", .from = from, .to = to}},
	};

	memcpy(out, lists, sizeof(lists));
}

#endif
