/* SPDX-License-Identifier: Apache-2.0 */
/* The synthetic source: items a test has put together, delivered like those of a capture. */
#include "scapfile/source.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"

struct ev_synth {
	struct ev_source source;
	struct arena arena; /* everything the items point to */
	struct ev_item *items;
	size_t count, cap, at;
	struct buf lens, data; /* of the event being built */
	struct ev building;
	int failed; /* ERR_* of the event being built, or 0 */
};

static int synth_next(struct ev_source *source, struct ev_item *item, struct error *err)
{
	struct ev_synth *s = CONTAINER_OF(source, struct ev_synth, source);

	(void)err;
	if (s->at == s->count)
		return 0;
	*item = s->items[s->at++];
	return 1;
}

static void synth_close(struct ev_source *source)
{
	struct ev_synth *s = CONTAINER_OF(source, struct ev_synth, source);

	buf_done(&s->lens);
	buf_done(&s->data);
	arena_done(&s->arena);
	free(s->items);
	free(s);
}

static const struct ev_source_ops synth_ops = {.next = synth_next, .close = synth_close};

struct ev_synth *ev_synth_new(void)
{
	struct ev_synth *s = calloc(1, sizeof(*s));

	if (s)
		s->source.ops = &synth_ops;
	return s;
}

struct ev_source *ev_synth_source(struct ev_synth *s)
{
	return &s->source;
}

