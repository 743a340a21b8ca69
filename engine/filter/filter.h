/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions and output formats over events and state: fields, compiled programs, evaluation,
 * rendering. One program holds any number of conditions and formats; equal tests and equal fields
 * are shared between them and evaluated at most once per event. Units: as in state.h and event.h.
 * Threads: a sealed program is constant and may be shared; a context belongs to one thread at a
 * time.
 */
#ifndef ENGINE_FILTER_FILTER_H
#define ENGINE_FILTER_FILTER_H

#include "engine/filter/ast.h"
#include "engine/state/state.h"

struct flt_program;
struct flt_ctx;
struct flt_format;

/* --- fields: what can be asked --- */

enum flt_field_flag {
	FLT_FIELD_FILTER_ONLY = 1 << 0,
	FLT_FIELD_PRINT_ONLY = 1 << 1,
	FLT_FIELD_NO_RHS = 1 << 2, /* neither has nor is a field on the right */
	FLT_FIELD_NO_TRANSFORMER = 1 << 3,
	FLT_FIELD_LIST = 1 << 4, /* yields a list */
	FLT_FIELD_DEPRECATED = 1 << 5,
	FLT_FIELD_HIDDEN = 1 << 6,    /* not shown in listings: table-only fields, the util class */
	FLT_FIELD_SUGGESTED = 1 << 7, /* appended to alerts by append_output: suggested_output */
	FLT_FIELD_PROCESS =
	    1
	    << 8, /* depends on the bound thread's own attributes only (state_thread.generation) */
	FLT_FIELD_TYPE_ONLY = 1 << 9, /* depends on the event type only */
};

enum flt_arg_rule { FLT_ARG_NONE, FLT_ARG_OPTIONAL, FLT_ARG_REQUIRED };

struct flt_field_info {	      /* one row of fields.def */
	const char *name;     /* "proc.name" */
	const char *cls;      /* "process", "evt", ...: heading of listings */
	uint8_t type;	      /* enum ev_ptype */
	uint8_t format;	      /* enum ev_pformat */
	uint8_t arg;	      /* enum flt_arg_rule */
	uint16_t flags;	      /* FLT_FIELD_* */
	const char *arg_help; /* "[N]", ".NAME", or "" */
	const char *help;
};

extern const struct flt_field_info flt_field_table[];
extern const size_t flt_field_count;

/* The row whose name, with optional argument, is @text ("proc.aname[2]", "evt.arg.fd"); NULL: no
 * such field. */
const struct flt_field_info *flt_field_find(struct sv text);
/* Its type in a word for people: "string", "uint64", "time"; "other" if there is none. */
const char *flt_field_type_name(const struct flt_field_info *f);

/* "CAP_CHOWN" for a bit of a set of capabilities, or NULL. */
const char *flt_capability_name(unsigned bit);

/* --- programs --- */

enum flt_bytes {		      /* byte buffers as text */
		 FLT_BYTES_DOTS,      /* printable ASCII, dots for the rest */
		 FLT_BYTES_LINES,     /* a line end, then printable ASCII and line ends */
		 FLT_BYTES_HEX,	      /* rows of 16 bytes, each after a line end and a tab */
		 FLT_BYTES_HEX_ASCII, /* the same with the characters beside */
		 FLT_BYTES_BASE64,
};

enum flt_clock {			/* what evt.outputtime shows */
		 FLT_CLOCK_DAY,		/* time of day, in the zone of display */
		 FLT_CLOCK_EPOCH,	/* seconds.nanoseconds since 1970 */
		 FLT_CLOCK_RELATIVE,	/* since the first event of the capture */
		 FLT_CLOCK_SINCE_ENTER, /* of a system call: always 0, both halves are one event */
		 FLT_CLOCK_DELTA,	/* since the event shown before */
};

struct flt_options {
	int tz_offset_s; /* display offset of evt.time and friends, seconds east of UTC */
	enum flt_bytes bytes;
	uint32_t bytes_max; /* longer FLT_BYTES_DOTS are cut to that and end in "..."; 0: no */
	bool conditions_see_bytes; /* in that form in evt.arg and evt.args, as in the reference;
				      else conditions see dots whatever is shown */
	enum flt_clock output_time;
	bool corrected;		  /* true values where the reference's mislead */
	const struct flt_static { /* static.NAME fields; ends with a NULL name */
		const char *name, *value;
	} * statics;
};

enum flt_warning_kind {
	FLT_WARN_REGEX_NOT_NEEDED,     /* the pattern needs no regular expression */
	FLT_WARN_VALUE_IS_FIELD,       /* a constant looks like a field name */
	FLT_WARN_VALUE_IS_TRANSFORMER, /* a constant looks like a transformer call */
};

