/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "engine/state/checkpoint.h"

/* ---- descriptors ---- */

static const struct archive_field fd_fields[] = {
    ARCHIVE_I(struct state_fd, num),   ARCHIVE_I(struct state_fd, type),
    ARCHIVE_U(struct state_fd, flags), ARCHIVE_U(struct state_fd, openflags),
    ARCHIVE_U(struct state_fd, mark),  ARCHIVE_U(struct state_fd, dev),
    ARCHIVE_U(struct state_fd, ino),   ARCHIVE_I(struct state_fd, pid),
};

static const struct archive_field sock_fields[] = {
    ARCHIVE_U(struct state_sock, sport),
    ARCHIVE_U(struct state_sock, dport),
    ARCHIVE_U(struct state_sock, l4proto),
};

static void socket_of(struct checkpoint *c, struct state_fd *fd)
{
	static const struct state_sock none;

	if (fd->type == EV_FD_UNIX_SOCK) {
		fd->un.source = archive_u64(&c->a, fd->un.source);
		fd->un.dest = archive_u64(&c->a, fd->un.dest);
	} else if (archive_bool(&c->a, memcmp(&fd->sock, &none, sizeof(none)) != 0)) {
		archive_bytes(&c->a, fd->sock.sip, sizeof(fd->sock.sip));
		archive_bytes(&c->a, fd->sock.dip, sizeof(fd->sock.dip));
		ARCHIVE_FIELDS(&c->a, &fd->sock, sock_fields);
	}
}

static void one_fd(struct checkpoint *c, struct state_fd *fd)
{
	ARCHIVE_FIELDS(&c->a, fd, fd_fields);
	ckpt_text(c, &fd->name);
	ckpt_text(c, &fd->name_raw);
	socket_of(c, fd);
}

static void save_fd(struct checkpoint *c, struct state_fd *fd)
{
	struct state_fd copy;

	if (c->drops_marks) {
		copy = *fd;
		copy.mark = 0;
		fd = &copy;
	}
	one_fd(c, fd);
}

/* Records are in no cache: they are asked for some time before they are looked at. */
#define AHEAD 8

static inline void ask_for(const struct state_fds *table, uint32_t i)
{
	const struct state_fd *fd = i + AHEAD < table->direct_cap ? table->direct[i + AHEAD] : NULL;

	if (fd) {
		__builtin_prefetch(fd);
		__builtin_prefetch(&fd->sock);
	}
	fd = i + AHEAD / 2 < table->direct_cap ? table->direct[i + AHEAD / 2] : NULL;
	if (fd) {
		__builtin_prefetch(fd->name);
		__builtin_prefetch(fd->name_raw);
	}
}

static void save_fds(struct checkpoint *c, const struct state_fds *table)
{
	archive_count(&c->a, table ? table->count : 0);
	for (uint32_t i = 0; table && i < table->direct_cap; i++) {
		ask_for(table, i);
		if (table->direct[i])
			save_fd(c, table->direct[i]);
	}
	for (uint32_t i = 0; table && i < table->far_count; i++)
		save_fd(c, table->far[i]);
}

static void restore_fds(struct checkpoint *c, struct state_fds **table)
{
	uint64_t n = archive_count(&c->a, 0);

	for (uint64_t i = 0; i < n && !ckpt_broken(c); i++) {
		struct state_fd fd = {0};

		one_fd(c, &fd);
		state_fd_insert_take(c->st, table, fd.num, &fd);
	}
}

/* ---- threads ---- */

