/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts of a run, kept or read, in the form in which they are compared: the event's number and
 * offset, its time, the rule, the priority, and the output fields sorted by name. One alert is one
 * line of canonical JSON (docs/regression.md), equal bytes for equal alerts.
 * Units: times are nanoseconds since the Unix epoch, offsets bytes of the uncompressed capture.
 * Ownership: everything an alert points to lives in the arena of its list.
 * Threads: one list belongs to one thread at a time.
 */
#ifndef REGRESS_ALERTS_H
#define REGRESS_ALERTS_H

#include "base/arena.h"
#include "replay/replay.h"
#include "report/report.h"

#define REG_ALERTS_MAX 1000000u	  /* of one list; further ones are counted only */
#define REG_LINE_MAX   (8u << 20) /* bytes of one line of a file of alerts */
#define REG_FIELDS_MAX 1024u	  /* output fields of one alert */

struct reg_field {
	struct sv name, value;	 /* a text decoded; other values as JSON has them */
	enum rep_json_kind kind; /* of the value */
};

struct reg_alert {
	uint64_t evt, offset; /* 0: not known */
	uint64_t ts;
	struct sv rule;
	enum rule_priority priority;
	uint32_t trace; /* which capture, where a list is of several */
	uint32_t ord;	/* place in the list */
	const struct reg_field *fields;
	size_t field_count;
};

struct reg_alerts {
	struct arena arena;
	struct reg_alert *items; /* @count of them, in the order of the events */
	size_t count, room;
	uint64_t dropped; /* beyond REG_ALERTS_MAX */
};

void reg_alerts_done(struct reg_alerts *l); /* empty storage is fine */
void reg_alerts_clear(struct reg_alerts *l);

/* What is left out of comparisons: patterns of field names, '*' is any run of characters. */
struct reg_ignore {
	const struct sv *patterns;
	size_t count;
};
bool reg_ignores(const struct reg_ignore *ignore, struct sv field);

/* Is it told by another member of an alert already, as evt.time is by the time? */
bool reg_field_is_repeated(struct sv name);

/* NULL: it has no such field. */
const struct reg_field *reg_alert_field(const struct reg_alert *a, struct sv name);
/* What a field shows: its text, or the JSON of other values; <NA> for null. */
struct sv reg_field_text(const struct reg_field *f);
void reg_field_json(struct buf *b, const struct reg_field *f);

/*
 * Add @a, whose fields and rule are copied; @fields: a JSON object of them.
 * Return: 0, ERR_FORMAT (@fields), ERR_LIMIT (REG_FIELDS_MAX), ERR_NOMEM.
 */
MUST_CHECK int reg_alerts_add(struct reg_alerts *l, const struct reg_alert *a, struct sv fields,
			      struct error *err);
/* The same with fields that are there, borrowed from another list that lives as long. */
MUST_CHECK int reg_alerts_borrow(struct reg_alerts *l, const struct reg_alert *a,
				 struct error *err);
/* A sink of runs that adds what it gets to @l. NULL: out of memory. */
struct run_sink *reg_alerts_sink_new(struct reg_alerts *l);

/* The canonical line, with its line end. */
void reg_alert_line(struct buf *b, const struct reg_alert *a, const struct reg_ignore *ignore);
/* The object of fields in it, sorted; @moving false: without those that say where an event is. */
void reg_alert_fields(struct buf *b, const struct reg_alert *a, const struct reg_ignore *ignore,
		      bool moving);

/*
 * Read lines: canonical ones, or Falco's JSON alerts. @name: for messages, which say the line.
 * Return: 0, ERR_FORMAT, ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int reg_alerts_parse(struct reg_alerts *l, const char *name, struct sv text,
				struct error *err);
/* A file of such lines. Return: as above; ERR_IO, with err->sys ENOENT if there is none. */
MUST_CHECK int reg_alerts_read(struct reg_alerts *l, const char *path, struct error *err);

#endif
