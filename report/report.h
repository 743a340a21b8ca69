/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: what a case says, for people and for other programs. A sink is one function that walks
 * over rows of a case and writes a file of one format; report/sinks.def lists them.
 * Everything in a case is untrusted: texts are what captures held, or what whoever made the case
 * put there, control characters and invalid UTF-8 included. A sink lets them out through
 * base/escape.h or base/json.h only, and never as a link, an address that is loaded, or a formula.
 * Units: times are nanoseconds since the Unix epoch, offsets bytes of the uncompressed capture.
 * Memory: rows are borrowed and there is one of each kind at a time, so it does not grow with the
 * case. The same case and options give the same bytes.
 * Threads: a case belongs to one thread.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/sv.h"

struct sqlite3;
struct rep_case;
struct rep_rows; /* rows of one kind that are being walked over */

#define REP_LINEAGE_MAX	     32		 /* ancestors of a process that are shown */
#define REP_SEVERITIES	     8		 /* of Falco's rules, 0 is the most severe */
#define REP_OUT_AT	     (64u << 10) /* bytes that wait to be written */
#define REP_BUCKETS_MAX	     240	 /* columns of the time line */
#define REP_TECHNIQUES_MAX   32		 /* of one rule that are told */
#define REP_FINGERPRINT_SIZE 17		 /* 16 hexadecimal digits and NUL */

/* --- what is told */

enum rep_verdict {
	REP_VERDICT_NONE,
	REP_TRUE_POSITIVE,
	REP_FALSE_POSITIVE,
	REP_BENIGN,
	REP_UNDECIDED
};

struct rep_names {
	const char *const *items;
	size_t count;
};

struct rep_select {	/* which alerts; zeroed: all */
	int64_t run_id; /* 0: of all runs */
	struct rep_names
	    captures; /* number, path, or the beginning (8 digits) of the hash; none: all */
	struct rep_names rules; /* patterns with *, ? and [] as in GLOB; none: all */
	struct rep_names hosts;
	struct rep_names fingerprints; /* 16 hexadecimal digits */
	bool has_severity;
	int severity;	   /* this one and graver ones */
	int64_t from, to;  /* ns; 0: no end; @to is not included */
	unsigned verdicts; /* bits 1 << enum rep_verdict; 0: whatever the verdict */
};

struct rep_options {
	struct rep_select select;
	bool has_limit;
	uint64_t limit;	      /* alerts that are told; without: what the format finds reasonable */
	const char *copy_of;  /* the case that this one is a copy of, for messages; or NULL */
	const char *name;     /* what reports call the case; NULL: as it was opened */
	const char *title;    /* or NULL */
	const char *question; /* what the report is to answer; or NULL */
	const char *author;   /* or NULL */
	const char *version;  /* of the program */
	const char *command;  /* that makes the report, quoted for a shell; or NULL */
	int64_t made;	      /* seconds since the epoch; -1: not told */
	bool raw_cells;	      /* CSV: formulas stay formulas; for programs, not for spreadsheets */
	bool everything;      /* what happened besides alerts, too, where a format can say it */
	bool (*stop)(
	    void *arg); /* asked now and then: true ends it with ERR_INTERRUPTED; or NULL */
	void *arg;
};

extern const char *const rep_severity_names[REP_SEVERITIES]; /* "Emergency", ... */

/* --- where it goes (out.c) */

struct rep_out {
	struct buf b; /* what waits; sinks append to it */
	int (*write)(void *arg, const void *p, size_t n, struct error *err); /* all or ERR_* */
	void *arg;
	uint64_t bytes; /* written so far */
	/* For whoever called: what a limit kept out. */
	uint64_t told, left_out; /* alerts */
};

/* After each row: writes when there is much. Return: 0, ERR_NOMEM, or what @write returned. */
MUST_CHECK int rep_out_row(struct rep_out *o, struct error *err);
MUST_CHECK int rep_out_end(struct rep_out *o, struct error *err);

/* --- sinks */

#define REP_SINK_FN(name)                                                                          \
	MUST_CHECK int rep_write_##name(struct rep_case *, const struct rep_options *,             \
					struct rep_out *, struct error *)
REP_SINK_FN(html);     /* one page for a browser, for handing over */
REP_SINK_FN(markdown); /* a summary for a ticket */
REP_SINK_FN(csv);
REP_SINK_FN(jsonl);
REP_SINK_FN(timesketch);
REP_SINK_FN(ecs);
REP_SINK_FN(ocsf);
REP_SINK_FN(sarif);
REP_SINK_FN(navigator);

