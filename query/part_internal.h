/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by part.c and assemble*.c: the tables that parts have besides those of a case. */
#ifndef QUERY_PART_INTERNAL_H
#define QUERY_PART_INTERNAL_H

#include "query/internal.h"
#include "query/part.h"

/* Make the tables, unless they are there. */
MUST_CHECK int qry_part_tables(sqlite3 *db, const char *path, struct error *err);
/* Its connection, and its path, both as long as the part is open. */
sqlite3 *qry_part_db(struct qry_part *p, const char **path);
/* Is there any reading of the capture? If not, it goes. */
MUST_CHECK int qry_part_drop_captures(sqlite3 *db, const char *path, struct error *err);

#endif
