/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ruleset.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tui/data_internal.h"
#include "tui/known.h"

#define CONTENTS_MAX (64 << 20) /* bytes of rules that a case keeps */

struct told { /* about one rule, once somebody asks */
	struct rule_explanation *x;
	struct flt_explainer *explainer; /* of the context at hand */
};

struct tui_ruleset {
	struct tui_data *d;
	enum tui_rules_origin origin;
	struct buf doubt;
	bool own; /* loader and engine are */
	struct rule_loader *loader;
	struct rule_engine *engine;
	enum rule_priority min;
	bool first_only;
	struct told *told; /* by rule */
	struct flt_format *what;
	/* The event. */
	struct tui_walk walk;
	struct flt_ctx *ctx;
	struct state_binding b;
	const char *path; /* of its capture; NULL: none is looked at */
	uint64_t num;
};

static void forget_context(struct tui_ruleset *s)
{
	size_t n = 0;

	if (s->engine)
		(void)rule_engine_rules(s->engine, &n);
	for (size_t i = 0; s->told && i < n; i++) {
		flt_explainer_free(s->told[i].explainer);
		s->told[i].explainer = NULL;
	}
	flt_ctx_free(s->ctx);
	s->ctx = NULL;
	s->path = NULL;
}

static void drop_rules(struct tui_ruleset *s)
{
	if (s->own) {
		rule_engine_free(s->engine);
		rule_loader_free(s->loader);
	}
	s->engine = NULL;
	s->loader = NULL;
}

void tui_ruleset_free(struct tui_ruleset *s)
{
	size_t n = 0;

	if (!s)
		return;
	forget_context(s);
	if (s->engine)
		(void)rule_engine_rules(s->engine, &n);
	for (size_t i = 0; s->told && i < n; i++)
		rule_explanation_free(s->told[i].x);
	free(s->told);
	tui_walk_done(&s->walk);
	drop_rules(s);
	buf_done(&s->doubt);
	free(s);
}

/* --- rules of a case */

/* The newest run that used any. */
#define RUN "(SELECT max(run_id) FROM run_rules)"

/* As replays do that have no configuration. */
static const struct rule_options plain_options = {.filter = {.conditions_see_bytes = true},
						  .min_priority = RULE_DEBUG};

static int new_loader(struct tui_ruleset *s, struct error *err)
{
	drop_rules(s);
	s->own = true;
	return rule_loader_new(&plain_options, &s->loader, err);
}

