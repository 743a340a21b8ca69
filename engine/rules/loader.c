/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: one file after the other into one collection, which is compiled anew after each. */
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "archive/archive.h"
#include "engine/rules/internal.h"

/* --- options outlive their caller --- */

static const char *copy_string(struct arena *a, const char *s, bool *failed)
{
	char *copy = s ? arena_strdup(a, s) : NULL;

	*failed |= s && !copy;
	return copy;
}

static int copy_statics(struct rule_loader *l, const struct flt_static *from)
{
	struct flt_static *statics;
	bool failed = false;
	size_t n = 0;

	if (!from)
		return 0;
	while (from[n].name)
		n++;
	statics = arena_zalloc(&l->arena, n + 1, sizeof(*statics));
	if (!statics)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		statics[i].name = copy_string(&l->arena, from[i].name, &failed);
		statics[i].value = copy_string(&l->arena, from[i].value, &failed);
	}
	l->opt.filter.statics = statics;
	return failed ? ERR_NOMEM : 0;
}

static const char *const *copy_strings(struct arena *a, const char *const *from, bool *failed)
{
	const char **to;
	size_t n = 0;

	while (from[n])
		n++;
	to = arena_zalloc(a, n + 1, sizeof(*to));
	*failed |= !to;
	for (size_t i = 0; to && i < n; i++)
		to[i] = copy_string(a, from[i], failed);
	return to;
}

static int copy_append_output(struct rule_loader *l, const struct rule_options *opt)
{
	struct rule_append_output *p = arena_zalloc(&l->arena, opt->append_count, sizeof(*p));
	bool failed = !p;

	for (size_t i = 0; p && i < opt->append_count; i++) {
		const struct rule_append_output *from = &opt->append_output[i];

		p[i].source = copy_string(&l->arena, from->source, &failed);
		p[i].rule = copy_string(&l->arena, from->rule, &failed);
		p[i].extra_output = copy_string(&l->arena, from->extra_output, &failed);
		p[i].suggested = from->suggested;
		if (from->tags)
			p[i].tags = copy_strings(&l->arena, from->tags, &failed);
	}
	l->opt.append_output = p;
	return failed ? ERR_NOMEM : 0;
}

static int copy_plugins(struct rule_loader *l, const struct rule_options *opt)
{
	struct rule_plugin *p = arena_zalloc(&l->arena, opt->plugin_count, sizeof(*p));
	bool failed = !p;

	for (size_t i = 0; p && i < opt->plugin_count; i++) {
		p[i].name = copy_string(&l->arena, opt->plugins[i].name, &failed);
		p[i].version = copy_string(&l->arena, opt->plugins[i].version, &failed);
	}
	l->opt.plugins = p;
	return failed ? ERR_NOMEM : 0;
}

int rule_loader_new(const struct rule_options *opt, struct rule_loader **out, struct error *err)
{
	static const struct rule_options defaults = {.min_priority = RULE_DEBUG};
	struct rule_loader *l = calloc(1, sizeof(*l));

	if (!l)
		return error_nomem(err);
	if (!opt)
		opt = &defaults;
	l->opt = *opt;
	l->last_ok = true;
	if (copy_statics(l, opt->filter.statics) || copy_append_output(l, opt) ||
	    copy_plugins(l, opt)) {
		rule_loader_free(l);
		return error_nomem(err);
	}
	*out = l;
	return 0;
}

void rule_loader_free(struct rule_loader *l)
{
	if (!l)
		return;
	rule_compiled_done(&l->compiled);
	flt_program_free(l->checker);
	rule_vec_done(&l->lists);
	rule_vec_done(&l->macros);
	rule_vec_done(&l->rules);
	rule_vec_done(&l->needs_plugins);
	smap_done(&l->list_by_name);
	smap_done(&l->macro_by_name);
	smap_done(&l->rule_by_name);
	free(l->results);
	arena_done(&l->arena);
	free(l);
}

/* --- one file --- */

static int check_schema(struct rule_loader *l, struct rule_verdict *v,
			const struct rule_yaml_node *docs)
{
	struct buf text = {0};
	const char **list;
	int rc = 0;

	v->pub.schema_applied = docs->count > 0;
	rule_schema_check(docs, &text);
	v->pub.schema_valid = text.len == 0;
	if (text.len) {
		list = arena_zalloc(&l->arena, 1, sizeof(*list));
		if (list)
			list[0] = arena_strdup(&l->arena, buf_cstr(&text));
		if (!list || !list[0])
			rc = ERR_NOMEM;
		v->pub.schema_warnings = list;
		v->pub.schema_warning_count = 1;
	}
	if (text.failed)
		rc = ERR_NOMEM;
	buf_done(&text);
	return rc;
}

static int not_yaml(struct rule_reader *r, struct rule_pos pos, const struct error *why)
{
	struct rule_yaml_node here = {.pos = pos};
	const struct rule_where *root = rule_where_root(&r->l->arena, r->src);

	return rule_fail(r->v, LOAD_ERR_YAML_PARSE,
			 rule_where_node(&r->l->arena, root, "rules content", sv_of(""), &here),
			 "%s", why->msg);
}

