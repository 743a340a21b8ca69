/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_filter.h"

#include <stdlib.h>
#include <string.h>

#include "engine/filter/filter.h"
#include "engine/rules/rules.h"

enum kind { TEXT, NUMBER, PRIORITY, TIME, TAGS, FLAG, JSON };
enum level { GROUP, SAID, ALERT }; /* what can answer */

struct field {
	const char *name, *sql;
	enum kind kind;
	enum level level;
};

static const struct field fields[] = {
#define FIELD(name, words, kind, level, sql, help) {name, sql, kind, level},
#include "tui/alert_fields.def"
#undef FIELD
};

struct parse { /* of one condition */
	struct tui_alert_filter *f;
	struct error *err;
	struct flt_pos pos; /* of what is wrong */
	unsigned tests;
	bool negated; /* indexes know the opposite */
};

static int fail(struct parse *p, struct flt_pos pos, int rc)
{
	p->pos = pos;
	return rc;
}

/* --- values */

static int add_value(struct parse *p, const char *text, int64_t number)
{
	struct tui_alert_filter *f = p->f;
	size_t cap = f->value_cap ? 2 * f->value_cap : 16;
	struct qry_argument *values;

	if (f->value_count == TUI_ALERT_VALUES_MAX)
		return error_set(p->err, ERR_LIMIT, "more than %d values in a filter",
				 TUI_ALERT_VALUES_MAX);
	if (f->value_count == f->value_cap) {
		values = reallocarray(f->values, cap, sizeof(*values));
		if (!values)
			return error_nomem(p->err);
		f->values = values;
		f->value_cap = cap;
	}
	f->values[f->value_count++] = (struct qry_argument){text, number};
	return 0;
}

/* The text as a parameter, in the SQL too. */
static int put_text(struct parse *p, struct sv text)
{
	char *copy = arena_strndup(&p->f->arena, text.p, text.n);
	int rc = copy ? add_value(p, copy, 0) : error_nomem(p->err);

	buf_addf(&p->f->sql, "?%d", QRY_FIRST_ARGUMENT - 1 + (int)p->f->value_count);
	return rc;
}

static int put_number(struct parse *p, int64_t n)
{
	int rc = add_value(p, NULL, n);

	buf_addf(&p->f->sql, "?%d", QRY_FIRST_ARGUMENT - 1 + (int)p->f->value_count);
	return rc;
}

/* --- operands */

static int find_field(struct parse *p, const struct flt_expr *e, struct field *out)
{
	struct buf name = {0};
	struct sv whole;
	const char *path;

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (!e->has_arg && sv_is(e->text, fields[i].name)) {
			*out = fields[i];
			return 0;
		}
	}
	buf_sv(&name, e->text);
	if (e->has_arg)
		buf_addf(&name, "[%.*s]", (int)e->arg.n, e->arg.p);
	whole = buf_view(&name);
	if (!flt_field_find(whole)) {
		(void)error_set(p->err, ERR_COMPILE,
				"alerts have no field '%s'; own ones: alert.rule, alert.priority, "
				"alert.verdict ...",
				buf_cstr(&name));
		buf_done(&name);
		return fail(p, e->pos, ERR_COMPILE);
	}
	if (memchr(whole.p, '"', whole.n) || memchr(whole.p, '\\', whole.n)) {
		buf_done(&name);
		return fail(p, e->pos,
			    error_set(p->err, ERR_COMPILE, "such a name is in no output"));
	}
	path = arena_strndup(&p->f->arena, buf_cstr(&name), name.len);
	buf_done(&name);
	*out = (struct field){.name = path, .kind = JSON, .level = ALERT};
	return path ? 0 : error_nomem(p->err);
}

/* The field of @e, with what transforms it around. */
static int put_field(struct parse *p, const struct flt_expr *e, const struct field *f)
{
	struct buf path = {0};
	int rc;

	if (f->sql) {
		buf_str(&p->f->sql, f->sql);
		return 0;
	}
	(void)e;
	buf_lit(&p->f->sql, "CAST(v.output_fields ->> ");
	buf_addf(&path, "$.\"%s\"", f->name);
	rc = path.failed ? error_nomem(p->err) : put_text(p, buf_view(&path));
	buf_done(&path);
	buf_lit(&p->f->sql, " AS TEXT)");
	return rc;
}

