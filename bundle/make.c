/* SPDX-License-Identifier: Apache-2.0 */
/* Making a bundle: what goes in is gathered, hashed, and then written in one go. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "bundle/internal.h"
#include "scapfile/files.h"

#define FIRST_MEMBERS 64 /* there is room for so many */

struct bag_maker {
	const struct bag_making *opt;
	struct bag_member *members;
	size_t count, cap;
	struct smap names, by_path; /* to members; by_path: to hashed_file */
	struct arena arena;
	uint8_t *step;
	uint64_t read; /* bytes, for progress */
};

struct hashed_file {
	uint64_t size;
	uint8_t sha256[BAG_DIGEST];
};

int bag_maker_new(const struct bag_making *opt, struct bag_maker **out, struct error *err)
{
	struct bag_maker *m = calloc(1, sizeof(*m));

	if (m) {
		m->cap = FIRST_MEMBERS;
		m->members = calloc(m->cap, sizeof(*m->members));
		m->step = malloc(BAG_STEP);
	}
	if (!m || !m->members || !m->step) {
		bag_maker_free(m);
		return error_nomem(err);
	}
	m->opt = opt;
	*out = m;
	return 0;
}

void bag_maker_free(struct bag_maker *m)
{
	if (!m)
		return;
	for (size_t i = 0; m->members && i < m->count; i++)
		arc_close(m->members[i].file);
	smap_done(&m->names);
	smap_done(&m->by_path);
	arena_done(&m->arena);
	free(m->members);
	free(m->step);
	free(m);
}

/* ---- what goes in ---- */

static struct bag_member *add_member(struct bag_maker *m, const char *name, struct error *err)
{
	const char *trouble = arc_name_trouble(name, false), *own;
	struct bag_member *members = m->members;

	if (!trouble && strchr(name, '%'))
		trouble = "it has a percent sign, which BagIt and sha256sum do not agree about";
	if (!trouble && smap_get(&m->names, sv_of(name)))
		trouble = "another one has it";
	if (trouble) {
		error_set(err, ERR_USAGE, "a member cannot have the name '%.200s': %s", name,
			  trouble);
		return NULL;
	}
	if (m->count == m->cap) {
		m->cap *= 2;
		members = realloc(m->members, m->cap * sizeof(*members));
		if (members)
			m->members = members;
	}
	own = members ? arena_strdup(&m->arena, name) : NULL;
	if (!own || smap_put(&m->names, sv_of(own), m) < 0) {
		error_nomem(err);
		return NULL;
	}
	m->members[m->count] = (struct bag_member){.name = own};
	return &m->members[m->count++];
}

static int name_error(const struct error *err)
{
	return err && err->code ? err->code : ERR_NOMEM;
}

int bag_maker_file(struct bag_maker *m, const char *name, const char *path, struct error *err)
{
	struct error own = {0};
	struct bag_member *new = add_member(m, name, &own);

	if (!new) {
		if (err)
			*err = own;
		return name_error(&own);
	}
	new->path = arena_strdup(&m->arena, path);
	return new->path ? 0 : error_nomem(err);
}

int bag_maker_capture(struct bag_maker *m, const char *name, const char *path, struct error *err)
{
	int rc = bag_maker_file(m, name, path, err);

	if (rc == 0)
		m->members[m->count - 1].is_capture = true;
	return rc;
}

int bag_maker_text(struct bag_maker *m, const char *name, struct sv text, struct error *err)
{
	struct error own = {0};
	struct bag_member *new = add_member(m, name, &own);

	if (!new) {
		if (err)
			*err = own;
		return name_error(&own);
	}
	new->text = sv_make(arena_strndup(&m->arena, text.p ? text.p : "", text.n), text.n);
	new->size = text.n;
	new->hashed = new->text.p &&sf_hash_once(new->text.p, text.n, new->sha256);
	return new->hashed ? 0 : error_nomem(err);
}

