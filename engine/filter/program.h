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
	/* One comparison of numbers is a range, or all outside it: from @low, @span more. */
	uint64_t low, span;
	bool outside;
	bool stateful;
	bool plain;	/* a field whose value is remembered, with constants */
	uint16_t flags; /* FLT_FIELD_PROCESS, FLT_FIELD_TYPE_ONLY, if all its fields have them */
	/* Set by sealing: */
	bool numbered;
	uint32_t id;	     /* index of what is remembered about it; before: in tests */
	uint64_t screen_bit; /* in the screen of its field; 0: it has none */
	float cost, truth;   /* of running it, roughly; how often it is true, presumably */
	/* Event types for which the result is known beforehand, and those for which it is true. */
	struct flt_types decided, yes;
};

struct flt_logic {		 /* a condition as written */
	enum flt_node_kind kind; /* not FLT_MACRO */
	struct flt_logic **kids;
	uint32_t count;
	struct flt_test *test; /* FLT_CHECK */
};

struct flt_plan {		 /* a condition as evaluated: "not" only at tests */
	enum flt_node_kind kind; /* FLT_AND, FLT_OR, FLT_CHECK */
	bool negated;		 /* FLT_CHECK */
	bool stateful;
	float cost, truth;
	struct flt_plan **kids; /* best first */
	uint32_t count;
	struct flt_test *test;
};

struct flt_step {
	uint32_t test, on_true, on_false;
};

/* Jump targets that are no steps: a condition's result. */
#define FLT_STEP_END   0x80000000u
#define FLT_STEP_FALSE UINT32_MAX
#define FLT_STEP_TRUE  (UINT32_MAX - 1)

#define FLT_STEPS_MAX (1u << 24) /* of all conditions for all event types */

#define FLT_SCREEN_DEPTH 8

struct flt_screen { /* which of a field's tests a text may satisfy, by its first bytes */
	uint64_t may[FLT_SCREEN_DEPTH][256]; /* bits of tests; the text's end is byte 0 */
	bool used;			     /* by a sieve */
};

#define FLT_SCREENED_MAX 3

struct flt_screened { /* what cannot hold if none of these bits is in the screens of these fields */
	uint32_t count;
	const struct flt_field *fields[FLT_SCREENED_MAX]; /* ascending ids */
	uint64_t bits[FLT_SCREENED_MAX];
};

/*
 * What rules out conditions of a batch: a test, by its result, or screens. Masks have a bit per
 * member.
 */
struct flt_sieve {
	uint64_t affected;	    /* those that may be ruled out */
	uint64_t if_true, if_false; /* those that may match then */
	uint32_t test;		    /* unless there are screens */
	struct flt_screened screened;
	uint64_t (*rows)[64]; /* by field and bit: who may match if it is there */
};

#define FLT_BATCH_MAX 64 /* members: bits of a mask */

struct flt_batch {	/* conditions looked at together */
	uint64_t all;	/* those that can match events of the type */
	uint32_t first; /* position of the first one */
	uint32_t sieve_count;
	struct flt_sieve *sieves;
	uint32_t *starts; /* first steps for those that no sieve rules out */
};

/* Tests on the thread alone: while none of them holds, no condition of an agenda does. */
struct flt_gate {
	uint32_t count;
	struct {
		uint32_t word; /* bits of tests 64 * @word and following */
		uint64_t bits;
	} tests[];
};

struct flt_agenda { /* conditions looked at for events of one type */
	const unsigned *conditions;
	uint32_t count, batch_count;
	bool in_order;	       /* stateful: one after the other */
	struct flt_gate *gate; /* NULL: there is none */
	struct flt_batch *batches;
};

struct flt_typed { /* tests of a condition that the event's type may decide */
	struct flt_test **tests;
	uint32_t count;
};

struct flt_owned_regex {
	struct flt_regex *regex;
	struct flt_owned_regex *next;
};