/* The field that the left side is about; *@around: the SQL function that stands around it. */
static int left_field(struct parse *p, const struct flt_expr *e, const char **around,
		      struct field *out)
{
	*around = "";
	if (e->kind == FLT_EXPR_TRANSFORM && e->count == 1 && !e->has_arg &&
	    (sv_is(e->text, "tolower") || sv_is(e->text, "toupper"))) {
		*around = sv_is(e->text, "tolower") ? "lower" : "upper";
		e = e->items[0];
	}
	if (e->kind != FLT_EXPR_FIELD)
		return fail(
		    p, e->pos,
		    error_set(p->err, ERR_COMPILE,
			      "filters of alerts have fields, tolower() and toupper() only"));
	return find_field(p, e, out);
}

/* A value as the field's kind has it. */
static int put_value(struct parse *p, const struct field *f, const struct flt_expr *v)
{
	const char *what = f->kind == PRIORITY ? "a priority such as warning"
			   : f->kind == TIME   ? "a time such as 11:04:17 or 2026-03-02T11:04:17Z"
					       : "true or false";
	int64_t n;
	bool ok;

	if (v->kind != FLT_EXPR_VALUE)
		return fail(p, v->pos,
			    error_set(p->err, ERR_COMPILE,
				      "filters of alerts compare with values, not with fields"));
	if (f->kind == TEXT || f->kind == TAGS || f->kind == JSON)
		return put_text(p, v->text);
	if (f->kind == NUMBER) {
		int rc;

		buf_lit(&p->f->sql, "CAST(");
		rc = put_text(p, v->text);
		buf_lit(&p->f->sql, " AS NUMERIC)");
		return rc;
	}
	if (f->kind == FLAG) {
		n = sv_is(v->text, "true");
		ok = n || sv_is(v->text, "false");
	} else {
		ok = f->kind == PRIORITY ? tui_priority_value(v->text, &n)
					 : tui_time_value(v->text, &n);
	}
	return ok ? put_number(p, n)
		  : fail(p, v->pos,
			 error_set(p->err, ERR_COMPILE, "'%.*s': expected %s",
				   (int)(v->text.n < 40 ? v->text.n : 40), v->text.p, what));
}

/* --- comparisons */

/* "rule = 'x'" is how indexes know it; so are severities and times. */
struct comparison {
	const struct flt_node *n;
	const char *around;
	struct field field;
};

static int put_left(struct parse *p, const struct comparison *c)
{
	int rc;

	buf_addf(&p->f->sql, "%s(", c->around);
	rc = put_field(p, c->n->left, &c->field);
	buf_char(&p->f->sql, ')');
	return rc;
}

static bool is_time_of_day(const struct field *f, const struct flt_expr *v)
{
	int64_t ns;

	return f->kind == TIME && v->kind == FLT_EXPR_VALUE && tui_time_value(v->text, &ns) &&
	       ns < TUI_NS_PER_DAY;
}

/* "left OP value" with an operator of SQL. */
static int put_sign(struct parse *p, const struct comparison *c, const char *sign,
		    const struct flt_expr *v)
{
	const bool amount = c->field.kind == JSON && strchr("<>", *sign) && strcmp(sign, "<>") != 0;
	int rc;

	buf_str(&p->f->sql, amount ? "CAST(" : "");
	rc = put_left(p, c);
	buf_str(&p->f->sql, amount ? " AS NUMERIC)" : "");
	if (is_time_of_day(&c->field, v))
		buf_addf(&p->f->sql, " %% %lld", TUI_NS_PER_DAY);
	buf_addf(&p->f->sql, " %s %s", sign, amount ? "CAST(" : "");
	if (rc == 0)
		rc = put_value(p, &c->field, v);
	buf_str(&p->f->sql, amount ? " AS NUMERIC)" : "");
	return rc;
}

