/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only what is understood completely is taken apart: a statement with a word too many stays as it
 * is. What SQLite itself says of the statement decides whether it is worth it (the plan) and right
 * (the order of bytes must be what compares texts). The inner statement has the words of the
 * statement where they cannot mean anything else; names that it does not know there make it fail to
 * compile.
 */
#include "query/grouping.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "query/alert_scan.h"
#include "query/grouping_plan.h"
#include "query/tokens.h"

#define ITEMS_MAX 64

struct item {
	struct qry_range expr;
	size_t alias; /* a token; 0: none */
};

struct aggregate {
	char kind;		   /* as qry_tally_shape names it */
	struct qry_range argument; /* none for 'n' */
};

struct statement {
	sqlite3 *db;
	struct qry_tokens t;
	struct item items[ITEMS_MAX];
	size_t item_count;
	struct qry_range from, where, group, having, order, limit; /* without their words */
	struct qry_range keys[QRY_TALLY_KEYS]; /* behind those of GROUP BY what follows from them */
	size_t key_count;
	struct aggregate values[QRY_TALLY_VALUES];
	size_t value_count;
	bool one_table;
	bool falls[QRY_TALLY_KEYS]; /* as qry_tally_shape has it */
	struct qry_range first;	    /* of FROM: a table and its other name */
	size_t table, called;	    /* these; 0: it is something else */
};

static bool is(const struct statement *s, size_t at, const char *text)
{
	return qry_token_is(&s->t, at, text);
}

static bool is_one(struct qry_range r, enum qry_token_kind kind, const struct qry_tokens *t)
{
	return r.to - r.from == 1 && t->list[r.from].kind == kind;
}

/* Does it compile? Names in double quotes are not texts while that is asked. */
sqlite3_stmt *qry_grouping_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int texts = 1;

	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, -1, &texts);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, texts, NULL);
	return stmt;
}

/* --- taking a statement apart */

/* Words whose presence alone is too much. */
static bool is_usual(const struct statement *s)
{
	static const char *const words[] = {"UNION",  "INTERSECT", "EXCEPT", "OVER",
					    "FILTER", "WINDOW",	   "COLLATE"};

	for (size_t i = 0; i < s->t.count; i++)
		for (size_t w = 0; w < COUNT_OF(words); w++)
			if (is(s, i, words[w]))
				return false;
	return is(s, 0, "SELECT") && !is(s, 1, "DISTINCT") && !is(s, 1, "ALL");
}

/* The clauses in the order in which they must come; FROM must be there. */
static bool find_clauses(struct statement *s, struct qry_range *select)
{
	struct {
		const char *word;
		struct qry_range *range;
		size_t words;
	} clauses[] = {{"SELECT", select, 1},	{"FROM", &s->from, 1},	   {"WHERE", &s->where, 1},
		       {"GROUP", &s->group, 2}, {"HAVING", &s->having, 1}, {"ORDER", &s->order, 2},
		       {"LIMIT", &s->limit, 1}};
	struct qry_range *open = NULL;
	size_t next = 0, end = s->t.count;

	if (end && is(s, end - 1, ";"))
		end--;
	for (size_t i = 0; i < end; i++) {
		if (is(s, i, "("))
			i = qry_token_closing(&s->t, i, end);
		for (size_t c = next; c < COUNT_OF(clauses); c++) {
			if (!is(s, i, clauses[c].word))
				continue;
			if (clauses[c].words == 2 && !is(s, i + 1, "BY"))
				return false;
			if (open)
				open->to = i;
			open = clauses[c].range;
			*open = (struct qry_range){i + clauses[c].words, end};
			i += clauses[c].words - 1;
			next = c + 1;
			break;
		}
	}
	return s->from.to > s->from.from;
}

/* What stands behind an expression may be its name. */
static void find_alias(const struct statement *s, struct item *it)
{
	size_t last = it->expr.to - 1;
	const struct qry_token *t = &s->t.list[last], *before = t - 1;

	if (it->expr.to - it->expr.from < 2 || (t->kind != QRY_WORD && t->kind != QRY_QUOTED))
		return;
	if (is(s, last - 1, "AS") && it->expr.to - it->expr.from > 2) {
		it->expr.to -= 2;
		it->alias = last;
	} else if (!qry_token_is_keyword(t) &&
		   (before->kind == QRY_SIGN
			? is(s, last - 1, ")")
			: !qry_token_is_keyword(before) || is(s, last - 1, "END"))) {
		it->expr.to--;
		it->alias = last;
	}
}

