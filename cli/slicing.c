/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/slicing.h"

#include <string.h>

#include "query/find.h"

static int find_in_case(struct slice_alert *a)
{
	struct qry_found_alert found;
	struct error err = {0};

	if (qry_find_alert(a->db, a->id, &found, &err) < 0)
		return cli_fail(&err);
	a->event = found.evt_num;
	a->ts = found.ts;
	a->has_sha256 = found.has_sha256;
	memcpy(a->sha256, found.sha256, sizeof(a->sha256));
	cli_log(CLI_NOTE, "alert %llu: rule '%s', event %llu of %s", (unsigned long long)a->id,
		found.rule, (unsigned long long)a->event, found.path);
	return 0;
}

int slice_check_capture(const struct slice_alert *a, const char *capture, const uint8_t *sha256)
{
	if (!a->has_sha256 || memcmp(a->sha256, sha256, sizeof(a->sha256)) == 0)
		return 0;
	cli_log(CLI_ERROR, "'%s' is not the capture that alert %llu of '%s' was found in", capture,
		(unsigned long long)a->id, a->db);
	return CLI_INPUT;
}

/* --- by rule: a replay up to it --- */

struct finder {
	struct run_sink base;
	struct slice_alert *alert;
	struct run *run;
	uint64_t seen;
};

static int on_alert(struct run_sink *sink, const struct run_alert *a, struct error *err)
{
	struct finder *f = CONTAINER_OF(sink, struct finder, base);

	(void)err;
	if (f->seen == f->alert->nth || !sv_is(a->rule->name, f->alert->rule))
		return 0;
	if (++f->seen < f->alert->nth)
		return 0;
	f->alert->event = a->evt_num;
	f->alert->ts = a->ts;
	run_stop(f->run);
	return 0;
}

static const struct run_sink_ops finder_ops = {.alert = on_alert};

static int tell_missing(const struct finder *f, const char *capture)
{
	cli_log(CLI_ERROR, "%s: rule '%s' gives %llu alerts; there is no number %llu", capture,
		f->alert->rule, (unsigned long long)f->seen, (unsigned long long)f->alert->nth);
	return CLI_INPUT;
}

static int replay(struct finder *f, struct cli_rule_run *o, const char *capture)
{
	const struct run_options opt = {.match_all = true, .progress = cli_progress};
	struct run_sink *sinks[] = {&f->base};
	struct run_capture_report report = {0};
	struct error err = {0};
	int rc = run_new(o->engine, &opt, sinks, COUNT_OF(sinks), &f->run, &err);

	if (rc == 0)
		rc = run_capture(f->run, capture, NULL, &report, &err);
	cli_progress_done();
	run_free(f->run);
	if (rc < 0)
		return cli_fail(&err);
	if (cli_interrupted())
		return cli_interrupted();
	return f->seen == f->alert->nth ? 0 : tell_missing(f, capture);
}

static int find_by_rule(struct slice_alert *a, const struct cli_common *common, const char *capture)
{
	struct finder f = {.base = {&finder_ops}, .alert = a};
	struct cli_rule_run o;
	int rc = 0;

	cli_rule_run_init(&o, common);
	for (size_t i = 0; !rc && i < a->rules.count; i++)
		rc = cli_rule_run_take(&o, 'r', a->rules.items[i]);
	if (!rc)
		rc = cli_rule_run_load(&o);
	if (!rc)
		rc = cli_rule_run_check_rule(&o, a->rule);
	if (!rc)
		rc = replay(&f, &o, capture);
	return cli_rule_run_done(&o, rc);
}

int slice_find_alert(struct slice_alert *a, const struct cli_common *common, const char *capture)
{
	return a->db ? find_in_case(a) : find_by_rule(a, common, capture);
}
