/* SPDX-License-Identifier: Apache-2.0 */
/* One alert: what it says, the events around it, and what is to be known of it. */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "tui/alert_columns.h"
#include "tui/alert_evidence.h"
#include "tui/alert_say.h"
#include "tui/explain.h"
#include "tui/wrap.h"

#define BOTH_WIDTH   76 /* narrower screens show one pane at a time */
#define FACTS_WIDTH  30 /* of the pane with facts, at least ... */
#define FACTS_PART   3	/* ... and so much of the screen */
#define FULL_HEIGHT  14 /* lower bodies have one line above the panes, and no frame */
#define OUTPUT_LINES 3
#define FACTS_MAX    160

enum pane { EVIDENCE, FACTS, PANES };

struct fact { /* a line of the right pane, or several */
	enum tui_role role;
	struct sv label, text;
};

struct alert_view {
	struct tui_view base;
	struct tui_data *d;
	int64_t id;
	struct tui_alert_reader *reader;
	struct tui_alert_preview about;
	struct tui_evidence evidence;
	struct fact facts[FACTS_MAX];
	size_t fact_count;
	struct arena texts; /* of facts */
	struct sv place;    /* "rules.yaml:12" */
	bool known_near;    /* it is among the facts */
	enum pane focus;
	bool alone;
	int top, lines;		    /* of the facts */
	struct tui_area table_area; /* where events were drawn */
};

/* --- facts */

static void add_fact(struct alert_view *v, enum tui_role role, struct sv label, struct sv text)
{
	if (v->fact_count < FACTS_MAX)
		v->facts[v->fact_count++] = (struct fact){role, label, text};
}

static void add_text(struct alert_view *v, enum tui_role role, const char *label,
		     const struct buf *text)
{
	struct sv copy = arena_sv(&v->texts, buf_view(text));

	if (copy.p)
		add_fact(v, role, sv_of(label), copy);
}

/* Ends of lines, as descriptions and conditions have them, are blanks. */
static void add_words(struct buf *b, struct sv text)
{
	while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' '))
		text.n--;
	for (size_t i = 0; i < text.n; i++)
		buf_char(b, text.p[i] == '\n' || text.p[i] == '\t' ? ' ' : text.p[i]);
}

/*
 * Rows of @sql over the alert (?1): each is joined by blanks into one fact. Return: how many, or
 * ERR_*.
 */
static int add_rows(struct alert_view *v, enum tui_role role, const char *label, const char *sql,
		    struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	struct buf b = {0};
	int n = 0, rc = tui_sql_prepare(v->d, sql, &stmt, err);

	if (rc == 0)
		rc = tui_sql_begin(v->d, stmt, &v->id, 1, err);
	while (rc == 0 && (rc = tui_sql_step(v->d, stmt, err)) > 0) {
		buf_reset(&b);
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			struct sv text = tui_sql_view(stmt, i);

			buf_str(&b, b.len && text.n ? " " : "");
			add_words(&b, text);
		}
		add_text(v, role, label, &b);
		n++;
		rc = 0;
	}
	buf_done(&b);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : n;
}

#define SAME_EVENT                                                                                 \
	"alerts a JOIN alerts b ON b.run_capture_id = a.run_capture_id AND b.evt_offset = "        \
	"a.evt_offset"                                                                             \
	" AND b.alert_id <> a.alert_id JOIN rules u ON u.rule_id = b.rule_id WHERE a.alert_id = "  \
	"?1"

static const char others_sql[] = "SELECT u.name FROM " SAME_EVENT " LIMIT 20";
static const char said_sql[] =
    "SELECT s.verdict, '(' || s.author || ')', s.reason FROM v_alert a JOIN v_verdict s"
    " ON s.fingerprint = a.fingerprint OR (s.capture_sha256 = a.capture_sha256"
    " AND s.evt_offset = a.evt_offset AND ifnull(s.rule, a.rule) = a.rule)"
    " WHERE a.alert_id = ?1 ORDER BY s.verdict_id LIMIT 20";
static const char notes_sql[] =
    "SELECT n.text, '(' || n.author || ')' FROM v_alert a JOIN notes n"
    " ON n.capture_sha256 = a.capture_sha256 AND n.evt_offset = a.evt_offset"
    " WHERE a.alert_id = ?1 AND NOT EXISTS (SELECT 1 FROM notes m WHERE m.replaces = n.note_id)"
    " ORDER BY n.note_id LIMIT 20";
