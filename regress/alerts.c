/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/alerts.h"

#include <stdlib.h>

#include "base/human.h"
#include "base/json.h"
#include "regress/files.h"

void reg_alerts_done(struct reg_alerts *l)
{
	free(l->items);
	arena_done(&l->arena);
	*l = (struct reg_alerts){0};
}

void reg_alerts_clear(struct reg_alerts *l)
{
	arena_reset(&l->arena);
	l->count = 0;
	l->dropped = 0;
}

/* --- fields --- */

bool reg_ignores(const struct reg_ignore *ignore, struct sv field)
{
	for (size_t i = 0; ignore && i < ignore->count; i++)
		if (rule_pattern_match(ignore->patterns[i], field))
			return true;
	return false;
}

bool reg_field_is_repeated(struct sv name)
{
	return sv_is(name, "evt.time") || sv_is(name, "evt.time.iso8601");
}

/* Says where an event is rather than what happened. */
static bool is_place(struct sv name)
{
	return sv_starts(name, SV_LIT("evt.num")) || sv_starts(name, SV_LIT("evt.time")) ||
	       sv_starts(name, SV_LIT("evt.rawtime")) || sv_starts(name, SV_LIT("evt.datetime"));
}

const struct reg_field *reg_alert_field(const struct reg_alert *a, struct sv name)
{
	size_t low = 0, high = a->field_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int rc = sv_cmp(a->fields[mid].name, name);

		if (rc == 0)
			return &a->fields[mid];
		if (rc < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct sv reg_field_text(const struct reg_field *f)
{
	return f->kind == REP_JSON_NULL ? SV_LIT("<NA>") : f->value;
}

void reg_field_json(struct buf *b, const struct reg_field *f)
{
	if (f->kind == REP_JSON_STRING)
		json_string(b, f->value);
	else
		buf_sv(b, f->value);
}

static int by_name(const void *a, const void *b)
{
	const struct reg_field *x = a, *y = b;

	return sv_cmp(x->name, y->name);
}

/* A copy in which bytes that are no UTF-8 are U+FFFD, as json_string() would write them. */
static struct sv keep_text(struct arena *a, struct sv s)
{
	static const char replacement[] = "\xef\xbf\xbd";
	struct sv left = s;
	struct buf b = {0};
	bool changed = false;

	while (left.n) {
		uint32_t cp;
		unsigned bad, n = utf8_decode(left, &cp, &bad);

		if (!n && !changed) {
			buf_add(&b, s.p, (size_t)(left.p - s.p));
			changed = true;
		}
		if (!n)
			buf_add(&b, replacement, sizeof(replacement) - 1);
		else if (changed)
			buf_add(&b, left.p, n);
		left = sv_drop(left, n ? n : bad);
	}
	s = b.failed ? SV_NONE : arena_sv(a, changed ? buf_view(&b) : s);
	buf_done(&b);
	return s;
}

static int take_fields(struct reg_alerts *l, struct reg_alert *a, struct sv text, struct error *err)
{
	struct reg_field found[64], *all = found;
	size_t n = 0, room = COUNT_OF(found);
	struct rep_json j;
	int rc = 0;

	rep_json_open(&j, text);
	while (rc == 0 && rep_json_next(&j)) {
		if (n == room) {
			struct reg_field *more =
			    n < REG_FIELDS_MAX
				? arena_zalloc(&l->arena, REG_FIELDS_MAX, sizeof(*more))
				: NULL;

			if (!more) {
				rc = n < REG_FIELDS_MAX
					 ? error_nomem(err)
					 : error_set(err, ERR_LIMIT, "more than %u fields",
						     REG_FIELDS_MAX);
				break;
			}
			memcpy(more, all, n * sizeof(*all));
			all = more;
			room = REG_FIELDS_MAX;
		}
		all[n++] = (struct reg_field){
		    .name = keep_text(&l->arena, j.name),
		    .value = keep_text(&l->arena, j.value),
		    .kind = j.kind,
		};
		if (!all[n - 1].name.p || !all[n - 1].value.p)
			rc = error_nomem(err);
		else if (j.kind == REP_JSON_OTHER)
			rc = error_set(err, ERR_FORMAT, "a field is a list or an object");
	}
	if (rc == 0 && (j.name_text.failed || j.value_text.failed))
		rc = error_nomem(err);
	if (rc == 0 && !(j.object && rep_json_whole(&j)))
		rc = error_set(err, ERR_FORMAT, "the fields are no JSON object");
	rep_json_done(&j);
	if (rc < 0)
		return rc;
	qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 1; i < n; i++)
		if (sv_eq(all[i - 1].name, all[i].name))
			return error_set(err, ERR_FORMAT, "a field is there twice");
	if (n && all == found) {
		all = arena_zalloc(&l->arena, n, sizeof(*all));
		if (!all)
			return error_nomem(err);
		memcpy(all, found, n * sizeof(*all));
	}
	a->fields = n ? all : NULL;
	a->field_count = n;
	return 0;
}

/* --- lists --- */

static int make_room(struct reg_alerts *l, struct error *err)
{
	size_t room = l->room ? l->room * 2 : 64;
	struct reg_alert *items;

	if (l->count < l->room)
		return 0;
	items = realloc(l->items, room * sizeof(*items));
	if (!items)
		return error_nomem(err);
	l->items = items;
	l->room = room;
	return 0;
}

int reg_alerts_borrow(struct reg_alerts *l, const struct reg_alert *a, struct error *err)
{
	int rc = make_room(l, err);

	if (rc < 0)
		return rc;
	l->items[l->count] = *a;
	l->items[l->count].ord = (uint32_t)l->count;
	l->count++;
	return 0;
}

int reg_alerts_add(struct reg_alerts *l, const struct reg_alert *a, struct sv fields,
		   struct error *err)
{
	struct reg_alert own = *a;
	int rc;

	if (l->count >= REG_ALERTS_MAX) {
		l->dropped++;
		return 0;
	}
	rc = take_fields(l, &own, fields, err);
	if (rc < 0)
		return rc;
	own.rule = keep_text(&l->arena, a->rule);
	return own.rule.p ? reg_alerts_borrow(l, &own, err) : error_nomem(err);
}

/* --- from a run --- */

struct alerts_sink {
	struct run_sink base;
	struct reg_alerts *list;
	struct buf fields;
};

static int sink_alert(struct run_sink *base, const struct run_alert *a, struct error *err)
{
	struct alerts_sink *s = (struct alerts_sink *)base;
	const struct reg_alert own = {
	    .evt = a->evt_num,
	    .offset = a->evt_offset,
	    .ts = a->ts,
	    .rule = a->rule->name,
	    .priority = a->rule->priority,
	};

	buf_reset(&s->fields);
	buf_char(&s->fields, '{');
	buf_sv(&s->fields, a->fields);
	buf_char(&s->fields, '}');
	if (s->fields.failed)
		return error_nomem(err);
	return reg_alerts_add(s->list, &own, buf_view(&s->fields), err);
}

static void sink_free(struct run_sink *base)
{
	struct alerts_sink *s = (struct alerts_sink *)base;

	buf_done(&s->fields);
	free(s);
}

static const struct run_sink_ops sink_ops = {.alert = sink_alert, .free = sink_free};

struct run_sink *reg_alerts_sink_new(struct reg_alerts *l)
{
	struct alerts_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base.ops = &sink_ops;
	s->list = l;
	return &s->base;
}

/* --- lines --- */

void reg_alert_fields(struct buf *b, const struct reg_alert *a, const struct reg_ignore *ignore,
		      bool moving)
{
	bool any = false;

	buf_char(b, '{');
	for (size_t i = 0; i < a->field_count; i++) {
		const struct reg_field *f = &a->fields[i];

		if (reg_field_is_repeated(f->name) || reg_ignores(ignore, f->name) ||
		    (!moving && is_place(f->name)))
			continue;
		if (any)
			buf_char(b, ',');
		any = true;
		json_string(b, f->name);
		buf_char(b, ':');
		reg_field_json(b, f);
	}
	buf_char(b, '}');
}

void reg_alert_line(struct buf *b, const struct reg_alert *a, const struct reg_ignore *ignore)
{
	buf_addf(b, "{\"evt\":%llu,\"offset\":%llu,\"time\":\"", (unsigned long long)a->evt,
		 (unsigned long long)a->offset);
	flt_time_iso8601(b, a->ts);
	buf_lit(b, "Z\",\"rule\":");
	json_string(b, a->rule);
	buf_lit(b, ",\"priority\":\"");
	buf_str(b, rule_priority_name(a->priority));
	buf_lit(b, "\",\"fields\":");
	reg_alert_fields(b, a, ignore, true);
	buf_lit(b, "}\n");
}

/* What a line holds while it is read. */
struct line {
	struct buf rule, fields, time;
	struct reg_alert alert;
	bool has_priority;
};

static int take_member(struct line *l, const struct rep_json *j, struct error *err)
{
	bool text = j->kind == REP_JSON_STRING;

	if (sv_is(j->name, "rule") && text) {
		buf_sv(&l->rule, j->value);
	} else if (sv_is(j->name, "priority") && text) {
		l->has_priority = rule_priority_parse(j->value, &l->alert.priority);
		if (!l->has_priority)
			return error_set(err, ERR_FORMAT, "no such priority: '%.*s'",
					 j->value.n > 40 ? 40 : (int)j->value.n, j->value.p);
	} else if (sv_is(j->name, "time") && text) {
		buf_sv(&l->time, j->value);
	} else if ((sv_is(j->name, "fields") || sv_is(j->name, "output_fields")) &&
		   j->kind == REP_JSON_OTHER) {
		buf_sv(&l->fields, j->value);
	} else if ((sv_is(j->name, "evt") || sv_is(j->name, "offset")) &&
		   j->kind == REP_JSON_NUMBER) {
		uint64_t *to = j->name.n == 3 ? &l->alert.evt : &l->alert.offset;
		char digits[24] = {0};

		if (j->value.n >= sizeof(digits))
			return error_set(err, ERR_FORMAT, "a number is too large");
		memcpy(digits, j->value.p, j->value.n);
		if (!human_u64(digits, to))
			return error_set(err, ERR_FORMAT, "'%s' is no event or offset", digits);
	}
	return 0;
}

static int take_line(struct reg_alerts *to, struct line *l, struct sv text, struct error *err)
{
	bool relative = false;
	struct rep_json j;
	int rc = 0;

	buf_reset(&l->rule);
	buf_reset(&l->fields);
	buf_reset(&l->time);
	l->alert = (struct reg_alert){0};
	l->has_priority = false;
	rep_json_open(&j, text);
	while (rc == 0 && j.object && rep_json_next(&j))
		rc = take_member(l, &j, err);
	if (rc == 0 && (j.name_text.failed || j.value_text.failed))
		rc = error_nomem(err);
	if (rc == 0 && !(j.object && rep_json_whole(&j)))
		rc = error_set(err, ERR_FORMAT, "this is no JSON object");
	rep_json_done(&j);
	if (rc < 0)
		return rc;
	if (l->rule.failed || l->fields.failed || l->time.failed)
		return error_nomem(err);
	if (!l->rule.len || !l->has_priority || !l->fields.len)
		return error_set(err, ERR_FORMAT,
				 "an alert has \"rule\", \"priority\", \"time\" and \"fields\"");
	if (!human_time(buf_cstr(&l->time), &l->alert.ts, &relative) || relative)
		return error_set(err, ERR_FORMAT, "'%s' is no time", buf_cstr(&l->time));
	l->alert.rule = buf_view(&l->rule);
	return reg_alerts_add(to, &l->alert, buf_view(&l->fields), err);
}

int reg_alerts_parse(struct reg_alerts *l, const char *name, struct sv text, struct error *err)
{
	struct line line = {0};
	struct error inner = {0};
	unsigned long long number = 0;
	int rc = 0;

	while (text.n && rc == 0) {
		const char *end = memchr(text.p, '\n', text.n);
		struct sv one = sv_make(text.p, end ? (size_t)(end - text.p) : text.n);

		number++;
		text = sv_drop(text, one.n + 1);
		if (one.n > REG_LINE_MAX)
			rc = error_set(&inner, ERR_LIMIT, "a line of more than %u bytes",
				       REG_LINE_MAX);
		else if (one.n)
			rc = take_line(l, &line, one, &inner);
	}
	if (rc < 0)
		error_set(err, rc, "%s:%llu: %s", name, number, inner.msg);
	buf_done(&line.rule);
	buf_done(&line.fields);
	buf_done(&line.time);
	return rc;
}

int reg_alerts_read(struct reg_alerts *l, const char *path, struct error *err)
{
	struct buf text = {0};
	int rc = reg_file_read(path, REG_ALERT_FILE_MAX, &text, err);

	if (rc == 0)
		rc = reg_alerts_parse(l, path, buf_view(&text), err);
	buf_done(&text);
	return rc;
}
