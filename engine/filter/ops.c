/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter/ops.h"

const struct flt_op_info flt_op_table[FLT_OP_COUNT] = {
#define OP(sym, text, how, takes, about)                                                           \
	[FLT_OP_##sym] = {.spelling = (text), .help = (about), .form = (how), .classes = (takes)},
#include "engine/filter/ops.def"
#undef OP
};

static const char *const modifiers[] = {
    [FLT_MOD_NONE] = "",
    [FLT_MOD_ONEOF] = "oneof",
    [FLT_MOD_ANYOF] = "anyof",
    [FLT_MOD_ALLOF] = "allof",
};

const char *flt_op_text(enum flt_op op)
{
	return flt_op_table[op].spelling;
}

const char *flt_modifier_text(enum flt_modifier m)
{
	return modifiers[m];
}

bool flt_op_takes_modifier(enum flt_op op)
{
	return flt_op_table[op].form == FLT_FORM_SIGN || flt_op_table[op].form == FLT_FORM_WORD;
}

static bool list_element_is_comparable(unsigned ptype)
{
	switch (ptype) {
	case PT_UINT64:
	case PT_RELTIME:
	case PT_ABSTIME:
	case PT_BOOL:
		return true;
	default:
		return (FLT_TEXTS | FLT_ADDRESSES) >> flt_type_class(ptype) & 1;
	}
}

/* Numbers, but of no kind that could be compared. */
static bool is_opaque(unsigned ptype)
{
	return ptype == PT_SIGSET || ptype == PT_L4PROTO || ptype == PT_SOCKFAMILY;
}

bool flt_op_takes(enum flt_op op, unsigned ptype, bool is_list)
{
	if (is_opaque(ptype))
		return op == FLT_OP_EXISTS;
	if (!is_list || op == FLT_OP_EXISTS)
		return flt_op_table[op].classes >> flt_type_class(ptype) & 1;
	return (op == FLT_OP_IN || op == FLT_OP_INTERSECTS) && list_element_is_comparable(ptype);
}

static bool parse_modifier(struct sv text, enum flt_modifier *mod)
{
	for (enum flt_modifier m = FLT_MOD_ONEOF; m <= FLT_MOD_ALLOF; m++) {
		if (sv_is(text, modifiers[m])) {
			*mod = m;
			return true;
		}
	}
	return false;
}

bool flt_op_parse(struct sv text, enum flt_op *op, enum flt_modifier *mod)
{
	const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
	struct sv word = blank ? sv_make(text.p, (size_t)(blank - text.p)) : text;
	struct sv rest = sv_drop(text, word.n + 1);

	*mod = FLT_MOD_NONE;
	if (sv_is(word, "=="))
		word = SV_LIT("=");
	for (enum flt_op o = 0; o < FLT_OP_COUNT; o++) {
		if (!sv_is(word, flt_op_table[o].spelling))
			continue;
		*op = o;
		return !blank || (flt_op_takes_modifier(o) && parse_modifier(rest, mod));
	}
	return false;
}
