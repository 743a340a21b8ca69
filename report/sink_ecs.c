/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One document per alert in the fields of the Elastic Common Schema, and, if asked for, one per
 * event. What the schema has no field for is under "scapula". Names of output fields have dots in
 * them, which would make objects that contradict each other: they are told as names and values.
 * Source: fields and allowed values of the ECS field reference, 8.11.
 */
#include <ctype.h>
#include <string.h>

#include "report/subject.h"

#define ECS_VERSION "8.11.0"

/* --- processes */

static void put_args(struct rep_js *j, const struct rep_process *p)
{
	struct rep_json items;
	int64_t count = 1;

	if (!p->args.p || !p->exe.p)
		return;
	rep_js_array(j, "args");
	rep_js_some(j, NULL, p->exe);
	rep_json_open(&items, p->args);
	while (rep_json_next(&items)) {
		rep_js_some(j, NULL, items.value);
		count++;
	}
	rep_json_done(&items);
	rep_js_end(j);
	rep_js_int(j, "args_count", count);
}

/* "exit 3": 3. */
static void put_exit_code(struct rep_js *j, struct sv outcome)
{
	struct sv digits = sv_drop(outcome, strlen("exit "));
	int code = 0;

	if (!sv_starts(outcome, SV_LIT("exit ")) || !digits.n || digits.n > 3)
		return;
	for (size_t i = 0; i < digits.n; i++) {
		if (!isdigit((unsigned char)digits.p[i]))
			return;
		code = 10 * code + (digits.p[i] - '0');
	}
	rep_js_int(j, "exit_code", code);
}

static void put_user(struct rep_js *j, const char *key, int64_t uid, struct sv name)
{
	rep_js_object(j, key);
	rep_js_id(j, "id", uid);
	rep_js_some(j, "name", name);
	rep_js_close(j);
}

static void put_process_members(struct rep_js *j, const struct rep_process *p)
{
	rep_js_some(j, "entity_id", p->uid_text);
	rep_js_known(j, "pid", p->pid);
	rep_js_some(j, "name", p->comm);
	rep_js_some(j, "executable", p->exepath);
	rep_js_some(j, "command_line", p->cmdline);
	put_args(j, p);
	rep_js_some(j, "working_directory", p->cwd);
	rep_js_time(j, "start", p->start_ts);
	rep_js_time(j, "end", p->end_ts);
	put_exit_code(j, p->outcome);
	rep_js_bool(j, "interactive", p->tty > 0);
	put_user(j, "user", p->uid, p->user);
	rep_js_object(j, "group");
	rep_js_id(j, "id", p->gid);
	rep_js_close(j);
	rep_js_object(j, "hash");
	rep_js_some(j, "sha256", p->exe_sha256);
	rep_js_close(j);
}

static void put_process(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "process");
	if (s->count) {
		put_process_members(j, &s->line[0]);
	} else {
		rep_js_known(j, "pid", a->pid);
		rep_js_some(j, "name", a->comm);
		rep_js_some(j, "executable", a->exepath);
		rep_js_some(j, "command_line", a->cmdline);
	}
	if (a->tid >= 0) {
		rep_js_object(j, "thread");
		rep_js_int(j, "id", a->tid);
		rep_js_end(j);
	}
	if (s->count > 1) {
		rep_js_object(j, "parent");
		put_process_members(j, &s->line[1]);
		rep_js_end(j);
	}
	rep_js_close(j);
}

/* --- where: host and container */

static void put_host(struct rep_js *j, struct sv hostname)
{
	rep_js_object(j, "host");
	rep_js_some(j, "name", hostname);
	rep_js_some(j, "hostname", hostname);
	rep_js_object(j, "os");
	rep_js_str(j, "type", "linux");
	rep_js_end(j);
	rep_js_end(j);
}

/* "registry:5000/app:1.2" is "registry:5000/app" with the tag "1.2". */
static void put_image(struct rep_js *j, struct sv image)
{
	const char *colon = image.n ? memrchr(image.p, ':', image.n) : NULL;
	struct sv tag = colon ? sv_drop(image, (size_t)(colon - image.p) + 1) : SV_NONE;

	if (!image.n)
		return;
	if (!tag.n || memchr(tag.p, '/', tag.n))
		tag = SV_NONE;
	rep_js_object(j, "image");
	rep_js_some(j, "name", tag.p ? sv_make(image.p, (size_t)(colon - image.p)) : image);
	rep_js_array(j, "tag");
	rep_js_some(j, NULL, tag);
	rep_js_close(j);
	rep_js_end(j);
}

