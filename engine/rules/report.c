/* SPDX-License-Identifier: Apache-2.0 */
/* The codes of verdicts, and a verdict as text and as JSON in Falco's shapes. */
#include "base/json.h"
#include "engine/rules/rules.h"

const char *rule_code_name(enum rule_code c)
{
	static const char *const names[] = {
#define X(sym, error, text) #sym,
	    RULE_CODES(X)
#undef X
	};

	return c < RULE_CODE_COUNT ? names[c] : "";
}

const char *rule_code_text(enum rule_code c)
{
	static const char *const texts[] = {
#define X(sym, error, text) text,
	    RULE_CODES(X)
#undef X
	};

	return c < RULE_CODE_COUNT ? texts[c] : "";
}

/* What a warning means for the reader of the JSON form; errors keep their short text there. */
static const char *code_description(enum rule_code c)
{
	switch (c) {
	case LOAD_UNKNOWN_SOURCE:
		return "The rule is for an event source that is not available here; it is kept "
		       "but never evaluated.";
	case LOAD_UNSAFE_NA_CHECK:
		return "A field is compared with <NA>. An absent field makes every comparison "
		       "false, so test for it with 'exists'.";
	case LOAD_NO_EVTTYPE:
		return "The condition does not say which event types it is about, so the rule is "
		       "evaluated for very many events. Restrict evt.type.";
	case LOAD_UNKNOWN_FILTER:
		return "The rule uses a field or event type that does not exist here and asked to "
		       "be left out in that case.";
	case LOAD_UNUSED_MACRO:
		return "No rule and no other macro refers to this macro.";
	case LOAD_UNUSED_LIST:
		return "No rule, macro or other list refers to this list.";
	case LOAD_UNKNOWN_ITEM:
		return "An entry is neither a rule, a macro, a list nor a version requirement; it "
		       "is ignored.";
	case LOAD_DEPRECATED_ITEM:
		return "Something is used that will disappear from the rule language.";
	case LOAD_APPEND_NO_VALUES:
		return "An appended exception adds nothing, since it has no values.";
	case LOAD_EXCEPTION_NAME_NOT_UNIQUE:
		return "Two exceptions of one rule have the same name; values appended by name go "
		       "to the first.";
	case LOAD_INVALID_MACRO_NAME:
		return "A condition cannot refer to a macro with this name.";
	case LOAD_INVALID_LIST_NAME:
		return "The list name contains characters that have a meaning in conditions.";
	case LOAD_COMPILE_CONDITION:
		return "The condition compiles, but may not mean what it seems to say.";
	case LOAD_UNKNOWN_KEY:
		return "A key of the entry is not known, or given twice; it has no effect.";
	default:
		return rule_code_text(c);
	}
}

/* --- text --- */

/* Bytes of the control character at the start of @s, C1 ones in UTF-8 included, or 0. */
static size_t control_bytes(const char *s)
{
	unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];

	if (c == 0xc2 && next >= 0x80 && next < 0xa0)
		return 2;
	return c < ' ' || c == 0x7f;
}

/* Names and snippets come from the file: but for @allowed, nothing in them may control a terminal.
 */
static void add_plain(struct buf *b, const char *s, const char *allowed)
{
	while (*s) {
		size_t n = strchr(allowed, *s) ? 0 : control_bytes(s);

		if (n)
			buf_addf(b, "\\x%02x", (unsigned char)s[n - 1]);
		else
			buf_char(b, *s);
		s += n ? n : 1;
	}
}

static void add_location(struct buf *b, const struct rule_location *at, bool outermost)
{
	buf_str(b, outermost ? "In " : "    ");
	buf_str(b, at->item_type);
	if (*at->item_name) {
		buf_lit(b, " '");
		add_plain(b, at->item_name, "");
		buf_char(b, '\'');
	}
	buf_lit(b, ": (");
	add_plain(b, at->file, "");
	buf_addf(b, ":%u:%u)\n", at->line, at->column);
}

static void add_message(struct buf *b, const struct rule_message *m)
{
	for (size_t i = 0; i < m->where_count; i++)
		add_location(b, &m->where[i], i == 0);
	add_plain(b, m->snippet, "\n\t");
	buf_addf(b, "%s (%s): ", rule_code_name(m->code), rule_code_text(m->code));
	add_plain(b, m->text, "");
	buf_char(b, '\n');
}

