/* SPDX-License-Identifier: Apache-2.0 */
/* One record per alert, for spreadsheets and data frames: RFC 4180, UTF-8, with a header. */
#include "base/escape.h"
#include "report/subject.h"

struct csv {
	struct buf cell;
	bool raw, begun;
};

/* --- cells */

static void put_cell(struct rep_walk *w, struct sv s)
{
	struct csv *csv = w->arg;

	if (csv->begun)
		buf_char(&w->out->b, ',');
	csv->begun = true;
	if (csv->raw)
		escape_csv_plain(&w->out->b, s);
	else
		escape_csv(&w->out->b, s);
}

static void text(struct rep_walk *w, struct sv s)
{
	put_cell(w, s);
}

static void number(struct rep_walk *w, int64_t v) /* negative: not known */
{
	struct csv *csv = w->arg;

	buf_reset(&csv->cell);
	if (v >= 0)
		buf_i64(&csv->cell, v);
	put_cell(w, buf_view(&csv->cell));
}

static void moment(struct rep_walk *w, int64_t ts)
{
	struct csv *csv = w->arg;

	buf_reset(&csv->cell);
	if (ts > 0)
		rep_time(&csv->cell, ts);
	put_cell(w, buf_view(&csv->cell));
}

static void tags(struct rep_walk *w, struct sv json)
{
	struct csv *csv = w->arg;
	struct rep_json items;

	buf_reset(&csv->cell);
	rep_json_open(&items, json);
	while (rep_json_next(&items)) {
		if (csv->cell.len)
			buf_char(&csv->cell, ' ');
		buf_sv(&csv->cell, items.value);
	}
	rep_json_done(&items);
	put_cell(w, buf_view(&csv->cell));
}

static void techniques(struct rep_walk *w, const struct rep_attack *a)
{
	struct csv *csv = w->arg;

	buf_reset(&csv->cell);
	for (size_t i = 0; i < a->techniques; i++) {
		if (i)
			buf_char(&csv->cell, ' ');
		buf_str(&csv->cell, a->technique[i]);
	}
	put_cell(w, buf_view(&csv->cell));
}

static void end_point(struct buf *b, struct sv ip, int64_t port)
{
	buf_sv(b, ip);
	if (port >= 0) {
		buf_char(b, ' ');
		buf_i64(b, port);
	}
}

/* "tcp 10.0.0.1 4444 -> 10.0.0.2 22", from whoever began it. */
static void connection(struct rep_walk *w, const struct rep_connection *c)
{
	struct csv *csv = w->arg;
	bool in = c && sv_is(c->direction, "in");

	buf_reset(&csv->cell);
	if (c) {
		buf_sv(&csv->cell, c->proto);
		buf_char(&csv->cell, ' ');
		end_point(&csv->cell, in ? c->remote_ip : c->local_ip,
			  in ? c->remote_port : c->local_port);
		buf_lit(&csv->cell, " -> ");
		end_point(&csv->cell, in ? c->local_ip : c->remote_ip,
			  in ? c->local_port : c->remote_port);
		if (c->path.n) {
			buf_char(&csv->cell, ' ');
			buf_sv(&csv->cell, c->path);
		}
	}
	put_cell(w, buf_view(&csv->cell));
}

/* --- columns: name, and the cell of alert a with process p and its parent q */

#define COLUMNS(X)                                                                                 \
	X("id", text(w, s->id))                                                                    \
	X("time", moment(w, a->ts))                                                                \
	X("ts", number(w, a->ts))                                                                  \
	X("priority", text(w, a->priority))                                                        \
	X("severity", number(w, a->severity))                                                      \
	X("rule", text(w, a->rule))                                                                \
	X("hostname", text(w, a->hostname))                                                        \
	X("output", text(w, a->output))                                                            \
	X("pid", number(w, a->pid))                                                                \
	X("tid", number(w, a->tid))                                                                \
	X("comm", text(w, a->comm))                                                                \
	X("exepath", text(w, a->exepath))                                                          \
	X("cmdline", text(w, a->cmdline))                                                          \
	X("exe_sha256", text(w, p->exe_sha256))                                                    \
	X("cwd", text(w, p->cwd))                                                                  \
	X("uid", number(w, p->uid))                                                                \
	X("user", text(w, p->user))                                                                \
	X("loginuid", number(w, p->loginuid))                                                      \
	X("login_user", text(w, p->login_user))                                                    \
	X("ppid", number(w, p->ppid))                                                              \
	X("parent_comm", text(w, q->comm))                                                         \
	X("parent_cmdline", text(w, q->cmdline))                                                   \
	X("process_uid", text(w, p->uid_text))                                                     \
	X("container_id", text(w, s->container_id))                                                \
	X("container_name", text(w, s->container_name))                                            \
	X("container_image", text(w, s->container_image))                                          \
	X("file", text(w, s->file))                                                                \
	X("connection", connection(w, s->connection))                                              \
	X("source", text(w, a->source))                                                            \
	X("tags", tags(w, a->rule_tags))                                                           \
	X("techniques", techniques(w, &s->attack))                                                 \
	X("fingerprint", text(w, sv_of(a->fingerprint)))                                           \
	X("verdict", text(w, a->verdict))                                                          \
	X("capture", text(w, a->capture))                                                          \
	X("capture_sha256", text(w, a->capture_sha256))                                            \
	X("evt_num", number(w, a->evt_num))                                                        \
	X("evt_offset", number(w, a->evt_offset))                                                  \
	X("gaps_before", number(w, (int64_t)s->gaps_before))                                       \
	X("rule_digest", text(w, a->rule_digest))                                                  \
	X("output_fields", text(w, a->fields))

static void put_header(struct rep_walk *w)
{
#define COLUMN(name, cell) text(w, SV_LIT(name));
	COLUMNS(COLUMN)
#undef COLUMN
}

static void put_row(struct rep_walk *w, const struct rep_subject *s)
{
	static const struct rep_process unknown = {.uid = -1, .loginuid = -1, .ppid = -1};
	const struct rep_process *p = s->count ? &s->line[0] : &unknown;
	const struct rep_process *q = s->count > 1 ? &s->line[1] : &unknown;
	const struct rep_alert *a = s->alert;

#define COLUMN(name, cell) cell;
	COLUMNS(COLUMN)
#undef COLUMN
}

static void end_record(struct rep_walk *w)
{
	struct csv *csv = w->arg;

	buf_lit(&w->out->b, "\r\n");
	csv->begun = false;
}

static void put_alert(struct rep_walk *w, const struct rep_subject *s)
{
	put_row(w, s);
	end_record(w);
}

int rep_write_csv(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		  struct error *err)
{
	struct csv csv = {.raw = opt->raw_cells};
	struct rep_walk w = {.c = c,
			     .opt = opt,
			     .out = out,
			     .with = REP_WITH_PARENT | REP_WITH_OBJECTS | REP_WITH_GAPS,
			     .alert = put_alert,
			     .arg = &csv};
	bool failed;
	int rc;

	put_header(&w);
	end_record(&w);
	rc = rep_walk(&w, err);
	failed = csv.cell.failed;
	buf_done(&csv.cell);
	if (rc == 0 && failed)
		rc = error_nomem(err);
	return rc < 0 ? rc : rep_out_end(out, err);
}