static void put_container(struct rep_js *j, const struct rep_subject *s)
{
	rep_js_object(j, "container");
	rep_js_some(j, "id", s->container_id);
	rep_js_some(j, "name", s->container_name);
	put_image(j, s->container_image);
	rep_js_close(j);
}

/* --- what about: files and connections */

static void put_file(struct rep_js *j, struct sv path)
{
	struct sv name = rep_base_name(path);
	const char *dot = name.n > 1 ? memrchr(name.p + 1, '.', name.n - 1) : NULL;

	if (!path.n)
		return;
	rep_js_object(j, "file");
	rep_js_some(j, "path", path);
	rep_js_some(j, "name", name);
	rep_js_some(j, "directory", rep_directory(path));
	if (dot)
		rep_js_some(j, "extension", sv_drop(name, (size_t)(dot - name.p) + 1));
	rep_js_end(j);
}

static void put_end(struct rep_js *j, const char *key, const struct rep_connection *c, bool local)
{
	struct sv ip = local ? c->local_ip : c->remote_ip;

	rep_js_object(j, key);
	if (ip.n)
		rep_js_some(j, "address", ip);
	if (rep_ip_version(ip))
		rep_js_some(j, "ip", ip);
	rep_js_known(j, "port", local ? c->local_port : c->remote_port);
	rep_js_known(j, "bytes", local ? c->bytes_out : c->bytes_in);
	if (!local && c->remote_name.n)
		rep_js_some(j, "domain", rep_first_word(c->remote_name));
	rep_js_close(j);
}

static void put_connection(struct rep_js *j, const struct rep_connection *c)
{
	bool in = sv_is(c->direction, "in"), out = sv_is(c->direction, "out");
	int version = rep_ip_version(c->remote_ip.n ? c->remote_ip : c->local_ip);

	if (sv_is(c->proto, "unix"))
		return;
	put_end(j, "source", c, !in);
	put_end(j, "destination", c, in);
	rep_js_object(j, "network");
	rep_js_some(j, "transport", rep_transport(c->proto));
	if (version)
		rep_js_str(j, "type", version == 4 ? "ipv4" : "ipv6");
	if (in || out)
		rep_js_str(j, "direction", in ? "ingress" : "egress");
	if (c->bytes_in >= 0 && c->bytes_out >= 0 && c->bytes_in <= INT64_MAX - c->bytes_out)
		rep_js_int(j, "bytes", c->bytes_in + c->bytes_out);
	rep_js_close(j);
}

static void put_hosts(struct rep_js *j, const struct rep_subject *s)
{
	struct sv names = s->connection ? s->connection->remote_name : SV_NONE;

	rep_js_array(j, "hosts");
	rep_js_some(j, NULL, s->alert->hostname);
	while (names.n) {
		struct sv name = rep_first_word(names);

		if (name.n)
			rep_js_some(j, NULL, name);
		names = sv_drop(names, name.n + 1);
	}
	rep_js_close(j);
}

static void put_related(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_connection *c = s->connection;

	rep_js_object(j, "related");
	put_hosts(j, s);
	rep_js_array(j, "ip");
	if (c && rep_ip_version(c->local_ip))
		rep_js_some(j, NULL, c->local_ip);
	if (c && rep_ip_version(c->remote_ip))
		rep_js_some(j, NULL, c->remote_ip);
	rep_js_close(j);
	rep_js_array(j, "user");
	if (s->count) {
		rep_js_some(j, NULL, s->line[0].user);
		if (!sv_eq(s->line[0].user, s->line[0].login_user))
			rep_js_some(j, NULL, s->line[0].login_user);
	}
	rep_js_close(j);
	rep_js_array(j, "hash");
	if (s->count)
		rep_js_some(j, NULL, s->line[0].exe_sha256);
	rep_js_close(j);
	rep_js_close(j);
}

/* --- the rule and its tags */

static void put_rule(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "rule");
	rep_js_some(j, "id", a->rule_digest);
	rep_js_text(j, "name", a->rule);
	rep_js_some(j, "description", a->rule_description);
	rep_js_some(j, "ruleset", s->rule_file);
	rep_js_end(j);
	rep_js_copy(j, "tags", a->rule_tags, true);
}

