/* SPDX-License-Identifier: Apache-2.0 */
/* What is given to the writer is what SQL reads from the case. */
#include "query/tests/case_helper.h"

#include <malloc.h>

#include "base/poison.h"

static const struct qry_writer_options small = {.queue_bytes = 4096, .busy_ms = 0, .idle_ms = 1};

static void a_process_is_read_back_exactly(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct qry_process p = {
	    .key = 7,
	    .parent_key = 3,
	    .pid = 4711,
	    .ppid = 4000,
	    .vpid = 12,
	    .sid = 11,
	    .origin = QRY_FROM_CLONE,
	    .start_ts = T0 + 5,
	    .start_evt = 99,
	    .comm = SV_LIT("sh"),
	    .exe = SV_LIT("-sh"),
	    .exepath = SV_LIT("/usr/bin/dash"),
	    .cmdline = SV_LIT("sh -c 'id; ls'"),
	    .cwd = SV_LIT("/srv/\xc3\xa4"),
	    .container_id = SV_LIT("0123456789ab"),
	    .uid = 33,
	    .loginuid = 1000,
	    .tty = 34816,
	};

	OK(qry_capture_begin(w, "host7.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_process_end(w, 7, T0 + 8, 140, 0x0300, err));
	close_case(w);
	assert_sql(path,
		   "SELECT process_id - (1 << 32), run_capture_id, parent_id - (1 << 32), pid, "
		   "ppid, vpid, sid, origin, start_ts, start_evt FROM processes",
		   "7|1|3|4711|4000|12|11|clone|1700000000000000005|99\n");
	assert_sql(path,
		   "SELECT end_ts, end_evt, end_kind, exit_status, exit_code, exit_signal, "
		   "core_dumped FROM processes",
		   "1700000000000000008|140|exit|768|3|-|-\n");
	assert_sql(
	    path,
	    "SELECT uid, loginuid, tty, comm, exe, exepath, cmdline, cwd, container_id "
	    "FROM processes",
	    "33|1000|34816|sh|-sh|/usr/bin/dash|sh -c 'id; ls'|/srv/\xc3\xa4|0123456789ab\n");
	assert_consistent(path);
}

static void an_exec_is_read_back_exactly(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct qry_process p = a_process(1, "sh");
	const struct qry_exec x = {
	    .process_key = 1,
	    .index = 1,
	    .ts = T0 + 6,
	    .evt_num = 100,
	    .evt_offset = 65536,
	    .comm = SV_LIT("id"),
	    .exe = SV_LIT("id"),
	    .exepath = SV_LIT("/usr/bin/id"),
	    .cmdline = SV_LIT("id -u"),
	    .cwd = SV_LIT("/"),
	    .args = SV_LIT("[\"-u\"]"),
	    .uid = 33,
	};

	OK(qry_capture_begin(w, "host7.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_process_exec(w, &x, err));
	close_case(w);
	assert_sql(path,
		   "SELECT process_id & 0xffffffff, seq, ts, evt_num, evt_offset, uid, comm, exe, "
		   "exepath, cmdline, cwd, args, args ->> 0 FROM execs",
		   "1|1|1700000000000000006|100|65536|33|id|id|/usr/bin/id|id -u|/|[\"-u\"]|-u\n");
	assert_consistent(path);
}

static void an_alert_is_read_back_exactly(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct rule rules[] = {a_rule(0, "Other", RULE_DEBUG),
				     a_rule(1, "Shell spawned", RULE_CRITICAL)};
	const struct qry_process p = a_process(1, "sh");
	const struct qry_alert a = {
	    .rule = &rules[1],
	    .ts = T0 + 6,
	    .evt_num = 100,
	    .evt_offset = 65536,
	    .tid = 4712,
	    .pid = 4711,
	    .process_key = 1,
	    .source = SV_LIT("syscall"),
	    .output = SV_LIT("sh ran (user=www-data)"),
	    .output_fields = SV_LIT("{\"evt.num\":18446744073709551615}"),
	};

	OK(qry_add_rule(w, &rules[0], err));
	OK(qry_add_rule(w, &rules[1], err));
	OK(qry_capture_begin(w, "host7.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_add_alert(w, &a, err));
	close_case(w);
	assert_sql(path,
		   "SELECT run_capture_id, seq, rule_id, ts, evt_num, evt_offset, tid, pid, "
		   "process_id & 0xffffffff, priority, source, output, output_fields FROM alerts",
		   "1|1|2|1700000000000000006|100|65536|4712|4711|1|2|syscall|"
		   "sh ran (user=www-data)|{\"evt.num\":18446744073709551615}\n");
	assert_consistent(path);
}

static void rules_and_rule_files_are_read_back_exactly(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	struct rule r = a_rule(0, "Shell spawned", RULE_WARNING);
	struct rule_result f = {.name = "a.yaml", .ok = true, .text = SV_LIT("abc")};

	r.enabled = false;
	OK(qry_add_rule_file(w, &f, err));
	f.name = "b.yaml";
	f.ok = false;
	OK(qry_add_rule_file(w, &f, err));
	OK(qry_add_rule(w, &r, err));
	close_case(w);
	assert_sql(path,
		   "SELECT run_id, seq, name, substr(sha256, 1, 4), length(sha256), ok "
		   "FROM rule_files",
		   "1|1|a.yaml|ba78|64|1\n1|2|b.yaml|ba78|64|0\n");
	assert_sql(path, "SELECT substr(sha256, 1, 4), length(sha256), text FROM rule_texts",
		   "ba78|64|abc\n");
	assert_sql(path,
		   "SELECT name, description, source, priority, condition, compiled, output, tags, "
		   "length(digest) FROM rules",
		   "Shell spawned|what it means|syscall|4|spawned_process|evt.type = execve|"
		   "%proc.name ran|[\"T1059\",\"shell\"]|64\n");
	assert_sql(path, "SELECT run_id, seq, rule_id, enabled, file, line FROM run_rules",
		   "1|0|1|0|a.yaml|7\n");
}

static void a_rule_file_that_is_too_long_is_kept_by_its_hash_alone(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	char *text = malloc(QRY_TEXT_MAX + 1);
	struct rule_result f = {.name = "a.yaml", .ok = true, .text = {text, QRY_TEXT_MAX}};

	assert_non_null(text);
	memset(text, 'x', QRY_TEXT_MAX + 1);
	OK(qry_add_rule_file(w, &f, err));
	f.text.n++;
	OK(qry_add_rule_file(w, &f, err));
	close_case(w);
	free(text);
	assert_sql(path,
		   "SELECT seq, length(text) FROM rule_files LEFT JOIN rule_texts USING (sha256)",
		   "1|1048576\n2|-\n");
}

static void a_rule_of_the_same_content_is_stored_once(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct rule r = a_rule(0, "Shell spawned", RULE_WARNING);

	for (int run = 0; run < 3; run++) {
		struct qry_writer *w = open_case(path);

		if (run == 2)
			r.compiled = SV_LIT("evt.type in (execve, execveat)");
		OK(qry_add_rule(w, &r, err));
		close_case(w);
	}
	assert_sql(path,
		   "SELECT run_id, rule_id, compiled FROM run_rules JOIN rules USING (rule_id)",
		   "1|1|evt.type = execve\n2|1|evt.type = execve\n"
		   "3|2|evt.type in (execve, execveat)\n");
}

static void the_digest_of_a_rule_does_not_confuse_where_texts_end(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	struct rule a = a_rule(0, "ab", RULE_WARNING), b = a_rule(1, "a", RULE_WARNING);

	a.desc = SV_LIT("c");
	b.desc = SV_LIT("bc");
	OK(qry_add_rule(w, &a, err));
	OK(qry_add_rule(w, &b, err));
	close_case(w);
	assert_sql(path, "SELECT count(*) FROM rules", "2\n");
}

static void a_rule_nobody_added_is_added_by_its_first_alert(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct rule far = a_rule(1000, "Far", RULE_ERROR);
	struct qry_alert a = an_alert(&far, 0, 5);

	OK(qry_capture_begin(w, "host7.scap", err));
	OK(qry_add_alert(w, &a, err));
	a.evt_num++;
	OK(qry_add_alert(w, &a, err));
	OK(qry_add_alert(w, &a, err)); /* the same event: the same alert */
	close_case(w);
	assert_sql(path, "SELECT seq, rule, priority FROM v_alert", "1|Far|Error\n2|Far|Error\n");
	assert_sql(path, "SELECT seq, rule_id FROM run_rules", "1000|1\n");
}

static void the_facts_of_a_capture_are_read_back_exactly(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct sf_gap gaps[] = {
	    {4096, 512, SF_GAP_FRAMING, "block of 3 bytes, expected at least 12"},
	    {9000, 0, SF_GAP_TRUNCATED, "ends inside a block"},
	};
	struct sf_stats st = {
	    .compression = SF_ZSTD,
	    .file_size = 1000,
	    .stream_size = 9100,
	    .sections = 2,
	    .blocks = 77,
	    .unknown_blocks = 3,
	    .events = 60,
	    .events_stored = 4,
	    .events_unknown = 5,
	    .gaps = 1002,
	    .version_major = 1,
	    .version_minor = 2,
	    .sha256_valid = true,
	};
	const struct qry_capture_end e = {
	    .stats = &st,
	    .gaps = gaps,
	    .gap_count = 2,
	    .hostname = SV_LIT("host7"),
	    .num_cpus = 8,
	    .boot_ts = T0 - 1,
	    .first_ts = T0,
	    .last_ts = T0 + 1500000000u,
	    .events = 59,
	    .interrupted = false,
	};

	memset(st.sha256, 0x5c, sizeof(st.sha256));
	OK(qry_capture_begin(w, "dir/host7.scap", err));
	OK(qry_capture_end(w, &e, err));
	close_case(w);
	assert_sql(path,
		   "SELECT path, hostname, num_cpus, boot_ts, first_ts, last_ts, compression, "
		   "format_major, format_minor, file_size, stream_size FROM captures",
		   "dir/host7.scap|host7|8|1699999999999999999|1700000000000000000|"
		   "1700000001500000000|zstd|1|2|1000|9100\n");
	assert_sql(path,
		   "SELECT sections, blocks, unknown_blocks, events, events_stored, "
		   "events_unknown, gaps, interrupted, substr(sha256, 1, 4), length(sha256) "
		   "FROM captures",
		   "2|77|3|59|4|5|1002|0|5c5c|64\n");
	assert_sql(path,
		   "SELECT run_id, capture_id, seq, path, events, gaps, cut_values, interrupted "
		   "FROM run_captures",
		   "1|1|1|dir/host7.scap|59|1002|0|0\n");
	assert_sql(path, "SELECT stream_offset, bytes, reason, description FROM v_damage",
		   "4096|512|framing|block of 3 bytes, expected at least 12\n"
		   "9000|-|truncated|ends inside a block\n");
	assert_sql(path, "SELECT first_time, last_time, seconds, format FROM v_capture",
		   "2023-11-14T22:13:20.000000000Z|2023-11-14T22:13:21.500000000Z|1.5|1.2\n");
}

static void a_run_says_what_was_run_and_how_it_ended(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);

	OK(qry_writer_flush(w, err));
	assert_sql(path, "SELECT run_id, status, exit_status, started, finished FROM v_run",
		   "1|unfinished|-|2023-11-14T22:13:20.000000000Z|-\n");
	OK(qry_writer_close(w, 5, err));
	assert_sql(path,
		   "SELECT version, command, matching, started_ts, state, exit_status, "
		   "finished_ts > started_ts FROM runs",
		   "0.1.0|scapula replay host7.scap|first|1700000000000000000|finished|5|1\n");
	assert_sql(path, "SELECT status, exit_status FROM v_run", "finished|5\n");
	assert_sql(path, "SELECT name, value FROM meta WHERE name = 'created_by'",
		   "created_by|0.1.0\n");
}

static void two_captures_in_one_run_keep_their_rows_apart(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct rule r = a_rule(0, "R", RULE_NOTICE);

	for (uint8_t c = 1; c <= 2; c++) {
		struct qry_process p = a_process(1, c == 1 ? "first" : "second");
		struct qry_exec x = an_exec(1, 1, c == 1 ? "x1" : "x2");
		struct qry_alert a = an_alert(&r, 1, 50);

		OK(qry_capture_begin(w, c == 1 ? "a.scap" : "b.scap", err));
		OK(qry_process_start(w, &p, err));
		OK(qry_process_exec(w, &x, err));
		OK(qry_add_alert(w, &a, err));
		end_capture(w, c);
	}
	close_case(w);
	assert_sql(path, "SELECT capture_id, path FROM captures", "1|a.scap\n2|b.scap\n");
	assert_sql(path,
		   "SELECT capture_id, run_id, process_id & 0xffffffff, origin, execs, comm "
		   "FROM v_process ORDER BY 1",
		   "1|1|1|clone|1|x1\n2|1|1|clone|1|x2\n");
	assert_sql(path, "SELECT capture, seq, comm FROM v_alert ORDER BY alert_id",
		   "a.scap|1|x1\nb.scap|1|x2\n");
	assert_consistent(path);
}

static void the_same_file_again_is_the_same_capture_with_a_new_run(void **state)
{
	const char *path = ((struct scratch *)*state)->path;

	for (int run = 0; run < 2; run++) {
		struct qry_writer *w = open_case(path);
		const struct rule r = a_rule(0, "R", RULE_NOTICE);
		struct qry_alert a = an_alert(&r, 0, 50);

		OK(qry_capture_begin(w, run ? "moved/a.scap" : "a.scap", err));
		OK(qry_add_alert(w, &a, err));
		end_capture(w, 1);
		OK(qry_capture_begin(w, "b.scap", err));
		end_capture(w, 2);
		close_case(w);
	}
	assert_sql(path, "SELECT capture_id, path FROM captures", "1|moved/a.scap\n2|b.scap\n");
	assert_sql(path, "SELECT run_id, capture_id, seq, path FROM run_captures",
		   "1|1|1|a.scap\n1|2|2|b.scap\n2|1|1|moved/a.scap\n2|2|2|b.scap\n");
	assert_sql(path, "SELECT run_id, capture_id FROM v_finding", "1|1\n2|1\n");
	assert_sql(path, "SELECT run_id, capture_id FROM v_alert", "1|1\n");
	assert_sql(path, "SELECT rule, alerts FROM v_rule_count", "R|1\n");
	assert_sql(path, "SELECT rule, alerts FROM v_group", "R|1\n");
	assert_consistent(path);
}

static void a_capture_that_was_not_read_to_its_end_is_known_by_nothing(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct sf_stats st = {.events = 5};
	const struct qry_capture_end e = {.stats = &st, .interrupted = true};
	struct qry_writer *w = open_case(path);

	for (int i = 0; i < 2; i++) {
		OK(qry_capture_begin(w, "a.scap", err));
		OK(qry_capture_end(w, &e, err));
	}
	OK(qry_capture_begin(w, "never-ended.scap", err));
	close_case(w);
	assert_sql(path, "SELECT path, sha256, interrupted FROM captures",
		   "a.scap|-|1\na.scap|-|1\nnever-ended.scap|-|1\n");
}

static void damage_is_shown_as_the_newest_run_found_it(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct sf_gap gap = {100, 1, SF_GAP_EVENT, "old words"};
	struct sf_stats st = {.gaps = 1, .sha256_valid = true};
	const struct qry_capture_end e = {.stats = &st, .gaps = &gap, .gap_count = 1};

	for (int run = 0; run < 2; run++) {
		struct qry_writer *w = open_case(path);

		if (run)
			memset(gap.what, 'n', sizeof(gap.what)); /* not even terminated */
		OK(qry_capture_begin(w, "a.scap", err));
		OK(qry_capture_end(w, &e, err));
		close_case(w);
	}
	assert_sql(path, "SELECT run_id, reason, length(description) FROM v_damage",
		   "2|event|160\n");
	assert_sql(path, "SELECT count(*) FROM damage", "2\n");
}

#define RAW(literal)                                                                               \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	} /* SV_LIT() is no constant */

static void hostile_bytes_become_valid_text(void **state)
{
	static const struct {
		struct sv in;
		const char *out;
	} cases[] = {
	    {RAW("'); DROP TABLE processes; --"), "'); DROP TABLE processes; --"},
	    {RAW("a\0b"), "a\xef\xbf\xbd"
			  "b"},
	    {RAW("\0"), "\xef\xbf\xbd"},
	    {RAW("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd"},
	    {RAW("12345678\xc3"), "12345678\xef\xbf\xbd"},
	    {RAW("\xed\xa0\x80x"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
	    {RAW("\xe2\x82\xac \xf0\x9f\x98\x80"), "\xe2\x82\xac \xf0\x9f\x98\x80"},
	    {RAW("tab\tline\nesc\x1b[31m"), "tab\tline\nesc\x1b[31m"},
	    {RAW(""), ""},
	};
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);

	OK(qry_capture_begin(w, "host\xff.scap", err));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct qry_process p = a_process(i + 1, "x");

		p.comm = p.cmdline = cases[i].in;
		OK(qry_process_start(w, &p, err));
	}
	close_case(w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char q[128], expected[128];

		snprintf(q, sizeof(q),
			 "SELECT comm, cmdline, length(CAST(comm AS BLOB)) FROM processes "
			 "WHERE process_id = (1 << 32) + %zu",
			 i + 1);
		snprintf(expected, sizeof(expected), "%s|%s|%zu\n", cases[i].out, cases[i].out,
			 strlen(cases[i].out));
		assert_sql(path, q, expected);
	}
	assert_sql(path, "SELECT path FROM captures", "host\xef\xbf\xbd.scap\n");
}

static void what_is_not_known_is_null(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct qry_process p = {
	    .key = 1, .pid = 5, .ppid = -1, .vpid = -1, .sid = -1, .loginuid = UINT32_MAX};
	const struct rule r = a_rule(0, "R", RULE_NOTICE);
	const struct qry_alert a = {.rule = &r, .ts = T0, .tid = -1, .pid = -1};
	struct sf_stats st = {0};
	const struct qry_capture_end e = {.stats = &st};

	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_add_alert(w, &a, err));
	OK(qry_capture_end(w, &e, err));
	close_case(w);
	assert_sql(path,
		   "SELECT parent_id, ppid, vpid, sid, start_ts, start_evt, end_kind, comm, "
		   "container_id, origin FROM processes",
		   "-|-|-|-|-|-|-|-|-|list\n");
	assert_sql(path, "SELECT started, ended, outcome, loginuid, tty FROM v_process",
		   "-|-|running|-|-\n");
	assert_sql(path, "SELECT tid, pid, process_id, source, output_fields FROM alerts",
		   "-|-|-|-|-\n");
	assert_sql(path, "SELECT hostname, num_cpus, boot_ts, first_ts, last_ts FROM captures",
		   "-|-|-|-|-\n");
}

static void numbers_sqlite_cannot_hold_become_its_largest(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct rule r = a_rule(0, "R", RULE_NOTICE);
	struct qry_alert a = an_alert(&r, 0, 1);

	a.ts = UINT64_MAX;
	a.evt_num = (uint64_t)INT64_MAX + 1;
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_add_alert(w, &a, err));
	close_case(w);
	assert_sql(path, "SELECT ts, evt_num FROM alerts",
		   "9223372036854775807|9223372036854775807\n");
	assert_sql(path, "SELECT time FROM v_alert", "2262-04-11T23:47:16.854775807Z\n");
}

static void texts_too_long_are_cut_at_a_character_and_counted(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = NULL;
	struct qry_process p = a_process(1, "sh");
	struct qry_exec x = an_exec(1, 1, "sh");
	char *big = malloc(QRY_TEXT_MAX + 2);

	assert_non_null(big);
	memset(big, 'a', QRY_TEXT_MAX + 2);
	memcpy(big + QRY_TEXT_MAX - 1, "\xe2\x82\xac", 3);
	p.cmdline = x.cmdline = x.args = sv_make(big, QRY_TEXT_MAX + 2);
	/* Such a row is also larger than the whole queue. */
	OK(qry_writer_open_with(path, &test_run, &small, &w, err));
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_process_exec(w, &x, err));
	end_capture(w, 1);
	close_case(w);
	free(big);
	assert_sql(path, "SELECT length(cmdline), substr(cmdline, -1) FROM processes",
		   "1048575|a\n");
	assert_sql(path, "SELECT length(cmdline), args FROM execs", "1048575|-\n");
	assert_sql(path, "SELECT cut_values FROM run_captures", "3\n");
}

static void exit_statuses_are_decoded(void **state)
{
	static const struct {
		int64_t status;
		uint64_t ts;
		const char *expected;
	} cases[] = {
	    {0, T0, "exit|0|0|-|-|exit 0\n"},
	    {0xff00, T0, "exit|65280|255|-|-|exit 255\n"},
	    {9, T0, "exit|9|-|9|0|signal 9\n"},
	    {0x8b, T0, "exit|139|-|11|1|signal 11 (core dumped)\n"},
	    {0x137f, T0, "exit|4991|-|-|-|exit\n"},
	    {-1, T0, "exit|-|-|-|-|exit\n"},
	    {-1, 0, "vanished|-|-|-|-|vanished\n"},
	};
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);

	OK(qry_capture_begin(w, "a.scap", err));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct qry_process p = a_process(i + 1, "x");

		OK(qry_process_start(w, &p, err));
		OK(qry_process_end(w, i + 1, cases[i].ts, 5, cases[i].status, err));
	}
	close_case(w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char q[256];

		snprintf(
		    q, sizeof(q),
		    "SELECT end_kind, exit_status, exit_code, exit_signal, core_dumped, outcome "
		    "FROM processes JOIN v_process USING (process_id) "
		    "WHERE process_id = (1 << 32) + %zu",
		    i + 1);
		assert_sql(path, q, cases[i].expected);
	}
}

static void views_show_the_image_of_the_moment(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct rule r = a_rule(0, "R", RULE_NOTICE);
	const struct qry_process p = a_process(1, "bash");
	/* The first exec is event 11, the second event 12. */
	const struct qry_exec x1 = an_exec(1, 1, "sudo"), x2 = an_exec(1, 2, "curl");

	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_process_exec(w, &x1, err));
	OK(qry_process_exec(w, &x2, err));
	for (uint64_t evt = 10; evt <= 12; evt++) {
		struct qry_alert a = an_alert(&r, 1, evt);

		OK(qry_add_alert(w, &a, err));
	}
	close_case(w);
	assert_sql(path, "SELECT evt_num, comm FROM v_alert ORDER BY seq",
		   "10|bash\n11|sudo\n12|curl\n");
	assert_sql(path, "SELECT comm, cwd, execs, outcome FROM v_process",
		   "curl|/tmp|2|running\n");
	assert_sql(path, "SELECT comm, seq, pid FROM v_exec ORDER BY seq",
		   "sudo|1|101\ncurl|2|101\n");
}

