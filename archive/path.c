/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that lead into archives. An archive is looked through to its end before a member of it is
 * used: only then it is known that no other one has its name, and that no limit is broken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/internal.h"

#define TELL_NAMES 5 /* of members, when one is not found */

/* Bytes of @path up to the "//" behind a regular file, or 0. */
static size_t archive_part(const char *path)
{
	for (const char *at = path; (at = strstr(at, ARC_SEPARATOR)); at++) {
		size_t n = (size_t)(at - path);
		char *part = n ? strndup(path, n) : NULL;
		struct stat sb;
		bool is = part && stat(part, &sb) == 0 && S_ISREG(sb.st_mode);

		free(part);
		if (is)
			return n;
	}
	return 0;
}

bool arc_is_inside(const char *path)
{
	return archive_part(path) != 0;
}

bool arc_is_wrapped(const uint8_t *p, size_t n)
{
	struct sv head = sv_make(p, n);

	if (sv_starts(head, SV_LIT("\xfd"
				   "7zXZ")) ||
	    sv_starts(head, SV_LIT("\x04\x22\x4d\x18")))
		return true;
	return n >= 6 && sv_starts(head, SV_LIT("BZh")) && p[3] >= '1' && p[3] <= '9' &&
	       p[4] == 0x31 && p[5] == 0x41;
}

/* ---- ordinary files ---- */

static int open_plain(const char *path, struct arc_file **out, struct error *err)
{
	int fd = arc_open_plain(path);

	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	return arc_file_from_fd(fd, path, out, err);
}

/* @f is replaced by what is in it. It is not the caller's any more after a failure. */
static int unwrap(struct arc_file **f, enum arc_as as, struct error *err)
{
	struct arc_reader *r;
	struct arc_member m;
	char *name = strdup((*f)->name);
	int rc = name ? arc_reader_of(*f, as, &r, err) : error_nomem(err);

	if (!name)
		arc_close(*f);
	*f = NULL;
	if (rc == 0) {
		rc = arc_reader_next(r, &m, err);
		if (rc == 0) /* nothing is in it, not even an empty file */
			rc = error_set(err, ERR_TRUNCATED, "'%s' ends too early", name);
		if (rc < 0)
			arc_reader_close(r);
		else
			rc = arc_file_of_member(r, name, f, err);
	}
	free(name);
	return rc;
}

/* @f is the caller's after a failure, too, or NULL. */
static int unwrap_if_wrapped(struct arc_file **f, bool text, struct error *err)
{
	uint8_t head[ARC_HEAD];
	int64_t n;

	if ((*f)->is_stream)
		return 0;
	n = arc_peek(*f, head, sizeof(head), err);
	if (n < 0)
		return (int)n;
	if (arc_is_wrapped(head, (size_t)n))
		return unwrap(f, text ? ARC_AS_TEXT : ARC_AS_WRAPPED, err);
	if (text && n >= 4 &&
	    (memcmp(head, "\x1f\x8b", 2) == 0 || memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0))
		return unwrap(f, ARC_AS_TEXT, err);
	return 0;
}

/* ---- lists ---- */

struct list_storage {
	struct arena names;
	size_t cap;
};

void arc_list_done(struct arc_list *l)
{
	struct list_storage *own = l->own;

	if (own)
		arena_done(&own->names);
	free(own);
	free(l->members);
	*l = (struct arc_list){0};
}

static int list_add(struct arc_list *l, const struct arc_member *m, struct error *err)
{
	struct list_storage *own = l->own;
	struct arc_member *members = l->members;

	if (l->count == own->cap) {
		own->cap = own->cap ? 2 * own->cap : 64;
		members = realloc(l->members, own->cap * sizeof(*members));
		if (!members)
			return error_nomem(err);
		l->members = members;
	}
	members[l->count] = *m;
	members[l->count].name = arena_strdup(&own->names, m->name);
	return members[l->count++].name ? 0 : error_nomem(err);
}

