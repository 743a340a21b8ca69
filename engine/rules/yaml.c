/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rules/yaml.h"

#include <errno.h>
#include <stdlib.h>

#include <yaml.h>

#include "base/map.h"

struct frame { /* one open collection */
	struct rule_yaml_node *node;
	struct rule_yaml_entry *last;
	const struct rule_yaml_node *key; /* of a map: read, its value not yet */
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct smap anchors; /* struct anchor by name */
	struct frame stack[RULE_YAML_DEPTH_MAX + 2];
	unsigned depth;	       /* open frames; the lowest one collects the documents */
	uint64_t nodes, bytes; /* so far, aliases at full weight */
	struct rule_pos *pos;
	struct error *err;
};

struct anchor {
	const struct rule_yaml_node *node;
	unsigned depth; /* stack depth at which a collection with this anchor was opened */
};

static struct rule_pos pos_of(yaml_mark_t mark)
{
	return (struct rule_pos){(uint32_t)mark.line, (uint32_t)mark.column, (uint32_t)mark.index};
}

static int limit_at(struct reader *r, struct rule_pos pos, const char *what, unsigned limit)
{
	*r->pos = pos;
	return error_at(r->err, ERR_LIMIT, pos.offset, "%s (limit %u)", what, limit);
}

/* What the YAML parser did not like, in one sentence. */
static int parser_failed(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "not valid YAML";

	if (p->error == YAML_MEMORY_ERROR)
		return error_nomem(r->err);
	if (p->error == YAML_READER_ERROR) {
		*r->pos = pos_of(p->mark);
		return error_at(r->err, ERR_SYNTAX, p->problem_offset, "%s at byte %zu", problem,
				p->problem_offset);
	}
	*r->pos = pos_of(p->problem_mark);
	if (p->context && strstr(p->context, "tag"))
		return error_at(r->err, ERR_SYNTAX, r->pos->offset,
				"%s %s (a word that begins with '!' must be quoted)", problem,
				p->context);
	return error_at(r->err, ERR_SYNTAX, r->pos->offset, "%s%s%s", problem,
			p->context ? " " : "", p->context ? p->context : "");
}

static struct rule_yaml_node *node_new(struct reader *r, enum rule_yaml_kind kind, yaml_mark_t mark)
{
	struct rule_yaml_node *n = arena_zalloc(r->arena, 1, sizeof(*n));

	if (!n)
		return NULL;
	n->kind = kind;
	n->pos = pos_of(mark);
	n->weight = n->height = 1;
	return n;
}

/* Put a finished node into the innermost open collection. */
static int attach(struct reader *r, const struct rule_yaml_node *n)
{
	struct frame *f = &r->stack[r->depth - 1];
	struct rule_yaml_entry *e;

	f->node->weight += n->weight;
	f->node->bytes += n->bytes;
	if (f->node->height <= n->height)
		f->node->height = n->height + 1;
	if (f->node->kind == RULE_YAML_MAP && !f->key) {
		f->key = n;
		return 0;
	}
	e = arena_zalloc(r->arena, 1, sizeof(*e));
	if (!e)
		return error_nomem(r->err);
	e->key = f->key;
	e->value = n;
	f->key = NULL;
	if (f->last)
		f->last->next = e;
	else
		f->node->first = e;
	f->last = e;
	f->node->count++;
	return 0;
}

static int count_nodes(struct reader *r, const struct rule_yaml_node *n, struct rule_pos pos)
{
	r->nodes += n->weight;
	if (r->nodes > RULE_YAML_NODES_MAX)
		return limit_at(r, pos, "too many YAML nodes, counting what aliases stand for",
				RULE_YAML_NODES_MAX);
	r->bytes += n->bytes;
	if (r->bytes > RULE_YAML_TEXT_MAX)
		return limit_at(r, pos, "too many bytes of text, counting what aliases stand for",
				RULE_YAML_TEXT_MAX);
	return 0;
}

static int remember_anchor(struct reader *r, const yaml_char_t *name,
			   const struct rule_yaml_node *n)
{
	struct anchor *a;
	char *key;

	if (!name)
		return 0;
	a = arena_zalloc(r->arena, 1, sizeof(*a));
	key = arena_strdup(r->arena, (const char *)name);
	if (!a || !key)
		return error_nomem(r->err);
	a->node = n;
	a->depth = r->depth;
	/* A later anchor of the same name replaces the earlier; the map keeps its first key. */
	return smap_put(&r->anchors, sv_of(key), a) ? error_nomem(r->err) : 0;
}

static bool is_null_word(struct sv s)
{
	return s.n == 0 || sv_is(s, "~") || sv_is(s, "null") || sv_is(s, "Null") ||
	       sv_is(s, "NULL");
}

static int on_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct sv text = sv_make(ev->data.scalar.value, ev->data.scalar.length);
	const char *tag = (const char *)ev->data.scalar.tag;
	struct rule_yaml_node *n = node_new(r, RULE_YAML_SCALAR, ev->start_mark);
	int rc;

	if (!n)
		return error_nomem(r->err);
	if (tag ? !strcmp(tag, YAML_NULL_TAG)
		: ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null_word(text))
		n->kind = RULE_YAML_NULL;
	n->bytes = (uint32_t)text.n;
	n->text = arena_sv(r->arena, text);
	if (!n->text.p)
		return error_nomem(r->err);
	rc = count_nodes(r, n, n->pos);
	if (rc == 0)
		rc = remember_anchor(r, ev->data.scalar.anchor, n);
	return rc ? rc : attach(r, n);
}