static bool find_items(struct statement *s, struct qry_range r)
{
	while (r.from < r.to) {
		size_t comma = qry_token_comma(&s->t, r);
		struct item *it = &s->items[s->item_count];

		if (s->item_count == ITEMS_MAX || comma == r.from)
			return false;
		it->expr = (struct qry_range){r.from, comma};
		find_alias(s, it);
		s->item_count++;
		r.from = comma + 1;
	}
	return s->item_count > 0;
}

static const struct item *item_named(const struct statement *s, const struct qry_token *name)
{
	for (size_t i = 0; i < s->item_count; i++)
		if (s->items[i].alias && qry_tokens_equal(&s->t.list[s->items[i].alias], name))
			return &s->items[i];
	return NULL;
}

static bool is_column(const struct statement *s, const struct qry_token *name)
{
	struct buf sql = {0};
	sqlite3_stmt *stmt;

	buf_lit(&sql, "SELECT ");
	buf_sv(&sql, name->text);
	buf_lit(&sql, " FROM ");
	qry_tokens_add(&sql, &s->t, s->from);
	stmt = qry_grouping_prepare(s->db, buf_cstr(&sql));
	sqlite3_finalize(stmt);
	buf_done(&sql);
	return stmt != NULL;
}

/* A number stands for an item, and so does its name if nothing else has it. */
static bool resolve_key(const struct statement *s, struct qry_range *key)
{
	const struct qry_token *t = &s->t.list[key->from];
	const struct item *named;
	size_t n = 0;

	if (key->to == key->from)
		return false;
	if (key->to - key->from > 1 || (t->kind != QRY_NUMBER && t->kind != QRY_WORD))
		return t->kind != QRY_QUOTED || key->to - key->from > 1 || !s->item_count ||
		       is_column(s, t);
	if (t->kind == QRY_WORD) {
		named = item_named(s, t);
		if (named && !is_column(s, t))
			*key = named->expr;
		return true;
	}
	for (size_t i = 0; i < t->text.n && n <= ITEMS_MAX; i++) {
		if (t->text.p[i] < '0' || t->text.p[i] > '9')
			return false;
		n = 10 * n + (size_t)(t->text.p[i] - '0');
	}
	if (n < 1 || n > s->item_count)
		return false;
	*key = s->items[n - 1].expr;
	return true;
}

static bool find_keys(struct statement *s)
{
	struct qry_range r = s->group;

	while (r.from < r.to) {
		size_t comma = qry_token_comma(&s->t, r);

		if (s->key_count == QRY_TALLY_KEYS)
			return false;
		s->keys[s->key_count] = (struct qry_range){r.from, comma};
		if (!resolve_key(s, &s->keys[s->key_count++]))
			return false;
		r.from = comma + 1;
	}
	return true;
}

/* What may stand behind the first table. */
static bool ends_table(const struct statement *s, size_t at)
{
	static const char *const words[] = {",",     "JOIN",	"LEFT", "INNER",
					    "CROSS", "NATURAL", "NOT"};

	if (at >= s->from.to)
		return true;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (is(s, at, words[i]))
			return true;
	return false;
}

static bool is_name(const struct statement *s, size_t at)
{
	const struct qry_token *t = &s->t.list[at];

	return at < s->from.to &&
	       (t->kind == QRY_QUOTED || (t->kind == QRY_WORD && !qry_token_is_keyword(t)));
}

/* [main.] table [[AS] name] */
static void see_first_table(struct statement *s)
{
	size_t at = s->from.from, table;

	if (is(s, at, "main") && is(s, at + 1, "."))
		at += 2;
	table = at;
	if (!is_name(s, at++))
		return;
	if (is(s, at, "AS") && is_name(s, at + 1))
		at++;
	s->called = is_name(s, at) ? at++ : table;
	if (!ends_table(s, at))
		return;
	s->first = (struct qry_range){s->from.from, at};
	s->table = table;
}

