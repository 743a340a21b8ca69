/* SPDX-License-Identifier: Apache-2.0 */
/* One object per alert with all that the case has of it, and, if asked for, one per event. */
#include "report/subject.h"

static void put_rule(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "rule");
	rep_js_text(j, "name", a->rule);
	rep_js_text(j, "digest", a->rule_digest);
	rep_js_text(j, "description", a->rule_description);
	rep_js_text(j, "file", s->rule_file);
	rep_js_known(j, "line", s->rule_line);
	rep_js_text(j, "source", a->source);
	rep_js_copy(j, "tags", a->rule_tags, true);
	rep_js_array(j, "techniques");
	for (size_t i = 0; i < s->attack.techniques; i++)
		rep_js_str(j, NULL, s->attack.technique[i]);
	rep_js_end(j);
	rep_js_array(j, "tactics");
	for (size_t i = 0; i < s->attack.tactics; i++)
		rep_js_str(j, NULL, s->attack.tactic[i]->id);
	rep_js_end(j);
	rep_js_end(j);
}

static void put_capture(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "capture");
	rep_js_int(j, "id", a->capture_id);
	rep_js_text(j, "path", a->capture);
	rep_js_text(j, "sha256", a->capture_sha256);
	rep_js_known(j, "offset", a->evt_offset);
	rep_js_known(j, "evt", a->evt_num);
	rep_js_int(j, "gaps_before", (int64_t)s->gaps_before);
	rep_js_end(j);
}

static void put_process(struct rep_js *j, const struct rep_process *p)
{
	rep_js_text(j, "uid", p->uid_text);
	rep_js_known(j, "pid", p->pid);
	rep_js_known(j, "ppid", p->ppid);
	rep_js_known(j, "vpid", p->vpid);
	rep_js_known(j, "sid", p->sid);
	rep_js_text(j, "comm", p->comm);
	rep_js_text(j, "exe", p->exe);
	rep_js_text(j, "exepath", p->exepath);
	rep_js_text(j, "exe_sha256", p->exe_sha256);
	rep_js_text(j, "cmdline", p->cmdline);
	rep_js_text(j, "cwd", p->cwd);
	rep_js_known(j, "user_id", p->uid);
	rep_js_text(j, "user", p->user);
	rep_js_known(j, "group_id", p->gid);
	rep_js_known(j, "loginuid", p->loginuid);
	rep_js_text(j, "login_user", p->login_user);
	rep_js_known(j, "tty", p->tty);
	rep_js_time(j, "started", p->start_ts);
	rep_js_time(j, "ended", p->end_ts);
	rep_js_text(j, "outcome", p->outcome);
}

static void put_line(struct rep_js *j, const struct rep_subject *s)
{
	rep_js_object(j, "process");
	if (s->count) {
		put_process(j, &s->line[0]);
		rep_js_known(j, "tid", s->alert->tid);
	} else {
		rep_js_known(j, "pid", s->alert->pid);
		rep_js_known(j, "tid", s->alert->tid);
		rep_js_text(j, "comm", s->alert->comm);
	}
	rep_js_array(j, "ancestors");
	for (size_t i = 1; i < s->count; i++) {
		rep_js_object(j, NULL);
		put_process(j, &s->line[i]);
		rep_js_end(j);
	}
	rep_js_close(j);
	rep_js_close(j);
}

static void put_container(struct rep_js *j, const struct rep_subject *s)
{
	rep_js_object(j, "container");
	rep_js_text(j, "id", s->container_id);
	rep_js_text(j, "name", s->container_name);
	rep_js_text(j, "image", s->container_image);
	rep_js_close(j);
}

static void put_connection(struct rep_js *j, const struct rep_connection *c)
{
	rep_js_object(j, "connection");
	rep_js_text(j, "proto", c->proto);
	rep_js_text(j, "state", c->state);
	rep_js_text(j, "direction", c->direction);
	rep_js_text(j, "local_ip", c->local_ip);
	rep_js_known(j, "local_port", c->local_port);
	rep_js_text(j, "remote_ip", c->remote_ip);
	rep_js_known(j, "remote_port", c->remote_port);
	rep_js_text(j, "remote_name", c->remote_name);
	rep_js_text(j, "path", c->path);
	rep_js_known(j, "bytes_in", c->bytes_in);
	rep_js_known(j, "bytes_out", c->bytes_out);
	rep_js_time(j, "first", c->first_ts);
	rep_js_time(j, "last", c->last_ts);
	rep_js_time(j, "ended", c->end_ts);
	rep_js_end(j);
}

static void put_alert(struct rep_walk *w, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;
	struct rep_js *j = &w->js;

	rep_js_str(j, "type", "alert");
	rep_js_text(j, "id", s->id);
	rep_js_str(j, "fp", a->fingerprint);
	rep_js_time(j, "time", a->ts);
	rep_js_int(j, "ts_ns", a->ts);
	rep_js_text(j, "priority", a->priority);
	rep_js_int(j, "severity", a->severity);
	rep_js_text(j, "output", a->output);
	put_rule(j, s);
	rep_js_text(j, "host", a->hostname);
	put_capture(j, s);
	rep_js_int(j, "run", a->run_id);
	put_line(j, s);
	put_container(j, s);
	if (s->connection)
		put_connection(j, s->connection);
	rep_js_text(j, "file", s->file);
	rep_js_copy(j, "fields", a->fields, false);
	rep_js_str(j, "state", s->gaps_before ? "degraded" : "complete");
	rep_js_text(j, "verdict", a->verdict);
}

static void put_event(struct rep_walk *w, const struct rep_event *e)
{
	struct rep_js *j = &w->js;

	rep_js_str(j, "type", "event");
	rep_js_text(j, "kind", e->kind);
	rep_js_time(j, "time", e->ts);
	rep_js_int(j, "ts_ns", e->ts);
	rep_js_text(j, "text", e->text);
	rep_js_text(j, "host", e->hostname);
	rep_js_object(j, "capture");
	rep_js_int(j, "id", e->capture_id);
	if (e->evt_num)
		rep_js_int(j, "evt", e->evt_num);
	rep_js_end(j);
	rep_js_object(j, "process");
	rep_js_known(j, "pid", e->pid > 0 ? e->pid : -1);
	rep_js_text(j, "comm", e->comm);
	rep_js_close(j);
}

int rep_write_jsonl(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		    struct error *err)
{
	return rep_walk_lines(c, opt, out,
			      REP_WITH_LINEAGE | REP_WITH_OBJECTS | REP_WITH_PLACES | REP_WITH_GAPS,
			      put_alert, put_event, err);
}