static const char alike_sql[] =
    "SELECT sum(g.alerts - g.repeated) || ' that look like this' FROM alerts a JOIN alert_groups g"
    " ON g.fingerprint = a.fingerprint WHERE a.alert_id = ?1"
    " HAVING sum(g.alerts - g.repeated) > 1";
static const char rule_sql[] =
    "SELECT u.description FROM alerts a JOIN rules u USING (rule_id) WHERE a.alert_id = ?1";
static const char condition_sql[] =
    "SELECT u.condition FROM alerts a JOIN rules u USING (rule_id) WHERE a.alert_id = ?1";
static const char place_sql[] =
    "SELECT x.file || ifnull(':' || x.line, '') FROM alerts a JOIN run_captures r USING"
    " (run_capture_id) JOIN run_rules x ON x.run_id = r.run_id AND x.rule_id = a.rule_id"
    " WHERE a.alert_id = ?1";

static void add_fields(struct alert_view *v)
{
	const struct tui_alert_preview *p = &v->about;

	if (p->facts.exepath.n)
		add_fact(v, TUI_ROLE_NORMAL, SV_LIT("exe"), p->facts.exepath);
	for (size_t i = 0; i < p->field_count; i++)
		if (p->fields[i].value.n && !sv_starts(p->fields[i].name, SV_LIT("evt.time")))
			add_fact(v, TUI_ROLE_NORMAL, p->fields[i].name, p->fields[i].value);
}

static void add_near(struct alert_view *v)
{
	struct buf b = {0};
	bool gap;

	tui_near_text(&v->about.near, &b, &gap);
	if (b.len)
		add_text(v, gap ? TUI_ROLE_LOSS : TUI_ROLE_NORMAL, gap ? "degraded" : "near", &b);
	v->known_near = v->about.near.known;
	buf_done(&b);
}

/* Why the rule matched, part by part. False: that cannot be told, its text has to do. */
static bool add_why(struct alert_view *v)
{
	struct tui_explain_line lines[TUI_EXPLAIN_LINES_MAX];
	const struct tui_capture *c = tui_data_capture(v->d);
	struct buf text = {0};
	struct error err = {0};
	int n = ERR_UNSUPPORTED;

	if (c && c->capture_id == v->about.facts.capture_id)
		n = tui_explain_lines(v->base.app, v->about.facts.rule, v->about.facts.num, &text,
				      lines, &err);
	for (int i = 0; i < n; i++) {
		struct sv copy = arena_sv(&v->texts, lines[i].text);

		if (copy.p)
			add_fact(v, lines[i].role, i ? SV_LIT("") : SV_LIT("why"), copy);
	}
	buf_done(&text);
	return n > 0;
}

/* All of them anew. */
static int collect(struct alert_view *v, struct error *err)
{
	struct buf b = {0};
	bool why;
	int rc;

	v->fact_count = 0;
	arena_reset(&v->texts);
	v->place = SV_NONE;
	rc = add_rows(v, TUI_ROLE_DIM, "", place_sql, err);
	if (rc > 0) { /* stands above the panes */
		v->place = v->facts[0].text;
		v->fact_count = 0;
	}
	if (rc >= 0)
		rc = add_rows(v, TUI_ROLE_GOOD, "verdict", said_sql, err);
	if (rc >= 0)
		rc = add_rows(v, TUI_ROLE_GOOD, "note", notes_sql, err);
	tui_chain_text(v->about.chain, v->about.chain_count, &b);
	if (b.len)
		add_text(v, TUI_ROLE_LINK, "", &b);
	buf_reset(&b);
	tui_alert_who(&v->about.facts, &b);
	if (b.len)
		add_text(v, TUI_ROLE_NORMAL, "who", &b);
	add_near(v);
	why = add_why(v);
	if (rc >= 0)
		rc = add_rows(v, TUI_ROLE_NORMAL, "alerts", alike_sql, err);
	if (rc >= 0)
		rc = add_rows(v, TUI_ROLE_WARNING, "also", others_sql, err);
	add_fields(v);
	buf_reset(&b);
	tui_tags_text(v->about.facts.tags, &b);
	if (b.len)
		add_text(v, TUI_ROLE_NORMAL, "tags", &b);
	if (rc >= 0)
		rc = add_rows(v, TUI_ROLE_NORMAL, "rule", rule_sql, err);
	if (!why && rc >= 0)
		rc = add_rows(v, TUI_ROLE_DIM, "condition", condition_sql, err);
	buf_done(&b);
	return rc < 0 ? rc : 0;
}