int bag_maker_from_case(struct bag_maker *m, const char *name, int fd, struct error *err)
{
	struct error own = {0};
	struct arc_file *file;
	struct bag_member *new;
	int rc = arc_file_from_fd(fd, name, &file, err);

	if (rc < 0)
		return rc;
	new = add_member(m, name, &own);
	if (!new) {
		arc_close(file);
		if (err)
			*err = own;
		return name_error(&own);
	}
	new->file = file;
	new->from_case = true;
	return 0;
}

/* What a file may be called anywhere; the rest becomes '_'. */
static void plain_name(struct buf *b, const char *from)
{
	size_t at = b->len;

	for (; *from; from++)
		buf_char(b, strchr("%\\", *from) || (unsigned char)*from < ' ' ? '_' : *from);
	if (arc_name_trouble(buf_cstr(b), false)) /* no UTF-8, or worse */
		for (; at < b->len; at++)
			if ((unsigned char)b->p[at] > '~' || (at == 1 && b->p[at] == ':'))
				b->p[at] = '_';
}

const char *bag_maker_name(struct bag_maker *m, const char *dir, const char *path)
{
	const char *name = NULL;
	struct buf base = {0}, b = {0};

	plain_name(&base, sf_file_base(path));
	for (unsigned i = 1; !name && i <= ARC_MEMBERS_MAX && !base.failed && !b.failed; i++) {
		buf_reset(&b);
		buf_str(&b, dir);
		if (i > 1)
			buf_addf(&b, "%u/", i);
		buf_sv(&b, buf_view(&base));
		if (!smap_get(&m->names, buf_view(&b)))
			name = arena_strndup(&m->arena, b.p, b.len);
	}
	buf_done(&base);
	buf_done(&b);
	return name;
}

/* ---- reading ---- */

static int keep_on(struct bag_maker *m, size_t n, struct error *err)
{
	const struct bag_making *opt = m->opt;

	m->read += n;
	if (opt->progress)
		opt->progress(opt->arg, m->read);
	return opt->stop && opt->stop(opt->arg) ? error_set(err, ERR_INTERRUPTED, "stopped") : 0;
}

/* All of @f into @h, and into the archive's member, if @w is one. */
static int pass(struct bag_maker *m, struct arc_file *f, struct sf_hash *h, struct arc_writer *w,
		uint64_t *size, struct error *err)
{
	int64_t n;
	int rc = 0;

	for (*size = 0; rc == 0 && (n = arc_read(f, m->step, BAG_STEP, err)) != 0;) {
		if (n < 0)
			return (int)n;
		sf_hash_add(h, m->step, (size_t)n);
		*size += (uint64_t)n;
		rc = keep_on(m, (size_t)n, err);
		if (rc == 0 && w)
			rc = arc_writer_add(w, m->step, (size_t)n, err);
	}
	return rc;
}

static int read_open(struct bag_maker *m, struct arc_file *f, struct arc_writer *w,
		     struct hashed_file *out, struct error *err)
{
	struct sf_hash *h = NULL;
	int rc = sf_hash_new(&h, err);

	if (rc == 0)
		rc = pass(m, f, h, w, &out->size, err);
	if (rc == 0 && !sf_hash_end(h, out->sha256))
		rc = error_nomem(err);
	sf_hash_free(h);
	return rc;
}

static int read_file(struct bag_maker *m, const char *path, struct arc_writer *w,
		     struct hashed_file *out, struct error *err)
{
	struct arc_file *f;
	int rc = arc_open_stored(path, &f, err);

	if (rc < 0)
		return rc;
	rc = read_open(m, f, w, out, err);
	arc_close(f);
	return rc;
}

/* From its beginning, whether it was read before or not. */
static int read_again(struct bag_maker *m, struct arc_file *f, struct arc_writer *w,
		      struct hashed_file *out, struct error *err)
{
	arc_seek(f, 0);
	return read_open(m, f, w, out, err);
}

