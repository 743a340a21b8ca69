/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be hidden, as a YAML file says it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/rules/yaml.h"
#include "replay/redact.h"

#define POLICY_BYTES_MAX (1u << 20)

enum policy_kind { POLICY_SWITCH, POLICY_LIST, POLICY_USERS };

struct policy_key {
	const char *name;
	enum policy_kind kind;
	size_t at; /* of its member in struct redact_policy */
};

#define KEY(n, k, m)                                                                               \
	{                                                                                          \
		(n), (k), offsetof(struct redact_policy, m)                                        \
	}
static const struct policy_key keys[] = {
    KEY("addresses", POLICY_SWITCH, addresses),
    KEY("arguments", POLICY_SWITCH, arguments),
    KEY("buffers", POLICY_SWITCH, buffers),
    KEY("containers", POLICY_SWITCH, containers),
    KEY("environment", POLICY_SWITCH, environment),
    KEY("host", POLICY_SWITCH, host),
    KEY("paths", POLICY_LIST, paths),
    KEY("strict", POLICY_SWITCH, strict),
    KEY("strings", POLICY_LIST, strings),
    KEY("users", POLICY_USERS, names),
};

int redact_list_add(struct redact_list *l, struct arena *arena, const char *item)
{
	if ((l->count & (l->count + 1)) == 0) { /* full at each power of two less one */
		const char **more = arena_zalloc(arena, 2 * (l->count + 1), sizeof(*more));

		if (!more)
			return ERR_NOMEM;
		if (l->count)
			memcpy(more, l->items, l->count * sizeof(*more));
		l->items = more;
	}
	l->items[l->count++] = item;
	return 0;
}

static int wrong(const char *name, const struct rule_yaml_node *at, struct error *err,
		 const char *what)
{
	return error_set(err, ERR_USAGE, "%s:%u:%u: %s", name, at->pos.line + 1, at->pos.column + 1,
			 what);
}

static int take_list(const char *name, const struct rule_yaml_node *v, struct arena *arena,
		     struct redact_list *l, struct error *err)
{
	if (v->kind != RULE_YAML_SEQUENCE)
		return wrong(name, v, err, "expected a list of texts");
	for (const struct rule_yaml_entry *e = v->first; e; e = e->next) {
		if (e->value->kind != RULE_YAML_SCALAR || !e->value->text.n)
			return wrong(name, e->value, err, "expected a text");
		if (redact_list_add(l, arena, e->value->text.p) < 0)
			return error_nomem(err);
	}
	return 0;
}

static int take_key(const char *name, const struct policy_key *key, const struct rule_yaml_node *v,
		    struct arena *arena, struct redact_policy *p, struct error *err)
{
	char *member = (char *)p + key->at;
	bool *on = key->kind == POLICY_USERS ? &p->users : (bool *)member;

	if (key->kind == POLICY_USERS && v->kind == RULE_YAML_SEQUENCE)
		p->users = true;
	if (key->kind == POLICY_LIST || v->kind == RULE_YAML_SEQUENCE) {
		if (key->kind == POLICY_SWITCH)
			return wrong(name, v, err, "expected true or false");
		return take_list(name, v, arena, (struct redact_list *)(void *)member, err);
	}
	if (v->kind != RULE_YAML_SCALAR || !rule_yaml_bool(v->text, on))
		return wrong(name, v, err,
			     key->kind == POLICY_USERS ? "expected true, false or a list of names"
						       : "expected true or false");
	return 0;
}

static const struct policy_key *find_key(struct sv text)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (sv_is(text, keys[i].name))
			return &keys[i];
	return NULL;
}

int redact_policy_parse(const char *name, struct sv text, struct arena *arena,
			struct redact_policy *p, struct error *err)
{
	const struct rule_yaml_node *docs, *map;
	struct rule_pos pos = {0};
	struct error e = {0};
	int rc = rule_yaml_read(text, arena, &docs, &pos, &e);

	if (rc < 0)
		return error_set(err, rc == ERR_SYNTAX ? ERR_USAGE : rc, "%s:%u:%u: %s", name,
				 pos.line + 1, pos.column + 1, e.msg);
	map = docs->first ? docs->first->value : docs;
	if (docs->count != 1 || map->kind != RULE_YAML_MAP)
		return wrong(name, map, err, "expected one map, such as 'arguments: true'");
	for (const struct rule_yaml_entry *k = map->first; k; k = k->next) {
		const struct policy_key *key = find_key(k->key->text);

		if (!key)
			return wrong(name, k->key, err,
				     "expected one of addresses, arguments, buffers, containers, "
				     "environment, host, paths, strict, "
				     "strings, users");
		rc = take_key(name, key, k->value, arena, p, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int redact_policy_read(const char *path, struct arena *arena, struct redact_policy *p,
		       struct error *err)
{
	char *text = arena_alloc(arena, POLICY_BYTES_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t k = 0;

	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	while (text && n <= POLICY_BYTES_MAX &&
	       (k = read(fd, text + n, POLICY_BYTES_MAX + 1 - n)) > 0)
		n += (size_t)k;
	if (k < 0)
		error_sys(err, errno, "cannot read '%s'", path);
	close(fd);
	if (!text)
		return error_nomem(err);
	if (k < 0)
		return ERR_IO;
	if (n > POLICY_BYTES_MAX)
		return error_set(err, ERR_LIMIT, "'%s' is over %u bytes", path, POLICY_BYTES_MAX);
	return redact_policy_parse(path, sv_make(text, n), arena, p, err);
}

static void list_json(struct buf *b, const struct redact_list *l)
{
	buf_char(b, '[');
	for (size_t i = 0; i < l->count; i++) {
		if (i)
			buf_char(b, ',');
		json_string(b, sv_of(l->items[i]));
	}
	buf_char(b, ']');
}

void redact_policy_json(struct buf *b, const struct redact_policy *p)
{
	buf_char(b, '{');
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *member = (const char *)p + keys[i].at;

		buf_addf(b, "%s\"%s\":", i ? "," : "", keys[i].name);
		if (keys[i].kind == POLICY_SWITCH)
			buf_str(b, *(const bool *)member ? "true" : "false");
		else if (keys[i].kind == POLICY_USERS && !p->names.count)
			buf_str(b, p->users ? "true" : "false");
		else
			list_json(b, (const struct redact_list *)(const void *)member);
	}
	buf_char(b, '}');
}
