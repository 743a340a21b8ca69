/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/state_internal.h"

#include <stdlib.h>

/* Room for one more element of @size. */
static int grow(void *array, size_t *cap, size_t n, size_t size)
{
	void **p = array;
	size_t want = *cap ? *cap * 2 : 64;
	void *bigger;

	if (n < *cap)
		return 0;
	bigger = realloc(*p, want * size);
	if (!bigger)
		return ERR_NOMEM;
	*p = bigger;
	*cap = want;
	return 0;
}

struct rec_state *host_new(uint64_t max_bytes)
{
	struct rec_state *s = calloc(1, sizeof(*s));

	if (s)
		s->max_bytes = max_bytes;
	return s;
}

void rec_state_free(struct rec_state *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	map_done(&s->by_tid);
	free(s->interfaces);
	free(s->users);
	free(s->groups);
	free(s->threads);
	free(s->fds);
	free(s);
}

static uint64_t bytes_used(const struct rec_state *s)
{
	return s->arena.total + s->cap_fds * sizeof(struct host_fd) +
	       s->cap_threads * (sizeof(struct host_thread *) + 4 * sizeof(struct map_slot)) +
	       (s->cap_users + s->cap_groups) * sizeof(struct ev_user) +
	       s->cap_interfaces * sizeof(struct ev_interface);
}

static bool has_room(struct rec_state *s, size_t n)
{
	if (!s->max_bytes || bytes_used(s) + n <= s->max_bytes)
		return true;
	s->stats.over_memory++;
	return false;
}

int host_add_thread(struct rec_state *s, struct host_thread **out)
{
	struct host_thread *t;

	if (!has_room(s, sizeof(*t)))
		return HOST_SKIPPED;
	t = arena_zalloc(&s->arena, 1, sizeof(*t));
	if (!t)
		return ERR_NOMEM;
	*out = t;
	return 0;
}

int host_index_thread(struct rec_state *s, struct host_thread *t)
{
	struct host_thread *before = map_get(&s->by_tid, (uint64_t)t->e.tid);

	if (before) {
		*before = *t;
		return 0;
	}
	if (grow(&s->threads, &s->cap_threads, s->nthreads, sizeof(struct host_thread *)) < 0 ||
	    map_put(&s->by_tid, (uint64_t)t->e.tid, t) < 0)
		return ERR_NOMEM;
	s->threads[s->nthreads++] = t;
	return 0;
}

int host_add_fd(struct rec_state *s, struct host_fd **out)
{
	size_t more = s->nfds == s->cap_fds ? s->cap_fds * sizeof(struct host_fd) : 0;

	if (!has_room(s, more))
		return HOST_SKIPPED;
	if (grow(&s->fds, &s->cap_fds, s->nfds, sizeof(struct host_fd)) < 0)
		return ERR_NOMEM;
	*out = &s->fds[s->nfds++];
	memset(*out, 0, sizeof(**out));
	return 0;
}

int host_add_interface(struct rec_state *s, const struct ev_interface *i)
{
	if (!has_room(s, sizeof(*i)))
		return HOST_SKIPPED;
	if (grow(&s->interfaces, &s->cap_interfaces, s->ninterfaces, sizeof(*i)) < 0)
		return ERR_NOMEM;
	s->interfaces[s->ninterfaces] = *i;
	s->interfaces[s->ninterfaces++].name = host_keep(s, i->name);
	return 0;
}

int host_add_user(struct rec_state *s, const struct ev_user *u, bool group)
{
	struct ev_user **list = group ? &s->groups : &s->users;
	size_t *n = group ? &s->ngroups : &s->nusers;
	struct ev_user *to;

	if (*n >= HOST_USERS_MAX || !has_room(s, sizeof(*u)))
		return HOST_SKIPPED;
	if (grow(list, group ? &s->cap_groups : &s->cap_users, *n, sizeof(*u)) < 0)
		return ERR_NOMEM;
	to = &(*list)[(*n)++];
	to->uid = u->uid;
	to->gid = u->gid;
	to->name = host_keep(s, u->name);
	to->home = host_keep(s, u->home);
	to->shell = host_keep(s, u->shell);
	return 0;
}

struct sv host_keep(struct rec_state *s, struct sv text)
{
	char *copy;

	if (text.n == 0 || !has_room(s, text.n))
		return SV_NONE;
	copy = arena_strndup(&s->arena, text.p, text.n);
	if (!copy) {
		s->nomem = true;
		return SV_NONE;
	}
	return sv_make(copy, text.n);
}

struct sv host_keep_or(struct rec_state *s, struct sv text, struct sv same)
{
	return sv_eq(text, same) ? same : host_keep(s, text);
}

struct sv host_end_list(char *text, size_t n)
{
	if (n > HOST_LIST_MAX)
		n = HOST_LIST_MAX;
	if (n && n < HOST_LIST_MAX && text[n - 1])
		n++;
	if (n)
		text[n - 1] = 0;
	return sv_make(text, n);
}

