/* SPDX-License-Identifier: Apache-2.0 */
/* The initial state: what a capture's metadata says about the machine before its first event. */
#include "engine/state/internal.h"

#include <stdlib.h>
#include <string.h>

static void import_machine(struct state *st, const struct ev_machine *m)
{
	state_str_set(st, &st->machine.hostname, m->hostname);
	st->machine.num_cpus = m->num_cpus;
	st->machine.memory_bytes = m->memory_bytes;
	st->machine.max_pid = m->max_pid;
	st->machine.boot_ts = m->boot_ts;
	st->machine.known = true;
}

/* --- threads --- */

static void copy_ids(struct state_thread *t, const struct ev_thread_entry *from)
{
	t->pid = from->pid;
	t->ptid = from->ptid;
	t->sid = from->sid;
	t->vpgid = from->vpgid;
	t->pgid = from->pgid;
	t->vtid = from->vtid;
	t->vpid = from->vpid;
	t->uid = from->uid;
	t->gid = from->gid;
	t->loginuid = from->loginuid;
	t->tty = from->tty;
	t->fdlimit = from->fdlimit;
	t->pidns_init_start_ts = from->pidns_init_start_ts;
	t->clone_ts = from->has_clone_ts ? from->clone_ts : 0;
	t->flags = STATE_CL_NAME_CHANGED | from->flags | STATE_CL_ACTIVE;
}

static void copy_figures(struct state_thread *t, const struct ev_thread_entry *from)
{
	t->vmsize_kb = from->vmsize_kb;
	t->vmrss_kb = from->vmrss_kb;
	t->vmswap_kb = from->vmswap_kb;
	t->pfmajor = from->pfmajor;
	t->pfminor = from->pfminor;
	t->cap_inheritable = from->cap_inheritable;
	t->cap_permitted = from->cap_permitted;
	t->cap_effective = from->cap_effective;
	t->exe_ino = from->exe_ino;
	t->exe_ino_ctime = from->exe_ino_ctime;
	t->exe_ino_mtime = from->exe_ino_mtime;
	t->exe_writable = from->exe_writable;
	t->exe_upper_layer = from->exe_upper_layer;
	t->exe_lower_layer = from->exe_lower_layer;
	t->exe_from_memfd = from->exe_from_memfd;
}

static void import_thread(struct state *st, const struct ev_thread_entry *from)
{
	struct state_thread *t;

	if (state_suppress_scanned(st, from))
		return;
	t = state_thread_new(st, from->tid);
	if (!t)
		return;
	copy_ids(t, from);
	copy_figures(t, from);
	state_thread_set_comm(st, t, from->comm, NULL);
	state_str_set(st, &t->exe, from->exe);
	state_thread_set_exepath(st, t, from->exepath);
	state_str_set(st, &t->root, from->root);
	state_thread_set_args(st, t, from->args, NULL);
	state_thread_set_cgroups(st, t, from->cgroups, NULL);
	if (state_is_main(t)) {
		state_list_set(st, &t->env, from->env);
		state_thread_update_cwd(st, t, from->cwd);
	}
	if (state_thread_insert_take(st, t, st->phase == STATE_RUN) && st->phase == STATE_RUN)
		state_container_update(st, t);
}

/* Every thread of the table in order of its id, so that runs do not differ; NULL if there are none.
 */
static struct map_slot *sorted_threads(struct state *st, size_t *count)
{
	struct map_slot *all = state_threads_sorted(st, count);

	st->nomem |= !all && st->threads.count;
	return all;
}

void state_import_threads_done(struct state *st)
{
	struct map_slot *all;
	size_t n;

	state_suppress_propagate(st);
	all = sorted_threads(st, &n);
	for (size_t i = 0; i < n; i++)
		state_tree_link(st, all[i].value);
	free(all);
}

/* --- descriptors --- */

static bool is_server_port(const struct state *st, uint16_t port)
{
	return st->server_ports[port / 8] & (1u << port % 8);
}

static void set_tuple_name(struct state *st, struct state_fd *fd)
{
	bool ipv6 = fd->type == EV_FD_IPV6_SOCK;

	buf_reset(&st->scratch);
	state_endpoint_text(&st->scratch, fd->sock.sip, ipv6, fd->sock.sport);
	buf_lit(&st->scratch, "->");
	state_endpoint_text(&st->scratch, fd->sock.dip, ipv6, fd->sock.dport);
	state_fd_set_name(st, fd, buf_view(&st->scratch));
}

static void copy_sock(struct state_fd *fd, const struct ev_fd_entry *from)
{
	size_t skip = 0, n = 4;

	if (from->type == EV_FD_IPV6_SOCK || from->type == EV_FD_IPV6_SERVSOCK)
		n = 16;
	if (from->type == EV_FD_IPV6_SOCK && state_addr_is_mapped(from->sip) &&
	    state_addr_is_mapped(from->dip)) {
		fd->type = EV_FD_IPV4_SOCK;
		skip = 12;
		n = 4;
	}
	memcpy(fd->sock.sip, from->sip + skip, n);
	memcpy(fd->sock.dip, from->dip + skip, n);
	fd->sock.sport = from->sport;
	fd->sock.dport = from->dport;
	fd->sock.l4proto = from->l4proto;
}

