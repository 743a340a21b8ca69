/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of alerts: what each finds in a few alerts, and where what is wrong is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/rules/rules.h"
#include "tui/tests/alert_rows.h"

#define HOUR 3600000000000ll

static sqlite3 *db;

static int make_rows(void **state)
{
	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, alert_rows, NULL, NULL, NULL), SQLITE_OK);
	return 0;
}

static int drop_rows(void **state)
{
	(void)state;
	sqlite3_close(db);
	return 0;
}

/* The alerts that pass @f, each as a digit. */
static const char *passing(const struct tui_alert_filter *f)
{
	static char out[ALERT_ROWS + 1];
	unsigned bits = alert_rows_passing(db, f, false);
	size_t n = 0;

	if (bits == ALERT_ROWS_FAILED)
		fail_msg("%s: %s", f->sql.p, sqlite3_errmsg(db));
	assert_int_equal(alert_rows_passing(db, f, true), bits);
	for (unsigned i = 0; i < ALERT_ROWS; i++)
		if (bits & 1u << i)
			out[n++] = (char)('1' + i);
	out[n] = '\0';
	return out;
}

static void each_filter_finds_its_alerts(void **state)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
	    {"", "123"},
	    {"  ", "123"},
	    {"!", "123"},
	    {"shadow", "2"},
	    {"SHADOW", "2"},
	    {"!shadow", "13"},
	    {"not shadow", "13"},
	    {"shadow or outbound", "23"},
	    {"/tmp/.x", "1"},
	    {"read shadow", "2"},
	    {"100%", "1"},
	    {"no such thing", ""},
	    {"prio >= warning", "12"},
	    {"prio >= 4", "12"},
	    {"prio >= Warn", "12"},
	    {"prio > err", "1"},
	    {"prio = crit", "1"},
	    {"prio > warning", "1"},
	    {"prio<=warning", "23"},
	    {"priority < Warning", "3"},
	    {"alert.priority = notice", "3"},
	    {"prio != notice", "12"},
	    {"prio in (critical, notice)", "13"},
	    {"rule = 'Read shadow'", "2"},
	    {"rule=Outbound", "3"},
	    {"rule startswith Read", "2"},
	    {"rule endswith /tmp", "1"},
	    {"rule glob '*shad?w'", "2"},
	    {"rule iglob '*SHAD?W'", "2"},
	    {"rule icontains OUT", "3"},
	    {"rule contains OUT", ""},
	    {"tolower(alert.rule) = outbound", "3"},
	    {"tags = mitre", "13"},
	    {"tags in (T1059, other)", "1"},
	    {"tags intersects (T1059, mitre)", "13"},
	    {"not tags contains T10", "23"},
	    {"noted", "23"},
	    {"not noted", "1"},
	    {"alert.noted exists", "23"},
	    {"noted = true", "23"},
	    {"noted = false", "1"},
	    {"verdict = benign", "2"},
	    {"verdict exists", "2"},
	    {"not verdict exists", "13"},
	    {"host = web7", "13"},
	    {"capture endswith b.scap", "2"},
	    {"source = k8s", "3"},
	    {"fingerprint = 00ff", "1"},
	    {"id = 2", "2"},
	    {"alert.id in (1, 3)", "13"},
	    {"process = 11", "1"},
	    {"evt.num >= 20", "23"},
	    {"proc.name = kd", "1"},
	    {"proc.name in (kd, cat)", "12"},
	    {"proc.name != kd", "2"}, /* what is absent is not different */
	    {"not proc.name = kd", "23"},
	    {"proc.pid = 50", "2"},
	    {"proc.cmdline contains -c", "1"},
	    {"container.id = c0ffee", "2"},
	    {"fd.name pmatch (/etc)", "2"},
	    {"fd.name pmatch (/et)", ""},
	    {"fd.name exists", "2"},
	    {"fd.num = 4", "1"},
	    {"fd.num >= 5", "2"}, /* as numbers: 12 is more */
	    {"fd.name startswith oneof (/x, /etc)", "2"},
	    {"fd.name contains allof (etc, shadow)", "2"},
	    {"evt.arg.res = 0", "1"},
	    {"proc.aname[2] = sshd", "1"},
	    {"proc.aname[3] = sshd", ""},
	    {"evt.time >= 2026-03-02T11:30:00Z", "23"},
	    {"evt.time >= 12:04", "23"},
	    {"time < 12:04:17", "1"},
	    {"time <= 12:04:17", "12"},
	    {"prio >= warning and not noted", "1"},
	    {"(rule = Outbound or shadow) and host = web8", "2"},
	    {"! prio >= warning and host = web7", "23"},
	    {"output contains \"'cat'\"", "2"},
	    {"rule = 'x'' OR 1=1 --'", NULL},
	    {"rule = \"x' OR '1'='1\"", ""},
	    {"output contains \"'; DROP TABLE v; --\"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tui_alert_filter f = {0};
		struct error err = {0};
		size_t pos;
		int rc = tui_alert_filter_add(&f, sv_of(cases[i].text), &pos, &err);

		if ((rc == 0) != (cases[i].found != NULL))
			fail_msg("%s: %s at %zu", cases[i].text, err.msg, pos);
		if (rc == 0 && strcmp(passing(&f), cases[i].found) != 0)
			fail_msg("%s: found %s, expected %s\n%s", cases[i].text, passing(&f),
				 cases[i].found, f.sql.p);
		tui_alert_filter_done(&f);
	}
}

