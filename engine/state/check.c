/* SPDX-License-Identifier: Apache-2.0 */
/* The invariants of the state, for tests and fuzzing: links, counts, references. */
#include "engine/state/internal.h"

struct check {
	const struct state *st;
	struct error *err;
	struct map refs; /* text -> references found */
	uint64_t fds;
	int rc;
};

#define FAIL(c, ...)                                                                               \
	do {                                                                                       \
		if ((c)->rc == 0)                                                                  \
			(c)->rc = error_set((c)->err, ERR_FORMAT, __VA_ARGS__);                    \
	} while (0)

/* --- references to texts --- */

static void see(struct check *c, const struct state_str *s)
{
	uint64_t key = (uint64_t)(uintptr_t)s;
	uintptr_t n;

	if (!s)
		return;
	n = (uintptr_t)map_get(&c->refs, key);
	if (map_put(&c->refs, key, (void *)(n + 1)) < 0 && c->rc == 0)
		c->rc = error_nomem(c->err);
}

static void see_fd(struct check *c, const struct state_fd *fd)
{
	see(c, fd->name);
	see(c, fd->name_raw);
	see(c, fd->old_name);
}

static void see_thread(struct check *c, const struct state_thread *t)
{
	see(c, t->comm);
	see(c, t->exe);
	see(c, t->exepath);
	see(c, t->cwd);
	see(c, t->root);
	see(c, t->cmdline);
	see(c, t->container_id);
	see(c, t->args.block);
	see(c, t->env.block);
	see(c, t->cgroups.block);
}

static void see_labels(struct check *c, const struct state_label *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		see(c, l[i].key);
		see(c, l[i].value);
	}
}

static void see_container(struct check *c, const struct state_container_rec *rec)
{
	const struct state_container *i = &rec->info;
	const struct state_str *texts[] = {
	    i->id,	  i->full_id,	   i->name, i->image, i->image_id, i->image_repo,
	    i->image_tag, i->image_digest, i->user, i->ip,    i->cni_json, i->pod_sandbox_id};

	for (size_t k = 0; k < COUNT_OF(texts); k++)
		see(c, texts[k]);
	see_labels(c, i->labels, i->label_count);
	see_labels(c, i->sandbox_labels, i->sandbox_label_count);
	for (uint32_t k = 0; k < i->mount_count; k++) {
		see(c, i->mounts[k].source);
		see(c, i->mounts[k].dest);
		see(c, i->mounts[k].mode);
		see(c, i->mounts[k].propagation);
	}
	for (size_t k = 0; k < STATE_PROBES; k++) {
		see(c, rec->probes[k].exe);
		see(c, rec->probes[k].args.block);
	}
}

static void see_users(struct check *c, const struct state_user_space *space)
{
	const struct map *maps[] = {&space->users, &space->groups};
	const struct map_slot *slot;

	see(c, space->id);
	for (size_t i = 0; i < COUNT_OF(maps); i++) {
		for (size_t at = 0; (slot = map_next(maps[i], &at));) {
			const struct state_user *u = slot->value;

			if (u->id != slot->key)
				FAIL(c, "user %u is filed under %llu", u->id,
				     (unsigned long long)slot->key);
			see(c, u->name);
			see(c, u->home);
			see(c, u->shell);
		}
	}
}

static void see_rest(struct check *c)
{
	const struct state *st = c->st;
	const struct map_slot *number;
	const struct smap_slot *slot;

	for (size_t at = 0; (number = map_next(&st->exe_hashes, &at));)
		see(c, ((const struct state_exe_hash *)number->value)->path);
	see(c, st->machine.hostname);
	for (uint32_t i = 0; i < st->ipv4.count; i++)
		see(c, st->ipv4.list[i].name);
	for (uint32_t i = 0; i < st->ipv6.count; i++)
		see(c, st->ipv6.list[i].name);
	see(c, st->host_container.id);
	see(c, st->host_container.full_id);
	see(c, st->host_container.name);
	see(c, st->last_cgroups.path);
	see(c, st->last_cgroups.id);
	for (size_t i = 0; i < STATE_CGROUP_CACHE; i++) {
		see(c, st->cgroup_memos[i].path);
		see(c, st->cgroup_memos[i].id);
	}
	for (size_t at = 0; (slot = smap_next(&st->suppressed_comms, &at));)
		see(c, (const struct state_str *)(const void *)(slot->key.p -
								sizeof(struct state_str)));
	for (size_t at = 0; (slot = smap_next(&st->containers, &at));) {
		const struct state_container_rec *rec = slot->value;

		/* The last one is counted once, whether or not it is also in the table. */
		if (rec != st->last_container)
			see_container(c, rec);
	}
	if (st->last_container)
		see_container(c, st->last_container);
	see_users(c, &st->host);
	for (size_t at = 0; (slot = smap_next(&st->user_spaces, &at));)
		see_users(c, slot->value);
}

static void check_refs(struct check *c)
{
	const struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(&c->refs, &at));) {
		const struct state_str *s = (const void *)(uintptr_t)slot->key;

		if (s->refs != (uintptr_t)slot->value)
			FAIL(c, "text '%.40s' has %u references, %llu were found", s->text, s->refs,
			     (unsigned long long)(uintptr_t)slot->value);
	}
	if (c->refs.count != c->st->strings)
		FAIL(c, "%llu texts are alive, %llu were found", (unsigned long long)c->st->strings,
		     (unsigned long long)c->refs.count);
}

/* --- descriptor tables --- */