struct flt_program {
	struct arena arena;
	struct flt_options options, condition_options; /* of what is shown, and of conditions */
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
	/* After sealing: */
	struct flt_plan **plans; /* by condition */
	/* The tests that plans use; first those whose results hold while the thread does not
	 * change. */
	struct flt_test **numbered;
	uint32_t numbered_count, thread_tests;
	unsigned like[EV_TYPE_COUNT]; /* the first type of which the same is known */
	struct flt_typed *typed;      /* by condition */
	struct flt_agenda agendas[EV_TYPE_COUNT];
	uint32_t agenda_max; /* conditions in the largest */
	struct buf steps;    /* struct flt_step */
	uint32_t *starts;    /* first step of condition c for type t: [t * condition_count + c] */
};

/* check.c: the test for a check; with @pos the place of an error. */
MUST_CHECK int flt_program_check(struct flt_program *p, const struct flt_node *n,
				 struct flt_test **out, struct flt_pos *pos, struct error *err);
/* Add @t, to be found by @key unless it is stateful. */
MUST_CHECK int flt_program_share(struct flt_program *p, struct flt_test *t, struct sv key,
				 struct error *err);
/* warn.c: report the suspicious constants of a check. */
void flt_warn_about(const struct flt_node *check, flt_warning_fn warn, void *arg);

/* test.c: choose the functions of @t, whose operands, operator and constants are set. */
MUST_CHECK int flt_test_prepare(struct flt_program *p, struct flt_test *t, struct error *err);
/* Release what is not in the program's arena. */
void flt_test_done(struct flt_test *t);
/* Can "this or that" be one test with the constants of both? */
bool flt_test_can_merge(const struct flt_test *a, const struct flt_test *b);
/* A test that is true if one of @tests is, all of which can be merged. */
MUST_CHECK int flt_test_merge(struct flt_program *p, struct flt_test *const *tests, uint32_t count,
			      struct flt_test **out, struct error *err);
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

/* plan.c: the best way to evaluate a condition. Tests may be merged, so new ones may appear. */
MUST_CHECK int flt_plan_condition(struct flt_program *p, const struct flt_logic *l,
				  struct flt_plan **out, struct error *err);
/* What "and" or "or" connects, in the best order: what is cheap and decides often comes first. */
void flt_plan_sort(enum flt_node_kind kind, struct flt_plan **kids, uint32_t count);

/* screen.c: after the tests in use are known. */
MUST_CHECK int flt_make_screens(struct flt_program *p, struct error *err);
/* Forget those that no sieve uses. */
void flt_drop_screens(struct flt_program *p);

/* emit.c: turning plans into steps for one event type. */
struct flt_emitter {
	struct flt_program *program;
	unsigned type;
};
/* 1: true, -1: false, 0: something has to be run. */
int flt_emit_verdict(const struct flt_emitter *e, const struct flt_plan *plan);
/* Return: where the steps of @plan start; a target itself if nothing is to be run. */
uint32_t flt_emit(const struct flt_emitter *e, const struct flt_plan *plan, uint32_t on_true,
		  uint32_t on_false);
/* ERR_LIMIT if there are too many steps by now. */
MUST_CHECK int flt_emit_check_size(const struct flt_program *p, struct error *err);
/* Append what is decided about a condition's tests for @type: equal keys, equal steps. */
void flt_emit_key(const struct flt_program *p, uint32_t condition, unsigned type, struct buf *key);
MUST_CHECK int flt_emit_conditions(struct flt_program *p, struct error *err);

/* batch.c */
MUST_CHECK int flt_prepare_batches(struct flt_program *p, struct error *err);

/* eval.c: a context for a program that need not be sealed. */
MUST_CHECK int flt_ctx_make(const struct flt_program *p, const struct state *st,
			    struct flt_ctx **out, struct error *err);

/* The memo's value, or NULL if the field is absent. Not for stateful fields. */
const struct flt_value *flt_field_value(struct flt_ctx *cx, const struct flt_field *f);
/* What another look at the same event finds, in @room; the memo keeps what it has. */
const struct flt_value *flt_field_again(struct flt_ctx *cx, const struct flt_field *f,
					struct flt_value *room);

#endif
