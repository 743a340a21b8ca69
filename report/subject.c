/* SPDX-License-Identifier: Apache-2.0 */
#include "report/subject.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

const struct rep_grade rep_grades[REP_SEVERITIES] = {
    {"error", "9.9", 100, 6, "Fatal"},	     {"error", "9.5", 95, 5, "Critical"},
    {"error", "9.1", 90, 5, "Critical"},     {"error", "8.0", 73, 4, "High"},
    {"warning", "5.5", 47, 3, "Medium"},     {"note", "3.0", 21, 2, "Low"},
    {"note", "1.0", 10, 1, "Informational"}, {"note", "0.5", 1, 1, "Informational"},
};

struct place {
	struct sv file;
	int64_t line;
};

/* --- what is learned before the first alert */

static int learn_place(struct rep_walk *w, const struct rep_rule *rule, struct error *err)
{
	struct place *p = arena_alloc(&w->arena, sizeof(*p));

	if (!p)
		return error_nomem(err);
	p->line = rule->line;
	p->file = rule->file.p ? arena_sv(&w->arena, rule->file) : SV_NONE;
	if ((rule->file.p && !p->file.p) || map_put(&w->places, (uint64_t)rule->rule_id, p) < 0)
		return error_nomem(err);
	return 0;
}

static int learn_places(struct rep_walk *w, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_rule rule;
	int rc = rep_rules_open(w->c, false, &rows, err);

	while (rc >= 0 && (rc = rep_rule_next(rows, &rule, err)) == 1)
		rc = learn_place(w, &rule, err);
	rep_rows_close(rows);
	return rc;
}

