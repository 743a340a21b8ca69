/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and what is kept of them (recall.h): which of a list of rules have a result for a capture,
 * an engine of those that lack one, and both put together to what a replay finds. Ownership:
 * everything handed in is borrowed for the call, but for an engine, whose rules a list shows for as
 * long as it is there. Threads: a list may be read by several at once while nobody changes it; what
 * is kept of a capture, and a recall, belong to one at a time.
 */
#ifndef REGRESS_KEPT_H
#define REGRESS_KEPT_H

#include "regress/recall.h"

#define REG_KEPT_RULES_MAX 1000000u

struct reg_kept_rules {		/* zeroed storage is empty */
	struct reg_key options; /* what results depend on besides rule and capture */
	uint32_t count;
	struct rule *rules; /* those that can match, in order; index: place here */
	struct reg_key *keys;
	bool *wanted;	     /* their results are missing for some capture */
	uint32_t *by_key;    /* places, sorted by key */
	uint32_t *number_of; /* places of the engine's rules; NULL: rules were not loaded */
};

/* Room for @n rules, empty. Return: false: no memory, or too many. */
MUST_CHECK bool reg_kept_rules_room(struct reg_kept_rules *s, uint64_t n);
/* The rules of @e that can raise alerts. Return: 0, ERR_NOMEM. */
MUST_CHECK int reg_kept_rules_of(struct reg_kept_rules *s, const struct rule_engine *e,
				 struct error *err);
/* After the last key. */
void reg_kept_rules_sort(struct reg_kept_rules *s);
void reg_kept_rules_done(struct reg_kept_rules *s); /* @options stays */
/*
 * An engine of the wanted rules alone. *@count: how many. Return: 0, or as rule_engine_new().
 */
MUST_CHECK int reg_kept_rules_engine(const struct reg_kept_rules *s, struct rule_loader *loader,
				     uint32_t *count, struct rule_engine **out, struct error *err);

struct reg_kept { /* of one capture; zeroed storage but for @rules is empty */
	const struct reg_kept_rules *rules;
	bool *have; /* of each rule: is its result there? */
	struct reg_findings found;
	struct reg_row_head head;
	bool has_row;
	struct buf row, new_row, text; /* as it was kept, and as it is to be; scratch */
	struct run_sink sink;	       /* takes alerts of the wanted rules into @found */
};

void reg_kept_done(struct reg_kept *k);
/*
 * The results that are there of a capture; with @load, into @found. What is damaged is not there.
 * Return: 1 if there are all, 0, or ERR_IO, ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int reg_kept_look(struct reg_kept *k, struct reg_recall *r,
			     const struct reg_key *capture, bool load, struct error *err);
/* Mark in @wanted, which may be that of the rules, what is not there. */
void reg_kept_want(const struct reg_kept *k, bool *wanted);
/* Forget what is there of rules that are evaluated once more. */
void reg_kept_drop_wanted(struct reg_kept *k);
/* The sink for the run of the wanted rules, which must report all that match. */
struct run_sink *reg_kept_sink(struct reg_kept *k);
/* Was everything of the capture seen, so that what was found may be kept? */
bool reg_kept_is_whole(const struct run_capture_report *rep);
/* What a replay would warn of. */
void reg_kept_take_state(struct reg_kept *k, const struct state_stats *ss);
/* Keep all that was found. */
MUST_CHECK int reg_kept_save(struct reg_kept *k, struct reg_recall *r,
			     const struct reg_key *capture, struct error *err);
/* A finding as a sink gets it, but for its line. */
struct run_alert reg_kept_alert(const struct reg_kept *k, const struct reg_finding *f);

#endif
