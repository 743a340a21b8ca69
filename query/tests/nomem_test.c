/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at any allocation is an error like any other: no crash, no leak, a sound case. */
#include "query/tests/case_helper.h"

#include <stdatomic.h>

#include "query/part.h"

static atomic_int until_failure; /* allocations that still succeed; negative: all */

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t count, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t count, size_t n);

static bool fails_now(void)
{
	return atomic_load(&until_failure) >= 0 && atomic_fetch_sub(&until_failure, 1) == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
	return fails_now() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t count, size_t n)
{
	return fails_now() ? NULL : __real_reallocarray(p, count, n);
}

/* Something of every kind, with a text that needs cleaning and a row that needs a larger queue. */
static int write_all(struct qry_writer *w, struct error *err)
{
	static char big[8192];
	const struct rule r = a_rule(100, "R", RULE_NOTICE);
	struct qry_process p = a_process(1, "sh\xff");
	const struct qry_alert a = an_alert(&r, 1, 5);
	struct sf_stats st = {0};
	const struct qry_capture_end e = {.stats = &st};
	int rc = qry_add_rule(w, &r, err);

	p.cmdline = sv_make(big, sizeof(big));
	if (rc == 0)
		rc = qry_capture_begin(w, "a.scap", err);
	if (rc == 0)
		rc = qry_process_start(w, &p, err);
	if (rc == 0)
		rc = qry_add_alert(w, &a, err);
	return rc == 0 ? qry_capture_end(w, &e, err) : rc;
}

static int write_case(const char *path, struct error *err)
{
	const struct qry_writer_options opt = {.queue_bytes = 4096, .busy_ms = 0, .idle_ms = 1};
	struct qry_writer *w = NULL;
	int rc = qry_writer_open_with(path, &test_run, &opt, &w, err);
	int closed;

	if (rc < 0)
		return rc;
	rc = write_all(w, err);
	closed = qry_writer_close(w, 0, rc == 0 ? err : NULL);
	return rc == 0 ? closed : rc;
}

static void each_allocation_may_fail(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	int rc = ERR_NOMEM, n;

	for (n = 0; rc < 0; n++) {
		struct error err = {0};

		assert_in_range(n, 0, 100);
		atomic_store(&until_failure, n);
		rc = write_case(path, &err);
		atomic_store(&until_failure, -1);
		if (rc < 0 && (rc != ERR_NOMEM || err.code != ERR_NOMEM))
			fail_msg("allocation %d: %d: %s", n, rc, err.msg);
		if (access(path, F_OK) == 0)
			assert_consistent(path);
	}
	assert_true(n > 6);
	assert_sql(path, "SELECT status FROM v_run ORDER BY run_id DESC LIMIT 1", "finished\n");
}

static int make_part(const char *path, struct error *err)
{
	const struct qry_job j = {.job = "j",
				  .shards = 1,
				  .traces = 1,
				  .holds = 1,
				  .version = "0",
				  .ruleset = "",
				  .options = ""};
	const struct qry_trace_result r = {.status = QRY_TRACE_DONE};
	struct qry_part *part = NULL;
	unsigned exits;
	int rc = qry_part_open(path, &j, &part, err), done;

	if (rc == 0)
		rc = write_case(path, err);
	if (rc == 0)
		rc = qry_part_begin(part, 1, "", "a\xff.scap", "", err);
	if (rc == 0)
		rc = qry_part_end(part, 1, &r, err);
	if (rc < 0) {
		qry_part_close(part);
		return rc;
	}
	/* As if the reading had come in between. */
	sql_run(path,
		"UPDATE jobs SET run_capture_id = (SELECT max(run_capture_id) FROM run_captures)");
	done = qry_part_finish(part, &exits, err);
	return done;
}

static int assemble(const char *part, const char *path, struct error *err)
{
	struct qry_part_facts f;
	struct qry_assembler *a = NULL;
	bool broken;
	int rc = qry_part_look(part, &f, err);

	if (rc == 0)
		qry_part_facts_done(&f);
	if (rc == 0)
		rc = qry_assembler_new(path, "0", &a, err);
	if (rc == 0)
		rc = qry_assembler_survey(a, part, err);
	if (rc == 0)
		rc = qry_assembler_copy(a, part, &broken, err);
	if (rc == 0)
		return qry_assembler_finish(a, 0, err);
	qry_assembler_free(a);
	return rc;
}

static void each_allocation_for_parts_may_fail(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	char out[128];
	int rc, n = 0;
	bool all = false; /* succeeded: then they were fewer than @n */

	snprintf(out, sizeof(out), "%s.out", path);
	for (; !all; n++) {
		struct error err = {0};

		assert_in_range(n, 0, 1000);
		unlink(path);
		unlink(out);
		atomic_store(&until_failure, n);
		rc = make_part(path, &err);
		if (rc == 0)
			rc = assemble(path, out, &err);
		all = atomic_exchange(&until_failure, -1) >= 0;
		if (rc < 0 && (rc != ERR_NOMEM || err.code != ERR_NOMEM))
			fail_msg("allocation %d: %d: %s", n, rc, err.msg);
	}
	assert_int_equal(rc, 0);
	assert_in_range(n, 25, 1000);
	assert_sql(out, "SELECT count(*) FROM alerts", "1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_allocation_may_fail, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(each_allocation_for_parts_may_fail, scratch_setup,
					    scratch_teardown),
	};

	atomic_store(&until_failure, -1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
