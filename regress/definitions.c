/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/definitions.h"

#include <stdlib.h>

#include "base/escape.h"
#include "engine/rules/yaml.h"
#include "scapfile/files.h"

#define WORDS_MAX   8192u /* of one definition */
#define CHANGED_MAX 8u	  /* items that a difference tells one by one */
#define FOLLOW_MAX  100u  /* macros and lists that refer to each other, in depth */

typedef const struct rule_yaml_node *node;

const char *const reg_kind_names[REG_KIND_COUNT] = {
    [REG_RULE] = "rule", [REG_MACRO] = "macro", [REG_LIST] = "list"};

/* --- reading --- */

static void put_node(struct buf *b, node n)
{
	bool any = false;

	if (n->kind == RULE_YAML_SCALAR) {
		buf_sv(b, n->text);
		return;
	}
	buf_char(b, n->kind == RULE_YAML_MAP ? '{' : '[');
	for (const struct rule_yaml_entry *e = n->first; e; e = e->next) {
		if (any)
			buf_lit(b, ", ");
		any = true;
		if (e->key) {
			put_node(b, e->key);
			buf_lit(b, ": ");
		}
		put_node(b, e->value);
	}
	buf_char(b, n->kind == RULE_YAML_MAP ? '}' : ']');
}

/* Line ends and runs of blanks are one blank: how a condition is laid out is no difference. */
static struct sv one_line(struct arena *a, struct buf *b)
{
	size_t to = 0;

	for (size_t i = 0; i < b->len; i++) {
		char c = memchr(" \t\r\n", b->p[i], 4) ? ' ' : b->p[i];

		if (c != ' ' || (to && b->p[to - 1] != ' '))
			b->p[to++] = c;
	}
	while (to && b->p[to - 1] == ' ')
		to--;
	b->len = to;
	return arena_sv(a, buf_view(b));
}

static int add_part(struct reg_definitions *d, struct reg_definition *def, node key, node value)
{
	struct reg_part *part = arena_zalloc(&d->arena, 1, sizeof(*part));
	struct buf b = {0};

	if (!part)
		return ERR_NOMEM;
	put_node(&b, value);
	part->key = arena_sv(&d->arena, key->text);
	part->text = one_line(&d->arena, &b);
	part->line = key->pos.line + 1;
	if (def->last)
		def->last->next = part;
	else
		def->parts = part;
	def->last = part;
	if (b.failed || !part->key.p || !part->text.p) {
		buf_done(&b);
		return ERR_NOMEM;
	}
	buf_done(&b);
	return 0;
}

static struct reg_definition *define(struct reg_definitions *d, enum reg_kind kind,
				     const char *file, node name)
{
	struct reg_definition *def = smap_get(&d->names[kind], name->text);

	if (def)
		return def;
	def = arena_zalloc(&d->arena, 1, sizeof(*def));
	if (!def)
		return NULL;
	def->kind = kind;
	def->name = arena_sv(&d->arena, name->text);
	def->file = arena_strdup(&d->arena, file);
	def->line = name->pos.line + 1;
	if (!def->name.p || !def->file || smap_put(&d->names[kind], def->name, def) < 0)
		return NULL;
	return def;
}

/* "override: {condition: replace}": what was there before is gone. */
static void replace_parts(struct reg_definition *def, node entry)
{
	node override = rule_yaml_get(entry, "override");
	struct reg_part **at = &def->parts;

	def->last = NULL;
	while (*at) {
		node how = rule_yaml_get(override, (*at)->key.p);

		if (how && how->kind == RULE_YAML_SCALAR && sv_is(how->text, "replace")) {
			*at = (*at)->next;
		} else {
			def->last = *at;
			at = &(*at)->next;
		}
	}
}

/* An entry that neither appends nor overrides replaces what was there before. */
static int take_entry(struct reg_definitions *d, const char *file, node entry)
{
	int rc = 0;

	for (int kind = 0; kind < REG_KIND_COUNT; kind++) {
		node name = rule_yaml_get(entry, reg_kind_names[kind]);
		struct reg_definition *def;

		if (!name || name->kind != RULE_YAML_SCALAR)
			continue;
		def = define(d, (enum reg_kind)kind, file, name);
		if (!def)
			return ERR_NOMEM;
		if (!rule_yaml_get(entry, "append") && !rule_yaml_get(entry, "override"))
			def->parts = def->last = NULL;
		replace_parts(def, entry);
		for (const struct rule_yaml_entry *e = entry->first; e && rc == 0; e = e->next)
			if (e->key->kind == RULE_YAML_SCALAR && e->value != name)
				rc = add_part(d, def, e->key, e->value);
		break;
	}
	return rc;
}

int reg_definitions_add(struct reg_definitions *d, const char *file, struct sv text)
{
	struct arena arena = {0};
	node docs;
	int rc = rule_yaml_read(text, &arena, &docs, NULL, NULL);

	if (rc < 0) {
		arena_done(&arena);
		return rc == ERR_NOMEM ? rc : 0;
	}
	for (const struct rule_yaml_entry *doc = docs->first; doc; doc = doc->next)
		for (const struct rule_yaml_entry *e = doc->value->first; e && rc == 0; e = e->next)
			if (doc->value->kind == RULE_YAML_SEQUENCE &&
			    e->value->kind == RULE_YAML_MAP)
				rc = take_entry(d, file, e->value);
	arena_done(&arena);
	return rc;
}

