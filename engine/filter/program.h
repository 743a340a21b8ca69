/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program: the distinct fields and tests of all its conditions, each condition as a tree over
 * tests, and after sealing as steps with jump targets.
 */
#ifndef ENGINE_FILTER_PROGRAM_H
#define ENGINE_FILTER_PROGRAM_H

#include "base/map.h"
#include "engine/filter/compare.h"
#include "engine/filter/operand.h"

struct flt_path_tree;
struct flt_test;

struct flt_set { /* constants of in, compared as bytes */
	struct smap map;
	uint64_t lengths; /* bit n % 64: some constant is n bytes long */
};

/* Does one element, of @type, of the left operand satisfy operator, modifier and constants? */
typedef bool (*flt_satisfies_fn)(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
				 const struct flt_datum *d);

/* One check of a condition, whatever the number of conditions it occurs in. */
struct flt_test {
	bool (*run)(struct flt_ctx *cx, const struct flt_test *t); /* look at the event */
	flt_satisfies_fn satisfies;		/* for elements of the left operand's class */
	flt_compare_fn compare;			/* with one constant */
	const struct flt_operand *left, *right; /* @right: compared with a field; else NULL */
	enum flt_op op;
	enum flt_modifier modifier;
	enum flt_class class; /* of the left operand */
	uint32_t count;
	struct flt_const *consts;
	struct flt_set set;	     /* in, intersects on texts, buffers, integers, addresses */
	struct flt_path_tree *paths; /* pmatch */
	bool stateful;
	uint16_t flags; /* FLT_FIELD_PROCESS, FLT_FIELD_TYPE_ONLY, if all its fields have them */
	uint32_t id;	/* final when the program is sealed */
	bool folds; /* the event's type decides, but for types whose events have names of their own
		     */
	struct flt_types types; /* if @folds: those for which it is true */
};

struct flt_logic {		 /* a condition */
	enum flt_node_kind kind; /* not FLT_MACRO */
	struct flt_logic **kids;
	uint32_t count;
	struct flt_test *test; /* FLT_CHECK */
};

#define FLT_STEP_TRUE  (UINT32_MAX - 1) /* jump targets: the condition's result */
#define FLT_STEP_FALSE UINT32_MAX

struct flt_step {
	uint32_t test, on_true, on_false;
};

struct flt_owned_regex {
	struct flt_regex *regex;
	struct flt_owned_regex *next;
};

struct flt_program {
	struct arena arena;
	struct flt_options options;
	struct flt_field **fields;
	uint32_t field_count;
	struct smap field_map; /* key of a field to its instance */
	struct flt_test **tests;
	uint32_t test_count;
	struct smap test_map; /* key of a check to its test */
	struct flt_logic **conditions;
	uint32_t condition_count;
	struct flt_owned_regex *regexes;
	bool sealed;
	/* Tests are ordered: results that hold as long as the thread does not change, as long as
	 * the event, never. */
	uint32_t thread_tests, remembered_tests;
	struct buf steps; /* struct flt_step */
	uint32_t *starts; /* first step of condition c for type t at [t * condition_count + c] */
};

static inline const struct flt_step *flt_program_steps(const struct flt_program *p)
{
	return (const struct flt_step *)(const void *)p->steps.p;
}

/* check.c: the test for a check; with @pos the place of an error. */
MUST_CHECK int flt_program_check(struct flt_program *p, const struct flt_node *n,
				 struct flt_test **out, struct flt_pos *pos, struct error *err);
/* warn.c: report the suspicious constants of a check. */
void flt_warn_about(const struct flt_node *check, flt_warning_fn warn, void *arg);

/* test.c: choose the functions of @t, whose operands, operator and constants are set. */
MUST_CHECK int flt_test_prepare(struct flt_program *p, struct flt_test *t, struct error *err);
/* As @t->satisfies, but one constant after the other, and for a value of any @type. */
bool flt_satisfies_slowly(struct flt_ctx *cx, const struct flt_test *t, unsigned type,
			  const struct flt_datum *d);
/* Does a present left operand satisfy @t, given how one element does? */
bool flt_value_satisfies(struct flt_ctx *cx, const struct flt_test *t, const struct flt_value *v,
			 flt_satisfies_fn satisfies);
/* The same for a test with a field on the right. */
bool flt_value_satisfies_field(struct flt_ctx *cx, const struct flt_test *t,
			       const struct flt_value *left, const struct flt_value *right);
/* evt.around: is the event within the constant's milliseconds of the field's argument? */
bool flt_is_around(struct flt_ctx *cx, const struct flt_test *t);

/* seal.c */
MUST_CHECK int flt_program_link(struct flt_program *p, struct error *err);

/* eval.c: a context for a program that need not be sealed. */
MUST_CHECK int flt_ctx_make(const struct flt_program *p, const struct state *st,
			    struct flt_ctx **out, struct error *err);

/* The memo's value, or NULL if the field is absent. Not for stateful fields. */
const struct flt_value *flt_field_value(struct flt_ctx *cx, const struct flt_field *f);

#endif
