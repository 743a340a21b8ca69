/* SPDX-License-Identifier: Apache-2.0 */
/* docs/case-schema.md is true: it lists what there is, and its queries answer. */
#include "query/tests/case_helper.h"

#define DOCUMENT SOURCE_DIR "/docs/case-schema.md"

static char *read_document(void)
{
	FILE *f = fopen(DOCUMENT, "r");
	char *text;
	long n;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	assert_true(n > 0);
	rewind(f);
	text = calloc(1, (size_t)n + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)n, f), n);
	fclose(f);
	return text;
}

/* --- a small case with something of everything */

static const struct {
	uint64_t key, parent;
	uint32_t uid, loginuid;
	const char *comm, *exec, *container;
} processes[] = {
    {1, 0, 0, UINT32_MAX, "systemd", NULL, NULL},
    {2, 1, 33, UINT32_MAX, "nginx", NULL, "0123456789ab"},
    {3, 2, 33, UINT32_MAX, "nginx", "/bin/sh", "0123456789ab"},
    {4, 3, 33, UINT32_MAX, "sh", "/tmp/x", "0123456789ab"},
    {5, 1, 0, 1000, "sudo", "/usr/bin/id", NULL},
};

static void add_processes(struct qry_writer *w)
{
	for (size_t i = 0; i < COUNT_OF(processes); i++) {
		struct qry_process p = a_process(processes[i].key, processes[i].comm);
		struct qry_exec x = an_exec(p.key, 1, processes[i].exec);

		p.parent_key = processes[i].parent;
		p.uid = x.uid = processes[i].uid;
		p.loginuid = processes[i].loginuid;
		p.container_id = sv_of(processes[i].container);
		OK(qry_process_start(w, &p, err));
		if (processes[i].exec)
			OK(qry_process_exec(w, &x, err));
	}
	OK(qry_process_end(w, 4, T0 + 9000000000u, 90, 0x8b, err));
	OK(qry_process_end(w, 5, T0 + 9000000000u, 91, 0, err));
}

static void add_capture(struct qry_writer *w, const char *path, const struct rule *rules,
			unsigned alerts)
{
	static const struct sf_gap gap = {4096, 0, SF_GAP_TRUNCATED, "ends inside a block"};
	struct sf_stats st = {.gaps = 1, .sha256_valid = true};
	const struct qry_capture_end e = {.stats = &st,
					  .gaps = &gap,
					  .gap_count = 1,
					  .hostname = SV_LIT("host7"),
					  .first_ts = T0,
					  .last_ts = T0 + 9000000000u};

	OK(qry_capture_begin(w, path, err));
	add_processes(w);
	for (unsigned i = 0; i < alerts; i++) {
		struct qry_alert a = an_alert(&rules[i], 4 - i, 50 + i);

		a.output_fields = SV_LIT("{\"fd.name\":\"/etc/shadow\"}");
		OK(qry_add_alert(w, &a, err));
	}
	OK(qry_capture_end(w, &e, err));
}

static void fill_case(const char *path)
{
	struct rule rules[] = {a_rule(0, "Shell in container", RULE_CRITICAL),
			       a_rule(1, "Read sensitive file", RULE_WARNING),
			       a_rule(2, "Never seen", RULE_DEBUG)};
	const struct rule_result file = {.name = "rules.yaml", .ok = true};

	for (unsigned run = 1; run <= 2; run++) {
		struct qry_writer *w = open_case(path);

		rules[0].compiled = run == 1 ? SV_LIT("evt.type = execve") : SV_LIT("never_true");
		OK(qry_add_rule_file(w, &file, err));
		for (size_t i = 0; i < COUNT_OF(rules); i++)
			OK(qry_add_rule(w, &rules[i], err));
		add_capture(w, "host7.scap", rules, run);
		if (run == 1)
			qry_writer_abort(w);
		else
			close_case(w);
	}
}

/* --- its queries */

static void every_query_of_the_document_has_an_answer(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	char *text = read_document(), *at = text;
	unsigned queries = 0;

	fill_case(path);
	while ((at = strstr(at, "\n```sql\n"))) {
		char *end = strstr(at += strlen("\n```sql\n"), "\n```\n");
		const char *answer;

		assert_non_null(end);
		*end = '\0';
		answer = sql(path, at);
		if (!answer[0])
			fail_msg("no row: %s", at);
		queries++;
		at = end + 1;
	}
	assert_true(queries >= 10);
	free(text);
}

/* --- its lists of columns */

/* The section "### `name`", up to the next heading; cut out of @text. */
static char *section(const char *text, const char *name)
{
	char heading[64];
	const char *start, *end;

	snprintf(heading, sizeof(heading), "\n### `%s`\n", name);
	start = strstr(text, heading);
	if (!start)
		fail_msg("no section %s", heading);
	start += strlen(heading);
	end = strstr(start, "\n##");
	return strndup(start, end ? (size_t)(end - start) : strlen(start));
}

/* The first column of the section's table, one name per line. */
static void documented_columns(const char *part, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (const char *row = part; (row = strstr(row, "\n| `")); row++) {
		const char *name = row + strlen("\n| `");

		n += (size_t)snprintf(out + n, size - n, "%.*s\n", (int)strcspn(name, "`"), name);
		assert_true(n < size);
	}
}

static void the_document_lists_every_table_and_column(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	char *text = read_document();
	char *names, *save = NULL;

	fill_case(path);
	names = strdup(sql(path, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
				 "AND name NOT LIKE 'sqlite_%'"));
	assert_true(strlen(names) > 100);
	for (char *name = strtok_r(names, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		char *part = section(text, name);
		char columns[2048], q[128];

		documented_columns(part, columns, sizeof(columns));
		snprintf(q, sizeof(q), "SELECT name FROM pragma_table_info('%s')", name);
		if (strcmp(sql(path, q), columns) != 0)
			fail_msg("%s: the document has\n%sthe case has\n%s", name, columns,
				 sql(path, q));
		free(part);
	}
	free(names);
	free(text);
}

static void the_document_describes_nothing_that_is_not_there(void **state)
{
	const char *path = ((struct scratch *)*state)->path;
	char *text = read_document();

	fill_case(path);
	for (const char *at = text; (at = strstr(at, "\n### `")); at++) {
		const char *name = at + strlen("\n### `");
		char q[128];

		snprintf(q, sizeof(q), "SELECT count(*) FROM sqlite_schema WHERE name = '%.*s'",
			 (int)strcspn(name, "`"), name);
		if (strcmp(sql(path, q), "1\n") != 0)
			fail_msg("no such thing: %.*s", (int)strcspn(name, "\n"), name);
	}
	free(text);
}

static void the_document_names_the_versions_the_program_writes(void **state)
{
	char id[64], version[64];
	char *text = read_document();

	(void)state;
	snprintf(id, sizeof(id), "is %d (0x%x", QRY_APPLICATION_ID, QRY_APPLICATION_ID);
	snprintf(version, sizeof(version), "version of the schema, now %d.", QRY_SCHEMA_VERSION);
	assert_non_null(strstr(text, id));
	assert_non_null(strstr(text, version));
	free(text);
}

int main(void)
{
#define CASE_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    CASE_TEST(every_query_of_the_document_has_an_answer),
	    CASE_TEST(the_document_lists_every_table_and_column),
	    CASE_TEST(the_document_describes_nothing_that_is_not_there),
	    cmocka_unit_test(the_document_names_the_versions_the_program_writes),
	};
#undef CASE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
