/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that are gone on with, and the one case of all; what parts that somebody changed can do. */
#include "query/tests/case_helper.h"

#include <sys/stat.h>

#include "query/part.h"
#include "query/reuse.h"

static const struct qry_job job = {
    .job = "j",
    .shard = 0,
    .shards = 2,
    .traces = 4,
    .holds = 2,
    .version = "0.1.0",
    .ruleset = "r",
    .options = "matching=first",
};

struct worker {
	struct qry_part *part;
	struct qry_writer *w;
	struct rule rule;
};

static struct worker begin_worker(const char *path, uint32_t shard)
{
	struct worker k = {.rule = a_rule(0, "R", RULE_NOTICE)};
	struct qry_job j = job;

	j.shard = shard;
	OK(qry_part_open(path, &j, &k.part, err));
	k.w = open_case(path);
	OK(qry_add_rule(k.w, &k.rule, err));
	OK(qry_writer_flush(k.w, err));
	OK(qry_part_claim(k.part, err));
	return k;
}

/* A reading with two processes, each of which executes something and raises @seq alerts. */
static void write_trace(struct worker *k, uint64_t seq)
{
	char name[16];

	snprintf(name, sizeof(name), "%u.scap", (unsigned)seq);
	OK(qry_part_begin(k->part, seq, "00", name, "here", err));
	OK(qry_capture_begin(k->w, name, err));
	for (uint64_t key = 1; key <= 2; key++) {
		struct qry_process p = a_process(key, name);
		struct qry_exec x = an_exec(key, 1, name);

		p.parent_key = key - 1;
		OK(qry_process_start(k->w, &p, err));
		OK(qry_process_exec(k->w, &x, err));
	}
	for (uint64_t i = 1; i <= seq; i++) {
		struct qry_alert a = an_alert(&k->rule, 1 + i % 2, 100 + i);

		OK(qry_add_alert(k->w, &a, err));
	}
}

static void end_trace(struct worker *k, uint64_t seq, enum qry_trace_status status, int exit)
{
	const struct qry_trace_result r = {.status = status, .exit_status = exit, .events = 5};

	end_capture(k->w, (uint8_t)seq);
	OK(qry_writer_flush(k->w, err));
	OK(qry_part_end(k->part, seq, &r, err));
}

static void one_trace(struct worker *k, uint64_t seq)
{
	write_trace(k, seq);
	end_trace(k, seq, QRY_TRACE_DONE, 0);
}

static unsigned end_worker(struct worker *k)
{
	unsigned exits = 0;

	close_case(k->w);
	OK(qry_part_finish(k->part, &exits, err));
	return exits;
}

static void make_part(const char *path, uint32_t shard, uint64_t first, uint64_t second)
{
	struct worker k = begin_worker(path, shard);

	one_trace(&k, first);
	one_trace(&k, second);
	assert_int_equal(end_worker(&k), 1);
}

static void path_of(char out[160], const struct scratch *s, const char *name)
{
	snprintf(out, 160, "%s/%s", s->dir, name);
}

/* --- a worker */

static void a_part_goes_on_with_the_trace_it_was_at(void **state)
{
	const struct scratch *s = *state;
	struct worker k = begin_worker(s->path, 0);
	struct qry_part_facts f;
	char wal[160];

	one_trace(&k, 1);
	write_trace(&k, 3); /* killed here */
	OK(qry_writer_flush(k.w, err));
	sql_run(s->path, "UPDATE runs SET owner = NULL");
	qry_writer_abort(k.w);
	qry_part_close(k.part);
	OK(qry_part_look(s->path, &f, err));
	assert_false(f.complete);
	assert_int_equal(f.ended, 1);
	qry_part_facts_done(&f);
	assert_sql(s->path, "SELECT count(*), sum(state = 'done') FROM run_captures", "2|1\n");

	k = begin_worker(s->path, 0);
	assert_sql(s->path, "SELECT count(*), sum(state = 'done') FROM run_captures", "1|1\n");
	assert_sql(s->path, "SELECT count(*), max(path) FROM captures", "1|1.scap\n");
	assert_int_equal(qry_part_wants(k.part, 1, NULL), 0);
	assert_int_equal(qry_part_wants(k.part, 2, NULL), 1);
	assert_int_equal(qry_part_wants(k.part, 3, NULL), 1);
	one_trace(&k, 3);
	assert_int_equal(end_worker(&k), 1);
	assert_sql(s->path, "SELECT trace, status, retries, run_capture_id FROM jobs",
		   "1|done|0|1\n3|done|1|2\n");
	assert_sql(s->path, "SELECT count(*) FROM alerts", "4\n");
	assert_consistent(s->path);
	OK(qry_part_look(s->path, &f, err));
	assert_true(f.complete);
	assert_int_equal(f.ended, 2);
	assert_int_equal(f.lost, 0);
	assert_null(qry_job_difference(&f.job, &job));
	qry_part_facts_done(&f);
	snprintf(wal, sizeof(wal), "%s-wal", s->path);
	assert_int_not_equal(access(wal, F_OK), 0);
}

