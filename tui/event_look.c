/* SPDX-License-Identifier: Apache-2.0 */
/* One event with its state. */
#include "tui/data_internal.h"

static int enter(struct tui_data *d, size_t capture, uint64_t num, struct error *err)
{
	const struct tui_file *f = &d->files[capture];
	const struct sf_index *x = f->index;
	size_t chunk = 0;

	if (d->look_capture == capture && tui_walk_is_near(&d->look, x, num))
		return 0;
	if (x)
		chunk = tui_walk_chunk(x, sf_index_find_event(x, num), TUI_TRACK_NONE);
	else if (num > TUI_EVENTS_WITHOUT_INDEX)
		return tui_data_not_yet(d, err);
	d->look_capture = capture;
	return tui_walk_enter(&d->look, f->path, x, chunk, TUI_TRACK_NONE, err);
}

int tui_data_event(struct tui_data *d, uint64_t key,
		   void (*look)(void *arg, const struct state *st, const struct state_binding *b),
		   void *arg, struct error *err)
{
	struct tui_walk *w = &d->look;
	const uint64_t num = tui_key_num(key);
	struct state_binding b;
	int rc = tui_data_readable(d, err);

	if (rc == 0 && !num)
		rc = error_set(err, ERR_USAGE, "events are numbered from 1");
	if (rc == 0)
		rc = enter(d, tui_key_capture(d, key), num, err);
	if (rc == 0)
		rc = tui_walk_event(w, num, &b, err);
	if (rc < 0) {
		tui_walk_done(w);
		return rc;
	}
	if (rc == 0)
		return error_set(err, ERR_USAGE, "there is no event %llu", (unsigned long long)num);
	look(arg, w->state, &b);
	return 0;
}
