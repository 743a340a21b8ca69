/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: which one a thread is in, and what is known about each. */
#include "engine/state/internal.h"

#include <string.h>

/* --- the table --- */

static void free_labels(struct state *st, struct state_label *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		state_str_unref(st, l[i].key);
		state_str_unref(st, l[i].value);
	}
	if (n)
		pool_release(&st->pool, l, n * sizeof(*l));
}

static void free_mounts(struct state *st, struct state_mount *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		state_str_unref(st, m[i].source);
		state_str_unref(st, m[i].dest);
		state_str_unref(st, m[i].mode);
		state_str_unref(st, m[i].propagation);
	}
	if (n)
		pool_release(&st->pool, m, n * sizeof(*m));
}

static void free_info(struct state *st, struct state_container *c)
{
	struct state_str *texts[] = {c->id,	  c->full_id,	 c->name,      c->image,
				     c->image_id, c->image_repo, c->image_tag, c->image_digest,
				     c->user,	  c->ip,	 c->cni_json,  c->pod_sandbox_id};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		state_str_unref(st, texts[i]);
	free_labels(st, c->labels, c->label_count);
	free_labels(st, c->sandbox_labels, c->sandbox_label_count);
	free_mounts(st, c->mounts, c->mount_count);
}

struct state_container_rec *state_container_rec_new(struct state *st)
{
	struct state_container_rec *c = pool_zalloc(&st->pool, sizeof(*c));

	if (!c) {
		st->nomem = true;
		return NULL;
	}
	c->refs = 1;
	c->info.type = STATE_CT_UNKNOWN;
	return c;
}

void state_container_unref(struct state *st, struct state_container_rec *c)
{
	if (!c || --c->refs)
		return;
	free_info(st, &c->info);
	for (size_t i = 0; i < STATE_PROBES; i++) {
		state_str_unref(st, c->probes[i].exe);
		state_list_clear(st, &c->probes[i].args);
	}
	pool_release(&st->pool, c, sizeof(*c));
}

struct state_container_rec *state_container_rec_find(const struct state *st, struct sv id)
{
	return smap_get(&st->containers, id);
}

const struct state_container *state_container_find(const struct state *st, struct sv id)
{
	const struct state_container_rec *c;

	if (id.n == 0)
		return &st->host_container;
	c = state_container_rec_find(st, id);
	return c ? &c->info : NULL;
}

const struct state_container *state_container_next(const struct state *st, size_t *at)
{
	const struct smap_slot *slot = smap_next(&st->containers, at);
	const struct state_container_rec *c = slot ? slot->value : NULL;

	return c ? &c->info : NULL;
}

const struct state_container *state_container_of_event(const struct state *st, const struct ev *ev)
{
	if (!st->last_container || st->last_container_num != ev->num)
		return NULL;
	return &st->last_container->info;
}

bool state_container_has_ip(const struct state *st, const uint8_t ip[4])
{
	const struct smap_slot *slot;

	for (size_t at = 0; (slot = smap_next(&st->containers, &at));) {
		const struct state_container_rec *c = slot->value;

		if (c->has_ip4 && memcmp(c->ip4, ip, 4) == 0)
			return true;
	}
	return false;
}

void state_container_store(struct state *st, struct state_container_rec *c)
{
	struct sv id = state_sv(c->info.id);
	struct state_container_rec *old = smap_get(&st->containers, id);

	if (!old && st->containers.count >= STATE_CONTAINERS_MAX)
		return;
	if (smap_put(&st->containers, id, c) < 0) {
		st->nomem = true;
		return;
	}
	c->refs++;
	state_container_unref(st, old);
}

void state_containers_clear(struct state *st)
{
	const struct smap_slot *slot;

	for (size_t at = 0; (slot = smap_next(&st->containers, &at));)
		state_container_unref(st, slot->value);
	smap_done(&st->containers);
	state_container_unref(st, st->last_container);
	st->last_container = NULL;
	for (size_t i = 0; i < STATE_CGROUP_CACHE; i++) {
		state_str_unref(st, st->cgroup_memos[i].path);
		state_str_unref(st, st->cgroup_memos[i].id);
		st->cgroup_memos[i] = (struct state_cgroup_memo){0};
	}
	state_str_unref(st, st->last_cgroups.path);
	state_str_unref(st, st->last_cgroups.id);
	st->last_cgroups = (struct state_cgroup_memo){0};
}

/* --- which container a thread is in --- */

static const struct state_cgroup_memo *id_of_path(struct state *st, struct sv path)
{
	struct state_cgroup_memo *memo =
	    &st->cgroup_memos[hash_bytes(path.p, path.n, 0) % STATE_CGROUP_CACHE];
	struct state_str *id;
	uint16_t type;

	if (memo->path && sv_eq(state_sv(memo->path), path))
		return memo;
	id = state_str_new(st, state_cgroup_id(path, &type));
	state_str_unref(st, memo->path);
	state_str_unref(st, memo->id);
	memo->path = state_str_new(st, path);
	memo->id = id;
	memo->type = type;
	return memo;
}

/* The first path that names a container decides. Threads that share their cgroups share the answer.
 */
