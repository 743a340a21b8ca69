/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON description of a container, as the recorder stores it. The text is hostile: its size is
 * limited here, its nesting by cJSON (CJSON_NESTING_LIMIT), the number of labels and mounts here
 * again.
 */
#include "engine/state/internal.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static struct state_str *get_text(struct state *st, const cJSON *o, const char *key)
{
	return state_str_new(st, sv_of(cJSON_GetStringValue(get(o, key))));
}

static bool get_bool(const cJSON *o, const char *key)
{
	return cJSON_IsTrue(get(o, key));
}

static int64_t get_int(const cJSON *o, const char *key, int64_t missing)
{
	const double limit = 9007199254740992.0; /* beyond, a double does not hold every integer */
	const cJSON *item = get(o, key);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= -limit && item->valuedouble <= limit))
		return missing;
	return (int64_t)item->valuedouble;
}

static uint32_t count_items(const cJSON *list)
{
	uint32_t n = 0;

	for (const cJSON *i = list ? list->child : NULL; i && n < STATE_CONTAINER_ITEMS_MAX;
	     i = i->next)
		n++;
	return n;
}

static int by_key(const void *a, const void *b)
{
	const struct state_label *x = a, *y = b;

	return sv_cmp(state_sv(x->key), state_sv(y->key));
}

static struct state_label *get_labels(struct state *st, const cJSON *o, const char *key,
				      uint32_t *count)
{
	const cJSON *object = get(o, key), *item;
	uint32_t n = cJSON_IsObject(object) ? count_items(object) : 0;
	struct state_label *labels = n ? pool_zalloc(&st->pool, n * sizeof(*labels)) : NULL;

	*count = 0;
	if (!labels) {
		st->nomem |= n != 0;
		return NULL;
	}
	*count = n;
	item = object->child;
	for (uint32_t i = 0; i < n; i++, item = item->next) {
		labels[i].key = state_str_new(st, sv_of(item->string));
		labels[i].value = state_str_new(st, sv_of(cJSON_GetStringValue(item)));
	}
	qsort(labels, n, sizeof(*labels), by_key);
	return labels;
}

static void get_mounts(struct state *st, const cJSON *o, struct state_container *c)
{
	const cJSON *list = get(o, "Mounts"), *item;
	uint32_t n = cJSON_IsArray(list) ? count_items(list) : 0;

	if (n == 0)
		return;
	c->mounts = pool_zalloc(&st->pool, n * sizeof(*c->mounts));
	if (!c->mounts) {
		st->nomem = true;
		return;
	}
	c->mount_count = n;
	item = list->child;
	for (uint32_t i = 0; i < n; i++, item = item->next) {
		c->mounts[i] = (struct state_mount){
		    .source = get_text(st, item, "Source"),
		    .dest = get_text(st, item, "Destination"),
		    .mode = get_text(st, item, "Mode"),
		    .propagation = get_text(st, item, "Propagation"),
		    .rdwr = get_bool(item, "RW"),
		};
	}
}

static void get_probe(struct state *st, const cJSON *o, const char *key, struct state_probe *probe)
{
	const cJSON *item = get(o, key), *args = get(item, "args");

	probe->exe = get_text(st, item, "exe");
	buf_reset(&st->scratch);
	for (const cJSON *a = cJSON_IsArray(args) ? args->child : NULL; a; a = a->next) {
		const char *text = cJSON_GetStringValue(a);

		if (text)
			buf_add(&st->scratch, text, strlen(text) + 1);
	}
	st->nomem |= st->scratch.failed;
	state_list_set(st, &probe->args, buf_view(&st->scratch));
}

static uint16_t get_type(const cJSON *o)
{
	int64_t type = get_int(o, "type", STATE_CT_UNKNOWN);

	return type >= 0 && type <= UINT16_MAX ? (uint16_t)type : STATE_CT_UNKNOWN;
}

static void fill(struct state *st, const cJSON *o, struct state_container_rec *c)
{
	c->info = (struct state_container){
	    .type = get_type(o),
	    .id = get_text(st, o, "id"),
	    .full_id = get_text(st, o, "full_id"),
	    .name = get_text(st, o, "name"),
	    .image = get_text(st, o, "image"),
	    .image_id = get_text(st, o, "imageid"),
	    .image_repo = get_text(st, o, "imagerepo"),
	    .image_tag = get_text(st, o, "imagetag"),
	    .image_digest = get_text(st, o, "imagedigest"),
	    .user = get_text(st, o, "User"),
	    .ip = get_text(st, o, "ip"),
	    .cni_json = get_text(st, o, "cni_json"),
	    .pod_sandbox_id = get_text(st, o, "pod_sandbox_id"),
	    .privileged = get_bool(o, "privileged"),
	    .host_pid = get_bool(o, "host_pid"),
	    .host_network = get_bool(o, "host_network"),
	    .host_ipc = get_bool(o, "host_ipc"),
	    .is_pod_sandbox = get_bool(o, "is_pod_sandbox"),
	    .created_time = get_int(o, "created_time", 0),
	};
	c->info.labels = get_labels(st, o, "labels", &c->info.label_count);
	c->info.sandbox_labels =
	    get_labels(st, o, "pod_sandbox_labels", &c->info.sandbox_label_count);
	get_mounts(st, o, &c->info);
	get_probe(st, o, "Healthcheck", &c->probes[0]);
	get_probe(st, o, "LivenessProbe", &c->probes[1]);
	get_probe(st, o, "ReadinessProbe", &c->probes[2]);
	c->has_ip4 = c->info.ip && inet_pton(AF_INET, c->info.ip->text, c->ip4) == 1 &&
		     memcmp(c->ip4, "\0\0\0", 4) != 0;
}

struct state_container_rec *state_container_parse(struct state *st, struct sv json)
{
	struct state_container_rec *c = NULL;
	const cJSON *object;
	cJSON *root;

	if (json.n > STATE_CONTAINER_JSON_MAX)
		return NULL;
	root = cJSON_ParseWithLength(json.p, json.n);
	object = get(root, "container");
	/* Old captures describe the container without the object around it. */
	if (!cJSON_IsObject(object))
		object = root;
	if (!cJSON_IsObject(object))
		goto out;
	c = state_container_rec_new(st);
	if (!c)
		goto out;
	fill(st, object, c);
	if (!c->info.id) {
		state_container_unref(st, c);
		c = NULL;
	}
out:
	cJSON_Delete(root);
	return c;
}
