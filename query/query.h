/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case: a SQLite database of what was derived from captures, one or many (docs/case-schema.md).
 * The capture stays the evidence; rows point into it by capture, event number and offset. Units:
 * times are nanoseconds since the Unix epoch; offsets are bytes of the uncompressed stream.
 * Threads: a writer is used by one thread and runs one of its own for SQLite, behind a bounded
 * queue; the calls copy what they are given. Durability: WAL, one transaction per batch; a run that
 * is killed leaves a consistent case in which the run is marked unfinished.
 */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include "engine/rules/rules.h"
#include "scapfile/scapfile.h"

#define QRY_SCHEMA_VERSION 3
#define QRY_CACHE_KIB	   "65536" /* of pages, for who writes: indexes of large cases are all over */
#define QRY_QUEUE_BYTES                                                                            \
	(8u << 20) /* queued rows waiting for SQLite; a full queue makes the caller wait */
/* A transaction ends after so many rows, if it has lasted so long, and at the latest with those
 * that come with so many. */
#define QRY_BATCH_LEAST 4096
#define QRY_BATCH_MS	1000
#define QRY_BATCH_ROWS	65536
#define QRY_BATCH_PAUSE 4096 /* when nothing else is to be done */

struct qry_writer;

struct qry_run {	      /* one invocation over one or several captures */
	const char *version;  /* of the program */
	const char *command;  /* as typed, quoted for a shell */
	const char *matching; /* "first" or "all" */
	uint64_t started_ts;  /* wall clock */
};

/*
 * Make SQLite cheaper for the whole program: without counting its memory, which takes a lock per
 * allocation. Optional; call it once, before any thread and anything else that uses SQLite.
 */
void qry_setup(void);
/**
 * qry_writer_open() - create a case or add to an existing one
 * A new one is set up by the writer's own thread: what fails then (a full disk), the calls below
 * return. Return: 0, ERR_DB (not a case, newer schema, locked, read-only), ERR_IO, ERR_NOMEM.
 */
MUST_CHECK int qry_writer_open(const char *path, const struct qry_run *run, struct qry_writer **out,
			       struct error *err);
/*
 * Every call below returns 0 or the first failure the writer met (ERR_DB with SQLite's message;
 * disk full: ERR_IO): the caller should stop then. What was committed before stays.
 */
MUST_CHECK int qry_add_rule_file(struct qry_writer *w, const struct rule_result *r,
				 struct error *err);
MUST_CHECK int qry_add_rule(struct qry_writer *w, const struct rule *r, struct error *err);

#define QRY_QUICK_ID_SIZE 88
/*
 * Size and ends of the file, as captures.quick_id has them: tells before it is read whether a case
 * knows it. Into @out; none if it cannot be read or is no regular file.
 */
struct sv qry_quick_id(const char *path, char out[QRY_QUICK_ID_SIZE]);

/*
 * Start of one capture; the rows that follow belong to it. Same file again (by SHA-256): its older
 * rows stay, of another run; but what a run left that was killed meanwhile is replaced.
 */
MUST_CHECK int qry_capture_begin(struct qry_writer *w, const char *path, struct error *err);

struct qry_alert {
	const struct rule *rule;
	uint64_t ts, evt_num, evt_offset;
	int64_t tid, pid;
	uint64_t process_key; /* qry_process.key of a process that was started, 0: not known */
	struct sv source;
	struct sv output;	 /* the text line's message: without time and priority */
	struct sv output_fields; /* JSON object */
};
MUST_CHECK int qry_add_alert(struct qry_writer *w, const struct qry_alert *a, struct error *err);

enum qry_process_origin { QRY_FROM_LIST, QRY_FROM_CLONE, QRY_FROM_EXEC, QRY_PLACEHOLDER };

#define QRY_PROCESS_KEY_MAX UINT32_MAX

struct qry_process {	     /* one process (thread group), from appearance to removal */
	uint64_t key;	     /* unique within the capture of this run, 1 to QRY_PROCESS_KEY_MAX */
	uint64_t parent_key; /* 0: not known; it may be started later */
	int64_t pid, ppid, vpid, sid;
	enum qry_process_origin origin;
	uint64_t start_ts;  /* 0: before the capture */
	uint64_t start_evt; /* event number, 0: initial list */
	uint64_t clone_ts;  /* as the initial list has it, 0: not known */
	struct sv comm, exe, exepath, cmdline, cwd, container_id;
	uint32_t uid, gid, loginuid, tty;
};
MUST_CHECK int qry_process_start(struct qry_writer *w, const struct qry_process *p,
				 struct error *err);

struct qry_exec { /* one successful exec; @index counts from 1 per process */
	uint64_t process_key;
	uint32_t index;
	uint64_t ts, evt_num, evt_offset;
	struct sv comm, exe, exepath, cmdline, cwd;
	struct sv args; /* JSON array of strings: argv without argv[0] */
	uint32_t uid;
	bool exe_writable, exe_upper_layer, exe_from_memfd;
};
MUST_CHECK int qry_process_exec(struct qry_writer *w, const struct qry_exec *x, struct error *err);
/* @status: raw wait(2) status, or -1 when not recorded. @ts 0: vanished without an exit event. */
MUST_CHECK int qry_process_end(struct qry_writer *w, uint64_t key, uint64_t ts, uint64_t evt_num,
			       int64_t status, struct error *err);

struct qry_capture_end {
	const struct sf_stats *stats;
	const struct sf_gap *gaps;
	size_t gap_count;
	struct sv hostname;
	uint32_t num_cpus;
	uint64_t boot_ts, first_ts, last_ts;
	uint64_t events;  /* counted ones */
	uint64_t lost;	  /* events the recorder says it lost */
	bool interrupted; /* stopped before the end on request or by an error */
};
MUST_CHECK int qry_capture_end(struct qry_writer *w, const struct qry_capture_end *e,
			       struct error *err);

/* Wait until everything given so far is committed and thus visible to other connections. */
MUST_CHECK int qry_writer_flush(struct qry_writer *w, struct error *err);
/*
 * Flush, mark the run finished with @exit_status and close. On failure everything committed stays;
 * the writer is freed in any case. @w may be NULL.
 */
MUST_CHECK int qry_writer_close(struct qry_writer *w, int exit_status, struct error *err);
/* Close without marking the run finished. */
void qry_writer_abort(struct qry_writer *w);

#endif
