/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax tree of a condition, and the parser that makes it (docs/conditions.md gives the
 * grammar). Ownership: nodes live in the arena given to the parser; texts point into that arena,
 * never into the source. Threads: a tree is immutable once built, apart from macro resolution by
 * its builder.
 */
#ifndef ENGINE_FILTER_AST_H
#define ENGINE_FILTER_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/sv.h"

#define FLT_DEPTH_DEFAULT 100	     /* nesting limit of a condition given on its own */
#define FLT_DEPTH_RULES	  1000	     /* and inside rule files */
#define FLT_TEXT_MAX	  (16 << 20) /* bytes of a condition's text */
#define FLT_TREE_DEPTH	  2000	     /* nesting of and, or, not after macro resolution */
#define FLT_TREE_NODES	  250000     /* nodes and operands after macro resolution */

struct flt_pos { /* @index is 0-based, in bytes; @line and @column are 1-based */
	uint32_t index, line, column;
};

enum flt_op { /* rows of ops.def */
	      FLT_OP_EXISTS,
	      FLT_OP_EQ, /* = and == */
	      FLT_OP_NE,
	      FLT_OP_LT,
	      FLT_OP_LE,
	      FLT_OP_GT,
	      FLT_OP_GE,
	      FLT_OP_CONTAINS,
	      FLT_OP_ICONTAINS,
	      FLT_OP_BCONTAINS,
	      FLT_OP_STARTSWITH,
	      FLT_OP_BSTARTSWITH,
	      FLT_OP_ENDSWITH,
	      FLT_OP_GLOB,
	      FLT_OP_IGLOB,
	      FLT_OP_REGEX,
	      FLT_OP_IN,
	      FLT_OP_INTERSECTS,
	      FLT_OP_PMATCH,
	      FLT_OP_COUNT
};

enum flt_modifier { FLT_MOD_NONE, FLT_MOD_ONEOF, FLT_MOD_ANYOF, FLT_MOD_ALLOF };

enum flt_expr_kind {
	FLT_EXPR_FIELD,	    /* name [arg]; on the right-hand side written val(name) */
	FLT_EXPR_TRANSFORM, /* name(items...) [arg] */
	FLT_EXPR_VALUE,	    /* a constant, unescaped */
	FLT_EXPR_LIST,	    /* (items...) */
};

struct flt_expr {
	enum flt_expr_kind kind;
	struct flt_pos pos;
	struct sv text; /* field or transformer name, or the constant */
	bool has_arg;	/* "[...]" present; an empty argument is different from none */
	struct sv arg;
	struct flt_expr **items; /* TRANSFORM, LIST */
	uint32_t count;
};

enum flt_node_kind { FLT_AND, FLT_OR, FLT_NOT, FLT_CHECK, FLT_MACRO };

struct flt_node {
	enum flt_node_kind kind;
	struct flt_pos pos;
	struct flt_node **kids; /* AND, OR: two or more; NOT: one */
	uint32_t count;
	struct sv name; /* MACRO */
	/* CHECK: */
	struct flt_expr *left;
	enum flt_op op;
	enum flt_modifier modifier;
	bool double_equals;	/* written "==", for printing */
	struct flt_expr *right; /* NULL for exists */
};

/**
 * flt_parse() - parse one complete condition
 * @pos: on a syntax error receives where it is; may be NULL
 * Return: 0, ERR_SYNTAX (the message has no position prefix: see flt_error_context()), ERR_LIMIT
 * (too deep), ERR_NOMEM.
 */
MUST_CHECK int flt_parse(struct sv text, unsigned depth_limit, struct arena *arena,
			 struct flt_node **out, struct flt_pos *pos, struct error *err);
/*
 * Parse the longest prefix of @text that is a field with its argument or, if @transforms, a
 * transformer call; used by output formats. Return: 0 with *used set, or ERR_SYNTAX.
 */
MUST_CHECK int flt_parse_operand(struct sv text, bool transforms, struct arena *arena,
				 struct flt_expr **out, size_t *used, struct error *err);

/* Lexical tests for names in rule files. */
bool flt_is_identifier(struct sv text);
bool flt_is_bare(struct sv text);
/* "in", "startswith oneof", ...: spelling of an operator with optional modifier, one blank between.
 */
bool flt_op_parse(struct sv text, enum flt_op *op, enum flt_modifier *mod);
const char *flt_op_text(enum flt_op op); /* "=" for FLT_OP_EQ */
const char *flt_modifier_text(enum flt_modifier m);

/* Same shape, names, operators (as written) and values; positions do not count. */
bool flt_tree_equal(const struct flt_node *a, const struct flt_node *b);

/* The canonical printed form. */
void flt_print(struct buf *b, const struct flt_node *n);
void flt_print_expr(struct buf *b, const struct flt_expr *e);

/* "source line\n    ^\n" for @pos in @text: the line (cut around the column if longer than 160) and
 * a caret. */
void flt_error_context(struct buf *b, struct sv text, struct flt_pos pos);

/* A deep copy of @n into @arena in which each macro node is replaced by what @resolve returns
 * (NULL: an error is set). */
typedef const struct flt_node *(*flt_macro_fn)(void *arg, const struct flt_node *macro,
					       struct error *err);
MUST_CHECK int flt_resolve_macros(const struct flt_node *n, flt_macro_fn resolve, void *arg,
				  struct arena *arena, struct flt_node **out, struct error *err);
/* Call @fn on each field of the tree (both sides, inside transformers too). */
void flt_visit_fields(const struct flt_node *n, void (*fn)(void *arg, const struct flt_expr *field),
		      void *arg);

#endif