static int on_alias(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	const struct anchor *a = smap_get(&r->anchors, sv_of(name));
	struct rule_pos pos = pos_of(ev->start_mark);
	int rc;

	*r->pos = pos;
	if (!a)
		return error_at(r->err, ERR_SYNTAX, pos.offset, "alias '%.100s' has no anchor",
				name);
	if (a->depth < r->depth && r->stack[a->depth].node == a->node)
		return error_at(r->err, ERR_SYNTAX, pos.offset,
				"alias '%.100s' stands inside what it names", name);
	if (r->depth + a->node->height > RULE_YAML_DEPTH_MAX)
		return limit_at(r, pos, "YAML nested too deeply", RULE_YAML_DEPTH_MAX);
	rc = count_nodes(r, a->node, pos);
	return rc ? rc : attach(r, a->node);
}

static int on_open(struct reader *r, enum rule_yaml_kind kind, const yaml_char_t *anchor,
		   yaml_mark_t mark)
{
	struct rule_yaml_node *n = node_new(r, kind, mark);
	int rc;

	if (!n)
		return error_nomem(r->err);
	if (r->depth > RULE_YAML_DEPTH_MAX)
		return limit_at(r, n->pos, "YAML nested too deeply", RULE_YAML_DEPTH_MAX);
	rc = count_nodes(r, n, n->pos);
	if (rc == 0)
		rc = remember_anchor(r, anchor, n);
	if (rc == 0)
		r->stack[r->depth++] = (struct frame){.node = n};
	return rc;
}

static int on_close(struct reader *r)
{
	return attach(r, r->stack[--r->depth].node);
}

static int on_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		smap_clear(&r->anchors); /* anchors do not reach into the next document */
		return 0;
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev);
	case YAML_ALIAS_EVENT:
		return on_alias(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(r, RULE_YAML_SEQUENCE, ev->data.sequence_start.anchor,
			       ev->start_mark);
	case YAML_MAPPING_START_EVENT:
		return on_open(r, RULE_YAML_MAP, ev->data.mapping_start.anchor, ev->start_mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(r);
	default:
		return 0;
	}
}

static int read_events(struct reader *r)
{
	bool end = false;
	int rc = 0;

	while (!end && rc == 0) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&r->parser, &ev))
			return parser_failed(r);
		end = ev.type == YAML_STREAM_END_EVENT;
		rc = on_event(r, &ev);
		yaml_event_delete(&ev);
	}
	return rc;
}

int rule_yaml_read(struct sv text, struct arena *arena, const struct rule_yaml_node **out,
		   struct rule_pos *pos, struct error *err)
{
	struct rule_pos nowhere;
	struct reader r = {.arena = arena, .pos = pos ? pos : &nowhere, .err = err};
	struct rule_yaml_node *docs;
	int rc;

	*r.pos = (struct rule_pos){0};
	if (text.n > RULE_YAML_BYTES_MAX)
		return limit_at(&r, *r.pos, "too many bytes of YAML", RULE_YAML_BYTES_MAX);
	docs = node_new(&r, RULE_YAML_SEQUENCE, (yaml_mark_t){0});
	if (!docs || !yaml_parser_initialize(&r.parser))
		return error_nomem(err);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const yaml_char_t *)(text.p ? text.p : ""),
				     text.n);
	r.stack[r.depth++].node = docs;
	rc = read_events(&r);
	if (rc == 0)
		*out = docs;
	smap_done(&r.anchors);
	yaml_parser_delete(&r.parser);
	return rc;
}

const struct rule_yaml_node *rule_yaml_get(const struct rule_yaml_node *map, const char *key)
{
	if (!map || map->kind != RULE_YAML_MAP)
		return NULL;
	for (const struct rule_yaml_entry *e = map->first; e; e = e->next)
		if (e->key->kind == RULE_YAML_SCALAR && sv_is(e->key->text, key))
			return e->value;
	return NULL;
}

bool rule_yaml_bool(struct sv text, bool *out)
{
	static const char *const words[][3] = {
	    {"y", "Y", "Y"},
	    {"yes", "Yes", "YES"},
	    {"true", "True", "TRUE"},
	    {"on", "On", "ON"},
	    {"n", "N", "N"},
	    {"no", "No", "NO"},
	    {"false", "False", "FALSE"},
	    {"off", "Off", "OFF"},
	};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		for (size_t k = 0; k < 3; k++) {
			if (!sv_is(text, words[i][k]))
				continue;
			*out = i < 4;
			return true;
		}
	}
	return false;
}

bool rule_yaml_u64(struct sv text, uint64_t *out)
{
	char digits[32], *end;

	if (text.n == 0 || text.n >= sizeof(digits) || text.p[0] < '0' || text.p[0] > '9')
		return false;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	errno = 0;
	*out = strtoull(digits, &end, 0);
	return errno == 0 && end == digits + text.n;
}
