/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what is and what is not a case; what is left of it when things go wrong. */
#include "query/tests/case_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Nobody waits in tests: a lock is reported at once. */
static const struct qry_writer_options impatient = {
    .queue_bytes = QRY_QUEUE_BYTES, .busy_ms = 0, .idle_ms = 1};

static void assert_refused(const char *path, int code, const char *words)
{
	struct qry_writer *w = NULL;
	struct error err = {0};

	assert_int_equal(qry_writer_open_with(path, &test_run, &impatient, &w, &err), code);
	assert_null(w);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, words) || !strstr(err.msg, path))
		fail_msg("'%s' or '%s' is not in: %s", words, path, err.msg);
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* A hash of the file's bytes. */
static uint64_t fingerprint(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint64_t h = 14695981039346656037u;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		h = (h ^ (uint64_t)c) * 1099511628211u;
	fclose(f);
	return h;
}

/* A case with one finished run over one capture. */
static void make_case(const char *path)
{
	struct qry_writer *w = open_case(path);
	const struct qry_process p = a_process(1, "sh");

	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	end_capture(w, 1);
	close_case(w);
}

/* --- opening */

static void a_case_is_for_its_owner_only(void **state)
{
	const struct scratch *s = *state;
	mode_t before = umask(0);
	struct qry_writer *w = open_case(s->path);
	char wal[128];
	struct stat st;

	OK(qry_writer_flush(w, err));
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", s->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close_case(w);
	umask(before);
	assert_int_not_equal(stat(wal, &st), 0); /* one file is left */
}

static void a_case_has_its_own_identity(void **state)
{
	const struct scratch *s = *state;

	make_case(s->path);
	assert_sql(s->path, "PRAGMA application_id", "1399025772\n");
	assert_sql(s->path, "PRAGMA user_version", "3\n");
	assert_sql(s->path, "PRAGMA journal_mode", "wal\n");
	assert_sql(
	    s->path,
	    "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%STRICT%'", "");
	assert_consistent(s->path);
}

static void an_existing_case_is_added_to(void **state)
{
	const struct scratch *s = *state;

	make_case(s->path);
	make_case(s->path);
	assert_sql(s->path, "SELECT run_id, status FROM v_run", "1|finished\n2|finished\n");
	assert_sql(s->path, "SELECT run_id, comm FROM v_process", "2|sh\n");
	assert_consistent(s->path);
}

static void an_empty_file_becomes_a_case(void **state)
{
	const struct scratch *s = *state;

	write_file(s->path, "", 0);
	make_case(s->path);
	assert_sql(s->path, "SELECT count(*) FROM runs", "1\n");
}

static void names_sqlite_would_interpret_are_files(void **state)
{
	static const char *const names[] = {":memory:", "file:x?mode=memory"};
	const struct scratch *s = *state;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	assert_int_equal(chdir(s->dir), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		make_case(names[i]);
		assert_int_equal(stat(names[i], &st), 0);
		assert_true(st.st_size > 0);
	}
	assert_int_equal(fchdir(here), 0);
	close(here);
}

static void a_file_that_is_no_database_is_refused_and_kept(void **state)
{
	static const char text[] =
	    "#!/bin/sh\necho this is not a database, and it is longer than a "
	    "database header of one hundred bytes, which SQLite looks at first\n";
	const struct scratch *s = *state;
	uint64_t before;

	write_file(s->path, text, sizeof(text) - 1);
	before = fingerprint(s->path);
	assert_refused(s->path, ERR_DB, "no SQLite database");
	assert_int_equal(fingerprint(s->path), before);
}

static void a_database_of_another_program_is_refused_and_kept(void **state)
{
	const struct scratch *s = *state;
	uint64_t before;

	sql_run(s->path, "CREATE TABLE bookmarks (url TEXT)");
	before = fingerprint(s->path);
	assert_refused(s->path, ERR_DB, "not a case (application_id is 0");
	assert_int_equal(fingerprint(s->path), before);
	sql_run(s->path, "PRAGMA application_id = 77");
	assert_refused(s->path, ERR_DB, "not a case (application_id is 77");
}