static bool is_as_it_was(const struct rule_result *r, struct sv sha256)
{
	struct buf hex = {0};
	uint8_t digest[32];
	bool same;

	rule_result_digest(r, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_addf(&hex, "%02x", digest[i]);
	same = sv_eq(sha256, buf_view(&hex));
	buf_done(&hex);
	return same;
}

/* Return: 1 if all files were loaded, 0 if not, or ERR_*. */
static int load_files(struct tui_ruleset *s, struct error *err)
{
	sqlite3_stmt *q = tui_ask(
	    s->d, "SELECT name, sha256 FROM rule_files WHERE run_id = " RUN " ORDER BY seq", err);
	const struct rule_result *results;
	size_t n = 0, other = 0;
	int rc;

	if (!q)
		return ERR_DB;
	rc = new_loader(s, err);
	while (rc == 0 && tui_ask_next(q)) {
		struct buf path = {0};

		buf_sv(&path, tui_ask_text(q, 0));
		rc = rule_loader_file(s->loader, buf_cstr(&path), err);
		buf_done(&path);
		results = rule_loader_results(s->loader, &n);
		if (rc == 0 && !is_as_it_was(&results[n - 1], tui_ask_text(q, 1)))
			other++;
	}
	sqlite3_finalize(q);
	if (other)
		buf_addf(&s->doubt, "%zu of %zu rule files changed since the case was made", other,
			 n);
	return rc < 0 ? rc : n > 0;
}

/* A text of YAML that may hold anything. */
static void put_yaml(struct buf *b, const char *key, struct sv text)
{
	buf_addf(b, "  %s: '", key);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '\'')
			buf_char(b, '\'');
		buf_char(b, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
	buf_lit(b, "'\n");
}

static void put_rule(struct buf *b, sqlite3_stmt *q)
{
	buf_lit(b, "- \n");
	put_yaml(b, "rule", tui_ask_text(q, 0));
	put_yaml(b, "desc", tui_ask_text(q, 1));
	put_yaml(b, "condition", tui_ask_text(q, 2));
	put_yaml(b, "output", tui_ask_text(q, 3));
	buf_addf(b, "  priority: %s\n",
		 rule_priority_name((enum rule_priority)(sqlite3_column_int(q, 4) & 7)));
	put_yaml(b, "source", tui_ask_text(q, 5));
	buf_addf(b, "  enabled: %s\n", sqlite3_column_int(q, 6) ? "true" : "false");
	buf_lit(b, "  tags: ");
	buf_sv(b, tui_ask_text(q, 7)); /* JSON is YAML */
	buf_char(b, '\n');
}

/* Conditions as they are kept are for people: not all of them can be read again. */
static bool can_be_read(struct sv text)
{
	struct rule_loader *l = NULL;
	bool can = rule_loader_new(&plain_options, &l, NULL) == 0 &&
		   rule_loader_text(l, TUI_RULES_KEPT, text, NULL) == 0;

	rule_loader_free(l);
	return can;
}

/* Return: as load_files(). */
static int load_texts(struct tui_ruleset *s, struct error *err)
{
	sqlite3_stmt *q = tui_ask(
	    s->d,
	    "SELECT r.name, r.description, r.compiled, r.output, r.priority, r.source, u.enabled, "
	    "coalesce(r.tags, '[]') FROM run_rules u JOIN rules r USING (rule_id) "
	    "WHERE u.run_id = " RUN " AND r.compiled IS NOT NULL AND r.compiled != '' "
	    "ORDER BY u.seq",
	    err);
	struct buf text = {0}, one = {0};
	size_t unread = 0;
	int rc;

	if (!q)
		return ERR_DB;
	buf_reset(&s->doubt);
	while (tui_ask_next(q) && text.len < CONTENTS_MAX) {
		buf_reset(&one);
		put_rule(&one, q);
		if (can_be_read(buf_view(&one)))
			buf_sv(&text, buf_view(&one));
		else
			unread++;
	}
	sqlite3_finalize(q);
	text.failed |= one.failed;
	buf_done(&one);
	rc = text.failed ? error_nomem(err) : new_loader(s, err);
	if (rc == 0 && text.len)
		rc = rule_loader_text(s->loader, TUI_RULES_KEPT, buf_view(&text), err);
	rc = rc < 0 ? rc : text.len > 0;
	buf_done(&text);
	if (rc > 0)
		buf_lit(&s->doubt, "rule files are not here: macros and lists are filled in");
	if (rc > 0 && unread)
		buf_addf(&s->doubt, ", %zu rules are left out", unread);
	return rc;
}

/* From the newest run of the case. */
static int load_of_case(struct tui_ruleset *s, struct error *err)
{
	struct error why = {0};
	int rc = load_files(s, &why);

	s->origin = TUI_RULES_FILES;
	if (rc < 0) {
		rc = load_texts(s, err);
		s->origin = TUI_RULES_TEXTS;
	}
	if (rc > 0)
		rc = rule_engine_new(s->loader, NULL, 0, &s->engine, err);
	else
		s->origin = TUI_RULES_NONE;
	s->min = RULE_DEBUG;
	s->first_only = true;
	return rc;
}

int tui_ruleset_new(struct tui_data *d, struct tui_ruleset **out, struct error *err)
{
	const struct tui_given_rules *given = d->opt.rules;
	struct tui_ruleset *s = calloc(1, sizeof(*s));
	size_t n = 0;
	int rc = 0;

	if (!s)
		return error_nomem(err);
	s->d = d;
	if (given && given->engine) {
		s->origin = TUI_RULES_GIVEN;
		s->loader = given->loader;
		s->engine = given->engine;
		s->min = given->min_priority;
		s->first_only = !given->match_all;
	} else {
		rc = load_of_case(s, err);
	}
	if (s->engine && rc == 0)
		rc = flt_format_new(rule_engine_program(s->engine),
				    SV_LIT("*%proc.name (%thread.tid)  %evt.type  %evt.args"),
				    &s->what, err);
	if (s->engine && rc == 0)
		rc = rule_engine_seal(s->engine, err);
	if (s->engine)
		(void)rule_engine_rules(s->engine, &n);
	s->told = calloc(n + 1, sizeof(*s->told));
	if (rc == 0 && !s->told)
		rc = error_nomem(err);
	if (rc < 0) {
		tui_ruleset_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* --- what there is */

enum tui_rules_origin tui_ruleset_origin(const struct tui_ruleset *s)
{
	return s->origin;
}

const char *tui_ruleset_doubt(const struct tui_ruleset *s)
{
	return s->doubt.len ? buf_cstr((struct buf *)&s->doubt) : "";
}

const struct rule *tui_ruleset_rules(const struct tui_ruleset *s, size_t *count)
{
	*count = 0;
	return s->engine ? rule_engine_rules(s->engine, count) : NULL;
}

const struct rule *tui_ruleset_find(const struct tui_ruleset *s, struct sv name)
{
	size_t n;
	const struct rule *rules = tui_ruleset_rules(s, &n);

	for (size_t i = 0; i < n; i++)
		if (sv_eq(rules[i].name, name))
			return &rules[i];
	return NULL;
}

struct rule_engine *tui_ruleset_engine(const struct tui_ruleset *s)
{
	return s->engine;
}

struct rule_loader *tui_ruleset_loader(const struct tui_ruleset *s)
{
	return s->loader;
}

bool tui_ruleset_is_first_only(const struct tui_ruleset *s)
{
	return s->first_only;
}

bool tui_ruleset_is_on(const struct tui_ruleset *s, const struct rule *r)
{
	return r->enabled && r->priority <= s->min;
}

/* --- one event */

static int enter(struct tui_ruleset *s, const struct tui_capture *c, uint64_t num,
		 struct error *err)
{
	size_t chunk = 0;
	int rc;

	if (s->ctx && s->path == c->path && tui_walk_is_near(&s->walk, c->index, num))
		return 0;
	if (c->index)
		chunk =
		    tui_walk_chunk(c->index, sf_index_find_event(c->index, num), TUI_TRACK_NONE);
	else if (num > TUI_EVENTS_WITHOUT_INDEX)
		return tui_data_not_yet(s->d, err);
	forget_context(s);
	rc = tui_walk_enter_for_rules(&s->walk, c->path, c->index, chunk, err);
	if (rc == 0)
		rc = flt_ctx_new(rule_engine_program(s->engine), s->walk.state, &s->ctx, err);
	return rc;
}

int tui_ruleset_look(struct tui_ruleset *s, uint64_t num, struct error *err)
{
	const struct tui_capture *c = tui_data_capture(s->d);
	int rc;

	if (!s->engine)
		return error_set(err, ERR_UNSUPPORTED,
				 "no rules are known: give them with -r, or open a case that has "
				 "some");
	rc = tui_data_readable(s->d, err);
	if (rc == 0 && !num)
		rc = error_set(err, ERR_USAGE,
			       "nothing has happened yet: go to an event, such as with ']'");
	if (rc < 0)
		return rc;
	if (s->ctx && s->path == c->path && s->num == num)
		return 0;
	rc = enter(s, c, num, err);
	if (rc == 0)
		rc = tui_walk_event(&s->walk, num, &s->b, err);
	if (rc <= 0) {
		forget_context(s);
		tui_walk_done(&s->walk);
		return rc < 0 ? rc
			      : error_set(err, ERR_USAGE, "there is no event %llu",
					  (unsigned long long)num);
	}
	s->path = c->path;
	s->num = num;
	flt_ctx_event(s->ctx, &s->b);
	return 0;
}

const struct state_binding *tui_ruleset_event(const struct tui_ruleset *s)
{
	return &s->b;
}

void tui_ruleset_describe(struct tui_ruleset *s, struct buf *out)
{
	flt_format_text(s->ctx, s->what, out);
}

const struct rule *tui_ruleset_first(struct tui_ruleset *s)
{
	const struct rule *hit = NULL;

	if (!s->b.visible || !rule_engine_wants(s->engine, s->b.ev->type))
		return NULL;
	return rule_engine_match(s->engine, s->ctx, false, &hit, 1) ? hit : NULL;
}

int tui_ruleset_judge(struct tui_ruleset *s, const struct rule *r, enum flt_detail detail,
		      struct tui_judged *out, struct error *err)
{
	struct told *t = &s->told[r->index];
	int rc;

	if (!r->types)
		return error_set(err, ERR_RULES, "the rule is for events of another source: %.*s",
				 (int)r->source.n, r->source.p);
	rc = t->x ? 0 : rule_explanation_new(s->loader, r, &t->x, err);

	if (rc == 0 && !t->explainer)
		rc = flt_explainer_new(s->ctx, r->condition_id, &t->explainer, err);
	if (rc == 0 && flt_explainer_checks(t->explainer) != t->x->checks)
		rc = error_set(err, ERR_RULES, "the condition cannot be taken apart");
	if (rc < 0)
		return rc;
	out->x = t->x;
	out->matches = flt_explain(t->explainer, detail, &out->findings);
	out->failing = rule_failing(t->x, out->findings);
	return 0;
}

bool tui_ruleset_obstacle(struct tui_ruleset *s, const struct rule *r, bool matches, unsigned *at,
			  struct buf *out)
{
	const struct rule *first;

	switch ((*at)++) {
	case 0:
		if (!r->enabled)
			buf_lit(out, "the rule is disabled, where it is defined or by an option");
		return true;
	case 1:
		if (r->priority > s->min)
			buf_addf(out, "its priority %s is below %s, the least one that is reported",
				 rule_priority_name(r->priority), rule_priority_name(s->min));
		return true;
	case 2:
		if (!s->b.visible)
			buf_lit(out, "rules do not see this event");
		else if (!flt_types_has(r->types, s->b.ev->type))
			buf_addf(out, "the rule is not about events of type %.*s",
				 (int)flt_event_name(s->b.ev).n, flt_event_name(s->b.ev).p);
		return true;
	case 3:
		first = matches && s->first_only ? tui_ruleset_first(s) : NULL;
		if (first && first->index < r->index)
			buf_addf(out,
				 "an earlier rule matches, and only the first one is reported: "
				 "%.*s",
				 (int)first->name.n, first->name.p);
		return true;
	default:
		return false;
	}
}
