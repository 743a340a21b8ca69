/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of rows in a hash table: what GROUP BY makes of rows, without sorting them. Rows are
 * values of SQLite: the parts of the key, then the arguments of the aggregates. The results are
 * those of SQLite, or there are none: where values or memory do not permit it, a tally fails and
 * says why.
 *
 * Tallies of parts of the rows can be merged. What depends on the order of rows (sums of fractions)
 * is for a tally that was promised all of them in the order of the table.
 * Threads: a tally is used by one thread at a time.
 */
#ifndef QUERY_TALLY_H
#define QUERY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3_context;
struct sqlite3_value;

#define QRY_TALLY_KEYS	 12
#define QRY_TALLY_VALUES 16
#define QRY_TALLY_MEMORY (256ull << 20) /* of all groups, unless the caller says otherwise */

struct qry_tally_options {
	uint64_t memory;	 /* bytes of all groups; 0: QRY_TALLY_MEMORY */
	bool (*stop)(void *arg); /* asked now and then while groups are ordered; or NULL */
	void *arg;
};

struct qry_tally_shape {
	unsigned keys, values;
	bool falls[QRY_TALLY_KEYS]; /* groups come from the largest of this key on */
	/*
	 * n count(*), c count(x), d count(DISTINCT x), m min(x), M max(x), s sum(x), a avg(x), t
	 * total(x); each but n has an argument.
	 */
	char kinds[QRY_TALLY_VALUES];
	bool in_order; /* all rows come, in the order in which SQLite would take them */
};

enum qry_tally_fault {
	QRY_TALLY_FINE,
	QRY_TALLY_ORDER, /* it could be done with all rows in order */
	QRY_TALLY_VALUE, /* not for such values */
	QRY_TALLY_MEMORY_OUT,
	QRY_TALLY_STOPPED,
};

struct qry_tally;

/* Tallies that are to be merged have the same @shape and @seed. Return: NULL without memory. */
struct qry_tally *qry_tally_new(const struct qry_tally_options *opt,
				const struct qry_tally_shape *shape, uint64_t seed);
void qry_tally_free(struct qry_tally *t); /* NULL is fine */
/* A row: keys, and arguments of the aggregates that have one. Return: false: it failed, now or
 * before. */
bool qry_tally_add(struct qry_tally *t, struct sqlite3_value **v, unsigned n);
/* The rows of @from, too, which is of no use after that. Return: likewise. */
bool qry_tally_merge(struct qry_tally *t, struct qry_tally *from);
/* No more rows come: bring the groups in order. Return: likewise. */
bool qry_tally_settle(struct qry_tally *t);
enum qry_tally_fault qry_tally_fault(const struct qry_tally *t);
/* Of a settled one: groups, and their keys and results; of a number that is none: NULL. */
size_t qry_tally_count(const struct qry_tally *t);
void qry_tally_give_key(const struct qry_tally *t, size_t group, unsigned key,
			struct sqlite3_context *ctx);
void qry_tally_give_value(const struct qry_tally *t, size_t group, unsigned value,
			  struct sqlite3_context *ctx);

#endif