static void see_tables(struct statement *s)
{
	s->one_table = true;
	for (size_t i = s->from.from; i < s->from.to; i++)
		if (is(s, i, ",") || is(s, i, "JOIN") || is(s, i, "("))
			s->one_table = false;
	see_first_table(s);
}

/* --- expressions of the outer level */

struct mapped {
	bool key;	/* a key is in it */
	bool compares;	/* and something where the type of its column would matter */
	bool aggregate; /* one is in it */
	bool named;	/* the name of an item */
	bool unsure;	/* it may be something else each time */
};

static bool same(const struct statement *s, struct qry_range a, size_t at)
{
	for (size_t i = 0; a.from + i < a.to; i++)
		if (!qry_tokens_equal(&s->t.list[a.from + i], &s->t.list[at + i]))
			return false;
	return true;
}

/* Nothing before or behind it can take a part of it away. */
static bool is_whole(const struct statement *s, struct qry_range key)
{
	bool call = s->t.list[key.from].kind == QRY_WORD &&
		    !qry_token_is_keyword(&s->t.list[key.from]) && is(s, key.from + 1, "(");

	return key.to - key.from == 1 || (key.to - key.from == 3 && is(s, key.from + 1, ".")) ||
	       (call && qry_token_closing(&s->t, key.from + 1, key.to) == key.to - 1);
}

/* Return: how many tokens of @r make key @k, 0: it does not begin with it. */
static size_t match_key(const struct statement *s, struct qry_range r, size_t start, size_t k)
{
	struct qry_range key = s->keys[k];
	size_t n = key.to - key.from;
	bool free;

	/* t.column is column, where there is but one table. */
	if (s->one_table && n == 1 && is(s, r.from + 1, ".") && r.to - r.from >= 3 &&
	    same(s, key, r.from + 2))
		return 3;
	if (s->one_table && n == 3 && is(s, key.from + 1, ".") && !is(s, r.from + 1, ".") &&
	    same(s, (struct qry_range){key.from + 2, key.to}, r.from))
		return is(s, r.from + 1, "(") ? 0 : 1;
	if (n > r.to - r.from || !same(s, key, r.from))
		return 0;
	if (n == 1 && r.from + 1 < r.to && (is(s, r.from + 1, ".") || is(s, r.from + 1, "(")))
		return 0;
	free = (r.from == start || is(s, r.from - 1, "(") || is(s, r.from - 1, ",")) &&
	       (r.from + n == r.to || is(s, r.from + n, ")") || is(s, r.from + n, ","));
	return free || is_whole(s, key) ? n : 0;
}

static size_t map_key(const struct statement *s, struct qry_range r, size_t start, struct buf *out,
		      struct mapped *m)
{
	for (size_t k = 0; k < s->key_count; k++) {
		size_t n = match_key(s, r, start, k);

		if (!n)
			continue;
		buf_addf(out, "_k%zu ", k);
		m->key = true;
		return n;
	}
	return 0;
}

static char kind_of(const struct statement *s, size_t at)
{
	static const struct {
		const char *name;
		char kind;
	} kinds[] = {{"count", 'c'}, {"min", 'm'}, {"max", 'M'},
		     {"sum", 's'},   {"avg", 'a'}, {"total", 't'}};

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (is(s, at, kinds[i].name))
			return kinds[i].kind;
	return 0;
}

/* Return: the number of the aggregate, new or known; or QRY_TALLY_VALUES. */
static size_t value_of(struct statement *s, char kind, struct qry_range argument)
{
	for (size_t i = 0; i < s->value_count; i++) {
		struct aggregate *a = &s->values[i];

		if (a->kind == kind &&
		    a->argument.to - a->argument.from == argument.to - argument.from &&
		    same(s, argument, a->argument.from))
			return i;
	}
	if (s->value_count < QRY_TALLY_VALUES) {
		s->values[s->value_count++] = (struct aggregate){kind, argument};
		return s->value_count - 1;
	}
	return QRY_TALLY_VALUES;
}

