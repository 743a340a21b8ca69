/* SPDX-License-Identifier: Apache-2.0 */
/* A file system for SQLite in which there is one file that never changes. */
#include "query/member.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/buf.h"

#define VFS_NAME "scapula-member"

struct member {
	sqlite3_file base;
	struct arc_file *file;
};

/* ---- the file ---- */

static int member_close(sqlite3_file *f)
{
	arc_close(CONTAINER_OF(f, struct member, base)->file);
	return SQLITE_OK;
}

static int member_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	struct member *m = CONTAINER_OF(f, struct member, base);
	int64_t got = arc_pread(m->file, to, (size_t)n, (uint64_t)at, NULL);

	if (got < 0)
		return SQLITE_IOERR_READ;
	if (got == n)
		return SQLITE_OK;
	memset((char *)to + got, 0, (size_t)(n - got));
	return SQLITE_IOERR_SHORT_READ;
}

static int member_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	(void)f, (void)p, (void)n, (void)at;
	return SQLITE_READONLY;
}

static int member_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	(void)f, (void)n;
	return SQLITE_READONLY;
}

static int member_nothing(sqlite3_file *f, int how)
{
	(void)f, (void)how;
	return SQLITE_OK;
}

static int member_size(sqlite3_file *f, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)arc_size(CONTAINER_OF(f, struct member, base)->file);
	return SQLITE_OK;
}

static int member_is_locked(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int member_control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int member_sector(sqlite3_file *f)
{
	(void)f;
	return 512;
}

static int member_traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = member_close,
    .xRead = member_read,
    .xWrite = member_write,
    .xTruncate = member_truncate,
    .xSync = member_nothing,
    .xFileSize = member_size,
    .xLock = member_nothing,
    .xUnlock = member_nothing,
    .xCheckReservedLock = member_is_locked,
    .xFileControl = member_control,
    .xSectorSize = member_sector,
    .xDeviceCharacteristics = member_traits,
};

/* ---- the file system ---- */

static sqlite3_vfs *ordinary(sqlite3_vfs *v)
{
	return v->pAppData;
}

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct member *m = CONTAINER_OF(f, struct member, base);
	int rc;

	(void)v;
	*m = (struct member){0};
	if (!name || !(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN; /* journals, temporary files: there are none */
	rc = arc_open_random(name, (uint64_t)sqlite3_uri_int64(name, "memory", 0), &m->file, NULL);
	if (rc < 0)
		return rc == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_CANTOPEN;
	m->base.pMethods = &methods;
	if (out)
		*out = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v, (void)name, (void)sync;
	return SQLITE_READONLY;
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	(void)v, (void)name, (void)flags;
	*out = 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *v, const char *name, int n, char *out)
{
	(void)v;
	sqlite3_snprintf(n, out, "%s", name);
	return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *v, int n, char *out)
{
	return ordinary(v)->xRandomness(ordinary(v), n, out);
}

static int vfs_sleep(sqlite3_vfs *v, int us)
{
	return ordinary(v)->xSleep(ordinary(v), us);
}

static int vfs_time(sqlite3_vfs *v, double *out)
{
	return ordinary(v)->xCurrentTime(ordinary(v), out);
}

/* SQLite's list of file systems is the program's; what is in it must stay. */
static bool have_vfs(void)
{
	static sqlite3_vfs vfs = {
	    .iVersion = 1,
	    .szOsFile = sizeof(struct member),
	    .mxPathname = 4096,
	    .zName = VFS_NAME,
	    .xOpen = vfs_open,
	    .xDelete = vfs_delete,
	    .xAccess = vfs_access,
	    .xFullPathname = vfs_full_path,
	    .xRandomness = vfs_randomness,
	    .xSleep = vfs_sleep,
	    .xCurrentTime = vfs_time,
	};

	if (sqlite3_vfs_find(VFS_NAME))
		return true;
	vfs.pAppData = sqlite3_vfs_find(NULL);
	return vfs.pAppData && sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
}

int qry_member_uri(struct buf *b, const char *path, uint64_t memory, struct error *err)
{
	if (!have_vfs())
		return error_nomem(err);
	buf_lit(b, "file:");
	for (; *path; path++) {
		if (strchr("/.-_~", *path) || (*path >= '0' && *path <= '9') ||
		    ((*path | 0x20) >= 'a' && (*path | 0x20) <= 'z'))
			buf_char(b, *path);
		else
			buf_addf(b, "%%%02x", (unsigned char)*path);
	}
	buf_addf(b, "?vfs=" VFS_NAME "&memory=%llu", (unsigned long long)memory);
	return b->failed ? error_nomem(err) : 0;
}

/* Why could it not be opened? */
static int why_not(const char *path, uint64_t memory, sqlite3 *db, struct error *err)
{
	struct arc_file *f;
	int rc = arc_open_random(path, memory, &f, err);

	if (rc < 0)
		return rc;
	arc_close(f);
	return error_set(err, ERR_DB, "cannot open '%s': %s", path,
			 db ? sqlite3_errmsg(db) : "out of memory");
}

int qry_open_member(const char *path, uint64_t memory, sqlite3 **out, struct error *err)
{
	struct buf uri = {0};
	int rc = qry_member_uri(&uri, path, memory, err);

	*out = NULL;
	if (rc < 0) {
		buf_done(&uri);
		return rc;
	}
	/* Nothing can be written there; but what is attached is opened as this is. */
	rc = sqlite3_open_v2(buf_cstr(&uri), out,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
				 SQLITE_OPEN_EXRESCODE,
			     NULL);
	/* The file is opened with its first use. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*out, "PRAGMA temp_store = MEMORY; PRAGMA schema_version", NULL,
				  NULL, NULL);
	buf_done(&uri);
	return rc == SQLITE_CANTOPEN ? why_not(path, memory, *out, err) : 0;
}