static int list_reader(struct arc_reader *r, struct arc_list *out, struct error *err)
{
	struct arc_member m;
	int rc;

	*out = (struct arc_list){.own = calloc(1, sizeof(struct list_storage))};
	rc = out->own ? 0 : error_nomem(err);
	while (rc >= 0 && (rc = arc_reader_next(r, &m, err)) > 0)
		rc = list_add(out, &m, err);
	out->cut = rc == ERR_TRUNCATED && out->count;
	if (rc < 0 && !out->cut)
		arc_list_done(out);
	return out->cut ? 0 : rc;
}

/* Of an archive that stays the caller's. */
static int list_file(struct arc_file *f, struct arc_list *out, struct error *err)
{
	struct arc_file *again;
	struct arc_reader *r;
	int rc = arc_file_part(f, f->name, 0, f->size, &again, err);

	if (rc == 0)
		rc = arc_reader_of(again, ARC_AS_ARCHIVE, &r, err);
	if (rc < 0)
		return rc;
	rc = list_reader(r, out, err);
	arc_reader_close(r);
	return rc;
}

/* ---- members ---- */

static const struct arc_member *find(const struct arc_list *l, const char *name)
{
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->members[i].name, name) == 0)
			return &l->members[i];
	return NULL;
}

/* Is it one, or do names of others begin with it? "": the top. */
static bool is_directory(const struct arc_list *l, const char *dir)
{
	size_t n = strlen(dir);

	if (!n)
		return true;
	for (size_t i = 0; i < l->count; i++)
		if (strncmp(l->members[i].name, dir, n) == 0 &&
		    (l->members[i].name[n] == '/' ||
		     (!l->members[i].name[n] && l->members[i].kind == ARC_DIRECTORY)))
			return true;
	return false;
}

/* As if it were no file in a directory, with what there is instead. */
static int no_member(const struct arc_file *f, const char *name, const struct arc_list *l,
		     struct error *err)
{
	struct buf b = {0};
	size_t told = 0, files = 0;
	char plain[201];
	int rc;

	for (size_t i = 0; i < l->count; i++) {
		if (l->members[i].kind != ARC_FILE || files++ >= TELL_NAMES)
			continue;
		buf_addf(&b, "%s'%.60s'", told++ ? ", " : "", l->members[i].name);
	}
	if (files > told)
		buf_addf(&b, " and %zu more", files - told);
	if (l->cut)
		buf_lit(&b, ", and ends too early");
	arc_plain_text(plain, sizeof(plain), name);
	if (*name)
		rc = error_set(err, ERR_IO, "'%s' has no member '%s'; it holds %s", f->name, plain,
			       files ? buf_cstr(&b) : "no files");
	else
		rc = error_set(err, ERR_IO,
			       "'%s' is an archive: name a member of it as in '%s//MEMBER'; it "
			       "holds %s",
			       f->name, f->name, files ? buf_cstr(&b) : "no files");
	if (err)
		err->sys = ENOENT;
	buf_done(&b);
	return rc;
}

/* Where the reader gets to the member @name, which is there. */
static int open_streamed(struct arc_file *f, const char *name, const char *path,
			 struct arc_file **out, struct error *err)
{
	struct arc_file *again;
	struct arc_reader *r;
	struct arc_member m = {.name = ""};
	int rc = arc_file_part(f, f->name, 0, f->size, &again, err);

	if (rc == 0)
		rc = arc_reader_of(again, ARC_AS_ARCHIVE, &r, err);
	if (rc < 0)
		return rc;
	while ((rc = arc_reader_next(r, &m, err)) > 0 && strcmp(m.name, name) != 0)
		;
	if (rc > 0)
		return arc_file_of_member(r, path, out, err);
	if (rc == 0)
		rc = error_set(err, ERR_IO, "'%s' changed while it was read", f->name);
	arc_reader_close(r);
	return rc;
}

/* @f is replaced by its member @name. It stays the caller's in any case. */
static int enter_member(struct arc_file **f, const char *name, const char *path, struct error *err)
{
	struct arc_file *in = NULL;
	const struct arc_member *m;
	struct arc_list l;
	int rc = arc_spool(f, 0, err);

	if (rc == 0)
		rc = list_file(*f, &l, err);
	if (rc < 0)
		return rc;
	m = find(&l, name);
	if (!m)
		rc = no_member(*f, name, &l, err);
	else if (m->kind == ARC_DIRECTORY)
		rc = error_sys(err, EISDIR, "cannot read '%s'", path);
	else if (m->kind == ARC_LINK)
		rc = error_set(err, ERR_FORMAT,
			       "'%s' is a link; links in archives are not followed", path);
	else if (m->data_at >= 0)
		rc = arc_file_part(*f, path, (uint64_t)m->data_at, m->size, &in, err);
	else
		rc = open_streamed(*f, m->name, path, &in, err);
	arc_list_done(&l);
	if (rc < 0)
		return rc;
	arc_close(*f);
	*f = in;
	return 0;
}