static const struct archive_field thread_fields[] = {
    ARCHIVE_I(struct state_thread, tid),
    ARCHIVE_I(struct state_thread, pid),
    ARCHIVE_I(struct state_thread, ptid),
    ARCHIVE_U(struct state_thread, flags),
    ARCHIVE_U(struct state_thread, lastevent_type),
    ARCHIVE_I(struct state_thread, lastevent_fd),
    ARCHIVE_U(struct state_thread, lastevent_ts),
    ARCHIVE_U(struct state_thread, prevevent_ts),
    ARCHIVE_I(struct state_thread, vtid),
    ARCHIVE_I(struct state_thread, vpid),
    ARCHIVE_I(struct state_thread, sid),
    ARCHIVE_I(struct state_thread, vpgid),
    ARCHIVE_I(struct state_thread, pgid),
    ARCHIVE_I(struct state_thread, reaper_tid),
    ARCHIVE_U(struct state_thread, pidns_init_start_ts),
    ARCHIVE_U(struct state_thread, container_category),
    ARCHIVE_B(struct state_thread, exe_writable),
    ARCHIVE_B(struct state_thread, exe_upper_layer),
    ARCHIVE_B(struct state_thread, exe_lower_layer),
    ARCHIVE_B(struct state_thread, exe_from_memfd),
    ARCHIVE_B(struct state_thread, cmdline_cached),
    ARCHIVE_B(struct state_thread, had_children),
    ARCHIVE_U(struct state_thread, uid),
    ARCHIVE_U(struct state_thread, gid),
    ARCHIVE_U(struct state_thread, loginuid),
    ARCHIVE_U(struct state_thread, vmsize_kb),
    ARCHIVE_U(struct state_thread, vmrss_kb),
    ARCHIVE_U(struct state_thread, vmswap_kb),
    ARCHIVE_U(struct state_thread, tty),
    ARCHIVE_U(struct state_thread, cap_inheritable),
    ARCHIVE_U(struct state_thread, cap_permitted),
    ARCHIVE_U(struct state_thread, cap_effective),
    ARCHIVE_I(struct state_thread, fdlimit),
    ARCHIVE_U(struct state_thread, pfmajor),
    ARCHIVE_U(struct state_thread, pfminor),
    ARCHIVE_U(struct state_thread, exe_ino),
    ARCHIVE_U(struct state_thread, exe_ino_ctime),
    ARCHIVE_U(struct state_thread, exe_ino_mtime),
    ARCHIVE_U(struct state_thread, exe_ino_ctime_duration_clone_ts),
    ARCHIVE_U(struct state_thread, exe_ino_ctime_duration_pidns_start),
    ARCHIVE_U(struct state_thread, clone_ts),
    ARCHIVE_U(struct state_thread, lastexec_ts),
    ARCHIVE_U(struct state_thread, exec_count),
};

static const struct archive_field stored_fields[] = {
    ARCHIVE_U(struct state_stored, type),
    ARCHIVE_U(struct state_stored, flags),
    ARCHIVE_I(struct state_stored, dirfd),
};

static void save_stored(struct checkpoint *c, struct state_stored *s)
{
	archive_bool(&c->a, s != NULL);
	if (!s)
		return;
	ARCHIVE_FIELDS(&c->a, s, stored_fields);
	archive_text(&c->a, sv_make(s->text, s->len));
}

static struct state_stored *restore_stored(struct checkpoint *c)
{
	struct state_stored head = {0}, *s;
	struct sv bytes;

	if (!archive_bool(&c->a, false))
		return NULL;
	ARCHIVE_FIELDS(&c->a, &head, stored_fields);
	bytes = archive_text(&c->a, SV_NONE);
	if (ckpt_broken(c))
		return NULL;
	s = state_stored_new(c->st, &head, bytes);
	c->st->nomem |= !s;
	return s;
}

static void thread_texts(struct checkpoint *c, struct state_thread *t)
{
	ckpt_text(c, &t->comm);
	ckpt_text(c, &t->exe);
	ckpt_text(c, &t->exepath);
	ckpt_text(c, &t->cwd);
	ckpt_text(c, &t->root);
	ckpt_text(c, &t->cmdline);
	ckpt_text(c, &t->container_id);
	ckpt_list(c, &t->args);
	ckpt_list(c, &t->env);
	ckpt_list(c, &t->cgroups);
}

static bool restore_thread(struct checkpoint *c)
{
	struct state_thread *t = pool_zalloc(&c->st->pool, sizeof(*t));

	if (!t) {
		c->st->nomem = true;
		return false;
	}
	ARCHIVE_FIELDS(&c->a, t, thread_fields);
	thread_texts(c, t);
	if (c->drops_containers) {
		state_str_share(c->st, &t->container_id, NULL);
		t->container_category = 0;
	}
	restore_fds(c, &t->fds);
	t->stored = restore_stored(c);
	state_touch(c->st, t);
	if (!state_threads_full(c->st) && ckpt_file(c, &c->st->threads, (uint64_t)t->tid, t))
		return true;
	state_thread_free(c->st, t);
	return false;
}

static bool one_thread(struct checkpoint *c, void *value, void *arg)
{
	struct state_thread *t = value;

	(void)arg;
	if (!ckpt_saves(c))
		return restore_thread(c);
	ARCHIVE_FIELDS(&c->a, t, thread_fields);
	thread_texts(c, t);
	save_fds(c, t->fds);
	save_stored(c, t->stored);
	return true;
}

/* ---- groups ---- */

static const struct archive_field group_fields[] = {
    ARCHIVE_I(struct state_group, pid),
    ARCHIVE_U(struct state_group, alive),
    ARCHIVE_B(struct state_group, reaper),
    ARCHIVE_B(struct state_group, listed),
};

static uint64_t members_of(const struct state_group *g)
{
	uint64_t n = 0;

	for (const struct state_thread *t = g->first; t; t = t->group_next)
		n++;
	return n;
}