static int compare_gaps(const void *left, const void *right)
{
	const struct rep_gap_place *a = left, *b = right;

	if (a->capture_id != b->capture_id)
		return a->capture_id < b->capture_id ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int learn_gap(struct rep_walk *w, const struct rep_gap *gap, struct error *err)
{
	size_t n = w->gap_count;

	if ((n & (n - 1)) == 0) { /* room doubles */
		size_t room = n ? 2 * n : 1;
		struct rep_gap_place *more = realloc(w->gaps, room * sizeof(*more));

		if (!more)
			return error_nomem(err);
		w->gaps = more;
	}
	w->gaps[w->gap_count++] = (struct rep_gap_place){gap->capture_id, gap->stream_offset};
	return 0;
}

static int learn_gaps(struct rep_walk *w, struct error *err)
{
	struct rep_rows *rows = NULL;
	struct rep_gap gap;
	int rc = rep_gaps_open(w->c, &rows, err);

	while (rc >= 0 && w->gap_count < REP_GAPS_MAX && (rc = rep_gap_next(rows, &gap, err)) == 1)
		rc = learn_gap(w, &gap, err);
	rep_rows_close(rows);
	if (rc >= 0 && w->gap_count)
		qsort(w->gaps, w->gap_count, sizeof(*w->gaps), compare_gaps);
	return rc < 0 ? rc : 0;
}

/* How many gaps are in front of @at in the order of compare_gaps(), itself included. */
static size_t gaps_up_to(const struct rep_walk *w, struct rep_gap_place at)
{
	size_t low = 0, high = w->gap_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_gaps(&w->gaps[mid], &at) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* --- one alert or event */

static void begin_row(struct rep_walk *w)
{
	rep_js_begin(&w->js, &w->out->b);
	if (w->lines)
		rep_js_object(&w->js, NULL);
}

static int end_row(struct rep_walk *w, struct error *err)
{
	if (w->lines) {
		rep_js_end(&w->js);
		buf_char(&w->out->b, '\n');
	}
	return rep_out_row(w->out, err);
}

static void make_id(struct rep_walk *w, const struct rep_alert *a)
{
	buf_reset(&w->id);
	if (a->capture_sha256.n)
		buf_sv(&w->id, a->capture_sha256);
	else
		buf_addf(&w->id, "capture-%lld", (long long)a->capture_id);
	buf_addf(&w->id, ":%lld:", (long long)a->evt_offset);
	buf_sv(&w->id, a->rule_digest);
}

static int look_at_line(struct rep_walk *w, struct rep_subject *s, struct error *err)
{
	size_t room = w->with & REP_WITH_LINEAGE ? REP_LINEAGE_MAX : 2;
	int rc;

	if (!(w->with & (REP_WITH_LINEAGE | REP_WITH_PARENT)) || !s->alert->process_id)
		return 0;
	rc = rep_lineage(w->c, s->alert->process_id, s->alert->evt_num, w->line, room, err);
	if (rc > 0) {
		s->line = w->line;
		s->count = (size_t)rc;
	}
	return rc;
}

static int look_at_objects(struct rep_walk *w, struct rep_subject *s, struct error *err)
{
	int rc;

	if (!(w->with & REP_WITH_OBJECTS))
		return 0;
	rc = rep_alert_connection(w->c, s->alert, &w->connection, err);
	if (rc == 1)
		s->connection = &w->connection;
	if (rc == 0)
		rc = rep_alert_file(s->alert, &w->file, &s->file);
	return rc;
}

/* A field of the output into @scratch, if it has a value. */
static bool find_field(const struct rep_alert *a, const char *name, struct buf *scratch,
		       struct sv *out)
{
	struct sv value;

	if (!rep_json_find(a->fields, name, scratch, &value) || !value.n || sv_is(value, "<NA>"))
		return false;
	*out = value;
	return true;
}

/* "repository:tag" into the first of @scratch; the second is for the tag. */
static bool find_image(const struct rep_alert *a, struct buf scratch[2], struct sv *out)
{
	struct sv tag;

	if (!find_field(a, "container.image.repository", &scratch[0], out))
		return false;
	if (find_field(a, "container.image.tag", &scratch[1], &tag)) {
		buf_char(&scratch[0], ':');
		buf_sv(&scratch[0], tag);
		*out = buf_view(&scratch[0]);
	}
	return true;
}

/* As the process has it; else as the output has it: it may have been known only later. */
static void look_at_container(struct rep_walk *w, struct rep_subject *s)
{
	const struct rep_alert *a = s->alert;
	struct sv id;

	s->container_id = a->container_id;
	if (s->count) {
		s->container_name = s->line[0].container_name;
		s->container_image = s->line[0].container_image;
	}
	if (!s->container_id.n && find_field(a, "container.id", &w->container[0], &id) &&
	    !sv_is(id, "host"))
		s->container_id = id;
	if (!s->container_id.n)
		return;
	if (!s->container_name.n)
		find_field(a, "container.name", &w->container[1], &s->container_name);
	if (!s->container_image.n)
		find_image(a, &w->container[2], &s->container_image);
}

static int tell_alert(struct rep_walk *w, const struct rep_alert *a, struct error *err)
{
	struct rep_subject s = {.alert = a, .rule_line = -1};
	const struct place *place = map_get(&w->places, (uint64_t)a->rule_id);
	int rc = look_at_line(w, &s, err);

	if (rc >= 0)
		rc = look_at_objects(w, &s, err);
	if (rc < 0)
		return rc;
	if (place) {
		s.rule_file = place->file;
		s.rule_line = place->line;
	}
	if (w->gap_count)
		s.gaps_before =
		    gaps_up_to(w, (struct rep_gap_place){a->capture_id, a->evt_offset}) -
		    gaps_up_to(w, (struct rep_gap_place){a->capture_id, INT64_MIN});
	look_at_container(w, &s);
	rep_attack_of(a->rule_tags, &s.attack);
	make_id(w, a);
	if (w->id.failed || w->container[2].failed)
		return error_nomem(err);
	s.id = buf_view(&w->id);
	begin_row(w);
	w->alert(w, &s);
	w->told++;
	return end_row(w, err);
}

static int tell_event(struct rep_walk *w, const struct rep_event *e, struct error *err)
{
	begin_row(w);
	w->event(w, e);
	return end_row(w, err);
}

/* --- all of them */

static int merge(struct rep_walk *w, struct rep_rows *alerts, struct rep_rows *events,
		 struct error *err)
{
	struct rep_alert a;
	struct rep_event e;
	int more_alerts = rep_alert_next(alerts, &a, err);
	int more_events = more_alerts < 0 || !events ? 0 : rep_event_next(events, &e, err);
	int rc = 0;

	while (rc >= 0 && more_alerts >= 0 && more_events >= 0 && more_alerts + more_events) {
		if (more_alerts && (!more_events || a.ts <= e.ts)) {
			rc = tell_alert(w, &a, err);
			if (rc >= 0)
				more_alerts = rep_alert_next(alerts, &a, err);
		} else {
			rc = tell_event(w, &e, err);
			if (rc >= 0)
				more_events = rep_event_next(events, &e, err);
		}
	}
	if (more_alerts < 0 || more_events < 0)
		return more_alerts < 0 ? more_alerts : more_events;
	return rc < 0 ? rc : 0;
}

/* What a limit kept out. */
static int count_rest(struct rep_walk *w, struct error *err)
{
	uint64_t by_severity[REP_SEVERITIES], all = 0;
	int rc;

	w->out->told += w->told;
	if (!w->opt->has_limit || w->told < w->opt->limit)
		return 0;
	rc = rep_alerts_count(w->c, by_severity, err);
	for (int i = 0; rc >= 0 && i < REP_SEVERITIES; i++)
		all += by_severity[i];
	if (rc >= 0 && all > w->told)
		w->out->left_out += all - w->told;
	return rc;
}

int rep_walk(struct rep_walk *w, struct error *err)
{
	uint64_t limit = w->opt->has_limit ? w->opt->limit : UINT64_MAX;
	struct rep_rows *alerts = NULL, *events = NULL;
	int rc = 0;

	if (w->with & REP_WITH_PLACES)
		rc = learn_places(w, err);
	if (rc >= 0 && w->with & REP_WITH_GAPS)
		rc = learn_gaps(w, err);
	if (rc >= 0)
		rc = rep_alerts_open(w->c, 0, limit, &alerts, err);
	if (rc >= 0 && w->event && w->opt->everything)
		rc = rep_events_open(w->c, UINT64_MAX, &events, err);
	if (rc >= 0)
		rc = merge(w, alerts, events, err);
	if (rc >= 0)
		rc = count_rest(w, err);
	rep_rows_close(alerts);
	rep_rows_close(events);
	map_done(&w->places);
	arena_done(&w->arena);
	free(w->gaps);
	buf_done(&w->id);
	buf_done(&w->file);
	for (size_t i = 0; i < COUNT_OF(w->container); i++)
		buf_done(&w->container[i]);
	return rc;
}

int rep_walk_lines(struct rep_case *c, const struct rep_options *opt, struct rep_out *out,
		   unsigned with, void (*alert)(struct rep_walk *w, const struct rep_subject *s),
		   void (*event)(struct rep_walk *w, const struct rep_event *e), struct error *err)
{
	struct rep_walk w = {.c = c,
			     .opt = opt,
			     .out = out,
			     .with = with,
			     .lines = true,
			     .alert = alert,
			     .event = event};
	int rc = rep_walk(&w, err);

	return rc < 0 ? rc : rep_out_end(out, err);
}

/* --- parts of texts */

struct sv rep_base_name(struct sv path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? sv_drop(path, (size_t)(slash - path.p) + 1) : path;
}

struct sv rep_directory(struct sv path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	if (!slash)
		return SV_NONE;
	return sv_make(path.p, slash == path.p ? 1 : (size_t)(slash - path.p));
}

int rep_ip_version(struct sv address)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	if (!address.n || address.n >= sizeof(text) || memchr(address.p, 0, address.n))
		return 0;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	if (inet_pton(AF_INET, text, &ip) == 1)
		return 4;
	return inet_pton(AF_INET6, text, &ip) == 1 ? 6 : 0;
}

struct sv rep_first_word(struct sv names)
{
	const char *blank = names.n ? memchr(names.p, ' ', names.n) : NULL;

	return blank ? sv_make(names.p, (size_t)(blank - names.p)) : names;
}

struct sv rep_transport(struct sv proto)
{
	if (proto.n && proto.p[proto.n - 1] == '6')
		proto.n--;
	return proto;
}