static void what_is_not_kept_leaves_nothing_and_is_wanted_again(void **state)
{
	const struct scratch *s = *state;
	struct worker k = begin_worker(s->path, 0);
	struct qry_part_facts f;

	one_trace(&k, 1);
	write_trace(&k, 2);
	end_trace(&k, 2, QRY_TRACE_MISMATCH, 5);
	one_trace(&k, 3);
	assert_int_equal(qry_part_wants(k.part, 2, NULL), 1);
	assert_int_equal(end_worker(&k), 1 | 1 << 5);
	assert_sql(s->path, "SELECT trace, status, exit_status, run_capture_id FROM jobs",
		   "1|done|0|1\n2|mismatch|5|-\n3|done|0|2\n");
	assert_sql(s->path, "SELECT group_concat(path) FROM captures", "1.scap,3.scap\n");
	assert_sql(s->path, "SELECT count(*) FROM alerts", "4\n");
	assert_consistent(s->path);
	OK(qry_part_look(s->path, &f, err));
	assert_int_equal(f.lost, 1);
	assert_int_equal(f.exits, 1 | 1 << 5);
	qry_part_facts_done(&f);
}

static void a_part_that_somebody_writes_is_not_taken(void **state)
{
	const struct scratch *s = *state;
	struct worker k = begin_worker(s->path, 0);
	struct qry_part *part;
	struct qry_writer *w;
	struct error why = {0};

	OK(qry_part_open(s->path, &job, &part, err));
	w = open_case(s->path);
	assert_int_equal(qry_part_claim(part, &why), ERR_DB);
	assert_non_null(strstr(why.msg, "another program is writing"));
	qry_writer_abort(w);
	qry_part_close(part);
	one_trace(&k, 1);
	end_worker(&k);
}

static void parts_of_something_else_are_refused(void **state)
{
	const struct scratch *s = *state;
	struct qry_job other = job;
	struct qry_part *part;
	struct qry_part_facts f;
	struct error why = {0};

	make_part(s->path, 0, 1, 3);
	other.ruleset = "R";
	assert_string_equal(qry_job_difference(&job, &other), "rules");
	assert_int_equal(qry_part_open(s->path, &other, &part, &why), ERR_USAGE);
	assert_non_null(strstr(why.msg, "differs in: rules"));
	other = job;
	other.shard = 1;
	assert_int_equal(qry_part_open(s->path, &other, &part, &why), ERR_USAGE);
	assert_non_null(strstr(why.msg, "differs in: shard"));
	other = job;
	other.version = "9";
	assert_string_equal(qry_job_difference(&job, &other), "version of the program");
	other = job;
	other.options = "";
	assert_string_equal(qry_job_difference(&job, &other), "options");
	other = job;
	other.shards = 3;
	assert_string_equal(qry_job_difference(&job, &other), "list of captures");
	unlink(s->path);
	close_case(open_case(s->path));
	assert_int_equal(qry_part_look(s->path, &f, &why), ERR_FORMAT);
	assert_non_null(strstr(why.msg, "is a case, but no part"));
}

/* --- one case of all */

