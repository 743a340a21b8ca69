/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole state as bytes and back. A text is written once and referred to by its number from then
 * on. Equal states give equal bytes: whatever has no order of its own is sorted.
 *
 * What is restored is not trusted: references must lead somewhere, no thread is in two groups or
 * has two parents, and limits hold as they do for events.
 */
#include "engine/state/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/archive.h"

#define CHECKPOINT_MAGIC   0x74706b63u /* "ckpt" */
#define CHECKPOINT_VERSION 1u

enum { TEXT_NONE, TEXT_NEW, TEXT_FIRST }; /* TEXT_FIRST + i: text number i */

struct checkpoint {
	struct archive a;
	struct state *st;
	struct smap numbers;	  /* saving: text -> its number + 1 */
	struct state_str **texts; /* restoring: by number, with a reference each */
	size_t count, cap;
	bool drops_containers; /* restoring: threads are to belong to the host */
};

static bool saves(const struct checkpoint *c)
{
	return archive_saves(&c->a);
}

/* Restoring: is it over? */
static bool broken(const struct checkpoint *c)
{
	return c->a.trouble || c->st->nomem;
}

/* ---- texts ---- */

static void put_text(struct checkpoint *c, const struct state_str *s)
{
	struct sv text = state_sv(s);
	uintptr_t known;

	if (!s) {
		archive_u64(&c->a, TEXT_NONE);
		return;
	}
	known = (uintptr_t)smap_get(&c->numbers, text);
	archive_u64(&c->a, known ? TEXT_FIRST + known - 1 : TEXT_NEW);
	if (known)
		return;
	archive_text(&c->a, text);
	if (smap_put(&c->numbers, text, (void *)(++c->count)) < 0)
		c->a.out->failed = true;
}

static struct state_str *new_text(struct checkpoint *c)
{
	struct sv text = archive_text(&c->a, SV_NONE);

	if (text.n == 0) {
		archive_complain(&c->a, "a text is empty");
		return NULL;
	}
	if (c->count == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		struct state_str **new = realloc(c->texts, cap * sizeof(struct state_str *));

		if (!new) {
			c->st->nomem = true;
			return NULL;
		}
		c->texts = new;
		c->cap = cap;
	}
	c->texts[c->count] = state_str_new(c->st, text);
	return c->texts[c->count] ? c->texts[c->count++] : NULL;
}

static struct state_str *get_text(struct checkpoint *c)
{
	uint64_t n = archive_u64(&c->a, 0);

	if (n == TEXT_NONE || broken(c))
		return NULL;
	if (n == TEXT_NEW)
		return state_str_ref(new_text(c));
	if (n - TEXT_FIRST < c->count)
		return state_str_ref(c->texts[n - TEXT_FIRST]);
	archive_complain(&c->a, "it refers to a text that is not there");
	return NULL;
}

/* Restoring, *@s must be empty. */
static void text(struct checkpoint *c, struct state_str **s)
{
	if (saves(c))
		put_text(c, *s);
	else
		*s = get_text(c);
}

static void list(struct checkpoint *c, struct state_list *l)
{
	text(c, &l->block);
	if (!saves(c))
		l->count = state_list_count(state_sv(l->block));
}

/* ---- entries of maps, in order ---- */

