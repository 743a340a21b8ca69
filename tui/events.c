/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways through events: what they look for is compiled once, and each capture they lead through has
 * a part of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tui/events_part.h"

struct tui_events {
	struct tui_data *d;
	size_t capture; /* that it is of, unless it leads through all: then events have keys */
	bool through_all;
	struct tui_events_look look;
	struct tui_events_part **parts; /* by capture; NULL: not needed yet */
	size_t part_count;
	struct tui_events_part *last; /* that was walked in last */
	struct tui_event *out;
};

/* --- opening */

static int add_filter(struct tui_events_look *l, const char *text, struct flt_pos *pos,
		      struct error *err)
{
	struct arena arena = {0};
	struct flt_node *node;
	int rc = flt_parse(sv_of(text), FLT_DEPTH_DEFAULT, &arena, &node, pos, err);

	if (rc == 0)
		rc = flt_program_add(l->program, node, NULL, NULL, &l->filter, pos, err);
	if (rc == 0) {
		l->has_filter = true;
		l->skips = run_skip_of(node, &l->skip) == 0;
	}
	arena_done(&arena);
	return rc;
}

/* What an event does not have is left empty. */
static int add_column(struct tui_events_look *l, const char *text, struct error *err)
{
	struct buf format = {0};
	int rc;

	buf_char(&format, '*');
	buf_str(&format, text);
	rc = format.failed
		 ? error_nomem(err)
		 : flt_format_new(l->program, buf_view(&format), &l->columns[l->column_count], err);
	l->column_count += rc == 0;
	buf_done(&format);
	return rc;
}

static int compile(struct tui_events_look *l, const struct tui_events_options *opt,
		   struct flt_pos *pos, struct error *err)
{
	const struct flt_options flt = {0};
	int rc = flt_program_new(&flt, &l->program, err);

	if (rc == 0 && opt->column_count > TUI_COLUMNS_MAX)
		rc = error_set(err, ERR_USAGE, "%zu columns are too many", opt->column_count);
	if (rc == 0 && opt->filter)
		rc = add_filter(l, opt->filter, pos, err);
	l->columns = calloc(opt->column_count + 1, sizeof(struct flt_format *));
	if (rc == 0 && !l->columns)
		rc = error_nomem(err);
	for (size_t i = 0; rc == 0 && i < opt->column_count; i++)
		rc = add_column(l, opt->columns[i], err);
	return rc < 0 ? rc : flt_program_seal(l->program, err);
}

int tui_events_open(struct tui_data *d, const struct tui_events_options *opt,
		    struct tui_events **out, struct flt_pos *pos, struct error *err)
{
	struct tui_events *e;
	int rc = tui_data_readable(d, err);

	if (rc < 0)
		return rc;
	e = calloc(1, sizeof(*e));
	if (!e)
		return error_nomem(err);
	e->d = d;
	e->capture = d->current;
	e->through_all = d->live && opt->through_all;
	e->look.pid = opt->pid;
	e->out = calloc(TUI_WINDOW_MAX, sizeof(*e->out));
	rc = e->out ? compile(&e->look, opt, pos, err) : error_nomem(err);
	if (rc < 0)
		tui_events_close(e);
	else
		*out = e;
	return rc;
}

static void drop_part(struct tui_events *e, size_t i)
{
	if (!e->parts[i])
		return;
	if (e->last == e->parts[i])
		e->last = NULL;
	tui_events_part_done(e->parts[i]);
	free(e->parts[i]);
	e->parts[i] = NULL;
}

void tui_events_close(struct tui_events *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->part_count; i++)
		drop_part(e, i);
	free(e->parts);
	flt_program_free(e->look.program);
	free(e->look.columns);
	buf_done(&e->look.text);
	free(e->out);
	free(e);
}

/* --- parts */

static bool has_room(struct tui_events *e)
{
	size_t n = e->d->count;
	struct tui_events_part **parts;

	if (n <= e->part_count)
		return true;
	parts = realloc(e->parts, n * sizeof(*parts));
	if (!parts)
		return false;
	for (size_t i = e->part_count; i < n; i++)
		parts[i] = NULL;
	e->parts = parts;
	e->part_count = n;
	return true;
}

