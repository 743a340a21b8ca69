/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for Timesketch: what happened in order, with the alerts in it. Timesketch asks for message,
 * datetime and timestamp_desc, takes timestamp as microseconds, and tag as a list; everything else
 * becomes an attribute, flat, so that it can be searched by its name.
 * Source: "Create timeline from JSONL or CSV file" of Timesketch's user guide, and its importer.
 */
#include <string.h>

#include "report/subject.h"

/* --- times */

/* It is to have a time in any case; it knows microseconds. */
static void put_datetime(struct rep_js *j, int64_t ts)
{
	struct buf text = {0};

	rep_time(&text, ts > 0 ? ts : 1);
	if (text.len > 4)
		text.len -= 4; /* digits behind microseconds, and Z */
	buf_lit(&text, "+00:00");
	if (text.failed)
		j->b->failed = true;
	rep_js_text(j, "datetime", buf_view(&text));
	buf_done(&text);
}

static void put_times(struct rep_js *j, int64_t ts, const char *what)
{
	put_datetime(j, ts);
	rep_js_int(j, "timestamp", ts > 0 ? ts / 1000 : 0);
	rep_js_int(j, "timestamp_ns", ts);
	rep_js_str(j, "timestamp_desc", what);
}

/* What the time of an event is; other kinds are operations on files. */
static const char *meaning_of(struct sv kind)
{
	static const struct {
		const char *kind, *meaning;
	} meanings[] = {
	    {"start", "Process Started"},     {"exec", "Program Executed"},
	    {"end", "Process Ended"},	      {"connection", "Connection First Seen"},
	    {"listener", "Listening Since"},  {"dns", "Name First Looked Up"},
	    {"write", "File First Written"},  {"session", "Session Started"},
	    {"mount", "File System Mounted"}, {"umount", "File System Unmounted"},
	    {"module load", "Module Loaded"}, {"module unload", "Module Unloaded"},
	    {"rename", "File Renamed"},	      {"delete", "File Deleted"},
	    {"mkdir", "Directory Created"},   {"rmdir", "Directory Deleted"},
	    {"link", "Link Created"},	      {"symlink", "Symbolic Link Created"},
	    {"chmod", "Mode Changed"},	      {"chown", "Owner Changed"},
	};

	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (sv_is(kind, meanings[i].kind))
			return meanings[i].meaning;
	return "Event Time";
}

/* --- alerts */

static void put_tags(struct rep_js *j, const struct rep_subject *s)
{
	struct rep_json items;

	rep_js_array(j, "tag");
	rep_js_str(j, NULL, "scapula-alert");
	rep_js_some(j, NULL, s->alert->priority);
	rep_json_open(&items, s->alert->rule_tags);
	while (rep_json_next(&items))
		if (items.kind == REP_JSON_STRING && items.value.n)
			rep_js_some(j, NULL, items.value);
	rep_json_done(&items);
	rep_js_end(j);
}

static void put_process(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_known(j, "pid", a->pid);
	rep_js_known(j, "tid", a->tid);
	rep_js_some(j, "process_name", a->comm);
	rep_js_some(j, "executable", a->exepath);
	rep_js_some(j, "command_line", a->cmdline);
	rep_js_some(j, "container_id", s->container_id);
	rep_js_some(j, "container_name", s->container_name);
	rep_js_some(j, "container_image", s->container_image);
	if (s->count) {
		const struct rep_process *p = &s->line[0];

		rep_js_some(j, "process_uid", p->uid_text);
		rep_js_some(j, "sha256", p->exe_sha256);
		rep_js_some(j, "working_directory", p->cwd);
		rep_js_known(j, "uid", p->uid);
		rep_js_some(j, "username", p->user);
		rep_js_some(j, "login_username", p->login_user);
	}
	if (s->count > 1) {
		rep_js_known(j, "parent_pid", s->line[1].pid);
		rep_js_some(j, "parent_name", s->line[1].comm);
		rep_js_some(j, "parent_command_line", s->line[1].cmdline);
	}
}

static void put_objects(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_connection *c = s->connection;

	rep_js_some(j, "file_path", s->file);
	if (!c)
		return;
	rep_js_some(j, "protocol", c->proto);
	rep_js_some(j, "direction", c->direction);
	rep_js_some(j, "local_ip", c->local_ip);
	rep_js_known(j, "local_port", c->local_port);
	rep_js_some(j, "remote_ip", c->remote_ip);
	rep_js_known(j, "remote_port", c->remote_port);
	rep_js_some(j, "remote_name", c->remote_name);
	rep_js_some(j, "socket_path", c->path);
}

static void put_message(struct rep_js *j, const struct rep_alert *a)
{
	struct buf text = {0};

	buf_sv(&text, a->priority);
	buf_char(&text, ' ');
	buf_sv(&text, a->rule);
	buf_lit(&text, ": ");
	buf_sv(&text, a->output);
	if (text.failed)
		j->b->failed = true;
	rep_js_text(j, "message", buf_view(&text));
	buf_done(&text);
}

static void put_alert(struct rep_walk *w, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;
	struct rep_js *j = &w->js;

	put_message(j, a);
	put_times(j, a->ts, "Alert Time");
	rep_js_str(j, "data_type", "scapula:alert");
	put_tags(j, s);
	rep_js_some(j, "hostname", a->hostname);
	rep_js_some(j, "rule", a->rule);
	rep_js_some(j, "priority", a->priority);
	rep_js_int(j, "severity", a->severity);
	rep_js_array(j, "attack_technique");
	for (size_t i = 0; i < s->attack.techniques; i++)
		rep_js_str(j, NULL, s->attack.technique[i]);
	rep_js_close(j);
	put_process(j, s);
	put_objects(j, s);
	rep_js_some(j, "alert_id", s->id);
	rep_js_str(j, "fingerprint", a->fingerprint);
	rep_js_some(j, "verdict", a->verdict);
	rep_js_some(j, "capture", a->capture);
	rep_js_some(j, "capture_sha256", a->capture_sha256);
	rep_js_known(j, "evt_num", a->evt_num);
	rep_js_known(j, "evt_offset", a->evt_offset);
}

/* --- events */

/* "exec curl[2240]: curl -O http://..." */
static void describe(struct buf *b, const struct rep_event *e)
{
	buf_sv(b, e->kind);
	if (e->comm.n) {
		buf_char(b, ' ');
		buf_sv(b, e->comm);
	}
	if (e->pid > 0)
		buf_addf(b, "[%lld]", (long long)e->pid);
	buf_lit(b, ": ");
	buf_sv(b, e->text);
}

static void put_event(struct rep_walk *w, const struct rep_event *e)
{
	struct buf text = {0};
	struct rep_js *j = &w->js;

	describe(&text, e);
	rep_js_text(j, "message", buf_view(&text));
	put_times(j, e->ts, meaning_of(e->kind));
	rep_js_str(j, "data_type", "scapula:event");
	rep_js_some(j, "event_kind", e->kind);
	rep_js_some(j, "hostname", e->hostname);
	rep_js_known(j, "pid", e->pid > 0 ? e->pid : -1);
	rep_js_some(j, "process_name", e->comm);
	rep_js_some(j, "details", e->text);
	if (e->evt_num)
		rep_js_int(j, "evt_num", e->evt_num);
	if (text.failed)
		j->b->failed = true;
	buf_done(&text);
}

int rep_write_timesketch(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
			 struct error *err)
{
	return rep_walk_lines(c, opt, out, REP_WITH_PARENT | REP_WITH_OBJECTS, put_alert, put_event,
			      err);
}
