/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Falco rule files: loading (lists, macros, rules, overrides, exceptions), the verdict on each
 * file, and matching events against the compiled rules. Units: lines and columns of locations are
 * 0-based, as the reference prints them. Ownership: a loader owns what it read; an engine is
 * independent of the loader once built. Threads: a loader belongs to one thread; an engine is
 * constant and may be shared, each thread with its own flt_ctx. Facts: Falco's rule language,
 * engine version 0.63.0.
 */
#ifndef ENGINE_RULES_RULES_H
#define ENGINE_RULES_RULES_H

#include "engine/filter/filter.h"

#define RULE_ENGINE_VERSION "0.63.0"

enum rule_priority { /* most severe first; the values are part of the rule language */
		     RULE_EMERGENCY,
		     RULE_ALERT,
		     RULE_CRITICAL,
		     RULE_ERROR,
		     RULE_WARNING,
		     RULE_NOTICE,
		     RULE_INFORMATIONAL,
		     RULE_DEBUG,
		     RULE_PRIORITY_COUNT
};

const char *rule_priority_name(enum rule_priority p);  /* "Informational" */
const char *rule_priority_upper(enum rule_priority p); /* "INFO": the short form of statistics */
bool rule_priority_parse(struct sv text, enum rule_priority *out); /* any letter case; "info" too */

/* X(symbol, is error, short text) */
#define RULE_CODES(X)                                                                              \
	X(LOAD_ERR_FILE_READ, true, "File read error")                                             \
	X(LOAD_ERR_YAML_PARSE, true, "YAML parse error")                                           \
	X(LOAD_ERR_YAML_VALIDATE, true, "structure error")                                         \
	X(LOAD_ERR_COMPILE_CONDITION, true, "Error compiling condition")                           \
	X(LOAD_ERR_COMPILE_OUTPUT, true, "Error compiling output")                                 \
	X(LOAD_ERR_VALIDATE, true, "object error")                                                 \
	X(LOAD_ERR_EXTENSION, true, "extension error")                                             \
	X(LOAD_UNKNOWN_SOURCE, false, "source is not known")                                       \
	X(LOAD_UNSAFE_NA_CHECK, false, "comparison with <NA>")                                     \
	X(LOAD_NO_EVTTYPE, false, "matches too many event types")                                  \
	X(LOAD_UNKNOWN_FILTER, false, "rule skipped: unknown field or event type")                 \
	X(LOAD_UNUSED_MACRO, false, "macro is never used")                                         \
	X(LOAD_UNUSED_LIST, false, "list is never used")                                           \
	X(LOAD_UNKNOWN_ITEM, false, "item of unknown kind")                                        \
	X(LOAD_DEPRECATED_ITEM, false, "deprecated")                                               \
	X(LOAD_APPEND_NO_VALUES, false, "appended exception without values")                       \
	X(LOAD_EXCEPTION_NAME_NOT_UNIQUE, false, "exception name used twice")                      \
	X(LOAD_INVALID_MACRO_NAME, false, "macro name cannot be referenced")                       \
	X(LOAD_INVALID_LIST_NAME, false, "list name is not a plain word")                          \
	X(LOAD_COMPILE_CONDITION, false, "doubtful condition")                                     \
	X(LOAD_UNKNOWN_KEY, false, "key is not known")                                             \
	X(LOAD_WARNING_EXTENSION, false, "Warning in extension item")

enum rule_code {
#define X(sym, error, text) sym,
	RULE_CODES(X)
#undef X
	    RULE_CODE_COUNT
};

const char *rule_code_name(enum rule_code c); /* "LOAD_NO_EVTTYPE" */
const char *rule_code_text(enum rule_code c); /* the short text */

/* --- loading --- */

struct rule_append_output { /* one entry of Falco's append_output; zero members match everything */
	const char *source, *rule;
	const char *const *tags;  /* NULL-terminated, or NULL */
	const char *extra_output; /* appended to the output format after a blank, or NULL */
	bool suggested;		  /* "name=%field" of every suggested field */
};

struct rule_plugin {
	const char *name, *version; /* "json", "0.7.3" */
};

struct rule_options { /* borrowed during rule_loader_new() only */
	struct flt_options filter;
	const struct rule_append_output *append_output; /* @append_count of them, in order */
	size_t append_count;
	enum rule_priority
	    min_priority; /* less severe rules load but never match; RULE_DEBUG: all */
	/* Loaded plugins that rule files may require, in order; "container" is built in. */
	const struct rule_plugin *plugins;
	size_t plugin_count;
};

struct rule_loader;

MUST_CHECK int rule_loader_new(const struct rule_options *opt, struct rule_loader **out,
			       struct error *err);
void rule_loader_free(struct rule_loader *l); /* NULL is fine */
/*
 * Read one file, or text under a name for messages, and compile everything read so far. The verdict
 * is in the results. Return: 0 if the file loaded (with or without warnings), ERR_RULES if not
 * (@err has the first error in one line: file:line:column: CODE: message), ERR_IO (cannot be read),
 * ERR_NOMEM.
 */