static int hash_path(struct bag_maker *m, const char *path, const struct hashed_file **out,
		     struct error *err)
{
	struct hashed_file *f = smap_get(&m->by_path, sv_of(path));
	char *own;
	int rc;

	*out = f;
	if (f)
		return 0;
	f = arena_zalloc(&m->arena, 1, sizeof(*f));
	own = arena_strdup(&m->arena, path);
	if (!f || !own)
		return error_nomem(err);
	rc = read_file(m, path, NULL, f, err);
	if (rc == 0 && smap_put(&m->by_path, sv_of(own), f) < 0)
		rc = error_nomem(err);
	*out = f;
	return rc;
}

int bag_maker_hash(struct bag_maker *m, const char *path, uint64_t *size,
		   uint8_t sha256[BAG_DIGEST], struct error *err)
{
	const struct hashed_file *f;
	int rc = hash_path(m, path, &f, err);

	if (rc == 0) {
		*size = f->size;
		memcpy(sha256, f->sha256, BAG_DIGEST);
	}
	return rc;
}

static int hash_all(struct bag_maker *m, struct error *err)
{
	for (size_t i = 0; i < m->count; i++) {
		struct bag_member *b = &m->members[i];
		struct hashed_file now;
		const struct hashed_file *f = &now;
		int rc;

		if (b->hashed)
			continue;
		rc = b->file ? read_again(m, b->file, NULL, &now, err)
			     : hash_path(m, b->path, &f, err);
		if (rc < 0)
			return rc;
		b->size = f->size;
		memcpy(b->sha256, f->sha256, BAG_DIGEST);
		b->hashed = true;
	}
	return 0;
}

/* ---- the texts that say what is in it ---- */

static bool is_payload(const struct bag_member *b)
{
	return strncmp(b->name, "data/", 5) == 0;
}

/* Tag files in front, data behind; each by name, but those that say what follows first of all. */
static int rank(const struct bag_member *b)
{
	static const char *const first[] = {BAG_DECLARATION, BAG_INFO, BAG_MANIFEST, BAG_TAGS};

	for (size_t i = 0; i < COUNT_OF(first); i++)
		if (strcmp(b->name, first[i]) == 0)
			return (int)i;
	return is_payload(b) ? COUNT_OF(first) + 1 : COUNT_OF(first);
}

