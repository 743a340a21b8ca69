/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/case_report.h"

#include "base/defs.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "report/report.h"

const struct cli_case_report cli_case_reports[] = {
    {"alerts.jsonl", "jsonl"}, {"report.html", "html"}, {NULL, NULL}};

static bool stop(void *arg)
{
	(void)arg;
	return cli_interrupted() != 0;
}

int cli_case_report_write(const struct cli_case_report *r, const struct cli_case_source *source,
			  int (*write)(void *arg, const void *p, size_t n, struct error *err),
			  void *arg, struct error *err)
{
	/* Printed by whoever unpacked the bundle, it gives the same bytes. */
	const char *command[] = {"report", "-f", r->sink, source->member};
	const struct rep_sink *sink = rep_sink_find(r->sink);
	struct rep_options opt = {.copy_of = source->copy_of,
				  .name = source->member,
				  .version = SCAPULA_VERSION,
				  .made = -1,
				  .everything = sink->everything,
				  .stop = stop};
	struct rep_out out = {.write = write, .arg = arg};
	struct rep_case *c = NULL;
	struct buf quoted = {0};
	int rc;

	cli_quote_command(&quoted, COUNT_OF(command), (char **)(uintptr_t)command);
	opt.command = buf_cstr(&quoted);
	rc = quoted.failed ? error_nomem(err) : rep_case_open(source->path, &opt, 0, &c, err);
	if (rc == 0)
		rc = sink->write(c, &opt, &out, err);
	rep_case_close(c);
	buf_done(&out.b);
	buf_done(&quoted);
	return rc;
}
