/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures as tables of SQLite, read when they are asked for: events, and threads, processes and
 * descriptors at a moment (docs/sql-over-captures.md). Nothing is imported; what a query asks for
 * decides how much of a capture is read.
 * Units: nanoseconds since the Unix epoch; offsets are bytes of the uncompressed stream.
 * Threads: tables belong to their connection, and are used by one thread at a time as that is.
 */
#ifndef SQLEXT_VTAB_H
#define SQLEXT_VTAB_H

#include <stdbool.h>

#include "base/error.h"
#include "scapfile/scapfile.h"

struct sqlite3;
struct state_stats;

struct vtab_notice { /* a capture is not whole, or not all was followed; borrowed for the call */
	const char *path;
	const struct state_stats *state; /* what was not */
	const struct sf_gap *gaps;	 /* @count of @total */
	size_t count;
	uint64_t total;
};

struct vtab_options {
	bool no_index; /* do not look for indexes of captures */
	size_t memory; /* bytes of the state of a captured host, per walk; 0: those of the state */
	/* Called when a query met damage or losses of a capture for the first time; may be NULL. */
	void (*notice)(void *arg, const struct vtab_notice *n);
	void *notice_arg;
};

/**
 * vtab_register() - make the modules scapula_events, _threads, _processes, _fds and _gaps known
 * @db: stays the caller's; what is registered goes when it is closed
 * @opt: copied; NULL selects the defaults
 * Return: 0, ERR_DB, ERR_NOMEM.
 */
MUST_CHECK int vtab_register(struct sqlite3 *db, const struct vtab_options *opt, struct error *err);
/**
 * vtab_attach() - make the tables events, threads, processes, fds and gaps of @captures
 * @fields: additional columns, fields with arguments ("proc.env[PATH]"), NULL-terminated; or NULL
 *
 * After vtab_register(). The tables are temporary ones: the database is not changed.
 * Return: 0, ERR_DB (with what SQLite or the module says), ERR_NOMEM.
 */
MUST_CHECK int vtab_attach(struct sqlite3 *db, const char *const *captures, size_t count,
			   const char *const *fields, struct error *err);

#endif
