/* SPDX-License-Identifier: Apache-2.0 */
/* What a seal tells of the capture's origin, copied for whoever shows it. */
#include <stdlib.h>

#include "base/json.h"
#include "scapfile/seal_read.h"

#define TEXTS_MAX   4096  /* arguments of a command line */
#define PARENTS_MAX 65536 /* of a lineage */

struct facts {
	struct arena *a;
	bool failed;
};

static const char *text(struct facts *f, const cJSON *o, const char *name)
{
	const char *copy = arena_strdup(f->a, sf_seal_text(o, name));

	f->failed = f->failed || !copy;
	return copy ? copy : "";
}

/* Texts of a list, up to its end or to what is no text. */
static const char *const *texts(struct facts *f, const cJSON *list)
{
	size_t n = 0, count = 0;
	const char **out;

	for (const cJSON *i = list ? list->child : NULL; i && n < TEXTS_MAX; i = i->next)
		n++;
	out = arena_zalloc(f->a, n + 1, sizeof(*out));
	f->failed = f->failed || !out;
	for (const cJSON *i = list ? list->child : NULL; out && i && count < n; i = i->next) {
		const char *value = cJSON_GetStringValue(i);

		if (!value)
			break;
		out[count] = arena_strdup(f->a, value);
		f->failed = f->failed || !out[count];
		count++;
	}
	return out;
}

/* As it is printed again; what may do harm to whoever looks at it is escaped. */
static const char *json(struct facts *f, const cJSON *o)
{
	char *printed = o ? cJSON_PrintUnformatted(o) : NULL;
	struct sv rest = sv_of(printed ? printed : "");
	struct buf b = {0};
	const char *copy;

	while (rest.n) {
		size_t plain = 0, other;

		while (plain < rest.n && rest.p[plain] > 0 && rest.p[plain] < 0x7f)
			plain++;
		for (other = plain; other < rest.n && !(rest.p[other] > 0 && rest.p[other] < 0x7f);)
			other++;
		buf_add(&b, rest.p, plain);
		json_escape(&b, sv_make(rest.p + plain, other - plain));
		rest = sv_drop(rest, other);
	}
	copy = b.failed ? NULL : arena_strdup(f->a, buf_cstr(&b));
	f->failed = f->failed || !copy || (o && !printed);
	cJSON_free(printed);
	buf_done(&b);
	return copy ? copy : "";
}

static const cJSON *part(const cJSON *o, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(o, name);
}

int sf_seal_read_facts(const cJSON *head, struct arena *a, struct sf_seal_facts *out,
		       struct error *err)
{
	const cJSON *by = part(head, "by"), *previous = part(head, "previous");
	struct facts f = {.a = a};

	out->origin =
	    (enum sf_seal_origin)sf_seal_choice(head, "origin", sf_seal_origins, SF_SEAL_LATER);
	(void)sf_seal_time(head, "made", &out->made);
	out->capture = text(&f, head, "capture");
	out->container = text(&f, head, "container");
	out->tool = text(&f, by, "tool");
	out->host = text(&f, by, "host");
	out->boot_id = text(&f, by, "boot_id");
	out->kernel = text(&f, by, "kernel");
	out->machine = text(&f, by, "machine");
	out->zone = text(&f, part(head, "zone"), "name");
	(void)sf_seal_signed(part(head, "zone"), "offset", &out->zone_offset);
	out->argv = texts(&f, part(head, "argv"));
	out->config = json(&f, part(head, "config"));
	out->previous = text(&f, previous, "seal");
	if (!sf_seal_digest(previous, "hash", out->previous_hash))
		out->previous = "";
	return f.failed ? error_nomem(err) : 0;
}

static void read_parents(struct facts *f, const cJSON *list, struct sf_seal_lineage *out)
{
	struct sf_seal_parent *parents;
	size_t n = 0;

	for (const cJSON *i = list ? list->child : NULL; i && n < PARENTS_MAX; i = i->next)
		n++;
	parents = arena_zalloc(f->a, n + 1, sizeof(*parents));
	f->failed = f->failed || !parents;
	if (!parents)
		return;
	out->parents = parents;
	for (const cJSON *i = list ? list->child : NULL; i && out->nparents < n; i = i->next) {
		struct sf_seal_parent *p = &parents[out->nparents++];

		p->name = text(f, i, "name");
		(void)sf_seal_number(i, "size", &p->size);
		p->hashed = sf_seal_digest(i, "sha256", p->sha256);
	}
}

int sf_seal_read_lineage(const cJSON *end, struct arena *a, struct sf_seal_lineage *out,
			 struct error *err)
{
	const cJSON *lineage = part(end, "lineage");
	struct facts f = {.a = a};

	out->operation = text(&f, lineage, "operation");
	out->tool = text(&f, lineage, "tool");
	out->reason = text(&f, lineage, "reason");
	out->argv = texts(&f, part(lineage, "argv"));
	out->json = json(&f, lineage);
	read_parents(&f, part(lineage, "parents"), out);
	return f.failed ? error_nomem(err) : 0;
}
