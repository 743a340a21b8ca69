/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of this folder: loading texts and looking at verdicts. Included after
 * cmocka.h. */
#ifndef ENGINE_RULES_TESTS_RULES_TEST_H
#define ENGINE_RULES_TESTS_RULES_TEST_H

#include "engine/rules/rules.h"

struct loaded {
	struct rule_loader *l;
	int rc; /* of the last file */
	struct error err;
	const struct rule_result *result; /* the last one */
};

static inline struct loaded loaded_new(const struct rule_options *opt)
{
	struct loaded x = {0};

	assert_int_equal(rule_loader_new(opt, &x.l, NULL), 0);
	return x;
}

static inline void loaded_add(struct loaded *x, const char *name, const char *text)
{
	size_t count;

	x->rc = rule_loader_text(x->l, name, sv_of(text), &x->err);
	x->result = rule_loader_results(x->l, &count) + count - 1;
}

static inline struct loaded load(const char *text)
{
	struct loaded x = loaded_new(NULL);

	loaded_add(&x, "t.yaml", text);
	return x;
}

static inline void unload(struct loaded *x)
{
	rule_loader_free(x->l);
}

static inline const struct rule_message *find_message(const struct rule_message *list, size_t count,
						      enum rule_code code, const char *part)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].code == code && strstr(list[i].text, part))
			return &list[i];
	return NULL;
}

static inline void print_result(const struct rule_result *r)
{
	struct buf b = {0};

	rule_result_text(&b, r, true);
	print_message("%s", buf_cstr(&b));
	buf_done(&b);
}

static inline const struct rule_message *expect_error(const struct loaded *x, enum rule_code code,
						      const char *part)
{
	const struct rule_message *m =
	    find_message(x->result->errors, x->result->error_count, code, part);

	if (!m || x->rc != ERR_RULES || x->result->ok)
		print_result(x->result);
	assert_int_equal(x->rc, ERR_RULES);
	assert_false(x->result->ok);
	assert_int_equal(x->result->error_count, 1);
	assert_non_null(m);
	return m;
}

static inline const struct rule_message *expect_warning(const struct loaded *x, enum rule_code code,
							const char *part)
{
	const struct rule_message *m =
	    find_message(x->result->warnings, x->result->warning_count, code, part);

	if (!m)
		print_result(x->result);
	assert_non_null(m);
	return m;
}

static inline void expect_ok(const struct loaded *x)
{
	if (x->rc)
		print_result(x->result);
	assert_int_equal(x->rc, 0);
	assert_true(x->result->ok);
}

static inline void expect_clean(const struct loaded *x)
{
	expect_ok(x);
	if (x->result->warning_count)
		print_result(x->result);
	assert_int_equal(x->result->warning_count, 0);
}

/* An engine over what @x holds; the caller frees it. */
static inline struct rule_engine *engine_of(struct loaded *x)
{
	struct rule_engine *e = NULL;

	expect_ok(x);
	assert_int_equal(rule_engine_new(x->l, NULL, 0, &e, &x->err), 0);
	return e;
}

static inline const struct rule *find_rule(const struct rule_engine *e, const char *name)
{
	size_t count;
	const struct rule *rules = rule_engine_rules(e, &count);

	for (size_t i = 0; i < count; i++)
		if (sv_is(rules[i].name, name))
			return &rules[i];
	return NULL;
}

static inline void assert_sv(struct sv got, const char *expected)
{
	if (!sv_is(got, expected))
		print_message("got '%.*s', expected '%s'\n", (int)got.n, got.p, expected);
	assert_true(sv_is(got, expected));
}

#endif
