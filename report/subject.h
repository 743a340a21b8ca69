/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the formats for programs tell of an alert: the row with all that belongs to it. Alerts are
 * walked over by time, alone or among the other events of the time line. And the scales that other
 * formats have for severities of rules.
 * Memory: one alert at a time; besides, what REP_WITH_PLACES and REP_WITH_GAPS keep: some bytes for
 * each rule that gave alerts, and 16 for each gap.
 */
#ifndef REPORT_SUBJECT_H
#define REPORT_SUBJECT_H

#include "base/arena.h"
#include "base/map.h"
#include "report/json_out.h"
#include "report/report.h"

#define REP_GAPS_MAX (1u << 20) /* gaps of a case that are looked at; a reading tells 1000 */

struct rep_subject { /* borrowed as the rows are: until the next one */
	const struct rep_alert *alert;
	const struct rep_process *line; /* the process and its ancestors, @count of them */
	size_t count;
	const struct rep_connection *connection;		 /* or NULL */
	struct sv file;						 /* or SV_NONE */
	struct sv container_id, container_name, container_image; /* or SV_NONE */
	struct rep_attack attack;
	struct sv id;	      /* capture, offset and rule: the same in every report and case */
	struct sv rule_file;  /* where the rule was defined, or SV_NONE */
	int64_t rule_line;    /* -1: not known */
	uint64_t gaps_before; /* places before the event where the capture lacks something */
};

/* What is looked up for each alert. */
enum {
	REP_WITH_LINEAGE = 1u << 0, /* the process and all ancestors */
	REP_WITH_PARENT = 1u << 1,  /* the process and its parent */
	REP_WITH_OBJECTS = 1u << 2, /* connection and file */
	REP_WITH_PLACES = 1u << 3,  /* where rules were defined */
	REP_WITH_GAPS = 1u << 4,    /* how many gaps are before it */
};

struct rep_gap_place { /* where a gap begins */
	int64_t capture_id, offset;
};

struct rep_walk {
	struct rep_case *c;
	const struct rep_options *opt;
	struct rep_out *out;
	unsigned with;
	bool lines; /* what is written are members of an object on a line of its own */
	/* Each writes to @js, which begins anew for it. @event: NULL: alerts only. */
	void (*alert)(struct rep_walk *w, const struct rep_subject *s);
	void (*event)(struct rep_walk *w, const struct rep_event *e);
	void *arg;
	struct rep_js js;
	/* --- the rest is of rep_walk() */
	struct buf id, file;
	struct buf container[4]; /* id, name, image and tag of the image, out of the output */
	struct rep_process line[REP_LINEAGE_MAX];
	struct rep_connection connection;
	struct map places; /* of rules */
	struct arena arena;
	struct rep_gap_place *gaps;
	size_t gap_count;
	uint64_t told;
};

/*
 * All selected alerts, and events if @event and the options say so. @w: zeroed but for what is
 * above. Return: 0 or ERR_*.
 */
MUST_CHECK int rep_walk(struct rep_walk *w, struct error *err);
/* A whole report of objects on lines: the same, with @lines, to the end of @out. */
MUST_CHECK int rep_walk_lines(struct rep_case *c, const struct rep_options *opt,
			      struct rep_out *out, unsigned with,
			      void (*alert)(struct rep_walk *w, const struct rep_subject *s),
			      void (*event)(struct rep_walk *w, const struct rep_event *e),
			      struct error *err);

/* How others grade what rules call Emergency (0) to Debug (7). */
struct rep_grade {
	const char *sarif;    /* level of a result */
	const char *security; /* 0 to 10, as code scanning services sort by */
	int risk;	      /* 0 to 100 */
	int ocsf;	      /* severity_id */
	const char *ocsf_name;
};
extern const struct rep_grade rep_grades[REP_SEVERITIES];

/* The last part of a path, and what is before it. */
struct sv rep_base_name(struct sv path);
struct sv rep_directory(struct sv path);
/* 4 or 6 if it is an address of that version, else 0. */
int rep_ip_version(struct sv address);
/* The first of names with blanks between them. */
struct sv rep_first_word(struct sv names);
/* "tcp" of "tcp6". */
struct sv rep_transport(struct sv proto);

#endif