/* The next name of @rest, which leads through archives; @rest is moved on, NULL at its end. */
static char *next_name(const char **rest)
{
	const char *end = strstr(*rest, ARC_SEPARATOR);
	char *name = end ? strndup(*rest, (size_t)(end - *rest)) : strdup(*rest);

	*rest = end ? end + strlen(ARC_SEPARATOR) : NULL;
	return name;
}

/* The archive itself, and where the names of members begin. */
static int open_outermost(const char *path, struct arc_file **f, const char **rest,
			  struct error *err)
{
	size_t n = archive_part(path);
	char *archive = n ? strndup(path, n) : strdup(path);
	int rc = archive ? open_plain(archive, f, err) : error_nomem(err);

	free(archive);
	*rest = n ? path + n + strlen(ARC_SEPARATOR) : NULL;
	return rc;
}

/* Follow @path; *last receives the name that is not entered if it is wanted, for the caller to
 * free. */
static int walk(const char *path, struct arc_file **out, char **last, struct error *err)
{
	struct arc_file *f = NULL;
	const char *rest;
	unsigned depth = 0;
	int rc = open_outermost(path, &f, &rest, err);

	while (rc >= 0 && rest) {
		char *name = next_name(&rest);

		if (!name) {
			rc = error_nomem(err);
		} else if (++depth > ARC_NESTING_MAX) {
			rc = error_set(err, ERR_LIMIT,
				       "'%s' is in archives in archives, more than %u "
				       "(ARC_NESTING_MAX)",
				       path, ARC_NESTING_MAX);
		} else if (last && !rest) {
			*last = name;
			name = NULL;
		} else {
			rc = enter_member(&f, name, path, err);
		}
		free(name);
	}
	if (rc < 0) {
		arc_close(f);
		if (last) {
			free(*last);
			*last = NULL;
		}
		return rc;
	}
	*out = f;
	return 0;
}