static void assert_fails(struct qry_writer *w, int code, const char *words)
{
	struct error err = {0};

	assert_int_equal(qry_writer_flush(w, &err), code);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in: %s", words, err.msg);
	assert_int_equal(qry_writer_close(w, 0, &err), code);
}

static void rows_that_refer_to_no_process_are_refused(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	const struct qry_exec x = an_exec(1, 1, "sh");
	const struct qry_exec x2 = an_exec(2, 1, "sh");
	const struct qry_process p = a_process(2, "sh");
	const struct rule r = a_rule(0, "R", RULE_NOTICE);
	const struct qry_alert a = an_alert(&r, 4000000000u, 1);
	const struct qry_fact fact = {
	    .kind = QRY_FACT_MODULE,
	    .count = 8,
	    .value = {qry_int(1), qry_key(70), qry_int(1), qry_int(1), qry_text(SV_LIT("load"))}};

	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_end(w, 5, T0, 1, 0, err));
	assert_fails(w, ERR_DB, "process 5 ends without having been started");
	w = open_case(path);
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_exec(w, &x, err));
	assert_fails(w, ERR_DB, "process 1, which was not started");
	w = open_case(path);
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_add_fact(w, &fact, err));
	assert_fails(w, ERR_DB, "process 70, which was not started");
	w = open_case(path);
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_add_alert(w, &a, err));
	assert_fails(w, ERR_DB, "process 4000000000, which was not started");
	w = open_case(path);
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_exec(w, &x2, err));
	assert_fails(w, ERR_DB, "process 2, which was not started");
	w = open_case(path);
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_process_start(w, &p, err));
	assert_fails(w, ERR_DB, "UNIQUE");
	assert_consistent(path);
}