/* --- beginning and end */

static void close_alert(struct tui_view *base)
{
	struct alert_view *v = (struct alert_view *)base;

	tui_evidence_done(&v->evidence);
	tui_preview_done(&v->about);
	tui_alert_reader_free(v->reader);
	arena_done(&v->texts);
	free(v);
}

/* T is the moment of the alert, in its capture. */
static void go_there(struct alert_view *v, struct tui_app *app)
{
	const struct tui_capture *c = tui_data_capture(v->d);
	size_t i = tui_data_capture_of(v->d, v->about.facts.capture_id);
	struct error err = {0};

	if (i == SIZE_MAX)
		return;
	if ((!c || c->capture_id != v->about.facts.capture_id) && tui_data_use(v->d, i, &err) < 0)
		tui_app_fail(app, &err);
	else
		tui_app_goto_event(app, v->about.facts.num);
}

static enum tui_around first_around(const struct alert_view *v)
{
	enum tui_around a = TUI_AROUND_CHAIN;

	while (!tui_evidence_has(&v->evidence, a))
		a++;
	return a;
}

/* The view is about alert @id from now on. */
static int look_at(struct alert_view *v, struct tui_app *app, int64_t id, struct error *err)
{
	int rc = tui_preview_set(&v->about, v->d, v->reader, id, err);

	if (rc < 0)
		return rc;
	v->id = id;
	v->top = 0;
	v->fact_count = 0;
	v->known_near = false;
	tui_app_see(app, TUI_SEEN_ALERT, (uint64_t)id);
	go_there(v, app);
	v->about.near.hopeless = false;
	tui_evidence_begin(&v->evidence, first_around(v), TUI_EVIDENCE_LEAST);
	return 0;
}

static int open_alert(struct tui_app *app, const struct tui_target *t, struct tui_view **out,
		      struct error *err)
{
	struct alert_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return error_nomem(err);
	v->d = tui_app_data(app);
	rc = tui_evidence_init(&v->evidence, app, &v->about, err);
	if (rc == 0)
		rc = tui_alert_reader_new(v->d, &v->reader, err);
	if (rc == 0)
		rc = look_at(v, app, t->alert_id, err);
	if (rc < 0) {
		close_alert(&v->base);
		return rc;
	}
	*out = &v->base;
	return 0;
}

static int sync_alert(struct tui_view *base, unsigned news, struct error *err)
{
	struct alert_view *v = (struct alert_view *)base;

	/* It waited for the index, or for the file to be found. */
	if (news & (TUI_NEWS_INDEX | TUI_NEWS_CAPTURE) && v->evidence.trouble.code)
		tui_evidence_begin(&v->evidence, v->evidence.around, v->evidence.each);
	return news & TUI_NEWS_CASE || !v->fact_count ? collect(v, err) : 0;
}

static bool work_alert(struct tui_view *base, uint64_t deadline_ns)
{
	struct alert_view *v = (struct alert_view *)base;
	struct error err;
	bool more = tui_evidence_work(&v->evidence, deadline_ns);

	if (!more)
		more = tui_near_work(&v->about.near, v->d, deadline_ns);
	if (v->about.near.known && !v->known_near && collect(v, &err) < 0)
		tui_app_fail(base->app, &err);
	return more;
}

/* --- drawing */

static int draw_head(struct alert_view *v, const struct tui_area *a)
{
	const struct tui_alert_facts *f = &v->about.facts;
	const char *name = strrchr(f->capture.n ? f->capture.p : "", '/');
	struct buf b = {0};
	int x = 1;

	x += tui_puts(a, 0, x, tui_severity_role(f->severity), tui_severity(f->severity)) + 2;
	tui_time_full(v->base.app, &b, f->ts, a->width >= 60 ? 9 : 3);
	x += tui_put(a, 0, x, a->width - x - 1, TUI_ROLE_TIME, buf_view(&b)) + 2;
	if (v->place.n || f->digest.n) {
		buf_reset(&b);
		buf_sv(&b, v->place);
		buf_addf(&b, " %.*s", f->digest.n < 8 ? (int)f->digest.n : 8, f->digest.p);
		tui_put(a, 0, x, a->width - x - 1, TUI_ROLE_DIM, buf_view(&b));
	}
	if (a->height < FULL_HEIGHT) {
		buf_done(&b);
		return 1;
	}
	buf_reset(&b);
	buf_addf(&b, "%s @0x%llx  event %llu",
		 name		? name + 1
		 : f->capture.n ? f->capture.p
				: "?",
		 (unsigned long long)f->offset, (unsigned long long)f->num);
	if (f->hostname.n)
		buf_addf(&b, "  host %.*s", (int)f->hostname.n, f->hostname.p);
	tui_put(a, 1, 1, a->width - 2, TUI_ROLE_DIM, buf_view(&b));
	buf_done(&b);
	{
		struct tui_area text = tui_area_part(a, 2, 0, OUTPUT_LINES, a->width);

		return 2 + tui_wrap_put(&text, 0, 1, a->width - 2, TUI_ROLE_NORMAL, f->output);
	}
}

