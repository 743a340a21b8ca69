/* SPDX-License-Identifier: Apache-2.0 */
#include "regress/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "scapfile/files.h"

int reg_file_read(const char *path, uint64_t max, struct buf *out, struct error *err)
{
	size_t start = out->len;
	struct arc_file *f;
	char part[65536];
	int64_t n;
	int rc = arc_open_text(path, &f, err);

	if (rc < 0)
		return rc;
	while ((n = arc_read(f, part, sizeof(part), err)) > 0) {
		buf_add(out, part, (size_t)n);
		if (out->len - start > max) {
			n = error_set(err, ERR_LIMIT, "'%s' has more than %llu bytes", path,
				      (unsigned long long)max);
			break;
		}
	}
	arc_close(f);
	if (n < 0)
		return (int)n;
	return out->failed ? error_nomem(err) : 0;
}

int reg_file_write(const char *path, struct sv text, struct error *err)
{
	char *partial = NULL;
	struct stat sb;
	int fd = sf_file_create_partial(path, &partial, err);
	int rc = 0;

	if (fd < 0)
		return fd;
	/* what is under version control has the mode of other files there */
	if (fchmod(fd, stat(path, &sb) == 0 ? sb.st_mode & 0777 : 0644) != 0 ||
	    sf_file_write(fd, text.p, text.n) != text.n)
		rc = error_sys(err, errno, "cannot write '%s'", path);
	if (close(fd) != 0 && rc == 0)
		rc = error_sys(err, errno, "cannot write '%s'", path);
	if (rc == 0 && rename(partial, path) != 0)
		rc = error_sys(err, errno, "cannot replace '%s'", path);
	if (rc < 0)
		unlink(partial);
	free(partial);
	return rc;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Take "NAME/.." out of @path, once. Return: false if there is none. */
static bool fold_once(char *path)
{
	for (char *up = strstr(path, "/../"); up; up = strstr(up + 1, "/../")) {
		char *name = up;

		while (name > path && name[-1] != '/')
			name--;
		if (name == up || (up - name <= 2 && name[0] == '.' && up[-1] == '.'))
			continue; /* "//..", "./..", "../.." */
		memmove(name, up + 4, strlen(up + 4) + 1);
		return *path != '\0';
	}
	return false;
}

/* Shorter where that is the same file: a link to a directory may lead elsewhere. */
static char *shorten(char *path)
{
	char *folded = path ? strdup(path) : NULL;

	if (!folded)
		return path;
	while (fold_once(folded))
		;
	if (!same_file(path, folded)) {
		free(folded);
		return path;
	}
	free(path);
	return folded;
}

char *reg_path_in(const char *directory, struct sv name)
{
	char *path;

	if (name.n && name.p[0] == '/')
		return strndup(name.p, name.n);
	return asprintf(&path, "%s/%.*s", directory, (int)name.n, name.p) < 0 ? NULL
									      : shorten(path);
}