static void a_failure_is_returned_by_every_later_call(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	struct qry_process p = a_process(1, "sh");
	struct error why = {0};

	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	OK(qry_writer_flush(w, err));
	OK(qry_process_end(w, 5, T0, 1, 0, err));
	assert_int_equal(qry_writer_flush(w, NULL), ERR_DB);
	p.key = 2;
	assert_int_equal(qry_process_start(w, &p, &why), ERR_DB);
	assert_int_equal(why.code, ERR_DB);
	assert_non_null(strstr(why.msg, path));
	assert_int_equal(qry_capture_begin(w, "b.scap", NULL), ERR_DB);
	assert_int_equal(qry_writer_close(w, 0, &why), ERR_DB);
	assert_sql(path, "SELECT status FROM v_run", "unfinished\n");
	assert_sql(path, "SELECT comm FROM processes", "sh\n");
}

static void misuse_is_refused_before_it_is_queued(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	struct qry_process p = a_process(1, "sh");
	struct qry_writer *none = NULL;
	struct error why = {0};

	assert_int_equal(qry_process_start(w, &p, &why), ERR_USAGE);
	assert_non_null(strstr(why.msg, "outside of any capture"));
	OK(qry_capture_begin(w, "a.scap", err));
	p.key = 0;
	assert_int_equal(qry_process_start(w, &p, &why), ERR_LIMIT);
	p.key = (uint64_t)UINT32_MAX + 1;
	assert_int_equal(qry_process_start(w, &p, &why), ERR_LIMIT);
	assert_non_null(strstr(why.msg, "4294967296"));
	p.key = UINT32_MAX;
	OK(qry_process_start(w, &p, err));
	end_capture(w, 1);
	assert_int_equal(qry_process_end(w, UINT32_MAX, T0, 1, 0, &why), ERR_USAGE);
	close_case(w);
	assert_sql(path, "SELECT process_id >> 32, process_id & 0xffffffff FROM processes",
		   "1|4294967295\n");
	assert_int_equal(qry_writer_open("", &test_run, &none, &why), ERR_USAGE);
	OK(qry_writer_close(NULL, 0, err));
	qry_writer_abort(NULL);
}