/* "left FUNCTION value": what SQL has no sign for. @1 stands for the left side, @2 for the value.
 */
static int put_pattern(struct parse *p, const struct comparison *c, const char *pattern,
		       const struct flt_expr *v)
{
	struct buf *sql = &p->f->sql;
	int rc = 0;

	if (c->field.kind != TEXT && c->field.kind != JSON && c->field.kind != TAGS)
		return fail(p, c->n->left->pos,
			    error_set(p->err, ERR_COMPILE,
				      "'%s' is no text: compare it with = or <", c->field.name));
	for (const char *s = pattern; *s && rc == 0; s++) {
		if (*s != '@')
			buf_char(sql, *s);
		else if (*++s == '1')
			rc = put_left(p, c);
		else
			rc = put_value(p, &c->field, v);
	}
	return rc;
}

static int put_one(struct parse *p, const struct comparison *c, const struct flt_expr *v)
{
	static const char *const signs[FLT_OP_COUNT] = {
	    [FLT_OP_EQ] = "=", [FLT_OP_NE] = "<>", [FLT_OP_LT] = "<", [FLT_OP_LE] = "<=",
	    [FLT_OP_GT] = ">", [FLT_OP_GE] = ">=", [FLT_OP_IN] = "=", [FLT_OP_INTERSECTS] = "="};
	/* Worse is a smaller number. */
	static const char *const turned[FLT_OP_COUNT] = {
	    [FLT_OP_LT] = ">", [FLT_OP_LE] = ">=", [FLT_OP_GT] = "<", [FLT_OP_GE] = "<="};
	static const char *const patterns[FLT_OP_COUNT] = {
	    [FLT_OP_CONTAINS] = "instr(@1, @2) > 0",
	    [FLT_OP_ICONTAINS] = "instr(lower(@1), lower(@2)) > 0",
	    [FLT_OP_STARTSWITH] = "substr(@1, 1, length(@2)) = @2",
	    [FLT_OP_ENDSWITH] = "substr(@1, -length(@2), length(@2)) = @2",
	    [FLT_OP_GLOB] = "@1 GLOB @2",
	    [FLT_OP_IGLOB] = "lower(@1) GLOB lower(@2)",
	    [FLT_OP_PMATCH] = "(@1 = @2 OR substr(@1, 1, length(@2) + 1) = @2 || '/')",
	};
	enum flt_op op = c->n->op;

	if (c->field.kind == PRIORITY && turned[op])
		return put_sign(p, c, turned[op], v);
	if (signs[op])
		return put_sign(p, c, signs[op], v);
	if (patterns[op])
		return put_pattern(p, c, patterns[op], v);
	return fail(p, c->n->pos,
		    error_set(p->err, ERR_COMPILE,
			      "'%s' is not for alerts: use contains, startswith, endswith, glob or "
			      "in",
			      flt_op_text(op)));
}

/* With one value, or a list of them. */
static int put_values(struct parse *p, const struct comparison *c)
{
	const struct flt_expr *right = c->n->right;
	const char *join = c->n->modifier == FLT_MOD_ALLOF ? " AND " : " OR ";
	int rc = 0;

	if (right->kind != FLT_EXPR_LIST)
		return put_one(p, c, right);
	if (!right->count)
		buf_char(&p->f->sql, '0');
	p->tests += right->count;
	if (p->tests > TUI_ALERT_TESTS_MAX)
		return fail(p, right->pos,
			    error_set(p->err, ERR_LIMIT, "more than %d comparisons in a filter",
				      TUI_ALERT_TESTS_MAX));
	for (uint32_t i = 0; i < right->count && rc == 0; i++) {
		buf_str(&p->f->sql, i ? join : "");
		rc = put_one(p, c, right->items[i]);
	}
	return rc;
}

/* Some tag of the rule compares so. */
static int put_tags(struct parse *p, const struct comparison *c)
{
	struct comparison tag = *c;
	int rc;

	tag.field.sql = "t.value";
	buf_lit(&p->f->sql, "EXISTS (SELECT 1 FROM json_each(v.tags) t WHERE ");
	rc = put_values(p, &tag);
	buf_char(&p->f->sql, ')');
	return rc;
}

