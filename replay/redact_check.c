/* SPDX-License-Identifier: Apache-2.0 */
/* A last look: is there anything left of what is hidden everywhere? */
#include "replay/redact_internal.h"

#define AF_UNIX_   1
#define SUN_PATH   1  /* of a socket address: its family comes first */
#define TUPLE_PATH 17 /* of a tuple: and two kernel addresses */

bool redact_find(const struct redact *r, const void *p, size_t n)
{
	for (size_t i = 0; i + REDACT_WORD_MIN <= n; i++)
		if (redact_match_at(&r->match, p, n, i))
			return true;
	return false;
}

/* Numbers have fewer bytes, and zeros. */
static bool is_no_number(struct sv text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((uint8_t)text.p[i] < ' ')
			return false;
	return text.n >= REDACT_VALUE_MIN;
}

bool redact_find_long(const struct redact *r, const void *p, size_t n)
{
	for (size_t i = 0; i + REDACT_VALUE_MIN <= n; i++) {
		const struct redact_text *t = redact_match_at(&r->match, p, n, i);

		while (t && !is_no_number(t->text))
			t = redact_match_below(&r->match, p, n, i, t->text.n);
		if (t)
			return true;
	}
	return false;
}

static bool find_in(const struct redact *r, struct sv s)
{
	return redact_find(r, s.p, s.n);
}

static bool in_thread(const struct redact *r, const struct ev_thread_entry *t)
{
	return find_in(r, t->comm) || find_in(r, t->exe) || find_in(r, t->exepath) ||
	       find_in(r, t->cwd) || find_in(r, t->root) || find_in(r, t->args) ||
	       find_in(r, t->env) || find_in(r, t->cgroups);
}

/* Bytes of a parameter before its text; of one that is no text: all of them. */
static size_t text_start(const struct ev *ev, const struct ev_param_info *p, struct ev_value v)
{
	unsigned type = p->type;

	if (type == PT_SOCKADDR)
		return v.p[0] == AF_UNIX_ ? SUN_PATH : v.n;
	if (type == PT_SOCKTUPLE)
		return v.p[0] == AF_UNIX_ ? TUPLE_PATH : v.n;
	if (type == PT_DYN)
		return v.p[0] < p->dyn_count && ev_ptype_width(p->dyn[v.p[0]].type) ? v.n : 1;
	if (type == PT_BYTEBUF && ev->type == EV_TYPE_HASH) /* a digest */
		return v.n;
	return type == PT_FDLIST || ev_ptype_width(type) ? v.n : 0;
}

static bool in_event(const struct redact *r, struct ev *ev)
{
	const struct ev_info *own = ev_own_info(ev->type);
	const struct ev_info *info = own ? own : ev_info(ev);

	for (unsigned i = 0; i < ev->nparams && i < info->nparams; i++) {
		struct ev_value v = ev_param(ev, i);
		size_t start = v.n ? text_start(ev, &info->params[i], v) : 0;

		if (start < v.n && redact_find(r, v.p + start, v.n - start))
			return true;
	}
	return false;
}

bool redact_is_left(const struct redact *r, const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		return in_event(r, item->ev);
	case EV_ITEM_THREAD:
		return in_thread(r, item->thread);
	case EV_ITEM_FD:
		return find_in(r, item->fd->name);
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
		return find_in(r, item->user->name) || find_in(r, item->user->home) ||
		       find_in(r, item->user->shell);
	case EV_ITEM_MACHINE:
		return find_in(r, item->machine->hostname);
	case EV_ITEM_INTERFACE:
		return find_in(r, item->interface->name);
	case EV_ITEM_SECTION:
	case EV_ITEM_LISTS_RESET:
	case EV_ITEM_LOSS:
		break;
	}
	return false;
}
