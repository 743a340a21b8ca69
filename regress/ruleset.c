/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/ruleset.h"

#include <pthread.h>
#include <stdlib.h>

#include "regress/files.h"
#include "replay/config.h"
#include "replay/rule_paths.h"

struct reg_ruleset {
	const struct reg_rules *rules;
	char *dir;
	struct buf key;
	pthread_mutex_t lock; /* of what follows, until it is loaded */
	bool loaded;
	int rc;
	struct error err;
	struct buf text;
	struct run_config cfg;
	struct rule_loader *loader;
	struct rule_engine *engine;
	struct run *run; /* all others are made like it */
	struct run_options opt;
	/* Of results that are kept. */
	bool has_keys;
	struct reg_kept_rules kept;
	struct rule_engine *wanted_engine;
	struct run *wanted_run;
	uint32_t evaluated;
};

/* --- what it is --- */

static void key_path(struct buf *key, const char *dir, const char *path)
{
	char *at = reg_path_in(dir, sv_of(path));
	char *real = at ? realpath(at, NULL) : NULL;

	buf_str(key, real ? real : at ? at : path);
	buf_char(key, '\0');
	free(real);
	free(at);
}

static void key_list(struct buf *key, char kind, const struct reg_list *l)
{
	buf_char(key, kind);
	for (size_t i = 0; i < l->count; i++) {
		buf_str(key, l->items[i]);
		buf_char(key, '\0');
	}
}

static void make_key(struct reg_ruleset *s)
{
	const struct reg_rules *r = s->rules;

	buf_addf(&s->key, "%d %d ", r->match_all, r->min_priority);
	for (size_t i = 0; i < r->paths.count; i++)
		key_path(&s->key, s->dir, r->paths.items[i]);
	buf_char(&s->key, 'c');
	if (r->config)
		key_path(&s->key, s->dir, r->config);
	key_list(&s->key, 'O', &r->options);
	key_list(&s->key, 'D', &r->disable);
	key_list(&s->key, 't', &r->tags);
	key_list(&s->key, 'T', &r->disable_tags);
	buf_char(&s->key, 'F');
	if (r->filter)
		buf_str(&s->key, r->filter);
}

struct reg_ruleset *reg_ruleset_new(const struct reg_rules *rules, const char *dir)
{
	struct reg_ruleset *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->rules = rules;
	s->dir = strdup(dir);
	if (s->dir)
		make_key(s);
	if (s->dir && !s->key.failed)
		return s;
	reg_ruleset_free(s);
	return NULL;
}

void reg_ruleset_free(struct reg_ruleset *s)
{
	if (!s)
		return;
	run_free(s->wanted_run);
	rule_engine_free(s->wanted_engine);
	reg_kept_rules_done(&s->kept);
	run_free(s->run);
	rule_engine_free(s->engine);
	rule_loader_free(s->loader);
	run_config_done(&s->cfg);
	pthread_mutex_destroy(&s->lock);
	buf_done(&s->text);
	buf_done(&s->key);
	free(s->dir);
	free(s);
}

struct sv reg_ruleset_key(const struct reg_ruleset *s)
{
	return buf_view(&s->key);
}

/* --- loading --- */

static int load_config(struct reg_ruleset *s, struct error *err)
{
	const struct reg_rules *r = s->rules;
	char *path = r->config ? reg_path_in(s->dir, sv_of(r->config)) : NULL;
	int rc = run_config_init(&s->cfg, err);

	if (rc == 0 && r->config && !path)
		rc = error_nomem(err);
	if (rc == 0)
		rc = run_config_load(&s->cfg, path, r->options.items, r->options.count, err);
	free(path);
	return rc;
}

static int load_file(struct reg_ruleset *s, const char *path, struct error *err)
{
	int rc = rule_loader_file(s->loader, path, err);
	const struct rule_result *results;
	size_t n;

	results = rule_loader_results(s->loader, &n);
	if ((rc == 0 || rc == ERR_RULES) && n &&
	    (!results[n - 1].ok || results[n - 1].warning_count))
		rule_result_text(&s->text, &results[n - 1], true);
	return rc == ERR_IO ? ERR_RULES : rc; /* a missing rule file is a rule problem */
}

static int load_path(struct reg_ruleset *s, const char *name, struct error *err)
{
	char *path = reg_path_in(s->dir, sv_of(name));
	struct run_paths files = {0};
	int rc = path ? run_rule_paths(path, &files, err) : error_nomem(err);

	if (rc == ERR_IO)
		rc = ERR_RULES;
	if (rc == 0 && !files.count)
		rc = error_set(err, ERR_RULES, "'%s' holds no .yaml or .yml file", path);
	for (size_t i = 0; i < files.count && rc == 0; i++)
		rc = load_file(s, files.items[i], err);
	run_paths_done(&files);
	free(path);
	return rc;
}

static int load_rules(struct reg_ruleset *s, struct error *err)
{
	const struct reg_rules *r = s->rules;
	const struct rule_options opt = {
	    .filter = {.bytes = s->cfg.base64_buffers ? FLT_BYTES_BASE64 : FLT_BYTES_DOTS,
		       .conditions_see_bytes = true,
		       .statics = s->cfg.statics},
	    .append_output = s->cfg.append,
	    .append_count = s->cfg.append_count,
	    .min_priority =
		r->min_priority >= 0 ? (enum rule_priority)r->min_priority : s->cfg.priority,
	};
	const struct reg_list configured = {s->cfg.rules_files, s->cfg.rules_count};
	const struct reg_list *paths = r->paths.count ? &r->paths : &configured;
	int rc = rule_loader_new(&opt, &s->loader, err);

	if (rc == 0 && !paths->count)
		rc = error_set(err, ERR_USAGE, "no rules: the test names none");
	for (size_t i = 0; i < paths->count && rc == 0; i++)
		rc = load_path(s, paths->items[i], err);
	return rc;
}

