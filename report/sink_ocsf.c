/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Detection Finding of the Open Cybersecurity Schema Framework per alert, as lines. Times are
 * milliseconds there; with the profile "datetime" they are told exactly as well.
 * Source: ocsf-schema 1.6.0: events/base_event, events/findings/finding and detection_finding, and
 * the objects they name; numbers of enumerations from there and from its dictionary.
 */
#include "report/subject.h"

#include <string.h>

#define OCSF_VERSION "1.6.0"

enum {
	CATEGORY_FINDINGS = 2,
	CLASS_DETECTION = 2004,
	ACTIVITY_CREATE = 1,
	STATUS_NEW = 1,
	STATUS_SUPPRESSED = 3,
	ANALYTIC_RULE = 1,
	OS_LINUX = 200,
	DEVICE_UNKNOWN = 0,
	FILE_UNKNOWN = 0,
	FILE_EXECUTABLE = 8,
	HASH_SHA256 = 3,
	DIRECTION_UNKNOWN = 0,
	DIRECTION_INBOUND = 1,
	DIRECTION_OUTBOUND = 2,
	OBSERVABLE_HOSTNAME = 1,
	OBSERVABLE_IP = 2,
	OBSERVABLE_USER = 4,
	OBSERVABLE_FILE = 7,
	OBSERVABLE_HASH = 8,
	OBSERVABLE_PROCESS = 9,
};

/* @key in milliseconds, and exactly under @key_dt. */
static void put_time(struct rep_js *j, const char *key, const char *key_dt, int64_t ts)
{
	if (ts <= 0)
		return;
	rep_js_int(j, key, ts / 1000000);
	rep_js_time(j, key_dt, ts);
}

/* --- users, files, processes */

static void put_user(struct rep_js *j, int64_t uid, struct sv name)
{
	rep_js_object(j, "user");
	rep_js_some(j, "name", name);
	rep_js_id(j, "uid", uid);
	rep_js_close(j);
}

static void put_file(struct rep_js *j, struct sv path, int type, struct sv sha256)
{
	struct sv name = rep_base_name(path);

	if (!path.n)
		return;
	rep_js_object(j, "file");
	rep_js_some(j, "name", name.n ? name : path);
	rep_js_int(j, "type_id", type);
	rep_js_some(j, "path", path);
	if (sha256.n) {
		rep_js_array(j, "hashes");
		rep_js_object(j, NULL);
		rep_js_int(j, "algorithm_id", HASH_SHA256);
		rep_js_str(j, "algorithm", "SHA-256");
		rep_js_text(j, "value", sha256);
		rep_js_end(j);
		rep_js_end(j);
	}
	rep_js_end(j);
}

/* What every reference to a process has. */
static void put_entity(struct rep_js *j, const struct rep_process *p)
{
	rep_js_some(j, "name", p->comm);
	rep_js_known(j, "pid", p->pid);
	rep_js_some(j, "uid", p->uid_text);
	rep_js_some(j, "cmd_line", p->cmdline);
	rep_js_some(j, "path", p->exepath);
	put_time(j, "created_time", "created_time_dt", p->start_ts);
}

static void put_container(struct rep_js *j, struct sv id, struct sv name, struct sv image)
{
	if (!id.n && !name.n)
		return;
	rep_js_object(j, "container");
	rep_js_some(j, "uid", id);
	rep_js_some(j, "name", name);
	if (image.n) {
		rep_js_object(j, "image");
		rep_js_some(j, "uid", image);
		rep_js_some(j, "name", image);
		rep_js_end(j);
	}
	rep_js_end(j);
}

static void put_whole(struct rep_js *j, const struct rep_process *p)
{
	put_entity(j, p);
	put_time(j, "terminated_time", "terminated_time_dt", p->end_ts);
	put_file(j, p->exepath, FILE_EXECUTABLE, p->exe_sha256);
	put_user(j, p->uid, p->user);
	rep_js_some(j, "working_directory", p->cwd);
	if (p->sid >= 0) {
		rep_js_object(j, "session");
		rep_js_id(j, "uid", p->sid);
		rep_js_end(j);
	}
}