struct rep_sink {
	const char *name, *other; /* @other: a second name, or NULL */
	int (*write)(struct rep_case *, const struct rep_options *, struct rep_out *,
		     struct error *);
	bool everything; /* rep_options.everything unless asked otherwise */
	const char *help;
};
extern const struct rep_sink rep_sinks[]; /* ends with a NULL name */
const struct rep_sink *rep_sink_find(const char *name);

/* --- the case (case.c) */

/*
 * @path: a case, also one inside of an archive; it is not changed. @memory: limit of SQLite, 0: its
 * usual one. Return: 0, ERR_DB (no case, or of another schema), ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int rep_case_open(const char *path, const struct rep_options *opt, uint64_t memory,
			     struct rep_case **out, struct error *err);
/* Over an open database, which stays the caller's. */
MUST_CHECK int rep_case_over(struct sqlite3 *db, const char *name, const struct rep_options *opt,
			     struct rep_case **out, struct error *err);
void rep_case_close(struct rep_case *c);	     /* NULL is fine */
const char *rep_case_name(const struct rep_case *c); /* rep_options.name, or as given */
/* From now on rows are those of run @run_id alone; 0: as selected. Not while rows are open. */
MUST_CHECK int rep_case_narrow(struct rep_case *c, int64_t run_id, struct error *err);

/*
 * Walking: rep_X_open(), then rep_X_next() until it returns 0, then rep_rows_close(), which is fine
 * with NULL. next: 1 with @out filled, which is valid until the next call on these rows; 0 at the
 * end; or ERR_* (ERR_INTERRUPTED once stop() said so). Several may be open at a time. What the
 * options do not select is left out everywhere.
 * Numbers that are not known are -1, unless it says otherwise; texts that are not known are
 * SV_NONE.
 */
void rep_rows_close(struct rep_rows *r);

struct rep_capture {
	int64_t capture_id;
	struct sv path, hostname, sha256, compression, format;
	int64_t first_ts, last_ts, boot_ts; /* 0: not known */
	int64_t num_cpus, file_size, stream_size, events, events_unknown, unknown_blocks, gaps,
	    lost_events, cut_values;
	struct sv seal, seal_origin, seal_sha256; /* docs/case-schema.md, "captures" */
	int64_t seal_made_ts;
	int64_t interrupted; /* 1: not read to its end */
	int64_t reading_id;
	int64_t alerts; /* selected ones */
};
enum rep_seal { REP_SEAL_NONE, REP_SEAL_INTACT, REP_SEAL_PREFIX, REP_SEAL_ALTERED };
MUST_CHECK int rep_captures_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_capture_next(struct rep_rows *r, struct rep_capture *out, struct error *err);
/* What the seal says of the capture, if what it says of itself can be believed. */
enum rep_seal rep_seal_of(const struct rep_capture *k);

struct rep_totals {		       /* of the captures */
	uint64_t captures, gaps, lost; /* gaps: places where something is missing or damaged */
	uint64_t unread;	       /* captures that were not read to their end */
	uint64_t unsealed, altered;    /* without an intact seal; with one that does not match */
	uint64_t cut;		       /* texts that were too long */
	int64_t first_ts, last_ts;     /* 0: not known */
};
MUST_CHECK int rep_totals_of(struct rep_case *c, struct rep_totals *out, struct error *err);

/* Names of the machines, each once. */
MUST_CHECK int rep_hosts_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_host_next(struct rep_rows *r, struct sv *out, struct error *err);

struct rep_run {
	int64_t run_id, started_ts, finished_ts, exit_status, captures, rules, alerts;
	bool finished;
	struct sv version, command, matching;
};
MUST_CHECK int rep_runs_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_run_next(struct rep_rows *r, struct rep_run *out, struct error *err);

struct rep_rule_file {
	int64_t run_id, seq;
	struct sv name, sha256;
	bool ok;
};
MUST_CHECK int rep_rule_files_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_rule_file_next(struct rep_rows *r, struct rep_rule_file *out, struct error *err);

struct rep_rule { /* each content once */
	int64_t rule_id;
	int severity;
	struct sv digest, name, description, source, priority, condition, output;
	struct sv tags; /* JSON array: rep_json_open() */
	struct sv file; /* where it was defined, in the newest run */
	int64_t line;
	bool enabled;		   /* in any of the runs */
	int64_t alerts;		   /* selected ones */
	int64_t first_ts, last_ts; /* of these; 0: none */
};
/* Those that gave selected alerts, gravest first, then by name; @silent: also those that gave none.
 */
MUST_CHECK int rep_rules_open(struct rep_case *c, bool silent, struct rep_rows **out,
			      struct error *err);