static void check_fds(struct check *c, const struct state_thread *t)
{
	const struct state_fds *table = t->fds;
	uint32_t n = 0;

	if (!table)
		return;
	for (uint32_t i = 0; i < table->direct_cap; i++) {
		const struct state_fd *fd = table->direct[i];

		if (!fd)
			continue;
		n++;
		see_fd(c, fd);
		if (fd->num != i)
			FAIL(c, "fd %lld stands in place %u", (long long)fd->num, i);
	}
	for (uint32_t i = 0; i < table->far_count; i++) {
		const struct state_fd *fd = table->far[i];

		see_fd(c, fd);
		if (fd->num >= 0 && fd->num < table->direct_cap)
			FAIL(c, "fd %lld is not in the index", (long long)fd->num);
		if (i && table->far[i - 1]->num >= fd->num)
			FAIL(c, "fd %lld is out of order", (long long)fd->num);
	}
	n += table->far_count;
	if (n != table->count || n > c->st->fds_max)
		FAIL(c, "thread %lld has %u fds, counts %u of at most %u", (long long)t->tid, n,
		     table->count, c->st->fds_max);
	c->fds += n;
}

/* --- the tree --- */

static bool in_table(const struct check *c, const struct state_thread *t)
{
	return map_get(&c->st->threads, (uint64_t)t->tid) == t;
}

static void check_children(struct check *c, const struct state_thread *t)
{
	const struct state_thread *prev = NULL;
	uint32_t n = 0;

	for (const struct state_thread *k = t->first_child; k; prev = k, k = k->next_sibling) {
		n++;
		if (k->linked_parent != t || k->prev_sibling != prev)
			FAIL(c, "child %lld of %lld is badly linked", (long long)k->tid,
			     (long long)t->tid);
		if (n > c->st->threads.count) {
			FAIL(c, "the children of %lld form a loop", (long long)t->tid);
			return;
		}
	}
	if (n && !t->had_children)
		FAIL(c, "%lld has %u children, and does not know", (long long)t->tid, n);
	if (t->linked_parent && !in_table(c, t->linked_parent))
		FAIL(c, "the parent of %lld is not in the table", (long long)t->tid);
}

static void check_thread(struct check *c, const struct state_thread *t, uint64_t key)
{
	if ((uint64_t)t->tid != key)
		FAIL(c, "thread %lld is filed under %llu", (long long)t->tid,
		     (unsigned long long)key);
	if (t->generation > c->st->generation)
		FAIL(c, "thread %lld is from the future", (long long)t->tid);
	see_thread(c, t);
	check_fds(c, t);
	check_children(c, t);
}

/* Every thread of the list points to its group and back. */
static void check_group(struct check *c, const struct state_group *g)
{
	const struct state_thread *prev = NULL;
	uint64_t n = 0;

	for (const struct state_thread *t = g->first; t; prev = t, t = t->group_next) {
		if (t->group != g || t->group_prev != prev || !in_table(c, t))
			FAIL(c, "thread %lld is badly linked into group %lld", (long long)t->tid,
			     (long long)g->pid);
		if (++n > c->st->threads.count) {
			FAIL(c, "group %lld is a loop", (long long)g->pid);
			return;
		}
	}
	if (n == 0 || g->last != prev)
		FAIL(c, "group %lld is empty or has a wrong end", (long long)g->pid);
}

static void check_groups(struct check *c)
{
	const struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(&c->st->groups, &at));) {
		const struct state_group *g = slot->value;

		if ((uint64_t)g->pid != slot->key || !g->listed)
			FAIL(c, "group %lld is filed under %llu", (long long)g->pid,
			     (unsigned long long)slot->key);
		check_group(c, g);
	}
}

/* Every remembered exit is in the chain of its bucket, once. */
static void check_exited(struct check *c)
{
	const struct state_exited *x = &c->st->exited;
	uint32_t n = 0;

	for (uint32_t b = 0; b < STATE_EXITED_BUCKETS; b++) {
		uint16_t prev = 0;

		for (uint16_t i = x->buckets[b]; i; prev = i, i = x->ring[i - 1].next) {
			const struct state_exited_entry *e = &x->ring[i - 1];

			if (e->prev != prev || state_exited_bucket(e->ptid, e->tid) != b)
				FAIL(c, "the exit of %u is in a wrong chain", e->tid);
			if (++n > x->used)
				break;
		}
	}
	if (n != x->used)
		FAIL(c, "%u exits are remembered, %u were found", x->used, n);
}

static void check_cache(struct check *c)
{
	for (size_t i = 0; i < STATE_CACHE; i++) {
		const struct state_thread *t = c->st->cache[i];

		if (t && (!in_table(c, t) || (uint64_t)t->tid % STATE_CACHE != i))
			FAIL(c, "the cache holds thread %lld wrongly", (long long)t->tid);
	}
}

int state_check(const struct state *st, struct error *err)
{
	struct check c = {.st = st, .err = err};
	const struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(&st->threads, &at));) {
		const struct state_thread *t = slot->value;

		check_thread(&c, t, slot->key);
		/* Groups out of the table are reached through their first thread. */
		if (t->group && !t->group->listed && t->group->first == t)
			check_group(&c, t->group);
	}
	check_groups(&c);
	check_cache(&c);
	check_exited(&c);
	if (c.fds != st->fds_total)
		FAIL(&c, "%llu fds are counted, %llu were found", (unsigned long long)st->fds_total,
		     (unsigned long long)c.fds);
	if (st->threads.count > st->threads_max)
		FAIL(&c, "%llu threads exceed the limit of %u",
		     (unsigned long long)st->threads.count, st->threads_max);
	see_rest(&c);
	check_refs(&c);
	map_done(&c.refs);
	return c.rc;
}