void reg_definitions_done(struct reg_definitions *d)
{
	for (int kind = 0; kind < REG_KIND_COUNT; kind++)
		smap_done(&d->names[kind]);
	arena_done(&d->arena);
	*d = (struct reg_definitions){0};
}

const struct reg_definition *reg_definition(const struct reg_definitions *d, enum reg_kind kind,
					    struct sv name)
{
	return smap_get(&d->names[kind], name);
}

/* --- words: what may be names of macros and lists, and items of lists --- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.-/", c));
}

/* Of lists, items are what stands between commas. */
static struct sv next_word(struct sv *text, bool list)
{
	size_t n = 0;
	struct sv word;

	if (list) {
		while (text->n && strchr("[], \"'", text->p[0]))
			*text = sv_drop(*text, 1);
		while (n < text->n && text->p[n] != ',' && text->p[n] != ']')
			n++;
	} else {
		while (text->n && !is_word(text->p[0]))
			*text = sv_drop(*text, 1);
		while (n < text->n && is_word(text->p[n]))
			n++;
	}
	word = sv_make(text->p, n);
	*text = sv_drop(*text, n);
	while (list && word.n && strchr(" \"'", word.p[word.n - 1]))
		word.n--;
	return word;
}

static bool says_what_matches(struct sv key)
{
	return sv_is(key, "condition") || sv_is(key, "exceptions") || sv_is(key, "items");
}

static int find_words(struct reg_definitions *d, struct reg_definition *def)
{
	struct sv *words = NULL;
	size_t count = 0, room = 0;

	if (def->items)
		return 0;
	for (const struct reg_part *p = def->parts; p; p = p->next) {
		struct sv text = p->text, word;

		while (says_what_matches(p->key) && count < WORDS_MAX &&
		       (word = next_word(&text, def->kind == REG_LIST)).n) {
			if (count == room) {
				size_t more = room ? room * 2 : 32;
				struct sv *all = arena_zalloc(&d->arena, more, sizeof(*all));

				if (!all)
					return ERR_NOMEM;
				if (count)
					memcpy(all, words, count * sizeof(*all));
				words = all;
				room = more;
			}
			words[count++] = word;
		}
	}
	def->items = words;
	def->item_count = count;
	return 0;
}

/* --- comparing --- */

struct comparing {
	struct reg_definitions *a, *b;
	struct buf *out;
	int found;
	unsigned depth;
};

static bool has_item(const struct reg_definition *d, struct sv item)
{
	for (size_t i = 0; i < d->item_count; i++)
		if (sv_eq(d->items[i], item))
			return true;
	return false;
}

/* "removed a, b" */
static void tell_items(struct buf *b, const char *what, const struct reg_definition *in,
		       const struct reg_definition *not_in)
{
	unsigned n = 0;

	for (size_t i = 0; i < in->item_count; i++) {
		if (has_item(not_in, in->items[i]))
			continue;
		if (n < CHANGED_MAX) {
			buf_addf(b, "%s%s", n ? ", " : "", n ? "" : what);
			escape_text(b, in->items[i]);
		}
		n++;
	}
	if (n > CHANGED_MAX)
		buf_addf(b, " and %u more", n - CHANGED_MAX);
	if (n)
		buf_lit(b, "; ");
}

/* All that a definition has under a key, whichever entries it is from. */
static struct sv value_of(struct buf *b, const struct reg_definition *d, struct sv key)
{
	buf_reset(b);
	for (const struct reg_part *p = d->parts; p; p = p->next) {
		if (!sv_eq(p->key, key))
			continue;
		if (b->len)
			buf_char(b, ' ');
		buf_sv(b, p->text);
	}
	return buf_view(b);
}

/* Is a word cut in two where @x[..@n] ends? */
static bool cuts_word(struct sv x, size_t n)
{
	return n && n < x.n && is_word(x.p[n - 1]) && is_word(x.p[n]);
}

void reg_changed_part(struct sv *x, struct sv *y)
{
	size_t n = 0;

	if (!x->n || !y->n)
		return;
	while (n < x->n && n < y->n && x->p[n] == y->p[n])
		n++;
	while (cuts_word(*x, n) || cuts_word(*y, n))
		n--;
	*x = sv_drop(*x, n);
	*y = sv_drop(*y, n);
	n = 0;
	while (n < x->n && n < y->n && x->p[x->n - 1 - n] == y->p[y->n - 1 - n])
		n++;
	while (n && (cuts_word(*x, x->n - n) || cuts_word(*y, y->n - n)))
		n--;
	x->n -= n;
	y->n -= n;
}

