/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tallies (tally.h) as SQL of a connection may name them:
 *
 * scapula_tally(KEY..., ARGUMENT...) is an aggregate that adds its rows to a tally.
 *
 * scapula_tallied(ID) is a table of a tally's groups in order: columns _k0, _k1 ... and _v0, _v1
 * ...
 *
 * regroup.c writes such SQL; people need not. Threads: those of the connection.
 */
#ifndef QUERY_TALLY_SQL_H
#define QUERY_TALLY_SQL_H

#include "base/error.h"
#include "query/tally.h"

struct sqlite3;

struct qry_tallies; /* of a connection, which owns it */

/* Return: 0, ERR_NOMEM, ERR_DB. */
MUST_CHECK int qry_tallies_register(struct sqlite3 *db, struct qry_tallies **out,
				    struct error *err);
/* Rows of scapula_tally() go to @t, which the caller owns; NULL: there are to be none. */
void qry_tallies_direct(struct qry_tallies *all, struct qry_tally *t);
/* The settled @t as a table, which owns it from here on. Return: its ID. */
int64_t qry_tallies_offer_take(struct qry_tallies *all, struct qry_tally *t);

#endif
