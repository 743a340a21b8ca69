/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.yaml: what one test of rules is (docs/regression.md, "A test").
 * Units: lines and columns of messages count from 1.
 * Ownership: everything a test points to lives in its arena.
 */
#ifndef REGRESS_TESTFILE_H
#define REGRESS_TESTFILE_H

#include "engine/rules/yaml.h"
#include "regress/alerts.h"

#define REG_TEST_NAME	  "test.yaml"
#define REG_BASELINE_NAME "baseline.jsonl"

#define REG_EXPECT_MAX 4096u /* expectations of a test */
#define REG_LIST_MAX   4096u /* entries of any list in it */

struct reg_match { /* one field that an alert must show */
	struct sv field, value;
	bool glob;   /* '*' in the value is any run of characters */
	bool absent; /* null: the field has no value */
};

struct reg_expect { /* so many alerts like this */
	struct sv rule;
	uint64_t min, max; /* max UINT64_MAX: no limit */
	const struct reg_match *match;
	size_t match_count;
	uint64_t evt; /* 0: any */
	uint32_t line;
};

enum reg_policy { REG_FAIL, REG_WARN, REG_IGNORE };

struct reg_list { /* texts, each NUL-terminated */
	const char **items;
	size_t count;
};

struct reg_rules { /* which rules, and which of their alerts */
	struct reg_list paths;
	const char *config; /* Falco's configuration; or NULL */
	struct reg_list options;
	struct reg_list disable, tags, disable_tags; /* as -D, -t and -T of replay */
	int match_all;				     /* -1: as configured */
	int min_priority;			     /* -1: as configured */
	const char *filter;			     /* or NULL */
};

struct reg_test {
	struct arena arena;
	const char *path; /* of the file */
	const char *dir;  /* it is in; names in it begin there */
	const char *name; /* for people: the directory as it was found */
	const char
	    *trace; /* a path, or "sha256:" and 64 digits; NULL: trace.scap* in the directory */
	uint32_t trace_line;
	struct reg_rules rules;
	const char *engine; /* requirement such as ">=0.40"; NULL: none */
	struct reg_list fields;
	struct reg_expect *expect;
	size_t expect_count;
	enum reg_policy unexpected;
	struct sv *ignore;
	size_t ignore_count;
	uint64_t max_ns_per_evt, max_alerts; /* UINT64_MAX: no limit */
};

/*
 * Read a test out of @text; @path names it in messages, @name names the test.
 * Return: 0 with @t for reg_test_done(); ERR_SYNTAX with file, line and column, ERR_LIMIT,
 * ERR_NOMEM.
 */
MUST_CHECK int reg_test_parse(struct reg_test *t, const char *path, const char *name,
			      struct sv text, struct error *err);
/* The same from a file, or ERR_IO. */
MUST_CHECK int reg_test_read(struct reg_test *t, const char *path, const char *name,
			     struct error *err);
void reg_test_done(struct reg_test *t);

/* Does version @have, such as "0.63.0", satisfy @want: [>=|<=|>|<|=] and up to three numbers?
 * Return: 1, 0, or ERR_SYNTAX. */
int reg_version_meets(const char *have, const char *want);

#endif