static void draw_evidence(struct alert_view *v, const struct tui_area *a)
{
	if (v->evidence.trouble.code) {
		tui_wrap_put(a, 0, 1, a->width - 2, TUI_ROLE_ERROR, sv_of(v->evidence.trouble.msg));
		return;
	}
	v->table_area = *a;
	v->evidence.height = a->height - 1;
	tui_table_draw(v->evidence.table, a, v->focus == EVIDENCE);
}

/* Its lines from @y on; those above the area are counted only. Return: lines. */
static int draw_fact(const struct fact *f, const struct tui_area *a, int y)
{
	int label = tui_width(f->label), x = 1, lines = 0;
	struct sv rest = f->text;

	do {
		int left = a->width - x - 1;
		struct sv line;

		if (lines == 0 && label) {
			if (y >= 0)
				tui_put(a, y, x, a->width - 2, TUI_ROLE_DIM, f->label);
			x += label + 1;
			left = a->width - x - 1;
		}
		if (left < 8) { /* the label has the line */
			x = 2;
			lines++;
			left = a->width - 3;
		}
		line = tui_wrap_take(&rest, left > 0 ? left : 1);
		if (y + lines >= 0)
			tui_put(a, y + lines, x, left, f->role, line);
		lines++;
		x = 2;
	} while (rest.n && lines < TUI_HEIGHT_MAX);
	return lines;
}

static void draw_facts(struct alert_view *v, const struct tui_area *a)
{
	int y = -v->top;

	for (size_t i = 0; i < v->fact_count; i++)
		y += draw_fact(&v->facts[i], a, y);
	v->lines = y + v->top;
	if (v->top && v->lines - v->top < a->height) /* the end has come up */
		v->top = v->lines > a->height ? v->lines - a->height : 0;
	if (v->lines - v->top > a->height)
		tui_put_right(a, a->height - 1, 0, a->width, TUI_ROLE_DIM,
			      sv_of(tui_glyph(a->screen, TUI_GLYPH_LOW)));
}

static void title_of(const struct alert_view *v, enum pane pane, struct buf *out)
{
	buf_str(out, v->focus == pane ? "[" : "");
	if (pane == FACTS)
		buf_lit(out, "facts");
	else
		buf_addf(out, "evidence: %s%s", tui_around_names[v->evidence.around],
			 tui_evidence_is_done(&v->evidence) ? "" : " ...");
	buf_str(out, v->focus == pane ? "]" : "");
}

static void draw_pane(struct alert_view *v, enum pane pane, const struct tui_area *a)
{
	struct tui_area in = *a;

	if (a->height >= 6) {
		struct buf title = {0};

		title_of(v, pane, &title);
		in = tui_frame(a, buf_cstr(&title));
		buf_done(&title);
	}
	if (pane == FACTS)
		draw_facts(v, &in);
	else
		draw_evidence(v, &in);
}

static bool one_pane(const struct alert_view *v, int width)
{
	return v->alone || width < BOTH_WIDTH;
}

static int facts_width(int width)
{
	int third = width / FACTS_PART;

	return third > FACTS_WIDTH ? third : FACTS_WIDTH;
}

static void draw_alert(struct tui_view *base, const struct tui_area *a)
{
	struct alert_view *v = (struct alert_view *)base;
	const int head = draw_head(v, a), width = facts_width(a->width);
	struct tui_area body = tui_area_part(a, head, 0, a->height - head, a->width), left, right;

	if (one_pane(v, a->width)) {
		draw_pane(v, v->focus, &body);
		return;
	}
	left = tui_area_part(&body, 0, 0, body.height, body.width - width);
	right = tui_area_part(&body, 0, body.width - width, body.height, width);
	draw_pane(v, EVIDENCE, &left);
	draw_pane(v, FACTS, &right);
}