/* A subtechnique stands for its technique, too. */
static void put_techniques(struct rep_js *j, const struct rep_attack *a)
{
	rep_js_object(j, "technique");
	rep_js_array(j, "id");
	for (size_t i = 0; i < a->techniques; i++) {
		size_t n = strcspn(a->technique[i], ".");
		bool told = false;

		for (size_t k = 0; k < i && !told; k++)
			told = strcspn(a->technique[k], ".") == n &&
			       memcmp(a->technique[k], a->technique[i], n) == 0;
		if (!told)
			rep_js_some(j, NULL, sv_make(a->technique[i], n));
	}
	rep_js_end(j);
	rep_js_object(j, "subtechnique");
	rep_js_array(j, "id");
	for (size_t i = 0; i < a->techniques; i++)
		if (strchr(a->technique[i], '.'))
			rep_js_str(j, NULL, a->technique[i]);
	rep_js_close(j);
	rep_js_close(j);
	rep_js_end(j);
}

static void put_threat(struct rep_js *j, const struct rep_attack *a)
{
	if (!a->techniques && !a->tactics)
		return;
	rep_js_object(j, "threat");
	rep_js_str(j, "framework", "MITRE ATT&CK");
	if (a->tactics) {
		rep_js_object(j, "tactic");
		rep_js_array(j, "id");
		for (size_t i = 0; i < a->tactics; i++)
			rep_js_str(j, NULL, a->tactic[i]->id);
		rep_js_end(j);
		rep_js_array(j, "name");
		for (size_t i = 0; i < a->tactics; i++)
			rep_js_str(j, NULL, a->tactic[i]->name);
		rep_js_end(j);
		rep_js_end(j);
	}
	if (a->techniques)
		put_techniques(j, a);
	rep_js_end(j);
}

/* --- what the schema has no field for */

static void put_fields(struct rep_js *j, struct sv fields)
{
	struct rep_json members;

	rep_js_array(j, "output_fields");
	rep_json_open(&members, fields);
	while (members.object && rep_json_next(&members)) {
		if (members.kind == REP_JSON_NULL)
			continue;
		rep_js_object(j, NULL);
		rep_js_some(j, "name", members.name);
		rep_js_text(j, "value", members.value);
		rep_js_end(j);
	}
	rep_json_done(&members);
	rep_js_close(j);
}

static void put_own(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;

	rep_js_object(j, "scapula");
	rep_js_str(j, "fingerprint", a->fingerprint);
	rep_js_some(j, "verdict", a->verdict);
	rep_js_int(j, "run", a->run_id);
	rep_js_int(j, "gaps_before", (int64_t)s->gaps_before);
	rep_js_object(j, "capture");
	rep_js_some(j, "path", a->capture);
	rep_js_some(j, "sha256", a->capture_sha256);
	rep_js_known(j, "offset", a->evt_offset);
	rep_js_end(j);
	if (s->count)
		put_user(j, "login", s->line[0].loginuid, s->line[0].login_user);
	rep_js_array(j, "ancestors");
	for (size_t i = 1; i < s->count; i++) {
		rep_js_object(j, NULL);
		rep_js_some(j, "entity_id", s->line[i].uid_text);
		rep_js_some(j, "name", s->line[i].comm);
		rep_js_end(j);
	}
	rep_js_close(j);
	if (s->connection)
		rep_js_some(j, "socket", s->connection->path);
	put_fields(j, a->fields);
	rep_js_end(j);
}

/* --- documents */

static void put_head(struct rep_js *j, const struct rep_walk *w, int64_t ts)
{
	rep_js_time(j, "@timestamp", ts > 0 ? ts : 1);
	rep_js_object(j, "ecs");
	rep_js_str(j, "version", ECS_VERSION);
	rep_js_end(j);
	rep_js_object(j, "observer");
	rep_js_str(j, "vendor", "Scapula");
	rep_js_str(j, "product", "Scapula");
	rep_js_str(j, "version", w->opt->version);
	rep_js_end(j);
}