#define EVERYTHING                                                                                 \
	"SELECT 'r', run_id, run_capture_id, capture_id, seq, path FROM run_captures UNION ALL"    \
	" SELECT 'c', capture_id, reading_id, path, sha256, 0 FROM captures UNION ALL"             \
	" SELECT 'a', alert_id, run_capture_id, seq, process_id, rule_id FROM alerts UNION ALL"    \
	" SELECT 'p', process_id, parent_id, run_capture_id, comm, 0 FROM processes UNION ALL"     \
	" SELECT 'x', rowid, process_id, seq, evt_num, comm FROM execs UNION ALL"                  \
	" SELECT 'n', run_capture_id, rule_id, alerts, 0, 0 FROM alert_counts"

/* Return: how many parts were left out. */
static unsigned assemble(const char *out, const char *first, const char *second)
{
	const char *const paths[] = {first, second};
	struct qry_assembler *a;
	bool used[COUNT_OF(paths)], broken;
	struct error why = {0};
	unsigned left_out = 0;

	unlink(out);
	OK(qry_assembler_new(out, "0.1.0", &a, err));
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		used[i] = qry_assembler_survey(a, paths[i], &why) == 0;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (used[i])
			used[i] = qry_assembler_copy(a, paths[i], &broken, &why) == 0;
		if (!used[i] && !strstr(why.msg, paths[i]))
			fail_msg("it is not told which part is wrong: %s", why.msg);
		left_out += !used[i];
	}
	OK(qry_assembler_finish(a, 0, err));
	assert_consistent(out);
	return left_out;
}

static void parts_give_the_numbers_of_one_run(void **state)
{
	const struct scratch *s = *state;
	char one[160], two[160], want[16384];
	struct worker k = begin_worker(s->path, 0);

	for (uint64_t seq = 1; seq <= 4; seq++)
		one_trace(&k, seq);
	end_worker(&k);
	snprintf(want, sizeof(want), "%s", sql(s->path, EVERYTHING));
	assert_non_null(strstr(want, "a|10|4|4|17179869185|1\n"));

	path_of(one, s, "1.db");
	path_of(two, s, "2.db");
	make_part(one, 0, 1, 4);
	make_part(two, 1, 3, 2); /* nor does the order within matter */
	sql_run(two, "UPDATE jobs SET rss_kb = 7");
	assert_int_equal(assemble(s->path, one, two), 0);
	assert_sql(s->path, EVERYTHING, want);
	assert_sql(s->path, "SELECT trace, shard, run_capture_id FROM jobs",
		   "1|0|1\n2|1|2\n3|1|3\n4|0|4\n");
	assert_sql(s->path, "SELECT shard, complete FROM job_parts", "0|1\n1|1\n");
	assert_sql(s->path, "SELECT run_id, state, exit_status, command FROM runs",
		   "1|finished|0|scapula replay host7.scap\n");
}

static void a_column_of_numbers_that_nobody_knows_is_refused(void **state)
{
	const struct scratch *s = *state;
	struct qry_assembler *a;
	struct error why = {0};

	close_case(open_case(s->path));
	sql_run(s->path, "ALTER TABLE damage ADD COLUMN other_id INTEGER");
	assert_int_equal(qry_assembler_new(s->path, "0.1.0", &a, &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.msg, "other_id"));
}