static void save_group(struct checkpoint *c, struct state_group *g)
{
	ARCHIVE_FIELDS(&c->a, g, group_fields);
	archive_count(&c->a, members_of(g));
	for (const struct state_thread *t = g->first; t; t = t->group_next)
		archive_i64(&c->a, t->tid);
}

/* The thread whose number comes next; NULL: there is none. */
static struct state_thread *next_thread(struct checkpoint *c)
{
	struct state_thread *t = map_get(&c->st->threads, (uint64_t)archive_i64(&c->a, 0));

	if (!t)
		archive_complain(&c->a, "it refers to a thread that is not there");
	return ckpt_broken(c) ? NULL : t;
}

static void append_member(struct checkpoint *c, struct state_group *g, struct state_thread *t)
{
	if (t->group) {
		archive_complain(&c->a, "a thread is in two groups");
		return;
	}
	t->group = g;
	t->group_prev = g->last;
	if (g->last)
		g->last->group_next = t;
	else
		g->first = t;
	g->last = t;
}

static void restore_group(struct checkpoint *c)
{
	struct state_group *g = pool_zalloc(&c->st->pool, sizeof(*g));
	struct state_thread *t;
	uint64_t n;

	if (!g) {
		c->st->nomem = true;
		return;
	}
	ARCHIVE_FIELDS(&c->a, g, group_fields);
	n = archive_count(&c->a, 0);
	for (uint64_t i = 0; i < n && (t = next_thread(c)); i++)
		append_member(c, g, t);
	/* Empty groups are nobody's; the others go with their last member. */
	if (!g->first) {
		archive_complain(&c->a, "a group is empty");
		pool_release(&c->st->pool, g, sizeof(*g));
	} else if (g->listed && !ckpt_file(c, &c->st->groups, (uint64_t)g->pid, g)) {
		g->listed = false;
		archive_complain(&c->a, "a group is there twice");
	}
}

/* Each group in the place of its first member. */
static void groups(struct checkpoint *c, const struct map_slot *threads, uint64_t n)
{
	uint64_t count = 0;

	for (uint64_t i = 0; threads && i < n; i++) {
		const struct state_thread *t = threads[i].value;

		count += t->group && t->group->first == t;
	}
	count = archive_count(&c->a, count);
	for (uint64_t i = 0; threads && i < n; i++) {
		const struct state_thread *t = threads[i].value;

		if (t->group && t->group->first == t)
			save_group(c, t->group);
	}
	for (uint64_t i = 0; !ckpt_saves(c) && i < count && !ckpt_broken(c); i++)
		restore_group(c);
}

/* ---- parents and children ---- */

static void save_children(struct checkpoint *c, const struct state_thread *parent)
{
	uint64_t n = 0;

	for (const struct state_thread *t = parent->first_child; t; t = t->next_sibling)
		n++;
	if (!n)
		return;
	archive_i64(&c->a, parent->tid);
	archive_count(&c->a, n);
	for (const struct state_thread *t = parent->first_child; t; t = t->next_sibling)
		archive_i64(&c->a, t->tid);
}

static void restore_children(struct checkpoint *c)
{
	struct state_thread *parent = next_thread(c), *last = NULL, *t;
	uint64_t n = archive_count(&c->a, 0);

	if (!parent || parent->first_child) {
		archive_complain(&c->a, "a parent is there twice");
		return;
	}
	for (uint64_t i = 0; i < n && (t = next_thread(c)); i++) {
		if (t->linked_parent) {
			archive_complain(&c->a, "a thread has two parents");
			return;
		}
		t->linked_parent = parent;
		t->prev_sibling = last;
		if (last)
			last->next_sibling = t;
		else
			parent->first_child = t;
		last = t;
	}
}

static void families(struct checkpoint *c, const struct map_slot *threads, uint64_t n)
{
	uint64_t count = 0;

	for (uint64_t i = 0; threads && i < n; i++)
		count += ((const struct state_thread *)threads[i].value)->first_child != NULL;
	count = archive_count(&c->a, count);
	for (uint64_t i = 0; threads && i < n; i++)
		save_children(c, threads[i].value);
	for (uint64_t i = 0; !ckpt_saves(c) && i < count && !ckpt_broken(c); i++)
		restore_children(c);
}

void ckpt_threads(struct checkpoint *c)
{
	struct map_slot *all;
	uint64_t n = c->st->threads.count;

	ckpt_values(c, &c->st->threads, one_thread, NULL);
	all = ckpt_saves(c) ? ckpt_sorted(c, &c->st->threads) : NULL;
	groups(c, all, n);
	families(c, all, n);
	free(all);
}
