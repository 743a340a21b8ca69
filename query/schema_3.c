/* SPDX-License-Identifier: Apache-2.0 */
/* Version 3 of a case: the texts of the rule files of its runs. All rows of version 2 stay. */
#include "query/internal.h"

const char *const qry_schema_3[] = {
    "CREATE TABLE rule_texts ( -- each text once, whatever the number of runs and names\n"
    "  sha256 TEXT PRIMARY KEY NOT NULL,\n"
    "  text   TEXT NOT NULL\n"
    ") STRICT",
    NULL,
};
