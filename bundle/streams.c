/* SPDX-License-Identifier: Apache-2.0 */
/* What captures hold that are stored compressed: who has only that can still verify it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/internal.h"

/* Return: 1 with the hash, 0 if the data does not end as it should, or ERR_*. */
static int hash_stream(struct sf_stream *s, int (*step)(void *arg, size_t n, struct error *err),
		       void *arg, uint8_t sha256[BAG_DIGEST], struct error *err)
{
	struct sf_hash *h;
	int rc = sf_hash_new(&h, err);

	while (rc == 0 && (rc = sf_stream_need(s, 1, err)) > 0) {
		size_t n = sf_stream_left(s);

		sf_hash_add(h, s->at, n);
		sf_stream_skip(s, n);
		rc = step(arg, n, err);
	}
	if (rc == 0 && s->flow == SF_FLOW_END)
		rc = sf_hash_end(h, sha256) ? 1 : error_nomem(err);
	sf_hash_free(h);
	return rc;
}

int bag_stream_hash(const char *path, const uint8_t stored[BAG_DIGEST],
		    int (*step)(void *arg, size_t n, struct error *err), void *arg,
		    uint8_t sha256[BAG_DIGEST], struct error *err)
{
	struct sf_stream s = {0};
	int rc = sf_stream_open(&s, path, false, err);

	/* What is plain, and not in an archive, need not be read once more. */
	if (rc == 0 && !(s.compression == SF_PLAIN && s.in.own_fd))
		rc = hash_stream(&s, step, arg, sha256, err);
	sf_stream_done(&s);
	return rc > 0 && memcmp(sha256, stored, BAG_DIGEST) == 0 ? 0 : rc;
}

/* ---- checking ---- */

static int check_step(void *arg, size_t n, struct error *err)
{
	const struct bag_checking *opt = arg;

	(void)n;
	return opt && opt->stop && opt->stop(opt->arg) ? error_set(err, ERR_INTERRUPTED, "stopped")
						       : 0;
}

static const struct bag_file *find(const struct bag_report *r, struct sv name)
{
	for (size_t i = 0; i < r->count; i++)
		if (sv_is(name, r->list[i].name))
			return &r->list[i];
	return NULL;
}

static char *path_of(const char *root, struct sv name)
{
	char *path = NULL;

	return asprintf(&path, "%s%.*s", root, (int)name.n, name.p) < 0 ? NULL : path;
}

/* One line; of a capture that is not there, or not what it was, that is told elsewhere. */
static int check_one(const char *root, const struct bag_report *r, struct sv name,
		     const uint8_t listed[BAG_DIGEST], const struct bag_checking *opt,
		     struct bag_streams *out, struct error *err)
{
	static const uint8_t none[BAG_DIGEST];
	const struct bag_file *f = find(r, name);
	uint8_t sha256[BAG_DIGEST];
	char *path;
	int rc;

	if (!f || !f->whole || memcmp(f->sha256, f->listed, BAG_DIGEST) != 0)
		return 0;
	path = path_of(root, name);
	if (!path)
		return error_nomem(err);
	rc = bag_stream_hash(path, none, check_step, (void *)(uintptr_t)opt, sha256, err);
	free(path);
	if (rc < 0)
		return rc;
	if (rc > 0 && memcmp(sha256, listed, BAG_DIGEST) == 0)
		out->same++;
	else if (!out->other++)
		snprintf(out->first, sizeof(out->first), "%.*s", (int)name.n, name.p);
	return 0;
}

static int read_text(const char *path, struct buf *b, struct error *err)
{
	struct arc_file *f;
	int64_t n = 1;
	int rc = arc_open_stored(path, &f, err);

	if (rc < 0)
		return rc;
	while (n > 0 && b->len <= BAG_TEXT_MAX) {
		char *room = buf_room(b, BAG_STEP);

		n = room ? arc_read(f, room, BAG_STEP, err) : error_nomem(err);
		b->len += n > 0 ? (size_t)n : 0;
	}
	arc_close(f);
	if (n > 0)
		return error_set(err, ERR_LIMIT, "'%s' is longer than 16 MiB (BAG_TEXT_MAX)", path);
	return (int)n;
}

int bag_check_streams(const char *root, const struct bag_report *r, const struct bag_checking *opt,
		      struct bag_streams *out, struct error *err)
{
	const struct bag_file *list = find(r, SV_LIT(BAG_STREAMS));
	uint8_t digest[BAG_DIGEST];
	struct buf b = {0};
	struct sv text, name;
	char *path;
	int rc;

	*out = (struct bag_streams){0};
	if (!list || !list->whole)
		return 0;
	path = path_of(root, SV_LIT(BAG_STREAMS));
	rc = path ? read_text(path, &b, err) : error_nomem(err);
	free(path);
	text = buf_view(&b);
	while (rc == 0 && bag_manifest_next(&text, digest, &name) > 0)
		rc = check_one(root, r, name, digest, opt, out, err);
	buf_done(&b);
	return rc;
}