static const struct state_cgroup_memo *id_of_cgroups(struct state *st,
						     const struct state_list *cgroups)
{
	struct state_cgroup_memo *last = &st->last_cgroups;
	const struct state_cgroup_memo *found = NULL;
	const char *eq;
	struct sv item;

	if (last->path && last->path == cgroups->block)
		return last;
	state_str_share(st, &last->path, cgroups->block);
	for (size_t at = 0; !found && state_list_next(cgroups, &at, &item);) {
		eq = memchr(item.p, '=', item.n);
		if (!eq || eq + 1 == item.p + item.n)
			continue;
		found = id_of_path(st, sv_drop(item, (size_t)(eq + 1 - item.p)));
		if (!found->id)
			found = NULL;
	}
	state_str_share(st, &last->id, found ? found->id : NULL);
	last->type = found ? found->type : STATE_CT_UNKNOWN;
	return last;
}

/* The path alone told the runtime: that much is known without any metadata event. */
static void add_minimal(struct state *st, const struct state_cgroup_memo *memo)
{
	struct state_container_rec *c;

	if (memo->type == STATE_CT_UNKNOWN || state_container_rec_find(st, state_sv(memo->id)))
		return;
	c = state_container_rec_new(st);
	if (!c)
		return;
	c->info.id = state_str_ref(memo->id);
	c->info.type = memo->type;
	state_container_store(st, c);
	state_container_unref(st, c);
}

enum { CATEGORY_NONE, CATEGORY_CONTAINER, CATEGORY_FIRST_PROBE };

static bool list_equals_nonempty(const struct state_list *args, const struct state_list *probe)
{
	size_t at = 0, other = 0;
	struct sv a, b = SV_NONE;

	while (state_list_next(args, &at, &a)) {
		if (a.n == 0)
			continue;
		if (!state_list_next(probe, &other, &b) || !sv_eq(a, b))
			return false;
	}
	return !state_list_next(probe, &other, &b);
}

static bool has_container_init_above(const struct state *st, const struct state_thread *t)
{
	struct state_climb climb = state_climb_start(st, t);
	const struct state_thread *a;

	while ((a = state_climb_next(&climb)))
		if (a->vpid == 1 && a->container_id)
			return true;
	return false;
}

/* Part of the container proper, or one of its health checks? */
static uint16_t category_of(struct state *st, const struct state_thread *t,
			    const struct state_container_rec *c)
{
	const struct state_thread *parent = state_find(st, t->ptid);

	if (t->vpid == 1)
		return CATEGORY_CONTAINER;
	if (parent && parent->container_category)
		return parent->container_category;
	for (uint16_t i = 0; i < STATE_PROBES; i++) {
		const struct state_probe *probe = &c->probes[i];

		if (probe->exe && sv_eq(state_sv(t->exe), state_sv(probe->exe)) &&
		    list_equals_nonempty(&t->args, &probe->args))
			return has_container_init_above(st, t) ? CATEGORY_NONE
							       : CATEGORY_FIRST_PROBE + i;
	}
	return CATEGORY_NONE;
}

void state_container_update(struct state *st, struct state_thread *t)
{
	const struct state_cgroup_memo *memo;
	const struct state_container_rec *c;

	if (st->no_containers)
		return;
	memo = id_of_cgroups(st, &t->cgroups);
	/* Equal texts need not be the same one: the memo may be younger than the thread. */
	if (!sv_eq(state_sv(t->container_id), state_sv(memo->id))) {
		state_str_share(st, &t->container_id, memo->id);
		state_touch(st, t);
	}
	if (!memo->id)
		return;
	add_minimal(st, memo);
	c = state_container_rec_find(st, state_sv(memo->id));
	if (c)
		t->container_category = category_of(st, t, c);
}

/* --- container events --- */

static void set_last(struct state_event *e, struct state_container_rec *c)
{
	state_container_unref(e->st, e->st->last_container);
	e->st->last_container = c;
	e->st->last_container_num = e->ev->num;
}

static void container_added(struct state_event *e, struct sv json)
{
	struct state_container_rec *c = state_container_parse(e->st, json);

	if (!c)
		return;
	state_container_store(e->st, c);
	set_last(e, c);
}

static void container_removed(struct state_event *e, struct sv json)
{
	struct state_container_rec *c = state_container_parse(e->st, json);

	if (!c)
		return;
	state_container_unref(e->st, smap_take(&e->st->containers, state_sv(c->info.id)));
	set_last(e, c);
}

void state_on_async(struct state_event *e)
{
	struct ev_value data = ev_param(e->ev, 2);
	struct sv json = sv_make(data.p, data.n);
	uint32_t plugin;
	struct sv name;

	/* Plugins other than the one for system calls have names of their own. */
	if (!state_need_u32(e, 0, &plugin) || plugin != 0)
		return;
	name = ev_str(e->ev, 1);
	if (sv_is(name, "container"))
		container_added(e, json);
	else if (sv_is(name, "container_removed"))
		container_removed(e, json);
}

void state_on_container_json(struct state_event *e)
{
	struct ev_value data = ev_param(e->ev, 0);

	if (data.n)
		container_added(e, sv_make(data.p, data.n));
}

const char *state_container_type_name(uint16_t type)
{
	static const char *const names[] = {
	    [STATE_CT_DOCKER] = "docker",
	    [STATE_CT_LXC] = "lxc",
	    [STATE_CT_LIBVIRT_LXC] = "libvirt-lxc",
	    [STATE_CT_MESOS] = "mesos",
	    [STATE_CT_RKT] = "rkt",
	    [STATE_CT_CRI] = "cri",
	    [STATE_CT_CONTAINERD] = "containerd",
	    [STATE_CT_CRIO] = "cri-o",
	    [STATE_CT_BPM] = "bpm",
	    [STATE_CT_PODMAN] = "podman",
	};

	if (type == STATE_CT_HOST)
		return "host";
	return type < COUNT_OF(names) && names[type] ? names[type] : "";
}