static void a_case_of_a_newer_program_is_refused_and_kept(void **state)
{
	const struct scratch *s = *state;
	uint64_t before;

	make_case(s->path);
	sql_run(s->path, "PRAGMA user_version = 4");
	before = fingerprint(s->path);
	assert_refused(s->path, ERR_DB, "schema version 4, this program knows versions up to 3");
	assert_int_equal(fingerprint(s->path), before);
	sql_run(s->path, "PRAGMA user_version = -3");
	assert_refused(s->path, ERR_DB, "damaged: its schema version is -3");
}

static void a_case_without_its_tables_is_refused(void **state)
{
	const struct scratch *s = *state;

	make_case(s->path);
	sql_run(s->path, "DROP VIEW v_alert; DROP TABLE alerts");
	assert_refused(s->path, ERR_DB, "no such table: alerts");
}

static void a_case_with_overwritten_pages_is_refused(void **state)
{
	const struct scratch *s = *state;
	FILE *f;

	make_case(s->path);
	f = fopen(s->path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 100, SEEK_SET), 0); /* after the header: the schema's root */
	for (int i = 0; i < 4000; i++)
		assert_int_not_equal(fputc(0xa5, f), EOF);
	assert_int_equal(fclose(f), 0);
	assert_refused(s->path, ERR_DB, "is damaged");
}

static void triggers_somebody_left_in_a_case_do_not_run(void **state)
{
	const struct scratch *s = *state;

	make_case(s->path);
	sql_run(s->path, "CREATE TRIGGER t AFTER INSERT ON processes BEGIN "
			 "UPDATE processes SET comm = 'forged'; END");
	make_case(s->path);
	assert_sql(s->path, "SELECT DISTINCT comm FROM processes", "sh\n");
}

static void creating_does_not_follow_a_symbolic_link(void **state)
{
	const struct scratch *s = *state;
	char target[128];

	snprintf(target, sizeof(target), "%s/target", s->dir);
	assert_int_equal(symlink(target, s->path), 0);
	assert_refused(s->path, ERR_IO, "cannot open case");
	assert_int_not_equal(access(target, F_OK), 0);
}

static void a_missing_directory_is_named(void **state)
{
	const struct scratch *s = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/none/t.case.db", s->dir);
	assert_refused(path, ERR_IO, "No such file or directory");
	assert_refused(s->dir, ERR_IO, "cannot open case");
}

/* As a user who may not write here; root may everywhere. */
static void as_nobody(bool on)
{
	if (geteuid() == 0 || !on)
		assert_int_equal(seteuid(on ? 65534 : getuid()), 0);
}

static void a_read_only_directory_is_refused(void **state)
{
	const struct scratch *s = *state;

	assert_int_equal(chmod(s->dir, 0555), 0);
	as_nobody(true);
	assert_refused(s->path, ERR_IO, "cannot create case");
	as_nobody(false);
	assert_int_equal(chmod(s->dir, 0755), 0);
}

static void a_read_only_case_is_refused(void **state)
{
	const struct scratch *s = *state;

	make_case(s->path);
	assert_int_equal(chmod(s->path, 0444), 0);
	assert_int_equal(chmod(s->dir, 0555), 0);
	as_nobody(true);
	assert_refused(s->path, ERR_DB, "read-only");
	as_nobody(false);
	assert_int_equal(chmod(s->dir, 0755), 0);
}

static void a_writable_case_in_a_read_only_directory_is_refused(void **state)
{
	const struct scratch *s = *state;
	struct qry_writer *w = NULL;
	struct error err = {0};
	int rc;

	make_case(s->path);
	assert_int_equal(chmod(s->path, 0666), 0);
	assert_int_equal(chmod(s->dir, 0555), 0);
	as_nobody(true);
	rc = qry_writer_open_with(s->path, &test_run, &impatient, &w, &err);
	as_nobody(false);
	assert_int_equal(chmod(s->dir, 0755), 0);
	assert_true(rc == ERR_DB || rc == ERR_IO);
	assert_non_null(strstr(err.msg, s->path));
	assert_sql(s->path, "SELECT count(*) FROM runs", "1\n");
}

