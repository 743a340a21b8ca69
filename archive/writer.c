/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are the same bytes whenever and by whomever they are written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/internal.h"

struct arc_writer {
	struct arc_lib lib;
	struct archive *a;
	struct archive_entry *entry;
	int fd, sys; /* errno of a write that failed */
	enum arc_container container;
	int64_t mtime;
	uint64_t left; /* of the member */
	struct arc_names names;
	locale_t locale;
};

static la_ssize_t put(struct archive *a, void *arg, const void *p, size_t n)
{
	struct arc_writer *w = arg;
	ssize_t k;

	(void)a;
	do {
		k = write(w->fd, p, n);
	} while (k < 0 && errno == EINTR);
	if (k < 0)
		w->sys = errno;
	return k;
}

static int failed(const struct arc_writer *w, struct error *err)
{
	const char *text = w->lib.archive_error_string(w->a);
	char plain[160];

	if (w->sys)
		return error_sys(err, w->sys, "cannot write the archive");
	arc_plain_text(plain, sizeof(plain), text ? text : "libarchive does not say why");
	return error_set(err, ERR_IO, "cannot write the archive: %s", plain);
}

static int begin(struct arc_writer *w, enum arc_container c, struct error *err)
{
	const struct arc_lib *l = &w->lib;
	int rc;

	w->a = l->archive_write_new();
	w->entry = l->archive_entry_new();
	if (!w->a || !w->entry)
		return error_nomem(err);
	if (c == ARC_ZIP) {
		rc = l->archive_write_set_format_zip(w->a);
		if (rc == ARCHIVE_OK)
			rc = l->archive_write_set_options(
			    w->a, "zip:compression=store,zip:hdrcharset=UTF-8");
	} else {
		rc = l->archive_write_set_format_pax_restricted(w->a);
	}
	if (rc == ARCHIVE_OK)
		rc = l->archive_write_set_bytes_in_last_block(w->a, 1);
	if (rc == ARCHIVE_OK)
		rc = l->archive_write_open(w->a, w, NULL, put, NULL);
	return rc == ARCHIVE_OK ? 0 : failed(w, err);
}

int arc_writer_open(int fd, enum arc_container c, int64_t mtime, struct arc_writer **out,
		    struct error *err)
{
	struct arc_writer *w = calloc(1, sizeof(*w));
	locale_t before;
	int rc;

	if (!w)
		return error_nomem(err);
	w->fd = fd;
	w->container = c;
	w->mtime = mtime;
	w->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	rc = arc_lib_load(&w->lib, err);
	before = w->locale ? uselocale(w->locale) : (locale_t)0;
	if (rc == 0)
		rc = begin(w, c, err);
	if (before)
		uselocale(before);
	if (rc == 0)
		*out = w;
	else
		arc_writer_free(w);
	return rc;
}

void arc_writer_free(struct arc_writer *w)
{
	if (!w)
		return;
	if (w->entry)
		w->lib.archive_entry_free(w->entry);
	if (w->a)
		w->lib.archive_write_free(w->a);
	if (w->locale)
		freelocale(w->locale);
	arc_names_done(&w->names);
	free(w);
}

static int check_name(struct arc_writer *w, const char *name, struct error *err)
{
	const char *trouble = arc_name_trouble(name, false);
	struct sv other;
	char plain[201];
	int rc;

	if (trouble) {
		arc_plain_text(plain, sizeof(plain), name);
		return error_set(err, ERR_USAGE, "'%s' is no name for a member: %s", plain,
				 trouble);
	}
	rc = arc_names_add(&w->names, sv_of(name), false, &other);
	if (rc == ARC_NAME_NEW)
		return 0;
	if (rc < 0)
		return error_nomem(err);
	if (rc == ARC_NAME_TOO_MANY)
		return error_set(err, ERR_LIMIT, "there are more than %u members (ARC_MEMBERS_MAX)",
				 ARC_MEMBERS_MAX);
	return error_set(err, ERR_USAGE, "two members would have the name '%s'%s", name,
			 rc == ARC_NAME_CASE ? ", where case makes no difference" : "");
}

int arc_writer_member(struct arc_writer *w, const char *name, uint64_t size, struct error *err)
{
	const struct arc_lib *l = &w->lib;
	locale_t before = (locale_t)0;
	int rc = check_name(w, name, err);

	if (rc < 0)
		return rc;
	if (w->left || size > INT64_MAX)
		return error_set(err, ERR_USAGE, "a member of the archive has not its size");
	if (w->locale)
		before = uselocale(w->locale);
	l->archive_entry_clear(w->entry);
	l->archive_entry_set_pathname_utf8(w->entry, name);
	l->archive_entry_set_filetype(w->entry, AE_IFREG);
	l->archive_entry_set_perm(w->entry, 0600);
	l->archive_entry_set_size(w->entry, (int64_t)size);
	/* libarchive would tell a zip the time of where we are. Without one it is ARC_EPOCH. */
	if (w->container == ARC_TAR)
		l->archive_entry_set_mtime(w->entry, w->mtime, 0);
	w->left = size;
	rc = l->archive_write_header(w->a, w->entry);
	if (before)
		uselocale(before);
	return rc == ARCHIVE_OK ? 0 : failed(w, err);
}

int arc_writer_add(struct arc_writer *w, const void *p, size_t n, struct error *err)
{
	if (n > w->left)
		return error_set(err, ERR_USAGE, "a member of the archive has not its size");
	w->left -= n;
	while (n) {
		la_ssize_t k = w->lib.archive_write_data(w->a, p, n);

		if (k <= 0)
			return failed(w, err);
		p = (const uint8_t *)p + k;
		n -= (size_t)k;
	}
	return 0;
}

int arc_writer_end(struct arc_writer *w, struct error *err)
{
	if (w->left)
		return error_set(err, ERR_USAGE, "a member of the archive has not its size");
	return w->lib.archive_write_close(w->a) == ARCHIVE_OK ? 0 : failed(w, err);
}
