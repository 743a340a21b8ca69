/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing a bundle with its manifests. Members are hashed as they come; only the bag's own texts
 * are kept. When all has been seen, manifests and members are held against each other, so that
 * their order does not matter.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "bundle/internal.h"

struct check {
	const struct bag_checking *opt;
	struct bag_report *out;
	struct smap files; /* by name, to struct bag_file of the arena */
	struct buf declaration, info, manifest, tags;
	bool has_declaration, has_info, has_manifest, has_tags;
	bool damaged;
	uint8_t *step;
	uint64_t read;
	size_t cap;
};

const char *bag_verdict_name(enum bag_verdict v)
{
	static const char *const names[] = {
	    [BAG_INTACT] = "intact",
	    [BAG_INCOMPLETE] = "incomplete",
	    [BAG_BAD] = "altered",
	};

	return names[v];
}

const char *bag_fault_name(enum bag_fault_kind k)
{
	static const char *const names[] = {
	    [BAG_ALTERED] = "altered",	   [BAG_DAMAGED] = "damaged", [BAG_EXTRA] = "extra",
	    [BAG_MALFORMED] = "malformed", [BAG_MISSING] = "missing",
	};

	return names[k];
}

/* ---- faults ---- */

static int fault(struct check *c, enum bag_fault_kind kind, const char *name, const char *what)
{
	struct bag_report *r = c->out;
	struct bag_fault *f;

	if (kind != BAG_MISSING)
		r->verdict = BAG_BAD;
	else if (r->verdict == BAG_INTACT)
		r->verdict = BAG_INCOMPLETE;
	if (r->nfaults++ >= BAG_FAULTS_MAX)
		return 0;
	if (r->nfaults > c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		f = realloc(r->faults, c->cap * sizeof(*f));
		if (!f) {
			r->nfaults--;
			return ERR_NOMEM;
		}
		r->faults = f;
	}
	f = &r->faults[r->nfaults - 1];
	*f = (struct bag_fault){.kind = kind, .name = arena_strdup(&r->arena, name)};
	snprintf(f->what, sizeof(f->what), "%s", what);
	if (f->name)
		return 0;
	r->nfaults--;
	return ERR_NOMEM;
}

/* ---- files ---- */

static struct bag_file *file_of(struct check *c, struct sv name)
{
	struct bag_file *f = smap_get(&c->files, name);

	if (f)
		return f;
	f = arena_zalloc(&c->out->arena, 1, sizeof(*f));
	if (f)
		f->name = arena_strndup(&c->out->arena, name.p, name.n);
	return f && f->name && smap_put(&c->files, sv_of(f->name), f) == 0 ? f : NULL;
}

/* The bag's own files are kept, too. */
static struct buf *text_of(struct check *c, const char *name)
{
	const struct {
		const char *name;
		struct buf *text;
		bool *has;
	} texts[] = {
	    {BAG_DECLARATION, &c->declaration, &c->has_declaration},
	    {BAG_INFO, &c->info, &c->has_info},
	    {BAG_MANIFEST, &c->manifest, &c->has_manifest},
	    {BAG_TAGS, &c->tags, &c->has_tags},
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (strcmp(texts[i].name, name) == 0) {
			*texts[i].has = true;
			return texts[i].text;
		}
	return NULL;
}

/* The bytes of one member, wherever they come from. */
struct source {
	struct arc_reader *reader;
	struct arc_file *file;
};

static int64_t read_step(struct check *c, const struct source *from, struct error *err)
{
	return from->reader ? arc_reader_read(from->reader, c->step, BAG_STEP, err)
			    : arc_read(from->file, c->step, BAG_STEP, err);
}

static int keep_on(struct check *c, size_t n, struct error *err)
{
	c->read += n;
	if (c->opt->progress)
		c->opt->progress(c->opt->arg, c->read);
	if (c->opt->stop && c->opt->stop(c->opt->arg))
		return error_set(err, ERR_INTERRUPTED, "stopped");
	return 0;
}

/* Return: 0 with the hash of all of it, or ERR_*. */
static int hash_member(struct check *c, struct bag_file *f, const struct source *from,
		       struct error *err)
{
	struct buf *text = text_of(c, f->name);
	struct sf_hash *h;
	int64_t n;
	int rc = sf_hash_new(&h, err);

