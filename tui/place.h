/* SPDX-License-Identifier: Apache-2.0 */
/* Which event of the current capture stands at an offset: notes name their events so. Threads: that
 * of the program. */
#ifndef TUI_PLACE_H
#define TUI_PLACE_H

#include "tui/data.h"

struct tui_place_search { /* zeroed but @done: none goes on */
	struct tui_events *events;
	uint64_t offset, at;
	bool done;
	uint64_t num, ts; /* of the event found; 0: there is none */
};

/* False: it cannot be looked for, as there is no index. */
bool tui_place_begin(struct tui_place_search *s, struct tui_data *d, uint64_t offset);
/* Goes on until @deadline_ns. True: it is over. */
bool tui_place_work(struct tui_place_search *s, uint64_t deadline_ns);
void tui_place_end(struct tui_place_search *s);

#endif
