/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of this folder. The way of a rule file: yaml.c makes nodes, items.c and
 * collect_*.c turn them into the collection (lists, macros, rules, as all files so far define
 * them), compile.c with lists.c, macros.c, exceptions.c and output.c turns the collection into a
 * program, and every complaint on the way goes through message.c into a verdict.
 * Functions return 0, ERR_RULES (an error is in the verdict) or ERR_NOMEM.
 */
#ifndef ENGINE_RULES_INTERNAL_H
#define ENGINE_RULES_INTERNAL_H

#include "base/map.h"
#include "engine/rules/explain.h"
#include "engine/rules/yaml.h"

#define RULE_WARNINGS_MAX     10000	 /* per file; later ones are counted in one last warning */
#define RULE_NAME_SHOWN	      200	 /* bytes of a name or value that messages show */
#define RULE_TEXT_MAX	      (4u << 20) /* bytes of one condition after substitution */
#define RULE_WORK_MAX	      (1u << 28) /* bytes scanned for list names in one compilation */
#define RULE_TREE_DEPTH	      1000	 /* levels of a condition with its macros in place */
#define RULE_TREE_NODES	      (1u << 20) /* nodes of all such conditions in one compilation */
#define RULE_TAGS_MAX	      1000	 /* tags of one rule */
#define RULE_ALTERNATIVES_MAX 100	 /* plugins that one requirement names */
#define RULE_EXCEPTIONS_MAX   1000	 /* exceptions of one rule */
#define RULE_ITEMS_MAX	      (1u << 20) /* list items of one compilation after resolution */

/* --- a growing array of pointers --- */

struct rule_vec {
	void **p;
	size_t n, cap;
};

MUST_CHECK int rule_vec_push(struct rule_vec *v, void *item);
void rule_vec_done(struct rule_vec *v);

/*
 * Arena storage that grows by doubling. Return: @p, or a larger copy of its @n elements, with room
 * for @more further ones; NULL when out of memory.
 */
void *rule_grown(struct arena *a, void *p, size_t n, size_t more, size_t *cap, size_t size);

/* --- message.c: where and what --- */

struct rule_source { /* a file, or what passes for one */
	const char *name;
	struct sv text;	 /* without byte order mark */
	uint32_t *lines; /* offset of each line, made when first needed */
	uint32_t line_count;
};

struct rule_where { /* one step of a location chain, innermost first */
	const struct rule_where *up;
	const char *type, *name;
	const char *label; /* what the position is relative to */
	struct rule_pos pos;
	struct rule_source *src;
	struct sv text; /* of expressions: their own text, and the place in it */
	struct flt_pos at;
};

struct rule_verdict { /* the result of one file while it is being made */
	struct rule_result pub;
	struct arena *arena;
	struct rule_message *errors, *warnings;
	size_t error_cap, warning_cap;
	size_t dropped; /* warnings beyond the limit */
};

/* @src as a whole. NULL when out of memory, as are all steps below such a NULL. */
const struct rule_where *rule_where_root(struct arena *a, struct rule_source *src);
const struct rule_where *rule_where_node(struct arena *a, const struct rule_where *up,
					 const char *type, struct sv name,
					 const struct rule_yaml_node *node);
/* A place inside a condition or output; @up is the location of that, @text what it became. */
const struct rule_where *rule_where_expr(struct arena *a, const struct rule_where *up,
					 const char *type, struct sv text, struct flt_pos at);

/* A line of @src without its end; SV_NONE if there is none, or no memory. */
struct sv rule_source_line(struct arena *a, struct rule_source *src, uint32_t line);
/* Byte offset of character @column. */
size_t rule_column_offset(struct sv line, uint32_t column);

/* For "%.*s": at most RULE_NAME_SHOWN bytes. */
#define RULE_SHOW(s) (int)((s).n < RULE_NAME_SHOWN ? (s).n : RULE_NAME_SHOWN), (s).p