#ifdef POISON_ENABLED
size_t __sanitizer_get_current_allocated_bytes(void);

static size_t heap_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}
#endif

static void memory_does_not_grow_with_the_number_of_rows(void **state)
{
	enum { ROWS = 40000, TEXT = 4096 };
	/* The queue, SQLite's page cache, and something for everything else. */
	const size_t bound = QRY_QUEUE_BYTES + strtoul(QRY_CACHE_KIB, NULL, 10) * 1024 + (8u << 20);
	const char *path = ((struct scratch *)*state)->path;
	struct qry_writer *w = open_case(path);
	size_t before = heap_bytes(), most = 0;
	static char text[TEXT];

	_Static_assert((size_t)ROWS * TEXT > (140u << 20), "more rows than fit into the bound");
	memset(text, 'x', sizeof(text));
	OK(qry_capture_begin(w, "a.scap", err));
	for (uint64_t i = 1; i <= ROWS; i++) {
		struct qry_process p = a_process(i, "sh");
		size_t now = i % 64 ? 0 : heap_bytes();

		p.cmdline = sv_make(text, sizeof(text));
		OK(qry_process_start(w, &p, err));
		if (now > most)
			most = now;
	}
	close_case(w);
	assert_in_range(most - before, 1, bound);
	assert_sql(path, "SELECT count(*), sum(length(cmdline)) FROM processes",
		   "40000|163840000\n");
}