static void a_locked_case_is_refused(void **state)
{
	const struct scratch *s = *state;
	sqlite3 *other = NULL;

	make_case(s->path);
	assert_int_equal(sqlite3_open(s->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_refused(s->path, ERR_DB, "locked by another program");
	sqlite3_close(other);
	make_case(s->path);
}

static void a_lock_taken_during_the_run_is_the_next_calls_failure(void **state)
{
	const struct scratch *s = *state;
	const struct qry_process p = a_process(1, "sh");
	struct qry_writer *w = NULL;
	sqlite3 *other = NULL;
	struct error why = {0};

	OK(qry_writer_open_with(s->path, &test_run, &impatient, &w, err));
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_writer_flush(w, err));
	assert_int_equal(sqlite3_open(s->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	OK(qry_process_start(w, &p, err));
	assert_int_equal(qry_writer_flush(w, &why), ERR_DB);
	assert_non_null(strstr(why.msg, "locked by another program"));
	sqlite3_close(other);
	assert_int_equal(qry_writer_close(w, 0, NULL), ERR_DB);
}

static void two_writers_take_turns_in_one_case(void **state)
{
	const struct scratch *s = *state;
	struct qry_writer *w[2] = {open_case(s->path), open_case(s->path)};

	for (unsigned i = 0; i < 2; i++)
		OK(qry_capture_begin(w[i], i ? "b.scap" : "a.scap", err));
	for (uint64_t key = 1; key <= 300; key++) {
		const struct qry_process p = a_process(key, "sh");

		for (unsigned i = 0; i < 2; i++)
			OK(qry_process_start(w[i], &p, err));
		if (key % 100 == 0)
			OK(qry_writer_flush(w[key / 100 % 2], err));
	}
	for (unsigned i = 0; i < 2; i++) {
		end_capture(w[i], 7); /* the same bytes under two names */
		close_case(w[i]);
	}
	assert_sql(s->path, "SELECT run_capture_id, count(*) FROM processes GROUP BY 1",
		   "1|300\n2|300\n");
	assert_sql(s->path, "SELECT count(*) FROM captures", "1\n");
	assert_consistent(s->path);
}

/* --- migrations */

static const char *const step_1[] = {"CREATE TABLE t (a INTEGER) STRICT",
				     "CREATE TABLE meta (name TEXT, value TEXT) STRICT", NULL};
static const char *const step_2[] = {"ALTER TABLE t ADD COLUMN b TEXT",
				     "UPDATE t SET b = 'from ' || a", NULL};
static const char *const step_3[] = {"CREATE INDEX i ON t (b)", NULL};
static const char *const step_bad[] = {"DELETE FROM t", "CREATE TABLE t (again INTEGER)", NULL};

static int upgrade(const char *path, const struct qry_migration *steps, int version,
		   struct error *err)
{
	sqlite3 *db = NULL;
	int rc;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(qry_fingerprint_register(db), SQLITE_OK);
	rc = qry_schema_upgrade(db, path, "0.1.0", steps, version, err);
	assert_int_equal(sqlite3_get_autocommit(db), 1);
	sqlite3_close(db);
	return rc;
}

static void an_older_case_is_migrated_step_by_step(void **state)
{
	static const struct qry_migration steps[] = {
	    {step_1, NULL}, {step_2, NULL}, {step_3, NULL}};
	const struct scratch *s = *state;

	OK(upgrade(s->path, steps, 1, err));
	sql_run(s->path, "INSERT INTO t VALUES (42)");
	OK(upgrade(s->path, steps, 3, err));
	assert_sql(s->path, "PRAGMA user_version", "3\n");
	assert_sql(s->path, "SELECT a, b FROM t", "42|from 42\n");
	assert_sql(s->path, "SELECT count(*) FROM meta", "2\n"); /* created once */
	OK(upgrade(s->path, steps, 3, err));
	assert_sql(s->path, "SELECT a, b FROM t", "42|from 42\n");
}

static void a_migration_that_fails_changes_nothing(void **state)
{
	static const struct qry_migration steps[] = {
	    {step_1, NULL}, {step_2, NULL}, {step_bad, NULL}};
	const struct scratch *s = *state;
	struct error why = {0};

	OK(upgrade(s->path, steps, 1, err));
	sql_run(s->path, "INSERT INTO t VALUES (42)");
	assert_int_equal(upgrade(s->path, steps, 3, &why), ERR_DB);
	assert_non_null(strstr(why.msg, "table t already exists"));
	assert_sql(s->path, "PRAGMA user_version", "1\n");
	assert_sql(s->path, "SELECT * FROM t", "42\n");
}

/* A case as the first version wrote it: two runs over one capture, which found the same alert. */
static void fill_first_version(const char *path)
{
	OK(upgrade(path, qry_migrations, 1, err));
	sql_run(
	    path,
	    "INSERT INTO runs VALUES (1, '0.1.0', 'replay', 'first', 1, 2, 'finished', 0),"
	    " (2, '0.1.0', 'replay', 'first', 3, NULL, 'running', NULL);"
	    "INSERT INTO captures (capture_id, sha256, path, interrupted) VALUES (1, 'aa', 'x', 0);"
	    "INSERT INTO run_captures (run_capture_id, run_id, capture_id, seq, path, events,"
	    " interrupted) VALUES (1, 1, 1, 1, 'x', 9, 0), (2, 2, 1, 1, 'x', NULL, 1);"
	    "INSERT INTO rules VALUES (1, 'd', 'A rule', NULL, 'syscall', 4, NULL, NULL, NULL, "
	    "'[]');"
	    "INSERT INTO run_rules VALUES (1, 0, 1, 1, 'r', 1);"
	    "INSERT INTO rule_files VALUES (1, 1, 'r', 'bb', 1);"
	    "INSERT INTO damage VALUES (1, 1, 5, NULL, 'event', 'x');"
	    "INSERT INTO processes (process_id, run_capture_id, pid, origin, uid, loginuid, tty)"
	    " VALUES (4294967297, 1, 7, 'list', 0, 0, 0);"
	    "INSERT INTO execs VALUES (4294967297, 1, 5, 2, 3, 0, 'sh', 'sh', '/bin/sh', 'sh', '/',"
	    " '[]');"
	    "INSERT INTO alerts VALUES (1, 1, 1, 1, 5, 2, 3, 7, 7, 4294967297, 4, 'syscall', 'out',"
	    " '{\"proc.name\":\"sh\",\"proc.pid\":7}'),"
	    " (2, 2, 1, 1, 5, 2, 3, 7, 7, NULL, 4, 'syscall', 'out',"
	    " '{\"proc.name\":\"sh\",\"proc.pid\":8}')");
}

static void a_case_of_the_first_version_keeps_every_row(void **state)
{
	static const char *const tables[] = {"runs",  "captures",  "run_captures", "damage",
					     "rules", "run_rules", "rule_files",   "processes",
					     "execs", "alerts",	   "priorities",   "meta"};
	const struct scratch *s = *state;
	char *before[COUNT_OF(tables)], q[96];

	fill_first_version(s->path);
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		snprintf(q, sizeof(q), "SELECT count(*) FROM %s", tables[i]);
		before[i] = strdup(sql(s->path, q));
	}
	close_case(open_case(s->path));
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		snprintf(q, sizeof(q), "SELECT count(*) - %d FROM %s",
			 strcmp(tables[i], "runs") == 0, tables[i]);
		assert_sql(s->path, q, before[i]);
		free(before[i]);
	}
	assert_sql(s->path, "PRAGMA integrity_check", "ok\n");
	assert_sql(s->path, "SELECT count(*), min(alert_id), max(hostname) FROM v_alert",
		   "1|1|-\n");
	assert_sql(s->path, "SELECT alert_id, repeats FROM alerts", "1|-\n2|1\n");
	assert_sql(s->path, "SELECT count(DISTINCT fingerprint), min(fingerprint) <> 0 FROM alerts",
		   "1|1\n");
	assert_sql(s->path, "SELECT rule, alerts FROM v_rule_count", "A rule|1\n");
	assert_sql(s->path, "SELECT pid, exepath FROM v_process", "7|/bin/sh\n");
}

static void a_case_of_the_second_version_keeps_every_row(void **state)
{
	const struct scratch *s = *state;

	fill_first_version(s->path);
	OK(upgrade(s->path, qry_migrations, 2, err));
	sql_run(s->path, "INSERT INTO notes (author, text) VALUES ('me', 'seen')");
	close_case(open_case(s->path));
	assert_sql(s->path, "SELECT name, sha256 FROM rule_files", "r|bb\n");
	assert_sql(s->path, "SELECT count(*) FROM rule_texts",
		   "0\n"); /* what it said is not known */
	assert_sql(s->path, "SELECT author, text FROM notes", "me|seen\n");
	assert_sql(s->path, "SELECT count(*) FROM alerts", "2\n");
	assert_sql(s->path, "PRAGMA integrity_check", "ok\n");
}

/* What the program of that version wrote, as text. */
static char *fixture(void)
{
	FILE *f = fopen(SOURCE_DIR "/query/tests/case_1.sql", "r");
	char *text = calloc(1, 1 << 16);

	assert_non_null(f);
	assert_non_null(text);
	assert_in_range(fread(text, 1, (1 << 16) - 1, f), 1, (1 << 16) - 2);
	fclose(f);
	return text;
}

static void a_case_that_the_first_program_wrote_is_brought_up_to_date(void **state)
{
	const struct scratch *s = *state;
	char *text = fixture();

	sql_run(s->path, text);
	free(text);
	close_case(open_case(s->path));
	assert_consistent(s->path);
	assert_sql(s->path, "PRAGMA user_version", "3\n");
	assert_sql(s->path, "SELECT count(*), count(repeats) FROM alerts", "30|15\n");
	assert_sql(s->path, "SELECT count(*), sum(fingerprint_key <> 0) FROM v_alert", "15|15\n");
	assert_sql(s->path, "SELECT rule, alerts FROM v_rule_count", "Connected|15\n");
	assert_sql(s->path, "SELECT count(*) FROM v_process", "2\n");
	assert_sql(s->path, "SELECT path, interrupted, runs FROM v_capture", "network.scap|0|2\n");
}

/* --- what is left */

/* Write until a call fails. Return: that failure. */
static int write_until_failure(struct qry_writer *w, struct error *err)
{
	int rc = 0;

	for (uint64_t key = 1; key < 1000000 && rc == 0; key++) {
		const struct qry_process p = a_process(key, "sh");

		rc = qry_process_start(w, &p, err);
		if (rc == 0 && key % 500 == 0)
			rc = qry_writer_flush(w, err);
	}
	return rc;
}

static void assert_usable_after_disk_full(const char *path)
{
	assert_consistent(path);
	assert_sql(path, "SELECT status FROM v_run", "unfinished\n");
	assert_sql(path, "SELECT count(*) > 0, count(*) % 500 FROM processes", "1|0\n");
}

static void a_full_disk_is_an_error_that_keeps_what_was_written(void **state)
{
	const struct scratch *s = *state;
	struct rlimit before, tight;
	struct qry_writer *w;
	struct error why = {0};
	int rc;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	w = open_case(s->path);
	OK(qry_capture_begin(w, "a.scap", err));
	tight = before;
	tight.rlim_cur = 2 << 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	rc = write_until_failure(w, &why);
	assert_int_equal(qry_writer_close(w, 0, NULL), rc);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, ERR_IO);
	if (!strstr(why.msg, "disk full") || !strstr(why.msg, s->path) ||
	    !strstr(why.msg, "what was written before stays"))
		fail_msg("%s", why.msg);
	assert_usable_after_disk_full(s->path);
}