/* Return: how many tokens are an aggregate, 0: none; r.to - r.from + 1: one that cannot be. */
static size_t map_aggregate(struct statement *s, struct qry_range r, struct buf *out,
			    struct mapped *m)
{
	size_t refuse = r.to - r.from + 1, end, n;
	char kind = kind_of(s, r.from);
	struct qry_range in;

	if (!kind || r.from + 1 >= r.to || !is(s, r.from + 1, "("))
		return 0;
	end = qry_token_closing(&s->t, r.from + 1, r.to);
	if (end == r.to)
		return refuse;
	in = (struct qry_range){r.from + 2, end};
	if (kind == 'c' && (in.to == in.from || (in.to - in.from == 1 && is(s, in.from, "*")))) {
		kind = 'n';
		in.to = in.from;
	} else if (kind == 'c' && is(s, in.from, "DISTINCT")) {
		kind = 'd';
		in.from++;
	}
	if ((kind != 'n' && in.to == in.from) || is(s, in.from, "DISTINCT") ||
	    qry_token_comma(&s->t, in) != in.to)
		return refuse;
	n = value_of(s, kind, in);
	if (n == QRY_TALLY_VALUES)
		return refuse;
	buf_addf(out, "_v%zu ", n);
	m->aggregate = true;
	return end + 1 - r.from;
}

/* A function of one row? @unsure: which is not always the same. */
static bool is_plain_function(const struct statement *s, size_t at, bool *unsure)
{
	const struct qry_token *t = &s->t.list[at];
	sqlite3_stmt *stmt = qry_grouping_prepare(
	    s->db,
	    "SELECT count(*), sum(type <> 's'), sum(NOT flags & ?2) FROM pragma_function_list"
	    " WHERE name = lower(?1)");
	bool plain = false;

	if (stmt) {
		sqlite3_bind_text(stmt, 1, t->text.p, (int)t->text.n, SQLITE_STATIC);
		sqlite3_bind_int(stmt, 2, SQLITE_DETERMINISTIC);
		plain = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) > 0 &&
			sqlite3_column_int(stmt, 1) == 0;
		*unsure |= sqlite3_column_int(stmt, 2) != 0;
	}
	sqlite3_finalize(stmt);
	return plain;
}