	while (rc == 0 && (n = read_step(c, from, err)) != 0) {
		if (n < 0) {
			rc = (int)n;
			break;
		}
		sf_hash_add(h, c->step, (size_t)n);
		f->size += (uint64_t)n;
		if (text && text->len + (size_t)n > BAG_TEXT_MAX)
			rc = error_set(err, ERR_LIMIT, "'%s' is longer than 16 MiB (BAG_TEXT_MAX)",
				       f->name);
		else if (text)
			buf_add(text, c->step, (size_t)n);
		if (rc == 0)
			rc = keep_on(c, (size_t)n, err);
	}
	if (rc == 0 && !sf_hash_end(h, f->sha256))
		rc = error_nomem(err);
	f->whole = rc == 0;
	sf_hash_free(h);
	return rc;
}

/* ---- archives ---- */

/* Of an error in the middle of a member: what it says of the bag. Return: 0 to go on, 1: there is
 * nothing more, or ERR_*: it is no fault of the bag. */
static int take_damage(struct check *c, struct arc_reader *r, const char *name, int rc,
		       const struct error *why, struct error *err)
{
	bool more = arc_reader_can_go_on(r);

	if (!arc_reader_is_damaged(r)) {
		if (err)
			*err = *why;
		return rc;
	}
	if (rc == ERR_TRUNCATED) {
		c->out->cut = true;
		return 1;
	}
	rc = fault(c, BAG_DAMAGED, name, why->msg);
	c->damaged = !more;
	return rc < 0 ? error_nomem(err) : !more;
}

/* A bag may be in a directory of its own: bagit.txt tells. */
static int find_prefix(const char *name, const char **prefix, struct arena *arena)
{
	const char *slash = strchr(name, '/');

	if (strcmp(slash ? slash + 1 : name, BAG_DECLARATION) != 0)
		return 0;
	*prefix = slash ? arena_strndup(arena, name, (size_t)(slash + 1 - name)) : "";
	return *prefix ? 1 : ERR_NOMEM;
}

static int check_member(struct check *c, struct arc_reader *r, const struct arc_member *m,
			struct error *err)
{
	const struct source from = {.reader = r};
	size_t n = strlen(c->out->prefix);
	struct error why = {0};
	struct bag_file *f;
	int rc;

	if (m->kind == ARC_DIRECTORY)
		return 0;
	if (strncmp(m->name, c->out->prefix, n) != 0)
		return fault(c, BAG_EXTRA, m->name, "it is outside of the bag") < 0
			   ? error_nomem(err)
			   : 0;
	f = file_of(c, sv_of(m->name + n));
	if (!f)
		return error_nomem(err);
	if (m->kind == ARC_LINK)
		return error_set(err, ERR_FORMAT,
				 "the bundle is refused: member '%.200s' is a link", m->name);
	f->seen = true;
	rc = hash_member(c, f, &from, &why);
	if (rc < 0 && rc != ERR_INTERRUPTED)
		return take_damage(c, r, f->name, rc, &why, err);
	if (rc < 0 && err)
		*err = why;
	return rc;
}

static int check_members(struct check *c, struct arc_reader *r, struct error *err)
{
	struct error why = {0};
	struct arc_member m;
	int rc = 0;

	while (rc == 0) {
		rc = arc_reader_next(r, &m, &why);
		if (rc == 0)
			break;
		if (rc < 0)
			rc = take_damage(c, r, "", rc, &why, err);
		else
			rc = check_member(c, r, &m, err);
	}
	c->out->format = arena_strdup(&c->out->arena, arc_reader_format(r));
	return rc > 0 ? 0 : rc;
}

/* Where the bag begins is looked for first: bagit.txt may come late. Return: 1, 0, or ERR_*. */
static int look_for_bag(struct arc_reader *r, struct bag_report *out, struct error *err)
{
	struct arc_member m;
	int rc;

	while ((rc = arc_reader_next(r, &m, err)) > 0) {
		rc = find_prefix(m.name, &out->prefix, &out->arena);
		if (rc)
			return rc < 0 ? error_nomem(err) : 1;
	}
	return rc;
}

/* ---- directories ---- */

static int check_directory(struct check *c, int dir, struct buf *name, unsigned depth,
			   struct error *err);

static int check_file(struct check *c, int fd, const char *name, struct error *err)
{
	struct bag_file *f = file_of(c, sv_of(name));
	struct source from = {0};
	int rc = arc_file_from_fd(fd, name, &from.file, err);

	if (rc == 0 && !f)
		rc = error_nomem(err);
	if (rc == 0) {
		f->seen = true;
		rc = hash_member(c, f, &from, err);
		arc_close(from.file);
	}
	return rc;
}

static int check_entry(struct check *c, int dir, const char *file, struct buf *name, unsigned depth,
		       struct error *err)
{
	const char *trouble = arc_name_trouble(buf_cstr(name), false);
	struct stat sb;
	int fd;