static int in_order(const void *a, const void *b)
{
	const struct bag_member *x = a, *y = b;
	int d = rank(x) - rank(y);

	return d ? d : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	const struct bag_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* @b as a member, and its storage for the next one. */
static int add_built(struct bag_maker *m, const char *name, struct buf *b, struct error *err)
{
	int rc = b->failed ? error_nomem(err) : bag_maker_text(m, name, buf_view(b), err);

	buf_reset(b);
	return rc;
}

static int uncompressed_step(void *arg, size_t n, struct error *err)
{
	return keep_on(arg, n, err);
}

/* What the compressed ones of the @n members from @from on hold. */
static int add_streams(struct bag_maker *m, size_t from, size_t n, struct buf *b, struct error *err)
{
	uint8_t sha256[BAG_DIGEST];

	for (size_t i = from; i < from + n; i++) {
		const struct bag_member *f = &m->members[i];
		int rc = f->is_capture ? bag_stream_hash(f->path, f->sha256, uncompressed_step, m,
							 sha256, err)
				       : 0;

		if (rc < 0)
			return rc;
		if (rc > 0)
			bag_manifest_line(b, sha256, f->name);
	}
	return b->len ? add_built(m, BAG_STREAMS, b, err) : 0;
}

/* Of the members from @from on, which are payload. */
static int add_texts_of(struct bag_maker *m, size_t from, struct bag_made *out, struct buf *b,
			struct error *err)
{
	const struct bag_member *payload = m->members + from;
	size_t n = m->count - from;
	int rc;

	for (size_t i = 0; i < n; i++) {
		out->files++;
		out->bytes += payload[i].size;
		bag_manifest_line(b, payload[i].sha256, payload[i].name);
	}
	rc = add_built(m, BAG_MANIFEST, b, err);
	if (rc < 0)
		return rc;
	memcpy(out->sha256, m->members[m->count - 1].sha256, BAG_DIGEST);
	bag_write_mtree(b, m->members + from, n);
	rc = add_built(m, "meta/mtree", b, err);
	if (rc < 0)
		return rc;
	bag_write_jsonld(b, m->members + from, n, m->opt->tool);
	rc = add_built(m, "meta/case.jsonld", b, err);
	if (rc < 0)
		return rc;
	rc = add_streams(m, from, n, b, err);
	if (rc < 0)
		return rc;
	bag_write_environment(b, m->opt);
	rc = add_built(m, "meta/env.json", b, err);
	if (rc < 0)
		return rc;
	bag_write_info(b, m->opt, m->members + from, n);
	return add_built(m, BAG_INFO, b, err);
}

static int add_tag_manifest(struct bag_maker *m, struct bag_made *out, struct buf *b,
			    struct error *err)
{
	int rc;

	qsort(m->members, m->count, sizeof(*m->members), by_name);
	for (size_t i = 0; i < m->count; i++)
		if (!is_payload(&m->members[i]))
			bag_manifest_line(b, m->members[i].sha256, m->members[i].name);
	rc = add_built(m, BAG_TAGS, b, err);
	if (rc == 0) {
		memcpy(out->root, m->members[m->count - 1].sha256, BAG_DIGEST);
		out->root_size = m->members[m->count - 1].size;
	}
	return rc;
}

static int add_texts(struct bag_maker *m, struct bag_made *out, struct error *err)
{
	static const char declaration[] =
	    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
	struct buf b = {0};
	size_t from = 0;
	int rc;

	qsort(m->members, m->count, sizeof(*m->members), in_order);
	while (from < m->count && !is_payload(&m->members[from]))
		from++;
	rc = add_texts_of(m, from, out, &b, err);
	if (rc == 0)
		rc = bag_maker_text(m, BAG_DECLARATION, sv_of(declaration), err);
	if (rc == 0)
		rc = add_tag_manifest(m, out, &b, err);
	buf_done(&b);
	qsort(m->members, m->count, sizeof(*m->members), in_order);
	return rc;
}

/* ---- writing ---- */

static int write_member(struct bag_maker *m, const struct bag_member *b, struct arc_writer *w,
			struct error *err)
{
	struct hashed_file now;
	int rc = arc_writer_member(w, b->name, b->size, err);

	if (rc < 0)
		return rc;
	if (!b->path && !b->file)
		return arc_writer_add(w, b->text.p, b->text.n, err);
	rc = b->file ? read_again(m, b->file, w, &now, err) : read_file(m, b->path, w, &now, err);
	if (rc == ERR_USAGE ||
	    (rc == 0 && (now.size != b->size || memcmp(now.sha256, b->sha256, BAG_DIGEST) != 0)))
		return error_set(err, ERR_IO, "'%s' changed while it was bundled",
				 b->path ? b->path : b->name);
	return rc;
}

int bag_maker_write(struct bag_maker *m, int fd, enum arc_container c, struct bag_made *out,
		    struct error *err)
{
	struct arc_writer *w = NULL;
	int rc;

	*out = (struct bag_made){0};
	rc = hash_all(m, err);
	if (rc == 0)
		rc = add_texts(m, out, err);
	if (rc == 0)
		rc = arc_writer_open(fd, c, m->opt->made >= ARC_EPOCH ? m->opt->made : ARC_EPOCH,
				     &w, err);
	for (size_t i = 0; rc == 0 && i < m->count; i++)
		rc = write_member(m, &m->members[i], w, err);
	if (rc == 0)
		rc = arc_writer_end(w, err);
	arc_writer_free(w);
	return rc;
}