typedef void (*flt_warning_fn)(void *arg, enum flt_warning_kind kind, struct flt_pos pos,
			       const char *text);

MUST_CHECK int flt_program_new(const struct flt_options *opt, struct flt_program **out,
			       struct error *err);
void flt_program_free(struct flt_program *p); /* NULL is fine */

/**
 * flt_program_add() - compile a condition (macros already resolved)
 * @warn: may be NULL
 * @id: receives the condition's number in this program
 * @pos: on ERR_COMPILE receives the place; may be NULL
 * Return: 0, ERR_COMPILE (unknown field, operator not defined for the type, bad constant ...;
 * messages contain "nonexistent field NAME" and "unknown event type NAME" where these are the
 * reason), ERR_NOMEM. On failure the program is unchanged.
 */
MUST_CHECK int flt_program_add(struct flt_program *p, const struct flt_node *n, flt_warning_fn warn,
			       void *warn_arg, unsigned *id, struct flt_pos *pos,
			       struct error *err);
/*
 * Name the conditions to be looked at for events of one type, in the order in which
 * flt_match_batch() reports them; replaces an earlier batch. Return: 0 or ERR_NOMEM.
 */
MUST_CHECK int flt_program_batch(struct flt_program *p, unsigned type, const unsigned *conditions,
				 size_t count, struct error *err);
/* After the last addition and before the first context. Return: 0, ERR_LIMIT (too much), ERR_NOMEM.
 */
MUST_CHECK int flt_program_seal(struct flt_program *p, struct error *err);

/* Does a condition or format of @p use a field of listing class @cls ("container")? */
bool flt_program_asks(const struct flt_program *p, const char *cls);
/* Does one use a field whose value depends on the events it was asked for before? */
bool flt_program_has_memory(const struct flt_program *p);

/* Is @text a valid left-hand side (field with argument, or transformer over one)? Used for
 * exception fields. */
MUST_CHECK int flt_check_operand(struct flt_program *p, struct sv text, struct error *err);

/* --- event types --- */

struct flt_types { /* bit per event type */
	uint64_t bits[(EV_TYPE_COUNT + 63) / 64];
};

static inline bool flt_types_has(const struct flt_types *t, unsigned type)
{
	return t->bits[type / 64] >> type % 64 & 1;
}
unsigned flt_types_count(const struct flt_types *t);
/* The types a condition (macros resolved) can match. Return: 0 or ERR_COMPILE. */
MUST_CHECK int flt_types_of(const struct flt_node *n, struct flt_types *out, struct error *err);
/* Types whose table name is @name, or that report system call @name. False: no such name. */
bool flt_types_named(struct sv name, struct flt_types *out);

/* --- evaluation --- */

MUST_CHECK int flt_ctx_new(const struct flt_program *p, const struct state *st,
			   struct flt_ctx **out, struct error *err);
void flt_ctx_free(struct flt_ctx *cx); /* NULL is fine */
/* Look at another event; forgets everything remembered about the one before. @b is borrowed until
 * the next call. */
void flt_ctx_event(struct flt_ctx *cx, const struct state_binding *b);
/* Type of the event @cx looks at; EV_TYPE_COUNT before the first one. */
unsigned flt_ctx_type(const struct flt_ctx *cx);
bool flt_match(struct flt_ctx *cx, unsigned condition);
/* The same, telling how many tests were looked at. */
bool flt_match_counted(struct flt_ctx *cx, unsigned condition, unsigned *tests);
/*
 * Which conditions of the batch for the event's type match: *@hits receives their positions in the
 * batch, ascending; unless @all, only the first. Borrowed until the next call. Return: how many.
 */
size_t flt_match_batch(struct flt_ctx *cx, bool all, const unsigned **hits);
/*
 * May one of the batch for @type match an event of it by @t? Looks only at what depends on the
 * thread, which the event must not change; forgets the event @cx looks at.
 */
bool flt_may_match(struct flt_ctx *cx, unsigned type, struct state_thread *t);
/* False: flt_may_match() says yes for all events of @type. */
bool flt_program_has_gate(const struct flt_program *p, unsigned type);
/* The same answer by walking the tree without sharing or shortcuts: the oracle that tests and
 * fuzzing compare with. */
bool flt_match_naive(struct flt_ctx *cx, unsigned condition);

/* --- output formats --- */

