/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of alerts: what each page has beside what plain SQL says, and that indexes give it. */
#include "query/tests/case_helper.h"

#include "query/find_internal.h"
#include "query/tests/many_alerts.h"

#define ALERTS	 50000u
#define PAGE	 50
#define SQL_ROOM 2048

static char many_path[64]; /* a case that all tests look at */

static int make_many(void **state)
{
	struct error err = {0};

	(void)state;
	snprintf(many_path, sizeof(many_path), P_tmpdir "/scapula-find.%d.db", (int)getpid());
	unlink(many_path);
	if (many_make(many_path, ALERTS, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	/* Groups that are benign, and an alert of one of them that is not; an alert of its own. */
	sql_run(many_path,
		"UPDATE captures SET sha256 = 'ab';"
		"INSERT INTO verdicts (author, fingerprint, verdict, reason)"
		" SELECT 'ada', printf('%016x', fingerprint), 'benign', 'backup' FROM alert_groups"
		" WHERE fingerprint % 10 = 0;"
		"INSERT INTO verdicts (author, capture_sha256, evt_offset, verdict, reason)"
		" SELECT 'bob', 'ab', evt_offset, 'true positive', 'seen' FROM alerts"
		" WHERE fingerprint % 10 = 0 AND alert_id % 50 = 0;"
		"INSERT INTO verdicts (author, capture_sha256, evt_offset, verdict, reason)"
		" SELECT 'bob', 'ab', evt_offset, 'benign', 'seen' FROM alerts"
		" WHERE alert_id % 5000 = 1");
	return 0;
}

static int remove_many(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char path[80];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", many_path, ends[i]);
		unlink(path);
	}
	return 0;
}

static int64_t some_fingerprint(void)
{
	return strtoll(sql(many_path, "SELECT fingerprint FROM alerts WHERE alert_id = 9"), NULL,
		       10);
}

/* The same list as a condition on v_alert. */
static void condition(const struct qry_alert_filter *f, char out[SQL_ROOM])
{
	static const char *const verdicts[] = {"1",
					       "verdict IS NULL",
					       "verdict = 'true positive'",
					       "verdict = 'false positive'",
					       "verdict = 'benign'",
					       "verdict = 'undecided'"};
	size_t n = (size_t)snprintf(out, SQL_ROOM, "%s", verdicts[f->verdict]);

#define AND(...) n += (size_t)snprintf(out + n, SQL_ROOM - n, " AND " __VA_ARGS__)
	if (f->rule)
		AND("rule = '%s'", f->rule);
	if (f->text)
		AND("rule LIKE '%%%s%%'", f->text);
	if (f->severities)
		AND("(1 << severity) & %u", f->severities);
	if (f->process_id)
		AND("process_id = %lld", (long long)f->process_id);
	if (f->capture_id)
		AND("capture_id = %lld", (long long)f->capture_id);
	if (f->has_fingerprint)
		AND("fingerprint_key = %lld", (long long)f->fingerprint);
	if (f->output)
		AND("instr(lower(output), lower('%s'))", f->output);
	if (f->comm)
		AND("comm = '%s'", f->comm);
	if (f->container)
		AND("container_id = '%s'", f->container);
	if (f->from)
		AND("ts >= %llu", (unsigned long long)f->from);
	if (f->to)
		AND("ts <= %llu", (unsigned long long)f->to);
#undef AND
}

/* The page, however often the search for it ends before. Numbers of its alerts, as sql() gives
 * them.
 */
static unsigned whole_page(struct qry_browse *b, const struct qry_alert_filter *f,
			   const struct qry_place *after, bool back, struct buf *out)
{
	struct qry_place at = after ? *after : (struct qry_place){0};
	unsigned parts = 0;
	size_t found = 0;
	struct qry_page p;

	do {
		struct buf one = {0};

		OK(qry_browse_page(b, f, &at, back, PAGE - found, &p, err));
		for (size_t i = 0; i < p.count; i++)
			buf_addf(&one, "%lld\n", (long long)p.alerts[i].place.alert_id);
		if (back) { /* in front of what is there */
			buf_sv(&one, buf_view(out));
			buf_reset(out);
		}
		buf_sv(out, buf_view(&one));
		buf_done(&one);
		found += p.count;
		at = p.searched;
		parts++;
	} while (p.partly);
	return parts;
}

/* Return: how many parts it had. */
static unsigned expect_page(struct qry_browse *b, const struct qry_alert_filter *f,
			    const struct qry_place *after, bool back, const char *range)
{
	const char *order = back ? "DESC" : "ASC";
	char where[SQL_ROOM], q[SQL_ROOM + 256];
	struct buf got = {0};
	unsigned parts = whole_page(b, f, after, back, &got);

	condition(f, where);
	snprintf(q, sizeof(q),
		 "SELECT alert_id FROM (SELECT alert_id, ts FROM v_alert WHERE %s%s"
		 " ORDER BY ts %s, alert_id %s LIMIT %d) ORDER BY ts, alert_id",
		 where, range, order, order, PAGE);
	assert_string_equal(got.len ? buf_cstr(&got) : "", sql(many_path, q));
	buf_done(&got);
	return parts;
}

/* Return: in how many parts. */
static unsigned compare_lists(struct qry_browse *b)
{
	struct many_list lists[MANY_LISTS];
	unsigned parts = 0;

	many_lists(lists, some_fingerprint(), ALERTS);
	for (size_t i = 0; i < MANY_LISTS; i++) {
		const struct qry_alert_filter *f = &lists[i].filter;
		const struct qry_place deep = {
		    (int64_t)(MANY_START + (uint64_t)ALERTS * 2 / 5 * MANY_STEP),
		    ALERTS * 2 / 5 + 1};
		char behind[160], before[160];

		snprintf(behind, sizeof(behind), " AND (ts, alert_id) > (%lld, %lld)",
			 (long long)deep.ts, (long long)deep.alert_id);
		snprintf(before, sizeof(before), " AND (ts, alert_id) < (%lld, %lld)",
			 (long long)deep.ts, (long long)deep.alert_id);
		parts += expect_page(b, f, NULL, false, "");
		parts += expect_page(b, f, &deep, false, behind);
		parts += expect_page(b, f, &deep, true, before);
		parts += expect_page(b, f, NULL, true, "");
	}
	return parts;
}

static void every_list_has_the_alerts_that_sql_finds(void **state)
{
	struct qry_browse *b = NULL;

	(void)state;
	OK(qry_browse_open(many_path, &b, err));
	b->search_ns = UINT64_MAX / 4; /* for as long as it takes */
	assert_int_equal(compare_lists(b), 4 * MANY_LISTS);
	b->search_ns = 0; /* one window at a time */
	assert_true(compare_lists(b) > 4 * MANY_LISTS + 20);
	qry_browse_close(b);
}

static void a_search_that_ends_says_how_far_it_came(void **state)
{
	const struct qry_alert_filter f = {.output = "not there"};
	struct qry_browse *b = NULL;
	struct qry_page p;
	uint64_t n;
	bool exact;

	(void)state;
	OK(qry_browse_open(many_path, &b, err));
	b->search_ns = 0;
	OK(qry_browse_page(b, &f, NULL, false, PAGE, &p, err));
	assert_int_equal(p.count, 0);
	assert_true(p.partly);
	assert_true(p.searched.ts > (int64_t)MANY_START);
	assert_true(p.searched.ts < (int64_t)(MANY_START + (uint64_t)ALERTS / 2 * MANY_STEP));
	OK(qry_browse_page(b, &f, NULL, true, PAGE, &p, err));
	assert_true(p.partly);
	assert_true(p.searched.ts > (int64_t)(MANY_START + (uint64_t)ALERTS / 2 * MANY_STEP));
	OK(qry_browse_count(b, &(struct qry_alert_filter){.output = "/data"}, UINT64_MAX, &n,
			    &exact, err));
	assert_false(exact);
	assert_true(n > 100 && n < ALERTS);
	qry_browse_close(b);
}

static void every_list_is_counted_as_sql_counts_it(void **state)
{
	struct many_list lists[MANY_LISTS];
	struct qry_browse *b = NULL;

	(void)state;
	many_lists(lists, some_fingerprint(), ALERTS);
	OK(qry_browse_open(many_path, &b, err));
	b->search_ns = UINT64_MAX / 4;
	for (size_t i = 0; i < MANY_LISTS; i++) {
		char where[SQL_ROOM], q[SQL_ROOM + 64], got[32];
		uint64_t n, few;
		bool exact;

		condition(&lists[i].filter, where);
		snprintf(q, sizeof(q), "SELECT count(*) FROM v_alert WHERE %s", where);
		OK(qry_browse_count(b, &lists[i].filter, UINT64_MAX, &n, &exact, err));
		snprintf(got, sizeof(got), "%llu\n", (unsigned long long)n);
		assert_string_equal(got, sql(many_path, q));
		assert_true(exact);
		OK(qry_browse_count(b, &lists[i].filter, 3, &few, &exact, err));
		assert_true(exact ? few == n : few == 3);
	}
	qry_browse_close(b);
}

static void a_condition_of_the_caller_holds_beside_the_rest(void **state)
{
	const struct qry_argument values[] = {{"%7", 0}, {NULL, 3}};
	const struct qry_alert_filter f = {.severities = 1u << RULE_WARNING,
					   .condition =
					       "v.output LIKE ?10 OR v.alert_id % 10 = ?11",
					   .values = values,
					   .value_count = COUNT_OF(values)};
	struct qry_browse *b = NULL;
	struct qry_page p;
	uint64_t n;
	bool exact;
	char got[32];

	(void)state;
	OK(qry_browse_open(many_path, &b, err));
	b->search_ns = UINT64_MAX / 4;
	OK(qry_browse_count(b, &f, UINT64_MAX, &n, &exact, err));
	snprintf(got, sizeof(got), "%llu\n", (unsigned long long)n);
	assert_string_equal(got, sql(many_path, "SELECT count(*) FROM v_alert WHERE severity = 4"
						" AND (output LIKE '%7' OR alert_id % 10 = 3)"));
	assert_true(exact && n > 10);
	OK(qry_browse_page(b, &f, NULL, false, 3, &p, err));
	assert_int_equal(p.count, 3);
	snprintf(got, sizeof(got), "%lld\n", (long long)p.alerts[2].place.alert_id);
	assert_string_equal(got, sql(many_path, "SELECT alert_id FROM v_alert WHERE severity = 4"
						" AND (output LIKE '%7' OR alert_id % 10 = 3)"
						" ORDER BY ts, alert_id LIMIT 1 OFFSET 2"));
	qry_browse_close(b);
}

static void every_list_comes_from_indexes_in_order(void **state)
{
	struct many_list lists[MANY_LISTS];
	struct qry_browse *b = NULL;
	struct buf plan = {0};

	(void)state;
	many_lists(lists, some_fingerprint(), ALERTS);
	OK(qry_browse_open(many_path, &b, err));
	for (size_t i = 0; i < 2 * MANY_LISTS; i++) {
		const char *text;

		buf_reset(&plan);
		buf_char(&plan, '\n');
		OK(qry_browse_plan(b, &lists[i / 2].filter, i % 2, &plan, err));
		text = buf_cstr(&plan);
		assert_null(strstr(text, "\nUSE TEMP B-TREE"));
		/* Of a name that no process had there are no alerts to be looked at. */
		if (!strstr(lists[i / 2].name, "not there"))
			assert_non_null(strstr(text, "SEARCH a USING"));
		else
			assert_string_equal(text, "\n");
		assert_null(strstr(text, "SCAN a"));
		assert_null(strstr(text, "SCAN v"));
	}
	buf_done(&plan);
	qry_browse_close(b);
}

/* One page after the other meets each alert once. */
static void pages_follow_one_another(void **state)
{
	const struct qry_alert_filter f = {.text = "sensitive", .severities = 0x0f};
	struct qry_place at = {0};
	struct qry_browse *b = NULL;
	struct qry_page p;
	uint64_t n = 0, all;
	bool exact;

	(void)state;
	OK(qry_browse_open(many_path, &b, err));
	OK(qry_browse_count(b, &f, 1, &all, &exact, err));
	do {
		OK(qry_browse_page(b, &f, &at, false, QRY_PAGE_MAX, &p, err));
		for (size_t i = 0; i < p.count; i++) {
			assert_true(p.alerts[i].place.ts >= at.ts);
			assert_non_null(strstr(p.alerts[i].rule, "sensitive"));
			assert_non_null(p.alerts[i].comm);
			assert_true(p.alerts[i].severity < 4);
			at = p.alerts[i].place;
		}
		n += p.count;
	} while (p.count == QRY_PAGE_MAX);
	assert_int_equal(n, all);
	assert_true(all > 2 * QRY_PAGE_MAX);
	qry_browse_close(b);
}

static void what_is_left_without_a_verdict_is_found(void **state)
{
	const struct scratch *s = *state;
	const struct qry_alert_filter f = {.verdict = QRY_VERDICT_NONE};
	struct qry_browse *b = NULL;
	struct buf plan = {0};
	struct qry_page p;

	OK(many_make(s->path, 5000, err));
	sql_run(s->path,
		"INSERT INTO verdicts (author, fingerprint, verdict, reason) SELECT 'ada',"
		" printf('%016x', fingerprint), 'benign', 'x' FROM alert_groups"
		" WHERE fingerprint <> (SELECT fingerprint FROM alerts WHERE alert_id = 4321)");
	OK(qry_browse_open(s->path, &b, err));
	OK(qry_browse_page(b, &f, NULL, false, PAGE, &p, err));
	assert_true(p.count >= 1 && p.count < PAGE);
	assert_int_equal(p.alerts[p.count - 1].fingerprint, p.alerts[0].fingerprint);
	OK(qry_browse_plan(b, &f, false, &plan, err));
	assert_non_null(strstr(buf_cstr(&plan), "alerts_by_fingerprint"));
	buf_done(&plan);
	qry_browse_close(b);
}

/* A second run over the same capture, and one that is not finished. */
static void alerts_are_listed_once_and_only_of_readings_that_count(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_alert_filter f = {.process_id = (1ll << 32) + 5};
	struct qry_browse *b = NULL;
	struct qry_page p;
	uint64_t n;
	bool exact;

	OK(many_make(path, 2000, err));
	OK(many_make(path, 2000, err));
	sql_run(path, "INSERT INTO alerts (run_capture_id, seq, rule_id, ts, evt_num, evt_offset,"
		      " priority) VALUES (9, 1, 1, 5, 1, 1, 0);"
		      "INSERT INTO run_captures (run_capture_id, run_id, capture_id, seq, path)"
		      " VALUES (9, 1, 1, 9, 'x')");
	OK(qry_browse_open(path, &b, err));
	OK(qry_browse_count(b, &(struct qry_alert_filter){.from = 1}, UINT64_MAX, &n, &exact, err));
	assert_int_equal(n, 2000);
	OK(qry_browse_count(b, &(struct qry_alert_filter){0}, 1, &n, &exact, err));
	assert_int_equal(n, 2000);
	/* Shown is the process of the newer reading; either is found. */
	f.process_id += (1ll << 32);
	OK(qry_browse_page(b, &f, NULL, false, PAGE, &p, err));
	for (size_t i = 0; i < p.count; i++)
		assert_int_equal(p.alerts[i].process_id, f.process_id);
	n = p.count;
	f.process_id = (1ll << 32) + 5;
	OK(qry_browse_page(b, &f, NULL, false, PAGE, &p, err));
	assert_int_equal(p.count, n);
	qry_browse_close(b);
}

static void what_cannot_be_listed_is_refused(void **state)
{
	const struct scratch *s = *state;
	struct qry_browse *b = NULL;
	struct error why = {0};
	struct qry_page p;

	sql_run(s->path, "CREATE TABLE t (a)");
	assert_int_equal(qry_browse_open(s->path, &b, &why), ERR_DB);
	assert_non_null(strstr(why.msg, "not a case"));
	sql_run(s->path, "PRAGMA application_id = 1399025772; PRAGMA user_version = 1");
	assert_int_equal(qry_browse_open(s->path, &b, &why), ERR_DB);
	assert_non_null(strstr(why.msg, "schema version 1"));
	OK(qry_browse_open(many_path, &b, err));
	assert_int_equal(qry_browse_page(b, &(struct qry_alert_filter){0}, NULL, false,
					 QRY_PAGE_MAX + 1, &p, &why),
			 ERR_LIMIT);
	qry_browse_close(b);
}

#define FIND_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIND_TEST(every_list_has_the_alerts_that_sql_finds),
	    FIND_TEST(a_search_that_ends_says_how_far_it_came),
	    FIND_TEST(every_list_is_counted_as_sql_counts_it),
	    FIND_TEST(a_condition_of_the_caller_holds_beside_the_rest),
	    FIND_TEST(every_list_comes_from_indexes_in_order),
	    FIND_TEST(pages_follow_one_another),
	    FIND_TEST(what_is_left_without_a_verdict_is_found),
	    FIND_TEST(alerts_are_listed_once_and_only_of_readings_that_count),
	    FIND_TEST(what_cannot_be_listed_is_refused),
	};

	return cmocka_run_group_tests(tests, make_many, remove_many);
}
