/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: a magic, the parts of checkpoints as zstd frames one after another, the directory (an
 * archive, as one zstd frame), and a foot that says where that is. The directory is written last,
 * so a file that was not finished is none.
 */
#include "scapfile/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/archive.h"
#include "base/map.h"
#include "scapfile/stream.h"

#define MAGIC	      "scapidx\x03"
#define MAGIC_BYTES   8u
#define FOOT_BYTES    24u  /* offset and length of the directory, magic */
#define LEVEL	      (-1) /* of compression: writing an index should not take long */
#define DIRECTORY_MAX (1u << 30)

struct entry {		   /* where a part of a checkpoint is */
	uint64_t at, size; /* in the index; size 0: there is none */
};

struct checkpoint {
	struct entry parts[SF_INDEX_PARTS];
};

/* What both sides have. */
struct directory {
	struct sf_index_facts facts;
	struct sf_chunk *chunks;
	struct checkpoint *checkpoints; /* of each chunk */
	size_t count;
	struct sf_access *access;
	size_t access_count;
};

struct sf_index_writer {
	int fd;
	char *path, *partial;
	uint64_t size; /* written so far */
	struct directory d;
	size_t cap;
	ZSTD_CCtx *zstd;
	struct buf packed;
};

struct sf_index {
	struct directory d;
	int fd;
	uint64_t size;
	struct buf unpacked; /* the directory: windows lie in it */
};

/* ---- the capture ---- */

static int hash_part(int fd, off_t at, struct sf_hash *h)
{
	static const size_t size = SF_IDENTITY_BYTES;
	uint8_t *p = malloc(size);
	ssize_t n = p ? pread(fd, p, size, at) : -1;

	if (n > 0)
		sf_hash_add(h, p, (size_t)n);
	free(p);
	return n < 0 ? ERR_IO : 0;
}

static int identify_fd(int fd, const char *path, struct sf_identity *out, struct error *err)
{
	struct sf_hash *h;
	struct stat sb;
	off_t tail;
	int rc;

	if (fstat(fd, &sb) < 0)
		return error_sys(err, errno, "cannot look at '%s'", path);
	if (!S_ISREG(sb.st_mode))
		return error_set(err, ERR_UNSUPPORTED, "'%s' is no regular file", path);
	out->size = (uint64_t)sb.st_size;
	out->mtime_ns = (uint64_t)sb.st_mtim.tv_sec * 1000000000u + (uint64_t)sb.st_mtim.tv_nsec;
	tail = sb.st_size > SF_IDENTITY_BYTES ? sb.st_size - SF_IDENTITY_BYTES : 0;
	rc = sf_hash_new(&h, err);
	if (rc < 0)
		return rc;
	rc = hash_part(fd, 0, h);
	if (rc == 0)
		rc = hash_part(fd, tail, h);
	if (rc < 0)
		error_sys(err, errno, "cannot read '%s'", path);
	else if (!sf_hash_end(h, out->ends))
		rc = error_nomem(err);
	sf_hash_free(h);
	return rc;
}

int sf_identify(const char *path, struct sf_identity *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	rc = identify_fd(fd, path, out, err);
	close(fd);
	return rc;
}

/* ---- chunks ---- */

#define THREAD_BITS (SF_CHUNK_THREADS * 8u)

void sf_chunk_thread(struct sf_chunk *c, int64_t tid)
{
	uint64_t h = hash_u64((uint64_t)tid);

	c->threads[h % THREAD_BITS / 8] |= (uint8_t)(1u << h % 8);
	h >>= 32;
	c->threads[h % THREAD_BITS / 8] |= (uint8_t)(1u << h % 8);
}

bool sf_chunk_may_have(const struct sf_chunk *c, int64_t tid)
{
	uint64_t h = hash_u64((uint64_t)tid), other = h >> 32;

	return c->threads[h % THREAD_BITS / 8] >> h % 8 & 1 &&
	       c->threads[other % THREAD_BITS / 8] >> other % 8 & 1;
}

/* ---- the directory, both ways ---- */

static const struct archive_field facts_fields[] = {
    ARCHIVE_U(struct sf_index_facts, of.size),	ARCHIVE_U(struct sf_index_facts, of.mtime_ns),
    ARCHIVE_U(struct sf_index_facts, events),	ARCHIVE_U(struct sf_index_facts, gaps),
    ARCHIVE_U(struct sf_index_facts, first_ts), ARCHIVE_U(struct sf_index_facts, start_ts),
};