static void put_process(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	if (!s->count && a->pid < 0)
		return;
	rep_js_object(j, "process");
	if (s->count) {
		put_whole(j, &s->line[0]);
		if (s->container_id.n)
			rep_js_known(j, "namespace_pid", s->line[0].vpid);
	} else {
		rep_js_some(j, "name", a->comm);
		rep_js_int(j, "pid", a->pid);
		rep_js_some(j, "cmd_line", a->cmdline);
		rep_js_some(j, "path", a->exepath);
	}
	rep_js_known(j, "ptid", a->tid);
	put_container(j, s->container_id, s->container_name, s->container_image);
	if (s->count > 1) {
		rep_js_object(j, "parent_process");
		put_whole(j, &s->line[1]);
		put_container(j, s->line[1].container_id, s->line[1].container_name,
			      s->line[1].container_image);
		rep_js_end(j);
	}
	rep_js_array(j, "ancestry");
	for (size_t i = 1; i < s->count; i++) {
		rep_js_object(j, NULL);
		put_entity(j, &s->line[i]);
		rep_js_end(j);
	}
	rep_js_close(j);
	rep_js_end(j);
}

/* --- connections */

static bool is_network(const struct rep_connection *c)
{
	return c && !sv_is(c->proto, "unix") &&
	       (rep_ip_version(c->local_ip) || rep_ip_version(c->remote_ip));
}

static void put_end_point(struct rep_js *j, const char *key, const struct rep_connection *c,
			  bool local)
{
	struct sv ip = local ? c->local_ip : c->remote_ip;

	if (!rep_ip_version(ip))
		return;
	rep_js_object(j, key);
	rep_js_some(j, "ip", ip);
	rep_js_known(j, "port", local ? c->local_port : c->remote_port);
	if (!local && c->remote_name.n)
		rep_js_some(j, "hostname", rep_first_word(c->remote_name));
	rep_js_end(j);
}

static void put_connection(struct rep_js *j, const struct rep_connection *c)
{
	bool in = sv_is(c->direction, "in"), out = sv_is(c->direction, "out");
	struct sv transport = rep_transport(c->proto);

	rep_js_object(j, "connection_info");
	rep_js_int(j, "direction_id",
		   in	 ? DIRECTION_INBOUND
		   : out ? DIRECTION_OUTBOUND
			 : DIRECTION_UNKNOWN);
	rep_js_str(j, "direction", in ? "Inbound" : out ? "Outbound" : "Unknown");
	rep_js_some(j, "protocol_name", transport);
	if (sv_is(transport, "tcp"))
		rep_js_int(j, "protocol_num", 6);
	else if (sv_is(transport, "udp"))
		rep_js_int(j, "protocol_num", 17);
	rep_js_int(j, "protocol_ver_id",
		   rep_ip_version(c->remote_ip.n ? c->remote_ip : c->local_ip));
	rep_js_end(j);
	put_end_point(j, "src_endpoint", c, !in);
	put_end_point(j, "dst_endpoint", c, in);
}

/* --- the finding */

static void put_metadata(struct rep_js *j, const struct rep_walk *w, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "metadata");
	rep_js_str(j, "version", OCSF_VERSION);
	rep_js_object(j, "product");
	rep_js_str(j, "name", "Scapula");
	rep_js_str(j, "vendor_name", "Scapula");
	rep_js_str(j, "version", w->opt->version);
	rep_js_end(j);
	rep_js_array(j, "profiles");
	rep_js_str(j, NULL, "host");
	rep_js_str(j, NULL, "datetime");
	if (s->container_id.n)
		rep_js_str(j, NULL, "container");
	rep_js_end(j);
	rep_js_some(j, "uid", s->id);
	rep_js_some(j, "log_name", a->capture);
	rep_js_some(j, "log_provider", a->source);
	rep_js_time(j, "original_time", a->ts);
	rep_js_known(j, "sequence", a->evt_num);
	rep_js_copy(j, "labels", a->rule_tags, true);
	rep_js_end(j);
}

