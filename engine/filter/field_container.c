/* SPDX-License-Identifier: Apache-2.0 */
/* container.* and k8s.*: what the runtime has told about the container an event comes from. */
#include <stddef.h>

#include "engine/filter/compare.h"
#include "engine/filter/fields.h"
#include "engine/filter/regex.h"

#define SHORT_ID 12

/* The description of the event's container; NULL: not known (yet), or no thread. */
static const struct state_container *container_of(struct flt_ctx *cx)
{
	const struct state_container *own = state_container_of_event(cx->st, cx->ev);
	const struct state_thread *t;

	if (own)
		return own;
	t = flt_thread(cx);
	return t ? state_container_find(cx->st, state_sv(t->container_id)) : NULL;
}

bool flt_x_ct_id(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	if (c)
		return flt_yield_text(out, state_sv(c->id));
	return t && flt_yield_text(out, state_sv(t->container_id));
}

static struct sv text_of(const struct state_container *c, unsigned what)
{
	switch (what) {
	case CT_FULL_ID:
		return state_sv(c->full_id);
	case CT_NAME:
		return state_sv(c->name);
	case CT_IMAGE:
		return state_sv(c->image);
	case CT_IMAGE_ID:
		return state_sv(c->image_id);
	case CT_IMAGE_REPO:
		return state_sv(c->image_repo);
	case CT_IMAGE_TAG:
		return state_sv(c->image_tag);
	case CT_IMAGE_DIGEST:
		return state_sv(c->image_digest);
	case CT_IP:
		return state_sv(c->ip);
	default:
		return state_sv(c->cni_json);
	}
}

bool flt_x_ct_text(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	return c && flt_yield_text(out, text_of(c, f->code));
}

bool flt_x_ct_type(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	(void)f;
	return c && flt_yield_text(out, sv_of(state_container_type_name(c->type)));
}

bool flt_x_ct_bool(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	if (!c)
		return false;
	switch (f->code) {
	case CT_PRIVILEGED:
		return flt_yield_u64(out, c->privileged);
	case CT_HOST_PID:
		return flt_yield_u64(out, c->host_pid);
	case CT_HOST_NETWORK:
		return flt_yield_u64(out, c->host_network);
	default:
		return flt_yield_u64(out, c->host_ipc);
	}
}

bool flt_x_ct_start_ts(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && t->pidns_init_start_ts && flt_yield_u64(out, t->pidns_init_start_ts);
}

bool flt_x_ct_duration(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_thread *t = flt_thread(cx);

	(void)f;
	return t && t->pidns_init_start_ts &&
	       flt_yield_u64(out, cx->ev->ts - t->pidns_init_start_ts);
}

/* --- mounts --- */

int flt_mount_pattern_new(struct flt_field *f, struct error *err)
{
	struct buf b = {0};
	char why[128] = "";

	/* The engine matches whole texts, but these patterns may match anywhere. */
	buf_lit(&b, "(.|\n)*(");
	buf_sv(&b, f->arg);
	buf_lit(&b, ")(.|\n)*");
	if (!b.failed)
		f->data = flt_regex_new(b.p, b.len, why, sizeof(why));
	buf_done(&b);
	if (f->data)
		return 0;
	if (!why[0])
		return error_nomem(err);
	return error_set(err, ERR_COMPILE, "bad regular expression in %s[%.*s]: %s", f->info->name,
			 (int)(f->arg.n < 100 ? f->arg.n : 100), f->arg.p, why);
}

void flt_mount_pattern_free(struct flt_field *f)
{
	flt_regex_free((struct flt_regex *)(uintptr_t)f->data);
	f->data = NULL;
}

static void add_mount(struct buf *b, const struct state_mount *m)
{
	buf_sv(b, state_sv(m->source));
	buf_char(b, ':');
	buf_sv(b, state_sv(m->dest));
	buf_char(b, ':');
	buf_sv(b, state_sv(m->mode));
	buf_str(b, m->rdwr ? ":true:" : ":false:");
	buf_sv(b, state_sv(m->propagation));
}

bool flt_x_ct_mounts(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	(void)f;
	if (!c)
		return false;
	buf_reset(&cx->text);
	for (uint32_t i = 0; i < c->mount_count; i++) {
		if (i)
			buf_char(&cx->text, ',');
		add_mount(&cx->text, &c->mounts[i]);
	}
	return flt_yield_built(cx, out);
}

/* The mount [N] or [REGEX] selects; sources are found by destination, all else by source. */
static const struct state_mount *select_mount(struct flt_ctx *cx, const struct state_container *c,
					      const struct flt_field *f)
{
	if (f->arg_is_index)
		return f->index < c->mount_count ? &c->mounts[f->index] : NULL;
	for (uint32_t i = 0; i < c->mount_count; i++) {
		const struct state_mount *m = &c->mounts[i];
		struct sv where = state_sv(f->code == MOUNT_SOURCE ? m->dest : m->source);

		where = flt_utf8_repair(where, &cx->text);
		if (flt_regex_matches(f->data, where.p, where.n))
			return m;
	}
	return NULL;
}