static size_t add_selects(struct rule_select *to, size_t n, enum rule_select_kind kind,
			  const struct reg_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		to[n++] = (struct rule_select){kind, l->items[i]};
	return n;
}

/* The configuration's selection first. Tags to run: all rules off, then those on that carry one. */
static int build_engine(struct reg_ruleset *s, struct error *err)
{
	const struct reg_rules *r = s->rules;
	struct rule_select *all = calloc(s->cfg.select_count + r->tags.count + r->disable.count +
					     r->disable_tags.count + 2,
					 sizeof(*all));
	size_t n = s->cfg.select_count;
	int rc;

	if (!all)
		return error_nomem(err);
	if (n)
		memcpy(all, s->cfg.select, n * sizeof(*all));
	if (r->tags.count)
		all[n++] = (struct rule_select){RULE_DISABLE_NAME, "*"};
	n = add_selects(all, n, RULE_ENABLE_TAG, &r->tags);
	n = add_selects(all, n, RULE_DISABLE_SUBSTRING, &r->disable);
	n = add_selects(all, n, RULE_DISABLE_TAG, &r->disable_tags);
	rc = rule_engine_new(s->loader, all, n, &s->engine, err);
	free(all);
	return rc;
}

static int build_run(struct reg_ruleset *s, const struct run_options *limits, struct error *err)
{
	int rc;

	s->opt = *limits;
	s->opt.match_all = s->rules->match_all >= 0 ? s->rules->match_all : s->cfg.match_all;
	s->opt.filter = s->rules->filter;
	s->opt.want_hash = true;
	rc = run_new(s->engine, &s->opt, NULL, 0, &s->run, err);
	return rc == ERR_SYNTAX || rc == ERR_COMPILE ? ERR_USAGE : rc;
}

static int load(struct reg_ruleset *s, const struct run_options *limits, struct error *err)
{
	int rc = load_config(s, err);

	if (rc == 0)
		rc = load_rules(s, err);
	if (rc == 0)
		rc = build_engine(s, err);
	if (rc == 0)
		rc = build_run(s, limits, err);
	return rc;
}

int reg_ruleset_load(struct reg_ruleset *s, const struct run_options *limits, struct error *err)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	if (!s->loaded)
		s->rc = load(s, limits, &s->err);
	s->loaded = true;
	rc = s->rc;
	if (rc < 0 && err)
		*err = s->err;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

struct sv reg_ruleset_text(const struct reg_ruleset *s)
{
	return buf_view(&s->text);
}

int reg_ruleset_run(const struct reg_ruleset *s, struct run_sink *const *sinks, size_t count,
		    struct run **out, struct error *err)
{
	return run_again(s->run, sinks, count, out, err);
}

/* --- results that are kept --- */

/* What the results of its rules depend on besides them. */
static bool options_key(const struct reg_ruleset *s, const char *version, struct reg_key *out)
{
	struct buf b = {0};
	bool ok;

	buf_counted(&b, sv_of(version));
	buf_counted(&b, SV_LIT(RULE_ENGINE_VERSION));
	run_config_describe(&s->cfg, &b);
	buf_addf(&b, " mem-limit=%llu filter=", (unsigned long long)s->opt.memory_limit);
	buf_counted(&b, sv_of(s->opt.filter ? s->opt.filter : ""));
	ok = !b.failed && reg_key_of(buf_view(&b), out);
	buf_done(&b);
	return ok;
}

int reg_ruleset_keys(struct reg_ruleset *s, const char *version, const struct reg_kept_rules **out,
		     struct error *err)
{
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	if (!s->has_keys) {
		rc = options_key(s, version, &s->kept.options)
			 ? reg_kept_rules_of(&s->kept, s->engine, err)
			 : error_nomem(err);
		s->has_keys = rc == 0;
		if (rc < 0)
			reg_kept_rules_done(&s->kept);
	}
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		*out = &s->kept;
	return rc;
}

void reg_ruleset_want(struct reg_ruleset *s, const struct reg_kept *k)
{
	pthread_mutex_lock(&s->lock);
	reg_kept_want(k, s->kept.wanted);
	pthread_mutex_unlock(&s->lock);
}

int reg_ruleset_run_wanted(struct reg_ruleset *s, struct run_sink *const *sinks, size_t count,
			   struct run **out, struct error *err)
{
	struct run_options opt = s->opt;
	int rc = 0;

	opt.match_all = true;
	pthread_mutex_lock(&s->lock);
	if (!s->wanted_engine)
		rc = reg_kept_rules_engine(&s->kept, s->loader, &s->evaluated, &s->wanted_engine,
					   err);
	if (rc == 0 && !s->wanted_run)
		rc = run_new(s->wanted_engine, &opt, NULL, 0, &s->wanted_run, err);
	pthread_mutex_unlock(&s->lock);
	return rc < 0 ? rc : run_again(s->wanted_run, sinks, count, out, err);
}

bool reg_ruleset_first(const struct reg_ruleset *s)
{
	return !s->opt.match_all;
}

void reg_ruleset_spared(const struct reg_ruleset *s, uint64_t *evaluated, uint64_t *rules)
{
	*evaluated += s->evaluated;
	*rules += s->kept.count;
}

const struct rule *reg_ruleset_rules(const struct reg_ruleset *s, size_t *count)
{
	return rule_engine_rules(s->engine, count);
}