/* --- doing */

static void cycle(struct alert_view *v)
{
	enum tui_around a = v->evidence.around;

	do
		a = (a + 1) % TUI_AROUNDS;
	while (!tui_evidence_has(&v->evidence, a));
	tui_evidence_begin(&v->evidence, a, v->evidence.each);
	tui_app_say(v->base.app, TUI_ROLE_NORMAL, "events around: %s", tui_around_names[a]);
}

static void widen(struct alert_view *v, bool wider)
{
	size_t each = wider ? v->evidence.each * 2 : v->evidence.each / 2;

	if (each < TUI_EVIDENCE_LEAST)
		each = TUI_EVIDENCE_LEAST;
	if (each > TUI_EVIDENCE_MAX)
		each = TUI_EVIDENCE_MAX;
	if (each != v->evidence.each)
		tui_evidence_begin(&v->evidence, v->evidence.around, each);
	tui_app_say(v->base.app, TUI_ROLE_NORMAL, "%zu events before and after", each);
}

static void enter(struct alert_view *v)
{
	struct tui_row_key key;
	struct tui_target t = {.alert_id = v->id, .pid = v->about.facts.pid};

	if (v->focus != EVIDENCE || v->evidence.trouble.code ||
	    !tui_table_cursor(v->evidence.table, &key) || !key.a)
		return;
	t.num = key.a;
	tui_app_goto_event(v->base.app, key.a);
	tui_app_push(v->base.app, &tui_event_ops, &t);
}

/* The next one by time, of all, in place of this one. */
static void go_on(struct alert_view *v, bool back)
{
	const struct qry_place at = {(int64_t)v->about.facts.ts, v->id};
	const struct qry_alert_filter all = {0};
	struct tui_app *app = v->base.app;
	struct error err = {0};
	struct qry_page page;
	int rc = qry_browse_page(tui_data_alerts(v->d), &all, &at, back, 1, &page, &err);

	if (rc == 0 && !page.count) {
		tui_app_say(app, TUI_ROLE_NOTICE,
			    back ? "this is the first alert" : "this is the last alert");
		return;
	}
	if (rc == 0)
		rc = look_at(v, app, page.alerts->place.alert_id, &err);
	if (rc == 0)
		rc = collect(v, &err);
	if (rc < 0)
		tui_app_fail(app, &err);
}

static void follow_fd(struct alert_view *v)
{
	struct tui_target t = {.alert_id = v->id,
			       .num = v->about.facts.num,
			       .pid = v->about.facts.pid > 0 ? v->about.facts.pid : 0};
	uint64_t fd;

	for (size_t i = 0; i < v->about.field_count && !t.has_fd; i++) {
		const struct tui_alert_field *f = &v->about.fields[i];

		if (sv_is(f->name, "fd.num") && tui_number(f->value, &fd)) {
			t.has_fd = true;
			t.fd = (int64_t)fd;
		}
	}
	tui_app_push(v->base.app, &tui_follow_ops, &t);
}

static bool scroll_facts(struct alert_view *v, const struct tui_command *c)
{
	switch (c->action) {
	case TUI_DO_UP:
		v->top -= c->count;
		break;
	case TUI_DO_DOWN:
		v->top += c->count;
		break;
	case TUI_DO_PAGE_UP:
		v->top -= 10;
		break;
	case TUI_DO_PAGE_DOWN:
		v->top += 10;
		break;
	case TUI_DO_FIRST:
		v->top = 0;
		break;
	case TUI_DO_LAST:
		v->top = v->lines;
		break;
	default:
		return false;
	}
	if (v->top > v->lines)
		v->top = v->lines;
	if (v->top < 0)
		v->top = 0;
	return true;
}

static enum tui_result act_alert(struct tui_view *base, const struct tui_command *c)
{
	struct alert_view *v = (struct alert_view *)base;
	struct tui_target explain = {
	    .alert_id = v->id, .num = v->about.facts.num, .text = v->about.facts.rule};

