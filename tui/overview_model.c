/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/overview_model.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "query/ask.h"

#define ALERTS_A_SLICE	5000
#define CHAIN_PROCESSES 2000 /* with most alerts, whose chains are looked up */
#define SEAL_SUFFIX	".seal"

struct found_process {
	int64_t process_id, capture_id;
	uint64_t count, evt_num;
	int severity;
};

struct overview_found {
	struct map by_id; /* process_id -> index + 1 */
	struct found_process *list;
	size_t count, cap;
};

/* --- asking */

static int fail(struct overview_model *m, int rc, struct error *err)
{
	struct tui_data *d = tui_app_data(m->app);
	const char *path = tui_data_case_path(d);

	return qry_ask_error(tui_data_case(d), path ? path : "the case", rc, "looking into it",
			     err);
}

static int prepare(struct overview_model *m, const char *sql, sqlite3_stmt **out, struct error *err)
{
	int rc = sqlite3_prepare_v2(tui_data_case(tui_app_data(m->app)), sql, -1, out, NULL);

	return rc == SQLITE_OK ? 0 : fail(m, rc, err);
}

static int64_t current_capture(struct overview_model *m)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(m->app));

	return c ? c->capture_id : 0;
}

/* The number that @sql yields; ?1 is the capture. */
static int number(struct overview_model *m, const char *sql, uint64_t *out, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare(m, sql, &stmt, err), step;

	if (rc < 0)
		return rc;
	if (sqlite3_bind_parameter_count(stmt))
		sqlite3_bind_int64(stmt, 1, current_capture(m));
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : fail(m, step, err);
}

