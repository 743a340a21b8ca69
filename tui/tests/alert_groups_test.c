/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and lists of alerts beside what plain SQL says of the same case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "query/tests/many_alerts.h"
#include "tui/alert_groups.h"
#include "tui/alert_list.h"

#define ALERTS 6000u
#define MORE   200u /* that a second reading of the capture finds */
#define PAGE   37

static char path[64];
static struct tui_data *d;

static void write_sql(const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static void drop_case(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[80];

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static int make_case(void **state)
{
	const struct tui_data_options opt = {.case_path = path, .wait = true};
	struct error err = {0};

	(void)state;
	snprintf(path, sizeof(path), P_tmpdir "/scapula-groups.%d.db", (int)getpid());
	drop_case();
	if (many_make(path, ALERTS, &err) < 0 || tui_data_open(&opt, &d, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int remove_case(void **state)
{
	(void)state;
	tui_data_close(d);
	drop_case();
	return 0;
}

static void parse(const char *text, struct tui_alert_filter *f)
{
	struct error err = {0};
	size_t pos;

	*f = (struct tui_alert_filter){0};
	if (tui_alert_filter_add(f, sv_of(text), &pos, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
}

/* --- groups */

static int by_key(const void *x, const void *y)
{
	const struct tui_alert_group *a = x, *b = y;

	return (a->key > b->key) - (a->key < b->key);
}

static void groups_text(const struct tui_alert_groups *g, struct buf *out)
{
	struct tui_alert_group *list = calloc(g->shown->count + 1, sizeof(*list));

	assert_non_null(list);
	if (g->shown->count) {
		memcpy(list, g->shown->list, g->shown->count * sizeof(*list));
		qsort(list, g->shown->count, sizeof(*list), by_key);
	}
	for (size_t i = 0; i < g->shown->count; i++)
		buf_addf(out, "%llx %llu %llu %llu %d\n", (unsigned long long)list[i].key,
			 (unsigned long long)list[i].count, (unsigned long long)list[i].first_ts,
			 (unsigned long long)list[i].last_ts, list[i].severity);
	free(list);
}

static void sql_text(enum tui_grouping by, const struct tui_alert_filter *f, struct buf *out)
{
	static const char *const keys[] = {
	    "v.fingerprint_key", "(SELECT min(u.rule_id) FROM rules u WHERE u.name = v.rule)",
	    "ifnull(v.process_id, 0)", "(SELECT min(c.capture_id) FROM captures c)"};
	struct error err = {0};
	sqlite3_stmt *stmt = NULL;
	struct buf sql = {0};

	buf_addf(&sql,
		 "SELECT printf('%%x %%d %%d %%d %%d', %s, count(*), min(ts), max(ts),"
		 " min(severity)) FROM v_alert v WHERE %s GROUP BY %s"
		 " ORDER BY (%s) < 0, %s",
		 keys[by], f->sql.len ? f->sql.p : "1", keys[by], keys[by], keys[by]);
	assert_int_equal(tui_sql_prepare(d, buf_cstr(&sql), &stmt, &err), 0);
	assert_int_equal(qry_bind_arguments(stmt, f->values, f->value_count), SQLITE_OK);
	while (tui_sql_step(d, stmt, &err) > 0) {
		buf_sv(out, tui_sql_view(stmt, 0));
		buf_char(out, '\n');
	}
	sqlite3_finalize(stmt);
	buf_done(&sql);
}

static const char *const filters[] = {"",
				      "prio >= warning",
				      "rule contains container",
				      "rule = 'Seldom seen' or prio = emergency",
				      "not noted",
				      "noted and prio > debug",
				      "verdict = benign",
				      "dir-190",
				      "fd.name = /data/dir-19/x and prio >= error",
				      "proc.name = seldom",
				      "evt.time >= 2023-11-14T22:13:25Z",
				      "host = host",
				      "host = other"};

/* @slices: as little as possible is done at a time. */
static void work(struct tui_alert_groups *g, bool slices)
{
	struct error err = {0};
	bool changed;
	int rc;

	do {
		rc = tui_groups_work(g, slices ? 1 : 0, &changed, &err);
		if (rc < 0)
			fail_msg("%s", err.msg);
	} while (rc > 0);
	assert_true(g->done);
}

static void expect_groups(const struct tui_alert_groups *g, const struct tui_alert_filter *f,
			  const char *text)
{
	struct buf got = {0}, expected = {0};
	uint64_t sum = 0;

	groups_text(g, &got);
	sql_text(g->by, f, &expected);
	if (!sv_eq(buf_view(&got), buf_view(&expected)))
		fail_msg("by %s, '%s':\n%.300s\nexpected:\n%.300s", tui_grouping_names[g->by], text,
			 buf_cstr(&got), buf_cstr(&expected));
	for (size_t i = 0; i < g->shown->count; i++)
		sum += g->shown->list[i].count;
	assert_int_equal(sum, g->alerts);
	buf_done(&got);
	buf_done(&expected);
}

static void compare_all(bool slices)
{
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		struct tui_alert_filter f;
		struct tui_alert_groups g;
		struct error err = {0};

		parse(filters[i], &f);
		tui_groups_init(&g, d, &f);
		for (unsigned by = 0; by < TUI_BY_NOTHING; by++) {
			assert_int_equal(tui_groups_begin(&g, (enum tui_grouping)by, &err), 0);
			work(&g, slices);
			expect_groups(&g, &f, filters[i]);
		}
		tui_groups_done(&g);
		tui_alert_filter_done(&f);
	}
}

static void groups_are_those_that_sql_finds(void **state)
{
	(void)state;
	compare_all(false);
	compare_all(true);
}

static void the_worst_comes_first_and_each_has_an_example(void **state)
{
	struct tui_alert_filter f = {0};
	struct tui_alert_groups g;
	struct error err = {0};

	(void)state;
	tui_groups_init(&g, d, &f);
	for (unsigned by = 0; by < TUI_BY_NOTHING; by++) {
		assert_int_equal(tui_groups_begin(&g, (enum tui_grouping)by, &err), 0);
		work(&g, false);
		for (size_t i = 0; i < g.shown->count; i++) {
			struct tui_alert_group *at = &g.shown->list[i];
			uintptr_t number = (uintptr_t)map_get(&g.shown->index, at->key);

			assert_int_equal(number, i + 1);
			assert_true(!i || at[-1].severity <= at->severity);
			if (i % 50)
				continue;
			assert_int_equal(tui_groups_example(&g, at, &err), 0);
			assert_true(at->alert_id > 0);
		}
	}
	tui_groups_done(&g);
}

/* --- lists */

static int note_row(void *arg, const struct qry_place *p, struct tui_rows *out, struct error *err)
{
	struct buf *b = arg;

	(void)out, (void)err;
	buf_addf(b, "%lld\n", (long long)p->alert_id);
	return 0;
}

/* All pages from one end to the other. */
static void walk(struct tui_alert_list *l, struct buf *out)
{
	struct tui_row_key key = {0};
	enum tui_where where = TUI_FROM_FIRST;
	struct error err = {0};
	size_t before;
	int rc;

	do {
		before = out->len;
		rc = tui_alert_list_ops.page(l, where, key, PAGE, NULL, &err);
		if (rc < 0)
			fail_msg("%s", err.msg);
		if (out->len > before) {
			sqlite3_stmt *stmt = NULL;
			const char *last;
			int64_t id;

			out->len--;
			last = memrchr(out->p, '\n', out->len);
			buf_char(out, '\n');
			id = strtoll(last ? last + 1 : out->p, NULL, 10);
			assert_int_equal(
			    tui_sql_prepare(d, "SELECT ts FROM alerts WHERE alert_id = ?1", &stmt,
					    &err),
			    0);
			assert_int_equal(tui_sql_begin(d, stmt, &id, 1, &err), 0);
			assert_int_equal(tui_sql_step(d, stmt, &err), 1);
			key = (struct tui_row_key){(uint64_t)tui_sql_int(stmt, 0, 0), (uint64_t)id};
			where = TUI_AFTER_KEY;
			sqlite3_finalize(stmt);
		}
	} while (rc > 0 || out->len > before);
}

static void lists_have_each_alert_that_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(filters); i++) {
		struct buf got = {0}, expected = {0}, sql = {0};
		struct tui_alert_list l = {.d = d, .row = note_row, .arg = &got};
		struct tui_alert_filter f;
		sqlite3_stmt *stmt = NULL;
		struct error err = {0};
		uint64_t rows = 0;
		bool exact;

		parse(filters[i / 2], &f);
		tui_alert_filter_apply(&f, &l.query);
		l.reverse = i % 2;
		walk(&l, &got);
		buf_addf(&sql,
			 "SELECT alert_id FROM v_alert v WHERE %s ORDER BY ts %s, alert_id %s",
			 f.sql.len ? f.sql.p : "1", i % 2 ? "DESC" : "ASC", i % 2 ? "DESC" : "ASC");
		assert_int_equal(tui_sql_prepare(d, buf_cstr(&sql), &stmt, &err), 0);
		assert_int_equal(qry_bind_arguments(stmt, f.values, f.value_count), SQLITE_OK);
		for (; tui_sql_step(d, stmt, &err) > 0; rows++)
			buf_addf(&expected, "%lld\n", (long long)tui_sql_int(stmt, 0, 0));
		if (!sv_eq(buf_view(&got), buf_view(&expected)))
			fail_msg("'%s': %zu bytes, expected %zu", filters[i / 2], got.len,
				 expected.len);
		assert_int_equal(tui_alert_list_count(&l, &err), 0);
		if (tui_alert_list_ops.count(&l, &exact) != rows || !exact)
			assert_false(exact); /* a search that took too long */
		sqlite3_finalize(stmt);
		tui_alert_filter_done(&f);
		buf_done(&got);
		buf_done(&expected);
		buf_done(&sql);
	}
}

/* --- more of them */

static void verdicts_and_notes_of_single_alerts_count(void **state)
{
	(void)state;
	write_sql(
	    "UPDATE captures SET sha256 = 'ab';"
	    "INSERT INTO verdicts (author, fingerprint, verdict, reason)"
	    " SELECT 'ada', printf('%016x', fingerprint), 'benign', 'backup' FROM alert_groups"
	    " WHERE fingerprint % 10 = 0");
	compare_all(false);
	write_sql("INSERT INTO verdicts (author, capture_sha256, evt_offset, verdict, reason)"
		  " SELECT 'bob', 'ab', evt_offset, 'true positive', 'seen' FROM alerts"
		  " WHERE fingerprint % 10 = 0 AND alert_id % 50 = 0;"
		  "INSERT INTO notes (author, capture_sha256, evt_offset, text)"
		  " SELECT 'bob', 'ab', evt_offset, 'look' FROM alerts WHERE alert_id % 5000 = 1");
	compare_all(false);
	lists_have_each_alert_that_passes(state);
}

static void what_is_added_joins_and_what_is_shown_stays(void **state)
{
	static const char *const some[] = {"", "dir-190", "prio >= warning"};
	struct tui_alert_filter f[COUNT_OF(some)];
	struct tui_alert_groups g[COUNT_OF(some)][TUI_BY_NOTHING];
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(some); i++) {
		parse(some[i], &f[i]);
		for (unsigned by = 0; by < TUI_BY_NOTHING; by++) {
			tui_groups_init(&g[i][by], d, &f[i]);
			assert_int_equal(tui_groups_begin(&g[i][by], (enum tui_grouping)by, &err),
					 0);
			work(&g[i][by], false);
		}
	}
	/* The same capture again: what was found before is not counted twice. */
	write_sql("UPDATE captures SET sha256 = NULL");
	assert_int_equal(many_make(path, ALERTS + MORE, &err), 0);
	for (size_t i = 0; i < COUNT_OF(some); i++) {
		for (unsigned by = 0; by < TUI_BY_NOTHING; by++) {
			struct tui_alert_groups *at = &g[i][by];
			size_t count = at->shown->count;

			assert_int_equal(tui_groups_update(at, &err), 0);
			assert_int_equal(at->shown->count, count);
			work(at, true);
			expect_groups(at, &f[i], some[i]);
			tui_groups_done(at);
		}
		tui_alert_filter_done(&f[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(groups_are_those_that_sql_finds),
	    cmocka_unit_test(the_worst_comes_first_and_each_has_an_example),
	    cmocka_unit_test(lists_have_each_alert_that_passes),
	    cmocka_unit_test(verdicts_and_notes_of_single_alerts_count),
	    cmocka_unit_test(what_is_added_joins_and_what_is_shown_stays),
	};

	return cmocka_run_group_tests(tests, make_case, remove_case);
}
