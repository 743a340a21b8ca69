/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counts that the case keeps of its alerts, so that nobody has to count millions of rows. What
 * a transaction adds is gathered here and stored in the same transaction: counts and rows agree
 * whenever the program ends.
 */
#include "query/internal.h"

#include <stdlib.h>

static struct qry_group *group_of(struct qry_store *s, int64_t rule_id, int64_t fingerprint)
{
	uint64_t key = (uint64_t)fingerprint ^ hash_u64((uint64_t)rule_id);
	struct qry_group *g = map_get(&s->groups, key);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g || map_put(&s->groups, key, g) < 0) {
		free(g);
		return NULL;
	}
	g->rule_id = rule_id;
	g->fingerprint = fingerprint;
	g->first_seq = s->alert_seq;
	return g;
}

static void count(int64_t *alerts, int64_t *first, int64_t *last, int64_t ts)
{
	if (!*alerts || ts < *first)
		*first = ts;
	if (!*alerts || ts > *last)
		*last = ts;
	++*alerts;
}

int qry_counts_add(struct qry_store *s, struct qry_rule_ref *rule, int64_t fingerprint, int64_t ts)
{
	struct qry_group *g;
	struct error err;

	if (s->groups.count >= QRY_GROUPS_MAX && qry_counts_store(s, &err) < 0)
		return ERR_NOMEM;
	g = group_of(s, rule->rule_id, fingerprint);
	if (!g)
		return ERR_NOMEM;
	count(&g->alerts, &g->first_ts, &g->last_ts, ts);
	count(&rule->alerts, &rule->first_ts, &rule->last_ts, ts);
	return 0;
}

int qry_counts_rule(struct qry_store *s, struct qry_rule_ref *rule, struct error *err)
{
	const struct qry_value v[] = {qry_int(s->run_capture_id), qry_int(rule->rule_id),
				      qry_int(rule->alerts), qry_int(rule->first_ts),
				      qry_int(rule->last_ts)};

	if (!rule->alerts)
		return 0;
	rule->alerts = 0;
	return qry_store_run(s, QRY_STMT_COUNT_ALERTS, v, COUNT_OF(v), err);
}

static int store_group(struct qry_store *s, const struct qry_group *g, struct error *err)
{
	const struct qry_value v[] = {
	    qry_int(s->run_capture_id), qry_int(g->rule_id),  qry_int(g->fingerprint),
	    qry_int(g->alerts),		qry_int(g->first_ts), qry_int(g->last_ts),
	    qry_int(g->first_seq),
	};

	return qry_store_run(s, QRY_STMT_GROUP_ALERTS, v, COUNT_OF(v), err);
}

int qry_counts_store(struct qry_store *s, struct error *err)
{
	struct map_slot *slot;
	int rc = 0;

	for (size_t i = 0; i < s->rule_cap && rc == 0; i++)
		rc = qry_counts_rule(s, &s->rules[i], err);
	for (size_t at = 0; rc == 0 && (slot = map_next(&s->groups, &at));)
		rc = store_group(s, slot->value, err);
	if (rc == 0)
		qry_counts_done(s);
	return rc;
}

void qry_counts_done(struct qry_store *s)
{
	struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(&s->groups, &at));)
		free(slot->value);
	if (s->groups.count)
		map_done(&s->groups);
}