static int load_severities(struct overview_model *m, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int step, rc = prepare(m, "SELECT severity, alerts FROM v_severity_count", &stmt, err);

	if (rc < 0)
		return rc;
	memset(m->by_severity, 0, sizeof(m->by_severity));
	m->alerts = 0;
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		int severity = sqlite3_column_int(stmt, 0);

		if (severity >= 0 && severity < RULE_PRIORITY_COUNT)
			m->by_severity[severity] = (uint64_t)sqlite3_column_int64(stmt, 1);
		m->alerts += (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	return step == SQLITE_DONE ? 0 : fail(m, step, err);
}

static void free_rules(struct overview_model *m)
{
	for (size_t i = 0; i < m->rule_count; i++)
		free(m->rules[i].name);
	m->rule_count = 0;
}

static int load_rules(struct overview_model *m, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int step = SQLITE_DONE, rc = prepare(m,
					     "SELECT rule, severity, alerts FROM v_rule_count "
					     "ORDER BY severity, alerts DESC, rule",
					     &stmt, err);

	if (rc < 0)
		return rc;
	free_rules(m);
	if (!m->rules)
		m->rules = calloc(OVERVIEW_RULES_MAX, sizeof(*m->rules));
	while (m->rules && m->rule_count < OVERVIEW_RULES_MAX &&
	       (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		struct overview_rule *r = &m->rules[m->rule_count];

		r->name = strdup(name ? name : "?");
		r->severity = sqlite3_column_int(stmt, 1);
		r->count = (uint64_t)sqlite3_column_int64(stmt, 2);
		if (!r->name)
			break;
		m->rule_count++;
	}
	sqlite3_finalize(stmt);
	if (!m->rules)
		return error_nomem(err);
	return step == SQLITE_DONE || m->rule_count == OVERVIEW_RULES_MAX ? 0
	       : step == SQLITE_ROW					  ? error_nomem(err)
									  : fail(m, step, err);
}

/* Rows of the reading that views show of the capture, counted up to a limit. */
#define READING "(SELECT reading_id FROM captures WHERE capture_id = ?1)"
#define SOME_WHERE(table, condition)                                                               \
	"SELECT count(*) FROM (SELECT 1 FROM " table " WHERE " condition " LIMIT 1000001)"
/* Numbers of processes have that of the reading in their upper half. */
#define OF_READING "process_id BETWEEN " READING " << 32 AND (" READING " << 32) + 4294967295"
static void free_chains(struct overview_model *m)
{
	for (size_t i = 0; i < m->chain_count; i++)
		free(m->chains[i].names);
	m->chain_count = 0;
}

static void forget_found(struct overview_model *m)
{
	if (!m->found)
		return;
	map_done(&m->found->by_id);
	free(m->found->list);
	free(m->found);
	m->found = NULL;
}

int overview_load(struct overview_model *m, struct error *err)
{
	static const struct {
		const char *sql;
		size_t where;
	} counts[] = {
	    {"SELECT count(*) FROM (SELECT 1 FROM alert_groups LIMIT 1000001)",
	     offsetof(struct overview_model, groups)},
	    {"SELECT count(*) FROM v_verdict", offsetof(struct overview_model, verdicts)},
	    {"SELECT count(*) FROM notes", offsetof(struct overview_model, notes)},
	    {SOME_WHERE("processes", OF_READING), offsetof(struct overview_model, processes)},
	    {SOME_WHERE("execs", OF_READING), offsetof(struct overview_model, execs)},
	    {SOME_WHERE("connections", "run_capture_id = " READING),
	     offsetof(struct overview_model, connections)},
	    {SOME_WHERE("processes", OF_READING " AND origin = 'placeholder'"),
	     offsetof(struct overview_model, placeholders)},
	};
	int rc = load_severities(m, err);

	if (rc == 0)
		rc = load_rules(m, err);
	for (size_t i = 0; i < COUNT_OF(counts) && rc == 0; i++)
		rc = number(m, counts[i].sql, (uint64_t *)((char *)m + counts[i].where), err);
	forget_found(m);
	free_chains(m);
	m->last_alert = 0;
	m->looked_at = 0;
	m->chains_done = m->alerts == 0;
	return rc;
}

/* --- chains: first whose alerts there are, then who these are */

static struct found_process *found_of(struct overview_found *f, int64_t process_id)
{
	uintptr_t i = (uintptr_t)map_get(&f->by_id, (uint64_t)process_id);

	if (i)
		return &f->list[i - 1];
	if (f->count == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 256;
		struct found_process *list = realloc(f->list, cap * sizeof(*list));

		if (!list)
			return NULL;
		f->list = list;
		f->cap = cap;
	}
	if (map_put(&f->by_id, (uint64_t)process_id, (void *)(f->count + 1)) < 0)
		return NULL;
	f->list[f->count] =
	    (struct found_process){.process_id = process_id, .severity = RULE_PRIORITY_COUNT};
	return &f->list[f->count++];
}

/* Return: 1 if there may be more, 0 at the end, or ERR_*. */
static int look_at_alerts(struct overview_model *m, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	size_t rows = 0;
	int step,
	    rc = prepare(
		m,
		"SELECT a.alert_id, a.process_id, a.evt_num, a.priority, r.capture_id FROM alerts a"
		" JOIN run_captures r USING (run_capture_id) WHERE a.alert_id > ?1 AND a.repeats "
		"IS NULL"
		" ORDER BY a.alert_id LIMIT ?2",
		&stmt, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, m->last_alert);
	sqlite3_bind_int64(stmt, 2, ALERTS_A_SLICE);
	while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct found_process *p;

		rows++;
		m->last_alert = sqlite3_column_int64(stmt, 0);
		if (sqlite3_column_type(stmt, 1) == SQLITE_NULL)
			continue;
		p = found_of(m->found, sqlite3_column_int64(stmt, 1));
		if (!p) {
			rc = error_nomem(err);
			break;
		}
		if (!p->count++ || sqlite3_column_int(stmt, 3) < p->severity) {
			p->evt_num = (uint64_t)sqlite3_column_int64(stmt, 2);
			p->severity = sqlite3_column_int(stmt, 3);
			p->capture_id = sqlite3_column_int64(stmt, 4);
		}
	}
	sqlite3_finalize(stmt);
	if (rc == 0 && step != SQLITE_ROW && step != SQLITE_DONE)
		rc = fail(m, step, err);
	m->looked_at += rows;
	return rc < 0 ? rc : rows == ALERTS_A_SLICE && m->looked_at < OVERVIEW_ALERTS_MAX;
}

/* Names from the ancestor on, nearest last. */
static int name_chain(struct overview_model *m, sqlite3_stmt *stmt, int64_t process_id,
		      struct buf *out)
{
	char *names[OVERVIEW_DEPTH] = {NULL};
	int depth = 0;

	while (process_id && depth < OVERVIEW_DEPTH) {
		const char *comm;

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, process_id);
		if (sqlite3_step(stmt) != SQLITE_ROW)
			break;
		comm = (const char *)sqlite3_column_text(stmt, 0);
		names[depth++] = strdup(comm && *comm ? comm : "?");
		process_id = sqlite3_column_int64(stmt, 1);
	}
	(void)m;
	while (depth--) {
		buf_str(out, names[depth] ? names[depth] : "?");
		if (depth)
			buf_char(out, '>');
		free(names[depth]);
	}
	return out->failed ? ERR_NOMEM : 0;
}

