/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite as the files of this folder see it: the library itself, or, in the loadable extension,
 * the functions of the program that loaded it.
 */
#ifndef SQLEXT_SQLITE_H
#define SQLEXT_SQLITE_H

#ifdef VTAB_LOADABLE
#include <sqlite3ext.h>
#pragma GCC visibility push(hidden)
SQLITE_EXTENSION_INIT3
#pragma GCC visibility pop
#else
#include <sqlite3.h>
#endif

#endif
