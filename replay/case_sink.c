/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that hands alerts and capture facts to the case writer. */
#include <stdlib.h>

#include "replay/replay.h"

struct case_sink {
	struct run_sink base;
	struct qry_writer *writer; /* not owned */
	struct buf fields;
};

static int case_capture_begin(struct run_sink *base, const char *path, struct error *err)
{
	return qry_capture_begin(((struct case_sink *)base)->writer, path, err);
}

static int case_alert(struct run_sink *base, const struct run_alert *a, struct error *err)
{
	struct case_sink *s = (struct case_sink *)base;
	struct qry_alert row = {
	    .rule = a->rule,
	    .ts = a->ts,
	    .evt_num = a->evt_num,
	    .evt_offset = a->evt_offset,
	    .tid = a->tid,
	    .pid = a->pid,
	    .process_key = a->process_key,
	    .source = a->source,
	    .output = a->message,
	};

	buf_reset(&s->fields);
	buf_char(&s->fields, '{');
	buf_sv(&s->fields, a->fields);
	buf_char(&s->fields, '}');
	if (s->fields.failed)
		return error_nomem(err);
	row.output_fields = buf_view(&s->fields);
	return qry_add_alert(s->writer, &row, err);
}

static int case_capture_end(struct run_sink *base, const struct qry_capture_end *e,
			    struct error *err)
{
	return qry_capture_end(((struct case_sink *)base)->writer, e, err);
}

static void case_free(struct run_sink *base)
{
	struct case_sink *s = (struct case_sink *)base;

	buf_done(&s->fields);
	free(s);
}

static const struct run_sink_ops case_ops = {
    .capture_begin = case_capture_begin,
    .alert = case_alert,
    .capture_end = case_capture_end,
    .free = case_free,
};

struct run_sink *run_case_sink_new(struct qry_writer *w)
{
	struct case_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base.ops = &case_ops;
	s->writer = w;
	return &s->base;
}
