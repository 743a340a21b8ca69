/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grouping rows without sorting them, as two things that SQL of a connection may name:
 *
 *   scapula_tally(SHAPE, KEY..., ARGUMENT...)  an aggregate: gathers the groups in a hash table.
 * SHAPE is the number of keys, a colon, and a letter for each aggregate: n count(*), c count(x), m
 * min(x), M max(x), s sum(x), a avg(x); each but n has an argument scapula_tallied(ID)  a table of
 * the groups, by their keys: columns _k0, _k1 ... and _v0 ...
 *
 * regroup.c writes such SQL; people need not. The results are those of GROUP BY, or there are none:
 * where values or memory do not permit it, the aggregate fails and the connection knows that it
 * gave up. Threads: those of the connection.
 */
#ifndef QUERY_TALLY_H
#define QUERY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sqlite3;

#define QRY_TALLY_KEYS	 8
#define QRY_TALLY_VALUES 16
#define QRY_TALLY_MEMORY (256ull << 20) /* of all groups, unless the caller says otherwise */

struct qry_tally_options {
	uint64_t memory;	 /* bytes of all groups; 0: QRY_TALLY_MEMORY */
	bool (*stop)(void *arg); /* asked now and then while groups are ordered; or NULL */
	void *arg;
};

struct qry_tallies; /* of a connection, which owns it */

/* Return: 0, ERR_NOMEM, ERR_DB. */
MUST_CHECK int qry_tally_register(struct sqlite3 *db, const struct qry_tally_options *opt,
				  struct qry_tallies **out, struct error *err);
/* Did a statement since the last call fail only because it cannot be done this way? */
bool qry_tally_gave_up(struct qry_tallies *t);

#endif