static void note_level(struct parse *p, enum level level)
{
	p->f->asks_alerts |= level == ALERT;
	p->f->asks_said |= level == SAID;
}

/* What is absent compares with nothing. */
static int put_check(struct parse *p, const struct flt_node *n)
{
	struct comparison c = {.n = n};
	int rc = left_field(p, n->left, &c.around, &c.field);

	if (rc < 0)
		return rc;
	note_level(p, c.field.level);
	buf_lit(&p->f->sql, "ifnull((");
	if (n->op == FLT_OP_EXISTS) {
		rc = put_left(p, &c);
		if (c.field.kind != FLAG)
			buf_lit(&p->f->sql, " IS NOT NULL");
	} else if (c.field.kind == TAGS) {
		rc = put_tags(p, &c);
	} else {
		rc = put_values(p, &c);
	}
	buf_lit(&p->f->sql, "), 0)");
	return rc;
}

/* A part of the rule's name or of the message, whatever the case of ASCII letters. */
static int put_words(struct parse *p, struct sv text)
{
	int at, rc;

	buf_lit(&p->f->sql, "(instr(lower(v.rule), lower(");
	rc = put_text(p, text);
	at = QRY_FIRST_ARGUMENT - 1 + (int)p->f->value_count;
	buf_addf(&p->f->sql, ")) > 0 OR ifnull(instr(lower(v.output), lower(?%d)) > 0, 0))", at);
	note_level(p, ALERT);
	return rc;
}

static int put_macro(struct parse *p, const struct flt_node *n)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (fields[i].kind == FLAG && sv_is(n->name, fields[i].name + strlen("alert."))) {
			buf_str(&p->f->sql, fields[i].sql);
			note_level(p, fields[i].level);
			return 0;
		}
	}
	return put_words(p, n->name);
}

static int put_node(struct parse *p, const struct flt_node *n)
{
	const char *join = n->kind == FLT_OR ? " OR " : " AND ";
	int rc = 0;

	if (++p->tests > TUI_ALERT_TESTS_MAX)
		return fail(p, n->pos,
			    error_set(p->err, ERR_LIMIT, "more than %d comparisons in a filter",
				      TUI_ALERT_TESTS_MAX));
	switch (n->kind) {
	case FLT_CHECK:
		return put_check(p, n);
	case FLT_MACRO:
		return put_macro(p, n);
	case FLT_NOT:
		buf_lit(&p->f->sql, "NOT ");
		/* fallthrough */
	default:
		buf_char(&p->f->sql, '(');
		for (uint32_t i = 0; i < n->count && rc == 0; i++) {
			buf_str(&p->f->sql, i ? join : "");
			rc = put_node(p, n->kids[i]);
		}
		buf_char(&p->f->sql, ')');
		return rc;
	}
}

/* --- what indexes know */

static void learn_severities(struct tui_alert_filter *f, const struct flt_node *n, int64_t v)
{
	unsigned mask = 0, all = f->severities ? f->severities : (1u << RULE_PRIORITY_COUNT) - 1;

	for (unsigned i = 0; i < RULE_PRIORITY_COUNT; i++) {
		bool is = n->op == FLT_OP_EQ   ? i == v
			  : n->op == FLT_OP_NE ? i != v
			  : n->op == FLT_OP_LT ? i > v
			  : n->op == FLT_OP_LE ? i >= v
			  : n->op == FLT_OP_GT ? i < v
					       : i <= v;

		mask |= (unsigned)is << i;
	}
	/* None is left: the condition says so, too. */
	if (all & mask)
		f->severities = all & mask;
}

static void learn_time(struct tui_alert_filter *f, const struct flt_node *n, int64_t v)
{
	uint64_t ts = (uint64_t)v;

	if (v < TUI_NS_PER_DAY)
		return;
	if ((n->op == FLT_OP_GE || n->op == FLT_OP_GT || n->op == FLT_OP_EQ) && ts > f->from)
		f->from = ts;
	if ((n->op == FLT_OP_LE || n->op == FLT_OP_LT || n->op == FLT_OP_EQ) &&
	    (!f->to || ts < f->to))
		f->to = ts;
}