static void what_is_wrong_has_a_place(void **state)
{
	static const struct {
		const char *text;
		size_t pos;
		const char *part; /* of the message */
	} cases[] = {
	    {"rule =", 6, "end of text"},
	    {"prio >= wrning", 8, "a number"},
	    {"prio = wrning", 7, "expected a priority"},
	    {"rule = a and proc.nam = b", 13, "no field 'proc.nam'"},
	    {"  rule = a and prio = wrng", 22, "expected a priority"},
	    {"! rule = a and prio = wrng", 22, "expected a priority"},
	    {"rule = a and fd.name bcontains 00", 13, "'bcontains' is not for alerts"},
	    {"rule = val(proc.name)", 7, "not with fields"},
	    {"b64(proc.name) = x", 0, "tolower"},
	    {"evt.time = soon", 11, "expected a time"},
	    {"noted = maybe", 8, "true or false"},
	    {"prio contains w", 0, "no text"},
	    {"a b = c", 2, "after 'a'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tui_alert_filter f = {0};
		struct error err = {0};
		size_t pos;
		int rc = tui_alert_filter_add(&f, sv_of(cases[i].text), &pos, &err);

		assert_true(rc < 0);
		if (pos != cases[i].pos || !strstr(err.msg, cases[i].part))
			fail_msg("%s: %s at %zu", cases[i].text, err.msg, pos);
		tui_alert_filter_done(&f);
	}
}

static void filters_say_what_can_answer_them(void **state)
{
	static const struct {
		const char *text;
		bool alerts, said;
		const char *rule;
		unsigned severities;
		bool from, to;
	} cases[] = {
	    {"prio >= warning", false, false, NULL, 0x1f, false, false},
	    {"prio >= warning and prio <= error", false, false, NULL, 0x18, false, false},
	    {"prio > emergency", false, false, NULL, 0, false, false},
	    {"rule = a and not noted", false, true, "a", 0, false, false},
	    {"rule = a or rule = b", false, false, NULL, 0, false, false},
	    {"not (rule = a)", false, false, NULL, 0, false, false},
	    {"! rule = a", false, false, NULL, 0, false, false},
	    {"evt.time > 2026-03-02T11:30:00Z", true, false, NULL, 0, true, false},
	    {"evt.time < 11:30", true, false, NULL, 0, false, false},
	    {"time >= 2026-03-02T11:30:00Z and time <= 2026-03-02T11:40:00Z", true, false, NULL, 0,
	     true, true},
	    {"word", true, false, NULL, 0, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct qry_alert_filter q = {0};
		struct tui_alert_filter f = {0};
		struct error err = {0};
		size_t pos;

		assert_int_equal(tui_alert_filter_add(&f, sv_of(cases[i].text), &pos, &err), 0);
		tui_alert_filter_apply(&f, &q);
		if (f.asks_alerts != cases[i].alerts || f.asks_said != cases[i].said ||
		    q.severities != cases[i].severities || (q.from != 0) != cases[i].from ||
		    (q.to != 0) != cases[i].to || (q.rule != NULL) != (cases[i].rule != NULL) ||
		    (q.rule && strcmp(q.rule, cases[i].rule) != 0))
			fail_msg("%s: %x %d %d", cases[i].text, q.severities, f.asks_alerts,
				 f.asks_said);
		tui_alert_filter_done(&f);
	}
}

static void limits_are_errors(void **state)
{
	struct tui_alert_filter f = {0};
	struct error err = {0};
	struct buf b = {0};
	size_t pos;

	(void)state;
	for (int i = 0; i < TUI_ALERT_TESTS_MAX; i++)
		buf_addf(&b, "%srule = a", i ? " or " : "");
	assert_int_equal(tui_alert_filter_add(&f, buf_view(&b), &pos, &err), ERR_LIMIT);
	tui_alert_filter_done(&f);
	assert_true(pos > 100);
	buf_reset(&b);
	for (int i = 0; i < 2 * TUI_SHORT_PLACES; i++)
		buf_addf(&b, "%srule = a", i ? " or " : "");
	assert_int_equal(tui_alert_filter_add(&f, buf_view(&b), &pos, &err), ERR_LIMIT);
	tui_alert_filter_done(&f);
	buf_reset(&b);
	buf_lit(&b, "rule in (a");
	for (int i = 0; i < TUI_ALERT_TESTS_MAX; i++)
		buf_lit(&b, ", a");
	buf_char(&b, ')');
	assert_int_equal(tui_alert_filter_add(&f, buf_view(&b), &pos, &err), ERR_LIMIT);
	tui_alert_filter_done(&f);
	buf_reset(&b);
	for (int i = 0; i < 1000; i++)
		buf_char(&b, '(');
	assert_int_equal(tui_alert_filter_add(&f, buf_view(&b), &pos, &err), ERR_LIMIT);
	tui_alert_filter_done(&f);
	buf_done(&b);
}

/* Whatever is typed: an error with a place in it, or SQL that runs. */
static void any_text_is_a_filter_or_an_error(void **state)
{
	static const char *const parts[] = {
	    "rule", "prio",	" = ",	 ">=",		 "<",	 "(",	 ")",	    ",",
	    "'",    "\"",	"\\",	 " and ",	 " or ", "not ", "!",	    "noted",
	    "x",    "/",	"11:04", "warning",	 " in ", "tags", "fd.name", "evt.time",
	    "[",    "]",	"\xff",	 "\xe2\x80\xae", "%",	 "?10",	 "--",	    ";",
	    "\n",   "tolower(", "val(",	 " exists",	 "0x1f", "1e+5", "$"};
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct tui_alert_filter f = {0};
		struct error err = {0};
		struct buf b = {0};
		size_t pos;
		int n = rand_r(&seed) % 9;

		while (n--)
			buf_str(&b, parts[(size_t)rand_r(&seed) % COUNT_OF(parts)]);
		if (rand_r(&seed) % 8 == 0)
			buf_char(&b, '\0');
		if (tui_alert_filter_add(&f, buf_view(&b), &pos, &err) == 0)
			(void)passing(&f);
		else if (pos > b.len || !err.msg[0])
			fail_msg("%s: '%s' at %zu", buf_cstr(&b), err.msg, pos);
		tui_alert_filter_done(&f);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_filter_finds_its_alerts),
	    cmocka_unit_test(what_is_wrong_has_a_place),
	    cmocka_unit_test(filters_say_what_can_answer_them),
	    cmocka_unit_test(limits_are_errors),
	    cmocka_unit_test(any_text_is_a_filter_or_an_error),
	};

	return cmocka_run_group_tests(tests, make_rows, drop_rows);
}
