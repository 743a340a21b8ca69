/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of this folder: what a field instance is, what it yields, and the evaluation
 * context. Fields (fields.def, field_*.c) turn an event into values; operators, transformers and
 * programs use the values.
 */
#ifndef ENGINE_FILTER_INTERNAL_H
#define ENGINE_FILTER_INTERNAL_H

#include "engine/filter/filter.h"

#define FLT_CONSTANT_MAX    255	 /* longest string or buffer constant in bytes */
#define FLT_LIST_TEXT_MAX   1023 /* printed lists are cut here */
#define FLT_BUFFER_TEXT_MAX 1021 /* printed byte buffers are cut here */

/* One scalar. Which member counts follows from the value's type: see flt_type_class(). */
struct flt_datum {
	union {
		int64_t i;  /* signed integers, fds, pids, errnos */
		uint64_t u; /* unsigned integers, flags, modes, ids, ports, times, bool */
		double d;
	};
	const char *p; /* text, path, bytes; addresses (4 or 16 bytes); not NUL-terminated */
	size_t n;
};

enum flt_match_kind {
	FLT_MATCH_SCALAR,
	FLT_MATCH_LIST,	  /* a list field: in = all, intersects = any */
	FLT_MATCH_ANY,	  /* candidates (ancestors): any satisfies the operator, != included */
	FLT_MATCH_EITHER, /* both ends of a connection: any satisfies; != only if all differ */
};

struct flt_value {	/* what a field or transformer yields when it is not absent */
	uint8_t type;	/* enum ev_ptype, after transformers; for evt.rawarg that of the event's
			   parameter */
	uint8_t format; /* enum ev_pformat */
	uint8_t match;	/* enum flt_match_kind */
	uint32_t count;
	const struct flt_datum *items; /* @count of them; for scalars points to @one */
	struct flt_datum one;
};

enum flt_class {
	FLT_CLASS_SIGNED,
	FLT_CLASS_UNSIGNED,
	FLT_CLASS_BOOL,
	FLT_CLASS_DOUBLE,
	FLT_CLASS_TEXT,
	FLT_CLASS_BYTES,
	FLT_CLASS_ADDR,
	FLT_CLASS_NET,
	FLT_CLASS_OTHER
};
enum flt_class flt_type_class(unsigned ptype); /* value.c */

enum flt_purpose { FLT_FOR_FILTER, FLT_FOR_OUTPUT };

struct flt_field;
struct flt_screen;
/*
 * The caller presets type and format (those of @f), match (LIST or SCALAR), count = 1 and items =
 * &out->one; an extractor of a plain scalar fills @one only. Return: false if absent. Texts in @out
 * live in the event, the state or cx->scratch: until the next event.
 */
typedef bool (*flt_extract_fn)(struct flt_ctx *cx, const struct flt_field *f,
			       struct flt_value *out);

struct flt_field { /* a field with its argument, as used in a program */
	const struct flt_field_info
	    *info; /* for static.NAME a row of its own in the program's arena */
	flt_extract_fn extract;
	uint8_t type, format; /* compile-time type (evt.rawarg: by parameter name) */
	bool is_list;
	enum flt_purpose purpose;
	unsigned id; /* index of memo and private storage in the context */
	bool has_arg, arg_is_index;
	int64_t index;		   /* [N] */
	struct sv arg;		   /* [KEY] or .NAME */
	struct sv text;		   /* canonical printed form: the key in JSON */
	uint16_t code;		   /* for extractors that serve several fields */
	const void *data;	   /* what resolving prepared for the extractor */
	struct flt_screen *screen; /* set by sealing; NULL: none */
};

/*
 * Resolve a field as written (name without brackets, argument separately) for @purpose. Stateful or
 * not, each call makes a new instance; the program shares equal ones. Errors: ERR_COMPILE
 * "nonexistent field NAME", bad or missing argument.
 */
MUST_CHECK int flt_field_resolve(const struct flt_options *opt, struct arena *arena, struct sv name,
				 bool has_arg, struct sv arg, enum flt_purpose purpose,
				 struct flt_field **out, struct error *err);
/* Free what resolving @f took outside the arena (once per instance, also of discarded ones). */
void flt_field_done(struct flt_field *f);
/* Stateful fields (time since the last evaluation, counters) must not be shared between checks or
 * remembered. */
bool flt_field_is_stateful(const struct flt_field *f);
/* Event types of which it is known that no event has @f. */
struct flt_types flt_field_absent(const struct flt_field *f);

