/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/rules_model.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tui/known.h"

static void forget_rows(struct rules_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->rows[i].name);
		free(m->rows[i].tags);
		free(m->rows[i].file);
	}
	m->count = 0;
	smap_done(&m->by_name);
}

void rules_end_pass(struct rules_model *m)
{
	tui_rules_pass_free(m->pass);
	m->pass = NULL;
}

void rules_done(struct rules_model *m)
{
	rules_end_pass(m);
	forget_rows(m);
	free(m->rows);
	buf_done(&m->filter);
}

/* --- rows */

/* The row of that name, a new one if need be; NULL: no memory. */
static struct rules_row *row_of(struct rules_model *m, struct sv name)
{
	uintptr_t i = (uintptr_t)smap_get(&m->by_name, name);
	struct rules_row *r;

	if (i)
		return &m->rows[i - 1];
	if (m->count == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 128;
		struct rules_row *rows = realloc(m->rows, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		m->rows = rows;
		m->cap = cap;
	}
	r = &m->rows[m->count];
	*r = (struct rules_row){.enabled = true};
	r->name = strndup(name.n ? name.p : "", name.n);
	if (!r->name || smap_put(&m->by_name, sv_of(r->name), (void *)(m->count + 1)) < 0) {
		free(r->name);
		return NULL;
	}
	m->count++;
	return r;
}

static char *copy(struct sv s)
{
	return strndup(s.n ? s.p : "", s.n);
}

/* ["a","b"] as "a b": the texts are ours, from rule files. */
static char *words_of(struct sv json)
{
	struct buf b = {0};
	char *out;

	for (size_t i = 0; i < json.n; i++)
		if (!strchr("[]\"", json.p[i]))
			buf_char(&b, json.p[i] == ',' ? ' ' : json.p[i]);
	out = strdup(buf_cstr(&b));
	buf_done(&b);
	return out;
}

static char *tags_of(const struct rule *r)
{
	struct buf b = {0};
	char *out;

	for (size_t i = 0; i < r->tag_count; i++)
		buf_addf(&b, "%s%.*s", i ? " " : "", (int)r->tags[i].n, r->tags[i].p);
	out = strdup(buf_cstr(&b));
	buf_done(&b);
	return out;
}

/* --- what the case knows */

static int load_defined(struct rules_model *m, struct error *err)
{
	sqlite3_stmt *q = tui_ask(tui_app_data(m->app),
				  "SELECT u.name, u.priority, coalesce(u.tags, '[]'), n.enabled, "
				  "n.file, n.line FROM run_rules n JOIN rules u USING (rule_id) "
				  "WHERE n.run_id = (SELECT max(run_id) FROM run_rules) "
				  "ORDER BY n.seq",
				  err);
	int rc = q ? 0 : ERR_DB;

	while (rc == 0 && tui_ask_next(q)) {
		struct rules_row *r = row_of(m, tui_ask_text(q, 0));

		if (!r || r->tags) {
			rc = r ? 0 : error_nomem(err);
			continue;
		}
		r->severity = sqlite3_column_int(q, 1);
		r->tags = words_of(tui_ask_text(q, 2));
		r->enabled = sqlite3_column_int(q, 3) != 0;
		r->file = copy(tui_ask_text(q, 4));
		r->line = (uint32_t)sqlite3_column_int(q, 5);
	}
	sqlite3_finalize(q);
	return rc;
}

static int load_fired(struct rules_model *m, struct error *err)
{
	sqlite3_stmt *q =
	    tui_ask(tui_app_data(m->app),
		    "SELECT u.name, min(u.priority), sum(n.alerts - n.repeated), max(n.last_ts) "
		    "FROM alert_counts n JOIN rules u USING (rule_id) "
		    "JOIN run_captures r USING (run_capture_id) JOIN captures c USING (capture_id) "
		    "WHERE r.state = 'done' OR c.reading_id = r.run_capture_id GROUP BY u.name",
		    err);
	int rc = q ? 0 : ERR_DB;

	while (rc == 0 && tui_ask_next(q)) {
		struct rules_row *r = row_of(m, tui_ask_text(q, 0));

		if (!r) {
			rc = error_nomem(err);
			break;
		}
		if (!r->tags)
			r->severity = sqlite3_column_int(q, 1);
		r->fired = (uint64_t)sqlite3_column_int64(q, 2);
		r->last_ts = (uint64_t)sqlite3_column_int64(q, 3);
	}
	sqlite3_finalize(q);
	return rc;
}

static bool hex_of(struct sv s, int64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *digits = "0123456789abcdef", *at = strchr(digits, s.p[i]);

		if (!at || !s.p[i])
			return false;
		v = v << 4 | (uint64_t)(at - digits);
	}
	*out = (int64_t)v;
	return s.n == 16;
}

