/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive from its start to its end. Limits are looked at here, for whoever reads: what a member
 * claims counts when it is met, what it really has when it is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/internal.h"

struct arc_reader {
	struct arc_lib lib;
	struct archive *a;
	struct arc_file *from; /* owned */
	enum arc_as as;
	uint8_t *piece;
	int failed;	  /* ERR_* of the source */
	struct error why; /* likewise */
	bool hit_end;	  /* of the source */
	bool compressed;  /* as a whole: what is passed over must be decoded */
	bool goes_on, begun, damaged;
	locale_t locale, before;
	struct arc_names names;
	struct buf name;
	struct arc_member member;
	uint64_t members, unpacked, got; /* of all; of this member */
};

const struct arc_file *arc_reader_source(const struct arc_reader *r)
{
	return r->from;
}

/* ---- the source ---- */

static la_ssize_t give(struct archive *a, void *arg, const void **p)
{
	struct arc_reader *r = arg;
	int64_t n = arc_read(r->from, r->piece, ARC_PIECE, &r->why);

	(void)a;
	*p = r->piece;
	if (n < 0)
		r->failed = (int)n;
	r->hit_end |= n == 0;
	return n;
}

static la_int64_t skip(struct archive *a, void *arg, la_int64_t n)
{
	struct arc_reader *r = arg;
	uint64_t left = arc_size(r->from) - r->from->at;

	(void)a;
	if (n < 0)
		return 0;
	if ((uint64_t)n > left)
		n = (la_int64_t)left; /* what is missing is found when it is read */
	arc_seek(r->from, r->from->at + (uint64_t)n);
	return n;
}

static la_int64_t seek(struct archive *a, void *arg, la_int64_t to, int whence)
{
	struct arc_reader *r = arg;
	int64_t size = (int64_t)arc_size(r->from);

	(void)a;
	if (whence == SEEK_CUR)
		to += (int64_t)r->from->at;
	else if (whence == SEEK_END)
		to += size;
	if (to < 0)
		return ARCHIVE_FATAL;
	if (to > size)
		to = size;
	arc_seek(r->from, (uint64_t)to);
	return to;
}

/* ---- libarchive, which takes names to be in the thread's locale ---- */

static void enter(struct arc_reader *r)
{
	r->before = r->locale ? uselocale(r->locale) : NULL;
}

static void leave(struct arc_reader *r)
{
	if (r->before)
		uselocale(r->before);
}

static const char *told(const struct arc_reader *r, char *to, size_t room)
{
	const char *text = r->lib.archive_error_string(r->a);

	arc_plain_text(to, room, text ? text : "it makes no sense");
	return to;
}

/* libarchive cannot go on. */
static int damaged(struct arc_reader *r, struct error *err)
{
	uint64_t at = (uint64_t)r->lib.archive_filter_bytes(r->a, -1);
	char text[160];

	r->damaged = !r->failed;
	if (r->failed) {
		if (err)
			*err = r->why;
		return r->failed;
	}
	if (!r->begun)
		return error_set(err, ERR_FORMAT, "'%s' is no archive (tar, zip, 7z): %s",
				 r->from->name, told(r, text, sizeof(text)));
	if (r->hit_end)
		return error_at(err, ERR_TRUNCATED, at, "'%s' ends too early, at byte %llu: %s",
				r->from->name, (unsigned long long)at, told(r, text, sizeof(text)));
	return error_at(err, ERR_FORMAT, at, "'%s' is damaged at byte %llu: %s", r->from->name,
			(unsigned long long)at, told(r, text, sizeof(text)));
}

static void choose_formats(struct arc_reader *r)
{
	const struct arc_lib *l = &r->lib;

	if (r->as != ARC_AS_WRAPPED) {
		l->archive_read_support_filter_gzip(r->a);
		l->archive_read_support_filter_zstd(r->a);
	}
	l->archive_read_support_filter_xz(r->a);
	l->archive_read_support_filter_bzip2(r->a);
	l->archive_read_support_filter_lz4(r->a);
	if (r->as != ARC_AS_ARCHIVE) {
		l->archive_read_support_format_raw(r->a);
		return;
	}
	l->archive_read_support_format_tar(r->a);
	l->archive_read_support_format_zip(r->a);
	l->archive_read_support_format_7zip(r->a);
}