static int by_key(const void *a, const void *b)
{
	const struct map_slot *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int by_name(const void *a, const void *b)
{
	const struct smap_slot *x = a, *y = b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int cmp = n ? memcmp(x->key.p, y->key.p, n) : 0;

	return cmp ? cmp : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

/* Saving: copies of the entries, for the caller to free; NULL: none (or out of memory, latched). */
static struct map_slot *sorted(struct checkpoint *c, const struct map *m)
{
	struct map_slot *all = m->count ? malloc(m->count * sizeof(*all)) : NULL;
	const struct map_slot *slot;
	size_t n = 0;

	if (!all) {
		c->a.out->failed |= m->count != 0;
		return NULL;
	}
	for (size_t at = 0; (slot = map_next(m, &at));)
		all[n++] = *slot;
	qsort(all, n, sizeof(*all), by_key);
	return all;
}

static struct smap_slot *sorted_names(struct checkpoint *c, const struct smap *m)
{
	struct smap_slot *all = m->count ? malloc(m->count * sizeof(*all)) : NULL;
	const struct smap_slot *slot;
	size_t n = 0;

	if (!all) {
		c->a.out->failed |= m->count != 0;
		return NULL;
	}
	for (size_t at = 0; (slot = smap_next(m, &at));)
		all[n++] = *slot;
	qsort(all, n, sizeof(*all), by_name);
	return all;
}

/*
 * Save each value of @m in the order of the keys, or restore as many by @one, which is given NULL,
 * files what it restored, and returns false when that was not possible.
 */
static void values(struct checkpoint *c, const struct map *m,
		   bool (*one)(struct checkpoint *c, void *value, void *arg), void *arg)
{
	struct map_slot *all = saves(c) ? sorted(c, m) : NULL;
	uint64_t n = archive_count(&c->a, all ? m->count : 0);

	for (uint64_t i = 0; i < n && (saves(c) || !broken(c)); i++)
		if (!one(c, all ? all[i].value : NULL, arg))
			archive_complain(&c->a, "a record is there twice, or over a limit");
	free(all);
}

static void named_values(struct checkpoint *c, const struct smap *m,
			 bool (*one)(struct checkpoint *c, void *value))
{
	struct smap_slot *all = saves(c) ? sorted_names(c, m) : NULL;
	uint64_t n = archive_count(&c->a, all ? m->count : 0);

	for (uint64_t i = 0; i < n && (saves(c) || !broken(c)); i++)
		if (!one(c, all ? all[i].value : NULL))
			archive_complain(&c->a, "a record is there twice, or over a limit");
	free(all);
}

/* File @value, which is the caller's if that fails. */
static bool file(struct checkpoint *c, struct map *m, uint64_t key, void *value)
{
	if (broken(c) || map_get(m, key))
		return false;
	if (map_put(m, key, value) == 0)
		return true;
	c->st->nomem = true;
	return false;
}

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
	text(c, &fd->name);
	text(c, &fd->name_raw);
	text(c, &fd->old_name);
	socket_of(c, fd);
}

static void save_fds(struct checkpoint *c, const struct state_fds *table)
{
	archive_count(&c->a, table ? table->count : 0);
	for (uint32_t i = 0; table && i < table->direct_cap; i++)
		if (table->direct[i])
			one_fd(c, table->direct[i]);
	for (uint32_t i = 0; table && i < table->far_count; i++)
		one_fd(c, table->far[i]);
}

static void restore_fds(struct checkpoint *c, struct state_fds **table)
{
	uint64_t n = archive_count(&c->a, 0);

	for (uint64_t i = 0; i < n && !broken(c); i++) {
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
    ARCHIVE_U(struct state_thread, generation),
    ARCHIVE_U(struct state_thread, main_generation),
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
	if (broken(c))
		return NULL;
	s = state_stored_new(c->st, &head, bytes);
	c->st->nomem |= !s;
	return s;
}

static void thread_texts(struct checkpoint *c, struct state_thread *t)
{
	text(c, &t->comm);
	text(c, &t->exe);
	text(c, &t->exepath);
	text(c, &t->cwd);
	text(c, &t->root);
	text(c, &t->cmdline);
	text(c, &t->container_id);
	list(c, &t->args);
	list(c, &t->env);
	list(c, &t->cgroups);
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
	if (!state_threads_full(c->st) && file(c, &c->st->threads, (uint64_t)t->tid, t))
		return true;
	state_thread_free(c->st, t);
	return false;
}

static bool one_thread(struct checkpoint *c, void *value, void *arg)
{
	struct state_thread *t = value;

	(void)arg;
	if (!saves(c))
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
	return broken(c) ? NULL : t;
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
	} else if (g->listed && !file(c, &c->st->groups, (uint64_t)g->pid, g)) {
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
	for (uint64_t i = 0; !saves(c) && i < count && !broken(c); i++)
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
	for (uint64_t i = 0; !saves(c) && i < count && !broken(c); i++)
		restore_children(c);
}

static void threads(struct checkpoint *c)
{
	struct map_slot *all;
	uint64_t n = c->st->threads.count;

	values(c, &c->st->threads, one_thread, NULL);
	all = saves(c) ? sorted(c, &c->st->threads) : NULL;
	groups(c, all, n);
	families(c, all, n);
	free(all);
}

/* ---- threads that are no more ---- */

static void exited(struct checkpoint *c)
{
	struct state_exited *x = &c->st->exited;
	uint64_t n = archive_count(&c->a, x->used);
	uint32_t at = x->used == STATE_EXITED_MAX ? x->at : 0;

	for (uint64_t i = 0; i < n && (saves(c) || !broken(c)); i++) {
		struct state_exited_entry e = {0};

		if (saves(c))
			e = x->ring[(at + i) % STATE_EXITED_MAX];
		e.ptid = (uint32_t)archive_u64(&c->a, e.ptid);
		e.tid = (uint32_t)archive_u64(&c->a, e.tid);
		e.ts = archive_u64(&c->a, e.ts);
		if (!saves(c))
			state_exited_push(x, e.ptid, e.tid, e.ts);
	}
}

static void suppressed(struct checkpoint *c)
{
	struct map *m = &c->st->suppressed_tids;
	struct map_slot *all = saves(c) ? sorted(c, m) : NULL;
	uint64_t n = archive_count(&c->a, all ? m->count : 0);

	for (uint64_t i = 0; i < n && (saves(c) || !broken(c)); i++) {
		int64_t tid = archive_i64(&c->a, all ? (int64_t)all[i].key : 0);

		if (!saves(c))
			state_suppress_tid(c->st, tid);
	}
	free(all);
}

/* ---- users ---- */

static bool one_user(struct checkpoint *c, void *value, void *arg)
{
	struct state_user *u = value, read = {0};
	bool listed = u && state_user_is_listed(u);

	if (!u)
		u = &read;
	u->id = (uint32_t)archive_u64(&c->a, u->id);
	u->gid = (uint32_t)archive_u64(&c->a, u->gid);
	listed = archive_bool(&c->a, listed);
	text(c, &u->name);
	text(c, &u->home);
	text(c, &u->shell);
	return saves(c) || state_user_restore_take(c->st, arg, &read, listed);
}

static void user_space(struct checkpoint *c, struct state_user_space *space)
{
	values(c, &space->users, one_user, &space->users);
	values(c, &space->groups, one_user, &space->groups);
}

static bool one_space(struct checkpoint *c, void *value)
{
	struct state_user_space *space = value;
	struct state_str *id = space ? space->id : NULL;

	text(c, &id);
	if (!saves(c)) {
		space = id ? state_users_space(c->st, state_sv(id)) : NULL;
		state_str_unref(c->st, id);
	}
	if (!space || (!saves(c) && space->users.count + space->groups.count))
		return false;
	user_space(c, space);
	return true;
}

/* ---- containers ---- */

static const struct archive_field container_fields[] = {
    ARCHIVE_U(struct state_container, type),
    ARCHIVE_B(struct state_container, privileged),
    ARCHIVE_B(struct state_container, host_pid),
    ARCHIVE_B(struct state_container, host_network),
    ARCHIVE_B(struct state_container, host_ipc),
    ARCHIVE_B(struct state_container, is_pod_sandbox),
    ARCHIVE_I(struct state_container, created_time),
};

static void container_texts(struct checkpoint *c, struct state_container *i)
{
	struct state_str **texts[] = {
	    &i->id,	   &i->full_id,	     &i->name, &i->image, &i->image_id, &i->image_repo,
	    &i->image_tag, &i->image_digest, &i->user, &i->ip,	  &i->cni_json, &i->pod_sandbox_id};

	for (size_t k = 0; k < COUNT_OF(texts); k++)
		text(c, texts[k]);
}

/* Restoring: room for *@n items of @size, which a limit bounds as it does those of events. */
static void *items(struct checkpoint *c, void *list, uint32_t *n, size_t size)
{
	uint64_t count = archive_count(&c->a, *n);

	if (saves(c) || !count)
		return list;
	if (count <= STATE_CONTAINER_ITEMS_MAX)
		list = pool_zalloc(&c->st->pool, count * size);
	else
		archive_complain(&c->a, "a container has too many labels or mounts");
	c->st->nomem |= !list && !c->a.trouble;
	*n = list ? (uint32_t)count : 0;
	return list;
}

static void labels(struct checkpoint *c, struct state_label **l, uint32_t *n)
{
	*l = items(c, *l, n, sizeof(**l));
	for (uint32_t i = 0; i < *n; i++) {
		text(c, &(*l)[i].key);
		text(c, &(*l)[i].value);
	}
}

static void mounts(struct checkpoint *c, struct state_container *info)
{
	info->mounts = items(c, info->mounts, &info->mount_count, sizeof(*info->mounts));
	for (uint32_t i = 0; i < info->mount_count; i++) {
		struct state_mount *m = &info->mounts[i];

		text(c, &m->source);
		text(c, &m->dest);
		text(c, &m->mode);
		text(c, &m->propagation);
		m->rdwr = archive_bool(&c->a, m->rdwr);
	}
}

static void container(struct checkpoint *c, struct state_container_rec *rec)
{
	ARCHIVE_FIELDS(&c->a, &rec->info, container_fields);
	container_texts(c, &rec->info);
	labels(c, &rec->info.labels, &rec->info.label_count);
	labels(c, &rec->info.sandbox_labels, &rec->info.sandbox_label_count);
	mounts(c, &rec->info);
	for (unsigned i = 0; i < STATE_PROBES; i++) {
		text(c, &rec->probes[i].exe);
		list(c, &rec->probes[i].args);
	}
	rec->has_ip4 = archive_bool(&c->a, rec->has_ip4);
	archive_bytes(&c->a, rec->ip4, sizeof(rec->ip4));
}

static bool one_container(struct checkpoint *c, void *value)
{
	struct state_container_rec *rec = value;
	size_t before = c->st->containers.count;

	if (saves(c)) {
		container(c, rec);
		return true;
	}
	rec = state_container_rec_new(c->st);
	if (!rec)
		return false;
	container(c, rec);
	if (!broken(c))
		state_container_store(c->st, rec);
	state_container_unref(c->st, rec);
	return c->st->containers.count > before;
}

/* That of the last container event: one of those known, or one that was removed or replaced. */
static void last_container(struct checkpoint *c)
{
	struct state *st = c->st;
	struct state_container_rec *rec = st->last_container, *known = NULL;

	if (!archive_bool(&c->a, rec != NULL))
		return;
	st->last_container_num = archive_u64(&c->a, st->last_container_num);
	if (saves(c))
		known = state_container_rec_find(st, state_sv(rec->info.id));
	if (archive_bool(&c->a, known && known == rec)) {
		struct state_str *id = saves(c) ? rec->info.id : NULL;

		text(c, &id);
		if (saves(c))
			return;
		st->last_container = state_container_rec_find(st, state_sv(id));
		state_str_unref(st, id);
		if (st->last_container)
			st->last_container->refs++;
		else
			archive_complain(&c->a, "it refers to a container that is not there");
		return;
	}
	if (!saves(c))
		st->last_container = rec = state_container_rec_new(st);
	if (rec)
		container(c, rec);
}

/* ---- the rest ---- */

static bool one_hash(struct checkpoint *c, void *value, void *arg)
{
	struct state_exe_hash *h = value, read = {0};

	(void)arg;
	if (!h)
		h = &read;
	text(c, &h->path);
	h->ino = archive_u64(&c->a, h->ino);
	h->ctime = archive_u64(&c->a, h->ctime);
	archive_bytes(&c->a, h->sha256, sizeof(h->sha256));
	h->ambiguous = archive_bool(&c->a, h->ambiguous);
	return saves(c) || state_exe_hash_restore_take(c->st, &read);
}

static void machine(struct checkpoint *c)
{
	struct state_machine *m = &c->st->machine;

	text(c, &m->hostname);
	m->num_cpus = (uint32_t)archive_u64(&c->a, m->num_cpus);
	m->memory_bytes = archive_u64(&c->a, m->memory_bytes);
	m->max_pid = archive_u64(&c->a, m->max_pid);
	m->boot_ts = archive_u64(&c->a, m->boot_ts);
	m->known = archive_bool(&c->a, m->known);
}

static void interfaces(struct checkpoint *c, struct state_interfaces *list)
{
	uint64_t n = archive_count(&c->a, list->count);

	for (uint64_t i = 0; i < n && (saves(c) || !broken(c)); i++) {
		struct state_interface one = {0};

		if (saves(c))
			one = list->list[i];
		archive_bytes(&c->a, one.addr, sizeof(one.addr));
		archive_bytes(&c->a, one.netmask, sizeof(one.netmask));
		if (!saves(c))
			state_interface_add(c->st, list, &one);
	}
}

/* Ports of listeners: the set bits. */
static void server_ports(struct checkpoint *c)
{
	uint8_t *bits = c->st->server_ports;
	uint64_t n = 0;

	for (unsigned port = 0; port < 65536; port++)
		n += bits[port / 8] >> port % 8 & 1;
	n = archive_count(&c->a, n);
	for (unsigned port = 0; saves(c) && port < 65536; port++)
		if (bits[port / 8] >> port % 8 & 1)
			archive_u64(&c->a, port);
	for (uint64_t i = 0; !saves(c) && i < n; i++) {
		unsigned port = archive_u64(&c->a, 0) & 0xffff;

		bits[port / 8] |= (uint8_t)(1u << port % 8);
	}
}

static const struct archive_field state_fields[] = {
    ARCHIVE_U(struct state, generation),     ARCHIVE_B(struct state, pending_exit),
    ARCHIVE_B(struct state, pending_close),  ARCHIVE_I(struct state, pending_tid),
    ARCHIVE_I(struct state, pending_fd_tid), ARCHIVE_I(struct state, pending_fd),
};

static const struct archive_field stats_fields[] = {
    ARCHIVE_U(struct state_stats, events),	ARCHIVE_U(struct state_stats, suppressed),
    ARCHIVE_U(struct state_stats, malformed),	ARCHIVE_U(struct state_stats, threads_dropped),
    ARCHIVE_U(struct state_stats, fds_dropped), ARCHIVE_U(struct state_stats, first_ts),
    ARCHIVE_U(struct state_stats, last_ts),	ARCHIVE_U(struct state_stats, first_event_ts),
};

/*
 * Options that decide what the state holds. What is known of containers can be left out when it is
 * there, but not made up for.
 */
static void options(struct checkpoint *c)
{
	bool has_suppressed = c->st->suppressed_comms.count != 0;
	bool without = archive_bool(&c->a, c->st->no_containers);

	c->drops_containers = c->st->no_containers && !without;
	if ((without && !c->st->no_containers) ||
	    archive_bool(&c->a, has_suppressed) != has_suppressed)
		archive_complain(&c->a, "it was made with other options");
}

static void head(struct checkpoint *c)
{
	if (archive_u64(&c->a, CHECKPOINT_MAGIC) != CHECKPOINT_MAGIC ||
	    archive_u64(&c->a, CHECKPOINT_VERSION) != CHECKPOINT_VERSION)
		archive_complain(&c->a, "it is no checkpoint of this version");
	options(c);
}

static void everything(struct checkpoint *c)
{
	struct state *st = c->st;

	head(c);
	machine(c);
	interfaces(c, &st->ipv4);
	interfaces(c, &st->ipv6);
	server_ports(c);
	user_space(c, &st->host);
	named_values(c, &st->user_spaces, one_space);
	named_values(c, &st->containers, one_container);
	last_container(c);
	values(c, &st->exe_hashes, one_hash, NULL);
	suppressed(c);
	exited(c);
	threads(c);
	/* Last, because restoring counts and touches. */
	ARCHIVE_FIELDS(&c->a, st, state_fields);
	ARCHIVE_FIELDS(&c->a, &st->stats, stats_fields);
}

int state_save(const struct state *st, struct buf *out, struct error *err)
{
	struct checkpoint c = {.a = archive_to(out), .st = (struct state *)st};

	if (st->phase != STATE_RUN)
		return error_set(err, ERR_USAGE, "the initial state is not complete yet");
	everything(&c);
	smap_done(&c.numbers);
	return out->failed ? error_nomem(err) : 0;
}

int state_restore(const struct state_options *opt, const void *p, size_t n, struct state **out,
		  struct error *err)
{
	struct checkpoint c = {.a = archive_from(p, n)};
	int rc = state_new(opt, &c.st, err);

	if (rc < 0)
		return rc;
	c.st->phase = STATE_RUN;
	everything(&c);
	if (!c.a.trouble && c.a.in.left)
		archive_complain(&c.a, "something follows its end");
	for (size_t i = 0; i < c.count; i++)
		state_str_unref(c.st, c.texts[i]);
	free(c.texts);
	if (c.st->nomem)
		rc = error_nomem(err);
	else if (c.a.trouble)
		rc = error_set(err, ERR_FORMAT, "this checkpoint cannot be used: %s", c.a.trouble);
	if (rc < 0) {
		state_free(c.st);
		return rc;
	}
	*out = c.st;
	return 0;
}