static void count_verdict(struct rules_model *m, struct sv name, struct sv word)
{
	static const char *const words[] = {"true positive", "false positive", "benign",
					    "undecided"};
	uintptr_t i = (uintptr_t)smap_get(&m->by_name, name);

	for (unsigned k = 0; i && k < RULES_VERDICTS; k++)
		m->rows[i - 1].verdicts[k] += sv_is(word, words[k]);
}

/* Verdicts name a rule, or what alerts of one have in common. */
static int load_verdicts(struct rules_model *m, struct error *err)
{
	struct tui_data *d = tui_app_data(m->app);
	sqlite3_stmt *q = tui_ask(d, "SELECT rule, fingerprint, verdict FROM v_verdict", err);
	sqlite3_stmt *name = q ? tui_ask(d,
					 "SELECT u.name FROM alert_groups g JOIN rules u USING "
					 "(rule_id) WHERE g.fingerprint = ?1 LIMIT 1",
					 err)
			       : NULL;
	int64_t fingerprint;

	for (size_t i = 0; name && i < RULES_VERDICTS_MAX && tui_ask_next(q); i++) {
		struct sv rule = tui_ask_text(q, 0);

		if (!rule.n && hex_of(tui_ask_text(q, 1), &fingerprint)) {
			sqlite3_reset(name);
			sqlite3_bind_int64(name, 1, fingerprint);
			if (tui_ask_next(name))
				rule = tui_ask_text(name, 0);
		}
		count_verdict(m, rule, tui_ask_text(q, 2));
	}
	sqlite3_finalize(name);
	sqlite3_finalize(q);
	return name ? 0 : ERR_DB;
}

/* --- what is known now */

static int add_known(struct rules_model *m, struct error *err)
{
	size_t n;
	const struct rule *rules;

	m->why = (struct error){0};
	if (tui_app_rules(m->app, &m->rules, &m->why) < 0) {
		m->rules = NULL;
		return 0; /* the case still tells something */
	}
	rules = tui_ruleset_rules(m->rules, &n);
	for (size_t i = 0; i < n; i++) {
		struct rules_row *r = row_of(m, rules[i].name);

		if (!r)
			return error_nomem(err);
		r->rule = &rules[i];
		r->severity = (int)rules[i].priority;
		r->enabled = tui_ruleset_is_on(m->rules, &rules[i]);
		r->line = rules[i].line;
		free(r->tags);
		free(r->file);
		r->tags = tags_of(&rules[i]);
		r->file = copy(sv_of(rules[i].file));
		if (!r->tags || !r->file)
			return error_nomem(err);
	}
	return 0;
}

static void take_counts(struct rules_model *m)
{
	const struct tui_rule_count *k = m->pass ? tui_rules_pass_counts(m->pass) : NULL;
	const struct run_rule_cost *costs = NULL;
	double sum = 0;
	size_t n = k && m->counted ? run_profile_costs(tui_rules_pass_profile(m->pass), &costs) : 0;

	for (size_t i = 0; i < n; i++)
		sum += costs[i].ns_all;
	m->timed = sum > 0;
	for (size_t i = 0; k && i < m->count; i++) {
		struct rules_row *r = &m->rows[i];

		if (!r->rule)
			continue;
		r->matched = k[r->rule->index].matched;
		r->shadowed = k[r->rule->index].shadowed;
		for (size_t c = 0; c < n; c++)
			if (costs[c].rule == r->rule) {
				r->evaluated = costs[c].evaluated;
				r->sampled = costs[c].sampled;
				r->ns = costs[c].ns;
				r->share = sum > 0 ? 100 * costs[c].ns_all / sum : 0;
			}
	}
}

