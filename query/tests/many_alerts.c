/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many_alerts fill CASE N: make a case with N alerts.
 * many_alerts pages CASE N: how many milliseconds the counts and a first and a last page of every
 * kind of list take, and one far behind and the one before that, as lines of "NAME<tab>MS"; the
 * worst of three times.
 */
#include "query/tests/many_alerts.h"

#include <stdlib.h>

#include "query/ask.h"

#define TIMES	3
#define PAGE	50
#define COUNTED 2000 /* one by one */

static int complain(const struct error *err)
{
	fprintf(stderr, "many_alerts: %s\n", err->msg);
	return 1;
}

static int judge(const char *path, struct error *err)
{
	static const struct qry_ask_options opt = {.write = true, .version = "0"};
	sqlite3 *db;
	int rc = qry_ask_open(path, &opt, &db, err);

	if (rc == 0)
		rc = qry_db_exec(db, path,
				 "INSERT INTO verdicts (author, fingerprint, verdict, reason)"
				 " SELECT 'ada', printf('%016x', fingerprint), 'benign', 'backup'"
				 " FROM alert_groups WHERE fingerprint % 50 = 0",
				 err);
	sqlite3_close(db);
	return rc;
}

static int first_fingerprint(const char *path, int64_t *out, struct error *err)
{
	sqlite3 *db = NULL;
	int rc = qry_db_open_readonly(path, &db, err);

	if (rc == 0)
		rc = qry_db_int(db, path, "SELECT fingerprint FROM alerts LIMIT 1", out, err);
	sqlite3_close(db);
	return rc;
}

static double since(uint64_t start)
{
	return (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e6;
}

static int time_page(struct qry_browse *b, const struct many_list *l, const char *which,
		     const struct qry_place *after, bool back, struct error *err)
{
	struct qry_page page;
	double worst = 0;

	for (int i = 0; i < TIMES; i++) {
		uint64_t start = clock_ns(CLOCK_MONOTONIC);
		double took;
		int rc = qry_browse_page(b, &l->filter, after, back, PAGE, &page, err);

		if (rc < 0)
			return rc;
		took = since(start);
		worst = took > worst ? took : worst;
	}
	printf("%s: %s, %zu rows%s\t%.2f\n", l->name, which, page.count,
	       page.partly ? " so far" : "", worst);
	return 0;
}

static int time_count(struct qry_browse *b, const struct many_list *l, struct error *err)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), n;
	bool exact;
	int rc = qry_browse_count(b, &l->filter, COUNTED, &n, &exact, err);

	if (rc == 0)
		printf("%s: count, %s%llu\t%.2f\n", l->name, exact ? "" : "at least ",
		       (unsigned long long)n, since(start));
	return rc;
}

static int time_lists(const char *path, uint64_t n, struct error *err)
{
	const struct qry_place deep = {(int64_t)(MANY_START + n / 10 * 9 * MANY_STEP), 0};
	struct many_list lists[MANY_LISTS];
	struct qry_browse *b = NULL;
	int64_t fingerprint = 0;
	int rc = first_fingerprint(path, &fingerprint, err);

	if (rc == 0)
		rc = qry_browse_open(path, &b, err);
	many_lists(lists, fingerprint, n);
	for (size_t i = 0; i < MANY_LISTS && rc == 0; i++) {
		rc = time_page(b, &lists[i], "first page", NULL, false, err);
		if (rc == 0)
			rc = time_page(b, &lists[i], "deep page", &deep, false, err);
		if (rc == 0)
			rc = time_page(b, &lists[i], "the page before it", &deep, true, err);
		if (rc == 0)
			rc = time_page(b, &lists[i], "last page", NULL, true, err);
		if (rc == 0)
			rc = time_count(b, &lists[i], err);
	}
	qry_browse_close(b);
	return rc;
}

int main(int argc, char **argv)
{
	uint64_t n = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	struct error err = {0};
	int rc;

	if (!n || (strcmp(argv[1], "fill") != 0 && strcmp(argv[1], "pages") != 0)) {
		fprintf(stderr, "usage: many_alerts fill|pages CASE N\n");
		return 2;
	}
	qry_setup();
	if (strcmp(argv[1], "pages") == 0) {
		rc = time_lists(argv[2], n, &err);
	} else {
		rc = many_make(argv[2], n, &err);
		if (rc == 0)
			rc = judge(argv[2], &err);
	}
	return rc < 0 ? complain(&err) : 0;
}
