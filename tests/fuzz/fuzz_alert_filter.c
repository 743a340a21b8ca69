/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of alerts from arbitrary text: an error with a place in it, or SQL that runs, that finds
 * no more than indexes do, and that an alert passes or else passes its opposite.
 */
#include <stdlib.h>

#include "tui/tests/alert_rows.h"

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)
#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(sqlite3 *db, struct sv text, unsigned *out)
{
	struct tui_alert_filter f = {0};
	struct error err = {0};
	size_t pos;
	bool ok = tui_alert_filter_add(&f, text, &pos, &err) == 0;

	REQUIRE(pos <= text.n);
	REQUIRE(ok || err.msg[0]);
	if (ok) {
		*out = alert_rows_passing(db, &f, false);
		REQUIRE(*out != ALERT_ROWS_FAILED);
		REQUIRE(alert_rows_passing(db, &f, true) == *out);
	}
	tui_alert_filter_done(&f);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static sqlite3 *db;
	struct sv text = sv_make(data, size < TEXT_MAX ? size : TEXT_MAX), bare = text;
	struct buf not = {0};
	unsigned pass, fail;

	if (!db) {
		REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
		REQUIRE(sqlite3_exec(db, alert_rows, NULL, NULL, NULL) == SQLITE_OK);
	}
	while (bare.n && (*bare.p == ' ' || *bare.p == '\t'))
		bare = sv_drop(bare, 1);
	buf_char(&not, '!');
	buf_sv(&not, text);
	if (take(db, text, &pass) && bare.n && *bare.p != '!') {
		REQUIRE(take(db, buf_view(&not ), &fail));
		REQUIRE((pass ^ fail) == (1u << ALERT_ROWS) - 1);
	}
	buf_done(&not );
	return 0;
}