struct host_thread *host_thread_of(const struct rec_state *s, int64_t tid)
{
	return map_get(&s->by_tid, (uint64_t)tid);
}

/* --- order --- */

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_process(const void *a, const void *b)
{
	const struct ev_thread_entry *x = &(*(struct host_thread *const *)a)->e;
	const struct ev_thread_entry *y = &(*(struct host_thread *const *)b)->e;
	int rc = compare(x->pid, y->pid);

	if (!rc)
		rc = compare(x->tid != x->pid, y->tid != y->pid);
	return rc ? rc : compare(x->tid, y->tid);
}

static int by_table(const void *a, const void *b)
{
	const struct ev_fd_entry *x = &((const struct host_fd *)a)->e;
	const struct ev_fd_entry *y = &((const struct host_fd *)b)->e;
	int rc = compare(x->tid, y->tid);

	return rc ? rc : compare(x->fd, y->fd);
}

static bool is_sorted(const struct host_fd *fds, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_table(&fds[i - 1], &fds[i]) > 0)
			return false;
	return true;
}

/* Descriptors of threads that are listed; the id alone does not tell, the start must agree. */
static void drop_strangers(struct rec_state *s)
{
	const struct host_thread *t = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->nfds; i++) {
		const struct host_fd *fd = &s->fds[i];

		if (!t || t->e.tid != fd->e.tid)
			t = host_thread_of(s, fd->e.tid);
		if (t && t->mark.start_ns == fd->mark.start_ns)
			s->fds[n++] = *fd;
		else
			s->stats.fds_vanished++;
	}
	s->nfds = n;
}

static bool is_socket(int type)
{
	return type == EV_FD_UNIX_SOCK || type == EV_FD_NETLINK ||
	       (type >= EV_FD_IPV4_SOCK && type <= EV_FD_IPV6_SERVSOCK);
}

void host_finish(struct rec_state *s)
{
	drop_strangers(s);
	if (s->nthreads)
		qsort(s->threads, s->nthreads, sizeof(struct host_thread *), by_process);
	if (!is_sorted(s->fds, s->nfds))
		qsort(s->fds, s->nfds, sizeof(struct host_fd), by_table);
	for (size_t i = 0; i < s->nthreads; i++)
		s->stats.processes += s->threads[i]->e.tid == s->threads[i]->e.pid;
	for (size_t i = 0; i < s->nfds; i++)
		s->stats.sockets += is_socket(s->fds[i].e.type);
	s->stats.threads = s->nthreads;
	s->stats.fds = s->nfds;
	s->stats.interfaces = s->ninterfaces;
	s->stats.users = s->nusers;
	s->stats.groups = s->ngroups;
	s->stats.bytes = bytes_used(s);
}

/* --- delivery --- */

static size_t stage_count(const struct rec_state *s)
{
	const size_t n[] = {1, s->ninterfaces, s->nusers, s->ngroups, s->nthreads, s->nfds};

	return s->stage < COUNT_OF(n) ? n[s->stage] : 0;
}

int rec_state_next(struct rec_state *s, struct ev_item *item, struct rec_state_mark *mark)
{
	static const enum ev_item_kind kinds[] = {EV_ITEM_MACHINE, EV_ITEM_INTERFACE, EV_ITEM_USER,
						  EV_ITEM_GROUP,   EV_ITEM_THREAD,    EV_ITEM_FD};
	struct rec_state_mark none = {0}, *when = mark ? mark : &none;
	size_t i;

	while (s->stage < COUNT_OF(kinds) && s->at >= stage_count(s)) {
		s->stage++;
		s->at = 0;
	}
	if (s->stage == COUNT_OF(kinds))
		return 0;
	i = s->at++;
	*item = (struct ev_item){.kind = kinds[s->stage]};
	*when = (struct rec_state_mark){0};
	switch (item->kind) {
	case EV_ITEM_MACHINE:
		item->machine = &s->machine;
		break;
	case EV_ITEM_INTERFACE:
		item->interface = &s->interfaces[i];
		break;
	case EV_ITEM_USER:
		item->user = &s->users[i];
		break;
	case EV_ITEM_GROUP:
		item->user = &s->groups[i];
		break;
	case EV_ITEM_THREAD:
		item->thread = &s->threads[i]->e;
		*when = s->threads[i]->mark;
		break;
	default:
		item->fd = &s->fds[i].e;
		*when = s->fds[i].mark;
		break;
	}
	return 1;
}

void rec_state_rewind(struct rec_state *s)
{
	s->stage = 0;
	s->at = 0;
}

bool rec_state_find(const struct rec_state *s, int64_t tid, struct rec_state_mark *mark)
{
	const struct host_thread *t = host_thread_of(s, tid);

	if (t && mark)
		*mark = t->mark;
	return t != NULL;
}

const struct rec_state_stats *rec_state_stats(const struct rec_state *s)
{
	return &s->stats;
}