	if (fstatat(dir, file, &sb, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, errno, "cannot look at '%s'", buf_cstr(name));
	if (!trouble && !S_ISDIR(sb.st_mode) && !S_ISREG(sb.st_mode))
		trouble = "it is a link or a special file";
	if (trouble) {
		char plain[201];

		snprintf(plain, sizeof(plain), "%s", buf_cstr(name));
		return fault(c, BAG_EXTRA, plain, trouble) < 0 ? error_nomem(err) : 0;
	}
	fd = openat(dir, file,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (S_ISDIR(sb.st_mode) ? O_DIRECTORY : 0));
	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", buf_cstr(name));
	if (!S_ISDIR(sb.st_mode))
		return check_file(c, fd, buf_cstr(name), err);
	if (depth >= BAG_DEPTH_MAX) {
		close(fd);
		return error_set(err, ERR_LIMIT, "directories are deeper than %u (BAG_DEPTH_MAX)",
				 BAG_DEPTH_MAX);
	}
	return check_directory(c, fd, name, depth + 1, err);
}

/* @dir is closed. */
static int check_directory(struct check *c, int dir, struct buf *name, unsigned depth,
			   struct error *err)
{
	DIR *d = fdopendir(dir);
	size_t n = name->len;
	struct dirent *e;
	int rc = 0;

	if (!d) {
		close(dir);
		return error_sys(err, errno, "cannot read a directory");
	}
	while (rc == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		name->len = n;
		if (n)
			buf_char(name, '/');
		buf_str(name, e->d_name);
		rc = name->failed ? error_nomem(err)
				  : check_entry(c, dir, e->d_name, name, depth, err);
	}
	closedir(d);
	name->len = n;
	return rc;
}

static int check_unpacked(struct check *c, const char *path, struct error *err)
{
	int dir = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY), rc;
	struct buf name = {0};

