/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups, of the host and of containers: what the capture's list and its events say, and
 * nothing else. The special names of id 0 are left to whoever shows them.
 */
#include "engine/state/internal.h"

struct user {
	struct state_user is; /* first: what look-ups hand out */
	bool listed;	      /* from the capture's list, which wins over events at the head */
};

static void user_free(struct state *st, struct user *u)
{
	state_str_unref(st, u->is.name);
	state_str_unref(st, u->is.home);
	state_str_unref(st, u->is.shell);
	pool_release(&st->pool, u, sizeof(*u));
}

static void clear_map(struct state *st, struct map *m)
{
	struct map_slot *slot;

	for (size_t at = 0; (slot = map_next(m, &at));)
		user_free(st, slot->value);
	st->users -= (uint32_t)m->count;
	map_done(m);
}

void state_users_clear_host(struct state *st)
{
	clear_map(st, &st->host.users);
	clear_map(st, &st->host.groups);
}

void state_users_clear(struct state *st)
{
	struct smap_slot *slot;

	state_users_clear_host(st);
	for (size_t at = 0; (slot = smap_next(&st->user_spaces, &at));) {
		struct state_user_space *space = slot->value;

		clear_map(st, &space->users);
		clear_map(st, &space->groups);
		state_str_unref(st, space->id);
		pool_release(&st->pool, space, sizeof(*space));
	}
	smap_done(&st->user_spaces);
}

static struct state_user_space *find_space(const struct state *st, struct sv container)
{
	if (container.n == 0)
		return (struct state_user_space *)&st->host;
	return smap_get(&st->user_spaces, container);
}

struct state_user_space *state_users_space(struct state *st, struct sv container)
{
	struct state_user_space *space = find_space(st, container);

	if (space || st->user_spaces.count >= STATE_USER_SPACES_MAX)
		return space;
	space = pool_zalloc(&st->pool, sizeof(*space));
	if (space)
		space->id = state_str_new(st, container);
	if (space && space->id && smap_put(&st->user_spaces, state_sv(space->id), space) == 0)
		return space;
	if (space)
		state_str_unref(st, space->id);
	pool_release(&st->pool, space, sizeof(*space));
	st->nomem = true;
	return NULL;
}

static struct user *user_new(struct state *st, struct map *m, uint32_t id, uint32_t gid)
{
	struct user *u;

	if (st->users >= STATE_USERS_MAX)
		return NULL;
	u = pool_zalloc(&st->pool, sizeof(*u));
	if (!u || map_put(m, id, u) < 0) {
		pool_release(&st->pool, u, sizeof(*u));
		st->nomem = true;
		return NULL;
	}
	u->is.id = id;
	u->is.gid = gid;
	st->users++;
	return u;
}

bool state_user_is_listed(const struct state_user *u)
{
	return ((const struct user *)u)->listed;
}

bool state_user_restore_take(struct state *st, struct map *m, struct state_user *from, bool listed)
{
	struct user *u = map_get(m, from->id) ? NULL : user_new(st, m, from->id, from->gid);

	if (!u) {
		state_str_unref(st, from->name);
		state_str_unref(st, from->home);
		state_str_unref(st, from->shell);
		return false;
	}
	u->is = *from;
	u->listed = listed;
	return true;
}

/* Events at the head of a capture repeat what its list says; the list is the newer one. */
static bool is_settled(const struct state *st, const struct user *u)
{
	return u->listed && st->phase == STATE_HEAD;
}

void state_users_put(struct state *st, struct sv container, const struct ev_user *from, bool group)
{
	struct state_user_space *space;
	uint32_t id = group ? from->gid : from->uid;
	struct user *u;
	struct map *m;

	/* Names that nsswitch files use to include or exclude others. */
	if (from->name.n && (from->name.p[0] == '+' || from->name.p[0] == '-'))
		return;
	space = state_users_space(st, container);
	if (!space)
		return;
	m = group ? &space->groups : &space->users;
	u = map_get(m, id);
	if (!u)
		u = user_new(st, m, id, from->gid);
	if (!u || is_settled(st, u))
		return;
	u->listed = st->phase == STATE_BOOT;
	state_str_set(st, &u->is.name, from->name);
	if (group)
		return;
	state_str_set(st, &u->is.home, from->home);
	state_str_set(st, &u->is.shell, from->shell);
}

static void remove_user(struct state *st, struct sv container, uint32_t id, bool group)
{
	struct state_user_space *space = find_space(st, container);
	struct user *u;
	struct map *m;

	if (!space)
		return;
	m = group ? &space->groups : &space->users;
	u = map_get(m, id);
	if (!u || is_settled(st, u))
		return;
	map_take(m, id);
	user_free(st, u);
	st->users--;
}

const struct state_user *state_user_find(const struct state *st,
					 const struct state_str *container_id, uint32_t uid)
{
	const struct state_user_space *space = find_space(st, state_sv(container_id));
	const struct state_user *u = space ? map_get(&space->users, uid) : NULL;

	return u || !container_id || !st->host_names ? u : state_user_find(st, NULL, uid);
}

const struct state_user *state_group_find(const struct state *st,
					  const struct state_str *container_id, uint32_t gid)
{
	const struct state_user_space *space = find_space(st, state_sv(container_id));
	const struct state_user *g = space ? map_get(&space->groups, gid) : NULL;

	return g || !container_id || !st->host_names ? g : state_group_find(st, NULL, gid);
}

/* --- events --- */

static struct sv container_param(struct state_event *e, unsigned i)
{
	return ev_param(e->ev, i).n ? ev_str(e->ev, i) : SV_NONE;
}

void state_on_user_added(struct state_event *e)
{
	struct ev_user u = {
	    .name = ev_str(e->ev, 2),
	    .home = ev_str(e->ev, 3),
	    .shell = ev_str(e->ev, 4),
	};

	if (state_need_u32(e, 0, &u.uid) && state_need_u32(e, 1, &u.gid))
		state_users_put(e->st, container_param(e, 5), &u, false);
}

void state_on_user_deleted(struct state_event *e)
{
	uint32_t uid;

	if (state_need_u32(e, 0, &uid))
		remove_user(e->st, container_param(e, 5), uid, false);
}

void state_on_group_added(struct state_event *e)
{
	struct ev_user u = {.name = ev_str(e->ev, 1)};

	if (state_need_u32(e, 0, &u.gid))
		state_users_put(e->st, container_param(e, 2), &u, true);
}

void state_on_group_deleted(struct state_event *e)
{
	uint32_t gid;

	if (state_need_u32(e, 0, &gid))
		remove_user(e->st, container_param(e, 2), gid, true);
}

const struct state_user *state_user_next(const struct state *st, struct state_users_at *at)
{
	const struct state_user_space *space = &st->host;

	for (;;) {
		struct map_slot *slot;
		struct smap_slot *next;

		if (at->container.n)
			space = smap_get(&st->user_spaces, at->container);
		slot = space ? map_next(&space->users, &at->user) : NULL;
		if (slot)
			return slot->value;
		next = smap_next(&st->user_spaces, &at->space);
		if (!next)
			return NULL;
		at->container = next->key;
		at->user = 0;
	}
}