	if (tui_table_is_asking(v->evidence.table))
		return TUI_NOT_MINE;
	if (v->focus == FACTS && scroll_facts(v, c))
		return TUI_DONE;
	switch (c->action) {
	case TUI_DO_ENTER:
		enter(v);
		return TUI_DONE;
	case TUI_DO_NEXT_PANE:
	case TUI_DO_PREV_PANE:
		v->focus = !v->focus;
		return TUI_DONE;
	case TUI_DO_MAXIMISE:
		v->alone = !v->alone;
		return TUI_DONE;
	case TUI_DO_EVIDENCE:
		cycle(v);
		return TUI_DONE;
	case TUI_DO_EXPAND:
	case TUI_DO_WIDER:
		widen(v, true);
		return TUI_DONE;
	case TUI_DO_COLLAPSE:
	case TUI_DO_NARROWER:
		widen(v, false);
		return TUI_DONE;
	case TUI_DO_NEXT_ALERT:
	case TUI_DO_PREV_ALERT:
		go_on(v, c->action == TUI_DO_PREV_ALERT);
		return TUI_DONE;
	case TUI_DO_FOLLOW_FD:
		follow_fd(v);
		return TUI_DONE;
	case TUI_DO_EXPLAIN:
		tui_app_push(base->app, &tui_explain_ops, &explain);
		return TUI_DONE;
	case TUI_DO_VERDICT:
		tui_say_verdict(base->app, v->id, false, c->arg);
		base->news |= TUI_NEWS_CASE;
		return TUI_DONE;
	case TUI_DO_NOTE:
	case TUI_DO_BOOKMARK:
		tui_mark_alert(base->app, &v->about.facts, c->action, c->arg);
		base->news |= TUI_NEWS_CASE;
		return TUI_DONE;
	default:
		return TUI_NOT_MINE;
	}
}

static void click_alert(struct tui_view *base, const struct tui_input *in, const struct tui_area *a)
{
	struct alert_view *v = (struct alert_view *)base;
	const bool both = !one_pane(v, a->width);

	if (both)
		v->focus = in->x >= a->x + a->width - facts_width(a->width) ? FACTS : EVIDENCE;
	if (v->focus == EVIDENCE)
		tui_table_click(v->evidence.table, in, &v->table_area);
}

static struct tui_table *alert_table(struct tui_view *base)
{
	return ((struct alert_view *)base)->evidence.table;
}

static void crumb_alert(struct tui_view *base, struct buf *out)
{
	struct alert_view *v = (struct alert_view *)base;

	buf_addf(out, "#%lld ", (long long)v->id);
	buf_sv(out, v->about.facts.rule);
}

static void command_alert(struct tui_view *base, struct buf *out)
{
	struct alert_view *v = (struct alert_view *)base;
	const struct tui_capture *c = tui_data_capture(v->d);

	if (!c || !c->there || c->capture_id != v->about.facts.capture_id)
		return;
	buf_lit(out, "scapula events ");
	if (v->evidence.filter.len) {
		buf_lit(out, "-F ");
		escape_shell(out, buf_view(&v->evidence.filter));
	}
	buf_addf(out, " --around %llu+-%zu --time delta ", (unsigned long long)v->about.facts.num,
		 v->evidence.each);
	escape_shell(out, sv_of(c->path));
}

static const uint8_t alert_actions[] = {TUI_DO_EVIDENCE, TUI_DO_EXPAND,	 TUI_DO_FOLLOW_FD,
					TUI_DO_EXPLAIN,	 TUI_DO_TREE,	 TUI_DO_BOOKMARK,
					TUI_DO_NOTE,	 TUI_DO_VERDICT, TUI_DO_NEXT_PANE,
					TUI_DO_MAXIMISE, TUI_DO_EXPORT,	 TUI_NO_ACTION};

const struct tui_view_ops tui_alert_ops = {
    .name = "alert",
    .title = "Alert",
    .help =
	"One alert: its message, on the left the events around it, on the right what is known of "
	"it: verdicts and notes, the line of processes, what was lost nearby, other rules that "
	"fired on the same event, the fields of the message, the rule. The events are those of "
	"the line of processes and of who else had to do with the file; 'evidence' goes on to "
	"those of the process, of the descriptor, and all; 'expand' and 'collapse' show more "
	"and fewer. Enter shows an event whole. T is the moment of the alert, so the tree and "
	"the other views are as they were then.",
    .actions = alert_actions,
    .open = open_alert,
    .close = close_alert,
    .sync = sync_alert,
    .draw = draw_alert,
    .act = act_alert,
    .work = work_alert,
    .crumb = crumb_alert,
    .command = command_alert,
    .click = click_alert,
    .table = alert_table,
};