static void import_connection(struct state *st, struct state_fd *fd, const struct ev_fd_entry *from)
{
	copy_sock(fd, from);
	if (fd->sock.l4proto == EV_L4_TCP)
		state_fd_set_status(fd, STATE_FD_CONNECTED);
	set_tuple_name(st, fd);
}

static void import_listener(struct state *st, struct state_fd *fd, const struct ev_fd_entry *from)
{
	copy_sock(fd, from);
	memset(fd->sock.dip, 0, sizeof(fd->sock.dip));
	fd->sock.dport = 0;
	st->server_ports[from->sport / 8] |= (uint8_t)(1u << from->sport % 8);
	buf_reset(&st->scratch);
	state_endpoint_text(&st->scratch, fd->sock.sip, fd->type == EV_FD_IPV6_SERVSOCK,
			    fd->sock.sport);
	state_fd_set_name(st, fd, buf_view(&st->scratch));
}

static void import_fd(struct state *st, const struct ev_fd_entry *from)
{
	struct state_thread *t = state_find(st, from->tid);
	struct state_fd fd = {
	    .type = (int8_t)from->type,
	    .flags = STATE_FD_FROM_PROC,
	    .ino = from->ino,
	};

	if (!t)
		return;
	switch (from->type) {
	case EV_FD_IPV4_SOCK:
	case EV_FD_IPV6_SOCK:
		import_connection(st, &fd, from);
		break;
	case EV_FD_IPV4_SERVSOCK:
	case EV_FD_IPV6_SERVSOCK:
		import_listener(st, &fd, from);
		break;
	case EV_FD_UNIX_SOCK:
		fd.un.source = from->unix_source;
		fd.un.dest = from->unix_dest;
		fd.flags |= from->name.n ? STATE_FD_ROLE_SERVER : STATE_FD_ROLE_CLIENT;
		state_fd_set_name(st, &fd, from->name);
		break;
	case EV_FD_UNKNOWN:
	case EV_FD_UNINITIALIZED:
		return;
	default:
		fd.openflags = from->openflags;
		fd.dev = from->dev;
		state_fd_set_name(st, &fd, from->name);
		break;
	}
	state_fd_insert_take(st, &t->fds, from->fd, &fd);
}

/* Connections to a port somebody listens on were accepted; all others were made from here. */
static void orient_sockets(struct state *st, struct state_thread *t)
{
	struct state_thread own = *t;
	struct state_fd *fd;

	/* The thread's own table, also where it shares another. */
	own.flags &= ~(uint32_t)STATE_CL_FILES;
	for (size_t at = 0; (fd = state_fd_next(&own, &at));) {
		if (fd->type != EV_FD_IPV4_SOCK)
			continue;
		if (is_server_port(st, fd->sock.sport)) {
			state_net_swap(fd);
			set_tuple_name(st, fd);
			fd->flags |= STATE_FD_ROLE_SERVER;
		} else {
			fd->flags |= STATE_FD_ROLE_CLIENT;
		}
	}
}

void state_import_settle(struct state *st)
{
	struct map_slot *all;
	size_t n;

	if (st->settled)
		return;
	st->settled = true;
	all = sorted_threads(st, &n);
	for (size_t i = 0; i < n; i++) {
		orient_sockets(st, all[i].value);
		state_container_update(st, all[i].value);
	}
	free(all);
}

void state_import_done(struct state *st)
{
	struct map_slot *all;
	size_t n;

	state_import_settle(st);
	all = st->observed ? sorted_threads(st, &n) : NULL;
	for (size_t i = 0; all && i < n; i++)
		st->observer.thread_added(st->observer.arg, st, all[i].value, NULL);
	free(all);
}

/* --- interfaces, users, and the rest --- */

static void import_interface(struct state *st, const struct ev_interface *from)
{
	struct state_interface one = {0};
	size_t n = from->ipv6 ? 16 : 4;

	memcpy(one.addr, from->addr, n);
	memcpy(one.netmask, from->netmask, n);
	memcpy(one.bcast, from->bcast, n);
	one.linkspeed = from->linkspeed;
	one.name = state_str_new(st, from->name);
	state_interface_add_take(st, from->ipv6 ? &st->ipv6 : &st->ipv4, &one);
}

static void reset_list(struct state *st, enum ev_list list)
{
	if (list == EV_LIST_INTERFACES)
		state_interfaces_clear(st);
	else
		state_users_clear_host(st);
}

void state_import(struct state *st, const struct ev_item *item)
{
	switch (item->kind) {
	case EV_ITEM_MACHINE:
		import_machine(st, item->machine);
		break;
	case EV_ITEM_THREAD:
		import_thread(st, item->thread);
		break;
	case EV_ITEM_FD:
		import_fd(st, item->fd);
		break;
	case EV_ITEM_INTERFACE:
		import_interface(st, item->interface);
		break;
	case EV_ITEM_USER:
	case EV_ITEM_GROUP:
		state_users_put(st, SV_NONE, item->user, item->kind == EV_ITEM_GROUP);
		break;
	case EV_ITEM_LISTS_RESET:
		reset_list(st, item->list);
		break;
	case EV_ITEM_HASH:
		state_exe_hash_add(st, item->ev);
		break;
	case EV_ITEM_FACTS:
		state_facts_apply(st, item->ev);
		break;
	case EV_ITEM_EVENT:
	case EV_ITEM_SECTION:
	case EV_ITEM_LOSS:
	case EV_ITEM_URING:
		break;
	}
}
