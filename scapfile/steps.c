/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event on its way through the rows of converter.tsv. Its parameters are only pointed to: a
 * chain of many steps moves no bytes. Nothing here changes anything but the event in conversion.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sv.h"
#include "scapfile/converter.h"

const uint8_t conv_defaults[] = {
    [CONV_ZEROS] = 0xff, [CONV_ZEROS + 1] = 0xff, [CONV_ZEROS + 2] = 0xff, [CONV_ZEROS + 3] = 0xff};

bool conv_row_uses_enter(const struct conv_row *row)
{
	const struct conv_source *src = conv_sources + row->first_source;

	for (unsigned i = 0; i < row->nparams_out; i++)
		if (src[i].from == CONV_ENTER_OR_DEFAULT || src[i].from == CONV_ENTER_OR_EMPTY)
			return true;
	return false;
}

/* The value a parameter type takes when nothing is known: see "Default" in the format. */
static struct ev_value default_value(enum ev_ptype type)
{
	if (type == PT_UID || type == PT_GID)
		return (struct ev_value){conv_defaults + CONV_ZEROS, CONV_ID};
	return (struct ev_value){conv_defaults, ev_ptype_width(type)};
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
static struct ev_value container_json(struct conv_work *w)
{
	static const struct ev_value none = {NULL, 0};
	struct sv id, name, image;
	int n;

	w->depends_on_bytes = true;
	if (w->nparams != 4 || w->params[1].n != 4 || !whole_string(w->params[0], &id) ||
	    !whole_string(w->params[2], &name) || !whole_string(w->params[3], &image))
		return none;
	/* All three come from one event of bounded size, so their lengths fit an int. */
	n = snprintf(w->json, CONV_EVENT_MAX,
		     "{\"id\":\"%.*s\",\"type\":%" PRIu32 ",\"name\":\"%.*s\",\"image\":\"%.*s\"}",
		     (int)id.n, id.p, load_u32(w->params[1].p), (int)name.n, name.p, (int)image.n,
		     image.p);
	if (n < 0 || n >= CONV_EVENT_MAX)
		return none;
	return (struct ev_value){(const uint8_t *)w->json, (uint32_t)n + 1};
}

/* The parameter that @src stands for. Return: NULL, or why there is none. */
static const char *resolve(struct conv_work *w, const struct conv_params *enter,
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
		if (enter && src->index >= enter->nparams)
			return "stored enter event with too few parameters";
		if (enter)
			*out = conv_param(enter, src->index);
		else if (src->from == CONV_ENTER_OR_DEFAULT)
			*out = default_value(type);
		break;
	case CONV_DEFAULT:
		*out = default_value(type);
		break;
	case CONV_EMPTY:
		break;
	case CONV_CONTAINER_JSON:
		*out = container_json(w);
		break;
	}
	return NULL;
}

/* The most bytes a parameter of the result may have: longer ones are cut, shorter ones stay as they
 * are. */
static uint32_t width_max(unsigned result, enum ev_ptype type)
{
	unsigned width = ev_ptype_width(type);

	return width ? width : ev_table[result].flags & EF_LARGE_PAYLOAD ? UINT32_MAX : UINT16_MAX;
}

/* Return: NULL, or why it fails. */
static const char *convert_step(struct conv_work *w, const struct conv_row *row)
{
	const struct conv_source *src = conv_sources + row->first_source;
	const struct ev_param_info *info = ev_table[row->result].params;
	const struct conv_params *enter = conv_row_uses_enter(row) && !w->used ? w->enter : NULL;
	struct ev_value params[EV_PARAMS_MAX];
	size_t bytes = 0;

	if (enter && enter->type != w->type - 1)
		return "the enter event stored for the thread is of another type";
	for (unsigned i = 0; i < row->nparams_out; i++) {
		const char *why = resolve(w, enter, &src[i], info[i].type, &params[i]);
		uint32_t most = width_max(row->result, info[i].type);

		if (why)
			return why;
		if (params[i].n > most)
			params[i].n = most;
		bytes += params[i].n;
	}
	if (enter)
		w->used = true;
	memcpy(w->params, params, row->nparams_out * sizeof(params[0]));
	w->type = row->result;
	w->nparams = row->nparams_out;
	w->steps++;
	return conv_event_size(w->type, w->nparams, bytes) > CONV_EVENT_MAX
		   ? "event over 65536 bytes after conversion"
		   : NULL;
}

enum conv_result conv_walk(struct conv_work *w, const char **why)
{
	for (;;) {
		const struct conv_row *row = conv_find_row(w->type, w->nparams);

		*why = "no conversion for this event type and number of parameters";
		if (!row)
			return CONV_ERROR;
		switch ((enum conv_action)row->action) {
		case CONV_PASS:
			return CONV_DELIVER;
		case CONV_STORE:
			w->stores = true;
			return CONV_DROP_STORED;
		case CONV_STORE_AND_PASS:
			w->stores = true;
			return CONV_DELIVER;
		case CONV_ADD_PARAMS:
		case CONV_CHANGE_TYPE:
			break;
		}
		*why = convert_step(w, row);
		if (!*why && w->steps >= CONV_STEPS_MAX)
			*why = "too many conversion steps";
		if (*why)
			return CONV_ERROR;
		switch (conv_judge(w->type, w->nparams)) {
		case CONV_FATE_CONVERT:
			break;
		case CONV_FATE_PASS:
			return CONV_DELIVER;
		case CONV_FATE_DROP:
			return CONV_DROP;
		case CONV_FATE_ERROR:
			*why = "conversion leads to an event with too many parameters";
			return CONV_ERROR;
		}
	}
}
