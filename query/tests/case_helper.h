/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of query/: a scratch directory, SQL with its answer as text, and short ways to
 * write rows. Every helper fails the running test with the library's message.
 */
#ifndef QUERY_TESTS_CASE_HELPER_H
#define QUERY_TESTS_CASE_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "query/internal.h"

#define T0 1700000000000000000u /* 2023-11-14T22:13:20Z */

/* Every call of the library that must succeed goes through here. */
#define OK(call)                                                                                   \
	do {                                                                                       \
		struct error err_ = {0}, *err = &err_;                                             \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, err_.msg);                                       \
	} while (0)

struct scratch { /* a directory, and a case in it */
	char dir[64];
	char path[96];
};

static inline int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	snprintf(s->dir, sizeof(s->dir), P_tmpdir "/scapula-query.XXXXXX");
	if (!mkdtemp(s->dir))
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/t.case.db", s->dir);
	*state = s;
	return 0;
}

static inline int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	DIR *d = opendir(s->dir);
	char path[sizeof(s->dir) + 256];

	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(s->dir);
	free(s);
	return 0;
}

/* Rows as "a|b\n", NULL as "-", from a connection of its own. */
static inline const char *sql(const char *path, const char *text)
{
	static char out[16384];
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int rc;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	out[0] = '\0';
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt) && n < sizeof(out); i++) {
			const unsigned char *v = sqlite3_column_text(stmt, i);

			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i ? "|" : "",
					      v ? (const char *)v : "-");
		}
		if (n < sizeof(out))
			n += (size_t)snprintf(out + n, sizeof(out) - n, "\n");
		assert_true(n < sizeof(out));
	}
	if (rc != SQLITE_DONE)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return out;
}

#define assert_sql(path, text, expected) assert_string_equal(sql(path, text), expected)

static inline void sql_run(const char *path, const char *text)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static inline void assert_consistent(const char *path)
{
	assert_sql(path, "PRAGMA integrity_check", "ok\n");
	assert_sql(path, "PRAGMA foreign_key_check", "");
}

static const struct qry_run test_run = {
    .version = "0.1.0",
    .command = "scapula replay host7.scap",
    .matching = "first",
    .started_ts = T0,
};

static inline struct qry_writer *open_case(const char *path)
{
	struct qry_writer *w = NULL;

	OK(qry_writer_open(path, &test_run, &w, err));
	return w;
}

static inline void close_case(struct qry_writer *w)
{
	OK(qry_writer_close(w, 0, err));
}

static inline struct qry_process a_process(uint64_t key, const char *comm)
{
	return (struct qry_process){
	    .key = key,
	    .pid = (int64_t)(100 + key),
	    .ppid = 1,
	    .vpid = (int64_t)(100 + key),
	    .sid = 100,
	    .origin = QRY_FROM_CLONE,
	    .start_ts = T0 + key,
	    .start_evt = 10 * key,
	    .comm = sv_of(comm),
	    .exe = sv_of(comm),
	    .exepath = sv_of(comm),
	    .cmdline = sv_of(comm),
	    .cwd = SV_LIT("/root"),
	    .container_id = SV_LIT(""),
	    .loginuid = UINT32_MAX,
	};
}

static inline struct qry_exec an_exec(uint64_t key, uint32_t index, const char *comm)
{
	return (struct qry_exec){
	    .process_key = key,
	    .index = index,
	    .ts = T0 + key + index,
	    .evt_num = 10 * key + index,
	    .evt_offset = 1000 * key + index,
	    .comm = sv_of(comm),
	    .exe = sv_of(comm),
	    .exepath = sv_of(comm),
	    .cmdline = sv_of(comm),
	    .cwd = SV_LIT("/tmp"),
	    .args = SV_LIT("[\"-x\"]"),
	};
}

static const struct sv test_tags[] = {{"T1059", 5}, {"shell", 5}};

static inline struct rule a_rule(uint32_t index, const char *name, enum rule_priority priority)
{
	return (struct rule){
	    .index = index,
	    .name = sv_of(name),
	    .desc = SV_LIT("what it means"),
	    .source = SV_LIT("syscall"),
	    .output = SV_LIT("%proc.name ran"),
	    .condition = SV_LIT("spawned_process"),
	    .compiled = SV_LIT("evt.type = execve"),
	    .priority = priority,
	    .tags = test_tags,
	    .tag_count = COUNT_OF(test_tags),
	    .enabled = true,
	    .file = "a.yaml",
	    .line = 7,
	};
}

static inline struct qry_alert an_alert(const struct rule *r, uint64_t key, uint64_t evt_num)
{
	return (struct qry_alert){
	    .rule = r,
	    .ts = T0 + evt_num,
	    .evt_num = evt_num,
	    .evt_offset = 100 * evt_num,
	    .tid = (int64_t)(100 + key),
	    .pid = (int64_t)(100 + key),
	    .process_key = key,
	    .source = SV_LIT("syscall"),
	    .output = SV_LIT("sh ran"),
	    .output_fields = SV_LIT("{\"proc.name\":\"sh\"}"),
	};
}

/* End a capture that was read whole; its SHA-256 is @digest_byte repeated. */
static inline void end_capture(struct qry_writer *w, uint8_t digest_byte)
{
	struct sf_stats st = {.events = 5, .sha256_valid = true};
	struct qry_capture_end e = {.stats = &st, .events = 5};

	memset(st.sha256, digest_byte, sizeof(st.sha256));
	OK(qry_capture_end(w, &e, err));
}

#endif