/* From comparisons that must all hold. */
static void learn(struct tui_alert_filter *f, const struct flt_node *n)
{
	const struct flt_expr *l = n->left, *r = n->right;
	int64_t v;

	if (n->kind == FLT_AND)
		for (uint32_t i = 0; i < n->count; i++)
			learn(f, n->kids[i]);
	if (n->kind != FLT_CHECK || l->kind != FLT_EXPR_FIELD || !r || r->kind != FLT_EXPR_VALUE ||
	    n->op < FLT_OP_EQ || n->op > FLT_OP_GE)
		return;
	if (sv_is(l->text, "alert.rule") && n->op == FLT_OP_EQ && !memchr(r->text.p, 0, r->text.n))
		f->rule = arena_strndup(&f->arena, r->text.p, r->text.n);
	else if (sv_is(l->text, "alert.priority") && tui_priority_value(r->text, &v))
		learn_severities(f, n, v);
	else if (sv_is(l->text, "evt.time") && tui_time_value(r->text, &v))
		learn_time(f, n, v);
}

void tui_alert_filter_apply(const struct tui_alert_filter *f, struct qry_alert_filter *out)
{
	if (!f->sql.len)
		return;
	out->rule = f->rule;
	out->severities = f->severities;
	out->from = f->from;
	out->to = f->to;
	out->condition = f->sql.p;
	out->values = f->values;
	out->value_count = f->value_count;
}

/* --- the text */

static struct sv trimmed(struct sv s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = sv_drop(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Nothing in it is of the language: words to be searched for. */
static bool is_words(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("=<>()\"'", s.p[i], 7))
			return false;
	return true;
}

/* A condition, or what can be none: words. */
static int take_condition(struct parse *p, struct sv text, size_t *pos)
{
	struct tui_short_text s = {0};
	struct flt_node *n = NULL;
	struct arena tree = {0};
	int rc = tui_alert_expand(text, &s, p->err);

	*pos = 0;
	if (rc == 0) {
		rc = flt_parse(buf_view(&s.text), FLT_DEPTH_DEFAULT, &tree, &n, &p->pos, p->err);
		if (rc == ERR_SYNTAX && is_words(text))
			rc = put_words(p, text);
		else if (rc == 0)
			rc = put_node(p, n);
		if (rc == 0 && n && !p->negated)
			learn(p->f, n);
		if (rc < 0)
			*pos = tui_short_place(&s, p->pos.index);
	}
	tui_short_done(&s);
	arena_done(&tree);
	return rc;
}

/* All of it in parentheses, behind what is there already. */
static int add_condition(struct tui_alert_filter *f, struct sv text, bool not, size_t *pos,
			 struct error *err)
{
	struct parse p = {.f = f, .err = err, .negated = not };
	const bool more = f->sql.len != 0;
	int rc;

	buf_str(&f->sql, more ? " AND " : "");
	buf_str(&f->sql, not ? "NOT (" : "(");
	rc = take_condition(&p, text, pos);
	buf_char(&f->sql, ')');
	(void)buf_cstr(&f->sql); /* for SQLite */
	return rc == 0 && f->sql.failed ? error_nomem(err) : rc;
}

int tui_alert_filter_add(struct tui_alert_filter *f, struct sv text, size_t *pos, struct error *err)
{
	struct sv condition = trimmed(text);
	bool not = condition.n && *condition.p == '!';
	int rc;

	*pos = 0;
	if (not )
		condition = trimmed(sv_drop(condition, 1));
	if (!condition.n)
		return 0;
	rc = add_condition(f, condition, not, pos, err);
	*pos += (size_t)(condition.p - text.p);
	return rc;
}

void tui_alert_filter_done(struct tui_alert_filter *f)
{
	buf_done(&f->sql);
	free(f->values);
	arena_done(&f->arena);
	*f = (struct tui_alert_filter){0};
}