/*
 * program.c: the program's instance for a field (equal ones shared); used by formats as well as
 * conditions.
 */
MUST_CHECK int flt_program_field(struct flt_program *p, const struct flt_expr *e,
				 enum flt_purpose purpose, const struct flt_field **out,
				 struct error *err);
/* An operand: a field or a (nested) transformer call, type-checked. */
struct flt_operand;
MUST_CHECK int flt_program_operand(struct flt_program *p, const struct flt_expr *e,
				   enum flt_purpose purpose, const struct flt_operand **out,
				   struct error *err);
bool flt_operand_eval(struct flt_ctx *cx, const struct flt_operand *o, struct flt_value *out);
/* The plain fields inside an operand (those of transformer arguments too). */
void flt_operand_fields(const struct flt_operand *o,
			void (*fn)(void *arg, const struct flt_field *f), void *arg);
struct arena *flt_program_arena(struct flt_program *p);
const struct flt_options *flt_program_options(const struct flt_program *p);

struct flt_memo {	/* a field's value for the current event */
	uint64_t epoch; /* equals cx->epoch when valid */
	bool present;
	uint64_t may; /* bits of tests that the value may satisfy */
	struct flt_value value;
};

/* screen.c: bits of the field's tests that @v may satisfy. */
uint64_t flt_screen_value(const struct flt_screen *s, const struct flt_value *v);

struct flt_private { /* for stateful fields; zero at first */
	uint64_t a, b;
	void *p; /* in flt_ctx.lasting */
};

struct flt_ctx {
	const struct flt_program *program;
	const struct flt_options *options, *condition_options;
	const struct state *st;
	/* The current event: */
	const struct state_binding *bind;
	struct ev *ev;
	struct state_thread *bound_thread; /* ask flt_thread() */
	struct state_fd *bound_fd;	   /* ask flt_fd() */
	bool thread_known, fd_known;
	uint64_t epoch;
	struct {
		uint64_t epoch;
		struct sv path;
	} attempted;		      /* of a failed open, for fd.name, fd.directory, ... */
	struct arena scratch;	      /* texts of the current event */
	struct arena lasting;	      /* what stateful fields remember from event to event */
	struct buf text;	      /* for building one text before it is copied to @scratch */
	struct flt_memo *memos;	      /* per field instance */
	struct flt_private *privates; /* per field instance */
	struct flt_private *naive_privates; /* the same for flt_match_naive() */
	struct flt_tests *tests;	    /* program.c: remembered test results */
};

/* eval.c: what flt_thread() and flt_fd() do the first time they are asked in an event. */
struct state_thread *flt_find_thread(struct flt_ctx *cx);
struct state_fd *flt_find_fd(struct flt_ctx *cx);

/* The event's thread: the bound one, or the one found by ev->tid; NULL: none. */
static inline struct state_thread *flt_thread(struct flt_ctx *cx)
{
	return LIKELY(cx->thread_known) ? cx->bound_thread : flt_find_thread(cx);
}

/* Its descriptor: the bound one, or on events that work on an fd the record at lastevent_fd; NULL:
 * none. */
static inline struct state_fd *flt_fd(struct flt_ctx *cx)
{
	return LIKELY(cx->fd_known) ? cx->bound_fd : flt_find_fd(cx);
}

/* Extract, through the memo unless the field is stateful and used in a condition. Value and items
 * live until the next event. */
bool flt_field_get(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out);

/* Setters for extractors. */
static inline bool flt_yield_text(struct flt_value *out, struct sv s)
{
	out->one = (struct flt_datum){.p = s.p, .n = s.n};
	return true;
}

static inline bool flt_yield_u64(struct flt_value *out, uint64_t u)
{
	out->one = (struct flt_datum){.u = u};
	return true;
}

static inline bool flt_yield_i64(struct flt_value *out, int64_t i)
{
	out->one = (struct flt_datum){.i = i};
	return true;
}

/* value.c: rendering (text as formats print it; JSON typed by type, format and field). */
void flt_value_text(struct flt_ctx *cx, const struct flt_value *v, struct buf *out);
void flt_value_json(struct flt_ctx *cx, const struct flt_field *f, const struct flt_value *v,
		    struct buf *out);

/* param_text.c: a parameter as (value text, resolved text); either may stay empty. */
void flt_param_text(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *value,
		    struct buf *resolved);

#endif