bool flt_x_ct_mount(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);
	const struct state_mount *m = c ? select_mount(cx, c, f) : NULL;

	if (!m)
		return false;
	switch (f->code) {
	case MOUNT_SOURCE:
		return flt_yield_text(out, state_sv(m->source));
	case MOUNT_DEST:
		return flt_yield_text(out, state_sv(m->dest));
	case MOUNT_MODE:
		return flt_yield_text(out, state_sv(m->mode));
	case MOUNT_RDWR:
		return flt_yield_text(out, m->rdwr ? SV_LIT("true") : SV_LIT("false"));
	case MOUNT_PROPAGATION:
		return flt_yield_text(out, state_sv(m->propagation));
	default:
		buf_reset(&cx->text);
		add_mount(&cx->text, m);
		return flt_yield_built(cx, out);
	}
}

/* --- labels --- */

struct labels {
	const struct state_label *items;
	uint32_t count;
};

static bool label_value(struct labels l, struct sv key, struct sv *out)
{
	for (uint32_t i = 0; i < l.count; i++)
		if (sv_eq(state_sv(l.items[i].key), key)) {
			*out = state_sv(l.items[i].value);
			return true;
		}
	return false;
}

/* All but those that the runtime adds for itself. */
static bool yield_labels(struct flt_ctx *cx, struct labels l, struct flt_value *out)
{
	struct buf *b = &cx->text;

	buf_reset(b);
	for (uint32_t i = 0; i < l.count; i++) {
		struct sv key = state_sv(l.items[i].key);

		if (sv_starts(key, SV_LIT("annotation.")) ||
		    sv_starts(key, SV_LIT("io.kubernetes.")))
			continue;
		if (b->len)
			buf_lit(b, ", ");
		buf_sv(b, key);
		buf_char(b, ':');
		buf_sv(b, state_sv(l.items[i].value));
	}
	return flt_yield_built(cx, out);
}

static struct labels own_labels(const struct state_container *c)
{
	return (struct labels){c->labels, c->label_count};
}

bool flt_x_ct_label(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);
	struct sv value;

	return c && label_value(own_labels(c), f->arg, &value) && flt_yield_text(out, value);
}

bool flt_x_ct_labels(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	(void)f;
	return c && yield_labels(cx, own_labels(c), out);
}

/* --- pods --- */

bool flt_x_pod_name(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	static const char *const keys[] = {[POD_NAME] = "io.kubernetes.pod.name",
					   [POD_NAMESPACE] = "io.kubernetes.pod.namespace",
					   [POD_UID] = "io.kubernetes.pod.uid"};
	const struct state_container *c = container_of(cx);
	struct sv value;

	return c && label_value(own_labels(c), sv_of(keys[f->code]), &value) &&
	       flt_yield_text(out, value);
}

static struct sv cut(struct sv s, size_t n)
{
	return sv_make(s.p, s.n < n ? s.n : n);
}

bool flt_x_pod_sandbox(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	return c &&
	       flt_yield_text(out, cut(state_sv(c->pod_sandbox_id), f->code ? f->code : SIZE_MAX));
}

/* Who knows the pod's network: the container itself, or else its pod's sandbox. */
static const struct state_container *pod_of(struct flt_ctx *cx, const struct state_container *c)
{
	if (c->cni_json && c->cni_json->len)
		return c;
	return state_container_find(cx->st, cut(state_sv(c->pod_sandbox_id), SHORT_ID));
}

bool flt_x_pod_text(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	c = c ? pod_of(cx, c) : NULL;
	return c && flt_yield_text(out, text_of(c, f->code));
}

/* The labels of the pod: the sandbox's own are its pod's. */
static struct labels pod_labels(const struct state_container *own,
				const struct state_container *pod)
{
	if (pod == own || !pod)
		return (struct labels){own->sandbox_labels, own->sandbox_label_count};
	return (struct labels){pod->sandbox_labels, pod->sandbox_label_count};
}

bool flt_x_pod_label(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);
	struct sv value;

	if (!c)
		return false;
	if (!label_value(pod_labels(c, pod_of(cx, c)), f->arg, &value) &&
	    !label_value(pod_labels(c, NULL), f->arg, &value))
		return false;
	return flt_yield_text(out, value);
}

bool flt_x_pod_labels(struct flt_ctx *cx, const struct flt_field *f, struct flt_value *out)
{
	const struct state_container *c = container_of(cx);

	(void)f;
	return c && yield_labels(cx, pod_labels(c, pod_of(cx, c)), out);
}
