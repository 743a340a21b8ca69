/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters as they are typed: short forms that become conditions, the parts of a condition that can
 * be switched off, and where in it the cursor is. Ownership: texts that are handed out point into
 * those that were given. Threads: plain functions, any thread.
 */
#ifndef TUI_FILTER_H
#define TUI_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/defs.h"
#include "base/error.h"
#include "base/sv.h"
#include "engine/filter/filter.h"
#include "engine/rules/words.h"

#define TUI_CHIPS_MAX 32 /* parts of a filter that can be switched off by themselves */

struct tui_app;
struct tui_completions;

struct tui_filter_field {		/* one that only a view knows */
	const char *name, *type, *help; /* @name may be NULL: none */
};

/*
 * What a view makes of the text of its filter; struct tui_view_ops points to one. Zeroed members:
 * the engine's own language.
 */
struct tui_filter_language {
	/* What a plain word means: a condition in which '$' stands for it. NULL: there are no short
	 * forms, the view sees what was typed. */
	const char *word;
	const char *classes; /* first parts of names of fields that make sense ("proc fd");
				NULL: all */
	const struct tui_filter_field *own;
	size_t own_count;
	/* Is @text right? Instead of parsing and compiling it. @pos: a byte of it. */
	int (*check)(struct sv text, size_t *pos, struct error *err);
};

/* Where short forms get what they stand for; zeroed: there is nothing to be known. */
struct tui_filter_facts {
	uint64_t now; /* T */
	/* A condition for what alert @id is about. Return: 0 or ERR_*. */
	int (*alert)(void *arg, uint64_t id, struct buf *out, struct error *err);
	/* The rules whose macros and lists may be named, asked for when something may be one; NULL:
	 * there are none. */
	struct rule_loader *(*rules)(void *arg);
	void *arg;
};

/*
 * Append to @out the condition @text is short for: a plain word (@word says what that means), the
 * name of a field (true, or there), "!..." (not), "<5m" and ">5m" (at most, more than so far from
 * T), "@17" or "@alert 17". What is none of these is appended as it is. Return: 0, ERR_USAGE,
 * ERR_NOMEM.
 */
MUST_CHECK int tui_filter_expand(const char *word, const struct tui_filter_facts *facts,
				 struct sv text, struct buf *out, struct error *err);
/* @text as one value of a condition, in quotation marks if it needs them. */
void tui_filter_quote(struct buf *out, struct sv text);

/*
 * The parts of @text that "and" joins at the top, without blanks around them. One only: there is
 * nothing to take apart, or it is no condition. Return: how many; 0: @text is empty.
 */
size_t tui_filter_chips(struct sv text, struct sv out[TUI_CHIPS_MAX]);
/* A part as it may have been typed: the word, or "!" and the word, that became it by @word (NULL:
 * there is none), or the part itself. */
void tui_filter_typed(const char *word, struct sv part, struct buf *out);
/* @text without the parts whose bits are set in @off: what is left, joined. */
void tui_filter_active(struct sv text, uint64_t off, struct buf *out);

/* --- words of rules --- */

/* @text with macros and lists written out. Return: as rule_write_in_full(). */
MUST_CHECK int tui_filter_in_full(const struct tui_filter_facts *facts, struct sv text,
				  struct rule_in_full *out, size_t *pos, struct error *err);
/* What is wrong is at byte *pos of the text in full: it becomes one of what was typed, and the
 * message names the macro or list. */
void tui_filter_blame(const struct rule_in_full *f, size_t *pos, struct error *err);

/* --- where the cursor is --- */

enum tui_filter_place {
	TUI_PLACE_NONE,	    /* within a text in quotation marks that has ended, or the like */
	TUI_PLACE_TERM,	    /* a field, a macro, "not", "(" */
	TUI_PLACE_OPERATOR, /* behind a field */
	TUI_PLACE_VALUE,    /* behind an operator */
	TUI_PLACE_LIST,	    /* behind one that wants a list: "(", or the name of one */
	TUI_PLACE_JOIN,	    /* behind a comparison: "and", "or", ")" */
};

struct tui_filter_at {
	enum tui_filter_place place;
	struct sv field; /* that is compared; with its argument, without transformers */
	struct sv word;	 /* what is there of the word up to the cursor */
	bool quoted;	 /* it begins with a quotation mark, which is not part of @word */
	bool in_list;	 /* a value between the parentheses of a list */
};
void tui_filter_at(struct sv text, size_t cursor, struct tui_filter_at *out);

/* --- with what the program knows --- */

/* The text is right (0), or what is wrong with it: ERR_TRUNCATED if going on typing may mend it. */
MUST_CHECK int tui_filter_check(const struct tui_filter_language *lang,
				const struct tui_filter_facts *facts, struct sv text, size_t *pos,
				struct error *err);
/* What is wrong at @pos is the last word, which may go on, or what is missing may follow. */
bool tui_filter_is_unfinished(struct sv text, size_t pos);
/* Names that may come where the cursor is, beside values that only a capture knows; those of rules
 * by themselves. */
void tui_filter_names(const struct tui_filter_language *lang, const struct tui_filter_at *at,
		      struct tui_completions *out);
void tui_filter_rule_names(const struct tui_filter_facts *facts, const struct tui_filter_at *at,
			   struct tui_completions *out);

#endif
