/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old events become current ones by the rows of converter.tsv (scap format, "Converting old
 * events"). While an event is in conversion its parameters are only pointed to: a chain of many
 * steps moves no bytes until its result is gathered once.
 */
#include "scapfile/internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

struct conv_stored { /* an enter event, kept for the exit event of its thread */
	struct conv_stored *older, *newer;
	int64_t tid;
	size_t size; /* of this allocation */
	uint16_t type, nparams;
	uint32_t at[]; /* @nparams + 1 offsets, then the parameters */
};

struct conv_work { /* the event in conversion */
	unsigned type, nparams;
	struct ev_value params[EV_PARAMS_MAX];
	struct conv_stored *used; /* already out of the map; its bytes are still pointed to */
};

/* What defaults point to: zeros, or the id that means "none". */
static const uint8_t default_zero[16];
static const uint8_t default_id[4] = {0xff, 0xff, 0xff, 0xff};

static uint8_t *stored_data(struct conv_stored *st)
{
	return (uint8_t *)(st->at + st->nparams + 1);
}

static void unlink_stored(struct converter *c, struct conv_stored *st)
{
	*(st->older ? &st->older->newer : &c->oldest) = st->newer;
	*(st->newer ? &st->newer->older : &c->newest) = st->older;
	c->bytes -= st->size;
}

static void release_stored(struct converter *c, struct conv_stored *st)
{
	if (st)
		pool_release(&c->pool, st, st->size);
}

/* Take the event stored for @tid out of the map; its memory stays the caller's to release. */
static struct conv_stored *take_stored(struct converter *c, int64_t tid)
{
	struct conv_stored *st = map_take(&c->by_tid, (uint64_t)tid);

	if (st)
		unlink_stored(c, st);
	return st;
}

void conv_reset(struct converter *c)
{
	while (c->oldest)
		release_stored(c, take_stored(c, c->oldest->tid));
}

void conv_done(struct converter *c)
{
	map_done(&c->by_tid);
	pool_done(&c->pool);
	c->oldest = c->newest = NULL;
	c->bytes = 0;
}

static size_t params_size(const struct conv_work *w)
{
	size_t sum = 0;

	for (unsigned i = 0; i < w->nparams; i++)
		sum += w->params[i].n;
	return sum;
}

static bool is_wide(unsigned type)
{
	return ev_table[type].flags & EF_LARGE_PAYLOAD;
}

static size_t event_size(const struct conv_work *w)
{
	return SF_HEADER_V2 + (size_t)w->nparams * (is_wide(w->type) ? 4 : 2) + params_size(w);
}

/* Keep a copy of the event for its thread, in place of any earlier one. */
static int store(struct converter *c, const struct conv_work *w, int64_t tid)
{
	size_t size =
	    sizeof(struct conv_stored) + (w->nparams + 1) * sizeof(uint32_t) + params_size(w);
	struct conv_stored *st;
	uint32_t at = 0;
	int rc;

	release_stored(c, take_stored(c, tid));
	while (c->oldest &&
	       (c->by_tid.count >= CONV_STORED_MAX || c->bytes + size > CONV_BYTES_MAX))
		release_stored(c, take_stored(c, c->oldest->tid));
	st = pool_alloc(&c->pool, size);
	if (!st)
		return ERR_NOMEM;
	*st = (struct conv_stored){
	    .tid = tid, .size = size, .type = (uint16_t)w->type, .nparams = (uint16_t)w->nparams};
	for (unsigned i = 0; i < w->nparams; i++) {
		st->at[i] = at;
		if (w->params[i].n)
			memcpy(stored_data(st) + at, w->params[i].p, w->params[i].n);
		at += w->params[i].n;
	}
	st->at[w->nparams] = at;
	rc = map_put(&c->by_tid, (uint64_t)tid, st);
	if (rc < 0) {
		release_stored(c, st);
		return rc;
	}
	st->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = st;
	c->newest = st;
	c->bytes += size;
	return 0;
}

/* ---- checkpoints ---- */

static void save_stored(struct archive *a, struct conv_stored *st)
{
	archive_i64(a, st->tid);
	archive_u64(a, st->type);
	archive_u64(a, st->nparams);
	for (unsigned i = 0; i < st->nparams; i++)
		archive_text(a, sv_make(stored_data(st) + st->at[i], st->at[i + 1] - st->at[i]));
}

static int restore_stored(struct converter *c, struct archive *a)
{
	struct conv_work w = {0};
	int64_t tid = archive_i64(a, 0);
	uint64_t type = archive_u64(a, 0), n = archive_u64(a, 0);

	if (type >= EV_TYPE_COUNT || n > EV_PARAMS_MAX)
		archive_complain(a, "a stored event is of no known type");
	w.type = (unsigned)type;
	for (; !a->trouble && w.nparams < n; w.nparams++) {
		struct sv value = archive_text(a, SV_NONE);

		w.params[w.nparams] =
		    (struct ev_value){(const uint8_t *)value.p, (uint32_t)value.n};
	}
	if (!a->trouble && event_size(&w) > CONV_EVENT_MAX)
		archive_complain(a, "a stored event is too large");
	return a->trouble ? 0 : store(c, &w, tid);
}

int conv_archive(struct converter *c, struct archive *a)
{
	uint64_t n = archive_count(a, c->by_tid.count);
	int rc = 0;

	if (archive_saves(a)) {
		for (struct conv_stored *st = c->oldest; st; st = st->newer)
			save_stored(a, st);
		return 0;
	}
	for (uint64_t i = 0; i < n && !a->trouble && rc >= 0; i++)
		rc = restore_stored(c, a);
	return rc;
}

/* The value a parameter type takes when nothing is known: see "Default" in the format. */
static struct ev_value default_value(enum ev_ptype type)
{
	if (type == PT_UID || type == PT_GID)
		return (struct ev_value){default_id, sizeof(default_id)};
	return (struct ev_value){default_zero, ev_ptype_width(type)};
}

/* A string parameter without its NUL; false if it is not exactly one string. */
static bool whole_string(struct ev_value v, struct sv *out)
{
	*out = sv_make(v.p, v.n ? v.n - 1 : 0);
	return v.n && memchr(v.p, '\0', v.n) == v.p + out->n;
}

/*
 * The old container event's four parameters as the JSON text today's event carries. As in the
 * reference nothing is escaped, and an event that does not fit the pattern gives an empty
 * parameter.
 */
static struct ev_value container_json(struct converter *c, const struct conv_work *w)
{
	static const struct ev_value none = {NULL, 0};
	struct sv id, name, image;
	int n;

	if (w->nparams != 4 || w->params[1].n != 4 || !whole_string(w->params[0], &id) ||
	    !whole_string(w->params[2], &name) || !whole_string(w->params[3], &image))
		return none;
	/* All three come from one event of bounded size, so their lengths fit an int. */
	n = snprintf(c->json, sizeof(c->json),
		     "{\"id\":\"%.*s\",\"type\":%" PRIu32 ",\"name\":\"%.*s\",\"image\":\"%.*s\"}",
		     (int)id.n, id.p, load_u32(w->params[1].p), (int)name.n, name.p, (int)image.n,
		     image.p);
	if (n < 0 || (size_t)n >= sizeof(c->json))
		return none;
	return (struct ev_value){(const uint8_t *)c->json, (uint32_t)n + 1};
}

static bool uses_stored(const struct conv_source *src, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (src[i].from == CONV_ENTER_OR_DEFAULT || src[i].from == CONV_ENTER_OR_EMPTY)
			return true;
	return false;
}

/* The parameter that @src stands for. Return: NULL, or why there is none. */
static const char *resolve(struct converter *c, const struct conv_work *w, struct conv_stored *st,
			   const struct conv_source *src, enum ev_ptype type, struct ev_value *out)
{
	*out = (struct ev_value){NULL, 0};
	switch ((enum conv_from)src->from) {
	case CONV_OLD:
		if (src->index >= w->nparams)
			return "old event with too few parameters";
		*out = w->params[src->index];
		break;
	case CONV_ENTER_OR_DEFAULT:
	case CONV_ENTER_OR_EMPTY:
		if (st && src->index >= st->nparams)
			return "stored enter event with too few parameters";
		if (st)
			*out = (struct ev_value){stored_data(st) + st->at[src->index],
						 st->at[src->index + 1] - st->at[src->index]};
		else if (src->from == CONV_ENTER_OR_DEFAULT)
			*out = default_value(type);
		break;
	case CONV_DEFAULT:
		*out = default_value(type);
		break;
	case CONV_EMPTY:
		break;
	case CONV_CONTAINER_JSON:
		*out = container_json(c, w);
		break;
	}
	return NULL;
}

/* The most bytes a parameter of the result may have: longer ones are cut, shorter ones stay as they
 * are. */
static uint32_t width_max(unsigned result, enum ev_ptype type)
{
	unsigned width = ev_ptype_width(type);

	return width ? width : is_wide(result) ? UINT32_MAX : UINT16_MAX;
}

/* One step of a conversion. Return: NULL, or why it fails. */
static const char *convert_step(struct converter *c, struct conv_work *w,
				const struct conv_row *row, int64_t tid)
{
	const struct conv_source *src = conv_sources + row->first_source;
	const struct ev_param_info *info = ev_table[row->result].params;
	bool uses = uses_stored(src, row->nparams_out);
	struct conv_stored *st = uses ? map_get(&c->by_tid, (uint64_t)tid) : NULL;
	struct ev_value params[EV_PARAMS_MAX];

	if (st && st->type != w->type - 1)
		return "the enter event stored for the thread is of another type";
	for (unsigned i = 0; i < row->nparams_out; i++) {
		const char *why = resolve(c, w, st, &src[i], info[i].type, &params[i]);
		uint32_t most = width_max(row->result, info[i].type);

		if (why)
			return why;
		if (params[i].n > most)
			params[i].n = most;
	}
	if (st) {
		assert(!w->used); /* taken out by an earlier step: nothing was left to find */
		w->used = take_stored(c, tid);
	}
	memcpy(w->params, params, row->nparams_out * sizeof(params[0]));
	w->type = row->result;
	w->nparams = row->nparams_out;
	return event_size(w) > CONV_EVENT_MAX ? "event over 65536 bytes after conversion" : NULL;
}

enum fate { FATE_PASS, FATE_CONVERT, FATE_DROP, FATE_ERROR };

static enum fate judge(unsigned type, unsigned nparams)
{
	const struct ev_info *info = &ev_table[type];
	bool old = info->flags & EF_OLD_VERSION, exit_event = ev_type_is_exit(type);

	if (info->flags & EF_UNUSED)
		return FATE_DROP;
	if (!(info->flags & EF_CONVERTER_MANAGED))
		return !old ? FATE_PASS : exit_event ? FATE_ERROR : FATE_DROP;
	if (!exit_event)
		return FATE_CONVERT;
	if (nparams > info->nparams)
		return FATE_ERROR;
	return old || nparams != info->nparams ? FATE_CONVERT : FATE_PASS;
}

static const struct conv_row *find_row(unsigned type, unsigned nparams)
{
	for (unsigned i = conv_first_row[type]; i < conv_first_row[type + 1]; i++)
		if (conv_rows[i].nparams_in == nparams)
			return &conv_rows[i];
	return NULL;
}

/* Point @w to the parameters of @ev. */
static void start_work(struct conv_work *w, struct ev *ev)
{
	w->type = ev->type;
	w->nparams = ev->nparams;
	w->used = NULL;
	for (unsigned i = 0; i < ev->nparams; i++)
		w->params[i] = ev_param(ev, i);
}

/* Let @ev be the converted event, its bytes gathered in the converter. */
static void finish_work(struct converter *c, const struct conv_work *w, struct ev *ev)
{
	uint32_t at = 0;

	ev->type = (uint16_t)w->type;
	ev->nparams = (uint16_t)w->nparams;
	ev->wide = is_wide(w->type);
	for (unsigned i = 0; i < w->nparams; i++) {
		uint32_t n = w->params[i].n;
		unsigned width = ev->wide ? 4 : 2;

		for (unsigned k = 0; k < width; k++)
			c->lens[i * width + k] = (uint8_t)(n >> (8 * k));
		if (n)
			memcpy(c->data + at, w->params[i].p, n);
		ev->at[i] = at;
		at += n;
	}
	ev->at[w->nparams] = at;
	ev->located = (uint8_t)w->nparams;
	ev->lens = c->lens;
	ev->data = c->data;
}

/* Walk the chain of conversions. Return: enum conv_result, or ERR_NOMEM; *steps: conversions made.
 */
static int convert(struct converter *c, struct conv_work *w, int64_t tid, unsigned *steps,
		   const char **why)
{
	for (*steps = 0;; ++*steps) {
		const struct conv_row *row = find_row(w->type, w->nparams);

		*why = "no conversion for this event type and number of parameters";
		if (!row)
			return CONV_ERROR;
		switch ((enum conv_action)row->action) {
		case CONV_PASS:
			return CONV_DELIVER;
		case CONV_STORE:
			return store(c, w, tid) < 0 ? ERR_NOMEM : CONV_DROP_STORED;
		case CONV_STORE_AND_PASS:
			return store(c, w, tid) < 0 ? ERR_NOMEM : CONV_DELIVER;
		case CONV_ADD_PARAMS:
		case CONV_CHANGE_TYPE:
			break;
		}
		*why = convert_step(c, w, row, tid);
		if (!*why && *steps + 1 >= CONV_STEPS_MAX)
			*why = "too many conversion steps";
		if (*why)
			return CONV_ERROR;
		switch (judge(w->type, w->nparams)) {
		case FATE_CONVERT:
			break;
		case FATE_PASS:
			++*steps;
			return CONV_DELIVER;
		case FATE_DROP:
			return CONV_DROP;
		case FATE_ERROR:
			*why = "conversion leads to an event with too many parameters";
			return CONV_ERROR;
		}
	}
}

int conv_apply(struct converter *c, struct ev *ev, const char **why)
{
	struct conv_work w;
	unsigned steps;
	int rc;

	switch (judge(ev->type, ev->nparams)) {
	case FATE_PASS:
		return CONV_DELIVER;
	case FATE_DROP:
		return CONV_DROP;
	case FATE_ERROR:
		*why = "more parameters than this event type has";
		return CONV_ERROR;
	case FATE_CONVERT:
		break;
	}
	*why = "more parameters than any event type has";
	if (ev->nparams > EV_PARAMS_MAX)
		return CONV_ERROR;
	start_work(&w, ev);
	*why = "event over 65536 bytes";
	if (event_size(&w) > CONV_EVENT_MAX)
		return CONV_ERROR;
	rc = convert(c, &w, ev->tid, &steps, why);
	if (rc == CONV_DELIVER && steps)
		finish_work(c, &w, ev);
	release_stored(c, w.used);
	return rc;
}
