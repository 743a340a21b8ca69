/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/kept.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OTHERS_MAX  8192u /* results of rules that are not asked for, for one capture */
#define OTHERS_DAYS 30
#define DAY_S	    86400

/* --- rules --- */

bool reg_kept_rules_room(struct reg_kept_rules *s, uint64_t n)
{
	if (n > REG_KEPT_RULES_MAX)
		return false;
	s->rules = calloc(n + 1, sizeof(*s->rules));
	s->keys = calloc(n + 1, sizeof(*s->keys));
	s->wanted = calloc(n + 1, sizeof(*s->wanted));
	s->by_key = calloc(n + 1, sizeof(*s->by_key));
	return s->rules && s->keys && s->wanted && s->by_key;
}

void reg_kept_rules_done(struct reg_kept_rules *s)
{
	free(s->rules);
	free(s->keys);
	free(s->wanted);
	free(s->by_key);
	free(s->number_of);
	*s = (struct reg_kept_rules){.options = s->options};
}

/* What the alerts of one rule depend on besides the options; not what it is called. */
static bool key_of(const struct rule *r, struct reg_key *out)
{
	struct buf b = {0};
	bool ok;

	buf_counted(&b, r->source);
	buf_counted(&b, r->compiled);
	buf_counted(&b, r->output);
	ok = !b.failed && reg_key_of(buf_view(&b), out);
	buf_done(&b);
	return ok;
}

int reg_kept_rules_of(struct reg_kept_rules *s, const struct rule_engine *e, struct error *err)
{
	size_t n;
	const struct rule *all = rule_engine_rules(e, &n);

	s->number_of = calloc(n + 1, sizeof(*s->number_of));
	if (!s->number_of || !reg_kept_rules_room(s, n))
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		s->number_of[i] = s->count;
		if (!rule_engine_uses(e, &all[i]) || !all[i].format)
			continue;
		s->rules[s->count] = all[i];
		s->rules[s->count].index = s->count;
		if (!key_of(&all[i], &s->keys[s->count]))
			return error_nomem(err);
		s->count++;
	}
	reg_kept_rules_sort(s);
	return 0;
}

static int compare_keys(const void *a, const void *b, void *arg)
{
	const struct reg_kept_rules *s = arg;
	const uint32_t *x = a, *y = b;

	return memcmp(s->keys[*x].bytes, s->keys[*y].bytes, REG_KEY_BYTES);
}

void reg_kept_rules_sort(struct reg_kept_rules *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		s->by_key[i] = i;
	qsort_r(s->by_key, s->count, sizeof(*s->by_key), compare_keys, s);
}