/* Return: ERR_RULES, or ERR_NOMEM. */
int rule_fail(struct rule_verdict *v, enum rule_code code, const struct rule_where *where,
	      const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Return: 0, or ERR_NOMEM. */
MUST_CHECK int rule_warn(struct rule_verdict *v, enum rule_code code,
			 const struct rule_where *where, const char *fmt, ...) PRINTF_LIKE(4, 5);
MUST_CHECK int rule_warn_deprecated(struct rule_verdict *v, const struct rule_where *where,
				    const char *field, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* As the caller's error: "file:line:column: CODE: message". */
int rule_verdict_error(const struct rule_verdict *v, struct error *err);

/* --- items.c: reading one key of an item --- */

struct rule_loader;

struct rule_reader { /* one file being read */
	struct rule_loader *l;
	struct rule_verdict *v;
	struct rule_source *src;
};

struct rule_item { /* one entry of a rule file */
	const struct rule_yaml_node *node;
	const struct rule_where *where;
};

struct rule_texts {
	struct sv *p;
	size_t n, cap;
};

struct rule_piece { /* where a part of something that grows by appending was written */
	const struct rule_piece *before; /* the earlier part */
	size_t first;			 /* of it: byte, item or value */
	struct rule_source *src;
	const struct rule_yaml_node *node; /* a scalar, or a sequence of items or values */
};
/* From @first on it is @node of the file of @where. @last: the newest piece. */
MUST_CHECK int rule_piece_add(struct arena *a, const struct rule_piece **last, size_t first,
			      const struct rule_where *where, const struct rule_yaml_node *node);

struct rule_text { /* grows by appending */
	struct sv s;
	const struct rule_piece *last;
	char *own; /* storage of @s that has room for more; NULL: it belongs to the YAML tree */
	size_t cap;
};

struct sv rule_trim(struct sv s);

static inline bool rule_item_has(const struct rule_item *it, const char *key)
{
	return rule_yaml_get(it->node, key) != NULL;
}

/*
 * The entry @node, whose name stands under the key @type. Until the name is known its location has
 * none.
 */
MUST_CHECK int rule_open_item(struct rule_reader *r, const struct rule_yaml_node *node,
			      const char *type, const struct rule_where *up, struct rule_item *it,
			      struct sv *name);
MUST_CHECK int rule_item_text(struct rule_reader *r, const struct rule_item *it, const char *key,
			      struct sv *out);
/* The optional ones leave @out alone if the key is missing. */
MUST_CHECK int rule_item_bool(struct rule_reader *r, const struct rule_item *it, const char *key,
			      bool *out);
MUST_CHECK int rule_item_u32(struct rule_reader *r, const struct rule_item *it, const char *key,
			     uint64_t *out);
/* A required sequence of scalars. */
MUST_CHECK int rule_item_texts(struct rule_reader *r, const struct rule_item *it, const char *key,
			       struct rule_texts *out);
/* @node as a sequence of scalars. */
MUST_CHECK int rule_node_texts(struct rule_reader *r, const struct rule_yaml_node *node,
			       const char *key, const struct rule_where *where,
			       struct rule_texts *out);
/* Warn about keys that are not in @known (ends with NULL) and about repeated ones. */
MUST_CHECK int rule_item_keys(struct rule_reader *r, const struct rule_item *it,
			      const char *const *known);

struct rule_override_key {
	const char *key; /* NULL ends a table */
	bool append, replace;
};

struct rule_overrides { /* bit per row of the table */
	uint32_t append, replace;
};

/* Read `append` and `override`, and check them against each other and against @table. */
MUST_CHECK int rule_item_overrides(struct rule_reader *r, const struct rule_item *it,
				   const struct rule_override_key *table, bool *append,
				   struct rule_overrides *out);

/* --- the collection --- */

struct rule_list {
	struct sv name;
	uint32_t index, visibility; /* of the running counter: first and last definition */
	struct rule_texts items;    /* raw, but quoted where needed */
	const struct rule_piece *last;
	const struct rule_where *where;
	/* compiling: */
	uint32_t order; /* position among the lists */
	struct rule_texts resolved;
	bool used;
};

struct rule_macro {
	struct sv name;
	uint32_t index, visibility;
	struct rule_text condition;
	const struct rule_where *where, *condition_where;
	/* compiling: */
	struct sv text;	       /* after list substitution */
	struct flt_node *tree; /* parsed; macros in place once @resolved */
	uint32_t nodes, depth; /* of the resolved tree */
	bool resolved, on_path, used;
};

struct rule_exception {
	struct sv name;
	bool scalar; /* fields is one scalar */
	struct rule_texts fields, comps;
	const struct rule_yaml_node **values; /* scalars and sequences */
	const struct rule_piece *last;
	size_t value_count, value_cap;
	bool has_fields, has_comps, has_values;
	const struct rule_where *where;
};

struct rule_def {
	struct sv name, source;
	struct rule_text condition, output, desc;
	enum rule_priority priority;
	struct rule_texts tags; /* sorted, each once */
	struct rule_exception *exceptions;
	size_t exception_count, exception_cap;
	bool enabled, capture, warn_evttypes, skip_unknown;
	bool unknown_source;
	uint64_t capture_duration;
	const struct rule_where *where, *condition_where, *output_where;
};

struct rule_version {
	uint32_t major, minor, patch;
};

struct rule_plugin_need { /* an entry of required_plugin_versions */
	struct {
		struct sv name;
		struct rule_version version;
	} * any; /* the plugin asked for, then its alternatives */
	size_t count;
};

struct rule_compiled { /* the whole collection, as of a file */
	struct arena arena;
	struct flt_program *program; /* NULL: none, or handed on to an engine */
	struct rule *rules;	     /* in definition order */
	size_t count;
};

struct rule_loader {
	struct rule_options opt; /* deep copy in @arena */
	struct arena arena;
	struct rule_vec lists, macros, rules; /* in definition order */
	struct smap list_by_name, macro_by_name, rule_by_name;
	uint32_t counter;		  /* gives index and visibility */
	struct rule_version needs_engine; /* highest seen */
	struct rule_vec needs_plugins;
	struct flt_program *checker; /* knows the fields; for checking those of exceptions */
	struct rule_result *results;
	size_t result_count, result_cap;
	bool last_ok;
	struct rule_compiled compiled; /* as of the last file, for the first engine */
};

static inline struct rule_list *rule_list_at(const struct rule_loader *l, size_t i)
{
	return l->lists.p[i];
}

static inline struct rule_macro *rule_macro_at(const struct rule_loader *l, size_t i)
{
	return l->macros.p[i];
}

static inline struct rule_def *rule_def_at(const struct rule_loader *l, size_t i)
{
	return l->rules.p[i];
}

/* Append a blank and @more, which is @node of the entry @where. */
MUST_CHECK int rule_join(struct rule_reader *r, const struct rule_where *where,
			 const struct rule_yaml_node *node, struct rule_text *to, struct sv more);
MUST_CHECK int rule_texts_add(struct arena *a, struct rule_texts *to, const struct sv *more,
			      size_t n);

/* --- collect_*.c: one kind of item each; @it->where is the item's own step --- */

MUST_CHECK int rule_collect(struct rule_reader *r, const struct rule_yaml_node *docs);
MUST_CHECK int rule_collect_list(struct rule_reader *r, const struct rule_yaml_node *node,
				 const struct rule_where *up);
MUST_CHECK int rule_collect_macro(struct rule_reader *r, const struct rule_yaml_node *node,
				  const struct rule_where *up);
MUST_CHECK int rule_collect_rule(struct rule_reader *r, const struct rule_yaml_node *node,
				 const struct rule_where *up);
MUST_CHECK int rule_collect_engine(struct rule_reader *r, const struct rule_yaml_node *node,
				   const struct rule_where *up);
MUST_CHECK int rule_collect_plugins(struct rule_reader *r, const struct rule_yaml_node *node,
				    const struct rule_where *up);

enum rule_exception_mode {
	RULE_EXCEPTIONS_DEFINE, /* fields are required by the item */
	RULE_EXCEPTIONS_APPEND, /* names that exist get more values */
};
/* Read `exceptions` of @it into @def. */
MUST_CHECK int rule_collect_exceptions(struct rule_reader *r, const struct rule_item *it,
				       struct rule_def *def, enum rule_exception_mode mode);

/* --- version.c --- */

/* "x.y.z" with optional -suffix or +suffix. */
bool rule_version_parse(struct sv text, struct rule_version *out);
int rule_version_cmp(struct rule_version a, struct rule_version b);
/* Does @have serve who asks for @need? Same major, not older. */
bool rule_version_serves(struct rule_version have, struct rule_version need);

/* --- schema.c --- */

/* First violation of the item schema as "failed for <root>[0][key]: reason" in @out; empty: none.
 */
void rule_schema_check(const struct rule_yaml_node *docs, struct buf *out);

/* --- compiling --- */

struct rule_compiler {
	struct rule_loader *l;
	struct rule_verdict *v;
	struct arena *arena; /* for what the rules refer to, trees included */
	struct flt_program *program;
	struct rule_vec rules;	   /* struct rule */
	struct rule_vec odd_lists; /* names with separators in them */
	uint64_t work;		   /* bytes scanned */
	uint64_t items, nodes;
	struct buf text, other; /* scratch */
};

/* Everything the loader holds. Return: 0, ERR_RULES with @v saying why, or ERR_NOMEM. */
MUST_CHECK int rule_compile(struct rule_loader *l, struct rule_verdict *v,
			    struct rule_compiled *out);
void rule_compiled_done(struct rule_compiled *rc);

/* lists.c */
MUST_CHECK int rule_lists_resolve(struct rule_compiler *c);
/* @text with list names replaced; lives in the compiler's arena. @where is for errors. */
MUST_CHECK int rule_lists_substitute(struct rule_compiler *c, struct sv text,
				     const struct rule_where *where, struct sv *out);
/* @item in double quotes if it holds a blank and is not quoted; NULL view when out of memory. */
struct sv rule_quote(struct arena *a, struct sv item);

/* macros.c */
MUST_CHECK int rule_macros_compile(struct rule_compiler *c);
/* Parse a substituted condition; @where is that of the condition. */
MUST_CHECK int rule_condition_parse(struct rule_compiler *c, struct sv text,
				    const struct rule_where *where, struct flt_node **out);
/* Put all macros into a rule's condition. */
MUST_CHECK int rule_macros_apply(struct rule_compiler *c, struct sv text,
				 const struct rule_where *where, const struct flt_node *tree,
				 struct flt_node **out);

/* exceptions.c: the condition of @def with its exceptions, as text in the compiler's arena. */
MUST_CHECK int rule_exceptions_expand(struct rule_compiler *c, const struct rule_def *def,
				      struct sv *out);
bool rule_comp_takes_list(struct sv comp);

/* place.c: where byte @offset of a text, or item or value @i, was written. */
struct rule_place rule_place_in(struct arena *a, const struct rule_text *text, size_t offset);
struct rule_place rule_place_of(const struct rule_piece *last, size_t i);
struct rule_place rule_place_where(const struct rule_where *w);

/* output.c */
MUST_CHECK int rule_output_compile(struct rule_compiler *c, const struct rule_def *def,
				   struct rule *rule, bool *skip);

/* doubts.c: warnings about a condition with its macros in place. */
MUST_CHECK int rule_condition_doubts(struct rule_compiler *c, struct sv text,
				     const struct rule_where *where, const struct flt_node *tree);
extern const char *const rule_deprecated_fields[7]; /* ends with NULL */
/* Does @field stand in @text as a whole name? */
bool rule_mentions_field(struct sv text, const char *field);
/* Does @message name something a rule with skip-if-unknown-filter may be left out for? */
bool rule_is_unknown_filter(const char *message);

#endif
