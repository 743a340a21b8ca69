/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture tells by events before its first one: containers, their users, hashes of files. */
#include <stdlib.h>

#include "base/json.h"
#include "engine/state/exporting.h"

/* --- containers: the JSON that the parser of containers reads --- */

static void key(struct buf *b, const char *name)
{
	if (b->len && b->p[b->len - 1] != '{' && b->p[b->len - 1] != '[')
		buf_char(b, ',');
	json_string(b, sv_of(name));
	buf_char(b, ':');
}

static void member(struct buf *b, const char *name, const struct state_str *s)
{
	key(b, name);
	json_string(b, state_sv(s));
}

static void member_bool(struct buf *b, const char *name, bool v)
{
	key(b, name);
	buf_str(b, v ? "true" : "false");
}

static void labels(struct buf *b, const char *name, const struct state_label *l, uint32_t n)
{
	key(b, name);
	buf_char(b, '{');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_char(b, ',');
		json_string(b, state_sv(l[i].key));
		buf_char(b, ':');
		json_string(b, state_sv(l[i].value));
	}
	buf_char(b, '}');
}

static void mounts(struct buf *b, const struct state_container *c)
{
	key(b, "Mounts");
	buf_char(b, '[');
	for (uint32_t i = 0; i < c->mount_count; i++) {
		const struct state_mount *m = &c->mounts[i];

		buf_str(b, i ? ",{" : "{");
		member(b, "Source", m->source);
		member(b, "Destination", m->dest);
		member(b, "Mode", m->mode);
		member_bool(b, "RW", m->rdwr);
		member(b, "Propagation", m->propagation);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void probe(struct buf *b, const char *name, const struct state_probe *p)
{
	bool any = false;
	struct sv arg;

	if (!p->exe)
		return;
	key(b, name);
	buf_char(b, '{');
	member(b, "exe", p->exe);
	key(b, "args");
	buf_char(b, '[');
	for (size_t at = 0; state_list_next(&p->args, &at, &arg); any = true) {
		if (any)
			buf_char(b, ',');
		json_string(b, arg);
	}
	buf_str(b, "]}");
}

static void flags(struct buf *b, const struct state_container *c)
{
	member_bool(b, "privileged", c->privileged);
	member_bool(b, "host_pid", c->host_pid);
	member_bool(b, "host_network", c->host_network);
	member_bool(b, "host_ipc", c->host_ipc);
	member_bool(b, "is_pod_sandbox", c->is_pod_sandbox);
}

static void texts(struct buf *b, const struct state_container *c)
{
	const struct {
		const char *name;
		const struct state_str *value;
	} all[] = {
	    {"id", c->id},
	    {"full_id", c->full_id},
	    {"name", c->name},
	    {"image", c->image},
	    {"imageid", c->image_id},
	    {"imagerepo", c->image_repo},
	    {"imagetag", c->image_tag},
	    {"imagedigest", c->image_digest},
	    {"User", c->user},
	    {"ip", c->ip},
	    {"cni_json", c->cni_json},
	    {"pod_sandbox_id", c->pod_sandbox_id},
	};

	for (size_t i = 0; i < COUNT_OF(all); i++)
		member(b, all[i].name, all[i].value);
}

static void container_json(struct buf *b, const struct state_container_rec *rec)
{
	const struct state_container *c = &rec->info;

	buf_reset(b);
	buf_lit(b, "{\"container\":{");
	key(b, "type");
	buf_u64(b, c->type);
	texts(b, c);
	flags(b, c);
	key(b, "created_time");
	buf_i64(b, c->created_time);
	labels(b, "labels", c->labels, c->label_count);
	labels(b, "pod_sandbox_labels", c->sandbox_labels, c->sandbox_label_count);
	mounts(b, c);
	probe(b, "Healthcheck", &rec->probes[0]);
	probe(b, "LivenessProbe", &rec->probes[1]);
	probe(b, "ReadinessProbe", &rec->probes[2]);
	buf_lit(b, "}}");
}

/* Those of which only the id and the runtime are known follow from the cgroups of their threads. */
static bool is_minimal(const struct state_container *c)
{
	return !c->full_id && !c->name && !c->image && !c->image_id && !c->created_time &&
	       !c->label_count && !c->mount_count && !c->is_pod_sandbox;
}

static int one_container(struct exporter *e, const struct state_container_rec *rec)
{
	struct buf *b = &e->text;

	if (is_minimal(&rec->info))
		return 0;
	container_json(b, rec);
	if (b->failed)
		return error_nomem(e->err);
	ev_build_begin(&e->build, EV_CONTAINER_JSON_2_E, e->x->ts, -1);
	ev_build_text(&e->build, buf_view(b));
	return export_built(e, EV_ITEM_EVENT);
}

static int containers(struct exporter *e)
{
	struct smap_slot *all = smap_sorted(&e->st->containers);
	size_t n = e->st->containers.count;
	int rc = all || !n ? 0 : error_nomem(e->err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = one_container(e, all[i].value);
	free(all);
	return rc;
}

/* --- their users --- */

static int one_user(struct exporter *e, const struct state_user *u, const struct state_str *id,
		    bool group)
{
	struct ev_build *b = &e->build;

	ev_build_begin(b, group ? EV_GROUP_ADDED_E : EV_USER_ADDED_E, e->x->ts, -1);
	ev_build_int(b, u->id);
	if (!group)
		ev_build_int(b, u->gid);
	ev_build_text(b, state_sv(u->name));
	if (!group) {
		ev_build_text(b, state_sv(u->home));
		ev_build_text(b, state_sv(u->shell));
	}
	ev_build_text(b, state_sv(id));
	return export_built(e, EV_ITEM_EVENT);
}

static int users(struct exporter *e, const struct map *m, const struct state_str *id, bool group)
{
	struct map_slot *all = map_sorted(m);
	int rc = all || !m->count ? 0 : error_nomem(e->err);

	for (size_t i = 0; rc == 0 && i < m->count; i++)
		rc = one_user(e, all[i].value, id, group);
	free(all);
	return rc;
}

static int users_of_containers(struct exporter *e)
{
	struct smap_slot *all = smap_sorted(&e->st->user_spaces);
	size_t n = e->st->user_spaces.count;
	int rc = all || !n ? 0 : error_nomem(e->err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct state_user_space *space = all[i].value;

		rc = users(e, &space->users, space->id, false);
		if (rc == 0)
			rc = users(e, &space->groups, space->id, true);
	}
	free(all);
	return rc;
}

/* --- hashes of executables --- */

static int one_hash(struct exporter *e, const struct state_exe_hash *h)
{
	const struct ev_hash hash = {
	    .status = EV_HASH_DONE,
	    .ino = h->ino,
	    .ctime = h->ctime,
	    .sha256 = h->sha256,
	    .path = state_sv(h->path),
	};
	struct ev ev = {.type = EV_TYPE_HASH, .ts = e->x->ts, .tid = -1, .nparams = EV_HASH_PARAMS};
	uint8_t *p;

	if (h->ambiguous)
		return 0;
	buf_reset(&e->text);
	p = (uint8_t *)buf_room(&e->text, EV_HASH_ROOM);
	if (!p)
		return error_nomem(e->err);
	ev_hash_encode(&hash, p);
	ev.lens = p;
	ev.data = p + 2 * EV_HASH_PARAMS;
	return e->put(e->put_arg, &(struct ev_item){.kind = EV_ITEM_HASH, .ev = &ev}, e->err);
}

static int hashes(struct exporter *e)
{
	struct map_slot *all = map_sorted(&e->st->exe_hashes);
	size_t n = e->st->exe_hashes.count;
	int rc = all || !n ? 0 : error_nomem(e->err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = one_hash(e, all[i].value);
	free(all);
	return rc;
}

int export_events(struct exporter *e)
{
	int rc = hashes(e);

	if (rc == 0)
		rc = containers(e);
	return rc < 0 ? rc : users_of_containers(e);
}