static int most_first(const void *a, const void *b)
{
	const struct found_process *x = a, *y = b;

	if (x->severity != y->severity)
		return (x->severity > y->severity) - (x->severity < y->severity);
	if (x->count != y->count)
		return (x->count < y->count) - (x->count > y->count);
	return (x->process_id > y->process_id) - (x->process_id < y->process_id);
}

static int chain_order(const void *a, const void *b)
{
	const struct overview_chain *x = a, *y = b;

	if (x->severity != y->severity)
		return (x->severity > y->severity) - (x->severity < y->severity);
	if (x->count != y->count)
		return (x->count < y->count) - (x->count > y->count);
	return strcmp(x->names, y->names);
}

static int add_to_chain(struct overview_model *m, const struct found_process *p, struct buf *names)
{
	struct overview_chain *c = m->chains;

	for (size_t i = 0; i < m->chain_count; i++, c++)
		if (strcmp(c->names, buf_cstr(names)) == 0) {
			c->count += p->count;
			return 0;
		}
	if (m->chain_count == OVERVIEW_CHAINS_MAX)
		return 0;
	c->names = strdup(buf_cstr(names));
	if (!c->names)
		return ERR_NOMEM;
	c->count = p->count;
	c->severity = p->severity;
	c->process_id = p->process_id;
	c->capture_id = p->capture_id;
	c->evt_num = p->evt_num;
	m->chain_count++;
	return 0;
}

/* The image a process had at last says more than that of the fork it began as. */
static int make_chains(struct overview_model *m, struct error *err)
{
	struct overview_found *f = m->found;
	sqlite3_stmt *stmt = NULL;
	struct buf names = {0};
	int rc = prepare(m,
			 "SELECT coalesce((SELECT e.comm FROM execs e WHERE e.process_id = "
			 "p.process_id ORDER BY e.seq DESC"
			 " LIMIT 1), p.comm), p.parent_id FROM processes p WHERE p.process_id = ?1",
			 &stmt, err);

	if (rc == 0 && !m->chains) {
		m->chains = calloc(OVERVIEW_CHAINS_MAX, sizeof(*m->chains));
		rc = m->chains ? 0 : error_nomem(err);
	}
	if (f->count)
		qsort(f->list, f->count, sizeof(*f->list), most_first);
	for (size_t i = 0; i < f->count && i < CHAIN_PROCESSES && rc == 0; i++) {
		buf_reset(&names);
		rc = name_chain(m, stmt, f->list[i].process_id, &names);
		if (rc == 0)
			rc = add_to_chain(m, &f->list[i], &names);
		if (rc < 0)
			rc = error_nomem(err);
	}
	sqlite3_finalize(stmt);
	buf_done(&names);
	if (m->chain_count)
		qsort(m->chains, m->chain_count, sizeof(*m->chains), chain_order);
	return rc;
}

