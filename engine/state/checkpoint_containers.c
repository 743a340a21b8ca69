/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state/checkpoint.h"

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
	ckpt_text(c, &u->name);
	ckpt_text(c, &u->home);
	ckpt_text(c, &u->shell);
	return ckpt_saves(c) || state_user_restore_take(c->st, arg, &read, listed);
}

void ckpt_user_space(struct checkpoint *c, struct state_user_space *space)
{
	ckpt_values(c, &space->users, one_user, &space->users);
	ckpt_values(c, &space->groups, one_user, &space->groups);
}

bool ckpt_one_space(struct checkpoint *c, void *value)
{
	struct state_user_space *space = value;
	struct state_str *id = space ? space->id : NULL;

	ckpt_text(c, &id);
	if (!ckpt_saves(c)) {
		space = id ? state_users_space(c->st, state_sv(id)) : NULL;
		state_str_unref(c->st, id);
	}
	if (!space || (!ckpt_saves(c) && space->users.count + space->groups.count))
		return false;
	ckpt_user_space(c, space);
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
		ckpt_text(c, texts[k]);
}

/* Restoring: room for *@n items of @size, which a limit bounds as it does those of events. */
static void *items(struct checkpoint *c, void *list, uint32_t *n, size_t size)
{
	uint64_t count = archive_count(&c->a, *n);

	if (ckpt_saves(c) || !count)
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
		ckpt_text(c, &(*l)[i].key);
		ckpt_text(c, &(*l)[i].value);
	}
}

static void mounts(struct checkpoint *c, struct state_container *info)
{
	info->mounts = items(c, info->mounts, &info->mount_count, sizeof(*info->mounts));
	for (uint32_t i = 0; i < info->mount_count; i++) {
		struct state_mount *m = &info->mounts[i];

		ckpt_text(c, &m->source);
		ckpt_text(c, &m->dest);
		ckpt_text(c, &m->mode);
		ckpt_text(c, &m->propagation);
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
		ckpt_text(c, &rec->probes[i].exe);
		ckpt_list(c, &rec->probes[i].args);
	}
	rec->has_ip4 = archive_bool(&c->a, rec->has_ip4);
	archive_bytes(&c->a, rec->ip4, sizeof(rec->ip4));
}

bool ckpt_one_container(struct checkpoint *c, void *value)
{
	struct state_container_rec *rec = value;
	size_t before = c->st->containers.count;

	if (ckpt_saves(c)) {
		container(c, rec);
		return true;
	}
	rec = state_container_rec_new(c->st);
	if (!rec)
		return false;
	container(c, rec);
	if (!ckpt_broken(c))
		state_container_store(c->st, rec);
	state_container_unref(c->st, rec);
	return c->st->containers.count > before;
}

void ckpt_last_container(struct checkpoint *c)
{
	struct state *st = c->st;
	struct state_container_rec *rec = st->last_container, *known = NULL;

	if (!archive_bool(&c->a, rec != NULL))
		return;
	st->last_container_num = archive_u64(&c->a, st->last_container_num);
	if (ckpt_saves(c))
		known = state_container_rec_find(st, state_sv(rec->info.id));
	if (archive_bool(&c->a, known && known == rec)) {
		struct state_str *id = ckpt_saves(c) ? rec->info.id : NULL;

		ckpt_text(c, &id);
		if (ckpt_saves(c))
			return;
		st->last_container = state_container_rec_find(st, state_sv(id));
		state_str_unref(st, id);
		if (st->last_container)
			st->last_container->refs++;
		else
			archive_complain(&c->a, "it refers to a container that is not there");
		return;
	}
	if (!ckpt_saves(c))
		st->last_container = rec = state_container_rec_new(st);
	if (rec)
		container(c, rec);
}