	if (dir < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	c->out->format = "directory";
	rc = check_directory(c, dir, &name, 1, err);
	buf_done(&name);
	return rc;
}

/* ---- manifests ---- */

/* Note what @text lists. Return: 0, or ERR_NOMEM. */
static int take_manifest(struct check *c, const char *manifest, struct sv text, bool payload)
{
	uint64_t lines = 0;
	struct sv name;
	char what[160];
	uint8_t digest[BAG_DIGEST];
	int rc;

	while ((rc = bag_manifest_next(&text, digest, &name)) > 0) {
		struct bag_file *f = file_of(c, name);

		lines++;
		if (!f)
			return ERR_NOMEM;
		if (arc_name_trouble(f->name, false) || strlen(f->name) != name.n || f->is_listed ||
		    sv_starts(name, SV_LIT("data/")) != payload)
			break;
		f->is_listed = true;
		memcpy(f->listed, digest, BAG_DIGEST);
	}
	if (rc == 0)
		return 0;
	snprintf(what, sizeof(what),
		 "line %llu is not a digest, two blanks and the name of a file of %s",
		 (unsigned long long)lines + (rc < 0), payload ? "data/" : "the bag itself");
	return fault(c, BAG_MALFORMED, manifest, what);
}

static int lacks(struct check *c, const char *name)
{
	return fault(c, BAG_MISSING, name, "without it little can be shown");
}

static int compare(struct check *c, const struct bag_file *f)
{
	bool payload = strncmp(f->name, "data/", 5) == 0;

	if (payload && f->is_listed)
		c->out->files++;
	/* The tagmanifest has itself no place in a manifest. */
	if (strcmp(f->name, BAG_TAGS) == 0)
		return 0;
	if (f->seen && !f->is_listed)
		return (payload ? c->has_manifest : c->has_tags)
			   ? fault(c, BAG_EXTRA, f->name, "no manifest has it")
			   : 0;
	if (f->seen && f->whole) {
		if (memcmp(f->sha256, f->listed, BAG_DIGEST) != 0)
			return fault(c, BAG_ALTERED, f->name, "its SHA-256 is not the manifest's");
		c->out->good += payload;
		c->out->bytes += payload ? f->size : 0;
		return 0;
	}
	if (f->seen && !c->out->cut)
		return 0; /* it is damaged, as was said */
	return fault(c, BAG_MISSING, f->name,
		     f->seen ? "the archive ends in the middle of it" : "it is not there");
}

static int by_name(const void *a, const void *b)
{
	const struct bag_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int sort_files(struct check *c)
{
	struct bag_report *r = c->out;
	struct smap_slot *slot;
	size_t at = 0;

	r->list = calloc(c->files.count + 1, sizeof(*r->list));
	if (!r->list)
		return ERR_NOMEM;
	while ((slot = smap_next(&c->files, &at)))
		r->list[r->count++] = *(struct bag_file *)slot->value;
	qsort(r->list, r->count, sizeof(*r->list), by_name);
	return 0;
}

static bool is_declaration(struct sv text)
{
	return sv_is(text, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n") ||
	       sv_is(text, "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n");
}

/* The next value of @label behind @*at, which moves on, to the end of its line. */
static bool next_info(const char **at, const char *label, struct sv *out)
{
	size_t n = strlen(label);

	while (**at) {
		const char *line = *at, *end = strchrnul(line, '\n');

		*at = *end ? end + 1 : end;
		if (strncmp(line, label, n) == 0 && strncmp(line + n, ": ", 2) == 0) {
			*out = sv_make(line + n + 2, (size_t)(end - line) - n - 2);
			return true;
		}
	}
	return false;
}

bool bag_info_has(const char *info, const char *label, const char *value)
{
	struct sv is;

	while (next_info(&info, label, &is))
		if (sv_is(is, value))
			return true;
	return false;
}

/* "Payload-Oxum: BYTES.FILES" of bag-info.txt, which RFC 8493 lets verifiers compare. */
static bool fits_oxum(const struct check *c)
{
	const char *at = c->has_info ? c->out->info : "";
	unsigned long long bytes, files;
	struct sv is;

	return !next_info(&at, "Payload-Oxum", &is) ||
	       sscanf(is.p, "%20llu.%20llu", &bytes, &files) != 2 ||
	       (bytes == c->out->bytes && files == c->out->files);
}

static int judge(struct check *c, struct error *err)
{
	struct bag_report *r = c->out;
	int rc = 0;

	if (c->has_declaration && !is_declaration(buf_view(&c->declaration)))
		rc = fault(c, BAG_MALFORMED, BAG_DECLARATION,
			   "it is not that of BagIt 1.0 or 0.97 in UTF-8");
	if (rc == 0)
		rc = c->has_manifest ? take_manifest(c, BAG_MANIFEST, buf_view(&c->manifest), true)
				     : lacks(c, BAG_MANIFEST);
	if (rc == 0)
		rc = c->has_tags ? take_manifest(c, BAG_TAGS, buf_view(&c->tags), false)
				 : lacks(c, BAG_TAGS);
	if (rc == 0)
		rc = sort_files(c);
	for (size_t i = 0; rc == 0 && i < r->count; i++) {
		const struct bag_file *f = &r->list[i];

		rc = compare(c, f);
		if (strcmp(f->name, BAG_TAGS) == 0 && f->whole) {
			memcpy(r->root, f->sha256, BAG_DIGEST);
			r->has_root = true;
		}
	}
	if (c->has_info && rc == 0) {
		r->info = arena_strndup(&r->arena, c->info.len ? c->info.p : "", c->info.len);
		rc = r->info ? 0 : ERR_NOMEM;
	}
	if (rc == 0 && r->verdict == BAG_INTACT && !fits_oxum(c))
		rc = fault(c, BAG_MALFORMED, BAG_INFO,
			   "its Payload-Oxum is not the number of bytes and files in data/");
	return rc < 0 ? error_nomem(err) : 0;
}

/* ---- all ---- */

static const struct bag_checking defaults;

static int begin(struct check *c, const struct bag_checking *opt, struct bag_report *out,
		 struct error *err)
{
	*out = (struct bag_report){.format = "", .prefix = "", .info = ""};
	*c = (struct check){.opt = opt ? opt : &defaults, .out = out, .step = malloc(BAG_STEP)};
	return c->step ? 0 : error_nomem(err);
}

static int end(struct check *c, int rc, struct error *err)
{
	if (rc == 0 && !c->has_declaration && c->out->cut)
		rc = error_set(err, ERR_TRUNCATED, "the archive ends before its bagit.txt");
	if (rc == 0)
		rc = judge(c, err);
	smap_done(&c->files);
	buf_done(&c->declaration);
	buf_done(&c->info);
	buf_done(&c->manifest);
	buf_done(&c->tags);
	free(c->step);
	return rc;
}

static bool is_directory(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}

int bag_check(const char *path, const struct bag_checking *opt, struct bag_report *out,
	      struct error *err)
{
	struct arc_reader *r = NULL;
	struct check c;
	int rc = begin(&c, opt, out, err);

	if (rc == 0 && is_directory(path))
		return end(&c, check_unpacked(&c, path, err), err);
	if (rc == 0)
		rc = arc_reader_open(path, &r, err);
	if (rc == 0 && look_for_bag(r, out, err) >= 0) {
		arc_reader_close(r);
		r = NULL;
		rc = arc_reader_open(path, &r, err);
	}
	if (rc == 0)
		rc = check_members(&c, r, err);
	arc_reader_close(r);
	return end(&c, rc, err);
}

int bag_check_memory(const void *p, size_t n, struct bag_report *out, struct error *err)
{
	struct arc_reader *r = NULL;
	struct check c;
	int rc = begin(&c, NULL, out, err);

	if (rc == 0)
		rc = arc_reader_open_memory(p, n, &r, err);
	if (rc == 0)
		rc = check_members(&c, r, err);
	arc_reader_close(r);
	return end(&c, rc, err);
}

void bag_report_done(struct bag_report *r)
{
	free(r->faults);
	free(r->list);
	arena_done(&r->arena);
}

int bag_is_bundle(const char *path, struct error *err)
{
	struct bag_report found = {0};
	struct arc_reader *r;
	struct error why = {0};
	char *name = NULL;
	int rc;

	if (is_directory(path)) {
		struct stat sb;

		if (asprintf(&name, "%s/" BAG_DECLARATION, path) < 0)
			return error_nomem(err);
		rc = stat(name, &sb) == 0 && S_ISREG(sb.st_mode);
		free(name);
		return rc;
	}
	rc = arc_reader_open(path, &r, &why);
	if (rc == 0) {
		rc = look_for_bag(r, &found, &why);
		if (rc < 0 && !arc_reader_is_damaged(r) && err)
			*err = why;
		if (rc < 0 && arc_reader_is_damaged(r))
			rc = 0;
		arc_reader_close(r);
		arena_done(&found.arena);
		return rc;
	}
	return rc == ERR_FORMAT || rc == ERR_TRUNCATED ? 0 : (err ? (*err = why, rc) : rc);
}
