/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "cli/cli.h"
#include "scapfile/files.h"

int cli_output_check(const char *path, bool force)
{
	struct stat sb;

	if (lstat(path, &sb) != 0)
		return 0;
	if (!S_ISREG(sb.st_mode))
		cli_log(CLI_ERROR, "'%s' is no file; the output must be one", path);
	else if (!force)
		cli_log(CLI_ERROR, "'%s' exists; --force replaces it", path);
	else
		return 0;
	return CLI_INPUT;
}

/* The file that holds @input: of "a.tar//x" that is a.tar. */
static bool look(const char *input, struct stat *sb)
{
	char *path = strdup(input), *end = path;
	bool found = path && stat(path, sb) == 0;

	while (end && !found && (end = strstr(end, ARC_SEPARATOR))) {
		*end = '\0';
		found = stat(path, sb) == 0 && S_ISREG(sb->st_mode);
		*end++ = ARC_SEPARATOR[0];
	}
	free(path);
	return found;
}

int cli_output_is_no_input(const char *output, const char *input)
{
	struct stat out, in;
	bool same = strcmp(output, input) == 0;

	if (!same && stat(output, &out) == 0 && look(input, &in))
		same = out.st_dev == in.st_dev && out.st_ino == in.st_ino;
	if (!same)
		return 0;
	cli_log(CLI_ERROR, "'%s' is an input; the output must be another file", output);
	return CLI_USAGE;
}

int cli_output_place(const char *partial, const char *path, bool force)
{
	if ((force ? rename(partial, path) : sf_file_rename_to_new(partial, path)) == 0)
		return 0;
	cli_log(CLI_ERROR, "cannot rename '%s' to '%s': %s", partial, path, strerror(errno));
	return CLI_INPUT;
}

int cli_output_text(const char *path, bool force, struct buf *text)
{
	struct error err = {0};
	char *partial = NULL;
	int fd, status = 0;

	if (text->failed)
		return cli_exit_of(ERR_NOMEM);
	if (!path || strcmp(path, "-") == 0)
		return cli_write(text);
	status = cli_output_check(path, force);
	if (status)
		return status;
	fd = sf_file_create_partial(path, &partial, &err);
	if (fd < 0)
		return cli_fail(&err);
	if (sf_file_write(fd, text->p, text->len) != text->len || close(fd) != 0) {
		cli_log(CLI_ERROR, "cannot write '%s': %s", partial, strerror(errno));
		status = CLI_INPUT;
	} else {
		status = cli_output_place(partial, path, force);
	}
	if (status)
		unlink(partial);
	free(partial);
	return status;
}