static int open_library(struct arc_reader *r, struct error *err)
{
	const struct arc_lib *l = &r->lib;
	int rc;

	r->a = l->archive_read_new();
	r->piece = malloc(ARC_PIECE);
	if (!r->a || !r->piece)
		return error_nomem(err);
	choose_formats(r);
	l->archive_read_set_callback_data(r->a, r);
	l->archive_read_set_read_callback(r->a, give);
	if (arc_is_random(r->from)) {
		l->archive_read_set_skip_callback(r->a, skip);
		l->archive_read_set_seek_callback(r->a, seek);
	}
	enter(r);
	rc = l->archive_read_open1(r->a);
	leave(r);
	if (rc < ARCHIVE_WARN)
		return damaged(r, err);
	r->compressed = l->archive_filter_code(r->a, 0) != ARCHIVE_FILTER_NONE;
	if (l->archive_filter_count(r->a) > (int)ARC_FILTERS_MAX + 1)
		return error_set(err, ERR_LIMIT,
				 "'%s' is compressed more than %u times (ARC_FILTERS_MAX)",
				 r->from->name, ARC_FILTERS_MAX);
	return 0;
}

int arc_reader_of(struct arc_file *from, enum arc_as as, struct arc_reader **out, struct error *err)
{
	struct arc_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		arc_close(from);
		return error_nomem(err);
	}
	r->from = from;
	r->as = as;
	r->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	rc = arc_lib_load(&r->lib, err);
	if (rc == 0)
		rc = open_library(r, err);
	if (rc == 0)
		*out = r;
	else
		arc_reader_close(r);
	return rc;
}

void arc_reader_close(struct arc_reader *r)
{
	if (!r)
		return;
	if (r->a)
		r->lib.archive_read_free(r->a);
	if (r->locale)
		freelocale(r->locale);
	arc_close(r->from);
	arc_names_done(&r->names);
	buf_done(&r->name);
	free(r->piece);
	free(r);
}

/* ---- limits ---- */

static int too_much(const struct arc_reader *r, const char *what, const char *limit,
		    struct error *err)
{
	return error_set(err, ERR_LIMIT, "'%s' is refused: it %s (%s)", r->from->name, what, limit);
}

/* @n more bytes come out of it, or are said to. */
static int count_unpacked(struct arc_reader *r, uint64_t n, struct error *err)
{
	uint64_t stored = arc_is_random(r->from) ? arc_size(r->from) : r->from->at;

	r->unpacked = n > UINT64_MAX - r->unpacked ? UINT64_MAX : r->unpacked + n;
	if (r->unpacked > ARC_UNPACKED_MAX)
		return too_much(r, "unpacks to more than 4 TiB", "ARC_UNPACKED_MAX", err);
	if (r->unpacked > ARC_RATIO_FREE && r->unpacked / ARC_RATIO_MAX > stored)
		return too_much(r, "unpacks to more than 1000 times its size", "ARC_RATIO_MAX",
				err);
	return 0;
}

static int refuse(const struct arc_reader *r, int code, const char *why, struct error *err)
{
	return error_set(err, code, "'%s' is refused: member %llu, '%.200s': %s", r->from->name,
			 (unsigned long long)r->members, r->member.name, why);
}

static int check_name(struct arc_reader *r, const char *raw, struct error *err)
{
	bool dir = r->member.kind == ARC_DIRECTORY;
	const char *trouble = arc_name_trouble(raw, dir);
	char plain[201];
	struct sv name = sv_of(raw), other;
	int rc;

	if (trouble) {
		arc_plain_text(plain, sizeof(plain), raw);
		return error_set(err, ERR_FORMAT,
				 "'%s' is refused: the name of member %llu, '%s': %s",
				 r->from->name, (unsigned long long)r->members, plain, trouble);
	}
	if (dir && sv_ends(name, SV_LIT("/")))
		name.n--;
	buf_reset(&r->name);
	buf_sv(&r->name, name);
	r->member.name = buf_cstr(&r->name);
	rc = r->name.failed ? ERR_NOMEM : arc_names_add(&r->names, name, dir, &other);
	switch (rc) {
	case ARC_NAME_NEW:
		return 0;
	case ARC_NAME_TWICE:
		return refuse(r, ERR_FORMAT, "there are two of this name", err);
	case ARC_NAME_CASE:
		return refuse(r, ERR_FORMAT, "the name of another differs in nothing but case",
			      err);
	case ARC_NAME_TOO_MANY:
		return too_much(r, "has more than 100000 members, or 8 MiB of names",
				"ARC_MEMBERS_MAX, ARC_NAMES_MAX", err);
	default:
		return error_nomem(err);
	}
}

/* ---- members ---- */

/* A member of a compressed archive is passed over by decoding it. */
static int pass_over(struct arc_reader *r, struct error *err)
{
	uint8_t *scratch;
	int64_t n;

	if (!r->compressed || !r->member.name || r->member.kind != ARC_FILE)
		return 0;
	scratch = malloc(ARC_PIECE);
	if (!scratch)
		return error_nomem(err);
	do {
		n = arc_reader_read(r, scratch, ARC_PIECE, err);
	} while (n > 0);
	free(scratch);
	return n < 0 && !r->goes_on ? (int)n : 0;
}

