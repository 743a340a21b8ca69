/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events around an alert: of the line of processes it comes from and of the file it is about, of
 * its process, of its descriptor, or all; with the places where events were lost. Threads: that of
 * the program.
 */
#ifndef TUI_ALERT_EVIDENCE_H
#define TUI_ALERT_EVIDENCE_H

#include "tui/alert_preview.h"
#include "tui/table.h"

enum tui_around {
	TUI_AROUND_CHAIN,
	TUI_AROUND_PROCESS,
	TUI_AROUND_FD,
	TUI_AROUND_ALL,
	TUI_AROUNDS
};
extern const char *const tui_around_names[TUI_AROUNDS];

#define TUI_EVIDENCE_LEAST 10 /* events on each side */
#define TUI_EVIDENCE_MAX   640

struct tui_evidence_row {
	uint64_t num, ts;
	int64_t tid;
	const char *type;
	struct sv proc, info;
	uint64_t lost; /* not an event: so many were lost about then */
	bool failed;
};

struct tui_evidence {
	struct tui_app *app;
	struct tui_data *d;
	const struct tui_alert_preview *about;
	enum tui_around around;
	size_t each; /* events on each side */
	struct tui_events *events;
	struct buf filter;
	struct tui_evidence_row *rows;
	size_t count, before; /* @before of them in front of the alert's event */
	struct arena texts;
	bool has_before, has_after, has_losses;
	int height;	      /* of the table when it was drawn: to put the alert in its middle */
	struct error trouble; /* why there are none */
	struct tui_list list;
	struct tui_table *table;
};

MUST_CHECK int tui_evidence_init(struct tui_evidence *e, struct tui_app *app,
				 const struct tui_alert_preview *about, struct error *err);
void tui_evidence_done(struct tui_evidence *e);
/* Other events, or more of them. What cannot be had is in @trouble. */
void tui_evidence_begin(struct tui_evidence *e, enum tui_around around, size_t each);
/* Goes on until @deadline_ns. True: there is more to do. */
bool tui_evidence_work(struct tui_evidence *e, uint64_t deadline_ns);
bool tui_evidence_is_done(const struct tui_evidence *e);
/* Can there be such events of this alert? */
bool tui_evidence_has(const struct tui_evidence *e, enum tui_around around);

#endif
