/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state/export.h"

#include <stdlib.h>
#include <string.h>

#include "engine/state/exporting.h"

static int put(struct exporter *e, const struct ev_item *item)
{
	return e->put(e->put_arg, item, e->err);
}

int export_built(struct exporter *e, enum ev_item_kind kind)
{
	int rc = ev_build_end(&e->build, e->err);

	return rc < 0 ? rc : put(e, &(struct ev_item){.kind = kind, .ev = &e->build.ev});
}

/* --- machine, interfaces, users --- */

static int machine(struct exporter *e)
{
	const struct state_machine *m = &e->st->machine;
	const struct ev_machine out = {
	    .num_cpus = m->num_cpus,
	    .memory_bytes = m->memory_bytes,
	    .max_pid = m->max_pid,
	    .hostname = state_sv(m->hostname),
	    .boot_ts = m->boot_ts,
	};

	return m->known ? put(e, &(struct ev_item){.kind = EV_ITEM_MACHINE, .machine = &out}) : 0;
}

static int interfaces(struct exporter *e, const struct state_interfaces *list, bool ipv6)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < list->count; i++) {
		const struct state_interface *from = &list->list[i];
		struct ev_interface out = {
		    .ipv6 = ipv6, .name = state_sv(from->name), .linkspeed = from->linkspeed};

		memcpy(out.addr, from->addr, sizeof(out.addr));
		memcpy(out.netmask, from->netmask, sizeof(out.netmask));
		memcpy(out.bcast, from->bcast, sizeof(out.bcast));
		rc = put(e, &(struct ev_item){.kind = EV_ITEM_INTERFACE, .interface = &out});
	}
	return rc;
}

static int users(struct exporter *e, const struct map *m, enum ev_item_kind kind)
{
	struct map_slot *all = map_sorted(m);
	int rc = all || !m->count ? 0 : error_nomem(e->err);

	for (uint64_t i = 0; rc == 0 && i < m->count; i++) {
		const struct state_user *u = all[i].value;
		const struct ev_user out = {
		    .uid = u->id,
		    .gid = kind == EV_ITEM_GROUP ? u->id : u->gid,
		    .name = state_sv(u->name),
		    .home = state_sv(u->home),
		    .shell = state_sv(u->shell),
		};

		if (u->name) /* lists have no place for others */
			rc = put(e, &(struct ev_item){.kind = kind, .user = &out});
	}
	free(all);
	return rc;
}

/* --- threads --- */

/* Lists hold threads of processes; others are known by their number only. */
static bool is_listable(const struct state_thread *t)
{
	return t->tid > 0 && t->pid > 0;
}

static enum state_part part_of(const struct exporter *e, const struct state_thread *t)
{
	return e->x->part ? e->x->part(e->x->arg, t) : STATE_PART_ALL;
}

static struct sv strings_of(const struct state_list *l)
{
	return l->block ? sv_make(l->block->text, l->block->len + 1u) : SV_NONE;
}

/* Paths in lists begin at the root. */
static struct sv path_of(struct sv path)
{
	return (path.n && path.p[0] == '/') || sv_is(path, "<NA>") ? path : SV_NONE;
}

static uint32_t known_bits(const char *set)
{
	const struct ev_flag *f = ev_flag_set(set);
	uint32_t all = 0;

	for (; f && f->name; f++)
		all |= f->value;
	return all;
}

/* Events tell it since the start of the machine, lists since 1970. */
static uint64_t time_of_pidns(const struct state *st, const struct state_thread *t)
{
	uint64_t ts = t->pidns_init_start_ts;

	return ts && ts < st->machine.boot_ts ? ts + st->machine.boot_ts : ts;
}

static void set_ids(struct ev_thread_entry *out, const struct state *st,
		    const struct state_thread *t)
{
	out->tid = t->tid;
	out->pid = t->pid;
	out->ptid = t->ptid;
	out->sid = t->sid;
	out->vpgid = t->vpgid;
	out->pgid = t->pgid;
	out->vtid = t->vtid;
	out->vpid = t->vpid;
	out->uid = t->uid;
	out->gid = t->gid;
	out->loginuid = t->loginuid;
	out->tty = t->tty;
	out->fdlimit = t->fdlimit;
	out->pidns_init_start_ts = time_of_pidns(st, t);
	out->flags = t->flags & (known_bits("clone_flags") | STATE_CL_ACTIVE);
}