static void put_tactic(struct rep_js *j, const struct rep_tactic *t)
{
	rep_js_object(j, "tactic");
	rep_js_str(j, "uid", t->id);
	rep_js_str(j, "name", t->name);
	rep_js_end(j);
}

static void put_technique(struct rep_js *j, const char *id)
{
	size_t n = strcspn(id, ".");

	rep_js_object(j, "technique");
	rep_js_some(j, "uid", sv_make(id, n));
	rep_js_end(j);
	if (id[n]) {
		rep_js_object(j, "sub_technique");
		rep_js_str(j, "uid", id);
		rep_js_end(j);
	}
}

/* Which tactic a technique served is known only if the rule names just one. */
static void put_attacks(struct rep_js *j, const struct rep_attack *a)
{
	bool one = a->tactics == 1;

	rep_js_array(j, "attacks");
	for (size_t i = 0; i < a->techniques; i++) {
		rep_js_object(j, NULL);
		put_technique(j, a->technique[i]);
		if (one)
			put_tactic(j, a->tactic[0]);
		rep_js_end(j);
	}
	for (size_t i = 0; i < a->tactics && !(one && a->techniques); i++) {
		rep_js_object(j, NULL);
		put_tactic(j, a->tactic[i]);
		rep_js_end(j);
	}
	rep_js_close(j);
}

static void put_finding(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "finding_info");
	rep_js_some(j, "uid", s->id);
	rep_js_text(j, "title", a->rule);
	rep_js_some(j, "desc", a->rule_description);
	put_time(j, "created_time", "created_time_dt", a->ts);
	rep_js_object(j, "analytic");
	rep_js_int(j, "type_id", ANALYTIC_RULE);
	rep_js_str(j, "type", "Rule");
	rep_js_some(j, "name", a->rule);
	rep_js_some(j, "uid", a->rule_digest);
	rep_js_end(j);
	put_attacks(j, &s->attack);
	rep_js_array(j, "data_sources");
	rep_js_some(j, NULL, a->capture);
	rep_js_close(j);
	rep_js_end(j);
}

static void put_device(struct rep_js *j, const struct rep_alert *a)
{
	rep_js_object(j, "device");
	rep_js_int(j, "type_id", DEVICE_UNKNOWN);
	rep_js_str(j, "type", "Unknown");
	rep_js_some(j, "hostname", a->hostname);
	rep_js_object(j, "os");
	rep_js_str(j, "name", "Linux");
	rep_js_int(j, "type_id", OS_LINUX);
	rep_js_str(j, "type", "Linux");
	rep_js_end(j);
	rep_js_end(j);
}

/* An item of evidence is to have something: the device, if nothing else is known. */
static void put_evidence(struct rep_js *j, const struct rep_subject *s)
{
	rep_js_array(j, "evidences");
	rep_js_object(j, NULL);
	rep_js_str(j, "name", "event");
	rep_js_some(j, "uid", s->id);
	put_process(j, s);
	if (s->count)
		put_user(j, s->line[0].uid, s->line[0].user);
	put_file(j, s->file, FILE_UNKNOWN, SV_NONE);
	if (is_network(s->connection))
		put_connection(j, s->connection);
	put_container(j, s->container_id, s->container_name, s->container_image);
	put_device(j, s->alert);
	rep_js_end(j);
	rep_js_end(j);
}

static void put_observable(struct rep_js *j, const char *name, int type_id, const char *type,
			   struct sv value)
{
	if (!value.n)
		return;
	rep_js_object(j, NULL);
	rep_js_str(j, "name", name);
	rep_js_int(j, "type_id", type_id);
	rep_js_str(j, "type", type);
	rep_js_text(j, "value", value);
	rep_js_end(j);
}

