/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as one JSON object on a line. */
#include "base/json.h"
#include "cli/explain.h"

static void key_text(struct buf *b, const char *key, struct sv value)
{
	buf_addf(b, "\"%s\":", key);
	json_string(b, value);
}

static void place(struct buf *b, struct rule_place at)
{
	if (!at.file)
		return;
	buf_lit(b, ",");
	key_text(b, "file", sv_of(at.file));
	buf_addf(b, ",\"line\":%u", at.line);
}

static void constant(struct buf *b, const struct rule_part *p, int32_t item)
{
	const struct rule_constant *k;

	if (item < 0)
		return;
	buf_addf(b, ",\"item\":{\"index\":%d", item);
	if ((uint32_t)item < p->constant_count) {
		k = &p->constants[item];
		buf_char(b, ',');
		key_text(b, "text", k->text);
		if (k->list.n) {
			buf_char(b, ',');
			key_text(b, "list", k->list);
		}
		place(b, k->at);
	}
	buf_char(b, '}');
}

static void finding(struct buf *b, const struct explained *x, const struct rule_part *p,
		    const struct flt_finding *f)
{
	buf_char(b, ',');
	key_text(b, "reason", sv_of(flt_reason_name(f->reason)));
	if (f->left.p) {
		buf_char(b, ',');
		key_text(b, "value", f->left);
	}
	if (f->right.p) {
		buf_char(b, ',');
		key_text(b, "right", f->right);
	}
	constant(b, p, f->item);
	if (cli_never_present(x, p->check))
		buf_lit(b, ",\"never_present\":true");
}

static void part(struct buf *b, const struct explained *x, const struct explained_event *e,
		 const struct rule_part *p)
{
	static const char *const kinds[] = {
	    [RULE_PART_AND] = "and",	 [RULE_PART_OR] = "or",
	    [RULE_PART_NOT] = "not",	 [RULE_PART_CHECK] = "check",
	    [RULE_PART_MACRO] = "macro", [RULE_PART_EXCEPTION] = "exception",
	    [RULE_PART_TUPLE] = "tuple",
	};

	buf_addf(b, "{\"kind\":\"%s\",\"truth\":\"%s\"", kinds[p->kind],
		 cli_truth_name(rule_part_truth(p, e->findings)));
	if (p->text.n) {
		buf_char(b, ',');
		key_text(b, p->kind == RULE_PART_CHECK ? "text" : "name", p->text);
	}
	place(b, p->at);
	if (p->defined.file) {
		buf_lit(b, ",\"defined\":{");
		key_text(b, "file", sv_of(p->defined.file));
		buf_addf(b, ",\"line\":%u}", p->defined.line);
	}
	if (p->kind == RULE_PART_CHECK)
		finding(b, x, p, &e->findings[p->check]);
	if (p->count) {
		buf_lit(b, ",\"parts\":[");
		for (uint32_t i = 0; i < p->count; i++) {
			if (i)
				buf_char(b, ',');
			part(b, x, e, p->kids[i]);
		}
		buf_char(b, ']');
	}
	buf_char(b, '}');
}

static void obstacles(struct buf *b, const struct explained *x, const struct explained_event *e)
{
	struct buf room = {0};
	const char *text;
	unsigned at = 0;

	buf_lit(b, ",\"not_reported\":[");
	for (unsigned n = 0; (text = cli_obstacle_text(x, e, &at, &room)) != NULL; n++) {
		if (n)
			buf_char(b, ',');
		json_string(b, sv_of(text));
	}
	buf_char(b, ']');
	buf_done(&room);
}

static void event(struct buf *b, const struct explained *x, const struct explained_event *e)
{
	buf_addf(b, "{\"num\":%llu,\"offset\":%llu,\"time\":\"", (unsigned long long)e->num,
		 (unsigned long long)e->offset);
	cli_time(b, e->ts);
	buf_addf(b, "\",\"tid\":%lld,", (long long)e->tid);
	key_text(b, "type", e->type);
	buf_char(b, ',');
	key_text(b, "process", e->process);
	buf_char(b, ',');
	key_text(b, "args", e->args);
	buf_addf(b, ",\"process_known\":%s,\"matches\":%s,\"reported\":%s,\"failing\":%u",
		 e->has_thread ? "true" : "false", e->matches ? "true" : "false",
		 e->matches && !e->obstacles ? "true" : "false", e->failing);
	obstacles(b, x, e);
	if (e->first) {
		buf_char(b, ',');
		key_text(b, "shadowed_by", e->first->name);
	}
	buf_lit(b, ",\"condition\":");
	part(b, x, e, x->x->root);
	buf_char(b, '}');
}

void cli_explain_json(struct buf *b, const struct explained *x)
{
	const struct rule *r = x->x->rule;

	buf_char(b, '{');
	key_text(b, "rule", r->name);
	place(b, (struct rule_place){r->file, r->line});
	buf_addf(b, ",\"priority\":\"%s\",\"enabled\":%s,", rule_priority_name(r->priority),
		 r->enabled ? "true" : "false");
	key_text(b, "capture", sv_of(x->path));
	if (x->other) {
		buf_char(b, ',');
		key_text(b, "alert_of", x->other->name);
	}
	buf_addf(b, ",\"conjuncts\":%u,\"gaps\":%zu", x->x->conjunct_count, x->gaps);
	if (x->wanted)
		buf_addf(b, ",\"gaps_before\":%zu", x->gaps_before);
	else
		buf_addf(b,
			 ",\"survey\":{\"events\":%llu,\"of_types\":%llu,\"matching\":%llu,"
			 "\"reported\":%llu,\"shadowed\":%llu,\"filtered\":%llu}",
			 (unsigned long long)x->events, (unsigned long long)x->of_types,
			 (unsigned long long)x->matching, (unsigned long long)x->reported,
			 (unsigned long long)x->shadowed, (unsigned long long)x->filtered);
	buf_lit(b, ",\"events\":[");
	for (size_t i = 0; i < x->count; i++) {
		if (i)
			buf_char(b, ',');
		event(b, x, &x->shown[i]);
	}
	buf_lit(b, "]}\n");
}