/* In a mount namespace of its own, so that nothing is left mounted. Exit: 0, 77 to skip, 1. */
static int fill_a_small_disk(const char *dir)
{
	struct qry_writer *w = NULL;
	struct error err = {0};
	char path[96];
	int rc;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir, "tmpfs", 0, "size=1m") < 0)
		return 77;
	snprintf(path, sizeof(path), "%s/t.case.db", dir);
	if (qry_writer_open(path, &test_run, &w, &err) < 0 ||
	    qry_capture_begin(w, "a.scap", &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	rc = write_until_failure(w, &err);
	if (rc != ERR_IO || !strstr(err.msg, "disk full") || qry_writer_close(w, 0, NULL) != rc) {
		fprintf(stderr, "%d: %s\n", rc, err.msg);
		return 1;
	}
	assert_usable_after_disk_full(path);
	return 0;
}

static int exit_status_of(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void a_full_file_system_is_the_same(void **state)
{
	const struct scratch *s = *state;
	pid_t child = fork();
	int rc;

	assert_true(child >= 0);
	if (child == 0)
		_exit(fill_a_small_disk(s->dir));
	rc = exit_status_of(child);
	if (rc == 77)
		skip(); /* may not mount */
	assert_int_equal(rc, 0);
}

/* Write @rows rows and die. With @flush the last full hundred is committed before. */
static void write_and_die(const char *path, uint64_t rows, bool flush)
{
	struct qry_writer *w = open_case(path);
	struct error err;

	/* There is a case, and the run in it. */
	if (qry_writer_flush(w, &err) < 0 || qry_capture_begin(w, "a.scap", &err) < 0)
		_exit(1);
	for (uint64_t key = 1; key <= rows; key++) {
		const struct qry_process p = a_process(key, "sh");
		const struct qry_exec x = an_exec(key, 1, "ls");

		if (qry_process_start(w, &p, &err) < 0 || qry_process_exec(w, &x, &err) < 0 ||
		    (key > 1 && qry_process_end(w, key - 1, T0, 9, 0, &err) < 0))
			_exit(1);
		if (flush && key % 100 == 0 && qry_writer_flush(w, &err) < 0)
			_exit(1);
	}
	raise(SIGKILL);
}

static void a_killed_run_leaves_a_consistent_case_marked_unfinished(void **state)
{
	static const uint64_t rows[] = {0, 1, 50, 250, 1365, 1366, 3000, 10000};
	const struct scratch *s = *state;
	char expected[64];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			write_and_die(s->path, rows[i], i % 2);
		assert_int_equal(exit_status_of(child), 128 + SIGKILL);
		assert_consistent(s->path);
		snprintf(expected, sizeof(expected), "%zu|unfinished|-\n", i + 1);
		assert_sql(
		    s->path,
		    "SELECT run_id, status, finished FROM v_run ORDER BY run_id DESC LIMIT 1",
		    expected);
		/* Whatever arrived is a beginning of what was sent, at least up to the flush. */
		snprintf(expected, sizeof(expected), "1|%d\n", 1);
		assert_sql(s->path,
			   "SELECT ifnull(max(process_id & 0xffffffff), 0) = count(*), "
			   "count(*) = sum(execs) + (count(*) > sum(execs)) OR count(*) = 0 "
			   "FROM v_process WHERE run_id = (SELECT max(run_id) FROM runs)",
			   expected);
		if (i % 2) {
			char q[160];

			snprintf(q, sizeof(q),
				 "SELECT count(*) >= %llu FROM v_process WHERE run_id = %zu",
				 (unsigned long long)(rows[i] / 100 * 100), i + 1);
			assert_sql(s->path, q, "1\n");
		}
	}
	make_case(s->path); /* and the case goes on */
	assert_sql(s->path, "SELECT status, count(*) FROM v_run GROUP BY 1",
		   "finished|1\nunfinished|8\n");
}

static void an_aborted_run_keeps_its_rows_and_stays_unfinished(void **state)
{
	const struct scratch *s = *state;
	struct qry_writer *w = open_case(s->path);
	const struct qry_process p = a_process(1, "sh");

	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_process_start(w, &p, err));
	qry_writer_abort(w);
	assert_sql(s->path, "SELECT status FROM v_run", "unfinished\n");
	assert_sql(s->path, "SELECT comm FROM processes", "sh\n");
}

