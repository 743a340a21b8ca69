/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTIAL_TRIES 100 /* names tried for a file that is to have another one later */

int sf_file_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* A umask takes nothing away, either; where modes mean nothing, that is no harm. */
	if (fd >= 0)
		(void)fchmod(fd, 0600);
	return fd;
}

int sf_file_create_partial(const char *path, char **partial, struct error *err)
{
	char *name = NULL;
	int fd, rc;

	for (unsigned i = 0; i < PARTIAL_TRIES; i++) {
		free(name);
		if (asprintf(&name, "%s.partial-%ld-%u", path, (long)getpid(), i) < 0)
			return error_nomem(err);
		fd = sf_file_create(name);
		if (fd >= 0) {
			*partial = name;
			return fd;
		}
		if (errno != EEXIST)
			break;
	}
	rc = error_sys(err, errno, "cannot create '%s'", name);
	free(name);
	return rc;
}

/* Where the file system cannot do that in one step, a second name is given and the first one
 * taken. */
int sf_file_rename_to_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(from, to) < 0)
		return -1;
	(void)unlink(from);
	return 0;
}

size_t sf_file_write(int fd, const void *p, size_t n)
{
	const uint8_t *from = p;
	size_t done = 0;

	while (done < n) {
		ssize_t k = write(fd, from + done, n - done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			break;
		done += (size_t)k;
	}
	return done;
}

const char *sf_file_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