static void set_figures(struct ev_thread_entry *out, const struct state_thread *t)
{
	out->vmsize_kb = t->vmsize_kb;
	out->vmrss_kb = t->vmrss_kb;
	out->vmswap_kb = t->vmswap_kb;
	out->pfmajor = t->pfmajor;
	out->pfminor = t->pfminor;
	out->cap_inheritable = t->cap_inheritable;
	out->cap_permitted = t->cap_permitted;
	out->cap_effective = t->cap_effective;
	out->exe_ino = t->exe_ino;
	out->exe_ino_ctime = t->exe_ino_ctime;
	out->exe_ino_mtime = t->exe_ino_mtime;
	out->exe_writable = t->exe_writable;
	out->exe_upper_layer = t->exe_upper_layer;
	out->exe_lower_layer = t->exe_lower_layer;
	out->exe_from_memfd = t->exe_from_memfd;
}

static int thread(struct exporter *e, const struct state_thread *t)
{
	struct ev_thread_entry out = {
	    .comm = state_sv(t->comm),
	    .exe = state_sv(t->exe),
	    .exepath = path_of(state_sv(t->exepath)),
	    .cwd = path_of(state_thread_cwd(t)),
	    .root = path_of(state_sv(t->root)),
	    .args = strings_of(&t->args),
	    .env = strings_of(&t->env),
	    .cgroups = strings_of(&t->cgroups),
	};

	set_ids(&out, e->st, t);
	set_figures(&out, t);
	return put(e, &(struct ev_item){.kind = EV_ITEM_THREAD, .thread = &out});
}

static int choose_threads(struct exporter *e)
{
	size_t n;
	struct map_slot *all = state_threads_sorted(e->st, &n);

	e->threads = calloc(n + 1, sizeof(*e->threads));
	if (!e->threads || n < e->st->threads.count) {
		free(all);
		return error_nomem(e->err);
	}
	for (size_t i = 0; i < n; i++)
		if (part_of(e, all[i].value) != STATE_PART_NONE)
			e->threads[e->count++] = all[i].value;
	free(all);
	return 0;
}

/* --- descriptors --- */

/* The table's own records, in order; at first *i is 0. */
static const struct state_fd *next_fd(const struct state_fds *table, uint32_t *i)
{
	while (table && *i < table->direct_cap) {
		const struct state_fd *fd = table->direct[(*i)++];

		if (fd)
			return fd;
	}
	return table && *i - table->direct_cap < table->far_count
		   ? table->far[(*i)++ - table->direct_cap]
		   : NULL;
}

/* Lists name the local end first; records that of the client. */
static void set_socket(struct ev_fd_entry *out, const struct state_fd *fd)
{
	const struct state_sock *s = &fd->sock;
	bool swap = (fd->flags & STATE_FD_ROLE_SERVER) && fd->type == EV_FD_IPV4_SOCK;

	memcpy(out->sip, swap ? s->dip : s->sip, sizeof(out->sip));
	memcpy(out->dip, swap ? s->sip : s->dip, sizeof(out->dip));
	out->sport = swap ? s->dport : s->sport;
	out->dport = swap ? s->sport : s->dport;
	out->l4proto = s->l4proto;
}

static int descriptor(struct exporter *e, const struct state_thread *t, const struct state_fd *fd)
{
	struct ev_fd_entry out = {
	    .tid = t->tid,
	    .fd = fd->num,
	    .ino = fd->ino,
	    .type = fd->type,
	    .name = state_sv(fd->name),
	};

	if (fd->num < 0 || fd->type <= EV_FD_UNKNOWN)
		return 0;
	switch (fd->type) {
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
	case EV_FD_IPV4_SERVSOCK:
	case EV_FD_IPV6_SERVSOCK:
		set_socket(&out, fd);
		out.name = SV_NONE;
		break;
	case EV_FD_UNIX_SOCK:
		out.unix_source = fd->un.source;
		out.unix_dest = fd->un.dest;
		break;
	case EV_FD_FILE_V2:
		out.openflags = fd->openflags & known_bits("file_flags");
		out.dev = fd->dev;
		break;
	default:
		break;
	}
	return put(e, &(struct ev_item){.kind = EV_ITEM_FD, .fd = &out});
}

static int descriptors(struct exporter *e, const struct state_thread *t)
{
	const struct state_fd *fd;
	int rc = 0;

	if (!is_listable(t) || part_of(e, t) != STATE_PART_ALL)
		return 0;
	for (uint32_t i = 0; rc == 0 && (fd = next_fd(t->fds, &i));)
		rc = descriptor(e, t, fd);
	return rc;
}