static struct qry_row process_row(uint64_t key)
{
	struct qry_row row = {.op = QRY_OP_PROCESS, .count = 18};

	row.value[0] = qry_u64(key);
	row.value[6] = qry_text(SV_LIT("clone"));
	for (unsigned i = 9; i <= 11; i++)
		row.value[i] = qry_int(0);
	return row;
}

static void the_end_of_a_capture_is_committed_with_that_of_the_run(void **state)
{
	const struct scratch *s = *state;
	struct qry_row begin = {.op = QRY_OP_CAPTURE_BEGIN, .count = 1};
	struct qry_row end = {.op = QRY_OP_CAPTURE_END, .count = 23};
	struct qry_row finish = {.op = QRY_OP_FINISH, .count = 2};
	struct qry_store store;
	sqlite3 *db = NULL;

	OK(qry_db_open(s->path, "0.1.0", 0, &db, err));
	OK(qry_store_init(&store, db, s->path, &test_run, err));
	begin.value[0] = qry_text(SV_LIT("a.scap"));
	end.value[2] = end.value[22] = qry_int(0);
	OK(qry_store_apply(&store, &begin, err));
	assert_true(store.in_transaction);
	OK(qry_store_apply(&store, &end, err));
	assert_true(store.in_transaction);
	OK(qry_store_use_pause(&store, err));
	assert_sql(s->path, "SELECT count(*) FROM captures", "0\n");
	begin.value[0] = qry_text(SV_LIT("b.scap"));
	OK(qry_store_apply(&store, &begin, err)); /* another capture: that of the first is over */
	assert_sql(s->path, "SELECT path, interrupted FROM captures", "a.scap|0\n");
	OK(qry_store_apply(&store, &end, err));
	OK(qry_store_apply(&store, &finish, err));
	OK(qry_store_commit(&store, err));
	qry_store_done(&store);
	assert_sql(s->path, "SELECT path, interrupted FROM captures", "a.scap|0\nb.scap|0\n");
	assert_sql(s->path, "SELECT status FROM v_run", "finished\n");
}

