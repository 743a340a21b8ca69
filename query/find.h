/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking an alert up in a case, without changing the case. Units: nanoseconds.
 * Threads: any.
 */
#ifndef QUERY_FIND_H
#define QUERY_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct qry_found_alert {
	uint64_t ts, evt_num;
	bool has_sha256; /* of the capture as stored */
	uint8_t sha256[32];
	char rule[256], path[256]; /* for people: cut if longer */
};

/*
 * Alert @id of the case at @path.
 * Return: 0, ERR_USAGE (there is no such alert), ERR_DB (not a case), ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int qry_find_alert(const char *path, uint64_t id, struct qry_found_alert *out,
			      struct error *err);

#endif
