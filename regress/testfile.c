/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/testfile.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/human.h"
#include "regress/files.h"

#define VERSION_PARTS 3

struct reader {
	struct reg_test *t;
	struct error *err;
};

typedef const struct rule_yaml_node *node;

static int wrong(const struct reader *r, node at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int wrong(const struct reader *r, node at, const char *fmt, ...)
{
	struct rule_pos pos = at ? at->pos : (struct rule_pos){0};
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(r->err, ERR_SYNTAX, "%s:%u:%u: %s", r->t->path, pos.line + 1,
			 pos.column + 1, text);
}

/* --- values --- */

static int take_text(const struct reader *r, node n, const char *what, const char **out)
{
	if (n->kind != RULE_YAML_SCALAR || !n->text.n)
		return wrong(r, n, "%s: expected a text", what);
	if (memchr(n->text.p, 0, n->text.n))
		return wrong(r, n, "%s: a text without NUL characters is expected", what);
	*out = n->text.p;
	return 0;
}

static int take_number(const struct reader *r, node n, const char *what, uint64_t *out)
{
	if (n->kind == RULE_YAML_SCALAR && human_u64(n->text.p, out))
		return 0;
	return wrong(r, n, "%s: expected a number", what);
}

/* One text, or a list of them. */
static int take_list(const struct reader *r, node n, const char *what, struct reg_list *out)
{
	int rc = 0;

	if (n->kind == RULE_YAML_SEQUENCE && n->count > REG_LIST_MAX)
		return wrong(r, n, "%s: more than %u entries", what, REG_LIST_MAX);
	out->items = arena_zalloc(&r->t->arena, n->count + 1, sizeof(*out->items));
	if (!out->items)
		return error_nomem(r->err);
	if (n->kind == RULE_YAML_SCALAR)
		return take_text(r, n, what, &out->items[out->count++]);
	if (n->kind != RULE_YAML_SEQUENCE)
		return wrong(r, n, "%s: expected a list of texts", what);
	for (const struct rule_yaml_entry *e = n->first; e && rc == 0; e = e->next)
		rc = take_text(r, e->value, what, &out->items[out->count++]);
	return rc;
}

struct word {
	const char *name;
	int value;
};

static int take_word(const struct reader *r, node n, const char *what, const struct word *words,
		     int *out)
{
	for (const struct word *w = words; w->name; w++) {
		if (n->kind == RULE_YAML_SCALAR && sv_is(n->text, w->name)) {
			*out = w->value;
			return 0;
		}
	}
	return wrong(r, n, "%s: expected %s, %s%s%s", what, words[0].name, words[1].name,
		     words[2].name ? " or " : "", words[2].name ? words[2].name : "");
}

/* --- maps: one function per key --- */

struct key {
	const char *name;
	int (*take)(const struct reader *r, node value, void *arg);
};

static int take_map(const struct reader *r, node map, const char *what, const struct key *keys,
		    void *arg)
{
	if (map->kind != RULE_YAML_MAP)
		return wrong(r, map, "%s: expected a map", what);
	for (const struct rule_yaml_entry *e = map->first; e; e = e->next) {
		const struct key *k = keys;
		int rc;

		while (k->name &&
		       !(e->key->kind == RULE_YAML_SCALAR && sv_is(e->key->text, k->name)))
			k++;
		if (!k->name)
			return wrong(r, e->key, "%s: there is no key '%.*s'", what,
				     e->key->text.n > 40 ? 40 : (int)e->key->text.n,
				     e->key->text.p ? e->key->text.p : "");
		if (rule_yaml_get(map, k->name) != e->value)
			return wrong(r, e->key, "%s: '%s' is there twice", what, k->name);
		rc = k->take(r, e->value, arg);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- expectations --- */

struct expect_state {
	struct reg_expect *e;
	bool exactly, ranged;
};

static int expect_rule(const struct reader *r, node n, void *arg)
{
	struct expect_state *s = arg;
	const char *text;
	int rc = take_text(r, n, "rule", &text);

	s->e->rule = n->text;
	return rc;
}

static int expect_exactly(const struct reader *r, node n, void *arg)
{
	struct expect_state *s = arg;
	int rc = take_number(r, n, "exactly", &s->e->min);

	s->e->max = s->e->min;
	s->exactly = true;
	return rc;
}

static int expect_at_least(const struct reader *r, node n, void *arg)
{
	struct expect_state *s = arg;

	s->ranged = true;
	return take_number(r, n, "at_least", &s->e->min);
}

static int expect_at_most(const struct reader *r, node n, void *arg)
{
	struct expect_state *s = arg;

	s->ranged = true;
	return take_number(r, n, "at_most", &s->e->max);
}

static int take_glob(const struct reader *r, node n, struct reg_match *m)
{
	node glob = n->kind == RULE_YAML_MAP && n->count == 1 ? rule_yaml_get(n, "glob") : NULL;

	if (!glob || glob->kind != RULE_YAML_SCALAR)
		return wrong(r, n, "match: expected a value, or {glob: TEXT}");
	m->glob = true;
	m->value = glob->text;
	return 0;
}

static int expect_match(const struct reader *r, node n, void *arg)
{
	struct reg_expect *e = ((struct expect_state *)arg)->e;
	struct reg_match *m;

	if (n->kind != RULE_YAML_MAP)
		return wrong(r, n, "match: expected a map of fields and values");
	if (n->count > REG_FIELDS_MAX)
		return wrong(r, n, "match: more than %u fields", REG_FIELDS_MAX);
	m = arena_zalloc(&r->t->arena, n->count + 1, sizeof(*m));
	if (!m)
		return error_nomem(r->err);
	e->match = m;
	for (const struct rule_yaml_entry *k = n->first; k; k = k->next, m++) {
		int rc = 0;

		if (k->key->kind != RULE_YAML_SCALAR || !k->key->text.n)
			return wrong(r, k->key, "match: expected the name of a field");
		m->field = k->key->text;
		m->absent = k->value->kind == RULE_YAML_NULL;
		if (k->value->kind == RULE_YAML_SCALAR)
			m->value = k->value->text;
		else if (!m->absent)
			rc = take_glob(r, k->value, m);
		if (rc < 0)
			return rc;
		e->match_count++;
	}
	return 0;
}

static int at_evt(const struct reader *r, node n, void *arg)
{
	return take_number(r, n, "evt", &((struct expect_state *)arg)->e->evt);
}

static int expect_at(const struct reader *r, node n, void *arg)
{
	static const struct key keys[] = {{"evt", at_evt}, {NULL, NULL}};

	return take_map(r, n, "at", keys, arg);
}

static int take_expect(const struct reader *r, node n, struct reg_expect *e)
{
	static const struct key keys[] = {
	    {"rule", expect_rule},
	    {"exactly", expect_exactly},
	    {"at_least", expect_at_least},
	    {"at_most", expect_at_most},
	    {"match", expect_match},
	    {"at", expect_at},
	    {NULL, NULL},
	};
	struct expect_state s = {.e = e};
	int rc;

	*e = (struct reg_expect){.max = UINT64_MAX, .line = n->pos.line + 1};
	rc = take_map(r, n, "expect", keys, &s);
	if (rc < 0)
		return rc;
	if (!e->rule.n)
		return wrong(r, n, "expect: an expectation names a rule");
	if (s.exactly && s.ranged)
		return wrong(r, n, "expect: 'exactly' leaves no room for 'at_least' and 'at_most'");
	if (e->min > e->max)
		return wrong(r, n, "expect: 'at_least' is more than 'at_most'");
	if (!s.exactly && !s.ranged)
		e->min = 1;
	return 0;
}

/* --- the test --- */

static int test_requires_engine(const struct reader *r, node n, void *arg)
{
	int rc = take_text(r, n, "engine", &r->t->engine);

	(void)arg;
	if (rc == 0 && reg_version_meets("0", r->t->engine) < 0)
		return wrong(r, n, "engine: expected a version such as \">=0.40\"");
	return rc;
}

static int test_requires_fields(const struct reader *r, node n, void *arg)
{
	(void)arg;
	return take_list(r, n, "fields", &r->t->fields);
}

static int test_requires(const struct reader *r, node n, void *arg)
{
	static const struct key keys[] = {
	    {"engine", test_requires_engine}, {"fields", test_requires_fields}, {NULL, NULL}};

	return take_map(r, n, "requires", keys, arg);
}

static int test_trace(const struct reader *r, node n, void *arg)
{
	(void)arg;
	r->t->trace_line = n->pos.line + 1;
	return take_text(r, n, "trace", &r->t->trace);
}

#define LIST_KEY(name, member)                                                                     \
	static int test_##name(const struct reader *r, node n, void *arg)                          \
	{                                                                                          \
		(void)arg;                                                                         \
		return take_list(r, n, #name, &r->t->member);                                      \
	}
LIST_KEY(rules, rules.paths)
LIST_KEY(options, rules.options)
LIST_KEY(disable, rules.disable)
LIST_KEY(tags, rules.tags)
LIST_KEY(disable_tags, rules.disable_tags)
#undef LIST_KEY

static int test_config(const struct reader *r, node n, void *arg)
{
	(void)arg;
	return take_text(r, n, "config", &r->t->rules.config);
}

static int test_filter(const struct reader *r, node n, void *arg)
{
	(void)arg;
	return take_text(r, n, "filter", &r->t->rules.filter);
}

static int test_matching(const struct reader *r, node n, void *arg)
{
	static const struct word words[] = {{"first", 0}, {"all", 1}, {NULL, 0}};

	(void)arg;
	return take_word(r, n, "matching", words, &r->t->rules.match_all);
}

static int test_min_priority(const struct reader *r, node n, void *arg)
{
	enum rule_priority p;

	(void)arg;
	if (n->kind != RULE_YAML_SCALAR || !rule_priority_parse(n->text, &p))
		return wrong(r, n, "min_priority: expected a priority such as warning");
	r->t->rules.min_priority = (int)p;
	return 0;
}

static int test_expect(const struct reader *r, node n, void *arg)
{
	(void)arg;
	if (n->kind == RULE_YAML_NULL)
		return 0;
	if (n->kind != RULE_YAML_SEQUENCE)
		return wrong(r, n, "expect: expected a list");
	if (n->count > REG_EXPECT_MAX)
		return wrong(r, n, "expect: more than %u expectations", REG_EXPECT_MAX);
	r->t->expect = arena_zalloc(&r->t->arena, n->count + 1, sizeof(*r->t->expect));
	if (!r->t->expect)
		return error_nomem(r->err);
	for (const struct rule_yaml_entry *e = n->first; e; e = e->next) {
		int rc = take_expect(r, e->value, &r->t->expect[r->t->expect_count++]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int test_unexpected(const struct reader *r, node n, void *arg)
{
	static const struct word words[] = {
	    {"fail", REG_FAIL}, {"warn", REG_WARN}, {"ignore", REG_IGNORE}, {NULL, 0}};
	int value = REG_FAIL;
	int rc = take_word(r, n, "unexpected", words, &value);

	(void)arg;
	r->t->unexpected = (enum reg_policy)value;
	return rc;
}

static int test_ignore(const struct reader *r, node n, void *arg)
{
	struct reg_list list = {0};
	int rc = take_list(r, n, "ignore", &list);

	(void)arg;
	if (rc < 0)
		return rc;
	r->t->ignore = arena_zalloc(&r->t->arena, list.count + 1, sizeof(*r->t->ignore));
	if (!r->t->ignore)
		return error_nomem(r->err);
	for (size_t i = 0; i < list.count; i++)
		r->t->ignore[i] = sv_of(list.items[i]);
	r->t->ignore_count = list.count;
	return 0;
}

static int budget_ns(const struct reader *r, node n, void *arg)
{
	(void)arg;
	return take_number(r, n, "max_ns_per_evt", &r->t->max_ns_per_evt);
}

static int budget_alerts(const struct reader *r, node n, void *arg)
{
	(void)arg;
	return take_number(r, n, "max_alerts", &r->t->max_alerts);
}

static int test_budget(const struct reader *r, node n, void *arg)
{
	static const struct key keys[] = {
	    {"max_ns_per_evt", budget_ns}, {"max_alerts", budget_alerts}, {NULL, NULL}};

	return take_map(r, n, "budget", keys, arg);
}

/* Where the trace comes from is for people; any keys. */
static int test_origin(const struct reader *r, node n, void *arg)
{
	(void)arg;
	return n->kind == RULE_YAML_MAP ? 0 : wrong(r, n, "origin: expected a map");
}

static int test_desc(const struct reader *r, node n, void *arg)
{
	const char *text;

	(void)arg;
	return take_text(r, n, "desc", &text);
}

static const struct key test_keys[] = {
    {"desc", test_desc},
    {"requires", test_requires},
    {"trace", test_trace},
    {"rules", test_rules},
    {"config", test_config},
    {"options", test_options},
    {"matching", test_matching},
    {"min_priority", test_min_priority},
    {"disable", test_disable},
    {"tags", test_tags},
    {"disable_tags", test_disable_tags},
    {"filter", test_filter},
    {"expect", test_expect},
    {"unexpected", test_unexpected},
    {"ignore", test_ignore},
    {"budget", test_budget},
    {"origin", test_origin},
    {NULL, NULL},
};

static int read_tree(struct reader *r, struct sv text)
{
	struct rule_pos pos = {0};
	struct error inner = {0};
	node docs;
	int rc = rule_yaml_read(text, &r->t->arena, &docs, &pos, &inner);

	if (rc < 0)
		return error_set(r->err, rc, "%s:%u:%u: %s", r->t->path, pos.line + 1,
				 pos.column + 1, inner.msg);
	if (docs->count != 1)
		return wrong(r, docs->first ? docs->first->next->value : NULL,
			     "expected one YAML document");
	return take_map(r, docs->first->value, "a test", test_keys, NULL);
}

/* "DIRECTORY" of "DIRECTORY/test.yaml", "." of "test.yaml". */
static const char *directory_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return arena_strdup(a, ".");
	return arena_strndup(a, path, slash == path ? 1 : (size_t)(slash - path));
}

int reg_test_parse(struct reg_test *t, const char *path, const char *name, struct sv text,
		   struct error *err)
{
	struct reader r = {.t = t, .err = err};
	int rc;

	*t = (struct reg_test){
	    .rules = {.match_all = -1, .min_priority = -1},
	    .max_ns_per_evt = UINT64_MAX,
	    .max_alerts = UINT64_MAX,
	};
	t->path = arena_strdup(&t->arena, path);
	t->name = arena_strdup(&t->arena, name);
	t->dir = directory_of(&t->arena, path);
	rc = t->path && t->name && t->dir ? read_tree(&r, text) : error_nomem(err);
	if (rc < 0)
		reg_test_done(t);
	return rc;
}

int reg_test_read(struct reg_test *t, const char *path, const char *name, struct error *err)
{
	struct buf text = {0};
	int rc = reg_file_read(path, REG_TEST_FILE_MAX, &text, err);

	if (rc == 0)
		rc = reg_test_parse(t, path, name, buf_view(&text), err);
	buf_done(&text);
	return rc;
}

void reg_test_done(struct reg_test *t)
{
	arena_done(&t->arena);
	*t = (struct reg_test){0};
}

/* --- versions --- */

static bool take_version(const char *text, uint64_t parts[VERSION_PARTS])
{
	memset(parts, 0, VERSION_PARTS * sizeof(*parts));
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		char digits[12] = {0};
		size_t n = strspn(text, "0123456789");

		if (!n || n >= sizeof(digits))
			return false;
		memcpy(digits, text, n);
		if (!human_u64(digits, &parts[i]))
			return false;
		text += n;
		if (!*text)
			return true;
		if (*text++ != '.')
			return false;
	}
	return false;
}

int reg_version_meets(const char *have, const char *want)
{
	size_t n = strspn(want, "<>=");
	struct sv op = sv_make(want, n);
	uint64_t a[VERSION_PARTS], b[VERSION_PARTS];
	int order = 0;

	want += n + strspn(want + n, " ");
	if (!take_version(have, a) || !take_version(want, b))
		return ERR_SYNTAX;
	for (size_t i = 0; i < VERSION_PARTS && !order; i++)
		order = (a[i] > b[i]) - (a[i] < b[i]);
	if (sv_is(op, ">=") || !op.n)
		return order >= 0;
	if (sv_is(op, "<="))
		return order <= 0;
	if (sv_is(op, "=") || sv_is(op, "=="))
		return order == 0;
	if (sv_is(op, ">"))
		return order > 0;
	return sv_is(op, "<") ? order < 0 : ERR_SYNTAX;
}