int main(void)
{
#define CASE_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    CASE_TEST(a_process_is_read_back_exactly),
	    CASE_TEST(an_exec_is_read_back_exactly),
	    CASE_TEST(an_alert_is_read_back_exactly),
	    CASE_TEST(rules_and_rule_files_are_read_back_exactly),
	    CASE_TEST(a_rule_file_that_is_too_long_is_kept_by_its_hash_alone),
	    CASE_TEST(a_rule_of_the_same_content_is_stored_once),
	    CASE_TEST(the_digest_of_a_rule_does_not_confuse_where_texts_end),
	    CASE_TEST(a_rule_nobody_added_is_added_by_its_first_alert),
	    CASE_TEST(the_facts_of_a_capture_are_read_back_exactly),
	    CASE_TEST(a_run_says_what_was_run_and_how_it_ended),
	    CASE_TEST(two_captures_in_one_run_keep_their_rows_apart),
	    CASE_TEST(the_same_file_again_is_the_same_capture_with_a_new_run),
	    CASE_TEST(a_capture_that_was_not_read_to_its_end_is_known_by_nothing),
	    CASE_TEST(damage_is_shown_as_the_newest_run_found_it),
	    CASE_TEST(hostile_bytes_become_valid_text),
	    CASE_TEST(what_is_not_known_is_null),
	    CASE_TEST(numbers_sqlite_cannot_hold_become_its_largest),
	    CASE_TEST(texts_too_long_are_cut_at_a_character_and_counted),
	    CASE_TEST(exit_statuses_are_decoded),
	    CASE_TEST(views_show_the_image_of_the_moment),
	    CASE_TEST(rows_that_refer_to_no_process_are_refused),
	    CASE_TEST(a_failure_is_returned_by_every_later_call),
	    CASE_TEST(misuse_is_refused_before_it_is_queued),
	    CASE_TEST(memory_does_not_grow_with_the_number_of_rows),
	};
#undef CASE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
