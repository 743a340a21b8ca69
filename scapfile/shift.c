/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/shift.h"

#include <string.h>

#include "base/cursor.h"
#include "scapfile/output.h"

/* ---- which parameters ---- */

/* As the thread's own pid namespace has it. */
static bool is_virtual(const struct ev_param_info *p)
{
	static const char *const names[] = {"vtid", "vpid", "vtgid", "vpgid", "sid"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(p->name, names[i]) == 0)
			return true;
	return false;
}

static bool is_id(const struct ev_param_info *p)
{
	if (p->type == PT_PID || p->type == PT_PID32)
		return !is_virtual(p);
	return p->type == PT_INT64 && strcmp(p->name, "pid") == 0;
}

static struct sf_shift_params params_of(const struct ev_info *info)
{
	struct sf_shift_params s = {0};

	for (unsigned i = 0; i < info->nparams; i++) {
		const struct ev_param_info *p = &info->params[i];

		if (is_id(p))
			s.ids |= 1u << i;
		if (p->type == PT_PID32)
			s.narrow |= 1u << i;
		if (p->type == PT_ABSTIME)
			s.times |= 1u << i;
		if (p->type == PT_UINT64 && strcmp(p->name, "pidns_init_start_ts") == 0)
			s.boot_times |= 1u << i;
	}
	return s;
}

void sf_shift_plan_init(struct sf_shift_plan *p)
{
	/* What callers of setsid and setpgid are told, or say, is of their namespace. */
	static const uint16_t virtual_ids[] = {EV_SETSID_X, EV_SETPGID_E, EV_SETPGID_X};

	for (unsigned type = 0; type < EV_TYPE_COUNT; type++)
		p->events[type] = params_of(&ev_table[type]);
	for (size_t i = 0; i < COUNT_OF(virtual_ids); i++)
		p->events[virtual_ids[i]].ids = 0;
	p->uring = params_of(&ev_uring_info);
	p->hash = params_of(&ev_hash_info);
	p->thread_facts = params_of(&ev_thread_facts_info);
	p->fd_facts = params_of(&ev_fd_facts_info);
}

static const struct sf_shift_params *plan_of(const struct sf_shift_plan *p, unsigned type)
{
	switch (type) {
	case EV_TYPE_URING:
		return &p->uring;
	case EV_TYPE_HASH:
		return &p->hash;
	case EV_TYPE_THREAD_FACTS:
		return &p->thread_facts;
	case EV_TYPE_FD_FACTS:
		return &p->fd_facts;
	default:
		return &p->events[type];
	}
}

/* ---- numbers ---- */

static int64_t shift_id(const struct sf_shift *s, int64_t id)
{
	return id > 0 && id <= INT64_MAX - s->ids ? id + s->ids : id;
}

/* 0 is not known, and the largest number no time; what would leave the range stays. */
static uint64_t shift_time(uint64_t ts, int64_t by)
{
	uint64_t to = ts + (uint64_t)by;

	if (ts == 0 || ts == UINT64_MAX || (by < 0 ? to >= ts : to < ts) || to == UINT64_MAX)
		return ts;
	return to ? to : ts;
}

/* ---- events ---- */

static void patch(const struct sf_shift *s, const struct sf_shift_params *plan, unsigned i,
		  uint8_t *p, uint32_t n)
{
	uint32_t bit = 1u << i;

	if (plan->narrow & bit) {
		if (n == 4 && plan->ids & bit)
			put_u32(p, (uint32_t)shift_id(s, (int32_t)load_u32(p)));
		return;
	}
	if (n != 8)
		return;
	if (plan->ids & bit)
		put_u64(p, (uint64_t)shift_id(s, (int64_t)load_u64(p)));
	else
		put_u64(p, shift_time(load_u64(p), plan->times & bit ? s->ns : s->boot_ns));
}

static int shift_event(struct sf_shift *s, struct ev_item *item, struct error *err)
{
	const struct sf_shift_params *plan = plan_of(s->plan, item->ev->type);
	uint32_t wanted = 0, size;
	struct ev *ev = &s->ev;

	if (s->ids)
		wanted |= plan->ids;
	if (s->ns)
		wanted |= plan->times;
	if (s->boot_ns)
		wanted |= plan->boot_times;
	*ev = *item->ev;
	item->ev = ev;
	ev->tid = shift_id(s, ev->tid);
	ev->ts = shift_time(ev->ts, s->ns);
	if (!wanted || !ev->nparams)
		return 0;
	ev_locate(ev, ev->nparams - 1u);
	size = ev->at[ev->nparams];
	buf_reset(&s->bytes);
	buf_add(&s->bytes, ev->data, size);
	if (s->bytes.failed)
		return error_nomem(err);
	ev->data = (const uint8_t *)s->bytes.p;
	for (unsigned i = 0; i < ev->nparams; i++)
		if (wanted >> i & 1)
			patch(s, plan, i, (uint8_t *)s->bytes.p + ev->at[i],
			      ev->at[i + 1] - ev->at[i]);
	return 0;
}

/* ---- what is in lists ---- */

static void shift_thread(struct sf_shift *s, struct ev_item *item)
{
	struct ev_thread_entry *t = &s->thread;

	*t = *item->thread;
	item->thread = t;
	t->tid = shift_id(s, t->tid);
	t->pid = shift_id(s, t->pid);
	t->ptid = shift_id(s, t->ptid);
	t->pgid = shift_id(s, t->pgid);
	t->pidns_init_start_ts = shift_time(t->pidns_init_start_ts, s->ns);
	t->exe_ino_ctime = shift_time(t->exe_ino_ctime, s->ns);
	t->exe_ino_mtime = shift_time(t->exe_ino_mtime, s->ns);
	t->clone_ts = shift_time(t->clone_ts, s->ns);
}

static void shift_loss(struct sf_shift *s, struct ev_item *item)
{
	s->loss = *item->loss;
	item->loss = &s->loss;
	s->loss.from = shift_time(s->loss.from, s->ns);
	s->loss.to = shift_time(s->loss.to, s->ns);
}

int sf_shift_item(struct sf_shift *s, struct ev_item *item, struct error *err)
{
	switch (item->kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		return shift_event(s, item, err);
	case EV_ITEM_THREAD:
		shift_thread(s, item);
		return 0;
	case EV_ITEM_FD:
		s->fd = *item->fd;
		s->fd.tid = shift_id(s, s->fd.tid);
		item->fd = &s->fd;
		return 0;
	case EV_ITEM_MACHINE:
		s->machine = *item->machine;
		s->machine.boot_ts = shift_time(s->machine.boot_ts, s->ns);
		item->machine = &s->machine;
		return 0;
	case EV_ITEM_LOSS:
		shift_loss(s, item);
		return 0;
	case EV_ITEM_SECTION:
	case EV_ITEM_INTERFACE:
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
	case EV_ITEM_LISTS_RESET:
		return 0;
	}
	return 0;
}

void sf_shift_done(struct sf_shift *s)
{
	buf_done(&s->bytes);
}
