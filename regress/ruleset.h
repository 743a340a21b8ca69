/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of rule files with what selects of them: loaded once, whichever tests and threads use it.
 * Threads: reg_ruleset_load() may be called by several at once; what it made is constant then.
 */
#ifndef REGRESS_RULESET_H
#define REGRESS_RULESET_H

#include "regress/kept.h"
#include "regress/testfile.h"

struct reg_ruleset;

/* Paths in @rules begin in @dir. @rules is borrowed. NULL: out of memory. */
struct reg_ruleset *reg_ruleset_new(const struct reg_rules *rules, const char *dir);
void reg_ruleset_free(struct reg_ruleset *s); /* NULL is fine */
/* Equal for sets that are the same, whatever directory their paths begin in. */
struct sv reg_ruleset_key(const struct reg_ruleset *s);

/*
 * Load it unless that was done. @limits: deadline and memory of its runs.
 * Return: 0, or always the same ERR_*: ERR_RULES with Falco's verdict in reg_ruleset_text(),
 * ERR_USAGE (configuration, filter), ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int reg_ruleset_load(struct reg_ruleset *s, const struct run_options *limits,
				struct error *err);
/* Verdicts on files that did not load, or only with warnings; after loading. */
struct sv reg_ruleset_text(const struct reg_ruleset *s);
/* A run over its rules for the calling thread; after loading. */
MUST_CHECK int reg_ruleset_run(const struct reg_ruleset *s, struct run_sink *const *sinks,
			       size_t count, struct run **out, struct error *err);
/*
 * For results that are kept (kept.h): its rules with their keys, made once; @version: of the
 * program. It may be called by several at once, and so may the others. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int reg_ruleset_keys(struct reg_ruleset *s, const char *version,
				const struct reg_kept_rules **out, struct error *err);
/* What is not there of a capture is wanted; before the first run of wanted rules. */
void reg_ruleset_want(struct reg_ruleset *s, const struct reg_kept *k);
/* A run over the wanted rules alone, which reports all that match. */
MUST_CHECK int reg_ruleset_run_wanted(struct reg_ruleset *s, struct run_sink *const *sinks,
				      size_t count, struct run **out, struct error *err);
/* Is only the first matching rule of an event reported? After loading. */
bool reg_ruleset_first(const struct reg_ruleset *s);
/* How many rules were evaluated by runs of wanted rules, and how many there are. */
void reg_ruleset_spared(const struct reg_ruleset *s, uint64_t *evaluated, uint64_t *rules);
const struct rule *reg_ruleset_rules(const struct reg_ruleset *s, size_t *count);

#endif
