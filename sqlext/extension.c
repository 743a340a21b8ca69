/* SPDX-License-Identifier: Apache-2.0 */
/* The loadable extension: its entry point, by the name SQLite makes of scapula_sqlite.so. */
#include <sqlite3ext.h>

#include "sqlext/vtab.h"

SQLITE_EXTENSION_INIT1

__attribute__((visibility("default"))) int
sqlite3_scapulasqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api);

int sqlite3_scapulasqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
	struct error err = {0};

	SQLITE_EXTENSION_INIT2(api);
	if (vtab_register(db, NULL, &err) == 0)
		return SQLITE_OK;
	if (message)
		*message = sqlite3_mprintf("scapula: %s", err.msg);
	return SQLITE_ERROR;
}