/* --- lists, and what they cannot say --- */

static int lists(struct exporter *e)
{
	int rc = machine(e);

	if (rc == 0)
		rc = interfaces(e, &e->st->ipv4, false);
	if (rc == 0)
		rc = interfaces(e, &e->st->ipv6, true);
	if (rc == 0)
		rc = users(e, &e->st->host.users, EV_ITEM_USER);
	if (rc == 0)
		rc = users(e, &e->st->host.groups, EV_ITEM_GROUP);
	for (size_t i = 0; rc == 0 && i < e->count; i++)
		if (is_listable(e->threads[i]))
			rc = thread(e, e->threads[i]);
	for (size_t i = 0; rc == 0 && i < e->count; i++)
		rc = descriptors(e, e->threads[i]);
	return rc < 0 ? rc : export_events(e);
}

static int put_to_copy(void *arg, const struct ev_item *item, struct error *err)
{
	struct state_binding bind;
	int rc = state_feed(arg, item, &bind, err);

	return rc < 0 ? rc : 0;
}

/* What readers make of the lists. */
static int make_copy(struct exporter *e)
{
	const struct state_options opt = {
	    .threads_max = e->st->threads_max,
	    .fds_max = e->st->fds_max,
	    .fds_total_max = e->st->fds_total_max,
	    .no_containers = e->st->no_containers,
	};
	int rc = state_new(&opt, &e->copy, e->err);

	if (rc < 0)
		return rc;
	e->put = put_to_copy;
	e->put_arg = e->copy;
	rc = lists(e);
	state_complete(e->copy);
	return rc;
}

static int facts_of_fds(struct exporter *e, const struct state_thread *t,
			const struct state_thread *like)
{
	const struct state_fd *fd;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && (fd = next_fd(t->fds, &i));) {
		ev_build_begin(&e->build, EV_TYPE_FD_FACTS, e->x->ts, t->tid);
		if (state_facts_of_fd(fd, like ? state_fd_of_table(like->fds, fd->num) : NULL,
				      &e->build))
			rc = export_built(e, EV_ITEM_FACTS);
	}
	return rc;
}

static int facts_of_thread(struct exporter *e, const struct state_thread *t)
{
	const struct state_thread *like = state_thread_find(e->copy, t->tid);
	int rc = 0;

	ev_build_begin(&e->build, EV_TYPE_THREAD_FACTS, e->x->ts, t->tid);
	if (state_facts_of_thread(t, like, &e->build))
		rc = export_built(e, EV_ITEM_FACTS);
	if (rc == 0 && part_of(e, t) == STATE_PART_ALL)
		rc = facts_of_fds(e, t, like);
	return rc;
}

/* Threads whose parents may still tell of them. */
static int exits(struct exporter *e)
{
	const struct state_exited *x = &e->st->exited;
	uint32_t first = x->used == STATE_EXITED_MAX ? x->at : 0;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < x->used; i++) {
		const struct state_exited_entry *one = &x->ring[(first + i) % STATE_EXITED_MAX];
		const struct state_thread *parent = state_thread_find(e->st, (int32_t)one->ptid);

		if (one->ts + STATE_STALE_CLONE_NS < e->x->ts || !parent ||
		    part_of(e, parent) == STATE_PART_NONE)
			continue;
		ev_build_begin(&e->build, EV_TYPE_THREAD_FACTS, e->x->ts, (int32_t)one->tid);
		state_facts_of_exit(one, &e->build);
		rc = export_built(e, EV_ITEM_FACTS);
	}
	return rc;
}

static int everything(struct exporter *e)
{
	int rc = choose_threads(e);

	if (rc == 0)
		rc = make_copy(e);
	e->put = e->x->put;
	e->put_arg = e->x->arg;
	if (rc == 0)
		rc = lists(e);
	for (size_t i = 0; rc == 0 && i < e->count; i++)
		rc = facts_of_thread(e, e->threads[i]);
	return rc < 0 ? rc : exits(e);
}

int state_export(const struct state *st, const struct state_export *x, struct error *err)
{
	struct exporter e = {.st = st, .x = x, .err = err};
	int rc = everything(&e);

	free(e.threads);
	state_free(e.copy);
	ev_build_done(&e.build);
	buf_done(&e.text);
	return rc;
}