static void add_messages(struct buf *b, const char *what, const struct rule_message *list,
			 size_t count)
{
	if (!count)
		return;
	buf_addf(b, "%zu %s:\n", count, what);
	for (size_t i = 0; i < count; i++)
		add_message(b, &list[i]);
}

static void add_summary(struct buf *b, const char *what, const struct rule_message *list,
			size_t count)
{
	if (!count)
		return;
	buf_addf(b, " %zu %s: [", count, what);
	for (size_t i = 0; i < count; i++)
		buf_addf(b, "%s%s (%s)", i ? " " : "", rule_code_name(list[i].code),
			 rule_code_text(list[i].code));
	buf_char(b, ']');
}

void rule_result_text(struct buf *b, const struct rule_result *r, bool verbose)
{
	add_plain(b, r->name, "");
	buf_str(b, !r->ok ? ": Invalid" : r->warning_count ? ": Ok, with warnings" : ": Ok");
	if (!verbose) {
		add_summary(b, "errors", r->errors, r->error_count);
		add_summary(b, "warnings", r->warnings, r->warning_count);
		buf_char(b, '\n');
		return;
	}
	buf_char(b, '\n');
	for (size_t i = 0; i < r->schema_warning_count; i++) {
		buf_lit(b, "schema validation: ");
		add_plain(b, r->schema_warnings[i], "");
		buf_char(b, '\n');
	}
	add_messages(b, "Errors", r->errors, r->error_count);
	add_messages(b, "Warnings", r->warnings, r->warning_count);
}

/* --- JSON; keys in byte order --- */

static void add_member(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "\"%s\":", key);
	json_string(b, sv_of(value));
}

static void json_locations(struct buf *b, const struct rule_message *m)
{
	buf_lit(b, "\"locations\":[");
	for (size_t i = 0; i < m->where_count; i++) {
		const struct rule_location *at = &m->where[i];

		buf_str(b, i ? ",{" : "{");
		add_member(b, "item_name", at->item_name);
		buf_char(b, ',');
		add_member(b, "item_type", at->item_type);
		buf_addf(b, ",\"position\":{\"column\":%u,\"line\":%u,", at->column, at->line);
		add_member(b, "name", at->file);
		buf_addf(b, ",\"offset\":%u}}", at->offset);
	}
	buf_char(b, ']');
}

static void json_message(struct buf *b, const struct rule_message *m)
{
	buf_char(b, '{');
	add_member(b, "code", rule_code_name(m->code));
	buf_char(b, ',');
	add_member(b, "codedesc", code_description(m->code));
	buf_lit(b, ",\"context\":{");
	json_locations(b, m);
	buf_char(b, ',');
	add_member(b, "snippet", m->snippet);
	buf_char(b, '}');
	if (m->deprecated_field) {
		buf_char(b, ',');
		add_member(b, "deprecated_field", m->deprecated_field);
	}
	buf_char(b, ',');
	add_member(b, "message", m->text);
	buf_char(b, '}');
}

static void json_messages(struct buf *b, const char *key, const struct rule_message *list,
			  size_t count)
{
	buf_addf(b, "\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		buf_str(b, i ? "," : "");
		json_message(b, &list[i]);
	}
	buf_char(b, ']');
}

void rule_result_json(struct buf *b, const struct rule_result *r)
{
	buf_char(b, '{');
	json_messages(b, "errors", r->errors, r->error_count);
	buf_char(b, ',');
	add_member(b, "name", r->name);
	if (r->schema_applied) {
		buf_addf(b, ",\"schema_valid\":%s,\"schema_warnings\":[",
			 r->schema_valid ? "true" : "false");
		for (size_t i = 0; i < r->schema_warning_count; i++) {
			buf_str(b, i ? "," : "");
			json_string(b, sv_of(r->schema_warnings[i]));
		}
		buf_char(b, ']');
	}
	buf_addf(b, ",\"successful\":%s,", r->ok ? "true" : "false");
	json_messages(b, "warnings", r->warnings, r->warning_count);
	buf_char(b, '}');
}