/* The first place in by_key whose key is not below @key. */
static uint32_t find_rule(const struct reg_kept_rules *s, const struct reg_key *key)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(s->keys[s->by_key[mid]].bytes, key->bytes, REG_KEY_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Rules that are equal but for their names have one key; @at goes through them. */
static bool has_key(const struct reg_kept_rules *s, uint32_t at, const struct reg_key *key)
{
	return at < s->count &&
	       memcmp(s->keys[s->by_key[at]].bytes, key->bytes, REG_KEY_BYTES) == 0;
}

int reg_kept_rules_engine(const struct reg_kept_rules *s, struct rule_loader *loader,
			  uint32_t *count, struct rule_engine **out, struct error *err)
{
	struct rule_select *select = calloc(s->count + 1u, sizeof(*select));
	struct arena names = {0};
	size_t n = 0;
	int rc = select ? 0 : error_nomem(err);

	if (rc == 0)
		select[n++] = (struct rule_select){RULE_DISABLE_NAME, "*"};
	for (uint32_t i = 0; i < s->count && rc == 0; i++) {
		const struct sv name = s->rules[i].name;

		if (!s->wanted[i])
			continue;
		select[n].kind = RULE_ENABLE_NAME;
		select[n].text = arena_strndup(&names, name.p, name.n);
		rc = select[n++].text ? 0 : error_nomem(err);
	}
	if (rc == 0)
		rc = rule_engine_new(loader, select, n, out, err);
	if (rc == 0)
		*count = (uint32_t)n - 1;
	arena_done(&names);
	free(select);
	return rc;
}

/* --- what is there of a capture --- */

void reg_kept_done(struct reg_kept *k)
{
	reg_findings_done(&k->found);
	buf_done(&k->row);
	buf_done(&k->new_row);
	buf_done(&k->text);
	free(k->have);
	*k = (struct reg_kept){0};
}

/* One result that is there. */
static int take_entry(struct reg_kept *k, const struct reg_row_entry *e, bool load,
		      struct error *err)
{
	const struct reg_kept_rules *s = k->rules;
	int rc = 0;

	for (uint32_t at = find_rule(s, &e->rule); rc == 0 && has_key(s, at, &e->rule); at++) {
		k->have[s->by_key[at]] = true;
		if (load)
			rc = reg_findings_load(&k->found, e->findings, s->by_key[at], err);
	}
	return rc;
}

static int read_row(struct reg_kept *k, struct reg_recall *r, const struct reg_key *capture,
		    bool load, struct error *err)
{
	struct reg_row_entry e;
	struct reg_row row;
	int rc = reg_recall_get(r, REG_RECALL_CAPTURE, &k->rules->options, capture, &k->row, err);

	if (rc <= 0)
		return rc;
	row = reg_row_read(buf_view(&k->row));
	k->head = row.head;
	k->has_row = !row.a.trouble;
	while ((rc = reg_row_next(&row, &e, err)) > 0) {
		rc = take_entry(k, &e, load, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int start(struct reg_kept *k, struct error *err)
{
	bool *have = realloc(k->have, (k->rules->count + 1u) * sizeof(*have));

	if (!have)
		return error_nomem(err);
	k->have = have;
	memset(have, 0, (k->rules->count + 1u) * sizeof(*have));
	reg_findings_clear(&k->found);
	k->head = (struct reg_row_head){0};
	k->has_row = false;
	buf_reset(&k->row);
	return 0;
}

int reg_kept_look(struct reg_kept *k, struct reg_recall *r, const struct reg_key *capture,
		  bool load, struct error *err)
{
	int rc = start(k, err);

	if (rc == 0)
		rc = read_row(k, r, capture, load, err);
	if (rc == ERR_FORMAT)
		rc = start(k, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < k->rules->count; i++)
		if (!k->have[i])
			return 0;
	return 1;
}

void reg_kept_want(const struct reg_kept *k, bool *wanted)
{
	for (uint32_t i = 0; i < k->rules->count; i++)
		wanted[i] |= !k->have[i];
}

void reg_kept_drop_wanted(struct reg_kept *k)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->found.count; i++)
		if (!k->rules->wanted[k->found.items[i].rule])
			k->found.items[kept++] = k->found.items[i];
	k->found.count = kept;
}

/* --- what is found --- */

static int take_alert(struct run_sink *base, const struct run_alert *a, struct error *err)
{
	struct reg_kept *k = CONTAINER_OF(base, struct reg_kept, sink);
	const struct reg_finding one = {
	    .rule = k->rules->number_of[a->rule->index],
	    .evt = a->evt_num,
	    .offset = a->evt_offset,
	    .ts = a->ts,
	    .tid = a->tid,
	    .pid = a->pid,
	    .message = a->message,
	    .fields = a->fields,
	};

	if (!k->head.hostname.n)
		k->head.hostname = arena_sv(&k->found.arena, a->hostname);
	return reg_findings_add(&k->found, &one, err);
}

static const struct run_sink_ops collector = {.alert = take_alert};

struct run_sink *reg_kept_sink(struct reg_kept *k)
{
	k->sink.ops = &collector;
	return &k->sink;
}

bool reg_kept_is_whole(const struct run_capture_report *rep)
{
	return rep->stats && rep->end == RUN_END_CLEAN && !rep->stats->gaps && rep->stats->events;
}

void reg_kept_take_state(struct reg_kept *k, const struct state_stats *ss)
{
	k->head.events = ss->events;
	k->head.malformed = ss->malformed;
	k->head.threads_dropped = ss->threads_dropped;
	k->head.fds_dropped = ss->fds_dropped;
}

struct run_alert reg_kept_alert(const struct reg_kept *k, const struct reg_finding *f)
{
	const struct rule *rule = &k->rules->rules[f->rule];

	return (struct run_alert){
	    .rule = rule,
	    .ts = f->ts,
	    .evt_num = f->evt,
	    .evt_offset = f->offset,
	    .tid = f->tid,
	    .pid = f->pid,
	    .source = rule->source,
	    .hostname = k->head.hostname,
	    .message = f->message,
	    .fields = f->fields,
	};
}

/* --- keeping it --- */

/* Entries of rules that are not asked for now may be asked for again. */
static void keep_others(const struct reg_kept *k, struct reg_row *out, uint64_t today)
{
	struct reg_row old = reg_row_read(buf_view(&k->row));
	struct reg_row_entry e;
	unsigned n = 0;

	while (k->row.len && n < OTHERS_MAX && reg_row_next(&old, &e, NULL) > 0)
		if (!has_key(k->rules, find_rule(k->rules, &e.rule), &e.rule) &&
		    e.day + OTHERS_DAYS >= today) {
			reg_row_add(out, &e);
			n++;
		}
}

int reg_kept_save(struct reg_kept *k, struct reg_recall *r, const struct reg_key *capture,
		  struct error *err)
{
	const struct reg_kept_rules *s = k->rules;
	uint64_t today = (uint64_t)time(NULL) / DAY_S;
	struct reg_row out;

	buf_reset(&k->new_row);
	out = reg_row_write(&k->new_row, &k->head);
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t rule = s->by_key[i];

		if (i && has_key(s, i - 1, &s->keys[rule]))
			continue; /* equal to the one before */
		buf_reset(&k->text);
		reg_findings_save(&k->found, rule, &k->text);
		if (k->text.failed)
			return error_nomem(err);
		reg_row_add(&out,
			    &(struct reg_row_entry){s->keys[rule], today, buf_view(&k->text)});
	}
	keep_others(k, &out, today);
	if (k->new_row.failed)
		return error_nomem(err);
	return reg_recall_put(r, REG_RECALL_CAPTURE, &s->options, capture, buf_view(&k->new_row),
			      err);
}