static int open_and_unwrap(const char *path, bool text, struct arc_file **out, struct error *err)
{
	struct arc_file *f = NULL;
	int rc = walk(path, &f, NULL, err);

	if (rc == 0)
		rc = unwrap_if_wrapped(&f, text, err);
	if (rc < 0) {
		arc_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

int arc_open(const char *path, struct arc_file **out, struct error *err)
{
	return open_and_unwrap(path, false, out, err);
}

int arc_open_stored(const char *path, struct arc_file **out, struct error *err)
{
	return walk(path, out, NULL, err);
}

int arc_open_text(const char *path, struct arc_file **out, struct error *err)
{
	return open_and_unwrap(path, true, out, err);
}

int arc_open_random(const char *path, uint64_t memory, struct arc_file **out, struct error *err)
{
	struct arc_file *f;
	int rc = arc_open(path, &f, err);

	if (rc < 0)
		return rc;
	rc = arc_spool(&f, memory, err);
	if (rc < 0)
		arc_close(f);
	else
		*out = f;
	return rc;
}

int arc_open_fd(const char *path, uint64_t memory, struct error *err)
{
	struct arc_file *f;
	int rc = arc_open(path, &f, err);

	if (rc < 0)
		return rc;
	rc = arc_file_is_all(f) ? arc_file_take_fd(f) : arc_copy(f, memory, err);
	arc_close(f);
	return rc;
}

static int look_outside(const char *path, enum arc_kind *kind, uint64_t *size, struct error *err)
{
	struct stat sb;

	if (stat(path, &sb) < 0)
		return error_sys(err, errno, "cannot look at '%s'", path);
	if (!S_ISREG(sb.st_mode) && !S_ISDIR(sb.st_mode))
		return error_set(err, ERR_IO, "'%s' is no regular file", path);
	*kind = S_ISDIR(sb.st_mode) ? ARC_DIRECTORY : ARC_FILE;
	*size = (uint64_t)sb.st_size;
	return 0;
}

int arc_look(const char *path, enum arc_kind *kind, uint64_t *size, struct error *err)
{
	const struct arc_member *m;
	struct arc_file *f;
	struct arc_list l;
	char *name = NULL;
	int rc;

	if (!arc_is_inside(path))
		return look_outside(path, kind, size, err);
	rc = walk(path, &f, &name, err);
	if (rc < 0)
		return rc;
	rc = arc_spool(&f, 0, err);
	if (rc == 0)
		rc = list_file(f, &l, err);
	if (rc == 0) {
		m = find(&l, name);
		if (m) {
			*kind = m->kind;
			*size = m->size;
		} else if (is_directory(&l, name)) {
			*kind = ARC_DIRECTORY;
			*size = 0;
		} else {
			rc = no_member(f, name, &l, err);
		}
		arc_list_done(&l);
	}
	arc_close(f);
	free(name);
	return rc;
}

/* ---- whole archives ---- */

int arc_reader_open(const char *path, struct arc_reader **out, struct error *err)
{
	struct arc_file *f;
	int rc = walk(path, &f, NULL, err);

	if (rc == 0)
		rc = arc_spool(&f, 0, err);
	return rc < 0 ? rc : arc_reader_of(f, ARC_AS_ARCHIVE, out, err);
}

int arc_reader_open_memory(const void *p, size_t n, struct arc_reader **out, struct error *err)
{
	struct arc_file part = {.name = (char *)(uintptr_t) "memory", .fd = -1, .memory = p};
	struct arc_file *f;
	int rc = arc_file_part(&part, part.name, 0, n, &f, err);

	return rc < 0 ? rc : arc_reader_of(f, ARC_AS_ARCHIVE, out, err);
}

int arc_is_archive(const char *path, struct error *err)
{
	struct arc_reader *r;
	struct arc_member m;
	int rc = arc_reader_open(path, &r, err);

	if (rc == ERR_FORMAT)
		return 0;
	if (rc < 0)
		return rc;
	rc = arc_reader_next(r, &m, NULL);
	/* Damaged or refused, it is one; without a beginning it is none, nor are zeros, which also
	 * are a tar file that holds nothing. */
	rc = rc > 0 || (rc < 0 && *arc_reader_format(r));
	arc_reader_close(r);
	return rc;
}

int arc_list(const char *path, struct arc_list *out, struct error *err)
{
	struct arc_reader *r;
	int rc = arc_reader_open(path, &r, err);

	if (rc < 0)
		return rc;
	rc = list_reader(r, out, err);
	arc_reader_close(r);
	return rc;
}

/* Is @name in the directory @dir ("": the top), and not further down? */
static bool is_directly_in(const char *name, const char *dir)
{
	size_t n = strlen(dir);

	if (n && (strncmp(name, dir, n) != 0 || name[n] != '/'))
		return false;
	return strchr(name + n + (n > 0), '/') == NULL;
}

int arc_list_directory(const char *path, struct arc_list *out, struct error *err)
{
	struct arc_file *f;
	char *dir = NULL;
	size_t kept = 0;
	int rc = walk(path, &f, &dir, err);

	if (rc < 0)
		return rc;
	if (!dir) {
		arc_close(f);
		return 0;
	}
	rc = arc_spool(&f, 0, err);
	if (rc == 0)
		rc = list_file(f, out, err);
	if (rc == 0 && out->cut) { /* a part of a directory would pass for all of it */
		rc = error_set(err, ERR_TRUNCATED, "'%s' ends too early", f->name);
		arc_list_done(out);
	}
	arc_close(f);
	while (rc == 0 && *dir && dir[strlen(dir) - 1] == '/')
		dir[strlen(dir) - 1] = '\0';
	if (rc == 0 && !is_directory(out, dir))
		arc_list_done(out);
	else if (rc == 0)
		rc = 1;
	for (size_t i = 0; rc > 0 && i < out->count; i++)
		if (is_directly_in(out->members[i].name, dir))
			out->members[kept++] = out->members[i];
	if (rc > 0)
		out->count = kept;
	free(dir);
	return rc;
}