static void nothing_of_a_part_that_makes_no_sense_gets_into_the_case(void **state)
{
	static const char *const changes[] = {
	    "UPDATE alerts SET seq = 4000000000 WHERE alert_id = 1",
	    "UPDATE alerts SET seq = 0 WHERE alert_id = 1",
	    "UPDATE alerts SET process_id = 99 << 32 | 1 WHERE alert_id = 1",
	    "UPDATE alerts SET rule_id = 99 WHERE alert_id = 1",
	    "UPDATE alerts SET run_capture_id = 99 WHERE alert_id = 1",
	    "UPDATE alert_counts SET alerts = -1",
	    "UPDATE alert_counts SET alerts = 1 << 40",
	    "UPDATE jobs SET trace = -trace",
	    "UPDATE jobs SET run_capture_id = NULL",
	    "UPDATE jobs SET run_capture_id = 1 - run_capture_id",
	    "UPDATE run_captures SET capture_id = -capture_id",
	    "UPDATE captures SET reading_id = 77",
	    "UPDATE captures SET capture_id = capture_id + 10",
	    "UPDATE processes SET parent_id = -1",
	    "UPDATE execs SET rowid = rowid * 1000",
	    "INSERT INTO users (run_capture_id, container_id, uid) VALUES (77, '', 0)",
	    "INSERT INTO execs (process_id, seq, ts, evt_num, evt_offset, uid) VALUES (99 << 32, "
	    "1, 1, 1, 1, 1)",
	    "UPDATE rules SET digest = 'other'",
	    "DELETE FROM rules",
	    "DROP TABLE files",
	    "DROP TABLE files; CREATE VIEW files AS SELECT 'x' AS process_id",
	    "ALTER TABLE dns_names RENAME COLUMN server TO other",
	    "DROP TABLE users; CREATE TABLE users (run_capture_id, container_id, uid, name, gid, "
	    "home, shell);"
	    "INSERT INTO users VALUES (1, '', 'text', 'a', 0, '', '')",
	    "DROP TABLE jobs",
	};
	const struct scratch *s = *state;
	char good[160], bad[160];

	path_of(good, s, "good.db");
	path_of(bad, s, "bad.db");
	make_part(good, 0, 1, 3);
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		make_part(bad, 1, 2, 4);
		sql_run(bad, changes[i]);
		if (assemble(s->path, good, bad) != 1)
			fail_msg("taken: %s", changes[i]);
		assert_sql(s->path, "SELECT group_concat(path) FROM captures", "1.scap,3.scap\n");
		assert_sql(s->path, "SELECT count(*) FROM alerts", "4\n");
		assert_sql(s->path, "SELECT count(*) FROM jobs", "2\n");
		unlink(bad);
	}
}

static void damage_of_a_part_is_noticed_wherever_it_is(void **state)
{
	const struct scratch *s = *state;
	char good[160], bad[160];
	struct stat st;

	path_of(good, s, "good.db");
	path_of(bad, s, "bad.db");
	make_part(good, 0, 1, 3);
	make_part(bad, 1, 2, 4);
	assert_int_equal(stat(bad, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 8192 * 3) {
		char page[512], zeros[512] = {0};
		FILE *f = fopen(bad, "rb+");

		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_equal(fread(page, 1, sizeof(page), f), sizeof(page));
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_equal(fwrite(zeros, 1, sizeof(zeros), f), sizeof(zeros));
		assert_int_equal(fclose(f), 0);
		assert_int_equal(assemble(s->path, good, bad), 1);
		f = fopen(bad, "rb+");
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_equal(fwrite(page, 1, sizeof(page), f), sizeof(page));
		assert_int_equal(fclose(f), 0);
	}
	assert_int_equal(assemble(s->path, good, bad), 0);
}

/* --- an earlier case */

static const char sha_of_2[] = "0202020202020202020202020202020202020202020202020202020202020202";

static void a_reading_of_an_earlier_case_is_taken_over(void **state)
{
	const struct scratch *s = *state;
	char old[160];
	struct worker k;
	struct qry_reuse *r;
	struct qry_trace_result result = {0};
	size_t n;

	path_of(old, s, "old.db");
	make_part(old, 1, 4, 2);
	k = begin_worker(s->path, 0);
	one_trace(&k, 1);
	OK(qry_reuse_open(old, k.part, &job, &r, err));
	qry_reuse_new_rules(r, &n);
	assert_int_equal(n, 0);
	assert_int_equal(qry_reuse_find(r, "0303", &result, NULL), 0);
	assert_int_equal(qry_reuse_find(r, sha_of_2, &result, NULL), 1);
	assert_int_equal(result.status, QRY_TRACE_DONE);
	assert_int_equal(result.events, 5);
	assert_int_equal(qry_reuse_alerts(r, RULE_NOTICE, NULL), 2);
	assert_int_equal(qry_reuse_alerts(r, RULE_NOTICE - 1, NULL), 0);
	OK(qry_part_begin(k.part, 2, sha_of_2, "other name", "here", err));
	OK(qry_reuse_take(r, "other name", err));
	OK(qry_part_end(k.part, 2, &result, err));
	qry_reuse_close(r);
	one_trace(&k, 3); /* the writer goes on behind it */
	end_worker(&k);
	assert_consistent(s->path);
	assert_sql(s->path, "SELECT trace, status, run_capture_id, events FROM jobs",
		   "1|done|1|5\n2|done|2|5\n3|done|3|5\n");
	assert_sql(s->path, "SELECT alert_id, run_capture_id, seq, process_id >> 32 FROM alerts",
		   "1|1|1|1\n2|2|1|2\n3|2|2|2\n4|3|1|3\n5|3|2|3\n6|3|3|3\n");
	assert_sql(s->path, "SELECT group_concat(path) FROM captures",
		   "1.scap,other name,3.scap\n");
	assert_sql(s->path, "SELECT group_concat(process_id >> 32) FROM execs", "1,1,2,2,3,3\n");
}

static void an_earlier_case_that_makes_no_sense_leaves_nothing(void **state)
{
	static const char *const changes[] = {
	    "UPDATE alerts SET seq = seq + 4000000000",
	    "UPDATE alerts SET rule_id = 99",
	    "UPDATE captures SET reading_id = 77",
	    "UPDATE processes SET parent_id = -1",
	    "UPDATE execs SET rowid = rowid * 1000",
	    "DROP TABLE files; CREATE TABLE files (process_id)",
	};
	const struct scratch *s = *state;
	char old[160];

	path_of(old, s, "old.db");
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct worker k;
		struct qry_reuse *r;
		struct qry_trace_result result = {0};
		struct error why = {0};

		make_part(old, 1, 4, 2);
		sql_run(old, changes[i]);
		k = begin_worker(s->path, 0);
		OK(qry_reuse_open(old, k.part, &job, &r, err));
		assert_int_equal(qry_reuse_find(r, sha_of_2, &result, NULL), 1);
		OK(qry_part_begin(k.part, 2, sha_of_2, "x", "here", err));
		if (qry_reuse_take(r, "x", &why) != ERR_FORMAT)
			fail_msg("taken: %s", changes[i]);
		qry_reuse_close(r);
		assert_sql(s->path,
			   "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM alerts)",
			   "0|0\n");
		one_trace(&k, 2);
		end_worker(&k);
		assert_consistent(s->path);
		unlink(old);
		unlink(s->path);
	}
}