/* The part of capture @i. */
static int part_of(struct tui_events *e, size_t i, struct tui_events_part **out, struct error *err)
{
	int rc = 0;

	if (!has_room(e))
		return error_nomem(err);
	if (!e->parts[i]) {
		e->parts[i] = calloc(1, sizeof(**e->parts));
		rc = e->parts[i] ? tui_events_part_init(e->parts[i], e->d, i, &e->look, err)
				 : error_nomem(err);
	}
	if (rc < 0) {
		drop_part(e, i);
		return rc;
	}
	*out = e->parts[i];
	return 0;
}

/* One part at a time has what it takes to walk. */
static void note_walk(struct tui_events *e, struct tui_events_part *part)
{
	if (!part->walk.state || e->last == part)
		return;
	if (e->last)
		tui_events_part_rest(e->last);
	e->last = part;
}

/* What begins is nothing to be read until it has an index. */
static bool is_usable(const struct tui_events *e, size_t i)
{
	return e->d->captures[i].there && (!e->through_all || e->d->captures[i].index);
}

/* The nearest capture that is usable, from @i on or (@back) down; SIZE_MAX: none. */
static size_t nearest(const struct tui_events *e, size_t i, bool back)
{
	while (i < e->d->count && !is_usable(e, i))
		i += back ? SIZE_MAX : 1;
	return i < e->d->count ? i : SIZE_MAX;
}

static size_t beside(const struct tui_events *e, size_t i, bool back)
{
	if (!e->through_all || (back && !i))
		return SIZE_MAX;
	return nearest(e, back ? i - 1 : i + 1, back);
}

/* --- windows */

struct from {		/* a place in the events */
	size_t capture; /* SIZE_MAX: nowhere */
	uint64_t num;
};

/* Parts of captures that are gone go. */
static void drop_gone(struct tui_events *e)
{
	for (size_t i = 0; i < e->part_count; i++)
		if (!e->d->captures[i].there)
			drop_part(e, i);
}

static struct from place_of(const struct tui_events *e, uint64_t key)
{
	struct from at = {e->capture, key};

	if (!e->through_all)
		return at;
	at = (struct from){tui_key_capture(e->d, key), tui_key_num(key)};
	if (key == UINT64_MAX)
		at.capture = nearest(e, at.capture, true);
	else if (key == 0 || !is_usable(e, at.capture))
		at = (struct from){nearest(e, key ? at.capture : 0, false), 1};
	return at;
}

static uint64_t key_of(const struct tui_events *e, size_t capture, uint64_t num)
{
	return e->through_all ? tui_key(capture, num) : num;
}

/* @got rows of capture @capture are added to the @n events in e->out. */
static void add_rows(struct tui_events *e, size_t capture, struct tui_row *const *rows, size_t got,
		     size_t n, bool back)
{
	struct tui_event *to = e->out + (back ? 0 : n);

	if (back)
		memmove(e->out + got, e->out, n * sizeof(*e->out));
	for (size_t i = 0; i < got; i++) {
		to[i] = rows[i]->ev;
		to[i].num = key_of(e, capture, to[i].num);
	}
}

int tui_events_window(struct tui_events *e, uint64_t num, bool back, size_t n, uint64_t deadline_ns,
		      const struct tui_event **out, bool *more, uint64_t *at, struct error *err)
{
	struct from from = place_of(e, num);
	struct tui_row *const *rows;
	struct tui_events_part *part;
	size_t have = 0, next;
	int got;

	if (n > TUI_WINDOW_MAX)
		n = TUI_WINDOW_MAX;
	*out = e->out;
	*more = false;
	*at = num;
	drop_gone(e);
	while (from.capture != SIZE_MAX) {
		got = part_of(e, from.capture, &part, err);
		if (got == 0)
			got = tui_events_part_window(part, from.num, back, n - have, deadline_ns,
						     &rows, more, &from.num, err);
		if (got < 0)
			return got;
		note_walk(e, part);
		add_rows(e, from.capture, rows, (size_t)got, have, back);
		have += (size_t)got;
		*at = key_of(e, from.capture, from.num);
		next = beside(e, from.capture, back);
		if (*more || next == SIZE_MAX)
			break;
		*more = true;
		if (have == n)
			break;
		from = (struct from){next, back ? TUI_KEY_NUM_MAX : 1};
	}
	return (int)have;
}