/**
 * flt_format_new() - compile an output format ("%proc.name %fd.name[...]", leading '*', widths,
 * transformers) Adds its fields to @p, so before flt_program_seal(). The program owns the result.
 * Return: 0, ERR_COMPILE (the message contains "unknown filter:" for an unusable %token),
 * ERR_NOMEM.
 */
MUST_CHECK int flt_format_new(struct flt_program *p, struct sv text, struct flt_format **out,
			      struct error *err);
/* Append the text. Return: false if a field is absent and the format has no leading '*' (nothing is
 * appended). */
bool flt_format_text(struct flt_ctx *cx, const struct flt_format *f, struct buf *out);
/*
 * Append "\"key\":value,..." for the format's plain fields in key order, without braces. The values
 * are JSON typed as the reference does. Return: how many members were written, or -1 as above
 * (without '*').
 */
int flt_format_json(struct flt_ctx *cx, const struct flt_format *f, struct buf *out);
/* Field names of the format as written, in JSON key order. */
size_t flt_format_fields(const struct flt_format *f, const struct sv **names);

struct flt_part {	/* of a format */
	struct sv text; /* literal text, or the field or transformer call as written */
	uint32_t width; /* of a field: its text is cut or padded to that; 0: it is not */
	bool is_value;	/* a field or transformer call */
};
/* Part @i of the format; false if there are fewer. */
bool flt_format_part(const struct flt_format *f, size_t i, struct flt_part *out);
/*
 * Append the text of part @i as it is, without regard to its width; for callers that treat parts
 * differently (colours, columns), at the price of speed. Return: 1, 0 if the value is absent and
 * the format has a leading '*' (nothing is appended), or -1 if it is absent and the format has
 * none.
 */
int flt_format_part_text(struct flt_ctx *cx, const struct flt_format *f, size_t i, struct buf *out);

/* --- single values, as data --- */

enum flt_cell_kind {
	FLT_CELL_NONE, /* absent */
	FLT_CELL_SIGNED,
	FLT_CELL_UNSIGNED, /* truth values too: 0 and 1 */
	FLT_CELL_REAL,
	FLT_CELL_TEXT,	/* whatever has none of the other forms, as formats print it */
	FLT_CELL_BYTES, /* byte buffers as recorded */
};

struct flt_cell {
	enum flt_cell_kind kind;
	union {
		int64_t i;
		uint64_t u;
		double d;
	};
	struct sv text; /* and bytes: borrowed until the next look at the same context */
};

struct flt_column; /* one field as a value; owned by its program */

/**
 * flt_column_new() - a field ("proc.aname[2]") to be looked at; before flt_program_seal()
 * @out: for fields that remember events before NULL, whatever they are asked
 * Return: 0, ERR_SYNTAX, ERR_COMPILE (no such field, or it cannot be shown), ERR_NOMEM.
 */
MUST_CHECK int flt_column_new(struct flt_program *p, struct sv text, const struct flt_column **out,
			      struct error *err);
/* The kind of its values when they are not absent; those of evt.rawarg may be of any. */
enum flt_cell_kind flt_column_kind(const struct flt_column *c);
/* Bits of the numbers it holds: 8 to 64, 1 for truth values, 0 if they are no integers. */
unsigned flt_column_bits(const struct flt_column *c);
/* Has it the same one value of the same kind in conditions? */
bool flt_column_is_plain(const struct flt_column *c);
/* Its value for the event @cx looks at. */
void flt_column_get(struct flt_ctx *cx, const struct flt_column *c, struct flt_cell *out);

/*
 * Text of parameter @i of the event as evt.arg shows it; with its name, and of all parameters, as
 * evt.args does. @ev may be of type EV_TYPE_URING.
 */
void flt_render_param(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *out);
void flt_render_arg(struct flt_ctx *cx, struct ev *ev, unsigned i, struct buf *out);
void flt_render_args(struct flt_ctx *cx, struct ev *ev, struct buf *out);
/* A descriptor of the event's thread as arguments show those: "7(<f>/etc/passwd)". */
void flt_render_fd(struct flt_ctx *cx, int64_t num, struct buf *out);

/* "HH:MM:SS.nnnnnnnnn" shifted by @tz_offset_s; "YYYY-MM-DDTHH:MM:SS.nnnnnnnnn" in UTC (no zone
 * suffix). */
void flt_time_of_day(struct buf *out, uint64_t ts, int tz_offset_s);
void flt_time_iso8601(struct buf *out, uint64_t ts);

/* What evt.type shows; borrowed from the event or constant. */
struct sv flt_event_name(struct ev *ev);
const char *flt_errno_name(int code);	 /* "ENOENT", or NULL */
const char *flt_signal_name(int number); /* "SIGTERM", or NULL */

#endif