MUST_CHECK int rep_rule_next(struct rep_rows *r, struct rep_rule *out, struct error *err);

struct rep_alert {
	int64_t alert_id, run_id, capture_id, run_capture_id, seq, rule_id;
	int64_t ts, evt_num, evt_offset;
	int64_t tid, pid;
	int64_t process_id; /* 0: not known; rep_lineage() tells more */
	int severity;
	struct sv priority, rule, rule_digest, rule_description, rule_condition, rule_tags;
	struct sv source, output;
	struct sv fields; /* JSON object: rep_json_open() */
	struct sv comm, exepath, cmdline, container_id;
	struct sv capture, capture_sha256, hostname;
	char fingerprint[REP_FINGERPRINT_SIZE];
	struct sv verdict; /* the one that holds, or SV_NONE */
};
/*
 * By time; with @rule_id those of one rule (0: of all). At most @limit; UINT64_MAX for all.
 * rep_alerts_count() tells how many there are without a limit.
 */
MUST_CHECK int rep_alerts_open(struct rep_case *c, int64_t rule_id, uint64_t limit,
			       struct rep_rows **out, struct error *err);
MUST_CHECK int rep_alert_next(struct rep_rows *r, struct rep_alert *out, struct error *err);
MUST_CHECK int rep_alerts_count(struct rep_case *c, uint64_t by_severity[REP_SEVERITIES],
				struct error *err);

struct rep_group { /* alerts that look alike, of one rule and capture */
	int64_t rule_id, capture_id, alerts, first_ts, last_ts;
	int severity;
	char fingerprint[REP_FINGERPRINT_SIZE];
	struct sv rule, priority, hostname, example;
};
MUST_CHECK int rep_groups_open(struct rep_case *c, int64_t rule_id, uint64_t limit,
			       struct rep_rows **out, struct error *err);
MUST_CHECK int rep_group_next(struct rep_rows *r, struct rep_group *out, struct error *err);

struct rep_process {
	int64_t process_id, parent_id; /* 0: not known */
	int64_t capture_id, pid, ppid, vpid, sid, uid, gid;
	int64_t loginuid, tty;	  /* none: -1 and 0 */
	int64_t start_ts, end_ts; /* 0: before the capture; not ended, or not known */
	struct sv uid_text;	  /* identity in any case: process_uid of v_process */
	struct sv outcome, comm, exe, exepath, cmdline, cwd, exe_sha256, hostname;
	struct sv args; /* JSON array of the arguments without the first; SV_NONE: not known */
	struct sv user, login_user; /* names */
	struct sv container_id, container_name, container_image;
};
/*
 * A process and its ancestors, itself first, with the images they had at event @evt_num (0: their
 * last ones). Texts are valid until the next call of it. Return: how many (0: there is no such
 * process), or ERR_*.
 */
MUST_CHECK int rep_lineage(struct rep_case *c, int64_t process_id, int64_t evt_num,
			   struct rep_process *out, size_t room, struct error *err);

struct rep_node {
	int64_t process_id, parent_id, alerts;
	int severity; /* the gravest of its alerts, if it has any */
	unsigned depth;
};
struct rep_tree { /* each node before its children, these by number */
	struct rep_node *nodes;
	size_t count;
	uint64_t left_out;
};
/* Processes with selected alerts and their ancestors: at most @max. */
MUST_CHECK int rep_tree_of(struct rep_case *c, size_t max, struct rep_tree *out, struct error *err);
void rep_tree_done(struct rep_tree *t);

struct rep_connection {
	int64_t connection_id, capture_id, process_id, pid, uid;
	struct sv proto, state, direction, path, local_ip, remote_ip, remote_name, comm, exepath,
	    hostname;
	int64_t local_port, remote_port, bytes_in, bytes_out, first_ts, last_ts, end_ts, attempts,
	    error;
	bool from_start;
};
/* The connection that the event of @a was about, as far as its fields tell. Return: 1, 0 or ERR_*.
 */
MUST_CHECK int rep_alert_connection(struct rep_case *c, const struct rep_alert *a,
				    struct rep_connection *out, struct error *err);
/* Those of processes that gave selected alerts, busiest first. */
MUST_CHECK int rep_connections_open(struct rep_case *c, uint64_t limit, struct rep_rows **out,
				    struct error *err);
MUST_CHECK int rep_connection_next(struct rep_rows *r, struct rep_connection *out,
				   struct error *err);
/* The file it was about, if a field of the output names one. The text is in @scratch. */
bool rep_alert_file(const struct rep_alert *a, struct buf *scratch, struct sv *out);

