/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be known of the selected alert, in a few lines below the list: where its process comes
 * from, what it is about, what was lost near it, its message. Threads: that of the program.
 */
#ifndef TUI_ALERT_PREVIEW_H
#define TUI_ALERT_PREVIEW_H

#include "tui/alert_facts.h"
#include "tui/app.h"

#define TUI_ALERT_FIELDS_MAX 64 /* fields of an output that are shown */
#define TUI_NEAR_NS	     1000000000ull

/* Events and losses within TUI_NEAR_NS of a moment. */
struct tui_near {
	uint64_t ts;
	bool known, hopeless;
	uint64_t events, lost;
	uint64_t distance_ns; /* of the nearest loss ... */
	bool later;	      /* ... which comes behind it */
};
/* Goes on until @deadline_ns. True: there is more to do. */
bool tui_near_work(struct tui_near *n, struct tui_data *d, uint64_t deadline_ns);
/* "212 events within 1s, 1 loss 0.8s earlier (312 events)"; @gap: something was lost. */
void tui_near_text(const struct tui_near *n, struct buf *out, bool *gap);

struct tui_alert_preview { /* zeroed: of no alert */
	struct arena arena;
	struct tui_alert_facts facts; /* .alert_id 0: none */
	struct tui_ancestor chain[TUI_CHAIN_MAX];
	size_t chain_count;
	struct tui_alert_field fields[TUI_ALERT_FIELDS_MAX];
	size_t field_count;
	struct tui_near near;
};
void tui_preview_done(struct tui_alert_preview *p);
/* Be about alert @id (0: none). Return: 0 or ERR_*. */
MUST_CHECK int tui_preview_set(struct tui_alert_preview *p, struct tui_data *d,
			       struct tui_alert_reader *r, int64_t id, struct error *err);
void tui_preview_draw(const struct tui_alert_preview *p, const struct tui_area *a);
/* The line of processes in one line, the last ones if there is no room for all. Return: columns. */
int tui_chain_put(const struct tui_area *a, int y, int x, int width,
		  const struct tui_ancestor *chain, size_t count);

#endif
