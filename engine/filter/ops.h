/* SPDX-License-Identifier: Apache-2.0 */
/* The operators: one row of ops.def each. Which operand classes they take, and how they are
 * written. */
#ifndef ENGINE_FILTER_OPS_H
#define ENGINE_FILTER_OPS_H

#include "engine/filter/internal.h"

enum flt_form {			 /* what the grammar wants after the operator */
		FLT_FORM_ALONE,	 /* nothing */
		FLT_FORM_SIGN,	 /* a value, with or without blanks before it */
		FLT_FORM_WORD,	 /* a value, blanks are mandatory */
		FLT_FORM_NUMBER, /* a number */
		FLT_FORM_LIST,	 /* a list in parentheses or the name of one */
};

/* Sets of enum flt_class. */
#define FLT_NUMBERS   (1u << FLT_CLASS_SIGNED | 1u << FLT_CLASS_UNSIGNED | 1u << FLT_CLASS_DOUBLE)
#define FLT_TEXTS     (1u << FLT_CLASS_TEXT)
#define FLT_BUFFERS   (1u << FLT_CLASS_BYTES)
#define FLT_ADDRESSES (1u << FLT_CLASS_ADDR | 1u << FLT_CLASS_NET)
#define FLT_COMPARABLE                                                                             \
	(FLT_NUMBERS | FLT_TEXTS | FLT_BUFFERS | FLT_ADDRESSES | 1u << FLT_CLASS_BOOL)
#define FLT_ANY (FLT_COMPARABLE | 1u << FLT_CLASS_OTHER)

struct flt_op_info {
	const char *spelling, *help;
	enum flt_form form;
	unsigned classes;
};

extern const struct flt_op_info flt_op_table[FLT_OP_COUNT];

/* Is @op defined for values of @ptype, or for lists of them? */
bool flt_op_takes(enum flt_op op, unsigned ptype, bool is_list);
/* Modifiers go with the operators that take one value. */
bool flt_op_takes_modifier(enum flt_op op);

#endif