static void put_observables(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_connection *c = is_network(s->connection) ? s->connection : NULL;

	rep_js_array(j, "observables");
	put_observable(j, "device.hostname", OBSERVABLE_HOSTNAME, "Hostname", s->alert->hostname);
	put_observable(j, "evidences[].process.name", OBSERVABLE_PROCESS, "Process Name",
		       s->count ? s->line[0].comm : s->alert->comm);
	if (s->count) {
		put_observable(j, "evidences[].user.name", OBSERVABLE_USER, "User Name",
			       s->line[0].user);
		/* Without a path there is no file to have the hash. */
		if (s->line[0].exepath.n)
			put_observable(j, "evidences[].process.file.hashes[].value",
				       OBSERVABLE_HASH, "Hash", s->line[0].exe_sha256);
	}
	put_observable(j, "evidences[].file.name", OBSERVABLE_FILE, "File Name",
		       rep_base_name(s->file));
	if (c && rep_ip_version(c->remote_ip))
		put_observable(j,
			       sv_is(c->direction, "in") ? "evidences[].src_endpoint.ip"
							 : "evidences[].dst_endpoint.ip",
			       OBSERVABLE_IP, "IP Address", c->remote_ip);
	rep_js_close(j);
}

static void put_unmapped(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "unmapped");
	rep_js_some(j, "priority", a->priority);
	rep_js_str(j, "fingerprint", a->fingerprint);
	rep_js_some(j, "verdict", a->verdict);
	rep_js_some(j, "capture_sha256", a->capture_sha256);
	rep_js_known(j, "capture_offset", a->evt_offset);
	rep_js_int(j, "gaps_before", (int64_t)s->gaps_before);
	if (s->connection)
		rep_js_some(j, "socket", s->connection->path);
	if (s->count) {
		rep_js_known(j, "loginuid", s->line[0].loginuid);
		rep_js_some(j, "login_user", s->line[0].login_user);
	}
	rep_js_copy(j, "output_fields", a->fields, false);
	rep_js_end(j);
}

static void put_alert(struct rep_walk *w, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;
	const struct rep_grade *grade = &rep_grades[a->severity];
	bool done = sv_is(a->verdict, "false positive") || sv_is(a->verdict, "benign");
	struct rep_js *j = &w->js;

	rep_js_int(j, "activity_id", ACTIVITY_CREATE);
	rep_js_str(j, "activity_name", "Create");
	rep_js_int(j, "category_uid", CATEGORY_FINDINGS);
	rep_js_str(j, "category_name", "Findings");
	rep_js_int(j, "class_uid", CLASS_DETECTION);
	rep_js_str(j, "class_name", "Detection Finding");
	rep_js_int(j, "type_uid", CLASS_DETECTION * 100 + ACTIVITY_CREATE);
	rep_js_str(j, "type_name", "Detection Finding: Create");
	rep_js_int(j, "time", a->ts > 0 ? a->ts / 1000000 : 0);
	rep_js_time(j, "time_dt", a->ts);
	rep_js_int(j, "severity_id", grade->ocsf);
	rep_js_str(j, "severity", grade->ocsf_name);
	rep_js_int(j, "status_id", done ? STATUS_SUPPRESSED : STATUS_NEW);
	rep_js_str(j, "status", done ? "Suppressed" : "New");
	rep_js_bool(j, "is_alert", true);
	rep_js_text(j, "message", a->output);
	put_metadata(j, w, s);
	put_finding(j, s);
	put_device(j, a);
	put_evidence(j, s);
	put_observables(j, s);
	put_unmapped(j, s);
}

int rep_write_ocsf(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		   struct error *err)
{
	return rep_walk_lines(c, opt, out, REP_WITH_LINEAGE | REP_WITH_OBJECTS | REP_WITH_GAPS,
			      put_alert, NULL, err);
}
