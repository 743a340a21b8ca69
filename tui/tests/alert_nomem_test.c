/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and groups of alerts when memory runs out: what was asked for is refused, nothing leaks,
 * and asking again helps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/tests/alloc_wrap.h"
#include "query/tests/many_alerts.h"
#include "tui/alert_groups.h"

#define ALERTS 300

static struct tui_data *d;
static char path[64];

static int filter(struct error *err)
{
	struct tui_alert_filter f = {0};
	size_t pos;
	int rc = tui_alert_filter_add(&f, SV_LIT("prio >= warning and not (fd.name in (/a, /b))"),
				      &pos, err);

	if (rc == 0)
		rc = tui_alert_filter_add(&f, SV_LIT("! two words"), &pos, err);
	tui_alert_filter_done(&f);
	return rc;
}

static int group(enum tui_grouping by, const char *text, struct error *err)
{
	struct tui_alert_filter f = {0};
	struct tui_alert_groups g;
	bool changed;
	size_t pos;
	int rc = tui_alert_filter_add(&f, sv_of(text), &pos, err);

	tui_groups_init(&g, d, &f);
	if (rc == 0)
		rc = tui_groups_begin(&g, by, err);
	if (rc == 0)
		rc = tui_groups_work(&g, 0, &changed, err);
	if (rc == 0)
		rc = tui_groups_update(&g, err);
	if (rc == 0)
		rc = tui_groups_work(&g, 0, &changed, err);
	assert_true(rc < 0 || g.shown->count > 0);
	tui_groups_done(&g);
	tui_alert_filter_done(&f);
	return rc;
}

static int counted(struct error *err)
{
	return group(TUI_BY_RULE, "prio >= warning", err);
}

static int scanned(struct error *err)
{
	return group(TUI_BY_PROCESS, "data", err);
}

static int facts(struct error *err)
{
	struct tui_ancestor chain[TUI_CHAIN_MAX];
	struct tui_alert_field fields[8];
	struct tui_alert_reader *r = NULL;
	struct tui_alert_facts f;
	struct arena a = {0};
	size_t n;
	int rc = tui_alert_reader_new(d, &r, err);

	if (rc == 0)
		rc = tui_alert_read(r, 7, &a, &f, err);
	if (rc == 0)
		rc = tui_alert_chain(d, &f, &a, chain, &n, err);
	if (rc == 0)
		rc = tui_alert_fields(d, f.fields, &a, fields, COUNT_OF(fields), &n, err);
	tui_alert_reader_free(r);
	arena_done(&a);
	return rc;
}

static void each_allocation_may_fail(void **state)
{
	static int (*const steps[])(struct error * err) = {filter, counted, scanned, facts};
	const struct tui_data_options opt = {.case_path = path, .wait = true};
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct error err = {0};

	(void)state;
	snprintf(path, sizeof(path), P_tmpdir "/scapula-alerts.%d.db", (int)getpid());
	assert_int_equal(many_make(path, ALERTS, &err), 0);
	assert_int_equal(tui_data_open(&opt, &d, &err), 0);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		unsigned long all, failed = 0;

		alloc = (struct alloc_wrap){.counting = true, .once = true};
		assert_int_equal(steps[i](&err), 0);
		all = alloc.calls;
		for (unsigned long n = 1; n <= all; n++) {
			alloc.calls = 0;
			alloc.fail_at = n;
			failed += steps[i](&err) < 0;
		}
		alloc = (struct alloc_wrap){0};
		if (failed != all)
			fail_msg("step %zu: %lu of %lu failures were told", i, failed, all);
	}
	tui_data_close(d);
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		char name[80];

		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