static void *copy_bytes(struct ev_synth *s, const void *p, size_t n)
{
	void *copy = arena_alloc(&s->arena, n ? n : 1);

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

/* Replace *@text by a copy that lives as long as the synth. */
static bool own_text(struct ev_synth *s, struct sv *text)
{
	if (text->p)
		*text = arena_sv(&s->arena, *text);
	return text->p || text->n == 0;
}

static size_t lens_size(const struct ev *ev)
{
	return (size_t)ev->nparams * (ev->wide ? 4 : 2);
}

static size_t data_size(const struct ev *ev)
{
	size_t sum = 0;

	for (size_t i = 0; i < ev->nparams; i++)
		sum += ev->wide ? load_u32(ev->lens + 4 * i) : load_u16(ev->lens + 2 * i);
	return sum;
}

static bool own_event(struct ev_synth *s, struct ev_item *item)
{
	struct ev *ev = copy_bytes(s, item->ev, sizeof(*ev));

	if (!ev)
		return false;
	ev->lens = copy_bytes(s, ev->lens, lens_size(ev));
	ev->data = copy_bytes(s, ev->data, ev->lens ? data_size(ev) : 0);
	ev->located = 0;
	item->ev = ev;
	return ev->lens && ev->data;
}

static bool own_thread(struct ev_synth *s, struct ev_item *item)
{
	struct ev_thread_entry *t = copy_bytes(s, item->thread, sizeof(*t));

	item->thread = t;
	return t && own_text(s, &t->comm) && own_text(s, &t->exe) && own_text(s, &t->exepath) &&
	       own_text(s, &t->cwd) && own_text(s, &t->root) && own_text(s, &t->args) &&
	       own_text(s, &t->env) && own_text(s, &t->cgroups);
}

static bool own_user(struct ev_synth *s, struct ev_item *item)
{
	struct ev_user *u = copy_bytes(s, item->user, sizeof(*u));

	item->user = u;
	return u && own_text(s, &u->name) && own_text(s, &u->home) && own_text(s, &u->shell);
}

static bool own_loss(struct ev_synth *s, struct ev_item *item)
{
	struct ev_loss *loss = copy_bytes(s, item->loss, sizeof(*loss));

	item->loss = loss;
	if (!loss || !loss->nkinds)
		return loss;
	loss->kinds = copy_bytes(s, loss->kinds, loss->nkinds * sizeof(*loss->kinds));
	return loss->kinds;
}

/* Let @item point to copies of what it points to. Return: false when out of memory. */
static bool own_item(struct ev_synth *s, struct ev_item *item)
{
	struct ev_interface *interface;
	struct ev_machine *machine;
	struct ev_fd_entry *fd;

	switch (item->kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		return own_event(s, item);
	case EV_ITEM_THREAD:
		return own_thread(s, item);
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
		return own_user(s, item);
	case EV_ITEM_MACHINE:
		item->machine = machine = copy_bytes(s, item->machine, sizeof(*machine));
		return machine && own_text(s, &machine->hostname);
	case EV_ITEM_FD:
		item->fd = fd = copy_bytes(s, item->fd, sizeof(*fd));
		return fd && own_text(s, &fd->name);
	case EV_ITEM_INTERFACE:
		item->interface = interface = copy_bytes(s, item->interface, sizeof(*interface));
		return interface && own_text(s, &interface->name);
	case EV_ITEM_LOSS:
		return own_loss(s, item);
	case EV_ITEM_SECTION:
	case EV_ITEM_LISTS_RESET:
		return true;
	}
	return true;
}

int ev_synth_add(struct ev_synth *s, const struct ev_item *item)
{
	struct ev_item own = *item;

	if (s->count == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct ev_item *items = realloc(s->items, cap * sizeof(*items));

		if (!items)
			return ERR_NOMEM;
		s->items = items;
		s->cap = cap;
	}
	if (!own_item(s, &own))
		return ERR_NOMEM;
	s->items[s->count++] = own;
	return 0;
}

void ev_synth_begin(struct ev_synth *s, unsigned type, uint64_t ts, int64_t tid)
{
	s->building = (struct ev){.ts = ts, .tid = tid, .type = (uint16_t)type};
	buf_reset(&s->lens);
	buf_reset(&s->data);
	s->failed = type < EV_TYPE_COUNT ? 0 : ERR_USAGE;
	if (!s->failed)
		s->building.wide = ev_table[type].flags & EF_LARGE_PAYLOAD;
}

/* Append @v as @width little-endian bytes. */
static void add_number(struct buf *b, uint64_t v, unsigned width)
{
	for (; width; width--, v >>= 8)
		buf_char(b, (char)(v & 0xff));
}

void ev_synth_bytes(struct ev_synth *s, const void *p, size_t n)
{
	struct ev *ev = &s->building;

	if (s->failed)
		return;
	if (ev->nparams >= ev_table[ev->type].nparams || n > (ev->wide ? UINT32_MAX : UINT16_MAX)) {
		s->failed = ERR_USAGE;
		return;
	}
	add_number(&s->lens, n, ev->wide ? 4 : 2);
	if (n)
		buf_add(&s->data, p, n);
	ev->nparams++;
}

void ev_synth_int(struct ev_synth *s, int64_t value)
{
	const struct ev *ev = &s->building;
	uint8_t bytes[8];
	unsigned width;

	if (s->failed)
		return;
	if (ev->nparams >= ev_table[ev->type].nparams) {
		s->failed = ERR_USAGE;
		return;
	}
	width = ev_ptype_width(ev_table[ev->type].params[ev->nparams].type);
	if (width == 0 || width > sizeof(bytes))
		width = sizeof(bytes);
	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
	ev_synth_bytes(s, bytes, width);
}

void ev_synth_str(struct ev_synth *s, const char *text)
{
	ev_synth_bytes(s, text, strlen(text) + 1);
}

void ev_synth_empty(struct ev_synth *s)
{
	ev_synth_bytes(s, NULL, 0);
}

int ev_synth_end(struct ev_synth *s)
{
	struct ev_item item = {.kind = EV_ITEM_EVENT, .ev = &s->building};

	if (s->failed)
		return s->failed;
	if (s->lens.failed || s->data.failed)
		return ERR_NOMEM;
	s->building.lens = (const uint8_t *)s->lens.p;
	s->building.data = (const uint8_t *)s->data.p;
	return ev_synth_add(s, &item);
}
