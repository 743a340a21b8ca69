/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One alert with what a case knows around it: who, what, the line of processes it comes from.
 * Ownership: texts live in the arena they were asked for with. Threads: that of the program.
 */
#ifndef TUI_ALERT_FACTS_H
#define TUI_ALERT_FACTS_H

#include "tui/case_sql.h"

#define TUI_CHAIN_MAX 32 /* processes of a line; older ones are left out */

struct tui_alert_facts {
	int64_t alert_id, rule_id, capture_id, fingerprint;
	int64_t process_id, pid; /* 0, -1: not known */
	uint64_t ts, num, offset;
	int severity;
	bool noted; /* verdict or note */
	struct sv rule, output, fields, comm, exepath, cmdline, container, hostname, verdict, tags,
	    digest, capture;
	struct sv user, login; /* names, else numbers; none: not known */
	struct sv what;	       /* the file, connection or command it is about */
};

struct tui_alert_reader;
MUST_CHECK int tui_alert_reader_new(struct tui_data *d, struct tui_alert_reader **out,
				    struct error *err);
void tui_alert_reader_free(struct tui_alert_reader *r); /* NULL is fine */
/* Return: 0, ERR_USAGE (there is no such alert), ERR_*. */
MUST_CHECK int tui_alert_read(struct tui_alert_reader *r, int64_t alert_id, struct arena *arena,
			      struct tui_alert_facts *out, struct error *err);
/* "root (amy)": who it is, and who logged in if that is somebody else. */
void tui_alert_who(const struct tui_alert_facts *f, struct buf *out);

/* ["a","b"] as "a b". */
void tui_tags_text(struct sv tags, struct buf *out);

struct tui_ancestor {
	int64_t process_id, pid;
	struct sv comm; /* at the moment of the alert */
};
/* From the oldest to the process itself. Return: 0 or ERR_*. */
MUST_CHECK int tui_alert_chain(struct tui_data *d, const struct tui_alert_facts *f,
			       struct arena *arena, struct tui_ancestor out[TUI_CHAIN_MAX],
			       size_t *count, struct error *err);
/* "sshd(811)>bash(2210)>kd(2240)*" */
void tui_chain_text(const struct tui_ancestor *chain, size_t count, struct buf *out);

/* Members of output_fields in their order: name, value as text; for (n = 0; ...) up to @most.
 * Return: how many, or ERR_*. */
struct tui_alert_field {
	struct sv name, value;
};
MUST_CHECK int tui_alert_fields(struct tui_data *d, struct sv fields, struct arena *arena,
				struct tui_alert_field *out, size_t most, size_t *count,
				struct error *err);

#endif