static bool compares(const struct statement *s, size_t at)
{
	static const char *const words[] = {
	    "=", "==", "<", ">", "<=", ">=", "!=", "<>", "IN", "BETWEEN", "CASE", "IS"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (is(s, at, words[i]))
			return true;
	return false;
}

/* One token that is neither key nor aggregate. Return: false if it has no place there. */
static bool map_token(const struct statement *s, size_t at, struct buf *out, struct mapped *m)
{
	static const char *const refused[] = {"SELECT", "EXISTS", "DISTINCT", "RAISE", "OFFSET"};
	const struct qry_token *t = &s->t.list[at];

	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (is(s, at, refused[i]))
			return false;
	if (t->kind == QRY_QUOTED || is(s, at, "."))
		return false;
	if (t->kind == QRY_WORD && !qry_token_is_keyword(t) &&
	    !(is(s, at + 1, "(") ? is_plain_function(s, at, &m->unsure)
				 : at > 0 && is(s, at - 1, "AS")))
		return false;
	m->compares |= compares(s, at);
	buf_sv(out, t->text);
	buf_char(out, ' ');
	return true;
}

/* Write @r as the outer level has it. @names: those of items may be used. */
static bool map_expr(struct statement *s, struct qry_range r, bool names, struct buf *out,
		     struct mapped *m)
{
	const size_t start = r.from;

	while (r.from < r.to) {
		const struct qry_token *t = &s->t.list[r.from];
		size_t n = map_key(s, r, start, out, m);
		const struct item *it;

		if (!n)
			n = map_aggregate(s, r, out, m);
		if (n > r.to - r.from)
			return false;
		it = !n && names && t->kind == QRY_WORD ? item_named(s, t) : NULL;
		if (it && !is(s, r.from + 1, "(") && !is_column(s, t)) {
			buf_lit(out, "( ");
			m->named = true;
			if (!map_expr(s, it->expr, false, out, m))
				return false;
			buf_lit(out, ") ");
		} else if (!n && !map_token(s, r.from, out, m)) {
			return false;
		}
		r.from += n ? n : 1;
	}
	return true;
}

/*
 * Columns of the new table have no types, which comparing would ask for. What follows from keys
 * alone can be found for each row, and is a key then, which divides no group.
 */
static bool map(struct statement *s, struct qry_range r, bool names, struct buf *out)
{
	size_t begin = out->len;
	struct mapped m = {0};

	if (!map_expr(s, r, names, out, &m))
		return false;
	if (!m.key || !m.compares)
		return true;
	if (m.aggregate || m.named || m.unsure || s->key_count == QRY_TALLY_KEYS)
		return false;
	s->keys[s->key_count] = r;
	out->len = begin;
	buf_addf(out, "_k%zu ", s->key_count++);
	return true;
}

/* --- the clauses of the outer level */

static bool map_items(struct statement *s, struct buf *out)
{
	for (size_t i = 0; i < s->item_count; i++) {
		struct item *it = &s->items[i];

		buf_str(out, i ? ", " : "SELECT ");
		if (!map(s, it->expr, false, out))
			return false;
		if (it->alias) {
			buf_lit(out, "AS ");
			buf_sv(out, s->t.list[it->alias].text);
		}
	}
	return true;
}

/* Where the first AND is that divides conditions, or @r.to. */
static size_t and_of(const struct statement *s, struct qry_range r)
{
	size_t and = r.to;

	for (size_t i = r.from; i < r.to; i++) {
		if (is(s, i, "OR") || is(s, i, "BETWEEN") || is(s, i, "CASE"))
			return r.to;
		if (is(s, i, "("))
			i = qry_token_closing(&s->t, i, r.to);
		else if (and == r.to && is(s, i, "AND"))
			and = i;
	}
	return and;
}

static bool map_having(struct statement *s, struct buf *out)
{
	struct qry_range r = s->having;

	for (const char *word = " WHERE "; r.from < r.to; word = "AND ") {
		size_t to = and_of(s, r);

		buf_str(out, word);
		if (to == r.from || !map(s, (struct qry_range){r.from, to}, true, out))
			return false;
		r.from = to + 1;
	}
	return true;
}

/* The tokens at the end of a term that say in which direction. */
static size_t direction(const struct statement *s, struct qry_range r)
{
	size_t end = r.to;

	if (end >= r.from + 3 && is(s, end - 2, "NULLS"))
		end -= 2;
	if (end >= r.from + 2 && (is(s, end - 1, "ASC") || is(s, end - 1, "DESC")))
		end--;
	return end;
}

static bool map_order(struct statement *s, struct buf *out)
{
	struct qry_range r = s->order;

	for (bool first = true; r.from < r.to; first = false) {
		size_t comma = qry_token_comma(&s->t, r);
		struct qry_range term = {r.from, comma}, ending;

		term.to = direction(s, term);
		ending = (struct qry_range){term.to, comma};
		buf_str(out, first ? " ORDER BY " : ", ");
		if (is_one(term, QRY_NUMBER, &s->t) ||
		    (is_one(term, QRY_WORD, &s->t) && item_named(s, &s->t.list[term.from])))
			qry_tokens_add(out, &s->t, term);
		else if (term.to == term.from || !map(s, term, true, out))
			return false;
		qry_tokens_add(out, &s->t, ending);
		r.from = comma + 1;
	}
	return true;
}

/*
 * Where there are as many terms of ORDER BY as keys, SQLite groups by the keys in those directions.
 * It shows in the order of rows that ORDER BY finds equal.
 */
static void find_directions(struct statement *s)
{
	bool falls[QRY_TALLY_KEYS] = {false};
	struct qry_range r = s->order;
	size_t n = 0;

	for (; r.from < r.to; n++) {
		size_t comma = qry_token_comma(&s->t, r);

		if (n < QRY_TALLY_KEYS)
			falls[n] = is(s, direction(s, (struct qry_range){r.from, comma}), "DESC");
		r.from = comma + 1;
	}
	if (n == s->key_count)
		memcpy(s->falls, falls, sizeof(falls));
}

/* --- the inner level */

static bool is_first(const struct statement *s, const char *name)
{
	return s->table && is(s, s->table, name);
}

static void write_from(const struct statement *s, bool scan, bool part, struct buf *out)
{
	buf_lit(out, " FROM ");
	if (scan) {
		buf_addf(out, "(%s%s) AS ", qry_alert_scan_sql,
			 part ? " AND a.alert_id BETWEEN scapula_from() AND scapula_to()" : "");
		buf_sv(out, s->t.list[s->called].text);
		buf_char(out, ' ');
		qry_tokens_add(out, &s->t, (struct qry_range){s->first.to, s->from.to});
	} else {
		qry_tokens_add(out, &s->t, s->from);
	}
}

static void write_where(const struct statement *s, bool scan, bool part, struct buf *out)
{
	bool given = s->where.to > s->where.from;

	if (given) {
		buf_lit(out, " WHERE (");
		qry_tokens_add(out, &s->t, s->where);
		buf_char(out, ')');
	}
	if (part && !scan) {
		buf_str(out, given ? " AND " : " WHERE ");
		buf_sv(out, s->t.list[s->called].text);
		buf_lit(out, ".rowid BETWEEN scapula_from() AND scapula_to()");
	}
}

/* @scan: through alert_scan.h. */
static void write_inner(const struct statement *s, bool scan, bool part, struct buf *out)
{
	bool first = true;

	buf_lit(out, "SELECT scapula_tally(");
	for (size_t i = 0; i < s->key_count; i++, first = false) {
		buf_str(out, first ? "" : ", ");
		qry_tokens_add(out, &s->t, s->keys[i]);
	}
	for (size_t i = 0; i < s->value_count; i++) {
		if (s->values[i].kind == 'n')
			continue;
		buf_str(out, first ? "" : ", ");
		qry_tokens_add(out, &s->t, s->values[i].argument);
		first = false;
	}
	buf_char(out, ')');
	write_from(s, scan, part, out);
	write_where(s, scan, part, out);
}

/* Does it ask for what is different in a moment, or on another connection? */
static bool asks_for_now(const struct statement *s)
{
	static const char *const words[] = {"CURRENT_DATE", "CURRENT_TIME",  "CURRENT_TIMESTAMP",
					    "'now'",	    "random",	     "randomblob",
					    "changes",	    "total_changes", "last_insert_rowid"};
	static const char *const clocks[] = {"date",	  "time",      "datetime",
					     "julianday", "unixepoch", "strftime"};
	bool parameter = false, clock = false;

	for (size_t i = 0; i < s->t.count; i++) {
		for (size_t w = 0; w < COUNT_OF(words); w++)
			if (is(s, i, words[w]))
				return true;
		for (size_t w = 0; w < COUNT_OF(clocks); w++)
			clock |= is(s, i, clocks[w]) && is(s, i + 1, "(");
		for (size_t w = 0; w < COUNT_OF(clocks); w++)
			if (is(s, i, clocks[w]) && is(s, i + 1, "(") &&
			    (is(s, i + 2, ")") || (w + 1 == COUNT_OF(clocks) && is(s, i + 3, ")"))))
				return true;
		parameter |= s->t.list[i].kind == QRY_PARAMETER;
	}
	return parameter && clock;
}

static void write_part(const struct statement *s, bool scan, struct qry_grouping *out)
{
	struct qry_range table = {s->first.from, s->table + 1};

	if (!s->table || asks_for_now(s))
		return;
	for (size_t i = s->from.from; i < s->from.to; i++)
		if (is(s, i, "RIGHT") || is(s, i, "FULL"))
			return;
	write_inner(s, scan, true, &out->part);
	for (unsigned last = 0; last < 2; last++) {
		buf_str(&out->bounds, last ? "), (SELECT max(" : "SELECT (SELECT min(");
		buf_lit(&out->bounds, "rowid) FROM ");
		if (scan)
			buf_lit(&out->bounds, "main.alerts");
		else
			qry_tokens_add(&out->bounds, &s->t, table);
	}
	buf_char(&out->bounds, ')');
}

static bool write_statements(struct statement *s, bool scan, struct qry_grouping *out)
{
	struct buf having = {0};
	bool good = map_items(s, &out->before_id) && map_having(s, &having) &&
		    (buf_sv(&out->behind_id, buf_view(&having)), map_order(s, &out->behind_id));

	buf_done(&having);
	if (!good)
		return false;
	buf_lit(&out->before_id, " FROM scapula_tallied(");
	if (s->limit.to > s->limit.from) {
		buf_lit(&out->behind_id, " LIMIT ");
		qry_tokens_add(&out->behind_id, &s->t, s->limit);
	}
	write_inner(s, scan, false, &out->all);
	write_part(s, scan, out);
	return true;
}

static void write_shape(const struct statement *s, struct qry_tally_shape *out)
{
	*out = (struct qry_tally_shape){.keys = (unsigned)s->key_count,
					.values = (unsigned)s->value_count};
	memcpy(out->falls, s->falls, sizeof(out->falls));
	for (size_t i = 0; i < s->value_count; i++)
		out->kinds[i] = s->values[i].kind;
}

/* --- is it worth it? */

/* Is the same found by any connection to the case, and by numbers of rows? */
static bool is_divisible(const struct statement *s, bool scan, const char *sql)
{
	struct buf first = {0};
	struct grouping_plan plan;
	bool good;

	grouping_plan_of(s->db, sql, &plan);
	buf_lit(&first, "SEARCH ");
	if (!scan && s->called == s->table && s->table > s->first.from)
		buf_lit(&first, "main.");
	buf_sv(&first, scan ? SV_LIT("a") : s->t.list[s->called].text);
	buf_lit(&first, " USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n");
	good = grouping_is_of_main(s->db, sql) &&
	       strncmp(buf_cstr(&plan.lines), buf_cstr(&first), first.len) == 0;
	buf_done(&plan.lines);
	buf_done(&first);
	return good;
}

/* Do rows come in the order in which SQLite takes them for the groups of the statement? */
static bool is_in_order(sqlite3 *db, const struct grouping_plan *was, bool scan, const char *sql)
{
	struct grouping_plan is;
	bool same;

	if (scan) /* both look at one alert after the other */
		return was->scans;
	grouping_plan_of(db, sql, &is);
	same = sv_eq(buf_view(&was->lines), buf_view(&is.lines));
	buf_done(&is.lines);
	return same;
}

static bool take_apart(struct statement *s, const char *sql, struct grouping_plan *plan,
		       struct qry_grouping *out)
{
	struct qry_range select = {0};
	bool scan;

	if (!qry_tokens_of(sql, &s->t) || !is_usual(s) || !find_clauses(s, &select))
		return false;
	grouping_plan_of(s->db, sql, plan);
	if (s->group.to == s->group.from ? !plan->scans : !plan->sorts && !plan->jumps)
		return false;
	if (!grouping_is_binary(s->db, sql))
		return false;
	see_tables(s);
	if (!find_items(s, select) || !find_keys(s))
		return false;
	find_directions(s);
	scan = plan->alerts && is_first(s, "v_alert");
	if (!write_statements(s, scan, out))
		return false;
	write_shape(s, &out->shape);
	out->shape.in_order = is_in_order(s->db, plan, scan, buf_cstr(&out->all));
	if (out->part.len && !is_divisible(s, scan, buf_cstr(&out->part)))
		buf_reset(&out->part);
	return s->key_count || scan || out->part.len;
}

bool qry_grouping_of(sqlite3 *db, const char *sql, struct qry_grouping *out)
{
	struct statement *s = calloc(1, sizeof(*s));
	struct grouping_plan plan = {0};
	bool good;

	*out = (struct qry_grouping){0};
	if (!s)
		return false;
	s->db = db;
	good = take_apart(s, sql, &plan, out);
	buf_done(&plan.lines);
	free(s);
	return good && !out->all.failed && !out->part.failed && !out->bounds.failed &&
	       !out->before_id.failed && !out->behind_id.failed;
}

void qry_grouping_done(struct qry_grouping *g)
{
	buf_done(&g->all);
	buf_done(&g->part);
	buf_done(&g->bounds);
	buf_done(&g->before_id);
	buf_done(&g->behind_id);
}