struct rep_file { /* what a process did to a file */
	int64_t capture_id, process_id, pid;
	struct sv path, comm, exepath, hostname;
	int64_t opens, creates, reads, writes, bytes_read, bytes_written, renames, deletes, execs,
	    first_ts, last_ts;
};
/* Those that processes with selected alerts changed or executed, but what holds nothing; by time.
 */
MUST_CHECK int rep_files_open(struct rep_case *c, uint64_t limit, struct rep_rows **out,
			      struct error *err);
MUST_CHECK int rep_file_next(struct rep_rows *r, struct rep_file *out, struct error *err);

struct rep_event {					  /* v_timeline, without alerts */
	int64_t ts, capture_id, process_id, pid, evt_num; /* 0: not known; evt_num: of several */
	struct sv kind, hostname, comm, text;
};
/* Of the selected captures and time, in order. */
MUST_CHECK int rep_events_open(struct rep_case *c, uint64_t limit, struct rep_rows **out,
			       struct error *err);
MUST_CHECK int rep_event_next(struct rep_rows *r, struct rep_event *out, struct error *err);

struct rep_gap {
	int64_t capture_id, stream_offset, bytes;
	struct sv path, reason, description;
};
MUST_CHECK int rep_gaps_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_gap_next(struct rep_rows *r, struct rep_gap *out, struct error *err);

struct rep_loss {
	int64_t capture_id, count;
	struct sv path, what, description;
};
MUST_CHECK int rep_losses_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_loss_next(struct rep_rows *r, struct rep_loss *out, struct error *err);

enum rep_said_kind { REP_NOTE, REP_BOOKMARK, REP_VERDICT_GIVEN };

struct rep_said { /* what people say: newest statements, in the order they were made */
	enum rep_said_kind kind;
	int64_t id;
	struct sv written, author;
	struct sv capture_sha256, rule, fingerprint, process_uid; /* what about */
	int64_t evt_offset, ts;
	struct sv verdict, text; /* of a verdict: the reason; of a bookmark: the label */
};
MUST_CHECK int rep_said_open(struct rep_case *c, struct rep_rows **out, struct error *err);
MUST_CHECK int rep_said_next(struct rep_rows *r, struct rep_said *out, struct error *err);

struct rep_timeline {
	int64_t first_ts, width; /* ns; of the first bucket, and of each */
	unsigned count;		 /* of buckets; 0: no alerts */
	uint64_t alerts[REP_BUCKETS_MAX][REP_SEVERITIES];
};
/* Selected alerts in about @buckets parts of round widths. */
MUST_CHECK int rep_timeline_of(struct rep_case *c, unsigned buckets, struct rep_timeline *out,
			       struct error *err);

/* --- texts in rows */

/* ISO 8601, UTC, nine decimals; "-" for 0. */
void rep_time(struct buf *b, int64_t ts);

/*
 * JSON in a row: members of an object, or items of an array, one after the other. What is no valid
 * JSON ends the walk.
 */
enum rep_json_kind {
	REP_JSON_NULL,
	REP_JSON_BOOL,
	REP_JSON_NUMBER,
	REP_JSON_STRING,
	REP_JSON_OTHER
};

struct rep_json {
	struct sv rest;
	bool object, begun, whole;
	struct buf name_text, value_text;
	enum rep_json_kind kind;
	struct sv name;	 /* of a member, decoded; SV_NONE in an array */
	struct sv value; /* a string decoded; a number, true or false as it stands; others as they
			    stand */
};
void rep_json_open(struct rep_json *j, struct sv text);
bool rep_json_next(struct rep_json *j);
/* After the last one: was all of the text valid, and nothing behind it? */
static inline bool rep_json_whole(const struct rep_json *j)
{
	return j->whole;
}
void rep_json_done(struct rep_json *j);
/* The string or number under @name in the object @text, in @scratch. Return: false if there is
 * none. */
bool rep_json_find(struct sv text, const char *name, struct buf *scratch, struct sv *out);

/*
 * MITRE ATT&CK in tags of a rule: techniques such as T1059.004 and tactics such as TA0004, which
 * Falco's rules write as "mitre_privilege_escalation" and Sigma's as "attack.privilege_escalation".
 */
struct rep_attack {
	char technique[REP_TECHNIQUES_MAX][12];
	size_t techniques;
	const struct rep_tactic *tactic[REP_TECHNIQUES_MAX];
	size_t tactics;
};
struct rep_tactic {
	const char *id, *short_name,
	    *name; /* "TA0004", "privilege-escalation", "Privilege Escalation" */
};
extern const struct rep_tactic rep_tactics[]; /* ends with a NULL id */
void rep_attack_of(struct sv tags, struct rep_attack *out);

#endif