static void apply_processes(struct qry_store *store, uint64_t from, uint64_t to)
{
	for (uint64_t key = from; key < to; key++) {
		struct qry_row row = process_row(key);

		assert_true(store->in_transaction);
		OK(qry_store_apply(store, &row, err));
		OK(qry_store_pace(store, err));
	}
}

static void rows_are_committed_in_batches(void **state)
{
	const struct scratch *s = *state;
	struct qry_row begin = {.op = QRY_OP_CAPTURE_BEGIN, .count = 1};
	struct qry_row more = process_row(QRY_BATCH_ROWS + QRY_BATCH_LEAST + 1);
	struct qry_store store;
	sqlite3 *db = NULL;

	OK(qry_db_open(s->path, "0.1.0", 0, &db, err));
	OK(qry_store_init(&store, db, s->path, &test_run, err));
	begin.value[0] = qry_text(SV_LIT("a.scap"));
	OK(qry_store_apply(&store, &begin, err));
	store.began = INT64_MAX; /* a transaction that is always young */
	apply_processes(&store, 1, QRY_BATCH_ROWS);
	assert_false(store.in_transaction);
	assert_sql(s->path, "SELECT count(*) FROM processes", "65535\n");
	OK(qry_store_apply(&store, &begin, err));
	store.began = 0; /* one that is old */
	apply_processes(&store, 1, QRY_BATCH_LEAST);
	assert_false(store.in_transaction);
	assert_sql(s->path, "SELECT count(*) FROM processes", "69630\n");
	OK(qry_store_apply(&store, &more, err));
	qry_store_done(&store); /* without a commit */
	assert_sql(s->path, "SELECT count(*) FROM processes", "69630\n");
}

