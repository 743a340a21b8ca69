/* SPDX-License-Identifier: Apache-2.0 */
/* Operands as compiled: a field, or a transformer over fields, literal texts and literal lists. */
#ifndef ENGINE_FILTER_OPERAND_H
#define ENGINE_FILTER_OPERAND_H

#include "engine/filter/transform.h"

enum flt_operand_kind {
	FLT_OPERAND_FIELD,
	FLT_OPERAND_TEXT, /* literal, only inside calls */
	FLT_OPERAND_LIST, /* literal, only inside calls; yields texts */
	FLT_OPERAND_CALL,
};

struct flt_operand {
	enum flt_operand_kind kind;
	uint8_t type, format; /* of what it yields; that of evt.rawarg may differ per event */
	bool is_list;
	bool stateful; /* some field in it is */
	uint16_t
	    flags; /* FLT_FIELD_PROCESS and FLT_FIELD_TYPE_ONLY, where all fields in it have them */
	const struct flt_field *field;
	struct sv text;
	enum flt_transform transform;
	bool has_option; /* getopt(...)[c] */
	char option;
	const struct flt_operand **items; /* LIST, CALL */
	uint32_t count;
};

/* The field below unary transformers; NULL: there are others, or none. */
const struct flt_field *flt_operand_base(const struct flt_operand *o);
/* Turn the integers of @v into decimal texts; texts stay. False: out of memory. */
bool flt_texts_of(struct flt_ctx *cx, struct flt_value *v);
/* A text that identifies what @e compiles to: equal keys, equal values. */
void flt_expr_key(struct buf *key, const struct flt_expr *e);

#endif
