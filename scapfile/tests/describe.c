/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/tests/describe.h"

#include <inttypes.h>

static void text(struct buf *out, const char *name, struct sv s)
{
	buf_addf(out, " %s=", name);
	for (size_t i = 0; i < s.n; i++)
		buf_char(out, s.p[i] ? s.p[i] : '~');
}

static void address(struct buf *out, const char *name, const uint8_t *a, size_t n)
{
	buf_addf(out, " %s=", name);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%02x", a[i]);
}

static void describe_event(struct buf *out, struct ev *ev)
{
	buf_addf(out, "event %u ts=%" PRIu64 " tid=%" PRId64 " cpu=%d", ev->type, ev->ts, ev->tid,
		 ev->cpu);
	if (ev->block_flags)
		buf_addf(out, " flags=%u", ev->block_flags);
	for (unsigned i = 0; i < ev->nparams; i++) {
		struct ev_value v = ev_param(ev, i);

		buf_char(out, ' ');
		for (unsigned k = 0; k < v.n && k < 40; k++)
			buf_addf(out, "%02x", v.p[k]);
		if (v.n > 40)
			buf_addf(out, "..%u", v.n);
		if (v.n == 0)
			buf_char(out, '-');
	}
}

static void describe_fd(struct buf *out, const struct ev_fd_entry *fd)
{
	buf_addf(out, "fd tid=%" PRId64 " fd=%" PRId64 " ino=%" PRIu64 " type=%d", fd->tid, fd->fd,
		 fd->ino, fd->type);
	text(out, "name", fd->name);
	if (fd->openflags || fd->dev)
		buf_addf(out, " flags=%u dev=%u", fd->openflags, fd->dev);
	if (fd->type >= EV_FD_IPV4_SOCK && fd->type <= EV_FD_IPV6_SERVSOCK) {
		address(out, "sip", fd->sip, 16);
		address(out, "dip", fd->dip, 16);
		buf_addf(out, " sport=%u dport=%u l4=%u", fd->sport, fd->dport, fd->l4proto);
	}
	if (fd->type == EV_FD_UNIX_SOCK)
		buf_addf(out, " source=%" PRIu64 " dest=%" PRIu64, fd->unix_source, fd->unix_dest);
}

static void describe_interface(struct buf *out, const struct ev_interface *i)
{
	buf_addf(out, "interface %s", i->ipv6 ? "v6" : "v4");
	text(out, "name", i->name);
	address(out, "addr", i->addr, i->ipv6 ? 16 : 4);
	address(out, "mask", i->netmask, i->ipv6 ? 16 : 4);
	address(out, "bcast", i->bcast, i->ipv6 ? 16 : 4);
	buf_addf(out, " speed=%" PRIu64, i->linkspeed);
}

static void describe_loss(struct buf *out, const struct ev_loss *l)
{
	buf_addf(out, "loss cpu=%d reason=%u count=%" PRIu64 " from=%" PRIu64 " to=%" PRIu64,
		 l->cpu, l->reason, l->count, l->from, l->to);
	for (unsigned i = 0; i < l->nkinds; i++)
		buf_addf(out, " %u:%" PRIu64, l->kinds[i].type, l->kinds[i].count);
}

void describe_item(struct buf *out, const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_EVENT:
	case EV_ITEM_URING:
	case EV_ITEM_HASH:
	case EV_ITEM_FACTS:
		describe_event(out, item->ev);
		break;
	case EV_ITEM_SECTION:
		buf_addf(out, "section @%" PRIu64, item->offset);
		break;
	case EV_ITEM_MACHINE:
		buf_addf(out, "machine cpus=%u mem=%" PRIu64 " maxpid=%" PRIu64 " boot=%" PRIu64,
			 item->machine->num_cpus, item->machine->memory_bytes,
			 item->machine->max_pid, item->machine->boot_ts);
		text(out, "host", item->machine->hostname);
		break;
	case EV_ITEM_THREAD:
		buf_addf(out, "thread tid=%" PRId64, item->thread->tid);
		text(out, "comm", item->thread->comm);
		text(out, "args", item->thread->args);
		text(out, "env", item->thread->env);
		text(out, "cgroups", item->thread->cgroups);
		break;
	case EV_ITEM_FD:
		describe_fd(out, item->fd);
		break;
	case EV_ITEM_INTERFACE:
		describe_interface(out, item->interface);
		break;
	case EV_ITEM_USER:
		buf_addf(out, "user %u:%u", item->user->uid, item->user->gid);
		text(out, "name", item->user->name);
		text(out, "home", item->user->home);
		text(out, "shell", item->user->shell);
		break;
	case EV_ITEM_GROUP:
		buf_addf(out, "group %u", item->user->gid);
		text(out, "name", item->user->name);
		break;
	case EV_ITEM_LOSS:
		describe_loss(out, item->loss);
		break;
	case EV_ITEM_LISTS_RESET:
		buf_addf(out, "reset %s", item->list == EV_LIST_USERS ? "users" : "interfaces");
		break;
	}
	buf_char(out, '\n');
}

static void describe_gaps(struct buf *out, const struct sf_reader *r)
{
	size_t n;
	const struct sf_gap *gaps = sf_reader_gaps(r, &n);

	for (size_t i = 0; i < n; i++)
		buf_addf(out, "gap %s @%" PRIu64 "+%" PRIu64 "\n",
			 sf_gap_reason_name(gaps[i].reason), gaps[i].offset, gaps[i].bytes);
}

void describe_capture(struct buf *out, const void *p, size_t n, const struct sf_options *opt)
{
	struct sf_reader *r = NULL;
	struct ev_item item;
	struct error err;
	int rc = sf_reader_open_memory(p, n, opt, &r, &err);

	while (rc >= 0 && (rc = ev_source_next(sf_reader_source(r), &item, &err)) > 0)
		describe_item(out, &item);
	if (r)
		describe_gaps(out, r);
	if (rc < 0)
		buf_addf(out, "error %d %s\n", err.code, err.msg);
	sf_reader_close(r);
}