static void an_earlier_case_of_something_else_is_not_used(void **state)
{
	const struct scratch *s = *state;
	struct qry_job other = job;
	char old[160], plain[160];
	struct worker k;
	struct qry_reuse *r;
	struct error why = {0};

	path_of(old, s, "old.db");
	path_of(plain, s, "plain.db");
	make_part(old, 1, 4, 2);
	close_case(open_case(plain));
	k = begin_worker(s->path, 0);
	other.version = "0.2.0";
	assert_int_equal(qry_reuse_open(old, k.part, &other, &r, &why), ERR_UNSUPPORTED);
	other = job;
	other.options = "matching=all";
	assert_int_equal(qry_reuse_open(old, k.part, &other, &r, &why), ERR_UNSUPPORTED);
	assert_int_equal(qry_reuse_open(plain, k.part, &job, &r, &why), ERR_UNSUPPORTED);
	sql_run(old, "UPDATE job_parts SET complete = 0");
	assert_int_equal(qry_reuse_open(old, k.part, &job, &r, &why), ERR_UNSUPPORTED);
	end_worker(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	    T(a_part_goes_on_with_the_trace_it_was_at),
	    T(what_is_not_kept_leaves_nothing_and_is_wanted_again),
	    T(a_part_that_somebody_writes_is_not_taken),
	    T(parts_of_something_else_are_refused),
	    T(parts_give_the_numbers_of_one_run),
	    T(a_column_of_numbers_that_nobody_knows_is_refused),
	    T(nothing_of_a_part_that_makes_no_sense_gets_into_the_case),
	    T(damage_of_a_part_is_noticed_wherever_it_is),
	    T(a_reading_of_an_earlier_case_is_taken_over),
	    T(an_earlier_case_that_makes_no_sense_leaves_nothing),
	    T(an_earlier_case_of_something_else_is_not_used),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
