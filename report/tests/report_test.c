/* SPDX-License-Identifier: Apache-2.0 */
/* What sinks of reports stand on: JSON in rows, ATT&CK tags, trees, times, escaped texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/escape.h"
#include "query/query.h"
#include "report/report.h"

/* --- JSON */

static void assert_members(const char *text, const char *want)
{
	struct buf got = {0};
	struct rep_json j;

	rep_json_open(&j, sv_of(text));
	while (rep_json_next(&j)) {
		buf_addf(&got, "%d:%.*s=", (int)j.kind, (int)j.name.n, j.name.n ? j.name.p : "");
		buf_sv(&got, j.value);
		buf_char(&got, ';');
	}
	assert_string_equal(buf_cstr(&got), want);
	assert_false(rep_json_next(&j));
	rep_json_done(&j);
	buf_done(&got);
}

static void members_of_json_come_decoded_and_numbers_as_they_stand(void **state)
{
	(void)state;
	assert_members("{\"a\": \"x\\n\\u0041\\ud83d\\ude00\\/\", \"b\":18446744073709551615}",
		       "3:a=x\nA\xf0\x9f\x98\x80/;2:b=18446744073709551615;");
	assert_members("[null, true,false ,-0.5e+3]", "0:=null;1:=true;1:=false;2:=-0.5e+3;");
	assert_members(" { } ", "");
	assert_members("{\"a\":{\"b\":[\"}\"]},\"c\":1}", "4:a={\"b\":[\"}\"]};2:c=1;");
	assert_members("[\"\\ud800x\"]", "3:=\xef\xbf\xbdx;");
}

