/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the export share. For export*.c only. */
#ifndef ENGINE_STATE_EXPORTING_H
#define ENGINE_STATE_EXPORTING_H

#include "engine/state/export.h"
#include "engine/state/internal.h"

struct exporter {
	const struct state *st;
	const struct state_export *x;
	const struct state_thread **threads; /* those wanted, by id */
	size_t count;
	int (*put)(void *arg, const struct ev_item *item, struct error *err);
	void *put_arg;
	struct state *copy; /* made of the lists: what they could not say is told after them */
	struct ev_build build;
	struct buf text;
	struct error *err;
};

/* Everything behind the lists that is told by events but facts. Return: 0 or ERR_*. */
int export_events(struct exporter *e);
/* Give the event that was built. */
int export_built(struct exporter *e, enum ev_item_kind kind);

#endif