static void put_alert_event(struct rep_js *j, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;
	struct buf action = {0};
	struct sv type = SV_NONE;

	rep_js_object(j, "event");
	rep_js_str(j, "kind", "alert");
	rep_js_array(j, "category");
	rep_js_str(j, NULL, "intrusion_detection");
	if (s->connection)
		rep_js_str(j, NULL, "network");
	else
		rep_js_str(j, NULL, s->file.n ? "file" : "process");
	rep_js_end(j);
	rep_js_array(j, "type");
	rep_js_str(j, NULL, "info");
	rep_js_end(j);
	if (rep_json_find(a->fields, "evt.type", &action, &type))
		rep_js_some(j, "action", type);
	else
		rep_js_str(j, "action", "rule-matched");
	rep_js_int(j, "severity", a->severity);
	rep_js_int(j, "risk_score", rep_grades[a->severity].risk);
	rep_js_some(j, "id", s->id);
	rep_js_str(j, "module", "scapula");
	rep_js_str(j, "dataset", "scapula.alert");
	rep_js_some(j, "provider", a->source);
	rep_js_known(j, "sequence", a->evt_num);
	rep_js_end(j);
	buf_done(&action);
}

static void put_level(struct rep_js *j, struct sv priority)
{
	char level[16];
	size_t n = priority.n < sizeof(level) ? priority.n : sizeof(level);

	for (size_t i = 0; i < n; i++)
		level[i] = (char)tolower((unsigned char)priority.p[i]);
	rep_js_object(j, "log");
	if (n)
		rep_js_some(j, "level", sv_make(level, n));
	rep_js_close(j);
}

static void put_alert(struct rep_walk *w, const struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;
	struct rep_js *j = &w->js;

	put_head(j, w, a->ts);
	rep_js_text(j, "message", a->output);
	put_alert_event(j, s);
	put_level(j, a->priority);
	put_rule(j, s);
	put_threat(j, &s->attack);
	put_host(j, a->hostname);
	put_container(j, s);
	put_process(j, s);
	if (s->count)
		put_user(j, "user", s->line[0].uid, s->line[0].user);
	put_file(j, s->file);
	if (s->connection)
		put_connection(j, s->connection);
	put_related(j, s);
	put_own(j, s);
}

/* What an event of the time line is in the schema's words; the rest are changes of files. */
static void put_categories(struct rep_js *j, struct sv kind)
{
	static const struct {
		const char *kind, *category, *type;
	} words[] = {
	    {"start", "process", "start"},	{"exec", "process", "start"},
	    {"end", "process", "end"},		{"connection", "network", "connection"},
	    {"listener", "network", "info"},	{"dns", "network", "protocol"},
	    {"session", "session", "start"},	{"mount", "host", "change"},
	    {"umount", "host", "change"},	{"module load", "driver", "start"},
	    {"module unload", "driver", "end"}, {"delete", "file", "deletion"},
	    {"rmdir", "file", "deletion"},	{"mkdir", "file", "creation"},
	    {"link", "file", "creation"},	{"symlink", "file", "creation"},
	};
	const char *category = "file", *type = "change";

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (sv_is(kind, words[i].kind)) {
			category = words[i].category;
			type = words[i].type;
		}
	}
	rep_js_array(j, "category");
	rep_js_str(j, NULL, category);
	rep_js_end(j);
	rep_js_array(j, "type");
	rep_js_str(j, NULL, type);
	rep_js_end(j);
}

static void put_event(struct rep_walk *w, const struct rep_event *e)
{
	struct rep_js *j = &w->js;

	put_head(j, w, e->ts);
	rep_js_text(j, "message", e->text);
	rep_js_object(j, "event");
	rep_js_str(j, "kind", "event");
	put_categories(j, e->kind);
	rep_js_some(j, "action", e->kind);
	rep_js_str(j, "module", "scapula");
	rep_js_str(j, "dataset", "scapula.event");
	if (e->evt_num)
		rep_js_int(j, "sequence", e->evt_num);
	rep_js_end(j);
	put_host(j, e->hostname);
	rep_js_object(j, "process");
	rep_js_known(j, "pid", e->pid > 0 ? e->pid : -1);
	rep_js_some(j, "name", e->comm);
	rep_js_close(j);
}

int rep_write_ecs(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		  struct error *err)
{
	return rep_walk_lines(c, opt, out,
			      REP_WITH_LINEAGE | REP_WITH_OBJECTS | REP_WITH_PLACES | REP_WITH_GAPS,
			      put_alert, put_event, err);
}