static enum arc_kind kind_of(const struct arc_lib *l, struct archive_entry *e, bool *special)
{
	*special = false;
	if (l->archive_entry_hardlink_utf8(e) || l->archive_entry_hardlink(e))
		return ARC_LINK;
	switch (l->archive_entry_filetype(e)) {
	case AE_IFREG:
		return ARC_FILE;
	case AE_IFDIR:
		return ARC_DIRECTORY;
	case AE_IFLNK:
		return ARC_LINK;
	default:
		*special = true;
		return ARC_FILE;
	}
}

/* A file of a plain tar is one piece, and what was read so far ends where it begins. */
static void find_data(struct arc_reader *r)
{
	struct arc_member *m = &r->member;
	int64_t at = r->lib.archive_filter_bytes(r->a, 0);
	bool tar = (r->lib.archive_format(r->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;

	m->data_at = -1;
	if (tar && !r->compressed && m->kind == ARC_FILE && arc_is_random(r->from) && at >= 0 &&
	    (uint64_t)at <= arc_size(r->from) && m->size <= arc_size(r->from) - (uint64_t)at)
		m->data_at = at;
}

/* "./name" is "name"; NULL: it is the directory itself. */
static const char *without_dots(const char *name, bool dir)
{
	while (name[0] == '.' && name[1] == '/') {
		name += 2;
		if (!*name && dir)
			return NULL;
	}
	return dir && strcmp(name, ".") == 0 ? NULL : name;
}

/* Return: 1, 0: it is to be ignored, or ERR_*. */
static int take_entry(struct arc_reader *r, struct archive_entry *e, struct error *err)
{
	const struct arc_lib *l = &r->lib;
	const char *name = l->archive_entry_pathname_utf8(e);
	bool special;
	int rc;

	r->member = (struct arc_member){.name = "?", .data_at = -1};
	r->got = 0;
	r->members++;
	r->member.kind = kind_of(l, e, &special);
	name = name ? without_dots(name, r->member.kind == ARC_DIRECTORY) : "";
	if (!name)
		return r->members <= ARC_MEMBERS_MAX
			   ? 0
			   : too_much(r, "has more than 100000 members", "ARC_MEMBERS_MAX", err);
	rc = check_name(r, name, err);
	if (rc < 0)
		return rc;
	if (special)
		return refuse(r, ERR_FORMAT, "it is a device or another special file", err);
	if (l->archive_entry_sparse_count(e) > 0)
		return refuse(r, ERR_FORMAT, "it is sparse", err);
	if (l->archive_entry_is_encrypted(e))
		return refuse(r, ERR_UNSUPPORTED, "it is encrypted", err);
	r->member.has_size = r->as == ARC_AS_ARCHIVE && l->archive_entry_size_is_set(e);
	if (r->member.has_size && r->member.kind == ARC_FILE)
		r->member.size = (uint64_t)l->archive_entry_size(e);
	find_data(r);
	rc = count_unpacked(r, r->member.size, err);
	return rc < 0 ? rc : 1;
}

int arc_reader_next(struct arc_reader *r, struct arc_member *out, struct error *err)
{
	struct archive_entry *e;
	bool ended, bad;
	int rc = pass_over(r, err);

	r->goes_on = false;
	if (rc < 0)
		return rc;
	enter(r);
	do {
		int got = r->lib.archive_read_next_header(r->a, &e);

		ended = got == ARCHIVE_EOF;
		/* RETRY: a header is damaged, and what follows would pass for the next one. */
		bad = got < ARCHIVE_WARN || got == ARCHIVE_RETRY;
		r->begun |= !bad && !ended;
		if (!ended)
			rc = bad ? damaged(r, err) : take_entry(r, e, err);
	} while (rc == 0 && !ended);
	leave(r);
	if (rc > 0)
		*out = r->member;
	return rc;
}

int64_t arc_reader_read(struct arc_reader *r, void *to, size_t room, struct error *err)
{
	uint64_t beyond;
	la_ssize_t n;
	int rc;

	if (r->member.kind != ARC_FILE)
		return 0;
	enter(r);
	n = r->lib.archive_read_data(r->a, to, room);
	leave(r);
	r->goes_on = n == ARCHIVE_WARN || n == ARCHIVE_FAILED;
	if (n < 0)
		return damaged(r, err);
	r->got += (uint64_t)n;
	beyond = r->got > r->member.size ? r->got - r->member.size : 0;
	if (beyond > (uint64_t)n)
		beyond = (uint64_t)n;
	rc = beyond ? count_unpacked(r, beyond, err) : 0;
	return rc < 0 ? rc : n;
}

bool arc_reader_can_go_on(const struct arc_reader *r)
{
	return r->goes_on;
}

bool arc_reader_is_damaged(const struct arc_reader *r)
{
	return r->damaged;
}

const char *arc_reader_format(const struct arc_reader *r)
{
	const char *name = r->lib.archive_format_name(r->a);

	return name ? name : "";
}