MUST_CHECK int rule_loader_file(struct rule_loader *l, const char *path, struct error *err);
MUST_CHECK int rule_loader_text(struct rule_loader *l, const char *name, struct sv text,
				struct error *err);

/*
 * Are the plugins there that the files read so far require? To be asked after the last file; its
 * answer comes before any load error, which is then often a consequence. Return: 0 or ERR_RULES.
 */
MUST_CHECK int rule_loader_check_plugins(const struct rule_loader *l, struct error *err);

struct rule_location { /* one step of the chain, outermost first */
	const char *item_type, *item_name, *file;
	uint32_t line, column, offset; /* 0-based */
};

struct rule_message {
	enum rule_code code;
	const char *text;
	const struct rule_location *where;
	size_t where_count;
	const char *snippet;	      /* source line and a caret between two rules, or "" */
	const char *deprecated_field; /* or NULL */
};

struct rule_result { /* verdict on one file */
	const char *name;
	bool ok;
	bool schema_applied; /* false: no content, or not YAML */
	bool schema_valid;
	const char *const *schema_warnings;
	size_t schema_warning_count;
	const struct rule_message *errors, *warnings;
	size_t error_count, warning_count;
	struct sv text; /* as read */
};

/* Results of all files so far, in order; borrowed until the loader changes. */
const struct rule_result *rule_loader_results(const struct rule_loader *l, size_t *count);
/* SHA-256 of the text as read. */
void rule_result_digest(const struct rule_result *r, uint8_t sha256[32]);
/* Falco's shapes of a verdict. */
void rule_result_text(struct buf *b, const struct rule_result *r, bool verbose);
void rule_result_json(struct buf *b, const struct rule_result *r);

/* --- selection and matching --- */

enum rule_select_kind {
	RULE_ENABLE_NAME, /* pattern: '*' matches any run of characters */
	RULE_DISABLE_NAME,
	RULE_ENABLE_TAG, /* exact */
	RULE_DISABLE_TAG,
	RULE_DISABLE_SUBSTRING, /* of the name */
};

struct rule_select {
	enum rule_select_kind kind;
	const char *text;
};

struct rule {
	uint32_t index; /* position in definition order, and in rule_engine_rules() */
	struct sv name, desc, source, output,
	    condition;	    /* output with what append_output added; condition as written */
	struct sv compiled; /* canonical printed condition after lists, macros and exceptions */
	enum rule_priority priority;
	const struct sv *tags; /* sorted */
	size_t tag_count;
	bool enabled; /* after selection */
	bool capture;
	uint64_t capture_duration_ms;
	const struct flt_format *format; /* NULL for sources that are not compiled */
	const struct flt_types *types;	 /* event types it can match */
	unsigned condition_id;
	const char *file;
	uint32_t line; /* 1-based */
};

struct rule_engine;

/* Compile what the loader holds (its last file must have loaded), apply @select in order. */
MUST_CHECK int rule_engine_new(struct rule_loader *l, const struct rule_select *select,
			       size_t select_count, struct rule_engine **out, struct error *err);
void rule_engine_free(struct rule_engine *e); /* NULL is fine */
/* For making contexts and, before rule_engine_seal(), for adding formats or conditions of one's
 * own. */
struct flt_program *rule_engine_program(struct rule_engine *e);
MUST_CHECK int rule_engine_seal(struct rule_engine *e, struct error *err);
const struct rule *rule_engine_rules(const struct rule_engine *e, size_t *count);
/* Can @r, one of them, match at all: is it enabled, severe enough, and about events of captures? */
bool rule_engine_uses(const struct rule_engine *e, const struct rule *r);
/* Could any enabled rule match events of @type? The run loop skips flt_ctx_event() where not. */
bool rule_engine_wants(const struct rule_engine *e, unsigned type);
/* Those that could, in definition order: @i is less than their count. */
size_t rule_engine_count(const struct rule_engine *e, unsigned type);
const struct rule *rule_engine_at(const struct rule_engine *e, unsigned type, size_t i);
/* And those of thread @t, which they do not change? As flt_may_match(). */
bool rule_engine_may_match(const struct rule_engine *e, struct flt_ctx *cx, unsigned type,
			   struct state_thread *t);
/* May it say no? */
bool rule_engine_looks_at_thread(const struct rule_engine *e, unsigned type);
/*
 * Match the event @cx is set to. @hits receives up to @max rules in definition order; with @all
 * false only the first. Return: how many matched.
 */
size_t rule_engine_match(const struct rule_engine *e, struct flt_ctx *cx, bool all,
			 const struct rule **hits, size_t max);

/* '*' matches any run of characters, all else itself; the whole of @text must match. */
bool rule_pattern_match(struct sv pattern, struct sv text);

#endif