static int load(struct rule_reader *r)
{
	const struct rule_yaml_node *docs;
	struct rule_pos pos;
	struct error why;
	int rc;

	rc = rule_yaml_read(r->src->text, &r->l->arena, &docs, &pos, &why);
	if (rc)
		return rc == ERR_NOMEM ? rc : not_yaml(r, pos, &why);
	rc = check_schema(r->l, r->v, docs);
	if (rc == 0)
		rc = rule_collect(r, docs);
	return rc ? rc : rule_compile(r->l, r->v, &r->l->compiled);
}

static int add_result(struct rule_loader *l, const struct rule_result *result)
{
	if (l->result_count == l->result_cap) {
		size_t cap = l->result_cap ? l->result_cap * 2 : 8;
		struct rule_result *p = realloc(l->results, cap * sizeof(*p));

		if (!p)
			return ERR_NOMEM;
		l->results = p;
		l->result_cap = cap;
	}
	l->results[l->result_count++] = *result;
	return 0;
}

static int begin(struct rule_loader *l, const char *name, struct rule_source **src,
		 struct rule_verdict *v)
{
	*src = arena_zalloc(&l->arena, 1, sizeof(**src));
	l->last_ok = false;
	rule_compiled_done(&l->compiled);
	*v = (struct rule_verdict){.arena = &l->arena};
	if (*src)
		(*src)->name = arena_strdup(&l->arena, name);
	if (!*src || !(*src)->name)
		return ERR_NOMEM;
	(*src)->text = sv_of("");
	v->pub.name = (*src)->name;
	v->pub.ok = true;
	return 0;
}

/* Keep the verdict, and turn @rc into what the caller gets. */
static int finish(struct rule_loader *l, struct rule_verdict *v, int rc, struct error *err)
{
	if (rc != ERR_NOMEM && add_result(l, &v->pub))
		rc = ERR_NOMEM;
	if (rc == ERR_NOMEM)
		return error_nomem(err);
	l->last_ok = rc == 0;
	return rc ? rule_verdict_error(v, err) : 0;
}

int rule_loader_text(struct rule_loader *l, const char *name, struct sv text, struct error *err)
{
	struct rule_verdict v;
	struct rule_reader r = {.l = l, .v = &v};
	int rc = begin(l, name, &r.src, &v);

	if (rc)
		return error_nomem(err);
	v.pub.text.p = arena_strndup(&l->arena, text.p ? text.p : "", text.n);
	v.pub.text.n = text.n;
	r.src->text = sv_starts(text, SV_LIT("\xef\xbb\xbf")) ? sv_drop(v.pub.text, 3) : v.pub.text;
	rc = v.pub.text.p ? load(&r) : ERR_NOMEM;
	return finish(l, &v, rc, err);
}

/* Everything up to one byte more than a rule file may have. */
static int read_file(const char *path, struct buf *b, struct error *err)
{
	struct arc_file *f;
	int64_t n = 1;
	int rc = arc_open_text(path, &f, err);

	if (rc < 0)
		return rc;
	while (n > 0 && b->len <= RULE_YAML_BYTES_MAX) {
		char *room = buf_room(b, 1 << 16);

		n = room ? arc_read(f, room, 1 << 16, err) : error_nomem(err);
		b->len += n > 0 ? (size_t)n : 0;
	}
	arc_close(f);
	return n < 0 ? (int)n : 0;
}

static int unreadable(struct rule_loader *l, const char *path, const struct error *why,
		      struct error *err)
{
	struct rule_verdict v;
	struct rule_source *src;
	int rc = begin(l, path, &src, &v);

	if (rc == 0)
		rc = rule_fail(&v, LOAD_ERR_FILE_READ, rule_where_root(&l->arena, src),
			       "File cannot be read: %s", why->sys ? strerror(why->sys) : why->msg);
	rc = finish(l, &v, rc, err);
	if (rc == ERR_NOMEM)
		return rc;
	return error_set(err, ERR_IO, "cannot read rule file '%s': %s", path,
			 why->sys && !arc_is_inside(path) ? strerror(why->sys) : why->msg);
}

int rule_loader_file(struct rule_loader *l, const char *path, struct error *err)
{
	struct buf text = {0};
	struct error why = {0};
	int rc = read_file(path, &text, &why);

	if (rc == ERR_NOMEM)
		error_nomem(err);
	else if (rc < 0)
		rc = unreadable(l, path, &why, err);
	else
		rc = rule_loader_text(l, path, buf_view(&text), err);
	buf_done(&text);
	return rc;
}

const struct rule_result *rule_loader_results(const struct rule_loader *l, size_t *count)
{
	*count = l->result_count;
	return l->results;
}

void rule_result_digest(const struct rule_result *r, uint8_t sha256[32])
{
	SHA256((const unsigned char *)(r->text.p ? r->text.p : ""), r->text.n, sha256);
}