/* Those that found something first, the most severe, then the most frequent. */
static int by_interest(const void *a, const void *b)
{
	const struct rules_row *x = a, *y = b;

	if (!x->fired != !y->fired)
		return x->fired ? -1 : 1;
	if (x->severity != y->severity)
		return (x->severity > y->severity) - (x->severity < y->severity);
	if (x->fired != y->fired)
		return x->fired > y->fired ? -1 : 1;
	return strcmp(x->name, y->name);
}

int rules_load(struct rules_model *m, struct error *err)
{
	int rc;

	forget_rows(m);
	rc = load_defined(m, err);
	if (rc == 0)
		rc = load_fired(m, err);
	if (rc == 0)
		rc = load_verdicts(m, err);
	if (rc == 0)
		rc = add_known(m, err);
	if (rc < 0)
		return rc;
	take_counts(m);
	if (m->count)
		qsort(m->rows, m->count, sizeof(*m->rows), by_interest);
	smap_done(&m->by_name); /* rows have moved */
	return 0;
}

/* --- counting */

int rules_begin_pass(struct rules_model *m, struct error *err)
{
	rules_end_pass(m);
	m->counted = m->timed = false;
	if (!m->rules)
		return error_set(err, ERR_RULES, "the rules cannot be used: %s", m->why.msg);
	m->path = tui_data_capture(tui_app_data(m->app))
		      ? tui_data_capture(tui_app_data(m->app))->path
		      : NULL;
	return tui_rules_pass_new(tui_app_data(m->app), m->rules, NULL, &m->pass, err);
}

bool rules_work(struct rules_model *m, uint64_t deadline_ns)
{
	struct error err = {0};
	int rc;

	if (!m->pass || m->counted)
		return false;
	rc = tui_rules_pass_work(m->pass, deadline_ns, &err);
	m->counted = rc == 0;
	if (rc < 0) {
		tui_app_fail(m->app, &err);
		rules_end_pass(m);
		return false;
	}
	take_counts(m);
	return rc > 0;
}

/* --- what is said */

static bool occurs(const struct rules_model *m, const struct rule *r)
{
	const struct tui_capture *c = tui_data_capture(tui_app_data(m->app));

	if (!c || !c->facts)
		return true;
	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		if (c->facts->by_type[type] && flt_types_has(r->types, type))
			return true;
	return false;
}

enum rules_state rules_state_of(const struct rules_model *m, const struct rules_row *r)
{
	if (r->fired)
		return RULES_FIRED;
	if (r->rule && !r->rule->types)
		return RULES_FOREIGN;
	if (!r->enabled)
		return RULES_DISABLED;
	if (r->shadowed)
		return RULES_SHADOWED;
	return r->rule && !occurs(m, r->rule) ? RULES_NO_EVENTS : RULES_SILENT;
}

const char *rules_state_word(enum rules_state s)
{
	static const char *const words[] = {
	    [RULES_FIRED] = "fired",	    [RULES_SHADOWED] = "shadowed",
	    [RULES_SILENT] = "never fired", [RULES_NO_EVENTS] = "no such events",
	    [RULES_DISABLED] = "disabled",  [RULES_FOREIGN] = "other source",
	};

	return words[s];
}

static bool has_word(const struct rules_model *m, const struct rules_row *r, struct sv word)
{
	const char *texts[] = {r->name, r->tags, r->file, rules_state_word(rules_state_of(m, r)),
			       rule_priority_name((enum rule_priority)(r->severity & 7))};
	struct buf b = {0};
	bool found = false;

	buf_sv(&b, word);
	for (size_t i = 0; i < COUNT_OF(texts) && !found; i++)
		found = texts[i] && strcasestr(texts[i], buf_cstr(&b));
	buf_done(&b);
	return found;
}

bool rules_pass_filter(const struct rules_model *m, const struct rules_row *r)
{
	struct sv rest = buf_view(&m->filter);
	bool negated = rest.n && *rest.p == '!', all = true;

	if (negated)
		rest = sv_drop(rest, 1);
	while (rest.n && all) {
		size_t n = 0;

		while (n < rest.n && rest.p[n] != ' ')
			n++;
		all = !n || has_word(m, r, sv_make(rest.p, n));
		rest = sv_drop(rest, n < rest.n ? n + 1 : n);
	}
	return all != negated || !m->filter.len;
}