static void a_walk_ends_where_json_does(void **state)
{
	static const char *const broken[] = {
	    "",	    "x",       "{\"a\"",    "{\"a\":}",	     "[01]",	  "[1.]",  "[1e]",
	    "[-]",  "[\"a]",   "[\"\\q\"]", "[\"\\u00g0\"]", "{\"a\" 1}", "[tru]", "{a:1}",
	    "[,1]", "[{\"a\"", "[\"\\",	    "[\"\\u12",	     "{\"a\":\"b"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		assert_members(broken[i], "");
	assert_members("[1 2]", "2:=1;");
	assert_members("[1,]", "2:=1;");
}

static void nesting_of_json_has_a_limit(void **state)
{
	struct buf deep = {0};

	(void)state;
	buf_char(&deep, '[');
	for (int i = 0; i < 100000; i++)
		buf_char(&deep, '[');
	for (int i = 0; i < 100001; i++)
		buf_char(&deep, ']');
	assert_members(buf_cstr(&deep), "");
	buf_done(&deep);
}

/* --- ATT&CK */

static void tags_name_techniques_and_tactics_in_several_ways(void **state)
{
	struct rep_attack a;

	(void)state;
	rep_attack_of(
	    SV_LIT("[\"T1059.004\",\"T1059.004\",\"attack.t1003\",\"mitre_lateral_movement\","
		   "\"TA0011\",\"attack.command-and-control\",\"T105\",\"T1059.04\","
		   "\"t1070\",\"process\",\"mitre_nonsense\",7]"),
	    &a);
	assert_int_equal(a.techniques, 2);
	assert_string_equal(a.technique[0], "T1059.004");
	assert_string_equal(a.technique[1], "T1003");
	assert_int_equal(a.tactics, 2);
	assert_string_equal(a.tactic[0]->id, "TA0008");
	assert_string_equal(a.tactic[1]->id, "TA0011");
	rep_attack_of(SV_LIT("no JSON"), &a);
	assert_int_equal(a.techniques + a.tactics, 0);
}

static void no_more_techniques_than_there_is_room_for(void **state)
{
	struct buf tags = {0};
	struct rep_attack a;

	(void)state;
	for (int i = 0; i < 2 * REP_TECHNIQUES_MAX; i++)
		buf_addf(&tags, "%s\"T1%03d\"", i ? "," : "[", i);
	buf_char(&tags, ']');
	rep_attack_of(buf_view(&tags), &a);
	assert_int_equal(a.techniques, REP_TECHNIQUES_MAX);
	buf_done(&tags);
}

/* --- trees */

static sqlite3 *new_case(void)
{
	static const struct qry_run run = {"0", "test", "first", 1};
	char path[] = "/tmp/report-test-XXXXXX";
	struct qry_writer *w = NULL;
	sqlite3 *db = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(qry_writer_open(path, &run, &w, NULL), 0);
	assert_int_equal(qry_writer_close(w, 0, NULL), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = MEMORY", NULL, NULL, NULL),
			 SQLITE_OK);
	unlink(path);
	return db;
}

static sqlite3 *case_of_processes(const char *processes)
{
	sqlite3 *db = new_case();
	char *sql = sqlite3_mprintf(
	    "INSERT INTO captures (capture_id, path, reading_id) VALUES (1, 'c', 0);"
	    "INSERT INTO run_captures (run_capture_id, run_id, capture_id, seq, path, state)"
	    " VALUES (0, 1, 1, 1, 'c', 'done');"
	    "INSERT INTO rules (rule_id, digest, name, source, priority, tags)"
	    " VALUES (1,'a','a','s',2,'[]'), (2,'b','b','s',5,'[]');"
	    "WITH p (id, parent, alerts, rule) AS (VALUES %s) INSERT INTO processes (process_id,"
	    " run_capture_id, parent_id, pid, origin, uid, loginuid, tty)"
	    " SELECT id, 0, nullif(parent, 0), id, 'list', 0, 0, 0 FROM p;"
	    "WITH RECURSIVE p (id, parent, alerts, rule) AS (VALUES %s), n (id, rule, k) AS (SELECT"
	    " id, rule, alerts FROM p WHERE alerts UNION ALL SELECT id, rule, k - 1 FROM n WHERE k "
	    "> 1)"
	    " INSERT INTO alerts (run_capture_id, seq, rule_id, ts, evt_num, evt_offset, pid,"
	    " process_id, priority) SELECT 0, row_number() OVER (), rule, 1, id * 100 + k, 0, id, "
	    "id,"
	    " iif(rule = 1, 2, 5) FROM n",
	    processes, processes);

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_free(sql);
	return db;
}

static void assert_tree(const char *processes, size_t max, const char *want)
{
	const struct rep_options opt = {.made = -1};
	sqlite3 *db = case_of_processes(processes);
	struct rep_case *c = NULL;
	struct rep_tree t;
	struct buf got = {0};

	assert_int_equal(rep_case_over(db, "test", &opt, &c, NULL), 0);
	assert_int_equal(rep_tree_of(c, max, &t, NULL), 0);
	for (size_t i = 0; i < t.count; i++)
		buf_addf(&got, "%u:%d(%d) ", t.nodes[i].depth, (int)t.nodes[i].process_id,
			 (int)t.nodes[i].alerts);
	buf_addf(&got, "-%d", (int)t.left_out);
	assert_string_equal(buf_cstr(&got), want);
	rep_tree_done(&t);
	rep_case_close(c);
	sqlite3_close(db);
	buf_done(&got);
}

static void trees_hold_processes_with_alerts_and_their_ancestors(void **state)
{
	(void)state;
	/* number, parent, alerts, rule */
	assert_tree("(1,0,0,1),(2,1,0,1),(3,2,2,1),(4,1,1,2),(5,1,0,1),(6,0,1,1),(7,99,1,2)", 50,
		    "0:1(0) 1:2(0) 2:3(2) 1:4(1) 0:6(1) 0:7(1) -0");
	assert_tree("(1,0,0,1)", 50, "-0");
}

static void trees_that_are_cut_keep_the_gravest(void **state)
{
	(void)state;
	assert_tree("(1,0,0,1),(2,1,9,2),(3,1,1,1),(4,1,8,2)", 2, "0:1(0) 1:3(1) -2");
}

static void trees_of_a_case_in_which_processes_descend_from_themselves_end(void **state)
{
	(void)state;
	assert_tree("(1,2,1,1),(2,1,1,1),(3,3,1,1),(4,2,1,1)", 50,
		    "0:3(1) 0:1(1) 1:2(1) 2:4(1) -0");
}

/* --- texts */

static void times_are_iso_8601_with_nanoseconds(void **state)
{
	struct buf b = {0};

	(void)state;
	rep_time(&b, INT64_C(1795316541542518211));
	rep_time(&b, 0);
	rep_time(&b, -5);
	rep_time(&b, 1);
	assert_string_equal(buf_cstr(&b),
			    "2026-11-22T03:02:21.542518211Z--1970-01-01T00:00:00.000000001Z");
	buf_done(&b);
}

static void assert_escaped(void (*escape)(struct buf *, struct sv), const char *text, size_t n,
			   const char *want)
{
	struct buf b = {0};

	escape(&b, sv_make(text, n));
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
}

#define ESCAPED(escape, text, want) assert_escaped(escape, text, sizeof(text) - 1, want)

static void texts_are_escaped_for_where_they_go(void **state)
{
	(void)state;
	ESCAPED(escape_html, "<a href=\"x\">'&amp;</a>",
		"&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&lt;/a&gt;");
	ESCAPED(escape_html, "\x1b[0m\xff\0\xe2\x80\xae\xc3\xa9",
		"\\x1b[0m\\xff\\x00\\u{202e}\xc3\xa9");
	ESCAPED(escape_html, "", "");
	ESCAPED(escape_markdown, "a|b_c*[x](y) www.e.x http://e",
		"a\\|b\\_c\\*\\[x\\]\\(y\\) www\\.e.x "
		"http\\://e");
	ESCAPED(escape_markdown, "\xe2\x80\xae\n", "\\\\u\\{202e\\}\\\\x0a");
	ESCAPED(escape_csv, "=1+1", "'=1+1");
	ESCAPED(escape_csv, "-1.5", "-1.5");
	ESCAPED(escape_csv, "a,\"b\"\n", "\"a,\"\"b\"\"\\x0a\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_of_json_come_decoded_and_numbers_as_they_stand),
	    cmocka_unit_test(a_walk_ends_where_json_does),
	    cmocka_unit_test(nesting_of_json_has_a_limit),
	    cmocka_unit_test(tags_name_techniques_and_tactics_in_several_ways),
	    cmocka_unit_test(no_more_techniques_than_there_is_room_for),
	    cmocka_unit_test(trees_hold_processes_with_alerts_and_their_ancestors),
	    cmocka_unit_test(trees_that_are_cut_keep_the_gravest),
	    cmocka_unit_test(trees_of_a_case_in_which_processes_descend_from_themselves_end),
	    cmocka_unit_test(times_are_iso_8601_with_nanoseconds),
	    cmocka_unit_test(texts_are_escaped_for_where_they_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