/* --- signals */

static bool task_blocks_sigint(const char *tid)
{
	char path[320], line[256];
	unsigned long long mask = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "SigBlk:", 7) == 0)
			mask = strtoull(line + 7, NULL, 16);
	fclose(f);
	return mask >> (SIGINT - 1) & 1;
}

static void the_writer_thread_leaves_signals_to_the_others(void **state)
{
	const struct scratch *s = *state;
	struct qry_writer *w = open_case(s->path);
	DIR *d = opendir("/proc/self/task");
	unsigned own = 0, writers = 0;

	assert_non_null(d);
	/* A new thread starts with all blocked, whatever it will have: wait until it has worked. */
	OK(qry_capture_begin(w, "a.scap", err));
	OK(qry_writer_flush(w, err));
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if (atoi(e->d_name) == getpid())
			own += task_blocks_sigint(e->d_name);
		else
			writers += task_blocks_sigint(e->d_name);
	}
	closedir(d);
	assert_int_equal(own, 0);
	assert_int_equal(writers, 1);
	close_case(w);
}

int main(void)
{
#define CASE_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    CASE_TEST(a_case_is_for_its_owner_only),
	    CASE_TEST(a_case_has_its_own_identity),
	    CASE_TEST(an_existing_case_is_added_to),
	    CASE_TEST(an_empty_file_becomes_a_case),
	    CASE_TEST(names_sqlite_would_interpret_are_files),
	    CASE_TEST(a_file_that_is_no_database_is_refused_and_kept),
	    CASE_TEST(a_database_of_another_program_is_refused_and_kept),
	    CASE_TEST(a_case_of_a_newer_program_is_refused_and_kept),
	    CASE_TEST(a_case_without_its_tables_is_refused),
	    CASE_TEST(a_case_with_overwritten_pages_is_refused),
	    CASE_TEST(triggers_somebody_left_in_a_case_do_not_run),
	    CASE_TEST(creating_does_not_follow_a_symbolic_link),
	    CASE_TEST(a_missing_directory_is_named),
	    CASE_TEST(a_read_only_directory_is_refused),
	    CASE_TEST(a_read_only_case_is_refused),
	    CASE_TEST(a_writable_case_in_a_read_only_directory_is_refused),
	    CASE_TEST(a_locked_case_is_refused),
	    CASE_TEST(a_lock_taken_during_the_run_is_the_next_calls_failure),
	    CASE_TEST(two_writers_take_turns_in_one_case),
	    CASE_TEST(an_older_case_is_migrated_step_by_step),
	    CASE_TEST(a_case_that_the_first_program_wrote_is_brought_up_to_date),
	    CASE_TEST(a_migration_that_fails_changes_nothing),
	    CASE_TEST(a_case_of_the_first_version_keeps_every_row),
	    CASE_TEST(a_case_of_the_second_version_keeps_every_row),
	    CASE_TEST(a_full_disk_is_an_error_that_keeps_what_was_written),
	    CASE_TEST(a_full_file_system_is_the_same),
	    CASE_TEST(a_killed_run_leaves_a_consistent_case_marked_unfinished),
	    CASE_TEST(an_aborted_run_keeps_its_rows_and_stays_unfinished),
	    CASE_TEST(the_end_of_a_capture_is_committed_with_that_of_the_run),
	    CASE_TEST(rows_are_committed_in_batches),
	    CASE_TEST(the_writer_thread_leaves_signals_to_the_others),
	};
#undef CASE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