/* "condition: ... -> ...": what is between the same beginning and the same end. */
static void tell_texts(struct buf *b, struct sv key, struct sv x, struct sv y)
{
	reg_changed_part(&x, &y);
	escape_text(b, key);
	buf_lit(b, ": '");
	escape_text(b, x);
	buf_lit(b, "' -> '");
	escape_text(b, y);
	buf_lit(b, "'; ");
}

static void begin_line(struct comparing *c, const struct reg_definition *d, uint32_t line)
{
	buf_addf(c->out, "%s ", reg_kind_names[d->kind]);
	escape_text(c->out, d->name);
	buf_lit(c->out, " (");
	escape_text(c->out, sv_of(sf_file_base(d->file)));
	buf_addf(c->out, ":%u): ", line);
	c->found++;
}

static void end_line(struct comparing *c)
{
	if (c->out->len >= 2 && c->out->p[c->out->len - 1] == ' ')
		c->out->len -= 2; /* "; " */
	buf_char(c->out, '\n');
}

static bool told_key(const struct reg_definition *d, const struct reg_part *until)
{
	for (const struct reg_part *p = d->parts; p && p != until; p = p->next)
		if (sv_eq(p->key, until->key))
			return true;
	return false;
}

/* Bears on no alert, or on others' values only. */
static bool says_nothing(struct sv key)
{
	return sv_is(key, "desc") || sv_is(key, "tags") || sv_is(key, "append") ||
	       sv_is(key, "override");
}

/* Each key that one of both has, once; @line receives the place of the first that differs. */
static uint32_t tell_keys(struct buf *b, const struct reg_definition *x,
			  const struct reg_definition *y)
{
	const struct reg_definition *both[2] = {y, x};
	struct buf from = {0}, to = {0};
	uint32_t line = 0;

	for (int i = 0; i < 2; i++) {
		for (const struct reg_part *p = both[i]->parts; p; p = p->next) {
			struct sv a = value_of(&from, x, p->key), c = value_of(&to, y, p->key);

			if (sv_eq(a, c) || told_key(both[i], p) || (i && c.n) ||
			    says_nothing(p->key))
				continue;
			if (!line)
				line = i ? y->line : p->line;
			if (x->kind == REG_LIST && sv_is(p->key, "items")) {
				tell_items(b, "removed ", x, y);
				tell_items(b, "added ", y, x);
				if (b->len == 0)
					buf_lit(b, "items in another order; ");
			} else {
				tell_texts(b, p->key, a, c);
			}
		}
	}
	b->failed |= from.failed || to.failed;
	buf_done(&from);
	buf_done(&to);
	return line;
}

static void compare_one(struct comparing *c, const struct reg_definition *x,
			const struct reg_definition *y)
{
	struct buf text = {0};
	uint32_t line = tell_keys(&text, x, y);

	if (text.len) {
		begin_line(c, y, line);
		buf_sv(c->out, buf_view(&text));
		end_line(c);
	}
	c->out->failed |= text.failed;
	buf_done(&text);
}

static int follow(struct comparing *c, enum reg_kind kind, struct sv name);

static int follow_words(struct comparing *c, const struct reg_definition *d)
{
	int rc = 0;

	for (size_t i = 0; i < d->item_count && rc == 0; i++) {
		if (d->kind != REG_LIST)
			rc = follow(c, REG_MACRO, d->items[i]);
		if (rc == 0)
			rc = follow(c, REG_LIST, d->items[i]);
	}
	return rc;
}

/* Each is looked at once. */
static int follow(struct comparing *c, enum reg_kind kind, struct sv name)
{
	struct reg_definition *x = smap_get(&c->a->names[kind], name);
	struct reg_definition *y = smap_get(&c->b->names[kind], name);
	int rc = 0;

	if ((!x && !y) || (y && y->seen) || (!y && x->seen) || c->depth == FOLLOW_MAX)
		return 0;
	c->depth++;
	if (x)
		x->seen = true;
	if (y)
		y->seen = true;
	if (x)
		rc = find_words(c->a, x);
	if (rc == 0 && y)
		rc = find_words(c->b, y);
	if (rc < 0)
		return rc;
	if (x && y) {
		compare_one(c, x, y);
	} else {
		begin_line(c, y ? y : x, y ? y->line : x->line);
		buf_str(c->out, y ? "is new" : "is gone");
		buf_char(c->out, '\n');
	}
	if (x)
		rc = follow_words(c, x);
	if (rc == 0 && y)
		rc = follow_words(c, y);
	c->depth--;
	return rc;
}

static void forget(struct reg_definitions *d)
{
	for (int kind = 0; kind < REG_KIND_COUNT; kind++) {
		struct smap_slot *slot;

		for (size_t at = 0; (slot = smap_next(&d->names[kind], &at));)
			((struct reg_definition *)slot->value)->seen = false;
	}
}

int reg_definitions_compare(struct reg_definitions *a, struct reg_definitions *b, struct sv rule,
			    struct buf *out)
{
	struct comparing c = {.a = a, .b = b, .out = out};
	int rc;

	forget(a);
	forget(b);
	rc = follow(&c, REG_RULE, rule);
	if (rc < 0 || out->failed)
		return ERR_NOMEM;
	return c.found;
}