static const struct archive_field chunk_fields[] = {
    ARCHIVE_U(struct sf_chunk, offset),	  ARCHIVE_U(struct sf_chunk, events),
    ARCHIVE_U(struct sf_chunk, first_ts), ARCHIVE_U(struct sf_chunk, last_ts),
    ARCHIVE_U(struct sf_chunk, losses),
};

static const struct archive_field entry_fields[] = {
    ARCHIVE_U(struct entry, at),
    ARCHIVE_U(struct entry, size),
};

static const struct archive_field access_fields[] = {
    ARCHIVE_U(struct sf_access, stored),
    ARCHIVE_U(struct sf_access, raw),
    ARCHIVE_U(struct sf_access, bits),
};

/* Restoring: room for @n of them, or what is there. */
static void *room_for(struct archive *a, void *there, size_t n, size_t size, bool *nomem)
{
	void *p;

	if (archive_saves(a) || !n)
		return there;
	p = calloc(n, size);
	*nomem |= !p;
	return p;
}

static void archive_chunks(struct archive *a, struct directory *d, bool *nomem)
{
	uint64_t n = archive_count(a, d->count);

	if (n > SF_INDEX_CHUNKS_MAX)
		archive_complain(a, "it has too many chunks");
	d->chunks = room_for(a, d->chunks, n, sizeof(*d->chunks), nomem);
	d->checkpoints = room_for(a, d->checkpoints, n, sizeof(*d->checkpoints), nomem);
	d->count = *nomem ? 0 : n;
	for (size_t i = 0; i < d->count; i++) {
		ARCHIVE_FIELDS(a, &d->chunks[i], chunk_fields);
		for (unsigned k = 0; k < SF_INDEX_PARTS; k++)
			ARCHIVE_FIELDS(a, &d->checkpoints[i].parts[k], entry_fields);
		archive_bytes(a, d->chunks[i].types, sizeof(d->chunks[i].types));
		archive_bytes(a, d->chunks[i].threads, sizeof(d->chunks[i].threads));
	}
}

static void archive_access(struct archive *a, struct directory *d, bool *nomem)
{
	uint64_t n = archive_count(a, d->access_count);

	d->access = room_for(a, d->access, n, sizeof(*d->access), nomem);
	d->access_count = *nomem ? 0 : n;
	for (size_t i = 0; i < d->access_count; i++) {
		struct sf_access *one = &d->access[i];
		struct sv window;

		ARCHIVE_FIELDS(a, one, access_fields);
		window = archive_text(a, one->window);
		if (!archive_saves(a)) /* what is saved is not ours */
			one->window = window;
	}
}

static void archive_directory(struct archive *a, struct directory *d, bool *nomem)
{
	struct sv more;

	if (archive_u64(a, EV_TYPE_COUNT) != EV_TYPE_COUNT)
		archive_complain(a, "it knows other events");
	ARCHIVE_FIELDS(a, &d->facts, facts_fields);
	archive_bytes(a, d->facts.of.ends, sizeof(d->facts.of.ends));
	more = archive_text(a, d->facts.more);
	if (!archive_saves(a)) /* what is saved is not ours */
		d->facts.more = more;
	archive_chunks(a, d, nomem);
	archive_access(a, d, nomem);
}

/* ---- writing ---- */

