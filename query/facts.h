/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a capture besides processes and alerts, as rows for the case: each kind is a row
 * of facts.def, whose statement takes the values in order. Rows about the same thing add up, so
 * that whoever finds facts may pass on what it has at any time.
 * Threads: as query.h. Ownership: texts are borrowed for the call.
 */
#ifndef QUERY_FACTS_H
#define QUERY_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/defs.h"
#include "base/error.h"
#include "base/sv.h"

struct qry_writer;

#define QRY_VALUES_MAX 32 /* values of one row */

enum qry_kind {
	QRY_NULL,
	QRY_INT,
	QRY_KEY,  /* of a process that was started: its number in the reading */
	QRY_ID,	  /* of something else that is numbered in the reading */
	QRY_TEXT, /* texts from here on; cut at QRY_TEXT_MAX */
	QRY_JSON, /* a cut would break it: becomes NULL above QRY_TEXT_MAX */
};

struct qry_value {
	enum qry_kind kind;
	int64_t i;
	struct sv s;
};

static inline bool qry_is_text(const struct qry_value *v)
{
	return v->kind >= QRY_TEXT;
}

/* Of something in the reading. */
static inline bool qry_is_number(const struct qry_value *v)
{
	return v->kind == QRY_KEY || v->kind == QRY_ID;
}

static inline struct qry_value qry_int(int64_t i)
{
	return (struct qry_value){.kind = QRY_INT, .i = i};
}

/* SQLite's integers are signed: what does not fit becomes the largest. */
static inline struct qry_value qry_u64(uint64_t u)
{
	return qry_int(u > INT64_MAX ? INT64_MAX : (int64_t)u);
}

/* 0 means "not known" and becomes NULL. */
static inline struct qry_value qry_u64_known(uint64_t u)
{
	return u ? qry_u64(u) : (struct qry_value){0};
}

/* Negative means "not known" and becomes NULL. */
static inline struct qry_value qry_int_known(int64_t i)
{
	return i >= 0 ? qry_int(i) : (struct qry_value){0};
}

static inline struct qry_value qry_text(struct sv s)
{
	return (struct qry_value){.kind = s.p ? QRY_TEXT : QRY_NULL, .s = s};
}

static inline struct qry_value qry_json(struct sv s)
{
	return (struct qry_value){.kind = s.p ? QRY_JSON : QRY_NULL, .s = s};
}

/* A process of this reading, which was started; 0: not known. */
static inline struct qry_value qry_key(uint64_t key)
{
	return key ? (struct qry_value){.kind = QRY_KEY, .i = (int64_t)key} : (struct qry_value){0};
}

/* Another thing that is numbered in this reading, or a process that may be started later. */
static inline struct qry_value qry_id(uint64_t id)
{
	return id ? (struct qry_value){.kind = QRY_ID, .i = (int64_t)id} : (struct qry_value){0};
}

/* An empty text says that nothing is known. */
static inline struct qry_value qry_text_known(struct sv s)
{
	return qry_text(s.n ? s : SV_NONE);
}

enum qry_fact_kind {
#define FACT(sym, doing, sql) QRY_FACT_##sym,
#include "query/facts.def"
#undef FACT
	QRY_FACT_COUNT
};

struct qry_fact {
	enum qry_fact_kind kind;
	unsigned count;
	struct qry_value value[QRY_VALUES_MAX];
};

/* Return: as the calls of query.h. */
MUST_CHECK int qry_add_fact(struct qry_writer *w, const struct qry_fact *f, struct error *err);

#endif
