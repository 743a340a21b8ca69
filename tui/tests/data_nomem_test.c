/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails once: what was asked for is refused, nothing leaks, and asking again helps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tests/alloc_wrap.h"
#include "query/query.h"
#include "tui/tests/data_place.h"

#define TRIES 300 /* of the allocations of a step, spread over all of them */

static const char *const columns[] = {"%proc.name", "%evt.args"};

static void make_case(const char *db)
{
	const struct qry_run run = {.version = "1", .command = "test", .matching = "first"};
	struct qry_writer *w;
	struct error err = {0};

	assert_int_equal(qry_writer_open(db, &run, &w, &err), 0);
	assert_int_equal(qry_writer_close(w, 0, &err), 0);
}

struct step {
	struct tui_data *d;
	const struct tui_data_options *opt;
};

static int open_it(struct step *s, struct error *err)
{
	struct tui_data *d = NULL;
	int rc = tui_data_open(s->opt, &d, err);

	if (rc == 0)
		tui_data_close(d);
	return rc;
}

static int look_at_moments(struct step *s, struct error *err)
{
	const struct tui_moment *m;
	struct tui_moment *other;
	int rc;

	tui_data_goto_event(s->d, 150);
	rc = tui_data_moment(s->d, &m, err);
	if (rc < 0)
		return rc;
	tui_data_goto_event(s->d, 20);
	rc = tui_data_moment(s->d, &m, err);
	if (rc == 0)
		rc = tui_moment_at(s->d, tui_data_capture(s->d)->last_ts - 1, &other, err);
	if (rc == 0)
		tui_moment_free(other);
	return rc;
}

static int look_at_events(struct step *s, struct error *err)
{
	const struct tui_events_options opt = {
	    .filter = "fd.num > 2", .columns = columns, .column_count = 2, .pid = -1};
	const struct tui_event *out;
	struct tui_events *e;
	uint64_t at;
	bool more;
	int rc = tui_events_open(s->d, &opt, &e, NULL, err);

	if (rc < 0)
		return rc;
	rc = tui_events_window(e, 250, true, 20, 0, &out, &more, &at, err);
	if (rc >= 0)
		rc = tui_events_window(e, 40, false, 20, 0, &out, &more, &at, err);
	tui_events_close(e);
	return rc < 0 ? rc : 0;
}

static void look(void *arg, const struct state *st, const struct state_binding *b)
{
	(void)arg;
	(void)st;
	(void)b;
}

static int look_at_one(struct step *s, struct error *err)
{
	int rc = tui_data_event(s->d, 230, look, NULL, err);

	return rc < 0 ? rc : tui_data_event(s->d, 10, look, NULL, err);
}

static int count(struct step *s, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(s->d);
	const struct tui_counts *out;
	static uint64_t other; /* no answer is asked for twice */

	return tui_data_counts(s->d, c->first_ts + ++other, c->first_ts + 1000000, 7, 0, &out, err);
}

static void sweep(struct step *s, int (*run)(struct step *s, struct error *err))
{
	struct error err = {0};
	unsigned long all, by, failed = 0;

	alloc.calls = 0;
	alloc.fail_at = 0;
	alloc.counting = alloc.once = true;
	assert_int_equal(run(s, &err), 0);
	all = alloc.calls;
	by = all / TRIES + 1;
	for (unsigned long n = 1; n <= all; n += by) {
		alloc.calls = 0;
		alloc.fail_at = n;
		failed += run(s, &err) < 0;
		alloc.fail_at = 0;
		if (run(s, &err) < 0)
			fail_msg("allocation %lu: %s", n, err.msg);
	}
	alloc.counting = false;
	assert_true(failed > 0);
}

static void each_allocation_may_fail(void **state)
{
	const char *captures[1];
	struct tui_data_options opt = {.wait = true};
	struct step s = {.opt = &opt};
	struct error err = {0};
	struct place p;
	char db[160];

	(void)state;
	make_place(&p, "network.scap", 100);
	captures[0] = p.capture;
	snprintf(db, sizeof(db), "%s/case.db", p.dir);
	make_case(db);
	opt.case_path = db;
	sweep(&s, open_it);
	opt = (struct tui_data_options){.captures = captures, .capture_count = 1, .wait = true};
	assert_int_equal(tui_data_open(&opt, &s.d, &err), 0);
	sweep(&s, look_at_moments);
	sweep(&s, look_at_events);
	sweep(&s, look_at_one);
	sweep(&s, count);
	tui_data_close(s.d);
	drop_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