static int write_all(struct sf_index_writer *w, const void *p, size_t n, struct error *err)
{
	const uint8_t *from = p;

	w->size += n;
	while (n) {
		ssize_t k = write(w->fd, from, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return error_sys(err, errno, "cannot write '%s'", w->partial);
		from += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Append @n bytes as a zstd frame. */
static int write_packed(struct sf_index_writer *w, const void *p, size_t n, struct error *err)
{
	char *to;
	size_t k;

	buf_reset(&w->packed);
	to = buf_room(&w->packed, ZSTD_compressBound(n));
	if (!to)
		return error_nomem(err);
	k = ZSTD_compress2(w->zstd, to, ZSTD_compressBound(n), p, n);
	return ZSTD_isError(k) ? error_nomem(err) : write_all(w, to, k, err);
}

int sf_index_create(const char *path, struct sf_index_writer **out, struct error *err)
{
	struct sf_index_writer *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (!w)
		return error_nomem(err);
	w->fd = -1;
	w->path = strdup(path);
	if (asprintf(&w->partial, "%s.partial-%ld", path, (long)getpid()) < 0)
		w->partial = NULL;
	w->zstd = ZSTD_createCCtx();
	if (!w->path || !w->partial || !w->zstd)
		rc = error_nomem(err);
	if (rc == 0) {
		ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
		ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
		w->fd =
		    open(w->partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (w->fd < 0)
			rc = error_sys(err, errno, "cannot create '%s'", w->partial);
	}
	if (rc == 0)
		rc = write_all(w, MAGIC, MAGIC_BYTES, err);
	if (rc < 0) {
		sf_index_abandon(w);
		return rc;
	}
	*out = w;
	return 0;
}

static int grow(struct sf_index_writer *w, struct error *err)
{
	size_t cap = w->cap ? 2 * w->cap : 64;
	struct sf_chunk *chunks = realloc(w->d.chunks, cap * sizeof(*chunks));
	struct checkpoint *checkpoints;

	if (!chunks)
		return error_nomem(err);
	w->d.chunks = chunks;
	checkpoints = realloc(w->d.checkpoints, cap * sizeof(*checkpoints));
	if (!checkpoints)
		return error_nomem(err);
	w->d.checkpoints = checkpoints;
	w->cap = cap;
	return 0;
}

int sf_index_begin_chunk(struct sf_index_writer *w, uint64_t offset, uint64_t events,
			 struct error *err)
{
	int rc = w->d.count == w->cap ? grow(w, err) : 0;

	if (rc == 0 && w->d.count == SF_INDEX_CHUNKS_MAX)
		rc = error_set(err, ERR_LIMIT, "'%s': more than %u chunks", w->path,
			       SF_INDEX_CHUNKS_MAX);
	if (rc < 0)
		return rc;
	w->d.checkpoints[w->d.count] = (struct checkpoint){0};
	w->d.chunks[w->d.count++] =
	    (struct sf_chunk){.offset = offset, .events = events, .first_ts = UINT64_MAX};
	return 0;
}

int sf_index_add_part(struct sf_index_writer *w, unsigned part, const void *p, size_t n,
		      struct error *err)
{
	struct entry *e = &w->d.checkpoints[w->d.count - 1].parts[part];
	uint64_t at = w->size;
	int rc;

	if (n > SF_INDEX_PART_MAX)
		return error_set(err, ERR_LIMIT, "'%s': a checkpoint of %zu bytes", w->path, n);
	rc = write_packed(w, p, n, err);
	*e = (struct entry){.at = at, .size = w->size - at};
	return rc;
}

struct sf_chunk *sf_index_current(struct sf_index_writer *w)
{
	return w->d.count ? &w->d.chunks[w->d.count - 1] : NULL;
}

static void writer_free(struct sf_index_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	ZSTD_freeCCtx(w->zstd);
	buf_done(&w->packed);
	free(w->d.chunks);
	free(w->d.checkpoints);
	free(w->path);
	free(w->partial);
	free(w);
}

void sf_index_abandon(struct sf_index_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		(void)unlink(w->partial);
	writer_free(w);
}

static int write_directory(struct sf_index_writer *w, struct error *err)
{
	uint8_t foot[FOOT_BYTES];
	struct buf b = {0};
	struct archive a = archive_to(&b);
	uint64_t at = w->size;
	bool nomem = false;
	int rc;

	archive_directory(&a, &w->d, &nomem);
	rc = b.failed ? error_nomem(err) : write_packed(w, b.p, b.len, err);
	buf_done(&b);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < 8; i++) {
		foot[i] = (uint8_t)(at >> 8 * i);
		foot[8 + i] = (uint8_t)((w->size - at) >> 8 * i);
	}
	memcpy(foot + 16, MAGIC, MAGIC_BYTES);
	return write_all(w, foot, sizeof(foot), err);
}

int sf_index_finish(struct sf_index_writer *w, const struct sf_index_facts *facts,
		    const struct sf_access *access, size_t n, struct error *err)
{
	int rc;

	w->d.facts = *facts;
	w->d.access = (struct sf_access *)access;
	w->d.access_count = n;
	rc = write_directory(w, err);
	if (rc == 0 && rename(w->partial, w->path) < 0)
		rc = error_sys(err, errno, "cannot create '%s'", w->path);
	if (rc < 0)
		sf_index_abandon(w);
	else
		writer_free(w);
	return rc;
}

/* ---- reading ---- */

static int bad(struct error *err, const char *path, const char *what)
{
	return error_set(err, ERR_FORMAT, "'%s' is no index that can be used: %s", path, what);
}

/* @n bytes at @at; ERR_FORMAT if the file has fewer. */
static int read_at(const struct sf_index *x, uint64_t at, void *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t k = pread(x->fd, (uint8_t *)to + done, n - done, (off_t)(at + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return ERR_IO;
		if (k == 0)
			return ERR_FORMAT;
		done += (size_t)k;
	}
	return 0;
}

/* The frame @e, of at most @max bytes when unpacked. Return: 0, ERR_FORMAT, ERR_IO, ERR_NOMEM. */
static int unpack(const struct sf_index *x, const struct entry *e, size_t max, struct buf *out)
{
	uint8_t *packed = malloc(e->size ? e->size : 1);
	int rc = packed ? read_at(x, e->at, packed, e->size) : ERR_NOMEM;
	unsigned long long size = rc < 0 ? 0 : ZSTD_getFrameContentSize(packed, e->size);
	char *to = NULL;

	buf_reset(out);
	/* Both errors of zstd's are greater than any limit. */
	if (rc == 0 && size > max)
		rc = ERR_FORMAT;
	if (rc == 0) {
		to = buf_room(out, size ? size : 1);
		rc = to ? 0 : ERR_NOMEM;
	}
	if (rc == 0 && ZSTD_decompress(to, size, packed, e->size) != size)
		rc = ERR_FORMAT;
	if (rc == 0)
		out->len = size;
	free(packed);
	return rc;
}

static bool lies_inside(const struct sf_index *x, const struct checkpoint *c)
{
	for (unsigned k = 0; k < SF_INDEX_PARTS; k++)
		if (c->parts[k].at > x->size || c->parts[k].size > x->size - c->parts[k].at)
			return false;
	return true;
}

/* Order and bounds: what the functions below rely on. */
static const char *check_directory(const struct sf_index *x)
{
	const struct directory *d = &x->d;

	if (!d->count || d->chunks[0].offset)
		return "it does not begin with the capture";
	for (size_t i = 0; i < d->count; i++) {
		if (!lies_inside(x, &d->checkpoints[i]))
			return "a checkpoint lies outside";
		if (i && (d->chunks[i].offset < d->chunks[i - 1].offset ||
			  d->chunks[i].events < d->chunks[i - 1].events))
			return "its chunks are in no order";
	}
	for (size_t i = 1; i < d->access_count; i++)
		if (d->access[i].raw < d->access[i - 1].raw)
			return "its places are in no order";
	return NULL;
}

/* Where the directory is. Return: as unpack(). */
static int read_foot(struct sf_index *x, struct entry *out)
{
	uint8_t foot[FOOT_BYTES];
	int rc = read_at(x, x->size - FOOT_BYTES, foot, sizeof(foot));

	if (rc < 0)
		return rc;
	*out = (struct entry){load_u64(foot), load_u64(foot + 8)};
	if (memcmp(foot + 16, MAGIC, MAGIC_BYTES) != 0 || out->at > x->size ||
	    out->size > x->size - out->at)
		return ERR_FORMAT;
	return 0;
}

static int read_directory(struct sf_index *x, const char *path, struct error *err)
{
	struct entry where = {0};
	struct archive a;
	bool nomem = false;
	const char *what;
	int rc = read_foot(x, &where);

	if (rc == 0)
		rc = unpack(x, &where, DIRECTORY_MAX, &x->unpacked);
	if (rc == ERR_FORMAT)
		return bad(err, path, "its directory is missing or damaged");
	if (rc < 0)
		return rc == ERR_IO ? error_sys(err, errno, "cannot read '%s'", path)
				    : error_nomem(err);
	a = archive_from(x->unpacked.p, x->unpacked.len);
	archive_directory(&a, &x->d, &nomem);
	if (nomem)
		return error_nomem(err);
	what = a.trouble ? a.trouble : check_directory(x);
	return what ? bad(err, path, what) : 0;
}

static int open_file(struct sf_index *x, const char *path, struct error *err)
{
	uint8_t magic[MAGIC_BYTES];
	struct stat sb;

	x->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (x->fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	if (fstat(x->fd, &sb) < 0)
		return error_sys(err, errno, "cannot look at '%s'", path);
	x->size = (uint64_t)sb.st_size;
	if (!S_ISREG(sb.st_mode) || x->size < MAGIC_BYTES + FOOT_BYTES ||
	    read_at(x, 0, magic, sizeof(magic)) < 0 || memcmp(magic, MAGIC, MAGIC_BYTES - 1) != 0)
		return bad(err, path, "it does not begin like one");
	if (memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
		return error_set(err, ERR_UNSUPPORTED, "'%s' is an index of another version", path);
	return 0;
}

int sf_index_open(const char *path, struct sf_index **out, struct error *err)
{
	struct sf_index *x = calloc(1, sizeof(*x));
	int rc;

	if (!x)
		return error_nomem(err);
	rc = open_file(x, path, err);
	if (rc == 0)
		rc = read_directory(x, path, err);
	if (rc < 0) {
		sf_index_close(x);
		return rc;
	}
	*out = x;
	return 0;
}

void sf_index_close(struct sf_index *x)
{
	if (!x)
		return;
	if (x->fd >= 0)
		close(x->fd);
	buf_done(&x->unpacked);
	free(x->d.chunks);
	free(x->d.checkpoints);
	free(x->d.access);
	free(x);
}

bool sf_index_is_of(const struct sf_index *x, const struct sf_identity *id)
{
	const struct sf_identity *of = &x->d.facts.of;

	return of->size == id->size && of->mtime_ns == id->mtime_ns &&
	       memcmp(of->ends, id->ends, sizeof(id->ends)) == 0;
}

const struct sf_index_facts *sf_index_facts(const struct sf_index *x)
{
	return &x->d.facts;
}

const struct sf_chunk *sf_index_chunks(const struct sf_index *x, size_t *n)
{
	*n = x->d.count;
	return x->d.chunks;
}

const struct sf_access *sf_index_access(const struct sf_index *x, uint64_t offset)
{
	static const struct sf_access start;
	size_t lo = 0, hi = x->d.access_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->d.access[mid].raw <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &x->d.access[lo - 1] : &start;
}

/* Times need not be in order: no event of an earlier chunk may be as late as @ts. */
size_t sf_index_find_time(const struct sf_index *x, uint64_t ts)
{
	size_t i = 0;

	while (i + 1 < x->d.count && x->d.chunks[i].last_ts < ts)
		i++;
	return i;
}

uint64_t sf_index_end_of_time(const struct sf_index *x, uint64_t ts)
{
	size_t i = x->d.count;

	while (i && x->d.chunks[i - 1].first_ts > ts)
		i--;
	return i < x->d.count ? x->d.chunks[i].offset : UINT64_MAX;
}

size_t sf_index_find_event(const struct sf_index *x, uint64_t num)
{
	size_t i = 0;

	while (i + 1 < x->d.count && x->d.chunks[i + 1].events < num)
		i++;
	return i;
}

unsigned sf_index_parts(const struct sf_index *x, size_t i)
{
	unsigned parts = 0;

	for (unsigned k = 0; i && k < SF_INDEX_PARTS; k++)
		parts |= (unsigned)(x->d.checkpoints[i].parts[k].size != 0) << k;
	return parts;
}

int sf_index_part(const struct sf_index *x, size_t i, unsigned part, struct buf *out,
		  struct error *err)
{
	const struct entry *e = &x->d.checkpoints[i].parts[part];
	int rc = 0;

	buf_reset(out);
	if (i && e->size)
		rc = unpack(x, e, SF_INDEX_PART_MAX, out);
	switch (rc) {
	case ERR_IO:
		return error_sys(err, errno, "cannot read the checkpoint of chunk %zu", i);
	case ERR_FORMAT:
		return error_set(err, rc, "the checkpoint of chunk %zu is damaged", i);
	case ERR_NOMEM:
		return error_nomem(err);
	default:
		return 0;
	}
}