bool overview_work(struct overview_model *m, uint64_t deadline_ns)
{
	struct error err = {0};
	int rc = 1;

	if (m->chains_done)
		return false;
	if (!m->found)
		m->found = calloc(1, sizeof(*m->found));
	if (!m->found)
		rc = error_nomem(&err);
	while (rc > 0) {
		rc = look_at_alerts(m, &err);
		if (rc > 0 && deadline_ns && clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
			return true;
	}
	if (rc == 0)
		rc = make_chains(m, &err);
	if (rc < 0)
		tui_app_fail(m->app, &err);
	forget_found(m);
	m->chains_done = true;
	return false;
}

/* --- what to keep in mind */

static void add(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add(struct buf *b, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_str(b, line);
	buf_char(b, '\n');
}

static void watch_losses(struct buf *b, const struct tui_counts *c)
{
	uint64_t lost = 0, near = 0;

	for (size_t i = 0; c && i < c->buckets; i++) {
		bool around = (i && c->lanes[TUI_LANE_LOST][i - 1]) || c->lanes[TUI_LANE_LOST][i] ||
			      (i + 1 < c->buckets && c->lanes[TUI_LANE_LOST][i + 1]);

		lost += c->lanes[TUI_LANE_LOST][i];
		near += around ? c->lanes[TUI_LANE_ALERTS][i] : 0;
	}
	if (lost)
		add(b, "%llu events lost; %llu alerts near these places", (unsigned long long)lost,
		    (unsigned long long)near);
}

static void watch_facts(struct buf *b, const struct run_facts *f)
{
	unsigned lacking = 0;
	const char *first = NULL;

	if (f->stats.gaps)
		add(b, "%llu damaged or missing places: 'scapula info' lists them",
		    (unsigned long long)f->stats.gaps);
	if (f->buffers_cut)
		add(b, "contents cut in %llu of %llu looked at", (unsigned long long)f->buffers_cut,
		    (unsigned long long)f->buffers);
	if (f->steps)
		add(b, "the clock went back %llu times, %.1f s at most",
		    (unsigned long long)f->steps, (double)f->step_max / 1e9);
	for (size_t i = 0; i < RUN_CAPABILITIES; i++)
		if (f->capabilities[i].of && !f->capabilities[i].have) {
			first = first ? first : run_capabilities[i].what;
			lacking++;
		}
	if (lacking)
		add(b, "not recorded: %s%s", first,
		    lacking > 1 ? ", and more ('scapula info' lists it)" : "");
}

void overview_watch(struct overview_model *m, const struct tui_counts *counts)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(m->app));
	struct buf seal = {0};

	buf_reset(&m->watch);
	if (!c)
		return;
	if (!c->there)
		add(&m->watch, "the capture is not here: ':capture PATH' says where; only the case "
			       "can be shown");
	watch_losses(&m->watch, counts);
	if (m->placeholders)
		add(&m->watch,
		    m->placeholders == 1
			? "%llu process was never described: its parent is a guess"
			: "%llu processes were never described: their parents are guesses",
		    (unsigned long long)m->placeholders);
	if (c->facts)
		watch_facts(&m->watch, c->facts);
	buf_addf(&seal, "%s%s", c->path, SEAL_SUFFIX);
	if (c->there)
		add(&m->watch, access(buf_cstr(&seal), R_OK) == 0
				   ? "a seal is beside the capture: 'scapula verify' compares"
				   : "no seal: whether it was altered cannot be told");
	buf_done(&seal);
}

void overview_done(struct overview_model *m)
{
	forget_found(m);
	free_rules(m);
	free_chains(m);
	free(m->rules);
	free(m->chains);
	buf_done(&m->watch);
}
