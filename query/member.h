/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases inside of archives, read where they are: in a plain tar the bytes of the case itself, of
 * other archives a copy in memory, or in a file without a name if it is large.
 */
#ifndef QUERY_MEMBER_H
#define QUERY_MEMBER_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * Open the database "ARCHIVE//MEMBER" for reading; it cannot change meanwhile, and is not locked.
 * @memory: bytes a copy may have in memory; 0: as arc_set_memory() said. *out is to be closed also
 * on failure. Return: 0, ERR_NOMEM, or as arc_open().
 */
MUST_CHECK int qry_open_member(const char *path, uint64_t memory, sqlite3 **out, struct error *err);
/* The same as a name for ATTACH. Return: 0 or ERR_NOMEM. */
MUST_CHECK int qry_member_uri(struct buf *b, const char *path, uint64_t memory, struct error *err);

#endif
