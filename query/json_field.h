/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator ->> where it takes one member of a flat JSON object, as output_fields is: SQLite
 * makes a tree of the whole text for each row; this reads over it once. Everything else, and
 * whatever is not usual in a text (escapes in names, nested values, numbers with a fraction,
 * faults), SQLite's own operator is asked for, on a connection of its own, so that results and
 * errors are the same. Threads: those of the connection.
 */
#ifndef QUERY_JSON_FIELD_H
#define QUERY_JSON_FIELD_H

#include "base/error.h"

struct sqlite3;

/* Replaces ->> for statements of @db. Return: 0, ERR_NOMEM, ERR_DB. */
MUST_CHECK int qry_json_field_register(struct sqlite3 *db, struct error *err);

#endif
